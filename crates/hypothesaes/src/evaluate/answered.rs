//! A hypothesis over the rows with an answer to it, the target on the scale of separations.

use std::borrow::Cow;

use super::sample::{Part, Sample};
use super::target::{Kind, Target};

/// What a hypothesis by itself is judged by.
pub(super) struct Answered<'a> {
    /// Rows with an answer. Counts weigh as much as their exposure, if they have one.
    pub part: Part,
    /// The answers, as numbers.
    pub x: Vec<f64>,
    /// The target; of counts with exposure their rate, of pairs 1 and -1 for who won.
    pub y: Cow<'a, [f64]>,
}

impl<'a> Answered<'a> {
    /// Hypothesis `j`.
    pub fn of(sample: &Sample, target: &'a Target, j: usize) -> Self {
        let mut part = sample.part(sample.answered(&[j]));
        let (x, mut y) = (sample.numbers(j, &part.rows), target.gather(&part.rows));
        if let Some(exposure) = &part.exposure {
            y.to_mut().iter_mut().zip(exposure).for_each(|(y, e)| *y /= e);
            part.weights = Some(match &part.weights {
                Some(weights) => weights.iter().zip(exposure).map(|(w, e)| w * e).collect(),
                None => exposure.clone(),
            });
        }
        if sample.of.is_paired && target.kind == Kind::Class {
            y.to_mut().iter_mut().for_each(|y| *y = 2.0 * *y - 1.0);
        }
        Self { part, x, y }
    }

    /// Means where the concept is, and where it is not; of pairs, of the side that has it: the share
    /// that it wins, or by how much it does.
    pub fn means(&self, is_paired: bool, is_class: bool) -> (Option<f64>, Option<f64>) {
        let weight = |i: usize| self.part.weights.as_ref().map_or(1.0, |w| w[i]);
        let (mut totals, mut sums) = ([0.0; 2], [0.0; 2]);
        for (i, (x, y)) in self.x.iter().zip(self.y.iter()).enumerate() {
            let (side, w) = (usize::from(*x != 0.0), weight(i));
            totals[side] += w;
            sums[side] += w * if is_paired { x * y } else { *y };
        }
        let mean = |side: usize| (totals[side] > 0.0).then(|| sums[side] / totals[side]);
        match (is_paired, is_class) {
            (true, true) => (mean(1).map(|won| f64::midpoint(won, 1.0)), None),
            (true, false) => (mean(1), None),
            (false, _) => (mean(1), mean(0)),
        }
    }
}
