//! A proportion, the difference of two, and the share of pairs that one side wins.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level};
use crate::means::{self, Sampling, Separation};
use crate::regression::{Columns, Model, Setup, Variance};

/// Probabilities this close, relative to each other, are equal but for rounding.
const EQUAL: f64 = 1e-7;

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
    compared(a, b, level, fisher(a, b, 1.0))
}

/// [`difference`] with the mid-p version of Fisher's test: the tables that are as likely as the one
/// seen count half. It rejects about as often as it says, where Fisher's rejects too rarely; with
/// few trials and very unequal groups it may exceed that slightly.
///
/// Source: Lancaster (1961), Significance tests in discrete distributions, J. Am. Stat. Assoc. 56;
/// Hirji (2006), Exact Analysis of Discrete Data.
#[must_use]
pub fn difference_mid_p(a: Share, b: Share, level: Level) -> Option<Estimate> {
    compared(a, b, level, fisher(a, b, 0.5))
}

fn compared(a: Share, b: Share, level: Level, p_value: f64) -> Option<Estimate> {
    if a.trials == 0 || b.trials == 0 {
        return None;
    }
    let (pa, pb) = (a.value(), b.value());
    let (na, nb) = (a.trials as f64, b.trials as f64);
    let z = level.normal_quantile();
    let ((low_a, high_a), (low_b, high_b)) = (a.wilson(z), b.wilson(z));
    Some(Estimate {
        std_error: Some((pa * (1.0 - pa) / na + pb * (1.0 - pb) / nb).sqrt()),
        p_value: Some(p_value),
        conf_low: Some(pa - pb - (pa - low_a).hypot(high_b - pb)),
        conf_high: Some(pa - pb + (high_a - pa).hypot(pb - low_b)),
        ..Estimate::bare(pa - pb)
    })
}

/// Two-sided p-value of Fisher's exact test: the probability, with all margins given, of the tables
/// that are no likelier than the one seen; those as likely count with weight `equal`.
fn fisher(a: Share, b: Share, equal: f64) -> f64 {
    let tables = Tables::of(a, b);
    let seen = tables.probability(a.successes);
    let weighted = |p: &f64| {
        if *p < seen * (1.0 - EQUAL) {
            *p
        } else if *p <= seen * (1.0 + EQUAL) {
            equal * p
        } else {
            0.0
        }
    };
    tables.relative.iter().map(weighted).sum::<f64>().min(1.0)
}

/// The hypergeometric probabilities of all tables with the margins of one.
struct Tables {
    /// Successes of the first group in the first of them.
    least: usize,
    relative: Vec<f64>,
}

impl Tables {
    /// From the likeliest table outwards by the ratio of neighbours, so that no number of trials
    /// overflows:
    ///
    /// ```text
    /// p(k + 1) / p(k) = (K - k) (n - k) / ((k + 1) (N - K - n + k + 1))
    /// ```
    ///
    /// with N trials and K successes in all, n trials and k successes in the first group.
    fn of(a: Share, b: Share) -> Self {
        let successes = a.successes + b.successes;
        let least = successes.saturating_sub(b.trials);
        let most = successes.min(a.trials);
        let ratio = |k: usize| {
            let [left, of_a] = [successes - k, a.trials - k].map(|n| n as f64);
            let failures = (b.trials + k + 1 - successes) as f64;
            left * of_a / ((k + 1) as f64 * failures)
        };
        let all = (a.trials + b.trials) as f64;
        // Whole and within the range, as it is a rounded share of it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mode = ((a.trials + 1) as f64 * (successes + 1) as f64 / (all + 2.0)) as usize;
        let mode = mode.clamp(least, most);
        let mut relative = vec![0.0; most - least + 1];
        relative[mode - least] = 1.0;
        for k in mode..most {
            relative[k + 1 - least] = relative[k - least] * ratio(k);
        }
        for k in (least..mode).rev() {
            relative[k - least] = relative[k + 1 - least] / ratio(k);
        }
        let total: f64 = relative.iter().sum();
        for p in &mut relative {
            *p /= total;
        }
        Self { least, relative }
    }

    fn probability(&self, successes_of_a: usize) -> f64 {
        self.relative[successes_of_a - self.least]
    }
}

/// What pairs say of a concept that is true of one side only.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    /// Pairs in which the concept is true of one side only.
    pub n: usize,
    /// Those that this side wins.
    pub wins: usize,
    /// Share of them, weighted, tested against 1/2.
    pub share: Estimate,
    /// `2 share - 1`: share won minus share lost. Swapping sides changes nothing.
    pub separation: Estimate,
    /// Where the test comes from; `None` for the exact binomial one.
    pub variance: Option<Variance>,
}

/// How often the side wins that has the concept, among the pairs where one side has.
///
/// `difference`: 1 if the first side only has it, -1 if the second only, 0 otherwise; `won`: 1 if
/// the first side wins, else 0. Rows alike and independent: the mid-p version of the exact binomial
/// test of 1/2, and Wilson's interval. With weights or clusters: the mean of win minus loss as a
/// regression on an intercept has it; where all pairs agree, which leaves no residual, the exact test
/// with one trial per cluster, or as many as the weights are worth. `None` without such pairs.
///
/// Source: Wilson (1927); Lancaster (1961), J. Am. Stat. Assoc. 56.
///
/// # Errors
/// [`Error::Shape`] for other lengths; [`Error::Data`] for other values; those of
/// [`Setup::infer`].
pub fn pairs(
    difference: &[f64],
    won: &[f64],
    sampling: &Sampling,
    level: Level,
) -> Result<Option<Pairs>> {
    Error::check_len("won", won.len(), difference.len())?;
    let bad = |what: &str| Err(Error::Data(what.into()));
    if difference.iter().any(|d| ![-1.0, 0.0, 1.0].contains(d)) {
        return bad("differences of pairs are -1, 0 or 1");
    }
    if won.iter().any(|w| ![0.0, 1.0].contains(w)) {
        return bad("a pair is won, 1, or lost, 0, by its first side");
    }
    let picked = sampling.pick(|i| difference[i] != 0.0, difference.len())?;
    if picked.rows.is_empty() {
        return Ok(None);
    }
    let signed: Vec<f64> =
        picked.rows.iter().map(|&i| difference[i] * (2.0 * won[i] - 1.0)).collect();
    let (n, wins) = (signed.len(), signed.iter().filter(|s| **s > 0.0).count());
    let counted = |share: Share, variance| {
        let separation = tested(share, level);
        Some(Pairs { n, wins, share: halved(separation), separation, variance })
    };
    if sampling.is_plain() {
        return Ok(counted(Share { successes: wins, trials: n }, None));
    }
    if wins == 0 || wins == n {
        let trials = picked.worth();
        return Ok(counted(Share { successes: if wins == 0 { 0 } else { trials }, trials }, None));
    }
    let setup = Setup {
        weights: picked.weights.as_deref(),
        clusters: picked.clusters.as_deref(),
        seed: sampling.seed,
        ..Setup::new(Model::LeastSquares, 0, level)
    };
    let term = setup.infer(&Columns::none(n), &signed)?.terms[0];
    let separation = clamped(term.estimate);
    Ok(Some(Pairs { n, wins, share: halved(separation), separation, variance: term.variance }))
}

/// `2 share - 1` with the mid-p binomial test of 0 and Wilson's interval.
fn tested(share: Share, level: Level) -> Estimate {
    let fewer = share.successes.min(share.trials - share.successes) as u64;
    let trials = share.trials as u64;
    let p_value = Binomial::new(0.5, trials)
        .map_or(1.0, |b| (2.0 * b.cdf(fewer) - b.pmf(fewer)).clamp(0.0, 1.0));
    let p_value = if 2 * fewer == trials { 1.0 } else { p_value };
    let (low, high) = share.wilson(level.normal_quantile());
    let value = share.value();
    let std_error = (value * (1.0 - value) / share.trials as f64).sqrt();
    clamped(Estimate {
        std_error: Some(2.0 * std_error),
        p_value: Some(p_value),
        conf_low: Some(2.0 * low - 1.0),
        conf_high: Some(2.0 * high - 1.0),
        ..Estimate::bare(2.0 * value - 1.0)
    })
}

/// [`means::separation`] of a target of 0 and 1: the interval stays within -1 and 1.
///
/// # Errors
/// [`Error::Data`] if the target is not 0 and 1; those of [`means::separation`].
pub fn separation(
    present: &[f64],
    y: &[f64],
    sampling: &Sampling,
    level: Level,
) -> Result<Option<Separation>> {
    if y.iter().any(|v| ![0.0, 1.0].contains(v)) {
        return Err(Error::Data("a difference of shares needs a target of 0 and 1".into()));
    }
    let found = means::separation(present, y, sampling, level)?;
    Ok(found.map(|s| Separation { estimate: clamped(s.estimate), ..s }))
}

/// An interval within -1 to 1.
fn clamped(estimate: Estimate) -> Estimate {
    let clamp = |bound: Option<f64>| bound.map(|v| v.clamp(-1.0, 1.0));
    let (conf_low, conf_high) = (clamp(estimate.conf_low), clamp(estimate.conf_high));
    Estimate { conf_low, conf_high, ..estimate }
}

/// From `2 share - 1` to the share.
fn halved(separation: Estimate) -> Estimate {
    let share = |v: f64| 0.5 * (v + 1.0);
    Estimate {
        value: share(separation.value),
        std_error: separation.std_error.map(|s| 0.5 * s),
        conf_low: separation.conf_low.map(share),
        conf_high: separation.conf_high.map(share),
        ..separation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(a: (usize, usize), b: (usize, usize)) -> Option<Estimate> {
        let share = |(successes, trials)| Share { successes, trials };
        difference(share(a), share(b), Level::new(0.95).unwrap())
    }

    #[test]
    fn a_hundred_thousand_trials_overflow_nothing() {
        // scipy 1.17: `hypergeom`, `fisher_exact`, `binom`.
        let check = |a: (usize, usize), b: (usize, usize), exact: f64, mid: f64| {
            let share = |(successes, trials)| Share { successes, trials };
            let level = Level::new(0.95).unwrap();
            let p = difference(share(a), share(b), level).unwrap().p_value.unwrap();
            assert!((p / exact - 1.0).abs() < 1e-8, "{p} {exact}");
            let p = difference_mid_p(share(a), share(b), level).unwrap().p_value.unwrap();
            assert!((p / mid - 1.0).abs() < 1e-8, "{p} {mid}");
        };
        check((1030, 2000), (48_500, 98_000), 0.078_061_076_364_7, 0.076_212_158_723);
        check((520, 1000), (1900, 4000), 0.011_996_764_584_7, 0.011_444_691_119_8);
        check((5300, 10_000), (45_000, 90_000), 1.247_354_936_59e-8, 1.208_958_577_91e-8);
        for (wins, trials, mid) in
            [(50_300, 100_000, 0.057_780_280_149_2), (1060, 2000, 0.007_289_866_384_65)]
        {
            let share = Share { successes: wins, trials };
            let p = tested(share, Level::new(0.95).unwrap()).p_value.unwrap();
            assert!((p / mid - 1.0).abs() < 1e-8, "{p} {mid}");
        }
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
    fn pairs_by_hand() {
        let level = Level::new(0.95).unwrap();
        let plain = Sampling::default();
        let difference = [1.0, 1.0, 1.0, -1.0, -1.0, 0.0];
        let won = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let found = pairs(&difference, &won, &plain, level).unwrap().unwrap();
        assert_eq!((found.n, found.wins), (5, 4));
        assert!((found.separation.value - 0.6).abs() < 1e-15);
        // P(0 of 5) + half of P(1 of 5), twice: (1 + 2.5) / 16.
        assert!((found.separation.p_value.unwrap() - 3.5 / 16.0).abs() < 1e-12, "{found:?}");
        let swapped = difference.map(|d| -d);
        let lost = won.map(|w| 1.0 - w);
        assert_eq!(pairs(&swapped, &lost, &plain, level).unwrap().unwrap(), found);
        assert_eq!(pairs(&[0.0], &[1.0], &plain, level).unwrap(), None);
        assert!(pairs(&[0.5], &[1.0], &plain, level).is_err());
    }

    #[test]
    fn pairs_that_all_agree_are_worth_their_clusters() {
        let level = Level::new(0.95).unwrap();
        let clusters: &[u32] = &[1, 1, 1, 2, 2, 2, 3, 3, 3];
        let sampling = Sampling { clusters: Some(clusters), ..Sampling::default() };
        let found = pairs(&[1.0; 9], &[1.0; 9], &sampling, level).unwrap().unwrap();
        assert!((found.separation.p_value.unwrap() - 0.125).abs() < 1e-12);
        let three = pairs(&[1.0; 3], &[1.0; 3], &Sampling::default(), level).unwrap().unwrap();
        assert_eq!(found.separation.conf_low, three.separation.conf_low);
    }

    #[test]
    fn equal_and_empty_groups() {
        assert_eq!(found((0, 0), (1, 2)), None);
        let equal = found((0, 5), (0, 9)).unwrap();
        assert_eq!((equal.value, equal.statistic, equal.p_value), (0.0, None, Some(1.0)));
    }
}
