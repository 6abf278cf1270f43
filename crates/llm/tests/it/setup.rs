//! Clients, models and questions for the tests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use hypothesaes_llm::ask::{AnswerKey, Ask, Call, Next, Outcome, State, Task, Watch};
use hypothesaes_llm::client::{Client, ClientOptions};
use hypothesaes_llm::price::Prices;
use hypothesaes_llm::question::{Prompt, Schema};
use hypothesaes_llm::server::{Effort, Key, Model, Server};
use hypothesaes_llm::store::Store;
use hypothesaes_llm::{Error, Result};
use serde_json::{Map, json};

pub const KEY: &str = "sk-planted-4711";

pub fn client(options: ClientOptions) -> Client {
    Client::new(options, Store::in_memory().unwrap(), Prices::built_in()).unwrap()
}

pub fn model(base: &str) -> Model {
    Model {
        server: Server::new(base, Key::new(KEY)).unwrap(),
        name: "gpt-5-mini".into(),
        effort: Effort::Minimal,
        temperature: None,
        dimensions: None,
        extra: Map::new(),
    }
}

/// A question whose user message is `text`.
pub fn call(id: usize, text: &str) -> Call {
    let schema = json!({"type": "object", "properties": {"c1": {"type": "boolean"}},
        "required": ["c1"], "additionalProperties": false});
    let prompt = Prompt {
        system: "Answer in json.".into(),
        user: text.into(),
        schema: Some(Schema { name: "answer".into(), schema }),
        max_output: 20,
        logprobs: false,
    };
    Call { id, prompt }
}

/// Asks `texts` and gives what became of each, keeping every answer under its text.
pub fn ask(client: &Client, model: &Model, texts: &[&str]) -> (Vec<Option<Outcome>>, Result<()>) {
    ask_watched(client, model, texts, &Quiet::default())
}

pub fn ask_watched(
    client: &Client,
    model: &Model,
    texts: &[&str],
    watch: &dyn Watch,
) -> (Vec<Option<Outcome>>, Result<()>) {
    let mut outcomes = vec![None; texts.len()];
    let mut take = |id: usize, outcome: Outcome| {
        let keep = match &outcome {
            Outcome::Answer(answer) => vec![(AnswerKey::new([texts[id]]), answer.text.clone())],
            _ => Vec::new(),
        };
        assert!(outcomes[id].replace(outcome).is_none(), "{} was answered twice", texts[id]);
        Next { keep, done: 1, ..Next::default() }
    };
    let calls = texts.iter().enumerate().map(|(id, text)| call(id, text)).collect();
    let result = client.ask(Task { stage: "test", model }, calls, &mut take, watch);
    (outcomes, result)
}

/// All must be answered.
pub fn answers(client: &Client, model: &Model, texts: &[&str]) -> Vec<String> {
    let (outcomes, result) = ask(client, model, texts);
    result.unwrap();
    let text = |outcome| match outcome {
        Some(Outcome::Answer(answer)) => answer.text,
        other => panic!("no answer: {other:?}"),
    };
    outcomes.into_iter().map(text).collect()
}

pub fn refused(client: &Client, model: &Model, texts: &[&str]) -> Error {
    ask(client, model, texts).1.unwrap_err()
}

/// Remembers what it is told, and may ask to stop.
#[derive(Default)]
pub struct Quiet {
    pub stop: AtomicBool,
    pub lines: Mutex<Vec<String>>,
    pub states: Mutex<Vec<State>>,
}

impl Watch for Quiet {
    fn advance(&self, _: u64) {}
    fn state(&self, state: &State) {
        self.states.lock().unwrap().push(state.clone());
    }
    fn say(&self, line: &str) {
        self.lines.lock().unwrap().push(line.into());
    }
    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
