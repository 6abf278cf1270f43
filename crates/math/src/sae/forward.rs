//! The forward pass: rows to sparse activations and reconstruction errors.

use super::Parts;
use crate::matrix::Matrix;
use crate::product::{Transposed, rows_times};
use crate::topk::top_k;
use crate::vector::{add_weighted_rows, axpy, dot, squared_norm};
use rayon::prelude::*;

/// Rows that one task takes through the whole pass. Fixed, so that no bit depends on the threads.
pub(super) const BLOCK: usize = 64;

/// A neuron that fires on a row of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firing {
    /// Row in the batch.
    pub row: u32,
    pub neuron: u32,
    /// Its activation.
    pub value: f32,
    /// Derivative of the loss by its activation.
    pub slope: f32,
}

/// What a block of rows adds up to.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    /// By row, then by neuron.
    pub firings: Vec<Firing>,
    /// Sum over rows of the squared length of the error.
    pub squared_error: f64,
    /// Sum over rows of the error, d values.
    pub error_sum: Vec<f32>,
}

/// A batch of n rows on its way through the autoencoder; all buffers row-major.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// `x - b_in`, n x d.
    pub centred: Vec<f32>,
    /// `W_enc (x - b_in) + b_neuron`, n x m.
    pub pre: Vec<f32>,
    /// `x_hat - x`, n x d.
    pub error: Vec<f32>,
    pub blocks: Vec<Block>,
    /// `W_enc'`, d x m.
    encoder: Transposed,
}

impl Batch {
    /// Runs rows `rows` of `x` through the autoencoder.
    ///
    /// The slope of a firing is `unit` times the inner product of its row's error and its decoder
    /// row: with `unit` = 2 / (n variance) the derivative of the mean squared error, in units of
    /// the variance, by the activation.
    ///
    /// 2 n m d operations for the encoder, 4 n k d for the rest. Rows run in fixed blocks, and
    /// each block does the same whoever runs it.
    pub fn forward(&mut self, parts: &Parts, x: &Matrix, rows: &[usize], unit: f32) {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        self.centred.resize(rows.len() * d, 0.0);
        self.error.resize(rows.len() * d, 0.0);
        self.pre.resize(rows.len() * m, 0.0);
        self.blocks.resize_with(rows.len().div_ceil(BLOCK), Block::default);
        self.encoder.fill(&parts.encoder);
        let encoder = &self.encoder;
        let buffers = self
            .centred
            .par_chunks_mut(BLOCK * d)
            .zip(self.pre.par_chunks_mut(BLOCK * m))
            .zip(self.error.par_chunks_mut(BLOCK * d));
        let blocks = self.blocks.par_iter_mut().zip(rows.par_chunks(BLOCK));
        buffers.zip(blocks).enumerate().for_each(
            |(b, (((centred, pre), error), (block, rows)))| {
                pre_activations(parts, encoder, rows.iter().map(|&i| x.row(i)), centred, pre);
                block.clear(d);
                let mut fired = Vec::new();
                for (r, row) in (0..rows.len()).zip(b * BLOCK..) {
                    top_k(&pre[r * m..][..m], parts.k, &mut fired);
                    let error = &mut error[r * d..][..d];
                    decode(parts, &fired, &centred[r * d..][..d], error);
                    block.add_row(row, &fired, error, unit, &parts.decoder);
                }
            },
        );
    }

    /// Sum over rows of the squared length of the error.
    pub fn squared_error(&self) -> f64 {
        self.blocks.iter().map(|b| b.squared_error).sum()
    }
}

impl Block {
    pub fn clear(&mut self, dim: usize) {
        self.firings.clear();
        self.squared_error = 0.0;
        self.error_sum.clear();
        self.error_sum.resize(dim, 0.0);
    }

    /// Takes in a row of the batch: its firings, with their slopes, and its error.
    pub fn add_row(
        &mut self,
        row: usize,
        fired: &[(u32, f32)],
        error: &[f32],
        unit: f32,
        decoder: &Matrix,
    ) {
        let row = u32::try_from(row).expect("a batch has fewer than 2^32 rows");
        self.firings.extend(fired.iter().map(|&(neuron, value)| {
            let slope = unit * dot(error, decoder.row(neuron as usize));
            Firing { row, neuron, value, slope }
        }));
        self.squared_error += f64::from(squared_norm(error));
        axpy(&mut self.error_sum, 1.0, error);
    }
}

/// Centres `rows` into `centred` and writes their pre-activations.
///
/// `pre = W_enc (x - b_in) + b_neuron`; `encoder`: `W_enc'`; `centred`: n x d; `pre`: n x m. If the buffers are longer
/// than the rows, what follows is computed on whatever they hold, and is of no use.
pub(super) fn pre_activations<'a>(
    parts: &Parts,
    encoder: &Transposed,
    rows: impl Iterator<Item = &'a [f32]>,
    centred: &mut [f32],
    pre: &mut [f32],
) {
    let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
    for (centred, row) in centred.chunks_exact_mut(d).zip(rows) {
        for ((c, &x), &b) in centred.iter_mut().zip(row).zip(&parts.input_bias) {
            *c = x - b;
        }
    }
    rows_times(centred, encoder, pre);
    for pre in pre.chunks_exact_mut(m) {
        axpy(pre, 1.0, &parts.neuron_bias);
    }
}

/// `error = W_dec' a - (x - b_in)`, which is `x_hat - x`. 2 k d operations.
pub(super) fn decode(parts: &Parts, fired: &[(u32, f32)], centred: &[f32], error: &mut [f32]) {
    for (e, &c) in error.iter_mut().zip(centred) {
        *e = -c;
    }
    add_weighted_rows(error, parts.decoder.data(), fired);
}
