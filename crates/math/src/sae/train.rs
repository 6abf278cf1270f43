//! The training loop: epochs of shuffled batches, early stopping, the best epoch's weights.

use super::state::State;
use super::step::Trainer;
use super::{Sae, TrainOptions, init, order};
use crate::error::{Error, Result};
use crate::random;
use crate::rows::{Rows, by_block, check_block, fetch_all};
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

/// What the observer of [`train`] is told; `sae` is the autoencoder's place among the options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// `done` of `steps` batches of this epoch have been used.
    Step { sae: usize, epoch: usize, done: usize, steps: usize },
    /// An epoch has ended, the last in the state's history; training can go on from the state.
    Epoch { sae: usize, state: &'a State },
}

/// A trained autoencoder and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    pub sae: Sae,
    /// One entry per epoch.
    pub history: Vec<Epoch>,
    /// Number of the epoch whose weights were kept, from 1.
    pub best_epoch: usize,
}

/// The observer of a training.
pub type Observer<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'a;

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
/// Per row about 2 m d operations in 8 bits and 16 k d in full. Rows come in the order of the
/// random streams `"sae batches EPOCH"`; equal arguments give equal bits, whatever the number of
/// threads, and whether the rows lie in memory or are read from a file.
///
/// # Errors
/// [`Error::Option`], [`Error::Data`], [`Error::Shape`] and [`Error::NotFinite`] for arguments out
/// of range (trap 8); [`Error::Diverged`], with epoch and step, if the loss leaves the finite
/// numbers; [`Error::Stopped`] if the observer breaks; [`Error::Unreadable`].
pub fn train(
    x: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &TrainOptions,
    observe: &mut Observer<'_>,
) -> Result<Trained> {
    let mut trained = train_all(x, validation, std::slice::from_ref(options), vec![None], observe)?;
    Ok(trained.remove(0))
}

/// Trains several autoencoders from one reading of the rows per epoch; each becomes what it would
/// have become alone. All see the rows in the order of the first one's seed.
///
/// `states`: one entry per autoencoder, `Some` to go on from there.
///
/// # Errors
/// As [`train`], and as [`State::check`] for a state that does not fit.
pub fn train_all(
    x: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &[TrainOptions],
    states: Vec<Option<State>>,
    observe: &mut Observer<'_>,
) -> Result<Vec<Trained>> {
    Error::check_len("states", states.len(), options.len())?;
    let mut run = Run::new(x, validation, options, states)?;
    let mut epoch = 1;
    while run.learners.iter().any(|l| !l.is_finished()) {
        run.epoch(epoch, observe)?;
        epoch += 1;
    }
    run.learners.into_iter().map(|learner| learner.finish(x)).collect()
}

/// A training under way.
struct Run<'a> {
    x: &'a dyn Rows,
    validation: Option<&'a dyn Rows>,
    seed: u64,
    learners: Vec<Learner<'a>>,
    /// Where rows are read to.
    buffers: Vec<Vec<f32>>,
}

/// An autoencoder under way.
struct Learner<'a> {
    /// Place among the options.
    sae: usize,
    trainer: Trainer<'a>,
    /// Steps per epoch.
    steps: usize,
    /// Of the epoch under way.
    done: usize,
    train_loss: f64,
    train_fvu: f64,
}

impl<'a> Run<'a> {
    fn new(
        x: &'a dyn Rows,
        validation: Option<&'a dyn Rows>,
        options: &'a [TrainOptions],
        states: Vec<Option<State>>,
    ) -> Result<Self> {
        options.iter().try_for_each(|options| options.check_with(x, validation))?;
        if let Some(validation) = validation {
            let all = 0..validation.n_rows();
            by_block(
                validation,
                all,
                || (),
                |(), at, rows| check_block("validation embeddings", at, rows),
            )?;
        }
        let seed = options.first().map_or(0, |o| o.seed);
        let centre = init::Centre::of(x, seed)?;
        let (n, d) = (x.n_rows(), x.dim());
        let mut learners = Vec::new();
        for (sae, (options, state)) in options.iter().zip(states).enumerate() {
            let state = match state {
                Some(state) => state.check(options, d).map(|()| state)?,
                None => State::new(init::parts(x, &centre, options)?),
            };
            let steps = order::steps(n, d, options);
            let trainer = Trainer::new(options, state, n, steps * options.max_epochs);
            let (done, train_loss, train_fvu) = (0, 0.0, 0.0);
            learners.push(Learner { sae, trainer, steps, done, train_loss, train_fvu });
        }
        Ok(Self { x, validation, seed, learners, buffers: Vec::new() })
    }

    /// One pass over the rows for those who have not made it yet.
    fn epoch(&mut self, epoch: usize, observe: &mut Observer<'_>) -> Result<()> {
        let due = |l: &&mut Learner| l.history().len() + 1 == epoch && !l.is_finished();
        let mut due: Vec<&mut Learner> = self.learners.iter_mut().filter(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let (n, mut stream) = (self.x.n_rows(), order::stream(self.seed, epoch));
        for window in order::windows(n, self.x.dim(), &mut stream) {
            let rows = fetch_all(self.x, &window, &mut self.buffers)?;
            let order = random::permutation(rows.len(), &mut stream);
            let rows: Vec<&[f32]> = order.into_iter().map(|at| rows[at]).collect();
            for learner in &mut due {
                learner.learn(&rows, n, observe)?;
            }
        }
        due.into_iter().try_for_each(|learner| learner.end(self.validation, observe))
    }
}

impl Learner<'_> {
    fn history(&self) -> &[Epoch] {
        &self.trainer.state.history
    }

    fn is_finished(&self) -> bool {
        self.trainer.state.is_finished(self.trainer.options)
    }

    /// Steps on the rows of a window, of `n` in all.
    fn learn(&mut self, rows: &[&[f32]], n: usize, observe: &mut Observer<'_>) -> Result<()> {
        let (sae, epoch, steps) = (self.sae, self.history().len() + 1, self.steps);
        for batch in rows.chunks(self.trainer.options.batch_size_for(rows.len())) {
            self.done += 1;
            let losses = self.trainer.step(batch).ok_or_else(|| self.diverged())?;
            let share = batch.len() as f64 / n as f64;
            self.train_loss += share * losses.total;
            self.train_fvu += share * losses.fvu;
            self.trainer.learn_threshold(&losses);
            if observe(Event::Step { sae, epoch, done: self.done, steps }).is_break() {
                return Err(Error::Stopped);
            }
        }
        Ok(())
    }

    /// Ends the epoch: validation, the best so far.
    fn end(&mut self, validation: Option<&dyn Rows>, observe: &mut Observer<'_>) -> Result<()> {
        let Trainer { state, screen, .. } = &self.trainer;
        let validation_fvu = validation.map(|v| state.parts.fvu(screen, v)).transpose()?;
        let epoch = Epoch {
            epoch: state.history.len() + 1,
            train_loss: std::mem::take(&mut self.train_loss),
            train_fvu: std::mem::take(&mut self.train_fvu),
            validation_fvu,
            n_dead: self.trainer.dead().len(),
        };
        self.done = 0;
        self.trainer.state.push(epoch);
        let flow = observe(Event::Epoch { sae: self.sae, state: &self.trainer.state });
        if flow.is_break() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// The best epoch's weights, with the threshold that goes with them.
    fn finish(self, x: &dyn Rows) -> Result<Trained> {
        let State { best: mut parts, history, best_epoch, .. } = self.trainer.state;
        if self.trainer.options.batch_top_k {
            parts.threshold = Some(parts.calibrate(x)?);
        }
        Ok(Trained { sae: Sae::from_parts(parts)?, history, best_epoch })
    }

    fn diverged(&self) -> Error {
        let (epoch, step) = (self.history().len() + 1, self.done);
        let rate = self.trainer.options.learning_rate;
        Error::Diverged(format!(
            "the loss is not finite in epoch {epoch}, step {step}: lower `learning_rate` (it is \
             {rate}), or scale the embeddings to unit length"
        ))
    }
}
