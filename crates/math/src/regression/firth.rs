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

use nalgebra::{DMatrix, DVector};

use super::Fit;
use super::design::quadratic;
use super::glm::{Point, Problem};
use super::inverse::inverse;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level, normal_p};

/// Length of the score, in the metric of the information, that ends the steps: the likelihood is
/// then within its square of the maximum.
const TOLERANCE: f64 = 1e-8;
/// The same on a profile, of which the likelihood alone counts.
const PROFILE_TOLERANCE: f64 = 1e-6;
const MAX_STEPS: usize = 300;
/// Largest change of a coefficient in one step, as in `logistf`.
const MAX_CHANGE: f64 = 5.0;
/// Rise of the likelihood per step that is asked for, as a share of what the slope promises.
const ARMIJO: f64 = 1e-4;
/// Error of a bound of an interval, relative to its distance from the estimate.
const BOUND: f64 = 1e-6;
/// Points of a profile through which the next one is foreseen.
const FORESEEN_BY: usize = 3;

/// A maximum of the penalised likelihood, or a point on the way there.
pub(super) struct Maximum {
    pub point: Point,
    /// `(x'wx)^-1` of all coefficients.
    pub inverse: DMatrix<f64>,
    /// `l*`.
    pub likelihood: f64,
}

/// The maximum over all coefficients, from `start`.
pub(super) fn maximise(problem: Problem, start: Vec<f64>) -> Result<Maximum> {
    let here = start_at(problem, start)?;
    let mut metric = here.inverse.clone();
    climb(problem, here, &mut metric, None, TOLERANCE)
}

/// The maximum over all coefficients but the `fixed` one, by way of an inverse Hessian `metric` that
/// is 0 in its row and column, and that is better afterwards.
///
/// Quasi-Newton steps (BFGS) with halving, each O(n p^2 + p^3) at most. Scoring steps alone oscillate
/// for ever far from the maximum.
fn climb(
    problem: Problem,
    mut here: Maximum,
    metric: &mut DMatrix<f64>,
    fixed: Option<usize>,
    tolerance: f64,
) -> Result<Maximum> {
    let mut score = score(problem, &here, fixed);
    for _ in 0..MAX_STEPS {
        let mut change = &*metric * &score;
        if change.dot(&score) <= tolerance * tolerance {
            return Ok(here);
        }
        change *= (MAX_CHANGE / change.amax()).min(1.0);
        let promise = change.dot(&score);
        let Some(next) = rise(problem, &here, &mut change, promise) else {
            return Ok(here);
        };
        let next_score = self::score(problem, &next, fixed);
        update(metric, &change, &(&score - &next_score));
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
        let least = here.likelihood + ARMIJO * share * promise;
        if let Ok(Some(next)) = penalise(problem, moved.collect(), least) {
            return Some(next);
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

/// What there is at these coefficients.
fn start_at(problem: Problem, coefficients: Vec<f64>) -> Result<Maximum> {
    penalise(problem, coefficients, f64::NEG_INFINITY)?.ok_or_else(vanished)
}

/// The same; `None` if the likelihood is below `least`.
fn penalise(problem: Problem, coefficients: Vec<f64>, least: f64) -> Result<Option<Maximum>> {
    let point = Point::at(problem, coefficients);
    let factor = problem.x.gram(&point.weights).cholesky().ok_or_else(vanished)?;
    let log_det: f64 = factor.l_dirty().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
    let likelihood = point.log_likelihood + 0.5 * log_det;
    if !likelihood.is_finite() {
        return Err(vanished());
    }
    let is_enough = likelihood >= least;
    Ok(is_enough.then(|| Maximum { point, inverse: inverse(&factor), likelihood }))
}

fn vanished() -> Error {
    Error::Diverged("the information of the penalised regression vanished".into())
}

/// Slope of the penalised likelihood, 0 for a fixed coefficient.
fn score(problem: Problem, here: &Maximum, fixed: Option<usize>) -> DVector<f64> {
    let (point, x) = (&here.point, problem.x);
    let pulls = x.map(|i, row| {
        let leverage = point.weights[i] * quadratic(row, &here.inverse);
        let lift = problem.family.lift(problem.eta(i, row, &point.coefficients));
        point.scores[i] + 0.5 * leverage * lift
    });
    let mut score = x.transposed_times(&pulls);
    if let Some(fixed) = fixed {
        score[fixed] = 0.0;
    }
    score
}

/// Test and interval of coefficient `j` by the profile of the penalised likelihood.
///
/// The statistic is the signed root of `2 (l*(b) - l*(b with b_j = 0))`; the interval holds the
/// values of `b_j` whose profile is not rejected. The standard error is that of Wald.
///
/// # Errors
/// [`Error::Diverged`] if the profile cannot be followed to 0.
pub(super) fn profile(problem: Problem, fit: &Fit, j: usize, level: Level) -> Result<Estimate> {
    let (value, std_error) = (fit.coefficients[j], fit.inverse[(j, j)].sqrt());
    let mut profile = Profile::new(problem, fit, j)?;
    let statistic = profile.root(0.0)? * value.signum();
    let threshold = level.normal_quantile();
    // Where the profile can no longer be followed the likelihood has vanished: far outside.
    let mut excess = |at: f64| profile.root(at).unwrap_or(f64::INFINITY) - threshold;
    Ok(Estimate {
        std_error: Some(std_error),
        statistic: Some(statistic),
        p_value: Some(normal_p(statistic)),
        conf_low: bound(value, -std_error, threshold, &mut excess),
        conf_high: bound(value, std_error, threshold, &mut excess),
        ..Estimate::bare(value)
    })
}

/// The penalised likelihood as a function of one coefficient, the others at their best.
struct Profile<'a> {
    problem: Problem<'a>,
    /// The coefficient.
    j: usize,
    /// `l*` at the maximum.
    top: f64,
    /// Inverse Hessian of the other coefficients, as far as it is known.
    metric: DMatrix<f64>,
    /// How the others follow a change of the coefficient at the maximum.
    tangent: DVector<f64>,
    /// The coefficients at the points that were looked at, the maximum first.
    seen: Vec<Vec<f64>>,
}

impl<'a> Profile<'a> {
    fn new(problem: Problem<'a>, fit: &Fit, j: usize) -> Result<Self> {
        let maximum = fit.coefficients.clone();
        let top = start_at(problem, maximum.clone())?;
        let column = fit.inverse.column(j).into_owned();
        let tangent = &column / column[j];
        // The inverse of the information without row and column j.
        let mut metric = &fit.inverse - &column * tangent.transpose();
        metric.row_mut(j).fill(0.0);
        metric.column_mut(j).fill(0.0);
        Ok(Self { problem, j, top: top.likelihood, metric, tangent, seen: vec![maximum] })
    }

    /// Root of twice what the likelihood loses where the coefficient is `at`.
    fn root(&mut self, at: f64) -> Result<f64> {
        let foreseen = start_at(self.problem, self.foreseen(at));
        let here = if let Ok(found) = foreseen {
            found
        } else {
            // Foreseen too far.
            let mut start = self.nearest(at)[0].clone();
            start[self.j] = at;
            start_at(self.problem, start)?
        };
        let fixed = Some(self.j);
        let found = climb(self.problem, here, &mut self.metric, fixed, PROFILE_TOLERANCE)?;
        self.seen.push(found.point.coefficients);
        Ok((2.0 * (self.top - found.likelihood).max(0.0)).sqrt())
    }

    /// The points that were looked at, from the nearest on.
    fn nearest(&self, at: f64) -> Vec<&Vec<f64>> {
        let mut nearest: Vec<&Vec<f64>> = self.seen.iter().collect();
        nearest.sort_by(|a, b| (a[self.j] - at).abs().total_cmp(&(b[self.j] - at).abs()));
        nearest
    }

    /// Where the other coefficients will be: on the polynomial through the nearest points, or, of
    /// the first, along the tangent.
    fn foreseen(&self, at: f64) -> Vec<f64> {
        let mut points = self.nearest(at);
        points.truncate(FORESEEN_BY);
        let mut foreseen = DVector::zeros(self.tangent.len());
        if points.len() == 1 {
            foreseen =
                DVector::from_column_slice(points[0]) + &self.tangent * (at - points[0][self.j]);
        } else {
            for (k, point) in points.iter().enumerate() {
                // Lagrange's weight of the point.
                let others = points.iter().enumerate().filter(|(l, _)| *l != k);
                let weight: f64 = others
                    .map(|(_, other)| (at - other[self.j]) / (point[self.j] - other[self.j]))
                    .product();
                foreseen += weight * DVector::from_column_slice(point);
            }
        }
        foreseen[self.j] = at;
        foreseen.as_slice().to_vec()
    }
}

/// Where, from `value` in steps of `step`, `excess` passes 0 from `-threshold`: doubling, then the
/// Illinois variant of false position. `None` if it does not within a thousand steps.
fn bound(
    value: f64,
    step: f64,
    threshold: f64,
    excess: &mut impl FnMut(f64) -> f64,
) -> Option<f64> {
    let mut at = |t: f64| excess(value + t * step);
    let (mut near, mut below) = (0.0, -threshold);
    // Wald's bound.
    let (mut far, mut above) = (threshold, at(threshold));
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
        // By the slope so far, no further than that from where it passes.
        let slope = if above.is_finite() { (above - below) / (far - near) } else { 0.0 };
        if found.abs() <= BOUND * far * slope {
            return Some(value + middle * step);
        }
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
