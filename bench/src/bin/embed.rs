//! Seconds to embed the texts of a JSON Lines file, printed as one JSON line; the vectors as rows of
//! numbers in little-endian f32, if a file for them is named.
//!
//! Usage: `embed MODEL TEXTS.jsonl f32|int8 [VECTORS]`

use std::path::Path;
use std::time::Instant;

use hypothesaes_encoder::{Encoder, EncoderOptions, Precision};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, file, precision, rest @ ..] = arguments.as_slice() else {
        return Err("usage: embed MODEL TEXTS.jsonl f32|int8 [VECTORS]".into());
    };
    let precision = match precision.as_str() {
        "f32" => Precision::F32,
        "int8" => Precision::Int8,
        other => return Err(format!("`{other}` is neither f32 nor int8").into()),
    };
    let lines = std::fs::read_to_string(file)?;
    let text = |line: &str| -> Result<String, Box<dyn std::error::Error>> {
        let row: serde_json::Value = serde_json::from_str(line)?;
        Ok(row["text"].as_str().ok_or("no `text`")?.to_owned())
    };
    let texts: Vec<String> = lines.lines().map(text).collect::<Result<_, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = Instant::now();
    let encoder = Encoder::open(
        Path::new(model),
        &EncoderOptions { precision, ..EncoderOptions::default() },
    )?;
    let opened = start.elapsed().as_secs_f64();
    let mut all = vec![0.0; texts.len() * encoder.dim()];
    let start = Instant::now();
    encoder.encode(&texts, |i, vector| {
        all[i * encoder.dim()..][..encoder.dim()].copy_from_slice(vector);
        Ok::<(), hypothesaes_encoder::Error>(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    if let [vectors] = rest {
        let bytes: Vec<u8> = all.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(vectors, bytes)?;
    }
    let figures = serde_json::json!({
        "texts": texts.len(), "dim": encoder.dim(), "open_s": opened, "seconds": seconds,
        "texts_s": texts.len() as f64 / seconds,
    });
    println!("{figures}");
    Ok(())
}
