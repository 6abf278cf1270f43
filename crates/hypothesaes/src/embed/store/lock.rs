//! Locks between processes. The system lets go of them when a process ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::{Error, Result};

/// Shared by those who write segments, alone for who removes what the dead left behind.
pub(super) const WRITING: &str = ".writing.lock";
/// For who merges or removes segments.
pub(super) const TIDYING: &str = ".tidying.lock";

/// Held as long as the value lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// Some network file systems have no locks.
    pub held: bool,
}

/// Waits until it can be shared.
pub(super) fn share(store: &Path, name: &str) -> Result<Lock> {
    wait(store, name, File::lock_shared)
}

/// Waits until nobody else has it.
pub(super) fn own(store: &Path, name: &str) -> Result<Lock> {
    wait(store, name, File::lock)
}

/// `None` if somebody else has it.
pub(super) fn try_own(store: &Path, name: &str) -> Result<Option<Lock>> {
    let file = open(store, name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file, held: true })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(TryLockError::Error(e)) => Err(Error::file("lock", store.join(name))(e)),
    }
}

fn wait(store: &Path, name: &str, how: impl Fn(&File) -> io::Result<()>) -> Result<Lock> {
    let file = open(store, name)?;
    match how(&file) {
        Ok(()) => Ok(Lock { _file: file, held: true }),
        Err(e) if e.kind() == io::ErrorKind::Unsupported => Ok(Lock { _file: file, held: false }),
        Err(e) => Err(Error::file("lock", store.join(name))(e)),
    }
}

/// Lock files are never removed: two who hold "the" lock must hold the same file.
fn open(store: &Path, name: &str) -> Result<File> {
    fs::create_dir_all(store).map_err(Error::file("create", store))?;
    let path = store.join(name);
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    options.open(&path).map_err(Error::file("create", &path))
}
