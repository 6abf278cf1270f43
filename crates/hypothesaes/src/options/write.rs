//! An options file with every default written out.

use std::fmt::Write;

use serde_json::Value;

use super::Options;

/// Scalars first, then a section per stage; an option that is not set is a comment.
pub(super) fn toml(options: &Options) -> String {
    let Value::Object(all) = serde_json::to_value(options).expect("options are plain data") else {
        unreachable!("options are an object")
    };
    let mut text = String::new();
    let (sections, scalars): (Vec<_>, Vec<_>) = all.iter().partition(|(_, v)| v.is_object());
    for (key, value) in scalars {
        line(&mut text, key, value);
    }
    for (name, section) in sections {
        let _ = write!(text, "\n[{name}]\n");
        for (key, value) in section.as_object().into_iter().flatten() {
            line(&mut text, key, value);
        }
    }
    text
}

fn line(text: &mut String, key: &str, value: &Value) {
    let _ = match toml_text(value) {
        Some(value) => writeln!(text, "{key} = {value}"),
        None => writeln!(text, "# {key} is not set"),
    };
}

fn toml_text(value: &Value) -> Option<String> {
    let value: toml::Value = match value {
        Value::Null => return None,
        value => serde_json::from_value(value.clone()).expect("options are scalars and lists"),
    };
    Some(value.to_string())
}
