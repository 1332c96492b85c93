//! Posteriors of posteriordb, against its reference draws.
//!
//! Source: Magnusson, Torgander, Bürkner, Zhang, Carpenter and Vehtari, posteriordb, <https://github.com/stan-dev/posteriordb>; the
//! summaries are of 10 chains of 1000 draws each. Held to: means within 0.1 standard deviations, standard deviations within a tenth,
//! and a good verdict of the draws themselves.

use serde_json::Value;
use twin_calibrate::diagnostics::{Draws, Thresholds, mean, standard_deviation};
use twin_calibrate::sample::{AdaptiveMetropolis, Chains, Ensemble, LnDensity};
use twin_core::Random;

/// A file of the reference; `None`, after saying so, where the data are not at hand outside continuous integration.
fn read(name: &str) -> Option<Value> {
    let path = twin_tests::data("posteriordb", &format!("reference/posteriordb/{name}"))?;
    let text = std::fs::read_to_string(path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The logarithm of the Cauchy density around 0, up to a constant.
fn ln_cauchy(x: f64, scale: f64) -> f64 {
    -(x / scale).powi(2).ln_1p()
}

/// Rubin's eight schools, not centered: `mu`, `ln tau`, and the schools' effects in units of `tau`.
struct EightSchools {
    seen: Vec<f64>,
    errors: Vec<f64>,
}

impl LnDensity for EightSchools {
    fn dimension(&self) -> usize {
        10
    }

    fn ln_density(&self, point: &[f64]) -> f64 {
        let (mu, ln_tau, effects) = (point[0], point[1], &point[2..]);
        let tau = ln_tau.exp();
        let prior = -0.5 * (mu / 5.0).powi(2) + ln_cauchy(tau, 5.0) + ln_tau;
        let school = |((effect, seen), error): ((&f64, &f64), &f64)| {
            -0.5 * effect * effect - 0.5 * ((seen - mu - tau * effect) / error).powi(2)
        };
        prior + effects.iter().zip(&self.seen).zip(&self.errors).map(school).sum::<f64>()
    }
}

/// A child's score by its mother's, a straight line: intercept, slope, `ln sigma`.
struct KidScore {
    scores: Vec<f64>,
    mothers: Vec<f64>,
}

impl LnDensity for KidScore {
    fn dimension(&self) -> usize {
        3
    }

    fn ln_density(&self, point: &[f64]) -> f64 {
        let &[intercept, slope, ln_sigma] = point else { return f64::NAN };
        let sigma = ln_sigma.exp();
        let squares = |(score, mother): (&f64, &f64)| (score - intercept - slope * mother).powi(2);
        let sum: f64 = self.scores.iter().zip(&self.mothers).map(squares).sum();
        ln_cauchy(sigma, 2.5) + ln_sigma - self.scores.len() as f64 * ln_sigma - 0.5 * sum / (sigma * sigma)
    }
}

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
    let Some(summary) = read("reference_summary.json") else { return };
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
    let Some(data) = read("data/eight_schools.json") else { return };
    let target = EightSchools { seen: numbers(&data["y"]), errors: numbers(&data["sigma"]) };
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
    let Some(data) = read("data/kidiq.json") else { return };
    let target = KidScore { scores: numbers(&data["kid_score"]), mothers: numbers(&data["mom_iq"]) };
    let parameters: [Parameter<'_>; 3] =
        [("beta[1]".to_owned(), &|x| x[0]), ("beta[2]".to_owned(), &|x| x[1]), ("sigma".to_owned(), &|x| x[2].exp())];
    for (method, chains) in draw(&target, &[0.0, 1.0, 3.0], &[30.0, 0.3, 0.3]) {
        check("kidiq-kidscore_momiq", method, &chains, &parameters);
    }
}
