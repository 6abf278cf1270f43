//! Weights, controls, classes and pairs.

use super::{classes, planted};
use crate::lasso::*;
use crate::random::stream;
use crate::{Activations, Controls, Setting};
use rand::RngExt;

/// Levels of a factor that the target depends on.
fn levels(rows: usize, n: u32, seed: u64) -> Vec<u32> {
    let mut random = stream(seed, "levels");
    (0..rows).map(|_| random.random_range(0..n)).collect()
}

fn counts(y: &[f64]) -> Vec<f64> {
    y.iter().map(|v| v.abs().round()).collect()
}

fn targets(y: &[f64]) -> [(Loss, Vec<f64>); 3] {
    [(Loss::Squared, y.to_vec()), (Loss::Logistic, classes(y)), (Loss::Poisson, counts(y))]
}

fn same(a: &Lasso, b: &Lasso, tolerance: f64) {
    assert_eq!(a.coefficients.len(), b.coefficients.len());
    for (a, b) in a.coefficients.iter().zip(&b.coefficients) {
        assert!(a.0 == b.0 && (a.1 - b.1).abs() < tolerance, "{a:?} {b:?}");
    }
}

#[test]
fn an_absorbed_factor_is_its_indicators() {
    // More rows than are summed at once: levels lie across the pieces.
    let (z, y) = planted(10_000, 12, 11);
    let factor = levels(y.len(), 9, 1);
    let pull = |i: usize| f64::from(factor[i]) * 0.1;
    let y: Vec<f64> = y.iter().enumerate().map(|(i, v)| v + pull(i)).collect();
    let indicator = |l: u32| factor.iter().map(|f| f64::from(u8::from(*f == l))).collect();
    let absorbed = Controls { columns: vec![], factors: vec![factor.clone()] };
    let expanded = Controls { columns: (1..9).map(indicator).collect(), factors: vec![] };
    let of = |controls: &Controls| Setting { controls: controls.clone(), ..Setting::default() };
    for (loss, y) in targets(&y) {
        let a = select_in(&z, &y, loss, 5, &of(&absorbed)).unwrap();
        let b = fit_in(&z, &y, loss, a.lambda, &of(&expanded)).unwrap();
        assert_eq!(a.coefficients.len(), 5);
        same(&a, &b, 1e-8);
    }
}

#[test]
fn many_levels_and_few_rows_in_each() {
    let (z, y) = planted(9000, 12, 12);
    let factors = vec![levels(y.len(), 2500, 2), levels(y.len(), 5, 3)];
    let controls = Controls { columns: vec![], factors };
    let setting = Setting { controls, ..Setting::default() };
    for (loss, y) in targets(&y) {
        let found = select_in(&z, &y, loss, 3, &setting).unwrap();
        let mut neurons: Vec<usize> = found.coefficients.iter().map(|c| c.0).collect();
        neurons.sort_unstable();
        assert_eq!(found.coefficients.len(), 3);
        assert!(loss == Loss::Poisson || neurons == [0, 1, 2], "{loss:?} {neurons:?}");
    }
}

#[test]
fn too_many_levels_beside_the_absorbed_factor_are_refused() {
    let (z, y) = planted(1000, 5, 13);
    let factors = vec![levels(1000, 300, 2), levels(1000, 400, 3)];
    let setting = Setting { controls: Controls { columns: vec![], factors }, ..Setting::default() };
    let message = select_in(&z, &classes(&y), Loss::Logistic, 1, &setting).unwrap_err().to_string();
    assert!(message.contains("more than `200` levels"), "{message}");
    select_in(&z, &y, Loss::Squared, 1, &setting).unwrap();
}

#[test]
fn a_weight_counts_as_so_many_rows() {
    let (z, y) = planted(300, 15, 14);
    let times: Vec<usize> = (0..300).map(|i| i % 3).collect();
    let repeated: Vec<usize> = (0..300).flat_map(|i| vec![i; times[i]]).collect();
    let weights = Some(times.iter().map(|t| *t as f64).collect());
    let setting = Setting { weights, ..Setting::default() };
    for (loss, y) in targets(&y) {
        let a = select_in(&z, &y, loss, 6, &setting).unwrap();
        let y: Vec<f64> = repeated.iter().map(|&i| y[i]).collect();
        same(&a, &fit(&z.gather(&repeated), &y, loss, a.lambda).unwrap(), 1e-8);
    }
}

#[test]
fn controls_that_explain_a_neuron_keep_it_out() {
    let (z, y) = planted(400, 20, 15);
    let mut column = vec![5.0; 400];
    z.by_neuron().pairs(0).for_each(|(i, v)| column[i] -= 2.0 * v);
    let controls = Controls { columns: vec![column], factors: vec![] };
    let setting = Setting { controls, ..Setting::default() };
    for (loss, y) in targets(&y) {
        let all = select_in(&z, &y, loss, 19, &setting).unwrap();
        assert!(all.coefficients.len() == 19 && all.coefficients.iter().all(|c| c.0 != 0));
    }
}

#[test]
fn where_controls_explain_every_neuron_none_is_selected() {
    let (z, y) = planted(200, 3, 21);
    let column = |j| {
        let mut column = vec![0.1; 200];
        z.by_neuron().pairs(j).for_each(|(i, v)| column[i] += 0.3 * v);
        column
    };
    let controls = Controls { columns: vec![column(0), column(1), column(2)], factors: vec![] };
    let setting = Setting { controls, ..Setting::default() };
    for (loss, y) in targets(&y) {
        let found = select_in(&z, &y, loss, 1, &setting).unwrap();
        assert!(found.coefficients.is_empty() && found.message.is_some(), "{loss:?} {found:?}");
    }
    let scores = crate::scores::correlation_in(&z, &y, &setting).unwrap();
    assert_eq!(scores, [None; 3]);
}

#[test]
fn excluded_neurons_are_never_selected() {
    let (z, y) = planted(400, 20, 16);
    let setting = Setting { excluded: vec![0, 2], ..Setting::default() };
    for (loss, y) in targets(&y) {
        let found = select_in(&z, &y, loss, 20, &setting).unwrap();
        assert!(found.coefficients.iter().all(|c| c.0 != 0 && c.0 != 2));
        assert!(found.message.unwrap().starts_with("18 neurons selected instead of 20"));
    }
}

#[test]
fn controls_that_determine_the_target_are_an_error() {
    let (z, y) = planted(60, 5, 17);
    let of = |column: Vec<f64>| Setting {
        controls: Controls { columns: vec![column], factors: vec![] },
        ..Setting::default()
    };
    let message =
        |loss, y: &[f64], setting| select_in(&z, y, loss, 2, &setting).unwrap_err().to_string();
    let shifted = y.iter().map(|v| 3.0 * v - 7.0).collect();
    assert!(message(Loss::Squared, &y, of(shifted)).contains("controls determine the target"));
    let sides = classes(&y);
    assert!(message(Loss::Logistic, &sides, of(y.clone())).contains("no fit exists"));
}

#[test]
fn rare_neurons_that_tell_the_classes_apart_stay_finite() {
    let mut z = Activations::new(3);
    let y: Vec<f64> = (0..500).map(|i| f64::from(u8::from(i < 6))).collect();
    for i in 0..500 {
        // The first fires where the target is 1 and nowhere else.
        z.push_row([(0, if i < 6 { 1e4 } else { 0.0 }), (1, (i % 7) as f32), (2, (i % 2) as f32)]);
    }
    let found = select(&z, &y, Loss::Logistic, 3).unwrap();
    assert_eq!(found.coefficients[0].0, 0);
    assert!(found.coefficients.iter().all(|c| c.1.is_finite()), "{found:?}");
}

#[test]
fn several_classes_select_exactly_n_and_two_are_a_logit() {
    let (z, y) = planted(600, 25, 18);
    let labels: Vec<u32> = y.iter().map(|v| u32::from(*v > 0.0) + u32::from(*v > 1.2)).collect();
    let factor = Controls { columns: vec![], factors: vec![levels(600, 12, 4)] };
    for controls in [Controls::default(), factor] {
        let setting = Setting { controls, ..Setting::default() };
        let found = select_classes(&z, &labels, 6, &setting).unwrap();
        assert_eq!((found.coefficients.len(), found.message), (6, None));
        assert!(found.coefficients.iter().any(|c| c.0 == 0));
    }
    // With two classes each has half of the coefficient, with opposite signs.
    let two: Vec<u32> = labels.iter().map(|l| u32::from(*l > 0)).collect();
    let y: Vec<f64> = two.iter().map(|c| f64::from(*c)).collect();
    let logit = fit(&z, &y, Loss::Logistic, 0.04).unwrap();
    let softmax = fit_classes(&z, &two, 0.04, &Setting::default()).unwrap();
    for (a, (j, b)) in logit.coefficients.iter().zip(&softmax.coefficients) {
        assert!(a.0 == *j && (b[1] - b[0] - a.1).abs() < 1e-6, "{a:?} {b:?}");
    }
}

#[test]
fn bad_classes_are_refused() {
    let (z, _) = planted(4, 3, 19);
    let of = |classes: &[u32], setting: &Setting| {
        select_classes(&z, classes, 1, setting).unwrap_err().to_string()
    };
    let setting = Setting::default();
    assert_eq!(of(&[0, 2, 0, 2], &setting), "no row with weight is of class `1`");
    assert!(of(&[0; 4], &setting).contains("one value only"));
    assert!(of(&[0, 1, 9, 0], &setting).contains("`classes` is 9"));
    assert!(of(&[0, 1, 1, 0], &Setting::pairs()).contains("two outcomes"));
}

#[test]
fn threads_change_nothing_with_controls_either() {
    let (z, y) = planted(20_000, 30, 20);
    let columns = vec![y.iter().map(|v| v.sin()).collect()];
    let factors = vec![levels(y.len(), 700, 5)];
    let setting = Setting { controls: Controls { columns, factors }, ..Setting::default() };
    for (loss, y) in targets(&y) {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| select_in(&z, &y, loss, 6, &setting).unwrap())
        };
        assert_eq!(run(1), run(3), "{loss:?}");
    }
}
