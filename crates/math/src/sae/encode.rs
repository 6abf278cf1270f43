//! Applying a trained autoencoder: activations, reconstructions, unexplained variance.
//!
//! Rows run in fixed blocks in parallel; of each block only its sparse result is kept, never the
//! n x m pre-activations (trap 10), and rows that are not in memory are read block by block. A
//! row's result depends on no other row.

use super::batch_top_k::CAUTION;
use super::forward::decode;
use super::screen::{Screen, Workspace, centre};
use super::{Parts, Sae};
use crate::activations::Activations;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::rows::{BLOCK, Rows, by_block, check_block};
use crate::vector::{add_weighted_rows, dot, squared_norm};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Neurons that fire on a row, and how strongly.
type Fired = Vec<(u32, f32)>;

/// How well activations say what the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    pub n_rows: usize,
    /// Fraction of variance unexplained: mean squared error over the variance of the training
    /// rows. 0 is perfect; 1 is what the training mean achieves on the training rows.
    pub fvu: f64,
    /// Mean over rows of the squared distance of a row and its reconstruction.
    pub squared_error: f64,
    /// Mean over rows of the cosine of a row and its reconstruction; a row of zeros counts 0.
    pub cosine: f64,
    /// Mean number of neurons that fire on a row.
    pub mean_active: f64,
    /// Rows on which no neuron fires.
    pub n_silent: usize,
}

impl Sae {
    /// Activations of the rows of `x` (n x d): n x m, at most k per row (of batch top-k, those
    /// above the threshold), all > 0.
    ///
    /// About 2 n m d operations in 8 bits; memory of one block per thread and 8 bytes per
    /// activation, twice.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has other columns than the training rows, [`Error::NotFinite`],
    /// [`Error::Unreadable`].
    pub fn encode(&self, x: &dyn Rows) -> Result<Activations> {
        self.check(x)?;
        self.encode_range(&Screen::of(self.parts()), x, 0..x.n_rows())
    }

    /// [`Self::encode`] of `rows` rows at a time: memory does not grow with n.
    ///
    /// # Errors
    /// As [`Self::encode`]; at the rows concerned.
    pub fn encode_in_parts<'a>(
        &'a self,
        x: &'a dyn Rows,
        rows: usize,
    ) -> Result<impl Iterator<Item = Result<Activations>> + 'a> {
        self.check(x)?;
        let (n, screen) = (x.n_rows(), Screen::of(self.parts()));
        let starts = (0..n).step_by(rows.max(1));
        Ok(starts.map(move |at| self.encode_range(&screen, x, at..n.min(at + rows.max(1)))))
    }

    fn encode_range(
        &self,
        screen: &Screen,
        x: &dyn Rows,
        range: Range<usize>,
    ) -> Result<Activations> {
        let mut z = Activations::new(self.n_neurons());
        let blocks = self.parts().map_blocks(screen, x, range, |row| row.fired.clone())?;
        for row in blocks.into_iter().flatten() {
            z.push_row(row);
        }
        Ok(z)
    }

    /// What activations (n x m) say of rows: `W_dec' a + b_in`, n x d.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are not of m neurons.
    pub fn decode(&self, z: &Activations) -> Result<Matrix> {
        Error::check_len("neurons of the activations", z.neurons(), self.n_neurons())?;
        let (parts, d) = (self.parts(), self.dim());
        let mut x = Matrix::zeros(z.rows(), d);
        x.data_mut().par_chunks_mut(d).with_min_len(BLOCK).enumerate().for_each(|(i, row)| {
            row.copy_from_slice(&parts.input_bias);
            let (neurons, values) = z.row(i);
            let terms: Fired = neurons.iter().copied().zip(values.iter().copied()).collect();
            add_weighted_rows(row, parts.decoder.data(), &terms);
        });
        Ok(x)
    }

    /// How well the rows of `x` are reconstructed.
    ///
    /// # Errors
    /// As [`Self::encode`]; [`Error::Data`] without rows.
    pub fn reconstruction(&self, x: &dyn Rows) -> Result<Reconstruction> {
        self.check(x)?;
        let n = x.n_rows();
        if n == 0 {
            return Err(Error::Data("unexplained variance needs at least one row".to_owned()));
        }
        let parts = self.parts();
        let rows = parts.map_blocks(&Screen::of(parts), x, 0..n, |row| {
            let Row { x, fired, centred, scratch } = row;
            let error = decode(parts, fired, centred, scratch);
            scratch.iter_mut().zip(x).for_each(|(e, x)| *e += x);
            let lengths = f64::from(squared_norm(scratch)) * f64::from(squared_norm(x));
            let cosine = match lengths.sqrt() {
                length if length > 0.0 => f64::from(dot(scratch, x)) / length,
                _ => 0.0,
            };
            (error, cosine, fired.len())
        })?;
        let rows = || rows.iter().flatten();
        let mean = |sum: f64| sum / n as f64;
        let squares: f64 = rows().map(|r| r.0).sum();
        Ok(Reconstruction {
            n_rows: n,
            fvu: squares / (n as f64 * parts.variance),
            squared_error: mean(squares),
            cosine: mean(rows().map(|r| r.1).sum()),
            mean_active: mean(rows().map(|r| r.2 as f64).sum()),
            n_silent: rows().filter(|r| r.2 == 0).count(),
        })
    }

    /// [`Reconstruction::fvu`] alone.
    ///
    /// # Errors
    /// As [`Self::reconstruction`].
    pub fn fvu(&self, x: &dyn Rows) -> Result<f64> {
        Ok(self.reconstruction(x)?.fvu)
    }

    fn check(&self, x: &dyn Rows) -> Result<()> {
        Error::check_len("columns of the embeddings", x.dim(), self.dim())
    }
}

/// A row that has been encoded.
struct Row<'a> {
    x: &'a [f32],
    fired: &'a Fired,
    /// `x - b_in`.
    centred: &'a [f32],
    /// d values to write on.
    scratch: &'a mut [f32],
}

impl Parts {
    /// [`Reconstruction::fvu`] of at least one row. Changes nothing (trap 4).
    pub(super) fn fvu(&self, screen: &Screen, x: &dyn Rows) -> Result<f64> {
        let squares = self.map_blocks(screen, x, 0..x.n_rows(), |row| {
            decode(self, row.fired, row.centred, row.scratch)
        })?;
        let sum: f64 = squares.iter().flatten().sum();
        Ok(sum / (x.n_rows() as f64 * self.variance))
    }

    /// `each` of the rows in `range`, in order, by blocks.
    fn map_blocks<T: Send>(
        &self,
        screen: &Screen,
        x: &dyn Rows,
        range: Range<usize>,
        each: impl Fn(Row<'_>) -> T + Sync,
    ) -> Result<Vec<Vec<T>>> {
        let d = self.input_bias.len();
        let buffers = || (vec![0.0; BLOCK * d], vec![0.0; d], Workspace::default());
        by_block(x, range, buffers, |(centred, scratch, work), first, rows| {
            check_block("embeddings", first, rows)?;
            let centred = &mut centred[..rows.len() * d];
            centre(rows, &self.input_bias, centred);
            screen.load(centred, work);
            let mut fired = Vec::new();
            let rows = rows.iter().zip(centred.chunks_exact(d)).enumerate();
            Ok(rows
                .map(|(r, (x, centred))| {
                    fired.clear();
                    self.fire(screen, (r, centred), work, &mut fired);
                    each(Row { x, fired: &fired, centred, scratch })
                })
                .collect())
        })
    }

    /// What fires on a row by itself: the k largest, or all above the threshold.
    fn fire(&self, screen: &Screen, row: (usize, &[f32]), work: &mut Workspace, fired: &mut Fired) {
        match self.threshold {
            Some(threshold) => screen.above(self, row, threshold, work, fired),
            None => screen.top_k(self, row, self.k, work, fired),
        }
    }

    /// A threshold above which k n activations of the n rows of `x` lie: k per row on average.
    ///
    /// Looks well below the present threshold, and above 0 only if too few values lie there.
    pub(super) fn calibrate(&self, x: &dyn Rows) -> Result<f32> {
        let wanted = self.k * x.n_rows();
        let mut values = self.values_above(x, CAUTION * self.threshold.unwrap_or(0.0))?;
        if values.len() <= wanted {
            values = self.values_above(x, 0.0)?;
        }
        if values.len() <= wanted {
            return Ok(0.0);
        }
        // Halfway to the next larger one, so that what rounds otherwise decides alike.
        let (larger, &mut next, _) = values.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a));
        let least = larger.iter().copied().fold(f32::INFINITY, f32::min);
        let halfway = next + (least - next) / 2.0;
        Ok(if halfway < least { halfway } else { next })
    }

    fn values_above(&self, x: &dyn Rows, threshold: f32) -> Result<Vec<f32>> {
        let open = Self { threshold: Some(threshold), ..self.clone() };
        let values = open.map_blocks(&Screen::of(self), x, 0..x.n_rows(), |row| {
            row.fired.iter().map(|f| f.1).collect::<Vec<_>>()
        })?;
        Ok(values.into_iter().flatten().flatten().collect())
    }
}
