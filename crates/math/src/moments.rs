//! What one pass over sparse activations tells of every neuron: how often, how strongly, how
//! unevenly it fires.

use rayon::prelude::*;

use crate::Activations;

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
const CHUNK: usize = 8192;
/// Spread below which a column counts as constant, relative to its largest value: activations are
/// `f32`, whose rounding alone is 6e-8.
const FLAT: f64 = 1e-6;

/// One neuron over all texts, the texts on which it does not fire counting as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// Number of texts it fires on.
    pub count: usize,
    /// Mean over all texts.
    pub mean: f64,
    /// Standard deviation over all texts (divisor n); 0 if the column is constant.
    pub sd: f64,
    /// Largest value; 0 if it never fires. Of differences, the largest in size.
    pub max: f64,
}

impl Moments {
    /// Whether it fires on some of the `rows` texts but not on all, and so tells texts apart.
    #[must_use]
    pub fn divides(&self, rows: usize) -> bool {
        self.count > 0 && self.count < rows
    }
}

/// The moments of every neuron: [`weighted`] with every weight 1.
#[must_use]
pub fn moments(z: &Activations) -> Vec<Moments> {
    weighted(z, None, true)
}

/// The weighted moments of every neuron, in two passes; rows of weight 0 count nowhere.
///
/// ```text
/// mean[j] = sum_i w[i] z[i,j] / W        W = sum_i w[i]
/// sd[j]^2 = sum_i w[i] (z[i,j] - mean[j])^2 / W
/// ```
///
/// Where nothing is `centred`, as of pairs, `mean` is 0 and `sd` the root mean square. O(nnz + m);
/// rows in pieces of fixed size, whose sums are added in order.
///
/// # Panics
/// If there are weights, but not one per row: the caller's invariant.
#[must_use]
pub fn weighted(z: &Activations, weights: Option<&[f64]>, centred: bool) -> Vec<Moments> {
    assert!(weights.is_none_or(|w| w.len() == z.rows()));
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let total = (0..z.rows()).map(weight).sum::<f64>().max(f64::MIN_POSITIVE);
    let mut all: Vec<Moments> = in_pieces(z, weight, |sum: &mut First, w, v| {
        sum.moments.count += 1;
        sum.moments.mean += w * v;
        sum.moments.max = sum.moments.max.max(v.abs());
        sum.weight += w;
    })
    .into_iter()
    .map(|sum| {
        let mean = if centred { sum.moments.mean / total } else { 0.0 };
        // What the rows on which it does not fire add to the spread.
        let rest = (total - sum.weight).max(0.0) * mean.powi(2);
        Moments { mean, sd: rest, ..sum.moments }
    })
    .collect();
    let means: Vec<f64> = all.iter().map(|neuron| neuron.mean).collect();
    for (neuron, spread) in all.iter_mut().zip(spreads(z, weight, &means)) {
        let sd = ((neuron.sd + spread) / total).sqrt();
        neuron.sd = if sd > FLAT * neuron.max { sd } else { 0.0 };
    }
    all
}

/// The sums of the first pass; `mean` is a sum here.
#[derive(Clone, Copy, Default)]
struct First {
    moments: Moments,
    weight: f64,
}

impl std::ops::AddAssign for First {
    fn add_assign(&mut self, other: Self) {
        self.moments.count += other.moments.count;
        self.moments.mean += other.moments.mean;
        self.moments.max = self.moments.max.max(other.moments.max);
        self.weight += other.weight;
    }
}

/// Sum of the weighted squared distances from the mean, over the rows on which a neuron fires.
fn spreads(z: &Activations, weight: impl Fn(usize) -> f64 + Sync, means: &[f64]) -> Vec<f64> {
    sums(z, means.len(), |i, add| {
        let w = weight(i);
        if w > 0.0 {
            z.pairs(i).for_each(|(j, v)| add[j] += w * (f64::from(v) - means[j]).powi(2));
        }
    })
}

/// One sum per neuron over the entries of rows with weight.
fn in_pieces<S: Default + Clone + Send + std::ops::AddAssign>(
    z: &Activations,
    weight: impl Fn(usize) -> f64 + Sync,
    add: impl Fn(&mut S, f64, f64) + Sync,
) -> Vec<S> {
    sums(z, z.neurons(), |i, sums| {
        let w = weight(i);
        if w > 0.0 {
            z.pairs(i).for_each(|(j, v)| add(&mut sums[j], w, f64::from(v)));
        }
    })
}

/// `m` sums over the rows, to which `add` adds a row; in pieces that are added in order.
pub(crate) fn sums<S: Default + Clone + Send + std::ops::AddAssign>(
    z: &Activations,
    m: usize,
    add: impl Fn(usize, &mut [S]) + Sync,
) -> Vec<S> {
    let pieces: Vec<Vec<S>> = (0..z.rows().div_ceil(CHUNK))
        .into_par_iter()
        .map(|piece| {
            let mut sums = vec![S::default(); m];
            let end = z.rows().min((piece + 1) * CHUNK);
            (piece * CHUNK..end).for_each(|i| add(i, &mut sums));
            sums
        })
        .collect();
    let mut all = vec![S::default(); m];
    for piece in pieces {
        all.iter_mut().zip(piece).for_each(|(sum, part)| *sum += part);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_means_and_spreads() {
        let rows = [[0.0, 0.1, 2.0, 1.0], [0.0, 0.1, 0.0, 3.0], [0.0, 0.1, 4.0, 2.0]];
        let z = Activations::from_dense(4, &rows.map(|r| r.to_vec())).unwrap();
        let found = moments(&z);
        let check = |j: usize, count, mean: f64, sd: f64, max: f64| {
            let got = found[j];
            assert_eq!(got.count, count, "neuron {j}");
            assert!((got.mean - mean).abs() < 1e-8, "neuron {j}: {got:?}");
            assert!((got.sd - sd).abs() < 1e-12, "neuron {j}: {got:?}");
            assert!((got.max - max).abs() < 1e-8, "neuron {j}: {got:?}");
        };
        check(0, 0, 0.0, 0.0, 0.0);
        check(1, 3, 0.1, 0.0, 0.1);
        check(2, 2, 2.0, (8.0_f64 / 3.0).sqrt(), 4.0);
        check(3, 3, 2.0, (2.0_f64 / 3.0).sqrt(), 3.0);
        assert_eq!(
            found.iter().map(|m| m.divides(3)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
    }

    #[test]
    fn a_weight_counts_as_so_many_rows() {
        let rows = [[0.0, 2.0], [1.0, 2.5], [3.0, 0.0], [4.0, 7.0]].map(|r| r.to_vec());
        let z = Activations::from_dense(2, &rows).unwrap();
        let found = weighted(&z, Some(&[2.0, 1.0, 3.0, 0.0]), true);
        let expected = moments(&z.gather(&[0, 0, 1, 2, 2, 2]));
        for (got, expected) in found.iter().zip(expected) {
            assert!((got.mean - expected.mean).abs() < 1e-15, "{got:?} {expected:?}");
            assert!((got.sd - expected.sd).abs() < 1e-15, "{got:?} {expected:?}");
            assert_eq!(got.max, expected.max);
        }
        assert_eq!(found[0].count, 2, "rows, not weights; none of weight 0");
        let about_zero = weighted(&z, None, false)[0];
        assert!((about_zero.sd - 6.5_f64.sqrt()).abs() < 1e-15 && about_zero.mean == 0.0);
    }

    #[test]
    fn no_rows_have_no_moments() {
        assert_eq!(moments(&Activations::new(2)), [Moments::default(); 2]);
    }
}
