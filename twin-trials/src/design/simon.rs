//! Two stages: stop early when too few respond.

use crate::TrialError;
use crate::statistics::open_unit;
use serde::{Deserialize, Serialize};

/// What a two-stage trial of a response rate must do (Simon 1989, doi:10.1016/0197-2456(89)90015-9).
///
/// ```
/// use twin_trials::design::SimonTwoStage;
/// let question = SimonTwoStage { uninteresting: 0.1, desirable: 0.3, alpha: 0.05, power: 0.8, largest: 60 };
/// let design = question.optimal()?;
/// assert_eq!((design.stop_at_most, design.first, design.reject_at_most, design.total), (1, 10, 5, 29));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SimonTwoStage {
    /// The response rate at which the drug is of no interest.
    pub uninteresting: f64,
    /// The response rate at which it should be taken further.
    pub desirable: f64,
    /// The largest acceptable probability to take further a drug of no interest.
    pub alpha: f64,
    /// The least acceptable probability to take further a desirable one.
    pub power: f64,
    /// The largest number of patients to be considered.
    pub largest: usize,
}

/// A two-stage design and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TwoStageDesign {
    /// Stop after the first stage with at most this many responses.
    pub stop_at_most: usize,
    /// Patients of the first stage.
    pub first: usize,
    /// The drug is not taken further with at most this many responses in all.
    pub reject_at_most: usize,
    /// Patients of both stages.
    pub total: usize,
    /// The expected number of patients if the drug is of no interest.
    pub expected_patients: f64,
    /// The probability to stop after the first stage if the drug is of no interest.
    pub early_stop: f64,
    /// The probability to take further a drug of no interest.
    pub alpha: f64,
    /// The probability to take further a desirable one.
    pub power: f64,
}

impl SimonTwoStage {
    /// The design with the fewest expected patients if the drug is of no interest.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for rates, alpha or power outside 0 to 1 or rates out of order; [`TrialError::NoDesign`] if none with at
    /// most `largest` patients will do.
    pub fn optimal(&self) -> Result<TwoStageDesign, TrialError> {
        self.search(|design, best| design.expected_patients < best.expected_patients, false)
    }

    /// The design with the fewest patients, and among those the fewest expected ones.
    ///
    /// # Errors
    /// As [`SimonTwoStage::optimal`].
    pub fn minimax(&self) -> Result<TwoStageDesign, TrialError> {
        let fewer = |design: &TwoStageDesign, best: &TwoStageDesign| {
            design.total < best.total || (design.total == best.total && design.expected_patients < best.expected_patients)
        };
        self.search(fewer, true)
    }

    fn search(
        &self,
        better: impl Fn(&TwoStageDesign, &TwoStageDesign) -> bool,
        first_total: bool,
    ) -> Result<TwoStageDesign, TrialError> {
        open_unit("alpha", self.alpha)?;
        open_unit("power", self.power)?;
        open_unit("uninteresting response rate", self.uninteresting)?;
        let desirable = open_unit("desirable response rate", self.desirable)?;
        if desirable <= self.uninteresting {
            let valid = "above the uninteresting one";
            return Err(TrialError::OutOfRange { what: "desirable response rate", index: 0, value: desirable, valid });
        }
        let mut best: Option<TwoStageDesign> = None;
        let laws = |rate: f64| (0..=self.largest).map(|n| binomial(n, rate)).collect::<Vec<_>>();
        let (null, wanted) = (laws(self.uninteresting), laws(self.desirable));
        for total in 2..=self.largest {
            for first in 1..total {
                self.continue_search((first, total), (&null, &wanted), &mut |design| {
                    if best.as_ref().is_none_or(|best| better(&design, best)) {
                        best = Some(design);
                    }
                });
            }
            if first_total && best.is_some() {
                break;
            }
        }
        best.ok_or_else(|| TrialError::NoDesign { what: "two-stage design", bound: format!("{} patients", self.largest) })
    }

    /// Offers the best designs with these sizes: for each rule of the first stage, the largest second limit that keeps the power.
    fn continue_search(
        &self,
        (first, total): (usize, usize),
        (null, wanted): (&[Vec<f64>], &[Vec<f64>]),
        offer: &mut dyn FnMut(TwoStageDesign),
    ) {
        let (Some([null_one, null_two]), Some([one, two])) = (pair(null, first, total - first), pair(wanted, first, total - first))
        else {
            return;
        };
        for stop_at_most in 0..first {
            let early: f64 = one.iter().take(stop_at_most + 1).sum();
            if early > 1.0 - self.power {
                break;
            }
            // The probability to be taken further falls as the second limit rises: the last limit with enough power has the least alpha.
            let further = |law: &[f64], next: &[f64], limit: usize| taken_further(law, next, stop_at_most, limit);
            let limits = (stop_at_most..total).take_while(|&limit| further(one, two, limit) >= self.power);
            let Some(reject_at_most) = limits.last() else { continue };
            let alpha = further(null_one, null_two, reject_at_most);
            if alpha > self.alpha {
                continue;
            }
            let early_stop: f64 = null_one.iter().take(stop_at_most + 1).sum();
            offer(TwoStageDesign {
                stop_at_most,
                first,
                reject_at_most,
                total,
                expected_patients: first as f64 + (1.0 - early_stop) * (total - first) as f64,
                early_stop,
                alpha,
                power: further(one, two, reject_at_most),
            });
        }
    }
}

fn pair(laws: &[Vec<f64>], first: usize, second: usize) -> Option<[&[f64]; 2]> {
    Some([laws.get(first)?, laws.get(second)?])
}

/// The probability of more than `stop` responses in the first stage and more than `limit` in both.
fn taken_further(first: &[f64], second: &[f64], stop: usize, limit: usize) -> f64 {
    // Tails of the second stage, from the largest count down, so that each is summed once.
    let (mut sum, mut tail, mut needed) = (0.0, 0.0, second.len());
    for (responses, probability) in first.iter().enumerate().skip(stop + 1) {
        let at_least = (limit + 1).saturating_sub(responses);
        while needed > at_least {
            needed -= 1;
            tail += second.get(needed).copied().unwrap_or(0.0);
        }
        sum += probability * tail;
    }
    sum
}

/// The probabilities of 0 to `n` successes in `n` trials of probability `p`.
pub(super) fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mut law = vec![1.0];
    for _ in 0..n {
        let fail = law.iter().map(|q| q * (1.0 - p)).chain([0.0]);
        let succeed = std::iter::once(0.0).chain(law.iter().map(|q| q * p));
        law = fail.zip(succeed).map(|(a, b)| a + b).collect();
    }
    law
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn numbers(design: TwoStageDesign) -> (usize, usize, usize, usize) {
        (design.stop_at_most, design.first, design.reject_at_most, design.total)
    }

    #[test]
    fn simon1989_tables() {
        let question = |uninteresting, desirable| SimonTwoStage { uninteresting, desirable, alpha: 0.05, power: 0.8, largest: 60 };
        let easy = question(0.1, 0.3);
        assert_eq!(numbers(easy.optimal().unwrap()), (1, 10, 5, 29));
        assert_eq!(numbers(easy.minimax().unwrap()), (1, 15, 5, 25));
        let hard = question(0.2, 0.4);
        let optimal = hard.optimal().unwrap();
        assert_eq!(numbers(optimal), (3, 13, 12, 43));
        assert!((optimal.expected_patients - 20.580_270_714_88).abs() < 1e-9);
        assert!((optimal.early_stop - 0.747_324_309_504).abs() < 1e-9);
        assert!((optimal.alpha - 0.049_581_449_748_05).abs() < 1e-9);
        assert!((optimal.power - 0.800_214_356_188_1).abs() < 1e-9);
        assert_eq!(numbers(hard.minimax().unwrap()), (4, 18, 10, 33));
    }

    #[test]
    fn the_impossible_is_refused() {
        let question = SimonTwoStage { uninteresting: 0.2, desirable: 0.25, alpha: 0.05, power: 0.9, largest: 40 };
        assert!(matches!(question.optimal(), Err(TrialError::NoDesign { .. })));
        assert!(SimonTwoStage { desirable: 0.1, ..question }.optimal().is_err());
        assert!(SimonTwoStage { alpha: f64::NAN, ..question }.minimax().is_err());
    }
}
