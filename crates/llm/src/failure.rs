//! What a call that brought no answer means, and so what is to be done.

mod classify;
mod complaint;

use std::time::Duration;

use crate::limits::Refusal;
use crate::server::Key;

pub use classify::{classify, in_ok};

/// Why a call brought no usable answer: one variant per remedy.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The account's limits: everybody waits, nobody loses an attempt.
    Limit(Refusal),
    /// The rate rose too fast, or too many calls are under way: ask more slowly.
    SlowDown { wait: Option<Duration> },
    /// Larger than the limit as a whole: waiting never helps, a smaller call does.
    TooLarge(String),
    /// Longer than the model's context: a smaller call helps.
    TooLong(String),
    /// Overloaded, broken or cut off: the same call may pass later.
    Passing { why: String, wait: Option<Duration> },
    /// An answer of the model's that holds nothing, or a refusal: the server is well, and the same
    /// call may bring another answer at once.
    Void(String),
    /// A parameter that this model does not take, by its name in the request (`temperature`,
    /// `reasoning.effort`, `text.format`); `supported` holds the values the message names.
    Parameter { name: String, supported: Vec<String>, why: String },
    /// The server does not know this address of the protocol.
    NoSuchPath(String),
    /// This question will not be answered: a filter, or a body the server finds wrong.
    Item(String),
    /// The key is wrong or has no right to this.
    Key(String),
    /// There is no such model.
    Model(String),
    /// No money.
    Money(String),
    /// Not the reply of such a server: a page of HTML with status 200, say.
    Foreign(String),
}

impl Failure {
    /// Without this key, which a server may repeat in what it says of it.
    pub(crate) fn redacted(mut self, key: &Key) -> Self {
        let why = match &mut self {
            Self::SlowDown { .. } => return self,
            Self::Limit(refusal) => &mut refusal.why,
            Self::TooLarge(why)
            | Self::TooLong(why)
            | Self::Passing { why, .. }
            | Self::Void(why)
            | Self::Parameter { why, .. }
            | Self::NoSuchPath(why)
            | Self::Item(why)
            | Self::Key(why)
            | Self::Model(why)
            | Self::Money(why)
            | Self::Foreign(why) => why,
        };
        *why = key.redact(why);
        self
    }
}
