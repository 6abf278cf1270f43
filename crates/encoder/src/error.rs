//! What can be wrong with a model.

use std::io;
use std::path::{Path, PathBuf};

/// Why a model cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read: look at the path and its rights.
    #[error("cannot read `{}`", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A file of the model is damaged, or does not fit the others: get the model anew.
    #[error("`{}`: {message}", path.display())]
    Model { path: PathBuf, message: String },
    /// More numbers of a vector are asked for than it has.
    #[error("`{}`: its vectors have {most} numbers, {asked} cannot be had", path.display())]
    Dimensions { path: PathBuf, asked: usize, most: usize },
    /// A model of a kind that is not known here: choose another.
    #[error("`{}`: `{kind}` is a kind of model that is not known here; known are {}", path.display(), known.join(", "))]
    Unknown { path: PathBuf, kind: String, known: Vec<&'static str> },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn model(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Self::Model { path: path.as_ref().to_owned(), message: message.into() }
    }

    /// For `map_err`.
    pub(crate) fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { path, source }
    }
}
