//! Which hypotheses hold on texts they were not found on.
//!
//! In go one column of annotations per hypothesis over the held-out texts, and their target; out
//! come the effect of every hypothesis by itself and beside the others, with its evidence, and how
//! well all of them together predict. Missing annotations are left out and counted. Wordings and
//! fidelity belong to the caller, who hands them to the tables.

mod joint;
mod models;
mod single;
mod table;
#[cfg(test)]
mod tests;

pub use table::Wording;

use hypothesaes_math::metrics::Measure;
use hypothesaes_math::multiplicity::{benjamini_hochberg, bonferroni, holm};
use hypothesaes_math::regression::Variance;
use hypothesaes_math::{Error as MathError, Estimate, Level};
use serde::{Deserialize, Serialize};

use crate::data::Task;
use crate::options::{between, within};
use crate::{Error, Result};

/// Goes up with every change that makes equal input and options give another evaluation.
pub const VERSION: u32 = 3;

/// How hypotheses are tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateOptions {
    /// A hypothesis holds if the Holm-adjusted p-value of its separation is below this.
    pub alpha: f64,
    /// Coverage of every interval.
    pub conf_level: f64,
    /// Folds of the cross-fitted R2 or AUC; fewer if there are too few texts.
    pub n_folds: usize,
    /// Hypotheses whose annotations correlate (phi) above this count as one.
    pub duplicate_phi: f64,
}

/// What the held-out texts say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub model: Model,
    pub options: EvaluateOptions,
    /// Held-out texts.
    pub n: usize,
    /// Texts the joint model is fitted on: those with an annotation for every fitted hypothesis.
    pub n_joint: usize,
    /// How many hypotheses hold.
    pub n_hold: usize,
    /// How many of these hold beside all others too: the Holm-adjusted p-value of the joint effect
    /// is below `alpha` as well.
    pub n_hold_jointly: usize,
    /// One per column, in order.
    pub hypotheses: Vec<Tested>,
    /// Intercept of the joint model.
    pub intercept: Option<Effect>,
    /// How well all hypotheses together predict; empty if none could be fitted.
    pub models: Vec<Together>,
    /// Every pair of hypotheses once.
    pub overlap: Vec<Overlap>,
    /// What the user should know.
    pub messages: Vec<String>,
}

/// The joint regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Least squares, for a continuous target; effects in its unit.
    Ols,
    /// Logistic regression, for a binary target; effects in log-odds.
    Logit,
}

/// A hypothesis with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Such as `H01`.
    pub id: String,
    pub status: Status,
    /// `higher` or `lower`, or the class that goes with the concept.
    pub direction: Option<String>,
    /// Texts with an annotation: yes and no together.
    pub n: usize,
    pub n_present: usize,
    pub n_absent: usize,
    pub n_missing: usize,
    /// Share of the annotated texts that have the concept.
    pub prevalence: Option<f64>,
    /// Mean target of the texts with the concept, and of those without.
    pub mean_present: Option<f64>,
    pub mean_absent: Option<f64>,
    /// Their difference, in the unit of the target: what a hypothesis claims, and is tested on.
    pub separation: Option<Effect>,
    /// Coefficient beside all other hypotheses.
    pub joint: Option<Effect>,
    /// The hypothesis that stands for this one, which says nearly the same.
    #[serde(default)]
    pub duplicate_of: Option<String>,
    /// What to know before reading the numbers.
    pub warning: Option<String>,
}

/// What became of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Holds,
    DoesNotHold,
    /// True of all annotated texts or of none.
    Constant,
    /// Says the same of every text as another, or the opposite.
    Aliased,
    /// Says nearly the same as another, which stands for it.
    Duplicate,
    /// The data cannot answer; the warning or a message says why.
    Untested,
}

/// An estimate with its p-value adjusted for all hypotheses of the same kind of test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    pub estimate: Estimate,
    pub p_holm: Option<f64>,
    pub p_bh: Option<f64>,
    pub p_bonferroni: Option<f64>,
    /// Texts it rests on.
    pub n: usize,
    /// Where test and interval come from.
    pub source: Option<Source>,
    /// Both standard errors of a joint effect, whichever is used.
    pub std_error_hc3: Option<f64>,
    pub std_error_classical: Option<f64>,
}

/// Where a test and an interval come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Welch's t.
    Welch,
    /// Student's t, whose error is larger than Welch's.
    Pooled,
    /// Newcombe's hybrid score interval, Fisher's exact test.
    Newcombe,
    Hc3,
    Classical,
    Profile,
}

/// How well all fitted hypotheses together predict the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Together {
    pub fit: FitKind,
    pub metric: Metric,
    pub measure: Option<Measure>,
    pub n: usize,
    /// Fitted hypotheses, the intercept not counted.
    pub n_terms: usize,
    /// Folds, if cross-fitted.
    pub n_folds: Option<usize>,
}

/// Whose predictions are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitKind {
    /// Each text is predicted by a model fitted without it.
    CrossFitted,
    /// The texts the model was fitted on: too favourable.
    InSample,
}

/// The measure that goes with the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    RSquared,
    Auc,
}

/// How far two hypotheses are true of the same texts, over those annotated for both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    pub id_1: String,
    pub id_2: String,
    /// Correlation of the two columns; `None` if one is constant.
    pub phi: Option<f64>,
    /// Texts with both among texts with either; `None` if there are none.
    pub jaccard: Option<f64>,
    pub n_both: usize,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self { alpha: 0.05, conf_level: 0.95, n_folds: 10, duplicate_phi: 0.8 }
    }
}

impl EvaluateOptions {
    /// # Errors
    /// [`Error::Option`] for a value out of range.
    pub fn check(&self) -> Result<()> {
        for (name, value) in
            [("evaluate.alpha", self.alpha), ("evaluate.conf_level", self.conf_level)]
        {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::option(name, value, "choose a value above 0 and below 1"));
            }
        }
        between("evaluate.duplicate_phi", self.duplicate_phi, 0.0, 1.0)?;
        within("evaluate.n_folds", self.n_folds, 2, usize::MAX)
    }
}

/// One column of annotations per hypothesis; `None` is a missing one.
pub type Annotations = [Vec<Option<bool>>];

/// Tests every column of `annotations` on the held-out texts whose target is `y`.
///
/// Each hypothesis by itself, as [`hypothesaes_math::means`] or
/// [`hypothesaes_math::proportions`] have it: this is what it claims, and decides whether it holds.
/// All together: least squares or a logit as [`hypothesaes_math::regression::infer`] has them,
/// without the columns that are constant, that earlier ones make up, or that nearly repeat one, and cross-fitted in folds
/// drawn by `seed`. Hypotheses that overlap share their effect in it, so that several which hold
/// can all be uncertain there. p-values are adjusted over the hypotheses that have one. Held-out
/// data that cannot answer (one class, too few texts, nothing annotated) leave hypotheses untested
/// and say so.
///
/// # Errors
/// [`Error::Option`] for bad options; [`Error::Data`] without held-out texts; [`Error::Math`] if a
/// column does not have one entry per text, the target is not finite, or a fit fails.
pub fn evaluate(
    annotations: &Annotations,
    y: &[f64],
    task: &Task,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    options.check()?;
    if y.is_empty() {
        return Err(Error::Data("there are no held-out texts to test hypotheses on".into()));
    }
    MathError::check_finite("y", y)?;
    for column in annotations {
        MathError::check_len("annotations", column.len(), y.len())?;
    }
    let level = Level::new(options.conf_level)?;
    let joint = joint::fit(annotations, y, task, level, options.duplicate_phi)?;
    let mut hypotheses: Vec<Tested> = annotations
        .iter()
        .enumerate()
        .map(|(j, column)| single::test(j, column, y, task, level))
        .collect();
    adjust(&mut hypotheses, |tested| tested.separation.as_mut());
    joint.fill(&mut hypotheses);
    if y.iter().any(|v| *v != y[0]) {
        for tested in &mut hypotheses {
            tested.decide(options.alpha);
        }
    }
    let models = models::together(&joint, seed, options)?;
    Ok(Evaluation {
        model: joint.model,
        options: options.clone(),
        n: y.len(),
        n_joint: joint.y.len(),
        n_hold: hypotheses.iter().filter(|t| t.status == Status::Holds).count(),
        n_hold_jointly: hypotheses.iter().filter(|t| t.holds_jointly(options.alpha)).count(),
        overlap: single::overlap(annotations, &hypotheses),
        intercept: joint.intercept(),
        models,
        messages: joint.messages,
        hypotheses,
    })
}

/// Adjusts the p-values of one effect of every hypothesis.
fn adjust(hypotheses: &mut [Tested], effect: impl Fn(&mut Tested) -> Option<&mut Effect>) {
    let p: Vec<Option<f64>> =
        hypotheses.iter_mut().map(|t| effect(t).and_then(|e| e.estimate.p_value)).collect();
    let adjusted = holm(&p).into_iter().zip(benjamini_hochberg(&p)).zip(bonferroni(&p));
    for (tested, ((holm, bh), bonferroni)) in hypotheses.iter_mut().zip(adjusted) {
        if let Some(effect) = effect(tested) {
            (effect.p_holm, effect.p_bh, effect.p_bonferroni) = (holm, bh, bonferroni);
        }
    }
}

impl Effect {
    /// Not adjusted yet.
    fn new(estimate: Estimate, n: usize, source: Option<Source>) -> Self {
        let none = None;
        Self {
            estimate,
            p_holm: none,
            p_bh: none,
            p_bonferroni: none,
            n,
            source,
            std_error_hc3: none,
            std_error_classical: none,
        }
    }
}

impl From<Variance> for Source {
    fn from(variance: Variance) -> Self {
        match variance {
            Variance::Hc3 => Self::Hc3,
            Variance::Classical => Self::Classical,
            Variance::Profile => Self::Profile,
        }
    }
}

impl Tested {
    /// The status of what has not been set aside.
    fn decide(&mut self, alpha: f64) {
        let Some(p) = self.separation.and_then(|effect| effect.p_holm) else { return };
        if self.status == Status::Untested {
            self.status = if p < alpha { Status::Holds } else { Status::DoesNotHold };
        }
    }

    /// Whether it holds, and its effect beside the others is certain at `alpha` as well.
    fn holds_jointly(&self, alpha: f64) -> bool {
        let p = self.joint.and_then(|effect| effect.p_holm);
        self.status == Status::Holds && p.is_some_and(|p| p < alpha)
    }

    /// Adds a sentence to the warning.
    fn warn(&mut self, text: &str) {
        self.warning = Some(match self.warning.take() {
            Some(warning) => format!("{warning}; {text}"),
            None => text.to_owned(),
        });
    }
}

/// `H01` for the first of the hypotheses.
#[must_use]
pub fn hypothesis_id(index: usize) -> String {
    format!("H{:02}", index + 1)
}

/// What goes with the concept if its effect has this sign.
fn direction(effect: f64, task: &Task) -> Option<String> {
    let (up, down) = match task {
        Task::Binary { positive, negative } => (positive.as_str(), negative.as_str()),
        _ => ("higher", "lower"),
    };
    match effect {
        e if e > 0.0 => Some(up.to_owned()),
        e if e < 0.0 => Some(down.to_owned()),
        _ => None,
    }
}
