//! Two arms of a trial, whose tumors shrink and regrow after Stein and Fojo: twice the rate of regression in one arm. Simulated again and again, and fitted as
//! one population with the arm as a covariate of regression.

use rayon::prelude::*;
use twin_calibrate::LogError;
use twin_calibrate::population::{CovariateEffect, Population, PopulationFit, RandomEffect, Saem};
use twin_core::{Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time};
use twin_models::{Model, effect};

/// Subjects of each arm.
pub const ARM: usize = 40;
/// The days on which tumors are measured: every six weeks for 48.
const EVERY: f64 = 42.0;
const VISITS: u32 = 9;
/// Typical baseline in mm, rates of regression and growth per day; their spreads on the logarithm.
const TYPICAL: [f64; 3] = [70.0, 0.006, 0.0012];
const SPREAD: [f64; 3] = [0.4, 0.5, 0.5];
/// The logarithm of the ratio of the rates of regression of the arms.
const EFFECT: f64 = std::f64::consts::LN_2;
/// The error of measurement, on the logarithm.
const ERROR: f64 = 0.08;

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A trial of `arm` patients in each arm, by the formula of the curve.
fn patients(arm: usize, random: &mut Random) -> Result<Vec<Patient>, String> {
    let mut patients = Vec::new();
    for index in 0..2 * arm {
        let mut patient = Patient::new(SubjectId::new(format!("S{index}")).map_err(words)?);
        let shift = if index < arm { 0.0 } else { EFFECT };
        let mut draw = |place: usize, shift: f64| TYPICAL[place] * (SPREAD[place] * random.normal() + shift).exp();
        let (baseline, regression, growth) = (draw(0, 0.0), draw(1, shift), draw(2, 0.0));
        for visit in 0..VISITS {
            let day = EVERY * f64::from(visit);
            let size = baseline * ((-regression * day).exp() + (growth * day).exp() - 1.0);
            let seen = size * (ERROR * random.normal()).exp();
            let seen = Observation::number(Observable::SUM_OF_DIAMETERS, seen, "mm").map_err(words)?;
            patient.timeline.record(Time::from_days(day).map_err(words)?, Event::Observation(seen), Provenance::simulated("trial"));
        }
        patients.push(patient);
    }
    Ok(patients)
}

/// The fit of one made-up trial by SAEM, from first guesses that are off by up to two.
///
/// # Errors
/// In words.
pub fn fit(arm: usize, saem: &Saem, random: &mut Random) -> Result<PopulationFit, String> {
    let patients = patients(arm, random)?;
    let (model, error) = (effect::stein_fojo(), LogError::new(0.2, 0.0));
    let arms = (0..2 * arm).map(|index| if index < arm { 0.0 } else { 1.0 }).collect();
    let population = Population {
        model: &model,
        base: model.spec().defaults().map_err(words)?,
        patients: &patients,
        effects: vec![
            RandomEffect::log_normal("baseline", 100.0, 0.7),
            RandomEffect::log_normal("regression_rate", 0.003, 0.7),
            RandomEffect::log_normal("growth_rate", 0.002, 0.7),
        ],
        covariates: vec![CovariateEffect { parameter: "regression_rate".into(), covariate: "arm".into(), values: arms }],
        errors: vec![(Observable::SUM_OF_DIAMETERS, &error)],
        estimated: vec!["log_error".to_owned()],
        start: Time::ORIGIN,
    };
    saem.fit(&population, random, &()).map_err(words)
}

/// What became of many trials.
#[derive(Debug, Clone, Copy)]
pub struct Recovered {
    /// Trials with a fit and its standard errors.
    pub fitted: usize,
    /// The share of the fitted whose 95 % interval covers the effect of the arm.
    pub arm: f64,
    /// The share whose 95 % intervals, made simultaneous, cover all four fixed effects.
    pub all: f64,
    /// The mean coverage of the 95 % intervals of the four fixed effects.
    pub mean: f64,
}

/// `count` trials, each with a stream of its own.
///
/// # Errors
/// In words, if a patient cannot be made up. A fit that fails counts as not recovered.
pub fn recover(count: usize) -> Result<Recovered, String> {
    let root = Random::new(2026);
    let saem = Saem { exploring: 150, averaging: 150, samples: 100, ..Saem::default() };
    let one = |index: usize| {
        let fit = fit(ARM, &saem, &mut root.stream(index as u64)).ok()?;
        let errors = fit.standard_errors?;
        let truth = TYPICAL.map(f64::ln);
        // Errors come in the order of means, spreads, the error's parameter, coefficients.
        let mut scores: Vec<f64> =
            fit.mean.iter().zip(truth).zip(&errors).map(|((ours, truth), error)| (ours - truth) / error).collect();
        scores.push((fit.coefficients.first()?.2 - EFFECT) / errors.last()?);
        Some(scores)
    };
    let found: Vec<Option<Vec<f64>>> = (0..count).into_par_iter().map(one).collect();
    let fitted: Vec<&Vec<f64>> = found.iter().flatten().collect();
    let share = |good: &dyn Fn(&[f64]) -> bool| fitted.iter().filter(|scores| good(scores)).count() as f64 / count as f64;
    // 0.05 divided by four, on two sides.
    const SIMULTANEOUS: f64 = 2.498;
    Ok(Recovered {
        fitted: fitted.len(),
        arm: share(&|scores| scores.last().is_some_and(|score| score.abs() < 1.96)),
        all: share(&|scores| scores.iter().all(|score| score.abs() < SIMULTANEOUS)),
        mean: fitted.iter().flat_map(|scores| scores.iter()).filter(|score| score.abs() < 1.96).count() as f64 / (4 * count) as f64,
    })
}
