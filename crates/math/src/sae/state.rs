//! All that a training goes on from.

use super::adam::{Adam, Moments};
use super::train::Epoch;
use super::{Parts, Sae, TrainOptions};
use crate::error::{Error, Result};

/// A training at the end of an epoch. Going on from it gives the bytes that going on without a
/// stop would have given.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub parts: Parts,
    pub adam: Adam,
    /// Of batch top-k: mean of the smallest activations of the batches, weighted as they came.
    pub smallest: f64,
    /// One entry per epoch.
    pub history: Vec<Epoch>,
    /// Epoch with the best reconstruction, from 1; 0 before the first has ended.
    pub best_epoch: usize,
    /// What `parts` were at its end.
    pub best: Parts,
}

impl State {
    /// Before the first epoch.
    pub(super) fn new(parts: Parts) -> Self {
        let (adam, best) = (Adam::new(&parts), parts.clone());
        Self { parts, adam, smallest: 0.0, history: Vec::new(), best_epoch: 0, best }
    }

    /// Whether training such an autoencoder on rows of `dim` values can go on from here.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Option`], [`Error::NotFinite`] or [`Error::Data`], saying what
    /// does not fit.
    pub fn check(&self, options: &TrainOptions, dim: usize) -> Result<()> {
        for parts in [&self.parts, &self.best] {
            Error::check_len("neurons of the checkpoint", parts.encoder.rows(), options.n_neurons)?;
            Error::check_len("dimensions of the checkpoint", parts.encoder.cols(), dim)?;
            Error::check_len("active neurons of the checkpoint", parts.k, options.k)?;
            Sae::from_parts(parts.clone())?;
        }
        let Adam { encoder, decoder, neuron_bias, input_bias, .. } = &self.adam;
        let (m, weights) = (options.n_neurons, options.n_neurons * dim);
        for (Moments { mean, square }, expected) in
            [(encoder, weights), (decoder, weights), (neuron_bias, m), (input_bias, dim)]
        {
            Error::check_len("moments of the checkpoint", mean.len(), expected)?;
            Error::check_len("moments of the checkpoint", square.len(), expected)?;
        }
        let numbered = self.history.iter().zip(1..).all(|(e, number)| e.epoch == number);
        if !numbered || self.best_epoch > self.history.len() || !self.smallest.is_finite() {
            return Err(Error::Data("the checkpoint's history contradicts itself".to_owned()));
        }
        Ok(())
    }

    /// Whether training is over.
    pub(super) fn is_finished(&self, options: &TrainOptions) -> bool {
        let n = self.history.len();
        n >= options.max_epochs || (n > 0 && n - self.best_epoch >= options.patience)
    }

    /// Takes in an epoch that has ended.
    pub(super) fn push(&mut self, epoch: Epoch) {
        let best = self.best_epoch.checked_sub(1).map(|at| self.history[at].criterion());
        if best.is_none_or(|lowest| epoch.criterion() < lowest) {
            self.best_epoch = epoch.epoch;
            self.best.clone_from(&self.parts);
        }
        self.history.push(epoch);
    }
}
