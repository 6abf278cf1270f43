//! What the card of a hypothesis shows: its neuron at work, and its effect among some of the texts.

use serde_json::json;

use super::spec::{self, ROW, chart, names, number, tooltip};
use super::{Chart, Results, Shown};
use crate::data::Split;
use crate::evaluate::Effect;
use crate::run::{Hypothesis, Outcome};
use crate::subgroups::Subgroup;
use crate::table::{Column, Table};

/// Cards with pictures at most: those of the largest effects.
const MOST: usize = 40;
/// Bars of a histogram.
const BARS: usize = 20;
const WIDTH: usize = 300;

/// The charts of every card, one after the other; with several classes those of the class with the
/// largest effect.
pub(super) fn cards(results: &Results) -> Vec<Chart> {
    let mut seen: Vec<&str> = Vec::new();
    let mut charts = Vec::new();
    for hypothesis in super::tested(results.outcome) {
        let id = hypothesis.tested.id.as_str();
        if seen.contains(&id) || seen.len() == MOST {
            continue;
        }
        seen.push(id);
        charts
            .extend(results.shown.and_then(|shown| activation(hypothesis, results.outcome, shown)));
        charts.extend(subgroups(hypothesis, results.outcome));
    }
    charts
}

fn named(id: &str, what: &str) -> (String, Option<String>) {
    (format!("{id}_{what}"), Some(id.to_owned()))
}

/// How strongly held-out texts fire the neuron, and what was annotated of them.
fn activation(h: &Hypothesis, outcome: &Outcome, shown: Shown) -> Option<Chart> {
    let (neuron, z) = (h.neuron_id?, shown.z?);
    let concept = outcome.hypotheses.iter().position(|other| other.tested.id == h.tested.id)?;
    let answers =
        (concept < shown.annotations.n_concepts()).then(|| shown.annotations.concept(concept))?;
    let texts = shown.data.texts_in(Split::Heldout);
    let fires = (0..texts.len()).map(|i| z.value(i, neuron)).zip(answers).filter(|(v, _)| *v > 0.0);
    let fires: Vec<(f32, Option<bool>)> = fires.map(|(v, answer)| (v, *answer)).collect();
    let largest = fires.iter().map(|f| f.0).fold(0.0, f32::max);
    if fires.is_empty() {
        return None;
    }
    let width = f64::from(largest) / BARS as f64;
    let mut rows = Vec::new();
    for (answer, says) in [(Some(true), "yes"), (Some(false), "no"), (None, "missing")] {
        let mut counts = [0_usize; BARS];
        for (v, _) in fires.iter().filter(|f| f.1 == answer) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to BARS"
            )]
            let bar = (f64::from(*v) / width) as usize;
            counts[bar.min(BARS - 1)] += 1;
        }
        let from = |bar: usize| bar as f64 * width;
        rows.extend(
            (0..BARS).filter(|&b| counts[b] > 0).map(|b| (says, from(b), from(b + 1), counts[b])),
        );
    }
    let table = Table {
        name: "activation",
        columns: vec![
            Column::text(
                "concept",
                "whether the concept is true of them",
                rows.iter().map(|r| Some(r.0.into())),
            ),
            Column::number("from", "", "activations from", rows.iter().map(|r| Some(r.1))),
            Column::number("to", "", "up to", rows.iter().map(|r| Some(r.2))),
            Column::integer("n", "count", "held-out texts", rows.iter().map(|r| Some(r.3))),
        ],
    };
    let scale = json!({"domain": ["yes", "no", "missing"], "range": [spec::BLUE, spec::VERMILION, spec::GREY]});
    let marks = json!({
        "width": WIDTH,
        "mark": {"type": "bar", "orient": "vertical", "aria": false},
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "title": "activation of the neuron", "axis": {"grid": false, "tickCount": 6}},
            "x2": {"field": "to"},
            "y": {"field": "n", "type": "quantitative", "title": "held-out texts", "stack": "zero", "axis": {"tickCount": 4}},
            "color": {"field": "concept", "type": "nominal", "title": "true of them", "scale": scale},
            "tooltip": tooltip(&[("from", "from"), ("to", "to"), ("concept", "true of them"), ("n", "texts")])
        }
    });
    let yes = fires.iter().filter(|f| f.1 == Some(true)).count();
    let share = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
    let title = format!(
        "{:.1} % of the held-out texts fire neuron {neuron}; the concept is true of {:.0} % of these",
        share(fires.len(), texts.len()),
        share(yes, fires.len())
    );
    let caption =
        "Where the wording says what the neuron sees, it is true of the texts to the right.".into();
    let spec = chart(&table, 130, marks);
    let (name, about) = named(&h.tested.id, "activation");
    Some(Chart { name, about, title, caption, table, spec })
}

/// The effect among all texts, and among some of them.
fn subgroups(h: &Hypothesis, outcome: &Outcome) -> Option<Chart> {
    let all = &outcome.test.as_ref()?.subgroups;
    let mine =
        |s: &&Subgroup| s.id == h.tested.id && s.class == h.tested.class && s.effect.is_some();
    let parts: Vec<&Subgroup> = all.iter().filter(mine).collect();
    let claim = *h.tested.claim()?;
    if parts.len() < 2 {
        return None;
    }
    let whole = ("all held-out texts".to_owned(), h.tested.n, h.tested.n_present, claim);
    let part = |s: &&Subgroup| {
        let name = if s.factor == "length" {
            s.level.clone()
        } else {
            format!("{}: {}", s.factor, s.level)
        };
        Some((super::cut(&name, 40), s.n, s.n_present, s.effect?))
    };
    let rows: Vec<(String, usize, usize, Effect)> =
        std::iter::once(whole).chain(parts.iter().filter_map(part)).collect();
    let estimate =
        |of: fn(&Effect) -> Option<f64>| rows.iter().map(move |r| of(&r.3)).collect::<Vec<_>>();
    let table = Table {
        name: "subgroups",
        columns: vec![
            Column::text(
                "texts",
                "which of the held-out texts",
                rows.iter().map(|r| Some(r.0.clone())),
            ),
            Column::integer("n", "count", "how many", rows.iter().map(|r| Some(r.1))),
            Column::integer(
                "n_present",
                "count",
                "of these, with the concept",
                rows.iter().map(|r| Some(r.2)),
            ),
            Column::number(
                "estimate",
                "target",
                "difference in the mean target",
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
        ],
    };
    let axis = "difference in the mean target";
    let marks = json!({"width": WIDTH, "layer": [
        {"mark": {"type": "rule", "color": spec::GREY, "strokeDash": [3, 3]}, "data": {"values": [{"zero": 0}]},
         "encoding": {"x": {"field": "zero", "type": "quantitative"}}},
        {"mark": {"type": "rule", "strokeWidth": 1.5, "color": spec::BLUE},
         "encoding": {"y": names("texts"), "x": {"field": "conf_low", "type": "quantitative", "title": axis, "axis": {"tickCount": 6}}, "x2": {"field": "conf_high"}}},
        {"mark": {"type": "point", "filled": true, "size": 50, "opacity": 1, "color": spec::BLUE},
         "encoding": {"y": names("texts"), "x": number("estimate", axis), "tooltip": tooltip(&[("texts", ""), ("n", "texts"), ("n_present", "with the concept"), ("estimate", "difference")])}}
    ]});
    let turned = parts
        .iter()
        .filter_map(|s| s.effect)
        .filter(|e| e.estimate.value * claim.estimate.value < 0.0)
        .count();
    let class = h.tested.class.as_ref().map(|class| format!(" (of {})", super::cut(class, 30)));
    let title = match turned {
        0 => format!("The effect has one sign in all {} kinds of texts", parts.len()),
        n => format!("The effect has another sign in {n} of {} kinds of texts", parts.len()),
    } + &class.unwrap_or_default();
    let doubt = parts.iter().filter_map(|s| s.p_equal).fold(1.0, f64::min);
    let caption = format!(
        "The same test among some of the held-out texts; the intervals are not adjusted for their number. {}",
        if doubt < 0.05 {
            "The effects differ by more than chance does."
        } else {
            "They differ by no more than chance allows."
        }
    );
    let spec = chart(&table, ROW * rows.len(), marks);
    let (name, about) = named(&h.tested.id, "subgroups");
    Some(Chart { name, about, title, caption, table, spec })
}
