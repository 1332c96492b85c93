//! The embedded case: a virtual patient, made by a model that the twin does not use.
//!
//! The PSA comes from the cell-quota model of androgen deprivation (`twin_models::psa`) with a log-normal scatter of 18 %; therapy
//! follows the intermittent protocol of Bruchovsky 2006 at visits every four weeks for five years. The twin explains it with the model
//! of sensitive and resistant cells, so it never fits its own output.

use std::sync::Arc;
use twin_calibrate::LogError;
use twin_core::{Agent, CoreError, Event, Observable, Patient, Provenance, Span, SubjectId};
use twin_models::{Model, psa};
use twin_trials::{CumulativeDose, FromList, Intermittent, Trial, TrialError, VirtualPatient, course};

/// The seed of the scatter.
const SEED: u64 = 42;

/// Makes the virtual patient.
///
/// # Errors
/// None for the fixed numbers below; the results are those of the steps.
pub(crate) fn virtual_patient() -> Result<Patient, TrialError> {
    let drug = Agent::new("androgen deprivation")?;
    let model = Arc::new(psa::cell_quota(drug.clone()).with_relative_tolerance(1e-10));
    let chosen = [("initial_psa", 24.0), ("growth_rate", 0.035), ("crowding_rate", 1e-3)];
    let parameters = chosen.iter().try_fold(model.spec().defaults()?, |all, (name, value)| all.with(name, *value))?;
    let trial = Trial::new(model, FromList(vec![VirtualPatient::new(parameters)]), 1)
        .arm("protocol", first_on(Intermittent::bruchovsky(drug.clone())?))
        .measure_with(Observable::PSA, LogError::new(0.18, 0.1))
        .endpoint(CumulativeDose { agent: drug, unit: None })
        .visits(Span::from_days(28.0)?, Span::from_days(1820.0)?)
        .seed(SEED);
    let lived = course(&trial, "protocol", 0)?;
    let source = Provenance::simulated(format!("cell_quota model, intermittent protocol, seed {SEED}"));
    let mut patient = Patient::new(SubjectId::new("virtual")?);
    for (time, observation) in lived.observed {
        patient.timeline.record(time, Event::Observation(rounded(observation)?), source.clone());
    }
    for given in lived.treatments {
        patient.timeline.record(given.time, Event::Treatment(given.treatment), source.clone());
    }
    Ok(patient)
}

/// The protocol, with therapy on from the first visit.
fn first_on(protocol: Intermittent) -> impl twin_trials::Policy {
    move |history: &twin_trials::History<'_>| {
        if history.is_first() {
            return twin_trials::Decision::give(twin_core::Treatment::on(protocol.agent.clone()));
        }
        twin_trials::Policy::decide(&protocol, history)
    }
}

/// The observation as a laboratory prints it: two digits behind the point.
fn rounded(observation: twin_core::Observation) -> Result<twin_core::Observation, CoreError> {
    let value = observation.finding.quantity().map_or(0.0, twin_core::Quantity::value);
    twin_core::Observation::number(observation.observable, (value * 100.0).round() / 100.0, "ng/mL")
}
