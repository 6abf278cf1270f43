//! Ctrl-C: the first one asks the run to stop, a second one or 2.3 s later the program leaves
//! anyway. The run directory is valid at every instant, so that leaving loses only unfinished work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::exit::Exit;
use crate::progress::line;

/// How long a run has to stop by itself.
const PATIENCE: Duration = Duration::from_millis(2300);

static ASKED: AtomicBool = AtomicBool::new(false);
static LEFT: AtomicBool = AtomicBool::new(false);
static KEPT_IN: Mutex<Option<String>> = Mutex::new(None);

/// Whether the user asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From now on finished work is kept in this folder, which the farewell names.
pub fn kept_in(folder: String) {
    *KEPT_IN.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
}

/// Listens for Ctrl-C.
///
/// # Errors
/// If the system refuses.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            leave();
        }
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            leave();
        });
    })
    .context("cannot listen for Ctrl-C")
}

/// Says how to go on, once, and ends the program.
pub fn leave() -> ! {
    if LEFT.swap(true, Ordering::SeqCst) {
        // Another thread is saying farewell and ends the program.
        loop {
            thread::park();
        }
    }
    let stderr = dialoguer::console::Term::stderr();
    if stderr.is_term() {
        let _ = stderr.show_cursor();
    }
    line(&farewell(KEPT_IN.lock().unwrap_or_else(PoisonError::into_inner).as_deref()));
    std::process::exit(Exit::Interrupted.code())
}

fn farewell(kept_in: Option<&str>) -> String {
    match kept_in {
        None => "stopped before any stage began; what was downloaded so far is kept".into(),
        Some(folder) => {
            let command: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
            format!(
                "stopped; what is finished is kept in `{folder}`, the same command goes on: {}",
                command.join(" ")
            )
        }
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        for (word, expected) in [
            ("a-b/c.csv", "a-b/c.csv"),
            ("my file", "'my file'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("a;b", "'a;b'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
