//! Coefficients whose likelihood is too flat for Wald's test: separated, or resting on few rows.

use rayon::prelude::*;

use super::firth;
use super::fitting::{Fitted, problem};
use super::glm::{self, Family, Problem};
use super::inference::{Term, Variance};
use super::setup::Data;
use crate::error::{Error, Result};
use crate::estimate::Estimate;

/// Texts with, or without, a concept that must be in each class before Wald's test is trusted: with
/// fewer it loses power the larger the effect (Hauck and Donner 1977).
const THIN: usize = 10;

/// Columns from which on no profile is followed, nor a penalised fit made without each column: hundreds
/// of fits of so many columns would take hours.
pub const WIDE: usize = 100;

/// Judges thin and separated coefficients by profiles of the penalised likelihood, to which the fit
/// is changed if there are any.
pub(super) fn judge(data: &Data, fitted: &mut Fitted) -> Vec<(usize, Result<Estimate>)> {
    let Some(family) = fitted.family.filter(|_| data.factors.is_empty()) else { return Vec::new() };
    let rests_on_few =
        if family == Family::Logit { rest_on_few(data) } else { vec![false; fitted.x.cols()] };
    let is_thin = |l: usize| data.is_tested(l) && rests_on_few[l];
    let thin: Vec<usize> =
        (0..fitted.x.cols()).filter(|&l| fitted.separated.contains(&l) || is_thin(l)).collect();
    if thin.is_empty() {
        return Vec::new();
    }
    let weights = calmed(data, fitted);
    let problem = Problem { weights: &weights, ..problem(data, &fitted.x, family) };
    match glm::penalised(problem, fitted.separated.clone(), &fitted.fit.coefficients) {
        Ok(found) => fitted.fit = found.fit,
        // Wald's test of the plain fit is better than none.
        Err(_) => return Vec::new(),
    }
    let fit = &fitted.fit;
    let profile = |l: usize| {
        if fitted.x.cols() > WIDE {
            return Err(Error::Diverged(format!("no profile is followed beside {WIDE} columns")));
        }
        firth::profile(problem, fit, l, data.setup.level)
    };
    let tested = thin.into_par_iter().filter(|&l| data.is_tested(l));
    tested.map(|l| (l, profile(l))).collect()
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

/// Of every column of the design, whether a class has fewer than [`THIN`] rows where it is 0, or where
/// it is not. A column that is nowhere 0 is a measurement, and has no such rows. Without an
/// intercept only rows where it is not 0 say anything, and -1 counts for the other class.
fn rest_on_few(data: &Data) -> Vec<bool> {
    let has_intercept = data.x.has_intercept();
    let mut all = [0; 2];
    let mut present = vec![[0; 2]; data.x.cols()];
    let mut entries = data.x.entries();
    for (i, y) in data.y.iter().enumerate().filter(|(i, _)| data.weights[*i] > 0.0) {
        let is_1 = *y > 0.5;
        all[usize::from(is_1)] += 1;
        for (l, entry) in entries.row(i) {
            let flipped = !has_intercept && *entry < 0.0;
            present[*l][usize::from(is_1 != flipped)] += 1;
        }
    }
    let few = |cells: [usize; 2]| cells.iter().any(|n| *n < THIN);
    let of = |present: [usize; 2]| {
        if !has_intercept {
            return few(present);
        }
        let absent = [all[0] - present[0], all[1] - present[1]];
        absent != [0, 0] && (few(absent) || few(present))
    };
    present.into_iter().map(of).collect()
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
