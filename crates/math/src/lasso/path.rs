//! The search for a penalty that lets exactly so many neurons in.

use std::cmp::Ordering;

use super::Lasso;

/// Factor between one penalty of the path and the next.
const STEP: f64 = 0.85;
/// The path ends at this share of the largest penalty: what has not entered by then never will.
const END: f64 = 1e-6;
/// A bracket narrower than this, relative to the penalty, is not divided further.
const NARROW: f64 = 1e-10;

/// How far, relative to the penalty, a slope must exceed it for a column to enter: above the error
/// of a solution, so that the twin of a column that is in stays out.
const MARGIN: f64 = 1e-7;
/// Slopes nearer than this, relative to the penalty, are equal.
const EQUAL: f64 = 1e-9;

/// A loss that can be solved for one penalty after another, each solution starting from the last.
pub(super) trait Problem {
    /// The smallest penalty that keeps every coefficient at 0.
    fn lambda_max(&self) -> f64;
    /// Moves to the solution for `lambda`.
    fn solve(&mut self, lambda: f64);
    /// Neurons and coefficients of the current solution that are not 0, in any order.
    fn coefficients(&self) -> Vec<(usize, f64)>;
    /// How many columns may enter at all.
    fn live(&self) -> usize;
}

/// The columns whose slopes break the optimality conditions of a solution without them.
///
/// Of several with one slope only the first enters: if they are twins the others need not.
pub(super) fn entering(slopes: &[f64], lambda: f64, active: &[usize]) -> Vec<usize> {
    let mut new: Vec<usize> = Vec::new();
    for (j, slope) in slopes.iter().map(|s| s.abs()).enumerate() {
        let equal = |&k: &usize| (slopes[k].abs() - slope).abs() < EQUAL * lambda;
        if slope > lambda * (1.0 + MARGIN) && !active.contains(&j) && !new.iter().any(equal) {
            new.push(j);
        }
    }
    new
}

/// The solution for one penalty.
pub(super) fn at(problem: &mut impl Problem, lambda: f64) -> Lasso {
    // Halfway stations are cheaper than one cold solution of a weak penalty.
    let mut station = problem.lambda_max() * STEP;
    while station > lambda {
        problem.solve(station);
        station *= STEP;
    }
    problem.solve(lambda);
    sorted(problem, lambda, None)
}

/// The first solution with exactly `n` coefficients, or the nearest below with a message.
pub(super) fn search(problem: &mut impl Problem, n: usize) -> Lasso {
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
        let count = problem.coefficients().len();
        match count.cmp(&n) {
            Ordering::Equal => return sorted(problem, lambda, None),
            Ordering::Greater => low = Some(lambda),
            Ordering::Less => {
                high = lambda;
                below = if count >= below.0 { (count, lambda) } else { below };
            }
        }
    }
}

/// The solution that came nearest to `n` from below.
fn short(problem: &mut impl Problem, n: usize, (count, lambda): (usize, f64)) -> Lasso {
    problem.solve(lambda);
    let why = match problem.live() {
        live if live < n => format!("only {live} neurons fire on some texts but not on all"),
        _ => "no penalty lets in exactly so many".to_owned(),
    };
    sorted(problem, lambda, Some(format!("{count} neurons selected instead of {n}: {why}")))
}

fn sorted(problem: &impl Problem, lambda: f64, message: Option<String>) -> Lasso {
    let mut coefficients = problem.coefficients();
    coefficients.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    Lasso { lambda, coefficients, message }
}
