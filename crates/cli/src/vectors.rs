//! What `hypothesaes cache` does with the vectors of texts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes::embed::store::{self, Space, Trim};

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
        let name = name(&kept.space);
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

/// Writes a file for each embedder.
pub fn exported(folder: &Path) -> Result<String> {
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    let (from, mut text) = (vectors()?, String::new());
    for (i, kept) in store::contents(&from)?.iter().filter(|kept| kept.rows > 0).enumerate() {
        let to = folder.join(format!("{:02}-{}.arrow", i + 1, as_file_name(name(&kept.space))));
        let (rows, notes) = store::export(&from, &kept.space, &to)?;
        for note in &notes {
            let _ = writeln!(text, "{note}");
        }
        let _ = writeln!(text, "{} vectors written to {}", grouped(rows), to.display());
    }
    Ok(if text.is_empty() { format!("no vectors are kept yet ({})", from.display()) } else { text })
}

/// Adds what the files have and is not kept yet.
pub fn imported(files: &[PathBuf]) -> Result<String> {
    let (to, mut text) = (vectors()?, String::new());
    for file in files {
        let found = store::import(&to, file)?;
        for note in &found.notes {
            let _ = writeln!(text, "{note}");
        }
        let (rows, new) = (grouped(found.rows), grouped(found.new));
        let (file, name) = (file.display(), name(&found.space));
        let _ = writeln!(text, "{file}: {rows} vectors of {name}, {new} of them new");
    }
    Ok(text)
}

/// Of the embedder; its hash and settings follow, the address of a server's stands before it.
fn name(space: &Space) -> &str {
    let mut words = space.embedder.split(' ').skip_while(|word| word.contains("://"));
    words.next().unwrap_or_default()
}

/// What may stand in the name of a file everywhere; of a path its end.
fn as_file_name(name: &str) -> String {
    let end = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    end.chars().map(plain).collect()
}
