//! Integrators of ordinary differential equations, generic over the state and free of allocation while they step.

mod explicit;

pub(crate) use explicit::{StepFailure, Tolerance, Tsitouras};
