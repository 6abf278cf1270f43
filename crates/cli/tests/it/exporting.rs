//! Tables of a run for papers and other programs.

use std::fmt::Write;

use crate::program::{Folder, small_table};

fn begin(folder: &Folder, out: &str) {
    let words = ["--target", "stars", "-n", "5", "--local", "--quiet", "--out", out];
    folder.run(&[&["run", "reviews.tsv"], &words[..]].concat()).well();
}

fn run() -> Folder {
    let folder = Folder::new();
    folder.write("reviews.tsv", small_table(300));
    begin(&folder, "r");
    folder
}

#[test]
fn tables_leave_a_run_in_every_format() {
    let folder = run();
    let before = folder.files("r");
    let went = folder.run(&["export", "r"]).well();
    insta::assert_snapshot!(went.stdout);
    // Only read, but for the folder of exports.
    let after = folder.files("r");
    assert!(before.iter().all(|file| after.contains(file)));
    for name in ["r/exports/hypotheses.md", "r/exports/hypotheses.tex"] {
        let text = folder.read(name);
        assert!(text.contains("Hypotheses about stars") && text.contains("H01"), "{text}");
        assert!(text.contains("Welch's") && text.contains("adjusted after Holm"), "{text}");
    }
    let again = folder.files("r/exports");
    folder.run(&["export", "r"]).well();
    assert_eq!(folder.files("r/exports"), again);

    // CSV and Parquet as the run has them.
    folder.run(&["export", "r", "--format", "csv", "--format", "parquet", "--out", "p"]).well();
    assert_eq!(folder.files("p").len(), folder.files("r/exports").len() - 1);
    assert_eq!(folder.read("p/effects.csv"), folder.read("r/tables/effects.csv"));
    folder.run(&["export", "r", "--table", "effects", "--out", "e.csv", "--excel"]).well();
    assert_eq!(folder.read("e.csv"), format!("\u{feff}{}", folder.read("r/tables/effects.csv")));
    // One file has the hypotheses, a workbook all.
    folder.run(&["export", "r", "--out", "new/t.tex"]).well();
    assert_eq!(folder.read("new/t.tex"), folder.read("r/exports/hypotheses.tex"));
    folder.run(&["export", "r", "--out", "t.xlsx"]).well();
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("t.xlsx"), bytes("r/exports/tables.xlsx"));
    let shown = folder.run(&["export", "r", "--out", "-"]).well();
    assert_eq!(shown.stdout, folder.read("r/exports/hypotheses.md"));
}

#[test]
fn texts_leave_a_run_only_by_name() {
    let folder = run();
    let review =
        folder.read("reviews.tsv").lines().nth(1).unwrap().split('\t').next().unwrap().to_owned();
    folder.run(&["export", "r", "--format", "csv", "--format", "markdown", "--out", "all"]).well();
    let holds = |content: &[u8]| String::from_utf8_lossy(content).contains(&review);
    assert!(folder.files("all").iter().all(|(_, content)| !holds(content)));
    folder.run(&["export", "r", "--table", "rows", "--out", "rows.csv"]).well();
    let rows = folder.read("rows.csv");
    assert!(holds(rows.as_bytes()) && rows.starts_with("row_id,split,"), "{rows}");
    assert_eq!(rows.lines().count(), 301);
}

#[test]
fn what_cannot_be_exported_is_said() {
    let folder = run();
    begin(&folder, "u");
    folder.run(&["embed", "u", "-o", "embed.dim=32", "--local", "--quiet"]).well();
    folder.write("file", "");
    let wrong: [&[&str]; 9] = [
        &["export", "none"],
        &["export", "."],
        &["export", "u"],
        &["export", "r", "--table", "hypotesis"],
        &["export", "r", "--table", "../state"],
        &["export", "r", "--table", "models", "--table", "effects", "--out", "t.md"],
        &["export", "r", "--format", "latex", "--format", "csv", "--out", "t.md"],
        &["export", "r", "--format", "xlsx", "--out", "-"],
        &["export", "r", "--out", "file/t.md"],
    ];
    let mut said = String::new();
    for words in wrong {
        let went = folder.run(words);
        let _ = writeln!(said, "$ {}\n{}{:?}\n", words.join(" "), went.stderr, went.code.unwrap());
    }
    insta::assert_snapshot!(said);
    folder.run(&["export", "u", "--table", "dropped", "--out", "-"]).well();
}
