//! Which text has which phrases, by number.
//!
//! In go texts, out comes an index of the phrases that are frequent enough to be worth a rule. It
//! holds numbers, not strings: 4 bytes per text and phrase.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::InterpretOptions;
use crate::text::Corpus;

/// Texts a worker takes at a time.
const CHUNK: usize = 512;
/// Where no phrase starts.
const NONE: u32 = u32::MAX;

/// The frequent phrases of some texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhraseIndex {
    /// The stems of every phrase.
    phrases: Vec<Vec<u32>>,
    /// Phrases of all texts, those of a text together and rising.
    entries: Vec<u32>,
    ends: Vec<usize>,
}

impl PhraseIndex {
    /// Indexes the phrases of 1 to `max_phrase_words` stems that at least `max(min_phrase_texts,
    /// 0.3 sqrt(n))` of the n texts have: a phrase in fewer texts says nothing reliable.
    ///
    /// A phrase of k + 1 words is looked for only where two frequent ones of k words overlap, so
    /// that the table of counts stays small (Agrawal, Srikant 1994). Counts are whole numbers and
    /// phrases are sorted, hence the same index whatever the number of threads.
    pub(super) fn new(corpus: &Corpus, options: &InterpretOptions) -> Self {
        let least = least_texts(corpus.len(), options);
        let mut index = Self { phrases: Vec::new(), entries: Vec::new(), ends: Vec::new() };
        let mut found = vec![Vec::new(); corpus.len()];
        // The phrases of the current length that start at each word of each text.
        let mut starts: Vec<Vec<u32>> = Vec::new();
        for words in 1..=options.max_phrase_words {
            let keys = |i: usize| -> Vec<u64> {
                if words == 1 {
                    corpus.doc(i).iter().map(|&s| u64::from(s)).collect()
                } else {
                    pairs(&starts[i])
                }
            };
            let ids = index.frequent(corpus.len(), &keys, words, least);
            if ids.is_empty() {
                break;
            }
            starts = (0..corpus.len())
                .into_par_iter()
                .map(|i| keys(i).iter().map(|key| ids.get(key).copied().unwrap_or(NONE)).collect())
                .collect();
            found.par_iter_mut().zip(&starts).for_each(|(found, starts): (&mut Vec<u32>, _)| {
                let before = found.len();
                found.extend(starts.iter().filter(|&&phrase| phrase != NONE));
                found[before..].sort_unstable();
                found.dedup();
            });
        }
        for phrases in found {
            index.entries.extend(phrases);
            index.ends.push(index.entries.len());
        }
        index
    }

    /// Number of phrases.
    pub(super) fn len(&self) -> usize {
        self.phrases.len()
    }

    /// The stems of a phrase.
    pub(super) fn stems(&self, phrase: u32) -> &[u32] {
        &self.phrases[phrase as usize]
    }

    /// The phrases of text `i`, rising.
    pub(super) fn phrases(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.entries[start..self.ends[i]]
    }

    /// How many texts have each phrase.
    pub(super) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.len()];
        self.entries.iter().for_each(|&phrase| counts[phrase as usize] += 1);
        counts
    }

    /// Adds the phrases whose key at least `least` texts have; returns their numbers by key.
    fn frequent(
        &mut self,
        n_texts: usize,
        keys: &(impl Fn(usize) -> Vec<u64> + Sync),
        words: usize,
        least: f64,
    ) -> FxHashMap<u64, u32> {
        let mut frequent: Vec<u64> = text_counts(n_texts, keys)
            .into_iter()
            .filter_map(|(key, count)| {
                (f64::from(count) >= least && key != u64::MAX).then_some(key)
            })
            .collect();
        frequent.sort_unstable();
        let first = self.phrases.len();
        for &key in &frequent {
            let stems = if words == 1 { vec![low(key)] } else { self.joined(key) };
            self.phrases.push(stems);
        }
        frequent.into_iter().zip(first..).map(|(key, id)| (key, as_id(id))).collect()
    }

    /// The stems of the phrase made of two phrases that overlap in all but one word each.
    fn joined(&self, key: u64) -> Vec<u32> {
        let mut stems = self.stems(low(key >> 32)).to_vec();
        stems.extend(self.stems(low(key)).last());
        stems
    }
}

/// Least number of texts, of `n`, that a phrase must be in.
fn least_texts(n: usize, options: &InterpretOptions) -> f64 {
    (options.min_phrase_texts as f64).max(0.3 * (n as f64).sqrt())
}

/// A key for every two phrases that start at neighbouring words; `u64::MAX` if one is not frequent.
fn pairs(starts: &[u32]) -> Vec<u64> {
    let pair = |pair: &[u32]| match pair {
        [a, b] if *a != NONE && *b != NONE => u64::from(*a) << 32 | u64::from(*b),
        _ => u64::MAX,
    };
    starts.windows(2).map(pair).collect()
}

/// How many texts have each key.
fn text_counts(n_texts: usize, keys: &(impl Fn(usize) -> Vec<u64> + Sync)) -> FxHashMap<u64, u32> {
    let chunk = |c: usize| {
        let mut counts = FxHashMap::<u64, u32>::default();
        for i in c * CHUNK..n_texts.min((c + 1) * CHUNK) {
            let mut keys = keys(i);
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                *counts.entry(key).or_default() += 1;
            }
        }
        counts
    };
    (0..n_texts.div_ceil(CHUNK)).into_par_iter().map(chunk).reduce(FxHashMap::default, merged)
}

fn merged(a: FxHashMap<u64, u32>, b: FxHashMap<u64, u32>) -> FxHashMap<u64, u32> {
    let (mut into, from) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
    into
}

fn low(key: u64) -> u32 {
    u32::try_from(key & u64::from(u32::MAX)).expect("32 bits")
}

fn as_id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 phrases fit in memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Texts;
    use crate::text::{Analyzer, Language};

    fn index(texts: &[&str], options: &InterpretOptions) -> (Corpus, PhraseIndex) {
        let texts: Texts = texts.iter().copied().collect();
        let corpus = Corpus::new(&Analyzer::new(Language::English), &texts);
        let index = PhraseIndex::new(&corpus, options);
        (corpus, index)
    }

    /// The phrases of each text, as stems, in the order of the index.
    fn check(texts: &[&str], options: &InterpretOptions, expected: &[&[&str]]) {
        let (corpus, index) = index(texts, options);
        for (i, expected) in expected.iter().enumerate() {
            let words = |&phrase: &u32| {
                let stems = index.stems(phrase).iter().map(|&stem| corpus.stem(stem));
                stems.collect::<Vec<_>>().join(" ")
            };
            let got: Vec<String> = index.phrases(i).iter().map(words).collect();
            assert_eq!(got, *expected, "text {i}");
        }
    }

    fn options(min_phrase_texts: usize, max_phrase_words: usize) -> InterpretOptions {
        InterpretOptions { max_phrase_words, min_phrase_texts, ..Default::default() }
    }

    #[test]
    fn phrases_of_one_to_three_words_in_enough_texts_are_indexed_once_a_text() {
        let texts = ["too long waits, too long waiting", "Too long waited!", "long", ""];
        let all: &[&str] = &["too", "long", "wait", "too long", "long wait", "too long wait"];
        check(&texts, &options(2, 3), &[all, all, &["long"], &[]]);
        check(&texts, &options(3, 3), &[&["long"], &["long"], &["long"], &[]]);
        check(&texts, &options(2, 1), &[&all[..3], &all[..3], &["long"], &[]]);
    }

    #[test]
    fn a_phrase_made_of_frequent_words_must_itself_be_frequent() {
        check(
            &["a b", "a b", "b a"],
            &options(2, 3),
            &[&["a", "b", "a b"], &["a", "b", "a b"], &["a", "b"]],
        );
    }

    #[test]
    fn more_texts_ask_for_more_frequent_phrases() {
        let texts: Vec<String> = (0..1000).map(|i| format!("w{}", i / 9)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(index(&texts, &options(5, 1)).1.len(), 0);
        assert_eq!(index(&texts[..900], &options(5, 1)).1.len(), 100);
    }

    #[test]
    fn law_threads_do_not_matter() {
        let texts: Vec<String> =
            (0..2000).map(|i| format!("a{} b{} c{}", i % 7, i % 11, i % 13)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let run = || index(&texts, &options(5, 3)).1;
        let with = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(run);
        let one = with(1);
        assert_eq!(one, with(3));
        assert!(one.len() > 31, "pairs are indexed too");
    }
}
