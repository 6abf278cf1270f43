//! Batch top-k: the k n largest activations of a batch of n rows, however they fall on the rows.
//!
//! Bussmann, Leask and Nanda 2024, "BatchTopK sparse autoencoders". A row with much to say gets
//! more neurons than one with little. A row by itself is encoded by a threshold instead.

use super::forward::Batch;
use super::screen::{Screen, Workspace};
use super::Parts;
use crate::matrix::Matrix;

/// Share of the last batch's smallest activation below which nothing is looked for at first.
const CAUTION: f32 = 0.8;

/// Finds the activations of batches; remembers about where the smallest of them lie.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Smallest activation of the last batch.
    smallest: f32,
}

impl Selection {
    /// Fills `batch` with the `k` n largest activations of the rows; those > 0 if they are fewer.
    ///
    /// Looks above a guess, and once more above 0 if too few values lie there: the guess changes
    /// the time only. Among equal values the earlier row wins, then the lower neuron. Returns the
    /// smallest activation; 0 if nothing fires.
    pub fn fill(
        &mut self,
        batch: &mut Batch,
        parts: &Parts,
        screen: &Screen,
        rows: (&Matrix, &[usize]),
        k: usize,
    ) -> f32 {
        let wanted = k * rows.1.len();
        for floor in [CAUTION * self.smallest, 0.0] {
            let above = |row: (usize, &[f32]), work: &mut Workspace, out: &mut Vec<(u32, f32)>| {
                screen.above(parts, row, floor, work, out);
            };
            batch.fill(parts, screen, rows, above);
            let found: usize = batch.blocks.iter().map(|b| b.terms.len()).sum();
            if found >= wanted || floor == 0.0 {
                break;
            }
        }
        self.smallest = keep_largest(batch, wanted);
        self.smallest
    }
}

/// Keeps the `wanted` largest values of the batch and returns the smallest of them.
fn keep_largest(batch: &mut Batch, wanted: usize) -> f32 {
    let terms = batch.blocks.iter().flat_map(|b| &b.terms);
    let mut values: Vec<f32> = terms.map(|t| t.1).collect();
    if values.len() <= wanted {
        return values.into_iter().fold(None, |low: Option<f32>, v| Some(low.map_or(v, |l| l.min(v)))).unwrap_or(0.0);
    }
    let smallest = *values.select_nth_unstable_by(wanted - 1, |a, b| b.total_cmp(a)).1;
    let larger = values.iter().filter(|&&v| v > smallest).count();
    let mut ties = wanted - larger;
    for block in &mut batch.blocks {
        let mut kept = super::forward::Chosen::default();
        for row in block.rows() {
            for &(j, value) in row {
                let tie = value == smallest && ties > 0;
                ties -= usize::from(tie);
                if tie || value > smallest {
                    kept.terms.push((j, value));
                }
            }
            kept.ends.push(kept.terms.len());
        }
        *block = kept;
    }
    smallest
}
