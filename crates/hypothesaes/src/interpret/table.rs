//! The table `fidelity`.

use super::{Fidelity, Labelled};
use crate::table::{Column, Table};

/// Table `fidelity`: a row per chosen neuron.
#[must_use]
pub fn table(labelled: &[Labelled]) -> Table {
    let share = |name, description, of: fn(&Fidelity) -> Option<f64>| {
        Column::number(name, "share", description, measured(labelled, of))
    };
    let correlation = |name, description, of: fn(&Fidelity) -> Option<f64>| {
        Column::number(name, "correlation", description, measured(labelled, of))
    };
    let count = |name, description, of: fn(&Fidelity) -> Option<usize>| {
        Column::integer(name, "count", description, measured(labelled, of))
    };
    let neurons = labelled.iter().map(|l| Some(l.neuron));
    let columns = vec![
        Column::integer(
            "neuron_id",
            "",
            "number of the neuron, counted through all autoencoders from 0",
            neurons,
        ),
        Column::text("concept", "label of the neuron", labelled.iter().map(|l| l.concept.clone())),
        Column::text(
            "reason",
            "why the neuron has no label",
            labelled.iter().map(|l| l.reason.clone()),
        ),
        count("n", "validation texts with an annotation", |f| Some(f.n)),
        count("n_firing", "those of them that fire the neuron", |f| Some(f.n_firing)),
        count("n_true", "those of them that the concept is true of", |f| Some(f.n_true)),
        count("n_missing", "validation texts whose annotation is missing", |f| Some(f.n_missing)),
        share("precision", "share of the texts the concept is true of that fire the neuron", |f| {
            f.precision
        }),
        share("recall", "share of the texts that fire that the concept is true of", |f| f.recall),
        share("f1", "harmonic mean of precision and recall", |f| f.f1),
        correlation("correlation", "of annotation and activation", |f| f.correlation),
        share(
            "balanced_precision",
            "precision as if equally many texts fired the neuron and did not",
            |f| f.balanced_precision,
        ),
        share("balanced_f1", "harmonic mean of balanced precision and recall", |f| f.balanced_f1),
        correlation(
            "balanced_correlation",
            "of annotation and activation, as if equally many texts fired the neuron and did not",
            |f| f.balanced_correlation,
        ),
    ];
    Table { name: "fidelity", columns }
}

/// Table `wordings`: a row per wording that was tried; `None` if no choice was made.
#[must_use]
pub fn wordings_table(labelled: &[Labelled]) -> Option<Table> {
    let all = || labelled.iter().flat_map(|l| l.wordings.iter().map(move |w| (l.neuron, w)));
    let columns = vec![
        Column::integer(
            "neuron_id",
            "",
            "number of the neuron, counted through all autoencoders from 0",
            all().map(|(neuron, _)| Some(neuron)),
        ),
        Column::integer(
            "round",
            "count",
            "0 for wordings proposed at first, then the round of mending",
            all().map(|(_, w)| Some(w.round)),
        ),
        Column::text("concept", "the wording", all().map(|(_, w)| Some(w.concept.clone()))),
        Column::number(
            "balanced_f1",
            "share",
            "fidelity on the texts that the choice rests on, as if half of them fired the neuron",
            all().map(|(_, w)| w.balanced_f1),
        ),
        Column::flag("is_kept", "whether it is the label", all().map(|(_, w)| Some(w.is_kept))),
    ];
    (all().next().is_some()).then_some(Table { name: "wordings", columns })
}

fn measured<T>(
    labelled: &[Labelled],
    of: fn(&Fidelity) -> Option<T>,
) -> impl Iterator<Item = Option<T>> {
    labelled.iter().map(move |l| l.fidelity.as_ref().and_then(of))
}
