//! A run from end to end: what is printed where, and which files there are.

use serde_json::Value;

use crate::program::{Folder, Went, small_table, timeless};

const RUN: [&str; 8] =
    ["run", "visits.tsv", "--text", "text", "--target", "stars", "--split", "45/10/45"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(700));
    folder
}

fn with(folder: &Folder, more: &[&str]) -> Went {
    folder.run(&[&RUN[..], more].concat()).well()
}

fn json(went: &Went) -> Value {
    serde_json::from_str(&went.stdout).unwrap()
}

#[test]
fn the_answer_is_on_stdout_and_the_way_to_it_on_stderr() {
    let folder = folder();
    let went = with(&folder, &[]);
    let first = went.stdout.lines().next().unwrap();
    assert!(first.contains("hypotheses about `stars` hold on"), "{first}");
    assert!(went.stdout.contains("mentions \""), "{}", went.stdout);
    assert!(went.stdout.contains("runs/visits-1/report.html"), "{}", went.stdout);
    for said in ["700 rows", "text is column `text`, target `stars`", "sae: begins", "sae: done"] {
        assert!(went.stderr.contains(said), "`{said}` is not in {}", went.stderr);
    }
    for file in [
        "summary.md",
        "report.html",
        "hypothesaes.toml",
        "tables/hypotheses.csv",
        "sae/model.safetensors",
    ] {
        assert!(folder.path().join("runs/visits-1").join(file).is_file(), "{file}");
    }
}

#[test]
fn quiet_prints_the_answer_only() {
    let folder = folder();
    let loud = with(&folder, &[]);
    let quiet = with(&folder, &["--quiet"]);
    assert_eq!(quiet.stderr, "");
    assert_eq!(timeless(&quiet.stdout), timeless(&loud.stdout));
}

#[test]
fn json_is_one_document_with_everything() {
    let folder = folder();
    let answer = json(&with(&folder, &["--json"]));
    for key in ["folder", "stages", "data", "signal", "saes", "hypotheses", "unlabelled", "test"] {
        assert!(!answer[key].is_null(), "{key} is missing");
    }
    let holds = |h: &&Value| h["status"] == "holds";
    let hypotheses = answer["hypotheses"].as_array().unwrap();
    let hold = hypotheses.iter().filter(holds).count() as u64;
    assert_eq!(answer["test"]["n_hold"].as_u64(), Some(hold));
    assert!(hold > 0, "{answer:#}");
}

#[test]
fn threads_change_nothing() {
    let folder = folder();
    with(&folder, &["--threads", "1", "--out", "one"]);
    with(&folder, &["--threads", "2", "--out", "two"]);
    for part in ["tables", "data", "sae"] {
        let [one, two] = ["one", "two"].map(|run| folder.files(&format!("{run}/{part}")));
        assert!(one.len() > 1, "{part} has few files");
        assert_eq!(one, two, "{part}");
    }
}

#[test]
fn another_seed_is_another_split() {
    let folder = folder();
    let rows = |seed: &str| {
        with(&folder, &["--seed", seed, "--out", seed]);
        folder.files(&format!("{seed}/data"))
    };
    assert_ne!(rows("1"), rows("2"));
}

#[test]
fn an_options_file_in_the_folder_is_read_and_said() {
    let folder = folder();
    folder.write("hypothesaes.toml", "seed = 5\n[select]\nn = 7\n");
    let went = with(&folder, &["-n", "6"]);
    assert!(went.stderr.contains("options from `hypothesaes.toml`"), "{}", went.stderr);
    let written = folder.read("runs/visits-1/hypothesaes.toml");
    assert!(written.contains("seed = 5") && written.contains("n = 6"), "{written}");
}

#[test]
fn an_unknown_option_in_the_file_is_named_with_its_line() {
    let folder = folder();
    folder.write("hypothesaes.toml", "seed = 5\n[select]\nm = 7\n");
    let went = folder.run(&RUN);
    assert_eq!(went.code, Some(2));
    assert!(went.stderr.contains("`hypothesaes.toml`, line 3"), "{}", went.stderr);
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = folder();
    let went = with(&folder, &["--dry-run"]);
    for stage in ["data", "embed", "sae", "select", "interpret", "annotate", "evaluate"] {
        assert!(went.stdout.contains(stage), "{}", went.stdout);
    }
    assert!(!folder.path().join("runs").exists());
    with(&folder, &[]);
    let went = with(&folder, &["--dry-run", "-n", "5"]);
    insta::assert_snapshot!("dry_run", timeless(&went.stdout));
}
