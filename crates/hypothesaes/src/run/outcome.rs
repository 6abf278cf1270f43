//! What a run comes to, for the terminal, for `--json` and for Python.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::stages::{Evaluated, Findings};
use crate::annotate::Annotations;
use crate::data::{Counts, Dataset, Split, Task};
use crate::evaluate::{Curve, Gold, Model, Overlap, Tested, Together, Wording};
use crate::interpret::Fidelity;
use crate::leakage::Leakage;
use crate::placebo::Placebo;
use crate::sae::{Quality, TrainedSae};
use crate::signal::Signal;
use crate::store::StageReport;
use crate::subgroups::Subgroup;

/// Everything a caller shows; what the run did not get to is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    pub folder: PathBuf,
    /// Who says which concepts are true of a text.
    pub annotator: String,
    pub stages: Vec<StageReport>,
    pub data: Option<DataSummary>,
    pub signal: Option<Signal>,
    pub saes: Vec<SaeSummary>,
    /// In the order of selection.
    pub hypotheses: Vec<Hypothesis>,
    /// Selected neurons that could not be put into words.
    pub unlabelled: Vec<Unlabelled>,
    pub test: Option<TestSummary>,
    /// What the user should know, such as that fewer neurons than asked for were selected.
    pub messages: Vec<String>,
    /// Missing annotations and all, if more are missing than the options allow.
    pub too_many_missing: Option<(usize, usize)>,
    /// How far hypotheses are true of the same texts.
    #[serde(skip)]
    pub overlap: Vec<Overlap>,
    /// What the hypotheses are true of, for callers that go on from there.
    #[serde(skip)]
    pub heldout: Option<Heldout>,
}

/// What was read and decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    pub target: String,
    pub task: Task,
    pub counts: Counts,
    pub notes: Vec<String>,
    pub content_hash: String,
}

/// One autoencoder in brief.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaeSummary {
    pub id: String,
    pub n_neurons: usize,
    pub k: usize,
    pub best_epoch: usize,
    pub n_epochs: usize,
    #[serde(flatten)]
    pub quality: Quality,
}

/// A concept with its effect on the target and the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypothesis {
    pub hypothesis: String,
    pub neuron_id: Option<usize>,
    pub sae_id: Option<String>,
    pub selection_score: Option<f64>,
    pub fidelity: Option<Fidelity>,
    #[serde(flatten)]
    pub tested: Tested,
}

/// A selected neuron without a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unlabelled {
    pub neuron_id: usize,
    pub reason: Option<String>,
}

/// All hypotheses together on the held-out texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestSummary {
    pub model: Model,
    /// A hypothesis holds below this Holm-adjusted p-value.
    pub alpha: f64,
    /// Held-out texts.
    pub n: usize,
    /// How many hypotheses hold.
    pub n_hold: usize,
    /// How many of these hold beside all others too.
    pub n_hold_jointly: usize,
    /// How many hypotheses there are, each once whatever the number of classes.
    pub n_hypotheses: usize,
    /// Rows are pairs of texts.
    pub is_paired: bool,
    pub models: Vec<Together>,
    /// Groups, of which each is one cluster.
    pub n_groups: Option<usize>,
    /// What is on both sides of the split.
    pub leakage: Leakage,
    /// What holds on shuffled targets.
    pub placebo: Option<Placebo>,
    /// What annotations by hand say.
    pub gold: Option<Gold>,
    /// Every hypothesis among some of the texts; the table `subgroups` has them.
    #[serde(skip)]
    pub subgroups: Vec<Subgroup>,
    /// How predictions compare with the target; the tables `deciles` and `roc` have it.
    #[serde(skip)]
    pub curves: Vec<Curve>,
}

/// The held-out texts and their annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct Heldout {
    pub row_ids: Vec<u64>,
    /// Of pairs, `a` or `b`.
    pub sides: Option<Vec<&'static str>>,
    pub annotations: Annotations,
}

impl SaeSummary {
    pub(super) fn of(model: &TrainedSae) -> Self {
        Self {
            id: model.id.clone(),
            n_neurons: model.sae.n_neurons(),
            k: model.sae.k(),
            best_epoch: model.best_epoch,
            n_epochs: model.history.len(),
            quality: model.quality,
        }
    }
}

impl Outcome {
    /// The hypotheses by the size of their separation, those without one last.
    pub fn strongest_first(&self) -> Vec<&Hypothesis> {
        let size = |h: &Hypothesis| h.tested.separation.as_ref().map(|e| e.estimate.value.abs());
        let mut hypotheses: Vec<&Hypothesis> = self.hypotheses.iter().collect();
        hypotheses.sort_by(|a, b| {
            let (a, b) = (size(a).unwrap_or(-1.0), size(b).unwrap_or(-1.0));
            b.total_cmp(&a)
        });
        hypotheses
    }

    /// Takes in what interpretation, annotation and evaluation came to.
    pub(super) fn conclude(
        &mut self,
        findings: &Findings,
        evaluated: Evaluated,
        annotations: Annotations,
        data: &Dataset,
    ) {
        let Evaluated { evaluation, checks } = evaluated;
        let labelled = findings.found.iter().flat_map(|found| &found.labelled);
        self.unlabelled = labelled
            .filter(|l| l.concept.is_none())
            .map(|l| Unlabelled { neuron_id: l.neuron, reason: l.reason.clone() })
            .collect();
        self.messages.extend(evaluation.messages);
        self.overlap = evaluation.overlap;
        let wordings = findings.wordings();
        self.test = Some(TestSummary {
            model: evaluation.model,
            alpha: evaluation.options.alpha,
            n: evaluation.n,
            n_hold: evaluation.n_hold,
            n_hold_jointly: evaluation.n_hold_jointly,
            n_hypotheses: wordings.len(),
            is_paired: evaluation.is_paired,
            models: evaluation.models,
            n_groups: evaluation.n_groups,
            leakage: checks.leakage,
            placebo: checks.placebo,
            gold: checks.gold,
            subgroups: checks.subgroups,
            curves: evaluation.curves,
        });
        let fidelity = findings.worded().map(|l| l.fidelity);
        let fidelity: Vec<Option<Fidelity>> =
            fidelity.chain(std::iter::repeat(None)).take(wordings.len()).collect();
        let worded = wordings.iter().zip(&fidelity).cycle();
        let all = worded.zip(evaluation.hypotheses);
        self.hypotheses = all
            .map(|((wording, fidelity), tested)| hypothesis(wording.clone(), *fidelity, tested))
            .collect();
        let texts = data.texts_in(Split::Heldout);
        let (row_ids, sides) = (data.row_ids(&texts), data.sides(&texts));
        self.heldout = Some(Heldout { row_ids, sides, annotations });
    }
}

fn hypothesis(wording: Wording, fidelity: Option<Fidelity>, tested: Tested) -> Hypothesis {
    let Wording { hypothesis, neuron_id, sae_id, selection_score } = wording;
    Hypothesis { hypothesis, neuron_id, sae_id, selection_score, fidelity, tested }
}
