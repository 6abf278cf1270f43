//! Truncated singular value decomposition of large sparse matrices.
//!
//! In goes a matrix as a product of sparse factors, out come its largest singular values and the
//! right singular vectors. The left ones are what the matrix makes of the right ones.

use nalgebra::{DMatrix, SymmetricEigen};
use rand::Rng;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::product::{gram_of_rows, times};
use crate::random::Stream;
use crate::sparse::Sparse;

/// Directions with less than this part of the largest singular value are noise of `f32`.
const SMALLEST: f64 = 1e-5;

/// A matrix given as the product of sparse factors, which is never multiplied out.
#[derive(Debug, Clone)]
pub struct Product {
    /// Each factor and its transpose.
    factors: Vec<(Sparse, Sparse)>,
}

/// How much work the randomised method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SvdOptions {
    /// Singular vectors wanted.
    pub rank: usize,
    /// Random directions beyond `rank`.
    pub oversample: usize,
    /// Power iterations.
    pub iterations: usize,
}

/// The largest singular values and their right vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Svd {
    /// Falling. Fewer than asked for if the matrix has a smaller rank.
    pub values: Vec<f64>,
    /// p x `values.len()`: one column per value, of unit length, its entry of the largest absolute
    /// value positive.
    pub right: Matrix,
}

impl Product {
    /// The product of `factors` from left to right.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no factor; [`Error::Shape`] if two do not fit together.
    pub fn new(factors: Vec<Sparse>) -> Result<Self> {
        if factors.is_empty() {
            return Err(Error::Data("a product needs a factor".into()));
        }
        for pair in factors.windows(2) {
            Error::check_len("rows of a factor", pair[1].rows(), pair[0].cols())?;
        }
        let factors = factors.into_iter().map(|f| (f.transposed(), f)).map(|(t, f)| (f, t));
        Ok(Self { factors: factors.collect() })
    }

    /// Rows of the product.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.factors[0].0.rows()
    }

    /// Columns of the product.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.factors[self.factors.len() - 1].0.cols()
    }

    /// `a x`: (n x p) (p x q) gives n x q.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` does not have p rows.
    pub fn times(&self, x: &Matrix) -> Result<Matrix> {
        chain(self.factors.iter().rev().map(|(factor, _)| factor), x)
    }

    /// `a' x`: (n x p)' (n x q) gives p x q.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` does not have n rows.
    pub fn transposed_times(&self, x: &Matrix) -> Result<Matrix> {
        chain(self.factors.iter().map(|(_, transposed)| transposed), x)
    }
}

/// The `options.rank` largest singular values of `a` (n x p) and their right vectors.
///
/// A range of `l = rank + oversample` random directions of signs is brought closer to the leading
/// left singular vectors by `iterations` applications of `a a'`, made orthonormal after each. With
/// the resulting q (n x l), the small matrix `(a' q)' (a' q)` is diagonalised in `f64`.
///
/// Cost: `2 iterations + 1` passes over the nonzeros of `a` times l, `O((n + p) l^2)` operations,
/// `(n + p) l` floats. Sums over rows run in fixed blocks and in their order, so that the bits do
/// not depend on the number of threads.
///
/// Source: Halko, Martinsson, Tropp (2011), Finding structure with randomness, SIAM Review 53(2),
/// algorithms 4.4 and 5.1.
///
/// # Errors
/// [`Error::Option`] if `rank` is 0; [`Error::Diverged`] if `a` has values that are not finite.
pub fn truncated(a: &Product, options: SvdOptions, stream: &mut Stream) -> Result<Svd> {
    if options.rank == 0 {
        return Err(Error::option("rank", 0, "at least 1"));
    }
    let width = (options.rank + options.oversample).min(a.rows()).min(a.cols());
    let mut q = orthonormal(random_signs(a.rows(), width, stream))?;
    for _ in 0..options.iterations {
        q = orthonormal(a.times(&a.transposed_times(&q)?)?)?;
    }
    let b = a.transposed_times(&q)?;
    let (values, rotation) = principal(&b, options.rank)?;
    let mut right = times(&b, &rotation)?;
    fix_signs(&mut right);
    Ok(Svd { values, right })
}

fn chain<'a>(factors: impl Iterator<Item = &'a Sparse>, x: &Matrix) -> Result<Matrix> {
    let mut result = None;
    for factor in factors {
        result = Some(factor.times(result.as_ref().unwrap_or(x))?);
    }
    Ok(result.expect("a product has a factor"))
}

fn random_signs(rows: usize, cols: usize, stream: &mut Stream) -> Matrix {
    let mut signs = Matrix::zeros(rows, cols);
    for values in signs.data_mut().chunks_mut(32) {
        let bits = stream.next_u32();
        for (at, value) in values.iter_mut().enumerate() {
            *value = if bits >> at & 1 == 1 { 1.0 } else { -1.0 };
        }
    }
    signs
}

/// Orthonormal columns with the span of `y`, as many as its rank. Done twice, because what `f32`
/// leaves of the first time grows with the condition of `y`.
fn orthonormal(y: Matrix) -> Result<Matrix> {
    let mut q = y;
    for _ in 0..2 {
        let (_, rotation) = principal(&q, q.cols())?;
        q = times(&q, &rotation)?;
    }
    Ok(q)
}

/// The at most `rank` largest singular values of `b` (p x l), and the l x rank matrix that turns
/// `b` into its left singular vectors: `b = u s w'` gives s and `w / s`.
fn principal(b: &Matrix, rank: usize) -> Result<(Vec<f64>, Matrix)> {
    if b.cols() == 0 {
        return Ok((Vec::new(), Matrix::zeros(0, 0)));
    }
    let gram = gram(b);
    if gram.iter().any(|v| !v.is_finite()) {
        return Err(Error::Diverged("the matrix has values that are not finite".into()));
    }
    let eigen = SymmetricEigen::new(gram);
    let value = |j: usize| eigen.eigenvalues[j].max(0.0).sqrt();
    let mut order: Vec<usize> = (0..b.cols()).collect();
    order.sort_by(|&i, &j| value(j).total_cmp(&value(i)));
    let largest = order.first().map_or(0.0, |&j| value(j));
    order.retain(|&j| value(j) > SMALLEST * largest);
    order.truncate(rank);
    let mut rotation = Matrix::zeros(b.cols(), order.len());
    for (to, &from) in order.iter().enumerate() {
        for i in 0..b.cols() {
            #[expect(clippy::cast_possible_truncation, reason = "data are f32")]
            let weight = (eigen.eigenvectors[(i, from)] / value(from)) as f32;
            rotation.row_mut(i)[to] = weight;
        }
    }
    Ok((order.into_iter().map(value).collect(), rotation))
}

/// `b' b` in `f64`: products of fixed blocks of rows in `f32`, added in their order.
fn gram(b: &Matrix) -> DMatrix<f64> {
    /// Rows of a block, and blocks computed at once before they are added.
    const ROWS: usize = 512;
    const BLOCKS: usize = 16;
    let width = b.cols();
    let mut sum = DMatrix::zeros(width, width);
    for blocks in b.data().chunks(ROWS * BLOCKS * width) {
        let parts: Vec<Vec<f32>> = blocks
            .par_chunks(ROWS * width)
            .map(|rows| {
                let mut part = vec![0.0; width * width];
                gram_of_rows(rows, width, &mut part);
                part
            })
            .collect();
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += f64::from(value));
        }
    }
    sum
}

/// Turns every column so that its entry of the largest absolute value, the first of equals, is
/// positive.
fn fix_signs(right: &mut Matrix) {
    let mut largest = vec![0.0_f32; right.cols()];
    for i in 0..right.rows() {
        for (largest, &value) in largest.iter_mut().zip(right.row(i)) {
            if value.abs() > largest.abs() {
                *largest = value;
            }
        }
    }
    for i in 0..right.rows() {
        for (value, largest) in right.row_mut(i).iter_mut().zip(&largest) {
            *value *= largest.signum();
        }
    }
}
