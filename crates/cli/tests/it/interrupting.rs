//! Stopping at any moment, and going on from there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Folder, small_table};

const RUN: [&str; 7] = ["run", "visits.tsv", "--text", "text", "--target", "stars", "--threads=1"];

/// The tables and the model: what must not depend on how a run came about.
fn results(folder: &Folder) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = folder.files("runs/visits-1");
    files.retain(|(path, _)| {
        ["tables", "data", "sae"].iter().any(|part| path.starts_with(Path::new(part)))
    });
    assert!(files.len() > 5, "few results: {files:?}");
    files
}

fn undisturbed(rows: usize) -> (Folder, Duration) {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(rows));
    let start = Instant::now();
    folder.run(&RUN).well();
    let took = start.elapsed();
    (folder, took)
}

#[test]
fn ctrl_c_leaves_within_two_seconds_and_the_same_command_goes_on() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(4000));
    let mut child = folder.command(&RUN).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while !lines.next().expect("the autoencoder begins").unwrap().starts_with("sae: begins") {}
    let asked = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    let status = child.wait().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(status.code(), Some(130), "{said:?}");
    let farewell = said.last().unwrap();
    assert!(farewell.contains("runs/visits-1") && farewell.contains("visits.tsv"), "{farewell}");
    assert!(!farewell.contains('\u{1b}'), "no codes for a terminal in a file: {farewell:?}");

    let went = folder.run(&RUN).well();
    assert!(went.stderr.contains("reused"), "{}", went.stderr);
    assert_eq!(results(&folder), results(&undisturbed(4000).0));
}

/// Kills the run at random moments; `HYPOTHESAES_KILLS` sets how often (6 by default).
#[test]
fn killed_at_any_moment_the_same_command_completes_the_same_result() {
    let kills = std::env::var("HYPOTHESAES_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let (reference, took) = undisturbed(600);
    let expected = results(&reference);
    for kill in 0..kills {
        let folder = Folder::new();
        folder.write("visits.tsv", small_table(600));
        let mut child = folder.command(&RUN).spawn().unwrap();
        thread::sleep(took.mul_f64((f64::from(kill) + 0.5) / f64::from(kills)));
        child.kill().unwrap();
        child.wait().unwrap();
        let finished = finished(&folder);
        let went = folder.run(&[&RUN[..], &["--json"]].concat()).well();
        let answer: serde_json::Value = serde_json::from_str(&went.stdout).unwrap();
        for stage in answer["stages"].as_array().unwrap() {
            let name = stage["stage"].as_str().unwrap();
            let was_finished = finished.iter().any(|f| f == name);
            assert_eq!(stage["reused"].as_bool(), Some(was_finished), "{name}, kill {kill}");
        }
        assert_eq!(results(&folder), expected, "kill {kill} of {kills}");
    }
}

/// The stages that the killed run had finished.
fn finished(folder: &Folder) -> Vec<String> {
    let path = folder.path().join("runs/visits-1/state.json");
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let state: serde_json::Value = serde_json::from_str(&text).expect("the state is whole");
    state["stages"].as_object().unwrap().keys().cloned().collect()
}
