//! Vectors as they come: gathered, and written as segments.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::numbers::Values;
use super::space::{Key, Space};
use super::{compact, files, lock, write};
use crate::{Error, Result};

/// When what has been gathered is written: as soon as any of these is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    pub rows: usize,
    /// Bytes of vectors.
    pub bytes: usize,
    /// Since the first vector that is not written yet; looked at whenever one is pushed.
    pub age: Duration,
    /// If there are more segments than this, small ones are merged.
    pub segments: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let age = Duration::from_secs(5);
        Self { rows: 1 << 20, bytes: 64 << 20, age, segments: 32 }
    }
}

/// Adds vectors to a store. Several may do so at once, in several processes.
///
/// What has been gathered and not written is lost when the process is killed, nothing else. A
/// store that is open sees what was written after [`super::VectorStore::refresh`].
#[derive(Debug)]
pub struct Writer {
    store: PathBuf,
    space: Space,
    options: WriterOptions,
    keys: Vec<Key>,
    values: Values,
    since: Instant,
    pub(super) written: Written,
}

/// What a [`Writer`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Vectors.
    pub rows: u64,
    /// For the user: segments that were found damaged when small ones were merged.
    pub notes: Vec<String>,
}

impl Writer {
    pub(super) fn new(store: &Path, space: &Space, options: WriterOptions) -> Self {
        let values = Values::new(space.element, 0);
        let (store, space) = (store.to_owned(), space.clone());
        let (since, written) = (Instant::now(), Written::default());
        Self { store, space, options, keys: vec![], values, since, written }
    }

    /// Adds a vector; writes what there is if it is time to.
    ///
    /// # Errors
    /// [`Error::Data`] if it is of another length than the space's, or a number is not finite as
    /// it would be stored: it is left out, and the writer can be used on. [`Error::File`] if a
    /// segment cannot be written: its vectors are kept, and tried again with the next one.
    pub fn push(&mut self, key: Key, vector: &[f32]) -> Result<()> {
        let (n, dim) = (vector.len(), self.space.dim);
        if n != dim {
            return Err(Error::Data(format!("a vector has {n} numbers where others have {dim}")));
        }
        self.values.push(vector)?;
        if self.keys.is_empty() {
            self.since = Instant::now();
        }
        self.keys.push(key);
        let (rows, options) = (self.keys.len(), &self.options);
        let full = rows >= options.rows || rows * dim * self.bytes_each() >= options.bytes;
        if full || self.since.elapsed() >= options.age { self.flush() } else { Ok(()) }
    }

    /// Writes what has been gathered. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn flush(&mut self) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<(Key, usize)> = self.keys.iter().copied().zip(0..).collect();
        rows.sort_unstable();
        rows.dedup_by_key(|(key, _)| *key);
        let (dim, numbers) = (self.space.dim, self.values.as_numbers());
        add(&self.store, &self.space, &rows, |row| numbers.slice(row * dim..(row + 1) * dim))?;
        self.written.rows += rows.len() as u64;
        self.keys.clear();
        self.values.clear();
        // The vectors are safe; merging that fails, as on a full disk, is tried again.
        let merged = compact::compact(&self.store, &self.space, self.options.segments);
        self.written.notes.extend(merged.unwrap_or_default());
        Ok(())
    }

    /// Writes the rest. Gives what was written since the writer was made.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn finish(mut self) -> Result<Written> {
        self.flush()?;
        Ok(std::mem::take(&mut self.written))
    }

    fn bytes_each(&self) -> usize {
        self.space.element.bytes()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Who wants to know calls `finish`.
        let _ = self.flush();
    }
}

/// Adds a segment.
pub(super) fn add<'a, P: Copy>(
    store: &Path,
    space: &Space,
    rows: &[(Key, P)],
    vector: impl Fn(P) -> super::numbers::Numbers<'a>,
) -> Result<PathBuf> {
    let _writing = lock::share(store, lock::WRITING)?;
    let path = files::new_segment(&space.settle(store)?)?;
    write::write(&path, space, rows, vector)?;
    Ok(path)
}
