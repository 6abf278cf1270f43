//! Regressions against statsmodels and dense formulas, their laws, and their error rates.

use hypothesaes_math::regression::{Model, Term, Variance, infer};
use hypothesaes_math::{Estimate, Level, random};
use rand::RngExt;
use serde_json::Value;

use crate::support::{assert_close, golden, items, number, numbers, packed};

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn columns(value: &Value) -> Vec<Vec<f64>> {
    items(value).iter().map(numbers).collect()
}

fn check_inference(model: Model, golden: &Value, tolerance: f64) {
    let (x, y) = (columns(&golden["columns"]), numbers(&golden["y"]));
    let found = infer(model, &packed(&x), &y, level()).unwrap();
    let all = |value: fn(&Term) -> f64| -> Vec<f64> { found.terms.iter().map(value).collect() };
    let check = |name: &str, got: Vec<f64>| {
        assert_close(&got, &numbers(&golden[name]), tolerance);
    };
    check("coefficients", all(|t| t.estimate.value));
    check("hc3", all(|t| t.hc3.unwrap()));
    check("classical", all(|t| t.classical.unwrap()));
    check("df", all(|t| t.estimate.df.unwrap()));
    check("p_from_df", all(|t| t.estimate.p_value.unwrap()));
    assert!(!found.penalised);
}

#[test]
fn least_squares_with_hc3() {
    check_inference(Model::LeastSquares, &golden("regression")["least_squares"], 1e-11);
}

#[test]
fn logit_with_hc3() {
    check_inference(Model::Logit, &golden("regression")["logit"], 1e-9);
}

#[test]
fn trap_33_firth_where_the_likelihood_has_no_maximum() {
    let golden = &golden("regression")["firth"];
    let (x, y) = (columns(&golden["columns"]), numbers(&golden["y"]));
    let found = infer(Model::Logit, &packed(&x), &y, level()).unwrap();
    assert!(found.penalised);
    let values: Vec<f64> = found.terms.iter().map(|t| t.estimate.value).collect();
    assert_close(&values, &numbers(&golden["coefficients"]), 1e-6);
    let j = usize::try_from(golden["separated"].as_u64().unwrap()).unwrap();
    let term = found.terms[j];
    assert_eq!(term.variance, Some(Variance::Profile));
    for (name, got) in [
        ("statistic", term.estimate.statistic),
        ("p_value", term.estimate.p_value),
        ("conf_low", term.estimate.conf_low),
        ("conf_high", term.estimate.conf_high),
        ("std_error", term.estimate.std_error),
    ] {
        assert_close(&[got.unwrap()], &[number(&golden[name])], 1e-5);
    }
    assert_ne!(found.terms[0].variance, Some(Variance::Profile), "the intercept needs none");
}

#[test]
fn tails_and_quantiles_of_students_t() {
    for case in items(&golden("regression")["student"]) {
        let (t, df) = (number(&case["t"]), number(&case["df"]));
        let p = Estimate::student(t, 1.0, df, level()).p_value.unwrap();
        assert!((p / number(&case["p"]) - 1.0).abs() < 1e-8, "{case}: {p}");
        let quantile = level().student_quantile(df).unwrap();
        assert_close(&[quantile], &[number(&case["quantile"])], 1e-8);
    }
}

/// Columns true with these chances, and noise.
fn sample(shares: &[f64], n: usize, seed: u64) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut random = random::stream(seed, "regression test");
    let mut column = |share: &f64| -> Vec<f64> {
        (0..n).map(|_| f64::from(u8::from(random.random_bool(*share)))).collect()
    };
    let columns = shares.iter().map(&mut column).collect();
    (columns, (0..n).map(|_| random.random()).collect())
}

#[test]
fn reordering_rows_changes_nothing() {
    let (x, noise) = sample(&[0.5, 0.1, 0.03], 500, 1);
    let order = random::permutation(500, &mut random::stream(2, "order"));
    let shuffled = |v: &[f64]| -> Vec<f64> { order.iter().map(|&i| v[i]).collect() };
    let y: Vec<f64> = noise.iter().zip(&x[0]).map(|(e, x)| e + 0.3 * x).collect();
    let classes: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v > 0.6))).collect();
    for (model, y) in [(Model::LeastSquares, y), (Model::Logit, classes)] {
        let a = infer(model, &packed(&x), &y, level()).unwrap();
        let moved: Vec<Vec<f64>> = x.iter().map(|c| shuffled(c)).collect();
        let b = infer(model, &packed(&moved), &shuffled(&y), level()).unwrap();
        for (a, b) in a.terms.iter().zip(&b.terms) {
            let parts = |e: Estimate| [Some(e.value), e.std_error, e.df, e.p_value];
            for (a, b) in parts(a.estimate).into_iter().zip(parts(b.estimate)) {
                assert_eq!(a.is_some(), b.is_some(), "{model:?}");
                let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
                assert!((a - b).abs() <= 1e-10 * a.abs().max(1.0), "{model:?} {a} {b}");
            }
        }
    }
}

#[test]
fn flipping_the_target_flips_the_signs() {
    let (x, noise) = sample(&[0.5, 0.1, 0.03], 500, 3);
    let classes: Vec<f64> = noise.iter().map(|v| f64::from(u8::from(*v > 0.6))).collect();
    let against = |y: &[f64]| -> Vec<f64> { y.iter().map(|v| 1.0 - v).collect() };
    for (model, y) in [(Model::LeastSquares, noise), (Model::Logit, classes)] {
        let a = infer(model, &packed(&x), &y, level()).unwrap();
        let b = infer(model, &packed(&x), &against(&y), level()).unwrap();
        for (a, b) in a.terms.iter().zip(&b.terms).skip(1) {
            assert!((a.estimate.value + b.estimate.value).abs() < 1e-10, "{model:?}");
            let (a, b) = (a.estimate.p_value.unwrap(), b.estimate.p_value.unwrap());
            assert!((a - b).abs() < 1e-10, "{model:?}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let (x, noise) = sample(&[0.5, 0.1, 0.03], 9000, 4);
    let classes: Vec<f64> = noise.iter().map(|v| f64::from(u8::from(*v > 0.6))).collect();
    for (model, y) in [(Model::LeastSquares, noise), (Model::Logit, classes)] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| infer(model, &packed(&x), &y, level()).unwrap())
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn a_single_row_that_decides_a_column_gives_no_test() {
    let (mut x, y) = sample(&[0.5, 0.1], 60, 5);
    x[1].fill(0.0);
    x[1][7] = 1.0;
    let found = infer(Model::LeastSquares, &packed(&x), &y, level()).unwrap();
    assert_eq!(found.terms[2].variance, None);
    assert_eq!(found.terms[2].estimate, Estimate::bare(found.terms[2].estimate.value));
    assert!(found.terms[1].variance.is_some());
}

#[test]
fn an_exact_fit_is_certain_of_what_it_needs_only() {
    let (x, _) = sample(&[0.5, 0.3], 40, 6);
    let y: Vec<f64> = x[0].iter().map(|v| 2.0 + 3e6 * v).collect();
    let found = infer(Model::LeastSquares, &packed(&x), &y, level()).unwrap();
    let p: Vec<f64> = found.terms.iter().map(|t| t.estimate.p_value.unwrap()).collect();
    assert_eq!(p[1..], [0.0, 1.0]);
}
