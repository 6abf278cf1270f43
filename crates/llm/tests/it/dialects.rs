//! Servers differ (`llm.md` 1.7): each difference, and that it is found out and remembered.

use hypothesaes_llm::client::{Client, ClientOptions};
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::server::Model;
use hypothesaes_llm::store::Store;
use serde_json::{Value, json};

use crate::server::{Reply, Request, Server, error, says};
use crate::setup::{answers, client, model};

fn asked(server: &Server) -> Vec<Request> {
    let texts = ["a", "b", "c"];
    let client = client(ClientOptions::default());
    assert_eq!(answers(&client, &model(&server.base), &texts), ["yes"; 3]);
    let found_out = server.requests().len();
    assert_eq!(answers(&client, &model(&server.base), &texts), ["yes"; 3]);
    let requests = server.requests();
    assert_eq!(requests.len() - found_out, 3, "what was found out is remembered");
    requests
}

fn chat_only(request: &Request) -> Option<Reply> {
    let none = || Reply::Json(404, json!({"detail": "Not Found"}));
    request.path.ends_with("/responses").then(none)
}

#[test]
fn gemini_and_llama_cpp_python_have_no_responses_api() {
    let server = Server::start(|r| chat_only(r).unwrap_or_else(|| says(r, "yes")));
    let last = asked(&server).pop().unwrap();
    assert_eq!(last.path, "/v1/chat/completions");
    assert_eq!(last.body["response_format"]["type"], "json_schema");
    assert_eq!(last.body["messages"][0]["role"], "system");
    assert_eq!(last.body["max_tokens"], 20, "the name that older servers know");
}

#[test]
fn llama_cpp_python_breaks_at_a_schema() {
    let server = Server::start(|r| {
        chat_only(r).unwrap_or_else(|| match r.body["response_format"]["type"].as_str() {
            Some("json_schema") => error(500, "internal_server_error", "", "validation errors"),
            _ => says(r, "yes"),
        })
    });
    let last = asked(&server).pop().unwrap();
    assert_eq!(last.body["response_format"]["type"], "json_object");
}

/// A model that is to be told `verbosity`, and something of our own besides.
fn told_more(server: &Server) -> Model {
    let Value::Object(extra) = json!({"text": {"verbosity": "low"}, "top_p": 0.5, "stream": true})
    else {
        unreachable!()
    };
    Model { extra, ..model(&server.base) }
}

#[test]
fn what_else_is_to_be_said_is_said_in_the_form_of_either_face() {
    let server = Server::start(|r| says(r, "yes"));
    answers(&client(ClientOptions::default()), &told_more(&server), &["a"]);
    let body = server.requests().pop().unwrap().body;
    assert_eq!((&body["text"]["verbosity"], &body["top_p"]), (&json!("low"), &json!(0.5)));
    assert_eq!(body["text"]["format"]["type"], "json_schema", "what the client says stands");
    assert_eq!(body["stream"], false);
    let server = Server::start(|r| chat_only(r).unwrap_or_else(|| says(r, "yes")));
    answers(&client(ClientOptions::default()), &told_more(&server), &["a"]);
    let body = server.requests().pop().unwrap().body;
    assert_eq!((&body["verbosity"], &body["top_p"]), (&json!("low"), &json!(0.5)));
}

#[test]
fn what_else_is_refused_is_left_out() {
    let server = Server::start(|r| match r.body.get("top_p") {
        Some(_) => {
            let error = json!({"message": "Unsupported parameter: 'top_p'", "param": "top_p",
                "type": "invalid_request_error", "code": "unsupported_parameter"});
            Reply::Json(400, json!({ "error": error }))
        }
        None => says(r, "yes"),
    });
    let told = answers(&client(ClientOptions::default()), &told_more(&server), &["a", "b"]);
    assert_eq!(told, ["yes"; 2]);
    assert_eq!(server.requests().pop().unwrap().body["text"]["verbosity"], "low");
}

#[test]
fn a_server_without_structured_output_is_asked_in_words() {
    let server = Server::start(|r| match r.body["text"]["format"]["type"].as_str() {
        Some(_) => {
            let message = "text.format is not supported by this model";
            let error = json!({"message": message, "type": "invalid_request_error",
                "param": "text.format", "code": "unsupported_parameter"});
            Reply::Json(400, json!({ "error": error }))
        }
        None => says(r, "yes"),
    });
    assert_eq!(asked(&server).pop().unwrap().body.get("text"), None);
}

#[test]
fn reasoning_models_over_chat_want_the_new_name_of_the_cap() {
    let server = Server::start(|r| {
        chat_only(r).unwrap_or_else(|| {
            if r.body.get("max_tokens").is_some() {
                let message = "Unsupported parameter: 'max_tokens' is not supported with this \
                               model. Use 'max_completion_tokens' instead.";
                let error = json!({"message": message, "type": "invalid_request_error",
                    "param": "max_tokens", "code": "unsupported_parameter"});
                return Reply::Json(400, json!({ "error": error }));
            }
            says(r, "yes")
        })
    });
    assert_eq!(asked(&server).pop().unwrap().body["max_completion_tokens"], 20);
}

#[test]
fn azure_has_its_own_header_and_deployments() {
    let server = Server::start(|r| says(r, "yes"));
    let base = server.base.replace("/v1", "/openai/deployments/mine?api-version=2024-10-21");
    let client = client(ClientOptions::default());
    answers(&client, &model(&base), &["a"]);
    let request = &server.requests()[0];
    assert_eq!(request.path, "/openai/deployments/mine/chat/completions?api-version=2024-10-21");
    assert!(request.header("api-key").is_some() && request.header("authorization").is_none());
}

#[test]
fn openrouter_hides_errors_in_a_200_and_numbers_its_codes() {
    let server = Server::start(|r| match r.n {
        0 => Reply::Json(200, json!({"error": {"code": 502, "message": "Provider error"}})),
        _ => says(r, "yes"),
    });
    answers(&client(ClientOptions::default()), &model(&server.base), &["a", "b"]);
    let server = Server::start(|_| {
        Reply::Json(402, json!({"error": {"code": 402, "message": "Insufficient credits"}}))
    });
    let error =
        crate::setup::refused(&client(ClientOptions::default()), &model(&server.base), &["a"]);
    assert!(matches!(error, hypothesaes_llm::Error::Money { .. }), "{error}");
}

#[test]
fn thoughts_of_open_models_are_no_answer() {
    let server = Server::start(|r| says(r, "<think>perhaps\nno?</think>\n\nyes"));
    let client = client(ClientOptions::default());
    assert_eq!(answers(&client, &model(&server.base), &["a"]), ["yes"]);
}

#[test]
fn litellm_refuses_without_saying_when() {
    let server = Server::start(|r| match r.n {
        1 | 2 => {
            let error = json!({"message": "No deployments available", "type": "throttling_error",
                "param": null, "code": "429"});
            Reply::Json(429, json!({ "error": error }))
        }
        _ => says(r, "yes"),
    });
    answers(&client(ClientOptions::default()), &model(&server.base), &["a", "b", "c"]);
}

#[test]
fn what_was_found_out_outlives_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    let server = Server::start(|r| chat_only(r).unwrap_or_else(|| says(r, "yes")));
    for _ in 0..2 {
        let store = Store::open(&path).unwrap().0;
        let client = Client::new(ClientOptions::default(), store, Prices::built_in()).unwrap();
        answers(&client, &model(&server.base), &["a"]);
    }
    assert_eq!(server.requests().len(), 3, "one call was to the address that is not there");
    let bodies: Vec<Value> = server.requests().into_iter().map(|r| r.body).collect();
    assert_eq!(bodies[1], bodies[2]);
}
