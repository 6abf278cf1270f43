use hypothesaes_math::metrics::{Metric, Predicted, Score, score};
use hypothesaes_math::multiplicity;
use serde_json::Value;

use crate::support::{assert_close, golden, number, numbers};

struct Data {
    golden: Value,
    weights: Vec<f64>,
}

impl Data {
    fn new() -> Self {
        let golden = golden("predictions");
        Self { weights: numbers(&golden["w"]), golden }
    }

    fn of(&self, key: &str) -> Vec<f64> {
        numbers(&self.golden[key])
    }

    fn weighted(&self, metric: Metric, y: &str, prediction: &str) -> Score {
        let (y, prediction) = (self.of(y), self.of(prediction));
        let weights = Some(&self.weights[..]);
        score(metric, &Predicted { weights, ..plain(&y, &prediction) }).unwrap().unwrap()
    }

    fn check(&self, got: f64, key: &str) {
        assert_close(&[got], &[number(&self.golden[key])], 1e-12);
    }
}

fn plain<'a>(y: &'a [f64], prediction: &'a [f64]) -> Predicted<'a> {
    Predicted { y, prediction, weights: None, exposure: None, fold: None }
}

#[test]
fn weighted_metrics_agree_with_sklearn() {
    let data = Data::new();
    data.check(data.weighted(Metric::RSquared, "y", "f").value, "r_squared");
    let loss = data.weighted(Metric::LogLoss, "b", "p");
    data.check(loss.value, "log_loss");
    data.check(loss.null, "log_loss_null");
    data.check(data.weighted(Metric::McFadden, "b", "p").value, "mcfadden");
    let brier = data.weighted(Metric::Brier, "b", "p");
    data.check(brier.value, "brier");
    data.check(brier.null, "brier_null");
    data.check(data.weighted(Metric::Deviance, "counts", "mu").value, "deviance");
    data.check(data.weighted(Metric::Concordance, "b", "f").value, "auc");
    data.check(data.weighted(Metric::Concordance, "ordinal", "f").value, "concordance");
}

#[test]
fn exposure_folds_and_order_agree_with_the_definition() {
    let data = Data::new();
    let (counts, mu, exposure) = (data.of("counts"), data.of("mu"), data.of("exposure"));
    let weights = Some(&data.weights[..]);
    let of = |metric, p: &Predicted| score(metric, p).unwrap().unwrap().value;
    let counted = Predicted { weights, exposure: Some(&exposure), ..plain(&counts, &mu) };
    data.check(of(Metric::Deviance, &counted), "deviance_exposure");
    let (b, f, y) = (data.of("b"), data.of("f"), data.of("ordinal"));
    let fold: Vec<usize> = (0..b.len()).map(|i| i % 3).collect();
    let folded = Predicted { weights, fold: Some(&fold), ..plain(&b, &f) };
    data.check(of(Metric::Concordance, &folded), "auc_fold");
    data.check(2.0 * of(Metric::Concordance, &plain(&y, &f)) - 1.0, "somers_d");
}

#[test]
fn a_weight_of_two_is_two_rows() {
    let (y, f) = ([0.0, 1.0, 1.0, 0.0, 1.0], [0.2, 0.4, 0.4, 0.4, 0.9]);
    let (twice_y, twice_f) = ([0.0, 1.0, 1.0, 0.0, 1.0, 0.0], [0.2, 0.4, 0.4, 0.4, 0.9, 0.4]);
    let weights = [1.0, 1.0, 1.0, 2.0, 1.0];
    for metric in [
        Metric::RSquared,
        Metric::LogLoss,
        Metric::Brier,
        Metric::McFadden,
        Metric::Deviance,
        Metric::Concordance,
    ] {
        let weighted = Predicted { weights: Some(&weights), ..plain(&y, &f) };
        let weighted = score(metric, &weighted).unwrap().unwrap();
        let twice = score(metric, &plain(&twice_y, &twice_f)).unwrap().unwrap();
        assert_close(&[weighted.value, weighted.null], &[twice.value, twice.null], 1e-14);
    }
}

#[test]
fn what_has_no_value_is_none_and_bad_input_is_refused() {
    let of = |metric, y: &[f64], f: &[f64]| score(metric, &plain(y, f));
    for metric in [Metric::RSquared, Metric::McFadden, Metric::Deviance, Metric::Concordance] {
        assert_eq!(of(metric, &[1.0, 1.0], &[0.5, 0.6]).unwrap(), None, "{metric:?}");
        assert_eq!(of(metric, &[], &[]).unwrap(), None, "{metric:?}");
    }
    let certain = of(Metric::LogLoss, &[1.0, 1.0], &[1.0, 0.0]).unwrap().unwrap();
    assert!(certain.value > 18.0 && certain.null == 0.0, "{certain:?}");
    assert!(of(Metric::LogLoss, &[2.0], &[0.5]).is_err());
    assert!(of(Metric::Brier, &[1.0], &[1.5]).is_err());
    assert!(of(Metric::Deviance, &[1.0], &[0.0]).is_err());
    assert!(of(Metric::RSquared, &[f64::NAN], &[0.0]).is_err());
    assert!(of(Metric::RSquared, &[1.0], &[0.0, 1.0]).is_err());
    let negative = Predicted { weights: Some(&[-1.0]), ..plain(&[1.0], &[0.5]) };
    assert!(score(Metric::RSquared, &negative).is_err());
}

#[test]
fn benjamini_yekutieli_agrees_with_statsmodels() {
    let golden = &golden("predictions")["benjamini_yekutieli"];
    let mut p: Vec<Option<f64>> = numbers(&golden["p"]).into_iter().map(Some).collect();
    p.insert(3, None);
    let adjusted = multiplicity::benjamini_yekutieli(&p);
    assert_eq!(adjusted[3], None);
    let adjusted: Vec<f64> = adjusted.into_iter().flatten().collect();
    assert_close(&adjusted, &numbers(&golden["adjusted"]), 1e-12);
}
