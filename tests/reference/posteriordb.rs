//! Posteriors of posteriordb, against its reference draws.
//!
//! Source: Magnusson, Torgander, Bürkner, Zhang, Carpenter and Vehtari, posteriordb, <https://github.com/stan-dev/posteriordb>; the
//! summaries are of 10 chains of 1000 draws each. Held to: means within 0.1 standard deviations, standard deviations within a tenth,
//! and a good verdict of the draws themselves.

use twin_calibrate::diagnostics::{Draws, Thresholds, mean, standard_deviation};
use twin_calibrate::sample::{AdaptiveMetropolis, Chains, Ensemble, LnDensity};
use twin_core::Random;
use twin_tests::posteriors::{EightSchools, KidScore, POSTERIORS, judge, numbers, read};

/// Draws by both samplers, from starts that are widely spread.
fn draw(target: &dyn LnDensity, center: &[f64], width: &[f64]) -> [(&'static str, Chains); 2] {
    let mut random = Random::new(2021);
    let mut starts = |count: usize| -> Vec<Vec<f64>> {
        let mut start = |_| center.iter().zip(width).map(|(c, w)| c + w * random.normal()).collect();
        (0..count).map(&mut start).collect()
    };
    let ensemble = Ensemble { warmup: 2000, draws: 3000, ..Ensemble::default() };
    let metropolis = AdaptiveMetropolis { warmup: 20_000, draws: 5000, thin: 20, ..AdaptiveMetropolis::default() };
    let of_ensemble = ensemble.run(target, &starts(ensemble.starts()), &Random::new(1), &()).unwrap();
    let of_metropolis = metropolis.run(target, &starts(4), &Random::new(2), &()).unwrap();
    [("ensemble", of_ensemble), ("adaptive Metropolis", of_metropolis)]
}

/// A parameter's name in the reference, and its value at a draw.
type Parameter<'a> = (String, &'a dyn Fn(&[f64]) -> f64);

/// Holds every parameter, computed from a draw by its function, to the reference.
fn check(posterior: &str, method: &str, chains: &Chains, parameters: &[Parameter<'_>]) {
    let Some(summary) = read("posteriordb", "reference_summary.json").unwrap() else { return };
    let verdict = chains.diagnose(Thresholds::default());
    assert!(verdict.is_good(), "{posterior}, {method}: {:?}", verdict.concerns());
    for (name, parameter) in parameters {
        let values: Vec<f64> = chains.points().map(parameter).collect();
        let draws = Draws::independent(&values, chains.chains()).unwrap();
        let reference = |what: &str| summary[posterior]["params"][name.as_str()][what].as_f64().unwrap();
        let shift = (mean(&draws) - reference("mean")) / reference("sd");
        let ratio = standard_deviation(&draws) / reference("sd");
        assert!(
            shift.abs() <= 0.1 && (0.9..=1.1).contains(&ratio),
            "{posterior}, {method}, {name}: mean off by {shift:.3} sd, sd ratio {ratio:.3}"
        );
    }
}

#[test]
fn posteriordb_eight_schools_noncentered() {
    let Some(data) = read("posteriordb", "data/eight_schools.json").unwrap() else { return };
    let target = EightSchools { seen: numbers(&data, "y"), errors: numbers(&data, "sigma") };
    let schools: Vec<_> = (0..8).map(|j| move |x: &[f64]| x[0] + x[1].exp() * x[2 + j]).collect();
    let mut parameters: Vec<Parameter<'_>> = vec![("mu".to_owned(), &|x| x[0]), ("tau".to_owned(), &|x| x[1].exp())];
    for (j, school) in schools.iter().enumerate() {
        parameters.push((format!("theta[{}]", j + 1), school));
    }
    for (method, chains) in draw(&target, &[0.0; 10], &[3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) {
        check("eight_schools-eight_schools_noncentered", method, &chains, &parameters);
    }
}

#[test]
fn posteriordb_kidscore_momiq() {
    let Some(data) = read("posteriordb", "data/kidiq.json").unwrap() else { return };
    let target = KidScore { scores: numbers(&data, "kid_score"), mothers: numbers(&data, "mom_iq") };
    let parameters: [Parameter<'_>; 3] =
        [("beta[1]".to_owned(), &|x| x[0]), ("beta[2]".to_owned(), &|x| x[1]), ("sigma".to_owned(), &|x| x[2].exp())];
    for (method, chains) in draw(&target, &[0.0, 1.0, 3.0], &[30.0, 0.3, 0.3]) {
        check("kidiq-kidscore_momiq", method, &chains, &parameters);
    }
}

#[test]
fn posteriordb_by_the_no_u_turn_sampler() {
    // That of a differential equation takes longer: `validate` has it.
    for posterior in &POSTERIORS[..2] {
        let Some(found) = judge(posterior).unwrap() else { return };
        assert!(
            found.shift <= 0.1 && found.spread <= 0.1 && found.good && found.r_hat < 1.01 && found.effective >= 400.0,
            "{found:?}"
        );
    }
}
