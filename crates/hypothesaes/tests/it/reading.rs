//! What reading keeps, leaves out, decides and says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hypothesaes::Error;
use hypothesaes::data::{
    Counts, DataOptions, Kind, Loaded, Reason, Split, SplitOptions, Task, content_hash,
    dropped_table, preview, read, read_rows, write_rows,
};
use hypothesaes::watch::Watch;

use crate::files::{Folder, concat, csv, gzip, jsonl, load, options, parquet, refusal, table, tsv};

/// Rows of text, target and more, as CSV with this header.
fn rows(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    concat(&format!("{header}\n"), (0..n).map(|i| row(i) + "\n"))
}

/// The part of every text.
fn parts(loaded: &Loaded) -> BTreeMap<&str, Vec<Split>> {
    let mut parts: BTreeMap<&str, Vec<Split>> = BTreeMap::new();
    for (text, part) in loaded.dataset.texts.iter().zip(&loaded.dataset.split) {
        parts.entry(text).or_default().push(*part);
    }
    parts
}

fn said(loaded: &Loaded, part: &str) -> bool {
    loaded.notes.iter().any(|note| note.contains(part))
}

#[test]
fn trap_28_special_tokens_are_plain_text_and_empty_rows_are_listed() {
    let folder = Folder::new();
    let text = |i| match i {
        10 => String::new(),
        11 => "  ".to_owned(),
        12 => "<|endoftext|>".to_owned(),
        13 => "[PAD] </s> <|im_start|>".to_owned(),
        _ => format!("text {i}"),
    };
    let path = folder.write("a.csv", rows("text,target", 90, |i| format!("{},{i}", text(i))));
    let loaded = load(&options(&path)).unwrap();
    assert_eq!(loaded.counts.empty_texts, 2);
    assert_eq!(loaded.dataset.texts.len(), 88);
    for i in 0..88 {
        let row = usize::try_from(loaded.dataset.row_id[i]).unwrap();
        assert_eq!(loaded.dataset.texts.get(i), text(row));
        assert_eq!(loaded.dataset.y[i], row as f64);
    }
    let listed: Vec<_> = loaded.dropped.iter().map(|d| (d.row_id, d.row, d.reason)).collect();
    assert_eq!(listed, [(10, 11, Reason::EmptyText), (11, 12, Reason::EmptyText)]);
    assert_eq!(&*loaded.dropped[0].file, path);
}

#[test]
fn nothing_is_left_out_in_silence() {
    let folder = Folder::new();
    let target = |i| match i % 10 {
        0 => String::new(),
        1 => "NaN".to_owned(),
        2 => " 0.0".to_owned(),
        3 => "0".to_owned(),
        _ => format!("{i}"),
    };
    let path = folder.write("a.csv", rows("text,target", 200, |i| format!("t {i},{}", target(i))));
    let mut asked = options(path);
    asked.drop_target = vec!["0".into(), "x".into()];
    let loaded = load(&asked).unwrap();
    let expected = Counts {
        rows: 200,
        kept: 120,
        missing_targets: 40,
        dropped_targets: 40,
        discover: 84,
        validation: 18,
        heldout: 18,
        ..Counts::default()
    };
    assert_eq!(loaded.counts, expected);
    assert_eq!(loaded.dropped.len(), 80);
    assert_eq!((loaded.dropped[1].row, loaded.dropped[1].detail.as_str()), (2, "NaN"));
    assert!(said(&loaded, "40 without a target, 40 with a target to be dropped"));
    assert!(said(&loaded, "no row has the target `x`"));
    let table = dropped_table(&loaded.dropped);
    assert_eq!((table.rows(), table.columns.len()), (80, 6));
}

#[test]
fn trap_27_equal_texts_stay_rows_of_their_own_in_one_part() {
    let folder = Folder::new();
    let path =
        folder.write("a.csv", rows("text,target", 400, |i| format!("text {},{}", i % 150, i % 7)));
    for seed in 0..5 {
        let loaded =
            read(&options(&path), &SplitOptions::default(), seed, &hypothesaes::watch::Unwatched)
                .unwrap();
        assert_eq!(loaded.dataset.texts.len(), 400);
        assert_eq!(loaded.counts.duplicates, 250);
        for (text, parts) in parts(&loaded) {
            assert!(parts.iter().all(|&part| part == parts[0]), "{text} is in {parts:?}");
        }
        let first = &loaded.dropped[0];
        assert_eq!((first.row_id, first.reason), (150, Reason::Duplicate));
        assert_eq!(first.detail, "duplicate of row 1 (kept, same split)");
        for (size, share) in [
            (loaded.counts.discover, 0.7),
            (loaded.counts.validation, 0.15),
            (loaded.counts.heldout, 0.15),
        ] {
            assert!((size as f64 - 400.0 * share).abs() <= 3.0, "{size} for {share}");
        }
    }
}

#[test]
fn groups_stay_in_one_part() {
    let folder = Folder::new();
    let group =
        |i: usize| if i.is_multiple_of(50) { String::new() } else { format!("g{}", i % 90) };
    let content = rows("text,target,who", 300, |i| format!("text {i},{},{}", i % 2, group(i)));
    let mut asked = options(folder.write("a.csv", content));
    asked.group = Some("who".into());
    let loaded = load(&asked).unwrap();
    let groups = loaded.dataset.group.as_ref().unwrap();
    let mut parts: BTreeMap<u32, Split> = BTreeMap::new();
    for (&group, &part) in groups.iter().zip(&loaded.dataset.split) {
        assert_eq!(*parts.entry(group).or_insert(part), part);
    }
    assert_eq!(loaded.counts.groups, parts.len() as u64);
    assert_eq!(groups[1], groups[91]);
    assert_ne!(groups[0], groups[50]);
    assert!(said(&loaded, "(6 rows without one are each by themselves)"));
    assert_eq!(loaded.counts.straddling_groups, 0);
}

#[test]
fn files_of_their_own_are_parts_and_share_no_text() {
    let folder = Folder::new();
    let part = |name: &str, from: usize, n: usize| -> PathBuf {
        let row = |i| format!("text {},{},g{}", i + from, i % 2, i % 5);
        folder.write(name, rows("text,target,who", n, row))
    };
    let mut asked = options(part("main.csv", 0, 100));
    asked.group = Some("who".into());
    asked.heldout = Some(part("held.csv", 90, 40));
    let loaded = load(&asked).unwrap();
    let sizes = |c: &Counts| (c.discover, c.validation, c.heldout, c.on_both_sides);
    assert_eq!(loaded.counts.heldout, 30);
    assert_eq!(loaded.counts.on_both_sides, 10);
    assert_eq!((loaded.counts.groups, loaded.counts.straddling_groups), (5, 5));
    assert!(said(&loaded, "groups that the files put in more than one part: 5"));
    let dropped = &loaded.dropped[0];
    assert_eq!((dropped.row_id, dropped.row, dropped.reason), (100, 1, Reason::OnBothSides));
    assert!(dropped.file.ends_with("held.csv") && dropped.detail.starts_with("row 91 of `"));
    assert_eq!(loaded.dataset.row_id[100], 110);
    assert!((0..100).all(|i| loaded.dataset.split[i] != Split::Heldout));

    asked.group = None;
    asked.validation = Some(part("valid.csv", 95, 20));
    let loaded = load(&asked).unwrap();
    // Five of the validation texts stand in the main file; 25 of the held-out ones in either.
    assert_eq!(sizes(&loaded.counts), (100, 15, 15, 30));
    assert_eq!(loaded.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [100, 20, 40]);
    assert!(parts(&loaded).values().all(|parts| parts.len() == 1));

    asked.heldout = Some(part("same.csv", 0, 50));
    assert!(refusal(&asked).contains("same.csv"), "{}", refusal(&asked));
}

#[test]
fn columns_go_by_name_number_or_given_name() {
    let folder = Folder::new();
    let path =
        folder.write("a.csv", rows("x,3,1", 90, |i| format!("text {i},{},{}", i % 5, i % 3)));
    let find = |change: &dyn Fn(&mut DataOptions)| {
        let mut asked = options(&path);
        change(&mut asked);
        load(&asked).map(|loaded| (loaded.dataset.target.clone(), loaded.dataset.y[4]))
    };
    let by = |text: &str, target: &str| {
        find(&|asked| (asked.text, asked.target) = (Some(text.into()), Some(target.into())))
            .unwrap()
    };
    assert_eq!(by("x", "2"), ("3".to_owned(), 4.0));
    // A column that is called `3` or `1` wins over the third or first.
    assert_eq!(by("x", "3"), ("3".to_owned(), 4.0));
    assert_eq!(by("x", "1"), ("1".to_owned(), 1.0));

    let path = folder.write("b.tsv", rows("first\t0", 90, |i| format!("text {i}\t{}", i % 5)));
    let mut asked = options(&path);
    asked.no_header = true;
    asked.columns = vec!["text".into(), "target".into()];
    let loaded = load(&asked).unwrap();
    assert_eq!((loaded.counts.rows, loaded.dataset.texts.get(0)), (91, "first"));
    (asked.columns, asked.text, asked.target) = (vec![], Some("1".into()), Some("2".into()));
    assert_eq!(load(&asked).unwrap().dataset.y, loaded.dataset.y);

    let late = rows("", 2000, |i| {
        let more = if i > 1500 { format!(",\"who\":\"g{i}\"") } else { String::new() };
        format!("{{\"text\":\"text {i}\",\"target\":{}{more}}}", i % 3)
    });
    let mut asked = options(folder.write("late.jsonl", late));
    asked.group = Some("who".into());
    assert_eq!(load(&asked).unwrap().counts.groups, 2000);
}

#[test]
fn trap_36_json_and_csv_values_mean_the_same() {
    let folder = Folder::new();
    let values = ["0", "\"0\"", "0.0", "\" 0 \"", "1", "\"1\"", "1.0"];
    let lines = rows("", 140, |i| {
        format!("{{\"text\":\"text {i}\",\"target\":{}}}", values[i % values.len()])
    });
    let loaded = load(&options(folder.write("a.jsonl", lines))).unwrap();
    let task = Task::Binary { positive: "1".into(), negative: "0".into() };
    assert_eq!(loaded.dataset.task, task);
    assert_eq!(loaded.dataset.y[..7], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert!(said(&loaded, "two values, 0 and 1: binary, positive class 1"));

    // A third value in the last of many rows is seen.
    let value = |i| if i == 2999 { "2" } else { ["-1", "1"][i % 2] };
    let path = folder.write("b.csv", rows("text,target", 3000, |i| format!("t {i},{}", value(i))));
    assert_eq!(load(&options(path)).unwrap().dataset.task, Task::Continuous);
}

#[test]
fn a_preview_looks_at_the_first_rows_and_guesses() {
    let folder = Folder::new();
    let content = rows("id,body,stars,note", 5000, |i| {
        format!("{i},this is the review {i},{},{}", i % 5, if i % 3 == 0 { "" } else { "fine" })
    });
    let asked = options(folder.write("a.csv", content));
    let preview = preview(&asked).unwrap();
    assert_eq!((preview.rows, preview.columns.len()), (1000, 4));
    assert_eq!((preview.text.as_deref(), preview.target.as_deref()), (Some("body"), Some("stars")));
    let stars = &preview.columns[2];
    assert_eq!((stars.kind, stars.n_distinct, stars.mean_len), (Kind::Number, 5, 1.0));
    assert_eq!(stars.examples, ["0", "1", "2"]);
    let message = refusal(&asked);
    assert!(message.contains("`--text body --target stars`"), "{message}");
}

#[test]
fn the_content_hash_changes_with_the_content_alone() {
    let folder = Folder::new();
    let hash = |name: &str, bytes: &[u8]| {
        let asked = options(folder.write(name, bytes));
        let hash = content_hash(&asked).unwrap();
        assert_eq!(load(&asked).unwrap().content_hash, hash, "{name}");
        hash
    };
    let first = hash("a.csv", &csv(&table()));
    assert_eq!(first, hash("b.csv", &csv(&table())));
    let batch = crate::files::batch(&table());
    let others = [
        hash("a.tsv", &tsv(&table())),
        hash("a.csv.gz", &gzip(&csv(&table()))),
        hash("a.csv.zst", &crate::files::zstd(&csv(&table()))),
        hash("a.parquet", &parquet(&batch)),
        hash("a.parquet.gz", &gzip(&parquet(&batch))),
        hash("a.arrow", &crate::files::arrow_file(&batch)),
        hash("a.json", &crate::files::json(&table())),
    ];
    assert!(!others.contains(&first));
    let mut asked = options(folder.path("a.csv"));
    let other = folder.write("c.csv", csv(&table()[..60]).as_slice());
    asked.heldout = Some(other.clone());
    let held = content_hash(&asked).unwrap();
    (asked.heldout, asked.validation) = (None, Some(other));
    assert_ne!(held, content_hash(&asked).unwrap());
    assert_ne!(held, first);
}

#[test]
fn rows_come_back_from_the_run_directory() {
    let folder = Folder::new();
    let content = rows("text,target,who", 300, |i| format!("text {i} \u{e9},{},{}", i % 2, i % 40));
    let mut asked = options(folder.write("a.csv", content));
    for group in [None, Some("who".to_owned())] {
        asked.group = group;
        let data = load(&asked).unwrap().dataset;
        let written = || {
            let mut bytes = Vec::new();
            write_rows(&data, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(written(), written());
        let path = folder.write("rows.parquet", written());
        assert_eq!(read_rows(&path).unwrap(), data);
        folder.write("rows.parquet", &written()[..500]);
        assert!(read_rows(&path).unwrap_err().to_string().contains("rows.parquet"));
    }
    let other = folder.write("other.parquet", parquet(&crate::files::batch(&table())));
    assert!(read_rows(&other).unwrap_err().to_string().contains("hypothesaes.covariates"));
}

/// Counts, and stops after so many pieces of work.
#[derive(Default)]
struct Counting {
    total: AtomicU64,
    done: AtomicU64,
    asked: AtomicU64,
    stop_after: u64,
}

impl Watch for Counting {
    fn begin(&self, _: &'static str, total: u64, _: &'static str) {
        self.total.store(total, Relaxed);
    }
    fn advance(&self, done: u64) {
        self.done.fetch_add(done, Relaxed);
    }
    fn say(&self, _: &str) {}
    fn end(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        self.asked.fetch_add(1, Relaxed) >= self.stop_after
    }
}

#[test]
fn progress_adds_up_and_an_interruption_is_heard() {
    let folder = Folder::new();
    let lines = rows("text,target", 20_000, |i| format!("text {i},{}", i % 9)).into_bytes();
    let large: Vec<(String, f64)> =
        (0..20_000).map(|i| (format!("t {i}"), f64::from(i % 9))).collect();
    let batch = crate::files::batch(&large);
    for (name, bytes) in [
        ("a.csv", lines.clone()),
        ("a.csv.gz", gzip(&lines)),
        ("a.jsonl", jsonl(&large)),
        ("a.parquet", parquet(&batch)),
        ("a.parquet.gz", gzip(&parquet(&batch))),
        ("a.arrow", crate::files::arrow_file(&batch)),
    ] {
        let asked = options(folder.write(name, &bytes));
        let watch = Counting { stop_after: u64::MAX, ..Counting::default() };
        read(&asked, &SplitOptions::default(), 0, &watch).unwrap();
        assert_eq!(watch.total.load(Relaxed), bytes.len() as u64, "{name}");
        assert_eq!(watch.done.load(Relaxed), bytes.len() as u64, "{name}");
        let watch = Counting { stop_after: 2, ..Counting::default() };
        let stopped = read(&asked, &SplitOptions::default(), 0, &watch);
        assert!(matches!(stopped, Err(Error::Interrupted)), "{name}");
    }
}

/// The real data, if they are there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("HYPOTHESAES_DATA").map_or(beside.into(), PathBuf::from);
    let path = folder.join(name);
    if !path.exists() {
        println!("skipped: `{}` is not there", path.display());
    }
    path.exists().then_some(path)
}

#[test]
fn real_files_are_read_whole() {
    if let Some(path) = shared("sms.tsv") {
        let mut asked = options(path);
        asked.no_header = true;
        asked.columns = vec!["target".into(), "text".into()];
        asked.positive = Some("spam".into());
        let loaded = load(&asked).unwrap();
        assert_eq!((loaded.counts.rows, loaded.counts.kept), (5574, 5574));
        let task = Task::Binary { positive: "spam".into(), negative: "ham".into() };
        assert_eq!(loaded.dataset.task, task);
    }
    if let Some(path) = shared("movie-sentences.tsv") {
        let loaded = load(&options(path)).unwrap();
        assert_eq!((loaded.counts.rows, loaded.counts.kept), (10_662, 10_662));
        let task = Task::Binary { positive: "pos".into(), negative: "neg".into() };
        assert_eq!((loaded.dataset.task, loaded.dataset.target.as_str()), (task, "label"));
    }
    if let Some(path) = shared("yelp-val-2K.jsonl") {
        let mut asked = options(path);
        asked.target = Some("stars".into());
        let loaded = read(&asked, &"45/5/50".parse().unwrap(), 0, &hypothesaes::watch::Unwatched);
        let counts = loaded.unwrap().counts;
        assert_eq!((counts.discover, counts.validation, counts.heldout), (900, 100, 1000));
    }
}
