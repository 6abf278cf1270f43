//! Vectors: batches, forms of reply, what is kept.

use base64::Engine;
use hypothesaes_llm::ask::Task;
use hypothesaes_llm::client::{Client, ClientOptions};
use serde_json::{Value, json};

use crate::server::{Reply, Request, Server, error};
use crate::setup::{Quiet, client, model};

fn inputs(request: &Request) -> Vec<String> {
    serde_json::from_value(request.body["input"].clone()).unwrap()
}

/// The number in a text, and its length.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn vector(text: &str) -> Vec<f32> {
    let number: f32 = text.split(' ').next().unwrap().parse().unwrap();
    vec![number, text.len() as f32]
}

fn reply(items: &[Value]) -> Reply {
    Reply::Json(200, json!({"data": items, "usage": {"prompt_tokens": items.len()}}))
}

fn embed(client: &Client, server: &Server, texts: &[String]) -> Vec<Option<Vec<f32>>> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let model = model(&server.base);
    let task = Task { stage: "embed", model: &model };
    client.embed(task, &texts, &Quiet::default()).unwrap()
}

fn right(texts: &[String], got: &[Option<Vec<f32>>]) {
    for (text, got) in texts.iter().zip(got) {
        assert_eq!(got.as_deref(), Some(&vector(text)[..]));
    }
}

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i} text")).collect()
}

#[test]
fn base64_in_any_order() {
    let server = Server::start(|r| {
        assert_eq!(r.body["encoding_format"], "base64");
        let item = |(index, text): (usize, &String)| {
            let bytes: Vec<u8> = vector(text).iter().flat_map(|v| v.to_le_bytes()).collect();
            let embedding = base64::prelude::BASE64_STANDARD.encode(bytes);
            json!({"index": index, "embedding": embedding})
        };
        reply(&inputs(r).iter().enumerate().map(item).rev().collect::<Vec<_>>())
    });
    let texts = texts(700);
    right(&texts, &embed(&client(ClientOptions::default()), &server, &texts));
    assert_eq!(server.requests().len(), 3);
}

fn plain(r: &Request) -> Reply {
    let item = |(i, t): (usize, &String)| json!({"index": i, "embedding": vector(t)});
    reply(&inputs(r).iter().enumerate().map(item).collect::<Vec<_>>())
}

#[test]
fn trap_30_numbers_are_taken_too_and_nothing_is_asked_twice() {
    let server = Server::start(plain);
    let client = client(ClientOptions::default());
    let texts: Vec<String> = [texts(10), texts(10)].concat();
    right(&texts, &embed(&client, &server, &texts));
    assert_eq!(inputs(&server.requests()[0]).len(), 10, "equal texts are sent once");
    right(&texts, &embed(&client, &server, &texts));
    assert_eq!(server.requests().len(), 1);
    let model = model(&server.base);
    assert_eq!(client.n_embedded(&model, &["3 text", "new"]).unwrap(), 1);
}

#[test]
fn trap_30_another_model_or_dimension_is_another_vector() {
    let server = Server::start(plain);
    let client = client(ClientOptions::default());
    let mut model = model(&server.base);
    for (dimensions, requests) in [(None, 1), (Some(2), 2), (None, 2)] {
        model.dimensions = dimensions;
        let task = Task { stage: "embed", model: &model };
        client.embed(task, &["1 text"], &Quiet::default()).unwrap();
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn a_vector_that_is_missing_is_asked_for_again() {
    let server = Server::start(|r| match r.n {
        0 => {
            let item = |(i, t): (usize, &String)| json!({"index": i, "embedding": vector(t)});
            reply(&inputs(r).iter().enumerate().skip(1).map(item).collect::<Vec<_>>())
        }
        _ => plain(r),
    });
    let texts = texts(5);
    right(&texts, &embed(&client(ClientOptions::default()), &server, &texts));
    assert_eq!(inputs(&server.requests()[1]), ["0 text"]);
}

#[test]
fn a_text_that_is_too_long_is_cut_and_a_bad_one_left_out() {
    let server = Server::start(|r| {
        let inputs = inputs(r);
        if inputs.iter().any(|t| t.len() > 300) {
            return error(400, "invalid_request_error", "context_length_exceeded", "too long");
        }
        if inputs.iter().any(|t| t.contains("bad")) {
            return error(400, "invalid_request_error", "invalid_prompt", "no");
        }
        plain(r)
    });
    let mut all = texts(9);
    all.push(format!("9 {}", "x".repeat(1000)));
    all.push("10 bad".into());
    let got = embed(&client(ClientOptions::default()), &server, &all);
    right(&all[..9], &got[..9]);
    assert_eq!(got[9].as_ref().unwrap()[0], 9.0);
    assert_eq!(got[10], None);
}

#[test]
fn vectors_per_token_are_explained() {
    let server = Server::start(|r| {
        let item = |_: &String| json!({"embedding": [[1.0, 2.0], [3.0, 4.0]]});
        reply(&inputs(r).iter().map(item).collect::<Vec<_>>())
    });
    let model = model(&server.base);
    let watch = Quiet::default();
    let task = Task { stage: "embed", model: &model };
    let result = client(ClientOptions::default()).embed(task, &["1 text"], &watch);
    let told = format!("{result:?} {:?}", watch.lines.lock().unwrap());
    assert!(told.contains("pooling"), "{told}");
}
