//! From status, headers and body to a remedy.

use std::sync::LazyLock;

use regex::Regex;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::Failure;
use super::complaint::Complaint;
use crate::limits::{refusal, wait};

const MONEY_CODES: [&str; 6] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
];
const MONEY_WORDS: [&str; 5] = [
    "check your plan and billing",
    "insufficient credit",
    "insufficient balance",
    "spend limit",
    "credit balance",
];
const TOO_LARGE: [&str; 2] = ["request too large", "must be reduced in order to run"];
/// OpenAI, vLLM, llama.cpp, Ollama, llama-cpp-python, Anthropic behind a gateway.
const TOO_LONG: [&str; 10] = [
    "maximum context length",
    "context window",
    "context size",
    "context length",
    "prompt is too long",
    "input length exceeds",
    "input is too long",
    "exceed context",
    "too many tokens",
    "input is too large",
];
const CROWDED: [&str; 4] =
    ["concurren", "slow down", "increased too quickly", "too many connections"];
const PARAMETER: [&str; 7] = [
    "unsupported parameter",
    "unsupported value",
    "unrecognized request argument",
    "unknown parameter",
    "extra inputs are not permitted",
    "is not supported with this model",
    "not supported by this model",
];

/// What a reply that is no answer means. Messages in the result are one short line.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    let complaint = Complaint::of_body(body);
    if (200..300).contains(&status) {
        let why = "the reply is cut off or no JSON".to_owned();
        return if complaint.is_page {
            Failure::Foreign(format!("a page of HTML: {}", complaint.message))
        } else {
            Failure::Passing { why, wait: None }
        };
    }
    judge(status, headers, complaint)
}

/// What the error inside a reply with status 200 means; `None` if there is none.
pub fn in_ok(body: &Value) -> Option<Failure> {
    let is_error = match body.get("error") {
        None | Some(Value::Null) => false,
        Some(_) => body.get("choices").is_none() && body.get("output").is_none(),
    };
    if !is_error {
        return None;
    }
    let complaint = Complaint::of(body);
    let code = complaint.code.split(' ').next().and_then(|code| code.parse().ok());
    Some(judge(code.unwrap_or(500), &HeaderMap::new(), complaint))
}

fn judge(status: u16, headers: &HeaderMap, complaint: Complaint) -> Failure {
    let Complaint { kind, code, .. } = &complaint;
    let coded = |names: &[&str]| names.iter().any(|n| code.contains(n) || kind.contains(n));
    // Gemini's limits have the words of OpenAI's empty account, but say when to come back.
    let passes = status == 429 && refusal(&complaint.message, headers).wait.is_some();
    if status == 402 || coded(&MONEY_CODES) || !passes && complaint.says(&MONEY_WORDS) {
        return Failure::Money(complaint.message);
    }
    if coded(&["context_length_exceeded", "string_above_max_length"]) || complaint.says(&TOO_LONG) {
        return Failure::TooLong(complaint.message);
    }
    match status {
        429 => limited(headers, complaint),
        401 | 403 => Failure::Key(complaint.message),
        404 | 405 | 501 => not_found(complaint),
        400 | 422 => refused(complaint),
        413 => Failure::TooLong(complaint.message),
        408 | 409 | 425 | 500..=599 => broken(status, headers, complaint),
        300..=399 => Failure::Foreign(format!("it points elsewhere (status {status})")),
        _ => Failure::Item(complaint.message),
    }
}

fn limited(headers: &HeaderMap, complaint: Complaint) -> Failure {
    if complaint.says(&TOO_LARGE) {
        return Failure::TooLarge(complaint.message);
    }
    if complaint.code == "slow_down" || complaint.says(&CROWDED) {
        return Failure::SlowDown { wait: wait(headers) };
    }
    Failure::Limit(refusal(&complaint.message, headers))
}

fn not_found(complaint: Complaint) -> Failure {
    let names_model = complaint.code.contains("model_not_found")
        || complaint.code.contains("DeploymentNotFound")
        || complaint.says(&["model"]) && complaint.says(&["not exist", "not found", "no such"]);
    if names_model {
        Failure::Model(complaint.message)
    } else {
        Failure::NoSuchPath(complaint.message)
    }
}

fn refused(complaint: Complaint) -> Failure {
    let is_parameter = complaint.code.starts_with("unsupported_")
        || complaint.code == "unknown_parameter"
        || complaint.kind == "extra_forbidden"
        || complaint.says(&PARAMETER)
        || is_about_form(&complaint);
    match parameter(&complaint) {
        Some(name) if is_parameter => {
            let supported = supported(&complaint.message);
            Failure::Parameter { name, supported, why: complaint.message }
        }
        _ if complaint.says(&["model"]) && complaint.says(&["not exist", "not found"]) => {
            Failure::Model(complaint.message)
        }
        _ => Failure::Item(complaint.message),
    }
}

/// Some servers refuse a form of answer in words of their own.
fn is_about_form(complaint: &Complaint) -> bool {
    let form = ["response_format", "json_schema", "text.format", "structured output"];
    complaint.says(&form) && complaint.says(&["not support", "unsupported", "invalid", "must be"])
}

/// The parameter an error is about: named as such, or in quotation marks, or after a colon.
fn parameter(complaint: &Complaint) -> Option<String> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(?:parameter|argument supplied|argument)s?:?\s*['"`]?([a-z_][a-z_.]*)"#)
            .expect("a valid pattern")
    });
    if !complaint.param.is_empty() && complaint.param != "null" {
        return Some(complaint.param.clone());
    }
    if is_about_form(complaint) {
        return Some("response_format".into());
    }
    NAMED.captures(&complaint.message).map(|found| found[1].to_owned())
}

/// The values in "Supported values are: 'none', 'low', and 'high'."
fn supported(message: &str) -> Vec<String> {
    let Some((_, values)) = message.split_once("upported values are") else { return Vec::new() };
    values.split(['\'', '"', '`']).skip(1).step_by(2).map(str::to_owned).collect()
}

fn broken(status: u16, headers: &HeaderMap, complaint: Complaint) -> Failure {
    // The server knows best whether another attempt would help.
    if headers.get("x-should-retry").is_some_and(|v| v == "false") && status < 500 {
        return Failure::Item(complaint.message);
    }
    let said = if complaint.is_page { String::new() } else { complaint.message };
    Failure::Passing { why: format!("status {status} {said}").trim().into(), wait: wait(headers) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(failure: &Failure) -> &'static str {
        match failure {
            Failure::Limit(_) => "limit",
            Failure::SlowDown { .. } => "slow down",
            Failure::TooLarge(_) => "too large",
            Failure::TooLong(_) => "too long",
            Failure::Passing { .. } => "passing",
            Failure::Void(_) => "void",
            Failure::Parameter { .. } => "parameter",
            Failure::NoSuchPath(_) => "path",
            Failure::Item(_) => "item",
            Failure::Key(_) => "key",
            Failure::Model(_) => "model",
            Failure::Money(_) => "money",
            Failure::Foreign(_) => "foreign",
        }
    }

    fn of(status: u16, body: &Value) -> Failure {
        classify(status, &HeaderMap::new(), body.to_string().as_bytes())
    }

    fn openai(message: &str, kind: &str, code: &str) -> Value {
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
    }

    #[test]
    fn trap_24_every_kind_of_error_has_its_remedy() {
        let e = openai;
        for (status, body, expected) in [
            (429, e("Rate limit reached", "requests", "rate_limit_exceeded"), "limit"),
            (429, json!({"detail": "Too Many Requests"}), "limit"),
            (429, e("No deployments available", "throttling_error", "429"), "limit"),
            (
                429,
                e(
                    "Request too large for m: Limit 30000, Requested 36055.",
                    "tokens",
                    "rate_limit_exceeded",
                ),
                "too large",
            ),
            (
                429,
                e("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
                "money",
            ),
            (429, e("x", "requests", "project_spend_limit_exceeded"), "money"),
            (429, json!({"detail": "Please check your plan and billing details"}), "money"),
            (402, json!({"error": {"code": 402, "message": "Insufficient credits"}}), "money"),
            (429, e("Slow down", "rate_limit_error", "slow_down"), "slow down"),
            (
                429,
                e("Concurrency limit reached: Limit 8", "requests", "rate_limit_exceeded"),
                "slow down",
            ),
            (503, e("overloaded", "", "server_is_overloaded"), "passing"),
            (500, e("boom", "server_error", ""), "passing"),
            (504, json!("timeout"), "passing"),
            (
                400,
                e(
                    "Your input exceeds the context window",
                    "invalid_request_error",
                    "context_length_exceeded",
                ),
                "too long",
            ),
            (500, json!({"error": "the request exceeds the available context size"}), "too long"),
            (
                400,
                json!({"object": "error",
                "message": "This model's maximum context length is 2048 tokens."}),
                "too long",
            ),
            (400, e("flagged", "invalid_request_error", "invalid_prompt"), "item"),
            (401, e("Incorrect API key", "invalid_request_error", "invalid_api_key"), "key"),
            (403, json!({"error": "forbidden"}), "key"),
            (404, e("The model `m` does not exist", "", "model_not_found"), "model"),
            (
                404,
                json!({"error": {"message": "model \"m\" not found, try pulling it first"}}),
                "model",
            ),
            (404, json!({"detail": "Not Found"}), "path"),
            (405, json!({"detail": "Method Not Allowed"}), "path"),
            (404, e("Invalid URL (POST /v1/responses)", "invalid_request_error", ""), "path"),
        ] {
            assert_eq!(name(&of(status, &body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn parameters_are_named() {
        let openai = |message: &str, param: &str, code: &str| json!({"error": {"message": message, "param": param, "code": code}});
        for (status, body, expected) in [
            (
                400,
                openai(
                    "Unsupported parameter: 'temperature' is not supported with this model.",
                    "temperature",
                    "unsupported_parameter",
                ),
                "temperature",
            ),
            (
                400,
                json!({"error": {"message": "Unrecognized request argument supplied: store"}}),
                "store",
            ),
            (
                400,
                json!({"error": {"message": "Unknown parameter: 'reasoning_effort'."}}),
                "reasoning_effort",
            ),
            (
                422,
                json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "store"],
                "msg": "Extra inputs are not permitted"}]}),
                "store",
            ),
            (
                400,
                json!({"error": "response_format json_schema is not supported"}),
                "response_format",
            ),
        ] {
            let Failure::Parameter { name, .. } = of(status, &body) else { panic!("{body}") };
            assert_eq!(name, expected);
        }
        let message = "Unsupported value: 'minimal' is not supported with this model. Supported \
                       values are: 'none', 'low', and 'high'.";
        let failure = of(400, &openai(message, "reasoning.effort", "unsupported_value"));
        let Failure::Parameter { supported, .. } = failure else { panic!() };
        assert_eq!(supported, ["none", "low", "high"]);
    }

    #[test]
    fn errors_in_a_200_and_lists_of_errors_are_found() {
        let in_list = json!([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED",
            "message": format!("You exceeded your current quota, please check your plan and \
                billing details. {}", "x".repeat(400)),
            "details": [{"@type": "QuotaFailure"}, {"retryDelay": "17s"}]}}]);
        let Failure::Limit(refusal) = of(429, &in_list) else { panic!() };
        assert_eq!(refusal.wait.unwrap().as_secs(), 17);
        let hidden = in_ok(&json!({"error": {"code": 502, "message": "Provider"}})).unwrap();
        assert_eq!(name(&hidden), "passing");
        let money = in_ok(&json!({"error": {"code": 402, "message": "credits"}})).unwrap();
        assert_eq!(name(&money), "money");
        assert_eq!(in_ok(&json!({"error": null, "output": []})), None);
    }

    #[test]
    fn pages_and_torn_bodies_with_status_200() {
        let of = |body: &str| classify(200, &HeaderMap::new(), body.as_bytes());
        let Failure::Foreign(why) = of("<!DOCTYPE html><title>Log in</title>") else { panic!() };
        assert!(why.contains("Log in") && !why.contains('<'), "{why}");
        assert_eq!(name(&of("{\"output\": [")), "passing");
    }

    #[test]
    fn messages_are_one_short_line() {
        let body = json!({"error": {"message": format!("a\n\u{7}b{}", " x".repeat(5000))}});
        let Failure::Item(why) = of(400, &body) else { panic!() };
        assert!(why.starts_with("a b") && why.chars().count() == 300, "{why}");
    }
}
