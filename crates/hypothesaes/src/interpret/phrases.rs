//! The embedded interpreter of words: a neuron stands for the phrases whose mention goes with its firing.
//!
//! A concept it finds reads `mentions "wait", "waited" or "minutes"` and is exactly what the
//! embedded annotator looks for. It sees words, not meanings.

use rayon::prelude::*;

use super::evidence::Evidence;
use super::rule::{fits, rule};
use super::sample::NeuronExamples;
use super::surface::Indexed;
use super::{Interpret, InterpretOptions, Interpretation};
use crate::Result;
use crate::annotate::Wording;
use crate::data::Texts;
use crate::text::Language;
use crate::watch::Watch;

/// Finds rules of phrases in texts it has indexed.
#[derive(Debug)]
pub struct PhraseInterpreter<'a> {
    indexed: Indexed<'a>,
    options: InterpretOptions,
}

impl<'a> PhraseInterpreter<'a> {
    /// Indexes the phrases of `texts` at `rows`, which rise: those that examples will be drawn
    /// from. O(words of the texts), in parallel.
    #[must_use]
    pub fn new(
        language: Language,
        texts: &'a Texts,
        rows: &'a [usize],
        options: &InterpretOptions,
    ) -> Self {
        let indexed = Indexed::new(language, texts, rows, options);
        Self { indexed, options: options.clone() }
    }

    fn interpret_one(&self, neuron: &NeuronExamples) -> Interpretation {
        if neuron.n_firing == 0 {
            return Interpretation::never_fires();
        }
        let index = &self.indexed.index;
        let evidence = Evidence::new(neuron, |row| self.indexed.place(row));
        let find = |evidence: &Evidence| rule(evidence, index, self.options.max_phrases);
        let quoted = self.indexed.quoted(&find(&evidence));
        if quoted.is_empty() {
            return Interpretation::Unlabelled("no phrase is more frequent where it fires".into());
        }
        let carried = evidence.carried(find, |rule, to| fits(rule, to, index));
        Interpretation::carried(&Wording::Mentions(quoted), carried, &self.options)
    }
}

impl Interpret for PhraseInterpreter<'_> {
    /// In parallel over neurons, each for itself.
    fn interpret(
        &self,
        neurons: &[NeuronExamples],
        watch: &dyn Watch,
    ) -> Result<Vec<Interpretation>> {
        let one = |neuron| {
            watch.check()?;
            let interpretation = self.interpret_one(neuron);
            watch.advance(1);
            Ok(interpretation)
        };
        neurons.par_iter().map(one).collect()
    }
}
