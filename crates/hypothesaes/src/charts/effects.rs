//! What goes with the target: sizes of effects, and how common the concepts are.

use serde_json::json;

use super::spec::{self, ROW, by_verdict, chart, number, tooltip};
use super::{Chart, label, target, tested, verdict};
use crate::evaluate::{Effect, Status};
use crate::run::{Hypothesis, Outcome};
use crate::table::{Column, Table};

/// The separation of every hypothesis with its interval.
pub(super) fn forest(outcome: &Outcome) -> Option<Chart> {
    let tested = tested(outcome);
    let test = outcome.test.as_ref().filter(|_| !tested.is_empty())?;
    let table = table("forest", &tested);
    let y = spec::names("label");
    let [shape, color] = by_verdict();
    let axis = if test.is_paired {
        "share of wins minus share of losses".to_owned()
    } else {
        format!("mean of {} with the concept, minus the mean without it", target(outcome))
    };
    let told = tooltip(&[
        ("label", "hypothesis"),
        ("estimate", "difference"),
        ("conf_low", "from"),
        ("conf_high", "to"),
        ("p_adjusted", "p, adjusted"),
        ("status", "status"),
    ]);
    let marks = json!({"layer": [
        {"mark": {"type": "rule", "color": spec::GREY, "strokeDash": [3, 3]}, "data": {"values": [{"zero": 0}]},
         "encoding": {"x": {"field": "zero", "type": "quantitative"}}},
        {"mark": {"type": "rule", "strokeWidth": 1.5},
         "encoding": {"y": y, "x": number("conf_low", &axis), "x2": {"field": "conf_high"}, "color": color}},
        {"mark": {"type": "point", "size": 60, "opacity": 1},
         "encoding": {"y": y, "x": number("estimate", &axis), "shape": shape, "stroke": color,
                      "fill": {"condition": {"test": "datum.status === 'holds'", "value": spec::BLUE}, "value": "transparent"},
                      "tooltip": told}}
    ]});
    let title = match (test.n_hold, test.n_hypotheses) {
        (0, n) => format!("None of {n} hypotheses holds on the held-out texts"),
        (held, n) => format!("{held} of {n} hypotheses hold on the held-out texts"),
    };
    let caption =
        "Dots are differences, lines their 95 % intervals. Filled circles hold, by p-values \
                   adjusted after Holm; hollow marks do not, or could not be tested."
            .into();
    let spec = chart(&table, ROW * tested.len(), marks);
    Some(Chart { name: "forest".into(), about: None, title, caption, table, spec })
}

/// How common each concept is, beside the size of its effect.
pub(super) fn prevalence(outcome: &Outcome) -> Option<Chart> {
    let common = |h: &&Hypothesis| h.tested.prevalence.is_some_and(|p| p > 0.0);
    let tested: Vec<&Hypothesis> = tested(outcome).into_iter().filter(common).collect();
    if tested.len() < 2 {
        return None;
    }
    let table = table("prevalence", &tested);
    let [shape, color] = by_verdict();
    let told = tooltip(&[
        ("label", "hypothesis"),
        ("prevalence", "share of texts"),
        ("n_present", "texts"),
        ("estimate", "difference"),
    ]);
    let marks = json!({"layer": [
        {"mark": {"type": "rule", "color": spec::GREY, "strokeDash": [3, 3]}, "data": {"values": [{"zero": 0}]},
         "encoding": {"y": {"field": "zero", "type": "quantitative"}}},
        {"mark": {"type": "point", "filled": true, "opacity": 0.8},
         "encoding": {
            "x": {"field": "prevalence", "type": "quantitative", "title": "share of the texts with the concept", "scale": {"type": "log", "nice": false, "padding": 12}, "axis": {"format": "~%"}},
            "y": number("estimate", "difference in the mean target"),
            "size": {"field": "n_present", "type": "quantitative", "title": "texts", "legend": null},
            "shape": shape, "color": color, "tooltip": told}},
        {"mark": {"type": "text", "dy": -14, "fontSize": 10},
         "encoding": {"x": {"field": "prevalence", "type": "quantitative"}, "y": number("estimate", "difference in the mean target"), "text": {"field": "hypothesis"}, "color": {"value": spec::GREY}}}
    ]});
    let most = tested.iter().max_by(|a, b| a.tested.n_present.cmp(&b.tested.n_present))?;
    let title = format!(
        "The most common concept is {}, in {:.0} % of the texts",
        most.tested.id,
        100.0 * most.tested.prevalence?
    );
    let caption =
        "Each mark is a concept: to the right the common ones, above those that go with a \
                   higher target. Large marks rest on many texts."
            .into();
    let spec = chart(&table, 320, marks);
    Some(Chart { name: "prevalence".into(), about: None, title, caption, table, spec })
}

/// The hypotheses as both charts show them.
fn table(name: &'static str, tested: &[&Hypothesis]) -> Table {
    let tested = || tested.iter().copied();
    let effect = |h: &Hypothesis| h.tested.claim().copied();
    let estimate = |of: fn(&Effect) -> Option<f64>| {
        tested().map(move |h| effect(h).as_ref().and_then(of)).collect::<Vec<_>>()
    };
    let columns = vec![
        Column::text(
            "hypothesis",
            "number of the hypothesis",
            tested().map(|h| Some(h.tested.id.clone())),
        ),
        Column::text("label", "number and wording", tested().map(|h| Some(label(h)))),
        Column::text(
            "status",
            "what became of it",
            tested().map(|h| Some(verdict(h.tested.status).into())),
        ),
        Column::number(
            "estimate",
            "target",
            "difference in the mean target, beside the controls if there are any",
            estimate(|e| Some(e.estimate.value)),
        ),
        Column::number(
            "conf_low",
            "target",
            "lower end of its interval",
            estimate(|e| e.estimate.conf_low),
        ),
        Column::number(
            "conf_high",
            "target",
            "upper end of its interval",
            estimate(|e| e.estimate.conf_high),
        ),
        Column::number("p_adjusted", "", "p-value, adjusted after Holm", estimate(|e| e.p_holm)),
        Column::number(
            "prevalence",
            "share",
            "share of the texts with the concept",
            tested().map(|h| h.tested.prevalence),
        ),
        Column::integer(
            "n_present",
            "count",
            "texts with the concept",
            tested().map(|h| Some(h.tested.n_present)),
        ),
        Column::flag(
            "holds",
            "whether it holds",
            tested().map(|h| Some(h.tested.status == Status::Holds)),
        ),
    ];
    Table { name, columns }
}
