//! Errors and what is done about them (`llm.md` 1.3 in tests).

use std::sync::atomic::{AtomicUsize, Ordering};

use hypothesaes_llm::Error;
use hypothesaes_llm::ask::Outcome;
use hypothesaes_llm::client::ClientOptions;
use serde_json::json;

use crate::server::{Reply, Server, error, says};
use crate::setup::{KEY, answers, ask, client, model, refused};

fn defaults() -> ClientOptions {
    ClientOptions::default()
}

#[test]
fn every_question_has_its_answer_whatever_the_order() {
    let server = Server::start(|r| says(r, &format!("to {}", r.user())));
    let texts: Vec<String> = (0..200).map(|i| format!("text {i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let got = answers(&client(defaults()), &model(&server.base), &texts);
    assert!(got.iter().zip(&texts).all(|(got, text)| *got == format!("to {text}")));
    let first = &server.requests()[0];
    assert_eq!(first.path, "/v1/responses");
    assert_eq!(first.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!((&first.body["store"], &first.body["stream"]), (&json!(false), &json!(false)));
    assert_eq!(server.requests().len(), 200);
}

#[test]
fn trap_24_what_passes_is_tried_again() {
    let server = Server::start(|r| match r.n {
        1 => error(500, "server_error", "", "The server had an error"),
        2 => Reply::With(502, vec![("content-type", "text/html".into())], "<html>Bad".into()),
        3 => error(503, "service_unavailable_error", "server_is_overloaded", "overloaded"),
        4 => Reply::Closed,
        5 => Reply::Torn(json!({"output": [], "more": "of it"}).to_string()),
        6 => Reply::With(200, Vec::new(), "{\"output\": [".into()),
        _ => says(r, "yes"),
    });
    let texts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert_eq!(answers(&client(defaults()), &model(&server.base), &texts), ["yes"; 8]);
}

#[test]
fn trap_20_a_poisoned_question_is_named_and_the_rest_is_answered() {
    let server = Server::start(|r| match r.user() {
        "poison" => error(500, "server_error", "", "boom"),
        "filtered" => error(400, "invalid_request_error", "invalid_prompt", "flagged"),
        _ => says(r, "yes"),
    });
    let texts: Vec<String> = (0..40).map(|i| i.to_string()).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.extend(["poison", "filtered"]);
    let (outcomes, result) = ask(&client(defaults()), &model(&server.base), &texts);
    result.unwrap();
    let never = |o: &Option<Outcome>| matches!(o, Some(Outcome::Never(_)));
    assert_eq!(outcomes.iter().filter(|o| never(o)).count(), 2);
    let Some(Outcome::Never(why)) = &outcomes[40] else { panic!() };
    assert!(why.contains("boom") && why.contains("attempts"), "{why}");
}

#[test]
fn trap_22_a_cut_off_answer_gets_more_room_and_the_model_keeps_it() {
    let server = Server::start(|r| {
        if r.body["max_output_tokens"].as_u64().unwrap() < 200 {
            let body = json!({"status": "incomplete", "output": [{"type": "reasoning"}],
                "incomplete_details": {"reason": "max_output_tokens"}});
            return Reply::Json(200, body);
        }
        says(r, "yes")
    });
    let client = client(defaults());
    assert_eq!(answers(&client, &model(&server.base), &["a", "b", "c"]), ["yes"; 3]);
    assert_eq!(server.requests().len(), 4, "one was cut off");
    let sums = client.store().sums(None).unwrap();
    assert_eq!(sums[0].calls, 4, "and paid for");
}

#[test]
fn trap_22_an_empty_answer_is_asked_again() {
    let server = Server::start(|r| says(r, if r.n == 1 { "" } else { "yes" }));
    assert_eq!(answers(&client(defaults()), &model(&server.base), &["a", "b"]), ["yes"; 2]);
}

#[test]
fn a_void_answer_is_asked_again_a_few_times_and_given_up() {
    // Empty for one, refused for another, whatever is asked beside them.
    let server = Server::start(|r| match r.user() {
        "void" => says(r, ""),
        "no" => Reply::Json(
            200,
            json!({"status": "completed", "output": [{"type": "message", "content":
                [{"type": "refusal", "refusal": "I cannot"}]}]}),
        ),
        _ => says(r, "yes"),
    });
    let texts = ["a", "void", "b", "no", "c"];
    let (outcomes, result) = ask(&client(defaults()), &model(&server.base), &texts);
    result.unwrap();
    for (text, outcome) in texts.iter().zip(outcomes) {
        match (*text, outcome.unwrap()) {
            ("void", Outcome::Never(why)) => assert!(why.contains("empty"), "{why}"),
            ("no", Outcome::Never(why)) => assert!(why.contains("I cannot"), "{why}"),
            (_, Outcome::Answer(answer)) => assert_eq!(answer.text, "yes"),
            (text, other) => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(server.requests().len(), 3 + 2 * 3, "three attempts each");
}

#[test]
fn trap_23_a_refused_parameter_is_dropped_once_and_remembered() {
    let server = Server::start(|r| {
        if r.body.get("temperature").is_some() {
            let error = json!({"message": "Unsupported parameter: 'temperature' is not supported",
                "type": "invalid_request_error", "param": "temperature",
                "code": "unsupported_parameter"});
            return Reply::Json(400, json!({ "error": error }));
        }
        says(r, "yes")
    });
    let client = client(defaults());
    let mut model = model(&server.base);
    model.temperature = Some(0.0);
    assert_eq!(answers(&client, &model, &["a", "b", "c"]), ["yes"; 3]);
    assert_eq!(answers(&client, &model, &["d"]), ["yes"]);
    assert_eq!(server.requests().len(), 5, "refused once");
}

#[test]
fn an_effort_that_the_model_has_not_is_replaced_by_the_nearest() {
    let server = Server::start(|r| match r.body["reasoning"]["effort"].as_str() {
        Some("minimal") => {
            let error = json!({"message": "Unsupported value: 'minimal' is not supported with \
                this model. Supported values are: 'none', 'low', 'medium', and 'high'.",
                "type": "invalid_request_error", "param": "reasoning.effort",
                "code": "unsupported_value"});
            Reply::Json(400, json!({ "error": error }))
        }
        effort => says(r, effort.unwrap_or("none given")),
    });
    assert_eq!(answers(&client(defaults()), &model(&server.base), &["a"]), ["none"]);
}

#[test]
fn too_long_is_for_the_asker() {
    let server = Server::start(|r| match r.user() {
        "long" => error(400, "invalid_request_error", "context_length_exceeded", "too long"),
        "large" => error(
            429,
            "tokens",
            "rate_limit_exceeded",
            "Request too large for gpt-5-mini \
            on tokens per min (TPM): Limit 30000, Requested 36055. The input or output tokens must \
            be reduced in order to run successfully.",
        ),
        _ => says(r, "yes"),
    });
    let (outcomes, result) =
        ask(&client(defaults()), &model(&server.base), &["a", "long", "large"]);
    result.unwrap();
    assert!(matches!(outcomes[1], Some(Outcome::TooLong(_))));
    assert!(matches!(outcomes[2], Some(Outcome::TooLong(_))));
}

#[test]
fn trap_24_no_money_stops_the_run_and_keeps_the_answers() {
    let server = Server::start(|r| {
        if r.n >= 20 {
            let message = "You exceeded your current quota, please check your plan and billing";
            return error(429, "insufficient_quota", "insufficient_quota", message);
        }
        says(r, "yes")
    });
    let texts: Vec<String> = (0..500).map(|i| i.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let client = client(defaults());
    let (outcomes, result) = ask(&client, &model(&server.base), &texts);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Money { .. }), "{error}");
    assert_eq!(outcomes.iter().flatten().count(), 20);
    let contents = client.store().contents().unwrap();
    assert_eq!(contents[0].answers, 20);
    assert!(server.requests().len() <= 20 + 64, "one round trip per worker at most");
}

#[test]
fn what_no_waiting_mends_stops_at_once() {
    let key = format!("Incorrect API key provided: {KEY}.");
    let error_of = |status, code: &'static str, message: String| {
        let server = Server::start(move |_| error(status, "invalid_request_error", code, &message));
        let text = refused(&client(defaults()), &model(&server.base), &["a", "b", "c"]);
        assert_eq!(server.requests().len(), 1);
        text
    };
    let error = error_of(401, "invalid_api_key", key);
    assert!(matches!(error, Error::Key { .. }));
    assert!(!error.to_string().contains(KEY), "{error}");
    let missing = "The model `gpt-5-mini` does not exist or you do not have access to it.".into();
    let error = error_of(404, "model_not_found", missing);
    assert!(matches!(error, Error::Model { .. }), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let error = refused(&client(defaults()), &model("http://127.0.0.1:9/v1"), &["a"]);
    assert!(matches!(&error, Error::Unreachable { server, .. } if server == "127.0.0.1:9"));
}

#[test]
fn a_failed_tls_handshake_is_told() {
    let server = Server::start(|r| says(r, "yes"));
    let base = server.base.replace("http:", "https:");
    let error = refused(&client(defaults()), &model(&base), &["a"]);
    let Error::Unreachable { why, .. } = &error else { panic!("{error}") };
    assert!(why.to_lowercase().contains("tls") || why.contains("InvalidContentType"), "{why}");
    assert!(!why.contains(KEY), "{why}");
}

#[test]
fn a_page_in_place_of_a_server_is_told() {
    let page = || {
        let html = vec![("content-type", "text/html".into())];
        Reply::With(200, html, "<!doctype html><html><title>Log in</title></html>".into())
    };
    let server = Server::start(move |_| page());
    let error = refused(&client(defaults()), &model(&server.base), &["a"]);
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    // In the middle of a run it is a gateway's fault, and passes.
    let server = Server::start(move |r| if r.n == 1 { page() } else { says(r, "yes") });
    assert_eq!(answers(&client(defaults()), &model(&server.base), &["a", "b"]), ["yes"; 2]);
}

#[test]
fn a_server_that_refuses_everything_is_believed() {
    let server = Server::start(|_| Reply::Json(400, json!({"error": "I do not like this"})));
    let texts: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let error = refused(&client(defaults()), &model(&server.base), &texts);
    assert!(matches!(&error, Error::Refused { why, .. } if why.contains("not like")), "{error}");
    assert!(server.requests().len() < 10);
}

#[test]
fn a_redirection_is_not_followed() {
    let elsewhere = Server::start(|r| says(r, "yes"));
    let target = format!("{}/responses", elsewhere.base);
    let server =
        Server::start(move |_| Reply::With(307, vec![("location", target.clone())], String::new()));
    let (_, result) = ask(&client(defaults()), &model(&server.base), &["a"]);
    result.ok();
    assert!(elsewhere.requests().is_empty(), "texts go only where the user sent them");
}

#[test]
fn frozen_asks_for_nothing() {
    let server = Server::start(|r| says(r, "yes"));
    let client = client(ClientOptions { frozen: true, ..defaults() });
    let error = refused(&client, &model(&server.base), &["a", "b"]);
    assert!(matches!(error, Error::Frozen { missing: 2 }));
    assert!(server.requests().is_empty());
}

#[test]
fn the_ceiling_holds_with_calls_under_way() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |r| {
        calls.fetch_add(1, Ordering::Relaxed);
        let usage = json!({"input_tokens": 1000, "output_tokens": 20});
        let content = json!([{"type": "output_text", "text": r.user()}]);
        let output = json!([{"type": "message", "content": content}]);
        Reply::Json(200, json!({"status": "completed", "usage": usage, "output": output}))
    });
    // 1,000 x 0.25 + 20 x 2 dollars a million: 0.00029 each.
    let client = client(ClientOptions { max_cost: Some(0.0046), ..defaults() });
    let texts: Vec<String> = (0..100).map(|i| format!("{i} {}", "word ".repeat(700))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (outcomes, result) = ask(&client, &model(&server.base), &texts);
    assert!(matches!(result.unwrap_err(), Error::Ceiling { .. }));
    let spent = client.spent().unwrap();
    assert!(spent <= 0.0046 && spent > 0.003, "{spent}");
    assert!(outcomes.iter().flatten().count() >= 10);
}
