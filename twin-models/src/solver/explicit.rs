//! The explicit Runge-Kutta pair of Tsitouras, orders 5(4), with dense output of order 4.
//!
//! Coefficients and dense output: Tsitouras 2011 (doi:10.1016/j.camwa.2011.06.002). Step control: Gustafsson 1991
//! (doi:10.1145/210232.210242), proportional and integral; starting step: Hairer, Nørsett and Wanner, Solving Ordinary Differential
//! Equations I, section II.4. At equal error it needs a tenth fewer right-hand sides than the pair of Dormand and Prince.
//!
//! It uses the basic operations and the square root only, no logarithm or power of the platform: the same course has the same bits
//! on every machine.

use super::pace::{SMALL, fifth_root, growth};
use super::tableau::{A2, A3, A4, A5, A6, A7, C, D, E, combine, weigh, weigh_values};
use crate::Real;
use crate::scalar::wide;
use std::marker::PhantomData;

/// Every so many steps it is judged whether the system is stiff, and every step while it seems so.
const LOOK_EVERY: u32 = 8;
/// So many strained steps in a row mean that it is.
const STRAINED_STEPS: u32 = 20;
/// The product of step and rate beyond which a step is strained; on the negative axis the pair is stable up to about 3.5.
const STABLE: f64 = 2.5;

/// What accuracy means, for each state, and between which bounds a state must stay.
#[derive(Debug, Clone)]
pub(crate) struct Tolerance<A> {
    pub(crate) relative: f64,
    pub(crate) absolute: A,
    pub(crate) low: A,
    pub(crate) high: A,
}

impl<A: AsRef<[f64]>> Tolerance<A> {
    /// The first state of `x` that lies outside its bounds by more than its absolute tolerance.
    #[inline(always)]
    pub(super) fn outside<T: Real>(&self, x: &impl AsRef<[T]>) -> Option<StepFailure> {
        let (x, slack) = (x.as_ref(), self.absolute.as_ref());
        let (low, high) = (self.low.as_ref(), self.high.as_ref());
        let strays = |i: usize| (x[i].value() < low[i] - slack[i]) | (x[i].value() > high[i] + slack[i]);
        // First without branches, as it is the rule that none strays.
        let mut any = false;
        for i in 0..x.len() {
            any |= strays(i);
        }
        if any { (0..x.len()).find(|&i| strays(i)).map(|i| StepFailure::OutOfBounds(i, x[i].value())) } else { None }
    }

    /// Whether `x` is finite and within its bounds.
    pub(crate) fn check<T: Real>(&self, x: &impl AsRef<[T]>) -> Result<(), StepFailure> {
        match x.as_ref().iter().map(|x| x.value()).enumerate().find(|(_, value)| !value.is_finite()) {
            Some((index, value)) => Err(StepFailure::NotFinite(index, value)),
            None => self.outside(x).map_or(Ok(()), Err),
        }
    }
}

/// Why no step could be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StepFailure {
    /// The state at this place became this value, which is not finite.
    NotFinite(usize, f64),
    /// The state at this place left its bounds for this value.
    OutOfBounds(usize, f64),
    /// The tolerance cannot be met, and the state at this place is the farthest from it.
    TooSmall(usize),
}

/// An integrator that stands on its last accepted step `[start, end]` and can tell the state anywhere in it. Steps are chosen by the
/// values of the state alone, so that derivatives come along and change nothing.
#[derive(Debug, Clone)]
pub(crate) struct Tsitouras<T, S> {
    start: f64,
    end: f64,
    first: S,
    last: S,
    stages: [S; 7],
    next_step: f64,
    /// The square of the error of the step before.
    previous: f64,
    /// Accepted steps since the last restart.
    accepted: u32,
    /// How many of them in a row were as long as stability allows.
    strained: u32,
    numbers: PhantomData<T>,
}

impl<T: Real, S: Clone + AsRef<[T]> + AsMut<[T]>> Tsitouras<T, S> {
    /// An integrator that stands at `t` in the state `x`, before any step.
    pub(crate) fn new(t: f64, x: S, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<impl AsRef<[f64]>>) -> Self {
        let stages = std::array::from_fn(|_| x.clone());
        let (first, numbers) = (x.clone(), PhantomData);
        let mut new =
            Self { start: t, end: t, first, last: x, stages, next_step: 0.0, previous: SMALL, accepted: 0, strained: 0, numbers };
        new.restart(rates, tolerance);
        new
    }

    /// Where the last step ends.
    pub(crate) fn end(&self) -> f64 {
        self.end
    }

    /// The state at the end of the last step.
    pub(crate) fn last(&self) -> &S {
        &self.last
    }

    /// Puts the integrator at `t` in the state `x`, as if nothing had come before.
    pub(crate) fn jump(
        &mut self,
        t: f64,
        x: &S,
        rates: &mut impl FnMut(f64, &S, &mut S),
        tolerance: &Tolerance<impl AsRef<[f64]>>,
    ) {
        self.end = t;
        self.last.clone_from(x);
        self.restart(rates, tolerance);
    }

    /// Takes the last step back, keeping its length as the next one to try.
    pub(crate) fn undo(&mut self) {
        self.next_step = self.end - self.start;
        self.end = self.start;
        self.last.clone_from(&self.first);
        let [stage_1, .., stage_7] = &mut self.stages;
        stage_7.clone_from(stage_1);
    }

    /// The rates changed at the end of the last step: forget the history and choose a fresh step.
    fn restart(&mut self, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<impl AsRef<[f64]>>) {
        self.start = self.end;
        self.first.clone_from(&self.last);
        self.previous = SMALL;
        (self.accepted, self.strained) = (0, 0);
        let [stage_1, trial, .., stage_7] = &mut self.stages;
        rates(self.end, &self.last, stage_7);
        stage_1.clone_from(stage_7);
        let scaled = |v: &S, i: usize| {
            v.as_ref()[i].value() / (tolerance.absolute.as_ref()[i] + tolerance.relative * self.last.as_ref()[i].value().abs())
        };
        let n = self.last.as_ref().len();
        let norm = |v: &S| ((0..n).map(|i| scaled(v, i).powi(2)).sum::<f64>() / n.max(1) as f64).sqrt();
        let (size, slope) = (norm(&self.last), norm(stage_7));
        let guess = if size < 1e-5 || slope < 1e-5 { 1e-6 } else { 0.01 * size / slope };
        // Of a state near zero that suddenly grows, the guess would drown in the rounding of time.
        let guess = guess.max(1e-10_f64.max(1e3 * f64::EPSILON * self.end.abs()));
        // One explicit Euler step shows how fast the rates change.
        for i in 0..n {
            self.first.as_mut()[i] = self.last.as_ref()[i] + stage_7.as_ref()[i] * guess;
        }
        rates(self.end + guess, &self.first, trial);
        self.first.clone_from(&self.last);
        for i in 0..n {
            trial.as_mut()[i] -= stage_7.as_ref()[i];
        }
        let steepest = slope.max(norm(trial) / guess);
        let step = if steepest <= 1e-15 { (guess * 1e-3).max(1e-6) } else { fifth_root(0.01 / steepest) };
        self.next_step = step.min(1000.0 * guess);
        if !(steepest.is_finite() && self.next_step.is_finite() && self.next_step > 0.0) {
            self.next_step = 1e-6; // a state or rate that is not finite: the first step finds it and says which
        }
    }

    /// Makes one step towards `limit`, never beyond it.
    pub(crate) fn step(
        &mut self,
        rates: &mut impl FnMut(f64, &S, &mut S),
        tolerance: &Tolerance<impl AsRef<[f64]>>,
        limit: f64,
    ) -> Result<(), StepFailure> {
        self.start = self.end;
        self.first.clone_from(&self.last);
        let [stage_1, .., stage_7] = &mut self.stages;
        stage_1.clone_from(stage_7); // first same as last
        let mut step = self.next_step;
        let mut rejected = false;
        let mut failure = StepFailure::TooSmall(0);
        loop {
            if step <= 1e-14_f64.max(4.0 * f64::EPSILON * self.start.abs()) && limit - self.start > step {
                self.end = self.start;
                self.last.clone_from(&self.first);
                return Err(failure);
            }
            let clipped = self.start + 1.01 * step >= limit;
            let (h, end) = if clipped { up_to(self.start, limit) } else { (step, self.start + step) };
            let error = if T::CARRIES_DERIVATIVES {
                wide(|| self.attempt_in_turn(h, end, rates, tolerance))
            } else {
                self.attempt(h, end, rates, tolerance)
            };
            if error <= 1.0 {
                match tolerance.outside(&self.last) {
                    None => {
                        self.end = end;
                        self.next_step = h * growth(error, self.previous);
                        if clipped || rejected {
                            self.restrain(h, step, clipped, rejected);
                        }
                        self.previous = error.max(SMALL);
                        self.accepted = self.accepted.wrapping_add(1);
                        if self.accepted.is_multiple_of(LOOK_EVERY) || self.strained > 0 {
                            self.judge_stability(tolerance);
                        }
                        return Ok(());
                    }
                    Some(bound) => {
                        failure = bound;
                        step = 0.5 * h;
                    }
                }
            } else if error.is_finite() {
                failure = StepFailure::TooSmall(self.hardest(tolerance));
                step = h * growth(error, 1.0);
            } else {
                failure = self.culprit().unwrap_or_else(|| StepFailure::TooSmall(self.hardest(tolerance)));
                step = 0.1 * h;
            }
            rejected = true;
        }
    }

    /// The length of the step that will be tried next.
    pub(crate) fn next_step(&self) -> f64 {
        self.next_step
    }

    /// Whether stability, and not accuracy, has held the last steps back.
    #[inline]
    pub(crate) fn is_stiff(&self) -> bool {
        self.strained >= STRAINED_STEPS
    }

    /// Judges whether the step just made was about as long as stability allows. The last two stages lie at the same time,
    /// so the ratio of the differences of their rates and of their states tells the fastest rate of the system (Shampine 1977; Hairer
    /// and Wanner, section IV.2).
    #[cold]
    fn judge_stability(&mut self, tolerance: &Tolerance<impl AsRef<[f64]>>) {
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        let (mut faster, mut apart) = (0.0, 0.0);
        for (i, x) in self.last.as_ref().iter().enumerate() {
            let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * x.value().abs();
            let value = |k: &S| k.as_ref()[i].value();
            let mut gap = A7[5] * value(k6);
            for (j, k) in [k1, k2, k3, k4, k5].into_iter().enumerate() {
                gap += (A7[j] - A6[j]) * value(k);
            }
            faster += ((value(k7) - value(k6)) / scale).powi(2);
            apart += (gap / scale).powi(2);
        }
        // The product of step and rate is h |k7 - k6| / |y7 - y6|, and y7 - y6 is h times the gap.
        let strained = faster > STABLE * STABLE * apart;
        self.strained = if strained { self.strained + 1 } else { 0 };
    }

    /// Corrects the next step after one of length `h` that came after a rejected one, or was cut from the length `step` by the limit.
    #[cold]
    fn restrain(&mut self, h: f64, step: f64, clipped: bool, rejected: bool) {
        if rejected {
            self.next_step = self.next_step.min(h);
        }
        if clipped {
            self.next_step = self.next_step.max(step);
        }
    }

    /// Computes the stages of a step of length `h`, leaves the new state in `last`, and tells the square of its error (1 is just
    /// tolerable).
    ///
    /// Every sum takes the newest stage last, and every scale is ready before it: each stage waits for the one before, so the time
    /// is that of the longest chain of operations, not of their number.
    #[inline(always)]
    fn attempt(
        &mut self,
        h: f64,
        end: f64,
        rates: &mut impl FnMut(f64, &S, &mut S),
        tolerance: &Tolerance<impl AsRef<[f64]>>,
    ) -> f64 {
        let (t, x, y) = (self.start, &self.first, &mut self.last);
        let [k1, k2, k3, k4, k5, k6, k7] = &mut self.stages;
        combine(y, x, h, A2, [k1]);
        rates(t + C[0] * h, y, k2);
        combine(y, x, h, A3, [k1, k2]);
        rates(t + C[1] * h, y, k3);
        combine(y, x, h, A4, [k1, k2, k3]);
        rates(t + C[2] * h, y, k4);
        combine(y, x, h, A5, [k1, k2, k3, k4]);
        rates(t + C[3] * h, y, k5);
        combine(y, x, h, A6, [k1, k2, k3, k4, k5]);
        rates(end, y, k6);
        combine(y, x, h, A7, [k1, k2, k3, k4, k5, k6]);
        rates(end, y, k7);
        self.error(h, tolerance)
    }

    /// The same, with one place of call for all stages, so that the equations are inlined into the loop and use the registers of the machine.
    #[inline(always)]
    fn attempt_in_turn(
        &mut self,
        h: f64,
        end: f64,
        rates: &mut impl FnMut(f64, &S, &mut S),
        tolerance: &Tolerance<impl AsRef<[f64]>>,
    ) -> f64 {
        let (t, x, y) = (self.start, &self.first, &mut self.last);
        for stage in 1..7 {
            let [k1, k2, k3, k4, k5, k6, _] = &mut self.stages;
            match stage {
                1 => combine(y, x, h, A2, [k1]),
                2 => combine(y, x, h, A3, [k1, k2]),
                3 => combine(y, x, h, A4, [k1, k2, k3]),
                4 => combine(y, x, h, A5, [k1, k2, k3, k4]),
                5 => combine(y, x, h, A6, [k1, k2, k3, k4, k5]),
                _ => combine(y, x, h, A7, [k1, k2, k3, k4, k5, k6]),
            }
            let time = C.get(stage - 1).map_or(end, |share| t + share * h);
            rates(time, y, &mut self.stages[stage]);
        }
        self.error(h, tolerance)
    }

    /// The square of the error of the step of length `h` whose stages were computed.
    #[inline(always)]
    fn error(&self, h: f64, tolerance: &Tolerance<impl AsRef<[f64]>>) -> f64 {
        let (x, y) = (&self.first, &self.last);
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        let n = x.as_ref().len();
        let share = h / (n.max(1) as f64).sqrt();
        // A state that is not finite makes the error NaN.
        let mut sum = 0.0;
        for i in 0..n {
            sum += 0.0 * y.as_ref()[i].value();
        }
        for i in 0..n {
            let (before, after) = (x.as_ref()[i].value(), y.as_ref()[i].value());
            let size = if before.abs() > after.abs() { before.abs() } else { after.abs() };
            let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * size;
            let error = (share / scale) * weigh_values(&E, [k1, k2, k3, k4, k5, k6, k7], i);
            sum += error * error;
        }
        sum
    }

    /// The state that is not finite, or whose rate is not.
    #[cold]
    fn culprit(&self) -> Option<StepFailure> {
        let first_bad = |v: &S| v.as_ref().iter().map(|x| x.value()).enumerate().find(|(_, value)| !value.is_finite());
        self.stages.iter().chain([&self.last]).find_map(first_bad).map(|(i, v)| StepFailure::NotFinite(i, v))
    }

    /// The state whose error in the last attempt is the largest for its tolerance.
    #[cold]
    fn hardest(&self, tolerance: &Tolerance<impl AsRef<[f64]>>) -> usize {
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        let error = |i: usize| {
            let size = self.first.as_ref()[i].value().abs().max(self.last.as_ref()[i].value().abs());
            let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * size;
            (weigh_values(&E, [k1, k2, k3, k4, k5, k6, k7], i) / scale).abs()
        };
        (0..self.last.as_ref().len()).max_by(|&i, &j| error(i).total_cmp(&error(j))).unwrap_or(0)
    }

    /// Writes the state at `t`, inside the last step, to `x`.
    pub(crate) fn interpolate(&self, t: f64, x: &mut S) {
        if T::CARRIES_DERIVATIVES { wide(|| self.between(t, x)) } else { self.between(t, x) }
    }

    #[inline(always)]
    fn between(&self, t: f64, x: &mut S) {
        let h = self.end - self.start;
        if t >= self.end || h <= 0.0 {
            x.clone_from(&self.last);
            return;
        }
        let s = (t - self.start) / h;
        let mut weights = [0.0; 7];
        for (j, weight) in weights.iter_mut().enumerate() {
            *weight = h * s * s * (D[0][j] + s * (D[1][j] + s * D[2][j]));
        }
        weights[0] += h * s;
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        for i in 0..self.first.as_ref().len() {
            x.as_mut()[i] = self.first.as_ref()[i] + weigh(&weights, [k1, k2, k3, k4, k5, k6, k7], i);
        }
    }
}

/// The length and the end of the step from `start` to `limit`. Being cold, it is a branch: a choice between two values would make
/// every step wait for the comparison.
#[cold]
#[inline(never)]
fn up_to(start: f64, limit: f64) -> (f64, f64) {
    (limit - start, limit)
}

#[cfg(test)]
mod tests;
