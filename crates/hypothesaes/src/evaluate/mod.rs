//! Which hypotheses hold on texts they were not found on.
//!
//! In go one column of annotations per hypothesis over the held-out texts, with their target and what
//! stands beside it; out come the effect of every hypothesis by itself and beside the others, with
//! its evidence, and how well all of them together predict. Missing annotations are left out and
//! counted. Wordings and fidelity belong to the caller, who hands them to the tables.
//!
//! The parts: `sample` (rows as numbers), `target` (what is explained), `answered` and `single` (each hypothesis by
//! itself), `layout` (which can stand beside each other), `joint` (all in one regression), `strata`,
//! `predict`, `curve`, `overlap`, `correct` (for the errors of the annotator).

mod answered;
mod correct;
mod curve;
mod joint;
mod layout;
mod overlap;
mod power;
mod predict;
mod result;
mod sample;
mod single;
mod strata;
pub(crate) mod table;
mod target;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use correct::{Corrected, Correction, Gold, correct};
pub use curve::{Bin, Curve, deciles_table, roc_table};
pub use predict::{Baselines, Embeddings};
pub use result::{
    Effect, Evaluation, FitKind, Interaction, Intercept, Metric, Model, Overlap, Predictors,
    Source, Status, Tested, Together, Within,
};
pub use sample::Heldout;
pub use table::Wording;

use hypothesaes_math::Level;
use hypothesaes_math::multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::options::{between, within};
use crate::{Error, Result};
use layout::Layout;
use sample::Sample;
use target::Target;

/// Goes up with every change that makes equal input and options give another evaluation.
pub const VERSION: u32 = 7;

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
    /// Resamples of the interval of R2 or AUC.
    pub n_bootstrap: usize,
    /// Hypotheses whose annotations correlate (phi) above this count as one.
    pub duplicate_phi: f64,
    /// The regression of counts.
    pub counts: Counts,
    /// The chance with which the smallest separation is found that is said to have been detectable.
    pub power: f64,
    /// Hypotheses of the user's own, tested beside those that are found.
    pub hypotheses: Vec<String>,
    /// A file of annotations by hand, by which effects are corrected for the annotator's errors.
    pub gold: Option<PathBuf>,
    /// Runs of selection and test on shuffled targets.
    pub n_placebo: usize,
    /// Texts whose sets of three words running overlap (Jaccard) at least so far are nearly the same.
    pub near_duplicate: f64,
}

/// How counts are explained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Right whatever the variance, as its standard errors are robust.
    #[default]
    Poisson,
    /// More precise where the variance grows with the square of the mean.
    NegativeBinomial,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            conf_level: 0.95,
            n_folds: 10,
            n_bootstrap: 1000,
            duplicate_phi: 0.8,
            counts: Counts::default(),
            power: 0.8,
            hypotheses: Vec::new(),
            gold: None,
            n_placebo: 5,
            near_duplicate: 0.8,
        }
    }
}

impl EvaluateOptions {
    /// # Errors
    /// [`Error::Option`] for a value out of range.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("evaluate.alpha", self.alpha),
            ("evaluate.conf_level", self.conf_level),
            ("evaluate.power", self.power),
        ] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::option(name, value, "choose a value above 0 and below 1"));
            }
        }
        between("evaluate.duplicate_phi", self.duplicate_phi, 0.0, 1.0)?;
        between("evaluate.near_duplicate", self.near_duplicate, 0.1, 1.0)?;
        within("evaluate.n_bootstrap", self.n_bootstrap, 20, 1_000_000)?;
        within("evaluate.n_placebo", self.n_placebo, 0, 10_000)?;
        if let Some(blank) = self.hypotheses.iter().find(|h| h.trim().is_empty()) {
            let why = "a hypothesis needs words, as in `complains about a long wait`";
            return Err(Error::option("evaluate.hypotheses", blank, why));
        }
        within("evaluate.n_folds", self.n_folds, 2, usize::MAX)
    }
}

/// One column of annotations per hypothesis; `None` is a missing one.
pub type Annotations = [Vec<Option<bool>>];

/// Tests every hypothesis on the held-out rows.
///
/// Each by itself, as [`hypothesaes_math::means`] or [`hypothesaes_math::proportions`] have it, or by
/// a weighted regression with clustered errors where rows weigh or belong together: this is what it
/// claims, and decides whether it holds; with controls, its separation beside them does. All
/// together: the regression that suits the target, as [`hypothesaes_math::regression`] has it,
/// without the columns that are constant, that earlier ones or the controls make up, or that nearly
/// repeat one, and cross-fitted in folds drawn by `seed`. Hypotheses that overlap share their effect
/// in it, so that several which hold can all be uncertain there. p-values are adjusted over all that
/// are there, of all classes. Held-out data that cannot answer (one class, too few texts, nothing
/// annotated) leave hypotheses untested and say so.
///
/// # Errors
/// [`Error::Option`] for bad options; [`Error::Data`] without held-out rows; [`Error::Math`] if a
/// column does not have one entry per text, the target is not finite, or a fit fails.
pub fn evaluate(
    heldout: &Heldout,
    baselines: &Baselines,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    options.check()?;
    let sample = Sample::new(*heldout, Level::new(options.conf_level)?, seed)?;
    let layout = Layout::of(&sample, options.duplicate_phi)?;
    let targets = Target::all(heldout.y, heldout.task);
    let n_targets = targets.len();
    let mut all = Parts { messages: sample.messages.clone(), n_targets, ..Parts::default() };
    all.say(&layout.messages);
    for target in &targets {
        all.add(&sample, &layout, target, baselines, options)?;
    }
    Ok(all.evaluation(&sample, &layout, options))
}

/// Every hypothesis by itself, as [`evaluate`] tests it, nothing adjusted or decided.
///
/// # Errors
/// As [`evaluate`].
pub fn separations(heldout: &Heldout, seed: u64, options: &EvaluateOptions) -> Result<Vec<Tested>> {
    options.check()?;
    let sample = Sample::new(*heldout, Level::new(options.conf_level)?, seed)?;
    let mut all = Parts::default();
    for target in Target::all(heldout.y, heldout.task) {
        all.single(&sample, &target)?;
    }
    Ok(all.hypotheses)
}

/// How many of the hypotheses hold, without anything else about them.
///
/// # Errors
/// As [`evaluate`].
pub fn count_holding(heldout: &Heldout, seed: u64, options: &EvaluateOptions) -> Result<usize> {
    options.check()?;
    let sample = Sample::new(*heldout, Level::new(options.conf_level)?, seed)?;
    let layout = Layout::of(&sample, options.duplicate_phi)?;
    let mut all = Parts::default();
    for target in Target::all(heldout.y, heldout.task) {
        all.test(&sample, &layout, &target)?;
    }
    Ok(all.evaluation(&sample, &layout, options).n_hold)
}

/// What has been found for the targets so far.
#[derive(Default)]
struct Parts {
    n_targets: usize,
    model: Option<Model>,
    hypotheses: Vec<Tested>,
    /// Whether the target of each of them varies.
    varies: Vec<bool>,
    intercepts: Vec<Intercept>,
    models: Vec<Together>,
    curves: Vec<Curve>,
    strata: Vec<Within>,
    messages: Vec<String>,
}

impl Parts {
    fn add(
        &mut self,
        sample: &Sample,
        layout: &Layout,
        target: &Target,
        baselines: &Baselines,
        options: &EvaluateOptions,
    ) -> Result<()> {
        let joint = joint::fit(sample, layout, target, options.counts)?;
        let start = self.test(sample, layout, target)?;
        let tested = &mut self.hypotheses[start..];
        joint.fill(layout, tested);
        let tests = layout.n_varying() * self.n_targets;
        power::fill(sample, target, tests, options, tested);
        self.strata.extend(strata::within(sample, target, tested)?);
        let told = predict::together(sample, layout, target, &joint, baselines, options)?;
        self.models.extend(told.all);
        self.curves.extend(told.curve);
        self.say(&joint.messages);
        self.model = Some(joint.model);
        self.intercepts.extend(joint.intercept);
        Ok(())
    }

    /// Each hypothesis by itself; returns where they begin.
    fn test(&mut self, sample: &Sample, layout: &Layout, target: &Target) -> Result<usize> {
        let start = self.hypotheses.len();
        self.single(sample, target)?;
        layout.set_aside(&mut self.hypotheses[start..]);
        self.varies.extend(vec![!target.is_constant(); sample.n_hypotheses()]);
        Ok(start)
    }

    fn single(&mut self, sample: &Sample, target: &Target) -> Result<()> {
        let all = (0..sample.n_hypotheses()).into_par_iter();
        let tested: Result<Vec<Tested>> = all.map(|j| single::test(sample, j, target)).collect();
        self.hypotheses.extend(tested?);
        Ok(())
    }

    /// Adds what has not been said yet.
    fn say(&mut self, messages: &[String]) {
        for message in messages {
            if !self.messages.contains(message) {
                self.messages.push(message.clone());
            }
        }
    }

    fn evaluation(
        mut self,
        sample: &Sample,
        layout: &Layout,
        options: &EvaluateOptions,
    ) -> Evaluation {
        let hypotheses = &mut self.hypotheses;
        adjust(hypotheses, |tested| tested.separation.as_mut());
        adjust(hypotheses, |tested| tested.unclustered.as_mut());
        adjust(hypotheses, |tested| tested.adjusted.as_mut());
        adjust(hypotheses, |tested| tested.joint.as_mut());
        for (tested, varies) in hypotheses.iter_mut().zip(&self.varies) {
            if *varies {
                tested.decide(options.alpha);
            }
        }
        let n = sample.n_hypotheses();
        let of_any_class = |fits: &dyn Fn(&Tested) -> bool| {
            let of = |j: usize| hypotheses.iter().skip(j).step_by(n.max(1));
            (0..n).filter(|&j| of(j).any(fits)).count()
        };
        Evaluation {
            model: self.model.unwrap_or(Model::Ols),
            options: options.clone(),
            n: sample.of.y.len(),
            is_paired: sample.of.is_paired,
            has_exposure: sample.of.covariates.exposure.is_some(),
            n_groups: sample.n_groups(),
            n_joint: layout.part.rows.len(),
            n_hold: of_any_class(&|t| t.status == Status::Holds),
            n_hold_jointly: of_any_class(&|t| t.holds_jointly(options.alpha)),
            overlap: layout.overlap.clone(),
            intercepts: self.intercepts,
            models: self.models,
            curves: self.curves,
            strata: self.strata,
            messages: self.messages,
            hypotheses: self.hypotheses,
        }
    }
}

/// Adjusts the p-values of one effect of every hypothesis.
fn adjust(hypotheses: &mut [Tested], effect: impl Fn(&mut Tested) -> Option<&mut Effect>) {
    let p: Vec<Option<f64>> =
        hypotheses.iter_mut().map(|t| effect(t).and_then(|e| e.estimate.p_value)).collect();
    let by = [holm(&p), benjamini_hochberg(&p), benjamini_yekutieli(&p), bonferroni(&p)];
    for (j, tested) in hypotheses.iter_mut().enumerate() {
        if let Some(effect) = effect(tested) {
            [effect.p_holm, effect.p_bh, effect.p_by, effect.p_bonferroni] =
                by.each_ref().map(|adjusted| adjusted[j]);
        }
    }
}

/// `H01` for the first of the hypotheses.
#[must_use]
pub fn hypothesis_id(index: usize) -> String {
    format!("H{:02}", index + 1)
}
