//! Search without derivatives.

use argmin::core::{CostFunction, Error, Executor, IterState, KV, Problem, Solver, State, TerminationReason, TerminationStatus};
use argmin_math::{ArgminAdd, ArgminMul, ArgminSub};

use super::fit::{Fit, StopReason};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};

const METHOD: &str = "nelder-mead";

/// The simplex search of Nelder and Mead (1965, doi:10.1093/comjnl/7.4.308), restarted until a fresh simplex finds nothing better.
///
/// *Requires* a cost that is defined at the start; elsewhere a cost that is NaN or infinite counts as infinite, so constraints may be
/// walls. Needs no derivatives and bears kinks and some noise, but is slow above ten or so coordinates. The simplex can collapse away
/// from a minimum (McKinnon 1998, doi:10.1137/S1052623496303482), or lie level across one, hence the restarts.
///
/// ```
/// use twin_calibrate::optimize::NelderMead;
/// let cost = |x: &[f64]| (x[0] - 1.0).abs() + (x[1] + 2.0).powi(2);
/// let fit = NelderMead::default().minimize(&cost, &[0.0, 0.0], &[1.0, 1.0], &())?;
/// assert!(fit.converged() && (fit.point[0] - 1.0).abs() < 1e-5);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NelderMead {
    /// Moves of the simplex at most, restarts included.
    pub max_iterations: usize,
    /// A simplex has converged when the standard deviation of its costs is below this, and a restart must gain more than this to
    /// count. A larger share of 1e-15 of the cost itself takes its place.
    pub cost_tolerance: f64,
    /// Fresh simplices at most, after the first.
    pub restarts: usize,
}

impl Default for NelderMead {
    fn default() -> Self {
        Self { max_iterations: 20_000, cost_tolerance: 1e-10, restarts: 10 }
    }
}

impl NelderMead {
    /// Minimizes `cost` from `start`; the first simplex reaches as far as `scale` along each coordinate.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings or lengths that make no sense;
    /// [`CalibrationError::Start`] when the cost at the start is not finite.
    pub fn minimize(
        &self,
        cost: &(dyn Fn(&[f64]) -> f64 + Sync),
        start: &[f64],
        scale: &[f64],
        observer: &dyn Observer,
    ) -> Result<Fit, CalibrationError> {
        self.check(start, scale)?;
        let value = cost(start);
        if !value.is_finite() || start.iter().any(|x| !x.is_finite()) {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value, point: start.to_vec() });
        }
        let mut fit = Fit {
            point: start.to_vec(),
            cost: value,
            reason: StopReason::MaxIterations,
            iterations: 0,
            evaluations: 1,
            covariance: None,
            condition: None,
            cosine: None,
        };
        for round in 0..=self.restarts {
            let before = fit.cost;
            // Every other simplex points the other way.
            let sign = if round % 2 == 0 { 1.0 } else { -1.0 };
            self.descend(cost, scale, sign, observer, &mut fit)?;
            let gained = before - fit.cost > self.tolerance(fit.cost);
            if fit.reason != StopReason::CostSmall || (round > 0 && !gained) {
                return Ok(fit);
            }
        }
        fit.reason = StopReason::NoProgress;
        Ok(fit)
    }

    fn tolerance(&self, cost: f64) -> f64 {
        self.cost_tolerance.max(1e-15 * cost.abs())
    }

    fn check(&self, start: &[f64], scale: &[f64]) -> Result<(), CalibrationError> {
        let setting = |setting, value| CalibrationError::Setting { method: METHOD, setting, value, valid: "finite and above 0" };
        let length = |what, expected, actual| CalibrationError::Length { method: METHOD, what, expected, actual };
        if start.is_empty() {
            return Err(length("the number of coordinates", 1, 0));
        }
        if scale.len() != start.len() {
            return Err(length("the length of the scale", start.len(), scale.len()));
        }
        if let Some(value) = scale.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(setting("scale", *value));
        }
        if !(self.cost_tolerance.is_finite() && self.cost_tolerance > 0.0) {
            return Err(setting("cost_tolerance", self.cost_tolerance));
        }
        if self.max_iterations == 0 {
            return Err(setting("max_iterations", 0.0));
        }
        Ok(())
    }

    /// One simplex, from the point of `fit` until it has collapsed.
    fn descend(
        &self,
        cost: &(dyn Fn(&[f64]) -> f64 + Sync),
        scale: &[f64],
        sign: f64,
        observer: &dyn Observer,
        fit: &mut Fit,
    ) -> Result<(), CalibrationError> {
        let mut simplex = vec![Point(fit.point.clone()); fit.point.len() + 1];
        for (i, (vertex, width)) in simplex.iter_mut().skip(1).zip(scale).enumerate() {
            if let Some(x) = vertex.0.get_mut(i) {
                *x += sign * width;
            }
        }
        let left = self.max_iterations.saturating_sub(fit.iterations);
        let inner = argmin::solver::neldermead::NelderMead::new(simplex)
            .with_sd_tolerance(self.tolerance(fit.cost))
            .map_err(|error| ours(METHOD, error))?;
        let watched = Watched { inner, observer, done: fit.iterations, total: self.max_iterations };
        let done = Executor::new(Target(cost), watched)
            .configure(|state| state.max_iters(left as u64))
            .ctrlc(false)
            .run()
            .map_err(|error| ours(METHOD, error))?;
        fit.iterations += done.state.get_iter() as usize;
        fit.evaluations += done.problem.counts.values().sum::<u64>() as usize;
        if let Some(best) = done.state.get_best_param()
            && done.state.get_best_cost() <= fit.cost
        {
            fit.point.clone_from(&best.0);
            fit.cost = done.state.get_best_cost();
        }
        fit.reason = match done.state.get_termination_reason() {
            Some(TerminationReason::SolverConverged) => StopReason::CostSmall,
            Some(TerminationReason::Interrupt) => StopReason::Asked,
            _ => StopReason::MaxIterations,
        };
        Ok(())
    }
}

/// Our error, if the loop of argmin carried one, or what it said.
pub(super) fn ours(method: &'static str, error: Error) -> CalibrationError {
    error.downcast::<CalibrationError>().unwrap_or_else(|other| CalibrationError::Engine { method, reason: other.to_string() })
}

/// A point with the arithmetic that argmin asks for.
#[derive(Debug, Clone)]
struct Point(Vec<f64>);

impl Point {
    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| f(*a, *b)).collect())
    }
}

impl ArgminAdd<Point, Point> for Point {
    fn add(&self, other: &Point) -> Point {
        self.zip(other, |a, b| a + b)
    }
}

impl ArgminSub<Point, Point> for Point {
    fn sub(&self, other: &Point) -> Point {
        self.zip(other, |a, b| a - b)
    }
}

impl ArgminMul<f64, Point> for Point {
    fn mul(&self, factor: &f64) -> Point {
        Self(self.0.iter().map(|x| x * factor).collect())
    }
}

struct Target<'a>(&'a (dyn Fn(&[f64]) -> f64 + Sync));

impl CostFunction for Target<'_> {
    type Param = Point;
    type Output = f64;

    fn cost(&self, point: &Point) -> Result<f64, Error> {
        let cost = (self.0)(&point.0);
        Ok(if cost.is_finite() { cost } else { f64::INFINITY })
    }
}

type Loop = IterState<Point, (), (), (), (), f64>;

/// The simplex of argmin, which tells our observer.
struct Watched<'a> {
    inner: argmin::solver::neldermead::NelderMead<Point, f64>,
    observer: &'a dyn Observer,
    done: usize,
    total: usize,
}

impl Solver<Target<'_>, Loop> for Watched<'_> {
    fn name(&self) -> &str {
        METHOD
    }

    fn init(&mut self, problem: &mut Problem<Target<'_>>, state: Loop) -> Result<(Loop, Option<KV>), Error> {
        self.inner.init(problem, state)
    }

    fn next_iter(&mut self, problem: &mut Problem<Target<'_>>, state: Loop) -> Result<(Loop, Option<KV>), Error> {
        let (state, log) = self.inner.next_iter(problem, state)?;
        self.done += 1;
        let progress = Progress { stage: METHOD, done: self.done, total: self.total, best: state.get_cost() };
        let state = match self.observer.progress(&progress) {
            Flow::Continue => state,
            Flow::Stop => state.terminate_with(TerminationReason::Interrupt),
        };
        Ok((state, log))
    }

    fn terminate(&mut self, state: &Loop) -> TerminationStatus {
        Solver::<Target<'_>, Loop>::terminate(&mut self.inner, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_followed_to_its_end() {
        let rosenbrock = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let fit = NelderMead::default().minimize(&rosenbrock, &[-1.2, 1.0], &[0.5, 0.5], &()).unwrap();
        assert!(fit.converged(), "{fit:?}");
        assert!(fit.point.iter().all(|x| (x - 1.0).abs() < 1e-4), "{fit:?}");
        assert!(fit.evaluations > fit.iterations && fit.covariance.is_none());
    }

    #[test]
    fn a_simplex_level_across_the_minimum_is_not_the_end() {
        let fit = NelderMead::default().minimize(&|x: &[f64]| x[0] * x[0], &[-1.0], &[2.0], &()).unwrap();
        assert!(fit.point[0].abs() < 1e-4, "{fit:?}");
    }

    #[test]
    fn nan_is_a_wall() {
        // The minimum of the square root's domain lies on its edge.
        let fit = NelderMead::default().minimize(&|x: &[f64]| x[0].sqrt() + x[1].powi(2), &[2.0, 1.0], &[1.0, 1.0], &()).unwrap();
        assert!(fit.point[0] >= 0.0 && fit.point[0] < 1e-6, "{fit:?}");
    }

    #[test]
    fn a_start_without_a_cost_is_refused() {
        let refused = NelderMead::default().minimize(&|x: &[f64]| x[0].ln(), &[-1.0], &[1.0], &());
        assert!(matches!(refused, Err(CalibrationError::Start { value, .. }) if value.is_nan()));
        let refused = NelderMead::default().minimize(&|x: &[f64]| x[0], &[1.0], &[0.0], &());
        assert!(matches!(refused, Err(CalibrationError::Setting { setting: "scale", .. })));
        let refused = NelderMead::default().minimize(&|x: &[f64]| x[0], &[1.0, 1.0], &[1.0], &());
        assert!(matches!(refused, Err(CalibrationError::Length { expected: 2, actual: 1, .. })));
    }

    #[test]
    fn stopping_is_no_error() {
        let cost = |x: &[f64]| x[0].powi(2) + x[1].powi(2);
        let after_five = |p: &Progress| if p.done < 5 { Flow::Continue } else { Flow::Stop };
        let fit = NelderMead::default().minimize(&cost, &[3.0, 4.0], &[1.0, 1.0], &after_five).unwrap();
        assert_eq!((fit.reason, fit.iterations), (StopReason::Asked, 5));
        assert!(fit.cost < 25.0);
        let short = NelderMead { max_iterations: 3, ..NelderMead::default() };
        let fit = short.minimize(&cost, &[3.0, 4.0], &[1.0, 1.0], &()).unwrap();
        assert_eq!((fit.reason, fit.iterations), (StopReason::MaxIterations, 3));
    }
}
