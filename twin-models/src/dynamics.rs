//! What the author of an ordinary differential equation writes, and what makes a [`Model`] of it.

use crate::solver::{StepFailure, Tolerance, Tsitouras};
use crate::{Model, ModelSpec, ParameterSet, Parameters, Simulation, SimulationError};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use twin_core::{CoreError, Random, Time, Treatment, Unit};

/// The largest number of treatments that one ordinary differential equation can understand.
pub const MAX_INPUTS: usize = 8;
/// The largest number of observables that one ordinary differential equation can show.
pub const MAX_OBSERVABLES: usize = 16;
const MAX_STEPS: usize = 1_000_000;

/// The place of a treatment in [`ModelSpec::treatments`], as a named constant of the model's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(usize);

impl Input {
    /// The treatment number `place`, from 0.
    #[must_use]
    pub const fn new(place: usize) -> Self {
        Self(place)
    }
}

/// What acts continuously on the system: intensities of continuous therapy and rates of infusions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exposure {
    levels: [f64; MAX_INPUTS],
}

impl Exposure {
    /// The level of `input`: for continuous therapy its intensity (0 to 1), for an infusion its rate (dose unit per day), else 0.
    #[must_use]
    #[inline]
    pub fn level(&self, input: Input) -> f64 {
        self.levels.get(input.0).copied().unwrap_or(0.0)
    }
}

/// A treatment that acts at once: which one of the specification, and how much, in the unit of the specification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given {
    /// Which treatment of the specification.
    pub input: Input,
    /// How much: Gy for a fraction, the share removed for surgery, the dose in the unit of the specification for a drug.
    pub amount: f64,
}

/// An ordinary differential equation under treatment: static, inlined, without indices into tables and without strings.
///
/// Wrapped in [`Ode`] it is a [`Model`].
pub trait Dynamics: Send + Sync {
    /// The state, an array such as `[f64; 3]`.
    type State: Clone + AsRef<[f64]> + AsMut<[f64]> + Send + std::fmt::Debug;
    /// The parameters, a struct made by [`parameters!`](crate::parameters!).
    type Parameters: ParameterSet;

    /// What the model is; the same value at every call.
    fn spec(&self) -> &Arc<ModelSpec>;

    /// The parameters from one value for each, in the order of the specification; `None` if their number does not fit. Only a model
    /// whose specification is made at run time needs its own.
    fn parameters(&self, values: &[f64]) -> Option<Self::Parameters> {
        Self::Parameters::from_values(values)
    }

    /// The state at the start of a course.
    fn initial(&self, p: &Self::Parameters) -> Self::State;

    /// Writes the rate of change of `x`, per day, at `t` days to `dx`.
    fn rates(&self, t: f64, x: &Self::State, exposure: &Exposure, p: &Self::Parameters, dx: &mut Self::State);

    /// Writes the observables, in the order and the units of the specification, to `y`, which has one place for each.
    fn observe(&self, x: &Self::State, p: &Self::Parameters, y: &mut [f64]);

    /// Lets a treatment that acts at once change the state: a bolus, an oral dose, a fraction, surgery. Continuous therapy and
    /// infusions never come here: they are levels of the [`Exposure`]. Only needed if the specification names such treatments.
    ///
    /// # Errors
    /// The default refuses, with an empty error that is filled in on the way out.
    fn treat(&self, _given: Given, _p: &Self::Parameters, _x: &mut Self::State) -> Result<(), Refused> {
        Err(Refused)
    }
}

/// A treatment named in the specification, but refused in [`Dynamics::treat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// A [`Model`] made of [`Dynamics`], integrated by the pair of Tsitouras, orders 5(4), with dense output, stopping at every treatment.
///
/// The course between treatments does not depend on how often it is looked at, bit for bit.
pub struct Ode<D> {
    dynamics: Arc<D>,
    relative_tolerance: f64,
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
        Self { dynamics: Arc::new(dynamics), relative_tolerance: Self::RELATIVE_TOLERANCE, prepared: OnceLock::new() }
    }

    /// The same model at another relative tolerance; the absolute ones stand in the specification, state by state.
    #[must_use]
    pub fn with_relative_tolerance(mut self, relative_tolerance: f64) -> Self {
        self.relative_tolerance = relative_tolerance;
        self
    }

    /// Checks the specification and resolves its units, once.
    fn prepare(&self) -> Result<Arc<[Option<Unit>]>, SimulationError> {
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

    fn tolerance(&self, like: &D::State) -> Result<Tolerance<D::State>, SimulationError> {
        let spec = self.dynamics.spec();
        let fault = |detail: String| SimulationError::Specification { model: spec.id.clone(), detail };
        if like.as_ref().len() != spec.states.len() {
            return Err(fault(format!("{} states are specified, but the state has {}", spec.states.len(), like.as_ref().len())));
        }
        let (mut absolute, mut low, mut high) = (like.clone(), like.clone(), like.clone());
        for (i, state) in spec.states.iter().enumerate() {
            if !(state.absolute_tolerance > 0.0 && state.absolute_tolerance.is_finite()) {
                return Err(fault(format!(
                    "state `{}` has the absolute tolerance {}, but it must be above 0",
                    state.name, state.absolute_tolerance
                )));
            }
            absolute.as_mut()[i] = state.absolute_tolerance;
            low.as_mut()[i] = state.low;
            high.as_mut()[i] = state.high;
        }
        Ok(Tolerance { relative: self.relative_tolerance, absolute, low, high })
    }

    /// Starts a course whose type is known, so that every call into it can be inlined.
    ///
    /// # Errors
    /// As [`Model::start`].
    pub fn start_static(&self, parameters: &Parameters, at: Time) -> Result<OdeSimulation<D>, SimulationError> {
        let units = self.prepare()?;
        let spec = self.dynamics.spec();
        spec.accept(parameters)?;
        let p = self.dynamics.parameters(parameters.values()).ok_or_else(|| {
            let detail = "its parameter struct does not match its specification".to_owned();
            SimulationError::Specification { model: spec.id.clone(), detail }
        })?;
        let initial = self.dynamics.initial(&p);
        let tolerance = self.tolerance(&initial)?;
        let exposure = Exposure::default();
        let dynamics = Arc::clone(&self.dynamics);
        let solver =
            Tsitouras::new(at.days(), initial.clone(), &mut |t, x, dx| dynamics.rates(t, x, &exposure, &p, dx), &tolerance);
        let start = OdeSimulation {
            dynamics,
            p,
            units,
            tolerance,
            exposure,
            ending: Vec::new(),
            now: at,
            stop: None,
            state: initial,
            steps: 0,
            solver,
        };
        start.check_state()?;
        Ok(start)
    }
}

impl<D: Dynamics + 'static> Model for Ode<D> {
    fn spec(&self) -> &Arc<ModelSpec> {
        self.dynamics.spec()
    }

    fn start(&self, parameters: &Parameters, at: Time, _random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        Ok(Box::new(self.start_static(parameters, at)?))
    }
}

/// An infusion under way: when it ends, which input it feeds, and at which rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ending {
    day: f64,
    input: usize,
    rate: f64,
}

/// One course of an [`Ode`].
pub struct OdeSimulation<D: Dynamics> {
    dynamics: Arc<D>,
    p: D::Parameters,
    units: Arc<[Option<Unit>]>,
    tolerance: Tolerance<D::State>,
    exposure: Exposure,
    /// Infusions under way, the first to end first.
    ending: Vec<Ending>,
    now: Time,
    stop: Option<f64>,
    /// The state now; the solver may stand a step further on.
    state: D::State,
    /// Steps since the rates last changed abruptly.
    steps: usize,
    solver: Tsitouras<D::State>,
}

impl<D: Dynamics> std::fmt::Debug for OdeSimulation<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OdeSimulation")
            .field("model", &self.dynamics.spec().id)
            .field("now", &self.now)
            .field("state", &self.state)
            .finish()
    }
}

impl<D: Dynamics> Clone for OdeSimulation<D> {
    fn clone(&self) -> Self {
        Self {
            dynamics: Arc::clone(&self.dynamics),
            p: self.p.clone(),
            units: Arc::clone(&self.units),
            tolerance: self.tolerance.clone(),
            exposure: self.exposure,
            ending: self.ending.clone(),
            now: self.now,
            stop: self.stop,
            state: self.state.clone(),
            steps: self.steps,
            solver: self.solver.clone(),
        }
    }
}

impl<D: Dynamics> OdeSimulation<D> {
    /// A state must be finite and within its bounds before the first step too.
    fn check_state(&self) -> Result<(), SimulationError> {
        self.tolerance.check(&self.state).map_err(|failure| self.failure(failure))
    }

    /// The error for what the solver found, in the names of the specification.
    fn failure(&self, failure: StepFailure) -> SimulationError {
        let spec = self.dynamics.spec();
        let (model, day) = (spec.id.clone(), self.solver.end());
        let name = |index: usize| spec.states.get(index).map_or_else(|| index.to_string(), |state| state.name.to_string());
        match failure {
            StepFailure::NotFinite(index, value) => SimulationError::NotFinite { model, state: name(index), value, day },
            StepFailure::OutOfBounds(index, value) => {
                let (low, high) =
                    spec.states.get(index).map_or((f64::NEG_INFINITY, f64::INFINITY), |state| (state.low, state.high));
                SimulationError::OutOfBounds { model, state: name(index), value, low, high, day }
            }
            StepFailure::TooSmall(index) => SimulationError::StepTooSmall { model, state: name(index), day },
        }
    }

    /// Integrates until the last step reaches `day`, and not beyond `limit`.
    fn integrate(&mut self, day: f64, limit: f64) -> Result<(), SimulationError> {
        while self.solver.end() < day {
            if self.steps >= MAX_STEPS {
                let model = self.dynamics.spec().id.clone();
                return Err(SimulationError::TooManySteps { model, limit: MAX_STEPS, day: self.solver.end() });
            }
            self.steps += 1;
            let (dynamics, exposure, p) = (&self.dynamics, &self.exposure, &self.p);
            let mut rates = |t: f64, x: &D::State, dx: &mut D::State| dynamics.rates(t, x, exposure, p, dx);
            let stepped = self.solver.step(&mut rates, &self.tolerance, limit);
            stepped.map_err(|failure| self.failure(failure))?;
        }
        Ok(())
    }

    /// The sum of the rates at which `input` is fed. Summed anew each time: taking the rate of one that ends from the sum would leave
    /// its rounding behind.
    fn infused(&self, input: usize) -> f64 {
        self.ending.iter().filter(|under_way| under_way.input == input).map(|under_way| under_way.rate).sum()
    }

    /// Ends the infusions that are due where the solver stands.
    fn end_infusions(&mut self) {
        let day = self.solver.end();
        let mut ended = false;
        while let Some(&Ending { day: due, input, .. }) = self.ending.first() {
            if due > day {
                break;
            }
            self.ending.remove(0);
            let level = self.infused(input);
            if let Some(place) = self.exposure.levels.get_mut(input) {
                *place = level;
            }
            ended = true;
        }
        if ended {
            let state = self.solver.last().clone();
            self.restart(day, &state);
        }
    }

    fn restart(&mut self, day: f64, state: &D::State) {
        let (dynamics, exposure, p) = (&self.dynamics, &self.exposure, &self.p);
        self.steps = 0;
        self.solver.jump(day, state, &mut |t, x, dx| dynamics.rates(t, x, exposure, p, dx), &self.tolerance);
    }

    fn rewind_to_now(&mut self) -> Result<(), SimulationError> {
        let now = self.now.days();
        if self.solver.end() > now {
            self.solver.undo();
            self.integrate(now, now)?;
            self.solver.interpolate(now, &mut self.state);
        }
        Ok(())
    }

    fn go(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.now {
            let model = self.dynamics.spec().id.clone();
            return Err(SimulationError::Backward { model, now: self.now, to });
        }
        let day = to.days();
        while self.solver.end() < day {
            self.end_infusions();
            let stop = self.stop.filter(|stop| *stop > self.solver.end()).unwrap_or(f64::INFINITY);
            let limit = self.ending.first().map_or(stop, |ending| ending.day.min(stop));
            self.integrate(day.min(limit), limit)?;
        }
        self.now = to;
        self.solver.interpolate(day, &mut self.state);
        Ok(())
    }

    /// The place of `treatment` in the specification, and its amount in the unit of the specification.
    fn resolve(&self, treatment: &Treatment) -> Result<(usize, f64), SimulationError> {
        let spec = self.dynamics.spec();
        let place = spec.place_of(treatment).ok_or_else(|| spec.refusal(treatment, self.now))?;
        let amount = match treatment {
            Treatment::Fraction(fraction) => fraction.dose.gray(),
            Treatment::Surgery { extent, .. } => extent.value(),
            Treatment::Continuous { intensity, .. } => intensity.value(),
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => {
                let unit = self.units.get(place).and_then(Option::as_ref).unwrap_or_else(|| dose.unit());
                dose.unit().convert(dose.value(), unit).map_err(|source| self.invalid(treatment, source))?
            }
            _ => return Err(spec.refusal(treatment, self.now)),
        };
        if amount < 0.0 {
            return Err(self.invalid(treatment, CoreError::OutOfRange { what: "dose", value: amount, valid: "0 or more" }));
        }
        Ok((place, amount))
    }

    /// The error for a treatment whose dose or duration cannot be taken.
    fn invalid(&self, treatment: &Treatment, source: CoreError) -> SimulationError {
        let model = self.dynamics.spec().id.clone();
        SimulationError::InvalidDose { model, treatment: treatment.to_string(), at: self.now, source }
    }

    fn give(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        let (place, amount) = self.resolve(treatment)?;
        let mut exposure = self.exposure;
        match treatment {
            Treatment::Continuous { .. } => exposure.levels[place] = amount,
            Treatment::Infusion { duration, .. } => {
                let (now, day) = (self.now.days(), self.now.days() + duration.days());
                // The rate belongs to the duration that the clock can represent, so that the whole dose goes in.
                let rate = amount / (day - now);
                if !(day > now && rate.is_finite()) {
                    let valid = "long enough for the clock to tell its end from its beginning (give a bolus instead)";
                    let source = CoreError::OutOfRange { what: "infusion duration in days", value: duration.days(), valid };
                    return Err(self.invalid(treatment, source));
                }
                if rate > 0.0 {
                    let at = self.ending.partition_point(|other| other.day <= day);
                    self.ending.insert(at, Ending { day, input: place, rate });
                }
                exposure.levels[place] = self.infused(place);
            }
            _ => return self.act(treatment, Given { input: Input(place), amount }),
        }
        if exposure != self.exposure {
            self.rewind_to_now()?;
            self.exposure = exposure;
            let state = self.state.clone();
            self.restart(self.now.days(), &state);
        }
        Ok(())
    }

    /// Lets a treatment act at once. One that changes nothing leaves the course as it is, to the bit.
    fn act(&mut self, treatment: &Treatment, given: Given) -> Result<(), SimulationError> {
        let refuse = |_| self.dynamics.spec().refusal(treatment, self.now);
        let mut probe = self.state.clone();
        self.dynamics.treat(given, &self.p, &mut probe).map_err(refuse)?;
        if probe.as_ref() == self.state.as_ref() {
            return Ok(());
        }
        self.rewind_to_now()?;
        let mut state = self.state.clone();
        self.dynamics.treat(given, &self.p, &mut state).map_err(|_| self.dynamics.spec().refusal(treatment, self.now))?;
        self.state = state.clone();
        self.restart(self.now.days(), &state);
        self.check_state()
    }
}

impl<D: Dynamics + 'static> Simulation for OdeSimulation<D> {
    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.go(to)
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        if self.solver.end() <= self.now.days() {
            self.end_infusions();
        }
        self.give(treatment)
    }

    fn observe(&self, y: &mut [f64]) {
        let mut all = [0.0; MAX_OBSERVABLES];
        let count = self.dynamics.spec().observables.len().min(MAX_OBSERVABLES);
        self.dynamics.observe(&self.state, &self.p, &mut all[..count]);
        y.iter_mut().zip(&all[..count]).for_each(|(place, value)| *place = *value);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn expect_stop(&mut self, stop: Time) {
        self.stop = Some(stop.days());
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        Some(Cow::Borrowed(self.state.as_ref()))
    }
}
