//! A proportion, and the difference of two.

use statrs::distribution::{Discrete, Hypergeometric};

use crate::estimate::{Estimate, Level};

/// Successes among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub successes: usize,
    pub trials: usize,
}

impl Share {
    fn value(self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// Wilson's score interval for `z` standard errors.
    fn wilson(self, z: f64) -> (f64, f64) {
        let (p, n) = (self.value(), self.trials as f64);
        let middle = p + z * z / (2.0 * n);
        let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        ((middle - reach) / scale, (middle + reach) / scale)
    }
}

/// A proportion with Wilson's score interval; `None` without trials.
///
/// Source: Wilson (1927), Probable inference, J. Am. Stat. Assoc. 22.
#[must_use]
pub fn proportion(share: Share, level: Level) -> Option<Estimate> {
    (share.trials > 0).then(|| {
        let (low, high) = share.wilson(level.normal_quantile());
        let (conf_low, conf_high) = (Some(low.max(0.0)), Some(high.min(1.0)));
        Estimate { conf_low, conf_high, ..Estimate::bare(share.value()) }
    })
}

/// Proportion `a` minus proportion `b`, with Newcombe's hybrid score interval.
///
/// ```text
/// low  = d - sqrt((pa - la)^2 + (ub - pb)^2),   high = d + sqrt((ua - pa)^2 + (pb - lb)^2)
/// ```
///
/// where `l`, `u` bound each proportion after Wilson. The standard error is Wald's; the p-value is
/// that of Fisher's exact test of equality, which rejects too rarely rather than too often however
/// few the trials. `None` without trials. O(smaller group or number of successes).
///
/// Source: Newcombe (1998), Interval estimation for the difference between independent
/// proportions, Stat. Med. 17, method 10; Fisher (1935), The logic of inductive inference.
#[must_use]
pub fn difference(a: Share, b: Share, level: Level) -> Option<Estimate> {
    if a.trials == 0 || b.trials == 0 {
        return None;
    }
    let (pa, pb) = (a.value(), b.value());
    let (na, nb) = (a.trials as f64, b.trials as f64);
    let z = level.normal_quantile();
    let ((low_a, high_a), (low_b, high_b)) = (a.wilson(z), b.wilson(z));
    Some(Estimate {
        std_error: Some((pa * (1.0 - pa) / na + pb * (1.0 - pb) / nb).sqrt()),
        p_value: Some(fisher(a, b)),
        conf_low: Some(pa - pb - (pa - low_a).hypot(high_b - pb)),
        conf_high: Some(pa - pb + (high_a - pa).hypot(pb - low_b)),
        ..Estimate::bare(pa - pb)
    })
}

/// Two-sided p-value of Fisher's exact test: the probability, with all margins given, of the tables
/// that are no likelier than the one seen.
fn fisher(a: Share, b: Share) -> f64 {
    // Probabilities this close, relative to each other, are equal but for rounding.
    const EQUAL: f64 = 1e-7;
    let successes = a.successes + b.successes;
    let counts = [a.trials + b.trials, successes, a.trials].map(|n| n as u64);
    let Ok(tables) = Hypergeometric::new(counts[0], counts[1], counts[2]) else { return 1.0 };
    let probability = |of_a: usize| tables.pmf(of_a as u64);
    let least = successes.saturating_sub(b.trials);
    let seen = probability(a.successes) * (1.0 + EQUAL);
    let unlikelier = (least..=successes.min(a.trials)).map(probability).filter(|p| *p <= seen);
    unlikelier.sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(a: (usize, usize), b: (usize, usize)) -> Option<Estimate> {
        let share = |(successes, trials)| Share { successes, trials };
        difference(share(a), share(b), Level::new(0.95).unwrap())
    }

    #[test]
    fn the_examples_of_the_paper() {
        // Newcombe (1998), table II, method 10.
        let check = |a, b, low: f64, high: f64| {
            let found = found(a, b).unwrap();
            assert!((found.conf_low.unwrap() - low).abs() < 5e-5, "{found:?}");
            assert!((found.conf_high.unwrap() - high).abs() < 5e-5, "{found:?}");
        };
        check((56, 70), (48, 80), 0.0524, 0.3339);
        check((9, 10), (3, 10), 0.1705, 0.8090);
        check((10, 10), (0, 10), 0.6075, 1.0);
        check((5, 56), (0, 29), -0.0381, 0.1926);
    }

    #[test]
    fn equal_and_empty_groups() {
        assert_eq!(found((0, 0), (1, 2)), None);
        let equal = found((0, 5), (0, 9)).unwrap();
        assert_eq!((equal.value, equal.statistic, equal.p_value), (0.0, None, Some(1.0)));
    }
}
