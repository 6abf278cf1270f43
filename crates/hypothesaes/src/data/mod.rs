//! Files in, a [`Dataset`] out: texts, their target, and which part each of them belongs to.

mod arrays;
mod arrow;
mod batches;
mod by_hand;
mod choose;
mod chunks;
mod covariates;
mod decode;
mod delimited;
mod dropped;
mod gather;
mod input;
mod json;
mod lines;
pub(crate) mod names;
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

pub use by_hand::{Sheet, read_sheet};
pub(crate) use covariates::standardised;
pub use covariates::{Control, Covariates, Factor};
pub use dropped::{Dropped, Reason, dropped_table};
pub use options::{DataOptions, Format, TaskChoice};
pub use preview::{ColumnPreview, Kind, Preview, preview};
pub use read::{Counts, InputFile, Loaded, content_hash, read};
pub use rows::{read_rows, write_rows};
pub use split::SplitOptions;
pub use texts::Texts;

use std::cmp::Ordering;

use hypothesaes_math::{Activations, Matrix};
use serde::{Deserialize, Serialize};

use crate::evaluate::Heldout;

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
    /// Two classes; `y` is 1 for the positive one, 0 for the other. Of pairs, 1 if the first text
    /// won.
    Binary { positive: String, negative: String },
    /// Classes without an order; `y` is the number of the class, from 0.
    Multiclass { classes: Vec<String> },
    /// How often something happened: 0, 1, 2, ...
    Count,
    /// Levels in order; `y` is the level's own number, or 1 and so on for words.
    Ordinal { levels: Vec<String> },
}

/// Everything the later stages need to know of the input, one entry per kept row, in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The text of every row; of pairs, the first texts of all rows, then the second ones.
    pub texts: Texts,
    /// Whether a row has two texts, of which the target says which one won, or by how much.
    pub is_paired: bool,
    /// The target, as [`Task`] has it.
    pub y: Vec<f64>,
    pub task: Task,
    /// Name of the target column, for reports.
    pub target: String,
    pub split: Vec<Split>,
    /// Weights, controls and the like.
    pub covariates: Covariates,
    /// Group of every row as a number, if there is a group column; groups straddle no splits
    /// but those of the user's own files.
    pub group: Option<Vec<u32>>,
    /// 0-based number of the row, counted through all files (main, validation, held-out) and over
    /// the dropped rows too: no two rows share one. Of pieces of texts, their own number.
    pub row_id: Vec<u64>,
    /// Of pieces of texts, the number in the input of the row whose text they are from.
    pub document: Option<Vec<u64>>,
}

impl Dataset {
    /// Number of rows: texts, or pairs of them.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.y.len()
    }

    /// Indices of the rows of one part, rising.
    #[must_use]
    pub fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.split.len()).filter(|&i| self.split[i] == split).collect()
    }

    /// Indices of the texts of these rows; of pairs, the first texts of all, then the second ones.
    #[must_use]
    pub fn texts_of(&self, rows: &[usize]) -> Vec<usize> {
        let second = rows.iter().filter(|_| self.is_paired).map(|i| i + self.n_rows());
        rows.iter().copied().chain(second).collect()
    }

    /// Indices of the texts of one part, as [`Self::texts_of`] has them.
    #[must_use]
    pub fn texts_in(&self, split: Split) -> Vec<usize> {
        self.texts_of(&self.rows(split))
    }

    /// What the vectors `x` of all texts say of these rows; of pairs, their difference.
    #[must_use]
    pub fn vectors(&self, x: &Matrix, rows: &[usize]) -> Matrix {
        let mut of_rows = x.gather(rows);
        if self.is_paired {
            for (i, &row) in rows.iter().enumerate() {
                let other = x.row(row + self.n_rows());
                of_rows.row_mut(i).iter_mut().zip(other).for_each(|(a, b)| *a -= b);
            }
        }
        of_rows
    }

    /// What the activations `z` of all texts say of these rows; of pairs, their difference.
    #[must_use]
    pub fn activations(&self, z: &Activations, rows: &[usize]) -> Activations {
        if !self.is_paired {
            return z.gather(rows);
        }
        let mut of_rows = Activations::new(z.neurons());
        for &row in rows {
            of_rows.push_difference(difference(z.row(row), z.row(row + self.n_rows())));
        }
        of_rows
    }

    /// What one neuron says of one row: an entry of [`Self::activations`].
    #[must_use]
    pub fn activation(&self, z: &Activations, row: usize, neuron: usize) -> f32 {
        let first = z.value(row, neuron);
        if self.is_paired { first - z.value(row + self.n_rows(), neuron) } else { first }
    }

    /// Number in the input of the rows of these texts.
    #[must_use]
    pub fn row_ids(&self, texts: &[usize]) -> Vec<u64> {
        texts.iter().map(|&text| self.row_id[text % self.n_rows()]).collect()
    }

    /// Of pairs, the side of each of these texts: `a` or `b`.
    #[must_use]
    pub fn sides(&self, texts: &[usize]) -> Option<Vec<&'static str>> {
        let side = |&text: &usize| if text < self.n_rows() { "a" } else { "b" };
        self.is_paired.then(|| texts.iter().map(side).collect())
    }

    /// All rows as what hypotheses are tested on, with these annotations of their texts.
    #[must_use]
    pub fn heldout<'a>(&'a self, annotations: &'a crate::evaluate::Annotations) -> Heldout<'a> {
        Heldout {
            annotations,
            y: &self.y,
            task: &self.task,
            is_paired: self.is_paired,
            covariates: &self.covariates,
            group: self.group.as_deref(),
        }
    }

    /// These rows alone, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        Self {
            texts: self.texts.gather(&self.texts_of(rows)),
            is_paired: self.is_paired,
            y: rows.iter().map(|&i| self.y[i]).collect(),
            task: self.task.clone(),
            target: self.target.clone(),
            split: rows.iter().map(|&i| self.split[i]).collect(),
            covariates: self.covariates.gather(rows),
            group: self.group.as_ref().map(|group| rows.iter().map(|&i| group[i]).collect()),
            row_id: rows.iter().map(|&i| self.row_id[i]).collect(),
            document: self.document.as_ref().map(|of| rows.iter().map(|&i| of[i]).collect()),
        }
    }
}

/// A sparse row minus another, both by rising neuron.
fn difference(a: (&[u32], &[f32]), b: (&[u32], &[f32])) -> Vec<(u32, f32)> {
    let (mut i, mut j) = (0, 0);
    let mut row = Vec::with_capacity(a.0.len() + b.0.len());
    while i < a.0.len() || j < b.0.len() {
        let next = |(indices, values): (&[u32], &[f32]), at: usize| {
            indices.get(at).map_or((u32::MAX, 0.0), |&index| (index, values[at]))
        };
        let ((p, u), (q, v)) = (next(a, i), next(b, j));
        row.push(match p.cmp(&q) {
            Ordering::Less => (p, u),
            Ordering::Greater => (q, -v),
            Ordering::Equal => (p, u - v),
        });
        i += usize::from(p <= q);
        j += usize::from(q <= p);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_pairs_are_differences() {
        let texts = ["a0", "a1", "b0", "b1"].into_iter().collect();
        let data = Dataset {
            texts,
            is_paired: true,
            y: vec![1.0, 0.0],
            task: Task::Binary { positive: "1".into(), negative: "0".into() },
            target: "won".into(),
            split: vec![Split::Heldout, Split::Discover],
            covariates: Covariates::default(),
            group: None,
            row_id: vec![7, 9],
            document: None,
        };
        assert_eq!(data.texts_in(Split::Heldout), [0, 2]);
        assert_eq!(data.row_ids(&[0, 2, 3]), [7, 7, 9]);
        assert_eq!(data.sides(&[0, 2]), Some(vec!["a", "b"]));
        let x = Matrix::from_vec(4, 1, vec![5.0, 1.0, 2.0, 4.0]).unwrap();
        assert_eq!(data.vectors(&x, &[1, 0]).data(), [-3.0, 3.0]);
        let rows = [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 1.0, 2.0]];
        let z = Activations::from_dense(3, &rows.map(|r| r.to_vec())).unwrap();
        let found = data.activations(&z, &[0, 1]);
        assert_eq!([0, 1, 2].map(|j| data.activation(&z, 0, j)), [0.0, -3.0, 2.0]);
        assert_eq!(found.row(0), (&[1, 2][..], &[-3.0, 2.0][..]));
        assert_eq!(found.row(1), (&[2][..], &[-2.0][..]));
        let second = data.gather(&[1]);
        assert_eq!(second.texts.iter().collect::<Vec<_>>(), ["a1", "b1"]);
    }
}
