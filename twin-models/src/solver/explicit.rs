//! The explicit Runge-Kutta pair of Dormand and Prince, orders 5(4), with dense output of order 4.
//!
//! Coefficients: Dormand and Prince 1980 (doi:10.1016/0771-050X(80)90013-3); dense output, starting step and step control as
//! described by Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, sections II.4 to II.6.

// The coefficients keep the names and the layout of the tableau.
#![allow(clippy::unreadable_literal)]

const C: [f64; 5] = [1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0];
const A2: [f64; 1] = [1.0 / 5.0];
const A3: [f64; 2] = [3.0 / 40.0, 9.0 / 40.0];
const A4: [f64; 3] = [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0];
const A5: [f64; 4] = [19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0];
const A6: [f64; 5] = [9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0];
const A7: [f64; 6] = [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0];
/// The difference between the solutions of order 5 and 4.
const E: [f64; 7] = [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];
/// The highest coefficient of the dense output.
const D: [f64; 7] = [
    -12715105075.0 / 11282082432.0,
    0.0,
    87487479700.0 / 32700410799.0,
    -10690763975.0 / 1880347072.0,
    701980252875.0 / 199316789632.0,
    -1453857185.0 / 822651844.0,
    69997945.0 / 29380423.0,
];

const SAFETY: f64 = 0.9;
/// The share of the previous error in the step control (proportional-integral control).
const INTEGRAL: f64 = 0.04;
const LEAST_SHRINK: f64 = 0.2;
const MOST_GROWTH: f64 = 10.0;

/// What accuracy means, for each state, and between which bounds a state must stay.
#[derive(Debug, Clone)]
pub(crate) struct Tolerance<S> {
    pub(crate) relative: f64,
    pub(crate) absolute: S,
    pub(crate) low: S,
    pub(crate) high: S,
}

/// Why no step could be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StepFailure {
    /// The state at this place became this value, which is not finite.
    NotFinite(usize, f64),
    /// The state at this place left its bounds for this value.
    OutOfBounds(usize, f64),
    /// The tolerance cannot be met.
    TooSmall,
}

/// An integrator that stands on its last accepted step `[start, end]` and can tell the state anywhere in it.
#[derive(Debug, Clone)]
pub(crate) struct DormandPrince<S> {
    start: f64,
    end: f64,
    first: S,
    last: S,
    stages: [S; 7],
    next_step: f64,
    previous_error: f64,
}

impl<S: Clone + AsRef<[f64]> + AsMut<[f64]>> DormandPrince<S> {
    /// An integrator that stands at `t` in the state `x`, before any step.
    pub(crate) fn new(t: f64, x: S, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<S>) -> Self {
        let stages = std::array::from_fn(|_| x.clone());
        let mut new = Self { start: t, end: t, first: x.clone(), last: x, stages, next_step: 0.0, previous_error: 1e-4 };
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
    pub(crate) fn jump(&mut self, t: f64, x: &S, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<S>) {
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
    fn restart(&mut self, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<S>) {
        self.start = self.end;
        self.first.clone_from(&self.last);
        self.previous_error = 1e-4;
        let [stage_1, trial, .., stage_7] = &mut self.stages;
        rates(self.end, &self.last, stage_7);
        stage_1.clone_from(stage_7);
        let scaled =
            |v: &S, i: usize| v.as_ref()[i] / (tolerance.absolute.as_ref()[i] + tolerance.relative * self.last.as_ref()[i].abs());
        let n = self.last.as_ref().len();
        let norm = |v: &S| ((0..n).map(|i| scaled(v, i).powi(2)).sum::<f64>() / n.max(1) as f64).sqrt();
        let (size, slope) = (norm(&self.last), norm(stage_7));
        let guess = if size < 1e-5 || slope < 1e-5 { 1e-6 } else { 0.01 * size / slope };
        // One explicit Euler step shows how fast the rates change.
        for i in 0..n {
            self.first.as_mut()[i] = self.last.as_ref()[i] + guess * stage_7.as_ref()[i];
        }
        rates(self.end + guess, &self.first, trial);
        self.first.clone_from(&self.last);
        for i in 0..n {
            trial.as_mut()[i] -= stage_7.as_ref()[i];
        }
        let steepest = slope.max(norm(trial) / guess);
        let step = if steepest <= 1e-15 { (guess * 1e-3).max(1e-6) } else { (0.01 / steepest).powf(0.2) };
        self.next_step = step.min(100.0 * guess);
        if !(self.next_step.is_finite() && self.next_step > 0.0) {
            self.next_step = 1e-6; // a state or rate that is not finite: the first step finds it and says which
        }
    }

    /// Makes one step towards `limit`, never beyond it.
    pub(crate) fn step(
        &mut self,
        rates: &mut impl FnMut(f64, &S, &mut S),
        tolerance: &Tolerance<S>,
        limit: f64,
    ) -> Result<(), StepFailure> {
        self.start = self.end;
        self.first.clone_from(&self.last);
        let [stage_1, .., stage_7] = &mut self.stages;
        stage_1.clone_from(stage_7); // first same as last
        let mut step = self.next_step;
        let mut rejected = false;
        let mut failure = StepFailure::TooSmall;
        loop {
            if step <= 1e-14_f64.max(4.0 * f64::EPSILON * self.start.abs()) && limit - self.start > step {
                self.end = self.start;
                self.last.clone_from(&self.first);
                return Err(failure);
            }
            let clipped = self.start + 1.01 * step >= limit;
            let (h, end) = if clipped { (limit - self.start, limit) } else { (step, self.start + step) };
            let error = self.attempt(h, end, rates, tolerance);
            if error <= 1.0 {
                match self.outside(tolerance) {
                    None => {
                        self.end = end;
                        let raw = error.max(1e-10).powf(0.2 - 0.75 * INTEGRAL) / self.previous_error.powf(INTEGRAL);
                        let growth = (SAFETY / raw).clamp(LEAST_SHRINK, if rejected { 1.0 } else { MOST_GROWTH });
                        self.next_step = if clipped { (h * growth).max(step) } else { h * growth };
                        self.previous_error = error.max(1e-4);
                        return Ok(());
                    }
                    Some(bound) => {
                        failure = bound;
                        step = 0.5 * h;
                    }
                }
            } else if error.is_finite() {
                failure = StepFailure::TooSmall;
                step = h * (SAFETY / error.powf(0.2 - 0.75 * INTEGRAL)).max(LEAST_SHRINK);
            } else {
                failure = self.culprit();
                step = 0.1 * h;
            }
            rejected = true;
        }
    }

    /// Computes the stages of a step of length `h`, leaves the new state in `last`, and tells its error (1 is just tolerable).
    fn attempt(&mut self, h: f64, end: f64, rates: &mut impl FnMut(f64, &S, &mut S), tolerance: &Tolerance<S>) -> f64 {
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
        let n = x.as_ref().len();
        let mut sum = 0.0;
        for i in 0..n {
            let (before, after) = (x.as_ref()[i], y.as_ref()[i]);
            let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * before.abs().max(after.abs());
            let k = [&*k1, &*k2, &*k3, &*k4, &*k5, &*k6, &*k7];
            let error = h * weigh(&E, k, i) / scale;
            sum += error * error + 0.0 * after; // NaN and infinite states make the error NaN
        }
        (sum / n.max(1) as f64).sqrt()
    }

    /// The first state of the attempt that lies outside its bounds by more than its absolute tolerance.
    fn outside(&self, tolerance: &Tolerance<S>) -> Option<StepFailure> {
        let bounds = tolerance.low.as_ref().iter().zip(tolerance.high.as_ref()).zip(tolerance.absolute.as_ref());
        self.last.as_ref().iter().zip(bounds).enumerate().find_map(|(index, (&value, ((&low, &high), &slack)))| {
            (value < low - slack || value > high + slack).then_some(StepFailure::OutOfBounds(index, value))
        })
    }

    /// The state that is not finite, or whose rate is not.
    fn culprit(&self) -> StepFailure {
        let first_bad = |v: &S| v.as_ref().iter().copied().enumerate().find(|(_, value)| !value.is_finite());
        self.stages
            .iter()
            .chain([&self.last])
            .find_map(first_bad)
            .map_or(StepFailure::TooSmall, |(i, v)| StepFailure::NotFinite(i, v))
    }

    /// Writes the state at `t`, inside the last step, to `x`.
    pub(crate) fn interpolate(&self, t: f64, x: &mut S) {
        let h = self.end - self.start;
        if t >= self.end || h <= 0.0 {
            x.clone_from(&self.last);
            return;
        }
        let s = (t - self.start) / h;
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        for i in 0..self.first.as_ref().len() {
            let (before, after) = (self.first.as_ref()[i], self.last.as_ref()[i]);
            let difference = after - before;
            let bend = h * k1.as_ref()[i] - difference;
            let twist = difference - h * k7.as_ref()[i] - bend;
            let highest = h * weigh(&D, [k1, k2, k3, k4, k5, k6, k7], i);
            x.as_mut()[i] = before + s * (difference + (1.0 - s) * (bend + s * (twist + (1.0 - s) * highest)));
        }
    }
}

/// `y = x + h * sum of a[j] * k[j]`.
#[inline(always)]
fn combine<S: AsRef<[f64]> + AsMut<[f64]>, const N: usize>(y: &mut S, x: &S, h: f64, a: [f64; N], k: [&mut S; N]) {
    for i in 0..x.as_ref().len() {
        let mut sum = 0.0;
        for j in 0..N {
            sum += a[j] * k[j].as_ref()[i];
        }
        y.as_mut()[i] = x.as_ref()[i] + h * sum;
    }
}

/// The weighted sum of the stages at place `i`.
#[inline(always)]
fn weigh<S: AsRef<[f64]>>(weights: &[f64; 7], k: [&S; 7], i: usize) -> f64 {
    weights.iter().zip(k).map(|(weight, stage)| weight * stage.as_ref()[i]).sum()
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
        let mut solver = DormandPrince::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
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
            let mut solver = DormandPrince::new(0.0, [0.0, 1.0], &mut oscillator, &loose);
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
        let mut solver = DormandPrince::new(0.0, [0.0, 1.0], &mut blow_up, &tolerance);
        let failure = loop {
            if let Err(failure) = solver.step(&mut blow_up, &tolerance, 2.0) {
                break failure;
            }
        };
        assert!(matches!(failure, StepFailure::TooSmall | StepFailure::NotFinite(1, _)), "{failure:?}");
        assert!((solver.end() - 1.0).abs() < 1e-3);
    }

    #[test]
    fn an_undone_step_can_be_made_again_shorter() {
        let tolerance = tolerance(1e-8);
        let mut solver = DormandPrince::new(0.0, [0.0, 1.0], &mut oscillator, &tolerance);
        for _ in 0..5 {
            assert_eq!(solver.step(&mut oscillator, &tolerance, 9.0), Ok(()));
        }
        let middle = 0.5 * (solver.start + solver.end);
        solver.undo();
        assert_eq!(solver.step(&mut oscillator, &tolerance, middle), Ok(()));
        assert_eq!(solver.end(), middle);
        assert!((solver.last()[0] - middle.sin()).abs() < 1e-7);
    }
}
