//! Stiff systems of a few states: the L-stable Rosenbrock method of order 4(3) of Hairer and Wanner (RODAS), with a Jacobian by
//! differences.
//!
//! An integrator by itself, for rates that differ by many orders of magnitude. [`Ode`](crate::Ode) goes over to the same method by itself
//! where explicit steps collapse, with the exact Jacobian.
//!
//! ```
//! use twin_models::stiff::Rosenbrock;
//! // Robertson: three reactions, of rates 0.04, 1e4 and 3e7.
//! let mut x = [1.0, 0.0, 0.0];
//! let rates = |_t: f64, x: &[f64; 3], dx: &mut [f64; 3]| {
//!     let (slow, back, fast) = (0.04 * x[0], 1e4 * x[1] * x[2], 3e7 * x[1] * x[1]);
//!     *dx = [back - slow, slow - back - fast, fast];
//! };
//! let work = Rosenbrock::new(1e-8, 1e-20)?.integrate(rates, (0.0, 1e11), &mut x)?;
//! assert!((x[0] / 2.083_340_149_701_255e-8 - 1.0).abs() < 1e-5 && work.steps < 5000);
//! # Ok::<(), twin_models::SimulationError>(())
//! ```
//!
//! Hairer and Wanner 1996, Solving Ordinary Differential Equations II, section IV.10.

// The coefficients keep the names and the digits of the code of the book; loops over a matrix read best by index.
#![allow(clippy::unreadable_literal, clippy::needless_range_loop)]

use crate::check::positive;
use crate::{Real, SimulationError};
use twin_core::CoreError;

pub(crate) const GAMMA: f64 = 0.25;
/// Times of the stages as shares of the step, and the weights of the derivative by time.
pub(crate) const ALPHA: [f64; 6] = [0.0, 0.386, 0.21, 0.63, 1.0, 1.0];
pub(crate) const D: [f64; 6] = [0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0];
/// Weights of earlier stages in the argument of a stage; the sixth has those of the fifth, and the fifth stage whole.
pub(crate) const A: [[f64; 4]; 5] = [
    [0.0, 0.0, 0.0, 0.0],
    [1.544, 0.0, 0.0, 0.0],
    [0.9466785280815826, 0.2557011698983284, 0.0, 0.0],
    [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895],
];
/// Weights of earlier stages, over the step, on the right-hand side.
pub(crate) const C: [[f64; 5]; 6] = [
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [-5.6688, 0.0, 0.0, 0.0, 0.0],
    [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
    [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
    [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616, 0.0],
    [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
];
/// Weights of the first five stages in the dense output of order 3.
pub(crate) const DENSE: [[f64; 5]; 2] = [
    [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
    [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
];

const MODEL: &str = "stiff integrator";

/// The method with its tolerances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rosenbrock {
    relative: f64,
    absolute: f64,
    /// The most steps, rejected ones included; 100 000 unless changed.
    pub most_steps: usize,
}

/// What an integration cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Accepted steps.
    pub steps: usize,
    /// Rejected steps.
    pub rejected: usize,
    /// Evaluations of the rates, those for the Jacobian included.
    pub evaluations: usize,
}

impl Rosenbrock {
    /// The method with a `relative` and an `absolute` tolerance per step.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn new(relative: f64, absolute: f64) -> Result<Self, CoreError> {
        let relative = positive("relative tolerance", relative)?;
        Ok(Self { relative, absolute: positive("absolute tolerance", absolute)?, most_steps: 100_000 })
    }

    /// Takes `x` from the first time of `span` to the second under `rates`, which writes the rate of change of its second argument at its
    /// first one to its third.
    ///
    /// # Errors
    /// [`SimulationError::NotFinite`] for a state or rate that is not finite at the start; [`SimulationError::StepTooSmall`] if no step
    /// meets the tolerance; [`SimulationError::TooManySteps`]; [`CoreError`] for a span that is not finite or goes back. `x` then stands
    /// where the last accepted step ended.
    pub fn integrate<const N: usize>(
        &self,
        mut rates: impl FnMut(f64, &[f64; N], &mut [f64; N]),
        span: (f64, f64),
        x: &mut [f64; N],
    ) -> Result<Work, SimulationError> {
        let (mut t, end) = span;
        crate::check::not_negative("length of the span of an integration", end - t)?;
        let mut work = Work::default();
        let mut slope = [0.0; N];
        rates(t, x, &mut slope);
        work.evaluations += 1;
        if let Some((state, value)) = x.iter().chain(&slope).copied().enumerate().find(|(_, value)| !value.is_finite()) {
            let state = (state % N.max(1)).to_string();
            return Err(SimulationError::NotFinite { model: MODEL.to_owned(), state, value, day: t });
        }
        let mut h = self.first_step(x, &slope, end - t);
        let (mut after_rejection, mut last_error) = (false, 1.0_f64);
        while t < end {
            if work.steps + work.rejected >= self.most_steps {
                return Err(SimulationError::TooManySteps { model: MODEL.to_owned(), limit: self.most_steps, day: t });
            }
            if t + 1.0001 * h >= end {
                h = end - t;
            }
            let (next, error, hardest) = self.attempt(&mut rates, t, h, x, &slope, &mut work);
            let wanted = if error.is_finite() { 0.9 * error.max(1e-10).powf(-0.25) } else { 0.1 };
            if error <= 1.0 {
                // The step before tells where the error is heading (Gustafsson).
                let predicted = wanted * (last_error / error.max(1e-2)).powf(0.25).min(1.0);
                let factor = predicted.clamp(0.2, if after_rejection { 1.0 } else { 6.0 });
                t = if h >= end - t { end } else { t + h };
                *x = next;
                rates(t, x, &mut slope);
                work.evaluations += 1;
                work.steps += 1;
                last_error = error.max(1e-2);
                h *= factor;
                after_rejection = false;
            } else {
                h *= wanted.clamp(0.1, 0.9);
                work.rejected += 1;
                after_rejection = true;
                if h <= 16.0 * f64::EPSILON * t.abs().max(f64::MIN_POSITIVE) {
                    return Err(SimulationError::StepTooSmall { model: MODEL.to_owned(), state: hardest.to_string(), day: t });
                }
            }
        }
        Ok(work)
    }

    fn scale(&self, size: f64) -> f64 {
        self.absolute + self.relative * size.abs()
    }

    fn first_step<const N: usize>(&self, x: &[f64; N], slope: &[f64; N], most: f64) -> f64 {
        let fastest = x.iter().zip(slope).map(|(&x, &slope)| (slope / self.scale(x)).abs()).fold(0.0, f64::max);
        // One percent of a tolerance by the slope alone; the control soon finds a better one.
        if fastest > 0.0 { (1.0 / fastest).min(most) } else { most * 1e-6 }
    }

    /// The state after a step of `h`, its error (1 is just tolerable), and the state that has the largest part in it.
    fn attempt<const N: usize>(
        &self,
        rates: &mut impl FnMut(f64, &[f64; N], &mut [f64; N]),
        t: f64,
        h: f64,
        x: &[f64; N],
        slope: &[f64; N],
        work: &mut Work,
    ) -> ([f64; N], f64, usize) {
        let (mut matrix, by_time) = linearize(rates, (t, h), x, slope, self.absolute / self.relative, work);
        for i in 0..N {
            for j in 0..N {
                matrix[i][j] = -matrix[i][j];
            }
            matrix[i][i] += 1.0 / (GAMMA * h);
        }
        let mut pivots = [0; N];
        if factorize(matrix.as_flattened_mut(), &mut pivots).is_none() {
            return (*x, f64::INFINITY, 0);
        }
        let mut stages = [[0.0; N]; 6];
        let mut y = *x;
        let mut value = *slope;
        for stage in 0..6 {
            if stage > 0 {
                if stage < 5 {
                    y = *x;
                    for (weight, earlier) in A[stage].iter().zip(&stages).take(stage) {
                        add(&mut y, *weight, earlier);
                    }
                } else {
                    add(&mut y, 1.0, &stages[4]);
                }
                rates(t + ALPHA[stage] * h, &y, &mut value);
                work.evaluations += 1;
            }
            let mut right = value;
            for (weight, earlier) in C[stage].iter().zip(&stages).take(stage) {
                add(&mut right, weight / h, earlier);
            }
            add(&mut right, D[stage] * h, &by_time);
            solve(matrix.as_flattened(), &pivots, &mut right);
            stages[stage] = right;
        }
        add(&mut y, 1.0, &stages[5]);
        let (mut sum, mut hardest, mut most) = (0.0, 0, -1.0);
        for i in 0..N {
            let part = (stages[5][i] / self.scale(x[i].abs().max(y[i].abs()))).powi(2);
            sum += part;
            if part > most {
                (hardest, most) = (i, part);
            }
        }
        let sound = y.iter().all(|value| value.is_finite());
        (y, if sound { (sum / N.max(1) as f64).sqrt() } else { f64::INFINITY }, hardest)
    }
}

fn add<const N: usize>(y: &mut [f64; N], weight: f64, x: &[f64; N]) {
    for i in 0..N {
        y[i] += weight * x[i];
    }
}

/// The Jacobian, row by row, and the derivative by time, by forward differences; a state below `small` moves as one of that size does.
fn linearize<const N: usize>(
    rates: &mut impl FnMut(f64, &[f64; N], &mut [f64; N]),
    (t, h): (f64, f64),
    x: &[f64; N],
    slope: &[f64; N],
    small: f64,
    work: &mut Work,
) -> ([[f64; N]; N], [f64; N]) {
    let mut jacobian = [[0.0; N]; N];
    let mut moved = [0.0; N];
    for j in 0..N {
        let mut y = *x;
        let step = f64::EPSILON.sqrt() * x[j].abs().max(small);
        y[j] += step;
        rates(t, &y, &mut moved);
        let step = y[j] - x[j];
        for i in 0..N {
            jacobian[i][j] = (moved[i] - slope[i]) / step;
        }
    }
    let later = t + f64::EPSILON.sqrt() * t.abs().max(h);
    rates(later, x, &mut moved);
    work.evaluations += N + 1;
    (jacobian, std::array::from_fn(|i| (moved[i] - slope[i]) / (later - t)))
}

/// Replaces the square matrix `a`, row by row, by its triangular factors, and writes the order of its rows to `pivots`; `None` if it is
/// singular.
pub(crate) fn factorize(a: &mut [f64], pivots: &mut [usize]) -> Option<()> {
    let n = pivots.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs()))?;
        let size = a[pivot * n + k].abs();
        if !(size.is_finite() && size > 0.0) {
            return None;
        }
        if pivot != k {
            (0..n).for_each(|j| a.swap(k * n + j, pivot * n + j));
        }
        pivots[k] = pivot;
        for i in k + 1..n {
            a[i * n + k] /= a[k * n + k];
            for j in k + 1..n {
                a[i * n + j] -= a[i * n + k] * a[k * n + j];
            }
        }
    }
    Some(())
}

/// Solves with the factors of [`factorize`].
pub(crate) fn solve<T: Real>(factors: &[f64], pivots: &[usize], b: &mut [T]) {
    let n = pivots.len();
    for k in 0..n {
        b.swap(k, pivots[k]);
    }
    for i in 0..n {
        for j in 0..i {
            let known = b[j];
            b[i] -= known * factors[i * n + j];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            let known = b[j];
            b[i] -= known * factors[i * n + j];
        }
        b[i] = b[i] / factors[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stiff, and driven in time: the solution is the cosine whatever the rate.
    fn driven(t: f64, x: &[f64; 2], dx: &mut [f64; 2]) {
        *dx = [-1e6 * (x[0] - t.cos()) - t.sin(), -x[1]];
    }

    #[test]
    fn the_error_follows_the_tolerance() {
        for relative in [1e-4, 1e-6, 1e-8] {
            let mut x = [1.0, 1.0];
            let work = Rosenbrock::new(relative, relative).unwrap().integrate(driven, (0.0, 3.0), &mut x).unwrap();
            let error = (x[0] - 3.0_f64.cos()).abs().max((x[1] - (-3.0_f64).exp()).abs());
            assert!(error < 20.0 * relative, "{error} at {relative}");
            assert!(work.steps < 2000, "{work:?}");
        }
    }

    #[test]
    fn what_cannot_be_integrated_is_an_error() {
        let method = Rosenbrock::new(1e-6, 1e-9).unwrap();
        assert!(Rosenbrock::new(0.0, 1e-9).is_err());
        assert!(method.integrate(driven, (3.0, 0.0), &mut [1.0, 1.0]).is_err());
        assert!(method.integrate(driven, (0.0, 1.0), &mut [f64::NAN, 1.0]).is_err());
        // x' = x^2 is infinite at t = 1.
        let blows_up = |_t: f64, x: &[f64; 1], dx: &mut [f64; 1]| *dx = [x[0] * x[0]];
        assert!(method.integrate(blows_up, (0.0, 2.0), &mut [1.0]).is_err());
        let few = Rosenbrock { most_steps: 3, ..method };
        assert!(matches!(few.integrate(driven, (0.0, 3.0), &mut [0.0, 1.0]), Err(SimulationError::TooManySteps { .. })));
    }
}
