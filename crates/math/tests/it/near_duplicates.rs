use std::collections::BTreeSet;

use hypothesaes_math::near_duplicates::{Pair, families, near_duplicates, shingles};
use hypothesaes_math::random::{Stream, stream};
use rand::{Rng, RngExt};

/// Random words, and a copy of some texts with some words changed.
fn texts(
    originals: usize,
    words: usize,
    copies: &[(usize, usize)],
    stream: &mut Stream,
) -> Vec<Vec<u64>> {
    let mut texts: Vec<Vec<u64>> =
        (0..originals).map(|_| (0..words).map(|_| stream.next_u64()).collect()).collect();
    for (of, changes) in copies {
        let mut copy = texts[*of].clone();
        for k in 0..*changes {
            let at = (k * words / changes + stream.random_range(0..words / changes)).min(words - 1);
            copy[at] = stream.next_u64();
        }
        texts.push(copy);
    }
    texts
}

fn exact(a: &[u64], b: &[u64]) -> f64 {
    let set = |v: &[u64]| v.iter().copied().collect::<BTreeSet<u64>>();
    let (a, b) = (set(a), set(b));
    a.intersection(&b).count() as f64 / a.union(&b).count() as f64
}

#[test]
fn pairs_are_those_of_all_pairs() {
    let copies: Vec<(usize, usize)> = (0..240).map(|i| (i % 120, 1 + i % 30)).collect();
    let texts = texts(120, 80, &copies, &mut stream(2, "near"));
    let shingled: Vec<Vec<u64>> = texts.iter().map(|t| shingles(t, 2)).collect();
    for threshold in [0.5, 0.8, 0.95] {
        let found = near_duplicates(&shingled, threshold).unwrap();
        let mut expected = 0;
        for i in 0..shingled.len() {
            for j in i + 1..shingled.len() {
                expected += usize::from(exact(&shingled[i], &shingled[j]) >= threshold);
            }
        }
        for pair in &found {
            assert_eq!(pair.jaccard, exact(&shingled[pair.first], &shingled[pair.second]));
            assert!(pair.first < pair.second && pair.jaccard >= threshold);
        }
        assert!(expected >= 8, "{expected}");
        let found = found.len();
        assert!(
            found <= expected && found + expected / 100 + 1 >= expected,
            "{found} of {expected}"
        );
    }
}

#[test]
fn equal_texts_are_paired_with_their_first() {
    let texts = vec![vec![1, 2, 3], vec![], vec![3, 1, 2, 2], vec![7, 8], vec![], vec![1, 2, 3]];
    let found = near_duplicates(&texts, 0.9).unwrap();
    let pair = |first, second| Pair { first, second, jaccard: 1.0 };
    assert_eq!(found, [pair(0, 2), pair(0, 5)]);
    assert_eq!(families(6, &found), [0, 1, 0, 3, 4, 0]);
}

#[test]
fn families_hang_together_by_chains() {
    let pair = |first, second| Pair { first, second, jaccard: 0.9 };
    let found = families(7, &[pair(4, 5), pair(1, 4), pair(0, 6), pair(5, 6)]);
    assert_eq!(found, [0, 0, 2, 3, 0, 0, 0]);
}

#[test]
fn shingles_are_runs_of_tokens() {
    let of = |tokens: &[u64]| shingles(tokens, 3);
    assert_eq!(of(&[1, 2, 3, 4]).len(), 2);
    assert_eq!(of(&[1, 2, 3, 4])[1], of(&[2, 3, 4])[0]);
    assert_ne!(of(&[1, 2, 3]), of(&[3, 2, 1]));
    assert_ne!(of(&[0, 0]), of(&[0, 0, 0]));
    assert_eq!((of(&[]).len(), of(&[5]).len()), (0, 1));
}

#[test]
fn thousands_of_equal_and_of_similar_texts_are_quick() {
    let stream = &mut stream(1, "crowd");
    let base: Vec<u64> = (0..60).map(|_| stream.next_u64()).collect();
    let mut texts = vec![base.clone(); 5000];
    // As many that differ from the others in one word.
    texts.extend((0..5000).map(|i| {
        let mut text = base.clone();
        text[i % 60] = stream.next_u64();
        text
    }));
    let found = near_duplicates(&texts, 0.8).unwrap();
    assert!(found.len() >= 9_990 && found.len() < 300_000, "{}", found.len());
    let family = families(10_000, &found);
    assert!(family.iter().filter(|f| **f == 0).count() > 9_950);
}

#[test]
fn the_number_of_threads_changes_nothing_and_bad_thresholds_are_refused() {
    let copies: Vec<(usize, usize)> = (0..300).map(|i| (i % 100, 1 + i % 5)).collect();
    let texts = texts(100, 40, &copies, &mut stream(4, "near"));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| near_duplicates(&texts, 0.7).unwrap())
    };
    assert_eq!(run(1), run(3));
    for threshold in [0.0, 1.1, f64::NAN] {
        assert!(near_duplicates(&texts, threshold).is_err());
    }
}
