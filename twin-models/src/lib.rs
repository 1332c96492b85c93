//! Mechanistic and statistical models of tumors for digital twins, and the laws they obey.
#![cfg_attr(test, allow(clippy::float_cmp, clippy::unwrap_used))]

pub mod clones;
mod dynamics;
mod error;
pub mod growth;
mod model;
mod parameters;
pub mod psa;
mod registry;
mod scenario;
mod solver;
pub mod spatial;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use dynamics::{Dynamics, Exposure, Given, Input, MAX_INPUTS, MAX_OBSERVABLES, Ode, OdeSimulation, Refused};
pub use error::SimulationError;
pub use model::{Fields, Model, ModelSpec, ObservableSpec, Simulation, StateSpec, TreatmentKind, TreatmentSpec};
pub use parameters::{ParameterSet, ParameterSpec, Parameters, Source};
pub use registry::Registry;
pub use scenario::{Scenario, Trajectory, run, run_with, simulate};
