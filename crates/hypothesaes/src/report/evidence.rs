//! The places of a text that speak for a concept.

use serde::Serialize;

use crate::annotate::Wording;
use crate::text::{Analyzer, Language};

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Piece {
    pub text: String,
    /// Whether a phrase of the concept is there.
    pub is_evidence: bool,
}

/// What is looked for, as stems: the phrases that a concept quotes, or the words that it is made of.
pub(super) struct Phrases(Vec<Vec<String>>);

impl Phrases {
    /// Of a concept in free words, those with a meaning of their own, but for its first, the verb that
    /// says what a text does, as in `mentions a refund`.
    pub(super) fn of(concept: &str, analyzer: &Analyzer, language: Language) -> Self {
        let looked_for = if let Ok(wording) = Wording::read(concept) {
            wording.phrases().to_vec()
        } else {
            let idle = language.function_words();
            let words = words_of(concept, analyzer).into_iter().skip(1);
            words.filter(|word| !idle.contains(&word.to_lowercase().as_str())).collect()
        };
        let stems = looked_for.iter().map(|phrase| analyzer.stems(phrase));
        Self(stems.filter(|stems| !stems.is_empty()).collect())
    }

    /// The text in pieces, those that hold a phrase marked.
    pub(super) fn pieces(&self, text: &str, analyzer: &Analyzer) -> Vec<Piece> {
        let mut words: Vec<(usize, usize, String)> = Vec::new();
        if !self.0.is_empty() {
            analyzer.each_word(text, |word| {
                let start = word.as_ptr() as usize - text.as_ptr() as usize;
                words.push((start, start + word.len(), analyzer.word(word).stem));
            });
        }
        let (mut pieces, mut done, mut at) = (Vec::new(), 0, 0);
        while at < words.len() {
            let Some(length) = self.longest(&words[at..]) else {
                at += 1;
                continue;
            };
            let (start, end) = (words[at].0, words[at + length - 1].1);
            push(&mut pieces, &text[done..start], false);
            push(&mut pieces, &text[start..end], true);
            (done, at) = (end, at + length);
        }
        push(&mut pieces, &text[done..], false);
        pieces
    }

    /// Words of the longest phrase that these words begin with.
    fn longest(&self, words: &[(usize, usize, String)]) -> Option<usize> {
        let begins = |phrase: &&Vec<String>| {
            phrase.len() <= words.len() && phrase.iter().zip(words).all(|(a, b)| *a == b.2)
        };
        self.0.iter().filter(begins).map(Vec::len).max()
    }
}

fn words_of(text: &str, analyzer: &Analyzer) -> Vec<String> {
    let mut words = Vec::new();
    analyzer.each_word(text, |word| words.push(word.to_owned()));
    words
}

fn push(pieces: &mut Vec<Piece>, text: &str, is_evidence: bool) {
    if !text.is_empty() {
        pieces.push(Piece { text: text.into(), is_evidence });
    }
}
