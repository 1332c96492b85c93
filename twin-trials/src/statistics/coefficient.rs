//! What a regression says of one coefficient.

use super::{normal_deviate, open_unit};
use crate::TrialError;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// An estimated coefficient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// Its name.
    pub name: String,
    /// Its estimate: a log hazard ratio in a Cox or Fine-Gray regression, a log ratio of times in an accelerated one.
    pub estimate: f64,
    /// Its standard error; the robust one where that was asked for.
    pub standard_error: f64,
}

impl Coefficient {
    /// The exponential of the estimate: a hazard ratio, or a ratio of times.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.estimate.exp()
    }

    /// The confidence interval of the estimate, by the normal law, at `level` between 0 and 1.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a level not strictly between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<(f64, f64), TrialError> {
        let half_width = normal_deviate(open_unit("confidence level", level)?) * self.standard_error;
        Ok((self.estimate - half_width, self.estimate + half_width))
    }

    /// The confidence interval of the ratio.
    ///
    /// # Errors
    /// As [`Coefficient::interval`].
    pub fn ratio_interval(&self, level: f64) -> Result<(f64, f64), TrialError> {
        self.interval(level).map(|(lower, upper)| (lower.exp(), upper.exp()))
    }

    /// The estimate over its standard error.
    #[must_use]
    pub fn z(&self) -> f64 {
        self.estimate / self.standard_error
    }

    /// The probability of an estimate at least this far from 0 in either direction if the true one is 0 (Wald).
    #[must_use]
    pub fn p_value(&self) -> f64 {
        2.0 * Normal::standard().sf(self.z().abs())
    }
}

/// The coefficient called `name`.
pub(super) fn find<'a>(coefficients: &'a [Coefficient], name: &str) -> Result<&'a Coefficient, TrialError> {
    coefficients.iter().find(|coefficient| coefficient.name == name).ok_or_else(|| TrialError::UnknownName {
        name: name.to_owned(),
        known: coefficients.iter().map(|coefficient| coefficient.name.clone()).collect(),
    })
}
