//! Pictures of the results, as Vega-Lite specifications with their data in them.
//!
//! In go results, out come [`Chart`]s: what is to be seen in a sentence, the numbers as a table, and
//! the specification. Every picture of the project (files, report, Python) is made from one of these;
//! drawing is the renderer's (`crates/render`).

mod believe;
mod cards;
mod effects;
mod map;
mod model;
mod overlap;
mod placebo;
mod predictions;
mod spec;
#[cfg(test)]
pub(crate) mod tests;

use hypothesaes_math::{Activations, Rows};
use serde_json::Value;

pub use map::{Map, map};

use crate::annotate::Annotations;
use crate::data::Dataset;
use crate::evaluate::{Overlap, Status};
use crate::run::{Hypothesis, Outcome};
use crate::sae::TrainedSae;
use crate::select::Selection;
use crate::table::Table;

/// A picture of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// File name without ending, such as `forest` or `H01_subgroups`.
    pub name: String,
    /// The hypothesis whose card it stands on, if on one.
    pub about: Option<String>,
    /// What is to be seen, in one sentence.
    pub title: String,
    /// What marks and axes stand for.
    pub caption: String,
    /// The numbers, as they are shown below the picture.
    pub table: Table,
    /// Vega-Lite 6, its data inline.
    pub spec: Value,
}

/// What pictures are made of.
#[derive(Clone, Copy)]
pub struct Results<'a> {
    pub outcome: &'a Outcome,
    pub overlap: &'a [Overlap],
    /// What was found in the discover texts; without it the neurons' charts are left out.
    pub selection: Option<&'a Selection>,
    pub saes: &'a [TrainedSae],
    /// Without them there are no map and no neurons at work.
    pub shown: Option<Shown<'a>>,
    pub map: Option<&'a Map>,
}

/// All texts and what is known of them.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub data: &'a Dataset,
    /// Of the held-out texts.
    pub annotations: &'a Annotations,
    /// Activations of the held-out texts, if neurons were looked for.
    pub z: Option<&'a Activations>,
    /// Vectors of all texts, if they were embedded.
    pub x: Option<&'a dyn Rows>,
    pub seed: u64,
}

/// All charts that the results allow, in the order of a reader's questions.
#[must_use]
pub fn charts(results: &Results) -> Vec<Chart> {
    let Results { outcome, overlap, selection, saes, shown, map } = *results;
    let mut charts: Vec<Chart> = [
        effects::forest(outcome),
        effects::prevalence(outcome),
        believe::fidelity(outcome),
        selection.and_then(|selection| believe::shrinkage(outcome, selection)),
        overlap::overlap(outcome, overlap),
        believe::predictors(outcome),
        predictions::calibration(outcome),
        predictions::roc(outcome),
        placebo::placebo(outcome),
        map.zip(shown).map(|(map, shown)| map::drawn(map, outcome, &shown)),
        model::training(saes),
        model::densities(saes),
    ]
    .into_iter()
    .flatten()
    .chain(cards::cards(results))
    .collect();
    for chart in &mut charts {
        spec::name(&mut chart.spec, &chart.title);
    }
    charts
}

/// Hypotheses that were tested, those with the largest separation first.
fn tested(outcome: &Outcome) -> Vec<&Hypothesis> {
    let with = |h: &&Hypothesis| h.tested.separation.is_some();
    outcome.strongest_first().into_iter().filter(with).collect()
}

/// How a hypothesis is named on an axis: its number, its class, and the beginning of its wording.
fn label(hypothesis: &Hypothesis) -> String {
    let class = hypothesis.tested.class.as_ref().map(|class| format!(" [{class}]"));
    named(hypothesis, &class.unwrap_or_default())
}

/// The same whatever the class.
fn concept_label(hypothesis: &Hypothesis) -> String {
    named(hypothesis, "")
}

fn named(hypothesis: &Hypothesis, class: &str) -> String {
    format!("{}{class} {}", hypothesis.tested.id, cut(&hypothesis.hypothesis, 56))
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().count() <= most {
        return text.chars().map(plain).collect();
    }
    let kept: String = text.chars().take(most - 1).map(plain).collect();
    format!("{}…", kept.trim_end())
}

pub(crate) fn verdict(status: Status) -> &'static str {
    match status {
        Status::Holds => "holds",
        Status::DoesNotHold => "does not hold",
        Status::Constant => "constant",
        Status::Aliased => "aliased",
        Status::Duplicate => "duplicate",
        Status::Untested => "untested",
    }
}

/// The name of the target, for axes.
fn target(outcome: &Outcome) -> &str {
    outcome.data.as_ref().map_or("the target", |data| data.target.as_str())
}
