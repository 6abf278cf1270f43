//! Clustered inference against statsmodels and dense formulas.

use hypothesaes_math::regression::{Model, Variance};
use serde_json::Value;

use crate::cases::Case;
use crate::support::{assert_close, golden, items, number, numbers};

/// The covariance of all terms is known from the outside for columns only; the intercept's error
/// and the degrees of freedom are compared as well.
fn check(golden: &Value) {
    let name = golden["name"].as_str().unwrap();
    let case = Case::read(golden);
    let found = case.infer();
    let tolerance = if case.model == Model::LeastSquares { 1e-8 } else { 1e-6 };
    let values: Vec<f64> = found.terms.iter().map(|t| t.estimate.value).collect();
    assert_close(&values, &numbers(&golden["coefficients"]), tolerance);
    let expected: Vec<Vec<f64>> = items(&golden["covariance"]).iter().map(numbers).collect();
    let shift = usize::from(found.intercept);
    for (a, row) in expected.iter().enumerate() {
        let got = found.terms[a].robust.unwrap_or_else(|| panic!("{name}: {a}"));
        assert_close(&[got], &[row[a].sqrt()], tolerance);
        for (b, expected) in row.iter().enumerate().skip(shift).filter(|_| a >= shift) {
            let got = found.covariance(a - shift, b - shift).unwrap();
            assert_close(&[got], &[*expected], tolerance);
        }
    }
    let df: Vec<f64> = found.terms.iter().map(|t| t.estimate.df.unwrap()).collect();
    for (got, expected) in df.iter().zip(numbers(&golden["df"])) {
        // Below one degree of freedom tests are as with one; many are understated slightly.
        let close = (got - expected.max(1.0)).abs() <= 1e-6 * expected.max(1.0);
        assert!(close, "{name}: {got} {expected}");
    }
}

#[test]
fn cr2_and_cr3_as_their_definitions_have_them() {
    let golden = golden("clustered");
    assert_eq!(items(&golden["cases"]).len(), 15);
    for case in items(&golden["cases"]) {
        check(case);
    }
}

#[test]
fn factors_that_cut_across_clusters_are_said() {
    for golden in items(&golden("clustered")["cases"]) {
        let expected = match golden["name"].as_str().unwrap() {
            "absorbed, crossed" => Some(Variance::Cr1),
            "absorbed, nested" | "two clusters" => Some(Variance::Cr3),
            "balanced" => Some(Variance::WildCluster),
            _ => continue,
        };
        let variance = Case::read(golden).infer().columns()[0].variance;
        assert!(variance == expected || variance == Some(Variance::Classical), "{variance:?}");
    }
}

#[test]
fn the_wild_bootstrap_as_refits_have_it() {
    for golden in items(&golden("clustered")["wild"]) {
        let found = Case::read(golden).infer();
        let j = usize::try_from(golden["column"].as_u64().unwrap()).unwrap();
        let (estimate, variance) = (found.columns()[j].estimate, found.columns()[j].variance);
        assert_eq!(variance, Some(Variance::WildCluster));
        assert_close(&[estimate.value], &[number(&golden["value"])], 1e-8);
        assert_close(&[estimate.p_value.unwrap()], &[number(&golden["p_value"])], 1e-12);
        assert_close(&[estimate.conf_low.unwrap()], &[number(&golden["conf_low"])], 1e-6);
        assert_close(&[estimate.conf_high.unwrap()], &[number(&golden["conf_high"])], 1e-6);
    }
}

#[test]
fn the_score_bootstrap_as_sign_patterns_have_it() {
    for golden in items(&golden("clustered")["score"]) {
        let found = Case::read(golden).infer();
        let j = usize::try_from(golden["column"].as_u64().unwrap()).unwrap();
        let term = found.columns()[j];
        assert_eq!(term.variance, Some(Variance::ScoreCluster));
        assert_close(&[term.estimate.p_value.unwrap()], &[number(&golden["p_value"])], 1e-12);
    }
}
