//! Small numerics that several methods share.

use nalgebra::{DMatrix, DVector};

/// The logarithm of the sum of exponentials; minus infinity for nothing.
pub(crate) fn ln_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + values.map(|value| (value - most).exp()).sum::<f64>().ln()
}

/// The mean and the covariance (divisor n) of `points` (n × dimension) under `weights` that sum to one.
pub(crate) fn moments(points: &[f64], dimension: usize, weights: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
    let mut mean = DVector::zeros(dimension);
    for (point, weight) in points.chunks_exact(dimension.max(1)).zip(weights) {
        for (sum, x) in mean.iter_mut().zip(point) {
            *sum += weight * x;
        }
    }
    let mut covariance = DMatrix::zeros(dimension, dimension);
    for (point, weight) in points.chunks_exact(dimension.max(1)).zip(weights) {
        let off = DVector::from_column_slice(point) - &mean;
        covariance.ger(*weight, &off, &off, 1.0);
    }
    (mean, covariance)
}

/// The lower-triangular square root of a covariance; where it is not positive definite, that of its diagonal with directions of no
/// spread left at zero.
pub(crate) fn root(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    match covariance.clone().cholesky() {
        Some(cholesky) => cholesky.unpack(),
        None => DMatrix::from_diagonal(&covariance.diagonal().map(|variance| variance.max(0.0).sqrt())),
    }
}

/// Adds `scale · root · normals` to `point`.
pub(crate) fn displace(point: &mut [f64], root: &DMatrix<f64>, scale: f64, normals: &[f64]) {
    for (i, x) in point.iter_mut().enumerate() {
        *x += scale * normals.iter().take(i + 1).enumerate().map(|(j, normal)| root[(i, j)] * normal).sum::<f64>();
    }
}

/// The places of as many particles as `weights`, drawn by systematic resampling at the uniform number `u`, in order.
///
/// Copies of a particle stand next to each other, so that the course along the places tells how related the particles are.
pub(crate) fn systematic(weights: &[f64], count: usize, u: f64) -> Vec<usize> {
    let total: f64 = weights.iter().sum();
    let (mut places, mut sum, mut place) = (Vec::with_capacity(count), 0.0, 0);
    let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
    for k in 0..count {
        let level = total * (k as f64 + u) / count as f64;
        while place < last && sum + weights.get(place).copied().unwrap_or(0.0) <= level {
            sum += weights.get(place).copied().unwrap_or(0.0);
            place += 1;
        }
        places.push(place);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_exponentials_does_not_overflow() {
        assert!((ln_sum_exp([1000.0, 1000.0].into_iter()) - 1000.0 - 2f64.ln()).abs() < 1e-12);
        assert_eq!(ln_sum_exp(std::iter::empty()), f64::NEG_INFINITY);
    }

    #[test]
    fn resampling_is_in_proportion_to_the_weights() {
        let places = systematic(&[0.5, 0.0, 0.25, 0.25, 0.0], 8, 0.5);
        assert_eq!(places, [0, 0, 0, 0, 2, 2, 3, 3]);
        assert_eq!(systematic(&[0.0, 1.0], 3, 0.99), [1, 1, 1]);
    }

    #[test]
    fn moments_are_weighted() {
        let (mean, covariance) = moments(&[0.0, 0.0, 2.0, 4.0], 2, &[0.75, 0.25]);
        assert_eq!(mean.as_slice(), [0.5, 1.0]);
        assert_eq!(covariance.as_slice(), [0.75, 1.5, 1.5, 3.0]);
        let mut point = [0.0, 0.0];
        displace(&mut point, &root(&DMatrix::from_row_slice(2, 2, &[4.0, 2.0, 2.0, 2.0])), 1.0, &[1.0, 1.0]);
        assert_eq!(point, [2.0, 2.0]);
    }
}
