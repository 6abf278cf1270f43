//! The held-out rows as regressions see them: columns of numbers, whatever the data.

use std::sync::Arc;

use hypothesaes_math::regression::columns::{Column, Given, classify_beside};
use hypothesaes_math::regression::{self, Columns, Setup};
use hypothesaes_math::{Error as MathError, Level};

use rayon::prelude::*;

use super::Annotations;
use crate::data::{Control, Covariates, Factor, Task, standardised};
use crate::{Error, Result};

/// What hypotheses are tested on.
#[derive(Debug, Clone, Copy)]
pub struct Heldout<'a> {
    /// One column per hypothesis with an entry per text; of pairs, the first texts of all rows, then
    /// the second ones.
    pub annotations: &'a Annotations,
    /// Target of every row, as the task has it.
    pub y: &'a [f64],
    pub task: &'a Task,
    pub is_paired: bool,
    pub covariates: &'a Covariates,
    /// Rows of one group are not independent.
    pub group: Option<&'a [u32]>,
}

impl<'a> Heldout<'a> {
    /// Texts with a target, and nothing beside.
    #[must_use]
    pub fn new(annotations: &'a Annotations, y: &'a [f64], task: &'a Task) -> Self {
        Self { annotations, y, task, is_paired: false, covariates: Covariates::NONE, group: None }
    }

    /// Texts: as many as rows, or twice as many.
    fn n_texts(&self) -> usize {
        self.y.len() * if self.is_paired { 2 } else { 1 }
    }
}

/// The rows, checked, with what every regression shares.
pub(super) struct Sample<'a> {
    pub of: Heldout<'a>,
    /// All rows, those of a group next to each other, which is what makes large data fast.
    pub rows: Arc<Vec<usize>>,
    /// Controls as numbers, strata among them; none follows from others.
    pub controls: Columns,
    pub level: Level,
    pub seed: u64,
    /// What the user should know.
    pub messages: Vec<String>,
}

/// Some of the rows, gathered.
pub(super) struct Part {
    /// Shared with others where these are all rows.
    pub rows: Arc<Vec<usize>>,
    pub controls: Columns,
    pub weights: Option<Vec<f64>>,
    pub clusters: Option<Vec<u32>>,
    pub exposure: Option<Vec<f64>>,
    pub offset: Option<Vec<f64>>,
    pub absorbed: Vec<Vec<u32>>,
    intercept: bool,
    level: Level,
    seed: u64,
}

impl<'a> Sample<'a> {
    /// # Errors
    /// [`Error::Data`] without rows; [`Error::Math`] for columns of another length or numbers that
    /// are not finite.
    pub fn new(of: Heldout<'a>, level: Level, seed: u64) -> Result<Self> {
        if of.y.is_empty() {
            return Err(Error::Data("there are no held-out texts to test hypotheses on".into()));
        }
        MathError::check_finite("y", of.y)?;
        for column in of.annotations {
            MathError::check_len("annotations", column.len(), of.n_texts())?;
        }
        if let Some(group) = of.group {
            MathError::check_len("group", group.len(), of.y.len())?;
        }
        let (controls, messages) = controls(&of)?;
        let mut rows: Vec<usize> = (0..of.y.len()).collect();
        if let Some(group) = of.group {
            rows.sort_by_key(|&i| group[i]);
        }
        Ok(Self { of, rows: Arc::new(rows), controls, level, seed, messages })
    }

    /// Whether rows weigh the same and are independent, so that plain tests serve.
    pub fn is_plain(&self) -> bool {
        let Covariates { weight, exposure, .. } = self.of.covariates;
        weight.is_none() && exposure.is_none() && self.of.group.is_none()
    }

    /// How many groups there are, if there are any.
    pub fn n_groups(&self) -> Option<usize> {
        let group = self.of.group?;
        Some(self.rows.chunk_by(|a, b| group[*a] == group[*b]).count())
    }

    /// Whether anything is held constant.
    pub fn has_controls(&self) -> bool {
        self.controls.cols() > 0 || !self.of.covariates.fixed_effects.is_empty()
    }

    /// These rows.
    pub fn part(&self, rows: Arc<Vec<usize>>) -> Part {
        let numbers = |v: &[f64]| -> Vec<f64> { rows.iter().map(|&i| v[i]).collect() };
        let codes = |v: &[u32]| -> Vec<u32> { rows.iter().map(|&i| v[i]).collect() };
        let Covariates { weight, exposure, fixed_effects, .. } = self.of.covariates;
        let exposure = exposure.as_deref().map(numbers);
        Part {
            controls: self.controls.gather(&rows),
            weights: weight.as_deref().map(numbers),
            clusters: self.of.group.map(codes),
            offset: exposure.as_ref().map(|e| e.iter().map(|v| v.ln()).collect()),
            exposure,
            absorbed: fixed_effects.iter().map(|f| codes(&f.of_row)).collect(),
            intercept: !self.of.is_paired,
            level: self.level,
            seed: self.seed,
            rows,
        }
    }

    pub fn n_hypotheses(&self) -> usize {
        self.of.annotations.len()
    }

    /// The answer to a hypothesis on a row: 1 for yes, 0 for no; of pairs, the first text's minus the
    /// second's.
    pub fn answer(&self, hypothesis: usize, row: usize) -> Option<i8> {
        let column = &self.of.annotations[hypothesis];
        let of = |text: usize| column[text].map(i8::from);
        if self.of.is_paired { Some(of(row)? - of(row + self.of.y.len())?) } else { of(row) }
    }

    /// The same as a number, 0 where there is none.
    pub fn number(&self, hypothesis: usize, row: usize) -> f64 {
        f64::from(self.answer(hypothesis, row).unwrap_or(0))
    }

    /// Rows with an answer to these hypotheses.
    pub fn answered(&self, hypotheses: &[usize]) -> Arc<Vec<usize>> {
        let is_in = |i: &usize| hypotheses.iter().all(|&j| self.answer(j, *i).is_some());
        if self.rows.par_iter().all(is_in) {
            return Arc::clone(&self.rows);
        }
        // A vector that grows takes up to three times as much on the way.
        let mut rows = Vec::with_capacity(self.rows.len());
        rows.extend(self.rows.iter().filter(|i| is_in(i)));
        Arc::new(rows)
    }

    /// Answers to this hypothesis as numbers.
    pub fn numbers(&self, hypothesis: usize, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&row| self.number(hypothesis, row)).collect()
    }

    /// Answers to these hypotheses as columns.
    pub fn columns(&self, hypotheses: &[usize], rows: &[usize]) -> Result<Columns> {
        let number = |i: usize, j: usize| self.number(hypotheses[j], rows[i]);
        Ok(Columns::from_fn(rows.len(), hypotheses.len(), number)?)
    }
}

impl Part {
    /// A regression of these rows whose first `tested` columns are hypotheses.
    pub fn setup<'s>(
        &'s self,
        model: regression::Model,
        tested: usize,
        absorbed: &'s [&'s [u32]],
    ) -> Setup<'s> {
        Setup {
            intercept: self.intercept,
            weights: self.weights.as_deref(),
            offset: self.offset.as_deref().filter(|_| is_of_counts(model)),
            clusters: self.clusters.as_deref(),
            absorbed,
            seed: self.seed,
            ..Setup::new(model, tested, self.level)
        }
    }

    /// Rows of the class that fewer are of, in a target of 0 and 1; pairs have no classes.
    pub fn rarer_class(&self, y: &[f64]) -> Option<usize> {
        let ones = y.iter().filter(|v| **v == 1.0).count();
        self.intercept.then(|| ones.min(y.len() - ones))
    }

    /// From which everything random follows.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Codes of the absorbed factors.
    pub fn factors(&self) -> Vec<&[u32]> {
        self.absorbed.iter().map(Vec::as_slice).collect()
    }

    /// Kinds of these columns beside the controls.
    ///
    /// # Errors
    /// [`Error::Math`] if the factors cannot be taken out.
    pub fn classify(&self, columns: &Columns, with_controls: bool) -> Result<Vec<Column>> {
        let absorbed = self.factors();
        let given = Given {
            intercept: self.intercept,
            controls: with_controls.then_some(&self.controls),
            absorbed: if with_controls { &absorbed } else { &[] },
            weights: self.weights.as_deref(),
        };
        Ok(classify_beside(columns, &given)?)
    }
}

fn is_of_counts(model: regression::Model) -> bool {
    matches!(model, regression::Model::Poisson | regression::Model::NegativeBinomial)
}

/// Controls and strata as columns, without those that follow from others.
fn controls(of: &Heldout) -> Result<(Columns, Vec<String>)> {
    let Covariates { controls, strata, fixed_effects, weight, .. } = of.covariates;
    let mut all: Vec<(String, Source)> = Vec::new();
    for control in controls {
        match control {
            Control::Numeric { name, values } => {
                MathError::check_len("controls", values.len(), of.y.len())?;
                all.push((name.clone(), Source::Numbers(standardised(values, of.is_paired))));
            }
            Control::Categorical(factor) => all.extend(dummies(factor)),
        }
    }
    // Of pairs, what both texts share has no effect by itself.
    all.extend(strata.iter().filter(|_| !of.is_paired).flat_map(dummies));
    let columns = Columns::from_fn(of.y.len(), all.len(), |i, j| all[j].1.value(i))?;
    let absorbed: Vec<&[u32]> = fixed_effects.iter().map(|f| f.of_row.as_slice()).collect();
    let given = Given {
        intercept: !of.is_paired,
        controls: None,
        absorbed: &absorbed,
        weights: weight.as_deref(),
    };
    let mut kept = Vec::new();
    let mut messages = Vec::new();
    for (j, kind) in classify_beside(&columns, &given)?.into_iter().enumerate() {
        match kind {
            Column::Fitted => kept.push(j),
            // A level without held-out rows is nothing to tell.
            Column::Constant => {}
            _ => messages.push(format!(
                "control `{}` follows from the others on the held-out texts and is left out",
                all[j].0
            )),
        }
    }
    Ok((columns.select(&kept), messages))
}

/// What a column of controls is made of.
enum Source<'a> {
    Numbers(Vec<f64>),
    /// 1 where a factor has this level.
    Level(&'a Factor, u32),
}

impl Source<'_> {
    fn value(&self, row: usize) -> f64 {
        match self {
            Self::Numbers(values) => values[row],
            Self::Level(factor, level) => f64::from(u8::from(factor.of_row[row] == *level)),
        }
    }
}

/// A column of 0 and 1 for every level but the first that occurs.
fn dummies(factor: &Factor) -> Vec<(String, Source<'_>)> {
    let mut occurs = vec![false; factor.levels.len()];
    factor.of_row.iter().for_each(|&level| occurs[level as usize] = true);
    let levels = (0..).zip(&factor.levels).filter(|(level, _)| occurs[*level as usize]).skip(1);
    let column = |(level, name)| (format!("{}: {name}", factor.name), Source::Level(factor, level));
    levels.map(column).collect()
}
