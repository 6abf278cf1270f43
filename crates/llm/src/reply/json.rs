//! JSON somewhere in an answer: whole, fenced, in prose, by the line, or nearly JSON.

use serde_json::Value;

/// Beginnings of a value that are tried in one answer, so that reading stays linear in practice.
const MOST_STARTS: usize = 32;

/// The first object or array in `text`; JSON lines become an array.
pub fn find(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Some(value) = whole(text) {
        return Some(value);
    }
    if let Some(lines) = lines(text) {
        return Some(lines);
    }
    let starts = text.match_indices(['{', '[']).take(MOST_STARTS);
    let pieces = starts.filter_map(|(at, _)| Some(&text[at..at + end(&text[at..])?]));
    let pieces: Vec<&str> = pieces.collect();
    pieces.iter().find_map(|p| whole(p)).or_else(|| pieces.iter().find_map(|p| whole(&mended(p))))
}

fn whole(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// At least two lines, each of which is an object.
fn lines(text: &str) -> Option<Value> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() < 2 || !lines.iter().all(|line| line.starts_with('{')) {
        return None;
    }
    lines.into_iter().map(whole).collect::<Option<Vec<Value>>>().map(Value::Array)
}

/// Length of the value that begins the text, brackets outside of strings being balanced.
fn end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if byte == open => quote = None,
            (None, b'"') => quote = Some(byte),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Python's literals as JSON: quotation marks, names of constants, a comma before a bracket.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                // JSON knows no escaped single quotation mark.
                match chars.next() {
                    Some('\'') => out.push('\''),
                    Some(next) => out.extend([c, next]),
                    None => {}
                }
            }
            (Some(open), _) if c == open => {
                quote = None;
                out.push('"');
            }
            (Some('\''), '"') => out.push_str("\\\""),
            (None, '"' | '\'') => {
                quote = Some(c);
                out.push('"');
            }
            (None, '}' | ']') => {
                while out.ends_with(|c: char| c.is_whitespace() || c == ',') {
                    out.pop();
                }
                out.push(c);
            }
            (None, _) if c.is_ascii_alphabetic() => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(char::is_ascii_alphabetic) {
                    word.push(next);
                }
                out.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    other => other,
                });
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_found_wherever_it_is() {
        let object = json!({"c1": true, "c2": false});
        for text in [
            r#"{"c1": true, "c2": false}"#,
            "```json\n{\"c1\": true,\n\"c2\": false}\n```",
            "Sure! {\"c1\": true, \"c2\": false} I hope this helps.",
            "{'c1': True, 'c2': False,}",
            r#"The form [id] is: {"c1": true, "c2": false}"#,
        ] {
            assert_eq!(find(text), Some(object.clone()), "{text}");
        }
        assert_eq!(find("{\"a\": 1}\n{\"a\": 2}"), Some(json!([{"a": 1}, {"a": 2}])));
        assert_eq!(find("{'a': 'it\\'s \"so\"'}"), Some(json!({"a": "it's \"so\""})));
        assert_eq!(find(r#"x {"a": "}"} y"#), Some(json!({"a": "}"})));
        for text in ["", "yes", "12", "{\"c1\": tr", "Maybe."] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_answer_of_brackets_is_soon_read() {
        assert_eq!(find(&"[{".repeat(200_000)), None);
    }

    proptest! {
        #[test]
        fn no_answer_is_a_panic(text in "[\\[\\]{}\"',:\\\\ a-cTüF0-9\n]{0,60}") {
            find(&text);
        }
    }
}
