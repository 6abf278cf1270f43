//! The embedded interpreter: a neuron stands for the phrases whose mention goes with its firing.
//!
//! A concept it finds reads `mentions "wait", "waited" or "minutes"` and is exactly what the
//! embedded annotator looks for. It sees words, not meanings.

use rayon::prelude::*;

use super::evidence::Evidence;
use super::index::PhraseIndex;
use super::rule::{fits, rule};
use super::sample::{Half, NeuronExamples};
use super::surface::Written;
use super::{Interpret, InterpretOptions, Interpretation};
use crate::Result;
use crate::data::Texts;
use crate::text::{Analyzer, Corpus, Language};
use crate::watch::Watch;

/// Finds rules of phrases in texts it has indexed.
#[derive(Debug)]
pub struct PhraseInterpreter<'a> {
    analyzer: Analyzer,
    corpus: Corpus,
    index: PhraseIndex,
    texts: &'a Texts,
    rows: &'a [usize],
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
        let analyzer = Analyzer::new(language);
        let corpus = Corpus::new(&analyzer, &texts.gather(rows));
        let index = PhraseIndex::new(&corpus, options);
        Self { analyzer, corpus, index, texts, rows, options: options.clone() }
    }

    fn interpret_one(&self, neuron: &NeuronExamples) -> Interpretation {
        if neuron.n_firing == 0 {
            return unlabelled("no discover text fires it");
        }
        let evidence = Evidence::new(neuron, |row| self.rows.binary_search(&row).ok());
        let rule = self.rule(&evidence);
        let Some(concept) = self.written().concept(&rule) else {
            return unlabelled("no phrase is more frequent where it fires");
        };
        let (carried, least) = (self.carried(&evidence), self.options.min_fidelity);
        if carried < least {
            return unlabelled(&format!(
                "rules found on one half of the discover texts do not carry over to the other: \
                 correlation {carried:.2}, `interpret.min_fidelity` is {least}"
            ));
        }
        Interpretation::Concepts(vec![concept])
    }

    fn rule(&self, evidence: &Evidence) -> Vec<u32> {
        rule(evidence, &self.index, self.options.max_phrases)
    }

    /// Correlation with the neuron on one half of the texts of a rule found on the other half
    /// alone, the mean of both ways round.
    fn carried(&self, evidence: &Evidence) -> f64 {
        let (first, second) = (evidence.half(Half::First), evidence.half(Half::Second));
        let carried = |from: &Evidence, to: &Evidence| {
            to.correlation(&fits(&self.rule(from), to, &self.index))
        };
        f64::midpoint(carried(&first, &second), carried(&second, &first))
    }

    fn written(&self) -> Written<'_> {
        let Self { analyzer, corpus, index, texts, rows, .. } = self;
        Written { analyzer, corpus, index, texts, rows }
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

fn unlabelled(reason: &str) -> Interpretation {
    Interpretation::Unlabelled(reason.to_owned())
}
