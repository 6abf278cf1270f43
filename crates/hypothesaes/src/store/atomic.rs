//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::{Error, Result};

/// Length and BLAKE3 hash of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Digest {
    pub bytes: u64,
    pub blake3: String,
}

/// Writes `path` through `fill`: to a neighbour first, synced, then renamed over it.
///
/// A kill at any instant leaves the old file or the new one, never a part of either.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Sink) -> io::Result<()>) -> Result<Digest> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    write_in(parent, path, fill).map_err(Error::file("write", path))
}

/// The digest of a file on disk; `None` if there is no such file.
pub fn digest(path: &Path) -> Result<Option<Digest>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file("read", path)(e)),
    };
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut file, &mut hasher).map_err(Error::file("read", path))?;
    Ok(Some(Digest { bytes, blake3: hasher.finalize().to_hex().to_string() }))
}

/// What a file is written to.
pub trait Sink: Write + Send {}

impl<T: Write + Send> Sink for T {}

fn write_in(
    parent: &Path,
    path: &Path,
    fill: impl FnOnce(&mut dyn Sink) -> io::Result<()>,
) -> io::Result<Digest> {
    let file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(parent)?;
    let mut out = Hashing { inner: BufWriter::new(file), hasher: blake3::Hasher::new(), bytes: 0 };
    fill(&mut out)?;
    out.flush()?;
    let digest = Digest { bytes: out.bytes, blake3: out.hasher.finalize().to_hex().to_string() };
    let file = out.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
    share_with_readers(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(parent)?;
    Ok(digest)
}

/// Temporary files are private to their owner; a result has the rights of any new file.
#[cfg(unix)]
fn share_with_readers(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share_with_readers(_: &File) -> io::Result<()> {
    Ok(())
}

/// A rename is on disk once the folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(data)?;
        self.hasher.update(&data[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let written = write(&path, |out| out.write_all(b"old")).unwrap();
        assert_eq!(digest(&path).unwrap(), Some(written));
        let failed = write(&path, |out| {
            out.write_all(b"new")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(digest(&dir.path().join("b")).unwrap(), None);
    }
}
