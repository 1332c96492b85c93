//! Tempered sequential Monte Carlo: from the prior to the posterior, with the evidence.

use crate::control::Observer;
use crate::diagnostics::{Concern, Diagnosis, Draws, Thresholds};
use crate::numeric::ln_sum_exp;
use crate::sample::bridge::{Bridge, Ends, Led, Particle};
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Target};
use rayon::prelude::*;
use twin_core::Random;

const METHOD: &str = "tempered particles";

/// Particles drawn from the prior and led to the posterior by raising the likelihood to powers from 0 to 1: sequential Monte Carlo
/// samplers (Del Moral, Doucet and Jasra 2006, doi:10.1111/j.1467-9868.2006.00553.x) with adaptive temperatures (Jasra et al. 2011,
/// doi:10.1111/j.1467-9469.2010.00723.x).
///
/// *Requires* a prior that can be sampled and that overlaps the likelihood; needs no start and no derivatives, keeps separate peaks that
/// the first particles found, and estimates the evidence ([`Record::ln_evidence`]). Suited to some ten parameters. Dearer than
/// [`Sampled`](crate::Sampled) where the data tell much more than the prior.
///
/// Several islands of particles run apart; that they agree is the diagnosis, and their spread gives the evidence its standard error.
/// The prior counts as a whole, also where it reaches beyond the ranges of the model: there the likelihood is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Tempered {
    /// Islands, at least 2 for a diagnosis.
    pub islands: usize,
    /// Particles of each.
    pub particles: usize,
    /// The share of the particles that stays effective from one temperature to the next, in (0, 1).
    pub effective: f64,
    /// Moves at each temperature go on until no coordinate correlates with its place before by more than this.
    pub correlation: f64,
    /// Sweeps of moves at each temperature, at most.
    pub sweeps: usize,
    /// What the diagnosis demands.
    pub thresholds: Thresholds,
}

impl Default for Tempered {
    fn default() -> Self {
        Self { islands: 4, particles: 500, effective: 0.5, correlation: 0.1, sweeps: 60, thresholds: Thresholds::exploratory() }
    }
}

/// From prior to posterior.
struct FromPrior<'a>(&'a Target<'a>);

impl Ends for FromPrior<'_> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn ln_from(&self, point: &[f64]) -> f64 {
        self.0.ln_prior(point)
    }
    fn ln_to(&self, point: &[f64]) -> f64 {
        self.0.ln_posterior(point)
    }
}

impl Tempered {
    fn check(&self) -> Result<(), CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if self.islands == 0 {
            return setting("islands", 0.0, "at least 1");
        }
        if self.particles < 10 {
            return setting("particles", self.particles as f64, "at least 10");
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

    fn island(&self, target: &Target<'_>, random: &Random, observer: &dyn Observer) -> Option<Led> {
        let ends = FromPrior(target);
        let begin = |index: usize| {
            let mut own = random.stream(index as u64);
            let point = target.point_of(&target.problem().prior.sample(&mut own));
            Particle { from: ends.ln_from(&point), to: ends.ln_to(&point), point }
        };
        let particles: Vec<Particle> = (0..self.particles).into_par_iter().map(begin).collect();
        let bridge = Bridge { stage: METHOD, effective: self.effective, correlation: self.correlation, sweeps: self.sweeps };
        bridge.lead(&ends, particles, &random.stream(u64::MAX), observer)
    }
}

impl Calibrator for Tempered {
    /// As declared by the trait; [`CalibrationError::NoStart`] if no particle of an island has a likelihood.
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        self.check()?;
        let target = Target::new(problem)?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let mut led = Vec::with_capacity(self.islands);
        for island in 0..self.islands {
            let found = self.island(&target, &root.stream(island as u64), observer).ok_or_else(|| {
                let source = target.failure().map(|(_, source)| Box::new(source));
                CalibrationError::NoStart { attempts: self.particles, source }
            })?;
            led.push(found);
        }
        let stopped = led.iter().any(|island| island.stopped);
        let particles = || led.iter().flat_map(|island| &island.particles);
        let column = |j: usize| particles().filter_map(|particle| particle.point.get(j).copied()).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..target.dimension()).map(column).collect();
        let islands = columns.iter().filter_map(|column| Draws::independent(column, self.islands).ok());
        let mut diagnosis = Diagnosis::of(islands, self.thresholds);
        if stopped {
            diagnosis = diagnosis.with_concern(Concern::Unfinished);
        }
        let (stages, sweeps) = led.iter().fold((0, 0), |(a, b), island| (a + island.stages, b + island.sweeps));
        let method =
            format!("{} islands of {} tempered particles, {stages} temperatures, {sweeps} sweeps", self.islands, self.particles);
        let reason = if stopped { "stopped as asked" } else { "the posterior was reached" };
        let mut record = Record::of(&target, method, reason, Some(diagnosis));
        record.ln_evidence = (!stopped).then(|| evidence(&led));
        let draws: Vec<f64> = particles().flat_map(|particle| target.parameters_at(&particle.point)).collect();
        let ln_densities = particles().map(|particle| particle.to).collect();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}

/// The logarithm of the mean evidence of the islands, and its standard error; that is infinite for one island.
fn evidence(led: &[Led]) -> (f64, f64) {
    let count = led.len() as f64;
    let ln_mean = ln_sum_exp(led.iter().map(|island| island.ln_ratio)) - count.ln();
    let squares: f64 = led.iter().map(|island| ((island.ln_ratio - ln_mean).exp() - 1.0).powi(2)).sum();
    (ln_mean, if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Flow, Progress};
    use crate::fixture::{Growing, READINGS, agrees};

    #[test]
    fn posterior_and_evidence_are_those_in_closed_form() {
        let growing = Growing::new(&READINGS);
        let exact = growing.exact();
        let posterior = Tempered::default().calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        assert!(posterior.record.is_sound(), "{:?}", posterior.record);
        agrees(&posterior, &exact, (0.1, 0.07));
        let (ln_evidence, error) = posterior.record.ln_evidence.unwrap();
        assert!((ln_evidence - exact.2).abs() < 4.0 * error.max(0.02), "{ln_evidence} ± {error} against {}", exact.2);
    }

    #[test]
    fn threads_change_nothing_and_streams_do() {
        let growing = Growing::new(&READINGS[..2]);
        let small = Tempered { islands: 2, particles: 50, sweeps: 3, ..Tempered::default() };
        let draws = |threads, seed| -> Vec<Vec<f64>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let posterior = pool.install(|| small.calibrate(&growing.problem(), &mut Random::new(seed))).unwrap();
            posterior.draws().map(<[f64]>::to_vec).collect()
        };
        assert_eq!(draws(1, 1), draws(4, 1));
        assert_ne!(draws(1, 1), draws(1, 2));
    }

    #[test]
    fn stopping_is_no_error_but_not_sound() {
        let growing = Growing::new(&READINGS);
        let posterior =
            Tempered::default().calibrate_observed(&growing.problem(), &mut Random::new(1), &|_: &Progress| Flow::Stop).unwrap();
        assert!(!posterior.record.is_sound() && posterior.record.ln_evidence.is_none());
    }

    #[test]
    fn impossible_settings_are_refused() {
        let growing = Growing::new(&READINGS);
        for bad in [Tempered { islands: 0, ..Tempered::default() }, Tempered { effective: 1.0, ..Tempered::default() }] {
            let refused = bad.calibrate(&growing.problem(), &mut Random::new(1));
            assert!(matches!(refused, Err(CalibrationError::Setting { .. })));
        }
    }
}
