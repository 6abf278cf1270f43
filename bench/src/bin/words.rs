//! The yardstick for hypotheses: how much single words, chosen by L1, tell on the same texts.
//!
//! Reads the texts and the split of a run, takes every word that stands in enough discover texts
//! as a 0/1 column, chooses `--n` of them by the L1 path on the discover texts, and fits the target
//! on them cross-fitted within the held-out texts, as the run does with its annotations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use hypothesaes::data::{Dataset, Split, Task, read_rows};
use hypothesaes_math::lasso::{self, Loss};
use hypothesaes_math::regression::Model;
use hypothesaes_math::{Activations, crossfit, metrics};

/// What single words tell of the target of a run, as JSON.
#[derive(Parser)]
struct Arguments {
    /// A run directory.
    run: PathBuf,
    /// How many words.
    #[arg(short, long, default_value_t = 20)]
    n: usize,
    /// Discover texts that a word must stand in.
    #[arg(long, default_value_t = 5)]
    min_texts: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

const FOLDS: usize = 10;
const LEVEL: f64 = 0.95;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rows = arguments.run.join(Path::new("data/rows.parquet"));
    let data = read_rows(&rows).context("not a run directory")?;
    let discover = data.rows(Split::Discover);
    let words = vocabulary(&data, &discover, arguments.min_texts);
    let names: Vec<&String> = words.keys().collect();

    let z = indicators(&data, &discover, &words);
    let (loss, model) = match data.task {
        Task::Continuous => (Loss::Squared, Model::LeastSquares),
        Task::Binary { .. } => (Loss::Logistic, Model::Logit),
    };
    let chosen = lasso::select(&z, &targets(&data, &discover), loss, arguments.n)?;

    let heldout = data.rows(Split::Heldout);
    let y = targets(&data, &heldout);
    let z = indicators(&data, &heldout, &words).columns();
    let columns: Vec<Vec<f64>> = chosen
        .coefficients
        .iter()
        .map(|(j, _)| {
            let mut column = vec![0.0; heldout.len()];
            z[*j].0.iter().for_each(|i| column[*i as usize] = 1.0);
            column
        })
        .collect();
    let binary = matches!(data.task, Task::Binary { .. });
    let folds = crossfit::folds(y.len(), FOLDS, binary.then_some(&y[..]), arguments.seed)?;
    let prediction = crossfit::predict(model, &columns, &y, &folds)?;
    let (metric, measure) = if binary {
        ("auc", metrics::auc(&y, &prediction, LEVEL))
    } else {
        ("r_squared", metrics::r_squared(&y, &prediction, LEVEL))
    };
    let words: Vec<&str> = chosen.coefficients.iter().map(|(j, _)| names[*j].as_str()).collect();
    let report = serde_json::json!({
        "metric": metric, "measure": measure, "words": words,
        "n_discover": discover.len(), "n_heldout": heldout.len(), "n_candidates": names.len(),
    });
    println!("{report:#}");
    Ok(())
}

/// Lower-cased runs of at least two letters, digits or underscores, each once.
fn words_of(text: &str) -> BTreeSet<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.chars().nth(1).is_some())
        .map(str::to_owned)
        .collect()
}

/// Words in at least `min_texts` of the rows but not in all, numbered in alphabetical order.
fn vocabulary(data: &Dataset, rows: &[usize], min_texts: usize) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::<String, usize>::new();
    for &i in rows {
        for word in words_of(data.texts.get(i)) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let kept = counts.into_iter().filter(|(_, n)| (min_texts..rows.len()).contains(n));
    kept.map(|(word, _)| word).zip(0..).collect()
}

fn indicators(data: &Dataset, rows: &[usize], words: &BTreeMap<String, u32>) -> Activations {
    let mut z = Activations::new(words.len());
    for &i in rows {
        // Words come in alphabetical order, as their numbers do.
        let found = words_of(data.texts.get(i));
        z.push_row(found.iter().filter_map(|word| words.get(word)).map(|j| (*j, 1.0)));
    }
    z
}

fn targets(data: &Dataset, rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&i| data.y[i]).collect()
}
