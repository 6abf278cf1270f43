//! Loops over `f32` slices, the instruction set chosen at run time.
//!
//! Slices in, a number or a changed slice out. Every loop runs over SIMD registers first and over
//! what is left one by one, always in the same order: on one machine equal inputs give equal bits.
//! Sums over one row stay in `f32` lanes; sums over rows are the caller's, in `f64`.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use pulp::{Arch, Simd, WithSimd};

/// Inner product, sum over i of `a[i] * b[i]`.
///
/// # Panics
/// If the lengths differ: the caller's invariant.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let [product] = dots(a, [b]);
    product
}

/// Inner products of a row with several, each with the bits of [`dot`].
///
/// Rows that lie apart in memory are waited for together: two take little longer than one.
///
/// # Panics
/// If the lengths differ: the caller's invariant.
#[must_use]
pub fn dots<const N: usize>(a: &[f32], b: [&[f32]; N]) -> [f32; N] {
    assert!(b.iter().all(|b| b.len() == a.len()), "equal lengths");
    Arch::new().dispatch(Dots { a, b })
}

/// Squared length, sum over i of `a[i]^2`.
#[must_use]
pub fn squared_norm(a: &[f32]) -> f32 {
    dot(a, a)
}

/// `y += alpha * x`.
///
/// # Panics
/// If the lengths differ: the caller's invariant.
pub fn axpy(y: &mut [f32], alpha: f32, x: &[f32]) {
    assert_eq!(y.len(), x.len(), "equal lengths");
    Arch::new().dispatch(Axpy { y, alpha, x });
}

/// `y *= alpha`.
pub fn scale(y: &mut [f32], alpha: f32) {
    Arch::new().dispatch(|| {
        for v in y {
            *v *= alpha;
        }
    });
}

/// `y = -x`.
///
/// # Panics
/// If the lengths differ: the caller's invariant.
pub fn negate(x: &[f32], y: &mut [f32]) {
    assert_eq!(y.len(), x.len(), "equal lengths");
    Arch::new().dispatch(|| {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = -x;
        }
    });
}

/// Scales a row to unit length; a row of zeros stays.
pub fn normalise(row: &mut [f32]) {
    let length = squared_norm(row).sqrt();
    if length > 0.0 {
        scale(row, 1.0 / length);
    }
}

/// `y += sum over (i, w) of w * rows[i]`, where `rows` holds rows as long as `y`, end to end.
///
/// A block of `y` stays in registers while all terms are added to it, in their order: one read
/// of each row, one write of `y`.
///
/// # Panics
/// If a term names a row that is not there: the caller's invariant.
pub fn add_weighted_rows(y: &mut [f32], rows: &[f32], terms: &[(u32, f32)]) {
    if terms.is_empty() {
        return;
    }
    Arch::new().dispatch(WeightedRows { y, rows, terms });
}

struct Dots<'a, const N: usize> {
    a: &'a [f32],
    b: [&'a [f32]; N],
}

impl<const N: usize> WithSimd for Dots<'_, N> {
    type Output = [f32; N];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; N] {
        let (a, a_rest) = S::as_simd_f32s(self.a);
        let (a4, a1) = pulp::as_arrays::<4, _>(a);
        let b = self.b.map(|b| S::as_simd_f32s(b));
        let b4 = b.map(|(b, _)| &pulp::as_arrays::<4, _>(b).0[..a4.len()]);
        let mut sums = [[simd.splat_f32s(0.0); 4]; N];
        for (i, a) in a4.iter().enumerate() {
            for (sums, b) in sums.iter_mut().zip(&b4) {
                for lane in 0..4 {
                    sums[lane] = simd.mul_add_f32s(a[lane], b[i][lane], sums[lane]);
                }
            }
        }
        let a_rest = simd.partial_load_f32s(a_rest);
        std::array::from_fn(|n| {
            let [mut first, mut second, third, fourth] = sums[n];
            let (b, b_rest) = b[n];
            for (&a, &b) in a1.iter().zip(&b[4 * a4.len()..]) {
                first = simd.mul_add_f32s(a, b, first);
            }
            second = simd.mul_add_f32s(a_rest, simd.partial_load_f32s(b_rest), second);
            let halves = [simd.add_f32s(first, second), simd.add_f32s(third, fourth)];
            simd.reduce_sum_f32s(simd.add_f32s(halves[0], halves[1]))
        })
    }
}

struct Axpy<'a> {
    y: &'a mut [f32],
    alpha: f32,
    x: &'a [f32],
}

impl WithSimd for Axpy<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (x, x_rest) = S::as_simd_f32s(self.x);
        let (y, y_rest) = S::as_mut_simd_f32s(self.y);
        let alpha = simd.splat_f32s(self.alpha);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = simd.mul_add_f32s(alpha, x, *y);
        }
        let rest = simd.partial_load_f32s(y_rest);
        let rest = simd.mul_add_f32s(alpha, simd.partial_load_f32s(x_rest), rest);
        simd.partial_store_f32s(y_rest, rest);
    }
}

struct WeightedRows<'a> {
    y: &'a mut [f32],
    rows: &'a [f32],
    terms: &'a [(u32, f32)],
}

impl WeightedRows<'_> {
    /// Adds all terms to `BLOCK` registers of `y`, which begin at column `at`.
    #[inline(always)]
    fn block<S: Simd, const BLOCK: usize>(
        &self,
        simd: S,
        y: &mut [S::f32s; BLOCK],
        at: usize,
        width: usize,
    ) {
        let mut sums = *y;
        let span = BLOCK * S::F32_LANES;
        for &(i, weight) in self.terms {
            let start = i as usize * width + at;
            let (row, _) = S::as_simd_f32s(&self.rows[start..start + span]);
            let weight = simd.splat_f32s(weight);
            for lane in 0..BLOCK {
                sums[lane] = simd.mul_add_f32s(weight, row[lane], sums[lane]);
            }
        }
        *y = sums;
    }
}

impl WithSimd for WeightedRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        const BLOCK: usize = 8;
        let width = self.y.len();
        let y = std::mem::take(&mut self.y);
        let (head, rest) = S::as_mut_simd_f32s(y);
        let (blocks, single) = pulp::as_arrays_mut::<BLOCK, _>(head);
        let mut at = 0;
        for block in blocks {
            self.block::<S, BLOCK>(simd, block, at, width);
            at += BLOCK * S::F32_LANES;
        }
        for register in single {
            self.block::<S, 1>(simd, std::array::from_mut(register), at, width);
            at += S::F32_LANES;
        }
        if rest.is_empty() {
            return;
        }
        let mut sum = simd.partial_load_f32s(rest);
        for &(i, weight) in self.terms {
            let start = i as usize * width + at;
            let row = simd.partial_load_f32s(&self.rows[start..start + rest.len()]);
            sum = simd.mul_add_f32s(simd.splat_f32s(weight), row, sum);
        }
        simd.partial_store_f32s(rest, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around the register widths, so that heads and rests of every size occur.
    const LENGTHS: [usize; 11] = [0, 1, 3, 7, 16, 17, 31, 64, 100, 129, 300];

    fn wave(n: usize, phase: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.7 + phase).sin()).collect()
    }

    fn check(got: f32, expected: f64) {
        assert!((f64::from(got) - expected).abs() < 1e-4, "{got} is not {expected}");
    }

    #[test]
    fn dot_equals_the_plain_sum() {
        for n in LENGTHS {
            let (a, b) = (wave(n, 0.0), wave(n, 1.0));
            check(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum());
            assert_eq!(dots(&a, [&b, &a]), [dot(&a, &b), dot(&a, &a)]);
        }
    }

    #[test]
    fn axpy_scale_and_negate_equal_the_plain_loops() {
        for n in LENGTHS {
            let (mut y, x) = (wave(n, 0.0), wave(n, 1.0));
            let before = y.clone();
            axpy(&mut y, 0.5, &x);
            scale(&mut y, 3.0);
            let mut negative = before.clone();
            negate(&y, &mut negative);
            for i in 0..n {
                assert_eq!(negative[i], -y[i]);
                check(y[i], 3.0 * f64::from(before[i] + 0.5 * x[i]));
            }
        }
    }

    #[test]
    fn weighted_rows_equal_the_plain_sum() {
        for n in LENGTHS {
            let rows = wave(5 * n, 2.0);
            let terms = [(4, 0.5), (0, -2.0), (4, 1.5)];
            let mut y = wave(n, 0.0);
            let before = y.clone();
            add_weighted_rows(&mut y, &rows, &terms);
            for i in 0..n {
                let sum: f32 = terms.iter().map(|&(r, w)| w * rows[r as usize * n + i]).sum();
                check(y[i], f64::from(before[i] + sum));
            }
        }
    }
}
