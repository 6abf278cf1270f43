//! `hypothesaes sae`: autoencoders on files of vectors.

use hypothesaes::tensors::npy;
use hypothesaes_math::Matrix;
use serde_json::Value;

use crate::program::Folder;

/// Rows along six directions, two at a time.
fn vectors(n: usize, spoilt: Option<usize>) -> Vec<u8> {
    let row = |i: usize| {
        let mut row = vec![0.01 * (i as f32).sin(); 8];
        row[i % 6] += 1.0;
        row[(i / 6) % 6] += 1.0;
        if spoilt == Some(i) {
            row[3] = f32::NAN;
        }
        row
    };
    in_file((0..n).flat_map(row).collect())
}

/// A file of rows of 8 numbers.
fn in_file(data: Vec<f32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let all = Matrix::from_vec(data.len() / 8, 8, data).unwrap();
    npy::write(&mut bytes, (all.rows(), 8), std::iter::once(Ok(all))).unwrap();
    bytes
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("x.npy", vectors(300, None));
    folder
}

const TRAIN: [&str; 6] = ["sae", "train", "x.npy", "--sae", "12:2", "--quiet"];

#[test]
fn vectors_are_trained_on_encoded_and_decoded() {
    let folder = folder();
    folder.run(&[&TRAIN[..], &["--out", "a"]].concat()).well();
    let second = ["--sae", "6:2", "--out", "b", "--json"];
    let both = folder.run(&[&TRAIN[..], &second].concat()).well();
    let reports: Value = serde_json::from_str(&both.stdout).unwrap();
    assert_eq!(reports[1]["id"], "6:2");
    for report in reports.as_array().unwrap() {
        let fvu = report["quality"]["fvu_validation"].as_f64().unwrap();
        assert!(fvu < 0.5, "{}", both.stdout);
    }
    folder.run(&["sae", "encode", "b", "x.npy", "--out", "z.npz"]).well();
    let decode = ["sae", "decode", "b", "z.npz", "--out", "back.npy"];
    let went = folder.run(&decode);
    assert_eq!(went.code, Some(2));
    assert!(went.stderr.contains("12:2, 6:2"), "{}", went.stderr);
    folder.run(&[&decode[..], &["--sae", "12:2"]].concat()).well();
    let health = ["sae", "health", "b", "back.npy", "--json", "--neurons", "n.csv"];
    let health: Value = serde_json::from_str(&folder.run(&health).well().stdout).unwrap();
    assert_eq!(health[0]["health"]["n_rows"], 300);
    assert_eq!(health[0]["reconstruction"]["n_silent"], 0);
    assert!(health[0]["reconstruction"]["cosine"].as_f64().unwrap() > 0.9, "{health}");
    assert_eq!(folder.read("n.csv").lines().count(), 1 + 18);
    let text = folder.run(&["sae", "health", "a"]).well().stdout;
    assert!(["unexplained", "after each", "fire on"].iter().all(|w| text.contains(w)), "{text}");
}

#[test]
fn memory_changes_no_byte() {
    let folder = folder();
    folder.run(&[&TRAIN[..], &["--out", "a"]].concat()).well();
    // What training itself needs, and not the vectors beside it.
    let least = folder.run(&[&TRAIN[..], &["--out", "b", "--memory", "1MB"]].concat());
    assert_eq!(least.code, Some(2));
    let words: Vec<&str> = least.stderr.split_whitespace().collect();
    let at = words.iter().position(|&word| word == "about").unwrap();
    let least: u64 = words[at + 1].parse().unwrap();
    let memory = format!("{}", least * 1_000_000);
    folder.run(&[&TRAIN[..], &["--out", "b", "--memory", &memory]].concat()).well();
    assert_eq!(
        folder.files("")[..1],
        [("a".into(), std::fs::read(folder.path().join("b")).unwrap())]
    );
}

#[test]
fn what_is_wrong_is_named() {
    let folder = folder();
    folder.write("nan.npy", vectors(300, Some(123)));
    folder.write("equal.npy", in_file(vec![0.5; 80]));
    folder.write("text.csv", "text,stars\nnice,5\n");
    folder.write("taken", "years of work");
    let check = |words: &[&str], named: &[&str]| {
        let went = folder.run(words);
        assert_ne!(went.code, Some(0));
        for named in named {
            assert!(went.stderr.contains(named), "{}", went.stderr);
        }
    };
    check(&["sae", "train", "nan.npy", "--out", "a"], &["nan.npy", "row 123, column 3"]);
    check(&["sae", "train", "text.csv", "--out", "a"], &["text.csv", "neither"]);
    check(&["sae", "train", "equal.npy", "--out", "a"], &["equal.npy", "rows are equal"]);
    check(&["sae", "train", "none.npy", "--out", "a"], &["none.npy", "hint"]);
    check(&["sae", "train", "x.npy", "--out", "taken"], &["`taken` is there already"]);
    check(&["sae", "train", "x.npy", "--sae", "4:5", "--out", "a"], &["`k` is 5"]);
    check(
        &["sae", "train", "x.npy", "-o", "select.n=3", "--out", "a"],
        &["select.n", "sae.patience"],
    );
    let prefixes = ["-o", "sae.prefixes=[4, 2, 12]"];
    check(&[&TRAIN[..5], &["--out", "a"], &prefixes].concat(), &["sae.prefixes", "4,2,12"]);
    check(&["sae", "encode", "taken", "x.npy", "--out", "z"], &["taken", "damaged"]);
    check(&["sae", "import", "taken", "x.npy", "--out", "a"], &["taken", "Python package"]);
    assert_eq!(folder.read("taken"), "years of work");
    assert!(!folder.path().join("a").exists());
}

/// A limit on the size of files stands for a disk that is full: writing fails in the middle.
#[cfg(unix)]
#[test]
fn a_full_disk_is_named_and_what_was_there_stays() {
    let folder = folder();
    let small = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_hypothesaes");
        let limited = r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#;
        let mut command = std::process::Command::new("bash");
        command.args(["-c", limited, program]).args(words).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let wide = ["sae", "train", "x.npy", "--sae", "200:2", "--quiet", "-o", "sae.max_epochs=3"];
    let before = folder.files("");
    let stderr = small(&[&wide[..], &["--out", "full"]].concat());
    assert!(stderr.contains("full") && stderr.contains("File too large"), "{stderr}");
    assert_eq!(folder.files(""), before);
    folder.run(&[&wide[..], &["--out", "model"]].concat()).well();
    let before = folder.files("");
    let stderr = small(&["sae", "encode", "model", "x.npy", "--out", "z.npz"]);
    assert!(stderr.contains("z.npz"), "{stderr}");
    assert_eq!(folder.files(""), before);
}
