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

/// `exp(-decay t)` behind `n` compartments of `rate` each: `(k/(k-λ))^n exp(-λ t) P(n, (k-λ) t)` with the regularized incomplete gamma
/// function `P`. The factors are folded into each other, so that none overflows where another vanishes.
pub(crate) fn behind_transits(n: u32, rate: f64, decay: f64, hours: f64) -> f64 {
    if n == 0 {
        return (-decay * hours).exp();
    }
    let (passed, z) = (rate * hours, (rate - decay) * hours);
    if z.abs() < f64::from(n) + 3.0 {
        // The Poisson probability of n at a mean of k t, times the series in z / (n + 1)...
        let share = (-passed / f64::from(n)).exp();
        let first = (1..=n).fold(1.0, |product, k| product * (passed / f64::from(k) * share));
        let (mut term, mut sum, mut k) = (1.0_f64, 1.0_f64, f64::from(n));
        while term.abs() > 1e-18 * sum.abs() {
            k += 1.0;
            term *= z / k;
            sum += term;
        }
        return first * sum;
    }
    let ratio = rate / (rate - decay);
    let (mut whole, mut missing, mut poisson) = ((-decay * hours).exp(), 0.0, (-passed).exp());
    for k in 0..n {
        whole *= ratio;
        missing = (missing + poisson) * ratio;
        poisson *= passed / (f64::from(k) + 1.0);
    }
    whole - missing
}

/// A Poisson number of `mean`, 0 for a mean that is not above 0: by multiplication below 10, by transformed rejection (Hörmann 1993,
/// doi:10.1016/0167-6687(93)90997-4) from there on. Exact at any mean.
pub(crate) fn poisson(mean: f64, random: &mut twin_core::Random) -> f64 {
    if mean.is_nan() || mean <= 0.0 {
        return 0.0;
    }
    if mean < 10.0 {
        let (limit, mut product, mut count) = ((-mean).exp(), random.uniform(), 0.0);
        while product > limit {
            product *= random.uniform();
            count += 1.0;
        }
        return count;
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let (u, v) = (random.uniform() - 0.5, random.uniform());
        let edge = 0.5 - u.abs();
        let count = ((2.0 * a / edge + b) * u + mean + 0.43).floor();
        if edge >= 0.07 && v <= squeeze {
            return count;
        }
        if count < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        let accepted = count * mean.ln() - mean - ln_factorial(count);
        if (v * inverse_alpha / (a / (edge * edge) + b)).ln() <= accepted {
            return count;
        }
    }
}

/// The logarithm of the factorial of a whole number that is not negative.
fn ln_factorial(n: f64) -> f64 {
    if n < 16.0 {
        let (mut product, mut k) = (1.0, 2.0);
        while k <= n {
            product *= k;
            k += 1.0;
        }
        return product.ln();
    }
    let x = n + 1.0;
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
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
    fn behind_transits_is_the_convolution() {
        let (decay, hours) = (10.0 / 30.3, 7.0);
        for (n, rate) in [(1, 2.0), (3, 1.0), (3, 0.1), (4, decay * 1.000_1), (40, 6.0), (1, 0.02)] {
            // Midpoints of n k (k s)^(n-1)/n! exp(-k s) exp(-λ (t - s)).
            let steps = 20_000;
            let at = |step: i32| {
                let s = hours * (f64::from(step) + 0.5) / f64::from(steps);
                let density = (1..n).fold(rate * (-rate * s).exp(), |density, k| density * rate * s / f64::from(k));
                density * (-decay * (hours - s)).exp() * hours / f64::from(steps)
            };
            let (expected, found) = ((0..steps).map(at).sum::<f64>(), behind_transits(n as u32, rate, decay, hours));
            assert!((found / expected - 1.0).abs() < 1e-6, "{n} at {rate}: {found} is not {expected}");
        }
    }

    #[test]
    fn poisson_numbers_have_the_mean_and_the_variance_of_theirs() {
        let mut random = twin_core::Random::new(5);
        for mean in [0.3, 9.0, 11.0, 150.0] {
            let n = 100_000;
            let draws: Vec<f64> = (0..n).map(|_| poisson(mean, &mut random)).collect();
            let average = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / f64::from(n);
            assert!((average - mean).abs() < 5.0 * (mean / f64::from(n)).sqrt(), "{mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.05, "{mean}: {variance}");
        }
        assert_eq!(poisson(0.0, &mut random), 0.0);
    }

    #[test]
    fn factorials_meet_where_the_series_takes_over() {
        let below: f64 = (2..=15).map(|k| f64::from(k).ln()).sum();
        assert!((ln_factorial(15.0) - below).abs() < 1e-12);
        assert!((ln_factorial(16.0) - below - 16.0_f64.ln()).abs() < 1e-11);
    }
}
