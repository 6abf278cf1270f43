//! Whatever the input, the program answers with a clear error and the right exit code.

use crate::program::{Folder, Went, small_table};

/// An input with one kind of damage, and the words that follow the file's name.
struct Bad(&'static str, Vec<u8>, &'static [&'static str]);

const COLUMNS: &[&str] = &["--text", "text", "--target", "stars"];

/// `rows` rows of two columns; `row` writes one from its number.
fn table(header: &str, rows: usize, row: impl Fn(usize) -> String) -> Vec<u8> {
    (0..rows).fold(format!("{header}\n"), |table, i| table + &row(i) + "\n").into_bytes()
}

fn good(i: usize) -> String {
    format!("a text with the number {i},{}", i % 5)
}

/// A good table in which row `at` reads otherwise.
fn with_row(at: usize, row: &'static str) -> Vec<u8> {
    table("text,stars", 60, |i| if i == at { row.into() } else { good(i) })
}

fn json_lines(at: usize, line: &'static str) -> Vec<u8> {
    let good = |i| format!(r#"{{"text":"a text with the number {i}","stars":{}}}"#, i % 5);
    (0..60)
        .fold(String::new(), |t, i| t + &if i == at { line.into() } else { good(i) } + "\n")
        .into()
}

fn followed(start: &[u8], rest: &[u8]) -> Vec<u8> {
    [start, rest].concat()
}

fn delimited() -> Vec<Bad> {
    let utf16: Vec<u8> = with_row(0, "x,1").iter().flat_map(|&b| [b, 0]).collect();
    vec![
        Bad("empty.csv", Vec::new(), COLUMNS),
        Bad("mark-only.csv", vec![0xEF, 0xBB, 0xBF], COLUMNS),
        Bad("blank.csv", b"\n\n\n".into(), COLUMNS),
        Bad("header-only.csv", b"text,stars\n".into(), COLUMNS),
        Bad("header-no-end.csv", b"text,stars".into(), COLUMNS),
        Bad("long-row.csv", with_row(30, "a text,1,2,3"), COLUMNS),
        Bad("short-row.csv", with_row(30, "a text"), COLUMNS),
        Bad("open-quote.csv", with_row(30, "\"a text,1"), COLUMNS),
        Bad("bad-utf8.csv", followed(&with_row(0, "x,1"), b"\xff\xfe bad,1\n"), COLUMNS),
        Bad("utf16-unmarked.csv", utf16, COLUMNS),
        Bad("no-text.csv", table("words,stars", 60, good), COLUMNS),
        Bad("no-target.csv", table("text,points", 60, good), COLUMNS),
        Bad("twins.csv", table("text,text", 60, good), &["--text", "text", "--target", "text"]),
        Bad("same-column.csv", with_row(0, "x,1"), &["--text", "text", "--target", "text"]),
        Bad("number-99.csv", with_row(0, "x,1"), &["--text", "99", "--target", "stars"]),
        Bad("number-0.csv", with_row(0, "x,1"), &["--text", "0", "--target", "stars"]),
        Bad("constant.csv", table("text,stars", 60, |i| format!("text {i},1")), COLUMNS),
        Bad("no-targets.csv", table("text,stars", 60, |i| format!("text {i},")), COLUMNS),
        Bad("no-texts.csv", table("text,stars", 60, |i| format!(",{i}")), COLUMNS),
        Bad("few.csv", table("text,stars", 4, good), COLUMNS),
        Bad("one-text.csv", table("text,stars", 60, |i| format!("same,{}", i % 5)), COLUMNS),
        Bad(
            "three.csv",
            table("text,stars", 60, |i| format!("t {i},{}", ["a", "b", "c"][i % 3])),
            COLUMNS,
        ),
        Bad("word-target.csv", table("text,stars", 60, |i| format!("t {i},w{i}")), COLUMNS),
        Bad("is-png.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0".into(), COLUMNS),
        Bad("is-zip.csv", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0".into(), COLUMNS),
        Bad("zeros.csv", vec![0; 500], COLUMNS),
    ]
}

fn json() -> Vec<Bad> {
    vec![
        Bad("empty.jsonl", Vec::new(), COLUMNS),
        Bad("broken.jsonl", json_lines(30, r#"{"text": "a"#), COLUMNS),
        Bad("no-brace.jsonl", json_lines(30, r#""text": "a", "stars": 1}"#), COLUMNS),
        Bad("array-line.jsonl", json_lines(30, r#"["a", 1]"#), COLUMNS),
        Bad("number-line.jsonl", json_lines(30, "17"), COLUMNS),
        Bad("nested-text.jsonl", json_lines(30, r#"{"text": {"a": 1}, "stars": 1}"#), COLUMNS),
        Bad("list-target.jsonl", json_lines(30, r#"{"text": "a", "stars": [1]}"#), COLUMNS),
        Bad("two-in-line.jsonl", json_lines(30, r#"{"text":"a","stars":1}{"text":"b"}"#), COLUMNS),
        Bad("bad-escape.jsonl", json_lines(30, r#"{"text": "a\q", "stars": 1}"#), COLUMNS),
        Bad("surrogate.jsonl", json_lines(30, r#"{"text": "\ud800", "stars": 1}"#), COLUMNS),
        Bad("nan.jsonl", json_lines(30, r#"{"text": "a", "stars": NaN}"#), COLUMNS),
        Bad("no-such-key.jsonl", json_lines(0, "{}"), &["--text", "words", "--target", "stars"]),
        Bad("open.json", br#"[{"text": "a", "stars": 1}"#.into(), COLUMNS),
        Bad("comma.json", br#"[{"text": "a", "stars": 1},]"#.into(), COLUMNS),
        Bad("numbers.json", b"[1, 2, 3]".into(), COLUMNS),
        Bad("empty.json", b"[]".into(), COLUMNS),
        Bad("object.json", br#"{"text": ["a", "b"]}"#.into(), COLUMNS),
        Bad("deep.json", b"[".repeat(100_000), COLUMNS),
        Bad("word.json", b"nonsense".into(), &["--text", "a", "--target", "b", "--format", "json"]),
    ]
}

fn binary() -> Vec<Bad> {
    let noise: Vec<u8> = (0..400_u32).map(|i| (i * i % 251) as u8).collect();
    let framed = |mark: &[u8]| [mark, &noise, mark].concat();
    vec![
        Bad("empty.parquet", Vec::new(), COLUMNS),
        Bad("mark.parquet", b"PAR1".into(), COLUMNS),
        Bad("cut.parquet", followed(b"PAR1", &noise), COLUMNS),
        Bad("noise.parquet", framed(b"PAR1"), COLUMNS),
        Bad("long-footer.parquet", followed(b"PAR1\xff\xff\xff\xff", b"PAR1"), COLUMNS),
        Bad("text.parquet", b"text,stars\n".into(), COLUMNS),
        Bad("empty.arrow", Vec::new(), COLUMNS),
        Bad("mark.arrow", b"ARROW1\0\0".into(), COLUMNS),
        Bad("noise.arrow", framed(b"ARROW1"), COLUMNS),
        Bad("stream.arrow", followed(b"\xff\xff\xff\xff\xff\xff\xff\x7f", &noise), COLUMNS),
        Bad("old.feather", followed(b"FEA1", &noise), COLUMNS),
        Bad("mark.csv.gz", b"\x1f\x8b".into(), COLUMNS),
        Bad("noise.csv.gz", followed(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &noise), COLUMNS),
        Bad("not-packed.csv.gz", with_row(0, "x"), COLUMNS),
        Bad("mark.csv.zst", b"\x28\xb5\x2f\xfd".into(), COLUMNS),
        Bad("noise.csv.zst", followed(b"\x28\xb5\x2f\xfd", &noise), COLUMNS),
        Bad("noise.jsonl.gz", followed(b"\x1f\x8b", &noise), COLUMNS),
    ]
}

/// An error is one line that says what, it is not a fault of the program, and nothing is printed
/// as if it were a result.
fn check_refused(went: &Went, name: &str) {
    assert!(matches!(went.code, Some(1 | 2)), "{name}: exit {:?}\n{}", went.code, went.stderr);
    assert!(went.stderr.contains("error: "), "{name}: {}", went.stderr);
    assert!(!went.stderr.contains("a fault in"), "{name}: {}", went.stderr);
    assert_eq!(went.stdout, "", "{name}");
}

#[test]
fn damaged_files_are_refused_and_left_alone() {
    let inputs: Vec<Bad> = delimited().into_iter().chain(json()).chain(binary()).collect();
    assert!(inputs.len() >= 60, "{}", inputs.len());
    for Bad(name, content, words) in inputs {
        let folder = Folder::new();
        folder.write(name, &content);
        let went = folder.run(&[&["run", name], words].concat());
        check_refused(&went, name);
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), content, "{name}");
        assert!(folder.files("").len() == 1, "{name}: leaves a run directory");
    }
}

#[test]
fn wrong_use_is_exit_code_2() {
    let folder = Folder::new();
    folder.write("visits.tsv", small_table(60));
    folder.write("wrong.toml", "[select]\nm = 4\n");
    let run = ["run", "visits.tsv", "--text", "text", "--target", "stars"];
    for (more, said) in [
        (&["--no-such-flag"][..], "unexpected argument"),
        (&["--threads", "0"], "number would be zero"),
        (&["--seed=-1"], "invalid"),
        (&["--split", "70"], "70/15/15"),
        (&["--split", "70/0/30"], "70/15/15"),
        (&["--sae", "4:8"], "`k` is 8"),
        (&["--sae", "wide"], "64:4"),
        (&["-n", "0"], "`select.n` is"),
        (&["--select", "best"], "possible values: lasso, correlation, separation"),
        (&["--config", "wrong.toml"], "`wrong.toml`, line 2"),
        (&["-o", "select.m=4"], "did you mean `"),
        (&["-o", "select.n"], "section.key=value"),
        (&["--columns", "a,b"], "--no-header"),
        (&["--encoding", "klingon"], "windows-1252"),
        (&["--positive", "5", "--task", "continuous"], "no positive class"),
    ] {
        let went = folder.run(&[&run[..], more].concat());
        check_refused(&went, &more.join(" "));
        assert_eq!(went.code, Some(2), "{more:?}: {}", went.stderr);
        assert!(went.stderr.contains(said), "{more:?}: {}", went.stderr);
    }
    assert!(!folder.path().join("runs").exists(), "wrong use makes no run directory");
}

#[test]
fn what_is_not_there_is_a_failure() {
    let folder = Folder::new();
    folder.write("other/notes.txt", "not a run");
    for (words, said) in [
        (&["run", "none.csv"][..], "no such file"),
        (&["run", "other", "--text", "a", "--target", "b"], "`other`"),
        (&["train", "runs/none-1"], "is no run directory"),
        (&["evaluate", "other"], "is no run directory"),
        (&["run", "none.csv", "--config", "none.toml"], "none.toml"),
    ] {
        let went = folder.run(words);
        check_refused(&went, &words.join(" "));
        assert_eq!(went.code, Some(1), "{words:?}: {}", went.stderr);
        assert!(went.stderr.contains(said), "{words:?}: {}", went.stderr);
    }
}
