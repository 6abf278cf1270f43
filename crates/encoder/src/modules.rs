//! From the vectors of a text's tokens to the vector of the text.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::folder::{self, Module};
use crate::linear::Linear;
use crate::ops::{Activation, normalise};
use crate::weights::Weights;
use crate::{Error, Precision, Result};

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

/// Ways of pooling, in the order in which they are put one after the other: their names in older
/// versions of `1_Pooling/config.json`, each a flag, and in newer ones.
const MODES: [(&str, &str, Option<Mode>); 6] = [
    ("pooling_mode_cls_token", "cls", Some(Mode::First)),
    ("pooling_mode_max_tokens", "max", Some(Mode::Max)),
    ("pooling_mode_mean_tokens", "mean", Some(Mode::Mean)),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Some(Mode::MeanSqrt)),
    ("pooling_mode_weightedmean_tokens", "weightedmean", None),
    ("pooling_mode_lasttoken", "lasttoken", Some(Mode::Last)),
];

impl Pooling {
    /// That of a model without modules.
    pub fn usual() -> Self {
        Self { modes: vec![Mode::Mean], with_prompt: true }
    }

    fn read(path: &Path) -> Result<Self> {
        let file: Map<String, Value> = folder::required(path)?;
        let with_prompt = file.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
        let named: Option<Vec<&str>> = match file.get("pooling_mode") {
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => Some(names.iter().filter_map(Value::as_str).collect()),
            _ => None,
        };
        let flag = |name: &str| file.get(name).and_then(Value::as_bool).unwrap_or(false);
        let is = |(old, new, _): &(&str, &str, _)| match &named {
            Some(named) => named.contains(new),
            None => flag(old),
        };
        let known = named.iter().flatten().all(|name| MODES.iter().any(|(_, new, _)| name == new));
        let modes: Option<Vec<Mode>> = MODES.iter().filter(|m| is(m)).map(|(.., m)| *m).collect();
        match modes.filter(|_| known) {
            Some(modes) if modes.is_empty() => Ok(Self { with_prompt, ..Self::usual() }),
            Some(modes) => Ok(Self { modes, with_prompt }),
            None => {
                let message = "this way of pooling is not known here; known are cls, max, mean, \
                               mean_sqrt_len_tokens and lasttoken";
                Err(Error::model(path, message))
            }
        }
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
                    for o in &mut out[start..] {
                        *o /= by;
                    }
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
    let weights = Weights::open(folder, Precision::F32)?;
    let weight = weights.tensor("linear.weight", &[outs, ins])?;
    let bias = weights.if_there("linear.bias", &[outs])?;
    let name = file.activation_function.rsplit('.').next().unwrap_or_default().to_lowercase();
    let activation = Activation::named(&name, &path)?;
    Ok(Step::Dense(Linear::new(&weight, bias, ins, Precision::F32), activation))
}
