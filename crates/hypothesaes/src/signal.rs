//! The signal check: can the embeddings tell the target at all? Asked before anything costs time.
//!
//! In go the vectors and targets of the discover and validation texts, out comes the
//! cross-validated fit of a ridge regression, beside the same on shuffled targets. Held-out texts
//! stay untouched.

use std::borrow::Cow;
use std::fmt;

use hypothesaes_math::crossfit;
use hypothesaes_math::metrics::{self, Measure};
use hypothesaes_math::random;
use hypothesaes_math::ridge::CrossValidated;
use hypothesaes_math::svd::{Product, SvdOptions, truncated};
use hypothesaes_math::vector::dot;
use hypothesaes_math::{Error as MathError, Matrix, Sparse};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Task;
use crate::table::{Column, Table};

/// Goes up with every change that makes equal input give another result.
pub const VERSION: u32 = 1;

const N_FOLDS: usize = 5;
const N_PERMUTATIONS: usize = 10;
const LEVEL: f64 = 0.95;
/// Dimensions that the ridge is fitted on; of more, the leading ones of so many texts.
const MAX_DIM: usize = 256;
const MAX_ROWS: usize = 3000;

/// What the check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// `auc` for classes, of several the mean over each against all others; else `r_squared`.
    pub metric: String,
    /// Of cross-validated predictions; `None` if there are too few texts to tell.
    pub fit: Option<Measure>,
    /// The same on shuffled targets: mean and largest value of ten.
    pub permuted_mean: Option<f64>,
    pub permuted_max: Option<f64>,
    pub n: usize,
    /// Whether the interval and the shuffled targets leave no doubt that there is something.
    pub is_present: bool,
    /// One sentence for the user.
    pub advice: String,
}

/// Cross-validated ridge from `x` (n x d) to `y`, and the same on `y` shuffled. Counts are taken as
/// `log(1 + y)`.
///
/// `unit[i]` tells what a text must share a fold with: its group, or its equal texts.
///
/// # Errors
/// [`crate::Error::Math`] if shapes differ or `x` is not finite.
pub fn check(x: &Matrix, y: &[f64], unit: &[u32], task: &Task, seed: u64) -> Result<Signal> {
    let outcomes = Outcomes::of(y, task);
    let metric = if outcomes.are_classes { "auc" } else { "r_squared" };
    let fold = crossfit::folds_of_units(unit, N_FOLDS, seed, "signal folds");
    let x = &*reduced(x, seed)?;
    let ridge = match CrossValidated::new(x, &fold, N_FOLDS) {
        Ok(ridge) => ridge,
        Err(MathError::Data(_)) => return Ok(judged(metric, None, &[], y.len())),
        Err(e) => return Err(e.into()),
    };
    let fit = outcomes.measure(&ridge)?;
    let mut stream = random::stream(seed, "signal permutations");
    let mut permuted = Vec::new();
    for _ in 0..N_PERMUTATIONS {
        let order = random::permutation(y.len(), &mut stream);
        permuted.extend(outcomes.shuffled(&order).measure(&ridge)?.map(|m| m.value));
    }
    Ok(judged(metric, fit, &permuted, y.len()))
}

/// `x` along its leading directions if it has more dimensions than the ridge can take in a second or
/// two. The directions know nothing of the target.
pub(crate) fn reduced(x: &Matrix, seed: u64) -> Result<Cow<'_, Matrix>> {
    if x.cols() <= MAX_DIM {
        return Ok(Cow::Borrowed(x));
    }
    let mut stream = random::stream(seed, "signal directions");
    let mut rows = random::permutation(x.rows(), &mut stream);
    rows.truncate(MAX_ROWS);
    rows.sort_unstable();
    let mut sample = Sparse::new(x.cols());
    for row in rows {
        sample.push_row((0u32..).zip(x.row(row).iter().copied()));
    }
    let size = SvdOptions { rank: MAX_DIM, oversample: 16, iterations: 1 };
    let right = truncated(&Product::new(vec![sample])?, size, &mut stream)?.right;
    let directions: Vec<Vec<f32>> =
        (0..right.cols()).map(|j| (0..right.rows()).map(|i| right.row(i)[j]).collect()).collect();
    let mut out = Matrix::zeros(x.rows(), directions.len());
    if !directions.is_empty() {
        let rows = out.data_mut().par_chunks_exact_mut(directions.len());
        rows.enumerate().for_each(|(i, row)| {
            for (value, direction) in row.iter_mut().zip(&directions) {
                *value = dot(x.row(i), direction);
            }
        });
    }
    Ok(Cow::Owned(out))
}

/// Numbers the texts by what they must share a fold with: their group, else their own wording.
pub fn units<'a>(texts: impl Iterator<Item = &'a str>, group: Option<&[u32]>) -> Vec<u32> {
    if let Some(group) = group {
        return group.to_vec();
    }
    let mut seen = FxHashMap::default();
    texts
        .map(|text| {
            let next = u32::try_from(seen.len()).expect("fewer than 2^32 texts");
            *seen.entry(text).or_insert(next)
        })
        .collect()
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(fit), Some(permuted)) = (self.fit, self.permuted_mean) {
            let metric = if self.metric == "auc" { "AUC" } else { "R2" };
            write!(
                f,
                "ridge on the embeddings, cross-validated: {metric} = {:.2} [{:.2}, {:.2}] \
                 (shuffled target: {permuted:.2}); ",
                fit.value, fit.conf_low, fit.conf_high
            )?;
        }
        f.write_str(&self.advice)
    }
}

impl Signal {
    /// Table `signal`: one row.
    pub fn table(&self) -> Table {
        let number =
            |name, description, value| Column::number(name, "metric", description, [value]);
        let columns = vec![
            Column::text("metric", "auc of classes, else r_squared", [Some(self.metric.clone())]),
            number(
                "estimate",
                "of a ridge regression on the embeddings, cross-validated",
                self.fit.map(|m| m.value),
            ),
            number("std_error", "its standard error", self.fit.map(|m| m.std_error)),
            number("conf_low", "lower end of its 95 % interval", self.fit.map(|m| m.conf_low)),
            number("conf_high", "upper end of its 95 % interval", self.fit.map(|m| m.conf_high)),
            number("permuted_mean", "mean over ten shuffled targets", self.permuted_mean),
            number("permuted_max", "largest of ten shuffled targets", self.permuted_max),
            Column::integer("n", "texts", "discover and validation texts", [Some(self.n)]),
            Column::flag(
                "is_present",
                "whether the embeddings tell the target beyond doubt",
                [Some(self.is_present)],
            ),
        ];
        Table { name: "signal", columns }
    }
}

/// What is to be predicted: one column, or one for every class.
struct Outcomes {
    columns: Vec<Vec<f64>>,
    are_classes: bool,
}

impl Outcomes {
    fn of(y: &[f64], task: &Task) -> Self {
        let (columns, are_classes) = match task {
            Task::Continuous | Task::Ordinal { .. } => (vec![y.to_vec()], false),
            Task::Count => (vec![y.iter().map(|v| v.ln_1p()).collect()], false),
            Task::Binary { .. } => (vec![y.to_vec()], true),
            Task::Multiclass { classes } => {
                ((0..classes.len()).map(|class| indicator(y, class)).collect(), true)
            }
        };
        Self { columns, are_classes }
    }

    fn shuffled(&self, order: &[usize]) -> Self {
        let shuffle = |column: &Vec<f64>| order.iter().map(|&i| column[i]).collect();
        Self { columns: self.columns.iter().map(shuffle).collect(), are_classes: self.are_classes }
    }

    /// The mean over the columns that can be measured.
    fn measure(&self, ridge: &CrossValidated) -> Result<Option<Measure>> {
        let mut found: Vec<Measure> = Vec::new();
        for y in &self.columns {
            let prediction = ridge.predict(y)?;
            found.extend(if self.are_classes {
                metrics::auc(y, &prediction, LEVEL)
            } else {
                metrics::r_squared(y, &prediction, LEVEL)
            });
        }
        let mean =
            |part: fn(&Measure) -> f64| found.iter().map(part).sum::<f64>() / found.len() as f64;
        Ok((!found.is_empty()).then(|| Measure {
            value: mean(|m| m.value),
            // As if the classes erred together.
            std_error: mean(|m| m.std_error),
            conf_low: mean(|m| m.conf_low),
            conf_high: mean(|m| m.conf_high),
        }))
    }
}

/// 1 where `y` is `class`, else 0.
pub(crate) fn indicator(y: &[f64], class: usize) -> Vec<f64> {
    y.iter().map(|v| f64::from(u8::from(*v == class as f64))).collect()
}

fn judged(metric: &str, fit: Option<Measure>, permuted: &[f64], n: usize) -> Signal {
    let nothing = if metric == "auc" { 0.5 } else { 0.0 };
    let permuted_max = permuted.iter().copied().reduce(f64::max);
    let permuted_mean = permuted_max.map(|_| permuted.iter().sum::<f64>() / permuted.len() as f64);
    let is_present = fit.is_some_and(|m| {
        m.conf_low > nothing && permuted_max.is_none_or(|largest| m.value > largest)
    });
    let advice = match fit {
        None => "too few texts to tell whether there is a signal".into(),
        Some(_) if is_present => "there is a signal, worth going on".into(),
        Some(_) => "no signal: the embeddings tell the target no better than a shuffled one; \
                    expect that no hypothesis holds on held-out texts, check the target column \
                    or bring more texts"
            .into(),
    };
    Signal { metric: metric.into(), fit, permuted_mean, permuted_max, n, is_present, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform from -0.5 to 0.5.
    fn noise(n: usize, purpose: &str) -> Vec<f64> {
        let order = random::permutation(n, &mut random::stream(1, purpose));
        order.into_iter().map(|rank| (rank as f64 + 0.5) / n as f64 - 0.5).collect()
    }

    #[expect(clippy::cast_possible_truncation)]
    fn data(n: usize, effect: f64) -> (Matrix, Vec<f64>, Vec<u32>) {
        let x = noise(n * 4, "x");
        let y = noise(n, "y").iter().enumerate().map(|(i, e)| effect * x[i * 4] + e).collect();
        let x = Matrix::from_vec(n, 4, x.iter().map(|v| *v as f32).collect()).unwrap();
        (x, y, (0..n as u32).collect())
    }

    #[test]
    fn finds_a_signal_and_its_absence() {
        for (effect, present) in [(1.0, true), (0.0, false)] {
            let (x, y, unit) = data(400, effect);
            let signal = check(&x, &y, &unit, &Task::Continuous, 0).unwrap();
            assert_eq!(signal.is_present, present, "{signal:?}");
            let task = Task::Binary { positive: "1".into(), negative: "0".into() };
            let y: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v > 0.0))).collect();
            let signal = check(&x, &y, &unit, &task, 0).unwrap();
            assert_eq!(signal.is_present, present, "{signal:?}");
        }
    }

    #[test]
    fn classes_and_counts_have_a_signal_too() {
        let (x, y, unit) = data(400, 1.0);
        let third = |v: f64| if v < -0.3 { 0.0 } else { f64::from(u8::from(v > 0.3)) + 1.0 };
        let classes: Vec<f64> = y.iter().map(|v| third(*v)).collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let signal = check(&x, &classes, &unit, &Task::Multiclass { classes: names }, 0).unwrap();
        assert!(signal.is_present && signal.metric == "auc", "{signal:?}");
        let counts: Vec<f64> = y.iter().map(|v| (20.0 * (v + 1.0)).round()).collect();
        let signal = check(&x, &counts, &unit, &Task::Count, 0).unwrap();
        assert!(signal.is_present && signal.metric == "r_squared", "{signal:?}");
    }

    #[test]
    fn too_few_texts_are_no_panic() {
        for n in 0..4 {
            let (x, y, unit) = data(n, 1.0);
            assert!(!check(&x, &y, &unit, &Task::Continuous, 0).unwrap().is_present);
        }
    }

    #[test]
    fn equal_texts_and_groups_share_a_fold() {
        let texts = ["a", "b", "a", "c"];
        assert_eq!(units(texts.into_iter(), None), [0, 1, 0, 2]);
        assert_eq!(units(texts.into_iter(), Some(&[5, 5, 1, 1])), [5, 5, 1, 1]);
        let fold = crossfit::folds_of_units(&[0, 1, 0, 2, 2, 3, 4, 5], N_FOLDS, 3, "test");
        assert_eq!((fold[0], fold[3]), (fold[2], fold[4]));
    }
}
