//! Where exports go: which files are made of which tables.

use std::path::{Path, PathBuf};

use super::source::Source;
use super::{ExportOptions, Format, WORKBOOK};
use crate::{Error, Result};

/// Where files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file per table and format, and one workbook.
    Folder(PathBuf),
    /// The one file that is asked for.
    File(PathBuf),
}

impl Place {
    /// `exports` in the run directory.
    #[must_use]
    pub fn beside(run: &Path) -> Self {
        Self::Folder(run.join("exports"))
    }

    /// A file where the path ends as a format's files do and no folder is there, else a folder.
    #[must_use]
    pub fn named(path: &Path) -> Self {
        if Format::of_file(path).is_some() && !path.is_dir() {
            return Self::File(path.into());
        }
        Self::Folder(path.into())
    }
}

/// A file to be made.
#[derive(Debug)]
pub(super) struct Item {
    pub path: PathBuf,
    pub format: Format,
    /// Several in a workbook alone.
    pub tables: Vec<String>,
}

/// The files that are to be made.
pub(super) fn items(source: &Source, options: &ExportOptions, place: &Place) -> Result<Vec<Item>> {
    let folder = match place {
        Place::Folder(folder) => folder,
        Place::File(path) => {
            let format = Format::of_file(path).unwrap_or(Format::Markdown);
            return Ok(vec![one(source, options, path, format)?]);
        }
    };
    let tables = source.chosen(&options.tables)?;
    let mut formats = options.formats.clone();
    if formats.is_empty() {
        formats = vec![Format::Markdown, Format::Latex, Format::Xlsx];
    }
    formats.sort_unstable();
    formats.dedup();
    let mut items = Vec::new();
    for format in formats {
        if format == Format::Xlsx {
            items.push(Item { path: folder.join(WORKBOOK), format, tables: tables.clone() });
            continue;
        }
        for table in &tables {
            let path = folder.join(format!("{table}.{}", format.ending()));
            items.push(Item { path, format, tables: vec![table.clone()] });
        }
    }
    Ok(items)
}

/// The one file at `path`, in `format` unless the options name another.
pub(super) fn one(
    source: &Source,
    options: &ExportOptions,
    path: &Path,
    format: Format,
) -> Result<Item> {
    let format = match options.formats[..] {
        [] => format,
        [format] => format,
        _ => return Err(several(path, "formats")),
    };
    let mut tables = options.tables.clone();
    if format != Format::Xlsx && tables.is_empty() {
        tables = vec!["hypotheses".into()];
    }
    let tables = source.chosen(&tables)?;
    if format != Format::Xlsx && tables.len() > 1 {
        return Err(several(path, "tables"));
    }
    Ok(Item { path: path.into(), format, tables })
}

fn several(path: &Path, what: &str) -> Error {
    let allowed =
        format!("is one file, which does not hold several {what}: name one, or a folder for all");
    Error::option("out", path.display(), allowed)
}
