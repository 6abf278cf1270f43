//! Differences of means and of proportions against scipy and statsmodels.

use hypothesaes_math::means::{self, Spreads};
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::{Estimate, Level};
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn check(found: Estimate, golden: &Value, names: &[&str]) {
    for name in names {
        let got = match *name {
            "value" => Some(found.value),
            "statistic" => found.statistic,
            "df" => found.df,
            "p_value" => found.p_value,
            "conf_low" => found.conf_low,
            "conf_high" => found.conf_high,
            _ => None,
        };
        assert_close(&[got.unwrap()], &[number(&golden[*name])], 1e-10);
    }
}

#[test]
fn welch_as_scipy_has_it() {
    let golden = &golden("comparisons")["welch"];
    let (a, b) = (numbers(&golden["a"]), numbers(&golden["b"]));
    let (found, spreads) = means::difference(&a, &b, level()).unwrap();
    assert_eq!(spreads, Spreads::Own);
    check(found, golden, &["value", "statistic", "df", "p_value", "conf_low", "conf_high"]);
}

#[test]
fn the_common_spread_as_scipy_has_it() {
    let golden = &golden("comparisons")["common"];
    let (a, b) = (numbers(&golden["a"]), numbers(&golden["b"]));
    let (found, spreads) = means::difference(&a, &b, level()).unwrap();
    assert_eq!(spreads, Spreads::Common);
    check(found, golden, &["value", "statistic"]);
}

#[test]
fn proportions_as_statsmodels_and_scipy_have_them() {
    let share = |value: &Value| {
        let count = |at: usize| usize::try_from(value[at].as_u64().unwrap()).unwrap();
        Share { successes: count(0), trials: count(1) }
    };
    for golden in items(&golden("comparisons")["proportions"]) {
        let found =
            proportions::difference(share(&golden["a"]), share(&golden["b"]), level()).unwrap();
        check(found, golden, &["p_value", "conf_low", "conf_high"]);
    }
}
