//! Rows of numbers, wherever they lie: in memory, or in a file larger than it.

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one task fetches at a time.
pub(crate) const BLOCK: usize = 64;

/// Rows of equal length that can be had in any order.
pub trait Rows: Sync {
    /// Number of rows, n.
    fn n_rows(&self) -> usize;

    /// Length of a row, d.
    fn dim(&self) -> usize;

    /// The rows with these indices, which rise; read into `buffer` if they are not in memory.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if they cannot be read.
    fn fetch<'a>(&'a self, index: &[usize], buffer: &'a mut Vec<f32>) -> Result<Vec<&'a [f32]>>;
}

impl Rows for Matrix {
    fn n_rows(&self) -> usize {
        self.rows()
    }

    fn dim(&self) -> usize {
        self.cols()
    }

    fn fetch<'a>(&'a self, index: &[usize], _: &'a mut Vec<f32>) -> Result<Vec<&'a [f32]>> {
        Ok(index.iter().map(|&i| self.row(i)).collect())
    }
}

/// Some of the rows.
pub struct Subset<'a> {
    of: &'a dyn Rows,
    index: Vec<usize>,
}

impl<'a> Subset<'a> {
    /// The rows of `of` with these indices, in rising order.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such row.
    pub fn new(of: &'a dyn Rows, mut index: Vec<usize>) -> Result<Self> {
        index.sort_unstable();
        let n = of.n_rows();
        match index.last() {
            Some(&last) if last >= n => {
                Err(Error::Data(format!("there is no row {last}, only 0 to {}", n - 1)))
            }
            _ => Ok(Self { of, index }),
        }
    }
}

impl Rows for Subset<'_> {
    fn n_rows(&self) -> usize {
        self.index.len()
    }

    fn dim(&self) -> usize {
        self.of.dim()
    }

    fn fetch<'a>(&'a self, index: &[usize], buffer: &'a mut Vec<f32>) -> Result<Vec<&'a [f32]>> {
        let index: Vec<usize> = index.iter().map(|&i| self.index[i]).collect();
        self.of.fetch(&index, buffer)
    }
}

/// `each(buffers, first, rows)` of every block of [`BLOCK`] rows, in order; blocks run in parallel,
/// and what is not in memory is read block by block.
///
/// # Errors
/// As [`Rows::fetch`], and what `each` returns: of the first block that fails.
pub(crate) fn by_block<S, T: Send>(
    x: &dyn Rows,
    range: Range<usize>,
    buffers: impl Fn() -> S + Sync + Send,
    each: impl Fn(&mut S, usize, &[&[f32]]) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let starts: Vec<usize> = range.clone().step_by(BLOCK).collect();
    let blocks: Vec<Result<T>> = starts
        .into_par_iter()
        .map_init(
            || (Vec::new(), buffers()),
            |(read, buffers), first| {
                let index: Vec<usize> = (first..range.end.min(first + BLOCK)).collect();
                each(buffers, first, &x.fetch(&index, read)?)
            },
        )
        .collect();
    blocks.into_iter().collect()
}

/// Reads every row once.
///
/// # Errors
/// [`Error::NotFinite`] with the place of the first NaN or infinity; as [`Rows::fetch`].
pub fn check_finite(what: &'static str, x: &dyn Rows) -> Result<()> {
    by_block(x, 0..x.n_rows(), || (), |(), first, rows| check_block(what, first, rows)).map(drop)
}

/// All the rows with these indices, which rise; read in parallel, into `buffers`.
///
/// # Errors
/// As [`Rows::fetch`].
pub(crate) fn fetch_all<'a>(
    x: &'a dyn Rows,
    index: &[usize],
    buffers: &'a mut Vec<Vec<f32>>,
) -> Result<Vec<&'a [f32]>> {
    buffers.resize_with(index.len().div_ceil(BLOCK), Vec::new);
    let blocks: Vec<Result<Vec<&[f32]>>> = buffers
        .par_iter_mut()
        .zip(index.par_chunks(BLOCK))
        .map(|(buffer, index)| x.fetch(index, buffer))
        .collect();
    let mut rows = Vec::with_capacity(index.len());
    for block in blocks {
        rows.extend(block?);
    }
    Ok(rows)
}

/// # Errors
/// [`Error::NotFinite`] with the place of the first NaN or infinity among the rows.
pub(crate) fn check_block(what: &'static str, first: usize, rows: &[&[f32]]) -> Result<()> {
    for (row, values) in (first..).zip(rows) {
        // Without a way out the loop becomes vector instructions.
        if values.iter().fold(true, |all, v| all & v.is_finite()) {
            continue;
        }
        if let Some(column) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite { what, row, column });
        }
    }
    Ok(())
}
