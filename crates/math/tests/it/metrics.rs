use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::ridge::CrossValidated;
use hypothesaes_math::{Matrix, metrics, multiplicity};

use crate::support::{assert_close, golden, numbers};

#[test]
fn r_squared_and_auc_agree_with_sklearn() {
    let golden = golden("metrics");
    let of = |key: &str| numbers(&golden["metrics"][key]);
    let value = |key: &str| golden["metrics"][key].as_f64().unwrap();
    let r = metrics::r_squared(&of("y"), &of("f"), 0.95).unwrap();
    assert_close(&[r.value], &[value("r_squared")], 1e-12);
    // The jackknife and the delta method agree to order 1/n.
    assert_close(&[r.std_error / value("r_squared_error")], &[1.0], 0.03);
    let a = metrics::auc(&of("b"), &of("s"), 0.95).unwrap();
    assert_close(&[a.value, a.std_error], &[value("auc"), value("auc_error")], 1e-12);
    assert!(0.0 < a.conf_low && a.conf_low < a.value && a.value < a.conf_high && a.conf_high < 1.0);
}

#[test]
fn average_precision_by_hand() {
    // Of the two best one is positive, of the three best two; the last two are tied.
    let (y, score) = ([1.0, 0.0, 1.0, 0.0, 1.0], [5.0, 4.0, 3.0, 1.0, 1.0]);
    let expected = (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0;
    assert_close(&[metrics::average_precision(&y, &score).unwrap()], &[expected], 1e-15);
    assert_eq!(metrics::average_precision(&[0.0, 0.0], &[1.0, 2.0]), None);
}

#[test]
fn metrics_of_degenerate_data_are_missing() {
    assert_eq!(metrics::r_squared(&[1.0, 1.0], &[0.0, 1.0], 0.95), None);
    assert_eq!(metrics::r_squared(&[1.0], &[1.0], 0.95), None);
    assert_eq!(metrics::auc(&[1.0, 1.0, 0.0], &[0.0, 1.0, 2.0], 0.95), None);
    let perfect = metrics::auc(&[1.0, 1.0, 0.0, 0.0], &[3.0, 4.0, 1.0, 2.0], 0.95).unwrap();
    assert_eq!((perfect.value, perfect.conf_high), (1.0, 1.0));
    assert!(perfect.conf_low < 0.6, "four rows prove little: {perfect:?}");
    let tied = metrics::auc(&[1.0, 1.0, 0.0, 0.0], &[3.0; 4], 0.95).unwrap();
    assert!(tied.value == 0.5 && tied.conf_low < 0.2 && tied.conf_high > 0.8, "{tied:?}");
}

#[test]
fn groups_are_not_compared_with_each_other() {
    // Perfect within each group, no better than chance across them.
    let y = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let score = [10.0, 11.0, 12.0, 13.0, 1.0, 2.0, 3.0, 4.0];
    let group = [0, 0, 0, 0, 1, 1, 1, 1];
    assert_eq!(metrics::auc_within(&y, &score, &group, 0.95).unwrap().value, 1.0);
    assert_eq!(metrics::auc(&y, &score, 0.95).unwrap().value, 0.75);
    // A group without two rows of a class has no say.
    let group = [0, 0, 0, 0, 1, 2, 3, 4];
    assert_eq!(metrics::auc_within(&y, &score, &group, 0.95).unwrap().value, 1.0);
    assert_eq!(metrics::auc_within(&y, &score, &[0, 1, 2, 3, 4, 5, 6, 7], 0.95), None);
}

/// Normal quantiles of a random order stand in for independent normal draws.
fn normal(n: usize, purpose: &str) -> Vec<f64> {
    use statrs::distribution::{ContinuousCDF, Normal};
    let order = permutation(n, &mut stream(0, purpose));
    order.iter().map(|r| Normal::standard().inverse_cdf((*r as f64 + 0.5) / n as f64)).collect()
}

#[test]
fn intervals_cover_the_truth() {
    // y = x + e with unit variances: R2 of the prediction x is 1/2, and the AUC of x for y > 0 is
    // 5/6 (by quadrature of P(x1 > x2 | y1 > 0 > y2)).
    const AUC_TRUTH: f64 = 5.0 / 6.0;
    let (mut r_covers, mut a_covers) = (0, 0);
    let runs = 400;
    for run in 0..runs {
        let (x, e) = (normal(20_000, &format!("x{run}")), normal(20_000, &format!("e{run}")));
        // A part of a large stratified sample is close to independent.
        let (x, e) = (&x[..300], &e[..300]);
        let y: Vec<f64> = x.iter().zip(e).map(|(x, e)| x + e).collect();
        let b: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > 0.0))).collect();
        let r = metrics::r_squared(&y, x, 0.95).unwrap();
        let a = metrics::auc(&b, x, 0.95).unwrap();
        r_covers += u32::from(r.conf_low <= 0.5 && 0.5 <= r.conf_high);
        a_covers += u32::from(a.conf_low <= AUC_TRUTH && AUC_TRUTH <= a.conf_high);
    }
    for covers in [r_covers, a_covers] {
        let share = f64::from(covers) / f64::from(runs);
        assert!((0.92..=0.98).contains(&share), "coverage {share}");
    }
}

#[test]
fn adjusted_p_values_agree_with_statsmodels() {
    let golden = golden("metrics");
    let of = |key: &str| numbers(&golden["multiplicity"][key]);
    // A missing p-value changes nothing for the others.
    let mut p: Vec<Option<f64>> = of("p").into_iter().map(Some).collect();
    p.insert(3, None);
    let check = |adjusted: Vec<Option<f64>>, key: &str| {
        assert_eq!(adjusted[3], None);
        let adjusted: Vec<f64> = adjusted.into_iter().flatten().collect();
        assert_close(&adjusted, &of(key), 1e-12);
    };
    check(multiplicity::bonferroni(&p), "bonferroni");
    check(multiplicity::holm(&p), "holm");
    check(multiplicity::benjamini_hochberg(&p), "fdr_bh");
    assert_eq!(multiplicity::holm(&[None, None]), [None, None]);
}

#[test]
fn ridge_agrees_with_sklearn() {
    let golden = golden("metrics");
    let of = |key: &str| numbers(&golden["ridge"][key]);
    #[expect(clippy::cast_possible_truncation)]
    let x = Matrix::from_vec(60, 3, of("x").iter().map(|v| *v as f32).collect()).unwrap();
    let fold: Vec<usize> = (0..60).map(|i| i % 4).collect();
    let prediction = CrossValidated::new(&x, &fold, 4).unwrap().predict(&of("y")).unwrap();
    assert_close(&prediction, &of("prediction"), 1e-8);
}
