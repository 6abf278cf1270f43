//! What a store holds, whether it is sound, and making it smaller.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::segment::{Segment, Unfit};
use super::space::{Element, Space};
use super::{files, lock};
use crate::{Error, Result};

/// What a store holds of one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub space: Space,
    pub segments: usize,
    /// A vector that is in several segments counts as often.
    pub rows: u64,
    /// Of the segments' files.
    pub bytes: u64,
    /// Files that have been set aside, or will be when the space is opened.
    pub unusable: usize,
    /// When the oldest and the newest segment was written.
    pub oldest: Option<SystemTime>,
    pub newest: Option<SystemTime>,
    /// When the space was last opened.
    pub used: Option<SystemTime>,
}

/// What [`verify`] found of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub file: PathBuf,
    pub space: Space,
    pub rows: u64,
    pub bytes: u64,
    /// `None` if all is well.
    pub trouble: Option<String>,
    /// Where a damaged file is now.
    pub aside: Option<PathBuf>,
}

/// What is to go. Without any of these only what killed processes left unfinished does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trim {
    /// Spaces whose embedder contains this; the others stay as they are.
    pub embedder: Option<String>,
    /// Spaces that were not opened for so long.
    pub unused_for: Option<Duration>,
    /// Segments until so many bytes are left: first of the spaces that were opened longest ago,
    /// there the oldest.
    pub at_most_bytes: Option<u64>,
}

/// What [`trim`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    pub segments: usize,
    /// Of the segments.
    pub bytes: u64,
    /// Files that killed processes had not finished.
    pub unfinished: usize,
}

/// Numbers of this embedder's vectors, if the store holds any.
///
/// # Errors
/// [`Error::File`] if a folder cannot be listed.
pub(crate) fn dim(store: &Path, embedder: &str, element: Element) -> Result<Option<usize>> {
    let of = |space: &Space| space.embedder == embedder && space.element == element;
    let found = spaces(store)?.into_iter().map(|(space, _)| space).find(of);
    Ok(found.map(|space| space.dim))
}

/// What the store in the folder `store` holds, by embedder. Nothing is changed.
///
/// # Errors
/// [`Error::File`] if a folder cannot be listed.
pub fn contents(store: &Path) -> Result<Vec<Contents>> {
    let mut all = Vec::new();
    for (space, folder) in spaces(store)? {
        let unusable = files::aside(&folder)?.len();
        let used = modified(&Space::about(&folder));
        let (oldest, newest) = (None, None);
        let none =
            Contents { space, segments: 0, rows: 0, bytes: 0, unusable, oldest, newest, used };
        all.push(files::segments(&folder)?.iter().fold(none, |mut sums, path| {
            match Segment::open(path) {
                Ok(segment) if *segment.space() == sums.space => {
                    sums.segments += 1;
                    sums.rows += segment.rows as u64;
                    sums.bytes += segment.bytes();
                    let written = modified(path);
                    sums.oldest = sums.oldest.into_iter().chain(written).min();
                    sums.newest = sums.newest.max(written);
                }
                Err(Unfit::Gone) => {}
                _ => sums.unusable += 1,
            }
            sums
        }));
    }
    all.sort_by(|a, b| (&a.space.embedder, a.space.dim).cmp(&(&b.space.embedder, b.space.dim)));
    Ok(all)
}

/// Reads every segment from beginning to end. Damaged ones are set aside, so that their vectors are
/// made anew.
///
/// # Errors
/// [`Error::File`] if a folder cannot be listed.
pub fn verify(store: &Path) -> Result<Vec<Checked>> {
    let mut all = Vec::new();
    for (space, folder) in spaces(store)? {
        for file in files::segments(&folder)? {
            let space = space.clone();
            let bytes = fs::metadata(&file).map_or(0, |m| m.len());
            let (trouble, aside) = (None, None);
            let mut checked = Checked { file, space, rows: 0, bytes, trouble, aside };
            let fault = match Segment::open(&checked.file) {
                Ok(segment) if *segment.space() != checked.space => {
                    Err("its vectors are of another kind".into())
                }
                Ok(segment) => {
                    checked.rows = segment.rows as u64;
                    segment.check()
                }
                Err(Unfit::Gone) => continue,
                Err(Unfit::Damaged(why)) => Err(why),
                Err(Unfit::Newer) => {
                    checked.trouble = Some("a later version of this program wrote it".into());
                    Ok(())
                }
                Err(Unfit::Unreadable(e)) => {
                    checked.trouble = Some(e.to_string());
                    Ok(())
                }
            };
            if let Err(why) = fault {
                checked.aside = files::set_aside(&checked.file, &why).0;
                checked.trouble = Some(why);
            }
            all.push(checked);
        }
    }
    Ok(all)
}

/// Removes what is to go, and what killed processes left unfinished. Who has a segment open can use
/// it on. Files that were set aside stay.
///
/// # Errors
/// [`Error::File`].
pub fn trim(store: &Path, what: &Trim) -> Result<Trimmed> {
    let _tidying = lock::own(store, lock::TIDYING)?;
    let writing = lock::own(store, lock::WRITING)?;
    let mut trimmed = Trimmed::default();
    let spaces = spaces(store)?;
    // Without locks they may be somebody's.
    for (_, folder) in spaces.iter().filter(|_| writing.held) {
        for path in files::unfinished(folder)? {
            remove(&path)?;
            trimmed.unfinished += 1;
        }
    }
    for segment in doomed(spaces, what)? {
        remove(&segment.path)?;
        trimmed.segments += 1;
        trimmed.bytes += segment.bytes;
        if let Some(folder) = segment.path.parent()
            && files::segments(folder)?.is_empty()
        {
            remove(&Space::about(folder))?;
            // It stays if anything else is in it.
            let _ = fs::remove_dir(folder);
        }
    }
    Ok(trimmed)
}

/// A segment, by the order in which they go.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    used: Option<SystemTime>,
    written: Option<SystemTime>,
    path: PathBuf,
    bytes: u64,
}

fn doomed(mut spaces: Vec<(Space, PathBuf)>, what: &Trim) -> Result<Vec<Candidate>> {
    if *what == Trim::default() {
        return Ok(Vec::new());
    }
    spaces.retain(|(space, _)| what.embedder.as_ref().is_none_or(|e| space.embedder.contains(e)));
    let mut all = Vec::new();
    for (_, folder) in spaces {
        let used = modified(&Space::about(&folder));
        let candidate = |path: PathBuf| {
            let bytes = fs::metadata(&path).map_or(0, |m| m.len());
            Candidate { used, written: modified(&path), path, bytes }
        };
        all.extend(files::segments(&folder)?.into_iter().map(candidate));
    }
    all.sort();
    let old = |c: &Candidate| {
        let age = c.used.map(|t| t.elapsed().unwrap_or_default());
        what.unused_for.is_none_or(|limit| age.is_none_or(|age| age >= limit))
    };
    // With a limit of bytes alone, age is no reason to go.
    let by_age = what.unused_for.is_some() || what.at_most_bytes.is_none();
    let mut left: u64 = all.iter().map(|c| c.bytes).sum();
    all.retain(|c| {
        let goes = by_age && old(c) || what.at_most_bytes.is_some_and(|limit| left > limit);
        left -= if goes { c.bytes } else { 0 };
        goes
    });
    Ok(all)
}

/// Every space with its folder.
fn spaces(store: &Path) -> Result<Vec<(Space, PathBuf)>> {
    let mut all = Vec::new();
    for folder in files::entries(store)?.into_iter().filter(|p| p.is_dir()) {
        // Where the words are lost, every segment still says whose it is.
        let of_segment = || {
            let mut segments = files::segments(&folder).ok()?.into_iter();
            segments.find_map(|path| Some(Segment::open(&path).ok()?.space().clone()))
        };
        let space = Space::read(&folder).or_else(of_segment);
        all.extend(space.filter(|s| s.folder(store) == folder).map(|s| (s, folder)));
    }
    all.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(all)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(Error::file("remove", path)),
    }
}
