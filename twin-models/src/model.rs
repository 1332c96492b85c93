//! What calibrators and trials see of a model.

use crate::{Differentiable, Ensemble, ParameterSpec, Parameters, Sensitivities, SimulationError, Source};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{Agent, Observable, Random, ScalarField, Target, Time, Treatment};

/// A model of a tumor, a body, or both: something that can be started with parameters and then lives through a course.
///
/// Object-safe, so a registry, a configuration or another crate can swap models.
pub trait Model: Send + Sync {
    /// What the model is: parameters, states, observables, the treatments it understands.
    fn spec(&self) -> &Arc<ModelSpec>;

    /// Starts a course at `at`.
    ///
    /// # Errors
    /// [`SimulationError::ForeignParameters`] for parameters of another model, or what the model itself finds wrong.
    fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError>;

    /// The ability to start courses that carry their derivatives, if the model has it; every ordinary differential equation does.
    fn differentiable(&self) -> Option<&dyn Differentiable> {
        None
    }

    /// The ability to live a scenario through with many patients at once, if the model has it; every ordinary differential equation does.
    fn ensemble(&self) -> Option<&dyn Ensemble> {
        None
    }

    /// The same model with the tolerances of its integrator multiplied by `factor`, if it has one that can be so refined.
    fn refined(&self, _factor: f64) -> Option<Arc<dyn Model>> {
        None
    }
}

impl std::fmt::Debug for dyn Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({})", self.spec().id)
    }
}

/// One course under way. It owns what it needs.
///
/// At equal times: observe, then decide, then treat. Where a course stands does not depend on how often it was asked.
pub trait Simulation: Send {
    /// Where the course stands.
    fn now(&self) -> Time;

    /// Goes on to `to`.
    ///
    /// # Errors
    /// [`SimulationError::Backward`] if `to` lies before [`Simulation::now`]; what went wrong on the way, with its time. After an
    /// error the course is of no further use.
    fn advance(&mut self, to: Time) -> Result<(), SimulationError>;

    /// Gives `treatment` now.
    ///
    /// # Errors
    /// [`SimulationError::UnsupportedTreatment`] for one that the model does not understand. It is never ignored.
    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError>;

    /// Writes the value of each observable of the specification, in its order and unit, to `y`; a shorter `y` takes the first ones.
    fn observe(&self, y: &mut [f64]);

    /// An independent copy that stands at the same moment, for look-ahead, counterfactuals and particles.
    fn fork(&self) -> Box<dyn Simulation>;

    /// A promise by the caller that nothing is done before `stop`, so that an integrator can step right up to it. A hint: it changes
    /// speed and rounding, never meaning.
    fn expect_stop(&mut self, _stop: Time) {}

    /// Access to the state, for filters and mass balances, if the model offers it.
    fn state(&self) -> Option<Cow<'_, [f64]>> {
        None
    }

    /// The derivatives of the course, if it carries them; see [`Differentiable`].
    fn sensitivities(&self) -> Option<&dyn Sensitivities> {
        None
    }

    /// The field observables, if the model is spatial.
    fn fields(&self) -> Option<&dyn Fields> {
        None
    }
}

/// The ability of a spatial course to show whole fields.
pub trait Fields {
    /// The field of `observable` now, if the model has it.
    fn observe_field(&self, observable: &Observable) -> Option<ScalarField>;
}

/// What a model is.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// Unique name, in snake case.
    pub id: String,
    /// What it describes, one sentence.
    pub title: String,
    /// Where the equations come from.
    pub source: Source,
    /// Parameters, in order.
    pub parameters: Vec<ParameterSpec>,
    /// States, in order; empty for a model without any.
    pub states: Vec<StateSpec>,
    /// Observables, in the order of [`Simulation::observe`].
    pub observables: Vec<ObservableSpec>,
    /// Treatments understood; the place of one is its [`Input`](crate::Input).
    pub treatments: Vec<TreatmentSpec>,
}

/// What a state is.
#[derive(Debug, Clone, PartialEq)]
pub struct StateSpec {
    /// Name, in snake case.
    pub name: Cow<'static, str>,
    /// UCUM unit.
    pub unit: Cow<'static, str>,
    /// Lower bound; minus infinity if there is none.
    pub low: f64,
    /// Upper bound; infinity if there is none.
    pub high: f64,
    /// Absolute tolerance of the integrator, in the unit of the state: differences below it do not matter.
    pub absolute_tolerance: f64,
}

/// What is observed, and in which UCUM unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservableSpec {
    /// The observable.
    pub observable: Observable,
    /// UCUM unit of its values.
    pub unit: Cow<'static, str>,
    /// Differences below it do not matter, in the unit: what the tolerance of the states leaves uncertain of a value that falls to
    /// nothing, as a concentration does between doses. 0 where only relative differences matter.
    pub absolute_tolerance: f64,
}

/// The kind of a treatment that a model understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TreatmentKind {
    /// A radiotherapy fraction; amounts in Gy.
    Fraction,
    /// A drug bolus.
    Bolus,
    /// A drug infusion; the exposure level is the rate per day.
    Infusion,
    /// A drug taken by mouth.
    Oral,
    /// Continuous therapy; the exposure level is its intensity, 0 to 1.
    Continuous,
    /// Surgery; amounts are the share removed.
    Surgery,
}

impl TreatmentKind {
    /// The kind of `treatment`; `None` for one that is newer than this library's models.
    #[must_use]
    pub fn of(treatment: &Treatment) -> Option<Self> {
        match treatment {
            Treatment::Fraction(_) => Some(Self::Fraction),
            Treatment::Bolus { .. } => Some(Self::Bolus),
            Treatment::Infusion { .. } => Some(Self::Infusion),
            Treatment::Oral { .. } => Some(Self::Oral),
            Treatment::Continuous { .. } => Some(Self::Continuous),
            Treatment::Surgery { .. } => Some(Self::Surgery),
            _ => None,
        }
    }

    /// Whether a model must state a unit for the dose.
    pub(crate) fn has_dose(self) -> bool {
        matches!(self, Self::Bolus | Self::Infusion | Self::Oral)
    }
}

/// A treatment that a model understands.
#[derive(Debug, Clone, PartialEq)]
pub struct TreatmentSpec {
    /// Its kind.
    pub kind: TreatmentKind,
    /// The drug, for a drug.
    pub agent: Option<Agent>,
    /// UCUM unit in which the model takes the dose of a bolus, an infusion or an oral dose.
    pub unit: Option<Cow<'static, str>>,
    /// The one target of fractions or surgery that it understands; none for whatever target.
    pub target: Option<Target>,
}

impl ModelSpec {
    /// The specification of a model with the parameters `P`; add states, observables and treatments with the methods below.
    #[must_use]
    pub fn new<P: crate::ParameterSet>(id: &str, title: &str, source: Source) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            source,
            parameters: P::specs(),
            states: Vec::new(),
            observables: Vec::new(),
            treatments: Vec::new(),
        }
    }

    /// Adds a state that is never negative.
    #[must_use]
    pub fn state(self, name: &'static str, unit: &'static str, absolute_tolerance: f64) -> Self {
        self.bounded_state(name, unit, 0.0, f64::INFINITY, absolute_tolerance)
    }

    /// Adds a state with the bounds `low` and `high`.
    #[must_use]
    pub fn bounded_state(mut self, name: &'static str, unit: &'static str, low: f64, high: f64, absolute_tolerance: f64) -> Self {
        self.states.push(StateSpec { name: name.into(), unit: unit.into(), low, high, absolute_tolerance });
        self
    }

    /// Adds an observable, in `unit`.
    #[must_use]
    pub fn observes(self, observable: Observable, unit: &'static str) -> Self {
        self.observes_above(observable, unit, 0.0)
    }

    /// Adds an observable, in `unit`, of which differences below `absolute_tolerance` do not matter.
    #[must_use]
    pub fn observes_above(mut self, observable: Observable, unit: &'static str, absolute_tolerance: f64) -> Self {
        self.observables.push(ObservableSpec { observable, unit: unit.into(), absolute_tolerance });
        self
    }

    /// Adds continuous therapy with `agent`; its level is the intensity, 0 to 1.
    #[must_use]
    pub fn understands_continuous(mut self, agent: &Agent) -> Self {
        self.treatments.push(TreatmentSpec {
            kind: TreatmentKind::Continuous,
            agent: Some(agent.clone()),
            unit: None,
            target: None,
        });
        self
    }

    /// Adds a drug dose of `kind`, which the model takes in `unit`.
    #[must_use]
    pub fn understands_drug(mut self, kind: TreatmentKind, agent: &Agent, unit: &'static str) -> Self {
        self.treatments.push(TreatmentSpec { kind, agent: Some(agent.clone()), unit: Some(unit.into()), target: None });
        self
    }

    /// Adds radiotherapy fractions, whatever their target.
    #[must_use]
    pub fn understands_fractions(mut self) -> Self {
        self.treatments.push(TreatmentSpec { kind: TreatmentKind::Fraction, agent: None, unit: None, target: None });
        self
    }

    /// Adds radiotherapy fractions to `target`; those to another one are refused.
    #[must_use]
    pub fn understands_fractions_to(mut self, target: &Target) -> Self {
        let target = Some(target.clone());
        self.treatments.push(TreatmentSpec { kind: TreatmentKind::Fraction, agent: None, unit: None, target });
        self
    }

    /// Adds surgery, whatever its target.
    #[must_use]
    pub fn understands_surgery(mut self) -> Self {
        self.treatments.push(TreatmentSpec { kind: TreatmentKind::Surgery, agent: None, unit: None, target: None });
        self
    }

    /// The place of `observable` among the observables.
    ///
    /// # Errors
    /// [`SimulationError::UnknownObservable`], listing the ones there are.
    pub fn index_of(&self, observable: &Observable) -> Result<usize, SimulationError> {
        self.observables.iter().position(|spec| spec.observable == *observable).ok_or_else(|| SimulationError::UnknownObservable {
            model: self.id.clone(),
            observable: observable.to_string(),
            known: self.observables.iter().map(|spec| spec.observable.to_string()).collect(),
        })
    }

    /// The defaults of all parameters.
    ///
    /// # Errors
    /// [`SimulationError::ParameterRange`] if a default lies outside its own range.
    pub fn defaults(self: &Arc<Self>) -> Result<Parameters, SimulationError> {
        self.values(self.parameters.iter().map(|spec| spec.default).collect())
    }

    /// Parameters from one value for each, in order.
    ///
    /// # Errors
    /// [`SimulationError::ParameterRange`] for a value outside its range; [`SimulationError::Specification`] for a wrong number.
    pub fn values(self: &Arc<Self>, values: Vec<f64>) -> Result<Parameters, SimulationError> {
        Parameters::new(Arc::clone(self), values)
    }

    /// The treatments understood, in words.
    #[must_use]
    pub fn understood(&self) -> String {
        let word = |spec: &TreatmentSpec| match (&spec.agent, &spec.unit) {
            (Some(agent), Some(unit)) => format!("{:?} of {agent} in {unit}", spec.kind).to_lowercase(),
            (Some(agent), None) => format!("{:?} {agent}", spec.kind).to_lowercase(),
            (None, _) => match &spec.target {
                Some(target) => format!("{:?} to {target}", spec.kind).to_lowercase(),
                None => format!("{:?}", spec.kind).to_lowercase(),
            },
        };
        if self.treatments.is_empty() {
            return "no treatment".to_owned();
        }
        self.treatments.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    /// The place of `treatment` among those that the model understands, by its kind, its drug and its target.
    #[must_use]
    pub fn place_of(&self, treatment: &Treatment) -> Option<usize> {
        let kind = TreatmentKind::of(treatment)?;
        let aimed = |known: &TreatmentSpec| known.target.is_none() || known.target.as_ref() == treatment.target();
        self.treatments.iter().position(|known| known.kind == kind && known.agent.as_ref() == treatment.agent() && aimed(known))
    }

    /// The error that refuses `treatment` at `at`.
    #[must_use]
    pub fn refusal(&self, treatment: &Treatment, at: Time) -> SimulationError {
        SimulationError::UnsupportedTreatment {
            model: self.id.clone(),
            treatment: treatment.to_string(),
            at,
            understood: self.understood(),
        }
    }

    /// Refuses parameters that belong to another model.
    ///
    /// # Errors
    /// [`SimulationError::ForeignParameters`].
    pub fn accept(&self, parameters: &Parameters) -> Result<(), SimulationError> {
        if parameters.model() == self.id && parameters.values().len() == self.parameters.len() {
            return Ok(());
        }
        Err(SimulationError::ForeignParameters { model: self.id.clone(), given: parameters.model().to_owned() })
    }
}
