//! `evaluate`: which hypotheses hold on the held-out texts.

use super::Neurons;
use crate::Result;
use crate::annotate::Annotations;
use crate::data::{Dataset, Split};
use crate::evaluate::{self, Evaluation, Wording};
use crate::interpret::{Fidelity, Labelled};
use crate::run::Context;
use crate::select::Selection;
use crate::store::{Stage, read_json};
use crate::table::Column;

const EVALUATION: &str = "evaluate/evaluation.json";

/// What the hypotheses are and where they came from.
pub(crate) struct Findings<'a> {
    pub labelled: &'a [Labelled],
    pub selection: &'a Selection,
    pub neurons: &'a Neurons,
}

pub(crate) fn evaluate(
    context: &mut Context,
    data: &Dataset,
    findings: &Findings,
    annotations: &Annotations,
) -> Result<Evaluation> {
    let identity = context.identity(Stage::Evaluate);
    let Context { run, options, watch, .. } = context;
    let options = *options;
    let evaluation = run.stage(
        Stage::Evaluate,
        identity,
        *watch,
        |out| {
            let y: Vec<f64> = data.rows(Split::Heldout).iter().map(|&i| data.y[i]).collect();
            let columns: Vec<Vec<Option<bool>>> =
                (0..annotations.n_concepts()).map(|c| annotations.concept(c).to_vec()).collect();
            let evaluation =
                evaluate::evaluate(&columns, &y, &data.task, options.seed, &options.evaluate)?;
            out.json(EVALUATION, &evaluation)?;
            let fidelity = findings.fidelity_columns();
            out.table(&evaluation.hypotheses_table(&findings.wordings(), fidelity)?)?;
            out.table(&evaluation.effects_table())?;
            out.table(&evaluation.models_table())?;
            out.table(&evaluation.overlap_table())?;
            Ok(evaluation)
        },
        |folder| read_json(folder, EVALUATION),
    )?;
    for message in &evaluation.messages {
        watch.say(message);
    }
    Ok(evaluation)
}

impl Findings<'_> {
    /// One per labelled neuron, in the order of the hypotheses.
    pub fn wordings(&self) -> Vec<Wording> {
        let score = |neuron: usize| self.selection.chosen.iter().find(|c| c.neuron == neuron);
        self.labelled
            .iter()
            .filter_map(|l| Some((l.neuron, l.concept.clone()?)))
            .map(|(neuron, hypothesis)| Wording {
                hypothesis,
                neuron_id: Some(neuron),
                sae_id: Some(self.neurons.sae_ids[neuron].clone()),
                selection_score: score(neuron).map(|c| c.score),
            })
            .collect()
    }

    fn fidelity_columns(&self) -> Vec<Column> {
        let column = |name, description, of: fn(Fidelity) -> Option<f64>| {
            let named = self.labelled.iter().filter(|l| l.concept.is_some());
            Column::number(name, "share", description, named.map(|l| l.fidelity.and_then(of)))
        };
        vec![
            column(
                "fidelity_precision",
                "share of the validation texts the concept is true of that fire the neuron",
                |f| f.precision,
            ),
            column(
                "fidelity_recall",
                "share of the validation texts that fire the neuron that the concept is true of",
                |f| f.recall,
            ),
            column("fidelity_f1", "harmonic mean of the two", |f| f.f1),
            column(
                "fidelity_balanced_f1",
                "the same as if half of the validation texts fired the neuron",
                |f| f.balanced_f1,
            ),
            column(
                "fidelity_correlation",
                "correlation of annotation and activation on the validation texts",
                |f| f.correlation,
            ),
        ]
    }
}
