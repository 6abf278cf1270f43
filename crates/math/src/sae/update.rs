//! From gradients to new weights: clipping, Adam, unit decoder rows, 8-bit copies.
//!
//! The gradient's norm is wanted before the first weight changes, which would mean to write all
//! gradients to memory and read them again. But nearly always a bound of the norm, which costs
//! next to nothing, lies below `clip_norm`: then the factor is exactly 1 whatever the norm, and a
//! neuron's gradient is used up while it is in the first cache. The bits are the same either way.

use super::Parts;
use super::adam::{Adam, Rates, update};
use super::backward::{Lengths, Term, gradient, squared_bound};
use super::quantise::Quantised;
use super::screen::{NEURONS, Panel, Screen};
use crate::vector::{axpy, normalise, squared_norm};
use rayon::prelude::*;

/// Neurons that one task takes. Fixed, so that no bit depends on the threads.
const CHUNK: usize = NEURONS;

/// Gradient of the loss by every parameter, of the shapes of [`Parts`].
#[derive(Debug, Default)]
pub(super) struct Gradients {
    /// Empty unless [`Gradients::all`] was called.
    pub encoder: Vec<f32>,
    pub decoder: Vec<f32>,
    pub neuron_bias: Vec<f32>,
    pub input_bias: Vec<f32>,
}

impl Gradients {
    /// Computes all gradients and returns their common Euclidean norm, summed in `f64`.
    ///
    /// `input_bias` holds the part of its gradient that comes from the errors, d values.
    pub fn all(&mut self, parts: &Parts, centred: &[f32], terms: &[Term<'_>]) -> f64 {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        self.encoder.resize(m * d, 0.0);
        self.decoder.resize(m * d, 0.0);
        self.neuron_bias.resize(m, 0.0);
        let rows =
            self.encoder.par_chunks_mut(CHUNK * d).zip(self.decoder.par_chunks_mut(CHUNK * d));
        let chunks: Vec<(f64, Vec<f32>)> = rows
            .zip(self.neuron_bias.par_chunks_mut(CHUNK))
            .enumerate()
            .map(|(chunk, ((encoder, decoder), bias))| {
                let (mut squares, mut input_bias) = (0.0, vec![0.0; d]);
                let rows = encoder.chunks_exact_mut(d).zip(decoder.chunks_exact_mut(d));
                for (j, ((encoder, decoder), bias)) in (chunk * CHUNK..).zip(rows.zip(bias)) {
                    *bias = gradient(j, parts.decoder.row(j), terms, centred, (encoder, decoder));
                    axpy(&mut input_bias, -*bias, parts.encoder.row(j));
                    squares += f64::from(squared_norm(encoder)) + f64::from(squared_norm(decoder));
                    squares += f64::from(*bias).powi(2);
                }
                (squares, input_bias)
            })
            .collect();
        let mut squares = 0.0;
        for (chunk_squares, input_bias) in chunks {
            squares += chunk_squares;
            axpy(&mut self.input_bias, 1.0, &input_bias);
        }
        (squares + f64::from(squared_norm(&self.input_bias))).sqrt()
    }

    /// An upper bound of what [`Self::all`] returns. O(firings + m).
    pub fn bound(&self, terms: &[Term<'_>], lengths: Lengths<'_>, neurons: &[Quantised]) -> f64 {
        let mut input_bias = f64::from(squared_norm(&self.input_bias)).sqrt();
        let mut squares = 0.0;
        for (j, neuron) in neurons.iter().enumerate() {
            let (square, bias) = squared_bound(j, terms, lengths);
            squares += square;
            input_bias += bias * f64::from(neuron.norm);
        }
        // What rounding in `f32` may add to a gradient that lies on its bound.
        1.001 * (squares + input_bias.powi(2)).sqrt()
    }
}

/// Rows of a run of neurons and all that goes with them.
struct Chunk<'a> {
    first: usize,
    encoder: [&'a mut [f32]; 3],
    decoder: [&'a mut [f32]; 3],
    neuron_bias: &'a mut [f32],
    panel: Panel<'a>,
}

/// Where a task writes before it adds up: rows of d values.
#[derive(Default)]
struct Rows {
    encoder: Vec<f32>,
    decoder: Vec<f32>,
    rounded: Vec<i16>,
}

/// One step of Adam with all gradients times `clip`, which [`Gradients::all`] has computed.
pub(super) fn step(
    parts: &mut Parts,
    adam: &mut Adam,
    screen: &mut Screen,
    gradients: &mut Gradients,
    rates: Rates,
) {
    let d = parts.encoder.cols();
    let (encoder, decoder) = (&gradients.encoder, &gradients.decoder);
    let weights = (parts.encoder.data_mut(), parts.decoder.data_mut());
    let chunks = chunks(weights, adam, screen, &mut gradients.neuron_bias, d);
    chunks.into_par_iter().for_each_init(Vec::new, |rounded, mut chunk| {
        for i in 0..chunk.neuron_bias.len() {
            let row = (chunk.first + i) * d;
            chunk.update(i, (&encoder[row..][..d], &decoder[row..][..d]), rates, rounded);
        }
        chunk.panel.take_over(rounded);
    });
    biases(parts, adam, gradients, rates);
    screen.refresh(parts);
}

/// The same without keeping the gradients: for a `clip` of 1.
pub(super) fn fused_step(
    parts: &mut Parts,
    adam: &mut Adam,
    screen: &mut Screen,
    gradients: &mut Gradients,
    rates: Rates,
    (centred, terms): (&[f32], &[Term<'_>]),
) {
    let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
    gradients.neuron_bias.resize(m, 0.0);
    let neuron_bias = &mut gradients.neuron_bias;
    let weights = (parts.encoder.data_mut(), parts.decoder.data_mut());
    let sums: Vec<Vec<f32>> = chunks(weights, adam, screen, neuron_bias, d)
        .into_par_iter()
        .map_init(Rows::default, |Rows { encoder, decoder, rounded }, mut chunk| {
            let mut input_bias = vec![0.0; d];
            encoder.resize(d, 0.0);
            decoder.resize(d, 0.0);
            for i in 0..chunk.neuron_bias.len() {
                let rows = (&*chunk.encoder[0], &*chunk.decoder[0]);
                let (old, unit) = (&rows.0[i * d..][..d], &rows.1[i * d..][..d]);
                let j = chunk.first + i;
                let bias = gradient(j, unit, terms, centred, (encoder, decoder));
                axpy(&mut input_bias, -bias, old);
                chunk.neuron_bias[i] = bias;
                chunk.update(i, (encoder, decoder), rates, rounded);
            }
            chunk.panel.take_over(rounded);
            input_bias
        })
        .collect();
    for sum in sums {
        axpy(&mut gradients.input_bias, 1.0, &sum);
    }
    biases(parts, adam, gradients, rates);
    screen.refresh(parts);
}

impl Chunk<'_> {
    /// New weights of its neuron `i`; `rounded` is a buffer.
    fn update(&mut self, i: usize, by: (&[f32], &[f32]), rates: Rates, rounded: &mut Vec<i16>) {
        let d = by.0.len();
        let span = i * d..(i + 1) * d;
        for (of, gradient) in [(&mut self.encoder, by.0), (&mut self.decoder, by.1)] {
            let [weights, mean, square] = of.each_mut().map(|rows| &mut rows[span.clone()]);
            update(weights, mean, square, gradient, rates);
        }
        normalise(&mut self.decoder[0][span.clone()]);
        self.panel.round(i, &self.encoder[0][span], rounded);
    }
}

fn chunks<'a>(
    (encoder, decoder): (&'a mut [f32], &'a mut [f32]),
    adam: &'a mut Adam,
    screen: &'a mut Screen,
    neuron_bias: &'a mut [f32],
    d: usize,
) -> Vec<Chunk<'a>> {
    let cut = |rows: &'a mut [f32]| rows.chunks_mut(CHUNK * d);
    let encoder = cut(encoder).zip(cut(&mut adam.encoder.mean)).zip(cut(&mut adam.encoder.square));
    let decoder = cut(decoder).zip(cut(&mut adam.decoder.mean)).zip(cut(&mut adam.decoder.square));
    encoder
        .zip(decoder)
        .zip(neuron_bias.chunks_mut(CHUNK))
        .zip(screen.panels())
        .enumerate()
        .map(|(chunk, (((((e, em), es), ((w, wm), ws)), neuron_bias), panel))| Chunk {
            first: chunk * CHUNK,
            encoder: [e, em, es],
            decoder: [w, wm, ws],
            neuron_bias,
            panel,
        })
        .collect()
}

fn biases(parts: &mut Parts, adam: &mut Adam, gradients: &Gradients, rates: Rates) {
    for (bias, moments, gradient) in [
        (&mut parts.neuron_bias, &mut adam.neuron_bias, &gradients.neuron_bias),
        (&mut parts.input_bias, &mut adam.input_bias, &gradients.input_bias),
    ] {
        update(bias, &mut moments.mean, &mut moments.square, gradient, rates);
    }
}
