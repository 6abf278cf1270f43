//! The same command again, a stage by itself, and what is said of it.

use serde_json::Value;

use crate::program::{Folder, small_table};

const RUN: [&str; 6] = ["run", "visits.tsv", "--text", "text", "--target", "stars"];
const STAGES: [&str; 9] =
    ["data", "embed", "signal", "sae", "select", "interpret", "annotate", "evaluate", "report"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(300));
    folder
}

/// The stages that a command did, and why it did them again.
fn done(folder: &Folder, words: &[&str]) -> Vec<(String, Option<String>)> {
    let went = folder.run(&[words, &["--json"]].concat()).well();
    let answer: Value = serde_json::from_str(&went.stdout).unwrap();
    let stages = answer["stages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    stages
        .filter(|stage| stage["reused"] == false)
        .map(|stage| (text(&stage["stage"]).unwrap(), text(&stage["again_because"])))
        .collect()
}

fn names(done: &[(String, Option<String>)]) -> Vec<&str> {
    done.iter().map(|(stage, _)| stage.as_str()).collect()
}

#[test]
fn what_stands_is_reused_and_the_reason_for_the_rest_is_said() {
    let folder = folder();
    assert_eq!(names(&done(&folder, &RUN)), STAGES);
    assert_eq!(names(&done(&folder, &RUN)), [""; 0]);

    let again = done(&folder, &[&RUN[..], &["-n", "5"]].concat());
    assert_eq!(names(&again), STAGES[4..]);
    let why = again[0].1.as_deref().unwrap();
    assert!(why.contains('5') && why.contains('n'), "{why}");

    folder.write("visits.tsv", small_table(301));
    assert_eq!(names(&done(&folder, &[&RUN[..], &["-n", "5"]].concat())), STAGES);
}

#[test]
fn a_damaged_file_is_made_again() {
    let folder = folder();
    folder.run(&RUN).well();
    folder.write("runs/visits-1/sae/model.safetensors", "not a model");
    let again = done(&folder, &RUN);
    assert_eq!(names(&again)[0], "sae");
    assert!(again[0].1.as_deref().unwrap().contains("model.safetensors"), "{again:?}");
}

#[test]
fn each_stage_is_a_command_on_the_run_directory() {
    let folder = folder();
    folder.run(&RUN).well();
    let run = "runs/visits-1";
    assert_eq!(names(&done(&folder, &["embed", run])), [""; 0]);
    assert_eq!(names(&done(&folder, &["train", run, "--sae", "16:2"])), ["sae"]);
    assert_eq!(names(&done(&folder, &["select", run, "-n", "6"])), ["select"]);
    assert_eq!(names(&done(&folder, &["interpret", run])), ["interpret"]);
    assert_eq!(names(&done(&folder, &["annotate", run])), ["annotate"]);
    assert_eq!(names(&done(&folder, &["evaluate", run])), ["evaluate", "report"]);
    let options = folder.read("runs/visits-1/hypothesaes.toml");
    assert!(options.contains("16:2") && options.contains("n = 6"), "{options}");
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = folder();
    folder.write("mine/notes.txt", "keep me");
    let went = folder.run(&[&RUN[..], &["--out", "mine"]].concat());
    assert_eq!(went.code, Some(1));
    assert!(went.stderr.contains("other files"), "{}", went.stderr);
    assert_eq!(folder.files("mine").len(), 1);
}
