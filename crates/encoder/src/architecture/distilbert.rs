//! `DistilBERT`: BERT under other names, without kinds of tokens.

use super::{
    Attention, Block, Config, Deserialize, Mlp, Norm, Norms, Result, Transformer, Weights,
    embeddings, linear, stacked,
};

#[derive(Deserialize)]
struct Own {
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    hidden_dim: usize,
    activation: String,
    max_position_embeddings: usize,
}

/// The model's own, which its configuration does not hold.
const EPS: f32 = 1e-12;

pub(super) fn read(config: &Config, weights: &mut Weights) -> Result<Transformer> {
    weights.strip_before("embeddings.word_embeddings.weight");
    let own: Own = config.parse()?;
    config.check(own.dim, own.n_heads)?;
    let positions = own.max_position_embeddings;
    let blocks = (0..own.n_layers).map(|l| block(config, weights, &own, l));
    Ok(Transformer {
        embeddings: embeddings(weights, own.dim, (positions, 0), EPS)?,
        blocks: blocks.collect::<Result<_>>()?,
        bias: None,
        last_norm: None,
        h: own.dim,
        positions,
    })
}

fn block(config: &Config, weights: &Weights, own: &Own, l: usize) -> Result<Block> {
    let (h, inner) = (own.dim, own.hidden_dim);
    let at = |name: &str| format!("transformer.layer.{l}.{name}");
    let [query, key, value] = ["q", "k", "v"].map(|n| at(&format!("attention.{n}_lin")));
    Ok(Block {
        attention: Attention {
            qkv: stacked(weights, &[&query, &key, &value], h, h)?,
            out: linear(weights, &at("attention.out_lin"), h, h)?,
            heads: own.n_heads,
            reach: None,
            rotary: None,
        },
        mlp: Mlp::Plain {
            up: linear(weights, &at("ffn.lin1"), h, inner)?,
            activation: config.activation(&own.activation)?,
            down: linear(weights, &at("ffn.lin2"), inner, h)?,
        },
        norms: Norms::After([
            Norm::read(weights, &at("sa_layer_norm"), h, EPS)?,
            Norm::read(weights, &at("output_layer_norm"), h, EPS)?,
        ]),
    })
}
