//! One course of an ordinary differential equation: steps, events and looks.

use crate::dynamics::{ParametersOf, StateOf};
use crate::events::{Acts, Events};
use crate::solver::{Solver, StepFailure, System, Tolerance};
use crate::{Dual, Dynamics, Exposure, Given, MAX_OBSERVABLES, Real, Simulation, SimulationError, StateSpace, TANGENTS};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{Time, Treatment, Unit};

const MAX_STEPS: usize = 1_000_000;

/// What a Jacobian takes: the values of the parameters, and once one was asked for these as numbers that carry derivatives.
struct Linear<D: Dynamics> {
    values: Arc<[f64]>,
    p: Option<Arc<ParametersOf<D, Dual>>>,
}

impl<D: Dynamics> Clone for Linear<D> {
    fn clone(&self) -> Self {
        Self { values: Arc::clone(&self.values), p: self.p.clone() }
    }
}

/// The equations under the exposure of the moment.
struct Equations<'a, D: Dynamics, T: Real> {
    dynamics: &'a D,
    exposure: &'a Exposure<T>,
    p: &'a ParametersOf<D, T>,
    linear: &'a mut Linear<D>,
}

impl<D: Dynamics, T: Real> Equations<'_, D, T> {
    /// The rates, in as many copies as the compiler likes: a plain step asks for them in seven places.
    #[inline]
    fn plain_rates(&self, t: f64, x: &StateOf<D, T>, dx: &mut StateOf<D, T>) {
        self.dynamics.rates(T::from(t), x, self.exposure, self.p, dx);
    }
}

impl<D: Dynamics, T: Real> System<T, StateOf<D, T>> for Equations<'_, D, T> {
    #[inline(always)]
    fn rates(&mut self, t: f64, x: &StateOf<D, T>, dx: &mut StateOf<D, T>) {
        if T::CARRIES_DERIVATIVES {
            self.dynamics.rates(T::from(t), x, self.exposure, self.p, dx);
        } else {
            self.plain_rates(t, x, dx);
        }
    }

    #[cold]
    fn linearize(&mut self, t: f64, x: &StateOf<D, T>, jacobian: &mut [f64], by_time: &mut [f64]) {
        let bind = || self.dynamics.parameters(&self.linear.values.iter().map(|&value| Dual::from(value)).collect::<Vec<_>>());
        if self.linear.p.is_none() {
            self.linear.p = bind().map(Arc::new);
        }
        let Some(p) = self.linear.p.as_deref() else {
            return jacobian.fill(f64::NAN); // no step can be made, and that is reported
        };
        let exposure = Exposure { levels: self.exposure.levels.map(|level| Dual::from(level.value())) };
        let n = by_time.len();
        let zero = Dual::from(0.0);
        let mut dx = D::State::like(x, |_| zero);
        for first in (0..=n).step_by(TANGENTS) {
            let value = |place: usize| x.as_ref().get(place).map_or(0.0, |x| x.value());
            let seed = |value: f64, place: usize| Dual::seed(value, place.checked_sub(first).unwrap_or(TANGENTS));
            let state = D::State::like(x, |place| seed(value(place), place));
            self.dynamics.rates(seed(t, n), &state, &exposure, p, &mut dx);
            for (i, rate) in dx.as_ref().iter().enumerate() {
                for place in first..(first + TANGENTS).min(n + 1) {
                    let entry = if place < n { jacobian.get_mut(i * n + place) } else { by_time.get_mut(i) };
                    if let Some(entry) = entry {
                        *entry = rate.tangent(place - first);
                    }
                }
            }
        }
    }
}

/// One course of an [`Ode`](crate::Ode), in numbers of the kind `T`.
pub struct OdeSimulation<D: Dynamics, T: Real = f64> {
    dynamics: Arc<D>,
    p: ParametersOf<D, T>,
    tolerance: Tolerance<StateOf<D, f64>>,
    /// The levels that the solver steps under; those of the events once they are told to it.
    exposure: Exposure<T>,
    events: Events,
    now: Time,
    stop: Option<f64>,
    /// The state now; the solver may stand a step further on.
    state: StateOf<D, T>,
    /// Steps since the rates last changed abruptly.
    steps: usize,
    solver: Solver<T, StateOf<D, T>>,
    linear: Linear<D>,
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
            tolerance: self.tolerance.clone(),
            exposure: self.exposure,
            events: self.events.clone(),
            now: self.now,
            stop: self.stop,
            state: self.state.clone(),
            steps: self.steps,
            solver: self.solver.clone(),
            linear: self.linear.clone(),
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
        values: Arc<[f64]>,
        now: Time,
    ) -> Result<Self, SimulationError> {
        let exposure = Exposure::default();
        let mut linear = Linear { values, p: None };
        let mut system = Equations { dynamics: dynamics.as_ref(), exposure: &exposure, p: &p, linear: &mut linear };
        let solver = Solver::new(now.days(), state.clone(), &mut system, &tolerance);
        let new =
            Self { dynamics, p, tolerance, exposure, events: Events::new(units), now, stop: None, state, steps: 0, solver, linear };
        new.check_state()?;
        Ok(new)
    }

    /// The state in its numbers.
    pub(crate) fn numbers(&self) -> &[T] {
        self.state.as_ref()
    }

    /// Shows the observables in their numbers to `see`.
    pub(crate) fn with_observables(&self, see: impl FnOnce(&[T])) {
        // Room for the few that most models have: filling the whole of it takes longer than observing.
        const FEW: usize = 4;
        let count = self.dynamics.spec().observables.len().min(MAX_OBSERVABLES);
        let (mut few, mut many);
        let room = if count <= FEW {
            few = [T::from(0.0); FEW];
            few.as_mut_slice()
        } else {
            many = [T::from(0.0); MAX_OBSERVABLES];
            many.as_mut_slice()
        };
        let shown = &mut room[..count];
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
            let (dynamics, exposure, p) = (self.dynamics.as_ref(), &self.exposure, &self.p);
            let mut system = Equations { dynamics, exposure, p, linear: &mut self.linear };
            let stepped = self.solver.step(&mut system, &self.tolerance, limit);
            stepped.map_err(|failure| self.failure(failure))?;
        }
        Ok(())
    }

    /// Ends the infusions that are due where the solver stands.
    fn end_infusions(&mut self) {
        let day = self.solver.end();
        if self.events.end_due(day) {
            self.exposure = self.events.exposure();
            let state = self.solver.last().clone();
            self.restart(day, &state);
        }
    }

    fn restart(&mut self, day: f64, state: &StateOf<D, T>) {
        let (dynamics, exposure, p) = (self.dynamics.as_ref(), &self.exposure, &self.p);
        self.steps = 0;
        let mut system = Equations { dynamics, exposure, p, linear: &mut self.linear };
        self.solver.jump(day, state, &mut system, &self.tolerance);
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
            let limit = self.events.next_end().map_or(stop, |end| end.min(stop));
            self.integrate(day.min(limit), limit)?;
        }
        self.now = to;
        self.solver.interpolate(day, &mut self.state);
        Ok(())
    }

    fn give(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        match self.events.take(self.dynamics.spec(), treatment, self.now)? {
            Acts::AtOnce(input, amount) => self.act(treatment, Given { input, amount: T::from(amount) }),
            Acts::OverTime => {
                let exposure = self.events.exposure();
                if exposure != self.exposure {
                    self.rewind_to_now()?;
                    self.exposure = exposure;
                    let state = self.state.clone();
                    self.restart(self.now.days(), &state);
                }
                Ok(())
            }
        }
    }

    /// Lets a treatment act at once. A dose of nothing that changes nothing leaves the course as it is, to the bit; any other one is a new
    /// start for the solver, whether or not it moves a value, so that courses with and without derivatives step alike.
    fn act(&mut self, treatment: &Treatment, given: Given<T>) -> Result<(), SimulationError> {
        let refuse = |_| self.dynamics.spec().refusal(treatment, self.now);
        let mut probe = self.state.clone();
        self.dynamics.treat(given, &self.p, &mut probe).map_err(refuse)?;
        if given.amount.value() <= 0.0 && probe.as_ref() == self.state.as_ref() {
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
