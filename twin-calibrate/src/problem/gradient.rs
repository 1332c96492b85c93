//! Derivatives of a target: exact ones of the course where the model carries them, differences where it does not.

use super::{Place, Target};
use crate::{ErrorModel, Reading};
use std::sync::atomic::Ordering;
use twin_models::{Differentiable, Direction, Parameters, SimulationError, run_with};

/// Where the derivatives of a target come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivativesBy {
    /// The model's own sensitivities: exact, at little more than the cost of one course.
    Sensitivities,
    /// Central differences of the whole density: two courses for each parameter, with the noise of the integrator.
    Differences,
}

impl std::fmt::Display for DerivativesBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sensitivities => "sensitivities",
            Self::Differences => "differences",
        })
    }
}

/// The step of a difference of the whole density, on the real line: the cube root of the tolerance of an integrator.
const STEP: f64 = 5e-3;
/// The step of a difference of a closed form (an error, a prior, a transform), as a share of its scale: at order 4 exact to ten digits.
const FINE: f64 = 1e-3;

/// A reading as the derivatives see it: its prediction, the derivatives of that by the parameters of the model that are inferred, its
/// error's place, and the error with its values.
struct Seen<'a> {
    place: usize,
    predicted: f64,
    slopes: &'a [f64],
    error: &'a dyn ErrorModel,
    reading: &'a Reading,
    values: &'a [f64],
}

impl Target<'_> {
    /// Where derivatives come from: the model's own sensitivities if it has them and every reading is a number, else differences.
    #[must_use]
    pub fn derivatives_by(&self) -> DerivativesBy {
        match self.differentiable() {
            Some(_) => DerivativesBy::Sensitivities,
            None => DerivativesBy::Differences,
        }
    }

    fn differentiable(&self) -> Option<&dyn Differentiable> {
        self.problem.model.differentiable().filter(|_| self.images.is_empty())
    }

    /// Writes the gradient of the logarithm of the posterior density at the point `z` of the real line to `gradient` (one place for each
    /// coordinate) and tells the logarithm itself, that of [`Target::ln_posterior`] to the bit.
    ///
    /// Exact where [`Target::derivatives_by`] says so, else by central differences. Where there is no density it is minus infinity, and
    /// the gradient is not a number; so is a gradient that cannot be told.
    #[must_use]
    pub fn ln_posterior_gradient(&self, z: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(f64::NAN);
        let Some(differentiable) = self.differentiable() else {
            let here = self.ln_posterior(z);
            if here.is_finite() {
                each_difference(z, gradient, |moved| self.ln_posterior(moved));
            }
            return here;
        };
        let prior = self.ln_prior(z);
        if !prior.is_finite() {
            return f64::NEG_INFINITY;
        }
        let theta = self.parameters_at(z);
        let mut by_theta = vec![0.0; theta.len()];
        let mut likelihood = 0.0;
        let judged = self.judge_slopes(differentiable, &theta, |seen| {
            likelihood += seen.error.ln_likelihood(seen.predicted, seen.reading, seen.values);
            let by_prediction = |at: f64| seen.error.ln_likelihood(at, seen.reading, seen.values);
            let slope = difference(by_prediction, seen.predicted, scale(&seen));
            for (sum, (place, by)) in by_theta.iter_mut().zip(self.places.iter().zip(self.slopes_of(&seen))) {
                match *place {
                    Place::Model(_) => *sum += slope * by,
                    Place::Error(error, index) if error == seen.place => {
                        let mut values = seen.values.to_vec();
                        let center = values.get(index).copied().unwrap_or(f64::NAN);
                        let by_value = |at: f64| {
                            if let Some(value) = values.get_mut(index) {
                                *value = at;
                            }
                            seen.error.ln_likelihood(seen.predicted, seen.reading, &values)
                        };
                        *sum += difference(by_value, center, FINE * center.abs());
                    }
                    Place::Error(..) => {}
                }
            }
        });
        if !judged || likelihood.is_nan() {
            return f64::NEG_INFINITY;
        }
        let weight = self.problem.weight;
        let transforms = self.problem.prior.transforms();
        let mut moved = z.to_vec();
        for (i, (entry, (by, transform))) in gradient.iter_mut().zip(by_theta.iter().zip(transforms)).enumerate() {
            let Some(&center) = z.get(i) else { continue };
            let of_prior = difference(|at| along(&mut moved, i, at, |moved| self.ln_prior(moved)), center, FINE);
            *entry = weight * by * transform.ln_derivative(center).exp() + of_prior;
        }
        prior + weight * likelihood
    }

    /// Writes the derivatives of [`Target::residuals`] at `theta` by the parameters of the model to `columns` (inferred parameters ×
    /// residuals: first those of all residuals by the first parameter, zeros where it is one of an error); whether it could. It cannot
    /// where derivatives come from differences.
    pub fn residual_derivatives(&self, theta: &[f64], columns: &mut Vec<f64>) -> bool {
        let Some(differentiable) = self.differentiable() else { return false };
        let (count, mut number) = (self.residual_count(), 0);
        columns.clear();
        columns.resize(count * theta.len(), 0.0);
        self.judge_slopes(differentiable, theta, |seen| {
            let by_prediction = |at: f64| seen.error.residual(at, seen.reading, seen.values);
            let slope = difference(by_prediction, seen.predicted, scale(&seen));
            for (parameter, by) in self.slopes_of(&seen).enumerate() {
                if let Some(entry) = columns.get_mut(parameter * count + number) {
                    *entry = slope * by;
                }
            }
            number += 1;
        })
    }

    /// For each inferred parameter the derivative of a prediction by it; 0 for one of an error.
    fn slopes_of<'b>(&'b self, seen: &Seen<'b>) -> impl Iterator<Item = f64> + use<'b> {
        let mut slopes = seen.slopes.iter();
        self.places.iter().map(move |place| match place {
            Place::Model(_) => slopes.next().copied().unwrap_or(f64::NAN),
            Place::Error(..) => 0.0,
        })
    }

    /// As [`Target::judge`], with the derivatives of each prediction.
    fn judge_slopes(&self, differentiable: &dyn Differentiable, theta: &[f64], mut verdict: impl FnMut(Seen<'_>)) -> bool {
        let Some((parameters, values)) = self.place(theta) else { return false };
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        if let Err(failure) = self.predict_slopes(differentiable, &parameters, &values, &mut verdict) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            self.remember(theta, failure);
            return false;
        }
        true
    }

    fn predict_slopes(
        &self,
        differentiable: &dyn Differentiable,
        parameters: &Parameters,
        values: &[Vec<f64>],
        verdict: &mut impl FnMut(Seen<'_>),
    ) -> Result<(), SimulationError> {
        let of_model = self.places.iter().filter_map(|place| match *place {
            Place::Model(index) => Some(Direction::Parameter(index)),
            Place::Error(..) => None,
        });
        let by: Vec<Direction> = of_model.collect();
        let mut simulation = differentiable.start_differentiated(parameters, self.scenario.start, &by)?;
        let observables = self.problem.model.spec().observables.len();
        let (mut outputs, mut slopes) = (vec![0.0; observables], vec![f64::NAN; observables * by.len()]);
        let mut scalars = self.scalars.iter().peekable();
        run_with(simulation.as_mut(), &self.scenario, |visit, simulation| {
            simulation.observe(&mut outputs);
            if let Some(sensitivities) = simulation.sensitivities() {
                sensitivities.observe(&mut slopes);
            }
            while let Some(scalar) = scalars.next_if(|scalar| scalar.visit == visit) {
                let (Some((_, error)), Some(values)) = (self.problem.errors.get(scalar.error), values.get(scalar.error)) else {
                    continue;
                };
                let predicted = outputs.get(scalar.output).copied().unwrap_or(f64::NAN);
                let slopes = slopes.get(scalar.output * by.len()..(scalar.output + 1) * by.len()).unwrap_or_default();
                verdict(Seen { place: scalar.error, predicted, slopes, error: *error, reading: &scalar.reading, values });
            }
        })
    }
}

/// The step of a difference by the prediction: a share of a standard deviation, as the residual tells it.
fn scale(seen: &Seen<'_>) -> f64 {
    let (Reading::Value { value, .. } | Reading::Below(value) | Reading::Above(value)) = *seen.reading;
    let exact = match *seen.reading {
        Reading::Value { standard_error, .. } => Reading::Value { value, standard_error },
        _ => Reading::Value { value, standard_error: None },
    };
    let nudge = 1e-6 * seen.predicted.abs().max(f64::MIN_POSITIVE.sqrt());
    let residual = |at: f64| seen.error.residual(at, &exact, seen.values);
    let per_unit = (residual(seen.predicted + nudge) - residual(seen.predicted - nudge)).abs() / (2.0 * nudge);
    if per_unit.is_finite() && per_unit > 0.0 { FINE / per_unit } else { FINE * seen.predicted.abs() }
}

/// The derivative of `f` at `x` by central differences of order 4 with the step `h`.
fn difference(mut f: impl FnMut(f64) -> f64, x: f64, h: f64) -> f64 {
    let near = f(x + h) - f(x - h);
    let far = f(x + 2.0 * h) - f(x - 2.0 * h);
    (8.0 * near - far) / (12.0 * h)
}

/// `f` where the coordinate `i` of `point` is `at`; the point is left as it was.
fn along(point: &mut [f64], i: usize, at: f64, f: impl FnOnce(&[f64]) -> f64) -> f64 {
    let Some(before) = point.get(i).copied() else { return f64::NAN };
    point[i] = at;
    let value = f(point);
    point[i] = before;
    value
}

/// Central differences of `f` at `z` by each coordinate.
fn each_difference(z: &[f64], gradient: &mut [f64], f: impl Fn(&[f64]) -> f64) {
    let mut moved = z.to_vec();
    for (i, entry) in gradient.iter_mut().enumerate() {
        let Some(&center) = z.get(i) else { continue };
        let mut at = |offset: f64| along(&mut moved, i, center + offset, &f);
        *entry = (at(STEP) - at(-STEP)) / (2.0 * STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IndependentPrior, LogError, Marginal, NormalError, Problem};
    use std::sync::Arc;
    use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time, Treatment};
    use twin_models::{Model, ModelSpec, Simulation, clones};

    /// The same model without the ability to differentiate itself.
    struct Plain<'a>(&'a dyn Model);

    impl Model for Plain<'_> {
        fn spec(&self) -> &Arc<ModelSpec> {
            self.0.spec()
        }
        fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
            self.0.start(parameters, at, random)
        }
    }

    fn patient() -> Patient {
        let day = |day: f64| Time::from_days(day).unwrap();
        let mut patient = Patient::new(SubjectId::new("P1").unwrap());
        let therapy = Event::Treatment(Treatment::on(Agent::new("abiraterone").unwrap()));
        patient.timeline.record(day(0.0), therapy, Provenance::measured("a test"));
        for (at, psa) in [(0.0, 21.0), (50.0, 12.0), (150.0, 4.0), (300.0, 2.0)] {
            let seen = Event::Observation(Observation::number(Observable::PSA, psa, "ng/mL").unwrap());
            patient.timeline.record(day(at), seen, Provenance::measured("a test"));
        }
        patient
    }

    #[test]
    fn the_gradient_is_that_of_the_density() {
        let (drug, patient) = (Agent::new("abiraterone").unwrap(), patient());
        let model = clones::sensitive_resistant(drug);
        let (normal, log) = (NormalError::new(0.5, 0.1), LogError::new(0.2, 0.1).with_student_tails(5.0));
        for (error, name) in [(&normal as &dyn ErrorModel, "proportional_error"), (&log, "log_error")] {
            let prior = IndependentPrior::new([
                ("kill", Marginal::Uniform { low: 1.0, high: 3.0 }),
                (name, Marginal::LogNormal { median: 0.2, sd: 0.5 }),
                ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.3 }),
                ("initial_psa", Marginal::LogNormal { median: 20.0, sd: 0.2 }),
                ("turnover", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.3, sd: 0.5 }),
                ("initial_burden", Marginal::Uniform { low: 0.1, high: 0.9 }),
            ]);
            let prior = prior.unwrap();
            let fine = model.refined(1e-4).unwrap();
            let problem = Problem::new(fine.as_ref(), &patient, &prior, Observable::PSA, error).unwrap().weighted(0.7);
            let target = Target::new(&problem).unwrap();
            assert_eq!(target.derivatives_by(), DerivativesBy::Sensitivities);
            let z = [0.2, -1.5, -3.4, 3.1, -0.7, 0.4];
            let mut gradient = [0.0; 6];
            assert_eq!(target.ln_posterior_gradient(&z, &mut gradient), target.ln_posterior(&z));
            for i in 0..z.len() {
                let mut moved = z.to_vec();
                let exact = difference(|at| along(&mut moved, i, at, |moved| target.ln_posterior(moved)), z[i], 1e-3);
                assert!((gradient[i] - exact).abs() < 1e-6 * (1.0 + exact.abs()), "{name} {i}: {} and {exact}", gradient[i]);
            }
            // By differences where the model has no derivatives: a few digits, from the same call.
            let plain = Plain(&model);
            let problem = Problem::new(&plain, &patient, &prior, Observable::PSA, error).unwrap().weighted(0.7);
            let (target, mut rough) = (Target::new(&problem).unwrap(), [0.0; 6]);
            assert_eq!(target.derivatives_by(), DerivativesBy::Differences);
            assert_eq!(target.ln_posterior_gradient(&z, &mut rough), target.ln_posterior(&z));
            for (rough, exact) in rough.iter().zip(&gradient) {
                assert!((rough - exact).abs() < 1e-2 * (1.0 + exact.abs()), "{rough} and {exact}");
            }
        }
    }

    #[test]
    fn residuals_have_the_slopes_of_their_differences() {
        let (drug, patient, error) = (Agent::new("abiraterone").unwrap(), patient(), LogError::new(0.2, 0.1));
        let model = clones::sensitive_resistant(drug).with_relative_tolerance(1e-12);
        let marginal = |median: f64| Marginal::LogNormal { median, sd: 0.3 };
        let prior = IndependentPrior::new([("log_error", marginal(0.2)), ("kill", marginal(1.5)), ("initial_psa", marginal(20.0))]);
        let prior = prior.unwrap();
        let problem = Problem::new(&model, &patient, &prior, Observable::PSA, &error).unwrap();
        let target = Target::new(&problem).unwrap();
        let (theta, mut columns) = ([0.2, 1.6, 19.0], Vec::new());
        assert!(target.residual_derivatives(&theta, &mut columns));
        for parameter in 1..3 {
            for reading in 0..4 {
                let residual = |at: f64| {
                    let (mut moved, mut residuals) = (theta, Vec::new());
                    moved[parameter] = at;
                    assert!(target.residuals(&moved, &mut residuals));
                    residuals[reading]
                };
                let exact = difference(residual, theta[parameter], 1e-3 * theta[parameter]);
                let found = columns[4 * parameter + reading];
                assert!((found - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{found} and {exact}");
            }
        }
    }
}
