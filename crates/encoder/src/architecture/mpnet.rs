//! `MPNet`: BERT without kinds of tokens, with a bias by how far apart tokens are.

use super::{
    Attention, Block, Config, Kin, Mlp, Norm, Norms, Result, Transformer, Weights, embeddings,
    linear, stacked,
};
use crate::attention::RelativeBias;

/// Rows of the positions that stand for padding.
const SKIPPED: usize = 2;

pub(super) fn read(config: &Config, weights: &mut Weights) -> Result<Transformer> {
    weights.strip_before("embeddings.word_embeddings.weight");
    let kin = Kin::read(config)?;
    let (h, heads) = (kin.hidden_size, kin.num_attention_heads);
    let positions = kin.max_position_embeddings;
    let name = "encoder.relative_attention_bias.weight";
    let [buckets, _] = weights.shape(name)?;
    let learned = weights.tensor(name, &[buckets, heads])?;
    let blocks = (0..kin.num_hidden_layers).map(|l| block(config, weights, &kin, l));
    Ok(Transformer {
        embeddings: embeddings(weights, h, (positions, SKIPPED), kin.layer_norm_eps)?,
        blocks: blocks.collect::<Result<_>>()?,
        bias: Some(RelativeBias::new(&learned, heads, positions)),
        last_norm: None,
        h,
        positions: positions - SKIPPED,
    })
}

fn block(config: &Config, weights: &Weights, kin: &Kin, l: usize) -> Result<Block> {
    let (h, inner, eps) = (kin.hidden_size, kin.intermediate_size, kin.layer_norm_eps);
    let at = |name: &str| format!("encoder.layer.{l}.{name}");
    let [query, key, value] = ["q", "k", "v"].map(|n| at(&format!("attention.attn.{n}")));
    Ok(Block {
        attention: Attention {
            qkv: stacked(weights, &[&query, &key, &value], h, h)?,
            out: linear(weights, &at("attention.attn.o"), h, h)?,
            heads: kin.num_attention_heads,
            reach: None,
            rotary: None,
        },
        mlp: Mlp::Plain {
            up: linear(weights, &at("intermediate.dense"), h, inner)?,
            activation: config.activation(&kin.hidden_act)?,
            down: linear(weights, &at("output.dense"), inner, h)?,
        },
        norms: Norms::After([
            Norm::read(weights, &at("attention.LayerNorm"), h, eps)?,
            Norm::read(weights, &at("output.LayerNorm"), h, eps)?,
        ]),
    })
}
