use std::fs;
use std::time::{Duration, SystemTime};

use super::*;

fn named(embedder: &str) -> Space {
    Space { embedder: embedder.into(), ..space(Element::F32) }
}

fn totals(store: &Path) -> Vec<(String, usize, u64)> {
    let all = contents(store).unwrap();
    all.into_iter().map(|c| (c.space.embedder, c.segments, c.rows)).collect()
}

/// Pretends that a file was last written so long ago.
fn age(path: &Path, hours: u64) {
    let then = SystemTime::now() - Duration::from_hours(hours);
    fs::File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

#[test]
fn says_what_a_store_holds() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(contents(&dir.path().join("none")).unwrap(), []);
    let b = open(dir.path(), &named("b"));
    add(&b, 0..10);
    add(&b, 0..5);
    add(&open(dir.path(), &named("a")), 0..7);
    fs::create_dir(dir.path().join("something else")).unwrap();
    assert_eq!(totals(dir.path()), [("a".into(), 1, 7), ("b".into(), 2, 15)]);
    let all = contents(dir.path()).unwrap();
    let files = files::segments(&b.folder).unwrap();
    let sizes: u64 = files.iter().map(|f| fs::metadata(f).unwrap().len()).sum();
    assert_eq!(all[1].bytes, sizes);
    assert!(all[1].oldest <= all[1].newest && all[1].used.is_some());
    // The words can be lost.
    fs::remove_file(Space::about(&b.folder)).unwrap();
    assert_eq!(totals(dir.path())[1], ("b".into(), 2, 15));
}

#[test]
fn verifying_reads_all_and_sets_aside_what_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &named("a"));
    add(&store, 0..10);
    add(&store, 10..30);
    let checked = verify(dir.path()).unwrap();
    assert_eq!(checked.iter().map(|c| c.rows).collect::<Vec<_>>(), [20, 10]);
    assert!(checked.iter().all(|c| c.trouble.is_none() && c.aside.is_none()));

    let path = &checked[0].file;
    let mut bytes = fs::read(path).unwrap();
    let keys = layout::read(&bytes).unwrap().batches[0].keys.clone();
    bytes[keys].reverse();
    fs::write(path, &bytes).unwrap();
    let checked = verify(dir.path()).unwrap();
    assert_eq!(checked[0].trouble.as_deref(), Some("its keys are not in order"));
    assert_eq!(fs::read(checked[0].aside.as_ref().unwrap()).unwrap(), bytes);
    assert_eq!(verify(dir.path()).unwrap(), checked[1..]);
}

#[test]
fn trims_by_embedder_age_and_size() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path();
    for (name, hours) in [("a1", 1), ("a2", 50), ("b", 100)] {
        let open = open(store, &named(name));
        add(&open, 0..10);
        add(&open, 10..20);
        age(&Space::about(&open.folder), hours);
        age(&files::segments(&open.folder).unwrap()[1], 200);
    }
    let names = || totals(store).into_iter().map(|(name, n, _)| format!("{name} {n}"));
    let names = || names().collect::<Vec<_>>();
    assert_eq!(trim(store, &Trim::default()).unwrap(), Trimmed::default());
    let old = Some(Duration::from_hours(24));
    let what = Trim { embedder: Some("a".into()), unused_for: old, at_most_bytes: None };
    assert_eq!(trim(store, &what).unwrap().segments, 2);
    assert_eq!(names(), ["a1 2", "b 2"]);
    assert!(!named("a2").folder(store).exists());

    let (one, bytes) = (contents(store).unwrap()[0].bytes / 2, contents(store).unwrap()[0].bytes);
    let what = Trim { at_most_bytes: Some(bytes + one), ..Trim::default() };
    let trimmed = trim(store, &what).unwrap();
    assert_eq!((trimmed.segments, trimmed.bytes), (1, one));
    assert_eq!(names(), ["a1 2", "b 1"]);
    // The older of the two went.
    assert_eq!(held(&open(store, &named("b")), 30), (10..20).collect::<Vec<_>>());
    let what = Trim { embedder: Some("a1".into()), ..Trim::default() };
    assert_eq!(trim(store, &what).unwrap().segments, 2);
    assert_eq!(names(), ["b 1"]);
}

#[test]
fn a_store_that_is_trimmed_away_under_a_writer_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), &named("a"));
    add(&store, 0..10);
    store.refresh().unwrap();
    let all = Trim { at_most_bytes: Some(0), ..Trim::default() };
    assert_eq!(trim(dir.path(), &all).unwrap().segments, 1);
    assert_eq!(held(&store, 20).len(), 10);
    add(&store, 10..20);
    store.refresh().unwrap();
    assert_eq!(held(&store, 20), (10..20).collect::<Vec<_>>());
    assert_eq!(totals(dir.path()), [("a".into(), 1, 10)]);
}

#[test]
fn what_is_exported_can_be_imported() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = from.path().join("all.arrow");
    for element in [Element::F32, Element::F16] {
        let space = space(element);
        let error = export(from.path(), &space, &file).unwrap_err().to_string();
        assert!(error.contains("holds no vectors of `model@1"), "{error}");
        assert!(!space.folder(from.path()).exists());
        let store = open(from.path(), &space);
        add(&store, 0..30);
        add(&store, 20..60);
        assert_eq!(export(from.path(), &space, &file).unwrap(), (60, vec![]));

        add(&open(to.path(), &space), 50..70);
        let imported = import(to.path(), &file).unwrap();
        assert_eq!((imported.rows, imported.new), (60, 50));
        assert_eq!(imported.space, space);
        assert_eq!(import(to.path(), &file).unwrap().new, 0);
        assert_eq!(held(&open(to.path(), &space), 100), (0..70).collect::<Vec<_>>());
    }
    let none = from.path().join("none.arrow");
    assert!(matches!(import(to.path(), &none), Err(Error::File { .. })));
    fs::write(&none, "no").unwrap();
    assert!(matches!(import(to.path(), &none), Err(Error::Input { .. })));
    assert!(none.exists());
}
