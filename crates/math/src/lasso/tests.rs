mod setting;

use super::*;
use crate::random::stream;
use rand::RngExt;

/// Rows on which each column fires with a chance of its own; the first three drive the target.
fn planted(n: usize, m: usize, seed: u64) -> (Activations, Vec<f64>) {
    let mut random = stream(seed, "lasso test");
    let mut z = Activations::new(m);
    let mut y = Vec::new();
    for _ in 0..n {
        let row: Vec<f32> = (0..m)
            .map(|j| {
                if random.random_bool(0.05 + 0.4 / (1 + j % 9) as f64) {
                    random.random()
                } else {
                    0.0
                }
            })
            .collect();
        let signal = 3.0 * row[0] - 2.0 * row[1] + row[2];
        y.push(f64::from(signal) + random.random_range(-1.0..1.0));
        z.push_row((0_u32..).zip(row));
    }
    (z, y)
}

fn classes(y: &[f64]) -> Vec<f64> {
    y.iter().map(|v| f64::from(*v > 0.2)).collect()
}

#[test]
fn exactly_n_neurons_for_every_n() {
    let (z, y) = planted(400, 60, 1);
    for n in [1, 2, 5, 20, 60] {
        for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
            let found = select(&z, &y, loss, n).unwrap();
            assert_eq!(found.coefficients.len(), n, "{loss:?}");
            assert_eq!(found.message, None);
            let sizes: Vec<f64> = found.coefficients.iter().map(|c| c.1.abs()).collect();
            assert!(sizes.is_sorted_by(|a, b| a >= b), "largest first");
        }
    }
}

#[test]
fn the_planted_neurons_come_first() {
    let (z, y) = planted(2000, 60, 2);
    for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
        let found = select(&z, &y, loss, 3).unwrap().coefficients;
        let mut neurons: Vec<(usize, bool)> = found.iter().map(|c| (c.0, c.1 > 0.0)).collect();
        neurons.sort_unstable();
        assert_eq!(neurons, [(0, true), (1, false), (2, true)], "{loss:?}");
    }
}

#[test]
fn trap_13_a_target_in_the_millions_selects_the_same() {
    let (z, y) = planted(400, 60, 3);
    let small = select(&z, &y, Loss::Squared, 20).unwrap();
    for (scale, shift) in [(1e7, 0.0), (1e-9, 0.0), (-1e6, 5e8)] {
        let scaled: Vec<f64> = y.iter().map(|v| v * scale + shift).collect();
        let found = select(&z, &scaled, Loss::Squared, 20).unwrap();
        assert!((found.lambda / (small.lambda * scale.abs()) - 1.0).abs() < 1e-6);
        for (a, b) in small.coefficients.iter().zip(&found.coefficients) {
            assert_eq!(a.0, b.0);
            assert!((a.1 * scale - b.1).abs() < 1e-6 * scale.abs(), "{a:?} {b:?}");
        }
    }
}

#[test]
fn trap_13_fewer_live_neurons_than_asked_are_said() {
    // Dead, always on, constant, and two that tell texts apart.
    let rows =
        [[0., 1., 2., 1., 0.], [0., 2., 2., 0., 3.], [0., 3., 2., 2., 0.], [0., 1., 2., 0., 0.]];
    let z = Activations::from_dense(5, &rows.map(|r| r.to_vec())).unwrap();
    for (loss, y) in [(Loss::Squared, [4.0, 1.0, 9.0, 2.0]), (Loss::Logistic, [1.0, 0.0, 1.0, 0.0])]
    {
        let found = select(&z, &y, loss, 3).unwrap();
        assert!(found.coefficients.iter().all(|c| c.0 >= 3), "{found:?}");
        let message = found.message.unwrap();
        assert!(message.ends_with("only 2 neurons fire on some texts but not on all"), "{message}");
    }
}

#[test]
fn trap_13_no_live_neuron_at_all_is_said() {
    let (_, y) = planted(100, 8, 3);
    let mut z = Activations::new(8);
    for _ in &y {
        z.push_row([(1, 0.5)]);
    }
    for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
        let found = select(&z, &y, loss, 4).unwrap();
        assert!(found.coefficients.is_empty(), "{loss:?}");
        assert!(found.message.unwrap().contains("only 0 neurons fire"), "{loss:?}");
    }
}

#[test]
fn a_twin_stays_out() {
    let (z, y) = planted(400, 30, 4);
    let twins = Activations::beside(&[z.clone(), z]).unwrap();
    for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
        let found = select(&twins, &y, loss, 12).unwrap();
        assert_eq!(found.coefficients.len(), 12);
        assert!(found.coefficients.iter().all(|c| c.0 < 30), "{loss:?} {found:?}");
    }
}

#[test]
fn the_optimality_conditions_hold() {
    let (z, y) = planted(300, 40, 5);
    for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
        let found = select(&z, &y, loss, 10).unwrap();
        let again = fit(&z, &y, loss, found.lambda).unwrap();
        for (a, b) in found.coefficients.iter().zip(&again.coefficients) {
            assert_eq!(a.0, b.0);
            assert!((a.1 - b.1).abs() < 1e-8, "{a:?} {b:?}");
        }
    }
}

#[test]
fn flipping_the_target_flips_the_coefficients() {
    let (z, y) = planted(300, 40, 6);
    let flips = [
        (Loss::Squared, y.clone(), y.iter().map(|v| -v).collect::<Vec<_>>()),
        (Loss::Logistic, classes(&y), classes(&y).iter().map(|v| 1.0 - v).collect()),
    ];
    for (loss, y, flipped) in flips {
        let (a, b) = (select(&z, &y, loss, 10).unwrap(), select(&z, &flipped, loss, 10).unwrap());
        for (a, b) in a.coefficients.iter().zip(&b.coefficients) {
            assert_eq!(a.0, b.0);
            assert!((a.1 + b.1).abs() < 1e-8, "{loss:?} {a:?} {b:?}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let (z, y) = planted(20_000, 40, 7);
    for (loss, y) in [(Loss::Squared, y.clone()), (Loss::Logistic, classes(&y))] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| select(&z, &y, loss, 10).unwrap())
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn bad_arguments_are_refused() {
    let (z, y) = planted(10, 3, 8);
    let check = |y: &[f64], loss, n, expected: &str| {
        assert_eq!(select(&z, y, loss, n).unwrap_err().to_string(), expected);
    };
    check(&y, Loss::Squared, 0, "`n` is 0, allowed: at least 1");
    check(&y[1..], Loss::Squared, 1, "`y` has 9 entries, 10 expected");
    check(&[5.0; 10], Loss::Squared, 1, "the target has one value only, nothing can be selected");
    check(&y, Loss::Logistic, 1, "the logistic loss needs a target of 0 and 1");
    let message = fit(&z, &y, Loss::Squared, f64::NAN).unwrap_err().to_string();
    assert_eq!(message, "`lambda` is NaN, allowed: above 0");
}
