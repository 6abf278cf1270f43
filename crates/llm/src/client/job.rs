//! What the event loop works on: questions of either kind, and what they come to.

use serde::{Deserialize, Serialize};

use crate::ask::{AnswerKey, Call, Next, Outcome};
use crate::question::Prompt;
use crate::store::Kept;

/// A question and how it has fared.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub id: usize,
    pub question: Question,
    /// Attempts that failed by no fault of the limits.
    pub tries: u32,
    /// Answers others had had when this one first failed.
    pub failed_at: Option<u64>,
    /// Times it was sent anew because the server refused a parameter.
    pub adapted: u32,
    /// Tokens added to the cap after answers that were cut off.
    pub room: u32,
    /// Dollars set aside for it while it is under way.
    pub reserved: f64,
}

#[derive(Debug, Clone)]
pub(super) enum Question {
    Prompt(Prompt),
    Texts(Vec<String>),
}

/// What a server may or may not take of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    Texts,
    Prompt { schema: bool, logprobs: bool },
}

impl Question {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Texts(_) => Kind::Texts,
            Self::Prompt(p) => Kind::Prompt { schema: p.schema.is_some(), logprobs: p.logprobs },
        }
    }

    /// Made of everything that determines the answer of `model`, and of a number that tells equal
    /// questions apart. No character of it is unfit for a server's `custom_id`.
    pub fn name(&self, model: &str, n: u32) -> String {
        let key = match self {
            Self::Texts(texts) => {
                AnswerKey::new(["texts", model].into_iter().chain(texts.iter().map(String::as_str)))
            }
            Self::Prompt(Prompt { system, user, schema, max_output, logprobs }) => {
                let form = schema.as_ref().map(|s| format!("{} {}", s.name, s.schema));
                let rest = format!("{max_output} {logprobs}");
                let form = form.as_deref().unwrap_or_default();
                AnswerKey::new(["prompt", model, system, user, form, &rest])
            }
        };
        format!("{}-{n}", &blake3::Hash::from_bytes(key.0).to_hex()[..32])
    }

    pub fn n_texts(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Prompt(_) => 0,
        }
    }
}

pub(super) enum Landing {
    Prompt(Outcome),
    /// One per text asked for, or why the call brought none.
    Vectors(Result<Vec<Option<Vec<f32>>>, NoVectors>),
}

pub(super) enum NoVectors {
    TooLong,
    Never(String),
}

#[derive(Default)]
pub(super) struct Step {
    pub keep: Vec<(AnswerKey, Kept)>,
    pub again: Vec<Job>,
    pub done: u64,
}

impl Job {
    pub fn new(id: usize, question: Question) -> Self {
        Self { id, question, tries: 0, failed_at: None, adapted: 0, room: 0, reserved: 0.0 }
    }

    /// The outcome of a job that brought no answer, in the asker's terms.
    pub fn without_answer(&self, outcome: Outcome) -> Landing {
        match (&self.question, outcome) {
            (Question::Prompt(_), outcome) => Landing::Prompt(outcome),
            (Question::Texts(_), Outcome::TooLong(_)) => Landing::Vectors(Err(NoVectors::TooLong)),
            (Question::Texts(_), Outcome::Never(why)) => {
                Landing::Vectors(Err(NoVectors::Never(why)))
            }
            (Question::Texts(_), Outcome::Answer(_) | Outcome::Cut(_)) => {
                Landing::Vectors(Err(NoVectors::Never("no vectors in the reply".into())))
            }
        }
    }

    /// More input tokens than any vocabulary makes of the question: a third of its bytes.
    pub fn most_input(&self) -> u64 {
        let bytes = match &self.question {
            Question::Texts(texts) => texts.iter().map(String::len).sum(),
            Question::Prompt(p) => {
                let schema = p.schema.as_ref().map_or(0, |s| s.schema.to_string().len());
                p.system.len() + p.user.len() + schema
            }
        };
        bytes as u64 / 3 + 1
    }

    /// Tokens as limiters count them: a quarter of the characters, and what may be answered.
    pub fn tokens(&self, room: u32) -> (u64, u64) {
        let quarter = |n: usize| n.div_ceil(4) as u64;
        match &self.question {
            Question::Texts(texts) => (quarter(texts.iter().map(|t| chars(t)).sum()), 0),
            Question::Prompt(p) => {
                let schema = p.schema.as_ref().map_or(0, |s| s.schema.to_string().len());
                let input = quarter(chars(&p.system) + chars(&p.user) + schema);
                (input, u64::from(p.max_output.max(16)) + u64::from(room))
            }
        }
    }
}

impl From<Call> for Job {
    fn from(call: Call) -> Self {
        Self::new(call.id, Question::Prompt(call.prompt))
    }
}

impl From<Next> for Step {
    fn from(next: Next) -> Self {
        Self {
            keep: next.keep.into_iter().map(|(key, text)| (key, Kept::Text(text))).collect(),
            again: next.again.into_iter().map(Job::from).collect(),
            done: next.done,
        }
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
