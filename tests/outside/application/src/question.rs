//! The question: which second course of radiotherapy shrinks this tumor most? With policies and an endpoint of one's own.

use std::sync::Arc;
use twin_calibrate::Posterior;
use twin_core::{AbsorbedDose, Observable, Patient, Span, Target, Time, Treatment};
use twin_trials::{Course, Decision, Endpoint, FromPosterior, History, Outcome, Policy, Trial, TrialError};

/// One fraction a week, as long as the tumor is seen to grow and fractions are left.
#[derive(Debug, Clone, PartialEq)]
pub struct Weekly {
    /// The dose of a fraction.
    pub dose: AbsorbedDose,
    /// What it is given to.
    pub target: Target,
    /// How many fractions there are at most.
    pub most: usize,
}

impl Policy for Weekly {
    fn decide(&self, history: &History<'_>) -> Decision {
        let given = history.treatments.iter().filter(|given| given.time > history.since).count();
        let week = (history.now - history.since).days().rem_euclid(7.0);
        if history.is_first() || given >= self.most || week > 0.5 {
            return Decision::none();
        }
        Decision::give(Treatment::fraction(self.dose, self.target.clone()))
    }
}

/// The least true volume of the course, as a share of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmallestVolume;

impl Endpoint for SmallestVolume {
    fn name(&self) -> &'static str {
        "smallest volume"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let Some(volumes) = course.truth(&Observable::TUMOR_VOLUME) else {
            return Outcome::NotEvaluable;
        };
        let least = volumes.iter().map(|(_, volume)| *volume).fold(f64::INFINITY, f64::min);
        volumes.first().map_or(Outcome::NotEvaluable, |(_, first)| Outcome::Value(least / first))
    }
}

/// The trial on twins of `patient`, from `since` on: watch, one large fraction a week, or (a closure) one small fraction whenever the
/// volume seen is above that at the start.
///
/// # Errors
/// [`TrialError::Past`] if nothing is known of the patient at `since`.
pub fn trial(posterior: Posterior, patient: &Patient, since: Time) -> Result<Trial, TrialError> {
    let (large, small, target) = (AbsorbedDose::from_gray(6.0)?, AbsorbedDose::from_gray(1.0)?, Target::new("ptv")?);
    let aimed = target.clone();
    let on_growth = move |history: &History<'_>| {
        let seen = (history.baseline(&Observable::TUMOR_VOLUME), history.last(&Observable::TUMOR_VOLUME));
        match seen {
            (Some(first), Some(now)) if now > first => Decision::give(Treatment::fraction(small, aimed.clone())),
            _ => Decision::none(),
        }
    };
    let cohort = FromPosterior::new(Arc::new(posterior), patient, since)?;
    Ok(Trial::new(Arc::new(method_developer::irradiated()), cohort, 100)
        .arm("watch", |_: &History<'_>| Decision::none())
        .arm("weekly", Weekly { dose: large, target, most: 5 })
        .arm("on growth", on_growth)
        .measure_with(Observable::TUMOR_VOLUME, crate::scatter())
        .endpoint(SmallestVolume)
        .visits(Span::DAY, Span::from_weeks(12.0)?))
}
