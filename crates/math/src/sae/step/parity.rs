//! Five steps beside those of the Python package, from `scripts/golden/sae_package.py`.

use serde_json::Value;

use super::super::Parts;
use super::super::{Normaliser, TrainOptions};
use super::tests::{floats, gradient_norm, matrix, new_trainer};

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn wholes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(whole).collect()
}

fn real(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

/// Traps 1 and 4 are where we differ: one option each undoes it.
fn options(golden: &Value, case: &Value) -> TrainOptions {
    TrainOptions {
        n_neurons: whole(&golden["m"]),
        k: whole(&golden["k"]),
        batch_top_k: case["batch_top_k"].as_bool().unwrap(),
        prefixes: wholes(&case["prefixes"]),
        multi_k: case["multi_k"].as_u64().map(|k| usize::try_from(k).unwrap()),
        multi_coef: real(&case["multi_coef"]),
        clip_norm: real(&case["clip_norm"]),
        learning_rate: real(&golden["learning_rate"]),
        normaliser: Normaliser::Batch,
        dead_after: golden["dead_after"].as_u64(),
        ..TrainOptions::default()
    }
}

fn start(golden: &Value, case: &Value) -> Parts {
    let (m, d) = (whole(&golden["m"]), whole(&golden["d"]));
    let start = &case["start"];
    Parts {
        encoder: matrix(m, d, &start["encoder"]),
        decoder: matrix(m, d, &start["decoder"]),
        input_bias: floats(&start["input_bias"]),
        neuron_bias: floats(&start["neuron_bias"]),
        k: whole(&golden["k"]),
        threshold: None,
        variance: 1.0,
        silent_rows: wholes(&case["silent_rows"]).into_iter().map(|n| n as u64).collect(),
    }
}

/// Largest difference, as a share of the largest expected value.
fn difference(got: &[f32], expected: &Value) -> f32 {
    let expected = floats(expected);
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |high, e| high.max(e.abs()));
    let differences = got.iter().zip(&expected).map(|(g, e)| (g - e).abs());
    differences.fold(0.0, f32::max) / largest
}

fn check(name: &str) {
    let golden = include_str!("../../../tests/golden/sae_package.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let case = &golden["cases"][name];
    let x = matrix(whole(&golden["n"]), whole(&golden["d"]), &golden["x"]);
    let options = options(&golden, case);
    let mut trainer = new_trainer(&x, &options, start(&golden, case));
    for (number, expected) in case["steps"].as_array().unwrap().iter().enumerate() {
        let rows: Vec<&[f32]> = wholes(&expected["rows"]).into_iter().map(|i| x.row(i)).collect();
        let clock = trainer.state.parts.silent_rows.clone();
        trainer.forward(&rows);
        assert_eq!(trainer.dead().len(), whole(&expected["n_dead"]), "{name}, step {number}");
        gradient_norm(&mut trainer);
        let gradients = &trainer.gradients;
        for (what, got) in [
            ("encoder", &gradients.encoder),
            ("decoder", &gradients.decoder),
            ("input_bias", &gradients.input_bias),
            ("neuron_bias", &gradients.neuron_bias),
        ] {
            let off = difference(got, &expected["gradients"][what]);
            assert!(off < 1e-4, "{name}, step {number}: gradient of {what} is off by {off}");
        }
        trainer.state.parts.silent_rows = clock;
        let loss = trainer.step(&rows).unwrap().total;
        let theirs = expected["loss"].as_f64().unwrap();
        assert!((loss / theirs - 1.0).abs() < 1e-5, "{name}, step {number}: {loss}, not {theirs}");
    }
    let parts = &trainer.state.parts;
    for (what, got) in [
        ("encoder", parts.encoder.data()),
        ("decoder", parts.decoder.data()),
        ("input_bias", &parts.input_bias),
        ("neuron_bias", &parts.neuron_bias),
    ] {
        let off = difference(got, &case["end"][what]);
        assert!(off < 1e-5, "{name}: {what} is off by {off} after five steps");
    }
}

#[test]
fn plain_steps_equal_the_packages() {
    check("plain");
}

#[test]
fn steps_with_prefixes_equal_the_packages() {
    check("prefixes");
}

#[test]
fn steps_of_batch_top_k_equal_the_packages() {
    check("batch_top_k");
    check("batch_top_k_prefixes");
}

#[test]
fn steps_with_multi_k_equal_the_packages() {
    check("multi_k");
}

#[test]
fn steps_with_a_third_dead_equal_the_packages() {
    check("third_dead");
}

#[test]
fn clipped_steps_equal_the_packages() {
    check("clipped");
}
