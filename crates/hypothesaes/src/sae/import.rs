//! Autoencoders that the Python package `hypothesaes` saved (`SAE_M=256_K=8.pt`).

use std::path::Path;

use hypothesaes_math::Matrix;
use hypothesaes_math::sae::{Parts, Sae};

use super::{SaeOptions, Size};
use crate::tensors::torch::{TorchFile, Value};
use crate::{Error, Result};

/// What the package's constructor takes.
const CONFIG: [&str; 8] = [
    "input_dim",
    "m_total_neurons",
    "k_active_neurons",
    "aux_k",
    "multi_k",
    "dead_neuron_threshold_steps",
    "prefix_lengths",
    "use_batch_topk",
];

/// What its autoencoder consists of.
const STATE: [&str; 5] =
    ["input_bias", "neuron_bias", "threshold", "encoder.weight", "decoder.weight"];

/// Reads a `.pt` file of the Python package; nothing in it is run.
///
/// `variance`: that of the rows it is to be judged by, which the file does not know
/// ([`hypothesaes_math::sae::variance`]). The options are those that the file tells.
///
/// # Errors
/// [`Error::File`]; [`Error::Input`] if it is no such file or holds what is not known here.
pub fn import(path: &Path, variance: f64) -> Result<(Sae, SaeOptions)> {
    let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
    import_bytes(&bytes, variance).map_err(|why| {
        Error::input(path, format!("not an autoencoder of the Python package: {why}"))
    })
}

/// [`import`] of a file's content.
///
/// # Errors
/// In words, why it is refused.
pub fn import_bytes(bytes: &[u8], variance: f64) -> Result<(Sae, SaeOptions), String> {
    let mut file = TorchFile::open(bytes)?;
    let value = std::mem::replace(&mut file.value, Value::None);
    let part = |name| value.get(name).ok_or_else(|| format!("there is no `{name}` in it"));
    let (config, state) = (part("config")?, part("state_dict")?);
    known("config", config, &CONFIG)?;
    known("state_dict", state, &STATE)?;
    let (m, d) = (whole(config, "m_total_neurons")?, whole(config, "input_dim")?);
    let batch_top_k = config.get("use_batch_topk") == Some(&Value::Bool(true));
    let mut floats = |name: &str, shape: &[usize]| match state.get(name) {
        Some(Value::Tensor(tensor)) if tensor.shape == shape => file.floats(tensor),
        Some(Value::Tensor(tensor)) => {
            Err(format!("`{name}` has the shape {:?}, and {shape:?} is needed", tensor.shape))
        }
        _ => Err(format!("there is no tensor `{name}` in it")),
    };
    let threshold = if batch_top_k { Some(floats("threshold", &[])?[0]) } else { None };
    let encoder = Matrix::from_vec(m, d, floats("encoder.weight", &[m, d])?);
    let decoder = floats("decoder.weight", &[d, m])?;
    let decoder = (0..m * d).map(|at| decoder[at % d * m + at / d]).collect();
    let parts = Parts {
        encoder: encoder.map_err(|e| e.to_string())?,
        decoder: Matrix::from_vec(m, d, decoder).map_err(|e| e.to_string())?,
        input_bias: floats("input_bias", &[d])?,
        neuron_bias: floats("neuron_bias", &[m])?,
        k: whole(config, "k_active_neurons")?,
        threshold,
        variance,
        // The package does not save its clock.
        silent_rows: vec![0; m],
    };
    let options = SaeOptions {
        sizes: vec![Size { n_neurons: m, k: parts.k }],
        batch_top_k,
        prefixes: prefixes(config)?,
        multi_k: config.get("multi_k").and_then(Value::whole),
        ..SaeOptions::default()
    };
    let sae = Sae::from_parts(parts).map_err(|e| e.to_string())?;
    Ok((sae, options))
}

/// An entry that is not known may change what the others mean.
fn known(what: &str, of: &Value, names: &[&str]) -> Result<(), String> {
    match of.keys().find(|key| !names.contains(key)) {
        Some(key) => Err(format!("its `{what}` has `{key}`, which is not known here")),
        None => Ok(()),
    }
}

fn whole(config: &Value, name: &str) -> Result<usize, String> {
    let value = config.get(name).and_then(Value::whole).filter(|&n| n > 0);
    value.ok_or_else(|| format!("`{name}` is no whole number above 0"))
}

fn prefixes(config: &Value) -> Result<Vec<usize>, String> {
    match config.get("prefix_lengths") {
        None | Some(Value::None) => Ok(Vec::new()),
        Some(value) => value.wholes().ok_or_else(|| "`prefix_lengths` are no numbers".into()),
    }
}
