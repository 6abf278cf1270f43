//! From a regression to tests and intervals of its coefficients.

use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::absorb::Factor;
use super::clustered::{self, Clusters};
use super::effects::{self, Whole};
use super::fitting::{self, Fitted};
use super::glm::Family;
use super::robust::{self, Absorbed, Sandwich};
use super::setup::{Data, Setup};
use super::wild::Draws;
use super::{Columns, Model, profiles, score, wild};
use crate::error::Result;
use crate::estimate::{Estimate, Level};

/// Residuals smaller than this, relative to the spread of the target, are rounding: the fit is
/// exact.
const EXACT: f64 = 1e-10;

/// With fewer clusters than this, tests are bootstrapped.
const FEW_CLUSTERS: usize = 40;
/// With fewer than this the bootstrap rejects too often, and CR2 too seldom: the jackknife judges.
const FEWEST_CLUSTERS: usize = 8;

/// Share of the classical error below which a robust error by cluster or within levels is taken to
/// have collapsed.
const COLLAPSED: f64 = 0.5;
/// The same with the fewest clusters, whose error falls to half by chance, as its t distribution has it.
const COLLAPSED_OF_FEWEST: f64 = 0.1;

/// A regression with tests and intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The intercept, if there is one, then one term per column.
    pub terms: Vec<Term>,
    /// Whether the first term is an intercept.
    pub intercept: bool,
    /// Fitted mean of every row: a number, the probability of 1, or a count.
    pub fitted: Vec<f64>,
    /// Whether separation was answered by Firth's penalised fit.
    pub penalised: bool,
    /// Terms, by number, whose likelihood has its maximum at infinity.
    pub separated: Vec<usize>,
    /// The negative binomial's: variance `m + dispersion m^2`.
    pub dispersion: Option<f64>,
    pub n_clusters: Option<usize>,
    /// Robust covariance of the terms.
    covariance: DMatrix<f64>,
}

/// A coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// In the unit of the target, log-odds or log of counts. A control has no test.
    pub estimate: Estimate,
    /// What its test comes from; `None` if it has none.
    pub variance: Option<Variance>,
    /// The HC3 standard error, whichever is used; `None` with clusters or absorbed factors.
    pub hc3: Option<f64>,
    /// The robust standard error, whichever is used: HC3's, HC2's, HC1's, CR1's, CR2's or CR3's.
    pub robust: Option<f64>,
    /// The one that trusts the model, whichever is used.
    pub classical: Option<f64>,
    /// Average marginal effect on the target's mean, in its unit; of tested columns.
    pub marginal: Option<Estimate>,
    /// Per standard deviation of the column and, in least squares, of the target.
    pub standardised: Option<f64>,
    /// What R2 loses without the column, in least squares.
    pub r_squared_change: Option<f64>,
}

/// Where a test comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variance {
    /// The HC3 sandwich.
    Hc3,
    /// The HC2 sandwich: a factor is absorbed.
    Hc2,
    /// The HC1 sandwich: several factors are absorbed.
    Hc1,
    /// The CR3 sandwich by cluster, the jackknife's, for the fewest clusters.
    Cr3,
    /// The CR2 sandwich by cluster.
    Cr2,
    /// The CR1 sandwich by cluster: factors are absorbed whose levels cut across clusters.
    Cr1,
    /// Equal spread, or the model's own variance: larger than the robust one here.
    Classical,
    /// The wild cluster bootstrap, for few clusters.
    WildCluster,
    /// The score bootstrap by cluster, for few clusters; the interval is CR2's.
    ScoreCluster,
    /// The profile of Firth's penalised likelihood.
    Profile,
}

/// Fits `model` with an intercept and judges every coefficient: [`Setup::infer`] for rows that are
/// alike and independent.
///
/// # Errors
/// Those of [`Setup::infer`].
pub fn infer(model: Model, columns: &Columns, y: &[f64], level: Level) -> Result<Inference> {
    Setup::new(model, columns.cols(), level).infer(columns, y)
}

impl Inference {
    /// The terms of the columns.
    #[must_use]
    pub fn columns(&self) -> &[Term] {
        &self.terms[usize::from(self.intercept)..]
    }

    /// Robust covariance of the coefficients of columns `a` and `b`; `None` if either has no
    /// standard error.
    #[must_use]
    pub fn covariance(&self, a: usize, b: usize) -> Option<f64> {
        let known = |j: usize| self.columns().get(j).is_some_and(|term| term.robust.is_some());
        let shift = usize::from(self.intercept);
        (known(a) && known(b)).then(|| self.covariance[(a + shift, b + shift)])
    }
}

/// Fits the data and judges the intercept and the tested columns.
///
/// The standard error is the robust one, or the classical one where that is larger: a robust one
/// collapses when the few texts of a rare column happen to share one value of the target, which a
/// target of few values (stars, counts) makes likely. Both are reported. By cluster and within
/// levels that is done only where the robust one is less than half, with the fewest clusters less than
/// a tenth: there it scatters more, and the larger of the two would often be too large. p-values and
/// intervals are those of Student's t with the Satterthwaite degrees of freedom of [`robust::hc3`] or
/// [`clustered::cr2`]; with few clusters they are bootstrapped, and with the fewest they are those of
/// [`clustered::cr3`]. A coefficient that a single row or
/// cluster decides has an estimate only. In a logit, a coefficient that is separated or rests on few
/// rows of a class is judged by its penalised profile, or has an estimate only if that cannot be
/// followed; with clusters by that or the other test, whichever is more careful.
///
/// Source of the larger of the two: Angrist and Pischke (2009), Mostly Harmless Econometrics, 8.1.
pub(super) fn judge(data: &Data) -> Result<Inference> {
    let mut fitted = fitting::fit(data, None, None)?;
    if fitted.family.is_none() && exact(data, &fitted) {
        return Ok(certain(data, fitted));
    }
    let profiles = profiles::judge(data, &mut fitted);
    let (variance, sandwich) = sandwich(data, &fitted);
    let spread = spread(data, &fitted);
    let classical = |l: usize| spread.map(|s| s * fitted.fit.inverse[(l, l)].sqrt());
    let mut terms: Vec<Term> = (0..fitted.x.cols())
        .map(|l| term(data, fitted.fit.coefficients[l], l, variance, &sandwich, classical(l)))
        .collect();
    bootstrap(data, &fitted, variance, &mut terms);
    let penalised = !profiles.is_empty() || !fitted.separated.is_empty();
    for (l, profile) in profiles {
        profiles::take(&mut terms[l], profile.as_ref().ok(), data.clusters.is_some());
    }
    // What is left to do goes over the rows by itself.
    (fitted.fit.residuals, fitted.fit.weights, fitted.fit.scores) = Default::default();
    describe(data, &fitted, &sandwich, &mut terms);
    Ok(inference(data, fitted, terms, sandwich.covariance, penalised))
}

fn inference(
    data: &Data,
    fitted: Fitted,
    terms: Vec<Term>,
    covariance: DMatrix<f64>,
    penalised: bool,
) -> Inference {
    let dispersion = match (data.setup.model, fitted.family) {
        (Model::NegativeBinomial, Some(Family::NegativeBinomial { alpha })) => Some(alpha),
        (Model::NegativeBinomial, _) => Some(0.0),
        _ => None,
    };
    Inference {
        terms,
        intercept: data.x.has_intercept(),
        fitted: fitted.fit.fitted,
        penalised,
        separated: fitted.separated,
        dispersion,
        n_clusters: data.clusters.as_ref().map(Clusters::len),
        covariance,
    }
}

/// The robust covariance that suits the data.
fn sandwich(data: &Data, fitted: &Fitted) -> (Variance, Sandwich) {
    let (x, fit) = (&fitted.x, &fitted.fit);
    let spent = x.cols() + fitted.absorbed;
    let tested: Vec<bool> = (0..x.cols()).map(|l| data.is_tested(l)).collect();
    if let Some(clusters) = &data.clusters {
        let is_within = |codes| {
            let home = Factor::new(codes);
            data.factors.iter().all(|f| f.is_within(&home))
        };
        let nested = data.factors.is_empty() || data.setup.clusters.is_some_and(is_within);
        let nested = nested.then_some(clusters);
        let found = if clusters.len() < FEWEST_CLUSTERS {
            nested.and_then(|c| Some((Variance::Cr3, clustered::cr3(x, fit, c, &tested)?)))
        } else {
            nested.and_then(|c| Some((Variance::Cr2, clustered::cr2(x, fit, c, &tested)?)))
        };
        let plain = || clustered::cr1(x, fit, clusters, fitted.rows, spent);
        return found.unwrap_or_else(|| (Variance::Cr1, plain()));
    }
    if data.factors.len() > 1 {
        return (Variance::Hc1, robust::hc1(x, fit, fitted.rows, spent));
    }
    let absorbed = data.factors.first().map(|factor| Absorbed { factor, totals: &fitted.totals });
    let variance = if absorbed.is_some() { Variance::Hc2 } else { Variance::Hc3 };
    (variance, robust::hc3(x, fit, absorbed, &tested))
}

/// A term from the larger of its two standard errors.
fn term(
    data: &Data,
    value: f64,
    l: usize,
    robust: Variance,
    sandwich: &Sandwich,
    classical: Option<f64>,
) -> Term {
    let bare = bare(value, classical);
    let Some(std_error) = sandwich.std_error(l) else { return bare };
    let least = match robust {
        Variance::Hc3 => f64::INFINITY,
        Variance::Cr3 => COLLAPSED_OF_FEWEST,
        _ => COLLAPSED,
    };
    let guard = classical.filter(|c| std_error < least * c);
    let larger = guard.unwrap_or(0.0).max(std_error);
    let (estimate, variance) = match sandwich.df[l] {
        Some(df) if data.is_tested(l) => (
            Estimate::student(value, larger, df, data.setup.level),
            Some(if larger > std_error { Variance::Classical } else { robust }),
        ),
        _ => (Estimate { std_error: Some(larger), ..Estimate::bare(value) }, None),
    };
    let hc3 = (robust == Variance::Hc3).then_some(std_error);
    Term { estimate, variance, hc3, robust: Some(std_error), ..bare }
}

fn bare(value: f64, classical: Option<f64>) -> Term {
    Term {
        estimate: Estimate::bare(value),
        variance: None,
        hc3: None,
        robust: None,
        classical,
        marginal: None,
        standardised: None,
        r_squared_change: None,
    }
}

/// Replaces tests where clusters are few.
fn bootstrap(data: &Data, fitted: &Fitted, robust: Variance, terms: &mut [Term]) {
    let is_few = |c: &&Clusters| (FEWEST_CLUSTERS..FEW_CLUSTERS).contains(&c.len());
    let Some(clusters) = data.clusters.as_ref().filter(is_few) else { return };
    let draws = Draws::new(clusters.len(), data.setup.seed);
    let shift = usize::from(data.x.has_intercept());
    let replace = |(l, term): (usize, &mut Term)| {
        if fitted.family.is_some() && l >= shift {
            let mut start = fitted.fit.coefficients.clone();
            start.remove(l);
            if let Some(p) = score::p_value(data, clusters, &draws, start, l - shift) {
                term.variance = Some(Variance::ScoreCluster);
                term.estimate.p_value = Some(p);
            }
        // Levels that cut across clusters would have to be taken out of every draw.
        } else if fitted.family.is_none() && robust == Variance::Cr2 {
            let level = data.setup.level;
            let found = wild::test(&fitted.x, &fitted.fit, clusters, l, &draws, level);
            if let Some(found) = found {
                let (conf_low, conf_high) = (found.conf_low, found.conf_high);
                let p_value = Some(found.p_value);
                term.variance = Some(Variance::WildCluster);
                term.estimate = Estimate { p_value, conf_low, conf_high, ..term.estimate };
            }
        }
    };
    terms.par_iter_mut().enumerate().filter(|(_, t)| t.variance.is_some()).for_each(replace);
}

/// Adds how large the effects of the tested columns are.
fn describe(data: &Data, fitted: &Fitted, sandwich: &Sandwich, terms: &mut [Term]) {
    let shift = usize::from(data.x.has_intercept());
    let whole = Whole::new(data, fitted);
    let marginals = effects::marginal(&whole, data.setup.tested, &sandwich.covariance);
    let tested = terms[shift..].par_iter_mut().zip(marginals).enumerate();
    tested.for_each(|(j, (term, found))| {
        term.standardised = effects::standardised(&whole, j);
        term.r_squared_change = effects::r_squared_change(&whole, j + shift);
        term.marginal = if fitted.family.is_none() {
            Some(term.estimate)
        } else {
            found.map(|found| {
                let at = |b: f64| effects::marginal_at(&whole, j, b);
                marginal(term, found, data.setup.level, at)
            })
        };
    });
}

/// A marginal effect with the test of its coefficient, whose null is the same, and with an error
/// that is as much larger than the robust one as the coefficient's. Near separation, where a profile
/// bounds the coefficient, its bounds are those of the effect too, the other coefficients held.
fn marginal(
    term: &Term,
    (value, std_error): (f64, f64),
    level: Level,
    at: impl Fn(f64) -> Option<f64>,
) -> Estimate {
    let (Some(used), Some(robust)) = (term.estimate.std_error, term.robust) else {
        return Estimate::bare(value);
    };
    let std_error = if robust > 0.0 { std_error * (used / robust).max(1.0) } else { std_error };
    let found = match term.estimate.df {
        Some(df) => Estimate::student(value, std_error, df, level),
        None => Estimate::normal(value, std_error, level),
    };
    let found = Estimate { p_value: term.estimate.p_value, ..found };
    if term.variance != Some(Variance::Profile) {
        return found;
    }
    let [conf_low, conf_high] = [term.estimate.conf_low, term.estimate.conf_high];
    Estimate { conf_low: conf_low.and_then(&at), conf_high: conf_high.and_then(&at), ..found }
}

/// Standard deviation of the residuals (divisor n - p), `None` without residual freedom; 1 for a
/// likelihood.
fn spread(data: &Data, fitted: &Fitted) -> Option<f64> {
    if fitted.family.is_some() {
        return Some(1.0);
    }
    let spent = fitted.x.cols() + fitted.absorbed;
    (data.rows > spent).then(|| {
        let rows = fitted.fit.residuals.iter().zip(&data.weights);
        let squares: f64 = rows.map(|(e, w)| w * e * e).sum();
        (squares / (data.rows - spent) as f64).sqrt()
    })
}

/// Whether the columns reproduce the target to rounding.
fn exact(data: &Data, fitted: &Fitted) -> bool {
    let rows = fitted.fit.residuals.iter().zip(&data.weights).filter(|(_, w)| **w > 0.0);
    let largest = rows.fold(0.0, |a: f64, (e, _)| a.max(e.abs()));
    data.rows > fitted.x.cols() + fitted.absorbed && largest <= EXACT * range(data.y)
}

/// Terms of an exact fit: no error, and 0 where the coefficient is rounding.
fn certain(data: &Data, fitted: Fitted) -> Inference {
    let df = (data.rows - fitted.x.cols() - fitted.absorbed) as f64;
    let p = fitted.x.cols();
    let whole = Whole::new(data, &fitted);
    let term = |(l, &value): (usize, &f64)| {
        let value = if value.abs() <= EXACT * range(data.y) { 0.0 } else { value };
        let estimate = Estimate::student(value, 0.0, df, data.setup.level);
        let variance = Some(Variance::Hc3);
        let robust = Some(0.0);
        let r_squared_change = effects::r_squared_change(&whole, l);
        let marginal = Some(estimate);
        let hc3 = robust;
        let standardised = l
            .checked_sub(usize::from(data.x.has_intercept()))
            .and_then(|j| effects::standardised(&whole, j));
        let classical = Some(0.0);
        Term {
            estimate,
            variance,
            hc3,
            robust,
            classical,
            marginal,
            standardised,
            r_squared_change,
        }
    };
    let terms = fitted.fit.coefficients.iter().enumerate().map(term).collect();
    inference(data, fitted, terms, DMatrix::zeros(p, p), false)
}

fn range(y: &[f64]) -> f64 {
    let low = y.iter().copied().fold(f64::INFINITY, f64::min);
    let high = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low
}
