//! Small sums over draws.

/// The mean; NaN of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value) / values.len() as f64
}

/// The mean and its standard error; the latter infinite for fewer than two values.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let center = mean(values);
    let squares = values.iter().fold(0.0, |sum, value| sum + (value - center).powi(2));
    let count = values.len() as f64;
    (center, if values.len() < 2 { f64::INFINITY } else { (squares / (count - 1.0) / count).sqrt() })
}

/// Element by element, `a - b`.
pub(super) fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The interval of Wilson for a share seen `hits` times of `count`, `deviate` standard errors wide on either side.
pub(super) fn wilson(hits: f64, count: usize, deviate: f64) -> (f64, f64) {
    let n = count.max(1) as f64;
    let (share, squared) = (hits / n, deviate * deviate);
    let center = (share + squared / (2.0 * n)) / (1.0 + squared / n);
    let half = deviate / (1.0 + squared / n) * (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
    (center - half, center + half)
}
