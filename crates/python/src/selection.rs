//! Which neurons tell most about the target.

use hypothesaes::Error;
use hypothesaes_math::lasso::{self, Lasso, Loss};
use hypothesaes_math::{Activations, scores};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::arrays::{Array, numbers};
use crate::work::work;

type Selected = (Vec<usize>, Vec<f64>, Option<f64>, Vec<String>);

#[pyfunction]
#[pyo3(signature = (z, y, n, method, classification, alpha=None, n_top=None, watch=None))]
pub fn select(
    py: Python<'_>,
    z: &Bound<'_, PyAny>,
    y: PyReadonlyArray1<'_, f64>,
    n: usize,
    method: String,
    classification: bool,
    alpha: Option<f64>,
    n_top: Option<usize>,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Selected> {
    let z = Array::new("activations", z)?;
    let (z, y) = (z.view(), numbers(&y));
    work(py, watch, move |_| {
        let z = z.activations();
        match method.as_str() {
            "lasso" => by_lasso(&z, &y, n, classification, alpha),
            "correlation" => Ok(by_score(scores::correlation(&z, &y)?, n)),
            "separation_score" => Ok(by_score(scores::separation(&z, &y, n_top)?, n)),
            other => {
                let allowed = "choose lasso, correlation, separation_score or custom";
                Err(Error::option("method", other, allowed))
            }
        }
    })
}

/// The largest in absolute value, ties by neuron.
fn by_score(scores: Vec<Option<f64>>, n: usize) -> Selected {
    let mut scored: Vec<(usize, f64)> =
        scores.into_iter().enumerate().filter_map(|(j, score)| Some((j, score?))).collect();
    scored.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let mut messages = Vec::new();
    if scored.len() < n {
        let live = scored.len();
        messages.push(format!(
            "{live} neurons selected instead of {n}: no more of them fire on some texts but not on \
             all"
        ));
    }
    scored.truncate(n);
    let (neurons, scores) = scored.into_iter().unzip();
    (neurons, scores, None, messages)
}

/// scikit-learn's penalty is that of the mean loss for least squares, of the sum for a logit.
fn by_lasso(
    z: &Activations,
    y: &[f64],
    n: usize,
    classification: bool,
    alpha: Option<f64>,
) -> Result<Selected, Error> {
    let loss = if classification { Loss::Logistic } else { Loss::Squared };
    let scale = if classification { y.len() as f64 } else { 1.0 };
    let Lasso { lambda, mut coefficients, message } = match alpha {
        Some(alpha) => lasso::fit(z, y, loss, alpha / scale)?,
        None => lasso::select(z, y, loss, n)?,
    };
    coefficients.truncate(n);
    let (neurons, scores) = coefficients.into_iter().unzip();
    Ok((neurons, scores, Some(lambda * scale), message.into_iter().collect()))
}
