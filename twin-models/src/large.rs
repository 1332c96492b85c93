//! Systems of many states, and systems with constraints, by the integrators of diffsol (feature `diffsol`).
//!
//! What the integrators of this library are not for: hundreds of coupled states, and states that an equation without a derivative ties to the
//! others. A model of a few states is better off as an [`Ode`](crate::Ode), stiff or not.
//!
//! ```
//! use twin_models::Scalar;
//! use twin_models::large::{Implicit, LargeSystem};
//! /// Robertson's reactions, the third rate replaced by what it amounts to: the three shares add up to 1.
//! struct Robertson;
//! impl LargeSystem for Robertson {
//!     fn states(&self) -> usize {
//!         3
//!     }
//!     fn rates<T: Scalar>(&self, _t: T, x: &[T], dx: &mut [T]) {
//!         if let (&[a, b, c], [of_a, of_b, sum]) = (x, dx) {
//!             let (slow, back, fast) = (a * 0.04, b * c * 1e4, b * b * 3e7);
//!             (*of_a, *of_b, *sum) = (back - slow, slow - back - fast, a + b + c - 1.0);
//!         }
//!     }
//!     fn is_constraint(&self, state: usize) -> bool {
//!         state == 2
//!     }
//! }
//! let mut x = [1.0, 0.0, 0.0];
//! Implicit::new(1e-8, 1e-12)?.integrate(&Robertson, (0.0, 40.0), &mut x)?;
//! assert!((x[0] - 0.715_827_07).abs() < 1e-6 && (x[0] + x[1] + x[2] - 1.0).abs() < 1e-9);
//! # Ok::<(), twin_models::SimulationError>(())
//! ```

use crate::check::positive;
use crate::{Dual, Scalar, SimulationError};
use diffsol::{
    NalgebraLU, NalgebraMat, OdeBuilder, OdeEquations, OdeEquationsImplicit, OdeSolverMethod, OdeSolverProblem,
    OdeSolverStopReason, Vector,
};
use std::cell::RefCell;
use twin_core::CoreError;

const MODEL: &str = "large system";

/// Differential equations with any number of states, and constraints between them. Their Jacobian comes from the same lines.
pub trait LargeSystem {
    /// The number of states.
    fn states(&self) -> usize;

    /// Writes to `dx` the rates of change of `x` at `t`; for a state that [is a constraint](LargeSystem::is_constraint) what must be 0.
    fn rates<T: Scalar>(&self, t: T, x: &[T], dx: &mut [T]);

    /// Whether the equation at the place of this state has no derivative, but must be 0 at any time.
    fn is_constraint(&self, _state: usize) -> bool {
        false
    }
}

/// The method that made the last integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Backward differentiation formulas of variable order.
    Bdf,
    /// A singly diagonally implicit Runge-Kutta pair of orders 3 and 4, where the former could not go on.
    Esdirk34,
}

/// Implicit integration with its tolerances, by a dense Jacobian: it is meant for hundreds of states, not for the voxels of an organ.
///
/// First by backward differentiation formulas and, where these cannot go on (after a dose into a very stiff system), from the start of the span
/// by an implicit Runge-Kutta method. Every accepted state is checked, since the solvers take one that is not a number for accurate, and the limit of
/// failed Newton iterations, which counts over a whole integration, is out of the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Implicit {
    relative: f64,
    absolute: f64,
    /// The most accepted steps; 100 000 unless changed.
    pub most_steps: usize,
}

impl Implicit {
    /// The methods with a `relative` and an `absolute` tolerance per step.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn new(relative: f64, absolute: f64) -> Result<Self, CoreError> {
        let relative = positive("relative tolerance", relative)?;
        Ok(Self { relative, absolute: positive("absolute tolerance", absolute)?, most_steps: 100_000 })
    }

    /// Takes `x` from the first time of `span` to the second. A dose is a change of `x` between two spans. Where there are constraints, those
    /// states are first moved so that they hold.
    ///
    /// # Errors
    /// [`SimulationError::Specification`] if `x` has not as many states as the system;
    /// [`SimulationError::NotFinite`], [`SimulationError::TooManySteps`]; [`SimulationError::Integrator`] if neither method can go on;
    /// [`CoreError`] for a span that is not finite or does not go forward. `x` is then left as it was.
    pub fn integrate<S: LargeSystem>(&self, system: &S, span: (f64, f64), x: &mut [f64]) -> Result<Method, SimulationError> {
        positive("length of the span of an integration", span.1 - span.0)?;
        let n = system.states();
        if x.len() != n || n == 0 {
            let detail = format!("it has {n} states, and {} values were given; both must be the same number, above 0", x.len());
            return Err(SimulationError::Specification { model: MODEL.to_owned(), detail });
        }
        finite(x, span.0)?;
        let first = match self.solve(system, span, x, Method::Bdf) {
            Err(SimulationError::TooManySteps { model, limit, day }) => {
                return Err(SimulationError::TooManySteps { model, limit, day });
            }
            other => other,
        };
        match first {
            Ok(()) => Ok(Method::Bdf),
            Err(_) => self.solve(system, span, x, Method::Esdirk34).map(|()| Method::Esdirk34),
        }
    }

    fn solve<S: LargeSystem>(&self, system: &S, span: (f64, f64), x: &mut [f64], method: Method) -> Result<(), SimulationError> {
        let (n, start) = (x.len(), x.to_vec());
        let room = RefCell::new((vec![Dual::from(0.0); n], vec![Dual::from(0.0); n]));
        let product = |x: &[f64], _: &[f64], t: f64, v: &[f64], jv: &mut [f64]| {
            let (state, rates) = &mut *room.borrow_mut();
            for (state, (&x, &v)) in state.iter_mut().zip(x.iter().zip(v)) {
                *state = Dual::seed(0.0, 0) * v + x;
            }
            system.rates(Dual::from(t), state, rates);
            jv.iter_mut().zip(rates).for_each(|(jv, rate)| *jv = rate.tangent(0));
        };
        let builder = OdeBuilder::<NalgebraMat<f64>>::new().t0(span.0).rtol(self.relative).atol([self.absolute]);
        let builder =
            builder.rhs_implicit(|x, _, t, dx| system.rates(t, x, dx), product).init(|_, _, x| x.copy_from_slice(&start), n);
        if (0..n).any(|state| system.is_constraint(state)) {
            let mass = |v: &[f64], _: &[f64], _: f64, beta: f64, y: &mut [f64]| {
                for (state, (y, v)) in y.iter_mut().zip(v).enumerate() {
                    *y = beta * *y + if system.is_constraint(state) { 0.0 } else { *v };
                }
            };
            let problem = builder.mass(mass).build().map_err(|error| failed(method, span.0, &error))?;
            self.run(problem, span, x, method)
        } else {
            let problem = builder.build().map_err(|error| failed(method, span.0, &error))?;
            self.run(problem, span, x, method)
        }
    }

    fn run<E>(
        &self,
        mut problem: OdeSolverProblem<E>,
        span: (f64, f64),
        x: &mut [f64],
        method: Method,
    ) -> Result<(), SimulationError>
    where
        E: OdeEquationsImplicit<M = NalgebraMat<f64>, T = f64, V = diffsol::NalgebraVec<f64>, C = diffsol::NalgebraContext>,
    {
        problem.ode_options.max_nonlinear_solver_failures = usize::MAX;
        match method {
            Method::Bdf => {
                let solver = problem.bdf::<NalgebraLU<f64>>().map_err(|error| failed(method, span.0, &error))?;
                self.drive(solver, span, x, method)
            }
            Method::Esdirk34 => {
                let solver = problem.esdirk34::<NalgebraLU<f64>>().map_err(|error| failed(method, span.0, &error))?;
                self.drive(solver, span, x, method)
            }
        }
    }

    fn drive<'a, E, M>(&self, mut solver: M, span: (f64, f64), x: &mut [f64], method: Method) -> Result<(), SimulationError>
    where
        E: OdeEquations<T = f64> + 'a,
        M: OdeSolverMethod<'a, E>,
    {
        let at = |solver: &M| solver.state().t;
        solver.set_stop_time(span.1).map_err(|error| failed(method, span.0, &error))?;
        let mut seen = x.to_vec();
        for _ in 0..self.most_steps {
            let reason = solver.step().map_err(|error| failed(method, at(&solver), &error))?;
            let state = solver.state();
            seen.iter_mut().enumerate().for_each(|(place, seen)| *seen = state.y.get_index(place));
            finite(&seen, state.t)?;
            if matches!(reason, OdeSolverStopReason::TstopReached) {
                x.copy_from_slice(&seen);
                return Ok(());
            }
        }
        Err(SimulationError::TooManySteps { model: MODEL.to_owned(), limit: self.most_steps, day: at(&solver) })
    }
}

fn finite(x: &[f64], day: f64) -> Result<(), SimulationError> {
    match x.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((state, &value)) => Err(SimulationError::NotFinite { model: MODEL.to_owned(), state: state.to_string(), value, day }),
        None => Ok(()),
    }
}

fn failed(method: Method, day: f64, error: &impl std::fmt::Display) -> SimulationError {
    let method = match method {
        Method::Bdf => "backward differentiation",
        Method::Esdirk34 => "the implicit Runge-Kutta method",
    };
    SimulationError::Integrator { method, day, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Heat in a rod of `0` cells with cold ends: its first mode decays exponentially.
    struct Rod(usize);

    impl LargeSystem for Rod {
        fn states(&self) -> usize {
            self.0
        }
        fn rates<T: Scalar>(&self, _t: T, x: &[T], dx: &mut [T]) {
            let scale = (self.0 as f64 + 1.0).powi(2);
            let at = |place: Option<usize>| place.and_then(|place| x.get(place)).copied().unwrap_or(T::from(0.0));
            for (place, rate) in dx.iter_mut().enumerate() {
                *rate = (at(place.checked_sub(1)) - at(Some(place)) * 2.0 + at(Some(place + 1))) * scale;
            }
        }
    }

    #[test]
    fn a_hundred_coupled_states_decay_as_their_mode_does() {
        use std::f64::consts::PI;
        let n = 100;
        let start: Vec<f64> = (1..=n).map(|cell| (PI * f64::from(cell) / f64::from(n + 1)).sin()).collect();
        let mut x = start.clone();
        assert_eq!(Implicit::new(1e-7, 1e-10).unwrap().integrate(&Rod(100), (0.0, 0.1), &mut x), Ok(Method::Bdf));
        let width = f64::from(n + 1);
        let rate = 4.0 * width * width * (0.5 * PI / width).sin().powi(2);
        for (x, start) in x.iter().zip(start) {
            assert!((x / start / (-0.1 * rate).exp() - 1.0).abs() < 1e-5, "{x} of {start}");
        }
    }

    /// A drug that binds its target at the rate `0`: drug, target, complex.
    struct Binding(f64);

    impl LargeSystem for Binding {
        fn states(&self) -> usize {
            3
        }
        fn rates<T: Scalar>(&self, _t: T, x: &[T], dx: &mut [T]) {
            if let (&[drug, target, complex], [of_drug, of_target, of_complex]) = (x, dx) {
                let bound = drug * target * self.0 - complex;
                *of_drug = drug * -0.2 - bound;
                *of_target = (T::from(1.0) - target) * 2.0 - bound;
                *of_complex = bound - complex;
            }
        }
    }

    #[test]
    fn doses_into_a_stiff_system_agree_with_the_stiff_integrator_of_a_few_states() {
        let (mut x, mut other) = ([0.0, 1.0, 0.0], [0.0, 1.0, 0.0]);
        let (large, few) = (Implicit::new(1e-9, 1e-12).unwrap(), crate::stiff::Rosenbrock::new(1e-9, 1e-12).unwrap());
        for cycle in 0..8_u32 {
            let span = (21.0 * f64::from(cycle), 21.0 * f64::from(cycle + 1));
            x[0] += 10.0;
            other[0] += 10.0;
            large.integrate(&Binding(1000.0), span, &mut x).unwrap();
            few.integrate(|t, x, dx| Binding(1000.0).rates(t, x, dx), span, &mut other).unwrap();
            for (x, other) in x.iter().zip(other) {
                assert!((x - other).abs() < 1e-6 * other.abs().max(1e-3), "{x} and {other} after cycle {cycle}");
            }
        }
    }

    /// Infinite in finite time.
    struct Blows;

    impl LargeSystem for Blows {
        fn states(&self) -> usize {
            1
        }
        fn rates<T: Scalar>(&self, _t: T, x: &[T], dx: &mut [T]) {
            if let (&[x], [dx]) = (x, dx) {
                *dx = x * x;
            }
        }
    }

    #[test]
    fn what_cannot_go_on_is_an_error_and_leaves_the_state() {
        let method = Implicit::new(1e-6, 1e-9).unwrap();
        let mut x = [1.0];
        assert!(method.integrate(&Blows, (0.0, 2.0), &mut x).is_err());
        assert_eq!(x, [1.0]);
        assert!(matches!(method.integrate(&Blows, (0.0, 0.1), &mut [f64::NAN]), Err(SimulationError::NotFinite { .. })));
        assert!(matches!(method.integrate(&Blows, (0.0, 0.1), &mut [1.0; 2]), Err(SimulationError::Specification { .. })));
        assert!(method.integrate(&Blows, (1.0, 1.0), &mut x).is_err() && Implicit::new(0.0, 1.0).is_err());
        let few = Implicit { most_steps: 2, ..method };
        assert!(matches!(few.integrate(&Blows, (0.0, 0.5), &mut x), Err(SimulationError::TooManySteps { limit: 2, .. })));
    }
}
