//! What all specifications have in common.

use serde_json::{Map, Value, json};

use crate::table::{Table, Values};

/// Colours of Okabe and Ito, which the colour-blind can tell apart.
pub(super) const BLUE: &str = "#0072B2";
pub(super) const VERMILION: &str = "#D55E00";
pub(super) const GREEN: &str = "#009E73";
pub(super) const GREY: &str = "#767676";
/// Of classes, in their order; more than these begin again.
pub(super) const CLASSES: [&str; 7] =
    [BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", GREY];
/// Height of a row with a name.
pub(super) const ROW: usize = 20;
/// Width of the part with the marks.
pub(super) const WIDTH: usize = 520;

/// A specification of `parts` over `table`, whose size is the marks'.
pub(super) fn chart(table: &Table, height: usize, parts: Value) -> Value {
    let mut spec = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": height,
        "background": null,
        // Letters of another font may be wider than those that were measured.
        "padding": {"left": 12, "right": 8, "top": 5, "bottom": 5},
        "data": {"values": rows(table)},
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": null},
            "axis": {"labelLimit": 420, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "grid": true, "gridOpacity": 0.3, "domain": false},
            "legend": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "orient": "top"}
        }
    });
    if let (Value::Object(spec), Value::Object(parts)) = (&mut spec, parts) {
        spec.extend(parts);
    }
    spec
}

/// Says what the picture shows to those who do not see it.
pub(super) fn name(spec: &mut Value, title: &str) {
    if let Value::Object(spec) = spec {
        spec.insert("description".into(), title.into());
    }
}

/// A row of the table per object.
fn rows(table: &Table) -> Vec<Value> {
    let row = |i: usize| {
        let entry =
            |column: &crate::table::Column| (column.name.to_owned(), value(&column.values, i));
        Value::Object(table.columns.iter().map(entry).collect::<Map<_, _>>())
    };
    (0..table.rows()).map(row).collect()
}

fn value(values: &Values, row: usize) -> Value {
    match values {
        Values::Text(v) => v[row].as_deref().into(),
        Values::Number(v) => v[row].into(),
        Values::Integer(v) => v[row].into(),
        Values::Flag(v) => v[row].into(),
    }
}

/// A quantitative channel.
pub(super) fn number(field: &str, title: &str) -> Value {
    json!({"field": field, "type": "quantitative", "title": title})
}

/// Names, in the order of the table.
pub(super) fn names(field: &str) -> Value {
    json!({"field": field, "type": "nominal", "sort": null, "title": null, "axis": {"grid": false, "ticks": false}})
}

/// What is shown when a mark is pointed at.
pub(super) fn tooltip(fields: &[(&str, &str)]) -> Value {
    let entry = |(field, title): &(&str, &str)| json!({"field": field, "title": title});
    fields.iter().map(entry).collect()
}

/// Blue and filled where a hypothesis holds, grey and hollow elsewhere.
pub(super) fn by_verdict() -> [Value; 2] {
    let domain = json!(["holds", "does not hold", "constant", "aliased", "duplicate", "untested"]);
    let shape = json!({"field": "status", "type": "nominal", "title": null, "scale": {"domain": domain, "range": ["circle", "diamond", "cross", "square", "triangle-up", "triangle-down"]}, "legend": null});
    let color =
        json!({"condition": {"test": "datum.status === 'holds'", "value": BLUE}, "value": GREY});
    [shape, color]
}
