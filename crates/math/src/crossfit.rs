//! Predictions for rows that the model has not seen: fitted on the other folds.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::random::stream;
use crate::regression::columns::{Column, classify};
use crate::regression::{Design, Model, least_squares, logit};

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

/// The prediction for every row by `model` fitted on the rows of the other folds.
///
/// A column that is constant or aliased on those rows has no coefficient there. Folds run in
/// parallel, each by itself, so that the number of threads changes nothing.
///
/// # Errors
/// [`Error::Shape`]; those of the fits: for [`Model::Logit`] both classes must be in the rows
/// outside of every fold.
pub fn predict(model: Model, columns: &[Vec<f64>], y: &[f64], folds: &[usize]) -> Result<Vec<f64>> {
    Error::check_len("folds", folds.len(), y.len())?;
    for column in columns {
        Error::check_len("column", column.len(), y.len())?;
    }
    let k = folds.iter().max().map_or(0, |fold| fold + 1);
    let parts: Vec<Vec<(usize, f64)>> = (0..k)
        .into_par_iter()
        .map(|fold| left_out(model, columns, y, folds, fold))
        .collect::<Result<_>>()?;
    let mut prediction = vec![0.0; y.len()];
    for (row, value) in parts.into_iter().flatten() {
        prediction[row] = value;
    }
    Ok(prediction)
}

/// Rows of `fold` and their predictions.
fn left_out(
    model: Model,
    columns: &[Vec<f64>],
    y: &[f64],
    folds: &[usize],
    fold: usize,
) -> Result<Vec<(usize, f64)>> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&i| folds[i] == fold);
    let pick = |v: &[f64], rows: &[usize]| -> Vec<f64> { rows.iter().map(|&i| v[i]).collect() };
    let known: Vec<Vec<f64>> = columns.iter().map(|c| pick(c, &train)).collect();
    let fitted: Vec<usize> = classify(&known)
        .iter()
        .enumerate()
        .filter(|(_, kind)| **kind == Column::Fitted)
        .map(|(j, _)| j)
        .collect();
    let used = |rows: &[usize]| {
        let columns: Vec<Vec<f64>> = fitted.iter().map(|&j| pick(&columns[j], rows)).collect();
        Design::new(rows.len(), &columns)
    };
    let (x, y) = (used(&train)?, pick(y, &train));
    let fit = match model {
        Model::LeastSquares => least_squares::fit(&x, &y)?,
        Model::Logit => logit::fit(&x, &y)?.fit,
    };
    let linear = used(&test)?.times(&fit.coefficients);
    let mean = |eta: f64| match model {
        Model::LeastSquares => eta,
        Model::Logit => 1.0 / (1.0 + (-eta).exp()),
    };
    Ok(test.into_iter().zip(linear).map(|(row, eta)| (row, mean(eta))).collect())
}

#[cfg(test)]
mod tests {
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
    fn impossible_folds_are_refused() {
        for (n, k) in [(10, 1), (10, 11), (0, 2)] {
            assert!(matches!(folds(n, k, None, 0), Err(Error::Option { .. })));
        }
    }

    #[test]
    fn a_row_is_predicted_by_the_others() {
        // Means of the other folds, by group; the last column is constant wherever it is fitted.
        let y = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let columns = vec![vec![0., 0., 0., 1., 1., 1.], vec![0., 0., 0., 0., 0., 0.]];
        let found = predict(Model::LeastSquares, &columns, &y, &[0, 1, 2, 0, 1, 2]).unwrap();
        for (f, e) in found.iter().zip([2.5, 2.0, 1.5, 25.0, 20.0, 15.0]) {
            assert!((f - e).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn a_column_that_only_the_left_out_row_has_changes_nothing() {
        let y = [1.0, 2.0, 3.0, 4.0];
        let found =
            predict(Model::LeastSquares, &[vec![0., 0., 0., 1.]], &y, &[0, 1, 2, 3]).unwrap();
        assert!((found[3] - 2.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn probabilities_of_a_logit() {
        let y = [0., 1., 0., 1., 1., 1., 0., 1., 0., 1.];
        let x = vec![vec![0., 0., 0., 0., 0., 1., 1., 1., 1., 1.]];
        let found = predict(Model::Logit, &x, &y, &[0, 0, 1, 1, 1, 0, 0, 1, 1, 1]).unwrap();
        let (first, second) = (2.0 / 3.0, 0.5);
        let expected = [first, first, second, second, second];
        for (f, e) in found.iter().zip(expected.iter().chain(&expected)) {
            assert!((f - e).abs() < 1e-9, "{found:?}");
        }
    }
}
