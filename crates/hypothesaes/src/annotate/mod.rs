//! Which concept holds of which text.
//!
//! In go concepts by their wording alone and texts, out come the [`Annotations`]: yes, no or
//! missing for every pair. An [`Annotate`] knows nothing of neurons or of the target, so that a
//! language model can stand in for the embedded [`PhraseAnnotator`]. Statistics come later.

mod phrases;
mod table;
mod wording;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Texts;
use crate::text::Language;
use crate::watch::Watch;

pub use phrases::PhraseAnnotator;
pub use wording::{read_wording, write_wording};

/// Goes up with every change that makes equal input and options give other results.
pub const VERSION: u32 = 1;

/// How concepts are looked for in texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnnotateOptions {
    /// Who annotates: `phrases`, the embedded annotator.
    pub annotator: Annotator,
}

/// Who annotates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Annotator {
    /// Looks for the quoted phrases of a concept such as `mentions "wait" or "minutes"`.
    #[default]
    Phrases,
}

/// Decides for every concept and text whether the one is true of the other.
pub trait Annotate: Sync {
    /// Annotates every text with every concept. Equal concepts and equal texts keep their own rows
    /// and columns; an answer that could not be had is `None`, never an error.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for a concept this annotator cannot read; [`crate::Error::Interrupted`].
    fn annotate(
        &self,
        concepts: &[String],
        texts: &Texts,
        watch: &dyn Watch,
    ) -> Result<Annotations>;
}

/// Concepts x texts: yes, no, or `None` where the answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    n_texts: usize,
    values: Vec<Vec<Option<bool>>>,
}

impl AnnotateOptions {
    /// # Errors
    /// None so far: every value that can be written is allowed.
    pub fn check(&self) -> Result<()> {
        match self.annotator {
            Annotator::Phrases => Ok(()),
        }
    }
}

impl Annotations {
    /// From one list of answers per concept.
    ///
    /// # Errors
    /// [`crate::Error::Math`] if a concept does not have one answer per text.
    pub fn new(n_texts: usize, values: Vec<Vec<Option<bool>>>) -> Result<Self> {
        for answers in &values {
            hypothesaes_math::Error::check_len("annotations", answers.len(), n_texts)?;
        }
        Ok(Self { n_texts, values })
    }

    /// Number of concepts.
    #[must_use]
    pub fn n_concepts(&self) -> usize {
        self.values.len()
    }

    /// Number of texts.
    #[must_use]
    pub fn n_texts(&self) -> usize {
        self.n_texts
    }

    /// The answers for concept `c`, one per text.
    #[must_use]
    pub fn concept(&self, c: usize) -> &[Option<bool>] {
        &self.values[c]
    }

    /// How many answers are missing.
    #[must_use]
    pub fn n_missing(&self) -> usize {
        self.values.iter().flatten().filter(|answer| answer.is_none()).count()
    }
}

/// Annotates `texts` with `concepts`, says how it went, and checks what came back.
///
/// # Errors
/// Those of the annotator; [`crate::Error::Math`] if it did not answer for every pair.
pub fn annotate(
    annotator: &dyn Annotate,
    concepts: &[String],
    texts: &Texts,
    watch: &dyn Watch,
) -> Result<Annotations> {
    watch.begin("annotate", texts.len() as u64, "texts");
    let annotations = annotator.annotate(concepts, texts, watch)?;
    hypothesaes_math::Error::check_len("concepts", annotations.n_concepts(), concepts.len())?;
    hypothesaes_math::Error::check_len("texts", annotations.n_texts(), texts.len())?;
    let missing = annotations.n_missing();
    if missing > 0 {
        let all = concepts.len() * texts.len();
        watch.say(&format!(
            "{missing} of {all} annotations are missing and stay out of the statistics"
        ));
    }
    watch.end(&format!("{} concepts x {} texts", concepts.len(), texts.len()));
    Ok(annotations)
}

/// The annotator that `options` name; `language` is that of the texts.
#[must_use]
pub fn annotator(options: &AnnotateOptions, language: Language) -> Box<dyn Annotate> {
    match options.annotator {
        Annotator::Phrases => Box::new(PhraseAnnotator::new(language)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    /// Answers nothing on every second text.
    struct Absent;

    impl Annotate for Absent {
        fn annotate(
            &self,
            concepts: &[String],
            texts: &Texts,
            _: &dyn Watch,
        ) -> Result<Annotations> {
            let answers = (0..texts.len()).map(|i| (i % 2 == 0).then_some(true)).collect();
            Annotations::new(texts.len(), vec![answers; concepts.len()])
        }
    }

    /// Loses a concept on the way.
    struct Careless;

    impl Annotate for Careless {
        fn annotate(&self, _: &[String], texts: &Texts, _: &dyn Watch) -> Result<Annotations> {
            Annotations::new(texts.len(), Vec::new())
        }
    }

    #[test]
    fn trap_20_a_missing_annotation_is_a_value() {
        let texts = Texts::from_iter(["a", "b", "c"]);
        let got = annotate(&Absent, &["x".into(), "y".into()], &texts, &Unwatched).unwrap();
        assert_eq!(got.concept(1), [Some(true), None, Some(true)]);
        assert_eq!(got.n_missing(), 2);
    }

    #[test]
    fn an_annotator_that_skips_a_concept_is_caught() {
        let texts = Texts::from_iter(["a"]);
        assert!(annotate(&Careless, &["x".into()], &texts, &Unwatched).is_err());
        assert!(Annotations::new(2, vec![vec![None]]).is_err());
    }

    #[test]
    fn trap_27_equal_texts_and_equal_concepts_stay_apart() {
        let texts = Texts::from_iter(["slow", "fast", "slow"]);
        let concept = write_wording(["slow"]);
        let annotator = annotator(&AnnotateOptions::default(), Language::English);
        let got = annotate(&*annotator, &[concept.clone(), concept], &texts, &Unwatched).unwrap();
        assert_eq!((got.n_concepts(), got.n_texts()), (2, 3));
        assert_eq!(got.concept(0), [Some(true), Some(false), Some(true)]);
        assert_eq!(got.concept(1), got.concept(0));
    }
}
