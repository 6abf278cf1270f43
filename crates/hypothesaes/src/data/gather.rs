//! Rows of all files in, the kept ones out, column by column; every row left out is listed.

use std::ops::ControlFlow::Continue;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::choose::Chosen;
use super::covariates::{Lack, Reading};
use super::input::Input;
use super::row::{Cell, Outcome, Row};
use super::source::Meter;
use super::target::{Targets, Value};
use super::{Counts, DataOptions, Dropped, Reason, Texts};
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// The kept rows of all files, in their order.
#[derive(Debug)]
pub(super) struct Gathered<'o> {
    pub texts: Texts,
    /// The other text of every row, of pairs.
    pub others: Option<Texts>,
    pub targets: Targets,
    pub covariates: Reading,
    pub groups: Option<Groups>,
    pub row_id: Vec<u64>,
    /// Kept rows, each with the first one that has the same text; of pairs, on either side.
    pub duplicates: Vec<(u32, u32)>,
    pub dropped: Vec<Dropped>,
    pub counts: Counts,
    pub files: Vec<Extent>,
    dropping: Vec<Dropping<'o>>,
    /// First kept row of every text, by 128 bits of the text's Blake3.
    first: FxHashMap<[u8; 16], u32>,
}

/// Groups of the kept rows, numbered in the order in which they first occur.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub of_row: Vec<u32>,
    pub n: u32,
    /// Rows without a group, each of which is one by itself.
    pub alone: usize,
    number: FxHashMap<String, u32>,
}

/// What a file contributed.
#[derive(Debug)]
pub(super) struct Extent {
    pub path: Arc<Path>,
    /// `row_id` of its first row.
    pub start: u64,
    /// Kept rows up to its end, all earlier files included.
    pub kept_end: usize,
    pub outcome: Outcome,
}

/// A target whose rows are left out.
#[derive(Debug)]
struct Dropping<'o> {
    asked: &'o str,
    value: Value<'o>,
    rows: u64,
}

impl<'o> Gathered<'o> {
    pub fn new(options: &'o DataOptions) -> Result<Self> {
        let dropping = options.drop_target.iter().map(|asked| {
            let value = Value::parse(asked).map_err(|e| Error::option("drop_target", asked, e))?;
            Ok(Dropping { asked, value, rows: 0 })
        });
        Ok(Self {
            texts: Texts::default(),
            others: options.text_b.is_some().then(Texts::default),
            targets: Targets::default(),
            covariates: Reading::new(options),
            groups: options.group.is_some().then(Groups::default),
            row_id: Vec::new(),
            duplicates: Vec::new(),
            dropped: Vec::new(),
            counts: Counts::default(),
            files: Vec::new(),
            dropping: dropping.collect::<Result<_>>()?,
            first: FxHashMap::default(),
        })
    }

    /// Reads a file to its end, and returns how many rows it has.
    ///
    /// # Errors
    /// [`Error::Input`] for damage; [`Error::Data`] if it has no row to keep.
    pub fn read(
        &mut self,
        input: &Input,
        chosen: &Chosen,
        meter: &Rc<Meter>,
        watch: &dyn Watch,
    ) -> Result<u64> {
        let path = Arc::from(input.source.path.as_path());
        let (start, kept_before) = (self.counts.rows, self.row_id.len());
        self.files.push(Extent { path, start, kept_end: 0, outcome: Outcome::default() });
        let mut told = 0;
        let outcome = input.each_row(&chosen.columns, meter, watch, &mut |row| {
            let read = meter.bytes();
            if row.number % 4096 == 0 || read - told > 1 << 20 {
                watch.check()?;
                watch.advance(read - told);
                told = read;
            }
            self.row(row, chosen).map_err(|e| name_file(e, input))?;
            Ok(Continue(()))
        })?;
        watch.advance(input.source.bytes.saturating_sub(told));
        if outcome.rows == 0 {
            let what = if input.has_header() { "has a header and no rows" } else { "has no rows" };
            return Err(input.source.damage(Place::default(), what));
        }
        let extent = self.files.last_mut().expect("pushed above");
        (extent.kept_end, extent.outcome) = (self.row_id.len(), outcome);
        if self.row_id.len() == kept_before {
            return Err(self.nothing_left(input, outcome));
        }
        Ok(outcome.rows)
    }

    /// Values of `--drop-target` that no row has.
    pub fn dropped_none(&self) -> impl Iterator<Item = &str> {
        self.dropping.iter().filter(|dropping| dropping.rows == 0).map(|dropping| dropping.asked)
    }

    fn row(&mut self, row: &Row, chosen: &Chosen) -> Result<()> {
        let roles = &chosen.roles;
        let place = |column: usize| row.place(&chosen.columns[column].name);
        let wrong = |column| move |message| Error::Input { place: place(column), message };
        let first = text(&row.cells[0]).map_err(wrong(0))?;
        let other = roles.text_b.map(|at| text(&row.cells[at]).map_err(wrong(at))).transpose()?;
        let target = Value::of(&row.cells[1]).map_err(wrong(1))?;
        let group =
            roles.group.map(|at| group_key(&row.cells[at]).map_err(wrong(at))).transpose()?;
        let beside = Reading::understand(row, chosen);
        let beside = beside.map_err(|(at, message)| wrong(at)(message))?;

        let row_id = self.counts.rows;
        self.counts.rows += 1;
        let sides = [Some(first), other];
        if let Some((reason, detail)) = self.reason_to_drop(sides, &target, &row.cells[1]) {
            self.list(row_id, reason, detail);
            return Ok(());
        }
        let beside = match beside {
            Ok(beside) => beside,
            Err(lack) => {
                let (reason, detail) = match lack {
                    Lack::Missing(column) => (Reason::MissingValue, column),
                    Lack::Weightless => (Reason::Weightless, String::new()),
                };
                self.list(row_id, reason, detail);
                return Ok(());
            }
        };
        if self.stands_in_earlier_file(row_id, sides)? {
            return Ok(());
        }
        let located = |column: usize, files: &[Extent]| {
            let file = files.last().expect("a file is being read").path.to_path_buf();
            Place { file, ..place(column) }
        };
        self.texts.push(first);
        if let (Some(others), Some(other)) = (&mut self.others, other) {
            others.push(other);
        }
        self.targets.push(target, || located(1, &self.files));
        self.covariates.push(beside, |column| located(column, &self.files));
        if let (Some(groups), Some(key)) = (&mut self.groups, group) {
            groups.push(key);
        }
        self.row_id.push(row_id);
        Ok(())
    }

    /// Looks the texts up among those kept so far: true, and the row listed, if one stands in an
    /// earlier file; else the row is tied to those that have it too.
    fn stands_in_earlier_file(&mut self, row_id: u64, sides: [Option<&str>; 2]) -> Result<bool> {
        let index = u32::try_from(self.row_id.len())
            .map_err(|_| Error::Data("more than 4,294,967,295 rows".to_owned()))?;
        let mut firsts = Vec::new();
        for text in sides.into_iter().flatten() {
            let mut hash = [0; 16];
            hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
            let Some(&first) = self.first.get(&hash) else {
                firsts.push((hash, index));
                continue;
            };
            let (file, number) = self.locate(self.row_id[first as usize]);
            if file + 1 < self.files.len() {
                let other = self.files[file].path.display();
                let detail = format!("row {number} of `{other}` has the same text");
                self.list(row_id, Reason::OnBothSides, detail);
                return Ok(true);
            }
            firsts.push((hash, first));
        }
        for (hash, first) in firsts {
            self.first.insert(hash, first);
            if first == index {
                continue;
            }
            self.duplicates.push((index, first));
            // That pairs share texts is nothing to tell of every one.
            if self.others.is_none() {
                let (_, number) = self.locate(self.row_id[first as usize]);
                let detail = format!("duplicate of row {number} (kept, same split)");
                self.list(row_id, Reason::Duplicate, detail);
            }
        }
        Ok(false)
    }

    fn reason_to_drop(
        &mut self,
        [first, other]: [Option<&str>; 2],
        target: &Value,
        cell: &Cell,
    ) -> Option<(Reason, String)> {
        let blank = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
        if blank(first) || blank(other) {
            return Some((Reason::EmptyText, String::new()));
        }
        if first == other {
            return Some((Reason::EqualSides, String::new()));
        }
        let written = || match cell {
            Cell::Text(text) => text.to_string(),
            Cell::Integer(value) => value.to_string(),
            Cell::Float(value) => value.to_string(),
            Cell::Flag(value) => value.to_string(),
            Cell::Missing | Cell::Other(_) => String::new(),
        };
        if *target == Value::Missing {
            return Some((Reason::MissingTarget, written()));
        }
        let dropping = self.dropping.iter_mut().find(|dropping| dropping.value == *target)?;
        dropping.rows += 1;
        Some((Reason::DroppedTarget, written()))
    }

    /// Lists a row and counts it.
    fn list(&mut self, row_id: u64, reason: Reason, detail: String) {
        let (file, row) = self.locate(row_id);
        let file = Arc::clone(&self.files[file].path);
        self.dropped.push(Dropped { row_id, file, row, reason, detail });
        *match reason {
            Reason::EmptyText => &mut self.counts.empty_texts,
            Reason::MissingTarget => &mut self.counts.missing_targets,
            Reason::DroppedTarget => &mut self.counts.dropped_targets,
            Reason::MissingValue => &mut self.counts.missing_values,
            Reason::Weightless => &mut self.counts.weightless,
            Reason::EqualSides => &mut self.counts.equal_sides,
            Reason::OnBothSides => &mut self.counts.on_both_sides,
            Reason::Duplicate => &mut self.counts.duplicates,
        } += 1;
    }

    /// The file of a row, and the row's 1-based number in it.
    pub fn locate(&self, row_id: u64) -> (usize, u64) {
        let file = self.files.partition_point(|extent| extent.start <= row_id) - 1;
        (file, row_id - self.files[file].start + 1)
    }

    fn nothing_left(&self, input: &Input, outcome: Outcome) -> Error {
        let file = input.source.path.display();
        let reasons: Vec<String> =
            self.counts.left_out().map(|(rows, why)| format!("{rows} {why}")).collect();
        let (rows, reasons) = (outcome.rows, reasons.join(", "));
        Error::Data(format!("no row of `{file}` is left: of {rows} rows in all, {reasons}"))
    }
}

impl Groups {
    /// Appends the group of a row; a row without one is a group by itself.
    fn push(&mut self, key: Option<String>) {
        let next = self.n;
        self.alone += usize::from(key.is_none());
        let number = key.map_or(next, |key| *self.number.entry(key).or_insert(next));
        self.n += u32::from(number == next);
        self.of_row.push(number);
    }
}

fn text<'a>(cell: &'a Cell) -> Result<&'a str, String> {
    match cell {
        Cell::Missing => Ok(""),
        Cell::Text(text) => Ok(text),
        other => Err(format!("holds {}, not text", other.kind())),
    }
}

/// What names a group; numbers that are equal name the same.
fn group_key(cell: &Cell) -> Result<Option<String>, String> {
    Ok(match cell {
        Cell::Missing => None,
        Cell::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Cell::Integer(value) => Some(value.to_string()),
        Cell::Float(value) if value.is_nan() => None,
        Cell::Float(value) => Some(value.to_string()),
        Cell::Flag(value) => Some(value.to_string()),
        Cell::Other(what) => return Err(format!("holds {what}; a group is a number or a word")),
    })
}

/// Completes the place of an error in a row.
fn name_file(error: Error, input: &Input) -> Error {
    match error {
        Error::Input { place, message } => input.source.damage(place, message),
        other => other,
    }
}
