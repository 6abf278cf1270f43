//! The L1 path and the scores against scikit-learn and scipy.

use hypothesaes_math::lasso::{Loss, fit};
use hypothesaes_math::{Activations, random, scores};
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers};

fn activations(golden: &Value) -> Activations {
    let mut z = Activations::new(items(&golden["z"][0]).len());
    for row in items(&golden["z"]) {
        // Eighths: exact in 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        z.push_row((0_u32..).zip(numbers(row).into_iter().map(|v| v as f32)));
    }
    z
}

fn check_path(loss: Loss, path: &str, y: &str, tolerance: f64) {
    let golden = golden("selection");
    let (z, y) = (activations(&golden), numbers(&golden[y]));
    for point in items(&golden[path]) {
        let mut found = vec![0.0; z.neurons()];
        for (j, coefficient) in fit(&z, &y, loss, number(&point["lambda"])).unwrap().coefficients {
            found[j] = coefficient;
        }
        let expected = numbers(&point["coefficients"]);
        assert_close(&found, &expected, tolerance);
        let support = |v: &[f64]| -> Vec<bool> { v.iter().map(|v| *v != 0.0).collect() };
        assert_eq!(support(&found), support(&expected), "{path}");
    }
}

#[test]
fn lasso_as_scikit_learn_has_it() {
    check_path(Loss::Squared, "squared", "y", 1e-10);
}

#[test]
fn logistic_lasso_as_scikit_learn_has_it() {
    check_path(Loss::Logistic, "logistic", "classes", 1e-7);
}

#[test]
fn scores_as_scipy_has_them() {
    let golden = golden("selection");
    let (z, y) = (activations(&golden), numbers(&golden["y"]));
    let all =
        |scores: Vec<Option<f64>>| -> Vec<f64> { scores.into_iter().map(Option::unwrap).collect() };
    let correlation = all(scores::correlation(&z, &y).unwrap());
    assert_close(&correlation, &numbers(&golden["correlation"]), 1e-13);
    let separation = all(scores::separation(&z, &y, None).unwrap());
    assert_close(&separation, &numbers(&golden["separation"]), 1e-13);
}

#[test]
fn reordering_texts_changes_no_score() {
    let golden = golden("selection");
    let (z, y) = (activations(&golden), numbers(&golden["y"]));
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
            Loss::Logistic => y.iter().map(|v| f64::from(u8::from(*v > 1.0))).collect(),
        };
        let a = fit(&z, &classes(&y), loss, 0.05).unwrap().coefficients;
        let b = fit(&z.gather(&order), &classes(&moved), loss, 0.05).unwrap().coefficients;
        assert_eq!(a.len(), b.len());
        for (a, b) in a.into_iter().zip(b) {
            assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-9, "{loss:?} {a:?} {b:?}");
        }
    }
}
