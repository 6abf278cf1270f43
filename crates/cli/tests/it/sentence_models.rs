//! Sentence models on this computer: by folder, by name, at hand, and their vectors.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{Folder, Went, small_table};

/// A tiny model with random weights.
fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/models/bert-mean")
}

fn run(folder: &Folder, more: &[&str]) -> Went {
    let words = ["run", "small.tsv", "--text", "text", "--target", "stars"];
    folder.run(&[&words, more].concat())
}

fn folder(rows: usize) -> Folder {
    let folder = Folder::new();
    folder.write("small.tsv", small_table(rows));
    folder
}

#[test]
fn a_folder_embeds_once() {
    let folder = folder(120);
    let model = tiny();
    // Without the vectors of phrases.
    let words = ["--interpreter", "phrases", "--annotator", "phrases", "--embedder"];
    let run = |more: &[&str]| run(&folder, &[&words, more].concat());
    let model = model.to_str().unwrap();
    let first = run(&[model, "--out", "a"]).well();
    assert!(first.stderr.contains("120 texts, 32 dimensions"), "{}", first.stderr);
    let again = run(&[model, "--out", "b"]).well();
    assert!(
        again.stderr.contains("120 of 120 texts have been embedded before"),
        "{}",
        again.stderr
    );
    let file = "embed/embeddings.safetensors";
    let [a, b] = ["a", "b"].map(|run| fs::read(folder.path().join(run).join(file)).unwrap());
    assert_eq!(a, b);

    let prefixed = run(&[model, "--prefix", "query: ", "--out", "a"]).well();
    assert!(prefixed.stderr.contains("embed: done again"), "{}", prefixed.stderr);
    assert!(!prefixed.stderr.contains("embedded before"), "{}", prefixed.stderr);
    assert_ne!(fs::read(folder.path().join("a").join(file)).unwrap(), b);

    let shown = folder.run(&["cache"]).well().stdout;
    assert!(shown.contains("vectors") && shown.contains("120"), "{shown}");
    let checked = folder.run(&["cache", "--verify"]).well().stdout;
    assert!(checked.contains("240 vectors are sound"), "{checked}");
    let gone = folder.run(&["cache", "--trim-vectors", "0"]).well().stdout;
    assert!(gone.contains("2 files of vectors removed"), "{gone}");
}

#[test]
fn a_sentence_model_finds_and_judges_meaning() {
    let folder = folder(120);
    let model = tiny();
    let model = model.to_str().unwrap();
    let least = ["-o", "interpret.min_fidelity=-1", "--embedder", model];
    let summary = |out: &str| folder.read(&format!("{out}/summary.md"));
    run(&folder, &[&least[..], &["--out", "a"]].concat()).well();
    assert!(summary("a").contains("is close in meaning to \""), "{}", summary("a"));
    assert!(summary("a").contains("vectors of a sentence model"), "{}", summary("a"));
    let again = run(&folder, &[&least[..], &["--out", "a"]].concat()).well();
    assert!(!again.stderr.contains("done again"), "{}", again.stderr);
    let words = ["--interpreter", "phrases", "--annotator", "phrases", "--out", "b"];
    run(&folder, &[&least[..], &words].concat()).well();
    assert!(summary("b").contains("by the words that it has"), "{}", summary("b"));

    for (more, named) in [
        (&["--embedder", "tfidf-svd", "--interpreter", "meaning"][..], "interpret.interpreter"),
        (&["--embedder", "tfidf-svd", "--annotator", "meaning"], "annotate.annotator"),
        (&["--embedder", model, "--annotator", "phrases"], "looks for words"),
    ] {
        let refused = run(&folder, &[more, &["--out", "c"]].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains(named), "{}", refused.stderr);
    }
}

#[test]
fn a_report_is_made_anew_with_and_without_texts() {
    let folder = folder(120);
    run(&folder, &["--embedder", "tfidf-svd", "--out", "a"]).well();
    let page = || folder.read("a/report.html");
    assert!(page().contains("<blockquote") && page().contains("data-chart=\"forest\""));
    let made = folder.run(&["report", "a", "--no-texts"]).well();
    assert_eq!(made.stdout.trim(), "a/report.html");
    assert!(!page().contains("<blockquote"));
    for stage in ["annotate: done again", "evaluate: done again"] {
        assert!(!made.stderr.contains(stage), "{}", made.stderr);
    }
    folder.run(&["report", "a"]).well();
    assert!(page().contains("<blockquote"));
    assert!(folder.path().join("a/plots/forest.png").exists());
    // A run directory that was sent to somebody without the data.
    std::fs::remove_file(folder.path().join("small.tsv")).unwrap();
    folder.run(&["report", "a", "--no-texts"]).well();
    assert!(!page().contains("<blockquote") && page().contains("data-chart=\"map\""));
}

#[test]
fn meaning_of_ones_own_is_tested() {
    let folder = folder(120);
    let model = tiny();
    let test = |hypothesis: &str, embedder: &str| {
        let words = ["test", "small.tsv", "--text", "text", "--target", "stars", "--hypothesis"];
        folder.run(&[&words[..], &[hypothesis, "--embedder", embedder, "--out", "a"]].concat())
    };
    let near = r#"is close in meaning to "wait" (0.2)"#;
    let went = test(near, model.to_str().unwrap()).well();
    assert!(
        folder.read("a/tables/hypotheses.csv").contains("is close in meaning"),
        "{}",
        went.stderr
    );
    let refused = test(near, "tfidf-svd");
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("sentence model"), "{}", refused.stderr);
    let refused = test("is close in meaning to wait", model.to_str().unwrap());
    assert!(refused.stderr.contains("read concepts such as"), "{}", refused.stderr);
}

#[test]
fn a_model_that_is_at_hand_is_taken_and_named() {
    let folder = folder(120);
    let repository = "hub/models--sentence-transformers--all-MiniLM-L6-v2";
    let files = folder.path().join(repository).join("snapshots/abc");
    copy(&tiny(), &files);
    folder.write(&format!("{repository}/refs/main"), "abc");
    let taken = run(&folder, &["--out", "a"]).well();
    assert!(taken.stderr.contains("embedding with `sentence-transformers/all-MiniLM-L6-v2`"));
    assert!(taken.stderr.contains("32 dimensions"), "{}", taken.stderr);
    let without = run(&folder, &["--embedder", "tfidf-svd", "--out", "a"]).well();
    assert!(without.stderr.contains("embed: done again"), "{}", without.stderr);
    // What the weights are counts, not where they lie.
    let named = run(&folder, &["--embedder", "all-MiniLM-L6-v2", "--out", "b"]).well();
    assert!(named.stderr.contains("32 dimensions"), "{}", named.stderr);
}

#[test]
fn a_model_that_is_not_here_or_broken_is_refused() {
    let folder = folder(120);
    let missing = run(&folder, &["--embedder", "BAAI/bge-m3", "--out", "a"]);
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
    assert!(missing.stderr.contains("hf download BAAI/bge-m3"), "{}", missing.stderr);
    let model = folder.path().join("model");
    copy(&tiny(), &model);
    let many = ["--embedder", "model", "-o", "embed.dimensions=33", "--out", "a"];
    let many = run(&folder, &many);
    assert!(many.stderr.contains("`embed.dimensions` is `33`"), "{}", many.stderr);
    fs::write(model.join("model.safetensors"), "cut").unwrap();
    let broken = run(&folder, &["--embedder", "model", "--out", "a"]);
    assert_eq!(broken.code, Some(1), "{}", broken.stderr);
    assert!(broken.stderr.contains("model.safetensors"), "{}", broken.stderr);
}

#[test]
fn vectors_travel_as_arrow_files() {
    let (folder, other) = (folder(120), folder(120));
    let model = tiny();
    let half = ["--embedder", model.to_str().unwrap(), "-o", "embed.kept_as=f16", "--out", "a"];
    let first = run(&folder, &half).well();
    assert!(!first.stderr.contains("embedded before"), "{}", first.stderr);
    let written = folder.run(&["cache", "--export-vectors", "files"]).well();
    assert!(written.stdout.contains(" vectors written to files"), "{}", written.stdout);
    let files: Vec<_> = fs::read_dir(folder.path().join("files")).unwrap().collect();
    assert_eq!(files.len(), 1);
    let file = files[0].as_ref().unwrap().path();
    let file = file.to_str().unwrap();
    let taken = other.run(&["cache", "--import-vectors", file]).well();
    assert!(taken.stdout.contains("of them new"), "{}", taken.stdout);
    let again = run(&other, &half).well();
    assert!(
        again.stderr.contains("120 of 120 texts have been embedded before"),
        "{}",
        again.stderr
    );
    // Rounded or read again, they are the same.
    let vectors =
        |folder: &Folder| fs::read(folder.path().join("a/embed/embeddings.safetensors")).unwrap();
    assert!(vectors(&folder) == vectors(&other));
    fs::write(folder.path().join("junk.arrow"), "junk").unwrap();
    let refused = folder.run(&["cache", "--import-vectors", "junk.arrow"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("cannot be imported"), "{}", refused.stderr);
}

/// Each text of several sentences, so that there is something to cut.
fn long_texts() -> Folder {
    let folder = Folder::new();
    let sentence =
        |i: usize, j: usize| format!("The soup number {i} of visit {j} was not so good.");
    let row = |i: usize| {
        let sentences: Vec<String> = (0..4).map(|j| sentence(i, j)).collect();
        format!("{}\t{}\n", sentences.join(" "), i % 5)
    };
    let rows: String = (0..100).map(row).collect();
    folder.write("small.tsv", format!("text\tstars\n{rows}"));
    folder
}

#[test]
fn long_texts_are_averaged_or_become_rows() {
    let folder = long_texts();
    let model = tiny();
    let model = model.to_str().unwrap();
    let mean = run(&folder, &["--embedder", model, "--chunk", "mean:20", "--out", "mean"]).well();
    let told = "100 of 100 texts are cut into pieces of at most 20 tokens: ";
    assert!(mean.stderr.contains(told), "{}", mean.stderr);
    let rows = run(&folder, &["--chunk", "rows:13", "--out", "rows"]).well();
    let told = "100 texts are cut into 400 pieces of at most 13 tokens (of 4 characters): each is a row, and";
    assert!(rows.stderr.contains(told), "{}", rows.stderr);
    let summary = fs::read_to_string(folder.path().join("rows/summary.md")).unwrap();
    assert!(summary.contains("count as one cluster, of which there are 15"), "{summary}");
    // The split is that of the texts.
    assert!(
        rows.stderr.contains("70 to discover on, 15 for validation, 15 held out"),
        "{}",
        rows.stderr
    );
    for (chunk, said) in [("mean:x", "no number"), ("cut", "neither"), ("rows:2", "at least 8")] {
        let refused = run(&folder, &["--chunk", chunk, "--out", "bad"]);
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
