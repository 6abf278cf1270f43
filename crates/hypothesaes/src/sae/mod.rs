//! Embeddings in, trained sparse autoencoders and their activations out.
//!
//! One or several autoencoders stand side by side; a neuron's index is its column in the
//! concatenation of their activations. The training itself is in `hypothesaes_math::sae`; where
//! the checkpoint is kept, and whether it still holds, is the run directory's business.

mod checkpoint;
mod from_file;
mod import;
mod options;
mod size;
mod tables;
#[cfg(test)]
mod tests;
mod unfinished;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use hypothesaes_math::sae::{
    self, Epoch, Event, Health, Reconstruction, Sae, State, TrainOptions, Trained,
};
use hypothesaes_math::{Activations, Rows};
use serde::{Deserialize, Serialize};

pub use checkpoint::Checkpoint;
pub use from_file::{FileTraining, import_from, write_checkpoint};
pub use import::{import, import_bytes};
pub use options::SaeOptions;
pub use size::Size;
pub use tables::{neuron_table, sae_table, training_table};
pub use unfinished::Unfinished;

use unfinished::Saver;

use crate::Result;
use crate::watch::Watch;
use options::name_option;

/// Goes up with every change that makes equal data and options give other weights.
pub const TRAINER_VERSION: u32 = 4;

/// A trained autoencoder, how it came about and how good it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedSae {
    /// Its size, such as `64:4`; `64:4#2` if it is the second of that size.
    pub id: String,
    pub sae: Sae,
    /// One entry per epoch.
    pub history: Vec<Epoch>,
    /// Number of the epoch whose weights were kept, from 1.
    pub best_epoch: usize,
    pub quality: Quality,
    /// Which of its neurons can be trusted, by the discover texts.
    pub health: Health,
}

/// How good an autoencoder is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Neurons that fire on at least one discover text.
    pub n_alive: usize,
    /// Fraction of the discover texts' variance that the reconstruction does not explain.
    pub fvu_discover: f64,
    /// The same for the validation texts, in units of the discover texts' variance.
    pub fvu_validation: Option<f64>,
    /// Mean number of neurons that fire on a discover text.
    pub mean_active: f64,
}

/// Trains the autoencoders that `options` asks for, all from one reading of the rows per epoch.
///
/// `discover`: n x d, what is learnt from; `validation`: any number of rows x d, on which training
/// stops early; without rows it stops by the discover texts themselves. Autoencoders of the same
/// size differ by their random numbers. What is kept in `unfinished` is gone on from; the caller
/// removes it once the result is safe.
///
/// # Errors
/// [`crate::Error::Option`] for sizes and options out of range, [`crate::Error::Math`] for
/// embeddings that are not finite or a training that diverges, [`crate::Error::Interrupted`].
pub fn train(
    discover: &dyn Rows,
    validation: &dyn Rows,
    options: &SaeOptions,
    seed: u64,
    unfinished: Option<&Unfinished>,
    watch: &dyn Watch,
) -> Result<Vec<TrainedSae>> {
    options.check()?;
    let sizes = options.sizes_for(discover.n_rows());
    let validation = (validation.n_rows() > 0).then_some(validation);
    let mut trainers: Vec<TrainOptions> = sizes
        .iter()
        .enumerate()
        .map(|(position, &size)| options.for_trainer(size, position, seed))
        .collect();
    if options.stability {
        trainers.extend(trainers.clone().into_iter().map(twin));
    }
    let states: Vec<Option<State>> = trainers
        .iter()
        .enumerate()
        .map(|(position, trainer)| unfinished?.load(position, trainer))
        .collect();
    watch.begin("sae", (trainers.len() * options.max_epochs) as u64, "epochs");
    for (id, state) in ids(&sizes).iter().zip(&states) {
        if let Some(state) = state {
            let done = state.history.len();
            watch.say(&format!("autoencoder {id}: going on after epoch {done}"));
            watch.advance(done as u64);
        }
    }
    let mut saver = unfinished.map(|place| Saver::new(place, &trainers));
    let mut failed = Ok(());
    let mut observe = |event: Event<'_>| {
        if let Event::Epoch { sae, state } = event {
            watch.advance(1);
            if let Some(saver) = &mut saver {
                failed = saver.ended(sae, state);
            }
        }
        let go_on = failed.is_ok() && !watch.interrupted();
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let trained = sae::train_all(discover, validation, &trainers, states, &mut observe);
    failed?;
    let mut trained = trained.map_err(|error| name_option(error, &sizes))?;
    let twins = trained.split_off(sizes.len());
    let mut twins = twins.iter().map(|twin| &twin.sae);
    let mut models = Vec::new();
    for (id, trained) in ids(&sizes).into_iter().zip(trained) {
        let (model, _) = judged(id, trained, twins.next(), (discover, validation))?;
        watch.say(&model.describe());
        models.push(model);
    }
    watch.end(&summary(&models));
    Ok(models)
}

/// Activations of the rows of `x` on all autoencoders, their columns side by side.
///
/// # Errors
/// [`crate::Error::Math`] if `x` has other columns than the training rows or is not finite.
pub fn encode(models: &[TrainedSae], x: &dyn Rows) -> Result<Activations> {
    let parts: Result<Vec<Activations>, _> = models.iter().map(|m| m.sae.encode(x)).collect();
    Ok(Activations::beside(&parts?)?)
}

/// Id of the autoencoder whose neuron is this column of [`encode`]'s result.
#[must_use]
pub fn sae_id(models: &[TrainedSae], neuron: usize) -> Option<&str> {
    let mut first = 0;
    models.iter().find_map(|model| {
        first += model.sae.n_neurons();
        (neuron < first).then_some(model.id.as_str())
    })
}

impl TrainedSae {
    /// An autoencoder that was trained elsewhere, judged by the rows of `x`.
    ///
    /// # Errors
    /// As [`encode`]; without rows.
    pub fn judge(id: String, sae: Sae, x: &dyn Rows) -> Result<Self> {
        let trained = Trained { sae, history: Vec::new(), best_epoch: 0 };
        Ok(judged(id, trained, None, (x, None))?.0)
    }

    /// The same autoencoder judged by other rows, and how well it reconstructs them; what a second
    /// training found is not known then.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judged_again(self, x: &dyn Rows) -> Result<(Self, Reconstruction)> {
        let Self { id, sae, history, best_epoch, .. } = self;
        judged(id, Trained { sae, history, best_epoch }, None, (x, None))
    }

    fn describe(&self) -> String {
        let Quality { n_alive, fvu_discover, fvu_validation, .. } = self.quality;
        let (fvu, rows) = match fvu_validation {
            Some(fvu) => (fvu, "validation"),
            None => (fvu_discover, "discover"),
        };
        let found_again = match self.health.stability {
            Some(share) => format!(", {:.0} % of them found again", 100.0 * share),
            None => String::new(),
        };
        format!(
            "autoencoder {}: {n_alive} of {} neurons alive{found_again}, {:.0} % of the variance of \
             the {rows} rows explained, best epoch {} of {}",
            self.id,
            self.sae.n_neurons(),
            100.0 * (1.0 - fvu),
            self.best_epoch,
            self.history.len(),
        )
    }
}

/// The same autoencoder with other random numbers, to see which neurons both find.
fn twin(options: TrainOptions) -> TrainOptions {
    TrainOptions { label: format!("{} twin", options.label), ..options }
}

fn judged(
    id: String,
    trained: Trained,
    twin: Option<&Sae>,
    (discover, validation): (&dyn Rows, Option<&dyn Rows>),
) -> Result<(TrainedSae, Reconstruction)> {
    let Trained { sae, history, best_epoch } = trained;
    let reconstruction = sae.reconstruction(discover)?;
    let health = sae.health(&sae.encode(discover)?, twin)?;
    let quality = Quality {
        n_alive: health.n_alive,
        fvu_discover: reconstruction.fvu,
        fvu_validation: validation.map(|v| sae.fvu(v)).transpose()?,
        mean_active: health.mean_active,
    };
    Ok((TrainedSae { id, sae, history, best_epoch, quality, health }, reconstruction))
}

/// The sizes as text, made unique by `#2`, `#3`.
fn ids(sizes: &[Size]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let name = |size: &Size| {
        let id = size.to_string();
        let count = seen.entry(id.clone()).and_modify(|n| *n += 1).or_insert(1);
        if *count == 1 { id } else { format!("{id}#{count}") }
    };
    sizes.iter().map(name).collect()
}

fn summary(models: &[TrainedSae]) -> String {
    let alive: usize = models.iter().map(|m| m.quality.n_alive).sum();
    let all: usize = models.iter().map(|m| m.sae.n_neurons()).sum();
    let ids: Vec<&str> = models.iter().map(|m| m.id.as_str()).collect();
    format!("{}: {alive} of {all} neurons alive", ids.join(" + "))
}
