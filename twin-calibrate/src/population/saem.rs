//! Stochastic approximation of expectation and maximization.

use super::fit::{Normal, ln_likelihood, ln_marginal, mode, standard_errors};
use super::{Population, PopulationFit, SubjectFit};
use crate::control::{Flow, Observer, Progress};
use crate::{CalibrationError, Target};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

const METHOD: &str = "saem";

/// The SAEM algorithm (Delyon, Lavielle and Moulines 1999, doi:10.1214/aos/1018031103; Kuhn and Lavielle 2005,
/// doi:10.1016/j.csda.2004.07.001): the parameters of each subject are simulated by Markov chains under the present population, and the
/// population follows their moments, at first at full pace and then by averages. The parameters of errors follow the score of the likelihood
/// (Gu and Kong 1998, doi:10.1073/pnas.95.13.7270), so any error model serves, and censored readings enter with their probability (method M3 of Beal
/// 2001, doi:10.1023/A:1012299115260).
///
/// *Requires* more subjects than random effects, and first guesses from which the model can be computed. The likelihood is evaluated afterwards by
/// importance sampling, and standard errors come from its curvature.
#[derive(Debug, Clone, PartialEq)]
pub struct Saem {
    /// Iterations at full pace.
    pub exploring: usize,
    /// Iterations that average.
    pub averaging: usize,
    /// Chains of all subjects together, at least; each subject has the same number.
    pub chains: usize,
    /// Sweeps of moves of each chain in an iteration.
    pub sweeps: usize,
    /// Whether the random effects may be correlated.
    pub correlated: bool,
    /// Draws of the importance sampling for each subject.
    pub samples: usize,
}

impl Default for Saem {
    fn default() -> Self {
        Self { exploring: 300, averaging: 300, chains: 60, sweeps: 2, correlated: false, samples: 2000 }
    }
}

/// One chain of one subject.
struct Chain {
    z: Vec<f64>,
    ln_likelihood: f64,
    /// The lengths of steps along each coordinate, in standard deviations of the population.
    steps: Vec<f64>,
}

/// The present estimate.
struct Estimate {
    mean: Vec<f64>,
    covariance: DMatrix<f64>,
    /// Logarithms of the error's parameters.
    errors: Vec<f64>,
}

impl Saem {
    fn check(&self) -> Result<(), CalibrationError> {
        let counts =
            [("exploring", self.exploring), ("averaging", self.averaging), ("chains", self.chains), ("sweeps", self.sweeps)];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((setting, _)) => Err(CalibrationError::Setting { method: METHOD, setting, value: 0.0, valid: "at least 1" }),
            None if self.samples < 100 => {
                let value = self.samples as f64;
                Err(CalibrationError::Setting { method: METHOD, setting: "samples", value, valid: "at least 100" })
            }
            None => Ok(()),
        }
    }

    /// The population that makes the readings of all subjects most probable.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] and [`CalibrationError::Length`] for settings or counts that make no sense; what [`Target::new`]
    /// finds wrong with a subject; [`CalibrationError::Start`] if the first guesses of a subject have no likelihood;
    /// [`CalibrationError::Flat`] if a subject has no most probable parameters in the end, or a random effect no spread.
    pub fn fit(
        &self,
        population: &Population<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<PopulationFit, CalibrationError> {
        self.check()?;
        population.check(METHOD)?;
        let open = population.open();
        let problems = population.problems(&open);
        let targets = problems.iter().map(Target::new).collect::<Result<Vec<_>, _>>()?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let (estimate, centers, iterations) = self.iterate(population, &targets, &root, observer)?;
        self.finish(population, &targets, &estimate, &centers, iterations, &root)
    }

    fn iterate(
        &self,
        population: &Population<'_>,
        targets: &[Target<'_>],
        root: &Random,
        observer: &dyn Observer,
    ) -> Result<(Estimate, Vec<Vec<f64>>, usize), CalibrationError> {
        let n = population.effects.len();
        let per_subject = self.chains.div_ceil(targets.len());
        let mean: Vec<f64> = population.effects.iter().map(|effect| effect.transform.to_real(effect.start)).collect();
        let spread = DVector::from_iterator(n, population.effects.iter().map(|effect| effect.spread.powi(2)));
        let open = population.open();
        let errors = crate::Prior::sample(&open, &mut Random::new(0)).iter().skip(n).map(|x| x.ln()).collect();
        let mut estimate = Estimate { mean, covariance: DMatrix::from_diagonal(&spread), errors };
        let mut chains = Vec::with_capacity(targets.len() * per_subject);
        for (subject, target) in targets.iter().enumerate() {
            let value = ln_likelihood(target, &estimate.mean, &estimate.errors);
            if !value.is_finite() {
                return Err(CalibrationError::Start { method: METHOD, start: subject, value, point: estimate.mean.clone() });
            }
            chains.extend((0..per_subject).map(|_| Chain { z: estimate.mean.clone(), ln_likelihood: value, steps: vec![0.5; n] }));
        }
        // Averages by subject: first moments, and second moments of all.
        let mut first = vec![DVector::zeros(n); targets.len()];
        let mut second = DMatrix::zeros(n, n);
        let total = self.exploring + self.averaging;
        for iteration in 0..total {
            let pace = if iteration < self.exploring { 1.0 } else { 1.0 / (iteration - self.exploring + 1) as f64 };
            let normal = Normal::new(&estimate.mean, &estimate.covariance).ok_or_else(|| lost(&estimate))?;
            let stream = root.stream(iteration as u64);
            chains.par_iter_mut().enumerate().for_each(|(index, chain)| {
                let Some(target) = targets.get(index / per_subject) else { return };
                self.simulate(target, &normal, &estimate, chain, &mut stream.stream(index as u64));
            });
            let share = 1.0 / per_subject as f64;
            let mut moment = DMatrix::zeros(n, n);
            for (own, sum) in chains.chunks(per_subject).zip(&mut first) {
                let mut now = DVector::zeros(n);
                for chain in own {
                    let z = DVector::from_column_slice(&chain.z);
                    moment.ger(share, &z, &z, 1.0);
                    now.axpy(share, &z, 1.0);
                }
                *sum += (now - &*sum) * pace;
            }
            second += (moment - &second) * pace;
            self.maximize(&mut estimate, &first, &second, iteration < self.exploring);
            follow_score(&mut estimate, targets, &chains, per_subject, pace);
            let best = chains.iter().map(|chain| chain.ln_likelihood).sum::<f64>() * share;
            let progress = Progress { stage: METHOD, done: iteration + 1, total, best };
            if observer.progress(&progress) == Flow::Stop {
                return Ok((estimate, first.iter().map(|z| z.as_slice().to_vec()).collect(), iteration + 1));
            }
        }
        Ok((estimate, first.iter().map(|z| z.as_slice().to_vec()).collect(), total))
    }

    /// Moves of one chain that leave the distribution of the subject's parameters as it is.
    fn simulate(&self, target: &Target<'_>, normal: &Normal, estimate: &Estimate, chain: &mut Chain, random: &mut Random) {
        let n = chain.z.len();
        // The error's parameters have moved on since the last iteration.
        chain.ln_likelihood = ln_likelihood(target, &chain.z, &estimate.errors);
        for _ in 0..self.sweeps {
            let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            let mut z = estimate.mean.clone();
            crate::numeric::displace(&mut z, &normal.root, 1.0, &normals);
            let value = ln_likelihood(target, &z, &estimate.errors);
            if random.uniform().ln() < value - chain.ln_likelihood {
                (chain.z, chain.ln_likelihood) = (z, value);
            }
            for j in 0..n {
                let mut z = chain.z.clone();
                z[j] += chain.steps[j] * estimate.covariance[(j, j)].sqrt() * random.normal();
                let value = ln_likelihood(target, &z, &estimate.errors);
                let ratio = value + normal.ln_density(&z) - chain.ln_likelihood - normal.ln_density(&chain.z);
                let accepted = random.uniform().ln() < ratio;
                if accepted {
                    (chain.z, chain.ln_likelihood) = (z, value);
                }
                // Steps settle where four in ten are accepted.
                chain.steps[j] *= if accepted { 0.06_f64.exp() } else { (-0.04_f64).exp() };
            }
        }
    }

    /// The population of the present moments; while exploring no spread may fall fast, so that no effect freezes early.
    fn maximize(&self, estimate: &mut Estimate, first: &[DVector<f64>], second: &DMatrix<f64>, exploring: bool) {
        let count = first.len() as f64;
        let mean = first.iter().sum::<DVector<f64>>() / count;
        let mut covariance = second / count - &mean * mean.transpose();
        if !self.correlated {
            covariance = DMatrix::from_diagonal(&covariance.diagonal());
        }
        if exploring {
            for j in 0..mean.len() {
                let least = 0.95 * estimate.covariance[(j, j)];
                if covariance[(j, j)] < least {
                    // Widened along the diagonal, the matrix stays positive definite.
                    covariance[(j, j)] = least;
                }
            }
        }
        estimate.mean = mean.as_slice().to_vec();
        estimate.covariance = covariance;
    }

    fn finish(
        &self,
        population: &Population<'_>,
        targets: &[Target<'_>],
        estimate: &Estimate,
        centers: &[Vec<f64>],
        iterations: usize,
        root: &Random,
    ) -> Result<PopulationFit, CalibrationError> {
        let normal = Normal::new(&estimate.mean, &estimate.covariance).ok_or_else(|| lost(estimate))?;
        let peaks: Vec<_> =
            targets.par_iter().zip(centers).map(|(target, center)| mode(target, &normal, &estimate.errors, center)).collect();
        let peaks = peaks.into_iter().collect::<Result<Vec<_>, _>>()?;
        let marginal = |(index, (target, peak))| {
            ln_marginal(target, &normal, &estimate.errors, peak, self.samples, &root.stream(u64::MAX).stream(index as u64))
        };
        let marginals: Vec<(f64, f64)> = targets.par_iter().zip(&peaks).enumerate().map(marginal).collect();
        let (value, variance) = marginals.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        let spread: Vec<f64> = estimate.covariance.diagonal().iter().map(|variance| variance.sqrt()).collect();
        let errors =
            if self.correlated { None } else { standard_errors(targets, &peaks, &estimate.mean, &spread, &estimate.errors) };
        let subject = |(patient, peak): (&twin_core::Patient, crate::Peak)| SubjectFit {
            id: patient.id.clone(),
            mode: peak.point,
            covariance: peak.covariance,
        };
        Ok(PopulationFit {
            parameters: population.effects.iter().map(|effect| effect.parameter.clone()).collect(),
            transforms: population.effects.iter().map(|effect| effect.transform).collect(),
            mean: estimate.mean.clone(),
            covariance: estimate.covariance.transpose().iter().copied().collect(),
            errors: population.estimated.iter().cloned().zip(estimate.errors.iter().map(|e| e.exp())).collect(),
            standard_errors: errors,
            subjects: population.patients.iter().zip(peaks).map(subject).collect(),
            minus_2_ln_likelihood: (-2.0 * value, 2.0 * variance.sqrt()),
            method: format!("SAEM, {iterations} of {} iterations", self.exploring + self.averaging),
        })
    }
}

/// The error that names the effect whose spread has vanished.
fn lost(estimate: &Estimate) -> CalibrationError {
    let coordinate = estimate.covariance.diagonal().imin();
    CalibrationError::Flat { method: METHOD, coordinate, point: estimate.mean.clone() }
}

/// Moves the error's parameters along the score of the complete likelihood, by the pace of the averages.
fn follow_score(estimate: &mut Estimate, targets: &[Target<'_>], chains: &[Chain], per_subject: usize, pace: f64) {
    const STEP: f64 = 1e-2;
    for place in 0..estimate.errors.len() {
        let here = estimate.errors[place];
        let at = |value: f64| {
            let mut errors = estimate.errors.clone();
            errors[place] = value;
            let one = |(index, chain): (usize, &Chain)| {
                targets.get(index / per_subject).map_or(0.0, |target| ln_likelihood(target, &chain.z, &errors))
            };
            let terms: Vec<f64> = chains.par_iter().enumerate().map(one).collect();
            terms.iter().sum::<f64>()
        };
        let (up, down, center) = (at(here + STEP), at(here - STEP), at(here));
        let score = (up - down) / (2.0 * STEP);
        let curvature = (2.0 * center - up - down) / (STEP * STEP);
        // A Newton step, of no more than half in the logarithm; where there is no peak yet, that much uphill.
        let step = if curvature > 0.0 { (score / curvature).clamp(-0.5, 0.5) } else { 0.5 * score.signum() };
        if step.is_finite() {
            estimate.errors[place] += pace * step;
        }
    }
}
