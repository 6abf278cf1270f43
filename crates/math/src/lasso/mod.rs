//! Selection by the L1 path: the neurons whose coefficients are not zero when exactly so many are.
//!
//! In go sparse activations and a target, out come a few neurons with their coefficients on
//! standardised columns. The columns are standardised implicitly, so that nothing of size n x m is
//! ever built. The parts: `standard` (columns), `descent` (coordinate descent on a small quadratic),
//! `gaussian`, `glm` and `classes` (one solution for one penalty), `path` (the search).

mod classes;
mod descent;
mod gaussian;
mod glm;
mod path;
mod standard;

use crate::error::{Error, Result};
use crate::{Activations, Setting};
use classes::Classes;
use gaussian::Gaussian;
use glm::{Family, Glm, Layout};
use path::Problem;

/// Which loss the penalty is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// `1/(2n) sum (y - f)^2`, for a continuous target.
    Squared,
    /// `1/n sum log(1 + exp(-s f))`, `s = 2y - 1`, for a target of 0 and 1.
    Logistic,
    /// `1/n sum exp(f) - y f`, for counts.
    Poisson,
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

/// A solution for a target of several classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassLasso {
    /// Weight of the penalty, on the coefficients of all classes.
    pub lambda: f64,
    /// Neurons that any class has, with a coefficient per class; by the largest in absolute value,
    /// ties by neuron.
    pub coefficients: Vec<(usize, Vec<f64>)>,
    /// Why there are fewer neurons than asked for, if there are.
    pub message: Option<String>,
}

/// [`select_in`] the default setting.
///
/// # Errors
/// As [`select_in`].
pub fn select(z: &Activations, y: &[f64], loss: Loss, n: usize) -> Result<Lasso> {
    select_in(z, y, loss, n, &Setting::default())
}

/// [`fit_in`] the default setting.
///
/// # Errors
/// As [`fit_in`].
pub fn fit(z: &Activations, y: &[f64], loss: Loss, lambda: f64) -> Result<Lasso> {
    fit_in(z, y, loss, lambda, &Setting::default())
}

/// The first solution on the path from the largest penalty down that has exactly `n` neurons.
///
/// Minimises `sum_i v_i loss_i(b + c_i'g + x_i'w + o_i) / sum v + lambda |w|_1` over `w` and
/// unpenalised `b` and `g`, where `x` are the columns of `z` over their standard deviations
/// (weighted, of the raw column), `c` the controls, `v` the row weights and `o` the offset.
/// `lambda` falls from the smallest value that keeps every coefficient at 0 by a constant factor,
/// each solution the start of the next, until more than `n` neurons are in; then it is bisected.
/// Columns that are constant, that never fire, that fire on every row or that the setting excludes
/// are left out. If no penalty with exactly `n` is found, the solution with the nearest smaller
/// number is returned with a message. For pairs, see [`Setting::centred`].
///
/// The target may have any scale: it is standardised and the result scaled back. Cost: about a
/// pass over the nonzeros per entering neuron (squared loss) or per penalty (others). Sums run over
/// pieces of fixed size in row order, so that the number of threads changes nothing.
///
/// Source: Friedman, Hastie, Tibshirani (2010), Regularization paths for generalized linear models
/// via coordinate descent, J. Stat. Softw. 33(1).
///
/// # Errors
/// [`Error::Shape`] or [`Error::NotFinite`] for a bad `y` or setting; [`Error::Option`] for `n` =
/// 0; [`Error::Data`] if `y` has one value only, does not fit the loss, or is determined by the
/// controls.
pub fn select_in(
    z: &Activations,
    y: &[f64],
    loss: Loss,
    n: usize,
    setting: &Setting,
) -> Result<Lasso> {
    check_count(n)?;
    solved(z, y, loss, setting, &[], &mut |p| path::search(p, n))
}

/// The solution for one given penalty; otherwise as [`select_in`].
///
/// # Errors
/// As [`select_in`]; [`Error::Option`] if `lambda` is not above 0.
pub fn fit_in(
    z: &Activations,
    y: &[f64],
    loss: Loss,
    lambda: f64,
    setting: &Setting,
) -> Result<Lasso> {
    check_penalty(lambda)?;
    solved(z, y, loss, setting, &[], &mut |p| {
        path::at(p, lambda);
        (lambda, None)
    })
}

/// The solution for the penalty of another one, which is the start: of a part of the rows, say.
///
/// # Errors
/// As [`fit_in`].
pub fn refit(
    z: &Activations,
    y: &[f64],
    loss: Loss,
    from: &Lasso,
    setting: &Setting,
) -> Result<Lasso> {
    check_penalty(from.lambda)?;
    solved(z, y, loss, setting, &from.coefficients, &mut |p| {
        p.solve(from.lambda);
        (from.lambda, None)
    })
}

/// As [`select_in`], for a target of several classes: `classes` holds the class of every row,
/// counted from 0. The loss is that of the symmetric softmax; a neuron is in if any class has it.
///
/// # Errors
/// As [`select_in`]; [`Error::Data`] if there are fewer than two classes, for one that no row with
/// weight has, or for pairs.
pub fn select_classes(
    z: &Activations,
    classes: &[u32],
    n: usize,
    setting: &Setting,
) -> Result<ClassLasso> {
    check_count(n)?;
    solved_classes(z, classes, setting, &[], &mut |p| path::search(p, n))
}

/// The solution for one given penalty; otherwise as [`select_classes`].
///
/// # Errors
/// As [`select_classes`]; [`Error::Option`] if `lambda` is not above 0.
pub fn fit_classes(
    z: &Activations,
    classes: &[u32],
    lambda: f64,
    setting: &Setting,
) -> Result<ClassLasso> {
    check_penalty(lambda)?;
    solved_classes(z, classes, setting, &[], &mut |p| {
        path::at(p, lambda);
        (lambda, None)
    })
}

/// The solution for the penalty of another one, which is the start.
///
/// # Errors
/// As [`fit_classes`].
pub fn refit_classes(
    z: &Activations,
    classes: &[u32],
    from: &ClassLasso,
    setting: &Setting,
) -> Result<ClassLasso> {
    check_penalty(from.lambda)?;
    solved_classes(z, classes, setting, &from.coefficients, &mut |p| {
        p.solve(from.lambda);
        (from.lambda, None)
    })
}

/// Moves a problem to a solution; its penalty, and why it is not the one asked for.
type Move<'m> = &'m mut dyn FnMut(&mut dyn Problem) -> (f64, Option<String>);

fn solved(
    z: &Activations,
    y: &[f64],
    loss: Loss,
    setting: &Setting,
    start: &[(usize, f64)],
    to: Move,
) -> Result<Lasso> {
    check_target(z, y, loss, setting)?;
    let family = match loss {
        Loss::Squared => {
            let mut problem = Gaussian::new(z, &setting.target(z, y)?, setting)?;
            problem.start(start);
            let (lambda, message) = to(&mut problem);
            return Ok(Lasso { lambda, coefficients: sorted(problem.coefficients()), message });
        }
        Loss::Logistic => Family::Binomial,
        Loss::Poisson => Family::Poisson,
    };
    let layout = Layout::new(z, setting)?;
    let mut problem = Glm::new(&layout, family, y)?;
    problem.start(start);
    let (lambda, message) = to(&mut problem);
    Ok(Lasso { lambda, coefficients: sorted(problem.pairs()), message })
}

fn solved_classes(
    z: &Activations,
    classes: &[u32],
    setting: &Setting,
    start: &[(usize, Vec<f64>)],
    to: Move,
) -> Result<ClassLasso> {
    let n_classes = check_classes(z, classes, setting)?;
    let layout = Layout::new(z, setting)?;
    let mut problem = Classes::new(&layout, classes, n_classes)?;
    problem.start(start);
    let (lambda, message) = to(&mut problem);
    let mut coefficients = problem.coefficients();
    let size = |c: &[f64]| c.iter().fold(0.0, |top: f64, v| top.max(v.abs()));
    coefficients.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)).then(a.0.cmp(&b.0)));
    Ok(ClassLasso { lambda, coefficients, message })
}

fn sorted(mut coefficients: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    coefficients.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    coefficients
}

fn check_count(n: usize) -> Result<()> {
    if n == 0 { Err(Error::option("n", n, "at least 1")) } else { Ok(()) }
}

fn check_penalty(lambda: f64) -> Result<()> {
    let fits = lambda > 0.0 && lambda.is_finite();
    if fits { Ok(()) } else { Err(Error::option("lambda", lambda, "above 0")) }
}

/// Whether the target fits the loss and tells rows apart.
fn check_target(z: &Activations, y: &[f64], loss: Loss, setting: &Setting) -> Result<()> {
    let target = setting.target(z, y)?;
    if loss == Loss::Logistic && y.iter().any(|&v| v != 0.0 && v != 1.0) {
        return Err(Error::Data("the logistic loss needs a target of 0 and 1".into()));
    }
    if loss == Loss::Poisson && y.iter().any(|&v| v < 0.0) {
        return Err(Error::Data("the Poisson loss needs a target of counts, at least 0".into()));
    }
    let constant = match loss {
        Loss::Squared => setting.constant(&target),
        // Without an intercept a target of one class is a preference like any other.
        _ => setting.centred && setting.constant(y),
    };
    if constant {
        return Err(Error::Data("the target has one value only, nothing can be selected".into()));
    }
    Ok(())
}

/// The number of classes.
fn check_classes(z: &Activations, classes: &[u32], setting: &Setting) -> Result<usize> {
    Error::check_len("classes", classes.len(), z.rows())?;
    setting.check(z)?;
    if !setting.centred {
        return Err(Error::Data("pairs have two outcomes, not several classes".into()));
    }
    let n_classes = classes.iter().max().map_or(0, |c| *c as usize + 1);
    let mut seen = vec![false; n_classes.min(z.rows() + 1)];
    for (i, c) in classes.iter().enumerate().filter(|(i, _)| setting.weight(*i) > 0.0) {
        match seen.get_mut(*c as usize) {
            Some(seen) => *seen = true,
            None => {
                return Err(Error::option("classes", c, format!("0 to {} at row {i}", z.rows())));
            }
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(c) => Err(Error::Data(format!("no row with weight is of class `{c}`"))),
        None if n_classes < 2 => {
            Err(Error::Data("the target has one value only, nothing can be selected".into()))
        }
        None => Ok(n_classes),
    }
}

#[cfg(test)]
mod tests;
