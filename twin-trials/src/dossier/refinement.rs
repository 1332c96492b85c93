//! Calculation verification: what a finer numerical setting changes.

use crate::{Outcome, Trial, TrialError, TrialReport, run};
use std::sync::Arc;
use twin_calibrate::living::Twin;
use twin_core::{Random, Time};
use twin_models::{Model, Scenario, simulate};

/// What a finer numerical setting changed in one result.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    /// What was made finer, for example `relative tolerance 1e-7 to 1e-10`.
    pub setting: String,
    /// The result: an observable, or an arm and an endpoint.
    pub result: String,
    /// Its unit; empty for a result without one.
    pub unit: String,
    /// The largest difference, in the unit.
    pub largest: f64,
    /// The largest difference as a share of the finer result.
    pub relative: f64,
    /// How many results were compared.
    pub compared: usize,
    /// How many came out of another kind, an event instead of none for example. Their differences are not in the others.
    pub changed: usize,
}

impl Refinement {
    fn of(setting: &str, result: String, unit: &str) -> Self {
        let (setting, unit) = (setting.to_owned(), unit.to_owned());
        Self { setting, result, unit, largest: 0.0, relative: 0.0, compared: 0, changed: 0 }
    }

    /// Takes in one pair; sizes below `floor` count as `floor`.
    fn compare(&mut self, coarse: f64, fine: f64, floor: f64) {
        let difference = (coarse - fine).abs();
        self.compared += 1;
        // A difference that is no number must not be lost in a maximum.
        let larger = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        self.largest = larger(self.largest, difference);
        let share = if difference > 0.0 { difference / fine.abs().max(floor) } else { difference };
        self.relative = larger(self.relative, share);
    }
}

/// Lives the twin's past, and the time up to `until`, at `draws` draws of its posterior with its own model and with `refined`, the same
/// model at a finer numerical setting, and compares every observable at every time on the timeline and at `until`.
///
/// # Errors
/// [`TrialError::Count`] for no draws or more than the posterior has; [`TrialError::Simulation`] if one of the models cannot go on, or
/// `refined` is another model.
pub fn refine_twin(
    twin: &Twin,
    refined: &dyn Model,
    setting: &str,
    until: Time,
    draws: usize,
) -> Result<Vec<Refinement>, TrialError> {
    let posterior = twin.posterior();
    if draws == 0 || draws > posterior.count() {
        return Err(TrialError::Count { what: "the number of draws", count: draws, valid: "from 1 to the draws of the posterior" });
    }
    let (model, timeline) = (&twin.assumptions().model, &twin.patient().timeline);
    let start = posterior.record.start;
    let mut times: Vec<Time> = timeline.observations().map(|(time, _)| time).chain([until]).filter(|time| *time >= start).collect();
    times.sort();
    times.dedup();
    let given = timeline.treatments().into_iter().filter(|given| given.time >= start);
    let scenario = Scenario::starting(start).treated(given).sampled(times);
    let spec = model.spec();
    let of =
        |observable: &twin_models::ObservableSpec| Refinement::of(setting, observable.observable.to_string(), &observable.unit);
    let mut found: Vec<Refinement> = spec.observables.iter().map(of).collect();
    for k in 0..draws {
        let parameters = posterior.parameters(k * posterior.count() / draws)?;
        let live = |model: &dyn Model| simulate(model, &parameters, &scenario, &mut Random::new(0).stream(k as u64));
        let (coarse, fine) = (live(model.as_ref())?, live(refined)?);
        let rows = coarse.values.chunks(spec.observables.len()).zip(fine.values.chunks(spec.observables.len()));
        for (coarse, fine) in rows {
            for (((coarse, fine), observable), found) in coarse.iter().zip(fine).zip(&spec.observables).zip(&mut found) {
                found.compare(*coarse, *fine, observable.absolute_tolerance);
            }
        }
    }
    Ok(found)
}

/// Runs `trial` again with `refined`, its model at a finer numerical setting, and compares every outcome with that in `report`.
///
/// # Errors
/// As [`run`]; [`TrialError::Length`] if `report` is not of `trial`.
pub fn refine_trial(
    trial: &Trial,
    report: &TrialReport,
    refined: Arc<dyn Model>,
    setting: &str,
) -> Result<Vec<Refinement>, TrialError> {
    let again = run(&Trial { model: refined, ..trial.clone() })?;
    if again.arms.len() != report.arms.len() || again.endpoints != report.endpoints || again.size != report.size {
        let (found, expected) = (report.arms.len() * report.size, again.arms.len() * again.size);
        return Err(TrialError::Length { what: "the report of the trial", found, expected, reference: "the trial" });
    }
    let mut found = Vec::new();
    for (coarse, fine) in report.arms.iter().zip(&again.arms) {
        for (place, endpoint) in report.endpoints.iter().enumerate() {
            let mut refinement = Refinement::of(setting, format!("{}: {endpoint}", coarse.name), "");
            for (coarse, fine) in coarse.outcomes.iter().zip(&fine.outcomes) {
                let at = |outcomes: &Option<Vec<Outcome>>| outcomes.as_ref().and_then(|outcomes| outcomes.get(place).copied());
                match (at(coarse), at(fine)) {
                    (Some(Outcome::Event(a)), Some(Outcome::Event(b)))
                    | (Some(Outcome::Censored(a)), Some(Outcome::Censored(b)))
                    | (Some(Outcome::Value(a)), Some(Outcome::Value(b))) => refinement.compare(a, b, f64::MIN_POSITIVE),
                    (a, b) => {
                        refinement.compared += 1;
                        refinement.changed += usize::from(a != b);
                    }
                }
            }
            found.push(refinement);
        }
    }
    Ok(found)
}
