//! The peak of the posterior by least squares, with the normal distribution around it.

mod curved;

use crate::calibrator::ModelResiduals;
use crate::control::Observer;
use crate::diagnostics::{Concern, Diagnosis, Draws, RELIABLE_PARETO_K, Thresholds};
use crate::numeric::{displace, root};
use crate::optimize::{Differences, Fit, LevenbergMarquardt};
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Target};
use curved::Curved;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

const METHOD: &str = "least squares";

/// Damped Gauss-Newton from one start to the peak of the posterior, and the normal distribution that the Jacobian matrix gives there.
///
/// It is for models that cost much and readings that are many: a tumor in the anatomy seen voxel by voxel takes some ten courses for each
/// parameter. *Requires* one peak, which is the nearest below the start; errors with a fixed standard deviation, so that the logarithm of the
/// likelihood is minus half a sum of squares; a prior that has [residuals](crate::Prior::residuals).
///
/// The posterior is evaluated two standard deviations away along every principal direction and both ways, where the logarithm of a
/// normal density has fallen by 2. Where it has, to within `tolerated`, the draws are those of the normal distribution, and so is the density of a
/// draw. Where it has not, the residuals bend: they are taken to second order in the parameters, which needs a course for each pair of these too,
/// and the draws are those of the density that follows, by importance resampling. What that says is then held against the posterior at as many
/// draws as there were directions both ways. Where it is off by more than `tolerated`, or its weights cannot be trusted, or the search has not
/// settled, the record is not sound and says so.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// The values of the inferred parameters to start from, in the order of the prior; the middle of the prior if there are none.
    pub start: Option<Vec<f64>>,
    /// The search. It has settled when a full step would move the point by less than a hundredth of a standard deviation.
    pub search: LevenbergMarquardt,
    /// How many draws are made, at least 10.
    pub draws: usize,
    /// By which share of the fall of a normal distribution two standard deviations away the fall of the posterior may differ from what is
    /// drawn from.
    pub tolerated: f64,
    /// What the diagnosis demands of the draws.
    pub thresholds: Thresholds,
}

impl Default for LeastSquares {
    fn default() -> Self {
        let search = LevenbergMarquardt {
            max_iterations: 30,
            gradient_tolerance: 0.0,
            step_tolerance: 0.0,
            damping: 1e-6,
            // Parameters that make up for each other leave valleys that bend.
            geodesic: true,
            // Steps of 1e-4 on the real line: solvers are smoother than that, and the likelihood is straight over it.
            differences: Differences::Forward { relative_step: 1e-4 },
            parallel: true,
        };
        Self { start: None, search, draws: 2000, tolerated: 0.25, thresholds: Thresholds::exploratory() }
    }
}

/// A full step of this many standard deviations does not matter.
const SETTLED: f64 = 0.01;
/// How far along each principal direction the posterior is looked at, in standard deviations.
const AWAY: f64 = 2.0;
/// Draws of the prior whose mean on the real line is its middle.
const MIDDLE: usize = 256;

impl LeastSquares {
    /// The peak of `target`'s posterior: its point on the real line, and the covariance there.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for a prior that names parameters of an error, or has no residuals;
    /// [`CalibrationError::Length`] for a start of another length; whatever [`LevenbergMarquardt::minimize`] refuses, or runs into.
    pub fn peak(&self, target: &Target<'_>, random: &Random, observer: &dyn Observer) -> Result<Fit, CalibrationError> {
        let start = self.start_of(target, random)?;
        let problem = ModelResiduals::new(target, &start);
        let of_errors = target.dimension() - problem.part().len();
        if of_errors > 0 {
            let (setting, valid) =
                ("the number of inferred parameters of errors", "0: errors have a fixed standard deviation here");
            return Err(CalibrationError::Setting { method: METHOD, setting, value: of_errors as f64, valid });
        }
        if problem.of_prior() == 0 {
            let (setting, valid) = ("the number of residuals of the prior", "at least 1");
            return Err(CalibrationError::Setting { method: METHOD, setting, value: 0.0, valid });
        }
        // The cosine of residuals of length √n to a tangent plane in which a hundredth of a standard deviation is left.
        let gradient_tolerance = SETTLED / (target.residual_count() as f64).sqrt().max(1.0);
        LevenbergMarquardt { gradient_tolerance, ..self.search.clone() }.minimize(&problem, &start, observer)
    }

    fn start_of(&self, target: &Target<'_>, random: &Random) -> Result<Vec<f64>, CalibrationError> {
        let dimension = target.dimension();
        if let Some(start) = &self.start {
            if start.len() != dimension {
                let what = "the length of the start";
                return Err(CalibrationError::Length { method: METHOD, what, expected: dimension, actual: start.len() });
            }
            return Ok(target.point_of(start));
        }
        let mut sum = vec![0.0; dimension];
        for draw in 0..MIDDLE {
            let point = target.point_of(&target.problem().prior.sample(&mut random.stream(draw as u64)));
            sum.iter_mut().zip(point).for_each(|(sum, z)| *sum += z / MIDDLE as f64);
        }
        Ok(sum)
    }

    /// The largest share by which the fall of the logarithm of the density differs from that of a normal one.
    fn departure(target: &Target<'_>, fit: &Fit, covariance: &DMatrix<f64>) -> f64 {
        let eigen = covariance.clone().symmetric_eigen();
        let peak = target.ln_posterior(&fit.point);
        let fall = |probe: usize| {
            let (direction, sign) = (probe / 2, if probe.is_multiple_of(2) { AWAY } else { -AWAY });
            let length = sign * eigen.eigenvalues.get(direction).copied().unwrap_or(0.0).max(0.0).sqrt();
            let moved: Vec<f64> =
                fit.point.iter().zip(eigen.eigenvectors.column(direction).iter()).map(|(z, v)| z + length * v).collect();
            let expected = 0.5 * AWAY * AWAY;
            ((peak - target.ln_posterior(&moved)) / expected - 1.0).abs()
        };
        let falls: Vec<f64> = (0..2 * fit.point.len()).into_par_iter().map(fall).collect();
        // Where the posterior cannot be computed nothing is known of it.
        falls.into_iter().fold(0.0, |most, fall| if fall.is_nan() { f64::INFINITY } else { most.max(fall) })
    }
}

/// Draws of a posterior whose residuals bend.
struct Bent {
    points: Vec<Vec<f64>>,
    falls: Vec<f64>,
    pareto_k: f64,
    departure: f64,
}

impl LeastSquares {
    /// Draws from the normal distribution around `point`, each with what the logarithm of its density has fallen by.
    fn normal(&self, point: &[f64], covariance: &DMatrix<f64>, random: &Random) -> Vec<(Vec<f64>, f64)> {
        let spread = root(covariance);
        let draw = |number: usize| {
            let mut stream = random.stream(number as u64);
            let normals: Vec<f64> = (0..point.len()).map(|_| stream.normal()).collect();
            let mut drawn = point.to_vec();
            displace(&mut drawn, &spread, 1.0, &normals);
            (drawn, 0.5 * normals.iter().map(|u| u * u).sum::<f64>())
        };
        (0..self.draws).map(draw).collect()
    }

    /// Draws from the density that residuals of second order make, held against the posterior; `None` where the model cannot go.
    fn curved(&self, target: &Target<'_>, fit: &Fit, covariance: &DMatrix<f64>, random: &Random) -> Option<Bent> {
        let eigen = covariance.clone().symmetric_eigen();
        let mut axes = eigen.eigenvectors;
        for (mut column, variance) in axes.column_iter_mut().zip(eigen.eigenvalues.iter()) {
            column *= variance.max(0.0).sqrt();
        }
        let problem = ModelResiduals::new(target, &fit.point);
        let drawn = Curved::around(&fit.point, &axes, &problem)?.draw(self.draws, random);
        let place = |s: &DVector<f64>| (&axes * s + DVector::from_column_slice(&fit.point)).iter().copied().collect::<Vec<f64>>();
        let peak = target.ln_posterior(&fit.point);
        let checks: Vec<f64> = (0..2 * fit.point.len())
            .into_par_iter()
            .map(|draw| {
                let fall = peak - target.ln_posterior(&place(&drawn.points[draw]));
                (fall - drawn.falls[draw]).abs() / (0.5 * AWAY * AWAY)
            })
            .collect();
        let departure = checks.into_iter().fold(0.0, |most, off| if off.is_nan() { f64::INFINITY } else { f64::max(most, off) });
        Some(Bent { points: drawn.points.iter().map(place).collect(), falls: drawn.falls, pareto_k: drawn.pareto_k, departure })
    }
}

impl Calibrator for LeastSquares {
    /// As declared by the trait; also what [`LeastSquares::peak`] refuses, and [`CalibrationError::Flat`] where a direction is not
    /// determined by readings and prior.
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
        let own = random.stream(random.clone().bits());
        random.bits(); // a second calibration with the same stream is another one
        let fit = self.peak(&target, &own.stream(0), observer)?;
        let n = fit.point.len();
        let Some(covariance) = fit.covariance.as_ref().map(|values| DMatrix::from_row_slice(n, n, values)) else {
            return Err(CalibrationError::Flat { method: METHOD, coordinate: 0, point: fit.point });
        };
        let mut departure = Self::departure(&target, &fit, &covariance);
        let peak = target.ln_posterior(&fit.point);
        let bends = departure > self.tolerated && self.draws >= 2 * n;
        let curved = if bends { self.curved(&target, &fit, &covariance, &own.stream(1)) } else { None };
        let (mut points, mut ln_densities) = (Vec::with_capacity(self.draws), Vec::with_capacity(self.draws));
        let mut pareto_k = None;
        match &curved {
            Some(found) => {
                departure = found.departure;
                pareto_k = Some(found.pareto_k);
                points.clone_from(&found.points);
                ln_densities.extend(found.falls.iter().map(|fall| peak - fall));
            }
            None => {
                let normal = self.normal(&fit.point, &covariance, &own.stream(1));
                points.extend(normal.iter().map(|(point, _)| point.clone()));
                ln_densities.extend(normal.iter().map(|(_, fall)| peak - fall));
            }
        }
        let whole = self.draws / 4 * 4;
        let columns: Vec<Vec<f64>> =
            (0..n).map(|j| points.iter().take(whole).filter_map(|point| point.get(j).copied()).collect()).collect();
        let columns = columns.iter().filter_map(|column| Draws::independent(column, 4).ok());
        let mut diagnosis = Diagnosis::of(columns, self.thresholds);
        if !fit.converged() {
            diagnosis = diagnosis.with_concern(Concern::Unfinished);
        }
        if departure > self.tolerated {
            diagnosis = diagnosis.with_concern(Concern::NotNormal { departure });
        }
        if let Some(pareto_k) = pareto_k.filter(|k| *k >= RELIABLE_PARETO_K) {
            diagnosis = diagnosis.with_concern(Concern::FarFromPosterior { pareto_k });
        }
        let shape = if curved.is_some() { "residuals of second order" } else { "normal approximation" };
        let method = format!("{shape} at the peak of least squares, {} iterations", fit.iterations);
        let record = Record::of(&target, method, fit.reason.to_string(), Some(diagnosis));
        let draws = points.iter().flat_map(|point| target.parameters_at(point)).collect();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS, agrees};
    use crate::{IndependentPrior, LogError, Marginal, NormalError};
    use twin_core::Observable;

    #[test]
    fn a_normal_posterior_is_reached_exactly() {
        let growing = Growing::new(&READINGS);
        let posterior = LeastSquares::default().calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        assert!(posterior.record.is_sound(), "{:?}", posterior.record);
        agrees(&posterior, &growing.exact(), (0.06, 0.05));
        assert!(posterior.record.evaluations < 40, "{}", posterior.record.evaluations);
    }

    #[test]
    fn a_posterior_that_is_not_normal_is_found_out() {
        // Two readings near nothing tell little of a rate that the prior leaves open over orders of magnitude.
        let growing = Growing::new(&[(0.0, 100.0), (30.0, 100.5)]);
        let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.01, sd: 3.0 })]).unwrap();
        let error = NormalError::new(5.0, 0.0);
        let problem = Problem { prior: &prior, errors: vec![(Observable::TUMOR_VOLUME, &error)], ..growing.problem() };
        let record = LeastSquares::default().calibrate(&problem, &mut Random::new(2)).unwrap().record;
        let concerns = record.diagnosis.as_ref().unwrap().concerns();
        assert!(concerns.iter().any(|concern| matches!(concern, Concern::NotNormal { .. })), "{concerns:?}");
    }

    #[test]
    fn a_posterior_that_bends_is_drawn_from_as_it_is() {
        // Exponential growth with an error so large that the curve of the exponential shows.
        let growing = Growing::new(&[(0.0, 100.0), (30.0, 135.0), (60.0, 180.0)]);
        let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.01, sd: 1.0 })]).unwrap();
        let error = NormalError::new(8.0, 0.0);
        let problem = Problem { prior: &prior, errors: vec![(Observable::TUMOR_VOLUME, &error)], ..growing.problem() };
        let posterior = LeastSquares { tolerated: 0.05, draws: 4000, ..LeastSquares::default() };
        let posterior = posterior.calibrate(&problem, &mut Random::new(2)).unwrap();
        assert!(posterior.record.is_sound(), "{:?}", posterior.record);
        assert!(posterior.record.method.contains("second order"), "{}", posterior.record.method);
        // Against the density on a grid of the real line.
        let target = Target::new(&problem).unwrap();
        let grid: Vec<f64> = (0..4000).map(|i| -7.0 + 4.5 * f64::from(i) / 4000.0).collect();
        let densities: Vec<f64> = grid.iter().map(|z| target.ln_posterior(&[*z])).collect();
        let most = densities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = densities.iter().map(|density| (density - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean = |of: &dyn Fn(f64) -> f64| grid.iter().zip(&weights).map(|(z, w)| of(*z) * w).sum::<f64>() / total;
        let (center, drawn) = (mean(&|z| z), posterior.column("growth_rate").unwrap());
        let sd = mean(&|z| (z - center).powi(2)).sqrt();
        let logs: Vec<f64> = drawn.iter().map(|rate| rate.ln()).collect();
        let found = logs.iter().sum::<f64>() / logs.len() as f64;
        let spread = (logs.iter().map(|z| (z - found).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        assert!((found - center).abs() < 0.08 * sd, "{found} {center} {sd}");
        assert!((spread / sd - 1.0).abs() < 0.08, "{spread} {sd}");
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        let growing = Growing::new(&READINGS);
        let start = LeastSquares { start: Some(vec![0.1; 5]), ..LeastSquares::default() };
        let refused = start.calibrate(&growing.problem(), &mut Random::new(1));
        assert!(matches!(refused, Err(CalibrationError::Length { expected: 2, actual: 5, .. })), "{refused:?}");
        let named = crate::ErrorModel::parameters(&LogError::new(0.1, 0.0))[0].name.to_string();
        let prior = IndependentPrior::new([(named, Marginal::LogNormal { median: 0.1, sd: 0.3 })]).unwrap();
        let problem = Problem { prior: &prior, ..growing.problem() };
        let refused = LeastSquares::default().calibrate(&problem, &mut Random::new(1));
        assert!(matches!(refused, Err(CalibrationError::Setting { .. })), "{refused:?}");
    }
}
