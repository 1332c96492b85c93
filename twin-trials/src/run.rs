//! Running a trial: every virtual patient through every arm.

use crate::statistics::FollowUp;
use crate::{Arm, Assessed, Assessment, Course, History, Outcome, Trial, TrialError, VirtualPatient};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use twin_calibrate::{ErrorModel, Flow, Observer, Progress};
use twin_core::{Finding, Observable, Observation, Quantity, Random, Span, Time, TimedTreatment, Treatment, Unit};

/// What became of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmReport {
    /// The arm's name.
    pub name: String,
    /// The outcomes (patients × endpoints); `None` where the course failed.
    pub outcomes: Vec<Option<Vec<Outcome>>>,
}

/// A course that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The virtual patient's index.
    pub patient: usize,
    /// The arm, or `None` if the patient could not be drawn.
    pub arm: Option<String>,
    /// What went wrong.
    pub error: String,
}

/// The results of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialReport {
    /// The model's id.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// The endpoints' names, in the order of the outcomes.
    pub endpoints: Vec<String>,
    /// What became of each arm.
    pub arms: Vec<ArmReport>,
    /// The courses that failed, in the order of patients and arms.
    pub failures: Vec<Failure>,
    /// How many virtual patients went through the arms; fewer than planned if the trial was asked to stop.
    pub size: usize,
    /// Whether the trial was asked to stop before the end.
    pub stopped: bool,
}

impl TrialReport {
    /// The outcomes of `endpoint` in `arm`, by patient; a failed course is left out.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`], listing the names there are.
    pub fn outcomes(&self, arm: &str, endpoint: &str) -> Result<Vec<Outcome>, TrialError> {
        let unknown = |name: &str, known: Vec<String>| TrialError::UnknownName { name: name.to_owned(), known };
        let names = || self.arms.iter().map(|arm| arm.name.clone()).collect();
        let report = self.arms.iter().find(|candidate| candidate.name == arm).ok_or_else(|| unknown(arm, names()))?;
        let place = self.endpoints.iter().position(|candidate| candidate == endpoint);
        let place = place.ok_or_else(|| unknown(endpoint, self.endpoints.clone()))?;
        Ok(report.outcomes.iter().flatten().filter_map(|outcomes| outcomes.get(place).copied()).collect())
    }

    /// The times of `endpoint` in `arm` in days, by patient, for survival statistics; outcomes that are no times are left out.
    ///
    /// # Errors
    /// As [`TrialReport::outcomes`].
    pub fn follow_ups(&self, arm: &str, endpoint: &str) -> Result<Vec<FollowUp>, TrialError> {
        let follow_up = |outcome: Outcome| match outcome {
            Outcome::Event(day) => Some(FollowUp::event(day)),
            Outcome::Censored(day) => Some(FollowUp::censored(day)),
            _ => None,
        };
        Ok(self.outcomes(arm, endpoint)?.into_iter().filter_map(follow_up).collect())
    }
}

/// Runs a trial: every virtual patient through every arm, on the same draw and the same stream of errors, in parallel.
///
/// The same trial gives the same report, bit for bit, at any number of threads.
///
/// # Errors
/// [`TrialError::Design`] and its kin for a trial that cannot be run; [`TrialError::TooManyFailures`] if more courses fail than
/// tolerated.
pub fn run(trial: &Trial) -> Result<TrialReport, TrialError> {
    run_observed(trial, &())
}

/// As [`run`], with an observer that is told how far the trial is and can stop it. A stopped trial reports the first patients, all of
/// whom went through all arms; how many those are does not depend on the number of threads.
///
/// # Errors
/// As [`run`]; [`TrialError::Stopped`] if it was stopped before the first patient was through.
pub fn run_observed(trial: &Trial, observer: &dyn Observer) -> Result<TrialReport, TrialError> {
    let block = Block::of(trial)?;
    let group = (trial.size / 100).max(LEAST_GROUP);
    let mut gathered = Gathered::of(trial);
    loop {
        let done = gathered.size;
        let progress = Progress { stage: "trial", done, total: trial.size, best: f64::NAN };
        if observer.progress(&progress) == Flow::Stop || done == trial.size {
            return gathered.report(trial);
        }
        let patients = done..(done + group).min(trial.size);
        let assessed = block.assess(patients.clone());
        patients.zip(assessed).for_each(|(patient, arms)| gathered.take(Assessment { patient, arms }));
    }
}

/// How many patients go through at least before the observer is told.
const LEAST_GROUP: usize = 64;

/// Lets blocks of patients through all arms.
pub(crate) struct Block<'a> {
    trial: &'a Trial,
    setup: Setup,
    root: Random,
}

impl<'a> Block<'a> {
    /// How many patients go through before what became of them is handed on, where memory must not grow with their number.
    pub(crate) const PATIENTS: usize = 1024;

    pub(crate) fn of(trial: &'a Trial) -> Result<Self, TrialError> {
        trial.check()?;
        Ok(Self { trial, setup: Setup::of(trial)?, root: Random::new(trial.seed) })
    }

    /// What became of each of `patients`, in order.
    pub(crate) fn assess(&self, patients: Range<usize>) -> Vec<Assessed> {
        patients.into_par_iter().map(|index| self.assess_patient(index)).collect()
    }

    fn assess_patient(&self, index: usize) -> Assessed {
        let trial = self.trial;
        let stream = self.root.stream(index as u64);
        let patient = trial.cohort.draw(index, &mut stream.stream(0))?;
        let assess = |arm: &Arm| {
            let course = live(trial, &self.setup, arm, &patient, &stream)?;
            let outcomes: Vec<Outcome> = trial.endpoints.iter().map(|endpoint| endpoint.assess(&course)).collect();
            match outcomes.iter().enumerate().find_map(|(place, outcome)| Some((place, outcome.not_finite()?))) {
                Some((index, value)) => Err(TrialError::NotFinite { what: "outcome", index, value }),
                None => Ok(outcomes),
            }
        };
        Ok(trial.arms.iter().map(assess).collect())
    }
}

/// A report in the making.
pub(crate) struct Gathered {
    arms: Vec<ArmReport>,
    failures: Vec<Failure>,
    failed: usize,
    first: Option<TrialError>,
    size: usize,
}

impl Gathered {
    pub(crate) fn of(trial: &Trial) -> Self {
        let arms = trial.arms.iter().map(|arm| ArmReport { name: arm.name.clone(), outcomes: Vec::new() }).collect();
        Self { arms, failures: Vec::new(), failed: 0, first: None, size: 0 }
    }

    /// Takes the next patient in.
    pub(crate) fn take(&mut self, Assessment { patient, arms }: Assessment) {
        self.size += 1;
        match arms {
            Err(error) => {
                self.arms.iter_mut().for_each(|report| report.outcomes.push(None));
                self.failed += self.arms.len();
                self.failures.push(Failure { patient, arm: None, error: error.to_string() });
                self.first.get_or_insert(error);
            }
            Ok(arms) => {
                for (report, outcomes) in self.arms.iter_mut().zip(arms) {
                    match outcomes {
                        Ok(outcomes) => report.outcomes.push(Some(outcomes)),
                        Err(error) => {
                            report.outcomes.push(None);
                            self.failed += 1;
                            self.failures.push(Failure { patient, arm: Some(report.name.clone()), error: error.to_string() });
                            self.first.get_or_insert(error);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn report(self, trial: &Trial) -> Result<TrialReport, TrialError> {
        if self.size == 0 {
            return Err(TrialError::Stopped);
        }
        let of = self.size * self.arms.len();
        if let Some(source) = self.first
            && self.failed as f64 > trial.tolerated_failures * of as f64
        {
            return Err(TrialError::TooManyFailures { failed: self.failed, of, source: Box::new(source) });
        }
        let endpoints = trial.endpoints.iter().map(|endpoint| endpoint.name().to_owned()).collect();
        let (model, size) = (trial.model.spec().id.clone(), self.size);
        let (arms, failures, stopped) = (self.arms, self.failures, size < trial.size);
        Ok(TrialReport { model, seed: trial.seed, endpoints, arms, failures, size, stopped })
    }
}

/// The course of the virtual patient number `index` in the arm called `arm`: the very one that [`run`] assesses.
///
/// # Errors
/// [`TrialError::UnknownName`] for an arm that the trial does not have, [`TrialError::NoSuchPatient`] for a patient beyond its size;
/// what keeps the patient from being drawn, or the course from going on.
pub fn course(trial: &Trial, arm: &str, index: usize) -> Result<Course, TrialError> {
    trial.check()?;
    if index >= trial.size {
        return Err(TrialError::NoSuchPatient { index, size: trial.size });
    }
    let names = || trial.arms.iter().map(|arm| arm.name.clone()).collect();
    let unknown = || TrialError::UnknownName { name: arm.to_owned(), known: names() };
    let arm = trial.arms.iter().find(|candidate| candidate.name == arm).ok_or_else(unknown)?;
    let stream = Random::new(trial.seed).stream(index as u64);
    let patient = trial.cohort.draw(index, &mut stream.stream(0))?;
    live(trial, &Setup::of(trial)?, arm, &patient, &stream)
}

/// The units of a trial, resolved once.
struct Setup {
    /// Each observable of the model with its unit, and the unit in which policies see it.
    shown: Vec<(Observable, Unit, Unit)>,
    /// The place of each measurement's observable among those.
    measured: Vec<usize>,
}

impl Setup {
    fn of(trial: &Trial) -> Result<Self, TrialError> {
        let spec = trial.model.spec();
        if spec.observables.is_empty() {
            return Err(TrialError::Design { what: "the list of the model's observables", valid: "not empty" });
        }
        let mut shown = Vec::with_capacity(spec.observables.len());
        for known in &spec.observables {
            let unit = Unit::parse(&known.unit)?;
            let customary = known.observable.customary_unit().map(Unit::parse).transpose()?;
            let seen = customary.filter(|customary| customary.is_commensurable_with(&unit)).unwrap_or_else(|| unit.clone());
            shown.push((known.observable.clone(), unit, seen));
        }
        let measured = trial.measurements.iter().map(|measurement| spec.index_of(&measurement.observable));
        let measured = measured.collect::<Result<_, _>>()?;
        Ok(Self { shown, measured })
    }

    /// The past observations of `patient` as a policy sees them: in order, none from the future, all of an observable in one unit.
    fn past(&self, patient: &VirtualPatient) -> Result<Vec<(Time, Observation)>, TrialError> {
        check_order("observation", None, patient.since, patient.past_observations.iter().map(|(time, _)| *time))?;
        let mut seen: Vec<(Time, Observation)> = Vec::with_capacity(patient.past_observations.len());
        for (time, observation) in patient.past_observations.iter() {
            let of_model = self.shown.iter().find(|(observable, ..)| *observable == observation.observable);
            let earlier = || seen.iter().find(|(_, earlier)| earlier.observable == observation.observable);
            let unit = match (of_model, observation.observable.customary_unit()) {
                (Some((_, _, unit)), _) => Some(unit.clone()),
                (None, Some(customary)) => Some(Unit::parse(customary)?),
                (None, None) => earlier().and_then(|(_, earlier)| earlier.finding.quantity()).map(|first| first.unit().clone()),
            };
            let finding = unit.map_or_else(|| Ok(observation.finding.clone()), |unit| observation.finding.to(&unit))?;
            seen.push((*time, Observation::new(observation.observable.clone(), finding)));
        }
        Ok(seen)
    }
}

/// Refuses `times` that are out of order, begin before `from` or end after `until`.
fn check_order(what: &'static str, from: Option<Time>, until: Time, times: impl Iterator<Item = Time>) -> Result<(), TrialError> {
    let mut last = from;
    for (index, at) in times.enumerate() {
        if last.is_some_and(|last| at < last) || at > until {
            return Err(TrialError::PastOrder { what, index, at, from: last.unwrap_or(at.min(until)), until });
        }
        last = Some(at);
    }
    Ok(())
}

/// Lives one course through. At every visit: observe, then decide, then treat; what was scheduled for a visit comes before its decision.
fn live(trial: &Trial, setup: &Setup, arm: &Arm, patient: &VirtualPatient, stream: &Random) -> Result<Course, TrialError> {
    let width = setup.shown.len();
    check_order("treatment", Some(patient.start), patient.since, patient.past_treatments.iter().map(|past| past.time))?;
    let error_values = error_values(trial, patient);
    let mut observations = setup.past(patient)?;
    let mut treatments = patient.past_treatments.to_vec();
    let past_treatments = treatments.len();
    // What was observed in the past at the very time of the first visit was observed at that visit.
    let past_observations = observations.partition_point(|(time, _)| *time < patient.since);
    let mut simulation = trial.model.start(&patient.parameters, patient.start, &mut stream.stream(1))?;
    let mut errors = stream.stream(2);
    let before = patient.past_treatments.partition_point(|past| past.time < patient.since);
    let (before, at_first) = patient.past_treatments.split_at(before);
    for past in before {
        simulation.expect_stop(past.time);
        simulation.advance(past.time)?;
        simulation.treat(&past.treatment)?;
    }
    let last = (trial.horizon.days() / trial.visit_interval.days() + 1e-9).floor() as usize;
    observations.reserve_exact((last + 1) * trial.measurements.len());
    let (mut visits, mut values, mut stopped) = (Vec::with_capacity(last + 1), vec![0.0; (last + 1) * width], None);
    let (mut now, mut previous, mut scheduled) = (patient.since, None, VecDeque::<TimedTreatment>::new());
    let (mut attendance, mut rows) = (stream.stream(3), values.chunks_exact_mut(width));
    for number in 0..=last {
        let (kept, shift) = trial.attendance.of(number, &mut attendance);
        if !kept {
            continue;
        }
        let Some(row) = rows.next() else { break };
        now = patient.since + Span::from_days(trial.visit_interval.days() * (number as f64 + shift))?;
        while let Some(due) = scheduled.pop_front_if(|due| due.time < now) {
            simulation.expect_stop(due.time);
            simulation.advance(due.time)?;
            simulation.treat(&due.treatment)?;
            treatments.push(due);
        }
        // No stop is announced: most visits change nothing, and then the course must not depend on how often one looks.
        simulation.advance(now)?;
        simulation.observe(row);
        visits.push(now);
        measure(trial, setup, &error_values, row, now, &mut errors, &mut observations)?;
        if previous.is_none() {
            at_first.iter().try_for_each(|past| simulation.treat(&past.treatment))?;
        }
        while let Some(due) = scheduled.pop_front_if(|due| due.time <= now) {
            simulation.treat(&due.treatment)?;
            treatments.push(due);
        }
        let history = History { since: patient.since, now, previous, observations: &observations, treatments: &treatments };
        let decision = arm.policy.decide(&history);
        for treatment in decision.treatments {
            simulation.treat(&treatment)?;
            treatments.push(TimedTreatment::new(now, treatment));
        }
        for later in decision.scheduled {
            if later.time < now {
                return Err(TrialError::Scheduled { treatment: later.treatment.to_string(), at: later.time, now });
            }
            let place = scheduled.partition_point(|other| other.time <= later.time);
            scheduled.insert(place, later);
        }
        while let Some(due) = scheduled.pop_front_if(|due| due.time <= now) {
            simulation.treat(&due.treatment)?;
            treatments.push(due);
        }
        previous = Some(now);
        if let Some(reason) = decision.stop {
            stopped = Some(reason);
            break;
        }
    }
    values.truncate(visits.len() * width);
    Ok(Course {
        since: patient.since,
        end: now,
        stopped,
        visits,
        observables: setup.shown.iter().map(|(observable, ..)| observable.clone()).collect(),
        values,
        observed: observations.split_off(past_observations),
        inherited: inherited(&patient.past_treatments),
        past: Arc::clone(&patient.past_treatments),
        treatments: treatments.split_off(past_treatments),
        chance: stream.stream(4).bits(),
    })
}

/// The parameters of the error of each measurement: the patient's own where there are any, else the defaults.
fn error_values(trial: &Trial, patient: &VirtualPatient) -> Vec<Vec<f64>> {
    let own = |name: &str| patient.error_values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let values = |error: &Arc<dyn ErrorModel>| error.parameters().iter().map(|p| own(&p.name).unwrap_or(p.default)).collect();
    trial.measurements.iter().map(|measurement| measurement.error.as_ref().map(values).unwrap_or_default()).collect()
}

/// Measures what the trial measures. At the first visit of a patient with a past, the past's own observation of that time stands.
fn measure(
    trial: &Trial,
    setup: &Setup,
    error_values: &[Vec<f64>],
    row: &[f64],
    now: Time,
    errors: &mut Random,
    observations: &mut Vec<(Time, Observation)>,
) -> Result<(), TrialError> {
    for ((measurement, &place), error_values) in trial.measurements.iter().zip(&setup.measured).zip(error_values) {
        let (Some(&truth), Some((observable, unit, seen))) = (row.get(place), setup.shown.get(place)) else {
            continue; // the places were resolved on this very specification
        };
        let value = match &measurement.error {
            None => truth,
            Some(error) => error.draw(truth, error_values, errors),
        };
        let same = |(time, seen): &(Time, Observation)| *time == now && seen.observable == measurement.observable;
        if observations.iter().rev().take_while(|(time, _)| *time == now).any(same) {
            continue;
        }
        let finding = Finding::measured(Quantity::new(unit.convert(value, seen)?, seen.clone())?);
        observations.push((now, Observation::new(observable.clone(), finding)));
    }
    Ok(())
}

/// The intensity of each continuous therapy under way after `past`.
fn inherited(past: &[TimedTreatment]) -> Vec<(twin_core::Agent, f64)> {
    let mut levels: Vec<(twin_core::Agent, f64)> = Vec::new();
    for given in past {
        if let Treatment::Continuous { agent, intensity } = &given.treatment {
            match levels.iter_mut().find(|(known, _)| known == agent) {
                Some((_, level)) => *level = intensity.value(),
                None => levels.push((agent.clone(), intensity.value())),
            }
        }
    }
    levels
}
