//! Which concept holds of which text.
//!
//! In go concepts by their wording alone and texts, out come the [`Annotations`]: yes, no or
//! missing for every pair. An [`Annotate`] knows nothing of neurons or of the target, so that a
//! language model can stand in for the embedded [`PhraseAnnotator`] and [`MeaningAnnotator`]. Statistics come later.

mod meaning;
mod model;
mod options;
mod phrases;
mod table;
mod wording;

use crate::Result;
use crate::data::Texts;
use crate::embed::{Vectors, no_sentence_model};
use crate::models::{Models, Use};
use crate::text::Language;
use crate::watch::Watch;

pub use meaning::MeaningAnnotator;
pub use model::{Calibration, ModelAnnotator};
pub(crate) use model::{Shape, check_prompts, first_words};
pub use options::{AnnotateOptions, DEFAULT_MODEL, Layout, MEANING, PHRASES};
pub use phrases::PhraseAnnotator;
pub(crate) use table::calibration_table;
pub use wording::{Closeness, Wording};

/// Goes up with every change that makes equal input and options give other results.
pub const VERSION: u32 = 1;

/// Decides for every concept and text whether the one is true of the other.
pub trait Annotate: Sync {
    /// Annotates the pairs of concept and text that are `wanted`, by their indices; the others are
    /// `None`. Equal concepts and equal texts keep their own rows and columns; an answer that could
    /// not be had is `None` too, never an error.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for a concept this annotator cannot read; [`crate::Error::Llm`] if
    /// a model cannot be asked on; [`crate::Error::Interrupted`].
    fn annotate_where(
        &self,
        concepts: &[String],
        texts: &Texts,
        wanted: &(dyn Fn(usize, usize) -> bool + Sync),
        watch: &dyn Watch,
    ) -> Result<Annotations>;

    /// Annotates every text with every concept.
    fn annotate(
        &self,
        concepts: &[String],
        texts: &Texts,
        watch: &dyn Watch,
    ) -> Result<Annotations> {
        self.annotate_where(concepts, texts, &|_, _| true, watch)
    }

    /// Whether an answer costs money or seconds, so that fewer are asked for.
    fn is_costly(&self) -> bool {
        false
    }
}

/// Concepts x texts: yes, no, or `None` where the answer is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    n_texts: usize,
    values: Vec<Vec<Option<bool>>>,
    /// Probability of yes, in the form of the values, where a model tells it; else empty.
    pub p_yes: Vec<Vec<Option<f32>>>,
    /// Answers that could not be had.
    pub missing: Vec<Missing>,
    /// What became of calibrations.
    pub calibrations: Vec<Calibration>,
    /// The prompts that were used, by name.
    pub prompts: Vec<(&'static str, String)>,
}

/// An answer that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub concept: usize,
    pub text: usize,
    pub reason: String,
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
        Ok(Self { n_texts, values, ..Self::default() })
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

    /// The answers for every concept, one per text.
    #[must_use]
    pub fn concepts(&self) -> &[Vec<Option<bool>>] {
        &self.values
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
    watch.begin("annotate", (concepts.len() * texts.len()) as u64, "answers");
    let annotations = annotator.annotate(concepts, texts, watch)?;
    hypothesaes_math::Error::check_len("concepts", annotations.n_concepts(), concepts.len())?;
    hypothesaes_math::Error::check_len("texts", annotations.n_texts(), texts.len())?;
    let missing = annotations.n_missing();
    if missing > 0 {
        let all = concepts.len() * texts.len();
        let reason = annotations.missing.first().map_or("", |m| m.reason.as_str());
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        watch.say(&format!(
            "{missing} of {all} annotations are missing{reason}; they stay out of the statistics, \
             and the next run asks for them again"
        ));
    }
    watch.end(&format!("{} concepts x {} texts", concepts.len(), texts.len()));
    Ok(annotations)
}

/// Refuses a concept that the annotator of `options` cannot read.
///
/// # Errors
/// [`crate::Error::Option`] that says what it reads.
pub(crate) fn check_concept(options: &AnnotateOptions, concept: &str) -> Result<()> {
    if options.model().is_some() {
        return Ok(());
    }
    match Wording::read(concept)? {
        Wording::Near(..) if options.annotator != MEANING => Err(wording::no_meaning(concept)),
        _ => Ok(()),
    }
}

/// The annotator that `options` name, for the ledger's `stage`; `language` is that of the texts. A
/// model calibrates itself if there is a `seed`.
///
/// # Errors
/// [`crate::Error::Option`] if `models` has none to annotate, or if meaning is to be judged without
/// `vectors`; those of the user's prompts.
pub fn annotator<'a>(
    options: &AnnotateOptions,
    language: Language,
    models: Option<&'a Models>,
    vectors: Option<&'a Vectors>,
    stage: &'static str,
    seed: Option<u64>,
) -> Result<Box<dyn Annotate + 'a>> {
    if options.annotator == MEANING {
        let vectors = vectors.ok_or_else(|| no_sentence_model("annotate.annotator"))?;
        return Ok(Box::new(MeaningAnnotator::new(language, vectors)));
    }
    let Some(model) = options.model() else {
        return Ok(Box::new(PhraseAnnotator::new(language)));
    };
    let asked = Models::expect(models, Use::Annotate, model.name)?;
    Ok(Box::new(ModelAnnotator::new(asked, stage, options, seed)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    /// Answers nothing on every second text.
    struct Absent;

    impl Annotate for Absent {
        fn annotate_where(
            &self,
            concepts: &[String],
            texts: &Texts,
            _: &(dyn Fn(usize, usize) -> bool + Sync),
            _: &dyn Watch,
        ) -> Result<Annotations> {
            let answers = (0..texts.len()).map(|i| (i % 2 == 0).then_some(true)).collect();
            Annotations::new(texts.len(), vec![answers; concepts.len()])
        }
    }

    /// Loses a concept on the way.
    struct Careless;

    impl Annotate for Careless {
        fn annotate_where(
            &self,
            _: &[String],
            texts: &Texts,
            _: &(dyn Fn(usize, usize) -> bool + Sync),
            _: &dyn Watch,
        ) -> Result<Annotations> {
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
        let concept = r#"mentions "slow""#.to_owned();
        let annotator = PhraseAnnotator::new(Language::English);
        let got = annotate(&annotator, &[concept.clone(), concept], &texts, &Unwatched).unwrap();
        assert_eq!((got.n_concepts(), got.n_texts()), (2, 3));
        assert_eq!(got.concept(0), [Some(true), Some(false), Some(true)]);
        assert_eq!(got.concept(1), got.concept(0));
    }
}
