//! One training step: forward, backward, clipping, Adam.

#![expect(clippy::cast_possible_truncation, reason = "factors of f32 gradients, computed in f64")]

use super::backward::{Groups, Lengths, Term};
use super::batch_top_k::Selection;
use super::dead;
use super::forward::{Batch, Pass};
use super::screen::{Screen, keep_largest};
use super::state::State;
use super::update::{self, Gradients};
use super::{Normaliser, TrainOptions};
use crate::vector::axpy;

/// State of a training and buffers of its steps.
pub(super) struct Trainer<'a> {
    pub options: &'a TrainOptions,
    /// Where the prefixes of the neurons end.
    ends: Vec<usize>,
    /// Steps that `max_epochs` allows.
    all_steps: usize,
    /// Silent rows after which a neuron is dead.
    dead_after: u64,
    pub state: State,
    pub screen: Screen,
    selection: Selection,
    batch: Batch,
    passes: Passes,
    groups: [Groups; 3],
    gradients: Gradients,
}

/// The reconstructions of a batch that the loss is made of.
#[derive(Debug, Default)]
struct Passes {
    main: Pass,
    /// Less sparse: the multi-k term.
    multi: Pass,
    /// Of the main one's errors by dead neurons: the aux-k term.
    aux: Pass,
    /// What turns the sums of a pass into derivatives, for each.
    units: [f32; 3],
}

/// Losses of one step, per row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Losses {
    pub total: f64,
    /// The part that is reconstruction by all neurons: fraction of the variance unexplained.
    pub fvu: f64,
    /// Smallest activation of the batch, if it was chosen from the batch as a whole.
    pub smallest: Option<f32>,
}

impl<'a> Trainer<'a> {
    /// Goes on from `state`; `n_rows` and `all_steps`: of the training rows, and how many steps
    /// `max_epochs` allows.
    pub fn new(options: &'a TrainOptions, state: State, n_rows: usize, all_steps: usize) -> Self {
        Self {
            options,
            ends: options.prefix_ends(),
            all_steps,
            dead_after: options.dead_after_for(n_rows),
            screen: Screen::of(&state.parts),
            state,
            selection: Selection::default(),
            batch: Batch::default(),
            passes: Passes::default(),
            groups: Default::default(),
            gradients: Gradients::default(),
        }
    }

    /// One step on these rows; `None` if its loss or gradient is not finite, with nothing changed
    /// but the clock.
    pub fn step(&mut self, rows: &[&[f32]]) -> Option<Losses> {
        let losses = self.forward(rows);
        if !losses.total.is_finite() {
            return None;
        }
        self.group();
        let clip_norm = f64::from(self.options.clip_norm);
        let fused = self.bound() < clip_norm;
        let clip = if fused {
            1.0
        } else {
            // The small number is torch's: it keeps from dividing by 0.
            match self.backward() {
                norm if norm.is_finite() => (clip_norm / (norm + 1e-6)).min(1.0),
                _ => return None,
            }
        };
        let Self { state, screen, gradients, .. } = self;
        let State { parts, adam, .. } = state;
        let rate = self.options.rate_at(adam.steps as usize + 1, self.all_steps);
        let rates = adam.begin(rate, clip);
        if fused {
            let terms = terms(&self.passes, &self.groups);
            let data = (self.batch.centred.as_slice(), terms.as_slice());
            update::fused_step(parts, adam, screen, gradients, rates, data);
        } else {
            update::step(parts, adam, screen, gradients, rates);
        }
        Some(losses)
    }

    fn forward(&mut self, rows: &[&[f32]]) -> Losses {
        let smallest = self.choose(rows);
        let n = rows.len();
        let d = self.dim();
        let variance = match self.options.normaliser {
            Normaliser::Batch => spread(self.batch.centred.chunks_exact(d), d) / n as f64,
            Normaliser::DataSet => self.state.parts.variance,
        };
        let per_row = 1.0 / (n as f64 * variance);
        let groups = self.ends.len();
        let unit = 2.0 * per_row / groups as f64;
        let k = self.options.k;
        let whole_batch = self.options.batch_top_k;
        self.passes.main.forward(
            &self.state.parts,
            &self.batch,
            &self.ends,
            unit as f32,
            |row, fired| {
                fired.extend_from_slice(row);
                if !whole_batch {
                    keep_largest(fired, k);
                }
            },
        );
        dead::advance_clock(&mut self.state.parts.silent_rows, &self.passes.main.blocks, n);
        self.passes.units[0] = unit as f32;
        let mut total = per_row * self.passes.main.squared_errors() / groups as f64;
        total += self.multi(rows, per_row);
        total += self.aux(per_row);
        Losses { total, fvu: per_row * self.passes.main.squared_error(), smallest }
    }

    /// Centres the rows and finds what fires on them; as many as any reconstruction needs.
    fn choose(&mut self, rows: &[&[f32]]) -> Option<f32> {
        let Self { options, state, screen, batch, selection, .. } = self;
        let parts = &state.parts;
        if options.batch_top_k {
            return Some(selection.fill(batch, parts, screen, rows, options.k));
        }
        let k = options.multi().map_or(options.k, |multi_k| multi_k.max(options.k));
        batch.fill(parts, screen, rows, |row, work, out| {
            screen.top_k(parts, row, k, work, out);
        });
        None
    }

    /// The multi-k term: a second reconstruction from more neurons. O'Neill et al. 2024.
    fn multi(&mut self, rows: &[&[f32]], per_row: f64) -> f64 {
        let Some(multi_k) = self.options.multi() else { return 0.0 };
        let Self { options, state, screen, passes, .. } = self;
        let parts = &state.parts;
        let coefficient = f64::from(options.multi_coef);
        let unit = (2.0 * per_row * coefficient) as f32;
        let whole;
        let batch = if options.batch_top_k {
            let mut by_row = Batch::default();
            let choose = |row: (usize, &[f32]), work: &mut _, out: &mut _| {
                screen.top_k(parts, row, multi_k, work, out);
            };
            by_row.fill(parts, screen, rows, choose);
            whole = by_row;
            &whole
        } else {
            &self.batch
        };
        let m = [options.n_neurons];
        passes.multi.forward(parts, batch, &m, unit, |row, fired| {
            fired.extend_from_slice(row);
            keep_largest(fired, multi_k);
        });
        passes.units[1] = unit;
        coefficient * per_row * passes.multi.squared_error()
    }

    /// The aux-k term: what is left, explained by dead neurons.
    fn aux(&mut self, per_row: f64) -> f64 {
        let (aux_k, dead) = (self.options.aux_k_or_default(), self.dead());
        let coefficient = f64::from(self.options.aux_coef);
        let d = self.dim();
        let Self { options, state, passes, batch, ends, .. } = self;
        let Passes { main, aux, units, .. } = passes;
        let as_package = options.normaliser == Normaliser::Batch;
        if aux_k == 0 || coefficient == 0.0 || (dead.is_empty() && !as_package) {
            aux.clear();
            return 0.0;
        }
        let per_row = if as_package {
            let errors = main.error.chunks_exact(d).skip(ends.len() - 1).step_by(ends.len());
            1.0 / spread(errors, d)
        } else {
            per_row
        };
        let unit = (2.0 * per_row * coefficient) as f32;
        dead::aux(aux, &state.parts, batch, (&main.error, ends.len()), (&dead, aux_k), unit);
        units[2] = unit;
        coefficient * per_row * aux.squared_error()
    }

    /// Sorts the firings by neuron, and sums the errors into the input bias's gradient.
    fn group(&mut self) {
        let m = self.options.n_neurons;
        let Passes { main, multi, aux, units } = &self.passes;
        for ((pass, &unit), groups) in
            [main, multi, aux].into_iter().zip(units).zip(&mut self.groups)
        {
            groups.fill(&pass.blocks, m, unit);
        }
        self.gradients.input_bias.clear();
        self.gradients.input_bias.resize(self.state.parts.input_bias.len(), 0.0);
        // The aux-k term has a constant for its target and no input bias of its own.
        for (pass, &unit) in [main, multi].into_iter().zip(units) {
            for block in &pass.blocks {
                axpy(&mut self.gradients.input_bias, unit, &block.error_sum);
            }
        }
    }

    /// An upper bound of the gradient's norm.
    fn bound(&self) -> f64 {
        let Passes { main, multi, aux, .. } = &self.passes;
        let errors = [main, multi, aux].map(|pass| pass.lengths.as_slice());
        let lengths = Lengths { centred: &self.batch.lengths, errors };
        let terms = terms(&self.passes, &self.groups);
        self.gradients.bound(&terms, lengths, &self.screen.neurons)
    }

    /// Fills the gradients and returns their norm.
    fn backward(&mut self) -> f64 {
        let terms = terms(&self.passes, &self.groups);
        self.gradients.all(&self.state.parts, &self.batch.centred, &terms)
    }

    /// Moves the threshold of batch top-k towards the smallest activation of the last batch.
    ///
    /// A mean with weights that fall by a hundredth per step, divided by their sum: right from the
    /// first step on, where one that starts at 0 takes hundreds (trap 5).
    pub fn learn_threshold(&mut self, losses: &Losses) {
        const SHARE: f64 = 0.01;
        if let Some(smallest) = losses.smallest {
            let state = &mut self.state;
            let steps = i32::try_from(state.adam.steps).unwrap_or(i32::MAX);
            state.smallest += SHARE * (f64::from(smallest) - state.smallest);
            let weight = 1.0 - (1.0 - SHARE).powi(steps);
            state.parts.threshold = Some((state.smallest / weight) as f32);
        }
    }

    /// Neurons that are dead by now.
    pub fn dead(&self) -> Vec<u32> {
        dead::dead(&self.state.parts.silent_rows, self.dead_after)
    }

    fn dim(&self) -> usize {
        self.state.parts.input_bias.len()
    }
}

fn terms<'a>(passes: &'a Passes, groups: &'a [Groups; 3]) -> [Term<'a>; 3] {
    let [main, multi, aux] = groups;
    [
        Term { groups: main, error: &passes.main.error },
        Term { groups: multi, error: &passes.multi.error },
        Term { groups: aux, error: &passes.aux.error },
    ]
}

/// Sum over rows of their squared distance from their mean, in `f64`.
fn spread<'a>(rows: impl Iterator<Item = &'a [f32]>, d: usize) -> f64 {
    let (mut sum, mut squares, mut n) = (vec![0.0; d], 0.0, 0.0);
    for row in rows {
        for (sum, &v) in sum.iter_mut().zip(row) {
            *sum += f64::from(v);
            squares += f64::from(v).powi(2);
        }
        n += 1.0;
    }
    squares - sum.iter().map(|s| s * s).sum::<f64>() / n
}

#[cfg(test)]
mod parity;
#[cfg(test)]
mod tests;
