//! The embedded interpreter of meaning: a neuron stands for the phrases to which the texts that fire it
//! come closest, as a sentence model sees them.
//!
//! A concept it finds reads `is close in meaning to "rude" and "ignored us" (0.231)` and is exactly what
//! the embedded annotator of meaning looks for. Its phrases are frequent ones of the texts, so that no
//! single text is quoted.

use hypothesaes_math::Matrix;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::evidence::Evidence;
use super::near::{Near, Phrases, fits, near};
use super::sample::NeuronExamples;
use super::surface::Indexed;
use super::{Interpret, InterpretOptions, Interpretation};
use crate::Result;
use crate::annotate::Wording;
use crate::data::Texts;
use crate::embed::{Vectors, no_sentence_model};
use crate::text::Language;
use crate::watch::Watch;

/// Phrases that are embedded at most, the most frequent ones.
const MOST_PHRASES: usize = 5000;
/// More phrases blur a rule's meaning.
const MOST_IN_RULE: usize = 3;

/// Finds rules of meaning in texts whose phrases it has indexed.
pub struct MeaningInterpreter<'a> {
    indexed: Indexed<'a>,
    language: Language,
    vectors: &'a Vectors<'a>,
    options: InterpretOptions,
}

/// Phrases that rules are made of, as written, with their vectors.
struct Candidates {
    written: Vec<String>,
    phrases: Phrases,
}

impl<'a> MeaningInterpreter<'a> {
    /// Indexes the phrases of `texts` at `rows`, which rise: those that examples will be drawn
    /// from. `vectors` embeds as the texts were embedded.
    #[must_use]
    pub fn new(
        language: Language,
        texts: &'a Texts,
        rows: &'a [usize],
        vectors: &'a Vectors<'a>,
        options: &InterpretOptions,
    ) -> Self {
        let indexed = Indexed::new(language, texts, rows, options);
        Self { indexed, language, vectors, options: options.clone() }
    }

    fn interpret_one(
        &self,
        neuron: &NeuronExamples,
        x: &Matrix,
        candidates: &Candidates,
    ) -> Interpretation {
        if neuron.n_firing == 0 {
            return Interpretation::never_fires();
        }
        let evidence = Evidence::new(neuron, |row| self.indexed.place(row));
        let vector = |place: usize| x.row(self.indexed.row(place));
        let most = self.options.max_phrases.min(MOST_IN_RULE);
        let phrases = &candidates.phrases;
        let find = |evidence: &Evidence| near(evidence, vector, phrases, most);
        let Some(Near { phrases: found, least }) = find(&evidence) else {
            let why = "no phrase means what the texts have in common that fire it";
            return Interpretation::Unlabelled(why.into());
        };
        let carried = evidence.carried(find, |rule, to| match rule {
            Some(rule) => fits(rule, to, vector, phrases),
            None => vec![false; to.texts.len()],
        });
        let quoted = found.into_iter().map(|i| candidates.written[i].clone()).collect();
        Interpretation::carried(&Wording::Near(quoted, least), carried, &self.options)
    }

    /// The most frequent phrases that neither begin nor end with a function word.
    fn candidates(&self, watch: &dyn Watch) -> Result<Candidates> {
        let Indexed { analyzer, corpus, index, .. } = &self.indexed;
        let functional: FxHashSet<u32> = self
            .language
            .function_words()
            .iter()
            .filter_map(|word| corpus.id(&analyzer.word(word).stem))
            .collect();
        let is_content = |phrase: &u32| {
            let stems = index.stems(*phrase);
            stems.first().into_iter().chain(stems.last()).all(|stem| !functional.contains(stem))
        };
        let counts = index.counts();
        let mut frequent: Vec<u32> = (0_u32..).take(index.len()).filter(is_content).collect();
        frequent.sort_by_key(|&phrase| std::cmp::Reverse(counts[phrase as usize]));
        frequent.truncate(MOST_PHRASES);
        frequent.sort_unstable();
        let written: Vec<String> = self.indexed.written(&frequent).into_iter().flatten().collect();
        let phrases = Phrases::new(self.vectors.of_phrases(&written, watch)?);
        Ok(Candidates { written, phrases })
    }
}

impl Interpret for MeaningInterpreter<'_> {
    /// In parallel over neurons, each for itself, after the phrases are embedded.
    fn interpret(
        &self,
        neurons: &[NeuronExamples],
        watch: &dyn Watch,
    ) -> Result<Vec<Interpretation>> {
        let candidates = self.candidates(watch)?;
        let one = |neuron: &NeuronExamples| {
            watch.check()?;
            let x = neuron.vectors.ok_or_else(|| no_sentence_model("interpret.interpreter"))?;
            let interpretation = self.interpret_one(neuron, x, &candidates);
            watch.advance(1);
            Ok(interpretation)
        };
        neurons.par_iter().map(one).collect()
    }
}
