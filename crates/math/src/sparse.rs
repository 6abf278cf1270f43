//! Sparse matrices of `f32`, row by row, and products of them with dense matrices.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::vector::add_weighted_rows;

/// Rows of a product that a thread takes at a time.
const BLOCK: usize = 64;

/// Sparse matrix, `rows` x `cols`, row by row; within a row in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    cols: usize,
    ends: Vec<usize>,
    terms: Vec<(u32, f32)>,
}

impl Sparse {
    /// No rows yet.
    #[must_use]
    pub fn new(cols: usize) -> Self {
        Self { cols, ends: Vec::new(), terms: Vec::new() }
    }

    /// Appends a row given as (column, value).
    ///
    /// # Panics
    /// If a column is out of range: the caller's invariant.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        let start = self.terms.len();
        self.terms.extend(row);
        let columns = self.terms[start..].iter().map(|&(j, _)| j as usize);
        assert!(columns.max().is_none_or(|j| j < self.cols), "columns below {}", self.cols);
        self.ends.push(self.terms.len());
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of stored values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether no value is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Row `i` as (column, value).
    #[must_use]
    pub fn row(&self, i: usize) -> &[(u32, f32)] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.terms[start..self.ends[i]]
    }

    /// Columns become rows, each by rising column. O(nnz + rows + columns).
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut ends = vec![0; self.cols];
        for &(j, _) in &self.terms {
            ends[j as usize] += 1;
        }
        let mut sum = 0;
        // Each entry holds where its row begins; filling the row moves it to where the row ends.
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut terms = vec![(0, 0.0); self.terms.len()];
        for i in 0..self.rows() {
            let row = u32::try_from(i).expect("fewer than 2^32 rows");
            for &(j, value) in self.row(i) {
                let end = &mut ends[j as usize];
                terms[*end] = (row, value);
                *end += 1;
            }
        }
        Self { cols: self.rows(), ends, terms }
    }

    /// `s x`: (n x p) (p x q) gives n x q. About 2 nnz q operations; each row sums in `f32` in the
    /// order of its terms, whoever computes it.
    ///
    /// # Errors
    /// [`Error::Shape`] if the columns of `s` are not as many as the rows of `x`.
    pub fn times(&self, x: &Matrix) -> Result<Matrix> {
        Error::check_len("columns of the sparse factor", self.cols, x.rows())?;
        let mut out = Matrix::zeros(self.rows(), x.cols());
        if x.cols() > 0 {
            out.data_mut().par_chunks_mut(BLOCK * x.cols()).enumerate().for_each(|(b, out)| {
                for (i, row) in out.chunks_exact_mut(x.cols()).enumerate() {
                    add_weighted_rows(row, x.data(), self.row(b * BLOCK + i));
                }
            });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparse() -> Sparse {
        let mut s = Sparse::new(3);
        s.push_row([(2, 1.0), (0, -2.0)]);
        s.push_row([]);
        s.push_row([(1, 0.5), (2, 4.0)]);
        s.push_row([(2, 3.0)]);
        s
    }

    #[test]
    fn times_equals_the_plain_sum() {
        let x = Matrix::from_vec(3, 2, vec![1.0, 2.0, 4.0, 6.0, 5.0, 7.0]).unwrap();
        let expected = [3.0, 3.0, 0.0, 0.0, 22.0, 31.0, 15.0, 21.0];
        assert_eq!(sparse().times(&x).unwrap().data(), expected);
        assert!(sparse().times(&Matrix::zeros(2, 2)).is_err());
        assert_eq!(sparse().times(&Matrix::zeros(3, 0)).unwrap().rows(), 4);
    }

    #[test]
    fn transposing_swaps_rows_and_columns() {
        let t = sparse().transposed();
        assert_eq!((t.rows(), t.cols(), t.len()), (3, 4, 5));
        assert_eq!(t.row(0), [(0, -2.0)]);
        assert_eq!(t.row(1), [(2, 0.5)]);
        assert_eq!(t.row(2), [(0, 1.0), (2, 4.0), (3, 3.0)]);
    }

    #[test]
    #[should_panic(expected = "columns below 3")]
    fn a_column_out_of_range_is_refused() {
        sparse().push_row([(3, 1.0)]);
    }
}
