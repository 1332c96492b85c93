//! Nonlinear regressions of the NIST Statistical Reference Datasets.
//!
//! Source: NIST/ITL, <https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml>; certified to 11 digits.

use serde_json::Value;
use twin_calibrate::optimize::{Fit, LevenbergMarquardt, Residuals};

/// The names of the datasets.
pub const DATASETS: [&str; 27] = [
    "Bennett5", "BoxBOD", "Chwirut1", "Chwirut2", "DanWood", "ENSO", "Eckerle4", "Gauss1", "Gauss2", "Gauss3", "Hahn1", "Kirby2",
    "Lanczos1", "Lanczos2", "Lanczos3", "MGH09", "MGH10", "MGH17", "Misra1a", "Misra1b", "Misra1c", "Misra1d", "Nelson", "Rat42",
    "Rat43", "Roszman1", "Thurber",
];

/// A regression with its data and its certified answer.
#[derive(Debug, Clone)]
pub struct Regression {
    /// The dataset.
    pub name: String,
    /// How hard it is said to be.
    pub level: String,
    predictors: Vec<Vec<f64>>,
    seen: Vec<f64>,
    /// The two published starts.
    pub starts: [Vec<f64>; 2],
    /// The certified parameters.
    pub certified: Vec<f64>,
    deviations: Vec<f64>,
    sum_of_squares: f64,
}

impl Residuals for Regression {
    fn dimension(&self) -> usize {
        self.certified.len()
    }

    fn count(&self) -> usize {
        self.seen.len()
    }

    fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
        for ((x, y), residual) in self.predictors.iter().zip(&self.seen).zip(residuals) {
            *residual = y - model(&self.name, point, x);
        }
        true
    }
}

/// The regression functions as published; not a number for a name that is none of them.
fn model(name: &str, b: &[f64], x: &[f64]) -> f64 {
    let t = x[0];
    let bell = |height: f64, center: f64, width: f64| height * (-((t - center) / width).powi(2)).exp();
    match name {
        "Bennett5" => b[0] * (b[1] + t).powf(-1.0 / b[2]),
        "BoxBOD" | "Misra1a" => b[0] * (1.0 - (-b[1] * t).exp()),
        "Chwirut1" | "Chwirut2" => (-b[0] * t).exp() / (b[1] + b[2] * t),
        "DanWood" => b[0] * t.powf(b[1]),
        "ENSO" => {
            let wave = |period: f64, cosine: f64, sine: f64| {
                let phase = std::f64::consts::TAU * t / period;
                cosine * phase.cos() + sine * phase.sin()
            };
            b[0] + wave(12.0, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])
        }
        "Eckerle4" => b[0] / b[1] * (-0.5 * ((t - b[2]) / b[1]).powi(2)).exp(),
        "Gauss1" | "Gauss2" | "Gauss3" => b[0] * (-b[1] * t).exp() + bell(b[2], b[3], b[4]) + bell(b[5], b[6], b[7]),
        "Hahn1" | "Thurber" => (b[0] + t * (b[1] + t * (b[2] + t * b[3]))) / (1.0 + t * (b[4] + t * (b[5] + t * b[6]))),
        "Kirby2" => (b[0] + t * (b[1] + t * b[2])) / (1.0 + t * (b[3] + t * b[4])),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => b.chunks(2).map(|pair| pair[0] * (-pair[1] * t).exp()).sum(),
        "MGH09" => b[0] * (t * t + t * b[1]) / (t * t + t * b[2] + b[3]),
        "MGH10" => b[0] * (b[1] / (t + b[2])).exp(),
        "MGH17" => b[0] + b[1] * (-t * b[3]).exp() + b[2] * (-t * b[4]).exp(),
        "Misra1b" => b[0] * (1.0 - (1.0 + b[1] * t / 2.0).powi(-2)),
        "Misra1c" => b[0] * (1.0 - (1.0 + 2.0 * b[1] * t).powf(-0.5)),
        "Misra1d" => b[0] * b[1] * t / (1.0 + b[1] * t),
        "Nelson" => b[0] - b[1] * t * (-b[2] * x[1]).exp(),
        "Rat42" => b[0] / (1.0 + (b[1] - b[2] * t).exp()),
        "Rat43" => b[0] / (1.0 + (b[1] - b[2] * t).exp()).powf(1.0 / b[3]),
        "Roszman1" => b[0] - b[1] * t - (b[2] / (t - b[3])).atan() / std::f64::consts::PI,
        _ => f64::NAN,
    }
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

fn regression(p: &Value) -> Option<Regression> {
    let name = p["name"].as_str()?.to_owned();
    let mut seen = numbers(&p["y"])?;
    if name == "Nelson" {
        seen.iter_mut().for_each(|y| *y = y.ln());
    }
    Some(Regression {
        name,
        level: p["level"].as_str()?.to_owned(),
        predictors: p["x"].as_array()?.iter().map(numbers).collect::<Option<_>>()?,
        seen,
        starts: [numbers(&p["start1"])?, numbers(&p["start2"])?],
        certified: numbers(&p["certified"])?,
        deviations: numbers(&p["certified_sd"])?,
        sum_of_squares: p["rss"].as_f64()?,
    })
}

/// The published problems; `None`, after saying so, where the data are not at hand.
///
/// # Errors
/// In words, if the file is not as expected.
pub fn problems(test: &str) -> Result<Option<Vec<Regression>>, String> {
    let Some(path) = crate::data(test, "reference/nist_strd/nist_strd_nonlinear.json") else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let problems = json["problems"].as_array().and_then(|all| all.iter().map(regression).collect::<Option<Vec<_>>>());
    problems.map(Some).ok_or_else(|| "the problems are not as expected".to_owned())
}

/// The number of digits that agree in the worst element, at most the 11 that are certified.
#[must_use]
pub fn digits(values: &[f64], certified: &[f64]) -> f64 {
    let agree = |(value, certified): (&f64, &f64)| -((value - certified) / certified).abs().log10();
    values.iter().zip(certified).map(agree).fold(11.0, f64::min)
}

/// Digits that agree after a fit.
#[derive(Debug, Clone)]
pub struct Score {
    /// Of the parameters.
    pub point: f64,
    /// Of their standard deviations.
    pub deviations: f64,
    /// Of the residual sum of squares.
    pub squares: f64,
    /// The fit.
    pub fit: Fit,
}

/// Fits `problem` from `start`.
///
/// # Errors
/// In words, if the search refuses the problem.
pub fn score(problem: &Regression, start: &[f64]) -> Result<Score, String> {
    let fit = LevenbergMarquardt::default().minimize(problem, start, &()).map_err(|error| error.to_string())?;
    let freedom = (problem.seen.len() - problem.certified.len()) as f64;
    let deviations = fit.standard_errors(2.0 * fit.cost / freedom).unwrap_or_else(|| vec![f64::NAN; start.len()]);
    let worst = if deviations.iter().all(|d| d.is_finite()) { digits(&deviations, &problem.deviations) } else { 0.0 };
    let squares = digits(&[2.0 * fit.cost], &[problem.sum_of_squares]);
    Ok(Score { point: digits(&fit.point, &problem.certified), deviations: worst, squares, fit })
}
