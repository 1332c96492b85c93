//! The ensemble smoother: draws shifted linearly towards the data.

use super::{Twin, Updater};
use crate::control::Observer;
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Target};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::{Patient, Random};

const METHOD: &str = "ensemble smoother";

/// The ensemble smoother with multiple data assimilation (Emerick and Reynolds 2013, doi:10.1016/j.cageo.2012.03.011): every member is
/// shifted along the covariance of parameters and predictions, in several passes with inflated errors.
///
/// Exact, as members grow in number, for models that are linear on the real line of the prior with normal errors; else an approximation that
/// does not diagnose itself, so its record is never called sound. It needs few members and no density, which makes it the method for costly models.
///
/// *Requires* an error model whose residuals are in standard deviations. It cannot learn the parameters of an error, which leave no trace in
/// the mean of residuals, and takes a censored reading on the right side of its limit for one that was hit. Data that were corrected, or that came late, are replayed
/// from the prior.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleSmoother {
    /// How many members.
    pub members: usize,
    /// How many passes; one is the ensemble Kalman filter's own update.
    pub passes: usize,
    /// The share of members that may fail in the model before the update fails; those that do are replaced by copies of others.
    pub tolerated_failures: f64,
}

impl Default for EnsembleSmoother {
    fn default() -> Self {
        Self { members: 1000, passes: 4, tolerated_failures: 0.5 }
    }
}

impl EnsembleSmoother {
    fn check(&self) -> Result<(), CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if self.members < 10 {
            return setting("members", self.members as f64, "at least 10");
        }
        if self.passes == 0 {
            return setting("passes", 0.0, "at least 1");
        }
        if !(0.0..1.0).contains(&self.tolerated_failures) {
            return setting("tolerated_failures", self.tolerated_failures, "0 to below 1");
        }
        Ok(())
    }

    /// Shifts `members` (points on the real line) towards the readings of `target` that `chosen` picks by their place among the
    /// observations.
    fn assimilate(
        &self,
        target: &Target<'_>,
        members: &mut [Vec<f64>],
        chosen: &(impl Fn(usize) -> bool + Sync),
        random: &Random,
    ) -> Result<(), CalibrationError> {
        let inflation = self.passes as f64 / target.problem().weight;
        for pass in 0..self.passes {
            let residuals = |point: &Vec<f64>| {
                let mut residuals = Vec::new();
                let judged = target.judge(&target.parameters_at(point), |place, error, predicted, reading, values| {
                    if chosen(place) {
                        residuals.push(error.residual(predicted, reading, values));
                    }
                });
                (judged && residuals.iter().all(|r| r.is_finite())).then_some(residuals)
            };
            let mut seen: Vec<Option<Vec<f64>>> = members.par_iter().map(residuals).collect();
            self.replace_failed(target, members, &mut seen)?;
            let seen: Vec<Vec<f64>> = seen.into_iter().flatten().collect();
            shift(members, &seen, inflation, &random.stream(pass as u64));
        }
        Ok(())
    }

    /// Replaces members that the model cannot follow by others in turn; how many.
    fn replace_failed<S: Clone>(
        &self,
        target: &Target<'_>,
        members: &mut [Vec<f64>],
        seen: &mut [Option<S>],
    ) -> Result<usize, CalibrationError> {
        let alive: Vec<usize> = seen.iter().enumerate().filter_map(|(place, one)| one.is_some().then_some(place)).collect();
        let failed = members.len() - alive.len();
        if alive.is_empty() || failed as f64 > self.tolerated_failures * members.len() as f64 {
            let source = target.failure().map(|(_, source)| Box::new(source));
            return Err(CalibrationError::NoneExplains { draws: members.len(), source });
        }
        let mut next = 0;
        for place in 0..members.len() {
            if seen.get(place).is_some_and(Option::is_none) {
                let other = alive[next % alive.len()];
                next += 1;
                members[place] = members[other].clone();
                seen[place] = seen[other].clone();
            }
        }
        Ok(failed)
    }

    fn finish(&self, target: &Target<'_>, mut members: Vec<Vec<f64>>, how: &str) -> Result<Posterior, CalibrationError> {
        let problem = target.problem();
        // The last shift too may have led beyond the ranges of the model, where there is no density.
        let density = |point: &Vec<f64>| Some(target.ln_posterior(point)).filter(|density| density.is_finite());
        let mut ln_densities: Vec<Option<f64>> = members.par_iter().map(density).collect();
        let replaced = self.replace_failed(target, &mut members, &mut ln_densities)?;
        let ln_densities = ln_densities.into_iter().flatten().collect();
        let (count, passes) = (self.members, self.passes);
        let method = format!("ensemble smoother of {count} members ({replaced} replaced at the end), {passes} passes, {how}");
        let record = Record::of(target, method, "all passes were made", None);
        let draws = members.iter().flat_map(|point| target.parameters_at(point)).collect();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}

/// Shifts `members` against their residuals `seen`, with errors whose variance is inflated.
fn shift(members: &mut [Vec<f64>], seen: &[Vec<f64>], inflation: f64, random: &Random) {
    let (Some(dimension), Some(count)) = (members.first().map(Vec::len), seen.first().map(Vec::len)) else { return };
    if count == 0 {
        return;
    }
    let n = members.len();
    let centered = |rows: usize, at: &dyn Fn(usize, usize) -> f64| {
        let mut matrix = DMatrix::from_fn(rows, n, at);
        for mut row in matrix.row_iter_mut() {
            let mean = row.mean();
            row.add_scalar_mut(-mean);
        }
        matrix / (n as f64 - 1.0).sqrt()
    };
    let points = centered(dimension, &|i, k| members[k][i]);
    let residuals = centered(count, &|i, k| seen[k][i]);
    let off = |k: usize, seen: &[f64]| {
        let mut own = random.stream(k as u64);
        DVector::from_iterator(count, seen.iter().map(|r| inflation.sqrt() * own.normal() - r))
    };
    // The inflated identity makes either matrix positive definite; of the two that give the same gain the smaller is taken.
    let gain = if count <= n {
        let total = &residuals * residuals.transpose() + DMatrix::identity(count, count) * inflation;
        let Some(cholesky) = total.cholesky() else { return };
        cholesky.solve(&(&residuals * points.transpose())).transpose()
    } else {
        let total = residuals.tr_mul(&residuals) + DMatrix::identity(n, n) * inflation;
        let Some(cholesky) = total.cholesky() else { return };
        cholesky.solve(&points.transpose()).transpose() * residuals.transpose()
    };
    for (k, (member, seen)) in members.iter_mut().zip(seen).enumerate() {
        let by = &gain * off(k, seen);
        member.iter_mut().zip(by.iter()).for_each(|(x, by)| *x += by);
    }
}

impl Calibrator for EnsembleSmoother {
    /// As declared by the trait; [`CalibrationError::NoneExplains`] if too many members fail in the model.
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        _observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        self.check()?;
        let target = Target::new(problem)?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let draw = |k: usize| target.point_of(&problem.prior.sample(&mut root.stream(k as u64)));
        let mut members: Vec<Vec<f64>> = (0..self.members).map(draw).collect();
        self.assimilate(&target, &mut members, &|_| true, &root.stream(u64::MAX))?;
        self.finish(&target, members, "from the prior")
    }
}

impl Updater for EnsembleSmoother {
    fn update(&self, twin: &Twin, next: &Patient, random: &mut Random) -> Result<Posterior, CalibrationError> {
        self.check()?;
        let difference = super::twin::Difference::between(&twin.patient().timeline, &next.timeline);
        let problem = twin.assumptions().problem(next);
        if !difference.only_goes_on {
            return self.calibrate(&problem, random);
        }
        let target = Target::new(&problem)?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let posterior = twin.posterior();
        let draw = |k: usize| posterior.draw(k * posterior.count() / self.members).map(|draw| target.point_of(draw));
        let mut members = (0..self.members).map(draw).collect::<Result<Vec<_>, _>>()?;
        self.assimilate(&target, &mut members, &|place| difference.is_new(place), &root)?;
        self.finish(&target, members, "from the former version")
    }
}
