//! What is done to vectors between products.

use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{
    ApproxGelu, Gelu, Normalize, NormalizeOptions, Silu, Softmax, Sum, SumSquareSub, Tanh,
};

use crate::weights::Weights;
use crate::{Error, Result};

/// Layer normalisation.
pub(crate) struct Norm {
    pub scale: Vec<f32>,
    pub shift: Option<Vec<f32>>,
    pub eps: f32,
}

impl Norm {
    /// The tensors `NAME.weight` and, if it is there, `NAME.bias`.
    pub fn read(weights: &Weights, name: &str, size: usize, eps: f32) -> Result<Self> {
        // Some first uploads have the names of TensorFlow.
        let old = format!("{name}.gamma");
        let [scale, shift] = if weights.has(&old) { ["gamma", "beta"] } else { ["weight", "bias"] };
        let scale = weights.tensor(&format!("{name}.{scale}"), &[size])?;
        let shift = weights.if_there(&format!("{name}.{shift}"), &[size])?;
        Ok(Self { scale, shift, eps })
    }

    /// Every row of `x`.
    pub fn apply(&self, x: &mut [f32]) {
        x.chunks_exact_mut(self.scale.len()).for_each(|row| self.row(row));
    }

    fn row(&self, row: &mut [f32]) {
        let n = row.len() as f32;
        let mean = Sum::new(row).dispatch() / n;
        let variance = SumSquareSub::new(row, mean).dispatch() / n;
        let options = NormalizeOptions {
            pre_scale_bias: mean,
            scale: 1.0 / (variance + self.eps).sqrt(),
            element_scale: Some(&self.scale),
            element_bias: self.shift.as_deref(),
            ..NormalizeOptions::default()
        };
        Normalize::new_mut(row, options).dispatch();
    }
}

/// What bends between two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
    /// By tanh.
    ApproxGelu,
    Relu,
    Silu,
    Tanh,
}

impl Activation {
    /// From its name in a configuration.
    pub fn named(name: &str, path: &std::path::Path) -> Result<Self> {
        Ok(match name {
            "gelu" => Self::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_python_tanh" => Self::ApproxGelu,
            "relu" => Self::Relu,
            "silu" | "swish" | "swiglu" => Self::Silu,
            "tanh" => Self::Tanh,
            "linear" | "identity" => Self::None,
            other => {
                return Err(Error::model(path, format!("the activation `{other}` is not known")));
            }
        })
    }

    pub fn apply(self, x: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Gelu => Gelu {}.map_mut(x),
            Self::ApproxGelu => ApproxGelu {}.map_mut(x),
            Self::Relu => x.iter_mut().for_each(|v| *v = v.max(0.0)),
            Self::Silu => Silu {}.map_mut(x),
            Self::Tanh => Tanh {}.map_mut(x),
        }
    }
}

pub(crate) fn softmax(row: &mut [f32]) {
    Softmax::new_mut(row).dispatch();
}

/// To length 1, as torch does it; zeros stay.
pub(crate) fn normalise(row: &mut [f32]) {
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    for v in row {
        *v /= length;
    }
}
