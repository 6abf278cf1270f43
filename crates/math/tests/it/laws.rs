//! Laws of the regressions: what changes no result, what is refused, and how long much takes.

use std::time::{Duration, Instant};

use hypothesaes_math::regression::columns::classify;
use hypothesaes_math::regression::{Inference, Model, Setup, Variance};
use hypothesaes_math::{Error, Estimate, means, proportions, random};
use rand::RngExt;

use crate::cases::level;
use crate::support::packed;

/// Clustered, weighted data with controls.
struct Data {
    columns: Vec<Vec<f64>>,
    numbers: Vec<f64>,
    classes: Vec<f64>,
    counts: Vec<f64>,
    weights: Vec<f64>,
    clusters: Vec<u32>,
}

impl Data {
    fn new(n: usize, clusters: u32, seed: u64) -> Self {
        let mut random = random::stream(seed, "laws");
        let shift: Vec<f64> = (0..clusters).map(|_| random.random::<f64>() - 0.5).collect();
        let clusters: Vec<u32> = (0..n).map(|_| random.random_range(0..clusters)).collect();
        let mut flags = |share: f64| -> Vec<f64> {
            (0..n).map(|_| f64::from(u8::from(random.random_bool(share)))).collect()
        };
        let mut columns = vec![flags(0.5), flags(0.3)];
        columns.push((0..n).map(|_| random.random()).collect());
        let numbers: Vec<f64> = (0..n)
            .map(|i| 0.4 * columns[0][i] + shift[clusters[i] as usize] + random.random::<f64>())
            .collect();
        Self {
            classes: numbers.iter().map(|v| f64::from(u8::from(*v > 0.7))).collect(),
            counts: numbers.iter().map(|v| (3.0 * v.max(0.0)).floor()).collect(),
            weights: (0..n).map(|_| 0.2 + random.random::<f64>()).collect(),
            columns,
            numbers,
            clusters,
        }
    }

    fn target(&self, model: Model) -> &[f64] {
        match model {
            Model::LeastSquares => &self.numbers,
            Model::Logit => &self.classes,
            Model::Poisson | Model::NegativeBinomial => &self.counts,
        }
    }

    fn setup(&self, model: Model) -> Setup<'_> {
        Setup {
            weights: Some(&self.weights),
            clusters: Some(&self.clusters),
            ..Setup::new(model, 2, level())
        }
    }
}

const MODELS: [Model; 4] =
    [Model::LeastSquares, Model::Logit, Model::Poisson, Model::NegativeBinomial];

fn parts(e: Estimate) -> [Option<f64>; 6] {
    [Some(e.value), e.std_error, e.df, e.p_value, e.conf_low, e.conf_high]
}

fn assert_same(a: &Inference, b: &Inference, tolerance: f64, what: &str) {
    assert_eq!(a.terms.len(), b.terms.len());
    for (a, b) in a.terms.iter().zip(&b.terms) {
        assert_eq!(a.variance, b.variance, "{what}");
        let marginal = |m: Option<Estimate>| m.map_or([None; 6], parts);
        let all = parts(a.estimate).into_iter().chain(marginal(a.marginal));
        for (a, b) in all.zip(parts(b.estimate).into_iter().chain(marginal(b.marginal))) {
            assert_eq!(a.is_some(), b.is_some(), "{what}");
            let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
            assert!((a - b).abs() <= tolerance * a.abs().max(1.0), "{what}: {a} {b}");
        }
    }
}

#[test]
fn the_scale_of_weights_and_the_order_of_rows_change_nothing() {
    for clusters in [15, 60] {
        let data = Data::new(600, clusters, 1);
        let order = random::permutation(600, &mut random::stream(2, "order"));
        let pick = |v: &[f64]| -> Vec<f64> { order.iter().map(|&i| v[i]).collect() };
        let weights = pick(&data.weights).iter().map(|w| w * 123.0).collect();
        let moved = Data {
            columns: data.columns.iter().map(|c| pick(c)).collect(),
            numbers: pick(&data.numbers),
            classes: pick(&data.classes),
            counts: pick(&data.counts),
            weights,
            clusters: order.iter().map(|&i| data.clusters[i]).collect(),
        };
        for model in MODELS {
            let of = |data: &Data| {
                data.setup(model).infer(&packed(&data.columns), data.target(model)).unwrap()
            };
            assert_same(&of(&data), &of(&moved), 1e-6, &format!("{model:?} {clusters}"));
        }
    }
}

#[test]
fn threads_change_nothing_with_clusters_and_absorbed_factors() {
    let data = Data::new(9000, 30, 3);
    for model in MODELS {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                data.setup(model).infer(&packed(&data.columns), data.target(model)).unwrap()
            })
        };
        assert_eq!(run(1), run(3), "{model:?}");
    }
    let factor: &[u32] = &data.clusters;
    for model in [Model::LeastSquares, Model::Poisson] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let setup = Setup { absorbed: &[factor], clusters: None, ..data.setup(model) };
            pool.install(|| setup.infer(&packed(&data.columns), data.target(model)).unwrap())
        };
        assert_eq!(run(1), run(3), "{model:?}");
    }
}

#[test]
fn trap_31_swapping_the_sides_of_pairs_changes_nothing() {
    let mut random = random::stream(4, "pairs");
    let n = 500;
    let mut side = || f64::from(random.random_range(-1..=1));
    let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..n).map(|_| side()).collect()).collect();
    let won: Vec<f64> =
        (0..n).map(|i| f64::from(u8::from(columns[0][i] + 0.7 * side() > 0.0))).collect();
    let clusters: Vec<u32> = (0..500).map(|i| i % 45).collect();
    let few: Vec<u32> = (0..500).map(|i| i % 14).collect();
    // Every third pair is put the other way round.
    let swap = |i: usize, a: f64, b: f64| if i.is_multiple_of(3) { b } else { a };
    let swapped: Vec<Vec<f64>> =
        columns.iter().map(|c| (0..n).map(|i| swap(i, c[i], -c[i])).collect()).collect();
    let lost: Vec<f64> = (0..n).map(|i| swap(i, won[i], 1.0 - won[i])).collect();
    for clusters in [None, Some(clusters.as_slice()), Some(few.as_slice())] {
        let setup = Setup { intercept: false, clusters, ..Setup::new(Model::Logit, 3, level()) };
        let found = setup.infer(&packed(&columns), &won).unwrap();
        let other = setup.infer(&packed(&swapped), &lost).unwrap();
        assert_eq!(found.terms.len(), 3);
        for (a, b) in found.terms.iter().zip(&other.terms) {
            // To the last bit, but for the average over rows of differences of probabilities.
            assert_eq!((a.estimate, a.variance, a.robust), (b.estimate, b.variance, b.robust));
            assert_eq!((a.classical, a.standardised), (b.classical, b.standardised));
            for (a, b) in parts(a.marginal.unwrap()).into_iter().zip(parts(b.marginal.unwrap())) {
                assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-13, "{a:?} {b:?}");
            }
        }
        let sampling = means::Sampling { clusters, ..means::Sampling::default() };
        let single = |x: &[f64], y: &[f64]| proportions::pairs(x, y, &sampling, level()).unwrap();
        assert_eq!(single(&columns[0], &won), single(&swapped[0], &lost));
    }
}

#[test]
fn flipping_the_target_flips_the_effects() {
    let data = Data::new(600, 20, 5);
    for model in [Model::LeastSquares, Model::Logit] {
        let y = data.target(model);
        let against: Vec<f64> = y.iter().map(|v| 1.0 - v).collect();
        let a = data.setup(model).infer(&packed(&data.columns), y).unwrap();
        let b = data.setup(model).infer(&packed(&data.columns), &against).unwrap();
        for (a, b) in a.columns().iter().zip(b.columns()) {
            let same = |a: Option<f64>, b: Option<f64>| {
                let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
                assert!((a - b).abs() < 1e-6 * a.abs().max(1.0), "{model:?}: {a} {b}");
            };
            same(Some(a.estimate.value), Some(-b.estimate.value));
            same(a.estimate.p_value, b.estimate.p_value);
            same(a.estimate.conf_low, b.estimate.conf_high.map(|v| -v));
            same(a.marginal.map(|m| m.value), b.marginal.map(|m| -m.value));
        }
    }
}

#[test]
fn controls_are_not_tested_but_count() {
    let data = Data::new(600, 60, 6);
    for model in MODELS {
        let all = Setup { tested: 3, ..data.setup(model) };
        let a = all.infer(&packed(&data.columns), data.target(model)).unwrap();
        let b = data.setup(model).infer(&packed(&data.columns), data.target(model)).unwrap();
        assert_eq!(a.terms[..3], b.terms[..3]);
        assert_eq!((b.terms[3].variance, b.terms[3].estimate.p_value), (None, None));
        assert!(b.terms[3].estimate.std_error.is_some());
    }
}

#[test]
fn weights_of_1_and_a_cluster_per_row_are_close_to_nothing() {
    let data = Data::new(600, 60, 7);
    let ones = vec![1.0; 600];
    for model in MODELS {
        let y = data.target(model);
        let plain = Setup::new(model, 2, level()).infer(&packed(&data.columns), y).unwrap();
        let setup = Setup { weights: Some(&ones), ..Setup::new(model, 2, level()) };
        assert_eq!(plain, setup.infer(&packed(&data.columns), y).unwrap());
        let single: Vec<u32> = (0..600).collect();
        let setup = Setup { clusters: Some(&single), ..Setup::new(model, 2, level()) };
        let found = setup.infer(&packed(&data.columns), y).unwrap();
        for (a, b) in plain.columns().iter().zip(found.columns()) {
            let ratio = a.robust.unwrap() / b.robust.unwrap();
            assert!((0.99..1.02).contains(&ratio), "{model:?}: {ratio}");
        }
    }
}

#[test]
fn without_a_column_the_others_fit_as_by_themselves() {
    let data = Data::new(600, 60, 8);
    for model in MODELS {
        let (setup, y) = (data.setup(model), data.target(model));
        let found = setup.infer(&packed(&data.columns), y).unwrap();
        let without =
            setup.without_each(&packed(&data.columns), y, &found, |fitted| fitted).unwrap();
        let without = without[1].as_ref().unwrap();
        let others = vec![data.columns[0].clone(), data.columns[2].clone()];
        let alone = Setup { tested: 1, ..setup }.infer(&packed(&others), y).unwrap().fitted;
        for (a, b) in without.iter().zip(&alone) {
            assert!((a - b).abs() < 1e-8, "{model:?}: {a} {b}");
        }
    }
}

#[test]
fn separations_are_regressions_on_one_column() {
    let data = Data::new(400, 50, 9);
    let sampling =
        means::Sampling { weights: Some(&data.weights), clusters: Some(&data.clusters), seed: 0 };
    let found = means::separation(&data.columns[0], &data.numbers, &sampling, level());
    let found = found.unwrap().unwrap();
    let mean = |value: f64| {
        let rows = || (0..400).filter(|&i| data.columns[0][i] == value);
        rows().map(|i| data.weights[i] * data.numbers[i]).sum::<f64>()
            / rows().map(|i| data.weights[i]).sum::<f64>()
    };
    assert!((found.mean_present - mean(1.0)).abs() < 1e-12);
    assert!((found.estimate.value - (mean(1.0) - mean(0.0))).abs() < 1e-12);
    assert!(matches!(found.variance, Some(Variance::Cr2 | Variance::Classical)));
    let share = proportions::separation(&data.columns[0], &data.classes, &sampling, level());
    assert!(share.unwrap().unwrap().estimate.p_value.is_some());
    let none = means::separation(&[1.0; 400], &data.numbers, &sampling, level());
    assert_eq!(none.unwrap(), None);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let data = Data::new(100, 10, 10);
    let plain = Setup::new(Model::LeastSquares, 3, level());
    let refused =
        |setup: &Setup, y: &[f64]| setup.infer(&packed(&data.columns), y).unwrap_err().to_string();
    let mut negative = data.weights.clone();
    negative[3] = -1.0;
    let found = refused(&Setup { weights: Some(&negative), ..plain }, &data.numbers);
    assert_eq!(found, "the weight of row `3` is `-1`, below 0");
    let zeros = vec![0.0; 100];
    assert_eq!(
        refused(&Setup { weights: Some(&zeros), ..plain }, &data.numbers),
        "all weights are 0"
    );
    let one = vec![7; 100];
    let found = refused(&Setup { clusters: Some(&one), ..plain }, &data.numbers);
    assert!(found.starts_with("all rows are in one cluster"), "{found}");
    let factor: &[u32] = &data.clusters;
    let found =
        refused(&Setup { absorbed: &[factor], model: Model::Logit, ..plain }, &data.classes);
    assert!(found.contains("linear probability model"), "{found}");
    let below = vec![-1.0; 100];
    let found = refused(&Setup { model: Model::Poisson, ..plain }, &below);
    assert_eq!(found, "a regression of counts needs a target of 0 or more");
    assert_eq!(
        refused(&Setup { model: Model::Poisson, ..plain }, &zeros),
        "the target is 0 throughout"
    );
    let found = Setup { tested: 4, ..plain }.infer(&packed(&data.columns), &data.numbers);
    assert!(matches!(found, Err(Error::Option { name: "tested", .. })));
    let found =
        Setup { weights: Some(&zeros[..9]), ..plain }.infer(&packed(&data.columns), &data.numbers);
    assert!(matches!(found, Err(Error::Shape { .. })));
}

#[test]
fn nothing_is_ever_nan_on_tiny_data() {
    for n in 3..9_usize {
        for seed in 0..30 {
            let data = Data::new(n, 3, seed);
            for model in MODELS {
                for setup in [data.setup(model), Setup::new(model, 2, level())] {
                    let Ok(found) = setup.infer(&packed(&data.columns[..2]), data.target(model))
                    else {
                        continue;
                    };
                    for term in &found.terms {
                        let all = parts(term.estimate).into_iter().flatten();
                        let more =
                            [term.robust, term.classical, term.standardised, term.r_squared_change];
                        let marginal = term.marginal.map_or([None; 6], parts);
                        for v in all
                            .chain(more.into_iter().flatten())
                            .chain(marginal.into_iter().flatten())
                        {
                            assert!(v.is_finite(), "{model:?} n {n} seed {seed}: {term:?}");
                        }
                    }
                }
            }
        }
    }
}

/// Twenty columns of 0 and 1, true of 0.2 % to 50 % of the rows.
fn many(n: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut random = random::stream(12, "many");
    let columns: Vec<Vec<f64>> = (0..20)
        .map(|j| {
            let share = 0.002 * 1.337_f64.powi(j);
            (0..n).map(|_| f64::from(u8::from(random.random_bool(share)))).collect()
        })
        .collect();
    let noise = |random: &mut random::Stream| 3.0 * random.random::<f64>();
    let y = (0..n).map(|i| columns[3][i] - columns[9][i] + noise(&mut random)).collect();
    (columns, y)
}

#[test]
#[ignore = "takes a while; run it alone, in release"]
fn a_million_rows() {
    let (columns, y) = many(1_000_000);
    let columns = packed(&columns);
    let timed = |what: &str, work: &dyn Fn()| -> Duration {
        let start = Instant::now();
        work();
        println!("{what}: {:?}", start.elapsed());
        start.elapsed()
    };
    let plain = Setup::new(Model::LeastSquares, 20, level());
    timed("columns", &|| drop(classify(&columns)));
    let took = timed("least squares", &|| drop(plain.infer(&columns, &y).unwrap()));
    assert!(took < Duration::from_secs(5));
    let classes: Vec<f64> = y.iter().map(|v| f64::from(u8::from(*v > 1.7))).collect();
    let logit = Setup { model: Model::Logit, ..plain };
    timed("logit", &|| drop(logit.infer(&columns, &classes).unwrap()));
    for size in [3, 1000, 50_000] {
        let clusters: Vec<u32> = (0..1_000_000).map(|i| i / size).collect();
        let setup = Setup { clusters: Some(&clusters), ..plain };
        timed(&format!("clusters of {size}"), &|| drop(setup.infer(&columns, &y).unwrap()));
    }
    let factor: Vec<u32> = (0..1_000_000).map(|i| i % 5000).collect();
    let setup = Setup { absorbed: &[&factor], ..plain };
    timed("absorbed", &|| drop(setup.infer(&columns, &y).unwrap()));
}
