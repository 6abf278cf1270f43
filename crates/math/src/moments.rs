//! What one pass over sparse activations tells of every neuron: how often, how strongly, how
//! unevenly it fires.

use crate::Activations;

/// Spread below which a column counts as constant, relative to its largest value: activations are
/// `f32`, whose rounding alone is 6e-8.
const FLAT: f64 = 1e-6;

/// One neuron over all texts, the texts on which it does not fire counting as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// Number of texts it fires on.
    pub count: usize,
    /// Mean over all texts.
    pub mean: f64,
    /// Standard deviation over all texts (divisor n); 0 if the column is constant.
    pub sd: f64,
    /// Largest value; 0 if it never fires. Of differences, the largest in size.
    pub max: f64,
}

impl Moments {
    /// Whether it fires on some of the `rows` texts but not on all, and so tells texts apart.
    #[must_use]
    pub fn divides(&self, rows: usize) -> bool {
        self.count > 0 && self.count < rows
    }
}

/// The moments of every neuron, in two passes: O(nnz + m), sums in row order.
#[must_use]
pub fn moments(z: &Activations) -> Vec<Moments> {
    let n = z.rows() as f64;
    let mut all = vec![Moments::default(); z.neurons()];
    for (j, v) in entries(z) {
        all[j].count += 1;
        all[j].mean += v;
        all[j].max = all[j].max.max(v.abs());
    }
    for neuron in &mut all {
        neuron.mean /= n.max(1.0);
        neuron.sd = (n - neuron.count as f64) * neuron.mean.powi(2);
    }
    for (j, v) in entries(z) {
        all[j].sd += (v - all[j].mean).powi(2);
    }
    for neuron in &mut all {
        let sd = (neuron.sd / n.max(1.0)).sqrt();
        neuron.sd = if sd > FLAT * neuron.max { sd } else { 0.0 };
    }
    all
}

fn entries(z: &Activations) -> impl Iterator<Item = (usize, f64)> + '_ {
    (0..z.rows()).flat_map(|i| z.pairs(i)).map(|(j, v)| (j, f64::from(v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_means_and_spreads() {
        let rows = [[0.0, 0.1, 2.0, 1.0], [0.0, 0.1, 0.0, 3.0], [0.0, 0.1, 4.0, 2.0]];
        let z = Activations::from_dense(4, &rows.map(|r| r.to_vec())).unwrap();
        let found = moments(&z);
        let check = |j: usize, count, mean: f64, sd: f64, max: f64| {
            let got = found[j];
            assert_eq!(got.count, count, "neuron {j}");
            assert!((got.mean - mean).abs() < 1e-8, "neuron {j}: {got:?}");
            assert!((got.sd - sd).abs() < 1e-12, "neuron {j}: {got:?}");
            assert!((got.max - max).abs() < 1e-8, "neuron {j}: {got:?}");
        };
        check(0, 0, 0.0, 0.0, 0.0);
        check(1, 3, 0.1, 0.0, 0.1);
        check(2, 2, 2.0, (8.0_f64 / 3.0).sqrt(), 4.0);
        check(3, 3, 2.0, (2.0_f64 / 3.0).sqrt(), 3.0);
        assert_eq!(
            found.iter().map(|m| m.divides(3)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
    }

    #[test]
    fn no_rows_have_no_moments() {
        assert_eq!(moments(&Activations::new(2)), [Moments::default(); 2]);
    }
}
