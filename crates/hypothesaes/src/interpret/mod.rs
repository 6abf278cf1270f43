//! What a neuron stands for, in words.
//!
//! In go activations and texts, never the target; out comes for every chosen neuron a concept, or
//! the reason why it has none, and how well the concept matches the neuron on validation texts,
//! which took no part in wording it. An [`Interpret`] sees sampled examples only, so that a
//! language model can stand in for the embedded [`PhraseInterpreter`]
//! and [`MeaningInterpreter`].

mod evidence;
mod fidelity;
mod index;
mod judge;
mod log_odds;
mod meaning;
mod model;
mod near;
mod options;
mod phrases;
mod refine;
mod rule;
mod sample;
mod surface;
mod table;
#[cfg(test)]
mod tests;

use hypothesaes_math::{Activations, Matrix};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::annotate::{Annotate, Wording};
use crate::data::Texts;
use crate::embed::{Vectors, no_sentence_model};
use crate::models::{Models, Use};
use crate::text::Language;
use crate::watch::Watch;

pub use fidelity::Fidelity;
pub use meaning::MeaningInterpreter;
pub use model::ModelInterpreter;
pub(crate) use model::check_prompts;
pub use options::{DEFAULT_MODEL, InterpretOptions, MEANING, PHRASES, Sampling};
pub use phrases::PhraseInterpreter;
pub(crate) use refine::ROUNDS;
pub use sample::{Example, Half, NeuronExamples, Strength};
pub use table::{table, wordings_table};

/// Goes up with every change that makes equal input and options give other results.
pub const VERSION: u32 = 2;

/// Puts neurons into words.
pub trait Interpret: Sync {
    /// One interpretation per neuron, in order; each depends on its own examples only.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`]; what the interpreter itself cannot do. A neuron that has no label is
    /// no error.
    fn interpret(
        &self,
        neurons: &[NeuronExamples],
        watch: &dyn Watch,
    ) -> Result<Vec<Interpretation>>;

    /// Better wordings after mistakes, in order; `None` where there is none.
    ///
    /// # Errors
    /// As [`Self::interpret`].
    fn mend(&self, mistakes: &[Mistakes], _: &dyn Watch) -> Result<Vec<Option<String>>> {
        Ok(vec![None; mistakes.len()])
    }

    /// The prompts it asks with, by name.
    fn prompts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Texts on which a wording does not agree with its neuron.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistakes<'a> {
    pub concept: &'a str,
    /// They fire the neuron; the concept was found not to be true of them.
    pub missed: Vec<&'a str>,
    /// They do not fire the neuron; the concept was found to be true of them.
    pub false_alarms: Vec<&'a str>,
}

/// What an interpreter makes of a neuron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpretation {
    /// Yes/no predicates about a text that say all by their wording; the first is the
    /// interpreter's choice. There is at least one.
    Concepts(Vec<String>),
    /// No label, and why.
    Unlabelled(String),
    /// No answer, and why; there may be one another time.
    Unanswered(String),
}

impl Interpretation {
    fn never_fires() -> Self {
        Self::Unlabelled("no discover text fires it".into())
    }

    /// The `wording` of a rule, if those found on one half of the texts agree with the neuron on the
    /// other half, by this correlation.
    fn carried(wording: &Wording, correlation: f64, options: &InterpretOptions) -> Self {
        let least = options.min_fidelity;
        if correlation >= least {
            return Self::Concepts(vec![wording.to_string()]);
        }
        Self::Unlabelled(format!(
            "rules found on one half of the discover texts do not carry over to the other: \
             correlation {correlation:.2}, `interpret.min_fidelity` is {least}"
        ))
    }
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
    /// Every wording that was tried, in the order in which it was.
    #[serde(default)]
    pub wordings: Vec<Tried>,
    /// Whether the interpreter gave no answer, and may give one another time.
    #[serde(default)]
    pub is_unanswered: bool,
}

/// A wording that was tried for a neuron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub concept: String,
    /// 0 for those proposed at first, then the round of mending.
    pub round: usize,
    /// On the texts that the choice rests on, as if half of them fired the neuron; `None` if it
    /// was the only one.
    pub balanced_f1: Option<f64>,
    pub is_kept: bool,
}

/// What is to be interpreted. The target is left out on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Activations of all texts.
    pub z: &'a Activations,
    /// The neurons to put into words.
    pub chosen: &'a [usize],
    pub texts: &'a Texts,
    /// Vectors of all texts, where near ones may be looked for.
    pub vectors: Option<&'a Matrix>,
    /// Rows to find wordings on, rising.
    pub discover: &'a [usize],
    /// Rows to judge wordings on, rising.
    pub validation: &'a [usize],
}

/// Words the chosen neurons of `material` and judges the wordings on the validation texts.
///
/// # Errors
/// [`crate::Error::Option`] for bad options; [`crate::Error::Math`] if the parts of `material` do not match;
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
    let (mut labelled, candidates) = started(&material, interpretations);
    report(&labelled, watch);
    if annotator.is_costly() {
        let judges = (interpreter, annotator);
        refine::choose(&mut labelled, &candidates, &material, options, seed, judges, watch)?;
    } else {
        fidelity::measure(&mut labelled, &material, annotator, watch)?;
    }
    Ok(labelled)
}

/// The neurons with their interpreter's first choice, and all its candidates.
fn started(
    material: &Material,
    interpretations: Vec<Interpretation>,
) -> (Vec<Labelled>, Vec<Vec<String>>) {
    let chosen = material.chosen.iter().zip(interpretations);
    chosen
        .map(|(&neuron, interpretation)| {
            let mut labelled = Labelled {
                neuron,
                concept: None,
                reason: None,
                fidelity: None,
                wordings: Vec::new(),
                is_unanswered: false,
            };
            let mut candidates = Vec::new();
            match interpretation {
                Interpretation::Concepts(concepts) => {
                    labelled.concept = concepts.first().cloned();
                    candidates = concepts;
                }
                Interpretation::Unlabelled(why) => labelled.reason = Some(why),
                Interpretation::Unanswered(why) => {
                    labelled.reason = Some(why);
                    labelled.is_unanswered = true;
                }
            }
            (labelled, candidates)
        })
        .unzip()
}

/// The interpreter that `options` name, ready for the discover texts; `language` is theirs.
///
/// # Errors
/// [`crate::Error::Option`] if `models` has none to interpret, or if meaning is to be found without
/// `vectors`; those of the user's prompts.
pub fn interpreter<'a>(
    options: &InterpretOptions,
    language: Language,
    (texts, discover): (&'a Texts, &'a [usize]),
    models: Option<&'a Models>,
    vectors: Option<&'a Vectors>,
    seed: u64,
) -> Result<Box<dyn Interpret + 'a>> {
    if options.interpreter == MEANING {
        let vectors = vectors.ok_or_else(|| no_sentence_model("interpret.interpreter"))?;
        let words = MeaningInterpreter::new(language, texts, discover, vectors, options);
        return Ok(Box::new(words));
    }
    let Some(model) = options.model() else {
        return Ok(Box::new(PhraseInterpreter::new(language, texts, discover, options)));
    };
    let asked = Models::expect(models, Use::Interpret, model.name)?;
    Ok(Box::new(ModelInterpreter::new(asked, options, seed)?))
}

impl Material<'_> {
    fn check(&self) -> Result<()> {
        use crate::Error;
        hypothesaes_math::Error::check_len("activations", self.z.rows(), self.texts.len())?;
        for &neuron in self.chosen {
            if neuron >= self.z.neurons() {
                let allowed = format!("below {}", self.z.neurons());
                return Err(Error::option("neuron", neuron, allowed));
            }
        }
        for &row in self.discover.iter().chain(self.validation) {
            if row >= self.texts.len() {
                let allowed = format!("below {}", self.texts.len());
                return Err(Error::option("row", row, allowed));
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
