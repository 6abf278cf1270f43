//! Sentence models on this computer, without a run.

use std::path::PathBuf;

use hypothesaes::data::Texts;
use hypothesaes::embed;
use hypothesaes::options::Options;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

use crate::runs::ENVIRONMENT;
use crate::work::work;

/// Vectors by a sentence model that is found, by its folder or by its name, in the hub's cache or on the
/// hub; `None` for a name without owner that is not in the cache. They are kept in the folder `kept_in`.
#[pyfunction]
#[pyo3(signature = (texts, model, prefix, kept_in, watch=None))]
pub fn sentence_vectors<'py>(
    py: Python<'py>,
    texts: Vec<String>,
    model: String,
    prefix: Option<String>,
    kept_in: PathBuf,
    watch: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
    let found = work(py, watch, move |teller| {
        let mut options = Options::default();
        (options.embed.embedder, options.embed.prefix) = (model, prefix);
        let folders = [dirs::home_dir(), dirs::cache_dir()];
        ENVIRONMENT.sentence_model(&mut options, folders, false, teller)?;
        if options.embed.folder.is_none() {
            return Ok(None);
        }
        options.embed.kept_in = Some(kept_in);
        let texts: Texts = texts.iter().map(String::as_str).collect();
        let embedder = embed::fit(&texts, &options.embed, None, 0, teller)?;
        Ok(Some(embed::embed(&*embedder, &texts, None, teller)?.0))
    })?;
    let Some(x) = found else { return Ok(None) };
    let shape = [x.rows(), x.cols()];
    x.into_vec().into_pyarray(py).reshape(shape).map(Some)
}
