use serde_json::Value;

use super::super::{Parts, TrainOptions, init, order};
use super::*;
use crate::matrix::Matrix;

pub(super) fn new_trainer<'a>(x: &Matrix, options: &'a TrainOptions, parts: Parts) -> Trainer<'a> {
    let all_steps = options.max_epochs * order::steps(x.rows(), x.cols(), options);
    Trainer::new(options, State::new(parts), x.rows(), all_steps)
}

fn rows(x: &Matrix) -> Vec<&[f32]> {
    (0..x.rows()).map(|i| x.row(i)).collect()
}

/// The gradient's norm; the bound that spares its computation is held against it.
pub(super) fn gradient_norm(trainer: &mut Trainer<'_>) -> f64 {
    trainer.group();
    let bound = trainer.bound();
    let norm = trainer.backward();
    assert!(norm <= bound, "norm {norm} exceeds its bound {bound}");
    norm
}

pub(super) fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

pub(super) fn matrix(rows: usize, cols: usize, value: &Value) -> Matrix {
    Matrix::from_vec(rows, cols, floats(value)).unwrap()
}

fn assert_close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() < 2e-6, "{what}, entry {i}: {g} is not {e}");
    }
}

/// Two steps of `scripts/golden/sae_step.py`: losses, gradient norms, all parameters after each.
fn check_golden(case: &str) {
    let golden = include_str!("../../../tests/golden/sae_step.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let whole = |name: &str| usize::try_from(golden[name].as_u64().unwrap()).unwrap();
    let (n, d, m) = (whole("n"), whole("d"), whole("m"));
    let case = &golden["cases"][case];
    let x = matrix(n, d, &case["x"]);
    let options = TrainOptions {
        n_neurons: m,
        k: whole("k"),
        aux_k: Some(whole("aux_k")),
        dead_after: golden["dead_after"].as_u64(),
        learning_rate: golden["learning_rate"].as_f64().unwrap() as f32,
        clip_norm: case["clip_norm"].as_f64().unwrap() as f32,
        ..TrainOptions::default()
    };
    let silent = case["silent_rows"].as_array().unwrap();
    let parts = Parts {
        encoder: matrix(m, d, &case["start"]["encoder"]),
        decoder: matrix(m, d, &case["start"]["decoder"]),
        input_bias: floats(&case["start"]["input_bias"]),
        neuron_bias: floats(&case["start"]["neuron_bias"]),
        k: options.k,
        threshold: None,
        variance: case["variance"].as_f64().unwrap(),
        silent_rows: silent.iter().map(|v| v.as_u64().unwrap()).collect(),
    };
    let rows = rows(&x);
    let mut trainer = new_trainer(&x, &options, parts);
    for expected in case["steps"].as_array().unwrap() {
        let clock = trainer.state.parts.silent_rows.clone();
        trainer.forward(&rows);
        let norm = gradient_norm(&mut trainer);
        assert!((norm - expected["norm"].as_f64().unwrap()).abs() < 1e-6, "gradient norm {norm}");
        trainer.state.parts.silent_rows = clock;
        let loss = trainer.step(&rows).unwrap().total;
        assert!((loss - expected["loss"].as_f64().unwrap()).abs() < 1e-6, "loss {loss}");
        assert_eq!(trainer.dead().len() as u64, expected["n_dead"].as_u64().unwrap());
        let parts = &trainer.state.parts;
        assert_close(parts.encoder.data(), &floats(&expected["encoder"]), "encoder");
        assert_close(parts.decoder.data(), &floats(&expected["decoder"]), "decoder");
        assert_close(&parts.input_bias, &floats(&expected["input_bias"]), "input bias");
        assert_close(&parts.neuron_bias, &floats(&expected["neuron_bias"]), "neuron bias");
    }
}

#[test]
fn steps_equal_numpys() {
    check_golden("plain");
}

#[test]
fn steps_with_dead_neurons_equal_numpys() {
    check_golden("dead");
}

#[test]
fn clipped_steps_equal_numpys() {
    check_golden("clipped");
}

/// Loss of `parts` with what fires held fixed, by prefix and for multi-k: plain sums in f64.
fn loss(parts: &Parts, x: &Matrix, trainer: &Trainer<'_>) -> f64 {
    let mut loss = 0.0;
    for &end in &trainer.ends {
        loss += squares(parts, x, &trainer.passes.main, end) / trainer.ends.len() as f64;
    }
    if trainer.options.multi().is_some() {
        let squares = squares(parts, x, &trainer.passes.multi, trainer.options.n_neurons);
        loss += f64::from(trainer.options.multi_coef) * squares;
    }
    loss / (x.rows() as f64 * parts.variance)
}

/// Sum of squared errors of what the firings of neurons below `end` reconstruct.
fn squares(parts: &Parts, x: &Matrix, pass: &Pass, end: usize) -> f64 {
    let mut left: Vec<Vec<f64>> = (0..x.rows())
        .map(|i| x.row(i).iter().zip(&parts.input_bias).map(|(x, b)| f64::from(*b) - f64::from(*x)))
        .map(Iterator::collect)
        .collect();
    for firing in pass.blocks.iter().flat_map(|b| &b.firings) {
        let (row, j) = (firing.row as usize, firing.neuron as usize);
        if j >= end {
            continue;
        }
        let encoder = parts.encoder.row(j).iter().zip(x.row(row)).zip(&parts.input_bias);
        let sum: f64 =
            encoder.map(|((w, x), b)| f64::from(*w) * (f64::from(*x) - f64::from(*b))).sum();
        let value = sum + f64::from(parts.neuron_bias[j]);
        for (left, w) in left[row].iter_mut().zip(parts.decoder.row(j)) {
            *left += value * f64::from(*w);
        }
    }
    left.iter().flatten().map(|v| v * v).sum()
}

#[test]
fn gradients_equal_finite_differences() {
    check_gradients(&TrainOptions::default());
}

#[test]
fn gradients_with_prefixes_equal_finite_differences() {
    check_gradients(&TrainOptions { prefixes: vec![4, 11, 20], ..TrainOptions::default() });
}

#[test]
fn gradients_of_batch_top_k_with_multi_k_equal_finite_differences() {
    let options = TrainOptions {
        batch_top_k: true,
        multi_k: Some(6),
        multi_coef: 0.125,
        ..TrainOptions::default()
    };
    check_gradients(&options);
    check_gradients(&TrainOptions { prefixes: vec![7, 20], batch_top_k: false, ..options });
}

fn check_gradients(options: &TrainOptions) {
    let (n, d, m) = (130, 5, 20); // three blocks of rows, two chunks of neurons
    let wave = (0..n * d).map(|i| ((i * i) as f32 * 0.01).sin()).collect();
    let x = Matrix::from_vec(n, d, wave).unwrap();
    let options = TrainOptions { n_neurons: m, k: 3, ..options.clone() };
    let rows = rows(&x);
    let mut trainer = new_trainer(&x, &options, init::alone(&x, &options));
    trainer.step(&rows).unwrap();
    trainer.forward(&rows);
    gradient_norm(&mut trainer);
    let difference = |change: &dyn Fn(&mut Parts, f32)| {
        let (mut up, mut down) = (trainer.state.parts.clone(), trainer.state.parts.clone());
        change(&mut up, 0.01);
        change(&mut down, -0.01);
        (loss(&up, &x, &trainer) - loss(&down, &x, &trainer)) / 0.02
    };
    let check = |got: f32, what: String, change: &dyn Fn(&mut Parts, f32)| {
        let expected = difference(change);
        let close = (f64::from(got) - expected).abs() < 1e-5 + 1e-4 * expected.abs();
        assert!(close, "{what}: {got} is not {expected}");
    };
    let gradients = &trainer.gradients;
    for at in 0..m * d {
        check(gradients.encoder[at], format!("encoder {at}"), &|p, h| {
            p.encoder.data_mut()[at] += h;
        });
    }
    for j in 0..m {
        check(gradients.neuron_bias[j], format!("neuron bias {j}"), &|p, h| p.neuron_bias[j] += h);
        // The decoder's gradient lacks its component along the row: compare across it.
        for (a, b) in [(0, 1), (1, 4), (3, 2)] {
            let row = trainer.state.parts.decoder.row(j);
            let across =
                gradients.decoder[j * d + a] * row[b] - gradients.decoder[j * d + b] * row[a];
            check(across, format!("decoder {j}: {a}, {b}"), &|p, h| {
                let (to_a, to_b) = (h * row[b], h * row[a]);
                p.decoder.row_mut(j)[a] += to_a;
                p.decoder.row_mut(j)[b] -= to_b;
            });
        }
    }
    for i in 0..d {
        check(gradients.input_bias[i], format!("input bias {i}"), &|p, h| p.input_bias[i] += h);
    }
}

#[test]
fn decoder_rows_stay_unit() {
    let wave = (0..600).map(|i| ((i * i) as f32 * 0.01).sin()).collect();
    let x = Matrix::from_vec(60, 10, wave).unwrap();
    let options = TrainOptions { n_neurons: 12, k: 3, ..TrainOptions::default() };
    let mut trainer = new_trainer(&x, &options, init::alone(&x, &options));
    let rows = rows(&x);
    for _ in 0..20 {
        trainer.step(&rows).unwrap();
    }
    for j in 0..12 {
        let length: f32 = trainer.state.parts.decoder.row(j).iter().map(|w| w * w).sum();
        assert!((length - 1.0).abs() < 1e-6, "row {j}: {length}");
    }
}

/// How many of twelve neurons fire after 200 passes over 90 rows, if six are too weak to win.
fn alive(aux_coef: f32) -> usize {
    let (n, d) = (90, 12);
    let mut x = Matrix::zeros(n, d);
    for i in 0..n {
        x.row_mut(i)[i % d] = 1.0;
        x.row_mut(i)[(i / d) % d] += 0.5;
    }
    let options = TrainOptions { n_neurons: d, k: 2, aux_coef, ..TrainOptions::default() };
    let mut parts = init::alone(&x, &options);
    parts.neuron_bias[..6].fill(0.5);
    for j in 6..d {
        parts.encoder.row_mut(j).iter_mut().for_each(|w| *w *= 0.01);
    }
    let mut trainer = new_trainer(&x, &options, parts);
    let rows = rows(&x);
    for _ in 0..200 {
        trainer.step(&rows).unwrap();
    }
    trainer.state.parts.silent_rows.iter().filter(|&&silent| silent == 0).count()
}

#[test]
fn trap_04_dead_neurons_come_back_on_small_data() {
    assert_eq!(alive(0.0), 6, "without the aux-k term");
    assert_eq!(alive(TrainOptions::default().aux_coef), 12, "with it");
}
