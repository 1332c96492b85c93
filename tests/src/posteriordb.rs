//! Posteriors of posteriordb, against its reference draws.
//!
//! Source: Magnusson, Torgander, Bürkner, Zhang, Carpenter and Vehtari, posteriordb, <https://github.com/stan-dev/posteriordb>; the
//! summaries are of 10 chains of 1000 draws each. Held to: means within 0.1 standard deviations, standard deviations within a tenth,
//! and a good verdict of the draws themselves.

use crate::posteriors::{EightSchools, KidScore};
use serde_json::Value;
use std::sync::OnceLock;
use twin_calibrate::diagnostics::{Draws, Thresholds, mean, standard_deviation};
use twin_calibrate::sample::{AdaptiveMetropolis, Chains, Ensemble, LnDensity};
use twin_core::Random;

/// A file of the reference; `None`, after saying so, where the data are not at hand.
fn read(name: &str) -> Result<Option<Value>, String> {
    let Some(path) = crate::data("posteriordb", &format!("reference/posteriordb/{name}")) else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map(Some).map_err(|error| error.to_string())
}

fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    let numbers = value.as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
    numbers.ok_or_else(|| "a list of numbers is missing".to_owned())
}

/// The samplers that are held to the reference.
pub const METHODS: [&str; 2] = ["ensemble", "metropolis"];

fn draw(target: &dyn LnDensity, center: &[f64], width: &[f64], method: &str) -> Result<Chains, String> {
    let mut random = Random::new(2021);
    let mut starts = |count: usize| -> Vec<Vec<f64>> {
        let mut start = |_| center.iter().zip(width).map(|(c, w)| c + w * random.normal()).collect();
        (0..count).map(&mut start).collect()
    };
    // Both take their starts from one stream, the ensemble first.
    let ensemble = Ensemble { warmup: 2000, draws: 3000, ..Ensemble::default() };
    let first = starts(ensemble.starts());
    let chains = if method == "ensemble" {
        ensemble.run(target, &first, &Random::new(1), &())
    } else {
        let metropolis = AdaptiveMetropolis { warmup: 20_000, draws: 5000, thin: 20, ..AdaptiveMetropolis::default() };
        metropolis.run(target, &starts(4), &Random::new(2), &())
    };
    chains.map_err(|error| error.to_string())
}

/// A parameter of the reference: its name, and its value at a draw.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name in the reference.
    pub name: &'static str,
    value: fn(&[f64]) -> f64,
}

/// A posterior of the reference, and how it is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The name of the posterior.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    draw: fn(&str) -> Result<Option<Chains>, String>,
}

macro_rules! schools {
    ($($number:literal),*) => { &[
        Parameter { name: "mu", value: |x| x[0] },
        Parameter { name: "tau", value: |x| x[1].exp() },
        $(Parameter { name: concat!("theta[", $number, "]"), value: |x| x[0] + x[1].exp() * x[1 + $number] }),*
    ] };
}

/// The posteriors that are held to their reference draws.
pub const POSTERIORS: [Reference; 2] = [
    Reference {
        name: "eight_schools-eight_schools_noncentered",
        parameters: schools!(1, 2, 3, 4, 5, 6, 7, 8),
        draw: |method| {
            let Some(data) = read("data/eight_schools.json")? else { return Ok(None) };
            let target = EightSchools { seen: numbers(&data["y"])?, errors: numbers(&data["sigma"])? };
            draw(&target, &[0.0; 10], &[3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], method).map(Some)
        },
    },
    Reference {
        name: "kidiq-kidscore_momiq",
        parameters: &[
            Parameter { name: "beta[1]", value: |x| x[0] },
            Parameter { name: "beta[2]", value: |x| x[1] },
            Parameter { name: "sigma", value: |x| x[2].exp() },
        ],
        draw: |method| {
            let Some(data) = read("data/kidiq.json")? else { return Ok(None) };
            let target = KidScore { scores: numbers(&data["kid_score"])?, mothers: numbers(&data["mom_iq"])? };
            draw(&target, &[0.0, 1.0, 3.0], &[30.0, 0.3, 0.3], method).map(Some)
        },
    },
];

/// For each parameter, distance of means and ratio of standard deviations; `None` where the data are absent.
type Agreement = Result<Option<Vec<[f64; 2]>>, String>;

/// For each parameter of a posterior, the distance of the means in standard deviations of the reference, and the ratio of the standard
/// deviations. Drawn once for each posterior and method, however often it is asked.
///
/// # Errors
/// In words, if the draws are not diagnosed as good, or a file is not as expected.
pub fn agreement(posterior: usize, method: usize) -> Result<Option<Vec<[f64; 2]>>, String> {
    static ONCE: [[OnceLock<Agreement>; 2]; 2] = [const { [const { OnceLock::new() }; 2] }; 2];
    let (Some(reference), Some(name)) = (POSTERIORS.get(posterior), METHODS.get(method)) else {
        return Err(format!("no posterior {posterior} or no method {method}"));
    };
    ONCE[posterior][method].get_or_init(|| compare(reference, name)).clone()
}

fn compare(posterior: &Reference, method: &str) -> Agreement {
    let (Some(summary), Some(chains)) = (read("reference_summary.json")?, (posterior.draw)(method)?) else { return Ok(None) };
    let verdict = chains.diagnose(Thresholds::default());
    if !verdict.is_good() {
        return Err(format!("{}, {method}: {:?}", posterior.name, verdict.concerns()));
    }
    let agreement = posterior.parameters.iter().map(|parameter| {
        let values: Vec<f64> = chains.points().map(parameter.value).collect();
        let draws = Draws::independent(&values, chains.chains()).map_err(|error| error.to_string())?;
        let params = &summary[posterior.name]["params"][parameter.name];
        let reference = |what: &str| params[what].as_f64().ok_or_else(|| format!("no {what} of {}", parameter.name));
        Ok([(mean(&draws) - reference("mean")?) / reference("sd")?, standard_deviation(&draws) / reference("sd")?])
    });
    agreement.collect::<Result<_, String>>().map(Some)
}
