//! Linear and logistic regression with inference that stays valid when columns are rare.
//!
//! In go columns (usually 0 and 1) and a target, out come coefficients with standard errors,
//! p-values and intervals. An intercept is always fitted, as coefficient 0. Columns that are
//! constant or linear combinations of others must be left out first: [`columns`] names them.

pub mod columns;
pub mod design;
mod firth;
pub mod inference;
pub mod least_squares;
pub mod logit;
pub mod robust;

pub use design::Design;
pub use inference::{Inference, Term, Variance, infer};

use nalgebra::DMatrix;

/// Which regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Ordinary least squares.
    LeastSquares,
    /// Logistic regression of a target of 0 and 1.
    Logit,
}

/// A fitted regression, n rows and p coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The intercept, then one per column.
    pub coefficients: Vec<f64>,
    /// Fitted mean of every row: a number, or the probability of 1.
    pub fitted: Vec<f64>,
    /// Target minus fitted mean.
    pub residuals: Vec<f64>,
    /// Weights of the rows in `x'wx`: 1, or `p (1 - p)`.
    pub weights: Vec<f64>,
    /// `(x'wx)^-1`, p x p.
    pub inverse: DMatrix<f64>,
}

impl Fit {
    /// Leverage of every row, `w_i x_i' (x'wx)^-1 x_i`, in [0, 1].
    #[must_use]
    pub fn leverages(&self, x: &Design) -> Vec<f64> {
        let form = |(i, w): (usize, &f64)| (w * x.quadratic(i, &self.inverse)).clamp(0.0, 1.0);
        self.weights.iter().enumerate().map(form).collect()
    }
}
