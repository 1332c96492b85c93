//! The product-limit estimate of survival.

use super::normal_deviate;
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// How far rounding in the product may push a survival away from the level of a quantile.
const ROUNDING: f64 = 1e-12;

/// The follow-up of one subject: how long it lasted, and whether it ended in the event or was censored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// The length of the follow-up, in one unit for all subjects (days, throughout this workspace).
    pub time: f64,
    /// Whether the event ended the follow-up; otherwise the subject was still free of it when last seen.
    pub event: bool,
}

impl FollowUp {
    /// A follow-up that ended in the event at `time`.
    #[must_use]
    pub const fn event(time: f64) -> Self {
        Self { time, event: true }
    }

    /// A follow-up that ended at `time` without the event.
    #[must_use]
    pub const fn censored(time: f64) -> Self {
        Self { time, event: false }
    }

    /// Pairs a list of times with a list that says which of them are events.
    ///
    /// # Errors
    /// [`TrialError::Length`] when the lists differ in length.
    pub fn pair(times: &[f64], events: &[bool]) -> Result<Vec<Self>, TrialError> {
        if times.len() != events.len() {
            return Err(TrialError::Length {
                what: "the list of events",
                found: events.len(),
                reference: "the list of follow-up times",
                expected: times.len(),
            });
        }
        Ok(times.iter().zip(events).map(|(&time, &event)| Self { time, event }).collect())
    }
}

/// Refuses an empty list, and times that are NaN, infinite or negative; gives the follow-ups in ascending order of time.
pub(super) fn sorted(follow_ups: &[FollowUp]) -> Result<Vec<FollowUp>, TrialError> {
    const WHAT: &str = "follow-up time";
    if follow_ups.is_empty() {
        return Err(TrialError::Empty { what: "the list of follow-ups" });
    }
    for (index, &FollowUp { time: value, .. }) in follow_ups.iter().enumerate() {
        if !value.is_finite() {
            return Err(TrialError::NotFinite { what: WHAT, index, value });
        }
        if value < 0.0 {
            return Err(TrialError::OutOfRange { what: WHAT, index, value, valid: "0 or more" });
        }
    }
    // adding 0 turns -0 into 0, so that equal times have equal bits
    let mut ordered: Vec<FollowUp> = follow_ups.iter().map(|subject| FollowUp { time: subject.time + 0.0, ..*subject }).collect();
    ordered.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(ordered)
}

/// The estimate at one time at which events happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurvivalStep {
    /// The time of the events.
    pub time: f64,
    /// Subjects at risk just before: followed at least until `time`.
    pub at_risk: usize,
    /// Events at `time`.
    pub events: usize,
    /// Estimated probability to stay free of the event beyond `time`.
    pub survival: f64,
    /// Greenwood's variance of `survival`; 0 once nobody is left.
    pub variance: f64,
    /// The limits of the confidence interval, by the log-log transform; `None` once nobody is left, where it is not defined.
    pub interval: Option<(f64, f64)>,
}

/// Survival at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurvivalAt {
    /// Estimated probability to be free of the event at the time (events at the time itself count as having happened).
    pub survival: f64,
    /// Greenwood's standard error of `survival`.
    pub standard_error: f64,
    /// The confidence interval; `None` where it is not defined, at a survival of 0.
    pub interval: Option<(f64, f64)>,
}

/// The time by which a given share of subjects had the event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeQuantile {
    /// The time; `None` when the curve never falls that far.
    pub time: Option<f64>,
    /// Lower confidence limit; `None` when not reached.
    pub lower: Option<f64>,
    /// Upper confidence limit; `None` when not reached, which is to say unbounded.
    pub upper: Option<f64>,
}

/// The mean time free of the event within a horizon: the area under the survival curve up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RestrictedMean {
    /// The horizon.
    pub horizon: f64,
    /// The mean, in the unit of the follow-up.
    pub mean: f64,
    /// Its standard error, from Greenwood's variance.
    pub standard_error: f64,
}

/// The Kaplan-Meier estimate of survival (Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452), with Greenwood's variance
/// and confidence intervals by the log-log transform (Kalbfleisch and Prentice 2002, section 1.4).
///
/// A subject censored at the time of an event counts as at risk for it. The curve stays defined beyond the last follow-up only if
/// that one ended in the event.
///
/// ```
/// use twin_trials::statistics::{FollowUp, KaplanMeier};
/// let arm = [FollowUp::event(30.0), FollowUp::censored(60.0), FollowUp::event(90.0), FollowUp::censored(120.0)];
/// let curve = KaplanMeier::estimate(&arm)?;
/// assert_eq!(curve.survival_at(45.0)?.survival, 0.75);
/// assert_eq!(curve.median().time, Some(90.0));
/// assert_eq!(curve.at_risk(60.0), 3);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KaplanMeier {
    level: f64,
    ordered: Vec<FollowUp>,
    steps: Vec<SurvivalStep>,
}

impl KaplanMeier {
    /// Estimates survival, with 95 % confidence intervals.
    ///
    /// # Errors
    /// [`TrialError::Empty`] for no follow-up at all; [`TrialError::NotFinite`] and [`TrialError::OutOfRange`] for times that are NaN,
    /// infinite or negative.
    pub fn estimate(follow_ups: &[FollowUp]) -> Result<Self, TrialError> {
        Self::estimate_at_level(follow_ups, 0.95)
    }

    /// Estimates survival, with confidence intervals of the given level, between 0 and 1.
    ///
    /// # Errors
    /// As [`KaplanMeier::estimate`], and [`TrialError::OutOfRange`] for a level not strictly between 0 and 1.
    pub fn estimate_at_level(follow_ups: &[FollowUp], level: f64) -> Result<Self, TrialError> {
        super::open_unit("confidence level", level)?;
        let ordered = sorted(follow_ups)?;
        let deviate = normal_deviate(level);
        let (mut steps, mut survival, mut hazard_variance) = (Vec::new(), 1.0, 0.0);
        let mut at_risk = ordered.len();
        for tied in ordered.chunk_by(|a, b| a.time.total_cmp(&b.time).is_eq()) {
            let events = tied.iter().filter(|subject| subject.event).count();
            if let (Some(first), true) = (tied.first(), events > 0) {
                let (n, d) = (at_risk as f64, events as f64);
                survival *= (n - d) / n;
                let everyone = events == at_risk;
                if !everyone {
                    hazard_variance += d / (n * (n - d));
                }
                steps.push(SurvivalStep {
                    time: first.time,
                    at_risk,
                    events,
                    survival,
                    variance: if everyone { 0.0 } else { survival * survival * hazard_variance },
                    interval: (!everyone).then(|| log_log_interval(survival, hazard_variance, deviate)),
                });
            }
            at_risk -= tied.len();
        }
        Ok(Self { level, ordered, steps })
    }

    /// The confidence level of the intervals.
    #[must_use]
    pub const fn level(&self) -> f64 {
        self.level
    }

    /// The estimate after each time at which events happened, in ascending order; empty when all were censored.
    #[must_use]
    pub fn steps(&self) -> &[SurvivalStep] {
        &self.steps
    }

    /// Every follow-up, in ascending order of time.
    #[must_use]
    pub fn follow_ups(&self) -> &[FollowUp] {
        &self.ordered
    }

    /// The number of subjects.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.ordered.len()
    }

    /// The number of events.
    #[must_use]
    pub fn events(&self) -> usize {
        self.steps.iter().map(|step| step.events).sum()
    }

    /// The end of the longest follow-up.
    #[must_use]
    pub fn last_follow_up(&self) -> f64 {
        self.ordered.last().map_or(0.0, |subject| subject.time)
    }

    /// The number of subjects at risk just before `time`: followed at least that long.
    #[must_use]
    pub fn at_risk(&self, time: f64) -> usize {
        self.ordered.len() - self.ordered.partition_point(|subject| subject.time < time)
    }

    /// Survival at `time`.
    ///
    /// # Errors
    /// [`TrialError::NotFinite`] and [`TrialError::OutOfRange`] for a time that is NaN, infinite or negative;
    /// [`TrialError::BeyondFollowUp`] past the last follow-up, unless everybody had the event by then.
    pub fn survival_at(&self, time: f64) -> Result<SurvivalAt, TrialError> {
        self.known_at("time of survival", time)?;
        let seen = self.steps.partition_point(|step| step.time <= time);
        let last = seen.checked_sub(1).and_then(|index| self.steps.get(index));
        Ok(last.map_or(SurvivalAt { survival: 1.0, standard_error: 0.0, interval: Some((1.0, 1.0)) }, |step| SurvivalAt {
            survival: step.survival,
            standard_error: step.variance.sqrt(),
            interval: step.interval,
        }))
    }

    /// The median time to the event: [`KaplanMeier::time_quantile`] at one half.
    #[must_use]
    pub fn median(&self) -> TimeQuantile {
        self.reaches(0.5)
    }

    /// The time by which a `share` of subjects had the event: the first at which survival is at or below `1 - share`.
    ///
    /// The interval is that of Brookmeyer and Crowley (1982, doi:10.2307/2530286): the times at which the confidence limits of the
    /// curve itself fall that far.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a share not strictly between 0 and 1.
    pub fn time_quantile(&self, share: f64) -> Result<TimeQuantile, TrialError> {
        super::open_unit("share of subjects", share).map(|share| self.reaches(1.0 - share))
    }

    /// The mean time free of the event within `horizon`.
    ///
    /// # Errors
    /// As [`KaplanMeier::survival_at`].
    pub fn restricted_mean(&self, horizon: f64) -> Result<RestrictedMean, TrialError> {
        self.known_at("horizon of the restricted mean", horizon)?;
        let within: Vec<&SurvivalStep> = self.steps.iter().take_while(|step| step.time <= horizon).collect();
        let (mut later_area, mut variance, mut until) = (0.0, 0.0, horizon);
        for step in within.iter().rev() {
            later_area += step.survival * (until - step.time);
            if step.events < step.at_risk {
                let (n, d) = (step.at_risk as f64, step.events as f64);
                variance += later_area * later_area * d / (n * (n - d));
            }
            until = step.time;
        }
        Ok(RestrictedMean { horizon, mean: until + later_area, standard_error: variance.sqrt() })
    }

    fn reaches(&self, survival: f64) -> TimeQuantile {
        let first = |limit: fn(&SurvivalStep) -> Option<f64>| {
            let below = |step: &&SurvivalStep| limit(step).is_some_and(|value| value <= survival + ROUNDING);
            self.steps.iter().find(below).map(|step| step.time)
        };
        TimeQuantile {
            time: first(|step| Some(step.survival)),
            lower: first(|step| step.interval.map(|(lower, _)| lower)),
            upper: first(|step| step.interval.map(|(_, upper)| upper)),
        }
    }

    fn known_at(&self, what: &'static str, time: f64) -> Result<(), TrialError> {
        if !time.is_finite() {
            return Err(TrialError::NotFinite { what, index: 0, value: time });
        }
        if time < 0.0 {
            return Err(TrialError::OutOfRange { what, index: 0, value: time, valid: "0 or more" });
        }
        let last = self.last_follow_up();
        let all_had_the_event = self.steps.last().is_some_and(|step| step.survival <= 0.0);
        if time > last && !all_had_the_event {
            return Err(TrialError::BeyondFollowUp { time, last });
        }
        Ok(())
    }
}

/// The limits `S^exp(±z s / ln S)`, where `s²` is the variance of `ln S`.
fn log_log_interval(survival: f64, hazard_variance: f64, deviate: f64) -> (f64, f64) {
    let spread = deviate * hazard_variance.sqrt() / survival.ln();
    (survival.powf((-spread).exp()), survival.powf(spread.exp()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The 6-mercaptopurine arm of Freireich et al. 1963, the textbook example (Cox and Oakes 1984, table 1.1), in weeks.
    fn mercaptopurine() -> Vec<FollowUp> {
        let events = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0];
        let censored = [6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0];
        events.into_iter().map(FollowUp::event).chain(censored.into_iter().map(FollowUp::censored)).collect()
    }

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    #[test]
    fn freireich1963_curve_and_greenwood_error() {
        // Cox and Oakes 1984, table 4.1; standard errors as printed by the usual packages.
        let curve = KaplanMeier::estimate(&mercaptopurine()).unwrap();
        let expected = [
            (6.0, 21, 0.857, 0.0764),
            (7.0, 17, 0.807, 0.0869),
            (10.0, 15, 0.753, 0.0963),
            (13.0, 12, 0.690, 0.1068),
            (16.0, 11, 0.627, 0.1141),
            (22.0, 7, 0.538, 0.1282),
            (23.0, 6, 0.448, 0.1346),
        ];
        assert_eq!(curve.steps().len(), expected.len());
        for (step, (time, at_risk, survival, error)) in curve.steps().iter().zip(expected) {
            assert_eq!((step.time, step.at_risk), (time, at_risk));
            close(step.survival, survival, 5e-4);
            close(step.variance.sqrt(), error, 5e-5);
        }
        assert_eq!(curve.median().time, Some(23.0));
        assert_eq!((curve.subjects(), curve.events(), curve.last_follow_up()), (21, 9, 35.0));
    }

    #[test]
    fn a_hand_computed_curve() {
        // 4 subjects: event at 1 (4 at risk), censored at 2, event at 3 (2 at risk), censored at 4.
        let follow_ups = FollowUp::pair(&[1.0, 2.0, 3.0, 4.0], &[true, false, true, false]).unwrap();
        let curve = KaplanMeier::estimate(&follow_ups).unwrap();
        assert_eq!(curve.survival_at(0.0).unwrap().survival, 1.0);
        assert_eq!(curve.survival_at(1.0).unwrap().survival, 0.75);
        assert_eq!(curve.survival_at(3.5).unwrap().survival, 0.375);
        // Var S(3) = 0.375² (1/12 + 1/2)
        close(curve.survival_at(3.0).unwrap().standard_error, 0.375 * (7.0_f64 / 12.0).sqrt(), 1e-15);
        let mean = curve.restricted_mean(4.0).unwrap();
        close(mean.mean, 1.0 + 2.0 * 0.75 + 0.375, 1e-15);
        // area after 1: 1.875, after 3: 0.375
        close(mean.standard_error, (1.875_f64.powi(2) / 12.0 + 0.375_f64.powi(2) / 2.0).sqrt(), 1e-15);
        assert_eq!([0.0, 1.0, 1.5, 3.0, 4.0, 4.5].map(|time| curve.at_risk(time)), [4, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn the_log_log_interval_stays_inside_the_unit_interval_and_around_the_estimate() {
        for step in KaplanMeier::estimate(&mercaptopurine()).unwrap().steps() {
            let (lower, upper) = step.interval.unwrap();
            assert!(0.0 < lower && lower < step.survival && step.survival < upper && upper < 1.0);
        }
    }

    #[test]
    fn the_order_of_subjects_does_not_matter() {
        let mut backwards = mercaptopurine();
        backwards.reverse();
        assert_eq!(KaplanMeier::estimate(&backwards).unwrap().steps(), KaplanMeier::estimate(&mercaptopurine()).unwrap().steps());
    }

    #[test]
    fn without_censoring_the_curve_is_the_share_of_survivors_and_ends_at_zero() {
        let follow_ups: Vec<_> = (1..=10).map(|day| FollowUp::event(f64::from(day))).collect();
        let curve = KaplanMeier::estimate(&follow_ups).unwrap();
        for day in 0..=9 {
            close(curve.survival_at(f64::from(day)).unwrap().survival, 1.0 - f64::from(day) / 10.0, 1e-12);
        }
        let end = curve.survival_at(1000.0).unwrap();
        assert_eq!((end.survival, end.standard_error, end.interval), (0.0, 0.0, None));
        // the product reaches one half only up to rounding
        assert_eq!(curve.median().time, Some(5.0));
        close(curve.restricted_mean(1000.0).unwrap().mean, 5.5, 1e-12);
    }

    #[test]
    fn all_censored_is_a_flat_curve_without_a_median() {
        let curve = KaplanMeier::estimate(&[FollowUp::censored(5.0), FollowUp::censored(9.0)]).unwrap();
        assert!(curve.steps().is_empty());
        assert_eq!(curve.median(), TimeQuantile { time: None, lower: None, upper: None });
        assert_eq!(curve.survival_at(9.0).unwrap().survival, 1.0);
        assert_eq!(curve.restricted_mean(9.0).unwrap().mean, 9.0);
    }

    #[test]
    fn survival_is_not_extrapolated() {
        let curve = KaplanMeier::estimate(&mercaptopurine()).unwrap();
        assert!(matches!(curve.survival_at(36.0), Err(TrialError::BeyondFollowUp { last: 35.0, .. })));
        assert!(matches!(curve.restricted_mean(36.0), Err(TrialError::BeyondFollowUp { .. })));
    }

    #[test]
    fn refuses_what_is_not_a_follow_up() {
        assert!(matches!(KaplanMeier::estimate(&[]), Err(TrialError::Empty { .. })));
        let at = |time| KaplanMeier::estimate(&[FollowUp::event(1.0), FollowUp::event(time)]);
        assert!(matches!(at(f64::NAN), Err(TrialError::NotFinite { index: 1, .. })));
        assert!(matches!(at(f64::INFINITY), Err(TrialError::NotFinite { index: 1, .. })));
        assert!(matches!(at(-1.0), Err(TrialError::OutOfRange { index: 1, .. })));
        assert!(matches!(FollowUp::pair(&[1.0], &[]), Err(TrialError::Length { found: 0, expected: 1, .. })));
        assert!(KaplanMeier::estimate_at_level(&mercaptopurine(), 1.0).is_err());
        let curve = KaplanMeier::estimate(&mercaptopurine()).unwrap();
        assert!(curve.survival_at(f64::NAN).is_err() && curve.survival_at(-1.0).is_err() && curve.time_quantile(0.0).is_err());
    }

    #[test]
    fn negative_zero_ties_with_zero() {
        let curve = KaplanMeier::estimate(&[FollowUp::event(-0.0), FollowUp::event(0.0), FollowUp::censored(1.0)]).unwrap();
        assert_eq!(curve.steps().len(), 1);
    }
}
