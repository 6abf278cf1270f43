//! Vectors that models make, kept so that no text is embedded twice.

use std::path::PathBuf;

use hypothesaes_math::Matrix;
use hypothesaes_math::vector::normalise;
use rustc_hash::FxHashMap;

use super::EmbedOptions;
use super::store::{self, Element, Key, Space, VectorStore, Writer, WriterOptions};
use crate::Result;
use crate::watch::Watch;

/// Where vectors are kept, and in what.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    folder: PathBuf,
    element: Element,
}

impl Keep {
    pub fn of(options: &EmbedOptions) -> Option<Self> {
        let folder = options.kept_in.clone()?;
        Some(Self { folder, element: options.kept_as })
    }

    fn open(&self, embedder: &str, dim: usize, watch: &dyn Watch) -> Result<VectorStore> {
        let space = Space { embedder: embedder.into(), dim, element: self.element };
        let (store, notes) = VectorStore::open(&self.folder, &space)?;
        for note in &notes {
            watch.say(note);
        }
        Ok(store)
    }

    /// How many of these distinct texts have their vector of `embedder` kept.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn n_kept(&self, embedder: &str, texts: &[&str], watch: &dyn Watch) -> Result<usize> {
        let Some(dim) = store::dim(&self.folder, embedder, self.element)? else { return Ok(0) };
        let keys: Vec<Key> = texts.iter().map(|text| Key::of(text)).collect();
        let store = self.open(embedder, dim, watch)?;
        Ok(store.find(&keys).into_iter().flatten().count())
    }
}

/// Vectors of texts, row by row: those that are kept, then those that are made.
pub(super) struct Rows<'a> {
    keep: Option<&'a Keep>,
    embedder: String,
    keys: Vec<Key>,
    /// Of each text the first one that is equal to it.
    first: Vec<usize>,
    /// n x dim; empty as long as the dimension is not known.
    x: Vec<f32>,
    dim: usize,
    writer: Option<Writer>,
    /// Texts whose vectors are to be made, of equal ones the first.
    pub missing: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// Finds what is kept of `embedder`; `dim` is left out where only the vectors tell it.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn of(
        texts: &[&str],
        embedder: String,
        dim: Option<usize>,
        keep: Option<&'a Keep>,
        watch: &dyn Watch,
    ) -> Result<Self> {
        let keys: Vec<Key> = texts.iter().map(|text| Key::of(text)).collect();
        let mut seen = FxHashMap::default();
        let first = keys.iter().enumerate().map(|(i, key)| *seen.entry(*key).or_insert(i));
        let first: Vec<usize> = first.collect();
        let missing = (0..texts.len()).filter(|&i| first[i] == i).collect();
        let (x, writer) = (Vec::new(), None);
        let mut rows = Self { keep, embedder, keys, first, x, dim: 0, writer, missing };
        let known = match (dim, keep) {
            (None, Some(keep)) => store::dim(&keep.folder, &rows.embedder, keep.element)?,
            (dim, _) => dim,
        };
        if let Some(dim) = known {
            rows.open(dim, watch)?;
        }
        Ok(rows)
    }

    /// Now that the dimension is known.
    fn open(&mut self, dim: usize, watch: &dyn Watch) -> Result<()> {
        let n = self.keys.len();
        (self.dim, self.x) = (dim, vec![0.0; n * dim]);
        let Some(keep) = self.keep else { return Ok(()) };
        let store = keep.open(&self.embedder, dim, watch)?;
        let missing = store.fill(&self.keys, &mut self.x)?;
        let known = n - missing.len();
        self.missing = missing.into_iter().filter(|&i| self.first[i] == i).collect();
        if known > 0 {
            watch.say(&format!("{known} of {n} texts have been embedded before"));
        }
        self.writer = Some(store.writer(WriterOptions::default()));
        Ok(())
    }

    /// Texts that need no vector made.
    pub fn known(&self) -> usize {
        self.keys.len() - self.missing.len()
    }

    /// Numbers of a vector; 0 as long as that is not known.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The vector of text `i`, which is missing, brought to length 1.
    ///
    /// # Errors
    /// [`crate::Error::File`] if it cannot be kept; [`crate::Error::Data`] for numbers that are not finite
    /// or another dimension.
    pub fn put(&mut self, i: usize, vector: &[f32], watch: &dyn Watch) -> Result<()> {
        if self.dim == 0 {
            let missing = std::mem::take(&mut self.missing);
            self.open(vector.len(), watch)?;
            self.missing = missing;
        }
        let row = &mut self.x[i * self.dim..(i + 1) * self.dim];
        row.copy_from_slice(vector);
        normalise(row);
        if let Some(keep) = self.keep {
            keep.element.round(row);
        }
        match &mut self.writer {
            Some(writer) => writer.push(self.keys[i], row),
            None => Ok(()),
        }
    }

    /// Everything that was put is on disk when this returns.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn flush(&mut self) -> Result<()> {
        self.writer.as_mut().map_or(Ok(()), Writer::flush)
    }

    /// All vectors (n x dim); zeros where none was put.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn finish(mut self, watch: &dyn Watch) -> Result<Matrix> {
        let written = self.writer.take().map(Writer::finish).transpose()?.unwrap_or_default();
        for note in &written.notes {
            watch.say(note);
        }
        let dim = self.dim;
        for (i, &first) in self.first.iter().enumerate().filter(|(i, first)| i != *first) {
            self.x.copy_within(first * dim..(first + 1) * dim, i * dim);
        }
        Ok(Matrix::from_vec(self.keys.len(), dim, self.x)?)
    }
}
