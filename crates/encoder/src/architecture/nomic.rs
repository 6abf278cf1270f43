//! Nomic's BERT: positions as rotations, a gated network, no biases.

use std::sync::Arc;

use super::{
    Attention, Block, Config, Deserialize, Embeddings, Error, Mlp, Norm, Norms, Result, Rope,
    Transformer, Weights, kind, linear, stacked,
};
use crate::attention::Rotary;

/// As the hub's models have it, and as later versions of transformers do.
#[derive(Deserialize)]
struct Own {
    #[serde(alias = "hidden_size")]
    n_embd: usize,
    #[serde(alias = "num_hidden_layers")]
    n_layer: usize,
    #[serde(alias = "num_attention_heads")]
    n_head: usize,
    #[serde(alias = "intermediate_size")]
    n_inner: usize,
    #[serde(alias = "max_position_embeddings")]
    n_positions: usize,
    #[serde(alias = "hidden_act")]
    activation_function: String,
    #[serde(alias = "layer_norm_eps")]
    layer_norm_epsilon: f32,
    #[serde(default)]
    prenorm: bool,
    #[serde(default = "one")]
    rotary_emb_fraction: f64,
    #[serde(default = "base")]
    rotary_emb_base: f64,
    #[serde(default)]
    rotary_emb_interleaved: bool,
    rope_parameters: Option<Rope>,
}

fn one() -> f64 {
    1.0
}

fn base() -> f64 {
    10_000.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn read(config: &Config, weights: &mut Weights) -> Result<Transformer> {
    weights.strip_before("embeddings.word_embeddings.weight");
    let own: Own = config.parse()?;
    config.check(own.n_embd, own.n_head)?;
    let turns = own.rotary_emb_fraction > 0.0 && own.rotary_emb_fraction <= 1.0;
    if own.prenorm || own.rotary_emb_interleaved || !turns {
        let message = "of this kind only those with `prenorm` false, `rotary_emb_interleaved` false \
                       and `rotary_emb_fraction` above 0 and at most 1 are known here";
        return Err(Error::model(config.path, message));
    }
    let (h, d) = (own.n_embd, own.n_embd / own.n_head);
    let [vocabulary, _] = weights.shape("embeddings.word_embeddings.weight")?;
    let embeddings = Embeddings {
        words: weights.tensor("embeddings.word_embeddings.weight", &[vocabulary, h])?,
        width: h,
        positions: None,
        kind: kind(weights, h)?,
        norm: Some(Norm::read(weights, "emb_ln", h, own.layer_norm_epsilon)?),
        widen: None,
    };
    let turned = (d as f64 * own.rotary_emb_fraction) as usize;
    let base = own.rope_parameters.as_ref().map_or(own.rotary_emb_base, |rope| rope.rope_theta);
    let rotary = Arc::new(Rotary::new(own.n_positions, d, turned, base));
    let blocks = (0..own.n_layer).map(|l| block(config, weights, &own, &rotary, l));
    Ok(Transformer {
        embeddings,
        blocks: blocks.collect::<Result<_>>()?,
        bias: None,
        last_norm: None,
        h,
        positions: own.n_positions,
    })
}

fn block(
    config: &Config,
    weights: &Weights,
    own: &Own,
    rotary: &Arc<Rotary>,
    l: usize,
) -> Result<Block> {
    let (h, inner, eps) = (own.n_embd, own.n_inner, own.layer_norm_epsilon);
    let at = |name: &str| format!("encoder.layers.{l}.{name}");
    let down = linear(weights, &at("mlp.fc2"), inner, h)?;
    let activation = config.activation(&own.activation_function)?;
    let mlp = if weights.has(&format!("{}.weight", at("mlp.fc12"))) {
        // The gate, which is bent, comes second in name.
        let up = stacked(weights, &[&at("mlp.fc12"), &at("mlp.fc11")], h, inner)?;
        Mlp::Gated { up, activation, down }
    } else {
        Mlp::Plain { up: linear(weights, &at("mlp.fc1"), h, inner)?, activation, down }
    };
    Ok(Block {
        attention: Attention {
            qkv: linear(weights, &at("attn.Wqkv"), h, 3 * h)?,
            out: linear(weights, &at("attn.out_proj"), h, h)?,
            heads: own.n_head,
            reach: None,
            rotary: Some(rotary.clone()),
        },
        mlp,
        norms: Norms::After([
            Norm::read(weights, &at("norm1"), h, eps)?,
            Norm::read(weights, &at("norm2"), h, eps)?,
        ]),
    })
}
