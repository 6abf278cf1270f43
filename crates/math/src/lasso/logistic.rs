//! The logistic loss: proximal Newton steps on the columns that have entered.

use rayon::prelude::*;

use super::descent::minimise;
use super::local::Local;
use super::path::{Problem, entering};
use super::standard::Standard;

/// Largest change of a coefficient in a Newton step that ends the steps: the error left is of the
/// order of its square.
const TOLERANCE: f64 = 1e-5;
/// Newton steps for one set of columns, and halvings of one step; both far above what is needed.
const MAX_STEPS: usize = 100;
const MAX_HALVINGS: usize = 40;
/// Error of a sum over the rows, relative to it: a rise of the objective below it is none.
const ROUNDING: f64 = 1e-12;

pub(super) struct Logistic<'a> {
    x: &'a Standard,
    y: &'a [f64],
    /// Linear predictor of every row, and the loss there.
    eta: Vec<f64>,
    local: Local,
    active: Vec<usize>,
    weights: Vec<f64>,
    lambda_max: f64,
}

/// A step: what it adds to the intercept (of the standardised columns) and to the weights.
struct Step {
    intercept: f64,
    weights: Vec<f64>,
}

impl<'a> Logistic<'a> {
    /// `y` holds 0 and 1, both of them.
    pub fn new(x: &'a Standard, y: &'a [f64]) -> Self {
        let share = y.iter().sum::<f64>() / y.len() as f64;
        let eta = vec![(share / (1.0 - share)).ln(); y.len()];
        let local = Local::at(&eta, y);
        let (active, weights) = (vec![], vec![]);
        let mut start = Self { x, y, eta, local, active, weights, lambda_max: 0.0 };
        start.lambda_max = start.slopes().iter().fold(0.0, |top: f64, s| top.max(s.abs()));
        start
    }

    /// The gradient of the loss, with its sign turned, for every column; 0 for those left out.
    fn slopes(&self) -> Vec<f64> {
        let (x, local) = (self.x, &self.local);
        let slope = |j| {
            if x.live(j) {
                -x.dot(j, &local.residuals, local.residual) / x.rows as f64
            } else {
                0.0
            }
        };
        (0..x.cols()).into_par_iter().map(slope).collect()
    }

    /// Newton steps on the active columns until they stand still.
    fn settle(&mut self, lambda: f64) {
        for _ in 0..MAX_STEPS {
            let step = self.newton(lambda);
            let largest = step.weights.iter().fold(step.intercept.abs(), |a, d| a.max(d.abs()));
            if !self.advance(&step, lambda) || largest < TOLERANCE {
                return;
            }
        }
    }

    /// The step to the minimum of the quadratic model of the loss plus the penalty.
    ///
    /// The intercept is eliminated: columns are centred by their weighted means.
    fn newton(&self, lambda: f64) -> Step {
        let (x, local, k) = (self.x, &self.local, self.active.len());
        let pull = |&j: &usize| x.dot(j, &local.variances, local.variance);
        let pulls: Vec<f64> = self.active.par_iter().map(pull).collect();
        let h = self.curvature(&pulls);
        let slope = |(a, &j): (usize, &usize)| {
            let excess = local.residual * pulls[a] / local.variance;
            (excess - x.dot(j, &local.residuals, local.residual)) / x.rows as f64
        };
        let mut b: Vec<f64> = self.active.par_iter().enumerate().map(slope).collect();
        // The penalty acts on the weights themselves, not on their change.
        for (a, b) in b.iter_mut().enumerate() {
            *b += (0..k).map(|c| h[a * k + c] * self.weights[c]).sum::<f64>();
        }
        let mut weights = self.weights.clone();
        minimise(&h, &b, lambda, &mut weights);
        weights.iter_mut().zip(&self.weights).for_each(|(new, old)| *new -= old);
        let drift: f64 = weights.iter().zip(&pulls).map(|(d, pull)| d * pull).sum();
        Step { intercept: -(local.residual + drift) / local.variance, weights }
    }

    /// Second derivatives by the active weights, k x k; `pulls` are their weighted sums.
    fn curvature(&self, pulls: &[f64]) -> Vec<f64> {
        let (x, local, k) = (self.x, &self.local, self.active.len());
        let row = |(a, &j): (usize, &usize)| -> Vec<f64> {
            let offset = x.mean(j) / x.sd(j);
            let mut weighted: Vec<f64> = local.variances.iter().map(|v| -v * offset).collect();
            for (i, v) in x.entries(j) {
                weighted[i] += local.variances[i] * v / x.sd(j);
            }
            let cross = |(b, &c): (usize, &usize)| {
                let excess = pulls[a] * pulls[b] / local.variance;
                (x.dot(c, &weighted, pulls[a]) - excess) / x.rows as f64
            };
            self.active.iter().enumerate().skip(a).map(cross).collect()
        };
        let upper: Vec<Vec<f64>> = self.active.par_iter().enumerate().map(row).collect();
        let entry = |a: usize, b: usize| upper[a.min(b)][a.abs_diff(b)];
        (0..k * k).map(|at| entry(at / k, at % k)).collect()
    }

    /// Takes as much of the step as makes the objective smaller; whether it took any.
    fn advance(&mut self, step: &Step, lambda: f64) -> bool {
        let penalty =
            |w: &[f64]| lambda * self.x.rows as f64 * w.iter().map(|w| w.abs()).sum::<f64>();
        let shift = self.shift(step);
        let before = self.local.loss + penalty(&self.weights);
        let mut share = 1.0;
        for _ in 0..MAX_HALVINGS {
            let eta = along(&self.eta, &shift, share);
            let weights = along(&self.weights, &step.weights, share);
            let local = Local::at(&eta, self.y);
            if local.loss + penalty(&weights) <= before * (1.0 + ROUNDING) {
                (self.eta, self.weights, self.local) = (eta, weights, local);
                return true;
            }
            share *= 0.5;
        }
        false
    }

    /// What a whole step adds to the linear predictor of every row.
    fn shift(&self, step: &Step) -> Vec<f64> {
        let raw = || self.active.iter().zip(&step.weights).map(|(&j, d)| (j, d / self.x.sd(j)));
        let common = step.intercept - raw().map(|(j, d)| d * self.x.mean(j)).sum::<f64>();
        let mut shift = vec![common; self.x.rows];
        for (j, d) in raw().filter(|(_, d)| *d != 0.0) {
            self.x.entries(j).for_each(|(i, v)| shift[i] += d * v);
        }
        shift
    }
}

fn along(from: &[f64], step: &[f64], share: f64) -> Vec<f64> {
    from.iter().zip(step).map(|(v, d)| v + share * d).collect()
}

impl Problem for Logistic<'_> {
    fn lambda_max(&self) -> f64 {
        self.lambda_max
    }

    fn solve(&mut self, lambda: f64) {
        loop {
            self.settle(lambda);
            let new = entering(&self.slopes(), lambda, &self.active);
            if new.is_empty() {
                return;
            }
            self.active.extend(new);
            self.weights.resize(self.active.len(), 0.0);
        }
    }

    fn coefficients(&self) -> Vec<(usize, f64)> {
        let pairs = self.active.iter().zip(&self.weights);
        pairs.filter(|(_, w)| **w != 0.0).map(|(&j, &w)| (j, w)).collect()
    }

    fn live(&self) -> usize {
        (0..self.x.cols()).filter(|&j| self.x.live(j)).count()
    }
}
