//! The backward pass: firings to gradients, neuron by neuron.
//!
//! Only the neurons that fire on a row touch it, so the gradients are sums over firings. They are
//! grouped by neuron first; then each neuron's rows of both gradients are sums of its own terms,
//! in row order, and neurons run in parallel without ever writing to the same place.

use super::Parts;
use super::forward::Block;
use crate::vector::{add_weighted_rows, axpy, dot, squared_norm};
use rayon::prelude::*;

/// Neurons that one task takes. Fixed, so that no bit depends on the threads.
const CHUNK: usize = 16;

/// Firings by neuron, within a neuron by row.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Where each neuron's terms begin, m + 1 values.
    starts: Vec<usize>,
    /// (row, activation times unit): weights of the errors in the decoder's gradient.
    decoder: Vec<(u32, f32)>,
    /// (row, slope): weights of the centred rows in the encoder's gradient.
    encoder: Vec<(u32, f32)>,
}

impl Groups {
    /// A counting sort of the firings of `blocks`; O(firings + m).
    pub fn fill(&mut self, blocks: &[Block], n_neurons: usize, unit: f32) {
        self.starts.clear();
        self.starts.resize(n_neurons + 1, 0);
        for firing in blocks.iter().flat_map(|b| &b.firings) {
            self.starts[firing.neuron as usize + 1] += 1;
        }
        for j in 0..n_neurons {
            self.starts[j + 1] += self.starts[j];
        }
        let mut next = self.starts.clone();
        self.decoder.resize(self.starts[n_neurons], (0, 0.0));
        self.encoder.resize(self.starts[n_neurons], (0, 0.0));
        for firing in blocks.iter().flat_map(|b| &b.firings) {
            let at = &mut next[firing.neuron as usize];
            self.decoder[*at] = (firing.row, firing.value * unit);
            self.encoder[*at] = (firing.row, firing.slope);
            *at += 1;
        }
    }
}

/// A term of the loss: the firings it depends on, and the errors (n x d) they are to lessen.
#[derive(Clone, Copy)]
pub(super) struct Term<'a> {
    pub groups: &'a Groups,
    pub error: &'a [f32],
}

/// Gradient of the loss by every parameter, of the shapes of [`Parts`].
#[derive(Debug)]
pub(super) struct Gradients {
    pub encoder: Vec<f32>,
    pub decoder: Vec<f32>,
    pub neuron_bias: Vec<f32>,
    pub input_bias: Vec<f32>,
}

impl Gradients {
    pub fn new(n_neurons: usize, dim: usize) -> Self {
        Self {
            encoder: vec![0.0; n_neurons * dim],
            decoder: vec![0.0; n_neurons * dim],
            neuron_bias: vec![0.0; n_neurons],
            input_bias: vec![0.0; dim],
        }
    }

    /// Computes all gradients and returns their common Euclidean norm.
    ///
    /// For neuron j with the firings (row r, activation a, slope s) of every term:
    ///
    /// ```text
    /// dW_dec[j] = sum a unit error[r], less its component along W_dec[j]
    /// dW_enc[j] = sum s (x[r] - b_in)          db_neuron[j] = sum s
    /// db_in = unit sum over r of error[r] - sum over j of db_neuron[j] W_enc[j]
    /// ```
    ///
    /// The component along the decoder row would only change its length, which renormalisation
    /// undoes. `centred`: n x d. 4 d operations per firing and 6 m d besides. Sums of one neuron
    /// are `f32` in row order; chunks of neurons are added in order, the norm in `f64`.
    pub fn fill(&mut self, parts: &Parts, centred: &[f32], terms: &[Term<'_>]) -> f64 {
        let d = parts.encoder.cols();
        let rows =
            self.encoder.par_chunks_mut(CHUNK * d).zip(self.decoder.par_chunks_mut(CHUNK * d));
        let chunks: Vec<(f64, Vec<f32>)> = rows
            .zip(self.neuron_bias.par_chunks_mut(CHUNK))
            .enumerate()
            .map(|(chunk, ((encoder, decoder), bias))| {
                let (mut squares, mut input_bias) = (0.0, vec![0.0; d]);
                let rows = encoder.chunks_exact_mut(d).zip(decoder.chunks_exact_mut(d));
                for (j, ((encoder, decoder), bias)) in (chunk * CHUNK..).zip(rows.zip(bias)) {
                    *bias = neuron(j, terms, centred, encoder, decoder);
                    let along = dot(decoder, parts.decoder.row(j));
                    axpy(decoder, -along, parts.decoder.row(j));
                    axpy(&mut input_bias, -*bias, parts.encoder.row(j));
                    squares += f64::from(squared_norm(encoder)) + f64::from(squared_norm(decoder));
                    squares += f64::from(*bias).powi(2);
                }
                (squares, input_bias)
            })
            .collect();
        let mut squares = 0.0;
        for (chunk_squares, input_bias) in chunks {
            squares += chunk_squares;
            axpy(&mut self.input_bias, 1.0, &input_bias);
        }
        (squares + f64::from(squared_norm(&self.input_bias))).sqrt()
    }

    /// Sets the part of the input bias's gradient that comes from the reconstruction itself.
    pub fn begin_input_bias(&mut self, blocks: &[Block], unit: f32) {
        self.input_bias.fill(0.0);
        for block in blocks {
            axpy(&mut self.input_bias, unit, &block.error_sum);
        }
    }
}

/// Rows of both gradients for neuron `j`; returns its bias's.
fn neuron(
    j: usize,
    terms: &[Term<'_>],
    centred: &[f32],
    encoder: &mut [f32],
    decoder: &mut [f32],
) -> f32 {
    encoder.fill(0.0);
    decoder.fill(0.0);
    let mut bias = 0.0;
    for term in terms {
        let span = term.groups.starts[j]..term.groups.starts[j + 1];
        let slopes = &term.groups.encoder[span.clone()];
        add_weighted_rows(encoder, centred, slopes);
        add_weighted_rows(decoder, term.error, &term.groups.decoder[span]);
        bias += slopes.iter().map(|&(_, slope)| slope).sum::<f32>();
    }
    bias
}
