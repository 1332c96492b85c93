//! Search along slopes that learns the curvature.

use nalgebra::{DMatrix, DVector};

use super::fit::{Fit, StopReason};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};
use crate::sample::{LnDensity, slope};

const METHOD: &str = "quasi-newton";

/// The quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, doi:10.1007/978-0-387-40065-5, algorithm 6.1), steps
/// halved until the cost falls enough.
///
/// *Requires* a smooth cost that is defined at the start; elsewhere a cost that is NaN or infinite counts as infinite. The slope is that of
/// [`LnDensity::gradient`] where there is one, else by central differences. Far fewer evaluations than [`NelderMead`](super::NelderMead) above a few
/// coordinates; a minimum only nearby.
///
/// ```
/// use twin_calibrate::optimize::QuasiNewton;
/// let cost = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
/// let fit = QuasiNewton::default().minimize(&cost, &[-1.2, 1.0], &[1.0, 1.0], &())?;
/// assert!(fit.converged() && (fit.point[0] - 1.0).abs() < 1e-4);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct QuasiNewton {
    /// Iterations at most.
    pub max_iterations: usize,
    /// The search has converged when the next full step would lower the cost by less than this.
    pub cost_tolerance: f64,
    /// The step of central differences, as a share of the scale of each coordinate.
    pub difference: f64,
}

impl Default for QuasiNewton {
    fn default() -> Self {
        Self { max_iterations: 500, cost_tolerance: 1e-9, difference: 1e-4 }
    }
}

/// A cost as a density: its negative logarithm.
struct Negated<'a> {
    cost: &'a (dyn Fn(&[f64]) -> f64 + Sync),
    dimension: usize,
}

impl LnDensity for Negated<'_> {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn ln_density(&self, point: &[f64]) -> f64 {
        -(self.cost)(point)
    }
}

impl QuasiNewton {
    /// Minimizes `cost` from `start`; `scale` says how far along each coordinate the cost begins to change.
    ///
    /// # Errors
    /// As [`QuasiNewton::maximize`].
    pub fn minimize(
        &self,
        cost: &(dyn Fn(&[f64]) -> f64 + Sync),
        start: &[f64],
        scale: &[f64],
        observer: &dyn Observer,
    ) -> Result<Fit, CalibrationError> {
        self.maximize(&Negated { cost, dimension: start.len() }, start, scale, observer)
    }

    /// The maximum of `target` from `start`: of a posterior the most probable point. The cost of the fit is minus the logarithm of the density there.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings or lengths that make no sense; [`CalibrationError::Start`] when the
    /// cost or the slope at the start is not finite.
    pub fn maximize(
        &self,
        target: &dyn LnDensity,
        start: &[f64],
        scale: &[f64],
        observer: &dyn Observer,
    ) -> Result<Fit, CalibrationError> {
        self.check(target, start, scale)?;
        let n = start.len();
        let steps: Vec<f64> = scale.iter().map(|scale| self.difference * scale).collect();
        let mut evaluations = 0;
        let mut at = |point: &mut DVector<f64>, gradient: &mut DVector<f64>| {
            let (value, count) = slope(target, point.as_mut_slice(), &steps, gradient.as_mut_slice());
            evaluations += count;
            gradient.neg_mut();
            let defined = value.is_finite() && gradient.iter().all(|slope| slope.is_finite());
            if defined { -value } else { f64::INFINITY }
        };
        let (mut point, mut gradient) = (DVector::from_column_slice(start), DVector::zeros(n));
        let mut cost = at(&mut point, &mut gradient);
        if !cost.is_finite() {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value: cost, point: start.to_vec() });
        }
        let first = DMatrix::from_diagonal(&DVector::from_iterator(n, scale.iter().map(|scale| scale * scale)));
        let (mut inverse, mut fresh, mut done) = (first.clone(), true, 0);
        let (mut next, mut next_gradient) = (point.clone(), gradient.clone());
        let reason = loop {
            if done == self.max_iterations {
                break StopReason::MaxIterations;
            }
            if observer.progress(&Progress { stage: METHOD, done, total: self.max_iterations, best: cost }) == Flow::Stop {
                break StopReason::Asked;
            }
            done += 1;
            let mut direction = -(&inverse * &gradient);
            let mut fall = direction.dot(&gradient);
            if fall.is_nan() || fall >= 0.0 {
                (inverse, fresh) = (first.clone(), true);
                direction = -(&inverse * &gradient);
                fall = direction.dot(&gradient);
            }
            if fresh {
                // Of the curvature nothing is known yet: no coordinate goes farther than its scale.
                let reach = direction.iter().zip(scale).map(|(d, s)| (d / s).abs()).fold(0.0, f64::max);
                if reach > 1.0 {
                    direction /= reach;
                    fall /= reach;
                }
            } else if -0.5 * fall < self.cost_tolerance {
                break StopReason::GradientSmall;
            }
            if gradient.iter().zip(scale).all(|(g, s)| (g * s).abs() < 1e-3 * self.cost_tolerance) {
                break StopReason::GradientSmall;
            }
            let accepted = (0..40).find_map(|halvings| {
                let length = 0.5_f64.powi(halvings);
                next.copy_from(&point);
                next.axpy(length, &direction, 1.0);
                let value = at(&mut next, &mut next_gradient);
                (value <= cost + 1e-4 * length * fall).then_some(value)
            });
            let Some(value) = accepted else {
                if fresh {
                    break StopReason::NoProgress;
                }
                (inverse, fresh) = (first.clone(), true);
                continue;
            };
            let (moved, change) = (&next - &point, &next_gradient - &gradient);
            let (gained, along) = (cost - value, moved.dot(&change));
            std::mem::swap(&mut point, &mut next);
            std::mem::swap(&mut gradient, &mut next_gradient);
            cost = value;
            if along > 1e-12 * moved.norm() * change.norm() {
                if fresh {
                    inverse = first.clone() * (along / change.dot(&(&first * &change)));
                }
                update(&mut inverse, &moved, &change, along);
                fresh = false;
            }
            if gained < self.cost_tolerance && !fresh && -0.5 * gradient.dot(&(-(&inverse * &gradient))) < self.cost_tolerance {
                break StopReason::CostSmall;
            }
        };
        let point = point.as_slice().to_vec();
        let (covariance, condition, cosine) = (None, None, None);
        Ok(Fit { point, cost, reason, iterations: done, evaluations, covariance, condition, cosine })
    }

    fn check(&self, target: &dyn LnDensity, start: &[f64], scale: &[f64]) -> Result<(), CalibrationError> {
        let setting = |setting, value| CalibrationError::Setting { method: METHOD, setting, value, valid: "finite and above 0" };
        let length = |what, expected, actual| Err(CalibrationError::Length { method: METHOD, what, expected, actual });
        if start.is_empty() || start.len() != target.dimension() {
            return length("the number of coordinates", target.dimension().max(1), start.len());
        }
        if scale.len() != start.len() {
            return length("the length of the scale", start.len(), scale.len());
        }
        if let Some(value) = scale.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(setting("scale", *value));
        }
        for (name, value) in [("cost_tolerance", self.cost_tolerance), ("difference", self.difference)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(setting(name, value));
            }
        }
        if self.max_iterations == 0 {
            return Err(setting("max_iterations", 0.0));
        }
        if let Some(value) = start.iter().find(|x| !x.is_finite()) {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value: *value, point: start.to_vec() });
        }
        Ok(())
    }
}

/// Learns the curvature along one step (Nocedal and Wright 2006, equation 6.17); `along` is the product of step and change of slope, above 0.
fn update(inverse: &mut DMatrix<f64>, moved: &DVector<f64>, change: &DVector<f64>, along: f64) {
    let mapped = &*inverse * change;
    let own = (along + change.dot(&mapped)) / (along * along);
    inverse.ger(own, moved, moved, 1.0);
    inverse.ger(-1.0 / along, &mapped, moved, 1.0);
    inverse.ger(-1.0 / along, moved, &mapped, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(x: &[f64]) -> f64 {
        x.windows(2).map(|pair| (1.0 - pair[0]).powi(2) + 100.0 * (pair[1] - pair[0] * pair[0]).powi(2)).sum()
    }

    #[test]
    fn the_valley_is_followed_to_its_end() {
        for dimension in [2, 3] {
            let fit = QuasiNewton::default().minimize(&rosenbrock, &vec![-0.9; dimension], &vec![1.0; dimension], &()).unwrap();
            assert!(fit.converged() && fit.evaluations < 2500, "{fit:?}");
            assert!(fit.point.iter().all(|x| (x - 1.0).abs() < 1e-3), "{fit:?}");
        }
    }

    #[test]
    fn scales_of_any_size_and_walls_are_borne() {
        let cost = |x: &[f64]| if x[0] <= 0.0 { f64::NAN } else { (x[0] / 1e-6).ln().powi(2) + (x[1] / 1e4 - 3.0).powi(2) };
        let fit = QuasiNewton::default().minimize(&cost, &[3e-6, 0.0], &[1e-6, 1e4], &()).unwrap();
        assert!(fit.converged() && (fit.point[0] / 1e-6 - 1.0).abs() < 1e-3 && (fit.point[1] / 3e4 - 1.0).abs() < 1e-3, "{fit:?}");
    }

    #[test]
    fn ends_are_told_apart() {
        let few = QuasiNewton { max_iterations: 2, ..QuasiNewton::default() };
        assert_eq!(few.minimize(&rosenbrock, &[-1.2, 1.0], &[1.0; 2], &()).unwrap().reason, StopReason::MaxIterations);
        let stop = |_: &Progress| Flow::Stop;
        let plain = QuasiNewton::default();
        assert_eq!(plain.minimize(&rosenbrock, &[-1.2, 1.0], &[1.0; 2], &stop).unwrap().reason, StopReason::Asked);
        assert!(plain.minimize(&|_: &[f64]| 1.0, &[0.0], &[1.0], &()).unwrap().converged());
        let nowhere = plain.minimize(&|_: &[f64]| f64::NAN, &[0.0], &[1.0], &());
        assert!(matches!(nowhere, Err(CalibrationError::Start { .. })));
        assert!(matches!(plain.minimize(&rosenbrock, &[0.0; 2], &[1.0], &()), Err(CalibrationError::Length { .. })));
        assert!(matches!(plain.minimize(&rosenbrock, &[0.0; 2], &[1.0, 0.0], &()), Err(CalibrationError::Setting { .. })));
    }
}
