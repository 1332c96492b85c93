//! Cohorts: where virtual patients come from.

use crate::TrialError;
use std::sync::Arc;
use twin_calibrate::{Posterior, Prior};
use twin_core::{Observation, Patient, Random, Time, TimedTreatment};
use twin_models::{Model, Parameters};

/// A virtual patient: parameters, a past, and the moment at which a policy takes over.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualPatient {
    /// The parameters of the model.
    pub parameters: Parameters,
    /// Values of the parameters of the measurement error, by name; those not named keep their defaults.
    pub error_values: Vec<(String, f64)>,
    /// When the model starts.
    pub start: Time,
    /// When the policy takes over.
    pub since: Time,
    /// What was done until then, in order. What was done at that very moment comes after its observations and before the policy's
    /// first decision.
    pub past_treatments: Arc<[TimedTreatment]>,
    /// What was observed until then, in order.
    pub past_observations: Arc<[(Time, Observation)]>,
}

impl VirtualPatient {
    /// A virtual patient without a past, whom the policy meets at the origin.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        Self {
            parameters,
            error_values: Vec::new(),
            start: Time::ORIGIN,
            since: Time::ORIGIN,
            past_treatments: Arc::from([]),
            past_observations: Arc::from([]),
        }
    }
}

/// A source of virtual patients.
pub trait Cohort: Send + Sync {
    /// The virtual patient number `index`; the same index and stream give the same one, whatever came before.
    ///
    /// # Errors
    /// What keeps that patient from being drawn.
    fn draw(&self, index: usize, random: &mut Random) -> Result<VirtualPatient, TrialError>;

    /// The parameters that are drawn by name. A trial refuses one that neither its model nor one of its errors has.
    fn parameters(&self) -> &[String] {
        &[]
    }
}

/// Given patients, one after the other, from the first again when there are no more.
#[derive(Debug, Clone)]
pub struct FromList(pub Vec<VirtualPatient>);

impl Cohort for FromList {
    fn draw(&self, index: usize, _random: &mut Random) -> Result<VirtualPatient, TrialError> {
        let place = index.checked_rem(self.0.len());
        place.and_then(|place| self.0.get(place)).cloned().ok_or(TrialError::EmptyCohort)
    }
}

/// Virtual patients drawn from a prior over the parameters of a model, treated from the origin on.
#[derive(Clone)]
pub struct FromPrior {
    model: Arc<dyn Model>,
    prior: Arc<dyn Prior>,
}

impl std::fmt::Debug for FromPrior {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromPrior").field("model", &self.model.spec().id).field("parameters", &self.prior.names()).finish()
    }
}

impl FromPrior {
    /// How often a draw outside the ranges of the model is made again.
    const ATTEMPTS: usize = 1000;

    /// A cohort of `model` with `prior`; parameters that the prior does not name keep their defaults, and names that the model does not
    /// have must be those of a measurement error of the trial.
    #[must_use]
    pub fn new(model: Arc<dyn Model>, prior: Arc<dyn Prior>) -> Self {
        Self { model, prior }
    }
}

impl Cohort for FromPrior {
    fn parameters(&self) -> &[String] {
        self.prior.names()
    }

    fn draw(&self, index: usize, random: &mut Random) -> Result<VirtualPatient, TrialError> {
        let defaults = self.model.spec().defaults()?;
        let mut reason = TrialError::EmptyCohort;
        for _ in 0..Self::ATTEMPTS {
            let theta = self.prior.sample(random);
            let mut patient = VirtualPatient::new(defaults.clone());
            let mut fits = true;
            for (name, value) in self.prior.names().iter().zip(theta) {
                match patient.parameters.index_of(name) {
                    Err(_) => patient.error_values.push((name.clone(), value)),
                    Ok(place) => {
                        if let Err(source) = patient.parameters.set(place, value) {
                            (fits, reason) =
                                (false, TrialError::Draw { index, attempts: Self::ATTEMPTS, source: Box::new(source) });
                        }
                    }
                }
            }
            if fits {
                return Ok(patient);
            }
        }
        Err(reason)
    }
}

/// Virtual twins of one patient: draws from the posterior, each with the patient's whole past, whom the policy meets at `since`.
#[derive(Debug, Clone)]
pub struct FromPosterior {
    posterior: Arc<Posterior>,
    start: Time,
    since: Time,
    past_treatments: Arc<[TimedTreatment]>,
    past_observations: Arc<[(Time, Observation)]>,
}

impl FromPosterior {
    /// Twins of `patient` by `posterior`, started when its calibration did and met by the policy at `since`; what happened after that
    /// is not used.
    ///
    /// # Errors
    /// [`TrialError::Past`] if the patient's timeline is empty or begins after `since`.
    pub fn new(posterior: Arc<Posterior>, patient: &Patient, since: Time) -> Result<Self, TrialError> {
        let known = patient.timeline.until(since);
        known.extent().ok_or(TrialError::Past { since })?;
        let start = posterior.record.start;
        let past_treatments = known.treatments().into();
        let past_observations = known.observations().map(|(time, observation)| (time, observation.clone())).collect();
        Ok(Self { posterior, start, since, past_treatments, past_observations })
    }
}

impl Cohort for FromPosterior {
    fn draw(&self, _index: usize, random: &mut Random) -> Result<VirtualPatient, TrialError> {
        let draw = random.below(self.posterior.count());
        let parameters = self.posterior.parameters(draw)?;
        let values = self.posterior.names().iter().cloned().zip(self.posterior.draw(draw)?.iter().copied());
        let error_values = values.filter(|(name, _)| parameters.index_of(name).is_err()).collect();
        Ok(VirtualPatient {
            parameters,
            error_values,
            start: self.start,
            since: self.since,
            past_treatments: Arc::clone(&self.past_treatments),
            past_observations: Arc::clone(&self.past_observations),
        })
    }
}
