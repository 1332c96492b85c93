//! Laws of a course as a whole.

use super::case::{Case, Dose, for_each};
use super::course::{Course, Fault, Look, Planned};
use super::{Settings, Violation};
use crate::{Model, Scenario, SimulationError, Trajectory, TreatmentKind, simulate};
use twin_core::{CoreError, Random, Span, Time, TimedTreatment};

/// How much denser the states are looked at than usual when they are held to their bounds.
const DENSER: u32 = 8;
/// Origins that courses are shifted to, in days: powers of two, so that adding them rounds as little as can be.
const ORIGINS: [f64; 2] = [1024.0, -512.0];
const STOPS: usize = 20;

/// States stay within the bounds of the specification, but for [`BOUND_SLACK`](super::BOUND_SLACK) absolute tolerances; a model that
/// does not offer its state is held to what it reports itself.
///
/// # Errors
/// The [`Violation`].
pub fn in_bounds(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("in_bounds", model, settings, |case| {
        let schedule = case.schedule()?;
        let looks = super::case::LOOKS * DENSER;
        let days: Vec<_> = (0..=looks).map(|look| case.horizon() * (f64::from(look) / f64::from(looks))).collect();
        match case.live(Time::ORIGIN, &schedule, &days) {
            Ok(course) => course.iter().try_for_each(|look| look.check_bounds(&case.spec)),
            Err(error @ SimulationError::OutOfBounds { .. }) => Err(error.into()),
            Err(_) => Ok(()), // the business of `finite`
        }
    })
}

/// Every course goes on to its end without an error, and all that is seen of it is finite.
///
/// # Errors
/// The [`Violation`].
pub fn finite(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("finite", model, settings, |case| {
        let course_schedule = case.schedule()?;
        let course = case.live(Time::ORIGIN, &course_schedule, &case.looks())?;
        course.iter().try_for_each(|look| look.check_finite(&case.spec))
    })
}

/// The same seed gives the same course, bit for bit, alone or side by side with another.
///
/// # Errors
/// The [`Violation`].
pub fn repeatable(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("repeatable", model, settings, |case| {
        let (schedule, days) = (case.schedule()?, case.looks());
        let first = case.live(Time::ORIGIN, &schedule, &days)?;
        let mut one = Course::begin(case, Time::ORIGIN, &schedule)?;
        let mut other = Course::begin(case, Time::ORIGIN, &schedule)?;
        for &day in &days {
            one.look(day)?;
            other.look(day)?;
        }
        case.same_bits(["in one course", "in the next of the same seed"], &first, &one.looks)?;
        case.same_bits(["in one course", "in another of the same seed beside it"], &one.looks, &other.looks)
    })
}

/// Stopping midway, twice at one time included, changes nothing, bit for bit, treated or not.
///
/// # Errors
/// The [`Violation`].
pub fn stopping_changes_nothing(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("stopping_changes_nothing", model, settings, |case| {
        let mut random = case.random().stream(1);
        let mut stops: Vec<f64> = (0..STOPS).map(|_| random.uniform() * case.horizon()).collect();
        stops.extend(stops.first().copied());
        stops.sort_by(f64::total_cmp);
        for schedule in [Vec::new(), case.schedule()?] {
            let through = case.live(Time::ORIGIN, &schedule, &[case.horizon()])?;
            let mut course = Course::begin(case, Time::ORIGIN, &schedule)?;
            stops.iter().try_for_each(|&day| course.go(day))?;
            course.look(case.horizon())?;
            case.same_bits(["without a stop", "with stops midway"], &through, &course.looks)?;
        }
        Ok(())
    })
}

/// Looking more often, at the times of treatments too, changes nothing at the times that were looked at anyway, bit for bit.
///
/// # Errors
/// The [`Violation`].
pub fn sampling_changes_nothing(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("sampling_changes_nothing", model, settings, |case| {
        let schedule = case.schedule()?;
        let mut random = case.random().stream(2);
        let mut sparse: Vec<f64> = (0..3).map(|_| random.uniform() * case.horizon()).collect();
        sparse.push(case.horizon());
        let mut dense = sparse.clone();
        dense.extend(case.looks());
        dense.extend(schedule.iter().map(|dose| dose.day));
        dense.extend((0..STOPS).map(|_| random.uniform() * case.horizon()));
        let sparse = simulated(case, &schedule, &sparse)?;
        let dense = simulated(case, &schedule, &dense)?;
        let picked: Vec<_> = sparse.iter().filter_map(|look| dense.iter().find(|other| same_day(other, look)).cloned()).collect();
        case.same_bits(["when looked at rarely", "when looked at often"], &sparse, &picked)
    })
}

fn same_day(one: &Look, other: &Look) -> bool {
    one.day.to_bits() == other.day.to_bits()
}

fn timed(schedule: &[Planned]) -> Result<Vec<TimedTreatment>, CoreError> {
    schedule.iter().map(|dose| Ok(TimedTreatment::new(Time::from_days(dose.day)?, dose.treatment.clone()))).collect()
}

fn scenario(schedule: &[Planned], days: &[f64]) -> Result<Scenario, CoreError> {
    let sampling: Vec<_> = days.iter().map(|&day| Time::from_days(day)).collect::<Result<_, _>>()?;
    Ok(Scenario::starting(Time::ORIGIN).treated(timed(schedule)?).sampled(sampling))
}

/// The course of the scenario, observables only.
fn simulated(case: &Case<'_>, schedule: &[Planned], days: &[f64]) -> Result<Vec<Look>, SimulationError> {
    let scenario = scenario(schedule, days)?;
    let trajectory = simulate(case.model, &case.parameters, &scenario, &mut case.random())?;
    Ok(rows(&trajectory))
}

fn rows(trajectory: &Trajectory) -> Vec<Look> {
    let row = |(index, time): (usize, &Time)| Look::of_observables(time.days(), trajectory.row(index).unwrap_or_default());
    trajectory.times.iter().enumerate().map(row).collect()
}

fn observables_of(case: &Case<'_>, looks: &[Look]) -> Vec<Look> {
    let count = case.spec.observables.len();
    looks.iter().map(|look| Look::of_observables(look.day, look.values.get(..count).unwrap_or(&look.values))).collect()
}

/// A fork goes on as its original would, and neither notices what is done to the other, bit for bit.
///
/// # Errors
/// The [`Violation`].
pub fn forks_are_independent(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("forks_are_independent", model, settings, |case| {
        let schedule = case.schedule()?;
        let all: Vec<_> = (0..case.spec.treatments.len()).map(|place| Dose::full(place, 0.0)).collect();
        let disturbance = case.schedule_of(&all)?;
        for share in [0.0, 0.4] {
            let (at, days) = (share * case.horizon(), later(case, share));
            let undisturbed = {
                let mut course = Course::begin(case, Time::ORIGIN, &schedule)?;
                course.go(at)?;
                days.iter().try_for_each(|&day| course.look(day))?;
                course.looks
            };
            for disturb_the_fork in [true, false] {
                let mut original = Course::begin(case, Time::ORIGIN, &schedule)?;
                original.go(at)?;
                let mut fork = original.fork();
                let (left, right) = if disturb_the_fork { (&mut original, &mut fork) } else { (&mut fork, &mut original) };
                if left.simulation.now() != right.simulation.now() {
                    return Err(Fault(format!(
                        "a fork stands at {}, its original at {}",
                        fork.simulation.now(),
                        original.simulation.now()
                    )));
                }
                disturb(right, &disturbance, Time::ORIGIN + Span::from_days(case.horizon())?)?;
                days.iter().try_for_each(|&day| left.look(day))?;
                let what = if disturb_the_fork {
                    "beside a fork to which things are done"
                } else {
                    "in a fork of a course to which things are done"
                };
                case.same_bits(["undisturbed", what], &undisturbed, &left.looks)?;
            }
        }
        Ok(())
    })
}

fn later(case: &Case<'_>, share: f64) -> Vec<f64> {
    case.looks().into_iter().filter(|day| *day >= share * case.horizon()).collect()
}

fn disturb(course: &mut Course<'_>, doses: &[Planned], end: Time) -> Result<(), SimulationError> {
    doses.iter().try_for_each(|dose| course.simulation.treat(&dose.treatment))?;
    course.simulation.advance(end)
}

/// A course that starts at another time is the same course, shifted: nothing depends on where a model's clock starts. The times round
/// differently, so the courses must [agree](super::AGREEMENT) only.
///
/// # Errors
/// The [`Violation`].
pub fn origin_shifts_the_result(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("origin_shifts_the_result", model, settings, |case| {
        let (schedule, days) = (case.schedule()?, case.looks());
        let here = case.live(Time::ORIGIN, &schedule, &days)?;
        for origin in ORIGINS {
            let start = Time::from_days(origin)?;
            let now = case.start(start)?.now();
            if now != start {
                return Err(Fault(format!("a course started at {start} stands at {now}")));
            }
            let there = case.live(start, &schedule, &days)?;
            case.agree(["when it starts on day 0", &format!("when it starts on day {origin}")], &here, &there)?;
        }
        Ok(())
    })
}

/// A scenario with an empty list of treatments, or with treatments after the last look only, is a course to which nothing is done.
///
/// # Errors
/// The [`Violation`].
pub fn no_treatment_is_an_empty_list(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("no_treatment_is_an_empty_list", model, settings, |case| {
        let days: Vec<_> = case.looks().into_iter().filter(|day| *day <= 0.5 * case.horizon()).collect();
        let untouched = observables_of(case, &case.live(Time::ORIGIN, &[], &days)?);
        let empty = simulated(case, &[], &days)?;
        case.agree(["when nothing is done", "with an empty list of treatments"], &untouched, &empty)?;
        let mut late = case.schedule()?;
        late.iter_mut().for_each(|dose| dose.day = 0.5 * (case.horizon() + dose.day));
        let future = simulated(case, &late, &days)?;
        case.agree(["when nothing is done", "before treatments that come later"], &untouched, &future)
    })
}

/// Being told where the next stop is ([`Simulation::expect_stop`](crate::Simulation::expect_stop)) changes rounding only.
///
/// # Errors
/// The [`Violation`].
pub fn hints_change_nothing(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("hints_change_nothing", model, settings, |case| {
        let (schedule, days) = (case.schedule()?, case.looks());
        let unaware = observables_of(case, &case.live(Time::ORIGIN, &schedule, &days)?);
        let told = simulated(case, &schedule, &days)?;
        case.agree(["without hints of the next stop", "with hints"], &unaware, &told)
    })
}

/// A course in which treatment is decided on what is seen at visits is lived through again when the same treatments are given in a
/// scenario.
///
/// # Errors
/// The [`Violation`].
pub fn replay_agrees(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("replay_agrees", model, settings, |case| {
        let visits = case.looks();
        let (closed, given) = closed_loop(case, &visits)?;
        let open = simulated(case, &given, &visits)?;
        let decisions: Vec<_> = given.iter().map(|dose| format!("{} on day {}", dose.treatment, dose.day)).collect();
        let replayed = format!("in the replay of those decisions ({})", decisions.join(", "));
        case.agree(["where treatment is decided at visits", &replayed], &closed, &open)
    })
}

/// At each visit one treatment: at full dose (or on) if the first observable rose since the last visit, else at half dose (or off).
fn closed_loop(case: &Case<'_>, visits: &[f64]) -> Result<(Vec<Look>, Vec<Planned>), SimulationError> {
    let mut simulation = case.start(Time::ORIGIN)?;
    let (mut seen, mut given) = (Vec::new(), Vec::new());
    let (mut before, mut random) = (f64::NEG_INFINITY, Random::new(case.seed));
    for &day in visits {
        simulation.advance(Time::from_days(day)?)?;
        let look = Look::at(simulation.as_ref(), &case.spec, day);
        let burden = look.values.first().copied().unwrap_or(0.0);
        seen.push(look);
        let place = random.below(case.spec.treatments.len());
        if let Some(known) = case.spec.treatments.get(place) {
            let lighter = if known.kind == TreatmentKind::Continuous { 0.0 } else { 0.5 };
            let share = if burden > before { 1.0 } else { lighter };
            let treatment = super::case::treatment(known, &Dose { share, ..Dose::full(place, 0.0) }, case.settings)?;
            simulation.treat(&treatment)?;
            given.push(Planned { day, treatment });
        }
        before = burden;
    }
    Ok((observables_of(case, &seen), given))
}
