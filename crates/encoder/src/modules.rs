//! From the vectors of a text's tokens to the vector of the text.

use std::path::Path;

use serde::Deserialize;

use crate::folder::{self, Module};
use crate::linear::Linear;
use crate::ops::{Activation, normalise};
use crate::weights::Weights;
use crate::{Error, Result};

/// What is done after the transformer.
pub(crate) enum Step {
    Pool(Pooling),
    Dense(Linear, Activation),
    Normalise,
}

/// Ways to make one vector of those of the tokens; several are put one after the other.
pub(crate) struct Pooling {
    modes: Vec<Mode>,
    /// Whether the tokens of a prompt count.
    pub with_prompt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    First,
    Max,
    Mean,
    /// The sum over the root of the number of tokens.
    MeanSqrt,
    Last,
}

/// `1_Pooling/config.json`, as older and newer versions write it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingFile {
    pooling_mode_cls_token: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
    pooling_mode: Option<String>,
    include_prompt: Option<bool>,
}

impl Pooling {
    /// That of a model without modules.
    pub fn usual() -> Self {
        Self { modes: vec![Mode::Mean], with_prompt: true }
    }

    fn read(path: &Path) -> Result<Self> {
        let file: PoolingFile = folder::required(path)?;
        let with_prompt = file.include_prompt.unwrap_or(true);
        let named = file.pooling_mode.as_deref().unwrap_or_default();
        let names: Vec<&str> = named.split('+').map(str::trim).filter(|n| !n.is_empty()).collect();
        let is = |flag: bool, name: &str| flag || names.contains(&name);
        let modes: Vec<Mode> = [
            (is(file.pooling_mode_cls_token, "cls"), Mode::First),
            (is(file.pooling_mode_max_tokens, "max"), Mode::Max),
            (is(file.pooling_mode_mean_tokens, "mean"), Mode::Mean),
            (is(file.pooling_mode_mean_sqrt_len_tokens, "mean_sqrt_len_tokens"), Mode::MeanSqrt),
            (is(file.pooling_mode_lasttoken, "lasttoken"), Mode::Last),
        ]
        .into_iter()
        .filter_map(|(is, mode)| is.then_some(mode))
        .collect();
        if modes.is_empty() || is(file.pooling_mode_weightedmean_tokens, "weightedmean") {
            let message = "this way of pooling is not known here; known are cls, max, mean, \
                           mean_sqrt_len_tokens and lasttoken";
            return Err(Error::model(path, message));
        }
        Ok(Self { modes, with_prompt })
    }

    /// `x` is tokens x h.
    pub fn pool(&self, x: &[f32], h: usize) -> Vec<f32> {
        let n = x.len() / h;
        let mut out = Vec::with_capacity(self.modes.len() * h);
        for mode in &self.modes {
            let start = out.len();
            match mode {
                Mode::First => out.extend_from_slice(&x[..h]),
                Mode::Last => out.extend_from_slice(&x[(n - 1) * h..]),
                Mode::Max => {
                    out.extend_from_slice(&x[..h]);
                    for row in x.chunks_exact(h) {
                        out[start..].iter_mut().zip(row).for_each(|(o, v)| *o = o.max(*v));
                    }
                }
                Mode::Mean | Mode::MeanSqrt => {
                    out.resize(start + h, 0.0);
                    for row in x.chunks_exact(h) {
                        out[start..].iter_mut().zip(row).for_each(|(o, v)| *o += v);
                    }
                    let by = if *mode == Mode::Mean { n as f32 } else { (n as f32).sqrt() };
                    out[start..].iter_mut().for_each(|o| *o /= by);
                }
            }
        }
        out
    }
}

/// `2_Dense/config.json`.
#[derive(Deserialize)]
struct DenseFile {
    in_features: usize,
    out_features: usize,
    activation_function: String,
}

impl Step {
    /// What a module does; `None` if it does nothing to a finished model.
    pub fn read(folder: &Path, module: &Module) -> Result<Option<Self>> {
        let own = folder.join(&module.path);
        Ok(Some(match module.name() {
            "Pooling" => Self::Pool(Pooling::read(&own.join("config.json"))?),
            "Normalize" => Self::Normalise,
            "Dense" => dense(&own)?,
            "Dropout" => return Ok(None),
            other => {
                let message = format!(
                    "the module `{other}` is not known here; known are Transformer, StaticEmbedding, \
                     Pooling, Dense, Normalize and Dropout"
                );
                return Err(Error::model(folder.join("modules.json"), message));
            }
        }))
    }

    /// Numbers of its result, from those of what it is given.
    pub fn width(&self, ins: usize) -> usize {
        match self {
            Self::Pool(pooling) => ins * pooling.modes.len(),
            Self::Dense(linear, _) => linear.outs(),
            Self::Normalise => ins,
        }
    }

    /// A text's vector; pooling comes before.
    pub fn apply(&self, x: &mut Vec<f32>) {
        match self {
            Self::Pool(_) => {}
            Self::Dense(linear, activation) => {
                let mut out = Vec::new();
                linear.apply(x, &mut out);
                activation.apply(&mut out);
                *x = out;
            }
            Self::Normalise => normalise(x),
        }
    }
}

fn dense(folder: &Path) -> Result<Step> {
    let path = folder.join("config.json");
    let file: DenseFile = folder::required(&path)?;
    let (ins, outs) = (file.in_features, file.out_features);
    let weights = Weights::open(&folder::weights(folder)?)?;
    let weight = weights.tensor("linear.weight", &[outs, ins])?;
    let bias = weights.if_there("linear.bias", &[outs])?;
    let name = file.activation_function.rsplit('.').next().unwrap_or_default().to_lowercase();
    let activation = Activation::named(&name, &path)?;
    Ok(Step::Dense(Linear::new(&weight, bias, ins), activation))
}
