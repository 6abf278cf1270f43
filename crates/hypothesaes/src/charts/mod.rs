//! Pictures of the results, as Vega-Lite specifications with their data in them.
//!
//! In go results, out come [`Chart`]s: what is to be seen in a sentence, the numbers as a table, and
//! the specification. Every picture of the project (files, report, Python) is made from one of these;
//! drawing is the renderer's (`crates/render`).

mod believe;
mod effects;
mod model;
mod spec;
#[cfg(test)]
pub(crate) mod tests;

use serde_json::Value;

use crate::evaluate::{Overlap, Status};
use crate::run::{Hypothesis, Outcome};
use crate::sae::TrainedSae;
use crate::select::Selection;
use crate::table::Table;

/// A picture of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// File name without ending, such as `forest`.
    pub name: &'static str,
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
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    pub outcome: &'a Outcome,
    pub overlap: &'a [Overlap],
    /// What was found in the discover texts; without it the neurons' charts are left out.
    pub selection: Option<&'a Selection>,
    pub saes: &'a [TrainedSae],
}

/// All charts that the results allow, in the order of a reader's questions.
#[must_use]
pub fn charts(results: &Results) -> Vec<Chart> {
    let Results { outcome, overlap, selection, saes } = *results;
    let mut charts: Vec<Chart> = [
        effects::forest(outcome),
        effects::prevalence(outcome),
        believe::fidelity(outcome),
        selection.and_then(|selection| believe::shrinkage(outcome, selection)),
        believe::overlap(outcome, overlap),
        believe::predictors(outcome),
        model::training(saes),
        model::densities(saes),
    ]
    .into_iter()
    .flatten()
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
    let wording = cut(&hypothesis.hypothesis, 56);
    format!("{}{} {wording}", hypothesis.tested.id, class.unwrap_or_default())
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
