//! Who is to be explained, and by what.

use crate::{CalibrationError, ErrorModel, Prior, Problem, Transform};
use twin_core::{Observable, Patient, Random, Time};
use twin_models::{Model, Parameters};

/// A parameter that differs between subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomEffect {
    /// The parameter of the model.
    pub parameter: String,
    /// The map to the real line, on which subjects are normally distributed.
    pub transform: Transform,
    /// A first guess of the typical value, in the parameter's own unit.
    pub start: f64,
    /// A first guess of the standard deviation between subjects, on the real line; too wide is better than too narrow.
    pub spread: f64,
}

impl RandomEffect {
    /// A parameter that is log-normally distributed between subjects.
    #[must_use]
    pub fn log_normal(parameter: impl Into<String>, start: f64, spread: f64) -> Self {
        Self { parameter: parameter.into(), transform: Transform::Log, start, spread }
    }
}

/// Subjects who share a model, its error, and the distribution of its parameters. Plain data: a method solves it.
#[derive(Clone)]
pub struct Population<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// The values of the parameters that do not differ.
    pub base: Parameters,
    /// The subjects.
    pub patients: &'a [Patient],
    /// The parameters that differ.
    pub effects: Vec<RandomEffect>,
    /// The observables that are explained, each with its error; the defaults of the error's parameters are first guesses.
    pub errors: Vec<(Observable, &'a dyn ErrorModel)>,
    /// The parameters of the errors that are estimated; all others keep their defaults.
    pub estimated: Vec<String>,
    /// When the model starts.
    pub start: Time,
}

impl std::fmt::Debug for Population<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Population")
            .field("model", &self.model.spec().id)
            .field("subjects", &self.patients.len())
            .field("effects", &self.effects)
            .field("estimated", &self.estimated)
            .finish_non_exhaustive()
    }
}

/// A prior without a density: it names what varies from evaluation to evaluation.
#[derive(Debug)]
pub(super) struct Open {
    names: Vec<String>,
    transforms: Vec<Transform>,
    start: Vec<f64>,
}

impl Prior for Open {
    fn names(&self) -> &[String] {
        &self.names
    }
    fn ln_density(&self, _theta: &[f64]) -> f64 {
        0.0
    }
    fn sample(&self, _random: &mut Random) -> Vec<f64> {
        self.start.clone()
    }
    fn transforms(&self) -> &[Transform] {
        &self.transforms
    }
}

impl Population<'_> {
    pub(super) fn check(&self, method: &'static str) -> Result<(), CalibrationError> {
        let length = |what, expected, actual| Err(CalibrationError::Length { method, what, expected, actual });
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method, setting, value, valid });
        if self.effects.is_empty() {
            return length("the number of random effects", 1, 0);
        }
        if self.patients.len() <= self.effects.len() {
            return length("the number of subjects", self.effects.len() + 1, self.patients.len());
        }
        for effect in &self.effects {
            if !effect.transform.to_real(effect.start).is_finite() {
                return setting("start of a random effect", effect.start, "inside the range of its transform");
            }
            if !(effect.spread > 0.0 && effect.spread.is_finite()) {
                return setting("spread of a random effect", effect.spread, "above 0 and finite");
            }
        }
        for name in &self.estimated {
            let known = || self.errors.iter().flat_map(|(_, error)| error.parameters());
            let Some(parameter) = known().find(|parameter| parameter.name == *name) else {
                let known = known().map(|parameter| parameter.name.to_string()).collect();
                return Err(CalibrationError::UnknownParameter { name: name.clone(), known });
            };
            if !(parameter.default > 0.0 && parameter.default.is_finite()) {
                return setting("first guess of an error parameter", parameter.default, "above 0 and finite");
            }
        }
        Ok(())
    }

    /// What varies: the effects, then the estimated parameters of the errors.
    pub(super) fn open(&self) -> Open {
        let mut open = Open { names: Vec::new(), transforms: Vec::new(), start: Vec::new() };
        for effect in &self.effects {
            open.names.push(effect.parameter.clone());
            open.transforms.push(effect.transform);
            open.start.push(effect.start);
        }
        for name in &self.estimated {
            let parameters = self.errors.iter().flat_map(|(_, error)| error.parameters());
            let default = parameters.filter(|parameter| parameter.name == *name).map(|parameter| parameter.default).next();
            open.names.push(name.clone());
            open.transforms.push(Transform::Log);
            open.start.push(default.unwrap_or(1.0));
        }
        open
    }

    pub(super) fn problems<'b>(&'b self, open: &'b Open) -> Vec<Problem<'b>> {
        let problem = |patient| Problem {
            model: self.model,
            patient,
            base: self.base.clone(),
            prior: open,
            errors: self.errors.iter().map(|(observable, error)| (observable.clone(), *error)).collect(),
            start: self.start,
            weight: 1.0,
        };
        self.patients.iter().map(problem).collect()
    }
}
