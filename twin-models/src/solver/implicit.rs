//! The L-stable Rosenbrock method of order 4(3) of Hairer and Wanner (RODAS), one step at a time, with dense output of order 3.
//!
//! Hairer and Wanner 1996, Solving Ordinary Differential Equations II, section IV.10; the coefficients stand in [`crate::stiff`].
//!
//! It uses the basic operations and the square root only, as the explicit pair does.

// Loops over a matrix read best by index.
#![allow(clippy::needless_range_loop)]

use super::{StepFailure, System, Tolerance};
use crate::Real;
use crate::stiff::{A, ALPHA, C, D, DENSE, GAMMA, factorize, solve};

/// Where the product of a step and the size of the Jacobian is below this, an explicit step of that length is stable.
const EXPLICIT_IS_STABLE: f64 = 1.5;
/// So many steps in a row must be stable for the explicit method before it takes over again.
const CALM_STEPS: usize = 20;

/// An integrator that stands on its last accepted step `[start, end]` and can tell the state anywhere in it.
#[derive(Debug, Clone)]
pub(crate) struct Rosenbrock<S> {
    start: f64,
    end: f64,
    first: S,
    last: S,
    /// The rates at the start of the step under way.
    slope: S,
    stages: [S; 6],
    scratch: [S; 3],
    dense: [S; 2],
    /// The Jacobian at the start of the step, row by row, and its time derivative; derivatives of its columns where they are carried.
    jacobian: Vec<f64>,
    by_time: Vec<f64>,
    bends: Vec<S>,
    factors: Vec<f64>,
    pivots: Vec<usize>,
    next_step: f64,
    last_error: f64,
    /// Steps in a row that an explicit method could have made.
    calm: usize,
}

impl<S> Rosenbrock<S> {
    /// An integrator that stands at `t` in the state `x`, and tries `step` first.
    pub(crate) fn new<T: Real>(t: f64, x: &S, step: f64) -> Self
    where
        S: Clone + AsRef<[T]>,
    {
        let n = x.as_ref().len();
        let copy = || x.clone();
        Self {
            start: t,
            end: t,
            first: copy(),
            last: copy(),
            slope: copy(),
            stages: std::array::from_fn(|_| copy()),
            scratch: std::array::from_fn(|_| copy()),
            dense: std::array::from_fn(|_| copy()),
            jacobian: vec![0.0; n * n],
            by_time: vec![0.0; n],
            bends: if T::CARRIES_DERIVATIVES { vec![x.clone(); n + 1] } else { Vec::new() },
            factors: vec![0.0; n * n],
            pivots: vec![0; n],
            next_step: step,
            last_error: 1.0,
            calm: 0,
        }
    }

    pub(crate) fn end(&self) -> f64 {
        self.end
    }

    pub(crate) fn last(&self) -> &S {
        &self.last
    }

    /// Whether an explicit method could go on from here with steps as long.
    pub(crate) fn is_calm(&self) -> bool {
        self.calm >= CALM_STEPS
    }
}

impl<S: Clone> Rosenbrock<S> {
    /// Puts the integrator at `t` in the state `x`, as if nothing had come before, with `step` to try first.
    pub(crate) fn jump(&mut self, t: f64, x: &S, step: f64) {
        (self.start, self.end) = (t, t);
        self.first.clone_from(x);
        self.last.clone_from(x);
        (self.next_step, self.last_error, self.calm) = (step, 1.0, 0);
    }

    /// Takes the last step back, keeping its length as the next one to try.
    pub(crate) fn undo(&mut self) {
        self.next_step = self.end - self.start;
        self.end = self.start;
        self.last.clone_from(&self.first);
    }

    /// Makes one step towards `limit`, never beyond it.
    pub(crate) fn step<T: Real>(
        &mut self,
        system: &mut dyn System<T, S>,
        tolerance: &Tolerance<impl AsRef<[f64]>>,
        limit: f64,
    ) -> Result<(), StepFailure>
    where
        S: AsRef<[T]> + AsMut<[T]>,
    {
        self.start = self.end;
        self.first.clone_from(&self.last);
        system.rates(self.start, &self.first, &mut self.slope);
        system.linearize(self.start, &self.first, &mut self.jacobian, &mut self.by_time);
        let mut step = self.next_step;
        self.bend(system, step.min(limit - self.start), tolerance);
        let mut rejected = false;
        let mut failure = StepFailure::TooSmall(0);
        loop {
            if step <= 1e-14_f64.max(4.0 * f64::EPSILON * self.start.abs()) && limit - self.start > step {
                self.end = self.start;
                self.last.clone_from(&self.first);
                return Err(failure);
            }
            let clipped = self.start + 1.01 * step >= limit;
            let (h, end) = if clipped { (limit - self.start, limit) } else { (step, self.start + step) };
            let (error, hardest) = self.attempt(h, system, tolerance);
            if error <= 1.0 {
                if let Some(bound) = tolerance.outside(&self.last) {
                    failure = bound;
                    step = 0.5 * h;
                } else {
                    self.end = end;
                    self.finish(h, if clipped { step } else { h }, error, rejected);
                    return Ok(());
                }
            } else if error.is_finite() {
                failure = StepFailure::TooSmall(hardest);
                step = h * (0.9 / error.sqrt().sqrt()).clamp(0.1, 0.9);
            } else {
                let bad = self.last.as_ref().iter().map(|x| x.value()).enumerate().find(|(_, value)| !value.is_finite());
                failure = bad.map_or(StepFailure::TooSmall(hardest), |(index, value)| StepFailure::NotFinite(index, value));
                step = 0.1 * h;
            }
            rejected = true;
        }
    }

    /// Chooses the next step after one of length `h` that was tried as `tried`.
    fn finish(&mut self, h: f64, tried: f64, error: f64, rejected: bool) {
        let error = error.max(1e-2);
        // The step before tells where the error is heading (Gustafsson).
        let root = |x: f64| x.sqrt().sqrt();
        let factor = 0.9 / root(error) * root(self.last_error / error).min(1.0);
        self.next_step = h * factor.clamp(0.2, if rejected { 1.0 } else { 6.0 });
        self.next_step = if rejected { self.next_step } else { self.next_step.max(tried) };
        self.last_error = error;
        let n = self.by_time.len();
        let row = |i: usize| self.jacobian[i * n..(i + 1) * n].iter().map(|entry| entry.abs()).sum::<f64>();
        let largest = (0..n).map(row).fold(0.0, f64::max);
        self.calm = if h * largest < EXPLICIT_IS_STABLE { self.calm + 1 } else { 0 };
    }

    /// The derivatives of the Jacobian along those that the state carries, by central differences of the carried derivatives: exact
    /// enough to follow those of the course, since the values do not take part.
    fn bend<T: Real>(&mut self, system: &mut dyn System<T, S>, h: f64, tolerance: &Tolerance<impl AsRef<[f64]>>)
    where
        S: AsRef<[T]> + AsMut<[T]>,
    {
        let n = self.by_time.len();
        let [y, above, below] = &mut self.scratch;
        for j in 0..self.bends.len() {
            y.clone_from(&self.first);
            let (size, now) = match self.first.as_ref().get(j) {
                Some(x) => (x.value().abs().max(tolerance.absolute.as_ref()[j] / tolerance.relative), true),
                None => (self.start.abs().max(h), false),
            };
            let move_by = 6e-6 * size; // the cube root of the rounding
            let mut at = |offset: f64, to: &mut S| {
                if now {
                    y.as_mut()[j] = self.first.as_ref()[j] + offset;
                    system.rates(self.start, y, to);
                } else {
                    system.rates(self.start + offset, y, to);
                }
            };
            at(move_by, above);
            at(-move_by, below);
            for i in 0..n {
                let slope = (above.as_ref()[i] - below.as_ref()[i]) * (0.5 / move_by);
                self.bends[j].as_mut()[i] = slope.derivatives();
            }
        }
    }

    /// Computes the stages of a step of length `h`, leaves the new state in `last`, and tells its error (1 is just tolerable) and the
    /// state that has the largest part in it.
    fn attempt<T: Real>(&mut self, h: f64, system: &mut dyn System<T, S>, tolerance: &Tolerance<impl AsRef<[f64]>>) -> (f64, usize)
    where
        S: AsRef<[T]> + AsMut<[T]>,
    {
        let n = self.by_time.len();
        for (factor, entry) in self.factors.iter_mut().zip(&self.jacobian) {
            *factor = -entry;
        }
        for i in 0..n {
            self.factors[i * n + i] += 1.0 / (GAMMA * h);
        }
        if factorize(&mut self.factors, &mut self.pivots).is_none() {
            self.last.as_mut().fill(T::from(f64::NAN));
            return (f64::INFINITY, 0);
        }
        let [value, right, values] = &mut self.scratch;
        let y = &mut self.last;
        value.clone_from(&self.slope);
        y.clone_from(&self.first);
        for stage in 0..6 {
            let (earlier, now) = self.stages.split_at_mut(stage);
            if stage > 0 {
                if stage < 5 {
                    y.clone_from(&self.first);
                    for (weight, stage) in A[stage].iter().zip(&*earlier) {
                        add(y, *weight, stage);
                    }
                } else {
                    add(y, 1.0, &earlier[4]);
                }
                system.rates(self.start + ALPHA[stage] * h, y, value);
            }
            right.clone_from(value);
            for (weight, stage) in C[stage].iter().zip(&*earlier) {
                add(right, weight / h, stage);
            }
            for (entry, by_time) in right.as_mut().iter_mut().zip(&self.by_time) {
                *entry += T::from(D[stage] * h * by_time);
            }
            if T::CARRIES_DERIVATIVES {
                // The system itself moves with what is differentiated by: J' k on the right, with the values of k.
                values.clone_from(right);
                solve(&self.factors, &self.pivots, values.as_mut());
                for (j, bend) in self.bends.iter().enumerate() {
                    let weight = values.as_ref().get(j).map_or(D[stage] * h, |k| k.value());
                    add(right, weight, bend);
                }
            }
            solve(&self.factors, &self.pivots, right.as_mut());
            if let Some(place) = now.first_mut() {
                place.clone_from(right);
            }
        }
        add(y, 1.0, &self.stages[5]);
        for (dense, weights) in self.dense.iter_mut().zip(&DENSE) {
            dense.as_mut().fill(T::from(0.0));
            for (weight, stage) in weights.iter().zip(&self.stages) {
                add(dense, *weight, stage);
            }
        }
        self.error(tolerance)
    }

    fn error<T: Real>(&self, tolerance: &Tolerance<impl AsRef<[f64]>>) -> (f64, usize)
    where
        S: AsRef<[T]>,
    {
        let (n, y) = (self.by_time.len(), self.last.as_ref());
        let (mut sum, mut hardest, mut most) = (0.0, 0, -1.0);
        for i in 0..n {
            let size = self.first.as_ref()[i].value().abs().max(y[i].value().abs());
            let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * size;
            let part = self.stages[5].as_ref()[i].value() / scale;
            sum += part * part;
            if part * part > most {
                (hardest, most) = (i, part * part);
            }
        }
        let sound = y.iter().all(|x| x.value().is_finite());
        (if sound { (sum / n.max(1) as f64).sqrt() } else { f64::INFINITY }, hardest)
    }

    /// Writes the state at `t`, inside the last step, to `x`.
    pub(crate) fn interpolate<T: Real>(&self, t: f64, x: &mut S)
    where
        S: AsRef<[T]> + AsMut<[T]>,
    {
        let h = self.end - self.start;
        if t >= self.end || h <= 0.0 {
            x.clone_from(&self.last);
            return;
        }
        let s = (t - self.start) / h;
        let [second, third] = &self.dense;
        for i in 0..self.by_time.len() {
            let bow = (second.as_ref()[i] + third.as_ref()[i] * s) * (1.0 - s);
            x.as_mut()[i] = self.first.as_ref()[i] * (1.0 - s) + (self.last.as_ref()[i] + bow) * s;
        }
    }
}

fn add<T: Real, S: AsRef<[T]> + AsMut<[T]>>(y: &mut S, weight: f64, x: &S) {
    for (y, x) in y.as_mut().iter_mut().zip(x.as_ref()) {
        *y += *x * weight;
    }
}
