//! Normal-tissue complication probability.

use super::DoseVolume;
use crate::Source;
use crate::special::normal_distribution;
use twin_core::CoreError;

/// How a dose-volume histogram becomes a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ComplicationModel {
    /// Lyman, Kutcher and Burman: `Φ((gEUD - TD50) / (m TD50))` with the exponent `1/n`.
    Lyman {
        /// Dose to the whole organ with half the probability, in Gy.
        td50: f64,
        /// Effect of volume: 1 is the mean dose, near 0 the greatest.
        n: f64,
        /// Inverse of the steepness.
        m: f64,
    },
    /// Logistic in the mean dose: `1 / (1 + exp(-(b0 + b1 D)))`.
    MeanDose {
        /// Intercept.
        b0: f64,
        /// Slope per Gy.
        b1: f64,
    },
    /// Logistic in the greatest dose, through two points of a published summary.
    GreatestDose {
        /// (Dose in Gy, probability) of the first point.
        first: (f64, f64),
        /// The second.
        second: (f64, f64),
    },
}

/// One row of the literature: a complication of an organ, its model and where it comes from.
///
/// Rows for one organ disagree, by more than a factor of two for the lung: show them side by side, never one alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Complication {
    /// The organ, in lower case.
    pub organ: &'static str,
    /// What is counted as a complication.
    pub endpoint: &'static str,
    /// How its probability follows from the dose.
    pub model: ComplicationModel,
    /// Where the values come from.
    pub source: Source,
}

macro_rules! rows {
    ($($organ:literal, $endpoint:literal, $model:expr, $source:ident($citation:literal);)*) => {
        /// The rows of the literature. Each source says whether its values were checked against it.
        pub const COMPLICATIONS: &[Complication] = &[$(Complication {
            organ: $organ, endpoint: $endpoint, model: $model, source: Source::$source($citation),
        }),*];
    };
}

const fn lyman(td50: f64, n: f64, m: f64) -> ComplicationModel {
    ComplicationModel::Lyman { td50, n, m }
}

rows! {
    "parotid", "salivary flow below 25 % at one year", lyman(39.9, 1.0, 0.40), published("Dijkema et al. 2010, combined Michigan and Utrecht experience, 384 glands");
    "lung", "symptomatic pneumonitis", ComplicationModel::MeanDose { b0: -3.87, b1: 0.126 }, unconfirmed("Marks et al. 2010 (QUANTEC)");
    "lung", "symptomatic pneumonitis, pooled", lyman(30.8, 1.0, 0.37), unconfirmed("pooled Lyman fit");
    "lung", "pneumonitis", lyman(29.9, 1.0, 0.41), unconfirmed("Semenenko and Li 2008");
    "lung", "pneumonitis, early tolerance data", lyman(24.5, 0.87, 0.18), unconfirmed("Burman et al. 1991");
    "rectum", "bleeding of grade 2 or more", lyman(76.9, 0.09, 0.13), unconfirmed("Michalski et al. 2010 (QUANTEC)");
    "liver", "radiation-induced liver disease, primary tumor", lyman(39.8, 0.97, 0.12), unconfirmed("Pan et al. 2010 (QUANTEC)");
    "liver", "radiation-induced liver disease, metastases", lyman(45.8, 0.97, 0.12), unconfirmed("Pan et al. 2010 (QUANTEC)");
    "kidney", "clinical dysfunction, both kidneys by their mean dose", ComplicationModel::MeanDose { b0: -8.244_429_141_666, b1: 0.294_443_897_916_6 }, published("QUANTEC summary: below 5 % at a mean of 18 Gy, below 50 % at 28 Gy; the logistic curve through both bounds, an upper one");
    "kidney", "nephritis, early tolerance data", lyman(28.0, 0.70, 0.10), unconfirmed("Burman et al. 1991");
    "spinal cord", "myelopathy", ComplicationModel::GreatestDose { first: (50.0, 0.002), second: (60.0, 0.06) }, published("QUANTEC summary: 0.2 % at 50 Gy, 6 % at 60 Gy");
    "spinal cord", "myelopathy, early tolerance data (overstates the risk)", lyman(66.5, 0.05, 0.175), unconfirmed("Burman et al. 1991");
    "brain", "necrosis", lyman(60.0, 0.25, 0.15), unconfirmed("Burman et al. 1991");
    "brain", "symptomatic necrosis", ComplicationModel::GreatestDose { first: (72.0, 0.05), second: (90.0, 0.10) }, published("QUANTEC summary: 5 % at 72 Gy, 10 % at 90 Gy, in fractions of 2 Gy");
}

/// Every row of `organ` with its probability after the dose `organ_dose`, side by side.
///
/// ```
/// use twin_models::toxicity::{DoseVolume, complications};
/// let rows = complications("kidney", &DoseVolume::uniform(20.0)?)?;
/// let risks: Vec<f64> = rows.iter().map(|(_, risk)| *risk).collect();
/// assert!(risks.len() == 2 && risks[0] > 10.0 * risks[1]); // show the spread, never one row alone
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError::Text`] for an organ without a row, listing those there are.
pub fn complications(organ: &str, organ_dose: &DoseVolume) -> Result<Vec<(&'static Complication, f64)>, CoreError> {
    let of_organ = COMPLICATIONS.iter().filter(|row| row.organ == organ);
    let rows = of_organ.map(|row| Ok((row, row.model.probability(organ_dose)?))).collect::<Result<Vec<_>, CoreError>>()?;
    if rows.is_empty() {
        let valid = "`parotid`, `lung`, `rectum`, `liver`, `kidney`, `spinal cord` or `brain`";
        return Err(CoreError::Text { what: "an organ with a row of the literature", text: organ.to_owned(), valid });
    }
    Ok(rows)
}

impl ComplicationModel {
    /// The probability of the complication after the dose of `organ`.
    ///
    /// # Errors
    /// [`CoreError`] for parameters that are no model: `td50`, `n` or `m` not above 0, an intercept or slope that is not finite, points
    /// of equal doses or with probabilities that are not between 0 and 1.
    pub fn probability(&self, organ: &DoseVolume) -> Result<f64, CoreError> {
        use crate::check::{open_proportion, positive, within};
        match *self {
            Self::Lyman { td50, n, m } => {
                let td50 = positive("dose of half probability in Gy", td50)?;
                let dose = organ.equivalent_uniform_dose(1.0 / positive("effect of volume n", n)?)?;
                Ok(normal_distribution((dose - td50) / (positive("slope m", m)? * td50)))
            }
            Self::MeanDose { b0, b1 } => {
                let b0 = within("intercept of a logistic model", b0, true, "finite")?;
                let b1 = within("slope of a logistic model per Gy", b1, true, "finite")?;
                Ok(1.0 / (1.0 + (-b0 - b1 * organ.mean_dose()).exp()))
            }
            Self::GreatestDose { first: (low, at_low), second: (high, at_high) } => {
                let logit = |p: f64| open_proportion("probability of a complication", p).map(|p| (p / (1.0 - p)).ln());
                let apart = positive("distance of two doses of a summary in Gy", high - low)?;
                let (at_low, at_high) = (logit(at_low)?, logit(at_high)?);
                let dose = organ.greatest_dose();
                Ok(1.0 / (1.0 + (-at_low - (at_high - at_low) * (dose - low) / apart).exp()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_organ_has_its_rows_and_others_are_refused_with_the_list() {
        let dose = DoseVolume::uniform(40.0).unwrap();
        for row in COMPLICATIONS {
            assert!(complications(row.organ, &dose).unwrap().iter().any(|(found, _)| *found == row), "{}", row.organ);
        }
        let error = complications("heart", &dose).unwrap_err().to_string();
        assert!(COMPLICATIONS.iter().all(|row| error.contains(row.organ)), "{error}");
    }
}
