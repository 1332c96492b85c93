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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::{Drug, Law, Radiotherapy, TumorModel};
    use crate::{Model, Real, effect, growth, kinetics, toxicity};
    use twin_core::{AbsorbedDose, Agent, Quantity, Span, Target};

    type Composed = TumorModel<
        Law<growth::Gompertz>,
        (Radiotherapy, Drug<kinetics::Compartments<2>, (effect::Simeoni, toxicity::Friberg)>),
        [f64; 13],
    >;

    fn model() -> Ode<Composed> {
        let drug = kinetics::Compartments::<2>::new(
            Agent::new("paclitaxel").unwrap(),
            kinetics::Route::Intravenous,
            kinetics::Elimination::Saturable,
        );
        let drug = Drug::new(drug, (effect::Simeoni, toxicity::Friberg::paclitaxel().unwrap()));
        let model = Composed::model("composed", Law::new(), (Radiotherapy::clearing(), drug)).unwrap();
        model.with_relative_tolerance(1e-12)
    }

    /// A bolus, an infusion and fractions, and what is seen after four weeks.
    fn live<T>(course: &mut dyn Simulation, see: impl FnOnce(&dyn Simulation) -> T) -> T {
        let day = |day: f64| Time::from_days(day).unwrap();
        let (drug, mg) = (|| Agent::new("paclitaxel").unwrap(), |dose: f64| Quantity::new(dose, "mg").unwrap());
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
        let infusion = Treatment::infusion(drug(), mg(150.0), Span::from_hours(3.0).unwrap()).unwrap();
        let doses =
            [(0.0, Treatment::bolus(drug(), mg(100.0)).unwrap()), (3.0, fraction.clone()), (4.0, fraction), (7.0, infusion)];
        for (at, dose) in doses {
            course.advance(day(at)).unwrap();
            course.treat(&dose).unwrap();
        }
        course.advance(day(28.0)).unwrap();
        see(course)
    }

    fn seen(course: &dyn Simulation) -> [f64; 3] {
        let mut y = [0.0; 3];
        course.observe(&mut y);
        y
    }

    #[test]
    fn derivatives_by_the_initial_state_are_those_of_moved_starts() {
        let model = model();
        let parameters = Model::spec(&model).defaults().unwrap();
        let p = model.bind(&parameters, parameters.values()).unwrap();
        let start: [f64; 13] = model.initial(&p);
        let places = [0, 1, 2, 5, 9, 12];
        let by: Vec<Direction> = places.into_iter().map(Direction::InitialState).collect();
        let mut course = model.start_differentiated(&parameters, Time::ORIGIN, &by).unwrap();
        let (values, slopes, of_state) = live(course.as_mut(), |course| {
            let (mut slopes, mut of_state) = ([0.0; 18], [0.0; 78]);
            let sensitivities = course.sensitivities().unwrap();
            sensitivities.observe(&mut slopes);
            sensitivities.state(&mut of_state);
            (seen(course), slopes, of_state)
        });
        let mut plain = model.start(&parameters, Time::ORIGIN, &mut twin_core::Random::new(0)).unwrap();
        assert_eq!(live(plain.as_mut(), seen), values);
        for (number, place) in places.into_iter().enumerate() {
            let h = 1e-4 * start[place].abs().max(1.0);
            let moved = |offset: f64| {
                let mut x = start;
                x[place] += offset;
                let mut course = model.begin(p.clone(), x, parameters.values(), Time::ORIGIN).unwrap();
                live(&mut course, |course| (seen(course), course.state().unwrap().to_vec()))
            };
            // An amount of drug at the start must not be negative: differences to one side, of order 2.
            let [zero, one, two] = [moved(0.0), moved(h), moved(2.0 * h)];
            let difference = |a: f64, b: f64, c: f64| (-3.0 * a + 4.0 * b - c) / (2.0 * h);
            for i in 0..3 {
                let expected = difference(zero.0[i], one.0[i], two.0[i]);
                let found = slopes[6 * i + number];
                assert!((found - expected).abs() < 1e-6 * expected.abs().max(values[i]), "{found} and {expected} by state {place}");
            }
            let expected = difference(zero.1[0], one.1[0], two.1[0]);
            assert!((of_state[number] - expected).abs() < 1e-6 * expected.abs().max(1.0), "{} and {expected}", of_state[number]);
        }
    }

    #[test]
    fn directions_that_do_not_exist_are_refused() {
        let model = model();
        let parameters = Model::spec(&model).defaults().unwrap();
        for wrong in [Direction::Parameter(100), Direction::InitialState(13)] {
            let error = model.start_differentiated(&parameters, Time::ORIGIN, &[wrong]).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("to differentiate by"), "{error}");
        }
        let none = model.start_differentiated(&parameters, Time::ORIGIN, &[]).unwrap();
        assert_eq!(none.sensitivities().map(Sensitivities::directions), Some(0));
        assert!(Dual::CARRIES_DERIVATIVES);
    }
}
