//! Tests for few clusters: the wild cluster bootstrap of least squares.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;

use super::clustered::Clusters;
use super::{Design, Fit};
use crate::estimate::Level;
use crate::random::stream;

/// Draws where not all sign patterns are taken.
const DRAWS: usize = 999;
/// With at most this many all sign patterns are taken.
const ALL: usize = 12;
/// Statistics this close, relative to each other, are equal but for rounding.
const EQUAL: f64 = 1e-9;
/// Error of a bound, relative to its distance from the estimate.
const BOUND: f64 = 1e-7;

/// Weights of the clusters, one vector per draw.
pub(super) struct Draws {
    weights: Vec<DVector<f64>>,
    /// Whether these are all there are.
    all: bool,
}

impl Draws {
    /// For `clusters` clusters: all sign patterns for up to 12, else 999 draws of signs.
    pub fn new(clusters: usize, seed: u64) -> Self {
        let sign = |up: bool| if up { 1.0 } else { -1.0 };
        if clusters <= ALL {
            let pattern = |of: usize| DVector::from_fn(clusters, |g, _| sign(of >> g & 1 == 0));
            let weights = (0..1_usize << clusters).map(pattern).collect();
            return Self { weights, all: true };
        }
        let mut random = stream(seed, "wild clusters");
        let mut weight = || sign(random.random_bool(0.5));
        let mut draw = |_| DVector::from_fn(clusters, |_, _| weight());
        Self { weights: (0..DRAWS).map(&mut draw).collect(), all: false }
    }

    /// p-value of a squared statistic among those of the draws.
    fn p_value(&self, seen: f64, drawn: impl Iterator<Item = f64>) -> f64 {
        let beyond = drawn.filter(|t| *t >= seen * (1.0 - EQUAL)).count();
        let (more, n) =
            if self.all { (0, self.weights.len()) } else { (1, self.weights.len() + 1) };
        (beyond + more) as f64 / n as f64
    }

    /// p-value of a sum of cluster scores, studentised by their squares.
    ///
    /// Source: Kline and Santos (2012), A score based approach to wild bootstrap inference, J.
    /// Econometric Methods 1.
    pub fn of_scores(&self, scores: &DVector<f64>) -> Option<f64> {
        let squares = scores.norm_squared();
        let drawn = self.weights.iter().map(|v| {
            let drawn = v.component_mul(scores);
            square_ratio(drawn.sum(), drawn.norm_squared())
        });
        (squares > 0.0).then(|| self.p_value(scores.sum().powi(2) / squares, drawn))
    }
}

/// A bootstrapped test of a coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wild {
    pub p_value: f64,
    /// `None` where no value is rejected.
    pub conf_low: Option<f64>,
    pub conf_high: Option<f64>,
}

/// Tests coefficient `l` of a least-squares fit, the null imposed, and inverts the test.
///
/// With the null `b_l = b_l^ - d`, the restricted residuals are `e + d t`, `t` being the part of
/// column `l` beyond the others. A draw multiplies them by a weight per cluster. With `z_g` the sum
/// of `w x (e + d t)` over a cluster, `q_g` row l of `B z_g` and `m_g` the sum of `w x t`, the drawn
/// coefficient differs from the null by `sum v_g q_g`, and its squared standard error (CR1 but for
/// a constant) is
///
/// ```text
/// sum_g (v_g q_g - B_ll m_g' B sum_k v_k z_k)^2
/// ```
///
/// All of this is linear in `d`, so that a draw is five numbers and no test at another null costs
/// more than a pass over the draws. O(G p) per cluster once, O(G^2) per draw.
///
/// Source: Cameron, Gelbach and Miller (2008), Rev. Econ. Stat. 90; Roodman, Nielsen, MacKinnon and
/// Webb (2019), Fast and wild: bootstrap inference in Stata using boottest, Stata J. 19; MacKinnon,
/// Nielsen and Webb (2023), J. Econometrics 232.
pub(super) fn test(
    x: &Design,
    fit: &Fit,
    clusters: &Clusters,
    l: usize,
    draws: &Draws,
    level: Level,
) -> Option<Wild> {
    let pieces = Pieces::new(x, fit, clusters, l);
    let variance = pieces.own.norm_squared();
    let per_unit = fit.inverse[(l, l)].sqrt();
    if !(variance > 0.0 && per_unit > 0.0) {
        return None;
    }
    let drawn: Vec<Drawn> = draws.weights.iter().map(|v| pieces.draw(v)).collect();
    let p_value = |d: f64| draws.p_value(d * d / variance, drawn.iter().map(|s| s.statistic(d)));
    let (value, alpha, step) = (fit.coefficients[l], 1.0 - level.get(), variance.sqrt());
    let reach = |side: f64| bound(step, |d| p_value(side * d) <= alpha);
    Some(Wild {
        p_value: p_value(value),
        conf_low: reach(1.0).map(|d| value - d),
        conf_high: reach(-1.0).map(|d| value + d),
    })
}

/// How far from 0, in steps that double from `step`, values are not rejected; `None` beyond a
/// thousand steps.
fn bound(step: f64, is_rejected: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut inside, mut outside) = (0.0, step);
    while !is_rejected(outside) {
        inside = outside;
        outside *= 2.0;
        if outside > 1024.0 * step {
            return None;
        }
    }
    while outside - inside > BOUND * outside {
        let middle = 0.5 * (inside + outside);
        if is_rejected(middle) { outside = middle } else { inside = middle }
    }
    Some(outside)
}

/// What the draws need, per cluster: constant in `d` (`own`, `own_pull`) and linear (`along`).
struct Pieces {
    own: DVector<f64>,
    along: DVector<f64>,
    own_pull: DMatrix<f64>,
    along_pull: DMatrix<f64>,
}

impl Pieces {
    fn new(x: &Design, fit: &Fit, clusters: &Clusters, l: usize) -> Self {
        let row: Vec<f64> = fit.inverse.column(l).iter().copied().collect();
        let scale = fit.inverse[(l, l)];
        let beyond = x.times(&row).into_iter().zip(&fit.weights).map(|(g, w)| w * g / scale);
        let scores = DMatrix::from_columns(&clusters.sums(x, &fit.scores));
        let moments = DMatrix::from_columns(&clusters.sums(x, &beyond.collect::<Vec<f64>>()));
        let pull = scale * moments.transpose() * &fit.inverse;
        let influence = |of: &DMatrix<f64>| of.tr_mul(&fit.inverse.column(l));
        Self {
            own: influence(&scores),
            along: influence(&moments),
            own_pull: &pull * scores,
            along_pull: pull * moments,
        }
    }

    fn draw(&self, v: &DVector<f64>) -> Drawn {
        let own = self.own.component_mul(v) - &self.own_pull * v;
        let along = self.along.component_mul(v) - &self.along_pull * v;
        Drawn {
            shift: [self.own.dot(v), self.along.dot(v)],
            squares: [own.norm_squared(), 2.0 * own.dot(&along), along.norm_squared()],
        }
    }
}

/// A draw as polynomials in `d`.
struct Drawn {
    shift: [f64; 2],
    squares: [f64; 3],
}

impl Drawn {
    fn statistic(&self, d: f64) -> f64 {
        let [a, b, c] = self.squares;
        square_ratio(self.shift[0] + d * self.shift[1], a + d * (b + d * c))
    }
}

/// `top^2 / square`; without any spread a difference is beyond everything.
fn square_ratio(top: f64, square: f64) -> f64 {
    if square > 0.0 {
        top * top / square
    } else if top == 0.0 {
        0.0
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::{Columns, least_squares};

    #[test]
    fn the_sign_test_of_a_mean_by_hand() {
        // Eight clusters with means 1 to 8: only the patterns of one sign are as extreme.
        let columns = Columns::none(8);
        let x = Design::new(&columns);
        let y: Vec<f64> = (1..=8).map(f64::from).collect();
        let fit = least_squares::fit(&x, &y).unwrap();
        let codes: Vec<u32> = (0..8).collect();
        let clusters = Clusters::new(&codes, &[1.0; 8]);
        let level = Level::new(0.95).unwrap();
        let draws = Draws::new(8, 1);
        let found = test(&x, &fit, &clusters, 0, &draws, level).unwrap();
        assert_eq!(found.p_value, 2.0 / 256.0);
        let (low, high) = (found.conf_low.unwrap(), found.conf_high.unwrap());
        assert!((low + high - 9.0).abs() < 1e-5 && low > 2.0 && low < 3.5, "{found:?}");
    }

    #[test]
    fn draws_are_as_promised() {
        assert_eq!(Draws::new(10, 3).weights.len(), 1024);
        let draws = Draws::new(20, 3);
        assert_eq!((draws.weights.len(), draws.all), (DRAWS, false));
        let sum: f64 = draws.weights.iter().map(DVector::sum).sum();
        assert!(sum.abs() < 5.0 * ((20 * DRAWS) as f64).sqrt(), "{sum}");
    }
}
