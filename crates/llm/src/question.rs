//! What is asked, and what comes back.

use serde_json::Value;

/// A question to a chat model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// What is to be done: equal for many questions, so that a server can cache it.
    pub system: String,
    /// What it is to be done with.
    pub user: String,
    /// The form of the answer; `system` describes it in words too, for servers without schemas.
    pub schema: Option<Schema>,
    /// Tokens that the answer itself needs at most; room for thinking is added where needed.
    pub max_output: u32,
    /// Ask for the log-probabilities of the answer's tokens.
    pub logprobs: bool,
}

/// A JSON schema: every object closed, every key required.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    pub schema: Value,
}

/// An answer of a chat model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// As the model wrote it, thoughts removed.
    pub text: String,
    /// Of each token of the text, where asked for and given.
    pub logprobs: Vec<TokenLogprobs>,
}

/// A token of an answer and what else might have stood there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenLogprobs {
    pub token: String,
    /// Alternatives with their log-probabilities, the chosen token among them.
    pub top: Vec<(String, f64)>,
}

/// Tokens of a call, as the server counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: u64,
    /// Part of `input` that the server had seen before.
    pub cached: u64,
    /// Thoughts included.
    pub output: u64,
}
