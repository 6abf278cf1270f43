//! Batch top-k: the k n largest activations of a batch of n rows, however they fall on the rows.
//!
//! Bussmann, Leask and Nanda 2024, "`BatchTopK` sparse autoencoders". A row with much to say gets
//! more neurons than one with little. A row by itself is encoded by a threshold instead.

use super::Parts;
use super::forward::{Batch, Chosen};
use super::screen::{Screen, Workspace};

/// Share of the smallest activation expected, below which nothing is looked for at first.
pub(super) const CAUTION: f32 = 0.8;

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
        rows: &[&[f32]],
        k: usize,
    ) -> f32 {
        let wanted = k * rows.len();
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
        return values
            .into_iter()
            .fold(None, |low: Option<f32>, v| Some(low.map_or(v, |l| l.min(v))))
            .unwrap_or(0.0);
    }
    let smallest = *values.select_nth_unstable_by(wanted - 1, |a, b| b.total_cmp(a)).1;
    let larger = values.iter().filter(|&&v| v > smallest).count();
    let mut ties = wanted - larger;
    for block in &mut batch.blocks {
        let mut kept = Chosen::default();
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

#[cfg(test)]
mod tests {
    use super::super::{TrainOptions, init};
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn the_largest_of_the_batch_are_chosen_whatever_the_guess() {
        let (n, d, m, k) = (150, 20, 30, 3);
        let wave = (0..n * d).map(|i| ((i * i) as f32 * 0.01).sin() * (1 + i % 7) as f32).collect();
        let x = Matrix::from_vec(n, d, wave).unwrap();
        let options = TrainOptions { n_neurons: m, k, ..TrainOptions::default() };
        let parts = init::alone(&x, &options);
        let screen = Screen::of(&parts);
        let rows: Vec<&[f32]> = (0..n).map(|i| x.row(i)).collect();
        let mut results = Vec::new();
        for smallest in [0.0, 0.1, 1e6] {
            let (mut batch, mut selection) = (Batch::default(), Selection { smallest });
            let low = selection.fill(&mut batch, &parts, &screen, &rows, k);
            let mut all: Vec<f32> = batch
                .centred
                .chunks_exact(d)
                .flat_map(|row| (0..30).map(|j| parts.pre_activation(row, j)).collect::<Vec<_>>())
                .collect();
            all.sort_unstable_by(|a, b| b.total_cmp(a));
            let got: Vec<_> = batch.blocks.iter().flat_map(|b| b.terms.clone()).collect();
            assert_eq!(got.len(), k * n);
            assert_eq!(low, all[k * n - 1]);
            assert!(got.iter().all(|t| t.1 >= low));
            let counts: Vec<usize> = batch
                .blocks
                .iter()
                .flat_map(|b| b.rows().map(<[_]>::len).collect::<Vec<_>>())
                .collect();
            assert!(counts.iter().any(|&c| c < k) && counts.iter().any(|&c| c > k));
            results.push((got, counts));
        }
        assert!(results.windows(2).all(|w| w[0] == w[1]));
    }
}
