//! Wordings that a model proposes.

use serde_json::Value;

use super::{json, thoughts};

/// Up to `n` wordings, from JSON or from lines with bullets or numbers; none is empty.
pub fn wordings(text: &str, n: usize) -> Vec<String> {
    let Some(text) = thoughts::strip(text) else { return Vec::new() };
    let found = match json::find(text) {
        Some(value) => in_value(&value),
        None => in_lines(text),
    };
    let mut wordings: Vec<String> = Vec::new();
    for wording in found.iter().map(|w| trimmed(w)).filter(|w| !w.is_empty()) {
        if !wordings.contains(&wording) {
            wordings.push(wording);
        }
    }
    wordings.truncate(n);
    wordings
}

/// Every text in the value, in order.
fn in_value(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(in_value).collect(),
        Value::Object(fields) => fields.values().flat_map(in_value).collect(),
        _ => Vec::new(),
    }
}

/// The lines with a bullet or number if there are any, else all.
fn in_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (listed, plain): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| without_mark(line) != *line);
    let lines = if listed.is_empty() { plain } else { listed };
    lines.into_iter().map(|line| without_mark(line).to_owned()).collect()
}

fn without_mark(line: &str) -> &str {
    let bare = line.trim_start_matches(['-', '*', '•', '#']).trim_start();
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.strip_prefix(['.', ')', ':']) {
        Some(rest) if digits.len() < bare.len() => rest.trim_start(),
        _ => bare,
    }
}

fn trimmed(wording: &str) -> String {
    let marks = |c: char| c.is_whitespace() || "\"'`“”*".contains(c);
    let bare = wording.trim_matches(marks);
    let bare = ["concept:", "feature:", "answer:"].into_iter().fold(bare, |bare, lead| match bare
        .get(..lead.len())
    {
        Some(start) if start.eq_ignore_ascii_case(lead) => &bare[lead.len()..],
        _ => bare,
    });
    let one_line: Vec<&str> = bare.trim_matches(marks).split_whitespace().collect();
    // A quotation mark that opens inside may have been taken for one around.
    let text = one_line.join(" ");
    if text.matches('"').count() % 2 == 1 { format!("{text}\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_are_found_in_any_list() {
        for text in [
            r#"{"concepts": ["praises the food", "names a dish"]}"#,
            r#"{"concepts": [{"concept": "praises the food"}, {"concept": "names a dish"}]}"#,
            "- \"praises the food\"\n- \"names a dish\"",
            "Here you are:\n1. praises the food\n2) **names a dish**",
            "praises the food\nnames a dish\n\npraises the food",
        ] {
            assert_eq!(wordings(text, 3), ["praises the food", "names a dish"], "{text}");
        }
        assert_eq!(wordings("- \"a\"\n- \"b\"", 1), ["a"]);
        assert_eq!(wordings("- mentions \"tap water\"", 1), ["mentions \"tap water\""]);
    }

    #[test]
    fn trap_22_an_empty_answer_is_no_wording() {
        for text in ["", " \n", "- \"\"", "{\"concepts\": []}", "<think>hm"] {
            assert!(wordings(text, 3).is_empty(), "{text}");
        }
    }
}
