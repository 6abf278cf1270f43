//! Texts in, vectors out.
//!
//! The embedder is fitted on the discover texts alone and applied to all. [`Embed`] is the seam:
//! behind it stands the embedded default, which knows words and parts of words but not their
//! meaning, a sentence model on this computer, or a server's model.

mod features;
mod grams;
mod hub;
mod keep;
pub(crate) mod local;
mod model;
mod options;
mod pieces;
mod spread;
pub mod store;
#[cfg(test)]
mod tests;
mod tfidf_svd;
pub(crate) mod vectors;

use hypothesaes_math::Matrix;

pub use local::LocalEmbedder;
pub use model::ModelEmbedder;
pub(crate) use options::check_chunk;
pub use options::{DEFAULT_MODEL, EmbedOptions, TFIDF_SVD};
pub use tfidf_svd::TfidfSvd;
pub use vectors::Vectors;
pub(crate) use vectors::no_sentence_model;

use crate::Result;
use crate::data::Texts;
use crate::models::{Models, Use, no_model};
use crate::text::about_tokens;
use crate::watch::Watch;

/// Goes up with every change that makes equal texts and options give other vectors.
pub const VERSION: u32 = 1;

/// Turns texts into vectors.
pub trait Embed: Sync {
    /// Names everything that determines a vector: two embedders with equal ids give equal vectors.
    fn id(&self) -> String;
    /// One row per text, of unit length; zeros for a text of which the embedder knows nothing.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`], and whatever keeps the embedder from working.
    fn embed(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix>;
    /// Tokens of a text; about so many where the embedder has none of its own.
    fn tokens(&self, text: &str) -> usize {
        about_tokens(text)
    }
    /// Tokens of a text beyond which it is not read.
    fn max_tokens(&self) -> Option<usize> {
        None
    }
    /// Whether zeros stand for a vector that could not be had, and may be had another time.
    fn may_lack(&self) -> bool {
        false
    }
}

/// The embedder that `options` names, fitted on the discover texts if it learns from texts.
///
/// # Errors
/// [`crate::Error::Option`], also if `models` has none to embed; [`crate::Error::Data`] if the
/// texts have no words; [`crate::Error::Interrupted`].
pub fn fit<'a>(
    discover: &Texts,
    options: &EmbedOptions,
    models: Option<&'a Models>,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Box<dyn Embed + 'a>> {
    options.check()?;
    if let Some(folder) = options.sentence_model() {
        return Ok(Box::new(LocalEmbedder::open(folder, options)?));
    }
    if let Some(model) = options.model() {
        let models = models.ok_or_else(|| no_model(Use::Embed, model.name))?;
        let model = models.of(Use::Embed).ok_or_else(|| no_model(Use::Embed, model.name))?;
        return Ok(Box::new(ModelEmbedder::new(models.client(), model, options)));
    }
    Ok(Box::new(TfidfSvd::fit(discover, options, seed, watch)?))
}

/// Vectors of all texts (n x d), and how many could not be had; with a line to the user about
/// those and about texts that could not be told. With `chunk`, a text is cut into pieces of so many tokens
/// and its vector is the mean of theirs.
///
/// # Errors
/// As [`Embed::embed`].
pub fn embed(
    embedder: &dyn Embed,
    texts: &Texts,
    chunk: Option<usize>,
    watch: &dyn Watch,
) -> Result<(Matrix, usize)> {
    let n = texts.len();
    let x = match chunk {
        None => {
            watch.begin("embed", n as u64, "texts");
            embedder.embed(texts, watch)?
        }
        Some(tokens) => pieces::embed(embedder, texts, tokens, watch)?,
    };
    let unknown = (0..x.rows()).filter(|&i| x.row(i).iter().all(|&v| v == 0.0)).count();
    let lacking = if embedder.may_lack() { unknown } else { 0 };
    if lacking > 0 {
        watch.say(&format!(
            "{lacking} of {n} texts have no vector; theirs are zero, and the next run asks again"
        ));
    } else if unknown > 0 {
        watch.say(&format!(
            "{unknown} of {n} texts hold nothing the embedder knows; their vectors are zero"
        ));
    }
    watch.end(&format!("{n} texts, {} dimensions", x.cols()));
    Ok((x, lacking))
}

fn as_id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 features and texts fit in memory")
}
