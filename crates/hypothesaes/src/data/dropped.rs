//! The rows that are left out, and those that are kept for a reason worth telling.

use std::path::Path;
use std::sync::Arc;

use crate::table::{Column, Table, Values};

/// A row that was left out, or a kept duplicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// As in [`Dataset::row_id`](super::Dataset::row_id).
    pub row_id: u64,
    pub file: Arc<Path>,
    /// 1-based record in its file.
    pub row: u64,
    pub reason: Reason,
    /// The value, or the other row, that the reason is about.
    pub detail: String,
}

/// Why a row stands among the [`Dropped`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The text is missing or blank.
    EmptyText,
    /// The target is missing: empty, null, `NA`, not a number.
    MissingTarget,
    /// The target is one of [`DataOptions::drop_target`](super::DataOptions::drop_target).
    DroppedTarget,
    /// A column of weights, controls or the like has no value.
    MissingValue,
    /// The weight is 0.
    Weightless,
    /// Both texts of a pair are the same.
    EqualSides,
    /// The text stands in an earlier file as well, which would put it on both sides.
    OnBothSides,
    /// Not left out: the text stands in an earlier row as well, and both are in one part.
    Duplicate,
}

impl Reason {
    /// The word for it in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EmptyText => "empty_text",
            Self::MissingTarget => "missing_target",
            Self::DroppedTarget => "dropped_target",
            Self::MissingValue => "missing_value",
            Self::Weightless => "weightless",
            Self::EqualSides => "equal_sides",
            Self::OnBothSides => "on_both_sides",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The rows as a table for the run directory.
#[must_use]
pub fn dropped_table(dropped: &[Dropped]) -> Table {
    let text = |of: &dyn Fn(&Dropped) -> String| {
        Values::Text(dropped.iter().map(|d| Some(of(d))).collect())
    };
    let integer = |of: &dyn Fn(&Dropped) -> u64| {
        Values::Integer(dropped.iter().map(|d| i64::try_from(of(d)).ok()).collect())
    };
    let column = |name, description, values| Column { name, unit: "", description, values };
    let kept = dropped.iter().map(|d| Some(d.reason == Reason::Duplicate)).collect();
    Table {
        name: "dropped",
        columns: vec![
            column(
                "row_id",
                "number of the row over all input files, from 0",
                integer(&|d| d.row_id),
            ),
            column("file", "input file", text(&|d| d.file.display().to_string())),
            column("row", "number of the row in its file, from 1", integer(&|d| d.row)),
            column("reason", "why the row is listed", text(&|d| d.reason.word().to_owned())),
            column("detail", "what the reason is about", text(&|d| d.detail.clone())),
            column("kept", "whether the row is in the data all the same", Values::Flag(kept)),
        ],
    }
}
