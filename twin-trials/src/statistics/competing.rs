//! Times to the first of several kinds of event.

use super::censoring::Censoring;
use super::cox::{CoxFit, CoxRegression, Ties};
use super::{FollowUp, period, period::Period};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// The follow-up of one subject who may have one of several kinds of event, each of which rules out the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompetingFollowUp {
    /// The length of the follow-up.
    pub time: f64,
    /// The kind of event that ended it, by a number of the caller's choice; `None` for censored.
    pub cause: Option<usize>,
}

impl CompetingFollowUp {
    /// A follow-up that ended in an event of kind `cause` at `time`.
    #[must_use]
    pub const fn event(time: f64, cause: usize) -> Self {
        Self { time, cause: Some(cause) }
    }

    /// A follow-up that ended at `time` without an event.
    #[must_use]
    pub const fn censored(time: f64) -> Self {
        Self { time, cause: None }
    }
}

/// The estimate at one time at which events of the kind happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IncidenceStep {
    /// The time of the events.
    pub time: f64,
    /// The probability to have had an event of the kind by then.
    pub incidence: f64,
    /// Its variance.
    pub variance: f64,
}

/// The Aalen-Johansen estimate of the cumulative incidence of one kind of event among others (Aalen and Johansen 1978), with the
/// variance of its martingales (Aalen 1978, doi:10.1214/aos/1176344247).
///
/// One minus Kaplan-Meier, with the other kinds censored, would overstate it: who had another kind can no longer have this one.
///
/// ```
/// use twin_trials::statistics::{CompetingFollowUp as Seen, CumulativeIncidence};
/// let seen = [Seen::event(1.0, 0), Seen::event(2.0, 1), Seen::censored(3.0), Seen::event(4.0, 0)];
/// let relapse = CumulativeIncidence::estimate(&seen, 0)?;
/// assert_eq!(relapse.at(1.5)?, 0.25);
/// assert_eq!(relapse.at(4.0)?, 0.75); // the remaining 0.25 died without relapse at 2
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CumulativeIncidence {
    /// The kind of event.
    pub cause: usize,
    steps: Vec<IncidenceStep>,
    /// The last follow-up, if it ended without an event: up to there the incidence is known.
    known_until: Option<f64>,
}

/// What happened at one time: subjects at risk, events of all kinds, events of the kind, and survival just before.
struct Moment {
    time: f64,
    at_risk: f64,
    any: f64,
    own: f64,
    before: f64,
    incidence: f64,
}

impl CumulativeIncidence {
    /// Estimates the cumulative incidence of events of kind `cause`.
    ///
    /// # Errors
    /// [`TrialError::Empty`], [`TrialError::NotFinite`] and [`TrialError::OutOfRange`] as
    /// [`KaplanMeier::estimate`](super::KaplanMeier::estimate).
    pub fn estimate(follow_ups: &[CompetingFollowUp], cause: usize) -> Result<Self, TrialError> {
        let any: Vec<FollowUp> = follow_ups.iter().map(|seen| FollowUp { time: seen.time, event: seen.cause.is_some() }).collect();
        let curve = super::KaplanMeier::estimate(&any)?;
        let (mut before, mut incidence) = (1.0, 0.0);
        let mut moments = Vec::with_capacity(curve.steps().len());
        let mut own: Vec<f64> = follow_ups.iter().filter(|seen| seen.cause == Some(cause)).map(|seen| seen.time).collect();
        own.sort_by(f64::total_cmp);
        for step in curve.steps() {
            let count = own.partition_point(|time| *time <= step.time) - own.partition_point(|time| *time < step.time);
            incidence += before * count as f64 / step.at_risk as f64;
            let (at_risk, any) = (step.at_risk as f64, step.events as f64);
            moments.push(Moment { time: step.time, at_risk, any, own: count as f64, before, incidence });
            before = step.survival;
        }
        let ended = curve.steps().last().is_some_and(|step| step.survival <= 0.0);
        let known_until = (!ended).then(|| curve.last_follow_up());
        Ok(Self { cause, steps: steps(&moments), known_until })
    }

    /// The estimate after each time at which events of the kind happened, in ascending order.
    #[must_use]
    pub fn steps(&self) -> &[IncidenceStep] {
        &self.steps
    }

    /// The cumulative incidence at `time`.
    ///
    /// # Errors
    /// As [`CumulativeIncidence::step_at`].
    pub fn at(&self, time: f64) -> Result<f64, TrialError> {
        self.step_at(time).map(|step| step.map_or(0.0, |step| step.incidence))
    }

    /// The last step at or before `time`; `None` before the first.
    ///
    /// # Errors
    /// [`TrialError::NotFinite`] and [`TrialError::OutOfRange`] for a time that is NaN, infinite or negative;
    /// [`TrialError::BeyondFollowUp`] past the last follow-up, unless everybody had an event by then.
    pub fn step_at(&self, time: f64) -> Result<Option<IncidenceStep>, TrialError> {
        if !time.is_finite() {
            return Err(TrialError::NotFinite { what: "time of incidence", index: 0, value: time });
        }
        if time < 0.0 {
            return Err(TrialError::OutOfRange { what: "time of incidence", index: 0, value: time, valid: "0 or more" });
        }
        if let Some(last) = self.known_until.filter(|last| time > *last) {
            return Err(TrialError::BeyondFollowUp { time, last });
        }
        let seen = self.steps.partition_point(|step| step.time <= time);
        Ok(seen.checked_sub(1).and_then(|last| self.steps.get(last)).copied())
    }
}

/// The steps with their variance, in one pass: it is a quadratic in the incidence at the time asked, with sums as coefficients.
///
/// An event of the own kind at a time `s` moves the incidence at `t` by `1 - (F(t) - F(s)) / S(s)`, one of another kind by
/// `-(F(t) - F(s)) / S(s)`, both times the survival just before; tied events have the hypergeometric variance.
fn steps(moments: &[Moment]) -> Vec<IncidenceStep> {
    let (mut constant, mut linear, mut square) = (0.0, 0.0, 0.0);
    let mut steps = Vec::new();
    for &Moment { time, at_risk: n, any, own, before, incidence: f } in moments {
        let after = before * (n - any) / n;
        let per_survival = if after > 0.0 { 1.0 / after } else { 0.0 };
        for (count, direct) in [(own, 1.0), (any - own, 0.0)] {
            let ties = if count > 1.0 { (n - count) / (n - 1.0) } else { 1.0 };
            let weight = before * before * ties * count / (n * n);
            let whole = direct + f * per_survival;
            constant += weight * whole * whole;
            linear += weight * whole * per_survival;
            square += weight * per_survival * per_survival;
        }
        if own > 0.0 {
            // A sum of squares, but for rounding.
            let variance: f64 = constant - 2.0 * f * linear + f * f * square;
            steps.push(IncidenceStep { time, incidence: f, variance: variance.max(0.0) });
        }
    }
    steps
}

/// Fits the proportional subdistribution hazards of events of kind `cause` (Fine and Gray 1999,
/// doi:10.1080/01621459.1999.10474144): how covariates change the cumulative incidence, other kinds of event being what they are.
///
/// Whoever had another kind of event stays at risk, with a weight that falls as censoring would have taken subjects away (Geskus 2011,
/// doi:10.1111/j.1541-0420.2010.01420.x). Ties are Breslow's, standard errors robust by subject, censoring alike for all subjects;
/// events come before censorings at the same time. `covariates` holds one list for each follow-up, in the order of `names`.
///
/// ```
/// use twin_trials::statistics::{CompetingFollowUp as Seen, fine_gray};
/// let seen = [Seen::event(1.0, 0), Seen::event(2.0, 1), Seen::censored(3.0), Seen::event(4.0, 0), Seen::event(5.0, 0)];
/// let fit = fine_gray(&["dose"], &seen, &[vec![1.0], vec![0.0], vec![1.0], vec![0.0], vec![1.0]], 0)?;
/// assert!(fit.coefficient("dose")?.standard_error > 0.0);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// As [`CoxRegression::fit`], and [`TrialError::Length`] when `follow_ups` and `covariates` differ in length.
pub fn fine_gray(
    names: &[&str],
    follow_ups: &[CompetingFollowUp],
    covariates: &[Vec<f64>],
    cause: usize,
) -> Result<CoxFit, TrialError> {
    if follow_ups.len() != covariates.len() {
        return Err(TrialError::Length {
            what: "the list of covariates",
            found: covariates.len(),
            reference: "the list of follow-ups",
            expected: follow_ups.len(),
        });
    }
    let row = |(index, (seen, x)): (usize, (&CompetingFollowUp, &Vec<f64>))| {
        Period::new(FollowUp { time: seen.time, event: seen.cause == Some(cause) }, x.clone()).of(index)
    };
    let rows: Vec<Period> = follow_ups.iter().zip(covariates).enumerate().map(row).collect();
    period::check(names, &rows)?;
    let censoring = Censoring::estimate(follow_ups.iter().map(|seen| FollowUp { time: seen.time, event: seen.cause.is_some() }));
    let last = rows.iter().filter(|row| row.follow_up.event).map(|row| row.follow_up.time).fold(0.0, f64::max);
    let mut expanded = Vec::with_capacity(rows.len());
    for (row, seen) in rows.into_iter().zip(follow_ups) {
        if seen.cause.is_none_or(|kind| kind == cause) || seen.time >= last {
            expanded.push(row);
        } else {
            expand(&censoring, &row, last, &mut expanded);
        }
    }
    CoxRegression { ties: Ties::Breslow, robust: true }.fit(names, &expanded)
}

/// Keeps the subject of `row` at risk until `last`, with a weight that falls at each censoring from its own event on.
fn expand(censoring: &Censoring, row: &Period, last: f64, expanded: &mut Vec<Period>) {
    let reference = censoring.before(row.follow_up.time);
    let (mut start, mut weight) = (None, 1.0);
    for &(time, free) in censoring.from(row.follow_up.time).iter().take_while(|(time, _)| *time < last) {
        expanded.push(Period { start, follow_up: FollowUp::censored(time), weight, ..row.clone() });
        (start, weight) = (Some(time), free / reference);
        if weight <= 0.0 {
            return;
        }
    }
    expanded.push(Period { start, follow_up: FollowUp::censored(last), weight, ..row.clone() });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use CompetingFollowUp as Seen;

    #[test]
    fn incidences_of_all_kinds_and_survival_add_up_to_one() {
        let seen = [
            Seen::event(1.0, 0),
            Seen::event(1.0, 1),
            Seen::censored(2.0),
            Seen::event(3.0, 2),
            Seen::event(4.0, 0),
            Seen::censored(5.0),
        ];
        let any: Vec<FollowUp> = seen.iter().map(|seen| FollowUp { time: seen.time, event: seen.cause.is_some() }).collect();
        let survival = crate::statistics::KaplanMeier::estimate(&any).unwrap();
        for time in [0.5, 1.0, 3.5, 5.0] {
            let sum: f64 = (0..3).map(|cause| CumulativeIncidence::estimate(&seen, cause).unwrap().at(time).unwrap()).sum();
            assert!((sum + survival.survival_at(time).unwrap().survival - 1.0).abs() < 1e-12);
        }
        assert!(CumulativeIncidence::estimate(&seen, 0).unwrap().at(6.0).is_err());
    }

    #[test]
    fn with_one_kind_of_event_it_is_one_minus_kaplan_meier_with_greenwoods_variance() {
        // No ties: the variance of the martingales is d / n², Greenwood's d / (n (n - d)); they agree in the limit only.
        let seen: Vec<Seen> = (1..=400)
            .map(|day| if day % 3 == 0 { Seen::censored(f64::from(day)) } else { Seen::event(f64::from(day), 7) })
            .collect();
        let step = CumulativeIncidence::estimate(&seen, 7).unwrap().step_at(200.0).unwrap().unwrap();
        let any: Vec<FollowUp> = seen.iter().map(|seen| FollowUp { time: seen.time, event: seen.cause.is_some() }).collect();
        let survival = crate::statistics::KaplanMeier::estimate(&any).unwrap().survival_at(200.0).unwrap();
        assert!((step.incidence - (1.0 - survival.survival)).abs() < 1e-12);
        assert!((step.variance.sqrt() / survival.standard_error - 1.0).abs() < 5e-3);
    }

    #[test]
    fn without_competing_events_fine_and_gray_is_cox() {
        let rows = [(1.0, true, 0.3), (2.0, true, 1.2), (3.0, false, 0.1), (4.0, true, 0.9), (5.0, false, 0.2), (6.0, true, 0.4)];
        let seen = rows.map(|(time, event, _)| Seen { time, cause: event.then_some(1) });
        let covariates = rows.map(|(_, _, x)| vec![x]);
        let competing = fine_gray(&["x"], &seen, &covariates, 1).unwrap();
        let periods = rows.map(|(time, event, x)| Period::new(FollowUp { time, event }, [x]));
        let plain = CoxRegression { ties: Ties::Breslow, robust: true }.fit(&["x"], &periods).unwrap();
        assert!((competing.coefficients[0].estimate - plain.coefficients[0].estimate).abs() < 1e-12);
        assert!((competing.coefficients[0].standard_error - plain.coefficients[0].standard_error).abs() < 1e-12);
    }

    #[test]
    fn lists_that_do_not_match_are_refused() {
        assert!(fine_gray(&["x"], &[Seen::event(1.0, 0)], &[], 0).is_err());
        assert!(fine_gray(&["x"], &[Seen::event(-1.0, 0)], &[vec![1.0]], 0).is_err());
        assert!(CumulativeIncidence::estimate(&[], 0).is_err());
    }
}
