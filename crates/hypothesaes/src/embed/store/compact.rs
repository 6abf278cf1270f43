//! Many small segments become one.

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::segment::{Found, Segment};
use super::space::{Key, Space};
use super::{files, lock, writer};
use crate::Result;

/// Merges small segments until at most `at_most` are left. Nothing is done if another process is
/// at it. The lines are for the user.
///
/// The merged one is on disk before the others go: a kill in between leaves vectors twice, which
/// does no harm. Who has the others open can use them on.
pub(super) fn compact(store: &Path, space: &Space, at_most: usize) -> Result<Vec<String>> {
    let folder = space.folder(store);
    if files::segments(&folder)?.len() <= at_most.max(1) {
        return Ok(Vec::new());
    }
    let Some(_tidying) = lock::try_own(store, lock::TIDYING)? else { return Ok(Vec::new()) };
    let (mut segments, mut notes) = files::open_all(&folder, space, Vec::new())?;
    segments.sort_by_key(|s| s.rows);
    segments.truncate(how_many(&segments, at_most.max(1)));
    let (segments, more) = files::sound(segments);
    notes.extend(more);
    if segments.len() > 1 {
        writer::add(store, space, &rows(&segments), |found: Found| found.numbers())?;
    }
    if segments.len() > 1 || segments.iter().all(|s| s.rows == 0) {
        let old: Vec<_> = segments.iter().map(|s| s.path.clone()).collect();
        // Windows does not remove a mapped file. One that stays is merged again another time.
        drop(segments);
        for path in old {
            let _ = fs::remove_file(path);
        }
    }
    Ok(notes)
}

/// Of segments in ascending order of their sizes: as many as have to go, and on while the next is
/// no larger than those before together, so that no vector is copied more than a few times.
fn how_many(segments: &[Segment], at_most: usize) -> usize {
    let mut n = segments.len().saturating_sub(at_most) + 1;
    let mut rows: usize = segments.iter().take(n).map(|s| s.rows).sum();
    while let Some(next) = segments.get(n).filter(|s| s.rows <= rows) {
        rows += next.rows;
        n += 1;
    }
    n
}

/// The rows of all segments in ascending order of their keys, each once.
pub(super) fn rows(segments: &[Segment]) -> Vec<(Key, Found<'_>)> {
    let mut rows: Vec<_> = segments.iter().flat_map(Segment::places).collect();
    rows.par_sort_by_key(|(key, _)| *key);
    rows.dedup_by_key(|(key, _)| *key);
    rows
}
