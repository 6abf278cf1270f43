//! The design matrix: an intercept and columns that are mostly 0.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
const CHUNK: usize = 4096;

/// n x p, of which the first column is 1 throughout; only the entries that are not 0 are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    cols: usize,
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
}

impl Design {
    /// An intercept and these columns, each with `rows` entries.
    ///
    /// # Errors
    /// [`Error::Shape`] for a column of another length; [`Error::NotFinite`].
    pub fn new(rows: usize, columns: &[Vec<f64>]) -> Result<Self> {
        for (j, column) in columns.iter().enumerate() {
            Error::check_len("column", column.len(), rows)?;
            if let Some(row) = column.iter().position(|v| !v.is_finite()) {
                return Err(Error::NotFinite { what: "columns", row, column: j });
            }
        }
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for i in 0..rows {
            entries.push((0, 1.0));
            let row = columns.iter().zip(1..).map(|(column, j)| (j, column[i]));
            entries.extend(row.filter(|(_, v)| *v != 0.0));
            starts.push(entries.len());
        }
        Ok(Self { cols: columns.len() + 1, starts, entries })
    }

    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// p, the intercept included.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The entries of row `i` that are not 0, by rising column.
    #[must_use]
    pub fn row(&self, i: usize) -> &[(usize, f64)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }

    /// `x_i' v` for every row.
    ///
    /// # Panics
    /// If `v` does not have p entries, the caller's invariant; so below.
    #[must_use]
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        assert_eq!(v.len(), self.cols);
        (0..self.rows()).map(|i| self.row(i).iter().map(|(j, x)| x * v[*j]).sum()).collect()
    }

    /// `x'v`, summed in row order.
    #[must_use]
    pub fn transposed_times(&self, v: &[f64]) -> DVector<f64> {
        assert_eq!(v.len(), self.rows());
        let mut sums = DVector::zeros(self.cols);
        for (i, v) in v.iter().enumerate() {
            self.row(i).iter().for_each(|(j, x)| sums[*j] += x * v);
        }
        sums
    }

    /// `x_i' a x_i` for a p x p matrix `a`.
    #[must_use]
    pub fn quadratic(&self, i: usize, a: &DMatrix<f64>) -> f64 {
        let row = self.row(i);
        let products = |(j, x): &(usize, f64)| -> f64 {
            x * row.iter().map(|(k, y)| a[(*j, *k)] * y).sum::<f64>()
        };
        row.iter().map(products).sum()
    }

    /// `x'wx`, p x p, for one weight per row.
    ///
    /// O(sum of the squared numbers of entries); rows in pieces of fixed size, whose sums are
    /// added in order, so that the number of threads changes nothing.
    #[must_use]
    pub fn gram(&self, weights: &[f64]) -> DMatrix<f64> {
        assert_eq!(weights.len(), self.rows());
        let pieces: Vec<DMatrix<f64>> = (0..self.rows().div_ceil(CHUNK))
            .into_par_iter()
            .map(|piece| {
                let end = self.rows().min((piece + 1) * CHUNK);
                self.gram_of(piece * CHUNK..end, weights)
            })
            .collect();
        let zero = DMatrix::zeros(self.cols, self.cols);
        let mut sum = pieces.into_iter().fold(zero, |sum, piece| sum + piece);
        sum.fill_lower_triangle_with_upper_triangle();
        sum
    }

    /// The upper triangle of the Gram matrix of some rows.
    fn gram_of(&self, rows: std::ops::Range<usize>, weights: &[f64]) -> DMatrix<f64> {
        let mut sum = DMatrix::zeros(self.cols, self.cols);
        for i in rows {
            let row = self.row(i);
            for (at, (j, x)) in row.iter().enumerate() {
                let weighted = weights[i] * x;
                row[at..].iter().for_each(|(k, y)| sum[(*j, *k)] += weighted * y);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_by_hand() {
        let x = Design::new(3, &[vec![0.0, 1.0, 2.0], vec![1.0, 0.0, 3.0]]).unwrap();
        assert_eq!(x.times(&[1.0, 10.0, 100.0]), [101.0, 11.0, 321.0]);
        assert_eq!(x.transposed_times(&[1.0, 2.0, 3.0]).as_slice(), [6.0, 8.0, 10.0]);
        let gram = x.gram(&[1.0, 2.0, 1.0]);
        assert_eq!(gram, DMatrix::from_row_slice(3, 3, &[4., 4., 4., 4., 6., 6., 4., 6., 10.]));
        assert_eq!(x.quadratic(2, &gram), 230.0);
    }

    #[test]
    fn bad_columns_are_refused() {
        assert!(matches!(Design::new(2, &[vec![1.0]]), Err(Error::Shape { .. })));
        let found = Design::new(2, &[vec![1.0, 0.0], vec![0.0, f64::NAN]]).unwrap_err();
        assert_eq!(found, Error::NotFinite { what: "columns", row: 1, column: 1 });
    }
}
