//! What a part adds to the specification of a model.

use crate::{ObservableSpec, ParameterSpec, StateSpec, TreatmentSpec};
use twin_core::Observable;

/// What a part adds to the specification of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// Its name, for refusals.
    pub name: String,
    /// Its parameters, in the order in which they are bound.
    pub parameters: Vec<ParameterSpec>,
    /// Its states, in the order of its slice.
    pub states: Vec<StateSpec>,
    /// What it lets one observe.
    pub observables: Vec<ObservableSpec>,
    /// Treatments that it understands; another part may understand the same ones.
    pub treatments: Vec<TreatmentSpec>,
    /// Whether it acts on a tumor, so that there must be one.
    pub needs_tumor: bool,
    /// Whether it kills in proportion to the growth rate without treatment, so that the rate must not rise as a power of a shrinking
    /// volume ([`GrowthLaw::RISES_AS_POWER`](crate::growth::GrowthLaw::RISES_AS_POWER)).
    pub kills_by_growth: bool,
    /// Why it cannot be part of any model, if so; the model is refused with this.
    pub fault: Option<String>,
}

impl Outline {
    /// An empty outline of the part `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds the parameters `P`, their names behind `prefix` and an underscore unless it is empty.
    #[must_use]
    pub fn parameters<P: crate::ParameterSet>(mut self, prefix: &str) -> Self {
        let named = |mut spec: ParameterSpec| {
            if !prefix.is_empty() {
                spec.name = format!("{prefix}_{}", spec.name).into();
            }
            spec
        };
        self.parameters.extend(P::specs().into_iter().map(named));
        self
    }

    /// Adds a state that is never negative.
    #[must_use]
    pub fn state(mut self, name: String, unit: &'static str, absolute_tolerance: f64) -> Self {
        let (low, high) = (0.0, f64::INFINITY);
        self.states.push(StateSpec { name: name.into(), unit: unit.into(), low, high, absolute_tolerance });
        self
    }

    /// Adds a state that may take any value.
    #[must_use]
    pub fn unbounded_state(mut self, name: String, unit: &'static str, absolute_tolerance: f64) -> Self {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        self.states.push(StateSpec { name: name.into(), unit: unit.into(), low, high, absolute_tolerance });
        self
    }

    /// Adds an observable, of which differences below `absolute_tolerance` do not matter.
    #[must_use]
    pub fn observes(mut self, observable: Observable, unit: &'static str, absolute_tolerance: f64) -> Self {
        self.observables.push(ObservableSpec { observable, unit: unit.into(), absolute_tolerance });
        self
    }

    /// The outline of this part and then of `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.name = if other.name.is_empty() { self.name } else { format!("{} + {}", self.name, other.name) };
        self.parameters.extend(other.parameters);
        self.states.extend(other.states);
        self.observables.extend(other.observables);
        self.treatments.extend(other.treatments);
        self.needs_tumor |= other.needs_tumor;
        self.kills_by_growth |= other.kills_by_growth;
        self.fault = self.fault.or(other.fault);
        self
    }
}
