//! Replies of chat models, by either face: what there is, whatever else is missing.

use serde_json::Value;

use crate::question::{Answer, TokenLogprobs, Usage};
use crate::reply::thoughts;

/// What a reply with status 200 holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read {
    Answer(Answer),
    /// Cut off at the cap, perhaps while still thinking.
    Cut(Answer),
    /// The model, or a filter, will not answer.
    Refused(String),
    /// Nothing, and no reason.
    Empty,
    /// Not such a reply at all.
    Foreign,
}

/// Reads a reply of either face; also the model's text as written, and what was counted.
pub(crate) fn read(body: &Value) -> (Read, String, Usage) {
    let (raw, logprobs, end) = match (body.get("output"), body.get("choices")) {
        (Some(Value::Array(output)), _) => responses(body, output),
        (_, Some(Value::Array(choices))) => chat(choices),
        _ => return (Read::Foreign, String::new(), Usage::default()),
    };
    (judge(&raw, logprobs, end), raw, usage(body))
}

enum End {
    Whole,
    Cut,
    Refused(String),
}

fn judge(raw: &str, logprobs: Vec<TokenLogprobs>, end: End) -> Read {
    let text = thoughts::strip(raw).map(str::trim);
    let answer = |text: &str| Answer { text: text.to_owned(), logprobs };
    match (end, text) {
        (End::Refused(why), _) => Read::Refused(why),
        // Thoughts that never end were cut off, whatever the server says.
        (End::Cut, text) => Read::Cut(answer(text.unwrap_or_default())),
        (End::Whole, None) => Read::Cut(answer("")),
        (End::Whole, Some("")) => Read::Empty,
        (End::Whole, Some(text)) => Read::Answer(answer(text)),
    }
}

fn responses(body: &Value, output: &[Value]) -> (String, Vec<TokenLogprobs>, End) {
    let mut text = String::new();
    let mut logprobs = Vec::new();
    let mut refusal = None;
    let parts = output
        .iter()
        .filter(|item| item["type"] == "message")
        .flat_map(|item| item["content"].as_array().map(Vec::as_slice).unwrap_or_default());
    for part in parts {
        if let Some(words) = part["refusal"].as_str() {
            refusal = Some(words.to_owned());
        }
        text += part["text"].as_str().unwrap_or_default();
        logprobs.extend(tokens(&part["logprobs"]));
    }
    let reason = body["incomplete_details"]["reason"].as_str();
    let end = match (refusal, body["status"].as_str(), reason) {
        (Some(words), ..) => End::Refused(words),
        (None, _, Some("content_filter")) => End::Refused("content filter".into()),
        (None, Some("incomplete"), _) => End::Cut,
        (None, Some("failed"), _) => {
            let why = body["error"]["message"].as_str().unwrap_or("the server gave it up");
            End::Refused(why.to_owned())
        }
        _ => End::Whole,
    };
    (text, logprobs, end)
}

fn chat(choices: &[Value]) -> (String, Vec<TokenLogprobs>, End) {
    let Some(choice) = choices.first() else { return (String::new(), Vec::new(), End::Whole) };
    let message = &choice["message"];
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        // Some servers send parts, as they may be sent to them.
        Value::Array(parts) => parts.iter().filter_map(|p| p["text"].as_str()).collect(),
        _ => String::new(),
    };
    let end = match (message["refusal"].as_str(), choice["finish_reason"].as_str()) {
        (Some(words), _) if !words.is_empty() => End::Refused(words.to_owned()),
        (_, Some("content_filter")) => End::Refused("content filter".into()),
        (_, Some("length" | "max_tokens")) => End::Cut,
        _ => End::Whole,
    };
    (text, tokens(&choice["logprobs"]["content"]), end)
}

fn tokens(list: &Value) -> Vec<TokenLogprobs> {
    let pair = |v: &Value| Some((v["token"].as_str()?.to_owned(), v["logprob"].as_f64()?));
    let token = |v: &Value| {
        let chosen = pair(v)?;
        let mut top: Vec<_> =
            v["top_logprobs"].as_array().into_iter().flatten().filter_map(pair).collect();
        if !top.iter().any(|(token, _)| *token == chosen.0) {
            top.push(chosen.clone());
        }
        Some(TokenLogprobs { token: chosen.0, top })
    };
    list.as_array().into_iter().flatten().filter_map(token).collect()
}

/// Either face's names for the same counts.
pub(super) fn usage(body: &Value) -> Usage {
    let usage = &body["usage"];
    let count = |names: [&str; 2]| names.iter().find_map(|name| usage[*name].as_u64());
    let cached = |name: &str| usage[name]["cached_tokens"].as_u64();
    Usage {
        input: count(["input_tokens", "prompt_tokens"]).unwrap_or(0),
        cached: cached("input_tokens_details").or(cached("prompt_tokens_details")).unwrap_or(0),
        output: count(["output_tokens", "completion_tokens"]).unwrap_or(0),
    }
}
