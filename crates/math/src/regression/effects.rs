//! How large an effect is: in the target's unit, in standard deviations, in explained variance.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::design::in_pieces;
use super::fitting::{Fitted, without_offset};
use super::glm::Family;
use super::least_squares::weighted_mean;
use super::setup::Data;

/// What is averaged over the rows.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// From one value of the column to another, times a factor.
    Discrete { from: f64, to: f64, share: f64 },
    /// The slope in the column.
    Slope,
}

/// Average marginal effect of column `j` on the mean of the target, with its standard error from
/// the `covariance` of the coefficients; `None` for least squares, whose coefficient it is.
///
/// ```text
/// sum w_i (m(e_i with x_ij = 1) - m(e_i with x_ij = 0)) / sum w_i
/// ```
///
/// for a column of 0 and 1; the average slope `b_j m'(e_i)` for others. For pairs (columns of -1, 0
/// and 1 without intercept in a logit) half of the change from -1 to 1: what the chance of winning
/// gains where the concept is in one side only; it does not depend on which side is first. Error by
/// the delta method; within absorbed factors the levels follow the coefficients. O(n p).
///
/// Source: Cameron and Trivedi (2005), Microeconometrics, 14.3; Wooldridge (2010), 15.6.
pub(super) fn marginal(whole: &Whole, j: usize, covariance: &DMatrix<f64>) -> Option<(f64, f64)> {
    let (value, slope) = Rows::new(whole, j, None)?.sum();
    let variance = slope.dot(&(covariance * &slope));
    let std_error = variance.max(0.0).sqrt();
    (value.is_finite() && std_error.is_finite()).then_some((value, std_error))
}

/// The average marginal effect if the coefficient of column `j` were `b` and the others as fitted.
pub(super) fn marginal_at(whole: &Whole, j: usize, b: f64) -> Option<f64> {
    let (value, _) = Rows::new(whole, j, Some(b))?.sum();
    value.is_finite().then_some(value)
}

fn change(data: &Data, family: Family, j: usize) -> Change {
    let all = |allowed: &[f64]| data.x.columns().has_only(j, allowed);
    let pairs = family == Family::Logit && !data.setup.intercept;
    if pairs && all(&[-1.0, 0.0, 1.0]) {
        Change::Discrete { from: -1.0, to: 1.0, share: 0.5 }
    } else if all(&[0.0, 1.0]) {
        Change::Discrete { from: 0.0, to: 1.0, share: 1.0 }
    } else {
        Change::Slope
    }
}

/// What the effects of all columns share.
pub(super) struct Whole<'a> {
    data: &'a Data<'a>,
    fitted: &'a Fitted<'a>,
    /// Linear predictors of a likelihood; within absorbed factors they are known from the means.
    predictors: Vec<f64>,
    /// The means at these, with their slopes.
    means: Vec<[f64; 2]>,
    /// In least squares, variances of the target, and of what the offset leaves of it.
    variances: [f64; 2],
}

impl<'a> Whole<'a> {
    pub fn new(data: &'a Data<'a>, fitted: &'a Fitted<'a>) -> Self {
        let (mut predictors, mut variances) = (Vec::new(), [0.0; 2]);
        if fitted.family.is_none() {
            let of = |y: &[f64]| variance(y, &data.weights, is_centred(data));
            let whole = of(data.y);
            variances = [whole, data.setup.offset.map_or(whole, |_| of(&without_offset(data)))];
        } else if data.factors.is_empty() {
            predictors = fitted.x.times(&fitted.fit.coefficients);
            if let Some(offset) = data.setup.offset {
                predictors.iter_mut().zip(offset).for_each(|(e, o)| *e += o);
            }
        } else {
            predictors = fitted.fit.fitted.iter().map(|m| m.ln()).collect();
        }
        let mean = |family: Family, eta: f64| {
            let [mean, slope, _] = family.mean(eta);
            [mean, slope]
        };
        let means = fitted.family.map_or(Vec::new(), |family| {
            predictors.par_iter().with_min_len(4096).map(|eta| mean(family, *eta)).collect()
        });
        Self { data, fitted, predictors, means, variances }
    }

    /// Number of column `j` in the design.
    fn place(&self, j: usize) -> usize {
        j + usize::from(self.data.x.has_intercept())
    }
}

struct Rows<'a> {
    whole: &'a Whole<'a>,
    family: Family,
    change: Change,
    j: usize,
    l: usize,
    /// Coefficient of the column, and how far it is from the fitted one.
    b: f64,
    apart: f64,
}

impl<'a> Rows<'a> {
    fn new(whole: &'a Whole, j: usize, b: Option<f64>) -> Option<Self> {
        let (family, l) = (whole.fitted.family?, whole.place(j));
        let fitted = whole.fitted.fit.coefficients[l];
        let b = b.unwrap_or(fitted);
        let change = change(whole.data, family, j);
        Some(Self { whole, family, change, j, l, b, apart: b - fitted })
    }

    /// The average and its slope in the coefficients.
    fn sum(&self) -> (f64, DVector<f64>) {
        let (eta, p) = (&self.whole.predictors, self.whole.fitted.x.cols());
        let pieces = in_pieces(eta.len(), |piece| {
            let (mut value, mut slope) = (0.0, DVector::zeros(p));
            let mut entries = self.whole.fitted.x.entries();
            for i in piece {
                let v = self.whole.data.x.columns().value(i, self.j);
                let at = (v, eta[i] + self.apart * v);
                value += self.add(i, entries.row(i), at, &mut slope);
            }
            (value, slope)
        });
        let zero = (0.0, DVector::zeros(p));
        let (value, slope) = pieces.into_iter().fold(zero, |a, b| (a.0 + b.0, a.1 + b.1));
        let total: f64 = self.whole.data.weights.iter().sum();
        (value / total, slope / total)
    }

    /// Mean and slope of row `i` so far from its linear predictor.
    fn mean(&self, i: usize, eta: f64, away: f64) -> [f64; 2] {
        if away == 0.0 && self.apart == 0.0 {
            return self.whole.means[i];
        }
        let [mean, slope, _] = self.family.mean(eta + away);
        [mean, slope]
    }

    /// Row `i`'s part of the sum, from its entry `v` in the column and its linear predictor; its slope
    /// in the coefficients is added to `slope`.
    fn add(
        &self,
        i: usize,
        row: &[(usize, f64)],
        (v, eta): (f64, f64),
        slope: &mut DVector<f64>,
    ) -> f64 {
        let weight = self.whole.data.weights[i];
        if weight == 0.0 || eta == f64::NEG_INFINITY {
            return 0.0;
        }
        let b = self.b;
        let (value, along, own) = match self.change {
            Change::Slope => {
                let [_, first, second] = self.family.mean(eta);
                (b * first, b * second, first)
            }
            Change::Discrete { from, to, share } => {
                let [high, high_slope] = self.mean(i, eta, b * (to - v));
                let [low, low_slope] = self.mean(i, eta, b * (from - v));
                let own = high_slope * (to - v) - low_slope * (from - v);
                (share * (high - low), share * (high_slope - low_slope), share * own)
            }
        };
        for (k, x) in row {
            slope[*k] += weight * along * x;
        }
        slope[self.l] += weight * own;
        weight * value
    }
}

/// A coefficient per standard deviation of its column and, in least squares, of the target; `None`
/// if the target has none. Without an intercept these are around 0, as pairs have no mean.
pub(super) fn standardised(whole: &Whole, j: usize) -> Option<f64> {
    let Whole { data, fitted, .. } = whole;
    let b = fitted.fit.coefficients[whole.place(j)];
    let column = data.x.columns().column(j);
    let spread = variance(&column, &data.weights, is_centred(data)).sqrt();
    let per = if fitted.family.is_none() { whole.variances[0].sqrt() } else { 1.0 };
    Some(b * spread / per).filter(|v| v.is_finite())
}

/// What R2 loses when coefficient `l` is set to 0 and the others are fitted anew, in least squares:
/// `b_l^2 / (B_ll S)` with `S` the sum of squares of the target, around its mean unless there is no
/// intercept. Exact.
pub(super) fn r_squared_change(whole: &Whole, l: usize) -> Option<f64> {
    let Whole { data, fitted: Fitted { fit, family, .. }, .. } = whole;
    if family.is_some() {
        return None;
    }
    let squares = data.weights.iter().sum::<f64>() * whole.variances[1];
    let change = fit.coefficients[l].powi(2) / (fit.inverse[(l, l)] * squares);
    change.is_finite().then_some(change)
}

fn is_centred(data: &Data) -> bool {
    data.x.has_intercept() || !data.factors.is_empty()
}

fn variance(values: &[f64], weights: &[f64], around_mean: bool) -> f64 {
    let mean = if around_mean { weighted_mean(values, weights) } else { 0.0 };
    let rows = values.iter().zip(weights);
    let squares: f64 = rows.map(|(v, w)| w * (v - mean).powi(2)).sum();
    squares / weights.iter().sum::<f64>()
}
