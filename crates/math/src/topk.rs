//! The k largest positive values of a row.
//!
//! This is the nonlinearity of a top-k autoencoder: choose the k largest, then `ReLU`. As only
//! positive values survive, it is the same to choose among the positive ones from the start.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use pulp::{Arch, Simd, WithSimd, bytemuck};

/// Writes the `k` largest values of `values` that are > 0, as (index, value) by rising index.
///
/// Among equal values the lower index wins; NaN never does; fewer than `k` positive values give
/// fewer entries. Cost: a pass of maxima and one of comparisons, and a shift of at most `k` entries
/// for each value that enters, hardly more than `k` of many.
pub fn top_k(values: &[f32], k: usize, best: &mut Vec<(u32, f32)>) {
    best.clear();
    if k > 0 {
        Arch::new().dispatch(Scan { values, k, best });
    }
    best.sort_unstable_by_key(|&(index, _)| index);
}

/// Writes the indices of the values that are at least `floor` and > 0, rising.
pub(crate) fn indices_from(values: &[f32], floor: f32, indices: &mut Vec<u32>) {
    indices.clear();
    Arch::new().dispatch(From { values, floor, indices });
}

struct From<'a> {
    values: &'a [f32],
    floor: f32,
    indices: &'a mut Vec<u32>,
}

impl WithSimd for From<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (registers, rest) = S::as_simd_f32s(self.values);
        let floor = simd.splat_f32s(self.floor);
        let mut first = 0;
        for &register in registers {
            let from = simd.greater_than_or_equal_f32s(register, floor);
            if simd.first_true_m32s(from) < S::F32_LANES {
                self.list(first, first + S::F32_LANES);
            }
            first += S::F32_LANES;
        }
        self.list(first, first + rest.len());
    }
}

impl From<'_> {
    #[inline(always)]
    fn list(&mut self, from: usize, to: usize) {
        let first = u32::try_from(from).expect("fewer than 2^32 neurons");
        let from = (first..).zip(&self.values[from..to]);
        self.indices.extend(from.filter(|&(_, &v)| v >= self.floor && v > 0.0).map(|(j, _)| j));
    }
}

struct Scan<'a> {
    values: &'a [f32],
    k: usize,
    /// By falling value, among equal ones by rising index.
    best: &'a mut Vec<(u32, f32)>,
}

impl WithSimd for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (registers, rest) = S::as_simd_f32s(self.values);
        let mut floor = self.floor(simd, registers);
        let mut first = 0;
        for &register in registers {
            // Most registers hold nothing of interest, and this is two instructions. Which lane is
            // the first is not asked: pulp 0.22 counts from the wrong end of an AVX-512 mask.
            let above = simd.greater_than_f32s(register, simd.splat_f32s(floor));
            if simd.first_true_m32s(above) < S::F32_LANES {
                floor = self.enter(first, first + S::F32_LANES, floor);
            }
            first += S::F32_LANES;
        }
        self.enter(first, first + rest.len(), floor);
    }
}

impl Scan<'_> {
    /// What all of the k largest exceed: the next number below the k-th of the maxima of some groups
    /// of values, one for each lane of four registers; at least 0.
    #[inline(always)]
    fn floor<S: Simd>(&self, simd: S, registers: &[S::f32s]) -> f32 {
        let mut maxima = [simd.splat_f32s(0.0); 4];
        for four in pulp::as_arrays::<4, _>(registers).0 {
            for (most, &register) in maxima.iter_mut().zip(four) {
                *most = simd.max_f32s(register, *most);
            }
        }
        let maxima: &mut [f32] = bytemuck::cast_slice_mut(&mut maxima);
        if self.k > maxima.len() {
            return 0.0;
        }
        // A maximum that is NaN, which some processors give, is one too few.
        maxima.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
        let (_, least, _) = maxima.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
        least.next_down().max(0.0)
    }

    /// Lets the values from `from` up to `to` enter that exceed `floor`; returns what a newcomer
    /// must exceed from there on.
    #[inline(always)]
    fn enter(&mut self, from: usize, to: usize, mut floor: f32) -> f32 {
        let from_index = u32::try_from(from).expect("fewer than 2^32 neurons");
        for (index, &value) in (from_index..).zip(&self.values[from..to]) {
            if value > floor {
                self.best.truncate(self.k - 1);
                self.best.push((index, value));
                let mut at = self.best.len() - 1;
                while at > 0 && self.best[at - 1].1 < value {
                    self.best.swap(at - 1, at);
                    at -= 1;
                }
                if self.best.len() == self.k {
                    floor = self.best[self.k - 1].1;
                }
            }
        }
        floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f32], k: usize, expected: &[(u32, f32)]) {
        let mut best = vec![(9, 9.0)];
        top_k(values, k, &mut best);
        assert_eq!(best, expected, "top {k} of {values:?}");
    }

    #[test]
    fn chooses_the_largest_positive_values() {
        check(&[], 2, &[]);
        check(&[1.0, 2.0], 0, &[]);
        check(&[-1.0, 0.0], 2, &[]);
        check(&[0.5, 3.0, -1.0, 2.0], 2, &[(1, 3.0), (3, 2.0)]);
        check(&[0.5, -3.0], 2, &[(0, 0.5)]);
        check(&[1.0, f32::NAN, 2.0], 2, &[(0, 1.0), (2, 2.0)]);
        check(&[f32::INFINITY, 1.0], 1, &[(0, f32::INFINITY)]);
        let holes: Vec<f32> =
            (0..200_u16).map(|i| if i % 2 == 0 { f32::NAN } else { f32::from(i) }).collect();
        check(&holes, 2, &[(197, 197.0), (199, 199.0)]);
        check(&[f32::NAN; 200], 2, &[]);
        check(&[f32::from_bits(1); 200], 1, &[(0, f32::from_bits(1))]);
        check(&[f32::INFINITY; 200], 1, &[(0, f32::INFINITY)]);
    }

    #[test]
    fn lower_index_wins_a_tie() {
        check(&[1.0, 1.0, 2.0, 1.0], 2, &[(0, 1.0), (2, 2.0)]);
        check(&[1.0; 40], 3, &[(0, 1.0), (1, 1.0), (2, 1.0)]);
    }

    #[test]
    fn equals_sorting() {
        let values: Vec<f32> = (0..500_u32).map(|i| ((i * 7919) % 501) as f32 - 250.0).collect();
        for k in [1, 7, 33, 499] {
            let mut all: Vec<(u32, f32)> =
                (0..).zip(values.iter().copied()).filter(|e| e.1 > 0.0).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(k);
            all.sort_by_key(|e| e.0);
            check(&values, k, &all);
        }
    }
}
