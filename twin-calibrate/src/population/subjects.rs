//! Who is to be explained, and by what.

use crate::{CalibrationError, ErrorModel, Prior, Problem, Transform};
use twin_core::{CovariateName, Observable, Patient, Random, Time, Unit};
use twin_models::SimulationError;
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

/// A covariate on which the typical value of a parameter depends: on the real line, linearly.
///
/// For a parameter on the logarithm and the logarithm of a body weight over 70 kg the coefficient is the allometric exponent; for an arm coded as 0 and
/// 1 it is the logarithm of the ratio between the arms.
#[derive(Debug, Clone, PartialEq)]
pub struct CovariateEffect {
    /// The parameter, one of the random effects.
    pub parameter: String,
    /// The covariate.
    pub covariate: String,
    /// Its value in each subject, in the order of the patients; 0 is the typical subject.
    pub values: Vec<f64>,
}

impl CovariateEffect {
    /// The effect of `covariate` as it is recorded of each patient at `at`, in `unit`, mapped by `map` (the logarithm over a typical value, say).
    ///
    /// # Errors
    /// [`CalibrationError::Covariate`] for the first patient of whom it is not recorded; [`CalibrationError::Simulation`] for a unit that does not convert.
    pub fn recorded(
        parameter: impl Into<String>,
        covariate: &CovariateName,
        patients: &[Patient],
        (at, unit): (Time, &Unit),
        map: impl Fn(f64) -> f64,
    ) -> Result<Self, CalibrationError> {
        let value = |patient: &Patient| {
            let missing = || CalibrationError::Covariate { covariate: covariate.to_string(), subject: patient.id.clone() };
            let quantity = patient.covariates.quantity_at(covariate, at).ok_or_else(missing)?;
            Ok(map(quantity.to(unit).map_err(SimulationError::from)?.value()))
        };
        let values = patients.iter().map(value).collect::<Result<_, CalibrationError>>()?;
        Ok(Self { parameter: parameter.into(), covariate: covariate.to_string(), values })
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
    /// What the typical values depend on.
    pub covariates: Vec<CovariateEffect>,
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
        for effect in &self.covariates {
            if self.place_of(effect).is_none() {
                let known = self.effects.iter().map(|effect| effect.parameter.clone()).collect();
                return Err(CalibrationError::UnknownParameter { name: effect.parameter.clone(), known });
            }
            if effect.values.len() != self.patients.len() {
                return length("the number of values of a covariate", self.patients.len(), effect.values.len());
            }
            if let Some(value) = effect.values.iter().find(|value| !value.is_finite()) {
                return setting("value of a covariate", *value, "finite");
            }
        }
        for place in 0..self.effects.len() {
            let acting = self.covariates.iter().filter(|effect| self.place_of(effect) == Some(place));
            let columns: Vec<&[f64]> = acting.map(|effect| effect.values.as_slice()).collect();
            let at = |subject: usize, column: usize| if column == 0 { 1.0 } else { columns[column - 1][subject] };
            let design = nalgebra::DMatrix::from_fn(self.patients.len(), 1 + columns.len(), at);
            let widths = design.singular_values();
            if !columns.is_empty() && widths.min() <= 1e-10 * widths.max() {
                return setting(
                    "rank of the covariates of a parameter",
                    columns.len() as f64,
                    "such that they tell subjects apart, each in its own way",
                );
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

    /// The place of the random effect that a covariate acts on.
    pub(super) fn place_of(&self, covariate: &CovariateEffect) -> Option<usize> {
        self.effects.iter().position(|effect| effect.parameter == covariate.parameter)
    }

    /// The typical parameters of a subject on the real line.
    pub(super) fn center(&self, mean: &[f64], coefficients: &[f64], subject: usize) -> Vec<f64> {
        let mut center = mean.to_vec();
        for (effect, coefficient) in self.covariates.iter().zip(coefficients) {
            let value = effect.values.get(subject).copied().unwrap_or(f64::NAN);
            if let Some(z) = self.place_of(effect).and_then(|place| center.get_mut(place)) {
                *z += coefficient * value;
            }
        }
        center
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
