//! Counts: the negative binomial's dispersion, and Poisson within absorbed factors.

use std::collections::BTreeMap;

use statrs::function::gamma::digamma;

use super::absorb::Absorber;
use super::design::Design;
use super::fitting::Fitted;
use super::glm::{self, Family, Found, Problem};
use super::least_squares;
use super::packed::Columns;
use super::setup::Data;
use crate::error::{Error, Result};

/// Relative change of the dispersion that ends the alternation.
const TOLERANCE: f64 = 1e-10;
const MAX_ROUNDS: usize = 200;
/// Dispersions between which the likelihood is searched; below, the counts are Poisson's.
const DISPERSIONS: [f64; 2] = [1e-7, 1e5];
/// Largest change of a linear predictor that ends the steps within factors.
const SETTLED: f64 = 1e-9;

/// The likelihood for a dispersion: Poisson's for 0.
pub(super) fn family(alpha: f64) -> Family {
    if alpha > 0.0 { Family::NegativeBinomial { alpha } } else { Family::Poisson }
}

/// Maximises the NB2 likelihood over coefficients and dispersion, one after the other until neither
/// moves; the two are orthogonal, so that this takes few rounds. The dispersion is 0 where the
/// likelihood only rises towards it.
///
/// Source: Lawless (1987), Negative binomial and mixed Poisson regression, Can. J. Stat. 15.
///
/// # Errors
/// Those of [`glm::fit`].
pub(super) fn negative_binomial(poisson: Problem) -> Result<(Found, f64)> {
    let mut found = glm::fit(poisson, None)?;
    let mut alpha = 0.0;
    for _ in 0..MAX_ROUNDS {
        let next = dispersion(poisson, &found.fit.fitted);
        if (next - alpha).abs() <= TOLERANCE * next {
            return Ok((found, alpha));
        }
        alpha = next;
        let start = found.separated.is_empty().then(|| found.fit.coefficients.clone());
        found = glm::fit(Problem { family: family(alpha), ..poisson }, start)?;
    }
    Err(Error::Diverged("the dispersion of the negative binomial does not settle".into()))
}

/// The dispersion of largest likelihood given the means: where its slope in `t = 1 / alpha`
///
/// ```text
/// sum w_i (psi(y_i + t) - psi(t) + log(t / (t + m_i)) + (m_i - y_i) / (t + m_i))
/// ```
///
/// is 0, by bisection in `log t`. O(n) per step.
fn dispersion(problem: Problem, means: &[f64]) -> f64 {
    let mut counts: BTreeMap<u64, f64> = BTreeMap::new();
    for (y, w) in problem.y.iter().zip(problem.weights) {
        *counts.entry(y.to_bits()).or_default() += w;
    }
    let slope = |t: f64| -> f64 {
        let rise: f64 = counts.iter().map(|(y, w)| w * rise(f64::from_bits(*y), t)).sum();
        let rows = means.iter().zip(problem.y).zip(problem.weights);
        let fall = |((m, y), w): ((&f64, &f64), &f64)| w * ((m - y) / (t + m) - (m / t).ln_1p());
        rise + rows.map(fall).sum::<f64>()
    };
    let [mut low, mut high] = [1.0 / DISPERSIONS[1], 1.0 / DISPERSIONS[0]].map(f64::ln);
    if slope(high.exp()) >= 0.0 {
        return 0.0;
    }
    while high - low > 0.1 * TOLERANCE {
        let middle = 0.5 * (low + high);
        if slope(middle.exp()) > 0.0 { low = middle } else { high = middle }
    }
    (-0.5 * (low + high)).exp()
}

/// `psi(y + t) - psi(t)`, by its sum for counts that allow it: nothing cancels.
fn rise(y: f64, t: f64) -> f64 {
    if y.fract() == 0.0 && y < 1e4 {
        let mut sum = 0.0;
        let mut k = 0.0;
        while k < y {
            sum += 1.0 / (t + k);
            k += 1.0;
        }
        return sum;
    }
    digamma(y + t) - digamma(t)
}

/// Poisson with factors absorbed: weighted least squares of the working target within the levels,
/// until the linear predictor stays.
///
/// Levels whose counts are all 0 say nothing of the columns, and their rows are left out.
///
/// Source: Correia, Guimaraes and Zylkin (2020), Fast Poisson estimation with high-dimensional
/// fixed effects (`ppmlhdfe`), Stata J. 20.
pub(super) fn absorbed(data: &Data, columns: &[Vec<f64>]) -> Result<Fitted<'static>> {
    let own = telling(data)?;
    let y = data.y;
    let offset = |i: usize| data.setup.offset.map_or(0.0, |o| o[i]);
    let mean = least_squares::weighted_mean(y, &own);
    let mut eta: Vec<f64> = y.iter().map(|y| (0.5 * (y + mean)).ln()).collect();
    for _ in 0..MAX_ROUNDS {
        let mut means: Vec<f64> = eta.iter().map(|e| e.exp()).collect();
        let weights: Vec<f64> = means.iter().zip(&own).map(|(m, w)| m * w).collect();
        let absorber = Absorber::new(&data.factors, &weights);
        let working = (0..y.len()).map(|i| eta[i] - offset(i) + (y[i] - means[i]) / means[i]);
        let working: Vec<f64> =
            working.zip(&own).map(|(z, w)| if *w > 0.0 { z } else { 0.0 }).collect();
        let x = Design::of(Columns::new(y.len(), &absorber.within(columns)?)?);
        let within = absorber.within_one(working.clone())?;
        let (rank, totals) = (absorber.rank(), absorber.first_totals().to_vec());
        let mut fit = least_squares::weighted(&x, &within, weights)?;
        let next: Vec<f64> =
            (0..y.len()).map(|i| offset(i) + working[i] - fit.residuals[i]).collect();
        let used = |i: &usize| own[*i] > 0.0;
        let change = (0..y.len()).filter(used).map(|i| (next[i] - eta[i]).abs());
        let change = change.fold(0.0, f64::max);
        if !change.is_finite() {
            break;
        }
        if change <= SETTLED {
            means.iter_mut().zip(&own).filter(|(_, w)| **w == 0.0).for_each(|(m, _)| *m = 0.0);
            fit.residuals = y.iter().zip(&means).map(|(y, m)| y - m).collect();
            fit.scores = fit.residuals.iter().zip(&own).map(|(e, w)| e * w).collect();
            fit.fitted = means;
            let (family, separated) = (Some(Family::Poisson), Vec::new());
            let rows = own.iter().filter(|w| **w > 0.0).count();
            return Ok(Fitted { x, fit, family, separated, absorbed: rank, totals, rows });
        }
        for i in (0..y.len()).filter(used) {
            eta[i] = next[i];
        }
    }
    Err(Error::Diverged(
        "the regression of counts does not settle within the absorbed factors; leave out columns \
         that are true only where the count is 0"
            .into(),
    ))
}

/// The rows' weights, 0 in levels whose counts are all 0.
fn telling(data: &Data) -> Result<Vec<f64>> {
    if data.y.iter().any(|&v| v < 0.0) {
        return Err(Error::Data("a regression of counts needs a target of 0 or more".into()));
    }
    let mut weights = data.weights.clone();
    for factor in &data.factors {
        let sums = factor.sums(data.y.iter().zip(&weights).map(|(y, w)| y * w));
        let rows = weights.iter_mut().zip(&factor.level);
        rows.filter(|(_, level)| sums[**level as usize] == 0.0).for_each(|(w, _)| *w = 0.0);
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(Error::Data("the target is 0 throughout".into()));
    }
    Ok(weights)
}
