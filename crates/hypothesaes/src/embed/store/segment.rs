//! One file of the store, mapped: keys in order, and their vectors.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use rayon::prelude::*;

use super::layout::{self, Batch, Fault, Layout, Sum};
use super::map::{self, Way};
use super::numbers::Numbers;
use super::space::{Key, Space};

/// Bytes between two vectors that are read rather than skipped.
const NEAR: usize = 16 << 10;

/// Never changed, whatever other processes do.
#[derive(Debug)]
pub(super) struct Segment {
    pub path: PathBuf,
    map: Mmap,
    layout: Layout,
    /// The first key of every batch that has rows, so that a search touches one batch.
    firsts: Vec<[u8; 16]>,
    pub rows: usize,
}

/// Where a vector lies in an open store.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    segment: &'a Segment,
    batch: u32,
    row: u32,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unfit {
    /// Another process removed it.
    Gone,
    Unreadable(io::Error),
    /// A later version of this program wrote it.
    Newer,
    Damaged(String),
}

impl Segment {
    pub(super) fn open(path: &Path) -> Result<Self, Unfit> {
        let unreadable = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => Unfit::Gone,
            _ => Unfit::Unreadable(e),
        };
        let file = File::open(path).map_err(unreadable)?;
        let map = map::map(&file).map_err(unreadable)?;
        map::advise(&map, Way::Scattered);
        let mut layout = layout::read(&map).map_err(|fault| match fault {
            Fault::Newer => Unfit::Newer,
            Fault::Damaged(why) => Unfit::Damaged(why),
        })?;
        layout.batches.retain(|b| !b.keys.is_empty());
        let element = layout.space.element;
        let aligned = |b: &Batch| Numbers::of(&map[b.vectors.clone()], element).is_some();
        if !layout.batches.iter().all(aligned) {
            return Err(Unfit::Damaged("its numbers are not aligned".into()));
        }
        let firsts: Vec<_> = layout.batches.iter().map(|b| keys(&map, b)[0]).collect();
        let rows = layout.batches.iter().map(|b| b.keys.len() / 16).sum();
        Ok(Self { path: path.into(), map, layout, firsts, rows })
    }

    pub(super) fn space(&self) -> &Space {
        &self.layout.space
    }

    /// Of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// All keys with their places.
    pub(super) fn places(&self) -> impl Iterator<Item = (Key, Found<'_>)> {
        (0_u32..).zip(&self.layout.batches).flat_map(move |(batch, b)| {
            let found = move |row| Found { segment: self, batch, row };
            (0_u32..).zip(keys(&self.map, b)).map(move |(row, key)| (Key(*key), found(row)))
        })
    }

    /// Has the keys come from disk, for they will be searched.
    pub(super) fn fetch_keys(&self) {
        self.layout.batches.iter().for_each(|b| map::fetch(&self.map, b.keys.clone()));
    }

    /// Finds keys that are asked for in ascending order.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        let keys = self.layout.batches.first().map_or(&[][..], |b| keys(&self.map, b));
        Cursor { segment: self, keys, batch: 0, at: 0 }
    }

    fn numbers(&self, batch: usize) -> Numbers<'_> {
        let bytes = &self.map[self.layout.batches[batch].vectors.clone()];
        Numbers::of(bytes, self.layout.space.element).expect("checked when it was opened")
    }

    /// Reads everything.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        map::advise(&self.map, Way::FromEndToEnd);
        let batches: Vec<usize> = (0..self.layout.batches.len()).collect();
        let sums = batches.par_iter().map(|&i| {
            let batch = &self.layout.batches[i];
            let keys = keys(&self.map, batch);
            let next = self.firsts.get(i + 1);
            if !keys.is_sorted_by(|a, b| a < b) || next.is_some_and(|n| keys.last() >= Some(n)) {
                return Err("its keys are not in order".to_owned());
            }
            if !self.numbers(i).are_finite() {
                return Err("a number is NaN or infinite".to_owned());
            }
            let (keys, vectors) = (batch.keys.clone(), batch.vectors.clone());
            Ok(Sum::of_batch(&self.map[keys], &self.map[vectors]))
        });
        let mut sum = Sum::default();
        sums.collect::<Result<Vec<_>, String>>()?.into_iter().for_each(|s| sum.add(s));
        if sum.finish() == self.layout.sum {
            Ok(())
        } else {
            Err("its content is not what was written".into())
        }
    }
}

fn keys<'a>(map: &'a [u8], batch: &Batch) -> &'a [[u8; 16]] {
    map[batch.keys.clone()].as_chunks().0
}

impl<'a> Found<'a> {
    pub(super) fn numbers(&self) -> Numbers<'a> {
        let dim = self.segment.layout.space.dim;
        let row = self.row as usize;
        self.segment.numbers(self.batch as usize).slice(row * dim..(row + 1) * dim)
    }

    fn bytes(&self) -> Range<usize> {
        let space = &self.segment.layout.space;
        let start = self.segment.layout.batches[self.batch as usize].vectors.start;
        let (row, size) = (self.row as usize, space.dim * space.element.bytes());
        start + row * size..start + (row + 1) * size
    }

    /// Has vectors come from disk all at once, for they will be read.
    pub(super) fn fetch(places: &[Option<Found>]) {
        let mut places: Vec<_> = places.iter().flatten().map(|f| (f.segment, f.bytes())).collect();
        places.sort_unstable_by_key(|(segment, bytes)| (&raw const **segment, bytes.start));
        let near = |a: &(&Segment, Range<usize>), b: &(&Segment, Range<usize>)| {
            std::ptr::eq(a.0, b.0) && b.1.start < a.1.end + NEAR
        };
        for run in places.chunk_by(near) {
            let ((segment, first), (_, last)) = (&run[0], &run[run.len() - 1]);
            map::fetch(&segment.map, first.start..last.end);
        }
    }

    /// Copies the vector; `out` has the space's dimension.
    pub fn read(&self, out: &mut [f32]) {
        self.numbers().copy_to(out);
    }
}

/// A place in a segment that only moves on.
pub(super) struct Cursor<'a> {
    segment: &'a Segment,
    /// Those of the batch.
    keys: &'a [[u8; 16]],
    batch: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `key` is not below those sought before.
    pub(super) fn seek(&mut self, key: &Key) -> Option<Found<'a>> {
        let later = &self.segment.firsts.get(self.batch + 1..)?;
        let ahead = later.partition_point(|first| *first <= key.0);
        if ahead > 0 {
            self.batch += ahead;
            self.at = 0;
            self.keys = keys(&self.segment.map, &self.segment.layout.batches[self.batch]);
        }
        // Steps that double: the next key is likely near.
        let rest = &self.keys[self.at..];
        let mut step = 1;
        while rest.get(step).is_some_and(|k| *k < key.0) {
            step *= 2;
        }
        let near = &rest[step / 2..rest.len().min(step + 1)];
        self.at += step / 2 + near.partition_point(|k| *k < key.0);
        let here = self.keys.get(self.at)? == &key.0;
        let (batch, row) = (u32::try_from(self.batch).ok()?, u32::try_from(self.at).ok()?);
        here.then_some(Found { segment: self.segment, batch, row })
    }
}
