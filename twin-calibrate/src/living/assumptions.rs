//! What a twin takes for granted.

use crate::{CalibrationError, ErrorModel, Prior, Problem};
use std::sync::Arc;
use twin_core::{Observable, Patient, Time};
use twin_models::{Model, Parameters};

/// What stays the same from one version of a twin to the next: a [`Problem`] without its patient.
#[derive(Clone)]
pub struct Assumptions {
    /// The model.
    pub model: Arc<dyn Model>,
    /// The values of the parameters that the prior does not name.
    pub base: Parameters,
    /// What is believed beforehand.
    pub prior: Arc<dyn Prior>,
    /// The observables that are explained, each with its error.
    pub errors: Vec<(Observable, Arc<dyn ErrorModel>)>,
    /// When the model starts: nothing on the timeline may lie before.
    pub start: Time,
    /// The weight of the likelihood, as [`Problem::weight`].
    pub weight: f64,
}

impl std::fmt::Debug for Assumptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assumptions")
            .field("model", &self.model.spec().id)
            .field("parameters", &self.prior.names())
            .field("observables", &self.errors.iter().map(|(observable, _)| observable).collect::<Vec<_>>())
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl Assumptions {
    /// That `model` explains `observable` with `error` from `start` on, under `prior`; the other parameters keep their defaults.
    ///
    /// # Errors
    /// [`CalibrationError::Simulation`] if the defaults are not valid.
    pub fn new(
        model: Arc<dyn Model>,
        prior: Arc<dyn Prior>,
        observable: Observable,
        error: Arc<dyn ErrorModel>,
        start: Time,
    ) -> Result<Self, CalibrationError> {
        let base = model.spec().defaults()?;
        Ok(Self { model, base, prior, errors: vec![(observable, error)], start, weight: 1.0 })
    }

    /// The same, with `observable` explained too.
    #[must_use]
    pub fn and(mut self, observable: Observable, error: Arc<dyn ErrorModel>) -> Self {
        self.errors.push((observable, error));
        self
    }

    /// The problem of explaining `patient`.
    #[must_use]
    pub fn problem<'a>(&'a self, patient: &'a Patient) -> Problem<'a> {
        Problem {
            model: self.model.as_ref(),
            patient,
            base: self.base.clone(),
            prior: self.prior.as_ref(),
            errors: self.errors.iter().map(|(observable, error)| (observable.clone(), error.as_ref())).collect(),
            start: self.start,
            weight: self.weight,
        }
    }
}
