//! One training step: forward, backward, clipping, Adam.

#![expect(clippy::cast_possible_truncation, reason = "factors of f32 gradients, computed in f64")]

use super::adam::Adam;
use super::backward::{Gradients, Groups, Term};
use super::dead::{self, Aux};
use super::forward::Batch;
use super::{Parts, TrainOptions};
use crate::matrix::Matrix;

/// State of a training and buffers of its steps.
pub(super) struct Trainer<'a> {
    x: &'a Matrix,
    options: &'a TrainOptions,
    pub parts: Parts,
    adam: Adam,
    batch: Batch,
    aux: Aux,
    groups: [Groups; 2],
    gradients: Gradients,
}

/// Losses of one step, per row.
pub(super) struct Losses {
    pub total: f64,
    pub reconstruction: f64,
}

impl<'a> Trainer<'a> {
    pub fn new(x: &'a Matrix, options: &'a TrainOptions, parts: Parts) -> Self {
        Self {
            x,
            options,
            adam: Adam::new(&parts, options.learning_rate),
            batch: Batch::default(),
            aux: Aux::default(),
            groups: Default::default(),
            gradients: Gradients::new(options.n_neurons, x.cols()),
            parts,
        }
    }

    /// One step on these rows; `None` if its loss or gradient is not finite, with nothing changed
    /// but the clock.
    pub fn step(&mut self, rows: &[usize]) -> Option<Losses> {
        let per_row = 1.0 / (rows.len() as f64 * self.parts.variance);
        let losses = self.forward(rows, per_row);
        let norm = self.backward(per_row);
        if !(losses.total.is_finite() && norm.is_finite()) {
            return None;
        }
        // The small number is torch's: it keeps from dividing by 0.
        let clip = (f64::from(self.options.clip_norm) / (norm + 1e-6)).min(1.0);
        self.adam.step(&mut self.parts, &self.gradients, clip as f32);
        Some(losses)
    }

    fn forward(&mut self, rows: &[usize], per_row: f64) -> Losses {
        self.batch.forward(&self.parts, self.x, rows, (2.0 * per_row) as f32);
        dead::advance_clock(&mut self.parts.silent_rows, &self.batch, rows.len());
        let reconstruction = per_row * self.batch.squared_error();
        let (aux_k, dead) = (self.options.aux_k_or_default(), self.dead());
        if aux_k == 0 || dead.is_empty() {
            self.aux.clear();
            return Losses { total: reconstruction, reconstruction };
        }
        self.aux.forward(&self.parts, &self.batch, &dead, aux_k, self.aux_unit(per_row));
        let aux = f64::from(self.options.aux_coef) * per_row * self.aux.squared_error();
        Losses { total: reconstruction + aux, reconstruction }
    }

    /// Fills the gradients and returns their norm.
    fn backward(&mut self, per_row: f64) -> f64 {
        let (m, unit) = (self.options.n_neurons, (2.0 * per_row) as f32);
        self.gradients.begin_input_bias(&self.batch.blocks, unit);
        let aux_unit = self.aux_unit(per_row);
        let [main, aux] = &mut self.groups;
        main.fill(&self.batch.blocks, m, unit);
        aux.fill(&self.aux.blocks, m, aux_unit);
        let terms = [
            Term { groups: main, error: &self.batch.error },
            Term { groups: aux, error: &self.aux.error },
        ];
        self.gradients.fill(&self.parts, &self.batch.centred, &terms)
    }

    fn aux_unit(&self, per_row: f64) -> f32 {
        (2.0 * per_row * f64::from(self.options.aux_coef)) as f32
    }

    /// Neurons that are dead by now.
    pub fn dead(&self) -> Vec<u32> {
        dead::dead(&self.parts.silent_rows, self.options.dead_after_for(self.x.rows()))
    }
}

#[cfg(test)]
mod tests;
