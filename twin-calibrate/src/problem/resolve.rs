//! Names and units of a problem, resolved.

use super::Problem;
use crate::{CalibrationError, ErrorModel, Reading};
use twin_core::{Finding, Grid, Observable, Observation, ScalarField, Time};
use twin_models::Simulation;

/// Where the value of an inferred parameter goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    Model(usize),
    Error(usize, usize),
}

/// A reading with the observable of the model it belongs to and the error that applies.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub visit: usize,
    /// Its place among all observations of the timeline.
    pub place: usize,
    pub output: usize,
    pub error: usize,
    pub reading: Reading,
}

/// A field with the observable it belongs to, its values in the unit of the model.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub visit: usize,
    pub place: usize,
    pub observable: Observable,
    pub error: usize,
    pub grid: Grid,
    pub values: Vec<f64>,
}

/// Refuses `what` before the model starts.
pub(super) fn not_before(start: Time, at: Time, what: &dyn std::fmt::Display) -> Result<(), CalibrationError> {
    if at < start { Err(CalibrationError::BeforeStart { what: what.to_string(), at, start }) } else { Ok(()) }
}

/// Refuses a reading that has no likelihood even where it is predicted exactly: no parameters could explain it.
pub(super) fn check_likelihood(
    error: &dyn ErrorModel,
    values: &[f64],
    observable: &Observable,
    at: Time,
    reading: &Reading,
) -> Result<(), CalibrationError> {
    let (Reading::Value { value: predicted, .. } | Reading::Below(predicted) | Reading::Above(predicted)) = *reading;
    if error.ln_likelihood(predicted, reading, values).is_finite() {
        return Ok(());
    }
    let named = error.parameters().iter().zip(values).map(|(parameter, value)| format!("{} = {value}", parameter.name));
    let parameters = named.collect::<Vec<_>>().join(", ");
    let reading = match reading {
        Reading::Value { value, .. } => value.to_string(),
        Reading::Below(limit) => format!("below {limit}"),
        Reading::Above(limit) => format!("above {limit}"),
    };
    Err(CalibrationError::NoLikelihood { observable: observable.to_string(), at, reading, parameters })
}

pub(super) fn predicted_field(simulation: &dyn Simulation, image: &Image) -> Option<ScalarField> {
    simulation.fields()?.observe_field(&image.observable).filter(|field| *field.grid() == image.grid)
}

pub(super) fn reading(observation: &Observation, unit: &str) -> Result<Reading, Option<twin_core::CoreError>> {
    let unit: twin_core::Unit = unit.parse().map_err(Some)?;
    match observation.finding.to(&unit).map_err(Some)? {
        Finding::Measured { quantity, standard_error, .. } => Ok(Reading::Value { value: quantity.value(), standard_error }),
        Finding::Below(limit) => Ok(Reading::Below(limit.value())),
        Finding::Above(limit) => Ok(Reading::Above(limit.value())),
        _ => Err(None),
    }
}

/// Where the parameter `name` goes: into the model or into one of the errors, but not into two of them.
pub(super) fn place(problem: &Problem<'_>, name: &str) -> Result<Place, CalibrationError> {
    let spec = problem.model.spec();
    let in_model = spec.parameters.iter().position(|parameter| parameter.name == name).map(Place::Model);
    let in_errors = problem.errors.iter().enumerate().filter_map(|(error, (_, model))| {
        let index = model.parameters().iter().position(|parameter| parameter.name == name)?;
        Some(Place::Error(error, index))
    });
    let places: Vec<Place> = in_model.into_iter().chain(in_errors).collect();
    match places.as_slice() {
        [place] => Ok(*place),
        [] => {
            let of_model = spec.parameters.iter().map(|parameter| parameter.name.to_string());
            let of_errors =
                problem.errors.iter().flat_map(|(_, error)| error.parameters()).map(|parameter| parameter.name.to_string());
            Err(CalibrationError::UnknownParameter { name: name.to_owned(), known: of_model.chain(of_errors).collect() })
        }
        _ => Err(CalibrationError::AmbiguousParameter { name: name.to_owned() }),
    }
}
