//! What every rule of dose escalation offers, and what such a rule comes to.

use crate::TrialError;
use crate::statistics::{Mean, Share};
use serde::{Deserialize, Serialize};
use twin_core::Random;

/// The patients treated at one dose, and how many of them had a dose-limiting toxicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Treated {
    /// How many were treated.
    pub patients: usize,
    /// How many had a dose-limiting toxicity.
    pub toxicities: usize,
}

/// What to do after a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoseStep {
    /// Treat the next cohort at this dose, counted from 0.
    Give(usize),
    /// Stop: the rule has what it needs, or no dose is safe.
    Stop,
}

/// A rule of dose escalation.
pub trait DoseFinding: Send + Sync {
    /// How many patients a cohort has.
    fn cohort(&self) -> usize;

    /// What to do next, when the last cohort was treated at dose `current`; `seen` has one entry for each dose, ascending.
    ///
    /// # Errors
    /// [`TrialError::Count`] if there is no such dose or a dose has more toxicities than patients.
    fn next(&self, current: usize, seen: &[Treated]) -> Result<DoseStep, TrialError>;

    /// The dose that would be recommended, counted from 0; `None` if none is safe.
    ///
    /// # Errors
    /// As [`DoseFinding::next`].
    fn recommend(&self, seen: &[Treated]) -> Result<Option<usize>, TrialError>;
}

/// Refuses no doses at all, a `current` dose that is not among them, and more toxicities than patients.
pub(super) fn check(current: usize, seen: &[Treated]) -> Result<Treated, TrialError> {
    if let Some(dose) = seen.iter().find(|dose| dose.toxicities > dose.patients) {
        let valid = "at most the patients treated at the dose";
        return Err(TrialError::Count { what: "number of toxicities", count: dose.toxicities, valid });
    }
    seen.get(current).copied().ok_or(TrialError::Count { what: "current dose", count: current, valid: "one of the doses, from 0" })
}

/// What a rule of dose escalation comes to at true probabilities of toxicity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatingCharacteristics {
    /// How often each dose was recommended.
    pub recommended: Vec<Share>,
    /// How often none was.
    pub none: Share,
    /// Patients treated at each dose.
    pub patients: Vec<Mean>,
    /// Toxicities over all doses.
    pub toxicities: Mean,
}

/// Simulates `trials` of `rule` with at most `cohorts` cohorts each, from the lowest dose, at the true `toxicity` of each dose.
///
/// Trial `i` draws from stream `i` of `random`: the same bits whatever comes before or after.
///
/// ```
/// use twin_core::Random;
/// use twin_trials::design::{Boin, operating_characteristics};
/// let found = operating_characteristics(&Boin::new(0.3)?, &[0.05, 0.15, 0.3, 0.45], 10, 200, &Random::new(1))?;
/// assert_eq!(found.recommended.len(), 4);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`] without doses, [`TrialError::OutOfRange`] for a probability outside 0 to 1, [`TrialError::Count`] for fewer than
/// two trials, and what the rule refuses.
pub fn operating_characteristics(
    rule: &dyn DoseFinding,
    toxicity: &[f64],
    cohorts: usize,
    trials: usize,
    random: &Random,
) -> Result<OperatingCharacteristics, TrialError> {
    check_toxicity(toxicity)?;
    let mut recommended = vec![0; toxicity.len()];
    let mut patients = vec![Vec::with_capacity(trials); toxicity.len()];
    let mut toxicities = Vec::with_capacity(trials);
    for trial in 0..trials {
        let seen = one_trial(rule, toxicity, cohorts, &mut random.stream(trial as u64))?;
        if let Some(count) = rule.recommend(&seen)?.and_then(|dose| recommended.get_mut(dose)) {
            *count += 1;
        }
        patients.iter_mut().zip(&seen).for_each(|(list, dose)| list.push(dose.patients as f64));
        toxicities.push(seen.iter().map(|dose| dose.toxicities).sum::<usize>() as f64);
    }
    let some: usize = recommended.iter().sum();
    Ok(OperatingCharacteristics {
        recommended: recommended.into_iter().map(|count| Share::of(count, trials)).collect::<Result<_, _>>()?,
        none: Share::of(trials - some, trials)?,
        patients: patients.iter().map(|list| Mean::of(list)).collect::<Result<_, _>>()?,
        toxicities: Mean::of(&toxicities)?,
    })
}

/// Refuses no doses at all and toxicities that are no probabilities.
pub(super) fn check_toxicity(toxicity: &[f64]) -> Result<(), TrialError> {
    if toxicity.is_empty() {
        return Err(TrialError::Empty { what: "the list of doses" });
    }
    match toxicity.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        Some((index, &value)) => {
            Err(TrialError::OutOfRange { what: "probability of toxicity", index, value, valid: "from 0 to 1" })
        }
        None => Ok(()),
    }
}

fn one_trial(rule: &dyn DoseFinding, toxicity: &[f64], cohorts: usize, random: &mut Random) -> Result<Vec<Treated>, TrialError> {
    let (mut seen, mut current) = (vec![Treated::default(); toxicity.len()], 0);
    for _ in 0..cohorts {
        if let (Some(dose), Some(&probability)) = (seen.get_mut(current), toxicity.get(current)) {
            dose.patients += rule.cohort();
            dose.toxicities += (0..rule.cohort()).filter(|_| random.uniform() < probability).count();
        }
        match rule.next(current, &seen)? {
            DoseStep::Give(dose) => current = dose,
            DoseStep::Stop => break,
        }
    }
    Ok(seen)
}

/// The non-decreasing values nearest to `values` in weighted squares: neighbors that fall are pooled.
pub(super) fn isotonic(values: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(value, weight) in values {
        let mut block = (value, weight, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 > block.0) {
            let weight = before.1 + block.1;
            block = ((before.0 * before.1 + block.0 * block.1) / weight, weight, before.2 + block.2);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbors_that_fall_are_pooled() {
        assert_eq!(isotonic(&[(0.1, 1.0), (0.4, 1.0), (0.2, 3.0), (0.5, 1.0)]), [0.1, 0.25, 0.25, 0.5]);
        assert_eq!(isotonic(&[(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)]), [2.0, 2.0, 2.0]);
    }
}
