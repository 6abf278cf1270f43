//! `embed`: a vector for every text, by an embedder fitted on the discover texts alone.

use std::sync::OnceLock;

use hypothesaes_math::{Matrix, Rows};

use crate::Result;
use crate::data::{Dataset, Split};
use crate::embed;
use crate::run::Context;
use crate::store::{Stage, vectors};
use crate::tensors::VectorFile;

pub(crate) const EMBEDDINGS: &str = "embed/embeddings.safetensors";

/// The vectors of all texts, which take memory only once somebody wants all of them.
pub(crate) struct Embedded {
    whole: OnceLock<Matrix>,
    /// Where they are, if they were made before.
    file: Option<VectorFile>,
}

pub(crate) fn embed(context: &mut Context, data: &Dataset) -> Result<Embedded> {
    let identity = context.identity(Stage::Embed);
    let Context { run, options, watch, models, .. } = context;
    let (options, watch, models) = (*options, *watch, *models);
    run.stage(
        Stage::Embed,
        identity,
        watch,
        |out| {
            let discover = data.texts.gather(&data.texts_in(Split::Discover));
            let embedder = embed::fit(&discover, &options.embed, models, options.seed, watch)?;
            let (x, lacking) = embed::embed(&*embedder, &data.texts, options.embed.chunk, watch)?;
            vectors::write(out, EMBEDDINGS, &x, &embedder.id())?;
            out.lacks(lacking);
            Ok(Embedded { whole: x.into(), file: None })
        },
        |folder| {
            let file = Some(VectorFile::open(&folder.join(EMBEDDINGS))?);
            Ok(Embedded { whole: OnceLock::new(), file })
        },
    )
}

impl Embedded {
    /// All of them, texts x numbers.
    pub fn whole(&self) -> Result<&Matrix> {
        if let (None, Some(file)) = (self.whole.get(), &self.file) {
            let _ = self.whole.set(file.load()?);
        }
        Ok(self.whole.get().expect("made, or read just now"))
    }

    /// In memory or not.
    fn rows(&self) -> &dyn Rows {
        match (self.whole.get(), &self.file) {
            (Some(whole), _) => whole,
            (None, Some(file)) => file,
            (None, None) => unreachable!("vectors are made or in a file"),
        }
    }

    /// Those of some texts, whose numbers rise.
    pub fn of(&self, texts: &[usize]) -> Result<Matrix> {
        let mut buffer = Vec::new();
        let rows = self.rows().fetch(texts, &mut buffer)?;
        let mut x = Matrix::zeros(rows.len(), self.dim());
        rows.iter().enumerate().for_each(|(i, row)| x.row_mut(i).copy_from_slice(row));
        Ok(x)
    }
}

impl Rows for Embedded {
    fn n_rows(&self) -> usize {
        self.rows().n_rows()
    }

    fn dim(&self) -> usize {
        self.rows().dim()
    }

    fn fetch<'a>(
        &'a self,
        index: &[usize],
        buffer: &'a mut Vec<f32>,
    ) -> hypothesaes_math::Result<Vec<&'a [f32]>> {
        self.rows().fetch(index, buffer)
    }
}
