//! The wording of a rule in words that people wrote, not in stems.

use std::collections::BTreeMap;

use super::index::PhraseIndex;
use crate::annotate::write_wording;
use crate::data::Texts;
use crate::text::{Analyzer, Corpus};

/// In how many texts a phrase of several words is looked up.
const LOOK_UPS: usize = 200;
/// A second form of a word is quoted if it makes up this share of its uses.
const SECOND_FORM: f64 = 1.0 / 3.0;

/// Indexed texts, to look up how a phrase was written.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) analyzer: &'a Analyzer,
    pub(super) corpus: &'a Corpus,
    pub(super) index: &'a PhraseIndex,
    pub(super) texts: &'a Texts,
    /// Rows of the indexed texts.
    pub(super) rows: &'a [usize],
}

impl Written<'_> {
    /// The concept of a rule: its phrases as most often written, and for a single word also its
    /// second form where that is frequent. `None` if no phrase can be quoted.
    ///
    /// Every quoted form reads back as the stems of its phrase, so that the wording means exactly
    /// the rule; a phrase with no such form is left out.
    pub(super) fn concept(&self, rule: &[u32]) -> Option<String> {
        let forms: Vec<String> = rule.iter().flat_map(|&phrase| self.forms(phrase)).collect();
        (!forms.is_empty()).then(|| write_wording(forms))
    }

    fn forms(&self, phrase: u32) -> Vec<String> {
        let stems = self.index.stems(phrase);
        let mut forms = match stems {
            [stem] => self.corpus.surfaces(*stem).to_vec(),
            _ => self.look_up(phrase),
        };
        let all: u32 = forms.iter().map(|(_, count)| count).sum();
        forms.retain(|(form, _)| self.reads_as(form, stems));
        let second = stems.len() == 1
            && forms.get(1).is_some_and(|(_, n)| f64::from(*n) >= SECOND_FORM * f64::from(all));
        forms.into_iter().take(1 + usize::from(second)).map(|(form, _)| form).collect()
    }

    fn reads_as(&self, form: &str, stems: &[u32]) -> bool {
        let read = self.analyzer.stems(form);
        read.iter().map(String::as_str).eq(stems.iter().map(|&stem| self.corpus.stem(stem)))
    }

    /// How the first texts that have `phrase` write it, most frequent first, then by alphabet.
    fn look_up(&self, phrase: u32) -> Vec<(String, u32)> {
        let stems = self.index.stems(phrase);
        let with = (0..self.corpus.len())
            .filter(|&i| self.index.phrases(i).binary_search(&phrase).is_ok());
        let mut counts = BTreeMap::<String, u32>::new();
        for i in with.take(LOOK_UPS) {
            let mut words = Vec::new();
            self.analyzer.each_word(self.texts.get(self.rows[i]), |word| words.push(word));
            let at = self.corpus.doc(i).windows(stems.len()).position(|window| window == stems);
            let Some(found) = at.and_then(|at| words.get(at..at + stems.len())) else { continue };
            let form: Vec<String> =
                found.iter().map(|word| self.analyzer.word(word).surface).collect();
            *counts.entry(form.join(" ")).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpret::InterpretOptions;
    use crate::text::Language;

    /// The concept of a rule given in stems, after the texts.
    fn check(texts: &[&str], rule: &[&[&str]], expected: &str) {
        let texts: Texts = texts.iter().copied().collect();
        let analyzer = Analyzer::new(Language::English);
        let corpus = Corpus::new(&analyzer, &texts);
        let options = InterpretOptions { min_phrase_texts: 1, ..Default::default() };
        let index = PhraseIndex::new(&corpus, &options);
        let rows: Vec<usize> = (0..texts.len()).collect();
        let phrase = |stems: &&[&str]| -> u32 {
            let ids: Vec<u32> = stems.iter().map(|stem| corpus.id(stem).unwrap()).collect();
            (0u32..).take(index.len()).find(|&phrase| index.stems(phrase) == ids).unwrap()
        };
        let rule: Vec<u32> = rule.iter().map(phrase).collect();
        let written = Written {
            analyzer: &analyzer,
            corpus: &corpus,
            index: &index,
            texts: &texts,
            rows: &rows,
        };
        assert_eq!(written.concept(&rule).unwrap(), expected);
    }

    #[test]
    fn words_are_quoted_as_people_wrote_them() {
        check(&["Waited.", "waited", "wait", "waiting"], &[&["wait"]], r#"mentions "waited""#);
        check(&["Waited.", "wait"], &[&["wait"]], r#"mentions "wait" or "waited""#);
        check(
            &["the staff were friendly and helpful", "friendly, and helpful", "friends"],
            &[&["friend", "and", "help"], &["staff"]],
            r#"mentions "friendly and helpful" or "staff""#,
        );
        check(&["Café", "cafe", "café", "café"], &[&["cafe"]], r#"mentions "café""#);
    }

    #[test]
    fn nothing_to_quote_is_no_concept() {
        let (analyzer, texts) = (Analyzer::new(Language::English), Texts::default());
        let corpus = Corpus::new(&analyzer, &texts);
        let index = PhraseIndex::new(&corpus, &InterpretOptions::default());
        let written = Written {
            analyzer: &analyzer,
            corpus: &corpus,
            index: &index,
            texts: &texts,
            rows: &[],
        };
        assert_eq!(written.concept(&[]), None);
    }
}
