//! Which neurons of a row come first: a product in whole numbers rules most of them out, the rest
//! are computed in full.
//!
//! With the row `x` and the neuron `w` rounded to `x^` and `w^`,
//!
//! ```text
//! |w x - w^ x^| = |(w - w^) x + w^ (x - x^)| <= |w - w^| |x| + |w^| |x - x^|
//! ```
//!
//! (Cauchy and Schwarz), and all four lengths are known. A neuron whose upper bound lies below
//! the k-th of k values already computed in full cannot be among the k largest: what comes out is
//! what computing every neuron in full would have given, to the bit.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

mod narrow;
mod product;
#[cfg(target_arch = "x86_64")]
mod wide;

use self::product::{Arranged, Product};
use super::Parts;
use super::quantise::{Quantised, quantise};
use crate::topk::{indices_from, top_k};
use crate::vector::{dot, dots};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Neurons that are rounded and multiplied together, a panel.
pub(super) const NEURONS: usize = 16;

/// Rows are as long as a multiple of this.
const NUMBERS: usize = 16;

/// An encoder ready to be screened: its rows in whole numbers.
pub(super) struct Screen {
    product: Product,
    /// m x `stride`, panel by panel; the last one is filled up with zeros.
    weights: Vec<i16>,
    /// Length of a row, which is filled up with zeros.
    stride: usize,
    pub neurons: Vec<Quantised>,
    bounds: Bounds,
}

/// By what neurons are ruled out on this processor, for rows of `dim` numbers, in words.
pub(super) fn name(dim: usize) -> String {
    Product::best(dim).name()
}

/// Per neuron, what the upper bound of its pre-activation is made of.
#[derive(Default)]
struct Bounds {
    /// Length of a row.
    dim: usize,
    scale: Vec<f32>,
    offset: Vec<i32>,
    bias: Vec<f32>,
    /// Factor of the length that rounding took from the row.
    of_lost: Vec<f32>,
    /// Factor of the length of the row.
    of_norm: Vec<f32>,
}

/// A row to be encoded, and buffers; one per thread.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    rows: Vec<i16>,
    arranged: Arranged,
    quantised: Vec<Quantised>,
    products: Vec<i32>,
    upper: Vec<f32>,
    candidates: Vec<u32>,
    exact: Vec<(u32, f32)>,
    chosen: Vec<(u32, f32)>,
}

impl Workspace {
    /// Lengths of the loaded rows.
    pub fn lengths(&self, out: &mut [f32]) {
        for (length, row) in out.iter_mut().zip(&self.quantised) {
            *length = row.norm;
        }
    }
}

impl Screen {
    /// The screen of an encoder.
    pub fn of(parts: &Parts) -> Self {
        Self::with(Product::best(parts.encoder.cols()), parts)
    }

    fn with(product: Product, parts: &Parts) -> Self {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        let stride = d.next_multiple_of(NUMBERS);
        let mut screen = Self {
            product,
            weights: vec![0; m.next_multiple_of(NEURONS) * stride],
            stride,
            neurons: vec![Quantised::default(); m],
            bounds: Bounds::default(),
        };
        let rows = parts.encoder.data().par_chunks(NEURONS * d);
        screen.panels().into_par_iter().zip(rows).for_each_init(
            Vec::new,
            |rounded, (mut panel, rows)| {
                for (i, neuron) in rows.chunks_exact(d).enumerate() {
                    panel.round(i, neuron, rounded);
                }
                panel.take_over(rounded);
            },
        );
        screen.refresh(parts);
        screen
    }

    /// All neurons, in runs of [`NEURONS`]; [`Self::refresh`] when they have been changed.
    pub fn panels(&mut self) -> Vec<Panel<'_>> {
        let Self { product, weights, stride, neurons, .. } = self;
        let (product, stride) = (&*product, *stride);
        let weights = weights.chunks_exact_mut(NEURONS * stride);
        let panel = |(weights, neurons)| Panel { product, stride, weights, neurons };
        weights.zip(neurons.chunks_mut(NEURONS)).map(panel).collect()
    }

    /// Takes over what has changed in the panels, and the biases.
    pub fn refresh(&mut self, parts: &Parts) {
        self.product.pack(&self.weights, self.stride);
        let (d, offset) = (parts.encoder.cols(), self.product.offset());
        // Rounding in `f32`: of a sum of d products in at least four lanes (Higham 2002, 3.1),
        // and a few operations besides.
        let slack = (d as f32 / 4.0 + 64.0) * f32::EPSILON;
        let each =
            |f: fn(&Quantised, f32) -> f32| self.neurons.iter().map(|n| f(n, slack)).collect();
        self.bounds = Bounds {
            dim: d,
            scale: each(|n, _| n.scale),
            offset: self.neurons.iter().map(|n| offset * n.sum).collect(),
            bias: parts.neuron_bias.iter().map(|b| b + slack * b.abs()).collect(),
            of_lost: each(|n, slack| (n.norm + n.lost) * (1.0 + slack)),
            of_norm: each(|n, slack| n.lost * (1.0 + slack) + 2.0 * slack * (n.norm + n.lost)),
        };
    }

    /// Quantises centred rows (n x d, end to end) and multiplies them with all neurons.
    pub fn load(&self, centred: &[f32], work: &mut Workspace) {
        let (d, stride) = (self.bounds.dim, self.stride);
        let n = centred.len() / d;
        work.rows.resize(n * stride, 0);
        work.quantised.clear();
        let largest = self.product.largest().0;
        for (row, q) in centred.chunks_exact(d).zip(work.rows.chunks_exact_mut(stride)) {
            work.quantised.push(quantise(row, largest, q));
        }
        work.products.resize(n * self.width(), 0);
        let (rows, arranged, out) = (&work.rows, &mut work.arranged, &mut work.products);
        self.product.multiply(rows, &self.weights, stride, arranged, out);
    }

    /// Length of a row of products.
    fn width(&self) -> usize {
        self.weights.len() / self.stride
    }

    /// The `k` largest pre-activations > 0 of loaded row `r`, by rising neuron.
    pub fn top_k(
        &self,
        parts: &Parts,
        (r, row): (usize, &[f32]),
        k: usize,
        work: &mut Workspace,
        out: &mut Vec<(u32, f32)>,
    ) {
        self.bound(r, work);
        top_k(&work.upper, k, &mut work.chosen);
        work.exact.clear();
        parts.pre_activations(row, work.chosen.iter().map(|c| c.0), &mut work.exact);
        if work.exact.len() == k {
            let floor = work.exact.iter().map(|e| e.1).fold(f32::INFINITY, f32::min).max(0.0);
            indices_from(&work.upper, floor, &mut work.candidates);
            let chosen = &work.chosen;
            work.candidates.retain(|j| chosen.binary_search_by_key(j, |c| c.0).is_err());
            parts.pre_activations(row, work.candidates.iter().copied(), &mut work.exact);
        }
        keep_largest(&mut work.exact, k);
        out.extend_from_slice(&work.exact);
    }

    /// All pre-activations > `floor` (at least 0) of loaded row `r`, by rising neuron.
    pub fn above(
        &self,
        parts: &Parts,
        (r, row): (usize, &[f32]),
        floor: f32,
        work: &mut Workspace,
        out: &mut Vec<(u32, f32)>,
    ) {
        self.bound(r, work);
        indices_from(&work.upper, floor, &mut work.candidates);
        work.exact.clear();
        parts.pre_activations(row, work.candidates.iter().copied(), &mut work.exact);
        out.extend(work.exact.iter().filter(|(_, value)| *value > floor));
    }

    /// Upper bounds of the pre-activations of loaded row `r`.
    fn bound(&self, r: usize, work: &mut Workspace) {
        work.upper.resize(self.neurons.len(), 0.0);
        let row = work.quantised[r];
        let products = &work.products[r * self.width()..][..self.neurons.len()];
        let (bounds, upper) = (&self.bounds, work.upper.as_mut_slice());
        Arch::new().dispatch(Bound { bounds, row, products, upper });
    }
}

/// A run of neurons of a screen.
pub(super) struct Panel<'a> {
    product: &'a Product,
    stride: usize,
    weights: &'a mut [i16],
    neurons: &'a mut [Quantised],
}

impl Panel<'_> {
    /// Rounds new weights of its neuron `i` into a buffer, until all can be taken over together.
    pub fn round(&mut self, i: usize, neuron: &[f32], rounded: &mut Vec<i16>) {
        rounded.resize(NEURONS * self.stride, 0);
        let row = &mut rounded[i * self.stride..][..self.stride];
        self.neurons[i] = quantise(neuron, self.product.largest().1, row);
    }

    /// Takes over what has been rounded.
    pub fn take_over(&mut self, rounded: &mut [i16]) {
        rounded[self.neurons.len() * self.stride..].fill(0);
        self.product.place(rounded, self.weights);
    }
}

struct Bound<'a> {
    bounds: &'a Bounds,
    row: Quantised,
    products: &'a [i32],
    upper: &'a mut [f32],
}

impl WithSimd for Bound<'_> {
    type Output = ();

    // The loop becomes the vector instructions of `S`.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { bounds, row, products, upper } = self;
        let Bounds { scale: scales, offset, bias, of_lost, of_norm, .. } = bounds;
        let Quantised { scale, norm, lost, .. } = row;
        let upper = upper.iter_mut().zip(products).zip(offset).zip(scales);
        for ((((((upper, &p), &o), &s), &bias), &of_lost), &of_norm) in
            upper.zip(bias).zip(of_lost).zip(of_norm)
        {
            *upper = scale * s * (p - o) as f32 + bias + (lost * of_lost + norm * of_norm);
        }
    }
}

impl Parts {
    /// `W_enc[j] (x - b_in) + b_neuron[j]` of a centred row. 2 d operations.
    pub(super) fn pre_activation(&self, centred: &[f32], j: u32) -> f32 {
        dot(centred, self.encoder.row(j as usize)) + self.neuron_bias[j as usize]
    }

    /// Appends (neuron, pre-activation) of these neurons, each with the bits of
    /// [`Self::pre_activation`].
    fn pre_activations(
        &self,
        centred: &[f32],
        mut neurons: impl Iterator<Item = u32>,
        out: &mut Vec<(u32, f32)>,
    ) {
        let row = |j: u32| self.encoder.row(j as usize);
        while let Some(i) = neurons.next() {
            let Some(j) = neurons.next() else {
                out.push((i, self.pre_activation(centred, i)));
                return;
            };
            let [first, second] = dots(centred, [row(i), row(j)]);
            out.push((i, first + self.neuron_bias[i as usize]));
            out.push((j, second + self.neuron_bias[j as usize]));
        }
    }
}

/// Keeps the `k` largest positive values, among equal ones those of lower index; by rising index.
pub(super) fn keep_largest(terms: &mut Vec<(u32, f32)>, k: usize) {
    terms.retain(|&(_, value)| value > 0.0);
    if terms.len() > k {
        terms.select_nth_unstable_by(k, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        terms.truncate(k);
    }
    terms.sort_unstable_by_key(|&(j, _)| j);
}

/// Centres rows: `x - b_in`.
pub(super) fn centre(rows: &[&[f32]], input_bias: &[f32], centred: &mut [f32]) {
    for (centred, row) in centred.chunks_exact_mut(input_bias.len()).zip(rows) {
        for ((c, &x), &b) in centred.iter_mut().zip(*row).zip(input_bias) {
            *c = x - b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TrainOptions, init};
    use super::*;
    use crate::matrix::Matrix;

    /// Every neuron in full, sorted: what the screen must equal.
    fn in_full(parts: &Parts, centred: &[f32], k: usize) -> Vec<(u32, f32)> {
        let m = u32::try_from(parts.encoder.rows()).unwrap();
        let mut all: Vec<_> = (0..m).map(|j| (j, parts.pre_activation(centred, j))).collect();
        keep_largest(&mut all, k);
        all
    }

    fn check(parts: &Parts, rows: &[Vec<f32>]) {
        for product in Product::every(parts.encoder.cols()) {
            check_with(product, parts, rows);
        }
    }

    fn check_with(product: Product, parts: &Parts, rows: &[Vec<f32>]) {
        let screen = Screen::with(product, parts);
        let mut work = Workspace::default();
        let centred = rows.concat();
        screen.load(&centred, &mut work);
        for (r, row) in rows.iter().enumerate() {
            for k in [1, 2, 5, parts.encoder.rows()] {
                let (expected, mut got) = (in_full(parts, row, k), Vec::new());
                screen.top_k(parts, (r, row), k, &mut work, &mut got);
                assert_eq!(got, expected, "row {r}, k = {k}");
                let floor = expected.iter().map(|e| e.1).fold(f32::INFINITY, f32::min).min(1e30);
                let mut above = Vec::new();
                screen.above(parts, (r, row), floor, &mut work, &mut above);
                let strictly: Vec<_> = expected.into_iter().filter(|e| e.1 > floor).collect();
                assert_eq!(above, strictly, "row {r}, above {floor}");
            }
        }
    }

    /// Weights of one size but for one that is far larger, which leaves 8 bits for nothing else.
    fn spiked(d: usize, j: usize, spike: f32) -> Vec<f32> {
        let sign = |i: usize| if (i * 7 + j * 13).is_multiple_of(3) { -1.0 } else { 1.0 };
        let mut row: Vec<f32> = (0..d).map(|i| sign(i) * (1.0 + (i + j) as f32 * 1e-3)).collect();
        row[j % d] = spike;
        row
    }

    fn parts(encoder: &[Vec<f32>], bias: impl Fn(usize) -> f32) -> Parts {
        let (m, d) = (encoder.len(), encoder[0].len());
        let x = Matrix::from_vec(m, d, encoder.concat()).unwrap();
        let options = TrainOptions { n_neurons: m, k: 1, ..TrainOptions::default() };
        let mut parts = init::alone(&x, &options);
        parts.encoder = x;
        parts.neuron_bias = (0..m).map(bias).collect();
        parts
    }

    #[test]
    fn adversarial_rows_get_what_computing_in_full_gives() {
        let d = 97;
        for spike in [0.0, 1.0, 300.0, 1e6, -1e6] {
            let encoder: Vec<_> = (0..40).map(|j| spiked(d, j, spike)).collect();
            let mut rows: Vec<_> = (0..12).map(|j| spiked(d, j + 3, -spike)).collect();
            // Orthogonal to the spikes' neuron but for what 8 bits cannot see; nothing; extremes.
            rows.push(vec![0.0; d]);
            rows.push((0..d).map(|i| if i == 0 { 1e6 } else { 1e-3 * i as f32 }).collect());
            rows.push(encoder[7].iter().map(|v| v * 1e-30).collect());
            rows.push(encoder[9].iter().map(|v| v * 1e15).collect());
            check(&parts(&encoder, |_| 0.0), &rows);
            check(&parts(&encoder, |j| (j as f32 - 20.0) * 0.3), &rows);
        }
    }

    #[test]
    fn neurons_that_differ_in_the_last_bit_are_told_apart() {
        let base = spiked(200, 1, 2.0);
        let bumped = |j: usize| {
            let mut row = base.clone();
            row[j] = f32::from_bits(row[j].to_bits() + u32::from(j.is_multiple_of(2)));
            row
        };
        let encoder: Vec<_> = (0..64).map(bumped).collect();
        check(&parts(&encoder, |_| 0.0), &[base.clone(), base.iter().map(|v| -v).collect()]);
    }
}
