//! Every answer that arrived, and what it cost: one SQLite file.
//!
//! An answer is written in the same transaction as the call that brought it, before anybody sees
//! it. The file is in write-ahead mode: a process that is killed loses nothing that was written,
//! and two processes can use it at once. A file that is damaged is set aside, never deleted.

mod batches;
mod schema;
mod sums;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ask::AnswerKey;
use crate::question::Usage;
use crate::{Error, Result};

pub use batches::{OpenBatch, Standing};
pub use sums::{CallSums, Contents};

/// How long one process waits for the other's transaction.
const PATIENCE: Duration = Duration::from_mins(1);

/// The open file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    Text(String),
    /// Little-endian f32.
    Vector(Vec<f32>),
}

/// A call that brought something.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallRow<'a> {
    /// Names the program's run, so that its own calls can be added up.
    pub run: &'a str,
    pub stage: &'a str,
    pub server: &'a str,
    pub model: &'a str,
    /// `answered`, `cut`, `refused` or `empty`.
    pub status: &'a str,
    pub usage: Usage,
    /// `None` if the price is unknown.
    pub dollars: Option<f64>,
    pub seconds: f64,
    /// What the model wrote, thoughts included; `None` for embeddings.
    pub reply: Option<&'a str>,
    /// Name of the question if a batch job held it: its row there is done with.
    pub item: Option<&'a str>,
}

impl Store {
    /// Opens the file at `path`, made if it is not there. The line, if any, is for the user: the
    /// file was damaged, and where it has been put.
    ///
    /// # Errors
    /// [`Error::Store`] if the place cannot be written to.
    pub fn open(path: &Path) -> Result<(Self, Option<String>)> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed("keep", path, &e))?;
        }
        let (connection, note) = match schema::open(path) {
            Ok(connection) => (connection, None),
            Err(e) if schema::is_damage(&e) => {
                let aside = schema::set_aside(path).map_err(|e| failed("set aside", path, &e))?;
                let connection = schema::open(path).map_err(|e| failed("keep", path, &e))?;
                let note = format!(
                    "the file of answers `{}` is damaged ({e}); it was renamed to `{}`, and a new \
                     one begun",
                    path.display(),
                    aside.display()
                );
                (connection, Some(note))
            }
            Err(e) => return Err(failed("open", path, &e)),
        };
        Ok((Self { path: path.to_owned(), connection: Mutex::new(connection) }, note))
    }

    /// One that is forgotten with the process.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        let connection = schema::open(&path).map_err(|e| failed("open", &path, &e))?;
        Ok(Self { path, connection: Mutex::new(connection) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The answers with these keys, in their order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn get(&self, keys: &[AnswerKey]) -> Result<Vec<Option<Kept>>> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<Option<Kept>>> {
            let mut one = connection.prepare_cached("SELECT value FROM answers WHERE key = ?1")?;
            let mut get = |key: &AnswerKey| {
                one.query_row([&key.0[..]], |row| Ok(kept(row.get_ref(0)?))).optional()
            };
            keys.iter().map(|key| Ok(get(key)?.flatten())).collect()
        };
        read().map_err(|e| self.failed("read", &e))
    }

    /// Writes a call and the answers it brought, all or nothing.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn record(&self, call: &CallRow, answers: &[(AnswerKey, Kept)]) -> Result<()> {
        let connection = self.connection();
        let write = || -> rusqlite::Result<()> {
            let transaction = connection.unchecked_transaction()?;
            let now = now();
            transaction
                .prepare_cached(
                    "INSERT INTO calls (at, run, stage, server, model, status, tokens_in, \
                     tokens_cached, tokens_out, dollars, seconds, reply) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute(params![
                    now,
                    call.run,
                    call.stage,
                    call.server,
                    call.model,
                    call.status,
                    call.usage.input,
                    call.usage.cached,
                    call.usage.output,
                    call.dollars,
                    call.seconds,
                    call.reply,
                ])?;
            let id = transaction.last_insert_rowid();
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO answers (key, stage, model, value, call, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (key, value) in answers {
                let (stage, model) = (call.stage, call.model);
                match value {
                    Kept::Text(text) => {
                        insert.execute(params![&key.0[..], stage, model, text, id, now])?;
                    }
                    Kept::Vector(vector) => {
                        let bytes = bytes(vector);
                        insert.execute(params![&key.0[..], stage, model, bytes, id, now])?;
                    }
                }
            }
            drop(insert);
            if let Some(item) = call.item {
                transaction.execute("DELETE FROM batch_items WHERE item = ?1", [item])?;
            }
            transaction.commit()
        };
        write().map_err(|e| self.failed("keep", &e))
    }

    /// A note about a server and model, such as what it can do.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn note(&self, name: &str) -> Result<Option<String>> {
        self.connection()
            .query_row("SELECT text FROM notes WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|e| self.failed("read", &e))
    }

    /// Writes such a note.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn set_note(&self, name: &str, text: &str) -> Result<()> {
        self.connection()
            .execute("INSERT OR REPLACE INTO notes (name, text) VALUES (?1, ?2)", [name, text])
            .map(|_| ())
            .map_err(|e| self.failed("keep", &e))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the connection whole: transactions roll back.
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn failed(&self, doing: &'static str, error: &rusqlite::Error) -> Error {
        failed(doing, &self.path, error)
    }
}

fn failed(doing: &'static str, path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Store { doing, path: path.to_owned(), why: why.to_string() }
}

fn kept(value: ValueRef) -> Option<Kept> {
    match value {
        ValueRef::Text(text) => Some(Kept::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => {
            let (quads, _) = bytes.as_chunks();
            Some(Kept::Vector(quads.iter().map(|q| f32::from_le_bytes(*q)).collect()))
        }
        _ => None,
    }
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
