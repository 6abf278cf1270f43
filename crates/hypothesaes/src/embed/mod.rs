//! Texts in, vectors out.
//!
//! The embedder is fitted on the discover texts alone and applied to all. [`Embed`] is the seam:
//! behind it stands the embedded default, which knows words and parts of words but not their
//! meaning, or a language model.

mod features;
mod grams;
mod options;
mod spread;
#[cfg(test)]
mod tests;
mod tfidf_svd;

use hypothesaes_math::Matrix;

pub use options::EmbedOptions;
pub use tfidf_svd::TfidfSvd;

use crate::Result;
use crate::data::Texts;
use crate::watch::Watch;

/// Goes up with every change that makes equal texts and options give other vectors.
pub const VERSION: u32 = 1;

/// Turns texts into vectors.
pub trait Embed: Send + Sync {
    /// Names everything that determines a vector: two embedders with equal ids give equal vectors.
    fn id(&self) -> String;
    /// Entries of a vector.
    fn dim(&self) -> usize;
    /// One row per text, of unit length; zeros for a text of which the embedder knows nothing.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`], and whatever keeps the embedder from working.
    fn embed(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix>;
}

/// The embedder that `options` names, fitted on the discover texts if it learns from texts.
///
/// # Errors
/// [`crate::Error::Option`]; [`crate::Error::Data`] if the texts have no words;
/// [`crate::Error::Interrupted`].
pub fn fit(
    discover: &Texts,
    options: &EmbedOptions,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Box<dyn Embed>> {
    options.check()?;
    Ok(Box::new(TfidfSvd::fit(discover, options, seed, watch)?))
}

/// Vectors of all texts (n x d), with a line to the user about those that could not be told.
///
/// # Errors
/// As [`Embed::embed`].
pub fn embed(embedder: &dyn Embed, texts: &Texts, watch: &dyn Watch) -> Result<Matrix> {
    watch.begin("embed", texts.len() as u64, "texts");
    let x = embedder.embed(texts, watch)?;
    let unknown = (0..x.rows()).filter(|&i| x.row(i).iter().all(|&v| v == 0.0)).count();
    if unknown > 0 {
        watch.say(&format!(
            "{unknown} of {} texts hold nothing the embedder knows; their vectors are zero",
            texts.len()
        ));
    }
    watch.end(&format!("{} texts, {} dimensions", texts.len(), embedder.dim()));
    Ok(x)
}

fn as_id(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 features and texts fit in memory")
}
