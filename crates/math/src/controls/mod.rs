//! Controls: what is held equal. In go numeric columns and factors, out comes what they leave of a
//! column. Factors of many levels are absorbed, never expanded.

mod factors;
mod projection;

use crate::error::{Error, Result};
pub use projection::Projection;

/// Numeric columns and factors, each with one entry per row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Controls {
    /// Numeric controls; of pairs, the differences between their two texts.
    pub columns: Vec<Vec<f64>>,
    /// The level of every row, counted from 0.
    pub factors: Vec<Vec<u32>>,
}

impl Controls {
    /// Whether there is nothing to control for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.factors.is_empty()
    }

    /// Whether everything has `rows` entries, and finite ones.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`].
    pub fn check(&self, rows: usize) -> Result<()> {
        for (j, column) in self.columns.iter().enumerate() {
            Error::check_len("control", column.len(), rows)?;
            if let Some(row) = column.iter().position(|v| !v.is_finite()) {
                return Err(Error::NotFinite { what: "controls", row, column: j });
            }
        }
        self.factors.iter().try_for_each(|f| Error::check_len("factor", f.len(), rows))
    }

    /// The controls of these rows, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        Self {
            columns: self.columns.iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect(),
            factors: self.factors.iter().map(|f| rows.iter().map(|&i| f[i]).collect()).collect(),
        }
    }
}
