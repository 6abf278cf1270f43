//! `evaluate`: which hypotheses hold on the held-out texts.

use hypothesaes_math::regression::Columns;
use serde::{Deserialize, Serialize};

use super::{Embedded, Neurons};
use crate::Result;
use crate::annotate::Annotations;
use crate::data::{Dataset, Split};
use crate::evaluate::{
    self, Baselines, Embeddings, Evaluation, Gold, Wording, deciles_table, roc_table,
};
use crate::gold;
use crate::interpret::{Fidelity, Labelled};
use crate::leakage::{self, Leakage};
use crate::options::Options;
use crate::placebo::{self, Placebo};
use crate::run::Context;
use crate::select::Selection;
use crate::store::{Outputs, Stage, read_json};
use crate::subgroups::{self, Subgroup};
use crate::table::Column;
use crate::watch::Watch;

const EVALUATION: &str = "evaluate/evaluation.json";
const CHECKS: &str = "evaluate/checks.json";

/// What the test came to, and what speaks for and against it.
pub(crate) struct Evaluated {
    pub evaluation: Evaluation,
    pub checks: Checks,
}

/// Whether the test can be believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checks {
    pub leakage: Leakage,
    /// `None` if no neurons were selected, or none was asked for.
    pub placebo: Option<Placebo>,
    /// `None` without annotations by hand.
    pub gold: Option<Gold>,
    /// Every hypothesis among some of the texts.
    pub subgroups: Vec<Subgroup>,
}

/// What the hypotheses are and where they came from.
pub(crate) struct Findings<'a> {
    /// What was found in the discover texts; `None` if nothing was looked for.
    pub found: Option<Found>,
    /// Hypotheses of the user's own.
    pub own: &'a [String],
}

/// What was found in the discover texts.
pub(crate) struct Found {
    /// The embeddings of all texts.
    pub x: Embedded,
    pub neurons: Neurons,
    pub selection: Selection,
    pub labelled: Vec<Labelled>,
}

pub(crate) fn evaluate(
    context: &mut Context,
    data: &Dataset,
    findings: &Findings,
    annotations: &Annotations,
) -> Result<Evaluated> {
    let identity = context.identity(Stage::Evaluate);
    let Context { run, options, watch, .. } = context;
    let options = *options;
    let evaluated = run.stage(
        Stage::Evaluate,
        identity,
        *watch,
        |out| {
            let rows = data.rows(Split::Heldout);
            let part = data.gather(&rows);
            let heldout = part.heldout(annotations.concepts());
            let found = findings.found.as_ref();
            let x = found.map(|found| found.x.whole()).transpose()?;
            let of_rows = x.map(|x| {
                |some: &[usize]| {
                    let some: Vec<usize> = some.iter().map(|&i| rows[i]).collect();
                    data.vectors(x, &some)
                }
            });
            let baselines = Baselines {
                neurons: findings.activations(data, &rows)?,
                embeddings: x
                    .zip(of_rows.as_ref())
                    .map(|(x, of_rows)| Embeddings { cols: x.cols(), of_rows }),
            };
            let evaluation =
                evaluate::evaluate(&heldout, &baselines, options.seed, &options.evaluate)?;
            out.json(EVALUATION, &evaluation)?;
            let fidelity = findings.fidelity_columns();
            out.table(&evaluation.hypotheses_table(&findings.wordings(), fidelity)?)?;
            out.table(&evaluation.effects_table())?;
            out.table(&evaluation.models_table())?;
            out.table(&evaluation.overlap_table())?;
            let curves = &evaluation.curves;
            let more = [evaluation.strata_table(), deciles_table(curves), roc_table(curves)];
            more.iter().flatten().try_for_each(|table| out.table(table))?;
            let of = (&part, annotations.concepts());
            let checks = findings.checks(data, of, options, *watch)?;
            checks.write(out)?;
            Ok(Evaluated { evaluation, checks })
        },
        |folder| {
            let evaluation = read_json(folder, EVALUATION)?;
            Ok(Evaluated { evaluation, checks: read_json(folder, CHECKS)? })
        },
    )?;
    let gold = evaluated.checks.gold.iter().flat_map(|gold| &gold.messages);
    let leakage = evaluated.checks.leakage.message();
    for message in evaluated.evaluation.messages.iter().chain(gold).chain(&leakage) {
        watch.say(message);
    }
    Ok(evaluated)
}

impl Checks {
    fn write(&self, out: &mut Outputs) -> Result<()> {
        out.json(CHECKS, self)?;
        if !self.leakage.near.is_empty() {
            out.table(&self.leakage.table())?;
        }
        if let Some(placebo) = &self.placebo {
            out.table(&placebo.table())?;
        }
        if let Some(gold) = &self.gold {
            out.table(&gold.table())?;
        }
        subgroups::table(&self.subgroups).iter().try_for_each(|table| out.table(table))
    }
}

impl Findings<'_> {
    /// What is annotated: the concepts that were found, then the user's own.
    pub fn concepts(&self) -> Vec<String> {
        self.worded().filter_map(|l| l.concept.clone()).chain(self.own.iter().cloned()).collect()
    }

    /// The neurons that could be put into words.
    pub fn worded(&self) -> impl Iterator<Item = &Labelled> {
        let labelled = self.found.iter().flat_map(|found| &found.labelled);
        labelled.filter(|l| l.concept.is_some())
    }

    /// One per concept, in their order.
    pub fn wordings(&self) -> Vec<Wording> {
        let own = self.own.iter().cloned();
        let own = own.map(|hypothesis| Wording { hypothesis, ..Wording::default() });
        let found = self.found.iter().flat_map(Found::wordings);
        found.chain(own).collect()
    }

    /// What speaks for the test and against it.
    fn checks(
        &self,
        data: &Dataset,
        (part, annotations): (&Dataset, &evaluate::Annotations),
        options: &Options,
        watch: &dyn Watch,
    ) -> Result<Checks> {
        let how = (&options.select, &options.evaluate);
        let placebo = match &self.found {
            Some(found) if options.evaluate.n_placebo > 0 => {
                let z = found.neurons.z(&found.x)?;
                Some(placebo::run(data, z, options.seed, how, watch)?)
            }
            _ => None,
        };
        let gold = match &options.evaluate.gold {
            Some(file) => {
                let by_hand = gold::read(file, data, &self.concepts())?;
                let heldout = part.heldout(annotations);
                Some(evaluate::correct(&heldout, &by_hand, options.seed, &options.evaluate)?)
            }
            None => None,
        };
        let leakage = leakage::check(data, options.evaluate.near_duplicate)?;
        let subgroups = subgroups::subgroups(part, annotations, options.seed, &options.evaluate)?;
        Ok(Checks { leakage, placebo, gold, subgroups })
    }

    /// Activations of the neurons that were worded on these rows.
    fn activations(&self, data: &Dataset, rows: &[usize]) -> Result<Option<Columns>> {
        let Some(found) = &self.found else { return Ok(None) };
        let neurons: Vec<usize> = self.worded().map(|l| l.neuron).collect();
        let z = found.neurons.z(&found.x)?;
        let value = |i: usize, j: usize| f64::from(data.activation(z, rows[i], neurons[j]));
        Ok(Some(Columns::from_fn(rows.len(), neurons.len(), value)?))
    }

    fn fidelity_columns(&self) -> Vec<Column> {
        let column = |name, description, of: fn(Fidelity) -> Option<f64>| {
            let found = self.worded().map(|l| l.fidelity.and_then(of));
            let own = self.own.iter().map(|_| None);
            Column::number(name, "share", description, found.chain(own))
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

impl Found {
    fn wordings(&self) -> impl Iterator<Item = Wording> {
        let score = |neuron: usize| self.selection.chosen.iter().find(|c| c.neuron == neuron);
        self.labelled.iter().filter_map(move |l| {
            Some(Wording {
                hypothesis: l.concept.clone()?,
                neuron_id: Some(l.neuron),
                sae_id: Some(self.neurons.sae_ids[l.neuron].clone()),
                selection_score: score(l.neuron).map(|c| c.score),
            })
        })
    }
}
