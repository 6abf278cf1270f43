//! The backward pass: firings to gradients, neuron by neuron.
//!
//! Only the neurons that fire on a row touch it, so the gradients are sums over firings. They are
//! grouped by neuron first; then each neuron's rows of both gradients are sums of its own terms,
//! in row order, and neurons run in parallel without ever writing to the same place.
//!
//! For neuron j with the firings (row r, activation a, slope s) of every term of the loss:
//!
//! ```text
//! dW_dec[j] = sum a unit error[r], less its component along W_dec[j]
//! dW_enc[j] = sum s (x[r] - b_in)          db_neuron[j] = sum s
//! db_in = sum over terms of unit sum over r of error[r] - sum over j of db_neuron[j] W_enc[j]
//! ```
//!
//! The component along the decoder row would only change its length, which renormalisation undoes.

use super::forward::Block;
use crate::vector::{add_weighted_rows, axpy, dot};

/// Firings by neuron, within a neuron by row.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Where each neuron's terms begin, m + 1 values.
    starts: Vec<usize>,
    next: Vec<usize>,
    /// (row of the errors, activation times unit): weights of the errors in the decoder's gradient.
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
        self.next.clone_from(&self.starts);
        self.decoder.resize(self.starts[n_neurons], (0, 0.0));
        self.encoder.resize(self.starts[n_neurons], (0, 0.0));
        for firing in blocks.iter().flat_map(|b| &b.firings) {
            let at = &mut self.next[firing.neuron as usize];
            self.decoder[*at] = (firing.error_row, firing.value * unit);
            self.encoder[*at] = (firing.row, firing.slope);
            *at += 1;
        }
    }

    /// Weights of the centred rows in the encoder's gradient of neuron `j`.
    fn slopes(&self, j: usize) -> &[(u32, f32)] {
        &self.encoder[self.starts[j]..self.starts[j + 1]]
    }

    /// Weights of the errors in the decoder's gradient of neuron `j`.
    fn weights(&self, j: usize) -> &[(u32, f32)] {
        &self.decoder[self.starts[j]..self.starts[j + 1]]
    }
}

/// A term of the loss: the firings it depends on, and the errors (rows of d) they are to lessen.
#[derive(Clone, Copy)]
pub(super) struct Term<'a> {
    pub groups: &'a Groups,
    pub error: &'a [f32],
}

/// Length of every row of the data that gradients are sums of.
#[derive(Clone, Copy)]
pub(super) struct Lengths<'a> {
    pub centred: &'a [f32],
    /// For each term of the loss.
    pub errors: [&'a [f32]; 3],
}

/// An upper bound of the squared gradient of neuron `j`: encoder, decoder and bias.
///
/// The triangle inequality over its firings; a hundredth of the cost of the gradient itself.
pub(super) fn squared_bound(j: usize, terms: &[Term<'_>], lengths: Lengths<'_>) -> (f64, f64) {
    let (mut encoder, mut decoder, mut bias) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (term, errors) in terms.iter().zip(lengths.errors) {
        for &(row, slope) in term.groups.slopes(j) {
            encoder += slope.abs() * lengths.centred[row as usize];
            bias += slope.abs();
        }
        for &(row, weight) in term.groups.weights(j) {
            decoder += weight.abs() * errors[row as usize];
        }
    }
    let squares = [encoder, decoder, bias].map(|v| f64::from(v).powi(2));
    (squares.iter().sum(), f64::from(bias))
}

/// Both rows of the gradient of neuron `j` (d values each), whose decoder row is `unit_row`; returns
/// its bias's.
///
/// `centred`: n x d. 4 d operations per firing and 4 d besides.
pub(super) fn gradient(
    j: usize,
    unit_row: &[f32],
    terms: &[Term<'_>],
    centred: &[f32],
    (encoder, decoder): (&mut [f32], &mut [f32]),
) -> f32 {
    encoder.fill(0.0);
    decoder.fill(0.0);
    let mut bias = 0.0;
    for term in terms {
        let slopes = term.groups.slopes(j);
        add_weighted_rows(encoder, centred, slopes);
        add_weighted_rows(decoder, term.error, term.groups.weights(j));
        bias += slopes.iter().map(|&(_, slope)| slope).sum::<f32>();
    }
    let along = dot(decoder, unit_row);
    axpy(decoder, -along, unit_row);
    bias
}
