//! The model obeys the laws, and it is short.
#![allow(clippy::unwrap_used)]

use method_developer::irradiated;
use twin_core::{AbsorbedDose, Observable, Random, Target, Time, TimedTreatment, Treatment};
use twin_models::testing::{self, Settings};
use twin_models::{Model, Scenario, simulate};

#[test]
fn the_model_obeys_every_law() {
    let report = testing::check(&irradiated()).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.laws.len(), testing::LAWS.len());
}

#[test]
fn more_dose_never_leaves_a_larger_tumor() {
    let settings = Settings { cases: 16, ..Settings::default() };
    let cases = testing::more_dose_never_more_tumor(&irradiated(), &settings, &Observable::TUMOR_VOLUME);
    assert!(cases.as_ref().is_ok_and(|cases| *cases > 16), "{cases:?}");
}

#[test]
fn without_treatment_the_volume_is_logistic() {
    let model = irradiated();
    let parameters = model.spec().defaults().unwrap();
    let (rate, capacity, initial) = (0.02, 1e6, 2e4);
    let logistic = |days: f64| capacity / (1.0 + (capacity / initial - 1.0) * f64::exp(-rate * days));
    let looks =
        testing::analytic_limit(&model, &Settings::default(), &parameters, &Observable::TUMOR_VOLUME, logistic, 1e-6).unwrap();
    assert!(looks > 10);
}

#[test]
fn without_growth_a_fraction_leaves_the_linear_quadratic_share_once_the_killed_are_gone() {
    let model = irradiated();
    let slow = model.spec().defaults().unwrap().with("growth_rate", 1e-4).unwrap().with("clearance", 1.0).unwrap();
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("ptv").unwrap());
    let scenario = Scenario::starting(Time::ORIGIN)
        .treated([TimedTreatment::new(Time::ORIGIN, fraction)])
        .sampled([Time::ORIGIN, Time::from_days(30.0).unwrap()]);
    let volume = simulate(&model, &slow, &scenario, &mut Random::new(1)).unwrap().column(&Observable::TUMOR_VOLUME).unwrap();
    let share = (-0.3 * 2.0 - 0.03 * 4.0_f64).exp() * (1e-4 * 30.0_f64).exp();
    assert!((volume[1] / volume[0] / share - 1.0).abs() < 1e-3, "{} instead of {share}", volume[1] / volume[0]);
}

#[test]
fn a_model_takes_less_than_sixty_lines_of_code() {
    let lines = include_str!("../src/irradiated.rs").lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    assert!(code < 60, "{code} lines");
    assert!(code > 20, "{code} lines are no model");
}
