//! What predictions by all hypotheses together are worth: calibration, and the ROC of classes.

use serde_json::json;

use super::spec::{self, chart, number, tooltip};
use super::{Chart, target};
use crate::evaluate::{Curve, deciles_table, roc_table};
use crate::run::Outcome;
use crate::table::Table;

/// Share of the others at which a ROC is read out.
const READ_AT: f64 = 0.2;

/// Mean predictions beside mean targets, in tenths of the texts.
pub(super) fn calibration(outcome: &Outcome) -> Option<Chart> {
    let curves = &outcome.test.as_ref()?.curves;
    let table = Table { name: "calibration", ..deciles_table(curves)? };
    let bins = || curves.iter().flat_map(|c| &c.bins);
    let apart = bins().map(|b| (b.observed - b.predicted).abs()).fold(0.0, f64::max);
    let ends = bins().flat_map(|b| [b.predicted, b.observed]);
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let axis = format!("mean of {}", target(outcome));
    let same = json!([{"a": low, "b": low}, {"a": high, "b": high}]);
    let mut encoding = json!({
        "x": {"field": "predicted", "type": "quantitative", "title": "mean prediction", "scale": {"zero": false}},
        "y": {"field": "observed", "type": "quantitative", "title": axis, "scale": {"zero": false}},
        "tooltip": tooltip(&[("predicted", "predicted"), ("observed", "observed"), ("n", "texts")])
    });
    by_class(&mut encoding, curves);
    let marks = json!({"width": 320, "layer": [
        {"mark": {"type": "line", "color": spec::GREY, "strokeDash": [3, 3]}, "data": {"values": same},
         "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}}},
        {"mark": {"type": "point", "filled": true, "size": 60, "opacity": 1, "color": spec::BLUE}, "encoding": encoding}
    ]});
    let title =
        format!("Predicted and observed means differ by at most {apart:.2} in tenths of the texts");
    let caption = "Each dot is a tenth of the held-out texts, ordered by what the hypotheses predict for \
                   them, each by a fit without it. On the dashed line predictions are right on average."
        .into();
    let spec = chart(&table, 320, marks);
    Some(Chart { name: "calibration".into(), about: None, title, caption, table, spec })
}

/// How many of a class are found, and how many others with them.
pub(super) fn roc(outcome: &Outcome) -> Option<Chart> {
    let curves = &outcome.test.as_ref()?.curves;
    let table = roc_table(curves)?;
    let first = curves.iter().find(|c| !c.roc.is_empty())?;
    let found = first.roc.iter().take_while(|p| p[0] <= READ_AT).last()?[1];
    let share = |field: &str, title: &str| json!({"field": field, "type": "quantitative", "title": title, "axis": {"format": "~%"}, "scale": {"domain": [0, 1]}});
    let mut encoding = json!({
        "x": share("false_positive_rate", "share of the others that are taken for it"),
        "y": share("true_positive_rate", "share of the class that is found"),
        "order": number("false_positive_rate", ""),
        "tooltip": tooltip(&[("false_positive_rate", "others"), ("true_positive_rate", "found")])
    });
    by_class(&mut encoding, curves);
    let chance = json!([{"a": 0, "b": 0}, {"a": 1, "b": 1}]);
    let marks = json!({"width": 320, "layer": [
        {"mark": {"type": "line", "color": spec::GREY, "strokeDash": [3, 3]}, "data": {"values": chance},
         "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}}},
        {"mark": {"type": "line", "strokeWidth": 2, "color": spec::BLUE}, "encoding": encoding}
    ]});
    let of = first.class.as_ref().map(|class| format!(" of {}", super::cut(class, 40)));
    let title = format!(
        "Taking a fifth of the others with them, the hypotheses find {:.0} %{}",
        100.0 * found,
        of.unwrap_or_else(|| " of the class".into())
    );
    let caption = "The line leads from strict to lenient: which share of the class is found, and which \
                   share of all others with it, each text predicted by a fit without it. On the dashed \
                   line nothing is told apart."
        .into();
    let spec = chart(&table, 320, marks);
    Some(Chart { name: "roc".into(), about: None, title, caption, table, spec })
}

fn by_class(encoding: &mut serde_json::Value, curves: &[Curve]) {
    if curves.iter().any(|c| c.class.is_some()) {
        let classes: Vec<_> = curves.iter().map(|c| &c.class).collect();
        encoding["color"] = json!({"field": "class", "type": "nominal", "title": null, "scale": {"domain": classes, "range": spec::CLASSES}});
    }
}
