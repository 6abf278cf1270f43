//! The design matrix: columns that are mostly 0, usually after an intercept.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
pub(super) const CHUNK: usize = 4096;

/// n x p; only the entries that are not 0 are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    cols: usize,
    intercept: bool,
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
}

impl Design {
    /// An intercept, as column 0, and these columns, each with `rows` entries.
    ///
    /// # Errors
    /// [`Error::Shape`] for a column of another length; [`Error::NotFinite`].
    pub fn new(rows: usize, columns: &[Vec<f64>]) -> Result<Self> {
        Self::with(rows, columns, true)
    }

    /// These columns, after an intercept if `intercept`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(rows: usize, columns: &[Vec<f64>], intercept: bool) -> Result<Self> {
        for column in columns {
            Error::check_len("column", column.len(), rows)?;
        }
        let bad = columns.par_iter().enumerate().find_map_first(|(j, column)| {
            column.iter().position(|v| !v.is_finite()).map(|row| (row, j))
        });
        if let Some((row, column)) = bad {
            return Err(Error::NotFinite { what: "columns", row, column });
        }
        let first = usize::from(intercept);
        let pieces = in_pieces(rows, |piece| {
            let mut ends = Vec::with_capacity(piece.len());
            let mut entries = Vec::new();
            for i in piece {
                if intercept {
                    entries.push((0, 1.0));
                }
                let row = columns.iter().zip(first..).map(|(column, j)| (j, column[i]));
                entries.extend(row.filter(|(_, v)| *v != 0.0));
                ends.push(entries.len());
            }
            (ends, entries)
        });
        let mut starts = Vec::with_capacity(rows + 1);
        let mut entries = Vec::with_capacity(pieces.iter().map(|(_, e)| e.len()).sum());
        starts.push(0);
        for (ends, of_piece) in pieces {
            starts.extend(ends.into_iter().map(|end| entries.len() + end));
            entries.extend(of_piece);
        }
        Ok(Self { cols: columns.len() + first, intercept, starts, entries })
    }

    /// The same without column `j`.
    #[must_use]
    pub fn without(&self, j: usize) -> Self {
        let mut starts = vec![0];
        let mut entries = Vec::with_capacity(self.entries.len());
        for i in 0..self.rows() {
            let others = self.row(i).iter().filter(|(k, _)| *k != j);
            entries.extend(others.map(|&(k, v)| (k - usize::from(k > j), v)));
            starts.push(entries.len());
        }
        let intercept = self.intercept && j != 0;
        Self { cols: self.cols - 1, intercept, starts, entries }
    }

    /// Column `j`, dense.
    #[must_use]
    pub fn column(&self, j: usize) -> Vec<f64> {
        let entry = |i: usize| self.row(i).iter().find(|(k, _)| *k == j).map_or(0.0, |e| e.1);
        (0..self.rows()).map(entry).collect()
    }

    /// The largest absolute entry of every column.
    #[must_use]
    pub fn largest(&self) -> Vec<f64> {
        let mut largest = vec![0.0_f64; self.cols];
        self.entries.iter().for_each(|(j, v)| largest[*j] = largest[*j].max(v.abs()));
        largest
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

    /// Whether column 0 is 1 throughout by construction.
    #[must_use]
    pub fn has_intercept(&self) -> bool {
        self.intercept
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
        let product = |i| self.row(i).iter().map(|(j, x)| x * v[*j]).sum();
        (0..self.rows()).into_par_iter().with_min_len(CHUNK).map(product).collect()
    }

    /// `x'v`, summed as [`Self::gram`] is.
    #[must_use]
    pub fn transposed_times(&self, v: &[f64]) -> DVector<f64> {
        assert_eq!(v.len(), self.rows());
        let pieces = in_pieces(self.rows(), |rows| {
            let mut sums = DVector::zeros(self.cols);
            for i in rows {
                self.row(i).iter().for_each(|(j, x)| sums[*j] += x * v[i]);
            }
            sums
        });
        pieces.into_iter().fold(DVector::zeros(self.cols), |sum, piece| sum + piece)
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
        let pieces = in_pieces(self.rows(), |rows| self.gram_of(rows, weights));
        let zero = DMatrix::zeros(self.cols, self.cols);
        let mut sum = pieces.into_iter().fold(zero, |sum, piece| sum + piece);
        sum.fill_upper_triangle_with_lower_triangle();
        sum
    }

    /// The lower triangle of the Gram matrix of some rows.
    pub(super) fn gram_of(
        &self,
        rows: impl Iterator<Item = usize>,
        weights: &[f64],
    ) -> DMatrix<f64> {
        let mut sum = DMatrix::zeros(self.cols, self.cols);
        let sums = sum.as_mut_slice();
        for i in rows {
            let row = self.row(i);
            for (at, (j, x)) in row.iter().enumerate() {
                let weighted = weights[i] * x;
                let column = &mut sums[j * self.cols..(j + 1) * self.cols];
                row[at..].iter().for_each(|(k, y)| column[*k] += weighted * y);
            }
        }
        sum
    }
}

/// What `work` makes of pieces of the rows of fixed size, in order.
pub(crate) fn in_pieces<T: Send>(rows: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let piece = |at: usize| work(at * CHUNK..rows.min((at + 1) * CHUNK));
    (0..rows.div_ceil(CHUNK)).into_par_iter().map(piece).collect()
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
    fn columns_go_and_come_back() {
        let columns = [vec![0.0, 1.0, 2.0], vec![1.0, 0.0, 3.0]];
        let x = Design::new(3, &columns).unwrap();
        assert_eq!(x.without(1), Design::new(3, &columns[1..]).unwrap());
        assert_eq!(x.without(0), Design::with(3, &columns, false).unwrap());
        assert_eq!(x.column(2), columns[1]);
    }

    #[test]
    fn bad_columns_are_refused() {
        assert!(matches!(Design::new(2, &[vec![1.0]]), Err(Error::Shape { .. })));
        let found = Design::new(2, &[vec![1.0, 0.0], vec![0.0, f64::NAN]]).unwrap_err();
        assert_eq!(found, Error::NotFinite { what: "columns", row: 1, column: 1 });
    }
}
