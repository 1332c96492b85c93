//! Systems of ordinary differential equations that are stated as data: read from a file, or put together at run time.
//!
//! ```
//! use twin_core::{Observable, Random, Time};
//! use twin_models::equations::{Equations, Expression};
//! use twin_models::{Scenario, Source, simulate};
//!
//! let mut equations = Equations::new("logistic_by_text", "Logistic growth", Source::assumed("an example"), "d".parse()?);
//! equations.constant("growth_rate", "/d", 0.1).constant("capacity", "mm3", 1000.0);
//! equations.state("volume", "mm3", Expression::Number(10.0), Expression::parse("growth_rate * volume * (1 - volume / capacity)")?);
//! equations.observe(Observable::TUMOR_VOLUME, "mm3", Expression::name("volume"));
//! let model = equations.model()?;
//! let look = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(30.0)?]);
//! let volume = simulate(&model, &twin_models::Model::spec(&model).defaults()?, &look, &mut Random::new(1))?.values[0];
//! let exact = 1000.0 / (1.0 + 99.0 * (-3.0_f64).exp());
//! assert!((volume / exact - 1.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Constants are the parameters of the model. Assignments hold at every moment, in whatever order they are written. An event changes
//! states when its trigger becomes true; the moment is found inside a step to the last bit of time, by bisection of the dense output.
//! A look at that moment shows the states after the event.
//!
//! A model that is known when a program is written is better stated as [`Dynamics`](crate::Dynamics): its equations are compiled,
//! where those here are looked up in a table, many times slower. Stiff systems are integrated explicitly, in many small steps, up to
//! a limit that is an error. Algebraic equations and delays have no place here.

mod course;
mod expression;
mod function;
mod parse;
mod program;
mod system;
#[cfg(test)]
mod tests;

pub use expression::{Expression, MAX_DEPTH};
pub use function::Function;

use crate::{
    Model, ModelSpec, ObservableSpec, ParameterSpec, Parameters, Simulation, SimulationError, Source, StateSpec, TreatmentKind,
};
use std::sync::Arc;
use twin_core::{Agent, Observable, Random, Time, Unit};

/// A system of equations, as plain data. [`Equations::model`] checks it and makes a [`Model`] of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Equations {
    /// The model's id, in snake case.
    pub id: String,
    /// What it describes, one sentence.
    pub title: String,
    /// Where the equations come from.
    pub source: Source,
    /// The unit of time: of [`Expression::Time`], of the rates (per unit) and of delays.
    pub time_unit: Unit,
    /// Constants: the parameters of the model.
    pub constants: Vec<ParameterSpec>,
    /// States.
    pub states: Vec<State>,
    /// Values that follow from others at every moment.
    pub assignments: Vec<Assignment>,
    /// What changes states abruptly.
    pub events: Vec<Event>,
    /// What is observed, each with its value.
    pub observables: Vec<(ObservableSpec, Expression)>,
    /// Treatments, each with the state that it adds to.
    pub doses: Vec<Dosing>,
}

/// A value that changes in time.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Name, unit, bounds and absolute tolerance.
    pub spec: StateSpec,
    /// Its value at the start.
    pub initial: Expression,
    /// Its rate of change, per unit of time; 0 for one that events alone change.
    pub rate: Expression,
}

/// A value that follows from others at every moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: Expression,
}

/// What happens when a condition becomes true.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its name, for messages.
    pub name: String,
    /// The condition.
    pub trigger: Expression,
    /// Whether the condition counts as true before the start: if not, and it is true at the start, the event happens at once.
    pub true_before: bool,
    /// Whether the event happens though its condition becomes false in the meantime.
    pub persistent: bool,
    /// How long after the condition became true it happens.
    pub delay: Option<Expression>,
    /// Which of several events of one moment comes first: the one with the largest; without one, the last. Of equal ones, the first in
    /// the list.
    pub priority: Option<Expression>,
    /// Whether what is assigned is computed when the condition becomes true, or when the event happens.
    pub values_from_trigger: bool,
    /// States, and what they become.
    pub assignments: Vec<(String, Expression)>,
}

/// A treatment that adds its dose to a state, at once or over the duration of an infusion.
#[derive(Debug, Clone, PartialEq)]
pub struct Dosing {
    /// A bolus, an oral dose or an infusion.
    pub kind: TreatmentKind,
    /// The drug.
    pub agent: Agent,
    /// The state, whose unit is that of the dose.
    pub state: String,
}

impl Equations {
    /// The absolute tolerance of a state of [`Equations::state`].
    pub const ABSOLUTE_TOLERANCE: f64 = 1e-12;

    /// A system without equations.
    #[must_use]
    pub fn new(id: &str, title: &str, source: Source, time_unit: Unit) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            source,
            time_unit,
            constants: Vec::new(),
            states: Vec::new(),
            assignments: Vec::new(),
            events: Vec::new(),
            observables: Vec::new(),
            doses: Vec::new(),
        }
    }

    /// Adds a constant that may have any finite value; narrow its range before a search uses it.
    pub fn constant(&mut self, name: &str, unit: &str, value: f64) -> &mut Self {
        self.constants.push(ParameterSpec {
            name: name.to_owned().into(),
            unit: unit.to_owned().into(),
            low: f64::MIN,
            high: f64::MAX,
            default: value,
            description: format!("The constant {name} of the system").into(),
            source: self.source.clone(),
        });
        self
    }

    /// Adds a state without bounds.
    pub fn state(&mut self, name: &str, unit: &str, initial: Expression, rate: Expression) -> &mut Self {
        let spec = StateSpec {
            name: name.to_owned().into(),
            unit: unit.to_owned().into(),
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            absolute_tolerance: Self::ABSOLUTE_TOLERANCE,
        };
        self.states.push(State { spec, initial, rate });
        self
    }

    /// Adds a value that follows from others.
    pub fn assignment(&mut self, name: &str, value: Expression) -> &mut Self {
        self.assignments.push(Assignment { name: name.to_owned(), value });
        self
    }

    /// Adds an observable, in `unit`.
    pub fn observe(&mut self, observable: Observable, unit: &str, value: Expression) -> &mut Self {
        self.observables.push((ObservableSpec { observable, unit: unit.to_owned().into(), absolute_tolerance: 0.0 }, value));
        self
    }

    /// Lets doses of `agent` go into `state`.
    pub fn dose(&mut self, kind: TreatmentKind, agent: Agent, state: &str) -> &mut Self {
        self.doses.push(Dosing { kind, agent, state: state.to_owned() });
        self
    }

    /// The model, at the relative tolerance of [`Ode`](crate::Ode).
    ///
    /// # Errors
    /// [`SimulationError::Specification`] for a name that is given twice or not at all, an assignment that defines itself, an event or
    /// a dose that changes what is no state, a tolerance that is not above 0; [`SimulationError::Core`] for a unit that is not one.
    pub fn model(&self) -> Result<EquationModel, SimulationError> {
        let fault = |detail: String| SimulationError::Specification { model: self.id.clone(), detail };
        let is_sound = |state: &&State| state.spec.absolute_tolerance > 0.0;
        if let Some(state) = self.states.iter().find(|state| !is_sound(state)) {
            return Err(fault(format!("the absolute tolerance of `{}` must be above 0", state.spec.name)));
        }
        if self.observables.is_empty() {
            return Err(fault("it must observe something".to_owned()));
        }
        Ok(EquationModel { system: Arc::new(system::System::new(self)?), relative_tolerance: 1e-7 })
    }
}

/// A [`Model`] made of [`Equations`].
#[derive(Debug, Clone)]
pub struct EquationModel {
    system: Arc<system::System>,
    relative_tolerance: f64,
}

impl EquationModel {
    /// The same model at another relative tolerance; the absolute ones stand in the specification, state by state.
    ///
    /// # Errors
    /// [`SimulationError::Specification`] unless it lies between 0 and 1.
    pub fn with_relative_tolerance(mut self, relative_tolerance: f64) -> Result<Self, SimulationError> {
        if !(relative_tolerance > 0.0 && relative_tolerance < 1.0) {
            let detail = format!("a relative tolerance of {relative_tolerance}, but it must lie between 0 and 1");
            return Err(SimulationError::Specification { model: self.system.spec.id.clone(), detail });
        }
        self.relative_tolerance = relative_tolerance;
        Ok(self)
    }
}

impl Model for EquationModel {
    fn spec(&self) -> &Arc<ModelSpec> {
        &self.system.spec
    }

    fn start(&self, parameters: &Parameters, at: Time, _random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        Ok(Box::new(course::Course::new(&self.system, self.relative_tolerance, parameters, at)?))
    }
}
