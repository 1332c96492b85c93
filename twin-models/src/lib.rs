//! Mechanistic and statistical models of tumors for digital twins, and the laws they obey.
//!
//! ```
//! use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
//! use twin_models::{Model, Scenario, clones, simulate};
//!
//! let drug = Agent::new("abiraterone")?;
//! let model = clones::sensitive_resistant(drug.clone());
//! let parameters = model.spec().defaults()?.with("kill", 1.8)?;
//! let days = |day: u32| Time::from_days(f64::from(day));
//! let scenario = Scenario::starting(Time::ORIGIN)
//!     .treated([TimedTreatment::new(Time::ORIGIN, Treatment::on(drug))])
//!     .sampled([days(0)?, days(90)?, days(180)?]);
//! let course = simulate(&model, &parameters, &scenario, &mut Random::new(1))?;
//! let burden = course.column(&Observable::TUMOR_BURDEN).unwrap_or_default();
//! assert!(burden[2] < burden[0]);
//! # Ok::<(), twin_models::SimulationError>(())
//! ```
//!
//! The primary trait is [`Model`]; whoever has an ordinary differential equation writes a [`Dynamics`] and wraps it in [`Ode`]. What this
//! crate does not do: it fits nothing (that is `twin-calibrate`) and decides nothing (`twin-trials`).
//!
//! # Catalogue
//! - [`Model`], [`Simulation`], [`ModelSpec`]: what calibrators and trials see of a model
//! - [`Dynamics`], [`Ode`]: from an equation to a model
//! - [`Scalar`], [`Dual`], [`Lanes`]: the numbers that equations are written in
//! - [`Differentiable`], [`Sensitivities`]: exact derivatives of a course
//! - [`Ensemble`], [`simulate_all`]: many patients at once
//! - [`parameters!`], [`Parameters`], [`Source`]: parameters with unit, range, default and source
//! - [`Scenario`], [`Trajectory`], [`simulate`], [`run`], [`run_with`]: what is done, when one looks, and what comes of it
//! - [`Registry`]: models by name
//! - [`growth`]: laws of untreated growth
//! - [`clones`]: sensitive and resistant cells under a drug
//! - [`psa`]: prostate-specific antigen under androgen deprivation
//! - [`radiation`], [`kinetics`], [`effect`], [`toxicity`]: what treatments do to tumor and body
//! - [`immune`], [`angiogenic`]: tumors with immune cells, and with vessels
//! - [`molecular`]: from molecular findings to parameters, as distributions
//! - [`stiff`]: an integrator for stiff systems
//! - [`composition`]: one model from a growth law, effects and toxicities, as types or from a description
//! - [`equations`]: systems of equations stated as data, with events, such as those of SBML
//! - [`spatial`]: reaction and diffusion in the patient's own anatomy
//! - [`survival`]: laws of the time to an event, and published links from tumor dynamics to survival
//! - `testing` (feature `testing`): the laws, as functions that find the usual faults of a model
#![cfg_attr(test, allow(clippy::float_cmp, clippy::unwrap_used))]

pub mod angiogenic;
mod check;
pub mod clones;
pub mod composition;
mod course;
mod dynamics;
pub mod effect;
mod ensemble;
pub mod equations;
mod error;
mod events;
pub mod growth;
pub mod immune;
pub mod kinetics;
mod model;
pub mod molecular;
mod ode;
mod parameters;
pub mod psa;
pub mod radiation;
mod registry;
mod scalar;
mod scenario;
mod sensitivity;
mod solver;
pub mod spatial;
mod special;
pub mod stiff;
pub mod survival;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod toxicity;

pub use course::OdeSimulation;
pub use dynamics::{Dynamics, Exposure, Given, Input, MAX_INPUTS, MAX_OBSERVABLES, ParametersOf, Refused, StateOf, StateSpace};
pub use ensemble::{Ensemble, simulate_all};
pub use error::SimulationError;
pub use model::{Fields, Model, ModelSpec, ObservableSpec, Simulation, StateSpec, TreatmentKind, TreatmentSpec};
pub use ode::Ode;
pub use parameters::{ParameterSet, ParameterSpec, Parameters, Source};
pub use registry::Registry;
pub use scalar::{Dual, LANES, Lanes, Real, Scalar, TANGENTS};
pub use scenario::{Scenario, Trajectory, run, run_with, simulate};
pub use sensitivity::{Differentiable, Direction, Sensitivities};
