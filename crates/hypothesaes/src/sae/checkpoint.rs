//! Checkpoints: trained autoencoders as one safetensors file.
//!
//! The file holds numbers and text only; reading it runs nothing (trap 9). Tensors `I.encoder`
//! and `I.decoder` (neurons x dimensions), `I.input_bias`, `I.neuron_bias` and `I.silent_rows` for
//! autoencoder I from 0; everything else as JSON under the metadata key `hypothesaes`; `checksum`
//! is the BLAKE3 hash of all of it, so that a damaged file is refused. Equal values give equal bytes.

use std::collections::HashMap;
use std::path::Path;

use hypothesaes_math::Matrix;
use hypothesaes_math::sae::{Epoch, Parts, Sae};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{Quality, SaeOptions, TrainedSae};
use crate::{Error, Result};

const KEY: &str = "hypothesaes";
const CHECKSUM: &str = "checksum";
const FORMAT: u32 = 2;

/// Autoencoders, and what they were trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub models: Vec<TrainedSae>,
    pub options: SaeOptions,
    pub seed: u64,
    /// Hash of the embeddings, as the caller computed it.
    pub data_hash: String,
    /// [`super::TRAINER_VERSION`] of the program that trained them.
    pub trainer_version: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    trainer_version: u32,
    data_hash: String,
    seed: u64,
    options: SaeOptions,
    models: Vec<ModelHeader>,
}

#[derive(Serialize, Deserialize)]
struct ModelHeader {
    id: String,
    k: usize,
    /// None in files of format 1.
    threshold: Option<f32>,
    variance: f64,
    best_epoch: usize,
    quality: Quality,
    history: Vec<Epoch>,
}

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Error::Data`] if there is more metadata than the format allows, 100 MB.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = serde_json::to_string(&self.header()).expect("the header is plain data");
        let mut tensors: Vec<Tensor> = self.models.iter().enumerate().flat_map(tensors).collect();
        let views: Vec<(&str, TensorView)> = tensors.iter().map(Tensor::view).collect();
        let hash = checksum(&header, &views);
        tensors.push(Tensor {
            name: CHECKSUM.into(),
            dtype: Dtype::U8,
            shape: vec![hash.as_bytes().len()],
            bytes: hash.as_bytes().to_vec(),
        });
        // One key only: with several their order would be that of a hash map.
        let metadata = HashMap::from([(KEY.to_owned(), header)]);
        safetensors::serialize(tensors.iter().map(Tensor::view), Some(metadata))
            .map_err(|e| Error::Data(format!("the autoencoders cannot be saved: {e}")))
    }

    /// Reads what [`Self::to_bytes`] wrote; `file` is where `bytes` come from, for messages.
    ///
    /// # Errors
    /// [`Error::Input`] if the bytes are damaged, of another program, or of a newer version.
    pub fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |why: &str| {
            let message = format!(
                "not a checkpoint of autoencoders, or damaged ({why}): remove \
                                   it and train again"
            );
            Error::input(file, message)
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e.to_string()))?;
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e.to_string()))?;
        let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let text = text.ok_or_else(|| damaged("no `hypothesaes` metadata"))?;
        check_format(file, text)?;
        verify(text, &tensors).map_err(damaged)?;
        let header: Header = serde_json::from_str(text).map_err(|e| damaged(&e.to_string()))?;
        let models = header.models.into_iter().enumerate();
        let models: Result<Vec<TrainedSae>, String> =
            models.map(|(i, model)| read_model(i, model, &tensors)).collect();
        Ok(Self {
            models: models.map_err(|why| damaged(&why))?,
            options: header.options,
            seed: header.seed,
            data_hash: header.data_hash,
            trainer_version: header.trainer_version,
        })
    }

    fn header(&self) -> Header {
        let model = |model: &TrainedSae| ModelHeader {
            id: model.id.clone(),
            k: model.sae.k(),
            threshold: model.sae.parts().threshold,
            variance: model.sae.parts().variance,
            best_epoch: model.best_epoch,
            quality: model.quality,
            history: model.history.clone(),
        };
        Header {
            format: FORMAT,
            trainer_version: self.trainer_version,
            data_hash: self.data_hash.clone(),
            seed: self.seed,
            options: self.options.clone(),
            models: self.models.iter().map(model).collect(),
        }
    }
}

/// Values as the file holds them, little-endian.
struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn view(&self) -> (&str, TensorView<'_>) {
        let view = TensorView::new(self.dtype, self.shape.clone(), &self.bytes);
        (&self.name, view.expect("as many bytes as the shape says"))
    }
}

fn tensors((i, model): (usize, &TrainedSae)) -> [Tensor; 5] {
    let parts = model.sae.parts();
    let tensor = |name, dtype, shape: &[usize], bytes| Tensor {
        name: format!("{i}.{name}"),
        dtype,
        shape: shape.to_vec(),
        bytes,
    };
    let floats = |name, shape: &[usize], values: &[f32]| {
        tensor(name, Dtype::F32, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    };
    let (m, d) = (model.sae.n_neurons(), model.sae.dim());
    let silent = parts.silent_rows.iter().flat_map(|v| v.to_le_bytes()).collect();
    [
        floats("encoder", &[m, d], parts.encoder.data()),
        floats("decoder", &[m, d], parts.decoder.data()),
        floats("input_bias", &[d], &parts.input_bias),
        floats("neuron_bias", &[m], &parts.neuron_bias),
        tensor("silent_rows", Dtype::U64, &[m], silent),
    ]
}

/// A file of a newer format may differ in anything, so that this is looked at first.
fn check_format(file: &Path, header: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    match serde_json::from_str(header) {
        Ok(Format { format }) if format > FORMAT => {
            let message = format!(
                "a checkpoint of format {format}, and this program reads up to format {FORMAT}: \
                 use a newer version of the program"
            );
            Err(Error::input(file, message))
        }
        _ => Ok(()),
    }
}

fn verify(header: &str, tensors: &SafeTensors<'_>) -> Result<(), &'static str> {
    let stored = tensors.tensor(CHECKSUM).map_err(|_| "no checksum")?;
    let all = tensors.tensors();
    let rest: Vec<(&str, TensorView)> =
        all.iter().filter(|t| t.0 != CHECKSUM).map(|(n, t)| (n.as_str(), t.clone())).collect();
    let matches = stored.data() == checksum(header, &rest).as_bytes();
    if matches { Ok(()) } else { Err("its checksum does not match") }
}

/// Hash of the header and of every tensor's name, shape and bytes, by name.
fn checksum(header: &str, tensors: &[(&str, TensorView<'_>)]) -> blake3::Hash {
    let mut tensors: Vec<&(&str, TensorView)> = tensors.iter().collect();
    tensors.sort_by_key(|t| t.0);
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(header.as_bytes());
    for (name, tensor) in tensors {
        part(name.as_bytes());
        part(format!("{:?} {:?}", tensor.dtype(), tensor.shape()).as_bytes());
        part(tensor.data());
    }
    hasher.finalize()
}

fn read_model(
    i: usize,
    header: ModelHeader,
    tensors: &SafeTensors<'_>,
) -> Result<TrainedSae, String> {
    let tensor = |name: &str, dtype| {
        let name = format!("{i}.{name}");
        let tensor = tensors.tensor(&name).map_err(|e| e.to_string())?;
        if tensor.dtype() == dtype { Ok(tensor) } else { Err(format!("`{name}` is no {dtype:?}")) }
    };
    let floats = |name| Ok::<_, String>(read_floats(tensor(name, Dtype::F32)?.data()));
    let matrix = |name| match *tensor(name, Dtype::F32)?.shape() {
        [m, d] => Matrix::from_vec(m, d, floats(name)?).map_err(|e| e.to_string()),
        _ => Err(format!("`{i}.{name}` is no matrix")),
    };
    let silent = tensor("silent_rows", Dtype::U64)?;
    let (words, _) = silent.data().as_chunks();
    let sae = Sae::from_parts(Parts {
        encoder: matrix("encoder")?,
        decoder: matrix("decoder")?,
        input_bias: floats("input_bias")?,
        neuron_bias: floats("neuron_bias")?,
        k: header.k,
        threshold: header.threshold,
        variance: header.variance,
        silent_rows: words.iter().map(|w| u64::from_le_bytes(*w)).collect(),
    });
    let ModelHeader { id, history, best_epoch, quality, .. } = header;
    Ok(TrainedSae { id, sae: sae.map_err(|e| e.to_string())?, history, best_epoch, quality })
}

fn read_floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|w| f32::from_le_bytes(*w)).collect()
}
