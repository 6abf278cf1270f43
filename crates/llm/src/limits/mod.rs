//! The account's limits: what they are, and when the next call may leave.

mod bucket;
mod crowd;
mod learn;
mod pacer;

use std::time::Duration;

pub(crate) use learn::wait;
pub use learn::{duration, headers, refusal};
pub(crate) use pacer::{Held, Pacer, Ticket};
pub use pacer::{Known, Stated};

/// What is limited.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Requests,
    Tokens,
}

/// A limit as a server tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    pub what: What,
    /// Requests or tokens per window.
    pub limit: f64,
    /// Length of the window, if the message or the arithmetic of the headers tells it.
    pub window: Option<Duration>,
    /// What was left, or what was used, when the server answered.
    pub remaining: Option<f64>,
}

/// A call was refused because of the limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusal {
    /// How long to wait, if told.
    pub wait: Option<Duration>,
    /// Which limit it was, if told.
    pub told: Option<Told>,
    /// What the server said, for the user.
    pub why: String,
}
