//! The table `effects`: every estimate on a row of its own.

use super::{class, name_of};
use crate::evaluate::{Effect, Evaluation, Model};
use crate::table::{Column, Table};

/// A row.
struct Row<'a> {
    id: Option<&'a str>,
    class: Option<&'a String>,
    model: &'static str,
    estimand: &'static str,
    effect: &'a Effect,
}

impl Evaluation {
    /// Table `effects`: a row per hypothesis and model, and one for each intercept.
    #[must_use]
    pub fn effects_table(&self) -> Table {
        let rows = self.rows();
        let number = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            Column::number(name, unit, description, rows.iter().map(|row| value(row.effect)))
        };
        let words = |name, description, value: fn(&Row) -> &'static str| {
            Column::text(name, description, rows.iter().map(|row| Some(value(row).to_owned())))
        };
        let effect = "target, or unit of the model";
        let mut columns = vec![Column::text(
            "hypothesis_id",
            "hypothesis, missing for the intercept",
            rows.iter().map(|row| row.id.map(str::to_owned)),
        )];
        if self.has_classes() {
            columns.push(class(rows.iter().map(|row| row.class.cloned())));
        }
        columns.extend([
            words("term", "hypothesis or intercept", |row| match row.id {
                Some(_) => "hypothesis",
                None => "intercept",
            }),
            words(
                "model",
                "single: by itself; unclustered: as if texts of a group were independent; adjusted: \
                 beside the controls; joint: beside all others and the controls",
                |row| row.model,
            ),
            words(
                "estimand",
                "diff_means, diff_proportions, diff_wins (share of wins minus losses), coefficient \
                 (least squares), log_odds or log_rate",
                |row| row.estimand,
            ),
            number("estimate", effect, "estimated effect", |e| Some(e.estimate.value)),
            number("std_error", effect, "its standard error", |e| e.estimate.std_error),
            number("statistic", "", "t or z", |e| e.estimate.statistic),
            number("df", "", "degrees of freedom of t, missing for z", |e| e.estimate.df),
            number("p_value", "", "two-sided, not adjusted", |e| e.estimate.p_value),
            number("p_holm", "", "adjusted after Holm within the model", |e| e.p_holm),
            number("p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            number("p_by", "", "adjusted after Benjamini and Yekutieli", |e| e.p_by),
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
                 the test is Fisher's with mid-p), binomial (with mid-p; the interval is Wilson's), \
                 hc3, hc2 or hc1 (within fixed effects), cr3, cr2 or cr1 (by group), classical \
                 (larger than these), wild_cluster or score_cluster (bootstraps by group), \
                 sandwich (proportional odds) or profile (of Firth's penalised likelihood)",
                rows.iter().map(|row| row.effect.source.as_ref().and_then(name_of)),
            ),
            number("std_error_hc3", effect, "HC3 standard error", |e| e.std_error_hc3),
            number("std_error_robust", effect, "robust one: HC3's, or by group", |e| {
                e.std_error_robust
            }),
            number("std_error_classical", effect, "the one that trusts the model", |e| {
                e.std_error_classical
            }),
        ]);
        Table { name: "effects", columns }
    }

    fn separation_estimand(&self) -> &'static str {
        match self.model {
            _ if self.is_paired => "diff_wins",
            Model::Logit | Model::LinearProbability => "diff_proportions",
            _ => "diff_means",
        }
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let joint = match self.model {
            Model::Ols | Model::LinearProbability => "coefficient",
            Model::Logit | Model::Ordinal => "log_odds",
            Model::Poisson | Model::NegativeBinomial => "log_rate",
        };
        let mut rows = Vec::new();
        for t in &self.hypotheses {
            let single = [
                ("single", &t.separation),
                ("unclustered", &t.unclustered),
                ("adjusted", &t.adjusted),
            ];
            let single =
                single.into_iter().map(|(model, e)| (model, self.separation_estimand(), e));
            for (model, estimand, effect) in single.chain([("joint", joint, &t.joint)]) {
                let (id, class) = (Some(t.id.as_str()), t.class.as_ref());
                rows.extend(effect.as_ref().map(|effect| Row {
                    id,
                    class,
                    model,
                    estimand,
                    effect,
                }));
            }
        }
        rows.extend(self.intercepts.iter().map(|i| {
            let (class, model) = (i.class.as_ref(), "joint");
            Row { id: None, class, model, estimand: joint, effect: &i.effect }
        }));
        rows
    }
}
