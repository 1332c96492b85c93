//! What a model leaves unexplained, as a Gaussian process over time.

use crate::CalibrationError;
use crate::optimize::{NelderMead, multi_start};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use std::f64::consts::PI;

const METHOD: &str = "discrepancy";

/// A Gaussian process over the residuals of a model: the discrepancy of Kennedy and O'Hagan (2001, doi:10.1111/1467-9868.00294), learned after the model's
/// parameters and not with them (the modular way of Liu, Bayarri and Berger 2009, doi:10.1214/09-BA404), so that the model is not bent to take its place.
///
/// Residuals are observations less predictions on the scale on which errors are normal: logarithms under a [`LogError`](crate::LogError). Their covariance is
/// `s² exp(-½ (Δt/τ)²)` and the error of measurement on its own.
///
/// ```
/// use twin_calibrate::discrepancy::Discrepancy;
/// // A model that misses a slow wave, read weekly with an error of 0.05.
/// let days: Vec<f64> = (0..20).map(|k| 7.0 * f64::from(k)).collect();
/// let residuals: Vec<f64> = days.iter().enumerate().map(|(k, t)| 0.4 * (t / 25.0).sin() + 0.05 * if k % 2 == 0 { 1.0 } else { -1.0 }).collect();
/// let found = Discrepancy::of(&days, &residuals, 0.05)?;
/// assert!(found.ln_evidence() > 5.0); // far more probable than no discrepancy
/// let (mean, sd) = found.at(38.0);
/// assert!((mean - 0.4 * (38.0_f64 / 25.0).sin()).abs() < 0.1 && sd < 0.1);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Discrepancy {
    days: Vec<f64>,
    spread: f64,
    length: f64,
    weights: DVector<f64>,
    cholesky: Cholesky<f64, Dyn>,
    ln_evidence: f64,
}

fn kernel(spread: f64, length: f64, one: f64, other: f64) -> f64 {
    spread * spread * (-0.5 * ((one - other) / length).powi(2)).exp()
}

/// The logarithm of the density of `residuals`, with the factor of their covariance; `None` where that is not positive definite.
fn ln_marginal(
    days: &[f64],
    residuals: &DVector<f64>,
    error: f64,
    [spread, length]: [f64; 2],
) -> Option<(f64, Cholesky<f64, Dyn>)> {
    let n = days.len();
    let covariance =
        DMatrix::from_fn(n, n, |i, j| kernel(spread, length, days[i], days[j]) + if i == j { error * error } else { 0.0 });
    let cholesky = covariance.cholesky()?;
    let white = cholesky.l().solve_lower_triangular(residuals)?;
    let ln_root: f64 = cholesky.l().diagonal().iter().map(|x| x.ln()).sum();
    Some((-0.5 * white.norm_squared() - ln_root - 0.5 * n as f64 * (2.0 * PI).ln(), cholesky))
}

impl Discrepancy {
    /// The process that makes `residuals` on `days` most probable, each with a normal error of standard deviation `error`. Its length lies between half the
    /// least distance of two readings and the whole span.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] for fewer than four readings, or not as many days as residuals; [`CalibrationError::Setting`] for an error that is not
    /// above 0, numbers that are not finite, or readings that are all of one day; [`CalibrationError::AllStarts`] if no process can be fitted.
    pub fn of(days: &[f64], residuals: &[f64], error: f64) -> Result<Self, CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if days.len() < 4 || residuals.len() != days.len() {
            let (expected, actual) = (days.len().max(4), residuals.len());
            return Err(CalibrationError::Length { method: METHOD, what: "the number of residuals", expected, actual });
        }
        if let Some(value) = days.iter().chain(residuals).find(|value| !value.is_finite()) {
            return setting("day or residual", *value, "finite");
        }
        if !(error > 0.0 && error.is_finite()) {
            return setting("error", error, "above 0 and finite");
        }
        let mut sorted = days.to_vec();
        sorted.sort_by(f64::total_cmp);
        let span = sorted.last().unwrap_or(&0.0) - sorted.first().unwrap_or(&0.0);
        let gaps = sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0);
        let least = gaps.fold(f64::INFINITY, f64::min);
        if span.is_nan() || span <= 0.0 {
            return setting("span of the days", span, "above 0");
        }
        let seen = DVector::from_column_slice(residuals);
        let read = |z: &[f64]| {
            let &[ln_spread, place] = z else { return [f64::NAN; 2] };
            let share = 1.0 / (1.0 + (-place).exp());
            [ln_spread.exp(), (0.5 * least).powf(1.0 - share) * span.powf(share)]
        };
        // A weak prior on the spread, a few times the error, keeps it from zero and from infinity.
        let cost = |z: &[f64]| {
            let [spread, length] = read(z);
            let pull =
                0.5 * ((spread / (2.0 * error)).ln() / 2.0).powi(2) + 0.5 * z.get(1).map_or(0.0, |place| (place / 3.0).powi(2));
            ln_marginal(days, &seen, error, [spread, length]).map_or(f64::INFINITY, |(value, _)| pull - value)
        };
        let starts: Vec<Vec<f64>> = [-1.0, 0.5, 2.0].map(|place| vec![(2.0 * error).ln(), place]).to_vec();
        let search = NelderMead { max_iterations: 500, cost_tolerance: 1e-7, restarts: 1 };
        let fits = multi_start(&starts, |start| search.minimize(&cost, start, &[0.5, 0.5], &()))?;
        let best = read(&fits.best().map(|fit| fit.point.clone()).unwrap_or_default());
        let Some((value, cholesky)) = ln_marginal(days, &seen, error, best) else {
            return Err(CalibrationError::Decomposition { method: METHOD });
        };
        let none: f64 = residuals.iter().map(|r| -0.5 * (r / error).powi(2) - error.ln() - 0.5 * (2.0 * PI).ln()).sum();
        let [spread, length] = best;
        let weights = cholesky.solve(&seen);
        Ok(Self { days: days.to_vec(), spread, length, weights, cholesky, ln_evidence: value - none })
    }

    /// The standard deviation of the discrepancy where nothing was read.
    #[must_use]
    pub fn spread(&self) -> f64 {
        self.spread
    }

    /// Its length in days: residuals much farther apart are independent.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.length
    }

    /// By how much the logarithm of the density of the residuals is higher than without a discrepancy. Two parameters were fitted to reach it, so above 3 or so
    /// the model leaves something unexplained.
    #[must_use]
    pub fn ln_evidence(&self) -> f64 {
        self.ln_evidence
    }

    /// Mean and standard deviation of the discrepancy on a day: to be added to a prediction, on the scale of the residuals. Far from all readings the mean
    /// is 0 and the standard deviation [`Discrepancy::spread`].
    #[must_use]
    pub fn at(&self, day: f64) -> (f64, f64) {
        let along =
            DVector::from_iterator(self.days.len(), self.days.iter().map(|known| kernel(self.spread, self.length, day, *known)));
        let variance = self.spread * self.spread - along.dot(&self.cholesky.solve(&along));
        (along.dot(&self.weights), variance.max(0.0).sqrt())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    fn days() -> Vec<f64> {
        (0..30).map(|k| 5.0 * f64::from(k)).collect()
    }

    #[test]
    fn noise_alone_is_no_discrepancy() {
        let root = Random::new(1);
        let evidence = |index: u64| {
            let mut random = root.stream(index);
            let residuals: Vec<f64> = days().iter().map(|_| 0.2 * random.normal()).collect();
            Discrepancy::of(&days(), &residuals, 0.2).unwrap().ln_evidence()
        };
        let alarms = (0..40).filter(|index| evidence(*index) > 3.0).count();
        assert!(alarms <= 3, "{alarms} of 40");
    }

    #[test]
    fn a_process_is_recovered_and_covers_what_was_not_read() {
        let root = Random::new(2);
        let mut covered = 0;
        for index in 0..20 {
            let mut random = root.stream(index);
            let all: Vec<f64> = (0..31).map(|k| 5.0 * f64::from(k)).collect();
            let covariance = DMatrix::from_fn(31, 31, |i, j| kernel(0.5, 20.0, all[i], all[j]) + if i == j { 1e-9 } else { 0.0 });
            let truth = covariance.cholesky().unwrap().l() * DVector::from_fn(31, |_, _| random.normal());
            let (mut seen_days, mut seen) = (Vec::new(), Vec::new());
            for (k, day) in all.iter().enumerate().filter(|(k, _)| *k != 13) {
                seen_days.push(*day);
                seen.push(truth[k] + 0.1 * random.normal());
            }
            let found = Discrepancy::of(&seen_days, &seen, 0.1).unwrap();
            assert!(found.ln_evidence() > 10.0 && (8.0..60.0).contains(&found.length()), "{found:?}");
            let (mean, sd) = found.at(65.0);
            covered += usize::from((mean - truth[13]).abs() < 1.96 * sd);
            let (far, wide) = found.at(5000.0);
            assert!(far.abs() < 1e-9 && (wide - found.spread()).abs() < 1e-9);
        }
        assert!(covered >= 16, "{covered} of 20");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(matches!(Discrepancy::of(&[1.0; 3], &[0.0; 3], 0.1), Err(CalibrationError::Length { .. })));
        assert!(matches!(Discrepancy::of(&[1.0; 5], &[0.0; 5], 0.1), Err(CalibrationError::Setting { .. })));
        assert!(matches!(Discrepancy::of(&[1.0, 2.0, 3.0, 4.0], &[0.0; 4], 0.0), Err(CalibrationError::Setting { .. })));
        assert!(matches!(Discrepancy::of(&[1.0, 2.0, 3.0, f64::NAN], &[0.0; 4], 1.0), Err(CalibrationError::Setting { .. })));
        // Readings of one day beside others are borne.
        assert!(Discrepancy::of(&[1.0, 1.0, 3.0, 4.0], &[0.5, -0.5, 0.1, 0.0], 0.3).is_ok());
    }
}
