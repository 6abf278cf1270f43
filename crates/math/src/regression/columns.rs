//! Which columns a regression with an intercept can tell apart, and why not the others.

/// A column whose part beyond the earlier ones is smaller than this, relative to its spread, is a
/// combination of them. For columns of 0 and 1 that part is 0 or above `1 / sqrt(n)`.
const ALIASED: f64 = 1e-7;

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// It can be fitted.
    Fitted,
    /// It has one value throughout.
    Constant,
    /// It says the same as this earlier, fitted column.
    Same(usize),
    /// It says the opposite of this earlier, fitted column.
    Opposite(usize),
    /// It is a linear combination of several earlier, fitted columns.
    Combination,
}

/// Sorts out `columns`, all of one length, in their order.
///
/// Every column is centred and made orthogonal to the fitted ones before it (Gram and Schmidt,
/// twice); what remains decides. O(n p^2), sums in row order.
#[must_use]
pub fn classify(columns: &[Vec<f64>]) -> Vec<Column> {
    let mut fitted: Vec<Basis> = Vec::new();
    let mut kinds = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let kind = match centred(column) {
            None => Column::Constant,
            Some(unit) => match rest(&unit, &fitted) {
                Some(direction) => {
                    fitted.push(Basis { index, unit, direction });
                    Column::Fitted
                }
                None => twin(&unit, &fitted),
            },
        };
        kinds.push(kind);
    }
    kinds
}

/// A fitted column: its centred self and its part beyond the earlier ones, both of length 1.
struct Basis {
    index: usize,
    unit: Vec<f64>,
    direction: Vec<f64>,
}

/// The column minus its mean, of length 1; `None` if it is constant.
fn centred(column: &[f64]) -> Option<Vec<f64>> {
    if column.iter().all(|v| *v == column[0]) {
        return None;
    }
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    let mut centred: Vec<f64> = column.iter().map(|v| v - mean).collect();
    scale(&mut centred);
    Some(centred)
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
fn twin(unit: &[f64], fitted: &[Basis]) -> Column {
    for Basis { index, unit: other, .. } in fitted {
        let correlation = dot(unit, other);
        if (1.0 - correlation.abs()).abs() < ALIASED {
            return if correlation > 0.0 { Column::Same(*index) } else { Column::Opposite(*index) };
        }
    }
    Column::Combination
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

    fn flags(text: &str) -> Vec<f64> {
        text.chars().map(|c| f64::from(u8::from(c == '1'))).collect()
    }

    #[test]
    fn every_kind_is_named() {
        let check = |columns: &[&str], expected: &[Column]| {
            let columns: Vec<Vec<f64>> = columns.iter().map(|c| flags(c)).collect();
            assert_eq!(classify(&columns), expected);
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
    fn a_million_rows_that_differ_in_one_are_told_apart() {
        let mut first = vec![0.0; 1_000_000];
        first[..500_000].fill(1.0);
        let mut second = first.clone();
        second[7] = 0.0;
        assert_eq!(classify(&[first, second]), [Fitted, Fitted]);
    }
}
