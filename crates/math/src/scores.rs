//! What a neuron scores against the target: separation and correlation.

use rayon::prelude::*;

use crate::error::Result;
use crate::moments::{sums, weighted};
use crate::{Activations, Setting};

/// A target of whose spread less than this share is left is a combination of the controls.
const EXPLAINED: f64 = 1e-9;

/// [`separation_in`] the default setting.
///
/// # Errors
/// As [`separation_in`].
pub fn separation(z: &Activations, y: &[f64], top: Option<usize>) -> Result<Vec<Option<f64>>> {
    separation_in(z, y, top, &Setting::default())
}

/// Mean target where a neuron fires, minus the mean where it does not; means are weighted.
///
/// ```text
/// s[j] = mean { y[i] : z[i,j] > 0 } - mean { y[i] : z[i,j] = 0 }
/// ```
///
/// With controls, `y` is what they leave of the target. With `top`, the first mean is over the
/// `top` texts at most that fire the neuron most, ties by row. Of pairs, whose target changes its
/// sign when the texts are swapped (so 1 and -1 for won and lost), it is the mean of `y` towards
/// the text that fires the neuron more:
///
/// ```text
/// s[j] = mean { sign(z[i,j]) y[i] : z[i,j] != 0 }
/// ```
///
/// `z`: n x m, sparse; `y`: n; returns m values in the unit of `y`, `None` for a neuron that fires
/// on every text or on none, or is excluded. O(nnz + m), with `top` a search in every column; the
/// target is centred first and sums run in row order, hence one result on every machine.
///
/// # Errors
/// [`crate::Error::Shape`] if `y` does not have one entry per row of `z`;
/// [`crate::Error::NotFinite`]; what [`Setting::check`] finds.
pub fn separation_in(
    z: &Activations,
    y: &[f64],
    top: Option<usize>,
    setting: &Setting,
) -> Result<Vec<Option<f64>>> {
    let y = left(z, y, setting)?;
    let (columns, weight) = (z.by_neuron(), |i: usize| setting.weight(i));
    let all = Mean::of((0..y.len()).map(|i| (weight(i), y[i])));
    let score = |j: usize| {
        let firing = |v: f64| if setting.centred { v > 0.0 } else { v != 0.0 };
        let entries: Vec<(usize, f64)> =
            columns.pairs(j).filter(|&(i, _)| weight(i) > 0.0).collect();
        let chosen = strongest(entries.iter().copied().filter(|e| firing(e.1)).collect(), top);
        if !setting.centred {
            return Mean::of(chosen.iter().map(|&(i, v)| (weight(i), v.signum() * y[i]))).value();
        }
        let on = Mean::of(chosen.iter().map(|&(i, _)| (weight(i), y[i])));
        let not_off = Mean::of(entries.iter().map(|&(i, _)| (weight(i), y[i])));
        Some(on.value()? - all.without(&not_off).value()?)
    };
    let mut scores: Vec<Option<f64>> = (0..z.neurons()).into_par_iter().map(score).collect();
    setting.excluded.iter().for_each(|&j| scores[j] = None);
    Ok(scores)
}

/// A weighted sum, the weights' sum and how many there are.
struct Mean {
    sum: f64,
    weight: f64,
    count: usize,
}

impl Mean {
    /// Of (weight, value); those without weight are left out.
    fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        let none = Self { sum: 0.0, weight: 0.0, count: 0 };
        pairs.filter(|(w, _)| *w > 0.0).fold(none, |mean, (w, v)| Self {
            sum: mean.sum + w * v,
            weight: mean.weight + w,
            count: mean.count + 1,
        })
    }

    fn without(&self, part: &Self) -> Self {
        Self {
            sum: self.sum - part.sum,
            weight: self.weight - part.weight,
            count: self.count - part.count,
        }
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0 && self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// The `top` entries of largest size, in row order.
fn strongest(mut firing: Vec<(usize, f64)>, top: Option<usize>) -> Vec<(usize, f64)> {
    let top = top.unwrap_or(usize::MAX);
    if firing.len() > top {
        let by_size = |a: &(usize, f64), b: &(usize, f64)| {
            b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0))
        };
        firing.select_nth_unstable_by(top, by_size);
        firing.truncate(top);
        firing.sort_unstable_by_key(|e| e.0);
    }
    firing
}

/// [`correlation_in`] the default setting.
///
/// # Errors
/// As [`correlation_in`].
pub fn correlation(z: &Activations, y: &[f64]) -> Result<Vec<Option<f64>>> {
    correlation_in(z, y, &Setting::default())
}

/// Correlation of a neuron's activation with the target, given the controls; weighted.
///
/// ```text
/// r[j] = sum_i w[i] x[i,j] u[i] / sqrt(sum_i w[i] x[i,j]^2  sum_i w[i] u[i]^2)
/// ```
///
/// where `x[.,j]` and `u` are what intercept and controls leave of the activation and of the
/// target: without controls Pearson's, of pairs (no intercept) the cosine.
///
/// `z`: n x m, sparse; `y`: n; returns m values in [-1, 1], `None` where the neuron or the target
/// is constant or determined by the controls, or the neuron is excluded. O(nnz (1 + numeric
/// controls) + m) with one factor at most; deterministic as [`separation`] is.
///
/// # Errors
/// As [`separation_in`].
pub fn correlation_in(z: &Activations, y: &[f64], setting: &Setting) -> Result<Vec<Option<f64>>> {
    let y = left(z, y, setting)?;
    let projection = setting.projection(z.rows());
    let moments = weighted(z, setting.weights.as_deref(), setting.centred);
    let squares: Vec<f64> = if projection.is_plain() {
        moments.iter().map(|m| projection.total() * m.sd.powi(2)).collect()
    } else {
        projection.column_squares(&z.by_neuron(), &moments)
    };
    let weighted: Vec<f64> = y.iter().zip(projection.weights()).map(|(y, w)| w * y).collect();
    let rest: f64 = weighted.iter().sum();
    let mut products = sums(z, z.neurons(), |i, sums: &mut [f64]| {
        z.pairs(i).for_each(|(j, v)| sums[j] += f64::from(v) * weighted[i]);
    });
    if setting.centred {
        // What rounding leaves of the target's mean.
        products.iter_mut().zip(&moments).for_each(|(p, m)| *p -= m.mean * rest);
    }
    let spread = projection.squares(&y).sqrt();
    let score = |(product, squares): (&f64, &f64)| {
        let scale = squares.sqrt() * spread;
        (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
    };
    let mut scores: Vec<Option<f64>> = products.iter().zip(&squares).map(score).collect();
    setting.excluded.iter().for_each(|&j| scores[j] = None);
    Ok(scores)
}

/// The `n` neurons of largest score in absolute value, ties by neuron; fewer if fewer have one.
#[must_use]
pub fn top(scores: &[Option<f64>], n: usize) -> Vec<usize> {
    let size = |j: &usize| scores[*j].map_or(0.0, f64::abs);
    let mut order: Vec<usize> = (0..scores.len()).filter(|j| scores[*j].is_some()).collect();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.cmp(b)));
    order.truncate(n);
    order
}

/// What intercept and controls leave of the target; exactly 0 throughout if that is nothing.
fn left(z: &Activations, y: &[f64], setting: &Setting) -> Result<Vec<f64>> {
    let y = setting.target(z, y)?;
    if setting.constant(&y) {
        return Ok(vec![0.0; y.len()]);
    }
    let (projection, centred) = (setting.projection(z.rows()), setting.centred);
    let mean = |p: &[f64]| {
        let sum: f64 = p.iter().zip(projection.weights()).map(|(v, w)| w * v).sum();
        if centred { sum / projection.total() } else { 0.0 }
    };
    let mean = mean(&y);
    let y: Vec<f64> = y.iter().map(|v| v - mean).collect();
    if projection.is_plain() {
        return Ok(y);
    }
    let left = projection.residual(&y);
    let nothing = projection.squares(&left) <= EXPLAINED.powi(2) * projection.squares(&y);
    Ok(if nothing { vec![0.0; y.len()] } else { left })
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
