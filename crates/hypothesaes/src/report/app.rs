//! What makes the page interactive: the built front end, packed, and the page's policy.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Map as Object, Value, json};

use super::{Extent, Material, context};
use crate::charts::Map;
use crate::data::Split;
use crate::{Error, Result};

const SCRIPT: &str = include_str!("../../../../web/dist/report.js");
const STYLE: &str = include_str!("../../../../web/dist/report.css");
const UNPACK: &str = include_str!("../../../../web/dist/unpack.js");
const LICENSES: &str = include_str!("../../../../web/dist/LICENSES.txt");

/// Characters of a text that the map shows, and of a concept in a list.
const SNIPPET: usize = 120;

/// The parts that the page holds.
#[derive(Debug, Serialize)]
pub(super) struct App {
    style: &'static str,
    /// The script, as base64 of gzip, and the one that unpacks it.
    packed: String,
    unpack: &'static str,
    licenses: &'static str,
    /// What the script shows, as JSON that no end of a script can hide in.
    data: String,
}

pub(super) fn app(material: &Material, extent: &Extent) -> Result<App> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(SCRIPT.as_bytes()).map_err(Error::file("pack", "report.js"))?;
    let packed = gzip.finish().map_err(Error::file("pack", "report.js"))?;
    let charts: Object<String, Value> = material
        .charts
        .iter()
        .filter(|(chart, _)| chart.about.is_none())
        .map(|(chart, _)| (chart.name.clone(), spec(&chart.name, &chart.spec)))
        .collect();
    let map = material.results.map.map(|map| points(material, map, extent));
    let hypotheses = material.results.outcome.hypotheses.iter();
    let hypotheses: Vec<Value> = hypotheses
        .map(|h| {
            let holds = h.tested.status == crate::evaluate::Status::Holds;
            json!({"id": h.tested.id, "text": h.hypothesis, "holds": holds})
        })
        .collect();
    let data = json!({"charts": charts, "map": map, "hypotheses": hypotheses});
    let data = data.to_string().replace('<', "\\u003c");
    Ok(App {
        style: STYLE,
        packed: STANDARD.encode(packed),
        unpack: UNPACK,
        licenses: LICENSES,
        data,
    })
}

/// The specification as the script wants it: the map's data come by themselves, and its points are read out.
fn spec(name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    if name == "map" {
        spec["data"] = json!({"values": []});
        if let Some(mark) = spec["mark"].as_object_mut() {
            mark.remove("aria");
        }
    }
    spec
}

/// The points of the map, the beginnings of their texts, and which concepts are true of them.
fn points(material: &Material, map: &Map, extent: &Extent) -> Value {
    let data = material.shown.data;
    let all = data.texts_in(Split::Heldout);
    let drawn = material.charts.iter().find(|(chart, _)| chart.name == "map");
    let values = drawn.and_then(|(chart, _)| chart.spec["data"]["values"].as_array());
    let column = |name: &str| -> Vec<Value> {
        values.into_iter().flatten().map(|value| value[name].clone()).collect()
    };
    let snippet = |&i: &usize| context::cut(data.texts.get(all[i]), SNIPPET);
    let snippets: Option<Vec<String>> =
        extent.has_snippets.then(|| map.texts.iter().map(snippet).collect());
    let annotations = material.shown.annotations;
    let concepts: Vec<Value> = material.concepts.iter().take(annotations.n_concepts()).enumerate()
        .map(|(c, concept)| {
            let answers = annotations.concept(c);
            let has: Vec<usize> =
                (0..map.texts.len()).filter(|&k| answers[map.texts[k]] == Some(true)).collect();
            json!({"id": crate::evaluate::hypothesis_id(c), "label": context::cut(concept, SNIPPET), "has": has})
        })
        .collect();
    json!({"x": column("x"), "y": column("y"), "row": column("row"), "target": column("target"),
           "snippets": snippets, "concepts": concepts})
}

/// The content-security policy: nothing is fetched, and nothing runs but the two scripts.
pub(super) fn policy(app: Option<&App>) -> String {
    let hash =
        |script: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, script.as_bytes())));
    let scripts = match app {
        Some(_) => format!("{} {}", hash(UNPACK), hash(SCRIPT)),
        None => "'none'".into(),
    };
    format!("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {scripts}")
}
