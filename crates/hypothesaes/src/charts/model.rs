//! The autoencoders: how training went, and how often their neurons fire.

use serde_json::json;

use super::Chart;
use super::spec::{self, chart, number, tooltip};
use crate::sae::TrainedSae;
use crate::table::{Column, Table};

/// Variance that is left unexplained, by epoch.
pub(super) fn training(saes: &[TrainedSae]) -> Option<Chart> {
    let mut rows: Vec<(&str, usize, &str, f64)> = Vec::new();
    for sae in saes {
        for epoch in &sae.history {
            rows.push((&sae.id, epoch.epoch, "texts to discover from", epoch.train_fvu));
            let validation = epoch.validation_fvu;
            rows.extend(validation.map(|fvu| (&*sae.id, epoch.epoch, "validation texts", fvu)));
        }
    }
    let first = saes.first().filter(|_| !rows.is_empty())?;
    let table = Table {
        name: "training",
        columns: vec![
            Column::text("sae", "the autoencoder", rows.iter().map(|r| Some(r.0.into()))),
            Column::integer(
                "epoch",
                "count",
                "pass over the texts, from 1",
                rows.iter().map(|r| Some(r.1)),
            ),
            Column::text("texts", "whose variance", rows.iter().map(|r| Some(r.2.into()))),
            Column::number(
                "unexplained",
                "share",
                "share of the variance that is not explained",
                rows.iter().map(|r| Some(r.3)),
            ),
        ],
    };
    let marks = json!({
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "x": number("epoch", "epoch"),
            "y": {"field": "unexplained", "type": "quantitative", "title": "variance unexplained", "scale": {"zero": false}, "axis": {"format": "~%"}},
            "color": {"field": "texts", "type": "nominal", "title": null, "scale": {"domain": ["texts to discover from", "validation texts"], "range": [spec::BLUE, spec::VERMILION]}},
            "strokeDash": {"field": "sae", "type": "nominal", "title": "autoencoder", "sort": null},
            "tooltip": tooltip(&[("sae", "autoencoder"), ("epoch", "epoch"), ("texts", ""), ("unexplained", "unexplained")])
        }
    });
    let title = format!(
        "The autoencoder {} explains {:.0} % of the variance of the texts",
        first.id,
        100.0 * (1.0 - first.quality.fvu_discover)
    );
    let caption = format!(
        "Training stops when validation texts gain no more; the weights of epoch {} were kept.",
        first.best_epoch
    );
    let spec = chart(&table, 240, marks);
    Some(Chart { name: "training".into(), about: None, title, caption, table, spec })
}

/// How many neurons fire on which share of the texts.
pub(super) fn densities(saes: &[TrainedSae]) -> Option<Chart> {
    let rows: Vec<(&str, usize, f64)> = saes
        .iter()
        .flat_map(|sae| {
            let density = |(j, n): (usize, &hypothesaes_math::sae::NeuronHealth)| {
                (sae.id.as_str(), j, n.density)
            };
            sae.health.neurons.iter().enumerate().map(density)
        })
        .filter(|(_, _, density)| *density > 0.0)
        .collect();
    if rows.is_empty() {
        return None;
    }
    let all: usize = saes.iter().map(|sae| sae.health.n_neurons).sum();
    let table = Table {
        name: "densities",
        columns: vec![
            Column::text("sae", "the autoencoder", rows.iter().map(|r| Some(r.0.into()))),
            Column::integer(
                "neuron",
                "",
                "number of the neuron in it",
                rows.iter().map(|r| Some(r.1)),
            ),
            Column::number(
                "density",
                "share",
                "share of the texts that fire it",
                rows.iter().map(|r| Some(r.2)),
            ),
            Column::number(
                "log10_density",
                "",
                "its decimal logarithm",
                rows.iter().map(|r| Some(r.2.log10())),
            ),
        ],
    };
    let marks = json!({
        "mark": {"type": "bar", "color": spec::GREEN},
        "encoding": {
            "x": {"bin": {"maxbins": 30}, "field": "log10_density", "type": "quantitative", "title": "share of the texts that fire the neuron, decimal logarithm"},
            "y": {"aggregate": "count", "type": "quantitative", "title": "neurons"},
            "tooltip": [{"aggregate": "count", "title": "neurons"}]
        }
    });
    let title = format!("{} of {all} neurons are alive", rows.len());
    let caption =
        "Neurons that fire on few texts stand for rare things; those near 0 fire on almost all."
            .into();
    let spec = chart(&table, 200, marks);
    Some(Chart { name: "densities".into(), about: None, title, caption, table, spec })
}
