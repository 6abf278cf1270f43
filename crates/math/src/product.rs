//! Dense products of `f32` matrices, through the `gemm` crate.
//!
//! The rows of the result are cut into blocks of a fixed size; each block is one single-threaded
//! call, and the blocks run in parallel. What a block computes does not depend on who computes it:
//! the bits of the result are the same for every number of threads. Products that sum over many
//! rows of data (a Gram matrix in `f64`) are not here.

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use rayon::prelude::*;

/// Rows of the result that one call computes.
const BLOCK: usize = 64;

/// `a b`: (n x p) (p x q) gives n x q. About 2 n p q operations.
///
/// # Errors
/// [`Error::Shape`] if the columns of `a` are not as many as the rows of `b`.
pub fn times(a: &Matrix, b: &Matrix) -> Result<Matrix> {
    Error::check_len("columns of the left factor", a.cols(), b.rows())?;
    Ok(blocks(Operand::of(a), Operand::of(b)))
}

/// `a b'`: (n x p) (q x p)' gives n x q, the inner products of rows. About 2 n p q operations.
///
/// # Errors
/// [`Error::Shape`] if the columns of `a` are not as many as the columns of `b`.
pub fn times_transposed(a: &Matrix, b: &Matrix) -> Result<Matrix> {
    Error::check_len("columns of the left factor", a.cols(), b.cols())?;
    Ok(blocks(Operand::of(a), Operand::of(b).transposed()))
}

/// `a' b`: (n x p)' (n x q) gives p x q. About 2 n p q operations; the sums over n are `f32`.
///
/// # Errors
/// [`Error::Shape`] if the rows of `a` are not as many as the rows of `b`.
pub fn transposed_times(a: &Matrix, b: &Matrix) -> Result<Matrix> {
    Error::check_len("rows of the left factor", a.rows(), b.rows())?;
    Ok(blocks(Operand::of(a).transposed(), Operand::of(b)))
}

/// `out = a' a` for rows of length `width`, end to end, on this thread.
///
/// `a`: n x `width`; `out`: `width` x `width`; the sums over n are `f32`.
///
/// # Panics
/// If the lengths do not fit together: the caller's invariant.
pub(crate) fn gram_of_rows(a: &[f32], width: usize, out: &mut [f32]) {
    let a = Operand::rows(a, width);
    multiply(a.transposed(), a, out);
}

/// A matrix seen in place, possibly transposed.
#[derive(Clone, Copy)]
struct Operand<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a> Operand<'a> {
    /// Rows of length `width`, end to end.
    fn rows(data: &'a [f32], width: usize) -> Self {
        let rows = data.len().checked_div(width).unwrap_or(0);
        Self { data, rows, cols: width, row_step: width, col_step: 1 }
    }

    fn of(m: &'a Matrix) -> Self {
        Self { rows: m.rows(), ..Self::rows(m.data(), m.cols()) }
    }

    fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_step: self.col_step,
            col_step: self.row_step,
            ..self
        }
    }

    /// Rows `from..from + count`.
    fn slice(self, from: usize, count: usize) -> Self {
        Self {
            data: &self.data[(from * self.row_step).min(self.data.len())..],
            rows: count,
            ..self
        }
    }

    /// Whether every entry lies inside `data`.
    fn fits(&self) -> bool {
        self.rows == 0
            || self.cols == 0
            || (self.rows - 1) * self.row_step + (self.cols - 1) * self.col_step < self.data.len()
    }
}

fn blocks(a: Operand<'_>, b: Operand<'_>) -> Matrix {
    let mut out = Matrix::zeros(a.rows, b.cols);
    if b.cols > 0 {
        out.data_mut().par_chunks_mut(BLOCK * b.cols).enumerate().for_each(|(block, out)| {
            multiply(a.slice(block * BLOCK, out.len() / b.cols), b, out);
        });
    }
    out
}

/// `out = a b`, on this thread; `out` is row-major.
#[expect(unsafe_code, reason = "the gemm crate takes pointers; the bounds are asserted first")]
fn multiply(a: Operand<'_>, b: Operand<'_>, out: &mut [f32]) {
    assert_eq!(a.cols, b.rows, "inner sizes agree");
    assert_eq!(out.len(), a.rows * b.cols, "the result has its size");
    assert!(a.fits() && b.fits(), "operands lie inside their data");
    if out.is_empty() || a.cols == 0 {
        out.fill(0.0);
        return;
    }
    let step = |n: usize| isize::try_from(n).expect("a slice is shorter than isize::MAX");
    // SAFETY: the three assertions above keep every access inside `a.data`, `b.data` and `out`;
    // `out` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            step(b.cols),
            false,
            a.data.as_ptr(),
            step(a.col_step),
            step(a.row_step),
            b.data.as_ptr(),
            step(b.col_step),
            step(b.row_step),
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(rows: usize, cols: usize) -> Matrix {
        let data = (0..rows * cols).map(|i| (i as f32 * 0.37).sin()).collect();
        Matrix::from_vec(rows, cols, data).unwrap()
    }

    fn transpose(m: &Matrix) -> Matrix {
        let mut t = Matrix::zeros(m.cols(), m.rows());
        for i in 0..m.rows() {
            for j in 0..m.cols() {
                t.row_mut(j)[i] = m.row(i)[j];
            }
        }
        t
    }

    fn check(n: usize, p: usize, q: usize) {
        let (a, b) = (wave(n, p), wave(p, q));
        for product in [
            times(&a, &b).unwrap(),
            times_transposed(&a, &transpose(&b)).unwrap(),
            transposed_times(&transpose(&a), &b).unwrap(),
        ] {
            assert_eq!((product.rows(), product.cols()), (n, q));
            for i in 0..n {
                for j in 0..q {
                    let sum: f64 = (0..p).map(|l| f64::from(a.row(i)[l] * b.row(l)[j])).sum();
                    let got = f64::from(product.row(i)[j]);
                    assert!((got - sum).abs() < 1e-4, "{n} x {p} x {q} at {i}, {j}: {got}, {sum}");
                }
            }
        }
    }

    #[test]
    fn products_equal_the_plain_sums() {
        for (n, p, q) in [(0, 3, 2), (1, 1, 1), (1, 5, 7), (3, 0, 2), (65, 33, 17), (130, 2, 1)] {
            check(n, p, q);
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let (a, b) = (wave(2, 3), wave(4, 5));
        assert!(times(&a, &b).is_err());
        assert!(times_transposed(&a, &b).is_err());
        assert!(transposed_times(&a, &b).is_err());
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let (a, b) = (wave(300, 90), wave(90, 70));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| times(&a, &b).unwrap())
        };
        assert_eq!(on(1), on(3));
    }
}
