//! Theophylline by mouth in twelve subjects, as one population.

use std::sync::Arc;
use twin_calibrate::NormalError;
use twin_calibrate::population::{Focei, Population, PopulationFit, RandomEffect, Saem};
use twin_core::{
    Agent, Event, Finding, Observable, Observation, Patient, Provenance, Quantity, Random, SubjectId, Time, Treatment,
};
use twin_models::{Dynamics, Exposure, Given, Model, ModelSpec, Ode, Refused, Scalar, Source, TreatmentKind, parameters};

const BOECKMANN: Source = Source::published("Boeckmann, Sheiner and Beal 1994, NONMEM Users Guide, part V");
const CHOICE: Source = Source::assumed("a start for the fit");

parameters! {
    /// Parameters of [`Absorbed`].
    pub struct AbsorbedParameters {
        absorption: "/d" in 1e-1..=1e4, default 24.0, "Rate of absorption from the gut", CHOICE;
        clearance: "L/d" in 1e-2..=1e5, default 72.0, "Clearance", CHOICE;
        volume: "L" in 1e-1..=1e4, default 30.0, "Volume of distribution", CHOICE;
    }
}

/// One compartment with absorption of first order: milligrams in the gut and in the body.
#[derive(Debug, Clone)]
pub struct Absorbed {
    spec: Arc<ModelSpec>,
}

impl Dynamics for Absorbed {
    type State = [f64; 2];
    type Parameters = AbsorbedParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &AbsorbedParameters<T>) -> [T; 2] {
        [T::from(0.0); 2]
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 2], _exposure: &Exposure<T>, p: &AbsorbedParameters<T>, dx: &mut [T; 2]) {
        dx[0] = -p.absorption * x[0];
        dx[1] = p.absorption * x[0] - p.clearance / p.volume * x[1];
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], p: &AbsorbedParameters<T>, y: &mut [T]) {
        y[0] = x[1] / p.volume;
    }

    fn treat<T: Scalar>(&self, dose: Given<T>, _p: &AbsorbedParameters<T>, x: &mut [T; 2]) -> Result<(), Refused> {
        x[0] += dose.amount;
        Ok(())
    }
}

/// The concentration of theophylline in plasma.
pub const CONCENTRATION: &str = "theophylline";

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The model.
///
/// # Errors
/// In words.
pub fn model() -> Result<Ode<Absorbed>, String> {
    let (drug, seen) = (Agent::new("theophylline").map_err(words)?, Observable::new(CONCENTRATION).map_err(words)?);
    let spec = ModelSpec::new::<AbsorbedParameters>("absorbed", "One compartment with absorption", BOECKMANN)
        .state("gut", "mg", 1e-6)
        .state("body", "mg", 1e-6)
        .observes(seen, "mg/L")
        .understands_drug(TreatmentKind::Oral, &drug, "mg");
    Ok(Ode::new(Absorbed { spec: Arc::new(spec) }))
}

/// The subjects; concentrations below `limit` mg/L, if there is one, as being below it. `None` if the data are absent.
///
/// # Errors
/// In words.
pub fn subjects(test: &str, limit: Option<f64>) -> Result<Option<Vec<Patient>>, String> {
    let Some(path) = crate::data(test, "reference/nlme/theophylline.csv") else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(words)?;
    let (drug, seen) = (Agent::new("theophylline").map_err(words)?, Observable::new(CONCENTRATION).map_err(words)?);
    let mut patients: Vec<Patient> = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let &[id, time, value, amount, event, ..] = fields.as_slice() else { return Err(format!("not a row: {line}")) };
        let number = |text: &str| text.parse::<f64>().map_err(words);
        if patients.last().is_none_or(|patient| patient.id.as_str() != id) {
            patients.push(Patient::new(SubjectId::new(id).map_err(words)?));
        }
        let what = if event == "0" {
            let finding = match limit {
                Some(limit) if number(value)? < limit => Finding::Below(Quantity::new(limit, "mg/L").map_err(words)?),
                _ => Finding::measured(Quantity::new(number(value)?, "mg/L").map_err(words)?),
            };
            Event::Observation(Observation::new(seen.clone(), finding))
        } else {
            let dose = Quantity::new(number(amount)?, "mg").map_err(words)?;
            Event::Treatment(Treatment::oral(drug.clone(), dose).map_err(words)?)
        };
        let at = Time::from_days(number(time)? / 24.0).map_err(words)?;
        let last = patients.last_mut().ok_or("no subject")?;
        last.timeline.record(at, what, Provenance::measured("theophylline.csv"));
    }
    Ok(Some(patients))
}

/// The population of `patients`, with the error of measurement `error`.
///
/// # Errors
/// In words.
pub fn population<'a>(model: &'a dyn Model, patients: &'a [Patient], error: &'a NormalError) -> Result<Population<'a>, String> {
    // First guesses in whole days and liters, each off by a factor of up to two.
    let effects = [("absorption", 24.0), ("clearance", 120.0), ("volume", 50.0)];
    Ok(Population {
        model,
        base: model.spec().defaults().map_err(words)?,
        patients,
        effects: effects.into_iter().map(|(name, start)| RandomEffect::log_normal(name, start, 0.7)).collect(),
        errors: vec![(Observable::new(CONCENTRATION).map_err(words)?, error)],
        covariates: Vec::new(),
        estimated: vec!["additive_error".to_owned()],
        start: Time::ORIGIN,
    })
}

/// The fit by SAEM with its default settings; `None` if the data are absent.
///
/// # Errors
/// In words.
pub fn saem(test: &str, limit: Option<f64>) -> Result<Option<PopulationFit>, String> {
    let Some(patients) = subjects(test, limit)? else { return Ok(None) };
    let (model, error) = (model()?, NormalError::new(1.0, 0.0));
    let population = population(&model, &patients, &error)?;
    Saem::default().fit(&population, &mut Random::new(1994), &()).map(Some).map_err(words)
}

/// The fit by first-order conditional estimation with its default settings; `None` if the data are absent.
///
/// # Errors
/// In words.
pub fn focei(test: &str) -> Result<Option<PopulationFit>, String> {
    let Some(patients) = subjects(test, None)? else { return Ok(None) };
    let (model, error) = (model()?, NormalError::new(1.0, 0.0));
    let population = population(&model, &patients, &error)?;
    Focei::default().fit(&population, &mut Random::new(1994), &()).map(Some).map_err(words)
}
