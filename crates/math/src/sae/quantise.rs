//! Rows of `f32` as rows of 8-bit integers, with a bound on what that loses.

#![expect(clippy::cast_possible_truncation, reason = "rounded to the range of the type first")]

use pulp::Arch;

/// What a row of integers stands for: `scale * q`, and how far that is from the row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Quantised {
    pub scale: f32,
    /// Sum of the integers.
    pub sum: i32,
    /// Length of the row.
    pub norm: f32,
    /// Length of what rounding took away, `row - scale q`.
    pub lost: f32,
}

/// Writes `q = round(row / scale)` with `scale = max |row| / largest`: symmetric, so that 0 is 0.
///
/// d operations, a few passes over a row in the first cache. The lengths are of what is written:
/// they hold for any rounding.
pub(super) fn quantise(row: &[f32], largest: i8, q: &mut [i8]) -> Quantised {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let highest = lanes(row, |high, v| high.max(v.abs()), f32::max);
            if highest == 0.0 {
                q.fill(0);
                return Quantised::default();
            }
            // A subnormal row would overflow the factor; its scale is rounded up instead.
            let scale = (highest / f32::from(largest)).max(f32::MIN_POSITIVE * 256.0);
            let factor = 1.0 / scale;
            for (q, &v) in q.iter_mut().zip(row) {
                *q = nearest(v * factor);
            }
            let mut sums = ([0.0_f32; LANES], [0.0_f32; LANES], [0_i32; LANES]);
            for (row, q) in row.chunks(LANES).zip(q.chunks(LANES)) {
                for (l, (&v, &q)) in row.iter().zip(q).enumerate() {
                    // In units of the scale, where squares neither overflow nor vanish.
                    let v = v * factor;
                    let lost = v - f32::from(q);
                    sums.0[l] += v * v;
                    sums.1[l] += lost * lost;
                    sums.2[l] += i32::from(q);
                }
            }
            let length =
                |squares: [f32; LANES]| (scale * squares.iter().sum::<f32>().sqrt()).min(f32::MAX);
            let sum = sums.2.iter().sum();
            Quantised { scale, sum, norm: length(sums.0), lost: length(sums.1) }
        },
    )
}

/// The nearest integer, ties to even, of a number below 2^22 in size.
///
/// Beside 1.5 * 2^23 a float's last bit is worth 1: adding it rounds, and the low byte of what
/// comes out is the integer. Vector instructions on every machine, where a call of `rint` was a
/// third of a training.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the instruction set of the caller")]
fn nearest(v: f32) -> i8 {
    (v + 12_582_912.0).to_bits() as i8
}

/// Independent partial results, so that the loops become vector instructions.
const LANES: usize = 32;

#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the instruction set of the caller")]
fn lanes(row: &[f32], each: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut partial = [0.0; LANES];
    for chunk in row.chunks(LANES) {
        for (p, &v) in partial.iter_mut().zip(chunk) {
            *p = each(*p, v);
        }
    }
    partial.into_iter().fold(0.0, join)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &[f32]) {
        let mut q = vec![1_i8; row.len()];
        let Quantised { scale, sum, norm, lost } = quantise(row, 127, &mut q);
        assert_eq!(sum, q.iter().map(|&q| i32::from(q)).sum::<i32>());
        let length = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
        let expected = length(&mut row.iter().map(|&v| f64::from(v)));
        assert!((f64::from(norm) - expected).abs() <= 1e-5 * expected + 1e-30, "{norm}");
        let rest = |(&v, &q): (&f32, &i8)| f64::from(v) - f64::from(scale) * f64::from(q);
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
