//! Variance-based sensitivity against functions whose indices are known.

use super::{Claim, words};
use std::f64::consts::PI;
use twin_trials::TrialError;
use twin_trials::explain::sobol_indices;

const ISHIGAMI: &str = "closed form for the function of Ishigami and Homma 1990, a = 7, b = 0.1";
const G: &str = "closed form for the g function of Sobol 1993, a = 0, 1, 4.5, 9, 99, 99, 99, 99";
const A: [f64; 8] = [0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0];
/// Rows of the design.
const POINTS: usize = 1 << 14;
const TOLERANCE: f64 = 0.02;

#[allow(clippy::unnecessary_wraps, reason = "the shape of an outcome")]
fn ishigami(u: &[f64]) -> Result<f64, TrialError> {
    let at = |input: usize| PI * (2.0 * u.get(input).copied().unwrap_or(f64::NAN) - 1.0);
    Ok(at(0).sin() + 7.0 * at(1).sin().powi(2) + 0.1 * at(2).powi(4) * at(0).sin())
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of an outcome")]
fn g(u: &[f64]) -> Result<f64, TrialError> {
    Ok(u.iter().zip(A).map(|(u, a)| ((4.0 * u - 2.0).abs() + a) / (1.0 + a)).product())
}

/// First-order and total indices of the g function in closed form.
fn g_indices() -> [Vec<f64>; 2] {
    let parts = A.map(|a| 1.0 / (3.0 * (1.0 + a).powi(2)));
    let whole: f64 = parts.iter().map(|part| 1.0 + part).product();
    let variance = whole - 1.0;
    [parts.iter().map(|part| part / variance).collect(), parts.iter().map(|part| part * whole / (1.0 + part) / variance).collect()]
}

/// The indices of `f`: first order, total.
fn found(inputs: usize, f: fn(&[f64]) -> Result<f64, TrialError>) -> Result<[Vec<f64>; 2], String> {
    let indices = sobol_indices(inputs, POINTS, 1, f).map_err(words)?;
    Ok([indices.first, indices.total].map(|shares| shares.iter().map(|share| share.value).collect()))
}

pub(super) fn claims() -> Vec<Claim> {
    let known = [
        (
            "ishigami",
            ISHIGAMI,
            ishigami as fn(&[f64]) -> _,
            [vec![0.313_905, 0.442_411, 0.0], vec![0.557_589, 0.442_411, 0.243_684]],
        ),
        ("sobol_g", G, g, g_indices()),
    ];
    let mut claims = Vec::new();
    for (name, source, f, indices) in known {
        let inputs = indices[0].len();
        for (order, (word, values)) in ["first", "total"].into_iter().zip(indices).enumerate() {
            for (input, expected) in values.into_iter().enumerate() {
                let number = input + 1;
                let claim = format!("{word} index of input {number} at 2^14 points");
                claims.push(Claim::quick(
                    format!("sensitivity.{name}_{word}_{number}"),
                    claim,
                    source,
                    (expected, TOLERANCE),
                    move || found(inputs, f)?[order].get(input).copied().ok_or_else(|| "no such input".to_owned()),
                ));
            }
        }
    }
    claims
}
