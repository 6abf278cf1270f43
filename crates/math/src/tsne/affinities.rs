//! How alike rows are: the joint probabilities of t-SNE.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::product;

/// Halvings of the interval in which a row's precision is looked for, as in scikit-learn.
const HALVINGS: usize = 100;
/// How exactly the entropy is met, as there.
const TOLERANCE: f64 = 1e-5;

/// A symmetric sparse matrix whose entries add up to 1: row by row, columns rising.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinities {
    pub(super) rows: Vec<Vec<(u32, f64)>>,
}

impl Affinities {
    /// Entries of row `i` by rising column.
    #[must_use]
    pub fn row(&self, i: usize) -> &[(u32, f64)] {
        &self.rows[i]
    }
}

/// Joint probabilities of the rows of `x` (n x d) over their `3 perplexity + 1` nearest neighbours.
///
/// # Errors
/// [`Error::Option`] for a perplexity that is not above 0; [`Error::Data`] for fewer than 2 rows.
pub fn affinities(x: &Matrix, perplexity: f64) -> Result<Affinities> {
    if !(perplexity > 0.0 && perplexity.is_finite()) {
        return Err(Error::option("perplexity", perplexity, "above 0"));
    }
    let n = x.rows();
    if n < 2 {
        return Err(Error::Data(format!("a map needs 2 texts, there are {n}")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let most = (3.0 * perplexity + 1.0).min(n as f64 - 1.0) as usize;
    let near = neighbours(x, most)?;
    let conditional: Vec<Vec<(u32, f64)>> =
        near.into_par_iter().map(|row| probabilities(row, perplexity)).collect();
    Ok(joint(&conditional))
}

/// The nearest `k` rows of each, with their squared distances, by rising number.
fn neighbours(x: &Matrix, k: usize) -> Result<Vec<Vec<(u32, f64)>>> {
    let products = product::times_transposed(x, x)?;
    let square = |i: usize| f64::from(products.row(i)[i]);
    let row = |i: usize| {
        let distance = |(j, dot): (usize, &f32)| {
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand rows")]
            let number = j as u32;
            (number, (square(i) + square(j) - 2.0 * f64::from(*dot)).max(0.0))
        };
        let others = products.row(i).iter().enumerate().filter(|(j, _)| *j != i);
        let mut all: Vec<(u32, f64)> = others.map(distance).collect();
        let nearer = |a: &(u32, f64), b: &(u32, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
        if k < all.len() {
            all.select_nth_unstable_by(k, nearer);
            all.truncate(k);
        }
        all.sort_unstable_by_key(|near| near.0);
        all
    };
    Ok((0..x.rows()).into_par_iter().map(row).collect())
}

/// Squared distances as probabilities whose entropy is that of `perplexity` equal ones.
fn probabilities(mut row: Vec<(u32, f64)>, perplexity: f64) -> Vec<(u32, f64)> {
    let wanted = perplexity.ln();
    let least = row.iter().map(|near| near.1).fold(f64::INFINITY, f64::min);
    let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..HALVINGS {
        // The smallest distance is taken off so that not all of them vanish: shares stay the same.
        let weight = |distance: f64| (-(distance - least) * precision).exp();
        let sum: f64 = row.iter().map(|near| weight(near.1)).sum();
        let mean: f64 = row.iter().map(|near| (near.1 - least) * weight(near.1)).sum::<f64>() / sum;
        let entropy = sum.ln() + precision * mean;
        if (entropy - wanted).abs() <= TOLERANCE {
            break;
        }
        if entropy > wanted {
            low = precision;
            precision = if high.is_finite() { f64::midpoint(low, high) } else { precision * 2.0 };
        } else {
            high = precision;
            precision = f64::midpoint(low, high);
        }
    }
    let weight = |distance: f64| (-(distance - least) * precision).exp();
    let sum: f64 = row.iter().map(|near| weight(near.1)).sum();
    for near in &mut row {
        near.1 = weight(near.1) / sum;
    }
    row
}

/// `(p + p') / sum`.
fn joint(conditional: &[Vec<(u32, f64)>]) -> Affinities {
    let mut both = vec![Vec::new(); conditional.len()];
    for (i, row) in (0_u32..).zip(conditional) {
        for &(j, p) in row {
            both[i as usize].push((j, p));
            both[j as usize].push((i, p));
        }
    }
    let all = 2.0 * conditional.iter().flatten().map(|entry| entry.1).sum::<f64>();
    let merged = |mut row: Vec<(u32, f64)>| {
        // Stable, so that the sum of two has one order.
        row.sort_by_key(|entry| entry.0);
        row.chunk_by(|a, b| a.0 == b.0)
            .map(|same| (same[0].0, same.iter().map(|entry| entry.1).sum::<f64>() / all))
            .collect()
    };
    Affinities { rows: both.into_iter().map(merged).collect() }
}
