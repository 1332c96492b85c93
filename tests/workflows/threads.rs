//! The same bits at any number of threads and in any order of patients; what stops a trial, and what fails it.
#![allow(clippy::unwrap_used, clippy::panic)]

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use twin_calibrate::sample::{AdaptiveMetropolis, Ensemble};
use twin_calibrate::{
    Calibrator, Flow, IndependentPrior, LogError, Marginal, Posterior, Problem, Progress, Sampled, Sampler, Search,
};
use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, Random, Span, SubjectId, Time, Treatment};
use twin_models::{Model, ModelSpec, Parameters, Simulation, SimulationError, clones, growth};
use twin_trials::{
    Adaptive, Continuous, FromPrior, Intermittent, Outcome, TimeOffDrug, TimeToProgression, Trial, TrialError, TrialReport,
    ValueAt, course, run, run_observed,
};

const THREADS: [usize; 3] = [1, 2, 7];

fn drug() -> Agent {
    Agent::new("abiraterone").unwrap()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn prior() -> IndependentPrior {
    IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.4 }),
        ("relative_fitness", Marginal::Uniform { low: 0.4, high: 1.0 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
        ("initial_psa", Marginal::LogNormal { median: 20.0, sd: 0.3 }),
        ("log_error", Marginal::LogNormal { median: 0.15, sd: 0.3 }),
    ])
    .unwrap()
}

fn trial(model: Arc<dyn Model>, size: usize) -> Trial {
    Trial::new(model.clone(), FromPrior::new(model, Arc::new(prior())), size)
        .arm("continuous", Continuous { agent: drug() })
        .arm("adaptive", Adaptive::half(drug(), Observable::PSA))
        .arm("intermittent", Intermittent::bruchovsky(drug()).unwrap())
        .measure_with(Observable::PSA, LogError::new(0.2, 0.1))
        .endpoint(TimeToProgression { truth: false, ..TimeToProgression::of(Observable::PSA, 1.2) })
        .endpoint(TimeOffDrug { agent: drug() })
        .endpoint(ValueAt { name: "burden".to_owned(), observable: Observable::TUMOR_BURDEN, day: 350.0 })
        .visits(Span::from_weeks(2.0).unwrap(), Span::from_days(700.0).unwrap())
        .seed(2024)
}

fn sixty() -> Trial {
    trial(Arc::new(clones::sensitive_resistant(drug())), 60)
}

fn written(report: &TrialReport) -> String {
    serde_json::to_string(report).unwrap()
}

#[test]
fn a_trial_gives_the_same_bytes_at_any_number_of_threads() {
    let reports = THREADS.map(|threads| written(&with_threads(threads, || run(&sixty())).unwrap()));
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]));
    assert_ne!(reports[0], written(&run(&sixty().seed(2025)).unwrap()), "the seed has no say");
    let back: TrialReport = serde_json::from_str(&reports[0]).unwrap();
    assert_eq!((back.size, back.failures.len(), back.arms.len()), (60, 0, 3));
    assert_eq!(written(&back), reports[0], "a report that is read and written again is another one");
    let report = run(&sixty()).unwrap();
    let mut days: Vec<_> =
        report.outcomes("adaptive", "share of time off drug").unwrap().iter().map(|outcome| format!("{outcome:?}")).collect();
    days.sort();
    days.dedup();
    assert!(days.len() > 10, "sixty patients who differ lead different lives: {days:?}");
}

#[test]
fn patients_in_any_order_are_those_of_the_trial() {
    let trial = sixty();
    let report = run(&trial).unwrap();
    let mut random = Random::new(5);
    let mut order: Vec<usize> = (0..60).collect();
    for last in (1..60).rev() {
        order.swap(last, random.below(last + 1));
    }
    assert!(order.windows(2).any(|pair| pair[0] > pair[1]));
    let arms: Vec<_> = report.arms.iter().rev().collect();
    for index in order {
        for arm in &arms {
            let lived = course(&trial, &arm.name, index).unwrap();
            let assessed: Vec<Outcome> = trial.endpoints.iter().map(|endpoint| endpoint.assess(&lived)).collect();
            assert_eq!(arm.outcomes[index].as_ref(), Some(&assessed), "patient {index} in arm {}", arm.name);
        }
    }
}

#[test]
fn more_patients_and_more_arms_leave_the_first_ones_as_they_are() {
    let few = run(&Trial { size: 11, ..sixty() }).unwrap();
    let all = run(&sixty()).unwrap();
    for (few, all) in few.arms.iter().zip(&all.arms) {
        assert_eq!(few.outcomes[..], all.outcomes[..11]);
    }
    let mut turned = sixty();
    turned.arms.reverse();
    let turned = run(&turned).unwrap();
    assert_eq!(turned.arms[0], all.arms[2]);
    assert_eq!(turned.arms[2], all.arms[0]);
}

fn patient() -> Patient {
    let (model, mut random) = (growth::gompertz().with_relative_tolerance(1e-11), Random::new(3));
    let parameters = model.spec().defaults().unwrap().with("decay_rate", 0.015).unwrap();
    let mut course = model.start(&parameters, Time::ORIGIN, &mut random).unwrap();
    let mut patient = Patient::new(SubjectId::new("threads").unwrap());
    for visit in 0..12 {
        let (time, mut y) = (Time::from_days(15.0 * f64::from(visit)).unwrap(), [0.0]);
        course.advance(time).unwrap();
        course.observe(&mut y);
        let seen = Observation::number(Observable::TUMOR_VOLUME, y[0] * (0.1 * random.normal()).exp(), "mm3").unwrap();
        patient.timeline.record(time, Event::Observation(seen), Provenance::measured("test"));
    }
    patient
}

#[test]
fn a_calibration_gives_the_same_bits_at_any_number_of_threads() {
    let (model, patient, error) = (growth::gompertz(), patient(), LogError::new(0.1, 0.0));
    let prior = IndependentPrior::new([
        ("decay_rate", Marginal::LogNormal { median: 0.02, sd: 0.5 }),
        ("carrying_capacity", Marginal::LogNormal { median: 2e4, sd: 0.7 }),
        ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.5 }),
        ("log_error", Marginal::LogNormal { median: 0.1, sd: 0.5 }),
    ])
    .unwrap();
    let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
    let bits = |posterior: &Posterior| -> (Vec<u64>, Vec<u64>) {
        let draws = posterior.draws().flatten().map(|value| value.to_bits()).collect();
        (draws, posterior.ln_densities().iter().map(|value| value.to_bits()).collect())
    };
    let ensemble = Ensemble { groups: 4, walkers: 10, warmup: 150, draws: 100, ..Ensemble::default() };
    let chains = AdaptiveMetropolis { warmup: 500, draws: 200, ..AdaptiveMetropolis::default() };
    for sampler in [Sampler::Ensemble(ensemble), Sampler::Chains(4, chains)] {
        let quick = Sampled { search: Search { starts: 4, ..Search::default() }, sampler, rounds: 2, ..Sampled::default() };
        let calibrate = |threads, seed| with_threads(threads, || quick.calibrate(&problem, &mut Random::new(seed)).unwrap());
        let posteriors = THREADS.map(|threads| calibrate(threads, 9));
        for posterior in &posteriors {
            assert_eq!(bits(posterior), bits(&posteriors[0]));
            assert_eq!(format!("{:?}", posterior.record), format!("{:?}", posteriors[0].record));
        }
        assert_ne!(bits(&calibrate(2, 10)), bits(&posteriors[0]), "the seed has no say");
        let [low, high] = posteriors[0].quantiles("decay_rate", [0.001, 0.999]).unwrap();
        assert!(low < 0.015 && 0.015 < high, "{low} to {high}");
    }
}

#[test]
fn a_trial_that_is_stopped_reports_its_first_patients() {
    let two_hundred = || Trial { size: 200, ..sixty() };
    let all = run(&two_hundred()).unwrap();
    for threads in THREADS {
        let told = AtomicUsize::new(0);
        let patience = |progress: &Progress| {
            assert_eq!((progress.stage, progress.total), ("trial", 200));
            told.fetch_add(1, Ordering::Relaxed);
            if progress.done < 100 { Flow::Continue } else { Flow::Stop }
        };
        let report = with_threads(threads, || run_observed(&two_hundred(), &patience)).unwrap();
        assert_eq!((report.stopped, report.size), (true, 128), "two groups of 64 at {threads} threads");
        for (arm, whole) in report.arms.iter().zip(&all.arms) {
            assert_eq!(arm.outcomes[..], whole.outcomes[..128]);
        }
        assert_eq!(told.into_inner(), 3);
    }
    assert!(!all.stopped);
    let at_once = run_observed(&sixty(), &|_: &Progress| Flow::Stop);
    assert!(matches!(at_once, Err(TrialError::Stopped)), "{at_once:?}");
}

#[test]
fn a_calibration_that_is_stopped_says_so() {
    let (model, patient, error) = (growth::exponential(), patient(), LogError::new(0.3, 0.0));
    let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 })]).unwrap();
    let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
    let sampled = Sampled::default();
    let calls = AtomicUsize::new(0);
    let patience = |progress: &Progress| {
        calls.fetch_add(1, Ordering::Relaxed);
        let drawing = progress.stage == "ensemble" && progress.done > 700;
        if drawing { Flow::Stop } else { Flow::Continue }
    };
    let posterior = sampled.calibrate_observed(&problem, &mut Random::new(1), &patience).unwrap();
    let whole = sampled.calibrate(&problem, &mut Random::new(1)).unwrap();
    assert!(calls.into_inner() > 0);
    assert!(posterior.count() < whole.count(), "{} of {}", posterior.count(), whole.count());
    assert!(posterior.record.stopped.contains("asked"), "{}", posterior.record.stopped);
    assert!(!whole.record.stopped.contains("asked"), "{}", whole.record.stopped);
}

/// The model of clones, but a course in which the drug is switched on fails if its growth rate is above a limit.
struct Fragile {
    inner: Arc<dyn Model>,
    limit: f64,
}

struct FragileCourse {
    inner: Box<dyn Simulation>,
    fails: bool,
}

impl Model for Fragile {
    fn spec(&self) -> &Arc<ModelSpec> {
        self.inner.spec()
    }

    fn start(&self, p: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        let fails = p.get("growth_rate")? > self.limit;
        Ok(Box::new(FragileCourse { inner: self.inner.start(p, at, random)?, fails }))
    }
}

impl Simulation for FragileCourse {
    fn now(&self) -> Time {
        self.inner.now()
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.inner.advance(to)
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        if self.fails {
            return Err(SimulationError::StepTooSmall {
                model: "fragile".to_owned(),
                state: "x".to_owned(),
                day: self.now().days(),
            });
        }
        self.inner.treat(treatment)
    }

    fn observe(&self, y: &mut [f64]) {
        self.inner.observe(y);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(Self { inner: self.inner.fork(), fails: self.fails })
    }
}

/// A trial in which the patient of the highest growth rate among sixty fails wherever the drug is given, and that patient's index.
fn fragile() -> (Trial, usize) {
    let model: Arc<dyn Model> = Arc::new(clones::sensitive_resistant(drug()));
    let trial = trial(model.clone(), 60);
    let rate = |index: usize| {
        let drawn = trial.cohort.draw(index, &mut Random::new(trial.seed).stream(index as u64).stream(0)).unwrap();
        drawn.parameters.get("growth_rate").unwrap()
    };
    let mut rates: Vec<(f64, usize)> = (0..60).map(|index| (rate(index), index)).collect();
    rates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let limit = 0.5 * (rates[0].0 + rates[1].0);
    (Trial { model: Arc::new(Fragile { inner: model, limit }), ..trial }, rates[0].1)
}

#[test]
fn failures_within_tolerance_are_counted_with_their_patient_and_arm() {
    let (mut trial, index) = fragile();
    trial.tolerated_failures = 0.02; // three of 180 are below that
    let report = run(&trial).unwrap();
    let sound = run(&sixty()).unwrap();
    assert!(!report.failures.is_empty() && report.failures.len() <= 3);
    for failure in &report.failures {
        assert_eq!(failure.patient, index);
        assert!(failure.error.contains("`fragile`") && failure.error.contains("day"), "{}", failure.error);
    }
    for (arm, sound) in report.arms.iter().zip(&sound.arms) {
        let failed = report.failures.iter().any(|failure| failure.arm.as_ref() == Some(&arm.name));
        assert_eq!(arm.outcomes[index].is_none(), failed, "{}", arm.name);
        for other in (0..60).filter(|other| *other != index) {
            assert_eq!(arm.outcomes[other], sound.outcomes[other], "a failure touched patient {other}");
        }
    }
    let bytes = THREADS.map(|threads| written(&with_threads(threads, || run(&trial)).unwrap()));
    assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn failures_above_tolerance_fail_the_trial_with_the_first_of_them() {
    let (mut trial, _) = fragile();
    trial.tolerated_failures = 0.001;
    for threads in THREADS {
        match with_threads(threads, || run(&trial)) {
            Err(TrialError::TooManyFailures { failed, of, source }) => {
                assert!((1..=3).contains(&failed) && of == 180);
                assert!(matches!(*source, TrialError::Simulation(SimulationError::StepTooSmall { .. })), "{source}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Paths of the four settings at which probabilities of resistance are held against their formula, and courses cell by cell.
fn resistant_paths() -> Vec<(bool, u64)> {
    let root = Random::new(20_240_601);
    let settings = [(1000, 1e-3, 0.0), (1000, 1e-3, 0.5), (2000, 1e-4, 0.5), (1000, 5e-4, 0.75)];
    let model = clones::BirthDeathMutation::new(&drug()).unwrap();
    let parameters = model.spec().defaults().unwrap();
    let path = |number: u64| {
        let mut random = root.stream(number);
        let (size, rate, ratio) = settings[number as usize % settings.len()];
        let resistant = clones::resistance_at_size(size, rate, ratio, &mut random).unwrap();
        let mut course = model.start(&parameters, Time::ORIGIN, &mut random).unwrap();
        course.advance(Time::from_days(5.0).unwrap()).unwrap();
        let mut seen = [0.0; 2];
        course.observe(&mut seen);
        (resistant, seen[0].to_bits() ^ seen[1].to_bits().rotate_left(1))
    };
    (0..200_u64).into_par_iter().map(path).collect()
}

#[test]
fn stochastic_resistance_takes_the_same_paths_at_any_number_of_threads() {
    let one = with_threads(1, resistant_paths);
    assert!(one.iter().any(|path| path.0) && one.iter().any(|path| !path.0));
    for threads in [2, 5] {
        assert_eq!(with_threads(threads, resistant_paths), one, "{threads} threads");
    }
}
