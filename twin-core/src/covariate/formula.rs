//! Published formulas of body size and renal function.

use super::Sex;
use crate::{CoreError, Quantity};

/// Creatinine: mg/dL to the umol/L, from a molar mass of 113.12 g/mol.
const UMOL_PER_L_IN_MG_PER_DL: f64 = 88.4;

fn positive(what: &'static str, value: f64) -> Result<f64, CoreError> {
    if value > 0.0 { Ok(value) } else { Err(CoreError::OutOfRange { what, value, valid: "above 0" }) }
}

/// Body surface area in m2: the square root of `height` in cm times `weight` in kg over 3600.
///
/// Mosteller 1987, doi:10.1056/NEJM198710223171717.
///
/// ```
/// use twin_core::{Quantity, body_surface_area_mosteller};
/// let area = body_surface_area_mosteller(&Quantity::new(170.0, "cm")?, &Quantity::new(70.0, "kg")?)?;
/// assert!((area.value_in("m2")? - 1.8181).abs() < 1e-4);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError::Incommensurable`] for a height that is no length or a weight that is no mass, [`CoreError::OutOfRange`] unless both
/// are above 0.
pub fn body_surface_area_mosteller(height: &Quantity, weight: &Quantity) -> Result<Quantity, CoreError> {
    let (height_cm, weight_kg) = body_size(height, weight)?;
    Quantity::new((height_cm * weight_kg / 3600.0).sqrt(), "m2")
}

/// Body surface area in m2: 0.007184 times `height` in cm to the power 0.725 times `weight` in kg to the power 0.425.
///
/// Du Bois and Du Bois 1916, doi:10.1001/archinte.1916.00080130010002.
///
/// # Errors
/// As [`body_surface_area_mosteller`].
pub fn body_surface_area_du_bois(height: &Quantity, weight: &Quantity) -> Result<Quantity, CoreError> {
    let (height_cm, weight_kg) = body_size(height, weight)?;
    Quantity::new(0.007_184 * height_cm.powf(0.725) * weight_kg.powf(0.425), "m2")
}

fn body_size(height: &Quantity, weight: &Quantity) -> Result<(f64, f64), CoreError> {
    let height_cm = positive("body height in cm", height.value_in("cm")?)?;
    let weight_kg = positive("body weight in kg", weight.value_in("kg")?)?;
    Ok((height_cm, weight_kg))
}

/// Creatinine clearance in mL/min: (140 - `age` in years) times `weight` in kg over 72 times `creatinine` in mg/dL; for women
/// times 0.85.
///
/// Cockcroft and Gault 1976, doi:10.1159/000180580. Made for adults with stable creatinine. `creatinine` may be a mass or an
/// amount per volume (1 mg/dL is 88.4 umol/L).
///
/// ```
/// use twin_core::{Quantity, Sex, creatinine_clearance_cockcroft_gault};
/// let of = |value, unit: &str| Quantity::new(value, unit);
/// let clearance = creatinine_clearance_cockcroft_gault(&of(60.0, "a")?, &of(70.0, "kg")?, &of(1.0, "mg/dL")?, Sex::Male)?;
/// assert!((clearance.value_in("mL/min")? - 77.78).abs() < 0.01);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError::OutOfRange`] unless the age is 18 to less than 140 years, and weight and creatinine are above 0;
/// [`CoreError::Incommensurable`] for a quantity of the wrong kind; [`CoreError::Conflict`] for a sex that the formula does not know.
pub fn creatinine_clearance_cockcroft_gault(
    age: &Quantity,
    weight: &Quantity,
    creatinine: &Quantity,
    sex: Sex,
) -> Result<Quantity, CoreError> {
    let age_years = age.value_in("a")?;
    if !(18.0..140.0).contains(&age_years) {
        return Err(CoreError::OutOfRange {
            what: "age in years for Cockcroft-Gault",
            value: age_years,
            valid: "18 to less than 140",
        });
    }
    let weight_kg = positive("body weight in kg", weight.value_in("kg")?)?;
    let creatinine_mg_per_dl = positive("creatinine in mg/dL", mg_per_dl(creatinine)?)?;
    let factor = match sex {
        Sex::Male => 1.0,
        Sex::Female => 0.85,
        Sex::Other => {
            let detail = "Cockcroft-Gault is defined for female and male only".to_owned();
            return Err(CoreError::Conflict { what: "creatinine clearance", detail });
        }
    };
    Quantity::new(factor * (140.0 - age_years) * weight_kg / (72.0 * creatinine_mg_per_dl), "mL/min")
}

fn mg_per_dl(creatinine: &Quantity) -> Result<f64, CoreError> {
    match creatinine.value_in("mg/dL") {
        Err(CoreError::Incommensurable { .. }) => Ok(creatinine.value_in("umol/L")? / UMOL_PER_L_IN_MG_PER_DL),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn quantity(value: f64, unit: &str) -> Quantity {
        Quantity::new(value, unit).unwrap()
    }

    fn clearance(age: f64, creatinine: (f64, &str), sex: Sex) -> Result<f64, CoreError> {
        let creatinine = quantity(creatinine.0, creatinine.1);
        creatinine_clearance_cockcroft_gault(&quantity(age, "a"), &quantity(70.0, "kg"), &creatinine, sex).map(|c| c.value())
    }

    #[test]
    fn mosteller1987_and_du_bois1916_body_surface_area() {
        for height in [quantity(170.0, "cm"), quantity(1.7, "m")] {
            let weight = quantity(70.0, "kg");
            assert!((body_surface_area_mosteller(&height, &weight).unwrap().value() - 1.8181).abs() < 1e-4);
            assert!((body_surface_area_du_bois(&height, &weight).unwrap().value() - 1.8097).abs() < 1e-4);
        }
    }

    #[test]
    fn cockcroft_gault1976_creatinine_clearance() {
        let male = clearance(60.0, (1.0, "mg/dL"), Sex::Male).unwrap();
        assert!((male - 77.78).abs() < 0.01, "{male}");
        assert!((clearance(60.0, (1.0, "mg/dL"), Sex::Female).unwrap() - 0.85 * male).abs() < 1e-9);
        assert!((clearance(60.0, (88.4, "umol/L"), Sex::Male).unwrap() - male).abs() < 1e-9);
    }

    #[test]
    fn refuses_what_the_formulas_are_not_for() {
        assert!(clearance(17.9, (1.0, "mg/dL"), Sex::Male).is_err());
        assert!(clearance(140.0, (1.0, "mg/dL"), Sex::Male).is_err());
        assert!(clearance(60.0, (0.0, "mg/dL"), Sex::Male).is_err());
        assert!(clearance(60.0, (1.0, "kg"), Sex::Male).is_err());
        assert!(clearance(60.0, (1.0, "mg/dL"), Sex::Other).is_err());
        for (height, weight) in [(quantity(0.0, "cm"), quantity(70.0, "kg")), (quantity(170.0, "cm"), quantity(-1.0, "kg"))] {
            assert!(body_surface_area_mosteller(&height, &weight).is_err());
            assert!(body_surface_area_du_bois(&height, &weight).is_err());
        }
        assert!(body_surface_area_mosteller(&quantity(70.0, "kg"), &quantity(170.0, "cm")).is_err(), "swapped");
    }
}
