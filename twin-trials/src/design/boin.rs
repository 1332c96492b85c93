//! Dose escalation by the share of toxicities at the current dose.

use super::dose_finding::{DoseFinding, DoseStep, Treated, check, isotonic};
use crate::TrialError;
use crate::statistics::open_unit;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

/// The Bayesian optimal interval design (Liu and Yuan 2015, doi:10.1111/rssc.12089): go up when the share of toxicities at the current
/// dose is at or below [`Boin::escalate`], down when it is at or above [`Boin::deescalate`], else stay.
///
/// A dose at which, after three patients, the posterior probability of more toxicity than the target exceeds `elimination` is never given
/// again, nor any above it; if that is the lowest, the trial stops. It also stops when [`Boin::enough`] patients have been treated at the
/// dose that would be given again. The recommended dose is the one whose isotonic estimate is nearest to the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Boin {
    /// The target probability of toxicity.
    pub target: f64,
    /// A toxicity so low that the dose should be raised; 0.6 of the target unless set.
    pub too_low: f64,
    /// A toxicity so high that the dose should be lowered; 1.4 of the target unless set.
    pub too_high: f64,
    /// The posterior probability of more toxicity than the target beyond which a dose is not given again; 0.95 unless set.
    pub elimination: f64,
    /// Patients in a cohort; 3 unless set.
    pub cohort: usize,
    /// Stop once this many patients have been treated at a dose that would be given again; never unless set.
    #[serde(default)]
    pub enough: Option<usize>,
    /// Give the same dose again after one toxicity among three patients, as in the 3+3 design, where the boundary would lower it (the option
    /// of Zhao et al. 2024, doi:10.1158/1078-0432.CCR-23-2585); false unless set.
    #[serde(default)]
    pub stay_at_one_of_three: bool,
}

impl Boin {
    /// The design with the target probability of toxicity `target` and the defaults of the publication.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a target not above 0 or so high that 1.4 times the target is not below 1.
    pub fn new(target: f64) -> Result<Self, TrialError> {
        open_unit("target toxicity", target)?;
        open_unit("1.4 times the target toxicity", 1.4 * target)?;
        Ok(Self {
            target,
            too_low: 0.6 * target,
            too_high: 1.4 * target,
            elimination: 0.95,
            cohort: 3,
            enough: None,
            stay_at_one_of_three: false,
        })
    }

    /// The share of toxicities at or below which the dose is raised: where a toxicity of `too_low` becomes as likely as the target.
    #[must_use]
    pub fn escalate(&self) -> f64 {
        let (low, target) = (self.too_low, self.target);
        ((1.0 - low) / (1.0 - target)).ln() / (target * (1.0 - low) / (low * (1.0 - target))).ln()
    }

    /// The share of toxicities at or above which the dose is lowered.
    #[must_use]
    pub fn deescalate(&self) -> f64 {
        let (high, target) = (self.too_high, self.target);
        ((1.0 - target) / (1.0 - high)).ln() / (high * (1.0 - target) / (target * (1.0 - high))).ln()
    }

    /// Refuses toxicities out of order, an elimination that is no probability, and empty cohorts.
    fn check(&self) -> Result<(), TrialError> {
        let bounds = [0.0, self.too_low, self.target, self.too_high, 1.0];
        if let Some(index) = bounds.windows(2).position(|pair| !matches!(pair, [low, high] if low < high)) {
            let (what, value) = ("toxicity of the design", bounds.get(index + 1).copied().unwrap_or(f64::NAN));
            return Err(TrialError::OutOfRange { what, index, value, valid: "0 < too low < target < too high < 1" });
        }
        open_unit("elimination", self.elimination)?;
        if self.cohort == 0 {
            return Err(TrialError::Count { what: "number of patients in a cohort", count: 0, valid: "1 or more" });
        }
        Ok(())
    }

    /// Whether a dose must not be given again: too likely more toxic than the target, from a uniform prior.
    fn eliminated(&self, dose: &Treated) -> bool {
        let law = Beta::new(1.0 + dose.toxicities as f64, 1.0 + (dose.patients - dose.toxicities) as f64);
        dose.patients >= 3 && law.is_ok_and(|law| law.sf(self.target) > self.elimination)
    }
}

impl DoseFinding for Boin {
    fn cohort(&self) -> usize {
        self.cohort
    }

    fn next(&self, current: usize, seen: &[Treated]) -> Result<DoseStep, TrialError> {
        self.check()?;
        let dose = check(current, seen)?;
        if dose.patients == 0 {
            return Ok(DoseStep::Give(current));
        }
        let allowed = seen.iter().take_while(|dose| !self.eliminated(dose)).count();
        let Some(highest) = allowed.checked_sub(1) else { return Ok(DoseStep::Stop) };
        let share = dose.toxicities as f64 / dose.patients as f64;
        let wanted = if share <= self.escalate() {
            current + 1
        } else if share >= self.deescalate() && !(self.stay_at_one_of_three && (dose.toxicities, dose.patients) == (1, 3)) {
            current.saturating_sub(1)
        } else {
            current
        };
        let next = wanted.min(highest);
        let enough = next == current && self.enough.is_some_and(|enough| dose.patients >= enough);
        Ok(if enough { DoseStep::Stop } else { DoseStep::Give(next) })
    }

    fn recommend(&self, seen: &[Treated]) -> Result<Option<usize>, TrialError> {
        self.check()?;
        check(0, seen)?;
        let tried: Vec<(usize, &Treated)> =
            seen.iter().enumerate().take_while(|(_, dose)| !self.eliminated(dose)).filter(|(_, dose)| dose.patients > 0).collect();
        // Means and inverse variances of beta posteriors with a prior of 0.05 toxicities among 0.1 patients, as the authors' software does.
        let estimate = |(_, dose): &(usize, &Treated)| {
            let (a, b) = (dose.toxicities as f64 + 0.05, (dose.patients - dose.toxicities) as f64 + 0.05);
            (a / (a + b), (a + b).powi(2) * (a + b + 1.0) / (a * b))
        };
        let smooth = isotonic(&tried.iter().map(estimate).collect::<Vec<_>>());
        // Among equals, the lower one where they are above the target and the higher one where they are below.
        let mut best: Option<(usize, f64)> = None;
        for ((dose, _), value) in tried.into_iter().zip(smooth) {
            let distance = value - self.target;
            let nearer = |(_, other): (usize, f64)| {
                distance.abs() < other.abs() - 1e-12 || (distance < 0.0 && distance.abs() <= other.abs() + 1e-12)
            };
            if best.is_none_or(nearer) {
                best = Some((dose, distance));
            }
        }
        Ok(best.map(|(dose, _)| dose))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn liu2015_boundaries() {
        let expected = [
            (0.2, 0.157_242_286_700_307_35, 0.238_462_438_817_315_13),
            (0.25, 0.196_800_870_555_487_12, 0.298_392_152_375_459_7),
            (0.3, 0.236_490_685_236_468_05, 0.358_519_464_640_929_4),
            (0.35, 0.276_334_316_806_519_76, 0.418_907_508_092_047_2),
        ];
        for (target, escalate, deescalate) in expected {
            let design = Boin::new(target).unwrap();
            assert!((design.escalate() - escalate).abs() < 1e-12);
            assert!((design.deescalate() - deescalate).abs() < 1e-12);
        }
    }

    #[test]
    fn hand_worked_steps() {
        let design = Boin::new(0.3).unwrap();
        let seen = |doses: &[(usize, usize)]| {
            doses.iter().map(|&(patients, toxicities)| Treated { patients, toxicities }).collect::<Vec<_>>()
        };
        assert_eq!(design.next(0, &seen(&[(3, 0), (0, 0)])).unwrap(), DoseStep::Give(1));
        assert_eq!(design.next(1, &seen(&[(3, 0), (3, 1)])).unwrap(), DoseStep::Give(1));
        assert_eq!(design.next(1, &seen(&[(3, 0), (3, 2)])).unwrap(), DoseStep::Give(0));
        // 3 of 3: P(p > 0.3) = 1 - 0.3^4 = 0.992 under a uniform prior.
        assert_eq!(design.next(0, &seen(&[(3, 3), (0, 0)])).unwrap(), DoseStep::Stop);
        assert_eq!(design.recommend(&seen(&[(3, 3), (0, 0)])).unwrap(), None);
        // Above it a dose may not be tried again, however good the one below.
        assert_eq!(design.next(0, &seen(&[(6, 0), (3, 3)])).unwrap(), DoseStep::Give(0));
        assert_eq!(design.recommend(&seen(&[(6, 0), (9, 3), (6, 4)])).unwrap(), Some(1));
    }

    #[test]
    fn a_design_that_was_changed_into_nonsense_is_refused() {
        let (design, seen) = (Boin::new(0.3).unwrap(), [Treated::default()]);
        for bad in [
            Boin { too_low: 0.4, ..design },
            Boin { target: f64::NAN, ..design },
            Boin { elimination: 1.5, ..design },
            Boin { cohort: 0, ..design },
        ] {
            assert!(bad.next(0, &seen).is_err() && bad.recommend(&seen).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_target_without_room_above_is_refused() {
        assert!(Boin::new(0.75).is_err());
        assert!(Boin::new(0.0).is_err());
    }
}
