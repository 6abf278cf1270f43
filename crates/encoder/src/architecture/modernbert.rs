//! `ModernBERT`: rotations, gated networks, norms before, and most layers see near tokens only.

use std::sync::Arc;

use super::{
    Attention, Block, Config, Deserialize, Embeddings, Mlp, Norm, Norms, Result, Rope, Transformer,
    Weights, linear,
};
use crate::attention::Rotary;

#[derive(Deserialize)]
struct Own {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_activation: String,
    max_position_embeddings: usize,
    norm_eps: f32,
    local_attention: usize,
    #[serde(default = "every")]
    global_attn_every_n_layers: usize,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    layer_types: Option<Vec<String>>,
    rope_parameters: Option<Ropes>,
}

/// As the configurations of later versions have it.
#[derive(Deserialize)]
struct Ropes {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

fn every() -> usize {
    3
}

impl Own {
    fn is_global(&self, l: usize) -> bool {
        match &self.layer_types {
            Some(types) => types.get(l).is_none_or(|t| t == "full_attention"),
            None => l.is_multiple_of(self.global_attn_every_n_layers.max(1)),
        }
    }

    /// Bases of the rotations of global and of local layers.
    fn bases(&self) -> [f64; 2] {
        let ropes = self.rope_parameters.as_ref();
        let of = |rope: Option<&Rope>, old: Option<f64>, usual: f64| {
            rope.map(|rope| rope.rope_theta).or(old).unwrap_or(usual)
        };
        let global = ropes.and_then(|r| r.full_attention.as_ref());
        let local = ropes.and_then(|r| r.sliding_attention.as_ref());
        [of(global, self.global_rope_theta, 160_000.0), of(local, self.local_rope_theta, 10_000.0)]
    }
}

pub(super) fn read(config: &Config, weights: &mut Weights) -> Result<Transformer> {
    weights.strip_before("embeddings.tok_embeddings.weight");
    let own: Own = config.parse()?;
    config.check(own.hidden_size, own.num_attention_heads)?;
    let h = own.hidden_size;
    let d = h / own.num_attention_heads;
    let [vocabulary, _] = weights.shape("embeddings.tok_embeddings.weight")?;
    let embeddings = Embeddings {
        words: weights.tensor("embeddings.tok_embeddings.weight", &[vocabulary, h])?,
        width: h,
        positions: None,
        kind: None,
        norm: Some(Norm::read(weights, "embeddings.norm", h, own.norm_eps)?),
        widen: None,
    };
    let rotaries =
        own.bases().map(|base| Arc::new(Rotary::new(own.max_position_embeddings, d, d, base)));
    let blocks = (0..own.num_hidden_layers).map(|l| block(config, weights, &own, &rotaries, l));
    Ok(Transformer {
        embeddings,
        blocks: blocks.collect::<Result<_>>()?,
        bias: None,
        last_norm: Some(Norm::read(weights, "final_norm", h, own.norm_eps)?),
        h,
        positions: own.max_position_embeddings,
    })
}

fn block(
    config: &Config,
    weights: &Weights,
    own: &Own,
    [global, local]: &[Arc<Rotary>; 2],
    l: usize,
) -> Result<Block> {
    let (h, inner, eps) = (own.hidden_size, own.intermediate_size, own.norm_eps);
    let at = |name: &str| format!("layers.{l}.{name}");
    let is_global = own.is_global(l);
    let first = at("attn_norm");
    // What the first layer sees is normalised already.
    let first = weights
        .has(&format!("{first}.weight"))
        .then(|| Norm::read(weights, &first, h, eps))
        .transpose()?;
    Ok(Block {
        attention: Attention {
            qkv: linear(weights, &at("attn.Wqkv"), h, 3 * h)?,
            out: linear(weights, &at("attn.Wo"), h, h)?,
            heads: own.num_attention_heads,
            reach: (!is_global).then_some(own.local_attention / 2),
            rotary: Some(if is_global { global.clone() } else { local.clone() }),
        },
        mlp: Mlp::Gated {
            up: linear(weights, &at("mlp.Wi"), h, 2 * inner)?,
            activation: config.activation(&own.hidden_activation)?,
            down: linear(weights, &at("mlp.Wo"), inner, h)?,
        },
        norms: Norms::Before(first, Norm::read(weights, &at("mlp_norm"), h, eps)?),
    })
}
