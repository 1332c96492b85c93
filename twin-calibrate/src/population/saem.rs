//! Stochastic approximation of expectation and maximization.

use super::fit::{Estimate, Normal, finish, ln_likelihood};
use super::{Population, PopulationFit};
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
        if self.correlated && !population.covariates.is_empty() {
            let (setting, value) = ("the number of covariates", population.covariates.len() as f64);
            return Err(CalibrationError::Setting { method: METHOD, setting, value, valid: "0 where effects may be correlated" });
        }
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
        let coefficients = vec![0.0; population.covariates.len()];
        let mut estimate = Estimate { mean, covariance: DMatrix::from_diagonal(&spread), errors, coefficients };
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
            let normals = estimate.normals(population).ok_or_else(|| lost(&estimate))?;
            let stream = root.stream(iteration as u64);
            chains.par_iter_mut().enumerate().for_each(|(index, chain)| {
                let subject = index / per_subject;
                let (Some(target), Some(normal)) = (targets.get(subject), normals.get(subject)) else { return };
                self.simulate(target, normal, &estimate, chain, &mut stream.stream(index as u64));
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
            self.maximize(population, &mut estimate, &first, &second, iteration < self.exploring);
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
            let mut z = normal.mean.as_slice().to_vec();
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
    fn maximize(
        &self,
        population: &Population<'_>,
        estimate: &mut Estimate,
        first: &[DVector<f64>],
        second: &DMatrix<f64>,
        exploring: bool,
    ) {
        let (count, n) = (first.len() as f64, estimate.mean.len());
        regress(population, estimate, first);
        // Around each subject's own center: the second moments less what the centers take away.
        let mut covariance = second.clone();
        for (subject, z) in first.iter().enumerate() {
            let center = DVector::from_vec(population.center(&estimate.mean, &estimate.coefficients, subject));
            covariance.ger(-1.0, &center, z, 1.0);
            covariance.ger(-1.0, z, &center, 1.0);
            covariance.ger(1.0, &center, &center, 1.0);
        }
        covariance /= count;
        if !self.correlated {
            covariance = DMatrix::from_diagonal(&covariance.diagonal());
        }
        if exploring {
            for j in 0..n {
                let least = 0.95 * estimate.covariance[(j, j)];
                if covariance[(j, j)] < least {
                    // Widened along the diagonal, the matrix stays positive definite.
                    covariance[(j, j)] = least;
                }
            }
        }
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
        let how = (self.samples, self.correlated);
        let mut fit = finish(population, targets, (estimate, &lost), centers, how, &root.stream(u64::MAX))?;
        fit.method = format!("SAEM, {iterations} of {} iterations", self.exploring + self.averaging);
        Ok(fit)
    }
}

/// The mean and the coefficients of the covariates that lie closest to the subjects' first moments: a regression for each parameter.
fn regress(population: &Population<'_>, estimate: &mut Estimate, first: &[DVector<f64>]) {
    for j in 0..estimate.mean.len() {
        let acting: Vec<usize> =
            (0..population.covariates.len()).filter(|&c| population.place_of(&population.covariates[c]) == Some(j)).collect();
        let value = |subject: usize, column: usize| match column {
            0 => 1.0,
            _ => population.covariates[acting[column - 1]].values[subject],
        };
        let design = DMatrix::from_fn(first.len(), 1 + acting.len(), value);
        let seen = DVector::from_iterator(first.len(), first.iter().map(|z| z[j]));
        // The check of the population has seen to it that there is a regression.
        let Some(cholesky) = design.tr_mul(&design).cholesky() else { continue };
        let found = cholesky.solve(&design.tr_mul(&seen));
        estimate.mean[j] = found[0];
        for (place, &c) in acting.iter().enumerate() {
            estimate.coefficients[c] = found[place + 1];
        }
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
