//! A language model's embeddings.

use hypothesaes_llm::ask::Task;
use hypothesaes_llm::client::Client;
use hypothesaes_llm::server::Model;
use hypothesaes_math::Matrix;

use super::keep::{Keep, Rows};
use super::{Embed, EmbedOptions};
use crate::data::Texts;
use crate::models::Asking;
use crate::watch::Watch;
use crate::{Error, Result};

/// Texts whose vectors are in memory once more before they are put in place.
const AT_ONCE: usize = 16_384;

/// Asks a server for vectors; each is on disk as it arrives, and never asked for again.
pub struct ModelEmbedder<'a> {
    client: &'a Client,
    model: &'a Model,
    keep: Option<Keep>,
}

impl<'a> ModelEmbedder<'a> {
    #[must_use]
    pub fn new(client: &'a Client, model: &'a Model, options: &EmbedOptions) -> Self {
        Self { client, model, keep: Keep::of(options) }
    }

    /// How many of these distinct texts need not be asked for.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Llm`].
    pub fn n_known(&self, texts: &[&str], watch: &dyn Watch) -> Result<usize> {
        let kept = match &self.keep {
            Some(keep) => keep.n_kept(&self.id(), texts, watch)?,
            None => 0,
        };
        // Vectors stay among the answers too, where Python's functions look for them.
        Ok(kept.max(self.client.n_embedded(self.model, texts)?))
    }

    /// The vectors of some texts, put in place and into the store of vectors.
    fn part(
        &self,
        texts: &[&str],
        places: &[usize],
        rows: &mut Rows,
        watch: &dyn Watch,
    ) -> Result<()> {
        let task = Task { stage: "embed", model: self.model };
        let asked: Vec<&str> = places.iter().map(|&i| texts[i]).collect();
        let vectors = self.client.embed(task, &asked, &Asking(watch))?;
        for (&i, vector) in places.iter().zip(vectors) {
            let Some(vector) = vector else { continue };
            check(&vector, rows.dim(), &self.model.name)?;
            rows.put(i, &vector, watch)?;
        }
        rows.flush()
    }
}

impl Embed for ModelEmbedder<'_> {
    fn id(&self) -> String {
        self.model.identity()
    }

    fn embed(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix> {
        let texts: Vec<&str> = texts.iter().collect();
        let mut rows = Rows::of(&texts, self.id(), None, self.keep.as_ref(), watch)?;
        watch.advance(rows.known() as u64);
        let missing = rows.missing.clone();
        // A batch job takes hours, however many texts it holds.
        let at_once = if self.client.options().batch { missing.len() } else { AT_ONCE };
        for places in missing.chunks(at_once.max(1)) {
            self.part(&texts, places, &mut rows, watch)?;
        }
        if rows.dim() == 0 {
            return Err(Error::Data(format!("`{}` gives no vector for any text", self.model.name)));
        }
        rows.finish(watch)
    }

    fn may_lack(&self) -> bool {
        true
    }
}

/// That a vector is one, of as many numbers as the others.
fn check(vector: &[f32], dim: usize, model: &str) -> Result<()> {
    let n = vector.len();
    if n == 0 || (dim > 0 && n != dim) || vector.iter().any(|v| !v.is_finite()) {
        return Err(Error::Data(format!(
            "`{model}` gives vectors of {dim} and of {n} entries, or entries that are no numbers: is it an \
             embedding model?"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_vector_is_refused() {
        assert!(check(&[3.0, 4.0], 0, "m").is_ok() && check(&[3.0, 4.0], 2, "m").is_ok());
        for (vector, dim) in [(&[][..], 0), (&[1.0][..], 2), (&[f32::NAN][..], 1)] {
            assert!(check(vector, dim, "m").is_err());
        }
    }
}
