//! The problems of [`cases`](super::cases) by other solvers: diffsol, and CVODE of SUNDIALS in a program of its own.

use super::cases::Case;
use diffsol::{NalgebraLU, NalgebraMat, OdeBuilder, OdeEquations, OdeSolverMethod, OdeSolverStopReason, Vector};
use std::path::Path;
use std::process::Command;
use twin_models::Dual;

type Failure = Box<dyn std::error::Error>;

/// A method of diffsol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diffsol {
    /// Backward differentiation formulas.
    Bdf,
    /// Singly diagonally implicit Runge-Kutta, order 3(4).
    Esdirk34,
    /// The explicit pair of Tsitouras.
    Tsit45,
}

/// The state at the end by diffsol. Every accepted state is checked, since the solver takes one that is not a number for accurate.
///
/// # Errors
/// What the solver says, or a state that is not finite.
pub fn diffsol(case: Case, relative: f64, method: Diffsol) -> Result<Vec<f64>, Failure> {
    let n = case.start().len();
    let mut problem = OdeBuilder::<NalgebraMat<f64>>::new()
        .t0(0.0)
        .rtol(relative)
        .atol([relative * case.scale()])
        .rhs_implicit(
            move |x, _p, _t, dx| case.rates(x, dx),
            move |x, _p, _t, v, jv| {
                let mut moved = [Dual::from(0.0); 8];
                let mut rates = moved;
                for (moved, (&x, &v)) in moved.iter_mut().zip(x.iter().zip(v)) {
                    *moved = Dual::seed(0.0, 0) * v + x;
                }
                case.rates(&moved[..n], &mut rates[..n]);
                jv.iter_mut().zip(rates).for_each(|(jv, rate)| *jv = rate.tangent(0));
            },
        )
        .init(move |_p, _t, x| x.copy_from_slice(case.start()), n)
        .build()?;
    problem.ode_options.max_nonlinear_solver_failures = 10_000;
    match method {
        Diffsol::Bdf => drive(problem.bdf::<NalgebraLU<f64>>()?, case),
        Diffsol::Esdirk34 => drive(problem.esdirk34::<NalgebraLU<f64>>()?, case),
        Diffsol::Tsit45 => drive(problem.tsit45()?, case),
    }
}

fn drive<'a, E, S>(mut solver: S, case: Case) -> Result<Vec<f64>, Failure>
where
    E: OdeEquations<T = f64> + 'a,
    S: OdeSolverMethod<'a, E>,
{
    let mut stops: Vec<(f64, f64)> = case.doses();
    if stops.is_empty() {
        stops.push((0.0, 0.0));
    }
    let ends: Vec<f64> = stops.iter().skip(1).map(|stop| stop.0).chain([case.end()]).collect();
    for ((_, dose), end) in stops.into_iter().zip(ends) {
        if dose > 0.0 {
            let before = solver.state().y.get_index(0);
            solver.state_mut().y.set_index(0, before + dose);
        }
        solver.set_stop_time(end)?;
        loop {
            let reason = solver.step()?;
            let state = solver.state();
            if (0..case.start().len()).any(|i| !state.y.get_index(i).is_finite()) {
                return Err("a state that is not a number was accepted".into());
            }
            if matches!(reason, OdeSolverStopReason::TstopReached) {
                break;
            }
        }
    }
    let state = solver.state();
    Ok((0..case.start().len()).map(|i| state.y.get_index(i)).collect())
}

/// CVODE with the same problems, compiled from `cvode.c`.
#[derive(Debug)]
pub struct Cvode {
    program: std::path::PathBuf,
}

impl Cvode {
    /// Compiles the program into `folder`; `None` without a C compiler or without SUNDIALS.
    #[must_use]
    pub fn build(folder: &Path) -> Option<Self> {
        let (source, program) = (folder.join("cvode_race.c"), folder.join("cvode_race"));
        std::fs::write(&source, include_str!("cvode.c")).ok()?;
        let libraries =
            ["-lsundials_cvode", "-lsundials_nvecserial", "-lsundials_sunmatrixdense", "-lsundials_sunlinsoldense", "-lm"];
        let compiled = Command::new("cc").arg("-O3").arg(&source).arg("-o").arg(&program).args(libraries).output().ok()?;
        compiled.status.success().then_some(Self { program })
    }

    /// The least time of a solution in seconds, and the state at the end, at a relative tolerance.
    ///
    /// # Errors
    /// What the program says.
    pub fn solve(&self, case: Case, relative: f64) -> Result<(f64, Vec<f64>), Failure> {
        let (place, rate) = match case {
            Case::VanDerPol => (0, 0.0),
            Case::Robertson => (1, 0.0),
            Case::Hires => (2, 0.0),
            Case::Kuznetsov => (3, 0.0),
            Case::Binding(rate) => (4, rate),
        };
        let arguments = [place.to_string(), rate.to_string(), relative.to_string(), (relative * case.scale()).to_string()];
        let output = Command::new(&self.program).args(arguments).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let numbers = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let (time, values) = numbers.split_first().ok_or("no numbers")?;
        Ok((*time, values.to_vec()))
    }
}
