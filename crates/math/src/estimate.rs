//! A number with what is known of its error, and the distributions that takes.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

use crate::error::{Error, Result};

/// A number estimated from data; what could not be estimated is `None`, never NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub std_error: Option<f64>,
    /// The value divided by its standard error, or the signed root of a likelihood ratio.
    pub statistic: Option<f64>,
    /// Degrees of freedom of the t distribution; `None` with a normal one.
    pub df: Option<f64>,
    /// Two-sided, against 0.
    pub p_value: Option<f64>,
    pub conf_low: Option<f64>,
    pub conf_high: Option<f64>,
}

/// Coverage of an interval, strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(f64);

impl Level {
    /// # Errors
    /// [`Error::Option`] if `level` is not strictly between 0 and 1.
    pub fn new(level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            Ok(Self(level))
        } else {
            Err(Error::option("conf_level", level, "above 0 and below 1"))
        }
    }

    /// The coverage.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// How many standard errors a normal interval reaches to each side.
    #[must_use]
    pub fn normal_quantile(self) -> f64 {
        -Normal::standard().inverse_cdf((1.0 - self.0) / 2.0)
    }

    /// The same for Student's t; `None` unless `df` is above 0.
    #[must_use]
    pub fn student_quantile(self, df: f64) -> Option<f64> {
        let (student, tail) = (student(df)?, (1.0 - self.0) / 2.0);
        let mut quantile = -student.inverse_cdf(tail);
        // The inverse is only good to 1e-4 for many degrees of freedom; Newton's steps mend that.
        for _ in 0..3 {
            quantile += (student.cdf(-quantile) - tail) / student.pdf(quantile);
        }
        quantile.is_finite().then_some(quantile)
    }
}

impl Estimate {
    /// A value of whose error nothing is known.
    #[must_use]
    pub fn bare(value: f64) -> Self {
        let none = None;
        Self {
            value,
            std_error: none,
            statistic: none,
            df: none,
            p_value: none,
            conf_low: none,
            conf_high: none,
        }
    }

    /// Tested and bounded by Student's t with `df` degrees of freedom.
    ///
    /// A standard error of 0 (the data fit exactly) gives p = 0, or 1 for a value of 0.
    #[must_use]
    pub fn student(value: f64, std_error: f64, df: f64, level: Level) -> Self {
        let p_value = |t| student_p(t, df);
        match level.student_quantile(df) {
            Some(quantile) => {
                let tested = Self::tested(value, std_error, quantile, p_value);
                Self { df: tested.std_error.map(|_| df), ..tested }
            }
            None => Self::bare(value),
        }
    }

    /// Tested and bounded by the normal distribution; otherwise as [`Self::student`].
    #[must_use]
    pub fn normal(value: f64, std_error: f64, level: Level) -> Self {
        Self::tested(value, std_error, level.normal_quantile(), |z| Some(normal_p(z)))
    }

    fn tested(
        value: f64,
        std_error: f64,
        quantile: f64,
        p_value: impl Fn(f64) -> Option<f64>,
    ) -> Self {
        if !(std_error >= 0.0 && std_error.is_finite()) {
            return Self::bare(value);
        }
        let statistic = Some(value / std_error).filter(|t| t.is_finite());
        let exact = if value == 0.0 { 1.0 } else { 0.0 };
        Self {
            value,
            std_error: Some(std_error),
            statistic,
            df: None,
            p_value: statistic.map_or(Some(exact), p_value),
            conf_low: Some(value - quantile * std_error),
            conf_high: Some(value + quantile * std_error),
        }
    }
}

/// Two-sided p-value of a standard normal statistic.
pub(crate) fn normal_p(z: f64) -> f64 {
    2.0 * Normal::standard().cdf(-z.abs())
}

/// Two-sided p-value of a t statistic; `None` unless `df` is above 0.
pub(crate) fn student_p(t: f64, df: f64) -> Option<f64> {
    student(df).map(|student| (2.0 * student.cdf(-t.abs())).min(1.0))
}

fn student(df: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, df).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_t_test_by_hand() {
        // With 1 degree of freedom t is Cauchy: P(|t| > 1) = 1/2, and its 95 % point is 12.7062.
        let got = Estimate::student(2.0, 2.0, 1.0, Level::new(0.95).unwrap());
        assert!((got.p_value.unwrap() - 0.5).abs() < 1e-14);
        assert!((got.conf_high.unwrap() - (2.0 + 2.0 * 12.706_204_736_174_7)).abs() < 1e-9);
        assert_eq!((got.statistic, got.df), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn an_exact_fit_is_certain() {
        let level = Level::new(0.9).unwrap();
        let check = |value: f64, p| {
            let got = Estimate::student(value, 0.0, 5.0, level);
            assert_eq!((got.p_value, got.statistic, got.conf_low), (Some(p), None, Some(value)));
        };
        check(3.0, 0.0);
        check(0.0, 1.0);
    }

    #[test]
    fn what_is_not_known_is_none() {
        let level = Level::new(0.95).unwrap();
        for (std_error, df) in [(f64::NAN, 5.0), (f64::INFINITY, 5.0), (1.0, 0.0), (1.0, f64::NAN)]
        {
            assert_eq!(Estimate::student(1.0, std_error, df, level), Estimate::bare(1.0));
        }
    }

    #[test]
    fn levels_lie_between_0_and_1() {
        for level in [0.0, 1.0, 95.0, f64::NAN] {
            assert!(Level::new(level).is_err(), "{level}");
        }
    }
}
