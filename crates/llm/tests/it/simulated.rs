//! Against a simulated service with limits and faults, where it is there: `HYPOTHESAES_SIMLLM`
//! names it, or it lies beside the project.

use hypothesaes_llm::ask::{Ask, Call, Next, Outcome, Task};
use hypothesaes_llm::client::{Client, ClientOptions};
use hypothesaes_llm::question::{Prompt, Schema};
use hypothesaes_llm::{Error, Result, reply};
use serde_json::json;

use crate::service::Simulated;
use crate::setup::{Quiet, client, model};

fn text(i: usize) -> String {
    let dish = if i.is_multiple_of(3) { "pizza" } else { "salad" };
    format!("Visit {i}: we had the {dish} and a glass of water on the terrace.")
}

fn question(id: usize) -> Call {
    let schema = json!({"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}},
        "required": ["answer"], "additionalProperties": false});
    let prompt = Prompt {
        system: "Is the property true of the text? Reply in json: {\"answer\": \"yes\"|\"no\"}"
            .into(),
        user: format!("PROPERTY: \"mentions \"pizza\"\"\nTEXT: \"{}\"", text(id)),
        schema: Some(Schema { name: "answer".into(), schema }),
        max_output: 16,
        logprobs: false,
    };
    Call { id, prompt }
}

/// Right answers, questions never answered, and how it ended. What cannot be read is asked again,
/// as an asker does.
fn annotated(client: &Client, base: &str, n: usize) -> (usize, usize, Result<()>) {
    let (mut right, mut never) = (0, 0);
    let mut again = vec![0; n];
    let mut take = |id: usize, outcome: Outcome| {
        let verdict = match &outcome {
            Outcome::Answer(answer) => reply::yes_no(&answer.text),
            _ => None,
        };
        match (verdict, &outcome) {
            (Some(yes), _) => right += usize::from(yes == id.is_multiple_of(3)),
            (None, Outcome::Answer(_) | Outcome::Cut(_)) if again[id] < 4 => {
                again[id] += 1;
                return Next { again: vec![question(id)], ..Next::default() };
            }
            _ => never += 1,
        }
        Next { done: 1, ..Next::default() }
    };
    let model = model(base);
    let calls = (0..n).map(question).collect();
    let watch = Quiet::default();
    let result = client.ask(Task { stage: "annotate", model: &model }, calls, &mut take, &watch);
    (right, never, result)
}

fn calls(client: &Client) -> u64 {
    client.store().sums(None).unwrap().iter().map(|sums| sums.calls).sum()
}

/// Everything is answered, rightly.
fn completes(flags: &[&str], n: usize) -> Option<(Client, Simulated)> {
    let server = Simulated::start(flags)?;
    let client = client(ClientOptions { timeout: 10.0, ..ClientOptions::default() });
    let (right, never, result) = annotated(&client, &server.base, n);
    result.unwrap();
    assert_eq!((right, never), (n, 0), "{flags:?}");
    Some((client, server))
}

#[test]
fn completes_whatever_the_server_leaves_out() {
    completes(&["--preset", "fast"], 300);
    completes(&["--preset", "fast", "--endpoints", "chat,embeddings"], 100);
    completes(&["--preset", "fast", "--think", "always"], 50);
    completes(&["--preset", "fast", "--context", "2048"], 50);
    completes(&["--preset", "fast", "--max-concurrent", "3"], 50);
}

#[test]
fn completes_under_limits_told_in_any_way() {
    // A minute of two seconds: 200 calls under 60 a minute would else take three minutes.
    let limits = ["--preset", "fast", "--rpm", "60", "--minute", "2"];
    for said in [
        &["--rate-headers", "all"][..],
        &["--retry-after", "none", "--rate-headers", "none"],
        &["--error-style", "plain", "--retry-after", "seconds"],
        &["--retry-after", "date", "--rate-headers", "none"],
    ] {
        completes(&[&limits[..], said].concat(), 120);
    }
    completes(&["--preset", "fast", "--day", "60", "--rpd", "100", "--rpm", "0"], 105);
}

#[test]
fn faults_cost_time_and_not_answers() {
    let Some(server) =
        Simulated::start(&["--preset", "flaky", "--p-poison", "0.002", "--hang-seconds", "2"])
    else {
        return;
    };
    let client = client(ClientOptions { timeout: 5.0, ..ClientOptions::default() });
    let n = 1000;
    let (right, never, result) = annotated(&client, &server.base, n);
    result.unwrap();
    assert!(never <= n / 200, "{never} of {n} were never answered");
    // A word that is cut may read as the other verdict in no format: all that is read is right.
    assert_eq!(right + never, n);
}

#[test]
fn no_money_stops_it() {
    let Some(server) = Simulated::start(&["--preset", "fast", "--quota-usd", "0.001"]) else {
        return;
    };
    let client = client(ClientOptions::default());
    let (right, _, result) = annotated(&client, &server.base, 2000);
    assert!(matches!(result, Err(Error::Money { .. })));
    assert!(right > 10 && right < 2000);
    assert!(calls(&client) >= right as u64);
}
