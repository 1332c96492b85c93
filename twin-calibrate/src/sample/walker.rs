//! The state of one chain, whatever moves it.

use nalgebra::{DMatrix, DVector};
use twin_core::Random;

use super::chains::{Chains, SampleEnd};
use super::gradient::Gradient;
use crate::CalibrationError;

/// The natural logarithm of a density, up to a constant.
pub trait LnDensity: Sync {
    /// The number of coordinates of a point.
    fn dimension(&self) -> usize;

    /// The logarithm of the density at `point` (`dimension`).
    ///
    /// Minus infinity where the density is zero. NaN and plus infinity count as that too, and how often they occurred is reported in
    /// [`Chains::undefined`].
    fn ln_density(&self, point: &[f64]) -> f64;

    /// The gradient, if it is known. Methods that need one take differences otherwise.
    fn gradient(&self) -> Option<&dyn Gradient> {
        None
    }
}

/// One chain, or one walker of an ensemble.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) random: Random,
    pub(super) point: Vec<f64>,
    pub(super) proposal: Vec<f64>,
    pub(super) ln_density: f64,
    tally: Tally,
    points: Vec<f64>,
    ln_densities: Vec<f64>,
}

/// Counts of one walker.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    evaluations: usize,
    undefined: usize,
    proposed: usize,
    accepted: usize,
}

impl Walker {
    /// Stands at `start`, which must have a positive density, and has room for `draws`.
    pub(super) fn new(
        method: &'static str,
        target: &dyn LnDensity,
        start: &[f64],
        index: usize,
        draws: usize,
        random: &Random,
    ) -> Result<Self, CalibrationError> {
        let mut walker = Self {
            random: random.stream(index as u64),
            point: start.to_vec(),
            proposal: start.to_vec(),
            ln_density: f64::NEG_INFINITY,
            tally: Tally::default(),
            points: Vec::with_capacity(draws * start.len()),
            ln_densities: Vec::with_capacity(draws),
        };
        let value = target.ln_density(start);
        if !value.is_finite() || start.iter().any(|x| !x.is_finite()) {
            return Err(CalibrationError::Start { method, start: index, value, point: start.to_vec() });
        }
        walker.ln_density = value;
        walker.tally.evaluations = 1;
        Ok(walker)
    }

    /// Evaluates the proposal and goes there with the probability of Metropolis and Hastings; `ln_ratio` is the logarithm of the ratio
    /// of the densities of proposing back and forth. Returns that probability.
    pub(super) fn decide(&mut self, target: &dyn LnDensity, ln_ratio: f64) -> f64 {
        let finite = self.proposal.iter().all(|x| x.is_finite());
        let value = if finite { target.ln_density(&self.proposal) } else { f64::NEG_INFINITY };
        let undefined = value.is_nan() || value == f64::INFINITY;
        self.tally.evaluations += usize::from(finite);
        self.tally.undefined += usize::from(undefined);
        self.tally.proposed += 1;
        let ln_probability = if undefined { f64::NEG_INFINITY } else { value - self.ln_density + ln_ratio };
        if self.random.uniform().ln() < ln_probability {
            std::mem::swap(&mut self.point, &mut self.proposal);
            self.ln_density = value;
            self.tally.accepted += 1;
        }
        ln_probability.min(0.0).exp()
    }

    /// Ends the warm-up: from here on acceptance is counted.
    pub(super) fn warmed_up(&mut self) {
        self.tally.proposed = 0;
        self.tally.accepted = 0;
    }

    /// Keeps the present point as a draw.
    pub(super) fn record(&mut self) {
        self.points.extend_from_slice(&self.point);
        self.ln_densities.push(self.ln_density);
    }

    fn acceptance(&self) -> f64 {
        self.tally.accepted as f64 / self.tally.proposed as f64
    }
}

/// The draws of all walkers, in their order.
pub(super) fn gather(walkers: &[Walker], dimension: usize, groups: usize, reason: SampleEnd) -> Chains {
    let mut points = Vec::with_capacity(walkers.iter().map(|w| w.points.len()).sum());
    let mut ln_densities = Vec::with_capacity(walkers.iter().map(|w| w.ln_densities.len()).sum());
    for walker in walkers {
        points.extend_from_slice(&walker.points);
        ln_densities.extend_from_slice(&walker.ln_densities);
    }
    Chains {
        dimension,
        groups,
        chains: walkers.len(),
        draws: walkers.first().map_or(0, |w| w.ln_densities.len()),
        points,
        ln_densities,
        acceptance: walkers.iter().map(Walker::acceptance).collect(),
        evaluations: walkers.iter().map(|w| w.tally.evaluations).sum(),
        undefined: walkers.iter().map(|w| w.tally.undefined).sum(),
        divergences: 0,
        energy_bfmi: Vec::new(),
        reason,
    }
}

/// The highest logarithm of a density among the walkers.
pub(super) fn best<'a>(walkers: impl Iterator<Item = &'a Walker>) -> f64 {
    walkers.map(|w| w.ln_density).fold(f64::NEG_INFINITY, f64::max)
}

/// Refuses counts of zero.
pub(super) fn positive(method: &'static str, counts: &[(&'static str, usize)]) -> Result<(), CalibrationError> {
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((setting, _)) => Err(CalibrationError::Setting { method, setting, value: 0.0, valid: "at least 1" }),
        None => Ok(()),
    }
}

/// Refuses starts of the wrong length.
pub(super) fn lengths(method: &'static str, dimension: usize, starts: &[Vec<f64>]) -> Result<(), CalibrationError> {
    if dimension == 0 {
        return Err(CalibrationError::Length { method, what: "the number of coordinates", expected: 1, actual: 0 });
    }
    match starts.iter().find(|start| start.len() != dimension) {
        Some(start) => {
            let what = "the length of every start";
            Err(CalibrationError::Length { method, what, expected: dimension, actual: start.len() })
        }
        None => Ok(()),
    }
}

/// The mean and the standard deviation of the starts along every coordinate; `None` if they are all equal along one.
pub(super) fn spread(starts: &[Vec<f64>], dimension: usize) -> Option<Vec<(f64, f64)>> {
    let count = starts.len() as f64;
    (0..dimension)
        .map(|j| {
            let along = || starts.iter().filter_map(|start| start.get(j));
            let mean = along().sum::<f64>() / count;
            let deviation = (along().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0)).sqrt();
            (deviation > 1e-13 * mean.abs()).then_some((mean, deviation))
        })
        .collect()
}

/// Whether the starts span all directions, not a plane only.
pub(super) fn spans(starts: &[Vec<f64>], dimension: usize) -> bool {
    let Some(moments) = spread(starts, dimension) else { return false };
    let mut correlation = DMatrix::zeros(dimension, dimension);
    for start in starts {
        let scaled = start.iter().zip(&moments).map(|(x, (mean, deviation))| (x - mean) / deviation);
        let scaled = DVector::from_iterator(dimension, scaled);
        correlation.ger(1.0 / (starts.len() as f64 - 1.0), &scaled, &scaled, 1.0);
    }
    correlation.symmetric_eigenvalues().min() > 1e-12
}
