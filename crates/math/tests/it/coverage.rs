//! How often 95 % intervals cover a truth that is not 0. Seeded. The ignored test does the same at full
//! size and prints the figures.

use std::slice::from_ref;

use hypothesaes_math::agreement::yes_no;
use hypothesaes_math::means::{self, Sampling};
use hypothesaes_math::metrics::{Metric, Predicted};
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::random::{Stream, stream};
use hypothesaes_math::regression::{Model, Setup, Term, ordinal};
use hypothesaes_math::resample::{self, Resampling};
use hypothesaes_math::{Estimate, crossfit};
use rand::RngExt;
use rayon::prelude::*;

use crate::cases::level;
use crate::draws::{Rows, expit, flag, gamma, normal, poisson};
use crate::support::packed;

/// What is estimated, and from what.
#[derive(Debug, Clone, Copy)]
enum Truth {
    /// A difference of means of unequal spread.
    Means,
    /// The same in so many clusters.
    ClusteredMeans(u32),
    /// A difference of shares.
    Shares,
    /// Coefficient of least squares beside another column; with uneven weights.
    LeastSquares { weighted: bool },
    /// The same in so many clusters.
    Clustered(u32),
    /// Within as many levels.
    Absorbed(u32),
    /// Coefficient and marginal effect of a logit, of a column with this prevalence.
    Logit(f64),
    /// The same in so many clusters.
    ClusteredLogit(u32),
    /// The same of pairs.
    Pairs,
    /// Share of wins of pairs.
    PairShare,
    /// Coefficient and marginal effect of overdispersed counts.
    Counts(Model),
    /// Coefficient and effect on the expected level of proportional odds.
    Levels,
    /// A metric of cross-fitted predictions.
    Predictions(Metric),
    /// Agreement and kappa.
    Agreement,
}

const TRUTHS: [Truth; 27] = [
    Truth::Means,
    Truth::ClusteredMeans(50),
    Truth::ClusteredMeans(15),
    Truth::Shares,
    Truth::LeastSquares { weighted: false },
    Truth::LeastSquares { weighted: true },
    Truth::Clustered(60),
    Truth::Clustered(20),
    Truth::Clustered(10),
    Truth::Clustered(6),
    Truth::Absorbed(30),
    Truth::Logit(0.3),
    Truth::Logit(0.05),
    Truth::ClusteredLogit(60),
    Truth::ClusteredLogit(20),
    Truth::ClusteredLogit(10),
    Truth::ClusteredLogit(6),
    Truth::Pairs,
    Truth::PairShare,
    Truth::Counts(Model::Poisson),
    Truth::Counts(Model::NegativeBinomial),
    Truth::Levels,
    Truth::Predictions(Metric::RSquared),
    Truth::Predictions(Metric::Concordance),
    Truth::Predictions(Metric::LogLoss),
    Truth::Predictions(Metric::Deviance),
    Truth::Agreement,
];

/// Between the levels of proportional odds.
const CUTS: [f64; 3] = [-1.0, 0.0, 1.0];

/// Whether an interval covers; `None` without one.
fn covers(e: &Estimate, truth: f64) -> Option<bool> {
    Some(e.conf_low? <= truth && truth <= e.conf_high?)
}

/// Whether the intervals of a coefficient and of its marginal effect do.
fn both(term: &Term, coefficient: f64, marginal: f64) -> Vec<Option<bool>> {
    vec![
        covers(&term.estimate, coefficient),
        term.marginal.as_ref().and_then(|e| covers(e, marginal)),
    ]
}

fn columns(random: &mut Stream, n: usize, shares: [f64; 2]) -> Vec<Vec<f64>> {
    shares.iter().map(|share| (0..n).map(|_| flag(random, *share)).collect()).collect()
}

/// Mean of `f` over a second column that half of the rows have.
fn over(f: impl Fn(f64) -> f64) -> f64 {
    f64::midpoint(f(0.0), f(1.0))
}

impl Truth {
    #[expect(clippy::too_many_lines, reason = "one arm per kind of truth")]
    fn draw(self, run: usize) -> Vec<Option<bool>> {
        let random = &mut stream(run as u64, "coverage");
        match self {
            Self::Means => {
                let mut side = |n: usize, mean: f64, sd: f64| -> Vec<f64> {
                    (0..n).map(|_| mean + sd * normal(random)).collect()
                };
                let (present, absent) = (side(40, 0.5, 2.0), side(160, 0.0, 1.0));
                let (found, _) = means::difference(&present, &absent, level()).unwrap();
                vec![covers(&found, 0.5)]
            }
            Self::Shares => {
                let mut share = |trials: usize, p: f64| Share {
                    successes: (0..trials).filter(|_| random.random_bool(p)).count(),
                    trials,
                };
                let (present, absent) = (share(90, 0.55), share(210, 0.4));
                let found = proportions::difference_mid_p(present, absent, level()).unwrap();
                vec![covers(&found, 0.15)]
            }
            Self::LeastSquares { weighted } => {
                let x = columns(random, 200, [0.3, 0.5]);
                let y: Vec<f64> = (0..200)
                    .map(|i| 0.5 * x[0][i] - x[1][i] + normal(random) * (1.0 + x[0][i]))
                    .collect();
                let weights: Vec<f64> = (0..200).map(|_| random.random_range(0.3..3.0)).collect();
                let weights = weighted.then_some(weights.as_slice());
                let setup = Setup { weights, ..Setup::new(Model::LeastSquares, 2, level()) };
                vec![covers(&setup.infer(&packed(&x), &y).unwrap().columns()[0].estimate, 0.5)]
            }
            Self::ClusteredMeans(g) | Self::Clustered(g) | Self::Absorbed(g) => {
                self.in_clusters(g, random, run as u64)
            }
            Self::Logit(share) => {
                let x = columns(random, 300, [share, 0.5]);
                let eta = |x: f64, z: f64| 0.8 * x + 0.6 * z - 0.4;
                let y: Vec<f64> =
                    (0..300).map(|i| flag(random, expit(eta(x[0][i], x[1][i])))).collect();
                let found = Setup::new(Model::Logit, 2, level()).infer(&packed(&x), &y).unwrap();
                let change = over(|z| expit(eta(1.0, z)) - expit(eta(0.0, z)));
                both(&found.columns()[0], 0.8, change)
            }
            Self::ClusteredLogit(g) => {
                let rows = Rows::new(random, g, 16);
                let x = rows.column(random);
                // What a cluster prefers is one of two things, so that the means are known.
                let lean = |i: usize| rows.noise[i].signum();
                let eta = |x: f64, lean: f64| 0.7 * x - 0.2 + 0.8 * lean;
                let y: Vec<f64> =
                    (0..x.len()).map(|i| flag(random, expit(eta(x[i], lean(i))))).collect();
                let clusters = Some(rows.clusters.as_slice());
                let setup = Setup { clusters, ..Setup::new(Model::Logit, 1, level()) };
                let setup = Setup { seed: run as u64, ..setup };
                let found = setup.infer(&packed(&[x]), &y).unwrap();
                let [absent, present] =
                    [0.0, 1.0].map(|x| f64::midpoint(expit(eta(x, 1.0)), expit(eta(x, -1.0))));
                let odds = |p: f64| (p / (1.0 - p)).ln();
                both(&found.columns()[0], odds(present) - odds(absent), present - absent)
            }
            Self::Pairs => {
                let side = |random: &mut Stream| -> Vec<f64> {
                    (0..300).map(|_| flag(random, 0.4) - flag(random, 0.4)).collect()
                };
                let x = vec![side(random), side(random)];
                let chance = |i: usize| expit(0.6 * x[0][i] + 0.5 * x[1][i]);
                let y: Vec<f64> = (0..300).map(|i| flag(random, chance(i))).collect();
                let setup = Setup { intercept: false, ..Setup::new(Model::Logit, 2, level()) };
                let found = setup.infer(&packed(&x), &y).unwrap();
                // The other concept tells 0.24 of the pairs in either direction.
                let half = |d: f64| 0.5 * (expit(0.6 + 0.5 * d) - expit(0.5 * d - 0.6));
                let change = 0.52 * half(0.0) + 0.24 * (half(1.0) + half(-1.0));
                both(&found.columns()[0], 0.6, change)
            }
            Self::PairShare => {
                let side: Vec<f64> = (0..150).map(|_| 2.0 * flag(random, 0.5) - 1.0).collect();
                let won: Vec<f64> =
                    side.iter().map(|s| flag(random, if *s > 0.0 { 0.6 } else { 0.4 })).collect();
                let found = proportions::pairs(&side, &won, &Sampling::default(), level());
                vec![covers(&found.unwrap().unwrap().separation, 0.2)]
            }
            Self::Counts(model) => {
                let x = columns(random, 300, [0.3, 0.5]);
                let mean = |x: f64, z: f64| (0.3 + 0.4 * x + 0.2 * z).exp();
                let y: Vec<f64> = (0..300)
                    .map(|i| {
                        let mean = mean(x[0][i], x[1][i]) * gamma(random);
                        poisson(random, mean)
                    })
                    .collect();
                let found = Setup::new(model, 2, level()).infer(&packed(&x), &y).unwrap();
                let change = over(|z| mean(1.0, z) - mean(0.0, z));
                both(&found.columns()[0], 0.4, change)
            }
            Self::Levels => Self::levels(random),
            Self::Predictions(metric) => vec![predictions(metric, random, run as u64)],
            Self::Agreement => {
                let human: Vec<bool> = (0..200).map(|_| random.random_bool(0.3)).collect();
                let says = |is: &bool| Some(random.random_bool(if *is { 0.8 } else { 0.1 }));
                let machine: Vec<Option<bool>> = human.iter().map(says).collect();
                let human: Vec<Option<bool>> = human.into_iter().map(Some).collect();
                let found = yes_no(&machine, &human, level()).unwrap();
                // Of 100 texts the human says yes to 30, the machine to 24 of these and to 7 others.
                let (equal, chance) = (0.87, 0.3 * 0.31 + 0.7 * 0.69);
                vec![
                    covers(&found.agreement.unwrap(), equal),
                    covers(&found.kappa.unwrap(), (equal - chance) / (1.0 - chance)),
                ]
            }
        }
    }

    fn in_clusters(self, g: u32, random: &mut Stream, seed: u64) -> Vec<Option<bool>> {
        let rows = Rows::new(random, g, 12);
        let x = vec![rows.column(random), rows.column(random)];
        let shared = |i: usize| match self {
            Self::Absorbed(_) => 2.0 * rows.noise[i] + 5.0 * rows.leaning[i],
            _ => 0.7 * rows.noise[i],
        };
        let y: Vec<f64> =
            (0..x[0].len()).map(|i| 0.5 * x[0][i] + shared(i) + normal(random)).collect();
        let clusters = Some(rows.clusters.as_slice());
        let setup = Setup { seed, ..Setup::new(Model::LeastSquares, 2, level()) };
        let of = |setup: Setup| setup.infer(&packed(&x), &y).unwrap().columns()[0].estimate;
        let found = match self {
            Self::ClusteredMeans(_) => {
                let sampling = Sampling { clusters, weights: None, seed };
                means::separation(&x[0], &y, &sampling, level()).unwrap().unwrap().estimate
            }
            Self::Absorbed(_) => of(Setup { absorbed: &[&rows.clusters], ..setup }),
            _ => of(Setup { clusters, ..setup }),
        };
        vec![covers(&found, 0.5)]
    }

    fn levels(random: &mut Stream) -> Vec<Option<bool>> {
        let x = columns(random, 300, [0.3, 0.5]);
        let above = |cut: f64, x: f64, z: f64| expit(0.8 * x + 0.5 * z - cut);
        let draw = |i: usize| {
            let u = random.random::<f64>();
            CUTS.iter().filter(|cut| u < above(**cut, x[0][i], x[1][i])).count()
        };
        let levels: Vec<usize> = (0..300).map(draw).collect();
        let values = [1.0, 2.0, 3.0, 4.0];
        let target =
            ordinal::Target { levels: &levels, values: &values, weights: None, cluster: None };
        let found = ordinal::infer(&target, &packed(&x), level()).unwrap();
        let rise = |z: f64| -> f64 {
            CUTS.iter().map(|cut| above(*cut, 1.0, z) - above(*cut, 0.0, z)).sum()
        };
        let term = &found.terms[0];
        vec![covers(&term.estimate.unwrap(), 0.8), covers(&term.effect, over(rise))]
    }

    /// Shares of intervals that cover.
    fn rates(self, runs: usize) -> Vec<f64> {
        let found: Vec<Vec<Option<bool>>> =
            (0..runs).into_par_iter().map(|run| self.draw(run)).collect();
        let share = |k: usize| {
            let known: Vec<bool> = found.iter().filter_map(|f| f[k]).collect();
            assert!(known.len() * 100 >= runs * 95, "{self:?}: {} intervals", known.len());
            known.iter().filter(|c| **c).count() as f64 / known.len() as f64
        };
        (0..found[0].len()).map(share).collect()
    }
}

/// Of the predictions by a column that half of the rows have, cross-fitted: the truth is what these
/// predictions come to on all the rows that there could be.
fn predictions(metric: Metric, random: &mut Stream, seed: u64) -> Option<bool> {
    const N: usize = 400;
    let (model, means, noise) = match metric {
        Metric::RSquared => (Model::LeastSquares, [0.0, 0.5], 1.0 / 12.0),
        Metric::Deviance => (Model::Poisson, [1.0, 2.0], 0.0),
        _ => (Model::Logit, [0.3, 0.7], 0.0),
    };
    let x: Vec<f64> = (0..N).map(|_| flag(random, 0.5)).collect();
    let mean = |x: f64| means[usize::from(x > 0.5)];
    let y: Vec<f64> = x
        .iter()
        .map(|x| match model {
            Model::LeastSquares => mean(*x) + random.random::<f64>() - 0.5,
            Model::Poisson => poisson(random, mean(*x)),
            _ => flag(random, mean(*x)),
        })
        .collect();
    let classes = (model == Model::Logit).then_some(y.as_slice());
    let folds = crossfit::folds(N, 10, classes, seed).unwrap();
    let prediction = crossfit::predict(model, &packed(from_ref(&x)), &y, &folds).unwrap();
    let compares = (metric == Metric::Concordance).then_some(folds.as_slice());
    let predicted =
        Predicted { y: &y, prediction: &prediction, weights: None, exposure: None, fold: compares };
    let how = Resampling { cluster: None, draws: 1000, seed, level: level() };
    let found = resample::interval(metric, &predicted, &how).unwrap().unwrap().estimate;
    // Expected loss of a prediction `f` of rows with this mean.
    let loss = |f: f64, m: f64| match metric {
        Metric::RSquared => (f - m).powi(2) + noise,
        Metric::Deviance => f - m * f.ln(),
        _ => -m * f.ln() - (1.0 - m) * (1.0 - f).ln(),
    };
    // Half of all rows have the column, whatever the share of these.
    let of = |side: f64| {
        let rows = prediction.iter().zip(&x).filter(|(_, x)| **x == side);
        rows.clone().map(|(f, x)| loss(*f, mean(*x))).sum::<f64>() / rows.count() as f64
    };
    let expected = over(of);
    let truth = match metric {
        Metric::Concordance => 0.7,
        Metric::LogLoss => expected,
        Metric::RSquared => 1.0 - expected / (1.0 / 16.0 + 1.0 / 12.0),
        _ => {
            // Both deviances less what no prediction can explain, E(y ln y - y).
            let saturated = means.iter().map(|m| entropy(*m) - m).sum::<f64>() / 2.0;
            let pooled = f64::midpoint(means[0], means[1]);
            let null = pooled - pooled * pooled.ln();
            1.0 - (expected + saturated) / (null + saturated)
        }
    };
    covers(&found, truth)
}

/// `E(y ln y)` of a Poisson count.
fn entropy(mean: f64) -> f64 {
    let mut chance = (-mean).exp();
    (1..60)
        .map(|y| {
            chance *= mean / f64::from(y);
            chance * f64::from(y) * f64::from(y).ln()
        })
        .sum()
}

#[test]
fn intervals_cover_as_often_as_promised() {
    for truth in TRUTHS {
        for share in truth.rates(400) {
            // Some three standard errors of 400 draws; the figures at full size are much closer.
            assert!((0.915..=0.985).contains(&share), "{truth:?}: {share}");
        }
    }
}

#[test]
#[ignore = "takes minutes; run it alone, in release, with --nocapture"]
fn coverage_at_full_size() {
    for truth in TRUTHS {
        println!("{truth:?}: {:.4?}", truth.rates(10_000));
    }
}
