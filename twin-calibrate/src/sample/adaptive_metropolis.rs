//! Random walks that learn their step during the warm-up.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

use super::chains::{Chains, SampleEnd};
use super::walker::{LnDensity, Walker, best, gather, lengths, positive, spread};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};

const METHOD: &str = "adaptive-metropolis";

/// The adaptive Metropolis sampler: a random walk whose steps take on the covariance of the draws so far (Haario, Saksman and Tamminen
/// 2001, doi:10.2307/3318737) and the length that has a wanted share of them accepted (Andrieu and Thoms 2008,
/// doi:10.1007/s11222-008-9110-y, algorithm 4). The covariance is learned afresh in windows of doubling length, so that the way from
/// the start is forgotten. Adaptation ends with the warm-up, so the draws come from a plain Metropolis chain.
///
/// *Requires* a start of positive density for every chain. The chains are independent; starts that are spread more widely than the
/// density make disagreement visible. Heavy tails and sharp bends are borne but slow; separate peaks are not found.
///
/// ```
/// use twin_calibrate::sample::{AdaptiveMetropolis, LnDensity};
/// use twin_core::Random;
///
/// /// An exponential density.
/// struct Waiting;
/// impl LnDensity for Waiting {
///     fn dimension(&self) -> usize { 1 }
///     fn ln_density(&self, point: &[f64]) -> f64 {
///         point.iter().map(|x| if *x >= 0.0 { -x } else { f64::NEG_INFINITY }).sum()
///     }
/// }
///
/// let starts = [vec![0.2], vec![0.5], vec![1.0], vec![3.0]];
/// let chains = AdaptiveMetropolis::default().run(&Waiting, &starts, &Random::new(1), &())?;
/// let mean = chains.points().flatten().sum::<f64>() / chains.points().len() as f64;
/// assert!((mean - 1.0).abs() < 0.1);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveMetropolis {
    /// Sweeps that are thrown away first, during which the steps adapt.
    pub warmup: usize,
    /// Draws that every chain keeps.
    pub draws: usize,
    /// Sweeps per draw.
    pub thin: usize,
    /// The share of proposals that adaptation aims to accept, in (0, 1); `None` for the theory's 0.44 in one dimension and 0.234 in
    /// more (Roberts, Gelman and Gilks 1997, doi:10.1214/aoap/1034625254).
    pub acceptance: Option<f64>,
    /// The standard deviation, as far as known, along every coordinate, from which the first steps are made; `None` for that of the
    /// starts.
    pub scales: Option<Vec<f64>>,
}

impl Default for AdaptiveMetropolis {
    fn default() -> Self {
        Self { warmup: 4000, draws: 4000, thin: 1, acceptance: None, scales: None }
    }
}

impl AdaptiveMetropolis {
    /// Draws from `target`, one chain from each of `starts`, chain `i` with stream `i` of `random`.
    ///
    /// The chains run on all threads of the current rayon pool. What was drawn from `random` before does not matter.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings, counts or lengths that make no sense;
    /// [`CalibrationError::Start`] for a start without a positive density; [`CalibrationError::Span`] when the first steps are to be
    /// made from the starts, but those are all equal along a coordinate.
    pub fn run(
        &self,
        target: &dyn LnDensity,
        starts: &[Vec<f64>],
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<Chains, CalibrationError> {
        let dimension = target.dimension();
        self.check(dimension, starts)?;
        let wanted = self.acceptance.unwrap_or(if dimension == 1 { 0.44 } else { 0.234 });
        // Set up before the scales, so that a start which is not finite is reported as such.
        let walkers = starts.iter().enumerate().map(|(i, start)| Walker::new(METHOD, target, start, i, self.draws, random));
        let walkers = walkers.collect::<Result<Vec<_>, _>>()?;
        let factor = self.first_factor(dimension, starts)?;
        let mut paths: Vec<_> = walkers.into_iter().map(|walker| Path::new(walker, &factor, wanted)).collect();
        let total = self.warmup + self.draws * self.thin;
        // Observers hear of every hundredth part, so that chains wait for each other seldom.
        let block = total.div_ceil(100);
        let (mut done, mut reason) = (0, SampleEnd::Finished);
        while done < total {
            let upto = (done + block).min(total);
            paths.par_iter_mut().for_each(|path| (done..upto).for_each(|sweep| self.sweep(target, path, sweep)));
            done = upto;
            let progress = Progress { stage: METHOD, done, total, best: best(paths.iter().map(|path| &path.walker)) };
            if observer.progress(&progress) == Flow::Stop && done < total {
                reason = SampleEnd::Asked;
                break;
            }
        }
        let walkers: Vec<_> = paths.into_iter().map(|path| path.walker).collect();
        Ok(gather(&walkers, dimension, walkers.len(), reason))
    }

    fn check(&self, dimension: usize, starts: &[Vec<f64>]) -> Result<(), CalibrationError> {
        positive(METHOD, &[("draws", self.draws), ("thin", self.thin)])?;
        lengths(METHOD, dimension, starts)?;
        if starts.is_empty() {
            return Err(CalibrationError::Length { method: METHOD, what: "the number of starts", expected: 1, actual: 0 });
        }
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if let Some(value) = self.acceptance.filter(|a| !(*a > 0.0 && *a < 1.0)) {
            return setting("acceptance", value, "above 0 and below 1");
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

    /// The factor of the first steps: diagonal.
    fn first_factor(&self, dimension: usize, starts: &[Vec<f64>]) -> Result<DMatrix<f64>, CalibrationError> {
        let scales = match &self.scales {
            Some(scales) => scales.clone(),
            None => {
                let moments = spread(starts, dimension).ok_or(CalibrationError::Span { method: METHOD, group: 0, dimension })?;
                moments.into_iter().map(|(_, deviation)| deviation).collect()
            }
        };
        Ok(DMatrix::from_diagonal(&(DVector::from_vec(scales) * first_length(dimension))))
    }

    fn sweep(&self, target: &dyn LnDensity, path: &mut Path, sweep: usize) {
        let probability = path.advance(target);
        if sweep < self.warmup {
            path.adapt(probability, sweep, self.warmup);
            if sweep + 1 == self.warmup {
                path.walker.warmed_up();
            }
        } else if (sweep + 1 - self.warmup).is_multiple_of(self.thin) {
            path.walker.record();
        }
    }
}

/// The length of steps, in standard deviations, that is best for normal densities (Roberts, Gelman and Gilks 1997).
fn first_length(dimension: usize) -> f64 {
    2.38 / (dimension as f64).sqrt()
}

/// One chain and its steps.
struct Path {
    walker: Walker,
    /// A lower triangle; its product with its transpose is the covariance of the steps, but for their length.
    factor: DMatrix<f64>,
    /// The logarithm of the length of the steps.
    ln_length: f64,
    wanted: f64,
    direction: DVector<f64>,
    step: DVector<f64>,
    window: Window,
}

/// The moments of the points of one window.
struct Window {
    count: f64,
    mean: DVector<f64>,
    scatter: DMatrix<f64>,
    before: DVector<f64>,
}

impl Window {
    fn new(dimension: usize) -> Self {
        let zero = DVector::zeros(dimension);
        Self { count: 0.0, mean: zero.clone(), scatter: DMatrix::zeros(dimension, dimension), before: zero }
    }

    fn clear(&mut self) {
        self.count = 0.0;
        self.mean.fill(0.0);
        self.scatter.fill(0.0);
    }

    /// Takes in one point (Welford 1962, doi:10.1080/00401706.1962.10490022).
    fn add(&mut self, point: &[f64]) {
        self.count += 1.0;
        for ((mean, before), x) in self.mean.iter_mut().zip(self.before.iter_mut()).zip(point) {
            *before = x - *mean;
            *mean += *before / self.count;
        }
        let share = 1.0 - 1.0 / self.count;
        self.scatter.ger(share, &self.before, &self.before, 1.0);
    }

    /// The triangle of the covariance; `None` while the points are too few or lie in a plane.
    fn factor(&self) -> Option<DMatrix<f64>> {
        if self.count < 10.0 * self.mean.len() as f64 {
            return None;
        }
        let covariance = &self.scatter / (self.count - 1.0);
        // Correlations from a short window are not taken at their word.
        let diagonal = DMatrix::from_diagonal(&covariance.diagonal());
        (covariance * 0.99 + diagonal * 0.01).cholesky().map(|triangle| triangle.unpack())
    }
}

impl Path {
    fn new(walker: Walker, factor: &DMatrix<f64>, wanted: f64) -> Self {
        let zero = DVector::zeros(factor.nrows());
        let window = Window::new(factor.nrows());
        Self { walker, factor: factor.clone(), ln_length: 0.0, wanted, direction: zero.clone(), step: zero, window }
    }

    /// One step; returns the probability with which it was accepted.
    fn advance(&mut self, target: &dyn LnDensity) -> f64 {
        for normal in self.direction.iter_mut() {
            *normal = self.walker.random.normal();
        }
        self.step.gemv(self.ln_length.exp(), &self.factor, &self.direction, 0.0);
        for ((to, x), step) in self.walker.proposal.iter_mut().zip(&self.walker.point).zip(self.step.iter()) {
            *to = x + step;
        }
        self.walker.decide(target, 0.0)
    }

    /// Learns from the step just made; `warmup` sweeps are there to learn from.
    fn adapt(&mut self, probability: f64, sweep: usize, warmup: usize) {
        self.window.add(&self.walker.point);
        self.ln_length += (probability - self.wanted) * self.window.count.powf(-0.6);
        // Windows end at 9/10 of the warm-up, at half of that, and so on; the last tenth is for the length alone.
        let last = warmup * 9 / 10;
        let ends = std::iter::successors(Some(last), |end| Some(end / 2)).take_while(|end| *end > 0);
        if ends.into_iter().any(|end| end == sweep + 1) {
            if let Some(factor) = self.window.factor() {
                self.factor = factor * first_length(self.direction.len());
                self.ln_length = 0.0;
            }
            self.window.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_moments_of_its_points() {
        let mut random = Random::new(3);
        let mut window = Window::new(2);
        let points: Vec<[f64; 2]> = (0..50).map(|_| [random.normal(), 7.0 + 30.0 * random.normal()]).collect();
        points.iter().for_each(|point| window.add(point));
        let mean = |j: usize| points.iter().map(|p| p[j]).sum::<f64>() / 50.0;
        let scatter = |i: usize, j: usize| points.iter().map(|p| (p[i] - mean(i)) * (p[j] - mean(j))).sum::<f64>();
        assert!((window.mean[1] - mean(1)).abs() < 1e-12);
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            assert!((window.scatter[(i, j)] - scatter(i, j)).abs() < 1e-10);
        }
        assert!(window.factor().is_some());
    }

    #[test]
    fn a_window_without_movement_teaches_nothing() {
        let mut window = Window::new(2);
        (0..100).for_each(|_| window.add(&[1.0, 2.0]));
        assert!(window.factor().is_none());
    }
}
