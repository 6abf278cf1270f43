//! How neurons are put into words.

use std::path::PathBuf;

use hypothesaes_llm::server::Effort;
use serde::{Deserialize, Serialize};

use crate::models::ModelOptions;
use crate::options::{AUTO, between, within};
use crate::{Error, Result};

/// Name of the embedded interpreter that finds phrases.
pub const PHRASES: &str = "phrases";
/// Name of the embedded interpreter that finds what phrases mean, by the sentence model that embeds.
pub const MEANING: &str = "meaning";
/// The model that is asked where the user names none.
pub const DEFAULT_MODEL: &str = "gpt-5.2";

/// How neurons are put into words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InterpretOptions {
    /// Who interprets: `phrases`, which finds phrases whose mention goes with the neuron, `meaning`,
    /// which has a sentence model find phrases that mean what fires it, or the name of a model;
    /// `auto` is a model where there is a key, else `meaning` where a sentence model embeds, else
    /// `phrases`.
    pub interpreter: String,
    /// `phrases`: at most so many phrases in a rule; `meaning`: so many, and three at most.
    pub max_phrases: usize,
    /// `phrases`, `meaning`: at most so many words in a phrase, 1 to 3.
    pub max_phrase_words: usize,
    /// `phrases`, `meaning`: a phrase counts if at least so many discover texts have it; more in larger data.
    pub min_phrase_texts: usize,
    /// `phrases`, `meaning`: least correlation with the neuron, on texts it was not chosen on, that
    /// earns a rule its place as a label.
    pub min_fidelity: f64,
    /// `phrases`, `meaning`: at most so many texts that fire the neuron are looked at.
    pub max_firing: usize,
    /// At most so many texts that do not fire the neuron are looked at.
    pub max_silent: usize,
    /// Address of the model's server; by default `llm.base_url`.
    pub base_url: Option<String>,
    /// Environment variable of its key; by default `llm.key_env`.
    pub key_env: Option<String>,
    /// How much the model thinks.
    pub effort: Effort,
    pub temperature: Option<f64>,
    /// What the texts are, for the model, as in `Restaurant reviews on Yelp`.
    pub context: String,
    /// What the model should heed beyond that; by default a few examples of features.
    pub instructions: String,
    /// Texts that the model is shown of a neuron: half fire it, half do not.
    pub n_examples: usize,
    /// Words of a text that the model is shown; the rest is cut off.
    pub max_words: usize,
    /// Which of the texts that fire a neuron the model is shown.
    pub sampling: Sampling,
    /// Percentiles, among the texts that fire, between which `quantiles` draws.
    pub quantile_low: f64,
    pub quantile_high: f64,
    /// Share of the texts shown that do not fire which are those nearest to the ones that do.
    pub hard_negatives: f64,
    /// Wordings the model is asked for, each from other examples; the most faithful is taken.
    pub n_candidates: usize,
    /// Rounds in which the model is shown where its wording fails; by default 2, or as many as add
    /// at most a tenth to the calls of the annotation.
    pub refine: Option<usize>,
    /// Texts that fire a neuron, and texts that do not, on which a model's wording is judged.
    pub fidelity_firing: usize,
    pub fidelity_silent: usize,
    /// Prompts of one's own.
    pub prompt: Option<PathBuf>,
    pub refine_prompt: Option<PathBuf>,
}

/// Which of the texts that fire a neuron a model is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Those that fire it most.
    #[default]
    Top,
    /// At random between two percentiles of their activations.
    Quantiles,
}

impl Default for InterpretOptions {
    fn default() -> Self {
        Self {
            interpreter: AUTO.into(),
            max_phrases: 6,
            max_phrase_words: 3,
            min_phrase_texts: 5,
            min_fidelity: 0.1,
            max_firing: 5000,
            max_silent: 10_000,
            base_url: None,
            key_env: None,
            effort: Effort::Low,
            temperature: None,
            context: String::new(),
            instructions: String::new(),
            n_examples: 20,
            max_words: 256,
            sampling: Sampling::Top,
            quantile_low: 90.0,
            quantile_high: 100.0,
            hard_negatives: 0.0,
            n_candidates: 1,
            refine: None,
            fidelity_firing: 20,
            fidelity_silent: 40,
            prompt: None,
            refine_prompt: None,
        }
    }
}

impl InterpretOptions {
    /// The model that interprets; `None` if the embedded interpreter does.
    pub(crate) fn model(&self) -> Option<ModelOptions<'_>> {
        let name = self.interpreter.as_str();
        (![AUTO, PHRASES, MEANING].contains(&name)).then_some(ModelOptions {
            name,
            base_url: self.base_url.as_deref(),
            key_env: self.key_env.as_deref(),
            effort: self.effort,
            temperature: self.temperature,
            dimensions: None,
        })
    }

    /// # Errors
    /// [`Error::Option`] for the first option that is out of range.
    pub fn check(&self) -> Result<()> {
        if self.interpreter.trim().is_empty() {
            let allowed =
                format!("name a model, or one of the embedded ones, `{PHRASES}` and `{MEANING}`");
            return Err(Error::option("interpret.interpreter", &self.interpreter, allowed));
        }
        within("interpret.max_phrases", self.max_phrases, 1, usize::MAX)?;
        within("interpret.min_phrase_texts", self.min_phrase_texts, 1, usize::MAX)?;
        within("interpret.max_firing", self.max_firing, 2, usize::MAX)?;
        within("interpret.max_silent", self.max_silent, 2, usize::MAX)?;
        within("interpret.max_phrase_words", self.max_phrase_words, 1, 3)?;
        within("interpret.n_examples", self.n_examples, 2, 1000)?;
        within("interpret.max_words", self.max_words, 1, usize::MAX)?;
        within("interpret.n_candidates", self.n_candidates, 1, 20)?;
        within("interpret.refine", self.refine.unwrap_or(0), 0, 10)?;
        within("interpret.fidelity_firing", self.fidelity_firing, 2, usize::MAX)?;
        within("interpret.fidelity_silent", self.fidelity_silent, 2, usize::MAX)?;
        between("interpret.min_fidelity", self.min_fidelity, -1.0, 1.0)?;
        between("interpret.hard_negatives", self.hard_negatives, 0.0, 1.0)?;
        between("interpret.quantile_high", self.quantile_high, 0.0, 100.0)?;
        between("interpret.quantile_low", self.quantile_low, 0.0, self.quantile_high)
    }
}
