//! Vectors of texts by a sentence model, those that are known already and those still to be made.

use hypothesaes_math::Matrix;
use rustc_hash::FxHashMap;

use super::{Embed, EmbedOptions, LocalEmbedder, pieces};
use crate::annotate::MEANING;
use crate::data::Texts;
use crate::watch::{Quiet, Watch};
use crate::{Error, Result};

/// Where vectors of texts come from, the same as those of the `embed` stage.
pub struct Vectors<'a> {
    embedder: Box<dyn Embed + 'a>,
    chunk: Option<usize>,
    /// Rows of the known vectors, by text.
    rows: FxHashMap<&'a str, usize>,
    known: Option<&'a Matrix>,
}

impl<'a> Vectors<'a> {
    /// By the sentence model of `options`.
    ///
    /// # Errors
    /// [`Error::Option`] if none embeds; as [`LocalEmbedder::open`].
    pub fn open(options: &EmbedOptions) -> Result<Self> {
        let folder = options.sentence_model().ok_or_else(|| no_sentence_model("embed.embedder"))?;
        Ok(Self::by(LocalEmbedder::open(folder, options)?, options.chunk))
    }

    /// By `embedder`, of texts that are cut into pieces of so many tokens.
    #[must_use]
    pub fn by(embedder: impl Embed + 'a, chunk: Option<usize>) -> Self {
        Self { embedder: Box::new(embedder), chunk, rows: FxHashMap::default(), known: None }
    }

    /// These texts have the vectors `x`, a row each, and need not be embedded again.
    #[must_use]
    pub fn knowing(mut self, texts: &'a Texts, x: &'a Matrix) -> Self {
        self.rows = texts.iter().zip(0..x.rows()).collect();
        self.known = Some(x);
        self
    }

    /// A row for each text, as [`super::embed`] makes it.
    ///
    /// # Errors
    /// As [`Embed::embed`].
    pub fn of(&self, texts: &Texts, watch: &dyn Watch) -> Result<Matrix> {
        let rows: Vec<Option<usize>> =
            texts.iter().map(|text| self.rows.get(text).copied()).collect();
        let missing: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].is_none()).collect();
        let watch = &Quiet(watch);
        let made = match self.chunk {
            _ if missing.is_empty() => None,
            None => Some(self.embedder.embed(&texts.gather(&missing), watch)?),
            Some(tokens) => {
                Some(pieces::embed(&*self.embedder, &texts.gather(&missing), tokens, watch)?)
            }
        };
        let dim = made.as_ref().or(self.known).map_or(0, Matrix::cols);
        let mut x = Matrix::zeros(rows.len(), dim);
        let mut next = 0;
        for (i, row) in rows.into_iter().enumerate() {
            let vector = match (row, self.known, &made) {
                (Some(row), Some(known), _) => known.row(row),
                (_, _, Some(made)) => {
                    next += 1;
                    made.row(next - 1)
                }
                _ => continue,
            };
            x.row_mut(i).copy_from_slice(vector);
        }
        Ok(x)
    }

    /// A row for each phrase.
    ///
    /// # Errors
    /// As [`Embed::embed`].
    pub fn of_phrases<P: AsRef<str>>(&self, phrases: &[P], watch: &dyn Watch) -> Result<Matrix> {
        let phrases: Texts = phrases.iter().map(AsRef::as_ref).collect();
        self.embedder.embed(&phrases, &Quiet(watch))
    }
}

/// [`Error::Option`] for an `option` that has meaning judged where no sentence model embeds.
pub(crate) fn no_sentence_model(option: &'static str) -> Error {
    let why = "meaning is judged by the sentence model that embeds: name its folder, or its name on the \
               hub, with `--embedder`";
    Error::option(option, MEANING, why)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::watch::Unwatched;

    /// Knows a few words, each a direction of its own, and what they have in common.
    pub struct Words;

    const KNOWN: [(&str, [f32; 4]); 6] = [
        ("wait", [1.0, 0.0, 0.0, 0.0]),
        ("queue", [0.8, 0.6, 0.0, 0.0]),
        ("rude", [0.0, 0.0, 1.0, 0.0]),
        ("impolite", [0.0, 0.1, 0.9, 0.0]),
        ("soup", [0.0, 0.0, 0.0, 1.0]),
        ("bread", [0.1, 0.0, 0.0, 0.9]),
    ];

    impl Embed for Words {
        fn id(&self) -> String {
            "words".into()
        }
        fn embed(&self, texts: &Texts, _: &dyn Watch) -> Result<Matrix> {
            let mut x = Matrix::zeros(texts.len(), 4);
            for (i, text) in texts.iter().enumerate() {
                for (_, vector) in KNOWN.iter().filter(|(word, _)| text.contains(word)) {
                    x.row_mut(i).iter_mut().zip(vector).for_each(|(x, v)| *x += v);
                }
                hypothesaes_math::vector::normalise(x.row_mut(i));
            }
            Ok(x)
        }
    }

    #[test]
    fn what_is_known_is_not_made_again() {
        let known: Texts = ["rude", "soup"].into_iter().collect();
        let x = Matrix::from_vec(2, 4, vec![9.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0]).unwrap();
        let vectors = Vectors::by(Words, None).knowing(&known, &x);
        let texts: Texts = ["wait", "soup", "rude", "soup"].into_iter().collect();
        let got = vectors.of(&texts, &Unwatched).unwrap();
        assert_eq!(got.row(0), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!((got.row(1), got.row(2), got.row(3)), (x.row(1), x.row(0), x.row(1)));
        let none = vectors.of(&Texts::default(), &Unwatched).unwrap();
        assert_eq!(none.rows(), 0);
    }

    #[test]
    fn another_embedder_than_a_sentence_model_is_refused() {
        let options = EmbedOptions { embedder: "tfidf-svd".into(), ..EmbedOptions::default() };
        let refused = Vectors::open(&options).err().unwrap().to_string();
        assert!(refused.contains("sentence model"), "{refused}");
    }
}
