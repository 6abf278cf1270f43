//! Ordinary and weighted least squares.

use super::inverse::inverse;
use super::{Design, Fit};
use crate::error::{Error, Result};

/// Minimises `sum (y_i - x_i' b)^2`: [`weighted`] with weights of 1.
///
/// # Errors
/// As [`weighted`].
pub fn fit(x: &Design, y: &[f64]) -> Result<Fit> {
    weighted(x, y, vec![1.0; y.len()])
}

/// Minimises `sum w_i (y_i - x_i' b)^2`.
///
/// `x`: n x p with linearly independent columns; `y`: n, in any unit; `weights`: n, 0 or more.
/// Cholesky factorisation of `x'wx` with one step of refinement; O(n p^2) at most. The target is
/// centred first if there is an intercept, so that a large mean costs no precision.
///
/// # Errors
/// [`Error::Shape`] or [`Error::NotFinite`] for a bad `y`; [`Error::Data`] if the columns are
/// linearly dependent.
pub fn weighted(x: &Design, y: &[f64], weights: Vec<f64>) -> Result<Fit> {
    Error::check_len("y", y.len(), x.rows())?;
    Error::check_finite("y", y)?;
    let factor = x.gram(&weights).cholesky().ok_or_else(dependent)?;
    let mean = if x.has_intercept() { weighted_mean(y, &weights) } else { 0.0 };
    let mut coefficients = vec![0.0; x.cols()];
    let mut residuals: Vec<f64> = y.iter().map(|v| v - mean).collect();
    for _ in 0..2 {
        let pulls = products(&weights, &residuals);
        let change = factor.solve(&x.transposed_times(&pulls));
        drop(pulls);
        coefficients.iter_mut().zip(change.iter()).for_each(|(b, c)| *b += c);
        x.map_into(&mut residuals, |i, row| {
            let fitted: f64 = row.iter().map(|(j, v)| v * coefficients[*j]).sum();
            y[i] - mean - fitted
        });
    }
    if x.has_intercept() {
        coefficients[0] += mean;
    }
    let fitted = y.iter().zip(&residuals).map(|(y, e)| y - e).collect();
    let scores = products(&weights, &residuals);
    Ok(Fit { coefficients, fitted, residuals, weights, scores, inverse: inverse(&factor) })
}

fn products(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// `sum w v / sum w`.
pub(super) fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * w).sum();
    sum / weights.iter().sum::<f64>()
}

/// The columns have no single solution.
pub(super) fn dependent() -> Error {
    Error::Data("the columns of the regression are linearly dependent; leave some out".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::Columns;

    #[test]
    fn two_groups_by_hand() {
        let columns = Columns::new(5, &[vec![0.0, 0.0, 0.0, 1.0, 1.0]]).unwrap();
        let x = Design::new(&columns);
        let found = fit(&x, &[1.0, 2.0, 6.0, 10.0, 12.0]).unwrap();
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13);
        assert!(close(&found.coefficients, &[3.0, 8.0]), "{found:?}");
        assert!(close(&found.residuals, &[-2.0, -1.0, 3.0, -1.0, 1.0]), "{found:?}");
        assert!(close(&found.leverages(&x), &[1. / 3., 1. / 3., 1. / 3., 0.5, 0.5]));
    }

    #[test]
    fn a_large_mean_costs_no_precision() {
        let columns = Columns::new(4, &[vec![0.0, 1.0, 0.0, 1.0]]).unwrap();
        let x = Design::new(&columns);
        let found = fit(&x, &[1e12, 1e12 + 4.0, 1e12 + 2.0, 1e12 + 6.0]).unwrap();
        assert!((found.coefficients[1] - 4.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn dependent_columns_are_refused() {
        let columns = Columns::new(3, &[vec![1.0; 3]]).unwrap();
        let x = Design::new(&columns);
        assert!(matches!(fit(&x, &[1.0, 2.0, 3.0]), Err(Error::Data(_))));
    }
}
