//! Whether two raters, such as a model and a human, say the same of the same texts.
//!
//! In go their answers, out come the raw agreement, Cohen's kappa and, taking the second rater's
//! word for the truth, sensitivity and specificity, all with intervals. Texts without an answer of
//! either rater count nowhere.

use crate::error::{Error, Result};
use crate::estimate::{Estimate, Level, normal_p};
use crate::proportions::{Share, proportion};

/// How many texts the first rater put into category `r` and the second into `c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crosstab {
    categories: usize,
    counts: Vec<usize>,
}

/// Agreement of a machine with a human about yes and no; what has no cases is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct YesNo {
    /// Texts that both answered.
    pub n: usize,
    /// Share of equal answers, with Wilson's interval.
    pub agreement: Option<Estimate>,
    /// Cohen's kappa, see [`kappa`].
    pub kappa: Option<Estimate>,
    /// Prevalence-adjusted, bias-adjusted kappa, see [`adjusted_kappa`].
    pub adjusted_kappa: Option<Estimate>,
    /// Share of the human's yes that the machine found.
    pub sensitivity: Option<Estimate>,
    /// Share of the human's no that the machine left out.
    pub specificity: Option<Estimate>,
    /// Share of the machine's yes that the human confirms.
    pub precision: Option<Estimate>,
}

impl Crosstab {
    /// Counts answers in `0..categories`, missing ones skipped. O(n + categories^2).
    ///
    /// # Errors
    /// [`Error::Shape`] if the raters have not answered about the same texts; [`Error::Option`]
    /// for an answer outside the range.
    pub fn new(
        first: &[Option<usize>],
        second: &[Option<usize>],
        categories: usize,
    ) -> Result<Self> {
        Error::check_len("second", second.len(), first.len())?;
        let mut counts = vec![0; categories * categories];
        for (a, b) in first.iter().zip(second) {
            if let Some(answer) = [a, b].into_iter().flatten().find(|a| **a >= categories) {
                return Err(Error::option("category", answer, format!("below {categories}")));
            }
            if let (Some(a), Some(b)) = (a, b) {
                counts[a * categories + b] += 1;
            }
        }
        Ok(Self { categories, counts })
    }

    /// Texts that both raters answered.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    fn count(&self, first: usize, second: usize) -> usize {
        self.counts[first * self.categories + second]
    }

    fn share(&self, first: usize, second: usize) -> f64 {
        self.count(first, second) as f64 / self.total() as f64
    }

    fn equal(&self) -> Share {
        let successes = (0..self.categories).map(|c| self.count(c, c)).sum();
        Share { successes, trials: self.total() }
    }

    /// Shares of the categories with either rater.
    fn margins(&self) -> (Vec<f64>, Vec<f64>) {
        let all = 0..self.categories;
        let of = |share: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            all.clone().map(|c| all.clone().map(|other| share(c, other)).sum()).collect()
        };
        (of(&|c, other| self.share(c, other)), of(&|c, other| self.share(other, c)))
    }
}

/// Compares yes and no; see [`YesNo`].
///
/// # Errors
/// [`Error::Shape`] if the two have not answered about the same texts.
pub fn yes_no(machine: &[Option<bool>], human: &[Option<bool>], level: Level) -> Result<YesNo> {
    let code = |answers: &[Option<bool>]| -> Vec<Option<usize>> {
        answers.iter().map(|a| a.map(usize::from)).collect()
    };
    let table = Crosstab::new(&code(machine), &code(human), 2)?;
    let share = |successes: usize, failures: usize| {
        proportion(Share { successes, trials: successes + failures }, level)
    };
    Ok(YesNo {
        n: table.total(),
        agreement: agreement(&table, level),
        kappa: kappa(&table, level),
        adjusted_kappa: adjusted_kappa(&table, level),
        sensitivity: share(table.count(1, 1), table.count(0, 1)),
        specificity: share(table.count(0, 0), table.count(1, 0)),
        precision: share(table.count(1, 1), table.count(1, 0)),
    })
}

/// Share of equal answers with Wilson's interval; `None` without texts.
#[must_use]
pub fn agreement(table: &Crosstab, level: Level) -> Option<Estimate> {
    proportion(table.equal(), level)
}

/// Kappa as it were if all categories were equally frequent with both raters,
/// `(c a - 1) / (c - 1)` for an agreement `a` among c categories, with the interval of `a`.
///
/// Source: Byrt, Bishop, Carlin (1993), Bias, prevalence and kappa, J. Clin. Epidemiol. 46.
#[must_use]
pub fn adjusted_kappa(table: &Crosstab, level: Level) -> Option<Estimate> {
    let c = table.categories as f64;
    let raw = agreement(table, level).filter(|_| table.categories > 1)?;
    let scaled = |a: f64| (c * a - 1.0) / (c - 1.0);
    let (conf_low, conf_high) = (raw.conf_low.map(scaled), raw.conf_high.map(scaled));
    Some(Estimate { conf_low, conf_high, ..Estimate::bare(scaled(raw.value)) })
}

/// Cohen's kappa: the agreement beyond chance, relative to the most there could be.
///
/// ```text
/// k = (a - e) / (1 - e),   a = sum_c p_cc,   e = sum_c p_c. p_.c
/// n var k (1 - e)^4 = sum_c p_cc ((1 - e) - (p_c. + p_.c)(1 - a))^2
///                   + (1 - a)^2 sum_{r != c} p_rc (p_.r + p_c.)^2 - (a e - 2 e + a)^2
/// ```
///
/// The test is against k = 0 with the variance that holds there, so `statistic` is not the value
/// over its standard error. The interval stays within -1 and 1. Where the variance is 0 because
/// all answers agree, it is Wilson's interval of `a`, at the `e` that was found. A rater with a
/// single answer agrees with nobody beyond chance: kappa is 0, of unknown error. `None` if both
/// gave the same single answer.
///
/// Source: Fleiss, Cohen, Everitt (1969), Large sample standard errors of kappa, Psychol. Bull. 72.
#[must_use]
pub fn kappa(table: &Crosstab, level: Level) -> Option<Estimate> {
    let (rows, columns) = table.margins();
    let chance: f64 = rows.iter().zip(&columns).map(|(r, c)| r * c).sum();
    let single = |margin: &[f64]| margin.iter().filter(|p| **p > 0.0).count() < 2;
    match (single(&rows), single(&columns)) {
        (true, true) if table.total() == 0 || chance > 0.5 => return None,
        (false, false) => {}
        _ => return Some(Estimate::bare(0.0)),
    }
    let share = table.equal();
    let equal = share.successes as f64 / share.trials as f64;
    let value = (equal - chance) / (1.0 - chance);
    let (own, null) = kappa_errors(table, equal, chance);
    let statistic = Some(value / null).filter(|z| z.is_finite());
    let tested = Estimate { statistic, p_value: statistic.map(normal_p), ..Estimate::bare(value) };
    let (low, high) = if own > 0.0 {
        let half = level.normal_quantile() * own;
        (value - half, value + half)
    } else {
        let raw = agreement(table, level)?;
        let scaled = |a: Option<f64>| a.map_or(value, |a| (a - chance) / (1.0 - chance));
        (scaled(raw.conf_low), scaled(raw.conf_high))
    };
    let (conf_low, conf_high) = (Some(low.max(-1.0)), Some(high.min(1.0)));
    Some(Estimate { std_error: Some(own), conf_low, conf_high, ..tested })
}

/// Standard errors of kappa: around its value, and if it were 0.
fn kappa_errors(table: &Crosstab, equal: f64, chance: f64) -> (f64, f64) {
    let (rows, columns) = table.margins();
    let n = table.total() as f64;
    let (mut diagonal, mut beside, mut null) = (0.0, 0.0, 0.0);
    for r in 0..table.categories {
        let both = rows[r] + columns[r];
        diagonal += table.share(r, r) * ((1.0 - chance) - both * (1.0 - equal)).powi(2);
        null += rows[r] * columns[r] * both;
        for c in (0..table.categories).filter(|c| *c != r) {
            beside += table.share(r, c) * (columns[r] + rows[c]).powi(2);
        }
    }
    let last = (equal * chance - 2.0 * chance + equal).powi(2);
    let own = (diagonal + (1.0 - equal).powi(2) * beside - last).max(0.0);
    // With full agreement the terms cancel; what rounding leaves is no error.
    let own = if equal == 1.0 { 0.0 } else { own.sqrt() / ((1.0 - chance).powi(2) * n.sqrt()) };
    let null = (chance + chance * chance - null).max(0.0).sqrt() / ((1.0 - chance) * n.sqrt());
    (own, null)
}
