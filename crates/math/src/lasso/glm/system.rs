//! The minimum of a quadratic of which some dimensions are penalised and some are not.

use crate::lasso::descent::minimise;

/// An unpenalised dimension of which less than this share is left by those before it follows from
/// them, and stays where it is.
const COLLINEAR: f64 = 1e-9;

/// The step `d` that minimises `g'd + 1/2 d'Hd + lambda |w + d|_1`, the penalty over the last
/// dimensions, of which there are as many as entries of `w`.
///
/// `h`: k x k, of which the upper triangle is read; `g`: k. Unpenalised dimensions are eliminated
/// first. O(k^2 free + k^2 a sweep).
pub(super) fn step(mut h: Vec<f64>, mut g: Vec<f64>, lambda: f64, w: &[f64]) -> Vec<f64> {
    let k = g.len();
    let free = k - w.len();
    let whole: Vec<f64> = (0..free).map(|d| h[d * k + d]).collect();
    let open: Vec<bool> =
        (0..free).map(|d| eliminate(&mut h, &mut g, d, whole[d] * COLLINEAR)).collect();
    let mut d = vec![0.0; free];
    d.extend(penalised(&h, &g, lambda, w));
    for a in (0..free).rev().filter(|a| open[*a]) {
        let rest: f64 = (a + 1..k).map(|b| h[a * k + b] * d[b]).sum();
        d[a] = -(g[a] + rest) / h[a * k + a];
    }
    d
}

/// Takes dimension `d` out of those after it; whether it has a curvature of its own.
fn eliminate(h: &mut [f64], g: &mut [f64], d: usize, least: f64) -> bool {
    let k = g.len();
    let pivot = h[d * k + d];
    if pivot <= least {
        return false;
    }
    let (above, below) = h.split_at_mut((d + 1) * k);
    let row = &above[d * k..];
    for a in d + 1..k {
        let share = row[a] / pivot;
        if share != 0.0 {
            g[a] -= share * g[d];
            let target = &mut below[(a - d - 1) * k..(a - d) * k];
            (a..k).for_each(|b| target[b] -= share * row[b]);
        }
    }
    true
}

/// The step of the penalised dimensions. The penalty acts on the weights, not on their change.
fn penalised(h: &[f64], g: &[f64], lambda: f64, w: &[f64]) -> Vec<f64> {
    let (k, n) = (g.len(), w.len());
    let at = |a: usize, b: usize| h[(k - n + a.min(b)) * k + k - n + a.max(b)];
    let square: Vec<f64> = (0..n * n).map(|i| at(i / n, i % n)).collect();
    let slope = |a: usize| {
        square[a * n..(a + 1) * n].iter().zip(w).map(|(h, w)| h * w).sum::<f64>() - g[k - n + a]
    };
    let b: Vec<f64> = (0..n).map(slope).collect();
    let mut new = w.to_vec();
    minimise(&square, &b, lambda, &mut new);
    new.iter_mut().zip(w).for_each(|(new, old)| *new -= old);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_penalty_it_solves_the_system() {
        // Lower triangle unread. H d = -g has the solution (1, -2, 3).
        let h = vec![4.0, 1.0, 0.5, 9.0, 3.0, 1.0, 9.0, 9.0, 2.0];
        let g = vec![-3.5, 2.0, -4.5];
        for free in [0, 1, 3] {
            let d = step(h.clone(), g.clone(), 0.0, &vec![0.0; 3 - free]);
            let expected = [1.0, -2.0, 3.0];
            assert!(d.iter().zip(expected).all(|(d, e)| (d - e).abs() < 1e-9), "{free} {d:?}");
        }
    }

    #[test]
    fn an_unpenalised_twin_stays_where_it_is() {
        let h = vec![2.0, 2.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 3.0];
        let d = step(h, vec![-2.0, -2.0, 0.0], 0.4, &[0.0]);
        // Left of the third: curvature 2.5, slope -1, penalty 0.4.
        assert!((d[2] + 0.6 / 2.5).abs() < 1e-12 && d[1] == 0.0, "{d:?}");
        assert!((d[0] - (2.0 - d[2]) / 2.0).abs() < 1e-12, "{d:?}");
    }
}
