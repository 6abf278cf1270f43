//! Many texts as sequences of numbered stems.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::tokens::Tokens;
use super::{Analyzer, Word, as_id};
use crate::data::Texts;

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

impl Corpus {
    /// Analyses all texts, in parallel. Each distinct word is stemmed once.
    #[must_use]
    pub fn new(analyzer: &Analyzer, texts: &Texts) -> Self {
        let rows: Vec<usize> = (0..texts.len()).collect();
        let Tokens { words, mut docs, ends } = Tokens::new(analyzer, texts, &rows);
        let mut counts = vec![0_u32; words.len()];
        for &word in &docs {
            counts[word as usize] = counts[word as usize].saturating_add(1);
        }
        let mut corpus = Self { ends, ..Self::default() };
        let stem_of: Vec<u32> =
            words.into_iter().zip(counts).map(|(word, n)| corpus.intern(word, n)).collect();
        docs.par_iter_mut().for_each(|word| *word = stem_of[*word as usize]);
        corpus.docs = docs;
        for Stem { surfaces, .. } in &mut corpus.stems {
            surfaces.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        }
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

    /// The id of a word's stem, a new one if it has none yet; notes the surface.
    fn intern(&mut self, word: Word, count: u32) -> u32 {
        let id = *self.ids.entry(word.stem).or_insert_with_key(|stem| {
            self.stems.push(Stem { stem: stem.clone(), surfaces: Vec::new() });
            as_id(self.stems.len() - 1)
        });
        self.stems[id as usize].surfaces.push((word.surface, count));
        id
    }
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
    fn every_text_has_its_own_stems_whatever_the_threads() {
        let texts: Texts = ["New words here", "here, NEWER words", "wörds"].into_iter().collect();
        let texts = texts.gather(&(0..3000).map(|i| i % 3).collect::<Vec<_>>());
        let analyzer = Analyzer::new(Language::English);
        let corpus = Corpus::new(&analyzer, &texts);
        for (i, text) in texts.iter().enumerate() {
            let ids: Vec<u32> =
                analyzer.stems(text).iter().map(|stem| corpus.id(stem).unwrap()).collect();
            assert_eq!(corpus.doc(i), ids);
        }
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(|| Corpus::new(&analyzer, &texts)), corpus);
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
