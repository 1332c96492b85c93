//! Every course that a dose escalation can take, with its probability: operating characteristics without simulation error.

use super::dose_finding::{DoseFinding, DoseStep, Treated, check_toxicity};
use crate::TrialError;
use serde::{Deserialize, Serialize};
use statrs::function::factorial::binomial;
use std::collections::BTreeMap;

/// One way in which an escalation can end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Patients and toxicities at each dose.
    pub seen: Vec<Treated>,
    /// The recommended dose, counted from 0; `None` if none is safe.
    pub recommended: Option<usize>,
    /// How many courses, told apart by the toxicities in each cohort, end so.
    pub courses: u64,
    /// How likely it is.
    pub probability: f64,
}

/// What a rule of dose escalation comes to at true probabilities of toxicity, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactCharacteristics {
    /// The probability that each dose is recommended.
    pub recommended: Vec<f64>,
    /// The probability that none is.
    pub none: f64,
    /// Expected patients treated at each dose.
    pub patients: Vec<f64>,
    /// Expected toxicities over all doses.
    pub toxicities: f64,
    /// How many courses the escalation can take.
    pub courses: u64,
    /// Every way to end, in the order of [`Ending::seen`].
    pub endings: Vec<Ending>,
}

/// Everything that `rule` can come to with at most `cohorts` cohorts, from the lowest dose, at the true `toxicity` of each dose: what
/// [`operating_characteristics`](super::operating_characteristics) simulates, computed over all courses (complete path enumeration, Norris
/// 2020, doi:10.48550/arXiv.2012.05301).
///
/// Courses that reach the same counts at the same dose go on together, since a [`DoseFinding`] looks at nothing else; the cost grows with
/// the number of such states, about 10⁴ for five doses and ten cohorts of three.
///
/// ```
/// use twin_trials::design::{Boin, exact_characteristics};
/// let found = exact_characteristics(&Boin::new(0.3)?, &[0.05, 0.15, 0.3, 0.45], 6)?;
/// assert!((found.recommended.iter().sum::<f64>() + found.none - 1.0).abs() < 1e-12);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`] without doses, [`TrialError::OutOfRange`] for a probability outside 0 to 1, [`TrialError::Count`] for a rule that
/// gives a dose that there is not, and what the rule refuses.
pub fn exact_characteristics(rule: &dyn DoseFinding, toxicity: &[f64], cohorts: usize) -> Result<ExactCharacteristics, TrialError> {
    check_toxicity(toxicity)?;
    // Ordered maps, so that sums are taken in one order and come out in the same bits.
    let mut ended: BTreeMap<Vec<Treated>, (u64, f64)> = BTreeMap::new();
    let mut open = BTreeMap::from([((0, vec![Treated::default(); toxicity.len()]), (1, 1.0))]);
    for _ in 0..cohorts {
        let mut next: BTreeMap<(usize, Vec<Treated>), (u64, f64)> = BTreeMap::new();
        for ((current, seen), (courses, probability)) in open {
            let count = TrialError::Count { what: "dose of the rule", count: current, valid: "one of the doses, from 0" };
            let &p = toxicity.get(current).ok_or(count)?;
            for toxicities in 0..=rule.cohort() {
                let mut after = seen.clone();
                if let Some(dose) = after.get_mut(current) {
                    dose.patients += rule.cohort();
                    dose.toxicities += toxicities;
                }
                let weight = probability * binomial_mass(rule.cohort(), toxicities, p);
                let entry = match rule.next(current, &after)? {
                    DoseStep::Give(dose) => next.entry((dose, after)).or_default(),
                    DoseStep::Stop => ended.entry(after).or_default(),
                };
                *entry = (entry.0.saturating_add(courses), entry.1 + weight);
            }
        }
        open = next;
    }
    for ((_, seen), (courses, probability)) in open {
        let entry = ended.entry(seen).or_default();
        *entry = (entry.0.saturating_add(courses), entry.1 + probability);
    }
    summary(rule, toxicity.len(), ended)
}

fn summary(
    rule: &dyn DoseFinding,
    doses: usize,
    ended: BTreeMap<Vec<Treated>, (u64, f64)>,
) -> Result<ExactCharacteristics, TrialError> {
    let zeros = || vec![0.0; doses];
    let mut found = ExactCharacteristics {
        recommended: zeros(),
        none: 0.0,
        patients: zeros(),
        toxicities: 0.0,
        courses: 0,
        endings: Vec::new(),
    };
    for (seen, (courses, probability)) in ended {
        let recommended = rule.recommend(&seen)?;
        match recommended.and_then(|dose| found.recommended.get_mut(dose)) {
            Some(sum) => *sum += probability,
            None => found.none += probability,
        }
        for (sum, dose) in found.patients.iter_mut().zip(&seen) {
            *sum += probability * dose.patients as f64;
            found.toxicities += probability * dose.toxicities as f64;
        }
        found.courses = found.courses.saturating_add(courses);
        found.endings.push(Ending { seen, recommended, courses, probability });
    }
    Ok(found)
}

/// The probability of `events` among `patients` who each have one with probability `p`.
fn binomial_mass(patients: usize, events: usize, p: f64) -> f64 {
    binomial(patients as u64, events as u64) * p.powi(events as i32) * (1.0 - p).powi((patients - events) as i32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::design::{Boin, ThreePlusThree, operating_characteristics};
    use twin_core::Random;

    #[test]
    fn it_is_the_closed_form_of_the_three_plus_three_design() {
        let toxicity = [0.05, 0.1, 0.2, 0.35, 0.5];
        let (exact, closed) = (
            exact_characteristics(&ThreePlusThree { confirm: false }, &toxicity, 20).unwrap(),
            ThreePlusThree::exact(&toxicity).unwrap(),
        );
        // Too toxic at the first dose: none is recommended; at a later one: the dose below.
        assert!((exact.none - closed.stop[0]).abs() < 1e-14);
        let below = closed.stop.iter().skip(1).chain([&closed.pass_all]);
        exact.recommended.iter().zip(below).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{a} {b}"));
        exact.patients.iter().zip(&closed.patients).for_each(|(a, b)| assert!((a - b).abs() < 1e-13, "{a} {b}"));
    }

    #[test]
    fn simulation_agrees_within_its_error() {
        let (rule, toxicity) = (Boin { enough: Some(9), ..Boin::new(0.25).unwrap() }, [0.12, 0.25, 0.42]);
        let exact = exact_characteristics(&rule, &toxicity, 8).unwrap();
        let drawn = operating_characteristics(&rule, &toxicity, 8, 2000, &Random::new(3)).unwrap();
        for (exact, drawn) in exact.recommended.iter().zip(&drawn.recommended) {
            assert!((exact - drawn.share).abs() < 4.0 * (exact * (1.0 - exact) / 2000.0).sqrt() + 1e-12, "{exact} {}", drawn.share);
        }
        let total: f64 = exact.endings.iter().map(|ending| ending.probability).sum();
        assert!((total - 1.0).abs() < 1e-12);
        assert!(exact.endings.iter().all(|ending| ending.seen.iter().map(|dose| dose.patients).sum::<usize>() <= 24));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let rule = Boin::new(0.25).unwrap();
        assert!(exact_characteristics(&rule, &[], 3).is_err());
        assert!(exact_characteristics(&rule, &[0.1, 1.5], 3).is_err());
    }
}
