//! What a regression is asked to do, and the checks of what goes in.

use super::absorb::Factor;
use super::clustered::Clusters;
use super::inference::Inference;
use super::{Columns, Design, Fit, Model, fitting, inference};
use crate::error::{Error, Result};
use crate::estimate::Level;

/// How to fit and to judge.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    pub model: Model,
    /// Whether there is an intercept. Pairs have none; absorbed factors stand for it.
    pub intercept: bool,
    /// Weight of every row, 0 or more: sampling or analytic weights, whose scale changes nothing.
    pub weights: Option<&'a [f64]>,
    /// What is added to the linear predictor, such as the log of an exposure.
    pub offset: Option<&'a [f64]>,
    /// Which rows belong together.
    pub clusters: Option<&'a [u32]>,
    /// Factors of many levels that are taken out of all columns.
    pub absorbed: &'a [&'a [u32]],
    /// How many columns, the first ones, are tested; the others are controls.
    pub tested: usize,
    pub level: Level,
    /// Of the bootstrap.
    pub seed: u64,
}

impl Setup<'_> {
    /// `tested` columns beside an intercept, all rows alike and independent.
    #[must_use]
    pub fn new(model: Model, tested: usize, level: Level) -> Self {
        Self {
            model,
            intercept: true,
            weights: None,
            offset: None,
            clusters: None,
            absorbed: &[],
            tested,
            level,
            seed: 0,
        }
    }

    /// Fits the columns and judges the tested ones, `y` having an entry per row. See [`Inference`].
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`], and [`Error::Data`] for what cannot be fitted.
    pub fn infer(&self, columns: &Columns, y: &[f64]) -> Result<Inference> {
        inference::judge(&Data::new(self, columns, y)?)
    }

    /// Fits the columns, and judges nothing.
    ///
    /// # Errors
    /// As [`Self::infer`].
    pub fn fit(&self, columns: &Columns, y: &[f64]) -> Result<Fit> {
        Ok(fitting::fit(&Data::new(self, columns, y)?, None, None)?.fit)
    }
}

/// Checked data of a setup.
pub(super) struct Data<'a> {
    pub setup: &'a Setup<'a>,
    pub x: Design<'a>,
    pub y: &'a [f64],
    /// The rows' weights, scaled to add up to Kish's effective number of rows.
    pub weights: Vec<f64>,
    pub factors: Vec<Factor>,
    pub clusters: Option<Clusters>,
    /// Rows of weight above 0.
    pub rows: usize,
}

impl<'a> Data<'a> {
    pub fn new(setup: &'a Setup<'a>, columns: &'a Columns, y: &'a [f64]) -> Result<Self> {
        if setup.tested > columns.cols() {
            let allowed = format!("at most the number of columns, {}", columns.cols());
            return Err(Error::option("tested", setup.tested, allowed));
        }
        Error::check_len("column", columns.rows(), y.len())?;
        Error::check_finite("y", y)?;
        if let Some(offset) = setup.offset {
            Error::check_len("offset", offset.len(), y.len())?;
            Error::check_finite("offset", offset)?;
        }
        let weights = scaled(setup.weights, y.len())?;
        for factor in setup.absorbed {
            Error::check_len("absorbed", factor.len(), y.len())?;
        }
        Ok(Self {
            x: Design::with(columns, setup.intercept && setup.absorbed.is_empty()),
            factors: setup.absorbed.iter().map(|f| Factor::new(f)).collect(),
            clusters: clusters(setup.clusters, &weights)?,
            rows: weights.iter().filter(|w| **w > 0.0).count(),
            setup,
            y,
            weights,
        })
    }

    /// Whether column `j` of the design is judged: the intercept or a tested column.
    pub fn is_tested(&self, j: usize) -> bool {
        j < self.setup.tested + usize::from(self.x.has_intercept())
    }
}

fn clusters(codes: Option<&[u32]>, weights: &[f64]) -> Result<Option<Clusters>> {
    let Some(codes) = codes else { return Ok(None) };
    Error::check_len("clusters", codes.len(), weights.len())?;
    let clusters = Clusters::new(codes, weights);
    if clusters.len() < 2 {
        return Err(Error::Data(
            "all rows are in one cluster; leave the clusters out or take smaller ones".into(),
        ));
    }
    Ok(Some(clusters))
}

/// Weights `w sum(w) / sum(w^2)`: they add up to `sum(w)^2 / sum(w^2)`, whatever their scale.
///
/// Source: Kish (1965), Survey Sampling.
fn scaled(weights: Option<&[f64]>, rows: usize) -> Result<Vec<f64>> {
    let Some(weights) = weights else { return Ok(vec![1.0; rows]) };
    Error::check_len("weights", weights.len(), rows)?;
    Error::check_finite("weights", weights)?;
    if let Some(row) = weights.iter().position(|w| *w < 0.0) {
        let weight = weights[row];
        return Err(Error::Data(format!("the weight of row `{row}` is `{weight}`, below 0")));
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(Error::Data("all weights are 0".into()));
    }
    // Relative to the largest, so that no square overflows.
    let relative = || weights.iter().map(|w| w / largest);
    let scale = relative().sum::<f64>() / relative().map(|w| w * w).sum::<f64>();
    Ok(relative().map(|w| w * scale).collect())
}
