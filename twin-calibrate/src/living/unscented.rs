//! The unscented Kalman filter for the parameters of a patient.

use super::twin::Difference;
use super::{Twin, Updater};
use crate::control::Observer;
use crate::numeric::{displace, moments, root};
use crate::{CalibrationError, Calibrator, Posterior, Problem, Record, Target};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::{Patient, Random};

const METHOD: &str = "unscented filter";

/// The unscented Kalman filter (Julier and Uhlmann 2004, doi:10.1109/JPROC.2003.823141) on the real line of the prior: the belief is a normal
/// distribution, carried through the model by `2n` points, one standard deviation of all `n` parameters together away from the mean along each
/// principal direction (the cubature rule of Arasaratnam and Haykin 2009, doi:10.1109/TAC.2009.2019800). Several passes with inflated errors let the
/// points follow a model that is not linear.
///
/// Exact for models that are linear on the real line of the prior with normal errors; the cheapest of all updaters, `2n` courses for each pass. It does not
/// diagnose itself, so its record is never called sound.
///
/// *Requires* an error model whose residuals are in standard deviations. It cannot learn the parameters of an error, and takes a censored reading on
/// the right side of its limit for one that was hit. Data that were corrected, or that came late, are replayed from the prior.
#[derive(Debug, Clone, PartialEq)]
pub struct Unscented {
    /// How many passes.
    pub passes: usize,
    /// How many draws of the normal distribution are handed back.
    pub draws: usize,
}

impl Default for Unscented {
    fn default() -> Self {
        Self { passes: 4, draws: 1000 }
    }
}

/// A normal belief.
struct Belief {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Belief {
    fn of(points: &[Vec<f64>]) -> Self {
        let dimension = points.first().map_or(0, Vec::len);
        let flat: Vec<f64> = points.iter().flatten().copied().collect();
        let (mean, covariance) = moments(&flat, dimension, &vec![1.0 / points.len() as f64; points.len()]);
        Self { mean, covariance }
    }

    /// The `2n` points, in pairs.
    fn points(&self) -> Vec<DVector<f64>> {
        let (n, root) = (self.mean.len(), root(&self.covariance));
        let reach = (n as f64).sqrt();
        (0..2 * n).map(|k| &self.mean + root.column(k / 2) * if k % 2 == 0 { reach } else { -reach }).collect()
    }
}

impl Unscented {
    fn check(&self) -> Result<(), CalibrationError> {
        let zero = [("passes", self.passes, 1), ("draws", self.draws, 10)].into_iter().find(|(_, value, least)| value < least);
        match zero {
            Some((setting, value, _)) => Err(CalibrationError::Setting {
                method: METHOD,
                setting,
                value: value as f64,
                valid: "passes at least 1, draws at least 10",
            }),
            None => Ok(()),
        }
    }

    /// Learns from the readings of `target` that `chosen` picks by their place among the observations.
    fn assimilate(
        &self,
        target: &Target<'_>,
        belief: &mut Belief,
        chosen: &(impl Fn(usize) -> bool + Sync),
    ) -> Result<(), CalibrationError> {
        let inflation = self.passes as f64 / target.problem().weight;
        for _ in 0..self.passes {
            let points = belief.points();
            let residuals = |point: &DVector<f64>| {
                let mut residuals = Vec::new();
                let judged = target.judge(&target.parameters_at(point.as_slice()), |place, error, predicted, reading, values| {
                    if chosen(place) {
                        residuals.push(error.residual(predicted, reading, values));
                    }
                });
                (judged && residuals.iter().all(|r| r.is_finite())).then_some(residuals)
            };
            let seen: Vec<Option<Vec<f64>>> = points.par_iter().map(residuals).collect();
            let count = seen.iter().flatten().map(Vec::len).next().unwrap_or(0);
            let Some(seen) = seen.into_iter().collect::<Option<Vec<Vec<f64>>>>() else {
                let source = target.failure().map(|(_, source)| Box::new(source));
                return Err(CalibrationError::NoneExplains { draws: points.len(), source });
            };
            if count == 0 {
                return Ok(());
            }
            let share = 1.0 / points.len() as f64;
            let flat: Vec<f64> = seen.iter().flatten().copied().collect();
            let (mean, mut total) = moments(&flat, count, &vec![share; points.len()]);
            for j in 0..count {
                total[(j, j)] += inflation;
            }
            let mut cross = DMatrix::zeros(belief.mean.len(), count);
            for (point, seen) in points.iter().zip(&seen) {
                cross.ger(share, &(point - &belief.mean), &(DVector::from_column_slice(seen) - &mean), 1.0);
            }
            // The inflated diagonal makes the matrix positive definite.
            let Some(cholesky) = total.cholesky() else { return Ok(()) };
            let gain = cholesky.solve(&cross.transpose()).transpose();
            belief.mean -= &gain * mean;
            belief.covariance -= &gain * cross.transpose();
            belief.covariance = (&belief.covariance + belief.covariance.transpose()) * 0.5;
        }
        Ok(())
    }

    fn finish(&self, target: &Target<'_>, belief: &Belief, how: &str, random: &Random) -> Result<Posterior, CalibrationError> {
        let (n, root) = (belief.mean.len(), root(&belief.covariance));
        let draw = |index: usize| {
            // Beyond the ranges of the model there is no density; such a draw is drawn anew.
            let mut own = random.stream(index as u64);
            (0..50).find_map(|_| {
                let normals: Vec<f64> = (0..n).map(|_| own.normal()).collect();
                let mut point = belief.mean.as_slice().to_vec();
                displace(&mut point, &root, 1.0, &normals);
                let ln_density = target.ln_posterior(&point);
                ln_density.is_finite().then_some((point, ln_density))
            })
        };
        let drawn: Vec<Option<(Vec<f64>, f64)>> = (0..self.draws).into_par_iter().map(draw).collect();
        let Some(drawn) = drawn.into_iter().collect::<Option<Vec<_>>>() else {
            let source = target.failure().map(|(_, source)| Box::new(source));
            return Err(CalibrationError::NoneExplains { draws: self.draws, source });
        };
        let method = format!("unscented filter, {} passes of {} points, {how}", self.passes, 2 * n);
        let record = Record::of(target, method, "all passes were made", None);
        let draws = drawn.iter().flat_map(|(point, _)| target.parameters_at(point)).collect();
        let ln_densities = drawn.iter().map(|(_, ln_density)| *ln_density).collect();
        let problem = target.problem();
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}

impl Calibrator for Unscented {
    /// As declared by the trait; [`CalibrationError::NoneExplains`] if the model cannot follow one of the points.
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
        let points: Vec<Vec<f64>> = (0..4000).map(draw).filter(|point| point.iter().all(|z| z.is_finite())).collect();
        let mut belief = Belief::of(&points);
        self.assimilate(&target, &mut belief, &|_| true)?;
        self.finish(&target, &belief, "from the prior", &root.stream(u64::MAX))
    }
}

impl Updater for Unscented {
    fn update(&self, twin: &Twin, next: &Patient, random: &mut Random) -> Result<Posterior, CalibrationError> {
        self.check()?;
        let difference = Difference::between(&twin.patient().timeline, &next.timeline);
        let problem = twin.assumptions().problem(next);
        if !difference.only_goes_on {
            return self.calibrate(&problem, random);
        }
        let target = Target::new(&problem)?;
        let root = random.stream(random.clone().bits());
        random.bits();
        let points: Vec<Vec<f64>> = twin.posterior().draws().map(|draw| target.point_of(draw)).collect();
        let mut belief = Belief::of(&points);
        self.assimilate(&target, &mut belief, &|place| difference.is_new(place))?;
        self.finish(&target, &belief, "from the former version", &root)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS, agrees, observe};
    use crate::living::Assumptions;
    use crate::{LogError, fixture};
    use std::sync::Arc;
    use twin_core::{Observable, SubjectId, Time};
    use twin_models::growth;

    #[test]
    fn a_linear_model_is_exact_at_once_and_reading_by_reading() {
        let growing = Growing::new(&READINGS);
        let filter = Unscented { draws: 4000, ..Unscented::default() };
        let posterior = filter.calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        assert!(posterior.record.diagnosis.is_none() && !posterior.record.is_sound());
        agrees(&posterior, &growing.exact(), (0.1, 0.06));

        let error = Arc::new(LogError::new(fixture::SCATTER, 0.0));
        let (model, prior) = (Arc::new(growth::exponential()), Arc::new(growing.prior.clone()));
        let assumptions = Assumptions::new(model, prior, Observable::TUMOR_VOLUME, error, Time::ORIGIN).unwrap();
        let mut random = Random::new(2);
        let nobody = Patient::new(SubjectId::new("test").unwrap());
        let mut twin = Twin::unseen(assumptions, nobody.clone(), 4000, &mut random).unwrap();
        let mut patient = nobody;
        for (day, volume) in READINGS {
            observe(&mut patient, day, volume);
            let entry = patient.timeline.entries().last().unwrap();
            twin = twin.update(entry.time, entry.event.clone(), entry.provenance.clone(), &filter, &mut random).unwrap();
        }
        assert!(twin.versions()[2].method.ends_with("from the former version"));
        agrees(twin.posterior(), &growing.exact(), (0.15, 0.1));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let growing = Growing::new(&READINGS);
        for bad in [Unscented { passes: 0, ..Unscented::default() }, Unscented { draws: 3, ..Unscented::default() }] {
            let refused = bad.calibrate(&growing.problem(), &mut Random::new(1));
            assert!(matches!(refused, Err(CalibrationError::Setting { .. })));
        }
    }
}
