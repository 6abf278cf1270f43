//! What a neuron scores against the target: separation and correlation.

use crate::Activations;
use crate::error::{Error, Result};
use crate::moments::moments;

/// Mean target where a neuron fires, minus the mean where it does not.
///
/// ```text
/// s[j] = mean { y[i] : z[i,j] > 0 } - mean { y[i] : z[i,j] = 0 }
/// ```
///
/// With `top`, the first mean is over the `top` texts at most that fire the neuron most, ties by
/// row. `z`: n x m, sparse; `y`: n; returns m values in the unit of `y`, `None` for a neuron that
/// fires on every text or on none. O(nnz + m), with `top` a sort of every column; the target is
/// centred first and sums run in row order, hence one result on every machine.
///
/// # Errors
/// [`Error::Shape`] if `y` does not have one entry per row of `z`; [`Error::NotFinite`].
pub fn separation(z: &Activations, y: &[f64], top: Option<usize>) -> Result<Vec<Option<f64>>> {
    let y = centred(z, y)?;
    let all: f64 = y.iter().sum();
    let score = |(rows, values): (Vec<u32>, Vec<f32>)| {
        let of = |&row: &u32| y[row as usize];
        let rest = y.len() - rows.len();
        let rest_sum = all - rows.iter().map(of).sum::<f64>();
        let firing = strongest(&rows, &values, top.unwrap_or(usize::MAX));
        let sum: f64 = firing.iter().map(of).sum();
        (!firing.is_empty() && rest > 0).then(|| sum / firing.len() as f64 - rest_sum / rest as f64)
    };
    Ok(z.columns().into_iter().map(score).collect())
}

/// The rows of the `top` largest of the positive values, in row order.
fn strongest(rows: &[u32], values: &[f32], top: usize) -> Vec<u32> {
    let mut firing: Vec<usize> = (0..rows.len()).filter(|&i| values[i] > 0.0).collect();
    if firing.len() > top {
        firing.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        firing.truncate(top);
        firing.sort_unstable();
    }
    firing.into_iter().map(|i| rows[i]).collect()
}

/// Pearson correlation of a neuron's activation with the target.
///
/// ```text
/// r[j] = sum_i (z[i,j] - mean_j) (y[i] - mean y) / (n sd_j sd_y)
/// ```
///
/// `z`: n x m, sparse; `y`: n; returns m values in [-1, 1], `None` where the neuron or the target
/// is constant. O(nnz + m); deterministic as [`separation`] is.
///
/// # Errors
/// [`Error::Shape`] if `y` does not have one entry per row of `z`; [`Error::NotFinite`].
pub fn correlation(z: &Activations, y: &[f64]) -> Result<Vec<Option<f64>>> {
    let y = centred(z, y)?;
    let n = z.rows() as f64;
    let spread = (y.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    let rest: f64 = y.iter().sum();
    let mut products = vec![0.0; z.neurons()];
    for (i, y) in y.iter().enumerate() {
        for (j, v) in z.pairs(i) {
            products[j] += f64::from(v) * y;
        }
    }
    let score = |(product, m): (&f64, &crate::moments::Moments)| {
        let scale = n * m.sd * spread;
        (scale > 0.0).then(|| ((product - m.mean * rest) / scale).clamp(-1.0, 1.0))
    };
    Ok(products.iter().zip(&moments(z)).map(score).collect())
}

/// The target minus its mean; exactly 0 throughout if it has one value.
fn centred(z: &Activations, y: &[f64]) -> Result<Vec<f64>> {
    Error::check_len("y", y.len(), z.rows())?;
    Error::check_finite("y", y)?;
    if y.iter().all(|v| *v == y[0]) {
        return Ok(vec![0.0; y.len()]);
    }
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    Ok(y.iter().map(|v| v - mean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Activations, Vec<f64>) {
        let rows = [[1.0, 0.0, 5.0, 2.0], [2.0, 0.0, 5.0, 0.0], [0.0, 0.0, 5.0, 0.0]];
        (Activations::from_dense(4, &rows.map(|r| r.to_vec())).unwrap(), vec![7.0, 3.0, 1.0])
    }

    #[test]
    fn separation_by_hand() {
        let (z, y) = sample();
        assert_eq!(separation(&z, &y, None).unwrap(), [Some(4.0), None, None, Some(5.0)]);
    }

    #[test]
    fn of_the_texts_that_fire_most_the_first_count() {
        let (z, y) = sample();
        // Neuron 0 fires most on the second text, neuron 3 on the first alone.
        assert_eq!(separation(&z, &y, Some(1)).unwrap(), [Some(2.0), None, None, Some(5.0)]);
        let rows = [vec![1.0], vec![1.0], vec![0.0]];
        let tied = Activations::from_dense(1, &rows).unwrap();
        assert_eq!(separation(&tied, &y, Some(1)).unwrap(), [Some(6.0)]);
    }

    #[test]
    fn a_negative_difference_is_neither_firing_nor_silent() {
        let mut z = Activations::new(1);
        for difference in [1.0, -1.0, 0.0] {
            z.push_difference([(0, difference)]);
        }
        assert_eq!(separation(&z, &[7.0, 3.0, 1.0], None).unwrap(), [Some(6.0)]);
    }

    #[test]
    fn correlation_by_hand() {
        let (z, y) = sample();
        let found = correlation(&z, &y).unwrap();
        assert_eq!((found[1], found[2]), (None, None));
        // Covariances 2/3 and 20/9; variances of y 56/9, of the neurons 2/3 and 8/9.
        assert!(
            (found[0].unwrap() - (2.0 / 3.0) / (56.0_f64 / 9.0 * 2.0 / 3.0).sqrt()).abs() < 1e-15
        );
        assert!(
            (found[3].unwrap() - (20.0 / 9.0) / (56.0_f64 / 9.0 * 8.0 / 9.0).sqrt()).abs() < 1e-15
        );
    }

    #[test]
    fn a_constant_target_correlates_with_nothing() {
        let (z, _) = sample();
        assert_eq!(correlation(&z, &[0.1; 3]).unwrap(), [None; 4]);
        assert_eq!(separation(&z, &[0.1; 3], None).unwrap(), [Some(0.0), None, None, Some(0.0)]);
    }

    #[test]
    fn bad_targets_are_refused() {
        let (z, _) = sample();
        let message = separation(&z, &[1.0], None).unwrap_err().to_string();
        assert_eq!(message, "`y` has 1 entries, 3 expected");
        let message = correlation(&z, &[1.0, f64::NAN, 0.0]).unwrap_err().to_string();
        assert_eq!(message, "`y` has a value that is not finite at row 1, column 0");
    }
}
