//! From a patient to a decision, with parts from outside at every seam.
#![allow(clippy::unwrap_used)]

use application::{GROUND_TRUTH, Importance, patient, prior, scatter, trial};
use twin_calibrate::{CalibrationError, Calibrator, Flow, IndependentPrior, Posterior, Prior, Problem, Progress, Sampled};

use twin_core::{Observable, Random, Time};
use twin_models::Model;
use twin_trials::{Outcome, TrialReport, course, run};

fn calibrated(method: &dyn Calibrator) -> Result<Posterior, CalibrationError> {
    let (patient, prior, error) = (patient(&mut Random::new(7)).unwrap(), prior()?, scatter());
    let model = method_developer::irradiated();
    let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error)?;
    method.calibrate(&problem, &mut Random::new(1))
}

fn holds_the_truth(posterior: &Posterior) {
    for (name, truth) in GROUND_TRUTH {
        let [low, high] = posterior.quantiles(name, [0.025, 0.975]).unwrap();
        assert!(low < truth && truth < high, "{name}: {truth} is not in {low} to {high}");
    }
}

#[test]
fn the_truth_lies_in_the_intervals() {
    let posterior = calibrated(&Sampled::default()).unwrap();
    holds_the_truth(&posterior);
    assert!(posterior.record.is_sound(), "{:?}", posterior.record.diagnosis);
    assert_eq!((posterior.record.readings, posterior.record.failures), (23, 0));
    let [low, high] = posterior.quantiles("initial_volume", [0.025, 0.975]).unwrap();
    assert!(high / low < 1.3, "23 volumes tell more than the prior did: {low} to {high}");
}

#[test]
fn a_method_from_outside_agrees_with_that_of_the_library() {
    // Draws from the prior seldom hit a narrow posterior, so only two parameters are asked for; the others are known.
    let (patient, error, model) = (patient(&mut Random::new(7)).unwrap(), scatter(), method_developer::irradiated());
    let all = prior().unwrap();
    let two = all.names().iter().zip(all.marginals()).filter(|(name, _)| ["alpha", "clearance"].contains(&name.as_str()));
    let two = IndependentPrior::new(two.map(|(name, marginal)| (name.clone(), *marginal))).unwrap();
    let known = GROUND_TRUTH.iter().try_fold(model.spec().defaults().unwrap(), |base, (name, value)| base.with(name, *value));
    let problem = Problem::new(&model, &patient, &two, Observable::TUMOR_VOLUME, &error).unwrap().with_base(known.unwrap());
    let ours = Importance { proposals: 40_000, kept: 2000 }.calibrate(&problem, &mut Random::new(1)).unwrap();
    let theirs = Sampled::default().calibrate(&problem, &mut Random::new(2)).unwrap();
    assert!(!ours.record.is_sound(), "without a diagnosis nothing is called sound");
    for (name, truth) in GROUND_TRUTH.into_iter().filter(|(name, _)| ["alpha", "clearance"].contains(name)) {
        let [low, median, high] = ours.quantiles(name, [0.025, 0.5, 0.975]).unwrap();
        let [lower, middle, upper] = theirs.quantiles(name, [0.025, 0.5, 0.975]).unwrap();
        assert!(low < truth && truth < high, "{name}: {truth} is not in {low} to {high}");
        let width = upper - lower;
        assert!((median - middle).abs() < 0.1 * width, "{name}: {median} and {middle}");
        assert!(((high - low) / width - 1.0).abs() < 0.25, "{name}: {low} to {high}, but {lower} to {upper}");
    }
}

#[test]
fn a_method_from_outside_can_be_stopped() {
    let (patient, prior, error) = (patient(&mut Random::new(7)).unwrap(), prior().unwrap(), scatter());
    let model = method_developer::irradiated();
    let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error).unwrap();
    let patience = |progress: &Progress| if progress.done < 300 { Flow::Continue } else { Flow::Stop };
    let method = Importance { proposals: 10_000, kept: 50 };
    let posterior = method.calibrate_observed(&problem, &mut Random::new(1), &patience).unwrap();
    assert_eq!((posterior.record.stopped.as_str(), posterior.count()), ("stopped as asked", 50));
    assert!(posterior.record.evaluations < 500, "{}", posterior.record.evaluations);
}

fn shares(report: &TrialReport, arm: &str) -> Vec<f64> {
    let value = |outcome: &Outcome| if let Outcome::Value(value) = outcome { Some(*value) } else { None };
    report.outcomes(arm, "smallest volume").unwrap().iter().filter_map(value).collect()
}

#[test]
fn a_trial_with_policies_and_an_endpoint_from_outside() {
    let (since, patient) = (Time::from_days(110.0).unwrap(), patient(&mut Random::new(7)).unwrap());
    let trial = trial(calibrated(&Sampled::default()).unwrap(), &patient, since).unwrap();
    let report = run(&trial).unwrap();
    assert_eq!((report.failures.len(), report.endpoints.as_slice()), (0, ["smallest volume".to_owned()].as_slice()));
    let (watch, weekly, growth) = (shares(&report, "watch"), shares(&report, "weekly"), shares(&report, "on growth"));
    assert_eq!((watch.len(), weekly.len(), growth.len()), (100, 100, 100));
    for ((watch, weekly), growth) in watch.iter().zip(&weekly).zip(&growth) {
        assert!(weekly < watch && *weekly > 0.0, "a twin that is treated is smaller: {weekly} and {watch}");
        assert!(growth <= watch, "a twin that is treated on growth is not larger: {growth} and {watch}");
    }
    let lived = course(&trial, "weekly", 3).unwrap();
    let days: Vec<f64> = lived.treatments.iter().map(|given| (given.time - since).days()).collect();
    assert_eq!(days, [7.0, 14.0, 21.0, 28.0, 35.0]);
    assert_eq!(lived.visits.len(), 85);
    assert!(course(&trial, "watch", 3).unwrap().treatments.is_empty());
    let twice = run(&trial).unwrap();
    assert_eq!(twice, report);
}
