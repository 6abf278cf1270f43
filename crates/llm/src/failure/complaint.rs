//! What a server says of an error, whatever the shape of its body.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Characters of a message that are kept.
const LENGTH: usize = 300;

/// An error's parts; empty where it says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Complaint {
    pub message: String,
    pub kind: String,
    pub code: String,
    pub param: String,
    /// The body is a page for people.
    pub is_page: bool,
    /// The body is no JSON.
    pub is_text: bool,
}

impl Complaint {
    pub fn of_body(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of(&value),
            Err(_) => Self::of_text(&String::from_utf8_lossy(body)),
        }
    }

    /// `{"error": {...}}`, `{"error": "..."}`, `{"detail": ...}`, `{"message": ...}`, or a list of
    /// one of these.
    pub fn of(body: &Value) -> Self {
        if let Value::Array(list) = body {
            return list.first().map(Self::of).unwrap_or_default();
        }
        for name in ["error", "detail", "errors", "message"] {
            match &body[name] {
                Value::Null => {}
                Value::String(text) => return Self { message: short(text), ..Self::rest(body) },
                Value::Object(_) => return Self::rest(&body[name]),
                // FastAPI: one entry per field that it does not like.
                Value::Array(list) => {
                    let first = list.first().unwrap_or(&Value::Null);
                    let param = first["loc"].as_array().and_then(|loc| loc.last());
                    let message = text(&first["msg"]);
                    return Self {
                        message: if message.is_empty() { text(first) } else { message },
                        kind: text(&first["type"]),
                        param: param.map(text).unwrap_or_default(),
                        ..Self::default()
                    };
                }
                other => return Self { message: short(&other.to_string()), ..Self::default() },
            }
        }
        Self { message: short(&body.to_string()), ..Self::default() }
    }

    /// Whether the message has one of `words`, in whatever case.
    pub fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    fn rest(error: &Value) -> Self {
        let code = [&error["code"], &error["status"]].into_iter().map(text);
        let mut message = text(&error["message"]);
        // Gemini says far behind when to come back.
        if let Some(delay) = text(&error["details"]).split("\"retryDelay\":").nth(1) {
            let delay = delay.split(['}', ',']).next().unwrap_or_default();
            message = format!("retryDelay: {delay} {message}");
        }
        // OpenRouter and Gemini put what they were told behind their own words.
        for detail in [&error["metadata"]["raw"], &error["details"]] {
            if !detail.is_null() {
                message = format!("{message} {}", text(detail));
            }
        }
        Self {
            message: short(&message),
            kind: text(&error["type"]),
            code: code.filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" "),
            param: text(&error["param"]),
            ..Self::default()
        }
    }

    fn of_text(body: &str) -> Self {
        let start = body.trim_start().get(..15).unwrap_or(body).to_ascii_lowercase();
        let is_page = start.starts_with("<!doctype") || start.starts_with("<html");
        Self { message: short(body), is_page, is_text: true, ..Self::default() }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line without tags, not too long.
fn short(text: &str) -> String {
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)<[^<>]{0,500}>").expect("a valid pattern"));
    let head: String = text.chars().take(20 * LENGTH).collect();
    let words: Vec<String> = TAG
        .replace_all(&head, " ")
        .split_whitespace()
        .map(|word| word.replace(char::is_control, ""))
        .collect();
    words.join(" ").chars().take(LENGTH).collect()
}
