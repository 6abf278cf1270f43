//! The difference of two means whose spreads may differ.

use crate::estimate::{Estimate, Level};

/// Mean of `a` minus mean of `b`, with Welch's t test and interval.
///
/// ```text
/// se^2 = va/na + vb/nb,   df = se^4 / ((va/na)^2/(na-1) + (vb/nb)^2/(nb-1))
/// ```
///
/// In the unit of the values. `None` if either is empty; without error if either has one value
/// only to judge its spread by. O(n), sums in order.
///
/// Source: Welch (1947), Biometrika 34.
#[must_use]
pub fn welch(a: &[f64], b: &[f64], level: Level) -> Option<Estimate> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let ((mean_a, error_a), (mean_b, error_b)) = (squared_error(a), squared_error(b));
    let difference = mean_a - mean_b;
    let (Some(error_a), Some(error_b)) = (error_a, error_b) else {
        return Some(Estimate::bare(difference));
    };
    let squared = error_a + error_b;
    let freedom =
        error_a * error_a / (a.len() - 1) as f64 + error_b * error_b / (b.len() - 1) as f64;
    // Two groups without any spread: the difference is certain, whatever the degrees of freedom.
    let df =
        if freedom > 0.0 { squared * squared / freedom } else { (a.len() + b.len() - 2) as f64 };
    Some(Estimate::student(difference, squared.sqrt(), df, level))
}

/// Mean, and the squared standard error of it.
fn squared_error(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (mean, (values.len() > 1).then(|| squares / (n - 1.0) / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_groups() {
        let level = Level::new(0.95).unwrap();
        assert_eq!(welch(&[], &[1.0], level), None);
        assert_eq!(welch(&[3.0], &[1.0, 2.0], level), Some(Estimate::bare(1.5)));
        let certain = welch(&[3.0, 3.0], &[1.0, 1.0], level).unwrap();
        assert_eq!((certain.value, certain.p_value, certain.conf_low), (2.0, Some(0.0), Some(2.0)));
    }

    #[test]
    fn by_hand() {
        // Variances 4 and 1 over 4 and 2 values: squared error 1 + 1/2, df = 2.25 / (1/3 + 1/4).
        let (a, b) =
            ([0.0, 2.0, 4.0, 6.0].map(|v| v * 0.6_f64.sqrt()), [1.0, 1.0 + 2.0_f64.sqrt()]);
        let found = welch(&a, &b, Level::new(0.95).unwrap()).unwrap();
        assert!((found.std_error.unwrap() - 1.5_f64.sqrt()).abs() < 1e-12, "{found:?}");
        assert!((found.df.unwrap() - 2.25 / (1.0 / 3.0 + 0.25)).abs() < 1e-12, "{found:?}");
    }
}
