//! Mechanistic and statistical models of tumors for digital twins, and the laws they obey.
#![cfg_attr(test, allow(clippy::float_cmp, clippy::unwrap_used))]

pub mod angiogenic;
mod check;
pub mod clones;
pub mod composition;
mod dynamics;
pub mod effect;
mod error;
pub mod growth;
pub mod immune;
pub mod kinetics;
mod model;
pub mod molecular;
mod parameters;
pub mod psa;
pub mod radiation;
mod registry;
mod scenario;
mod solver;
mod special;
pub mod stiff;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod toxicity;

pub use dynamics::{Dynamics, Exposure, Given, Input, MAX_INPUTS, MAX_OBSERVABLES, Ode, OdeSimulation, Refused};
pub use error::SimulationError;
pub use model::{Fields, Model, ModelSpec, ObservableSpec, Simulation, StateSpec, TreatmentKind, TreatmentSpec};
pub use parameters::{ParameterSet, ParameterSpec, Parameters, Source};
pub use registry::Registry;
pub use scenario::{Scenario, Trajectory, run, run_with, simulate};
