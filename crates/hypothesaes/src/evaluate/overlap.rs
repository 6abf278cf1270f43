//! How far hypotheses are true of the same texts.

use super::{Annotations, Overlap, hypothesis_id};

/// Every pair of columns once.
pub(super) fn overlap(annotations: &Annotations) -> Vec<Overlap> {
    let mut pairs = Vec::new();
    for (i, first) in annotations.iter().enumerate() {
        for (j, second) in annotations.iter().enumerate().skip(i + 1) {
            let (id_1, id_2) = (hypothesis_id(i), hypothesis_id(j));
            let counts = Counts::of(first, second);
            let (phi, jaccard) = (counts.phi(), counts.jaccard());
            pairs.push(Overlap { id_1, id_2, phi, jaccard, n_both: counts.both });
        }
    }
    pairs
}

/// Correlation of two columns over the texts annotated for both; `None` if one is constant.
pub(super) fn phi(first: &[Option<bool>], second: &[Option<bool>]) -> Option<f64> {
    Counts::of(first, second).phi()
}

/// Texts by the answers to two hypotheses.
#[derive(Default)]
struct Counts {
    both: usize,
    first: usize,
    second: usize,
    neither: usize,
}

impl Counts {
    fn of(first: &[Option<bool>], second: &[Option<bool>]) -> Self {
        let mut counts = Self::default();
        for pair in first.iter().zip(second) {
            match pair {
                (Some(true), Some(true)) => counts.both += 1,
                (Some(true), Some(false)) => counts.first += 1,
                (Some(false), Some(true)) => counts.second += 1,
                (Some(false), Some(false)) => counts.neither += 1,
                _ => {}
            }
        }
        counts
    }

    fn phi(&self) -> Option<f64> {
        let [both, first, second, neither] =
            [self.both, self.first, self.second, self.neither].map(|n| n as f64);
        let margins = (both + first) * (second + neither) * (both + second) * (first + neither);
        (margins > 0.0).then(|| (both * neither - first * second) / margins.sqrt())
    }

    fn jaccard(&self) -> Option<f64> {
        let either = self.both + self.first + self.second;
        (either > 0).then(|| self.both as f64 / either as f64)
    }
}
