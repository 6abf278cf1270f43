//! Tiny models of every architecture, with random weights (`scripts/golden/encoders.py`).

use std::path::{Path, PathBuf};

use hypothesaes_encoder::{Encoder, EncoderOptions, Precision};
use serde_json::Value;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/encoders.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name)
}

fn list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The vectors of all texts, in order.
pub fn vectors(encoder: &Encoder, texts: &[&str]) -> Vec<Vec<f32>> {
    let mut all = vec![Vec::new(); texts.len()];
    let found = encoder.encode(texts, |i, vector| {
        assert!(all[i].is_empty());
        all[i] = vector.to_vec();
        Ok::<(), hypothesaes_encoder::Error>(())
    });
    found.unwrap();
    all
}

fn check(name: &str, texts: &[&str], options: &EncoderOptions, expected: &[Vec<f32>]) {
    let encoder = Encoder::open(&folder(name), options).unwrap_or_else(|e| panic!("{name}: {e}"));
    for (i, (got, expected)) in vectors(&encoder, texts).iter().zip(expected).enumerate() {
        assert_eq!(got.len(), encoder.dim(), "{name}");
        assert_eq!(got.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(1e-3_f32, |a, v| a.max(v.abs()));
        let apart = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(
            apart <= 2e-5 * largest,
            "{name}, text {i}: {apart} of {largest}\n{got:?}\n{expected:?}"
        );
    }
}

#[test]
fn every_architecture_as_sentence_transformers_has_it() {
    let golden = golden();
    let texts: Vec<String> = list(&golden["texts"]);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let models = golden["models"].as_object().unwrap();
    for (name, model) in models {
        println!("{name}");
        let options = EncoderOptions::default();
        let encoder =
            Encoder::open(&folder(name), &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (text, ids) in texts.iter().zip(list::<Vec<u32>>(&model["ids"])) {
            assert_eq!(encoder.ids(text).unwrap(), ids, "{name}: {text:?}");
        }
        check(name, &texts, &options, &list::<Vec<f32>>(&model["vectors"]));
        if let Some(expected) = model.get("query_vectors") {
            let query = encoder.prompts().iter().find(|(name, _)| name == "query").unwrap();
            let options = EncoderOptions { prefix: Some(query.1.clone()), ..options };
            check(name, &texts, &options, &list::<Vec<f32>>(expected));
        }
    }
    assert!(models.len() >= 12);
}

/// Random weights are harder to round than trained ones.
#[test]
fn whole_numbers_keep_what_is_alike() {
    let golden = golden();
    let texts: Vec<String> = list(&golden["texts"]);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let int8 = EncoderOptions { precision: Precision::Int8, ..EncoderOptions::default() };
    for name in golden["models"].as_object().unwrap().keys() {
        let [exact, rounded] = [&EncoderOptions::default(), &int8]
            .map(|options| vectors(&Encoder::open(&folder(name), options).unwrap(), &texts));
        let least = exact.iter().zip(&rounded).map(|(a, b)| cosine(a, b)).fold(1.0, f32::min);
        println!("{name} {least}");
        assert!(least > 0.998, "{name}: {least}");
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
