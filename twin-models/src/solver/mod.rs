//! Integrators of ordinary differential equations, generic over the state and free of allocation while they step.

mod explicit;
mod implicit;
mod pace;
mod side_by_side;
mod switching;
mod tableau;

pub(crate) use explicit::{StepFailure, Tolerance, Tsitouras};
pub(crate) use side_by_side::SideBySide;
pub(crate) use switching::Solver;

/// What is integrated, as the solvers see it.
pub(crate) trait System<T, S> {
    /// Writes the rates of change of `x` at `t` to `dx`.
    fn rates(&mut self, t: f64, x: &S, dx: &mut S);

    /// Writes the values of the Jacobian of the rates at `t` and `x`, row by row, to `jacobian`, and those of the derivative of the rates by
    /// time to `by_time`.
    fn linearize(&mut self, t: f64, x: &S, jacobian: &mut [f64], by_time: &mut [f64]);
}
