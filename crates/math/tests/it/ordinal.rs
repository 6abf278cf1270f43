use hypothesaes_math::random::stream;
use hypothesaes_math::regression::ordinal::{Ordinal, Target, Term, infer};
use hypothesaes_math::regression::{self, Model};
use hypothesaes_math::{Error, Level};
use rand::RngExt;
use rayon::prelude::*;
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers, packed};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn whole(value: &Value) -> Vec<usize> {
    items(value).iter().map(|v| usize::try_from(v.as_u64().unwrap()).unwrap()).collect()
}

struct Case {
    golden: Value,
    levels: Vec<usize>,
    columns: Vec<Vec<f64>>,
    values: Vec<f64>,
}

impl Case {
    fn new(name: &str) -> Self {
        let golden = golden("ordinal")[name].clone();
        Self {
            levels: whole(&golden["y"]),
            columns: items(&golden["columns"]).iter().map(numbers).collect(),
            values: numbers(&golden["values"]),
            golden,
        }
    }

    fn target(&self) -> Target<'_> {
        Target { levels: &self.levels, values: &self.values, weights: None, cluster: None }
    }

    fn fit(&self) -> Ordinal {
        let some = |key: &str| Some(&self.golden[key]).filter(|v| !v.is_null());
        let (weights, cluster) = (some("weights").map(numbers), some("cluster").map(whole));
        let target =
            Target { weights: weights.as_deref(), cluster: cluster.as_deref(), ..self.target() };
        infer(&target, &packed(&self.columns), level()).unwrap()
    }

    fn check(&self, got: &[f64], key: &str, tolerance: f64) {
        assert_close(got, &numbers(&self.golden[key]), tolerance);
    }
}

#[test]
fn everything_agrees_with_statsmodels_and_the_definition() {
    for name in ["five_levels", "two_levels", "clusters", "weights"] {
        let case = Case::new(name);
        let found = case.fit();
        let of =
            |part: &dyn Fn(&Term) -> f64| -> Vec<f64> { found.terms.iter().map(part).collect() };
        case.check(&found.thresholds, "thresholds", 1e-8);
        case.check(&of(&|t| t.estimate.unwrap().value), "coefficients", 1e-8);
        case.check(&of(&|t| t.classical.unwrap()), "classical", 1e-8);
        case.check(&of(&|t| t.robust.unwrap()), "robust", 1e-8);
        case.check(&of(&|t| t.effect.value), "effects", 1e-8);
        let errors = ["effect_classical", "effect_robust"].map(|key| numbers(&case.golden[key]));
        let larger: Vec<f64> = errors[0].iter().zip(&errors[1]).map(|(a, b)| a.max(*b)).collect();
        assert_close(&of(&|t| t.effect.std_error.unwrap()), &larger, 1e-8);
        case.check(&found.fitted, "fitted", 1e-8);
        let likelihoods = [found.log_likelihood, found.null_log_likelihood];
        assert_close(
            &likelihoods,
            &["log_likelihood", "null"].map(|key| number(&case.golden[key])),
            1e-10,
        );
        let tests: Vec<f64> = found
            .terms
            .iter()
            .filter_map(|t| t.proportional)
            .flat_map(|t| [t.statistic, t.p_value])
            .collect();
        let expected = case.golden["proportional"].as_array();
        let expected: Vec<f64> = expected.into_iter().flatten().flat_map(numbers).collect();
        assert_close(&tests, &expected, 1e-7);
    }
}

#[test]
fn two_levels_are_a_logit() {
    // Enough rows of every kind that neither fit is penalised.
    let levels: Vec<usize> = (0..600).map(|i| usize::from(i % 7 < 3 || i % 5 == 1)).collect();
    let columns: Vec<Vec<f64>> =
        [3, 4].map(|m| (0..600).map(|i| f64::from(u8::from(i % m == 1))).collect()).into();
    let target = Target { levels: &levels, values: &[0.0, 1.0], weights: None, cluster: None };
    let found = infer(&target, &packed(&columns), level()).unwrap();
    let y: Vec<f64> = levels.iter().map(|l| *l as f64).collect();
    let logit = regression::infer(Model::Logit, &packed(&columns), &y, level()).unwrap();
    for (term, logit) in found.terms.iter().zip(&logit.terms[1..]) {
        assert_close(&[term.estimate.unwrap().value], &[logit.estimate.value], 1e-8);
        assert_close(&[term.classical.unwrap()], &[logit.classical.unwrap()], 1e-8);
    }
    assert_close(&[-found.thresholds[0]], &[logit.terms[0].estimate.value], 1e-8);
}

#[test]
fn turning_the_levels_round_turns_the_signs() {
    let case = Case::new("five_levels");
    let found = case.fit();
    let turned: Vec<usize> = case.levels.iter().map(|l| 4 - l).collect();
    let turned =
        infer(&Target { levels: &turned, ..case.target() }, &packed(&case.columns), level())
            .unwrap();
    for (a, b) in found.terms.iter().zip(&turned.terms) {
        assert_close(&[a.estimate.unwrap().value], &[-b.estimate.unwrap().value], 1e-8);
        assert_close(&[a.effect.value], &[-b.effect.value], 1e-8);
        let (a, b) = (a.proportional.unwrap(), b.proportional.unwrap());
        assert_close(&[a.statistic], &[b.statistic], 1e-6);
    }
}

#[test]
fn a_weight_of_two_is_two_rows_and_of_none_is_none() {
    let case = Case::new("five_levels");
    let n = case.levels.len();
    let weights: Vec<f64> = (0..n).map(|i| (i % 3) as f64).collect();
    let weighted = Target { weights: Some(&weights), ..case.target() };
    let weighted = infer(&weighted, &packed(&case.columns), level()).unwrap();
    let rows: Vec<usize> = (0..n).flat_map(|i| vec![i; i % 3]).collect();
    let levels: Vec<usize> = rows.iter().map(|&i| case.levels[i]).collect();
    let columns: Vec<Vec<f64>> =
        case.columns.iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect();
    let repeated =
        infer(&Target { levels: &levels, ..case.target() }, &packed(&columns), level()).unwrap();
    assert_close(&weighted.thresholds, &repeated.thresholds, 1e-8);
    for (a, b) in weighted.terms.iter().zip(&repeated.terms) {
        assert_close(&[a.classical.unwrap()], &[b.classical.unwrap()], 1e-8);
        assert_close(&[a.effect.value], &[b.effect.value], 1e-8);
    }
}

#[test]
fn a_level_without_rows_is_left_out() {
    let case = Case::new("five_levels");
    let gap: Vec<usize> = case.levels.iter().map(|l| if *l > 2 { l + 1 } else { *l }).collect();
    let values = [1.0, 2.0, 3.0, 3.5, 4.0, 5.0];
    let target = Target { levels: &gap, values: &values, ..case.target() };
    let found = infer(&target, &packed(&case.columns), level()).unwrap();
    assert_eq!(found.levels, [0, 1, 2, 4, 5]);
    assert_eq!(found.terms, case.fit().terms);
}

#[test]
fn a_column_that_separates_has_no_estimate_and_spoils_no_other() {
    let mut case = Case::new("five_levels");
    let top = case.levels.iter().enumerate();
    let top = top.map(|(i, l)| f64::from(u8::from(*l == 4 && i % 2 == 0))).collect();
    case.columns.push(top);
    let found = infer(&case.target(), &packed(&case.columns), level()).unwrap();
    let last = found.terms[3];
    assert_eq!((last.estimate, last.robust, last.proportional), (None, None, None));
    assert!(last.effect.value > 0.0 && last.effect.value.is_finite(), "{last:?}");
    // Without the rows that it decides, the same coefficients.
    let rows: Vec<usize> = (0..case.levels.len()).filter(|&i| case.columns[3][i] == 0.0).collect();
    let levels: Vec<usize> = rows.iter().map(|&i| case.levels[i]).collect();
    let columns: Vec<Vec<f64>> =
        case.columns[..3].iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect();
    let rest =
        infer(&Target { levels: &levels, ..case.target() }, &packed(&columns), level()).unwrap();
    for (a, b) in found.terms.iter().zip(&rest.terms) {
        let (a, b) = (a.estimate.unwrap(), b.estimate.unwrap());
        assert_close(&[a.value, a.std_error.unwrap()], &[b.value, b.std_error.unwrap()], 2e-3);
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let case = Case::new("five_levels");
    let of = |levels: &[usize], columns: &[Vec<f64>]| {
        infer(&Target { levels, ..case.target() }, &packed(columns), level()).unwrap_err()
    };
    let n = case.levels.len();
    assert!(matches!(of(&vec![2; n], &case.columns), Error::Data(_)));
    assert!(matches!(of(&vec![9; n], &case.columns), Error::Option { .. }));
    let twice = [case.columns[0].clone(), case.columns[0].clone()];
    assert!(matches!(of(&case.levels, &twice), Error::Data(_)));
    let complete: Vec<f64> = case.levels.iter().map(|l| *l as f64).collect();
    let found = of(&case.levels, &[complete]);
    assert!(found.to_string().contains("separate"), "{found}");
    assert!(matches!(of(&case.levels[..5], &[vec![0.0; 4]]), Error::Shape { .. }));
    let unsorted = Target { values: &[1.0, 3.0, 2.0, 4.0, 5.0], ..case.target() };
    assert!(infer(&unsorted, &packed(&case.columns), level()).is_err());
    let one = vec![3; n];
    let one = Target { cluster: Some(&one), ..case.target() };
    assert!(infer(&one, &packed(&case.columns), level()).is_err());
}

/// Four levels that have nothing to do with a rare column and a measurement; in clusters of five
/// that share half of what decides both.
fn null(seed: u64, clustered: bool) -> (Vec<usize>, Vec<Vec<f64>>, Vec<usize>) {
    let stream = &mut stream(seed, "ordinal null");
    let (mut levels, mut columns, mut cluster) = (vec![], vec![vec![], vec![]], vec![]);
    let mut shared = [0.0; 3];
    for i in 0..300 {
        if i % 5 == 0 {
            shared = std::array::from_fn(|_| stream.random());
        }
        let mut own = |k: usize| {
            if clustered && stream.random::<bool>() { shared[k] } else { stream.random::<f64>() }
        };
        levels.push(format!("{:.0}", (own(0) * 4.0).floor()).parse().unwrap());
        columns[0].push(f64::from(u8::from(own(1) < 0.2)));
        columns[1].push(own(2));
        cluster.push(i / 5);
    }
    (levels, columns, cluster)
}

#[test]
fn null_effects_are_rejected_as_often_as_they_should() {
    let runs = 800;
    for clustered in [false, true] {
        let one = |run: u64| {
            let (levels, columns, cluster) = null(run, clustered);
            let cluster = clustered.then_some(&cluster[..]);
            let values = [0.0, 1.0, 2.0, 3.0];
            let target = Target { levels: &levels, values: &values, weights: None, cluster };
            let found = infer(&target, &packed(&columns), level()).unwrap();
            let below = |p: Option<f64>| f64::from(u8::from(p.unwrap() < 0.05));
            let of = |t: &Term| {
                [
                    below(t.estimate.unwrap().p_value),
                    below(t.effect.p_value),
                    below(t.proportional.map(|c| c.p_value)),
                ]
            };
            [of(&found.terms[0]), of(&found.terms[1])].concat()
        };
        let rejected: Vec<Vec<f64>> = (0..runs).into_par_iter().map(one).collect();
        let shares: Vec<f64> =
            (0..6).map(|k| rejected.iter().map(|r| r[k]).sum::<f64>() / runs as f64).collect();
        eprintln!("clustered {clustered}: {shares:?}");
        for share in shares {
            assert!((0.025..=0.075).contains(&share), "clustered {clustered}: rejected {share}");
        }
    }
}
