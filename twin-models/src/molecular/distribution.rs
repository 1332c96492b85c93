//! The distribution that a link gives to a parameter.

use crate::check::{positive, within};
use twin_core::{CoreError, Random};

/// A log-normal distribution of a positive parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    ln_median: f64,
    ln_deviation: f64,
}

impl LogNormal {
    /// The distribution with `median` and the standard deviation `ln_deviation` of the logarithm.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn new(median: f64, ln_deviation: f64) -> Result<Self, CoreError> {
        let ln_median = positive("median of a parameter", median)?.ln();
        Self::of_logarithm(ln_median, ln_deviation)
    }

    /// The distribution with `mean` and a coefficient of variation, both of the values and not of their logarithms.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn with_mean(mean: f64, coefficient_of_variation: f64) -> Result<Self, CoreError> {
        let variance = positive("coefficient of variation", coefficient_of_variation)?.powi(2).ln_1p();
        Self::of_logarithm(positive("mean of a parameter", mean)?.ln() - 0.5 * variance, variance.sqrt())
    }

    /// The distribution of which the logarithm has the mean `ln_median` and the standard deviation `ln_deviation`.
    pub(crate) fn of_logarithm(ln_median: f64, ln_deviation: f64) -> Result<Self, CoreError> {
        let ln_median = within("logarithm of a median", ln_median, true, "finite")?;
        Ok(Self { ln_median, ln_deviation: positive("standard deviation of a logarithm", ln_deviation)? })
    }

    /// The median.
    #[must_use]
    pub fn median(self) -> f64 {
        self.ln_median.exp()
    }

    /// The logarithm of the median.
    #[must_use]
    pub const fn ln_median(self) -> f64 {
        self.ln_median
    }

    /// The standard deviation of the logarithm.
    #[must_use]
    pub const fn ln_deviation(self) -> f64 {
        self.ln_deviation
    }

    /// The middle 95 %.
    #[must_use]
    pub fn middle_95_percent(self) -> (f64, f64) {
        let reach = 1.959_963_984_540_054 * self.ln_deviation;
        ((self.ln_median - reach).exp(), (self.ln_median + reach).exp())
    }

    /// One draw.
    pub fn sample(self, random: &mut Random) -> f64 {
        (self.ln_median + self.ln_deviation * random.normal()).exp()
    }

    /// What several findings say together of a parameter with this distribution in the population, each of which alone gives it one of
    /// the distributions `given`: findings are taken as independent among patients of the same parameter. Precisions of logarithms add, less that
    /// of the population for all findings but one.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] for a given distribution that is wider than that of the population.
    pub fn given_all(self, given: &[Self]) -> Result<Self, CoreError> {
        let of = |it: Self| it.ln_deviation.powi(-2);
        let (mut precision, mut weighted) = (of(self), of(self) * self.ln_median);
        for &one in given {
            // A rounding beyond, so that the population itself passes.
            if one.ln_deviation > self.ln_deviation * (1.0 + 1e-9) {
                let detail = format!(
                    "a finding gives the standard deviation {} of a logarithm, wider than {} of the population",
                    one.ln_deviation, self.ln_deviation
                );
                return Err(CoreError::Conflict { what: "distribution given a finding", detail });
            }
            precision += of(one) - of(self);
            weighted += of(one) * one.ln_median - of(self) * self.ln_median;
        }
        Self::of_logarithm(weighted / precision, precision.powf(-0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_median() {
        let distribution = LogNormal::new(0.2, 0.5).unwrap();
        let mut random = Random::new(1);
        let below = (0..20_000).filter(|_| distribution.sample(&mut random) < 0.2).count();
        assert!((below as f64 / 20_000.0 - 0.5).abs() < 0.015);
    }

    #[test]
    fn a_mean_and_a_variation_are_those_of_the_values() {
        let distribution = LogNormal::with_mean(185.0, 126.0 / 185.0).unwrap();
        let mut random = Random::new(2);
        let draws: Vec<f64> = (0..200_000).map(|_| distribution.sample(&mut random)).collect();
        let mean = draws.iter().sum::<f64>() / 2e5;
        let deviation = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 2e5).sqrt();
        assert!((mean - 185.0).abs() < 1.5 && (deviation - 126.0).abs() < 3.0, "{mean} and {deviation}");
    }

    #[test]
    fn findings_add_up_in_any_order_and_none_is_the_population() {
        let population = LogNormal::new(1.0, 1.0).unwrap();
        let (one, other) = (LogNormal::new(2.0, 0.5).unwrap(), LogNormal::new(0.7, 0.8).unwrap());
        assert_eq!(population.given_all(&[]).unwrap(), population);
        let close =
            |a: LogNormal, b: LogNormal| (a.ln_median - b.ln_median).abs() + (a.ln_deviation - b.ln_deviation).abs() < 1e-14;
        assert!(close(population.given_all(&[one]).unwrap(), one));
        let both = population.given_all(&[one, other]).unwrap();
        assert!(close(both, population.given_all(&[other, one]).unwrap()));
        assert!(both.ln_deviation() < 0.5);
        assert!(close(population.given_all(&[one, population]).unwrap(), one));
        assert!(one.given_all(&[population]).is_err());
    }
}
