//! The difference of two means.

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Level};

/// Which spreads the standard error of a difference of means rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spreads {
    /// Each group's own, after Welch.
    Own,
    /// One that both share, after Student, where it makes the larger error.
    Common,
}

/// Mean of `a` minus mean of `b`, with a t test and interval.
///
/// ```text
/// se^2 = va/na + vb/nb,   df = se^4 / ((va/na)^2/(na-1) + (vb/nb)^2/(nb-1))
/// ```
///
/// with each group's variance (Welch), or with the pooled one for both where that makes `se` larger:
/// the few values of a small group may happen to be alike, and their own variance then promises
/// too much. In the unit of the values. `None` if either is empty; without error if either has one
/// value only to judge its spread by. O(n), sums in order.
///
/// Source: Welch (1947), Biometrika 34.
#[must_use]
pub fn difference(a: &[f64], b: &[f64], level: Level) -> Option<(Estimate, Spreads)> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let ((mean_a, squares_a), (mean_b, squares_b)) = (moments(a), moments(b));
    let value = mean_a - mean_b;
    let freedom = [a.len() - 1, b.len() - 1].map(|n| n as f64);
    if freedom.contains(&0.0) {
        return Some((Estimate::bare(value), Spreads::Own));
    }
    let sizes = [a.len(), b.len()].map(|n| n as f64);
    let pooled = (squares_a + squares_b) / (freedom[0] + freedom[1]);
    let own = Errors::new([squares_a / freedom[0], squares_b / freedom[1]], sizes);
    let common = Errors::new([pooled, pooled], sizes);
    let (errors, spreads) = if own.squared() < common.squared() {
        (common, Spreads::Common)
    } else {
        (own, Spreads::Own)
    };
    let estimate = Estimate::student(value, errors.squared().sqrt(), errors.df(freedom), level);
    Some((estimate, spreads))
}

/// The squared standard error of either mean.
struct Errors([f64; 2]);

impl Errors {
    fn new(variances: [f64; 2], sizes: [f64; 2]) -> Self {
        Self([variances[0] / sizes[0], variances[1] / sizes[1]])
    }

    fn squared(&self) -> f64 {
        self.0[0] + self.0[1]
    }

    fn df(&self, freedom: [f64; 2]) -> f64 {
        let [a, b] = self.0;
        let spread = a * a / freedom[0] + b * b / freedom[1];
        // Two groups without any spread: the difference is certain, whatever the degrees of freedom.
        if spread > 0.0 { self.squared().powi(2) / spread } else { freedom[0] + freedom[1] }
    }
}

/// Mean, and sum of squares around it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(a: &[f64], b: &[f64]) -> Option<(Estimate, Spreads)> {
        difference(a, b, Level::new(0.95).unwrap())
    }

    #[test]
    fn small_groups() {
        assert_eq!(found(&[], &[1.0]), None);
        assert_eq!(found(&[3.0], &[1.0, 2.0]), Some((Estimate::bare(1.5), Spreads::Own)));
        let (certain, _) = found(&[3.0, 3.0], &[1.0, 1.0]).unwrap();
        assert_eq!((certain.value, certain.p_value, certain.conf_low), (2.0, Some(0.0), Some(2.0)));
    }

    #[test]
    fn by_hand() {
        // Variances 4 and 1 over 4 and 2 values: squared error 1 + 1/2, df = 2.25 / (1/3 + 1/4).
        let (a, b) =
            ([0.0, 2.0, 4.0, 6.0].map(|v| v * 0.6_f64.sqrt()), [1.0, 1.0 + 2.0_f64.sqrt()]);
        // Pooled 3.25: squared error 2.4375, which is larger; df = 2.4375^2 / (0.2201 + 2.6406).
        let (estimate, spreads) = found(&a, &b).unwrap();
        assert_eq!(spreads, Spreads::Common);
        assert!((estimate.std_error.unwrap() - 2.4375_f64.sqrt()).abs() < 1e-12, "{estimate:?}");
        let df = 2.4375_f64.powi(2) / (0.8125_f64.powi(2) / 3.0 + 1.625_f64.powi(2));
        assert!((estimate.df.unwrap() - df).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn a_few_equal_values_promise_nothing() {
        let many: Vec<f64> = (0..100).map(|i| f64::from(i % 5)).collect();
        let (estimate, spreads) = found(&[4.0, 4.0], &many).unwrap();
        assert_eq!(spreads, Spreads::Common);
        assert!(estimate.df.unwrap() < 1.1 && estimate.p_value.unwrap() > 0.2, "{estimate:?}");
    }
}
