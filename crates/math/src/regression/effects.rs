//! How large an effect is: in the target's unit, in standard deviations, in explained variance.

use nalgebra::{DMatrix, DVector};

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
pub(super) fn marginal(
    data: &Data,
    fitted: &Fitted,
    j: usize,
    covariance: &DMatrix<f64>,
) -> Option<(f64, f64)> {
    let family = fitted.family?;
    let l = j + usize::from(data.x.has_intercept());
    let (value, slope) = Rows::new(data, fitted, family, j, fitted.fit.coefficients[l]).sum();
    let variance = slope.dot(&(covariance * &slope));
    let std_error = variance.max(0.0).sqrt();
    (value.is_finite() && std_error.is_finite()).then_some((value, std_error))
}

/// The average marginal effect if the coefficient of column `j` were `b` and the others as fitted.
pub(super) fn marginal_at(data: &Data, fitted: &Fitted, j: usize, b: f64) -> Option<f64> {
    let (value, _) = Rows::new(data, fitted, fitted.family?, j, b).sum();
    value.is_finite().then_some(value)
}

fn change(data: &Data, family: Family, j: usize) -> Change {
    let all = |allowed: &[f64]| data.columns[j].iter().all(|v| allowed.contains(v));
    let pairs = family == Family::Logit && !data.setup.intercept;
    if pairs && all(&[-1.0, 0.0, 1.0]) {
        Change::Discrete { from: -1.0, to: 1.0, share: 0.5 }
    } else if all(&[0.0, 1.0]) {
        Change::Discrete { from: 0.0, to: 1.0, share: 1.0 }
    } else {
        Change::Slope
    }
}

struct Rows<'a> {
    data: &'a Data<'a>,
    fitted: &'a Fitted,
    family: Family,
    change: Change,
    j: usize,
    l: usize,
    /// Coefficient of the column.
    b: f64,
}

impl<'a> Rows<'a> {
    fn new(data: &'a Data, fitted: &'a Fitted, family: Family, j: usize, b: f64) -> Self {
        let l = j + usize::from(data.x.has_intercept());
        Self { data, fitted, family, change: change(data, family, j), j, l, b }
    }

    /// The average and its slope in the coefficients.
    fn sum(&self) -> (f64, DVector<f64>) {
        let (eta, p) = (self.predictors(), self.fitted.x.cols());
        let pieces = in_pieces(eta.len(), |piece| {
            let (mut value, mut slope) = (0.0, DVector::zeros(p));
            piece.for_each(|i| value += self.add(i, eta[i], &mut slope));
            (value, slope)
        });
        let zero = (0.0, DVector::zeros(p));
        let (value, slope) = pieces.into_iter().fold(zero, |a, b| (a.0 + b.0, a.1 + b.1));
        let total: f64 = self.data.weights.iter().sum();
        (value / total, slope / total)
    }

    /// Linear predictors; within absorbed factors they are known from the means.
    fn predictors(&self) -> Vec<f64> {
        let fit = &self.fitted.fit;
        if !self.data.factors.is_empty() {
            return fit.fitted.iter().map(|m| m.ln()).collect();
        }
        let mut coefficients = fit.coefficients.clone();
        coefficients[self.l] = self.b;
        let mut eta = self.fitted.x.times(&coefficients);
        if let Some(offset) = self.data.setup.offset {
            eta.iter_mut().zip(offset).for_each(|(e, o)| *e += o);
        }
        eta
    }

    /// Row `i`'s part of the sum; its slope in the coefficients is added to `slope`.
    fn add(&self, i: usize, eta: f64, slope: &mut DVector<f64>) -> f64 {
        let weight = self.data.weights[i];
        if weight == 0.0 || eta == f64::NEG_INFINITY {
            return 0.0;
        }
        let (b, v) = (self.b, self.data.columns[self.j][i]);
        let (value, along, own) = match self.change {
            Change::Slope => {
                let [_, first, second] = self.family.mean(eta);
                (b * first, b * second, first)
            }
            Change::Discrete { from, to, share } => {
                let [high, high_slope, _] = self.family.mean(eta + b * (to - v));
                let [low, low_slope, _] = self.family.mean(eta + b * (from - v));
                let own = high_slope * (to - v) - low_slope * (from - v);
                (share * (high - low), share * (high_slope - low_slope), share * own)
            }
        };
        for (k, x) in self.fitted.x.row(i) {
            slope[*k] += weight * along * x;
        }
        slope[self.l] += weight * own;
        weight * value
    }
}

/// A coefficient per standard deviation of its column and, in least squares, of the target; `None`
/// if the target has none. Without an intercept these are around 0, as pairs have no mean.
pub(super) fn standardised(data: &Data, fitted: &Fitted, j: usize) -> Option<f64> {
    let b = fitted.fit.coefficients[j + usize::from(data.x.has_intercept())];
    let spread = |v: &[f64]| variance(v, &data.weights, is_centred(data)).sqrt();
    let per = if fitted.family.is_none() { spread(data.y) } else { 1.0 };
    Some(b * spread(&data.columns[j]) / per).filter(|v| v.is_finite())
}

/// What R2 loses when coefficient `l` is set to 0 and the others are fitted anew, in least squares:
/// `b_l^2 / (B_ll S)` with `S` the sum of squares of the target, around its mean unless there is no
/// intercept. Exact.
pub(super) fn r_squared_change(data: &Data, fitted: &Fitted, l: usize) -> Option<f64> {
    let fit = &fitted.fit;
    if fitted.family.is_some() {
        return None;
    }
    let total: f64 = data.weights.iter().sum();
    let squares = total * variance(&without_offset(data), &data.weights, is_centred(data));
    let change = fit.coefficients[l].powi(2) / (fit.inverse[(l, l)] * squares);
    change.is_finite().then_some(change)
}

fn is_centred(data: &Data) -> bool {
    data.x.has_intercept() || !data.factors.is_empty()
}

fn variance(values: &[f64], weights: &[f64], around_mean: bool) -> f64 {
    let mean = if around_mean { weighted_mean(values, weights) } else { 0.0 };
    let squares: Vec<f64> = values.iter().map(|v| (v - mean).powi(2)).collect();
    weighted_mean(&squares, weights)
}
