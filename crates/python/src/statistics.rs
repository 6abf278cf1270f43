//! Regressions, differences and measures, as JSON where they have many parts.

use hypothesaes::{Error, Result};
use hypothesaes_math::regression::Model;
use hypothesaes_math::regression::columns::{Column, classify};
use hypothesaes_math::regression::inference::{Inference, Term, infer};
use hypothesaes_math::{Estimate, Level, crossfit, means, metrics, multiplicity};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use ordered_float::OrderedFloat;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
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
        let kinds = classify(&columns);
        let fitted: Vec<usize> =
            (0..columns.len()).filter(|&j| kinds[j] == Column::Fitted).collect();
        let design: Vec<Vec<f64>> = fitted.iter().map(|&j| columns[j].clone()).collect();
        let inference = infer(model, &design, &y, level)?;
        Ok(described(model, &kinds, &fitted, &inference, &y, level).to_string())
    })
}

/// A regression as JSON.
fn described(
    model: Model,
    kinds: &[Column],
    fitted: &[usize],
    inference: &Inference,
    y: &[f64],
    level: Level,
) -> Value {
    let df = (y.len() as f64) - (fitted.len() as f64) - 1.0;
    let term = |term: &Term| {
        let value = term.estimate.value;
        let classical = term.classical.map(|std_error| match model {
            Model::LeastSquares => Estimate::student(value, std_error, df, level),
            Model::Logit => Estimate::normal(value, std_error, level),
        });
        json!({
            "status": "fitted", "estimate": term.estimate, "variance": term.variance,
            "hc3": term.hc3, "classical": term.classical,
            "classical_p": classical.and_then(|estimate| estimate.p_value),
        })
    };
    let mut terms = vec![term(&inference.terms[0])];
    let mut found = inference.terms[1..].iter();
    for kind in kinds {
        let aliased = |of: &[usize]| json!({"status": "aliased", "of": of});
        terms.push(match kind {
            Column::Fitted => found.next().map_or(Value::Null, term),
            Column::Constant => json!({"status": "constant"}),
            Column::Same(of) | Column::Opposite(of) => aliased(&[*of]),
            Column::Combination => aliased(&[]),
        });
    }
    let mut all = json!({
        "terms": terms, "fitted": inference.fitted, "penalised": inference.penalised,
    });
    let measures = match model {
        Model::LeastSquares => {
            let mean = y.iter().sum::<f64>() / y.len() as f64;
            let of = |part: &dyn Fn(usize) -> f64| (0..y.len()).map(part).sum::<f64>();
            let residual = of(&|i| (y[i] - inference.fitted[i]).powi(2));
            let total = of(&|i| (y[i] - mean).powi(2));
            json!({"r2": (total > 0.0).then(|| 1.0 - residual / total)})
        }
        Model::Logit => {
            let own = likelihood(y, |i| inference.fitted[i]);
            let share = y.iter().sum::<f64>() / y.len() as f64;
            let null = likelihood(y, |_| share);
            json!({"r2": 1.0 - own / null, "log_likelihood": own, "null_log_likelihood": null})
        }
    };
    if let (Value::Object(all), Value::Object(measures)) = (&mut all, measures) {
        all.extend(measures);
    }
    all
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
        let predicted = crossfit::predict(model, &columns, &y, &folds)?;
        let (name, measure) = match model {
            Model::LeastSquares => ("r2", metrics::r_squared(&y, &predicted, level)),
            Model::Logit => ("auroc", metrics::auc_within(&y, &predicted, &folds, level)),
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
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let weights = rows.into_iter().map(|row| row.into_iter().map(OrderedFloat).collect::<Vec<_>>());
    let weights = Matrix::from_rows(weights).expect("rows of one length");
    Ok(kuhn_munkres(&weights).1)
}

fn model_of(name: &str) -> Result<Model> {
    match name {
        "ols" => Ok(Model::LeastSquares),
        "logit" => Ok(Model::Logit),
        other => Err(Error::option("model", other, "choose ols or logit")),
    }
}
