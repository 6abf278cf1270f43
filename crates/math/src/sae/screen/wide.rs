//! Products in 16 bits for x86 processors with AVX2 and without VNNI.
//!
//! There, numbers of 16 bits are multiplied and added up in as many instructions as numbers of 8
//! bits, which must first be got out of 16-bit sums; and rounding to 11 bits instead of 7 leaves
//! hardly a neuron in doubt.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use super::NEURONS;
use pulp::x86::V3;
use pulp::{NullaryFnOnce, cast, i16x16, i32x8};

/// Two registers of 8 sums each take a panel's neurons.
const REGISTERS: usize = NEURONS / 8;

/// Rows of a tile: 6 x 2 sums and what they are made of fill the 16 registers.
const ROWS: usize = 6;

/// The largest number of which `dim` squares add up inside 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and the largest of 16 bits")]
pub(super) fn largest(dim: usize) -> i16 {
    (f64::from(i32::MAX) / dim.max(1) as f64).sqrt().min(f64::from(i16::MAX)) as i16
}

/// Places neuron `i` of a panel, [`NEURONS`] rows: pairs of its numbers beside those of the others.
pub(super) fn place(neuron: &[i16], i: usize, panel: &mut [i16]) {
    let (pairs, _) = neuron.as_chunks::<2>();
    for (pair, beside) in pairs.iter().zip(panel.chunks_exact_mut(2 * NEURONS)) {
        beside[2 * i..][..2].copy_from_slice(pair);
    }
}

/// `out[r, j] = sum over i of rows[r, i] weights[j, i]`, exact if no sum leaves 32 bits.
///
/// `rows`: n x `stride`; `panels`: m x `stride`, placed; `out`: n x m. Numbers of n m `stride` / 16
/// registers are multiplied, and as many added; a panel stays in the second cache while the rows
/// pass by.
pub(super) fn multiply(simd: V3, rows: &[i16], panels: &[i16], stride: usize, out: &mut [i32]) {
    simd.vectorize(Tiles { simd, rows, panels, stride, out });
}

struct Tiles<'a> {
    simd: V3,
    rows: &'a [i16],
    panels: &'a [i16],
    stride: usize,
    out: &'a mut [i32],
}

impl NullaryFnOnce for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, rows, panels, stride, out } = self;
        let m = panels.len() / stride;
        for (p, panel) in panels.chunks_exact(NEURONS * stride).enumerate() {
            let tiles = rows.chunks(ROWS * stride).zip(out.chunks_mut(ROWS * m));
            for (rows, out) in tiles {
                match rows.len() / stride {
                    1 => tile::<1>(simd, rows, panel, &mut out[p * NEURONS..], m),
                    2 => tile::<2>(simd, rows, panel, &mut out[p * NEURONS..], m),
                    3 => tile::<3>(simd, rows, panel, &mut out[p * NEURONS..], m),
                    4 => tile::<4>(simd, rows, panel, &mut out[p * NEURONS..], m),
                    5 => tile::<5>(simd, rows, panel, &mut out[p * NEURONS..], m),
                    _ => tile::<ROWS>(simd, rows, panel, &mut out[p * NEURONS..], m),
                }
            }
        }
    }
}

/// Inner products of `N` rows with the neurons of a panel, into `out` and every m numbers on.
#[inline(always)]
fn tile<const N: usize>(simd: V3, rows: &[i16], panel: &[i16], out: &mut [i32], m: usize) {
    let stride = rows.len() / N;
    let pairs: [&[[i16; 2]]; N] =
        std::array::from_fn(|r| &rows[r * stride..][..stride].as_chunks::<2>().0[..stride / 2]);
    let mut sums = [[simd.splat_i32x8(0); REGISTERS]; N];
    for (i, weights) in panel.as_chunks::<{ 2 * NEURONS }>().0[..stride / 2].iter().enumerate() {
        let weights: [i16x16; REGISTERS] = cast(*weights);
        for (sums, pairs) in sums.iter_mut().zip(&pairs) {
            let pair: i16x16 = cast(simd.splat_i32x8(cast(pairs[i])));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                let products = simd.multiply_wrapping_add_adjacent_i16x16(pair, weights);
                *sum = simd.wrapping_add_i32x8(*sum, products);
            }
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        let sums: [i32; NEURONS] = cast::<[i32x8; REGISTERS], _>(sums);
        out[r * m..][..NEURONS].copy_from_slice(&sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_the_plain_sums() {
        let Some(simd) = V3::try_new() else { return };
        for (n, m, stride) in [(1, 16, 16), (7, 32, 96), (64, 48, 48), (17, 16, 2)] {
            let top = i32::from(largest(stride)).min(30_000);
            let wave = |n: usize, by: usize| -> Vec<i16> {
                let whole = |i: usize| i32::try_from(i * by % 60_001).unwrap() % (2 * top + 1);
                (0..n).map(|i| i16::try_from(whole(i) - top).unwrap()).collect()
            };
            let (rows, weights) = (wave(n * stride, 7_919), wave(m * stride, 104_729));
            let mut panels = vec![0; m * stride];
            for (j, neuron) in weights.chunks_exact(stride).enumerate() {
                let panel = panels.chunks_exact_mut(NEURONS * stride).nth(j / NEURONS).unwrap();
                place(neuron, j % NEURONS, panel);
            }
            let mut out = vec![1; n * m];
            multiply(simd, &rows, &panels, stride, &mut out);
            for (at, &got) in out.iter().enumerate() {
                let (row, neuron) = (&rows[at / m * stride..], &weights[at % m * stride..]);
                let pairs = row[..stride].iter().zip(neuron);
                let sum: i32 = pairs.map(|(&x, &w)| i32::from(x) * i32::from(w)).sum();
                assert_eq!(got, sum, "{n} x {m} x {stride} at {at}");
            }
        }
    }

    #[test]
    fn the_largest_sums_stay_inside_32_bits() {
        for dim in [1, 2, 8, 97, 1_536, 100_000] {
            let largest = i64::from(largest(dim));
            assert!(
                largest * largest * i64::try_from(dim).unwrap() <= i64::from(i32::MAX),
                "{dim}"
            );
        }
        assert_eq!(largest(1_536), 1_182);
    }
}
