//! BERT, and what differs from it in names and positions alone: `RoBERTa`, XLM-`RoBERTa`, `CamemBERT`,
//! ELECTRA.

use super::{
    Attention, Block, Config, Deserialize, Kin, Mlp, Norm, Norms, Result, Transformer, Weights,
    embeddings, linear, stacked,
};

pub(super) fn read(config: &Config, weights: &mut Weights, kind: &str) -> Result<Transformer> {
    weights.strip_before("embeddings.word_embeddings.weight");
    let kin = Kin::read(config)?;
    // The offspring of `RoBERTa` count positions from the one after the padding's.
    let skipped = if ["bert", "electra"].contains(&kind) { 0 } else { padding(config)? + 1 };
    let (h, positions) = (kin.hidden_size, kin.max_position_embeddings);
    let width = embedding_size(config)?.unwrap_or(h);
    let mut embeddings = embeddings(weights, width, (positions, skipped), kin.layer_norm_eps)?;
    if width != h {
        embeddings.widen = Some(linear(weights, "embeddings_project", width, h)?);
    }
    let blocks = (0..kin.num_hidden_layers).map(|l| block(config, weights, &kin, l));
    Ok(Transformer {
        embeddings,
        blocks: blocks.collect::<Result<_>>()?,
        bias: None,
        last_norm: None,
        h,
        positions: positions - skipped,
    })
}

fn block(config: &Config, weights: &Weights, kin: &Kin, l: usize) -> Result<Block> {
    let (h, inner, eps) = (kin.hidden_size, kin.intermediate_size, kin.layer_norm_eps);
    let at = |name: &str| format!("encoder.layer.{l}.{name}");
    let [query, key, value] = ["query", "key", "value"].map(|n| at(&format!("attention.self.{n}")));
    Ok(Block {
        attention: Attention {
            qkv: stacked(weights, &[&query, &key, &value], h, h)?,
            out: linear(weights, &at("attention.output.dense"), h, h)?,
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
            Norm::read(weights, &at("attention.output.LayerNorm"), h, eps)?,
            Norm::read(weights, &at("output.LayerNorm"), h, eps)?,
        ]),
    })
}

fn padding(config: &Config) -> Result<usize> {
    #[derive(Deserialize)]
    struct Padding {
        #[serde(default = "one")]
        pad_token_id: usize,
    }
    fn one() -> usize {
        1
    }
    Ok(config.parse::<Padding>()?.pad_token_id)
}

/// ELECTRA's words may be narrower.
fn embedding_size(config: &Config) -> Result<Option<usize>> {
    #[derive(Deserialize)]
    struct Size {
        embedding_size: Option<usize>,
    }
    Ok(config.parse::<Size>()?.embedding_size)
}
