//! The tables `hypotheses`, `effects`, `models` and `overlap`.

use hypothesaes_math::{Error as MathError, Estimate};
use serde::Serialize;

use super::{Effect, Evaluation, Model, Tested, Together};
use crate::Result;
use crate::table::{Column, Table};

/// What the tables say of a hypothesis beyond the evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Wording {
    pub hypothesis: String,
    /// The neuron it words and its autoencoder; `None` for a hypothesis of the user's own.
    pub neuron_id: Option<usize>,
    pub sae_id: Option<String>,
    /// What the neuron was selected by.
    pub selection_score: Option<f64>,
}

/// A row of `effects`.
struct Row<'a> {
    id: Option<&'a str>,
    model: &'static str,
    estimand: &'static str,
    effect: &'a Effect,
}

impl Evaluation {
    /// Table `hypotheses`: a row per hypothesis; `fidelity` are columns of the caller's.
    ///
    /// # Errors
    /// [`crate::Error::Math`] if `wordings` or a column of `fidelity` does not have one entry per
    /// hypothesis.
    pub fn hypotheses_table(&self, wordings: &[Wording], fidelity: Vec<Column>) -> Result<Table> {
        MathError::check_len("wordings", wordings.len(), self.hypotheses.len())?;
        for column in &fidelity {
            MathError::check_len(column.name, column.values.len(), self.hypotheses.len())?;
        }
        let mut columns = self.named(wordings);
        columns.extend(self.joint_columns());
        columns.extend(self.separation_columns());
        columns.extend(self.count_columns());
        columns.extend(fidelity);
        columns.extend(Self::source_columns(wordings));
        columns.push(Column::text(
            "warning",
            "what to know before reading the numbers",
            self.hypotheses.iter().map(|t| t.warning.clone()),
        ));
        Ok(Table { name: "hypotheses", columns })
    }

    /// Table `effects`: a row per hypothesis and model, and one for the intercept.
    #[must_use]
    pub fn effects_table(&self) -> Table {
        let rows = self.rows();
        let number = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            Column::number(name, unit, description, rows.iter().map(|row| value(row.effect)))
        };
        let words = |name, description, value: fn(&Row) -> &'static str| {
            Column::text(name, description, rows.iter().map(|row| Some(value(row).to_owned())))
        };
        let effect = "target or log-odds";
        let columns = vec![
            Column::text(
                "hypothesis_id",
                "hypothesis, missing for the intercept",
                rows.iter().map(|row| row.id.map(str::to_owned)),
            ),
            words("term", "hypothesis or intercept", |row| match row.id {
                Some(_) => "hypothesis",
                None => "intercept",
            }),
            words("model", "single: by itself; joint: beside all others", |row| row.model),
            words(
                "estimand",
                "diff_means, diff_proportions, coefficient (least squares) or log_odds (logit)",
                |row| row.estimand,
            ),
            number("estimate", effect, "estimated effect", |e| Some(e.estimate.value)),
            number("std_error", effect, "its standard error", |e| e.estimate.std_error),
            number("statistic", "", "t or z", |e| e.estimate.statistic),
            number("df", "", "degrees of freedom of t, missing for z", |e| e.estimate.df),
            number("p_value", "", "two-sided, not adjusted", |e| e.estimate.p_value),
            number("p_holm", "", "adjusted after Holm within the model", |e| e.p_holm),
            number("p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            number("p_bonferroni", "", "adjusted after Bonferroni", |e| e.p_bonferroni),
            number("conf_low", effect, "lower end of the interval", |e| e.estimate.conf_low),
            number("conf_high", effect, "upper end of the interval", |e| e.estimate.conf_high),
            Column::number(
                "conf_level",
                "share",
                "coverage of the interval",
                rows.iter().map(|_| Some(self.options.conf_level)),
            ),
            Column::integer(
                "n",
                "count",
                "texts the estimate rests on",
                rows.iter().map(|row| Some(row.effect.n)),
            ),
            Column::text(
                "vcov",
                "where the test comes from: welch, pooled (larger than welch), newcombe (interval; \
                 the test is Fisher's), hc3, classical (larger than hc3) or profile (of Firth's \
                 penalised likelihood)",
                rows.iter().map(|row| row.effect.source.as_ref().and_then(name_of)),
            ),
            number("std_error_hc3", effect, "HC3 standard error", |e| e.std_error_hc3),
            number("std_error_classical", effect, "the one that trusts the model", |e| {
                e.std_error_classical
            }),
        ];
        Table { name: "effects", columns }
    }

    /// Table `models`: cross-fitted and in-sample fit of all hypotheses together.
    #[must_use]
    pub fn models_table(&self) -> Table {
        let all = &self.models;
        let number = |name, description, value: fn(&Together) -> Option<f64>| {
            Column::number(name, "metric", description, all.iter().map(value))
        };
        let count = |name, description, value: fn(&Together) -> Option<usize>| {
            Column::integer(name, "count", description, all.iter().map(value))
        };
        let columns = vec![
            Column::text(
                "model",
                "ols or logit, of all fitted hypotheses together",
                all.iter().map(|_| name_of(&self.model)),
            ),
            Column::text("metric", "r_squared or auc", all.iter().map(|m| name_of(&m.metric))),
            Column::text(
                "fit",
                "cross_fitted: each text predicted by a model fitted without it; in_sample: too \
                 favourable",
                all.iter().map(|m| name_of(&m.fit)),
            ),
            number("estimate", "value of the metric", |m| m.measure.map(|v| v.value)),
            number("std_error", "its standard error", |m| m.measure.map(|v| v.std_error)),
            number("conf_low", "lower end of the interval", |m| m.measure.map(|v| v.conf_low)),
            number("conf_high", "upper end of the interval", |m| m.measure.map(|v| v.conf_high)),
            Column::number(
                "conf_level",
                "share",
                "coverage of the interval",
                all.iter().map(|_| Some(self.options.conf_level)),
            ),
            count("n", "texts", |m| Some(m.n)),
            count("n_terms", "fitted hypotheses", |m| Some(m.n_terms)),
            count("n_folds", "folds, if cross-fitted", |m| m.n_folds),
            Column::integer(
                "n_hold",
                "count",
                "hypotheses that hold",
                all.iter().map(|_| Some(self.n_hold)),
            ),
            Column::integer(
                "n_hold_jointly",
                "count",
                "of these, those whose p_holm beside all others is below alpha too",
                all.iter().map(|_| Some(self.n_hold_jointly)),
            ),
        ];
        Table { name: "models", columns }
    }

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

    fn named(&self, wordings: &[Wording]) -> Vec<Column> {
        let all = || self.hypotheses.iter();
        vec![
            Column::text(
                "hypothesis_id",
                "in order of selection",
                all().map(|t| Some(t.id.clone())),
            ),
            Column::text(
                "hypothesis",
                "what the texts do",
                wordings.iter().map(|w| Some(w.hypothesis.clone())),
            ),
            Column::text(
                "status",
                "holds (separation_p_holm below alpha), does_not_hold, constant, aliased, duplicate (of an \
                 earlier one) or untested",
                all().map(|t| name_of(&t.status)),
            ),
            Column::text(
                "direction",
                "higher or lower target, or the class that goes with the concept",
                all().map(|t| t.direction.clone()),
            ),
        ]
    }

    fn joint_columns(&self) -> Vec<Column> {
        let unit = match self.model {
            Model::Ols => "target",
            Model::Logit => "log-odds",
        };
        let joint = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            let of = |t: &Tested| t.joint.as_ref().and_then(value);
            Column::number(name, unit, description, self.hypotheses.iter().map(of))
        };
        let of_estimate = |name, unit, description, value: fn(&Estimate) -> Option<f64>| {
            let of = |t: &Tested| t.joint.as_ref().and_then(|e| value(&e.estimate));
            Column::number(name, unit, description, self.hypotheses.iter().map(of))
        };
        let source = |t: &Tested| t.joint.as_ref()?.source.as_ref().and_then(name_of);
        vec![
            of_estimate("estimate", unit, "effect beside all other hypotheses", |e| Some(e.value)),
            of_estimate("std_error", unit, "its standard error", |e| e.std_error),
            of_estimate("statistic", "", "t, or z without df", |e| e.statistic),
            of_estimate("df", "", "degrees of freedom of t", |e| e.df),
            of_estimate("p_value", "", "two-sided, not adjusted", |e| e.p_value),
            joint("p_holm", "", "adjusted after Holm", |e| e.p_holm),
            joint("p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            joint("p_bonferroni", "", "adjusted after Bonferroni", |e| e.p_bonferroni),
            of_estimate("conf_low", unit, "lower end of its interval", |e| e.conf_low),
            of_estimate("conf_high", unit, "upper end of its interval", |e| e.conf_high),
            Column::text(
                "vcov",
                "where std_error comes from: hc3, classical (larger than hc3) or profile",
                self.hypotheses.iter().map(source),
            ),
        ]
    }

    fn separation_columns(&self) -> Vec<Column> {
        let adjusted = |name, description, value: fn(&Effect) -> Option<f64>| {
            let of = |t: &Tested| t.separation.as_ref().and_then(value);
            Column::number(name, "", description, self.hypotheses.iter().map(of))
        };
        let of_estimate = |name, description, value: fn(&Estimate) -> Option<f64>| {
            let of = |t: &Tested| t.separation.as_ref().and_then(|e| value(&e.estimate));
            Column::number(name, "target", description, self.hypotheses.iter().map(of))
        };
        let of = |name, description, value: fn(&Tested) -> Option<f64>| {
            Column::number(name, "target", description, self.hypotheses.iter().map(value))
        };
        vec![
            of_estimate("separation", "mean_present minus mean_absent", |e| Some(e.value)),
            of_estimate("separation_std_error", "its standard error", |e| e.std_error),
            adjusted("separation_p_value", "two-sided, not adjusted", |e| e.estimate.p_value),
            adjusted("separation_p_holm", "adjusted after Holm", |e| e.p_holm),
            adjusted("separation_p_bh", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            adjusted("separation_p_bonferroni", "adjusted after Bonferroni", |e| e.p_bonferroni),
            of_estimate("separation_conf_low", "lower end of its interval", |e| e.conf_low),
            of_estimate("separation_conf_high", "upper end of its interval", |e| e.conf_high),
            of("mean_present", "mean target of the texts with the concept", |t| t.mean_present),
            of("mean_absent", "mean target of the texts without it", |t| t.mean_absent),
        ]
    }

    fn count_columns(&self) -> Vec<Column> {
        let count = |name, description, value: fn(&Tested) -> usize| {
            let values = self.hypotheses.iter().map(|t| Some(value(t)));
            Column::integer(name, "count", description, values)
        };
        vec![
            Column::number(
                "prevalence",
                "share",
                "share of the annotated held-out texts with the concept",
                self.hypotheses.iter().map(|t| t.prevalence),
            ),
            count("n", "annotated held-out texts", |t| t.n),
            count("n_present", "held-out texts with the concept", |t| t.n_present),
            count("n_absent", "held-out texts without it", |t| t.n_absent),
            count("n_missing", "held-out texts without annotation", |t| t.n_missing),
        ]
    }

    fn source_columns(wordings: &[Wording]) -> Vec<Column> {
        let all = || wordings.iter();
        vec![
            Column::integer("neuron_id", "", "neuron it words", all().map(|w| w.neuron_id)),
            Column::text("sae_id", "autoencoder of the neuron", all().map(|w| w.sae_id.clone())),
            Column::number(
                "selection_score",
                "",
                "what the neuron was selected by on the discover texts",
                all().map(|w| w.selection_score),
            ),
        ]
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let (single, joint) = match self.model {
            Model::Ols => ("diff_means", "coefficient"),
            Model::Logit => ("diff_proportions", "log_odds"),
        };
        let row = |id, model, estimand, effect| Row { id, model, estimand, effect };
        let mut rows = Vec::new();
        for t in &self.hypotheses {
            let id = Some(t.id.as_str());
            rows.extend(t.separation.as_ref().map(|effect| row(id, "single", single, effect)));
            rows.extend(t.joint.as_ref().map(|effect| row(id, "joint", joint, effect)));
        }
        rows.extend(self.intercept.as_ref().map(|effect| row(None, "joint", joint, effect)));
        rows
    }
}

/// The name that a value without fields has in JSON, so that tables and JSON agree.
fn name_of(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => None,
    }
}
