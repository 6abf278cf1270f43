//! Factors of many levels, taken out of columns instead of being expanded into them.
//!
//! In go factors (a level per row), weights and columns; out come the columns minus what the levels
//! explain of them, and how many coefficients that took.

use rayon::prelude::*;

use crate::error::{Error, Result};

/// Largest mean of a level that is taken for 0, relative to the column's spread.
const TOLERANCE: f64 = 1e-12;
const MAX_SWEEPS: usize = 20_000;

/// A factor: rows in levels `0..levels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub level: Vec<u32>,
    pub levels: usize,
}

impl Factor {
    /// From any numbers, equal ones for one level; levels are counted by rising number.
    #[must_use]
    pub fn new(codes: &[u32]) -> Self {
        let mut known = codes.to_vec();
        known.sort_unstable();
        known.dedup();
        let place = |code: &u32| {
            let place = known.partition_point(|k| k < code);
            u32::try_from(place).expect("no more levels than codes")
        };
        Self { level: codes.par_iter().map(place).collect(), levels: known.len() }
    }

    /// The sum of `values` in every level, in row order.
    #[must_use]
    pub fn sums(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.levels];
        self.level.iter().zip(values).for_each(|(level, v)| sums[*level as usize] += v);
        sums
    }

    /// Whether every level lies in one level of `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut home = vec![None; self.levels];
        self.level
            .iter()
            .zip(&other.level)
            .all(|(level, of)| home[*level as usize].get_or_insert(*of) == of)
    }
}

/// Takes factors out of columns, with weights.
#[derive(Debug)]
pub struct Absorber<'a> {
    factors: &'a [Factor],
    weights: &'a [f64],
    totals: Vec<Vec<f64>>,
}

impl<'a> Absorber<'a> {
    #[must_use]
    pub fn new(factors: &'a [Factor], weights: &'a [f64]) -> Self {
        let totals = factors.iter().map(|f| f.sums(weights.iter().copied())).collect();
        Self { factors, weights, totals }
    }

    /// Total weight of every level of the first factor.
    #[must_use]
    pub fn first_totals(&self) -> &[f64] {
        &self.totals[0]
    }

    /// The columns minus their weighted projections on the levels.
    ///
    /// One factor: minus the level's mean, exactly. Several: one after the other until nothing
    /// changes (alternating projections). O(n) per factor, column and sweep; columns in parallel.
    ///
    /// Source: Guimaraes and Portugal (2010), Stata J. 10; Correia (2016), `reghdfe`.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the sweeps do not settle.
    pub fn within(&self, columns: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        columns.par_iter().map(|column| self.within_one(column.clone())).collect()
    }

    /// The same for one column.
    ///
    /// # Errors
    /// As [`Self::within`].
    pub fn within_one(&self, mut column: Vec<f64>) -> Result<Vec<f64>> {
        let largest = column.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        for sweep in 0..MAX_SWEEPS {
            let mut change = 0.0_f64;
            for (factor, totals) in self.factors.iter().zip(&self.totals) {
                change = change.max(self.sweep(factor, totals, &mut column));
            }
            // One factor is done at once; the second sweep only mends its rounding.
            if change <= TOLERANCE * largest || (self.factors.len() == 1 && sweep == 1) {
                return Ok(column);
            }
        }
        Err(Error::Diverged(
            "the absorbed factors cannot be told apart; absorb fewer of them".into(),
        ))
    }

    /// Takes one factor out; the largest mean that was taken.
    fn sweep(&self, factor: &Factor, totals: &[f64], column: &mut [f64]) -> f64 {
        let mut means = factor.sums(column.iter().zip(self.weights).map(|(v, w)| v * w));
        for (mean, total) in means.iter_mut().zip(totals) {
            *mean = if *total > 0.0 { *mean / total } else { 0.0 };
        }
        let levels = factor.level.iter();
        column.iter_mut().zip(levels).for_each(|(v, level)| *v -= means[*level as usize]);
        means.iter().fold(0.0, |a, m| a.max(m.abs()))
    }

    /// How many independent columns the levels stand for: all levels, minus one for every further
    /// factor and connected part of it with the first. Exact for one and two factors, at most too
    /// large for more.
    ///
    /// Source: Abowd, Creecy and Kramarz (2002), Computing person and firm effects.
    #[must_use]
    pub fn rank(&self) -> usize {
        let used = |totals: &Vec<f64>| totals.iter().filter(|t| **t > 0.0).count();
        let all: usize = self.totals.iter().map(used).sum();
        let parts = |of: &Factor| connected(&self.factors[0], of, self.weights);
        all - self.factors.iter().skip(1).map(parts).sum::<usize>()
    }
}

/// Connected parts of the levels of two factors, joined by the rows of weight above 0.
fn connected(a: &Factor, b: &Factor, weights: &[f64]) -> usize {
    let mut parent: Vec<usize> = (0..a.levels + b.levels).collect();
    let mut seen = vec![false; parent.len()];
    for ((x, y), _) in a.level.iter().zip(&b.level).zip(weights).filter(|(_, w)| **w > 0.0) {
        let (x, y) = (*x as usize, a.levels + *y as usize);
        (seen[x], seen[y]) = (true, true);
        let (from, to) = (root(&mut parent, x), root(&mut parent, y));
        parent[from.max(to)] = from.min(to);
    }
    (0..parent.len()).filter(|&node| seen[node] && parent[node] == node).count()
}

/// The node that stands for the part that `of` is in.
fn root(parent: &mut [usize], mut of: usize) -> usize {
    while parent[of] != of {
        parent[of] = parent[parent[of]];
        of = parent[of];
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_factor_leaves_differences_from_means() {
        let factors = [Factor::new(&[7, 7, 2, 2])];
        let weights = [1.0, 3.0, 1.0, 1.0];
        let absorber = Absorber::new(&factors, &weights);
        let found = absorber.within_one(vec![0.0, 4.0, 10.0, 20.0]).unwrap();
        assert_eq!(found, [-3.0, 1.0, -5.0, 5.0]);
        assert_eq!(absorber.rank(), 2);
    }

    #[test]
    fn two_factors_leave_nothing_additive() {
        let (a, b) = ([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2, 0, 1]);
        let factors = [Factor::new(&a), Factor::new(&b)];
        let weights = [1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 3.0, 1.0];
        let absorber = Absorber::new(&factors, &weights);
        let additive = a.iter().zip(b).map(|(a, b)| f64::from(a * a) + 0.3 * f64::from(b));
        let found = absorber.within_one(additive.collect()).unwrap();
        assert!(found.iter().all(|v| v.abs() < 1e-10), "{found:?}");
        assert_eq!(absorber.rank(), 5);
    }

    #[test]
    fn parts_that_never_meet_are_counted() {
        let factors = [Factor::new(&[0, 0, 1, 1]), Factor::new(&[0, 1, 2, 3])];
        assert_eq!(Absorber::new(&factors, &[1.0; 4]).rank(), 4);
        assert!(factors[1].is_within(&factors[0]) && !factors[0].is_within(&factors[1]));
    }
}
