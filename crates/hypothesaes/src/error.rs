//! The one error type of this crate: a variant per remedy.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong in the pipeline.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written: look at the path and its rights.
    #[error("cannot {doing} `{}`", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The input is damaged or not as described: mend it at the named place.
    #[error("{place}: {message}")]
    Input { place: Place, message: String },
    /// There is no such input file: check the path.
    #[error("`{}`: {message}", path.display())]
    Missing { path: PathBuf, message: String },
    /// The input has no such column, or several: name another.
    #[error("{place}: {message}")]
    Column { place: Place, message: String },
    /// An option lies outside its range or contradicts another: change it.
    #[error("`{name}` is `{value}`: {allowed}")]
    Option { name: String, value: String, allowed: String },
    /// Well-formed data that cannot answer the question: choose other data or another target.
    #[error("{0}")]
    Data(String),
    /// A run directory that is in use, damaged or lacks an earlier stage.
    #[error("run directory `{}`: {message}", path.display())]
    Run { path: PathBuf, message: String },
    /// The numerics refused.
    #[error(transparent)]
    Math(#[from] hypothesaes_math::Error),
    /// A language model cannot be asked on; every answer that arrived is kept.
    #[error(transparent)]
    Llm(hypothesaes_llm::Error),
    /// The user does not want it asked; nothing was.
    #[error("nothing was asked")]
    Declined,
    /// The user asked to stop; everything finished is kept.
    #[error("interrupted")]
    Interrupted,
}

/// Where in the input something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub file: PathBuf,
    /// 1-based record; the header is none.
    pub row: Option<u64>,
    /// 1-based line of a text file.
    pub line: Option<u64>,
    pub column: Option<String>,
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.file.display())?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        Ok(())
    }
}

impl Error {
    /// [`Error::File`], for `map_err`.
    pub fn file(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// [`Error::Input`] that concerns the whole file.
    pub fn input(file: impl AsRef<Path>, message: impl Into<String>) -> Self {
        let place = Place { file: file.as_ref().to_owned(), ..Place::default() };
        Self::Input { place, message: message.into() }
    }

    /// [`Error::Option`] with its parts turned into text.
    pub fn option(
        name: impl Into<String>,
        value: impl std::fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Option { name: name.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

impl From<hypothesaes_llm::Error> for Error {
    fn from(error: hypothesaes_llm::Error) -> Self {
        use hypothesaes_llm::Error as Llm;
        match error {
            Llm::Interrupted => Self::Interrupted,
            Llm::Option { name, value, allowed } => {
                Self::Option { name: format!("llm.{name}"), value, allowed }
            }
            other => Self::Llm(other),
        }
    }
}
