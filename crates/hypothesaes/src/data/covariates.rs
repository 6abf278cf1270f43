//! What stands beside text and target: weights, controls, strata, exposure.

use serde::{Deserialize, Serialize};

use super::DataOptions;
use super::choose::Chosen;
use super::names::clip;
use super::row::Row;
use super::target::{Targets, Value};
use crate::error::Place;
use crate::{Error, Result};

/// One entry per kept row in every part that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Covariates {
    /// Above 0.
    pub weight: Option<Vec<f64>>,
    /// Above 0: what a count is divided by.
    pub exposure: Option<Vec<f64>>,
    pub controls: Vec<Control>,
    /// Factors with many levels, absorbed rather than expanded.
    pub fixed_effects: Vec<Factor>,
    pub strata: Option<Factor>,
}

/// A column that is held constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    Numeric { name: String, values: Vec<f64> },
    Categorical(Factor),
}

/// A column of categories.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Factor {
    pub name: String,
    /// Their names: numbers by size, then words by the alphabet.
    pub levels: Vec<String>,
    /// Level of every row.
    pub of_row: Vec<u32>,
}

impl Covariates {
    /// Nothing beside text and target.
    pub const NONE: &'static Self = &Self {
        weight: None,
        exposure: None,
        controls: Vec::new(),
        fixed_effects: Vec::new(),
        strata: None,
    };

    /// Whether there is nothing of the kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those of these rows, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        let numbers = |values: &Vec<f64>| rows.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let control = |control: &Control| match control {
            Control::Numeric { name, values } => {
                Control::Numeric { name: name.clone(), values: numbers(values) }
            }
            Control::Categorical(factor) => Control::Categorical(factor.gather(rows)),
        };
        Self {
            weight: self.weight.as_ref().map(numbers),
            exposure: self.exposure.as_ref().map(numbers),
            controls: self.controls.iter().map(control).collect(),
            fixed_effects: self.fixed_effects.iter().map(|f| f.gather(rows)).collect(),
            strata: self.strata.as_ref().map(|f| f.gather(rows)),
        }
    }
}

impl Control {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Numeric { name, .. } | Self::Categorical(Factor { name, .. }) => name,
        }
    }
}

/// A numeric control with a standard deviation of 1 and, but for pairs, a mean of 0: which changes
/// no effect, but keeps numbers of any size apart.
pub(crate) fn standardised(values: &[f64], is_paired: bool) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = if is_paired { 0.0 } else { values.iter().sum::<f64>() / n };
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if spread > 0.0 { spread } else { 1.0 };
    values.iter().map(|v| (v - mean) / scale).collect()
}

impl Factor {
    fn gather(&self, rows: &[usize]) -> Self {
        let of_row = rows.iter().map(|&i| self.of_row[i]).collect();
        Self { of_row, name: self.name.clone(), levels: self.levels.clone() }
    }
}

/// The covariates of the rows read so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    weight: Option<Vec<f64>>,
    exposure: Option<Vec<f64>>,
    controls: Vec<Targets>,
    fixed_effects: Vec<Targets>,
    strata: Option<Targets>,
}

/// The covariates of a row, understood but not kept yet.
pub(super) struct Beside<'a> {
    weight: Option<f64>,
    exposure: Option<f64>,
    values: Vec<Value<'a>>,
    places: Vec<usize>,
}

/// Why a row cannot be kept for its covariates.
pub(super) enum Lack {
    /// This column has no value.
    Missing(String),
    /// It weighs nothing.
    Weightless,
}

impl Reading {
    pub fn new(options: &DataOptions) -> Self {
        let some = |names: &[String]| names.iter().map(|_| Targets::default()).collect();
        Self {
            weight: options.weight.is_some().then(Vec::new),
            exposure: options.exposure.is_some().then(Vec::new),
            controls: some(&options.controls),
            fixed_effects: some(&options.fixed_effects),
            strata: options.strata.is_some().then(Targets::default),
        }
    }

    /// Understands the covariates of a row.
    ///
    /// # Errors
    /// The column and what is wrong with its value.
    pub fn understand<'a>(
        row: &'a Row,
        chosen: &Chosen,
    ) -> Result<Result<Beside<'a>, Lack>, (usize, String)> {
        let roles = &chosen.roles;
        let name = |place: usize| chosen.columns[place].name.clone();
        let number = |place: Option<usize>, least: &str, fits: fn(f64) -> bool| {
            let Some(place) = place else { return Ok(Ok(None)) };
            match Value::of(&row.cells[place]).map_err(|e| (place, e))? {
                Value::Missing => Ok(Err(Lack::Missing(name(place)))),
                Value::Number(v) if fits(v) => Ok(Ok(Some(v))),
                Value::Number(v) => Err((place, format!("is {v}; it must be {least}"))),
                Value::Word(word) => Err((place, format!("`{}` is not a number", clip(&word)))),
            }
        };
        let weight = match number(roles.weight, "0 or more", |v| v >= 0.0)? {
            Err(lack) => return Ok(Err(lack)),
            Ok(Some(0.0)) => return Ok(Err(Lack::Weightless)),
            Ok(weight) => weight,
        };
        let exposure = match number(roles.exposure, "above 0", |v| v > 0.0)? {
            Err(lack) => return Ok(Err(lack)),
            Ok(exposure) => exposure,
        };
        let places: Vec<usize> = roles.categories().collect();
        let mut values = Vec::with_capacity(places.len());
        for &place in &places {
            match Value::of(&row.cells[place]).map_err(|e| (place, e))? {
                Value::Missing => return Ok(Err(Lack::Missing(name(place)))),
                value => values.push(value),
            }
        }
        Ok(Ok(Beside { weight, exposure, values, places }))
    }

    /// Keeps the covariates of a row.
    pub fn push(&mut self, beside: Beside, place: impl Fn(usize) -> Place) {
        let keep = |all: &mut Option<Vec<f64>>, value: Option<f64>| {
            if let (Some(all), Some(value)) = (all, value) {
                all.push(value);
            }
        };
        keep(&mut self.weight, beside.weight);
        keep(&mut self.exposure, beside.exposure);
        let columns = self.controls.iter_mut().chain(&mut self.fixed_effects);
        let columns = columns.chain(&mut self.strata);
        for ((column, value), at) in columns.zip(beside.values).zip(beside.places) {
            column.push(value, || place(at));
        }
    }

    /// What was read, once all of it is there; columns with one value are left out, and said.
    ///
    /// # Errors
    /// [`Error::Option`] for a control of pairs that is no number.
    pub fn finish(self, chosen: &Chosen) -> Result<(Covariates, Vec<String>)> {
        let roles = &chosen.roles;
        let mut notes = Vec::new();
        let controls = varying(self.controls, &roles.controls, chosen, "control", &mut notes);
        let fixed = &roles.fixed_effects;
        let fixed = varying(self.fixed_effects, fixed, chosen, "fixed effect", &mut notes);
        let at: Vec<usize> = roles.strata.into_iter().collect();
        let strata = self.strata.into_iter().collect();
        let strata = varying(strata, &at, chosen, "strata column", &mut notes);
        let factor = |(column, name): (Targets, String)| column.factor(&name);
        let control = |(column, name): (Targets, String)| match column.numbers() {
            Some(values) => Ok(Control::Numeric { name, values }),
            None if roles.text_b.is_none() => Ok(Control::Categorical(column.factor(&name))),
            None => {
                let why = "a control of pairs is a number that says how the first text differs \
                           from the second, and this holds words";
                Err(Error::option("controls", name, why))
            }
        };
        let covariates = Covariates {
            weight: self.weight,
            exposure: self.exposure,
            controls: controls.into_iter().map(control).collect::<Result<_>>()?,
            fixed_effects: fixed.into_iter().map(factor).collect(),
            strata: strata.into_iter().map(factor).next(),
        };
        Ok((covariates, notes))
    }
}

/// The columns with more than one value, by name; a note for each of the others.
fn varying(
    columns: Vec<Targets>,
    places: &[usize],
    chosen: &Chosen,
    what: &str,
    notes: &mut Vec<String>,
) -> Vec<(Targets, String)> {
    let mut kept = Vec::new();
    for (column, &at) in columns.into_iter().zip(places) {
        let name = chosen.columns[at].name.clone();
        match column.only_value() {
            Some(value) => {
                let value = clip(&value);
                notes.push(format!("{what} `{name}` is `{value}` in every row, and so left out"));
            }
            None => kept.push((column, name)),
        }
    }
    kept
}
