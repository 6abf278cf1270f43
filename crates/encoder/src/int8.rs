//! Products in whole numbers of 8 bits, which a processor multiplies by the dozen.

use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;
use rten_vecmath::MinMax;

thread_local! {
    /// The kernel that suits the processor.
    static GEMM: GemmExecutor<u8, i8, i32> = GemmExecutor::new();
}

/// Rows of `x` at a time: what becomes of them stays in the core's own cache.
const ROWS: usize = 64;

/// Steps from the least number of a row to the greatest. Processors without instructions of their own
/// for this add two products in 16 bits, which those of 7 and 8 bits do not overflow.
const STEPS: f32 = 127.0;

/// A matrix of weights; what leads to one output is divided by what brings its greatest to 127.
pub(crate) struct Int8 {
    weight: PackedBMatrix<i8>,
    /// One per output; so below.
    scales: Vec<f32>,
    bias: Vec<f32>,
    /// Of the whole numbers.
    sums: Vec<i32>,
    ins: usize,
}

impl Int8 {
    /// `weight` is outs x ins, as torch has it.
    #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
    pub fn new(weight: &[f32], bias: Option<Vec<f32>>, ins: usize) -> Self {
        let greatest = |row: &[f32]| row.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        let scales: Vec<f32> = weight.chunks_exact(ins).map(|row| greatest(row) / 127.0).collect();
        let whole: Vec<i8> = weight
            .chunks_exact(ins)
            .zip(&scales)
            .flat_map(|(row, &scale)| {
                let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
                row.iter().map(move |w| (w * inverse).round_ties_even() as i8)
            })
            .collect();
        let view = NdTensorView::from_data([scales.len(), ins], whole.as_slice());
        let weight = GEMM.with(|gemm| gemm.prepack_b(view.transposed()));
        let bias = bias.unwrap_or_else(|| vec![0.0; scales.len()]);
        let sum = |row: &[i8]| row.iter().map(|&w| i32::from(w)).sum();
        let sums = whole.chunks_exact(ins).map(sum).collect();
        Self { weight, scales, bias, sums, ins }
    }

    /// `out` (n x outs) becomes `x W' + b` for `x` (n x ins), or that is added to it.
    pub fn product(&self, x: &[f32], adds: bool, out: &mut [f32]) {
        let outs = self.scales.len();
        let (mut rows, mut sums) = (Rows::default(), Vec::new());
        for (x, out) in x.chunks(ROWS * self.ins).zip(out.chunks_mut(ROWS * outs)) {
            rows.read(x, self.ins);
            sums.resize(out.len(), 0);
            self.sum(&rows, &mut sums);
            let of_row = out.chunks_exact_mut(outs).zip(sums.chunks_exact(outs));
            for ((out, sums), &(zero, scale)) in of_row.zip(&rows.zeros_and_scales) {
                Restore { sums, zero, scale, of: self, adds, out }.dispatch();
            }
        }
    }

    fn sum(&self, rows: &Rows, sums: &mut [i32]) {
        let n = rows.zeros_and_scales.len();
        let a = NdTensorView::from_data([n, self.ins], rows.whole.as_slice());
        let (a, b) = (GemmInputA::Unpacked(a), GemmInputB::Packed(&self.weight));
        let done = GEMM.with(|gemm| gemm.gemm(sums, a, b, GemmOptions::default()));
        done.expect("shapes agree by construction");
    }
}

/// Rows as whole numbers: `x = scale (whole - zero)`, each row with its own.
#[derive(Default)]
struct Rows {
    whole: Vec<u8>,
    zeros_and_scales: Vec<(u8, f32)>,
}

impl Rows {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 127")]
    fn read(&mut self, x: &[f32], ins: usize) {
        self.zeros_and_scales.clear();
        self.whole.clear();
        for row in x.chunks_exact(ins) {
            let (least, greatest) = MinMax::new(row).dispatch();
            let (least, greatest) = (least.min(0.0), greatest.max(0.0));
            let scale = ((greatest - least) / STEPS).max(f32::MIN_POSITIVE);
            let zero = (-least / scale).round_ties_even() as u8;
            let start = self.whole.len();
            self.whole.resize(start + ins, 0);
            Round { row, inverse: 1.0 / scale, zero, out: &mut self.whole[start..] }.dispatch();
            self.zeros_and_scales.push((zero, scale));
        }
    }
}

/// To the nearest whole number, and `zero` more.
struct Round<'a> {
    row: &'a [f32],
    inverse: f32,
    zero: u8,
    out: &'a mut [u8],
}

impl Round<'_> {
    /// 1.5 2^23: a small number added to it is rounded, and stands in its lowest bits.
    const SHIFT: f32 = 12_582_912.0;
}

impl SimdOp for Round<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "so that it is compiled for the processor at hand")]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are meant")]
    fn eval<I: Isa>(self, _: I) {
        for (out, x) in self.out.iter_mut().zip(self.row) {
            let whole = (x * self.inverse + Self::SHIFT).to_bits() as u8;
            *out = whole.wrapping_add(self.zero);
        }
    }
}

/// From sums of whole numbers back to what they stand for.
struct Restore<'a> {
    sums: &'a [i32],
    zero: u8,
    scale: f32,
    of: &'a Int8,
    adds: bool,
    out: &'a mut [f32],
}

impl SimdOp for Restore<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "so that it is compiled for the processor at hand")]
    fn eval<I: Isa>(self, _: I) {
        let of = self.of.sums.iter().zip(&self.of.scales).zip(&self.of.bias);
        let products = self.sums.iter().zip(of).map(|(sum, ((of_weights, scale), bias))| {
            let sum = sum - i32::from(self.zero) * of_weights;
            sum as f32 * (self.scale * scale) + bias
        });
        if self.adds {
            self.out.iter_mut().zip(products).for_each(|(out, product)| *out += product);
        } else {
            self.out.iter_mut().zip(products).for_each(|(out, product)| *out = product);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that look random.
    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 8) as f32 / (1 << 23) as f32 - 1.0)
        };
        std::iter::repeat(()).scan(seed, |state, ()| next(state)).take(n).collect()
    }

    #[test]
    fn products_are_close_to_exact_ones() {
        for (n, ins, outs) in [
            (1, 4, 3),
            (7, 33, 20),
            (150, 64, 96),
            (40, 512, 384),
            (200, 384, 1152),
            (130, 1536, 384),
        ] {
            let (x, w, bias) = (numbers(n * ins, 1), numbers(outs * ins, 2), numbers(outs, 3));
            let mut out = numbers(n * outs, 4);
            let before = out.clone();
            let int8 = Int8::new(&w, Some(bias.clone()), ins);
            int8.product(&x, true, &mut out);
            let most = 3.0 * (ins as f32).sqrt() / STEPS;
            for (i, out) in out.iter().enumerate() {
                let (row, column) = (i / outs, i % outs);
                let (x, w) = (&x[row * ins..][..ins], &w[column * ins..][..ins]);
                let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                let error = out - (exact + bias[column] + before[i]);
                assert!(error.abs() < most, "{row} {column}: {error}");
            }
        }
    }
}
