//! Losses that are not quadratic: proximal Newton steps on the columns that have entered.
//!
//! `family` (the losses), `layout` (rows, controls), `entries` (the columns of a step), `local`
//! (value, slopes and curvatures), `system` (the step). One factor is absorbed: its levels are
//! eliminated from every step, an intercept being a factor of one level.

mod entries;
mod family;
mod layout;
mod local;
mod system;

use rayon::prelude::*;

use super::path::{NOISE, Problem, entering};
use crate::error::{Error, Result};
use entries::Entries;
pub(super) use family::Family;
pub(super) use layout::Layout;
use local::{Local, Rows};

/// Largest change of a coefficient and of a linear predictor in a Newton step that ends the steps:
/// the error left is of the order of their squares.
const TOLERANCE: f64 = 1e-5;
const TOLERANCE_ROW: f64 = 1e-4;
/// Newton steps for one set of columns, and halvings of one step; both far above what is needed.
const MAX_STEPS: usize = 100;
const MAX_HALVINGS: usize = 40;
/// Error of a sum over the rows, relative to it: a rise of the objective below it is none.
const ROUNDING: f64 = 1e-12;
/// Rows that a thread takes at a time.
const CHUNK: usize = 8192;

pub(super) struct Glm<'a> {
    data: &'a Layout<'a>,
    family: Family,
    y: Vec<f64>,
    /// Row weights of the loss; 0 where a level of a factor settles the target.
    weights: Vec<f64>,
    /// Known part of every row's linear predictor, and the rest of it.
    pub offset: Vec<f64>,
    pub eta: Vec<f64>,
    entries: Entries,
    local: Local,
    /// Columns that have entered, and their coefficients.
    active: Vec<usize>,
    pub coefficients: Vec<f64>,
    lambda_max: f64,
    /// The penalty solved last, and every column's slope there.
    last: (f64, Vec<f64>),
}

/// How far a step went: the largest change of a coefficient and of a linear predictor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub coefficient: f64,
    pub predictor: f64,
}

impl Moved {
    const NOWHERE: Self = Self { coefficient: 0.0, predictor: 0.0 };

    fn is_small(self) -> bool {
        self.coefficient < TOLERANCE && self.predictor < TOLERANCE_ROW
    }
}

impl<'a> Glm<'a> {
    /// The fit of intercept and controls alone; `y` in the caller's order.
    ///
    /// # Errors
    /// [`Error::Data`] if they determine the target of every row, or drive a row's mean to its
    /// bounds.
    pub fn new(data: &'a Layout<'a>, family: Family, y: &[f64]) -> Result<Self> {
        let mut glm = Self::open(data, family, y);
        if glm.weights.iter().all(|w| *w == 0.0) || !glm.settle(0.0) {
            let why = "the controls alone settle the target of some rows, so that no fit exists: \
                       leave out the control that does, or merge its values";
            return Err(Error::Data(why.into()));
        }
        glm.mark_top();
        Ok(glm)
    }

    /// The start of the fit of intercept and controls alone.
    pub fn open(data: &'a Layout<'a>, family: Family, y: &[f64]) -> Self {
        let y = data.ordered(y);
        let weights = data.open_weights(family, &y);
        let offset = data.offset.clone();
        let eta = start(data, family, &y, &weights, &offset);
        let entries = Entries::new(data, &[]);
        let (active, coefficients) = (vec![], vec![]);
        let (local, last) = (Local::default(), (0.0, vec![]));
        let mut glm = Self {
            data,
            family,
            y,
            weights,
            offset,
            eta,
            entries,
            local,
            active,
            coefficients,
            lambda_max: 0.0,
            last,
        };
        glm.refresh();
        glm
    }

    /// Notes the largest slope of the present fit as the largest penalty.
    pub fn mark_top(&mut self) {
        let slopes = self.slopes();
        let size = self.local.residuals.iter().map(|r| r.abs()).sum::<f64>() / self.data.x.total;
        let top = largest(&slopes);
        self.lambda_max = if top > NOISE * size { top } else { 0.0 };
        self.last = (self.lambda_max, slopes);
    }

    /// Starts from these columns and coefficients.
    pub fn start(&mut self, coefficients: &[(usize, f64)]) {
        let x = &self.data.x;
        let live: Vec<_> = coefficients.iter().filter(|(j, _)| x.live(*j)).collect();
        for &&(j, b) in &live {
            x.entries(j).for_each(|(i, v)| self.eta[i] += b * v / x.scale(j));
        }
        self.enter(live.iter().map(|c| c.0).collect());
        self.coefficients = live.iter().map(|c| c.1).collect();
    }

    /// Brings columns in with coefficient 0.
    pub fn enter(&mut self, new: Vec<usize>) {
        self.active.extend(new);
        self.coefficients.resize(self.active.len(), 0.0);
        self.entries = Entries::new(self.data, &self.active);
        self.refresh();
    }

    /// Computes the loss anew, as after a change of the offset.
    pub fn refresh(&mut self) {
        self.local = self.at(&self.eta);
    }

    /// The gradient of the loss, with its sign turned, for every column.
    pub fn slopes(&self) -> Vec<f64> {
        let slopes = self.data.x.slopes(&self.data.z, &self.local.residuals);
        slopes.into_iter().map(|s| -s).collect()
    }

    /// Columns whose slopes break the optimality conditions.
    pub fn entering(&self, slopes: &[f64], lambda: f64) -> Vec<usize> {
        entering(slopes.iter().copied().enumerate(), lambda, &self.active)
    }

    /// Neurons and coefficients that are not 0, in order of entry.
    pub fn pairs(&self) -> Vec<(usize, f64)> {
        let pairs = self.active.iter().zip(&self.coefficients);
        pairs.filter(|(_, w)| **w != 0.0).map(|(&j, &w)| (j, w)).collect()
    }

    /// Newton steps on the active columns until they stand still; whether they do.
    fn settle(&mut self, lambda: f64) -> bool {
        (0..MAX_STEPS).any(|_| self.advance(lambda).is_small())
    }

    /// As much of one Newton step as makes the objective smaller.
    pub fn advance(&mut self, lambda: f64) -> Moved {
        let step = self.step(lambda);
        let shift = self.shift(&step);
        let step = &step[self.data.n_free()..];
        let before = self.local.loss + self.penalty(lambda, &self.coefficients);
        let mut share = 1.0;
        for _ in 0..MAX_HALVINGS {
            let eta = along(&self.eta, &shift, share);
            let coefficients = along(&self.coefficients, step, share);
            let local = self.at(&eta);
            let after = local.loss + self.penalty(lambda, &coefficients);
            if after <= before + ROUNDING * before.abs() {
                (self.eta, self.coefficients, self.local) = (eta, coefficients, local);
                return Moved { coefficient: largest(step), predictor: largest(&shift) };
            }
            share *= 0.5;
        }
        Moved::NOWHERE
    }

    fn penalty(&self, lambda: f64, coefficients: &[f64]) -> f64 {
        lambda * self.data.x.total * coefficients.iter().map(|w| w.abs()).sum::<f64>()
    }

    /// The step to the minimum of the quadratic model of the loss plus the penalty.
    fn step(&self, lambda: f64) -> Vec<f64> {
        let total = self.data.x.total;
        let mean = |sums: &[f64]| sums.iter().map(|v| v / total).collect();
        let (h, g) = (mean(&self.local.hessian), mean(&self.local.gradient));
        system::step(h, g, lambda, &self.coefficients)
    }

    /// What a whole step adds to the linear predictor of every row, the absorbed levels following.
    fn shift(&self, step: &[f64]) -> Vec<f64> {
        let (data, local) = (self.data, &self.local);
        let q = data.n_dense;
        let mut shift = vec![0.0; data.rows()];
        shift.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, shift)| {
            for (i, shift) in (chunk * CHUNK..).zip(shift) {
                let dense = data.dense[i * q..(i + 1) * q].iter().zip(step);
                let sparse = self.entries.row(i).iter().map(|(at, v)| v * step[*at as usize]);
                *shift = dense.map(|(v, d)| v * d).sum::<f64>() + sparse.sum::<f64>();
            }
        });
        for range in data.ranges() {
            let curvature: f64 = local.variances[range.clone()].iter().sum();
            if curvature > 0.0 {
                let rows = range.clone();
                let pull: f64 =
                    rows.map(|i| local.residuals[i] + local.variances[i] * shift[i]).sum();
                shift[range].iter_mut().for_each(|s| *s -= pull / curvature);
            }
        }
        shift
    }

    fn at(&self, eta: &[f64]) -> Local {
        let rows = Rows {
            data: self.data,
            entries: &self.entries,
            family: self.family,
            y: &self.y,
            weights: &self.weights,
            k: self.data.n_free() + self.active.len(),
        };
        rows.local(&along(eta, &self.offset, 1.0))
    }

    /// Columns that the sequential strong rule does not rule out and whose slopes break the
    /// optimality conditions: Tibshirani et al. (2012), J. R. Stat. Soc. B 74(2).
    fn likely(&self, lambda: f64) -> Vec<usize> {
        let least = 2.0 * lambda - self.last.0;
        let x = &self.data.x;
        let strong = |j: &usize| x.live(*j) && self.last.1[*j].abs() >= least;
        let strong: Vec<usize> = (0..x.cols()).filter(strong).collect();
        let slopes: Vec<f64> =
            strong.par_iter().map(|&j| x.slope(j, &self.local.residuals)).collect();
        entering(strong.into_iter().zip(slopes), lambda, &self.active)
    }
}

impl Problem for Glm<'_> {
    fn lambda_max(&self) -> f64 {
        self.lambda_max
    }

    fn solve(&mut self, lambda: f64) {
        loop {
            self.settle(lambda);
            let mut new = self.likely(lambda);
            if new.is_empty() {
                let slopes = self.slopes();
                new = self.entering(&slopes, lambda);
                self.last = (lambda, slopes);
            }
            if new.is_empty() {
                return;
            }
            self.enter(new);
        }
    }

    fn count(&self) -> usize {
        self.coefficients.iter().filter(|w| **w != 0.0).count()
    }

    fn live(&self) -> usize {
        self.data.x.n_live()
    }
}

/// The predictors of every level's mean, where the offset is taken into account for counts.
fn start(data: &Layout, family: Family, y: &[f64], weights: &[f64], offset: &[f64]) -> Vec<f64> {
    let mut eta = vec![0.0; y.len()];
    for range in data.ranges() {
        let exposure = |i: usize| match family {
            Family::Poisson => offset[i].exp(),
            Family::Binomial => 1.0,
        };
        let sum: f64 = range.clone().map(|i| weights[i] * y[i]).sum();
        let weight: f64 = range.clone().map(|i| weights[i] * exposure(i)).sum();
        if weight > 0.0 && sum > 0.0 {
            eta[range].fill(family.link(sum / weight));
        }
    }
    eta
}

fn along(from: &[f64], step: &[f64], share: f64) -> Vec<f64> {
    from.iter().zip(step).map(|(v, d)| v + share * d).collect()
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |top: f64, v| top.max(v.abs()))
}
