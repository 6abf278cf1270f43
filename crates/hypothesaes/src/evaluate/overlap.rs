//! How far hypotheses are true of the same texts.

use rayon::prelude::*;

use super::{Annotations, Overlap, hypothesis_id};

/// Every pair of columns once.
pub(super) fn overlap(annotations: &Annotations) -> Vec<Overlap> {
    let n = annotations.len();
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
    let overlap = |(i, j): (usize, usize)| {
        let counts = Counts::of(&annotations[i], &annotations[j]);
        let (id_1, id_2) = (hypothesis_id(i), hypothesis_id(j));
        let (phi, jaccard) = (counts.phi(), counts.jaccard());
        Overlap { id_1, id_2, phi, jaccard, n_both: counts.both }
    };
    pairs.into_par_iter().map(overlap).collect()
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
        // Without branches: answers follow no pattern that a processor could guess.
        let mut cells = [0_usize; 9];
        let place = |answer: &Option<bool>| answer.map_or(2, usize::from);
        for (a, b) in first.iter().zip(second) {
            cells[3 * place(a) + place(b)] += 1;
        }
        [counts.neither, counts.second, counts.first, counts.both] =
            [cells[0], cells[1], cells[3], cells[4]];
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
