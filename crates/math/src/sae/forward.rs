//! The forward pass: rows to sparse activations and reconstruction errors.

use super::Parts;
use super::buffers::Buffers;
use super::screen::{Screen, Workspace, centre};
use crate::matrix::Matrix;
use crate::rows::BLOCK;
use crate::vector::{add_weighted_rows, axpy, dot, negate, squared_norm};
use rayon::prelude::*;

/// A neuron that fires on a row of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firing {
    /// Row in the batch.
    pub row: u32,
    /// Row in the errors that the neuron is to lessen.
    pub error_row: u32,
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
    /// Sum over rows of the squared length of the error of all neurons together.
    pub squared_error: f64,
    /// The same summed over the prefixes.
    pub squared_errors: f64,
    /// Sum over rows of the error, and over prefixes; d values.
    pub error_sum: Vec<f32>,
}

/// Neurons that fire on the rows of a block, end to end.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    pub ends: Vec<usize>,
    /// (neuron, activation), within a row by rising neuron.
    pub terms: Vec<(u32, f32)>,
}

impl Chosen {
    pub fn clear(&mut self) {
        self.ends.clear();
        self.terms.clear();
    }

    /// What fires on each row.
    pub fn rows(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.terms[start..end])
    }
}

/// Centred rows of a batch, and what fires on them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// `x - b_in`, n x d.
    pub centred: Vec<f32>,
    /// Length of each.
    pub lengths: Vec<f32>,
    pub blocks: Vec<Chosen>,
    dim: usize,
    work: Buffers<Workspace>,
}

impl Batch {
    /// Centres rows, and lets `choose` write what fires on each.
    ///
    /// `choose` is given the place of the row in `work`, the centred row, and where to write.
    pub fn fill(
        &mut self,
        parts: &Parts,
        screen: &Screen,
        rows: &[&[f32]],
        choose: impl Fn((usize, &[f32]), &mut Workspace, &mut Vec<(u32, f32)>) + Sync,
    ) {
        let d = parts.input_bias.len();
        self.dim = d;
        self.centred.resize(rows.len() * d, 0.0);
        self.lengths.resize(rows.len(), 0.0);
        self.blocks.resize_with(rows.len().div_ceil(BLOCK), Chosen::default);
        let blocks = self.centred.par_chunks_mut(BLOCK * d).zip(&mut self.blocks);
        let blocks = blocks.zip(self.lengths.par_chunks_mut(BLOCK));
        let blocks = blocks.zip(rows.par_chunks(BLOCK));
        blocks.for_each(|(((centred, chosen), lengths), rows)| {
            self.work.with(|work| {
                centre(rows, &parts.input_bias, centred);
                chosen.clear();
                screen.load(centred, work);
                work.lengths(lengths);
                for row in centred.chunks_exact(d).enumerate() {
                    choose(row, work, &mut chosen.terms);
                    chosen.ends.push(chosen.terms.len());
                }
            });
        });
    }

    /// Centred rows of each block.
    fn centred(&self) -> impl IndexedParallelIterator<Item = &[f32]> {
        self.centred.par_chunks(BLOCK * self.dim)
    }
}

/// One reconstruction of a batch: its errors, and how the loss depends on what fires.
///
/// With prefixes of the neurons, G of them, a row has G errors `e_g = x_hat_g - x`, one for what
/// the neurons below the end of each prefix reconstruct. A neuron takes part in its own and all
/// later ones, so that what is kept is their sum, `E_g = e_g + ... + e_G`: n G rows.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// `E_g` of each row, n G x d. The last one of a row is the error of all neurons together.
    pub error: Vec<f32>,
    /// Length of each, n G values.
    pub lengths: Vec<f32>,
    pub blocks: Vec<Block>,
}

impl Pass {
    /// Reconstructs each row from what fires on it.
    ///
    /// `ends`: where the prefixes end. `among` chooses from what fires on a row those that take
    /// part. The slope of a firing is `unit` times the inner product of its row's error and its
    /// decoder row: with `unit` = 2 / (n G variance) the derivative of the mean squared error, in
    /// units of the variance, by the activation. 4 d operations per firing, 2 G d per row.
    pub fn forward(
        &mut self,
        parts: &Parts,
        batch: &Batch,
        ends: &[usize],
        unit: f32,
        among: impl Fn(&[(u32, f32)], &mut Vec<(u32, f32)>) + Sync,
    ) {
        let (d, groups) = (batch.dim, ends.len());
        let rows = batch.centred().zip(&batch.blocks);
        let blocks = self.blocks(batch, groups).zip(rows);
        blocks.enumerate().for_each(|(b, (((errors, lengths), block), (centred, chosen)))| {
            block.clear(d);
            let mut fired = Vec::new();
            let rows = centred.chunks_exact(d).zip(chosen.rows());
            let errors = errors.chunks_exact_mut(groups * d).zip(lengths.chunks_exact_mut(groups));
            for ((row, (centred, chosen)), (errors, lengths)) in (b * BLOCK..).zip(rows).zip(errors)
            {
                fired.clear();
                among(chosen, &mut fired);
                block.squared_errors += prefix_errors(parts, &fired, centred, ends, errors);
                block.add_row((row, ends), &fired, (errors, lengths), unit, &parts.decoder);
            }
        });
    }

    /// Explains the errors of another pass (one prefix, n x d) by what `choose` writes for a row.
    pub fn explain(
        &mut self,
        parts: &Parts,
        batch: &Batch,
        (errors, groups): (&[f32], usize),
        unit: f32,
        choose: impl Fn(&[f32], &mut Vec<(u32, f32)>) + Sync,
    ) {
        let (d, m) = (batch.dim, parts.encoder.rows());
        let rows = batch.centred().zip(errors.par_chunks(BLOCK * groups * d));
        let blocks = self.blocks(batch, 1).zip(rows);
        blocks.enumerate().for_each(|(b, (((out, lengths), block), (centred, errors)))| {
            block.clear(d);
            let mut fired = Vec::new();
            let errors = errors.chunks_exact(d).skip(groups - 1).step_by(groups);
            let rows = centred.chunks_exact(d).zip(errors);
            let out = out.chunks_exact_mut(d).zip(lengths.chunks_exact_mut(1));
            for ((row, (centred, error)), (out, length)) in (b * BLOCK..).zip(rows).zip(out) {
                fired.clear();
                choose(centred, &mut fired);
                out.copy_from_slice(error);
                add_weighted_rows(out, parts.decoder.data(), &fired);
                block.add_row((row, &[m]), &fired, (out, length), unit, &parts.decoder);
            }
        });
    }

    /// Errors, their lengths and what they add up to, of each block of a batch.
    fn blocks(
        &mut self,
        batch: &Batch,
        groups: usize,
    ) -> impl IndexedParallelIterator<Item = ((&mut [f32], &mut [f32]), &mut Block)> {
        self.error.resize(batch.centred.len() * groups, 0.0);
        self.lengths.resize(batch.lengths.len() * groups, 0.0);
        self.blocks.resize_with(batch.blocks.len(), Block::default);
        let errors = self.error.par_chunks_mut(BLOCK * groups * batch.dim);
        let lengths = self.lengths.par_chunks_mut(BLOCK * groups);
        errors.zip(lengths).zip(&mut self.blocks)
    }

    /// Sum over rows of the squared length of the error of all neurons together.
    pub fn squared_error(&self) -> f64 {
        self.blocks.iter().map(|b| b.squared_error).sum()
    }

    /// The same summed over the prefixes.
    pub fn squared_errors(&self) -> f64 {
        self.blocks.iter().map(|b| b.squared_errors).sum()
    }

    /// Nothing fires: no rows, no firings.
    pub fn clear(&mut self) {
        self.error.clear();
        self.lengths.clear();
        self.blocks.clear();
    }
}

impl Block {
    fn clear(&mut self, dim: usize) {
        self.firings.clear();
        (self.squared_error, self.squared_errors) = (0.0, 0.0);
        self.error_sum.clear();
        self.error_sum.resize(dim, 0.0);
    }

    /// Takes in a row of the batch: its firings, with their slopes, and its errors, whose lengths
    /// it fills in.
    fn add_row(
        &mut self,
        (row, ends): (usize, &[usize]),
        fired: &[(u32, f32)],
        (errors, lengths): (&[f32], &mut [f32]),
        unit: f32,
        decoder: &Matrix,
    ) {
        let d = decoder.cols();
        let index = |at: usize| u32::try_from(at).expect("a batch has fewer than 2^32 errors");
        self.firings.extend(fired.iter().map(|&(neuron, value)| {
            let group = ends.partition_point(|&end| end <= neuron as usize);
            let slope = unit * dot(&errors[group * d..][..d], decoder.row(neuron as usize));
            let error_row = index(row * ends.len() + group);
            Firing { row: index(row), error_row, neuron, value, slope }
        }));
        let mut square = 0.0;
        for (length, error) in lengths.iter_mut().zip(errors.chunks_exact(d)) {
            square = squared_norm(error);
            *length = square.sqrt();
        }
        self.squared_error += f64::from(square);
        axpy(&mut self.error_sum, 1.0, &errors[..d]);
    }
}

/// Fills `E_g` of a row (G x d) and returns the sum over g of `|e_g|^2`.
fn prefix_errors(
    parts: &Parts,
    fired: &[(u32, f32)],
    centred: &[f32],
    ends: &[usize],
    errors: &mut [f32],
) -> f64 {
    let d = centred.len();
    let (mut squares, mut from) = (0.0, 0);
    for (g, &end) in ends.iter().enumerate() {
        let (before, error) = errors.split_at_mut(g * d);
        let error = &mut error[..d];
        match before.rchunks_exact(d).next() {
            Some(last) => error.copy_from_slice(last),
            None => negate(centred, error),
        }
        let until = from + fired[from..].partition_point(|&(j, _)| (j as usize) < end);
        add_weighted_rows(error, parts.decoder.data(), &fired[from..until]);
        squares += f64::from(squared_norm(error));
        from = until;
    }
    for g in (0..ends.len() - 1).rev() {
        let (error, after) = errors[g * d..].split_at_mut(d);
        axpy(error, 1.0, &after[..d]);
    }
    squares
}

/// `error = W_dec' a - (x - b_in)`, which is `x_hat - x`; returns its squared length. 2 k d
/// operations.
pub(super) fn decode(
    parts: &Parts,
    fired: &[(u32, f32)],
    centred: &[f32],
    error: &mut [f32],
) -> f64 {
    prefix_errors(parts, fired, centred, &[parts.encoder.rows()], error)
}
