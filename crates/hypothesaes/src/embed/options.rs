//! How texts are embedded.

use std::path::{Path, PathBuf};

use hypothesaes_encoder::Precision;
use hypothesaes_llm::server::Effort;
use serde::{Deserialize, Serialize};

use super::store::Element;
use crate::models::ModelOptions;
use crate::options::AUTO;
use crate::text::Language;
use crate::{Error, Result};

/// Name of the embedded default.
pub const TFIDF_SVD: &str = "tfidf-svd";
/// The model that is asked where the user names none.
pub const DEFAULT_MODEL: &str = "text-embedding-3-small";

/// How texts are embedded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbedOptions {
    /// What makes the vectors: `tfidf-svd`, the embedded one, the folder of a sentence model or its
    /// name on the hub, or the name of a server's model; `auto` is a server's model where there is a key,
    /// else a sentence model that is on this computer, else the embedded one.
    pub embedder: String,
    /// Where the sentence model lies; found by its name.
    pub folder: Option<PathBuf>,
    /// Folder in which models' vectors are kept; nowhere if there is none.
    #[serde(skip)]
    pub kept_in: Option<PathBuf>,
    /// In what models' vectors are kept: `f32`, or `f16`, which takes half the room and rounds them to 11 bits.
    pub kept_as: Element,
    /// What a sentence model reads before every text; by default what it was trained with.
    pub prefix: Option<String>,
    /// Tokens of a text that a sentence model reads at most; by default as many as it can.
    pub max_tokens: Option<usize>,
    /// Texts are cut into pieces of whole sentences, of so many tokens at most, and a text's vector is the
    /// mean of theirs; by default a text is embedded whole, as far as the model reads.
    pub chunk: Option<usize>,
    /// In what a sentence model computes: `f32`, as it was trained, or `int8`, which takes less time and
    /// changes vectors a little.
    pub precision: Precision,
    /// Entries of a vector of the embedded one; fewer if the texts do not hold as many directions.
    pub dim: usize,
    /// Entries of a model's vector; by default as many as the model gives.
    pub dimensions: Option<u32>,
    /// Language of the texts, for stemming; `none` leaves words as they are.
    pub language: Language,
    /// Discover texts the embedder learns from at most; of more, it takes a random sample.
    pub max_fit_texts: usize,
    /// Address of the model's server; by default `llm.base_url`.
    pub base_url: Option<String>,
    /// Environment variable of its key; by default `llm.key_env`.
    pub key_env: Option<String>,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self {
            embedder: AUTO.into(),
            folder: None,
            kept_in: None,
            kept_as: Element::default(),
            prefix: None,
            max_tokens: None,
            chunk: None,
            precision: Precision::default(),
            dim: 256,
            dimensions: None,
            language: Language::default(),
            max_fit_texts: 20_000,
            base_url: None,
            key_env: None,
        }
    }
}

impl EmbedOptions {
    /// Where the sentence model lies that embeds, if one does.
    pub(crate) fn sentence_model(&self) -> Option<&Path> {
        self.folder.as_deref().filter(|_| self.embedder != TFIDF_SVD)
    }

    /// The server's model that embeds, if one does.
    pub(crate) fn model(&self) -> Option<ModelOptions<'_>> {
        let name = self.embedder.as_str();
        (self.sentence_model().is_none() && ![AUTO, TFIDF_SVD].contains(&name)).then_some(
            ModelOptions {
                name,
                base_url: self.base_url.as_deref(),
                key_env: self.key_env.as_deref(),
                effort: Effort::Default,
                temperature: None,
                dimensions: self.dimensions,
            },
        )
    }

    /// # Errors
    /// [`Error::Option`] for a number out of range.
    pub fn check(&self) -> Result<()> {
        if self.embedder.trim().is_empty() {
            let allowed = format!("name a model, or `{TFIDF_SVD}`, the embedded one");
            return Err(Error::option("embed.embedder", &self.embedder, allowed));
        }
        if !(1..=4096).contains(&self.dim) {
            return Err(Error::option("embed.dim", self.dim, "choose 1 to 4096"));
        }
        if self.dimensions.is_some_and(|dim| !(1..=65_536).contains(&dim)) {
            let value = self.dimensions.unwrap_or_default();
            return Err(Error::option("embed.dimensions", value, "choose 1 to 65536"));
        }
        if self.max_tokens.is_some_and(|most| most < 3) {
            let value = self.max_tokens.unwrap_or_default();
            return Err(Error::option("embed.max_tokens", value, "at least 3"));
        }
        check_chunk("embed.chunk", self.chunk)?;
        if self.max_fit_texts < 100 {
            return Err(Error::option("embed.max_fit_texts", self.max_fit_texts, "at least 100"));
        }
        Ok(())
    }
}

/// Tokens of a piece of a text.
///
/// # Errors
/// [`Error::Option`] if they are too few to say anything.
pub(crate) fn check_chunk(option: &'static str, tokens: Option<usize>) -> Result<()> {
    match tokens {
        Some(tokens) if tokens < 8 => Err(Error::option(option, tokens, "at least 8")),
        _ => Ok(()),
    }
}
