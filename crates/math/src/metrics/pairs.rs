//! Pairs of rows that predictions put in order, counted without making the pairs.

use rayon::prelude::*;

use super::predicted::{Predicted, Score};

/// Rows sorted by fold and prediction, ready to be counted under any weights.
#[derive(Debug)]
pub(crate) struct Pairs {
    rows: Vec<Row>,
    /// One after the other.
    runs: Vec<Run>,
    levels: usize,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    unit: u32,
    /// Rank of `y` among its different values.
    level: u32,
    weight: f64,
}

/// Rows of one fold and of equal prediction: those before `end` that are in no earlier run.
#[derive(Debug, Clone, Copy)]
struct Run {
    end: u32,
    fold: u32,
}

/// What a row meets among the rows before it in its fold: the weight of those it is in order
/// with, of those of other level but equal prediction, and of all of other level.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    ordered: f64,
    tied: f64,
    pairs: f64,
}

impl Pairs {
    /// O(n log n).
    pub fn new(p: &Predicted, unit: &[usize]) -> Self {
        let mut values = p.y.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        values.shrink_to_fit();
        let short = |n: usize| u32::try_from(n).expect("rows have numbers of 32 bits");
        let row = |&(_, i): &(u64, u32)| Row {
            unit: short(unit[i as usize]),
            level: short(values.partition_point(|v| *v < p.y[i as usize])),
            weight: p.weights.map_or(1.0, |w| w[i as usize]),
        };
        let (mut rows, mut runs) = (Vec::with_capacity(p.y.len()), Vec::new());
        for (fold, in_order) in (0..).zip(in_order(p)) {
            for run in in_order.chunk_by(|a, b| a.0 == b.0) {
                rows.extend(run.iter().map(row));
                runs.push(Run { end: short(rows.len()), fold });
            }
        }
        Self { rows, runs, levels: values.len() }
    }

    /// The share of pairs in order when unit `u` counts `counts[u]` times. O(n log levels).
    pub fn score(&self, counts: &[f64]) -> Option<Score> {
        let mut sum = Met::default();
        self.walk(false, counts, |_, weight, met| sum.add(weight, met));
        score(sum.in_order(), sum.pairs)
    }

    /// What each of `units` units adds to the pairs in order and to all pairs, to first order around
    /// one of each: for counts that sum to the number of units, the sums of `count * share` over the
    /// units, see [`score`]. Terms of second order, by which the exact score differs, fall as one
    /// over the number of units. O(n log levels).
    pub fn linear(&self, units: usize) -> Vec<[f64; 4]> {
        let mut sums = vec![Met::default(); units];
        let mut total = Met::default();
        for backwards in [false, true] {
            self.walk(backwards, &vec![1.0; units], |row, weight, met| {
                sums[row.unit as usize].add(weight, met);
                total.add(0.5 * weight, met);
            });
        }
        // Every pair is in the sums of both its units, hence once too often.
        let share = |sum: f64, total: f64| sum - total / units as f64;
        let of = |s: &Met| {
            [share(s.in_order(), total.in_order()), share(s.pairs, total.pairs), 0.0, 0.0]
        };
        sums.iter().map(of).collect()
    }

    /// Visits the rows in rising order of prediction; backwards in falling order, where lower
    /// levels are on the other side.
    fn walk(&self, backwards: bool, counts: &[f64], mut visit: impl FnMut(&Row, f64, &Met)) {
        let (mut before, mut run) = (Totals::new(self.levels), Totals::new(self.levels));
        let mut fold = None;
        for k in 0..self.runs.len() {
            let k = if backwards { self.runs.len() - 1 - k } else { k };
            let Run { end, fold: of } = self.runs[k];
            if fold.replace(of) != Some(of) {
                before.clear();
            }
            let start = k.checked_sub(1).map_or(0, |last| self.runs[last].end);
            let equal = &self.rows[start as usize..end as usize];
            let level = |row: &Row| {
                let level = row.level as usize;
                if backwards { self.levels - 1 - level } else { level }
            };
            let weight = |row: &Row| row.weight * counts[row.unit as usize];
            for row in equal {
                let (level, weight) = (level(row), weight(row));
                let tied = run.beside(level);
                let pairs = tied + before.beside(level);
                visit(row, weight, &Met { ordered: before.below(level), tied, pairs });
                run.count(level, weight);
            }
            for row in equal {
                before.add(level(row), weight(row));
                run.forget(level(row));
            }
        }
    }
}

/// The rows of every fold, with what rises with their prediction, by which they are sorted.
fn in_order(p: &Predicted) -> Vec<Vec<(u64, u32)>> {
    let n_folds = p.fold.map_or(1, |fold| fold.iter().max().map_or(0, |last| last + 1));
    let mut sizes = vec![0; n_folds];
    (0..p.y.len()).for_each(|i| sizes[p.fold.map_or(0, |fold| fold[i])] += 1);
    let mut folds: Vec<Vec<(u64, u32)>> = sizes.into_iter().map(Vec::with_capacity).collect();
    for (i, prediction) in (0..).zip(p.prediction) {
        folds[p.fold.map_or(0, |fold| fold[i as usize])].push((rising(*prediction), i));
    }
    folds.par_iter_mut().for_each(|rows| rows.sort_unstable());
    folds
}

/// A whole number that rises with `value`, and is the same for 0 and -0.
fn rising(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// Whether the target is 0 or 1, and all rows compare and weigh the same.
pub(crate) fn is_plain(p: &Predicted) -> bool {
    p.weights.is_none() && p.fold.is_none() && p.y.iter().all(|y| *y == 0.0 || *y == 1.0)
}

/// The share of pairs in order where [`is_plain`], each class sorted by itself, which is fast.
pub(crate) fn of_two_classes(p: &Predicted) -> Option<Score> {
    let of = |class: f64| {
        let rows = p.y.iter().zip(p.prediction).filter(|(y, _)| **y == class);
        let mut ranks: Vec<u64> = rows.map(|(_, prediction)| rising(*prediction)).collect();
        ranks.sort_unstable();
        ranks
    };
    let (positive, negative) = (of(1.0), of(0.0));
    let (mut below, mut not_above, mut in_order) = (0, 0, 0.0);
    for rank in &positive {
        while negative.get(below).is_some_and(|other| other < rank) {
            below += 1;
        }
        while negative.get(not_above).is_some_and(|other| other <= rank) {
            not_above += 1;
        }
        in_order += 0.5 * (below + not_above) as f64;
    }
    score(in_order, positive.len() as f64 * negative.len() as f64)
}

/// From the weight of pairs in order, and of all.
pub(crate) fn score(in_order: f64, pairs: f64) -> Option<Score> {
    let value = (in_order / pairs).clamp(0.0, 1.0);
    (pairs > 0.0).then_some(Score { value, null: 0.5 })
}

impl Met {
    fn add(&mut self, weight: f64, other: &Self) {
        self.ordered += weight * other.ordered;
        self.tied += weight * other.tied;
        self.pairs += weight * other.pairs;
    }

    /// Ties count half.
    fn in_order(&self) -> f64 {
        self.ordered + 0.5 * self.tied
    }
}

/// Weight by level, with prefix sums (Fenwick 1994).
struct Totals {
    all: f64,
    level: Vec<f64>,
    tree: Vec<f64>,
}

impl Totals {
    fn new(levels: usize) -> Self {
        Self { all: 0.0, level: vec![0.0; levels], tree: vec![0.0; levels + 1] }
    }

    fn clear(&mut self) {
        self.all = 0.0;
        self.level.fill(0.0);
        self.tree.fill(0.0);
    }

    /// Without prefix sums.
    fn count(&mut self, level: usize, weight: f64) {
        self.all += weight;
        self.level[level] += weight;
    }

    fn add(&mut self, level: usize, weight: f64) {
        self.count(level, weight);
        let mut node = level + 1;
        while node < self.tree.len() {
            self.tree[node] += weight;
            node += node & node.wrapping_neg();
        }
    }

    /// Takes a run's counts back to 0, exactly, once it is asked for all its levels.
    fn forget(&mut self, level: usize) {
        self.all = 0.0;
        self.level[level] = 0.0;
    }

    /// The weight of lower levels.
    fn below(&self, level: usize) -> f64 {
        let (mut node, mut sum) = (level, 0.0);
        while node > 0 {
            sum += self.tree[node];
            node &= node - 1;
        }
        sum
    }

    /// The weight of other levels.
    fn beside(&self, level: usize) -> f64 {
        self.all - self.level[level]
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random::stream;

    /// Rows in three folds, with ties, of five levels.
    fn pairs(n: usize, units: usize) -> Pairs {
        let y: Vec<f64> = (0..n).map(|i| (i * 7 % 5) as f64).collect();
        let prediction: Vec<f64> = (0..n).map(|i| (i * i % 23) as f64 + y[i]).collect();
        let fold: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let unit: Vec<usize> = (0..n).map(|i| i % units).collect();
        let p = Predicted {
            y: &y,
            prediction: &prediction,
            weights: None,
            exposure: None,
            fold: Some(&fold),
        };
        Pairs::new(&p, &unit)
    }

    #[test]
    fn two_classes_sorted_by_themselves_are_pairs_like_others() {
        let y: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i * 7 % 5 > 2))).collect();
        let prediction: Vec<f64> =
            y.iter().enumerate().map(|(i, y)| (i * i % 23) as f64 - 11.0 + y).collect();
        let (weights, exposure, fold) = (None, None, None);
        let p = Predicted { y: &y, prediction: &prediction, weights, exposure, fold };
        assert!(is_plain(&p));
        let found = of_two_classes(&p).unwrap().value;
        let all = Pairs::new(&p, &vec![0; 300]).score(&[1.0]).unwrap().value;
        assert!((found - all).abs() < 1e-14, "{found} {all}");
        assert_eq!(of_two_classes(&Predicted { y: &[1.0], prediction: &[0.5], ..p }), None);
    }

    #[test]
    fn the_linear_form_is_exact_at_one_of_each_and_close_beside() {
        let units = 2000;
        let pairs = pairs(4000, units);
        let linear = pairs.linear(units);
        let of = |counts: &[f64]| {
            let sum = |k: usize| linear.iter().zip(counts).map(|(u, c)| c * u[k]).sum::<f64>();
            score(sum(0), sum(1)).unwrap().value
        };
        let ones = vec![1.0; units];
        assert!((of(&ones) - pairs.score(&ones).unwrap().value).abs() < 1e-12);
        for b in 0..5 {
            let mut stream = stream(b, "counts");
            let mut counts = vec![0.0; units];
            (0..units).for_each(|_| counts[stream.random_range(0..units)] += 1.0);
            let (linear, exact) = (of(&counts), pairs.score(&counts).unwrap().value);
            assert!((linear - exact).abs() < 2.0 / units as f64, "{linear} {exact}");
        }
    }
}
