//! Made-up patients: parameters from the prior, readings from the model.

use crate::living::{Assumptions, Twin, Updater};
use crate::{CalibrationError, Calibrator, Posterior};
use twin_core::{Entry, Event, Finding, Observation, Patient, Provenance, Quantity, Random, SubjectId, Time, TimedTreatment};
use twin_models::Scenario;

/// Which patients a method is tested on: what is assumed of them, when they are seen and how they are treated.
#[derive(Debug, Clone)]
pub struct Design {
    /// What is assumed, and true.
    pub assumptions: Assumptions,
    /// When every observable is read.
    pub visits: Vec<Time>,
    /// What is given.
    pub treatments: Vec<TimedTreatment>,
}

/// The method under test.
#[derive(Clone, Copy)]
pub enum Method<'a> {
    /// A calibrator, which sees all readings at once.
    Calibrator(&'a dyn Calibrator),
    /// An updater of a living twin of so many draws from the prior, which sees one reading after the other.
    Updater(&'a dyn Updater, usize),
}

impl std::fmt::Debug for Method<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Calibrator(_) => "Calibrator",
            Self::Updater(..) => "Updater",
        })
    }
}

impl Method<'_> {
    /// The posterior of `patient`.
    pub(super) fn infer(
        self,
        assumptions: &Assumptions,
        patient: &Patient,
        random: &mut Random,
    ) -> Result<Posterior, CalibrationError> {
        match self {
            Self::Calibrator(calibrator) => calibrator.calibrate(&assumptions.problem(patient), random),
            Self::Updater(updater, draws) => {
                let nobody = Patient { timeline: Default::default(), ..patient.clone() };
                let begun = Twin::unseen(assumptions.clone(), nobody, draws, random)?;
                let follow = |twin: Twin, entry: &Entry| {
                    twin.update(entry.time, entry.event.clone(), entry.provenance.clone(), updater, random)
                };
                Ok(patient.timeline.entries().iter().try_fold(begun, follow)?.posterior().clone())
            }
        }
    }
}

impl Design {
    /// A design without treatment, with visits on the given `days`.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for a day that is no time.
    pub fn daily(assumptions: Assumptions, days: &[f64]) -> Result<Self, CalibrationError> {
        let time = |day: &f64| {
            let bad = CalibrationError::Setting { method: "design", setting: "day", value: *day, valid: "a finite number of days" };
            Time::from_days(*day).map_err(|_| bad)
        };
        Ok(Self { assumptions, visits: days.iter().map(time).collect::<Result<_, _>>()?, treatments: Vec::new() })
    }

    /// Parameters drawn from the prior within the ranges of the model, and a patient who has them.
    ///
    /// # Errors
    /// [`CalibrationError::NoStart`] if none of a thousand draws can be lived through.
    pub fn draw(&self, random: &mut Random) -> Result<(Vec<f64>, Patient), CalibrationError> {
        const ATTEMPTS: usize = 1000;
        let mut source = None;
        for _ in 0..ATTEMPTS {
            let theta = self.assumptions.prior.sample(random);
            match self.patient(&theta, random) {
                Ok(patient) => return Ok((theta, patient)),
                Err(CalibrationError::Simulation { source: failure }) => source = Some(failure),
                Err(other) => return Err(other),
            }
        }
        Err(CalibrationError::NoStart { attempts: ATTEMPTS, source })
    }

    /// A patient with the parameters `theta`, in the order of the prior.
    ///
    /// # Errors
    /// [`CalibrationError::Simulation`] if the model cannot live through the design with them.
    pub fn patient(&self, theta: &[f64], random: &mut Random) -> Result<Patient, CalibrationError> {
        let assumptions = &self.assumptions;
        let (names, spec) = (assumptions.prior.names(), assumptions.model.spec());
        let value = |name: &str| names.iter().zip(theta).find(|(known, _)| *known == name).map(|(_, value)| *value);
        let mut parameters = assumptions.base.clone();
        for (place, known) in spec.parameters.iter().enumerate() {
            if let Some(value) = value(&known.name) {
                parameters.set(place, value)?;
            }
        }
        let scenario = Scenario::starting(assumptions.start).treated(self.treatments.clone()).sampled(self.visits.iter().copied());
        let course = twin_models::simulate(assumptions.model.as_ref(), &parameters, &scenario, random)?;
        let id = SubjectId::new("made up").map_err(twin_models::SimulationError::from)?;
        let mut patient = Patient::new(id);
        for given in &self.treatments {
            patient.timeline.record(given.time, Event::Treatment(given.treatment.clone()), Provenance::simulated("design"));
        }
        for (observable, error) in &assumptions.errors {
            let output = spec.index_of(observable)?;
            let unit = spec.observables.get(output).map_or("1", |known| known.unit.as_ref());
            let unit: twin_core::Unit = unit.parse().map_err(twin_models::SimulationError::from)?;
            let values: Vec<f64> = error.parameters().iter().map(|p| value(&p.name).unwrap_or(p.default)).collect();
            for (visit, time) in scenario.sampling.iter().enumerate() {
                let predicted = course.row(visit).and_then(|row| row.get(output)).copied().unwrap_or(f64::NAN);
                let seen = error.draw(predicted, &values, random);
                let quantity = Quantity::new(seen, unit.clone()).map_err(twin_models::SimulationError::from)?;
                let seen = Event::Observation(Observation::new(observable.clone(), Finding::measured(quantity)));
                patient.timeline.record(*time, seen, Provenance::simulated("design"));
            }
        }
        Ok(patient)
    }
}
