//! Selection by the L1 path: the neurons whose coefficients are not zero when exactly so many are.
//!
//! In go sparse activations and a target, out come a few neurons with their coefficients on
//! standardised columns. The columns are standardised implicitly, so that nothing of size n x m is
//! ever built. The parts: `standard` (columns), `descent` (coordinate descent on a small quadratic),
//! `gaussian` and `logistic` (one solution for one penalty), `path` (the search).

mod descent;
mod gaussian;
mod local;
mod logistic;
mod path;
mod standard;

use crate::Activations;
use crate::error::{Error, Result};
use gaussian::Gaussian;
use logistic::Logistic;
use standard::Standard;

/// Which loss the penalty is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// `1/(2n) sum (y - f)^2`, for a continuous target.
    Squared,
    /// `1/n sum log(1 + exp(-s f))`, `s = 2y - 1`, for a target of 0 and 1.
    Logistic,
}

/// A solution of the L1 problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Lasso {
    /// Weight of the penalty `lambda |w|_1`, in the unit of the gradient of the loss.
    pub lambda: f64,
    /// Neurons with a coefficient other than 0, per standard deviation of the activation; the
    /// largest in absolute value first, ties by neuron.
    pub coefficients: Vec<(usize, f64)>,
    /// Why there are fewer coefficients than asked for, if there are.
    pub message: Option<String>,
}

/// The first solution on the path from the largest penalty down that has exactly `n` neurons.
///
/// Minimises `loss(b + x w) + lambda |w|_1` over `w` and an unpenalised `b`, where `x` are the
/// columns of `z` with mean 0 and standard deviation 1 (divisor n). `lambda` falls from the
/// smallest value that keeps every coefficient at 0 by a constant factor, each solution the start
/// of the next, until more than `n` neurons are in; then it is bisected. Columns that are constant,
/// that never fire or that fire on every row are left out. If no penalty with exactly `n` is
/// found, the solution with the nearest smaller number is returned with a message.
///
/// The target may have any scale: it is standardised and the result scaled back. Cost: about a
/// pass over the nonzeros per entering neuron (squared loss) or per Newton step (logistic).
/// Sums run in row order and threads share out whole columns, so that their number changes nothing.
///
/// Source: Friedman, Hastie, Tibshirani (2010), Regularization paths for generalized linear models
/// via coordinate descent, J. Stat. Softw. 33(1).
///
/// # Errors
/// [`Error::Shape`] or [`Error::NotFinite`] for a bad `y`; [`Error::Option`] for `n` = 0;
/// [`Error::Data`] if `y` has one value only, or is not 0 and 1 with [`Loss::Logistic`].
pub fn select(z: &Activations, y: &[f64], loss: Loss, n: usize) -> Result<Lasso> {
    if n == 0 {
        return Err(Error::option("n", n, "at least 1"));
    }
    let x = checked(z, y, loss)?;
    Ok(match loss {
        Loss::Squared => path::search(&mut Gaussian::new(z, &x, y), n),
        Loss::Logistic => path::search(&mut Logistic::new(&x, y), n),
    })
}

/// The solution for one given penalty; otherwise as [`select`].
///
/// # Errors
/// As [`select`]; [`Error::Option`] if `lambda` is not above 0.
pub fn fit(z: &Activations, y: &[f64], loss: Loss, lambda: f64) -> Result<Lasso> {
    if !(lambda > 0.0 && lambda.is_finite()) {
        return Err(Error::option("lambda", lambda, "above 0"));
    }
    let x = checked(z, y, loss)?;
    Ok(match loss {
        Loss::Squared => path::at(&mut Gaussian::new(z, &x, y), lambda),
        Loss::Logistic => path::at(&mut Logistic::new(&x, y), lambda),
    })
}

/// The standardised columns, once the target is known to fit the loss.
fn checked(z: &Activations, y: &[f64], loss: Loss) -> Result<Standard> {
    Error::check_len("y", y.len(), z.rows())?;
    Error::check_finite("y", y)?;
    if loss == Loss::Logistic && y.iter().any(|&v| v != 0.0 && v != 1.0) {
        return Err(Error::Data("the logistic loss needs a target of 0 and 1".into()));
    }
    if y.iter().all(|&v| v == y[0]) {
        return Err(Error::Data("the target has one value only, nothing can be selected".into()));
    }
    Ok(Standard::new(z))
}

#[cfg(test)]
mod tests;
