//! Coordinate descent for a small quadratic with an L1 penalty.

/// Largest change of a coefficient, in units of the standardised problem, that ends the descent.
const TOLERANCE: f64 = 1e-12;
/// Sweeps after which the descent ends whatever happens: columns that are linear combinations of
/// each other have no single solution, and any of them will do.
const MAX_SWEEPS: usize = 20_000;

/// Minimises `1/2 w'Hw - b'w + lambda |w|_1` from the given `w`, coordinate by coordinate.
///
/// `h`: k x k, row-major, symmetric; a coordinate whose diagonal is 0 stays at 0.
/// O(k^2) a sweep; the order of the coordinates is that of `w`.
pub(super) fn minimise(h: &[f64], b: &[f64], lambda: f64, w: &mut [f64]) {
    let k = w.len();
    let row = |a: usize| &h[a * k..(a + 1) * k];
    // The negative gradient of the quadratic.
    let mut slope: Vec<f64> =
        (0..k).map(|a| b[a] - row(a).iter().zip(&*w).map(|(h, w)| h * w).sum::<f64>()).collect();
    for _ in 0..MAX_SWEEPS {
        let mut largest = 0.0_f64;
        for a in 0..k {
            let curvature = row(a)[a];
            if curvature <= 0.0 {
                continue;
            }
            let new = soft(slope[a] + curvature * w[a], lambda) / curvature;
            let change = new - w[a];
            if change != 0.0 {
                w[a] = new;
                slope.iter_mut().zip(row(a)).for_each(|(s, h)| *s -= change * h);
                largest = largest.max(change.abs());
            }
        }
        if largest < TOLERANCE {
            break;
        }
    }
}

/// Soft threshold: `v` moved towards 0 by `lambda`, and 0 if it would pass it.
fn soft(v: f64, lambda: f64) -> f64 {
    v.signum() * (v.abs() - lambda).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_threshold() {
        let check = |v: f64, expected: f64| assert_eq!(soft(v, 1.0), expected, "{v}");
        check(3.0, 2.0);
        check(-3.0, -2.0);
        check(0.5, 0.0);
        check(-1.0, 0.0);
    }

    #[test]
    fn two_coordinates_by_hand() {
        // With both coordinates positive the solution solves H w = b - lambda.
        let (h, b) = ([1.0, 0.5, 0.5, 1.0], [1.0, 0.8]);
        let mut w = [0.0; 2];
        minimise(&h, &b, 0.2, &mut w);
        let expected = [2.0 / 3.0, 0.4 / 1.5];
        assert!(w.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-11), "{w:?}");
    }

    #[test]
    fn equal_columns_share_one_coefficient() {
        let mut w = [0.0; 2];
        minimise(&[1.0; 4], &[0.5, 0.5], 0.1, &mut w);
        assert_eq!(w, [0.4, 0.0]);
    }
}
