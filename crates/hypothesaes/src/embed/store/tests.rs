mod bench;
mod caches;
mod damage;
mod peers;
mod processes;
mod random;

use super::*;
use crate::Error;
use half::f16;

const DIM: usize = 5;

fn space(element: Element) -> Space {
    Space { embedder: "model@1 | query: | 512".into(), dim: DIM, element }
}

fn open(store: &Path, space: &Space) -> VectorStore {
    let (store, notes) = VectorStore::open(store, space).unwrap();
    assert_eq!(notes, [""; 0]);
    store
}

fn key(i: u32) -> Key {
    Key::of(&format!("text {i}"))
}

fn vector(i: u32) -> Vec<f32> {
    (0..DIM).map(|j| (i as f32 + 0.1) * (j as f32 - 2.0)).collect()
}

/// Writes the vectors of `texts` as one segment.
fn add(store: &VectorStore, texts: impl IntoIterator<Item = u32>) {
    let mut writer = store.writer(WriterOptions { segments: usize::MAX, ..Default::default() });
    for i in texts {
        writer.push(key(i), &vector(i)).unwrap();
    }
    writer.finish().unwrap();
}

/// Which of the texts 0..n are there; that their vectors are right is checked.
fn held(store: &VectorStore, n: u32) -> Vec<u32> {
    let keys: Vec<Key> = (0..n).map(key).collect();
    let mut held = Vec::new();
    let missing = store.get(&keys, |i, found| {
        let i = u32::try_from(i).unwrap();
        assert_eq!(found, stored(i, store.space().element), "text {i}");
        held.push(i);
    });
    assert_eq!(missing + held.len(), keys.len());
    held.sort_unstable();
    held
}

/// A vector as it comes back.
fn stored(i: u32, element: Element) -> Vec<f32> {
    let round = |v: f32| if element == Element::F16 { f16::from_f32(v).to_f32() } else { v };
    vector(i).into_iter().map(round).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_comes_back_in_the_order_of_the_keys() {
    for element in [Element::F32, Element::F16] {
        let dir = tempfile::tempdir().unwrap();
        let space = space(element);
        let mut store = open(dir.path(), &space);
        add(&store, (0..100).rev());
        add(&store, 50..150);
        assert_eq!(held(&store, 200), [0; 0]);
        assert_eq!(store.refresh().unwrap(), [""; 0]);
        assert_eq!(held(&store, 200), (0..150).collect::<Vec<_>>());
        let again = open(dir.path(), &space);
        assert_eq!((again.rows(), held(&again, 200).len()), (200, 150));

        let found = again.find(&[key(7), key(777), key(149), key(7)]);
        let read = found.iter().map(|f| {
            let mut out = vec![0.0; DIM];
            f.map(|f| f.read(&mut out)).map(|()| out)
        });
        let want = [7, 777, 149, 7].map(|i| (i < 150).then(|| stored(i, element)));
        assert_eq!(read.collect::<Vec<_>>(), want);
        assert!(again.find(&[]).is_empty());

        let (keys, mut out) = ([3, 777, 120, 778, 3].map(key), vec![-1.0; 5 * DIM]);
        assert_eq!(again.fill(&keys, &mut out).unwrap(), [1, 3]);
        let none = vec![-1.0; DIM];
        let (a, b) = (stored(3, element), stored(120, element));
        assert_eq!(out, [&a, &none, &b, &none, &a].map(Clone::clone).concat());
        assert!(matches!(again.fill(&keys, &mut out[1..]), Err(Error::Data(_))));
    }
}

#[test]
fn spaces_keep_apart_and_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let one = space(Element::F32);
    let other = Space { embedder: "model@2".into(), ..one.clone() };
    let half = Space { element: Element::F16, ..one.clone() };
    add(&open(dir.path(), &one), 0..3);
    for space in [&other, &half] {
        assert_eq!(held(&open(dir.path(), space), 3), [0; 0]);
    }
    let text = std::fs::read_to_string(Space::about(&one.folder(dir.path()))).unwrap();
    assert!(text.contains("\"element\": \"f32\"") && text.contains("query:"), "{text}");
    // A store is found again by later versions.
    let json = r#"{"embedder":"model@1 | query: | 512","dim":5,"element":"f32"}"#;
    let hash = blake3::hash(json.as_bytes()).to_hex();
    assert_eq!(names(dir.path()).iter().filter(|n| hash.starts_with(n.as_str())).count(), 1);
    for dim in [0, 1 << 30] {
        let absurd = Space { dim, ..one.clone() };
        assert!(matches!(VectorStore::open(dir.path(), &absurd), Err(Error::Option { .. })));
    }
}

#[test]
fn a_vector_that_cannot_be_kept_is_refused_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &space(Element::F16));
    let mut writer = store.writer(WriterOptions::default());
    let refused = [
        (vec![1.0; DIM - 1], "4 numbers where others have 5"),
        (vec![0.0, f32::NAN, 0.0, 0.0, 0.0], "number 2 of a vector is NaN"),
        (vec![0.0, 0.0, f32::INFINITY, 0.0, 0.0], "number 3 of a vector is inf"),
        (vec![0.0, 0.0, 0.0, 0.0, -70_000.0], "number 5 of a vector is -70000: 16-bit floats"),
    ];
    for (i, (vector, why)) in (0..).zip(refused) {
        let error = writer.push(key(100 + i), &vector).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        writer.push(key(i), &super::tests::vector(i)).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), Written { rows: 4, notes: vec![] });
    assert_eq!(held(&open(dir.path(), &space(Element::F16)), 200), [0, 1, 2, 3]);
}

#[test]
fn segments_are_written_when_it_is_time_and_when_the_writer_goes() {
    let dir = tempfile::tempdir().unwrap();
    let space = space(Element::F32);
    let segments = |options: WriterOptions| {
        let mut store = open(dir.path(), &space);
        let before = store.segments.len();
        let mut writer = store.writer(WriterOptions { segments: usize::MAX, ..options });
        (0..10).for_each(|i| writer.push(key(i), &vector(i)).unwrap());
        let written = writer.written.rows;
        drop(writer);
        store.refresh().unwrap();
        assert_eq!(held(&store, 10).len(), 10);
        (written, store.segments.len() - before)
    };
    let options = WriterOptions::default();
    assert_eq!(segments(options), (0, 1));
    assert_eq!(segments(WriterOptions { rows: 4, ..options }), (8, 3));
    assert_eq!(segments(WriterOptions { bytes: 5 * DIM * 4, ..options }), (10, 2));
    assert_eq!(segments(WriterOptions { age: std::time::Duration::ZERO, ..options }), (10, 10));
}

#[test]
fn merging_keeps_all_and_leaves_open_stores_as_they_are() {
    for element in [Element::F32, Element::F16] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path(), &space(element));
        (0..20).for_each(|i| add(&store, i * 10..i * 10 + 15));
        store.refresh().unwrap();
        let mut other = open(dir.path(), &space(element));
        assert_eq!(store.compact(20).unwrap(), [""; 0]);
        assert_eq!(store.segments.len(), 20);
        assert_eq!(store.compact(1).unwrap(), [""; 0]);
        assert_eq!((store.segments.len(), store.rows()), (1, 205));
        assert_eq!(held(&store, 300), (0..205).collect::<Vec<_>>());
        assert_eq!((other.segments.len(), held(&other, 300).len()), (20, 205));
        assert_eq!(other.refresh().unwrap(), [""; 0]);
        assert_eq!((other.segments.len(), held(&other, 300).len()), (1, 205));
        assert_eq!(names(&other.folder).len(), 2);
    }
}

#[test]
fn a_writer_merges_what_it_makes_and_leaves_large_ones_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), &space(Element::F32));
    add(&store, 1000..2000);
    let large = names(&store.folder)[0].clone();
    let mut writer = store.writer(WriterOptions { rows: 2, segments: 4, ..Default::default() });
    (0..100).for_each(|i| writer.push(key(i), &vector(i)).unwrap());
    writer.finish().unwrap();
    store.refresh().unwrap();
    assert!(store.segments.len() <= 4, "{}", store.segments.len());
    assert_eq!((store.rows(), held(&store, 2000).len()), (1100, 1100));
    assert!(names(&store.folder).contains(&large));
}

#[test]
fn a_segment_of_many_batches_is_searched_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    // 32 MiB hold 8 vectors.
    let space = Space { dim: 1 << 20, ..space(Element::F32) };
    let mut store = open(dir.path(), &space);
    let keys: Vec<Key> = (0..20).map(key).collect();
    let mut wide = vec![0.5; space.dim];
    for half in [0..10, 10..20] {
        let mut writer = store.writer(WriterOptions { bytes: usize::MAX, ..Default::default() });
        for i in half {
            wide[0] = i as f32;
            writer.push(keys[i], &wide).unwrap();
        }
    }
    store.refresh().unwrap();
    store.compact(1).unwrap();
    assert_eq!((store.segments.len(), store.rows()), (1, 20));
    let mut seen = [false; 20];
    assert_eq!(store.get(&keys, |i, v| seen[i] = v[0] == i as f32 && v[1] == 0.5), 0);
    assert_eq!(seen, [true; 20]);
    assert!(verify(dir.path()).unwrap().iter().all(|c| c.trouble.is_none()));
    // Keys between and beyond those that are there.
    let unknown: Vec<Key> = (100..1100).map(key).collect();
    assert!(store.find(&unknown).iter().all(Option::is_none));
}
