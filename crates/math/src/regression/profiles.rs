//! Coefficients whose likelihood is too flat for Wald's test: separated, or resting on few rows.

use rayon::prelude::*;

use super::firth;
use super::fitting::{Fitted, problem};
use super::glm::{self, Family, Problem};
use super::inference::{Term, Variance};
use super::setup::Data;
use crate::error::Result;
use crate::estimate::Estimate;

/// Texts with, or without, a concept that must be in each class before Wald's test is trusted: with
/// fewer it loses power the larger the effect (Hauck and Donner 1977).
const THIN: usize = 10;

/// Judges thin and separated coefficients by profiles of the penalised likelihood, to which the fit
/// is changed if there are any.
pub(super) fn judge(data: &Data, fitted: &mut Fitted) -> Vec<(usize, Result<Estimate>)> {
    let Some(family) = fitted.family.filter(|_| data.factors.is_empty()) else { return Vec::new() };
    let is_thin = |l: usize| family == Family::Logit && data.is_tested(l) && is_thin(data, l);
    let thin: Vec<usize> =
        (0..fitted.x.cols()).filter(|&l| fitted.separated.contains(&l) || is_thin(l)).collect();
    if thin.is_empty() {
        return Vec::new();
    }
    let weights = calmed(data, fitted);
    let problem = Problem { weights: &weights, ..problem(data, &fitted.x, family) };
    match glm::penalised(problem, fitted.separated.clone()) {
        Ok(found) => fitted.fit = found.fit,
        // Wald's test of the plain fit is better than none.
        Err(_) => return Vec::new(),
    }
    let fit = &fitted.fit;
    let tested = thin.into_par_iter().filter(|&l| data.is_tested(l));
    tested.map(|l| (l, firth::profile(problem, fit, l, data.setup.level))).collect()
}

/// The rows' weights, for counts divided by their dispersion beyond Poisson's where it is above 1:
/// a profile trusts the model.
///
/// Source: `McCullagh` and Nelder (1989), 6.2: Pearson's statistic over its degrees of freedom.
fn calmed(data: &Data, fitted: &Fitted) -> Vec<f64> {
    let freedom = data.rows.saturating_sub(fitted.x.cols()) as f64;
    if fitted.family != Some(Family::Poisson) || freedom == 0.0 {
        return data.weights.clone();
    }
    let fit = &fitted.fit;
    let rows = fit.residuals.iter().zip(&fit.fitted).zip(&data.weights);
    let pearson: f64 = rows.filter(|((_, m), _)| **m > 0.0).map(|((e, m), w)| w * e * e / m).sum();
    let dispersion = (pearson / freedom).max(1.0);
    data.weights.iter().map(|w| w / dispersion).collect()
}

/// Whether a class has fewer than [`THIN`] rows where column `l` of the design is 0, or where it is
/// not. A column that is nowhere 0 is a measurement, and has no such rows. Without an intercept
/// only rows where it is not 0 say anything, and -1 counts for the other class.
fn is_thin(data: &Data, l: usize) -> bool {
    let mut cells = [[0; 2]; 2];
    for (i, y) in data.y.iter().enumerate().filter(|(i, _)| data.weights[*i] > 0.0) {
        let entry = data.x.row(i).iter().find(|(column, _)| *column == l).map_or(0.0, |e| e.1);
        let flipped = !data.x.has_intercept() && entry < 0.0;
        cells[usize::from(entry != 0.0)][usize::from((*y > 0.5) != flipped)] += 1;
    }
    if !data.x.has_intercept() {
        return cells[1].iter().any(|n| *n < THIN);
    }
    cells[0] != [0, 0] && cells.as_flattened().iter().any(|n| *n < THIN)
}

/// Judges a term by its profile; with clusters only if that is the more careful test.
pub(super) fn take(term: &mut Term, profile: Option<&Estimate>, clustered: bool) {
    let p_value = |e: &Estimate| e.p_value.unwrap_or(0.0);
    match profile {
        Some(found) if !clustered || p_value(found) >= p_value(&term.estimate) => {
            term.variance = Some(Variance::Profile);
            term.estimate = *found;
        }
        Some(_) => {}
        // A profile that cannot be followed leaves the estimate without a test.
        None => {
            term.variance = None;
            term.estimate = Estimate::bare(term.estimate.value);
        }
    }
}
