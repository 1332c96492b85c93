//! What makes no sense is refused by a typed error that says where; nothing panics, and nothing that is not finite gets in.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;
use twin_calibrate::{
    CalibrationError, Calibrator, IndependentPrior, LogError, Marginal, PopulationPrior, Problem, Sampled, Target as LnTarget,
    Transform,
};
use twin_core::{
    AbsorbedDose, Agent, CoreError, Event, Finding, Observable, Observation, Patient, Phase, Proportion, Provenance, Quantity,
    Random, Regimen, ScalarField, Span, SubjectId, Target, Time, TimedTreatment, Treatment, Unit, Weekday,
};
use twin_models::{
    Dynamics, Exposure, Model, ModelSpec, Ode, Registry, Scalar, Scenario, SimulationError, Source, clones, growth, parameters,
    simulate,
};
use twin_trials::{
    Continuous, Course, Endpoint, FromList, Outcome, TimeToProgression, Trial, TrialError, VirtualPatient, course, run,
};

const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Asserts that a result is an error of the variant, and that its message has the words.
macro_rules! refused {
    ($result:expr, $variant:pat, $($word:expr),+) => {
        match $result {
            Err(error) => {
                assert!(matches!(error, $variant), "{error:?}");
                let message = error.to_string();
                $(assert!(message.contains($word), "`{}` is not in: {message}", $word);)+
            }
            Ok(_) => panic!("{} was accepted", stringify!($result)),
        }
    };
}

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

fn growing() -> Patient {
    patient((0..6).map(|visit| volume(10.0 * f64::from(visit), 100.0 * 1.3_f64.powi(visit))))
}

fn prior() -> IndependentPrior {
    IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 })]).unwrap()
}

// ---- nouns ----

#[test]
fn numbers_that_are_none_are_refused_by_name() {
    for bad in NOT_FINITE {
        refused!(Time::from_days(bad), CoreError::NotFinite { .. }, "time in days", "finite");
        refused!(Span::from_hours(bad), CoreError::NotFinite { .. }, "span in days", "finite");
        refused!(Quantity::new(bad, "mg"), CoreError::NotFinite { .. }, "quantity", "finite");
        refused!(AbsorbedDose::from_gray(bad), CoreError::NotFinite { .. }, "absorbed dose in Gy", "finite");
        refused!(Proportion::new(bad), CoreError::NotFinite { .. }, "proportion", "finite");
        refused!(Observation::number(Observable::PSA, bad, "ng/mL"), CoreError::NotFinite { .. }, "quantity", "finite");
    }
}

#[test]
fn negative_doses_are_refused() {
    let negative = || Quantity::new(-1.0, "mg").unwrap();
    refused!(Treatment::bolus(drug(), negative()), CoreError::OutOfRange { .. }, "drug dose", "-1", "0 or more");
    refused!(Treatment::oral(drug(), negative()), CoreError::OutOfRange { .. }, "drug dose", "-1");
    refused!(Treatment::infusion(drug(), negative(), Span::DAY), CoreError::OutOfRange { .. }, "drug dose", "-1");
    refused!(AbsorbedDose::from_gray(-2.0), CoreError::OutOfRange { .. }, "absorbed dose in Gy", "-2");
    let zero = Quantity::new(1.0, "mg").unwrap();
    refused!(
        Treatment::infusion(drug(), zero, Span::ZERO),
        CoreError::OutOfRange { .. },
        "infusion duration",
        "longer than nothing"
    );
    let written = r#"{"bolus": {"agent": "x", "dose": {"value": -1.0, "unit": "mg"}}}"#;
    assert!(serde_json::from_str::<Treatment>(written).is_err_and(|error| error.to_string().contains("drug dose is -1")));
}

#[test]
fn unknown_units_are_refused_with_the_place_of_the_fault() {
    refused!(Quantity::new(1.0, "mg/furlong"), CoreError::Unit { .. }, "mg/furlong", "at byte 3");
    refused!(Observation::number(Observable::PSA, 1.0, "parsecs"), CoreError::Unit { .. }, "parsecs");
    refused!(Quantity::new(1.0, "mg").unwrap().value_in("mL"), CoreError::Incommensurable { .. }, "mg", "mL");
}

// ---- courses ----

#[test]
fn a_treatment_that_is_not_understood_is_refused_with_its_time_and_the_choices() {
    let refuse = |treatment: Treatment| {
        let scenario = Scenario::starting(Time::ORIGIN).treated([TimedTreatment::new(day(12.0), treatment)]).sampled([day(30.0)]);
        let model = clones::sensitive_resistant(drug());
        simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(1))
    };
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("ptv").unwrap());
    refused!(refuse(fraction), SimulationError::UnsupportedTreatment { .. }, "2 Gy to ptv", "day 12", "continuous abiraterone");
    let other = Treatment::on(Agent::new("docetaxel").unwrap());
    refused!(refuse(other), SimulationError::UnsupportedTreatment { .. }, "docetaxel", "day 12");
    let bolus = Treatment::bolus(drug(), Quantity::new(0.0, "mg").unwrap()).unwrap();
    refused!(refuse(bolus), SimulationError::UnsupportedTreatment { .. }, "abiraterone 0 mg bolus", "day 12");
}

#[test]
fn a_scenario_out_of_order_or_before_its_start_is_refused() {
    let model = growth::gompertz();
    let live = |scenario: &Scenario| simulate(&model, &model.spec().defaults().unwrap(), scenario, &mut Random::new(1));
    let early = Scenario::starting(day(10.0)).sampled([day(9.0), day(20.0)]);
    refused!(live(&early), SimulationError::ScenarioOrder { .. }, "sampling time number 0", "day 9", "day 10");
    let unordered = Scenario { sampling: vec![day(20.0), day(15.0)], ..Scenario::starting(Time::ORIGIN) };
    refused!(live(&unordered), SimulationError::ScenarioOrder { index: 1, .. }, "day 15", "day 20");
    let past = Scenario::starting(day(5.0)).treated([TimedTreatment::new(day(1.0), Treatment::on(drug()))]).sampled([day(9.0)]);
    refused!(live(&past), SimulationError::ScenarioOrder { what: "treatment", .. }, "day 1", "day 5");
    let mut simulation = model.start(&model.spec().defaults().unwrap(), day(3.0), &mut Random::new(1)).unwrap();
    refused!(simulation.advance(day(2.0)), SimulationError::Backward { .. }, "gompertz", "day 3", "day 2");
}

#[test]
fn events_at_equal_times_are_all_taken_in_their_order() {
    let model = clones::sensitive_resistant(drug());
    let now = day(40.0);
    let live = |treatments: Vec<Treatment>| {
        let scenario = Scenario::starting(Time::ORIGIN)
            .treated(treatments.into_iter().map(|treatment| TimedTreatment::new(now, treatment)))
            .sampled([now, now, day(80.0)]);
        let lived = simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(1)).unwrap();
        lived.column(&Observable::TUMOR_BURDEN).unwrap()
    };
    let (nothing, on) = (live(vec![]), live(vec![Treatment::on(drug())]));
    assert_eq!(on[0].to_bits(), on[1].to_bits());
    // The two were told of different stops, which changes rounding and nothing else.
    assert!((on[0] / nothing[0] - 1.0).abs() < 1e-6, "one looks first and treats then: {} and {}", on[0], nothing[0]);
    assert!(on[2] < 0.9 * nothing[2]);
    assert_eq!(live(vec![Treatment::off(drug()), Treatment::on(drug())])[2].to_bits(), on[2].to_bits());
    let off = live(vec![Treatment::on(drug()), Treatment::off(drug())])[2];
    assert!((off / nothing[2] - 1.0).abs() < 1e-5, "on and off at one time is nothing: {off} and {}", nothing[2]);
}

#[test]
fn parameters_outside_their_ranges_are_refused() {
    let model = growth::gompertz();
    let defaults = || model.spec().defaults().unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1.1] {
        let set = defaults().with("decay_rate", bad);
        refused!(set, SimulationError::ParameterRange { .. }, "decay_rate", "gompertz", &bad.to_string(), "/d");
    }
    refused!(defaults().with("decay_rat", 0.1), SimulationError::UnknownParameter { .. }, "decay_rat", "carrying_capacity");
    refused!(defaults().set(17, 0.1), SimulationError::UnknownParameter { .. }, "number 17");
    refused!(model.spec().values(vec![0.1]), SimulationError::Specification { .. }, "gompertz", "1 values", "3 parameters");
    let foreign = growth::logistic().start(&defaults(), Time::ORIGIN, &mut Random::new(1)).map(|_| ());
    refused!(foreign, SimulationError::ForeignParameters { .. }, "gompertz", "logistic");
    let psa = model.spec().index_of(&Observable::PSA);
    refused!(psa, SimulationError::UnknownObservable { .. }, "psa", "tumor_volume");
    let mut registry = Registry::standard().unwrap();
    refused!(registry.get("gomperz").map(|_| ()), SimulationError::UnknownModel { .. }, "gomperz", "gompertz");
    refused!(registry.register(growth::gompertz()), SimulationError::DuplicateModel { .. }, "gompertz");
}

parameters! {
    /// Parameters of [`Ailing`].
    struct Rate {
        rate: "/d" in 1e-3..=1.0, default 0.05, "Growth rate", Source::assumed("made up");
    }
}

/// How a model fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ailment {
    NanFromDay(f64),
    InfiniteFromDay(f64),
    /// `x' = x²`, which is infinite after `1/x(0)` days.
    BlowsUp,
    /// `x' = -1`, which falls below its bound of nothing.
    FallsBelow,
    StartsAsNan,
}

/// Two states: `healthy`, which decays, and `ailing`, which starts at 1/30.
struct Ailing {
    spec: Arc<ModelSpec>,
    ailment: Ailment,
}

impl Ailing {
    fn model(ailment: Ailment) -> Ode<Self> {
        let spec = ModelSpec::new::<Rate>("broken", "Fails on purpose", Source::assumed("made up"))
            .state("healthy", "1", 1e-9)
            .state("ailing", "1", 1e-9)
            .observes(Observable::TUMOR_BURDEN, "1");
        Ode::new(Self { spec: Arc::new(spec), ailment })
    }
}

impl Dynamics for Ailing {
    type State = [f64; 2];
    type Parameters = Rate;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Rate<T>) -> [T; 2] {
        [1.0, if self.ailment == Ailment::StartsAsNan { f64::NAN } else { 1.0 / 30.0 }].map(T::from)
    }

    fn rates<T: Scalar>(&self, t: T, x: &[T; 2], _exposure: &Exposure<T>, p: &Rate<T>, dx: &mut [T; 2]) {
        dx[0] = -p.rate * x[0];
        dx[1] = match self.ailment {
            Ailment::NanFromDay(day) => (-t + day).if_positive(|| p.rate * x[1], || T::from(f64::NAN)),
            Ailment::InfiniteFromDay(day) => (-t + day).if_positive(|| p.rate * x[1], || T::from(f64::INFINITY)),
            Ailment::BlowsUp => x[1] * x[1],
            Ailment::FallsBelow => T::from(-1.0 / 900.0),
            _ => p.rate * x[1],
        };
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], _p: &Rate<T>, y: &mut [T]) {
        y[0] = x[1];
    }
}

/// The course of `ailment`, looked at every so many days, for 100 days; what was seen before it failed, and how it failed.
fn ail(ailment: Ailment, every: f64) -> (Vec<f64>, Result<(), SimulationError>) {
    let model = Ailing::model(ailment);
    let parameters = model.spec().defaults().unwrap();
    let mut seen = Vec::new();
    let lived = model.start(&parameters, Time::ORIGIN, &mut Random::new(1)).and_then(|mut simulation| {
        let mut number = 0.0;
        while number * every <= 100.0 {
            simulation.advance(day(number * every))?;
            let mut y = [0.0];
            simulation.observe(&mut y);
            seen.push(y[0]);
            number += 1.0;
        }
        Ok(())
    });
    (seen, lived)
}

/// The day and the state that an error of a course names.
fn place(error: &SimulationError) -> (f64, Option<&str>) {
    match error {
        SimulationError::NotFinite { state, day, .. } | SimulationError::OutOfBounds { state, day, .. } => (*day, Some(state)),
        SimulationError::StepTooSmall { day, .. } | SimulationError::TooManySteps { day, .. } => (*day, None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_that_turns_nan_or_infinite_is_an_error_at_its_time() {
    for every in [0.7, 5.0, 30.0, 100.0] {
        for (ailment, wanted) in [(Ailment::NanFromDay(30.0), "NaN"), (Ailment::InfiniteFromDay(30.0), "inf")] {
            let (seen, lived) = ail(ailment, every);
            let error = lived.unwrap_err();
            assert!(matches!(error, SimulationError::NotFinite { .. }), "{error:?}");
            let (day, state) = place(&error);
            assert!((day - 30.0).abs() < 1e-9 && state == Some("ailing"), "{error}");
            assert!(error.to_string().contains(wanted) || error.to_string().contains("NaN"), "{error}");
            let before = (30.0 / every).floor() as usize + 1;
            assert!(seen.len() == before || seen.len() + 1 == before, "{} of {before} looks at {ailment:?}", seen.len());
            assert!(seen.iter().all(|value| value.is_finite()), "{seen:?}");
        }
    }
}

#[test]
fn a_state_that_blows_up_is_an_error_at_its_time() {
    for every in [0.7, 5.0, 100.0] {
        let (seen, lived) = ail(Ailment::BlowsUp, every);
        let error = lived.unwrap_err();
        let (day, _) = place(&error);
        assert!((day - 30.0).abs() < 1e-3, "{error}");
        assert!(error.to_string().contains("model `broken`"), "{error}");
        assert!(seen.iter().all(|value| value.is_finite()), "{seen:?}");
    }
}

#[test]
fn a_state_that_leaves_its_bounds_is_an_error_at_its_time() {
    let (seen, lived) = ail(Ailment::FallsBelow, 5.0);
    let error = lived.unwrap_err();
    refused!(Err::<(), _>(error.clone()), SimulationError::OutOfBounds { .. }, "`ailing`", "[0, inf]");
    assert!((place(&error).0 - 30.0).abs() < 1e-3, "{error}");
    assert!(seen.iter().all(|value| *value >= -1e-9), "{seen:?}");
}

#[test]
fn a_state_that_starts_as_nan_is_refused_at_the_start() {
    let (seen, lived) = ail(Ailment::StartsAsNan, 1.0);
    refused!(lived, SimulationError::NotFinite { .. }, "`ailing`", "NaN", "day 0");
    assert!(seen.is_empty());
}

// ---- calibration ----

#[test]
fn a_patient_without_observations_is_refused() {
    let (model, prior, error) = (growth::exponential(), prior(), LogError::new(0.1, 0.0));
    let nothing = patient([]);
    let problem = Problem::new(&model, &nothing, &prior, Observable::TUMOR_VOLUME, &error);
    refused!(problem, CalibrationError::NoObservations { .. }, "subject", "tumor_volume");
    let other = Event::Observation(Observation::number(Observable::PSA, 4.0, "ng/mL").unwrap());
    let other = patient([(Time::ORIGIN, other)]);
    let problem = Problem::new(&model, &other, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
    refused!(LnTarget::new(&problem), CalibrationError::NoObservations { .. }, "subject", "tumor_volume");
    let calibrated = Sampled::default().calibrate(&problem, &mut Random::new(1));
    refused!(calibrated, CalibrationError::NoObservations { .. }, "tumor_volume");
}

#[test]
fn findings_that_do_not_fit_are_refused_with_their_place() {
    let (model, prior, error) = (growth::exponential(), prior(), LogError::new(0.1, 0.0));
    let with = |finding: Finding| {
        let seen = Event::Observation(Observation::new(Observable::TUMOR_VOLUME, finding));
        let patient = patient([volume(0.0, 100.0), (day(8.0), seen)]);
        let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
        LnTarget::new(&problem).map(|target| target.readings())
    };
    let category = with(Finding::category("stable").unwrap());
    refused!(category, CalibrationError::UnsupportedFinding { .. }, "tumor_volume", "day 8");
    let mass = with(Finding::measured(Quantity::new(3.0, "mg").unwrap()));
    refused!(mass, CalibrationError::Simulation { .. }, "mg", "mm3");
    assert_eq!(with(Finding::measured(Quantity::new(0.2, "cm3").unwrap())).unwrap(), 2);
    let problem = Problem::new(&model, &model_free(), &prior, Observable::PSA, &error).map(|problem| {
        let unknown = LnTarget::new(&problem).map(|_| ());
        refused!(unknown, CalibrationError::Simulation { .. }, "psa", "tumor_volume");
    });
    assert!(problem.is_ok());
}

/// A patient with a PSA, which no growth law has.
fn model_free() -> Patient {
    patient([(Time::ORIGIN, Event::Observation(Observation::number(Observable::PSA, 4.0, "ng/mL").unwrap()))])
}

#[test]
fn a_prior_over_unknown_or_ambiguous_parameters_is_refused() {
    let (model, patient, error) = (growth::exponential(), growing(), LogError::new(0.1, 0.0));
    let log_normal = Marginal::LogNormal { median: 0.03, sd: 0.7 };
    let typo = IndependentPrior::new([("growth_rat", log_normal)]).unwrap();
    let problem = Problem::new(&model, &patient, &typo, Observable::TUMOR_VOLUME, &error).unwrap();
    refused!(LnTarget::new(&problem), CalibrationError::UnknownParameter { .. }, "growth_rat", "growth_rate", "log_error");
    let of_error = IndependentPrior::new([("log_error", log_normal)]).unwrap();
    let twice = Problem::new(&model, &patient, &of_error, Observable::TUMOR_VOLUME, &error).unwrap();
    let twice = twice.and(Observable::TUMOR_VOLUME, &error);
    refused!(LnTarget::new(&twice), CalibrationError::AmbiguousParameter { .. }, "log_error");
    let doubled = IndependentPrior::new([("growth_rate", log_normal), ("growth_rate", log_normal)]);
    refused!(doubled, CalibrationError::Prior { .. }, "growth_rate", "twice");
}

#[test]
fn a_weight_out_of_range_is_refused() {
    let (model, patient, prior, error) = (growth::exponential(), growing(), prior(), LogError::new(0.1, 0.0));
    for bad in [0.0, -0.1, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY] {
        let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap().weighted(bad);
        refused!(LnTarget::new(&problem), CalibrationError::Setting { .. }, "weight", &bad.to_string(), "above 0 and at most 1");
    }
    let tiny = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap().weighted(f64::MIN_POSITIVE);
    assert!(LnTarget::new(&tiny).is_ok());
}

#[test]
fn distributions_with_impossible_numbers_are_refused() {
    for bad in [
        Marginal::Normal { mean: f64::NAN, sd: 1.0 },
        Marginal::Normal { mean: 0.0, sd: 0.0 },
        Marginal::Normal { mean: 0.0, sd: f64::INFINITY },
        Marginal::LogNormal { median: 0.0, sd: 1.0 },
        Marginal::LogNormal { median: 1.0, sd: -1.0 },
        Marginal::Uniform { low: 1.0, high: 1.0 },
        Marginal::Uniform { low: f64::NEG_INFINITY, high: 1.0 },
        Marginal::LogUniform { low: 0.0, high: 1.0 },
        Marginal::LogUniform { low: 1.0, high: f64::NAN },
        Marginal::LogitNormal { low: 0.0, high: 1.0, median: 1.0, sd: 1.0 },
    ] {
        let prior = IndependentPrior::new([("kill", bad)]);
        refused!(prior, CalibrationError::Prior { .. }, "prior of kill", "is not a distribution");
    }
}

#[test]
fn a_covariance_that_is_none_is_refused() {
    let names = || vec!["growth_rate".to_owned(), "initial_volume".to_owned()];
    let population = |covariance: &[f64]| PopulationPrior::new(names(), vec![Transform::Log; 2], vec![0.0; 2], covariance);
    assert!(population(&[1.0, 0.5, 0.5, 1.0]).is_ok());
    for bad in [[1.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0], [-1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]] {
        refused!(population(&bad), CalibrationError::Prior { .. }, "growth_rate, initial_volume", "positive definite");
    }
    refused!(population(&[1.0, f64::NAN, f64::NAN, 1.0]), CalibrationError::Prior { .. }, "finite");
    refused!(population(&[1.0]), CalibrationError::Prior { .. }, "2 names", "4 covariances");
    let few = PopulationPrior::from_individuals(names(), vec![Transform::Log; 2], &[vec![0.1, 100.0]], 0.0);
    refused!(few, CalibrationError::Prior { .. }, "1 individuals");
    let outside = [vec![-0.1, 100.0], vec![0.2, 90.0], vec![0.3, 80.0]];
    let outside = PopulationPrior::from_individuals(names(), vec![Transform::Log; 2], &outside, 0.0);
    refused!(outside, CalibrationError::Prior { .. }, "finite");
}

// ---- trials ----

fn trial(cohort: Vec<VirtualPatient>) -> Trial {
    Trial::new(Arc::new(clones::sensitive_resistant(drug())), FromList(cohort), 1)
        .arm("continuous", Continuous { agent: drug() })
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .measure(Observable::TUMOR_BURDEN)
        .visits(Span::WEEK, Span::from_days(70.0).unwrap())
}

fn someone() -> VirtualPatient {
    VirtualPatient::new(clones::sensitive_resistant(drug()).spec().defaults().unwrap())
}

#[test]
fn an_empty_cohort_is_refused() {
    match run(&trial(vec![])) {
        Err(TrialError::TooManyFailures { failed: 1, of: 1, source }) => {
            refused!(Err::<(), _>(*source), TrialError::EmptyCohort, "no patients");
        }
        other => panic!("{other:?}"),
    }
    refused!(course(&trial(vec![]), "continuous", 0), TrialError::EmptyCohort, "no patients");
    refused!(
        run(&Trial { size: 0, ..trial(vec![someone()]) }),
        TrialError::Design { .. },
        "number of virtual patients",
        "at least 1"
    );
}

#[test]
fn one_patient_is_a_cohort() {
    let report = run(&trial(vec![someone()])).unwrap();
    assert_eq!((report.size, report.failures.len(), report.stopped), (1, 0, false));
    assert_eq!(report.arms[0].outcomes.len(), 1);
    assert_eq!(course(&trial(vec![someone()]), "continuous", 0).unwrap().visits.len(), 11);
}

#[test]
fn designs_that_cannot_be_run_are_refused_by_their_part() {
    let with = |change: &dyn Fn(&mut Trial)| {
        let mut trial = trial(vec![someone()]);
        change(&mut trial);
        run(&trial)
    };
    refused!(with(&|trial| trial.horizon = Span::ZERO), TrialError::Design { .. }, "horizon", "longer than nothing");
    refused!(with(&|trial| trial.visit_interval = Span::ZERO), TrialError::Design { .. }, "visit interval", "longer than nothing");
    refused!(with(&|trial| trial.horizon = -Span::DAY), TrialError::Design { .. }, "horizon");
    let tiny = Span::from_days(f64::MIN_POSITIVE).unwrap();
    refused!(with(&|trial| trial.visit_interval = tiny), TrialError::Design { .. }, "number of visits", "a million");
    refused!(with(&|trial| trial.arms.clear()), TrialError::Design { .. }, "arms", "not empty");
    refused!(with(&|trial| trial.endpoints.clear()), TrialError::Design { .. }, "endpoints", "not empty");
    refused!(with(&|trial| trial.arms.push(trial.arms[0].clone())), TrialError::DuplicateArm { .. }, "continuous");
    for bad in [f64::NAN, -0.1, 1.5] {
        refused!(with(&|trial| trial.tolerated_failures = bad), TrialError::Design { .. }, "tolerated failures", "between 0 and 1");
    }
    let volume = trial(vec![someone()]).measure(Observable::TUMOR_VOLUME);
    refused!(run(&volume), TrialError::Simulation(_), "tumor_volume", "tumor_burden");
    refused!(course(&trial(vec![someone()]), "adaptive", 0), TrialError::UnknownName { .. }, "adaptive", "continuous");
    let report = run(&trial(vec![someone()])).unwrap();
    refused!(report.outcomes("continuous", "survival"), TrialError::UnknownName { .. }, "survival", "time to progression");
}

#[test]
fn a_past_that_is_out_of_order_is_refused_with_its_place() {
    let with = |change: &dyn Fn(&mut VirtualPatient)| {
        let mut patient = someone();
        (patient.start, patient.since) = (day(-100.0), day(0.0));
        change(&mut patient);
        course(&trial(vec![patient]), "continuous", 0)
    };
    let given = |days: &[f64]| days.iter().map(|days| TimedTreatment::new(day(*days), Treatment::on(drug()))).collect();
    let seen = |unit: &str| (day(-10.0), Observation::number(Observable::PSA, 20.0, unit).unwrap());
    assert!(with(&|_| ()).is_ok());
    refused!(with(&|p| p.past_treatments = given(&[-50.0, -60.0])), TrialError::PastOrder { .. }, "number 1", "day -60");
    refused!(with(&|p| p.past_treatments = given(&[-150.0])), TrialError::PastOrder { .. }, "number 0", "day -150", "day -100");
    refused!(with(&|p| p.past_treatments = given(&[1.0])), TrialError::PastOrder { .. }, "number 0", "day 1", "day 0");
    refused!(with(&|p| p.past_observations = Arc::from([seen("mg/L"), seen("mm")])), TrialError::Core(_), "mm", "ng/mL");
    refused!(course(&trial(vec![someone()]), "continuous", 1), TrialError::NoSuchPatient { .. }, "patient 1", "has 1");
}

/// An endpoint that comes to a number that is none.
struct Nothing;

impl Endpoint for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn assess(&self, _: &Course) -> Outcome {
        Outcome::Value(f64::NAN)
    }
}

#[test]
fn an_outcome_that_is_not_finite_fails_its_course() {
    refused!(run(&trial(vec![someone()]).endpoint(Nothing)), TrialError::TooManyFailures { .. }, "outcome number 1", "NaN");
}

#[test]
fn a_policy_whose_treatment_is_not_understood_fails_with_the_day() {
    let docetaxel = Agent::new("docetaxel").unwrap();
    let trial = Trial { arms: vec![], ..trial(vec![someone()]) }.arm("other", Continuous { agent: docetaxel });
    refused!(run(&trial), TrialError::TooManyFailures { .. }, "docetaxel", "day 0", "continuous abiraterone");
}

// ---- any number whatever ----

fn special() -> impl Strategy<Value = f64> {
    let specials = vec![
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        f64::MIN_POSITIVE,
        f64::MIN_POSITIVE / 8.0,
        f64::from_bits(1),
        -f64::from_bits(1),
        1e308,
        -1e308,
        f64::MAX,
        f64::MIN,
        1e9,
        1e9 + 1.0,
        -1.0,
        1.0,
        1.0 + f64::EPSILON,
        100.0,
    ];
    prop_oneof![3 => select(specials), 1 => any::<f64>(), 1 => -2.0..2.0_f64]
}

/// Every dose, rate and duration of a treatment.
fn numbers(treatment: &Treatment) -> Vec<f64> {
    match treatment {
        Treatment::Fraction(fraction) => vec![fraction.dose.gray()],
        Treatment::Bolus { dose, .. } | Treatment::Oral { dose, .. } => vec![dose.value()],
        Treatment::Infusion { dose, duration, .. } => vec![dose.value(), duration.days()],
        Treatment::Continuous { intensity, .. } => vec![intensity.value()],
        Treatment::Surgery { extent, .. } => vec![extent.value()],
        other => panic!("{other}"),
    }
}

fn sound(treatment: &Treatment) -> bool {
    numbers(treatment).into_iter().all(|number| number.is_finite() && number >= 0.0)
}

/// Treatments whose every number is any number, as far as they are accepted.
fn treatments(a: f64, b: f64) -> Vec<Treatment> {
    let (dose, target) = (|| Quantity::new(a, "mg"), || Target::new("ptv").unwrap());
    let made = [
        AbsorbedDose::from_gray(a).map(|dose| Treatment::fraction(dose, target())),
        AbsorbedDose::from_centigray(b).map(|dose| Treatment::fraction(dose, target())),
        dose().and_then(|dose| Treatment::bolus(drug(), dose)),
        dose().and_then(|dose| Treatment::oral(drug(), dose)),
        dose().and_then(|dose| Treatment::infusion(drug(), dose, Span::from_hours(b)?)),
        Proportion::new(a).map(|extent| Treatment::surgery(target(), extent)),
        Proportion::from_percent(b).map(|intensity| Treatment::Continuous { agent: drug(), intensity }),
    ];
    made.into_iter().flatten().collect()
}

fn span(days: f64) -> Span {
    Span::from_days(days).unwrap_or(Span::DAY)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_and_spans_are_finite(x in special()) {
        prop_assert_eq!(Time::from_days(x).is_ok(), x.abs() <= 1e9);
        prop_assert_eq!(Time::try_from(x).is_ok(), x.abs() <= 1e9);
        let spans = [Span::from_days(x), Span::from_hours(x), Span::from_weeks(x), Span::from_months(x), Span::from_years(x)];
        prop_assert!(spans.iter().flatten().all(|span| span.days().is_finite() && (Time::ORIGIN + *span).days().is_finite()));
        prop_assert!(x.is_finite() || spans.iter().all(Result::is_err));
    }

    #[test]
    fn quantities_doses_and_proportions_are_finite(x in special()) {
        prop_assert_eq!(Quantity::new(x, "mg").is_ok(), x.is_finite());
        for unit in ["g", "kg", "ng", "ug/L"] {
            let converted = Quantity::new(x, "mg").and_then(|quantity| quantity.value_in(unit));
            prop_assert!(converted.map_or(true, f64::is_finite));
        }
        prop_assert_eq!(AbsorbedDose::from_gray(x).is_ok(), x.is_finite() && x >= 0.0);
        prop_assert!(AbsorbedDose::from_centigray(x).map_or(true, |dose| dose.gray().is_finite() && dose.gray() >= 0.0));
        prop_assert_eq!(Proportion::new(x).is_ok(), (0.0..=1.0).contains(&x));
        prop_assert!(Proportion::from_percent(x).map_or(true, |share| (0.0..=1.0).contains(&share.value())));
    }

    #[test]
    fn treatments_are_finite_and_never_negative(a in special(), b in special(), factor in special()) {
        for treatment in treatments(a, b) {
            prop_assert!(sound(&treatment), "{treatment}");
            let scaled = treatment.scaled(factor);
            let surgery = matches!(treatment, Treatment::Surgery { .. }); // it is left as it is, and takes any factor
            prop_assert!(surgery || scaled.is_err() || (factor.is_finite() && factor >= 0.0), "{treatment} times {factor}");
            prop_assert!(scaled.as_ref().map_or(true, sound), "{scaled:?}");
            let written = serde_json::to_string(&treatment).unwrap();
            prop_assert_eq!(serde_json::from_str::<Treatment>(&written).unwrap(), treatment);
        }
    }

    #[test]
    fn fields_are_finite(a in special(), b in special(), n in 0..4_usize) {
        let field = ScalarField::new([n, 1, 1], [a, 1.0, 2.0], Unit::dimensionless(), vec![b; n]);
        prop_assert_eq!(field.is_ok(), n > 0 && a.is_finite() && a > 0.0 && b.is_finite());
        let huge = [usize::MAX, n, usize::MAX];
        prop_assert!(ScalarField::new(huge, [1.0; 3], Unit::dimensionless(), vec![b; n]).is_err());
    }

    #[test]
    fn observations_are_finite(x in special(), error in special()) {
        prop_assert_eq!(Observation::number(Observable::PSA, x, "ng/mL").is_ok(), x.is_finite());
        let measured = Finding::measured_with_error(Quantity::new(1.0, "ng/mL").unwrap(), error);
        prop_assert_eq!(measured.is_ok(), error.is_finite() && error >= 0.0);
    }

    #[test]
    fn regimens_expand_to_sound_treatments_or_not_at_all(
        a in special(), b in special(), factor in special(), count in select(vec![0, 1, 2, 5, u32::MAX]), day in select(vec![0, 1, 3, 7, u32::MAX]),
    ) {
        for treatment in treatments(a, b) {
            let plans = [
                Regimen::give(treatment.clone()).every_days(day).times(count).from_administration(2, factor),
                Regimen::give(treatment.clone()).on_days([1, day]).of(day).cycles(count).from_cycle(2, factor),
                Regimen::give(treatment.clone()).on_weekdays(Weekday::Friday).times(count).scaled(factor),
                Regimen::give(treatment.clone()).daily().times(count).delayed(span(a)).paused(span(b), span(a)),
                Regimen::give(treatment.clone()).daily().times(count).skipped(span(a), span(b)).twice_daily(span(b)),
                Regimen::give(treatment.clone()).daily().times(count).times_daily(count, span(a)),
                Regimen::give(treatment.clone()).boosted_from(day, treatment.clone()).switched_from(count, treatment.clone()),
                Regimen::continuous(drug(), [Phase::on(span(a)), Phase::off(span(b))]).cycles(count).scaled(factor),
            ];
            for plan in plans {
                for start in [Time::ORIGIN, Time::from_days(1e9).unwrap()] {
                    if let Ok(given) = plan.starting(start) {
                        prop_assert!(given.iter().all(|timed| timed.time.days().is_finite() && sound(&timed.treatment)));
                        prop_assert!(given.windows(2).all(|pair| pair[0].time <= pair[1].time));
                        prop_assert_eq!(plan.starting(start), Ok(given));
                    }
                }
            }
        }
    }

    #[test]
    fn parameters_are_finite_and_in_range(x in special(), place in 0..8_usize) {
        let model = clones::sensitive_resistant(drug());
        let defaults = model.spec().defaults().unwrap();
        let Some(spec) = model.spec().parameters.get(place) else {
            prop_assert!(defaults.clone().set(place, x).is_err());
            return Ok(());
        };
        let set = defaults.clone().with(&spec.name, x);
        prop_assert_eq!(set.is_ok(), (spec.low..=spec.high).contains(&x), "{} = {}", spec.name, x);
        if let Ok(set) = set {
            prop_assert_eq!(set.get(&spec.name).unwrap().to_bits(), x.to_bits());
            let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::ORIGIN, Time::from_days(30.0).unwrap()]);
            let lived = simulate(&model, &set, &scenario, &mut Random::new(1)).unwrap();
            prop_assert!(lived.values.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn courses_take_any_dose_or_say_why_not(a in special(), b in special(), start in special()) {
        let model = clones::sensitive_resistant(drug());
        let Ok(start) = Time::from_days(start) else { return Ok(()) };
        let defaults = model.spec().defaults().unwrap();
        for treatment in treatments(a, b) {
            let mut simulation = model.start(&defaults, start, &mut Random::new(1)).unwrap();
            let understood = matches!(treatment, Treatment::Continuous { .. });
            prop_assert_eq!(simulation.treat(&treatment).is_ok(), understood);
            prop_assert!(simulation.advance(start + Span::WEEK).is_ok());
            let mut y = [f64::NAN; 2];
            simulation.observe(&mut y);
            prop_assert!(y.iter().all(|value| value.is_finite()));
        }
    }
}
