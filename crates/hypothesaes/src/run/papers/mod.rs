//! What a run leaves for people to read, and for programs to check it by.

mod lock;
mod plots;
mod provenance;
mod summary;

pub(super) use lock::lock;
pub(super) use plots::plots;
pub(super) use provenance::provenance;
pub(super) use summary::summary;

/// `README.md` of a run directory: what each file is.
pub(super) const FOLDER: &str = include_str!("folder.md");
