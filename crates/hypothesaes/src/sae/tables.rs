//! The tables `training` and `saes`.

use hypothesaes_math::sae::Epoch;

use super::TrainedSae;
use crate::table::{Column, Table};

const VARIANCE: &str = "share of variance";

/// Table `training`: the curve of every autoencoder, one row per epoch.
#[must_use]
pub fn training_table(models: &[TrainedSae]) -> Table {
    let rows = || models.iter().flat_map(|m| m.history.iter().map(move |e| (m, e)));
    let number = |name, description, value: fn(&Epoch) -> Option<f64>| {
        Column::number(name, VARIANCE, description, rows().map(|(_, e)| value(e)))
    };
    Table {
        name: "training",
        columns: vec![
            Column::text("sae_id", ID, rows().map(|(m, _)| Some(m.id.clone()))),
            Column::integer(
                "epoch",
                "count",
                "Pass over the discover texts, from 1",
                rows().map(|(_, e)| Some(e.epoch)),
            ),
            number(
                "train_loss",
                "Mean loss during the epoch: unexplained variance plus the weighted aux-k term",
                |e| Some(e.train_loss),
            ),
            number(
                "train_fvu",
                "Variance of the discover texts not explained, on average during the epoch",
                |e| Some(e.train_fvu),
            ),
            number(
                "validation_fvu",
                "Variance of the validation texts not explained after the epoch, in units of the \
                 variance of the discover texts",
                |e| e.validation_fvu,
            ),
            Column::integer(
                "n_dead",
                "neurons",
                "Neurons that had fired on none of the latest training texts",
                rows().map(|(_, e)| Some(e.n_dead)),
            ),
            Column::flag(
                "is_best",
                "Whether the weights of this epoch were kept",
                rows().map(|(m, e)| Some(e.epoch == m.best_epoch)),
            ),
        ],
    }
}

/// Table `saes`: one row per autoencoder.
#[must_use]
pub fn sae_table(models: &[TrainedSae]) -> Table {
    let count = |name, unit, description, value: fn(&TrainedSae) -> usize| {
        Column::integer(name, unit, description, models.iter().map(|m| Some(value(m))))
    };
    let number = |name, unit, description, value: fn(&TrainedSae) -> Option<f64>| {
        Column::number(name, unit, description, models.iter().map(value))
    };
    Table {
        name: "saes",
        columns: vec![
            Column::text("sae_id", ID, models.iter().map(|m| Some(m.id.clone()))),
            count("n_neurons", "neurons", "Number of neurons", |m| m.sae.n_neurons()),
            count("k", "neurons", "Neurons active per text, at most", |m| m.sae.k()),
            count("dim", "count", "Dimensions of the embeddings", |m| m.sae.dim()),
            count("n_alive", "neurons", "Neurons that fire on some discover text", |m| {
                m.quality.n_alive
            }),
            count("n_dead", "neurons", "Neurons that fire on no discover text", |m| {
                m.sae.n_neurons() - m.quality.n_alive
            }),
            number("mean_active", "neurons", "Neurons that fire on a discover text, mean", |m| {
                Some(m.quality.mean_active)
            }),
            number(
                "fvu_discover",
                VARIANCE,
                "Variance of the discover texts that the reconstruction does not explain",
                |m| Some(m.quality.fvu_discover),
            ),
            number(
                "fvu_validation",
                VARIANCE,
                "The same of the validation texts, in units of the variance of the discover texts",
                |m| m.quality.fvu_validation,
            ),
            count("best_epoch", "count", "Epoch whose weights were kept", |m| m.best_epoch),
            count("n_epochs", "count", "Epochs trained", |m| m.history.len()),
        ],
    }
}

/// Table `neuron_health`: how every neuron does on the discover texts, and whether others say the same.
#[must_use]
pub fn neuron_table(models: &[TrainedSae]) -> Table {
    let neurons = || models.iter().flat_map(|m| m.health.neurons.iter().map(move |n| (m, n)));
    let firsts = models.iter().scan(0, |next, m| {
        let first = *next;
        *next += m.sae.n_neurons();
        Some(std::iter::repeat_n(first, m.sae.n_neurons()))
    });
    let nearest = neurons().zip(firsts.flatten()).map(|((_, n), first)| Some(first + n.nearest?));
    Table {
        name: "neuron_health",
        columns: vec![
            Column::text("sae_id", ID, neurons().map(|(m, _)| Some(m.id.clone()))),
            Column::integer(
                "neuron_id",
                "",
                "Number of the neuron, counted through all autoencoders from 0",
                (0..neurons().count()).map(Some),
            ),
            Column::number(
                "density",
                "share of texts",
                "Discover texts on which the neuron fires; 0: it is dead, more than 0.5: it says \
                 hardly anything",
                neurons().map(|(_, n)| Some(n.density)),
            ),
            Column::integer(
                "nearest_neuron_id",
                "",
                "Living neuron of the same autoencoder whose decoder row is nearest",
                nearest,
            ),
            Column::number(
                "nearest_cosine",
                "cosine",
                "Of the decoder rows of these two; above 0.7 they say much the same",
                neurons().map(|(_, n)| n.nearest_cosine.map(f64::from)),
            ),
            Column::number(
                "twin_cosine",
                "cosine",
                "With the nearest neuron of a second training, if `sae.stability` asks for one; \
                 above 0.7 the neuron was found again and can be trusted",
                neurons().map(|(_, n)| n.twin_cosine.map(f64::from)),
            ),
        ],
    }
}

const ID: &str = "Autoencoder: neurons, neurons active per text, and which one of that size";
