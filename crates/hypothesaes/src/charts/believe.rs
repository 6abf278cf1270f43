//! Whether the result can be believed: wordings, shrinkage, and what is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::spec::{self, ROW, chart, names, number, tooltip};
use super::{Chart, concept_label, label, tested};
use crate::evaluate::{FitKind, Predictors, Together};
use crate::run::{Hypothesis, Outcome};
use crate::select::Selection;
use crate::table::{Column, Table};

/// Whose separations are compared.
const STEPS: [&str; 2] = ["neuron, texts to discover from", "hypothesis, held-out texts"];

/// How well each wording matches its neuron.
pub(super) fn fidelity(outcome: &Outcome) -> Option<Chart> {
    let mut rows: Vec<(&Hypothesis, &str, f64)> = Vec::new();
    let mut of_f1 = Vec::new();
    // A concept has the same wording for every class.
    let mut seen = BTreeSet::new();
    for hypothesis in tested(outcome).into_iter().filter(|h| seen.insert(&h.tested.id)) {
        let Some(fidelity) = hypothesis.fidelity else { continue };
        let measures =
            [("precision", fidelity.precision), ("recall", fidelity.recall), ("F1", fidelity.f1)];
        rows.extend(measures.into_iter().filter_map(|(name, v)| Some((hypothesis, name, v?))));
        of_f1.extend(fidelity.f1);
    }
    of_f1.sort_by(f64::total_cmp);
    let median = *of_f1.get(of_f1.len() / 2)?;
    let table = Table {
        name: "fidelity",
        columns: vec![
            Column::text(
                "hypothesis",
                "number of the hypothesis",
                rows.iter().map(|r| Some(r.0.tested.id.clone())),
            ),
            Column::text(
                "label",
                "number and wording",
                rows.iter().map(|r| Some(concept_label(r.0))),
            ),
            Column::text(
                "measure",
                "precision, recall or F1",
                rows.iter().map(|r| Some(r.1.into())),
            ),
            Column::number(
                "value",
                "share",
                "agreement of the wording with its neuron on validation texts",
                rows.iter().map(|r| Some(r.2)),
            ),
        ],
    };
    let marks = json!({
        "mark": {"type": "point", "size": 50, "filled": true, "opacity": 0.9},
        "encoding": {
            "y": names("label"),
            "x": {"field": "value", "type": "quantitative", "title": "agreement with the neuron on validation texts", "scale": {"domain": [0, 1]}},
            "color": {"field": "measure", "type": "nominal", "title": null, "scale": {"domain": ["precision", "recall", "F1"], "range": [spec::BLUE, spec::VERMILION, spec::GREY]}},
            "shape": {"field": "measure", "type": "nominal", "title": null, "scale": {"domain": ["precision", "recall", "F1"], "range": ["circle", "square", "diamond"]}},
            "tooltip": tooltip(&[("label", "hypothesis"), ("measure", "measure"), ("value", "value")])
        }
    });
    let title =
        format!("Half of the wordings match their neuron with an F1 of {median:.2} or more");
    let caption =
        "Precision: of the texts that have the concept, the share that fires the neuron. \
                   Recall: of those that fire it, the share that has the concept."
            .into();
    let n_rows = of_f1.len();
    let spec = chart(&table, ROW * n_rows, marks);
    Some(Chart { name: "fidelity".into(), about: None, title, caption, table, spec })
}

/// Separations of the neurons on discover texts beside those of the hypotheses on held-out texts.
pub(super) fn shrinkage(outcome: &Outcome, selection: &Selection) -> Option<Chart> {
    let found: BTreeMap<usize, f64> =
        selection.chosen.iter().map(|c| (c.neuron, c.separation)).collect();
    let pair = |h: &&Hypothesis| {
        let heldout = h.tested.separation?.estimate.value;
        Some([*found.get(&h.neuron_id?)?, heldout])
    };
    let of_one_class = |h: &&Hypothesis| h.tested.class.is_none();
    let tested: Vec<&Hypothesis> = tested(outcome).into_iter().filter(of_one_class).collect();
    let pairs: Vec<(&Hypothesis, [f64; 2])> =
        tested.iter().filter_map(|h| Some((*h, pair(h)?))).collect();
    if pairs.len() < 2 {
        return None;
    }
    let rows = || pairs.iter().flat_map(|(h, values)| (0..2).map(move |k| (*h, k, values[k])));
    let table = Table {
        name: "shrinkage",
        columns: vec![
            Column::text(
                "hypothesis",
                "number of the hypothesis",
                rows().map(|r| Some(r.0.tested.id.clone())),
            ),
            Column::text("label", "number and wording", rows().map(|r| Some(label(r.0)))),
            Column::text("where", "whose separation", rows().map(|r| Some(STEPS[r.1].into()))),
            Column::number(
                "separation",
                "target",
                "difference in the mean target",
                rows().map(|r| Some(r.2)),
            ),
        ],
    };
    let same = pairs.iter().filter(|(_, [a, b])| a.signum() == b.signum()).count();
    let marks = json!({
        "width": 320,
        "encoding": {
            "x": {"field": "where", "type": "nominal", "sort": STEPS, "title": null, "axis": {"labelAngle": 0, "grid": false}, "scale": {"padding": 0.3}},
            "y": number("separation", "difference in the mean target"),
            "detail": {"field": "hypothesis"},
            "tooltip": tooltip(&[("label", "hypothesis"), ("where", ""), ("separation", "difference")])
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.2, "opacity": 0.7, "color": spec::BLUE}},
            {"mark": {"type": "point", "filled": true, "size": 30, "color": spec::BLUE}}
        ]
    });
    let title = format!(
        "{same} of {} effects keep their sign on texts that were not used to find them",
        pairs.len()
    );
    let caption = "Each line leads from what a neuron had to do with the target where it was found to what \
                   its wording has to do with it on held-out texts. Lines that lead towards 0 have lost."
        .into();
    let spec = chart(&table, 320, marks);
    Some(Chart { name: "shrinkage".into(), about: None, title, caption, table, spec })
}

/// How much the texts tell at most, and how much of it the neurons and their wordings tell.
pub(super) fn predictors(outcome: &Outcome) -> Option<Chart> {
    let test = outcome.test.as_ref()?;
    let first = test.models.iter().find(|m| m.is_main() && m.class.is_none())?.metric;
    let of = |m: &&Together| m.class.is_none() && m.metric == first && m.measure.is_some();
    let models: Vec<&Together> = test.models.iter().filter(of).collect();
    let value = |p: Predictors| {
        let found = models.iter().find(|m| m.predictors == p && m.fit == FitKind::CrossFitted);
        found.and_then(|m| m.measure).map(|measure| measure.value)
    };
    let name = |p: Predictors| match p {
        Predictors::Hypotheses => "hypotheses",
        Predictors::Controls => "controls alone",
        Predictors::Neurons => "their neurons",
        Predictors::Embeddings => "all of the embeddings",
    };
    let fit = |kind: FitKind| match kind {
        FitKind::CrossFitted => "cross-fitted",
        FitKind::InSample => "on the fitted texts",
    };
    let measure = |of: fn(&hypothesaes_math::Estimate) -> Option<f64>| {
        models.iter().map(move |m| m.measure.as_ref().and_then(of)).collect::<Vec<_>>()
    };
    let table = Table {
        name: "predictors",
        columns: vec![
            Column::text(
                "predictors",
                "what predicts",
                models.iter().map(|m| Some(name(m.predictors).into())),
            ),
            Column::text(
                "fit",
                "whose predictions",
                models.iter().map(|m| Some(fit(m.fit).into())),
            ),
            Column::number("value", "", "the measure", measure(|e| Some(e.value))),
            Column::number("conf_low", "", "lower end of its interval", measure(|e| e.conf_low)),
            Column::number("conf_high", "", "upper end of its interval", measure(|e| e.conf_high)),
        ],
    };
    let metric = first.title();
    let color = json!({"field": "fit", "type": "nominal", "title": null, "scale": {"domain": ["cross-fitted", "on the fitted texts"], "range": [spec::BLUE, spec::GREY]}});
    let marks = json!({
        "encoding": {"y": names("predictors"), "yOffset": {"field": "fit"}, "color": color},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {"x": number("conf_low", metric), "x2": {"field": "conf_high"}}},
            {"mark": {"type": "point", "filled": true, "size": 60, "opacity": 1}, "encoding": {"x": number("value", metric), "shape": {"field": "fit", "type": "nominal", "title": null, "scale": {"domain": ["cross-fitted", "on the fitted texts"], "range": ["circle", "diamond"]}}, "tooltip": tooltip(&[("predictors", ""), ("fit", ""), ("value", metric)])}}
        ]
    });
    let title = match (value(Predictors::Hypotheses), value(Predictors::Embeddings)) {
        (Some(own), Some(all)) => {
            format!("The hypotheses reach {metric} {own:.2}, all of the embeddings {all:.2}")
        }
        (Some(own), None) => format!("The hypotheses reach {metric} {own:.2}"),
        _ => return None,
    };
    let caption =
        "Cross-fitted: each text is predicted by a fit without it. Lines are 95 % bootstrap \
                   intervals. What lies between two rows is lost from one to the next."
            .into();
    let mut kinds: Vec<Predictors> = Vec::new();
    for model in &models {
        if !kinds.contains(&model.predictors) {
            kinds.push(model.predictors);
        }
    }
    let spec = chart(&table, 2 * ROW * kinds.len(), marks);
    Some(Chart { name: "predictors".into(), about: None, title, caption, table, spec })
}
