//! How the program ends: exit codes, errors with their causes and a remedy, and panics as one line.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use dialoguer::console::style;
use hypothesaes::Error;
use hypothesaes_llm::Error as Llm;

use crate::interrupt;
use crate::progress::line;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// The data, the disk or the program.
    Failure,
    /// The command line or the options file.
    Usage,
    /// The user's ceiling, or the account's money, is reached.
    Budget,
    /// Done, but more answers are missing than the user allows.
    Missing,
    /// Batch jobs hold questions: the same command fetches the answers later.
    Batched,
    Interrupted,
}

impl Exit {
    pub fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Budget => 3,
            Self::Missing => 4,
            Self::Batched => 5,
            Self::Interrupted => 130,
        }
    }
}

/// A fault of the command line that only the program can see, and its remedy.
#[derive(Debug)]
pub struct Usage {
    pub message: String,
    pub hint: String,
}

impl std::error::Error for Usage {}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// More answers are missing than the user allows.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    pub missing: usize,
    pub all: usize,
}

impl std::error::Error for Missing {}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { missing, all } = self;
        write!(f, "{missing} of {all} annotations are missing, more than `llm.max_failed` allows")
    }
}

/// Runs `work` and ends the program as it went.
pub fn after(work: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    panic::set_hook(Box::new(|info| panicked(info.payload(), &place(info))));
    let exit = match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => Exit::Done,
        Ok(Err(error)) => {
            let exit = exit_of(&error);
            if exit == Exit::Interrupted {
                interrupt::leave();
            }
            tell(&error, exit);
            exit
        }
        Err(_) => Exit::Failure,
    };
    ExitCode::from(u8::try_from(exit.code()).expect("exit codes are small"))
}

/// The exit code that an error asks for.
fn exit_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<Usage>().is_some() {
        return Exit::Usage;
    }
    if error.downcast_ref::<Missing>().is_some() {
        return Exit::Missing;
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Llm(Llm::Money { .. } | Llm::Ceiling { .. })) => Exit::Budget,
        Some(Error::Llm(Llm::Batched { .. })) => Exit::Batched,
        Some(Error::Interrupted) => Exit::Interrupted,
        Some(Error::Option { .. } | Error::Math(hypothesaes_math::Error::Option { .. })) => {
            Exit::Usage
        }
        _ => Exit::Failure,
    }
}

/// The error, its causes and the remedy, a line each.
fn tell(error: &anyhow::Error, exit: Exit) {
    let label = match exit {
        Exit::Batched => style("under way:").for_stderr().yellow().bold(),
        _ => style("error:").for_stderr().red().bold(),
    };
    line(&format!("{label} {error}"));
    for cause in error.chain().skip(1) {
        line(&format!("  because: {cause}"));
    }
    if let Some(hint) = hint(error) {
        line(&format!("{} {hint}", style("hint:").for_stderr().cyan().bold()));
    }
}

/// What to do, where the message does not say it.
fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(usage) = error.downcast_ref::<Usage>() {
        return Some(usage.hint.clone());
    }
    if error.downcast_ref::<Missing>().is_some() {
        return Some(
            "data/annotations.parquet has the reasons; the same command asks again".into(),
        );
    }
    let hint = match error.downcast_ref::<Error>()? {
        Error::File { source, .. } => match source.kind() {
            ErrorKind::NotFound => "check the path; a relative one starts at the current folder",
            ErrorKind::PermissionDenied => "check the rights, or write elsewhere with `--out DIR`",
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                "a file stands where a folder is to be: write elsewhere with `--out`"
            }
            ErrorKind::StorageFull => "free some space; the same command goes on from here",
            _ => return None,
        },
        Error::Llm(error) => hint_of_model(error)?,
        _ => return None,
    };
    Some(hint.into())
}

fn hint_of_model(error: &Llm) -> Option<&'static str> {
    Some(match error {
        Llm::Unreachable { .. } | Llm::Foreign { .. } => {
            "check OPENAI_BASE_URL or `llm.base_url`, and that the server runs; `hypothesaes \
             doctor` tries it; every answer is kept"
        }
        Llm::Key { .. } => "check the key in OPENAI_API_KEY; `hypothesaes doctor` tries it",
        Llm::Model { .. } => {
            "name a model of this server with `--embedder`, `--interpreter`, `--annotator`, or \
             leave a stage to this computer with tfidf-svd, phrases or meaning"
        }
        Llm::Money { .. } => {
            "every answer is kept: once the account has money, the same command goes on from here"
        }
        Llm::Ceiling { .. } => {
            "every answer is kept: the same command with a higher `--max-cost` goes on from here"
        }
        Llm::Batched { .. } => {
            "the same command fetches the answers when they are there, within 24 hours; `--wait` \
             waits for them"
        }
        Llm::NoBatches { .. } => {
            "leave `--batch` out; every answer is kept, and what this server was not asked for yet \
             costs the full price"
        }
        Llm::Frozen { .. } => "leave `--frozen` out to have them asked",
        Llm::Patience { .. } | Llm::Refused { .. } => {
            "every answer is kept: the same command goes on from here"
        }
        _ => return None,
    })
}

/// One line for a fault of the program, however many threads meet it.
fn panicked(payload: &dyn Any, place: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if TOLD.swap(true, Ordering::SeqCst) {
        return;
    }
    let what = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    line(&format!(
        "error: a fault in hypothesaes {} ({place}): {what}; what was finished is kept; please \
         report this line with the command",
        env!("CARGO_PKG_VERSION")
    ));
}

fn place(info: &PanicHookInfo) -> String {
    info.location().map_or_else(|| "unknown place".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn exit_codes_follow_the_remedy() {
        let usage = Usage { message: "no file".into(), hint: "add FILE".into() };
        let math = hypothesaes_math::Error::option("k", 0, "1 or more");
        for (error, exit) in [
            (usage.into(), Exit::Usage),
            (Error::option("seed", -1, "0 or more").into(), Exit::Usage),
            (Error::Math(math).into(), Exit::Usage),
            (Error::Interrupted.into(), Exit::Interrupted),
            (Error::input("a.csv", "is empty").into(), Exit::Failure),
            (Error::Data("one class".into()).into(), Exit::Failure),
            (anyhow::anyhow!("other"), Exit::Failure),
        ] {
            assert_eq!(exit_of(&error), exit, "{error}");
        }
    }

    #[test]
    fn hints_name_the_remedy() {
        let full = Error::file("write", "a")(io::Error::from(ErrorKind::StorageFull));
        assert!(hint(&full.into()).unwrap().contains("free some space"));
        assert_eq!(hint(&Error::Data("one class".into()).into()), None);
    }
}
