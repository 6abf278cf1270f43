//! Regressions, differences and measures, as JSON where they have many parts.

use hypothesaes::{Error, Result};
use hypothesaes_math::matching::assign;
use hypothesaes_math::regression::columns::{Column, classify};
use hypothesaes_math::regression::{Columns, Design, Fit, Inference, Model, infer, logit};
use hypothesaes_math::{Estimate, Level, crossfit, means, metrics, multiplicity};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::arrays::{columns, numbers};
use crate::fault;
use crate::work::work;

#[pyfunction]
pub fn regress(
    py: Python<'_>,
    columns: PyReadonlyArray2<'_, f64>,
    y: PyReadonlyArray1<'_, f64>,
    model: String,
    level: f64,
) -> PyResult<String> {
    let (columns, y) = (crate::arrays::columns(&columns), numbers(&y));
    work(py, None, move |_| {
        let (model, level) = (model_of(&model)?, Level::new(level)?);
        let columns = Columns::new(y.len(), &columns)?;
        let kinds = classify(&columns);
        let fitted: Vec<usize> = (0..kinds.len()).filter(|&j| kinds[j] == Column::Fitted).collect();
        let columns = columns.select(&fitted);
        let regression = Regression {
            model,
            inference: infer(model, &columns, &y, level)?,
            plain: plain(model, &columns, &y)?,
            level,
        };
        Ok(regression.described(&kinds, &y).to_string())
    })
}

struct Regression {
    model: Model,
    inference: Inference,
    /// The fit without a penalty, where the other may have one; `None` if it has no solution.
    plain: Option<Fit>,
    level: Level,
}

fn plain(model: Model, columns: &Columns, y: &[f64]) -> Result<Option<Fit>> {
    if model == Model::LeastSquares {
        return Ok(None);
    }
    let found = logit::fit(&Design::new(columns), y)?;
    Ok(found.separated.is_empty().then_some(found.fit))
}

impl Regression {
    /// As JSON.
    fn described(&self, kinds: &[Column], y: &[f64]) -> Value {
        let mut terms = vec![self.term(0, y.len())];
        for kind in kinds {
            let aliased = |of: &[usize]| json!({"status": "aliased", "of": of});
            let fitted = terms.iter().filter(|term| term["status"] == "fitted").count();
            terms.push(match kind {
                Column::Fitted => self.term(fitted, y.len()),
                Column::Constant => json!({"status": "constant"}),
                Column::Same(of) | Column::Opposite(of) => aliased(&[*of]),
                // Of the last two there are none, as nothing stands beside the columns here.
                Column::Combination | Column::Controls | Column::Absorbed => aliased(&[]),
            });
        }
        let fitted = self.plain.as_ref().map_or(&self.inference.fitted, |plain| &plain.fitted);
        let penalised = self.inference.penalised;
        let mut all = json!({"terms": terms, "fitted": fitted, "penalised": penalised});
        if let (Value::Object(all), Value::Object(measures)) =
            (&mut all, measures(self.model, y, fitted))
        {
            all.extend(measures);
        }
        all
    }

    /// Coefficient `j`, the intercept being the first.
    fn term(&self, j: usize, n: usize) -> Value {
        let term = &self.inference.terms[j];
        let (value, std_error) = match &self.plain {
            Some(plain) => (plain.coefficients[j], Some(plain.inverse[(j, j)].sqrt())),
            None => (term.estimate.value, term.classical),
        };
        let df = n as f64 - self.inference.terms.len() as f64;
        let classical = std_error.map(|std_error| match self.model {
            Model::LeastSquares => Estimate::student(value, std_error, df, self.level),
            _ => Estimate::normal(value, std_error, self.level),
        });
        json!({
            "status": "fitted", "estimate": term.estimate, "variance": term.variance,
            "hc3": term.hc3, "classical": std_error, "classical_value": value,
            "classical_p": classical.and_then(|estimate| estimate.p_value),
        })
    }
}

/// How well the fitted means go with the target, on the rows fitted.
fn measures(model: Model, y: &[f64], fitted: &[f64]) -> Value {
    if model == Model::LeastSquares {
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let of = |part: &dyn Fn(usize) -> f64| (0..y.len()).map(part).sum::<f64>();
        let residual = of(&|i| (y[i] - fitted[i]).powi(2));
        let total = of(&|i| (y[i] - mean).powi(2));
        return json!({"r2": (total > 0.0).then(|| 1.0 - residual / total)});
    }
    let own = likelihood(y, |i| fitted[i]);
    let share = y.iter().sum::<f64>() / y.len() as f64;
    let without = likelihood(y, |_| share);
    json!({"r2": 1.0 - own / without, "log_likelihood": own, "null_log_likelihood": without})
}

/// `sum y log p + (1 - y) log(1 - p)`, a certain prediction counting as that.
fn likelihood(y: &[f64], p: impl Fn(usize) -> f64) -> f64 {
    let log = |p: f64| p.max(f64::MIN_POSITIVE).ln();
    y.iter().enumerate().map(|(i, &y)| if y == 1.0 { log(p(i)) } else { log(1.0 - p(i)) }).sum()
}

#[pyfunction]
pub fn mean_difference(
    py: Python<'_>,
    a: PyReadonlyArray1<'_, f64>,
    b: PyReadonlyArray1<'_, f64>,
    level: f64,
) -> PyResult<String> {
    let (a, b) = (numbers(&a), numbers(&b));
    let level = Level::new(level).map_err(|e| fault::library(py, e))?;
    let Some((estimate, spreads)) = means::difference(&a, &b, level) else {
        return Ok(json!({"value": null, "pooled_p": null}).to_string());
    };
    let mut all = json!(estimate);
    all["source"] = match spreads {
        means::Spreads::Own => "welch",
        means::Spreads::Common => "student",
    }
    .into();
    all["pooled_p"] = json!(pooled(&a, &b, level).and_then(|estimate| estimate.p_value));
    Ok(all.to_string())
}

/// Student's t with equal variances.
fn pooled(a: &[f64], b: &[f64], level: Level) -> Option<Estimate> {
    let (n_a, n_b) = (a.len() as f64, b.len() as f64);
    let df = n_a + n_b - 2.0;
    if a.is_empty() || b.is_empty() || df <= 0.0 {
        return None;
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let squares = |x: &[f64]| {
        let mean = mean(x);
        x.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    let variance = (squares(a) + squares(b)) / df;
    let std_error = (variance * (1.0 / n_a + 1.0 / n_b)).sqrt();
    (std_error > 0.0).then(|| Estimate::student(mean(a) - mean(b), std_error, df, level))
}

#[pyfunction]
pub fn adjust(py: Python<'_>, p: Vec<Option<f64>>) -> PyResult<Bound<'_, PyDict>> {
    let adjusted = PyDict::new(py);
    adjusted.set_item("holm", multiplicity::holm(&p))?;
    adjusted.set_item("bh", multiplicity::benjamini_hochberg(&p))?;
    adjusted.set_item("bonferroni", multiplicity::bonferroni(&p))?;
    Ok(adjusted)
}

#[pyfunction]
pub fn auc(
    y: PyReadonlyArray1<'_, f64>,
    score: PyReadonlyArray1<'_, f64>,
    level: f64,
) -> Option<(f64, f64, f64)> {
    let measure = metrics::auc(&numbers(&y), &numbers(&score), level)?;
    Some((measure.value, measure.conf_low, measure.conf_high))
}

#[pyfunction]
pub fn average_precision(
    y: PyReadonlyArray1<'_, f64>,
    score: PyReadonlyArray1<'_, f64>,
) -> Option<f64> {
    metrics::average_precision(&numbers(&y), &numbers(&score))
}

type Measured = (&'static str, f64, f64, f64);

#[pyfunction]
pub fn cross_fitted(
    py: Python<'_>,
    columns: PyReadonlyArray2<'_, f64>,
    y: PyReadonlyArray1<'_, f64>,
    model: String,
    n_folds: usize,
    seed: u64,
    level: f64,
) -> PyResult<Option<Measured>> {
    let (columns, y) = (self::columns(&columns), numbers(&y));
    work(py, None, move |_| {
        let model = model_of(&model)?;
        let classes = (model == Model::Logit).then_some(&y[..]);
        let folds = crossfit::folds(y.len(), n_folds, classes, seed)?;
        let columns = Columns::new(y.len(), &columns)?;
        let predicted = crossfit::predict(model, &columns, &y, &folds)?;
        let (name, measure) = match model {
            Model::LeastSquares => ("r2", metrics::r_squared(&y, &predicted, level)),
            _ => ("auroc", metrics::auc_within(&y, &predicted, &folds, level)),
        };
        Ok(measure.map(|m| (name, m.value, m.conf_low, m.conf_high)))
    })
}

#[pyfunction]
#[pyo3(name = "match")]
pub fn match_rows(py: Python<'_>, similarity: PyReadonlyArray2<'_, f64>) -> PyResult<Vec<usize>> {
    let rows = columns(&similarity);
    if rows.iter().any(|row| row.len() != rows.len() || row.iter().any(|v| !v.is_finite())) {
        let allowed = "a square matrix of finite numbers is needed";
        return Err(fault::argument(py, "similarity", "of another form", allowed));
    }
    work(py, None, move |_| Ok(assign(&rows)?.into_iter().flatten().collect()))
}

fn model_of(name: &str) -> Result<Model> {
    match name {
        "ols" => Ok(Model::LeastSquares),
        "logit" => Ok(Model::Logit),
        other => Err(Error::option("model", other, "choose ols or logit")),
    }
}
