//! The squared loss: coordinate descent on the Gram matrix of the columns that have entered.
//!
//! A column of the Gram matrix is computed when its neuron enters; the rest of the m x m matrix
//! never is. Controls are partialled out of the target and of the columns that enter (Frisch and
//! Waugh 1933), which leaves the penalty as it is.

use rayon::prelude::*;

use super::descent::minimise;
use super::path::{NOISE, Problem, entering};
use super::standard::Standard;
use crate::controls::Projection;
use crate::error::{Error, Result};
use crate::{Activations, Setting};

/// A target of whose spread less than this share is left is a combination of the controls.
const EXPLAINED: f64 = 1e-9;

pub(super) struct Gaussian<'a> {
    z: &'a Activations,
    x: Standard,
    controls: Projection,
    /// Standard deviation of what the controls leave of the target; everything else here is in
    /// units of it.
    scale: f64,
    /// Slope of every standardised column at 0.
    target: Vec<f64>,
    /// Columns that have entered, in order of entry: their index, Gram column and coefficient.
    active: Vec<usize>,
    gram: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl<'a> Gaussian<'a> {
    /// `y` has at least two values, the offset is taken off.
    pub fn new(z: &'a Activations, y: &[f64], setting: &Setting) -> Result<Self> {
        let x = Standard::new(z, setting);
        let controls = setting.projection(z.rows());
        let plain = Projection::new(controls.weights().to_vec(), &<_>::default(), setting.centred);
        let spread = |p: &Projection, v: &[f64]| (p.squares(v) / p.total()).sqrt();
        let centred = plain.residual(y);
        let left = if controls.is_plain() { centred.clone() } else { controls.residual(&centred) };
        let scale = spread(&controls, &left);
        if scale <= EXPLAINED * spread(&plain, &centred) {
            let why = "the controls determine the target, nothing is left to select by";
            return Err(Error::Data(why.into()));
        }
        let weighted: Vec<f64> =
            left.iter().zip(controls.weights()).map(|(v, w)| w * v / scale).collect();
        let target = x.slopes(z, &weighted);
        let (active, gram, weights) = (vec![], vec![], vec![]);
        Ok(Self { z, x, controls, scale, target, active, gram, weights })
    }

    /// Starts from these columns and coefficients, in the unit of the target.
    pub fn start(&mut self, coefficients: &[(usize, f64)]) {
        let live: Vec<_> = coefficients.iter().filter(|(j, _)| self.x.live(*j)).collect();
        self.enter(&live.iter().map(|c| c.0).collect::<Vec<_>>());
        self.weights = live.iter().map(|c| c.1 / self.scale).collect();
    }

    /// Brings columns in with coefficient 0.
    fn enter(&mut self, new: &[usize]) {
        let plain = self.controls.is_plain();
        let column = |&j: &usize| if plain { self.plain_column(j) } else { self.gram_column(j) };
        let columns: Vec<Vec<f64>> = new.par_iter().map(column).collect();
        self.gram.extend(columns);
        self.active.extend(new);
        self.weights.resize(self.active.len(), 0.0);
    }

    /// Products of column `j` with every column, from the rows on which `j` fires alone.
    fn plain_column(&self, j: usize) -> Vec<f64> {
        let (x, w) = (&self.x, self.controls.weights());
        let mut products = vec![0.0; x.cols()];
        for (i, v) in x.entries(j) {
            let v = v * w[i];
            for (k, u) in self.z.pairs(i) {
                products[k] += v * f64::from(u);
            }
        }
        for (k, product) in products.iter_mut().enumerate() {
            *product = if x.live(k) {
                (*product / x.total - x.mean(j) * x.mean(k)) / (x.scale(j) * x.scale(k))
            } else {
                0.0
            };
        }
        products
    }

    /// Products of what the controls leave of column `j` with every column.
    fn gram_column(&self, j: usize) -> Vec<f64> {
        let mut column = vec![0.0; self.x.rows];
        self.x.entries(j).for_each(|(i, v)| column[i] = v / self.x.scale(j));
        let mut left = self.controls.residual(&column);
        left.iter_mut().zip(self.controls.weights()).for_each(|(v, w)| *v *= w);
        self.x.slopes(self.z, &left)
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

    /// Neurons and coefficients that are not 0, in order of entry.
    pub fn coefficients(&self) -> Vec<(usize, f64)> {
        let pairs = self.active.iter().zip(&self.weights);
        pairs.filter(|(_, w)| **w != 0.0).map(|(&j, w)| (j, w * self.scale)).collect()
    }
}

impl Problem for Gaussian<'_> {
    fn lambda_max(&self) -> f64 {
        let top = self.target.iter().fold(0.0, |top: f64, t| top.max(t.abs()));
        if top > NOISE { self.scale * top } else { 0.0 }
    }

    fn solve(&mut self, lambda: f64) {
        let lambda = lambda / self.scale;
        loop {
            let pick = |column: &Vec<f64>| -> Vec<f64> {
                self.active.iter().map(|&j| column[j]).collect()
            };
            let h: Vec<f64> = self.gram.iter().flat_map(pick).collect();
            minimise(&h, &pick(&self.target), lambda, &mut self.weights);
            let new = entering(self.slopes().into_iter().enumerate(), lambda, &self.active);
            if new.is_empty() {
                return;
            }
            self.enter(&new);
        }
    }

    fn count(&self) -> usize {
        self.weights.iter().filter(|w| **w != 0.0).count()
    }

    fn live(&self) -> usize {
        self.x.n_live()
    }
}
