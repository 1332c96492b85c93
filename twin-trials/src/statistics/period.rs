//! Periods at risk with covariates: the rows of a regression on times.

use super::FollowUp;
use crate::TrialError;

/// A period during which a subject was at risk with the same covariates.
///
/// A subject whose covariates change has several periods, one after the other, all with the same [`Period::subject`]; only the last may
/// end in the event.
///
/// ```
/// use twin_trials::statistics::{FollowUp, Period};
/// let whole = Period::new(FollowUp::event(300.0), [61.0, 1.0]);
/// let second = Period::new(FollowUp::event(300.0), [61.0, 0.0]).from(90.0).of(7).within(2);
/// assert_eq!((second.start, second.subject, second.stratum), (Some(90.0), Some(7), 2));
/// assert_eq!(whole.start, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// After which time the subject was at risk; `None` for at risk from the beginning.
    pub start: Option<f64>,
    /// When the period ended, and whether the event ended it.
    pub follow_up: FollowUp,
    /// The covariates, as many as the regression has names.
    pub covariates: Vec<f64>,
    /// The weight of the period; 1 unless set.
    pub weight: f64,
    /// The stratum: subjects are compared within strata only.
    pub stratum: usize,
    /// The subject, where it has several periods or where subjects are grouped; `None` for a subject of its own.
    pub subject: Option<usize>,
}

impl Period {
    /// A follow-up from the beginning, with covariates that stay.
    #[must_use]
    pub fn new(follow_up: FollowUp, covariates: impl Into<Vec<f64>>) -> Self {
        Self { start: None, follow_up, covariates: covariates.into(), weight: 1.0, stratum: 0, subject: None }
    }

    /// The same period, at risk only after `start`.
    #[must_use]
    pub fn from(mut self, start: f64) -> Self {
        self.start = Some(start);
        self
    }

    /// The same period, of `subject`.
    #[must_use]
    pub fn of(mut self, subject: usize) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The same period, within `stratum`.
    #[must_use]
    pub fn within(mut self, stratum: usize) -> Self {
        self.stratum = stratum;
        self
    }

    /// The same period, counted `weight` times.
    #[must_use]
    pub fn weighing(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// When the period began; negative infinity for at risk from the beginning.
    pub(super) fn begin(&self) -> f64 {
        self.start.unwrap_or(f64::NEG_INFINITY)
    }
}

/// Refuses an empty list, numbers that are not finite, times that are negative or out of order, weights that are not above 0, and
/// covariates that do not match `names`.
pub(super) fn check(names: &[&str], periods: &[Period]) -> Result<(), TrialError> {
    if periods.is_empty() {
        return Err(TrialError::Empty { what: "the list of periods" });
    }
    for (index, period) in periods.iter().enumerate() {
        let finite =
            |what, value: f64| if value.is_finite() { Ok(value) } else { Err(TrialError::NotFinite { what, index, value }) };
        let end = finite("end of period", period.follow_up.time)?;
        if end < 0.0 {
            return Err(TrialError::OutOfRange { what: "end of period", index, value: end, valid: "0 or more" });
        }
        if let Some(start) = period.start
            && finite("start of period", start)? >= end
        {
            return Err(TrialError::OutOfRange { what: "start of period", index, value: start, valid: "before its end" });
        }
        if finite("weight of period", period.weight)? <= 0.0 {
            return Err(TrialError::OutOfRange { what: "weight of period", index, value: period.weight, valid: "above 0" });
        }
        if period.covariates.len() != names.len() {
            return Err(TrialError::Length {
                what: "the list of covariates of a period",
                found: period.covariates.len(),
                reference: "the list of names",
                expected: names.len(),
            });
        }
        period.covariates.iter().try_for_each(|&value| finite("covariate of period", value).map(drop))?;
    }
    Ok(())
}

/// Means and standard deviations of the covariates, or the index of one that does not vary.
pub(super) fn moments(width: usize, periods: &[Period]) -> Result<(Vec<f64>, Vec<f64>), usize> {
    let count = periods.len() as f64;
    let column = |place: usize| periods.iter().filter_map(move |period| period.covariates.get(place).copied());
    let means: Vec<f64> = (0..width).map(|place| column(place).sum::<f64>() / count).collect();
    let deviation = |(place, mean): (usize, &f64)| (column(place).map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    let deviations: Vec<f64> = means.iter().enumerate().map(deviation).collect();
    match means.iter().zip(&deviations).position(|(mean, deviation)| *deviation <= 1e-12 * (1.0 + mean.abs())) {
        Some(flat) => Err(flat),
        None => Ok((means, deviations)),
    }
}
