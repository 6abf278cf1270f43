//! Whatever is done in whatever order, the store is a map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Push(u32),
    Flush,
    Reopen,
    Compact(usize),
    Refresh,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_u32..60).prop_map(Step::Push),
        3 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => (0_usize..5).prop_map(Step::Compact),
        2 => Just(Step::Refresh),
    ]
}

/// Everything that the store holds of texts 0..60.
fn all(store: &VectorStore) -> BTreeMap<u32, Vec<f32>> {
    let (texts, mut all) = ((0..60).collect::<Vec<u32>>(), BTreeMap::new());
    let keys: Vec<Key> = texts.iter().map(|&i| key(i)).collect();
    let missing = store.get(&keys, |i, v| drop(all.insert(texts[i], v.to_vec())));
    assert_eq!(missing + all.len(), 60);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_map(
        steps in prop::collection::vec(step(), 1..100),
        half: bool,
        rows in 1_usize..12,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let space = space(if half { Element::F16 } else { Element::F32 });
        let options = WriterOptions { rows, segments: 5, ..Default::default() };
        let mut store = open(dir.path(), &space);
        let mut writer = store.writer(options);
        // Gathered by the writer; on disk; seen by the store as it is open.
        let (mut gathered, mut disk, mut seen) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for step in steps {
            let mut written = true;
            match step {
                Step::Push(i) => {
                    writer.push(key(i), &vector(i)).unwrap();
                    gathered.push((i, stored(i, space.element)));
                    written = gathered.len() == rows;
                }
                Step::Flush => writer.flush().unwrap(),
                Step::Reopen => {
                    // The old writer goes, and writes what it has.
                    writer = store.writer(options);
                    store = open(dir.path(), &space);
                }
                Step::Compact(n) => {
                    written = false;
                    prop_assert_eq!(store.compact(n).unwrap(), [""; 0]);
                    prop_assert!(store.segments.len() <= n.max(1));
                }
                Step::Refresh => {
                    written = false;
                    prop_assert_eq!(store.refresh().unwrap(), [""; 0]);
                }
            }
            if written {
                disk.extend(gathered.drain(..));
            }
            if matches!(step, Step::Reopen | Step::Compact(_) | Step::Refresh) {
                seen.clone_from(&disk);
            }
            prop_assert_eq!(&all(&store), &seen);
        }
        disk.extend(gathered);
        drop(writer);
        prop_assert_eq!(all(&open(dir.path(), &space)), disk);
        prop_assert!(verify(dir.path()).unwrap().iter().all(|c| c.trouble.is_none()));
    }
}
