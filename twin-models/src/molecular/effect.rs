//! What a finding that is there or not makes of a parameter: a distribution, and an explanation.

use super::{LogNormal, Movement};
use crate::Source;
use crate::check::{open_proportion, within};
use crate::special::{normal_density, normal_quantile};
use twin_core::CoreError;

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

impl Datum {
    /// One word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}

/// What in a genomic profile tells of a binary datum, apart from a biomarker of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Nothing but the biomarker.
    Biomarker,
    /// An alteration of the gene that is not called a passenger.
    Alteration(&'static str),
    /// Methylation of the gene.
    Methylation(&'static str),
}

/// The effect of a binary datum on one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The datum, in words: `TP53 mutation`.
    pub datum: &'static str,
    /// What else tells of it.
    pub sign: Sign,
    /// The parameter that it moves.
    pub parameter: &'static str,
    /// UCUM unit of the medians.
    pub unit: &'static str,
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
    /// The effect of a datum that is the upper share `frequency` of a quantity which has `correlation` with the logarithm of `parameter`,
    /// which the `population` has.
    ///
    /// The group means of the logarithm lie `r φ(z)/p` above and `r φ(z)/(1 - p)` below the mean, in standard deviations, with the
    /// frequency `p` and its normal quantile `z`; the deviation within a group is what is left, so that the mixture has the population's.
    ///
    /// # Errors
    /// [`CoreError`] unless the frequency lies between 0 and 1 and the correlation between -1 and 1, so that something is left.
    pub fn of_correlation(
        (datum, sign): (&'static str, Sign),
        (parameter, unit, population): (&'static str, &'static str, LogNormal),
        correlation: f64,
        frequency: f64,
        source: Source,
    ) -> Result<Self, CoreError> {
        let share = open_proportion("frequency of a datum", frequency)?;
        let r = within("correlation of a datum and a parameter", correlation, correlation.abs() < 1.0, "between -1 and 1")?;
        let (density, width) = (normal_density(normal_quantile(share)), population.ln_deviation());
        let group = |away: f64| (population.ln_median() + width * r * away).exp();
        let ln_deviation = width * (1.0 - r * r * density * density / (share * (1.0 - share))).sqrt();
        let (present, absent) = (group(density / share), group(-density / (1.0 - share)));
        Ok(Self { datum, sign, parameter, unit, present, absent, frequency, ln_deviation, source })
    }

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
                let share = open_proportion("frequency of a datum", self.frequency)?;
                let difference = present.ln_median() - absent.ln_median();
                let ln_median = absent.ln_median() + share * difference;
                let variance = self.ln_deviation.powi(2) + share * (1.0 - share) * difference.powi(2);
                LogNormal::of_logarithm(ln_median, variance.sqrt())
            }
        }
    }

    /// Which datum moved which parameter by how much, against a population in which it is unknown.
    ///
    /// # Errors
    /// As [`Effect::distribution`].
    pub fn movement(&self, datum: Datum) -> Result<Movement, CoreError> {
        Ok(Movement {
            datum: self.datum,
            finding: (datum != Datum::Unknown).then(|| datum.word().to_owned()),
            parameter: self.parameter,
            unit: self.unit,
            population: self.distribution(Datum::Unknown)?,
            given: self.distribution(datum)?,
            source: self.source.clone(),
        })
    }

    /// [`Effect::movement`] in one sentence.
    ///
    /// # Errors
    /// As [`Effect::distribution`].
    pub fn explanation(&self, datum: Datum) -> Result<String, CoreError> {
        self.movement(datum).map(|movement| movement.to_string())
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
                sign: Sign::Biomarker,
                parameter: "repair_rate",
                unit: "/mo",
                present: 0.00807,
                absent: 0.00947,
                frequency: 0.3,
                ln_deviation: ln_deviation(1.62),
                source: source.clone(),
            },
            Self {
                datum: "TP53 mutation",
                sign: Sign::Alteration("TP53"),
                parameter: "damage",
                unit: "1",
                present: 0.143,
                absent: 0.254,
                frequency: 0.5,
                ln_deviation: ln_deviation(0.69),
                source,
            },
        ]
    }

    /// The effect of MGMT promoter methylation on the kill by temozolomide in a composed model with `log_kill(temozolomide)`.
    ///
    /// Published (J Neurooncol 2009 92:23, orthotopic glioblastoma xenografts): the response to temozolomide has the correlation 0.72 with the
    /// methylation signal, and about half of glioblastomas are methylated. Assumed: the kill rate of the population, around the default of that
    /// parameter and with the spread of the damage by temozolomide among low-grade gliomas (69 %).
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn mgmt_methylation() -> Result<Self, CoreError> {
        let source = Source::published(
            "evaluation of MGMT methylation and temozolomide response in orthotopic xenografts, J Neurooncol 2009 92:23: correlation 0.72, half methylated; the population's kill rate is assumed",
        );
        let population = LogNormal::new(0.05, 0.69_f64.powi(2).ln_1p().sqrt())?;
        let datum = ("MGMT promoter methylation", Sign::Methylation("MGMT"));
        Self::of_correlation(datum, ("temozolomide_log_kill_kill_rate", "L/(mg.d)", population), 0.72, 0.5, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_datum_widens_the_distribution() {
        let [codeletion, tp53] = Effect::low_grade_glioma();
        for effect in [codeletion, tp53] {
            let width = |datum| effect.distribution(datum).unwrap().ln_deviation();
            assert!(width(Datum::Unknown) > width(Datum::Present));
            let median = |datum| effect.distribution(datum).unwrap().median();
            assert!(median(Datum::Present) < median(Datum::Unknown) && median(Datum::Unknown) < median(Datum::Absent));
            assert!(effect.explanation(Datum::Present).unwrap().contains(effect.parameter));
        }
    }

    #[test]
    fn the_mixture_of_a_dichotomized_correlation_is_the_population() {
        let population = LogNormal::new(3.0, 0.8).unwrap();
        for (r, share) in [(0.72, 0.5), (-0.4, 0.2), (0.9, 0.95)] {
            let effect =
                Effect::of_correlation(("x", Sign::Biomarker), ("y", "1", population), r, share, Source::assumed("a test"))
                    .unwrap();
            let unknown = effect.distribution(Datum::Unknown).unwrap();
            assert!((unknown.median() - 3.0).abs() < 1e-12 && (unknown.ln_deviation() - 0.8).abs() < 1e-12);
            assert_eq!(effect.present > effect.absent, r > 0.0);
        }
        assert!(
            Effect::of_correlation(("x", Sign::Biomarker), ("y", "1", population), 1.0, 0.5, Source::assumed("a test")).is_err()
        );
    }

    #[test]
    fn methylated_tumors_are_killed_faster() {
        let effect = Effect::mgmt_methylation().unwrap();
        let median = |datum| effect.distribution(datum).unwrap().median();
        assert!(median(Datum::Present) > 1.5 * median(Datum::Absent));
    }
}
