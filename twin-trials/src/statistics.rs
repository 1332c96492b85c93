//! Statistics of trials: survival curves and their comparison, quantiles, and how sure a Monte-Carlo summary is.
//!
//! | question | answer |
//! |---|---|
//! | how many are still free of the event at a time? | [`KaplanMeier`] |
//! | what is the cumulative hazard? | [`NelsonAalen`] |
//! | do groups differ in survival? | [`log_rank`], [`LogRankTest`] with weights and strata |
//! | how do covariates change the hazard? | [`CoxRegression`] |
//! | how do covariates stretch times? | [`AcceleratedRegression`]; with the shape of the law estimated too, [`generalized_gamma`] |
//! | how many had one kind of event, when others compete? | [`CumulativeIncidence`], [`fine_gray`] |
//! | does a score order subjects as their events came? | [`concordance`] |
//! | how good are predicted risks at a time? | [`score_predictions`] |
//! | are predicted hazards as far apart as they should be? | [`calibration_slope`] |
//! | which value do a given share of draws stay below? | [`quantile`], [`quantiles`], [`Spread`] |
//! | how sure is a simulated mean, or a simulated share? | [`Mean`], [`Share`] |
//! | how much better is one arm than another on the same patients? | [`PairedDifference`], [`bootstrap_paired`] |
//!
//! Nothing here fills, drops or clamps: NaN, negative times, lists of different length and empty lists are refused with a
//! [`TrialError`] that says which entry is at fault. Sums run in the order of the data, so results are the same
//! bits on every run.

mod accelerated;
mod censoring;
mod coefficient;
mod competing;
mod concordance;
mod cox;
mod generalized_gamma;
mod logrank;
mod nelson_aalen;
mod newton;
mod partial_likelihood;
mod period;
mod prediction;
mod summary;
mod survival;

pub use accelerated::{AcceleratedFit, AcceleratedRegression};
pub use coefficient::Coefficient;
pub use competing::{CompetingFollowUp, CumulativeIncidence, IncidenceStep, fine_gray};
pub use concordance::{Concordance, concordance};
pub use cox::{CoxFit, CoxRegression, Ties};
pub use generalized_gamma::{GeneralizedGammaFit, generalized_gamma};
pub use logrank::{GroupCount, LogRank, LogRankTest, Weighting, log_rank};
pub use nelson_aalen::{HazardStep, NelsonAalen};
pub use period::Period;
pub use prediction::{PredictionScore, calibration_slope, score_predictions};
pub use summary::{Mean, PairedDifference, Share, Spread, bootstrap_paired, quantile, quantiles};
pub use survival::{FollowUp, KaplanMeier, RestrictedMean, SurvivalAt, SurvivalStep, TimeQuantile};

use crate::TrialError;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Refuses NaN and infinity anywhere in `values`, and an empty list.
pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<(), TrialError> {
    if values.is_empty() {
        return Err(TrialError::Empty { what });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(TrialError::NotFinite { what, index, value: values.get(index).copied().unwrap_or(f64::NAN) }),
        None => Ok(()),
    }
}

/// Refuses anything but a number strictly between 0 and 1.
pub(crate) fn open_unit(what: &'static str, value: f64) -> Result<f64, TrialError> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(TrialError::OutOfRange { what, index: 0, value, valid: "above 0 and below 1" })
    }
}

/// The normal deviate that leaves `(1 - level) / 2` in either tail.
pub(crate) fn normal_deviate(level: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + level / 2.0)
}

/// The Student deviate of `degrees` of freedom that leaves `(1 - level) / 2` in either tail.
fn student_deviate(level: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |student| student.inverse_cdf(0.5 + level / 2.0))
}
