//! Weighted, paired, absorbed and count regressions, and the sizes of their effects, against
//! statsmodels and dense formulas.

use hypothesaes_math::means::Sampling;
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::regression::{Inference, Model, Term, Variance};
use serde_json::Value;

use crate::cases::{Case, level};
use crate::support::{golden, items, number, numbers, packed};

fn close(name: &str, what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{name}: {what}");
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "{name}: {what} {g} for {e}");
    }
}

fn check(golden: &Value, loose: f64) -> (Case, Inference) {
    let name = golden["name"].as_str().unwrap();
    let case = Case::read(golden);
    let found = case.infer();
    assert!(!found.penalised, "{name}");
    let tolerance = if case.model == Model::LeastSquares { 1e-8 } else { loose };
    let compare = |what: &str, terms: &[Term], of: fn(&Term) -> f64| {
        let Some(expected) = golden.get(what) else { return };
        let got: Vec<f64> = terms.iter().map(of).collect();
        close(name, what, &got, &numbers(expected), tolerance);
    };
    compare("coefficients", &found.terms, |t| t.estimate.value);
    compare("robust", &found.terms, |t| t.robust.unwrap());
    compare("classical", &found.terms, |t| t.classical.unwrap());
    compare("df", &found.terms, |t| t.estimate.df.unwrap());
    compare("standardised", found.columns(), |t| t.standardised.unwrap());
    compare("r_squared_change", found.columns(), |t| t.r_squared_change.unwrap());
    compare("marginal", found.columns(), |t| t.marginal.unwrap().value);
    // The error is stretched where the classical one is larger.
    compare("marginal_error", found.columns(), |t| {
        let stretch = t.estimate.std_error.unwrap() / t.robust.unwrap();
        t.marginal.unwrap().std_error.unwrap() / stretch.max(1.0)
    });
    (case, found)
}

#[test]
fn weights_offsets_pairs_and_absorbed_factors() {
    let golden = golden("weighted");
    assert_eq!(items(&golden["cases"]).len(), 17);
    for golden in items(&golden["cases"]) {
        check(golden, 1e-6);
    }
}

#[test]
fn counts() {
    let golden = golden("counts");
    assert_eq!(items(&golden["cases"]).len(), 9);
    for golden in items(&golden["cases"]) {
        let (_, found) = check(golden, 1e-6);
        let expected = golden.get("dispersion").map(number);
        assert_eq!(found.dispersion.is_some(), expected.is_some());
        if let (Some(got), Some(expected)) = (found.dispersion, expected) {
            close("dispersion", "alpha", &[got], &[expected], 1e-6);
        }
    }
}

#[test]
fn firth_with_weights_and_without_intercept() {
    let (weighted, counts) = (golden("weighted"), golden("counts"));
    let all = items(&weighted["firth"]).iter().chain([&counts["separated"]]);
    for golden in all {
        let found = Case::read(golden).infer();
        let name = golden["model"].as_str().unwrap();
        assert!(found.penalised && !found.separated.is_empty(), "{name}");
        let values: Vec<f64> = found.terms.iter().map(|t| t.estimate.value).collect();
        close(name, "coefficients", &values, &numbers(&golden["coefficients"]), 1e-5);
        let term = found.terms.last().unwrap();
        assert_eq!(term.variance, Some(Variance::Profile));
        let got = [term.estimate.statistic.unwrap().abs(), term.estimate.p_value.unwrap()];
        close(
            name,
            "test",
            &got,
            &[number(&golden["statistic"]), number(&golden["p_value"])],
            1e-5,
        );
    }
}

#[test]
fn what_is_left_out_changes_r_squared_as_said() {
    for golden in items(&golden("weighted")["cases"]).iter().take(3) {
        let (case, found) = check(golden, 1e-6);
        let weight = |i: usize| case.weights.as_ref().map_or(1.0, |w| w[i]);
        let squares = |fitted: &[f64]| -> f64 {
            (0..fitted.len()).map(|i| weight(i) * (case.y[i] - fitted[i]).powi(2)).sum()
        };
        let target: Vec<f64> = (0..case.y.len())
            .map(|i| case.y[i] - case.offset.as_ref().map_or(0.0, |o| o[i]))
            .collect();
        let total_weight: f64 = (0..target.len()).map(weight).sum();
        let mean = (0..target.len()).map(|i| weight(i) * target[i]).sum::<f64>() / total_weight;
        let total: f64 = (0..target.len()).map(|i| weight(i) * (target[i] - mean).powi(2)).sum();
        let without = case
            .with(|setup| {
                setup.without_each(&packed(&case.columns), &case.y, &found, |m| squares(&m))
            })
            .unwrap();
        for (j, without) in without.into_iter().enumerate() {
            let change = (without.unwrap() - squares(&found.fitted)) / total;
            let said = found.columns()[j].r_squared_change.unwrap();
            assert!((change - said).abs() < 1e-10, "{change} {said}");
        }
    }
}

#[test]
fn mid_p_as_its_definition_has_it() {
    let share = |value: &Value| {
        let count = |at: usize| usize::try_from(value[at].as_u64().unwrap()).unwrap();
        Share { successes: count(0), trials: count(1) }
    };
    for golden in items(&golden("weighted")["mid_p"]) {
        let (a, b) = (share(&golden["a"]), share(&golden["b"]));
        let found = proportions::difference_mid_p(a, b, level()).unwrap();
        close("mid-p", "p", &[found.p_value.unwrap()], &[number(&golden["p_value"])], 1e-10);
        let fisher = proportions::difference(a, b, level()).unwrap();
        assert_eq!((found.conf_low, found.conf_high), (fisher.conf_low, fisher.conf_high));
    }
}

#[test]
fn pairs_as_scipy_and_statsmodels_have_them() {
    for golden in items(&golden("weighted")["pairs"]) {
        let n = usize::try_from(golden["n"].as_u64().unwrap()).unwrap();
        let wins = usize::try_from(golden["wins"].as_u64().unwrap()).unwrap();
        // Every other pair has the concept on its second side, which then wins instead.
        let side = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let difference: Vec<f64> = (0..n).map(side).collect();
        let won: Vec<f64> =
            (0..n).map(|i| f64::from(u8::from((i < wins) == (side(i) > 0.0)))).collect();
        let plain = Sampling::default();
        let found = proportions::pairs(&difference, &won, &plain, level()).unwrap().unwrap();
        assert_eq!((found.n, found.wins, found.variance), (n, wins, None));
        let share = found.share;
        let got = [
            share.value,
            share.p_value.unwrap(),
            share.conf_low.unwrap(),
            share.conf_high.unwrap(),
        ];
        let expected = ["share", "p_value", "conf_low", "conf_high"].map(|k| number(&golden[k]));
        close("pairs", "share", &got, &expected, 1e-10);
    }
}
