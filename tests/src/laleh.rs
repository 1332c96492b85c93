//! Target lesions of three atezolizumab trials: Gompertz fits patient by patient, and forecasts from other patients in a like state.

use rayon::prelude::*;
use std::collections::BTreeMap;
use twin_calibrate::optimize::{LevenbergMarquardt, Residuals, multi_start};

/// The largest longest diameter of the five trials of the publication, in mm: its volumes are shares of that cube.
const LARGEST: f64 = 228.0;
/// The readings at the end of each series that are forecast.
const AHEAD: usize = 3;

/// The longest diameters of one patient with at least six readings.
#[derive(Debug, Clone)]
pub struct Series {
    /// The trial.
    pub trial: String,
    /// Days since the first treatment.
    pub days: Vec<f64>,
    /// Longest diameters in mm; 0 for what could not be seen or measured, as the publication has it.
    pub diameters: Vec<f64>,
}

/// The trial of one patient, the number of rows, and day and diameter of those that can be used.
type Rows = (String, usize, Vec<(f64, f64)>);

/// All series; `None` if the data are absent.
///
/// # Errors
/// In words.
pub fn series(test: &str) -> Result<Option<Vec<Series>>, String> {
    let Some(path) = crate::data(test, "data/laleh2022_target_lesions/target_lesions.csv") else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut patients: BTreeMap<String, Rows> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let &[trial, patient, _, day, diameter] = fields.as_slice() else { return Err(format!("not a row: {line}")) };
        let known = patients.entry(patient.to_owned()).or_insert_with(|| (trial.to_owned(), 0, Vec::new()));
        known.1 += 1;
        let (Ok(day), false) = (day.parse::<f64>(), diameter.is_empty()) else { continue };
        // Words say why there is no number; the publication reads them as 0.
        let diameter = match diameter {
            "NOT EVALUABLE" | "TOO SMALL TO MEASURE" => 0.0,
            number => number.parse().map_err(|_| format!("not a diameter: {number}"))?,
        };
        known.2.push((day, diameter));
    }
    let usable = patients.into_values().filter(|(_, rows, _)| *rows >= 6);
    let sorted = usable.map(|(trial, _, mut seen)| {
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (days, diameters) = seen.into_iter().unzip();
        Series { trial, days, diameters }
    });
    Ok(Some(sorted.collect()))
}

/// A Gompertz curve through volumes by weeks: `V0 exp(a/b (1 - exp(-b t)))`, at the point `(ln V0, a, ln b)`.
struct Gompertz {
    weeks: Vec<f64>,
    volumes: Vec<f64>,
}

impl Residuals for Gompertz {
    fn dimension(&self) -> usize {
        3
    }
    fn count(&self) -> usize {
        self.weeks.len()
    }
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
        let &[ln_volume, rate, ln_decay] = point else { return false };
        let decay = ln_decay.exp();
        for ((week, volume), residual) in self.weeks.iter().zip(&self.volumes).zip(residuals) {
            *residual = (ln_volume - rate / decay * (-decay * week).exp_m1()).exp() - volume;
        }
        true
    }
    fn typical(&self, coordinate: usize) -> f64 {
        [1.0, 0.01, 1.0].get(coordinate).copied().unwrap_or(1.0)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    twin_calibrate::sorted_quantile(&values, 0.5)
}

/// The median over the patients of `trial` of the share of variance that a Gompertz curve explains, fitted to all readings.
#[must_use]
pub fn gompertz_r2(series: &[Series], trial: &str) -> f64 {
    let one = |patient: &Series| {
        // The publication counts weeks from 1, and takes 0.1 for what lies before the first treatment.
        let week = |day: &f64| if *day > 0.0 { (day / 7.0).ceil() } else { 0.1 };
        let volumes: Vec<f64> = patient.diameters.iter().map(|d| (d / LARGEST).powi(3)).collect();
        let problem = Gompertz { weeks: patient.days.iter().map(week).collect(), volumes };
        let first = problem.volumes.iter().copied().find(|v| *v > 0.0).unwrap_or(1e-3).ln();
        let rates = [-0.3, -0.05, -0.01, 0.01, 0.05, 0.3];
        let starts: Vec<Vec<f64>> =
            rates.iter().flat_map(|rate| [0.01_f64, 0.1, 0.5].map(|decay| vec![first, *rate, decay.ln()])).collect();
        let search = LevenbergMarquardt { max_iterations: 200, ..LevenbergMarquardt::default() };
        let fits = multi_start(&starts, |start| search.minimize(&problem, start, &())).ok()?;
        let mean = problem.volumes.iter().sum::<f64>() / problem.volumes.len() as f64;
        let total: f64 = problem.volumes.iter().map(|v| (v - mean).powi(2)).sum();
        (total > 0.0).then(|| 1.0 - 2.0 * fits.best().map_or(f64::NAN, |fit| fit.cost) / total)
    };
    median(series.par_iter().filter(|patient| patient.trial == trial).filter_map(one).collect())
}

/// What forecasts of the last three readings of every patient came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The share of readings inside their 90 % interval.
    pub coverage: f64,
    /// The mean continuous ranked probability score of volumes, as shares of the patient's largest.
    pub crps: f64,
    /// The median over patients of the mean absolute error of volumes, as shares of the patient's largest.
    pub error: f64,
}

/// What is known of a patient before the forecast: the largest diameter, and the state on the way.
struct Known {
    largest: f64,
    last: f64,
    /// The last diameter, its last change, and the logarithm of the mean change, as shares of the largest.
    state: [f64; 3],
    /// The diameters to come.
    coming: Vec<f64>,
    /// The largest diameter of the whole series, for the scores alone.
    maximum: f64,
}

fn known(patient: &Series) -> Option<Known> {
    let cut = patient.diameters.len().checked_sub(AHEAD)?;
    let (past, coming) = patient.diameters.split_at(cut);
    let largest = past.iter().copied().fold(0.0, f64::max);
    let &[.., before, last] = past else { return None };
    if largest <= 0.0 {
        return None;
    }
    let changes: Vec<f64> = past.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let mean = changes.iter().sum::<f64>() / changes.len() as f64;
    // Two per cent of the largest diameter, so that a lesion that never changed has a logarithm.
    let state = [last / largest, (last - before) / largest, (mean / largest + 0.02).ln()];
    let maximum = coming.iter().copied().fold(largest, f64::max);
    Some(Known { largest, last, state, coming: coming.to_vec(), maximum })
}

/// A weighted sample in increasing order.
struct Sample(Vec<(f64, f64)>);

impl Sample {
    fn new(mut values: Vec<(f64, f64)>) -> Self {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        values.iter_mut().for_each(|(_, weight)| *weight /= total);
        Self(values)
    }

    /// The quantile by linear interpolation between the middles of the steps.
    fn quantile(&self, probability: f64) -> f64 {
        let (mut sum, mut before) = (0.0, None);
        for (value, weight) in &self.0 {
            let middle = sum + 0.5 * weight;
            if middle >= probability {
                let Some((low, at)) = before else { return *value };
                return low + (value - low) * (probability - at) / (middle - at);
            }
            sum += weight;
            before = Some((*value, middle));
        }
        before.map_or(f64::NAN, |(value, _)| value)
    }

    /// The continuous ranked probability score of `seen`: the integral of the squared distance of the distribution functions.
    fn crps(&self, seen: f64) -> f64 {
        let mut below = 0.0;
        let mut sum = 0.0;
        for pair in self.0.windows(2) {
            let ((from, weight), (to, _)) = (pair[0], pair[1]);
            below += weight;
            let left = (seen.clamp(from, to) - from) * below * below;
            sum += left + (to - seen.clamp(from, to)) * (1.0 - below) * (1.0 - below);
        }
        let (first, last) = (self.0.first().map_or(seen, |v| v.0), self.0.last().map_or(seen, |v| v.0));
        sum + (first - seen).max(0.0) + (seen - last).max(0.0)
    }
}

/// The volume `step` readings ahead of `patient`, as a share of `largest`: the later changes of `others`, weighted by how like their state
/// was, `widths` being the distance of each part of the state at which they begin to count less. Infinite widths count all alike.
fn ahead(patient: &Known, others: &[&Known], step: usize, widths: [f64; 3], largest: f64) -> Sample {
    let one = |other: &&Known| {
        let off = patient.state.iter().zip(&other.state).zip(widths).map(|((a, b), width)| ((a - b) / width).powi(2));
        // No one is left out altogether: a state that was never seen before has the whole population ahead.
        let weight = (-0.5 * off.sum::<f64>()).exp() + 1e-3;
        let change = (other.coming[step] - other.last) / other.largest;
        (((patient.last + patient.largest * change).max(0.0) / largest).powi(3), weight)
    };
    Sample::new(others.iter().map(one).collect())
}

/// The scale of each part of the state among `patients`.
fn spreads(patients: &[&Known]) -> [f64; 3] {
    let count = patients.len() as f64;
    [0, 1, 2].map(|part: usize| {
        let mean = patients.iter().map(|p| p.state[part]).sum::<f64>() / count;
        (patients.iter().map(|p| (p.state[part] - mean).powi(2)).sum::<f64>() / count).sqrt()
    })
}

/// The mean score of forecasts of `patients` from each other, at widths of so many standard deviations of the state.
fn among(patients: &[&Known], width: f64) -> f64 {
    let widths = spreads(patients).map(|spread| width * spread);
    let one = |(place, patient): (usize, &&Known)| {
        let others: Vec<&Known> = patients.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, k)| *k).collect();
        let term = |step: usize| {
            let seen = (patient.coming[step] / patient.maximum).powi(3);
            ahead(patient, &others, step, widths, patient.maximum).crps(seen)
        };
        (0..AHEAD).map(term).sum::<f64>()
    };
    patients.iter().enumerate().map(one).sum::<f64>() / patients.len() as f64
}

/// Widths among which the training patients choose, in standard deviations of the state.
const WIDTHS: [f64; 5] = [0.4, 0.6, 0.9, 1.5, 4.0];

/// Forecasts of every patient's last three readings from all earlier ones and from the whole series of the patients of nine other tenths, who
/// also choose the width; and those of the last value carried forward, with the distribution of its errors in the same patients.
#[must_use]
pub fn forecasts(series: &[Series]) -> [Score; 2] {
    const FOLDS: usize = 10;
    let all: Vec<Known> = series.iter().filter_map(known).collect();
    let fold = |fold: usize| {
        let train: Vec<&Known> = all.iter().enumerate().filter(|(i, _)| i % FOLDS != fold).map(|(_, k)| k).collect();
        let scored = WIDTHS.map(|width| (among(&train, width), width));
        let width = scored.iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |best| best.1);
        let widths = spreads(&train).map(|spread| width * spread);
        let mut outcomes = Vec::new();
        for patient in all.iter().enumerate().filter(|(i, _)| i % FOLDS == fold).map(|(_, one)| one) {
            let mut terms = [(0, 0.0, 0.0); 2];
            for step in 0..AHEAD {
                let seen = (patient.coming[step] / patient.maximum).powi(3);
                let carried = (patient.last / patient.maximum).powi(3);
                // Errors of the last value in the other patients, as shares of the largest volume known then.
                let scale = (patient.largest / patient.maximum).powi(3);
                let error = |other: &&Known| {
                    let error = (other.coming[step].powi(3) - other.last.powi(3)) / other.largest.powi(3);
                    ((carried + scale * error).max(0.0), 1.0)
                };
                let both = [
                    (ahead(patient, &train, step, widths, patient.maximum), None),
                    (Sample::new(train.iter().map(error).collect()), Some(carried)),
                ];
                for (term, (sample, median)) in terms.iter_mut().zip(both) {
                    let inside = sample.quantile(0.05) - 1e-12 <= seen && seen <= sample.quantile(0.95) + 1e-12;
                    term.0 += usize::from(inside);
                    term.1 += sample.crps(seen);
                    term.2 += (median.unwrap_or_else(|| sample.quantile(0.5)) - seen).abs() / AHEAD as f64;
                }
            }
            outcomes.push(terms);
        }
        outcomes
    };
    let outcomes: Vec<[(usize, f64, f64); 2]> = (0..FOLDS).into_par_iter().map(fold).collect::<Vec<_>>().concat();
    let points = (outcomes.len() * AHEAD) as f64;
    [0, 1].map(|method: usize| Score {
        coverage: outcomes.iter().map(|terms| terms[method].0).sum::<usize>() as f64 / points,
        crps: outcomes.iter().map(|terms| terms[method].1).sum::<f64>() / points,
        error: median(outcomes.iter().map(|terms| terms[method].2).collect()),
    })
}
