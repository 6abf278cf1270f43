//! Dead neurons: the clock that finds them, and the aux-k term that brings them back.

use super::Parts;
use super::forward::{Batch, Block, Pass};
use super::screen::keep_largest;

/// Advances every neuron's clock by the rows of the batch; a neuron that fired starts from 0.
///
/// Only training calls this: the clock counts training rows (trap 4).
pub(super) fn advance_clock(silent_rows: &mut [u64], blocks: &[Block], n_rows: usize) {
    for silent in silent_rows.iter_mut() {
        *silent += n_rows as u64;
    }
    for firing in blocks.iter().flat_map(|b| &b.firings) {
        silent_rows[firing.neuron as usize] = 0;
    }
}

/// Neurons whose clock is past `dead_after`, rising.
pub(super) fn dead(silent_rows: &[u64], dead_after: u64) -> Vec<u32> {
    (0..).zip(silent_rows).filter(|&(_, &silent)| silent > dead_after).map(|(j, _)| j).collect()
}

/// Reconstructs the error of each row from its `aux_k` strongest dead neurons.
///
/// The error (the last of `groups` per row in `errors`) is a constant here: no derivative flows
/// into what made it. `unit` as in [`Pass::forward`], times the weight of the term.
/// n (2 |dead| + 4 `aux_k`) d operations. Gao et al. 2024, appendix A.2.
pub(super) fn aux(
    pass: &mut Pass,
    parts: &Parts,
    batch: &Batch,
    errors: (&[f32], usize),
    (dead, aux_k): (&[u32], usize),
    unit: f32,
) {
    pass.explain(parts, batch, errors, unit, |centred, fired| {
        fired.extend(dead.iter().map(|&j| (j, parts.pre_activation(centred, j))));
        keep_largest(fired, aux_k);
    });
}
