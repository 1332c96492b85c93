//! Resistant cells that are there before treatment.

use super::{LogNormal, Movement};
use crate::Source;
use crate::check::{positive, within};
use crate::special::{normal_density, normal_distribution, normal_quantile};
use twin_core::{CoreError, Proportion, Random};

/// What sequencing before treatment found of a resistance mutation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ResistanceFinding {
    /// A share of reads among all reads at the place.
    Measured {
        /// The share of reads that carry the mutation.
        allele_fraction: Proportion,
        /// Reads, or droplets, at the place.
        depth: u32,
    },
    /// None, by a test that finds allele fractions from this one on.
    Undetected {
        /// The least allele fraction that would have been found.
        limit: Proportion,
    },
    /// It was not tested.
    Unknown,
}

/// The share of tumor cells that carry a resistance mutation before treatment, `initial_resistance` of
/// [`sensitive_resistant`](crate::clones::sensitive_resistant).
///
/// One of two alleles is mutated, so that the share is twice the allele fraction; normal cells in the sample are not corrected for.
#[derive(Debug, Clone, PartialEq)]
pub struct ResistantShare {
    /// The mutation: `EGFR T790M`.
    pub datum: &'static str,
    /// The share among patients of whom nothing is known.
    pub population: LogNormal,
    /// Where it comes from.
    pub source: Source,
}

const ALLELES: f64 = 2.0;

impl ResistantShare {
    /// From a study that found the mutation in the share `frequency` of patients, by a test with the detection limit `limit`, and the
    /// median allele fraction `median` among those: the log-normal distribution with these two quantiles.
    ///
    /// # Errors
    /// [`CoreError`] unless the frequency lies between 0 and 1 and the median above the limit, which is above 0.
    pub fn of_study(datum: &'static str, (frequency, limit, median): (f64, f64, f64), source: Source) -> Result<Self, CoreError> {
        let frequency = crate::check::open_proportion("frequency of a resistance mutation", frequency)?;
        let limit = positive("detection limit of an allele fraction", limit)?;
        let median = within("median of detected allele fractions", median, median > limit, "above the detection limit")?;
        let (at_limit, at_median) = (normal_quantile(1.0 - frequency), normal_quantile(1.0 - 0.5 * frequency));
        let ln_deviation = (median / limit).ln() / (at_median - at_limit);
        let ln_median = (ALLELES * limit).ln() - at_limit * ln_deviation;
        Ok(Self { datum, population: LogNormal::of_logarithm(ln_median, ln_deviation)?, source })
    }

    /// EGFR T790M in lung cancer with an activating EGFR mutation: found by digital PCR in 42 of 109 samples before treatment, with a median
    /// allele fraction of 0.14 % and a least one of 0.02 %, which stands for the limit of the test.
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn egfr_t790m() -> Result<Self, CoreError> {
        let source = Source::published(
            "digital PCR of 109 samples before treatment (PathWest laboratory, 2010 to 2017): 42 positive, median 0.14 %, range 0.02 to 28.5 %",
        );
        Self::of_study("EGFR T790M", (42.0 / 109.0, 2e-4, 1.4e-3), source)
    }

    /// The distribution of the share given the finding, with the mean and the variance of its logarithm. A measurement with `m` reads of the
    /// mutation adds a precision of `m` to that of the population; an absence cuts the population's distribution off at the limit.
    ///
    /// # Errors
    /// [`CoreError`] for an allele fraction of 0 or above one half, or a depth of 0.
    pub fn distribution(&self, finding: ResistanceFinding) -> Result<LogNormal, CoreError> {
        let (mean, width) = (self.population.ln_median(), self.population.ln_deviation());
        match finding {
            ResistanceFinding::Unknown => Ok(self.population),
            ResistanceFinding::Measured { allele_fraction, depth } => {
                let found = allele_fraction.value();
                let holds = found > 0.0 && found <= 0.5;
                let found = within(
                    "allele fraction of a resistance mutation",
                    found,
                    holds,
                    "above 0 and at most 0.5 (one of two alleles)",
                )?;
                let reads = positive("reads of a resistance mutation", found * f64::from(depth))?;
                let (precision, own) = (width.powi(-2) + reads, width.powi(-2));
                LogNormal::of_logarithm((own * mean + reads * (ALLELES * found).ln()) / precision, precision.powf(-0.5))
            }
            ResistanceFinding::Undetected { limit } => {
                let cut = self.cut(limit)?;
                let ratio = normal_density(cut) / normal_distribution(cut);
                LogNormal::of_logarithm(mean - width * ratio, width * (1.0 - ratio * (cut + ratio)).sqrt())
            }
        }
    }

    /// The limit of a test in standard deviations of the population's logarithm.
    fn cut(&self, limit: Proportion) -> Result<f64, CoreError> {
        let limit = positive("detection limit of an allele fraction", limit.value())?;
        let cut = ((ALLELES * limit).ln() - self.population.ln_median()) / self.population.ln_deviation();
        within("detection limit against the population, in standard deviations", cut, cut > -30.0, "above -30")
    }

    /// One draw given the finding: exactly, and so below the limit of a test that found nothing.
    ///
    /// # Errors
    /// As [`ResistantShare::distribution`].
    pub fn sample(&self, finding: ResistanceFinding, random: &mut Random) -> Result<f64, CoreError> {
        let ResistanceFinding::Undetected { limit } = finding else {
            return Ok(self.distribution(finding)?.sample(random));
        };
        let rank = normal_distribution(self.cut(limit)?) * (1.0 - random.uniform());
        Ok((self.population.ln_median() + self.population.ln_deviation() * normal_quantile(rank)).exp())
    }

    /// What the finding moved by how much.
    ///
    /// # Errors
    /// As [`ResistantShare::distribution`].
    pub fn movement(&self, finding: ResistanceFinding) -> Result<Movement, CoreError> {
        let words = match finding {
            ResistanceFinding::Unknown => None,
            ResistanceFinding::Measured { allele_fraction, depth } => {
                Some(format!("in the share {} of {depth} reads", allele_fraction.value()))
            }
            ResistanceFinding::Undetected { limit } => Some(format!("not found, limit {}", limit.value())),
        };
        Ok(Movement {
            datum: self.datum,
            finding: words,
            parameter: "initial_resistance",
            unit: "1",
            population: self.population,
            given: self.distribution(finding)?,
            source: self.source.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(value: f64) -> Proportion {
        Proportion::new(value).unwrap()
    }

    #[test]
    fn draws_of_the_population_are_those_of_the_study() {
        let clone = ResistantShare::egfr_t790m().unwrap();
        let mut random = Random::new(4);
        let n = 100_000;
        let mut found: Vec<f64> = (0..n)
            .map(|_| 0.5 * clone.sample(ResistanceFinding::Unknown, &mut random).unwrap())
            .filter(|allele| *allele > 2e-4)
            .collect();
        assert!((found.len() as f64 / f64::from(n) - 42.0 / 109.0).abs() < 0.005);
        found.sort_by(f64::total_cmp);
        assert!((found[found.len() / 2] / 1.4e-3 - 1.0).abs() < 0.05, "{}", found[found.len() / 2]);
    }

    #[test]
    fn any_finding_narrows_the_distribution() {
        let clone = ResistantShare::egfr_t790m().unwrap();
        let width = |finding| clone.distribution(finding).unwrap().ln_deviation();
        let measured = ResistanceFinding::Measured { allele_fraction: share(0.0014), depth: 20_000 };
        let absent = ResistanceFinding::Undetected { limit: share(2e-4) };
        assert!(width(measured) < width(absent) && width(absent) < width(ResistanceFinding::Unknown));
        assert!((clone.distribution(measured).unwrap().median() / 0.0028 - 1.0).abs() < 0.02);
        assert!(clone.movement(absent).unwrap().factor() < 1.0);
    }

    #[test]
    fn draws_after_an_absence_lie_below_the_limit_and_have_the_moments() {
        let clone = ResistantShare::egfr_t790m().unwrap();
        let absent = ResistanceFinding::Undetected { limit: share(2e-4) };
        let mut random = Random::new(5);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| clone.sample(absent, &mut random).unwrap()).collect();
        assert!(draws.iter().all(|draw| *draw <= 4e-4 && *draw > 0.0));
        let expected = clone.distribution(absent).unwrap();
        let mean = draws.iter().map(|draw| draw.ln()).sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|draw| (draw.ln() - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - expected.ln_median()).abs() < 0.03 && (variance.sqrt() / expected.ln_deviation() - 1.0).abs() < 0.02);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let clone = ResistantShare::egfr_t790m().unwrap();
        for allele_fraction in [0.0, 0.6] {
            assert!(
                clone.distribution(ResistanceFinding::Measured { allele_fraction: share(allele_fraction), depth: 100 }).is_err()
            );
        }
        assert!(clone.distribution(ResistanceFinding::Undetected { limit: share(0.0) }).is_err());
        assert!(ResistantShare::of_study("x", (0.4, 1e-3, 1e-4), Source::assumed("a test")).is_err());
    }
}
