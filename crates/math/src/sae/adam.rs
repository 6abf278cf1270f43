//! Adam (Kingma and Ba 2015), one pass over parameters, moments and gradient.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]
#![expect(clippy::cast_possible_truncation, reason = "factors of f32 updates, computed in f64")]

use super::Parts;
use super::backward::Gradients;
use crate::matrix::Matrix;
use crate::vector::normalise;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Decay of the mean gradient, of the mean squared gradient, and what keeps from dividing by 0:
/// the authors' values.
const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f32 = 1e-8;

/// Neurons that one task updates.
const CHUNK: usize = 16;

/// Running means of a parameter's gradient and of its square.
#[derive(Debug)]
struct Moments {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Moments {
    fn new(n: usize) -> Self {
        Self { mean: vec![0.0; n], square: vec![0.0; n] }
    }
}

/// The optimiser's state.
#[derive(Debug)]
pub(super) struct Adam {
    learning_rate: f64,
    steps: i32,
    encoder: Moments,
    decoder: Moments,
    neuron_bias: Moments,
    input_bias: Moments,
}

impl Adam {
    pub fn new(parts: &Parts, learning_rate: f32) -> Self {
        let weights = parts.encoder.data().len();
        Self {
            learning_rate: f64::from(learning_rate),
            steps: 0,
            encoder: Moments::new(weights),
            decoder: Moments::new(weights),
            neuron_bias: Moments::new(parts.neuron_bias.len()),
            input_bias: Moments::new(parts.input_bias.len()),
        }
    }

    /// One step with the gradients times `clip`; then the decoder's rows get unit length again.
    ///
    /// About 10 operations and 28 bytes of memory traffic per parameter. Every parameter is
    /// updated by itself, so the threads change nothing.
    pub fn step(&mut self, parts: &mut Parts, gradients: &Gradients, clip: f32) {
        self.steps = self.steps.saturating_add(1);
        let correction = (1.0 - BETA.0.powi(self.steps), 1.0 - BETA.1.powi(self.steps));
        let rates = Rates {
            clip,
            step: (self.learning_rate / correction.0) as f32,
            root: (1.0 / correction.1.sqrt()) as f32,
        };
        update_rows(&mut parts.encoder, &mut self.encoder, &gradients.encoder, rates, false);
        update_rows(&mut parts.decoder, &mut self.decoder, &gradients.decoder, rates, true);
        let (bias, moments) = (&mut parts.neuron_bias, &mut self.neuron_bias);
        update(bias, &mut moments.mean, &mut moments.square, &gradients.neuron_bias, rates);
        let (bias, moments) = (&mut parts.input_bias, &mut self.input_bias);
        update(bias, &mut moments.mean, &mut moments.square, &gradients.input_bias, rates);
    }
}

/// What is common to all parameters in one step.
#[derive(Debug, Clone, Copy)]
struct Rates {
    /// Factor of the gradient.
    clip: f32,
    /// Learning rate over the bias correction of the mean.
    step: f32,
    /// 1 over the root of the bias correction of the square.
    root: f32,
}

fn update_rows(
    weights: &mut Matrix,
    moments: &mut Moments,
    gradient: &[f32],
    rates: Rates,
    unit: bool,
) {
    let d = weights.cols();
    let chunks = weights.data_mut().par_chunks_mut(CHUNK * d).zip(gradient.par_chunks(CHUNK * d));
    let means = moments.mean.par_chunks_mut(CHUNK * d);
    let squares = moments.square.par_chunks_mut(CHUNK * d);
    chunks.zip(means.zip(squares)).for_each(|((weights, gradient), (mean, square))| {
        update(weights, mean, square, gradient, rates);
        if unit {
            weights.chunks_exact_mut(d).for_each(normalise);
        }
    });
}

impl Rates {
    /// New weights, means and squares of one register.
    #[inline(always)]
    fn apply<S: Simd>(
        self,
        simd: S,
        (w, m, v): (S::f32s, S::f32s, S::f32s),
        g: S::f32s,
    ) -> (S::f32s, S::f32s, S::f32s) {
        let g = simd.mul_f32s(simd.splat_f32s(self.clip), g);
        let new = simd.splat_f32s((1.0 - BETA.0) as f32);
        let m = simd.mul_add_f32s(new, simd.sub_f32s(g, m), m);
        let new = simd.mul_f32s(simd.splat_f32s((1.0 - BETA.1) as f32), simd.mul_f32s(g, g));
        let v = simd.mul_add_f32s(simd.splat_f32s(BETA.1 as f32), v, new);
        let (root, epsilon) = (simd.splat_f32s(self.root), simd.splat_f32s(EPSILON));
        let root = simd.mul_add_f32s(root, simd.sqrt_f32s(v), epsilon);
        let step = simd.splat_f32s(-self.step);
        (simd.mul_add_f32s(step, simd.div_f32s(m, root), w), m, v)
    }
}

/// ```text
/// m += 0.1 (g - m)      v = 0.999 v + 0.001 g^2      w -= step m / (root sqrt(v) + epsilon)
/// ```
fn update(
    weights: &mut [f32],
    mean: &mut [f32],
    square: &mut [f32],
    gradient: &[f32],
    rates: Rates,
) {
    Arch::new().dispatch(Update { weights, mean, square, gradient, rates });
}

struct Update<'a> {
    weights: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
    gradient: &'a [f32],
    rates: Rates,
}

impl WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rates = self.rates;
        let (weights, weights_rest) = S::as_mut_simd_f32s(self.weights);
        let (mean, mean_rest) = S::as_mut_simd_f32s(self.mean);
        let (square, square_rest) = S::as_mut_simd_f32s(self.square);
        let (gradient, gradient_rest) = S::as_simd_f32s(self.gradient);
        for (((w, m), v), &g) in weights.iter_mut().zip(mean).zip(square).zip(gradient) {
            (*w, *m, *v) = rates.apply(simd, (*w, *m, *v), g);
        }
        let w = simd.partial_load_f32s(weights_rest);
        let m = simd.partial_load_f32s(mean_rest);
        let v = simd.partial_load_f32s(square_rest);
        let g = simd.partial_load_f32s(gradient_rest);
        let (w, m, v) = rates.apply(simd, (w, m, v), g);
        simd.partial_store_f32s(weights_rest, w);
        simd.partial_store_f32s(mean_rest, m);
        simd.partial_store_f32s(square_rest, v);
    }
}
