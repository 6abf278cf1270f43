//! Vectors from one machine to another, as one file.

use std::path::Path;

use super::segment::{Found, Segment, Unfit};
use super::space::{Key, Space};
use super::{VectorStore, compact, files, write, writer};
use crate::{Error, Result};

/// What [`import`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub space: Space,
    /// Vectors in the file.
    pub rows: u64,
    /// Those of them that the store did not have.
    pub new: u64,
    /// For the user.
    pub notes: Vec<String>,
}

/// Writes all vectors of `space` as the Arrow file `to`, in ascending order of their keys, each
/// once. Gives their number, and lines for the user.
///
/// # Errors
/// [`Error::Data`] if there are none; [`Error::File`].
pub fn export(store: &Path, space: &Space, to: &Path) -> Result<(u64, Vec<String>)> {
    space.check()?;
    let (segments, mut notes) = files::open_all(&space.folder(store), space, Vec::new())?;
    let (segments, more) = files::sound(segments);
    notes.extend(more);
    let rows = compact::rows(&segments);
    if rows.is_empty() {
        let (store, embedder) = (store.display(), &space.embedder);
        return Err(Error::Data(format!("`{store}` holds no vectors of `{embedder}`")));
    }
    write::write(to, space, &rows, |found: Found| found.numbers())?;
    Ok((rows.len() as u64, notes))
}

/// Adds the vectors of a file that [`export`] wrote, or of any segment.
///
/// # Errors
/// [`Error::Input`] if it is damaged, or no such file; [`Error::File`].
pub fn import(store: &Path, from: &Path) -> Result<Imported> {
    let fault = |why: String| Error::input(from, format!("it cannot be imported: {why}"));
    let file = Segment::open(from).map_err(|unfit| match unfit {
        Unfit::Gone => Error::file("open", from)(std::io::ErrorKind::NotFound.into()),
        Unfit::Unreadable(e) => Error::file("open", from)(e),
        Unfit::Newer => fault("a later version of this program wrote it".into()),
        Unfit::Damaged(why) => fault(why),
    })?;
    file.check().map_err(fault)?;
    let space = file.space().clone();
    let (open, notes) = VectorStore::open(store, &space)?;
    let (keys, places): (Vec<Key>, Vec<Found>) = file.places().unzip();
    let known = open.find(&keys);
    let rows = keys.into_iter().zip(places).zip(known);
    let new: Vec<_> = rows.filter(|(_, known)| known.is_none()).map(|(row, _)| row).collect();
    if !new.is_empty() {
        writer::add(store, &space, &new, |found: Found| found.numbers())?;
    }
    Ok(Imported { space, rows: file.rows as u64, new: new.len() as u64, notes })
}
