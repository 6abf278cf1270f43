//! Sparse columns that stand for their standardised selves.

use crate::activations::Columns;
use crate::moments::{Moments, sums, weighted};
use crate::{Activations, Setting};

/// The columns of a sparse matrix, with what standardising them takes.
pub(super) struct Standard {
    pub rows: usize,
    /// Sum of the row weights.
    pub total: f64,
    columns: Columns,
    moments: Vec<Moments>,
    /// Standard deviation of the raw column, or its root mean square if nothing is centred; 0 for
    /// a column that may not enter.
    scales: Vec<f64>,
    centred: bool,
}

impl Standard {
    pub fn new(z: &Activations, setting: &Setting) -> Self {
        let (rows, centred) = (z.rows(), setting.centred);
        let weighty = (0..rows).filter(|&i| setting.weight(i) > 0.0).count();
        let total = (0..rows).map(|i| setting.weight(i)).sum();
        let moments = weighted(z, setting.weights.as_deref(), centred);
        let scale = |m: &Moments| if m.divides(weighty) || !centred { m.sd } else { 0.0 };
        let mut scales: Vec<f64> = moments.iter().map(scale).collect();
        setting.excluded.iter().for_each(|j| scales[*j] = 0.0);
        Self { rows, total, columns: z.by_neuron(), moments, scales, centred }
    }

    pub fn cols(&self) -> usize {
        self.scales.len()
    }

    /// Whether column `j` may enter: it fires on some rows, not on all, is not constant and not
    /// excluded.
    pub fn live(&self, j: usize) -> bool {
        self.scales[j] > 0.0
    }

    pub fn n_live(&self) -> usize {
        self.scales.iter().filter(|s| **s > 0.0).count()
    }

    /// What centring takes off column `j`.
    pub fn mean(&self, j: usize) -> f64 {
        self.moments[j].mean
    }

    pub fn scale(&self, j: usize) -> f64 {
        self.scales[j]
    }

    /// The rows on which column `j` fires, rising, with its raw values.
    pub fn entries(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.columns.pairs(j)
    }

    /// `x'v / W` for every column `x` over its scale, where `v` holds the row weights already;
    /// 0 for columns that may not enter. O(nnz), by rows in pieces of fixed size.
    pub fn slopes(&self, z: &Activations, v: &[f64]) -> Vec<f64> {
        let mut slopes: Vec<f64> = sums(z, self.cols(), |i, sums| {
            let v = v[i];
            z.pairs(i).for_each(|(j, x)| sums[j] += v * f64::from(x));
        });
        let sum = if self.centred { v.iter().sum() } else { 0.0 };
        for (j, slope) in slopes.iter_mut().enumerate() {
            *slope = self.scaled(j, *slope - self.mean(j) * sum);
        }
        slopes
    }

    /// The same for one column that may enter, where the entries of `v` add up to 0 or nothing is
    /// centred. O(its nnz).
    pub fn slope(&self, j: usize, v: &[f64]) -> f64 {
        self.scaled(j, self.entries(j).map(|(i, x)| x * v[i]).sum())
    }

    fn scaled(&self, j: usize, sum: f64) -> f64 {
        if self.live(j) { sum / (self.total * self.scales[j]) } else { 0.0 }
    }
}
