//! The L1 path and the scores against scikit-learn, scipy and numpy.

use hypothesaes_math::lasso::{self, Loss, fit, fit_classes, fit_in};
use hypothesaes_math::{Activations, Controls, Setting, random, scores};
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers};

/// The rows under `key`; of pairs, differences.
fn activations(golden: &Value, key: &str) -> Activations {
    let mut z = Activations::new(items(&golden[key][0]).len());
    for row in items(&golden[key]) {
        // Eighths: exact in 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        z.push_difference((0_u32..).zip(numbers(row).into_iter().map(|v| v as f32)));
    }
    z
}

fn codes(value: &Value) -> Vec<u32> {
    items(value).iter().map(|v| u32::try_from(v.as_u64().unwrap()).unwrap()).collect()
}

fn controls(golden: &Value, factors: usize) -> Controls {
    let columns = items(&golden["numeric"]).iter().map(numbers).collect();
    let factors = items(&golden["factors"])[..factors].iter().map(codes).collect();
    Controls { columns, factors }
}

fn weighted(golden: &Value, factors: Option<usize>) -> Setting {
    let weights = Some(numbers(&golden["weights"]));
    let controls = factors.map_or(Controls::default(), |f| controls(golden, f));
    Setting { weights, controls, ..Setting::default() }
}

/// Same neurons, same order by size, coefficients within `tolerance` at every penalty of a path.
fn check_path(golden: &Value, path: &str, loss: Loss, y: &str, setting: &Setting, tolerance: f64) {
    let z = activations(golden, if setting.centred { "z" } else { "pairs" });
    let y = numbers(&golden[y]);
    for point in items(&golden[path]) {
        let lambda = number(&point["lambda"]);
        let solution = fit_in(&z, &y, loss, lambda, setting).unwrap().coefficients;
        let mut found = vec![0.0; z.neurons()];
        for (j, coefficient) in &solution {
            found[*j] = *coefficient;
        }
        let expected = numbers(&point["coefficients"]);
        assert_close(&found, &expected, tolerance);
        let order: Vec<usize> = solution.iter().map(|c| c.0).collect();
        let sizes: Vec<_> = expected.iter().map(|v| (*v != 0.0).then_some(*v)).collect();
        assert_eq!(order, scores::top(&sizes, z.neurons()), "{path}");
    }
}

#[test]
fn lasso_as_scikit_learn_has_it() {
    let golden = golden("selection");
    let check = |path, y, setting| check_path(&golden, path, Loss::Squared, y, &setting, 1e-10);
    check("squared", "y", Setting::default());
    check("squared_weights", "y", weighted(&golden, None));
    check("squared_pairs", "margin", Setting::pairs());
}

#[test]
fn logistic_lasso_as_scikit_learn_has_it() {
    let golden = golden("selection");
    let check = |path, y, setting, tolerance| {
        check_path(&golden, path, Loss::Logistic, y, &setting, tolerance);
    };
    check("logistic", "classes", Setting::default(), 1e-7);
    // Its intercept is penalised, by a millionth of the penalty of the others.
    check("liblinear", "classes", Setting::default(), 1e-6);
    check("logistic_pairs", "won", Setting::pairs(), 1e-7);
}

#[test]
fn weights_controls_and_counts_as_scipy_has_them() {
    let golden = golden("selection");
    let check = |path, loss, y, setting| check_path(&golden, path, loss, y, &setting, 1e-8);
    check("squared_controls", Loss::Squared, "y", weighted(&golden, Some(2)));
    check("logistic_weights", Loss::Logistic, "classes", weighted(&golden, None));
    check("logistic_one_factor", Loss::Logistic, "classes", weighted(&golden, Some(1)));
    check("logistic_controls", Loss::Logistic, "classes", weighted(&golden, Some(2)));
    check("poisson", Loss::Poisson, "counts", Setting::default());
    let offset = Some(numbers(&golden["exposure"]));
    let exposed = Setting { offset, ..weighted(&golden, Some(1)) };
    check("poisson_controls", Loss::Poisson, "counts", exposed);
}

#[test]
fn several_classes_as_scikit_learn_has_them() {
    let golden = golden("selection");
    let (z, labels) = (activations(&golden, "z"), codes(&golden["labels"]));
    for point in items(&golden["multinomial"]) {
        let lambda = number(&point["lambda"]);
        let mut found = vec![vec![0.0; z.neurons()]; 3];
        for (j, b) in fit_classes(&z, &labels, lambda, &Setting::default()).unwrap().coefficients {
            (0..3).for_each(|c| found[c][j] = b[c]);
        }
        for (found, expected) in found.iter().zip(items(&point["coefficients"])) {
            let expected = numbers(expected);
            assert_close(found, &expected, 1e-6);
            let support = |v: &[f64]| -> Vec<bool> { v.iter().map(|v| *v != 0.0).collect() };
            assert_eq!(support(found), support(&expected), "{lambda}");
        }
    }
}

#[test]
fn scores_as_scipy_and_numpy_have_them() {
    let golden = golden("selection");
    let (z, y) = (activations(&golden, "z"), numbers(&golden["y"]));
    let check = |found: Vec<Option<f64>>, key: &str| {
        let found: Vec<f64> = found.into_iter().map(Option::unwrap).collect();
        assert_close(&found, &numbers(&golden[key]), 1e-13);
    };
    check(scores::correlation(&z, &y).unwrap(), "correlation");
    check(scores::separation(&z, &y, None).unwrap(), "separation");
    for (factors, key) in [(1, "correlation_one_factor"), (2, "correlation_controls")] {
        let setting = weighted(&golden, Some(factors));
        check(scores::correlation_in(&z, &y, &setting).unwrap(), key);
    }
    let setting = weighted(&golden, Some(2));
    check(scores::separation_in(&z, &y, None, &setting).unwrap(), "separation_controls");
}

#[test]
fn reordering_texts_changes_no_score() {
    let golden = golden("selection");
    let (z, y) = (activations(&golden, "z"), numbers(&golden["y"]));
    let order = random::permutation(y.len(), &mut random::stream(3, "order"));
    let moved: Vec<f64> = order.iter().map(|&i| y[i]).collect();
    let separation: fn(&_, &_) -> _ = |z, y| scores::separation(z, y, None);
    for score in [separation, scores::correlation] {
        let (a, b) = (score(&z, &y).unwrap(), score(&z.gather(&order), &moved).unwrap());
        for (a, b) in a.into_iter().flatten().zip(b.into_iter().flatten()) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
    for loss in [Loss::Squared, Loss::Logistic] {
        let classes = |y: &[f64]| match loss {
            Loss::Squared => y.to_vec(),
            _ => y.iter().map(|v| f64::from(u8::from(*v > 1.0))).collect(),
        };
        let a = fit(&z, &classes(&y), loss, 0.05).unwrap().coefficients;
        let b = fit(&z.gather(&order), &classes(&moved), loss, 0.05).unwrap().coefficients;
        assert_eq!(a.len(), b.len());
        for (a, b) in a.into_iter().zip(b) {
            assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-9, "{loss:?} {a:?} {b:?}");
        }
    }
}

#[test]
fn swapping_the_texts_of_pairs_changes_no_result() {
    let golden = golden("selection");
    let (z, margin) = (activations(&golden, "pairs"), numbers(&golden["margin"]));
    let won: Vec<f64> = numbers(&golden["won"]);
    let swapped = |i: usize| i.is_multiple_of(3);
    let mut turned = Activations::new(z.neurons());
    for i in 0..z.rows() {
        let sign = if swapped(i) { -1.0 } else { 1.0 };
        turned
            .push_difference((z.row(i).0.iter().copied()).zip(z.row(i).1.iter().map(|v| v * sign)));
    }
    let turn = |y: &[f64], other: fn(f64) -> f64| -> Vec<f64> {
        y.iter().enumerate().map(|(i, v)| if swapped(i) { other(*v) } else { *v }).collect()
    };
    let column: Vec<f64> = items(&golden["numeric"][0])[..z.rows()].iter().map(number).collect();
    let with = |columns| Setting {
        controls: Controls { columns, ..Controls::default() },
        ..Setting::pairs()
    };
    let (setting, setting_turned) = (with(vec![column.clone()]), with(vec![turn(&column, |v| -v)]));
    let targets = [
        (Loss::Squared, margin.clone(), turn(&margin, |v| -v)),
        (Loss::Logistic, won.clone(), turn(&won, |v| 1.0 - v)),
    ];
    for (loss, y, y_turned) in targets {
        let a = lasso::select_in(&z, &y, loss, 5, &setting).unwrap();
        assert_eq!(a.coefficients.len(), 5);
        assert_eq!(a, lasso::select_in(&turned, &y_turned, loss, 5, &setting_turned).unwrap());
    }
    let turned_margin = turn(&margin, |v| -v);
    for top in [None, Some(3)] {
        let a = scores::separation_in(&z, &margin, top, &setting).unwrap();
        assert_eq!(
            a,
            scores::separation_in(&turned, &turned_margin, top, &setting_turned).unwrap()
        );
    }
    let a = scores::correlation_in(&z, &margin, &setting).unwrap();
    assert_eq!(a, scores::correlation_in(&turned, &turned_margin, &setting_turned).unwrap());
}
