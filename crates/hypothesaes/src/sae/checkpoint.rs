//! Checkpoints: trained autoencoders as one safetensors file.
//!
//! Tensors `I.encoder` and `I.decoder` (neurons x dimensions), `I.input_bias`, `I.neuron_bias` and
//! `I.silent_rows` for autoencoder I from 0; everything else in the header.

use std::io::{self, Write};
use std::path::Path;

use hypothesaes_math::sae::{Epoch, Health, Parts, Sae};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::{Quality, SaeOptions, TrainedSae};
use crate::tensors::safetensors::{self as tensors, Tensor};
use crate::tensors::{Sealed, seal};
use crate::{Error, Result};

/// Goes up with every change of the file.
const FORMAT: u32 = 3;

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
    #[serde(flatten)]
    scalars: Scalars,
    best_epoch: usize,
    quality: Quality,
    history: Vec<Epoch>,
    health: Health,
}

impl Checkpoint {
    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = serde_json::to_string(&self.header())?;
        let parts = self.models.iter().enumerate();
        let tensors = parts.flat_map(|(i, m)| tensors_of(&format!("{i}."), m.sae.parts()));
        seal(out, &header, tensors.collect())
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Input`] as [`Self::from_bytes`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
        Self::from_bytes(path, &bytes)
    }

    /// Reads what [`Self::write`] wrote; `file` is where `bytes` come from, for messages.
    ///
    /// # Errors
    /// [`Error::Input`] if the bytes are damaged, of another program, or of a newer version.
    pub fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|refusal| {
            let message = match refusal {
                Refusal::Newer(format) => format!(
                    "a checkpoint of format {format}, and this program reads up to format \
                     {FORMAT}: use a newer version of the program"
                ),
                Refusal::Damaged(why) => format!(
                    "not a checkpoint of autoencoders, or damaged ({why}): remove it and train \
                     again"
                ),
            };
            Error::input(file, message)
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let Sealed { header, tensors } = Sealed::open::<Refusal>(bytes, check_format)?;
        let header: Header = serde_json::from_str(&header).map_err(|e| e.to_string())?;
        let models = header.models.into_iter().enumerate();
        let models: Result<_, String> = models.map(|(i, m)| read_model(i, m, &tensors)).collect();
        Ok(Self {
            models: models?,
            options: header.options,
            seed: header.seed,
            data_hash: header.data_hash,
            trainer_version: header.trainer_version,
        })
    }

    fn header(&self) -> Header {
        let model = |model: &TrainedSae| ModelHeader {
            id: model.id.clone(),
            scalars: Scalars::of(model.sae.parts()),
            best_epoch: model.best_epoch,
            quality: model.quality,
            history: model.history.clone(),
            health: model.health.clone(),
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

/// Why a file is not read.
enum Refusal {
    /// Of this format.
    Newer(u32),
    Damaged(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::Damaged(why)
    }
}

/// A file of a newer format may differ in anything, so that this is looked at first.
fn check_format(header: &str) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    match serde_json::from_str(header) {
        Ok(Format { format }) if format > FORMAT => Err(Refusal::Newer(format)),
        _ => Ok(()),
    }
}

/// The tensors of an autoencoder, their names led by `prefix`.
pub(super) fn tensors_of<'a>(prefix: &str, parts: &'a Parts) -> [Tensor<'a>; 5] {
    let name = |name: &str| format!("{prefix}{name}");
    let (d, m) = (parts.input_bias.len(), parts.neuron_bias.len());
    [
        Tensor::matrix(name("encoder"), &parts.encoder),
        Tensor::matrix(name("decoder"), &parts.decoder),
        Tensor::floats(name("input_bias"), &[d], &parts.input_bias),
        Tensor::floats(name("neuron_bias"), &[m], &parts.neuron_bias),
        Tensor::integers(name("silent_rows"), &parts.silent_rows),
    ]
}

/// What is no tensor of an autoencoder.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Scalars {
    pub k: usize,
    pub threshold: Option<f32>,
    pub variance: f64,
}

impl Scalars {
    pub fn of(parts: &Parts) -> Self {
        let &Parts { k, threshold, variance, .. } = parts;
        Self { k, threshold, variance }
    }
}

/// The autoencoder whose tensors' names are led by `prefix`.
pub(super) fn read_parts(
    file: &SafeTensors<'_>,
    prefix: &str,
    scalars: Scalars,
) -> Result<Parts, String> {
    let name = |name: &str| format!("{prefix}{name}");
    let Scalars { k, threshold, variance } = scalars;
    Ok(Parts {
        encoder: tensors::matrix(file, &name("encoder"))?,
        decoder: tensors::matrix(file, &name("decoder"))?,
        input_bias: tensors::floats(file, &name("input_bias"))?,
        neuron_bias: tensors::floats(file, &name("neuron_bias"))?,
        silent_rows: tensors::integers(file, &name("silent_rows"))?,
        k,
        threshold,
        variance,
    })
}

fn read_model(i: usize, header: ModelHeader, file: &SafeTensors<'_>) -> Result<TrainedSae, String> {
    let ModelHeader { id, scalars, history, best_epoch, quality, health } = header;
    let parts = read_parts(file, &format!("{i}."), scalars)?;
    let sae = Sae::from_parts(parts).map_err(|e| e.to_string())?;
    Ok(TrainedSae { id, sae, history, best_epoch, quality, health })
}
