//! Damped Gauss–Newton for sums of squares.

use argmin::core::{Executor, IterState, KV, Problem, Solver, State, TerminationReason};
use nalgebra::{DMatrix, DVector};

use super::differences::{Differences, Residuals, computed};
use super::fit::{Fit, StopReason};
use super::least_squares::Linearization;
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};

const METHOD: &str = "levenberg-marquardt";
/// Damping beyond which a step is lost in rounding.
const MOST_DAMPING: f64 = 1e20;
/// Relative changes of the cost below this are rounding.
const ROUNDING: f64 = 1e-13;
/// So many steps in a row that lower neither the cost nor the cosine visibly end the search.
const MOST_BLIND_STEPS: usize = 3;
/// A stalled search is at a minimum if the full step would lower the cost by less than this share.
const NEGLIGIBLE: f64 = 1e-9;

/// The Levenberg–Marquardt method: half a sum of squares is lowered by steps between those of Gauss–Newton and of steepest descent.
///
/// *Requires* residuals that are differentiable near the path, and a start where they can be computed; a minimum where the residuals
/// are small or not too curved, or progress is slow. There may be fewer residuals than coordinates: the fit is then not unique.
/// A trial point where the residuals cannot be computed counts as one of infinite cost, and the search turns back.
///
/// The damping follows the gain of each step (Nielsen 1999, IMM-REP-1999-05), coordinates are scaled by the largest lengths their
/// columns have had (Moré 1978, doi:10.1007/BFb0067700), and steps may bend along the geodesic of the model (Transtrum and Sethna
/// 2012, arXiv:1201.5885), which helps in long curved valleys. Each step comes from orthogonal and singular value decompositions, never from the
/// normal equations.
///
/// ```
/// use twin_calibrate::optimize::{LevenbergMarquardt, Residuals};
///
/// /// An exponential decay, seen at 0, 1, 2 and 3 days.
/// struct Decay;
/// impl Residuals for Decay {
///     fn dimension(&self) -> usize { 2 }
///     fn count(&self) -> usize { 4 }
///     fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
///         let &[height, rate] = point else { return false };
///         for ((day, seen), residual) in [8.0, 4.0, 2.0, 1.0].iter().enumerate().zip(residuals) {
///             *residual = height * (-rate * day as f64).exp() - seen;
///         }
///         true
///     }
/// }
///
/// let fit = LevenbergMarquardt::default().minimize(&Decay, &[5.0, 1.0], &())?;
/// assert!(fit.converged());
/// assert!((fit.point[1] - 2f64.ln()).abs() < 1e-8);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LevenbergMarquardt {
    /// Iterations at most; each forms one Jacobian matrix and moves once.
    pub max_iterations: usize,
    /// The search ends when the cosine between the residuals and the tangent plane falls to this: its square is the share of the cost
    /// that the linear model still hopes to remove.
    pub gradient_tolerance: f64,
    /// The search ends when the undamped step would change every coordinate by less than this share of its magnitude (or of its
    /// typical magnitude, if that is larger).
    pub step_tolerance: f64,
    /// The first damping, relative to the squared lengths of the columns. Larger is more careful.
    pub damping: f64,
    /// Whether steps bend along the geodesic, for one more evaluation per trial.
    pub geodesic: bool,
    /// How derivatives are formed when the problem has none of its own.
    pub differences: Differences,
    /// Whether the columns of differences are computed on all threads; the result is the same bits.
    pub parallel: bool,
}

impl Default for LevenbergMarquardt {
    /// For residuals that are exact to rounding: for those of a solver, set [`Differences::central`] to its tolerance and
    /// `gradient_tolerance` to the tolerance's square root.
    fn default() -> Self {
        Self {
            max_iterations: 500,
            gradient_tolerance: 1e-9,
            step_tolerance: 1e-10,
            damping: 1e-3,
            geodesic: true,
            differences: Differences::central(f64::EPSILON),
            parallel: false,
        }
    }
}

impl LevenbergMarquardt {
    /// Minimizes half the sum of squares of the residuals, from `start`.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings or lengths that make no sense;
    /// [`CalibrationError::Start`] when the residuals cannot be computed at the start; [`CalibrationError::Derivative`] when they
    /// can be computed at a point but on neither side of it.
    pub fn minimize(&self, problem: &dyn Residuals, start: &[f64], observer: &dyn Observer) -> Result<Fit, CalibrationError> {
        self.check(problem, start)?;
        let search = Search::new(self, problem, start, observer);
        let done = Executor::new(Target(problem), search)
            .configure(|state| state.max_iters(self.max_iterations as u64))
            .ctrlc(false)
            .run()
            .map_err(|error| super::nelder_mead::ours(METHOD, error))?;
        let evaluations = done.problem.counts.values().sum::<u64>() as usize;
        done.solver.fit(done.state.get_iter() as usize, evaluations)
    }

    fn check(&self, problem: &dyn Residuals, start: &[f64]) -> Result<(), CalibrationError> {
        let positive = [
            ("max_iterations", self.max_iterations as f64),
            ("damping", self.damping),
            ("relative_step", self.differences.relative_step()),
        ];
        let tolerances = [("gradient_tolerance", self.gradient_tolerance), ("step_tolerance", self.step_tolerance)];
        let bad = positive.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0));
        if let Some((setting, value)) = bad {
            return Err(CalibrationError::Setting { method: METHOD, setting, value, valid: "finite and above 0" });
        }
        if let Some((setting, value)) = tolerances.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            return Err(CalibrationError::Setting { method: METHOD, setting, value, valid: "finite and at least 0" });
        }
        let (dimension, count) = (problem.dimension(), problem.count());
        if dimension == 0 || count == 0 {
            let what = if dimension == 0 { "the number of coordinates" } else { "the number of residuals" };
            return Err(CalibrationError::Length { method: METHOD, what, expected: 1, actual: 0 });
        }
        if start.len() != dimension {
            let what = "the length of the start";
            return Err(CalibrationError::Length { method: METHOD, what, expected: dimension, actual: start.len() });
        }
        Ok(())
    }
}

/// The residuals as the loop of argmin holds them, so that it counts the evaluations.
struct Target<'a>(&'a dyn Residuals);

type Loop = IterState<Vec<f64>, (), (), (), (), f64>;

/// The state of one search.
struct Search<'a> {
    settings: &'a LevenbergMarquardt,
    observer: &'a dyn Observer,
    count: usize,
    point: DVector<f64>,
    residuals: DVector<f64>,
    cost: f64,
    jacobian: DMatrix<f64>,
    scale: DVector<f64>,
    local: Option<Linearization>,
    /// The fewest undetermined directions at any point so far.
    nullity: usize,
    trial: DVector<f64>,
    trial_residuals: DVector<f64>,
    damping: f64,
    growth: f64,
    blind_steps: usize,
    blind_cosine: f64,
    reason: StopReason,
}

impl<'a> Search<'a> {
    fn new(settings: &'a LevenbergMarquardt, problem: &dyn Residuals, start: &[f64], observer: &'a dyn Observer) -> Self {
        let (dimension, count) = (problem.dimension(), problem.count());
        // Too few residuals are filled up with rows of zeros, which change no cost and no step.
        let rows = count.max(dimension);
        Self {
            settings,
            observer,
            count,
            point: DVector::from_row_slice(start),
            residuals: DVector::zeros(rows),
            cost: f64::INFINITY,
            jacobian: DMatrix::zeros(rows, dimension),
            scale: DVector::zeros(dimension),
            local: None,
            nullity: dimension,
            trial: DVector::zeros(dimension),
            trial_residuals: DVector::zeros(rows),
            damping: settings.damping,
            growth: 2.0,
            blind_steps: 0,
            blind_cosine: f64::INFINITY,
            reason: StopReason::MaxIterations,
        }
    }

    /// Forms the Jacobian matrix at the point and decomposes it.
    fn linearize(&mut self, problem: &mut Problem<Target<'_>>) -> Result<(), CalibrationError> {
        let (differences, parallel) = (self.settings.differences, self.settings.parallel);
        let (point, here) = (self.point.as_slice(), self.residuals.rows(0, self.count));
        let (jacobian, rows, count) = (&mut self.jacobian, self.residuals.len(), self.count);
        let failed = |coordinate| CalibrationError::Derivative { method: METHOD, coordinate, point: point.to_vec() };
        let residuals = problem.problem.as_ref().map(|target| target.0);
        let (evaluations, precision) = match residuals.and_then(|r| r.derivatives()) {
            Some(exact) => {
                let mut columns = vec![0.0; count * point.len()];
                if !(exact.derivatives(point, &mut columns) && columns.iter().all(|d| d.is_finite())) {
                    return Err(failed(0));
                }
                for (mut to, from) in jacobian.column_iter_mut().zip(columns.chunks(count)) {
                    to.rows_mut(0, count).copy_from_slice(from);
                }
                (1, 0.0)
            }
            None => {
                let columns = |r| differences.columns(r, point, here.as_slice(), jacobian.as_mut_slice(), rows, parallel);
                (residuals.map_or(Ok(0), columns).map_err(failed)?, differences.precision())
            }
        };
        *problem.counts.entry("derivatives").or_insert(0) += evaluations as u64;
        for (scale, column) in self.scale.iter_mut().zip(self.jacobian.column_iter()) {
            *scale = scale.max(column.norm());
        }
        // A coordinate that has had no influence so far is left where it is: its column is zero whatever the scale.
        let scale = self.scale.map(|s| if s > 0.0 { s } else { 1.0 });
        let local = Linearization::new(self.jacobian.clone(), &self.residuals, scale, precision);
        let local = local.ok_or(CalibrationError::Decomposition { method: METHOD })?;
        self.nullity = self.nullity.min(local.nullity());
        self.local = Some(local);
        Ok(())
    }

    /// Whether the point just linearized is a minimum.
    fn settled(&self, problem: &dyn Residuals) -> Option<StopReason> {
        let local = self.local.as_ref()?;
        if self.cost == 0.0 {
            return Some(StopReason::CostSmall);
        }
        if self.cosine()? <= self.settings.gradient_tolerance {
            return Some(StopReason::GradientSmall);
        }
        let step = local.unscale(&local.scaled_step(0.0));
        let small =
            |(j, (step, x)): (usize, (&f64, &f64))| step.abs() <= self.settings.step_tolerance * x.abs().max(problem.typical(j));
        (local.nullity() == self.nullity && step.iter().zip(self.point.iter()).enumerate().all(small))
            .then_some(StopReason::StepSmall)
    }

    /// Moves once, damping more until a trial is good; says why where none is.
    fn advance(&mut self, problem: &mut Problem<Target<'_>>) -> Option<StopReason> {
        while self.damping < MOST_DAMPING {
            let Some(local) = &self.local else { break };
            let predicted = local.predicted(self.damping);
            let blind = predicted <= ROUNDING * self.cost;
            let cost = self.try_step(problem);
            let gain = (self.cost - cost) / predicted;
            if cost.is_finite() && (gain > 1e-4 || (blind && cost <= self.cost * (1.0 + ROUNDING))) {
                std::mem::swap(&mut self.point, &mut self.trial);
                std::mem::swap(&mut self.residuals, &mut self.trial_residuals);
                self.cost = cost;
                let ease = if blind { 1e-2 } else { (1.0 - (2.0 * gain - 1.0).powi(3)).max(1.0 / 3.0) };
                self.damping = (self.damping * ease).max(f64::MIN_POSITIVE);
                self.growth = 2.0;
                return (blind && self.lost()).then(|| self.stalled());
            }
            self.damping *= self.growth;
            self.growth *= 2.0;
        }
        Some(self.stalled())
    }

    /// Whether steps that gain less than rounding have stopped to lower the cosine too, which can be told long after the cost cannot.
    fn lost(&mut self) -> bool {
        let cosine = self.cosine().unwrap_or(f64::INFINITY);
        self.blind_steps = if cosine < 0.9 * self.blind_cosine { 0 } else { self.blind_steps + 1 };
        self.blind_cosine = self.blind_cosine.min(cosine);
        self.blind_steps >= MOST_BLIND_STEPS
    }

    /// What a search is that cannot lower its cost.
    fn stalled(&self) -> StopReason {
        let cosine = self.cosine().unwrap_or(1.0);
        if cosine * cosine <= NEGLIGIBLE { StopReason::CostSmall } else { StopReason::NoProgress }
    }

    /// The cosine between the residuals and the tangent plane. Directions that never were determined do not belong to it; those that
    /// once were do, because a search that fled to where a coordinate has no influence has not found a minimum.
    fn cosine(&self) -> Option<f64> {
        let length = self.residuals.norm();
        let cosine = |local: &Linearization| local.tangent(local.nullity() > self.nullity) / length;
        self.local.as_ref().map(|local| if length > 0.0 { cosine(local) } else { 0.0 })
    }

    /// Writes the trial point of the current damping, and returns its cost: infinite where it is of no use.
    fn try_step(&mut self, problem: &mut Problem<Target<'_>>) -> f64 {
        let Some(local) = &self.local else { return f64::INFINITY };
        let scaled = local.scaled_step(self.damping);
        let step = local.unscale(&scaled);
        if self.settings.geodesic {
            match self.bend(problem, &scaled, &step) {
                Some(bend) => self.trial.copy_from(&(&self.point + &step + bend)),
                None => return f64::INFINITY,
            }
        } else {
            self.trial.copy_from(&(&self.point + &step));
        }
        if evaluate(problem, self.trial.as_slice(), &mut self.trial_residuals.as_mut_slice()[..self.count]) {
            0.5 * self.trial_residuals.norm_squared()
        } else {
            f64::INFINITY
        }
    }

    /// Half the geodesic acceleration along `step`; zero where it cannot be had, `None` where it is too strong for the step to be trusted.
    fn bend(&mut self, problem: &mut Problem<Target<'_>>, scaled: &DVector<f64>, step: &DVector<f64>) -> Option<DVector<f64>> {
        const WIDTH: f64 = 0.1;
        let none = DVector::zeros(step.len());
        let local = self.local.as_ref()?;
        self.trial.copy_from(&(&self.point + step * WIDTH));
        if !evaluate(problem, self.trial.as_slice(), &mut self.trial_residuals.as_mut_slice()[..self.count]) {
            return Some(none);
        }
        // The second derivative of the residuals along the step, from one more evaluation.
        let slope = (&self.trial_residuals - &self.residuals) / WIDTH;
        let curvature = (slope - &self.jacobian * step) * (2.0 / WIDTH);
        let answer = local.scaled_answer(curvature, self.damping);
        let ratio = 2.0 * answer.norm() / scaled.norm();
        if !ratio.is_finite() {
            return Some(none);
        }
        (ratio <= 0.75).then(|| local.unscale(&answer) * 0.5)
    }

    /// The fit at the point where the loop ended.
    fn fit(self, iterations: usize, evaluations: usize) -> Result<Fit, CalibrationError> {
        let local = self.local.as_ref();
        Ok(Fit {
            covariance: local.and_then(Linearization::covariance),
            condition: local.map(Linearization::condition),
            cosine: self.cosine(),
            cost: self.cost,
            reason: self.reason,
            iterations,
            evaluations,
            point: self.point.as_slice().to_vec(),
        })
    }
}

/// Whether the residuals at `point` could be computed.
fn evaluate(problem: &mut Problem<Target<'_>>, point: &[f64], residuals: &mut [f64]) -> bool {
    point.iter().all(|x| x.is_finite())
        && problem.problem("residuals", |target| Ok(computed(target.0, point, residuals))).unwrap_or(false)
}

impl Solver<Target<'_>, Loop> for Search<'_> {
    fn name(&self) -> &str {
        METHOD
    }

    fn init(&mut self, problem: &mut Problem<Target<'_>>, state: Loop) -> Result<(Loop, Option<KV>), argmin::core::Error> {
        let point = self.point.as_slice();
        if !evaluate(problem, point, &mut self.residuals.as_mut_slice()[..self.count]) {
            let value = self.residuals.iter().copied().find(|r| !r.is_finite()).unwrap_or(f64::NAN);
            return Err(CalibrationError::Start { method: METHOD, start: 0, value, point: point.to_vec() }.into());
        }
        self.cost = 0.5 * self.residuals.norm_squared();
        if !self.cost.is_finite() {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value: self.cost, point: point.to_vec() }.into());
        }
        self.linearize(problem)?;
        Ok((state.param(self.point.as_slice().to_vec()).cost(self.cost), None))
    }

    fn next_iter(&mut self, problem: &mut Problem<Target<'_>>, state: Loop) -> Result<(Loop, Option<KV>), argmin::core::Error> {
        let settled = problem.problem.as_ref().and_then(|target| self.settled(target.0));
        let mut reason = settled.or_else(|| self.advance(problem));
        if settled.is_none() {
            self.linearize(problem)?;
            let progress = Progress {
                stage: METHOD,
                done: state.get_iter() as usize + 1,
                total: self.settings.max_iterations,
                best: self.cost,
            };
            let asked = self.observer.progress(&progress) == Flow::Stop;
            reason = reason.or(asked.then_some(StopReason::Asked));
        }
        let state = state.param(self.point.as_slice().to_vec()).cost(self.cost);
        Ok(match reason {
            Some(reason) => {
                self.reason = reason;
                (state.terminate_with(TerminationReason::SolverConverged), None)
            }
            None => (state, None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Formula = fn(&[f64], &mut [f64]) -> bool;

    /// Residuals given by a formula.
    struct Given(usize, usize, Formula);
    impl Residuals for Given {
        fn dimension(&self) -> usize {
            self.0
        }
        fn count(&self) -> usize {
            self.1
        }
        fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
            self.2(point, residuals)
        }
        fn typical(&self, _: usize) -> f64 {
            1.0
        }
    }

    const ROSENBROCK: Given = Given(2, 2, |x, r| {
        r.copy_from_slice(&[1.0 - x[0], 10.0 * (x[1] - x[0] * x[0])]);
        true
    });

    fn plain() -> LevenbergMarquardt {
        LevenbergMarquardt::default()
    }

    #[test]
    fn a_valley_is_followed_to_its_end() {
        for geodesic in [false, true] {
            for differences in [Differences::forward(2.2e-16), Differences::central(2.2e-16)] {
                let search = LevenbergMarquardt { geodesic, differences, ..plain() };
                let fit = search.minimize(&ROSENBROCK, &[-1.2, 1.0], &()).unwrap();
                assert!(fit.converged(), "{fit:?}");
                assert!(fit.point.iter().all(|x| (x - 1.0).abs() < 1e-7), "{fit:?}");
            }
        }
    }

    #[test]
    fn zero_residuals_at_the_start_are_a_fit() {
        let fit = plain().minimize(&ROSENBROCK, &[1.0, 1.0], &()).unwrap();
        assert_eq!((fit.reason, fit.cost, fit.cosine), (StopReason::CostSmall, 0.0, Some(0.0)));
        assert_eq!(fit.point, [1.0, 1.0]);
    }

    #[test]
    fn the_covariance_of_a_line_is_that_of_regression() {
        let line = Given(2, 4, |x, r| {
            for (t, (r, y)) in r.iter_mut().zip([1.0, 3.0, 4.0, 8.0]).enumerate() {
                *r = x[0] + x[1] * t as f64 - y;
            }
            true
        });
        let fit = plain().minimize(&line, &[10.0, -10.0], &()).unwrap();
        assert!((fit.cost - 0.9).abs() < 1e-12 && fit.converged(), "{fit:?}");
        for (value, expected) in fit.covariance.as_ref().unwrap().iter().zip([0.7, -0.3, -0.3, 0.2]) {
            assert!((value - expected).abs() < 1e-8, "{fit:?}");
        }
        let errors = fit.standard_errors(0.9).unwrap();
        assert!((errors[1] - 0.18f64.sqrt()).abs() < 1e-8);
    }

    #[test]
    fn a_direction_that_is_not_determined_is_left_alone_and_has_no_covariance() {
        let blind = Given(2, 2, |x, r| {
            r.copy_from_slice(&[x[0] - 3.0, 2.0 * x[0] - 5.0]);
            true
        });
        let fit = plain().minimize(&blind, &[0.0, 7.0], &()).unwrap();
        assert!(fit.converged() && (fit.point[0] - 2.6).abs() < 1e-8, "{fit:?}");
        assert_eq!((fit.point[1], fit.covariance, fit.condition), (7.0, None, Some(f64::INFINITY)));
    }

    #[test]
    fn coordinates_that_only_count_together_are_fitted_together() {
        let sum = Given(2, 3, |x, r| {
            for (t, r) in r.iter_mut().enumerate() {
                *r = (0.3 * (x[0] + x[1]) * t as f64).exp() - 1.0 - t as f64;
            }
            true
        });
        let fit = plain().minimize(&sum, &[1.0, 0.5], &()).unwrap();
        assert!(fit.converged() && fit.covariance.is_none() && fit.condition == Some(f64::INFINITY), "{fit:?}");
        assert!((fit.point[0] - fit.point[1] - 0.5).abs() < 1e-6, "{fit:?}");
    }

    #[test]
    fn losing_all_influence_is_no_convergence() {
        // Started far too high, the rate runs away to where the data say nothing about it.
        let runaway = Given(1, 2, |x, r| {
            r.copy_from_slice(&[1.0 - (-x[0]).exp() - 1.5, 1.0 - (-2.0 * x[0]).exp() - 1.2]);
            true
        });
        let fit = plain().minimize(&runaway, &[3.0], &()).unwrap();
        assert!(!fit.converged(), "{fit:?}");
    }

    #[test]
    fn fewer_residuals_than_coordinates_still_fit() {
        let sum = Given(3, 1, |x, r| {
            r[0] = x[0] + x[1] + x[2] - 6.0;
            true
        });
        let fit = plain().minimize(&sum, &[0.0, 0.0, 0.0], &()).unwrap();
        assert!(fit.cost < 1e-12 && fit.covariance.is_none(), "{fit:?}");
    }

    #[test]
    fn the_search_turns_back_where_nothing_can_be_computed() {
        // The logarithm exists for positive x only; the first full step would leap to the negative.
        let log = Given(1, 1, |x, r| {
            r[0] = x[0].ln();
            x[0] > 0.0
        });
        let fit = plain().minimize(&log, &[20.0], &()).unwrap();
        assert!(fit.converged() && (fit.point[0] - 1.0).abs() < 1e-8, "{fit:?}");
        let refused = plain().minimize(&log, &[-1.0], &());
        assert!(matches!(refused, Err(CalibrationError::Start { value, .. }) if value.is_nan()), "{refused:?}");
    }

    #[test]
    fn a_cost_beyond_all_bounds_is_no_start() {
        let huge = Given(1, 1, |x, r| {
            r[0] = 1e200 * x[0];
            true
        });
        let refused = plain().minimize(&huge, &[1.0], &());
        assert!(matches!(refused, Err(CalibrationError::Start { value: f64::INFINITY, .. })), "{refused:?}");
    }

    #[test]
    fn an_isolated_point_has_no_derivative() {
        let isolated = Given(1, 1, |x, r| {
            r[0] = 1.0;
            x[0] == 2.0
        });
        let refused = plain().minimize(&isolated, &[2.0], &());
        assert_eq!(refused, Err(CalibrationError::Derivative { method: METHOD, coordinate: 0, point: vec![2.0] }));
    }

    #[test]
    fn noise_ends_a_search_without_a_claim_that_is_false() {
        let noisy = Given(1, 2, |x, r| {
            let noise = 1e-4 * (1e6 * x[0]).sin();
            r.copy_from_slice(&[x[0] - 1.0 + noise, 1.0 + noise]);
            true
        });
        let fit = plain().minimize(&noisy, &[5.0], &()).unwrap();
        assert!((fit.point[0] - 1.0).abs() < 5.0 && fit.cost <= 8.6, "{fit:?}");
        let aware = LevenbergMarquardt { gradient_tolerance: 3e-2, differences: Differences::central(1e-4), ..plain() };
        let fit = aware.minimize(&noisy, &[5.0], &()).unwrap();
        assert!(fit.converged() && (fit.point[0] - 1.0).abs() < 0.1, "{fit:?}");
    }

    #[test]
    fn derivatives_of_the_problem_are_used() {
        struct Own;
        impl Residuals for Own {
            fn dimension(&self) -> usize {
                2
            }
            fn count(&self) -> usize {
                2
            }
            fn residuals(&self, x: &[f64], r: &mut [f64]) -> bool {
                ROSENBROCK.residuals(x, r)
            }
            fn derivatives(&self) -> Option<&dyn super::super::Derivatives> {
                Some(self)
            }
        }
        impl super::super::Derivatives for Own {
            fn derivatives(&self, x: &[f64], columns: &mut [f64]) -> bool {
                columns.copy_from_slice(&[-1.0, -20.0 * x[0], 0.0, 10.0]);
                true
            }
        }
        let (own, differences) = (plain().minimize(&Own, &[-1.2, 1.0], &()), plain().minimize(&ROSENBROCK, &[-1.2, 1.0], &()));
        let (own, differences) = (own.unwrap(), differences.unwrap());
        assert!(own.converged() && own.evaluations < differences.evaluations, "{own:?} {differences:?}");
    }

    #[test]
    fn threads_change_nothing() {
        let parallel = LevenbergMarquardt { parallel: true, ..plain() };
        assert_eq!(plain().minimize(&ROSENBROCK, &[-1.2, 1.0], &()), parallel.minimize(&ROSENBROCK, &[-1.2, 1.0], &()));
    }

    #[test]
    fn stopping_is_no_error_and_bad_settings_are() {
        let after_two = |p: &Progress| if p.done < 2 { Flow::Continue } else { Flow::Stop };
        let fit = plain().minimize(&ROSENBROCK, &[-1.2, 1.0], &after_two).unwrap();
        assert_eq!((fit.reason, fit.iterations), (StopReason::Asked, 2));
        let short = LevenbergMarquardt { max_iterations: 3, ..plain() };
        assert_eq!(short.minimize(&ROSENBROCK, &[-1.2, 1.0], &()).unwrap().reason, StopReason::MaxIterations);
        let bad = LevenbergMarquardt { damping: 0.0, ..plain() };
        assert!(matches!(bad.minimize(&ROSENBROCK, &[0.0, 0.0], &()), Err(CalibrationError::Setting { setting: "damping", .. })));
        assert!(matches!(plain().minimize(&ROSENBROCK, &[0.0], &()), Err(CalibrationError::Length { expected: 2, .. })));
    }
}
