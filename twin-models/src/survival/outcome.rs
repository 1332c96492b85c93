//! Published links from tumor dynamics to survival.

use super::{Lifetime, TimeLaw};
use crate::SimulationError;

/// Overall survival in non-small-cell lung cancer from tumor size and time to growth (Claret 2014, Clinical Pharmacology and
/// Therapeutics, MONET1, 934 patients): log-normal with
/// `location = 1.079 - 0.00197 · baseline + 0.97695 · ln(time to growth + 100) + 0.319 · Asian - 0.264 · ever smoker` and
/// `ln scale = -0.24`, in days and millimeters.
///
/// ```
/// use twin_models::survival::ClaretSurvival;
/// let typical = ClaretSurvival { baseline_mm: 90.0, time_to_growth_days: 117.331, asian: false, ever_smoker: true };
/// assert!((typical.lifetime()?.median() - 363.25).abs() < 0.01);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClaretSurvival {
    /// The sum of diameters at baseline, in millimeters.
    pub baseline_mm: f64,
    /// The time from the start of treatment to the smallest tumor, in days.
    pub time_to_growth_days: f64,
    /// Whether the patient is Asian, as the publication has it.
    pub asian: bool,
    /// Whether the patient has ever smoked.
    pub ever_smoker: bool,
}

impl ClaretSurvival {
    /// The law of overall survival, in days.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for covariates that give no finite location, such as a time to growth at or below -100 days.
    pub fn lifetime(&self) -> Result<Lifetime, SimulationError> {
        let share = |holds: bool| if holds { 1.0 } else { 0.0 };
        let location =
            1.079 - 0.001_97 * self.baseline_mm + 0.976_95 * (self.time_to_growth_days + 100.0).ln() + 0.319 * share(self.asian)
                - 0.264 * share(self.ever_smoker);
        Lifetime::new(TimeLaw::LogNormal, location, (-0.24_f64).exp())
    }
}

/// Overall survival in ovarian cancer from tumor size and its early change (Zecchin 2016, Weibull): the hazard of
/// `exp(-(0.001183 t)^2.004)`, times `exp(0.2084 · baseline / 70 + 0.9036 · change + 1.230 · new lesion + 0.5162 · ECOG)`, in days and
/// millimeters.
///
/// ```
/// use twin_models::survival::ZecchinSurvival;
/// let patient = ZecchinSurvival { baseline_mm: 70.0, change_week_12: 0.0, new_lesion: false, ecog: 0.0 };
/// assert!((patient.lifetime()?.median() - 634.49).abs() < 0.01);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZecchinSurvival {
    /// The sum of diameters at baseline, in millimeters.
    pub baseline_mm: f64,
    /// The change of the sum at week 12, as a share of the baseline; negative for a decrease.
    pub change_week_12: f64,
    /// Whether a new lesion has appeared.
    pub new_lesion: bool,
    /// The ECOG performance status.
    pub ecog: f64,
}

impl ZecchinSurvival {
    /// The law of overall survival, in days.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for covariates that are not finite.
    pub fn lifetime(&self) -> Result<Lifetime, SimulationError> {
        const SHAPE: f64 = 2.004;
        let new = if self.new_lesion { 1.230 } else { 0.0 };
        let effect = 0.208_4 * self.baseline_mm / 70.0 + 0.903_6 * self.change_week_12 + new + 0.516_2 * self.ecog;
        // A factor on a Weibull hazard divides its characteristic time by the factor to the power of one over the shape.
        Lifetime::new(TimeLaw::Weibull, -0.001_183_f64.ln() - effect / SHAPE, 1.0 / SHAPE)
    }
}

/// Overall survival in gastrointestinal stromal tumor from the early change of glucose uptake (Schindler 2016, 66 patients): a constant
/// hazard of 0.01903 per week, times `exp(5.356 · change)`.
///
/// ```
/// use twin_models::survival::SchindlerSurvival;
/// let unchanged = SchindlerSurvival { uptake_change_week_1: 0.0 };
/// assert!((unchanged.lifetime()?.median() - 7.0 * 36.42).abs() < 0.05);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SchindlerSurvival {
    /// The change of the maximal standardized uptake after one week, as a share of the baseline; negative for a decrease.
    pub uptake_change_week_1: f64,
}

impl SchindlerSurvival {
    /// The law of overall survival, in days.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for a change that is not finite.
    pub fn lifetime(&self) -> Result<Lifetime, SimulationError> {
        let location = (7.0_f64 / 0.019_03).ln() - 5.356 * self.uptake_change_week_1;
        Lifetime::new(TimeLaw::Weibull, location, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariates_move_survival_the_way_they_are_published() {
        let smoker = ClaretSurvival { baseline_mm: 90.0, time_to_growth_days: 117.0, asian: false, ever_smoker: true };
        let never = ClaretSurvival { ever_smoker: false, ..smoker };
        let ratio = never.lifetime().unwrap().median() / smoker.lifetime().unwrap().median();
        assert!((ratio - 0.264_f64.exp()).abs() < 1e-9);
        let fit = ZecchinSurvival { baseline_mm: 70.0, change_week_12: -0.3, new_lesion: false, ecog: 0.0 };
        let worse = ZecchinSurvival { new_lesion: true, ..fit };
        let hazards = worse.lifetime().unwrap().hazard(200.0) / fit.lifetime().unwrap().hazard(200.0);
        assert!((hazards - 1.230_f64.exp()).abs() < 1e-9);
    }

    #[test]
    fn covariates_without_meaning_are_refused() {
        let patient = ClaretSurvival { baseline_mm: 90.0, time_to_growth_days: -150.0, asian: false, ever_smoker: false };
        assert!(patient.lifetime().is_err());
        assert!(SchindlerSurvival { uptake_change_week_1: f64::NAN }.lifetime().is_err());
    }
}
