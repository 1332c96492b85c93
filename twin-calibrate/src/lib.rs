//! Inference: from observations to a posterior, and what that predicts.
//!
//! ```
//! use twin_calibrate::{Calibrator, IndependentPrior, LogError, Marginal, Problem, Sampled};
//! use twin_core::{Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time};
//! use twin_models::{Model, growth};
//!
//! let mut patient = Patient::new(SubjectId::new("example")?);
//! for (day, volume) in [(0.0, 100.0), (10.0, 160.0), (20.0, 240.0), (30.0, 370.0)] {
//!     let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3")?);
//!     patient.timeline.record(Time::from_days(day)?, seen, Provenance::measured("example"));
//! }
//! let model = growth::exponential();
//! let prior = IndependentPrior::new([
//!     ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 }),
//!     ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.5 }),
//! ])?;
//! let error = LogError::new(0.1, 0.0);
//! let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error)?;
//! let posterior = Sampled::default().calibrate(&problem, &mut Random::new(1))?;
//! let [low, median, high] = posterior.quantiles("growth_rate", [0.05, 0.5, 0.95])?;
//! assert!(low < 0.043 && 0.043 < high, "{low} {median} {high}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The primary type is [`Problem`], plain data that a [`Calibrator`] solves. What this crate does not do: it does not choose a model,
//! and it does not call a run good that fails its diagnosis.
//!
//! # Catalogue
//! - [`Problem`], [`Target`]: what is to be inferred from what, and its density with every name resolved
//! - [`Prior`]: [`IndependentPrior`] of [`Marginal`]s, [`PopulationPrior`]; [`Transform`] to the real line
//! - [`priors`]: ready priors for models of this library
//! - [`ErrorModel`]: [`NormalError`] (additive, proportional), [`LogError`] (normal or Student tails); censored [`Reading`]s
//! - [`Calibrator`]: [`Sampled`], after a [`Search`]; [`Laplace`]; [`LeastSquares`], for costly models and images;
//!   [`Tempered`], with the evidence
//! - [`Posterior`], [`Prediction`]: draws, quantiles, and what they predict
//! - [`living`]: a [`Twin`](living::Twin) that follows its patient, version by version; a [`FieldTwin`](living::FieldTwin) that follows scans
//! - [`population`]: nonlinear mixed effects by SAEM and FOCEI, with covariates, shrinkage, visual checks and NPDE
//! - [`identifiability`]: profiles, information, what was learned, expected gain of a further measurement
//! - [`comparison`]: WAIC, leave-one-out by importance, stacking
//! - [`discrepancy`]: what a model leaves unexplained, as a Gaussian process
//! - [`optimize`]: Levenberg-Marquardt, Nelder-Mead, quasi-Newton, CMA-ES, multi-start (the only room that names argmin)
//! - [`sample`]: ensemble, adaptive Metropolis and no-U-turn samplers
//! - [`diagnostics`]: R-hat, effective sample sizes, verdicts
//! - `testing` (feature `testing`): recovery, simulation-based calibration and Geweke's test for methods of your own
//! - [`control`]: progress and cancellation
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp, clippy::panic))]

mod calibrator;
pub mod comparison;
pub mod control;
pub mod diagnostics;
pub mod discrepancy;
mod error;
#[cfg(test)]
mod fixture;
pub mod identifiability;
mod laplace;
mod least_squares;
mod likelihood;
pub mod living;
mod numeric;
pub mod optimize;
pub mod population;
mod posterior;
mod prior;
pub mod priors;
mod problem;
pub mod sample;
mod tempered;
#[cfg(feature = "testing")]
pub mod testing;
mod transform;

pub use calibrator::{Calibrator, Sampled, Sampler, Search};
pub use control::{Flow, Observer, Progress};
pub use error::CalibrationError;
pub use laplace::{Laplace, Peak};
pub use least_squares::LeastSquares;
pub use likelihood::{ErrorModel, ErrorParameter, LogError, NormalError, Reading};
pub use posterior::{Posterior, Prediction, Record, sorted_quantile};
pub use prior::{IndependentPrior, Marginal, PopulationPrior, Prior};
pub use problem::{DerivativesBy, Problem, Target};
pub use tempered::Tempered;
pub use transform::Transform;
