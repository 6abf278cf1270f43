//! Dead neurons: the clock that finds them, and the aux-k term that brings them back.

use super::Parts;
use super::forward::{BLOCK, Batch, Block};
use crate::topk::top_k;
use crate::vector::add_weighted_rows;
use rayon::prelude::*;

/// Advances every neuron's clock by the rows of the batch; a neuron that fired starts from 0.
///
/// Only training calls this: the clock counts training rows (trap 4).
pub(super) fn advance_clock(silent_rows: &mut [u64], batch: &Batch, n_rows: usize) {
    for silent in silent_rows.iter_mut() {
        *silent += n_rows as u64;
    }
    for firing in batch.blocks.iter().flat_map(|b| &b.firings) {
        silent_rows[firing.neuron as usize] = 0;
    }
}

/// Neurons whose clock is past `dead_after`, rising.
pub(super) fn dead(silent_rows: &[u64], dead_after: u64) -> Vec<u32> {
    (0..).zip(silent_rows).filter(|&(_, &silent)| silent > dead_after).map(|(j, _)| j).collect()
}

/// What the dead neurons make of the errors that the living ones leave.
#[derive(Debug, Default)]
pub(super) struct Aux {
    /// `W_dec' a_dead - (x - x_hat)`, n x d.
    pub error: Vec<f32>,
    pub blocks: Vec<Block>,
}

impl Aux {
    /// Reconstructs the error of each row of `batch` from its `aux_k` strongest dead neurons.
    ///
    /// The error is a constant here: no derivative flows into what made it. `unit` as in
    /// [`Batch::forward`], times the weight of the term. n (|dead| + 4 `aux_k` d) operations, in
    /// the blocks of the forward pass. Gao et al. 2024, appendix A.2.
    pub fn forward(&mut self, parts: &Parts, batch: &Batch, dead: &[u32], aux_k: usize, unit: f32) {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        self.error.clone_from(&batch.error);
        self.blocks.resize_with(batch.blocks.len(), Block::default);
        let blocks = self.error.par_chunks_mut(BLOCK * d).zip(&mut self.blocks);
        blocks.enumerate().for_each(|(b, (error, block))| {
            block.clear(d);
            let (mut fired, mut candidates) = (Vec::new(), Vec::new());
            for (error, row) in error.chunks_exact_mut(d).zip(b * BLOCK..) {
                let pre = &batch.pre[row * m..][..m];
                candidates.clear();
                candidates.extend(dead.iter().map(|&j| pre[j as usize]));
                top_k(&candidates, aux_k, &mut fired);
                for (index, _) in &mut fired {
                    *index = dead[*index as usize];
                }
                add_weighted_rows(error, parts.decoder.data(), &fired);
                block.add_row(row, &fired, error, unit, &parts.decoder);
            }
        });
    }

    /// Sum over rows of the squared length of what is left.
    pub fn squared_error(&self) -> f64 {
        self.blocks.iter().map(|b| b.squared_error).sum()
    }

    /// No dead neurons: no rows, no firings.
    pub fn clear(&mut self) {
        self.error.clear();
        self.blocks.clear();
    }
}
