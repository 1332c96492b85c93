//! Special functions that the formulas need, to the last digits of an `f64`.

/// The standard normal distribution function.
///
/// The series of the error function near zero and the continued fraction of its complement in the tails (Abramowitz and Stegun 7.1.6
/// and 7.1.14); the relative error is below 1e-13, in the lower tail too.
pub(crate) fn normal_distribution(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    let (z, density) = (x.abs(), (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt());
    if z < 2.5 {
        let (mut term, mut sum, mut k) = (z, z, 1.0);
        while term > 1e-17 * sum {
            k += 2.0;
            term *= z * z / k;
            sum += term;
        }
        let central = density * sum;
        return if x < 0.0 { 0.5 - central } else { 0.5 + central };
    }
    let fraction = (1..200).rev().fold(z, |below, k| z + f64::from(k) / below);
    let tail = density / fraction;
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// The regularized lower incomplete gamma function `P(n, z)` of a whole `n`, at any real `z`, and for `z` near 0 without cancellation.
pub(crate) fn incomplete_gamma(n: u32, z: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    if z.abs() < f64::from(n) + 3.0 {
        // e^-z z^n / n! times the series in z / (n + 1)...
        let first = (1..=n).fold(1.0, |product, k| product * z / f64::from(k)) * (-z).exp();
        let (mut term, mut sum, mut k) = (1.0_f64, 1.0_f64, f64::from(n));
        while term.abs() > 1e-18 * sum.abs() {
            k += 1.0;
            term *= z / k;
            sum += term;
        }
        return first * sum;
    }
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..n {
        term *= z / f64::from(k);
        sum += term;
    }
    1.0 - (-z).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_distribution_has_the_digits_of_tables() {
        // Abramowitz and Stegun, table 26.1 and 26.2.
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (2.0, 0.977_249_868_051_821),
            (3.0, 0.998_650_101_968_37),
            (-1.0, 0.158_655_253_931_457),
            (-5.0, 2.866_515_718_791_9e-7),
        ] {
            let found = normal_distribution(x);
            assert!((found / expected - 1.0).abs() < 1e-12, "{x}: {found} is not {expected}");
        }
        assert!(normal_distribution(f64::NAN).is_nan());
    }

    #[test]
    fn incomplete_gamma_is_the_poisson_tail() {
        for z in [-2.0, 1e-9, 0.5, 3.0, 7.9, 8.1, 40.0_f64] {
            assert!((incomplete_gamma(1, z) - (1.0 - (-z).exp())).abs() <= 1e-13 * (1.0 + (-z).exp()), "{z}");
        }
        let tail = 1.0 - (-2.5_f64).exp() * (1.0 + 2.5 + 3.125);
        assert!((incomplete_gamma(3, 2.5) - tail).abs() < 1e-14);
        assert_eq!(incomplete_gamma(0, 2.5), 1.0);
    }
}
