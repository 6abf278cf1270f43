//! Texts as sequences of numbered words.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Analyzer, Word, as_id};
use crate::data::Texts;

/// Texts a worker takes at a time. Fixed, so that numbers do not depend on the number of threads.
const CHUNK: usize = 512;

/// Texts as sequences of distinct words, numbered from 0 as they first occur.
pub(crate) struct Tokens {
    /// The words; no two have the same surface.
    pub words: Vec<Word>,
    pub docs: Vec<u32>,
    /// Where each text ends in `docs`.
    pub ends: Vec<usize>,
}

/// Texts as sequences of words as written.
#[derive(Default)]
struct Written<'a> {
    words: Vec<&'a str>,
    docs: Vec<u32>,
    ends: Vec<usize>,
}

impl Tokens {
    /// Splits and analyses the texts of these rows, in parallel; each distinct word once.
    pub fn new(analyzer: &Analyzer, texts: &Texts, rows: &[usize]) -> Self {
        let chunks: Vec<Written> =
            rows.par_chunks(CHUNK).map(|rows| Written::new(analyzer, texts, rows)).collect();
        let Written { words, mut docs, ends } = Written::joined(chunks);
        let analysed: Vec<Word> = words.par_iter().map(|word| analyzer.word(word)).collect();
        let (number_of, words) = by_surface(analysed);
        docs.par_iter_mut().for_each(|word| *word = number_of[*word as usize]);
        Self { words, docs, ends }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The words of text `i` in order.
    pub fn doc(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.docs[start..self.ends[i]]
    }
}

impl<'a> Written<'a> {
    fn new(analyzer: &Analyzer, texts: &'a Texts, rows: &[usize]) -> Self {
        let mut ids = FxHashMap::default();
        let mut written = Self::default();
        for &row in rows {
            analyzer.each_word(texts.get(row), |word| {
                written.docs.push(number(word, &mut ids, &mut written.words));
            });
            written.ends.push(written.docs.len());
        }
        written
    }

    fn joined(chunks: Vec<Self>) -> Self {
        let mut ids = FxHashMap::default();
        let mut all = Self::default();
        all.docs.reserve_exact(chunks.iter().map(|chunk| chunk.docs.len()).sum());
        for chunk in chunks {
            let words = chunk.words.into_iter();
            let common: Vec<u32> = words.map(|w| number(w, &mut ids, &mut all.words)).collect();
            let base = all.docs.len();
            all.docs.extend(chunk.docs.iter().map(|&word| common[word as usize]));
            all.ends.extend(chunk.ends.iter().map(|end| base + end));
        }
        all
    }
}

/// The number of `word`, a new one if it has none yet.
fn number<'a>(word: &'a str, ids: &mut FxHashMap<&'a str, u32>, words: &mut Vec<&'a str>) -> u32 {
    *ids.entry(word).or_insert_with(|| {
        words.push(word);
        as_id(words.len() - 1)
    })
}

/// Words that were written differently but have the same surface become one.
fn by_surface(analysed: Vec<Word>) -> (Vec<u32>, Vec<Word>) {
    let mut ids = FxHashMap::<String, u32>::default();
    let mut words = Vec::new();
    let number_of = analysed.into_iter().map(|word| {
        if let Some(&id) = ids.get(&word.surface) {
            return id;
        }
        let id = as_id(words.len());
        ids.insert(word.surface.clone(), id);
        words.push(word);
        id
    });
    (number_of.collect(), words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn words_are_numbered_as_they_first_occur_whatever_the_chunks() {
        let texts: Vec<String> = (0..2 * CHUNK + 7).map(|i| format!("w{} All", i / 3)).collect();
        let texts: Texts = texts.iter().map(String::as_str).collect();
        let rows: Vec<usize> = (0..texts.len()).rev().collect();
        let tokens = Tokens::new(&Analyzer::new(Language::English), &texts, &rows);
        assert_eq!(tokens.len(), rows.len());
        let mut newest = 0;
        for (i, &row) in rows.iter().enumerate() {
            let words = tokens.doc(i).iter().map(|&word| &tokens.words[word as usize]);
            let surfaces: Vec<&str> = words.map(|word| word.surface.as_str()).collect();
            assert_eq!(surfaces.join(" "), texts.get(row).to_lowercase());
            for &word in tokens.doc(i) {
                assert!(word <= newest);
                newest = newest.max(word + 1);
            }
        }
    }
}
