//! Proportional-odds regression of a target with ordered levels.
//!
//! In go the level of every row and columns, out come log-odds per column, what they mean for the
//! expected level, and a test of whether one number per column is enough for all levels:
//!
//! ```text
//! P(level_i <= k) = 1 / (1 + exp(-(a_k - x_i' b))),   a_0 < a_1 < ...
//! ```
//!
//! A positive `b` goes with higher levels. Levels without rows are left out, so that those on
//! either side of them are neighbours; with two levels this is the logit.

mod likelihood;
mod marginal;
mod parallel;

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::Columns;
use super::least_squares::dependent;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level};
use crate::numbered::numbered;
use likelihood::{Likelihood, Maximum};

/// What is explained, one entry per row.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Number of the row's level, an index into `values`.
    pub levels: &'a [usize],
    /// What each level stands for, such as a number of stars, in rising order.
    pub values: &'a [f64],
    /// How many rows a row counts for; 1 throughout if `None`.
    pub weights: Option<&'a [f64]>,
    /// Rows of equal cluster are not independent.
    pub cluster: Option<&'a [usize]>,
}

/// A fitted proportional-odds regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordinal {
    /// The levels that occur.
    pub levels: Vec<usize>,
    /// `a_k`, one less than there are levels.
    pub thresholds: Vec<f64>,
    /// One per column.
    pub terms: Vec<Term>,
    /// Expected value of every row.
    pub fitted: Vec<f64>,
    pub log_likelihood: f64,
    /// That of the thresholds alone.
    pub null_log_likelihood: f64,
}

/// What is known of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Log-odds of being above any level; `None` for a column that separates levels, whose log-odds
    /// have no limit.
    pub estimate: Option<Estimate>,
    /// The sandwich standard error.
    pub robust: Option<f64>,
    /// The one that trusts the model.
    pub classical: Option<f64>,
    /// Average change of the expected value: from 0 to 1 for a column of 0 and 1, else per unit.
    pub effect: Estimate,
    /// Whether the log-odds differ between levels; `None` if there are two, or too few rows to say.
    pub proportional: Option<Chi>,
}

/// A test against the chi-squared distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chi {
    pub statistic: f64,
    pub df: usize,
    pub p_value: f64,
}

/// Fits and judges.
///
/// Newton's steps with the observed information, each O(n p^2) at most for rows with p entries.
/// The sandwich is `I^-1 (sum_g s_g s_g') I^-1 G / (G - 1)` with scores summed by cluster, or by
/// row if there are none; tests are Student's with `G - 1` degrees of freedom, or `n - p`. The
/// standard error is the sandwich's, or the model's where that is larger, as in [`super::infer`].
/// Effects have theirs by the delta method, for the rows as they are.
///
/// The test of proportional odds frees one column's log-odds at every level and takes the score
/// there (Peterson and Harrell 1990, Appl. Stat. 39), with its sandwich if there are clusters or
/// weights (Boos 1992, Am. Stat. 46).
///
/// Source: P. `McCullagh` (1980), Regression models for ordinal data, J. R. Stat. Soc. B 42.
///
/// # Errors
/// [`Error::Shape`], [`Error::NotFinite`], [`Error::Option`] for bad input; [`Error::Data`] if
/// there is one level or one cluster only, if columns are linearly dependent, or if they separate
/// the levels completely; [`Error::Diverged`] if the steps do not settle.
pub fn infer(target: &Target, columns: &Columns, level: Level) -> Result<Ordinal> {
    check(target, columns)?;
    let rows: Vec<usize> = (0..target.levels.len()).filter(|&i| target.weight(i) > 0.0).collect();
    let columns = if rows.len() == columns.rows() {
        Cow::Borrowed(columns)
    } else {
        Cow::Owned(columns.gather(&rows))
    };
    let levels = occurring(target, &rows)?;
    let likelihood = Likelihood::new(target, &rows, &levels, &columns)?;
    let found = likelihood.maximise()?;
    let errors = Errors::new(target, &rows, &likelihood, &found)?;
    let values: Vec<f64> = levels.iter().map(|l| target.values[*l]).collect();
    let marginal = marginal::Marginal::new(&likelihood, &found.parameters, &values);
    let term = |j: usize| {
        let at = likelihood.cuts + j;
        let pick = unit(found.parameters.len(), at);
        let judged = errors.judge(found.parameters[at], &pick, level);
        let kept = !found.separated.contains(&at);
        let (change, gradient) = marginal.effect(j);
        Term {
            estimate: kept.then_some(judged.estimate),
            robust: judged.robust.filter(|_| kept),
            classical: judged.classical.filter(|_| kept),
            effect: errors.judge(change, &gradient, level).estimate,
            proportional: parallel::test(&likelihood, &found, j, errors.cluster.as_deref()),
        }
    };
    Ok(Ordinal {
        thresholds: found.parameters[..likelihood.cuts].to_vec(),
        terms: (0..columns.cols()).into_par_iter().map(term).collect(),
        fitted: fitted(target, &likelihood, &found, &marginal, &rows),
        log_likelihood: found.log_likelihood,
        null_log_likelihood: likelihood.null(),
        levels,
    })
}

impl Target<'_> {
    fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i])
    }
}

/// Covariances of the parameters, without those that are separated.
struct Errors {
    kept: Vec<usize>,
    robust: DMatrix<f64>,
    classical: DMatrix<f64>,
    df: f64,
    /// Number of every row's cluster, where the test of proportional odds needs its sandwich.
    cluster: Option<Vec<usize>>,
}

/// A value with either standard error.
struct Judged {
    estimate: Estimate,
    robust: Option<f64>,
    classical: Option<f64>,
}

impl Errors {
    fn new(
        target: &Target,
        rows: &[usize],
        likelihood: &Likelihood,
        found: &Maximum,
    ) -> Result<Self> {
        let p = found.parameters.len();
        let kept: Vec<usize> = (0..p).filter(|j| !found.separated.contains(j)).collect();
        let classical = found
            .information
            .select_rows(&kept)
            .select_columns(&kept)
            .cholesky()
            .ok_or_else(dependent)?
            .inverse();
        let cluster = target.cluster.map(|c| numbered(rows.iter().map(|&i| c[i])).0);
        let groups = cluster.as_ref().map_or(rows.len(), |c| c.iter().max().map_or(0, |g| g + 1));
        if groups < 2 {
            let message = "there is one cluster only; leave the clusters out or use finer ones";
            return Err(Error::Data(message.into()));
        }
        let meat = meat(likelihood, found, cluster.as_deref(), &kept);
        let meat = meat * (groups as f64 / (groups as f64 - 1.0));
        let freedom = if cluster.is_some() { groups as f64 - 1.0 } else { (rows.len() - p) as f64 };
        let cluster = cluster.or_else(|| target.weights.map(|_| (0..rows.len()).collect()));
        let robust = &classical * meat * &classical;
        Ok(Self { kept, robust, classical, df: freedom, cluster })
    }

    /// A value whose change with the parameters is `gradient`.
    fn judge(&self, value: f64, gradient: &DVector<f64>, level: Level) -> Judged {
        let kept = gradient.select_rows(&self.kept);
        // A value that hangs on a separated parameter has no error that could be known.
        let known = kept.iter().any(|v| *v != 0.0);
        let error = |covariance: &DMatrix<f64>| {
            let squared = (kept.transpose() * covariance * &kept)[(0, 0)];
            (known && squared.is_finite()).then(|| squared.max(0.0).sqrt())
        };
        let (robust, classical) = (error(&self.robust), error(&self.classical));
        let larger = robust.zip(classical).map(|(r, c)| r.max(c));
        let estimate = match larger {
            Some(error) => Estimate::student(value, error, self.df, level),
            None => Estimate::bare(value),
        };
        Judged { estimate, robust, classical }
    }
}

/// `sum_g s_g s_g'` over the parameters `kept`, in order of the clusters; of the rows without any.
fn meat(
    likelihood: &Likelihood,
    found: &Maximum,
    cluster: Option<&[usize]>,
    kept: &[usize],
) -> DMatrix<f64> {
    let place = |j: usize| kept.iter().position(|k| *k == j);
    let groups = cluster.map_or(1, |c| c.iter().max().map_or(0, |g| g + 1));
    let mut sums = vec![DVector::zeros(kept.len()); groups];
    let mut meat = DMatrix::zeros(kept.len(), kept.len());
    likelihood.scores(&found.parameters, None, |i, score| {
        let sum = &mut sums[cluster.map_or(0, |c| c[i])];
        for (at, v) in score.iter().filter_map(|(j, v)| Some((place(*j)?, v))) {
            sum[at] += v;
        }
        if cluster.is_none() {
            meat.ger(1.0, sum, sum, 1.0);
            sum.fill(0.0);
        }
    });
    for sum in sums.iter().filter(|_| cluster.is_some()) {
        meat.ger(1.0, sum, sum, 1.0);
    }
    meat
}

fn fitted(
    target: &Target,
    likelihood: &Likelihood,
    found: &Maximum,
    marginal: &marginal::Marginal,
    rows: &[usize],
) -> Vec<f64> {
    let eta = likelihood.predictors(&found.parameters);
    // Rows of no weight have no part in the fit; they get the mean.
    let mean = marginal.mean();
    let mut fitted = vec![mean; target.levels.len()];
    rows.iter().zip(&eta).for_each(|(&i, eta)| fitted[i] = marginal.expected(*eta));
    fitted
}

/// The levels that rows of some weight have.
fn occurring(target: &Target, rows: &[usize]) -> Result<Vec<usize>> {
    let mut levels: Vec<usize> = rows.iter().map(|&i| target.levels[i]).collect();
    levels.sort_unstable();
    levels.dedup();
    if levels.len() < 2 {
        return Err(Error::Data("the target has one level only".into()));
    }
    Ok(levels)
}

fn check(target: &Target, columns: &Columns) -> Result<()> {
    let n = target.levels.len();
    Error::check_len("column", columns.rows(), n)?;
    Error::check_len("weights", target.weights.map_or(n, <[f64]>::len), n)?;
    Error::check_len("cluster", target.cluster.map_or(n, <[usize]>::len), n)?;
    Error::check_finite("values", target.values)?;
    Error::check_finite("weights", target.weights.unwrap_or(&[]))?;
    if let Some(weight) = target.weights.unwrap_or(&[]).iter().find(|w| **w < 0.0) {
        return Err(Error::option("weight", weight, "0 or more"));
    }
    if let Some(level) = target.levels.iter().find(|l| **l >= target.values.len()) {
        return Err(Error::option("level", level, format!("below {}", target.values.len())));
    }
    if target.values.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(Error::Data("the values of the levels are not in rising order; sort them".into()))
    }
}

fn unit(length: usize, at: usize) -> DVector<f64> {
    let mut unit = DVector::zeros(length);
    unit[at] = 1.0;
    unit
}
