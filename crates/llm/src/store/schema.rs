//! The tables, and what is done when the file is not such a file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rusqlite::{Connection, Error, ErrorCode};

/// Written into the file; a newer program's file is refused, not misread.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, stage TEXT NOT NULL, model TEXT NOT NULL, value NOT NULL,
    call INTEGER NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, stage TEXT NOT NULL,
    server TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL, tokens_in INTEGER NOT NULL,
    tokens_cached INTEGER NOT NULL, tokens_out INTEGER NOT NULL, dollars REAL, seconds REAL NOT NULL,
    reply TEXT
);
CREATE INDEX IF NOT EXISTS calls_by_run ON calls (run, stage, model);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, server TEXT NOT NULL, model TEXT NOT NULL,
    path TEXT NOT NULL, file TEXT NOT NULL, name TEXT
);
CREATE TABLE IF NOT EXISTS batch_items (
    item TEXT PRIMARY KEY, batch INTEGER NOT NULL, status INTEGER, reply BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_items_by_batch ON batch_items (batch);
";

/// Opens the file. Two that make it at once are told that it is locked without being made to wait,
/// since both change its mode: so this waits.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let begun = Instant::now();
    loop {
        match open_now(path) {
            Err(e) if is_locked(&e) && begun.elapsed() < super::PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn is_locked(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn open_now(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(super::PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In write-ahead mode this survives a killed process; a power cut may cost the last moments.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        let message = "it was written by a newer version of this program".to_owned();
        return Err(Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISMATCH),
            Some(message),
        ));
    }
    let health: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if health != "ok" {
        return Err(Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(health),
        ));
    }
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(connection)
}

/// Whether the file itself is at fault, not its place or its rights.
pub(super) fn is_damage(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Renames the file, and what SQLite keeps beside it, to a name that is free.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |n: usize| with_suffix(path, &format!(".damaged-{n}"));
    let mut n = 1;
    while named(n).exists() {
        n += 1;
    }
    let aside = named(n);
    fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let beside = with_suffix(path, suffix);
        if beside.exists() {
            fs::rename(&beside, with_suffix(&aside, suffix))?;
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
