//! Adam (Kingma and Ba 2015), one pass over parameters, moments and gradient.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]
#![expect(clippy::cast_possible_truncation, reason = "factors of f32 updates, computed in f64")]

use super::Parts;
use pulp::{Arch, Simd, WithSimd};

/// Decay of the mean gradient, of the mean squared gradient, and what keeps from dividing by 0:
/// the authors' values.
const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f32 = 1e-8;

/// Running means of a parameter's gradient and of its square, of the parameter's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub mean: Vec<f32>,
    pub square: Vec<f32>,
}

impl Moments {
    fn new(n: usize) -> Self {
        Self { mean: vec![0.0; n], square: vec![0.0; n] }
    }
}

/// The optimiser's state: the moments of all parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// Steps done.
    pub steps: u64,
    pub encoder: Moments,
    pub decoder: Moments,
    pub neuron_bias: Moments,
    pub input_bias: Moments,
}

impl Adam {
    pub(super) fn new(parts: &Parts) -> Self {
        let weights = parts.encoder.data().len();
        Self {
            steps: 0,
            encoder: Moments::new(weights),
            decoder: Moments::new(weights),
            neuron_bias: Moments::new(parts.neuron_bias.len()),
            input_bias: Moments::new(parts.input_bias.len()),
        }
    }

    /// Counts a step and says what is common to its updates: gradients times `clip`.
    pub(super) fn begin(&mut self, learning_rate: f64, clip: f64) -> Rates {
        self.steps += 1;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let correction = (1.0 - BETA.0.powi(steps), 1.0 - BETA.1.powi(steps));
        Rates {
            clip: clip as f32,
            step: (learning_rate / correction.0) as f32,
            root: (1.0 / correction.1.sqrt()) as f32,
        }
    }
}

/// What is common to all parameters in one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// Factor of the gradient.
    clip: f32,
    /// Learning rate over the bias correction of the mean.
    step: f32,
    /// 1 over the root of the bias correction of the square.
    root: f32,
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
///
/// About 10 operations and 28 bytes of memory traffic per parameter.
pub(super) fn update(
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
