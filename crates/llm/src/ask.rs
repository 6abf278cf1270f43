//! The seam between those who have questions and those who get them answered.

use serde_json::json;

use crate::Result;
use crate::question::{Answer, Prompt};
use crate::server::Model;

/// For whom questions are asked.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Name in the ledger, such as `annotate`.
    pub stage: &'static str,
    pub model: &'a Model,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The asker's own number for it.
    pub id: usize,
    pub prompt: Prompt,
}

/// What became of a question. Limits, broken connections and refused parameters are dealt with
/// before; what arrives here is for the asker.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Answer(Answer),
    /// Too long for the model or for the account's limits: ask for less at once.
    TooLong(String),
    /// Cut off even with much more room than asked for; what there is of it.
    Cut(Answer),
    /// There will be no answer to this question, and why.
    Never(String),
}

/// What the asker makes of an outcome.
#[derive(Debug, Default)]
pub struct Next {
    /// To be written to the store, together with the call, before anything else happens.
    pub keep: Vec<(AnswerKey, String)>,
    /// Questions that follow from this answer.
    pub again: Vec<Call>,
    /// Pieces of work now done, for progress.
    pub done: u64,
}

/// Names an answer by everything that determines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnswerKey(pub [u8; 32]);

/// Told what goes on while answers are awaited.
pub trait Watch: Sync {
    /// `done` more pieces of work are done.
    fn advance(&self, done: u64);
    /// How it goes; called a few times a second.
    fn state(&self, state: &State);
    /// Something the user should know once.
    fn say(&self, line: &str);
    /// Whether the user asked to stop.
    fn interrupted(&self) -> bool;
}

/// How the asking goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub in_flight: usize,
    pub waiting: usize,
    /// Dollars spent since the program began; `None` if a price is unknown.
    pub spent: Option<f64>,
    /// What is waited for, and for how many seconds more.
    pub held: Option<(String, f64)>,
}

/// Gets questions answered.
pub trait Ask: Sync {
    /// Asks until every call has had its outcome and no more follow. `take` is given each outcome
    /// with the id of its call, in the order of arrival.
    ///
    /// # Errors
    /// Whatever makes further calls pointless; answers that arrived have been taken and kept.
    fn ask(
        &self,
        task: Task,
        calls: Vec<Call>,
        take: &mut dyn FnMut(usize, Outcome) -> Next,
        watch: &dyn Watch,
    ) -> Result<()>;

    /// Answers kept earlier, `None` for those that were not.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    fn kept(&self, keys: &[AnswerKey]) -> Result<Vec<Option<String>>>;

    /// Whether only kept answers may be used.
    fn is_frozen(&self) -> bool;
}

impl AnswerKey {
    /// From the parts that determine the answer; where one ends and the next begins matters.
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = blake3::Hasher::new();
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(*hash.finalize().as_bytes())
    }
}

impl Model {
    /// Everything about the model that determines its answers.
    pub fn identity(&self) -> String {
        let Self { server, name, effort, temperature, dimensions, extra } = self;
        let extra = if extra.is_empty() { String::new() } else { format!(" {}", json!(extra)) };
        format!("{} {name} {effort:?} {temperature:?} {dimensions:?}{extra}", server.base())
    }
}
