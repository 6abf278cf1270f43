//! The design matrix: columns that are mostly 0, usually after an intercept.

use std::borrow::Cow;
use std::ops::Range;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::packed::{Columns, Entries};

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
pub(super) const CHUNK: usize = 4096;

/// n x p: packed columns, after an intercept if there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Design<'a> {
    columns: Cow<'a, Columns>,
    intercept: bool,
}

impl<'a> Design<'a> {
    /// An intercept, as column 0, and these columns.
    #[must_use]
    pub fn new(columns: &'a Columns) -> Self {
        Self::with(columns, true)
    }

    /// These columns, after an intercept if `intercept`.
    #[must_use]
    pub fn with(columns: &'a Columns, intercept: bool) -> Self {
        Self { columns: Cow::Borrowed(columns), intercept }
    }

    /// These columns alone.
    #[must_use]
    pub fn of(columns: Columns) -> Self {
        Self { columns: Cow::Owned(columns), intercept: false }
    }

    /// The same without column `j`, which is not the intercept.
    #[must_use]
    pub fn without(&self, j: usize) -> Self {
        let others: Vec<usize> =
            (0..self.columns.cols()).filter(|k| k + self.first() != j).collect();
        Self { columns: Cow::Owned(self.columns.select(&others)), ..*self }
    }

    /// The largest absolute entry of every column.
    #[must_use]
    pub fn largest(&self) -> Vec<f64> {
        let largest = in_pieces(self.rows(), |rows| {
            let mut largest = vec![0.0_f64; self.cols()];
            let mut entries = self.entries();
            for i in rows {
                entries.row(i).iter().for_each(|(j, v)| largest[*j] = largest[*j].max(v.abs()));
            }
            largest
        });
        let larger = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(b).map(|(a, b)| a.max(b)).collect();
        largest.into_iter().fold(vec![0.0; self.cols()], larger)
    }

    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.rows()
    }

    /// p, the intercept included.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.columns.cols() + self.first()
    }

    /// Whether column 0 is 1 throughout by construction.
    #[must_use]
    pub fn has_intercept(&self) -> bool {
        self.intercept
    }

    /// Where the columns begin.
    fn first(&self) -> usize {
        usize::from(self.intercept)
    }

    /// The columns beside the intercept.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Its rows, one at a time.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries::of(&self.columns, self.intercept)
    }

    /// What `of` makes of every row and its entries; pieces of the rows in parallel.
    pub(crate) fn map(&self, of: impl Fn(usize, &[(usize, f64)]) -> f64 + Sync) -> Vec<f64> {
        let mut made = vec![0.0; self.rows()];
        self.map_into(&mut made, of);
        made
    }

    /// The same in place of what is in `made`.
    pub(super) fn map_into(
        &self,
        made: &mut [f64],
        of: impl Fn(usize, &[(usize, f64)]) -> f64 + Sync,
    ) {
        made.par_chunks_mut(CHUNK).enumerate().for_each(|(piece, made)| {
            let mut entries = self.entries();
            for (i, made) in (piece * CHUNK..).zip(made) {
                *made = of(i, entries.row(i));
            }
        });
    }

    /// `x_i' v` for every row.
    ///
    /// # Panics
    /// If `v` does not have p entries, the caller's invariant; so below.
    #[must_use]
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        assert_eq!(v.len(), self.cols());
        self.map(|_, row| row.iter().map(|(j, x)| x * v[*j]).sum())
    }

    /// `x'v`, summed as [`Self::gram`] is.
    #[must_use]
    pub fn transposed_times(&self, v: &[f64]) -> DVector<f64> {
        assert_eq!(v.len(), self.rows());
        let pieces = in_pieces(self.rows(), |rows| {
            let mut sums = DVector::zeros(self.cols());
            let mut entries = self.entries();
            for i in rows {
                entries.row(i).iter().for_each(|(j, x)| sums[*j] += x * v[i]);
            }
            sums
        });
        pieces.into_iter().fold(DVector::zeros(self.cols()), |sum, piece| sum + piece)
    }

    /// `x'wx`, p x p, for one weight per row.
    ///
    /// O(sum of the squared numbers of entries); rows in pieces of fixed size, whose sums are
    /// added in order, so that the number of threads changes nothing.
    #[must_use]
    pub fn gram(&self, weights: &[f64]) -> DMatrix<f64> {
        assert_eq!(weights.len(), self.rows());
        let pieces =
            in_pieces(self.rows(), |rows| gram_of(&mut self.entries(), self.cols(), rows, weights));
        let zero = DMatrix::zeros(self.cols(), self.cols());
        let mut sum = pieces.into_iter().fold(zero, |sum, piece| sum + piece);
        sum.fill_upper_triangle_with_lower_triangle();
        sum
    }
}

/// The lower triangle of the p x p Gram matrix of some rows.
pub(super) fn gram_of(
    entries: &mut Entries,
    p: usize,
    rows: impl Iterator<Item = usize>,
    weights: &[f64],
) -> DMatrix<f64> {
    let mut sum = DMatrix::zeros(p, p);
    let sums = sum.as_mut_slice();
    for i in rows {
        let row = entries.row(i);
        for (at, (j, x)) in row.iter().enumerate() {
            let weighted = weights[i] * x;
            let column = &mut sums[j * p..(j + 1) * p];
            row[at..].iter().for_each(|(k, y)| column[*k] += weighted * y);
        }
    }
    sum
}

/// `x' a x` for a row's entries and a symmetric p x p matrix `a`.
pub(super) fn quadratic(row: &[(usize, f64)], a: &DMatrix<f64>) -> f64 {
    let (p, a) = (a.nrows(), a.as_slice());
    let products = |(at, (j, x)): (usize, &(usize, f64))| -> f64 {
        let column = &a[j * p..(j + 1) * p];
        let others: f64 = row[..at].iter().map(|(k, y)| column[*k] * y).sum();
        x * (2.0 * others + column[*j] * x)
    };
    row.iter().enumerate().map(products).sum()
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
        let columns = Columns::new(3, &[vec![0.0, 1.0, 2.0], vec![1.0, 0.0, 3.0]]).unwrap();
        let x = Design::new(&columns);
        assert_eq!(x.times(&[1.0, 10.0, 100.0]), [101.0, 11.0, 321.0]);
        assert_eq!(x.transposed_times(&[1.0, 2.0, 3.0]).as_slice(), [6.0, 8.0, 10.0]);
        let gram = x.gram(&[1.0, 2.0, 1.0]);
        assert_eq!(gram, DMatrix::from_row_slice(3, 3, &[4., 4., 4., 4., 6., 6., 4., 6., 10.]));
        assert_eq!(quadratic(x.entries().row(2), &gram), 230.0);
        assert_eq!(x.largest(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn columns_are_left_out() {
        let columns = [vec![0.0, 1.0, 2.0], vec![1.0, 0.0, 3.0]];
        let [all, last] = [&columns[..], &columns[1..]].map(|c| Columns::new(3, c).unwrap());
        assert_eq!(Design::new(&all).without(1), Design::new(&last));
        assert_eq!(Design::with(&all, false).without(0), Design::of(last));
    }
}
