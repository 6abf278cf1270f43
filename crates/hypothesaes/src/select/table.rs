//! The table `neurons`.

use super::{Neuron, Selection, Twin};
use crate::Result;
use crate::table::{Column, Table};

impl Selection {
    /// Table `neurons`: a row per neuron; `sae_ids` names the autoencoder of each.
    ///
    /// # Errors
    /// [`crate::Error::Math`] if `sae_ids` does not have one entry per neuron.
    pub fn table(&self, sae_ids: &[String]) -> Result<Table> {
        hypothesaes_math::Error::check_len("sae_ids", sae_ids.len(), self.neurons.len())?;
        let mut ranks = vec![None; self.neurons.len()];
        let mut twins = vec![None; self.neurons.len()];
        for chosen in &self.chosen {
            ranks[chosen.neuron] = Some(chosen.rank);
            twins[chosen.neuron] = chosen.twin;
        }
        let neurons = || self.neurons.iter();
        let density = |neuron: &Neuron| neuron.moments.count as f64 / self.n_texts.max(1) as f64;
        let mut columns = vec![
            Column::integer(
                "neuron_id",
                "",
                "number of the neuron, counted through all autoencoders from 0",
                (0..self.neurons.len()).map(Some),
            ),
            Column::text("sae_id", "autoencoder of the neuron", sae_ids.iter().cloned().map(Some)),
            Column::integer(
                "n_active",
                "count",
                "discover texts the neuron fires on",
                neurons().map(|neuron| Some(neuron.moments.count)),
            ),
            Column::number(
                "density",
                "share",
                "share of the discover texts the neuron fires on",
                neurons().map(|neuron| Some(density(neuron))),
            ),
            Column::number(
                "mean_activation",
                "activation",
                "mean activation over all discover texts, those with none counting as 0",
                neurons().map(|neuron| Some(neuron.moments.mean)),
            ),
            Column::number(
                "max_activation",
                "activation",
                "largest activation on a discover text",
                neurons().map(|neuron| Some(neuron.moments.max)),
            ),
            Column::flag(
                "is_dead",
                "whether the neuron fires on no discover text",
                neurons().map(|neuron| Some(neuron.moments.count == 0)),
            ),
            Column::number(
                "separation",
                "target",
                "mean target of the texts the neuron fires on minus that of the others",
                neurons().map(|neuron| neuron.separation),
            ),
            Column::number(
                "correlation",
                "",
                "Pearson correlation of activation and target",
                neurons().map(|neuron| neuron.correlation),
            ),
            Column::number(
                "lasso",
                "target per standard deviation",
                "coefficient of the L1-penalised regression (log-odds for a binary target), \
                 missing for another method",
                neurons().map(|neuron| neuron.lasso),
            ),
            Column::number(
                "stability",
                "share",
                "share of half-samples of the texts in which the neuron is selected again, missing \
                 without them",
                neurons().map(|neuron| neuron.stability),
            ),
            Column::integer(
                "selection_rank",
                "",
                "place among the chosen neurons from 1, missing if not chosen",
                ranks,
            ),
        ];
        columns.extend(twin_columns(&twins));
        if self.neurons.iter().any(|neuron| neuron.class.is_some()) {
            columns.insert(
                9,
                Column::text(
                    "class",
                    "class that separation and correlation are about: with which it goes most",
                    neurons().map(|neuron| neuron.class.clone()),
                ),
            );
        }
        Ok(Table { name: "neurons", columns })
    }
}

/// Which better neuron each chosen one is most like.
fn twin_columns(twins: &[Option<Twin>]) -> Vec<Column> {
    vec![
        Column::integer(
            "twin",
            "",
            "of a chosen neuron, the one of a better rank that is most like it",
            twins.iter().map(|twin| twin.map(|t| t.neuron)),
        ),
        Column::number(
            "redundancy",
            "",
            "correlation of its activations with those of the twin",
            twins.iter().map(|twin| twin.and_then(|t| t.correlation)),
        ),
        Column::number(
            "decoder_cosine",
            "",
            "cosine of the two decoders, missing for neurons of different autoencoders",
            twins.iter().map(|twin| twin.and_then(|t| t.cosine)),
        ),
    ]
}
