//! How well predictions go with a target, by one of several metrics, beside what the mean achieves.
//!
//! In go a target and a prediction per row, with weights if there are any; out comes the metric.
//! Everything is first brought into a form of which a resample of the rows costs little: sums per
//! unit (a row, or a cluster of rows), or rows sorted by prediction.

use super::pairs::{self, Pairs};
use crate::error::{Error, Result};

/// Predictions of a target, one per row.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'a> {
    pub y: &'a [f64],
    /// A mean, a probability of 1, a mean count, or any score, as the metric has it.
    pub prediction: &'a [f64],
    /// Not negative; 1 throughout if `None`.
    pub weights: Option<&'a [f64]>,
    /// Of counts: how long, or of how many, a row was counted; above 0.
    pub exposure: Option<&'a [f64]>,
    /// Which rows' scores compare: those that one model predicted. All if `None`.
    pub fold: Option<&'a [usize]>,
}

/// What is measured. `w` are the weights, `f` the predictions, `m` the weighted mean of `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `1 - sum w (y - f)^2 / sum w (y - m)^2`.
    RSquared,
    /// `-sum w (y ln f + (1 - y) ln (1 - f)) / sum w`, f clipped by 2.2e-16; `y` is 0 or 1.
    LogLoss,
    /// `sum w (y - f)^2 / sum w`; `y` is 0 or 1.
    Brier,
    /// `1 - log-loss of f / log-loss of m`, the R2 of `McFadden`; `y` is 0 or 1.
    McFadden,
    /// `1 - D(f) / D(null)` of Poisson deviances `D(f) = 2 sum w (y ln (y / f) - y + f)`; null is
    /// one rate for all: the mean, or the exposure times the pooled rate.
    Deviance,
    /// The share of pairs of rows with unequal `y` that `f` puts in order, ties counting half: the
    /// AUC of a target of 0 and 1, `(1 + Somers' D) / 2` of an ordinal or continuous one. Pairs weigh
    /// the product of their rows' weights, and only rows of one fold make pairs.
    Concordance,
}

/// A metric of the predictions, and of a model that knows the mean of the target only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub value: f64,
    pub null: f64,
}

/// The metric; `None` where it has no value (a constant target, no weight at all).
///
/// Sums in row order. O(n); concordance O(n log n).
///
/// # Errors
/// [`Error::Shape`], [`Error::NotFinite`]; [`Error::Data`] for a target, prediction, weight or
/// exposure outside its range.
pub fn score(metric: Metric, predicted: &Predicted) -> Result<Option<Score>> {
    if metric == Metric::Concordance && pairs::is_plain(predicted) {
        check(metric, predicted)?;
        return Ok(pairs::of_two_classes(predicted));
    }
    let kernel = Kernel::new(metric, predicted, &vec![0; predicted.y.len()], 1)?;
    Ok(kernel.score(&[1.0]))
}

/// Units from which on the share of pairs in order is resampled by its linear form, at the cost of
/// a sum: what that leaves out is a ten-thousandth.
const LINEAR: usize = 10_000;

/// Sums of one unit.
type Sums = [f64; 4];

/// A metric as a function of how often each unit of rows counts.
#[derive(Debug)]
pub(crate) enum Kernel {
    Sums { units: Vec<Sums>, finish: fn(&Sums) -> Option<Score> },
    Pairs(Pairs),
}

impl Kernel {
    /// `unit` has the unit of every row, below `units`. Pairs of rows are counted exactly with
    /// few units, and to first order with as many as [`LINEAR`].
    pub fn new(
        metric: Metric,
        predicted: &Predicted,
        unit: &[usize],
        units: usize,
    ) -> Result<Self> {
        check(metric, predicted)?;
        let finish = match metric {
            Metric::RSquared => r_squared,
            Metric::LogLoss => log_loss,
            Metric::Brier => brier,
            Metric::McFadden => mcfadden,
            Metric::Deviance => deviance,
            Metric::Concordance => return Ok(Self::of_pairs(Pairs::new(predicted, unit), units)),
        };
        let mut sums = vec![[0.0; 4]; units];
        let terms = terms(metric, predicted);
        for (i, unit) in unit.iter().enumerate() {
            let add = terms(i);
            sums[*unit].iter_mut().zip(add).for_each(|(sum, v)| *sum += v);
        }
        Ok(Self::Sums { units: sums, finish })
    }

    fn of_pairs(pairs: Pairs, units: usize) -> Self {
        if units < LINEAR {
            return Self::Pairs(pairs);
        }
        Self::Sums { units: pairs.linear(units), finish: |s| pairs::score(s[0], s[1]) }
    }

    /// The metric when unit `u` counts `counts[u]` times.
    pub fn score(&self, counts: &[f64]) -> Option<Score> {
        match self {
            Self::Pairs(pairs) => pairs.score(counts),
            Self::Sums { units, finish } => {
                let mut sums = [0.0; 4];
                for (unit, count) in units.iter().zip(counts) {
                    sums.iter_mut().zip(unit).for_each(|(sum, v)| *sum += count * v);
                }
                finish(&sums).filter(|s| s.value.is_finite() && s.null.is_finite())
            }
        }
    }
}

/// What row `i` adds to the sums.
fn terms<'a>(metric: Metric, p: &'a Predicted) -> Box<dyn Fn(usize) -> Sums + 'a> {
    let weight = |i: usize| p.weights.map_or(1.0, |w| w[i]);
    let squared = |i: usize| (p.y[i] - p.prediction[i]).powi(2);
    match metric {
        Metric::RSquared => {
            // Any centre will do; near the mean, squares lose no precision.
            let centre = p.y.iter().sum::<f64>() / p.y.len().max(1) as f64;
            Box::new(move |i| {
                let (w, y) = (weight(i), p.y[i] - centre);
                [w, w * y, w * y * y, w * squared(i)]
            })
        }
        Metric::Brier => Box::new(move |i| {
            let w = weight(i);
            [w, w * p.y[i], w * squared(i), 0.0]
        }),
        Metric::Deviance => Box::new(move |i| {
            let (w, y, f) = (weight(i), p.y[i], p.prediction[i]);
            let exposure = p.exposure.map_or(1.0, |e| e[i]);
            let entropy = |of: f64| if y > 0.0 { y * (y / of).ln() } else { 0.0 };
            [w * exposure, w * y, w * entropy(exposure), w * (entropy(f) - y + f)]
        }),
        Metric::LogLoss | Metric::McFadden | Metric::Concordance => Box::new(move |i| {
            let (w, y) = (weight(i), p.y[i]);
            let f = p.prediction[i].clamp(f64::EPSILON, 1.0 - f64::EPSILON);
            [w, w * y, -w * if y > 0.5 { f.ln() } else { (1.0 - f).ln() }, 0.0]
        }),
    }
}

/// Sums of w, w y, w y^2, w (y - f)^2.
fn r_squared(s: &Sums) -> Option<Score> {
    let total = s[2] - s[1] * s[1] / s[0];
    // Below, the target is constant to rounding.
    (total > 1e-14 * s[2]).then(|| Score { value: 1.0 - s[3] / total, null: 0.0 })
}

/// Sums of w, w y, w times the loss.
fn log_loss(s: &Sums) -> Option<Score> {
    let share = s[1] / s[0];
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    (s[0] > 0.0).then(|| Score { value: s[2] / s[0], null: part(share) + part(1.0 - share) })
}

fn mcfadden(s: &Sums) -> Option<Score> {
    let loss = log_loss(s).filter(|loss| loss.null > 0.0)?;
    Some(Score { value: 1.0 - loss.value / loss.null, null: 0.0 })
}

/// Sums of w, w y, w (y - f)^2.
fn brier(s: &Sums) -> Option<Score> {
    let share = s[1] / s[0];
    (s[0] > 0.0).then(|| Score { value: s[2] / s[0], null: share * (1.0 - share) })
}

/// Sums of w e, w y, w y ln (y / e), w (y ln (y / f) - y + f).
fn deviance(s: &Sums) -> Option<Score> {
    let total = if s[1] > 0.0 { s[2] - s[1] * (s[1] / s[0]).ln() } else { 0.0 };
    (total > 1e-14 * s[1]).then(|| Score { value: 1.0 - s[3] / total, null: 0.0 })
}

fn check(metric: Metric, p: &Predicted) -> Result<()> {
    let n = p.y.len();
    Error::check_finite("y", p.y)?;
    Error::check_len("prediction", p.prediction.len(), n)?;
    Error::check_finite("prediction", p.prediction)?;
    for (what, values) in [("weights", p.weights), ("exposure", p.exposure)] {
        let Some(values) = values else { continue };
        Error::check_len(what, values.len(), n)?;
        Error::check_finite(what, values)?;
    }
    Error::check_len("fold", p.fold.map_or(n, <[usize]>::len), n)?;
    inside("weight", "not negative", p.weights.unwrap_or(&[]), |w| w >= 0.0)?;
    inside("exposure", "above 0", p.exposure.unwrap_or(&[]), |e| e > 0.0)?;
    match metric {
        Metric::LogLoss | Metric::Brier | Metric::McFadden => {
            inside("target", "0 or 1", p.y, |y| y == 0.0 || y == 1.0)?;
            inside("prediction", "between 0 and 1", p.prediction, |f| (0.0..=1.0).contains(&f))
        }
        Metric::Deviance => {
            inside("target", "not negative", p.y, |y| y >= 0.0)?;
            inside("prediction", "above 0", p.prediction, |f| f > 0.0)
        }
        Metric::RSquared | Metric::Concordance => Ok(()),
    }
}

fn inside(what: &str, range: &str, values: &[f64], good: impl Fn(f64) -> bool) -> Result<()> {
    match values.iter().position(|v| !good(*v)) {
        None => Ok(()),
        Some(row) => Err(Error::Data(format!(
            "the {what} of row {row} is `{}`, it must be {range}",
            values[row]
        ))),
    }
}
