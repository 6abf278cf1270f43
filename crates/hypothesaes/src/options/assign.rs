//! `section.key=value`: one option set by name.

use serde_json::{Map, Value};

use super::Options;
use crate::{Error, Result};

/// Short names that the field's papers use.
const ALIASES: [(&str, &str); 2] = [("M", "n_neurons"), ("K", "k")];

/// `options` with `assignment` carried out.
pub(super) fn assign(options: &Options, assignment: &str) -> Result<Options> {
    let Some((key, text)) = assignment.split_once('=') else {
        return Err(Error::option("-o", assignment, "write it as `section.key=value`"));
    };
    let (key, text) = (key.trim(), text.trim());
    let all = serde_json::to_value(options).expect("options are plain data");
    // Bare words need no quotation marks: what is not a TOML value, or not of a fitting type, is
    // taken as text.
    let first = toml_value(text).map(|value| with(&all, key, value));
    match first.transpose()? {
        Some(Ok(options)) => Ok(options),
        Some(Err(why)) => with(&all, key, text.into())?.map_err(|_| Error::option(key, text, why)),
        None => with(&all, key, text.into())?.map_err(|why| Error::option(key, text, why)),
    }
}

/// The outer error is an unknown key, the inner one a value that the key does not take.
fn with(all: &Value, key: &str, value: Value) -> Result<Result<Options, String>> {
    let mut all = all.clone();
    *slot(&mut all, key)? = value;
    Ok(serde_json::from_value(all).map_err(|e| e.to_string()))
}

fn slot<'a>(all: &'a mut Value, key: &str) -> Result<&'a mut Value> {
    let mut at = all;
    for part in key.split('.') {
        let part = ALIASES.iter().find(|(alias, _)| *alias == part).map_or(part, |(_, name)| name);
        let Value::Object(fields) = at else { return Err(unknown(key, part, &Map::new())) };
        if !fields.contains_key(part) {
            return Err(unknown(key, part, fields));
        }
        at = &mut fields[part];
    }
    if at.is_object() {
        return Err(Error::option("-o", key, "is a section: name one of its keys"));
    }
    Ok(at)
}

fn unknown(key: &str, part: &str, known: &Map<String, Value>) -> Error {
    let names = known.keys().map(String::as_str);
    let nearest = names
        .clone()
        .max_by(|a, b| strsim::jaro_winkler(a, part).total_cmp(&strsim::jaro_winkler(b, part)));
    let advice = match nearest {
        None => "there is no such option".into(),
        Some(nearest) => {
            let all = names.collect::<Vec<_>>().join("`, `");
            format!("there is no such option; did you mean `{nearest}`? There are `{all}`")
        }
    };
    Error::option("-o", key, advice)
}

fn toml_value(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
