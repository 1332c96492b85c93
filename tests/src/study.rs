//! The trial that files of outcomes, shards and their speed are tested on.

use std::sync::Arc;
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;
use twin_trials::{Adaptive, Continuous, FromPrior, TimeOffDrug, TimeToProgression, Trial, TrialError};

/// What the trial is made from.
pub const MANIFEST: &[u8] = b"continuous against adaptive abiraterone, visits every 28 days for 3 years";

/// `size` virtual patients of the model of sensitive and resistant cells in two arms, with visits every 28 days for three years.
///
/// # Errors
/// None: the fixed numbers are valid; the result is that of the steps.
pub fn trial(size: usize) -> Result<Trial, TrialError> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.3 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.5 }),
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ])?;
    let cohort = FromPrior::new(model.clone(), Arc::new(prior));
    Ok(Trial::new(model, cohort, size)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", Adaptive::half(drug.clone(), Observable::PSA))
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .endpoint(TimeOffDrug { agent: drug })
        .visits(Span::from_days(28.0)?, Span::from_years(3.0)?))
}
