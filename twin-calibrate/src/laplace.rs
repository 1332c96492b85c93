//! The Laplace approximation, checked by importance weights.

use crate::control::Observer;
use crate::diagnostics::{Concern, Diagnosis, Draws, Smoothed, Thresholds};
use crate::numeric::{displace, ln_sum_exp, systematic};
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Search, Target};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::f64::consts::PI;
use twin_core::Random;

const METHOD: &str = "laplace";

/// The normal distribution around the highest point of the posterior, on the real line, with the curvature there (Tierney and Kadane 1986,
/// doi:10.1080/01621459.1986.10478240).
///
/// *Requires* one peak with a curvature in every direction. Fast: some hundred evaluations more than a [`Search`].
///
/// The approximation cannot diagnose itself. So the posterior is evaluated at every draw, and importance weights smoothed by a Pareto tail
/// ([`Smoothed`]) tell how far off it is: where their shape is 0.7 or more, the record is not sound and says so. Nor is it if the
/// search met another peak of at least a twentieth of the mass, which no draw of this one reaches; peaks that it did not meet go unseen. With `corrected` the draws
/// are resampled by these weights, so that mild skewness is put right; without it they are those of the normal distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Laplace {
    /// The search for the peak.
    pub search: Search,
    /// How many draws are made.
    pub draws: usize,
    /// Whether the draws are resampled by their importance weights.
    pub corrected: bool,
    /// What the diagnosis demands of the effective number of draws.
    pub thresholds: Thresholds,
}

impl Default for Laplace {
    fn default() -> Self {
        Self { search: Search::default(), draws: 2000, corrected: true, thresholds: Thresholds::exploratory() }
    }
}

/// A peak of a density, with its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// The place of the peak, on the real line.
    pub point: Vec<f64>,
    /// The logarithm of the density there.
    pub ln_density: f64,
    /// The inverse of the curvature of the logarithm of the density (dimension × dimension, row by row).
    pub covariance: Vec<f64>,
    /// The largest over the smallest standard deviation along the principal directions.
    pub condition: f64,
}

/// Central differences are taken where the density has fallen by about this, where rounding of a solver no longer matters.
pub(crate) const FALL: f64 = 0.02;

impl Peak {
    /// The peak that Newton's method finds from `point`, which must be close to it.
    ///
    /// # Errors
    /// [`CalibrationError::Start`] if the density at the point is not finite; [`CalibrationError::Flat`] if the density does not
    /// fall in every direction, or has no value nearby.
    pub fn of(ln_density: &(dyn Fn(&[f64]) -> f64 + Sync), point: &[f64]) -> Result<Self, CalibrationError> {
        let mut here = (point.to_vec(), ln_density(point));
        if !here.1.is_finite() || point.is_empty() {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value: here.1, point: here.0 });
        }
        for _ in 0..20 {
            let (gradient, curvature) = derivatives(ln_density, &here.0, here.1, FALL)?;
            let Some(cholesky) = curvature.clone().cholesky() else {
                return Err(flat(&curvature, &here.0));
            };
            let step = cholesky.solve(&gradient);
            // What a full step would still gain.
            let hope = 0.5 * gradient.dot(&step);
            let mut trial = (0..8).map(|halvings| {
                let point: Vec<f64> = here.0.iter().zip(step.iter()).map(|(x, s)| x + s * 0.5_f64.powi(halvings)).collect();
                let value = ln_density(&point);
                (point, value)
            });
            let better = if hope > 1e-6 { trial.find(|(_, value)| *value > here.1) } else { None };
            if let Some(better) = better {
                here = better;
                continue;
            }
            let covariance = cholesky.inverse();
            let widths = covariance.clone().symmetric_eigenvalues().map(|variance| variance.max(0.0).sqrt());
            let condition = widths.max() / widths.min();
            let covariance = covariance.iter().copied().collect();
            return Ok(Self { point: here.0, ln_density: here.1, covariance, condition });
        }
        Err(CalibrationError::Flat { method: METHOD, coordinate: 0, point: here.0 })
    }

    /// The logarithm of the integral of the density as the approximation has it.
    #[must_use]
    pub fn ln_integral(&self) -> f64 {
        let n = self.point.len();
        let root = crate::numeric::root(&DMatrix::from_row_slice(n, n, &self.covariance));
        self.ln_density + 0.5 * n as f64 * (2.0 * PI).ln() + root.diagonal().iter().map(|x| x.ln()).sum::<f64>()
    }
}

/// Standard deviations beyond which another peak is one of its own: of thousands of draws hardly one goes so far.
const APART: f64 = 4.0;
/// The share of this peak's mass from which on another one counts.
const RIVAL: f64 = 0.05;
/// How far, on the logarithm, the density may lie below that of the peak for a look around for another one to be worth it.
const NEAR: f64 = 12.0;

impl Peak {
    /// How many standard deviations away `point` is.
    fn distance(&self, point: &[f64]) -> f64 {
        let n = self.point.len();
        let off = DVector::from_iterator(n, point.iter().zip(&self.point).map(|(a, b)| a - b));
        let root = crate::numeric::root(&DMatrix::from_row_slice(n, n, &self.covariance));
        root.solve_lower_triangular(&off).map_or(f64::NAN, |off| off.norm())
    }

    /// The largest mass, over that of this peak, of one that lies apart and to which one of `points` leads; `None` if none counts.
    fn rival(&self, ln_density: &(dyn Fn(&[f64]) -> f64 + Sync), points: &[Vec<f64>]) -> Option<f64> {
        let mut found: Vec<Self> = Vec::new();
        for point in points {
            let apart = self.distance(point) > APART && found.iter().all(|other| other.distance(point) > APART);
            if apart && ln_density(point) > self.ln_density - NEAR {
                found.extend(Self::of(ln_density, point).ok().filter(|other| self.distance(&other.point) > APART));
            }
        }
        let ratio = |other: &Self| (other.ln_integral() - self.ln_integral()).exp();
        found.iter().map(ratio).filter(|ratio| *ratio >= RIVAL).max_by(f64::total_cmp)
    }
}

/// The error that names the coordinate along which the density falls least.
fn flat(curvature: &DMatrix<f64>, point: &[f64]) -> CalibrationError {
    let eigen = curvature.clone().symmetric_eigen();
    let least = eigen.eigenvectors.column(eigen.eigenvalues.imin());
    CalibrationError::Flat { method: METHOD, coordinate: least.iamax(), point: point.to_vec() }
}

/// The gradient of the logarithm of the density at `point`, and minus its second derivatives, by differences over which the density falls
/// by about `wanted`.
pub(crate) fn derivatives(
    ln_density: &(dyn Fn(&[f64]) -> f64 + Sync),
    point: &[f64],
    here: f64,
    wanted: f64,
) -> Result<(DVector<f64>, DMatrix<f64>), CalibrationError> {
    let n = point.len();
    let at = |moves: &[(usize, f64)]| {
        let mut moved = point.to_vec();
        for &(coordinate, by) in moves {
            if let Some(x) = moved.get_mut(coordinate) {
                *x += by;
            }
        }
        ln_density(&moved)
    };
    let no = |coordinate| CalibrationError::Flat { method: METHOD, coordinate, point: point.to_vec() };
    let mut steps = Vec::with_capacity(n);
    let (mut gradient, mut curvature) = (DVector::zeros(n), DMatrix::zeros(n, n));
    for i in 0..n {
        // The step at which the density falls by about what is wanted, found from the fall at the last one.
        let mut step = 0.1;
        let mut found = None;
        for _ in 0..40 {
            let (up, down) = (at(&[(i, step)]), at(&[(i, -step)]));
            let fall = here - 0.5 * (up + down);
            if fall.is_finite() && (0.2 * wanted..=5.0 * wanted).contains(&fall) {
                found = Some((up, down));
                break;
            }
            step *= if fall.is_finite() && fall > 0.0 {
                (wanted / fall).sqrt().clamp(0.1, 10.0)
            } else if fall.is_finite() {
                4.0
            } else {
                0.25
            };
            if !(1e-9..1e6).contains(&step) {
                break;
            }
        }
        let (up, down) = found.ok_or_else(|| no(i))?;
        gradient[i] = (up - down) / (2.0 * step);
        curvature[(i, i)] = (2.0 * here - up - down) / (step * step);
        steps.push(step);
    }
    for (i, a) in steps.iter().enumerate() {
        for (j, b) in steps.iter().enumerate().take(i) {
            let sum = at(&[(i, *a), (j, *b)]) - at(&[(i, *a), (j, -b)]) - at(&[(i, -a), (j, *b)]) + at(&[(i, -a), (j, -b)]);
            if !sum.is_finite() {
                return Err(no(i));
            }
            curvature[(i, j)] = -sum / (4.0 * a * b);
            curvature[(j, i)] = curvature[(i, j)];
        }
    }
    Ok((gradient, curvature))
}

impl Calibrator for Laplace {
    /// As declared by the trait; also [`CalibrationError::Flat`] where the density has no curvature at its peak.
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        if self.draws < 10 {
            let (setting, value) = ("draws", self.draws as f64);
            return Err(CalibrationError::Setting { method: METHOD, setting, value, valid: "at least 10" });
        }
        let target = Target::new(problem)?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let (fits, all) = self.search.run_all(&target, &root.stream(0), observer)?;
        let start = fits.best().map(|fit| fit.point.clone()).unwrap_or_default();
        let peak = Peak::of(&|z: &[f64]| target.ln_posterior(z), &start)?;
        let drawn = Drawn::from(&peak, &target, self.draws, &root.stream(1));
        let smoothed = Smoothed::of(&drawn.ln_ratios);
        let places: Vec<usize> = if self.corrected {
            let weights: Vec<f64> = smoothed.ln_weights.iter().map(|weight| weight.exp()).collect();
            systematic(&weights, self.draws, root.stream(2).uniform())
        } else {
            (0..self.draws).filter(|&place| drawn.ln_densities.get(place).is_some_and(|density| density.is_finite())).collect()
        };
        let mut diagnosis = self.diagnose(&drawn, &places, &smoothed);
        let rival = peak.rival(&|z: &[f64]| target.ln_posterior(z), &all);
        if let Some(ratio) = rival {
            diagnosis = diagnosis.with_concern(Concern::SecondPeak { ratio });
        }
        let mut record = Record::of(&target, "", "the peak was found", Some(diagnosis));
        record.method = format!(
            "normal approximation at the best of {} fits (derivatives by {}), {} draws, Pareto shape {:.2}, condition {:.1e}",
            fits.fits.len(),
            target.derivatives_by(),
            self.draws,
            smoothed.pareto_k,
            peak.condition
        );
        // The mean of the raw ratios, whose standard error the effective number tells.
        let ln_mean = ln_sum_exp(drawn.ln_ratios.iter().copied()) - (self.draws as f64).ln();
        let error = (1.0 / smoothed.effective - 1.0 / self.draws as f64).max(0.0).sqrt();
        record.ln_evidence = (smoothed.is_reliable() && rival.is_none()).then_some((ln_mean, error));
        let point = |place: &usize| drawn.points.get(*place).map(|point| target.parameters_at(point)).unwrap_or_default();
        let draws: Vec<f64> = places.iter().flat_map(point).collect();
        let ln_densities = places.iter().filter_map(|place| drawn.ln_densities.get(*place).copied()).collect();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}

/// Draws of the approximation, with the density of the posterior at each and the ratio of the two.
struct Drawn {
    points: Vec<Vec<f64>>,
    ln_densities: Vec<f64>,
    ln_ratios: Vec<f64>,
}

impl Drawn {
    fn from(peak: &Peak, target: &Target<'_>, count: usize, random: &Random) -> Self {
        let n = peak.point.len();
        let root = crate::numeric::root(&DMatrix::from_row_slice(n, n, &peak.covariance));
        let ln_scale = 0.5 * n as f64 * (2.0 * PI).ln() + root.diagonal().iter().map(|x| x.ln()).sum::<f64>();
        let draw = |index: usize| {
            let mut own = random.stream(index as u64);
            let normals: Vec<f64> = (0..n).map(|_| own.normal()).collect();
            let mut point = peak.point.clone();
            displace(&mut point, &root, 1.0, &normals);
            let ln_density = target.ln_posterior(&point);
            let ln_ratio = ln_density + 0.5 * normals.iter().map(|u| u * u).sum::<f64>() + ln_scale;
            (point, ln_density, ln_ratio)
        };
        let drawn: Vec<_> = (0..count).into_par_iter().map(draw).collect();
        let mut this = Self { points: Vec::new(), ln_densities: Vec::new(), ln_ratios: Vec::new() };
        for (point, ln_density, ln_ratio) in drawn {
            this.points.push(point);
            this.ln_densities.push(ln_density);
            this.ln_ratios.push(ln_ratio);
        }
        this
    }
}

impl Laplace {
    /// The verdict: independent draws, of which no more are effective than their weights allow.
    fn diagnose(&self, drawn: &Drawn, places: &[usize], smoothed: &Smoothed) -> Diagnosis {
        let n = drawn.points.first().map_or(0, Vec::len);
        // Copies stand next to each other: spread over four chains they show in the effective sizes.
        let places = places.get(..places.len() / 4 * 4).unwrap_or_default();
        let chains = (0..4).flat_map(|chain| places.iter().skip(chain).step_by(4));
        let chains: Vec<&Vec<f64>> = chains.filter_map(|place| drawn.points.get(*place)).collect();
        let columns: Vec<Vec<f64>> = (0..n).map(|j| chains.iter().filter_map(|point| point.get(j).copied()).collect()).collect();
        let mut diagnosis = Diagnosis::of(columns.iter().filter_map(|column| Draws::independent(column, 4).ok()), self.thresholds);
        if !smoothed.is_reliable() {
            diagnosis = diagnosis.with_concern(Concern::FarFromPosterior { pareto_k: smoothed.pareto_k });
        }
        if smoothed.effective < self.thresholds.effective {
            let few = (0..n).map(|coordinate| Concern::FewInBulk { coordinate, effective: smoothed.effective });
            diagnosis = few.fold(diagnosis, Diagnosis::with_concern);
        }
        diagnosis
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS, agrees};

    #[test]
    fn a_normal_posterior_is_reached_exactly() {
        let growing = Growing::new(&READINGS);
        let exact = growing.exact();
        let posterior = Laplace::default().calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        assert!(posterior.record.is_sound(), "{:?}", posterior.record);
        agrees(&posterior, &exact, (0.06, 0.05));
        let (ln_evidence, error) = posterior.record.ln_evidence.unwrap();
        assert!((ln_evidence - exact.2).abs() < 0.01 && error < 0.01, "{ln_evidence} against {}", exact.2);
    }

    #[test]
    fn a_posterior_that_is_not_normal_is_found_out() {
        // Two peaks, of which the approximation knows one.
        let density = |z: &[f64]| ((-0.5 * (z[0] - 4.0).powi(2)).exp() + (-0.5 * (z[0] + 4.0).powi(2)).exp()).ln();
        let peak = Peak::of(&density, &[3.5]).unwrap();
        assert!((peak.point[0] - 4.0).abs() < 1e-3 && (peak.covariance[0] - 1.0).abs() < 0.02, "{peak:?}");
        assert!((peak.ln_integral() - (2.0 * PI).sqrt().ln()).abs() < 0.02);
        // A sharp peak on a broad hill, ten times as wide: the normal distribution sees the peak alone.
        let mut random = Random::new(2);
        let ratio = |u: f64| ((-0.5 * u * u).exp() + 0.1 * (-0.005 * u * u).exp()).ln() + 0.5 * u * u;
        let ratios: Vec<f64> = (0..2000).map(|_| ratio(random.normal())).collect();
        assert!(!Smoothed::of(&ratios).is_reliable());
    }

    /// Two normal peaks of the growth rate, of which the second has `share` of the mass.
    struct TwoPeaks(Vec<String>, Vec<crate::Transform>, f64);

    impl crate::Prior for TwoPeaks {
        fn names(&self) -> &[String] {
            &self.0
        }
        fn ln_density(&self, theta: &[f64]) -> f64 {
            let peak = |mean: f64| (-0.5 * ((theta[0] - mean) / 0.003).powi(2)).exp() / (0.003 * (2.0 * PI).sqrt());
            ((1.0 - self.2) * peak(0.02) + self.2 * peak(0.06)).ln()
        }
        fn sample(&self, random: &mut Random) -> Vec<f64> {
            vec![if random.uniform() < self.2 { 0.06 } else { 0.02 } + 0.003 * random.normal()]
        }
        fn transforms(&self) -> &[crate::Transform] {
            &self.1
        }
    }

    #[test]
    fn a_second_peak_makes_a_record_unsound() {
        let growing = Growing::new(&[(0.0, 100.0), (1.0, 104.0)]);
        for (share, sound) in [(0.5, false), (0.001, true)] {
            let prior = TwoPeaks(vec!["growth_rate".into()], vec![crate::Transform::Identity], share);
            let problem = Problem { prior: &prior, ..growing.problem() };
            let record = Laplace::default().calibrate(&problem, &mut Random::new(5)).unwrap().record;
            assert_eq!((record.is_sound(), record.ln_evidence.is_some()), (sound, sound), "{share}: {record:?}");
            let concerns = record.diagnosis.as_ref().unwrap().concerns();
            let seen =
                concerns.iter().any(|concern| matches!(concern, Concern::SecondPeak { ratio } if (0.2..5.0).contains(ratio)));
            assert_eq!(seen, !sound, "{concerns:?}");
        }
    }

    #[test]
    fn a_ridge_is_refused_by_name() {
        let ridge = |z: &[f64]| -0.5 * (z[0] - 1.0).powi(2);
        let refused = Peak::of(&|z: &[f64]| ridge(z), &[1.0, 0.0]);
        assert!(matches!(refused, Err(CalibrationError::Flat { coordinate: 1, .. })), "{refused:?}");
        let refused = Peak::of(&|_: &[f64]| f64::NAN, &[1.0]);
        assert!(matches!(refused, Err(CalibrationError::Start { .. })));
    }
}
