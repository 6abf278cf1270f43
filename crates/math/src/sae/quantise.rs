//! Rows of `f32` as rows of whole numbers, with a bound on what that loses.

#![expect(clippy::cast_possible_truncation, reason = "rounded to the range of the type first")]
#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use pulp::{Arch, Simd, WithSimd};

/// What a row of whole numbers stands for: `scale * q`, and how far that is from the row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Quantised {
    pub scale: f32,
    /// Sum of the whole numbers.
    pub sum: i32,
    /// Length of the row.
    pub norm: f32,
    /// Length of what rounding took away, `row - scale q`.
    pub lost: f32,
}

/// Writes `q = round(row / scale)` with `scale = max |row| / largest`: symmetric, so that 0 is 0.
/// `q` may be longer than the row; the rest becomes 0.
///
/// d operations, a few passes over a row in the first cache. The lengths are of what is written:
/// they hold for any rounding.
pub(super) fn quantise(row: &[f32], largest: i16, q: &mut [i16]) -> Quantised {
    let (q, rest) = q.split_at_mut(row.len());
    rest.fill(0);
    Arch::new().dispatch(Quantise { row, largest, q })
}

struct Quantise<'a> {
    row: &'a [f32],
    largest: i16,
    q: &'a mut [i16],
}

impl WithSimd for Quantise<'_> {
    type Output = Quantised;

    // The loops become the vector instructions of `S`.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Quantised {
        let Self { row, largest, q } = self;
        let (row_chunks, row_rest) = row.as_chunks::<LANES>();
        let mut high = [0.0_f32; LANES];
        for chunk in row_chunks {
            for (high, v) in high.iter_mut().zip(chunk) {
                *high = high.max(v.abs());
            }
        }
        let highest = high.iter().chain(row_rest).fold(0.0_f32, |high, v| high.max(v.abs()));
        if highest == 0.0 {
            q.fill(0);
            return Quantised::default();
        }
        // A subnormal row would overflow the factor; its scale is rounded up instead.
        let scale = (highest / f32::from(largest)).max(f32::MIN_POSITIVE * 65_536.0);
        let factor = 1.0 / scale;
        let mut sums = Sums::default();
        let (q_chunks, q_rest) = q.as_chunks_mut::<LANES>();
        for (row, q) in row_chunks.iter().zip(q_chunks) {
            sums.add(row, factor, q);
        }
        // Zeros add nothing.
        let (mut last, mut last_q) = ([0.0; LANES], [0; LANES]);
        last[..row_rest.len()].copy_from_slice(row_rest);
        sums.add(&last, factor, &mut last_q);
        q_rest.copy_from_slice(&last_q[..q_rest.len()]);
        let length =
            |squares: [f32; LANES]| (scale * squares.iter().sum::<f32>().sqrt()).min(f32::MAX);
        Quantised {
            scale,
            sum: sums.sum.iter().sum(),
            norm: length(sums.norm),
            lost: length(sums.lost),
        }
    }
}

/// Independent partial sums, in units of the scale, where squares neither overflow nor vanish.
#[derive(Default)]
struct Sums {
    norm: [f32; LANES],
    lost: [f32; LANES],
    sum: [i32; LANES],
}

const LANES: usize = 32;

impl Sums {
    #[inline(always)]
    fn add(&mut self, row: &[f32; LANES], factor: f32, q: &mut [i16; LANES]) {
        for l in 0..LANES {
            let v = row[l] * factor;
            let rounded = v + TO_WHOLE;
            q[l] = rounded.to_bits() as i16;
            let lost = v - (rounded - TO_WHOLE);
            self.norm[l] += v * v;
            self.lost[l] += lost * lost;
            self.sum[l] += i32::from(q[l]);
        }
    }
}

/// Beside 1.5 * 2^23 a float's last bit is worth 1: adding it rounds a number below 2^22 to the
/// nearest whole one, ties to even, and the low bytes of what comes out are that number. Vector
/// instructions on every machine, where a call of `rint` was a third of a training.
const TO_WHOLE: f32 = 12_582_912.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &[f32]) {
        for largest in [63, 127, 1_182, 32_767] {
            check_with(row, largest);
        }
    }

    fn check_with(row: &[f32], largest: i16) {
        let mut q = vec![1_i16; row.len() + 3];
        let Quantised { scale, sum, norm, lost } = quantise(row, largest, &mut q);
        assert_eq!(q.split_off(row.len()), [0; 3]);
        assert_eq!(sum, q.iter().map(|&q| i32::from(q)).sum::<i32>());
        let length = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
        let expected = length(&mut row.iter().map(|&v| f64::from(v)));
        assert!((f64::from(norm) - expected).abs() <= 1e-5 * expected + 1e-30, "{norm}");
        let rest = |(&v, &q): (&f32, &i16)| f64::from(v) - f64::from(scale) * f64::from(q);
        let expected = length(&mut row.iter().zip(&q).map(rest));
        assert!((f64::from(lost) - expected).abs() <= 1e-5 * f64::from(norm) + 1e-30, "{lost}");
        assert!(row.iter().zip(&q).all(|p| rest(p).abs() <= 0.51 * f64::from(scale)));
    }

    #[test]
    fn what_is_lost_is_known() {
        check(&[]);
        check(&[0.0; 40]);
        check(&[1e-42, -3e-43, 0.0]);
        check(&[-1.0, 1.0, 0.5, 0.4999]);
        check(&[3e37, -1e37, 1.0]);
        check(&(0..1_000).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>());
    }
}
