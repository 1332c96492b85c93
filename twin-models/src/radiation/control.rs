//! Tumor control.

use crate::check::{not_negative, positive};
use crate::special::normal_distribution;
use twin_core::{CoreError, Proportion};

/// The probability that no clonogen of `clonogens` survives when each does with the probability `survival`: `exp(-N S)`.
///
/// Munro and Gilbert 1961, doi:10.1259/0007-1285-34-400-246.
///
/// # Errors
/// [`CoreError`] for a number of clonogens that is negative or not finite.
pub fn poisson_control(clonogens: f64, survival: Proportion) -> Result<f64, CoreError> {
    Ok((-not_negative("number of clonogens", clonogens)? * survival.value()).exp())
}

/// A sigmoid dose response with half the effect at `d50` and the normalized slope `gamma50` there: a rise of the dose by 1 % raises the
/// response by `gamma50` %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoseResponse {
    d50: f64,
    gamma50: f64,
}

impl DoseResponse {
    /// The response with half its effect at `d50_gray` and the slope `gamma50`.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn new(d50_gray: f64, gamma50: f64) -> Result<Self, CoreError> {
        Ok(Self { d50: positive("dose of half effect in Gy", d50_gray)?, gamma50: positive("slope gamma50", gamma50)? })
    }

    /// The logistic response to `dose_gray`: `1 / (1 + (D50/D)^(4 γ50))`.
    ///
    /// # Errors
    /// [`CoreError`] for a dose that is negative or not finite.
    pub fn logistic(self, dose_gray: f64) -> Result<f64, CoreError> {
        let dose = not_negative("dose in Gy", dose_gray)?;
        Ok(1.0 / (1.0 + (self.d50 / dose).powf(4.0 * self.gamma50)))
    }

    /// The probit response to `dose_gray`: `Φ(γ50 √(2π) (D/D50 - 1))`.
    ///
    /// # Errors
    /// [`CoreError`] for a dose that is negative or not finite.
    pub fn probit(self, dose_gray: f64) -> Result<f64, CoreError> {
        let dose = not_negative("dose in Gy", dose_gray)?;
        Ok(normal_distribution(self.gamma50 * (2.0 * std::f64::consts::PI).sqrt() * (dose / self.d50 - 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_responses_have_half_the_effect_and_the_slope_at_d50() {
        let response = DoseResponse::new(60.0, 2.0).unwrap();
        let step = 60.0 * 1e-5;
        for of in [DoseResponse::logistic, DoseResponse::probit] {
            assert!((of(response, 60.0).unwrap() - 0.5).abs() < 1e-15);
            let slope = 60.0 * (of(response, 60.0 + step).unwrap() - of(response, 60.0 - step).unwrap()) / (2.0 * step);
            assert!((slope - 2.0).abs() < 1e-6, "{slope}");
        }
        assert_eq!(response.logistic(0.0).unwrap(), 0.0);
        assert!(response.logistic(-1.0).is_err());
    }
}
