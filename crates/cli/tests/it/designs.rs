//! Own hypotheses, annotations by hand, and data beyond a text and a number, as a user meets them.

use hypothesaes::demo::REVIEWS;
use serde_json::Value;

use crate::program::{Folder, Went, small_table};

const SPLIT: [&str; 2] = ["--split", "45/10/45"];
/// In some of the demo's reviews, with few stars.
const OWN: &str = "mentions \"rude\"";

fn json(went: &Went) -> Value {
    serde_json::from_str(&went.stdout).unwrap()
}

/// The records of a table of a run directory.
fn table(folder: &Folder, name: &str) -> Vec<csv::StringRecord> {
    let path = folder.path().join(name);
    csv::Reader::from_path(path).unwrap().records().map(Result::unwrap).collect()
}

fn columns(folder: &Folder, name: &str) -> Vec<String> {
    let path = folder.path().join(name);
    csv::Reader::from_path(path).unwrap().headers().unwrap().iter().map(str::to_owned).collect()
}

/// The reviews with what a study might know beside them.
fn reviews(rows: usize) -> String {
    let all: Vec<Value> = REVIEWS.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let row = |i: usize| {
        let (review, stars) = (&all[i], all[i]["stars"].as_f64().unwrap());
        let mood = ["bad", "fair", "good"][usize::from(stars > 2.0) + usize::from(stars > 4.0)];
        format!(
            "{}\t{stars}\t{mood}\t{}\t{}\t{}\n",
            review["text"].as_str().unwrap(),
            i % 97,
            ["north", "south"][i % 2],
            1 + i % 3
        )
    };
    let rows: String = (0..rows).map(row).collect();
    format!("text\tstars\tmood\tauthor\tplace\tweight\n{rows}")
}

/// Two reviews a row, and which has more stars.
fn pairs(rows: usize) -> String {
    let all: Vec<Value> = REVIEWS.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let stars = |i: usize| all[i]["stars"].as_f64().unwrap();
    let text = |i: usize| all[i]["text"].as_str().unwrap();
    let fit = (0..rows).map(|i| (2 * i, 2 * i + 1)).filter(|&(a, b)| stars(a) != stars(b));
    let row = |(a, b)| {
        let winner = if stars(a) > stars(b) { "first" } else { "second" };
        format!("{}\t{}\t{winner}\n", text(a), text(b))
    };
    format!("first\tsecond\twinner\n{}", fit.map(row).collect::<String>())
}

#[test]
fn own_hypotheses_are_tested_on_all_texts_and_marked() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(500));
    let words = ["test", "visits.tsv", "--target", "stars", "--hypothesis", OWN, "--json"];
    let answer = json(&folder.run(&words).well());
    assert_eq!(answer["test"]["n"], 500);
    let [only] = answer["hypotheses"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&only["hypothesis"], &only["neuron_id"]), (&OWN.into(), &Value::Null));
    let stages = answer["stages"].as_array().unwrap();
    let stages: Vec<_> = stages.iter().map(|s| s["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["data", "annotate", "evaluate", "report"]);
    let hypotheses = table(&folder, "runs/visits-1/tables/hypotheses.csv");
    let origin = columns(&folder, "runs/visits-1/tables/hypotheses.csv");
    let origin = origin.iter().position(|name| name == "origin").unwrap();
    assert_eq!(&hypotheses[0][origin], "own");
    let none = folder.run(&["test", "visits.tsv", "--target", "stars"]);
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("--hypothesis"), "{}", none.stderr);
}

#[test]
fn own_hypotheses_beside_a_run_count_in_the_multiplicity() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(700));
    folder.write("own.txt", "mentions \"slow\"\n\n  mentions \"dirty\"  \n");
    let run = [&["run", "visits.tsv", "--target", "stars", "-n", "5"], &SPLIT[..]].concat();
    let before = json(&folder.run(&[&run[..], &["--json"]].concat()).well());
    let words =
        ["test", "runs/visits-1", "--hypothesis", OWN, "--hypotheses-file", "own.txt", "--json"];
    let after = json(&folder.run(&words).well());
    let count = |answer: &Value| answer["test"]["n_hypotheses"].as_u64().unwrap();
    assert_eq!(count(&after), count(&before) + 3);
    let reused = |stage: &str| {
        let stages = after["stages"].as_array().unwrap();
        stages.iter().find(|s| s["stage"] == stage).unwrap()["reused"].as_bool().unwrap()
    };
    assert!(reused("sae") && reused("interpret") && !reused("annotate"));
    let adjusted = |answer: &Value| {
        let first = &answer["hypotheses"][0]["separation"];
        let raw = first["estimate"]["p_value"].as_f64().unwrap();
        (first["p_bonferroni"].as_f64().unwrap(), raw)
    };
    let ((few, raw), (many, same)) = (adjusted(&before), adjusted(&after));
    assert_eq!(raw, same);
    assert!(many > few || many == 1.0, "{few} {many}");
}

/// Fills `gold.csv` in for a single hypothesis about rude staff: the human agrees but for every tenth
/// text.
fn fill(folder: &Folder) {
    let header = columns(folder, "gold.csv");
    let text = header.iter().position(|name| name == "text").unwrap();
    let mut filled = csv::Writer::from_path(folder.path().join("filled.csv")).unwrap();
    filled.write_record(&header).unwrap();
    for (i, record) in table(folder, "gold.csv").iter().enumerate() {
        let says = record[text].to_lowercase().contains("rude") != (i % 10 == 0);
        let mut cells: Vec<&str> = record.iter().collect();
        cells[header.len() - 1] = if says { "yes" } else { "0" };
        filled.write_record(cells).unwrap();
    }
    filled.flush().unwrap();
}

#[test]
fn annotations_by_hand_correct_pairs_classes_and_counts() {
    let folder = Folder::new();
    folder.write("duels.tsv", pairs(900));
    folder.write("visits.tsv", reviews(900));
    let paired = ["duels.tsv", "--text", "first", "--text-b", "second", "--target", "winner"];
    let classes = ["visits.tsv", "--text", "text", "--target", "mood", "--weight", "weight"];
    let counts = ["visits.tsv", "--text", "text", "--target", "stars", "--exposure", "weight"];
    let task = ["--task", "count"];
    let designs: [(&str, &[&str], &[&str]); 3] =
        [("duels-1", &paired, &[]), ("visits-1", &classes, &[]), ("visits-2", &counts, &task)];
    for (name, words, more) in designs {
        let run = format!("runs/{name}");
        folder.run(&[&["test"], words, more, &["--hypothesis", OWN, "--quiet"]].concat()).well();
        folder.run(&["gold", &run, "-n", "301", "--out", "gold.csv"]).well();
        fill(&folder);
        let words = ["evaluate", &run, "--gold", "filled.csv", "--json"];
        let answer = json(&folder.run(&words).well());
        let (tested, gold) = (&answer["hypotheses"], &answer["test"]["gold"]["hypotheses"]);
        // Of pairs, both texts of 151 rows.
        let n = if name == "duels-1" { 302 } else { 301 };
        for (tested, gold) in tested.as_array().unwrap().iter().zip(gold.as_array().unwrap()) {
            assert_eq!((&gold["n"], &gold["class"]), (&n.into(), &tested["class"]));
            let close = |effect: &Value, naive: &Value| {
                let (a, b) = (effect["value"].as_f64().unwrap(), naive["value"].as_f64().unwrap());
                assert!((a - b).abs() < 1e-8 * b.abs().max(1.0), "{name}: {a} {b}");
            };
            close(&gold["separation"]["naive"], &tested["separation"]["estimate"]);
            // A class with few such texts is fitted by penalised likelihood in the table.
            if tested["joint"]["source"] != "profile" {
                close(&gold["joint"]["naive"], &tested["joint"]["estimate"]);
            }
            let change = &gold["separation"]["powered"]["value"];
            assert!(*change != gold["separation"]["naive"]["value"], "{gold}");
        }
        std::fs::remove_file(folder.path().join("gold.csv")).unwrap();
    }
}

#[test]
fn annotations_by_hand_correct_effects() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(500));
    let words = ["test", "visits.tsv", "--target", "stars", "--hypothesis", OWN, "--quiet"];
    folder.run(&words).well();
    let drawn = folder.run(&["gold", "runs/visits-1", "-n", "200", "--out", "gold.csv"]).well();
    assert!(drawn.stdout.contains("200 held-out texts to annotate"), "{}", drawn.stdout);
    fill(&folder);
    let words = ["evaluate", "runs/visits-1", "--gold", "filled.csv", "--json"];
    let answer = json(&folder.run(&words).well());
    let gold = &answer["test"]["gold"]["hypotheses"][0];
    assert_eq!(gold["n"], 200);
    assert!((gold["agreement"]["value"].as_f64().unwrap() - 0.9).abs() < 0.02, "{gold}");
    assert!(gold["kappa"]["value"].as_f64().unwrap() < 0.95, "{gold}");
    // The only hypothesis: by itself and beside the others is the same.
    for effect in [&gold["separation"], &gold["joint"]] {
        let of = |name: &str, part: &str| effect[name][part].as_f64().unwrap();
        let width = |name: &str| of(name, "conf_high") - of(name, "conf_low");
        assert!(width("powered") > width("naive"), "{gold}");
        assert!(of("powered", "value") != of("naive", "value"));
        assert_eq!(effect["powered"], gold["separation"]["powered"]);
    }
    assert_eq!(table(&folder, "runs/visits-1/tables/gold.csv").len(), 1);
    // A sheet is not written over, and a bad answer is named with its place.
    let again = folder.run(&["gold", "runs/visits-1", "--out", "gold.csv"]);
    assert_eq!(again.code, Some(2));
    let bad = folder.read("filled.csv").replacen(",yes", ",perhaps", 1);
    folder.write("bad.csv", bad);
    let went = folder.run(&["evaluate", "runs/visits-1", "--gold", "bad.csv"]);
    assert_ne!(went.code, Some(0));
    assert!(went.stderr.contains("`perhaps` is neither yes nor no"), "{}", went.stderr);
}

#[test]
fn pairs_go_all_the_way() {
    let folder = Folder::new();
    folder.write("duels.tsv", pairs(900));
    let words = [
        &["run", "duels.tsv", "--text", "first", "--text-b", "second", "--target", "winner"][..],
        &["-n", "8", "--json"],
        &SPLIT[..],
    ];
    let answer = json(&folder.run(&words.concat()).well());
    assert_eq!(answer["test"]["is_paired"], true);
    let auc = answer["test"]["models"][0]["measure"]["value"].as_f64().unwrap();
    assert!(auc > 0.55, "{auc}");
    let header = columns(&folder, "runs/duels-1/tables/effects.csv");
    let at = header.iter().position(|name| name == "estimand").unwrap();
    let effects = table(&folder, "runs/duels-1/tables/effects.csv");
    assert!(effects.iter().any(|e| &e[at] == "diff_wins"));
    assert!(folder.read("runs/duels-1/summary.md").contains("held-out pairs"));
}

#[test]
fn classes_controls_groups_and_strata_go_all_the_way() {
    let folder = Folder::new();
    folder.write("visits.tsv", reviews(900));
    let words = [
        &["run", "visits.tsv", "--target", "mood", "-n", "6", "--group", "author", "--json"][..],
        &["--control", "place", "--weight", "weight", "--out", "classes"],
        &SPLIT[..],
    ];
    let answer = json(&folder.run(&words.concat()).well());
    let hypotheses = answer["hypotheses"].as_array().unwrap();
    let n = answer["test"]["n_hypotheses"].as_u64().unwrap();
    assert_eq!(hypotheses.len() as u64, 3 * n);
    assert!(hypotheses.iter().any(|h| h["class"] == "good" && h["adjusted"].is_object()));
    assert!(answer["test"]["n_groups"].as_u64().unwrap() > 20);
    let placebo = answer["test"]["placebo"]["runs"].as_array().unwrap();
    assert_eq!(placebo.len(), 5);

    let words = [
        &["run", "visits.tsv", "--target", "stars", "-n", "6", "--strata", "place", "--quiet"][..],
        &["--fixed-effect", "author", "--max-redundancy", "0.5", "--out", "strata"],
        &SPLIT[..],
    ];
    folder.run(&words.concat()).well();
    let strata = table(&folder, "strata/tables/strata.csv");
    let names: Vec<&str> = strata.iter().map(|row| &row[1]).collect();
    assert!(names.contains(&"north") && names.contains(&"south"));
    let header = columns(&folder, "strata/tables/hypotheses.csv");
    for column in ["adjusted_p_holm", "interaction_p_value", "reversal_p_value"] {
        assert!(header.iter().any(|name| name == column), "{column} is not in {header:?}");
    }
    let neurons = columns(&folder, "strata/tables/neurons.csv");
    for column in ["stability", "redundancy", "decoder_cosine"] {
        assert!(neurons.iter().any(|name| name == column), "{column} is not in {neurons:?}");
    }
}

#[test]
fn what_is_brought_is_looked_at_before_anything_is_done() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(300));
    let run = ["run", "visits.tsv", "--target", "stars"];
    let cases = [
        (["--hypothesis", "complains"], "the embedded annotators read concepts such as"),
        (["--gold", "none.csv"], "none.csv"),
    ];
    for (flags, said) in cases {
        let went = folder.run(&[&run[..], &flags[..]].concat());
        assert_ne!(went.code, Some(0));
        assert!(went.stderr.contains(said), "{}", went.stderr);
        assert!(!went.stderr.contains("begins"), "{}", went.stderr);
    }
}
