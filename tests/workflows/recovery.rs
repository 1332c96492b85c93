//! Intervals hold what they promise: patients drawn from a prior, their data made by another integrator, calibrated under that prior.
//!
//! The data come from the classical Runge-Kutta method at a fixed step, in the volumes and cell numbers themselves, not in the
//! logarithms that the library integrates: no error of the one can hide behind the same error of the other.
#![allow(clippy::unwrap_used)]

use rayon::prelude::*;
use twin_calibrate::sample::Ensemble;
use twin_calibrate::{Calibrator, IndependentPrior, LogError, Marginal, Prior, Problem, Sampled, Sampler, Search};
use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time, Treatment};
use twin_models::{Model, clones, growth};

/// Patients for each model.
const PATIENTS: u64 = 20;
/// The standard deviation of the logarithm of every reading.
const SCATTER: f64 = 0.1;
/// Steps of the integrator of the truth per day.
const STEPS: u32 = 16;

/// One day of `rates` by the classical Runge-Kutta method.
fn one_day<const N: usize>(mut x: [f64; N], rates: impl Fn([f64; N]) -> [f64; N]) -> [f64; N] {
    let h = 1.0 / f64::from(STEPS);
    let shift = |x: [f64; N], k: [f64; N], h: f64| std::array::from_fn(|i| x[i] + h * k[i]);
    for _ in 0..STEPS {
        let k1 = rates(x);
        let k2 = rates(shift(x, k1, 0.5 * h));
        let k3 = rates(shift(x, k2, 0.5 * h));
        let k4 = rates(shift(x, k3, h));
        x = std::array::from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
    }
    x
}

/// A patient who is seen on the `days`, where the truth is `values`.
fn patient(index: u64, observable: &Observable, unit: &str, seen: &[(u32, f64)], random: &mut Random) -> Patient {
    let nobody = Patient::new(SubjectId::new(format!("patient {index}")).unwrap());
    seen.iter().fold(nobody, |patient, &(day, value)| {
        let value = value * (SCATTER * random.normal()).exp();
        let event = Event::Observation(Observation::number(observable.clone(), value, unit).unwrap());
        patient.with(Time::from_days(f64::from(day)).unwrap(), event, Provenance::measured("made up"))
    })
}

fn method() -> Sampled {
    Sampled {
        search: Search { starts: 6, ..Search::default() },
        sampler: Sampler::Ensemble(Ensemble { groups: 4, walkers: 12, warmup: 300, draws: 200, ..Ensemble::default() }),
        rounds: 2,
        ..Sampled::default()
    }
}

/// How many of the 90 % intervals hold the truth, by parameter.
fn coverage(
    model: &dyn Model,
    observable: &Observable,
    prior: &IndependentPrior,
    live: impl Fn(u64, &[f64], &mut Random) -> Patient + Sync,
) -> Vec<usize> {
    let (root, error) = (Random::new(20), LogError::new(SCATTER, 0.0));
    let one = |index: u64| -> Vec<bool> {
        let random = root.stream(index);
        let truth = prior.sample(&mut random.stream(0));
        let patient = live(index, &truth, &mut random.stream(1));
        let problem = Problem::new(model, &patient, prior, observable.clone(), &error).unwrap();
        let posterior = method().calibrate(&problem, &mut random.stream(2)).unwrap();
        let held = |(name, truth): (&String, &f64)| {
            let [low, high] = posterior.quantiles(name, [0.05, 0.95]).unwrap();
            low < *truth && *truth < high
        };
        prior.names().iter().zip(&truth).map(held).collect()
    };
    let held: Vec<Vec<bool>> = (0..PATIENTS).into_par_iter().map(one).collect();
    (0..prior.dimension()).map(|place| held.iter().filter(|patient| patient[place]).count()).collect()
}

/// Pooled, the share must be near 0.9; for each parameter alone fewer than 13 of 20 or a whole twenty of every one would be odd
/// (the chance of fewer than 13 is 4e-4).
fn assert_calibrated(model: &str, counts: &[usize]) {
    let pooled = counts.iter().sum::<usize>() as f64 / (counts.len() as f64 * PATIENTS as f64);
    assert!((0.8..=0.97).contains(&pooled), "{model}: {pooled} of the 90 % intervals hold the truth; by parameter {counts:?}");
    assert!(counts.iter().all(|count| *count >= 13), "{model}: {counts:?} of {PATIENTS}");
}

#[test]
fn gompertz_intervals_hold_the_truth_as_often_as_they_say() {
    let prior = IndependentPrior::new([
        ("decay_rate", Marginal::LogNormal { median: 0.02, sd: 0.3 }),
        ("carrying_capacity", Marginal::LogNormal { median: 2e4, sd: 0.5 }),
        ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.4 }),
    ])
    .unwrap();
    let counts = coverage(&growth::gompertz(), &Observable::TUMOR_VOLUME, &prior, |index, truth, random| {
        let [decay, capacity, initial] = *truth else { return Patient::new(SubjectId::new("nobody").unwrap()) };
        let (mut x, mut seen) = ([initial], Vec::new());
        for day in 0..=150 {
            if day % 10 == 0 {
                seen.push((day, x[0]));
            }
            x = one_day(x, |[v]| [decay * v * (capacity / v).ln()]);
        }
        patient(index, &Observable::TUMOR_VOLUME, "mm3", &seen, random)
    });
    assert_calibrated("gompertz", &counts);
}

#[test]
fn sensitive_resistant_intervals_hold_the_truth_as_often_as_they_say() {
    let drug = Agent::new("abiraterone").unwrap();
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.3 }),
        ("kill", Marginal::LogNormal { median: 1.8, sd: 0.15 }),
        ("initial_burden", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.5, sd: 0.6 }),
        ("initial_resistance", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.02, sd: 0.7 }),
    ])
    .unwrap();
    let counts = coverage(&clones::sensitive_resistant(drug.clone()), &Observable::PSA, &prior, |index, truth, random| {
        let [growth, kill, burden, resistance] = *truth else { return Patient::new(SubjectId::new("nobody").unwrap()) };
        let on = |day: u32| (day / 60).is_multiple_of(2); // two months on, two months off
        let (mut x, mut seen) = ([burden * (1.0 - resistance), burden * resistance], Vec::new());
        for day in 0..=480 {
            if day % 20 == 0 {
                seen.push((day, 20.0 * (x[0] + x[1]) / burden)); // before the treatment of the day
            }
            let killed = if on(day) { kill } else { 0.0 };
            x = one_day(x, |[s, r]| [growth * (1.0 - s - r) * (1.0 - killed) * s, growth * (1.0 - s - r) * r]);
        }
        (0..8).fold(patient(index, &Observable::PSA, "ng/mL", &seen, random), |patient, period: u32| {
            let switch = if on(60 * period) { Treatment::on(drug.clone()) } else { Treatment::off(drug.clone()) };
            let time = Time::from_days(f64::from(60 * period)).unwrap();
            patient.with(time, Event::Treatment(switch), Provenance::reported("made up"))
        })
    });
    assert_calibrated("sensitive_resistant", &counts);
}
