//! Firth's penalised likelihood: always finite, whatever the separation.
//!
//! ```text
//! l*(b) = sum log P(y_i) + 1/2 log det x'wx,   w the expected information of every row
//! ```
//!
//! Its score is `sum (s_i + h_i l_i / 2) x_i` with the likelihood's slopes `s`, the leverages `h` and
//! the slopes `l` of `log w`: in a logit `y_i - p_i + h_i (1/2 - p_i)`. Tests and intervals come
//! from profiles of it, as Wald's fail near separation.
//!
//! Source: Heinze and Schemper (2002), Stat. Med. 21; the R package `logistf` is its reference.

use std::cell::RefCell;

use nalgebra::{DMatrix, DVector};

use super::Fit;
use super::design::quadratic;
use super::glm::{Point, Problem};
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level, normal_p};

/// Length of the score, in the metric of the information, that ends the steps: the likelihood is
/// then within its square of the maximum.
const TOLERANCE: f64 = 1e-8;
const MAX_STEPS: usize = 300;
/// Largest change of a coefficient in one step, as in `logistf`.
const MAX_CHANGE: f64 = 5.0;
/// Rise of the likelihood per step that is asked for, as a share of what the slope promises.
const ARMIJO: f64 = 1e-4;
/// Error of a bound of an interval, relative to its distance from the estimate.
const BOUND: f64 = 1e-6;

/// Which coefficients may move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Free {
    All,
    /// All but this one.
    AllBut(usize),
}

/// A maximum of the penalised likelihood.
pub(super) struct Maximum {
    pub point: Point,
    /// `(x'wx)^-1` of all coefficients.
    pub inverse: DMatrix<f64>,
    /// `l*`.
    pub likelihood: f64,
}

/// The maximum over the free coefficients, from `start`; a fixed one keeps its starting value.
///
/// Quasi-Newton steps (BFGS) that start from the inverse information, with halving; each
/// O(n p^2) at most. Scoring steps alone oscillate for ever far from the maximum.
pub(super) fn maximise(problem: Problem, start: Vec<f64>, free: Free) -> Result<Maximum> {
    let mut here = penalise(problem, Point::at(problem, start))?;
    let mut metric = inverse_information(problem, &here, free)?;
    let mut score = score(problem, &here, free);
    for _ in 0..MAX_STEPS {
        let mut change = &metric * &score;
        if change.dot(&score) <= TOLERANCE * TOLERANCE {
            return Ok(here);
        }
        change *= (MAX_CHANGE / change.amax()).min(1.0);
        let promise = change.dot(&score);
        let Some(next) = rise(problem, &here, &mut change, promise) else {
            return Ok(here);
        };
        let next_score = self::score(problem, &next, free);
        update(&mut metric, &change, &(&score - &next_score));
        (here, score) = (next, next_score);
    }
    Err(Error::Diverged("the penalised regression does not settle".into()))
}

/// Halves `change` until the likelihood rises enough; `None` if that is below its rounding.
fn rise(
    problem: Problem,
    here: &Maximum,
    change: &mut DVector<f64>,
    promise: f64,
) -> Option<Maximum> {
    let mut share = 1.0;
    while share * promise > 1e-15 * (1.0 + here.likelihood.abs()) {
        let moved = here.point.coefficients.iter().zip(change.iter()).map(|(b, c)| b + c);
        match penalise(problem, Point::at(problem, moved.collect())) {
            Ok(next) if next.likelihood >= here.likelihood + ARMIJO * share * promise => {
                return Some(next);
            }
            _ => {}
        }
        *change *= 0.5;
        share *= 0.5;
    }
    None
}

/// The BFGS update of an inverse Hessian after a step along which the score fell by `fall`.
fn update(metric: &mut DMatrix<f64>, step: &DVector<f64>, fall: &DVector<f64>) {
    let curvature = step.dot(fall);
    if curvature <= 0.0 {
        return;
    }
    let pull = &*metric * fall;
    let scale = (1.0 + fall.dot(&pull) / curvature) / curvature;
    *metric += scale * step * step.transpose()
        - (&pull * step.transpose() + step * pull.transpose()) / curvature;
}

fn penalise(problem: Problem, point: Point) -> Result<Maximum> {
    let factor = problem.x.gram(&point.weights).cholesky().ok_or_else(vanished)?;
    let log_det: f64 = factor.l_dirty().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
    let likelihood = point.log_likelihood + 0.5 * log_det;
    if !likelihood.is_finite() {
        return Err(vanished());
    }
    Ok(Maximum { point, inverse: factor.inverse(), likelihood })
}

fn vanished() -> Error {
    Error::Diverged("the information of the penalised regression vanished".into())
}

/// Slope of the penalised likelihood, 0 for a fixed coefficient.
fn score(problem: Problem, here: &Maximum, free: Free) -> DVector<f64> {
    let (point, x) = (&here.point, problem.x);
    let pulls = x.map(|i, row| {
        let leverage = point.weights[i] * quadratic(row, &here.inverse);
        let lift = problem.family.lift(problem.eta(i, row, &point.coefficients));
        point.scores[i] + 0.5 * leverage * lift
    });
    let mut score = x.transposed_times(&pulls);
    if let Free::AllBut(fixed) = free {
        score[fixed] = 0.0;
    }
    score
}

/// Inverse information of the free coefficients, with zeros for a fixed one.
fn inverse_information(problem: Problem, here: &Maximum, free: Free) -> Result<DMatrix<f64>> {
    let Free::AllBut(fixed) = free else { return Ok(here.inverse.clone()) };
    let information = problem.x.gram(&here.point.weights).remove_row(fixed).remove_column(fixed);
    let inverse = information.cholesky().ok_or_else(vanished)?.inverse();
    Ok(inverse.insert_row(fixed, 0.0).insert_column(fixed, 0.0))
}

/// Test and interval of coefficient `j` by the profile of the penalised likelihood.
///
/// The statistic is the signed root of `2 (l*(b) - l*(b with b_j = 0))`; the interval holds the
/// values of `b_j` whose profile is not rejected. The standard error is that of Wald.
///
/// # Errors
/// [`Error::Diverged`] if the profile cannot be followed to 0.
pub(super) fn profile(problem: Problem, fit: &Fit, j: usize, level: Level) -> Result<Estimate> {
    let top = penalise(problem, Point::at(problem, fit.coefficients.clone()))?.likelihood;
    let (value, std_error) = (fit.coefficients[j], fit.inverse[(j, j)].sqrt());
    // Every search begins where the last one ended.
    let last = RefCell::new(fit.coefficients.clone());
    let ratio = |at: f64| -> Result<f64> {
        let mut start = last.borrow().clone();
        start[j] = at;
        let found = maximise(problem, start, Free::AllBut(j))?;
        last.replace(found.point.coefficients);
        Ok(2.0 * (top - found.likelihood).max(0.0))
    };
    let statistic = ratio(0.0)?.sqrt() * value.signum();
    let threshold = level.normal_quantile();
    // Where the profile can no longer be followed the likelihood has vanished: far outside.
    let excess = |at: f64| ratio(at).map_or(f64::INFINITY, f64::sqrt) - threshold;
    Ok(Estimate {
        std_error: Some(std_error),
        statistic: Some(statistic),
        p_value: Some(normal_p(statistic)),
        conf_low: bound(value, -std_error, threshold, excess),
        conf_high: bound(value, std_error, threshold, excess),
        ..Estimate::bare(value)
    })
}

/// Where, from `value` in steps of `step`, `excess` passes 0 from `-threshold`: doubling, then the
/// Illinois variant of false position. `None` if it does not within a thousand steps.
fn bound(value: f64, step: f64, threshold: f64, excess: impl Fn(f64) -> f64) -> Option<f64> {
    let at = |t: f64| excess(value + t * step);
    let (mut near, mut below) = (0.0, -threshold);
    let (mut far, mut above) = (1.0, at(1.0));
    while above < 0.0 {
        (near, below) = (far, above);
        far *= 2.0;
        above = at(far);
        if far > 1000.0 {
            return None;
        }
    }
    let mut last_below = None;
    while far - near > BOUND * far {
        let share = if above.is_finite() { below / (below - above) } else { 0.5 };
        // Kept off the ends, so that the bracket always shrinks to nothing.
        let margin = 0.25 * BOUND * far / (far - near);
        let middle = near + share.clamp(margin, 1.0 - margin) * (far - near);
        let found = at(middle);
        let is_below = found < 0.0;
        if is_below {
            (near, below) = (middle, found);
        } else {
            (far, above) = (middle, found);
        }
        // An end that stays twice loses weight.
        if last_below == Some(is_below) {
            if is_below { above *= 0.5 } else { below *= 0.5 }
        }
        last_below = Some(is_below);
    }
    Some(value + far * step)
}
