//! Sparse columns that stand for their standardised selves.

use crate::Activations;
use crate::moments::{Moments, moments};

/// The columns of a sparse matrix, with what standardising them takes.
pub(super) struct Standard {
    pub rows: usize,
    columns: Vec<(Vec<u32>, Vec<f32>)>,
    moments: Vec<Moments>,
}

impl Standard {
    pub fn new(z: &Activations) -> Self {
        Self { rows: z.rows(), columns: z.columns(), moments: moments(z) }
    }

    pub fn cols(&self) -> usize {
        self.columns.len()
    }

    /// Whether column `j` may enter: it fires on some rows, not on all, and is not constant.
    pub fn live(&self, j: usize) -> bool {
        self.moments[j].divides(self.rows) && self.moments[j].sd > 0.0
    }

    pub fn mean(&self, j: usize) -> f64 {
        self.moments[j].mean
    }

    pub fn sd(&self, j: usize) -> f64 {
        self.moments[j].sd
    }

    /// The rows on which column `j` fires, rising, with its raw values.
    pub fn entries(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (rows, values) = &self.columns[j];
        rows.iter().zip(values).map(|(&i, &v)| (i as usize, f64::from(v)))
    }

    /// Sum over the rows of the standardised column `j` times `v`, where `total` is the sum of `v`.
    pub fn dot(&self, j: usize, v: &[f64], total: f64) -> f64 {
        let raw: f64 = self.entries(j).map(|(i, x)| x * v[i]).sum();
        (raw - self.mean(j) * total) / self.sd(j)
    }
}
