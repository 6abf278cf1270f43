//! One program at a time downloads a file.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::watch::{Step, Watch};
use crate::{Error, Result};

const AGAIN: Duration = Duration::from_millis(100);

/// Held until it is dropped. The hub's own programs lock the same file in the same way.
pub(crate) struct Lock {
    /// Dropping it is what unlocks.
    _file: File,
    /// Whether this place knows locks at all; some network file systems do not.
    pub held: bool,
}

impl Lock {
    pub async fn wait(path: &Path, watch: &mut Watch<'_>) -> Result<Self> {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
        let file = File::options().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(Error::file("write", path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file, held: true }),
                Err(TryLockError::Error(e)) if e.kind() != io::ErrorKind::Interrupted => {
                    return Ok(Self { _file: file, held: false });
                }
                Err(_) => {
                    watch.step = Step::Waiting;
                    watch.pause(AGAIN).await?;
                }
            }
        }
    }
}
