//! Intermittent androgen deprivation, leave one patient out: is the next cycle one of resistance, and how far ahead can PSA be foreseen?
//!
//! Each patient is forecast at the start of every cycle after the first from what was known by then, under the treatment that was really given, with a
//! prior that the other patients taught. Resistance is what the trial recorded: PSA rising under treatment, in the last cycle of a patient with
//! that outcome.

use crate::psa::{median, series};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use twin_calibrate::sample::Ensemble;
use twin_calibrate::{
    Calibrator, LogError, PopulationPrior, Prior, Problem, Sampled, Sampler, Search, Target, priors, sorted_quantile,
};
use twin_core::{Agent, Observable, Patient, Random, Time, Treatment};
use twin_io::Limits;
use twin_io::table::{Mapping, read_table};
use twin_models::{Scenario, clones};

/// How far the correlations among earlier patients are drawn towards none: there are 36 patients for 36 numbers.
const SHRINKAGE: f64 = 0.5;
/// Days from the start of a cycle to the visit at which its outcome is judged: 32 weeks, as in the trial.
const JUDGED: f64 = 224.0;
/// PSA in ng/mL above which treatment has failed by then, as in the trial.
const FAILED: f64 = 4.0;

/// A PSA that was forecast.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Days from the forecast.
    pub ahead: f64,
    /// What was seen, ng/mL.
    pub seen: f64,
    /// The 5, 50 and 95 % quantiles of the forecast.
    pub forecast: [f64; 3],
    /// The last value before, carried forward.
    pub carried: f64,
}

/// One cycle of one patient, forecast at its start.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// The patient.
    pub subject: String,
    /// Its number, from 2.
    pub number: usize,
    /// Whether the trial recorded resistance in it.
    pub resistant: bool,
    /// The probability, as forecast, that PSA lies above the limit of failure when the cycle is judged.
    pub probability: f64,
    /// The lowest PSA of the cycle before, what one would go by without a model.
    pub last_nadir: f64,
    /// Every PSA of the cycle.
    pub points: Vec<Point>,
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// When treatment was switched on, from the first cycle to the last.
fn starts(patient: &Patient, drug: &Agent) -> Vec<Time> {
    let (mut on, mut starts) = (false, Vec::new());
    for given in patient.timeline.treatments() {
        if let Treatment::Continuous { agent, intensity } = &given.treatment
            && agent == drug
        {
            let now_on = intensity.value() > 0.0;
            if now_on && !on {
                starts.push(given.time);
            }
            on = now_on;
        }
    }
    starts
}

/// The best parameters of each patient from all of the patient's readings.
fn individuals(patients: &[Patient], drug: &Agent) -> Result<Vec<Vec<f64>>, String> {
    let (model, error) = (clones::sensitive_resistant(drug.clone()), LogError::new(0.3, priors::PSA_OFFSET));
    let one = |(index, patient): (usize, &Patient)| {
        let first = series(patient).first().map_or(1.0, |(_, psa)| psa.max(priors::PSA_OFFSET));
        let prior = priors::psa_sensitive_resistant(first).map_err(words)?;
        let problem = Problem::new(&model, patient, &prior, Observable::PSA, &error).map_err(words)?;
        let problem = problem.weighted(priors::MONTHLY_PSA_WEIGHT);
        let target = Target::new(&problem).map_err(words)?;
        let fits = Search::default().run(&target, &Random::new(2010).stream(index as u64), &()).map_err(words)?;
        Ok(target.parameters_at(&fits.best().ok_or("no fit")?.point))
    };
    let all: Vec<Result<Vec<f64>, String>> = patients.par_iter().enumerate().map(one).collect();
    all.into_iter().collect()
}

/// The forecast of cycle `number` of `patient`, from `cut` to `end`.
fn forecast(
    patient: &Patient,
    prior: &dyn Prior,
    drug: &Agent,
    (number, cut, end): (usize, Time, Time),
    random: &mut Random,
) -> Result<Cycle, String> {
    let known = patient.until(cut);
    let all = series(patient);
    let past: Vec<f64> = all.iter().filter(|(time, _)| *time <= cut).map(|(_, psa)| *psa).collect();
    let later: Vec<(Time, f64)> = all.iter().filter(|(time, _)| *time > cut && *time <= end).copied().collect();
    let (model, error) = (clones::sensitive_resistant(drug.clone()), LogError::new(0.3, priors::PSA_OFFSET));
    let problem = Problem::new(&model, &known, prior, Observable::PSA, &error).map_err(words)?;
    let problem = problem.weighted(priors::MONTHLY_PSA_WEIGHT);
    let search = Search { starts: 6, polished: 2, ..Search::default() };
    let ensemble = Ensemble { groups: 2, walkers: 20, warmup: 250, draws: 150, ..Ensemble::default() };
    let method = Sampled { search, sampler: Sampler::Ensemble(ensemble), rounds: 2, ..Sampled::default() };
    let posterior = method.calibrate(&problem, random).map_err(words)?;
    // Judged after 32 weeks of treatment without a pause, whatever came.
    let judged = Time::from_days(cut.days() + JUDGED).map_err(words)?;
    let until_cut: Vec<_> = patient.timeline.treatments().into_iter().filter(|given| given.time <= cut).collect();
    let on = Scenario::starting(problem.start).treated(until_cut).sampled([judged]);
    let judged = posterior.predict(&model, &on, &Observable::PSA, &error, 1000, random).map_err(words)?;
    let probabilities: Vec<f64> = (1..200).map(|k| f64::from(k) / 200.0).collect();
    let below =
        probabilities.iter().filter(|p| judged.expected_quantiles([**p]).first().is_some_and(|[value]| *value < FAILED)).count();
    let probability = 1.0 - below as f64 / probabilities.len() as f64;
    let times = later.iter().map(|(time, _)| *time);
    let real = Scenario::starting(problem.start).treated(patient.timeline.treatments()).sampled(times);
    let points = if later.is_empty() {
        Vec::new()
    } else {
        let seen = posterior.predict(&model, &real, &Observable::PSA, &error, 1000, random).map_err(words)?;
        let point = |((time, psa), forecast): (&(Time, f64), [f64; 3])| Point {
            ahead: time.days() - cut.days(),
            seen: *psa,
            forecast,
            carried: past.last().copied().unwrap_or(f64::NAN),
        };
        later.iter().zip(seen.observed_quantiles([0.05, 0.5, 0.95])).map(point).collect()
    };
    let subject = patient.id.as_str().to_owned();
    Ok(Cycle { subject, number, resistant: false, probability, last_nadir: f64::NAN, points })
}

/// Every cycle after the first of every patient, forecast from its past and the other patients; `None` if the data are absent. Computed once.
///
/// # Errors
/// In words.
pub fn cycles(test: &str) -> Result<Option<Vec<Cycle>>, String> {
    static CYCLES: OnceLock<Result<Option<Vec<Cycle>>, String>> = OnceLock::new();
    CYCLES.get_or_init(|| make(test)).clone()
}

fn make(test: &str) -> Result<Option<Vec<Cycle>>, String> {
    let folder = "data/iadt_psa_bruchovsky";
    let (Some(file), Some(outcomes)) =
        (crate::data(test, &format!("{folder}/psa.csv")), crate::data(test, &format!("{folder}/outcome.csv")))
    else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(outcomes).map_err(words)?;
    let outcomes: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(',')).collect();
    let drug = Agent::new("androgen deprivation").map_err(words)?;
    let mapping = Mapping::intermittent_androgen_deprivation().map_err(words)?;
    let patients = read_table(file, &mapping, &Limits::default()).map_err(words)?;
    let fits = individuals(&patients, &drug)?;
    let model_prior = priors::psa_sensitive_resistant(1.0).map_err(words)?;
    let root = Random::new(2020);
    let one = |(index, patient): (usize, &Patient)| {
        let others: Vec<Vec<f64>> =
            fits.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, fit)| fit.clone()).collect();
        let (names, transforms) = (model_prior.names().to_vec(), model_prior.transforms().to_vec());
        let prior = PopulationPrior::from_individuals(names, transforms, &others, SHRINKAGE).map_err(words)?;
        let (starts, all) = (starts(patient, &drug), series(patient));
        let last = all.last().map_or(Time::ORIGIN, |(time, _)| *time);
        let relapsed = outcomes.get(patient.id.as_str()).is_some_and(|outcome| *outcome == "relapse");
        let mut random = root.stream(index as u64);
        let mut cycles = Vec::new();
        for (place, &cut) in starts.iter().enumerate().skip(1) {
            let end = starts.get(place + 1).copied().unwrap_or(last);
            let mut cycle = forecast(patient, &prior, &drug, (place + 1, cut, end), &mut random)?;
            let before = starts.get(place - 1).copied().unwrap_or(Time::ORIGIN);
            let nadir = all.iter().filter(|(time, _)| *time >= before && *time < cut).map(|(_, psa)| *psa);
            cycle.last_nadir = nadir.fold(f64::INFINITY, f64::min);
            cycle.resistant = relapsed && place + 1 == starts.len();
            cycles.push(cycle);
        }
        Ok(cycles)
    };
    let all: Vec<Result<Vec<Cycle>, String>> = patients.par_iter().enumerate().map(one).collect();
    Ok(Some(all.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()))
}

/// How a rule sorted cycles into those of resistance and others.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sorted {
    /// Resistant and called so.
    pub hits: usize,
    /// Resistant and not called so.
    pub misses: usize,
    /// Called resistant and not.
    pub alarms: usize,
    /// Neither.
    pub passes: usize,
}

impl Sorted {
    /// The share that was sorted right.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        (self.hits + self.passes) as f64 / (self.hits + self.misses + self.alarms + self.passes) as f64
    }

    /// The share of resistant cycles that were called so.
    #[must_use]
    pub fn sensitivity(&self) -> f64 {
        self.hits as f64 / (self.hits + self.misses) as f64
    }

    /// The share of other cycles that were not called resistant.
    #[must_use]
    pub fn specificity(&self) -> f64 {
        self.passes as f64 / (self.passes + self.alarms) as f64
    }

    fn take(&mut self, called: bool, resistant: bool) {
        match (called, resistant) {
            (true, true) => self.hits += 1,
            (false, true) => self.misses += 1,
            (true, false) => self.alarms += 1,
            (false, false) => self.passes += 1,
        }
    }
}

/// Sorts every cycle by whether `of` it lies above the bound that sorts the cycles of all other patients best: sensitivity and specificity together,
/// the middle of the bounds that do so equally.
#[must_use]
pub fn sort(cycles: &[Cycle], of: fn(&Cycle) -> f64) -> Sorted {
    let mut sorted = Sorted::default();
    for cycle in cycles {
        let others: Vec<&Cycle> = cycles.iter().filter(|other| other.subject != cycle.subject).collect();
        let mut values: Vec<f64> = others.iter().map(|other| of(other)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let bounds: Vec<f64> = values.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        let youden = |bound: f64| {
            let mut sorted = Sorted::default();
            others.iter().for_each(|other| sorted.take(of(other) > bound, other.resistant));
            sorted.sensitivity() + sorted.specificity()
        };
        let scores: Vec<f64> = bounds.iter().map(|bound| youden(*bound)).collect();
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let equal: Vec<f64> =
            bounds.iter().zip(&scores).filter(|(_, score)| **score >= best - 1e-12).map(|(bound, _)| *bound).collect();
        sorted.take(of(cycle) > sorted_quantile(&equal, 0.5), cycle.resistant);
    }
    sorted
}

/// The area under the curve of sensitivity over false alarms: the probability that a resistant cycle has the higher value.
#[must_use]
pub fn area(cycles: &[Cycle], of: fn(&Cycle) -> f64) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for resistant in cycles.iter().filter(|cycle| cycle.resistant) {
        for other in cycles.iter().filter(|cycle| !cycle.resistant) {
            pairs += 1.0;
            won += if of(resistant) > of(other) {
                1.0
            } else if of(resistant) < of(other) {
                0.0
            } else {
                0.5
            };
        }
    }
    won / pairs
}

/// What forecasts came to at one horizon.
#[derive(Debug, Clone, Copy)]
pub struct Skill {
    /// How many readings there are.
    pub points: usize,
    /// The median error of log10(PSA + 0.1) of the median forecast.
    pub error: f64,
    /// The same of the last value carried forward.
    pub carried: f64,
    /// The share of readings in the 90 % interval.
    pub coverage: f64,
}

/// The skill between two horizons in days, the second included.
#[must_use]
pub fn skill(cycles: &[Cycle], from: f64, to: f64) -> Skill {
    let points: Vec<&Point> =
        cycles.iter().flat_map(|cycle| &cycle.points).filter(|point| point.ahead > from && point.ahead <= to).collect();
    let off = |value: f64, seen: f64| ((value + 0.1).log10() - (seen + 0.1).log10()).abs();
    let covered = points.iter().filter(|point| point.forecast[0] <= point.seen && point.seen <= point.forecast[2]).count();
    Skill {
        points: points.len(),
        error: median(points.iter().map(|point| off(point.forecast[1], point.seen)).collect()),
        carried: median(points.iter().map(|point| off(point.carried, point.seen)).collect()),
        coverage: covered as f64 / points.len() as f64,
    }
}
