//! What is believed of the parameters after the data spoke, and what that predicts.

use crate::diagnostics::Diagnosis;
use crate::{CalibrationError, ErrorModel, Target};
use twin_core::{Observable, Random, Time};
use twin_models::{Model, Parameters, Scenario, SimulationError, run};

/// Draws from a posterior, with what is needed to trust and to use them.
#[derive(Debug, Clone)]
pub struct Posterior {
    names: Vec<String>,
    draws: Vec<f64>,
    ln_densities: Vec<f64>,
    base: Parameters,
    /// How the posterior was made.
    pub record: Record,
}

/// How a posterior was made.
#[derive(Debug, Clone)]
pub struct Record {
    /// The method, in words.
    pub method: String,
    /// Why the method stopped, in words.
    pub stopped: String,
    /// When the model started.
    pub start: Time,
    /// Whether the draws can be trusted, parameter by parameter; `None` if the method cannot tell.
    pub diagnosis: Option<Diagnosis>,
    /// How many readings were explained.
    pub readings: usize,
    /// The observations that were not explained, by observable.
    pub unused: Vec<(Observable, usize)>,
    /// How often the model was evaluated.
    pub evaluations: usize,
    /// How often the model could not go on.
    pub failures: usize,
    /// The logarithm of the evidence with its standard error, if the method estimates it: the density of the readings under model and
    /// prior, by which models of the same readings can be weighed.
    pub ln_evidence: Option<(f64, f64)>,
}

impl Record {
    /// The record of what was done on `target` so far.
    #[must_use]
    pub fn of(target: &Target<'_>, method: impl Into<String>, stopped: impl Into<String>, diagnosis: Option<Diagnosis>) -> Self {
        Self {
            method: method.into(),
            stopped: stopped.into(),
            start: target.problem().start,
            diagnosis,
            readings: target.readings(),
            unused: target.unused().to_vec(),
            evaluations: target.evaluations(),
            failures: target.failures(),
            ln_evidence: None,
        }
    }

    /// Whether the draws pass their diagnosis; false where there is none.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.diagnosis.as_ref().is_some_and(Diagnosis::is_good)
    }
}

impl Posterior {
    /// A posterior from `draws` (draws × names, row by row, in the parameters' own units) and the logarithm of the density of each.
    ///
    /// # Errors
    /// [`CalibrationError::Draws`] if there is no draw, or their number does not fit the names.
    pub fn new(
        names: Vec<String>,
        draws: Vec<f64>,
        ln_densities: Vec<f64>,
        base: Parameters,
        record: Record,
    ) -> Result<Self, CalibrationError> {
        if names.is_empty() || ln_densities.is_empty() || draws.len() != names.len() * ln_densities.len() {
            return Err(CalibrationError::Draws { names: names.len(), draws: ln_densities.len(), values: draws.len() });
        }
        Ok(Self { names, draws, ln_densities, base, record })
    }

    /// The inferred parameters, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many draws there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ln_densities.len()
    }

    /// The draws, in order.
    pub fn draws(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.draws.chunks_exact(self.names.len())
    }

    /// The draw number `index`.
    ///
    /// # Errors
    /// [`CalibrationError::NoSuchDraw`].
    pub fn draw(&self, index: usize) -> Result<&[f64], CalibrationError> {
        self.draws().nth(index).ok_or(CalibrationError::NoSuchDraw { index, count: self.count() })
    }

    /// The logarithm of the posterior density of each draw, up to a constant, on the real line of the transforms.
    #[must_use]
    pub fn ln_densities(&self) -> &[f64] {
        &self.ln_densities
    }

    /// The draw of the highest density.
    #[must_use]
    pub fn best(&self) -> usize {
        let best = self.ln_densities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        best.map_or(0, |(index, _)| index)
    }

    /// All draws of the parameter `name`.
    ///
    /// # Errors
    /// [`CalibrationError::UnknownParameter`], listing the names there are.
    pub fn column(&self, name: &str) -> Result<Vec<f64>, CalibrationError> {
        let unknown = || CalibrationError::UnknownParameter { name: name.to_owned(), known: self.names.clone() };
        let place = self.names.iter().position(|candidate| candidate == name).ok_or_else(unknown)?;
        Ok(self.draws.iter().skip(place).step_by(self.names.len()).copied().collect())
    }

    /// The quantiles of the parameter `name` at the given probabilities.
    ///
    /// # Errors
    /// [`CalibrationError::UnknownParameter`], listing the names there are.
    pub fn quantiles<const N: usize>(&self, name: &str, probabilities: [f64; N]) -> Result<[f64; N], CalibrationError> {
        let mut column = self.column(name)?;
        column.sort_by(f64::total_cmp);
        Ok(probabilities.map(|probability| sorted_quantile(&column, probability)))
    }

    /// The parameters of the model in the draw number `index`; those that were not inferred have their base values.
    ///
    /// # Errors
    /// [`CalibrationError::NoSuchDraw`]; [`CalibrationError::Simulation`] for a draw outside the ranges of the model.
    pub fn parameters(&self, index: usize) -> Result<Parameters, CalibrationError> {
        self.draw(index)?;
        Ok(self.placed(index)?)
    }

    fn placed(&self, index: usize) -> Result<Parameters, SimulationError> {
        let mut parameters = self.base.clone();
        for (name, &value) in self.names.iter().zip(self.draw(index).unwrap_or_default()) {
            if let Ok(place) = parameters.index_of(name) {
                parameters.set(place, value)?;
            }
        }
        Ok(parameters)
    }

    /// The values of the parameters of `error` in the draw number `index`; those that were not inferred have their defaults.
    ///
    /// # Errors
    /// [`CalibrationError::NoSuchDraw`].
    pub fn error_values(&self, index: usize, error: &dyn ErrorModel) -> Result<Vec<f64>, CalibrationError> {
        let draw = self.draw(index)?;
        let value = |name: &str| self.names.iter().zip(draw).find(|(candidate, _)| *candidate == name).map(|(_, value)| *value);
        Ok(error.parameters().iter().map(|parameter| value(&parameter.name).unwrap_or(parameter.default)).collect())
    }

    /// The posterior predictive of `observable` over `scenario`: `count` draws, evenly spread over all of them; all of
    /// them if there are fewer.
    ///
    /// A draw outside the ranges of the model, or with which it cannot go on, is left out and counted in [`Prediction::failures`].
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for no draws; [`CalibrationError::Simulation`] for an observable that the model lacks;
    /// [`CalibrationError::TooManyFailures`] if more than one
    /// draw in twenty fails.
    pub fn predict(
        &self,
        model: &dyn Model,
        scenario: &Scenario,
        observable: &Observable,
        error: &dyn ErrorModel,
        count: usize,
        random: &Random,
    ) -> Result<Prediction, CalibrationError> {
        let spec = model.spec();
        let output = spec.index_of(observable)?;
        let unit = spec.observables.get(output).map_or_else(String::new, |known| known.unit.to_string());
        let (width, times) = (spec.observables.len(), scenario.sampling.len());
        if count == 0 {
            let (method, setting, valid) = ("prediction", "the number of draws", "at least 1");
            return Err(CalibrationError::Setting { method, setting, value: 0.0, valid });
        }
        let count = count.min(self.count());
        let mut prediction = Prediction {
            observable: observable.clone(),
            unit,
            times: scenario.sampling.clone(),
            expected: Vec::new(),
            observed: Vec::new(),
            failures: 0,
        };
        let mut values = vec![0.0; width * times];
        let mut first = None;
        for k in 0..count {
            let index = k * self.count() / count;
            let mut stream = random.stream(index as u64);
            let error_values = self.error_values(index, error)?;
            let lived = self.placed(index).and_then(|parameters| {
                let mut course = model.start(&parameters, scenario.start, &mut stream)?;
                run(course.as_mut(), scenario, &mut values)
            });
            if let Err(failure) = lived {
                prediction.failures += 1;
                first.get_or_insert(failure);
                continue;
            }
            for row in values.chunks_exact(width) {
                let expected = row.get(output).copied().unwrap_or(f64::NAN);
                prediction.expected.push(expected);
                prediction.observed.push(error.draw(expected, &error_values, &mut stream));
            }
        }
        match first {
            Some(source) if prediction.failures * 20 > count => {
                Err(CalibrationError::TooManyFailures { failed: prediction.failures, of: count, source: Box::new(source) })
            }
            _ => Ok(prediction),
        }
    }
}

/// What a posterior predicts of one observable.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The observable.
    pub observable: Observable,
    /// The UCUM unit of the values.
    pub unit: String,
    /// The times.
    pub times: Vec<Time>,
    /// What is there, by draw (draws × times).
    pub expected: Vec<f64>,
    /// What would be observed, the error included, by draw (draws × times).
    pub observed: Vec<f64>,
    /// Draws that were left out because the model could not go on.
    pub failures: usize,
}

impl Prediction {
    /// The quantiles of what is there, at each time (times × probabilities).
    #[must_use]
    pub fn expected_quantiles<const N: usize>(&self, probabilities: [f64; N]) -> Vec<[f64; N]> {
        self.quantiles(&self.expected, probabilities)
    }

    /// The quantiles of what would be observed, at each time (times × probabilities).
    #[must_use]
    pub fn observed_quantiles<const N: usize>(&self, probabilities: [f64; N]) -> Vec<[f64; N]> {
        self.quantiles(&self.observed, probabilities)
    }

    fn quantiles<const N: usize>(&self, values: &[f64], probabilities: [f64; N]) -> Vec<[f64; N]> {
        let at = |time: usize| {
            let mut column: Vec<f64> = values.iter().skip(time).step_by(self.times.len()).copied().collect();
            column.sort_by(f64::total_cmp);
            probabilities.map(|probability| sorted_quantile(&column, probability))
        };
        (0..self.times.len()).map(at).collect()
    }
}

/// The quantile of sorted values by linear interpolation (type 7 of Hyndman and Fan 1996, doi:10.1080/00031305.1996.10473566); NaN
/// without values.
#[must_use]
pub fn sorted_quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = probability.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let (Some(low), Some(high)) = (sorted.get(below), sorted.get((below + 1).min(last))) else {
        return f64::NAN;
    };
    low + (place - below as f64) * (high - low)
}

impl From<SimulationError> for CalibrationError {
    fn from(source: SimulationError) -> Self {
        Self::Simulation { source: Box::new(source) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS};

    #[test]
    fn draws_outside_the_ranges_of_the_model_are_counted_as_failures() {
        let growing = Growing::new(&READINGS);
        let problem = growing.problem();
        let record = Record::of(&Target::new(&problem).unwrap(), "by hand", "done", None);
        let predicted = |outside: usize| {
            let draws = (0..100).flat_map(|k| [if k < outside { -1.0 } else { 0.03 }, 100.0]).collect();
            let names = vec!["growth_rate".to_owned(), "initial_volume".to_owned()];
            let posterior = Posterior::new(names, draws, vec![0.0; 100], problem.base.clone(), record.clone()).unwrap();
            let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(1.0).unwrap()]);
            posterior.predict(problem.model, &scenario, &Observable::TUMOR_VOLUME, &growing.error, 100, &Random::new(1))
        };
        let prediction = predicted(3).unwrap();
        assert_eq!((prediction.failures, prediction.expected.len()), (3, 97));
        assert!(matches!(predicted(6), Err(CalibrationError::TooManyFailures { failed: 6, of: 100, .. })));
    }
}
