//! What training needs to know besides the data.

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::ops::RangeBounds;

/// Widest autoencoder: beyond it the weights alone of a 1,536-dimensional one take 3 GB.
const MAX_NEURONS: usize = 65_536;

/// Options of [`super::train`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainOptions {
    /// Number of neurons, 1 to 65,536.
    pub n_neurons: usize,
    /// Neurons active per row, 1 to `n_neurons`, and no more than there are rows.
    pub k: usize,
    /// Dead neurons that try to explain what is left of a row; 0: none; `None`: 2 k.
    pub aux_k: Option<usize>,
    /// Weight of that attempt in the loss.
    pub aux_coef: f32,
    /// Rows per step, at most; `None`: 512. The rows are cut into batches of about equal size, see
    /// [`TrainOptions::batch_size_for`].
    pub batch_size: Option<usize>,
    /// Step length of Adam.
    pub learning_rate: f32,
    /// Passes over the rows, at most.
    pub max_epochs: usize,
    /// Passes without a better reconstruction after which training stops.
    pub patience: usize,
    /// Longest gradient (Euclidean norm over all parameters); a longer one is shortened to it.
    pub clip_norm: f32,
    /// Rows seen since a neuron last fired, after which it is dead; `None`: two passes over the
    /// rows, at most 131,072, see [`TrainOptions::dead_after_for`].
    pub dead_after: Option<u64>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Name of this autoencoder in the random streams, so that several differ under one seed.
    pub label: String,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            n_neurons: 64,
            k: 4,
            aux_k: None,
            aux_coef: 1.0 / 32.0,
            batch_size: None,
            learning_rate: 2e-3,
            max_epochs: 500,
            patience: 10,
            clip_norm: 1.0,
            dead_after: None,
            seed: 0,
            label: "0".to_owned(),
        }
    }
}

impl TrainOptions {
    /// # Errors
    /// [`Error::Option`] naming the first option outside its range, its value and the range.
    pub fn check(&self) -> Result<()> {
        within("n_neurons", self.n_neurons, 1..=MAX_NEURONS, "1 to 65536")?;
        let allowed = format!("1 to {} (`n_neurons`)", self.n_neurons);
        within("k", self.k, 1..=self.n_neurons, &allowed)?;
        within("max_epochs", self.max_epochs, 1..=1_000_000, "1 to 1000000")?;
        within("patience", self.patience, 1.., "1 or more")?;
        if let Some(aux_k) = self.aux_k {
            let allowed = format!("0 to {} (`n_neurons`)", self.n_neurons);
            within("aux_k", aux_k, 0..=self.n_neurons, &allowed)?;
        }
        if let Some(batch_size) = self.batch_size {
            within("batch_size", batch_size, 1..=16_384, "1 to 16384")?;
        }
        if let Some(dead_after) = self.dead_after {
            within("dead_after", dead_after, 1.., "1 or more")?;
        }
        within("aux_coef", self.aux_coef, 0.0..=1e6, "0 to 1000000")?;
        within("learning_rate", self.learning_rate, 1e-12..=1e6, "1e-12 to 1000000")?;
        within("clip_norm", self.clip_norm, 1e-12..=1e12, "1e-12 to 1e12")
    }

    /// [`Self::check`], and whether these rows can train such an autoencoder.
    ///
    /// # Errors
    /// As [`Self::check`]; [`Error::Data`] without rows or columns; [`Error::NotFinite`];
    /// [`Error::Shape`] if `validation` has other columns; [`Error::Option`] if there are fewer
    /// rows than `k`.
    pub(super) fn check_with(&self, x: &Matrix, validation: Option<&Matrix>) -> Result<()> {
        self.check()?;
        if x.rows() == 0 || x.cols() == 0 {
            let (n, d) = (x.rows(), x.cols());
            return Err(Error::Data(format!(
                "an autoencoder needs data, and the training embeddings are {n} rows by {d} columns"
            )));
        }
        let allowed = format!("1 to {} (training rows)", x.rows());
        within("k", self.k, 1..=x.rows(), &allowed)?;
        x.check_finite("training embeddings")?;
        if let Some(v) = validation {
            Error::check_len("columns of the validation embeddings", v.cols(), x.cols())?;
            if v.rows() == 0 {
                return Err(Error::Data("the validation embeddings have no rows".to_owned()));
            }
            v.check_finite("validation embeddings")?;
        }
        Ok(())
    }

    /// Rows per step for `n` training rows: as many batches as are needed, and no small last one,
    /// which would move the weights as far as the others on less evidence.
    ///
    /// The default suits small data too: on 60 to 1,400 texts, 512 rows a step (or all) with the
    /// default learning rate came to the same validation error as 16 to 128, in a tenth of the
    /// time.
    #[must_use]
    pub fn batch_size_for(&self, n: usize) -> usize {
        let largest = self.batch_size.unwrap_or(512);
        n.div_ceil(n.div_ceil(largest).max(1))
    }

    /// Rows without firing after which a neuron is dead, for `n` training rows.
    ///
    /// A neuron that fires on a single row is silent for less than two passes, however the rows
    /// are shuffled: after two passes nothing fires it. 131,072 rows are the 256 steps of 512 of
    /// the Python package `HypotheSAEs`, which on small data were more than the whole training.
    #[must_use]
    pub fn dead_after_for(&self, n: usize) -> u64 {
        self.dead_after.unwrap_or_else(|| (2 * n as u64).min(131_072))
    }

    /// Dead neurons tried per row.
    pub(super) fn aux_k_or_default(&self) -> usize {
        self.aux_k.unwrap_or(2 * self.k).min(self.n_neurons)
    }
}

fn within<T: PartialOrd + Display>(
    name: &'static str,
    value: T,
    range: impl RangeBounds<T>,
    allowed: &str,
) -> Result<()> {
    if range.contains(&value) { Ok(()) } else { Err(Error::option(name, value, allowed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_allowed() {
        TrainOptions::default().check().unwrap();
    }

    #[test]
    fn batches_are_even() {
        let options = TrainOptions::default();
        for (n, expected) in [(1, 1), (512, 512), (513, 257), (900, 450), (1_000_000, 512)] {
            assert_eq!(options.batch_size_for(n), expected, "{n} rows");
        }
        assert_eq!(TrainOptions { batch_size: Some(100), ..options }.batch_size_for(101), 51);
    }

    #[test]
    fn trap_04_the_dead_clock_acts_within_few_passes_of_small_data() {
        let options = TrainOptions::default();
        assert_eq!([1, 900, 1_000_000].map(|n| options.dead_after_for(n)), [2, 1_800, 131_072]);
    }
}
