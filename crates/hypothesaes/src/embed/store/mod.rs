//! Every vector that was ever made, so that none is made twice: a folder of Arrow files.
//!
//! A [`Space`] is everything but the text that determines a vector; it has a folder of its own,
//! named by its hash, in which `space.json` says in words what it is. A text has a [`Key`]. Vectors
//! are in segments: Arrow IPC files of the columns `key` and `vector`, in ascending order of keys,
//! uncompressed, so that they are used where they lie in the mapped file; pandas, polars and R
//! read them too.
//!
//! A segment is written beside its place, flushed and renamed, and never changed afterwards.
//! Several processes may read, write, merge and trim at once; one that is killed loses what it had
//! not flushed. A damaged file is set aside under another name, never deleted, and its vectors are
//! missing.

mod cache;
mod compact;
mod files;
mod layout;
mod lock;
mod map;
mod numbers;
mod segment;
mod space;
#[cfg(test)]
mod tests;
mod transfer;
mod write;
mod writer;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub(crate) use cache::dim;
pub use cache::{Checked, Contents, Trim, Trimmed, contents, trim, verify};
pub use segment::Found;
use segment::Segment;
pub use space::{Element, Key, Space};
pub use transfer::{Imported, export, import};
pub use writer::{Writer, WriterOptions, Written};

use crate::{Error, Result};

/// Vectors that are fetched from disk at a time.
const ROWS: usize = 1024;

/// Where more keys are sought than there are pages of them, all pages are wanted.
const KEYS_IN_PAGE: usize = 4096 / 16;

/// Keys that a thread looks up at a time.
const KEYS: usize = 4096;

/// The vectors of one space, as they were when it was opened or refreshed.
#[derive(Debug)]
pub struct VectorStore {
    store: PathBuf,
    folder: PathBuf,
    space: Space,
    /// Newest first.
    segments: Vec<Segment>,
}

impl VectorStore {
    /// Opens the vectors of `space` in the folder `store`, made if it is not there. The lines are
    /// for the user: files that were damaged, and where they have been put.
    ///
    /// # Errors
    /// [`crate::Error::File`]; [`crate::Error::Option`] if the space's dimension is 0 or absurd.
    pub fn open(store: &Path, space: &Space) -> Result<(Self, Vec<String>)> {
        space.check()?;
        let folder = space.folder(store);
        if Space::read(&folder).as_ref() != Some(space) {
            let _writing = lock::share(store, lock::WRITING)?;
            space.settle(store)?;
        }
        Space::touch(&folder);
        let (segments, notes) = files::open_all(&folder, space, Vec::new())?;
        Ok((Self { store: store.into(), folder, space: space.clone(), segments }, notes))
    }

    /// Sees what was written meanwhile, by this process or others. The lines are for the user.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn refresh(&mut self) -> Result<Vec<String>> {
        let known = std::mem::take(&mut self.segments);
        let (segments, notes) = files::open_all(&self.folder, &self.space, known)?;
        self.segments = segments;
        Ok(notes)
    }

    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Vectors; one that is in several segments counts as often.
    pub fn rows(&self) -> usize {
        self.segments.iter().map(|s| s.rows).sum()
    }

    /// The places of these keys, in their order; `None` where there is no vector.
    pub fn find(&self, keys: &[Key]) -> Vec<Option<Found<'_>>> {
        let (order, found) = self.find_sorted(keys);
        let mut places = vec![None; keys.len()];
        for (i, found) in order.into_iter().zip(found) {
            places[i] = found;
        }
        places
    }

    /// Hands every vector that is there to `of`, with the index of its key, in the order in which
    /// they lie in the files. Gives the number of keys without one.
    pub fn get(&self, keys: &[Key], mut of: impl FnMut(usize, &[f32])) -> usize {
        let (order, found) = self.find_sorted(keys);
        let (mut missing, mut buffer) = (0, vec![0.0; self.space.dim]);
        for (order, found) in order.chunks(ROWS).zip(found.chunks(ROWS)) {
            Found::fetch(found);
            for (&i, found) in order.iter().zip(found) {
                if let Some(found) = found {
                    found.read(&mut buffer);
                    of(i, &buffer);
                } else {
                    missing += 1;
                }
            }
        }
        missing
    }

    /// Copies the vectors into the rows of `out` (keys x dimension), by several threads. Gives the
    /// indices of keys without one in ascending order; their rows stay as they are.
    ///
    /// # Errors
    /// [`Error::Data`] if `out` is of another size.
    pub fn fill(&self, keys: &[Key], out: &mut [f32]) -> Result<Vec<usize>> {
        let (n, dim) = (keys.len(), self.space.dim);
        if n.checked_mul(dim) != Some(out.len()) {
            let message = format!("{n} vectors of {dim} numbers do not go into {}", out.len());
            return Err(Error::Data(message));
        }
        let (order, found) = self.find_sorted(keys);
        let mut rows: Vec<_> = out.chunks_exact_mut(dim).map(Some).collect();
        let mut rows: Vec<_> = order.iter().map(|&i| rows[i].take()).collect();
        rows.par_chunks_mut(ROWS).zip(found.par_chunks(ROWS)).for_each(|(rows, found)| {
            Found::fetch(found);
            for (row, found) in rows.iter_mut().zip(found) {
                if let (Some(row), Some(found)) = (row, found) {
                    found.read(row);
                }
            }
        });
        let missing = order.iter().zip(&found).filter(|(_, found)| found.is_none());
        let mut missing: Vec<usize> = missing.map(|(&i, _)| i).collect();
        missing.sort_unstable();
        Ok(missing)
    }

    /// One who adds vectors.
    pub fn writer(&self, options: WriterOptions) -> Writer {
        Writer::new(&self.store, &self.space, options)
    }

    /// Merges small segments until at most `at_most` are left, if no other process is at it, and
    /// refreshes. The lines are for the user.
    ///
    /// # Errors
    /// [`crate::Error::File`], such as that the disk is full: everything is as it was.
    pub fn compact(&mut self, at_most: usize) -> Result<Vec<String>> {
        let mut notes = compact::compact(&self.store, &self.space, at_most)?;
        notes.extend(self.refresh()?);
        Ok(notes)
    }

    /// Indices of the keys in ascending order of these, and their places: neighbours in the files
    /// are sought one after the other.
    fn find_sorted(&self, keys: &[Key]) -> (Vec<usize>, Vec<Option<Found<'_>>>) {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.par_sort_unstable_by_key(|&i| keys[i]);
        if keys.len() >= self.rows() / KEYS_IN_PAGE {
            self.segments.iter().for_each(Segment::fetch_keys);
        }
        let mut places = vec![None; keys.len()];
        order.par_chunks(KEYS).zip(places.par_chunks_mut(KEYS)).for_each(|(order, places)| {
            for segment in &self.segments {
                let mut cursor = segment.cursor();
                for (place, &i) in places.iter_mut().zip(order).filter(|(p, _)| p.is_none()) {
                    *place = cursor.seek(&keys[i]);
                }
            }
        });
        (order, places)
    }
}
