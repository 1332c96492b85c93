//! Simulation-based calibration of every method on three models of tumors.

use std::sync::Arc;
use twin_calibrate::living::{Assumptions, EnsembleSmoother, Particles, Unscented};
use twin_calibrate::sample::{AdaptiveMetropolis, Ensemble, Nuts};
use twin_calibrate::testing::{Design, Method, Ranks, ranks};
use twin_calibrate::{
    Calibrator, ErrorModel, IndependentPrior, Laplace, LogError, Marginal, Prior, Sampled, Sampler, Search, Tempered,
};
use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
use twin_models::{Model, clones, growth};

/// The draws among which each truth is ranked: few, so that those of a chain are independent of each other.
pub const DRAWS: usize = 19;
/// The bins of each histogram of ranks.
pub const BINS: usize = 20;
/// The models, by name.
pub const MODELS: [&str; 3] = ["exponential", "gompertz", "sensitive_resistant"];
/// The methods, by name.
pub const METHODS: [&str; 8] = ["ensemble", "metropolis", "nuts", "tempered", "laplace", "particles", "smoother", "unscented"];

fn log_normal(median: f64, sd: f64) -> Marginal {
    Marginal::LogNormal { median, sd }
}

/// A model, what is seen of it, its prior, and the days of the visits.
type Parts = (Arc<dyn Model>, Observable, Vec<(&'static str, Marginal)>, Vec<f64>);

/// The design for the model of that name; with an unknown error of measurement where `error_too`.
///
/// # Errors
/// In words.
pub fn design(model: &str, error_too: bool) -> Result<Design, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let drug = Agent::new("abiraterone").map_err(|error| words(&error))?;
    let (made, observable, mut prior, days): Parts = match model {
        "exponential" => (
            Arc::new(growth::exponential()),
            Observable::TUMOR_VOLUME,
            vec![("growth_rate", log_normal(0.03, 0.5)), ("initial_volume", log_normal(100.0, 0.5))],
            vec![0.0, 7.0, 14.0, 21.0, 28.0],
        ),
        "gompertz" => (
            Arc::new(growth::gompertz()),
            Observable::TUMOR_VOLUME,
            vec![
                ("decay_rate", log_normal(0.03, 0.4)),
                ("carrying_capacity", log_normal(1e4, 0.5)),
                ("initial_volume", log_normal(200.0, 0.4)),
            ],
            (0..7).map(|k| 10.0 * f64::from(k)).collect(),
        ),
        "sensitive_resistant" => (
            Arc::new(clones::sensitive_resistant(drug.clone())),
            Observable::PSA,
            vec![
                ("growth_rate", log_normal(0.04, 0.3)),
                ("kill", log_normal(1.5, 0.2)),
                ("initial_resistance", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.05, sd: 0.7 }),
            ],
            (0..8).map(|k| 30.0 * f64::from(k)).collect(),
        ),
        other => return Err(format!("no design for {other}")),
    };
    if error_too {
        prior.push(("log_error", log_normal(0.15, 0.3)));
    }
    let prior: Arc<dyn Prior> = Arc::new(IndependentPrior::new(prior).map_err(|error| words(&error))?);
    let error: Arc<dyn ErrorModel> = Arc::new(LogError::new(0.15, 0.0));
    let assumptions = Assumptions::new(made, prior, observable, error, Time::ORIGIN).map_err(|error| words(&error))?;
    let mut design = Design::daily(assumptions, &days).map_err(|error| words(&error))?;
    if model == "sensitive_resistant" {
        for (day, treatment) in [(0.0, Treatment::on(drug.clone())), (120.0, Treatment::off(drug))] {
            let time = Time::from_days(day).map_err(|error| words(&error))?;
            design.treatments.push(TimedTreatment::new(time, treatment));
        }
    }
    Ok(design)
}

/// The ranks of `replicates` truths of the model under the method, both by name.
///
/// # Errors
/// In words.
pub fn run(model: &str, method: &str, replicates: usize, seed: u64) -> Result<Ranks, String> {
    let search = Search { starts: 4, polished: 1, ..Search::default() };
    let sampled = |sampler| Sampled { search: search.clone(), sampler, rounds: 2, ..Sampled::default() };
    let calibrator: Box<dyn Calibrator> = match method {
        "ensemble" => {
            let ensemble = Ensemble { groups: 4, walkers: 12, warmup: 300, draws: 150, ..Ensemble::default() };
            Box::new(sampled(Sampler::Ensemble(ensemble)))
        }
        "metropolis" => {
            let chains = AdaptiveMetropolis { warmup: 1000, draws: 500, thin: 5, ..AdaptiveMetropolis::default() };
            Box::new(sampled(Sampler::Chains(4, chains)))
        }
        "tempered" => Box::new(Tempered { islands: 2, particles: 400, sweeps: 30, ..Tempered::default() }),
        "laplace" => Box::new(Laplace { search, ..Laplace::default() }),
        "particles" => {
            let design = design(model, true)?;
            let random = Random::new(seed);
            let found = ranks(&design, Method::Updater(&Particles::default(), 1000), replicates, DRAWS, &random);
            return found.map_err(|error| error.to_string());
        }
        "nuts" => {
            let nuts = Nuts { warmup: 200, draws: 200, acceptance: 0.9, ..Nuts::default() };
            Box::new(sampled(Sampler::Nuts(4, nuts)))
        }
        // They cannot learn the error of measurement, and are exact for linear models alone.
        "smoother" | "unscented" => {
            let design = design(model, false)?;
            let (smoother, unscented) = (EnsembleSmoother::default(), Unscented::default());
            let method = if method == "smoother" { Method::Calibrator(&smoother) } else { Method::Calibrator(&unscented) };
            let found = ranks(&design, method, replicates, DRAWS, &Random::new(seed));
            return found.map_err(|error| error.to_string());
        }
        other => return Err(format!("no method {other}")),
    };
    let design = design(model, true)?;
    ranks(&design, Method::Calibrator(calibrator.as_ref()), replicates, DRAWS, &Random::new(seed))
        .map_err(|error| error.to_string())
}
