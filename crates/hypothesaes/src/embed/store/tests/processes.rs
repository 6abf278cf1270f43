//! Other processes: this test binary, started again for one "test".

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

const FOLDER: &str = "HYPOTHESAES_TEST_STORE";
const TEXTS: &str = "HYPOTHESAES_TEST_TEXTS";

/// Starts a process that writes the texts from `first` on, and says so after every flush.
fn start(folder: &Path, first: u32, last: u32) -> Child {
    let name = format!("{}::child", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", &name]);
    command.env(FOLDER, folder).env(TEXTS, format!("{first} {last}"));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The number of texts that the child says are written, from line to line.
fn said(child: &mut Child) -> impl Iterator<Item = u32> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(|l| l.unwrap().strip_prefix("written ")?.parse().ok())
}

#[test]
#[ignore = "started by the tests of this module"]
fn child() {
    let (Ok(folder), Ok(texts)) = (std::env::var(FOLDER), std::env::var(TEXTS)) else { return };
    let (first, last) = texts.split_once(' ').unwrap();
    let (first, last): (u32, u32) = (first.parse().unwrap(), last.parse().unwrap());
    let (store, _) = VectorStore::open(Path::new(&folder), &space(Element::F32)).unwrap();
    let mut writer = store.writer(WriterOptions { segments: 6, ..Default::default() });
    for i in first..last {
        writer.push(key(i), &vector(i)).unwrap();
        if i % 7 == 6 {
            writer.flush().unwrap();
            println!("\nwritten {}", i + 1 - first);
        }
    }
    writer.finish().unwrap();
    println!("\nwritten {}", last - first);
}

#[test]
fn two_processes_write_merge_and_are_read_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), &space(Element::F32));
    let mut children = [(0, 900), (600, 1500)].map(|(a, b)| start(dir.path(), a, b));
    let mut seen = 0;
    while children.iter_mut().any(|c| c.try_wait().unwrap().is_none()) {
        assert_eq!(store.refresh().unwrap(), [""; 0]);
        seen = seen.max(held(&store, 1500).len());
        let now = held(&open(dir.path(), store.space()), 1500).len();
        assert!(now >= seen, "{now} of {seen} are found");
        seen = now;
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    store.refresh().unwrap();
    assert_eq!(held(&store, 2000), (0..1500).collect::<Vec<_>>());
    assert!(store.segments.len() < 20, "{}", store.segments.len());
}

#[test]
fn a_killed_process_loses_only_what_it_had_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = 0;
    for round in 0..8 {
        let mut child = start(dir.path(), first, first + 7000);
        let mut lines = said(&mut child);
        let mut told = lines.nth(3 + round).unwrap();
        std::thread::sleep(Duration::from_micros(700 * round as u64));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        told = lines.last().unwrap_or(told);
        let (store, notes) = VectorStore::open(dir.path(), &space(Element::F32)).unwrap();
        assert_eq!(notes, [""; 0]);
        let held = held(&store, first + told + 100);
        let round: Vec<u32> = held.into_iter().filter(|&i| i >= first).collect();
        assert!(round.len() >= told as usize, "{} of {told}", round.len());
        // At most one flush more than it could tell of.
        assert!(round.len() <= told as usize + 7, "{} of {told}", round.len());
        assert_eq!(round, (first..).take(round.len()).collect::<Vec<_>>());
        assert!(verify(dir.path()).unwrap().iter().all(|c| c.trouble.is_none()));
        // Divisible by seven, as the child's flushes.
        first += 7000;
    }
}

#[test]
fn what_the_dead_left_goes_and_what_the_living_write_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &space(Element::F32));
    add(&store, 0..5);
    let left = store.folder.join(".abc.tmp");
    std::fs::write(&left, "part of").unwrap();
    let writing = lock::share(dir.path(), lock::WRITING).unwrap();
    let trimming = std::thread::spawn({
        let folder = dir.path().to_owned();
        move || trim(&folder, &Trim::default()).unwrap()
    });
    std::thread::sleep(Duration::from_millis(100));
    assert!(left.exists() && !trimming.is_finished());
    drop(writing);
    assert_eq!(trimming.join().unwrap(), Trimmed { unfinished: 1, ..Trimmed::default() });
    assert!(!left.exists());
    assert_eq!(held(&open(dir.path(), &space(Element::F32)), 5).len(), 5);
}

#[test]
fn only_one_merges_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), &space(Element::F32));
    add(&store, 0..5);
    add(&store, 5..9);
    let tidying = lock::own(dir.path(), lock::TIDYING).unwrap();
    store.compact(1).unwrap();
    assert_eq!(store.segments.len(), 2);
    drop(tidying);
    store.compact(1).unwrap();
    assert_eq!(store.segments.len(), 1);
}

#[test]
fn who_opens_a_store_while_it_is_merged_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), &space(Element::F32));
    add(&store, 0..5);
    let merging = std::thread::spawn(move || {
        for i in 5..200 {
            add(&store, [i]);
            store.compact(1).unwrap();
        }
    });
    while !merging.is_finished() {
        assert_eq!(held(&open(dir.path(), &space(Element::F32)), 5), [0, 1, 2, 3, 4]);
    }
    merging.join().unwrap();
    assert_eq!(held(&open(dir.path(), &space(Element::F32)), 300).len(), 200);
}
