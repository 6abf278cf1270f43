//! What training needs to know besides the data.

use crate::error::{Error, Result};
use crate::rows::Rows;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::ops::RangeBounds;

/// Widest autoencoder: beyond it the weights alone of a 1,536-dimensional one take 3 GB.
const MAX_NEURONS: usize = 65_536;

/// What a squared error is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normaliser {
    /// The variance of all training rows: one constant, so that any batch trains (trap 1).
    #[default]
    DataSet,
    /// The variance of what is to be reconstructed within the batch, as the Python package
    /// `hypothesaes` has it: the rows for the reconstruction, their errors for the aux-k term,
    /// which then counts (without moving anything) while no neuron is dead too. For comparison;
    /// a batch of equal rows has no variance and ends the training.
    Batch,
}

/// Options of [`super::train`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainOptions {
    /// Number of neurons, 1 to 65,536.
    pub n_neurons: usize,
    /// Neurons active per row, 1 to `n_neurons`, and no more than there are rows.
    pub k: usize,
    /// Whether the k n largest activations of a batch of n rows are active instead of the k
    /// largest of each row. `k` is then the mean of each row.
    pub batch_top_k: bool,
    /// Numbers of neurons that must reconstruct a row by themselves, rising and ending at
    /// `n_neurons` (Matryoshka); empty: all neurons only. The loss is the mean over the prefixes.
    pub prefixes: Vec<usize>,
    /// Neurons of a second, less sparse reconstruction; `None`: there is none.
    pub multi_k: Option<usize>,
    /// Weight of its error in the loss.
    pub multi_coef: f32,
    /// Dead neurons that try to explain what is left of a row; 0: none; `None`: 2 k.
    pub aux_k: Option<usize>,
    /// Weight of that attempt in the loss.
    pub aux_coef: f32,
    /// Rows per step, at most; `None`: 512. The rows are cut into batches of about equal size, see
    /// [`TrainOptions::batch_size_for`].
    pub batch_size: Option<usize>,
    /// Step length of Adam, at its highest.
    pub learning_rate: f32,
    /// Share of all steps that `max_epochs` allows in which the step length rises to that, 0 to 1.
    pub warmup: f64,
    /// Share of them, at the end, in which it falls to 0; with `warmup` at most 1.
    pub decay: f64,
    /// What squared errors are measured in.
    pub normaliser: Normaliser,
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
            batch_top_k: false,
            prefixes: Vec::new(),
            multi_k: None,
            multi_coef: 0.0,
            aux_k: None,
            aux_coef: 1.0 / 32.0,
            batch_size: None,
            learning_rate: 2e-3,
            warmup: 0.0,
            decay: 0.0,
            normaliser: Normaliser::DataSet,
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
        if let Some(multi_k) = self.multi_k {
            within("multi_k", multi_k, 1..=self.n_neurons, &allowed)?;
        }
        if let Some(aux_k) = self.aux_k {
            let allowed = format!("0 to {} (`n_neurons`)", self.n_neurons);
            within("aux_k", aux_k, 0..=self.n_neurons, &allowed)?;
        }
        self.check_prefixes()?;
        if let Some(batch_size) = self.batch_size {
            within("batch_size", batch_size, 1..=16_384, "1 to 16384")?;
        }
        if let Some(dead_after) = self.dead_after {
            within("dead_after", dead_after, 1.., "1 or more")?;
        }
        within("multi_coef", self.multi_coef, 0.0..=1e6, "0 to 1000000")?;
        within("warmup", self.warmup, 0.0..=1.0, "0 to 1")?;
        let allowed = format!("0 to {} (1 less `warmup`)", 1.0 - self.warmup);
        within("decay", self.decay, 0.0..=1.0 - self.warmup, &allowed)?;
        within("aux_coef", self.aux_coef, 0.0..=1e6, "0 to 1000000")?;
        within("learning_rate", self.learning_rate, 1e-12..=1e6, "1e-12 to 1000000")?;
        within("clip_norm", self.clip_norm, 1e-12..=1e12, "1e-12 to 1e12")
    }

    fn check_prefixes(&self) -> Result<()> {
        let (prefixes, m) = (&self.prefixes, self.n_neurons);
        let rise = prefixes.is_sorted_by(|a, b| a < b);
        if prefixes.first() == Some(&0) || !rise || prefixes.last().is_some_and(|&last| last != m) {
            let listed: Vec<String> = prefixes.iter().map(usize::to_string).collect();
            let allowed = format!("whole numbers from 1 that rise and end at {m} (`n_neurons`)");
            return Err(Error::option("prefixes", listed.join(","), allowed));
        }
        Ok(())
    }

    /// [`Self::check`], and whether these rows can train such an autoencoder.
    ///
    /// # Errors
    /// As [`Self::check`]; [`Error::Data`] without rows or columns; [`Error::Shape`] if
    /// `validation` has other columns; [`Error::Option`] if there are fewer rows than `k`.
    pub(super) fn check_with(&self, x: &dyn Rows, validation: Option<&dyn Rows>) -> Result<()> {
        self.check()?;
        let (n, d) = (x.n_rows(), x.dim());
        if n == 0 || d == 0 {
            return Err(Error::Data(format!(
                "an autoencoder needs data, and the training embeddings are {n} rows by {d} columns"
            )));
        }
        let allowed = format!("1 to {n} (training rows)");
        within("k", self.k, 1..=n, &allowed)?;
        if let Some(v) = validation {
            Error::check_len("columns of the validation embeddings", v.dim(), d)?;
            if v.n_rows() == 0 {
                return Err(Error::Data("the validation embeddings have no rows".to_owned()));
            }
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

    /// Length of step `number` (from 1) of `all`: constant, but for the warm-up and the decay.
    ///
    /// `learning_rate * min(1, number / (warmup all), (all - number + 1) / (decay all))`.
    pub(super) fn rate_at(&self, number: usize, all: usize) -> f64 {
        let share = |steps: usize, of: f64| match of * all as f64 {
            span if span > 1.0 => (steps as f64 / span).min(1.0),
            _ => 1.0,
        };
        let left = (all + 1).saturating_sub(number);
        f64::from(self.learning_rate) * share(number, self.warmup).min(share(left, self.decay))
    }

    /// Whether a second reconstruction takes part in the loss.
    pub(super) fn multi(&self) -> Option<usize> {
        self.multi_k.filter(|_| self.multi_coef > 0.0)
    }

    /// Where the prefixes end: `n_neurons` alone if none are asked for.
    pub(super) fn prefix_ends(&self) -> Vec<usize> {
        if self.prefixes.is_empty() { vec![self.n_neurons] } else { self.prefixes.clone() }
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
    fn prefixes_rise_and_end_at_the_number_of_neurons() {
        let check = |prefixes: &[usize]| {
            TrainOptions { prefixes: prefixes.to_vec(), ..TrainOptions::default() }.check()
        };
        check(&[16, 64]).unwrap();
        for wrong in [&[16, 32][..], &[0, 64], &[32, 32, 64], &[32, 16, 64], &[16, 64, 65]] {
            let message = check(wrong).unwrap_err().to_string();
            assert!(message.contains("`prefixes`") && message.contains("64"), "{message}");
        }
    }

    #[test]
    fn the_step_length_rises_and_falls() {
        let options = TrainOptions { learning_rate: 1.0, ..TrainOptions::default() };
        assert_eq!([1, 50, 100].map(|step| options.rate_at(step, 100)), [1.0; 3]);
        let options = TrainOptions { warmup: 0.1, decay: 0.2, ..options };
        let rates = [1, 5, 10, 11, 80, 81, 91, 100].map(|step| options.rate_at(step, 100));
        assert_eq!(rates, [0.1, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.05]);
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
