use hypothesaes_math::Level;
use hypothesaes_math::metrics::{Metric, Predicted, auc, r_squared};
use hypothesaes_math::random::{Stream, stream};
use hypothesaes_math::resample::{Resampling, difference, interval};
use rand::RngExt;
use rayon::prelude::*;

use crate::support::assert_close;

/// Sum of twelve uniform numbers, less six: close to normal.
fn normal(stream: &mut Stream) -> f64 {
    (0..12).map(|_| stream.random::<f64>()).sum::<f64>() - 6.0
}

fn plain<'a>(y: &'a [f64], prediction: &'a [f64]) -> Predicted<'a> {
    Predicted { y, prediction, weights: None, exposure: None, fold: None }
}

fn resampling(cluster: Option<&[usize]>) -> Resampling<'_> {
    Resampling { cluster, draws: 1000, seed: 3, level: Level::new(0.95).unwrap() }
}

fn data(n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut stream = stream(1, "resample");
    (0..n).map(|_| (normal(&mut stream), normal(&mut stream))).map(|(x, e)| (x + e, x)).unzip()
}

#[test]
fn standard_errors_agree_with_the_delta_method_and_delong() {
    // 12,000 rows are resampled in 10,000 parts.
    for n in [500, 12_000] {
        let (y, f) = data(n);
        let binary: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > 0.5))).collect();
        let check = |metric, y: &[f64], expected: hypothesaes_math::metrics::Measure| {
            let found = interval(metric, &plain(y, &f), &resampling(None)).unwrap().unwrap();
            assert_eq!((found.units, found.draws), (n, 1000));
            let e = found.estimate;
            assert_close(&[e.value], &[expected.value], 1e-12);
            let ratio = e.std_error.unwrap() / expected.std_error;
            assert!((0.9..1.1).contains(&ratio), "{metric:?}, {n} rows: {ratio}");
            let close = |a: f64, b: f64| (a - b).abs() < 0.25 * expected.std_error;
            assert!(close(e.conf_low.unwrap(), expected.conf_low), "{e:?} {expected:?}");
            assert!(close(e.conf_high.unwrap(), expected.conf_high), "{e:?} {expected:?}");
        };
        check(Metric::RSquared, &y, r_squared(&y, &f, 0.95).unwrap());
        check(Metric::Concordance, &binary, auc(&binary, &f, 0.95).unwrap());
    }
}

#[test]
fn rows_repeated_in_clusters_tell_nothing_new() {
    let (y, f) = data(200);
    let once = interval(Metric::RSquared, &plain(&y, &f), &resampling(None)).unwrap().unwrap();
    let repeated = |v: &[f64]| [v, v, v, v].concat();
    let cluster: Vec<usize> = (0..800).map(|i| 7 + i % 200).collect();
    let (y, f) = (repeated(&y), repeated(&f));
    let how = resampling(Some(&cluster));
    let clustered = interval(Metric::RSquared, &plain(&y, &f), &how).unwrap().unwrap();
    let of = |e: hypothesaes_math::Estimate| {
        [e.value, e.std_error.unwrap(), e.conf_low.unwrap(), e.conf_high.unwrap()]
    };
    assert_close(&of(clustered.estimate), &of(once.estimate), 1e-9);
    assert_eq!(clustered.units, 200);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (y, f) = data(3000);
    let binary: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > 0.5))).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            interval(Metric::Concordance, &plain(&binary, &f), &resampling(None)).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn differences_of_predictions() {
    let (y, f) = data(400);
    let worse: Vec<f64> =
        y.iter().zip(&f).enumerate().map(|(i, (_, f))| f + (i % 3) as f64).collect();
    let how = resampling(None);
    let same = difference(Metric::RSquared, &plain(&y, &f), &plain(&y, &f), &how).unwrap().unwrap();
    assert_eq!((same.estimate.value, same.estimate.p_value), (0.0, Some(1.0)));
    let gain = |a: &[f64], b: &[f64]| {
        difference(Metric::RSquared, &plain(&y, a), &plain(&y, b), &how).unwrap().unwrap().estimate
    };
    let (up, down) = (gain(&f, &worse), gain(&worse, &f));
    assert!(up.value > 0.0 && up.conf_low.unwrap() > 0.0 && up.p_value.unwrap() < 0.01, "{up:?}");
    assert_close(
        &[down.value, down.conf_low.unwrap()],
        &[-up.value, -up.conf_high.unwrap()],
        1e-12,
    );
    let other = vec![0.0; 400];
    let refused = difference(Metric::RSquared, &plain(&y, &f), &plain(&other, &f), &how);
    assert!(refused.is_err());
}

#[test]
fn degenerate_resamples_have_no_interval() {
    let one = [5; 3];
    let found =
        interval(Metric::Brier, &plain(&[0.0, 1.0, 1.0], &[0.5; 3]), &resampling(Some(&one)));
    let found = found.unwrap().unwrap();
    assert_eq!((found.units, found.estimate.std_error), (1, None));
    let constant = plain(&[1.0, 1.0], &[0.5, 0.5]);
    assert_eq!(interval(Metric::RSquared, &constant, &resampling(None)).unwrap(), None);
    assert!(
        interval(Metric::Brier, &constant, &Resampling { draws: 0, ..resampling(None) }).is_err()
    );
}

/// Targets and predictions of `clusters` clusters of five rows that share half of their noise.
fn clustered(clusters: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
    let mut stream = stream(seed, "clustered");
    let (mut y, mut f, mut cluster) = (vec![], vec![], vec![]);
    for c in 0..clusters {
        let shared = (normal(&mut stream), normal(&mut stream));
        for _ in 0..5 {
            let mix = |shared: f64, own: f64| (shared + own) * 0.5_f64.sqrt();
            let x = mix(shared.0, normal(&mut stream));
            y.push(x + mix(shared.1, normal(&mut stream)));
            f.push(x);
            cluster.push(c);
        }
    }
    (y, f, cluster)
}

#[test]
fn cluster_intervals_cover_the_truth() {
    let runs = 400;
    let covers = |clusters: usize, clusterwise: bool| {
        let one = |run: usize| {
            let (y, f, cluster) = clustered(clusters, run as u64);
            let cluster = clusterwise.then_some(&cluster[..]);
            let how = Resampling { draws: 400, ..resampling(cluster) };
            let found = interval(Metric::RSquared, &plain(&y, &f), &how).unwrap().unwrap();
            let e = found.estimate;
            usize::from(e.conf_low.unwrap() <= 0.5 && 0.5 <= e.conf_high.unwrap())
        };
        (0..runs).into_par_iter().map(one).sum::<usize>() as f64 / runs as f64
    };
    let (many, few, rows) = (covers(100, true), covers(15, true), covers(100, false));
    eprintln!("coverage: 100 clusters {many}, 15 clusters {few}, rows alone {rows}");
    assert!((0.92..=0.975).contains(&many), "100 clusters: {many}");
    assert!((0.88..=0.985).contains(&few), "15 clusters: {few}");
    assert!(rows < many - 0.02, "rows alone: {rows}");
}
