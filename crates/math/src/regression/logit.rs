//! Logistic regression, with the fit that answers separation.

use super::Design;
use super::glm::{self, Family, Problem};
use crate::error::Result;

pub use super::glm::Found as Logit;

/// Maximises the likelihood of `P(y_i = 1) = 1 / (1 + exp(-x_i' b))`; if its maximum lies at
/// infinity (separation or quasi-separation), the likelihood penalised after Firth.
///
/// `x`: n x p with linearly independent columns; `y`: n values 0 and 1. As [`glm::fit`].
///
/// # Errors
/// Those of [`glm::fit`].
pub fn fit(x: &Design, y: &[f64]) -> Result<Logit> {
    let weights = vec![1.0; y.len()];
    glm::fit(Problem { family: Family::Logit, x, y, weights: &weights, offset: None }, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::Columns;

    fn flags(text: &str) -> Vec<f64> {
        text.chars().map(|c| f64::from(u8::from(c == '1'))).collect()
    }

    fn fitted(columns: &[&str], y: &str) -> Result<Logit> {
        let columns: Vec<Vec<f64>> = columns.iter().map(|c| flags(c)).collect();
        fit(&Design::new(&Columns::new(y.len(), &columns).unwrap()), &flags(y))
    }

    #[test]
    fn two_groups_by_hand() {
        // 1 of 4 without, 3 of 4 with: log-odds -ln 3 and ln 3.
        let found = fitted(&["00001111"], "10001110").unwrap();
        assert!(found.separated.is_empty());
        let expected = [-(3.0_f64.ln()), 2.0 * 3.0_f64.ln()];
        for (b, e) in found.fit.coefficients.iter().zip(expected) {
            assert!((b - e).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn trap_33_separation_is_seen_and_answered() {
        let check = |columns: &[&str], y: &str, separated: &[usize]| {
            let found = fitted(columns, y).unwrap();
            assert_eq!(found.separated, separated, "{columns:?} {y}");
            assert!(found.fit.coefficients.iter().all(|b| b.abs() < 10.0), "{found:?}");
        };
        let overlap = "0101101001";
        check(&["0000011111"], overlap, &[]);
        // Complete: the column is the target.
        check(&[overlap], overlap, &[0, 1]);
        // Quasi-complete: all texts with the first concept are positive, the second overlaps.
        check(&["0101000000", "0011001101"], overlap, &[1]);
        // The target is 1 exactly where either column is.
        check(&["0100100000", "0001001001"], overlap, &[0, 1, 2]);
    }

    #[test]
    fn firth_on_a_separated_table_by_hand() {
        // For a 2 x 2 table Firth's fit adds 1/2 to every cell: 3/10 without, 4/4 with.
        let found = fitted(&["00000000001111"], "11100000001111").unwrap();
        assert_eq!(found.separated, [1]);
        let (without, with) = ((3.5_f64 / 7.5).ln(), (4.5_f64 / 0.5).ln());
        let b = &found.fit.coefficients;
        assert!((b[0] - without).abs() < 1e-8, "{b:?}");
        assert!((b[1] - (with - without)).abs() < 1e-8, "{b:?}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let check = |columns: &[&str], y: &str, expected: &str| {
            assert_eq!(fitted(columns, y).unwrap_err().to_string(), expected);
        };
        check(&["0101"], "1111", "the target has one class only");
        let dependent = "the columns of the regression are linearly dependent; leave some out";
        check(&["1111"], "0101", dependent);
    }
}
