//! Several classes: the symmetric softmax, one logistic problem per class in turn.
//!
//! With the other classes held, the loss by one class's linear predictor is a logistic loss whose
//! offset is minus the logarithm of the others' summed exponentials, exactly. Blocks of
//! coordinates in turn reach the minimum, since the penalty adds up over them (Tseng 2001).

use rayon::prelude::*;

use super::glm::{Family, Glm, Layout};
use super::path::{NOISE, Problem};
use crate::error::{Error, Result};

/// Largest change of a coefficient in a round over the classes that ends the rounds: they close in
/// on the solution by a factor, so that it lies well below the error allowed.
const TOLERANCE: f64 = 1e-8;
const TOLERANCE_ROW: f64 = 1e-6;
const MAX_ROUNDS: usize = 2000;

pub(super) struct Classes<'a> {
    blocks: Vec<Glm<'a>>,
    /// Whether a row can be of a class at all: not if its level of a factor never is.
    possible: Vec<Vec<bool>>,
    base: Vec<f64>,
    lambda_max: f64,
    live: usize,
}

impl<'a> Classes<'a> {
    /// `classes`: the class of every row, in the caller's order.
    pub fn new(data: &'a Layout<'a>, classes: &[u32], n_classes: usize) -> Result<Self> {
        let target =
            |c: u32| -> Vec<f64> { classes.iter().map(|k| f64::from(u8::from(*k == c))).collect() };
        let targets: Vec<Vec<f64>> =
            (0..n_classes).map(|c| target(u32::try_from(c).expect("few classes"))).collect();
        let blocks: Vec<Glm> =
            targets.iter().map(|y| Glm::open(data, Family::Binomial, y)).collect();
        let possible = targets.iter().map(|y| possible(data, &data.ordered(y))).collect();
        let (base, live) = (data.offset.clone(), data.x.n_live());
        let mut all = Self { blocks, possible, base, lambda_max: 0.0, live };
        if !all.settle(0.0) {
            let why = "the controls alone settle the class of some rows, so that no fit exists: \
                       leave out the control that does, or merge its values";
            return Err(Error::Data(why.into()));
        }
        let top = all.slopes().iter().flatten().fold(0.0, |top: f64, s| top.max(s.abs()));
        all.lambda_max = if top > NOISE { top } else { 0.0 };
        Ok(all)
    }

    /// Starts from these neurons, with a coefficient per class.
    pub fn start(&mut self, coefficients: &[(usize, Vec<f64>)]) {
        for (c, block) in self.blocks.iter_mut().enumerate() {
            let pairs = coefficients.iter().map(|(j, b)| (*j, b[c])).filter(|(_, b)| *b != 0.0);
            block.start(&pairs.collect::<Vec<_>>());
        }
    }

    /// Rounds over the classes until they stand still; whether they do.
    fn settle(&mut self, lambda: f64) -> bool {
        (0..MAX_ROUNDS).any(|_| {
            let mut still = true;
            for c in 0..self.blocks.len() {
                self.renew(c);
                let moved = self.blocks[c].advance(lambda);
                still &= moved.coefficient < TOLERANCE && moved.predictor < TOLERANCE_ROW;
            }
            still
        })
    }

    /// Sets the offset of class `c` by the other classes.
    fn renew(&mut self, c: usize) {
        let others = |i: usize| {
            let of = |k: &usize| *k != c && self.possible[*k][i];
            let etas = || (0..self.blocks.len()).filter(of).map(|k| self.blocks[k].eta[i]);
            let top = etas().fold(f64::NEG_INFINITY, f64::max);
            // Where no other class is possible the row has no weight in this block.
            if top.is_finite() {
                top + etas().map(|e| (e - top).exp()).sum::<f64>().ln()
            } else {
                0.0
            }
        };
        let offset =
            (0..self.base.len()).into_par_iter().map(|i| self.base[i] - others(i)).collect();
        self.blocks[c].offset = offset;
        self.blocks[c].refresh();
    }

    fn slopes(&mut self) -> Vec<Vec<f64>> {
        (0..self.blocks.len()).for_each(|c| self.renew(c));
        self.blocks.iter().map(Glm::slopes).collect()
    }

    /// Neurons that any class has, by rising index, with a coefficient per class.
    pub fn coefficients(&self) -> Vec<(usize, Vec<f64>)> {
        let mut all = std::collections::BTreeMap::new();
        for (c, block) in self.blocks.iter().enumerate() {
            for (j, w) in block.pairs() {
                all.entry(j).or_insert_with(|| vec![0.0; self.blocks.len()])[c] = w;
            }
        }
        all.into_iter().collect()
    }
}

impl Problem for Classes<'_> {
    fn lambda_max(&self) -> f64 {
        self.lambda_max
    }

    fn solve(&mut self, lambda: f64) {
        loop {
            self.settle(lambda);
            let slopes = self.slopes();
            let mut done = true;
            for (block, slopes) in self.blocks.iter_mut().zip(&slopes) {
                let new = block.entering(slopes, lambda);
                done &= new.is_empty();
                if !new.is_empty() {
                    block.enter(new);
                }
            }
            if done {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        self.coefficients().len()
    }

    fn live(&self) -> usize {
        self.live
    }
}

/// Whether the level of every row holds any row of the class at all.
fn possible(data: &Layout, y: &[f64]) -> Vec<bool> {
    let mut possible = vec![true; y.len()];
    for range in data.ranges() {
        let any = range.clone().any(|i| data.weights[i] * y[i] > 0.0);
        possible[range].fill(any);
    }
    possible
}
