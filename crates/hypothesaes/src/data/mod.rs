//! Files in, a [`Dataset`] out: texts, their target, and which part each of them belongs to.

mod texts;

pub use texts::Texts;

/// Which part of the data a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// Hypotheses are found on these.
    Discover,
    /// Training stops, and wordings are judged, on these.
    Validation,
    /// Hypotheses are tested on these, once.
    Heldout,
}

/// What the target is.
#[derive(Debug, Clone, PartialEq)]
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
    /// Group of every text as a number, if there is a group column; groups never straddle splits.
    pub group: Option<Vec<u32>>,
    /// 0-based number of the row in its file (files in the order train, validation, held-out).
    pub row_id: Vec<u64>,
}

impl Dataset {
    /// Indices of the texts of one part, rising.
    #[must_use]
    pub fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.split.len()).filter(|&i| self.split[i] == split).collect()
    }
}
