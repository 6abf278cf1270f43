//! A language model's embeddings.

use hypothesaes_llm::ask::Task;
use hypothesaes_llm::client::Client;
use hypothesaes_llm::server::Model;
use hypothesaes_math::Matrix;
use hypothesaes_math::vector::normalise;

use super::Embed;
use crate::data::Texts;
use crate::models::Asking;
use crate::watch::Watch;
use crate::{Error, Result};

/// Asks a server for vectors; each is kept as it arrives, and never asked for again.
pub struct ModelEmbedder<'a> {
    client: &'a Client,
    model: &'a Model,
}

impl<'a> ModelEmbedder<'a> {
    #[must_use]
    pub fn new(client: &'a Client, model: &'a Model) -> Self {
        Self { client, model }
    }
}

impl Embed for ModelEmbedder<'_> {
    fn id(&self) -> String {
        self.model.identity()
    }

    fn embed(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix> {
        let task = Task { stage: "embed", model: self.model };
        let texts: Vec<&str> = texts.iter().collect();
        let vectors = self.client.embed(task, &texts, &Asking(watch))?;
        matrix(&vectors, &self.model.name)
    }

    fn may_lack(&self) -> bool {
        true
    }
}

/// Vectors as rows of unit length; zeros where there is none.
fn matrix(vectors: &[Option<Vec<f32>>], model: &str) -> Result<Matrix> {
    let Some(dim) = vectors.iter().flatten().map(Vec::len).find(|&dim| dim > 0) else {
        return Err(Error::Data(format!("`{model}` gives no vector for any text")));
    };
    let mut data = vec![0.0; vectors.len() * dim];
    for (row, vector) in data.chunks_exact_mut(dim).zip(vectors) {
        let Some(vector) = vector else { continue };
        if vector.len() != dim || vector.iter().any(|v| !v.is_finite()) {
            return Err(Error::Data(format!(
                "`{model}` gives vectors of {dim} and of {} entries, or entries that are no \
                 numbers: is it an embedding model?",
                vector.len()
            )));
        }
        row.copy_from_slice(vector);
        normalise(row);
    }
    Ok(Matrix::from_vec(vectors.len(), dim, data)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_unit_length_and_lacking_ones_are_zero() {
        let x = matrix(&[Some(vec![3.0, 4.0]), None], "m").unwrap();
        assert_eq!((x.row(0), x.row(1)), (&[0.6, 0.8][..], &[0.0, 0.0][..]));
        assert!(matrix(&[None], "m").is_err());
        assert!(matrix(&[Some(vec![1.0]), Some(vec![1.0, 2.0])], "m").is_err());
        assert!(matrix(&[Some(vec![f32::NAN])], "m").is_err());
    }
}
