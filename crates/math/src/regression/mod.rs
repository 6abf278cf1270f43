//! Regressions with inference that stays valid when columns are rare, rows belong together, or
//! weights differ.
//!
//! In go [`Columns`] (usually 0 and 1, or -1, 0 and 1 for pairs) with controls beside them and a target,
//! out come coefficients with standard errors, p-values, intervals and effects in the target's unit.
//! A [`Setup`] says how. Columns that are constant or linear combinations of others must be left out
//! first: [`columns`] names them.

pub mod absorb;
mod clustered;
pub mod columns;
mod counts;
pub mod design;
mod effects;
mod firth;
mod fitting;
pub mod glm;
pub mod inference;
mod inverse;
pub mod least_squares;
pub mod logit;
mod nearby;
pub mod ordinal;
mod packed;
mod profiles;
pub mod robust;
mod score;
mod setup;
mod wild;

pub use design::Design;
pub use inference::{Inference, Term, Variance, infer};
pub use packed::{Columns, Entries};
pub use profiles::WIDE;
pub use setup::Setup;

use nalgebra::DMatrix;

/// Which regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Least squares.
    LeastSquares,
    /// Logistic regression of a target of 0 and 1.
    Logit,
    /// Log-linear regression of a target that is 0 or more: counts.
    Poisson,
    /// The same with variance `m + a m^2` (NB2), `a` estimated.
    NegativeBinomial,
}

/// A fitted regression, n rows and p coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The intercept, if there is one, then one per column.
    pub coefficients: Vec<f64>,
    /// Fitted mean of every row: a number, the probability of 1, or a count.
    pub fitted: Vec<f64>,
    /// Target minus fitted mean.
    pub residuals: Vec<f64>,
    /// Weights of the rows in `x'wx`: their own, times `p (1 - p)` in a logit, and so on.
    pub weights: Vec<f64>,
    /// Slope of every row's likelihood in its linear predictor: residual times own weight, but for
    /// the negative binomial. `x'scores = 0` at the maximum.
    pub scores: Vec<f64>,
    /// `(x'wx)^-1`, p x p.
    pub inverse: DMatrix<f64>,
}

impl Fit {
    /// Leverage of every row, `w_i x_i' (x'wx)^-1 x_i`, in [0, 1].
    #[must_use]
    pub fn leverages(&self, x: &Design) -> Vec<f64> {
        let form = |row: &[(usize, f64)]| design::quadratic(row, &self.inverse);
        x.map(|i, row| (self.weights[i] * form(row)).clamp(0.0, 1.0))
    }
}
