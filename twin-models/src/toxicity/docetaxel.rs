//! Neutrophils under docetaxel by covariates.

use super::Friberg;
use crate::Source;
use crate::check::not_negative;
use twin_core::{CoreError, Observable};

/// Covariates of the neutrophils under docetaxel.
///
/// The effects are those of Kloft et al. 2006, as in DDMODEL00000224; that they multiply each other is this library's reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DocetaxelCovariates {
    /// Whether the patient is female.
    pub female: bool,
    /// Whether the ECOG performance status is 1 or more.
    pub impaired: bool,
    /// Whether there was chemotherapy before.
    pub previously_treated: bool,
    /// Alpha-1-acid glycoprotein, in g/L.
    pub acid_glycoprotein_g_per_l: f64,
}

/// The glycoprotein of the typical patient, in g/L.
const TYPICAL: f64 = 1.34;

impl DocetaxelCovariates {
    /// Count before treatment in 10⁹/L and slope in L/µmol: 5.22 and 15.6 for a man of ECOG 0 without chemotherapy before and with 1.34 g/L.
    ///
    /// # Errors
    /// [`CoreError`] for a glycoprotein that is negative or not finite.
    pub fn baseline_and_slope(&self) -> Result<(f64, f64), CoreError> {
        let away = not_negative("alpha-1-acid glycoprotein in g/L", self.acid_glycoprotein_g_per_l)? - TYPICAL;
        let effect = |applies: bool, effect: f64| if applies { 1.0 + effect } else { 1.0 };
        let by_protein = 1.0 + away * if away > 0.0 { 0.495 } else { 0.175 };
        let by_status = effect(self.female, -0.121) * effect(self.impaired, 0.130) * effect(self.previously_treated, -0.147);
        Ok((5.22 * by_status * by_protein, 15.6 * (1.0 - 0.351 * away)))
    }

    /// [`Friberg::docetaxel`] for such a patient.
    ///
    /// # Errors
    /// [`CoreError`] for a glycoprotein so far from the typical one that baseline or slope leave the ranges of their parameters.
    pub fn friberg(&self) -> Result<Friberg, CoreError> {
        let (baseline, slope) = self.baseline_and_slope()?;
        let source = Source::published("Kloft et al. 2006, as in DDMODEL00000224, neutrophils under docetaxel by covariates");
        Friberg::new(Observable::NEUTROPHILS, 807.9, [baseline, 84.2, 0.145, slope], source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typical() -> DocetaxelCovariates {
        DocetaxelCovariates { female: false, impaired: false, previously_treated: false, acid_glycoprotein_g_per_l: 1.34 }
    }

    #[test]
    fn the_typical_patient_has_the_typical_values_and_effects_have_their_signs() {
        let of = |covariates: DocetaxelCovariates| covariates.baseline_and_slope().unwrap();
        assert_eq!(of(typical()), (5.22, 15.6));
        assert!((of(DocetaxelCovariates { female: true, ..typical() }).0 / 5.22 - 0.879).abs() < 1e-12);
        let inflamed = of(DocetaxelCovariates { acid_glycoprotein_g_per_l: 2.34, ..typical() });
        assert!((inflamed.0 / 5.22 - 1.495).abs() < 1e-12 && (inflamed.1 / 15.6 - 0.649).abs() < 1e-12);
        let low = of(DocetaxelCovariates { acid_glycoprotein_g_per_l: 0.34, ..typical() });
        assert!((low.0 / 5.22 - 0.825).abs() < 1e-12);
    }

    #[test]
    fn what_leaves_the_ranges_is_refused() {
        assert!(typical().friberg().is_ok());
        assert!(DocetaxelCovariates { acid_glycoprotein_g_per_l: 4.5, ..typical() }.friberg().is_err());
        assert!(DocetaxelCovariates { acid_glycoprotein_g_per_l: f64::NAN, ..typical() }.friberg().is_err());
    }
}
