//! Likelihoods whose mean depends on a linear predictor: logit, Poisson, negative binomial.

use nalgebra::DVector;
use rayon::prelude::*;

use super::design::{CHUNK, in_pieces};
use super::firth;
use super::inverse::inverse;
use super::least_squares::{dependent, weighted_mean};
use super::{Design, Fit, nearby};
use crate::error::{Error, Result};

/// Largest change of a linear predictor in a Newton step that ends the steps.
const TOLERANCE: f64 = 1e-9;
/// Newton steps that every target without separation settles in, by a wide margin.
const MAX_STEPS: usize = 100;
/// Separation is looked for from this step on, when a finite solution would have been reached.
const SETTLED: usize = 12;
/// Linear predictor beyond which a fitted mean is at its limit for any data of this world (3e-7).
const EXTREME: f64 = 15.0;
/// Change of a coefficient per step, times its column's largest entry, that shows it has no limit:
/// near separation one step changes the linear predictor by about 1.
const RUNAWAY: f64 = 1e-2;

/// How the mean `m` of a row and its likelihood follow from the linear predictor `e`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// `m = 1 / (1 + exp(-e))`, target 0 or 1.
    Logit,
    /// `m = exp(e)`, variance `m`.
    Poisson,
    /// `m = exp(e)`, variance `m + alpha m^2`.
    NegativeBinomial { alpha: f64 },
}

/// What a row says at a linear predictor.
struct Row {
    mean: f64,
    /// Slope of the log-likelihood, `(y - m) w / Var`.
    score: f64,
    /// Expected information `w = (dm/de)^2 / Var`.
    weight: f64,
    /// Slope of `log w`.
    lift: f64,
    /// Log-likelihood, but for what depends on the target alone.
    likelihood: f64,
}

impl Family {
    /// Written so that swapping the sides of a pair swaps signs to the last bit, and so that
    /// nothing overflows.
    fn row(self, eta: f64, y: f64) -> Row {
        match self {
            Self::Logit => {
                let s = (-eta.abs()).exp();
                let (large, small) = (1.0 / (1.0 + s), s / (1.0 + s));
                let (p, q) = if eta > 0.0 { (large, small) } else { (small, large) };
                Row {
                    mean: p,
                    score: y * q - (1.0 - y) * p,
                    weight: s / (1.0 + s).powi(2),
                    lift: q - p,
                    likelihood: y * eta - eta.max(0.0) - s.ln_1p(),
                }
            }
            Self::Poisson => {
                let mean = eta.exp();
                let likelihood = y * eta - mean;
                Row { mean, score: y - mean, weight: mean, lift: 1.0, likelihood }
            }
            Self::NegativeBinomial { alpha } => {
                let mean = eta.exp();
                let share = 1.0 / (1.0 + alpha * mean);
                Row {
                    mean,
                    score: (y - mean) * share,
                    weight: mean * share,
                    lift: share,
                    likelihood: y * eta - (y + 1.0 / alpha) * (alpha * mean).ln_1p(),
                }
            }
        }
    }

    /// Slope of a row's log-likelihood, and its expected information.
    pub(super) fn slopes(self, eta: f64, y: f64) -> [f64; 2] {
        if self == Self::Logit {
            let s = (-eta.abs()).exp();
            let share = 1.0 / (1.0 + s);
            let p = if eta > 0.0 { share } else { s * share };
            return [y - p, s * share * share];
        }
        let row = self.row(eta, y);
        [row.score, row.weight]
    }

    /// Slope of the logarithm of a row's expected information.
    pub(super) fn lift(self, eta: f64) -> f64 {
        self.row(eta, 0.0).lift
    }

    /// The mean at a linear predictor, with its first and second slope.
    pub(super) fn mean(self, eta: f64) -> [f64; 3] {
        match self {
            Self::Logit => {
                let row = self.row(eta, 0.0);
                [row.mean, row.weight, row.weight * row.lift]
            }
            _ => [eta.exp(); 3],
        }
    }
}

/// A likelihood to maximise: n rows, p coefficients.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    pub family: Family,
    pub x: &'a Design<'a>,
    pub y: &'a [f64],
    /// Weight of every row in the likelihood, 0 or more.
    pub weights: &'a [f64],
    /// What is added to the linear predictor.
    pub offset: Option<&'a [f64]>,
}

/// A fitted likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub fit: Fit,
    /// Coefficients, by number, whose likelihood has its maximum at infinity. If there are any,
    /// the fit is Firth's penalised one.
    pub separated: Vec<usize>,
}

/// Maximises `sum w_i log P(y_i | x_i' b + o_i)`; if its maximum lies at infinity (separation or
/// quasi-separation), the likelihood penalised after Firth.
///
/// `x` has linearly independent columns. Scoring steps with halving, each O(n p^2) at most; sums as
/// in [`Design::gram`]. Separation is recognised by linear predictors that are extreme, of the right
/// sign, and still moving. `start`: coefficients to begin from, such as those of a larger fit.
///
/// Source: `McCullagh` and Nelder (1989), Generalized Linear Models; Firth (1993), Biometrika 80;
/// Heinze and Schemper (2002), Stat. Med. 21.
///
/// # Errors
/// [`Error::Shape`] for a bad `y`; [`Error::Data`] if `y` is not what the family needs, or if the
/// columns are linearly dependent; [`Error::Diverged`] if the penalised fit does not settle.
pub fn fit(problem: Problem, start: Option<Vec<f64>>) -> Result<Found> {
    problem.check()?;
    let x = problem.x;
    let start = start.unwrap_or_else(|| problem.start());
    // Where that is all there is to it, at a fraction of the cost.
    let start = nearby::settle(problem, &start).unwrap_or(start);
    let mut point = Point::at(problem, start.clone());
    x.gram(&point.weights).cholesky().ok_or_else(dependent)?;
    for step in 0..MAX_STEPS {
        let Some(factor) = x.gram(&point.weights).cholesky() else {
            return penalised(problem, (0..x.cols()).collect(), &start);
        };
        let change = factor.solve(&x.transposed_times(&point.scores));
        if stays(x, &change) {
            let fit = point.into_fit(problem.y, inverse(&factor));
            return Ok(Found { fit, separated: vec![] });
        }
        if step >= SETTLED && point.runs_away(problem, &change) {
            return penalised(problem, runaways(x, &change), &start);
        }
        point = point.advance(problem, &change)?;
    }
    penalised(problem, (0..x.cols()).collect(), &start)
}

/// Firth's fit, with the coefficients that are known to be separated; from `start` where that leads
/// anywhere.
pub(super) fn penalised(problem: Problem, separated: Vec<usize>, start: &[f64]) -> Result<Found> {
    let found = firth::maximise(problem, start.to_vec())
        .or_else(|_| firth::maximise(problem, problem.start()))?;
    let inverse = found.inverse.clone();
    Ok(Found { fit: found.point.into_fit(problem.y, inverse), separated })
}

impl Problem<'_> {
    pub(super) fn check(&self) -> Result<()> {
        let y = self.y;
        Error::check_len("y", y.len(), self.x.rows())?;
        Error::check_finite("y", y)?;
        let bad = |what: &str| Err(Error::Data(what.into()));
        if self.family == Family::Logit {
            if y.iter().any(|&v| v != 0.0 && v != 1.0) {
                return bad("a logistic regression needs a target of 0 and 1");
            }
            // Pairs have no classes: whichever side a winner is put on, nothing changes.
            if self.x.has_intercept() && y.iter().all(|v| *v == y[0]) {
                return bad("the target has one class only");
            }
        } else if y.iter().any(|&v| v < 0.0) {
            return bad("a regression of counts needs a target of 0 or more");
        } else if y.iter().all(|&v| v == 0.0) {
            return bad("the target is 0 throughout");
        }
        Ok(())
    }

    /// Linear predictor of row `i` with its entries.
    pub(super) fn eta(&self, i: usize, row: &[(usize, f64)], coefficients: &[f64]) -> f64 {
        let eta = predictor(row, coefficients);
        self.offset.map_or(eta, |offset| eta + offset[i])
    }

    /// Means of the rows.
    pub(super) fn means(&self, coefficients: &[f64]) -> Vec<f64> {
        self.x.map(|i, row| self.family.mean(self.eta(i, row, coefficients))[0])
    }

    /// The intercept alone, at its own maximum.
    pub(super) fn start(&self) -> Vec<f64> {
        let mut coefficients = vec![0.0; self.x.cols()];
        if self.x.has_intercept() {
            let mean = weighted_mean(self.y, self.weights);
            coefficients[0] = match (self.family, self.offset) {
                (Family::Logit, _) => (mean / (1.0 - mean)).ln(),
                (_, None) => mean.ln(),
                (_, Some(offset)) => {
                    let exposure: Vec<f64> = offset.iter().map(|o| o.exp()).collect();
                    (mean / weighted_mean(&exposure, self.weights)).ln()
                }
            };
            if !coefficients[0].is_finite() {
                coefficients[0] = 0.0;
            }
        }
        coefficients
    }
}

/// Whether a step changes no linear predictor.
fn stays(x: &Design, change: &DVector<f64>) -> bool {
    let pieces = in_pieces(x.rows(), |mut rows| {
        let mut entries = x.entries();
        rows.all(|i| predictor(entries.row(i), change.as_slice()).abs() < TOLERANCE)
    });
    pieces.into_iter().all(|stays| stays)
}

/// `x_i' b` from the entries of a row.
fn predictor(row: &[(usize, f64)], coefficients: &[f64]) -> f64 {
    row.iter().map(|(j, v)| v * coefficients[*j]).sum()
}

fn runaways(x: &Design, change: &DVector<f64>) -> Vec<usize> {
    let largest = x.largest();
    (0..x.cols()).filter(|&j| change[j].abs() * largest[j] > RUNAWAY).collect()
}

/// Coefficients and what follows from them, row by row; the rows' own weights are in all but the
/// means. Of millions of rows this is most of the memory, so that what few ask for is not kept.
pub(super) struct Point {
    pub coefficients: Vec<f64>,
    pub means: Vec<f64>,
    pub scores: Vec<f64>,
    pub weights: Vec<f64>,
    pub log_likelihood: f64,
}

/// Means, scores and weights of some rows.
type Columns<'a> = (&'a mut [f64], &'a mut [f64], &'a mut [f64]);

impl Point {
    pub fn at(problem: Problem, coefficients: Vec<f64>) -> Self {
        let n = problem.x.rows();
        let mut at = Self {
            coefficients,
            means: vec![0.0; n],
            scores: vec![0.0; n],
            weights: vec![0.0; n],
            log_likelihood: 0.0,
        };
        let columns = (
            at.means.par_chunks_mut(CHUNK),
            at.scores.par_chunks_mut(CHUNK),
            at.weights.par_chunks_mut(CHUNK),
        );
        let coefficients = &at.coefficients;
        let fill = |(number, (means, scores, weights)): (usize, Columns)| {
            let (mut log_likelihood, mut entries) = (0.0, problem.x.entries());
            for k in 0..means.len() {
                let i = number * CHUNK + k;
                let eta = problem.eta(i, entries.row(i), coefficients);
                let (row, own) = (problem.family.row(eta, problem.y[i]), problem.weights[i]);
                means[k] = row.mean;
                (scores[k], weights[k]) = (row.score * own, row.weight * own);
                if own > 0.0 {
                    log_likelihood += row.likelihood * own;
                }
            }
            log_likelihood
        };
        let parts: Vec<f64> = columns.into_par_iter().enumerate().map(fill).collect();
        at.log_likelihood = parts.iter().sum();
        at
    }

    /// As much of the step as makes the likelihood larger.
    fn advance(&self, problem: Problem, change: &DVector<f64>) -> Result<Self> {
        let mut share = 1.0;
        loop {
            let moved = self.coefficients.iter().zip(change.iter()).map(|(b, c)| b + share * c);
            let next = Self::at(problem, moved.collect());
            let slack = 1e-12 * self.log_likelihood.abs();
            let finite = next.log_likelihood.is_finite();
            if finite && (next.log_likelihood >= self.log_likelihood - slack || share < 1e-6) {
                return Ok(next);
            }
            if share < 1e-12 {
                return Err(Error::Diverged("the regression's likelihood is not finite".into()));
            }
            share *= 0.5;
        }
    }

    /// Whether some row has an extreme linear predictor on its own side that still moves outwards.
    fn runs_away(&self, problem: Problem, change: &DVector<f64>) -> bool {
        let binary = problem.family == Family::Logit;
        let mut entries = problem.x.entries();
        (0..problem.x.rows()).any(|i| {
            let side = if binary || problem.y[i] == 0.0 {
                (2.0 * problem.y[i] - 1.0).clamp(-1.0, 1.0)
            } else {
                return false;
            };
            let row = entries.row(i);
            problem.weights[i] > 0.0
                && side * problem.eta(i, row, &self.coefficients) > EXTREME
                && side * predictor(row, change.as_slice()) > RUNAWAY
        })
    }

    pub fn into_fit(self, y: &[f64], inverse: nalgebra::DMatrix<f64>) -> Fit {
        Fit {
            residuals: y.iter().zip(&self.means).map(|(y, m)| y - m).collect(),
            coefficients: self.coefficients,
            fitted: self.means,
            weights: self.weights,
            scores: self.scores,
            inverse,
        }
    }
}
