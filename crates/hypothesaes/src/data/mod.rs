//! Files in, a [`Dataset`] out: texts, their target, and which part each of them belongs to.

mod options;
mod split;
mod texts;

pub use options::{DataOptions, Format, TaskChoice};
pub use split::SplitOptions;
pub use texts::Texts;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which part of the data a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Hypotheses are found on these.
    Discover,
    /// Training stops, and wordings are judged, on these.
    Validation,
    /// Hypotheses are tested on these, once.
    Heldout,
}

/// What the target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Task {
    /// A number, in its own unit.
    Continuous,
    /// Two classes; `y` is 1 for the positive one, 0 for the other.
    Binary { positive: String, negative: String },
}

/// Everything the later stages need to know of the input, one entry per kept text, in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub texts: Texts,
    /// The target: its own value, or 0 and 1 if [`Task::Binary`].
    pub y: Vec<f64>,
    pub task: Task,
    /// Name of the target column, for reports.
    pub target: String,
    pub split: Vec<Split>,
    /// Group of every text as a number, if there is a group column; groups straddle no splits
    /// but those of the user's own files.
    pub group: Option<Vec<u32>>,
    /// 0-based number of the row, counted through all files (main, validation, held-out) and over
    /// the dropped rows too: no two rows share one.
    pub row_id: Vec<u64>,
}

/// What [`read`] hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub dataset: Dataset,
    /// Every row that is not in the data set, and every kept duplicate, by rising `row_id`.
    pub dropped: Vec<Dropped>,
    pub counts: Counts,
    /// What was decided and noticed, a line each.
    pub notes: Vec<String>,
    pub files: Vec<InputFile>,
    /// Blake3 of the contents of all files; changes if and only if one of them does.
    pub content_hash: String,
}

/// A row that was left out, or kept for a reason worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// As in [`Dataset::row_id`].
    pub row_id: u64,
    pub file: PathBuf,
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
    /// The target is empty, null or not a number.
    MissingTarget,
    /// The target is one of [`DataOptions::drop_target`].
    DroppedTarget,
    /// The text stands in an earlier file as well, which would put it on both sides.
    OnBothSides,
    /// Not dropped: the text stands in an earlier row as well, and both are in one part.
    Duplicate,
}

/// How many rows met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub rows: u64,
    pub kept: u64,
    pub empty_texts: u64,
    pub missing_targets: u64,
    pub dropped_targets: u64,
    pub on_both_sides: u64,
    /// Kept rows whose text stands in an earlier row.
    pub duplicates: u64,
    pub discover: u64,
    pub validation: u64,
    pub heldout: u64,
    pub groups: u64,
    /// Groups that the user's own files put in more than one part.
    pub straddling_groups: u64,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    pub path: PathBuf,
    pub bytes: u64,
    pub rows: u64,
    /// Blake3 of the bytes as they are on disk.
    pub hash: String,
}

impl Dataset {
    /// Indices of the texts of one part, rising.
    #[must_use]
    pub fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.split.len()).filter(|&i| self.split[i] == split).collect()
    }
}
