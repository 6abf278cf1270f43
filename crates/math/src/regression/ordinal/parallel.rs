//! Whether a column's log-odds are the same at every level.

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Chi;
use super::likelihood::{Likelihood, Maximum};

/// Information on a free parameter beyond the others, relative to its own, below which there is
/// none.
const NONE: f64 = 1e-9;

/// The score test of the extra parameters of column `j`; with clusters, its sandwich.
///
/// ```text
/// U' V^-1 U,   U = score of the free parameters, e = I_free,rest I_rest^-1
/// V = I_free - e I_rest,free,   or   G / (G - 1) sum_g v_g v_g',  v = s_free - e s_rest
/// ```
pub(super) fn test(
    likelihood: &Likelihood,
    found: &Maximum,
    j: usize,
    cluster: Option<&[usize]>,
) -> Option<Chi> {
    let df = likelihood.cuts - 1;
    if df == 0 || found.separated.contains(&(likelihood.cuts + j)) {
        return None;
    }
    let sums = likelihood.sums(&found.parameters, Some(j));
    let p = found.parameters.len();
    let rest: Vec<usize> = (0..p).filter(|k| !found.separated.contains(k)).collect();
    let free: Vec<usize> = (p..p + df).collect();
    let part = |a: &[usize], b: &[usize]| sums.information.select_rows(a).select_columns(b);
    let inner = found.information.select_rows(&rest).select_columns(&rest).cholesky()?;
    let explained = inner.solve(&part(&rest, &free)).transpose();
    let own = part(&free, &free);
    let left = &own - &explained * part(&rest, &free);
    if (0..df).any(|k| left[(k, k)] <= NONE * own[(k, k)]) {
        return None;
    }
    let variance = match cluster {
        None => left,
        Some(cluster) => sandwich(likelihood, found, j, cluster, &rest, &explained)?,
    };
    let score = sums.score.select_rows(&free);
    let statistic = score.dot(&variance.cholesky()?.solve(&score));
    let p_value = ChiSquared::new(df as f64).ok()?.sf(statistic);
    (statistic.is_finite() && p_value.is_finite()).then_some(Chi { statistic, df, p_value })
}

/// `None` with fewer clusters than it takes.
fn sandwich(
    likelihood: &Likelihood,
    found: &Maximum,
    j: usize,
    cluster: &[usize],
    rest: &[usize],
    explained: &DMatrix<f64>,
) -> Option<DMatrix<f64>> {
    let p = found.parameters.len();
    let groups = cluster.iter().max()? + 1;
    let df = likelihood.cuts - 1;
    let mut sums = vec![DVector::zeros(p + df); groups];
    likelihood.scores(&found.parameters, Some(j), |i, score| {
        for (k, v) in score {
            sums[cluster[i]][*k] += v;
        }
    });
    let mut meat = DMatrix::zeros(df, df);
    for sum in &sums {
        let v = sum.rows(p, df) - explained * sum.select_rows(rest);
        meat.ger(1.0, &v, &v, 1.0);
    }
    (groups > df + 1).then(|| meat * (groups as f64 / (groups as f64 - 1.0)))
}
