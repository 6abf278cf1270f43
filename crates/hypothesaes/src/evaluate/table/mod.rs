//! The tables `hypotheses`, `effects`, `models`, `strata`, `overlap` and `gold`.

mod effects;
mod gold;
mod hypotheses;
mod models;

use serde::Serialize;

use super::{Evaluation, Model};
use crate::table::{Column, Table};

/// What the tables say of a hypothesis beyond the evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wording {
    pub hypothesis: String,
    /// The neuron it words and its autoencoder; `None` for a hypothesis of the user's own.
    pub neuron_id: Option<usize>,
    pub sae_id: Option<String>,
    /// What the neuron was selected by.
    pub selection_score: Option<f64>,
}

impl Evaluation {
    /// Table `overlap`: a row per pair of hypotheses.
    #[must_use]
    pub fn overlap_table(&self) -> Table {
        let pairs = || self.overlap.iter();
        let columns = vec![
            Column::text("hypothesis_id_1", "first", pairs().map(|p| Some(p.id_1.clone()))),
            Column::text("hypothesis_id_2", "second", pairs().map(|p| Some(p.id_2.clone()))),
            Column::number(
                "phi",
                "",
                "correlation of the two annotations, missing if one is constant",
                pairs().map(|p| p.phi),
            ),
            Column::number(
                "jaccard",
                "share",
                "texts with both among texts with either",
                pairs().map(|p| p.jaccard),
            ),
            Column::integer("n_both", "count", "texts with both", pairs().map(|p| Some(p.n_both))),
        ];
        Table { name: "overlap", columns }
    }

    /// Table `strata`: a row per hypothesis and stratum; `None` without strata.
    #[must_use]
    pub fn strata_table(&self) -> Option<Table> {
        if self.strata.is_empty() {
            return None;
        }
        let all = || self.strata.iter();
        let effect = |w: &super::Within| w.separation.map(|e| e.estimate);
        let mut columns =
            vec![Column::text("hypothesis_id", "hypothesis", all().map(|w| Some(w.id.clone())))];
        if all().any(|w| w.class.is_some()) {
            columns.push(class(all().map(|w| w.class.clone())));
        }
        columns.extend([
            Column::text("stratum", "value of the strata column", all().map(|w| Some(w.stratum.clone()))),
            Column::integer("n", "count", "annotated held-out texts in it", all().map(|w| Some(w.n))),
            Column::integer(
                "n_present",
                "count",
                "of these, texts with the concept",
                all().map(|w| Some(w.n_present)),
            ),
            Column::number(
                "separation",
                self.unit_of_means(),
                "mean target with the concept minus without, within the stratum, beside the controls",
                all().map(|w| effect(w).map(|e| e.value)),
            ),
            Column::number(
                "separation_std_error",
                self.unit_of_means(),
                "its standard error",
                all().map(|w| effect(w).and_then(|e| e.std_error)),
            ),
            Column::number(
                "separation_p_value",
                "",
                "two-sided, not adjusted",
                all().map(|w| effect(w).and_then(|e| e.p_value)),
            ),
            Column::number(
                "separation_conf_low",
                self.unit_of_means(),
                "lower end of its interval",
                all().map(|w| effect(w).and_then(|e| e.conf_low)),
            ),
            Column::number(
                "separation_conf_high",
                self.unit_of_means(),
                "upper end of its interval",
                all().map(|w| effect(w).and_then(|e| e.conf_high)),
            ),
        ]);
        Some(Table { name: "strata", columns })
    }

    /// Of means and separations.
    fn unit_of_means(&self) -> &'static str {
        if self.has_exposure { "target per unit of exposure" } else { "target" }
    }

    /// Whether there are several classes, each set against all others.
    fn has_classes(&self) -> bool {
        self.hypotheses.iter().any(|t| t.class.is_some())
    }
}

impl Model {
    /// Unit of the coefficients.
    fn unit(self) -> &'static str {
        match self {
            Self::Ols => "target",
            Self::Logit | Self::Ordinal => "log-odds",
            Self::LinearProbability => "share",
            Self::Poisson | Self::NegativeBinomial => "log of the mean",
        }
    }
}

/// Column of the class that a row is about.
pub(crate) fn class(classes: impl Iterator<Item = Option<String>>) -> Column {
    Column::text("class", "class of the target, set against all others", classes)
}

/// The name that a value without fields has in JSON, so that tables and JSON agree.
fn name_of(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => None,
    }
}
