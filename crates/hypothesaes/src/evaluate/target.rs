//! What is explained: the target, or of several classes each against all others.

use std::borrow::Cow;

use super::Model;
use crate::data::Task;
use crate::signal::indicator;

/// One column to explain.
pub(super) struct Target<'a> {
    /// Of several classes, this one.
    pub class: Option<String>,
    /// One entry per held-out row.
    pub y: Cow<'a, [f64]>,
    pub kind: Kind,
    /// What goes with a concept whose effect is above 0, and below.
    directions: [String; 2],
}

/// What its numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// 0 and 1.
    Class,
    Count,
    Level,
}

impl<'a> Target<'a> {
    /// The target, or one for each class.
    pub fn all(y: &'a [f64], task: &Task) -> Vec<Self> {
        let one = |kind, directions: [&str; 2]| {
            let directions = directions.map(str::to_owned);
            vec![Self { class: None, y: Cow::Borrowed(y), kind, directions }]
        };
        match task {
            Task::Continuous => one(Kind::Number, ["higher", "lower"]),
            Task::Count => one(Kind::Count, ["higher", "lower"]),
            Task::Ordinal { .. } => one(Kind::Level, ["higher", "lower"]),
            Task::Binary { positive, negative } => one(Kind::Class, [positive, negative]),
            Task::Multiclass { classes } => {
                let target = |(number, class): (usize, &String)| Self {
                    class: Some(class.clone()),
                    y: Cow::Owned(indicator(y, number)),
                    kind: Kind::Class,
                    directions: [class.clone(), format!("not {class}")],
                };
                classes.iter().enumerate().map(target).collect()
            }
        }
    }

    /// These rows of it, nothing copied if they are all, in order.
    pub fn gather(&self, rows: &[usize]) -> Cow<'_, [f64]> {
        if rows.len() == self.y.len() && rows.is_sorted() {
            return Cow::Borrowed(&self.y);
        }
        rows.iter().map(|&i| self.y[i]).collect()
    }

    /// Whether it has one value on all rows.
    pub fn is_constant(&self) -> bool {
        self.y.iter().all(|v| *v == self.y[0])
    }

    /// What goes with the concept if its effect has this sign.
    pub fn direction(&self, effect: f64) -> Option<String> {
        let [up, down] = &self.directions;
        match effect {
            e if e > 0.0 => Some(up.clone()),
            e if e < 0.0 => Some(down.clone()),
            _ => None,
        }
    }

    /// The regression that suits it, and what to say if that is not the usual one.
    pub fn model(&self, counts: super::Counts, has_fixed_effects: bool) -> (Model, Option<&str>) {
        match (self.kind, has_fixed_effects) {
            (Kind::Number, _) => (Model::Ols, None),
            (Kind::Count, _) => match counts {
                super::Counts::Poisson => (Model::Poisson, None),
                super::Counts::NegativeBinomial if has_fixed_effects => (
                    Model::Poisson,
                    Some("beside fixed effects counts are fitted by a Poisson regression"),
                ),
                super::Counts::NegativeBinomial => (Model::NegativeBinomial, None),
            },
            (Kind::Class, false) => (Model::Logit, None),
            (Kind::Level, false) => (Model::Ordinal, None),
            (Kind::Class, true) => (
                Model::LinearProbability,
                Some(
                    "a logit cannot absorb fixed effects: effects beside all others are those of a \
                     linear probability model, in shares",
                ),
            ),
            (Kind::Level, true) => (
                Model::Ols,
                Some(
                    "proportional odds cannot absorb fixed effects: levels are treated as numbers",
                ),
            ),
        }
    }
}
