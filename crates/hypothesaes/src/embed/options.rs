//! How texts are embedded.

use serde::{Deserialize, Serialize};

use crate::text::Language;
use crate::{Error, Result};

/// Name of the embedded default.
pub(super) const TFIDF_SVD: &str = "tfidf-svd";

/// How texts are embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbedOptions {
    /// What makes the vectors: `tfidf-svd`, the embedded one.
    pub embedder: String,
    /// Entries of a vector; fewer if the texts do not hold as many directions.
    pub dim: usize,
    /// Language of the texts, for stemming; `none` leaves words as they are.
    pub language: Language,
    /// Discover texts the embedder learns from at most; of more, it takes a random sample.
    pub max_fit_texts: usize,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self {
            embedder: TFIDF_SVD.into(),
            dim: 256,
            language: Language::default(),
            max_fit_texts: 20_000,
        }
    }
}

impl EmbedOptions {
    /// # Errors
    /// [`Error::Option`] for an embedder that is not there, or a number out of range.
    pub fn check(&self) -> Result<()> {
        if self.embedder != TFIDF_SVD {
            let allowed = format!("there is no such embedder, the embedded one is `{TFIDF_SVD}`");
            return Err(Error::option("embed.embedder", &self.embedder, allowed));
        }
        if !(1..=4096).contains(&self.dim) {
            return Err(Error::option("embed.dim", self.dim, "choose 1 to 4096"));
        }
        if self.max_fit_texts < 100 {
            return Err(Error::option("embed.max_fit_texts", self.max_fit_texts, "at least 100"));
        }
        Ok(())
    }
}
