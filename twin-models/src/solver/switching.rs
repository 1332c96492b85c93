//! The explicit integrator while it is stable, the implicit one where its steps collapse.

use super::explicit::Tsitouras;
use super::implicit::Rosenbrock;
use super::{StepFailure, System, Tolerance};
use crate::Real;

/// An integrator that goes over from the explicit to the implicit method where stability, not accuracy, holds the steps back, and back
/// where both could go as far. It stands on its last accepted step and can tell the state anywhere in it.
///
/// It decides by the steps made since the rates last changed abruptly, so it decides the same however often one looks.
#[derive(Debug, Clone)]
pub(crate) struct Solver<T, S> {
    explicit: Tsitouras<T, S>,
    implicit: Option<Box<Rosenbrock<S>>>,
    /// Whether the implicit one made the last step.
    stiff: bool,
}

impl<T: Real, S: Clone + AsRef<[T]> + AsMut<[T]>> Solver<T, S> {
    /// An integrator that stands at `t` in the state `x`, before any step.
    pub(crate) fn new(t: f64, x: S, system: &mut impl System<T, S>, tolerance: &Tolerance<impl AsRef<[f64]>>) -> Self {
        let explicit = Tsitouras::new(t, x, &mut |t, x, dx| system.rates(t, x, dx), tolerance);
        Self { explicit, implicit: None, stiff: false }
    }

    /// The implicit integrator, if it made the last step.
    #[inline]
    fn stiff(&self) -> Option<&Rosenbrock<S>> {
        if self.stiff { self.implicit.as_deref() } else { None }
    }

    #[inline]
    fn stiff_mut(&mut self) -> Option<&mut Rosenbrock<S>> {
        if self.stiff { self.implicit.as_deref_mut() } else { None }
    }

    /// Where the last step ends.
    #[inline]
    pub(crate) fn end(&self) -> f64 {
        self.stiff().map_or_else(|| self.explicit.end(), Rosenbrock::end)
    }

    /// The state at the end of the last step.
    pub(crate) fn last(&self) -> &S {
        self.stiff().map_or_else(|| self.explicit.last(), Rosenbrock::last)
    }

    /// Puts the integrator at `t` in the state `x`, as if nothing had come before: what was stiff may not be so after a jump, and the first
    /// steps are short anyway.
    pub(crate) fn jump(&mut self, t: f64, x: &S, system: &mut impl System<T, S>, tolerance: &Tolerance<impl AsRef<[f64]>>) {
        self.explicit.jump(t, x, &mut |t, x, dx| system.rates(t, x, dx), tolerance);
        self.stiff = false;
    }

    /// Takes the last step back, keeping its length as the next one to try.
    pub(crate) fn undo(&mut self) {
        match self.stiff_mut() {
            Some(stiff) => stiff.undo(),
            None => self.explicit.undo(),
        }
    }

    /// Makes one step towards `limit`, never beyond it.
    #[inline]
    pub(crate) fn step(
        &mut self,
        system: &mut impl System<T, S>,
        tolerance: &Tolerance<impl AsRef<[f64]>>,
        limit: f64,
    ) -> Result<(), StepFailure> {
        if self.stiff || self.explicit.is_stiff() {
            return self.step_stiff(system, tolerance, limit);
        }
        match self.explicit.step(&mut |t, x, dx| system.rates(t, x, dx), tolerance, limit) {
            Err(StepFailure::TooSmall(_)) => self.step_stiff(system, tolerance, limit),
            other => other,
        }
    }

    /// The system comes as an object: one copy of this for each kind of state, not for each model, and a call more per rate is nothing here.
    #[cold]
    fn step_stiff(
        &mut self,
        system: &mut dyn System<T, S>,
        tolerance: &Tolerance<impl AsRef<[f64]>>,
        limit: f64,
    ) -> Result<(), StepFailure> {
        if let Some(calm) = self.stiff().filter(|stiff| stiff.is_calm()) {
            let (t, x) = (calm.end(), calm.last().clone());
            self.stiff = false;
            self.explicit.jump(t, &x, &mut |t, x, dx| system.rates(t, x, dx), tolerance);
            return self.explicit.step(&mut |t, x, dx| system.rates(t, x, dx), tolerance, limit);
        }
        if !self.stiff {
            let (t, x, step) = (self.explicit.end(), self.explicit.last(), self.explicit.next_step());
            match &mut self.implicit {
                Some(implicit) => implicit.jump(t, x, step),
                None => self.implicit = Some(Box::new(Rosenbrock::new::<T>(t, x, step))),
            }
            self.stiff = true;
        }
        self.implicit.as_deref_mut().map_or(Ok(()), |implicit| implicit.step::<T>(system, tolerance, limit))
    }

    /// Writes the state at `t`, inside the last step, to `x`.
    #[inline]
    pub(crate) fn interpolate(&self, t: f64, x: &mut S) {
        match self.stiff() {
            Some(stiff) => stiff.interpolate::<T>(t, x),
            None => self.explicit.interpolate(t, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dual;

    /// The van der Pol equation with `1/epsilon` of its second rate carried as a number.
    struct VanDerPol<T>(T);

    fn van_der_pol<T: crate::Scalar>(epsilon: T, &[x, v]: &[T; 2]) -> [T; 2] {
        [v, ((T::from(1.0) - x * x) * v - x) / epsilon]
    }

    impl<T: Real> System<T, [T; 2]> for VanDerPol<T> {
        fn rates(&mut self, _t: f64, x: &[T; 2], dx: &mut [T; 2]) {
            *dx = van_der_pol(self.0, x);
        }

        fn linearize(&mut self, _t: f64, x: &[T; 2], jacobian: &mut [f64], by_time: &mut [f64]) {
            let [x, v] = x.map(T::value);
            let rates = van_der_pol(Dual::from(self.0.value()), &[Dual::seed(x, 0), Dual::seed(v, 1)]);
            jacobian.copy_from_slice(&[rates[0].tangent(0), rates[0].tangent(1), rates[1].tangent(0), rates[1].tangent(1)]);
            by_time.fill(0.0);
        }
    }

    fn solve<T: Real>(epsilon: T, relative: f64, looks: &[f64]) -> (Vec<[T; 2]>, usize) {
        let tolerance = Tolerance { relative, absolute: [relative; 2], low: [f64::NEG_INFINITY; 2], high: [f64::INFINITY; 2] };
        let start = [2.0, 0.0].map(T::from);
        let mut system = VanDerPol(epsilon);
        let mut solver = Solver::new(0.0, start, &mut system, &tolerance);
        let (mut seen, mut steps) = (Vec::new(), 0);
        for &look in looks {
            while solver.end() < look {
                assert_eq!(solver.step(&mut system, &tolerance, f64::INFINITY), Ok(()));
                steps += 1;
            }
            let mut x = start;
            solver.interpolate(look, &mut x);
            seen.push(x);
        }
        (seen, steps)
    }

    #[test]
    fn a_stiff_system_is_found_out_and_followed() {
        // The test set of initial value problems (Bari, CWI): the solution at 2, to 16 digits.
        for relative in [1e-4, 1e-6, 1e-8] {
            let (seen, steps) = solve(1e-6, relative, &[2.0]);
            let error = (seen[0][0] / 1.706_167_732_170_483 - 1.0).abs().max((seen[0][1] / -0.892_809_701_024_797_5 - 1.0).abs());
            assert!(error < 100.0 * relative, "{error} at {relative}");
            assert!(steps < 6000, "{steps} steps at {relative}"); // explicit ones would be more than half a million
        }
    }

    #[test]
    fn looks_change_nothing_and_are_as_accurate_as_steps() {
        let often: Vec<f64> = (1..=200).map(|look| f64::from(look) / 100.0).collect();
        let (rare, dense) = (solve(1e-6, 1e-6, &[1.0, 2.0]).0, solve(1e-6, 1e-6, &often).0);
        assert_eq!([rare[0], rare[1]], [dense[99], dense[199]]);
        let exact = solve(1e-6, 1e-10, &often).0;
        for (look, (ours, exact)) in often.iter().zip(dense.iter().zip(&exact)) {
            assert!((ours[0] - exact[0]).abs() < 1e-3, "{ours:?} and {exact:?} at {look}");
        }
    }

    #[test]
    fn derivatives_come_along_and_change_nothing() {
        let looks = [0.5, 1.1, 2.0];
        let carried = solve(Dual::seed(1e-3, 0), 1e-9, &looks).0;
        let plain = solve(1e-3, 1e-9, &looks).0;
        let at = |epsilon: f64| solve(epsilon, 1e-12, &looks).0;
        let h = 1e-6;
        let (above, below) = (at(1e-3 + h), at(1e-3 - h));
        for look in 0..looks.len() {
            for state in 0..2 {
                assert_eq!(carried[look][state].value(), plain[look][state]);
                let difference = (above[look][state] - below[look][state]) / (2.0 * h);
                let found = carried[look][state].tangent(0);
                assert!((found - difference).abs() < 1e-4 * difference.abs().max(1.0), "{found} and {difference}");
            }
        }
    }
}
