//! The texts of an embedded interpreter, and its phrases in words that people wrote, not in stems.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::InterpretOptions;
use super::index::PhraseIndex;
use crate::data::Texts;
use crate::text::{Analyzer, Corpus, Language};

/// In how many texts a phrase of several words is looked up.
const LOOK_UPS: u32 = 200;
/// A second form of a word is quoted if it makes up this share of its uses.
const SECOND_FORM: f64 = 1.0 / 3.0;

/// Texts whose phrases are indexed, to look up how a phrase was written.
#[derive(Debug)]
pub(super) struct Indexed<'a> {
    pub(super) analyzer: Analyzer,
    pub(super) corpus: Corpus,
    pub(super) index: PhraseIndex,
    texts: &'a Texts,
    /// Rows of the indexed texts, rising.
    rows: &'a [usize],
}

/// Forms of a phrase and how often each was found, most frequent first.
type Forms = Vec<(String, u32)>;

impl<'a> Indexed<'a> {
    /// Indexes the phrases of `texts` at `rows`, which rise. O(words of the texts), in parallel.
    pub(super) fn new(
        language: Language,
        texts: &'a Texts,
        rows: &'a [usize],
        options: &InterpretOptions,
    ) -> Self {
        let analyzer = Analyzer::new(language);
        let corpus = Corpus::new(&analyzer, &texts.gather(rows));
        let index = PhraseIndex::new(&corpus, options);
        Self { analyzer, corpus, index, texts, rows }
    }

    /// The number of a row among the indexed texts.
    pub(super) fn place(&self, row: usize) -> Option<usize> {
        self.rows.binary_search(&row).ok()
    }

    /// The row of an indexed text.
    pub(super) fn row(&self, place: usize) -> usize {
        self.rows[place]
    }

    /// How the phrases of a rule are quoted: as most often written, and a single word also in its second
    /// form where that is frequent.
    ///
    /// Every quoted form reads back as the stems of its phrase, so that the wording means exactly
    /// the rule; a phrase with no such form is left out.
    pub(super) fn quoted(&self, rule: &[u32]) -> Vec<String> {
        let forms = rule.iter().zip(self.forms(rule));
        let quoted = forms.flat_map(|(&phrase, forms)| {
            let all: u32 = forms.iter().map(|(_, count)| count).sum();
            let readable = self.readable(phrase, forms);
            let second = self.index.stems(phrase).len() == 1
                && readable.get(1).is_some_and(|f| f64::from(f.1) >= SECOND_FORM * f64::from(all));
            readable.into_iter().take(1 + usize::from(second)).map(|(form, _)| form)
        });
        quoted.collect()
    }

    /// Each phrase as it is most often written, `None` where no form reads back as its stems.
    pub(super) fn written(&self, phrases: &[u32]) -> Vec<Option<String>> {
        let forms = phrases.iter().zip(self.forms(phrases));
        let first = |(&phrase, forms)| Some(self.readable(phrase, forms).into_iter().next()?.0);
        forms.map(first).collect()
    }

    fn readable(&self, phrase: u32, mut forms: Forms) -> Forms {
        let stems = self.index.stems(phrase);
        forms.retain(|(form, _)| {
            let read = self.analyzer.stems(form);
            read.iter().map(String::as_str).eq(stems.iter().map(|&stem| self.corpus.stem(stem)))
        });
        forms
    }

    /// The forms of each phrase: of words in all texts, of several words in the first that have them.
    fn forms(&self, phrases: &[u32]) -> Vec<Forms> {
        let several = |p: &&u32| self.index.stems(**p).len() > 1;
        let mut found = self.look_up(phrases.iter().filter(several).copied());
        let of = |phrase: &u32| {
            if let [stem] = self.index.stems(*phrase) {
                return self.corpus.surfaces(*stem).to_vec();
            }
            let mut forms: Forms = found.remove(phrase).unwrap_or_default().into_iter().collect();
            forms.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            forms
        };
        phrases.iter().map(of).collect()
    }

    /// How the first texts that have each of `phrases` write it, by alphabet.
    fn look_up(&self, phrases: impl Iterator<Item = u32>) -> FxHashMap<u32, BTreeMap<String, u32>> {
        let mut found: FxHashMap<u32, BTreeMap<String, u32>> =
            phrases.map(|phrase| (phrase, BTreeMap::new())).collect();
        let mut left: FxHashMap<u32, u32> =
            found.keys().map(|&phrase| (phrase, LOOK_UPS)).collect();
        for i in 0..self.corpus.len() {
            if left.is_empty() {
                break;
            }
            let here = self.index.phrases(i).iter().filter(|phrase| left.contains_key(phrase));
            let here: Vec<u32> = here.copied().collect();
            if here.is_empty() {
                continue;
            }
            let mut words = Vec::new();
            self.analyzer.each_word(self.texts.get(self.rows[i]), |word| words.push(word));
            for phrase in here {
                if let Some(form) = self.form(i, &words, phrase) {
                    *found.entry(phrase).or_default().entry(form).or_default() += 1;
                }
                let left_of = left.entry(phrase).or_default();
                *left_of -= 1;
                if *left_of == 0 {
                    left.remove(&phrase);
                }
            }
        }
        found
    }

    /// How text `i`, of these words, writes a phrase that it has.
    fn form(&self, i: usize, words: &[&str], phrase: u32) -> Option<String> {
        let stems = self.index.stems(phrase);
        let at = self.corpus.doc(i).windows(stems.len()).position(|window| window == stems)?;
        let found = words.get(at..at + stems.len())?;
        let form: Vec<String> = found.iter().map(|word| self.analyzer.word(word).surface).collect();
        Some(form.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a rule, given in stems, is quoted after the texts.
    fn check(texts: &[&str], rule: &[&[&str]], expected: &[&str]) {
        let texts: Texts = texts.iter().copied().collect();
        let options = InterpretOptions { min_phrase_texts: 1, ..Default::default() };
        let rows: Vec<usize> = (0..texts.len()).collect();
        let indexed = Indexed::new(Language::English, &texts, &rows, &options);
        let phrase = |stems: &&[&str]| -> u32 {
            let ids: Vec<u32> = stems.iter().map(|stem| indexed.corpus.id(stem).unwrap()).collect();
            let all = (0u32..).take(indexed.index.len());
            all.into_iter().find(|&phrase| indexed.index.stems(phrase) == ids).unwrap()
        };
        let rule: Vec<u32> = rule.iter().map(phrase).collect();
        assert_eq!(indexed.quoted(&rule), expected);
        let first = indexed.written(&rule);
        assert_eq!(first[0].as_deref(), expected.first().copied());
    }

    #[test]
    fn words_are_quoted_as_people_wrote_them() {
        check(&["Waited.", "waited", "wait", "waiting"], &[&["wait"]], &["waited"]);
        check(&["Waited.", "wait"], &[&["wait"]], &["wait", "waited"]);
        check(
            &["the staff were friendly and helpful", "friendly, and helpful", "friends"],
            &[&["friend", "and", "help"], &["staff"]],
            &["friendly and helpful", "staff"],
        );
        check(&["Café", "cafe", "café", "café"], &[&["cafe"]], &["café"]);
    }
}
