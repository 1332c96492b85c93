//! Global search by a population that adapts its shape.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

use super::fit::{Fit, StopReason};
use crate::CalibrationError;
use crate::control::{Flow, Observer, Progress};

const METHOD: &str = "cma-es";

/// The covariance matrix adaptation evolution strategy (Hansen 2016, arXiv:1604.00772, with its constants): candidates are drawn from a normal
/// distribution whose mean, size and shape follow the better half.
///
/// *Requires* nothing of the cost but that it can be computed: NaN and infinity count as worst, so constraints may be walls. Finds its way through
/// many shallow minima and along bent valleys, at some hundred evaluations for each coordinate and more; all threads. It is random: several runs that
/// agree are better than one.
///
/// ```
/// use twin_calibrate::optimize::CmaEs;
/// use twin_core::Random;
/// // Rastrigin's function: a bowl with a hundred dents.
/// let cost = |x: &[f64]| x.iter().map(|x| 10.0 + x * x - 10.0 * (std::f64::consts::TAU * x).cos()).sum::<f64>();
/// let search = CmaEs { population: Some(60), ..CmaEs::default() };
/// let fit = search.minimize(&cost, &[3.1, -2.2], &[2.0, 2.0], &Random::new(1), &())?;
/// assert!(fit.converged() && fit.cost < 1e-6);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CmaEs {
    /// Candidates of each generation, at least 4; `None` for `4 + 3 ln n`. More search more widely.
    pub population: Option<usize>,
    /// Generations at most.
    pub max_generations: usize,
    /// The search has converged when the costs of a generation, and those of the last generations' best, differ by less than this.
    pub cost_tolerance: f64,
}

impl Default for CmaEs {
    fn default() -> Self {
        Self { population: None, max_generations: 2000, cost_tolerance: 1e-10 }
    }
}

/// The distribution that candidates are drawn from, and what it remembers.
struct Shape {
    mean: DVector<f64>,
    size: f64,
    covariance: DMatrix<f64>,
    /// Square root of the covariance: principal directions, and standard deviations along them.
    directions: DMatrix<f64>,
    deviations: DVector<f64>,
    /// The paths of the mean, in own units and in those of the shape.
    size_path: DVector<f64>,
    shape_path: DVector<f64>,
}

/// The constants of Hansen 2016, table 1.
struct Constants {
    weights: Vec<f64>,
    effective: f64,
    size_pace: f64,
    damping: f64,
    path_pace: f64,
    rank_one: f64,
    rank_many: f64,
    /// The mean length of a standard normal vector.
    length: f64,
}

impl Constants {
    fn new(n: f64, population: usize) -> Self {
        let parents = population / 2;
        let raw: Vec<f64> = (0..parents).map(|i| ((population as f64 + 1.0) / 2.0).ln() - (i as f64 + 1.0).ln()).collect();
        let total: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|w| w / total).collect();
        let effective = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        let size_pace = (effective + 2.0) / (n + effective + 5.0);
        let rank_one = 2.0 / ((n + 1.3).powi(2) + effective);
        let rank_many = (2.0 * (effective - 2.0 + 1.0 / effective) / ((n + 2.0).powi(2) + effective)).min(1.0 - rank_one);
        Self {
            weights,
            effective,
            size_pace,
            damping: 1.0 + 2.0 * (((effective - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + size_pace,
            path_pace: (4.0 + effective / n) / (n + 4.0 + 2.0 * effective / n),
            rank_one,
            rank_many,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

impl CmaEs {
    /// Minimizes `cost` from around `start`; the first candidates scatter by `scale` along each coordinate. Candidate `i` of a generation has a stream of
    /// its own of `random`.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] or [`CalibrationError::Length`] for settings or lengths that make no sense; [`CalibrationError::Start`] if the cost is
    /// finite neither at the start nor at any candidate of the first generation.
    pub fn minimize(
        &self,
        cost: &(dyn Fn(&[f64]) -> f64 + Sync),
        start: &[f64],
        scale: &[f64],
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<Fit, CalibrationError> {
        let population = self.check(start, scale)?;
        let n = start.len();
        let constants = Constants::new(n as f64, population);
        let zero = DVector::zeros(n);
        // Coordinates in units of their scale.
        let mut shape = Shape {
            mean: zero.clone(),
            size: 1.0,
            covariance: DMatrix::identity(n, n),
            directions: DMatrix::identity(n, n),
            deviations: DVector::from_element(n, 1.0),
            size_path: zero.clone(),
            shape_path: zero,
        };
        let place = |u: &DVector<f64>| -> Vec<f64> { start.iter().zip(scale).zip(u.iter()).map(|((x, s), u)| x + s * u).collect() };
        let value = |point: &[f64]| {
            let value = cost(point);
            if value.is_nan() { f64::INFINITY } else { value }
        };
        let mut best = (start.to_vec(), value(start));
        let (mut evaluations, mut recent, mut generation) = (1, Vec::new(), 0);
        let reason = loop {
            if generation == self.max_generations {
                break StopReason::MaxIterations;
            }
            let progress = Progress { stage: METHOD, done: generation, total: self.max_generations, best: best.1 };
            if observer.progress(&progress) == Flow::Stop {
                break StopReason::Asked;
            }
            let stream = random.stream(generation as u64);
            let draw = |index: usize| {
                let mut own = stream.stream(index as u64);
                let normals = DVector::from_fn(n, |_, _| own.normal());
                let step = &shape.directions * normals.component_mul(&shape.deviations);
                let cost = value(&place(&(&shape.mean + &step * shape.size)));
                (cost, step)
            };
            let mut drawn: Vec<(f64, DVector<f64>)> = (0..population).into_par_iter().map(draw).collect();
            evaluations += population;
            generation += 1;
            drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some((lowest, step)) = drawn.first() else { break StopReason::NoProgress };
            if *lowest < best.1 {
                best = (place(&(&shape.mean + step * shape.size)), *lowest);
            }
            if generation == 1 && !best.1.is_finite() {
                return Err(CalibrationError::Start { method: METHOD, start: 0, value: best.1, point: start.to_vec() });
            }
            recent.push(*lowest);
            let spread = drawn.last().map_or(f64::INFINITY, |last| last.0) - lowest;
            let window = 10 + 30 * n / population;
            let lately = recent.get(recent.len().saturating_sub(window)..).unwrap_or_default();
            let drift =
                lately.iter().copied().fold(f64::NEG_INFINITY, f64::max) - lately.iter().copied().fold(f64::INFINITY, f64::min);
            if recent.len() >= window && drift < self.cost_tolerance && spread < self.cost_tolerance {
                break StopReason::CostSmall;
            }
            shape.follow(&constants, &drawn, generation);
            if !shape.size.is_finite() || shape.size * shape.deviations.max() < 1e-14 {
                break StopReason::StepSmall;
            }
        };
        let (covariance, condition, cosine) = (None, None, None);
        Ok(Fit { point: best.0, cost: best.1, reason, iterations: generation, evaluations, covariance, condition, cosine })
    }

    fn check(&self, start: &[f64], scale: &[f64]) -> Result<usize, CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        let length = |what, expected, actual| Err(CalibrationError::Length { method: METHOD, what, expected, actual });
        if start.is_empty() {
            return length("the number of coordinates", 1, 0);
        }
        if scale.len() != start.len() {
            return length("the length of the scale", start.len(), scale.len());
        }
        if let Some(value) = scale.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return setting("scale", *value, "finite and above 0");
        }
        if let Some(value) = start.iter().find(|x| !x.is_finite()) {
            return setting("start", *value, "finite");
        }
        if !(self.cost_tolerance.is_finite() && self.cost_tolerance > 0.0) {
            return setting("cost_tolerance", self.cost_tolerance, "finite and above 0");
        }
        if self.max_generations == 0 {
            return setting("max_generations", 0.0, "at least 1");
        }
        let population = self.population.unwrap_or(4 + (3.0 * (start.len() as f64).ln()) as usize);
        if population < 4 { setting("population", population as f64, "at least 4") } else { Ok(population) }
    }
}

impl Shape {
    /// Moves to the better half, and learns from the way there (Hansen 2016, figure 6).
    fn follow(&mut self, constants: &Constants, drawn: &[(f64, DVector<f64>)], generation: usize) {
        let n = self.mean.len();
        let mut step = DVector::zeros(n);
        for (weight, (_, own)) in constants.weights.iter().zip(drawn) {
            step.axpy(*weight, own, 1.0);
        }
        self.mean.axpy(self.size, &step, 1.0);
        let pace = constants.size_pace;
        let white = &self.directions * (self.directions.tr_mul(&step)).component_div(&self.deviations);
        self.size_path *= 1.0 - pace;
        self.size_path.axpy((pace * (2.0 - pace) * constants.effective).sqrt(), &white, 1.0);
        let past = 1.0 - (1.0 - pace).powi(2 * generation as i32);
        let calm = self.size_path.norm() / past.sqrt() < (1.4 + 2.0 / (n as f64 + 1.0)) * constants.length;
        let pace = constants.path_pace;
        self.shape_path *= 1.0 - pace;
        if calm {
            self.shape_path.axpy((pace * (2.0 - pace) * constants.effective).sqrt(), &step, 1.0);
        }
        let (one, many) = (constants.rank_one, constants.rank_many);
        let kept = if calm { 0.0 } else { one * pace * (2.0 - pace) };
        self.covariance *= 1.0 - one - many + kept;
        self.covariance.ger(one, &self.shape_path, &self.shape_path, 1.0);
        for (weight, (_, own)) in constants.weights.iter().zip(drawn) {
            self.covariance.ger(many * weight, own, own, 1.0);
        }
        self.size *= (constants.size_pace / constants.damping * (self.size_path.norm() / constants.length - 1.0)).exp();
        let eigen = self.covariance.clone().symmetric_eigen();
        let widest = eigen.eigenvalues.max();
        // Rounding aside, the covariance is positive definite.
        self.deviations = eigen.eigenvalues.map(|value| value.max(1e-20 * widest).sqrt());
        self.directions = eigen.eigenvectors;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(x: &[f64]) -> f64 {
        x.windows(2).map(|pair| (1.0 - pair[0]).powi(2) + 100.0 * (pair[1] - pair[0] * pair[0]).powi(2)).sum()
    }

    #[test]
    fn a_bent_valley_is_followed() {
        let fit = CmaEs::default().minimize(&rosenbrock, &[-1.0; 3], &[0.5; 3], &Random::new(3), &()).unwrap();
        assert!(fit.converged() && fit.cost < 1e-8, "{fit:?}");
        assert!(fit.point.iter().all(|x| (x - 1.0).abs() < 1e-3), "{fit:?}");
    }

    #[test]
    fn scales_and_walls_are_borne() {
        let cost = |x: &[f64]| if x[0] < 0.5 { f64::NAN } else { (x[0] - 0.7).powi(2) + (x[1] / 1e6 - 2.0).powi(2) };
        let fit = CmaEs::default().minimize(&cost, &[3.0, 0.0], &[1.0, 1e6], &Random::new(4), &()).unwrap();
        assert!((fit.point[0] - 0.7).abs() < 1e-3 && (fit.point[1] / 2e6 - 1.0).abs() < 1e-3, "{fit:?}");
    }

    #[test]
    fn threads_change_nothing_and_streams_do() {
        let with = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let few = CmaEs { max_generations: 20, ..CmaEs::default() };
            pool.install(|| few.minimize(&rosenbrock, &[-1.0; 3], &[0.5; 3], &Random::new(seed), &())).unwrap()
        };
        assert_eq!(with(1, 1), with(5, 1));
        assert_ne!(with(1, 1), with(1, 2));
        assert_eq!(with(1, 1).reason, StopReason::MaxIterations);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let random = Random::new(1);
        let plain = CmaEs::default();
        let run =
            |search: &CmaEs, start: &[f64], scale: &[f64]| search.minimize(&rosenbrock, start, scale, &random, &()).unwrap_err();
        assert!(matches!(run(&plain, &[], &[]), CalibrationError::Length { .. }));
        assert!(matches!(run(&plain, &[0.0; 2], &[1.0]), CalibrationError::Length { .. }));
        assert!(matches!(run(&plain, &[0.0; 2], &[1.0, -1.0]), CalibrationError::Setting { .. }));
        assert!(matches!(
            run(&CmaEs { population: Some(3), ..plain.clone() }, &[0.0; 2], &[1.0; 2]),
            CalibrationError::Setting { .. }
        ));
        let nowhere = plain.minimize(&|_: &[f64]| f64::NAN, &[0.0], &[1.0], &random, &());
        assert!(matches!(nowhere, Err(CalibrationError::Start { .. })));
    }
}
