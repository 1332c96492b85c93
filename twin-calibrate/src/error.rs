//! The one error type of this crate.

use twin_core::{SubjectId, Time};
use twin_models::SimulationError;

/// What can stop an inference.
///
/// A run that was stopped as asked, or that used up its iterations, is not an error: it is `Ok` with a reason.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A setting of a method lies outside the range in which the method has a meaning.
    #[error("{method}: {setting} is {value}, but must be {valid}")]
    Setting {
        /// The method that was being set up.
        method: &'static str,
        /// The setting.
        setting: &'static str,
        /// The value that was given.
        value: f64,
        /// The valid values, in words.
        valid: &'static str,
    },
    /// Two lengths that must agree do not, or a count is too small.
    #[error("{method}: {what} must be {expected}, but is {actual}")]
    Length {
        /// The method that was being set up.
        method: &'static str,
        /// What is being counted.
        what: &'static str,
        /// The length or the least count that is needed.
        expected: usize,
        /// The length that was found.
        actual: usize,
    },
    /// A search or a chain cannot begin, because its starting point is not finite or nothing can be computed there.
    #[error("{method}: start number {start} cannot be used: the point or the value there ({value}) is not finite")]
    Start {
        /// The method that was to begin.
        method: &'static str,
        /// The index of the starting point among those that were given.
        start: usize,
        /// The value found at the point: a cost, a residual or the logarithm of a density.
        value: f64,
        /// The starting point.
        point: Vec<f64>,
    },
    /// A derivative cannot be formed: the residuals are not computable on either side of the point.
    #[error("{method}: no derivative along coordinate {coordinate}: the residuals cannot be computed on either side of the point")]
    Derivative {
        /// The method that was under way.
        method: &'static str,
        /// The coordinate along which the derivative was sought.
        coordinate: usize,
        /// The point at which it was sought.
        point: Vec<f64>,
    },
    /// The density does not fall along a coordinate, or has no value near the point: the data and the prior leave it open.
    #[error(
        "{method}: the density has no curvature along coordinate {coordinate}: what the data and the prior say of it is not a peak"
    )]
    Flat {
        /// The method that was under way.
        method: &'static str,
        /// The coordinate, or that of the largest share in the direction that is flat.
        coordinate: usize,
        /// The point at which the curvature was sought.
        point: Vec<f64>,
    },
    /// The starting points do not span the space, so a method that learns its directions from them could never leave their plane.
    #[error("{method}: the starting points of group {group} do not span all {dimension} directions")]
    Span {
        /// The method that was to begin.
        method: &'static str,
        /// The group of starting points that was found flat.
        group: usize,
        /// The dimension that should be spanned.
        dimension: usize,
    },
    /// Not one of several starts led to a fit.
    #[error("all {starts} starts failed, the first of them because: {first}")]
    AllStarts {
        /// How many starts were tried.
        starts: usize,
        /// Why the first of them failed.
        #[source]
        first: Box<CalibrationError>,
    },
    /// A matrix decomposition did not converge.
    #[error("{method}: the singular values of the Jacobian matrix could not be found")]
    Decomposition {
        /// The method that was under way.
        method: &'static str,
    },
    /// The optimization library gave up for a reason of its own.
    #[error("{method}: the optimization library stopped: {reason}")]
    Engine {
        /// The method that was under way.
        method: &'static str,
        /// The reason that the library gave.
        reason: String,
    },
    /// A prior cannot be formed.
    #[error("prior of {parameter}: {detail}")]
    Prior {
        /// The parameter or parameters.
        parameter: String,
        /// What is wrong, and what would be valid.
        detail: String,
    },
    /// A parameter is named that neither the model nor an error has.
    #[error("there is no parameter `{name}`; there are: {}", known.join(", "))]
    UnknownParameter {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A parameter is named that more than one of the model and the errors have.
    #[error("the parameter `{name}` belongs to more than one of the model and the errors; give the errors prefixes")]
    AmbiguousParameter {
        /// The name.
        name: String,
    },
    /// The patient has no observation that is to be explained.
    #[error("patient {subject} has no observation of {observables}")]
    NoObservations {
        /// The patient.
        subject: SubjectId,
        /// The observables that were to be explained.
        observables: String,
    },
    /// An observation that is to be explained is not a number.
    #[error("the observation of {observable} at {at} is a category; only numbers, censored numbers and fields can be explained")]
    UnsupportedFinding {
        /// The observable.
        observable: String,
        /// When it was observed.
        at: Time,
    },
    /// A subject of a population lacks a covariate on which a parameter depends.
    #[error(
        "the covariate {covariate} of {subject} is not recorded by the time it is needed; without it the subject cannot be placed"
    )]
    Covariate {
        /// The covariate.
        covariate: String,
        /// The subject.
        subject: SubjectId,
    },
    /// A check of a population met a censored reading.
    #[error("the reading of {observable} at {at} is censored; visual checks and npde need every reading to be a number")]
    CensoredReading {
        /// The observable.
        observable: String,
        /// When it was observed.
        at: Time,
    },
    /// A treatment or an observation that is to be explained lies before the model starts.
    #[error("{what} lies at {at}, but the model starts at {start}; nothing may lie before that")]
    BeforeStart {
        /// The treatment, or the observable.
        what: String,
        /// When it was.
        at: Time,
        /// When the model starts.
        start: Time,
    },
    /// An observation that is to be explained has no likelihood even where the prediction is the same.
    #[error(
        "the observation of {observable} at {at} ({reading}) has no likelihood even where it is predicted exactly, with {parameters}"
    )]
    NoLikelihood {
        /// The observable.
        observable: String,
        /// When it was observed.
        at: Time,
        /// What was observed, in the unit of the model.
        reading: String,
        /// The parameters of its error.
        parameters: String,
    },
    /// The model could not go on too often.
    #[error("{failed} of {of} evaluations of the model failed, more than tolerated; one of them because: {source}")]
    TooManyFailures {
        /// How many failed.
        failed: usize,
        /// How many there were.
        of: usize,
        /// Why one of them failed.
        source: Box<SimulationError>,
    },
    /// No point with a positive density was found to begin from.
    #[error(
        "none of {attempts} draws from the prior has a positive posterior density: {}",
        source.as_ref().map_or("the prior and the data contradict each other".to_owned(), ToString::to_string)
    )]
    NoStart {
        /// How many were tried.
        attempts: usize,
        /// Why the model could not go on with one of them, if it could not.
        source: Option<Box<SimulationError>>,
    },
    /// Not one draw, or too few of them, can explain the readings.
    #[error(
        "too few of {draws} draws have a likelihood: {}",
        source.as_ref().map_or("the former posterior and the readings contradict each other".to_owned(), ToString::to_string)
    )]
    NoneExplains {
        /// How many draws there are.
        draws: usize,
        /// Why the model could not go on with one of them, if it could not.
        source: Option<Box<SimulationError>>,
    },
    /// Draws do not fit together.
    #[error(
        "{names} names and {draws} densities do not fit {values} values; there must be one value for each name and draw, and at least one"
    )]
    Draws {
        /// The names.
        names: usize,
        /// The densities.
        draws: usize,
        /// The values.
        values: usize,
    },
    /// There is no draw of that number.
    #[error("there is no draw {index}; there are {count}, from 0")]
    NoSuchDraw {
        /// The number that was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A model could not be run.
    #[error("{source}")]
    Simulation {
        /// What went wrong.
        source: Box<SimulationError>,
    },
}
