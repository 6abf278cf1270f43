//! Effects corrected for errors of the annotator, by texts that a human annotated as well.
//!
//! In go annotations of all texts by a machine, annotations of a random part of them by a human,
//! and the target; out come the coefficients that annotating every text by hand would have given,
//! beside the naive ones. Errors of a yes or no that stands among the columns of a regression bias
//! it however many texts there are; the human's texts say by how much.
//!
//! Both methods solve `sum_i m~_i(b) = 0` with the moments of an ordinary regression,
//! `m(x) = x (y - mean(x'b))`, at the machine's columns `x^` and the human's `x`:
//!
//! ```text
//! m~_i = l m(x^_i) + R_i / pi_i (m(x_i) - l m(x^_i))
//! ```
//!
//! where R says whether the human annotated the text and pi is the chance of that. `l = 1` is
//! design-based supervised learning (DSL), `l = 0` uses the human's texts alone, and the `l` of
//! least variance is prediction-powered inference with power tuning (PPI++). Since R is drawn by
//! the researcher, the mean of m~ is that of m(x) whatever errors the machine makes.

mod data;
mod solve;

use nalgebra::DMatrix;

use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level};
use solve::{Moments, Parts};

pub use data::{Annotated, Sampling};

/// How the mean of the target depends on `x'b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It is it. With one concept the coefficient is the separation, a difference of means.
    Identity,
    /// `1 / (1 + exp(-x'b))`, for a target of 0 and 1.
    Logit,
    /// `exp(x'b)`, for counts.
    Log,
}

/// How much the machine's annotations count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tuning {
    /// Fully: DSL.
    Full,
    /// As much as makes the concepts' variances, summed, smallest; between 0 and 1: PPI++.
    Power,
    /// This much.
    Fixed(f64),
}

/// Corrected and naive coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Rectified {
    /// The intercept if there is one, the concepts, the controls.
    pub terms: Vec<Term>,
    /// `l`, how much the machine's annotations counted.
    pub weight: f64,
    /// Texts that the human annotated for every concept.
    pub gold: usize,
}

/// A coefficient three ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    pub corrected: Estimate,
    /// As if the machine made no errors.
    pub naive: Estimate,
    /// From the human's texts alone; `None` if they are too few for a fit.
    pub human: Option<Estimate>,
}

/// Solves the moments and judges the solution.
///
/// ```text
/// V = H^-1 (sum_g u_g u_g') H^-1' G / (G - 1),   H = sum_i d m~_i / d b,
/// u_i = m~_i - (R_i / pi_i - 1) d,   u_g summed by cluster, or by row
/// ```
///
/// `d` is the mean of `m(x) - l m(x^)` over the human's texts where their number was fixed, as it
/// is for a plain random sample, and 0 where every text was drawn by itself. Tests are Student's.
/// What is uncertain is mostly the human's part: with k texts of hers there are k - p degrees of
/// freedom f, with clusters one less than she saw, and her part of `u` is scaled by
/// `sqrt(k / f)`. The power-tuned weight is found at the solution for `l = 1`. Newton's steps, O(n p^2) each, sums in
/// row order.
///
/// The human's texts must be a random sample: corrections by hand-picked texts are worthless.
///
/// Source: Egami, Hinck, Stewart, Wei (2023), Using imperfect surrogates for downstream inference,
/// `NeurIPS` (arXiv 2306.04746); Angelopoulos, Duchi, Zrnic (2023), PPI++ (arXiv 2311.01453).
///
/// # Errors
/// [`Error::Shape`], [`Error::NotFinite`], [`Error::Option`] for bad input; [`Error::Data`] if the
/// human's texts are too few, or a concept is true of fewer than two of them or of all but one;
/// [`Error::Diverged`] if no solution is found.
pub fn rectify(
    link: Link,
    annotated: &Annotated,
    tuning: Tuning,
    level: Level,
) -> Result<Rectified> {
    let moments = Moments::new(link, annotated)?;
    let naive = moments.solve(Parts::Machine, &moments.start())?;
    let corrected = |weight: f64| moments.solve(Parts::Both(weight), &naive);
    let weight = match tuning {
        Tuning::Full => 1.0,
        Tuning::Fixed(weight) if (0.0..=1.0).contains(&weight) => weight,
        Tuning::Fixed(weight) => return Err(Error::option("weight", weight, "from 0 to 1")),
        Tuning::Power => moments.best_weight(&corrected(1.0)?)?,
    };
    let found = corrected(weight)?;
    let human = moments.solve(Parts::Both(0.0), &found).ok();
    let judge = |parts: Parts, at: &[f64]| moments.judge(parts, at, level);
    let naive = judge(Parts::Machine, &naive)?;
    let human = human.and_then(|at| judge(Parts::Both(0.0), &at).ok());
    let term = |(j, corrected): (usize, Estimate)| Term {
        corrected,
        naive: naive[j],
        human: human.as_ref().map(|human| human[j]),
    };
    let terms = judge(Parts::Both(weight), &found)?.into_iter().enumerate().map(term).collect();
    Ok(Rectified { terms, weight, gold: moments.gold() })
}

/// Condition, once every diagonal entry is 1, beyond which a solution is rounding.
const SINGULAR: f64 = 1e10;

/// The inverse of a matrix that should be symmetric and positive definite, as the moments of real
/// columns are; a correction by too few texts can spoil that.
fn inverse(matrix: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let scale = matrix.diagonal().map(|v| 1.0 / v.sqrt());
    let scaled = |m: &DMatrix<f64>| {
        DMatrix::from_fn(m.nrows(), m.ncols(), |j, k| scale[j] * m[(j, k)] * scale[k])
    };
    let of_unit = scaled(matrix);
    let back = of_unit.clone().cholesky().map(|factor| factor.inverse());
    let condition = |back: &DMatrix<f64>| back.norm() * of_unit.norm();
    back.filter(|back| condition(back) < SINGULAR).map(|back| scaled(&back)).ok_or_else(|| {
        Error::Data(
            "the corrected regression has no single solution; leave out columns that say the same, \
             or have more texts annotated by hand"
                .into(),
        )
    })
}
