use super::*;
use crate::diagnostics::{Concern, Thresholds};
use crate::sample::Gradient;

/// Normal, correlated by 0.95, of standard deviations 1 and 100; its gradient is known or not.
struct Bell {
    known: bool,
}

impl LnDensity for Bell {
    fn dimension(&self) -> usize {
        2
    }
    fn ln_density(&self, x: &[f64]) -> f64 {
        let (u, v) = (x[0], x[1] / 100.0);
        -0.5 * (u * u - 1.9 * u * v + v * v) / (1.0 - 0.95 * 0.95)
    }
    fn gradient(&self) -> Option<&dyn Gradient> {
        self.known.then_some(self)
    }
}

impl Gradient for Bell {
    fn ln_density_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (u, v, rest) = (x[0], x[1] / 100.0, 1.0 - 0.95 * 0.95);
        gradient.copy_from_slice(&[-(u - 0.95 * v) / rest, -(v - 0.95 * u) / rest / 100.0]);
        self.ln_density(x)
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

/// Neal's funnel: the width of nine coordinates is the exponential of half the first, whose standard deviation is 3.
struct Funnel;
impl LnDensity for Funnel {
    fn dimension(&self) -> usize {
        10
    }
    fn ln_density(&self, x: &[f64]) -> f64 {
        let squares: f64 = x[1..].iter().map(|y| y * y).sum();
        -x[0] * x[0] / 18.0 - 4.5 * x[0] - 0.5 * squares * (-x[0]).exp()
    }
}

/// Exponential, nothing below 0.
struct Edge;
impl LnDensity for Edge {
    fn dimension(&self) -> usize {
        1
    }
    fn ln_density(&self, x: &[f64]) -> f64 {
        if x[0] < 0.0 { f64::NEG_INFINITY } else { -x[0] }
    }
}

fn starts(count: usize, dimension: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(77);
    (0..count).map(|_| (0..dimension).map(|_| 0.5 + random.uniform()).collect()).collect()
}

fn run(sampler: &Nuts, target: &dyn LnDensity) -> Chains {
    sampler.run(target, &starts(4, target.dimension()), &Random::new(9), &()).unwrap()
}

#[test]
fn a_correlated_normal_is_recovered_with_and_without_its_gradient() {
    for (known, dense) in [(true, true), (false, true), (true, false)] {
        let chains = run(&Nuts { dense, ..Nuts::default() }, &Bell { known });
        let verdict = chains.diagnose(Thresholds::default());
        assert!(verdict.is_good() && chains.divergences() == 0, "{verdict:?}");
        for (measures, sd) in verdict.coordinates().iter().zip([1.0, 100.0]) {
            assert!(measures.mean.abs() < 5.0 * measures.mcse_mean, "{measures:?}");
            assert!((measures.standard_deviation / sd - 1.0).abs() < 0.08, "{measures:?}");
        }
        let both: f64 = chains.points().map(|x| x[0] * x[1] / 100.0).sum::<f64>() / 4000.0;
        assert!((both - 0.95).abs() < 0.1, "{both}");
        let acceptance = chains.acceptance().iter().sum::<f64>() / 4.0;
        assert!((acceptance - 0.8).abs() < 0.15, "{acceptance}");
    }
}

#[test]
fn a_banana_is_followed() {
    let chains = run(&Nuts { draws: 4000, acceptance: 0.9, ..Nuts::default() }, &Banana);
    let verdict = chains.diagnose(Thresholds::default());
    let [x, y] = verdict.coordinates() else { panic!("two coordinates") };
    assert!(x.r_hat < 1.01 && x.mean.abs() < 5.0 * x.mcse_mean && (y.mean - 1.0).abs() < 5.0 * y.mcse_mean, "{verdict:?}");
    assert!((x.standard_deviation - 1.0).abs() < 0.06 && (y.standard_deviation - 1.5).abs() < 0.2, "{verdict:?}");
}

#[test]
fn a_funnel_is_not_called_good() {
    let chains = run(&Nuts::default(), &Funnel);
    let verdict = chains.diagnose(Thresholds::exploratory());
    let told = verdict.concerns().iter().any(|c| matches!(c, Concern::Divergences { .. } | Concern::LowEnergy { .. }));
    assert!(told && chains.divergences() > 0, "{:?}", verdict.concerns());
}

#[test]
fn an_edge_is_respected() {
    let chains = run(&Nuts { draws: 3000, ..Nuts::default() }, &Edge);
    assert!(chains.points().flatten().all(|x| *x >= 0.0));
    let verdict = chains.diagnose(Thresholds::default());
    let mean = verdict.coordinates()[0];
    assert!((mean.mean - 1.0).abs() < 5.0 * mean.mcse_mean, "{mean:?}");
}

#[test]
fn threads_change_nothing_and_streams_do() {
    let small = Nuts { warmup: 100, draws: 50, ..Nuts::default() };
    let with = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| small.run(&Banana, &starts(5, 2), &Random::new(seed), &())).unwrap()
    };
    assert_eq!(with(1, 1), with(7, 1));
    assert_ne!(with(1, 1), with(1, 2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |sampler: Nuts, starts: &[Vec<f64>]| sampler.run(&Edge, starts, &Random::new(1), &()).unwrap_err();
    for bad in [
        Nuts { acceptance: 1.0, ..Nuts::default() },
        Nuts { difference: 0.0, ..Nuts::default() },
        Nuts { depth: 0, ..Nuts::default() },
        Nuts { draws: 0, ..Nuts::default() },
        Nuts { scales: Some(vec![-1.0]), ..Nuts::default() },
    ] {
        assert!(matches!(refused(bad, &starts(4, 1)), CalibrationError::Setting { .. }));
    }
    assert!(matches!(refused(Nuts::default(), &[]), CalibrationError::Length { actual: 0, .. }));
    assert!(matches!(refused(Nuts::default(), &[vec![1.0], vec![-1.0]]), CalibrationError::Start { start: 1, .. }));
    assert!(matches!(refused(Nuts::default(), &[vec![1.0], vec![1.0]]), CalibrationError::Span { .. }));
}
