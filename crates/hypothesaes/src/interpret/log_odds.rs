//! Which phrases tell two groups of texts apart.

/// How many occurrences the prior is worth.
const PRIOR: f64 = 500.0;

/// How many texts of a group have each phrase.
pub(super) struct Counts {
    pub(super) firing: Vec<f64>,
    pub(super) silent: Vec<f64>,
}

/// z-score of each phrase's log-odds ratio between the two groups, with an informative Dirichlet
/// prior; above 0 where the phrase goes with firing.
///
/// With y the counts of phrase w in a group, n their total, and prior a = 500 (y1 + y2) / (n1 + n2):
///
/// d = ln((y1 + a) / (n1 + 500 - y1 - a)) - ln((y2 + a) / (n2 + 500 - y2 - a)),
/// z = d / sqrt(1 / (y1 + a) + 1 / (y2 + a))
///
/// The prior pulls rare phrases to no difference. 0 for a phrase that no text has. O(phrases).
/// Source: Monroe, Colaresi, Quinn (2008), Fightin' Words, equations 16, 20 and 22; counts are of
/// texts, not of occurrences, and the prior is that of the texts themselves.
pub(super) fn log_odds(counts: &Counts) -> Vec<f64> {
    let n1: f64 = counts.firing.iter().sum();
    let n2: f64 = counts.silent.iter().sum();
    let phrase = |(&y1, &y2): (&f64, &f64)| {
        let prior = PRIOR * (y1 + y2) / (n1 + n2);
        let odds = |y: f64, n: f64| ((y + prior) / (n + PRIOR - y - prior)).ln();
        let z = (odds(y1, n1) - odds(y2, n2)) / (1.0 / (y1 + prior) + 1.0 / (y2 + prior)).sqrt();
        // A single phrase takes up its group: no odds against it.
        if z.is_finite() { z } else { 0.0 }
    };
    counts.firing.iter().zip(&counts.silent).map(phrase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn z(firing: &[f64], silent: &[f64]) -> Vec<f64> {
        log_odds(&Counts { firing: firing.to_vec(), silent: silent.to_vec() })
    }

    #[test]
    fn by_hand() {
        // Prior of the first phrase 500 * 40 / 400 = 50:
        // d = ln(80 / 520) - ln(60 / 640) with n1 = 100, n2 = 300.
        let got = z(&[30.0, 70.0], &[10.0, 290.0])[0];
        let d = (80.0_f64 / 520.0).ln() - (60.0_f64 / 740.0).ln();
        let expected = d / (1.0_f64 / 80.0 + 1.0 / 60.0).sqrt();
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    }

    #[test]
    fn exchanging_the_groups_flips_the_sign() {
        let (a, b) = ([30.0, 5.0, 65.0], [10.0, 40.0, 250.0]);
        for (x, y) in z(&a, &b).into_iter().zip(z(&b, &a)) {
            assert!((x + y).abs() < 1e-12);
        }
    }

    #[test]
    fn frequent_phrases_count_for_more_than_rare_ones_of_the_same_ratio() {
        let got = z(&[4.0, 400.0, 596.0], &[1.0, 100.0, 899.0]);
        assert!(got[1] > 3.0 * got[0] && got[0] > 0.0, "{got:?}");
    }

    #[test]
    fn phrases_that_no_text_has_and_empty_groups_have_no_score() {
        assert_eq!(z(&[0.0, 3.0], &[0.0, 3.0])[0], 0.0);
        assert_eq!(z(&[0.0], &[0.0]), [0.0]);
        assert_eq!(z(&[], &[]), [0.0; 0]);
    }
}
