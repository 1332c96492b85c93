//! Who enters when, goes to which arm, and stays how long.

use super::Design;
use crate::statistics::FollowUp;
use crate::{Outcome, Trial, TrialError, VirtualPatient};
use std::ops::Range;
use twin_core::{Random, Span};

/// How patients enter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Accrual {
    /// At times drawn evenly within a span.
    Uniform(Span),
    /// One after the other, so many a day on average (a Poisson process).
    Rate(f64),
}

/// What allocation looks at: a parameter of the virtual patient, in levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The parameter of the model.
    pub parameter: String,
    /// Where a level ends and the next begins, ascending: a value equal to a cut is above it.
    pub cuts: Vec<f64>,
}

/// A patient who entered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enrolled {
    /// The virtual patient's index.
    pub patient: usize,
    /// The arm, counted from 0.
    pub arm: usize,
    /// When the patient entered, in days after the first one could.
    pub entry: f64,
    /// How long the patient stays in the trial, in days; infinite for one who does not drop out.
    pub stays: f64,
    /// The outcome in that arm; `None` if the course failed.
    pub outcome: Option<Outcome>,
}

impl Enrolled {
    /// Day of the event after entry if it is ever seen, else of the end of observation; `None` where the outcome is no time.
    pub(super) fn observed(&self) -> Option<(f64, bool)> {
        let (time, event) = match self.outcome? {
            Outcome::Event(time) => (time, true),
            Outcome::Censored(time) => (time, false),
            _ => return None,
        };
        Some(if self.stays < time { (self.stays, false) } else { (time, event) })
    }

    /// What is seen by `day`; `None` where the outcome is no time, or before the entry.
    pub(super) fn seen_at(&self, day: f64) -> Option<FollowUp> {
        let (time, event) = self.observed()?;
        // The sum is the one by which the day of a look is found, so that the event of that day is seen.
        let follow_up = if self.entry + time <= day { FollowUp { time, event } } else { FollowUp::censored(day - self.entry) };
        (self.entry <= day).then_some(follow_up)
    }
}

impl Factor {
    /// The level of a virtual patient.
    ///
    /// # Errors
    /// [`TrialError::Simulation`] for a factor that is no parameter of the model.
    pub fn level(&self, patient: &VirtualPatient) -> Result<usize, TrialError> {
        let place = patient.parameters.index_of(&self.parameter)?;
        let value = patient.parameters.values().get(place).copied().unwrap_or(f64::NAN);
        Ok(self.cuts.iter().filter(|cut| **cut <= value).count())
    }
}

fn entries(accrual: Accrual, count: usize, random: &mut Random) -> Result<Vec<f64>, TrialError> {
    match accrual {
        Accrual::Uniform(span) => {
            let mut days: Vec<f64> = (0..count).map(|_| span.days() * random.uniform()).collect();
            if span.days() < 0.0 {
                return Err(TrialError::Design { what: "the span of accrual", valid: "at least nothing" });
            }
            days.sort_by(f64::total_cmp);
            Ok(days)
        }
        Accrual::Rate(rate) if rate.is_finite() && rate > 0.0 => {
            let mut day = 0.0;
            let next = |_| {
                day += random.exponential() / rate;
                day
            };
            Ok((0..count).map(next).collect())
        }
        Accrual::Rate(value) => {
            Err(TrialError::OutOfRange { what: "patients a day", index: 0, value, valid: "above 0 and finite" })
        }
    }
}

/// The levels of each factor of the virtual patient number `index`.
fn levels(design: &Design, trial: &Trial, index: usize) -> Result<Option<Vec<usize>>, TrialError> {
    if design.factors.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let stream = Random::new(trial.seed).stream(index as u64);
    // A patient that cannot be drawn is counted among the failures of the report, and cannot enter.
    let Ok(patient) = trial.cohort.draw(index, &mut stream.stream(0)) else { return Ok(None) };
    design.factors.iter().map(|factor| factor.level(&patient)).collect::<Result<_, TrialError>>().map(Some)
}

/// Lets `patients` enter and allocates them, in the order of their entries.
pub(super) fn enroll(
    design: &Design,
    trial: &Trial,
    outcomes: &[Vec<Option<Outcome>>],
    patients: Range<usize>,
    random: &Random,
) -> Result<Vec<Enrolled>, TrialError> {
    let (mut entry, mut allocation, mut dropout) = (random.stream(0), random.stream(1), random.stream(2));
    let mut rule = (design.allocation)()?;
    let entries = entries(design.accrual, patients.len(), &mut entry)?;
    let mut enrolled: Vec<Enrolled> = Vec::with_capacity(patients.len());
    // Whose success is known when, soonest last; what the rule was told is gone from the list.
    let mut pending: Vec<(f64, usize, bool)> = Vec::new();
    for (patient, entry) in patients.zip(entries) {
        while let Some((_, arm, success)) = pending.pop_if(|(known, ..)| *known <= entry) {
            rule.learn(arm, success);
        }
        let Some(levels) = levels(design, trial, patient)? else { continue };
        let arm = rule.allocate(&levels, &mut allocation)?;
        let Some(own) = outcomes.get(arm) else {
            return Err(TrialError::Count { what: "number of arms of the allocation", count: arm + 1, valid: "that of the trial" });
        };
        let stays = design.dropout.as_ref().map_or(f64::INFINITY, |law| law.draw(&mut dropout));
        let one = Enrolled { patient, arm, entry, stays, outcome: own.get(patient).copied().flatten() };
        if let (Some(after), Some((time, event))) = (design.success_after, one.observed()) {
            let failed = event && time <= after.days();
            // Who leaves before it is known tells the rule nothing.
            if failed || time >= after.days() {
                let known = entry + if failed { time } else { after.days() };
                let place = pending.partition_point(|(other, ..)| *other > known);
                pending.insert(place, (known, arm, !failed));
            }
        }
        enrolled.push(one);
    }
    Ok(enrolled)
}
