//! The embedded annotator: a concept holds of a text that has any of its quoted phrases.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::wording::{no_meaning, no_word};
use super::{Annotate, Annotations, Wording};
use crate::Result;
use crate::data::Texts;
use crate::text::{Analyzer, Corpus, Language};
use crate::watch::Watch;

/// Texts analysed at a time, which bounds the memory beside the answers.
const BLOCK: usize = 8192;

/// Looks for phrases word by word, whatever their case, accents and inflection.
#[derive(Debug)]
pub struct PhraseAnnotator {
    analyzer: Analyzer,
}

/// The phrases of all concepts as stems, found by the first stem.
#[derive(Debug)]
struct Phrases {
    /// Phrases that begin with a stem: concept and stems.
    by_first: FxHashMap<String, Vec<(usize, Vec<String>)>>,
    n_concepts: usize,
}

impl PhraseAnnotator {
    /// An annotator of texts in `language`.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { analyzer: Analyzer::new(language) }
    }

    fn phrases(&self, concepts: &[String]) -> Result<Phrases> {
        let mut by_first = FxHashMap::<String, Vec<_>>::default();
        for (c, concept) in concepts.iter().enumerate() {
            let Wording::Mentions(phrases) = Wording::read(concept)? else {
                return Err(no_meaning(concept));
            };
            for phrase in phrases {
                let stems = self.analyzer.stems(&phrase);
                let first = stems.first().ok_or_else(|| no_word(concept))?;
                by_first.entry(first.clone()).or_default().push((c, stems));
            }
        }
        Ok(Phrases { by_first, n_concepts: concepts.len() })
    }
}

impl Annotate for PhraseAnnotator {
    /// O(words of the texts); exact, hence nothing is ever missing.
    fn annotate_where(
        &self,
        concepts: &[String],
        texts: &Texts,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
        watch: &dyn Watch,
    ) -> Result<Annotations> {
        let phrases = self.phrases(concepts)?;
        let mut values = vec![Vec::with_capacity(texts.len()); concepts.len()];
        for start in (0..texts.len()).step_by(BLOCK) {
            watch.check()?;
            let rows: Vec<usize> = (start..texts.len().min(start + BLOCK)).collect();
            for found in phrases.find(&Corpus::new(&self.analyzer, &texts.gather(&rows))) {
                for (c, (answers, found)) in values.iter_mut().zip(found).enumerate() {
                    answers.push(wanted(c, answers.len()).then_some(found));
                }
            }
            watch.advance((concepts.len() * rows.len()) as u64);
        }
        Annotations::new(texts.len(), values)
    }
}

impl Phrases {
    /// For every text of `corpus`, whether it has each concept.
    fn find(&self, corpus: &Corpus) -> Vec<Vec<bool>> {
        let mut by_first = FxHashMap::<u32, Vec<(usize, Vec<u32>)>>::default();
        for (first, phrases) in &self.by_first {
            let Some(first) = corpus.id(first) else { continue };
            // A phrase with a stem that no text of the block has is in none of them.
            let known = phrases.iter().filter_map(|(c, stems)| {
                let ids = stems.iter().map(|stem| corpus.id(stem)).collect::<Option<Vec<_>>>()?;
                Some((*c, ids))
            });
            by_first.insert(first, known.collect());
        }
        let find = |i: usize| {
            let mut found = vec![false; self.n_concepts];
            let doc = corpus.doc(i);
            for at in 0..doc.len() {
                for (c, stems) in by_first.get(&doc[at]).into_iter().flatten() {
                    found[*c] = found[*c] || doc[at..].starts_with(stems);
                }
            }
            found
        };
        (0..corpus.len()).into_par_iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    fn annotate(concepts: &[&str], texts: &[&str]) -> Result<Annotations> {
        let concepts: Vec<String> = concepts.iter().map(|&concept| concept.into()).collect();
        let texts = texts.iter().copied().collect();
        PhraseAnnotator::new(Language::English).annotate(&concepts, &texts, &Unwatched)
    }

    fn check(concept: &str, yes: &[&str], no: &[&str]) {
        for (texts, expected) in [(yes, true), (no, false)] {
            let got = annotate(&[concept], texts).unwrap();
            for (text, answer) in texts.iter().zip(got.concept(0)) {
                assert_eq!(*answer, Some(expected), "{concept} in {text:?}");
            }
        }
    }

    #[test]
    fn case_accents_and_inflection_do_not_matter() {
        check(
            r#"mentions "waited" or "café""#,
            &["WAITING!", "a long wait", "Cafe.", "the CAFÉS", "cafe\u{301}"],
            &["waiter", "", "await", "decaf"],
        );
    }

    #[test]
    fn the_words_of_a_phrase_stand_side_by_side() {
        check(
            r#"mentions "will never return""#,
            &["We will never return.", "will, never; returned", "will will never return"],
            &["never return", "will never ever return", "return never will", "will never"],
        );
    }

    #[test]
    fn each_concept_answers_for_itself() {
        let got = annotate(
            &[r#"mentions "a""#, r#"mentions "b" or "a c""#, r#"mentions "unheard of""#],
            &["a c", "b", ""],
        )
        .unwrap();
        assert_eq!(got.concept(0), [Some(true), Some(false), Some(false)]);
        assert_eq!(got.concept(1), [Some(true), Some(true), Some(false)]);
        assert_eq!(got.concept(2), [Some(false); 3]);
    }

    #[test]
    fn blocks_and_threads_do_not_show() {
        let texts: Vec<String> = (0..BLOCK + 3).map(|i| format!("w{} rest", i % 7)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let run = || annotate(&[r#"mentions "w3 rest""#], &texts).unwrap();
        let got = run();
        for (i, answer) in got.concept(0).iter().enumerate() {
            assert_eq!(*answer, Some(i % 7 == 3), "text {i}");
        }
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(run), got);
    }

    #[test]
    fn meaning_is_not_guessed() {
        let near = r#"is close in meaning to "slow" (0.2)"#;
        let message = annotate(&[near], &["x"]).unwrap_err().to_string();
        assert!(message.contains("--annotator meaning"), "{message}");
    }

    #[test]
    fn a_phrase_without_words_is_refused() {
        let message = annotate(&[r#"mentions "good" or " ... ""#], &["x"]).unwrap_err().to_string();
        assert!(message.contains("has no word"), "{message}");
        assert!(annotate(&["is about waiting"], &[]).is_err());
    }
}
