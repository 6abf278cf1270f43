//! The yardstick for hypotheses: how much single words, chosen by L1, tell on the same texts.
//!
//! Reads the texts and the split of a run, takes every word that stands in enough discover texts
//! as a 0/1 column, chooses `--n` of them by the L1 path on the discover texts, and fits the target
//! on them cross-fitted within the held-out texts, as the run does with its annotations. `--ridge`
//! adds the upper mark: a ridge from the embedded vectors, fitted on the discover texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use hypothesaes::data::{Dataset, Split, Task, read_rows};
use hypothesaes::embed::{self, EmbedOptions};
use hypothesaes::watch::Unwatched;
use hypothesaes_math::lasso::{self, Loss};
use hypothesaes_math::metrics::{self, Measure};
use hypothesaes_math::regression::{Columns, Model};
use hypothesaes_math::ridge::CrossValidated;
use hypothesaes_math::{Activations, crossfit};
use serde_json::{Value, json};

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
    /// Also print what a ridge on the embedded vectors tells.
    #[arg(long)]
    ridge: bool,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

const FOLDS: usize = 10;
const LEVEL: f64 = 0.95;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rows = arguments.run.join(Path::new("data/rows.parquet"));
    let data = read_rows(&rows).context("not a run directory")?;
    let mut report = by_words(&data, &arguments)?;
    if arguments.ridge {
        report["ridge"] = serde_json::to_value(by_ridge(&data, arguments.seed)?)?;
    }
    println!("{report:#}");
    Ok(())
}

fn by_words(data: &Dataset, arguments: &Arguments) -> Result<Value> {
    let (discover, heldout) = (data.rows(Split::Discover), data.rows(Split::Heldout));
    let words = vocabulary(data, &discover, arguments.min_texts);
    let names: Vec<&String> = words.keys().collect();
    let (loss, model) = match &data.task {
        Task::Continuous => (Loss::Squared, Model::LeastSquares),
        Task::Binary { .. } => (Loss::Logistic, Model::Logit),
        other => panic!("no yardstick for {other:?}"),
    };
    let z = indicators(data, &discover, &words);
    let chosen = lasso::select(&z, &targets(data, &discover), loss, arguments.n)?.coefficients;

    let y = targets(data, &heldout);
    let z = indicators(data, &heldout, &words).columns();
    let columns: Vec<Vec<f64>> = chosen.iter().map(|(j, _)| dense(&z[*j].0, y.len())).collect();
    let folds = crossfit::folds(y.len(), FOLDS, is_binary(data).then_some(&y), arguments.seed)?;
    let columns = Columns::new(y.len(), &columns)?;
    let prediction = crossfit::predict(model, &columns, &y, &folds)?;
    let chosen: Vec<&str> = chosen.iter().map(|(j, _)| names[*j].as_str()).collect();
    Ok(json!({
        "metric": if is_binary(data) { "auc" } else { "r_squared" },
        "measure": measure(data, &y, &prediction),
        "words": chosen,
        "n_discover": discover.len(),
        "n_heldout": heldout.len(),
        "n_candidates": names.len(),
    }))
}

/// What a ridge fitted on the vectors of the discover texts tells of the held-out ones.
fn by_ridge(data: &Dataset, seed: u64) -> Result<Option<Measure>> {
    let (discover, heldout) = (data.rows(Split::Discover), data.rows(Split::Heldout));
    let options = EmbedOptions::default();
    let embedder = embed::fit(&data.texts.gather(&discover), &options, None, seed, &Unwatched)?;
    let rows = [heldout.clone(), discover].concat();
    let x = embedder.embed(&data.texts.gather(&rows), &Unwatched)?;
    let fold: Vec<usize> = (0..rows.len()).map(|i| usize::from(i >= heldout.len())).collect();
    let prediction = CrossValidated::new(&x, &fold, 2)?.predict(&targets(data, &rows))?;
    Ok(measure(data, &targets(data, &heldout), &prediction[..heldout.len()]))
}

fn measure(data: &Dataset, y: &[f64], prediction: &[f64]) -> Option<Measure> {
    let of = if is_binary(data) { metrics::auc } else { metrics::r_squared };
    of(y, prediction, LEVEL)
}

fn is_binary(data: &Dataset) -> bool {
    matches!(data.task, Task::Binary { .. })
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

/// A column of zeros, ones in these rows.
fn dense(rows: &[u32], n: usize) -> Vec<f64> {
    let mut column = vec![0.0; n];
    for &row in rows {
        column[row as usize] = 1.0;
    }
    column
}

fn targets(data: &Dataset, rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&i| data.y[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_scikit_learns_count_vectorizer() {
        let words: Vec<String> =
            words_of("It's a GREAT café; 5 of 10, snake_case.\nGreat!").into_iter().collect();
        assert_eq!(words, ["10", "café", "great", "it", "of", "snake_case"]);
    }

    #[test]
    fn candidates_stand_in_enough_discover_texts_but_not_in_all() {
        let data = Dataset {
            texts: ["the soup", "the salad", "the soup", "the salad salad rare"]
                .into_iter()
                .collect(),
            y: vec![0.0; 4],
            task: Task::Continuous,
            is_paired: false,
            covariates: hypothesaes::data::Covariates::default(),
            target: "stars".into(),
            split: vec![Split::Discover; 4],
            group: None,
            row_id: (0..4).collect(),
            document: None,
        };
        let words: Vec<(String, u32)> = vocabulary(&data, &[0, 1, 2, 3], 2).into_iter().collect();
        assert_eq!(words, [("salad".into(), 0), ("soup".into(), 1)]);
    }
}
