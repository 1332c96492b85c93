//! First-order conditional estimation with interaction.

use super::fit::{Estimate, Normal, finish};
use super::{Population, PopulationFit};
use crate::control::Observer;
use crate::optimize::QuasiNewton;
use crate::{CalibrationError, ErrorModel, Prior, Reading, Target};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::sync::Mutex;
use twin_core::Random;

const METHOD: &str = "focei";

/// First-order conditional estimation with interaction (Lindstrom and Bates 1990, doi:10.2307/2532087; in the form of Almquist, Leander and Jirstrand 2015,
/// doi:10.1007/s10928-015-9409-1): the likelihood of each subject is integrated by Laplace's approximation around its most probable parameters, with the
/// information that the readings are expected to give there in place of the second derivatives; the population that maximizes the product is found by a
/// [`QuasiNewton`] search. Censored readings enter with their probability (method M3).
///
/// *Requires* uncorrelated random effects and first guesses from which the model can be computed. Much faster than [`Saem`](super::Saem) where readings
/// of a subject are many; its objective ([`PopulationFit::objective`]) is an approximation of its own, to be compared with that of the same method
/// alone. The likelihood by importance sampling at its estimate is handed back beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Focei {
    /// The search over the population.
    pub search: QuasiNewton,
    /// Draws of the importance sampling for each subject.
    pub samples: usize,
}

impl Default for Focei {
    fn default() -> Self {
        Self { search: QuasiNewton { max_iterations: 200, cost_tolerance: 1e-5, difference: 0.02 }, samples: 2000 }
    }
}

/// What one subject says around its most probable parameters.
struct Conditional {
    mode: Vec<f64>,
    /// The logarithm of the integral of its likelihood over its parameters.
    ln_integral: f64,
}

impl Focei {
    /// The population that makes the readings of all subjects most probable, as approximated.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] and [`CalibrationError::Length`] for settings or counts that make no sense; what [`Target::new`] finds wrong with a
    /// subject; [`CalibrationError::Start`] if the first guesses of a subject have no likelihood; [`CalibrationError::Flat`] if a subject has no most
    /// probable parameters in the end, or a random effect no spread.
    pub fn fit(
        &self,
        population: &Population<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<PopulationFit, CalibrationError> {
        population.check(METHOD)?;
        if self.samples < 100 {
            let value = self.samples as f64;
            return Err(CalibrationError::Setting { method: METHOD, setting: "samples", value, valid: "at least 100" });
        }
        let open = population.open();
        let problems = population.problems(&open);
        let targets = problems.iter().map(Target::new).collect::<Result<Vec<_>, _>>()?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let n = population.effects.len();
        let mean = population.effects.iter().map(|effect| effect.transform.to_real(effect.start));
        let spread = population.effects.iter().map(|effect| effect.spread.ln());
        let errors = open.sample(&mut Random::new(0));
        let errors = errors.iter().skip(n).map(|x| x.ln());
        let coefficients = population.covariates.iter().map(|_| 0.0);
        let start: Vec<f64> = mean.chain(spread).chain(errors).chain(coefficients).collect();
        let modes = Mutex::new(None::<Vec<Vec<f64>>>);
        let cost = |point: &[f64]| {
            let estimate = read(point, population);
            let from = modes.lock().map_or(None, |modes| modes.clone());
            let found = conditionals(population, &targets, &estimate, from.as_deref());
            found.map_or(f64::INFINITY, |found| -found.iter().map(|one| one.ln_integral).sum::<f64>())
        };
        // The modes of the start are where every later search for modes begins, so that the objective depends on its point alone.
        let first = conditionals(population, &targets, &read(&start, population), None);
        let Some(first) = first else {
            return Err(CalibrationError::Start { method: METHOD, start: 0, value: f64::NEG_INFINITY, point: start });
        };
        if let Ok(mut modes) = modes.lock() {
            *modes = Some(first.into_iter().map(|one| one.mode).collect());
        }
        let found = self.search.minimize(&cost, &start, &vec![0.5; start.len()], observer)?;
        let estimate = read(&found.point, population);
        let from = modes.lock().map_or(None, |modes| modes.clone());
        let last = conditionals(population, &targets, &estimate, from.as_deref()).ok_or_else(|| lost(&estimate))?;
        let centers: Vec<Vec<f64>> = last.into_iter().map(|one| one.mode).collect();
        let mut fit = finish(population, &targets, (&estimate, &lost), &centers, (self.samples, false), &root)?;
        fit.objective = Some(2.0 * found.cost);
        fit.method = format!("FOCEI, {} iterations; {}", found.iterations, found.reason);
        Ok(fit)
    }
}

/// The error that names the effect whose spread has vanished.
fn lost(estimate: &Estimate) -> CalibrationError {
    let coordinate = estimate.covariance.diagonal().imin();
    CalibrationError::Flat { method: METHOD, coordinate, point: estimate.mean.clone() }
}

/// The estimate that a point of the search stands for: means, logarithms of spreads and of the error's parameters, coefficients.
fn read(point: &[f64], population: &Population<'_>) -> Estimate {
    let n = population.effects.len();
    let part = |from: usize, count: usize| point.get(from..from + count).unwrap_or_default().to_vec();
    let variances = part(n, n).into_iter().map(|s| (2.0 * s).exp());
    let covariance = DMatrix::from_diagonal(&DVector::from_iterator(n, variances));
    let errors = part(2 * n, population.estimated.len());
    let coefficients = part(2 * n + errors.len(), population.covariates.len());
    Estimate { mean: part(0, n), covariance, errors, coefficients }
}

/// What every subject says; `None` where one has no likelihood. The searches for the modes begin at `from`, relative to nothing else.
fn conditionals(
    population: &Population<'_>,
    targets: &[Target<'_>],
    estimate: &Estimate,
    from: Option<&[Vec<f64>]>,
) -> Option<Vec<Conditional>> {
    let normals = estimate.normals(population)?;
    let one = |(subject, (target, normal)): (usize, (&Target<'_>, &Normal))| {
        let start = from.and_then(|from| from.get(subject)).cloned();
        start.and_then(|start| conditional(target, normal, &estimate.errors, start)).or_else(|| {
            // From the center of the population where the old place leads nowhere.
            conditional(target, normal, &estimate.errors, normal.mean.as_slice().to_vec())
        })
    };
    let all: Vec<Option<Conditional>> = targets.par_iter().zip(&normals).enumerate().map(one).collect();
    all.into_iter().collect()
}

/// What a subject's readings say at one point.
struct Local {
    ln_likelihood: f64,
    /// The slope of the logarithm of the likelihood.
    score: DVector<f64>,
    /// The information expected of the readings.
    information: DMatrix<f64>,
}

/// The step of differences along the real line.
const STEP: f64 = 1e-2;

fn local(target: &Target<'_>, errors: &[f64], z: &[f64]) -> Option<Local> {
    let n = z.len();
    let theta = |z: &[f64]| {
        let whole: Vec<f64> = z.iter().chain(errors).copied().collect();
        target.parameters_at(&whole)
    };
    let (mut ln_likelihood, mut slopes, mut weights) = (0.0, Vec::new(), Vec::new());
    let judged = target.judge(&theta(z), |_, error: &dyn ErrorModel, predicted, reading: &Reading, values| {
        let weight = error.information(predicted, reading, values);
        // Over a hundredth of the standard deviation.
        let step = 1e-2 / weight.max(f64::MIN_POSITIVE).sqrt();
        let step = if step.is_finite() && step < 1e6 * (1.0 + predicted.abs()) { step } else { 1e-4 * (1.0 + predicted.abs()) };
        let at = |predicted: f64| error.ln_likelihood(predicted, reading, values);
        slopes.push((at(predicted + step) - at(predicted - step)) / (2.0 * step));
        weights.push(weight);
        ln_likelihood += at(predicted);
    });
    if !judged || !ln_likelihood.is_finite() {
        return None;
    }
    let mut jacobian = DMatrix::zeros(slopes.len(), n);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for j in 0..n {
        let moved = |by: f64| {
            let mut z = z.to_vec();
            z[j] += by;
            theta(&z)
        };
        if !(target.predictions(&moved(STEP), &mut up) && target.predictions(&moved(-STEP), &mut down)) {
            return None;
        }
        for (i, (up, down)) in up.iter().zip(&down).enumerate() {
            jacobian[(i, j)] = (up - down) / (2.0 * STEP);
        }
    }
    let score = jacobian.tr_mul(&DVector::from_vec(slopes));
    let mut weighted = jacobian.clone();
    for (mut row, weight) in weighted.row_iter_mut().zip(&weights) {
        row *= *weight;
    }
    let information = jacobian.tr_mul(&weighted);
    let finite = score.iter().chain(information.iter()).all(|value| value.is_finite());
    finite.then_some(Local { ln_likelihood, score, information })
}

/// The most probable parameters of one subject by Fisher scoring from `z`, and the integral around them.
fn conditional(target: &Target<'_>, normal: &Normal, errors: &[f64], mut z: Vec<f64>) -> Option<Conditional> {
    let precision = (&normal.root * normal.root.transpose()).cholesky()?.inverse();
    let ln_posterior = |z: &[f64]| super::fit::ln_likelihood(target, z, errors) + normal.ln_density(z);
    let mut here = local(target, errors, &z)?;
    for _ in 0..50 {
        let off = DVector::from_column_slice(&z) - &normal.mean;
        let slope = &here.score - &precision * off;
        let step = (&here.information + &precision).cholesky()?.solve(&slope);
        if slope.dot(&step) < 1e-9 {
            break;
        }
        let value = here.ln_likelihood + normal.ln_density(&z);
        let better = (0..12).find_map(|halvings| {
            let length = 0.5_f64.powi(halvings);
            let next: Vec<f64> = z.iter().zip(step.iter()).map(|(z, s)| z + length * s).collect();
            (ln_posterior(&next) > value).then_some(next)
        });
        let Some(next) = better else { break };
        z = next;
        here = local(target, errors, &z)?;
    }
    let curvature = (&here.information + &precision).cholesky()?;
    let ln_root = curvature.l().diagonal().iter().map(|x| x.ln()).sum::<f64>();
    let constant = 0.5 * z.len() as f64 * (2.0 * std::f64::consts::PI).ln();
    let ln_integral = here.ln_likelihood + normal.ln_density(&z) + constant - ln_root;
    Some(Conditional { mode: z, ln_integral })
}
