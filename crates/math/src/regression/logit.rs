//! Logistic regression, with the fit that answers separation.

use nalgebra::DVector;

use super::firth::{self, Free};
use super::least_squares::dependent;
use super::{Design, Fit};
use crate::error::{Error, Result};

/// Largest change of a linear predictor in a Newton step that ends the steps.
const TOLERANCE: f64 = 1e-9;
/// Newton steps that every target without separation settles in, by a wide margin.
const MAX_STEPS: usize = 50;
/// Separation is looked for from this step on, when a finite solution would have been reached.
const SETTLED: usize = 12;
/// Linear predictor beyond which a fitted probability is 0 or 1 for any data of this world (3e-7).
const EXTREME: f64 = 15.0;
/// Change of a coefficient per step, times its column's largest entry, that shows it has no limit:
/// near separation one step changes the linear predictor by about 1.
const RUNAWAY: f64 = 1e-2;

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Logit {
    pub fit: Fit,
    /// Coefficients, by number, whose likelihood has its maximum at infinity. If there are any,
    /// the fit is Firth's penalised one.
    pub separated: Vec<usize>,
}

/// Maximises the likelihood of `P(y_i = 1) = 1 / (1 + exp(-x_i' b))`; if its maximum lies at
/// infinity (separation or quasi-separation), the likelihood penalised after Firth.
///
/// `x`: n x p with linearly independent columns; `y`: n values 0 and 1. Newton steps with
/// halving, each O(n p^2) at most; sums as in [`Design::gram`]. Separation is recognised by
/// linear predictors that are extreme, of the right sign, and still moving.
///
/// Source: Firth (1993), Bias reduction of maximum likelihood estimates, Biometrika 80; Heinze and
/// Schemper (2002), A solution to the problem of separation in logistic regression, Stat. Med. 21.
///
/// # Errors
/// [`Error::Shape`] for a bad `y`; [`Error::Data`] if `y` is not 0 and 1, or lacks one of them, or
/// if the columns are linearly dependent; [`Error::Diverged`] if the penalised fit does not settle.
pub fn fit(x: &Design, y: &[f64]) -> Result<Logit> {
    Error::check_len("y", y.len(), x.rows())?;
    if y.iter().any(|&v| v != 0.0 && v != 1.0) {
        return Err(Error::Data("a logistic regression needs a target of 0 and 1".into()));
    }
    if y.iter().all(|v| *v == y[0]) {
        return Err(Error::Data("the target has one class only".into()));
    }
    let share = y.iter().sum::<f64>() / y.len() as f64;
    let mut point = Point::at(x, y, start(x.cols(), share));
    x.gram(&point.weights).cholesky().ok_or_else(dependent)?;
    for step in 0..MAX_STEPS {
        let Some(factor) = x.gram(&point.weights).cholesky() else {
            return penalised(x, y, (0..x.cols()).collect());
        };
        let change = factor.solve(&x.transposed_times(&point.residuals(y)));
        let shift = x.times(change.as_slice());
        if shift.iter().all(|s| s.abs() < TOLERANCE) {
            return Ok(Logit { fit: point.into_fit(y, factor.inverse()), separated: vec![] });
        }
        if step >= SETTLED && point.runs_away(y, &shift) {
            return penalised(x, y, runaways(x, &change));
        }
        point = point.advance(x, y, &change);
    }
    penalised(x, y, (0..x.cols()).collect())
}

/// Firth's fit, with the coefficients that are known to be separated.
pub(super) fn penalised(x: &Design, y: &[f64], separated: Vec<usize>) -> Result<Logit> {
    let share = y.iter().sum::<f64>() / y.len() as f64;
    let found = firth::maximise(x, y, start(x.cols(), share), Free::All)?;
    let inverse = found.inverse.clone();
    Ok(Logit { fit: found.point.into_fit(y, inverse), separated })
}

/// The intercept alone, at the log-odds of `share`.
fn start(cols: usize, share: f64) -> Vec<f64> {
    let mut coefficients = vec![0.0; cols];
    coefficients[0] = (share / (1.0 - share)).ln();
    coefficients
}

fn runaways(x: &Design, change: &DVector<f64>) -> Vec<usize> {
    let mut largest = vec![0.0_f64; x.cols()];
    for i in 0..x.rows() {
        x.row(i).iter().for_each(|(j, v)| largest[*j] = largest[*j].max(v.abs()));
    }
    (0..x.cols()).filter(|&j| change[j].abs() * largest[j] > RUNAWAY).collect()
}

/// Coefficients and what follows from them.
pub(super) struct Point {
    pub coefficients: Vec<f64>,
    pub eta: Vec<f64>,
    pub probabilities: Vec<f64>,
    pub weights: Vec<f64>,
    pub log_likelihood: f64,
}

impl Point {
    pub fn at(x: &Design, y: &[f64], coefficients: Vec<f64>) -> Self {
        let eta = x.times(&coefficients);
        // Exponentials of negative numbers only, so that nothing overflows.
        let small: Vec<f64> = eta.iter().map(|e| (-e.abs()).exp()).collect();
        let parts = || eta.iter().zip(&small);
        Self {
            probabilities: parts()
                .map(|(e, s)| if *e > 0.0 { 1.0 / (1.0 + s) } else { s / (1.0 + s) })
                .collect(),
            weights: small.iter().map(|s| s / (1.0 + s).powi(2)).collect(),
            log_likelihood: parts().zip(y).map(|((e, s), y)| y * e - e.max(0.0) - s.ln_1p()).sum(),
            coefficients,
            eta,
        }
    }

    pub fn residuals(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.probabilities).map(|(y, p)| y - p).collect()
    }

    /// As much of the step as makes the likelihood larger.
    fn advance(&self, x: &Design, y: &[f64], change: &DVector<f64>) -> Self {
        let mut share = 1.0;
        loop {
            let moved = self.coefficients.iter().zip(change.iter()).map(|(b, c)| b + share * c);
            let next = Self::at(x, y, moved.collect());
            let slack = 1e-12 * self.log_likelihood.abs();
            if next.log_likelihood >= self.log_likelihood - slack || share < 1e-6 {
                return next;
            }
            share *= 0.5;
        }
    }

    /// Whether some row has an extreme linear predictor on its own side that still moves outwards.
    fn runs_away(&self, y: &[f64], shift: &[f64]) -> bool {
        let outwards = |((eta, shift), y): ((&f64, &f64), &f64)| {
            let side = 2.0 * y - 1.0;
            side * eta > EXTREME && side * shift > RUNAWAY
        };
        self.eta.iter().zip(shift).zip(y).any(outwards)
    }

    fn into_fit(self, y: &[f64], inverse: nalgebra::DMatrix<f64>) -> Fit {
        Fit {
            residuals: self.residuals(y),
            coefficients: self.coefficients,
            fitted: self.probabilities,
            weights: self.weights,
            inverse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> Vec<f64> {
        text.chars().map(|c| f64::from(u8::from(c == '1'))).collect()
    }

    fn fitted(columns: &[&str], y: &str) -> Result<Logit> {
        let columns: Vec<Vec<f64>> = columns.iter().map(|c| flags(c)).collect();
        fit(&Design::new(y.len(), &columns).unwrap(), &flags(y))
    }

    #[test]
    fn two_groups_by_hand() {
        // 1 of 4 without, 3 of 4 with: log-odds -ln 3 and ln 3.
        let found = fitted(&["00001111"], "10001110").unwrap();
        assert!(found.separated.is_empty());
        let expected = [-(3.0_f64.ln()), 2.0 * 3.0_f64.ln()];
        for (b, e) in found.fit.coefficients.iter().zip(expected) {
            assert!((b - e).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn trap_33_separation_is_seen_and_answered() {
        let check = |columns: &[&str], y: &str, separated: &[usize]| {
            let found = fitted(columns, y).unwrap();
            assert_eq!(found.separated, separated, "{columns:?} {y}");
            assert!(found.fit.coefficients.iter().all(|b| b.abs() < 10.0), "{found:?}");
        };
        let overlap = "0101101001";
        check(&["0000011111"], overlap, &[]);
        // Complete: the column is the target.
        check(&[overlap], overlap, &[0, 1]);
        // Quasi-complete: all texts with the first concept are positive, the second overlaps.
        check(&["0101000000", "0011001101"], overlap, &[1]);
        // The target is 1 exactly where either column is.
        check(&["0100100000", "0001001001"], overlap, &[0, 1, 2]);
    }

    #[test]
    fn firth_on_a_separated_table_by_hand() {
        // For a 2 x 2 table Firth's fit adds 1/2 to every cell: 3/10 without, 4/4 with.
        let found = fitted(&["00000000001111"], "11100000001111").unwrap();
        assert_eq!(found.separated, [1]);
        let (without, with) = ((3.5_f64 / 7.5).ln(), (4.5_f64 / 0.5).ln());
        let b = &found.fit.coefficients;
        assert!((b[0] - without).abs() < 1e-8, "{b:?}");
        assert!((b[1] - (with - without)).abs() < 1e-8, "{b:?}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let check = |columns: &[&str], y: &str, expected: &str| {
            assert_eq!(fitted(columns, y).unwrap_err().to_string(), expected);
        };
        check(&["0101"], "1111", "the target has one class only");
        let dependent = "the columns of the regression are linearly dependent; leave some out";
        check(&["1111"], "0101", dependent);
    }
}
