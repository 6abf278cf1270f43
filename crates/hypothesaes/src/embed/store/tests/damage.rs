use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use arrow_ipc::writer::FileWriter;

use super::*;

/// A store with a whole segment and room for another; the second's bytes.
fn prepared() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &space(Element::F32));
    add(&store, 0..50);
    add(&store, 50..100);
    let path = files::segments(&store.folder).unwrap()[0].clone();
    let bytes = fs::read(&path).unwrap();
    (dir, path, bytes)
}

/// Opens a store in which one segment has other bytes: those are set aside, with a note and their
/// content as it was, and the other can be read.
fn is_set_aside(bytes: &[u8], why: &str) {
    let (dir, path, _) = prepared();
    fs::write(&path, bytes).unwrap();
    let (store, notes) = VectorStore::open(dir.path(), &space(Element::F32)).unwrap();
    assert!(notes.len() == 1 && notes[0].contains(why), "{notes:?}");
    assert_eq!(held(&store, 100), (0..50).collect::<Vec<_>>());
    assert_eq!(fs::read(path.with_added_extension("damaged")).unwrap(), bytes);
    assert!(!path.exists());
    assert_eq!(contents(dir.path()).unwrap()[0].unusable, 1);
    open(dir.path(), &space(Element::F32));
}

#[test]
fn files_that_are_cut_short_or_are_something_else_are_set_aside() {
    let (_dir, _, whole) = prepared();
    for seventh in 0..7 {
        is_set_aside(&whole[..whole.len() * seventh / 7], "not a whole Arrow file");
    }
    is_set_aside(&whole[..whole.len() - 1], "not a whole Arrow file");
    is_set_aside(&[&whole[..], b"more"].concat(), "not a whole Arrow file");
    is_set_aside(b"ARROW1ARROW1", "no footer");
    is_set_aside(b"ARROW1\xff\xff\xff\x7fARROW1", "footer is damaged");
    let noise: Vec<u8> = (0_u32..5000).flat_map(|i| key(i).0).collect();
    is_set_aside(&noise, "not a whole Arrow file");
    is_set_aside(&[b"ARROW1", &noise[..], b"\x00\x10\0\0ARROW1"].concat(), "");
}

#[test]
fn files_of_others_and_segments_of_another_space_are_set_aside() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let mut foreign = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    foreign.write(&batch).unwrap();
    let foreign = foreign.into_inner().unwrap();
    is_set_aside(&foreign, "");

    let dir = tempfile::tempdir().unwrap();
    for other in [
        Space { dim: DIM + 1, ..space(Element::F32) },
        Space { embedder: "other".into(), ..space(Element::F32) },
        space(Element::F16),
    ] {
        let store = open(dir.path(), &other);
        store.writer(WriterOptions::default()).push(key(0), &vec![1.0; other.dim]).unwrap();
        let path = files::segments(&store.folder).unwrap()[0].clone();
        is_set_aside(&fs::read(path).unwrap(), "of another kind");
    }
}

#[test]
fn a_segment_of_a_later_version_is_left_where_it_is() {
    let (dir, path, mut bytes) = prepared();
    // The name, its end, the length of the value, the value.
    let name = layout::VERSION_NAME.as_bytes();
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(name.len()).position(|w| w == name) {
        at += next + name.len();
        let value = (at..at + 40).find(|&i| bytes[i..].starts_with(&[1, 0, 0, 0, b'1']));
        if let Some(value) = value {
            bytes[value + 4] = b'2';
        }
    }
    // Strings of a flatbuffer may lie before their name.
    for i in 0..bytes.len() - 5 {
        if bytes[i..].starts_with(&[1, 0, 0, 0, b'1', 0]) {
            bytes[i + 4] = b'2';
        }
    }
    fs::write(&path, &bytes).unwrap();
    let (store, notes) = VectorStore::open(dir.path(), &space(Element::F32)).unwrap();
    assert!(notes.len() == 1 && notes[0].contains("a later version"), "{notes:?}");
    assert_eq!(held(&store, 100).len(), 50);
    assert!(path.exists());
    let checked = verify(dir.path()).unwrap();
    assert_eq!(checked.iter().filter(|c| c.trouble.is_some()).count(), 1);
    assert!(path.exists());
}

/// No byte of a file can be changed so that anything panics; where the change is in what was
/// written, verifying notices.
#[test]
fn any_changed_byte_is_survived_and_none_of_the_content_goes_unnoticed() {
    let (dir, path, whole) = prepared();
    let space = space(Element::F32);
    let layout = layout::read(&whole).unwrap();
    let content =
        |at: usize| layout.batches.iter().any(|b| b.keys.contains(&at) || b.vectors.contains(&at));
    for at in 0..whole.len() {
        for bits in [1, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= bits;
            fs::write(&path, &bytes).unwrap();
            let (store, _) = VectorStore::open(dir.path(), &space).unwrap();
            let mut count = 0;
            store.get(&(0..100).map(key).collect::<Vec<_>>(), |_, _| count += 1);
            assert!(count >= 50);
            drop(store);
            let trouble = verify(dir.path()).unwrap().iter().any(|c| c.trouble.is_some());
            assert!(trouble || !content(at), "byte {at}");
            for aside in files::aside(path.parent().unwrap()).unwrap() {
                fs::remove_file(aside).unwrap();
            }
        }
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(held(&open(dir.path(), &space), 100).len(), 100);
}

#[test]
fn damaged_content_is_neither_merged_nor_exported_nor_imported() {
    let (dir, path, mut bytes) = prepared();
    let at = layout::read(&bytes).unwrap().batches[0].vectors.start;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let other = tempfile::tempdir().unwrap();
    let error = import(other.path(), &path).unwrap_err().to_string();
    assert!(error.contains("its content is not what was written"), "{error}");
    assert_eq!(contents(other.path()).unwrap(), []);

    let mut store = open(dir.path(), &space(Element::F32));
    add(&store, 200..201);
    let notes = store.compact(1).unwrap();
    assert!(notes.len() == 1 && notes[0].contains("not what was written"), "{notes:?}");
    assert_eq!(held(&store, 300), (0..50).chain(200..201).collect::<Vec<_>>());

    let path = files::segments(&store.folder).unwrap()[0].clone();
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let to = other.path().join("all.arrow");
    assert!(matches!(export(dir.path(), &space(Element::F32), &to), Err(Error::Data(_))));
    assert!(!to.exists());
}
