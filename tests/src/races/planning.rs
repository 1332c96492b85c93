//! The speed of an answer: 50 plans against 500 draws.

use super::Row;
use std::sync::Arc;
use std::time::Instant;
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;
use twin_trials::planning::{Confidence, Objective, Plan, Question, ThresholdSpace, recommend};
use twin_trials::{Continuous, CumulativeDose, FromPrior, TimeToProgression, Trial, TrialError};

/// The bar, in seconds.
const ALLOWED: f64 = 2.0;

/// 50 plans and 500 draws of an ODE twin, looked at every week for three years. No regret is tolerated, so nothing is settled early.
///
/// # Errors
/// None is expected.
pub fn fifty_plans() -> Result<Question, TrialError> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let belief = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.3 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.5 }),
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ])?;
    let cohort = FromPrior::new(model.clone(), Arc::new(belief));
    let setting = Trial::new(model, cohort, 500)
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .visits(Span::WEEK, Span::from_years(3.0)?);
    let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
    let policies = ThresholdSpace { agent: drug.clone(), marker: Observable::PSA, stop_at: (0.2, 0.95), above: (0.05, 0.6) };
    let standard = Plan::adaptive("continuous", Continuous { agent: drug.clone() });
    Ok(Question::new(setting, standard, objective, Confidence::new(0.0))
        .plans(policies.space()?.menu(7)?)
        .effect(Objective::least(CumulativeDose { agent: drug, unit: None })))
}

/// The least time of three for an answer, in seconds.
///
/// # Errors
/// In words, if not every course was simulated.
pub fn seconds() -> Result<f64, String> {
    let question = fifty_plans().map_err(|error| error.to_string())?;
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let answer = recommend(&question).map_err(|error| error.to_string())?;
        if answer.effort.saved > 0 || answer.effort.courses != 25_000 {
            return Err(format!("not all courses were simulated: {:?}", answer.effort));
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// The rows of this race.
///
/// # Errors
/// As [`seconds`].
pub fn rows() -> Result<Vec<Row>, String> {
    let what = "recommendation over 50 plans and 500 draws of an ODE twin for three years, weekly visits, against the bar of 2 s";
    Ok(vec![Row::new("planning.50x500", (seconds()?, ALLOWED), what)])
}
