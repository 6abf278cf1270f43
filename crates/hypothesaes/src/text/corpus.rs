//! Many texts as sequences of numbered stems.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Analyzer, Word};
use crate::data::Texts;

/// Texts a worker takes at a time. Fixed, so that ids do not depend on the number of threads.
const CHUNK: usize = 512;

/// Texts as sequences of stem ids. Ids count from 0 in the order in which stems first occur.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corpus {
    stems: Vec<Stem>,
    ids: FxHashMap<String, u32>,
    docs: Vec<u32>,
    ends: Vec<usize>,
}

/// A stem and the words seen with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stem {
    stem: String,
    surfaces: Vec<(String, u32)>,
}

/// The words of one chunk of texts as written, numbered as they first occur.
struct Chunk<'a> {
    words: Vec<&'a str>,
    docs: Vec<u32>,
    ends: Vec<usize>,
}

impl Corpus {
    /// Analyses all texts, in parallel. Each distinct word is stemmed once.
    #[must_use]
    pub fn new(analyzer: &Analyzer, texts: &Texts) -> Self {
        let mut chunks: Vec<Chunk> = (0..texts.len().div_ceil(CHUNK))
            .into_par_iter()
            .map(|c| Chunk::new(analyzer, texts, c * CHUNK..texts.len().min((c + 1) * CHUNK)))
            .collect();
        let (words, counts) = renumber(&mut chunks);
        let analysed: Vec<Word> = words.par_iter().map(|word| analyzer.word(word)).collect();
        let mut corpus = Self::default();
        let stem_of = corpus.intern(analysed, &counts);
        corpus.append(chunks, &stem_of);
        corpus
    }

    /// Number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of distinct stems.
    #[must_use]
    pub fn n_stems(&self) -> usize {
        self.stems.len()
    }

    /// The stems of text `i` in order.
    #[must_use]
    pub fn doc(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.docs[start..self.ends[i]]
    }

    /// The stem with this id.
    #[must_use]
    pub fn stem(&self, id: u32) -> &str {
        &self.stems[id as usize].stem
    }

    /// The surfaces seen with this stem and how often, most frequent first, then by alphabet.
    #[must_use]
    pub fn surfaces(&self, id: u32) -> &[(String, u32)] {
        &self.stems[id as usize].surfaces
    }

    /// The id of a stem, if any text has it.
    #[must_use]
    pub fn id(&self, stem: &str) -> Option<u32> {
        self.ids.get(stem).copied()
    }

    /// Numbers the stems of the analysed words; returns the stem of each word.
    fn intern(&mut self, words: Vec<Word>, counts: &[u32]) -> Vec<u32> {
        let mut surface_counts = Vec::<FxHashMap<String, u32>>::new();
        let mut stem_of = Vec::with_capacity(words.len());
        for (word, &count) in words.into_iter().zip(counts) {
            let id = *self.ids.entry(word.stem).or_insert_with_key(|stem| {
                self.stems.push(Stem { stem: stem.clone(), surfaces: Vec::new() });
                surface_counts.push(FxHashMap::default());
                as_id(self.stems.len() - 1)
            });
            let seen = surface_counts[id as usize].entry(word.surface).or_default();
            *seen = seen.saturating_add(count);
            stem_of.push(id);
        }
        for (stem, surfaces) in self.stems.iter_mut().zip(surface_counts) {
            stem.surfaces = surfaces.into_iter().collect();
            stem.surfaces.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        }
        stem_of
    }

    fn append(&mut self, chunks: Vec<Chunk>, stem_of: &[u32]) {
        self.docs.reserve_exact(chunks.iter().map(|chunk| chunk.docs.len()).sum());
        for chunk in chunks {
            let base = self.docs.len();
            self.docs.extend(chunk.docs.iter().map(|&word| stem_of[word as usize]));
            self.ends.extend(chunk.ends.iter().map(|end| base + end));
        }
    }
}

impl<'a> Chunk<'a> {
    fn new(analyzer: &Analyzer, texts: &'a Texts, rows: std::ops::Range<usize>) -> Self {
        let mut ids = FxHashMap::default();
        let mut chunk = Self { words: Vec::new(), docs: Vec::new(), ends: Vec::new() };
        for row in rows {
            analyzer.each_word(texts.get(row), |word| {
                let id = *ids.entry(word).or_insert_with(|| {
                    chunk.words.push(word);
                    as_id(chunk.words.len() - 1)
                });
                chunk.docs.push(id);
            });
            chunk.ends.push(chunk.docs.len());
        }
        chunk
    }
}

/// Replaces the chunks' own numbers of words by common ones; returns the words and their counts.
fn renumber<'a>(chunks: &mut [Chunk<'a>]) -> (Vec<&'a str>, Vec<u32>) {
    let mut ids = FxHashMap::default();
    let mut words = Vec::new();
    let mut counts = Vec::<u32>::new();
    for chunk in chunks {
        let common: Vec<u32> = std::mem::take(&mut chunk.words)
            .into_iter()
            .map(|word| {
                *ids.entry(word).or_insert_with(|| {
                    words.push(word);
                    counts.push(0);
                    as_id(words.len() - 1)
                })
            })
            .collect();
        for word in &mut chunk.docs {
            *word = common[*word as usize];
            counts[*word as usize] = counts[*word as usize].saturating_add(1);
        }
    }
    (words, counts)
}

fn as_id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 distinct words fit in memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    fn corpus(texts: &[&str]) -> Corpus {
        Corpus::new(&Analyzer::new(Language::English), &texts.iter().copied().collect())
    }

    #[test]
    fn texts_become_sequences_of_stems() {
        let corpus = corpus(&["Waited and waited", "", "They wait. WAITED!"]);
        let stems = |i| corpus.doc(i).iter().map(|&id| corpus.stem(id)).collect::<Vec<_>>();
        assert_eq!(corpus.len(), 3);
        assert_eq!(stems(0), ["wait", "and", "wait"]);
        assert_eq!(stems(1), [""; 0]);
        assert_eq!(stems(2), ["they", "wait", "wait"]);
        assert_eq!(corpus.n_stems(), 3);
        assert_eq!(corpus.id("wait"), Some(0));
        assert_eq!(corpus.id("waited"), None);
        assert_eq!(corpus.surfaces(0), [("waited".to_owned(), 3), ("wait".to_owned(), 1)]);
    }

    #[test]
    fn chunks_do_not_show() {
        let texts: Vec<String> = (0..2 * CHUNK + 7).map(|i| format!("w{} common", i / 3)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let corpus = corpus(&texts);
        let analyzer = Analyzer::new(Language::English);
        for (i, text) in texts.iter().enumerate() {
            let ids: Vec<u32> =
                analyzer.stems(text).iter().map(|stem| corpus.id(stem).unwrap()).collect();
            assert_eq!(corpus.doc(i), ids);
        }
        assert_eq!(corpus.surfaces(1)[0].1 as usize, texts.len());
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again = alone.install(|| Corpus::new(&analyzer, &texts.iter().copied().collect()));
        assert_eq!(again, corpus);
    }

    #[test]
    fn trap_28_special_tokens_are_plain_text_and_empty_texts_keep_their_row() {
        let corpus = corpus(&["<|endoftext|>", "", "[CLS] </s>", " \u{0}"]);
        assert_eq!(corpus.len(), 4);
        assert_eq!(corpus.doc(0), [corpus.id("endoftext").unwrap()]);
        assert!(corpus.doc(1).is_empty() && corpus.doc(3).is_empty());
        assert_eq!(corpus.doc(2).len(), 2);
    }
}
