//! Forecasts of real PSA series, held against the last value carried forward.

use rayon::prelude::*;
use twin_calibrate::{Calibrator, LogError, Posterior, Problem, Sampled, priors};
use twin_core::{Agent, Observable, Patient, Random, Time, Treatment};
use twin_io::Limits;
use twin_io::table::{Mapping, read_table};
use twin_models::{Scenario, clones};

/// What a forecast of one patient came to.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The patient.
    pub subject: String,
    /// How many readings were explained.
    pub fitted: usize,
    /// The forecast points.
    pub points: Vec<Point>,
    /// Whether the posterior passed its diagnosis.
    pub sound: bool,
}

/// One forecast point.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// When, in days.
    pub day: f64,
    /// What was observed, ng/mL.
    pub observed: f64,
    /// The median of the forecast.
    pub median: f64,
    /// The 5 % quantile of the forecast, the error of observation included.
    pub low: f64,
    /// The 95 % quantile.
    pub high: f64,
    /// The last value before the forecast, carried forward.
    pub carried: f64,
}

impl Point {
    /// Whether the 90 % interval covers the observation.
    #[must_use]
    pub fn covered(&self) -> bool {
        self.low <= self.observed && self.observed <= self.high
    }
}

/// The median of `values`; NaN without any.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    twin_calibrate::sorted_quantile(&values, 0.5)
}

/// Sums over all points of many forecasts.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    /// How many points there are.
    pub points: usize,
    /// The share of points that their 90 % interval covers.
    pub coverage: f64,
    /// The median absolute error of log10(PSA + 0.1) of the median forecast.
    pub error: f64,
    /// The same of the last value carried forward.
    pub carried_error: f64,
}

/// The score of all points of `forecasts` together.
#[must_use]
pub fn score<'a>(forecasts: impl IntoIterator<Item = &'a Forecast>) -> Score {
    let points: Vec<Point> = forecasts.into_iter().flat_map(|forecast| forecast.points.iter().copied()).collect();
    let off = |value: f64, point: &Point| ((value + 0.1).log10() - (point.observed + 0.1).log10()).abs();
    let covered = points.iter().filter(|point| point.covered()).count();
    Score {
        points: points.len(),
        coverage: covered as f64 / points.len() as f64,
        error: median(points.iter().map(|point| off(point.median, point)).collect()),
        carried_error: median(points.iter().map(|point| off(point.carried, point)).collect()),
    }
}

/// The PSA of `patient`: days and ng/mL.
#[must_use]
pub fn series(patient: &Patient) -> Vec<(Time, f64)> {
    let seen = patient.timeline.observations_of(&Observable::PSA);
    seen.filter_map(|(time, observation)| Some((time, observation.finding.quantity()?.value()))).collect()
}

/// Fits `known` (the patient's past) and forecasts every later PSA of `patient` under the treatment that was really given.
fn forecast(patient: &Patient, cut: Time, drug: &Agent, random: &mut Random) -> Result<Forecast, String> {
    let words = |error: twin_calibrate::CalibrationError| error.to_string();
    let known = patient.until(cut);
    let all = series(patient);
    let past: Vec<_> = all.iter().filter(|(time, _)| *time <= cut).collect();
    let later: Vec<_> = all.iter().filter(|(time, _)| *time > cut).copied().collect();
    let (Some((_, first)), Some((_, last))) = (past.first(), past.last()) else {
        return Err("no PSA before the forecast".to_owned());
    };
    let model = clones::sensitive_resistant(drug.clone());
    let prior = priors::psa_sensitive_resistant(first.max(priors::PSA_OFFSET)).map_err(words)?;
    let error = LogError::new(0.3, priors::PSA_OFFSET);
    let problem = Problem::new(&model, &known, &prior, Observable::PSA, &error).map_err(words)?;
    let problem = problem.weighted(priors::MONTHLY_PSA_WEIGHT);
    let posterior: Posterior = Sampled::default().calibrate(&problem, random).map_err(words)?;
    let scenario =
        Scenario::starting(problem.start).treated(patient.timeline.treatments()).sampled(later.iter().map(|(time, _)| *time));
    let prediction = posterior.predict(&model, &scenario, &Observable::PSA, &error, 1000, random).map_err(words)?;
    let quantiles = prediction.observed_quantiles([0.05, 0.5, 0.95]);
    let point = |((time, observed), [low, median, high]): (&(Time, f64), &[f64; 3])| Point {
        day: time.days(),
        observed: *observed,
        median: *median,
        low: *low,
        high: *high,
        carried: *last,
    };
    Ok(Forecast {
        subject: patient.id.as_str().to_owned(),
        fitted: past.len(),
        points: later.iter().zip(&quantiles).map(point).collect(),
        sound: posterior.record.is_sound(),
    })
}

/// When `drug` was switched off for the second time: the end of a cycle and a half.
fn second_stop(patient: &Patient, drug: &Agent) -> Option<Time> {
    let (mut on, mut stops) = (false, 0);
    for given in patient.timeline.treatments() {
        if let Treatment::Continuous { agent, intensity } = &given.treatment
            && agent == drug
        {
            let now_on = intensity.value() > 0.0;
            stops += usize::from(on && !now_on);
            on = now_on;
            if stops == 2 {
                return Some(given.time);
            }
        }
    }
    None
}

/// Forecasts `patients`, each with its own stream, in parallel; a patient without a cut or without anything to forecast is left out.
fn forecast_all(patients: &[(Patient, Option<Time>)], drug: &Agent, seed: u64) -> Result<Vec<Forecast>, String> {
    let root = Random::new(seed);
    let one = |(index, (patient, cut)): (usize, &(Patient, Option<Time>))| {
        let cut = (*cut)?;
        let ahead = series(patient).iter().any(|(time, _)| *time > cut);
        ahead.then(|| forecast(patient, cut, drug, &mut root.stream(index as u64)))
    };
    patients.par_iter().enumerate().filter_map(one).collect()
}

/// The 37 patients under intermittent androgen deprivation: fitted up to and including the visit at which the drug was stopped for the
/// second time, the rest forecast. `None` if the data are absent.
///
/// # Errors
/// What went wrong, in words.
pub fn intermittent(test: &str) -> Result<Option<Vec<Forecast>>, String> {
    let Some(file) = crate::data(test, "data/iadt_psa_bruchovsky/psa.csv") else { return Ok(None) };
    let mapping = Mapping::intermittent_androgen_deprivation().map_err(|error| error.to_string())?;
    let drug = Agent::new("androgen deprivation").map_err(|error| error.to_string())?;
    let patients = read_table(file, &mapping, &Limits::default()).map_err(|error| error.to_string())?;
    let cut = |patient: Patient| {
        let stop = second_stop(&patient, &drug);
        (patient, stop)
    };
    forecast_all(&patients.into_iter().map(cut).collect::<Vec<_>>(), &drug, 2006).map(Some)
}

/// The four patients under abiraterone: fitted on the first 60 % of their PSA visits, the rest forecast. `None` if the data are absent.
///
/// # Errors
/// What went wrong, in words.
pub fn abiraterone(test: &str) -> Result<Option<Vec<Forecast>>, String> {
    let Some(file) = crate::data(test, "data/adaptive_abiraterone_zhang2022/psa.csv") else { return Ok(None) };
    let mapping = Mapping::abiraterone().map_err(|error| error.to_string())?;
    let drug = Agent::new("abiraterone").map_err(|error| error.to_string())?;
    let patients = read_table(file, &mapping, &Limits::default()).map_err(|error| error.to_string())?;
    let cut = |patient: Patient| {
        let seen = series(&patient);
        let last = (seen.len() * 6 / 10).checked_sub(1).and_then(|index| seen.get(index)).map(|(time, _)| *time);
        (patient, last)
    };
    forecast_all(&patients.into_iter().map(cut).collect::<Vec<_>>(), &drug, 2022).map(Some)
}
