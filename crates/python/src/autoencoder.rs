//! Sparse autoencoders: trained on arrays, saved, loaded, applied.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hypothesaes::sae::{
    Checkpoint, SaeOptions, Size, TRAINER_VERSION, TrainedSae, import, write_checkpoint,
};
use hypothesaes::store::write_atomically;
use hypothesaes::watch::Watch;
use hypothesaes::{Error, Result};
use hypothesaes_math::sae::{self, Event, Sae, TrainOptions, variance};
use hypothesaes_math::{Activations, Rows};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, ndarray::Array2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;

use crate::arrays::{Array, View};
use crate::work::{Teller, work};

/// What a checkpoint file of ours begins with is no archive.
const ARCHIVE: &[u8] = b"PK";

/// A trained autoencoder.
#[pyclass(frozen, module = "hypothesaes._native")]
pub struct Autoencoder {
    sae: Sae,
    /// What training made of it; `None` if it was trained elsewhere and not judged by rows yet.
    trained: Option<TrainedSae>,
    options: TrainOptions,
    data_hash: String,
    /// The file of the Python package that it was read from.
    file: Option<Arc<[u8]>>,
}

type Csr<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<f32>>);

#[pymethods]
impl Autoencoder {
    #[getter]
    fn n_neurons(&self) -> usize {
        self.sae.n_neurons()
    }

    #[getter]
    fn k(&self) -> usize {
        self.sae.k()
    }

    #[getter]
    fn dim(&self) -> usize {
        self.sae.dim()
    }

    #[getter]
    fn threshold(&self) -> Option<f32> {
        self.sae.parts().threshold
    }

    #[getter]
    fn options(&self) -> String {
        // As text of an f32, not of the f64 that it would become as a JSON value.
        serde_json::to_string(&self.options).unwrap_or_default()
    }

    #[getter]
    fn history(&self) -> String {
        let history = self.trained.as_ref().map(|trained| trained.history.as_slice());
        json!(history.unwrap_or_default()).to_string()
    }

    #[getter]
    fn best_epoch(&self) -> usize {
        self.trained.as_ref().map_or(0, |trained| trained.best_epoch)
    }

    #[getter]
    fn data_hash(&self) -> &str {
        &self.data_hash
    }

    #[pyo3(signature = (x, watch=None))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Csr<'py>> {
        let x = Array::new("x", x)?;
        let x = x.view();
        let (starts, indices, values) = work(py, watch, move |_| Ok(csr(&self.sae.encode(&x)?)))?;
        Ok((starts.into_pyarray(py), indices.into_pyarray(py), values.into_pyarray(py)))
    }

    #[pyo3(signature = (x, watch=None))]
    fn activations<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let x = Array::new("x", x)?;
        let x = x.view();
        let dense = work(py, watch, move |_| Ok(self.dense(&x)?))?;
        Ok(dense.into_pyarray(py))
    }

    fn decode<'py>(
        &self,
        py: Python<'py>,
        indptr: PyReadonlyArray1<'py, i64>,
        indices: PyReadonlyArray1<'py, i32>,
        data: PyReadonlyArray1<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let m = self.sae.n_neurons();
        let (starts, indices) = (indptr.as_array().to_vec(), indices.as_array().to_vec());
        let data = data.as_array().to_vec();
        let x = work(py, None, move |_| {
            let z = from_csr(m, &starts, &indices, &data)?;
            Ok(self.sae.decode(&z)?)
        })?;
        let (n, d) = (x.rows(), x.cols());
        x.into_vec().into_pyarray(py).reshape([n, d])
    }

    #[pyo3(signature = (x, watch=None))]
    fn reconstruction<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<String> {
        let x = Array::new("x", x)?;
        let x = x.view();
        work(py, watch, move |_| {
            let r = self.measured(&x)?.reconstruction(&x)?;
            let told = json!({
                "n_rows": r.n_rows, "fvu": r.fvu, "squared_error": r.squared_error,
                "cosine": r.cosine, "mean_active": r.mean_active, "n_silent": r.n_silent,
            });
            Ok(told.to_string())
        })
    }

    #[pyo3(signature = (x, watch=None))]
    fn health<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<String> {
        let x = Array::new("x", x)?;
        let x = x.view();
        work(py, watch, move |_| {
            let health = self.sae.health(&self.sae.encode(&x)?, None)?;
            Ok(json!(health).to_string())
        })
    }

    /// The same autoencoder, judged by these rows if it was trained elsewhere.
    #[pyo3(signature = (x, watch=None))]
    fn judged<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        watch: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let x = Array::new("x", x)?;
        let x = x.view();
        work(py, watch, move |_| {
            let trained = match &self.trained {
                Some(trained) => trained.clone(),
                None => TrainedSae::judge(self.size().to_string(), self.measured(&x)?, &x)?,
            };
            let (options, data_hash) = (self.options.clone(), self.data_hash.clone());
            let sae = trained.sae.clone();
            Ok(Self { sae, trained: Some(trained), options, data_hash, file: None })
        })
    }

    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let parts = self.sae.parts();
        let (m, d) = (self.sae.n_neurons(), self.sae.dim());
        let weights = PyDict::new(py);
        for (name, matrix) in [("encoder", &parts.encoder), ("decoder", &parts.decoder)] {
            weights.set_item(name, matrix.data().to_vec().into_pyarray(py).reshape([m, d])?)?;
        }
        weights.set_item("input_bias", parts.input_bias.clone().into_pyarray(py))?;
        weights.set_item("neuron_bias", parts.neuron_bias.clone().into_pyarray(py))?;
        Ok(weights)
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let Some(trained) = &self.trained else {
            // What it measures errors in is not known: it stays the file that it was.
            let file = self.file.clone().unwrap_or_default();
            return work(py, None, move |_| {
                write_atomically(&path, |to| to.write_all(&file)).map(drop)
            });
        };
        let checkpoint = Checkpoint {
            models: vec![trained.clone()],
            options: stage_options(&self.options),
            seed: self.options.seed,
            data_hash: self.data_hash.clone(),
            trainer_version: TRAINER_VERSION,
        };
        work(py, None, move |_| write_checkpoint(&checkpoint, &path))
    }
}

impl Autoencoder {
    fn size(&self) -> Size {
        Size { n_neurons: self.sae.n_neurons(), k: self.sae.k() }
    }

    fn dense(&self, x: &View<'_>) -> hypothesaes_math::Result<Array2<f32>> {
        let mut dense = Array2::zeros((x.n_rows(), self.sae.n_neurons()));
        let mut first = 0;
        for part in self.sae.encode_in_parts(x, 16_384)? {
            let part = part?;
            for i in 0..part.rows() {
                for (j, value) in part.pairs(i) {
                    dense[[first + i, j]] = value;
                }
            }
            first += part.rows();
        }
        Ok(dense)
    }

    /// With the variance of these rows, if it does not know that of its own.
    fn measured(&self, x: &View<'_>) -> Result<Sae> {
        if self.trained.is_some() {
            return Ok(self.sae.clone());
        }
        let mut parts = self.sae.parts().clone();
        parts.variance = variance(x)?;
        Ok(Sae::from_parts(parts)?)
    }
}

#[pyfunction]
#[pyo3(signature = (x, validation, options, watch=None))]
pub fn train(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    validation: Option<&Bound<'_, PyAny>>,
    options: String,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Autoencoder> {
    let x = Array::new("embeddings", x)?;
    let validation = validation.map(|v| Array::new("val_embeddings", v)).transpose()?;
    let (x, validation) = (x.view(), validation.as_ref().map(Array::view));
    work(py, watch, move |teller| {
        let options: TrainOptions = serde_json::from_str(&options)
            .map_err(|e| Error::option("options", &options, e.to_string()))?;
        trained(&x, validation.as_ref(), options, teller)
    })
}

fn trained(
    x: &View<'_>,
    validation: Option<&View<'_>>,
    options: TrainOptions,
    teller: &Teller,
) -> Result<Autoencoder> {
    hypothesaes_math::check_finite("embeddings", x)?;
    if let Some(validation) = validation {
        hypothesaes_math::check_finite("validation embeddings", validation)?;
    }
    Watch::begin(teller, "sae", options.max_epochs as u64, "epochs");
    let mut observe = |event: Event<'_>| {
        if matches!(event, Event::Epoch { .. }) {
            Watch::advance(teller, 1);
        }
        if Watch::interrupted(teller) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopping = validation.map(|v| v as &dyn Rows);
    let result = sae::train(x, stopping, &options, &mut observe);
    let result = match result {
        Err(hypothesaes_math::Error::Stopped) => return Err(Error::Interrupted),
        other => other?,
    };
    let id = Size { n_neurons: options.n_neurons, k: options.k }.to_string();
    let mut trained = TrainedSae::judge(id, result.sae, x)?;
    trained.history = result.history;
    trained.best_epoch = result.best_epoch;
    trained.quality.fvu_validation = validation.map(|v| trained.sae.fvu(v)).transpose()?;
    let best = trained.best_epoch;
    Watch::end(teller, &format!("best epoch {best} of {}", trained.history.len()));
    let data_hash = hash(x, validation)?;
    let sae = trained.sae.clone();
    Ok(Autoencoder { sae, trained: Some(trained), options, data_hash, file: None })
}

#[pyfunction]
pub fn load(py: Python<'_>, path: PathBuf) -> PyResult<Vec<Autoencoder>> {
    work(py, None, move |_| {
        let bytes = std::fs::read(&path).map_err(Error::file("read", &path))?;
        if bytes.starts_with(ARCHIVE) { foreign(&path, bytes) } else { own(&path, &bytes) }
    })
}

/// A `.pt` of the Python package; what it measures its errors in is not known.
fn foreign(path: &Path, bytes: Vec<u8>) -> Result<Vec<Autoencoder>> {
    let (sae, options) = import(path, 1.0)?;
    let size = Size { n_neurons: sae.n_neurons(), k: sae.k() };
    let options = options.for_trainer(size, 0, 0);
    let file = Some(bytes.into());
    Ok(vec![Autoencoder { sae, trained: None, options, data_hash: String::new(), file }])
}

fn own(path: &Path, bytes: &[u8]) -> Result<Vec<Autoencoder>> {
    let Checkpoint { models, options, seed, data_hash, .. } = Checkpoint::from_bytes(path, bytes)?;
    let autoencoder = |(position, trained): (usize, TrainedSae)| {
        let size = Size { n_neurons: trained.sae.n_neurons(), k: trained.sae.k() };
        Autoencoder {
            sae: trained.sae.clone(),
            options: options.for_trainer(size, position, seed),
            data_hash: data_hash.clone(),
            trained: Some(trained),
            file: None,
        }
    };
    Ok(models.into_iter().enumerate().map(autoencoder).collect())
}

#[pyfunction]
#[pyo3(signature = (x, validation=None))]
pub fn hash_rows(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    validation: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let x = Array::new("x", x)?;
    let validation = validation.map(|v| Array::new("validation", v)).transpose()?;
    let (x, validation) = (x.view(), validation.as_ref().map(Array::view));
    work(py, None, move |_| hash(&x, validation.as_ref()))
}

/// Of shapes and values as f32, so that equal rows of any type and strides have one hash.
fn hash(x: &View<'_>, validation: Option<&View<'_>>) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::new();
    let validation = validation.map(|v| v as &dyn Rows);
    for x in [Some(x as &dyn Rows), validation].into_iter().flatten() {
        for size in [x.n_rows(), x.dim()] {
            hasher.update(&(size as u64).to_le_bytes());
        }
        for i in 0..x.n_rows() {
            for row in x.fetch(&[i], &mut buffer)? {
                hasher.update(bytemuck::cast_slice(row));
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The options of the stage `sae` that train the same.
fn stage_options(options: &TrainOptions) -> SaeOptions {
    SaeOptions {
        sizes: vec![Size { n_neurons: options.n_neurons, k: options.k }],
        n_neurons: None,
        k: None,
        max_epochs: options.max_epochs,
        patience: options.patience,
        batch_size: options.batch_size,
        learning_rate: exact(options.learning_rate),
        aux_k: options.aux_k,
        aux_coef: exact(options.aux_coef),
        dead_after: options.dead_after,
        batch_top_k: options.batch_top_k,
        prefixes: options.prefixes.clone(),
        multi_k: options.multi_k,
        multi_coef: exact(options.multi_coef),
        warmup: options.warmup,
        decay: options.decay,
        clip_norm: exact(options.clip_norm),
        stability: false,
    }
}

/// The shortest decimal that is read as the same `f32`.
fn exact(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

/// Row starts, columns, values.
fn csr(z: &Activations) -> (Vec<i64>, Vec<i32>, Vec<f32>) {
    let (mut starts, mut indices) = (vec![0], Vec::with_capacity(z.len()));
    let mut values = Vec::with_capacity(z.len());
    for i in 0..z.rows() {
        let (neurons, row) = z.row(i);
        indices.extend(neurons.iter().map(|&j| j.cast_signed()));
        values.extend_from_slice(row);
        starts.push(i64::try_from(values.len()).expect("fewer than 2^63 values"));
    }
    (starts, indices, values)
}

fn from_csr(m: usize, starts: &[i64], indices: &[i32], data: &[f32]) -> Result<Activations> {
    let wrong = |why: &str| Error::option("indptr, indices, data", "no such matrix", why);
    if indices.len() != data.len() || starts.first() != Some(&0) {
        return Err(wrong("indptr begins with 0, and indices and data are equally long"));
    }
    let mut z = Activations::new(m);
    for pair in starts.windows(2) {
        let range = usize::try_from(pair[0]).ok().zip(usize::try_from(pair[1]).ok());
        let range = range.filter(|(from, to)| from <= to && *to <= data.len());
        let (from, to) =
            range.ok_or_else(|| wrong("indptr does not rise to the number of values"))?;
        let mut row = Vec::with_capacity(to - from);
        for (&j, &value) in indices[from..to].iter().zip(&data[from..to]) {
            match u32::try_from(j) {
                Ok(j) if (j as usize) < m => row.push((j, value)),
                _ => return Err(wrong(&format!("there are {m} neurons, and no neuron {j}"))),
            }
        }
        row.sort_by_key(|&(j, _)| j);
        if row.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(wrong("a row has a neuron twice"));
        }
        z.push_row(row);
    }
    Ok(z)
}
