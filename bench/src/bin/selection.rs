//! Seconds of each way to select neurons, and what it selects, printed as one JSON line.
//!
//! Usage: `selection FILE N REPEATS METHOD...`, methods being squared, logistic, correlation,
//! separation and, for the share of 100 half-samples, stability. FILE is written by
//! `bench/selection.py`: rows, neurons and stored values as u64; where rows start as u64; neurons as
//! u32, values as f32; a continuous and a binary target as f64.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use hypothesaes_math::lasso::{self, Loss};
use hypothesaes_math::{Activations, LargePages, Setting, scores, stability};
use serde_json::{Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

/// Texts that fire a neuron most, of which separation takes the mean: as the Python package does.
const TOP: usize = 100;

struct Data {
    z: Activations,
    y: Vec<f64>,
    classes: Vec<f64>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, n, repeats, methods @ ..] = arguments.as_slice() else {
        bail!("usage: selection FILE N REPEATS METHOD..., see the source");
    };
    let data = read(&std::fs::read(file)?).context("the file ends too early")?;
    let (n, repeats): (usize, usize) = (n.parse()?, repeats.parse()?);
    let mut figures = serde_json::Map::new();
    for method in methods {
        let mut seconds = Vec::new();
        let mut found = Value::Null;
        for _ in 0..repeats {
            let start = Instant::now();
            found = selected(&data, method, n)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let seconds = seconds[seconds.len() / 2];
        figures.insert(method.clone(), json!({ "seconds": seconds, "found": found }));
    }
    println!("{}", Value::Object(figures));
    Ok(())
}

fn selected(data: &Data, method: &str, n: usize) -> Result<Value> {
    let Data { z, y, classes } = data;
    let by_score = |scores: Vec<Option<f64>>| {
        let top = scores::top(&scores, n);
        json!({ "neurons": top, "scores": top.iter().map(|&j| scores[j]).collect::<Vec<_>>() })
    };
    let by_lasso = |y: &[f64], loss| -> Result<Value> {
        let found = lasso::select(z, y, loss, n)?;
        let (neurons, scores): (Vec<usize>, Vec<f64>) = found.coefficients.into_iter().unzip();
        Ok(json!({ "neurons": neurons, "scores": scores, "lambda": found.lambda }))
    };
    Ok(match method {
        "squared" => by_lasso(y, Loss::Squared)?,
        "logistic" => by_lasso(classes, Loss::Logistic)?,
        "correlation" => by_score(scores::correlation(z, y)?),
        "separation" => by_score(scores::separation(z, y, Some(TOP))?),
        "stability" => {
            let setting = Setting::default();
            let full = lasso::select(z, classes, Loss::Logistic, n)?;
            let draw = stability::Draw { halves: 100, seed: 0, groups: None };
            let found = stability::lasso(z, classes, Loss::Logistic, &full, &setting, &draw)?;
            json!({ "half_samples": found.halves })
        }
        other => bail!("no method `{other}`"),
    })
}

fn read(mut bytes: &[u8]) -> Option<Data> {
    let [rows, neurons, len] = [(); 3].map(|()| u64::from_le_bytes(next(&mut bytes)));
    let size = |v: u64| usize::try_from(v).ok();
    let (rows, len) = (size(rows)?, size(len)?);
    let starts: Vec<u64> = list(&mut bytes, rows + 1, u64::from_le_bytes)?;
    let indices: Vec<u32> = list(&mut bytes, len, u32::from_le_bytes)?;
    let values: Vec<f32> = list(&mut bytes, len, f32::from_le_bytes)?;
    let mut z = Activations::new(size(neurons)?);
    for ends in starts.windows(2) {
        let span = size(ends[0])?..size(ends[1])?;
        z.push_row(indices[span.clone()].iter().copied().zip(values[span].iter().copied()));
    }
    let y = list(&mut bytes, rows, f64::from_le_bytes)?;
    Some(Data { z, y, classes: list(&mut bytes, rows, f64::from_le_bytes)? })
}

fn list<T, const N: usize>(
    bytes: &mut &[u8],
    len: usize,
    from: impl Fn([u8; N]) -> T,
) -> Option<Vec<T>> {
    (bytes.len() >= len * N).then(|| (0..len).map(|_| from(next(bytes))).collect())
}

/// The next bytes; zeros where there are no more.
fn next<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let taken = bytes.first_chunk().copied().unwrap_or([0; N]);
    *bytes = bytes.get(N..).unwrap_or_default();
    taken
}
