//! A row as every reader hands it on: the cells of the wanted columns, and where it stands.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::Result;
use crate::error::Place;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Null, or no such key in this row.
    Missing,
    Text(Cow<'a, str>),
    Integer(i128),
    Float(f64),
    Flag(bool),
    /// Something that is neither text nor number, in words: `a list`.
    Other(Cow<'a, str>),
}

/// One row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// 1-based, the header not counted.
    pub number: u64,
    pub line: Option<u64>,
    /// One per wanted column, in the order asked for.
    pub cells: &'a [Cell<'a>],
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// 0-based.
    pub index: usize,
    pub name: String,
}

/// What was met on the way through a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub rows: u64,
    pub blank_lines: u64,
}

/// Receives rows until it has enough.
pub(super) type Sink<'a> = dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>> + 'a;

impl Cell<'_> {
    /// The kind of the value, for messages.
    pub fn kind(&self) -> &str {
        match self {
            Self::Missing => "nothing",
            Self::Text(_) => "text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Other(what) => what,
        }
    }
}

impl Row<'_> {
    /// Where the row stands; the file is left open.
    pub fn place(&self, column: &str) -> Place {
        let column = (!column.is_empty()).then(|| column.to_owned());
        Place { row: Some(self.number), line: self.line, column, ..Place::default() }
    }
}
