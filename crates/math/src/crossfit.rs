//! Predictions for rows that the model has not seen: fitted on the other folds.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::estimate::Level;
use crate::random::{permutation, stream};
use crate::regression::columns::{Column, Given, classify_beside};
use crate::regression::design::in_pieces;
use crate::regression::{Columns, Design, Model, Setup};

/// Part of a column of length 1 beyond the earlier ones below which the products lose more digits than
/// the fit should.
const APART: f64 = 1e-4;

/// The fold of every row, `0..k`: equal in size but for one, in random order.
///
/// With `classes` every class is spread evenly over the folds. Decided by `seed` alone.
///
/// # Errors
/// [`Error::Option`] unless `2 <= k <= n`; [`Error::Shape`] for other than `n` classes.
pub fn folds(n: usize, k: usize, classes: Option<&[f64]>, seed: u64) -> Result<Vec<usize>> {
    if k < 2 || k > n {
        return Err(Error::option("n_folds", k, format!("2 to the number of rows, {n}")));
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream(seed, "folds"));
    if let Some(classes) = classes {
        Error::check_len("classes", classes.len(), n)?;
        order.sort_by(|a, b| classes[*a].total_cmp(&classes[*b]));
    }
    let mut folds = vec![0; n];
    for (at, row) in order.into_iter().enumerate() {
        folds[row] = at % k;
    }
    Ok(folds)
}

/// Folds `0..k` of about equal size that keep rows of equal `unit` together.
///
/// Units are taken in random order, each into the smallest fold so far. Decided by `seed` and
/// `purpose` alone.
#[must_use]
pub fn folds_of_units(unit: &[u32], k: usize, seed: u64, purpose: &str) -> Vec<usize> {
    let n_units = unit.iter().max().map_or(0, |u| *u as usize + 1);
    let mut size = vec![0; n_units];
    for u in unit {
        size[*u as usize] += 1;
    }
    let (mut filled, mut fold_of) = (vec![0_usize; k], vec![0; n_units]);
    for u in permutation(n_units, &mut stream(seed, purpose)) {
        let fold = (0..k).min_by_key(|f| filled[*f]).unwrap_or(0);
        fold_of[u] = fold;
        filled[fold] += size[u];
    }
    unit.iter().map(|u| fold_of[*u as usize]).collect()
}

/// The prediction for every row by `model` fitted on the rows of the other folds: [`predict_with`]
/// for rows that are alike.
///
/// # Errors
/// As [`predict_with`].
pub fn predict(model: Model, columns: &Columns, y: &[f64], folds: &[usize]) -> Result<Vec<f64>> {
    let level = Level::new(0.95).expect("a level between 0 and 1");
    predict_with(&Setup::new(model, columns.cols(), level), columns, y, folds)
}

/// The prediction for every row by the regression fitted on the rows of the other folds.
///
/// A column that is constant or aliased on those rows has no coefficient there. The setup's
/// weights, offset and intercept count; its clusters do not (folds keep them together), and its
/// seed and level are not needed. Folds run in parallel, each by itself, so that the number of
/// threads changes nothing.
///
/// # Errors
/// [`Error::Shape`]; those of the fits: for [`Model::Logit`] both classes must be in the rows
/// outside of every fold. [`Error::Data`] for absorbed factors, which predict nothing.
pub fn predict_with(
    setup: &Setup,
    columns: &Columns,
    y: &[f64],
    folds: &[usize],
) -> Result<Vec<f64>> {
    Error::check_len("folds", folds.len(), y.len())?;
    Error::check_len("column", columns.rows(), y.len())?;
    for values in [setup.weights, setup.offset].into_iter().flatten() {
        Error::check_len("weights or offset", values.len(), y.len())?;
    }
    if !setup.absorbed.is_empty() {
        return Err(Error::Data(
            "absorbed factors cannot predict unseen rows; predict without them".into(),
        ));
    }
    let k = folds.iter().max().map_or(0, |fold| fold + 1);
    if setup.model == Model::LeastSquares
        && let Some(prediction) = by_products(setup, columns, y, (folds, k))?
    {
        return Ok(prediction);
    }
    // What this refuses is refused below, fold by fold.
    let near = setup.out_of_fold(columns, y, (folds, k));
    let (mut prediction, open) = near.unwrap_or_else(|_| (vec![0.0; y.len()], (0..k).collect()));
    let parts: Vec<Vec<(usize, f64)>> = open
        .into_par_iter()
        .map(|fold| left_out(setup, columns, y, folds, fold))
        .collect::<Result<_>>()?;
    for (row, value) in parts.into_iter().flatten() {
        prediction[row] = value;
    }
    Ok(prediction)
}

/// Least squares of all folds by one pass over the rows: the products `x'wx` and `x'wy` outside a
/// fold are those of all rows minus those within it. `None` where columns are, or nearly are,
/// dependent outside some fold, so that this would lose digits.
///
/// O(n p^2 / 2 + k p^3); sums in pieces of fixed size, added in order.
fn by_products(
    setup: &Setup,
    columns: &Columns,
    y: &[f64],
    (folds, k): (&[usize], usize),
) -> Result<Option<Vec<f64>>> {
    Error::check_finite("y", y)?;
    let x = Design::with(columns, setup.intercept);
    // A large mean would cost precision, and the intercept makes up for it.
    let mean = if setup.intercept { y.iter().sum::<f64>() / y.len() as f64 } else { 0.0 };
    let of_fold = Products::of_folds(&x, setup.weights, |i| y[i] - mean, (folds, k));
    let all = of_fold.iter().fold(Products::none(x.cols()), |sum, of| sum.plus(of, 1.0));
    let mut coefficients = Vec::with_capacity(k);
    for of in &of_fold {
        match all.clone().plus(of, -1.0).solve() {
            Some(found) => coefficients.push(found),
            None => return Ok(None),
        }
    }
    Ok(Some(x.map(|i, row| {
        let of_row = row.iter().map(|(j, v)| v * coefficients[folds[i]][*j]);
        mean + of_row.sum::<f64>()
    })))
}

/// `x'wx` and `x'wy` of some rows.
#[derive(Clone)]
struct Products {
    square: DMatrix<f64>,
    cross: DVector<f64>,
}

impl Products {
    fn none(cols: usize) -> Self {
        Self { square: DMatrix::zeros(cols, cols), cross: DVector::zeros(cols) }
    }

    fn of_folds(
        x: &Design,
        weights: Option<&[f64]>,
        y: impl Fn(usize) -> f64 + Sync,
        (folds, k): (&[usize], usize),
    ) -> Vec<Self> {
        let pieces = in_pieces(x.rows(), |piece| {
            let (mut sums, mut entries) = (vec![Self::none(x.cols()); k], x.entries());
            for i in piece {
                let (sum, w) = (&mut sums[folds[i]], weights.map_or(1.0, |w| w[i]));
                let row = entries.row(i);
                for (at, (a, u)) in row.iter().enumerate() {
                    sum.cross[*a] += w * u * y(i);
                    row[at..].iter().for_each(|(b, v)| sum.square[(*a, *b)] += w * u * v);
                }
            }
            sums
        });
        let none = vec![Self::none(x.cols()); k];
        let mut sums = pieces.into_iter().fold(none, |sums, piece| {
            sums.into_iter().zip(&piece).map(|(sum, of)| sum.plus(of, 1.0)).collect()
        });
        for sum in &mut sums {
            sum.square.fill_lower_triangle_with_upper_triangle();
        }
        sums
    }

    fn plus(mut self, other: &Self, sign: f64) -> Self {
        self.square += sign * &other.square;
        self.cross += sign * &other.cross;
        self
    }

    /// The coefficients; `None` if columns of length 1 would be less than [`APART`] from dependent.
    fn solve(&self) -> Option<Vec<f64>> {
        let lengths = self.square.diagonal().map(f64::sqrt);
        if lengths.iter().any(|l| *l <= 0.0 || !l.is_finite()) {
            return None;
        }
        let p = lengths.len();
        let scaled = DMatrix::from_fn(p, p, |a, b| self.square[(a, b)] / (lengths[a] * lengths[b]));
        let factor = scaled.cholesky()?;
        if factor.l_dirty().diagonal().iter().any(|d| *d < APART) {
            return None;
        }
        let found = factor.solve(&self.cross.component_div(&lengths));
        Some(found.component_div(&lengths).iter().copied().collect())
    }
}

/// Rows of `fold` and their predictions.
fn left_out(
    setup: &Setup,
    columns: &Columns,
    y: &[f64],
    folds: &[usize],
    fold: usize,
) -> Result<Vec<(usize, f64)>> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&i| folds[i] == fold);
    let pick = |v: &[f64], rows: &[usize]| -> Vec<f64> { rows.iter().map(|&i| v[i]).collect() };
    let known = columns.gather(&train);
    let weights = setup.weights.map(|w| pick(w, &train));
    let offset = setup.offset.map(|o| pick(o, &train));
    let given = Given { intercept: setup.intercept, weights: weights.as_deref(), ..Given::NOTHING };
    let kinds = classify_beside(&known, &given)?;
    let fitted: Vec<usize> = (0..kinds.len()).filter(|&j| kinds[j] == Column::Fitted).collect();
    let train_setup = Setup {
        weights: weights.as_deref(),
        offset: offset.as_deref(),
        clusters: None,
        tested: 0,
        ..*setup
    };
    let fit = train_setup.fit(&known.select(&fitted), &pick(y, &train))?;
    let unseen = columns.gather(&test).select(&fitted);
    let x = Design::with(&unseen, setup.intercept);
    let linear = x.times(&fit.coefficients).into_iter().zip(&test);
    let shift = |row: usize| setup.offset.map_or(0.0, |o| o[row]);
    Ok(linear.map(|(eta, &row)| (row, mean(setup.model, eta + shift(row)))).collect())
}

fn mean(model: Model, eta: f64) -> f64 {
    match model {
        Model::LeastSquares => eta,
        Model::Logit => 1.0 / (1.0 + (-eta).exp()),
        Model::Poisson | Model::NegativeBinomial => eta.exp(),
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn folds_are_even_and_spread_the_classes() {
        let classes: Vec<f64> = (0..103).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
        let found = folds(103, 10, Some(&classes), 5).unwrap();
        for fold in 0..10 {
            let rows: Vec<usize> = (0..103).filter(|&i| found[i] == fold).collect();
            assert!((10..=11).contains(&rows.len()));
            let positives = rows.iter().filter(|&&i| classes[i] == 1.0).count();
            assert!((1..=2).contains(&positives));
        }
        assert_ne!(found, folds(103, 10, Some(&classes), 6).unwrap());
        assert_eq!(found, folds(103, 10, Some(&classes), 5).unwrap());
    }

    #[test]
    fn products_predict_as_one_fit_after_the_other() {
        let n = 600;
        let mut random = stream(7, "products test");
        let mut flags = |share: f64| -> Vec<f64> {
            (0..n).map(|_| f64::from(u8::from(random.random_bool(share)))).collect()
        };
        let columns = Columns::new(n, &[flags(0.5), flags(0.1), flags(0.03)]).unwrap();
        let y: Vec<f64> = (0..n).map(|i| 1e6 + columns.value(i, 0) - (i % 7) as f64).collect();
        let weights: Vec<f64> = (0..n).map(|i| 1.0 + (i % 3) as f64).collect();
        let folds = folds(n, 5, None, 1).unwrap();
        let level = Level::new(0.95).unwrap();
        for intercept in [true, false] {
            let setup = Setup {
                intercept,
                weights: Some(&weights),
                ..Setup::new(Model::LeastSquares, 3, level)
            };
            let quick = by_products(&setup, &columns, &y, (&folds, 5)).unwrap().unwrap();
            for fold in 0..5 {
                for (row, slow) in left_out(&setup, &columns, &y, &folds, fold).unwrap() {
                    assert!((quick[row] - slow).abs() < 1e-12 * 1e6, "{} {slow}", quick[row]);
                }
            }
        }
        let twins = columns.select(&[0, 0]);
        let setup = Setup::new(Model::LeastSquares, 2, level);
        assert_eq!(by_products(&setup, &twins, &y, (&folds, 5)).unwrap(), None);
        predict(Model::LeastSquares, &twins, &y, &folds).unwrap();
    }

    #[test]
    fn impossible_folds_are_refused() {
        for (n, k) in [(10, 1), (10, 11), (0, 2)] {
            assert!(matches!(folds(n, k, None, 0), Err(Error::Option { .. })));
        }
    }

    #[test]
    fn a_row_is_predicted_by_the_others() {
        // Means of the other folds, by group; the last column is constant wherever it is fitted.
        let y = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let columns = [vec![0., 0., 0., 1., 1., 1.], vec![0., 0., 0., 0., 0., 0.]];
        let columns = Columns::new(6, &columns).unwrap();
        let found = predict(Model::LeastSquares, &columns, &y, &[0, 1, 2, 0, 1, 2]).unwrap();
        for (f, e) in found.iter().zip([2.5, 2.0, 1.5, 25.0, 20.0, 15.0]) {
            assert!((f - e).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn a_column_that_only_the_left_out_row_has_changes_nothing() {
        let y = [1.0, 2.0, 3.0, 4.0];
        let columns = Columns::new(4, &[vec![0., 0., 0., 1.]]).unwrap();
        let found = predict(Model::LeastSquares, &columns, &y, &[0, 1, 2, 3]).unwrap();
        assert!((found[3] - 2.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn folds_near_a_fit_predict_as_one_fit_after_the_other() {
        let n = 500;
        let mut random = stream(8, "near test");
        let mut flags = |share: f64| -> Vec<f64> {
            (0..n).map(|_| f64::from(u8::from(random.random_bool(share)))).collect()
        };
        let columns = Columns::new(n, &[flags(0.5), flags(0.1), flags(0.02)]).unwrap();
        let y = flags(0.4);
        let weights: Vec<f64> = (0..n).map(|i| 1.0 + (i % 3) as f64).collect();
        let offset: Vec<f64> = (0..n).map(|i| (i % 5) as f64 / 10.0).collect();
        let folds = folds(n, 5, None, 1).unwrap();
        let level = Level::new(0.95).unwrap();
        for model in [Model::Logit, Model::Poisson] {
            let (weights, offset) = (Some(weights.as_slice()), Some(offset.as_slice()));
            let setup = Setup { weights, offset, ..Setup::new(model, 3, level) };
            let (quick, open) = setup.out_of_fold(&columns, &y, (&folds, 5)).unwrap();
            assert_eq!(open, [0; 0], "{model:?}");
            for fold in 0..5 {
                for (row, slow) in left_out(&setup, &columns, &y, &folds, fold).unwrap() {
                    assert!((quick[row] - slow).abs() < 1e-8, "{model:?}: {} {slow}", quick[row]);
                }
            }
        }
        // What has no logit is refused all the same.
        assert!(predict(Model::Logit, &columns, &weights, &folds).is_err());
    }

    #[test]
    fn probabilities_of_a_logit() {
        let y = [0., 1., 0., 1., 1., 1., 0., 1., 0., 1.];
        let x = Columns::new(10, &[vec![0., 0., 0., 0., 0., 1., 1., 1., 1., 1.]]).unwrap();
        let found = predict(Model::Logit, &x, &y, &[0, 0, 1, 1, 1, 0, 0, 1, 1, 1]).unwrap();
        let (first, second) = (2.0 / 3.0, 0.5);
        let expected = [first, first, second, second, second];
        for (f, e) in found.iter().zip(expected.iter().chain(&expected)) {
            assert!((f - e).abs() < 1e-9, "{found:?}");
        }
    }
}
