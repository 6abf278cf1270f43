//! What could have been found: the power of a test of one concept, and the smallest separation that
//! would have been seen.
//!
//! In go the number of texts, the concept's prevalence, what is known of the target, and the level
//! of the test after adjusting for the number of tests; out comes a chance, or a separation in the
//! target's unit.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{Error, Result};
use crate::estimate::Level;

/// Points at which the noncentral t distribution is summed; even.
const POINTS: usize = 2000;
/// How many of its standard deviations they reach to either side.
const REACH: f64 = 10.0;
/// Separations tried on the way to the largest that a target allows.
const GRID: usize = 200;
/// Halvings of an interval of separations.
const HALVINGS: usize = 60;

/// What is known of the target. Means are those of all texts, with and without the concept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Its standard deviation, beside whatever else explains it.
    Continuous { sd: f64 },
    /// The share of 1.
    Binary { mean: f64 },
    /// The mean, and the variance divided by it: 1 for Poisson counts.
    Count { mean: f64, dispersion: f64 },
}

/// A test of one concept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Study {
    pub texts: usize,
    /// Share of the texts of which the concept is true.
    pub prevalence: f64,
    /// Level of the two-sided test: see [`bonferroni`] for several.
    pub alpha: f64,
    /// How much larger the variance is than with independent texts: see [`design_effect`].
    pub design_effect: f64,
    /// With these the test has one degree of freedom less than there are clusters.
    pub clusters: Option<usize>,
}

/// The smallest separations that are seen with the asked power; `None` where even the largest that
/// the target allows is missed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smallest {
    /// Above 0.
    pub positive: Option<f64>,
    /// Below 0.
    pub negative: Option<f64>,
}

/// The level at which each of `tests` is held so that all together keep `alpha`. Holm's first step
/// is the same, so that this is the worst case there.
#[must_use]
pub fn bonferroni(alpha: f64, tests: usize) -> f64 {
    alpha / tests.max(1) as f64
}

/// `1 + (sum_g n_g^2 / n - 1) icc` for clusters of `sizes` texts whose targets correlate by `icc`.
///
/// That of a concept which is true of whole clusters or not at all; less for one that varies within
/// them. Source: Kish (1965), Survey Sampling.
#[must_use]
pub fn design_effect(sizes: &[usize], icc: f64) -> f64 {
    let n: f64 = sizes.iter().map(|s| *s as f64).sum();
    let squares: f64 = sizes.iter().map(|s| (*s as f64).powi(2)).sum();
    if n > 0.0 { (1.0 + (squares / n - 1.0) * icc).max(0.0) } else { 1.0 }
}

/// The chance that a two-sided test sees a separation `d`.
///
/// ```text
/// P(|T| > c),   T noncentral t with shift d / s,   s^2 = deff (v1 / n1 + v0 / n0)
/// ```
///
/// with `c` the quantile of the central t. A continuous target has v1 = v0 = sd^2 and n - 2
/// degrees of freedom, or clusters - 1. Shares and counts have the variances of their own means,
/// `m + (1 - prevalence) d` with and `m - prevalence d` without the concept, and the normal
/// distribution unless there are clusters.
///
/// Source: Cohen (1988), Statistical Power Analysis; as `TTestIndPower` and `normal_power_het` of
/// statsmodels.
///
/// # Errors
/// [`Error::Option`] for a number outside its range, also for a separation that the target does not
/// allow.
pub fn power(separation: f64, outcome: Outcome, study: &Study) -> Result<f64> {
    check(outcome, study)?;
    let [negative, positive] = outcome.largest(study.prevalence);
    if !(separation.is_finite() && -negative <= separation && separation <= positive) {
        let allowed = format!("from {} to {positive}", -negative);
        return Err(Error::option("separation", separation, allowed));
    }
    Ok(Test::new(outcome, study)?.power(separation))
}

/// The separations that are seen with this power, such as 0.8; found by halving. Of several, the
/// first from 0.
///
/// # Errors
/// [`Error::Option`] for a number outside its range.
pub fn smallest(power: f64, outcome: Outcome, study: &Study) -> Result<Smallest> {
    check(outcome, study)?;
    if !(power > study.alpha && power < 1.0) {
        return Err(Error::option("power", power, "above alpha and below 1"));
    }
    let test = Test::new(outcome, study)?;
    let [negative, positive] = outcome.largest(study.prevalence);
    if let Outcome::Continuous { .. } = outcome {
        // The error does not depend on the separation: either side, the first that is seen.
        let seen = |d: f64| test.power(d) >= power;
        let found = test.bracket(seen).map(|top| halve(0.5 * top, top, seen));
        return Ok(Smallest { positive: found, negative: found.map(|d| -d) });
    }
    let find = |sign: f64, top: f64| {
        let seen = |d: f64| test.power(sign * d) >= power;
        let first = (1..=GRID).map(|k| top * k as f64 / GRID as f64).find(|d| seen(*d))?;
        Some(sign * halve(first - top / GRID as f64, first, seen))
    };
    Ok(Smallest { positive: find(1.0, positive), negative: find(-1.0, negative) })
}

/// Between a separation that is missed and one that is seen.
fn halve(mut missed: f64, mut found: f64, seen: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(missed, found);
        if seen(middle) {
            found = middle;
        } else {
            missed = middle;
        }
    }
    found
}

impl Outcome {
    /// Largest separation below and above 0 that means within their range allow.
    fn largest(self, prevalence: f64) -> [f64; 2] {
        let (yes, no) = (prevalence, 1.0 - prevalence);
        match self {
            Self::Continuous { .. } => [f64::INFINITY; 2],
            Self::Binary { mean } => {
                [(mean / no).min((1.0 - mean) / yes), ((1.0 - mean) / no).min(mean / yes)]
            }
            Self::Count { mean, .. } => [mean / no, mean / yes],
        }
    }

    /// Variance of a text's target around this mean.
    fn variance(self, shift: f64) -> f64 {
        match self {
            Self::Continuous { sd } => sd * sd,
            Self::Binary { mean } => ((mean + shift) * (1.0 - mean - shift)).max(0.0),
            Self::Count { mean, dispersion } => (dispersion * (mean + shift)).max(0.0),
        }
    }
}

/// A study made ready.
struct Test<'a> {
    outcome: Outcome,
    study: &'a Study,
    critical: f64,
    /// Points of the root of a chi-squared variable over its degrees of freedom, with their
    /// weights; 1 alone for the normal distribution.
    scales: Vec<(f64, f64)>,
}

impl<'a> Test<'a> {
    fn new(outcome: Outcome, study: &'a Study) -> Result<Self> {
        let level = Level::new(1.0 - study.alpha)?;
        let df = match (study.clusters, outcome) {
            (Some(clusters), _) => Some(clusters as f64 - 1.0),
            (None, Outcome::Continuous { .. }) => Some(study.texts as f64 - 2.0),
            (None, _) => None,
        };
        let too_few = || Error::option("texts", study.texts, "3 or more");
        Ok(Self {
            outcome,
            study,
            critical: match df {
                Some(df) => level.student_quantile(df).ok_or_else(too_few)?,
                None => level.normal_quantile(),
            },
            scales: df.map_or(vec![(1.0, 1.0)], scales),
        })
    }

    fn power(&self, separation: f64) -> f64 {
        let error = self.std_error(separation);
        if error == 0.0 {
            return if separation == 0.0 { self.study.alpha } else { 1.0 };
        }
        let (normal, shift) = (Normal::standard(), separation / error);
        let beyond =
            |s: f64| normal.cdf(shift - self.critical * s) + normal.cdf(-shift - self.critical * s);
        self.scales.iter().map(|(s, weight)| weight * beyond(*s)).sum::<f64>().clamp(0.0, 1.0)
    }

    fn std_error(&self, separation: f64) -> f64 {
        let (n, yes) = (self.study.texts as f64, self.study.prevalence);
        let with = self.outcome.variance((1.0 - yes) * separation) / (n * yes);
        let without = self.outcome.variance(-yes * separation) / (n * (1.0 - yes));
        (self.study.design_effect * (with + without)).sqrt()
    }

    /// A separation that is seen, while half of it is not, by doubling.
    fn bracket(&self, seen: impl Fn(f64) -> bool) -> Option<f64> {
        let mut top = 1e-3 * self.std_error(0.0);
        (0..100).find_map(|_| {
            top *= 2.0;
            seen(top).then_some(top)
        })
    }
}

/// Points s and weights of the density of `sqrt(chi2_df / df)`, which is proportional to
/// `s^(df - 1) exp(-df s^2 / 2)`, by Simpson's rule.
fn scales(df: f64) -> Vec<(f64, f64)> {
    let reach = REACH / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let point = |k: usize| {
        let s = low + (high - low) * k as f64 / POINTS as f64;
        let simpson = match k {
            0 | POINTS => 1.0,
            k if k % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let power = if df == 1.0 { 0.0 } else { (df - 1.0) * s.ln() };
        (s, simpson * (power - 0.5 * df * (s - 1.0) * (s + 1.0)).exp())
    };
    let mut points: Vec<(f64, f64)> = (0..=POINTS).map(point).collect();
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut points {
        *weight /= total;
    }
    points
}

fn check(outcome: Outcome, study: &Study) -> Result<()> {
    let within = |name, value: f64, good: bool, allowed: &str| {
        if good && value.is_finite() { Ok(()) } else { Err(Error::option(name, value, allowed)) }
    };
    let between =
        |name, value: f64| within(name, value, value > 0.0 && value < 1.0, "above 0 and below 1");
    let positive = |name, value: f64| within(name, value, value > 0.0, "above 0");
    between("prevalence", study.prevalence)?;
    between("alpha", study.alpha)?;
    positive("design_effect", study.design_effect)?;
    if study.texts < 3 {
        return Err(Error::option("texts", study.texts, "3 or more"));
    }
    if let Some(clusters) = study.clusters.filter(|c| *c < 2) {
        return Err(Error::option("clusters", clusters, "2 or more"));
    }
    match outcome {
        Outcome::Continuous { sd } => positive("sd", sd),
        Outcome::Binary { mean } => between("mean", mean),
        Outcome::Count { mean, dispersion } => {
            positive("mean", mean)?;
            positive("dispersion", dispersion)
        }
    }
}
