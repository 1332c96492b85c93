//! Simulation-based calibration.

use super::{Design, Method};
use crate::{CalibrationError, Calibrator, Posterior, Problem};
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use twin_core::Random;

/// Where the truth of each replicate ranks among the draws of its posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranks {
    /// The parameters.
    pub parameters: Vec<String>,
    /// How many draws each truth was ranked among: ranks go from 0 to this.
    pub draws: usize,
    /// The ranks (replicates × parameters).
    pub ranks: Vec<usize>,
    /// How many posteriors passed their own diagnosis.
    pub sound: usize,
    /// Replicates without a posterior, with their index and why.
    pub failures: Vec<(usize, CalibrationError)>,
}

/// Ranks the truths of `replicates` patients of `design` among `draws` draws of the posteriors that `method` makes of them (Talts et al. 2018,
/// arXiv:1804.06788). If the method is right, every rank is equally probable.
///
/// Draws are taken evenly from all that a posterior has, so that chains have time to forget; ties are broken by chance. Replicate `i`
/// has stream `i` of `random`.
///
/// # Errors
/// [`CalibrationError::Setting`] without replicates or draws; [`CalibrationError::NoStart`] for a design that cannot be lived through. A
/// method that fails is counted in [`Ranks::failures`].
pub fn ranks(
    design: &Design,
    method: Method<'_>,
    replicates: usize,
    draws: usize,
    random: &Random,
) -> Result<Ranks, CalibrationError> {
    for (setting, value) in [("replicates", replicates), ("draws", draws)] {
        if value == 0 {
            let method = "simulation-based calibration";
            return Err(CalibrationError::Setting { method, setting, value: 0.0, valid: "at least 1" });
        }
    }
    let one = |index: usize| {
        let mut own = random.stream(index as u64);
        let (truth, patient) = design.draw(&mut own)?;
        let inferred = method.infer(&design.assumptions, &patient, &mut own.stream(0));
        Ok(inferred.map(|posterior| (rank(&posterior, &truth, draws, &mut own), posterior.record.is_sound())))
    };
    let outcomes = (0..replicates).into_par_iter().map(one).collect::<Result<Vec<_>, CalibrationError>>()?;
    let parameters = design.assumptions.prior.names().to_vec();
    let mut this = Ranks { parameters, draws, ranks: Vec::new(), sound: 0, failures: Vec::new() };
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok((ranks, sound)) => {
                this.ranks.extend(ranks);
                this.sound += usize::from(sound);
            }
            Err(error) => this.failures.push((index, error)),
        }
    }
    Ok(this)
}

fn rank(posterior: &Posterior, truth: &[f64], draws: usize, random: &mut Random) -> Vec<usize> {
    let mut ranks = vec![0; truth.len()];
    for k in 0..draws {
        let Ok(draw) = posterior.draw(k * posterior.count() / draws) else { continue };
        for ((rank, x), truth) in ranks.iter_mut().zip(draw).zip(truth) {
            let tie =
                x.partial_cmp(truth) != Some(std::cmp::Ordering::Less) && x.partial_cmp(truth) != Some(std::cmp::Ordering::Greater);
            *rank += usize::from(x < truth || (tie && random.uniform() < 0.5));
        }
    }
    ranks
}

impl Ranks {
    /// How many replicates have a posterior.
    #[must_use]
    pub fn replicates(&self) -> usize {
        self.ranks.len() / self.parameters.len().max(1)
    }

    /// How many ranks of the parameter number `parameter` fall into each of `bins` bins of equal width.
    #[must_use]
    pub fn histogram(&self, parameter: usize, bins: usize) -> Vec<usize> {
        let mut counts = vec![0; bins];
        for rank in self.ranks.iter().skip(parameter).step_by(self.parameters.len().max(1)) {
            if let Some(count) = counts.get_mut(rank * bins / (self.draws + 1)) {
                *count += 1;
            }
        }
        counts
    }

    /// For each parameter the probability of a histogram of `bins` bins as uneven as this or more, by Pearson's chi-square test.
    ///
    /// `bins` should divide the number of draws plus one, and leave at least five replicates for each bin.
    #[must_use]
    pub fn chi_square(&self, bins: usize) -> Vec<f64> {
        let expected = self.replicates() as f64 / bins as f64;
        let of = |parameter: usize| {
            let counts = self.histogram(parameter, bins);
            let statistic: f64 = counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum();
            ChiSquared::new(bins as f64 - 1.0).map_or(f64::NAN, |distribution| distribution.sf(statistic))
        };
        (0..self.parameters.len()).map(of).collect()
    }

    /// For each parameter the share of truths inside the central interval of probability `level`.
    #[must_use]
    pub fn coverage(&self, level: f64) -> Vec<f64> {
        let inside = |rank: &usize| ((*rank as f64 + 0.5) / (self.draws as f64 + 1.0) - 0.5).abs() <= 0.5 * level;
        let of = |parameter: usize| {
            let ranks = self.ranks.iter().skip(parameter).step_by(self.parameters.len().max(1));
            ranks.filter(|rank| inside(rank)).count() as f64 / self.replicates() as f64
        };
        (0..self.parameters.len()).map(of).collect()
    }
}

/// Where the truth of one parameter lies in a posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// The parameter.
    pub parameter: String,
    /// Its true value.
    pub truth: f64,
    /// The share of draws below it.
    pub below: f64,
    /// The distance of the mean from the truth in standard deviations of the posterior.
    pub off: f64,
}

/// Where `truth` (in the order of the prior) lies in the posterior that `calibrator` makes of `problem`, whose data should be made by
/// other means than the model's own.
///
/// # Errors
/// As [`Calibrator::calibrate`]; [`CalibrationError::Length`] for a truth that does not fit the prior.
pub fn recovery(
    calibrator: &dyn Calibrator,
    problem: &Problem<'_>,
    truth: &[f64],
    random: &mut Random,
) -> Result<Vec<Recovered>, CalibrationError> {
    let expected = problem.prior.dimension();
    if truth.len() != expected {
        let (method, what) = ("recovery", "the number of true values");
        return Err(CalibrationError::Length { method, what, expected, actual: truth.len() });
    }
    let posterior = calibrator.calibrate(problem, random)?;
    let one = |(name, truth): (&String, &f64)| {
        let column = posterior.column(name)?;
        let count = column.len() as f64;
        let mean = column.iter().sum::<f64>() / count;
        let sd = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let below = column.iter().filter(|x| *x < truth).count() as f64 / count;
        Ok(Recovered { parameter: name.clone(), truth: *truth, below, off: (mean - truth) / sd })
    };
    problem.prior.names().iter().zip(truth).map(one).collect()
}
