//! The files of a space: segments, and what has been set aside.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::segment::{Segment, Unfit};
use super::space::Space;
use crate::{Error, Result};

const SEGMENT: &str = "arrow";
const ASIDE: &str = "damaged";

/// How often a folder is listed anew because it changed meanwhile.
const TRIES: usize = 20;

/// Segments in a folder, newest first; none if there is no such folder.
pub(super) fn segments(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = with_extension(folder, SEGMENT)?;
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Files that were found damaged.
pub(super) fn aside(folder: &Path) -> Result<Vec<PathBuf>> {
    with_extension(folder, ASIDE)
}

/// What a killed process had not finished writing.
pub(super) fn unfinished(folder: &Path) -> Result<Vec<PathBuf>> {
    with_extension(folder, "tmp")
}

fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.extension().is_some_and(|e| e == extension));
    Ok(found)
}

/// Whatever is in a folder; nothing if there is no such folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect();
    match list() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(Error::file("list", folder)),
    }
}

/// A name that no segment has: a number for people, the rest against other processes.
pub(super) fn new_segment(folder: &Path) -> Result<PathBuf> {
    let number = |path: &PathBuf| {
        path.file_stem()?.to_str()?.split('-').next().and_then(|n| n.parse::<u64>().ok())
    };
    let last = segments(folder)?.iter().filter_map(number).max().unwrap_or(0);
    let chance = RandomState::new().hash_one(std::process::id()) >> 32;
    Ok(folder.join(format!("{:06}-{chance:08x}.{SEGMENT}", last.saturating_add(1))))
}

/// Opens all segments, newest first; `known` ones are open already. Damaged ones are set aside.
/// The lines are for the user.
pub(super) fn open_all(
    folder: &Path,
    space: &Space,
    known: Vec<Segment>,
) -> Result<(Vec<Segment>, Vec<String>)> {
    let mut known: FxHashMap<_, _> = known.into_iter().map(|s| (s.path.clone(), s)).collect();
    let mut notes = Vec::new();
    let mut listed = segments(folder)?;
    let mut tries = 0;
    loop {
        let mut open = Vec::new();
        for path in &listed {
            let segment = known.remove(path).map_or_else(|| Segment::open(path), Ok);
            let note = match segment.and_then(|s| of_space(s, space)) {
                Ok(segment) => {
                    open.push(segment);
                    None
                }
                Err(Unfit::Gone) => None,
                Err(Unfit::Newer) => Some(format!(
                    "`{}` is left unread: a later version of this program wrote it",
                    path.display()
                )),
                Err(Unfit::Unreadable(e)) => return Err(Error::file("map", path)(e)),
                Err(Unfit::Damaged(why)) => set_aside(path, &why).1,
            };
            notes.extend(note.filter(|note| !notes.contains(note)));
        }
        // What went meanwhile was merged into another, which has to be found. A folder that is
        // listed while that happens may show neither.
        let now = segments(folder)?;
        tries += 1;
        if now == listed || tries == TRIES {
            return Ok((open, notes));
        }
        listed = now;
        known.extend(open.into_iter().map(|s| (s.path.clone(), s)));
    }
}

fn of_space(segment: Segment, space: &Space) -> Result<Segment, Unfit> {
    if segment.space() == space {
        Ok(segment)
    } else {
        Err(Unfit::Damaged("its vectors are of another kind".into()))
    }
}

/// Keeps those segments whose content is as it was written; the others are set aside.
pub(super) fn sound(segments: Vec<Segment>) -> (Vec<Segment>, Vec<String>) {
    let mut notes = Vec::new();
    let sound = segments.into_iter().filter(|segment| {
        let fault = segment.check().err();
        notes.extend(fault.iter().filter_map(|why| set_aside(&segment.path, why).1));
        fault.is_none()
    });
    (sound.collect(), notes)
}

/// Renames a damaged file. Says where it is now, and what the user is told; nothing of either if
/// another process was faster.
pub(super) fn set_aside(path: &Path, why: &str) -> (Option<PathBuf>, Option<String>) {
    let mut free = path.with_added_extension(ASIDE);
    let mut n = 1;
    while free.exists() {
        n += 1;
        free = path.with_added_extension(format!("{n}.{ASIDE}"));
    }
    let what = format!("the file of vectors `{}` cannot be used ({why})", path.display());
    match fs::rename(path, &free) {
        Ok(()) => {
            let note = format!("{what}; it was renamed to `{}`", free.display());
            (Some(free), Some(note))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => (None, None),
        Err(e) => (None, Some(format!("{what} and cannot be renamed ({e}); it is left unread"))),
    }
}
