//! The table `gold`.

use hypothesaes_math::Estimate;

use super::class;
use crate::evaluate::correct::{Corrected, Gold};
use crate::table::{Column, Table};

/// An estimate of each hypothesis.
type Of = fn(&Corrected) -> Option<Estimate>;

/// The effects: names of the columns of each, and what it is.
const EFFECTS: [([&str; 5], &str, Of); 8] = [
    (
        ["naive", "naive_std_error", "naive_p_value", "naive_conf_low", "naive_conf_high"],
        "separation as if the annotator made no errors",
        |h| Some(h.separation?.naive),
    ),
    (
        ["ppi", "ppi_std_error", "ppi_p_value", "ppi_conf_low", "ppi_conf_high"],
        "separation corrected by prediction-powered inference (PPI++)",
        |h| Some(h.separation?.powered),
    ),
    (
        ["dsl", "dsl_std_error", "dsl_p_value", "dsl_conf_low", "dsl_conf_high"],
        "separation corrected by design-based supervised learning (DSL)",
        |h| Some(h.separation?.designed),
    ),
    (
        [
            "by_hand",
            "by_hand_std_error",
            "by_hand_p_value",
            "by_hand_conf_low",
            "by_hand_conf_high",
        ],
        "separation on the texts annotated by hand alone",
        |h| h.separation?.by_hand,
    ),
    (
        [
            "joint_naive",
            "joint_naive_std_error",
            "joint_naive_p_value",
            "joint_naive_conf_low",
            "joint_naive_conf_high",
        ],
        "effect beside the other hypotheses as if the annotator made no errors",
        |h| Some(h.joint?.naive),
    ),
    (
        [
            "joint_ppi",
            "joint_ppi_std_error",
            "joint_ppi_p_value",
            "joint_ppi_conf_low",
            "joint_ppi_conf_high",
        ],
        "that effect corrected by prediction-powered inference (PPI++)",
        |h| Some(h.joint?.powered),
    ),
    (
        [
            "joint_dsl",
            "joint_dsl_std_error",
            "joint_dsl_p_value",
            "joint_dsl_conf_low",
            "joint_dsl_conf_high",
        ],
        "that effect corrected by design-based supervised learning (DSL)",
        |h| Some(h.joint?.designed),
    ),
    (
        [
            "joint_by_hand",
            "joint_by_hand_std_error",
            "joint_by_hand_p_value",
            "joint_by_hand_conf_low",
            "joint_by_hand_conf_high",
        ],
        "that effect on the texts annotated by hand alone",
        |h| h.joint?.by_hand,
    ),
];

impl Gold {
    /// Table `gold`: a row per hypothesis; with several classes, class by class.
    #[must_use]
    pub fn table(&self) -> Table {
        let all = || self.hypotheses.iter();
        let mut columns =
            vec![Column::text("hypothesis_id", "hypothesis", all().map(|h| Some(h.id.clone())))];
        if all().any(|h| h.class.is_some()) {
            columns.push(class(all().map(|h| h.class.clone())));
        }
        let n = all().map(|h| Some(h.n));
        columns.push(Column::integer("n", "count", "texts annotated by hand", n));
        columns.extend(self.agreement());
        columns.extend(self.effects());
        let number = |name, of: fn(&Corrected) -> Option<f64>| {
            Column::number(name, "", "adjusted after Holm", all().map(of))
        };
        columns.extend([
            number("ppi_p_holm", |h| h.separation?.powered_p_holm),
            number("dsl_p_holm", |h| h.separation?.designed_p_holm),
            number("joint_ppi_p_holm", |h| h.joint?.powered_p_holm),
            number("joint_dsl_p_holm", |h| h.joint?.designed_p_holm),
        ]);
        let why = all().map(|h| h.warning.clone());
        columns.push(Column::text("warning", "why there is no correction", why));
        Table { name: "gold", columns }
    }

    fn agreement(&self) -> Vec<Column> {
        let parts: [([&'static str; 3], &'static str, &'static str, Of); 5] = [
            (
                ["agreement", "agreement_conf_low", "agreement_conf_high"],
                "share",
                "equal answers",
                |h| h.agreement,
            ),
            (
                ["kappa", "kappa_conf_low", "kappa_conf_high"],
                "kappa",
                "agreement beyond chance (Cohen)",
                |h| h.kappa,
            ),
            (
                ["pabak", "pabak_conf_low", "pabak_conf_high"],
                "kappa",
                "kappa adjusted for prevalence and bias",
                |h| h.adjusted_kappa,
            ),
            (
                ["sensitivity", "sensitivity_conf_low", "sensitivity_conf_high"],
                "share",
                "of the texts with the concept, those that the annotator found",
                |h| h.sensitivity,
            ),
            (
                ["specificity", "specificity_conf_low", "specificity_conf_high"],
                "share",
                "of the texts without it, those that the annotator left out",
                |h| h.specificity,
            ),
        ];
        let mut columns = Vec::new();
        for ([value, low, high], unit, description, of) in parts {
            columns.push(self.number(value, unit, description, of, |e| Some(e.value)));
            columns.push(self.number(low, unit, "lower end of its interval", of, |e| e.conf_low));
            columns.push(self.number(high, unit, "upper end of its interval", of, |e| e.conf_high));
        }
        columns
    }

    fn effects(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for (names, description, of) in EFFECTS {
            // Beside the others, in the unit of the joint regression.
            let unit = if names[0].starts_with("joint") { "coefficient" } else { "target" };
            let [value, error, p, low, high] = names;
            columns.push(self.number(value, unit, description, of, |e| Some(e.value)));
            columns.push(self.number(error, unit, "its standard error", of, |e| e.std_error));
            columns.push(self.number(p, "", "two-sided, not adjusted", of, |e| e.p_value));
            let (lower, upper) = ("lower end of its interval", "upper end of its interval");
            columns.push(self.number(low, unit, lower, of, |e| e.conf_low));
            columns.push(self.number(high, unit, upper, of, |e| e.conf_high));
        }
        columns
    }

    fn number(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        of: Of,
        part: fn(Estimate) -> Option<f64>,
    ) -> Column {
        let values = self.hypotheses.iter().map(|h| of(h).and_then(part));
        Column::number(name, unit, description, values)
    }
}
