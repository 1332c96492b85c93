//! What is learned of a population.

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
    /// The mean on the real line.
    pub mean: Vec<f64>,
    /// The covariance on the real line (parameters × parameters, row by row).
    pub covariance: Vec<f64>,
    /// The estimated parameters of the errors, by name.
    pub errors: Vec<(String, f64)>,
    /// The standard errors of the mean, of the logarithms of the standard deviations and of the logarithms of the error's parameters, in this
    /// order; `None` if the likelihood has no peak there or the effects are correlated.
    pub standard_errors: Option<Vec<f64>>,
    /// Each subject.
    pub subjects: Vec<SubjectFit>,
    /// Minus twice the logarithm of the likelihood by importance sampling, all constants included, with its Monte Carlo standard error.
    pub minus_2_ln_likelihood: (f64, f64),
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
    /// The prior of the next patient: the population as it is estimated.
    ///
    /// # Errors
    /// [`CalibrationError::Prior`] if the covariance is not positive definite.
    pub fn prior(&self) -> Result<PopulationPrior, CalibrationError> {
        PopulationPrior::new(self.parameters.clone(), self.transforms.clone(), self.mean.clone(), &self.covariance)
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

/// The standard errors at the estimate, from the curvature of the likelihood in Laplace's approximation; `None` where it has none.
pub(super) fn standard_errors(
    targets: &[Target<'_>],
    modes: &[Peak],
    mean: &[f64],
    spread: &[f64],
    errors: &[f64],
) -> Option<Vec<f64>> {
    let n = mean.len();
    let at = |point: &[f64]| {
        let (mean, rest) = point.split_at(n);
        let (ln_spread, errors) = rest.split_at(n);
        let covariance = DMatrix::from_diagonal(&DVector::from_iterator(n, ln_spread.iter().map(|s| (2.0 * s).exp())));
        let Some(population) = Normal::new(mean, &covariance) else { return f64::NEG_INFINITY };
        let one = |(target, from): (&Target<'_>, &Peak)| {
            mode(target, &population, errors, &from.point).map_or(f64::NEG_INFINITY, |peak| peak.ln_integral())
        };
        let terms: Vec<f64> = targets.par_iter().zip(modes).map(one).collect();
        terms.iter().sum()
    };
    let point: Vec<f64> = mean.iter().copied().chain(spread.iter().map(|s| s.ln())).chain(errors.iter().copied()).collect();
    // The inner curvatures are differences too, so the outer steps are long.
    let (_, curvature) = derivatives(&at, &point, at(&point), 0.5).ok()?;
    let inverse = curvature.cholesky()?.inverse();
    Some(inverse.diagonal().iter().map(|variance| variance.sqrt()).collect())
}
