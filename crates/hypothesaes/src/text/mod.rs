//! Texts in, words and stems out: the analysis that the embedded embedder, interpreter and
//! annotator share, so that a phrase means the same in all three.
//!
//! A *word* is a stretch of text as it was written, its *surface* is the word in lower case, and
//! its *stem* is what words that differ in case, accents, apostrophes or inflection have in common.
//! Stop words stay: phrases such as `not worth` need them.

mod analyzer;
mod chunks;
mod corpus;
mod language;
mod tokens;
mod words;

pub use analyzer::{Analyzer, Word};
pub(crate) use chunks::{about_tokens, chunks};
pub use corpus::Corpus;
pub use language::Language;
pub(crate) use tokens::Tokens;

fn as_id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 distinct words fit in memory")
}
