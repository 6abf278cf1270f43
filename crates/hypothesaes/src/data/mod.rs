//! Files in, a [`Dataset`] out: texts, their target, and which part each of them belongs to.

mod arrays;
mod arrow;
mod batches;
mod choose;
mod decode;
mod delimited;
mod dropped;
mod gather;
mod input;
mod json;
mod lines;
mod names;
mod notes;
mod options;
mod parquet;
mod preview;
mod read;
mod row;
mod rows;
mod sniff;
mod source;
mod split;
mod target;
mod texts;

pub use dropped::{Dropped, Reason, dropped_table};
pub use options::{DataOptions, Format, TaskChoice};
pub use preview::{ColumnPreview, Kind, Preview, preview};
pub use read::{Counts, InputFile, Loaded, content_hash, read};
pub use rows::{read_rows, write_rows};
pub use split::SplitOptions;
pub use texts::Texts;

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

impl Split {
    /// All parts, in their order.
    pub const ALL: [Self; 3] = [Self::Discover, Self::Validation, Self::Heldout];

    /// The word for it in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Validation => "validation",
            Self::Heldout => "heldout",
        }
    }
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

impl Dataset {
    /// Indices of the texts of one part, rising.
    #[must_use]
    pub fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.split.len()).filter(|&i| self.split[i] == split).collect()
    }
}
