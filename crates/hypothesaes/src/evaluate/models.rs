//! How well all hypotheses together predict the target.

use hypothesaes_math::metrics::{self, Measure};
use hypothesaes_math::{Error as MathError, crossfit};

use super::joint::Joint;
use super::{EvaluateOptions, FitKind, Metric, Model, Together};
use crate::Result;

/// Cross-fitted and in-sample fit of the joint model; empty if nothing was fitted.
pub(super) fn together(
    joint: &Joint,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Vec<Together>> {
    let Some(inference) = &joint.inference else { return Ok(Vec::new()) };
    let level = options.conf_level;
    let (metric, in_sample) = match joint.model {
        Model::Ols => (Metric::RSquared, metrics::r_squared(&joint.y, &inference.fitted, level)),
        Model::Logit => (Metric::Auc, metrics::auc(&joint.y, &inference.fitted, level)),
    };
    let n_folds = feasible_folds(joint, options.n_folds);
    let cross_fitted = match n_folds {
        Some(k) => cross_fitted(joint, k, seed, level)?,
        None => None,
    };
    let together = |fit, measure, n_folds| Together {
        fit,
        metric,
        measure,
        n: joint.y.len(),
        n_terms: joint.fitted.len(),
        n_folds,
    };
    Ok(vec![
        together(FitKind::CrossFitted, cross_fitted, n_folds),
        together(FitKind::InSample, in_sample, None),
    ])
}

/// As many folds as asked for if every one can hold a text, or two of each class.
fn feasible_folds(joint: &Joint, asked: usize) -> Option<usize> {
    let n = joint.y.len();
    let most = match joint.model {
        Model::Ols => n,
        Model::Logit => {
            let positives = joint.y.iter().filter(|y| **y != 0.0).count();
            positives.min(n - positives) / 2
        }
    };
    Some(asked.min(most)).filter(|k| *k >= 2)
}

/// `None` if the texts outside a fold do not suffice to fit, as when they share one target.
fn cross_fitted(joint: &Joint, k: usize, seed: u64, level: f64) -> Result<Option<Measure>> {
    let classes = (joint.model == Model::Logit).then_some(joint.y.as_slice());
    let folds = crossfit::folds(joint.y.len(), k, classes, seed)?;
    let prediction = match crossfit::predict(joint.model.into(), &joint.columns, &joint.y, &folds) {
        Err(MathError::Data(_) | MathError::Diverged(_)) => return Ok(None),
        other => other?,
    };
    Ok(match joint.model {
        Model::Ols => metrics::r_squared(&joint.y, &prediction, level),
        Model::Logit => metrics::auc_within(&joint.y, &prediction, &folds, level),
    })
}
