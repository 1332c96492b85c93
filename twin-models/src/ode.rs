//! What makes a [`Model`] of an ordinary differential equation.

use crate::dynamics::{ParametersOf, StateOf};
use crate::solver::Tolerance;
use crate::{
    Differentiable, Dynamics, Ensemble, MAX_INPUTS, MAX_OBSERVABLES, Model, ModelSpec, OdeSimulation, Parameters, Real, Scalar,
    Simulation, SimulationError, StateSpace, StateSpec,
};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use twin_core::{Random, Time, Unit};

/// A [`Model`] made of [`Dynamics`], integrated by the pair of Tsitouras, orders 5(4), with dense output, stopping at every treatment.
///
/// The course between treatments does not depend on how often it is looked at, bit for bit.
pub struct Ode<D> {
    dynamics: Arc<D>,
    relative_tolerance: f64,
    /// What the absolute tolerances of the specification are multiplied by.
    absolute_factor: f64,
    prepared: OnceLock<Result<Arc<[Option<Unit>]>, SimulationError>>,
}

impl<D: Dynamics> std::fmt::Debug for Ode<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ode")
            .field("model", &self.dynamics.spec().id)
            .field("relative_tolerance", &self.relative_tolerance)
            .finish()
    }
}

impl<D: Dynamics> Ode<D> {
    /// The relative tolerance unless another is asked for.
    pub const RELATIVE_TOLERANCE: f64 = 1e-7;

    /// A model of `dynamics`.
    #[must_use]
    pub fn new(dynamics: D) -> Self {
        Self {
            dynamics: Arc::new(dynamics),
            relative_tolerance: Self::RELATIVE_TOLERANCE,
            absolute_factor: 1.0,
            prepared: OnceLock::new(),
        }
    }

    /// The same model at another relative tolerance; the absolute ones stand in the specification, state by state.
    #[must_use]
    pub fn with_relative_tolerance(mut self, relative_tolerance: f64) -> Self {
        self.relative_tolerance = relative_tolerance;
        self
    }

    /// Checks the specification and resolves its units, once.
    pub(crate) fn prepare(&self) -> Result<Arc<[Option<Unit>]>, SimulationError> {
        let spec = self.dynamics.spec();
        let fault = |detail: String| SimulationError::Specification { model: spec.id.clone(), detail };
        let prepared = self.prepared.get_or_init(|| {
            if spec.treatments.len() > MAX_INPUTS {
                return Err(fault(format!("{} treatments, but at most {MAX_INPUTS} are possible", spec.treatments.len())));
            }
            if spec.observables.is_empty() || spec.observables.len() > MAX_OBSERVABLES {
                return Err(fault(format!("{} observables, but 1 to {MAX_OBSERVABLES} are possible", spec.observables.len())));
            }
            if !(self.relative_tolerance > 0.0 && self.relative_tolerance < 1.0) {
                return Err(fault(format!("a relative tolerance of {}, but it must lie between 0 and 1", self.relative_tolerance)));
            }
            if let Some(open) = spec.treatments.iter().find(|known| known.kind.has_dose() && known.unit.is_none()) {
                return Err(fault(format!("it understands {:?} but states no unit for the dose", open.kind)));
            }
            let resolve = |unit: &Option<Cow<'static, str>>| unit.as_ref().map(|code| code.parse::<Unit>()).transpose();
            let units: Result<Vec<_>, _> = spec.treatments.iter().map(|treatment| resolve(&treatment.unit)).collect();
            Ok(units?.into())
        });
        prepared.clone()
    }

    /// The equation.
    #[must_use]
    pub fn dynamics(&self) -> &D {
        &self.dynamics
    }

    pub(crate) fn spec_of_dynamics(&self) -> &Arc<ModelSpec> {
        self.dynamics.spec()
    }

    pub(crate) fn initial<T: Scalar>(&self, p: &ParametersOf<D, T>) -> StateOf<D, T> {
        self.dynamics.initial(p)
    }

    pub(crate) fn tolerance<T: Real>(&self, like: &StateOf<D, T>) -> Result<Tolerance<StateOf<D, f64>>, SimulationError> {
        let spec = self.dynamics.spec();
        let fault = |detail: String| SimulationError::Specification { model: spec.id.clone(), detail };
        let count = like.as_ref().len();
        if count != spec.states.len() {
            return Err(fault(format!("{} states are specified, but the state has {count}", spec.states.len())));
        }
        if let Some(wrong) =
            spec.states.iter().find(|state| !(state.absolute_tolerance > 0.0 && state.absolute_tolerance.is_finite()))
        {
            let (name, tolerance) = (&wrong.name, wrong.absolute_tolerance);
            return Err(fault(format!("state `{name}` has the absolute tolerance {tolerance}, but it must be above 0")));
        }
        let of = |what: &dyn Fn(&StateSpec) -> f64| D::State::like(like, |place| spec.states.get(place).map_or(0.0, what));
        let absolute = of(&|state| state.absolute_tolerance * self.absolute_factor);
        let (low, high) = (of(&|state| state.low), of(&|state| state.high));
        Ok(Tolerance { relative: self.relative_tolerance, absolute, low, high })
    }

    /// Starts a course whose type is known, so that every call into it can be inlined.
    ///
    /// # Errors
    /// As [`Model::start`].
    pub fn start_static(&self, parameters: &Parameters, at: Time) -> Result<OdeSimulation<D>, SimulationError> {
        let p = self.bind(parameters, parameters.values())?;
        let initial = self.dynamics.initial(&p);
        self.begin(p, initial, parameters.values(), at)
    }

    /// The parameters in numbers of another kind.
    pub(crate) fn bind<T: Scalar>(&self, parameters: &Parameters, values: &[T]) -> Result<ParametersOf<D, T>, SimulationError> {
        let spec = self.dynamics.spec();
        spec.accept(parameters)?;
        self.dynamics.parameters(values).ok_or_else(|| {
            let detail = "its parameter struct does not match its specification".to_owned();
            SimulationError::Specification { model: spec.id.clone(), detail }
        })
    }

    pub(crate) fn begin<T: Real>(
        &self,
        p: ParametersOf<D, T>,
        initial: StateOf<D, T>,
        values: &[f64],
        at: Time,
    ) -> Result<OdeSimulation<D, T>, SimulationError> {
        let units = self.prepare()?;
        let tolerance = self.tolerance::<T>(&initial)?;
        OdeSimulation::new(Arc::clone(&self.dynamics), p, initial, units, tolerance, values.into(), at)
    }
}

impl<D: Dynamics + 'static> Model for Ode<D> {
    fn spec(&self) -> &Arc<ModelSpec> {
        self.dynamics.spec()
    }

    fn start(&self, parameters: &Parameters, at: Time, _random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        Ok(Box::new(self.start_static(parameters, at)?))
    }

    fn differentiable(&self) -> Option<&dyn Differentiable> {
        Some(self)
    }

    fn ensemble(&self) -> Option<&dyn Ensemble> {
        Some(self)
    }

    fn refined(&self, factor: f64) -> Option<Arc<dyn Model>> {
        let (dynamics, prepared) = (Arc::clone(&self.dynamics), OnceLock::new());
        let (relative_tolerance, absolute_factor) = (factor * self.relative_tolerance, factor * self.absolute_factor);
        Some(Arc::new(Self { dynamics, relative_tolerance, absolute_factor, prepared }))
    }
}
