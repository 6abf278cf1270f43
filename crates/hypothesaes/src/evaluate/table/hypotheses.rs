//! The table `hypotheses`: everything about each on one row.

use hypothesaes_math::{Error as MathError, Estimate};

use super::{Wording, class, name_of};
use crate::Result;
use crate::evaluate::{Effect, Evaluation, Tested};
use crate::table::{Column, Table};

impl Evaluation {
    /// Table `hypotheses`: a row per hypothesis, and per class if there are several; `fidelity` are
    /// columns of the caller's, one entry per hypothesis.
    ///
    /// # Errors
    /// [`crate::Error::Math`] if `wordings` or a column of `fidelity` does not have one entry per
    /// hypothesis.
    pub fn hypotheses_table(&self, wordings: &[Wording], fidelity: Vec<Column>) -> Result<Table> {
        let n_classes = self.n_classes(wordings.len());
        MathError::check_len("wordings", wordings.len() * n_classes, self.hypotheses.len())?;
        for column in &fidelity {
            MathError::check_len(column.name, column.values.len(), wordings.len())?;
        }
        let wordings: Vec<&Wording> =
            wordings.iter().cycle().take(wordings.len() * n_classes).collect();
        let mut columns = self.named(&wordings);
        columns.extend(self.joint_columns());
        columns.extend(self.separation_columns());
        columns.extend(self.adjusted_columns());
        columns.extend(self.strata_columns());
        columns.extend(self.count_columns());
        columns.extend(fidelity.into_iter().map(|column| column.repeated(n_classes)));
        columns.extend(source_columns(&wordings));
        columns.push(Column::text(
            "warning",
            "what to know before reading the numbers",
            self.hypotheses.iter().map(|t| t.warning.clone()),
        ));
        Ok(Table { name: "hypotheses", columns })
    }

    /// How many rows each of `n` hypotheses has.
    fn n_classes(&self, n: usize) -> usize {
        self.hypotheses.len().checked_div(n).unwrap_or(1)
    }

    fn named(&self, wordings: &[&Wording]) -> Vec<Column> {
        let all = || self.hypotheses.iter();
        let origin = |w: &&Wording| match w.neuron_id {
            Some(_) => Some("discovered".to_owned()),
            None => Some("own".to_owned()),
        };
        let mut columns = vec![Column::text(
            "hypothesis_id",
            "in order of selection",
            all().map(|t| Some(t.id.clone())),
        )];
        if self.has_classes() {
            columns.push(class(all().map(|t| t.class.clone())));
        }
        columns.extend([
            Column::text(
                "hypothesis",
                "what the texts do",
                wordings.iter().map(|w| Some(w.hypothesis.clone())),
            ),
            Column::text(
                "origin",
                "discovered in other texts of these data, or the user's own",
                wordings.iter().map(origin),
            ),
            Column::text(
                "status",
                "holds (separation_p_holm, or adjusted_p_holm if there is one, below alpha), \
                 does_not_hold, constant, aliased, duplicate (of an earlier one) or untested",
                all().map(|t| name_of(&t.status)),
            ),
            Column::text(
                "direction",
                "higher or lower target, or the class that goes with the concept",
                all().map(|t| t.direction.clone()),
            ),
        ]);
        columns
    }

    /// A column of numbers, one per tested hypothesis.
    fn number(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        value: impl Fn(&Tested) -> Option<f64>,
    ) -> Column {
        Column::number(name, unit, description, self.hypotheses.iter().map(value))
    }

    fn joint_columns(&self) -> Vec<Column> {
        let unit = self.model.unit();
        let joint = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            self.number(name, unit, description, |t| t.joint.as_ref().and_then(value))
        };
        let marginal = |name, description, value: fn(&Estimate) -> Option<f64>| {
            self.number(name, "target", description, |t| t.marginal.as_ref().and_then(value))
        };
        let source = |t: &Tested| t.joint.as_ref()?.source.as_ref().and_then(name_of);
        let mut columns = vec![
            joint("estimate", unit, "effect beside all other hypotheses", |e| Some(e.estimate.value)),
            joint("std_error", unit, "its standard error", |e| e.estimate.std_error),
            joint("statistic", "", "t, or z without df", |e| e.estimate.statistic),
            joint("df", "", "degrees of freedom of t", |e| e.estimate.df),
            joint("p_value", "", "two-sided, not adjusted", |e| e.estimate.p_value),
            joint("p_holm", "", "adjusted after Holm", |e| e.p_holm),
            joint("p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            joint("p_by", "", "adjusted after Benjamini and Yekutieli", |e| e.p_by),
            joint("p_bonferroni", "", "adjusted after Bonferroni", |e| e.p_bonferroni),
            joint("conf_low", unit, "lower end of its interval", |e| e.estimate.conf_low),
            joint("conf_high", unit, "upper end of its interval", |e| e.estimate.conf_high),
            Column::text(
                "vcov",
                "where std_error comes from: see the table effects",
                self.hypotheses.iter().map(source),
            ),
            marginal(
                "marginal_effect",
                "what the concept adds to the mean of the target on average, the others held equal",
                |e| Some(e.value),
            ),
            marginal("marginal_conf_low", "lower end of its interval", |e| e.conf_low),
            marginal("marginal_conf_high", "upper end of its interval", |e| e.conf_high),
            self.number(
                "standardised_effect",
                "standard deviations",
                "estimate per standard deviation of the concept and, in least squares, of the target",
                |t| t.standardised,
            ),
            self.number(
                "fit_change",
                "metric",
                "what R2, AUC or explained deviance of all together lose without it, in sample",
                |t| t.change,
            ),
        ];
        if self.hypotheses.iter().any(|t| t.p_proportional.is_some()) {
            columns.push(self.number(
                "proportional_odds_p_value",
                "",
                "of the test that one number is enough for all levels",
                |t| t.p_proportional,
            ));
        }
        columns
    }

    fn separation_columns(&self) -> Vec<Column> {
        let of = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            self.number(name, unit, description, |t| t.separation.as_ref().and_then(value))
        };
        let own = |name, description, value: fn(&Tested) -> Option<f64>| {
            self.number(name, self.unit_of_means(), description, value)
        };
        vec![
            of(
                "separation",
                self.unit_of_means(),
                "mean_present minus mean_absent; of pairs, share of wins of \
                the side that has the concept minus share of losses",
                |e| Some(e.estimate.value),
            ),
            of("separation_std_error", self.unit_of_means(), "its standard error", |e| {
                e.estimate.std_error
            }),
            of("separation_p_value", "", "two-sided, not adjusted", |e| e.estimate.p_value),
            of("separation_p_holm", "", "adjusted after Holm", |e| e.p_holm),
            of("separation_p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            of("separation_p_by", "", "adjusted after Benjamini and Yekutieli", |e| e.p_by),
            of("separation_p_bonferroni", "", "adjusted after Bonferroni", |e| e.p_bonferroni),
            of("separation_conf_low", self.unit_of_means(), "lower end of its interval", |e| {
                e.estimate.conf_low
            }),
            of("separation_conf_high", self.unit_of_means(), "upper end of its interval", |e| {
                e.estimate.conf_high
            }),
            own("mean_present", "mean target of the texts with the concept", |t| t.mean_present),
            own("mean_absent", "mean target of the texts without it", |t| t.mean_absent),
            own(
                "detectable_separation",
                "smallest separation that would have been found with the chance evaluate.power, \
                 Bonferroni-adjusted, with so many texts and this prevalence",
                |t| t.detectable,
            ),
        ]
    }

    /// The separation beside the controls, if there are controls.
    fn adjusted_columns(&self) -> Vec<Column> {
        if self.hypotheses.iter().all(|t| t.adjusted.is_none()) {
            return Vec::new();
        }
        let of = |name, unit, description, value: fn(&Effect) -> Option<f64>| {
            self.number(name, unit, description, |t| t.adjusted.as_ref().and_then(value))
        };
        vec![
            of(
                "adjusted_separation",
                self.unit_of_means(),
                "separation beside the controls",
                |e| Some(e.estimate.value),
            ),
            of("adjusted_std_error", self.unit_of_means(), "its standard error", |e| {
                e.estimate.std_error
            }),
            of("adjusted_p_value", "", "two-sided, not adjusted for their number", |e| {
                e.estimate.p_value
            }),
            of("adjusted_p_holm", "", "adjusted after Holm: what decides", |e| e.p_holm),
            of("adjusted_p_bh", "", "adjusted after Benjamini and Hochberg", |e| e.p_bh),
            of("adjusted_p_by", "", "adjusted after Benjamini and Yekutieli", |e| e.p_by),
            of("adjusted_p_bonferroni", "", "adjusted after Bonferroni", |e| e.p_bonferroni),
            of("adjusted_conf_low", self.unit_of_means(), "lower end of its interval", |e| {
                e.estimate.conf_low
            }),
            of("adjusted_conf_high", self.unit_of_means(), "upper end of its interval", |e| {
                e.estimate.conf_high
            }),
        ]
    }

    /// How effects differ between strata, if there are strata.
    fn strata_columns(&self) -> Vec<Column> {
        if self.hypotheses.iter().all(|t| t.interaction.is_none()) {
            return Vec::new();
        }
        let of = |name, description, value: fn(&crate::evaluate::Interaction) -> Option<f64>| {
            self.number(name, "", description, |t| t.interaction.as_ref().and_then(value))
        };
        vec![
            of("interaction_p_value", "whether separations are equal in all strata", |i| i.p_value),
            of("interaction_p_holm", "adjusted after Holm", |i| i.p_holm),
            of("reversal_p_value", "whether they have one sign (Gail and Simon)", |i| i.p_reversal),
            of("reversal_p_holm", "adjusted after Holm", |i| i.p_reversal_holm),
        ]
    }

    fn count_columns(&self) -> Vec<Column> {
        let count = |name, description, value: fn(&Tested) -> usize| {
            let values = self.hypotheses.iter().map(|t| Some(value(t)));
            Column::integer(name, "count", description, values)
        };
        vec![
            self.number(
                "prevalence",
                "share",
                "share of the annotated held-out texts with the concept",
                |t| t.prevalence,
            ),
            count("n", "annotated held-out texts, or pairs", |t| t.n),
            count("n_present", "with the concept; of pairs, in one text alone", |t| t.n_present),
            count("n_absent", "without it", |t| t.n_absent),
            count("n_missing", "held-out texts, or pairs, without annotation", |t| t.n_missing),
        ]
    }
}

fn source_columns(wordings: &[&Wording]) -> Vec<Column> {
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
