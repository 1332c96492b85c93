//! Defects that were found and mended, each as its minimal reproduction.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use twin_calibrate::{
    Calibrator, IndependentPrior, LogError, Marginal, PopulationPrior, Prior, Problem, Progress, Sampled, Transform,
};
use twin_core::{
    AbsorbedDose, Agent, Event, Observable, Observation, Patient, Proportion, Provenance, Quantity, Random, Span, SubjectId,
    Target, Time, TimedTreatment, Treatment,
};
use twin_models::{
    Dynamics, Exposure, Given, Input, Model, ModelSpec, Ode, Refused, Scalar, Scenario, Simulation, SimulationError, Source,
    TreatmentKind, clones, growth, parameters, run,
};
use twin_trials::{
    Adaptive, Continuous, Course, Decision, FromList, FromPosterior, FromPrior, History, Outcome, Planned, Policy,
    TimeToProgression, Trial, ValueAt, VirtualPatient, course,
};

fn day(days: f64) -> Time {
    Time::from_days(days).unwrap()
}

fn drug() -> Agent {
    Agent::new("abiraterone").unwrap()
}

fn volume(days: f64, mm3: f64) -> (Time, Event) {
    (day(days), Event::Observation(Observation::number(Observable::TUMOR_VOLUME, mm3, "mm3").unwrap()))
}

fn patient(events: impl IntoIterator<Item = (Time, Event)>) -> Patient {
    let nobody = Patient::new(SubjectId::new("subject").unwrap());
    events.into_iter().fold(nobody, |patient, (time, event)| patient.with(time, event, Provenance::measured("test")))
}

/// Why `patient` cannot be calibrated with exponential growth that starts at `start`.
fn refusal(patient: &Patient, start: Time, error: &LogError) -> String {
    let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 })]).unwrap();
    let model = growth::exponential();
    let mut problem = Problem::new(&model, patient, &prior, Observable::TUMOR_VOLUME, error).unwrap();
    problem.start = start;
    Sampled::default().calibrate(&problem, &mut Random::new(1)).unwrap_err().to_string()
}

fn clones_trial(patient: VirtualPatient, policy: impl Policy + 'static) -> Trial {
    Trial::new(Arc::new(clones::sensitive_resistant(drug())), FromList(vec![patient]), 1)
        .arm("arm", policy)
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .visits(Span::WEEK, Span::from_days(700.0).unwrap())
}

fn someone(model: &dyn Model) -> VirtualPatient {
    VirtualPatient::new(model.spec().defaults().unwrap())
}

// ---- calibration ----

#[test]
fn a_patient_with_a_treatment_that_the_model_refuses_is_told_so() {
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("ptv").unwrap());
    let patient = patient([volume(0.0, 100.0), (day(5.0), Event::Treatment(fraction)), volume(10.0, 120.0)]);
    let why = refusal(&patient, day(0.0), &LogError::new(0.1, 0.0));
    assert!(why.contains("2 Gy to ptv") && why.contains("day 5"), "{why}");
}

#[test]
fn an_observation_before_the_start_is_named() {
    let why = refusal(&patient([volume(0.0, 100.0), volume(10.0, 120.0)]), day(5.0), &LogError::new(0.1, 0.0));
    assert!(why.contains("day 0") && why.contains("day 5"), "{why}");
}

#[test]
fn a_reading_that_the_error_cannot_take_is_named() {
    let why = refusal(&patient([volume(0.0, 100.0), volume(10.0, 0.0)]), day(0.0), &LogError::new(0.1, 0.0));
    assert!(why.contains("tumor_volume") && why.contains("day 10"), "{why}");
}

#[test]
fn an_error_with_an_impossible_parameter_is_named() {
    let why = refusal(&patient([volume(0.0, 100.0), volume(10.0, 120.0)]), day(0.0), &LogError::new(-0.1, 0.0));
    assert!(why.contains("log_error") && why.contains("-0.1"), "{why}");
}

#[test]
fn a_population_with_too_few_transforms_is_refused() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    let individuals = [vec![1.0, 2.0], vec![2.0, 1.5], vec![1.5, 1.0]];
    let made =
        std::panic::catch_unwind(|| PopulationPrior::from_individuals(names, vec![Transform::Log], &individuals, 0.0).is_err());
    assert!(made.is_ok_and(|refused| refused));
}

#[test]
fn a_covariance_that_is_not_symmetric_is_refused() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert!(PopulationPrior::new(names, vec![Transform::Log; 2], vec![0.0; 2], &[1.0, 0.9, 0.0, 1.0]).is_err());
}

#[test]
fn a_uniform_distribution_of_infinite_width_is_refused_or_drawn_from() {
    let prior = IndependentPrior::new([("a", Marginal::Uniform { low: -1e308, high: 1e308 })]);
    assert!(prior.is_err() || prior.unwrap().sample(&mut Random::new(1))[0].is_finite());
}

// ---- trials ----

#[test]
fn a_misspelled_parameter_of_a_cohort_is_refused() {
    let model: Arc<dyn Model> = Arc::new(clones::sensitive_resistant(drug()));
    let typo = IndependentPrior::new([("growth_rat", Marginal::LogNormal { median: 0.03, sd: 0.7 })]).unwrap();
    let trial = Trial { cohort: Arc::new(FromPrior::new(model.clone(), Arc::new(typo))), ..clones_trial(someone(&*model), still) };
    assert!(course(&trial, "arm", 0).is_err());
}

fn still(_: &History<'_>) -> Decision {
    Decision::none()
}

/// Three fractions are planned, on the first three visits, for a patient who has had one at the moment the policy takes over.
fn planned(patient: VirtualPatient, interval: f64, count: u32) -> Course {
    let shift = |number: u32| day(f64::from(number) * interval);
    let treatments = (0..count).map(|number| TimedTreatment::new(shift(number), Treatment::on(drug()))).collect();
    let (interval, horizon) = (Span::from_days(interval).unwrap(), shift(count - 1) - Time::ORIGIN);
    course(&clones_trial(patient, Planned { treatments }).visits(interval, horizon), "arm", 0).unwrap()
}

#[test]
fn a_plan_is_carried_out_whole_after_a_past_that_ends_with_a_treatment() {
    let mut patient = someone(&clones::sensitive_resistant(drug()));
    patient.start = day(-10.0);
    patient.past_treatments = Arc::from(vec![TimedTreatment::new(Time::ORIGIN, Treatment::on(drug()))]);
    assert_eq!(planned(patient, 1.0, 3).treatments.len(), 3);
}

#[test]
fn a_plan_is_carried_out_in_time_wherever_it_begins() {
    for (since, interval) in [(0.1, 1.0), (0.7, 0.1), (100.1, 1.0 / 3.0), (33.3, 1.0 / 3.0)] {
        let mut patient = someone(&clones::sensitive_resistant(drug()));
        (patient.start, patient.since) = (day(since), day(since));
        let lived = planned(patient, interval, 21);
        let given: Vec<Time> = lived.treatments.iter().map(|given| given.time).collect();
        assert_eq!(given, lived.visits, "from {since} every {interval}");
    }
}

#[test]
fn a_plan_between_visits_is_given_at_its_own_times_in_any_order() {
    let patient = someone(&clones::sensitive_resistant(drug()));
    let treatments =
        Arc::from([TimedTreatment::new(day(20.0), Treatment::off(drug())), TimedTreatment::new(day(10.0), Treatment::on(drug()))]);
    let trial =
        clones_trial(patient, Planned { treatments }).visits(Span::from_days(28.0).unwrap(), Span::from_days(56.0).unwrap());
    let lived = course(&trial, "arm", 0).unwrap();
    let given: Vec<f64> = lived.treatments.iter().map(|given| given.time.days()).collect();
    assert_eq!(given, [10.0, 20.0]);
    assert_eq!(lived.exposure(&drug()).days(), 10.0);
}

#[test]
fn a_treatment_scheduled_for_the_past_is_refused() {
    let late = |history: &History<'_>| Decision::schedule([TimedTreatment::new(history.now - Span::DAY, Treatment::on(drug()))]);
    let refused = course(&clones_trial(someone(&clones::sensitive_resistant(drug())), late), "arm", 0).unwrap_err().to_string();
    assert!(refused.contains("day -1") && refused.contains("day 0") && refused.contains("abiraterone"), "{refused}");
}

#[test]
fn a_reading_of_the_first_day_is_the_baseline_of_what_is_observed() {
    let progression = TimeToProgression { truth: false, ..TimeToProgression::of(Observable::PSA, 1.2) };
    let outcome = |past: Option<f64>| {
        let mut patient = someone(&clones::sensitive_resistant(drug()));
        let seen = |value| (Time::ORIGIN, Observation::number(Observable::PSA, value, "ng/mL").unwrap());
        patient.past_observations = past.map(seen).into_iter().collect();
        let trial = clones_trial(patient, Continuous { agent: drug() }).measure(Observable::PSA);
        let lived = course(&trial, "arm", 0).unwrap();
        assert_eq!(lived.seen(&Observable::PSA).len(), lived.visits.len());
        format!("{:?}", twin_trials::Endpoint::assess(&progression, &lived))
    };
    assert_eq!(outcome(None), outcome(Some(20.0)));
}

#[test]
fn a_value_at_the_last_visit_is_there_wherever_the_course_begins() {
    for tenth in 0..200 {
        let mut patient = someone(&clones::sensitive_resistant(drug()));
        (patient.start, patient.since) = (day(f64::from(tenth) / 10.0), day(f64::from(tenth) / 10.0));
        let last = ValueAt { name: "burden".to_owned(), observable: Observable::TUMOR_BURDEN, day: 7.0 };
        let weekly = clones_trial(patient, still).visits(Span::from_days(0.7).unwrap(), Span::WEEK);
        let lived = course(&weekly, "arm", 0).unwrap();
        let Outcome::Value(value) = twin_trials::Endpoint::assess(&last, &lived) else { panic!("from {}", lived.since) };
        assert_eq!(Some(&value), lived.truth(&Observable::TUMOR_BURDEN).unwrap().last().map(|(_, value)| value));
    }
}

#[test]
fn a_policy_decides_the_same_whatever_the_unit_of_the_past() {
    let switches = |value: f64, unit: &str| {
        let mut patient = someone(&clones::sensitive_resistant(drug()));
        let seen = Observation::number(Observable::PSA, value, unit).unwrap();
        patient.past_observations = Arc::from(vec![(Time::ORIGIN, seen)]);
        let trial = clones_trial(patient, Adaptive::half(drug(), Observable::PSA)).measure(Observable::PSA);
        course(&trial, "arm", 0).unwrap().treatments.len()
    };
    assert_eq!(switches(20.0, "ng/mL"), 5);
    assert_eq!(switches(0.02, "mg/L"), 5);
}

#[test]
fn a_policy_does_not_see_the_future() {
    let mut patient = someone(&clones::sensitive_resistant(drug()));
    let later = Observation::number(Observable::PSA, 777.0, "ng/mL").unwrap();
    patient.past_observations = Arc::from(vec![(day(500.0), later)]);
    let look = |history: &History<'_>| Decision::stop(format!("{:?}", history.last(&Observable::PSA)));
    let lived = course(&clones_trial(patient, look), "arm", 0);
    assert!(lived.is_err() || lived.unwrap().stopped.as_deref() == Some("None"));
}

#[test]
fn a_twin_starts_where_its_calibration_did() {
    let early = Event::Observation(Observation::number(Observable::PSA, 5.0, "ng/mL").unwrap());
    let volumes = (0..4).map(|visit| volume(10.0 * f64::from(visit), 100.0 * 1.3_f64.powi(visit)));
    let patient = patient([(day(-100.0), early)].into_iter().chain(volumes));
    let (model, error) = (growth::exponential(), LogError::new(0.05, 0.0));
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 }),
        ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.7 }),
    ])
    .unwrap();
    let mut problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
    problem.start = Time::ORIGIN;
    let posterior = Sampled::default().calibrate(&problem, &mut Random::new(1)).unwrap();
    let cohort = FromPosterior::new(Arc::new(posterior), &patient, day(30.0)).unwrap();
    let trial = Trial::new(Arc::new(growth::exponential()), cohort, 1)
        .arm("arm", still)
        .endpoint(ValueAt { name: "volume".to_owned(), observable: Observable::TUMOR_VOLUME, day: 0.0 })
        .visits(Span::DAY, Span::DAY);
    let now = course(&trial, "arm", 0).unwrap().values[0];
    assert!((now / 219.7 - 1.0).abs() < 0.3, "the volume was 219.7 mm3, but the twin has {now}");
}

#[test]
fn nobody_is_followed_beyond_the_last_visit() {
    let patient = someone(&clones::sensitive_resistant(drug()));
    let trial = clones_trial(patient, Continuous { agent: drug() }).visits(Span::WEEK, Span::from_days(13.0).unwrap());
    let lived = course(&trial, "arm", 0).unwrap();
    let followed = format!("{:?}", trial.endpoints[0].assess(&lived));
    assert_eq!(followed, "Censored(7.0)", "the visits were {:?}", lived.visits);
}

#[test]
fn an_observer_is_told_one_thing_at_a_time_and_in_order() {
    let trial = Trial { size: 200, ..clones_trial(someone(&clones::sensitive_resistant(drug())), still) };
    let (last, disorder) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let here = std::thread::current().id();
    let listen = |progress: &Progress| {
        let before = last.swap(progress.done, Ordering::SeqCst);
        if before > progress.done || std::thread::current().id() != here {
            disorder.fetch_add(1, Ordering::SeqCst);
        }
        twin_calibrate::Flow::Continue
    };
    assert!(twin_trials::run_observed(&trial, &listen).is_ok());
    assert_eq!(disorder.into_inner(), 0);
}

// ---- courses ----

parameters! {
    /// Parameters of [`Sink`].
    struct Leak {
        leak: "/d" in 0.0..=1.0, default 0.0, "Loss rate", Source::assumed("made up");
    }
}

/// One compartment that keeps what it is given.
struct Sink {
    spec: Arc<ModelSpec>,
    initial: f64,
    blows_up: bool,
}

impl Sink {
    fn model(initial: f64, blows_up: bool) -> Ode<Self> {
        let spec = ModelSpec::new::<Leak>("sink", "One compartment", Source::assumed("made up"))
            .state("amount", "mg", 1e-9)
            .observes(Observable::new("amount").unwrap(), "mg")
            .understands_drug(TreatmentKind::Infusion, &drug(), "mg")
            .understands_drug(TreatmentKind::Bolus, &drug(), "mg")
            .understands_surgery();
        Ode::new(Self { spec: Arc::new(spec), initial, blows_up })
    }

    fn start(initial: f64, blows_up: bool) -> Result<Box<dyn Simulation>, SimulationError> {
        let model = Self::model(initial, blows_up);
        model.start(&model.spec().defaults()?, Time::ORIGIN, &mut Random::new(1))
    }
}

impl Dynamics for Sink {
    type State = [f64; 1];
    type Parameters = Leak;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Leak<T>) -> [T; 1] {
        [T::from(self.initial)]
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 1], exposure: &Exposure<T>, p: &Leak<T>, dx: &mut [T; 1]) {
        dx[0] = if self.blows_up { x[0] * x[0] } else { exposure.level(Input::new(0)) - p.leak * x[0] };
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], _p: &Leak<T>, y: &mut [T]) {
        y[0] = x[0];
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &Leak<T>, x: &mut [T; 1]) -> Result<(), Refused> {
        x[0] = if given.input == Input::new(2) { x[0] * (T::from(1.0) - given.amount) } else { x[0] + given.amount };
        Ok(())
    }
}

fn mg(value: f64) -> Quantity {
    Quantity::new(value, "mg").unwrap()
}

#[test]
fn a_dose_or_a_duration_made_negative_is_refused() {
    let mut sink = Sink::start(10.0, false).unwrap();
    let mut bolus = Treatment::bolus(drug(), mg(5.0)).unwrap();
    assert!(sink.treat(&bolus).is_ok());
    if let Treatment::Bolus { dose, .. } = &mut bolus {
        *dose = mg(-5.0);
    }
    assert!(sink.treat(&bolus).is_err());
    let mut infusion = Treatment::infusion(drug(), mg(1.0), Span::DAY).unwrap();
    assert!(sink.treat(&infusion).is_ok());
    if let Treatment::Infusion { duration, .. } = &mut infusion {
        *duration = -Span::DAY;
    }
    assert!(sink.treat(&infusion).is_err());
}

#[test]
fn a_slow_infusion_survives_the_end_of_a_fast_one() {
    let (mut sink, mut y) = (Sink::start(0.0, false).unwrap(), [0.0]);
    for (dose, days) in [(1e9, 1.0), (1e-5, 10.0)] {
        sink.treat(&Treatment::infusion(drug(), mg(dose), Span::from_days(days).unwrap()).unwrap()).unwrap();
    }
    // The fast one has ended; the compartment is emptied, so that what comes is what the slow one gives.
    sink.advance(day(1.0)).unwrap();
    sink.treat(&Treatment::surgery(Target::new("sink").unwrap(), Proportion::ONE)).unwrap();
    sink.advance(day(10.0)).unwrap();
    sink.observe(&mut y);
    assert!((y[0] / 9e-6 - 1.0).abs() < 1e-6, "{} mg instead of 9e-6 mg", y[0]);
}

#[test]
fn a_course_that_blows_up_names_the_state() {
    let error = Sink::start(1.0, true).unwrap().advance(day(2.0)).unwrap_err();
    assert!(error.to_string().contains("state `amount`"), "{error}");
}

#[test]
fn a_start_outside_the_bounds_is_refused() {
    assert!(Sink::start(-5.0, false).is_err());
}

#[test]
fn a_dose_in_a_wrong_unit_is_named_with_its_place() {
    let mut sink = Sink::start(0.0, false).unwrap();
    sink.advance(day(3.0)).unwrap();
    let dose = Quantity::new(1.0, "mL").unwrap();
    let why = sink.treat(&Treatment::bolus(drug(), dose).unwrap()).unwrap_err().to_string();
    assert!(why.contains("sink") && why.contains("day 3") && why.contains("mL"), "{why}");
}

#[test]
fn room_of_the_wrong_size_is_refused() {
    let model = growth::gompertz();
    let scenario = Scenario::starting(Time::ORIGIN).sampled((0..4).map(|number| day(f64::from(number))));
    for places in [0, 3, 5, 9] {
        let mut simulation = model.start(&model.spec().defaults().unwrap(), Time::ORIGIN, &mut Random::new(1)).unwrap();
        assert!(run(simulation.as_mut(), &scenario, &mut vec![0.0; places]).is_err(), "{places} places for 4 looks");
    }
}

#[test]
fn parameters_are_finite_even_where_the_range_is_not() {
    let mut spec = (**growth::gompertz().spec()).clone();
    spec.parameters[0].high = f64::INFINITY;
    assert!(Arc::new(spec).values(vec![f64::INFINITY, 2e4, 100.0]).is_err());
}

// ---- nouns ----

#[test]
fn spans_stay_finite() {
    let mut span = Span::from_days(1e9).unwrap();
    for _ in 0..1100 {
        span = span + span;
    }
    assert!(span.days().is_finite() && (span + -span).days().is_finite());
}

#[test]
fn a_factor_that_is_none_is_refused_for_surgery_too() {
    let surgery = Treatment::surgery(Target::new("prostate").unwrap(), Proportion::ONE);
    assert!(surgery.scaled(f64::NAN).is_err() && surgery.scaled(f64::NEG_INFINITY).is_err());
}
