//! How well predictions go with a target: R2 and AUC, with standard errors and intervals.
//!
//! The predictions are taken as given: whether they were made for unseen rows is the caller's
//! business. [`predicted`] has more metrics, with weights; [`crate::resample`] gives any of them an
//! interval.

mod pairs;
pub mod predicted;

pub use predicted::{Metric, Predicted, Score, score};

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// An estimate with its standard error and a normal interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    pub value: f64,
    pub std_error: f64,
    pub conf_low: f64,
    pub conf_high: f64,
}

/// R2 = 1 - sum (y - f)^2 / sum (y - mean y)^2; negative if the mean predicts better.
///
/// The standard error follows from the influence of each row (delta method): with
/// `e_i = (y_i - f_i)^2`, `v_i = (y_i - mean y)^2` and V the mean of the latter, its influence is
/// `-(e_i - (1 - R2) v_i) / V`. `None` if `y` is constant or has fewer than two entries.
#[must_use]
pub fn r_squared(y: &[f64], prediction: &[f64], level: f64) -> Option<Measure> {
    let n = y.len() as f64;
    if y.len() < 2 || prediction.len() != y.len() {
        return None;
    }
    let mean = y.iter().sum::<f64>() / n;
    let total = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
    if total <= 0.0 {
        return None;
    }
    let residual = y.iter().zip(prediction).map(|(y, f)| (y - f).powi(2)).sum::<f64>();
    let ratio = residual / total;
    let influence = |y: f64, f: f64| ((y - f).powi(2) - ratio * (y - mean).powi(2)) * n / total;
    let squares = y.iter().zip(prediction).map(|(&y, &f)| influence(y, f).powi(2)).sum::<f64>();
    let std_error = squares.sqrt() / n;
    let half = quantile(level) * std_error;
    let value = 1.0 - ratio;
    let conf_high = (value + half).min(1.0);
    Some(Measure { value, std_error, conf_low: value - half, conf_high })
}

/// Area under the ROC curve: the chance that a positive row (`y` = 1) scores above a negative one
/// (`y` = 0), ties counting half.
///
/// Standard error of DeLong, DeLong, Clarke-Pearson 1988 from placement values found by one
/// sort (Sun and Xu 2014); the interval is taken on the logit scale and stays within 0 and 1.
/// Where that error is 0 (an area of 0 or 1, or equal scores throughout) the interval is that of
/// Newcombe 2006 (Stat. Med. 25, method 5), which has a width all the same. `None` unless both
/// classes have at least two rows. O(n log n).
#[must_use]
pub fn auc(y: &[f64], score: &[f64], level: f64) -> Option<Measure> {
    auc_within(y, score, &vec![0; y.len()], level)
}

/// The same among rows of equal `group` only: the mean of the groups' areas, weighted by their
/// numbers of pairs.
///
/// Cross-fitted scores come from one model per fold, and the scores of different models do not
/// compare: pooling them pulls the area down. Groups with fewer than two rows of a class are left
/// out; `None` if that leaves none. The variance is that of independent groups.
#[must_use]
pub fn auc_within(y: &[f64], score: &[f64], group: &[usize], level: f64) -> Option<Measure> {
    if y.len() != score.len() || y.len() != group.len() {
        return None;
    }
    let mut rows = vec![Vec::new(); group.iter().max().map_or(0, |g| g + 1)];
    group.iter().enumerate().for_each(|(i, g)| rows[*g].push(i));
    let areas: Vec<Area> = rows.iter().filter_map(|rows| Area::of(y, score, rows)).collect();
    let pairs: f64 = areas.iter().map(Area::pairs).sum();
    if areas.is_empty() {
        return None;
    }
    let mean = |part: fn(&Area) -> f64, power| -> f64 {
        areas.iter().map(|a| (a.pairs() / pairs).powi(power) * part(a)).sum()
    };
    let (value, std_error) = (mean(|a| a.value, 1), mean(|a| a.variance, 2).sqrt());
    let (conf_low, conf_high) = if std_error > 0.0 && value > 0.0 && value < 1.0 {
        logit_interval(value, std_error, level)
    } else {
        let count = |part: fn(&Area) -> f64| areas.iter().map(part).sum();
        newcombe_interval(value, count(|a| a.positives), count(|a| a.negatives), level)
    };
    Some(Measure { value, std_error, conf_low, conf_high })
}

/// Average precision: the mean, over the positive rows (`y` = 1), of the share of positives among
/// the rows that score at least as high; rows of equal score enter together.
///
/// The step-wise area under the precision-recall curve, as scikit-learn's
/// `average_precision_score`. `None` without positive rows. O(n log n).
#[must_use]
pub fn average_precision(y: &[f64], score: &[f64]) -> Option<f64> {
    let positives = y.iter().filter(|&&y| y == 1.0).count() as f64;
    if y.len() != score.len() || positives == 0.0 {
        return None;
    }
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    let (mut seen, mut found, mut area) = (0.0, 0.0, 0.0);
    for equal in order.chunk_by(|&a, &b| score[a] == score[b]) {
        let new = equal.iter().filter(|&&i| y[i] == 1.0).count() as f64;
        seen += equal.len() as f64;
        found += new;
        area += new / positives * (found / seen);
    }
    Some(area)
}

/// The area of one group of rows.
struct Area {
    value: f64,
    variance: f64,
    positives: f64,
    negatives: f64,
}

impl Area {
    /// `None` unless both classes have at least two rows.
    fn of(y: &[f64], score: &[f64], rows: &[usize]) -> Option<Self> {
        let (positive, negative) = by_class(y, score, rows)?;
        let of_positive = placements(&positive, &negative);
        let of_negative: Vec<f64> =
            placements(&negative, &positive).into_iter().map(|share| 1.0 - share).collect();
        let value = of_positive.iter().sum::<f64>() / of_positive.len() as f64;
        let variance = |shares: &[f64]| {
            let n = shares.len() as f64;
            shares.iter().map(|s| (s - value).powi(2)).sum::<f64>() / (n - 1.0) / n
        };
        Some(Self {
            value,
            variance: variance(&of_positive) + variance(&of_negative),
            positives: positive.len() as f64,
            negatives: negative.len() as f64,
        })
    }

    fn pairs(&self) -> f64 {
        self.positives * self.negatives
    }
}

/// Scores of the positive and of the negative rows, each sorted.
fn by_class(y: &[f64], score: &[f64], rows: &[usize]) -> Option<(Vec<f64>, Vec<f64>)> {
    let of = |class: f64| {
        let mut scores: Vec<f64> =
            rows.iter().filter(|&&i| y[i] == class).map(|&i| score[i]).collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let (positive, negative) = (of(1.0), of(0.0));
    (positive.len() >= 2 && negative.len() >= 2).then_some((positive, negative))
}

/// For each of `these`, the share of `others` below it, ties counting half; both sorted.
fn placements(these: &[f64], others: &[f64]) -> Vec<f64> {
    let (mut below, mut not_above) = (0, 0);
    let mut place = |s: f64| {
        while below < others.len() && others[below] < s {
            below += 1;
        }
        while not_above < others.len() && others[not_above] <= s {
            not_above += 1;
        }
        (below + not_above) as f64 / (2 * others.len()) as f64
    };
    these.iter().map(|s| place(*s)).collect()
}

fn logit_interval(value: f64, std_error: f64, level: f64) -> (f64, f64) {
    let logit = (value / (1.0 - value)).ln();
    let half = quantile(level) * std_error / (value * (1.0 - value));
    let back = |l: f64| 1.0 / (1.0 + (-l).exp());
    (back(logit - half), back(logit + half))
}

/// The areas from which `value` is not too far by their own standard error (Hanley and McNeil).
fn newcombe_interval(value: f64, positives: f64, negatives: f64, level: f64) -> (f64, f64) {
    let extra = f64::midpoint(positives, negatives) - 1.0;
    let error = |a: f64| {
        let shape = 1.0 + extra * ((1.0 - a) / (2.0 - a) + a / (1.0 + a));
        (a * (1.0 - a) * shape / (positives * negatives)).sqrt()
    };
    let edge = |end: f64| {
        let (mut inside, mut outside) = (value, end);
        for _ in 0..60 {
            let middle = f64::midpoint(inside, outside);
            if (middle - value).abs() <= quantile(level) * error(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        f64::midpoint(inside, outside)
    };
    (edge(0.0), edge(1.0))
}

/// Two-sided standard normal quantile of a confidence level such as 0.95.
fn quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + level / 2.0)
}
