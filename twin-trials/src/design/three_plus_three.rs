//! Dose escalation in cohorts of three.

use super::dose_finding::{DoseFinding, DoseStep, Treated, check};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// The 3+3 design (Storer 1989, doi:10.2307/2531693, design A and its usual extension): three patients at a dose; with no toxicity go up,
/// with one treat three more and go up if there was no further one, else the dose is too toxic.
///
/// The recommended dose is the highest one below the first that is too toxic. With `confirm` it must have six patients: where it has
/// three, three more are treated there, and the dose below is tried if they bring it to two toxicities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreePlusThree {
    /// Whether the recommended dose must have been given to six patients.
    pub confirm: bool,
}

/// What the 3+3 design without confirmation comes to, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreePlusThreeOutcome {
    /// The probability that each dose is found too toxic, and the one below recommended.
    pub stop: Vec<f64>,
    /// The probability that no dose is.
    pub pass_all: f64,
    /// Expected patients at each dose.
    pub patients: Vec<f64>,
}

impl ThreePlusThree {
    /// What the design comes to at the true `toxicity` of each dose, if the recommended dose is not confirmed.
    ///
    /// ```
    /// use twin_trials::design::ThreePlusThree;
    /// let outcome = ThreePlusThree::exact(&[0.05, 0.1, 0.2, 0.35, 0.5])?;
    /// assert!((outcome.stop.iter().sum::<f64>() + outcome.pass_all - 1.0).abs() < 1e-12);
    /// # Ok::<(), twin_trials::TrialError>(())
    /// ```
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a probability outside 0 to 1.
    pub fn exact(toxicity: &[f64]) -> Result<ThreePlusThreeOutcome, TrialError> {
        let mut outcome = ThreePlusThreeOutcome { stop: Vec::new(), pass_all: 1.0, patients: Vec::new() };
        for (index, &p) in toxicity.iter().enumerate() {
            if !(0.0..=1.0).contains(&p) {
                return Err(TrialError::OutOfRange { what: "probability of toxicity", index, value: p, valid: "from 0 to 1" });
            }
            let (none, one) = ((1.0 - p).powi(3), 3.0 * p * (1.0 - p).powi(2));
            let reached = outcome.pass_all;
            outcome.patients.push(reached * (3.0 + 3.0 * one));
            outcome.pass_all = reached * (none + one * none);
            outcome.stop.push(reached - outcome.pass_all);
        }
        Ok(outcome)
    }
}

/// Whether a dose has been found too toxic.
fn too_toxic(dose: &Treated) -> bool {
    dose.toxicities >= 2
}

impl DoseFinding for ThreePlusThree {
    fn cohort(&self) -> usize {
        3
    }

    fn next(&self, current: usize, seen: &[Treated]) -> Result<DoseStep, TrialError> {
        let dose = check(current, seen)?;
        if !too_toxic(&dose) {
            if dose.patients < 6 && dose.toxicities == 1 {
                return Ok(DoseStep::Give(current));
            }
            return Ok(match seen.get(current + 1) {
                Some(next) if !too_toxic(next) => DoseStep::Give(current + 1),
                _ if self.confirm && dose.patients < 6 => DoseStep::Give(current),
                _ => DoseStep::Stop,
            });
        }
        // Too toxic: confirm the dose below, if there is one and it needs that.
        let below = current.checked_sub(1).and_then(|below| Some((below, seen.get(below)?)));
        Ok(match below {
            Some((below, dose)) if self.confirm && dose.patients < 6 => DoseStep::Give(below),
            _ => DoseStep::Stop,
        })
    }

    fn recommend(&self, seen: &[Treated]) -> Result<Option<usize>, TrialError> {
        check(0, seen)?;
        let tried = seen.iter().take_while(|dose| dose.patients > 0 && !too_toxic(dose)).count();
        Ok(tried.checked_sub(1))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::design::operating_characteristics;
    use twin_core::Random;

    #[test]
    fn exact_probabilities() {
        let outcome = ThreePlusThree::exact(&[0.05, 0.1, 0.2, 0.35, 0.5]).unwrap();
        let stop = [
            0.026_557_859_375,
            0.091_360_465_224_077_97,
            0.257_031_543_558_425_2,
            0.377_245_559_531_405_4,
            0.205_213_161_445_122_4,
        ];
        outcome.stop.iter().zip(stop).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-12));
        assert!((outcome.pass_all - 0.042_591_410_865_968_81).abs() < 1e-12);
        let patients = [3.406_125, 3.629_965_742_390_625, 3.662_403_116_264_628, 2.707_013_989_743_373, 1.022_193_860_783_251_5];
        outcome.patients.iter().zip(patients).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-12));
    }

    #[test]
    fn simulation_agrees_with_the_exact_probabilities() {
        let toxicity = [0.05, 0.1, 0.2, 0.35, 0.5];
        let exact = ThreePlusThree::exact(&toxicity).unwrap();
        let found = operating_characteristics(&ThreePlusThree { confirm: false }, &toxicity, 40, 20_000, &Random::new(2)).unwrap();
        // Stopping at a dose recommends the one below.
        assert!((found.none.share - exact.stop[0]).abs() < 4.0 * found.none.standard_error);
        for (dose, expected) in exact.stop.iter().skip(1).chain([&exact.pass_all]).enumerate() {
            let share = found.recommended[dose];
            assert!((share.share - expected).abs() < 4.0 * share.standard_error, "{dose}: {share:?} {expected}");
            assert!((found.patients[dose].mean - exact.patients[dose]).abs() < 4.0 * found.patients[dose].standard_error + 1e-12);
        }
    }

    #[test]
    fn a_hand_worked_escalation_with_confirmation() {
        let rule = ThreePlusThree { confirm: true };
        let seen = |doses: &[(usize, usize)]| {
            doses.iter().map(|&(patients, toxicities)| Treated { patients, toxicities }).collect::<Vec<_>>()
        };
        assert_eq!(rule.next(0, &seen(&[(3, 0), (0, 0)])).unwrap(), DoseStep::Give(1));
        assert_eq!(rule.next(1, &seen(&[(3, 0), (3, 1)])).unwrap(), DoseStep::Give(1));
        assert_eq!(rule.next(1, &seen(&[(3, 0), (6, 2)])).unwrap(), DoseStep::Give(0));
        assert_eq!(rule.next(0, &seen(&[(6, 1), (6, 2)])).unwrap(), DoseStep::Stop);
        assert_eq!(rule.recommend(&seen(&[(6, 1), (6, 2)])).unwrap(), Some(0));
        assert_eq!(rule.next(0, &seen(&[(6, 2), (6, 2)])).unwrap(), DoseStep::Stop);
        assert_eq!(rule.recommend(&seen(&[(6, 2), (6, 2)])).unwrap(), None);
        assert!(rule.next(2, &seen(&[(3, 0)])).is_err());
        assert!(rule.next(0, &seen(&[(3, 4)])).is_err());
    }
}
