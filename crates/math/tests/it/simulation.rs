//! How often tests and intervals err when the truth is known. Seeded, so that they err alike
//! every time.

use hypothesaes_math::multiplicity::holm;
use hypothesaes_math::proportions::Share;
use hypothesaes_math::random::{Stream, stream};
use hypothesaes_math::regression::columns::{Column, classify};
use hypothesaes_math::regression::{Model, infer};
use hypothesaes_math::{Level, crossfit, means, metrics, proportions};
use rand::RngExt;

use crate::support::packed;

fn level() -> Level {
    Level::new(0.95).unwrap()
}

fn column(random: &mut Stream, n: usize, share: f64) -> Vec<f64> {
    (0..n).map(|_| f64::from(u8::from(random.random_bool(share)))).collect()
}

/// Targets that have nothing to do with any column.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// One to five, mostly four and five: a few texts often share one value.
    Stars,
    /// Nine zeros in ten.
    Counts,
    /// 1 with this chance.
    Class(f64),
}

impl Target {
    fn draw(self, random: &mut Stream, n: usize) -> Vec<f64> {
        let mut one = || {
            let u: f64 = random.random();
            match self {
                Self::Stars => {
                    1.0 + [0.1, 0.19, 0.33, 0.63]
                        .map(|c| f64::from(u8::from(u > c)))
                        .iter()
                        .sum::<f64>()
                }
                Self::Counts => (u - 0.9).max(0.0) * 50.0,
                Self::Class(share) => f64::from(u8::from(u < share)),
            }
        };
        (0..n).map(|_| one()).collect()
    }

    fn model(self) -> Model {
        match self {
            Self::Class(_) => Model::Logit,
            _ => Model::LeastSquares,
        }
    }
}

/// Two-sided p-values of each column by itself.
fn single(columns: &[Vec<f64>], y: &[f64], model: Model) -> Vec<Option<f64>> {
    let one = |column: &Vec<f64>| {
        let side = |value: f64| -> Vec<f64> {
            column.iter().zip(y).filter(|(x, _)| **x == value).map(|(_, y)| *y).collect()
        };
        let (present, absent) = (side(1.0), side(0.0));
        if model == Model::LeastSquares {
            return means::difference(&present, &absent, level()).map(|d| d.0);
        }
        let share = |y: &[f64]| Share {
            successes: y.iter().filter(|y| **y > 0.0).count(),
            trials: y.len(),
        };
        proportions::difference(share(&present), share(&absent), level())
    };
    columns.iter().map(|column| one(column)?.p_value).collect()
}

/// Two-sided p-values of the columns that can be fitted, beside each other.
fn joint(columns: &[Vec<f64>], y: &[f64], model: Model) -> Vec<Option<f64>> {
    let kinds = classify(&packed(columns));
    let fitted = columns.iter().zip(kinds).filter(|(_, kind)| *kind == Column::Fitted);
    let fitted: Vec<Vec<f64>> = fitted.map(|(column, _)| column.clone()).collect();
    let found = infer(model, &packed(&fitted), y, level()).unwrap();
    found.terms[1..].iter().map(|term| term.estimate.p_value).collect()
}

type Test = fn(&[Vec<f64>], &[f64], Model) -> Vec<Option<f64>>;

/// Share of runs in which a target without any effect gives a Holm-adjusted p-value below 0.05.
fn errors(test: Test, target: Target, n: usize, shares: &[f64], runs: usize) -> f64 {
    let mut wrong = 0;
    for run in 0..runs {
        let mut random = stream(run as u64, "error rate");
        let columns: Vec<Vec<f64>> =
            shares.iter().map(|share| column(&mut random, n, *share)).collect();
        let p = holm(&test(&columns, &target.draw(&mut random, n), target.model()));
        wrong += usize::from(p.iter().flatten().any(|p| *p < 0.05));
    }
    wrong as f64 / runs as f64
}

#[test]
fn a_rare_column_rarely_seems_to_matter() {
    for target in [Target::Stars, Target::Counts, Target::Class(0.5), Target::Class(0.15)] {
        for (name, test) in [("single", single as Test), ("joint", joint)] {
            let rate = errors(test, target, 150, &[0.03, 0.4], 400);
            assert!(rate < 0.06, "{name} {target:?}: {rate}");
        }
    }
}

#[test]
fn a_common_column_errs_as_often_as_promised() {
    for (test, target) in [
        (joint as Test, Target::Stars),
        (joint, Target::Class(0.5)),
        (single, Target::Stars),
        // Fisher's test keeps to the conservative side of a class.
        (single, Target::Class(0.5)),
    ] {
        let rate = errors(test, target, 300, &[0.4], 1500);
        assert!((0.025..0.065).contains(&rate), "{target:?}: {rate}");
    }
}

#[test]
fn twenty_columns_hold_the_family_wise_rate() {
    let shares: Vec<f64> = (0..20).map(|j| 0.01 * 1.22_f64.powi(j)).collect();
    for (target, runs) in [(Target::Stars, 300), (Target::Counts, 300), (Target::Class(0.5), 40)] {
        let rate = errors(joint, target, 300, &shares, runs);
        assert!(rate < 0.08, "joint {target:?}: {rate}");
        let rate = errors(single, target, 300, &shares, 1000);
        assert!(rate < 0.07, "single {target:?}: {rate}");
    }
}

#[test]
fn intervals_of_cross_fitted_measures_cover_the_truth() {
    let (mut r_squared, mut auc) = (0, 0);
    let runs = 300_u32;
    for run in 0..runs {
        let mut random = stream(u64::from(run), "coverage");
        let x = vec![column(&mut random, 300, 0.5)];
        let folds = crossfit::folds(300, 10, None, u64::from(run)).unwrap();
        // Half a unit of effect beside a uniform error: variances 1/16 and 1/12.
        let y: Vec<f64> = x[0].iter().map(|x| 0.5 * x + random.random::<f64>()).collect();
        let f = crossfit::predict(Model::LeastSquares, &packed(&x), &y, &folds).unwrap();
        let found = metrics::r_squared(&y, &f, 0.95).unwrap();
        let truth = (1.0 / 16.0) / (1.0 / 16.0 + 1.0 / 12.0);
        r_squared += u32::from(found.conf_low <= truth && truth <= found.conf_high);
        // Class 1 with chance 0.7 or 0.3: an area of 0.7 * 0.7 + (2 * 0.7 * 0.3) / 2.
        let y: Vec<f64> =
            x[0].iter().map(|x| f64::from(u8::from(random.random_bool(0.3 + 0.4 * x)))).collect();
        let folds = crossfit::folds(300, 10, Some(&y), u64::from(run)).unwrap();
        let p = crossfit::predict(Model::Logit, &packed(&x), &y, &folds).unwrap();
        let found = metrics::auc_within(&y, &p, &folds, 0.95).unwrap();
        auc += u32::from(found.conf_low <= 0.7 && 0.7 <= found.conf_high);
    }
    for (name, covers) in [("R2", r_squared), ("AUC", auc)] {
        let share = f64::from(covers) / f64::from(runs);
        assert!((0.91..=0.985).contains(&share), "{name}: {share}");
    }
}
