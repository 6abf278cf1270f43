//! How well all hypotheses together predict the target, between what the controls tell alone and what
//! the texts could tell at most.
//!
//! From controls to hypotheses to neurons to embeddings: the step from hypotheses to neurons is lost
//! by wordings that do not say what the neurons see, the step to embeddings by neurons that were not
//! chosen or do not tell.

use std::iter::repeat_n;
use std::sync::Arc;

use hypothesaes_math::metrics::{self, Predicted};
use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::regression::{self, Columns};
use hypothesaes_math::resample::{self, Resampling};
use hypothesaes_math::ridge::CrossValidated;
use hypothesaes_math::{Error as MathError, Estimate, Matrix, crossfit};

use super::joint::{Joint, metrics_of};
use super::layout::Layout;
use super::sample::{Part, Sample};
use super::target::{Kind, Target};
use super::{Curve, EvaluateOptions, FitKind, Metric, Predictors, Together, curve};
use crate::{Result, signal};

/// Rows that the ridge regression on the embeddings looks at, at most.
const MAX_ROWS: usize = 20_000;
/// Rows times draws of a bootstrap, at most: intervals of large data are narrow enough for fewer.
const MAX_WORK: usize = 500_000_000;
const MIN_DRAWS: usize = 200;

/// What the hypotheses are compared with, over the rows that they are tested on.
#[derive(Default)]
pub struct Baselines<'a> {
    /// A column of activations for every neuron that was worded.
    pub neurons: Option<Columns>,
    pub embeddings: Option<Embeddings<'a>>,
}

/// A row of numbers for every row, made for those that are asked for: there are few of them.
pub struct Embeddings<'a> {
    pub cols: usize,
    pub of_rows: &'a dyn Fn(&[usize]) -> Matrix,
}

/// How well everything predicts.
#[derive(Default)]
pub(super) struct Told {
    pub all: Vec<Together>,
    /// Of the hypotheses, cross-fitted.
    pub curve: Option<Curve>,
}

/// Every set of predictors that is there; none if no joint model was fitted.
pub(super) fn together(
    sample: &Sample,
    layout: &Layout,
    target: &Target,
    joint: &Joint,
    baselines: &Baselines,
    options: &EvaluateOptions,
) -> Result<Told> {
    let Some(fitted) = &joint.fitted else { return Ok(Told::default()) };
    let part = &layout.part;
    let y = target.gather(&part.rows);
    let folds = Folds::of(part, &y, target.kind, options.n_folds)?;
    let fold = folds.as_ref().map(|folds| folds.of_row.as_slice());
    let how = How { target, part, y: &y, fold, model: joint.model.regression(), sample, options };
    let own = layout.with_controls(&layout.columns)?;
    let predicted = how.predicted(&own)?;
    let predicted = predicted.as_deref();
    let curve = predicted.and_then(|prediction| {
        curve::curve(&how.predictions(prediction, None), target.kind, target.class.clone())
    });
    let mut all = how.measured(Predictors::Hypotheses, own.cols(), predicted)?;
    all.extend(how.in_sample(own.cols(), fitted)?);
    if part.controls.cols() > 0 {
        let prediction = how.predicted(&part.controls)?;
        all.extend(how.measured(
            Predictors::Controls,
            part.controls.cols(),
            prediction.as_deref(),
        )?);
    }
    if let Some(neurons) = baselines.neurons.as_ref().filter(|neurons| neurons.cols() > 0) {
        let neurons = neurons.gather(&part.rows);
        let columns = layout.with_controls(&neurons)?;
        let prediction = how.predicted(&columns)?;
        all.extend(how.measured(Predictors::Neurons, columns.cols(), prediction.as_deref())?);
    }
    if let Some(x) = &baselines.embeddings {
        all.extend(by_embeddings(&how, target, x)?);
    }
    Ok(Told { all, curve })
}

/// What every set of predictors is measured by.
struct How<'a> {
    target: &'a Target<'a>,
    part: &'a Part,
    y: &'a [f64],
    fold: Option<&'a [usize]>,
    model: regression::Model,
    sample: &'a Sample<'a>,
    options: &'a EvaluateOptions,
}

impl How<'_> {
    /// Cross-fitted predictions by the regression on these columns; `None` if the rows outside a
    /// fold do not suffice to fit, as when they share one target.
    fn predicted(&self, columns: &Columns) -> Result<Option<Vec<f64>>> {
        let Some(fold) = self.fold else { return Ok(None) };
        let setup = self.part.setup(self.model, 0, &[]);
        match crossfit::predict_with(&setup, columns, self.y, fold) {
            Err(MathError::Data(_) | MathError::Diverged(_)) => Ok(None),
            other => Ok(Some(other?)),
        }
    }

    /// The metrics of cross-fitted predictions, with intervals.
    fn measured(
        &self,
        predictors: Predictors,
        n_terms: usize,
        prediction: Option<&[f64]>,
    ) -> Result<Vec<Together>> {
        let n_folds = self.fold.map(|fold| fold.iter().max().map_or(0, |last| last + 1));
        let row = |metric, measure, null| Together {
            n_folds,
            ..self.row(predictors, FitKind::CrossFitted, metric, measure, null, n_terms)
        };
        let mut rows = Vec::new();
        for &(name, metric) in metrics_of(self.target.kind) {
            let found = match prediction {
                None => None,
                Some(prediction) => self.interval(name, metric, prediction)?,
            };
            rows.push(match found {
                Some(found) => row(name, Some(found.estimate), Some(found.null)),
                None => row(name, None, None),
            });
        }
        Ok(rows)
    }

    fn interval(
        &self,
        name: Metric,
        metric: metrics::Metric,
        prediction: &[f64],
    ) -> Result<Option<resample::Bootstrap>> {
        let clusters: Option<Vec<usize>> =
            self.part.clusters.as_ref().map(|c| c.iter().map(|c| *c as usize).collect());
        let most = (MAX_WORK / self.y.len().max(1)).max(MIN_DRAWS);
        let how = Resampling {
            cluster: clusters.as_deref(),
            draws: self.options.n_bootstrap.min(most),
            seed: self.sample.seed,
            level: self.sample.level,
        };
        // Scores of different models do not compare.
        let fold = self.fold.filter(|_| matches!(name, Metric::Auc | Metric::Concordance));
        match resample::interval(metric, &self.predictions(prediction, fold), &how) {
            // As a mean of counts that is not above 0.
            Err(MathError::Data(_)) => Ok(None),
            found => Ok(found?),
        }
    }

    /// The metrics of predictions of the rows that were fitted.
    fn in_sample(&self, n_terms: usize, fitted: &[f64]) -> Result<Vec<Together>> {
        let (predictors, fit) = (Predictors::Hypotheses, FitKind::InSample);
        let mut rows = Vec::new();
        for &(name, metric) in metrics_of(self.target.kind) {
            let score = match metrics::score(metric, &self.predictions(fitted, None)) {
                Err(MathError::Data(_)) => None,
                found => found?,
            };
            let (measure, null) = (score.map(|s| Estimate::bare(s.value)), score.map(|s| s.null));
            rows.push(self.row(predictors, fit, name, measure, null, n_terms));
        }
        Ok(rows)
    }

    fn predictions<'p>(
        &'p self,
        prediction: &'p [f64],
        fold: Option<&'p [usize]>,
    ) -> Predicted<'p> {
        let (weights, exposure) = (self.part.weights.as_deref(), self.part.exposure.as_deref());
        Predicted { y: self.y, prediction, weights, exposure, fold }
    }

    fn row(
        &self,
        predictors: Predictors,
        fit: FitKind,
        metric: Metric,
        measure: Option<Estimate>,
        null: Option<f64>,
        n_terms: usize,
    ) -> Together {
        let (class, n) = (self.target.class.clone(), self.y.len());
        Together { class, predictors, fit, metric, measure, null, n, n_terms, n_folds: None }
    }
}

/// A ridge regression on the embeddings, brought to the scale of the target and joined with the
/// controls by the regression that suits the target.
fn by_embeddings(how: &How, target: &Target, embeddings: &Embeddings) -> Result<Vec<Together>> {
    let mut places: Vec<usize> = (0..how.y.len()).collect();
    if places.len() > MAX_ROWS {
        places = permutation(places.len(), &mut stream(how.sample.seed, "ridge rows"));
        places.truncate(MAX_ROWS);
        places.sort_unstable();
    }
    let rows: Vec<usize> = places.iter().map(|&i| how.part.rows[i]).collect();
    let part = how.sample.part(Arc::new(rows));
    let y = target.gather(&part.rows);
    let missing = |how: &How| how.measured(Predictors::Embeddings, embeddings.cols, None);
    let Some(folds) = Folds::of(&part, &y, target.kind, how.options.n_folds)? else {
        return missing(how);
    };
    let x = signal::reduced(&(embeddings.of_rows)(&part.rows), how.sample.seed)?.into_owned();
    let ridge = match CrossValidated::new(&x, &folds.of_row, folds.n) {
        Err(MathError::Data(_)) => return missing(how),
        ridge => ridge?,
    };
    let score = ridge.predict(&rates(&y, target.kind, part.exposure.as_deref()))?;
    let how = How { part: &part, y: &y, fold: Some(&folds.of_row), ..*how };
    let prediction = if target.kind == Kind::Number && part.controls.cols() == 0 {
        Some(score)
    } else {
        let score = Columns::from_fn(y.len(), 1, |i, _| score[i])?;
        how.predicted(&score.beside(&part.controls)?)?
    };
    how.measured(Predictors::Embeddings, x.cols() + part.controls.cols(), prediction.as_deref())
}

/// What the ridge is fitted to: of counts, the logarithm of the rate.
fn rates(y: &[f64], kind: Kind, exposure: Option<&[f64]>) -> Vec<f64> {
    let rate = |(i, y): (usize, &f64)| match kind {
        Kind::Count => (y / exposure.map_or(1.0, |e| e[i])).ln_1p(),
        _ => *y,
    };
    y.iter().enumerate().map(rate).collect()
}

/// Folds that keep groups together.
struct Folds {
    of_row: Vec<usize>,
    n: usize,
}

impl Folds {
    /// As many folds as asked for if every one can hold a row, or two of each class; `None` if there
    /// cannot be two.
    fn of(part: &Part, y: &[f64], kind: Kind, asked: usize) -> Result<Option<Self>> {
        let most = match kind {
            Kind::Class => {
                let positives = y.iter().filter(|y| **y != 0.0).count();
                positives.min(y.len() - positives) / 2
            }
            _ => y.len(),
        };
        if let Some(clusters) = &part.clusters {
            // Rows of a group are next to each other.
            let sizes = clusters.chunk_by(|a, b| a == b).map(<[u32]>::len);
            let unit: Vec<u32> =
                (0..).zip(sizes).flat_map(|(unit, size)| repeat_n(unit, size)).collect();
            let n = asked.min(most).min(unit.last().map_or(0, |last| *last as usize + 1));
            let folds = |n| crossfit::folds_of_units(&unit, n, part.seed(), "evaluate folds");
            return Ok((n >= 2).then(|| Self { of_row: folds(n), n }));
        }
        let n = asked.min(most);
        if n < 2 {
            return Ok(None);
        }
        let classes = (kind == Kind::Class).then_some(y);
        Ok(Some(Self { of_row: crossfit::folds(y.len(), n, classes, part.seed())?, n }))
    }
}
