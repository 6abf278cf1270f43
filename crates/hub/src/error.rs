//! Why a model does not come.

use std::io;
use std::path::{Path, PathBuf};

/// One variant per remedy. No token and no signed address is ever in one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no name of a model or of a revision: correct it.
    #[error("`{given}` is no {kind}: {why}")]
    Name { kind: &'static str, given: String, why: &'static str },
    /// Not allowed to ask: download elsewhere, or allow it.
    #[error(
        "`{model}` at `{revision}` is not in `{}`, and the hub may not be asked, being offline \
         (HF_HUB_OFFLINE)",
        cache.display()
    )]
    Offline { model: String, revision: String, cache: PathBuf },
    /// No connection was made: look at the network, the proxy, the address.
    #[error(
        "cannot reach `{host}`: {why}; look at the network, and at HTTPS_PROXY and HF_ENDPOINT if \
         you need them"
    )]
    Unreachable { host: String, why: String },
    /// Connections were made and came to nothing: try again later.
    #[error(
        "`{host}` did not deliver after {tries} tries: {why}; try again later, what came is kept"
    )]
    Broken { host: String, why: String, tries: u32 },
    /// The name is wrong, or the model is private.
    #[error("`{host}` knows no model `{model}`{}; {hint}", private(*with_token))]
    NoModel { host: String, model: String, with_token: bool, hint: String },
    /// The model is there without this revision.
    #[error("`{model}` has no revision `{revision}`; {hint}")]
    NoRevision { model: String, revision: String, hint: String },
    /// Its terms have to be accepted first.
    #[error(
        "`{model}` is given only to those who accept its terms: {}",
        terms(page, *with_token)
    )]
    Gated { model: String, page: String, with_token: bool },
    /// The token is wrong, or may not do this: make another.
    #[error(
        "`{host}` refuses the token for `{model}` (status {status}); make a new one for HF_TOKEN, or \
         do without"
    )]
    Refused { host: String, model: String, status: u16 },
    /// It could not be run here: choose another.
    #[error("`{model}` cannot be run here: it has no {lacks}{hint}; choose another model")]
    Unsuitable { model: String, lacks: &'static str, hint: &'static str },
    /// It does not answer as the hub does: the address may be another's.
    #[error("`{host}` does not answer like the hub: {why}; look at HF_ENDPOINT")]
    Foreign { host: String, why: String },
    /// What came is not what was announced, twice.
    #[error(
        "`{file}` of `{model}` came damaged from `{host}` twice: its checksum is to be {expected} and \
         is {found}; try again later or on another network"
    )]
    Checksum { host: String, model: String, file: String, expected: String, found: String },
    /// A file of the cache cannot be used.
    #[error("cannot {doing} `{}`{}", path.display(), remedy(source))]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The caller asked to stop.
    #[error("interrupted; what came is kept, and is gone on with the next time")]
    Interrupted,
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err`.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }

    /// Whether another way of getting the model would help: the network does not allow this one.
    #[must_use]
    pub fn is_of_network(&self) -> bool {
        matches!(self, Self::Offline { .. } | Self::Unreachable { .. } | Self::Broken { .. })
    }
}

fn private(with_token: bool) -> &'static str {
    if with_token {
        " that this token may see"
    } else {
        " that all may see; if it is private, set HF_TOKEN"
    }
}

fn terms(page: &str, with_token: bool) -> String {
    let then = if with_token {
        "with the account of this token"
    } else {
        "and set HF_TOKEN to a token of the account that does"
    };
    format!("accept them at {page} {then}")
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": the disk is full; make room, or set HF_HOME to a folder on another"
        }
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory => {
            ": it may not be written; set HF_HOME to a folder of your own"
        }
        _ => "",
    }
}
