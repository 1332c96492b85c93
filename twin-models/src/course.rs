//! One course of an ordinary differential equation: steps, events and looks.

use crate::dynamics::{ParametersOf, StateOf};
use crate::solver::{StepFailure, Tolerance, Tsitouras};
use crate::{Dynamics, Exposure, Given, Input, MAX_OBSERVABLES, Real, Simulation, SimulationError};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{CoreError, Time, Treatment, Unit};

const MAX_STEPS: usize = 1_000_000;

/// An infusion under way: when it ends, which input it feeds, and at which rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ending {
    day: f64,
    input: usize,
    rate: f64,
}

/// One course of an [`Ode`](crate::Ode), in numbers of the kind `T`.
pub struct OdeSimulation<D: Dynamics, T: Real = f64> {
    dynamics: Arc<D>,
    p: ParametersOf<D, T>,
    units: Arc<[Option<Unit>]>,
    tolerance: Tolerance<StateOf<D, f64>>,
    exposure: Exposure<T>,
    /// Infusions under way, the first to end first.
    ending: Vec<Ending>,
    now: Time,
    stop: Option<f64>,
    /// The state now; the solver may stand a step further on.
    state: StateOf<D, T>,
    /// Steps since the rates last changed abruptly.
    steps: usize,
    solver: Tsitouras<T, StateOf<D, T>>,
}

impl<D: Dynamics, T: Real> std::fmt::Debug for OdeSimulation<D, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OdeSimulation")
            .field("model", &self.dynamics.spec().id)
            .field("now", &self.now)
            .field("state", &self.state)
            .finish()
    }
}

impl<D: Dynamics, T: Real> Clone for OdeSimulation<D, T> {
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

impl<D: Dynamics, T: Real> OdeSimulation<D, T> {
    pub(crate) fn new(
        dynamics: Arc<D>,
        p: ParametersOf<D, T>,
        state: StateOf<D, T>,
        units: Arc<[Option<Unit>]>,
        tolerance: Tolerance<StateOf<D, f64>>,
        now: Time,
    ) -> Result<Self, SimulationError> {
        let exposure = Exposure::default();
        let mut rates = |t: f64, x: &StateOf<D, T>, dx: &mut StateOf<D, T>| dynamics.rates(T::from(t), x, &exposure, &p, dx);
        let solver = Tsitouras::new(now.days(), state.clone(), &mut rates, &tolerance);
        let ending = Vec::new();
        let new = Self { dynamics, p, units, tolerance, exposure, ending, now, stop: None, state, steps: 0, solver };
        new.check_state()?;
        Ok(new)
    }

    /// The state in its numbers.
    pub(crate) fn numbers(&self) -> &[T] {
        self.state.as_ref()
    }

    /// Shows the observables in their numbers to `see`.
    pub(crate) fn with_observables(&self, see: impl FnOnce(&[T])) {
        let mut all = [T::from(0.0); MAX_OBSERVABLES];
        let count = self.dynamics.spec().observables.len().min(MAX_OBSERVABLES);
        let shown = &mut all[..count];
        self.dynamics.observe(&self.state, &self.p, shown);
        see(shown);
    }

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
            let mut rates = |t: f64, x: &StateOf<D, T>, dx: &mut StateOf<D, T>| dynamics.rates(T::from(t), x, exposure, p, dx);
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
                *place = T::from(level);
            }
            ended = true;
        }
        if ended {
            let state = self.solver.last().clone();
            self.restart(day, &state);
        }
    }

    fn restart(&mut self, day: f64, state: &StateOf<D, T>) {
        let (dynamics, exposure, p) = (&self.dynamics, &self.exposure, &self.p);
        self.steps = 0;
        self.solver.jump(day, state, &mut |t, x, dx| dynamics.rates(T::from(t), x, exposure, p, dx), &self.tolerance);
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
            Treatment::Continuous { .. } => exposure.levels[place] = T::from(amount),
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
                exposure.levels[place] = T::from(self.infused(place));
            }
            _ => return self.act(treatment, Given { input: Input(place), amount: T::from(amount) }),
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
    fn act(&mut self, treatment: &Treatment, given: Given<T>) -> Result<(), SimulationError> {
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

impl<D: Dynamics + 'static, T: Real> Simulation for OdeSimulation<D, T> {
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
        self.with_observables(|shown| y.iter_mut().zip(shown).for_each(|(place, value)| *place = value.value()));
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn expect_stop(&mut self, stop: Time) {
        self.stop = Some(stop.days());
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        Some(T::values(self.state.as_ref()))
    }
}
