//! Particles that follow what changes in the likelihood.

use super::{Twin, Updater};
use crate::diagnostics::{Concern, Diagnosis, Draws, Thresholds};
use crate::problem::ln_prior_at;
use crate::sample::bridge::{Bridge, Ends, Particle};
use crate::{CalibrationError, Posterior, Prior, Record, Target};
use rayon::prelude::*;
use twin_core::{Patient, Random};

const METHOD: &str = "particles";

/// Iterated batch importance sampling (Chopin 2002, doi:10.1093/biomet/89.3.539): the draws are reweighted by the ratio of the new
/// posterior to the former, resampled, and moved by random walks that leave the new posterior as it is. Where too few draws would stay
/// effective, the new data are let in by and by (Neal 2001, doi:10.1023/A:1008923215028).
///
/// Whatever changed on the timeline is in that ratio: a new reading, a late one, one that was corrected or removed, a treatment that was
/// found out later. *Requires* a model without chance of its own (its courses are fixed by parameters), and particles enough to cover the next
/// posterior; the diagnosis shows when they are too related. It cannot show that the former draws were wrong, so a version made from one
/// that is not sound is not sound either, until a [`Refit`](super::Refit).
#[derive(Debug, Clone, PartialEq)]
pub struct Particles {
    /// How many particles; the first update takes so many of the draws there are, evenly.
    pub count: usize,
    /// The share of the particles that must stay effective for the new data to be let in at once, in (0, 1).
    pub effective: f64,
    /// Moves go on until no coordinate correlates with its place before by more than this.
    pub correlation: f64,
    /// Sweeps of moves at most, each time data are let in.
    pub sweeps: usize,
    /// What the diagnosis demands.
    pub thresholds: Thresholds,
}

impl Default for Particles {
    fn default() -> Self {
        Self { count: 1000, effective: 0.3, correlation: 0.6, sweeps: 4, thresholds: Thresholds::exploratory() }
    }
}

/// From the former posterior to the next; without any reading before, from the prior.
struct FromFormer<'a> {
    prior: &'a dyn Prior,
    former: Option<Target<'a>>,
    next: &'a Target<'a>,
}

impl Ends for FromFormer<'_> {
    fn dimension(&self) -> usize {
        self.prior.dimension()
    }
    fn ln_from(&self, point: &[f64]) -> f64 {
        match &self.former {
            Some(target) => target.ln_posterior(point),
            None => ln_prior_at(self.prior, point),
        }
    }
    fn ln_to(&self, point: &[f64]) -> f64 {
        self.next.ln_posterior(point)
    }
}

impl Particles {
    fn check(&self) -> Result<(), CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if self.count < 10 {
            return setting("count", self.count as f64, "at least 10");
        }
        if !(self.effective > 0.0 && self.effective < 1.0) {
            return setting("effective", self.effective, "above 0 and below 1");
        }
        if !(self.correlation > 0.0 && self.correlation < 1.0) {
            return setting("correlation", self.correlation, "above 0 and below 1");
        }
        if self.sweeps == 0 {
            return setting("sweeps", 0.0, "at least 1");
        }
        Ok(())
    }

    fn diagnose(&self, particles: &[Particle], dimension: usize) -> Diagnosis {
        // Related particles stand next to each other: they show as correlation along the places, and as blocks that differ.
        let even = particles.get(..particles.len() / 4 * 4).unwrap_or_default();
        let column = |j: usize| even.iter().filter_map(|particle| particle.point.get(j).copied()).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..dimension).map(column).collect();
        Diagnosis::of(columns.iter().filter_map(|column| Draws::independent(column, 4).ok()), self.thresholds)
    }
}

impl Updater for Particles {
    fn update(&self, twin: &Twin, next: &Patient, random: &mut Random) -> Result<Posterior, CalibrationError> {
        self.check()?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let assumptions = twin.assumptions();
        let (problem, former) = (assumptions.problem(next), assumptions.problem(twin.patient()));
        let target = Target::new(&problem)?;
        let former = match Target::new(&former) {
            Ok(target) => Some(target),
            Err(CalibrationError::NoObservations { .. }) => None,
            Err(error) => return Err(error),
        };
        let ends = FromFormer { prior: problem.prior, former, next: &target };
        let posterior = twin.posterior();
        // The former densities are known, unless their maker left out a constant.
        let known = posterior.draw(0).map(|draw| ends.ln_from(&target.point_of(draw)))?;
        let stored = posterior.ln_densities().first().copied().unwrap_or(f64::NAN);
        let is_stored = (known - stored).abs() <= 1e-9 * known.abs().max(1.0);
        let begin = |k: usize| {
            let index = k * posterior.count() / self.count;
            let point = target.point_of(posterior.draw(index)?);
            let stored = posterior.ln_densities().get(index).copied().filter(|_| is_stored);
            Ok(Particle { from: stored.unwrap_or_else(|| ends.ln_from(&point)), to: ends.ln_to(&point), point })
        };
        let particles = (0..self.count).into_par_iter().map(begin).collect::<Result<Vec<_>, CalibrationError>>()?;
        if particles.iter().all(|particle| particle.to - particle.from == 0.0) {
            let mut same = posterior.clone();
            let method = "kept: no prediction of a reading changed";
            same.record = Record::of(&target, method, "nothing was to be done", posterior.record.diagnosis.clone());
            return Ok(same);
        }
        let bridge = Bridge { stage: METHOD, effective: self.effective, correlation: self.correlation, sweeps: self.sweeps };
        let none =
            || CalibrationError::NoneExplains { draws: self.count, source: target.failure().map(|(_, source)| Box::new(source)) };
        let led = bridge.lead(&ends, particles, &root, &()).ok_or_else(none)?;
        let method = format!(
            "{} particles, {:.0} % effective at once, {} steps, {} sweeps of moves",
            self.count,
            100.0 * led.first_effective,
            led.stages,
            led.sweeps
        );
        let mut diagnosis = self.diagnose(&led.particles, target.dimension());
        // Draws from the prior, before any reading, are what they are.
        if posterior.record.readings > 0 && !posterior.record.is_sound() {
            diagnosis = diagnosis.with_concern(Concern::UnsoundFormer);
        }
        let record = Record::of(&target, method, "the next posterior was reached", Some(diagnosis));
        let draws = led.particles.iter().flat_map(|particle| target.parameters_at(&particle.point)).collect();
        let ln_densities = led.particles.iter().map(|particle| particle.to).collect();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}
