//! When a model no longer explains its patient.

use super::version::quantile;
use super::{Surprise, Twin};
use crate::CalibrationError;
use crate::numeric::ln_sum_exp;
use statrs::function::erf::erfc;
use std::f64::consts::{LN_2, SQRT_2};

/// Watches how well each version foresaw the next reading, and says when it was too often wrong to believe the model.
///
/// If the model is right, the scores of the readings, each judged before it was learned from, are independent standard normal numbers
/// (Dawid 1984, doi:10.2307/2981683). The monitor bets against that with normal distributions of other means and widths from an unknown reading on;
/// its stake is an e-process (Ramdas et al. 2023, doi:10.1214/23-STS894): however often one looks, the probability that it ever exceeds `1/level`
/// is at most `level`, if the model is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monitor {
    /// The probability of ever raising a false alarm, in (0, 1).
    pub level: f64,
}

impl Default for Monitor {
    fn default() -> Self {
        Self { level: 0.01 }
    }
}

/// What a monitor thinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Whether the model still explains the patient: the evidence has never reached its bound.
    pub explained: bool,
    /// The logarithm of the highest stake so far: evidence against the model.
    pub ln_evidence: f64,
    /// The place, from 0, of the score at which the bound was first reached.
    pub alarm: Option<usize>,
    /// How many scores were judged: readings that came at once count as one.
    pub readings: usize,
}

/// The means and widths that are bet on, each with the same stake.
const BETS: [(f64, f64); 6] = [(-2.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (0.0, 2.0), (0.0, 4.0)];

impl Monitor {
    /// Judges the readings of all versions of `twin` after the first, but for those that were corrected since, and those that a version
    /// judged which had learned from them ([`Surprise::counts`]).
    ///
    /// Readings that came at once, the voxels of a field too, were foreseen by the same draws and are not independent. They count as one: the
    /// most surprising of them, its probability multiplied by their number (Bonferroni). That is cautious: one after the other they tell more.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for a level outside (0, 1).
    pub fn judge(&self, twin: &Twin) -> Result<Verdict, CalibrationError> {
        let scores = twin.versions().iter().filter_map(|version| {
            let counted = version.surprises.iter().filter(|surprise| surprise.counts);
            most_surprising(counted.filter_map(|surprise: &Surprise| surprise.score))
        });
        self.judge_scores(&scores.collect::<Vec<f64>>())
    }

    /// Judges scores that would be independent standard normal numbers if the model were right, in their order.
    ///
    /// ```
    /// use twin_calibrate::living::Monitor;
    /// assert!(Monitor::default().judge_scores(&[0.3, -1.2, 0.8, 1.9, -0.4])?.explained);
    /// assert_eq!(Monitor::default().judge_scores(&[0.3, -1.2, 0.8, 2.9, 3.1, 3.4])?.alarm, Some(5));
    /// # Ok::<(), twin_calibrate::CalibrationError>(())
    /// ```
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for a level outside (0, 1).
    pub fn judge_scores(&self, scores: &[f64]) -> Result<Verdict, CalibrationError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            let (method, setting, valid) = ("monitor", "level", "above 0 and below 1");
            return Err(CalibrationError::Setting { method, setting, value: self.level, valid });
        }
        let mut verdict = Verdict { explained: true, ln_evidence: 0.0, alarm: None, readings: scores.len() };
        let bound = -self.level.ln();
        // The stake of each bet that begins at each reading.
        let mut stakes: Vec<f64> = Vec::with_capacity(BETS.len() * scores.len());
        for (place, score) in scores.iter().enumerate() {
            // The share 1/(k (k + 1)) of the money is put on a change at reading k.
            let k = place as f64 + 1.0;
            let share = -(k * (k + 1.0)).ln() - (BETS.len() as f64).ln();
            stakes.extend(std::iter::repeat_n(share, BETS.len()));
            // A score beyond all numbers is one that the model holds for impossible.
            let impossible = !score.is_finite();
            for (stake, (mean, width)) in stakes.iter_mut().zip(BETS.iter().cycle()) {
                let u = (score - mean) / width;
                *stake += if impossible { f64::INFINITY } else { 0.5 * (score * score - u * u) - width.ln() };
            }
            let total = ln_sum_exp(stakes.iter().copied().chain([-(k + 1.0).ln()]));
            verdict.ln_evidence = verdict.ln_evidence.max(total);
            if total >= bound && verdict.alarm.is_none() {
                verdict.alarm = Some(place);
            }
        }
        verdict.explained = verdict.alarm.is_none();
        Ok(verdict)
    }
}

/// The score farthest from 0, drawn in by as much as there are others that could have been it; `None` without any.
fn most_surprising(scores: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut most) = (0_usize, None);
    for score in scores {
        count += 1;
        if most.is_none_or(|most: f64| score.abs() > most.abs() || score.is_nan()) {
            most = Some(score);
        }
    }
    let most = most?;
    let others = (count as f64).ln();
    // The logarithm of the probability of a score as far from 0, on either side.
    let tails = if most.abs() < 30.0 { erfc(most.abs() / SQRT_2).ln() } else { -0.5 * most * most };
    if count == 1 || !most.is_finite() {
        return Some(most);
    }
    if most.abs() >= 30.0 {
        return Some(most.signum() * (-2.0 * (tails + others)).max(0.0).sqrt());
    }
    Some(most.signum() * -quantile((tails + others).min(0.0) - LN_2))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    #[test]
    fn false_alarms_are_as_rare_as_promised() {
        let root = Random::new(1);
        let alarm = |index: u64| {
            let mut random = root.stream(index);
            let scores: Vec<f64> = (0..40).map(|_| random.normal()).collect();
            !Monitor { level: 0.05 }.judge_scores(&scores).unwrap().explained
        };
        let alarms = (0..2000).filter(|index| alarm(*index)).count();
        assert!(alarms <= 100, "{alarms} of 2000");
    }

    #[test]
    fn a_change_is_noticed_soon() {
        let root = Random::new(2);
        let delay = |index: u64| {
            let mut random = root.stream(index);
            let scores: Vec<f64> = (0..30).map(|k| random.normal() + if k < 10 { 0.0 } else { 3.0 }).collect();
            Monitor::default().judge_scores(&scores).unwrap().alarm.map_or(99, |place| place.saturating_sub(9))
        };
        let mut delays: Vec<usize> = (0..200).map(delay).collect();
        delays.sort_unstable();
        assert!(delays[100] <= 4 && delays[190] <= 8, "{} {}", delays[100], delays[190]);
    }

    #[test]
    fn an_impossible_reading_raises_the_alarm_at_once() {
        assert_eq!(Monitor::default().judge_scores(&[f64::NEG_INFINITY]).unwrap().alarm, Some(0));
        assert_eq!(Monitor::default().judge_scores(&[-60.0]).unwrap().alarm, Some(0));
    }

    #[test]
    fn of_many_scores_the_farthest_counts_and_less_than_alone() {
        assert_eq!(most_surprising([-1.7].into_iter()), Some(-1.7));
        assert_eq!(most_surprising([0.1; 100].into_iter()), Some(0.0));
        assert_eq!(most_surprising(std::iter::empty()), None);
        // 0.05 divided by five tests is 0.01: 2.576 counts as 1.960.
        let drawn_in = most_surprising([0.3, -2.575_829, 1.0, 0.2, -0.7].into_iter()).unwrap();
        assert!((drawn_in + 1.959_964).abs() < 1e-5, "{drawn_in}");
        let far = most_surprising([0.0, 60.0].into_iter()).unwrap();
        assert!(59.9 < far && far < 60.0, "{far}");
    }

    #[test]
    fn a_level_that_is_no_probability_is_refused() {
        for level in [0.0, 1.0, 2.0, -1.0, f64::NAN] {
            let refused = Monitor { level }.judge_scores(&[0.1]);
            assert!(matches!(refused, Err(CalibrationError::Setting { .. })), "{level}: {refused:?}");
        }
    }
}
