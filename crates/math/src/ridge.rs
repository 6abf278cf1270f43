//! Cross-validated ridge regression from dense rows: how much of a target they can tell at all.
//!
//! One pass makes the Gram matrix of every fold; the rows outside a fold are all rows minus it.
//! The penalty is chosen inside each training part by generalised cross-validation, so that the
//! predictions of a fold owe nothing to it.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::matrix::Matrix;

/// Penalties tried, as multiples of the mean eigenvalue of the centred Gram matrix.
const PENALTIES: [f64; 13] =
    [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4];

/// Rows of `x` prepared for many targets: the eigenvectors of each training part.
pub struct CrossValidated<'a> {
    x: &'a Matrix,
    fold: Vec<usize>,
    parts: Vec<TrainingPart>,
}

/// Everything outside one fold.
struct TrainingPart {
    n: f64,
    mean: DVector<f64>,
    values: DVector<f64>,
    vectors: DMatrix<f64>,
}

impl<'a> CrossValidated<'a> {
    /// `x`: n x d; `fold`: n numbers below `n_folds`. Costs
    /// `O(n d^2 + n_folds d^3)` operations and d^2 doubles a fold.
    ///
    /// # Errors
    /// [`Error::Shape`] if `fold` does not match; [`Error::NotFinite`];
    /// [`Error::Data`] if a training part would have fewer than two rows.
    pub fn new(x: &'a Matrix, fold: &[usize], n_folds: usize) -> Result<Self> {
        Error::check_len("fold", fold.len(), x.rows())?;
        x.check_finite("x")?;
        let folds: Vec<Moments> =
            (0..n_folds).into_par_iter().map(|f| Moments::of_fold(x, fold, f)).collect();
        let all = folds.iter().fold(Moments::zero(x.cols()), |sum, m| sum.plus(m, 1.0));
        if folds.iter().any(|f| all.n - f.n < 2.0) {
            return Err(Error::Data("too few rows for cross-validation".into()));
        }
        let parts = folds.par_iter().map(|f| all.clone().plus(f, -1.0).part()).collect();
        Ok(Self { x, fold: fold.to_vec(), parts })
    }

    /// For every row, the prediction of the ridge fitted on the rows of the other folds.
    ///
    /// O(n d + `n_folds` d^2) for each target.
    ///
    /// # Errors
    /// [`Error::Shape`] if `y` does not have one entry per row.
    pub fn predict(&self, y: &[f64]) -> Result<Vec<f64>> {
        Error::check_len("y", y.len(), self.x.rows())?;
        let fits: Vec<(DVector<f64>, f64)> = self
            .parts
            .par_iter()
            .enumerate()
            .map(|(f, part)| part.fit(self.x, y, |i| self.fold[i] != f))
            .collect();
        Ok((0..y.len())
            .into_par_iter()
            .map(|i| {
                let (weights, intercept) = &fits[self.fold[i]];
                let row = self.x.row(i);
                intercept
                    + row.iter().zip(weights.iter()).map(|(x, w)| f64::from(*x) * w).sum::<f64>()
            })
            .collect())
    }
}

impl TrainingPart {
    /// Weights and intercept at the penalty of the smallest generalised cross-validation score
    /// `n RSS / (n - 1 - trace)^2` (Golub, Heath, Wahba 1979).
    fn fit(&self, x: &Matrix, y: &[f64], inside: impl Fn(usize) -> bool) -> (DVector<f64>, f64) {
        let rows = || (0..y.len()).filter(|&i| inside(i));
        let mean_y = rows().map(|i| y[i]).sum::<f64>() / self.n;
        let mut products = DVector::zeros(x.cols());
        let mut total = 0.0;
        for i in rows() {
            let centred = y[i] - mean_y;
            total += centred * centred;
            for (sum, x) in products.iter_mut().zip(x.row(i)) {
                *sum += centred * f64::from(*x);
            }
        }
        // The centred target is orthogonal to constants, so the means of x drop out.
        let rotated = self.vectors.tr_mul(&products);
        let unit = (self.values.sum() / self.values.len() as f64).max(f64::MIN_POSITIVE);
        let score = |penalty: f64| self.gcv(&rotated, total, penalty * unit);
        let best = PENALTIES
            .into_iter()
            .map(|penalty| (score(penalty), penalty))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(1.0, |(_, penalty)| penalty);
        let shrunk = rotated.zip_map(&self.values, |r, v| r / (v + best * unit));
        let weights = &self.vectors * shrunk;
        let intercept = mean_y - weights.dot(&self.mean);
        (weights, intercept)
    }

    fn gcv(&self, rotated: &DVector<f64>, total: f64, penalty: f64) -> f64 {
        let (mut residual, mut trace) = (total, 0.0);
        for (r, v) in rotated.iter().zip(self.values.iter()) {
            residual -= r * r * (v + 2.0 * penalty) / (v + penalty).powi(2);
            trace += v / (v + penalty);
        }
        let free = self.n - 1.0 - trace;
        // Without freedom left nothing can be judged: such a penalty is never the best one.
        if free <= 0.0 { f64::INFINITY } else { self.n * residual.max(0.0) / (free * free) }
    }
}

/// Sums over some rows: their number, x, and x x'.
#[derive(Clone)]
struct Moments {
    n: f64,
    sum: DVector<f64>,
    gram: DMatrix<f64>,
}

impl Moments {
    fn zero(d: usize) -> Self {
        Self { n: 0.0, sum: DVector::zeros(d), gram: DMatrix::zeros(d, d) }
    }

    /// Block-wise f32 products, summed in f64 in row order.
    fn of_fold(x: &Matrix, fold: &[usize], f: usize) -> Self {
        const BLOCK: usize = 256;
        let rows: Vec<usize> = (0..x.rows()).filter(|&i| fold[i] == f).collect();
        let mut moments = Self::zero(x.cols());
        moments.n = rows.len() as f64;
        for block in rows.chunks(BLOCK) {
            let block =
                DMatrix::from_fn(block.len(), x.cols(), |i, j| f64::from(x.row(block[i])[j]));
            moments.sum += block.row_sum_tr();
            moments.gram.gemm(1.0, &block.transpose(), &block, 1.0);
        }
        moments
    }

    fn plus(mut self, other: &Self, sign: f64) -> Self {
        self.n += sign * other.n;
        self.sum.axpy(sign, &other.sum, 1.0);
        self.gram.zip_apply(&other.gram, |a, b| *a += sign * b);
        self
    }

    /// Centres the Gram matrix and takes it apart.
    fn part(mut self) -> TrainingPart {
        let mean = &self.sum / self.n;
        self.gram.ger(-self.n, &mean, &mean, 1.0);
        let eigen = SymmetricEigen::new(self.gram);
        let values = eigen.eigenvalues.map(|v| v.max(0.0));
        TrainingPart { n: self.n, mean, values, vectors: eigen.eigenvectors }
    }
}
