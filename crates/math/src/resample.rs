//! Bootstrap intervals of metrics of predictions that are taken as given.
//!
//! In go out-of-fold predictions and which rows belong together; out comes the metric with an
//! interval, or the difference of a metric between two sets of predictions. What is resampled are
//! whole clusters, or rows if there are none; the predictions are not made anew, so the interval
//! says how well *these* predictions do on other texts like these.

use rand::RngExt;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level, student_p};
use crate::metrics::predicted::{Kernel, Metric, Predicted};
use crate::numbered::numbered;
use crate::random::{permutation, stream};

/// With more units than this they are put together into so many at random. Sums of random parts
/// have the variance of the units' sums, at a fraction of the cost.
const MOST_UNITS: usize = 10_000;

/// How to resample.
#[derive(Debug, Clone, Copy)]
pub struct Resampling<'a> {
    /// Which rows are drawn together; every row alone if `None`.
    pub cluster: Option<&'a [usize]>,
    /// Number of resamples; 1,000 is usual.
    pub draws: usize,
    pub seed: u64,
    pub level: Level,
}

/// A metric with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Without a test in [`interval`], with one against 0 in [`difference`].
    pub estimate: Estimate,
    /// The metric of a model that knows the mean only; of a difference, 0.
    pub null: f64,
    /// Clusters, or rows.
    pub units: usize,
    /// Resamples in which the metric had a value.
    pub draws: usize,
}

/// The metric with a bias-corrected percentile interval; `None` if the metric has no value.
///
/// ```text
/// bounds at Phi(2 z_0 -+ sqrt(G / (G - 1)) t_{G-1, tail}),   Phi(z_0) = share of resamples below the metric
/// ```
///
/// for G units: resamples of R2 or explained deviance lie below it, as a mean fits the rows that it is
/// taken of; and plain percentiles are too narrow with few units. The standard error is that of the
/// resamples times `sqrt(G / (G - 1))`. No interval with fewer than two units, or if half
/// of the resamples have no value.
///
/// Resample b draws from the stream `(seed, "bootstrap b")`, hence no influence of threads.
/// O(draws * G), but O(draws * n) for concordance with fewer than 10,000 units.
///
/// Source: Efron (1981), Nonparametric standard errors and confidence intervals, Can. J. Stat. 9 (bias
/// correction); Hesterberg (2015), What teachers should know about the bootstrap, Am. Stat. 69
/// (expanded percentile); Cameron, Gelbach, Miller (2008), Rev. Econ. Stat. 90 (whole clusters).
///
/// # Errors
/// Those of [`crate::metrics::score`]; [`Error::Shape`] for the clusters; [`Error::Option`] for
/// no draws.
pub fn interval(
    metric: Metric,
    predicted: &Predicted,
    how: &Resampling,
) -> Result<Option<Bootstrap>> {
    let units = Units::new(predicted.y.len(), how)?;
    let kernel = Kernel::new(metric, predicted, &units.of_row, units.parts)?;
    let Some(score) = kernel.score(&vec![1.0; units.parts]) else { return Ok(None) };
    let values = units.resample(how, |counts| Some(kernel.score(counts)?.value));
    Ok(Some(units.summary(score.value, score.null, &values, how)))
}

/// The metric of `a` minus that of `b`, on the same rows and the same resamples, tested against 0.
///
/// The test inverts the interval: p is below 0.05 just where the 95 % interval leaves out 0. Of
/// nested models, both fitted elsewhere, it asks which predicts better, not whether a coefficient
/// is 0. Otherwise as [`interval`].
///
/// # Errors
/// Those of [`interval`]; [`Error::Shape`] or [`Error::Data`] unless the targets are the same.
pub fn difference(
    metric: Metric,
    a: &Predicted,
    b: &Predicted,
    how: &Resampling,
) -> Result<Option<Bootstrap>> {
    Error::check_len("y", b.y.len(), a.y.len())?;
    if let Some(row) = a.y.iter().zip(b.y).position(|(a, b)| a != b) {
        let message = format!("the two predictions are of different targets at row {row}");
        return Err(Error::Data(message));
    }
    let units = Units::new(a.y.len(), how)?;
    let kernel = |p| Kernel::new(metric, p, &units.of_row, units.parts);
    let (a, b) = (kernel(a)?, kernel(b)?);
    let gain = |counts: &[f64]| Some(a.score(counts)?.value - b.score(counts)?.value);
    let Some(value) = gain(&vec![1.0; units.parts]) else { return Ok(None) };
    let values = units.resample(how, gain);
    let mut found = units.summary(value, 0.0, &values, how);
    if found.estimate.std_error.is_some() {
        found.estimate.p_value = units.p_value(value, &values);
    }
    Ok(Some(found))
}

/// What is drawn: clusters or rows, or parts of them put together.
struct Units {
    of_row: Vec<usize>,
    /// Number of clusters or rows.
    count: usize,
    /// Number of things drawn; at most `count`.
    parts: usize,
}

impl Units {
    fn new(rows: usize, how: &Resampling) -> Result<Self> {
        if how.draws == 0 {
            return Err(Error::option("draws", 0, "1 or more"));
        }
        let (mut of_row, count) = match how.cluster {
            None => ((0..rows).collect(), rows),
            Some(cluster) => {
                Error::check_len("cluster", cluster.len(), rows)?;
                numbered(cluster.iter().copied())
            }
        };
        let parts = count.min(MOST_UNITS);
        if count > parts {
            let place = permutation(count, &mut stream(how.seed, "bootstrap parts"));
            for unit in &mut of_row {
                *unit = place[*unit] % parts;
            }
        }
        Ok(Self { of_row, count, parts })
    }

    /// The values of all resamples that have one, in rising order.
    fn resample(&self, how: &Resampling, value: impl Fn(&[f64]) -> Option<f64> + Sync) -> Vec<f64> {
        let draw = |b: usize| {
            let mut stream = stream(how.seed, &format!("bootstrap {b}"));
            let mut counts = vec![0.0; self.parts];
            for _ in 0..self.parts {
                counts[stream.random_range(0..self.parts)] += 1.0;
            }
            value(&counts)
        };
        let drawn: Vec<Option<f64>> = (0..how.draws).into_par_iter().map(draw).collect();
        let mut values: Vec<f64> = drawn.into_iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn summary(&self, value: f64, null: f64, values: &[f64], how: &Resampling) -> Bootstrap {
        let bounds = (values.len() >= 2 && 2 * values.len() > how.draws)
            .then(|| how.level.student_quantile(self.freedom()))
            .flatten()
            .map(|t| {
                let at = |z: f64| quantile(values, Normal::standard().cdf(z));
                let (middle, reach) = (2.0 * bias(value, values), t * self.scale());
                (at(middle - reach), at(middle + reach))
            });
        let estimate = match bounds {
            None => Estimate::bare(value),
            Some((low, high)) => Estimate {
                std_error: Some(self.scale() * spread(values)),
                conf_low: Some(low),
                conf_high: Some(high),
                ..Estimate::bare(value)
            },
        };
        Bootstrap { estimate, null, units: self.count, draws: values.len() }
    }

    /// The level at which the interval would just leave out 0; the share of resamples on one side of
    /// 0 counts for 1 / (draws + 1) at least.
    fn p_value(&self, value: f64, values: &[f64]) -> Option<f64> {
        let z = |count: usize| {
            let share = (count + 1) as f64 / (values.len() + 1) as f64;
            Normal::standard().inverse_cdf(share.min(1.0 - f64::EPSILON))
        };
        let below = z(values.iter().filter(|v| **v <= 0.0).count());
        let above = z(values.iter().filter(|v| **v >= 0.0).count());
        let middle = 2.0 * bias(value, values);
        let least = (below - middle).min(above + middle).min(0.0);
        student_p(least / self.scale(), self.freedom())
    }

    fn freedom(&self) -> f64 {
        self.count as f64 - 1.0
    }

    fn scale(&self) -> f64 {
        (self.count as f64 / self.freedom()).sqrt()
    }
}

/// How far the value lies above the middle of the resamples, as a normal quantile; no further than 1.
fn bias(value: f64, values: &[f64]) -> f64 {
    let below = values.iter().filter(|v| **v < value).count() as f64;
    let equal = values.iter().filter(|v| **v == value).count() as f64;
    let share = (below + 0.5 * equal) / values.len() as f64;
    let [low, high] = [-1.0, 1.0].map(|z| Normal::standard().cdf(z));
    Normal::standard().inverse_cdf(share.clamp(low, high))
}

/// Linear between the order statistics, as numpy's default.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let next = sorted[(low + 1).min(sorted.len() - 1)];
    sorted[low] + part * (next - sorted[low])
}

fn spread(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}
