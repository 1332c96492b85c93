//! The cumulative hazard, estimated.

use super::{FollowUp, KaplanMeier};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// The cumulative hazard after a time at which events happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HazardStep {
    /// The time of the events.
    pub time: f64,
    /// The cumulative hazard up to and including it.
    pub hazard: f64,
    /// Its variance.
    pub variance: f64,
}

/// The Nelson-Aalen estimate of the cumulative hazard (Nelson 1972, doi:10.1080/00401706.1972.10488991; Aalen 1978,
/// doi:10.1214/aos/1176344247): the sum of events over subjects at risk, with the variance `Σ d/n²`.
///
/// ```
/// use twin_trials::statistics::{FollowUp, NelsonAalen};
/// let hazard = NelsonAalen::estimate(&[FollowUp::event(1.0), FollowUp::censored(2.0), FollowUp::event(3.0), FollowUp::event(4.0)])?;
/// assert_eq!(hazard.at(3.5)?, 0.25 + 0.5);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NelsonAalen {
    curve: KaplanMeier,
    steps: Vec<HazardStep>,
}

impl NelsonAalen {
    /// Estimates the cumulative hazard.
    ///
    /// # Errors
    /// As [`KaplanMeier::estimate`].
    pub fn estimate(follow_ups: &[FollowUp]) -> Result<Self, TrialError> {
        let curve = KaplanMeier::estimate(follow_ups)?;
        let (mut hazard, mut variance) = (0.0, 0.0);
        let step = |step: &super::SurvivalStep| {
            let (n, d) = (step.at_risk as f64, step.events as f64);
            (hazard, variance) = (hazard + d / n, variance + d / (n * n));
            HazardStep { time: step.time, hazard, variance }
        };
        let steps = curve.steps().iter().map(step).collect();
        Ok(Self { curve, steps })
    }

    /// The estimate after each time at which events happened, in ascending order.
    #[must_use]
    pub fn steps(&self) -> &[HazardStep] {
        &self.steps
    }

    /// The cumulative hazard at `time`.
    ///
    /// # Errors
    /// As [`KaplanMeier::survival_at`].
    pub fn at(&self, time: f64) -> Result<f64, TrialError> {
        self.curve.survival_at(time)?;
        let seen = self.steps.partition_point(|step| step.time <= time);
        Ok(seen.checked_sub(1).and_then(|last| self.steps.get(last)).map_or(0.0, |step| step.hazard))
    }
}
