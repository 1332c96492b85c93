//! Steps that adapt to an error, and what their errors come to.
//!
//! A step is taken once whole and once in two halves. Both are of second order, so the halves are off by about a third of the difference,
//! and are kept. What the errors of all steps come to at the end is bounded: growth and kill carry two courses apart by a factor that is
//! known, and diffusion does not.

use super::cells::{MOST, Trouble};
use super::growth::Law;
use super::number::Real;
use super::simulation::{Course, Moment};
use super::values::Values;

/// The share of the tolerated error that the next step aims for.
const AIM: f64 = 0.8;
/// A step is at least so many times and at most so many times as long as the last one tried.
const CHANGE: [f64; 2] = [0.2, 3.0];
/// A step shorter than this, in days, gets nowhere.
const SHORTEST: f64 = 1e-9;

/// A step that was tried.
struct Tried<L, T> {
    moment: Moment<T>,
    values: Values<L>,
    /// The error over the tolerated one.
    excess: f64,
}

impl<L, T> Tried<L, T> {
    /// How long to make the next step after one of `days`.
    fn next(&self, days: f64) -> f64 {
        let [least, most] = CHANGE;
        // The error of a step goes with its third power.
        days * (AIM / self.excess).cbrt().min(most).max(least)
    }
}

impl<L: Law, T: Real> Course<L, T> {
    /// A bound on the error that steps have made, as a share of the field now (roots of sums of squares over the voxels), if steps adapt
    /// ([`Settings::error_per_step`](super::Settings)); else `None`. It does not see the error of the grid.
    ///
    /// The errors of single steps are estimates, as good as steps are small enough for their order to show; how far they are carried on is
    /// bounded. It is infinite under [`GompertzGrowth`](super::GompertzGrowth), where nothing bounds how far few cells are carried apart.
    #[must_use]
    pub fn estimated_error(&self) -> Option<f64> {
        self.prepared.settings.error_per_step?;
        let (moment, flow) = self.current();
        let square = |place: usize, value: T| self.prepared.share(place) * L::apply(flow, value).to_f64().powi(2);
        let size = moment.cells.operator().sum(&moment.cells.field.values, square).sqrt();
        let error = if moment.error > 0.0 { moment.error * L::widening(moment.pending) } else { 0.0 };
        Some(if error > 0.0 { error / size } else { 0.0 })
    }

    /// Takes all steps that end by `target`, and the rest of the way on a copy. Which steps are tried does not depend on `target`.
    pub(super) fn step_adaptively(&mut self, target: f64, tolerated: f64) -> Result<(), Trouble> {
        let longest = self.prepared.settings.longest_step.days();
        self.between = None;
        let mut tries = 0;
        while self.at + self.pace <= target {
            let (days, before) = (self.pace, self.moment.cells.neglected);
            let tried = self.attempt(&self.values, &self.moment, days, tolerated)?;
            self.pace = tried.next(days).min(longest);
            if tried.excess <= 1.0 {
                self.neglected = self.grown(self.neglected, days) + tried.moment.cells.neglected - before;
                (self.moment, self.values) = (tried.moment, tried.values);
                self.at += days;
            }
            tries += 1;
            if tries > MOST || self.pace < SHORTEST {
                return Err(Trouble::TooMany);
            }
        }
        if target > self.at {
            let (mut moment, mut values) = (self.moment.clone(), self.values.clone());
            let (mut at, mut pace) = (self.at, self.pace);
            while at < target {
                let rest = target - at;
                let days = pace.min(rest);
                let tried = self.attempt(&values, &moment, days, tolerated)?;
                pace = tried.next(days).min(longest);
                if tried.excess <= 1.0 {
                    (moment, values) = (tried.moment, tried.values);
                    at = if days < rest { at + days } else { target };
                }
                if pace < SHORTEST.min(rest) {
                    return Err(Trouble::TooMany);
                }
            }
            self.between = Some(moment);
        }
        Ok(())
    }

    /// A step of `days` in two halves, with its error by a whole one.
    fn attempt(&self, values: &Values<L>, from: &Moment<T>, days: f64, tolerated: f64) -> Result<Tried<L, T>, Trouble> {
        let (mut whole, mut halves, mut later) = (from.clone(), from.clone(), values.clone());
        Self::step(values, &mut whole, days)?;
        for _ in 0..2 {
            Self::step(&later, &mut halves, 0.5 * days)?;
            later.drugs.iter_mut().for_each(|drug| drug.amount = drug.amount_after(0.5 * days));
        }
        let (of_whole, of_halves) = (whole.pending.map(T::from_f64), halves.pending.map(T::from_f64));
        let (mut off, mut size) = (0.0, 0.0);
        // Not all of these were active in both, and elsewhere there is no cell.
        for run in &halves.cells.lattice.runs {
            let at = run.start..run.start + run.len;
            for (place, (one, two)) in
                at.clone().zip(whole.cells.field.values[at.clone()].iter().zip(&halves.cells.field.values[at]))
            {
                let (one, two) = (L::apply(of_whole, *one).to_f64(), L::apply(of_halves, *two).to_f64());
                let share = self.prepared.share(place);
                off += share * (one - two) * (one - two);
                size += share * two * two;
            }
        }
        let (error, size) = (off.sqrt() / 3.0, size.sqrt());
        if !(error.is_finite() && size.is_finite()) {
            return Err(Trouble::NotFinite);
        }
        let excess = if error > 0.0 { error / (tolerated * size) } else { 0.0 };
        // The error was found after the flow that is still to be applied.
        let widening = L::widening(halves.pending);
        halves.error += if widening.is_finite() { error / widening } else { error };
        Ok(Tried { moment: halves, values: later, excess })
    }
}
