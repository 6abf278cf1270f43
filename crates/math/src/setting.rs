//! What holds of every way to select: row weights, controls, an offset, pairs, neurons left out.

use crate::Activations;
use crate::controls::{Controls, Projection};
use crate::error::{Error, Result};

/// The setting in which neurons are scored or selected; by default nothing but an intercept.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// One weight per row, at least 0; without, every row counts 1.
    pub weights: Option<Vec<f64>>,
    /// What is partialled out, unpenalised.
    pub controls: Controls,
    /// Known part of the linear predictor, such as the logarithm of a count's exposure; of a
    /// squared loss and of scores it is taken off the target.
    pub offset: Option<Vec<f64>>,
    /// Whether there is an intercept, and columns are centred. False for pairs: rows are
    /// differences of two texts, columns are scaled by their root mean square, and swapping the
    /// two texts of any row changes no result.
    pub centred: bool,
    /// Neurons that are never selected and have no score.
    pub excluded: Vec<usize>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            weights: None,
            controls: Controls::default(),
            offset: None,
            centred: true,
            excluded: Vec::new(),
        }
    }
}

impl Setting {
    /// For pairs: rows are differences of two texts, see [`Setting::centred`].
    #[must_use]
    pub fn pairs() -> Self {
        Self { centred: false, ..Self::default() }
    }

    /// Whether everything has one entry per row of `z`, in its range.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`]; [`Error::Option`] for a negative weight or an
    /// excluded neuron that does not exist; [`Error::Data`] if no row has weight, or for factors
    /// beside pairs.
    pub fn check(&self, z: &Activations) -> Result<()> {
        let rows = z.rows();
        if let Some(weights) = &self.weights {
            Error::check_len("weights", weights.len(), rows)?;
            Error::check_finite("weights", weights)?;
            if let Some(w) = weights.iter().find(|w| **w < 0.0) {
                return Err(Error::option("weights", w, "at least 0"));
            }
            if weights.iter().all(|w| *w == 0.0) {
                return Err(Error::Data("every row has weight 0, give some a weight".into()));
            }
        }
        if let Some(offset) = &self.offset {
            Error::check_len("offset", offset.len(), rows)?;
            Error::check_finite("offset", offset)?;
        }
        self.controls.check(rows)?;
        if !self.centred && !self.controls.factors.is_empty() {
            let why = "pairs take numeric controls, as differences, but no factors";
            return Err(Error::Data(why.into()));
        }
        match self.excluded.iter().find(|j| **j >= z.neurons()) {
            Some(j) => Err(Error::option("excluded", j, format!("below {}", z.neurons()))),
            None => Ok(()),
        }
    }

    /// The weight of row `i`.
    #[must_use]
    pub fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// The setting of these rows, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        let of = |v: &Vec<f64>| rows.iter().map(|&i| v[i]).collect();
        Self {
            weights: self.weights.as_ref().map(of),
            controls: self.controls.gather(rows),
            offset: self.offset.as_ref().map(of),
            centred: self.centred,
            excluded: self.excluded.clone(),
        }
    }

    /// What takes the intercept and the controls out of a column of `rows` entries.
    pub(crate) fn projection(&self, rows: usize) -> Projection {
        let weights = (0..rows).map(|i| self.weight(i)).collect();
        Projection::new(weights, &self.controls, self.centred)
    }

    /// The target without the offset, once it is known to fit.
    pub(crate) fn target(&self, z: &Activations, y: &[f64]) -> Result<Vec<f64>> {
        Error::check_len("y", y.len(), z.rows())?;
        Error::check_finite("y", y)?;
        self.check(z)?;
        Ok(match &self.offset {
            Some(offset) => y.iter().zip(offset).map(|(y, o)| y - o).collect(),
            None => y.to_vec(),
        })
    }

    /// Whether the values of the rows that have weight are all one; of pairs, all 0.
    pub(crate) fn constant(&self, y: &[f64]) -> bool {
        let mut weighty = (0..y.len()).filter(|&i| self.weight(i) > 0.0).map(|i| y[i]);
        let first = if self.centred { weighty.next() } else { Some(0.0) };
        first.is_none_or(|first| weighty.all(|v| v == first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let z = Activations::from_dense(1, &[vec![1.0], vec![0.0]]).unwrap();
        let check = |setting: Setting, expected: &str| {
            assert_eq!(setting.check(&z).unwrap_err().to_string(), expected);
        };
        let weights = |w: &[f64]| Setting { weights: Some(w.to_vec()), ..Setting::default() };
        check(weights(&[1.0]), "`weights` has 1 entries, 2 expected");
        check(weights(&[1.0, -0.5]), "`weights` is -0.5, allowed: at least 0");
        check(weights(&[0.0, 0.0]), "every row has weight 0, give some a weight");
        let excluded = Setting { excluded: vec![1], ..Setting::default() };
        check(excluded, "`excluded` is 1, allowed: below 1");
        let factors = vec![vec![0, 1]];
        let controls = Controls { factors, ..Controls::default() };
        let message = "pairs take numeric controls, as differences, but no factors";
        check(Setting { controls: controls.clone(), ..Setting::pairs() }, message);
        Setting { controls, ..Setting::default() }.check(&z).unwrap();
    }

    #[test]
    fn a_constant_target_is_told_by_the_rows_that_count() {
        let of =
            |weights: &[f64]| Setting { weights: Some(weights.to_vec()), ..Setting::default() };
        assert!(of(&[1.0, 1.0, 0.0]).constant(&[2.0, 2.0, 3.0]));
        assert!(!of(&[1.0, 1.0, 1.0]).constant(&[2.0, 2.0, 3.0]));
        assert!(!Setting::pairs().constant(&[2.0, 2.0]));
        assert!(Setting::pairs().constant(&[0.0, 0.0]));
    }
}
