//! The embedded annotator that has a sentence model: a concept holds of a text that is close enough in
//! meaning to its quoted phrases.

use hypothesaes_math::Matrix;
use hypothesaes_math::vector::{axpy, dot};
use rayon::prelude::*;

use super::wording::no_word;
use super::{Annotate, Annotations, Closeness, PhraseAnnotator, Wording};
use crate::Result;
use crate::data::Texts;
use crate::embed::Vectors;
use crate::text::{Analyzer, Language};
use crate::watch::Watch;

/// Texts whose vectors are held at a time.
const BLOCK: usize = 8192;

/// Judges meaning by vectors; concepts that say what is mentioned it judges as [`PhraseAnnotator`]
/// does.
pub struct MeaningAnnotator<'a> {
    phrases: PhraseAnnotator,
    analyzer: Analyzer,
    vectors: &'a Vectors<'a>,
}

/// A concept of meaning.
struct Near {
    /// Its number.
    concept: usize,
    /// Mean of its phrases' vectors: its product with a text's is the mean of the cosines.
    centre: Vec<f32>,
    least: Closeness,
}

impl<'a> MeaningAnnotator<'a> {
    /// An annotator of texts in `language`, whose vectors come from `vectors`.
    #[must_use]
    pub fn new(language: Language, vectors: &'a Vectors<'a>) -> Self {
        let (phrases, analyzer) = (PhraseAnnotator::new(language), Analyzer::new(language));
        Self { phrases, analyzer, vectors }
    }

    fn near(&self, concepts: &[String], watch: &dyn Watch) -> Result<Vec<Near>> {
        let mut near = Vec::new();
        for (concept, wording) in concepts.iter().enumerate() {
            if let Wording::Near(phrases, least) = Wording::read(wording)? {
                if phrases.iter().any(|phrase| self.analyzer.stems(phrase).is_empty()) {
                    return Err(no_word(wording));
                }
                let centre = mean(&self.vectors.of_phrases(&phrases, watch)?);
                near.push(Near { concept, centre, least });
            }
        }
        Ok(near)
    }
}

fn mean(x: &Matrix) -> Vec<f32> {
    let mut mean = vec![0.0; x.cols()];
    for i in 0..x.rows() {
        axpy(&mut mean, 1.0 / x.rows() as f32, x.row(i));
    }
    mean
}

impl Annotate for MeaningAnnotator<'_> {
    /// O(texts x concepts x dimensions), and the embedding of texts that are not known.
    fn annotate_where(
        &self,
        concepts: &[String],
        texts: &Texts,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
        watch: &dyn Watch,
    ) -> Result<Annotations> {
        let near = self.near(concepts, watch)?;
        let said: Vec<usize> =
            (0..concepts.len()).filter(|&c| near.iter().all(|n| n.concept != c)).collect();
        let wordings: Vec<String> = said.iter().map(|&c| concepts[c].clone()).collect();
        let of_said = |c: usize, i: usize| wanted(said[c], i);
        let found = self.phrases.annotate_where(&wordings, texts, &of_said, watch)?;
        let mut values = vec![Vec::new(); concepts.len()];
        said.iter().zip(found.values).for_each(|(&c, answers)| values[c] = answers);
        if near.is_empty() {
            return Annotations::new(texts.len(), values);
        }
        for start in (0..texts.len()).step_by(BLOCK) {
            watch.check()?;
            let rows: Vec<usize> = (start..texts.len().min(start + BLOCK)).collect();
            let x = self.vectors.of(&texts.gather(&rows), watch)?;
            for Near { concept, centre, least } in &near {
                let answer = |(i, row): (usize, &usize)| {
                    wanted(*concept, *row).then(|| Closeness::of(dot(x.row(i), centre)) >= *least)
                };
                values[*concept].par_extend(rows.par_iter().enumerate().map(answer));
            }
            watch.advance((near.len() * rows.len()) as u64);
        }
        Annotations::new(texts.len(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::vectors::tests::Words;
    use crate::watch::Unwatched;

    fn annotate(concepts: &[&str], texts: &[&str]) -> Result<Annotations> {
        let vectors = Vectors::by(Words, None);
        let concepts: Vec<String> = concepts.iter().map(|&concept| concept.into()).collect();
        let texts = texts.iter().copied().collect();
        MeaningAnnotator::new(Language::English, &vectors).annotate(&concepts, &texts, &Unwatched)
    }

    #[test]
    fn a_text_that_means_the_same_has_the_concept() {
        let got = annotate(
            &[
                r#"is close in meaning to "rude" (0.9)"#,
                r#"mentions "rude""#,
                r#"is close in meaning to "wait" and "soup" (0.6)"#,
            ],
            &["so impolite", "rude", "wait for soup", "wait", "unknown"],
        )
        .unwrap();
        let yes = |c: usize| got.concept(c).iter().map(|v| v.unwrap()).collect::<Vec<_>>();
        assert_eq!(yes(0), [true, true, false, false, false]);
        assert_eq!(yes(1), [false, true, false, false, false]);
        assert_eq!(yes(2), [false, false, true, false, false]);
    }

    #[test]
    fn only_what_is_wanted_is_answered() {
        let vectors = Vectors::by(Words, None);
        let annotator = MeaningAnnotator::new(Language::English, &vectors);
        let concepts =
            [r#"mentions "wait""#, r#"is close in meaning to "wait" (0.5)"#].map(String::from);
        let texts = ["wait", "queue"].into_iter().collect();
        let got = annotator.annotate_where(&concepts, &texts, &|c, i| c == i, &Unwatched).unwrap();
        assert_eq!(got.concepts(), [vec![Some(true), None], vec![None, Some(true)]]);
    }

    #[test]
    fn a_phrase_without_words_is_refused() {
        let message =
            annotate(&[r#"is close in meaning to "..." (0.5)"#], &["x"]).unwrap_err().to_string();
        assert!(message.contains("has no word"), "{message}");
    }
}
