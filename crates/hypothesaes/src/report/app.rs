//! What makes the page interactive: the built front end, packed, and the page's policy.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Material;
use crate::{Error, Result};

const SCRIPT: &str = include_str!("../../../../web/dist/report.js");
const STYLE: &str = include_str!("../../../../web/dist/report.css");
const UNPACK: &str = include_str!("../../../../web/dist/unpack.js");
const LICENSES: &str = include_str!("../../../../web/dist/LICENSES.txt");

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

pub(super) fn app(material: &Material) -> Result<App> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(SCRIPT.as_bytes()).map_err(Error::file("pack", "report.js"))?;
    let packed = gzip.finish().map_err(Error::file("pack", "report.js"))?;
    let charts: Map<String, Value> = material
        .charts
        .iter()
        .map(|(chart, _)| (chart.name.to_owned(), chart.spec.clone()))
        .collect();
    let hypotheses = material.results.outcome.hypotheses.iter();
    let hypotheses: Vec<Value> = hypotheses
        .map(|h| {
            let holds = h.tested.status == crate::evaluate::Status::Holds;
            json!({"id": h.tested.id, "text": h.hypothesis, "holds": holds})
        })
        .collect();
    let data = json!({"charts": charts, "map": null, "hypotheses": hypotheses});
    let data = data.to_string().replace('<', "\\u003c");
    Ok(App {
        style: STYLE,
        packed: STANDARD.encode(packed),
        unpack: UNPACK,
        licenses: LICENSES,
        data,
    })
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
