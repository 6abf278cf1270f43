//! What `hypothesaes cache` does with the vectors of sentence models.

use std::fmt::Write as _;

use anyhow::Result;
use hypothesaes::embed::store::{self, Trim};

use crate::models::vectors;
use crate::show::grouped;

/// Vectors by embedder; nothing if none are kept.
pub fn shown() -> Result<String> {
    let folder = vectors()?;
    let contents = store::contents(&folder)?;
    let mut text = String::new();
    if contents.is_empty() {
        return Ok(text);
    }
    let _ = writeln!(text, "\n{}\n", folder.display());
    let _ = writeln!(text, "{:<44}{:>12}{:>12}", "embedder", "vectors", "MB");
    for kept in contents {
        // Its hash and settings follow the name.
        let name = kept.space.embedder.split(' ').next().unwrap_or_default().to_owned();
        let (rows, size) = (grouped(kept.rows), kept.bytes as f64 / 1e6);
        let _ = writeln!(text, "{name:<44}{rows:>12}{size:>12.1}");
    }
    Ok(text)
}

/// Reads all of them; what is damaged is set aside and will be made anew.
pub fn verified() -> Result<String> {
    let checked = store::verify(&vectors()?)?;
    let sound = checked.iter().filter(|file| file.trouble.is_none());
    let (files, rows) = (checked.len(), sound.map(|file| file.rows).sum());
    let mut text = format!("{files} files of vectors read, {} vectors are sound", grouped(rows));
    for file in &checked {
        let Some(trouble) = &file.trouble else { continue };
        let _ = write!(text, "\n`{}`: {trouble}", file.file.display());
        if let Some(aside) = &file.aside {
            let _ = write!(text, "; it was renamed to `{}`", aside.display());
        }
    }
    Ok(text)
}

/// Removes those of the embedders that were used longest ago, until so many megabytes are left.
pub fn trimmed(megabytes: u64) -> Result<String> {
    let trim = Trim { at_most_bytes: Some(megabytes.saturating_mul(1_000_000)), ..Trim::default() };
    let gone = store::trim(&vectors()?, &trim)?;
    let (files, size) = (gone.segments + gone.unfinished, gone.bytes as f64 / 1e6);
    Ok(format!("{files} files of vectors removed, {size:.1} MB"))
}
