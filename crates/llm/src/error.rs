//! What stops a run. What befalls a single call is a [`crate::failure::Failure`].

use std::path::PathBuf;

/// Why nothing more can be asked; every answer that arrived is kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server was never reached: look at the address, the network, the proxy.
    #[error("cannot reach `{server}`: {why}")]
    Unreachable { server: String, why: String },
    /// The server answered, but not as such a server does: the address may be another program's.
    #[error("`{server}` does not answer like a language-model server: {why}")]
    Foreign { server: String, why: String },
    /// The key is missing, wrong, or not allowed to do this.
    #[error("`{server}` refuses the key: {why}")]
    Key { server: String, why: String },
    /// The server has no such model, or not for this use.
    #[error("`{server}` has no model `{model}`: {why}")]
    Model { server: String, model: String, why: String },
    /// The account has no money left.
    #[error("the account at `{server}` can spend no more: {why}")]
    Money { server: String, why: String },
    /// The ceiling that the user set would be passed.
    #[error(
        "the ceiling of ${ceiling} is reached: ${spent:.4} spent, the next calls could pass it"
    )]
    Ceiling { ceiling: f64, spent: f64 },
    /// The server refuses every call of this kind.
    #[error("`{server}` refuses every call: {why}")]
    Refused { server: String, why: String },
    /// No answer for longer than the user's patience.
    #[error("no answer from `{server}` for {minutes:.0} minutes: {why}")]
    Patience { server: String, minutes: f64, why: String },
    /// Batch jobs hold the questions; the answers are fetched by the next run.
    #[error(
        "{waiting} questions are with the batch service of `{server}`, {answered} of them answered"
    )]
    Batched { server: String, waiting: usize, answered: u64 },
    /// The server takes no batch jobs.
    #[error("`{server}` has no batch service: {why}")]
    NoBatches { server: String, why: String },
    /// Only stored answers may be used, and this one is not among them.
    #[error("{missing} answers are not in the store, and `frozen` forbids to ask for them")]
    Frozen { missing: usize },
    /// An option lies outside its range.
    #[error("`{name}` is `{value}`: {allowed}")]
    Option { name: String, value: String, allowed: String },
    /// The file of answers could not be used.
    #[error("cannot {doing} the answers in `{}`: {why}", path.display())]
    Store { doing: &'static str, path: PathBuf, why: String },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
