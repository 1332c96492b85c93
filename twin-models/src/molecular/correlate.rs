//! What a measured quantity makes of a parameter that it correlates with.

use super::{LogNormal, Movement};
use crate::Source;
use crate::check::{positive, within};
use twin_core::CoreError;

/// A measured quantity that correlates with a parameter, both log-normal among patients: a monotone map with its uncertainty.
///
/// Given the measurement `x`, the logarithm of the parameter has the mean `m + r s (ln x - m_x)/s_x` and the standard deviation
/// `s √(1 - r²)`, with the population's `m`, `s` and the measurement's `m_x`, `s_x`; without it, `m` and `s`.
///
/// ```
/// use twin_models::molecular::Correlate;
/// let proliferation = Correlate::ki67_and_growth_of_breast_cancer(0.5)?;
/// let (given, unknown) = (proliferation.distribution(Some(40.0))?, proliferation.distribution(None)?);
/// assert!(given.median() > unknown.median() && given.ln_deviation() < unknown.ln_deviation());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Correlate {
    /// The measurement: the name of its biomarker.
    pub datum: &'static str,
    /// UCUM unit of the measurement.
    pub unit: &'static str,
    /// The measurement among patients.
    pub measured: LogNormal,
    /// The parameter that it moves.
    pub parameter: &'static str,
    /// UCUM unit of the parameter.
    pub parameter_unit: &'static str,
    /// The parameter among patients of whom nothing is known.
    pub population: LogNormal,
    /// Correlation of the two logarithms.
    pub correlation: f64,
    /// Where the correlation comes from.
    pub source: Source,
}

impl Correlate {
    /// The distribution of the parameter given the measurement; that of the population, which is wider, without one.
    ///
    /// # Errors
    /// [`CoreError`] for a measurement that is not above 0, or a correlation that is not between -1 and 1.
    pub fn distribution(&self, measurement: Option<f64>) -> Result<LogNormal, CoreError> {
        let r = self.correlation;
        let r = within("correlation of a measurement and a parameter", r, r.abs() < 1.0, "between -1 and 1")?;
        let Some(measurement) = measurement else { return Ok(self.population) };
        let away = (positive("a measurement that correlates", measurement)?.ln() - self.measured.ln_median())
            / self.measured.ln_deviation();
        let width = self.population.ln_deviation();
        LogNormal::of_logarithm(self.population.ln_median() + r * width * away, width * (1.0 - r * r).sqrt())
    }

    /// Which measurement moved which parameter by how much.
    ///
    /// # Errors
    /// As [`Correlate::distribution`].
    pub fn movement(&self, measurement: Option<f64>) -> Result<Movement, CoreError> {
        Ok(Movement {
            datum: self.datum,
            finding: measurement.map(|value| if self.unit == "1" { format!("{value}") } else { format!("{value} {}", self.unit) }),
            parameter: self.parameter,
            unit: self.parameter_unit,
            population: self.population,
            given: self.distribution(measurement)?,
            source: self.source.clone(),
        })
    }

    /// This measurement and the parameter that `next` links to what this one moves: correlations multiply where the measurement tells of the
    /// parameter through the quantity in between alone.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] unless this moves the datum of `next`.
    pub fn through(&self, next: &Self) -> Result<Self, CoreError> {
        if self.parameter != next.datum {
            let detail = format!("`{}` moves `{}`, but the next link starts at `{}`", self.datum, self.parameter, next.datum);
            return Err(CoreError::Conflict { what: "chain of two links", detail });
        }
        Ok(Self {
            parameter: next.parameter,
            parameter_unit: next.parameter_unit,
            population: next.population,
            correlation: self.correlation * next.correlation,
            source: Source::assumed("the product of two correlations, through the quantity in between"),
            ..self.clone()
        })
    }

    /// The Ki-67 labeling index of lung cancer by the uptake of fluorothymidine (SUVmax): correlation 0.65 (95 % interval 0.56 to 0.73; 8
    /// studies). The mean uptake is the pooled 3.86; the spreads, and the median index of 25 %, are assumed.
    ///
    /// Meta-analysis in Acta Radiologica 2018, doi:10.1177/0284185117706609.
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn fluorothymidine_and_ki67_of_lung_cancer() -> Result<Self, CoreError> {
        Self::uptake("FLT SUVmax", LogNormal::with_mean(3.86, 0.5)?, 0.65)
    }

    /// The same by the uptake of fluorodeoxyglucose: correlation 0.45 (0.41 to 0.50; 22 studies), mean uptake 7.59.
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn fluorodeoxyglucose_and_ki67_of_lung_cancer() -> Result<Self, CoreError> {
        Self::uptake("FDG SUVmax", LogNormal::with_mean(7.59, 0.5)?, 0.45)
    }

    fn uptake(datum: &'static str, measured: LogNormal, correlation: f64) -> Result<Self, CoreError> {
        let source = Source::published("meta-analysis in Acta Radiologica 2018, doi:10.1177/0284185117706609: correlation");
        let population = LogNormal::new(25.0, 0.7)?;
        Ok(Self { datum, unit: "1", measured, parameter: "Ki-67", parameter_unit: "%", population, correlation, source })
    }

    /// The growth rate of breast cancer, per day, by its Ki-67 labeling index in percent.
    ///
    /// Published (Zhang et al. 2017, 69 patients by ultrasound): the volume doubles in a median of 164 days, mean 185 and standard
    /// deviation 126; and doubling times differ by Ki-67. No universal constant of that link is accepted, so its `correlation` is yours to
    /// state. Assumed: a median index of 20 % and its spread.
    ///
    /// # Errors
    /// [`CoreError`] for a correlation that is not between -1 and 1.
    pub fn ki67_and_growth_of_breast_cancer(correlation: f64) -> Result<Self, CoreError> {
        let correlation = within("correlation of Ki-67 and growth", correlation, correlation.abs() < 1.0, "between -1 and 1")?;
        let width = LogNormal::with_mean(185.0, 126.0 / 185.0)?.ln_deviation();
        Ok(Self {
            datum: "Ki-67",
            unit: "%",
            measured: LogNormal::new(20.0, 0.8)?,
            parameter: "growth_rate",
            parameter_unit: "/d",
            population: LogNormal::new(std::f64::consts::LN_2 / 164.0, width)?,
            correlation,
            source: Source::assumed(
                "correlation stated by the caller; doubling times of Zhang et al. 2017, doi:10.12659/MSM.901566",
            ),
        })
    }

    /// The radiosensitivity of a composed model, per Gy, by the radiosensitivity index: a correlation that is negative where the index says
    /// what it is meant to say.
    ///
    /// The evidence is disputed: outcomes by the genomic dose (Scott et al. 2021, doi:10.1016/S1470-2045(21)00347-8) stand against a
    /// reanalysis that found no value in it (Mistry 2023, doi:10.1016/j.clon.2023.02.018), so the `correlation` is yours to state. The
    /// distributions of index and radiosensitivity are assumed. For the point value of the publication see
    /// [`GenomicRadiosensitivity`](super::GenomicRadiosensitivity).
    ///
    /// # Errors
    /// [`CoreError`] for a correlation that is not between -1 and 0.
    pub fn index_and_radiosensitivity(correlation: f64) -> Result<Self, CoreError> {
        let holds = correlation > -1.0 && correlation <= 0.0;
        let correlation =
            within("correlation of the radiosensitivity index and alpha", correlation, holds, "above -1 and 0 or below")?;
        Ok(Self {
            datum: "RSI",
            unit: "1",
            measured: LogNormal::new(0.35, 0.4)?,
            parameter: "radiation_alpha",
            parameter_unit: "/Gy",
            population: LogNormal::new(0.3, 0.5)?,
            correlation,
            source: Source::assumed("correlation stated by the caller; the evidence is disputed"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regression_is_that_of_the_joint_distribution() {
        // The mean and the variance over measurements are those of the population.
        let link = Correlate::fluorothymidine_and_ki67_of_lung_cancer().unwrap();
        let mut random = twin_core::Random::new(3);
        let n = 100_000;
        let draws: Vec<f64> =
            (0..n).map(|_| link.distribution(Some(link.measured.sample(&mut random))).unwrap().sample(&mut random).ln()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - link.population.ln_median()).abs() < 0.01);
        assert!((variance.sqrt() / link.population.ln_deviation() - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_chain_of_links_tells_less_than_its_last_one() {
        let uptake = Correlate::fluorothymidine_and_ki67_of_lung_cancer().unwrap();
        let growth = Correlate::ki67_and_growth_of_breast_cancer(0.6).unwrap();
        let chain = uptake.through(&growth).unwrap();
        assert!((chain.correlation - 0.39).abs() < 1e-12);
        let width = |link: &Correlate, value| link.distribution(value).unwrap().ln_deviation();
        assert!(width(&chain, Some(8.0)) > width(&growth, Some(40.0)) && width(&chain, Some(8.0)) < width(&chain, None));
        assert!(growth.through(&uptake).is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let link = Correlate::ki67_and_growth_of_breast_cancer(0.5).unwrap();
        assert!(link.distribution(Some(0.0)).is_err() && link.distribution(Some(f64::NAN)).is_err());
        assert!(Correlate::ki67_and_growth_of_breast_cancer(1.0).is_err());
        assert!(Correlate::index_and_radiosensitivity(0.3).is_err());
    }
}
