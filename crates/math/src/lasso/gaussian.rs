//! The squared loss: coordinate descent on the Gram matrix of the columns that have entered.
//!
//! A column of the Gram matrix is computed when its neuron enters, from the rows on which that
//! neuron fires; the rest of the m x m matrix never is.

use super::descent::minimise;
use super::path::{Problem, entering};
use super::standard::Standard;
use crate::Activations;

pub(super) struct Gaussian<'a> {
    z: &'a Activations,
    x: &'a Standard,
    /// Standard deviation of the target; everything else here is in units of it.
    scale: f64,
    /// Correlation of every standardised column with the standardised target.
    target: Vec<f64>,
    /// Columns that have entered, in order of entry: their index, Gram column and coefficient.
    active: Vec<usize>,
    gram: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl<'a> Gaussian<'a> {
    /// `y` has at least two values.
    pub fn new(z: &'a Activations, x: &'a Standard, y: &[f64]) -> Self {
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let centred: Vec<f64> = y.iter().map(|v| v - mean).collect();
        let scale = (centred.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
        let total = centred.iter().sum();
        let dot = |j| if x.live(j) { x.dot(j, &centred, total) / (n * scale) } else { 0.0 };
        let target = (0..x.cols()).map(dot).collect();
        Self { z, x, scale, target, active: vec![], gram: vec![], weights: vec![] }
    }

    /// Brings column `j` in with coefficient 0.
    fn enter(&mut self, j: usize) {
        let mut products = vec![0.0; self.x.cols()];
        for (i, v) in self.x.entries(j) {
            for (k, u) in self.z.pairs(i) {
                products[k] += v * f64::from(u);
            }
        }
        let n = self.x.rows as f64;
        for (k, product) in products.iter_mut().enumerate() {
            let scale = self.x.sd(j) * self.x.sd(k);
            *product = if self.x.live(k) {
                (*product / n - self.x.mean(j) * self.x.mean(k)) / scale
            } else {
                0.0
            };
        }
        self.active.push(j);
        self.gram.push(products);
        self.weights.push(0.0);
    }

    /// The gradient of the loss, with its sign turned, for every column.
    fn slopes(&self) -> Vec<f64> {
        let mut slopes = self.target.clone();
        for (column, &w) in self.gram.iter().zip(&self.weights) {
            if w != 0.0 {
                slopes.iter_mut().zip(column).for_each(|(s, g)| *s -= w * g);
            }
        }
        slopes
    }
}

impl Problem for Gaussian<'_> {
    fn lambda_max(&self) -> f64 {
        self.scale * self.target.iter().fold(0.0, |top: f64, t| top.max(t.abs()))
    }

    fn solve(&mut self, lambda: f64) {
        let lambda = lambda / self.scale;
        loop {
            let pick = |column: &Vec<f64>| -> Vec<f64> {
                self.active.iter().map(|&j| column[j]).collect()
            };
            let h: Vec<f64> = self.gram.iter().flat_map(pick).collect();
            minimise(&h, &pick(&self.target), lambda, &mut self.weights);
            let new = entering(&self.slopes(), lambda, &self.active);
            if new.is_empty() {
                return;
            }
            for j in new {
                self.enter(j);
            }
        }
    }

    fn coefficients(&self) -> Vec<(usize, f64)> {
        let pairs = self.active.iter().zip(&self.weights);
        pairs.filter(|(_, w)| **w != 0.0).map(|(&j, w)| (j, w * self.scale)).collect()
    }

    fn live(&self) -> usize {
        (0..self.x.cols()).filter(|&j| self.x.live(j)).count()
    }
}
