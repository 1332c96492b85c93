//! Both samplers against densities whose moments are known.

use nalgebra::{DMatrix, DVector};
use twin_core::Random;

use super::*;
use crate::CalibrationError;
use crate::control::{Flow, Progress};
use crate::diagnostics::Thresholds;

/// A normal density with mean `j + 1` and standard deviation `10^(j mod 3)` of coordinate `j`, all correlations 0.7.
struct Bell {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
    precision: DMatrix<f64>,
}

impl Bell {
    fn new(dimension: usize) -> Self {
        let scale = |j: usize| 10f64.powi((j % 3) as i32);
        let covariance = DMatrix::from_fn(dimension, dimension, |i, j| scale(i) * scale(j) * if i == j { 1.0 } else { 0.7 });
        let precision = covariance.clone().try_inverse().unwrap();
        Self { mean: DVector::from_fn(dimension, |j, _| j as f64 + 1.0), covariance, precision }
    }
}

impl LnDensity for Bell {
    fn dimension(&self) -> usize {
        self.mean.len()
    }
    fn ln_density(&self, point: &[f64]) -> f64 {
        let from = DVector::from_row_slice(point) - &self.mean;
        -0.5 * from.dot(&(&self.precision * &from))
    }
}

/// Rosenbrock's banana as a density: `x` normal, `y` normal around `x²` with standard deviation 1/2. E y = 1, var y = 2 + 1/4.
struct Banana;
impl LnDensity for Banana {
    fn dimension(&self) -> usize {
        2
    }
    fn ln_density(&self, x: &[f64]) -> f64 {
        -0.5 * x[0] * x[0] - 2.0 * (x[1] - x[0] * x[0]).powi(2)
    }
}

/// Exponential, and not a number below -0.5.
struct Edge;
impl LnDensity for Edge {
    fn dimension(&self) -> usize {
        1
    }
    fn ln_density(&self, x: &[f64]) -> f64 {
        match x[0] {
            x if x >= 0.0 => -x,
            x if x >= -0.5 => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }
}

fn starts(count: usize, dimension: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(77);
    (0..count).map(|_| (0..dimension).map(|_| 0.5 + random.uniform()).collect()).collect()
}

fn ensemble(target: &dyn LnDensity, draws: usize) -> Chains {
    let sampler = Ensemble { draws, ..Ensemble::default() };
    sampler.run(target, &starts(sampler.starts(), target.dimension()), &Random::new(5), &()).unwrap()
}

fn metropolis(target: &dyn LnDensity, draws: usize) -> Chains {
    let sampler = AdaptiveMetropolis { warmup: 10_000, draws, thin: 5, ..AdaptiveMetropolis::default() };
    sampler.run(target, &starts(4, target.dimension()), &Random::new(6), &()).unwrap()
}

/// Mean and covariance within five Monte Carlo errors, whose size the draws' own effective number says.
fn assert_bell(bell: &Bell, chains: &Chains) {
    let verdict = chains.diagnose(Thresholds::default());
    assert!(verdict.is_good(), "{verdict:?}");
    let count = chains.points().len() as f64;
    let dimension = bell.dimension();
    let mut covariance = DMatrix::zeros(dimension, dimension);
    for point in chains.points() {
        let from = DVector::from_row_slice(point) - &bell.mean;
        covariance.ger(1.0 / count, &from, &from, 1.0);
    }
    for (i, measures) in verdict.coordinates().iter().enumerate() {
        assert!((measures.mean - bell.mean[i]).abs() < 5.0 * measures.mcse_mean, "mean {i}: {measures:?}");
        let own = bell.covariance[(i, i)];
        for j in 0..dimension {
            let size = (own * bell.covariance[(j, j)]).sqrt();
            let tolerance = 5.0 * (2.0 / measures.bulk_ess.min(verdict.coordinates()[j].bulk_ess)).sqrt();
            let error = (covariance[(i, j)] - bell.covariance[(i, j)]) / size;
            assert!(tolerance < 0.25 && error.abs() < tolerance, "covariance {i} {j}: {error} beyond {tolerance}");
        }
    }
}

#[test]
fn correlated_normals_are_recovered() {
    for dimension in [2, 5, 8] {
        let bell = Bell::new(dimension);
        assert_bell(&bell, &ensemble(&bell, 2000));
        assert_bell(&bell, &metropolis(&bell, 10_000));
    }
}

#[test]
fn every_kind_of_ensemble_move_is_right_alone() {
    let bell = Bell::new(3);
    for differential in [0.0, 1.0] {
        let sampler = Ensemble { differential, draws: 3000, ..Ensemble::default() };
        assert_bell(&bell, &sampler.run(&bell, &starts(128, 3), &Random::new(8), &()).unwrap());
    }
}

#[test]
fn a_banana_is_followed() {
    for chains in [ensemble(&Banana, 5000), metropolis(&Banana, 20_000)] {
        let verdict = chains.diagnose(Thresholds::default());
        assert!(verdict.is_good(), "{verdict:?}");
        let [x, y] = verdict.coordinates() else { panic!("two coordinates") };
        assert!(x.mean.abs() < 5.0 * x.mcse_mean && (y.mean - 1.0).abs() < 5.0 * y.mcse_mean, "{verdict:?}");
        assert!((x.standard_deviation - 1.0).abs() < 0.05 && (y.standard_deviation - 1.5).abs() < 0.15, "{verdict:?}");
    }
}

#[test]
fn an_edge_is_respected_and_what_is_undefined_is_counted() {
    for chains in [ensemble(&Edge, 2000), metropolis(&Edge, 5000)] {
        assert!(chains.points().flatten().all(|x| *x >= 0.0));
        let mean = &chains.diagnose(Thresholds::default()).coordinates()[0].clone();
        assert!((mean.mean - 1.0).abs() < 5.0 * mean.mcse_mean, "{mean:?}");
        assert!(chains.undefined() > 0 && chains.undefined() < chains.evaluations());
    }
    assert_eq!(ensemble(&Bell::new(2), 10).undefined(), 0);
}

#[test]
fn threads_change_nothing() {
    let bell = Bell::new(3);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let metropolis = AdaptiveMetropolis { warmup: 200, draws: 300, ..AdaptiveMetropolis::default() };
        let ensemble = Ensemble { warmup: 30, draws: 50, ..Ensemble::default() };
        pool.install(|| {
            (
                metropolis.run(&bell, &starts(5, 3), &Random::new(1), &()).unwrap(),
                ensemble.run(&bell, &starts(128, 3), &Random::new(1), &()).unwrap(),
            )
        })
    };
    let bits = |chains: &Chains| chains.values().iter().chain(chains.ln_densities()).map(|v| v.to_bits()).collect::<Vec<_>>();
    let one = with(1);
    for threads in [2, 7] {
        let many = with(threads);
        assert_eq!((bits(&one.0), bits(&one.1)), (bits(&many.0), bits(&many.1)), "{threads} threads");
    }
}

#[test]
fn other_streams_make_other_draws_and_use_of_the_parent_does_not_matter() {
    let bell = Bell::new(2);
    let sampler = Ensemble { warmup: 0, draws: 10, ..Ensemble::default() };
    let run = |random: &Random| sampler.run(&bell, &starts(128, 2), random, &()).unwrap();
    let mut used = Random::new(3);
    used.normal();
    assert_eq!(run(&Random::new(3)), run(&used));
    assert_ne!(run(&Random::new(3)), run(&Random::new(4)));
}

#[test]
fn draws_are_laid_out_as_said() {
    let chains = ensemble(&Bell::new(2), 7);
    assert_eq!((chains.dimension(), chains.groups(), chains.chains(), chains.draws()), (2, 4, 128, 7));
    assert_eq!((chains.points().len(), chains.chain(5).count(), chains.chain(128).count()), (896, 7, 0));
    let point = chains.point(5, 3).unwrap();
    assert_eq!(chains.coordinate(1).unwrap()[5 * 7 + 3], point[1]);
    assert_eq!(chains.ln_densities()[5 * 7 + 3], Bell::new(2).ln_density(point));
    assert!(chains.point(0, 7).is_none() && chains.point(128, 0).is_none() && chains.coordinate(2).is_none());
    let (best, value) = chains.best().unwrap();
    assert_eq!(Bell::new(2).ln_density(best), value);
    assert!(chains.acceptance().iter().sum::<f64>() / 128.0 > 0.2);
    assert_eq!(chains.evaluations(), 128 * (1 + 1000 + 7));
}

#[test]
fn stopping_hands_back_what_there_is() {
    let bell = Bell::new(2);
    let halfway = |p: &Progress| if p.done < p.total / 2 { Flow::Continue } else { Flow::Stop };
    let sampler = Ensemble { warmup: 10, draws: 90, ..Ensemble::default() };
    let chains = sampler.run(&bell, &starts(128, 2), &Random::new(1), &halfway).unwrap();
    assert_eq!((chains.reason(), chains.draws()), (SampleEnd::Asked, 40));
    let sampler = AdaptiveMetropolis { warmup: 100, draws: 100, ..AdaptiveMetropolis::default() };
    let chains = sampler.run(&bell, &starts(4, 2), &Random::new(1), &|_: &Progress| Flow::Stop).unwrap();
    assert_eq!((chains.reason(), chains.draws()), (SampleEnd::Asked, 0));
    assert!(!chains.diagnose(Thresholds::default()).is_good() && chains.best().is_none());
}

#[test]
fn starts_that_are_no_use_are_refused() {
    let sampler = Ensemble::default();
    let run = |starts: &[Vec<f64>]| sampler.run(&Bell::new(2), starts, &Random::new(1), &()).unwrap_err();
    let mut bad = starts(128, 2);
    bad[40][1] = f64::NAN;
    assert!(matches!(run(&bad), CalibrationError::Start { start: 40, .. }));
    let flat: Vec<_> = starts(128, 2).into_iter().map(|s| vec![s[0], 2.0 * s[0]]).collect();
    assert!(matches!(run(&flat), CalibrationError::Span { group: 0, .. }));
    assert!(matches!(run(&starts(127, 2)), CalibrationError::Length { expected: 128, actual: 127, .. }));
    assert!(matches!(run(&starts(128, 3)), CalibrationError::Length { expected: 2, actual: 3, .. }));
    let outside = sampler.run(&Edge, &vec![vec![-0.2]; 128], &Random::new(1), &());
    assert!(matches!(outside, Err(CalibrationError::Span { .. })));
    let outside: Vec<_> = starts(128, 1).into_iter().map(|s| vec![s[0] - 0.75]).collect();
    assert!(matches!(sampler.run(&Edge, &outside, &Random::new(1), &()), Err(CalibrationError::Start { .. })));

    let metropolis = AdaptiveMetropolis::default();
    let equal = metropolis.run(&Bell::new(2), &vec![vec![1.0, 1.0]; 4], &Random::new(1), &());
    assert!(matches!(equal, Err(CalibrationError::Span { .. })));
    let scaled = AdaptiveMetropolis { scales: Some(vec![1.0, 10.0]), warmup: 10, draws: 10, ..metropolis.clone() };
    assert!(scaled.run(&Bell::new(2), &vec![vec![1.0, 1.0]; 4], &Random::new(1), &()).is_ok());
    assert!(matches!(metropolis.run(&Bell::new(2), &[], &Random::new(1), &()), Err(CalibrationError::Length { actual: 0, .. })));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let ensemble = |sampler: Ensemble| sampler.run(&Bell::new(5), &starts(128, 5), &Random::new(1), &()).unwrap_err();
    let setting = |error: CalibrationError| match error {
        CalibrationError::Setting { setting, .. } => setting,
        other => panic!("{other}"),
    };
    let plain = Ensemble::default();
    assert_eq!(setting(ensemble(Ensemble { walkers: 8, ..plain.clone() })), "walkers");
    assert_eq!(setting(ensemble(Ensemble { walkers: 31, ..plain.clone() })), "walkers");
    assert_eq!(setting(ensemble(Ensemble { stretch: 1.0, ..plain.clone() })), "stretch");
    assert_eq!(setting(ensemble(Ensemble { differential: f64::NAN, ..plain.clone() })), "differential");
    assert_eq!(setting(ensemble(Ensemble { thin: 0, ..plain })), "thin");
    let metropolis = AdaptiveMetropolis { acceptance: Some(1.0), ..AdaptiveMetropolis::default() };
    assert_eq!(setting(metropolis.run(&Bell::new(5), &starts(4, 5), &Random::new(1), &()).unwrap_err()), "acceptance");
}
