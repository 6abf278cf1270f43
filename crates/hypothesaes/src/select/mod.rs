//! Which neurons are worth wording: those that tell most about the target.
//!
//! In go the activations and the target of the discover texts, out come the chosen neurons with
//! their scores, and the scores of all neurons as the table `neurons`. Wording them comes later.

mod distinct;
mod setting;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use hypothesaes_math::moments::{Moments, moments};
use hypothesaes_math::stability::{self, Draw, Score};
use hypothesaes_math::{Activations, Error as MathError, Matrix, Setting, lasso, scores};
use serde::{Deserialize, Serialize};

use crate::data::{Covariates, Task};
use crate::options::{between, within};
use crate::signal::indicator;
use crate::{Error, Result};

/// Goes up with every change that makes equal input and options give another selection.
pub const VERSION: u32 = 2;

/// How neurons are chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectOptions {
    /// What decides: `lasso`, `correlation`, `separation` or `stability`.
    pub method: Method,
    /// How many neurons are chosen; 0 where only hypotheses of the user's own are tested.
    pub n: usize,
    /// Leave out a neuron that is more than this like one before it, by the correlation of their
    /// activations or the cosine of their decoders; by default twins are shown only.
    pub max_redundancy: Option<f64>,
    /// Half-samples of the texts in which the selection is repeated; 0: it is not.
    pub n_half_samples: usize,
}

/// What decides which neurons are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The first `n` neurons on the L1 path: together they tell most, and twins enter once.
    #[default]
    Lasso,
    /// The `n` largest correlations with the target in absolute value.
    Correlation,
    /// The `n` largest differences in mean target in absolute value.
    Separation,
    /// The `n` that the lasso selects again in most half-samples.
    Stability,
}

/// What neurons are chosen on.
#[derive(Debug, Clone, Copy)]
pub struct Discover<'a> {
    /// Rows x neurons; of pairs, the differences of their texts.
    pub z: &'a Activations,
    /// Target of every row, as the task has it.
    pub y: &'a [f64],
    pub task: &'a Task,
    pub is_paired: bool,
    pub covariates: &'a Covariates,
    /// Half-samples keep groups whole.
    pub group: Option<&'a [u32]>,
    /// The direction in which each neuron moves a reconstruction, a row each, for every autoencoder.
    pub decoders: &'a [&'a Matrix],
}

impl<'a> Discover<'a> {
    /// Texts with a target, and nothing beside.
    #[must_use]
    pub fn new(z: &'a Activations, y: &'a [f64], task: &'a Task) -> Self {
        let (covariates, group, decoders) = (Covariates::NONE, None, &[]);
        Self { z, y, task, is_paired: false, covariates, group, decoders }
    }
}

/// The chosen neurons, and what every neuron scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    pub method: Method,
    /// How many texts, or pairs, the neurons were judged on.
    pub n_texts: usize,
    /// By rank.
    pub chosen: Vec<Chosen>,
    /// One entry per neuron.
    pub neurons: Vec<Neuron>,
    /// What the user should know, such as that fewer neurons than asked for were found.
    pub messages: Vec<String>,
}

/// A chosen neuron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub neuron: usize,
    /// 1 for the best.
    pub rank: usize,
    /// What the method ranks by: lasso coefficient, correlation, separation or stability.
    pub score: f64,
    /// Mean target of the texts it fires on minus that of the others.
    pub separation: f64,
    /// Pearson correlation of activation and target.
    pub correlation: f64,
    /// The most similar neuron of a better rank, and how similar it is.
    #[serde(default)]
    pub twin: Option<Twin>,
}

/// A neuron that is like another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    pub neuron: usize,
    /// Correlation of the activations.
    pub correlation: Option<f64>,
    /// Cosine of the decoders; `None` for neurons of different autoencoders.
    pub cosine: Option<f64>,
}

/// What a neuron does on the discover texts; a score is `None` where it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    pub moments: Moments,
    pub separation: Option<f64>,
    pub correlation: Option<f64>,
    /// Of several classes, the one that the scores are about: with which it goes most.
    #[serde(default)]
    pub class: Option<String>,
    /// Coefficient at the penalty that chose, 0 if not chosen; of several classes the largest.
    /// `None` for another method.
    pub lasso: Option<f64>,
    /// Share of the half-samples in which it is selected again; `None` without them.
    #[serde(default)]
    pub stability: Option<f64>,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self { method: Method::default(), n: 20, max_redundancy: None, n_half_samples: 100 }
    }
}

impl SelectOptions {
    /// # Errors
    /// [`Error::Option`] for a value out of range; [`select`] refuses an `n` of 0.
    pub fn check(&self) -> Result<()> {
        if let Some(most) = self.max_redundancy {
            between("select.max_redundancy", most, 0.0, 1.0)?;
        }
        if self.method == Method::Stability && self.n_half_samples == 0 {
            let why = "choose at least 1: stability is the share of them that select a neuron";
            return Err(Error::option("select.n_half_samples", 0, why));
        }
        within("select.n_half_samples", self.n_half_samples, 0, 100_000)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lasso => "lasso",
            Self::Correlation => "correlation",
            Self::Separation => "separation",
            Self::Stability => "stability",
        })
    }
}

/// Chooses `options.n` neurons by what they tell of the target, the controls held constant.
///
/// A neuron that fires on no text, or on every text, has no separation and is never chosen. If
/// fewer than `n` qualify, a message says so. Ties go to the lower neuron. Controls, fixed effects
/// and strata are partialled out; rows weigh as they should; counts are those of a Poisson
/// regression, and of several classes each stands against all others.
///
/// # Errors
/// [`Error::Option`] for bad options; [`Error::Data`] if the target has one value only;
/// [`Error::Math`] if activations and target do not match.
pub fn select(discover: &Discover, seed: u64, options: &SelectOptions) -> Result<Selection> {
    options.check()?;
    if options.n == 0 {
        return Err(Error::option("select.n", 0, "choose at least 1"));
    }
    if discover.y.iter().all(|v| *v == discover.y[0]) {
        let message = "the target has one value only on the texts to discover from; \
                       there is nothing that neurons could explain";
        return Err(Error::Data(message.into()));
    }
    let mut setting = setting::of(discover)?;
    let mut neurons = scored(discover, &setting)?;
    let draw = Draw { halves: options.n_half_samples, seed, groups: discover.group };
    let ranked = match options.max_redundancy {
        None => ranked(discover, &setting, options, &draw, &mut neurons)?,
        Some(most) => distinct::ranked(most, &mut setting, |setting| {
            let ranked = ranked(discover, setting, options, &draw, &mut neurons)?;
            let alike = distinct::tables(discover, setting, &ranked.neurons())?;
            Ok((ranked, alike))
        })?,
    };
    let twins = distinct::twins(discover, &setting, &ranked.neurons())?;
    let chosen =
        ranked.order.iter().zip(1..).zip(twins).filter_map(|((&(j, score), rank), twin)| {
            let Neuron { separation, correlation, .. } = neurons[j];
            let (separation, correlation) = (separation?, correlation?);
            Some(Chosen { neuron: j, rank, score, separation, correlation, twin })
        });
    let (method, n_texts) = (options.method, discover.z.rows());
    Ok(Selection { method, n_texts, chosen: chosen.collect(), messages: ranked.messages, neurons })
}

/// Neurons with the score they are ranked by, best first, and messages.
#[derive(Debug, Clone, Default)]
struct Ranked {
    order: Vec<(usize, f64)>,
    messages: Vec<String>,
}

impl Ranked {
    fn neurons(&self) -> Vec<usize> {
        self.order.iter().map(|o| o.0).collect()
    }
}

/// Moments, separation and correlation of every neuron.
fn scored(discover: &Discover, setting: &Setting) -> Result<Vec<Neuron>> {
    let z = discover.z;
    let of = |y: &[f64], class: Option<&String>| -> Result<Vec<Neuron>> {
        let scores = scores::separation_in(z, y, None, setting)?
            .into_iter()
            .zip(scores::correlation_in(z, y, setting)?);
        let neuron = |(moments, (separation, correlation))| Neuron {
            moments,
            separation,
            correlation,
            class: class.cloned(),
            lasso: None,
            stability: None,
        };
        Ok(moments(z).into_iter().zip(scores).map(neuron).collect())
    };
    let Task::Multiclass { classes } = discover.task else {
        return of(&setting::target(discover), None);
    };
    let mut best: Vec<Neuron> = Vec::new();
    for (number, class) in classes.iter().enumerate() {
        let found = of(&indicator(discover.y, number), Some(class))?;
        if best.is_empty() {
            best = found;
            continue;
        }
        let size = |n: &Neuron| n.correlation.map_or(-1.0, f64::abs);
        for (best, found) in best.iter_mut().zip(found) {
            if size(&found) > size(best) {
                *best = found;
            }
        }
    }
    Ok(best)
}

/// The neurons by the method; coefficients and stability are written into all neurons.
fn ranked(
    discover: &Discover,
    setting: &Setting,
    options: &SelectOptions,
    draw: &Draw,
    neurons: &mut [Neuron],
) -> Result<Ranked> {
    let n = options.n;
    let score = match options.method {
        Method::Lasso | Method::Stability => {
            let found = by_lasso(discover, setting, n, draw, neurons)?;
            if options.method == Method::Lasso {
                return Ok(found);
            }
            return Ok(by_score(setting, neurons, n, |neuron| {
                neuron.stability.filter(|s| *s > 0.0)
            }));
        }
        Method::Correlation => Score::Correlation,
        Method::Separation => Score::Separation(None),
    };
    let of = |neuron: &Neuron| match options.method {
        Method::Correlation => neuron.correlation,
        _ => neuron.separation,
    };
    // Of several classes no one column of scores is drawn again.
    if draw.halves > 0 && !matches!(discover.task, Task::Multiclass { .. }) {
        let y = setting::target(discover);
        let again = stability::score(discover.z, &y, score, n, setting, draw);
        stable(neurons, again)?;
    }
    Ok(by_score(setting, neurons, n, of))
}

fn by_lasso(
    discover: &Discover,
    setting: &Setting,
    n: usize,
    draw: &Draw,
    neurons: &mut [Neuron],
) -> Result<Ranked> {
    let z = discover.z;
    let (order, message, again) = if let Task::Multiclass { .. } = discover.task {
        // Class numbers are small whole numbers.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let classes: Vec<u32> = discover.y.iter().map(|y| *y as u32).collect();
        let found = lasso::select_classes(z, &classes, n, setting)?;
        let again =
            (draw.halves > 0).then(|| stability::lasso_classes(z, &classes, &found, setting, draw));
        let largest = |(j, c): (usize, Vec<f64>)| {
            (j, c.into_iter().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a }))
        };
        (found.coefficients.into_iter().map(largest).collect(), found.message, again)
    } else {
        let (y, loss) = (discover.y, setting::loss(discover.task));
        let found = lasso::select_in(z, y, loss, n, setting)?;
        let again = (draw.halves > 0).then(|| stability::lasso(z, y, loss, &found, setting, draw));
        (found.coefficients, found.message, again)
    };
    let order: Vec<(usize, f64)> = order;
    for neuron in neurons.iter_mut() {
        neuron.lasso = Some(0.0);
    }
    for &(j, coefficient) in &order {
        neurons[j].lasso = Some(coefficient);
    }
    if let Some(again) = again {
        stable(neurons, again)?;
    }
    Ok(Ranked { order, messages: message.into_iter().collect() })
}

/// Writes the stability into the neurons; half-samples that cannot be drawn leave it open.
fn stable(
    neurons: &mut [Neuron],
    again: hypothesaes_math::Result<stability::Stability>,
) -> Result<()> {
    match again {
        Err(MathError::Data(_)) => Ok(()),
        found => {
            let share = found?.share;
            neurons.iter_mut().zip(share).for_each(|(n, share)| n.stability = Some(share));
            Ok(())
        }
    }
}

fn by_score(
    setting: &Setting,
    neurons: &[Neuron],
    n: usize,
    score: impl Fn(&Neuron) -> Option<f64>,
) -> Ranked {
    let eligible = |neuron: &Neuron| neuron.separation.is_some() && neuron.correlation.is_some();
    let mut order: Vec<(usize, f64)> = neurons
        .iter()
        .enumerate()
        .filter(|(j, neuron)| eligible(neuron) && !setting.excluded.contains(j))
        .filter_map(|(j, neuron)| Some((j, score(neuron)?)))
        .collect();
    order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    order.truncate(n);
    let found = order.len();
    let short = (found < n).then(|| {
        format!(
            "{found} neurons selected instead of {n}: \
             only {found} neurons fire on some texts but not on all"
        )
    });
    Ranked { order, messages: short.into_iter().collect() }
}
