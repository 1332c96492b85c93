//! Many patients at once.

use crate::dynamics::StateOf;
use crate::events::{Acts, Events};
use crate::scalar::wide;
use crate::solver::SideBySide;
use crate::{
    Dynamics, Exposure, Given, LANES, Lanes, MAX_OBSERVABLES, Model, Ode, Parameters, Scenario, SimulationError, StateSpace,
    Trajectory, simulate,
};
use twin_core::{Random, TimedTreatment};

/// The ability of a model to live one scenario through with many patients at once: [`Model::ensemble`](crate::Model::ensemble).
pub trait Ensemble: Send + Sync {
    /// The course of every one of `patients` under `scenario`, in their order: what [`simulate`] gives for each alone, within the
    /// tolerance of the integrator. It does not depend on who the others are, bit for bit, and one that cannot go on does not stop them.
    fn simulate_all(&self, patients: &[Parameters], scenario: &Scenario) -> Vec<Result<Trajectory, SimulationError>>;
}

/// The course of every one of `patients` under `scenario`, in their order: at once if the model can, else one by one, each with
/// the stream of `random` that has its index.
///
/// ```
/// use twin_core::{Observable, Random, Time};
/// use twin_models::{Model, Scenario, growth, simulate_all};
/// let model = growth::gompertz();
/// let patients = (0..20).map(|patient| model.spec().defaults()?.with("decay_rate", 0.01 + 0.001 * f64::from(patient)));
/// let patients = patients.collect::<Result<Vec<_>, _>>()?;
/// let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(30.0)?]);
/// let courses = simulate_all(&model, &patients, &scenario, &Random::new(1));
/// let volumes: Vec<f64> = courses.iter().flatten().filter_map(|course| course.column(&Observable::TUMOR_VOLUME)).flatten().collect();
/// assert!(volumes.len() == 20 && volumes.windows(2).all(|pair| pair[1] > pair[0]));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[must_use]
pub fn simulate_all(
    model: &dyn Model,
    patients: &[Parameters],
    scenario: &Scenario,
    random: &Random,
) -> Vec<Result<Trajectory, SimulationError>> {
    let alone = |(index, parameters): (usize, &Parameters)| simulate(model, parameters, scenario, &mut random.stream(index as u64));
    match model.ensemble() {
        Some(ensemble) => ensemble.simulate_all(patients, scenario),
        None => patients.iter().enumerate().map(alone).collect(),
    }
}

impl<D: Dynamics + 'static> Ensemble for Ode<D> {
    fn simulate_all(&self, patients: &[Parameters], scenario: &Scenario) -> Vec<Result<Trajectory, SimulationError>> {
        let spec = self.spec_of_dynamics();
        let observables: Vec<_> = spec.observables.iter().map(|known| known.observable.clone()).collect();
        let (width, times) = (observables.len(), scenario.sampling.len());
        let mut seen = vec![Lanes::from(0.0); width * times];
        let mut courses = Vec::with_capacity(patients.len());
        for group in patients.chunks(LANES) {
            let lived = self.live(group, scenario, &mut seen).unwrap_or([false; LANES]);
            for (lane, parameters) in group.iter().enumerate() {
                // Whoever could not go along is told alone what is wrong, if anything is.
                courses.push(if lived.get(lane).copied().unwrap_or(false) {
                    let values = seen.iter().map(|value| value.lane(lane)).collect();
                    Ok(Trajectory { times: scenario.sampling.clone(), observables: observables.clone(), values })
                } else {
                    simulate(self, parameters, scenario, &mut Random::new(0))
                });
            }
        }
        courses
    }
}

impl<D: Dynamics + 'static> Ode<D> {
    /// Lives `scenario` through with the patients of `group`, at most as many as there are lanes; writes what is seen of them (times ×
    /// observables) to `seen`, and tells which of them came to the end.
    fn live(&self, group: &[Parameters], scenario: &Scenario, seen: &mut [Lanes]) -> Result<[bool; LANES], SimulationError> {
        scenario.check()?;
        let spec = self.spec_of_dynamics();
        group.iter().try_for_each(|parameters| spec.accept(parameters))?;
        let Some(first) = group.first() else { return Ok([false; LANES]) };
        let of_lane = |lane: usize, place: usize| group.get(lane).unwrap_or(first).values().get(place).copied().unwrap_or(f64::NAN);
        let values: Vec<Lanes> =
            (0..spec.parameters.len()).map(|place| Lanes(std::array::from_fn(|lane| of_lane(lane, place)))).collect();
        let p = self.bind(first, &values)?;
        let state: StateOf<D, Lanes> = self.initial(&p);
        let plain: StateOf<D, f64> = D::State::like(&state, |_| 0.0);
        let (units, tolerance) = (self.prepare()?, self.tolerance(&plain)?);
        let mut course = Side { ode: self, p, state, events: Events::new(units) };
        let mut exposure: Exposure<Lanes> = Exposure::default();
        let start = scenario.start.days();
        let mut solver = SideBySide::new(&course.state);
        course.restart(start, &mut solver, &exposure, &tolerance);
        let mut treatments = scenario.treatments.iter().peekable();
        let last = scenario.sampling.last().copied().unwrap_or(scenario.start);
        let width = spec.observables.len();
        for (time, row) in scenario.sampling.iter().zip(seen.chunks_mut(width.max(1))) {
            loop {
                let due = treatments.next_if(|treatment| treatment.time < *time);
                let stop = due.or(treatments.peek().copied()).map_or(last, |next| next.time.min(last)).days();
                let day = due.map_or(*time, |due| due.time).days();
                course.go(&mut solver, &mut exposure, &tolerance, (day, stop));
                let Some(due) = due else { break };
                course.treat(due, &mut solver, &mut exposure, &tolerance)?;
            }
            course.show(row);
        }
        let mut lived = solver.given_up.map(|given_up| !given_up);
        for (lane, lived) in lived.iter_mut().enumerate() {
            *lived &= seen.iter().all(|value| value.lane(lane).is_finite());
        }
        Ok(lived)
    }
}

/// A course of several patients side by side.
struct Side<'a, D: Dynamics> {
    ode: &'a Ode<D>,
    p: crate::ParametersOf<D, Lanes>,
    state: StateOf<D, Lanes>,
    events: Events,
}

type Within<D> = crate::solver::Tolerance<StateOf<D, f64>>;

impl<D: Dynamics + 'static> Side<'_, D> {
    /// Goes on to `day`, with steps that may go up to `stop`, ending infusions on the way.
    fn go(
        &mut self,
        solver: &mut SideBySide<StateOf<D, Lanes>>,
        exposure: &mut Exposure<Lanes>,
        tolerance: &Within<D>,
        (day, stop): (f64, f64),
    ) {
        let stop = if stop > day { stop } else { day };
        loop {
            let end = self.events.next_end();
            let to = end.filter(|end| *end < day).unwrap_or(day);
            let limit = end.map_or(stop, |end| end.min(stop)).max(to);
            let (dynamics, p) = (self.ode.dynamics(), &self.p);
            let rates = &mut |t, x: &StateOf<D, Lanes>, dx: &mut StateOf<D, Lanes>| {
                wide(|| dynamics.rates(t, x, exposure, p, dx));
            };
            solver.go((to, limit), &mut self.state, rates, tolerance);
            if to >= day {
                return;
            }
            self.events.end_due(to);
            *exposure = self.events.exposure();
            self.restart(to, solver, exposure, tolerance);
        }
    }

    /// Puts the integrator at `day` in the state as it is.
    fn restart(&self, day: f64, solver: &mut SideBySide<StateOf<D, Lanes>>, exposure: &Exposure<Lanes>, tolerance: &Within<D>) {
        let (dynamics, p) = (self.ode.dynamics(), &self.p);
        let rates = &mut |t, x: &StateOf<D, Lanes>, dx: &mut StateOf<D, Lanes>| {
            wide(|| dynamics.rates(t, x, exposure, p, dx));
        };
        solver.jump(day, &self.state, rates, tolerance);
    }

    /// Gives a treatment where every patient stands at its time.
    fn treat(
        &mut self,
        due: &TimedTreatment,
        solver: &mut SideBySide<StateOf<D, Lanes>>,
        exposure: &mut Exposure<Lanes>,
        tolerance: &Within<D>,
    ) -> Result<(), SimulationError> {
        let (spec, day) = (self.ode.spec_of_dynamics(), due.time.days());
        let ended = self.events.end_due(day);
        let acts = self.events.take(spec, &due.treatment, due.time)?;
        let levels = self.events.exposure();
        let mut restart = ended || levels != *exposure;
        *exposure = levels;
        if let Acts::AtOnce(input, amount) = acts {
            let given = Given { input, amount: Lanes::from(amount) };
            let refuse = |_| spec.refusal(&due.treatment, due.time);
            self.ode.dynamics().treat(given, &self.p, &mut self.state).map_err(refuse)?;
            restart |= amount > 0.0;
        }
        if restart {
            self.restart(day, solver, exposure, tolerance);
        }
        Ok(())
    }

    fn show(&self, row: &mut [Lanes]) {
        let mut all = [Lanes::from(0.0); MAX_OBSERVABLES];
        let count = row.len().min(MAX_OBSERVABLES);
        self.ode.dynamics().observe(&self.state, &self.p, &mut all[..count]);
        row.iter_mut().zip(&all).for_each(|(place, value)| *place = *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::Description;
    use twin_core::{AbsorbedDose, Agent, Quantity, Span, Target, Time, Treatment};

    fn course() -> Scenario {
        let day = |day: u32| Time::from_days(f64::from(day)).unwrap();
        let fraction = || Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
        let mg = |dose: f64| Quantity::new(dose, "mg").unwrap();
        let drug = || Agent::new("paclitaxel").unwrap();
        let bolus = || Treatment::bolus(drug(), mg(200.0)).unwrap();
        let infusion = || Treatment::infusion(drug(), mg(150.0), Span::from_hours(3.0).unwrap()).unwrap();
        let fractions = (0..6).map(|number| TimedTreatment::new(day(number), fraction()));
        let doses = [(2, bolus()), (9, infusion()), (23, infusion())].map(|(at, dose)| TimedTreatment::new(day(at), dose));
        Scenario::starting(Time::ORIGIN).treated(fractions).treated(doses).sampled((0..8).map(|week| day(7 * week)))
    }

    #[test]
    fn every_patient_lives_as_alone_whoever_the_others_are() {
        let description: Description = "gompertz + lq + simeoni(paclitaxel) + friberg(paclitaxel)".parse().unwrap();
        let model = description.build("composed").unwrap();
        let spec = model.spec();
        let mut random = Random::new(7);
        let patients: Vec<Parameters> = (0..11)
            .map(|_| {
                let drawn = spec.parameters.iter().map(|known| {
                    let value = known.default * (0.3 * random.normal()).exp();
                    value.clamp(known.low, known.high)
                });
                spec.values(drawn.collect()).unwrap()
            })
            .collect();
        let scenario = course();
        let together = simulate_all(model.as_ref(), &patients, &scenario, &Random::new(1));
        assert_eq!(together.len(), patients.len());
        for (patient, course) in patients.iter().zip(&together) {
            let alone = simulate(model.as_ref(), patient, &scenario, &mut Random::new(1)).unwrap();
            let course = course.as_ref().unwrap();
            assert_eq!((&course.times, &course.observables), (&alone.times, &alone.observables));
            for (one, other) in course.values.iter().zip(&alone.values) {
                assert!((one - other).abs() < 1e-5 * (1e-3 + other.abs()), "{one} and {other}");
            }
        }
        let reversed: Vec<Parameters> = patients.iter().rev().cloned().collect();
        let other_way = simulate_all(model.as_ref(), &reversed, &scenario, &Random::new(1));
        for (one, other) in together.iter().zip(other_way.iter().rev()) {
            assert_eq!(one.as_ref().unwrap(), other.as_ref().unwrap());
        }
    }

    #[test]
    fn who_cannot_go_along_is_told_alone_and_stops_nobody() {
        let model = crate::growth::exponential();
        let other = crate::growth::gompertz();
        let defaults = model.spec().defaults().unwrap();
        let far = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(10.0).unwrap()]);
        let foreign = other.spec().defaults().unwrap();
        let courses = simulate_all(&model, &[defaults.clone(), foreign, defaults.clone()], &far, &Random::new(0));
        assert!(courses[0].is_ok() && courses[2].is_ok());
        assert!(matches!(courses[1], Err(SimulationError::ForeignParameters { .. })));
        let refused = far.treated([TimedTreatment::new(Time::ORIGIN, Treatment::on(Agent::new("drug").unwrap()))]);
        let courses = simulate_all(&model, &[defaults], &refused, &Random::new(0));
        assert!(matches!(courses[0], Err(SimulationError::UnsupportedTreatment { .. })));
    }
}
