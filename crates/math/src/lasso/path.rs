//! The search for a penalty that lets exactly so many neurons in.

use std::cmp::Ordering;

/// Factor between one penalty of the path and the next.
const STEP: f64 = 0.85;
/// The path ends at this share of the largest penalty: what has not entered by then never will.
const END: f64 = 1e-6;
/// A bracket narrower than this, relative to the penalty, is not divided further.
const NARROW: f64 = 1e-10;

/// How far, relative to the penalty, a slope must exceed it for a column to enter: above the error
/// of a solution, so that the twin of a column that is in stays out.
const MARGIN: f64 = 1e-7;
/// Slopes below this, in units of the standardised problem, are rounding.
pub(super) const NOISE: f64 = 1e-12;
/// Slopes nearer than this, relative to the penalty, are equal.
const EQUAL: f64 = 1e-9;

/// A loss that can be solved for one penalty after another, each solution starting from the last.
pub(super) trait Problem {
    /// The smallest penalty that keeps every coefficient at 0.
    fn lambda_max(&self) -> f64;
    /// Moves to the solution for `lambda`.
    fn solve(&mut self, lambda: f64);
    /// How many neurons have a coefficient other than 0.
    fn count(&self) -> usize;
    /// How many neurons may enter at all.
    fn live(&self) -> usize;
}

/// The columns whose slopes break the optimality conditions of a solution without them.
///
/// `slopes`: columns that are not in yet, by rising index. Of several with one slope only the
/// first enters: if they are twins the others need not.
pub(super) fn entering(
    slopes: impl Iterator<Item = (usize, f64)>,
    lambda: f64,
    active: &[usize],
) -> Vec<usize> {
    let mut new: Vec<(usize, f64)> = Vec::new();
    for (j, slope) in slopes.map(|(j, s)| (j, s.abs())) {
        let equal = |(_, other): &(usize, f64)| (other - slope).abs() < EQUAL * lambda;
        if slope > lambda * (1.0 + MARGIN) && !active.contains(&j) && !new.iter().any(equal) {
            new.push((j, slope));
        }
    }
    new.into_iter().map(|(j, _)| j).collect()
}

/// Moves to the solution for one penalty.
pub(super) fn at(problem: &mut (impl Problem + ?Sized), lambda: f64) {
    // Halfway stations are cheaper than one cold solution of a weak penalty.
    let mut station = problem.lambda_max() * STEP;
    while station > lambda {
        problem.solve(station);
        station *= STEP;
    }
    problem.solve(lambda);
}

/// Moves to the first solution with exactly `n` neurons, or to the nearest below; its penalty, and
/// why there are fewer.
pub(super) fn search(problem: &mut (impl Problem + ?Sized), n: usize) -> (f64, Option<String>) {
    let top = problem.lambda_max();
    // Penalties known to let in fewer than n, and more; the most that were fewer than n.
    let (mut high, mut low) = (top, None);
    let mut below = (0, top);
    loop {
        let (lambda, ended) = match low {
            // Equal if no column goes with the target at all: both are 0.
            None => (high * STEP, high * STEP <= END * top),
            Some(low) => (f64::sqrt(high * low), high - low < NARROW * high),
        };
        if ended {
            return short(problem, n, below);
        }
        problem.solve(lambda);
        let count = problem.count();
        match count.cmp(&n) {
            Ordering::Equal => return (lambda, None),
            Ordering::Greater => low = Some(lambda),
            Ordering::Less => {
                high = lambda;
                below = if count >= below.0 { (count, lambda) } else { below };
            }
        }
    }
}

/// Moves to the solution that came nearest to `n` from below.
fn short(
    problem: &mut (impl Problem + ?Sized),
    n: usize,
    (count, lambda): (usize, f64),
) -> (f64, Option<String>) {
    // Where nothing goes with the target at all, the start is the solution.
    if lambda > 0.0 {
        problem.solve(lambda);
    }
    let why = match problem.live() {
        live if live < n => format!("only {live} neurons fire on some texts but not on all"),
        _ => "no penalty lets in exactly so many".to_owned(),
    };
    (lambda, Some(format!("{count} neurons selected instead of {n}: {why}")))
}
