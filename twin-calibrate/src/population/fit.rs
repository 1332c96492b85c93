//! What is learned of a population.

use super::{CovariateEffect, Population};
use crate::laplace::{Peak, derivatives};
use crate::numeric::ln_sum_exp;
use crate::{CalibrationError, PopulationPrior, Target, Transform};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::f64::consts::PI;
use twin_core::{Random, SubjectId};

/// The distribution of a population, and where each subject stands in it.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationFit {
    /// The parameters that differ between subjects.
    pub parameters: Vec<String>,
    /// Their maps to the real line.
    pub transforms: Vec<Transform>,
    /// The mean on the real line, of a subject whose covariates are all 0.
    pub mean: Vec<f64>,
    /// The coefficients of the covariates: parameter, covariate, and by how much one unit of it shifts the mean.
    pub coefficients: Vec<(String, String, f64)>,
    /// The covariance on the real line (parameters × parameters, row by row).
    pub covariance: Vec<f64>,
    /// The estimated parameters of the errors, by name.
    pub errors: Vec<(String, f64)>,
    /// The standard errors of the mean, of the logarithms of the standard deviations, of the logarithms of the error's parameters and of the coefficients,
    /// in this order; `None` if the likelihood has no peak there or the effects are correlated.
    pub standard_errors: Option<Vec<f64>>,
    /// Each subject.
    pub subjects: Vec<SubjectFit>,
    /// Minus twice the logarithm of the likelihood by importance sampling, all constants included, with its Monte Carlo standard error.
    pub minus_2_ln_likelihood: (f64, f64),
    /// Minus twice the logarithm of the likelihood as the method itself approximates it, all constants included; `None` for a method without an approximation.
    /// To be compared with that of the same method alone.
    pub objective: Option<f64>,
    /// The method, in words.
    pub method: String,
}

/// Where one subject stands in the population.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectFit {
    /// The subject.
    pub id: SubjectId,
    /// The most probable parameters on the real line.
    pub mode: Vec<f64>,
    /// Their covariance there (parameters × parameters, row by row).
    pub covariance: Vec<f64>,
}

impl PopulationFit {
    /// The prior of the next patient whose covariates are all 0: the population as it is estimated.
    ///
    /// # Errors
    /// [`CalibrationError::Prior`] if the covariance is not positive definite.
    pub fn prior(&self) -> Result<PopulationPrior, CalibrationError> {
        self.prior_with(&vec![0.0; self.coefficients.len()])
    }

    /// The prior of the next patient, whose covariates have these values, in the order of the coefficients.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] unless there is one value for each coefficient; [`CalibrationError::Prior`] if the covariance is not positive
    /// definite.
    pub fn prior_with(&self, covariates: &[f64]) -> Result<PopulationPrior, CalibrationError> {
        if covariates.len() != self.coefficients.len() {
            let (expected, actual) = (self.coefficients.len(), covariates.len());
            return Err(CalibrationError::Length { method: "population", what: "the number of covariates", expected, actual });
        }
        let mut mean = self.mean.clone();
        for ((parameter, _, coefficient), value) in self.coefficients.iter().zip(covariates) {
            if let Some(z) = self.parameters.iter().position(|name| name == parameter).and_then(|place| mean.get_mut(place)) {
                *z += coefficient * value;
            }
        }
        PopulationPrior::new(self.parameters.clone(), self.transforms.clone(), mean, &self.covariance)
    }

    /// The typical values, in the parameters' own units.
    #[must_use]
    pub fn typical(&self) -> Vec<f64> {
        self.transforms.iter().zip(&self.mean).map(|(transform, z)| transform.from_real(*z)).collect()
    }

    /// The standard deviations between subjects, on the real line.
    #[must_use]
    pub fn spread(&self) -> Vec<f64> {
        self.covariance.iter().step_by(self.mean.len() + 1).map(|variance| variance.sqrt()).collect()
    }

    /// By parameter, how much closer together the subjects' modes are than the population: 0 where the data tell each subject, 1 where
    /// they tell none (Savic and Karlsson 2009, doi:10.1208/s12248-009-9133-0).
    #[must_use]
    pub fn shrinkage(&self) -> Vec<f64> {
        let count = self.subjects.len() as f64;
        let of = |(j, spread): (usize, f64)| {
            let modes = || self.subjects.iter().filter_map(move |subject| subject.mode.get(j));
            let mean = modes().sum::<f64>() / count;
            let variance = modes().map(|z| (z - mean).powi(2)).sum::<f64>() / (count - 1.0);
            1.0 - variance.sqrt() / spread
        };
        self.spread().into_iter().enumerate().map(of).collect()
    }
}

/// A normal distribution on the real line, ready for densities.
pub(super) struct Normal {
    pub mean: DVector<f64>,
    pub root: DMatrix<f64>,
    ln_constant: f64,
}

impl Normal {
    /// `None` if the covariance is not positive definite.
    pub(super) fn new(mean: &[f64], covariance: &DMatrix<f64>) -> Option<Self> {
        let root = covariance.clone().cholesky()?.l();
        let ln_constant = -0.5 * mean.len() as f64 * (2.0 * PI).ln() - root.diagonal().iter().map(|x| x.ln()).sum::<f64>();
        Some(Self { mean: DVector::from_column_slice(mean), root, ln_constant })
    }

    pub(super) fn ln_density(&self, z: &[f64]) -> f64 {
        let off = DVector::from_column_slice(z) - &self.mean;
        match self.root.solve_lower_triangular(&off) {
            Some(u) => self.ln_constant - 0.5 * u.norm_squared(),
            None => f64::NEG_INFINITY,
        }
    }
}

/// The logarithm of the likelihood of one subject at `z`, its parameters on the real line followed by the logarithms of the error's.
pub(super) fn ln_likelihood(target: &Target<'_>, z: &[f64], errors: &[f64]) -> f64 {
    let whole: Vec<f64> = z.iter().chain(errors).copied().collect();
    let value = target.ln_likelihood(&target.parameters_at(&whole));
    if value.is_nan() { f64::NEG_INFINITY } else { value }
}

/// The most probable parameters of one subject under `population`, from `start`.
pub(super) fn mode(target: &Target<'_>, population: &Normal, errors: &[f64], start: &[f64]) -> Result<Peak, CalibrationError> {
    Peak::of(&|z: &[f64]| ln_likelihood(target, z, errors) + population.ln_density(z), start)
}

/// The logarithm of the marginal likelihood of one subject by importance sampling around its `peak`, with the variance of that estimate.
pub(super) fn ln_marginal(
    target: &Target<'_>,
    population: &Normal,
    errors: &[f64],
    peak: &Peak,
    samples: usize,
    random: &Random,
) -> (f64, f64) {
    // Student-t tails, so that no part of the integrand lies where nothing is proposed.
    const DEGREES: f64 = 5.0;
    let n = peak.point.len();
    let root = crate::numeric::root(&DMatrix::from_row_slice(n, n, &peak.covariance));
    let ln_gamma = statrs::function::gamma::ln_gamma;
    let ln_constant = ln_gamma(0.5 * (DEGREES + n as f64))
        - ln_gamma(0.5 * DEGREES)
        - 0.5 * n as f64 * (DEGREES * PI).ln()
        - root.diagonal().iter().map(|x| x.ln()).sum::<f64>();
    let ratio = |index: usize| {
        let mut own = random.stream(index as u64);
        // A Student vector is a normal one over the root of a chi-square number over its degrees.
        let normal = |own: &mut Random| own.normal();
        let chi: f64 = (0..DEGREES as usize).map(|_| normal(&mut own).powi(2)).sum::<f64>() / DEGREES;
        let u: Vec<f64> = (0..n).map(|_| normal(&mut own) / chi.sqrt()).collect();
        let mut z = peak.point.clone();
        crate::numeric::displace(&mut z, &root, 1.0, &u);
        let proposed = ln_constant - 0.5 * (DEGREES + n as f64) * (u.iter().map(|x| x * x).sum::<f64>() / DEGREES).ln_1p();
        ln_likelihood(target, &z, errors) + population.ln_density(&z) - proposed
    };
    let ratios: Vec<f64> = (0..samples).map(ratio).collect();
    let ln_mean = ln_sum_exp(ratios.iter().copied()) - (samples as f64).ln();
    let variance = ratios.iter().map(|r| ((r - ln_mean).exp() - 1.0).powi(2)).sum::<f64>() / (samples as f64).powi(2);
    (ln_mean, variance)
}

/// An estimate of what a population is.
#[derive(Debug, Clone)]
pub(super) struct Estimate {
    pub mean: Vec<f64>,
    pub covariance: DMatrix<f64>,
    /// Logarithms of the error's parameters.
    pub errors: Vec<f64>,
    pub coefficients: Vec<f64>,
}

impl Estimate {
    /// The distribution of each subject; `None` if the covariance is not positive definite.
    pub(super) fn normals(&self, population: &Population<'_>) -> Option<Vec<Normal>> {
        let one = |subject| Normal::new(&population.center(&self.mean, &self.coefficients, subject), &self.covariance);
        (0..population.patients.len()).map(one).collect()
    }
}

/// The standard errors at the estimate, from the curvature of the likelihood in Laplace's approximation; `None` where it has none.
pub(super) fn standard_errors(
    population: &Population<'_>,
    targets: &[Target<'_>],
    modes: &[Peak],
    estimate: &Estimate,
) -> Option<Vec<f64>> {
    let (n, m) = (estimate.mean.len(), estimate.errors.len());
    let at = |point: &[f64]| {
        let (mean, rest) = point.split_at(n);
        let (ln_spread, rest) = rest.split_at(n);
        let (errors, coefficients) = rest.split_at(m);
        let covariance = DMatrix::from_diagonal(&DVector::from_iterator(n, ln_spread.iter().map(|s| (2.0 * s).exp())));
        let (mean, errors, coefficients) = (mean.to_vec(), errors.to_vec(), coefficients.to_vec());
        let here = Estimate { mean, covariance, errors, coefficients };
        let Some(normals) = here.normals(population) else { return f64::NEG_INFINITY };
        let one = |((target, from), normal): ((&Target<'_>, &Peak), &Normal)| {
            mode(target, normal, &here.errors, &from.point).map_or(f64::NEG_INFINITY, |peak| peak.ln_integral())
        };
        let terms: Vec<f64> = targets.par_iter().zip(modes).zip(&normals).map(one).collect();
        terms.iter().sum()
    };
    let spread = estimate.covariance.diagonal();
    let ln_spread = spread.iter().map(|variance| 0.5 * variance.ln());
    let point: Vec<f64> = estimate
        .mean
        .iter()
        .copied()
        .chain(ln_spread)
        .chain(estimate.errors.iter().chain(&estimate.coefficients).copied())
        .collect();
    // The inner curvatures are differences too, so the outer steps are long.
    let (_, curvature) = derivatives(&at, &point, at(&point), 0.5).ok()?;
    let inverse = curvature.cholesky()?.inverse();
    Some(inverse.diagonal().iter().map(|variance| variance.sqrt()).collect())
}

/// What a method hands back of its estimate: each subject's place, the likelihood and the standard errors.
pub(super) fn finish(
    population: &Population<'_>,
    targets: &[Target<'_>],
    (estimate, flat): (&Estimate, &dyn Fn(&Estimate) -> CalibrationError),
    centers: &[Vec<f64>],
    (samples, correlated): (usize, bool),
    random: &Random,
) -> Result<PopulationFit, CalibrationError> {
    let normals = estimate.normals(population).ok_or_else(|| flat(estimate))?;
    let peak = |((target, normal), center): ((&Target<'_>, &Normal), &Vec<f64>)| mode(target, normal, &estimate.errors, center);
    let peaks: Vec<_> = targets.par_iter().zip(&normals).zip(centers).map(peak).collect();
    let peaks = peaks.into_iter().collect::<Result<Vec<_>, _>>()?;
    let marginal = |(index, ((target, normal), peak)): (usize, ((&Target<'_>, &Normal), &Peak))| {
        ln_marginal(target, normal, &estimate.errors, peak, samples, &random.stream(index as u64))
    };
    let marginals: Vec<(f64, f64)> = targets.par_iter().zip(&normals).zip(&peaks).enumerate().map(marginal).collect();
    let (value, variance) = marginals.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
    let standard_errors = if correlated { None } else { standard_errors(population, targets, &peaks, estimate) };
    let subject = |(patient, peak): (&twin_core::Patient, Peak)| SubjectFit {
        id: patient.id.clone(),
        mode: peak.point,
        covariance: peak.covariance,
    };
    let coefficient = |(effect, value): (&CovariateEffect, &f64)| (effect.parameter.clone(), effect.covariate.clone(), *value);
    Ok(PopulationFit {
        parameters: population.effects.iter().map(|effect| effect.parameter.clone()).collect(),
        transforms: population.effects.iter().map(|effect| effect.transform).collect(),
        mean: estimate.mean.clone(),
        coefficients: population.covariates.iter().zip(&estimate.coefficients).map(coefficient).collect(),
        covariance: estimate.covariance.transpose().iter().copied().collect(),
        errors: population.estimated.iter().cloned().zip(estimate.errors.iter().map(|e| e.exp())).collect(),
        standard_errors,
        subjects: population.patients.iter().zip(peaks).map(subject).collect(),
        minus_2_ln_likelihood: (-2.0 * value, 2.0 * variance.sqrt()),
        objective: None,
        method: String::new(),
    })
}
