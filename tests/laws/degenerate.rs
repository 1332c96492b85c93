//! Data that tell little, or that contradict each other, under every calibrator and updater: a typed outcome in bounded time, that says what was not learned.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};
use twin_calibrate::identifiability::contractions;
use twin_calibrate::living::{Assumptions, EnsembleSmoother, Monitor, Particles, Twin, Unscented, Updater};
use twin_calibrate::population::{Population, RandomEffect, Saem};
use twin_calibrate::sample::{AdaptiveMetropolis, Ensemble, Nuts};
use twin_calibrate::{
    CalibrationError, Calibrator, IndependentPrior, Laplace, LogError, Marginal, Posterior, Sampled, Sampler, Search, Tempered,
};
use twin_core::{Event, Finding, Observable, Observation, Patient, Provenance, Quantity, Random, SubjectId, Time};
use twin_models::{Model, growth};

/// Longer than any of these takes, and much shorter than for ever.
const PATIENCE: Duration = Duration::from_secs(60);

type Case = (&'static str, Vec<(f64, Finding)>);

fn volume(value: f64) -> Finding {
    Finding::measured(Quantity::new(value, "mm3").unwrap())
}

fn cases() -> Vec<Case> {
    let days = [0.0, 7.0, 14.0, 21.0];
    let below = |day: f64| (day, Finding::Below(Quantity::new(20.0, "mm3").unwrap()));
    vec![
        ("nothing", vec![]),
        ("one point", vec![(0.0, volume(100.0))]),
        ("no change", days.map(|day| (day, volume(100.0))).to_vec()),
        ("all censored", days.map(below).to_vec()),
        ("contradictory", vec![(0.0, volume(100.0)), (7.0, volume(30.0)), (7.0, volume(3000.0)), (14.0, volume(120.0))]),
        ("outlier", vec![(0.0, volume(100.0)), (7.0, volume(120.0)), (14.0, volume(150_000.0)), (21.0, volume(180.0))]),
    ]
}

fn patient(readings: &[(f64, Finding)]) -> Patient {
    let mut patient = Patient::new(SubjectId::new("degenerate").unwrap());
    for (day, finding) in readings {
        let seen = Event::Observation(Observation::new(Observable::TUMOR_VOLUME, finding.clone()));
        patient.timeline.record(Time::from_days(*day).unwrap(), seen, Provenance::measured("test"));
    }
    patient
}

fn assumptions() -> Assumptions {
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 }),
        ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.5 }),
    ]);
    let error = Arc::new(LogError::new(0.15, 0.0));
    let (model, prior) = (Arc::new(growth::exponential()), Arc::new(prior.unwrap()));
    Assumptions::new(model, prior, Observable::TUMOR_VOLUME, error, Time::ORIGIN).unwrap()
}

fn calibrators() -> Vec<(&'static str, Box<dyn Calibrator>)> {
    let search = Search { starts: 4, polished: 1, ..Search::default() };
    let sampled = |sampler| Box::new(Sampled { search: search.clone(), sampler, rounds: 2, ..Sampled::default() });
    let ensemble = Ensemble { groups: 2, walkers: 10, warmup: 150, draws: 100, ..Ensemble::default() };
    let metropolis = AdaptiveMetropolis { warmup: 800, draws: 800, ..AdaptiveMetropolis::default() };
    let nuts = Nuts { warmup: 200, draws: 200, ..Nuts::default() };
    vec![
        ("ensemble", sampled(Sampler::Ensemble(ensemble))),
        ("metropolis", sampled(Sampler::Chains(2, metropolis))),
        ("nuts", sampled(Sampler::Nuts(2, nuts))),
        ("laplace", Box::new(Laplace { search: search.clone(), draws: 400, ..Laplace::default() })),
        ("tempered", Box::new(Tempered { islands: 2, particles: 150, sweeps: 20, ..Tempered::default() })),
        ("smoother", Box::new(EnsembleSmoother { members: 200, ..EnsembleSmoother::default() })),
        ("unscented", Box::new(Unscented::default())),
    ]
}

/// Holds an outcome to the law; whether the growth rate was learned, if there is a posterior.
fn judge(case: &str, method: &str, outcome: Result<Posterior, CalibrationError>) -> Option<bool> {
    let posterior = match outcome {
        Ok(posterior) => posterior,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(case != "one point" && case != "no change", "{method} on {case}: {error}");
            return None;
        }
    };
    assert!(posterior.count() > 0 && posterior.draws().flatten().all(|x| x.is_finite()), "{method} on {case}");
    assert!(posterior.ln_densities().iter().all(|density| density.is_finite()), "{method} on {case}");
    let learned = contractions(assumptions().prior.as_ref(), &posterior, &Random::new(1)).unwrap();
    assert!(learned.iter().all(|one| one.spread.is_finite() && one.shift.is_finite()), "{method} on {case}: {learned:?}");
    let rate = &learned[0];
    match case {
        "one point" => assert!(rate.spread > 0.7 && rate.shift.abs() < 0.2, "{method}: {learned:?}"),
        // A tumor that does not change grows more slowly than most.
        "no change" => assert!(rate.spread < 0.95 && rate.shift < -0.15, "{method}: {learned:?}"),
        _ => {}
    }
    Some(rate.is_learned())
}

#[test]
fn calibrators_say_what_was_not_learned() {
    let assumptions = assumptions();
    for (case, readings) in cases() {
        let patient = patient(&readings);
        for (method, calibrator) in calibrators() {
            let start = Instant::now();
            let outcome = calibrator.calibrate(&assumptions.problem(&patient), &mut Random::new(7));
            assert!(start.elapsed() < PATIENCE, "{method} on {case} took {:?}", start.elapsed());
            if case == "nothing" {
                assert!(matches!(outcome, Err(CalibrationError::NoObservations { .. })), "{method}: {outcome:?}");
                continue;
            }
            judge(case, method, outcome);
        }
    }
}

#[test]
fn twins_follow_or_refuse_and_the_monitor_says_what_the_model_cannot_explain() {
    let updaters: Vec<(&str, Box<dyn Updater>)> = vec![
        ("particles", Box::new(Particles { count: 300, ..Particles::default() })),
        ("smoother", Box::new(EnsembleSmoother { members: 300, ..EnsembleSmoother::default() })),
        ("unscented", Box::new(Unscented { draws: 300, ..Unscented::default() })),
    ];
    for (case, readings) in cases() {
        for (method, updater) in &updaters {
            let mut random = Random::new(8);
            let start = Instant::now();
            let begun = Twin::unseen(assumptions(), patient(&[]), 300, &mut random).unwrap();
            let follow = |twin: Twin, (day, finding): &(f64, Finding)| {
                let seen = Event::Observation(Observation::new(Observable::TUMOR_VOLUME, finding.clone()));
                twin.update(Time::from_days(*day).unwrap(), seen, Provenance::measured("test"), updater.as_ref(), &mut random)
            };
            let outcome = readings.iter().try_fold(begun, follow);
            assert!(start.elapsed() < PATIENCE, "{method} on {case} took {:?}", start.elapsed());
            let twin = match outcome {
                Ok(twin) => twin,
                // Only readings that the former draws cannot explain may end a twin.
                Err(error) => {
                    assert!(["all censored", "contradictory", "outlier"].contains(&case), "{method} on {case}: {error}");
                    assert!(!error.to_string().is_empty());
                    continue;
                }
            };
            assert!(twin.posterior().draws().flatten().all(|x| x.is_finite()), "{method} on {case}");
            let verdict = Monitor::default().judge(&twin).unwrap();
            match case {
                "contradictory" | "outlier" => assert!(!verdict.explained, "{method} on {case}: {verdict:?}"),
                "one point" | "no change" => assert!(verdict.explained, "{method} on {case}: {verdict:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn populations_end_with_a_fit_or_a_reason() {
    let (model, error) = (growth::exponential(), LogError::new(0.3, 0.0));
    for (case, readings) in cases() {
        let patients: Vec<Patient> = (0..6).map(|_| patient(&readings)).collect();
        let population = Population {
            model: &model,
            base: model.spec().defaults().unwrap(),
            patients: &patients,
            effects: vec![
                RandomEffect::log_normal("growth_rate", 0.03, 0.5),
                RandomEffect::log_normal("initial_volume", 100.0, 0.5),
            ],
            errors: vec![(Observable::TUMOR_VOLUME, &error)],
            covariates: Vec::new(),
            estimated: vec!["log_error".to_owned()],
            start: Time::ORIGIN,
        };
        let start = Instant::now();
        let saem = Saem { exploring: 60, averaging: 40, chains: 12, samples: 200, ..Saem::default() };
        let outcome = saem.fit(&population, &mut Random::new(9), &());
        assert!(start.elapsed() < PATIENCE, "{case} took {:?}", start.elapsed());
        match outcome {
            Ok(fit) => {
                assert!(fit.mean.iter().chain(&fit.covariance).all(|value| value.is_finite()), "{case}: {fit:?}");
                assert!(case != "nothing");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
