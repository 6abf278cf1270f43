//! A look at the first rows, for a terminal to ask with: what columns there are, and which of them
//! are likely the text and the target.

use std::collections::BTreeSet;
use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;

use super::choose::{TARGET, TEXT, by_usual_name};
use super::input::Input;
use super::names::clip;
use super::row::{Cell, Column};
use super::target::Value;
use super::{DataOptions, Format};
use crate::Result;
use crate::watch::Unwatched;

/// What the first rows look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub format: Format,
    /// Rows looked at; fewer than the file has, if it has many.
    pub rows: u64,
    pub columns: Vec<ColumnPreview>,
    /// Column that is probably the text.
    pub text: Option<String>,
    /// Column that is probably the target.
    pub target: Option<String>,
}

/// A column in the rows looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnPreview {
    pub name: String,
    pub kind: Kind,
    /// Mean length of the values in letters.
    pub mean_len: f64,
    pub n_distinct: usize,
    /// The first values that differ, cut short.
    pub examples: Vec<String>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every value is missing.
    Empty,
    Number,
    Text,
    /// Lists, objects and the like, in some rows at least.
    Nested,
}

const ROWS: u64 = 1000;
const EXAMPLES: usize = 3;
/// A target has fewer values than this share of the rows, unless they are numbers.
const CLASSES: usize = 20;

/// Looks at the first 1,000 rows of the main file.
///
/// # Errors
/// As [`read`](super::read), where the damage is among these rows.
pub fn preview(options: &DataOptions) -> Result<Preview> {
    options.check()?;
    let input = Input::inspect(&options.path, options)?;
    let names = input.columns(&Unwatched)?;
    let columns = names.into_iter().enumerate().map(|(index, name)| Column { index, name });
    let columns: Vec<Column> = columns.collect();
    let mut seen: Vec<Seen> = columns.iter().map(|_| Seen::default()).collect();
    let outcome = input.each_row(&columns, &Rc::default(), &Unwatched, &mut |row| {
        seen.iter_mut().zip(row.cells).for_each(|(seen, cell)| seen.add(cell));
        Ok(if row.number < ROWS { Continue(()) } else { Break(()) })
    })?;
    let columns: Vec<ColumnPreview> =
        columns.into_iter().zip(seen).map(|(column, seen)| seen.summary(column.name)).collect();
    let text = guess_text(&columns);
    let target = guess_target(&columns, text.as_deref());
    Ok(Preview { format: input.format(), rows: outcome.rows, columns, text, target })
}

/// The column called so, else the one with the longest texts.
fn guess_text(columns: &[ColumnPreview]) -> Option<String> {
    let usual = TEXT.iter().find_map(|usual| by_usual_name(&names(columns), usual));
    let texts = columns.iter().filter(|c| c.kind == Kind::Text);
    let longest = texts.reduce(|best, c| if c.mean_len > best.mean_len { c } else { best });
    usual.or_else(|| longest.map(|c| c.name.clone()))
}

/// The column called so, else the first with two values, a few classes, or numbers that recur.
fn guess_target(columns: &[ColumnPreview], text: Option<&str>) -> Option<String> {
    let usual = TARGET.iter().find_map(|usual| by_usual_name(&names(columns), usual));
    let others = || columns.iter().filter(|c| Some(c.name.as_str()) != text && c.n_distinct > 1);
    let first = |fits: &dyn Fn(&ColumnPreview) -> bool| others().find(|c| fits(c));
    let guess = first(&|c| c.n_distinct == 2)
        .or_else(|| first(&|c| c.kind == Kind::Number && c.n_distinct <= CLASSES))
        .or_else(|| first(&|c| c.kind == Kind::Number))
        .or_else(|| first(&|c| c.kind == Kind::Text && c.n_distinct <= CLASSES));
    usual.or_else(|| guess.map(|c| c.name.clone()))
}

fn names(columns: &[ColumnPreview]) -> Vec<String> {
    columns.iter().map(|c| c.name.clone()).collect()
}

/// What has been seen of a column.
#[derive(Default)]
struct Seen {
    there: usize,
    numbers: usize,
    nested: usize,
    letters: usize,
    distinct: BTreeSet<String>,
    examples: Vec<String>,
}

impl Seen {
    fn add(&mut self, cell: &Cell) {
        let written = match cell {
            Cell::Missing => return,
            Cell::Text(text) if text.trim().is_empty() => return,
            Cell::Text(text) => text.to_string(),
            Cell::Integer(value) => value.to_string(),
            Cell::Float(value) => value.to_string(),
            Cell::Flag(value) => value.to_string(),
            Cell::Other(what) => what.to_string(),
        };
        self.there += 1;
        self.letters += written.chars().count();
        self.nested += usize::from(matches!(cell, Cell::Other(_)));
        self.numbers += usize::from(matches!(Value::of(cell), Ok(Value::Number(_))));
        if self.distinct.insert(written.clone()) && self.examples.len() < EXAMPLES {
            self.examples.push(clip(&written));
        }
    }

    fn summary(self, name: String) -> ColumnPreview {
        let kind = match self {
            Self { there: 0, .. } => Kind::Empty,
            Self { nested: 1.., .. } => Kind::Nested,
            Self { there, numbers, .. } if numbers == there => Kind::Number,
            _ => Kind::Text,
        };
        let mean_len = self.letters as f64 / self.there.max(1) as f64;
        let (n_distinct, examples) = (self.distinct.len(), self.examples);
        ColumnPreview { name, kind, mean_len, n_distinct, examples }
    }
}
