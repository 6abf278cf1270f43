//! Trainings under way, kept on disk: what a killed one goes on from, to the same bytes.
//!
//! One safetensors file per autoencoder: the tensors of its weights (`now.`), of the best epoch's
//! (`best.`), and of Adam's moments (`mean.`, `square.`).

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hypothesaes_math::sae::{Adam, Epoch, Moments, Parts, State, TrainOptions};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::TRAINER_VERSION;
use super::checkpoint::{Scalars, read_parts, tensors_of};
use crate::store::write_atomically;
use crate::tensors::safetensors::{self as tensors, Tensor};
use crate::tensors::{Sealed, seal};
use crate::{Error, Result};

/// Goes up with every change of the file.
const FORMAT: u32 = 1;

/// Saving takes this share of the time, at most: one in so many.
const SHARE: u32 = 20;

/// Where unfinished trainings are kept, and of which data they are.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The files are called this, then the autoencoder's position and `.part`.
    base: PathBuf,
    data_hash: String,
    /// A training saves no more often.
    pause: Duration,
    share: u32,
}

/// Saves the trainings of one run, now and then.
pub(super) struct Saver<'a> {
    place: &'a Unfinished,
    options: &'a [TrainOptions],
    /// For each: when it was last saved, and how long that took.
    last: Vec<(Instant, Duration)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    trainer_version: u32,
    data_hash: String,
    options: TrainOptions,
    now: Scalars,
    best: Scalars,
    steps: u64,
    smallest: f64,
    best_epoch: usize,
    history: Vec<Epoch>,
}

impl Unfinished {
    /// In files named `base` and more; `data_hash` tells the embeddings from others.
    #[must_use]
    pub fn new(base: &Path, data_hash: &str) -> Self {
        let (base, data_hash) = (base.to_owned(), data_hash.to_owned());
        Self { base, data_hash, pause: Duration::from_secs(1), share: SHARE }
    }

    /// Saves after every epoch, whatever it costs.
    #[cfg(test)]
    #[must_use]
    pub fn after_every_epoch(self) -> Self {
        Self { pause: Duration::ZERO, share: 0, ..self }
    }

    /// What the autoencoder at `position` goes on from; none if there is nothing for these options
    /// and data.
    pub(super) fn load(&self, position: usize, options: &TrainOptions) -> Option<State> {
        // What cannot be read is of no use, and training anew is the remedy.
        let bytes = std::fs::read(self.path(position)).ok()?;
        self.parse(&bytes, options).ok().flatten()
    }

    fn parse(&self, bytes: &[u8], options: &TrainOptions) -> Result<Option<State>, String> {
        let Sealed { header, tensors } = Sealed::open(bytes, |_| Ok::<_, String>(()))?;
        let header: Header = serde_json::from_str(&header).map_err(|e| e.to_string())?;
        let fits = header.format == FORMAT
            && header.trainer_version == TRAINER_VERSION
            && header.data_hash == self.data_hash
            && header.options == *options;
        if !fits {
            return Ok(None);
        }
        let state = header.state(&tensors)?;
        let dim = state.parts.input_bias.len();
        state.check(options, dim).map_err(|e| e.to_string())?;
        Ok(Some(state))
    }

    fn save(&self, position: usize, options: &TrainOptions, state: &State) -> Result<()> {
        let header = Header {
            format: FORMAT,
            trainer_version: TRAINER_VERSION,
            data_hash: self.data_hash.clone(),
            options: options.clone(),
            now: Scalars::of(&state.parts),
            best: Scalars::of(&state.best),
            steps: state.adam.steps,
            smallest: state.smallest,
            best_epoch: state.best_epoch,
            history: state.history.clone(),
        };
        let mut all: Vec<Tensor> = tensors_of("now.", &state.parts).into();
        all.extend(tensors_of("best.", &state.best));
        for (name, moments) in moments(&state.adam) {
            let Moments { mean, square } = moments;
            all.push(Tensor::floats(format!("mean.{name}"), &[mean.len()], mean));
            all.push(Tensor::floats(format!("square.{name}"), &[square.len()], square));
        }
        write_atomically(&self.path(position), |out| {
            let header = serde_json::to_string(&header).map_err(io::Error::from)?;
            seal(&mut *out, &header, all)
        })
        .map(drop)
    }

    /// Removes what is kept of `n` autoencoders.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn remove(&self, n: usize) -> Result<()> {
        for path in (0..n).map(|position| self.path(position)) {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::file("remove", path)(e));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, position: usize) -> PathBuf {
        let mut name = self.base.clone().into_os_string();
        name.push(format!("-{position}.part"));
        name.into()
    }
}

impl<'a> Saver<'a> {
    pub fn new(place: &'a Unfinished, options: &'a [TrainOptions]) -> Self {
        Self { place, options, last: vec![(Instant::now(), Duration::ZERO); options.len()] }
    }

    /// Saves the autoencoder at `position`, unless that was done lately.
    ///
    /// # Errors
    /// [`Error::File`]; what was saved before is still there.
    pub fn ended(&mut self, position: usize, state: &State) -> Result<()> {
        let (at, took) = self.last[position];
        if at.elapsed() >= self.place.pause.max(took * self.place.share) {
            let start = Instant::now();
            self.place.save(position, &self.options[position], state)?;
            self.last[position] = (Instant::now(), start.elapsed());
        }
        Ok(())
    }
}

impl Header {
    fn state(self, file: &SafeTensors<'_>) -> Result<State, String> {
        let moments = |name: &str| {
            let values = |what: &str| tensors::floats(file, &format!("{what}.{name}"));
            Ok::<_, String>(Moments { mean: values("mean")?, square: values("square")? })
        };
        let parts =
            |prefix, scalars| -> Result<Parts, String> { read_parts(file, prefix, scalars) };
        Ok(State {
            parts: parts("now.", self.now)?,
            best: parts("best.", self.best)?,
            adam: Adam {
                steps: self.steps,
                encoder: moments("encoder")?,
                decoder: moments("decoder")?,
                neuron_bias: moments("neuron_bias")?,
                input_bias: moments("input_bias")?,
            },
            smallest: self.smallest,
            history: self.history,
            best_epoch: self.best_epoch,
        })
    }
}

fn moments(adam: &Adam) -> [(&'static str, &Moments); 4] {
    let Adam { encoder, decoder, neuron_bias, input_bias, .. } = adam;
    [
        ("encoder", encoder),
        ("decoder", decoder),
        ("neuron_bias", neuron_bias),
        ("input_bias", input_bias),
    ]
}

#[cfg(test)]
mod tests;
