//! How large an effect is: in the target's unit, in standard deviations, in explained variance.

use nalgebra::{DMatrix, DVector};

use super::design::in_pieces;
use super::fitting::{Fitted, problem, without_offset};
use super::glm::Family;
use super::setup::Data;

/// What is averaged over the rows.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// From one value of the column to another, times a factor.
    Discrete { from: f64, to: f64, share: f64 },
    /// The slope in the column.
    Slope,
}

/// Average marginal effects of the first `tested` columns on the mean of the target, with standard
/// errors from the `covariance` of the coefficients; `None` for least squares, whose coefficients
/// they are.
///
/// ```text
/// sum w_i (m(e_i with x_ij = 1) - m(e_i with x_ij = 0)) / sum w_i
/// ```
///
/// for a column of 0 and 1; the average slope `b_j m'(e_i)` for others. For pairs (columns of -1, 0
/// and 1 without intercept in a logit) half of the change from -1 to 1: what the chance of winning
/// gains where the concept is in one side only; it does not depend on which side is first. Error by
/// the delta method; within absorbed factors the levels follow the coefficients. O(n p) per column, in
/// one pass over the rows that keeps nothing of them.
///
/// Source: Cameron and Trivedi (2005), Microeconometrics, 14.3; Wooldridge (2010), 15.6.
pub(super) fn marginal(whole: &Whole, tested: usize, covariance: &DMatrix<f64>) -> Vec<Marginal> {
    let Some(family) = whole.fitted.family else { return vec![None; tested] };
    let of: Vec<Moved> = (0..tested).map(|j| Moved::new(whole, family, j, None)).collect();
    let judged = |(value, slope): (f64, DVector<f64>)| {
        let variance = slope.dot(&(covariance * &slope));
        let std_error = variance.max(0.0).sqrt();
        (value.is_finite() && std_error.is_finite()).then_some((value, std_error))
    };
    sums(whole, family, &of).into_iter().map(judged).collect()
}

/// A marginal effect and its standard error.
pub(super) type Marginal = Option<(f64, f64)>;

/// The average marginal effect if the coefficient of column `j` were `b` and the others as fitted.
pub(super) fn marginal_at(whole: &Whole, j: usize, b: f64) -> Option<f64> {
    let family = whole.fitted.family?;
    let of = [Moved::new(whole, family, j, Some(b))];
    let value = sums(whole, family, &of)[0].0;
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
    /// In least squares, variances of the target, and of what the offset leaves of it.
    variances: [f64; 2],
}

impl<'a> Whole<'a> {
    pub fn new(data: &'a Data<'a>, fitted: &'a Fitted<'a>) -> Self {
        let mut variances = [0.0; 2];
        if fitted.family.is_none() {
            let of = |y: &[f64]| variance(|i| y[i], &data.weights, is_centred(data));
            let whole = of(data.y);
            variances = [whole, data.setup.offset.map_or(whole, |_| of(&without_offset(data)))];
        }
        Self { data, fitted, variances }
    }

    /// Number of column `j` in the design.
    fn place(&self, j: usize) -> usize {
        j + usize::from(self.data.x.has_intercept())
    }

    /// Linear predictor of row `i`, with its entries; within absorbed factors known from the mean.
    fn predictor(&self, family: Family, i: usize, row: &[(usize, f64)]) -> f64 {
        if !self.data.factors.is_empty() {
            return self.fitted.fit.fitted[i].ln();
        }
        problem(self.data, &self.fitted.x, family).eta(i, row, &self.fitted.fit.coefficients)
    }
}

/// A column whose coefficient may be elsewhere.
struct Moved {
    family: Family,
    change: Change,
    j: usize,
    l: usize,
    /// Coefficient of the column, and how far it is from the fitted one.
    b: f64,
    apart: f64,
}

/// Sums over rows, per column: the effect and its slope in the coefficients.
type Sums = Vec<(f64, DVector<f64>)>;

/// The averages of these columns' effects and their slopes.
fn sums(whole: &Whole, family: Family, of: &[Moved]) -> Sums {
    let Whole { data, fitted: Fitted { x, .. }, .. } = whole;
    let none = || vec![(0.0, DVector::zeros(x.cols())); of.len()];
    let pieces = in_pieces(x.rows(), |piece| {
        let (mut sums, mut entries) = (none(), x.entries());
        for i in piece.filter(|i| data.weights[*i] != 0.0) {
            let row = entries.row(i);
            let eta = whole.predictor(family, i, row);
            if eta == f64::NEG_INFINITY {
                continue;
            }
            let [mean, slope, _] = family.mean(eta);
            let at = Row { entries: row, weight: data.weights[i], eta, mean: [mean, slope] };
            for (moved, sum) in of.iter().zip(&mut sums) {
                moved.add(data.x.columns().value(i, moved.j), &at, sum);
            }
        }
        sums
    });
    let add = |sums: Sums, piece: Sums| -> Sums {
        sums.into_iter().zip(piece).map(|(a, b)| (a.0 + b.0, a.1 + b.1)).collect()
    };
    let total: f64 = data.weights.iter().sum();
    let sums = pieces.into_iter().fold(none(), add);
    sums.into_iter().map(|(value, slope)| (value / total, slope / total)).collect()
}

/// A row as it was fitted.
struct Row<'a> {
    entries: &'a [(usize, f64)],
    weight: f64,
    eta: f64,
    /// The mean and its slope.
    mean: [f64; 2],
}

impl Moved {
    fn new(whole: &Whole, family: Family, j: usize, b: Option<f64>) -> Self {
        let l = whole.place(j);
        let fitted = whole.fitted.fit.coefficients[l];
        let b = b.unwrap_or(fitted);
        Self { family, change: change(whole.data, family, j), j, l, b, apart: b - fitted }
    }

    /// Mean and slope of a row so far from its linear predictor `eta`.
    fn mean(&self, row: &Row, eta: f64, away: f64) -> [f64; 2] {
        if away == 0.0 && self.apart == 0.0 {
            return row.mean;
        }
        let [mean, slope, _] = self.family.mean(eta + away);
        [mean, slope]
    }

    /// Adds a row with the entry `v` in the column.
    fn add(&self, v: f64, row: &Row, (sum, slope): &mut (f64, DVector<f64>)) {
        let (b, eta) = (self.b, row.eta + self.apart * v);
        let (value, along, own) = match self.change {
            Change::Slope => {
                let [_, first, second] = self.family.mean(eta);
                (b * first, b * second, first)
            }
            Change::Discrete { from, to, share } => {
                let [high, high_slope] = self.mean(row, eta, b * (to - v));
                let [low, low_slope] = self.mean(row, eta, b * (from - v));
                let own = high_slope * (to - v) - low_slope * (from - v);
                (share * (high - low), share * (high_slope - low_slope), share * own)
            }
        };
        for (k, x) in row.entries {
            slope[*k] += row.weight * along * x;
        }
        slope[self.l] += row.weight * own;
        *sum += row.weight * value;
    }
}

/// A coefficient per standard deviation of its column and, in least squares, of the target; `None`
/// if the target has none. Without an intercept these are around 0, as pairs have no mean.
pub(super) fn standardised(whole: &Whole, j: usize) -> Option<f64> {
    let Whole { data, fitted, .. } = whole;
    let b = fitted.fit.coefficients[whole.place(j)];
    let entry = |i: usize| data.x.columns().value(i, j);
    let spread = variance(entry, &data.weights, is_centred(data)).sqrt();
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

/// Of one number per row.
fn variance(value: impl Fn(usize) -> f64, weights: &[f64], around_mean: bool) -> f64 {
    let total = weights.iter().sum::<f64>();
    let rows = || weights.iter().enumerate().map(|(i, w)| (value(i), w));
    let mean = if around_mean { rows().map(|(v, w)| v * w).sum::<f64>() / total } else { 0.0 };
    rows().map(|(v, w)| w * (v - mean).powi(2)).sum::<f64>() / total
}
