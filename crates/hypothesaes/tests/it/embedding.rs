//! How much of real targets the embedded vectors tell.

use hypothesaes::data::Texts;
use hypothesaes::embed::{EmbedOptions, TfidfSvd, embed};
use hypothesaes::watch::Unwatched;
use hypothesaes_math::metrics::r_squared;
use hypothesaes_math::ridge::CrossValidated;

use crate::reading::shared;

#[test]
fn vectors_of_reviews_tell_their_stars() {
    let Some(path) = shared("yelp-val-2K.jsonl") else { return };
    let lines = std::fs::read_to_string(path).unwrap();
    let rows: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Texts = rows.iter().map(|row| row["text"].as_str().unwrap()).collect();
    let stars: Vec<f64> = rows.iter().map(|row| row["stars"].as_f64().unwrap()).collect();

    let (discover, others): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|i| i % 2 == 0);
    let options = EmbedOptions::default();
    let embedder = TfidfSvd::fit(&texts.gather(&discover), &options, 0, &Unwatched).unwrap();
    let (x, _) = embed(&embedder, &texts.gather(&others), None, &Unwatched).unwrap();
    let y: Vec<f64> = others.iter().map(|&i| stars[i]).collect();
    let fold: Vec<usize> = (0..y.len()).map(|i| i % 10).collect();
    let told = CrossValidated::new(&x, &fold, 10).unwrap().predict(&y).unwrap();
    let r2 = r_squared(&y, &told, 0.95).unwrap().value;
    assert!(r2 > 0.5, "R2 = {r2}");
}
