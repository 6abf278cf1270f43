//! The run directory: what every stage made, so that nothing finished is done twice.
//!
//! A stage goes in with its [`Identity`] and comes out with its value, made anew or read back.
//! Files appear whole or not at all; `state.json` names the files of a stage only once all of them
//! are on disk. What a stage computes is not here.

mod atomic;
mod identity;
mod log;
mod outputs;
mod state;
pub mod vectors;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use atomic::{Digest, digest, write as write_atomically};
pub use identity::Identity;
pub use outputs::{Outputs, read_json};
use state::{Record, State};

use crate::table::dictionary::Entry;
use crate::watch::Watch;
use crate::{Error, Result};

/// The stages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Data,
    Embed,
    Signal,
    Sae,
    Select,
    Interpret,
    Annotate,
    Evaluate,
    Report,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 9] = [
        Self::Data,
        Self::Embed,
        Self::Signal,
        Self::Sae,
        Self::Select,
        Self::Interpret,
        Self::Annotate,
        Self::Evaluate,
        Self::Report,
    ];

    /// The name users see.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Embed => "embed",
            Self::Signal => "signal",
            Self::Sae => "sae",
            Self::Select => "select",
            Self::Interpret => "interpret",
            Self::Annotate => "annotate",
            Self::Evaluate => "evaluate",
            Self::Report => "report",
        }
    }
}

/// What became of a stage in this run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    pub stage: Stage,
    /// Read back from an earlier run, at no cost.
    pub reused: bool,
    /// Why it was done again although an earlier run had done it.
    pub again_because: Option<String>,
    /// What it took when it was made.
    pub seconds: f64,
    /// Answers that it could not have.
    pub lacking: usize,
}

/// A run directory, locked against other processes while this value lives.
pub struct RunDir {
    path: PathBuf,
    state: State,
    reports: Vec<StageReport>,
    /// Whether a stage that lacks answers is done again.
    asks_again: bool,
    _lock: File,
}

impl RunDir {
    /// Opens `path`, creating it if need be.
    ///
    /// # Errors
    /// [`Error::Run`] if another process works in it, if its state cannot be read, or if the
    /// folder holds other things and no run.
    pub fn open(path: &Path) -> Result<Self> {
        if !is_run(path) && has_entries(path)? {
            let message = "the folder has other files in it: choose a new or empty one".into();
            return Err(Error::Run { path: path.into(), message });
        }
        fs::create_dir_all(path).map_err(Error::file("create", path))?;
        let lock = lock(path)?;
        let state = State::read(path)?;
        remove_unfinished(path);
        Ok(Self { path: path.into(), state, reports: Vec::new(), asks_again: true, _lock: lock })
    }

    /// Removes the directory and all that is in it, as far as the system lets it.
    pub fn discard(self) {
        let Self { path, _lock: lock, .. } = self;
        drop(lock);
        // What stays is an empty run, which the next one on the same data goes on with.
        let _ = fs::remove_dir_all(path);
    }

    /// Lets stages stand that lack answers, for nothing can be asked.
    pub fn ask_no_more(&mut self) {
        self.asks_again = false;
    }

    /// Answers that a finished stage could not have.
    pub fn lacking(&self, stage: Stage) -> usize {
        self.state.record(stage).map_or(0, |record| record.lacking)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What became of the stages so far.
    pub fn reports(&self) -> &[StageReport] {
        &self.reports
    }

    /// What the data dictionary says of the tables written so far.
    pub fn dictionary(&self) -> Vec<Entry> {
        self.state.records().flat_map(|r| r.dictionary.clone()).collect()
    }

    /// Whether a stage is finished; whether it still fits the options is for [`Self::stage`].
    pub fn stands(&self, stage: Stage) -> bool {
        self.state.record(stage).is_some()
    }

    /// Why the result of a finished stage does not stand for `identity`; `None` if it does, or if
    /// there is none.
    pub fn why_again(&self, stage: Stage, identity: &Identity) -> Result<Option<String>> {
        let Some(record) = self.state.record(stage) else { return Ok(None) };
        if let Some(why) = stale(&self.path, record, identity)? {
            return Ok(Some(why));
        }
        let lacks = self.asks_again && record.lacking > 0;
        Ok(lacks.then(|| format!("{} answers were missing", record.lacking)))
    }

    /// Hash of a file of a stage: what a later stage builds upon. Empty if there is none.
    pub fn content(&self, stage: Stage, file: &str) -> String {
        let record = self.state.record(stage);
        record.and_then(|r| r.files.get(file)).map_or_else(String::new, |d| d.blake3.clone())
    }

    /// One hash of all files of the stages before `stage`.
    pub fn content_before(&self, stage: Stage) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, digest) in self.state.before(stage).flat_map(|r| &r.files) {
            hasher.update(name.as_bytes()).update(digest.blake3.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// All files of all stages with their digests, by path.
    pub fn files(&self) -> impl Iterator<Item = (&String, &Digest)> {
        self.state.records().flat_map(|r| &r.files)
    }

    /// Appends an event to `log.jsonl`.
    pub fn log(&self, event: &str, detail: &str) -> Result<()> {
        log::append(&self.path, event, detail)
    }

    /// Writes a file that belongs to no stage.
    pub fn write(&self, file: &str, content: &str) -> Result<()> {
        write_atomically(&self.path.join(file), |out| out.write_all(content.as_bytes())).map(drop)
    }

    /// The value of a stage: read back with `load` if its files stand and their identity is
    /// `identity`, else made by `make`, which writes its files to the [`Outputs`].
    ///
    /// Making a stage first forgets, and removes, what it and all later stages had made: no old
    /// result ever stands beside a new one.
    pub fn stage<T>(
        &mut self,
        stage: Stage,
        identity: Identity,
        watch: &dyn Watch,
        make: impl FnOnce(&mut Outputs) -> Result<T>,
        load: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<T> {
        watch.check()?;
        let again_because = self.why_again(stage, &identity)?;
        if again_because.is_none() && self.stands(stage) {
            return self.reuse(stage, load);
        }
        if let Some(why) = &again_because {
            watch.say(&format!("{}: done again because {why}", stage.name()));
        }
        self.forget_from(stage)?;
        self.log("start", stage.name())?;
        let start = Instant::now();
        let mut outputs = Outputs::new(&self.path);
        let value = make(&mut outputs)?;
        let seconds = start.elapsed().as_secs_f64();
        let lacking = outputs.lacking;
        self.state.insert(stage, Record::new(identity, outputs, seconds));
        self.state.write(&self.path)?;
        self.log("end", stage.name())?;
        self.reports.push(StageReport { stage, reused: false, again_because, seconds, lacking });
        Ok(value)
    }

    fn reuse<T>(&mut self, stage: Stage, load: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let (seconds, lacking) =
            self.state.record(stage).map_or((0.0, 0), |r| (r.seconds, r.lacking));
        self.log("reuse", stage.name())?;
        let report = StageReport { stage, reused: true, again_because: None, seconds, lacking };
        self.reports.push(report);
        load(&self.path)
    }

    fn forget_from(&mut self, stage: Stage) -> Result<()> {
        let gone = self.state.split_off(stage);
        if gone.is_empty() {
            return Ok(());
        }
        self.state.write(&self.path)?;
        for file in gone.iter().flat_map(|record| record.files.keys()) {
            let path = self.path.join(file);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::file("remove", path)(e));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether `path` holds a run.
pub fn is_run(path: &Path) -> bool {
    path.join(state::FILE).is_file() || path.join(LOCK_FILE).is_file()
}

/// What stands in a run directory, for those who only read it.
#[derive(Debug, Default)]
pub struct Standing {
    /// The finished stages, in order.
    pub stages: Vec<Stage>,
    /// What the data dictionary says of their tables.
    pub dictionary: Vec<Entry>,
}

/// What stands in the run directory `path`; it is neither locked nor changed.
///
/// # Errors
/// [`Error::Missing`] if there is no such folder, [`Error::Run`] if it is no run directory or its state
/// cannot be read.
pub fn standing(path: &Path) -> Result<Standing> {
    if !path.exists() {
        let message = "there is no such run directory: `hypothesaes run FILE` makes one".into();
        return Err(Error::Missing { path: path.into(), message });
    }
    if !is_run(path) {
        let message = "is no run directory: make one with `hypothesaes run FILE`".into();
        return Err(Error::Run { path: path.into(), message });
    }
    let state = State::read(path)?;
    let stages = Stage::ALL.into_iter().filter(|&stage| state.record(stage).is_some()).collect();
    let dictionary = state.records().flat_map(|r| r.dictionary.clone()).collect();
    Ok(Standing { stages, dictionary })
}

const LOCK_FILE: &str = ".lock";

fn has_entries(path: &Path) -> Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::file("open", path)(e)),
    }
}

fn lock(path: &Path) -> Result<File> {
    let file_path = path.join(LOCK_FILE);
    let file = File::create(&file_path).map_err(Error::file("create", &file_path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Run {
            path: path.into(),
            message: "another process is working in it: wait for it, or choose another with --out"
                .into(),
        }),
        Err(TryLockError::Error(e)) => Err(Error::file("lock", file_path)(e)),
    }
}

/// A killed process leaves its unfinished temporary files; they are nobody's now.
fn remove_unfinished(path: &Path) {
    let folders = fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path());
    for folder in folders.filter(|p| p.is_dir()).chain([path.to_owned()]) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && name.ends_with(".tmp") {
                // Left over for the next opening if it cannot be removed now.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Why the record does not stand; `None` if it does.
fn stale(path: &Path, record: &Record, identity: &Identity) -> Result<Option<String>> {
    if let Some(why) = identity.differs_from(&record.identity) {
        return Ok(Some(why));
    }
    for (file, expected) in &record.files {
        match digest(&path.join(file))? {
            None => return Ok(Some(format!("`{file}` is missing"))),
            Some(found) if found != *expected => {
                return Ok(Some(format!("`{file}` is not as it was written")));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
