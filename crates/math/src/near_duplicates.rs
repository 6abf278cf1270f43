//! Which texts are almost the same.
//!
//! In go the hashed shingles (runs of words) of every text, out come the pairs of texts whose sets
//! of shingles overlap by at least a share, and families of texts that hang together.

use std::collections::HashMap;

use rand::Rng;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::random::stream;

/// Smallest hashes per text.
const HASHES: usize = 128;
/// Chance of missing a pair that overlaps by just the threshold.
const MISSED: f64 = 0.005;
/// Of more texts than this that look alike, each is compared with the first few only.
const CROWD: usize = 64;
const FIRST_FEW: usize = 8;

/// Two texts, `first < second`, with the share of their shingles that both have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub first: usize,
    pub second: usize,
    pub jaccard: f64,
}

/// The hashes of every run of `width` tokens; of a shorter text, one of all it has.
///
/// # Panics
/// If `width` is 0, the caller's invariant.
#[must_use]
pub fn shingles(tokens: &[u64], width: usize) -> Vec<u64> {
    let hash = |run: &[u64]| run.iter().fold(0, |hash, token| mix(hash ^ token));
    if tokens.is_empty() {
        return vec![];
    }
    tokens.windows(width.min(tokens.len())).map(hash).collect()
}

/// Pairs of texts with `|A and B| / |A or B| >= threshold` for their sets of shingles A and B.
///
/// `texts`: the shingles of each, in any order. A text that equals an earlier one is reported as a
/// pair with the first of its kind and in no other, and a text without shingles in none. Pairs are
/// proposed by `MinHash`: 128 smallest hashes, in bands so wide that a pair at the threshold is missed
/// with a chance below 0.5 %, one above it with less. All that is reported is exact. Where
/// more than 64 different texts share a band, each is compared with the first 8 of them there. Sorted
/// by place; O(128 * shingles) and the pairs.
///
/// Source: Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman,
/// Ullman (2020), Mining of Massive Datasets, chapter 3.
///
/// # Errors
/// [`Error::Option`] for a threshold that is not above 0 and at most 1.
pub fn near_duplicates(texts: &[Vec<u64>], threshold: f64) -> Result<Vec<Pair>> {
    if !(threshold > 0.0 && threshold <= 1.0) {
        return Err(Error::option("threshold", threshold, "above 0 and at most 1"));
    }
    let sets: Vec<Vec<u64>> = texts.par_iter().map(|text| set(text)).collect();
    let (different, mut pairs) = twins(&sets);
    let verified = candidates(&sets, &different, threshold).into_par_iter().filter_map(|(a, b)| {
        let jaccard = jaccard(&sets[a], &sets[b], threshold)?;
        Some(Pair { first: a, second: b, jaccard })
    });
    pairs.extend(verified.collect::<Vec<_>>());
    pairs.sort_by_key(|pair| (pair.first, pair.second));
    Ok(pairs)
}

/// For each of `texts` texts, the first of those that hang together with it by pairs; itself if
/// none do.
///
/// # Panics
/// If a pair names a text beyond these, the caller's invariant.
#[must_use]
pub fn families(texts: usize, pairs: &[Pair]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..texts).collect();
    let root = |parent: &mut Vec<usize>, mut text: usize| {
        while parent[text] != text {
            parent[text] = parent[parent[text]];
            text = parent[text];
        }
        text
    };
    for pair in pairs {
        let (a, b) = (root(&mut parent, pair.first), root(&mut parent, pair.second));
        let first = a.min(b);
        parent[a] = first;
        parent[b] = first;
    }
    (0..texts).map(|text| root(&mut parent, text)).collect()
}

/// In rising order, every shingle once.
fn set(shingles: &[u64]) -> Vec<u64> {
    let mut set = shingles.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

/// The texts that equal no earlier one, and a pair for each that does.
fn twins(sets: &[Vec<u64>]) -> (Vec<usize>, Vec<Pair>) {
    let mut seen: HashMap<&[u64], usize> = HashMap::new();
    let (mut different, mut pairs) = (Vec::new(), Vec::new());
    for (text, set) in sets.iter().enumerate().filter(|(_, set)| !set.is_empty()) {
        let first = *seen.entry(set).or_insert(text);
        if first == text {
            different.push(text);
        } else {
            pairs.push(Pair { first, second: text, jaccard: 1.0 });
        }
    }
    (different, pairs)
}

/// Pairs that share a band, each once.
fn candidates(sets: &[Vec<u64>], different: &[usize], threshold: f64) -> Vec<(usize, usize)> {
    let width = band_width(threshold);
    let bands = HASHES / width;
    let hashing = Hashing::new();
    let keys = |&text: &usize| hashing.bands(&sets[text], width);
    let keys: Vec<Vec<u64>> = different.par_iter().map(keys).collect();
    let of_band = |band: usize| {
        let mut texts: Vec<(u64, usize)> =
            keys.iter().zip(different).map(|(keys, text)| (keys[band], *text)).collect();
        texts.sort_unstable();
        let mut pairs = Vec::new();
        texts.chunk_by(|a, b| a.0 == b.0).for_each(|alike| propose(alike, &mut pairs));
        pairs
    };
    let mut pairs: Vec<(usize, usize)> = (0..bands).into_par_iter().flat_map(of_band).collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// All pairs of texts that look alike, or of each with the first few.
fn propose(alike: &[(u64, usize)], pairs: &mut Vec<(usize, usize)>) {
    let earlier = if alike.len() > CROWD { FIRST_FEW } else { CROWD };
    for (at, (_, text)) in alike.iter().enumerate() {
        pairs.extend(alike[..at.min(earlier)].iter().map(|(_, first)| (*first, *text)));
    }
}

/// The widest bands with which few enough pairs are missed: `(1 - t^width)^(HASHES / width)`.
fn band_width(threshold: f64) -> usize {
    let missed = |width: usize| {
        let equal = threshold.powf(width as f64);
        (1.0 - equal).powf((HASHES / width) as f64)
    };
    (1..=16).rev().find(|width| missed(*width) <= MISSED).unwrap_or(1)
}

/// The overlap if it reaches the threshold; both sets in rising order.
fn jaccard(a: &[u64], b: &[u64], threshold: f64) -> Option<f64> {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let order = a[i].cmp(&b[j]);
        both += usize::from(order.is_eq());
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    let share = both as f64 / (a.len() + b.len() - both) as f64;
    (share >= threshold).then_some(share)
}

/// Hash functions `(x xor b) a`, a odd; always the same.
struct Hashing {
    factors: [u32; HASHES],
    masks: [u32; HASHES],
}

impl Hashing {
    fn new() -> Self {
        let mut stream = stream(0, "minhash");
        let factors = std::array::from_fn(|_| stream.next_u32() | 1);
        Self { factors, masks: std::array::from_fn(|_| stream.next_u32()) }
    }

    /// A key per band of `width` smallest hashes.
    fn bands(&self, set: &[u64], width: usize) -> Vec<u64> {
        let mut smallest = [u32::MAX; HASHES];
        for shingle in set {
            let x = (mix(*shingle) >> 32) as u32;
            for ((least, factor), mask) in smallest.iter_mut().zip(&self.factors).zip(&self.masks) {
                *least = (*least).min((x ^ mask).wrapping_mul(*factor));
            }
        }
        let key = |band: &[u32]| band.iter().fold(0, |key, v| mix(key ^ u64::from(*v)));
        smallest.chunks_exact(width).map(key).collect()
    }
}

/// A bijection that spreads every bit (splitmix64; Steele, Lea, Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
