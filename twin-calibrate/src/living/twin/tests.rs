use super::*;
use crate::fixture::{Growing, READINGS, agrees, observe};
use crate::living::{EnsembleSmoother, Monitor, Particles};
use crate::{Laplace, Tempered};
use twin_core::{Agent, Observation, SubjectId, Treatment};
use twin_models::growth;

fn assumptions() -> Assumptions {
    let growing = Growing::new(&READINGS);
    let (prior, error) = (Arc::new(growing.prior), Arc::new(growing.error));
    Assumptions::new(Arc::new(growth::exponential()), prior, Observable::TUMOR_VOLUME, error, Time::ORIGIN).unwrap()
}

fn nobody() -> Patient {
    Patient::new(SubjectId::new("test").unwrap())
}

fn volume(twin: &Twin, day: f64, volume: f64, method: &dyn Updater, random: &mut Random) -> Twin {
    let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3").unwrap());
    twin.update(Time::from_days(day).unwrap(), seen, Provenance::measured("test"), method, random).unwrap()
}

/// The readings one by one, in the order of `places`.
fn followed(method: &dyn Updater, places: &[usize]) -> Twin {
    let mut random = Random::new(7);
    let twin = Twin::unseen(assumptions(), nobody(), 4000, &mut random).unwrap();
    places.iter().fold(twin, |twin, &place| volume(&twin, READINGS[place].0, READINGS[place].1, method, &mut random))
}

fn many() -> Particles {
    Particles { count: 4000, correlation: 0.3, sweeps: 20, ..Particles::default() }
}

#[test]
fn one_reading_after_the_other_leads_to_the_posterior_of_all() {
    let exact = Growing::new(&READINGS).exact();
    agrees(followed(&many(), &[0, 1, 2, 3, 4]).posterior(), &exact, (0.08, 0.07));
    let smoother = EnsembleSmoother { members: 4000, ..EnsembleSmoother::default() };
    agrees(followed(&smoother, &[0, 1, 2, 3, 4]).posterior(), &exact, (0.08, 0.07));
    agrees(followed(&Refit(Laplace::default()), &[0, 1, 2, 3, 4]).posterior(), &exact, (0.08, 0.07));
}

#[test]
fn late_readings_count_as_much_as_those_in_time() {
    let exact = Growing::new(&READINGS).exact();
    agrees(followed(&many(), &[4, 1, 3, 0, 2]).posterior(), &exact, (0.08, 0.07));
    let smoother = EnsembleSmoother { members: 4000, ..EnsembleSmoother::default() };
    agrees(followed(&smoother, &[4, 1, 3, 0, 2]).posterior(), &exact, (0.08, 0.07));
}

#[test]
fn a_wrong_reading_is_unlearned_once_it_is_corrected() {
    let exact = Growing::new(&READINGS).exact();
    let smoother = EnsembleSmoother { members: 4000, ..EnsembleSmoother::default() };
    let methods: [&dyn Updater; 2] = [&many(), &smoother];
    for method in methods {
        let mut random = Random::new(8);
        let mut wrong = Growing::new(&READINGS[..4]).patient;
        observe(&mut wrong, READINGS[4].0, 10.0 * READINGS[4].1);
        let twin = Twin::new(assumptions(), wrong, &Tempered::default(), &mut random).unwrap();
        let twin = twin.correct(Growing::new(&READINGS).patient.timeline, method, &mut random).unwrap();
        assert_eq!(twin.versions()[1].change, Change::Corrected { added: 1, removed: 1 });
        agrees(twin.posterior(), &exact, (0.1, 0.08));
    }
}

#[test]
fn each_version_keeps_what_changed_and_by_how_much() {
    let twin = followed(&Particles::default(), &[0, 1, 2, 3, 4]);
    let versions = twin.versions();
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(versions[1].change.to_string().contains("tumor_volume"), "{}", versions[1].change);
    // The first reading tells of the volume at the start alone, and cuts its spread.
    let shifts = &versions[1].shifts;
    assert!(shifts[0].by.abs() < 0.15 && (shifts[0].spread - 1.0).abs() < 0.1, "{shifts:?}");
    assert!(shifts[1].spread < 0.5, "{shifts:?}");
    assert!(versions[1..].iter().all(|version| version.sound && version.surprises.len() == 1));
    assert!(Monitor::default().judge(&twin).unwrap().explained);
}

#[test]
fn foresight_is_that_in_closed_form() {
    // The density of the readings is the product of the predictive densities of one after the other.
    let twin = followed(&many(), &[0, 1, 2, 3, 4]);
    let foreseen: f64 = twin.versions().iter().flat_map(|version| &version.surprises).map(|s| s.ln_density).sum();
    let (_, _, ln_evidence) = Growing::new(&READINGS).exact();
    assert!((foreseen - ln_evidence).abs() < 0.2, "{foreseen} against {ln_evidence}");
}

#[test]
fn a_patient_whom_the_model_does_not_explain_raises_the_alarm() {
    let mut random = Random::new(9);
    let mut twin = followed(&Particles::default(), &[0, 1, 2, 3, 4]);
    // Growth without treatment is all that the model knows; this tumor melts away.
    for (day, seen) in [(35.0, 80.0), (42.0, 30.0), (49.0, 10.0)] {
        twin = volume(&twin, day, seen, &Particles::default(), &mut random);
    }
    let verdict = Monitor::default().judge(&twin).unwrap();
    assert!(!verdict.explained && verdict.alarm == Some(5), "{verdict:?}");
}

#[test]
fn what_changes_no_prediction_changes_nothing() {
    let mut random = Random::new(10);
    let twin = followed(&Particles::default(), &[0, 1]);
    let other = Event::Observation(Observation::number(Observable::PSA, 4.0, "ng/mL").unwrap());
    let next = twin
        .update(Time::from_days(20.0).unwrap(), other, Provenance::measured("test"), &Particles::default(), &mut random)
        .unwrap();
    let last = next.versions().last().unwrap();
    assert!(last.surprises.is_empty() && last.shifts.iter().all(|shift| shift.by == 0.0 && shift.spread == 1.0), "{last:?}");
    assert_eq!(next.posterior().record.unused, [(Observable::PSA, 1)]);
}

#[test]
fn impossible_events_are_refused_and_the_twin_stays() {
    let mut random = Random::new(11);
    let twin = followed(&Particles::default(), &[0]);
    let drug = Event::Treatment(Treatment::on(Agent::new("drug").unwrap()));
    let day = Time::from_days(3.0).unwrap();
    let refused = twin.update(day, drug, Provenance::reported("test"), &Particles::default(), &mut random);
    assert!(matches!(refused, Err(CalibrationError::Simulation { .. })), "{refused:?}");
    let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, 3.0, "mm3").unwrap());
    let before = Time::from_days(-3.0).unwrap();
    let refused = twin.update(before, seen, Provenance::measured("test"), &Particles::default(), &mut random);
    assert!(matches!(refused, Err(CalibrationError::BeforeStart { .. })), "{refused:?}");
    assert_eq!(twin.versions().len(), 2);
}

#[test]
fn an_outlier_of_a_thousandfold_ends_in_an_alarm_not_in_a_crash() {
    let mut random = Random::new(12);
    let twin = followed(&Particles::default(), &[0, 1, 2]);
    let twin = volume(&twin, 21.0, 210_000.0, &Particles::default(), &mut random);
    assert!(twin.posterior().draws().flatten().all(|x| x.is_finite()));
    assert_eq!(Monitor::default().judge(&twin).unwrap().alarm, Some(3));
}

#[test]
fn threads_change_nothing() {
    let draws = |threads: usize| -> Vec<Vec<f64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let twin = pool.install(|| followed(&Particles { count: 100, ..Particles::default() }, &[0, 1]));
        twin.posterior().draws().map(<[f64]>::to_vec).collect()
    };
    assert_eq!(draws(1), draws(5));
}

/// Draws around a growth rate that is wrong, by a method that does not diagnose itself.
struct Wrong;

impl Calibrator for Wrong {
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        _: &dyn crate::control::Observer,
    ) -> Result<Posterior, CalibrationError> {
        let target = Target::new(problem)?;
        let mut draw = || [0.042 + 0.002 * random.normal(), 100.0 * (0.1 * random.normal()).exp()];
        let draws: Vec<f64> = (0..1000).flat_map(|_| draw()).collect();
        let densities = draws.chunks(2).map(|draw| target.ln_posterior(&target.point_of(draw))).collect();
        let record = Record::of(&target, "wrong", "done", None);
        Posterior::new(problem.prior.names().to_vec(), draws, densities, problem.base.clone(), record)
    }
}

#[test]
fn what_is_made_from_unsound_draws_is_not_sound_until_a_refit() {
    let mut random = Random::new(4);
    let twin = Twin::new(assumptions(), Growing::new(&READINGS).patient, &Wrong, &mut random).unwrap();
    let next = volume(&twin, 3.0, 105.0, &Particles::default(), &mut random);
    assert!(!next.posterior().record.is_sound());
    assert!(!volume(&next, 4.0, 108.0, &Particles::default(), &mut random).posterior().record.is_sound());
    assert!(volume(&next, 4.0, 108.0, &Refit(Laplace::default()), &mut random).posterior().record.is_sound());
}

#[test]
fn a_corrected_reading_no_longer_speaks_against_the_model() {
    let mut random = Random::new(2);
    let particles = Particles::default();
    let mut twin = Twin::unseen(assumptions(), nobody(), 1000, &mut random).unwrap();
    for (day, seen) in [(0.0, 100.0), (10.0, 135.0), (20.0, 18_200.0)] {
        twin = volume(&twin, day, seen, &particles, &mut random);
    }
    assert_eq!(Monitor::default().judge(&twin).unwrap().alarm, Some(2));
    let mut right = nobody();
    [(0.0, 100.0), (10.0, 135.0), (20.0, 182.0)].into_iter().for_each(|(day, seen)| observe(&mut right, day, seen));
    twin = twin.correct(right.timeline, &particles, &mut random).unwrap();
    let verdict = Monitor::default().judge(&twin).unwrap();
    assert!(verdict.explained && verdict.readings == 2, "{verdict:?}");
    twin = volume(&twin, 30.0, 246.0, &particles, &mut random);
    assert_eq!(Monitor::default().judge(&twin).unwrap().readings, 3);
    // Without any reading left, what is believed is the prior.
    let empty = twin.correct(Timeline::new(), &particles, &mut random).unwrap();
    assert_eq!((empty.posterior().record.readings, empty.posterior().count()), (0, 1000));
    let [low, high] = empty.posterior().quantiles("growth_rate", [0.16, 0.84]).unwrap();
    assert!((low - 0.026).abs() < 6e-4 && (high - 0.034).abs() < 6e-4, "{low} {high}");
    assert_eq!(Monitor::default().judge(&empty).unwrap().readings, 0);
}

#[test]
fn readings_at_once_raise_no_more_false_alarms_than_promised() {
    let alarm = |index: u64| {
        let mut random = Random::new(1).stream(index);
        let assumptions = assumptions();
        let theta = assumptions.prior.sample(&mut random);
        let mut patient = nobody();
        for day in (0..8).map(|k| 4.0 * f64::from(k)) {
            observe(&mut patient, day, theta[1] * (theta[0] * day).exp() * (0.2 * random.normal()).exp());
        }
        let few = Particles { count: 100, sweeps: 1, ..Particles::default() };
        let twin = Twin::unseen(assumptions, nobody(), 500, &mut random).unwrap();
        let twin = twin.correct(patient.timeline, &few, &mut random).unwrap();
        !Monitor { level: 0.05 }.judge(&twin).unwrap().explained
    };
    let alarms = (0..60).filter(|index| alarm(*index)).count();
    assert!(alarms <= 8, "{alarms} of 60");
}

#[test]
fn a_stated_standard_error_makes_a_reading_less_surprising() {
    let mut random = Random::new(3);
    let prior =
        crate::IndependentPrior::new([("initial_volume", crate::Marginal::LogNormal { median: 100.0, sd: 0.001 })]).unwrap();
    let (model, error) = (Arc::new(growth::exponential()), Arc::new(crate::NormalError::new(1.0, 0.0)));
    let assumptions = Assumptions::new(model, Arc::new(prior), Observable::TUMOR_VOLUME, error, Time::ORIGIN).unwrap();
    let twin = Twin::unseen(assumptions, nobody(), 1000, &mut random).unwrap();
    let read = twin_core::Quantity::new(112.0, "mm3").unwrap();
    let finding = twin_core::Finding::measured_with_error(read, 10.0).unwrap();
    let seen = Event::Observation(Observation::new(Observable::TUMOR_VOLUME, finding));
    let twin = twin.update(Time::ORIGIN, seen, Provenance::measured("test"), &Particles::default(), &mut random).unwrap();
    let score = twin.versions()[1].surprises[0].score.unwrap();
    assert!((score - 12.0 / 101_f64.sqrt()).abs() < 0.03, "{score}");
}

#[test]
fn members_shifted_beyond_the_ranges_of_the_model_are_replaced() {
    let mut patient = nobody();
    [(0.0, 100.0), (10.0, 95.0), (20.0, 90.0), (30.0, 80.0)].into_iter().for_each(|(day, seen)| observe(&mut patient, day, seen));
    let rate = crate::Marginal::Normal { mean: 0.01, sd: 0.01 };
    let prior = crate::IndependentPrior::new([
        ("growth_rate", rate),
        ("initial_volume", crate::Marginal::LogNormal { median: 100.0, sd: 0.3 }),
    ])
    .unwrap();
    let assumptions = Assumptions { prior: Arc::new(prior), ..assumptions() };
    let twin = Twin::new(assumptions, patient, &EnsembleSmoother::default(), &mut Random::new(7)).unwrap();
    assert!(twin.posterior().ln_densities().iter().all(|density| density.is_finite()));
    let day = Time::from_days(40.0).unwrap();
    assert!(twin.forecast(&Observable::TUMOR_VOLUME, [day], [], 500, &Random::new(1)).is_ok());
    let method = &twin.posterior().record.method;
    assert!(!method.contains("(0 replaced"), "{method}");
}
