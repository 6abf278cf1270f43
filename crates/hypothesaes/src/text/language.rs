//! The languages whose inflections are known.

use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

/// Language of the texts: decides how words are stemmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Arabic,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
    /// Any other, or a mixture: words are not stemmed.
    None,
}

impl Language {
    /// The Snowball stemmer.
    pub(super) fn stemmer(self) -> Option<Stemmer> {
        let algorithm = match self {
            Self::Arabic => Algorithm::Arabic,
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::English => Algorithm::English,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Greek => Algorithm::Greek,
            Self::Hungarian => Algorithm::Hungarian,
            Self::Italian => Algorithm::Italian,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Russian => Algorithm::Russian,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Tamil => Algorithm::Tamil,
            Self::Turkish => Algorithm::Turkish,
            Self::None => return None,
        };
        Some(Stemmer::create(algorithm))
    }

    /// Whether an apostrophe ends a word, as in `l'homme`.
    pub(super) fn elides(self) -> bool {
        matches!(self, Self::French | Self::Italian)
    }

    /// Whether accents are folded before stemming. English borrows its accented words, so that
    /// `cliché` and `cliche` must meet before their endings are cut; other stemmers need accents
    /// to know an ending.
    pub(super) fn folds_first(self) -> bool {
        matches!(self, Self::English)
    }
}
