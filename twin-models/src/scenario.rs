//! What is done and when one looks: a scenario, and the trajectory that it gives.

use crate::{Model, Parameters, Simulation, SimulationError};
use std::sync::Arc;
use twin_core::{Observable, Random, Time, TimedTreatment};

/// A course that is fixed in advance: where it starts, what is done, and when one looks.
///
/// At equal times one looks first and treats then.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenario {
    /// The start of the course.
    pub start: Time,
    /// What is done, in the order of time, none of it before the start. What comes at or after the last look changes nothing that is
    /// seen, and is not given.
    pub treatments: Vec<TimedTreatment>,
    /// When one looks, in the order of time, never before the start.
    pub sampling: Vec<Time>,
}

impl Scenario {
    /// A course that starts at `start`, in which nothing is done and nobody looks.
    #[must_use]
    pub fn starting(start: Time) -> Self {
        Self { start, ..Self::default() }
    }

    /// The same course with `treatments`, sorted by time; those at equal times keep their order.
    #[must_use]
    pub fn treated(mut self, treatments: impl IntoIterator<Item = TimedTreatment>) -> Self {
        self.treatments.extend(treatments);
        self.treatments.sort_by_key(|treatment| treatment.time);
        self
    }

    /// The same course, looked at at `times` too, sorted.
    #[must_use]
    pub fn sampled(mut self, times: impl IntoIterator<Item = Time>) -> Self {
        self.sampling.extend(times);
        self.sampling.sort();
        self
    }

    /// Whether both lists are in order and nothing comes before the start.
    pub(crate) fn check(&self) -> Result<(), SimulationError> {
        let check = |what: &'static str, times: &mut dyn Iterator<Item = Time>| {
            let mut limit = self.start;
            for (index, at) in times.enumerate() {
                if at < limit {
                    return Err(SimulationError::ScenarioOrder { what, index, at, limit });
                }
                limit = at;
            }
            Ok(())
        };
        check("treatment", &mut self.treatments.iter().map(|treatment| treatment.time))?;
        check("sampling time", &mut self.sampling.iter().copied())
    }
}

/// What a course looked like: the value of each observable at each time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trajectory {
    /// When one looked.
    pub times: Vec<Time>,
    /// What one looked at.
    pub observables: Vec<Observable>,
    /// The values (times × observables), one row for each time, in the units of the model's specification.
    pub values: Vec<f64>,
}

impl Trajectory {
    /// The values of `observable`, one for each time; `None` if it is not among the observables.
    #[must_use]
    pub fn column(&self, observable: &Observable) -> Option<Vec<f64>> {
        let width = self.observables.len();
        let place = self.observables.iter().position(|candidate| candidate == observable)?;
        Some(self.values.iter().skip(place).step_by(width).copied().collect())
    }

    /// The values of all observables at the time number `index`.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        let width = self.observables.len();
        let from = index.checked_mul(width)?;
        self.values.get(from..from.checked_add(width)?).filter(|row| !row.is_empty())
    }
}

/// Lives `scenario` through with `model`.
///
/// ```
/// use twin_core::{Observable, Random, Time};
/// use twin_models::{Model, Scenario, growth, simulate};
/// let model = growth::gompertz();
/// let monthly = (0..6).map(|month| Time::from_days(30.0 * f64::from(month))).collect::<Result<Vec<_>, _>>()?;
/// let scenario = Scenario::starting(Time::ORIGIN).sampled(monthly);
/// let trajectory = simulate(&model, &model.spec().defaults()?, &scenario, &mut Random::new(1))?;
/// let volumes = trajectory.column(&Observable::TUMOR_VOLUME).unwrap_or_default();
/// assert!(volumes.windows(2).all(|pair| pair[1] > pair[0]));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
///
/// # Errors
/// [`SimulationError::ScenarioOrder`] for times out of order; whatever the model refuses, or runs into.
pub fn simulate(
    model: &dyn Model,
    parameters: &Parameters,
    scenario: &Scenario,
    random: &mut Random,
) -> Result<Trajectory, SimulationError> {
    let spec = Arc::clone(model.spec());
    let mut values = vec![0.0; scenario.sampling.len() * spec.observables.len()];
    let mut simulation = model.start(parameters, scenario.start, random)?;
    run(simulation.as_mut(), scenario, &mut values)?;
    let observables = spec.observables.iter().map(|observable| observable.observable.clone()).collect();
    Ok(Trajectory { times: scenario.sampling.clone(), observables, values })
}

/// Lives `scenario` through with a course that stands at its start, writing (times × observables) to `values`, without allocating.
///
/// # Errors
/// As [`simulate`]; [`SimulationError::Room`] for `values` that do not divide into one row for each time.
pub fn run(simulation: &mut dyn Simulation, scenario: &Scenario, values: &mut [f64]) -> Result<(), SimulationError> {
    let (actual, times) = (values.len(), scenario.sampling.len());
    let width = actual.checked_div(times).unwrap_or(0);
    if width * times != actual || (width == 0 && times > 0) {
        return Err(SimulationError::Room { actual, times });
    }
    let mut rows = values.chunks_exact_mut(width.max(1));
    run_with(simulation, scenario, |_, simulation| {
        if let Some(row) = rows.next() {
            simulation.observe(row);
        }
    })
}

/// Lives `scenario` through with a course that stands at its start, and calls `look` at every sampling time with its number.
///
/// # Errors
/// As [`simulate`].
pub fn run_with(
    simulation: &mut dyn Simulation,
    scenario: &Scenario,
    mut look: impl FnMut(usize, &dyn Simulation),
) -> Result<(), SimulationError> {
    scenario.check()?;
    let mut treatments = scenario.treatments.iter().peekable();
    let last = scenario.sampling.last().copied().unwrap_or(scenario.start);
    expect(simulation, treatments.peek().copied(), last);
    for (index, &time) in scenario.sampling.iter().enumerate() {
        while let Some(due) = treatments.next_if(|treatment| treatment.time < time) {
            simulation.advance(due.time)?;
            simulation.treat(&due.treatment)?;
            expect(simulation, treatments.peek().copied(), last);
        }
        simulation.advance(time)?;
        look(index, simulation);
    }
    Ok(())
}

fn expect(simulation: &mut dyn Simulation, next: Option<&TimedTreatment>, last: Time) {
    simulation.expect_stop(next.map_or(last, |treatment| treatment.time));
}
