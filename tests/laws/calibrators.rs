//! Every calibrator and updater of the library under the test kit for methods.
#![allow(clippy::unwrap_used)]

use twin_calibrate::control::Observer;
use twin_calibrate::living::{EnsembleSmoother, Particles};
use twin_calibrate::testing::{Method, geweke, ranks, recovery};
use twin_calibrate::{CalibrationError, Calibrator, Laplace, Posterior, Problem, Search, Tempered};
use twin_core::Random;
use twin_tests::sbc;

/// Unlikely enough for a fixed seed, likely to be passed by no method that is wrong.
const LEAST: f64 = 1e-3;

#[test]
fn ranks_are_uniform_for_every_method() {
    for (model, method) in [
        ("exponential", "ensemble"),
        ("exponential", "tempered"),
        ("exponential", "metropolis"),
        ("exponential", "laplace"),
        ("exponential", "particles"),
        ("exponential", "smoother"),
        ("exponential", "nuts"),
    ] {
        let ranks = sbc::run(model, method, 30, 7).unwrap();
        assert!(ranks.failures.is_empty(), "{method} on {model}: {:?}", ranks.failures);
        let p = ranks.chi_square(5);
        assert!(p.iter().all(|p| *p > LEAST), "{method} on {model}: {p:?}, {:?}", ranks.histogram(0, 5));
    }
}

/// A calibrator whose intervals are too narrow by half.
struct Overconfident(Tempered);

impl Calibrator for Overconfident {
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        let honest = self.0.calibrate_observed(problem, random, observer)?;
        let transforms = problem.prior.transforms();
        let real = |draw: &[f64]| transforms.iter().zip(draw).map(|(t, x)| t.to_real(*x)).collect::<Vec<f64>>();
        let all: Vec<Vec<f64>> = honest.draws().map(real).collect();
        let mean = |j: usize| all.iter().map(|z| z[j]).sum::<f64>() / all.len() as f64;
        let means: Vec<f64> = (0..transforms.len()).map(mean).collect();
        let shrink = |z: &Vec<f64>| -> Vec<f64> {
            z.iter().zip(&means).zip(transforms).map(|((z, m), t)| t.from_real(m + 0.5 * (z - m))).collect()
        };
        let draws = all.iter().flat_map(shrink).collect();
        let densities = honest.ln_densities().to_vec();
        Posterior::new(honest.names().to_vec(), draws, densities, problem.base.clone(), honest.record.clone())
    }
}

fn small() -> Tempered {
    Tempered { islands: 2, particles: 100, sweeps: 20, ..Tempered::default() }
}

#[test]
fn the_kit_catches_a_method_that_is_too_sure() {
    let design = sbc::design("exponential", false).unwrap();
    let wrong = Overconfident(small());
    let found = ranks(&design, Method::Calibrator(&wrong), 80, 19, &Random::new(1)).unwrap();
    assert!(found.chi_square(5).iter().all(|p| *p < LEAST), "{:?}", found.chi_square(5));
    assert!(found.coverage(0.9).iter().all(|share| *share < 0.75), "{:?}", found.coverage(0.9));
    let moments = geweke(&design, Method::Calibrator(&wrong), 8, 40, &Random::new(2)).unwrap();
    assert!(moments.iter().any(|moment| moment.score.abs() > 3.5), "{moments:?}");
}

#[test]
fn from_parameters_to_data_and_back_the_prior_stays() {
    let design = sbc::design("exponential", false).unwrap();
    let (tempered, particles, smoother) = (small(), Particles { count: 200, ..Particles::default() }, EnsembleSmoother::default());
    let methods = [Method::Calibrator(&tempered), Method::Updater(&particles, 200), Method::Calibrator(&smoother)];
    for method in methods {
        let moments = geweke(&design, method, 8, 20, &Random::new(3)).unwrap();
        assert_eq!(moments.len(), 4);
        assert!(moments.iter().all(|moment| moment.score.abs() < 4.0), "{method:?}: {moments:?}");
    }
}

#[test]
fn a_known_truth_is_recovered() {
    let design = sbc::design("gompertz", false).unwrap();
    let truth = [0.04, 8000.0, 150.0];
    let patient = design.patient(&truth, &mut Random::new(4)).unwrap();
    let problem = design.assumptions.problem(&patient);
    let laplace = Laplace { search: Search { starts: 4, polished: 1, ..Search::default() }, ..Laplace::default() };
    let found = recovery(&laplace, &problem, &truth, &mut Random::new(5)).unwrap();
    assert!(found.iter().all(|one| (0.005..0.995).contains(&one.below) && one.off.abs() < 3.0), "{found:?}");
    let refused = recovery(&laplace, &problem, &truth[..2], &mut Random::new(5));
    assert!(matches!(refused, Err(CalibrationError::Length { expected: 3, actual: 2, .. })));
}
