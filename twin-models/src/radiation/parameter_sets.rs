//! Radiosensitivities by disease.

use super::{AlphaBetaRatio, LinearQuadratic};
use crate::Source;
use twin_core::CoreError;

/// The radiosensitivity of a disease.
#[derive(Debug, Clone, PartialEq)]
pub struct RadiosensitivitySet {
    /// The disease.
    pub disease: &'static str,
    /// α per Gy.
    pub alpha: f64,
    /// α/β in Gy.
    pub ratio: f64,
    /// Oxygen enhancement ratio of the hypoxic cells, where the source has one.
    pub oxygen_enhancement: Option<f64>,
    /// Where the values come from.
    pub source: Source,
}

/// The sets at hand.
pub const RADIOSENSITIVITY_SETS: &[RadiosensitivitySet] = &[
    RadiosensitivitySet {
        disease: "early-stage non-small-cell lung cancer",
        alpha: 0.305,
        ratio: 2.80,
        oxygen_enhancement: Some(1.70),
        source: Source::published(
            "Jeong et al. 2017, Clin Cancer Res: 36 + 2 cohorts, 2701 patients; 95 % intervals 0.120 to 0.365 per Gy, 0.40 to 4.40 Gy, 1.55 to 2.25",
        ),
    },
    RadiosensitivitySet {
        disease: "glioma, demonstration of TumorTwin",
        alpha: 0.025,
        ratio: 10.0,
        oxygen_enhancement: None,
        source: Source::published("demonstration of TumorTwin"),
    },
    RadiosensitivitySet {
        disease: "glioblastoma, upper end of patient-specific fits",
        alpha: 0.036,
        ratio: 10.0,
        oxygen_enhancement: None,
        source: Source::unconfirmed("practice of patient-specific glioma models after Rockne et al. 2010, recalled"),
    },
];

impl RadiosensitivitySet {
    /// The linear-quadratic model of well-oxygenated cells.
    ///
    /// # Errors
    /// None for the sets as they stand.
    pub fn model(&self) -> Result<LinearQuadratic, CoreError> {
        LinearQuadratic::with_ratio(self.alpha, AlphaBetaRatio::from_gray(self.ratio)?)
    }

    /// The model of hypoxic cells, where the source has an oxygen enhancement ratio.
    ///
    /// # Errors
    /// None for the sets as they stand.
    pub fn hypoxic(&self) -> Result<Option<LinearQuadratic>, CoreError> {
        self.oxygen_enhancement.map(|ratio| self.model()?.at_oxygen_enhancement(ratio)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_core::AbsorbedDose;

    #[test]
    fn every_set_is_a_model_and_hypoxia_protects() {
        let two = AbsorbedDose::from_gray(2.0).unwrap();
        for set in RADIOSENSITIVITY_SETS {
            let survival = set.model().unwrap().survival(30, two);
            assert!(survival > 0.0 && survival < 1.0, "{}", set.disease);
            if let Some(hypoxic) = set.hypoxic().unwrap() {
                assert!(hypoxic.survival(30, two) > survival);
            }
        }
    }
}
