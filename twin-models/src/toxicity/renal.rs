//! Limits by renal function.

use crate::check::{not_negative, positive, within};
use twin_core::{CoreError, Quantity};

/// The glomerular filtration rate below which cisplatin is widely held to be contraindicated: 50 to 60 mL/min per 1.73 m², the upper end here.
pub const CISPLATIN_LEAST_FILTRATION_ML_PER_MIN: f64 = 60.0;

/// Median loss of filtration, and the cumulative dose in mg/m² after which it was seen.
const LOSS: (f64, f64) = (0.125, 452.0);
/// The greatest cumulative dose of that study, in mg/m².
const MOST_STUDIED: f64 = 650.0;

/// The glomerular filtration rate to expect after a cumulative dose of cisplatin of `mg_per_m2`, from that `before` treatment: an
/// exponential decline through the median loss of 12.5 % after 452 mg/m², the one point that the study gives; the form is assumed.
///
/// Long-term effect of cisplatin on renal function: 22 patients with testicular cancer, 16 to 52 months after 275 to 650 mg/m².
///
/// ```
/// use twin_core::Quantity;
/// use twin_models::toxicity::{CISPLATIN_LEAST_FILTRATION_ML_PER_MIN, filtration_after_cisplatin};
/// let after = filtration_after_cisplatin(&Quantity::new(66.0, "mL/min")?, 452.0)?;
/// assert!(after.value_in("mL/min")? < CISPLATIN_LEAST_FILTRATION_ML_PER_MIN); // 57.75: no further cycle
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a rate that is not above 0 or no volume per time, and for a dose that is negative or above 650 mg/m².
pub fn filtration_after_cisplatin(before: &Quantity, mg_per_m2: f64) -> Result<Quantity, CoreError> {
    let rate = positive("glomerular filtration rate in mL/min", before.value_in("mL/min")?)?;
    let dose = not_negative("cumulative dose of cisplatin in mg/m2", mg_per_m2)?;
    let dose = within("cumulative dose of cisplatin in mg/m2", dose, dose <= MOST_STUDIED, "650 or less, as far as was studied")?;
    let (loss, at) = LOSS;
    Quantity::new(rate * (1.0 - loss).powf(dose / at), "mL/min")
}

/// The cumulative dose of cisplatin in mg/m² at which the filtration rate is expected to have fallen from `before` to `least`; 0 if it is
/// there already, none if the studied doses do not bring it there.
///
/// # Errors
/// [`CoreError`] for rates that are not above 0 or no volume per time.
pub fn cisplatin_limit(before: &Quantity, least: &Quantity) -> Result<Option<f64>, CoreError> {
    let what = "glomerular filtration rate in mL/min";
    let (before, least) = (positive(what, before.value_in("mL/min")?)?, positive(what, least.value_in("mL/min")?)?);
    let (loss, at) = LOSS;
    let dose = (at * (least / before).ln() / (1.0 - loss).ln()).max(0.0);
    Ok((dose <= MOST_STUDIED).then_some(dose))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: f64) -> Quantity {
        Quantity::new(value, "mL/min").unwrap()
    }

    #[test]
    fn the_limit_is_where_the_rate_has_fallen_to_it() {
        let limit = cisplatin_limit(&rate(66.0), &rate(60.0)).unwrap().unwrap();
        let after = filtration_after_cisplatin(&rate(66.0), limit).unwrap().value_in("mL/min").unwrap();
        assert!((after - 60.0).abs() < 1e-10);
        assert_eq!(cisplatin_limit(&rate(50.0), &rate(60.0)).unwrap(), Some(0.0));
        assert_eq!(cisplatin_limit(&rate(120.0), &rate(60.0)).unwrap(), None);
    }

    #[test]
    fn beyond_what_was_studied_is_refused() {
        assert!(filtration_after_cisplatin(&rate(90.0), 651.0).is_err());
        assert!(filtration_after_cisplatin(&rate(0.0), 100.0).is_err());
        assert!(filtration_after_cisplatin(&Quantity::new(1.0, "mg").unwrap(), 100.0).is_err());
    }
}
