//! Time as days from the twin's origin, and spans between times.
//!
//! Calendar dates do not exist here: an adapter turns them into days and keeps the origin to itself.

use crate::CoreError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Neg, Sub};

/// The largest magnitude, in days, that is accepted at the door (about 2.7 million years).
const LIMIT_DAYS: f64 = 1e9;

fn checked(what: &'static str, days: f64) -> Result<f64, CoreError> {
    if !days.is_finite() {
        return Err(CoreError::NotFinite { what, value: days });
    }
    if days.abs() > LIMIT_DAYS {
        return Err(CoreError::OutOfRange { what, value: days, valid: "within 1e9 days of the origin" });
    }
    Ok(days + 0.0) // turns -0.0 into 0.0, so that equal times have equal bits
}

/// A moment, in days from the twin's origin. Always finite, totally ordered.
///
/// ```
/// use twin_core::{Span, Time};
/// let visit = Time::from_days(28.0)? + Span::from_weeks(2.0)?;
/// assert_eq!(visit.days(), 42.0);
/// assert!(Time::from_days(f64::NAN).is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "f64"))]
pub struct Time(f64);

impl Time {
    /// The origin of the twin: day 0.
    pub const ORIGIN: Self = Self(0.0);

    /// A moment `days` after the origin (before it, if negative).
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] and [`CoreError::OutOfRange`] for NaN, infinity and magnitudes above 1e9 days.
    pub fn from_days(days: f64) -> Result<Self, CoreError> {
        checked("time in days", days).map(Self)
    }

    /// Days from the origin.
    #[must_use]
    pub const fn days(self) -> f64 {
        self.0
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl TryFrom<f64> for Time {
    type Error = CoreError;
    fn try_from(days: f64) -> Result<Self, CoreError> {
        Self::from_days(days)
    }
}

impl From<Time> for f64 {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "day {}", self.0)
    }
}

/// A length of time, in days; negative when it points back. Always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "f64"))]
pub struct Span(f64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);
    /// One day.
    pub const DAY: Self = Self(1.0);
    /// One week.
    pub const WEEK: Self = Self(7.0);

    /// A span of `days`.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] and [`CoreError::OutOfRange`] for NaN, infinity and magnitudes above 1e9 days.
    pub fn from_days(days: f64) -> Result<Self, CoreError> {
        checked("span in days", days).map(Self)
    }

    /// A span of `hours` (24 to the day).
    ///
    /// # Errors
    /// As [`Span::from_days`].
    pub fn from_hours(hours: f64) -> Result<Self, CoreError> {
        Self::from_days(hours / 24.0)
    }

    /// A span of `weeks` (7 days each).
    ///
    /// # Errors
    /// As [`Span::from_days`].
    pub fn from_weeks(weeks: f64) -> Result<Self, CoreError> {
        Self::from_days(weeks * 7.0)
    }

    /// A span of `months` of 30.4375 days (UCUM `mo`).
    ///
    /// # Errors
    /// As [`Span::from_days`].
    pub fn from_months(months: f64) -> Result<Self, CoreError> {
        Self::from_days(months * 30.4375)
    }

    /// A span of `years` of 365.25 days (UCUM `a`).
    ///
    /// # Errors
    /// As [`Span::from_days`].
    pub fn from_years(years: f64) -> Result<Self, CoreError> {
        Self::from_days(years * 365.25)
    }

    /// The span in days.
    #[must_use]
    pub const fn days(self) -> f64 {
        self.0
    }

    /// Whether the span is longer than nothing.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > 0.0
    }
}

impl TryFrom<f64> for Span {
    type Error = CoreError;
    fn try_from(days: f64) -> Result<Self, CoreError> {
        Self::from_days(days)
    }
}

impl From<Span> for f64 {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} d", self.0)
    }
}

/// Sums never fail and stay finite: beyond the largest finite number they remain there, as those of `std::time` remain at its limits
/// in their saturating form. From values that came through the door it takes more than 900 doublings to get there.
fn saturated(days: f64) -> f64 {
    days.clamp(f64::MIN, f64::MAX) + 0.0
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(saturated(self.0 + span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(saturated(self.0 - span.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(saturated(self.0 - earlier.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(saturated(self.0 + other.0))
    }
}

impl Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self(0.0 - self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_a_time() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2e9] {
            assert!(Time::from_days(bad).is_err(), "{bad}");
            assert!(Span::from_days(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Time>("1e300").is_err());
    }

    #[test]
    fn negative_zero_is_the_origin() {
        assert_eq!(Time::from_days(-0.0).unwrap().days().to_bits(), 0.0_f64.to_bits());
        assert_eq!((Time::ORIGIN - Span::ZERO).days().to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn spans_agree_across_units() {
        assert_eq!(Span::from_hours(36.0).unwrap(), Span::from_days(1.5).unwrap());
        assert_eq!(Span::from_months(12.0).unwrap(), Span::from_years(1.0).unwrap());
        assert_eq!(Span::from_weeks(2.0).unwrap().days(), 14.0);
    }
}
