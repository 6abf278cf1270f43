//! Firth's penalised logistic likelihood: always finite, whatever the separation.
//!
//! ```text
//! l*(b) = sum log P(y_i) + 1/2 log det x'wx,   w_i = p_i (1 - p_i)
//! ```
//!
//! Its score is `sum (y_i - p_i + h_i (1/2 - p_i)) x_i` with the leverages `h`. Tests and
//! intervals come from profiles of it, as Wald's fail near separation.
//!
//! Source: Heinze and Schemper (2002), Stat. Med. 21; the R package `logistf` is its reference.

use nalgebra::DMatrix;

use super::logit::Point;
use super::{Design, Fit};
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level, normal_p};

/// Largest change of a coefficient that ends the steps.
const TOLERANCE: f64 = 1e-9;
const MAX_STEPS: usize = 500;
/// Largest change of a coefficient in one step, as in `logistf`.
const MAX_CHANGE: f64 = 5.0;
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
/// Scoring steps with halving; each O(n p^2) at most.
pub(super) fn maximise(x: &Design, y: &[f64], start: Vec<f64>, free: Free) -> Result<Maximum> {
    let mut here = penalise(x, Point::at(x, y, start))?;
    for _ in 0..MAX_STEPS {
        let change = scoring_step(x, y, &here, free)?;
        let largest = change.iter().fold(0.0, |a: f64, c| a.max(c.abs()));
        if largest < TOLERANCE {
            return Ok(here);
        }
        let mut share = (MAX_CHANGE / largest).min(1.0);
        loop {
            let moved = here.point.coefficients.iter().zip(&change).map(|(b, c)| b + share * c);
            let next = penalise(x, Point::at(x, y, moved.collect()));
            // Rounding of the likelihood must not stop the steps before they stand still.
            let slack = 1e-12 * here.likelihood.abs();
            match next {
                Ok(next) if next.likelihood >= here.likelihood - slack => {
                    here = next;
                    break;
                }
                _ if share * largest < TOLERANCE => return Ok(here),
                _ => share *= 0.5,
            }
        }
    }
    Err(Error::Diverged("the penalised logistic regression does not settle".into()))
}

fn penalise(x: &Design, point: Point) -> Result<Maximum> {
    let factor = x.gram(&point.weights).cholesky().ok_or_else(|| {
        Error::Diverged("the information of the penalised logistic regression vanished".into())
    })?;
    let log_det: f64 = factor.l_dirty().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
    let likelihood = point.log_likelihood + 0.5 * log_det;
    Ok(Maximum { point, inverse: factor.inverse(), likelihood })
}

fn scoring_step(x: &Design, y: &[f64], here: &Maximum, free: Free) -> Result<Vec<f64>> {
    let point = &here.point;
    let score: Vec<f64> = (0..x.rows())
        .map(|i| {
            let (p, h) = (point.probabilities[i], point.weights[i] * x.quadratic(i, &here.inverse));
            y[i] - p + h * (0.5 - p)
        })
        .collect();
    let score = x.transposed_times(&score);
    let Free::AllBut(fixed) = free else {
        return Ok((&here.inverse * score).as_slice().to_vec());
    };
    let information = x.gram(&point.weights).remove_row(fixed).remove_column(fixed);
    let factor = information.cholesky().ok_or_else(|| {
        Error::Diverged("the information of the penalised logistic regression vanished".into())
    })?;
    let change = factor.solve(&score.remove_row(fixed));
    Ok(change.insert_row(fixed, 0.0).as_slice().to_vec())
}

/// Test and interval of coefficient `j` by the profile of the penalised likelihood.
///
/// The statistic is the signed root of `2 (l*(b) - l*(b with b_j = 0))`; the interval holds the
/// values of `b_j` whose profile is not rejected. The standard error is that of Wald.
pub(super) fn profile(
    x: &Design,
    y: &[f64],
    fit: &Fit,
    j: usize,
    level: Level,
) -> Result<Estimate> {
    let top = penalise(x, Point::at(x, y, fit.coefficients.clone()))?.likelihood;
    let (value, std_error) = (fit.coefficients[j], fit.inverse[(j, j)].sqrt());
    let mut nearest = fit.coefficients.clone();
    let mut ratio = |at: f64| -> Result<f64> {
        nearest[j] = at;
        let found = maximise(x, y, nearest.clone(), Free::AllBut(j))?;
        nearest = found.point.coefficients;
        Ok(2.0 * (top - found.likelihood).max(0.0))
    };
    let statistic = ratio(0.0)?.sqrt() * value.signum();
    let threshold = level.normal_quantile().powi(2);
    let low = bound(value, -std_error, threshold, &mut ratio)?;
    let high = bound(value, std_error, threshold, &mut ratio)?;
    Ok(Estimate {
        std_error: Some(std_error),
        statistic: Some(statistic),
        p_value: Some(normal_p(statistic)),
        conf_low: low,
        conf_high: high,
        ..Estimate::bare(value)
    })
}

/// Where, from `value` in steps of `step`, the ratio passes `threshold`: doubling, then bisection.
/// `None` if it does not within a thousand steps.
fn bound(
    value: f64,
    step: f64,
    threshold: f64,
    ratio: &mut impl FnMut(f64) -> Result<f64>,
) -> Result<Option<f64>> {
    let (mut inside, mut outside) = (0.0, 1.0);
    while ratio(value + outside * step)? < threshold {
        (inside, outside) = (outside, 2.0 * outside);
        if outside > 1000.0 {
            return Ok(None);
        }
    }
    while outside - inside > BOUND * outside {
        let middle = 0.5 * (inside + outside);
        if ratio(value + middle * step)? < threshold { inside = middle } else { outside = middle }
    }
    Ok(Some(value + outside * step))
}
