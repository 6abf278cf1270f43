//! The likelihood of the proportional-odds model, its derivatives and its maximum.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::Target;
use crate::error::{Error, Result};
use crate::regression::least_squares::dependent;
use crate::regression::{Columns, Design};

/// Rows summed by one piece of parallel work.
const CHUNK: usize = 4096;
/// Largest change of a linear predictor in a step that ends the steps.
const TOLERANCE: f64 = 1e-9;
const MAX_STEPS: usize = 100;
/// A step that promises less than this, in log-likelihood per unit of weight, ...
const NOTHING: f64 = 1e-8;
/// ... and still moves a linear predictor by more than this, goes on for ever.
const RUNAWAY: f64 = 1e-2;

/// The data. The parameters are the thresholds, then one per column.
pub(super) struct Likelihood<'a> {
    /// Number of thresholds.
    pub cuts: usize,
    /// Place of every row's level among those that occur.
    pub level: Vec<usize>,
    pub weights: Vec<f64>,
    pub x: Design<'a>,
    /// Largest absolute entry of every column.
    largest: Vec<f64>,
}

/// Where the likelihood is largest.
pub(super) struct Maximum {
    pub parameters: Vec<f64>,
    pub log_likelihood: f64,
    /// Minus the matrix of second derivatives.
    pub information: DMatrix<f64>,
    /// Parameters without a limit.
    pub separated: Vec<usize>,
}

/// The log-likelihood with its first derivatives and minus its second ones.
pub(super) struct Sums {
    pub value: f64,
    pub score: DVector<f64>,
    pub information: DMatrix<f64>,
}

/// How a row's two thresholds change with the parameters.
type Ends = [Vec<(usize, f64)>; 2];

impl<'a> Likelihood<'a> {
    pub fn new(
        target: &Target,
        rows: &[usize],
        levels: &[usize],
        columns: &'a Columns,
    ) -> Result<Self> {
        let x = Design::new(columns);
        let place = |&i: &usize| levels.partition_point(|l| *l < target.levels[i]);
        let cuts = levels.len() - 1;
        if rows.len() <= cuts + columns.cols() {
            let message = format!(
                "`{}` rows are too few for `{}` columns and `{}` levels; leave some out",
                rows.len(),
                columns.cols(),
                levels.len()
            );
            return Err(Error::Data(message));
        }
        let weights: Vec<f64> = rows.iter().map(|&i| target.weight(i)).collect();
        x.gram(&weights).cholesky().ok_or_else(dependent)?;
        let largest = x.largest()[1..].to_vec();
        Ok(Self { cuts, level: rows.iter().map(place).collect(), weights, x, largest })
    }

    /// Newton's steps with halving; the likelihood is concave (Pratt 1981, J. Am. Stat. Assoc. 76).
    pub fn maximise(&self) -> Result<Maximum> {
        let total: f64 = self.weights.iter().sum();
        let mut at = self.start();
        let mut sums = self.sums(&at, None);
        for _ in 0..MAX_STEPS {
            let factor = sums.information.clone().cholesky().ok_or_else(separation)?;
            let step = factor.solve(&sums.score);
            let shifts: Vec<f64> =
                step.iter().zip(self.reach()).map(|(s, r)| s.abs() * r).collect();
            let done = shifts.iter().all(|s| *s < TOLERANCE);
            let promise = step.dot(&sums.score) / (total / self.weights.len() as f64);
            if done || promise < NOTHING && shifts.iter().any(|s| *s > RUNAWAY) {
                let separated = (0..shifts.len()).filter(|&j| shifts[j] > RUNAWAY).collect();
                return self.at_maximum(at, sums, separated);
            }
            (at, sums) = self.advance(&at, &sums, &step)?;
        }
        Err(Error::Diverged("the proportional-odds regression does not settle".into()))
    }

    fn at_maximum(&self, at: Vec<f64>, sums: Sums, separated: Vec<usize>) -> Result<Maximum> {
        if separated.first().is_some_and(|j| *j < self.cuts) {
            return Err(separation());
        }
        let information = sums.information;
        Ok(Maximum { parameters: at, log_likelihood: sums.value, information, separated })
    }

    fn advance(&self, at: &[f64], from: &Sums, step: &DVector<f64>) -> Result<(Vec<f64>, Sums)> {
        let mut part = 1.0;
        for _ in 0..40 {
            let next: Vec<f64> = at.iter().zip(step.iter()).map(|(a, s)| a + part * s).collect();
            if next[..self.cuts].is_sorted_by(|a, b| a < b) {
                let sums = self.sums(&next, None);
                if sums.value >= from.value - 1e-13 * from.value.abs() {
                    return Ok((next, sums));
                }
            }
            part *= 0.5;
        }
        Err(Error::Diverged("the proportional-odds regression finds no better fit".into()))
    }

    /// Thresholds at the shares of the levels, no effects.
    fn start(&self) -> Vec<f64> {
        let shares = self.shares();
        let mut below = 0.0;
        let mut threshold = |share: &f64| {
            below += share;
            (below / (1.0 - below)).ln()
        };
        let mut start: Vec<f64> = shares[..self.cuts].iter().map(&mut threshold).collect();
        start.resize(self.cuts + self.largest.len(), 0.0);
        start
    }

    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.cuts + 1];
        self.level.iter().zip(&self.weights).for_each(|(l, w)| shares[*l] += w);
        let total: f64 = shares.iter().sum();
        shares.into_iter().map(|share| share / total).collect()
    }

    /// The log-likelihood without columns.
    pub fn null(&self) -> f64 {
        let shares = self.shares();
        self.level.iter().zip(&self.weights).map(|(l, w)| w * shares[*l].ln()).sum()
    }

    /// How much a parameter can move a linear predictor by 1 of its own.
    fn reach(&self) -> impl Iterator<Item = f64> {
        std::iter::repeat_n(1.0, self.cuts).chain(self.largest.iter().copied())
    }

    /// `x_i' b` for every row.
    pub fn predictors(&self, parameters: &[f64]) -> Vec<f64> {
        let mut coefficients = parameters[self.cuts..].to_vec();
        coefficients.insert(0, 0.0);
        self.x.times(&coefficients)
    }

    /// Sums over all rows. With `free`, that column has a parameter more per threshold but the
    /// first, all 0, behind the others, and only rows where it is not 0 are summed: the others add
    /// nothing to what these parameters are part of. Pieces of fixed size, added in order.
    pub fn sums(&self, parameters: &[f64], free: Option<usize>) -> Sums {
        let size = parameters.len() + free.map_or(0, |_| self.cuts - 1);
        let eta = self.predictors(parameters);
        let zero = || Sums::zero(size);
        let piece = |piece: usize| {
            let (mut sums, mut entries) = (zero(), self.x.entries());
            let rows = eta.iter().enumerate().skip(piece * CHUNK).take(CHUNK);
            for (i, eta) in rows.filter(|(i, _)| free.is_none_or(|j| self.has(*i, j))) {
                self.add(i, entries.row(i), (parameters, *eta), free, &mut sums);
            }
            sums
        };
        let pieces = self.level.len().div_ceil(CHUNK);
        let pieces: Vec<Sums> = (0..pieces).into_par_iter().map(piece).collect();
        let mut sums = zero();
        for piece in pieces {
            sums.value += piece.value;
            sums.score += piece.score;
            sums.information += piece.information;
        }
        sums
    }

    fn has(&self, i: usize, column: usize) -> bool {
        self.x.columns().value(i, column) != 0.0
    }

    fn add(
        &self,
        i: usize,
        row: &[(usize, f64)],
        (parameters, eta): (&[f64], f64),
        free: Option<usize>,
        sums: &mut Sums,
    ) {
        let (w, point) = (self.weights[i], self.point(i, parameters, eta));
        let ends = self.ends(i, row, free);
        sums.value += w * point.log_probability;
        for (end, slope) in ends.iter().zip(point.slopes) {
            for (j, v) in end {
                sums.score[*j] += w * slope * v;
            }
        }
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let bend = w * point.bends[a + b];
            for (j, u) in &ends[a] {
                for (k, v) in &ends[b] {
                    sums.information[(*j, *k)] += bend * u * v;
                }
            }
        }
    }

    /// Hands `take` every row in turn, with the first derivatives of its log-likelihood that are not 0; a
    /// parameter can be there twice, for either end.
    pub fn scores(
        &self,
        parameters: &[f64],
        free: Option<usize>,
        mut take: impl FnMut(usize, &[(usize, f64)]),
    ) {
        let (eta, mut entries, mut score) = (self.predictors(parameters), self.x.entries(), vec![]);
        for (i, eta) in eta.into_iter().enumerate() {
            let (w, point) = (self.weights[i], self.point(i, parameters, eta));
            score.clear();
            for (end, slope) in self.ends(i, entries.row(i), free).iter().zip(point.slopes) {
                score.extend(end.iter().map(|(j, v)| (*j, w * slope * v)));
            }
            take(i, &score);
        }
    }

    fn point(&self, i: usize, parameters: &[f64], eta: f64) -> Point {
        let l = self.level[i];
        let upper = (l < self.cuts).then(|| parameters[l] - eta);
        let lower = l.checked_sub(1).map(|below| parameters[below] - eta);
        Point::at(lower, upper)
    }

    /// Lower and upper threshold of row `i`, as changes by parameter; none at either end.
    fn ends(&self, i: usize, row: &[(usize, f64)], free: Option<usize>) -> Ends {
        let l = self.level[i];
        let columns = || row.iter().filter(|(j, _)| *j > 0);
        let end = |cut: usize| {
            let mut end = vec![(cut, 1.0)];
            end.extend(columns().map(|(j, v)| (self.cuts + j - 1, -v)));
            if let (Some(free), true) = (free, cut > 0) {
                let behind = self.cuts + self.largest.len() + cut - 1;
                end.extend(columns().filter(|(j, _)| j - 1 == free).map(|(_, v)| (behind, -v)));
            }
            end
        };
        let upper = if l < self.cuts { end(l) } else { vec![] };
        [l.checked_sub(1).map_or(vec![], end), upper]
    }
}

impl Sums {
    fn zero(size: usize) -> Self {
        Self { value: 0.0, score: DVector::zeros(size), information: DMatrix::zeros(size, size) }
    }
}

/// The log-probability of lying between two thresholds, `F(u) - F(l)`, and its derivatives.
///
/// ```text
/// ln P = ln F(u) + ln F(-l) + ln (1 - e^(l-u)),   r = 1 / (e^(u-l) - 1)
/// d/du = F(-u) + r,   d/dl = -F(l) - r
/// -d2/du2 = F(u) F(-u) + r (1 + r),   -d2/dl2 = F(l) F(-l) + r (1 + r),   -d2/dudl = -r (1 + r)
/// ```
///
/// All without cancellation, however far the thresholds are from 0. An end that is missing lies
/// at infinity.
struct Point {
    log_probability: f64,
    /// By the lower and by the upper threshold.
    slopes: [f64; 2],
    /// Minus the second derivatives: lower twice, both, upper twice.
    bends: [f64; 3],
}

impl Point {
    fn at(lower: Option<f64>, upper: Option<f64>) -> Self {
        let gap = lower.zip(upper).map(|(l, u)| u - l);
        let r = gap.map_or(0.0, |gap| 1.0 / gap.exp_m1());
        let curve = r * (1.0 + r);
        let inside = gap.map_or(0.0, |gap| (-(-gap).exp_m1()).ln());
        let log_probability =
            upper.map_or(0.0, log_logistic) + lower.map_or(0.0, |l| log_logistic(-l)) + inside;
        let (low, high) = (lower.map_or(0.0, logistic), upper.map_or(0.0, |u| logistic(-u)));
        let slopes = [lower.map_or(0.0, |_| -low - r), upper.map_or(0.0, |_| high + r)];
        let bends = [
            lower.map_or(0.0, |_| low * (1.0 - low) + curve),
            -curve,
            upper.map_or(0.0, |_| high * (1.0 - high) + curve),
        ];
        Self { log_probability, slopes, bends }
    }
}

/// `1 / (1 + e^-t)` without overflow.
pub(super) fn logistic(t: f64) -> f64 {
    if t > 0.0 { 1.0 / (1.0 + (-t).exp()) } else { t.exp() / (1.0 + t.exp()) }
}

/// Its logarithm.
fn log_logistic(t: f64) -> f64 {
    t.min(0.0) - (-t.abs()).exp().ln_1p()
}

fn separation() -> Error {
    Error::Data(
        "the columns separate the levels of the target completely; leave some columns out, or \
         treat the target as continuous"
            .into(),
    )
}
