//! What a datum makes of a parameter: a distribution, and an explanation.

use crate::Source;
use crate::check::positive;
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
        Ok(Self { ln_median, ln_deviation: positive("standard deviation of a logarithm", ln_deviation)? })
    }

    /// The median.
    #[must_use]
    pub fn median(self) -> f64 {
        self.ln_median.exp()
    }

    /// The standard deviation of the logarithm.
    #[must_use]
    pub const fn ln_deviation(self) -> f64 {
        self.ln_deviation
    }

    /// One draw.
    pub fn sample(self, random: &mut Random) -> f64 {
        (self.ln_median + self.ln_deviation * random.normal()).exp()
    }
}

/// A binary datum of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// It was found.
    Present,
    /// It was looked for and not found.
    Absent,
    /// It is not known.
    Unknown,
}

/// The effect of a binary datum on one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The datum, in words: `TP53 mutation`.
    pub datum: &'static str,
    /// The parameter that it moves.
    pub parameter: &'static str,
    /// Median of the parameter where the datum is present.
    pub present: f64,
    /// Median where it is absent.
    pub absent: f64,
    /// How often it is present in the population, 0 to 1.
    pub frequency: f64,
    /// Standard deviation of the logarithm among patients of the same datum.
    pub ln_deviation: f64,
    /// Where the medians come from.
    pub source: Source,
}

impl Effect {
    /// The distribution of the parameter given the datum. Where the datum is unknown it has the mean and the variance, in logarithms, of
    /// the mixture of both groups: it is wider than that of either.
    ///
    /// # Errors
    /// [`CoreError`] for medians or a deviation that are not above 0, or a frequency that is not between 0 and 1.
    pub fn distribution(&self, datum: Datum) -> Result<LogNormal, CoreError> {
        let present = LogNormal::new(self.present, self.ln_deviation)?;
        let absent = LogNormal::new(self.absent, self.ln_deviation)?;
        match datum {
            Datum::Present => Ok(present),
            Datum::Absent => Ok(absent),
            Datum::Unknown => {
                let share = crate::check::open_proportion("frequency of a datum", self.frequency)?;
                let difference = present.ln_median - absent.ln_median;
                let ln_median = absent.ln_median + share * difference;
                let variance = self.ln_deviation.powi(2) + share * (1.0 - share) * difference.powi(2);
                Ok(LogNormal { ln_median, ln_deviation: variance.sqrt() })
            }
        }
    }

    /// One sentence: which datum moved which parameter by how much, against the median of a population in which it is unknown.
    ///
    /// # Errors
    /// As [`Effect::distribution`].
    pub fn explanation(&self, datum: Datum) -> Result<String, CoreError> {
        let (given, unknown) = (self.distribution(datum)?, self.distribution(Datum::Unknown)?);
        let word = match datum {
            Datum::Present => "present",
            Datum::Absent => "absent",
            Datum::Unknown => "unknown",
        };
        let factor = given.median() / unknown.median();
        Ok(format!(
            "{} {word}: {} by a factor of {factor:.3} to {:.4} (standard deviation of its logarithm {:.3}, {:.3} if unknown)",
            self.datum,
            self.parameter,
            given.median(),
            given.ln_deviation,
            unknown.ln_deviation
        ))
    }

    /// The effects of the genotype of low-grade glioma: 1p/19q codeletion on repair, mutated TP53 on damage (Mazzocco et al. 2015). Frequencies
    /// are about those of the disease, and deviations follow from the coefficients of variation of the publication.
    #[must_use]
    pub fn low_grade_glioma() -> [Self; 2] {
        let source = Source::published("Mazzocco et al. 2015, doi:10.1002/psp4.54");
        let ln_deviation = |coefficient_of_variation: f64| coefficient_of_variation.powi(2).ln_1p().sqrt();
        [
            Self {
                datum: "1p/19q codeletion",
                parameter: "repair_rate",
                present: 0.00807,
                absent: 0.00947,
                frequency: 0.3,
                ln_deviation: ln_deviation(1.62),
                source: source.clone(),
            },
            Self {
                datum: "TP53 mutation",
                parameter: "damage",
                present: 0.143,
                absent: 0.254,
                frequency: 0.5,
                ln_deviation: ln_deviation(0.69),
                source,
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_datum_widens_the_distribution() {
        for effect in Effect::low_grade_glioma() {
            let width = |datum| effect.distribution(datum).unwrap().ln_deviation();
            assert!(width(Datum::Unknown) > width(Datum::Present));
            let median = |datum| effect.distribution(datum).unwrap().median();
            assert!(median(Datum::Present) < median(Datum::Unknown) && median(Datum::Unknown) < median(Datum::Absent));
            assert!(effect.explanation(Datum::Present).unwrap().contains(effect.parameter));
        }
    }

    #[test]
    fn draws_have_the_median() {
        let distribution = LogNormal::new(0.2, 0.5).unwrap();
        let mut random = Random::new(1);
        let below = (0..20_000).filter(|_| distribution.sample(&mut random) < 0.2).count();
        assert!((below as f64 / 20_000.0 - 0.5).abs() < 0.015);
    }
}
