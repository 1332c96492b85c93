//! Courses that carry their derivatives.

use crate::dynamics::StateOf;
use crate::{Dual, Dynamics, Ode, OdeSimulation, Parameters, Simulation, SimulationError, StateSpace, TANGENTS};
use std::borrow::Cow;
use twin_core::{Time, Treatment};

/// What a course is differentiated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The parameter at this place in the specification.
    Parameter(usize),
    /// The state at this place in the specification, at the start of the course; parameters stay as they are.
    InitialState(usize),
}

/// The ability of a model to start courses that carry their derivatives: [`Model::differentiable`](crate::Model::differentiable).
///
/// ```
/// use twin_core::{Random, Span, Time};
/// use twin_models::{Direction, Model, growth};
/// let model = growth::exponential();
/// let parameters = model.spec().defaults()?;
/// let Some(differentiable) = model.differentiable() else { return Ok(()) };
/// let by = [Direction::Parameter(parameters.index_of("growth_rate")?)];
/// let mut course = differentiable.start_differentiated(&parameters, Time::ORIGIN, &by)?;
/// course.advance(Time::ORIGIN + Span::from_days(50.0)?)?;
/// let (mut volume, mut slope) = ([0.0], [0.0]);
/// course.observe(&mut volume);
/// if let Some(sensitivities) = course.sensitivities() {
///     sensitivities.observe(&mut slope);
/// }
/// assert!((slope[0] / (50.0 * volume[0]) - 1.0).abs() < 1e-6); // of V exp(a t) by a: t V
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
pub trait Differentiable: Send + Sync {
    /// Starts a course at `at` that carries its derivatives in each direction of `by`. All that it shows has the same bits as without them.
    ///
    /// # Errors
    /// As [`Model::start`](crate::Model::start); [`SimulationError::Specification`] for a direction that does not exist.
    fn start_differentiated(
        &self,
        parameters: &Parameters,
        at: Time,
        by: &[Direction],
    ) -> Result<Box<dyn Simulation>, SimulationError>;
}

/// The derivatives of a course: [`Simulation::sensitivities`].
pub trait Sensitivities {
    /// The number of directions.
    fn directions(&self) -> usize;

    /// Writes the derivatives of the observables as `(observables × directions)`, row by row, to `dy`; a shorter one takes the first ones.
    /// One that does not exist at a point (of a power at 0) is not finite.
    fn observe(&self, dy: &mut [f64]);

    /// Writes the derivatives of the state as `(states × directions)`, row by row, to `dx`; a shorter one takes the first ones.
    fn state(&self, dx: &mut [f64]);
}

impl<D: Dynamics + 'static> Differentiable for Ode<D> {
    fn start_differentiated(
        &self,
        parameters: &Parameters,
        at: Time,
        by: &[Direction],
    ) -> Result<Box<dyn Simulation>, SimulationError> {
        let spec = self.spec_of_dynamics();
        for &direction in by {
            let (what, place, count) = match direction {
                Direction::Parameter(place) => ("parameter", place, spec.parameters.len()),
                Direction::InitialState(place) => ("state", place, spec.states.len()),
            };
            if place >= count {
                let detail = format!("there is no {what} number {place} to differentiate by; it has {count}, from 0");
                return Err(SimulationError::Specification { model: spec.id.clone(), detail });
            }
        }
        let first = self.start_chunk(parameters, at, by.get(..TANGENTS).unwrap_or(by))?;
        let rest = by.chunks(TANGENTS).skip(1).map(|chunk| self.start_chunk(parameters, at, chunk)).collect::<Result<_, _>>()?;
        Ok(Box::new(DifferentiatedCourse { first, rest, directions: by.len() }))
    }
}

impl<D: Dynamics + 'static> Ode<D> {
    /// A course with derivatives in at most [`TANGENTS`] directions.
    fn start_chunk(&self, parameters: &Parameters, at: Time, by: &[Direction]) -> Result<OdeSimulation<D, Dual>, SimulationError> {
        let place_of = |direction: Direction| by.iter().position(|&known| known == direction).unwrap_or(TANGENTS);
        let seeded = |(place, &value): (usize, &f64)| Dual::seed(value, place_of(Direction::Parameter(place)));
        let values: Vec<Dual> = parameters.values().iter().enumerate().map(seeded).collect();
        let p = self.bind(parameters, &values)?;
        let initial: StateOf<D, Dual> = self.initial(&p);
        let zero = Dual::from(0.0);
        let moved = D::State::like(&initial, |place| {
            let value = initial.as_ref().get(place).copied().unwrap_or(zero);
            value.moved(place_of(Direction::InitialState(place)))
        });
        self.begin(p, moved, parameters.values(), at)
    }
}

/// A course with its derivatives, in as many passes as the directions take; all passes have the same values, bit for bit.
struct DifferentiatedCourse<D: Dynamics> {
    first: OdeSimulation<D, Dual>,
    rest: Vec<OdeSimulation<D, Dual>>,
    directions: usize,
}

impl<D: Dynamics + 'static> DifferentiatedCourse<D> {
    fn each(
        &mut self,
        mut go: impl FnMut(&mut OdeSimulation<D, Dual>) -> Result<(), SimulationError>,
    ) -> Result<(), SimulationError> {
        go(&mut self.first)?;
        self.rest.iter_mut().try_for_each(go)
    }

    /// Writes `(numbers × directions)` of what `numbers` shows of each pass.
    fn write(&self, to: &mut [f64], numbers: impl Fn(&OdeSimulation<D, Dual>, &mut dyn FnMut(&[Dual]))) {
        for (pass, course) in std::iter::once(&self.first).chain(&self.rest).enumerate() {
            let directions = self.directions;
            numbers(course, &mut |row| {
                for (number, dual) in row.iter().enumerate() {
                    for place in 0..TANGENTS.min(directions - (TANGENTS * pass).min(directions)) {
                        if let Some(entry) = to.get_mut(number * directions + TANGENTS * pass + place) {
                            *entry = dual.tangent(place);
                        }
                    }
                }
            });
        }
    }
}

impl<D: Dynamics + 'static> Simulation for DifferentiatedCourse<D> {
    fn now(&self) -> Time {
        self.first.now()
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.each(|course| course.advance(to))
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        self.each(|course| course.treat(treatment))
    }

    fn observe(&self, y: &mut [f64]) {
        self.first.observe(y);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(Self { first: self.first.clone(), rest: self.rest.clone(), directions: self.directions })
    }

    fn expect_stop(&mut self, stop: Time) {
        self.first.expect_stop(stop);
        self.rest.iter_mut().for_each(|course| course.expect_stop(stop));
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        self.first.state()
    }

    fn sensitivities(&self) -> Option<&dyn Sensitivities> {
        Some(self)
    }
}

impl<D: Dynamics + 'static> Sensitivities for DifferentiatedCourse<D> {
    fn directions(&self) -> usize {
        self.directions
    }

    fn observe(&self, dy: &mut [f64]) {
        self.write(dy, |course, row| course.with_observables(|y| row(y)));
    }

    fn state(&self, dx: &mut [f64]) {
        self.write(dx, |course, row| row(course.numbers()));
    }
}
