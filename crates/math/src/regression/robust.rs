//! Standard errors that hold when the spread of the target differs between rows (HC3).

use rayon::prelude::*;

use super::{Design, Fit};

/// Leverage above `1 - SOLE` is 1: the row alone decides a coefficient and has no residual.
const SOLE: f64 = 1e-9;
/// How much of a coefficient such a row must decide, relative to what it could at most.
const PART: f64 = 1e-6;

/// HC3 standard error of a coefficient, and how far it may be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hc3 {
    pub std_error: f64,
    /// Degrees of freedom of the t distribution that fits its own sampling error.
    pub df: f64,
}

/// HC3 standard errors with Satterthwaite degrees of freedom, one per coefficient.
///
/// ```text
/// V_l  = sum_i (b_l' x_i)^2 e_i^2 / (1 - h_i)^2,   b_l' = row l of B = (x'wx)^-1
/// c_i  = sqrt(w_i) b_l' x_i / (1 - h_i),   S = sum_i c_i^2 w_i x_i x_i'
/// df_l = (sum_i c_i^2 (1 - h_i))^2 / (sum_i c_i^4 (1 - 2 h_i) + tr(B S B S))
/// ```
///
/// `V` is a quadratic form of the residuals; `df` matches its first two moments when the spread
/// is equal (Bell and McCaffrey 2002). It is about the number of texts that a rare column is true
/// of, which is what makes tests of rare columns honest. With the logit's weights this is the
/// same for its weighted working regression, as R's `sandwich::vcovHC` has it.
///
/// `None` for a coefficient that a single row decides (leverage 1): that row leaves no residual
/// from which to judge. O(n p^2) at most per coefficient; sums as in [`Design::gram`].
///
/// Source: MacKinnon and White (1985), J. Econometrics 29; Bell and McCaffrey (2002), Survey
/// Methodology 28; Imbens and Kolesar (2016), Rev. Econ. Stat. 98.
#[must_use]
pub fn hc3(x: &Design, fit: &Fit) -> Vec<Option<Hc3>> {
    let leverages = fit.leverages(x);
    (0..x.cols()).into_par_iter().map(|l| of_coefficient(x, fit, &leverages, l)).collect()
}

fn of_coefficient(x: &Design, fit: &Fit, leverages: &[f64], l: usize) -> Option<Hc3> {
    let row: Vec<f64> = fit.inverse.row(l).iter().copied().collect();
    let pulls = x.times(&row);
    let most = fit.inverse[(l, l)].sqrt();
    // c_i^2, and 0 for a row that decides some other coefficient alone.
    let mut squares = Vec::with_capacity(pulls.len());
    let mut variance = 0.0;
    for (i, pull) in pulls.iter().enumerate() {
        let (weight, rest) = (fit.weights[i], 1.0 - leverages[i]);
        if rest < SOLE {
            if pull.abs() * weight.sqrt() > PART * most {
                return None;
            }
            squares.push(0.0);
            continue;
        }
        variance += (pull * fit.residuals[i] / rest).powi(2);
        squares.push(weight * (pull / rest).powi(2));
    }
    let df = satterthwaite(x, fit, leverages, &squares)?;
    Some(Hc3 { std_error: variance.sqrt(), df })
}

fn satterthwaite(x: &Design, fit: &Fit, leverages: &[f64], squares: &[f64]) -> Option<f64> {
    let terms = || squares.iter().zip(leverages);
    let first: f64 = terms().map(|(c, h)| c * (1.0 - h)).sum();
    let own: f64 = terms().map(|(c, h)| c * c * (1.0 - 2.0 * h)).sum();
    let weights: Vec<f64> = squares.iter().zip(&fit.weights).map(|(c, w)| c * w).collect();
    let product = &fit.inverse * x.gram(&weights);
    let shared = product.tr_mul(&product.transpose()).trace();
    let df = first * first / (own + shared);
    df.is_finite().then(|| df.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::least_squares;

    #[test]
    fn two_groups_by_hand() {
        // Group means: V = sum of e^2 / (n_g - 1)^2 over both groups.
        let x = Design::new(7, &[vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]).unwrap();
        let y = [1.0, 3.0, 5.0, 7.0, 2.0, 5.0, 11.0];
        let found = hc3(&x, &least_squares::fit(&x, &y).unwrap())[1].unwrap();
        let expected = (20.0 / 9.0 + (16.0 + 1.0 + 25.0) / 4.0_f64).sqrt();
        assert!((found.std_error - expected).abs() < 1e-12, "{found:?}");
        // Each part is n_g/(n_g-1) times a mean square: a_g = 1/(n_g - 1), df = (sum a)^2 / sum a^2/(n_g-1).
        let (a, b) = (1.0 / 3.0, 1.0 / 2.0_f64);
        let df = (a + b).powi(2) / (a * a / 3.0 + b * b / 2.0);
        assert!((found.df - df).abs() < 1e-12, "{found:?} {df}");
    }

    #[test]
    fn a_column_true_of_one_text_has_no_standard_error() {
        let x = Design::new(6, &[vec![0., 0., 0., 0., 0., 1.], vec![0., 1., 0., 1., 1., 0.]]);
        let x = x.unwrap();
        let y = [1.0, 3.0, 2.0, 5.0, 4.0, 30.0];
        let found = hc3(&x, &least_squares::fit(&x, &y).unwrap());
        assert_eq!(found[1], None);
        // The others are as if that text were not there.
        let x = Design::new(5, &[vec![0., 1., 0., 1., 1.]]).unwrap();
        let without = hc3(&x, &least_squares::fit(&x, &y[..5]).unwrap());
        for (a, b) in [(found[0], without[0]), (found[2], without[1])] {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a.std_error - b.std_error).abs() < 1e-12, "{a:?} {b:?}");
            assert!((a.df - b.df).abs() < 1e-10, "{a:?} {b:?}");
        }
    }
}
