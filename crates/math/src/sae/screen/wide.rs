//! Products in 16 bits for x86 processors with AVX2 and without VNNI.
//!
//! There, numbers of 16 bits are multiplied and added up in as many instructions as numbers of 8
//! bits, which must first be got out of 16-bit sums; and rounding to 11 bits instead of 7 leaves
//! hardly a neuron in doubt.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use super::NEURONS;
use pulp::x86::V3;
use pulp::{NullaryFnOnce, cast, i16x16};

/// Two registers of 8 sums each take a panel's neurons.
const REGISTERS: usize = NEURONS / 8;

/// Rows of a tile: 6 x 2 sums and what they are made of fill the 16 registers. Interleaved like
/// the neurons of a panel, so that both are read in the order in which they lie.
const ROWS: usize = 6;

/// The largest number of which `dim` squares add up inside 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and the largest of 16 bits")]
pub(super) fn largest(dim: usize) -> i16 {
    (f64::from(i32::MAX) / dim.max(1) as f64).sqrt().min(f64::from(i16::MAX)) as i16
}

/// Writes the first pair of numbers of each of `N` rows, then their second pairs, and so on. Of
/// fewer rows the first stands in for those that are missing.
pub(super) fn interleave<const N: usize>(rows: &[i16], together: &mut [i16]) {
    let (together, _) = together.as_chunks_mut::<2>();
    let (pairs, n) = (rows.as_chunks::<2>().0, together.len() / N);
    let rows: [&[[i16; 2]]; N] =
        std::array::from_fn(|r| pairs.get(r * n..(r + 1) * n).unwrap_or(&pairs[..n]));
    for (i, beside) in together.chunks_exact_mut(N).enumerate() {
        for (to, row) in beside.iter_mut().zip(rows) {
            *to = row[i];
        }
    }
}

/// `out[r, j] = sum over i of rows[r, i] weights[j, i]`, exact if no sum leaves 32 bits.
///
/// `rows`: n x `stride`, `stride` even; `panels`: m x `stride`, [`NEURONS`] interleaved; `out`:
/// n x m; `tiles`: a buffer. Numbers of n m `stride` / 16 registers are multiplied, and as many
/// added; a panel stays in the second cache while the rows pass by.
pub(super) fn multiply(
    simd: V3,
    rows: &[i16],
    panels: &[i16],
    stride: usize,
    tiles: &mut Vec<i16>,
    out: &mut [i32],
) {
    tiles.resize(rows.len().next_multiple_of(ROWS * stride), 0);
    for (rows, tile) in rows.chunks(ROWS * stride).zip(tiles.chunks_exact_mut(ROWS * stride)) {
        interleave::<ROWS>(rows, tile);
    }
    simd.vectorize(Multiply { simd, tiles, panels, stride, out });
}

struct Multiply<'a> {
    simd: V3,
    tiles: &'a [i16],
    panels: &'a [i16],
    stride: usize,
    out: &'a mut [i32],
}

impl NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, tiles, panels, stride, out } = self;
        let m = panels.len() / stride;
        for (p, panel) in panels.chunks_exact(NEURONS * stride).enumerate() {
            let tiles = tiles.chunks_exact(ROWS * stride).zip(out.chunks_mut(ROWS * m));
            for (tile, out) in tiles {
                let sums = products(simd, tile, panel);
                for (sums, out) in sums.iter().zip(out.chunks_exact_mut(m)) {
                    out[p * NEURONS..][..NEURONS].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Inner products of the rows of a tile with the neurons of a panel.
#[inline(always)]
fn products(simd: V3, tile: &[i16], panel: &[i16]) -> [[i32; NEURONS]; ROWS] {
    let mut sums = [[simd.splat_i32x8(0); REGISTERS]; ROWS];
    let (tile, _) = tile.as_chunks::<{ 2 * ROWS }>();
    let (panel, _) = panel.as_chunks::<{ 2 * NEURONS }>();
    for (pairs, weights) in tile.iter().zip(panel) {
        let weights: [i16x16; REGISTERS] = cast(*weights);
        for (sums, pair) in sums.iter_mut().zip(pairs.as_chunks::<2>().0) {
            let pair: i16x16 = cast(simd.splat_i32x8(cast(*pair)));
            for (sum, weights) in sums.iter_mut().zip(weights) {
                let products = simd.multiply_wrapping_add_adjacent_i16x16(pair, weights);
                *sum = simd.wrapping_add_i32x8(*sum, products);
            }
        }
    }
    cast(sums)
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
            let placed = panels.chunks_exact_mut(NEURONS * stride);
            for (neurons, panel) in weights.chunks_exact(NEURONS * stride).zip(placed) {
                interleave::<NEURONS>(neurons, panel);
            }
            let mut out = vec![1; n * m];
            multiply(simd, &rows, &panels, stride, &mut vec![7; 5], &mut out);
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
