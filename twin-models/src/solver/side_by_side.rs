//! The explicit pair of Tsitouras for several patients at once, each with steps of its own.
//!
//! Every lane makes the steps that the integrator of a single course would make (but for the rounding of elementary functions), and no lane
//! sees another one. A lane that fails, or that stability holds back, is given up; its patient is for the integrator of single courses.

// Loops over lanes and states read best by index, and become loops over registers.
#![allow(clippy::needless_range_loop)]

use super::Tolerance;
use super::pace::{SMALL, fifth_root, growth};
use super::tableau::{A2, A3, A4, A5, A6, A7, C, D, E};
use crate::scalar::wide;
use crate::{LANES, Lanes};

/// So many steps between two stops are a sign of a stiff system: the single course finds out more cheaply.
const MOST_STEPS: usize = 20_000;

type Each = [f64; LANES];

/// The equations come as an object: one copy of the integrator for each kind of state, not for each model.
type Rates<'a, S> = &'a mut dyn FnMut(Lanes, &S, &mut S);

/// An integrator of which each lane stands on its last accepted step and can tell its state anywhere in it.
#[derive(Debug, Clone)]
pub(crate) struct SideBySide<S> {
    start: Each,
    end: Each,
    first: S,
    last: S,
    stages: [S; 7],
    next_step: Each,
    previous: Each,
    /// The lanes that are given up.
    pub(crate) given_up: [bool; LANES],
    trial: S,
    trial_stages: [S; 6],
    rejected: [bool; LANES],
}

impl<S: Clone + AsRef<[Lanes]> + AsMut<[Lanes]>> SideBySide<S> {
    /// An integrator of states like `x`; it has to be put somewhere first.
    pub(crate) fn new(x: &S) -> Self {
        let copy = || x.clone();
        Self {
            start: [0.0; LANES],
            end: [0.0; LANES],
            first: copy(),
            last: copy(),
            stages: std::array::from_fn(|_| copy()),
            next_step: [0.0; LANES],
            previous: [SMALL; LANES],
            given_up: [false; LANES],
            trial: copy(),
            trial_stages: std::array::from_fn(|_| copy()),
            rejected: [false; LANES],
        }
    }

    /// Puts every lane at `t` in the state `x`, as if nothing had come before, and chooses fresh steps.
    pub(crate) fn jump(&mut self, t: f64, x: &S, rates: Rates<'_, S>, tolerance: &Tolerance<impl AsRef<[f64]>>) {
        wide(|| self.restart(t, x, rates, tolerance));
    }

    /// Steps until every lane that is not given up has come to `day`, and none beyond `limit`; writes the states there to `x`.
    pub(crate) fn go(
        &mut self,
        (day, limit): (f64, f64),
        x: &mut S,
        rates: Rates<'_, S>,
        tolerance: &Tolerance<impl AsRef<[f64]>>,
    ) {
        wide(|| {
            self.advance(rates, tolerance, day, limit);
            self.interpolate(day, x);
        });
    }

    /// Puts every lane at `t` in the state `x`, as if nothing had come before, and chooses fresh steps.
    #[inline(always)]
    fn restart(&mut self, t: f64, x: &S, rates: Rates<'_, S>, tolerance: &Tolerance<impl AsRef<[f64]>>) {
        (self.start, self.end, self.previous) = ([t; LANES], [t; LANES], [SMALL; LANES]);
        self.first.clone_from(x);
        self.last.clone_from(x);
        let [stage_1, trial, .., stage_7] = &mut self.stages;
        rates(Lanes([t; LANES]), x, stage_7);
        stage_1.clone_from(stage_7);
        let n = x.as_ref().len();
        let share = 1.0 / n.max(1) as f64;
        let norm = |v: &S| -> Each {
            let mut sum = [0.0; LANES];
            for i in 0..n {
                for k in 0..LANES {
                    let scale = tolerance.absolute.as_ref()[i] + tolerance.relative * x.as_ref()[i].0[k].abs();
                    let scaled = v.as_ref()[i].0[k] / scale;
                    sum[k] += scaled * scaled;
                }
            }
            sum.map(|sum| (sum * share).sqrt())
        };
        let (size, slope) = (norm(x), norm(stage_7));
        let mut guess = [0.0; LANES];
        for k in 0..LANES {
            let fresh = if size[k] < 1e-5 || slope[k] < 1e-5 { 1e-6 } else { 0.01 * size[k] / slope[k] };
            guess[k] = fresh.max(1e-10_f64.max(1e3 * f64::EPSILON * t.abs()));
        }
        // One explicit Euler step shows how fast the rates change.
        for i in 0..n {
            for k in 0..LANES {
                self.trial.as_mut()[i].0[k] = x.as_ref()[i].0[k] + stage_7.as_ref()[i].0[k] * guess[k];
            }
        }
        let mut later = [t; LANES];
        later.iter_mut().zip(guess).for_each(|(later, guess)| *later += guess);
        rates(Lanes(later), &self.trial, trial);
        for i in 0..n {
            trial.as_mut()[i] -= stage_7.as_ref()[i];
        }
        let change = norm(trial);
        for k in 0..LANES {
            let steepest = slope[k].max(change[k] / guess[k]);
            let step = if steepest <= 1e-15 { (guess[k] * 1e-3).max(1e-6) } else { fifth_root(0.01 / steepest) };
            let step = step.min(1000.0 * guess[k]);
            let sound = steepest.is_finite() && step.is_finite() && step > 0.0;
            self.next_step[k] = if sound { step } else { 1e-6 };
        }
    }

    /// Steps until every lane that is not given up has come to `day`, and none beyond `limit`.
    #[inline(always)]
    fn advance(&mut self, rates: Rates<'_, S>, tolerance: &Tolerance<impl AsRef<[f64]>>, day: f64, limit: f64) {
        self.rejected = [false; LANES];
        for _ in 0..MOST_STEPS {
            let mut active = [false; LANES];
            for k in 0..LANES {
                active[k] = !self.given_up[k] && self.end[k] < day;
            }
            if !active.contains(&true) {
                return;
            }
            self.attempt(active, rates, tolerance, limit);
        }
        for k in 0..LANES {
            self.given_up[k] |= self.end[k] < day;
        }
    }

    /// Tries a step in every active lane and accepts it where its error is tolerable.
    #[inline(always)]
    fn attempt(&mut self, active: [bool; LANES], rates: Rates<'_, S>, tolerance: &Tolerance<impl AsRef<[f64]>>, limit: f64) {
        let (mut h, mut end, mut clipped) = ([0.0; LANES], self.end, [false; LANES]);
        for k in 0..LANES {
            let step = self.next_step[k];
            clipped[k] = self.end[k] + 1.01 * step >= limit;
            let (length, to) = if clipped[k] { (limit - self.end[k], limit) } else { (step, self.end[k] + step) };
            if active[k] {
                (h[k], end[k]) = (length, to);
            }
        }
        self.compute(&h, &end, rates);
        let error = self.error(&h, tolerance);
        let inside = self.inside(tolerance);
        let mut accepted = [false; LANES];
        for k in 0..LANES {
            accepted[k] = active[k] && error[k] <= 1.0 && inside[k];
        }
        self.accept(accepted);
        for k in 0..LANES {
            if accepted[k] {
                (self.start[k], self.end[k]) = (self.end[k], end[k]);
                let tried = self.next_step[k];
                let grown = h[k] * growth(error[k], self.previous[k]);
                let grown = if self.rejected[k] { grown.min(h[k]) } else { grown };
                self.next_step[k] = if clipped[k] { grown.max(tried) } else { grown };
                self.previous[k] = error[k].max(SMALL);
                self.rejected[k] = false;
            } else if active[k] {
                let shorter = if error[k] <= 1.0 {
                    0.5 * h[k]
                } else if error[k].is_finite() {
                    h[k] * growth(error[k], 1.0)
                } else {
                    0.1 * h[k]
                };
                self.next_step[k] = shorter;
                self.rejected[k] = true;
                self.given_up[k] |= shorter <= 1e-14_f64.max(4.0 * f64::EPSILON * self.end[k].abs());
            }
        }
    }

    /// Computes the stages of steps of the lengths `h`; the new state is left in the trial, and the last stage with it.
    #[inline(always)]
    fn compute(&mut self, h: &Each, end: &Each, rates: Rates<'_, S>) {
        let n = self.last.as_ref().len();
        let (x, k1, y) = (&self.last, &self.stages[6], &mut self.trial);
        let weights: [&[f64]; 6] = [&A2, &A3, &A4, &A5, &A6, &A7];
        // One place of call for all stages, so that the equations are inlined into the loop.
        for stage in 0..6 {
            let (earlier, now) = self.trial_stages.split_at_mut(stage);
            let weights = weights[stage];
            for i in 0..n {
                let mut sum = [0.0; LANES];
                let own = x.as_ref()[i].0;
                for (j, &weight) in weights.iter().enumerate() {
                    let slope = if j == 0 { k1.as_ref()[i].0 } else { earlier[j - 1].as_ref()[i].0 };
                    for k in 0..LANES {
                        sum[k] += slope[k] * weight;
                    }
                }
                for k in 0..LANES {
                    sum[k] = own[k] + h[k] * sum[k];
                }
                y.as_mut()[i].0 = sum;
            }
            let mut time = *end;
            if let Some(share) = C.get(stage) {
                for k in 0..LANES {
                    time[k] = self.end[k] + share * h[k];
                }
            }
            if let Some(now) = now.first_mut() {
                rates(Lanes(time), y, now);
            }
        }
    }

    /// The square of the error of each lane (1 is just tolerable); not a number where the state is not finite.
    #[inline(always)]
    fn error(&self, h: &Each, tolerance: &Tolerance<impl AsRef<[f64]>>) -> Each {
        let n = self.last.as_ref().len();
        let mut sum = [0.0; LANES];
        for i in 0..n {
            let (before, after) = (self.last.as_ref()[i].0, self.trial.as_ref()[i].0);
            let mut off = [0.0; LANES];
            for k in 0..LANES {
                off[k] = self.stages[6].as_ref()[i].0[k] * E[0];
            }
            for (j, stage) in self.trial_stages.iter().enumerate() {
                let slope = stage.as_ref()[i].0;
                for k in 0..LANES {
                    off[k] += slope[k] * E[j + 1];
                }
            }
            let (absolute, relative) = (tolerance.absolute.as_ref()[i], tolerance.relative);
            for k in 0..LANES {
                let size = if before[k].abs() > after[k].abs() { before[k].abs() } else { after[k].abs() };
                let error = h[k] * off[k] / (absolute + relative * size);
                sum[k] += error * error + 0.0 * after[k];
            }
        }
        sum.map(|sum| sum / n.max(1) as f64)
    }

    /// Whether the trial is within the bounds of the states, but for their absolute tolerances.
    #[inline(always)]
    fn inside(&self, tolerance: &Tolerance<impl AsRef<[f64]>>) -> [bool; LANES] {
        let mut outside = [0.0; LANES];
        for (i, x) in self.trial.as_ref().iter().enumerate() {
            let slack = tolerance.absolute.as_ref()[i];
            let (low, high) = (tolerance.low.as_ref()[i] - slack, tolerance.high.as_ref()[i] + slack);
            for k in 0..LANES {
                outside[k] += if x.0[k] < low { 1.0 } else { 0.0 };
                outside[k] += if x.0[k] > high { 1.0 } else { 0.0 };
            }
        }
        outside.map(|strays| strays < 0.5)
    }

    /// Takes the trial over in the lanes that are accepted.
    #[inline(always)]
    fn accept(&mut self, accepted: [bool; LANES]) {
        let n = self.last.as_ref().len();
        // Masks of bits rather than choices, which would become a branch for each lane.
        let mut mask = [0_u64; LANES];
        for k in 0..LANES {
            mask[k] = u64::from(accepted[k]).wrapping_neg();
        }
        let take = |to: &mut Lanes, from: Lanes| {
            for k in 0..LANES {
                to.0[k] = f64::from_bits((from.0[k].to_bits() & mask[k]) | (to.0[k].to_bits() & !mask[k]));
            }
        };
        for i in 0..n {
            let last = self.last.as_ref()[i];
            take(&mut self.first.as_mut()[i], last);
            take(&mut self.last.as_mut()[i], self.trial.as_ref()[i]);
            let newest = self.stages[6].as_ref()[i];
            take(&mut self.stages[0].as_mut()[i], newest);
            for j in 0..6 {
                take(&mut self.stages[j + 1].as_mut()[i], self.trial_stages[j].as_ref()[i]);
            }
        }
    }

    /// Writes the state of every lane at `t`, inside its last step, to `x`.
    #[inline(always)]
    fn interpolate(&self, t: f64, x: &mut S) {
        let (mut h, mut s, mut before_end) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for k in 0..LANES {
            h[k] = self.end[k] - self.start[k];
            let before = if h[k] > 0.0 { self.end[k] - t } else { 0.0 };
            s[k] = if before > 0.0 { (t - self.start[k]) / h[k] } else { 1.0 };
            before_end[k] = before;
        }
        let mut weights = [[0.0; LANES]; 7];
        for (j, weight) in weights.iter_mut().enumerate() {
            for k in 0..LANES {
                weight[k] = h[k] * s[k] * s[k] * (D[0][j] + s[k] * (D[1][j] + s[k] * D[2][j]));
            }
        }
        for k in 0..LANES {
            weights[0][k] += h[k] * s[k];
        }
        for i in 0..self.first.as_ref().len() {
            let (first, last) = (self.first.as_ref()[i].0, self.last.as_ref()[i].0);
            let mut sum = [0.0; LANES];
            for (weight, stage) in weights.iter().zip(&self.stages) {
                let slope = stage.as_ref()[i].0;
                for k in 0..LANES {
                    sum[k] += weight[k] * slope[k];
                }
            }
            for k in 0..LANES {
                x.as_mut()[i].0[k] = if before_end[k] > 0.0 { first[k] + sum[k] } else { last[k] };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scalar;
    use crate::solver::Tsitouras;

    fn rates<T: Scalar>(t: T, x: &[T; 2], p: T, dx: &mut [T; 2]) {
        *dx = [x[1], (T::from(1.0) - x[0] * x[0]) * x[1] * p - x[0] + (t * 0.5).cos()];
    }

    #[test]
    fn every_lane_steps_as_if_alone() {
        let tolerance = Tolerance { relative: 1e-7, absolute: [1e-9; 2], low: [f64::NEG_INFINITY; 2], high: [f64::INFINITY; 2] };
        let p: [f64; LANES] = std::array::from_fn(|k| 0.3 + 0.7 * k as f64);
        let start = [Lanes::from(2.0), Lanes::from(p)];
        let mut solver = SideBySide::new(&start);
        let f = &mut |t: Lanes, x: &[Lanes; 2], dx: &mut [Lanes; 2]| rates(t, x, Lanes::from(p), dx);
        solver.jump(0.0, &start, f, &tolerance);
        let mut seen = Vec::new();
        for look in 1..=40 {
            let mut x = start;
            let limit = if look <= 20 { 10.0 } else { 20.0 };
            solver.go((f64::from(look) * 0.5, limit), &mut x, f, &tolerance);
            seen.push(x);
            if look == 20 {
                solver.jump(10.0, &x, f, &tolerance);
            }
        }
        assert_eq!(solver.given_up, [false; LANES]);
        for (lane, &p) in p.iter().enumerate() {
            let f = &mut |t: f64, x: &[f64; 2], dx: &mut [f64; 2]| rates(t, x, p, dx);
            let mut alone = Tsitouras::new(0.0, [2.0, p], f, &tolerance);
            for look in 1..=40 {
                let (day, limit) = (f64::from(look) * 0.5, if look <= 20 { 10.0 } else { 20.0 });
                while alone.end() < day {
                    assert_eq!(alone.step(f, &tolerance, limit), Ok(()));
                }
                let mut x = [0.0; 2];
                alone.interpolate(day, &mut x);
                for i in 0..2 {
                    let found = seen[look as usize - 1][i].lane(lane);
                    assert!((found - x[i]).abs() < 1e-9 * x[i].abs().max(1.0), "{found} and {} at {day} in lane {lane}", x[i]);
                }
                if look == 20 {
                    alone.jump(10.0, &x, f, &tolerance);
                }
            }
        }
    }

    #[test]
    fn a_lane_that_cannot_go_on_is_given_up_alone() {
        let tolerance = Tolerance { relative: 1e-7, absolute: [1e-9], low: [f64::NEG_INFINITY], high: [f64::INFINITY] };
        let mut start = [Lanes::from(0.01)];
        start[0].0[3] = 2.0; // infinite at one half
        let f = &mut |_: Lanes, x: &[Lanes; 1], dx: &mut [Lanes; 1]| dx[0] = x[0] * x[0];
        let mut solver = SideBySide::new(&start);
        solver.jump(0.0, &start, f, &tolerance);
        let mut x = start;
        solver.go((1.0, 1.0), &mut x, f, &tolerance);
        assert_eq!(solver.given_up, std::array::from_fn(|lane| lane == 3));
        assert!((x[0].lane(0) - 1.0 / 99.0).abs() < 1e-9);
    }
}
