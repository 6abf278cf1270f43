//! Which hypotheses can stand beside each other in one regression, on which rows, and why not the
//! others.

use std::borrow::Cow;

use hypothesaes_math::regression::columns::Column;
use hypothesaes_math::regression::{Columns, WIDE};

use super::overlap::overlap;
use super::sample::{Part, Sample};
use super::{Model, Overlap, Status, Tested, hypothesis_id};
use crate::Result;

/// The columns of the joint regression, whatever the target.
pub(super) struct Layout {
    /// Hypotheses in the regression, rising, and their columns over the rows of the part.
    pub fitted: Vec<usize>,
    pub columns: Columns,
    /// The rows that are annotated for all of them.
    pub part: Part,
    pub messages: Vec<String>,
    /// Every pair of hypotheses once.
    pub overlap: Vec<Overlap>,
    /// What becomes of every hypothesis as a column; `None` without any annotation.
    kinds: Vec<Option<Column>>,
    /// For a hypothesis that says nearly the same as an earlier one, that one and their phi.
    near: Vec<Option<(usize, f64)>>,
}

impl Layout {
    pub fn of(sample: &Sample, duplicate_phi: f64) -> Result<Self> {
        let (kinds, varying) = sort_out(sample)?;
        let overlap = overlap(sample.of.annotations);
        let near = near(&overlap, &kinds, duplicate_phi);
        let is_fitted = |j: &usize| kinds[*j] == Some(Column::Fitted) && near[*j].is_none();
        let fitted: Vec<usize> = (0..kinds.len()).filter(is_fitted).collect();
        let Complete { part, columns, .. } = if fitted == varying.hypotheses {
            varying
        } else {
            Complete::of(sample, fitted.clone())?
        };
        let left_out = sample.of.y.len() - part.rows.len();
        let mut messages = Vec::new();
        if left_out > 0 && !fitted.is_empty() {
            messages.push(format!(
                "{left_out} held-out {} lack an annotation and are left out of the joint model",
                if sample.of.is_paired { "pairs" } else { "texts" }
            ));
        }
        Ok(Self { fitted, columns, part, messages, overlap, kinds, near })
    }

    /// These columns of its rows, then the controls.
    pub fn with_controls<'a>(&self, columns: &'a Columns) -> Result<Cow<'a, Columns>> {
        let controls = &self.part.controls;
        let alone = controls.cols() == 0;
        Ok(if alone { Cow::Borrowed(columns) } else { Cow::Owned(columns.beside(controls)?) })
    }

    /// Hypotheses that can be tested by themselves.
    pub fn n_varying(&self) -> usize {
        self.kinds.iter().flatten().filter(|kind| **kind != Column::Constant).count()
    }

    /// Why there can be no regression of the target `y` of its rows, if there can be none.
    pub fn obstacle(&self, y: &[f64], model: Model) -> Option<String> {
        let (n, p) = (y.len(), self.fitted.len());
        if p == 0 {
            return Some("no hypothesis tells held-out texts apart, so none is tested".into());
        }
        if n < p + self.part.controls.cols() + 2 {
            return Some(format!(
                "{n} held-out texts with all annotations are too few to test {p} hypotheses \
                 together; enlarge the held-out part or lower the number of hypotheses"
            ));
        }
        let rarer = self.part.rarer_class(y).filter(|_| model == Model::Logit && p > WIDE);
        if let Some(rarer) = rarer.filter(|n| *n < p) {
            return Some(format!(
                "{rarer} held-out texts of the rarer class are too few to test {p} hypotheses \
                 together; enlarge the held-out part or lower the number of hypotheses"
            ));
        }
        y.iter().all(|v| *v == y[0]).then(|| {
            "the target has one value only on the held-out texts, so no hypothesis is tested; \
             enlarge the held-out part"
                .into()
        })
    }

    /// Writes the status of what is set aside, and why, into the hypotheses.
    pub fn set_aside(&self, hypotheses: &mut [Tested]) {
        for (tested, kind) in hypotheses.iter_mut().zip(&self.kinds) {
            let Some((status, why)) = kind.and_then(set_aside) else { continue };
            // A column may vary over its own texts, though not over those annotated for all.
            let varies = tested.n_present > 0 && tested.n_absent > 0;
            if status == Status::Aliased || !varies {
                tested.status = status;
            }
            // The counts have said it already of a column that is constant throughout.
            if varies {
                tested.warn(&why);
            }
        }
        for (tested, near) in hypotheses.iter_mut().zip(&self.near) {
            let Some((twin, phi)) = *near else { continue };
            let twin = hypothesis_id(twin);
            tested.status = Status::Duplicate;
            tested.warn(&format!(
                "says nearly the same as {twin} (phi {phi:.2}), which stands for both"
            ));
            tested.duplicate_of = Some(twin);
        }
    }
}

/// What becomes of every column, judged on the rows annotated for all columns that vary.
fn sort_out(sample: &Sample) -> Result<(Vec<Option<Column>>, Complete)> {
    let has = |j, value| sample.rows.iter().any(|&i| sample.answer(j, i) == Some(value));
    // A pair is told apart by a concept that either text has alone.
    let other = if sample.of.is_paired { -1 } else { 0 };
    let mut kinds: Vec<Option<Column>> = (0..sample.n_hypotheses())
        .map(|j| match (has(j, 1), has(j, other)) {
            (true, true) => Some(Column::Fitted),
            (true, false) | (false, true) if sample.of.is_paired => Some(Column::Fitted),
            (false, false) if sample.rows.iter().all(|&i| sample.answer(j, i).is_none()) => None,
            _ => Some(Column::Constant),
        })
        .collect();
    let varying = (0..kinds.len()).filter(|&j| kinds[j] == Some(Column::Fitted)).collect();
    let complete = Complete::of(sample, varying)?;
    let varying = &complete.hypotheses;
    for (&j, kind) in varying.iter().zip(complete.part.classify(&complete.columns, true)?) {
        kinds[j] = Some(match kind {
            Column::Same(twin) => Column::Same(varying[twin]),
            Column::Opposite(twin) => Column::Opposite(varying[twin]),
            other => other,
        });
    }
    Ok((kinds, complete))
}

/// The first earlier column that each agrees with so far that one of them can stand for both.
fn near(overlap: &[Overlap], kinds: &[Option<Column>], least: f64) -> Vec<Option<(usize, f64)>> {
    let n = kinds.len();
    // Pairs stand row by row of a triangle.
    let phi = |i: usize, j: usize| overlap[i * (2 * n - i - 1) / 2 + j - i - 1].phi;
    let mut near: Vec<Option<(usize, f64)>> = Vec::new();
    for j in 0..n {
        let stands = |i: &usize| kinds[*i] == Some(Column::Fitted) && near[*i].is_none();
        let agrees = |i: usize| phi(i, j).filter(|phi| *phi > least).map(|phi| (i, phi));
        let is_fitted = kinds[j] == Some(Column::Fitted);
        let found = if is_fitted { (0..j).filter(stands).find_map(agrees) } else { None };
        near.push(found);
    }
    near
}

/// The rows that are annotated for all of some hypotheses.
struct Complete {
    hypotheses: Vec<usize>,
    part: Part,
    /// Their answers as numbers.
    columns: Columns,
}

impl Complete {
    fn of(sample: &Sample, hypotheses: Vec<usize>) -> Result<Self> {
        let rows = sample.answered(&hypotheses);
        let columns = sample.columns(&hypotheses, &rows)?;
        Ok(Self { part: sample.part(rows), columns, hypotheses })
    }
}

/// Status of a column that is not fitted, and why it is not.
fn set_aside(kind: Column) -> Option<(Status, String)> {
    let (status, why) = match kind {
        Column::Fitted => return None,
        Column::Constant => (
            Status::Constant,
            "the same for all fully annotated texts, so it has no joint effect".into(),
        ),
        Column::Same(twin) => {
            let twin = hypothesis_id(twin);
            (Status::Aliased, format!("says the same as {twin} of every held-out text"))
        }
        Column::Opposite(twin) => {
            let twin = hypothesis_id(twin);
            (Status::Aliased, format!("says the opposite of {twin} of every held-out text"))
        }
        Column::Combination => (
            Status::Untested,
            "follows from several earlier hypotheses together, so it has no joint effect".into(),
        ),
        Column::Controls => (Status::Aliased, "follows from the controls".into()),
        Column::Absorbed => (Status::Aliased, "does not vary within the fixed effects".into()),
    };
    Some((status, why))
}
