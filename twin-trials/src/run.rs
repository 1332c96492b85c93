//! Running a trial: every virtual patient through every arm.

use crate::{Arm, Course, History, Outcome, Trial, TrialError, VirtualPatient};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use twin_calibrate::{Flow, Observer, Progress};
use twin_core::{Observation, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::Simulation;

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
/// whom went through all arms.
///
/// # Errors
/// As [`run`]; [`TrialError::Stopped`] if it was stopped before the first patient was through.
pub fn run_observed(trial: &Trial, observer: &dyn Observer) -> Result<TrialReport, TrialError> {
    trial.check()?;
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let root = Random::new(trial.seed);
    let every = (trial.size / 100).max(1);
    let patient = |index: usize| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let result = assess_patient(trial, index, &root);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(every) {
            let progress = Progress { stage: "trial", done, total: trial.size, best: f64::NAN };
            if matches!(observer.progress(&progress), Flow::Stop) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Some(result)
    };
    let results: Vec<_> = (0..trial.size).into_par_iter().map(patient).collect();
    let results: Vec<_> = results.into_iter().map_while(|result| result).collect();
    if results.is_empty() {
        return Err(TrialError::Stopped);
    }
    gather(trial, results)
}

/// The outcomes of each arm for one patient, or what went wrong.
type Assessed = Result<Vec<Result<Vec<Outcome>, TrialError>>, TrialError>;

fn assess_patient(trial: &Trial, index: usize, root: &Random) -> Assessed {
    let stream = root.stream(index as u64);
    let patient = trial.cohort.draw(index, &mut stream.stream(0))?;
    let assess = |arm: &Arm| {
        let course = live(trial, arm, &patient, &stream)?;
        Ok(trial.endpoints.iter().map(|endpoint| endpoint.assess(&course)).collect())
    };
    Ok(trial.arms.iter().map(assess).collect())
}

fn gather(trial: &Trial, results: Vec<Assessed>) -> Result<TrialReport, TrialError> {
    let (size, count) = (results.len(), trial.arms.len());
    let mut arms: Vec<ArmReport> =
        trial.arms.iter().map(|arm| ArmReport { name: arm.name.clone(), outcomes: Vec::with_capacity(size) }).collect();
    let (mut failures, mut failed, mut first) = (Vec::new(), 0, None);
    for (patient, assessed) in results.into_iter().enumerate() {
        let mut fail = |arm: Option<&Arm>, error: TrialError| {
            failures.push(Failure { patient, arm: arm.map(|arm| arm.name.clone()), error: error.to_string() });
            failed += if arm.is_some() { 1 } else { count };
            first.get_or_insert(error);
        };
        match assessed {
            Err(error) => {
                fail(None, error);
                arms.iter_mut().for_each(|report| report.outcomes.push(None));
            }
            Ok(outcomes) => {
                for ((report, arm), outcomes) in arms.iter_mut().zip(&trial.arms).zip(outcomes) {
                    match outcomes {
                        Ok(outcomes) => report.outcomes.push(Some(outcomes)),
                        Err(error) => {
                            fail(Some(arm), error);
                            report.outcomes.push(None);
                        }
                    }
                }
            }
        }
    }
    if let Some(source) = first
        && failed as f64 > trial.tolerated_failures * (size * count) as f64
    {
        return Err(TrialError::TooManyFailures { failed, of: size * count, source: Box::new(source) });
    }
    let endpoints = trial.endpoints.iter().map(|endpoint| endpoint.name().to_owned()).collect();
    let model = trial.model.spec().id.clone();
    Ok(TrialReport { model, seed: trial.seed, endpoints, arms, failures, size, stopped: size < trial.size })
}

/// The course of the virtual patient number `index` in the arm called `arm`: the very one that [`run`] assesses.
///
/// # Errors
/// [`TrialError::UnknownName`] for an arm that the trial does not have; what keeps the patient from being drawn, or the course from
/// going on.
pub fn course(trial: &Trial, arm: &str, index: usize) -> Result<Course, TrialError> {
    trial.check()?;
    let names = || trial.arms.iter().map(|arm| arm.name.clone()).collect();
    let unknown = || TrialError::UnknownName { name: arm.to_owned(), known: names() };
    let arm = trial.arms.iter().find(|candidate| candidate.name == arm).ok_or_else(unknown)?;
    let stream = Random::new(trial.seed).stream(index as u64);
    let patient = trial.cohort.draw(index, &mut stream.stream(0))?;
    live(trial, arm, &patient, &stream)
}

/// Lives one course through. At every visit: observe, then decide, then treat.
fn live(trial: &Trial, arm: &Arm, patient: &VirtualPatient, stream: &Random) -> Result<Course, TrialError> {
    let spec = trial.model.spec();
    let width = spec.observables.len();
    let mut simulation = trial.model.start(&patient.parameters, patient.start, &mut stream.stream(1))?;
    let mut errors = stream.stream(2);
    replay(simulation.as_mut(), patient)?;
    let mut treatments = patient.past_treatments.to_vec();
    let mut observations = patient.past_observations.to_vec();
    let (past_treatments, past_observations) = (treatments.len(), observations.len());
    let last = (trial.horizon.days() / trial.visit_interval.days() + 1e-9).floor() as usize;
    let (mut visits, mut values, mut stopped) = (Vec::with_capacity(last + 1), vec![0.0; (last + 1) * width], None);
    let mut end = patient.since + trial.horizon;
    for (number, row) in values.chunks_exact_mut(width).enumerate() {
        let now = patient.since + Span::from_days(trial.visit_interval.days() * number as f64)?;
        // No stop is announced: most visits change nothing, and then the course must not depend on how often one looks.
        simulation.advance(now)?;
        simulation.observe(row);
        visits.push(now);
        measure(trial, patient, row, now, &mut errors, &mut observations)?;
        let history = History { since: patient.since, now, observations: &observations, treatments: &treatments };
        let decision = arm.policy.decide(&history);
        for treatment in decision.treatments {
            simulation.treat(&treatment)?;
            treatments.push(TimedTreatment::new(now, treatment));
        }
        if let Some(reason) = decision.stop {
            (stopped, end) = (Some(reason), now);
            break;
        }
    }
    values.truncate(visits.len() * width);
    Ok(Course {
        since: patient.since,
        end,
        stopped,
        visits,
        observables: spec.observables.iter().map(|known| known.observable.clone()).collect(),
        values,
        observed: observations.split_off(past_observations),
        inherited: inherited(&patient.past_treatments),
        treatments: treatments.split_off(past_treatments),
    })
}

/// Brings the course through the patient's past up to the moment at which the policy takes over.
fn replay(simulation: &mut dyn Simulation, patient: &VirtualPatient) -> Result<(), TrialError> {
    for past in patient.past_treatments.iter() {
        simulation.expect_stop(past.time);
        simulation.advance(past.time)?;
        simulation.treat(&past.treatment)?;
    }
    Ok(())
}

/// Measures what the trial measures. At the first visit of a patient with a past, the past's own observation of that time stands.
fn measure(
    trial: &Trial,
    patient: &VirtualPatient,
    row: &[f64],
    now: Time,
    errors: &mut Random,
    observations: &mut Vec<(Time, Observation)>,
) -> Result<(), TrialError> {
    let spec = trial.model.spec();
    for measurement in &trial.measurements {
        let place = spec.index_of(&measurement.observable)?;
        let truth = row.get(place).copied().unwrap_or(f64::NAN);
        let value = match &measurement.error {
            None => truth,
            Some(error) => {
                let named = |name: &str| patient.error_values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
                let parameters = error.parameters().iter().map(|p| named(&p.name).unwrap_or(p.default)).collect::<Vec<_>>();
                error.draw(truth, &parameters, errors)
            }
        };
        let same = |(time, seen): &(Time, Observation)| *time == now && seen.observable == measurement.observable;
        if observations.iter().rev().take_while(|(time, _)| *time == now).any(same) {
            continue;
        }
        let unit = spec.observables.get(place).map_or("1", |known| known.unit.as_ref());
        observations.push((now, Observation::number(measurement.observable.clone(), value, unit)?));
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
