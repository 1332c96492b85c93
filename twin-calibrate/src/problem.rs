//! A problem: which model is to explain which patient, under which prior and which errors.

mod gradient;
mod resolve;

pub use gradient::DerivativesBy;

use crate::{CalibrationError, ErrorModel, Prior, Reading};
use resolve::{Image, Place, Scalar, check_likelihood, not_before, place, predicted_field, reading};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use twin_core::{Finding, Observable, Observation, Patient, Random, Time};
use twin_models::{Model, Parameters, Scenario, SimulationError, run_with};

/// What is to be inferred, from what. Plain data: a calibrator solves it.
pub struct Problem<'a> {
    /// The model that is to explain the patient.
    pub model: &'a dyn Model,
    /// The patient; only what lies on the timeline is seen.
    pub patient: &'a Patient,
    /// The values of the parameters that the prior does not name.
    pub base: Parameters,
    /// What is believed beforehand; it names the parameters that are inferred.
    pub prior: &'a dyn Prior,
    /// The observables that are to be explained, each with its error.
    pub errors: Vec<(Observable, &'a dyn ErrorModel)>,
    /// When the model starts.
    pub start: Time,
    /// The weight of the likelihood, above 0 and at most 1; 1 unless errors of neighboring readings go together.
    ///
    /// Readings whose errors are correlated tell less than as many independent ones. With the correlation ρ of one error to the next,
    /// `(1 - ρ)/(1 + ρ)` is the share of them that counts: a tempered likelihood (Miller and Dunson 2019,
    /// doi:10.1080/01621459.2018.1469995).
    pub weight: f64,
}

impl std::fmt::Debug for Problem<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Problem")
            .field("model", &self.model.spec().id)
            .field("patient", &self.patient.id)
            .field("parameters", &self.prior.names())
            .field("observables", &self.errors.iter().map(|(observable, _)| observable).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl<'a> Problem<'a> {
    /// The problem of explaining `observable` of `patient`; the other parameters keep their defaults, and the model starts at the
    /// patient's first entry.
    ///
    /// # Errors
    /// [`CalibrationError::NoObservations`] for a patient with an empty timeline; [`CalibrationError::Simulation`] if the defaults
    /// are not valid.
    pub fn new(
        model: &'a dyn Model,
        patient: &'a Patient,
        prior: &'a dyn Prior,
        observable: Observable,
        error: &'a dyn ErrorModel,
    ) -> Result<Self, CalibrationError> {
        let none = || CalibrationError::NoObservations { subject: patient.id.clone(), observables: observable.to_string() };
        let (start, _) = patient.timeline.extent().ok_or_else(none)?;
        let base = model.spec().defaults()?;
        Ok(Self { model, patient, base, prior, errors: vec![(observable, error)], start, weight: 1.0 })
    }

    /// The same problem, with `observable` to be explained too.
    #[must_use]
    pub fn and(mut self, observable: Observable, error: &'a dyn ErrorModel) -> Self {
        self.errors.push((observable, error));
        self
    }

    /// The same problem with the likelihood weighted by `weight`.
    #[must_use]
    pub fn weighted(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// The same problem with other values for the parameters that the prior does not name.
    #[must_use]
    pub fn with_base(mut self, base: Parameters) -> Self {
        self.base = base;
        self
    }
}

/// A [`Problem`] with every name resolved: the logarithm of the posterior density on the real line, ready for any method.
pub struct Target<'a> {
    problem: &'a Problem<'a>,
    places: Vec<Place>,
    defaults: Vec<Vec<f64>>,
    scenario: Scenario,
    scalars: Vec<Scalar>,
    images: Vec<Image>,
    unused: Vec<(Observable, usize)>,
    evaluations: AtomicUsize,
    failures: AtomicUsize,
    worst: Mutex<Option<(Vec<f64>, SimulationError)>>,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("problem", self.problem).field("readings", &self.scalars.len()).finish_non_exhaustive()
    }
}

impl<'a> Target<'a> {
    /// Resolves the names, converts the units and orders the visits of `problem`.
    ///
    /// # Errors
    /// [`CalibrationError::UnknownParameter`] for a parameter that neither the model nor an error has;
    /// [`CalibrationError::AmbiguousParameter`] for one that two of them have; [`CalibrationError::NoObservations`] if nothing is left
    /// to explain; [`CalibrationError::UnsupportedFinding`] for a category; [`CalibrationError::BeforeStart`] for a treatment or
    /// reading before the model starts; [`CalibrationError::NoLikelihood`] for a reading that its error cannot explain at any
    /// prediction; [`CalibrationError::Simulation`] for a treatment that the model does not understand, an observable that it lacks,
    /// or a unit that does not convert.
    pub fn new(problem: &'a Problem<'a>) -> Result<Self, CalibrationError> {
        problem.model.spec().accept(&problem.base)?;
        if !(problem.weight > 0.0 && problem.weight <= 1.0) {
            let (method, setting, valid) = ("problem", "the weight of the likelihood", "above 0 and at most 1");
            return Err(CalibrationError::Setting { method, setting, value: problem.weight, valid });
        }
        let defaults: Vec<Vec<f64>> = problem
            .errors
            .iter()
            .map(|(_, error)| error.parameters().iter().map(|parameter| parameter.default).collect())
            .collect();
        let places = problem.prior.names().iter().map(|name| place(problem, name)).collect::<Result<_, _>>()?;
        let start = problem.start;
        let treatments = problem.patient.timeline.treatments();
        for given in &treatments {
            if problem.model.spec().place_of(&given.treatment).is_none() {
                return Err(problem.model.spec().refusal(&given.treatment, given.time).into());
            }
            not_before(start, given.time, &given.treatment)?;
        }
        let scenario = Scenario { start, treatments, sampling: Vec::new() };
        let mut target = Self {
            problem,
            places,
            defaults,
            scenario,
            scalars: Vec::new(),
            images: Vec::new(),
            unused: Vec::new(),
            evaluations: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            worst: Mutex::new(None),
        };
        let error_values = target.typical_error_values();
        for (place, (time, observation)) in problem.patient.timeline.observations().enumerate() {
            target.take(place, time, observation, &error_values)?;
        }
        if target.scalars.is_empty() && target.images.is_empty() {
            let names: Vec<&str> = problem.errors.iter().map(|(observable, _)| observable.as_str()).collect();
            return Err(CalibrationError::NoObservations { subject: problem.patient.id.clone(), observables: names.join(", ") });
        }
        Ok(target)
    }

    /// The parameters of each error: those of one draw of the prior where it names them, else the defaults.
    fn typical_error_values(&self) -> Vec<Vec<f64>> {
        let mut values = self.defaults.clone();
        for (place, drawn) in self.places.iter().zip(self.problem.prior.sample(&mut Random::new(0))) {
            if let Place::Error(error, index) = *place
                && let Some(value) = values.get_mut(error).and_then(|values| values.get_mut(index))
            {
                *value = drawn;
            }
        }
        values
    }

    /// Takes one observation in, if it is to be explained; counts it as unused if not.
    fn take(
        &mut self,
        place: usize,
        time: Time,
        observation: &Observation,
        error_values: &[Vec<f64>],
    ) -> Result<(), CalibrationError> {
        let observable = &observation.observable;
        let explained = self.problem.errors.iter().position(|(candidate, _)| candidate == observable);
        let (Some(error), false) = (explained, matches!(observation.finding, Finding::NotEvaluable(_))) else {
            match self.unused.iter_mut().find(|(other, _)| other == observable) {
                Some((_, count)) => *count += 1,
                None => self.unused.push((observable.clone(), 1)),
            }
            return Ok(());
        };
        not_before(self.scenario.start, time, observable)?;
        if self.scenario.sampling.last() != Some(&time) {
            self.scenario.sampling.push(time);
        }
        let visit = self.scenario.sampling.len() - 1;
        let spec = self.problem.model.spec();
        if let Finding::Field(field) = &observation.finding {
            let unit = spec.observables.iter().find(|known| known.observable == *observable).map(|known| known.unit.parse());
            let unit = unit.transpose().map_err(SimulationError::from)?.unwrap_or_else(|| field.unit().clone());
            let values = field.values().iter().map(|value| field.unit().convert(*value, &unit)).collect::<Result<_, _>>();
            let values = values.map_err(SimulationError::from)?;
            self.images.push(Image { visit, place, observable: observable.clone(), error, grid: field.grid().clone(), values });
            return Ok(());
        }
        let output = spec.index_of(observable)?;
        let unit = spec.observables.get(output).map_or("1", |known| known.unit.as_ref());
        let reading = reading(observation, unit).map_err(|source| match source {
            None => CalibrationError::UnsupportedFinding { observable: observable.to_string(), at: time },
            Some(source) => SimulationError::from(source).into(),
        })?;
        if let (Some((_, model)), Some(values)) = (self.problem.errors.get(error), error_values.get(error)) {
            check_likelihood(*model, values, observable, time, &reading)?;
        }
        self.scalars.push(Scalar { visit, place, output, error, reading });
        Ok(())
    }

    /// How many inferred parameters there are.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.places.len()
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &'a Problem<'a> {
        self.problem
    }

    /// Which inferred parameters are the model's own, rather than an error's.
    #[must_use]
    pub fn of_model(&self) -> Vec<bool> {
        self.places.iter().map(|place| matches!(place, Place::Model(_))).collect()
    }

    /// How many residuals [`Target::residuals`] writes: one for each scalar reading and each voxel of a field.
    #[must_use]
    pub fn residual_count(&self) -> usize {
        self.scalars.len() + self.images.iter().map(|image| image.values.len()).sum::<usize>()
    }

    /// How many scalar readings and fields are explained.
    #[must_use]
    pub fn readings(&self) -> usize {
        self.scalars.len() + self.images.len()
    }

    /// The observations that are not explained, by observable.
    #[must_use]
    pub fn unused(&self) -> &[(Observable, usize)] {
        &self.unused
    }

    /// How often the model was evaluated.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// How often the model could not go on.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failures.load(Ordering::Relaxed)
    }

    /// One failure with the parameters that led to it: the same one at any number of threads.
    #[must_use]
    pub fn failure(&self) -> Option<(Vec<f64>, SimulationError)> {
        self.worst.lock().map_or(None, |worst| worst.clone())
    }

    /// The parameters, in their own units, at the point `z` of the real line.
    #[must_use]
    pub fn parameters_at(&self, z: &[f64]) -> Vec<f64> {
        self.problem.prior.transforms().iter().zip(z).map(|(transform, z)| transform.from_real(*z)).collect()
    }

    /// The point of the real line for the parameters `theta`.
    #[must_use]
    pub fn point_of(&self, theta: &[f64]) -> Vec<f64> {
        self.problem.prior.transforms().iter().zip(theta).map(|(transform, x)| transform.to_real(*x)).collect()
    }

    /// The logarithm of the posterior density (up to a constant) at the point `z` of the real line.
    #[must_use]
    pub fn ln_posterior(&self, z: &[f64]) -> f64 {
        let prior = self.ln_prior(z);
        if !prior.is_finite() {
            return f64::NEG_INFINITY;
        }
        let likelihood = self.ln_likelihood(&self.parameters_at(z));
        if likelihood.is_nan() { f64::NEG_INFINITY } else { prior + self.problem.weight * likelihood }
    }

    /// The logarithm of the prior density at the point `z` of the real line; minus infinity where there is none.
    ///
    /// It integrates to one over the real line even where the prior reaches beyond the ranges of the model: there the likelihood is 0.
    #[must_use]
    pub fn ln_prior(&self, z: &[f64]) -> f64 {
        ln_prior_at(self.problem.prior, z)
    }

    /// The logarithm of the likelihood of the parameters `theta`; minus infinity where the model cannot go, which is counted.
    #[must_use]
    pub fn ln_likelihood(&self, theta: &[f64]) -> f64 {
        let mut sum = 0.0;
        let judged = self.judge(theta, |_, error, predicted, reading, values| {
            sum += error.ln_likelihood(predicted, reading, values);
        });
        if judged { sum } else { f64::NEG_INFINITY }
    }

    /// Writes the standardized residual of every reading at `theta` to `residuals`, fields voxel by voxel; whether it could.
    pub fn residuals(&self, theta: &[f64], residuals: &mut Vec<f64>) -> bool {
        residuals.clear();
        residuals.reserve(self.residual_count());
        self.judge(theta, |_, error, predicted, reading, values| residuals.push(error.residual(predicted, reading, values)))
    }

    /// Writes the logarithm of the likelihood of every reading at `theta` to `terms`, fields voxel by voxel; whether it could.
    pub fn ln_likelihoods(&self, theta: &[f64], terms: &mut Vec<f64>) -> bool {
        terms.clear();
        self.judge(theta, |_, error, predicted, reading, values| terms.push(error.ln_likelihood(predicted, reading, values)))
    }

    /// Writes the prediction of every reading at `theta` to `predictions`, fields voxel by voxel; whether it could.
    pub fn predictions(&self, theta: &[f64], predictions: &mut Vec<f64>) -> bool {
        predictions.clear();
        self.judge(theta, |_, _, predicted, _, _| predictions.push(predicted))
    }

    /// Predicts every reading at `theta` and hands each prediction to `verdict`, with the place of the observation among all of the
    /// timeline, its error model and the values of that. Whether it could.
    pub(crate) fn judge(&self, theta: &[f64], mut verdict: impl FnMut(usize, &dyn ErrorModel, f64, &Reading, &[f64])) -> bool {
        let Some((parameters, values)) = self.place(theta) else {
            return false; // outside the ranges of the model: the prior is cut off there
        };
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        if let Err(failure) = self.predict(&parameters, &values, &mut verdict) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            self.remember(theta, failure);
            return false;
        }
        true
    }

    fn remember(&self, theta: &[f64], failure: SimulationError) {
        if let Ok(mut worst) = self.worst.lock() {
            let first = |other: &[f64]| theta.iter().zip(other).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
            if worst.as_ref().is_none_or(|(other, _)| first(other).is_some_and(std::cmp::Ordering::is_lt)) {
                *worst = Some((theta.to_vec(), failure));
            }
        }
    }

    /// The parameters of the model and of each error at `theta`; `None` outside a range.
    fn place(&self, theta: &[f64]) -> Option<(Parameters, Vec<Vec<f64>>)> {
        let (mut parameters, mut values) = (self.problem.base.clone(), self.defaults.clone());
        for (place, &value) in self.places.iter().zip(theta) {
            match *place {
                Place::Model(index) => parameters.set(index, value).ok()?,
                Place::Error(error, index) => *values.get_mut(error)?.get_mut(index)? = value,
            }
        }
        Some((parameters, values))
    }

    fn predict(
        &self,
        parameters: &Parameters,
        values: &[Vec<f64>],
        verdict: &mut impl FnMut(usize, &dyn ErrorModel, f64, &Reading, &[f64]),
    ) -> Result<(), SimulationError> {
        let model = self.problem.model;
        // A stochastic model needs a particle method; here every evaluation sees the same stream.
        let mut simulation = model.start(parameters, self.scenario.start, &mut Random::new(0))?;
        let mut outputs = vec![0.0; model.spec().observables.len()];
        let (mut scalars, mut images) = (self.scalars.iter().peekable(), self.images.iter().peekable());
        let mut missing = None;
        let of_error = |error: usize| self.problem.errors.get(error).map(|(_, model)| *model).zip(values.get(error));
        run_with(simulation.as_mut(), &self.scenario, |visit, simulation| {
            simulation.observe(&mut outputs);
            while let Some(scalar) = scalars.next_if(|scalar| scalar.visit == visit) {
                if let Some((model, values)) = of_error(scalar.error) {
                    let predicted = outputs.get(scalar.output).copied().unwrap_or(f64::NAN);
                    verdict(scalar.place, model, predicted, &scalar.reading, values);
                }
            }
            while let Some(image) = images.next_if(|image| image.visit == visit) {
                match (predicted_field(simulation, image), of_error(image.error)) {
                    (Some(field), Some((model, values))) => {
                        for (predicted, &value) in field.values().iter().zip(&image.values) {
                            verdict(image.place, model, *predicted, &Reading::Value { value, standard_error: None }, values);
                        }
                    }
                    _ => missing = Some(image.observable.to_string()),
                }
            }
        })?;
        match missing {
            None => Ok(()),
            Some(observable) => Err(SimulationError::UnknownObservable {
                model: model.spec().id.clone(),
                observable: format!(
                    "{observable} as a field on the observed grid (its voxels, their spacing and their place in the world)"
                ),
                known: model.spec().observables.iter().map(|known| known.observable.to_string()).collect(),
            }),
        }
    }
}

/// The logarithm of the density of `prior` at the point `z` of the real line; minus infinity where there is none.
pub(crate) fn ln_prior_at(prior: &dyn Prior, z: &[f64]) -> f64 {
    let theta: Vec<f64> = prior.transforms().iter().zip(z).map(|(transform, z)| transform.from_real(*z)).collect();
    let volume: f64 = prior.transforms().iter().zip(z).map(|(transform, z)| transform.ln_derivative(*z)).sum();
    let density = prior.ln_density(&theta) + volume;
    if density.is_finite() { density } else { f64::NEG_INFINITY }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
