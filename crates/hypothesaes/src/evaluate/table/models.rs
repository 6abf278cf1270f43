//! The table `models`: how well everything together predicts.

use hypothesaes_math::Estimate;

use super::{class, name_of};
use crate::evaluate::{Evaluation, Together};
use crate::table::{Column, Table};

impl Evaluation {
    /// Table `models`: cross-fitted and in-sample fit of all hypotheses together, and what they are
    /// compared with.
    #[must_use]
    pub fn models_table(&self) -> Table {
        let all = &self.models;
        let number = |name, description, value: fn(&Estimate) -> Option<f64>| {
            let values = all.iter().map(|m| m.measure.as_ref().and_then(value));
            Column::number(name, "metric", description, values)
        };
        let count = |name, description, value: fn(&Together) -> Option<usize>| {
            Column::integer(name, "count", description, all.iter().map(value))
        };
        let words = |name, description, value: fn(&Together) -> Option<String>| {
            Column::text(name, description, all.iter().map(value))
        };
        let mut columns = Vec::new();
        if self.has_classes() {
            columns.push(class(all.iter().map(|m| m.class.clone())));
        }
        columns.extend([
            Column::text(
                "model",
                "ols, logit, linear_probability, poisson, negative_binomial or ordinal",
                all.iter().map(|_| name_of(&self.model)),
            ),
            words(
                "predictors",
                "hypotheses (with the controls, if any), controls alone, neurons (activations of \
                 those that the hypotheses word) or embeddings (ridge regression on all of them)",
                |m| name_of(&m.predictors),
            ),
            words(
                "metric",
                "r_squared, auc, log_loss, deviance (share explained) or concordance",
                |m| name_of(&m.metric),
            ),
            words(
                "fit",
                "cross_fitted: each text predicted by a model fitted without its group; in_sample: \
                 too favourable",
                |m| name_of(&m.fit),
            ),
            number("estimate", "value of the metric", |e| Some(e.value)),
            number("std_error", "its standard error (bootstrap by group)", |e| e.std_error),
            number("conf_low", "lower end of the interval", |e| e.conf_low),
            number("conf_high", "upper end of the interval", |e| e.conf_high),
            Column::number(
                "conf_level",
                "share",
                "coverage of the interval",
                all.iter().map(|_| Some(self.options.conf_level)),
            ),
            Column::number(
                "null",
                "metric",
                "the metric of what knows the mean alone",
                all.iter().map(|m| m.null),
            ),
            count("n", "texts, or pairs", |m| Some(m.n)),
            count("n_terms", "columns of the model", |m| Some(m.n_terms)),
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
        ]);
        Table { name: "models", columns }
    }
}
