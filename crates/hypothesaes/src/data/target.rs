//! What the target is: every value is looked at, and the decision is put into words.

use std::borrow::Cow;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::names::{clip, count};
use super::row::Cell;
use super::{Factor, Task, TaskChoice};
use crate::error::Place;
use crate::{Error, Result};

/// A value of the target: "0", " 0", 0 and 0.0 are one, and so are `True` and true.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Null, blank, not a number.
    Missing,
    Number(f64),
    Word(Cow<'a, str>),
}

/// The targets of the kept rows.
#[derive(Debug, Default)]
pub(super) struct Targets {
    values: Vec<Kept>,
    words: Vec<Word>,
    word_of: FxHashMap<String, u32>,
}

/// What was decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub y: Vec<f64>,
    pub task: Task,
    pub note: String,
}

/// How the user wants the target to be understood.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// The main file, for messages.
    pub file: &'a Path,
    /// Name of the target column.
    pub column: &'a str,
    pub positive: Option<&'a str>,
    pub task: Option<TaskChoice>,
    /// Words of an ordered target, lowest first.
    pub levels: &'a [String],
    /// Names of the two columns of texts, if rows are pairs.
    pub pair: Option<[&'a str; 2]>,
    /// Where the row of a kept target stands.
    pub locate: &'a dyn Fn(usize) -> Place,
}

/// Words that are classes without having been asked for: more of them are rather names.
const MAX_CLASSES: usize = 20;
/// Numbers that can be levels of proportional odds.
const MAX_LEVELS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    Number(f64),
    Word(u32),
}

#[derive(Debug)]
struct Word {
    text: String,
    /// Where it first stands.
    place: Place,
}

/// A value and in how many rows it stands.
#[derive(Debug, Clone, Copy)]
struct Tally {
    value: Kept,
    rows: usize,
}

impl Wish<'_> {
    fn place(&self) -> Place {
        let column = Some(self.column.to_owned());
        Place { file: self.file.to_owned(), column, ..Place::default() }
    }
}

impl<'a> Value<'a> {
    /// The value of a cell, or what is wrong with it.
    pub fn of(cell: &'a Cell) -> Result<Self, String> {
        match cell {
            Cell::Missing => Ok(Self::Missing),
            Cell::Text(text) => Self::parse(text),
            #[allow(clippy::cast_precision_loss, reason = "targets are f64")]
            Cell::Integer(value) => Ok(Self::Number(*value as f64)),
            Cell::Float(value) => Self::number(*value),
            Cell::Flag(value) => Ok(Self::Word(if *value { "true" } else { "false" }.into())),
            Cell::Other(what) => Err(format!("holds {what}; a target is a number or a word")),
        }
    }

    /// The value that a text stands for.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "NA" || text.eq_ignore_ascii_case("null") {
            return Ok(Self::Missing);
        }
        if let Ok(number) = text.parse() {
            return Self::number(number);
        }
        let flag = ["true", "false"].into_iter().find(|flag| text.eq_ignore_ascii_case(flag));
        Ok(Self::Word(flag.unwrap_or(text).into()))
    }

    fn number(value: f64) -> Result<Self, String> {
        if value.is_nan() {
            return Ok(Self::Missing);
        }
        if value.is_infinite() {
            return Err(format!("`{value}` is not a finite number"));
        }
        // Adding zero makes 0 of -0.
        Ok(Self::Number(value + 0.0))
    }
}

impl Targets {
    /// Appends the target of a row; nothing for one that is missing.
    pub fn push(&mut self, value: Value, place: impl FnOnce() -> Place) {
        match value {
            Value::Missing => {}
            Value::Number(number) => self.values.push(Kept::Number(number)),
            Value::Word(word) => {
                let index = self.word_of.get(word.as_ref()).copied().unwrap_or_else(|| {
                    let index = u32::try_from(self.words.len()).expect("fewer words than 2^32");
                    self.word_of.insert(word.to_string(), index);
                    self.words.push(Word { text: word.to_string(), place: place() });
                    index
                });
                self.values.push(Kept::Word(index));
            }
        }
    }

    /// Continuous or binary, by all values and the user's wish.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Input`] if the values are neither, [`Error::Option`] if the
    /// wish does not fit them.
    pub fn decide(&self, wish: Wish) -> Result<Decision> {
        let tally = self.tally();
        let (words, numbers): (Vec<Tally>, Vec<Tally>) =
            tally.iter().partition(|t| matches!(t.value, Kept::Word(_)));
        if let Some(positive) = wish.positive {
            return self.one_against_rest(wish.column, positive, &tally);
        }
        if let [only] = tally.as_slice() {
            let (place, value) = (wish.place(), clip(&self.name(only.value)));
            let message = format!("{place}: is `{value}` in every row; a target must vary");
            return Err(Error::Data(message));
        }
        if !wish.levels.is_empty() {
            return self.ordered(wish, &tally);
        }
        match wish.task {
            Some(TaskChoice::Multiclass) => return self.classes(wish, &tally),
            Some(TaskChoice::Ordinal) if !words.is_empty() => return Err(self.unordered(wish)),
            _ => {}
        }
        let rows = |tally: &[Tally]| tally.iter().map(|t| t.rows).sum::<usize>();
        let wants_numbers = matches!(wish.task, Some(TaskChoice::Continuous | TaskChoice::Count));
        if words.is_empty() {
            return self.of_numbers(wish, &numbers);
        }
        if wants_numbers || rows(&numbers) >= rows(&words) {
            return Err(self.bad_number());
        }
        match words.as_slice() {
            [one, other] if numbers.is_empty() => Ok(self.two_classes(wish, *one, *other)),
            _ if tally.len() <= MAX_CLASSES && wish.task.is_none() && wish.pair.is_none() => {
                self.classes(wish, &tally)
            }
            _ => Err(self.too_many(&wish, &tally)),
        }
    }

    fn of_numbers(&self, wish: Wish, numbers: &[Tally]) -> Result<Decision> {
        match (numbers, wish.task) {
            ([one, other], None | Some(TaskChoice::Binary)) => {
                Ok(self.two_classes(wish, *one, *other))
            }
            (_, Some(TaskChoice::Count)) => self.counts(wish, numbers),
            (_, Some(TaskChoice::Ordinal)) => self.levels(wish, numbers),
            (_, Some(TaskChoice::Binary)) => {
                let (column, n) = (wish.column, count(numbers.len()));
                let why = format!("`{column}` has {n} values; name one of them by `--positive`");
                Err(Error::option("task", "binary", why))
            }
            _ => {
                let y = self.all_numbers();
                let ends = [numbers[0], numbers[numbers.len() - 1]].map(|t| self.name(t.value));
                let (column, n) = (wish.column, count(numbers.len()));
                let note = format!(
                    "target `{column}`: {n} values, {} to {}: continuous",
                    ends[0], ends[1]
                );
                Ok(Decision { y, task: Task::Continuous, note })
            }
        }
    }

    /// The values of numbers.
    fn all_numbers(&self) -> Vec<f64> {
        let number = |&value: &Kept| match value {
            Kept::Number(number) => Some(number),
            Kept::Word(_) => None,
        };
        self.values.iter().filter_map(number).collect()
    }

    /// The values, if all of them are numbers.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.words.is_empty().then(|| self.all_numbers())
    }

    /// The value, if there is one only.
    pub fn only_value(&self) -> Option<String> {
        let first = *self.values.first()?;
        self.values.iter().all(|v| *v == first).then(|| self.name(first))
    }

    /// The values as categories.
    pub fn factor(&self, name: &str) -> Factor {
        let tally = self.tally();
        let levels = tally.iter().map(|t| self.name(t.value)).collect();
        Factor { name: name.to_owned(), levels, of_row: self.places(&tally) }
    }

    /// Place of every value in the tally.
    fn places(&self, tally: &[Tally]) -> Vec<u32> {
        let numbers = tally.partition_point(|t| matches!(t.value, Kept::Number(_)));
        let mut of_word = vec![0; self.words.len()];
        for (at, t) in (0..).zip(tally) {
            if let Kept::Word(word) = t.value {
                of_word[word as usize] = at;
            }
        }
        let number = |t: &Tally| match t.value {
            Kept::Number(number) => number,
            Kept::Word(_) => f64::INFINITY,
        };
        let place = |value: &Kept| match *value {
            Kept::Word(word) => of_word[word as usize],
            Kept::Number(v) => {
                let at = tally[..numbers].partition_point(|t| number(t).total_cmp(&v).is_lt());
                u32::try_from(at).expect("fewer than 2^32 values")
            }
        };
        self.values.iter().map(place).collect()
    }

    /// Every value a class of its own.
    fn classes(&self, wish: Wish, tally: &[Tally]) -> Result<Decision> {
        if tally.len() > MAX_LEVELS {
            return Err(self.too_many(&wish, tally));
        }
        let classes: Vec<String> = tally.iter().map(|t| self.name(t.value)).collect();
        let shown: Vec<String> = classes.iter().map(|c| clip(c)).collect();
        let note = format!(
            "target `{}`: {} classes, each against all others: {}",
            wish.column,
            count(tally.len()),
            shown.join(", ")
        );
        let y = self.places(tally).into_iter().map(f64::from).collect();
        Ok(Decision { y, task: Task::Multiclass { classes }, note })
    }

    /// Whole numbers from 0.
    fn counts(&self, wish: Wish, numbers: &[Tally]) -> Result<Decision> {
        let y = self.all_numbers();
        if let Some(row) = y.iter().position(|v| *v < 0.0 || v.fract() != 0.0) {
            let message = format!(
                "is {}; a count is 0, 1, 2 or more: mend it, or leave `--task count` out",
                y[row]
            );
            let column = Some(wish.column.to_owned());
            return Err(Error::Input { place: Place { column, ..(wish.locate)(row) }, message });
        }
        let most = self.name(numbers[numbers.len() - 1].value);
        let note = format!("target `{}`: counts, 0 to {most}", wish.column);
        Ok(Decision { y, task: Task::Count, note })
    }

    /// Numbers as levels with an order.
    fn levels(&self, wish: Wish, numbers: &[Tally]) -> Result<Decision> {
        if numbers.len() > MAX_LEVELS {
            let why = format!(
                "`{}` has {} values, more than the {MAX_LEVELS} levels that proportional odds can \
                 tell apart; leave it out to treat the target as continuous",
                wish.column,
                count(numbers.len())
            );
            return Err(Error::option("task", "ordinal", why));
        }
        let levels: Vec<String> = numbers.iter().map(|t| self.name(t.value)).collect();
        let (column, n) = (wish.column, levels.len());
        let note = format!("target `{column}`: {n} levels in order: {}", levels.join(" < "));
        Ok(Decision { y: self.all_numbers(), task: Task::Ordinal { levels }, note })
    }

    /// Words whose order the user gave: 1 for the lowest.
    fn ordered(&self, wish: Wish, tally: &[Tally]) -> Result<Decision> {
        let rank = |t: &Tally| {
            let name = self.name(t.value);
            wish.levels.iter().position(|level| level.trim() == name)
        };
        let ranks: Vec<Option<usize>> = tally.iter().map(rank).collect();
        let given = wish.levels.join(",");
        if let Some(at) = ranks.iter().position(Option::is_none) {
            let name = clip(&self.name(tally[at].value));
            let why = format!(
                "target `{}` has `{name}` as well ({} rows); name it in its place, or leave such \
                 rows out by `--drop-target '{name}'`",
                wish.column,
                count(tally[at].rows)
            );
            return Err(Error::option("levels", given, why));
        }
        if ranks.len() < wish.levels.len() {
            let lacks = |at: &usize| !ranks.contains(&Some(*at));
            let missing = (0..wish.levels.len()).find(lacks).map_or("", |at| &wish.levels[at]);
            let why = format!("target `{}` has no `{}`; leave it out", wish.column, clip(missing));
            return Err(Error::option("levels", given, why));
        }
        let number = |place: u32| ranks[place as usize].map_or(0.0, |rank| (rank + 1) as f64);
        let y = self.places(tally).into_iter().map(number).collect();
        let levels: Vec<String> = wish.levels.iter().map(|l| l.trim().to_owned()).collect();
        let note = format!(
            "target `{}`: {} levels in order, counted from 1: {}",
            wish.column,
            levels.len(),
            levels.join(" < ")
        );
        let task = match wish.task {
            Some(TaskChoice::Ordinal) => Task::Ordinal { levels },
            _ => Task::Continuous,
        };
        Ok(Decision { y, task, note })
    }

    fn unordered(&self, wish: Wish) -> Error {
        let word = clip(&self.words[0].text);
        let why = format!(
            "`{}` holds words such as `{word}`, whose order is not known; give it by \
             `--levels LOWEST,...,HIGHEST`",
            wish.column
        );
        Error::option("task", "ordinal", why)
    }

    /// Two values: the larger number, or the word that comes later in the alphabet, is positive; of
    /// pairs, what says that the first text won.
    fn two_classes(&self, wish: Wish, negative: Tally, positive: Tally) -> Decision {
        let column = wish.column;
        let (negative, positive) = match wish.pair {
            Some(pair) if self.names_first(pair, negative, positive) => (positive, negative),
            _ => (negative, positive),
        };
        let [no, yes] = [negative, positive].map(|t| self.name(t.value));
        if let Some([first, second]) = wish.pair {
            let (p, q) = (clip(&yes), clip(&no));
            let note = format!(
                "target `{column}`: `{first}` won where it is {p}, `{second}` where it is {q}; \
                 `--positive VALUE` says otherwise"
            );
            let task = Task::Binary { positive: yes, negative: no };
            return Decision { y: self.is(positive.value), task, note };
        }
        let note = format!(
            "target `{column}`: two values, {} and {}: binary, positive class {}",
            clip(&no),
            clip(&yes),
            clip(&yes)
        );
        let task = Task::Binary { positive: yes, negative: no };
        Decision { y: self.is(positive.value), task, note }
    }

    /// Whether the smaller of two values says that the first text of a pair won: 1 of 1 and 2, `a`
    /// of `a` and `b`, but not 0 of 0 and 1, nor the name of the second column.
    fn names_first(&self, pair: [&str; 2], smaller: Tally, larger: Tally) -> bool {
        let named = |t: Tally| pair.iter().position(|column| *column == self.name(t.value));
        match (named(smaller), named(larger)) {
            (Some(side), _) => return side == 0,
            (_, Some(side)) => return side == 1,
            _ => {}
        }
        match smaller.value {
            Kept::Number(number) => number > 0.0,
            Kept::Word(_) => {
                self.name(smaller.value) != "false" && self.name(smaller.value) != "no"
            }
        }
    }

    fn one_against_rest(&self, column: &str, positive: &str, tally: &[Tally]) -> Result<Decision> {
        let wanted = Value::parse(positive).map_err(|e| Error::option("positive", positive, e))?;
        let found = tally.iter().find(|t| match (&wanted, t.value) {
            (Value::Number(a), Kept::Number(b)) => a.total_cmp(&b).is_eq(),
            (Value::Word(a), Kept::Word(b)) => *a == self.words[b as usize].text,
            _ => false,
        });
        let Some(found) = found else {
            let why = format!("target `{column}` has no such value; {}", self.frequent(tally));
            return Err(Error::option("positive", positive, why));
        };
        let yes = self.name(found.value);
        let others: Vec<&Tally> = tally.iter().filter(|t| t.value != found.value).collect();
        let no = match others.as_slice() {
            [] => {
                let why = format!("target `{column}` has no other value; it must vary");
                return Err(Error::option("positive", positive, why));
            }
            [other] => self.name(other.value),
            _ => format!("not {yes}"),
        };
        let (n, all) = (count(found.rows), count(self.values.len()));
        let (p, q) = (clip(&yes), clip(&no));
        let note =
            format!("target `{column}`: binary, positive class {p} ({n} of {all}), else {q}");
        let task = Task::Binary { positive: yes, negative: no };
        Ok(Decision { y: self.is(found.value), task, note })
    }

    /// 1 where the target is `value`, else 0.
    fn is(&self, value: Kept) -> Vec<f64> {
        self.values.iter().map(|&v| f64::from(u8::from(v == value))).collect()
    }

    fn name(&self, value: Kept) -> String {
        match value {
            Kept::Number(number) => number.to_string(),
            Kept::Word(word) => self.words[word as usize].text.clone(),
        }
    }

    /// All values: numbers by size, then words by the alphabet.
    fn tally(&self) -> Vec<Tally> {
        let mut numbers: Vec<f64> = Vec::new();
        let mut rows = vec![0; self.words.len()];
        for &value in &self.values {
            match value {
                Kept::Number(number) => numbers.push(number),
                Kept::Word(word) => rows[word as usize] += 1,
            }
        }
        numbers.sort_unstable_by(f64::total_cmp);
        let numbers = numbers.chunk_by(|a, b| a.total_cmp(b).is_eq());
        let mut words: Vec<u32> = (0..).take(rows.len()).collect();
        words.sort_by_key(|&word| &self.words[word as usize].text);
        let words = words.iter().map(|&w| Tally { value: Kept::Word(w), rows: rows[w as usize] });
        let of_numbers = |run: &[f64]| Tally { value: Kept::Number(run[0]), rows: run.len() };
        numbers.map(of_numbers).chain(words).collect()
    }

    /// The first word among numbers.
    fn bad_number(&self) -> Error {
        let word = &self.words[0];
        let text = clip(&word.text);
        let message = format!(
            "`{text}` is not a number; mend it, leave such rows out by `--drop-target '{text}'`, \
             or name the class to explain by `--positive VALUE`"
        );
        Error::Input { place: word.place.clone(), message }
    }

    fn too_many(&self, wish: &Wish, tally: &[Tally]) -> Error {
        let (place, n, frequent) = (wish.place(), count(tally.len()), self.frequent(tally));
        Error::Data(match wish.pair {
            Some([first, second]) => format!(
                "{place}: has {n} values; of pairs it says by two whether `{first}` or `{second}` \
                 won; leave ties out by `--drop-target VALUE`; {frequent}"
            ),
            None => format!(
                "{place}: has {n} values without an order; name the one to explain against all \
                 others by `--positive VALUE`, their order by `--levels`, or leave rare ones out \
                 by `--drop-target VALUE`; {frequent}"
            ),
        })
    }

    /// The most frequent values with their numbers of rows.
    fn frequent(&self, tally: &[Tally]) -> String {
        const SHOWN: usize = 6;
        let mut tally = tally.to_vec();
        tally.sort_by_key(|t| std::cmp::Reverse(t.rows));
        let shown = tally.iter().take(SHOWN);
        let shown: Vec<String> =
            shown.map(|t| format!("`{}` ({})", clip(&self.name(t.value)), count(t.rows))).collect();
        let more = match tally.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {} more", count(more)),
        };
        format!("it has {}{more}", shown.join(", "))
    }
}

#[cfg(test)]
mod tests;
