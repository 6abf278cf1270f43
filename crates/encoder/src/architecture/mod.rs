//! From a configuration and named tensors to a stack of blocks.

mod albert;
mod bert;
mod distilbert;
mod modernbert;
mod mpnet;
mod nomic;

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::attention::Attention;
use crate::linear::Linear;
use crate::ops::{Activation, Norm};
use crate::transformer::{Block, Embeddings, Mlp, Norms, Transformer};
use crate::weights::Weights;
use crate::{Error, Result};

/// Values of `model_type` that are known.
const KNOWN: [&str; 11] = [
    "albert",
    "bert",
    "camembert",
    "distilbert",
    "electra",
    "modernbert",
    "mpnet",
    "nomic_bert",
    "roberta",
    "xlm-roberta",
    "model2vec",
];

/// The model that `config.json`, at `path`, describes.
pub(crate) fn read(config: &Value, path: &Path, weights: &mut Weights) -> Result<Transformer> {
    let kind = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let config = Config { value: config, path };
    match kind {
        "bert" | "electra" | "roberta" | "xlm-roberta" | "camembert" => {
            bert::read(&config, weights, kind)
        }
        "albert" => albert::read(&config, weights),
        "distilbert" => distilbert::read(&config, weights),
        "modernbert" => modernbert::read(&config, weights),
        "mpnet" => mpnet::read(&config, weights),
        "nomic_bert" => nomic::read(&config, weights),
        other => {
            Err(Error::Unknown { path: path.to_owned(), kind: other.into(), known: KNOWN.to_vec() })
        }
    }
}

/// `config.json`.
struct Config<'a> {
    value: &'a Value,
    path: &'a Path,
}

impl Config<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(self.value).map_err(|e| Error::model(self.path, e.to_string()))
    }

    fn activation(&self, name: &str) -> Result<Activation> {
        Activation::named(name, self.path)
    }

    /// Heads must share a token's vector evenly.
    fn check(&self, h: usize, heads: usize) -> Result<()> {
        if heads == 0 || h == 0 || !h.is_multiple_of(heads) {
            let message = format!("{heads} heads do not share {h} numbers evenly");
            return Err(Error::model(self.path, message));
        }
        Ok(())
    }
}

/// What the configurations of BERT and its kin share.
#[derive(Deserialize)]
struct Kin {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    max_position_embeddings: usize,
    layer_norm_eps: f32,
    #[serde(default = "absolute")]
    position_embedding_type: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "the field's type")]
fn absolute() -> Option<String> {
    Some("absolute".into())
}

impl Kin {
    fn read(config: &Config) -> Result<Self> {
        let kin: Self = config.parse()?;
        config.check(kin.hidden_size, kin.num_attention_heads)?;
        if let Some(other) = kin.position_embedding_type.as_deref().filter(|p| *p != "absolute") {
            let message = format!("positions of the type `{other}` are not known here");
            return Err(Error::model(config.path, message));
        }
        Ok(kin)
    }
}

/// How fast positions turn, as later versions of transformers have it.
#[derive(Deserialize)]
struct Rope {
    rope_theta: f64,
}

/// A product with the tensors `NAME.weight` and, if it is there, `NAME.bias`.
fn linear(weights: &Weights, name: &str, ins: usize, outs: usize) -> Result<Linear> {
    stacked(weights, &[name], ins, outs)
}

/// Products with the same input, one after the other; each gives `outs` numbers.
fn stacked(weights: &Weights, names: &[&str], ins: usize, outs: usize) -> Result<Linear> {
    let (mut weight, mut bias) = (Vec::with_capacity(names.len() * ins * outs), Vec::new());
    for name in names {
        weight.extend(weights.tensor(&format!("{name}.weight"), &[outs, ins])?);
        bias.extend(weights.if_there(&format!("{name}.bias"), &[outs])?.unwrap_or_default());
    }
    let bias = (!bias.is_empty()).then_some(bias);
    if bias.as_ref().is_some_and(|bias| bias.len() != names.len() * outs) {
        return Err(Error::model(weights.path(), format!("some of `{names:?}` have no bias")));
    }
    Ok(Linear::new(&weight, bias, ins, weights.precision))
}

/// Words, `positions` from the row `skipped` on, and the first kind of token, below `embeddings`.
fn embeddings(
    weights: &Weights,
    width: usize,
    (positions, skipped): (usize, usize),
    eps: f32,
) -> Result<Embeddings> {
    let [vocabulary, _] = weights.shape("embeddings.word_embeddings.weight")?;
    let words = weights.tensor("embeddings.word_embeddings.weight", &[vocabulary, width])?;
    let name = "embeddings.position_embeddings.weight";
    let table = weights.tensor(name, &[positions, width])?;
    if positions <= skipped {
        let message = format!("`{name}` has {positions} positions, {skipped} of them for padding");
        return Err(Error::model(weights.path(), message));
    }
    Ok(Embeddings {
        words,
        width,
        positions: Some(table[skipped * width..].to_vec()),
        kind: kind(weights, width)?,
        norm: Some(Norm::read(weights, "embeddings.LayerNorm", width, eps)?),
        widen: None,
    })
}

/// The vector of the first kind of token, if there are kinds.
fn kind(weights: &Weights, width: usize) -> Result<Option<Vec<f32>>> {
    let name = "embeddings.token_type_embeddings.weight";
    if !weights.has(name) {
        return Ok(None);
    }
    let mut all = weights.tensor(name, &[weights.shape(name)?[0], width])?;
    all.truncate(width);
    Ok((!all.is_empty()).then_some(all))
}
