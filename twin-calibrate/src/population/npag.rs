//! The nonparametric adaptive grid.

use super::Population;
use super::fit::ln_likelihood;
use crate::control::{Flow, Observer, Progress};
use crate::{CalibrationError, Prior, Target, Transform};
use rayon::prelude::*;
use twin_core::{Random, SubjectId};

const METHOD: &str = "npag";

/// The nonparametric adaptive grid method (Yamada et al. 2020, doi:10.3390/pharmaceutics13010042, in outline): the distribution of the population is
/// not held for normal or for anything else, but found as a set of points with weights. The weights that make the readings most probable are found by
/// expectation and maximization, points that carry none are dropped, and the others put out new points beside them, closer and closer.
///
/// *Requires* bounds: the box of `reach` spreads around the first guesses, on the real line. Finds populations of two kinds that a normal distribution
/// would take for one wide kind. The parameters of the errors are not estimated: they keep their defaults. No covariates.
#[derive(Debug, Clone, PartialEq)]
pub struct Npag {
    /// Points of the first grid.
    pub points: usize,
    /// How many spreads the box reaches to either side of the first guess, on the real line.
    pub reach: f64,
    /// Cycles of dropping and putting out points, at most.
    pub cycles: usize,
    /// The search has converged when the closest points, a ten-thousandth of the box away, gain less than this of the logarithm of the likelihood.
    pub tolerance: f64,
}

impl Default for Npag {
    fn default() -> Self {
        Self { points: 500, reach: 3.0, cycles: 100, tolerance: 1e-2 }
    }
}

/// A population as points with weights.
#[derive(Debug, Clone, PartialEq)]
pub struct NonparametricFit {
    /// The parameters.
    pub parameters: Vec<String>,
    /// Their maps to the real line.
    pub transforms: Vec<Transform>,
    /// The points, in the parameters' own units, each with its weight; weights sum to one.
    pub support: Vec<(Vec<f64>, f64)>,
    /// The logarithm of the likelihood, all constants included.
    pub ln_likelihood: f64,
    /// Each subject with its mean under the population and its own readings, on the real line.
    pub subjects: Vec<(SubjectId, Vec<f64>)>,
    /// Whether the search converged.
    pub converged: bool,
}

impl NonparametricFit {
    /// The mean of the population on the real line.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        let along = |j: usize| {
            self.support.iter().filter_map(move |(point, weight)| Some(weight * self.transforms.get(j)?.to_real(*point.get(j)?)))
        };
        (0..self.parameters.len()).map(|j| along(j).sum()).collect()
    }

    /// The standard deviations of the population on the real line.
    #[must_use]
    pub fn spread(&self) -> Vec<f64> {
        let mean = self.mean();
        let of = |(j, mean): (usize, &f64)| {
            let square =
                |(point, weight): &(Vec<f64>, f64)| Some(weight * (self.transforms.get(j)?.to_real(*point.get(j)?) - mean).powi(2));
            self.support.iter().filter_map(square).sum::<f64>().sqrt()
        };
        mean.iter().enumerate().map(of).collect()
    }
}

/// The grid under way: points on the real line, and the logarithm of the likelihood of each subject at each (points × subjects).
struct Support {
    points: Vec<Vec<f64>>,
    rows: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl Npag {
    /// The population that makes the readings of all subjects most probable.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] and [`CalibrationError::Length`] for settings or counts that make no sense, for covariates and for estimated parameters of
    /// errors; what [`Target::new`] finds wrong with a subject; [`CalibrationError::NoneExplains`] if a subject has no likelihood at any point of the first
    /// grid.
    pub fn fit(&self, population: &Population<'_>, observer: &dyn Observer) -> Result<NonparametricFit, CalibrationError> {
        self.check(population)?;
        let open = population.open();
        let errors: Vec<f64> = Vec::new();
        let problems = population.problems(&open);
        let targets = problems.iter().map(Target::new).collect::<Result<Vec<_>, _>>()?;
        let half: Vec<f64> = population.effects.iter().map(|effect| self.reach * effect.spread).collect();
        let middle: Vec<f64> = population.effects.iter().map(|effect| effect.transform.to_real(effect.start)).collect();
        let inside = |point: &[f64]| point.iter().zip(&middle).zip(&half).all(|((z, m), h)| (z - m).abs() <= *h);
        let judge = |points: &[Vec<f64>]| -> Vec<Vec<f64>> {
            points.par_iter().map(|z| targets.iter().map(|target| ln_likelihood(target, z, &errors)).collect()).collect()
        };
        let points: Vec<Vec<f64>> = (0..self.points)
            .map(|k| {
                halton(k + 1, middle.len()).iter().zip(&middle).zip(&half).map(|((u, m), h)| m + (2.0 * u - 1.0) * h).collect()
            })
            .collect();
        let rows = judge(&points);
        let count = points.len();
        let mut support = Support { points, rows, weights: vec![1.0 / count as f64; count] };
        let lost = (0..targets.len()).find(|&subject| support.rows.iter().all(|row| !row[subject].is_finite()));
        if let Some(target) = lost.and_then(|subject| targets.get(subject)) {
            let source = target.failure().map(|(_, source)| Box::new(source));
            return Err(CalibrationError::NoneExplains { draws: count, source });
        }
        let mut value = support.weigh();
        let (mut step, mut converged) = (0.2, false);
        for cycle in 0..self.cycles {
            let progress = Progress { stage: METHOD, done: cycle, total: self.cycles, best: value };
            if observer.progress(&progress) == Flow::Stop {
                break;
            }
            support.drop_light();
            let fresh: Vec<Vec<f64>> = support.beside(&half, step).into_iter().filter(|point| inside(point)).collect();
            let rows = judge(&fresh);
            support.add(fresh, rows);
            let now = support.weigh();
            let gained = now - value;
            value = now;
            if gained < self.tolerance {
                if step <= 1e-4 {
                    converged = true;
                    break;
                }
                step *= 0.5;
            }
        }
        support.drop_light();
        let value = support.weigh();
        Ok(self.finish(population, &support, value, converged))
    }

    fn check(&self, population: &Population<'_>) -> Result<(), CalibrationError> {
        population.check(METHOD)?;
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if self.points < 10 {
            return setting("points", self.points as f64, "at least 10");
        }
        if !(self.reach > 0.0 && self.reach.is_finite()) {
            return setting("reach", self.reach, "above 0 and finite");
        }
        if self.cycles == 0 {
            return setting("cycles", 0.0, "at least 1");
        }
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            return setting("tolerance", self.tolerance, "above 0 and finite");
        }
        if !population.covariates.is_empty() {
            return setting("the number of covariates", population.covariates.len() as f64, "0");
        }
        if !population.estimated.is_empty() {
            return setting("the number of estimated parameters of errors", population.estimated.len() as f64, "0");
        }
        Ok(())
    }

    fn finish(&self, population: &Population<'_>, support: &Support, ln_likelihood: f64, converged: bool) -> NonparametricFit {
        let open = population.open();
        let transforms = open.transforms().to_vec();
        let own = |z: &[f64]| -> Vec<f64> { transforms.iter().zip(z).map(|(transform, z)| transform.from_real(*z)).collect() };
        let mean = |subject: usize| {
            let ln: Vec<f64> = support.rows.iter().zip(&support.weights).map(|(row, weight)| row[subject] + weight.ln()).collect();
            let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = ln.iter().map(|value| (value - most).exp()).collect();
            let total: f64 = shares.iter().sum();
            let along = |j: usize| support.points.iter().zip(&shares).map(|(point, share)| point[j] * share / total).sum();
            (0..transforms.len()).map(along).collect::<Vec<f64>>()
        };
        NonparametricFit {
            parameters: open.names().to_vec(),
            support: support.points.iter().zip(&support.weights).map(|(point, weight)| (own(point), *weight)).collect(),
            ln_likelihood,
            subjects: population
                .patients
                .iter()
                .enumerate()
                .map(|(subject, patient)| (patient.id.clone(), mean(subject)))
                .collect(),
            converged,
            transforms,
        }
    }
}

impl Support {
    /// Finds the weights that make the readings most probable by expectation and maximization; returns the logarithm of the likelihood.
    fn weigh(&mut self) -> f64 {
        let subjects = self.rows.first().map_or(0, Vec::len);
        let highest: Vec<f64> =
            (0..subjects).map(|i| self.rows.iter().map(|row| row[i]).fold(f64::NEG_INFINITY, f64::max)).collect();
        // Likelihoods as shares of each subject's highest.
        let shares: Vec<Vec<f64>> =
            self.rows.iter().map(|row| row.iter().zip(&highest).map(|(value, most)| (value - most).exp()).collect()).collect();
        let mut value = f64::NEG_INFINITY;
        for _ in 0..1000 {
            let totals: Vec<f64> =
                (0..subjects).map(|i| shares.iter().zip(&self.weights).map(|(row, weight)| row[i] * weight).sum()).collect();
            let now: f64 = totals.iter().zip(&highest).map(|(total, most)| total.ln() + most).sum();
            for (row, weight) in shares.iter().zip(&mut self.weights) {
                *weight *= row.iter().zip(&totals).map(|(share, total)| share / total).sum::<f64>() / subjects as f64;
            }
            if now - value < 1e-6 {
                return now;
            }
            value = now;
        }
        value
    }

    /// Drops the points that carry less than a thousandth of the heaviest.
    fn drop_light(&mut self) {
        let heaviest = self.weights.iter().copied().fold(0.0, f64::max);
        let kept: Vec<bool> = self.weights.iter().map(|weight| *weight > 1e-3 * heaviest).collect();
        let mut places = kept.iter();
        self.points.retain(|_| places.next().copied().unwrap_or(false));
        let mut places = kept.iter();
        self.rows.retain(|_| places.next().copied().unwrap_or(false));
        let mut places = kept.iter();
        self.weights.retain(|_| places.next().copied().unwrap_or(false));
        let total: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|weight| *weight /= total);
    }

    /// New points, one step of the box to either side of each along each coordinate, but for those next to a point that is there.
    fn beside(&self, half: &[f64], step: f64) -> Vec<Vec<f64>> {
        let mut fresh: Vec<Vec<f64>> = Vec::new();
        let close = |one: &[f64], other: &[f64]| one.iter().zip(other).zip(half).all(|((a, b), h)| (a - b).abs() < 0.5 * step * h);
        for point in &self.points {
            for (j, h) in half.iter().enumerate() {
                for sign in [-1.0, 1.0] {
                    let mut next = point.clone();
                    if let Some(z) = next.get_mut(j) {
                        *z += sign * step * h;
                    }
                    if !self.points.iter().chain(&fresh).any(|other| close(&next, other)) {
                        fresh.push(next);
                    }
                }
            }
        }
        fresh
    }

    /// Takes in points, each with a small weight.
    fn add(&mut self, points: Vec<Vec<f64>>, rows: Vec<Vec<f64>>) {
        let small = 1e-3 / (1 + self.points.len()) as f64;
        self.weights.extend(std::iter::repeat_n(small, points.len()));
        self.points.extend(points);
        self.rows.extend(rows);
        let total: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|weight| *weight /= total);
    }
}

/// Point `index` of Halton's sequence in the unit box: evenly spread, and the same each time.
fn halton(index: usize, dimension: usize) -> Vec<f64> {
    const PRIMES: [usize; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    let radical = |base: usize| {
        let (mut rest, mut place, mut value) = (index, 1.0 / base as f64, 0.0);
        while rest > 0 {
            value += (rest % base) as f64 * place;
            rest /= base;
            place /= base as f64;
        }
        value
    };
    // Beyond twelve dimensions a box cannot be filled; there plain random numbers serve as well.
    let mut random = Random::new(index as u64);
    (0..dimension).map(|j| PRIMES.get(j).map_or_else(|| random.uniform(), |base| radical(*base))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::LogError;
    use crate::population::RandomEffect;
    use twin_core::{Event, Observable, Observation, Patient, Provenance, Time};
    use twin_models::{Model, growth};

    /// Two kinds of patients: tumors that grow by 1 % and by 4 % a day.
    fn patients() -> Vec<Patient> {
        let mut random = Random::new(12);
        let one = |index: usize| {
            let mut patient = Patient::new(SubjectId::new(format!("S{index}")).unwrap());
            let rate = if index.is_multiple_of(3) { 0.04 } else { 0.01 } * (0.05 * random.normal()).exp();
            for day in [0.0, 10.0, 20.0, 30.0] {
                let volume = 100.0 * (rate * day + 0.1 * random.normal()).exp();
                let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3").unwrap());
                patient.timeline.record(Time::from_days(day).unwrap(), seen, Provenance::simulated("test"));
            }
            patient
        };
        (0..60).map(one).collect()
    }

    #[test]
    fn two_kinds_are_told_apart() {
        let (model, error, patients) = (growth::exponential(), LogError::new(0.1, 0.0), patients());
        let population = Population {
            model: &model,
            base: model.spec().defaults().unwrap(),
            patients: &patients,
            effects: vec![
                RandomEffect::log_normal("growth_rate", 0.02, 0.7),
                RandomEffect::log_normal("initial_volume", 110.0, 0.3),
            ],
            covariates: vec![],
            errors: vec![(Observable::TUMOR_VOLUME, &error)],
            estimated: vec![],
            start: Time::ORIGIN,
        };
        let fit = Npag::default().fit(&population, &()).unwrap();
        assert!(fit.converged);
        let weight = |from: f64, to: f64| -> f64 {
            fit.support.iter().filter(|(point, _)| (from..to).contains(&point[0])).map(|(_, weight)| weight).sum()
        };
        assert!((weight(0.03, 0.055) - 1.0 / 3.0).abs() < 0.05, "{:?}", fit.support);
        assert!(weight(0.02, 0.03) < 0.05, "{:?}", fit.support);
        assert!((fit.support.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-9);
        // Each subject is put among its kind.
        let right = fit.subjects.iter().enumerate().filter(|(index, (_, mean))| (mean[0].exp() > 0.02) == index.is_multiple_of(3));
        assert!(right.count() >= 57);
        assert!((fit.mean()[1].exp() - 100.0).abs() < 5.0 && fit.spread()[0] > 0.5);
        let estimated = Population { estimated: vec!["log_error".into()], ..population };
        assert!(matches!(Npag::default().fit(&estimated, &()), Err(CalibrationError::Setting { .. })));
    }
}
