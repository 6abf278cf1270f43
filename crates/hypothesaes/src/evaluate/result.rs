//! What an evaluation says.

use hypothesaes_math::Estimate;
use hypothesaes_math::means::Spreads;
use hypothesaes_math::regression::Variance;
use serde::{Deserialize, Serialize};

use super::{Curve, EvaluateOptions};

/// What the held-out texts say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub model: Model,
    pub options: EvaluateOptions,
    /// Held-out texts, or pairs of them.
    pub n: usize,
    #[serde(default)]
    pub is_paired: bool,
    /// Whether counts have an exposure: means and separations are then rates, per unit of it, and
    /// marginal effects are counts of a row.
    #[serde(default)]
    pub has_exposure: bool,
    /// Groups, of which each is one cluster.
    pub n_groups: Option<usize>,
    /// Texts the joint model is fitted on: those with an annotation for every fitted hypothesis.
    pub n_joint: usize,
    /// How many hypotheses hold; with several classes, about at least one of them.
    pub n_hold: usize,
    /// How many of these hold beside all others too: the Holm-adjusted p-value of the joint effect
    /// is below `alpha` as well.
    pub n_hold_jointly: usize,
    /// One per hypothesis, in order; with several classes, class by class.
    pub hypotheses: Vec<Tested>,
    /// Intercept of the joint model of each class, where it has one.
    pub intercepts: Vec<Intercept>,
    /// How well all hypotheses together predict, and what else does.
    pub models: Vec<Together>,
    /// How the predictions of all hypotheses together compare with the target, class by class.
    #[serde(default)]
    pub curves: Vec<Curve>,
    /// Every hypothesis within every stratum.
    pub strata: Vec<Within>,
    /// Every pair of hypotheses once.
    pub overlap: Vec<Overlap>,
    /// What the user should know.
    pub messages: Vec<String>,
}

/// The joint regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Least squares, for a continuous target; effects in its unit.
    Ols,
    /// Logistic regression, for classes; effects in log-odds.
    Logit,
    /// Least squares of 0 and 1 beside absorbed fixed effects; effects are shares.
    LinearProbability,
    /// Poisson regression, for counts; effects in logs.
    Poisson,
    /// The same with a variance of its own.
    NegativeBinomial,
    /// Proportional odds, for levels; effects in log-odds.
    Ordinal,
}

/// A hypothesis with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Such as `H01`.
    pub id: String,
    /// Of several classes, the one that is set against all others.
    #[serde(default)]
    pub class: Option<String>,
    pub status: Status,
    /// `higher` or `lower`, or the class that goes with the concept.
    pub direction: Option<String>,
    /// Texts with an annotation: yes and no together. Of pairs, those with both.
    pub n: usize,
    /// Texts with the concept; of pairs, those with it in one text alone.
    pub n_present: usize,
    pub n_absent: usize,
    pub n_missing: usize,
    /// Share of the annotated texts that have the concept.
    pub prevalence: Option<f64>,
    /// Mean target of the texts with the concept, and of those without. Of pairs with it in one text
    /// alone, the share that this text wins.
    pub mean_present: Option<f64>,
    pub mean_absent: Option<f64>,
    /// Their difference, in the unit of the target: what a hypothesis claims. Of pairs, the share of
    /// wins minus that of losses.
    pub separation: Option<Effect>,
    /// With groups: the same as if texts of a group were independent.
    #[serde(default)]
    pub unclustered: Option<Effect>,
    /// The separation beside the controls, if there are any: what is then tested.
    #[serde(default)]
    pub adjusted: Option<Effect>,
    /// Coefficient beside all other hypotheses.
    pub joint: Option<Effect>,
    /// What that means for the mean of the target, in its unit, on average.
    #[serde(default)]
    pub marginal: Option<Estimate>,
    /// The coefficient per standard deviation of the concept and, in least squares, of the target.
    #[serde(default)]
    pub standardised: Option<f64>,
    /// What R2, AUC or explained deviance of the joint model lose without the hypothesis.
    #[serde(default)]
    pub change: Option<f64>,
    /// Whether one number of the proportional odds is enough for all levels.
    #[serde(default)]
    pub p_proportional: Option<f64>,
    /// The smallest separation that would have been found with the chance of `evaluate.power`.
    #[serde(default)]
    pub detectable: Option<f64>,
    /// How the separation differs between strata.
    #[serde(default)]
    pub interaction: Option<Interaction>,
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
    /// Says the same of every text as another, or the opposite, or follows from the controls.
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
    #[serde(default)]
    pub p_by: Option<f64>,
    pub p_bonferroni: Option<f64>,
    /// Texts it rests on.
    pub n: usize,
    /// Where test and interval come from.
    pub source: Option<Source>,
    /// Both standard errors of a regression, whichever is used: the robust one (HC3, or by group) and
    /// the one that trusts the model.
    #[serde(default)]
    pub std_error_robust: Option<f64>,
    pub std_error_hc3: Option<f64>,
    pub std_error_classical: Option<f64>,
}

/// Where a test and an interval come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Welch's t.
    Welch,
    /// Student's t, whose error is larger than Welch's.
    Pooled,
    /// Newcombe's hybrid score interval, Fisher's exact test with mid-p.
    Newcombe,
    /// Wilson's score interval, the binomial test with mid-p.
    Binomial,
    /// The sandwich of proportional odds, by group if there are any.
    Sandwich,
    /// A regression.
    #[serde(untagged)]
    Regression(Variance),
}

/// The intercept of a joint model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intercept {
    pub class: Option<String>,
    pub effect: Effect,
}

/// How well something predicts the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Together {
    pub class: Option<String>,
    pub predictors: Predictors,
    pub fit: FitKind,
    pub metric: Metric,
    pub measure: Option<Estimate>,
    /// The metric of what knows the mean alone.
    pub null: Option<f64>,
    pub n: usize,
    /// Columns of the model, the intercept not counted.
    pub n_terms: usize,
    /// Folds, if cross-fitted.
    pub n_folds: Option<usize>,
}

/// What predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predictors {
    /// The hypotheses, with the controls if there are any.
    Hypotheses,
    /// The controls alone.
    Controls,
    /// How strongly the neurons fire that the hypotheses word, with the controls.
    Neurons,
    /// All of the embeddings, by ridge regression: what can be known from the texts at most.
    Embeddings,
}

/// Whose predictions are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitKind {
    /// Each text is predicted by a model fitted without its group.
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
    LogLoss,
    /// Share of the Poisson deviance that is explained.
    Deviance,
    /// Share of pairs of texts with unequal targets that are in order.
    Concordance,
}

/// A hypothesis within a stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Within {
    pub id: String,
    pub class: Option<String>,
    pub stratum: String,
    pub n: usize,
    pub n_present: usize,
    pub separation: Option<Effect>,
}

/// How an effect differs between strata.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Whether the effects are equal.
    pub p_value: Option<f64>,
    pub p_holm: Option<f64>,
    /// Whether all of them have one sign.
    pub p_reversal: Option<f64>,
    pub p_reversal_holm: Option<f64>,
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

impl Metric {
    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::RSquared => "R2",
            Self::Auc => "AUC",
            Self::LogLoss => "log-loss",
            Self::Deviance => "explained deviance",
            Self::Concordance => "concordance",
        }
    }
}

impl Together {
    /// Whether this is what all hypotheses together come to, by the measure that comes first.
    #[must_use]
    pub fn is_main(&self) -> bool {
        let first = !matches!(self.metric, Metric::LogLoss | Metric::Concordance);
        first && self.predictors == Predictors::Hypotheses
    }
}

impl Model {
    /// Whether effects are logs of odds.
    #[must_use]
    pub fn has_odds(self) -> bool {
        matches!(self, Self::Logit | Self::Ordinal)
    }
}

impl Effect {
    /// Not adjusted yet.
    pub(super) fn new(estimate: Estimate, n: usize, source: Option<Source>) -> Self {
        let none = None;
        Self {
            estimate,
            p_holm: none,
            p_bh: none,
            p_by: none,
            p_bonferroni: none,
            n,
            source,
            std_error_robust: none,
            std_error_hc3: none,
            std_error_classical: none,
        }
    }
}

impl From<Variance> for Source {
    fn from(variance: Variance) -> Self {
        Self::Regression(variance)
    }
}

impl From<Spreads> for Source {
    fn from(spreads: Spreads) -> Self {
        match spreads {
            Spreads::Own => Self::Welch,
            Spreads::Common => Self::Pooled,
        }
    }
}

impl Tested {
    /// What the hypothesis claims: its separation, beside the controls if there are any.
    #[must_use]
    pub fn claim(&self) -> Option<&Effect> {
        self.adjusted.as_ref().or(self.separation.as_ref())
    }

    /// The status of what has not been set aside.
    pub(super) fn decide(&mut self, alpha: f64) {
        let Some(p) = self.claim().and_then(|effect| effect.p_holm) else { return };
        if self.status == Status::Untested {
            self.status = if p < alpha { Status::Holds } else { Status::DoesNotHold };
        }
    }

    /// Whether it holds, and its effect beside the others is certain at `alpha` as well.
    pub(super) fn holds_jointly(&self, alpha: f64) -> bool {
        let p = self.joint.and_then(|effect| effect.p_holm);
        self.status == Status::Holds && p.is_some_and(|p| p < alpha)
    }

    /// Adds a sentence to the warning.
    pub(super) fn warn(&mut self, text: &str) {
        self.warning = Some(match self.warning.take() {
            Some(warning) => format!("{warning}; {text}"),
            None => text.to_owned(),
        });
    }
}
