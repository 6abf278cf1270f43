//! Models that know a vector per token, and take the mean.

use std::path::Path;

use serde::Deserialize;

use crate::folder;
use crate::ops::normalise;
use crate::tokens::Tokens;
use crate::weights::Weights;
use crate::{Error, Precision, Result};

/// A vector for every token.
pub(crate) struct Static {
    /// Rows x width.
    table: Vec<f32>,
    width: usize,
    /// The row of every token, where they are not numbered alike.
    rows: Option<Vec<usize>>,
    /// The weight of every token in the mean.
    weights: Option<Vec<f32>>,
    /// A token that is left out.
    unknown: Option<u32>,
    normalised: bool,
}

/// model2vec's `config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    model_type: Option<String>,
    normalize: Option<bool>,
    max_length: Option<usize>,
}

/// Tokens that model2vec reads at most.
const MODEL2VEC: usize = 512;

impl Static {
    /// A folder of model2vec's, or of the module `StaticEmbedding`.
    pub fn open(folder: &Path) -> Result<(Self, Tokens)> {
        let weights = Weights::open(folder, Precision::F32)?;
        let path = folder.join("config.json");
        let config: Config =
            if path.is_file() { folder::required(&path)? } else { Config::default() };
        let by_model2vec = config.model_type.as_deref() == Some("model2vec");
        let names = ["embeddings", "embedding.weight"];
        let name = names.into_iter().find(|name| weights.has(name)).ok_or_else(|| {
            Error::model(weights.path(), "lacks the tensor `embeddings` or `embedding.weight`")
        })?;
        let [rows, width] = weights.shape(name)?;
        let table = weights.tensor(name, &[rows, width])?;
        let most = by_model2vec.then(|| config.max_length.unwrap_or(MODEL2VEC));
        let mut tokens = Tokens::open(folder, most, false, false)?;
        most.inspect(|most| tokens.cut_after(*most));
        let own = weights.vector("weights")?;
        let mapping = weights.whole("mapping")?;
        if mapping.iter().flatten().any(|row| *row >= rows) {
            return Err(Error::model(weights.path(), "`mapping` names rows that are not there"));
        }
        tokens.check(mapping.as_ref().map_or(rows, Vec::len))?;
        if own.as_ref().is_some_and(|own| own.len() < mapping.as_ref().map_or(rows, Vec::len)) {
            return Err(Error::model(weights.path(), "`weights` has too few entries"));
        }
        let found = Self {
            table,
            width,
            rows: mapping,
            weights: own,
            unknown: by_model2vec.then(|| tokens.unknown()).flatten(),
            normalised: by_model2vec && config.normalize.unwrap_or(true),
        };
        Ok((found, tokens))
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// The tokens that count.
    pub fn known(&self, mut ids: Vec<u32>) -> Vec<u32> {
        ids.retain(|id| Some(*id) != self.unknown);
        ids
    }

    /// Zeros without any token.
    pub fn mean(&self, ids: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.width];
        for id in ids.iter().map(|id| *id as usize) {
            let row = self.rows.as_ref().map_or(id, |rows| rows[id]);
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[id]);
            let of = &self.table[row * self.width..(row + 1) * self.width];
            sum.iter_mut().zip(of).for_each(|(sum, v)| *sum += weight * v);
        }
        for v in &mut sum {
            *v /= ids.len().max(1) as f32;
        }
        if self.normalised {
            normalise(&mut sum);
        }
        sum
    }
}
