//! What factors leave of a column: for one factor the distance from its level's mean, for several
//! the residual of a sparse least squares problem.

/// Size of the error, relative to that of the column, at which the conjugate gradients end.
const TOLERANCE: f64 = 1e-14;
/// Steps after which they end whatever happens.
const MAX_STEPS: usize = 5000;

/// A factor, with the total weight of each of its levels.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    pub levels: Vec<u32>,
    pub weights: Vec<f64>,
}

impl Factor {
    pub fn new(levels: Vec<u32>, weights: &[f64]) -> Self {
        let n_levels = levels.iter().max().map_or(0, |l| *l as usize + 1);
        let mut sums = vec![0.0; n_levels];
        levels.iter().zip(weights).for_each(|(l, w)| sums[*l as usize] += w);
        Self { levels, weights: sums }
    }

    /// Sum of `w v` in every level.
    fn sums(&self, v: &[f64], w: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.weights.len()];
        for ((level, v), w) in self.levels.iter().zip(v).zip(w) {
            sums[*level as usize] += w * v;
        }
        sums
    }

    /// Takes the weighted mean of its level off every entry.
    pub fn demean(&self, v: &mut [f64], w: &[f64]) {
        let means: Vec<f64> =
            self.sums(v, w).iter().zip(&self.weights).map(|(s, w)| ratio(*s, *w)).collect();
        v.iter_mut().zip(&self.levels).for_each(|(v, level)| *v -= means[*level as usize]);
    }
}

/// Takes the weighted projection on the levels of all `factors` off `v`.
///
/// ```text
/// v - F a,   F'W F a = F'W v,   F = indicators of all levels
/// ```
///
/// Conjugate gradients on `a`, scaled by the levels' weights; the system is singular but
/// consistent, and `F a` has one value. O(rows * factors) a step; sums run in row order.
///
/// Source: Guimaraes and Portugal (2010), Stata Journal 10(4), for the problem; Saad (2003),
/// Iterative methods for sparse linear systems, algorithm 9.1, for the steps.
pub(super) fn absorb(factors: &[Factor], v: &mut [f64], w: &[f64]) {
    if let [only] = factors {
        return only.demean(v, w);
    }
    let fitted = solve(factors, v, w);
    v.iter_mut().zip(fitted).for_each(|(v, f)| *v -= f);
}

/// `F a`, a value per row.
fn solve(factors: &[Factor], v: &[f64], w: &[f64]) -> Vec<f64> {
    let scale: Vec<f64> = factors.iter().flat_map(|f| f.weights.iter().copied()).collect();
    let mut fitted = vec![0.0; v.len()];
    let mut r = sums(factors, v, w);
    let mut z: Vec<f64> = r.iter().zip(&scale).map(|(r, s)| ratio(*r, *s)).collect();
    let mut p = z.clone();
    let mut size = dot(&r, &z);
    // Below this there is rounding only, which does not solve the singular system.
    let end = v.iter().zip(w).map(|(v, w)| w * (TOLERANCE * v).powi(2)).sum::<f64>();
    for _ in 0..MAX_STEPS {
        if size <= end || size <= f64::MIN_POSITIVE {
            break;
        }
        let spread = spread(factors, &p, v.len());
        let q = sums(factors, &spread, w);
        let step = ratio(size, dot(&p, &q));
        fitted.iter_mut().zip(&spread).for_each(|(f, s)| *f += step * s);
        r.iter_mut().zip(&q).for_each(|(r, q)| *r -= step * q);
        z.iter_mut().zip(&r).zip(&scale).for_each(|((z, r), s)| *z = ratio(*r, *s));
        let next = dot(&r, &z);
        p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + next / size * *p);
        size = next;
    }
    fitted
}

/// `F'W v`: the sums of all levels of all factors, one factor after the other.
fn sums(factors: &[Factor], v: &[f64], w: &[f64]) -> Vec<f64> {
    factors.iter().flat_map(|f| f.sums(v, w)).collect()
}

/// `F a`.
fn spread(factors: &[Factor], a: &[f64], rows: usize) -> Vec<f64> {
    let mut out = vec![0.0; rows];
    let mut start = 0;
    for factor in factors {
        let a = &a[start..start + factor.weights.len()];
        out.iter_mut().zip(&factor.levels).for_each(|(out, level)| *out += a[*level as usize]);
        start += factor.weights.len();
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// 0 where there is nothing to divide by, as in a level without weight.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
