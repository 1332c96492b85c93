//! The one error type of this crate.

use twin_core::{CoreError, Time};

/// Why a model could not be started, or a course could not go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// No model of that id is registered.
    #[error("no model `{id}` is registered; registered are: {}", known.join(", "))]
    UnknownModel {
        /// The id that was asked for.
        id: String,
        /// The ids that are registered.
        known: Vec<String>,
    },
    /// A model of that id is registered already.
    #[error("a model `{id}` is registered already")]
    DuplicateModel {
        /// The id.
        id: String,
    },
    /// The specification of a model contradicts itself or exceeds a limit.
    #[error("specification of model `{model}`: {detail}")]
    Specification {
        /// The model's id.
        model: String,
        /// What is wrong, and what would be valid.
        detail: String,
    },
    /// The text of an expression is not one, or a function is given the wrong number of arguments.
    #[error("expression, byte {at}: {detail}")]
    Expression {
        /// The byte of the text, from 0.
        at: usize,
        /// What is wrong, or what would be valid.
        detail: String,
    },
    /// The parameters belong to another model.
    #[error("parameters of model `{given}` were given to model `{model}`")]
    ForeignParameters {
        /// The model that was started.
        model: String,
        /// The model that the parameters belong to.
        given: String,
    },
    /// The model has no parameter of that name.
    #[error("model `{model}` has no parameter `{name}`; it has: {}", known.join(", "))]
    UnknownParameter {
        /// The model's id.
        model: String,
        /// The name that was given.
        name: String,
        /// The names that the model has.
        known: Vec<String>,
    },
    /// A parameter lies outside the range of its specification, or is not finite.
    #[error("parameter `{name}` of model `{model}` is {value} {unit}, but must lie in [{low}, {high}]")]
    ParameterRange {
        /// The model's id.
        model: String,
        /// The parameter's name.
        name: String,
        /// The value that was given.
        value: f64,
        /// The least valid value.
        low: f64,
        /// The greatest valid value.
        high: f64,
        /// The parameter's UCUM unit.
        unit: String,
    },
    /// The model does not have the observable.
    #[error("model `{model}` has no observable `{observable}`; it has: {}", known.join(", "))]
    UnknownObservable {
        /// The model's id.
        model: String,
        /// The observable that was asked for.
        observable: String,
        /// The observables that the model has.
        known: Vec<String>,
    },
    /// The model does not understand the treatment, so it refuses it.
    #[error("model `{model}` does not understand {treatment} at {at}; it understands: {understood}")]
    UnsupportedTreatment {
        /// The model's id.
        model: String,
        /// The treatment that was given.
        treatment: String,
        /// When it was given.
        at: Time,
        /// The treatments that the model understands.
        understood: String,
    },
    /// The model understands the treatment, but not its dose or its duration.
    #[error("model `{model}` cannot take {treatment} at {at}: {source}")]
    InvalidDose {
        /// The model's id.
        model: String,
        /// The treatment that was given.
        treatment: String,
        /// When it was given.
        at: Time,
        /// What is wrong with it, and what would be valid.
        source: CoreError,
    },
    /// The room for the values that are observed does not fit them.
    #[error("room for {actual} values was given, but {times} times need a row of the same length each")]
    Room {
        /// How many values there is room for.
        actual: usize,
        /// How many times the scenario samples.
        times: usize,
    },
    /// A course was asked to go back in time.
    #[error("a course of model `{model}` stands at {now} and cannot go back to {to}")]
    Backward {
        /// The model's id.
        model: String,
        /// Where the course stands.
        now: Time,
        /// Where it was asked to go.
        to: Time,
    },
    /// The times of a scenario are not in order, or lie before its start.
    #[error("{what} number {index} of the scenario lies at {at}, but must not lie before {limit}")]
    ScenarioOrder {
        /// Which list of the scenario.
        what: &'static str,
        /// The place in that list, from 0.
        index: usize,
        /// The time found there.
        at: Time,
        /// The earliest valid time.
        limit: Time,
    },
    /// A state became NaN or infinite.
    #[error("state `{state}` of model `{model}` became {value} at day {day}")]
    NotFinite {
        /// The model's id.
        model: String,
        /// The state's name.
        state: String,
        /// NaN or an infinity.
        value: f64,
        /// When, in days.
        day: f64,
    },
    /// A state left the bounds of its specification.
    #[error("state `{state}` of model `{model}` became {value} at day {day}, outside its bounds [{low}, {high}]")]
    OutOfBounds {
        /// The model's id.
        model: String,
        /// The state's name.
        state: String,
        /// The value it reached.
        value: f64,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// When, in days.
        day: f64,
    },
    /// The integrator cannot meet its tolerance with any step that time can resolve.
    #[error(
        "model `{model}`: no step from day {day} meets the tolerance of state `{state}` (the problem may be stiff or singular)"
    )]
    StepTooSmall {
        /// The model's id.
        model: String,
        /// The state that is the farthest from its tolerance.
        state: String,
        /// When, in days.
        day: f64,
    },
    /// The integrator took more steps than it may.
    #[error("model `{model}`: more than {limit} steps were needed by day {day} (the problem may be stiff)")]
    TooManySteps {
        /// The model's id.
        model: String,
        /// The limit.
        limit: usize,
        /// When, in days.
        day: f64,
    },
    /// The anatomy that a spatial model is built on is not sound.
    #[error("{what} of an anatomy: {detail}")]
    Anatomy {
        /// Which part of it.
        what: &'static str,
        /// What is wrong, where, and what would be valid.
        detail: String,
    },
    /// A noun of the clinic is not valid.
    #[error(transparent)]
    Core(#[from] CoreError),
}
