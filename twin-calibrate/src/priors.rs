//! Ready priors for models of this library.

use crate::{CalibrationError, IndependentPrior, Marginal};

/// A weakly informative prior for the model `sensitive_resistant` on PSA, for a patient whose first PSA was `first_psa` ng/mL.
///
/// It names all seven parameters of the model and the `log_error` of [`LogError`](crate::LogError). The medians of growth rate and
/// kill follow Strobl et al. 2021 (doi:10.1158/0008-5472.CAN-20-0806); the spreads are choices of this library, wide enough to cover
/// what fits to intermittent androgen deprivation find, and were not tuned to any forecast.
///
/// # Errors
/// [`CalibrationError::Prior`] if `first_psa` is not a positive number.
pub fn psa_sensitive_resistant(first_psa: f64) -> Result<IndependentPrior, CalibrationError> {
    let log_normal = |median: f64, sd: f64| Marginal::LogNormal { median, sd };
    IndependentPrior::new([
        ("growth_rate", log_normal(0.05, 1.0)),
        ("relative_fitness", log_normal(0.5, 0.8)),
        ("turnover", log_normal(0.1, 1.0)),
        ("kill", log_normal(1.5, 0.8)),
        ("initial_burden", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.62, sd: 1.5 }),
        ("initial_resistance", Marginal::LogitNormal { low: 0.0, high: 1.0, median: 0.047, sd: 1.5 }),
        ("initial_psa", log_normal(first_psa, 0.5)),
        ("log_error", log_normal(0.3, 0.5)),
    ])
}

/// The offset in ng/mL of the logarithm of PSA: half of the last digit that older assays report near the limit of quantification, so
/// that readings of 0 and 0.1 do not rule a fit.
pub const PSA_OFFSET: f64 = 0.1;

/// The weight of the likelihood for monthly PSA under this model: the residuals of neighboring visits correlate by about 0.53 in full
/// fits to 37 patients under intermittent androgen deprivation, so that `(1 - 0.53)/(1 + 0.53)` of them count.
pub const MONTHLY_PSA_WEIGHT: f64 = 0.31;
