//! Which directory a run lives in when the user names none.

use std::fs;
use std::path::{Path, PathBuf};

use super::OPTIONS_FILE;
use crate::data::DataOptions;
use crate::options::Options;
use crate::{Error, Result, store};

/// `runs/NAME-K` below `root`: the latest run on the same data, else the next free number.
///
/// The same data means the same `data` section: files, columns, target. A run with other options
/// goes on in the same directory, so that what still stands is not done again.
pub fn locate(root: &Path, options: &Options) -> Result<PathBuf> {
    let name = name_of(&options.data.path);
    let mut numbers = numbers(root, &name)?;
    numbers.sort_unstable();
    for number in numbers.iter().rev() {
        let path = root.join(format!("{name}-{number}"));
        if same_data(&path, &options.data) {
            return Ok(path);
        }
    }
    let next = numbers.last().map_or(1, |last| last + 1);
    Ok(root.join(format!("{name}-{next}")))
}

/// The file's name up to its first dot, with the letters that are safe in a folder name.
fn name_of(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_start_matches('.').split('.').next().unwrap_or_default();
    let safe: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' })
        .collect();
    if safe.is_empty() { "run".into() } else { safe }
}

fn numbers(root: &Path, name: &str) -> Result<Vec<u64>> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file("open", root)(e)),
    };
    let number = |entry: fs::DirEntry| {
        let file_name = entry.file_name().into_string().ok()?;
        file_name.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
    };
    Ok(entries.flatten().filter_map(number).collect())
}

fn same_data(path: &Path, data: &DataOptions) -> bool {
    let file = path.join(OPTIONS_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => Options::from_toml(&text, &file).is_ok_and(|o| o.data == *data),
        // A run killed before its first file was written belongs to nobody yet.
        Err(_) => store::is_run(path) && !file.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe() {
        for (path, name) in [
            ("a/reviews.csv.gz", "reviews"),
            (".hidden.csv", "hidden"),
            ("my file (2).tsv", "my-file--2-"),
            ("..", "run"),
            ("été.csv", "été"),
        ] {
            assert_eq!(name_of(Path::new(path)), name, "{path}");
        }
    }
}
