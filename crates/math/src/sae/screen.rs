//! Which neurons of a row come first: an 8-bit product rules most of them out, the rest are
//! computed in full.
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

use super::Parts;
use super::quantise::{Quantised, quantise};
use crate::topk::{indices_from, top_k};
use crate::vector::dot;
use pulp::Arch;
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// Neurons that one task quantises.
const CHUNK: usize = 16;

/// An encoder ready to be screened: its rows in 8 bits, m x d.
pub(super) struct Screen {
    product: GemmExecutor<u8, i8, i32>,
    /// Largest absolute value of a weight in 8 bits.
    largest: i8,
    pub weights: Vec<i8>,
    pub neurons: Vec<Quantised>,
    packed: Option<PackedBMatrix<i8>>,
    bounds: Bounds,
}

/// Per neuron, what the upper bound of its pre-activation is made of.
#[derive(Default)]
struct Bounds {
    scale: Vec<f32>,
    offset: Vec<i32>,
    bias: Vec<f32>,
    /// Factor of the length that rounding took from the row.
    of_lost: Vec<f32>,
    /// Factor of the length of the row.
    of_norm: Vec<f32>,
}

/// A row to be encoded, and buffers; one per thread.
#[derive(Default)]
pub(super) struct Workspace {
    rows: Vec<u8>,
    signed: Vec<i8>,
    quantised: Vec<Quantised>,
    products: Vec<i32>,
    upper: Vec<f32>,
    candidates: Vec<u32>,
    exact: Vec<(u32, f32)>,
    chosen: Vec<(u32, f32)>,
}

impl Screen {
    /// Memory for m neurons of d weights.
    pub fn new(n_neurons: usize, dim: usize) -> Self {
        let product = GemmExecutor::<u8, i8, i32>::default();
        // Without VNNI two products are added in 16 bits: 2 * 255 * 63 stays inside them.
        let largest = if product.may_saturate() { 63 } else { 127 };
        Self {
            product,
            largest,
            weights: vec![0; n_neurons * dim],
            neurons: vec![Quantised::default(); n_neurons],
            packed: None,
            bounds: Bounds::default(),
        }
    }

    /// The screen of an encoder.
    pub fn of(parts: &Parts) -> Self {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        let mut screen = Self::new(m, d);
        let largest = screen.largest;
        screen
            .weights
            .par_chunks_mut(d)
            .zip(&mut screen.neurons)
            .zip(parts.encoder.data().par_chunks(d))
            .with_min_len(CHUNK)
            .for_each(|((q, neuron), row)| *neuron = quantise(row, largest, q));
        screen.refresh(parts);
        screen
    }

    pub fn largest(&self) -> i8 {
        self.largest
    }

    /// Takes over new weights and biases: to be called when `weights` and `neurons` have changed.
    pub fn refresh(&mut self, parts: &Parts) {
        let (m, d) = (parts.encoder.rows(), parts.encoder.cols());
        let view = NdTensorView::from_data([m, d], self.weights.as_slice());
        self.packed = Some(self.product.prepack_b(view.transposed()));
        // Rounding in `f32`: of a sum of d products in at least four lanes (Higham 2002, 3.1),
        // and a few operations besides.
        let slack = (d as f32 / 4.0 + 64.0) * f32::EPSILON;
        let each =
            |f: fn(&Quantised, f32) -> f32| self.neurons.iter().map(|n| f(n, slack)).collect();
        self.bounds = Bounds {
            scale: each(|n, _| n.scale),
            offset: self.neurons.iter().map(|n| 128 * n.sum).collect(),
            bias: parts.neuron_bias.iter().map(|b| b + slack * b.abs()).collect(),
            of_lost: each(|n, slack| (n.norm + n.lost) * (1.0 + slack)),
            of_norm: each(|n, slack| n.lost * (1.0 + slack) + 2.0 * slack * (n.norm + n.lost)),
        };
    }

    /// Quantises centred rows (n x d, end to end) and multiplies them with all neurons.
    pub fn load(&self, centred: &[f32], work: &mut Workspace) {
        let m = self.neurons.len();
        let d = self.weights.len() / m;
        let n = centred.len() / d;
        work.rows.resize(n * d, 0);
        work.signed.resize(d, 0);
        work.quantised.clear();
        for (row, bytes) in centred.chunks_exact(d).zip(work.rows.chunks_exact_mut(d)) {
            work.quantised.push(quantise(row, 127, &mut work.signed));
            for (byte, &q) in bytes.iter_mut().zip(&work.signed) {
                *byte = q.cast_unsigned() ^ 0x80;
            }
        }
        work.products.resize(n * m, 0);
        let rows = NdTensorView::from_data([n, d], work.rows.as_slice());
        let weights = self.packed.as_ref().expect("`refresh` comes first");
        let (a, b) = (GemmInputA::Unpacked(rows), GemmInputB::Packed(weights));
        self.product
            .gemm(&mut work.products, a, b, GemmOptions::default())
            .expect("sizes that fit together");
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
        work.exact.extend(work.chosen.iter().map(|&(j, _)| (j, parts.pre_activation(row, j))));
        if work.exact.len() == k {
            let floor = work.exact.iter().map(|e| e.1).fold(f32::INFINITY, f32::min).max(0.0);
            indices_from(&work.upper, floor, &mut work.candidates);
            let first = work.exact.len();
            for &j in &work.candidates {
                if work.exact[..first].binary_search_by_key(&j, |e| e.0).is_err() {
                    work.exact.push((j, parts.pre_activation(row, j)));
                }
            }
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
        let exact = work.candidates.iter().map(|&j| (j, parts.pre_activation(row, j)));
        out.extend(exact.filter(|&(_, value)| value > floor));
    }

    /// Upper bounds of the pre-activations of loaded row `r`.
    fn bound(&self, r: usize, work: &mut Workspace) {
        let m = self.neurons.len();
        let Quantised { scale, norm, lost, .. } = work.quantised[r];
        let products = &work.products[r * m..][..m];
        work.upper.resize(m, 0.0);
        let Bounds { scale: scales, offset, bias, of_lost, of_norm } = &self.bounds;
        let upper = work.upper.iter_mut().zip(products).zip(offset).zip(scales);
        let upper = upper.zip(bias).zip(of_lost).zip(of_norm);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((((((upper, &p), &o), &s), &bias), &of_lost), &of_norm) in upper {
                    let product = scale * s * (p - o) as f32;
                    *upper = product + bias + (lost * of_lost + norm * of_norm);
                }
            },
        );
    }
}

impl Parts {
    /// `W_enc[j] (x - b_in) + b_neuron[j]` of a centred row. 2 d operations.
    pub(super) fn pre_activation(&self, centred: &[f32], j: u32) -> f32 {
        dot(centred, self.encoder.row(j as usize)) + self.neuron_bias[j as usize]
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
        let screen = Screen::of(parts);
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
