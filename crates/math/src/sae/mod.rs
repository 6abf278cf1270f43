//! Top-k sparse autoencoders: rows in, a dictionary of neurons and their sparse activations out.
//!
//! ```text
//! a = ReLU(top_k(W_enc (x - b_in) + b_neuron))        x_hat = W_dec' a + b_in
//! ```
//!
//! `x`: d values; `a`: m values of which at most k are not 0; `W_enc` and `W_dec`: m x d, one row
//! per neuron, the rows of `W_dec` of unit length. Gao et al. 2024, "Scaling and evaluating sparse
//! autoencoders", with the aux-k term that keeps neurons alive.
//!
//! [`train`] makes a [`Sae`]; [`Sae::encode`] applies it. Files and progress are not here.

mod adam;
mod backward;
mod batch_top_k;
mod buffers;
mod dead;
mod encode;
mod forward;
mod health;
mod init;
mod options;
mod order;
mod quantise;
mod screen;
mod state;
mod step;
mod train;
mod update;

use crate::error::{Error, Result};
use crate::matrix::Matrix;

pub use adam::{Adam, Moments};
pub use encode::Reconstruction;
pub use health::{DENSITIES, Health, NeuronHealth, SAME, ULTRA_DENSE};
pub use init::variance;
pub use options::{Normaliser, TrainOptions};
pub use state::State;
pub use train::{Epoch, Event, Observer, Trained, train, train_all};

/// By what encoding rules neurons out on this processor, for rows of `dim` numbers: bits and
/// instructions, as in `16 bits, avx2`. No result depends on it.
#[must_use]
pub fn screened_by(dim: usize) -> String {
    screen::name(dim)
}

/// Everything a trained autoencoder consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// `W_enc`, m x d.
    pub encoder: Matrix,
    /// `W_dec`, m x d, rows of unit length.
    pub decoder: Matrix,
    /// `b_in`, d values.
    pub input_bias: Vec<f32>,
    /// `b_neuron`, m values.
    pub neuron_bias: Vec<f32>,
    /// Neurons active per row, at most.
    pub k: usize,
    /// What an activation must exceed, if that decides instead of `k` (batch top-k); at least 0.
    pub threshold: Option<f32>,
    /// Mean squared distance of the training rows from their mean: the unit of reconstruction
    /// errors. Positive.
    pub variance: f64,
    /// Training rows seen since each neuron last fired, m values.
    pub silent_rows: Vec<u64>,
}

/// A trained autoencoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Sae {
    parts: Parts,
}

impl Sae {
    /// # Errors
    /// [`Error::Shape`], [`Error::Option`] or [`Error::NotFinite`] if the parts do not make an
    /// autoencoder: sizes that differ, `k` outside 1 to m, a variance that is not positive.
    pub fn from_parts(parts: Parts) -> Result<Self> {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        Error::check_len("rows of the decoder", parts.decoder.rows(), m)?;
        Error::check_len("columns of the decoder", parts.decoder.cols(), d)?;
        Error::check_len("input bias", parts.input_bias.len(), d)?;
        Error::check_len("neuron bias", parts.neuron_bias.len(), m)?;
        Error::check_len("silent rows", parts.silent_rows.len(), m)?;
        if parts.k == 0 || parts.k > m {
            return Err(Error::option("k", parts.k, format!("1 to {m} (neurons)")));
        }
        if !(parts.variance.is_finite() && parts.variance > 0.0) {
            return Err(Error::option("variance", parts.variance, "a positive number"));
        }
        if let Some(threshold) = parts.threshold.filter(|&t| !(t.is_finite() && t >= 0.0)) {
            return Err(Error::option("threshold", threshold, "0 or a positive number"));
        }
        parts.encoder.check_finite("encoder")?;
        parts.decoder.check_finite("decoder")?;
        Matrix::from_vec(1, d, parts.input_bias.clone())?.check_finite("input bias")?;
        Matrix::from_vec(1, m, parts.neuron_bias.clone())?.check_finite("neuron bias")?;
        Ok(Self { parts })
    }

    /// Weights and what else belongs to them.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Number of neurons, m.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.parts.encoder.rows()
    }

    /// Neurons active per row, at most.
    #[must_use]
    pub fn k(&self) -> usize {
        self.parts.k
    }

    /// Length of a row, d.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.parts.encoder.cols()
    }
}
