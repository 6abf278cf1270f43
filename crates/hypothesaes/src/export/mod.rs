//! A run's tables for papers and for other programs: CSV, Parquet, Markdown, LaTeX, XLSX.
//!
//! In goes a run directory, out come files. CSV, Parquet and XLSX hold all columns with all digits;
//! Markdown and LaTeX hold what a reader is shown. Nothing is computed here, and the run is only read.

mod display;
mod files;
mod latex;
mod markdown;
mod notes;
mod place;
mod shapes;
mod source;
#[cfg(test)]
mod tests;
mod visible;
mod xlsx;

use std::path::{Path, PathBuf};

pub(crate) use markdown::escaped;
pub use place::Place;

use crate::store::write_atomically;
use crate::{Error, Result};
use files::Content;
use source::Source;

/// Name of the workbook, which holds all tables.
const WORKBOOK: &str = "tables.xlsx";

/// Tables of results, in a reader's order. None of them has texts of the data.
pub const PAPER: [&str; 11] = [
    "hypotheses",
    "effects",
    "models",
    "fidelity",
    "overlap",
    "strata",
    "subgroups",
    "deciles",
    "gold",
    "placebo",
    "leakage",
];

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Csv,
    Parquet,
    Markdown,
    Latex,
    Xlsx,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Parquet, Self::Markdown, Self::Latex, Self::Xlsx];

    /// The name users see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Markdown => "markdown",
            Self::Latex => "latex",
            Self::Xlsx => "xlsx",
        }
    }

    /// The ending of its files.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Latex => "tex",
            other => other.name(),
        }
    }

    /// Whether a terminal can show it.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Xlsx)
    }

    /// The format of this name or ending.
    ///
    /// # Errors
    /// [`Error::Option`] if there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|f| f.name() == name || f.ending() == name);
        let names = || Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| Error::option("format", name, format!("choose one of {}", names())))
    }

    fn of_file(path: &Path) -> Option<Self> {
        Self::named(&path.extension()?.to_str()?.to_lowercase()).ok()
    }
}

/// What is exported.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// None: those of [`PAPER`] that the run has; into one file, `hypotheses`.
    pub tables: Vec<String>,
    /// None: as the ending of the one file says, else Markdown, LaTeX and XLSX.
    pub formats: Vec<Format>,
    /// Begin CSV with the mark by which Excel knows UTF-8.
    pub excel: bool,
}

/// What was written, and what there is to know about it.
#[derive(Debug, Default)]
pub struct Exported {
    pub files: Vec<PathBuf>,
    pub notes: Vec<String>,
}

/// Exports tables of the run directory `run` to `place`. What cannot be exported is found before
/// anything is written, and each file appears whole or not at all.
///
/// # Errors
/// [`Error::Missing`] and [`Error::Run`] if there is no such run, or it is not finished so far;
/// [`Error::Option`] for a table that it does not have and for one file that is to hold several;
/// [`Error::Data`] if a table has more rows than a sheet of Excel; [`Error::File`].
pub fn export(run: &Path, options: &ExportOptions, place: &Place) -> Result<Exported> {
    let source = Source::open(run)?;
    let mut exported = Exported::default();
    let mut contents = Vec::new();
    for item in place::items(&source, options, place)? {
        let content = files::content(&source, &item, options.excel)?;
        exported.notes.extend(content.notes.iter().cloned());
        contents.push((item.path, content));
    }
    for (path, content) in contents {
        write_atomically(&path, |out| content.write(&mut &mut *out))?;
        exported.files.push(path);
    }
    Ok(exported)
}

/// One table, or one workbook of several, as bytes.
///
/// # Errors
/// As [`export`].
pub fn bytes(run: &Path, options: &ExportOptions) -> Result<(Vec<u8>, Vec<String>)> {
    let source = Source::open(run)?;
    let item = place::one(&source, options, Path::new("-"), Format::Markdown)?;
    let content: Content = files::content(&source, &item, options.excel)?;
    let mut bytes = Vec::new();
    content.write(&mut bytes).map_err(Error::file("read", run))?;
    Ok((bytes, content.notes))
}
