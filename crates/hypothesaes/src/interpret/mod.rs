//! What a neuron stands for, in words.
//!
//! In go activations and texts, never the target; out comes for every chosen neuron a concept, or
//! the reason why it has none, and how well the concept matches the neuron on validation texts,
//! which took no part in wording it. An [`Interpret`] sees sampled examples only, so that a
//! language model can stand in for the embedded [`PhraseInterpreter`].

mod evidence;
mod fidelity;
mod index;
mod log_odds;
mod phrases;
mod rule;
mod sample;
mod surface;
mod table;
#[cfg(test)]
mod tests;

use hypothesaes_math::Activations;
use serde::{Deserialize, Serialize};

use crate::annotate::Annotate;
use crate::data::Texts;
use crate::text::Language;
use crate::watch::Watch;
use crate::{Error, Result};

pub use fidelity::Fidelity;
pub use phrases::PhraseInterpreter;
pub use sample::{Example, Half, NeuronExamples, Strength};
pub use table::table;

/// Goes up with every change that makes equal input and options give other results.
pub const VERSION: u32 = 1;

/// How neurons are put into words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InterpretOptions {
    /// Who interprets: `phrases`, the embedded interpreter.
    pub interpreter: Interpreter,
    /// At most so many phrases in a rule.
    pub max_phrases: usize,
    /// At most so many words in a phrase, 1 to 3.
    pub max_phrase_words: usize,
    /// A phrase counts if at least so many discover texts have it; more in larger data.
    pub min_phrase_texts: usize,
    /// Least correlation with the neuron, on texts it was not chosen on, that earns a rule its
    /// place as a label.
    pub min_fidelity: f64,
    /// At most so many texts that fire the neuron are looked at.
    pub max_firing: usize,
    /// At most so many texts that do not fire the neuron are looked at.
    pub max_silent: usize,
}

/// Who interprets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpreter {
    /// Finds the phrases that tell the texts that fire a neuron from those that do not.
    #[default]
    Phrases,
}

/// Puts neurons into words.
pub trait Interpret: Sync {
    /// One interpretation per neuron, in order; each depends on its own examples only.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; what the interpreter itself cannot do. A neuron that has no label is
    /// no error.
    fn interpret(
        &self,
        neurons: &[NeuronExamples],
        watch: &dyn Watch,
    ) -> Result<Vec<Interpretation>>;
}

/// What an interpreter makes of a neuron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpretation {
    /// A yes/no predicate about a text that says all by its wording.
    Concept(String),
    /// No label, and why.
    Unlabelled(String),
}

/// A chosen neuron, its label and how well the label fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    pub neuron: usize,
    /// `None` if the neuron has no label.
    pub concept: Option<String>,
    /// Why there is no label.
    pub reason: Option<String>,
    /// On the validation texts; `None` if there is no label or no validation text.
    pub fidelity: Option<Fidelity>,
}

/// What is to be interpreted. The target is left out on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Activations of all texts.
    pub z: &'a Activations,
    /// The neurons to put into words.
    pub chosen: &'a [usize],
    pub texts: &'a Texts,
    /// Rows to find wordings on, rising.
    pub discover: &'a [usize],
    /// Rows to judge wordings on, rising.
    pub validation: &'a [usize],
}

impl Default for InterpretOptions {
    fn default() -> Self {
        Self {
            interpreter: Interpreter::default(),
            max_phrases: 6,
            max_phrase_words: 3,
            min_phrase_texts: 5,
            min_fidelity: 0.1,
            max_firing: 5000,
            max_silent: 10_000,
        }
    }
}

impl InterpretOptions {
    /// # Errors
    /// [`Error::Option`] for the first option that is out of range.
    pub fn check(&self) -> Result<()> {
        let at_least = |name, value: usize, least: usize| {
            let allowed = format!("choose at least {least}");
            if value < least { Err(Error::option(name, value, allowed)) } else { Ok(()) }
        };
        at_least("interpret.max_phrases", self.max_phrases, 1)?;
        at_least("interpret.min_phrase_texts", self.min_phrase_texts, 1)?;
        at_least("interpret.max_firing", self.max_firing, 2)?;
        at_least("interpret.max_silent", self.max_silent, 2)?;
        if !(1..=3).contains(&self.max_phrase_words) {
            let name = "interpret.max_phrase_words";
            return Err(Error::option(name, self.max_phrase_words, "choose 1, 2 or 3"));
        }
        if !(-1.0..=1.0).contains(&self.min_fidelity) {
            let name = "interpret.min_fidelity";
            return Err(Error::option(name, self.min_fidelity, "choose from -1 to 1"));
        }
        Ok(())
    }
}

/// Words the chosen neurons of `material` and judges the wordings on the validation texts.
///
/// # Errors
/// [`Error::Option`] for bad options; [`Error::Math`] if the parts of `material` do not match;
/// those of the interpreter and the annotator.
pub fn interpret(
    material: Material,
    options: &InterpretOptions,
    seed: u64,
    (interpreter, annotator): (&dyn Interpret, &dyn Annotate),
    watch: &dyn Watch,
) -> Result<Vec<Labelled>> {
    options.check()?;
    material.check()?;
    watch.begin("interpret", material.chosen.len() as u64, "neurons");
    let samples = sample::sample(&material, options, seed);
    let interpretations = interpreter.interpret(&samples, watch)?;
    hypothesaes_math::Error::check_len("interpretations", interpretations.len(), samples.len())?;
    let mut labelled: Vec<Labelled> = material
        .chosen
        .iter()
        .zip(interpretations)
        .map(|(&neuron, interpretation)| Labelled::new(neuron, interpretation))
        .collect();
    fidelity::measure(&mut labelled, &material, annotator, watch)?;
    report(&labelled, watch);
    Ok(labelled)
}

/// The interpreter that `options` name, ready for the discover texts; `language` is theirs.
#[must_use]
pub fn interpreter<'a>(
    options: &InterpretOptions,
    language: Language,
    texts: &'a Texts,
    discover: &'a [usize],
) -> Box<dyn Interpret + 'a> {
    match options.interpreter {
        Interpreter::Phrases => {
            Box::new(PhraseInterpreter::new(language, texts, discover, options))
        }
    }
}

impl Labelled {
    fn new(neuron: usize, interpretation: Interpretation) -> Self {
        let (concept, reason) = match interpretation {
            Interpretation::Concept(concept) => (Some(concept), None),
            Interpretation::Unlabelled(reason) => (None, Some(reason)),
        };
        Self { neuron, concept, reason, fidelity: None }
    }
}

impl Material<'_> {
    fn check(&self) -> Result<()> {
        use hypothesaes_math::Error;
        Error::check_len("activations", self.z.rows(), self.texts.len())?;
        for &neuron in self.chosen {
            if neuron >= self.z.neurons() {
                let allowed = format!("below {}", self.z.neurons());
                return Err(Error::option("neuron", neuron, allowed).into());
            }
        }
        for &row in self.discover.iter().chain(self.validation) {
            if row >= self.texts.len() {
                let allowed = format!("below {}", self.texts.len());
                return Err(Error::option("row", row, allowed).into());
            }
        }
        Ok(())
    }
}

fn report(labelled: &[Labelled], watch: &dyn Watch) {
    for Labelled { neuron, reason, .. } in labelled {
        if let Some(reason) = reason {
            watch.say(&format!("neuron {neuron} has no label: {reason}"));
        }
    }
    let with = labelled.iter().filter(|l| l.concept.is_some()).count();
    watch.end(&format!("{with} of {} neurons have a label", labelled.len()));
}
