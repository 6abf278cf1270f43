//! Newton's steps that keep nothing per row, for as long as they come closer: from afar to near the
//! maximum of a likelihood, and from a fit to those that share most of its columns or rows.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use rayon::prelude::*;

use super::design::in_pieces;
use super::glm::{Family, Problem};
use super::inference::Inference;
use super::inverse::inverse;
use super::setup::{Data, Setup};
use super::{Columns, Model, WIDE, fitting};
use crate::error::{Error, Result};

/// Largest change of a linear predictor after which the next, about its square, would be smaller than
/// what ends the steps of a fit from scratch.
const LAST: f64 = 3e-5;
/// Steps that a start nearby settles in, by a wide margin.
const MAX_STEPS: usize = 10;
/// Part of a column of length 1 beyond the earlier ones below which a closer look is needed.
const APART: f64 = 1e-4;

impl Setup<'_> {
    /// What `of` makes of the fitted means without each tested column in turn: what the others
    /// explain by themselves. `found` is the fit with all of them. `None` where there is no such
    /// fit.
    ///
    /// O(n p^2) per step and column.
    ///
    /// # Errors
    /// As [`Self::infer`].
    pub fn without_each<T: Send>(
        &self,
        columns: &Columns,
        y: &[f64],
        found: &Inference,
        of: impl Fn(Vec<f64>) -> T + Sync,
    ) -> Result<Vec<Option<T>>> {
        let data = Data::new(self, columns, y)?;
        let others = Others::new(&data, found);
        let without = |j: usize| match others.fitted_without(j) {
            Ok(fitted) => Ok(Some(of(fitted))),
            Err(Error::Data(_) | Error::Diverged(_)) => Ok(None),
            Err(other) => Err(other),
        };
        (0..self.tested).into_par_iter().map(without).collect()
    }

    /// Means of the rows of each of `k` folds, fitted on the rows outside of it. 0 for folds that need a
    /// closer look, which are listed: columns that are constant or aliased without their rows, or a
    /// likelihood without a maximum.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub(crate) fn out_of_fold(
        &self,
        columns: &Columns,
        y: &[f64],
        (folds, k): (&[usize], usize),
    ) -> Result<(Vec<f64>, Vec<usize>)> {
        let none = || (vec![0.0; y.len()], (0..k).collect());
        let Some(family) = family(self.model) else { return Ok(none()) };
        let data = Data::new(self, columns, y)?;
        let problem = fitting::problem(&data, &data.x, family);
        problem.check()?;
        let Some(found) = without_folds(problem, (folds, k)) else { return Ok(none()) };
        let means = data.x.map(|i, row| {
            let Some(coefficients) = &found[folds[i]] else { return 0.0 };
            family.mean(problem.eta(i, row, coefficients))[0]
        });
        Ok((means, (0..k).filter(|fold| found[*fold].is_none()).collect()))
    }
}

/// The coefficients without each fold, the first step of all folds in one pass over the rows; `None`
/// if all rows together have none.
fn without_folds(problem: Problem, (folds, k): (&[usize], usize)) -> Option<Vec<Option<Vec<f64>>>> {
    let largest = problem.x.largest();
    let all = Nearby { problem, largest: &largest, keeps: |_| true, at_0: None };
    let start = all.solve(&problem.start())?;
    let none = || vec![Sums::none(problem.x.cols()); k];
    let pieces = in_pieces(problem.x.rows(), |rows| {
        let (mut sums, mut entries) = (none(), problem.x.entries());
        rows.for_each(|i| problem.add(i, entries.row(i), &start, &mut sums[folds[i]]));
        sums
    });
    let plus = |sums: Vec<Sums>, piece: Vec<Sums>| {
        sums.into_iter().zip(piece).map(|(sum, of)| sum.plus(of, 1.0)).collect()
    };
    let of_fold = pieces.into_iter().fold(none(), plus);
    let total = of_fold.iter().fold(none().remove(0), |sum, of| sum.plus(of.clone(), 1.0));
    let without = |fold: usize| {
        let change = total.clone().plus(of_fold[fold].clone(), -1.0).solve(None)?;
        let moved: Vec<f64> = start.iter().zip(change.iter()).map(|(b, c)| b + c).collect();
        let keeps = |i: usize| folds[i] != fold;
        Nearby { problem, largest: &largest, keeps, at_0: None }.solve(&moved)
    };
    Some((0..k).into_par_iter().map(without).collect())
}

/// Coefficients close to the maximum, if steps from `start` lead there.
pub(super) fn settle(problem: Problem, start: &[f64]) -> Option<Vec<f64>> {
    Nearby { problem, largest: &problem.x.largest(), keeps: |_| true, at_0: None }.solve(start)
}

/// The family that `model` is whatever the data.
fn family(model: Model) -> Option<Family> {
    match model {
        Model::Logit => Some(Family::Logit),
        Model::Poisson => Some(Family::Poisson),
        Model::LeastSquares | Model::NegativeBinomial => None,
    }
}

/// A fit of which columns are left out.
struct Others<'a> {
    data: &'a Data<'a>,
    found: &'a Inference,
    coefficients: Vec<f64>,
    largest: Vec<f64>,
    /// The likelihood and the inverse of its information, where steps from the fit lead to the others.
    problem: Option<(Problem<'a>, DMatrix<f64>)>,
}

impl<'a> Others<'a> {
    fn new(data: &'a Data<'a>, found: &'a Inference) -> Self {
        let coefficients: Vec<f64> = found.terms.iter().map(|term| term.estimate.value).collect();
        let family = family(data.setup.model).filter(|_| data.factors.is_empty());
        let largest = data.x.largest();
        let problem = family.and_then(|family| {
            let problem = fitting::problem(data, &data.x, family);
            let all = Nearby { problem, largest: &largest, keeps: |_| true, at_0: None };
            Some((problem, all.sums(&coefficients).inverse()?))
        });
        Self { data, found, coefficients, largest, problem }
    }

    /// Fitted means without column `j`.
    fn fitted_without(&self, j: usize) -> Result<Vec<f64>> {
        let l = j + usize::from(self.found.intercept);
        if let Some((problem, inverse)) = &self.problem {
            // Where the others would be if the likelihood were a parabola.
            let share = self.coefficients[l] / inverse[(l, l)];
            let pull = inverse.column(l);
            let moved = self.coefficients.iter().zip(pull.iter());
            let start: Vec<f64> = moved.map(|(b, pull)| b - share * pull).collect();
            let (problem, largest) = (*problem, self.largest.as_slice());
            let others = Nearby { problem, largest, keeps: |_| true, at_0: Some(l) };
            if let Some(coefficients) = others.solve(&start) {
                return Ok(problem.means(&coefficients));
            }
        }
        if self.found.penalised && self.data.x.cols() > WIDE {
            return Err(Error::Diverged(format!("not fitted anew beside {WIDE} columns")));
        }
        let mut start = self.coefficients.clone();
        start.remove(l);
        Ok(fitting::fit(self.data, Some(j), Some(start))?.fit.fitted)
    }
}

/// The likelihood of some of the rows, one coefficient held at 0.
struct Nearby<'a, K> {
    problem: Problem<'a>,
    /// Of every column.
    largest: &'a [f64],
    keeps: K,
    at_0: Option<usize>,
}

impl<K: Fn(usize) -> bool + Sync> Nearby<'_, K> {
    /// Its coefficients, if Newton's steps from `start` come closer each time.
    fn solve(&self, start: &[f64]) -> Option<Vec<f64>> {
        let mut coefficients = start.to_vec();
        if let Some(l) = self.at_0 {
            coefficients[l] = 0.0;
        }
        let mut before = f64::INFINITY;
        for _ in 0..MAX_STEPS {
            let change = self.sums(&coefficients).solve(self.at_0)?;
            let shift: f64 = change.iter().zip(self.largest).map(|(c, x)| (c * x).abs()).sum();
            if shift.is_nan() || shift >= before {
                return None;
            }
            before = shift;
            coefficients.iter_mut().zip(change.iter()).for_each(|(b, c)| *b += c);
            if shift < LAST {
                return Some(coefficients);
            }
        }
        None
    }

    fn sums(&self, coefficients: &[f64]) -> Sums {
        let (problem, p) = (self.problem, self.problem.x.cols());
        let pieces = in_pieces(problem.x.rows(), |rows| {
            let (mut sums, mut entries) = (Sums::none(p), problem.x.entries());
            let kept = rows.filter(|i| (self.keeps)(*i));
            kept.for_each(|i| problem.add(i, entries.row(i), coefficients, &mut sums));
            sums
        });
        pieces.into_iter().fold(Sums::none(p), |sum, of| sum.plus(of, 1.0))
    }
}

impl Problem<'_> {
    /// Adds row `i` with its entries.
    fn add(&self, i: usize, row: &[(usize, f64)], coefficients: &[f64], sums: &mut Sums) {
        let [score, weight] = self.family.slopes(self.eta(i, row, coefficients), self.y[i]);
        sums.add(row, self.weights[i] * score, self.weights[i] * weight);
    }
}

/// Slope and information of a log-likelihood in its coefficients.
#[derive(Clone)]
struct Sums {
    slope: DVector<f64>,
    /// Lower triangle.
    information: DMatrix<f64>,
}

impl Sums {
    fn none(p: usize) -> Self {
        Self { slope: DVector::zeros(p), information: DMatrix::zeros(p, p) }
    }

    fn add(&mut self, row: &[(usize, f64)], score: f64, weight: f64) {
        let p = self.slope.len();
        let information = self.information.as_mut_slice();
        for (at, (j, v)) in row.iter().enumerate() {
            self.slope[*j] += score * v;
            let weighted = weight * v;
            let column = &mut information[j * p..(j + 1) * p];
            row[at..].iter().for_each(|(k, u)| column[*k] += weighted * u);
        }
    }

    fn plus(mut self, other: Self, sign: f64) -> Self {
        self.slope += sign * other.slope;
        self.information += sign * other.information;
        self
    }

    /// Newton's step; `None` if columns are, or nearly are, dependent.
    fn solve(mut self, at_0: Option<usize>) -> Option<DVector<f64>> {
        if let Some(l) = at_0 {
            self.slope[l] = 0.0;
            self.information.row_mut(l).fill(0.0);
            self.information.column_mut(l).fill(0.0);
            self.information[(l, l)] = 1.0;
        }
        let (factor, scale) = self.factor()?;
        Some(factor.solve(&self.slope.component_mul(&scale)).component_mul(&scale))
    }

    fn inverse(mut self) -> Option<DMatrix<f64>> {
        let (factor, scale) = self.factor()?;
        Some(inverse(&factor).map_with_location(|i, j, v| v * scale[i] * scale[j]))
    }

    /// Of the information with a diagonal of 1, and what each column was multiplied by for that.
    fn factor(&mut self) -> Option<(Cholesky<f64, Dyn>, DVector<f64>)> {
        let scale = self.information.diagonal().map(|d| 1.0 / d.sqrt());
        if !scale.iter().all(|s| s.is_finite()) {
            return None;
        }
        self.information.fill_upper_triangle_with_lower_triangle();
        let unit = self.information.map_with_location(|i, j, v| v * scale[i] * scale[j]);
        let factor = unit.cholesky()?;
        let is_apart = factor.l_dirty().diagonal().iter().all(|d| *d >= APART);
        is_apart.then_some((factor, scale))
    }
}
