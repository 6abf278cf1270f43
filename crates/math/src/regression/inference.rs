//! From a regression to tests and intervals of its coefficients.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::logit::{self, Logit};
use super::robust::hc3;
use super::{Design, Fit, Model, firth, least_squares};
use crate::error::Result;
use crate::estimate::{Estimate, Level};

/// Texts with, or without, a concept that must be in each class before Wald's test is trusted: with
/// fewer it loses power the larger the effect (Hauck and Donner 1977).
const THIN: usize = 10;

/// Residuals smaller than this, relative to the spread of the target, are rounding: the fit is
/// exact.
const EXACT: f64 = 1e-10;

/// A regression with tests and intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The intercept, then one term per column.
    pub terms: Vec<Term>,
    /// Fitted mean of every row: a number, or the probability of 1.
    pub fitted: Vec<f64>,
    /// Whether separation was answered by Firth's penalised fit.
    pub penalised: bool,
}

/// A coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// In the unit of the target, or log-odds.
    pub estimate: Estimate,
    /// What its standard error is; `None` if it has none.
    pub variance: Option<Variance>,
    /// The HC3 standard error, whichever is used.
    pub hc3: Option<f64>,
    /// The one that trusts the model, whichever is used.
    pub classical: Option<f64>,
}

/// Where a test comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variance {
    /// The HC3 sandwich.
    Hc3,
    /// Equal spread, or the model's binomial variance: larger than HC3 here.
    Classical,
    /// The profile of Firth's penalised likelihood.
    Profile,
}

/// Fits `model` and judges every coefficient.
///
/// The standard error is HC3's, or the classical one where that is larger: HC3 collapses when the
/// few texts of a rare column happen to share one value of the target, which a target of few
/// values (stars, counts) makes likely. Both are reported. p-values and intervals are those of
/// Student's t with the Satterthwaite degrees of freedom of [`hc3`]. A coefficient that a single
/// row decides has an estimate only. In a logit, a coefficient that is separated or rests on few
/// rows of a class is judged by its penalised profile, or has an estimate only if that cannot be
/// followed.
///
/// Source of the larger of the two: Angrist and Pischke (2009), Mostly Harmless Econometrics, 8.1.
///
/// # Errors
/// Those of [`least_squares::fit`] and [`logit::fit`].
pub fn infer(model: Model, columns: &[Vec<f64>], y: &[f64], level: Level) -> Result<Inference> {
    let x = Design::new(y.len(), columns)?;
    match model {
        Model::LeastSquares => {
            let fit = least_squares::fit(&x, y)?;
            let spread = residual_spread(&fit, x.cols());
            if exact(&fit, y) {
                return Ok(certain(fit, y, level));
            }
            Ok(judged(&x, fit, spread, level))
        }
        Model::Logit => {
            let (found, thin) = penalised_if_thin(&x, y, logit::fit(&x, y)?);
            let profiles: Vec<Result<Estimate>> =
                thin.par_iter().map(|&j| firth::profile(&x, y, &found.fit, j, level)).collect();
            let mut judged = judged(&x, found.fit, Some(1.0), level);
            judged.penalised = !profiles.is_empty();
            for (j, profile) in thin.into_iter().zip(profiles) {
                let term = &mut judged.terms[j];
                term.variance = profile.is_ok().then_some(Variance::Profile);
                // A profile that cannot be followed leaves the estimate without a test.
                term.estimate = profile.unwrap_or(Estimate::bare(term.estimate.value));
            }
            Ok(judged)
        }
    }
}

/// The fit to judge by, and the coefficients to judge by its profile: those that are separated or
/// thin. The fit is penalised if there are any.
fn penalised_if_thin(x: &Design, y: &[f64], found: Logit) -> (Logit, Vec<usize>) {
    let thin: Vec<usize> =
        (0..x.cols()).filter(|j| found.separated.contains(j) || is_thin(x, y, *j)).collect();
    if !found.separated.is_empty() || thin.is_empty() {
        return (found, thin);
    }
    // Wald's test of the plain fit is better than none.
    match logit::penalised(x, y, Vec::new()) {
        Ok(penalised) => (penalised, thin),
        Err(_) => (found, Vec::new()),
    }
}

/// Whether a class has fewer than [`THIN`] rows where column `j` is 0, or where it is not. A column
/// that is nowhere 0 is a measurement, and has no such rows.
fn is_thin(x: &Design, y: &[f64], j: usize) -> bool {
    let mut cells = [[0; 2]; 2];
    for (i, y) in y.iter().enumerate() {
        let present = x.row(i).iter().any(|(column, v)| *column == j && *v != 0.0);
        cells[usize::from(present)][usize::from(*y > 0.5)] += 1;
    }
    cells[0] != [0, 0] && cells.as_flattened().iter().any(|n| *n < THIN)
}

/// Terms from HC3 and from `spread * sqrt(diagonal of (x'wx)^-1)`.
fn judged(x: &Design, fit: Fit, spread: Option<f64>, level: Level) -> Inference {
    let term = |(j, robust): (usize, Option<super::robust::Hc3>)| {
        let value = fit.coefficients[j];
        let classical = spread.map(|s| s * fit.inverse[(j, j)].sqrt());
        let Some(robust) = robust else {
            let estimate = Estimate::bare(value);
            return Term { estimate, variance: None, hc3: None, classical };
        };
        let larger = classical.unwrap_or(0.0).max(robust.std_error);
        let variance = if larger > robust.std_error { Variance::Classical } else { Variance::Hc3 };
        Term {
            estimate: Estimate::student(value, larger, robust.df, level),
            variance: Some(variance),
            hc3: Some(robust.std_error),
            classical,
        }
    };
    let terms = hc3(x, &fit).into_iter().enumerate().map(term).collect();
    Inference { terms, fitted: fit.fitted, penalised: false }
}

/// Standard deviation of the residuals (divisor n - p); `None` without residual freedom.
fn residual_spread(fit: &Fit, cols: usize) -> Option<f64> {
    let n = fit.residuals.len();
    (n > cols).then(|| {
        let squares: f64 = fit.residuals.iter().map(|e| e * e).sum();
        (squares / (n - cols) as f64).sqrt()
    })
}

/// Whether the columns reproduce the target to rounding.
fn exact(fit: &Fit, y: &[f64]) -> bool {
    let largest = fit.residuals.iter().fold(0.0, |a: f64, e| a.max(e.abs()));
    y.len() > fit.coefficients.len() && largest <= EXACT * range(y)
}

/// Terms of an exact fit: no error, and 0 where the coefficient is rounding.
fn certain(fit: Fit, y: &[f64], level: Level) -> Inference {
    let df = (y.len() - fit.coefficients.len()) as f64;
    let term = |&value: &f64| {
        let value = if value.abs() <= EXACT * range(y) { 0.0 } else { value };
        Term {
            estimate: Estimate::student(value, 0.0, df, level),
            variance: Some(Variance::Hc3),
            hc3: Some(0.0),
            classical: Some(0.0),
        }
    };
    Inference {
        terms: fit.coefficients.iter().map(term).collect(),
        fitted: fit.fitted,
        penalised: false,
    }
}

fn range(y: &[f64]) -> f64 {
    let low = y.iter().copied().fold(f64::INFINITY, f64::min);
    let high = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low
}
