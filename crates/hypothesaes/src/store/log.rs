//! `log.jsonl`: what happened when, one JSON object a line, appended. No text and no key in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Error, Result};

pub(super) fn append(folder: &Path, event: &str, detail: &str) -> Result<()> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let line = serde_json::json!({ "unix_time": seconds, "event": event, "detail": detail });
    let path = folder.join("log.jsonl");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(Error::file("open", &path))?;
    // One write call, so that a kill cannot leave half a line before the next one.
    file.write_all(format!("{line}\n").as_bytes()).map_err(Error::file("write", &path))
}
