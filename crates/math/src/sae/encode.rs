//! Applying a trained autoencoder: activations, reconstructions, unexplained variance.
//!
//! Rows run in fixed blocks in parallel; of each block only its sparse result is kept, never the
//! n x m pre-activations (trap 10). A row's result depends on no other row.

use super::batch_top_k::CAUTION;
use super::forward::{BLOCK, decode};
use super::screen::{Screen, Workspace, centre};
use super::{Parts, Sae};
use crate::activations::Activations;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use rayon::prelude::*;

/// Neurons that fire on a row, and how strongly.
type Fired = Vec<(u32, f32)>;

impl Sae {
    /// Activations of the rows of `x` (n x d): n x m, at most k per row, all > 0.
    ///
    /// About 2 n m d operations; memory of one block per thread and 8 bytes per activation, twice.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has other columns than the training rows, [`Error::NotFinite`].
    pub fn encode(&self, x: &Matrix) -> Result<Activations> {
        self.check(x)?;
        let mut z = Activations::new(self.n_neurons());
        let blocks = self.parts().map_blocks(x, |fired, _, _| fired.clone());
        for row in blocks.into_iter().flatten() {
            z.push_row(row);
        }
        Ok(z)
    }

    /// What the activations say of the rows of `x`: `W_dec' a + b_in`, n x d.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn reconstruct(&self, x: &Matrix) -> Result<Matrix> {
        self.check(x)?;
        let rows = self.parts().map_blocks(x, |fired, centred, error| {
            decode(self.parts(), fired, centred, error);
            error.to_vec()
        });
        let mut reconstruction = x.clone();
        for (i, error) in rows.into_iter().flatten().enumerate() {
            reconstruction.row_mut(i).iter_mut().zip(error).for_each(|(x, e)| *x += e);
        }
        Ok(reconstruction)
    }

    /// Fraction of variance unexplained: mean squared error over the variance of the training
    /// rows. 0 is perfect; 1 is what the training mean achieves on the training rows.
    ///
    /// # Errors
    /// As [`Self::encode`]; [`Error::Data`] without rows.
    pub fn fvu(&self, x: &Matrix) -> Result<f64> {
        self.check(x)?;
        if x.rows() == 0 {
            return Err(Error::Data("unexplained variance needs at least one row".to_owned()));
        }
        Ok(self.parts().fvu(x))
    }

    fn check(&self, x: &Matrix) -> Result<()> {
        Error::check_len("columns of the embeddings", x.cols(), self.dim())?;
        x.check_finite("embeddings")
    }
}

impl Parts {
    /// [`Sae::fvu`] of at least one row that has been checked. Changes nothing (trap 4).
    pub(super) fn fvu(&self, x: &Matrix) -> f64 {
        let squares =
            self.map_blocks(x, |fired, centred, error| decode(self, fired, centred, error));
        let sum: f64 = squares.iter().flatten().sum();
        sum / (x.rows() as f64 * self.variance)
    }

    /// `row(activations, x - b_in, d values to write on)` of every row of `x`, in order, by blocks.
    fn map_blocks<T: Send>(
        &self,
        x: &Matrix,
        row: impl Fn(&Fired, &[f32], &mut [f32]) -> T + Sync,
    ) -> Vec<Vec<T>> {
        let screen = Screen::of(self);
        let d = self.encoder.cols();
        let buffers = || (vec![0.0; BLOCK * d], vec![0.0; d], Workspace::default());
        x.data()
            .par_chunks(BLOCK * d)
            .map_init(buffers, |(centred, scratch, work), rows| {
                let centred = &mut centred[..rows.len()];
                centre(rows.chunks_exact(d), &self.input_bias, centred);
                screen.load(centred, work);
                let mut fired = Vec::new();
                let rows = centred.chunks_exact(d).enumerate();
                rows.map(|(r, centred)| {
                    fired.clear();
                    self.fire(&screen, (r, centred), work, &mut fired);
                    row(&fired, centred, scratch)
                })
                .collect()
            })
            .collect()
    }

    /// What fires on a row by itself: the k largest, or all above the threshold.
    fn fire(&self, screen: &Screen, row: (usize, &[f32]), work: &mut Workspace, fired: &mut Fired) {
        match self.threshold {
            Some(threshold) => screen.above(self, row, threshold, work, fired),
            None => screen.top_k(self, row, self.k, work, fired),
        }
    }

    /// The threshold above which k n activations of the n rows of `x` lie: k per row on average.
    ///
    /// Looks well below the present threshold, and above 0 only if too few values lie there.
    pub(super) fn calibrate(&self, x: &Matrix) -> f32 {
        let wanted = self.k * x.rows();
        let mut values = self.values_above(x, CAUTION * self.threshold.unwrap_or(0.0));
        if values.len() <= wanted {
            values = self.values_above(x, 0.0);
        }
        if values.len() <= wanted {
            return 0.0;
        }
        *values.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a)).1
    }

    fn values_above(&self, x: &Matrix, threshold: f32) -> Vec<f32> {
        let open = Self { threshold: Some(threshold), ..self.clone() };
        let values = open.map_blocks(x, |fired, _, _| fired.clone());
        values.into_iter().flatten().flatten().map(|(_, value)| value).collect()
    }
}
