//! Search by a surrogate, for scores that cost much.

use super::evolution::{Record, assess, bounded, latin_hypercube};
use super::{Front, Score, Scored};
use crate::TrialError;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use statrs::distribution::{ContinuousCDF, Normal};
use twin_calibrate::optimize::NelderMead;
use twin_core::Random;

/// Bayesian optimization of one objective: a Gaussian process learns the score from the candidates so far, and the next one is where it
/// expects most improvement.
///
/// For scores of minutes and up to about ten variables: it takes tens of scores where [`Evolution`](super::Evolution) takes thousands, but its own
/// work grows with the cube of their number. The kernel is Matérn 5/2 with a length for each variable, fitted by the marginal likelihood. A
/// candidate that breaks a limit counts as worse than the best feasible one, and the more the further it lies beyond; so the surrogate sees a
/// limit as a slope. Jones, Schonlau and Welch 1998, doi:10.1023/A:1008306431147; Rasmussen and Williams 2006.
///
/// ```
/// use twin_trials::planning::{Bayesian, Scored};
/// let method = Bayesian { first: 6, evaluations: 25, ..Bayesian::default() };
/// let front = method.minimize(2, &|x| Ok(Scored::feasible(vec![(x[0] - 0.3).powi(2) + (x[1] - 0.8).powi(2)])))?;
/// assert!(front.points[0].objectives[0] < 1e-3);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bayesian {
    /// How many candidates are spread out before the surrogate is asked; at least 4.
    pub first: usize,
    /// How many candidates are scored in all.
    pub evaluations: usize,
    /// How many places the surrogate is asked about before each score.
    pub looks: usize,
    /// The seed.
    pub seed: u64,
    /// The share of candidates whose score may fail before the search fails.
    pub tolerated_failures: f64,
}

impl Default for Bayesian {
    /// 12 candidates spread out, 60 in all, 2000 looks before each; one failure in twenty is tolerated.
    fn default() -> Self {
        Self { first: 12, evaluations: 60, looks: 2000, seed: 1, tolerated_failures: 0.05 }
    }
}

/// What was seen of a candidate.
struct Seen {
    shares: Vec<f64>,
    scored: Scored,
}

impl Bayesian {
    /// Searches the unit cube of `dimension` coordinates; the same bits at any number of threads.
    ///
    /// # Errors
    /// [`TrialError::Count`] for settings without meaning, or a score with more than one objective;
    /// [`TrialError::TooManyFailures`] if more scores fail than tolerated. That nothing feasible was found is no error: the front is
    /// then empty and knows the breaches.
    pub fn minimize(&self, dimension: usize, score: &Score<'_>) -> Result<Front, TrialError> {
        if self.first < 4 || dimension == 0 || self.looks == 0 {
            let (what, count) = ("number of first candidates, variables or looks", self.first.min(dimension).min(self.looks));
            return Err(TrialError::Count { what, count, valid: "at least 4 first candidates, 1 variable and 1 look" });
        }
        let root = Random::new(self.seed);
        let mut record = Record::new(self.tolerated_failures);
        let mut seen = Vec::new();
        let starts = latin_hypercube(self.first.min(self.evaluations), dimension, &mut root.stream(0));
        take(&mut record, &mut seen, starts, score)?;
        let mut lengths = vec![0.3_f64.ln(); dimension];
        for number in self.first..self.evaluations {
            let mut random = root.stream(number as u64);
            let next = match Surrogate::fitted(&seen, &mut lengths) {
                Some(surrogate) => self.most_promising(&surrogate, &seen, &mut random),
                // Nothing to learn from: all scores are the same, or too few came through.
                None => (0..dimension).map(|_| random.uniform()).collect(),
            };
            take(&mut record, &mut seen, vec![next], score)?;
        }
        Ok(record.front)
    }

    /// Where the surrogate expects most improvement: looks all over the cube and around the best, then closer and closer.
    fn most_promising(&self, surrogate: &Surrogate, seen: &[Seen], random: &mut Random) -> Vec<f64> {
        let merits = merits(seen);
        let best = merits.iter().zip(seen).min_by(|a, b| a.0.total_cmp(b.0)).map_or(&[][..], |(_, one)| &one.shares);
        let around = |center: &[f64], reach: f64, random: &mut Random| -> Vec<f64> {
            center.iter().map(|share| bounded(share + reach * random.normal())).collect()
        };
        let mut found = (f64::NEG_INFINITY, best.to_vec());
        let look = |shares: Vec<f64>, found: &mut (f64, Vec<f64>)| {
            let gain = surrogate.expected_improvement(&shares);
            if gain > found.0 {
                *found = (gain, shares);
            }
        };
        for number in 0..self.looks {
            let shares = match number % 4 {
                0 => around(best, 0.1, random),
                1 => around(best, 0.01, random),
                _ => best.iter().map(|_| random.uniform()).collect(),
            };
            look(shares, &mut found);
        }
        for step in 0..8 {
            let reach = 0.1 * 0.5_f64.powi(step);
            for _ in 0..self.looks.div_ceil(20) {
                let shares = around(&found.1, reach, random);
                look(shares, &mut found);
            }
        }
        found.1
    }
}

fn take(record: &mut Record, seen: &mut Vec<Seen>, points: Vec<Vec<f64>>, score: &Score<'_>) -> Result<(), TrialError> {
    let assessed = assess(points, score);
    let mut counts = assessed.iter().filter_map(|(_, scored)| scored.as_ref().ok()).map(|scored| scored.objectives.len());
    if let Some(count) = counts.find(|count| *count != 1) {
        return Err(TrialError::Count { what: "number of objectives", count, valid: "1" });
    }
    let living = record.take(assessed)?;
    seen.extend(living.into_iter().flatten().map(|one| Seen { shares: one.shares, scored: one.scored }));
    Ok(())
}

/// One number for each candidate, small where it is good: the objective, or beyond the limits more than the best feasible one by how far
/// beyond it lies. At a limit that the best candidates touch there is no jump then, which a smooth surrogate could not follow.
fn merits(seen: &[Seen]) -> Vec<f64> {
    let own = |one: &Seen| one.scored.objectives.first().copied().unwrap_or(f64::INFINITY);
    let feasible = || seen.iter().filter(|one| one.scored.breaches.is_empty()).map(own);
    let (low, high) = feasible().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let (base, spread) = if low <= high { (low, (high - low).max(1e-9 * high.abs())) } else { (0.0, 1.0) };
    let farthest = seen.iter().map(|one| one.scored.violation()).fold(f64::MIN_POSITIVE, f64::max);
    let merit = |one: &Seen| {
        if one.scored.breaches.is_empty() { own(one) } else { base + spread * one.scored.violation() / farthest }
    };
    seen.iter().map(merit).collect()
}

/// A Gaussian process through the merits, in units of their spread.
struct Surrogate {
    points: Vec<Vec<f64>>,
    /// One over the length of each variable.
    scales: Vec<f64>,
    factor: Cholesky<f64, Dyn>,
    weights: DVector<f64>,
    amplitude: f64,
    best: f64,
}

/// What is added to the diagonal, as a share of the variance: steps of whole numbers and rounding make scores a little rough.
const NUGGET: f64 = 1e-6;

/// The kernel of Matérn 5/2 at a squared distance in lengths.
fn matern(squared: f64) -> f64 {
    let distance = (5.0 * squared).sqrt();
    (1.0 + distance + 5.0 * squared / 3.0) * (-distance).exp()
}

fn squared(a: &[f64], b: &[f64], scales: &[f64]) -> f64 {
    a.iter().zip(b).zip(scales).fold(0.0, |sum, ((a, b), scale)| sum + ((a - b) * scale).powi(2))
}

fn factored(points: &[Vec<f64>], scales: &[f64]) -> Option<Cholesky<f64, Dyn>> {
    let at = |place: usize| points.get(place).map_or(&[][..], Vec::as_slice);
    let kernel = |i: usize, j: usize| matern(squared(at(i), at(j), scales)) + if i == j { NUGGET } else { 0.0 };
    Cholesky::new(DMatrix::from_fn(points.len(), points.len(), kernel))
}

impl Surrogate {
    /// The process whose lengths make what was seen most likely; `lengths` holds their logarithms, to begin with and as found. `None` if
    /// nothing varies.
    fn fitted(seen: &[Seen], lengths: &mut Vec<f64>) -> Option<Self> {
        let merits = merits(seen);
        let count = merits.len() as f64;
        let mean = merits.iter().sum::<f64>() / count;
        let spread = (merits.iter().map(|merit| (merit - mean).powi(2)).sum::<f64>() / count).sqrt();
        if merits.len() < 4 || !(spread > 0.0 && spread.is_finite()) {
            return None;
        }
        let scaled = DVector::from_iterator(merits.len(), merits.iter().map(|merit| (merit - mean) / spread));
        let points: Vec<Vec<f64>> = seen.iter().map(|one| one.shares.clone()).collect();
        let scales = |lengths: &[f64]| -> Vec<f64> { lengths.iter().map(|ln| (-ln).exp()).collect() };
        // Minus the logarithm of the marginal likelihood with the amplitude at its best, and a weak pull of the lengths to 0.3.
        let cost = |lengths: &[f64]| {
            let Some(factor) = factored(&points, &scales(lengths)) else { return f64::INFINITY };
            let amplitude = scaled.dot(&factor.solve(&scaled)) / count;
            let pull: f64 = lengths.iter().map(|ln| 0.5 * (ln - 0.3_f64.ln()).powi(2)).sum();
            0.5 * count * amplitude.ln() + 0.5 * factor.ln_determinant() + pull
        };
        let method = NelderMead { max_iterations: 30 * lengths.len(), cost_tolerance: 1e-3, restarts: 0 };
        if let Ok(fit) = method.minimize(&cost, lengths, &vec![0.4; lengths.len()], &()) {
            *lengths = fit.point;
        }
        let scales = scales(lengths);
        let factor = factored(&points, &scales)?;
        let weights = factor.solve(&scaled);
        let amplitude = scaled.dot(&weights) / count;
        Some(Self { points, scales, factor, weights, amplitude, best: scaled.min() })
    }

    /// By how much a candidate is expected to be better than the best so far.
    fn expected_improvement(&self, shares: &[f64]) -> f64 {
        let near =
            DVector::from_iterator(self.points.len(), self.points.iter().map(|point| matern(squared(point, shares, &self.scales))));
        let mean = near.dot(&self.weights);
        let left = 1.0 - near.dot(&self.factor.solve(&near));
        let sd = (self.amplitude * left.max(0.0)).sqrt();
        if sd <= 1e-12 {
            return 0.0;
        }
        let z = (self.best - mean) / sd;
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        sd * (z * Normal::standard().cdf(z) + density)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::planning::Breach;

    /// The function of Branin on [-5, 10] × [0, 15], with three minima of 0.397887.
    fn branin(shares: &[f64]) -> f64 {
        let (x, y) = (15.0 * shares[0] - 5.0, 15.0 * shares[1]);
        let pi = std::f64::consts::PI;
        (y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0).powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * x.cos() + 10.0
    }

    #[test]
    fn the_minimum_of_branin_is_found_in_forty_scores() {
        let method = Bayesian { evaluations: 40, looks: 500, ..Bayesian::default() };
        let front = method.minimize(2, &|x| Ok(Scored::feasible(vec![branin(x)]))).unwrap();
        assert_eq!((front.evaluations, front.points.len()), (40, 1));
        assert!(front.points[0].objectives[0] - 0.397_887 < 0.01, "{:?}", front.points);
    }

    #[test]
    fn a_limit_is_kept_and_reached() {
        // The least of x + y with x y of at least a quarter is 1, at the border.
        let score = |x: &[f64]| {
            let excess = 0.25 - x[0] * x[1];
            let breaches =
                if excess > 0.0 { vec![Breach { limit: "area".into(), detail: String::new(), excess }] } else { Vec::new() };
            Ok(Scored { objectives: vec![x[0] + x[1]], breaches })
        };
        let front = Bayesian { evaluations: 40, looks: 500, ..Bayesian::default() }.minimize(2, &score).unwrap();
        let best = &front.points[0];
        assert!(best.shares[0] * best.shares[1] >= 0.25 && best.objectives[0] < 1.05, "{best:?}");
        let never = |x: &[f64]| {
            Ok(Scored {
                objectives: vec![0.0],
                breaches: vec![Breach { limit: "all".into(), detail: String::new(), excess: 1.0 + x[0] }],
            })
        };
        let none = Bayesian { evaluations: 10, looks: 20, ..Bayesian::default() }.minimize(2, &never).unwrap();
        assert!(none.points.is_empty() && none.infeasible == 10);
    }

    #[test]
    fn the_same_seed_gives_the_same_candidates_and_nonsense_is_refused() {
        let method = Bayesian { first: 5, evaluations: 12, looks: 50, ..Bayesian::default() };
        let run = || method.minimize(2, &|x| Ok(Scored::feasible(vec![branin(x)]))).unwrap();
        assert_eq!(run(), run());
        assert!(method.minimize(2, &|x| Ok(Scored::feasible(vec![x[0], x[1]]))).is_err());
        assert!(Bayesian { first: 2, ..method }.minimize(2, &|_| Ok(Scored::feasible(vec![0.0]))).is_err());
    }
}
