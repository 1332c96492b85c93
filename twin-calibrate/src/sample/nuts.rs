//! The no-U-turn sampler.

mod adaptation;
mod trajectory;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

use super::chains::{Chains, SampleEnd};
use super::walker::{LnDensity, lengths, positive, spread};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};
use adaptation::{DualAveraging, Moments, windows};
use trajectory::{Field, Metric, State, Tally, Transition, Workspace, transition};

const METHOD: &str = "nuts";

/// The no-U-turn sampler (Hoffman and Gelman 2014, Journal of Machine Learning Research 15:1593) with draws from the whole trajectory and the
/// criterion of Betancourt (2017, arXiv:1701.02434); step and metric are learned during the warm-up, in Stan's windows.
///
/// *Requires* a density that is smooth almost everywhere, and a start of positive density for every chain. The gradient comes from
/// [`LnDensity::gradient`]; without one, from central differences at two evaluations for each coordinate. An imprecise gradient costs acceptance,
/// not correctness: trajectories stay reversible, and their states are weighed by the density itself. Of all methods here it bears correlations
/// and many dimensions best. Separate peaks are not found.
///
/// It diagnoses itself: divergences tell of regions too sharp for the step, and the energies of a chain tell whether momenta carry it into the
/// tails ([`Chains::divergences`], [`Chains::energy_bfmi`]). [`Chains::diagnose`] looks at both.
///
/// ```
/// use twin_calibrate::sample::{Gradient, LnDensity, Nuts};
/// use twin_core::Random;
///
/// /// A normal density of standard deviations 1 and 1000.
/// struct Bell;
/// impl LnDensity for Bell {
///     fn dimension(&self) -> usize { 2 }
///     fn ln_density(&self, x: &[f64]) -> f64 { -0.5 * (x[0] * x[0] + x[1] * x[1] * 1e-6) }
///     fn gradient(&self) -> Option<&dyn Gradient> { Some(self) }
/// }
/// impl Gradient for Bell {
///     fn ln_density_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
///         gradient.copy_from_slice(&[-x[0], -1e-6 * x[1]]);
///         self.ln_density(x)
///     }
/// }
///
/// let starts = [vec![0.5, 300.0], vec![-0.5, 100.0], vec![1.0, -500.0], vec![0.1, 0.0]];
/// let chains = Nuts::default().run(&Bell, &starts, &Random::new(1), &())?;
/// assert!(chains.diagnose(Default::default()).is_good());
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Nuts {
    /// Transitions that are thrown away first, during which step and metric adapt.
    pub warmup: usize,
    /// Draws that every chain keeps.
    pub draws: usize,
    /// The mean acceptance that the step aims at, in (0, 1); higher means shorter steps and fewer divergences.
    pub acceptance: f64,
    /// A trajectory has at most two to the power of this many steps.
    pub depth: usize,
    /// Whether the metric learns correlations too. Best up to some fifty coordinates.
    pub dense: bool,
    /// The standard deviation, as far as known, along every coordinate, from which the first metric is made; `None` for that of the starts.
    pub scales: Option<Vec<f64>>,
    /// The step of central differences in standard deviations, where the density does not know its gradient.
    pub difference: f64,
}

impl Default for Nuts {
    fn default() -> Self {
        Self { warmup: 1000, draws: 1000, acceptance: 0.8, depth: 10, dense: true, scales: None, difference: 0.01 }
    }
}

/// One chain.
struct Chain {
    random: Random,
    state: State,
    metric: Metric,
    step: f64,
    averaging: DualAveraging,
    moments: Moments,
    room: Workspace,
    tally: Tally,
    points: Vec<f64>,
    ln_densities: Vec<f64>,
    energies: Vec<f64>,
    accepted: f64,
    divergences: usize,
}

impl Nuts {
    /// Draws from `target`, one chain from each of `starts`, chain `i` with stream `i` of `random`.
    ///
    /// The chains run on all threads of the current rayon pool. What was drawn from `random` before does not matter.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings, counts or lengths that make no sense;
    /// [`CalibrationError::Start`] for a start without a positive density or a finite gradient; [`CalibrationError::Span`] when the first metric
    /// is to be made from the starts, but those are all equal along a coordinate.
    pub fn run(
        &self,
        target: &dyn LnDensity,
        starts: &[Vec<f64>],
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<Chains, CalibrationError> {
        let dimension = target.dimension();
        self.check(dimension, starts)?;
        let metric = self.first_metric(dimension, starts)?;
        let begun: Vec<_> = starts.par_iter().enumerate().map(|(i, start)| self.begin(target, start, i, &metric, random)).collect();
        let mut chains = begun.into_iter().collect::<Result<Vec<Chain>, _>>()?;
        let (first, ends) = windows(self.warmup);
        let total = self.warmup + self.draws;
        // Observers hear of every hundredth part, so that chains wait for each other seldom.
        let block = total.div_ceil(100);
        let (mut done, mut reason) = (0, SampleEnd::Finished);
        while done < total {
            let upto = (done + block).min(total);
            chains.par_iter_mut().for_each(|chain| (done..upto).for_each(|sweep| self.sweep(target, chain, sweep, first, &ends)));
            done = upto;
            let best = chains.iter().map(|chain| chain.state.ln_density).fold(f64::NEG_INFINITY, f64::max);
            if observer.progress(&Progress { stage: METHOD, done, total, best }) == Flow::Stop && done < total {
                reason = SampleEnd::Asked;
                break;
            }
        }
        Ok(gather(chains, dimension, reason))
    }

    fn check(&self, dimension: usize, starts: &[Vec<f64>]) -> Result<(), CalibrationError> {
        positive(METHOD, &[("draws", self.draws), ("depth", self.depth)])?;
        lengths(METHOD, dimension, starts)?;
        if starts.is_empty() {
            return Err(CalibrationError::Length { method: METHOD, what: "the number of starts", expected: 1, actual: 0 });
        }
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if !(self.acceptance > 0.0 && self.acceptance < 1.0) {
            return setting("acceptance", self.acceptance, "above 0 and below 1");
        }
        if self.depth > 20 {
            return setting("depth", self.depth as f64, "at most 20");
        }
        if !(self.difference > 0.0 && self.difference < 1.0) {
            return setting("difference", self.difference, "above 0 and below 1");
        }
        let Some(scales) = &self.scales else { return Ok(()) };
        if scales.len() != dimension {
            let what = "the number of scales";
            return Err(CalibrationError::Length { method: METHOD, what, expected: dimension, actual: scales.len() });
        }
        match scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            Some(scale) => setting("scales", *scale, "finite and above 0"),
            None => Ok(()),
        }
    }

    fn first_metric(&self, dimension: usize, starts: &[Vec<f64>]) -> Result<Metric, CalibrationError> {
        let span = || CalibrationError::Span { method: METHOD, group: 0, dimension };
        let scales: Vec<f64> = match &self.scales {
            Some(scales) => scales.clone(),
            None => spread(starts, dimension).ok_or_else(span)?.into_iter().map(|(_, deviation)| deviation).collect(),
        };
        let covariance = DMatrix::from_diagonal(&DVector::from_iterator(dimension, scales.iter().map(|scale| scale * scale)));
        Metric::new(covariance, self.difference).ok_or_else(span)
    }

    fn begin(
        &self,
        target: &dyn LnDensity,
        start: &[f64],
        index: usize,
        metric: &Metric,
        random: &Random,
    ) -> Result<Chain, CalibrationError> {
        let dimension = start.len();
        let (mut state, mut tally) = (State::new(dimension), Tally::default());
        state.point.copy_from_slice(start);
        let field = Field { target, metric, step: 1.0 };
        field.settle(&mut state, &mut tally);
        if !state.ln_density.is_finite() || start.iter().any(|x| !x.is_finite()) {
            return Err(CalibrationError::Start { method: METHOD, start: index, value: state.ln_density, point: start.to_vec() });
        }
        let mut chain = Chain {
            random: random.stream(index as u64),
            state,
            metric: metric.clone(),
            step: 1.0,
            averaging: DualAveraging::new(self.acceptance, 1.0),
            moments: Moments::new(dimension),
            room: Workspace::default(),
            tally,
            points: Vec::with_capacity(self.draws * dimension),
            ln_densities: Vec::with_capacity(self.draws),
            energies: Vec::with_capacity(self.draws),
            accepted: 0.0,
            divergences: 0,
        };
        chain.find_step(target, self.acceptance);
        Ok(chain)
    }

    fn sweep(&self, target: &dyn LnDensity, chain: &mut Chain, sweep: usize, first: usize, ends: &[usize]) {
        let field = Field { target, metric: &chain.metric, step: chain.step };
        let (state, room, tally) = (&mut chain.state, &mut chain.room, &mut chain.tally);
        let Transition { acceptance, diverged, energy } = transition(&field, state, self.depth, room, tally, &mut chain.random);
        if sweep >= self.warmup {
            chain.points.extend_from_slice(chain.state.point.as_slice());
            chain.ln_densities.push(chain.state.ln_density);
            chain.energies.push(energy);
            chain.accepted += acceptance;
            chain.divergences += usize::from(diverged);
            return;
        }
        chain.step = chain.averaging.learn(acceptance);
        if sweep >= first && ends.last().is_some_and(|last| sweep < *last) {
            chain.moments.add(&chain.state.point);
        }
        if ends.contains(&(sweep + 1)) {
            let former = DVector::from_iterator(chain.state.point.len(), chain.metric.variances());
            let learned = chain.moments.finish(&former, self.dense);
            if let Some(metric) = learned.and_then(|covariance| Metric::new(covariance, self.difference)) {
                chain.metric = metric;
                chain.find_step(target, self.acceptance);
            }
        }
        if sweep + 1 == self.warmup {
            chain.step = chain.averaging.step();
        }
    }
}

impl Chain {
    /// A step from which one leap is accepted about half the time: doubled or halved until then (Hoffman and Gelman 2014, algorithm 4).
    fn find_step(&mut self, target: &dyn LnDensity, wanted: f64) {
        let mut gains = |step: f64| {
            let field = Field { target, metric: &self.metric, step };
            let mut state = self.state.clone();
            field.metric.refresh(&mut state, &mut self.random);
            let energy = state.energy();
            field.leap(&mut state, 1.0, &mut self.tally);
            energy - state.energy() > 0.8_f64.ln()
        };
        let grows = gains(self.step);
        for _ in 0..60 {
            let next = self.step * if grows { 2.0 } else { 0.5 };
            if gains(next) != grows {
                self.step = if grows { self.step } else { next };
                break;
            }
            self.step = next;
        }
        self.averaging = DualAveraging::new(wanted, self.step);
    }
}

/// The draws of all chains, in their order.
fn gather(chains: Vec<Chain>, dimension: usize, reason: SampleEnd) -> Chains {
    let draws = chains.first().map_or(0, |chain| chain.ln_densities.len());
    let mut all = Chains {
        dimension,
        groups: chains.len(),
        chains: chains.len(),
        draws,
        points: Vec::with_capacity(chains.len() * draws * dimension),
        ln_densities: Vec::with_capacity(chains.len() * draws),
        acceptance: Vec::new(),
        evaluations: 0,
        undefined: 0,
        divergences: 0,
        energy_bfmi: Vec::new(),
        reason,
    };
    for chain in chains {
        all.points.extend(chain.points);
        all.ln_densities.extend(chain.ln_densities);
        all.acceptance.push(chain.accepted / draws as f64);
        all.evaluations += chain.tally.evaluations;
        all.undefined += chain.tally.undefined;
        all.divergences += chain.divergences;
        all.energy_bfmi.push(bfmi(&chain.energies));
    }
    all
}

/// The mean square change of the energy from one draw to the next over its variance; NaN for fewer than two draws.
fn bfmi(energies: &[f64]) -> f64 {
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    let changes: f64 = energies.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    changes / energies.iter().map(|energy| (energy - mean).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests;
