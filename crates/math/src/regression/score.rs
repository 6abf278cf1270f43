//! Tests for few clusters where there is no closed fit: the score bootstrap.

use nalgebra::DVector;

use super::absorb::Absorber;
use super::clustered::Clusters;
use super::fitting;
use super::setup::Data;
use super::wild::Draws;

/// p-value of "column `j` has no effect" from the fit without it.
///
/// The scores of the fit without the column, times the part of the column beyond the others (in the
/// metric of the working weights), are summed by cluster; the draws change their signs. `None` if
/// the fit without the column does not settle or is separated. One fit, then O(G) per draw.
///
/// Source: Kline and Santos (2012), J. Econometric Methods 1.
pub(super) fn p_value(
    data: &Data,
    clusters: &Clusters,
    draws: &Draws,
    start: Vec<f64>,
    j: usize,
) -> Option<f64> {
    let null = fitting::fit(data, Some(j), Some(start)).ok()?;
    if !null.separated.is_empty() {
        return None;
    }
    let weights = &null.fit.weights;
    let mut column = data.x.columns().column(j);
    if !data.factors.is_empty() {
        column = Absorber::new(&data.factors, weights).within_one(column).ok()?;
    }
    let weighted: Vec<f64> = column.iter().zip(weights).map(|(x, w)| x * w).collect();
    let shares = &null.fit.inverse * null.x.transposed_times(&weighted);
    let explained = null.x.times(shares.as_slice());
    let score = |i: usize| null.fit.scores[i] * (column[i] - explained[i]);
    let sums = clusters.map(|rows| rows.iter().map(|&i| score(i)).sum());
    draws.of_scores(&DVector::from_vec(sums))
}
