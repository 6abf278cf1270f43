//! The answers of `hypothesaes sae`, for people and for machines.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use hypothesaes::sae::{Quality, TrainedSae};
use hypothesaes_math::sae::{DENSITIES, Epoch, Health, Reconstruction};
use serde::Serialize;

use crate::show::{grouped, json, print};

/// Epochs told of in a line.
const EPOCHS: usize = 10;

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    dim: usize,
    best_epoch: usize,
    quality: Quality,
    health: &'a Health,
    /// Of the vectors it is judged by, if they are not those of its training.
    #[serde(skip_serializing_if = "Option::is_none")]
    reconstruction: Option<Reconstruction>,
    history: &'a [Epoch],
}

/// How good the autoencoders are; `reconstructions`, if any, are one for each.
pub fn health(
    models: &[TrainedSae],
    reconstructions: &[Reconstruction],
    as_json: bool,
) -> Result<()> {
    let reconstructions = reconstructions.iter().copied().map(Some).chain(std::iter::repeat(None));
    let models = models.iter().zip(reconstructions);
    if as_json {
        let reports: Vec<Report> = models
            .map(|(m, reconstruction)| Report {
                id: &m.id,
                dim: m.sae.dim(),
                best_epoch: m.best_epoch,
                quality: m.quality,
                health: &m.health,
                reconstruction,
                history: &m.history,
            })
            .collect();
        return print(&json(&reports)?);
    }
    let reports: Vec<String> = models.map(|(m, of)| describe(m, of)).collect();
    print(&reports.join("\n"))
}

fn describe(model: &TrainedSae, reconstruction: Option<Reconstruction>) -> String {
    let TrainedSae { sae, history, best_epoch, quality, health, .. } = model;
    let mut text =
        format!("autoencoder {}, of {} dimensions\n", model.id, grouped(sae.dim() as u64));
    let mut line = |name: &str, said: String| {
        let _ = writeln!(text, "  {name:<12}{said}");
    };
    let rows = grouped(health.n_rows as u64);
    line("rows", rows);
    if !history.is_empty() {
        line("epochs", format!("{}, best {best_epoch}; unexplained after each", history.len()));
    }
    for epochs in history.chunks(EPOCHS) {
        let values: Vec<String> = epochs.iter().map(|e| format!("{:.4}", e.criterion())).collect();
        line("", values.join(" "));
    }
    let validation = quality
        .fvu_validation
        .map_or_else(String::new, |fvu| format!(", {fvu:.4} of the rows that validated"));
    line("unexplained", format!("{:.4} of the variance{validation}", quality.fvu_discover));
    if let Some(Reconstruction { cosine, n_silent, .. }) = reconstruction {
        line("cosine", format!("{cosine:.4} of a row and what is made of it again"));
        line("silent", format!("{} rows, on which nothing fires", grouped(n_silent as u64)));
    }
    line(
        "neurons",
        format!(
            "{}: {} alive, {} dead, {} that fire on more than half of the rows",
            health.n_neurons, health.n_alive, health.n_dead, health.n_ultra_dense
        ),
    );
    line("active", format!("{:.2} neurons a row", health.mean_active));
    line("redundant", format!("{} with a cosine above 0.7 to another", health.n_redundant));
    if let Some(share) = health.stability {
        line("stable", format!("{:.0} % found again by a second training", 100.0 * share));
    }
    line("fire on", "neurons".into());
    let ends = DENSITIES.iter().skip(1).map(Some).chain([None]);
    for ((from, to), count) in DENSITIES.iter().zip(ends).zip(&health.densities) {
        let to = to.map_or_else(|| "100 %".into(), |to| percent(*to));
        let _ = writeln!(text, "  {:>7} to {to:<8}{count:>6}", percent(*from));
    }
    text
}

fn percent(share: f64) -> String {
    format!("{} %", (100.0 * share * 1e6).round() / 1e6)
}

/// That a file of these dimensions was written.
pub fn written(file: &Path, shape: &[usize], figures: &[(&str, f64)], as_json: bool) -> Result<()> {
    if as_json {
        let mut all = serde_json::json!({ "file": file, "shape": shape });
        for (name, value) in figures {
            all[*name] = (*value).into();
        }
        return print(&json(&all)?);
    }
    let shape: Vec<String> = shape.iter().map(|&n| grouped(n as u64)).collect();
    let figures = figures.iter().map(|(name, v)| format!(", {} {v:.2}", name.replace('_', " ")));
    let figures: String = figures.collect();
    print(&format!("{}: {}{figures}", file.display(), shape.join(" x ")))
}
