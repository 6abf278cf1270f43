//! A map of points: two numbers a row, so that rows alike lie near each other.
//!
//! t-SNE with exact repulsion, for a few thousand rows: van der Maaten & Hinton (2008); neighbours,
//! learning rate and schedule as scikit-learn's `TSNE` has them (Belkina et al. 2019 for the rate),
//! from the first two principal components on (Kobak & Berens 2019).

mod affinities;
mod descent;

pub use affinities::{Affinities, affinities};
pub use descent::{divergence, gradient};

use rand::RngExt;
use rayon::prelude::*;

use crate::error::Result;
use crate::matrix::Matrix;
use crate::random::stream;

/// Rounds of the power iteration that finds the first components: a start need not be exact.
const ROUNDS: usize = 30;
/// Standard deviation of the first coordinate at the start.
const START: f64 = 1e-4;

/// Coordinates of the rows of `x` (n x d, any scale): n pairs.
///
/// About 750 n^2 terms: 2,000 rows take a second or two. `perplexity`, the number of neighbours that
/// count, is lowered where there are few rows. Equal rows may lie on one spot. The same bits
/// whatever the number of threads.
///
/// # Errors
/// [`crate::Error::Option`] for a perplexity that is not above 0; [`crate::Error::NotFinite`].
pub fn tsne(x: &Matrix, perplexity: f64, seed: u64) -> Result<Vec<[f64; 2]>> {
    x.check_finite("x")?;
    let start = components(x, seed);
    if x.rows() < 5 {
        return Ok(start);
    }
    let most = (x.rows() - 1) as f64 / 3.0;
    let p = affinities(x, perplexity.min(most))?;
    Ok(descent::descend(&p, start))
}

/// The first two principal components, scaled to a start; signs such that the largest entry is positive.
fn components(x: &Matrix, seed: u64) -> Vec<[f64; 2]> {
    let (n, d) = (x.rows(), x.cols());
    let mut mean = vec![0.0; d];
    for i in 0..n {
        mean.iter_mut().zip(x.row(i)).for_each(|(m, v)| *m += f64::from(*v) / n as f64);
    }
    let mut random = stream(seed, "map");
    let mut axes: [Vec<f64>; 2] =
        std::array::from_fn(|_| (0..d).map(|_| if random.random() { 1.0 } else { -1.0 }).collect());
    let mut scores = vec![[0.0; 2]; n];
    for _ in 0..ROUNDS {
        orthonormal(&mut axes);
        scores.par_iter_mut().enumerate().for_each(|(i, score)| {
            *score = axes.each_ref().map(|axis| {
                let terms = axis.iter().zip(x.row(i)).zip(&mean);
                terms.map(|((a, v), m)| a * (f64::from(*v) - m)).sum()
            });
        });
        for (k, axis) in axes.iter_mut().enumerate() {
            axis.fill(0.0);
            for (i, score) in scores.iter().enumerate() {
                let centred = x.row(i).iter().zip(&mean).map(|(v, m)| f64::from(*v) - m);
                axis.iter_mut().zip(centred).for_each(|(a, v)| *a += score[k] * v);
            }
        }
    }
    scaled(scores)
}

/// Gram and Schmidt; what has no length stays so.
fn orthonormal([first, second]: &mut [Vec<f64>; 2]) {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let unit = |a: &mut [f64]| {
        let length = dot(a, a).sqrt();
        if length > 0.0 {
            for v in a {
                *v /= length;
            }
        }
    };
    unit(first);
    let shared = dot(first, second);
    second.iter_mut().zip(&*first).for_each(|(b, a)| *b -= shared * a);
    unit(second);
}

fn scaled(mut scores: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let n = scores.len().max(1) as f64;
    let spread = (scores.iter().map(|s| s[0] * s[0]).sum::<f64>() / n).sqrt();
    let sign = |k: usize| {
        let largest = scores.iter().map(|s| s[k]).max_by(|a, b| a.abs().total_cmp(&b.abs()));
        if largest.is_some_and(|v| v < 0.0) { -1.0 } else { 1.0 }
    };
    let signs = [sign(0), sign(1)];
    let scale = if spread > 0.0 { START / spread } else { 0.0 };
    for s in &mut scores {
        *s = [s[0] * signs[0] * scale, s[1] * signs[1] * scale];
    }
    scores
}
