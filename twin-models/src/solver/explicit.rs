//! The explicit Runge-Kutta pair of Tsitouras, orders 5(4), with dense output of order 4.
//!
//! Coefficients and dense output: Tsitouras 2011 (doi:10.1016/j.camwa.2011.06.002). Step control: Gustafsson 1991
//! (doi:10.1145/210232.210242), proportional and integral; starting step: Hairer, Nørsett and Wanner, Solving Ordinary Differential
//! Equations I, section II.4. At equal error it needs a tenth fewer right-hand sides than the pair of Dormand and Prince.
//!
//! It uses the basic operations and the square root only, no logarithm or power of the platform: the same course has the same bits
//! on every machine.

// The coefficients keep the names and the layout of the tableau.
#![allow(clippy::unreadable_literal)]

use crate::Real;
use crate::scalar::wide;
use std::marker::PhantomData;

pub(super) const C: [f64; 4] = [0.161, 0.327, 0.9, 0.9800255409045097];
pub(super) const A2: [f64; 1] = [0.161];
pub(super) const A3: [f64; 2] = [-0.008480655492356989, 0.335480655492357];
pub(super) const A4: [f64; 3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815];
pub(super) const A5: [f64; 4] = [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525];
pub(super) const A6: [f64; 5] =
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383];
pub(super) const A7: [f64; 6] =
    [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774];
/// The difference between the solutions of order 5 and 4.
pub(super) const E: [f64; 7] = [
    -0.001780011052225777,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    1.0 / 66.0,
];
/// The dense output: stage `j` weighs `D[0][j] s^2 + D[1][j] s^3 + D[2][j] s^4`, the first one `s` more, at the share `s` of the step.
pub(super) const D: [[f64; 7]; 3] = [
    [-2.763706197274826, 0.13169999999999998, 3.9302962368947516, -12.411077166933676, 37.50931341651104, -27.896526289197286, 1.5],
    [2.9132554618219126, -0.2234, -5.941033872131505, 30.33818863028232, -88.1789048947664, 65.09189467479366, -4.0],
    [-1.0530884977290216, 0.1017, 2.490627285651253, -16.548102889244902, 47.37952196281928, -34.87065786149661, 2.5],
];

/// Every so many steps it is judged whether the system is stiff, and every step while it seems so.
const LOOK_EVERY: u32 = 8;
/// So many strained steps in a row mean that it is.
const STRAINED_STEPS: u32 = 20;
/// The product of step and rate beyond which a step is strained; on the negative axis the pair is stable up to about 3.5.
const STABLE: f64 = 2.5;

/// The weights of the last error and of the one before it in the step control: growth by `error^-0.14 * before^0.08`.
const PROPORTIONAL: f64 = 0.7 / 5.0;
const INTEGRAL: f64 = 0.4 / 5.0;
/// Natural logarithms of the safety factor (0.95: errors settle at `0.95^(1 / 0.06)`, 0.43), of the least growth (0.2) and of the
/// most (10).
const LN_SAFETY: f64 = -0.05129329438755058;
const LN_LEAST: f64 = -1.6094379124341003;
const LN_MOST: f64 = std::f64::consts::LN_10;
/// The square of the least error that counts in the step control after the next step, and of the error before the first step.
pub(super) const SMALL: f64 = 1e-8;

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

/// `y = x + h * sum of a[j] * k[j]`.
#[inline(always)]
fn combine<T: Real, S: AsRef<[T]> + AsMut<[T]>, const N: usize>(y: &mut S, x: &S, h: f64, a: [f64; N], k: [&mut S; N]) {
    let a = a.map(|weight| h * weight);
    for i in 0..x.as_ref().len() {
        let mut sum = x.as_ref()[i];
        if N > 1 {
            let mut older = k[0].as_ref()[i] * a[0];
            for j in 1..N - 1 {
                older += k[j].as_ref()[i] * a[j];
            }
            sum += older;
        }
        y.as_mut()[i] = sum + k[N - 1].as_ref()[i] * a[N - 1];
    }
}

/// The weighted sum of the stages at place `i`.
#[inline(always)]
fn weigh<T: Real, S: AsRef<[T]>>(weights: &[f64; 7], k: [&S; 7], i: usize) -> T {
    let mut sum = k[0].as_ref()[i] * weights[0];
    for j in 1..7 {
        sum += k[j].as_ref()[i] * weights[j];
    }
    sum
}

/// The value of [`weigh`], without derivatives.
#[inline(always)]
fn weigh_values<T: Real, S: AsRef<[T]>>(weights: &[f64; 7], k: [&S; 7], i: usize) -> f64 {
    let mut sum = k[0].as_ref()[i].value() * weights[0];
    for j in 1..7 {
        sum += k[j].as_ref()[i].value() * weights[j];
    }
    sum
}

/// The factor by which the step should change after an error with the square `error`, when the error before had the square `before`.
///
/// It is `safety * error^(-PROPORTIONAL/2) * before^(INTEGRAL/2)`, kept between the least and the most. Within a few percent (a
/// tenth at the bounds) is exact enough for a step, and the next step waits for it.
#[inline(always)]
pub(super) fn growth(error: f64, before: f64) -> f64 {
    use std::f64::consts::{FRAC_1_SQRT_2, LN_2};
    // e^z is nearly ((1 + (1 + z/4)^2) / 2)^4; `part` is (1 + z/4) / sqrt 2.
    const SCALE: f64 = FRAC_1_SQRT_2 / 4.0;
    const ERROR: f64 = SCALE * LN_2 * 0.5 * PROPORTIONAL;
    const BEFORE: f64 = SCALE * LN_2 * 0.5 * INTEGRAL;
    const LEAST: f64 = FRAC_1_SQRT_2 + SCALE * LN_LEAST;
    const MOST: f64 = FRAC_1_SQRT_2 + SCALE * LN_MOST;
    const REST: f64 = FRAC_1_SQRT_2 + SCALE * LN_SAFETY + BIAS * (ERROR - BEFORE);
    // The bits of a number that is not negative, read as an integer, are 2^52 (1023 + its binary logarithm), less at most 0.09 of it.
    const BIAS: f64 = 1023.0;
    const BIT: f64 = 1.0 / (1_u64 << 52) as f64;
    let bits = |x: f64| x.to_bits() as i64 as f64;
    let part = (REST + BEFORE * BIT * bits(before)) - ERROR * BIT * bits(error);
    let part = part.clamp(LEAST, MOST);
    let root = part * part + 0.5;
    let square = root * root;
    square * square
}

/// The fifth root of a number that is neither negative nor NaN, within a few percent.
pub(super) fn fifth_root(x: f64) -> f64 {
    f64::from_bits(x.to_bits() / 5 + 4 * (1.0_f64.to_bits() / 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolerance(relative: f64) -> Tolerance<[f64; 2]> {
        Tolerance { relative, absolute: [1e-14; 2], low: [f64::NEG_INFINITY; 2], high: [f64::INFINITY; 2] }
    }

    fn oscillator(_: f64, x: &[f64; 2], dx: &mut [f64; 2]) {
        *dx = [x[1], -x[0]];
    }

    fn largest_errors(relative: f64) -> (f64, f64) {
        let tolerance = tolerance(relative);
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
        let (mut at_ends, mut between) = (0.0_f64, 0.0_f64);
        while solver.end() < 20.0 {
            assert_eq!(solver.step(&mut oscillator, &tolerance, 20.0), Ok(()));
            at_ends = at_ends.max((solver.last()[0] - solver.end().sin()).abs());
            for part in 0..=10 {
                let t = solver.start + (solver.end - solver.start) * f64::from(part) / 10.0;
                let mut x = [0.0; 2];
                solver.interpolate(t, &mut x);
                between = between.max((x[0] - t.sin()).abs());
            }
        }
        assert_eq!(solver.end(), 20.0);
        (at_ends, between)
    }

    #[test]
    fn the_error_follows_the_tolerance() {
        for relative in [1e-4, 1e-6, 1e-8, 1e-10] {
            let (at_ends, between) = largest_errors(relative);
            assert!(at_ends < 20.0 * relative, "{at_ends} at {relative}");
            assert!(between < 100.0 * relative, "{between} at {relative}");
        }
    }

    #[test]
    fn fixed_steps_converge_at_order_five_and_dense_output_at_order_four() {
        let loose = Tolerance { relative: 1e9, ..tolerance(1.0) };
        let error = |n: i32| {
            let h = 2.0 / f64::from(n);
            let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &loose);
            let mut between = 0.0_f64;
            for _ in 0..n {
                solver.next_step = h;
                let limit = solver.end() + h;
                assert_eq!(solver.step(&mut oscillator, &loose, limit), Ok(()));
                let (t, mut x) = (solver.end() - 0.37 * h, [0.0; 2]);
                solver.interpolate(t, &mut x);
                between = between.max((x[0] - t.sin()).abs());
            }
            ((solver.last()[0] - 2.0_f64.sin()).abs(), between)
        };
        let (coarse, fine) = (error(16), error(32));
        let (order, dense) = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
        assert!((4.8..5.5).contains(&order), "{order}");
        assert!(dense > 3.8, "{dense}");
    }

    #[test]
    fn a_state_that_explodes_is_named() {
        let tolerance = tolerance(1e-6);
        let mut blow_up = |_: f64, x: &[f64; 2], dx: &mut [f64; 2]| *dx = [0.0, x[1] * x[1]];
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut blow_up, &tolerance);
        let failure = loop {
            if let Err(failure) = solver.step(&mut blow_up, &tolerance, 2.0) {
                break failure;
            }
        };
        assert!(matches!(failure, StepFailure::TooSmall(1) | StepFailure::NotFinite(1, _)), "{failure:?}");
        assert!((solver.end() - 1.0).abs() < 1e-3);
    }

    #[test]
    fn an_undone_step_can_be_made_again_shorter() {
        let tolerance = tolerance(1e-8);
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
        for _ in 0..5 {
            assert_eq!(solver.step(&mut oscillator, &tolerance, 9.0), Ok(()));
        }
        let middle = 0.5 * (solver.start + solver.end);
        solver.undo();
        assert_eq!(solver.step(&mut oscillator, &tolerance, middle), Ok(()));
        assert_eq!(solver.end(), middle);
        assert!((solver.last()[0] - middle.sin()).abs() < 1e-7);
    }

    /// Every rooted tree up to order 5 as (weights of the stages, density); Butcher's conditions are that `b . weights = 1 / density`.
    fn trees(a: &[Vec<f64>; 7]) -> Vec<(usize, [f64; 7], f64)> {
        let through = |v: [f64; 7]| -> [f64; 7] { std::array::from_fn(|i| a[i].iter().zip(v).map(|(a, v)| a * v).sum()) };
        let times = |u: [f64; 7], v: [f64; 7]| -> [f64; 7] { std::array::from_fn(|i| u[i] * v[i]) };
        let c = through([1.0; 7]);
        let (c2, ac) = (times(c, c), through(c));
        let (c3, ac2, aac) = (times(c2, c), through(c2), through(ac));
        vec![
            (1, [1.0; 7], 1.0),
            (2, c, 2.0),
            (3, c2, 3.0),
            (3, ac, 6.0),
            (4, c3, 4.0),
            (4, times(c, ac), 8.0),
            (4, ac2, 12.0),
            (4, aac, 24.0),
            (5, times(c2, c2), 5.0),
            (5, times(c2, ac), 10.0),
            (5, times(ac, ac), 20.0),
            (5, times(c, ac2), 15.0),
            (5, times(c, aac), 30.0),
            (5, through(c3), 20.0),
            (5, through(times(c, ac)), 40.0),
            (5, through(ac2), 60.0),
            (5, through(aac), 120.0),
        ]
    }

    #[test]
    fn the_coefficients_fulfill_the_order_conditions() {
        let rows = [vec![], A2.to_vec(), A3.to_vec(), A4.to_vec(), A5.to_vec(), A6.to_vec(), A7.to_vec()];
        for (row, c) in rows[1..].iter().zip([C[0], C[1], C[2], C[3], 1.0, 1.0]) {
            assert!((row.iter().sum::<f64>() - c).abs() < 1e-14, "{c}");
        }
        let dot = |b: &[f64], weights: &[f64; 7]| b.iter().zip(weights).map(|(b, w)| b * w).sum::<f64>();
        for (order, weights, density) in trees(&rows) {
            assert!((dot(&A7, &weights) - 1.0 / density).abs() < 1e-13, "solution, order {order}, density {density}");
            if order == 5 {
                continue;
            }
            assert!(dot(&E, &weights).abs() < 1e-14, "estimate, order {order}, density {density}");
            for s in [0.1_f64, 0.5, 0.9, 1.0] {
                let mut b: [f64; 7] = std::array::from_fn(|j| s * s * (D[0][j] + s * (D[1][j] + s * D[2][j])));
                b[0] += s;
                let expected = s.powi(order as i32) / density;
                assert!((dot(&b, &weights) - expected).abs() < 1e-13, "dense output at {s}, order {order}, density {density}");
            }
        }
    }

    #[test]
    fn the_growth_is_close_to_the_powers_it_stands_for_and_falls_with_the_error() {
        for before in [1e-4_f64, 0.01, 0.43, 1.0] {
            let mut last = f64::INFINITY;
            for number in 0..2000 {
                let error = 1e-12 * 1.02_f64.powi(number);
                let exact = (0.95 * error.powf(-0.14) * before.powf(0.08)).clamp(0.2, 10.0);
                let found = growth(error * error, before * before);
                assert!((found / exact - 1.0).abs() < 0.1, "{found} instead of {exact} at {error} after {before}");
                assert!(found <= last, "{found} after {last}");
                last = found;
            }
        }
        assert!(growth(1.0 + 1e-12, 1.0) < 0.96, "a rejected step must shrink");
        assert!(growth(0.0, SMALL) > 9.0);
    }

    #[test]
    fn the_fifth_root_is_close() {
        for exponent in -60..60 {
            let root = 1.3_f64.powi(exponent);
            assert!((fifth_root(root.powi(5)) / root - 1.0).abs() < 0.07, "{root}");
        }
    }

    #[test]
    fn a_state_that_leaves_its_bounds_is_named() {
        let tolerance = Tolerance { low: [f64::NEG_INFINITY, 0.0], ..tolerance(1e-6) };
        let mut falling = |_: f64, _: &[f64; 2], dx: &mut [f64; 2]| *dx = [1.0, -1.0];
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut falling, &tolerance);
        let failure = loop {
            if let Err(failure) = solver.step(&mut falling, &tolerance, 2.0) {
                break failure;
            }
        };
        assert!(matches!(failure, StepFailure::OutOfBounds(1, value) if value < 0.0), "{failure:?}");
        assert!((solver.end() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn rates_that_are_not_finite_from_the_start_are_named() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut rates = |_: f64, _: &[f64; 2], dx: &mut [f64; 2]| *dx = [1.0, bad];
            let mut solver = Tsitouras::new(0.0, [1.0, 1.0], &mut rates, &tolerance(1e-6));
            let failure = solver.step(&mut rates, &tolerance(1e-6), 2.0);
            assert!(matches!(failure, Err(StepFailure::NotFinite(1, _))), "{failure:?}");
        }
    }

    #[test]
    fn no_step_of_a_smooth_course_is_wasted() {
        let (mut calls, mut steps) = (0, 0);
        let mut counted = |t: f64, x: &[f64; 2], dx: &mut [f64; 2]| {
            calls += 1;
            oscillator(t, x, dx);
        };
        let mut solver = Tsitouras::new(0.0, [0.0, 1.0], &mut counted, &loose());
        while solver.end() < 100.0 {
            assert_eq!(solver.step(&mut counted, &loose(), 100.0), Ok(()));
            steps += 1;
        }
        assert!(calls <= 2 + 6 * (steps + 3), "{calls} calls for {steps} steps");
    }

    fn loose() -> Tolerance<[f64; 2]> {
        Tolerance { absolute: [1e-6; 2], ..tolerance(1e-6) }
    }
}
