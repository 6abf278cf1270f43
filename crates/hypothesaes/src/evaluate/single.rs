//! Each hypothesis by itself, and each pair.

use hypothesaes_math::means::{self, Spreads};
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::{Estimate, Level};

use super::{Annotations, Effect, Overlap, Source, Status, Tested, direction, hypothesis_id};
use crate::data::Task;

/// Fewer texts than this on one side of a hypothesis are warned of.
const FEW: usize = 10;

/// Counts, means and separation of hypothesis `j`; its status is still open.
pub(super) fn test(
    j: usize,
    column: &[Option<bool>],
    y: &[f64],
    task: &Task,
    level: Level,
) -> Tested {
    let side = |value: bool| -> Vec<f64> {
        column.iter().zip(y).filter(|(a, _)| **a == Some(value)).map(|(_, y)| *y).collect()
    };
    let (present, absent) = (side(true), side(false));
    let n = present.len() + absent.len();
    let separation = match task {
        Task::Continuous | Task::Count | Task::Ordinal { .. } => {
            means::difference(&present, &absent, level).map(|(e, spreads)| (e, spreads.into()))
        }
        Task::Binary { .. } | Task::Multiclass { .. } => {
            proportions::difference(share(&present), share(&absent), level)
                .map(|e| (e, Source::Newcombe))
        }
    };
    let separation = separation.map(|(e, source)| Effect::new(e, n, sourced(e, source)));
    let mut tested = Tested {
        id: hypothesis_id(j),
        status: Status::Untested,
        direction: separation.and_then(|s| direction(s.estimate.value, task)),
        n,
        n_present: present.len(),
        n_absent: absent.len(),
        n_missing: column.len() - n,
        prevalence: (n > 0).then(|| present.len() as f64 / n as f64),
        mean_present: mean(&present),
        mean_absent: mean(&absent),
        separation,
        joint: None,
        duplicate_of: None,
        warning: None,
    };
    warn_of_few(&mut tested);
    tested
}

fn warn_of_few(tested: &mut Tested) {
    let (present, absent) = (tested.n_present, tested.n_absent);
    match (present, absent) {
        (0, 0) => tested.warn("no held-out text is annotated"),
        (0, _) => tested.warn("true of no held-out text"),
        (_, 0) => tested.warn("true of every held-out text"),
        _ if present < FEW => tested.warn(&format!("true of {present} held-out texts only")),
        _ if absent < FEW => tested.warn(&format!("true of all but {absent} held-out texts")),
        _ => {}
    }
}

fn sourced(estimate: Estimate, source: Source) -> Option<Source> {
    estimate.std_error.map(|_| source)
}

impl From<Spreads> for Source {
    fn from(spreads: Spreads) -> Self {
        match spreads {
            Spreads::Own => Self::Welch,
            Spreads::Common => Self::Pooled,
        }
    }
}

fn share(y: &[f64]) -> Share {
    Share { successes: y.iter().filter(|y| **y != 0.0).count(), trials: y.len() }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Every pair of columns once.
pub(super) fn overlap(annotations: &Annotations, hypotheses: &[Tested]) -> Vec<Overlap> {
    let mut pairs = Vec::new();
    for (i, first) in annotations.iter().enumerate() {
        for (j, second) in annotations.iter().enumerate().skip(i + 1) {
            let (id_1, id_2) = (hypotheses[i].id.clone(), hypotheses[j].id.clone());
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
