//! Whether an effect is the same in all strata, and whether it has one sign.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The effect in one stratum, independent of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    pub effect: f64,
    /// Above 0.
    pub std_error: f64,
}

/// What differs between strata.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Of the hypothesis that all effects are equal.
    pub p_heterogeneity: f64,
    /// Of the hypothesis that all effects that are not 0 have one sign.
    pub p_reversal: f64,
}

/// Tests of heterogeneity and of a reversal of sign; `None` with fewer than two strata whose
/// standard error is above 0.
///
/// ```text
/// Q  = sum_s (b_s - b)^2 / v_s ~ chi2(S - 1),   b the mean weighted by 1 / v_s
/// Q+ = sum over b_s > 0 of b_s^2 / v_s,   Q- likewise below 0
/// p_reversal = sum_{h=1}^{S-1} Binomial(h; S - 1, 1/2) P(chi2(h) > min(Q+, Q-))
/// ```
///
/// Source: Cochran (1954), The combination of estimates from different experiments, Biometrics 10;
/// Gail and Simon (1985), Testing for qualitative interactions between treatment effects and patient
/// subsets, Biometrics 41.
#[must_use]
pub fn compare(strata: &[Stratum]) -> Option<Compared> {
    let strata: Vec<&Stratum> = strata.iter().filter(|s| s.std_error > 0.0).collect();
    if strata.len() < 2 {
        return None;
    }
    let weight = |s: &Stratum| s.std_error.powi(-2);
    let total: f64 = strata.iter().map(|s| weight(s)).sum();
    let mean = strata.iter().map(|s| weight(s) * s.effect).sum::<f64>() / total;
    let q: f64 = strata.iter().map(|s| weight(s) * (s.effect - mean).powi(2)).sum();
    let side = |sign: f64| -> f64 {
        let effects = strata.iter().filter(|s| s.effect * sign > 0.0);
        effects.map(|s| weight(s) * s.effect.powi(2)).sum()
    };
    let least = side(1.0).min(side(-1.0));
    Some(Compared {
        p_heterogeneity: upper_tail(q, strata.len() - 1),
        p_reversal: reversal(least, strata.len()),
    })
}

fn reversal(least: f64, n: usize) -> f64 {
    let mut chance = 0.5_f64.powi(i32::try_from(n - 1).unwrap_or(i32::MAX));
    let mut p = 0.0;
    for h in 1..n {
        // From the binomial's term for h - 1 to the one for h.
        chance *= (n - h) as f64 / h as f64;
        p += chance * upper_tail(least, h);
    }
    // Without an effect on either side nothing speaks for a reversal.
    if least > 0.0 { p.min(1.0) } else { 1.0 }
}

fn upper_tail(q: f64, df: usize) -> f64 {
    ChiSquared::new(df as f64).map_or(1.0, |chi| chi.sf(q))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand::RngExt;

    fn strata(effects: &[f64], std_error: f64) -> Vec<Stratum> {
        effects.iter().map(|&effect| Stratum { effect, std_error }).collect()
    }

    #[test]
    fn two_strata_by_hand() {
        // Q = (2 - -1)^2 / (1 + 1) with equal weights; min(Q+, Q-) = 1, half of P(chi2(1) > 1).
        let found = compare(&strata(&[2.0, -1.0], 1.0)).unwrap();
        assert!((found.p_heterogeneity - 0.033_894_853_524_689_26).abs() < 1e-12, "{found:?}");
        assert!((found.p_reversal - 0.158_655_253_931_457_05).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn the_critical_values_that_gail_and_simon_print() {
        // Table 1 of the paper: for 2, 3, 5 and 10 strata at 0.05.
        for (n, critical) in [(2, 2.71), (3, 4.23), (5, 6.50), (10, 10.99)] {
            let p = reversal(critical, n);
            assert!((p - 0.05).abs() < 5e-4, "{n} {p}");
        }
    }

    #[test]
    fn one_sign_is_no_reversal_and_one_stratum_no_comparison() {
        assert_eq!(compare(&strata(&[2.0, 5.0, 0.0], 1.0)).unwrap().p_reversal, 1.0);
        assert_eq!(compare(&strata(&[2.0], 1.0)), None);
        assert_eq!(compare(&strata(&[2.0, 1.0], 0.0)), None);
    }

    #[test]
    fn under_equal_effects_a_twentieth_is_below_a_twentieth() {
        let mut random = stream(5, "interaction test");
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let draws = 20_000;
        let (mut unequal, mut turned) = (0, 0);
        for _ in 0..draws {
            let effects: Vec<f64> = (0..4).map(|_| normal()).collect();
            let found = compare(&strata(&effects, 1.0)).unwrap();
            unequal += usize::from(found.p_heterogeneity < 0.05);
            turned += usize::from(found.p_reversal < 0.05);
        }
        let share = |n: usize| n as f64 / f64::from(draws);
        assert!((share(unequal) - 0.05).abs() < 0.006, "{}", share(unequal));
        // Effects of 0 are the least favourable case on the edge only: the test is careful.
        assert!(share(turned) < 0.05, "{}", share(turned));
    }
}
