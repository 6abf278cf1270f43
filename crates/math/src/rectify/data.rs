//! What the correction takes, and whether it can be used.

use super::Link;
use crate::error::{Error, Result};

/// Fewest texts, annotated by hand, of which a concept is true, and of which it is not.
const FEWEST: usize = 2;

/// Annotations by machine and human, the target, and what else is known.
#[derive(Debug, Clone, Copy)]
pub struct Annotated<'a> {
    /// One column per concept, for every row 0 or 1; of pairs, the first text's minus the second's.
    pub machine: &'a [Vec<f64>],
    /// The same for the human, `None` where she did not look. Rows with an answer for every concept
    /// count as annotated.
    pub human: &'a [Vec<Option<f64>>],
    /// Columns without errors.
    pub controls: &'a [Vec<f64>],
    pub y: &'a [f64],
    /// Whether there is an intercept. Pairs have none.
    pub intercept: bool,
    /// Weight of every row, 0 or more; their scale changes nothing.
    pub weights: Option<&'a [f64]>,
    /// What is added to the linear predictor, such as the log of an exposure.
    pub offset: Option<&'a [f64]>,
    /// Rows of equal cluster are not independent.
    pub cluster: Option<&'a [usize]>,
    pub sampling: Sampling<'a>,
}

/// How the human's texts were chosen.
#[derive(Debug, Clone, Copy)]
pub enum Sampling<'a> {
    /// A number that was fixed beforehand, all texts alike.
    Random,
    /// Every text by itself with this chance, above 0 and at most 1.
    Chances(&'a [f64]),
}

impl Annotated<'_> {
    /// Which rows the human annotated for every concept.
    pub(super) fn gold(&self) -> Vec<bool> {
        (0..self.y.len()).map(|i| self.human.iter().all(|h| h[i].is_some())).collect()
    }

    /// `R_i / pi_i` of every row.
    pub(super) fn inverse_chances(&self, gold: &[bool]) -> Vec<f64> {
        let equal = gold.len() as f64 / gold.iter().filter(|g| **g).count() as f64;
        let of = |i: usize| match self.sampling {
            Sampling::Random => equal,
            Sampling::Chances(chances) => 1.0 / chances[i],
        };
        gold.iter().enumerate().map(|(i, gold)| if *gold { of(i) } else { 0.0 }).collect()
    }

    pub(super) fn check(&self, link: Link) -> Result<()> {
        let n = self.y.len();
        Error::check_finite("y", self.y)?;
        Error::check_len("human", self.human.len(), self.machine.len())?;
        Error::check_len("cluster", self.cluster.map_or(n, <[usize]>::len), n)?;
        for values in [self.weights, self.offset].into_iter().flatten() {
            Error::check_len("weights or offset", values.len(), n)?;
            Error::check_finite("weights or offset", values)?;
        }
        if let Some(weight) = self.weights.and_then(|w| w.iter().find(|w| **w < 0.0)) {
            return Err(Error::option("weight", weight, "0 or more"));
        }
        for column in self.machine.iter().chain(self.controls) {
            Error::check_len("column", column.len(), n)?;
            Error::check_finite("column", column)?;
        }
        for column in self.human {
            Error::check_len("human", column.len(), n)?;
            let given: Vec<f64> = column.iter().map(|v| v.unwrap_or(0.0)).collect();
            Error::check_finite("human", &given)?;
        }
        if let Sampling::Chances(chances) = self.sampling {
            Error::check_len("chances", chances.len(), n)?;
            if let Some(chance) = chances.iter().find(|c| !(**c > 0.0 && **c <= 1.0)) {
                return Err(Error::option("chance", chance, "above 0 and at most 1"));
            }
        }
        let fits = |y: f64| match link {
            Link::Identity => true,
            Link::Logit => y == 0.0 || y == 1.0,
            Link::Log => y >= 0.0,
        };
        match self.y.iter().find(|y| !fits(**y)) {
            Some(y) if link == Link::Logit => Err(Error::option("y", y, "0 or 1")),
            Some(y) => Err(Error::option("y", y, "0 or more")),
            None => self.check_gold(),
        }
    }

    fn check_gold(&self) -> Result<()> {
        let gold = self.gold();
        let count = gold.iter().filter(|g| **g).count();
        let needed = self.machine.len() + self.controls.len() + 3;
        if count < needed {
            return Err(Error::Data(format!(
                "`{count}` texts are annotated by hand, at least `{needed}` are needed; annotate more"
            )));
        }
        for (j, column) in self.human.iter().enumerate() {
            let yes =
                (0..gold.len()).filter(|&i| gold[i] && column[i].is_some_and(|v| v != 0.0)).count();
            if yes < FEWEST || count - yes < FEWEST {
                return Err(Error::Data(format!(
                    "concept `{j}` is true of `{yes}` of the `{count}` texts annotated by hand, too \
                     few or too many to correct its effect; leave it out or annotate more"
                )));
            }
        }
        Ok(())
    }
}
