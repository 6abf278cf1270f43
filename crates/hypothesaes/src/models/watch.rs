//! Progress of the client, told to who watches the run.

use hypothesaes_llm::ask::{State, Watch as Asked};

use crate::watch::Watch;

/// A run's watch as the client sees it.
pub(crate) struct Asking<'a>(pub &'a dyn Watch);

impl Asked for Asking<'_> {
    fn advance(&self, done: u64) {
        self.0.advance(done);
    }

    fn state(&self, state: &State) {
        self.0.asking(state);
    }

    fn say(&self, line: &str) {
        self.0.say(line);
    }

    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}
