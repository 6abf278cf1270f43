//! Real labelled texts. They are not part of the project: a test says so and passes where they are
//! absent. `HYPOTHESAES_DATA` names their folder; by default it is `../shared/data` beside the
//! project.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::Folder;

const SEEDS: [&str; 5] = ["0", "1", "2", "3", "4"];

/// A file of the folder, or `None` with a line that says what is skipped.
fn file(name: &str) -> Option<String> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("HYPOTHESAES_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    if !path.is_file() {
        println!("skipped: there is no {} (HYPOTHESAES_DATA names its folder)", path.display());
        return None;
    }
    Some(path.to_str().unwrap().to_owned())
}

/// The answer of `run` with these words.
fn answer(words: &[&str]) -> Value {
    let folder = Folder::new();
    let words = [&["run"], words, &["--json"]].concat();
    serde_json::from_str(&folder.run(&words).well().stdout).unwrap()
}

fn n_hold(answer: &Value) -> u64 {
    answer["test"]["n_hold"].as_u64().unwrap()
}

/// The cross-fitted R2 or AUC.
fn cross_fitted(answer: &Value) -> f64 {
    let models = answer["test"]["models"].as_array().unwrap();
    let model = models.iter().find(|m| m["fit"] == "cross_fitted").unwrap();
    model["measure"]["value"].as_f64().unwrap()
}

fn median<T: PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values.swap_remove(values.len() / 2)
}

#[test]
fn reviews_and_their_stars() {
    let Some(path) = file("yelp-val-2K.jsonl") else { return };
    let words = [&path, "--text", "text", "--target", "stars", "--split", "45/5/50", "--seed"];
    let answers = SEEDS.map(|seed| answer(&[&words[..], &[seed]].concat()));
    assert!(median(answers.iter().map(n_hold).collect()) >= 5);
    // 0.6 of what twenty single words tell: `bench/RESULTS.md`.
    let r_squared = median(answers.iter().map(cross_fitted).collect());
    assert!(r_squared >= 0.6 * 0.338, "{r_squared}");
}

#[test]
fn sentences_and_their_verdicts() {
    let Some(path) = file("movie-sentences.tsv") else { return };
    let answer = answer(&[&path]);
    assert!(n_hold(&answer) >= 8, "{}", answer["test"]);
    // 0.9 of what twenty single words tell: `bench/RESULTS.md`.
    assert!(cross_fitted(&answer) >= 0.9 * 0.640, "{}", answer["test"]);
}

#[test]
fn messages_and_spam() {
    let Some(path) = file("sms.tsv") else { return };
    let answer = answer(&[&path, "--no-header", "--columns", "target,text", "--positive", "spam"]);
    assert_eq!(answer["data"]["counts"]["rows"], 5_574, "{}", answer["data"]);
    assert_eq!(answer["data"]["task"]["positive"], "spam", "{}", answer["data"]);
    assert!(cross_fitted(&answer) >= 0.95, "{}", answer["test"]);
}

#[test]
fn threads_do_not_change_a_byte() {
    let Some(path) = file("yelp-val-2K.jsonl") else { return };
    let [one, two] = ["1", "2"].map(|threads| {
        let folder = Folder::new();
        let words = ["run", &path, "--target", "stars", "--out", "out", "--threads", threads];
        folder.run(&words).well();
        let mut files = folder.files("out");
        // What says when a run was and how long it took.
        files.retain(|(path, _)| {
            !["log.jsonl", "state.json"].iter().any(|name| path.ends_with(name))
        });
        files
    });
    assert!(one.len() > 20);
    for (a, b) in one.iter().zip(&two) {
        assert!(a == b, "{} or {}", a.0.display(), b.0.display());
    }
    assert_eq!(one.len(), two.len());
}
