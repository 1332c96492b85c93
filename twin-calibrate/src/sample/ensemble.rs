//! Walkers that learn scale and direction from each other.

use rayon::prelude::*;
use twin_core::Random;

use super::chains::{Chains, SampleEnd};
use super::walker::{LnDensity, Walker, best, gather, lengths, positive, spans};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};

const METHOD: &str = "ensemble";

/// The affine-invariant ensemble sampler of Goodman and Weare (2010, doi:10.2140/camcos.2010.5.65), its stretch moves mixed with
/// differential-evolution moves (ter Braak 2006, doi:10.1007/s11222-006-8769-1), which carry further above a few dimensions.
///
/// The walkers of a group are updated in two halves, each against the other half at rest (Foreman-Mackey et al. 2013,
/// doi:10.1086/670067), so all walkers of a half can move at once.
///
/// *Requires* a start for every walker of every group, each of positive density and together spanning the space: best drawn from the
/// prior, or from a fit with its uncertainty. Scales and correlations need no tuning. Poor for densities with separate peaks and above some
/// twenty dimensions.
///
/// Walkers of one group are not independent: neither may they be taken for chains in R-hat, nor may their autocorrelation times be
/// averaged as if they were. Hence at least two groups, which never see each other; [`Chains::diagnose`] compares groups.
///
/// ```
/// use twin_calibrate::sample::{Ensemble, LnDensity};
/// use twin_core::Random;
///
/// /// A normal density of standard deviations 1 and 1000.
/// struct Bell;
/// impl LnDensity for Bell {
///     fn dimension(&self) -> usize { 2 }
///     fn ln_density(&self, point: &[f64]) -> f64 {
///         point.iter().zip([1.0, 1e3]).map(|(x, scale)| -0.5 * (x / scale).powi(2)).sum()
///     }
/// }
///
/// let sampler = Ensemble { draws: 500, ..Ensemble::default() };
/// let mut random = Random::new(1);
/// let starts: Vec<_> = (0..sampler.starts()).map(|_| vec![random.normal(), random.normal()]).collect();
/// let chains = sampler.run(&Bell, &starts, &random, &())?;
/// assert!(chains.diagnose(Default::default()).is_good());
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// Independent groups, at least 2 for a verdict that means something.
    pub groups: usize,
    /// Walkers of each group: even, at least 4 and at least twice the dimension; more is better.
    pub walkers: usize,
    /// Sweeps that are thrown away first.
    pub warmup: usize,
    /// Draws that every walker keeps.
    pub draws: usize,
    /// Sweeps per draw.
    pub thin: usize,
    /// The largest stretch, above 1.
    pub stretch: f64,
    /// The share of differential-evolution moves, 0 to 1, the others being stretches.
    pub differential: f64,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self { groups: 4, walkers: 32, warmup: 1000, draws: 1000, thin: 1, stretch: 2.0, differential: 0.8 }
    }
}

impl Ensemble {
    /// The number of starts that a run needs: one per walker.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.groups * self.walkers
    }

    /// Draws from `target`, walker `i` beginning at `starts[i]`, group after group, with stream `i` of `random`.
    ///
    /// The density is evaluated on all threads of the current rayon pool. What was drawn from `random` before does not matter.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings, counts or lengths that make no sense;
    /// [`CalibrationError::Start`] for a start without a positive density; [`CalibrationError::Span`] for a group whose starts lie in
    /// a plane.
    pub fn run(
        &self,
        target: &dyn LnDensity,
        starts: &[Vec<f64>],
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<Chains, CalibrationError> {
        let dimension = target.dimension();
        self.check(dimension, starts)?;
        let begin = |(i, start): (usize, &Vec<f64>)| Walker::new(METHOD, target, start, i, self.draws, random);
        // Collected one by one first, so that of several bad starts always the first is reported.
        let walkers: Vec<_> = starts.par_iter().enumerate().map(begin).collect();
        let mut walkers = walkers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut resting: Vec<f64> = starts.iter().flatten().copied().collect();
        let total = self.warmup + self.draws * self.thin;
        let mut reason = SampleEnd::Finished;
        for sweep in 0..total {
            for half in 0..2 {
                self.move_half(target, &mut walkers, &resting, half);
                for (rest, walker) in resting.chunks_exact_mut(dimension).zip(&walkers) {
                    rest.copy_from_slice(&walker.point);
                }
            }
            let done = sweep + 1;
            if done == self.warmup {
                walkers.iter_mut().for_each(Walker::warmed_up);
            } else if done > self.warmup && (done - self.warmup).is_multiple_of(self.thin) {
                walkers.iter_mut().for_each(Walker::record);
            }
            let progress = Progress { stage: METHOD, done, total, best: best(walkers.iter()) };
            if observer.progress(&progress) == Flow::Stop && done < total {
                reason = SampleEnd::Asked;
                break;
            }
        }
        Ok(gather(&walkers, dimension, self.groups, reason))
    }

    fn check(&self, dimension: usize, starts: &[Vec<f64>]) -> Result<(), CalibrationError> {
        positive(METHOD, &[("groups", self.groups), ("draws", self.draws), ("thin", self.thin)])?;
        lengths(METHOD, dimension, starts)?;
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if !self.walkers.is_multiple_of(2) || self.walkers < 4 || self.walkers < 2 * dimension {
            return setting("walkers", self.walkers as f64, "even, at least 4 and at least twice the dimension");
        }
        if !(self.stretch.is_finite() && self.stretch > 1.0) {
            return setting("stretch", self.stretch, "finite and above 1");
        }
        if !(0.0..=1.0).contains(&self.differential) {
            return setting("differential", self.differential, "0 to 1");
        }
        if starts.len() != self.starts() {
            let what = "the number of starts, groups times walkers,";
            return Err(CalibrationError::Length { method: METHOD, what, expected: self.starts(), actual: starts.len() });
        }
        // Points that are not finite are reported as such when their walker is set up, not as a plane.
        let finite = |group: &[Vec<f64>]| group.iter().flatten().all(|x| x.is_finite());
        match starts.chunks(self.walkers).position(|group| finite(group) && !spans(group, dimension)) {
            Some(group) => Err(CalibrationError::Span { method: METHOD, group, dimension }),
            None => Ok(()),
        }
    }

    /// Moves one half of every group against the other half, whose points are in `resting` (walkers × dimension).
    fn move_half(&self, target: &dyn LnDensity, walkers: &mut [Walker], resting: &[f64], half: usize) {
        let (members, size) = (self.walkers, self.walkers / 2);
        let dimension = target.dimension();
        walkers.par_iter_mut().enumerate().filter(|(i, _)| (i % members) / size == half).for_each(|(i, walker)| {
            let group = i / members;
            let mut others = resting.chunks_exact(members * dimension).skip(group);
            let mut halves = others.next().unwrap_or(&[]).chunks_exact(size * dimension);
            let others = halves.nth(1 - half).unwrap_or(&[]);
            let ln_ratio =
                if walker.random.uniform() < self.differential { differ(walker, others) } else { self.stretch(walker, others) };
            walker.decide(target, ln_ratio);
        });
    }

    /// Proposes a point on the line through the walker and one of `others`.
    fn stretch(&self, walker: &mut Walker, others: &[f64]) -> f64 {
        let dimension = walker.point.len();
        let factor = ((self.stretch - 1.0) * walker.random.uniform() + 1.0).powi(2) / self.stretch;
        let other = others.chunks_exact(dimension).nth(walker.random.below(others.len() / dimension)).unwrap_or(&[]);
        for ((to, x), center) in walker.proposal.iter_mut().zip(&walker.point).zip(other) {
            *to = center + factor * (x - center);
        }
        (dimension as f64 - 1.0) * factor.ln()
    }
}

/// Proposes a point displaced along the difference of two of `others`; one in ten times by all of it, which can lead from one peak to another.
fn differ(walker: &mut Walker, others: &[f64]) -> f64 {
    let dimension = walker.point.len();
    let count = others.len() / dimension;
    let first = walker.random.below(count);
    let second = (first + 1 + walker.random.below(count - 1)) % count;
    let length = if walker.random.uniform() < 0.1 { 1.0 } else { 2.38 / (2.0 * dimension as f64).sqrt() };
    let length = length * (1.0 + 0.01 * walker.random.normal());
    let at = |i: usize| others.chunks_exact(dimension).nth(i).unwrap_or(&[]);
    for (((to, x), a), b) in walker.proposal.iter_mut().zip(&walker.point).zip(at(first)).zip(at(second)) {
        *to = x + length * (a - b);
    }
    0.0
}
