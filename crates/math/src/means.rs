//! The difference of two means, of rows alike or weighted and clustered.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level};
use crate::regression::{Columns, Model, Setup, Variance};

/// Which spreads the standard error of a difference of means rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spreads {
    /// Each group's own, after Welch.
    Own,
    /// One that both share, after Student, where it makes the larger error.
    Common,
}

/// Mean of `a` minus mean of `b`, with a t test and interval.
///
/// ```text
/// se^2 = va/na + vb/nb,   df = se^4 / ((va/na)^2/(na-1) + (vb/nb)^2/(nb-1))
/// ```
///
/// with each group's variance (Welch), or with the pooled one for both where that makes `se` larger:
/// the few values of a small group may happen to be alike, and their own variance then promises
/// too much. In the unit of the values. `None` if either is empty; without error if either has one
/// value only to judge its spread by. O(n), sums in order.
///
/// Source: Welch (1947), Biometrika 34.
#[must_use]
pub fn difference(a: &[f64], b: &[f64], level: Level) -> Option<(Estimate, Spreads)> {
    let sides = [(0, a), (1, b)];
    let values = || sides.into_iter().flat_map(|(side, v)| v.iter().map(move |v| (side, *v)));
    between(&Moments::of(values), level)
}

/// The same of `y` where `present` is 1, minus where it is not, without taking the two apart.
#[must_use]
pub fn difference_where(present: &[f64], y: &[f64], level: Level) -> Option<(Estimate, Spreads)> {
    let values = || present.iter().zip(y).map(|(x, y)| (usize::from(*x != 1.0), *y));
    between(&Moments::of(values), level)
}

/// The difference of two groups.
fn between(of: &Moments, level: Level) -> Option<(Estimate, Spreads)> {
    let &Moments { counts, means, squares } = of;
    if counts.contains(&0) {
        return None;
    }
    let value = means[0] - means[1];
    let freedom = counts.map(|n| (n - 1) as f64);
    if freedom.contains(&0.0) {
        return Some((Estimate::bare(value), Spreads::Own));
    }
    let sizes = counts.map(|n| n as f64);
    let pooled = (squares[0] + squares[1]) / (freedom[0] + freedom[1]);
    let own = Errors::new([squares[0] / freedom[0], squares[1] / freedom[1]], sizes);
    let common = Errors::new([pooled, pooled], sizes);
    let (errors, spreads) = if own.squared() < common.squared() {
        (common, Spreads::Common)
    } else {
        (own, Spreads::Own)
    };
    let estimate = Estimate::student(value, errors.squared().sqrt(), errors.df(freedom), level);
    Some((estimate, spreads))
}

/// How rows were drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sampling<'a> {
    /// Weight of every row, 0 or more; their scale changes nothing.
    pub weights: Option<&'a [f64]>,
    /// Which rows belong together.
    pub clusters: Option<&'a [u32]>,
    /// Of the bootstrap with few clusters.
    pub seed: u64,
}

/// Rows that were picked out, of weight above 0.
pub(crate) struct Picked {
    pub rows: Vec<usize>,
    pub weights: Option<Vec<f64>>,
    pub clusters: Option<Vec<u32>>,
}

impl Sampling<'_> {
    /// Whether rows are alike and independent.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.weights.is_none() && self.clusters.is_none()
    }

    /// The rows out of `n` that `is_wanted` and that have weight.
    pub(crate) fn pick(&self, is_wanted: impl Fn(usize) -> bool, n: usize) -> Result<Picked> {
        if let Some(weights) = self.weights {
            Error::check_len("weights", weights.len(), n)?;
        }
        if let Some(clusters) = self.clusters {
            Error::check_len("clusters", clusters.len(), n)?;
        }
        let has_weight = |i: usize| self.weights.is_none_or(|w| w[i] != 0.0);
        let rows: Vec<usize> = (0..n).filter(|&i| is_wanted(i) && has_weight(i)).collect();
        let weights = self.weights.map(|w| rows.iter().map(|&i| w[i]).collect());
        let clusters = self.clusters.map(|c| rows.iter().map(|&i| c[i]).collect());
        Ok(Picked { rows, weights, clusters })
    }
}

impl Picked {
    /// How many independent rows these are worth at least: their clusters, and not more than their
    /// weights allow (Kish).
    pub fn worth(&self) -> usize {
        let units = self.clusters.as_ref().map_or(self.rows.len(), |codes| {
            let mut codes = codes.clone();
            codes.sort_unstable();
            codes.dedup();
            codes.len()
        });
        let Some(weights) = &self.weights else { return units };
        let (sum, squares) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        // At least one row, and no more than there are.
        let effective = (1..=units).take_while(|k| *k as f64 <= sum * sum / squares * (1.0 + 1e-9));
        effective.last().unwrap_or(1)
    }
}

/// A separation: mean target where a concept is true, minus the mean where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Separation {
    pub mean_present: f64,
    pub mean_absent: f64,
    pub estimate: Estimate,
    /// Where the test comes from; `None` if there is none.
    pub variance: Option<Variance>,
}

/// The difference of weighted means of `y` where `present` is 1 and where it is 0, as a regression
/// on that one column judges it: HC3, CR3, CR2 or the wild cluster bootstrap.
///
/// For rows alike and independent [`difference`] is Welch's test of the same. `None` if either side
/// is empty.
///
/// # Errors
/// [`Error::Data`] if `present` is not 0 and 1; those of [`Setup::infer`].
pub fn separation(
    present: &[f64],
    y: &[f64],
    sampling: &Sampling,
    level: Level,
) -> Result<Option<Separation>> {
    Error::check_len("present", present.len(), y.len())?;
    if present.iter().any(|v| ![0.0, 1.0].contains(v)) {
        return Err(Error::Data("a concept is true, 1, or not, 0".into()));
    }
    let has_weight = |i: usize| sampling.weights.is_none_or(|w| w.get(i) != Some(&0.0));
    let side = |value: f64| (0..y.len()).any(|i| present[i] == value && has_weight(i));
    if !(side(0.0) && side(1.0)) {
        return Ok(None);
    }
    let setup = Setup {
        weights: sampling.weights,
        clusters: sampling.clusters,
        seed: sampling.seed,
        ..Setup::new(Model::LeastSquares, 1, level)
    };
    let found = setup.infer(&Columns::from_fn(y.len(), 1, |i, _| present[i])?, y)?;
    let [mean_absent, estimate] = [found.terms[0].estimate.value, found.terms[1].estimate.value];
    Ok(Some(Separation {
        mean_present: mean_absent + estimate,
        mean_absent,
        estimate: found.terms[1].estimate,
        variance: found.terms[1].variance,
    }))
}

/// The squared standard error of either mean.
struct Errors([f64; 2]);

impl Errors {
    fn new(variances: [f64; 2], sizes: [f64; 2]) -> Self {
        Self([variances[0] / sizes[0], variances[1] / sizes[1]])
    }

    fn squared(&self) -> f64 {
        self.0[0] + self.0[1]
    }

    fn df(&self, freedom: [f64; 2]) -> f64 {
        let [a, b] = self.0;
        let spread = a * a / freedom[0] + b * b / freedom[1];
        // Two groups without any spread: the difference is certain, whatever the degrees of freedom.
        if spread > 0.0 { self.squared().powi(2) / spread } else { freedom[0] + freedom[1] }
    }
}

/// Of two groups: sizes, means, and sums of squares around these.
struct Moments {
    counts: [usize; 2],
    means: [f64; 2],
    squares: [f64; 2],
}

impl Moments {
    /// Of values with their group, 0 or 1, in order.
    fn of<I: Iterator<Item = (usize, f64)>>(values: impl Fn() -> I) -> Self {
        let (mut counts, mut means, mut squares) = ([0; 2], [0.0; 2], [0.0; 2]);
        for (group, v) in values() {
            counts[group] += 1;
            means[group] += v;
        }
        means.iter_mut().zip(counts).for_each(|(mean, n)| *mean /= n as f64);
        for (group, v) in values() {
            squares[group] += (v - means[group]).powi(2);
        }
        Self { counts, means, squares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(a: &[f64], b: &[f64]) -> Option<(Estimate, Spreads)> {
        difference(a, b, Level::new(0.95).unwrap())
    }

    #[test]
    fn small_groups() {
        assert_eq!(found(&[], &[1.0]), None);
        assert_eq!(found(&[3.0], &[1.0, 2.0]), Some((Estimate::bare(1.5), Spreads::Own)));
        let (certain, _) = found(&[3.0, 3.0], &[1.0, 1.0]).unwrap();
        assert_eq!((certain.value, certain.p_value, certain.conf_low), (2.0, Some(0.0), Some(2.0)));
    }

    #[test]
    fn by_hand() {
        // Variances 4 and 1 over 4 and 2 values: squared error 1 + 1/2, df = 2.25 / (1/3 + 1/4).
        let (a, b) =
            ([0.0, 2.0, 4.0, 6.0].map(|v| v * 0.6_f64.sqrt()), [1.0, 1.0 + 2.0_f64.sqrt()]);
        // Pooled 3.25: squared error 2.4375, which is larger; df = 2.4375^2 / (0.2201 + 2.6406).
        let (estimate, spreads) = found(&a, &b).unwrap();
        assert_eq!(spreads, Spreads::Common);
        assert!((estimate.std_error.unwrap() - 2.4375_f64.sqrt()).abs() < 1e-12, "{estimate:?}");
        let df = 2.4375_f64.powi(2) / (0.8125_f64.powi(2) / 3.0 + 1.625_f64.powi(2));
        assert!((estimate.df.unwrap() - df).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn a_few_equal_values_promise_nothing() {
        let many: Vec<f64> = (0..100).map(|i| f64::from(i % 5)).collect();
        let (estimate, spreads) = found(&[4.0, 4.0], &many).unwrap();
        assert_eq!(spreads, Spreads::Common);
        assert!(estimate.df.unwrap() < 1.1 && estimate.p_value.unwrap() > 0.2, "{estimate:?}");
    }
}
