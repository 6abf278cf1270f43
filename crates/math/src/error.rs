//! The one error type of this crate: a variant per remedy.

/// What can go wrong in the numerics.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Two arguments whose sizes must agree do not: pass matching ones.
    #[error("`{what}` has {got} entries, {expected} expected")]
    Shape { what: &'static str, got: usize, expected: usize },
    /// An option lies outside its range: choose a value inside it.
    #[error("`{name}` is {value}, allowed: {allowed}")]
    Option { name: &'static str, value: String, allowed: String },
    /// The data hold a number that is not finite: clean them.
    #[error("`{what}` has a value that is not finite at row {row}, column {column}")]
    NotFinite { what: &'static str, row: usize, column: usize },
    /// The data cannot answer the question (one class, no variance, too few rows).
    #[error("{0}")]
    Data(String),
    /// Rows could not be read: what the reader says.
    #[error("{0}")]
    Unreadable(String),
    /// An iteration left the finite numbers or did not settle.
    #[error("{0}")]
    Diverged(String),
    /// The caller asked to stop.
    #[error("stopped on request")]
    Stopped,
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// `Ok` if `got == expected`, else [`Error::Shape`].
    pub fn check_len(what: &'static str, got: usize, expected: usize) -> Result<()> {
        if got == expected { Ok(()) } else { Err(Self::Shape { what, got, expected }) }
    }

    /// `Ok` if every value is finite, else [`Error::NotFinite`] with the place of the first.
    pub fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(row) => Err(Self::NotFinite { what, row, column: 0 }),
        }
    }

    /// [`Error::Option`] with its parts turned into text.
    pub fn option(
        name: &'static str,
        value: impl std::fmt::Display,
        allowed: impl std::fmt::Display,
    ) -> Self {
        Self::Option { name, value: value.to_string(), allowed: allowed.to_string() }
    }
}
