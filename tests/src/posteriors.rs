//! The reference posteriors of posteriordb, drawn from through the public interface with one setting for all.
//!
//! Source: Magnusson, Torgander, Bürkner, Zhang, Carpenter and Vehtari, posteriordb, <https://github.com/stan-dev/posteriordb>; the
//! summaries are of 10 chains of 1000 draws each.

use serde_json::Value;
use std::sync::Arc;
use twin_calibrate::diagnostics::{Diagnosis, Draws, Thresholds, mean, quantile, standard_deviation};
use twin_calibrate::sample::{Chains, Gradient, LnDensity, Nuts};
use twin_calibrate::{CalibrationError, IndependentPrior, LogError, Marginal, Problem, Target};
use twin_core::{Event, Finding, Observable, Observation, Patient, Provenance, Quantity, Random, SubjectId, Time};
use twin_models::{Dynamics, Exposure, ModelSpec, Ode, Scalar, Source, parameters};

/// The names in the reference.
pub const POSTERIORS: [&str; 3] =
    ["eight_schools-eight_schools_noncentered", "kidiq-kidscore_momiq", "one_comp_mm_elim_abs-one_comp_mm_elim_abs"];

/// A file of the reference; `None` if it is absent.
///
/// # Errors
/// In words.
pub fn read(test: &str, name: &str) -> Result<Option<Value>, String> {
    let Some(path) = crate::data(test, &format!("reference/posteriordb/{name}")) else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(words)?;
    serde_json::from_str(&text).map(Some).map_err(words)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The numbers of a field of `value`.
#[must_use]
pub fn numbers(value: &Value, field: &str) -> Vec<f64> {
    value.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// The logarithm of the Cauchy density around 0, up to a constant.
fn ln_cauchy(x: f64, scale: f64) -> f64 {
    -(x / scale).powi(2).ln_1p()
}

/// The derivative of the logarithm of a half-Cauchy density of `x` by `ln x`, that of the volume included.
fn cauchy_slope(x: f64, scale: f64) -> f64 {
    let square = (x / scale).powi(2);
    1.0 - 2.0 * square / (1.0 + square)
}

/// Rubin's eight schools, not centered: `mu`, `ln tau`, and the schools' effects in units of `tau`.
#[derive(Debug)]
pub struct EightSchools {
    /// The estimated effect of each school.
    pub seen: Vec<f64>,
    /// Its standard error.
    pub errors: Vec<f64>,
}

impl LnDensity for EightSchools {
    fn dimension(&self) -> usize {
        10
    }

    fn ln_density(&self, point: &[f64]) -> f64 {
        self.ln_density_and_gradient(point, &mut [0.0; 10])
    }

    fn gradient(&self) -> Option<&dyn Gradient> {
        Some(self)
    }
}

impl Gradient for EightSchools {
    fn ln_density_and_gradient(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let ([mu, ln_tau, effects @ ..], [by_mu, by_tau, by_effects @ ..]) = (point, gradient) else { return f64::NAN };
        let tau = ln_tau.exp();
        (*by_mu, *by_tau) = (-mu / 25.0, cauchy_slope(tau, 5.0));
        let mut sum = -0.5 * (mu / 5.0).powi(2) + ln_cauchy(tau, 5.0) + ln_tau;
        for (((effect, seen), error), by_effect) in effects.iter().zip(&self.seen).zip(&self.errors).zip(by_effects) {
            let off = (seen - mu - tau * effect) / error;
            sum -= 0.5 * (effect * effect + off * off);
            *by_mu += off / error;
            *by_tau += off / error * tau * effect;
            *by_effect = off / error * tau - effect;
        }
        sum
    }
}

/// A child's score by its mother's, a straight line: intercept, slope, `ln sigma`.
#[derive(Debug)]
pub struct KidScore {
    /// The children's scores.
    pub scores: Vec<f64>,
    /// Their mothers'.
    pub mothers: Vec<f64>,
}

impl LnDensity for KidScore {
    fn dimension(&self) -> usize {
        3
    }

    fn ln_density(&self, point: &[f64]) -> f64 {
        self.ln_density_and_gradient(point, &mut [0.0; 3])
    }

    fn gradient(&self) -> Option<&dyn Gradient> {
        Some(self)
    }
}

impl Gradient for KidScore {
    fn ln_density_and_gradient(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let &[intercept, slope, ln_sigma] = point else { return f64::NAN };
        let (sigma, count) = (ln_sigma.exp(), self.scores.len() as f64);
        let variance = sigma * sigma;
        let (mut sum, mut cross, mut squares) = (0.0, 0.0, 0.0);
        for (score, mother) in self.scores.iter().zip(&self.mothers) {
            let off = score - intercept - slope * mother;
            sum += off;
            cross += off * mother;
            squares += off * off;
        }
        gradient.copy_from_slice(&[sum / variance, cross / variance, cauchy_slope(sigma, 2.5) - count + squares / variance]);
        ln_cauchy(sigma, 2.5) + ln_sigma - count * ln_sigma - 0.5 * squares / variance
    }
}

const STAN: Source = Source::published("posteriordb, one_comp_mm_elim_abs");

parameters! {
    /// Parameters of [`Saturable`].
    pub struct SaturableParameters {
        k_a: "/d" in 1e-12..=1e12, default 1.0, "Rate of absorption", STAN;
        k_m: "mg/L" in 1e-12..=1e12, default 1.0, "Concentration of half the elimination", STAN;
        v_m: "mg/d" in 1e-12..=1e12, default 1.0, "Greatest elimination", STAN;
    }
}

/// One compartment with absorption of first order and elimination that saturates, from a dose at the start.
#[derive(Debug, Clone)]
pub struct Saturable {
    spec: Arc<ModelSpec>,
    dose: f64,
    volume: f64,
}

impl Dynamics for Saturable {
    type State = [f64; 1];
    type Parameters = SaturableParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &SaturableParameters<T>) -> [T; 1] {
        [T::from(0.0)]
    }

    fn rates<T: Scalar>(&self, t: T, x: &[T; 1], _exposure: &Exposure<T>, p: &SaturableParameters<T>, dx: &mut [T; 1]) {
        dx[0] = (-p.k_a * t).exp() * p.k_a * (self.dose / self.volume) - p.v_m * x[0] / (p.k_m + x[0]) / self.volume;
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], _p: &SaturableParameters<T>, y: &mut [T]) {
        y[0] = x[0];
    }
}

/// The parts of the problem of Michaelis and Menten's elimination.
#[derive(Debug)]
pub struct Elimination {
    model: Ode<Saturable>,
    patient: Patient,
    prior: IndependentPrior,
    error: LogError,
    seen: Observable,
}

impl Elimination {
    /// The parts, from the data of the reference.
    ///
    /// # Errors
    /// In words.
    pub fn new(data: &Value) -> Result<Self, String> {
        let number = |field: &str| data.get(field).and_then(Value::as_f64).ok_or_else(|| format!("no {field}"));
        let seen = Observable::new("concentration").map_err(words)?;
        let spec = ModelSpec::new::<SaturableParameters>("saturable", "Saturable elimination", STAN)
            .state("concentration", "mg/L", 1e-9)
            .observes(seen.clone(), "mg/L");
        let model = Ode::new(Saturable { spec: Arc::new(spec), dose: number("D")?, volume: number("V")? });
        let mut patient = Patient::new(SubjectId::new("posteriordb").map_err(words)?);
        for (time, value) in numbers(data, "times").into_iter().zip(numbers(data, "C_hat")) {
            let finding = Finding::measured(Quantity::new(value, "mg/L").map_err(words)?);
            let event = Event::Observation(Observation::new(seen.clone(), finding));
            patient.timeline.record(Time::from_days(time).map_err(words)?, event, Provenance::measured("posteriordb"));
        }
        let one = Marginal::HalfCauchy { scale: 1.0 };
        let prior = IndependentPrior::new([("k_a", one), ("k_m", one), ("v_m", one), ("log_error", one)]).map_err(words)?;
        Ok(Self { model, patient, prior, error: LogError::new(0.2, 0.0), seen })
    }

    /// The problem.
    ///
    /// # Errors
    /// As [`Problem::new`].
    pub fn problem(&self) -> Result<Problem<'_>, CalibrationError> {
        let mut problem = Problem::new(&self.model, &self.patient, &self.prior, self.seen.clone(), &self.error)?;
        problem.start = Time::ORIGIN;
        Ok(problem)
    }
}

/// The setting for all: identity metric and starts between -2 and 2 on the real line, as Stan begins, and so many draws that the noise of the outer
/// quantiles is well below a tenth of a standard deviation.
#[must_use]
pub fn setting(dimension: usize) -> Nuts {
    Nuts { warmup: 1000, draws: 8000, acceptance: 0.95, scales: Some(vec![1.0; dimension]), ..Nuts::default() }
}

/// Four chains of `target`.
///
/// # Errors
/// As [`Nuts::run`].
pub fn draw(target: &dyn LnDensity) -> Result<Chains, CalibrationError> {
    let mut random = Random::new(2021);
    let starts: Vec<Vec<f64>> = (0..4).map(|_| (0..target.dimension()).map(|_| 4.0 * random.uniform() - 2.0).collect()).collect();
    setting(target.dimension()).run(target, &starts, &Random::new(1), &())
}

/// A parameter's name in the reference, and its value at a draw.
pub type Parameter = (String, Box<dyn Fn(&[f64]) -> f64>);

/// The parameters of a reference, by its name.
#[must_use]
pub fn parameters_of(posterior: &str) -> Vec<Parameter> {
    let named = |name: &str, of: fn(&[f64]) -> f64| -> Parameter { (name.to_owned(), Box::new(of)) };
    match posterior {
        "eight_schools-eight_schools_noncentered" => {
            let mut all = vec![named("mu", |x| x[0]), named("tau", |x| x[1].exp())];
            all.extend(
                (0..8).map(|j| -> Parameter {
                    (format!("theta[{}]", j + 1), Box::new(move |x: &[f64]| x[0] + x[1].exp() * x[2 + j]))
                }),
            );
            all
        }
        "kidiq-kidscore_momiq" => {
            vec![named("beta[1]", |x| x[0]), named("beta[2]", |x| x[1]), named("sigma", |x| x[2].exp())]
        }
        _ => vec![
            named("k_a", |x| x[0].exp()),
            named("K_m", |x| x[1].exp()),
            named("V_m", |x| x[2].exp()),
            named("sigma", |x| x[3].exp()),
        ],
    }
}

/// How chains compare with a reference: the worst over all parameters.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// The largest distance of a mean in standard deviations. Of a heavy-tailed parameter that of the logarithms of its 5, 25, 50, 75 and 95 %
    /// quantiles, in standard deviations of a normal distribution as wide as the logarithms of the outer two.
    pub shift: f64,
    /// The largest distance from 1 of a ratio of standard deviations; of a heavy-tailed parameter of a ratio of the distances of these outer two.
    pub spread: f64,
    /// The largest R-hat.
    pub r_hat: f64,
    /// The least effective number of draws, of bulk and tails.
    pub effective: f64,
    /// Trajectories that ran off.
    pub divergences: usize,
    /// Whether the chains call themselves good, at the published thresholds.
    pub good: bool,
}

/// Compares `chains` with the reference of that name.
///
/// # Errors
/// In words.
pub fn compare(summary: &Value, posterior: &str, chains: &Chains) -> Result<Comparison, String> {
    let good = chains.diagnose(Thresholds::default()).is_good();
    let mut worst =
        Comparison { shift: 0.0, spread: 0.0, r_hat: 0.0, effective: f64::INFINITY, divergences: chains.divergences(), good };
    for (name, parameter) in parameters_of(posterior) {
        let values: Vec<f64> = chains.points().map(parameter).collect();
        let members = chains.chains() / chains.groups();
        let draws = Draws::grouped(&values, chains.groups(), members).map_err(words)?;
        let reference = |what: &str| {
            let place = summary.get(posterior).and_then(|p| p.get("params")?.get(&name)?.get(what)?.as_f64());
            place.ok_or_else(|| format!("no {what} of {name} in {posterior}"))
        };
        // The tails of these are so heavy that ten thousand draws do not tell their moments.
        let (shift, ratio) = if ["K_m", "V_m"].contains(&name.as_str()) {
            let ours = |p: f64| quantile(&draws, p).ln();
            let places = [(0.05, "q05"), (0.25, "q25"), (0.5, "q50"), (0.75, "q75"), (0.95, "q95")];
            let theirs = places.iter().map(|(_, what)| reference(what).map(f64::ln)).collect::<Result<Vec<f64>, _>>()?;
            let width =
                theirs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - theirs.iter().copied().fold(f64::INFINITY, f64::min);
            let off = places.iter().zip(&theirs).map(|((p, _), theirs)| (ours(*p) - theirs).abs() / (width / (2.0 * 1.645)));
            (off.fold(0.0, f64::max), (ours(0.95) - ours(0.05)) / width)
        } else {
            ((mean(&draws) - reference("mean")?) / reference("sd")?, standard_deviation(&draws) / reference("sd")?)
        };
        let verdict = Diagnosis::of([draws], Thresholds::default());
        let Some(measures) = verdict.coordinates().first() else { continue };
        worst.shift = worst.shift.max(shift.abs());
        worst.spread = worst.spread.max((ratio - 1.0).abs());
        worst.r_hat = worst.r_hat.max(measures.r_hat);
        worst.effective = worst.effective.min(measures.bulk_ess).min(measures.tail_ess);
    }
    Ok(worst)
}

/// Draws from the reference of that name and compares; `None` if the data are absent.
///
/// # Errors
/// In words.
pub fn judge(posterior: &str) -> Result<Option<Comparison>, String> {
    let file = posterior.split('-').next().unwrap_or_default();
    let (Some(summary), Some(data)) =
        (read("posterior", "reference_summary.json")?, read("posterior", &format!("data/{file}.json"))?)
    else {
        return Ok(None);
    };
    let chains = match file {
        "eight_schools" => draw(&EightSchools { seen: numbers(&data, "y"), errors: numbers(&data, "sigma") }),
        "kidiq" => draw(&KidScore { scores: numbers(&data, "kid_score"), mothers: numbers(&data, "mom_iq") }),
        _ => {
            let elimination = Elimination::new(&data)?;
            let problem = elimination.problem().map_err(words)?;
            draw(&Target::new(&problem).map_err(words)?)
        }
    };
    compare(&summary, posterior, &chains.map_err(words)?).map(Some)
}
