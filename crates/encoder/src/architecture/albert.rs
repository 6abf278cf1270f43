//! ALBERT: narrow words, and one block that is run again and again.

use super::{
    Attention, Block, Config, Deserialize, Kin, Mlp, Norm, Norms, Result, Transformer, Weights,
    embeddings, linear, stacked,
};

#[derive(Deserialize)]
struct Own {
    embedding_size: usize,
    #[serde(default = "one")]
    num_hidden_groups: usize,
    #[serde(default = "one")]
    inner_group_num: usize,
}

fn one() -> usize {
    1
}

pub(super) fn read(config: &Config, weights: &mut Weights) -> Result<Transformer> {
    weights.strip_before("embeddings.word_embeddings.weight");
    let (kin, own) = (Kin::read(config)?, config.parse::<Own>()?);
    let (h, positions) = (kin.hidden_size, kin.max_position_embeddings);
    let mut embeddings =
        embeddings(weights, own.embedding_size, (positions, 0), kin.layer_norm_eps)?;
    let widen = "encoder.embedding_hidden_mapping_in";
    embeddings.widen = Some(linear(weights, widen, own.embedding_size, h)?);
    let mut blocks = Vec::new();
    for l in 0..kin.num_hidden_layers {
        // Layers share the weights of their group; its blocks follow one another.
        let group = l * own.num_hidden_groups / kin.num_hidden_layers;
        for inner in 0..own.inner_group_num {
            blocks.push(block(config, weights, &kin, (group, inner))?);
        }
    }
    Ok(Transformer { embeddings, blocks, bias: None, last_norm: None, h, positions })
}

fn block(config: &Config, weights: &Weights, kin: &Kin, of: (usize, usize)) -> Result<Block> {
    let (h, inner, eps) = (kin.hidden_size, kin.intermediate_size, kin.layer_norm_eps);
    let at =
        |name: &str| format!("encoder.albert_layer_groups.{}.albert_layers.{}.{name}", of.0, of.1);
    let [query, key, value] = ["query", "key", "value"].map(|n| at(&format!("attention.{n}")));
    Ok(Block {
        attention: Attention {
            qkv: stacked(weights, &[&query, &key, &value], h, h)?,
            out: linear(weights, &at("attention.dense"), h, h)?,
            heads: kin.num_attention_heads,
            reach: None,
            rotary: None,
        },
        mlp: Mlp::Plain {
            up: linear(weights, &at("ffn"), h, inner)?,
            activation: config.activation(&kin.hidden_act)?,
            down: linear(weights, &at("ffn_output"), inner, h)?,
        },
        norms: Norms::After([
            Norm::read(weights, &at("attention.LayerNorm"), h, eps)?,
            Norm::read(weights, &at("full_layer_layer_norm"), h, eps)?,
        ]),
    })
}
