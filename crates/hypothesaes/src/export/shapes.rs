//! Which columns of a table a reader is shown, and how.

/// What a column of the page is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// A column as it is.
    Column(&'static str),
    /// A value with its interval: to two digits and with its sign, as the terminal shows effects.
    Effect(&'static str, &'static str, &'static str),
    /// A value with its interval, to two digits.
    Measure(&'static str, &'static str, &'static str),
    /// A share, in percent.
    Percent(&'static str),
    /// A share, to two digits.
    Share(&'static str),
}

impl Part {
    /// The columns of the table that it takes; the first must be there.
    pub fn columns(self) -> Vec<&'static str> {
        match self {
            Self::Column(name) | Self::Percent(name) | Self::Share(name) => vec![name],
            Self::Effect(value, low, high) | Self::Measure(value, low, high) => {
                vec![value, low, high]
            }
        }
    }
}

/// Heads and what stands below them.
pub(super) type Shape = &'static [(&'static str, Part)];

use Part::{Column, Effect, Measure, Percent, Share};

const HYPOTHESES: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("the text ...", Column("hypothesis")),
    ("with - without", Effect("separation", "separation_conf_low", "separation_conf_high")),
    ("p (Holm)", Column("separation_p_holm")),
    ("beside the others", Effect("estimate", "conf_low", "conf_high")),
    ("p (Holm)", Column("p_holm")),
    ("present", Percent("prevalence")),
    ("F1", Share("fidelity_f1")),
];

/// With controls, the separation beside them is what decides.
const ADJUSTED: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("the text ...", Column("hypothesis")),
    ("with - without", Effect("adjusted_separation", "adjusted_conf_low", "adjusted_conf_high")),
    ("p (Holm)", Column("adjusted_p_holm")),
    ("beside the others", Effect("estimate", "conf_low", "conf_high")),
    ("p (Holm)", Column("p_holm")),
    ("present", Percent("prevalence")),
    ("F1", Share("fidelity_f1")),
];

const EFFECTS: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("model", Column("model")),
    ("estimand", Column("estimand")),
    ("estimate", Effect("estimate", "conf_low", "conf_high")),
    ("std. error", Column("std_error")),
    ("p", Column("p_value")),
    ("p (Holm)", Column("p_holm")),
    ("n", Column("n")),
    ("errors", Column("vcov")),
];

const MODELS: Shape = &[
    ("class", Column("class")),
    ("predictors", Column("predictors")),
    ("metric", Column("metric")),
    ("fit", Column("fit")),
    ("estimate", Measure("estimate", "conf_low", "conf_high")),
    ("mean alone", Column("null")),
    ("n", Column("n")),
    ("terms", Column("n_terms")),
];

const FIDELITY: Shape = &[
    ("neuron", Column("neuron_id")),
    ("wording", Column("concept")),
    ("precision", Share("precision")),
    ("recall", Share("recall")),
    ("F1", Share("f1")),
    ("correlation", Share("correlation")),
    ("n", Column("n")),
    ("firing", Column("n_firing")),
    ("true", Column("n_true")),
];

const OVERLAP: Shape = &[
    ("first", Column("hypothesis_id_1")),
    ("second", Column("hypothesis_id_2")),
    ("phi", Share("phi")),
    ("Jaccard", Share("jaccard")),
    ("with both", Column("n_both")),
];

const STRATA: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("stratum", Column("stratum")),
    ("with - without", Effect("separation", "separation_conf_low", "separation_conf_high")),
    ("std. error", Column("separation_std_error")),
    ("p", Column("separation_p_value")),
    ("n", Column("n")),
    ("present", Column("n_present")),
];

const SUBGROUPS: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("by", Column("factor")),
    ("texts", Column("level")),
    ("with - without", Effect("estimate", "conf_low", "conf_high")),
    ("p (all equal, Holm)", Column("p_equal")),
    ("n", Column("n")),
    ("present", Column("n_present")),
];

const GOLD: Shape = &[
    ("id", Column("hypothesis_id")),
    ("class", Column("class")),
    ("n", Column("n")),
    ("kappa", Measure("kappa", "kappa_conf_low", "kappa_conf_high")),
    ("uncorrected", Effect("naive", "naive_conf_low", "naive_conf_high")),
    ("PPI++", Effect("ppi", "ppi_conf_low", "ppi_conf_high")),
    ("p (Holm)", Column("ppi_p_holm")),
    ("DSL", Effect("dsl", "dsl_conf_low", "dsl_conf_high")),
    ("p (Holm)", Column("dsl_p_holm")),
];

/// The shape of a table; `None`: all of its columns.
pub(super) fn shape(table: &str, has: impl Fn(&str) -> bool) -> Option<Shape> {
    Some(match table {
        "hypotheses" if has("adjusted_separation") => ADJUSTED,
        "hypotheses" => HYPOTHESES,
        "effects" => EFFECTS,
        "models" => MODELS,
        "fidelity" => FIDELITY,
        "overlap" => OVERLAP,
        "strata" => STRATA,
        "subgroups" => SUBGROUPS,
        "gold" => GOLD,
        _ => return None,
    })
}

/// Whether a column of a shape has room on a printed page, beside those that matter more.
pub(super) fn has_room(table: &str, column: &str) -> bool {
    let left_out: &[&str] = match table {
        "hypotheses" => &["estimate", "p_holm"],
        "effects" => &["estimand", "vcov"],
        "fidelity" => &["correlation", "n_firing", "n_true"],
        "gold" => &["kappa", "dsl", "dsl_p_holm"],
        _ => &[],
    };
    !left_out.contains(&column)
}

/// What a table is about.
pub(super) fn caption(table: &str, target: &str) -> String {
    match table {
        "hypotheses" => format!("Hypotheses about {target}"),
        "effects" => format!("Estimated effects on {target}"),
        "models" => format!("What predicts {target}, and how well"),
        "fidelity" => "How well each wording matches its neuron, on validation texts".into(),
        "overlap" => "How far two hypotheses are true of the same texts".into(),
        "strata" => format!("Effects on {target} within strata"),
        "subgroups" => format!("Effects on {target} among some of the texts"),
        "deciles" => format!("Predicted and observed {target}, by tenths of the texts"),
        "roc" => "How many of a class are found, and how many others with them".into(),
        "gold" => "Annotations beside those by hand, and effects corrected by them".into(),
        "placebo" => "Neurons that hold on shuffled targets".into(),
        "leakage" => "Held-out texts that nearly stand in another part too".into(),
        other => format!("The table {other}"),
    }
}
