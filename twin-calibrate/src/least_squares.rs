//! The peak of the posterior by least squares, with the normal distribution around it.

use crate::calibrator::ModelResiduals;
use crate::control::Observer;
use crate::diagnostics::{Concern, Diagnosis, Draws, Thresholds};
use crate::numeric::{displace, root};
use crate::optimize::{Differences, Fit, LevenbergMarquardt};
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Target};
use nalgebra::DMatrix;
use rayon::prelude::*;
use twin_core::Random;

const METHOD: &str = "least squares";

/// Damped Gauss-Newton from one start to the peak of the posterior, and the normal distribution that the Jacobian matrix gives there.
///
/// It is for models that cost much and readings that are many: a tumor in the anatomy seen voxel by voxel takes some ten courses for each
/// parameter. *Requires* one peak, which is the nearest below the start; errors with a fixed standard deviation, so that the logarithm of the
/// likelihood is minus half a sum of squares; a prior that has [residuals](crate::Prior::residuals).
///
/// The record says whether the normal distribution fits: the posterior is evaluated two standard deviations away along every principal
/// direction and both ways, where the logarithm of a normal density has fallen by 2. Where it has not, to within `tolerated`, or the search
/// has not settled, the record is not sound and says so. The density of a draw is that of the normal distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// The values of the inferred parameters to start from, in the order of the prior; the middle of the prior if there are none.
    pub start: Option<Vec<f64>>,
    /// The search. It has settled when a full step would move the point by less than a hundredth of a standard deviation.
    pub search: LevenbergMarquardt,
    /// How many draws are made, at least 10.
    pub draws: usize,
    /// By which share the fall of the posterior may differ from that of a normal distribution.
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
        let departure = Self::departure(&target, &fit, &covariance);
        let (spread, peak) = (root(&covariance), target.ln_posterior(&fit.point));
        let (mut points, mut ln_densities) = (Vec::with_capacity(self.draws), Vec::with_capacity(self.draws));
        for draw in 0..self.draws {
            let mut stream = own.stream(1).stream(draw as u64);
            let normals: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            let mut point = fit.point.clone();
            displace(&mut point, &spread, 1.0, &normals);
            points.push(point);
            ln_densities.push(peak - 0.5 * normals.iter().map(|u| u * u).sum::<f64>());
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
        let method = format!("normal approximation at the peak of least squares, {} iterations", fit.iterations);
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
