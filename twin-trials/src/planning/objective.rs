//! Objectives: what counts as good, and how the doubt about it is weighed.

use super::sums::mean;
use crate::statistics::{finite, open_unit, quantile};
use crate::{Endpoint, Outcome, TrialError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Whether much or little is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// The more, the better.
    Most,
    /// The less, the better.
    Least,
}

impl Sense {
    /// `value` such that more is better.
    #[must_use]
    pub fn gain(self, value: f64) -> f64 {
        match self {
            Self::Most => value,
            Self::Least => -value,
        }
    }
}

/// How the draws of one number become one number. What is worse follows from the [`Sense`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Risk {
    /// The mean of all draws.
    Expectation,
    /// The value that this share of the draws, strictly between 0 and 1, does better than: at 0.9 the tenth of worst draws begins there.
    Quantile(f64),
    /// The mean of the worst draws that are left when this share, strictly between 0 and 1, of the better ones is put aside: at 0.9 the mean
    /// of the worst tenth. It is called superquantile or conditional value at risk (Rockafellar and Uryasev 2002,
    /// doi:10.1016/S0378-4266(02)00271-6); the draw at the border counts with the part of it that belongs to the tail.
    Superquantile(f64),
}

impl Risk {
    /// The one number that `values` come to.
    ///
    /// ```
    /// use twin_trials::planning::{Risk, Sense};
    /// let losses = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
    /// assert_eq!(Risk::Superquantile(0.8).of(&losses, Sense::Least)?, 9.5);
    /// assert_eq!(Risk::Superquantile(0.8).of(&losses, Sense::Most)?, 1.5);
    /// # Ok::<(), twin_trials::TrialError>(())
    /// ```
    ///
    /// # Errors
    /// [`TrialError::Empty`] or [`TrialError::NotFinite`] for draws, [`TrialError::OutOfRange`] for a share, that have no meaning.
    pub fn of(self, values: &[f64], sense: Sense) -> Result<f64, TrialError> {
        finite("draw", values)?;
        match self {
            Self::Expectation => Ok(mean(values)),
            Self::Quantile(share) => {
                let share = open_unit("share of a quantile", share)?;
                quantile(values, if sense == Sense::Least { share } else { 1.0 - share })
            }
            Self::Superquantile(share) => {
                let share = open_unit("share of a superquantile", share)?;
                let mut losses: Vec<f64> = values.iter().map(|value| -sense.gain(*value)).collect();
                losses.sort_by(|a, b| b.total_cmp(a));
                Ok(-sense.gain(worst_mean(&losses, 1.0 - share)))
            }
        }
    }

    /// What each draw contributes: the mean of these is [`of`](Self::of) up to rounding for an expectation, and to the first order else.
    /// Their spread over the root of their number is the standard error of it.
    pub(crate) fn contributions(self, values: &[f64], sense: Sense) -> Result<Vec<f64>, TrialError> {
        let whole = self.of(values, sense)?;
        Ok(match self {
            Self::Expectation => values.to_vec(),
            Self::Superquantile(share) => {
                let border = -sense.gain(Self::Quantile(share).of(values, sense)?);
                let tail = |value: &f64| -sense.gain(border + (-sense.gain(*value) - border).max(0.0) / (1.0 - share));
                values.iter().map(tail).collect()
            }
            Self::Quantile(share) => {
                // The slope of the quantile function between two shares a root of the number of draws apart (Siddiqui 1960).
                let width = (1.0 / (values.len() as f64).sqrt()).min(0.9 * share).min(0.9 * (1.0 - share));
                let (low, high) =
                    (Self::Quantile(share - width).of(values, sense)?, Self::Quantile(share + width).of(values, sense)?);
                let slope = (high - low) / (2.0 * width);
                let worse = |value: &f64| if sense.gain(*value) < sense.gain(whole) { 1.0 } else { 0.0 };
                values.iter().map(|value| whole + slope * (worse(value) - (1.0 - share))).collect()
            }
        })
    }
}

/// The mean of the first `share` of `sorted`, the last of them in part.
fn worst_mean(sorted: &[f64], share: f64) -> f64 {
    let weight = share * sorted.len() as f64;
    let (mut left, mut sum) = (weight, 0.0);
    for value in sorted {
        let part = left.min(1.0);
        // a part below rounding is none
        if part <= 1e-9 {
            break;
        }
        sum += part * value;
        left -= part;
    }
    sum / (weight - left.max(0.0))
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expectation => write!(f, "mean"),
            Self::Quantile(share) => write!(f, "value that {} % of draws better", share * 100.0),
            Self::Superquantile(share) => write!(f, "mean of the worst {:.3} %", (1.0 - share) * 100.0),
        }
    }
}

/// What is sought: an endpoint, whether much or little of it is wanted, and how doubt is weighed.
///
/// An endpoint in time counts with the time of its event or, if that did not come, with the horizon: a time restricted to the horizon.
#[derive(Clone)]
pub struct Objective {
    /// What is looked at.
    pub endpoint: Arc<dyn Endpoint>,
    /// Whether much or little of it is wanted.
    pub sense: Sense,
    /// How the draws become one number.
    pub risk: Risk,
}

impl fmt::Debug for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objective({:?} {}, {})", self.sense, self.endpoint.name(), self.risk)
    }
}

impl Objective {
    /// As much of `endpoint` as can be expected.
    #[must_use]
    pub fn most(endpoint: impl Endpoint + 'static) -> Self {
        Self { endpoint: Arc::new(endpoint), sense: Sense::Most, risk: Risk::Expectation }
    }

    /// As little of `endpoint` as can be expected.
    #[must_use]
    pub fn least(endpoint: impl Endpoint + 'static) -> Self {
        Self { endpoint: Arc::new(endpoint), sense: Sense::Least, risk: Risk::Expectation }
    }

    /// The same, with doubt weighed by `risk`.
    #[must_use]
    pub fn at(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }
}

/// A chance constraint: what must hold in a large enough share of the draws.
#[derive(Clone)]
pub struct Chance {
    /// Its name.
    pub name: String,
    /// What is looked at.
    pub endpoint: Arc<dyn Endpoint>,
    /// Whether it must be at least ([`Sense::Most`]) or at most ([`Sense::Least`]) the bound.
    pub sense: Sense,
    /// The bound.
    pub bound: f64,
    /// The share of draws in which it must hold, from 0 to 1.
    pub share: f64,
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chance({}: {} {:?} {} in {})", self.name, self.endpoint.name(), self.sense, self.bound, self.share)
    }
}

impl Chance {
    /// `endpoint` is at most `bound` in at least `share` of the draws.
    #[must_use]
    pub fn at_most(name: impl Into<String>, endpoint: impl Endpoint + 'static, bound: f64, share: f64) -> Self {
        Self { name: name.into(), endpoint: Arc::new(endpoint), sense: Sense::Least, bound, share }
    }

    /// `endpoint` is at least `bound` in at least `share` of the draws.
    #[must_use]
    pub fn at_least(name: impl Into<String>, endpoint: impl Endpoint + 'static, bound: f64, share: f64) -> Self {
        Self { name: name.into(), endpoint: Arc::new(endpoint), sense: Sense::Most, bound, share }
    }

    /// The share of `values` within the bound.
    #[must_use]
    pub fn kept(&self, values: &[f64]) -> f64 {
        let holds = |value: &&f64| self.sense.gain(**value) >= self.sense.gain(self.bound);
        values.iter().filter(holds).count() as f64 / values.len() as f64
    }
}

/// The number of an outcome on a course that was followed for `horizon` days; `None` where it has none: not evaluable, or followed for
/// less than the horizon without the event.
pub(crate) fn number(outcome: Outcome, horizon: f64) -> Option<f64> {
    match outcome {
        Outcome::Event(value) | Outcome::Value(value) => Some(value),
        Outcome::Censored(day) if day >= horizon * (1.0 - 1e-9) => Some(day),
        Outcome::Censored(_) | Outcome::NotEvaluable => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn superquantile_of_a_normal() {
        let n = 100_000;
        let normal = Normal::standard();
        let draws: Vec<f64> = (0..n).map(|k| normal.inverse_cdf((f64::from(k) + 0.5) / f64::from(n))).collect();
        for (share, expected) in [(0.8, 1.399_81), (0.9, 1.754_98), (0.95, 2.062_71), (0.99, 2.665_21)] {
            let found = Risk::Superquantile(share).of(&draws, Sense::Least).unwrap();
            assert!((found - expected).abs() < 1e-3, "{share}: {found}");
            let other = Risk::Superquantile(share).of(&draws, Sense::Most).unwrap();
            assert!((found + other).abs() < 1e-9);
        }
    }

    #[test]
    fn the_draw_at_the_border_counts_in_part() {
        // the worst 30 % of four draws: one whole and a fifth of the next
        let found = Risk::Superquantile(0.7).of(&[1.0, 2.0, 3.0, 4.0], Sense::Least).unwrap();
        assert!((found - (4.0 + 0.2 * 3.0) / 1.2).abs() < 1e-12, "{found}");
    }

    #[test]
    fn contributions_have_the_right_mean_and_spread() {
        let n = 4000;
        let draws: Vec<f64> = (0..n).map(|k| Normal::standard().inverse_cdf((f64::from(k) + 0.5) / f64::from(n))).collect();
        // standard deviations of the estimators, times the root of n: quantile √(p (1-p)) / φ(z); superquantile by its own integral
        for (risk, spread) in
            [(Risk::Expectation, 1.0), (Risk::Quantile(0.9), 0.3 / 0.175_498), (Risk::Superquantile(0.5), 1.167_6)]
        {
            let parts = risk.contributions(&draws, Sense::Least).unwrap();
            let (center, whole) = (mean(&parts), risk.of(&draws, Sense::Least).unwrap());
            assert!((center - whole).abs() < 2e-3, "{risk}: {center} {whole}");
            let sd = (parts.iter().map(|part| (part - center).powi(2)).sum::<f64>() / f64::from(n)).sqrt();
            assert!((sd / spread - 1.0).abs() < 0.2, "{risk}: {sd}");
        }
    }

    #[test]
    fn shares_without_meaning_are_refused() {
        for share in [0.0, 1.0, f64::NAN, -0.5] {
            assert!(Risk::Superquantile(share).of(&[1.0, 2.0], Sense::Most).is_err(), "{share}");
        }
        assert!(Risk::Expectation.of(&[], Sense::Most).is_err());
        assert!(Risk::Expectation.of(&[f64::NAN], Sense::Most).is_err());
    }
}
