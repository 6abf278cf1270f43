use hypothesaes_math::power::{Outcome, Study, bonferroni, design_effect, power, smallest};
use serde_json::Value;

use crate::support::{assert_close, golden, items, number};

fn study(case: &Value) -> Study {
    let whole = |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap();
    let some = |key: &str| Some(&case[key]).filter(|v| !v.is_null());
    Study {
        texts: whole(&case["texts"]),
        prevalence: number(&case["prevalence"]),
        alpha: number(&case["alpha"]),
        design_effect: some("design_effect").map_or(1.0, number),
        clusters: some("clusters").map(whole),
    }
}

fn outcome(kind: &str, case: &Value) -> Outcome {
    match kind {
        "shares" => Outcome::Binary { mean: number(&case["mean"]) },
        "counts" => Outcome::Count { mean: number(&case["mean"]), dispersion: 1.8 },
        _ => Outcome::Continuous { sd: number(&case["sd"]) },
    }
}

#[test]
fn power_agrees_with_statsmodels_and_scipy() {
    let golden = golden("power");
    for kind in ["means", "clusters", "shares", "counts"] {
        for case in items(&golden[kind]) {
            let (study, outcome) = (study(case), outcome(kind, case));
            let got = power(number(&case["separation"]), outcome, &study).unwrap();
            assert_close(&[got], &[number(&case["power"])], 1e-8);
            if let Some(expected) = case["smallest"].as_f64() {
                let found = smallest(0.8, outcome, &study).unwrap();
                let found = [found.positive.unwrap(), -found.negative.unwrap()];
                assert_close(&found, &[expected; 2], 1e-8);
            }
        }
    }
}

#[test]
fn the_smallest_separation_has_the_power_it_is_for() {
    let golden = golden("power");
    for kind in ["means", "clusters", "shares", "counts"] {
        for case in items(&golden[kind]) {
            let (study, outcome) = (study(case), outcome(kind, case));
            let found = smallest(0.8, outcome, &study).unwrap();
            for d in [found.positive, found.negative].into_iter().flatten() {
                assert_close(&[power(d, outcome, &study).unwrap()], &[0.8], 1e-9);
            }
        }
    }
}

fn plain(texts: usize) -> Study {
    Study { texts, prevalence: 0.1, alpha: 0.05, design_effect: 1.0, clusters: None }
}

#[test]
fn more_texts_and_fewer_tests_see_more() {
    let seen = |study: Study| {
        smallest(0.8, Outcome::Binary { mean: 0.3 }, &study).unwrap().positive.unwrap()
    };
    assert!(seen(plain(4000)) < seen(plain(1000)));
    let strict = Study { alpha: bonferroni(0.05, 20), ..plain(1000) };
    assert!(seen(strict) > seen(plain(1000)));
    let clustered = Study { design_effect: 3.0, ..plain(1000) };
    assert!(seen(clustered) > seen(plain(1000)));
    assert!(seen(Study { clusters: Some(5), ..clustered }) > seen(clustered));
}

#[test]
fn what_the_target_does_not_allow_is_not_promised() {
    // Of 100 texts 1 % are 1: no concept can be so far below that it is seen.
    let rare = Outcome::Binary { mean: 0.01 };
    let found = smallest(0.8, rare, &plain(100)).unwrap();
    assert_eq!(found.negative, None);
    assert!(power(-0.5, rare, &plain(100)).is_err());
    assert!(power(f64::NAN, Outcome::Continuous { sd: 1.0 }, &plain(100)).is_err());
    assert!(power(0.1, Outcome::Continuous { sd: 0.0 }, &plain(100)).is_err());
    assert!(power(0.1, rare, &Study { prevalence: 1.0, ..plain(100) }).is_err());
    assert!(smallest(0.01, rare, &plain(100)).is_err());
    assert!(smallest(0.8, rare, &plain(2)).is_err());
}

#[test]
fn design_effects_by_hand() {
    assert_close(&[design_effect(&[10; 30], 0.1)], &[1.9], 1e-12);
    assert_close(&[design_effect(&[1, 3], 0.5)], &[1.0 + (10.0 / 4.0 - 1.0) * 0.5], 1e-12);
    assert_eq!(design_effect(&[1; 50], 0.9), 1.0);
}
