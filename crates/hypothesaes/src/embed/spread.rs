//! In how many texts stems, pairs of stems and character n-grams occur, and which are worth
//! knowing.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::grams::each_gram;
use crate::text::Tokens;

/// Texts that must hold a thing, and how few texts make a single one enough.
const MIN_TEXTS: u32 = 2;
const FEW_TEXTS: usize = 100;

/// Things, numbered as they first occur, and the number of texts that hold each.
pub(super) struct Spread<T> {
    ids: FxHashMap<T, u32>,
    n_texts: Vec<u32>,
    /// The latest text that holds each, from 1.
    last: Vec<u32>,
}

/// The stems of the texts.
pub(super) fn stems(tokens: &Tokens) -> Spread<&str> {
    let mut spread = Spread::new();
    let stem_of: Vec<u32> =
        tokens.words.iter().map(|word| spread.number(word.stem.as_str())).collect();
    for (text, doc) in docs(tokens) {
        for &word in doc {
            spread.note(stem_of[word as usize], text);
        }
    }
    spread
}

/// The pairs of neighbouring stems; `stem_of` numbers the stem of each word, or leaves it out.
pub(super) fn pairs(tokens: &Tokens, stem_of: &[Option<u32>]) -> Spread<(u32, u32)> {
    let mut spread = Spread::new();
    for (text, doc) in docs(tokens) {
        for two in doc.windows(2) {
            if let (Some(a), Some(b)) = (stem_of[two[0] as usize], stem_of[two[1] as usize]) {
                let pair = spread.number((a, b));
                spread.note(pair, text);
            }
        }
    }
    spread
}

/// The n-grams of the words of the texts.
pub(super) fn grams(tokens: &Tokens) -> Spread<String> {
    let mut spread = Spread::new();
    let grams_of: Vec<Vec<u32>> = tokens
        .words
        .iter()
        .map(|word| {
            let mut grams = Vec::new();
            each_gram(&word.surface, |gram| grams.push(spread.number_of_str(gram)));
            grams
        })
        .collect();
    let mut seen_in = vec![0; tokens.words.len()];
    for (text, doc) in docs(tokens) {
        for &word in doc {
            if std::mem::replace(&mut seen_in[word as usize], text) != text {
                grams_of[word as usize].iter().for_each(|&gram| spread.note(gram, text));
            }
        }
    }
    spread
}

impl<T: Hash + Ord> Spread<T> {
    /// The things that enough of `n_texts` texts hold, the `max` most widespread at most, by rising
    /// name; each with its number of texts.
    pub fn most_widespread(self, max: usize, n_texts: usize) -> Vec<(T, u32)> {
        let min = if n_texts < FEW_TEXTS { 1 } else { MIN_TEXTS };
        let things = self.ids.into_iter().map(|(thing, id)| (thing, self.n_texts[id as usize]));
        let mut kept: Vec<(T, u32)> = things.filter(|&(_, n)| n >= min).collect();
        kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(max);
        kept.sort_unstable();
        kept
    }

    fn new() -> Self {
        Self { ids: FxHashMap::default(), n_texts: Vec::new(), last: Vec::new() }
    }

    fn number(&mut self, thing: T) -> u32 {
        let next = super::as_id(self.ids.len());
        let id = *self.ids.entry(thing).or_insert(next);
        if id == next {
            self.n_texts.push(0);
            self.last.push(0);
        }
        id
    }

    fn note(&mut self, id: u32, text: u32) {
        let last = &mut self.last[id as usize];
        if *last != text {
            *last = text;
            self.n_texts[id as usize] += 1;
        }
    }
}

impl Spread<String> {
    /// As `number`, but allocates only for what is new.
    fn number_of_str(&mut self, thing: &str) -> u32 {
        match self.ids.get(thing) {
            Some(&id) => id,
            None => self.number(thing.to_owned()),
        }
    }
}

/// The texts with their numbers, from 1.
fn docs(tokens: &Tokens) -> impl Iterator<Item = (u32, &[u32])> {
    (0..tokens.len()).map(|i| (super::as_id(i) + 1, tokens.doc(i)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Texts;
    use crate::text::{Analyzer, Language};

    fn tokens(texts: &[&str]) -> Tokens {
        let texts: Texts = texts.iter().copied().collect();
        let rows: Vec<usize> = (0..texts.len()).collect();
        Tokens::new(&Analyzer::new(Language::English), &texts, &rows)
    }

    #[test]
    fn counts_texts_not_occurrences() {
        let tokens = tokens(&["Wait wait waited", "no wait", ""]);
        assert_eq!(stems(&tokens).most_widespread(9, 3), [("no", 1), ("wait", 2)]);
        assert_eq!(stems(&tokens).most_widespread(1, 3), [("wait", 2)]);
        let stem_of: Vec<Option<u32>> =
            tokens.words.iter().map(|word| (word.stem == "wait").then_some(7)).collect();
        assert_eq!(pairs(&tokens, &stem_of).most_widespread(9, 3), [((7, 7), 1)]);
        let grams = grams(&tokens).most_widespread(1000, 3);
        assert!(grams.contains(&("<wait".into(), 2)) && grams.contains(&("ted>".into(), 1)));
    }

    #[test]
    fn what_only_one_of_many_texts_holds_is_left_out() {
        let mut texts = vec!["common"; FEW_TEXTS - 1];
        texts.push("common rare");
        let tokens = tokens(&texts);
        assert_eq!(stems(&tokens).most_widespread(9, FEW_TEXTS), [("common", 100)]);
    }
}
