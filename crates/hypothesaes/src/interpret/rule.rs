//! A rule for a neuron: the few phrases whose mention agrees best with it.
//!
//! In go the evidence and the index of phrases, out come phrases. How good the rule is on other
//! texts, and how it is worded, are not here.

use rustc_hash::FxHashMap;

use super::evidence::Evidence;
use super::index::PhraseIndex;
use super::log_odds::log_odds;

/// How many phrases, best by log-odds, are tried.
const CANDIDATES: usize = 200;
/// A phrase is added if it betters the agreement by this share at least.
pub(super) const LEAST_GAIN: f64 = 0.01;
/// 0.5 would be the correlation. A smaller power favours rules that hold of more texts: these
/// carry over better, and tell more of the target.
const POWER: f64 = 0.4;

/// At most `max_phrases` phrases, in the order in which they were added; a text fits the rule if it
/// has any of them.
///
/// The 200 phrases with the highest log-odds are tried. Greedily, the phrase is added that most
/// raises the agreement of the rule r (0 or 1) with the [`Evidence::target`] t (mean 0):
///
/// mean(r t) / (p (1 - p))^0.4, p = mean(r),
///
/// all means weighted, until none raises it by 1 %. O(`max_phrases` x occurrences of the
/// candidates); sums run in the order of the texts and ties go to the phrase with the higher
/// log-odds, hence one result on every machine.
pub(super) fn rule(evidence: &Evidence, index: &PhraseIndex, max_phrases: usize) -> Vec<u32> {
    let candidates = candidates(evidence, index);
    let texts = texts_with(&candidates, evidence, index);
    let target = evidence.target(index);
    let total = evidence.weight();
    let mut covered = vec![false; target.len()];
    let (mut cover, mut best) = (Cover::default(), 0.0);
    let mut rule = Vec::new();
    while rule.len() < max_phrases {
        let wider = |with: &Vec<usize>| cover.with(with, &covered, evidence, &target);
        let Some((c, wider, agreement)) = best_of(texts.iter().map(wider), total) else { break };
        if agreement <= best * (1.0 + LEAST_GAIN) {
            break;
        }
        (cover, best) = (wider, agreement);
        texts[c].iter().for_each(|&i| covered[i] = true);
        rule.push(candidates[c]);
    }
    rule
}

/// Whether each text of `evidence` has any phrase of `rule`.
pub(super) fn fits(rule: &[u32], evidence: &Evidence, index: &PhraseIndex) -> Vec<bool> {
    let has = |text| rule.iter().any(|phrase| index.phrases(text).binary_search(phrase).is_ok());
    evidence.texts.iter().map(|t| has(t.text)).collect()
}

/// The phrases that go most clearly with firing, best first.
fn candidates(evidence: &Evidence, index: &PhraseIndex) -> Vec<u32> {
    let scores = log_odds(&evidence.counts(index, |_| true));
    let mut ranked: Vec<(u32, f64)> =
        (0u32..).zip(scores).filter(|(_, score)| *score > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(CANDIDATES);
    ranked.into_iter().map(|(phrase, _)| phrase).collect()
}

/// For each candidate the places in `evidence` of the texts that have it.
fn texts_with(candidates: &[u32], evidence: &Evidence, index: &PhraseIndex) -> Vec<Vec<usize>> {
    let numbers: FxHashMap<u32, usize> = candidates.iter().copied().zip(0..).collect();
    let mut texts = vec![Vec::new(); candidates.len()];
    for (i, t) in evidence.texts.iter().enumerate() {
        for phrase in index.phrases(t.text) {
            if let Some(&c) = numbers.get(phrase) {
                texts[c].push(i);
            }
        }
    }
    texts
}

/// The texts that fit a rule: their weight, and the sum of weight x target.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cover {
    pub(super) weight: f64,
    pub(super) product: f64,
}

impl Cover {
    /// With the texts `with` a phrase that are not covered yet.
    fn with(self, with: &[usize], covered: &[bool], evidence: &Evidence, target: &[f64]) -> Self {
        with.iter().filter(|&&i| !covered[i]).fold(self, |cover, &i| {
            let weight = evidence.texts[i].weight;
            Self { weight: cover.weight + weight, product: cover.product + weight * target[i] }
        })
    }

    /// `None` if the rule holds of no text or of every one.
    pub(super) fn agreement(self, total: f64) -> Option<f64> {
        let share = self.weight / total;
        let spread = share * (1.0 - share);
        (spread > 0.0).then(|| self.product / total / spread.powf(POWER))
    }
}

/// The cover that agrees most, its place, and its agreement; the first of equals.
fn best_of(covers: impl Iterator<Item = Cover>, total: f64) -> Option<(usize, Cover, f64)> {
    let agreeing =
        covers.enumerate().filter_map(|(c, cover)| Some((c, cover, cover.agreement(total)?)));
    agreeing.reduce(|best, next| if next.2 > best.2 { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Texts;
    use crate::interpret::InterpretOptions;
    use crate::interpret::evidence::Sampled;
    use crate::interpret::sample::Half;
    use crate::text::{Analyzer, Corpus, Language};

    /// The rule for texts given with their activations, in stems.
    fn check(texts: &[(&str, f64)], max_phrases: usize, expected: &[&str]) {
        let all: Texts = texts.iter().map(|(text, _)| *text).collect();
        let corpus = Corpus::new(&Analyzer::new(Language::English), &all);
        let options =
            InterpretOptions { min_phrase_texts: 1, max_phrase_words: 1, ..Default::default() };
        let index = PhraseIndex::new(&corpus, &options);
        let sampled = texts.iter().enumerate().map(|(text, &(_, activation))| {
            let half = if text % 2 == 0 { Half::First } else { Half::Second };
            Sampled { text, activation, weight: 1.0, half }
        });
        let evidence = Evidence { texts: sampled.collect() };
        let rule = rule(&evidence, &index, max_phrases);
        let words = rule.iter().map(|&phrase| corpus.stem(index.stems(phrase)[0]));
        assert_eq!(words.collect::<Vec<_>>(), expected);
        let fits = fits(&rule, &evidence, &index);
        for (&(text, _), fits) in texts.iter().zip(fits) {
            assert_eq!(fits, expected.iter().any(|word| text.contains(word)), "{text}");
        }
    }

    fn repeated(texts: &[(&'static str, f64)]) -> Vec<(&'static str, f64)> {
        texts.iter().flat_map(|&text| [text; 6]).collect()
    }

    #[test]
    fn phrases_are_added_until_they_gain_nothing() {
        let texts = repeated(&[("x a", 2.0), ("x b", 1.0), ("x c", 0.0), ("x d", 0.0)]);
        check(&texts, 6, &["a", "b"]);
        check(&texts, 1, &["a"]);
    }

    #[test]
    fn a_phrase_that_adds_no_text_is_left_out() {
        check(&repeated(&[("a b", 1.0), ("a", 1.0), ("c", 0.0), ("d", 0.0)]), 6, &["a"]);
    }

    #[test]
    fn a_phrase_of_all_texts_tells_nothing() {
        check(&repeated(&[("x", 1.0), ("x", 0.0)]), 6, &[]);
        check(&repeated(&[("x", 1.0)]), 6, &[]);
        check(&[], 6, &[]);
    }
}
