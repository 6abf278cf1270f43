//! Which neurons are worth wording: those that tell most about the target.
//!
//! In go the activations and the target of the discover texts, out come the chosen neurons with
//! their scores, and the scores of all neurons as the table `neurons`. Wording them comes later.

mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use hypothesaes_math::moments::{Moments, moments};
use hypothesaes_math::{Activations, lasso, scores};
use serde::{Deserialize, Serialize};

use crate::data::Task;
use crate::{Error, Result};

/// Goes up with every change that makes equal input and options give another selection.
pub const VERSION: u32 = 1;

/// How neurons are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectOptions {
    /// What decides: `lasso`, `correlation` or `separation`.
    pub method: Method,
    /// How many neurons are chosen.
    pub n: usize,
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
}

/// The chosen neurons, and what every neuron scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    pub method: Method,
    /// How many texts the neurons were judged on.
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
    /// What the method ranks by: lasso coefficient, correlation or separation.
    pub score: f64,
    /// Mean target of the texts it fires on minus that of the others.
    pub separation: f64,
    /// Pearson correlation of activation and target.
    pub correlation: f64,
}

/// What a neuron does on the discover texts; a score is `None` where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    pub moments: Moments,
    pub separation: Option<f64>,
    pub correlation: Option<f64>,
    /// Coefficient at the penalty that chose, 0 if not chosen; `None` for another method.
    pub lasso: Option<f64>,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self { method: Method::default(), n: 20 }
    }
}

impl SelectOptions {
    /// # Errors
    /// [`Error::Option`] if `n` is 0.
    pub fn check(&self) -> Result<()> {
        match self.n {
            0 => Err(Error::option("select.n", 0, "choose at least 1")),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lasso => "lasso",
            Self::Correlation => "correlation",
            Self::Separation => "separation",
        })
    }
}

/// Chooses `options.n` neurons of `z` by what they tell of `y`.
///
/// A neuron that fires on no text, or on every text, has no separation and is never chosen. If
/// fewer than `n` qualify, a message says so. Ties go to the lower neuron.
///
/// # Errors
/// [`Error::Option`] for bad options; [`Error::Data`] if `y` has one value only;
/// [`Error::Math`] if `z` and `y` do not match.
pub fn select(
    z: &Activations,
    y: &[f64],
    task: &Task,
    options: &SelectOptions,
) -> Result<Selection> {
    options.check()?;
    if y.iter().all(|v| *v == y[0]) {
        let message = "the target has one value only on the texts to discover from; \
                       there is nothing that neurons could explain";
        return Err(Error::Data(message.into()));
    }
    let mut neurons = scored(z, y)?;
    let (ranked, messages) = match options.method {
        Method::Lasso => by_lasso(z, y, task, options.n, &mut neurons)?,
        Method::Correlation => by_score(&neurons, options.n, |neuron| neuron.correlation),
        Method::Separation => by_score(&neurons, options.n, |neuron| neuron.separation),
    };
    let chosen = ranked.into_iter().zip(1..).filter_map(|((neuron, score), rank)| {
        let Neuron { separation, correlation, .. } = neurons[neuron];
        Some(Chosen { neuron, rank, score, separation: separation?, correlation: correlation? })
    });
    let (method, n_texts) = (options.method, z.rows());
    Ok(Selection { method, n_texts, chosen: chosen.collect(), neurons, messages })
}

/// Neurons with the score they are ranked by, best first, and messages.
type Ranked = (Vec<(usize, f64)>, Vec<String>);

fn scored(z: &Activations, y: &[f64]) -> Result<Vec<Neuron>> {
    let (separation, correlation) = (scores::separation(z, y, None)?, scores::correlation(z, y)?);
    let scores = separation.into_iter().zip(correlation);
    let neuron = |(moments, (separation, correlation))| Neuron {
        moments,
        separation,
        correlation,
        lasso: None,
    };
    Ok(moments(z).into_iter().zip(scores).map(neuron).collect())
}

fn by_lasso(
    z: &Activations,
    y: &[f64],
    task: &Task,
    n: usize,
    neurons: &mut [Neuron],
) -> Result<Ranked> {
    let loss = match task {
        Task::Binary { .. } | Task::Multiclass { .. } => lasso::Loss::Logistic,
        Task::Continuous | Task::Count | Task::Ordinal { .. } => lasso::Loss::Squared,
    };
    let found = lasso::select(z, y, loss, n)?;
    for neuron in neurons.iter_mut() {
        neuron.lasso = Some(0.0);
    }
    for &(j, coefficient) in &found.coefficients {
        neurons[j].lasso = Some(coefficient);
    }
    Ok((found.coefficients, found.message.into_iter().collect()))
}

fn by_score(neurons: &[Neuron], n: usize, score: impl Fn(&Neuron) -> Option<f64>) -> Ranked {
    let eligible = |neuron: &Neuron| neuron.separation.is_some() && neuron.correlation.is_some();
    let mut ranked: Vec<(usize, f64)> = neurons
        .iter()
        .enumerate()
        .filter(|(_, neuron)| eligible(neuron))
        .filter_map(|(j, neuron)| Some((j, score(neuron)?)))
        .collect();
    ranked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    ranked.truncate(n);
    let found = ranked.len();
    let short = (found < n).then(|| {
        format!(
            "{found} neurons selected instead of {n}: \
             only {found} neurons fire on some texts but not on all"
        )
    });
    (ranked, short.into_iter().collect())
}
