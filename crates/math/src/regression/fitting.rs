//! From checked data to a fit, whatever the model.

use std::borrow::Cow;

use super::absorb::Absorber;
use super::glm::{self, Family, Problem};
use super::setup::Data;
use super::{Columns, Design, Fit, Model, counts, least_squares};
use crate::error::{Error, Result};

/// A fit with the design that it used.
pub(super) struct Fitted<'a> {
    /// Within the levels of the absorbed factors, if there are any.
    pub x: Design<'a>,
    pub fit: Fit,
    /// The likelihood; `None` for least squares.
    pub family: Option<Family>,
    pub separated: Vec<usize>,
    /// Coefficients that the absorbed factors stand for.
    pub absorbed: usize,
    /// Total working weight of the levels of the first absorbed factor.
    pub totals: Vec<f64>,
    /// Rows that say something: of weight above 0 and, for counts, in levels that have any.
    pub rows: usize,
}

/// Fits all columns, or all but one.
pub(super) fn fit<'a>(
    data: &'a Data,
    leave: Option<usize>,
    start: Option<Vec<f64>>,
) -> Result<Fitted<'a>> {
    if !data.factors.is_empty() {
        return within(data, leave);
    }
    let shift = usize::from(data.x.has_intercept());
    let x = leave.map_or_else(|| data.x.clone(), |j| data.x.without(j + shift));
    let (fit, family, separated) = match data.setup.model {
        Model::LeastSquares => (least_squares(data, &x)?, None, Vec::new()),
        Model::NegativeBinomial => {
            let (found, alpha) = counts::negative_binomial(problem(data, &x, Family::Poisson))?;
            (found.fit, Some(counts::family(alpha)), found.separated)
        }
        Model::Logit | Model::Poisson => {
            let logit = data.setup.model == Model::Logit;
            let family = if logit { Family::Logit } else { Family::Poisson };
            let found = glm::fit(problem(data, &x, family), start)?;
            (found.fit, Some(family), found.separated)
        }
    };
    let (absorbed, totals, rows) = (0, Vec::new(), data.rows);
    Ok(Fitted { x, fit, family, separated, absorbed, totals, rows })
}

/// The likelihood of the data in a design.
pub(super) fn problem<'a>(data: &'a Data, x: &'a Design, family: Family) -> Problem<'a> {
    let (y, weights, offset) = (data.y, &data.weights, data.setup.offset);
    Problem { family, x, y, weights, offset }
}

fn least_squares(data: &Data, x: &Design) -> Result<Fit> {
    let mut fit = least_squares::weighted(x, &without_offset(data), data.weights.clone())?;
    if data.setup.offset.is_some() {
        with_offset(data, &mut fit);
    }
    Ok(fit)
}

/// The target of least squares: what the offset leaves of it.
pub(super) fn without_offset<'a>(data: &Data<'a>) -> Cow<'a, [f64]> {
    match data.setup.offset {
        None => Cow::Borrowed(data.y),
        Some(offset) => data.y.iter().zip(offset).map(|(y, o)| y - o).collect(),
    }
}

fn with_offset(data: &Data, fit: &mut Fit) {
    fit.fitted = data.y.iter().zip(&fit.residuals).map(|(y, e)| y - e).collect();
}

/// Fits within the levels of the absorbed factors.
fn within(data: &Data, leave: Option<usize>) -> Result<Fitted<'static>> {
    let all = (0..data.x.columns().cols()).filter(|j| Some(*j) != leave);
    let columns: Vec<Vec<f64>> = all.map(|j| data.x.columns().column(j)).collect();
    match data.setup.model {
        Model::LeastSquares => {
            let absorber = Absorber::new(&data.factors, &data.weights);
            let y = absorber.within_one(without_offset(data).into_owned())?;
            let x = Design::of(Columns::new(data.y.len(), &absorber.within(&columns)?)?);
            let mut fit = least_squares::weighted(&x, &y, data.weights.clone())?;
            with_offset(data, &mut fit);
            let (absorbed, totals) = (absorber.rank(), absorber.first_totals().to_vec());
            let (family, separated, rows) = (None, Vec::new(), data.rows);
            Ok(Fitted { x, fit, family, separated, absorbed, totals, rows })
        }
        Model::Poisson => counts::absorbed(data, &columns),
        Model::Logit => Err(Error::Data(
            "a logistic regression cannot absorb factors; use least squares on the 0/1 target \
             (the linear probability model), or fewer levels as columns"
                .into(),
        )),
        Model::NegativeBinomial => Err(Error::Data(
            "a negative binomial regression cannot absorb factors; use a Poisson one, whose \
             robust errors allow for overdispersion"
                .into(),
        )),
    }
}
