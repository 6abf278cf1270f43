//! Which columns a regression can tell apart from what else is in it, and why not the others.

use std::borrow::Cow;

use rayon::prelude::*;

use super::absorb::{Absorber, Factor};
use super::{Columns, Design};
use crate::error::{Error, Result};

/// A column whose part beyond the earlier ones is smaller than this, relative to its spread, is a
/// combination of them. For columns of 0 and 1 that part is 0 or above `1 / sqrt(n)`.
const ALIASED: f64 = 1e-7;
/// A column of which the levels of factors leave less than this, relative to itself, does not vary
/// within them.
const WITHIN: f64 = 1e-9;
/// A column whose part beyond the others is larger than this, relative to itself and squared, is
/// independent of them whatever the rounding of a Gram matrix.
const APART: f64 = 1e-5;

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// It can be fitted.
    Fitted,
    /// It has one value throughout; without an intercept, 0.
    Constant,
    /// It says the same as this earlier, fitted column.
    Same(usize),
    /// It says the opposite of this earlier, fitted column.
    Opposite(usize),
    /// It is a linear combination of several earlier, fitted columns.
    Combination,
    /// It is a linear combination of the controls, or of them and earlier columns.
    Controls,
    /// It does not vary within the levels of the absorbed factors.
    Absorbed,
}

/// What is in the regression before the columns.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    pub intercept: bool,
    /// `None` if there are none.
    pub controls: Option<&'a Columns>,
    /// Factors whose levels are taken out of all columns; they include the intercept.
    pub absorbed: &'a [&'a [u32]],
    /// Rows of weight 0 are not looked at.
    pub weights: Option<&'a [f64]>,
}

impl Given<'_> {
    /// Nothing, not even an intercept.
    pub const NOTHING: Self =
        Self { intercept: false, controls: None, absorbed: &[], weights: None };
}

/// Sorts out `columns`, all of one length, in their order, beside an intercept.
///
/// Every column is centred and made orthogonal to the fitted ones before it (Gram and Schmidt,
/// twice); what remains decides. O(n p^2), sums in row order.
#[must_use]
pub fn classify(columns: &Columns) -> Vec<Column> {
    if are_apart(columns, &Given { intercept: true, ..Given::NOTHING }) {
        return vec![Column::Fitted; columns.cols()];
    }
    let centred = |j: usize| centred(&columns.column(j));
    sort_out(&[], (0..columns.cols()).into_par_iter().map(centred).collect(), Column::Constant)
}

/// Sorts out `columns` as [`classify`] does, beside what is `given`: controls come first, so that
/// what is aliased with them is the column.
///
/// # Errors
/// [`Error::Shape`] for columns, factors or weights of different lengths; [`Error::Diverged`] if
/// the absorbed factors cannot be taken out.
pub fn classify_beside(columns: &Columns, given: &Given) -> Result<Vec<Column>> {
    let rows = columns.rows();
    Error::check_len("column", given.controls.map_or(rows, Columns::rows), rows)?;
    for factor in given.absorbed {
        Error::check_len("absorbed", factor.len(), rows)?;
    }
    let seen: Vec<f64> = match given.weights {
        None => vec![1.0; rows],
        Some(weights) => {
            Error::check_len("weights", weights.len(), rows)?;
            weights.iter().map(|w| f64::from(u8::from(*w > 0.0))).collect()
        }
    };
    if are_apart(columns, given) {
        return Ok(vec![Column::Fitted; columns.cols()]);
    }
    let factors: Vec<Factor> = given.absorbed.iter().map(|f| Factor::new(f)).collect();
    let absorber = (!factors.is_empty()).then(|| Absorber::new(&factors, &seen));
    let unit = |column: Vec<f64>| -> Result<Option<Vec<f64>>> {
        if let Some(absorber) = &absorber {
            return within(absorber, &column, &seen);
        }
        let kept = column.iter().zip(&seen).filter(|(_, s)| **s > 0.0).map(|(v, _)| *v);
        let kept: Vec<f64> = kept.collect();
        Ok(if given.intercept { centred(&kept) } else { scaled(kept) })
    };
    let all = |columns: &Columns| -> Result<Vec<_>> {
        (0..columns.cols()).into_par_iter().map(|j| unit(columns.column(j))).collect()
    };
    let nothing = if absorber.is_some() { Column::Absorbed } else { Column::Constant };
    let controls = given.controls.map_or(Ok(Vec::new()), all)?;
    Ok(sort_out(&controls, all(columns)?, nothing))
}

/// Whether columns and controls are so different that no closer look is needed: one Gram matrix
/// and its factor say so, at a fraction of the cost.
fn are_apart(columns: &Columns, given: &Given) -> bool {
    let rows = columns.rows();
    if !given.absorbed.is_empty() || rows == 0 {
        return false;
    }
    let beside = given.controls.filter(|controls| controls.cols() > 0);
    let all = match beside.map(|controls| controls.beside(columns)) {
        None => Cow::Borrowed(columns),
        Some(Ok(all)) => Cow::Owned(all),
        Some(Err(_)) => return false,
    };
    let x = Design::with(&all, given.intercept);
    let seen = |w: &f64| f64::from(u8::from(*w > 0.0));
    let weights = given.weights.map_or(vec![1.0; rows], |w| w.iter().map(seen).collect());
    let gram = x.gram(&weights);
    let scale = gram.diagonal().map(|d| 1.0 / d.sqrt());
    if !scale.iter().all(|s| s.is_finite()) {
        return false;
    }
    let scaled = gram.map_with_location(|i, j, g| g * scale[i] * scale[j]);
    let Some(factor) = scaled.cholesky() else { return false };
    factor.l_dirty().diagonal().iter().all(|d| d * d > APART)
}

/// The same of columns that are prepared: of length 1, or `None` where nothing is left of them,
/// which is then called `nothing`.
fn sort_out(
    controls: &[Option<Vec<f64>>],
    columns: Vec<Option<Vec<f64>>>,
    nothing: Column,
) -> Vec<Column> {
    let mut before: Vec<Basis> = Vec::new();
    for unit in controls.iter().flatten() {
        if let Some(direction) = rest(unit, &before) {
            before.push(Basis { index: None, unit: Vec::new(), direction });
        }
    }
    let mut kinds = Vec::new();
    for (index, unit) in columns.into_iter().enumerate() {
        let kind = match unit {
            None => nothing,
            Some(unit) => match rest(&unit, &before) {
                Some(direction) => {
                    before.push(Basis { index: Some(index), unit, direction });
                    Column::Fitted
                }
                None => twin(&unit, &before),
            },
        };
        kinds.push(kind);
    }
    kinds
}

/// What the levels of factors leave of a column, of length 1.
fn within(absorber: &Absorber, column: &[f64], seen: &[f64]) -> Result<Option<Vec<f64>>> {
    let kept: Vec<f64> = column.iter().zip(seen).map(|(v, s)| v * s).collect();
    let before = dot(&kept, &kept).sqrt();
    let mut left = absorber.within_one(kept)?;
    left.iter_mut().zip(seen).for_each(|(v, s)| *v *= s);
    let is_left = dot(&left, &left).sqrt() > WITHIN * before;
    Ok(if is_left { scaled(left) } else { None })
}

/// A control, or a fitted column: its prepared self and its part beyond the earlier ones, both of
/// length 1.
struct Basis {
    /// `None` for a control, of which only the part is kept.
    index: Option<usize>,
    unit: Vec<f64>,
    direction: Vec<f64>,
}

/// The column minus its mean, of length 1; `None` if it is constant.
fn centred(column: &[f64]) -> Option<Vec<f64>> {
    if column.iter().all(|v| *v == column[0]) {
        return None;
    }
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    scaled(column.iter().map(|v| v - mean).collect())
}

/// The column, of length 1; `None` if it is 0.
fn scaled(mut column: Vec<f64>) -> Option<Vec<f64>> {
    (column.iter().any(|v| *v != 0.0)).then(|| {
        scale(&mut column);
        column
    })
}

/// The part of `unit` that is orthogonal to all fitted columns, of length 1; `None` if there is
/// none.
fn rest(unit: &[f64], fitted: &[Basis]) -> Option<Vec<f64>> {
    let mut rest = unit.to_vec();
    for _ in 0..2 {
        for Basis { direction, .. } in fitted {
            let share = dot(&rest, direction);
            rest.iter_mut().zip(direction).for_each(|(r, d)| *r -= share * d);
        }
    }
    (dot(&rest, &rest).sqrt() > ALIASED).then(|| {
        scale(&mut rest);
        rest
    })
}

/// The single fitted column that an aliased one repeats, if there is one.
fn twin(unit: &[f64], before: &[Basis]) -> Column {
    for Basis { index, unit: other, .. } in before {
        let Some(index) = index else { continue };
        let correlation = dot(unit, other);
        if (1.0 - correlation.abs()).abs() < ALIASED {
            return if correlation > 0.0 { Column::Same(*index) } else { Column::Opposite(*index) };
        }
    }
    let controls = before.iter().any(|b| b.index.is_none());
    if controls { Column::Controls } else { Column::Combination }
}

fn scale(v: &mut [f64]) {
    let length = dot(v, v).sqrt();
    for v in v.iter_mut() {
        *v /= length;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::Column::{Combination, Constant, Fitted, Opposite, Same};
    use super::*;

    fn columns(all: &[&str]) -> Columns {
        let flag = |i: usize, j: usize| f64::from(u8::from(all[j].as_bytes()[i] == b'1'));
        Columns::from_fn(all.first().map_or(0, |c| c.len()), all.len(), flag).unwrap()
    }

    #[test]
    fn every_kind_is_named() {
        let check = |all: &[&str], expected: &[Column]| {
            assert_eq!(classify(&columns(all)), expected);
        };
        check(&["110010", "011000"], &[Fitted, Fitted]);
        check(&["111111", "000000", "010101"], &[Constant, Constant, Fitted]);
        check(&["110010", "001101", "110010"], &[Fitted, Opposite(0), Same(0)]);
        check(&["110000", "001000", "111000"], &[Fitted, Fitted, Combination]);
        check(&["110000", "001100", "000011"], &[Fitted, Fitted, Combination]);
        check(&["111111", "110000", "001111", "110000"], &[Constant, Fitted, Opposite(1), Same(1)]);
        check(&[], &[]);
        check(&["", ""], &[Constant, Constant]);
    }

    #[test]
    fn what_is_given_comes_first() {
        let check = |of: &[&str], given: Given, expected: &[Column]| {
            assert_eq!(classify_beside(&columns(of), &given).unwrap(), expected);
        };
        let bare = Given::NOTHING;
        check(&["1111", "0000", "1100"], bare, &[Fitted, Constant, Fitted]);
        let controls = columns(&["1100"]);
        let given = Given { intercept: true, controls: Some(&controls), ..bare };
        check(&["0011", "1010", "1010"], given, &[Column::Controls, Fitted, Same(1)]);
        let factor: &[u32] = &[5, 5, 9, 9];
        let given = Given { absorbed: &[factor], ..bare };
        check(&["0011", "1010", "0110"], given, &[Column::Absorbed, Fitted, Fitted]);
        let given = Given { intercept: true, weights: Some(&[1.0, 2.0, 0.0, 1.0]), ..bare };
        check(&["1101", "1000", "1010"], given, &[Constant, Fitted, Same(1)]);
    }

    #[test]
    fn a_million_rows_that_differ_in_one_are_told_apart() {
        let flag = |i, j| f64::from(u8::from(i < 500_000 && (i, j) != (7, 1)));
        let columns = Columns::from_fn(1_000_000, 2, flag).unwrap();
        assert_eq!(classify(&columns), [Fitted, Fitted]);
    }
}
