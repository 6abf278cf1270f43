//! The k largest positive values of a row.
//!
//! This is the nonlinearity of a top-k autoencoder: choose the k largest, then `ReLU`. As only
//! positive values survive, it is the same to choose among the positive ones from the start.

use pulp::Arch;

/// Writes the `k` largest values of `values` that are > 0, as (index, value) by rising index.
///
/// Among equal values the lower index wins; NaN never does; fewer than `k` positive values give
/// fewer entries. Cost: one pass of comparisons, and a shift of at most `k` entries for each value
/// that enters, which for values in random order are about k (1 + ln(n / k)).
pub fn top_k(values: &[f32], k: usize, best: &mut Vec<(u32, f32)>) {
    best.clear();
    if k > 0 {
        Arch::new().dispatch(|| scan(values, k, best));
    }
    best.sort_unstable_by_key(|&(index, _)| index);
}

/// Keeps `best` sorted by falling value; `floor` is what a newcomer must exceed.
#[inline(always)]
fn scan(values: &[f32], k: usize, best: &mut Vec<(u32, f32)>) {
    const CHUNK: usize = 32;
    let mut floor = 0.0;
    for (first, chunk) in (0..).step_by(CHUNK).zip(values.chunks(CHUNK)) {
        // Most chunks hold nothing of interest, and this test is a few vector instructions.
        if chunk.iter().filter(|&&v| v > floor).count() > 0 {
            for (index, &v) in (first..).zip(chunk) {
                if v > floor {
                    insert(best, k, (index, v));
                    if best.len() == k {
                        floor = best[k - 1].1;
                    }
                }
            }
        }
    }
}

fn insert(best: &mut Vec<(u32, f32)>, k: usize, entry: (u32, f32)) {
    best.truncate(k - 1);
    let at = best.partition_point(|&(_, v)| v >= entry.1);
    best.insert(at, entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f32], k: usize, expected: &[(u32, f32)]) {
        let mut best = vec![(9, 9.0)];
        top_k(values, k, &mut best);
        assert_eq!(best, expected, "top {k} of {values:?}");
    }

    #[test]
    fn chooses_the_largest_positive_values() {
        check(&[], 2, &[]);
        check(&[1.0, 2.0], 0, &[]);
        check(&[-1.0, 0.0], 2, &[]);
        check(&[0.5, 3.0, -1.0, 2.0], 2, &[(1, 3.0), (3, 2.0)]);
        check(&[0.5, -3.0], 2, &[(0, 0.5)]);
        check(&[1.0, f32::NAN, 2.0], 2, &[(0, 1.0), (2, 2.0)]);
        check(&[f32::INFINITY, 1.0], 1, &[(0, f32::INFINITY)]);
    }

    #[test]
    fn lower_index_wins_a_tie() {
        check(&[1.0, 1.0, 2.0, 1.0], 2, &[(0, 1.0), (2, 2.0)]);
        check(&[1.0; 40], 3, &[(0, 1.0), (1, 1.0), (2, 1.0)]);
    }

    #[test]
    fn equals_sorting() {
        let values: Vec<f32> = (0..500_u32).map(|i| ((i * 7919) % 501) as f32 - 250.0).collect();
        for k in [1, 7, 33, 499] {
            let mut all: Vec<(u32, f32)> =
                (0..).zip(values.iter().copied()).filter(|e| e.1 > 0.0).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(k);
            all.sort_by_key(|e| e.0);
            check(&values, k, &all);
        }
    }
}
