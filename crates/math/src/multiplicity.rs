//! P-values adjusted for the number of tests; a missing p-value stays missing and does not count.

/// Bonferroni: `min(1, m p)`. Controls the family-wise error rate.
#[must_use]
pub fn bonferroni(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let m = p.iter().flatten().count() as f64;
    p.iter().map(|p| p.map(|p| (m * p).min(1.0))).collect()
}

/// Holm 1979: in rising order, `max over i <= j of min(1, (m - i + 1) p_(i))`. Controls the
/// family-wise error rate and is never larger than Bonferroni's.
#[must_use]
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let order = rising(p);
    let m = order.len();
    let mut adjusted = vec![None; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &(j, p)) in order.iter().enumerate() {
        largest = largest.max((m - rank) as f64 * p).min(1.0);
        adjusted[j] = Some(largest);
    }
    adjusted
}

/// Benjamini and Hochberg 1995: in falling order, `min over i >= j of min(1, m p_(i) / i)`.
/// Controls the false discovery rate under independence or positive dependence.
#[must_use]
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    step_up(p, 1.0)
}

/// Benjamini and Yekutieli 2001: those of Benjamini and Hochberg times `1 + 1/2 + ... + 1/m`, at
/// most 1. Controls the false discovery rate under any dependence.
#[must_use]
pub fn benjamini_yekutieli(p: &[Option<f64>]) -> Vec<Option<f64>> {
    step_up(p, (1..=p.iter().flatten().count()).map(|i| 1.0 / i as f64).sum())
}

/// In falling order, `min over i >= j of min(1, factor m p_(i) / i)`.
fn step_up(p: &[Option<f64>], factor: f64) -> Vec<Option<f64>> {
    let order = rising(p);
    let m = order.len() as f64;
    let mut adjusted = vec![None; p.len()];
    let mut smallest = 1.0_f64;
    for (rank, &(j, p)) in order.iter().enumerate().rev() {
        smallest = smallest.min(factor * m * p / (rank + 1) as f64);
        adjusted[j] = Some(smallest);
    }
    adjusted
}

/// The p-values that are there with their places, smallest first, ties by place.
fn rising(p: &[Option<f64>]) -> Vec<(usize, f64)> {
    let mut order: Vec<_> = p.iter().enumerate().filter_map(|(j, p)| Some((j, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    order
}
