//! Doses and clearances from covariates.

use crate::check::{not_negative, positive};
use twin_core::{CoreError, Quantity, Sex};

/// The dose of carboplatin in mg for a target exposure: `AUC · (GFR + 25)`, with the exposure in mg·min/mL and the glomerular
/// filtration rate in mL/min.
///
/// Calvert et al. 1989, doi:10.1200/JCO.1989.7.11.1748.
///
/// ```
/// use twin_core::Quantity;
/// use twin_models::kinetics::calvert_dose;
/// let dose = calvert_dose(5.0, &Quantity::new(90.0, "mL/min")?)?;
/// assert_eq!(dose.value_in("mg")?, 575.0);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for an exposure that is not above 0, or a rate that is negative or no volume per time.
pub fn calvert_dose(exposure_mg_min_per_ml: f64, filtration: &Quantity) -> Result<Quantity, CoreError> {
    let exposure = positive("exposure in mg min/mL", exposure_mg_min_per_ml)?;
    let filtration = not_negative("glomerular filtration rate in mL/min", filtration.value_in("mL/min")?)?;
    Quantity::new(exposure * (filtration + 25.0), "mg")
}

/// The apparent clearance of temozolomide in L/h by body surface and sex, in proportion to the surface.
///
/// Jen et al. 2000, Pharmaceutical Research 17:1284 (445 patients), states 11.2 L/h for a man of 2.0 m² and 8.8 L/h for a woman of 1.7 m²; that it
/// is proportional to the surface in between is this library's reading.
///
/// # Errors
/// [`CoreError`] for a surface that is not above 0 or no area, and for a sex that is neither of the two.
pub fn temozolomide_clearance(body_surface: &Quantity, sex: Sex) -> Result<f64, CoreError> {
    let area = positive("body surface in m2", body_surface.value_in("m2")?)?;
    match sex {
        Sex::Male => Ok(area * 11.2 / 2.0),
        Sex::Female => Ok(area * 8.8 / 1.7),
        other => {
            let detail = format!("the clearance of temozolomide is known for men and women, not for {other:?}");
            Err(CoreError::Conflict { what: "clearance by sex", detail })
        }
    }
}

/// Covariates of the kinetics of nivolumab.
///
/// The effects are those of Bajaj et al. 2017, doi:10.1002/psp4.12143 (1895 patients). That those of sex, performance and race enter as
/// `exp(effect)` is this library's reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NivolumabCovariates {
    /// Body weight, in kg.
    pub weight_kg: f64,
    /// Estimated glomerular filtration rate, in mL/min per 1.73 m².
    pub filtration_ml_per_min: f64,
    /// Whether the patient is male.
    pub male: bool,
    /// Whether the ECOG performance status is 1 or more.
    pub impaired: bool,
    /// Whether the patient is Asian.
    pub asian: bool,
}

impl NivolumabCovariates {
    /// Clearance in L/h and central volume in L, relative to the reference patient: a woman of 80 kg, 90 mL/min, ECOG 0, not Asian.
    ///
    /// # Errors
    /// [`CoreError`] unless weight and filtration are finite and above 0.
    pub fn clearance_and_volume(&self) -> Result<(f64, f64), CoreError> {
        let weight = positive("body weight in kg", self.weight_kg)? / 80.0;
        let filtration = positive("glomerular filtration rate in mL/min", self.filtration_ml_per_min)? / 90.0;
        let effect = |applies: bool, effect: f64| if applies { effect } else { 0.0 };
        let on_clearance = effect(self.male, 0.165) + effect(self.impaired, 0.172) + effect(self.asian, -0.125);
        let clearance = 0.0094 * weight.powf(0.566) * filtration.powf(0.186) * on_clearance.exp();
        Ok((clearance, 3.63 * weight.powf(0.597) * effect(self.male, 0.152).exp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clearance_of_temozolomide_is_that_of_both_sexes_at_their_sizes() {
        let of = |area: f64, sex: Sex| temozolomide_clearance(&Quantity::new(area, "m2").unwrap(), sex);
        assert!((of(2.0, Sex::Male).unwrap() - 11.2).abs() < 1e-12 && (of(1.7, Sex::Female).unwrap() - 8.8).abs() < 1e-12);
        assert!(of(0.0, Sex::Male).is_err());
    }
}
