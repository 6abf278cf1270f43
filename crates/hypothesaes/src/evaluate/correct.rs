//! Effects corrected for the annotator's errors by annotations made by hand.
//!
//! In go the annotations of all held-out texts, and those of a random part of them by a human; out
//! come their agreement and, beside the effects as if the annotator made no errors, what annotating
//! every text by hand would have given.

use hypothesaes_math::agreement::yes_no;
use hypothesaes_math::multiplicity::holm;
use hypothesaes_math::rectify::{Annotated, Link, Rectified, Sampling, Tuning, rectify};
use hypothesaes_math::{Error as MathError, Estimate, Level};
use serde::{Deserialize, Serialize};

use super::answered::Answered;
use super::layout::Layout;
use super::sample::{Part, Sample};
use super::target::Target;
use super::{Annotations, EvaluateOptions, Heldout, Model, hypothesis_id};
use crate::Result;

/// Fewest texts by hand of which a concept is true, and of which it is not.
const FEWEST: usize = 2;

/// What annotations by hand say of the hypotheses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gold {
    /// As in the evaluation: one per hypothesis, with several classes class by class.
    pub hypotheses: Vec<Corrected>,
    /// What the user should know.
    pub messages: Vec<String>,
}

/// A hypothesis beside annotations by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    pub id: String,
    pub class: Option<String>,
    /// Texts annotated by hand, and by the annotator too.
    pub n: usize,
    pub agreement: Option<Estimate>,
    pub kappa: Option<Estimate>,
    pub adjusted_kappa: Option<Estimate>,
    pub sensitivity: Option<Estimate>,
    pub specificity: Option<Estimate>,
    /// Of the separation, beside the controls if there are any.
    pub separation: Option<Correction>,
    /// Of the effect beside all other hypotheses.
    pub joint: Option<Correction>,
    /// Why the separation is not corrected.
    pub warning: Option<String>,
}

/// An effect with and without correction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// As if the annotator made no errors.
    pub naive: Estimate,
    /// By prediction-powered inference (PPI++).
    pub powered: Estimate,
    pub powered_p_holm: Option<f64>,
    /// By the design-based estimator (DSL).
    pub designed: Estimate,
    pub designed_p_holm: Option<f64>,
    /// From the texts annotated by hand alone.
    pub by_hand: Option<Estimate>,
}

/// Agreement of each hypothesis, and its effects corrected.
///
/// `by_hand`: as the annotations, `None` where the human did not look. Pairs count as annotated if
/// both texts are.
///
/// # Errors
/// [`crate::Error::Math`] for columns of another length; [`crate::Error::Option`].
pub fn correct(
    heldout: &Heldout,
    by_hand: &Annotations,
    seed: u64,
    options: &EvaluateOptions,
) -> Result<Gold> {
    let level = Level::new(options.conf_level)?;
    let machine = Sample::new(*heldout, level, seed)?;
    let human = Sample::new(Heldout { annotations: by_hand, ..*heldout }, level, seed)?;
    let layout = Layout::of(&machine, options.duplicate_phi)?;
    let both = Both { machine, human };
    let mut gold = Gold { hypotheses: Vec::new(), messages: Vec::new() };
    let corrects = heldout.covariates.fixed_effects.is_empty();
    if !corrects {
        gold.say("effects beside fixed effects are not corrected by annotations by hand".into());
    }
    for target in Target::all(heldout.y, heldout.task) {
        let mut hypotheses = agreements(heldout.annotations, by_hand, &target, level)?;
        if corrects {
            both.correct_each(&target, &mut hypotheses)?;
            let (model, _) = target.model(options.counts, false);
            match both.joint(&target, &layout, model)? {
                Ok(found) => layout
                    .fitted
                    .iter()
                    .zip(found)
                    .for_each(|(&j, found)| hypotheses[j].joint = Some(found)),
                Err(why) => gold.say(format!("joint effects are not corrected: {why}")),
            }
        }
        gold.hypotheses.extend(hypotheses);
    }
    adjust(&mut gold.hypotheses, |h| h.separation.as_mut());
    adjust(&mut gold.hypotheses, |h| h.joint.as_mut());
    Ok(gold)
}

/// How far annotator and human agree about each hypothesis.
fn agreements(
    machine: &Annotations,
    human: &Annotations,
    target: &Target,
    level: Level,
) -> Result<Vec<Corrected>> {
    let of = |j: usize| {
        let found = yes_no(&machine[j], &human[j], level)?;
        Ok(Corrected {
            id: hypothesis_id(j),
            class: target.class.clone(),
            n: found.n,
            agreement: found.agreement,
            kappa: found.kappa,
            adjusted_kappa: found.adjusted_kappa,
            sensitivity: found.sensitivity,
            specificity: found.specificity,
            separation: None,
            joint: None,
            warning: None,
        })
    };
    (0..machine.len().min(human.len())).map(of).collect()
}

impl Gold {
    fn say(&mut self, message: String) {
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

/// Adjusts the p-values of one effect of all hypotheses.
fn adjust(
    hypotheses: &mut [Corrected],
    effect: impl Fn(&mut Corrected) -> Option<&mut Correction>,
) {
    let mut by = |p: fn(&Correction) -> Option<f64>| {
        holm(&hypotheses.iter_mut().map(|h| effect(h).and_then(|e| p(e))).collect::<Vec<_>>())
    };
    let (powered, designed) = (by(|e| e.powered.p_value), by(|e| e.designed.p_value));
    for ((h, powered), designed) in hypotheses.iter_mut().zip(powered).zip(designed) {
        if let Some(effect) = effect(h) {
            (effect.powered_p_holm, effect.designed_p_holm) = (powered, designed);
        }
    }
}

/// The held-out rows as the annotator and as the human saw them.
struct Both<'a> {
    machine: Sample<'a>,
    human: Sample<'a>,
}

/// The inner error says why there is no correction.
type Found<T> = Result<std::result::Result<T, String>>;

impl Both<'_> {
    /// Writes the separation of each, corrected, or why there is none.
    fn correct_each(&self, target: &Target, hypotheses: &mut [Corrected]) -> Result<()> {
        for (j, hypothesis) in hypotheses.iter_mut().enumerate() {
            match self.separation(target, j)? {
                Ok(found) => hypothesis.separation = Some(found),
                Err(why) => hypothesis.warning = Some(why),
            }
        }
        Ok(())
    }

    /// The separation of hypothesis `j`: the coefficient of its column in least squares.
    fn separation(&self, target: &Target, j: usize) -> Found<Correction> {
        let Answered { part, y, .. } = Answered::of(&self.machine, target, j);
        let found = self.corrected(&part, &[j], &y, Link::Identity)?;
        Ok(found.map(|mut all| all.remove(0)))
    }

    /// The effects of the hypotheses of the joint regression, beside each other.
    fn joint(&self, target: &Target, layout: &Layout, model: Model) -> Found<Vec<Correction>> {
        let part = &layout.part;
        let link = match model {
            Model::Ols | Model::LinearProbability => Link::Identity,
            Model::Logit => Link::Logit,
            Model::Poisson | Model::NegativeBinomial => Link::Log,
            Model::Ordinal => {
                return Ok(Err("that is not known for proportional odds; levels as numbers, \
                               `--task continuous`, can be"
                    .into()));
            }
        };
        let y = target.gather(&part.rows);
        if let Some(obstacle) = layout.obstacle(&y, model) {
            return Ok(Err(obstacle));
        }
        self.corrected(part, &layout.fitted, &y, link)
    }

    /// The coefficients of hypotheses `which`, with and without correction.
    fn corrected(
        &self,
        part: &Part,
        which: &[usize],
        y: &[f64],
        link: Link,
    ) -> Found<Vec<Correction>> {
        let answer = |j: usize, i: usize| self.human.answer(j, i).map(f64::from);
        let machine: Vec<Vec<f64>> =
            which.iter().map(|&j| self.machine.numbers(j, &part.rows)).collect();
        let human: Vec<Vec<Option<f64>>> =
            which.iter().map(|&j| part.rows.iter().map(|&i| answer(j, i)).collect()).collect();
        let controls = &part.controls;
        let controls: Vec<Vec<f64>> = (0..controls.cols()).map(|j| controls.column(j)).collect();
        if let Some(thin) = thin(which, &human) {
            return Ok(Err(thin));
        }
        let cluster: Option<Vec<usize>> =
            part.clusters.as_ref().map(|c| c.iter().map(|c| *c as usize).collect());
        let annotated = Annotated {
            machine: &machine,
            human: &human,
            controls: &controls,
            y,
            intercept: !self.machine.of.is_paired,
            weights: part.weights.as_deref(),
            offset: part.offset.as_deref().filter(|_| link == Link::Log),
            cluster: cluster.as_deref(),
            sampling: Sampling::Random,
        };
        let by = |tuning| rectify(link, &annotated, tuning, self.machine.level);
        match (by(Tuning::Power), by(Tuning::Full)) {
            (Ok(powered), Ok(designed)) => {
                let first = usize::from(annotated.intercept);
                let of = |at: usize| correction(&powered, &designed, first + at);
                Ok(Ok((0..which.len()).map(of).collect()))
            }
            (Err(MathError::Data(why) | MathError::Diverged(why)), _)
            | (_, Err(MathError::Data(why) | MathError::Diverged(why))) => Ok(Err(why)),
            (Err(other), _) | (_, Err(other)) => Err(other.into()),
        }
    }
}

fn correction(powered: &Rectified, designed: &Rectified, at: usize) -> Correction {
    let (powered, designed) = (powered.terms[at], designed.terms[at]);
    Correction {
        naive: powered.naive,
        powered: powered.corrected,
        powered_p_holm: None,
        designed: designed.corrected,
        designed_p_holm: None,
        by_hand: powered.human,
    }
}

/// The hypotheses that are true of too few texts by hand, or of too many, of those that have a human's
/// answer for each.
fn thin(which: &[usize], human: &[Vec<Option<f64>>]) -> Option<String> {
    let n = human.first().map_or(0, Vec::len);
    let seen: Vec<usize> = (0..n).filter(|&i| human.iter().all(|h| h[i].is_some())).collect();
    let is_thin = |column: &Vec<Option<f64>>| {
        let yes = seen.iter().filter(|&&i| column[i] != Some(0.0)).count();
        yes < FEWEST || seen.len() - yes < FEWEST
    };
    let thin = which.iter().zip(human).filter(|(_, column)| is_thin(column));
    let thin: Vec<String> = thin.map(|(&j, _)| hypothesis_id(j)).collect();
    (!thin.is_empty()).then(|| {
        format!(
            "of the {} texts annotated by hand too few have {}, or too few do not; annotate more",
            seen.len(),
            thin.join(", ")
        )
    })
}
