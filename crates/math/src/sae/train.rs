//! The training loop: epochs of shuffled batches, early stopping, the best epoch's weights.

use super::step::Trainer;
use super::{Parts, Sae, TrainOptions, init};
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::random;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// What one pass over the training rows came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean over rows of the loss, aux-k term included, each as it stood when its batch was used.
    pub train_loss: f64,
    /// The part of it that is reconstruction: fraction of the variance unexplained.
    pub train_fvu: f64,
    /// Fraction of variance unexplained on the validation rows after the epoch, in units of the
    /// variance of the training rows.
    pub validation_fvu: Option<f64>,
    /// Neurons dead by the clock at the end of the epoch.
    pub n_dead: usize,
}

impl Epoch {
    /// What early stopping looks at: reconstruction alone (trap 3), on the validation rows if
    /// there are any.
    #[must_use]
    pub fn criterion(&self) -> f64 {
        self.validation_fvu.unwrap_or(self.train_fvu)
    }
}

/// What the observer of [`train`] is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// `done` of `steps` batches of this epoch have been used.
    Step { epoch: usize, done: usize, steps: usize },
    /// An epoch has ended.
    Epoch(&'a Epoch),
}

/// A trained autoencoder and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// As it was after the best epoch (trap 2).
    pub sae: Sae,
    /// One entry per epoch, in order.
    pub history: Vec<Epoch>,
    /// Number of the epoch whose weights were kept.
    pub best_epoch: usize,
}

/// Trains an autoencoder on the rows of `x`.
///
/// ```text
/// loss = (1 / (n variance)) sum over rows of |x_hat - x|^2 + aux_coef |W_dec' a_dead - (x - x_hat)|^2
/// ```
///
/// with the variance of all training rows, one constant (trap 1), and the aux-k term only while
/// some neuron is dead. Adam with the gradient's norm clipped; after each step the decoder's rows
/// are unit again. Training stops after `patience` epochs without a better reconstruction, and the
/// best epoch's weights are kept. The observer hears of every step and epoch, and may stop it all.
///
/// Per row about 2 m d + 16 k d operations. Batches are drawn from the random stream
/// `"sae LABEL batches"`; equal arguments give equal bits, whatever the number of threads.
///
/// # Errors
/// [`Error::Option`], [`Error::Data`], [`Error::Shape`] and [`Error::NotFinite`] for arguments out
/// of range (trap 8); [`Error::Diverged`], with epoch and step, if the loss leaves the finite
/// numbers; [`Error::Stopped`] if the observer breaks.
pub fn train(
    x: &Matrix,
    validation: Option<&Matrix>,
    options: &TrainOptions,
    observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Trained> {
    options.check_with(x, validation)?;
    let mut batches = random::stream(options.seed, &format!("sae {} batches", options.label));
    let mut trainer = Trainer::new(x, options, init::parts(x, options));
    let mut history: Vec<Epoch> = Vec::new();
    let mut best: Option<(usize, f64, Parts)> = None;
    for number in 1..=options.max_epochs {
        let order = random::permutation(x.rows(), &mut batches);
        let mut epoch = pass(&mut trainer, number, &order, options, observe)?;
        epoch.validation_fvu = validation.map(|v| trainer.parts.fvu(v));
        let criterion = epoch.criterion();
        if best.as_ref().is_none_or(|&(_, lowest, _)| criterion < lowest) {
            best = Some((number, criterion, trainer.parts.clone()));
        }
        let flow = observe(Event::Epoch(&epoch));
        history.push(epoch);
        if flow.is_break() {
            return Err(Error::Stopped);
        }
        if best.as_ref().is_some_and(|&(at, ..)| number - at >= options.patience) {
            break;
        }
    }
    let (best_epoch, _, mut parts) = best.expect("`max_epochs` is at least 1");
    if options.batch_top_k {
        parts.threshold = Some(parts.calibrate(x));
    }
    Ok(Trained { sae: Sae::from_parts(parts)?, history, best_epoch })
}

/// One pass over the rows in this order; `validation_fvu` is left open.
fn pass(
    trainer: &mut Trainer<'_>,
    epoch: usize,
    order: &[usize],
    options: &TrainOptions,
    observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Epoch> {
    let size = options.batch_size_for(order.len());
    let steps = order.len().div_ceil(size);
    let (mut train_loss, mut train_fvu) = (0.0, 0.0);
    for (done, rows) in (1..).zip(order.chunks(size)) {
        let losses = trainer.step(rows).ok_or_else(|| diverged(epoch, done, options))?;
        let share = rows.len() as f64 / order.len() as f64;
        train_loss += share * losses.total;
        train_fvu += share * losses.fvu;
        trainer.learn_threshold(&losses);
        if observe(Event::Step { epoch, done, steps }).is_break() {
            return Err(Error::Stopped);
        }
    }
    let n_dead = trainer.dead().len();
    Ok(Epoch { epoch, train_loss, train_fvu, validation_fvu: None, n_dead })
}

fn diverged(epoch: usize, step: usize, options: &TrainOptions) -> Error {
    let rate = options.learning_rate;
    Error::Diverged(format!(
        "the loss is not finite in epoch {epoch}, step {step}: lower `learning_rate` (it is \
         {rate}), or scale the embeddings to unit length"
    ))
}
