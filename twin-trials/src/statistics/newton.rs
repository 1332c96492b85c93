//! Maximization of a concave log-likelihood by Newton's method.

use crate::TrialError;
use nalgebra::{DMatrix, DVector};

/// How small a pivot of the scaled information may become before its coefficient counts as unknown.
const SINGULAR: f64 = 1e-9;
/// How many steps are tried. A sound problem needs five to ten.
const STEPS: usize = 60;

/// A log-likelihood at a point, with its gradient and its observed information (the negative of its second derivatives).
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) ln_likelihood: f64,
    pub(super) gradient: DVector<f64>,
    pub(super) information: DMatrix<f64>,
}

/// The most likely coefficients.
#[derive(Debug, Clone)]
pub(super) struct Maximum {
    pub(super) coefficients: DVector<f64>,
    pub(super) ln_likelihood: f64,
    pub(super) covariance: DMatrix<f64>,
}

/// The inverse of a symmetric matrix, or the index of the first coefficient that is not identified.
pub(super) fn inverse(symmetric: &DMatrix<f64>) -> Result<DMatrix<f64>, usize> {
    let size = symmetric.nrows();
    let scale: Vec<f64> = (0..size).map(|i| symmetric[(i, i)].sqrt()).collect();
    if let Some(flat) = scale.iter().position(|value| !(value.is_finite() && *value > 0.0)) {
        return Err(flat);
    }
    let scaled = DMatrix::from_fn(size, size, |i, j| symmetric[(i, j)] / (scale[i] * scale[j]));
    let mut lower = DMatrix::<f64>::zeros(size, size);
    for i in 0..size {
        for j in 0..=i {
            let rest = scaled[(i, j)] - (0..j).map(|k| lower[(i, k)] * lower[(j, k)]).sum::<f64>();
            if i == j {
                if rest.is_nan() || rest < SINGULAR {
                    return Err(i);
                }
                lower[(i, i)] = rest.sqrt();
            } else {
                lower[(i, j)] = rest / lower[(j, j)];
            }
        }
    }
    let Some(whitened) = lower.solve_lower_triangular(&DMatrix::identity(size, size)) else {
        return Err(0);
    };
    let inverse = whitened.transpose() * whitened;
    Ok(DMatrix::from_fn(size, size, |i, j| inverse[(i, j)] / (scale[i] * scale[j])))
}

/// Climbs from `start` to the maximum of `at`, halving a step that does not gain.
///
/// `at` gives `None` where the likelihood cannot be computed. Coefficients carry `names` for the error of one that the data do not
/// tell; that includes a likelihood which goes on rising as a coefficient grows without bound (separation).
pub(super) fn maximize(
    what: &'static str,
    names: &[String],
    start: DVector<f64>,
    at: impl Fn(&DVector<f64>) -> Option<Point>,
) -> Result<Maximum, TrialError> {
    let unknown = |index: usize| TrialError::NotIdentified { what, name: names.get(index).cloned().unwrap_or_default() };
    let failed = TrialError::NotConverged { what, iterations: STEPS };
    let mut place = start;
    let Some(mut point) = at(&place) else { return Err(failed) };
    let mut first: Option<DMatrix<f64>> = None;
    for _ in 0..STEPS {
        let covariance = ascent(&point.information).map_err(unknown)?;
        let first = first.get_or_insert_with(|| covariance.clone());
        let step = &covariance * &point.gradient;
        let gain = step.dot(&point.gradient);
        let mut share = 1.0;
        let next = loop {
            let candidate = &place + &step * share;
            match at(&candidate).filter(|point| point.ln_likelihood.is_finite()) {
                // Near the top rounding may cost a little.
                Some(next) if next.ln_likelihood >= point.ln_likelihood - 1e-10 * point.ln_likelihood.abs().max(1.0) => {
                    place = candidate;
                    break Some(next);
                }
                _ if share > 1e-9 => share *= 0.5,
                _ => break None,
            }
        };
        let Some(next) = next else { return Err(failed) };
        point = next;
        if gain < 1e-13 && share > 0.9 {
            let covariance = inverse(&point.information).map_err(unknown)?;
            let vague = |&index: &usize| covariance[(index, index)] > 1e7 * first[(index, index)];
            if let Some(index) = (0..place.len()).find(vague) {
                return Err(unknown(index));
            }
            return Ok(Maximum { coefficients: place, ln_likelihood: point.ln_likelihood, covariance });
        }
    }
    Err(failed)
}

/// The inverse of the information, raised along its diagonal where the likelihood is not concave, so that the step still climbs.
fn ascent(information: &DMatrix<f64>) -> Result<DMatrix<f64>, usize> {
    let direct = inverse(information);
    if direct.is_ok() {
        return direct;
    }
    // A matrix that is singular without being indefinite says that a coefficient is unknown.
    let eigenvalues = information.clone().symmetric_eigenvalues();
    let (least, most) = (eigenvalues.min(), eigenvalues.max());
    if least.is_nan() || least >= -1e-9 * most.abs() {
        return direct;
    }
    let raise = 1.1 * least.abs() + 1e-3 * most.abs();
    inverse(&(information + DMatrix::identity(information.nrows(), information.nrows()) * raise))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_a_matrix_on_wild_scales() {
        let matrix = DMatrix::from_row_slice(2, 2, &[4e8, 2e2, 2e2, 9e-4]);
        let product = inverse(&matrix).unwrap() * &matrix;
        assert!((product - DMatrix::identity(2, 2)).abs().max() < 1e-9);
    }

    #[test]
    fn a_redundant_coefficient_is_named() {
        let matrix = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 4.0]);
        assert_eq!(inverse(&matrix), Err(1));
    }

    #[test]
    fn the_maximum_of_a_poisson_likelihood_is_the_logarithm_of_the_mean() {
        let counts: [f64; 4] = [3.0, 5.0, 0.0, 4.0];
        let at = |place: &DVector<f64>| {
            let (eta, n, sum) = (place[0], 4.0, counts.iter().sum::<f64>());
            Some(Point {
                ln_likelihood: sum * eta - n * eta.exp(),
                gradient: DVector::from_element(1, sum - n * eta.exp()),
                information: DMatrix::from_element(1, 1, n * eta.exp()),
            })
        };
        let found = maximize("Poisson regression", &["rate".to_owned()], DVector::zeros(1), at).unwrap();
        assert!((found.coefficients[0] - 3.0_f64.ln()).abs() < 1e-12);
        assert!((found.covariance[(0, 0)] - 1.0 / 12.0).abs() < 1e-9);
    }
}
