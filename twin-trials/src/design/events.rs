//! How many events a comparison of survival needs.

use crate::TrialError;
use crate::statistics::open_unit;
use statrs::distribution::{ContinuousCDF, Normal};

fn ln_ratio(hazard_ratio: f64) -> Result<f64, TrialError> {
    if hazard_ratio.is_finite() && hazard_ratio > 0.0 && hazard_ratio.ln().abs() > 0.0 {
        return Ok(hazard_ratio.ln());
    }
    Err(TrialError::OutOfRange { what: "hazard ratio", index: 0, value: hazard_ratio, valid: "above 0, finite, and not 1" })
}

/// The number of events at which a log-rank test of two arms has `power` against `hazard_ratio`, at the two-sided level `alpha`
/// (Schoenfeld 1981, doi:10.1093/biomet/68.1.316): `(z_{1-α/2} + z_power)² / (p (1-p) ln²(HR))`, where `p` is the `share` of patients in
/// one of the arms. Not rounded.
///
/// ```
/// use twin_trials::design::schoenfeld_events;
/// assert_eq!(schoenfeld_events(0.75, 0.05, 0.8, 0.5)?.ceil(), 380.0);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::OutOfRange`] for a ratio that is not above 0, finite and other than 1, and for `alpha`, `power` or `share` outside 0 to 1.
pub fn schoenfeld_events(hazard_ratio: f64, alpha: f64, power: f64, share: f64) -> Result<f64, TrialError> {
    let (effect, share) = (ln_ratio(hazard_ratio)?, open_unit("share of patients in one arm", share)?);
    let normal = Normal::standard();
    let deviates = normal.inverse_cdf(1.0 - open_unit("alpha", alpha)? / 2.0) + normal.inverse_cdf(open_unit("power", power)?);
    Ok(deviates * deviates / (share * (1.0 - share) * effect * effect))
}

/// The power of a log-rank test of two arms after `events`, by the same approximation as [`schoenfeld_events`].
///
/// # Errors
/// As [`schoenfeld_events`], and [`TrialError::OutOfRange`] for a number of events that is negative or not finite.
pub fn schoenfeld_power(hazard_ratio: f64, alpha: f64, events: f64, share: f64) -> Result<f64, TrialError> {
    let (effect, share) = (ln_ratio(hazard_ratio)?, open_unit("share of patients in one arm", share)?);
    if !(events.is_finite() && events >= 0.0) {
        return Err(TrialError::OutOfRange { what: "number of events", index: 0, value: events, valid: "0 or more and finite" });
    }
    let normal = Normal::standard();
    let threshold = normal.inverse_cdf(1.0 - open_unit("alpha", alpha)? / 2.0);
    Ok(normal.cdf((share * (1.0 - share) * events).sqrt() * effect.abs() - threshold))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn schoenfeld1981_events() {
        let expected = [
            (0.5, 65.345_659_258_870_9),
            (0.67, 195.754_285_782_735_5),
            (0.7, 246.787_104_547_358_5),
            (0.75, 379.351_729_597_381_3),
            (0.8, 630.520_171_180_454_9),
        ];
        for (ratio, events) in expected {
            let found = schoenfeld_events(ratio, 0.05, 0.8, 0.5).unwrap();
            assert!((found / events - 1.0).abs() < 1e-9, "{ratio}: {found}");
            assert!((schoenfeld_power(ratio, 0.05, found, 0.5).unwrap() - 0.8).abs() < 1e-9);
        }
        assert_eq!(schoenfeld_events(0.63, 0.05, 0.9, 0.5).unwrap().ceil(), 197.0);
    }

    #[test]
    fn nonsense_is_refused() {
        for (ratio, alpha, power, share) in
            [(1.0, 0.05, 0.8, 0.5), (-2.0, 0.05, 0.8, 0.5), (0.7, 0.0, 0.8, 0.5), (0.7, 0.05, 1.0, 0.5), (0.7, 0.05, 0.8, f64::NAN)]
        {
            assert!(schoenfeld_events(ratio, alpha, power, share).is_err());
        }
    }
}
