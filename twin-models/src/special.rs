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

/// The standard normal density.
pub(crate) fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The standard normal quantile of `p`, infinite at 0 and 1: bisection on the distribution function, to the last bits.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 {
            f64::NEG_INFINITY
        } else if p >= 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if normal_distribution(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// One exponential of a chain: `gain · exp(-rate t)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exponential {
    pub(crate) rate: f64,
    pub(crate) gain: f64,
}

/// The most exponentials of a chain.
pub(crate) const MOST_EXPONENTIALS: usize = 48;

/// The convolution of all exponentials of `chain`, at most [`MOST_EXPONENTIALS`] and in rising order of their rates, at the time `t`. Gains are
/// not negative. Any rates may be equal, or nearly so.
///
/// It is a divided difference of `exp(-r t)` over the rates. Where they lie apart it is that of two shorter ones; where they lie together,
/// a series of complete symmetric polynomials in their distances to the greatest, of which every term is positive.
pub(crate) fn convolved(chain: &[Exponential], t: f64) -> f64 {
    let (Some((last, shorter)), Some((first, later))) = (chain.split_last(), chain.split_first()) else { return 0.0 };
    if t.is_nan() || t < 0.0 || t.is_infinite() || chain.len() > MOST_EXPONENTIALS {
        return 0.0;
    }
    if later.is_empty() {
        return first.gain * (-first.rate * t).exp();
    }
    let (apart, order) = (last.rate - first.rate, later.len() as f64);
    if apart * t > order + 3.0 {
        return last.gain / apart * convolved(shorter, t) - first.gain / apart * convolved(later, t);
    }
    // The product of gains, t^order / order! and exp(-r t), folded into each other so that none overflows where another vanishes.
    let share = (-last.rate * t / order).exp();
    let stage = |product: f64, (stage, place): (&Exponential, f64)| product * (stage.gain * t / place * share);
    let whole = later.iter().zip((1..).map(f64::from)).fold(first.gain, stage);
    let mut polynomials = [1.0; MOST_EXPONENTIALS];
    let (mut factor, mut sum, mut k) = (1.0, 1.0, order);
    loop {
        k += 1.0;
        factor /= k;
        let mut before = 0.0;
        for (stage, polynomial) in chain.iter().zip(&mut polynomials) {
            *polynomial = before + (last.rate - stage.rate) * t * *polynomial;
            before = *polynomial;
        }
        let term = before * factor;
        sum += term;
        if term <= 1e-18 * sum || !term.is_finite() {
            return whole * sum;
        }
    }
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
    fn quantiles_invert_the_distribution() {
        for (p, expected) in
            [(0.975, 1.959_963_984_540_054), (0.5, 0.0), (0.1, -1.281_551_565_544_600_4), (1e-10, -6.361_340_902_404_056)]
        {
            assert!((normal_quantile(p) - expected).abs() < 1e-9, "{p}: {}", normal_quantile(p));
        }
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(normal_quantile(f64::NAN).is_nan());
    }

    /// The convolution by midpoints, one exponential after the other.
    fn by_midpoints(chain: &[Exponential], t: f64) -> f64 {
        let steps = 4000;
        let h = t / f64::from(steps);
        let at = |i: usize| h * (i as f64 + 0.5);
        let Some((first, rest)) = chain.split_first() else { return 0.0 };
        let mut values: Vec<f64> = (0..steps as usize).map(|i| first.gain * (-first.rate * at(i)).exp()).collect();
        let mut end = first.gain * (-first.rate * t).exp();
        for stage in rest {
            // x' = -r x + input, by the midpoint of each step.
            let (mut x, decay, middle) = (0.0, (-stage.rate * h).exp(), (-stage.rate * 0.5 * h).exp());
            let mut next = Vec::with_capacity(values.len());
            for value in &values {
                next.push(x * middle + 0.5 * h * stage.gain * value * (-stage.rate * 0.25 * h).exp());
                x = x * decay + h * stage.gain * value * middle;
            }
            (values, end) = (next, x);
        }
        end
    }

    #[test]
    fn a_chain_is_the_convolution_at_any_rates() {
        let chain = |pairs: &[(f64, f64)]| {
            let mut chain: Vec<_> = pairs.iter().map(|&(rate, gain)| Exponential { rate, gain }).collect();
            chain.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            chain
        };
        let cases: [&[(f64, f64)]; 7] = [
            &[(0.33, 0.05), (5.8, 5.8)],
            &[(0.33, 0.05), (0.33, 0.33)],
            &[(0.33, 0.05), (0.330_000_001, 0.330_000_001)],
            &[(0.33, 0.05), (0.33, 0.33), (0.76, 0.76)],
            &[(0.33, 0.05), (0.36, 0.36), (0.34, 0.34), (0.0, 0.5)],
            &[(0.33, 0.05), (2.0, 2.0), (2.0, 2.0), (2.0, 2.0), (0.9, 0.9)],
            &[(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)],
        ];
        for case in cases {
            for t in [0.7, 7.0, 30.0] {
                let (found, expected) = (convolved(&chain(case), t), by_midpoints(&chain(case), t));
                assert!((found / expected - 1.0).abs() < 2e-3, "{case:?} at {t}: {found} is not {expected}");
            }
        }
        assert_eq!(convolved(&chain(&[(0.1, 1.0), (0.1, 0.1)]), 0.0), 0.0);
        assert_eq!(convolved(&chain(&[(0.1, 1.0), (0.1, 0.1)]), f64::INFINITY), 0.0);
    }

    #[test]
    fn equal_exponentials_are_the_density_of_erlang() {
        // k (k t)^(n-1) / (n-1)! exp(-k t), in logarithms.
        for (n, k, t) in [(1_usize, 0.5, 3.0), (4, 2.0, 5.0), (33, 6.0, 4.0), (40, 1.0, 100.0)] {
            let chain = vec![Exponential { rate: k, gain: k }; n];
            let ln_factorial: f64 = (1..n).map(|i| (i as f64).ln()).sum();
            let expected = (k.ln() + (n - 1) as f64 * (k * t).ln() - ln_factorial - k * t).exp();
            assert!((convolved(&chain, t) / expected - 1.0).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn a_chain_has_its_digits_where_the_quotient_loses_them() {
        // (exp(-a t) - exp(-b t)) / (b - a) = t exp(-m t) sinh(x)/x with m the mean and x = (b - a) t / 2.
        for gap in [1e-12, 1e-9, 1e-6, 1e-3, 0.1, 1.0, 10.0] {
            for t in [0.01, 1.0, 12.0] {
                let chain = [Exponential { rate: 0.3, gain: 1.0 }, Exponential { rate: 0.3 + gap, gain: 1.0 }];
                let (mean, x) = (0.3 + 0.5 * gap, 0.5 * gap * t);
                let ratio = if x < 1e-3 { 1.0 + x * x / 6.0 + x.powi(4) / 120.0 } else { x.sinh() / x };
                let expected = t * (-mean * t).exp() * ratio;
                assert!((convolved(&chain, t) / expected - 1.0).abs() < 1e-13, "{gap} at {t}");
            }
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
