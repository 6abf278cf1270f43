//! The moments, their solution and its covariance.

use nalgebra::{DMatrix, DVector};

use super::{Annotated, Link, Sampling, inverse};
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level};
use crate::numbered::numbered;

const MAX_STEPS: usize = 100;
/// Change of a coefficient, times its column's largest entry, that ends the steps.
const TOLERANCE: f64 = 1e-10;

/// What goes into the moments.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parts {
    /// The machine's annotations, as if they were right.
    Machine,
    /// Both, the machine's with this weight.
    Both(f64),
}

/// The data as rows: the intercept if there is one, the concepts, the controls.
pub(super) struct Moments<'a> {
    link: Link,
    y: &'a [f64],
    weights: Vec<f64>,
    offset: Vec<f64>,
    intercept: bool,
    machine: Vec<Vec<f64>>,
    /// With the human's answers; empty where there are none.
    human: Vec<Vec<f64>>,
    /// `R_i / pi_i`.
    inverse_chances: Vec<f64>,
    fixed_size: bool,
    concepts: usize,
    clustered: bool,
    /// Number of every row's cluster, and of clusters.
    cluster: Vec<usize>,
    clusters: usize,
    /// Largest absolute entry of every column.
    largest: Vec<f64>,
}

impl<'a> Moments<'a> {
    pub fn new(link: Link, data: &'a Annotated) -> Result<Self> {
        data.check(link)?;
        let gold = data.gold();
        let n = data.y.len();
        let machine: Vec<Vec<f64>> = (0..n).map(|i| row(data, |j| data.machine[j][i], i)).collect();
        let answer = |i: usize, j: usize| data.human[j][i].unwrap_or(0.0);
        let human: Vec<Vec<f64>> =
            (0..n).map(|i| if gold[i] { row(data, |j| answer(i, j), i) } else { vec![] }).collect();
        let top = |column: &Vec<f64>| column.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
        let ones = vec![1.0; data.machine.len() + usize::from(data.intercept)];
        let largest = ones.into_iter().chain(data.controls.iter().map(top)).collect();
        let given = |values: Option<&[f64]>, or| values.map_or(vec![or; n], <[f64]>::to_vec);
        let (cluster, clusters) = match data.cluster {
            None => ((0..n).collect(), n),
            Some(labels) => numbered(labels.iter().copied()),
        };
        let inverse_chances = data.inverse_chances(&gold);
        let fixed_size = matches!(data.sampling, Sampling::Random);
        let concepts = data.machine.len();
        let y = data.y;
        Ok(Self {
            link,
            y,
            weights: given(data.weights, 1.0),
            offset: given(data.offset, 0.0),
            intercept: data.intercept,
            machine,
            human,
            inverse_chances,
            fixed_size,
            concepts,
            clustered: data.cluster.is_some(),
            cluster,
            clusters,
            largest,
        })
    }

    /// Texts that the human annotated.
    pub fn gold(&self) -> usize {
        self.human.iter().filter(|row| !row.is_empty()).count()
    }

    /// The mean of the target, and no effects.
    pub fn start(&self) -> Vec<f64> {
        let mut start = vec![0.0; self.largest.len()];
        if !self.intercept {
            return start;
        }
        let total = |of: &[f64]| of.iter().zip(&self.weights).map(|(v, w)| v * w).sum::<f64>();
        let mean = total(self.y) / self.weights.iter().sum::<f64>();
        start[0] = match self.link {
            Link::Identity => mean,
            Link::Logit => (mean / (1.0 - mean)).ln().clamp(-10.0, 10.0),
            Link::Log => {
                let exposure: Vec<f64> = self.offset.iter().map(|o| o.exp()).collect();
                (total(self.y) / total(&exposure)).max(1e-10).ln()
            }
        };
        start
    }

    /// Newton's steps from `start`, halved while the moments grow.
    pub fn solve(&self, parts: Parts, start: &[f64]) -> Result<Vec<f64>> {
        let mut at = start.to_vec();
        for _ in 0..MAX_STEPS {
            let (moment, slope) = self.sums(parts, &at);
            let back = inverse(&slope)?;
            let step = &back * &moment;
            let shift = step.iter().zip(&self.largest).map(|(s, l)| s.abs() * l);
            let settled = shift.fold(0.0, f64::max) <= TOLERANCE * (1.0 + size(&at));
            let next = self.halved(parts, &at, &step, &back);
            match next {
                Some(next) => at = next,
                None if settled => return Ok(at),
                None => break,
            }
            if settled {
                return Ok(at);
            }
        }
        Err(Error::Diverged(
            "the corrected regression finds no solution; the concepts may separate the target, or \
             too few texts are annotated by hand"
                .into(),
        ))
    }

    /// The longest of the halved steps that brings the moments, in units of the coefficients,
    /// closer to 0.
    fn halved(
        &self,
        parts: Parts,
        at: &[f64],
        step: &DVector<f64>,
        back: &DMatrix<f64>,
    ) -> Option<Vec<f64>> {
        let mut part = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = at.iter().zip(step.iter()).map(|(a, s)| a + part * s).collect();
            let left = (back * self.sums(parts, &next).0).norm();
            if left.is_finite() && left < (1.0 - 1e-4 * part) * step.norm() {
                return Some(next);
            }
            part *= 0.5;
        }
        None
    }

    /// Sum of the moments, and minus its derivative.
    fn sums(&self, parts: Parts, at: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let p = self.largest.len();
        let (mut moment, mut slope) = (DVector::zeros(p), DMatrix::zeros(p, p));
        let mut add = |i: usize, x: &[f64], weight: f64| {
            if weight == 0.0 {
                return;
            }
            let (mean, bend) = self.mean(i, x, at);
            for (j, u) in x.iter().enumerate().filter(|(_, u)| **u != 0.0) {
                moment[j] += weight * u * (self.y[i] - mean);
                x.iter().enumerate().for_each(|(k, v)| slope[(j, k)] += weight * bend * u * v);
            }
        };
        for i in 0..self.y.len() {
            let (machine, human) = self.shares(parts, i);
            add(i, &self.machine[i], self.weights[i] * machine);
            add(i, &self.human[i], self.weights[i] * human);
        }
        (moment, slope)
    }

    /// How much the moments of row `i` count, at the machine's and at the human's annotations.
    fn shares(&self, parts: Parts, i: usize) -> (f64, f64) {
        match parts {
            Parts::Machine => (1.0, 0.0),
            Parts::Both(l) => (l * (1.0 - self.inverse_chances[i]), self.inverse_chances[i]),
        }
    }

    /// Mean of the target of row `i` if its columns were `x`, and its derivative by the linear
    /// predictor.
    fn mean(&self, i: usize, x: &[f64], at: &[f64]) -> (f64, f64) {
        let eta = x.iter().zip(at).map(|(x, b)| x * b).sum::<f64>() + self.offset[i];
        match self.link {
            Link::Identity => (eta, 1.0),
            Link::Logit => {
                let mean = 1.0 / (1.0 + (-eta).exp());
                (mean, mean * (1.0 - mean))
            }
            Link::Log => (eta.exp(), eta.exp()),
        }
    }

    fn moment(&self, i: usize, x: &[f64], at: &[f64]) -> DVector<f64> {
        let residual = self.weights[i] * (self.y[i] - self.mean(i, x, at).0);
        DVector::from_iterator(x.len(), x.iter().map(|x| x * residual))
    }

    /// The weight of least variance. With `g` the human's part of a row and `d` what a weight of 1
    /// adds to it, both as influences on the coefficients, it is `-sum g d / sum d d` over the
    /// concepts.
    pub fn best_weight(&self, at: &[f64]) -> Result<f64> {
        let back = inverse(&self.sums(Parts::Both(1.0), at).1)?;
        let without = self.influences(0.0, at, &back, 1.0);
        let with = self.influences(1.0, at, &back, 1.0);
        let (mut cross, mut own) = (0.0, 0.0);
        for (without, with) in without.iter().zip(&with) {
            let first = usize::from(self.intercept);
            for j in first..first + self.concepts {
                let added = with[j] - without[j];
                cross += without[j] * added;
                own += added * added;
            }
        }
        Ok(if own > 0.0 { (-cross / own).clamp(0.0, 1.0) } else { 1.0 })
    }

    /// Influence of every cluster with weight `l`: `H^-1 u_g`, the human's part of `u` scaled.
    fn influences(&self, l: f64, at: &[f64], back: &DMatrix<f64>, scale: f64) -> Vec<DVector<f64>> {
        let p = at.len();
        let differences: Vec<Option<DVector<f64>>> = (0..self.y.len())
            .map(|i| (!self.human[i].is_empty()).then(|| self.difference(i, l, at)))
            .collect();
        let sum: DVector<f64> =
            differences.iter().flatten().fold(DVector::zeros(p), |sum, d| sum + d);
        let centre = if self.fixed_size { sum / self.gold() as f64 } else { DVector::zeros(p) };
        let mut sums = vec![DVector::zeros(p); self.clusters];
        for (i, difference) in differences.iter().enumerate() {
            let sum: &mut DVector<f64> = &mut sums[self.cluster[i]];
            sum.axpy(l, &self.moment(i, &self.machine[i], at), 1.0);
            if let Some(d) = difference {
                sum.axpy(scale * self.inverse_chances[i], &(d - &centre), 1.0);
            }
            *sum += &centre;
        }
        sums.iter().map(|sum| back * sum).collect()
    }

    /// `m(x_i) - l m(x^_i)`.
    fn difference(&self, i: usize, l: f64, at: &[f64]) -> DVector<f64> {
        self.moment(i, &self.human[i], at) - self.moment(i, &self.machine[i], at) * l
    }

    /// The coefficients with tests and intervals.
    pub fn judge(&self, parts: Parts, at: &[f64], level: Level) -> Result<Vec<Estimate>> {
        let p = at.len();
        let back = inverse(&self.sums(parts, at).1)?;
        let groups = self.clusters as f64;
        let (influences, df) = match parts {
            Parts::Machine => (self.naive_influences(at, &back), self.freedom(groups, p)),
            Parts::Both(l) => {
                let k = self.gold_clusters() as f64;
                let df = self.freedom(k, p);
                (self.influences(l, at, &back, (k / df).sqrt()), df)
            }
        };
        if df <= 0.0 {
            let message = "too few clusters, or texts annotated by hand, for a standard error";
            return Err(Error::Data(message.into()));
        }
        let variance = |j: usize| influences.iter().map(|u| u[j] * u[j]).sum::<f64>();
        let error = |j: usize| (variance(j) * groups / (groups - 1.0)).sqrt();
        Ok((0..p).map(|j| Estimate::student(at[j], error(j), df, level)).collect())
    }

    /// Degrees of freedom of k rows or clusters.
    fn freedom(&self, k: f64, p: usize) -> f64 {
        if self.clustered { k - 1.0 } else { k - p as f64 }
    }

    fn naive_influences(&self, at: &[f64], back: &DMatrix<f64>) -> Vec<DVector<f64>> {
        let mut sums = vec![DVector::zeros(at.len()); self.clusters];
        for i in 0..self.y.len() {
            sums[self.cluster[i]] += self.moment(i, &self.machine[i], at);
        }
        sums.iter().map(|sum| back * sum).collect()
    }

    /// Clusters with texts that the human annotated.
    fn gold_clusters(&self) -> usize {
        let mut seen = vec![false; self.clusters];
        let gold = self.human.iter().zip(&self.cluster).filter(|(row, _)| !row.is_empty());
        gold.for_each(|(_, c)| seen[*c] = true);
        seen.iter().filter(|s| **s).count()
    }
}

/// The intercept, the concepts as `concept` has them, the controls.
fn row(data: &Annotated, concept: impl Fn(usize) -> f64, i: usize) -> Vec<f64> {
    let concepts = (0..data.machine.len()).map(concept);
    let intercept = data.intercept.then_some(1.0);
    intercept.into_iter().chain(concepts).chain(data.controls.iter().map(|c| c[i])).collect()
}

fn size(at: &[f64]) -> f64 {
    at.iter().fold(0.0, |a: f64, v| a.max(v.abs()))
}
