//! How concepts are looked for in texts.

use std::path::PathBuf;

use hypothesaes_llm::server::Effort;
use serde::{Deserialize, Serialize};

use crate::models::ModelOptions;
use crate::options::{AUTO, within};
use crate::{Error, Result};

/// Name of the embedded annotator that looks for phrases.
pub const PHRASES: &str = "phrases";
/// Name of the embedded annotator that judges meaning, by the sentence model that embeds.
pub const MEANING: &str = "meaning";
/// The model that is asked where the user names none.
pub const DEFAULT_MODEL: &str = "gpt-5-mini";

/// How concepts are looked for in texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnnotateOptions {
    /// Who annotates: `phrases`, which looks for quoted phrases, `meaning`, which has a sentence model
    /// judge how close a text comes to them, or the name of a model; `auto` is a model where there is
    /// a key, else `meaning` where a sentence model embeds, else `phrases`.
    pub annotator: String,
    /// Address of the model's server; by default `llm.base_url`.
    pub base_url: Option<String>,
    /// Environment variable of its key; by default `llm.key_env`.
    pub key_env: Option<String>,
    /// How much the model thinks.
    pub effort: Effort,
    pub temperature: Option<f64>,
    /// How pairs of text and concept are put into calls.
    pub layout: Layout,
    /// Concepts that a stacked call asks of a text, at most.
    pub stack: usize,
    /// Pairs that are asked both stacked and singly, to see whether stacking costs accuracy; by
    /// default 80 where that adds at most a tenth to the calls, else none.
    pub calibrate: Option<usize>,
    /// Ask for the probability of yes, where the model tells it.
    pub probabilities: bool,
    /// Words of a text that the model reads; the rest is cut off.
    pub max_words: usize,
    /// A prompt of one's own for a text and its concepts.
    pub prompt: Option<PathBuf>,
    /// A prompt of one's own for several texts at once.
    pub texts_prompt: Option<PathBuf>,
}

/// How pairs of text and concept are put into calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One text with up to `stack` concepts.
    #[default]
    Stacked,
    /// Up to ten texts with up to twenty concepts.
    Economy,
    /// One text with one concept, as the original asks.
    Single,
}

impl Default for AnnotateOptions {
    fn default() -> Self {
        Self {
            annotator: AUTO.into(),
            base_url: None,
            key_env: None,
            effort: Effort::Minimal,
            temperature: None,
            layout: Layout::Stacked,
            stack: 10,
            calibrate: None,
            probabilities: true,
            max_words: 256,
            prompt: None,
            texts_prompt: None,
        }
    }
}

impl AnnotateOptions {
    /// The model that annotates; `None` if the embedded annotator does.
    pub(crate) fn model(&self) -> Option<ModelOptions<'_>> {
        let name = self.annotator.as_str();
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
        if self.annotator.trim().is_empty() {
            let allowed =
                format!("name a model, or one of the embedded ones, `{PHRASES}` and `{MEANING}`");
            return Err(Error::option("annotate.annotator", &self.annotator, allowed));
        }
        within("annotate.stack", self.stack, 1, 50)?;
        within("annotate.max_words", self.max_words, 1, usize::MAX)?;
        match self.calibrate {
            Some(pairs @ (1..=19 | 1001..)) => {
                Err(Error::option("annotate.calibrate", pairs, "choose 0, or 20 to 1000"))
            }
            _ => Ok(()),
        }
    }
}
