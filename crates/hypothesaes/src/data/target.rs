//! What the target is: every value is looked at, and the decision is put into words.

use std::borrow::Cow;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::names::{clip, count};
use super::row::Cell;
use super::{Task, TaskChoice};
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// The main file, for messages.
    pub file: &'a Path,
    /// Name of the target column.
    pub column: &'a str,
    pub positive: Option<&'a str>,
    pub task: Option<TaskChoice>,
}

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
        let rows = |tally: &[Tally]| tally.iter().map(|t| t.rows).sum::<usize>();
        let continuous = wish.task == Some(TaskChoice::Continuous);
        if words.is_empty() {
            return self.numbers(wish, &numbers);
        }
        if continuous || rows(&numbers) >= rows(&words) {
            return Err(self.bad_number());
        }
        match words.as_slice() {
            [one, other] if numbers.is_empty() => Ok(self.two_classes(wish.column, *one, *other)),
            _ => Err(self.too_many(&wish.place(), &tally)),
        }
    }

    fn numbers(&self, wish: Wish, numbers: &[Tally]) -> Result<Decision> {
        match (numbers, wish.task) {
            ([one, other], None | Some(TaskChoice::Binary)) => {
                Ok(self.two_classes(wish.column, *one, *other))
            }
            (_, Some(TaskChoice::Binary)) => {
                let (column, n) = (wish.column, count(numbers.len()));
                let why = format!("`{column}` has {n} values; name one of them by `--positive`");
                Err(Error::option("task", "binary", why))
            }
            _ => {
                let number = |&value: &Kept| match value {
                    Kept::Number(number) => Some(number),
                    Kept::Word(_) => None,
                };
                let y = self.values.iter().filter_map(number).collect();
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

    /// Two values: the larger number, or the word that comes later in the alphabet, is positive.
    fn two_classes(&self, column: &str, negative: Tally, positive: Tally) -> Decision {
        let [no, yes] = [negative, positive].map(|t| self.name(t.value));
        let note = format!(
            "target `{column}`: two values, {} and {}: binary, positive class {}",
            clip(&no),
            clip(&yes),
            clip(&yes)
        );
        let task = Task::Binary { positive: yes, negative: no };
        Decision { y: self.is(positive.value), task, note }
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

    fn too_many(&self, place: &Place, tally: &[Tally]) -> Error {
        let n = count(tally.len());
        Error::Data(format!(
            "{place}: has {n} values without an order; name the one to explain against \
             all others by `--positive VALUE`; {}",
            self.frequent(tally)
        ))
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
mod tests {
    use super::*;

    fn targets(values: &[&str]) -> Targets {
        let mut targets = Targets::default();
        for (row, value) in (1..).zip(values) {
            let place = || Place { row: Some(row), ..Place::default() };
            targets.push(Value::parse(value).unwrap(), place);
        }
        targets
    }

    fn decide(values: &str, positive: Option<&str>, task: Option<TaskChoice>) -> Result<Decision> {
        let values: Vec<&str> = values.split(',').collect();
        targets(&values).decide(Wish { file: Path::new("a.csv"), column: "y", positive, task })
    }

    #[test]
    fn trap_36_all_values_decide_and_the_positive_class_is_said() {
        let check = |values: &str, classes: Option<(&str, &str)>, y: &[f64], note: &str| {
            let decision = decide(values, None, None).unwrap();
            let task = classes.map_or(Task::Continuous, |(positive, negative)| Task::Binary {
                positive: positive.to_owned(),
                negative: negative.to_owned(),
            });
            assert_eq!((decision.task, decision.y.as_slice()), (task, y), "{values}");
            assert!(decision.note.contains(note), "{}", decision.note);
        };
        let said = "two values, -1 and 1: binary, positive class 1";
        check("-1,1,1.0, -1", Some(("1", "-1")), &[0.0, 1.0, 1.0, 0.0], said);
        check("0,1", Some(("1", "0")), &[0.0, 1.0], "positive class 1");
        check("0,0.0,-0, 0,7", Some(("7", "0")), &[0.0, 0.0, 0.0, 0.0, 1.0], "0 and 7");
        check("True,false,TRUE", Some(("true", "false")), &[1.0, 0.0, 1.0], "class true");
        check("spam,ham ,ham", Some(("spam", "ham")), &[1.0, 0.0, 0.0], "ham and spam");
        check("no,yes", Some(("yes", "no")), &[0.0, 1.0], "class yes");
        check("neg,pos", Some(("pos", "neg")), &[0.0, 1.0], "class pos");
        check("1,2.5,1e1", None, &[1.0, 2.5, 10.0], "3 values, 1 to 10: continuous");
        let rare = ["0,1,".repeat(2000), "2".to_owned()].concat();
        assert_eq!(decide(&rare, None, None).unwrap().task, Task::Continuous);
    }

    #[test]
    fn the_user_has_the_last_word() {
        let binary = |values: &str, positive: &str| decide(values, Some(positive), None);
        let check = |values: &str, positive: &str, y: &[f64], negative: &str| {
            let decision = binary(values, positive).unwrap();
            let Task::Binary { negative: other, .. } = decision.task else { panic!("not binary") };
            assert_eq!((decision.y.as_slice(), other.as_str()), (y, negative));
        };
        check("ham,spam", "ham", &[1.0, 0.0], "spam");
        check("a,b,c", "b", &[0.0, 1.0, 0.0], "not b");
        check("1,2,5,abc", "5.0", &[0.0, 0.0, 1.0, 0.0], "not 5");
        let continuous = decide("0,1", None, Some(TaskChoice::Continuous)).unwrap();
        assert_eq!((continuous.y, continuous.task), (vec![0.0, 1.0], Task::Continuous));
        assert!(decide("0,1", None, Some(TaskChoice::Binary)).is_ok());
    }

    #[test]
    fn what_cannot_be_decided_is_said_with_the_remedy() {
        use TaskChoice::{Binary, Continuous};
        let check = |values: &str, positive, task, parts: &[&str]| {
            let message = decide(values, positive, task).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        let many = ["3 values", "`--positive VALUE`", "`b` (2), `a` (1), `c` (1)"];
        check("a,b,b,c", None, None, &many);
        check("1,2,3,n/a,4", None, None, &["row 4", "`n/a` is not a number", "--drop-target"]);
        check("ham,spam", None, Some(Continuous), &["row 1", "`ham` is not a number"]);
        check("1,2,3", None, Some(Binary), &["`task`", "3 values", "--positive"]);
        check("1,1.0,1", None, None, &["`1` in every row"]);
        check("a,b", Some("c"), None, &["`positive` is `c`", "`a` (1)"]);
        check("a,a", Some("a"), None, &["`positive` is `a`", "no other value"]);
    }

    #[test]
    fn cells_are_values_or_missing_or_wrong() {
        let number = |cell: Cell| Value::of(&cell).map(|value| value == Value::Number(1.0));
        assert_eq!(number(Cell::Text(" 1.0 ".into())), Ok(true));
        assert_eq!(number(Cell::Integer(1)), Ok(true));
        assert_eq!(number(Cell::Float(1.0)), Ok(true));
        for missing in ["", "  ", "NA", "NaN", "null", "NULL"] {
            assert_eq!(Value::parse(missing), Ok(Value::Missing), "{missing}");
        }
        assert_eq!(Value::of(&Cell::Float(f64::NAN)), Ok(Value::Missing));
        assert!(Value::parse("inf").is_err() && Value::parse("1e999").is_err());
        assert!(Value::of(&Cell::Other("a list".into())).unwrap_err().contains("a list"));
    }
}
