//! All hypotheses beside each other in one regression.

use hypothesaes_math::regression::columns::{Column, classify};
use hypothesaes_math::regression::{self, Inference, Term, Variance, infer};
use hypothesaes_math::{Error as MathError, Level};

use super::single::phi;
use super::{Annotations, Effect, Model, Status, Tested, adjust, hypothesis_id};
use crate::Result;
use crate::data::Task;

/// The joint regression and what it leaves out.
pub(super) struct Joint {
    pub model: Model,
    /// Hypotheses in the regression, rising, and their columns over the texts that are complete.
    pub fitted: Vec<usize>,
    pub columns: Vec<Vec<f64>>,
    pub y: Vec<f64>,
    /// `None` if nothing could be fitted.
    pub inference: Option<Inference>,
    pub messages: Vec<String>,
    /// What becomes of every hypothesis as a column; `None` without any annotation.
    kinds: Vec<Option<Column>>,
    /// For a hypothesis that says nearly the same as an earlier one, that one and their phi.
    near: Vec<Option<(usize, f64)>>,
}

pub(super) fn fit(
    annotations: &Annotations,
    y: &[f64],
    task: &Task,
    level: Level,
    duplicate_phi: f64,
) -> Result<Joint> {
    let model = match task {
        Task::Binary { .. } | Task::Multiclass { .. } => Model::Logit,
        Task::Continuous | Task::Count | Task::Ordinal { .. } => Model::Ols,
    };
    let kinds = sort_out(annotations);
    let near = near(annotations, &kinds, duplicate_phi);
    let is_fitted = |j: &usize| kinds[*j] == Some(Column::Fitted) && near[*j].is_none();
    let fitted: Vec<usize> = (0..annotations.len()).filter(is_fitted).collect();
    let (columns, rows) = complete(annotations, &fitted);
    let y: Vec<f64> = rows.iter().map(|&i| y[i]).collect();
    let mut joint =
        Joint { model, fitted, columns, y, inference: None, messages: Vec::new(), kinds, near };
    joint.count_incomplete(annotations);
    if let Some(obstacle) = joint.obstacle() {
        joint.messages.push(obstacle);
        return Ok(joint);
    }
    match infer(model.into(), &joint.columns, &joint.y, level) {
        Err(MathError::Diverged(why)) => joint.messages.push(format!("no joint model: {why}")),
        found => joint.inference = Some(found?),
    }
    Ok(joint)
}

/// What becomes of every column, judged on the texts annotated for all columns that vary.
fn sort_out(annotations: &Annotations) -> Vec<Option<Column>> {
    let has = |column: &[Option<bool>], value| column.contains(&Some(value));
    let mut kinds: Vec<Option<Column>> = annotations
        .iter()
        .map(|column| match (has(column, true), has(column, false)) {
            (false, false) => None,
            (true, true) => Some(Column::Fitted),
            _ => Some(Column::Constant),
        })
        .collect();
    let varying: Vec<usize> =
        (0..kinds.len()).filter(|&j| kinds[j] == Some(Column::Fitted)).collect();
    let (columns, _) = complete(annotations, &varying);
    for (&j, kind) in varying.iter().zip(classify(&columns)) {
        kinds[j] = Some(match kind {
            Column::Same(twin) => Column::Same(varying[twin]),
            Column::Opposite(twin) => Column::Opposite(varying[twin]),
            other => other,
        });
    }
    kinds
}

/// The first earlier column that each agrees with so far that one of them can stand for both.
fn near(
    annotations: &Annotations,
    kinds: &[Option<Column>],
    least: f64,
) -> Vec<Option<(usize, f64)>> {
    let mut near: Vec<Option<(usize, f64)>> = Vec::new();
    for (j, column) in annotations.iter().enumerate() {
        let stands = |i: &usize| kinds[*i] == Some(Column::Fitted) && near[*i].is_none();
        let agrees =
            |i: usize| phi(&annotations[i], column).filter(|phi| *phi > least).map(|phi| (i, phi));
        let is_fitted = kinds[j] == Some(Column::Fitted);
        let found = if is_fitted { (0..j).filter(stands).find_map(agrees) } else { None };
        near.push(found);
    }
    near
}

/// These columns as numbers over the texts annotated for all of them, and those texts.
fn complete(annotations: &Annotations, which: &[usize]) -> (Vec<Vec<f64>>, Vec<usize>) {
    let n = annotations.first().map_or(0, Vec::len);
    let rows: Vec<usize> =
        (0..n).filter(|&i| which.iter().all(|&j| annotations[j][i].is_some())).collect();
    let column = |&j: &usize| -> Vec<f64> {
        let number = |&i: &usize| f64::from(u8::from(annotations[j][i] == Some(true)));
        rows.iter().map(number).collect()
    };
    (which.iter().map(column).collect(), rows)
}

impl Joint {
    /// Why there can be no regression, if there can be none.
    fn obstacle(&self) -> Option<String> {
        let (n, p) = (self.y.len(), self.fitted.len());
        if p == 0 {
            return Some("no hypothesis tells held-out texts apart, so none is tested".into());
        }
        if n < p + 2 {
            return Some(format!(
                "{n} held-out texts with all annotations are too few to test {p} hypotheses \
                 together; enlarge the held-out part or lower the number of hypotheses"
            ));
        }
        self.y.iter().all(|v| *v == self.y[0]).then(|| {
            "the target has one value only on the held-out texts, so no hypothesis is tested; \
             enlarge the held-out part"
                .into()
        })
    }

    fn count_incomplete(&mut self, annotations: &Annotations) {
        let left_out = annotations.first().map_or(0, Vec::len) - self.y.len();
        if left_out > 0 && !self.fitted.is_empty() {
            self.messages.push(format!(
                "{left_out} held-out texts lack an annotation and are left out of the joint model"
            ));
        }
    }

    /// The intercept's effect.
    pub fn intercept(&self) -> Option<Effect> {
        self.inference.as_ref().map(|found| self.effect(&found.terms[0]))
    }

    fn effect(&self, term: &Term) -> Effect {
        Effect {
            std_error_hc3: term.hc3,
            std_error_classical: term.classical,
            ..Effect::new(term.estimate, self.y.len(), term.variance.map(Into::into))
        }
    }

    /// Writes joint effects, warnings and the status of what is set aside into the hypotheses.
    pub fn fill(&self, hypotheses: &mut [Tested]) {
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
        for (j, near) in self.near.iter().enumerate() {
            let Some((twin, phi)) = *near else { continue };
            let twin = hypothesis_id(twin);
            hypotheses[j].status = Status::Duplicate;
            hypotheses[j].warn(&format!(
                "says nearly the same as {twin} (phi {phi:.2}), which stands for both"
            ));
            hypotheses[j].duplicate_of = Some(twin);
        }
        if let Some(found) = &self.inference {
            for (&j, term) in self.fitted.iter().zip(&found.terms[1..]) {
                hypotheses[j].joint = Some(self.effect(term));
                warn_of_term(&mut hypotheses[j], term);
            }
        }
        adjust(hypotheses, |tested| tested.joint.as_mut());
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
    };
    Some((status, why))
}

fn warn_of_term(tested: &mut Tested, term: &Term) {
    match term.variance {
        None => tested.warn("one text decides its joint effect, so it cannot be tested"),
        Some(Variance::Profile) => tested.warn(
            "few of its texts are of one class, so the joint effect is a penalised (Firth) estimate",
        ),
        Some(_) => {}
    }
}

impl From<Model> for regression::Model {
    fn from(model: Model) -> Self {
        match model {
            Model::Ols => Self::LeastSquares,
            Model::Logit => Self::Logit,
        }
    }
}
