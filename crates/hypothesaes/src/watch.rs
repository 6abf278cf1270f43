//! How stages tell what they do, and learn that the user wants them to stop.

use hypothesaes_llm::ask::State;

use crate::{Error, Result};

/// Receives progress; asked between pieces of work whether to go on.
pub trait Watch: Sync {
    /// A stage begins; `total` pieces of `unit` (0 if unknown).
    fn begin(&self, stage: &'static str, total: u64, unit: &'static str);
    /// `done` more pieces of the current stage are done.
    fn advance(&self, done: u64);
    /// A line for the user: what was decided or noticed.
    fn say(&self, line: &str);
    /// The stage has ended; `summary` in a few words.
    fn end(&self, summary: &str);
    /// How the asking of a language model goes; called a few times a second while it does.
    fn asking(&self, _: &State) {}
    /// Whether the user asked to stop.
    fn interrupted(&self) -> bool;

    /// # Errors
    /// [`Error::Interrupted`] if the user asked to stop.
    fn check(&self) -> Result<()> {
        if self.interrupted() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
    fn advance(&self, _: u64) {}
    fn say(&self, _: &str) {}
    fn end(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
}

/// Passes on no more than that the user asked to stop: for work within a stage's own.
pub(crate) struct Quiet<'a>(pub &'a dyn Watch);

impl Watch for Quiet<'_> {
    fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
    fn advance(&self, _: u64) {}
    fn say(&self, _: &str) {}
    fn end(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}
