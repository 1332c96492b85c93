//! How well a score orders subjects by the time of their events.

use super::{FollowUp, period::Period};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// Harrell's concordance (Harrell, Lee and Mark 1996): over all pairs of which it is known who had the event first, the share in which
/// that one had the higher score; ties of the score count one half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Concordance {
    /// Pairs in which the one with the earlier event had the higher score.
    pub concordant: u64,
    /// Pairs in which that one had the lower score.
    pub discordant: u64,
    /// Pairs with the same score.
    pub tied: u64,
}

impl Concordance {
    /// The index: 1 for a perfect order, 0.5 for none; NaN if no pair can be compared.
    #[must_use]
    pub fn index(&self) -> f64 {
        let pairs = (self.concordant + self.discordant + self.tied) as f64;
        (self.concordant as f64 + 0.5 * self.tied as f64) / pairs
    }
}

/// The concordance of `scores`, higher for a higher hazard, with `follow_ups`.
///
/// Two events at the same time are not compared; an event is earlier than a censoring at the same time.
///
/// ```
/// use twin_trials::statistics::{FollowUp, concordance};
/// let follow_ups = [FollowUp::event(1.0), FollowUp::event(2.0), FollowUp::censored(2.5), FollowUp::event(3.0)];
/// // 1 against all three and 2 against two: five pairs; 2 has a lower score than the third.
/// assert_eq!(concordance(&follow_ups, &[9.0, 4.0, 5.0, 1.0])?.index(), 0.8);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`], [`TrialError::NotFinite`], [`TrialError::OutOfRange`], [`TrialError::Length`] for input that is not valid, and
/// [`TrialError::NothingToCompare`] when no two subjects can be compared.
pub fn concordance(follow_ups: &[FollowUp], scores: &[f64]) -> Result<Concordance, TrialError> {
    let periods: Vec<Period> = follow_ups.iter().map(|&follow_up| Period::new(follow_up, [])).collect();
    super::period::check(&[], &periods)?;
    super::finite("score", scores)?;
    if scores.len() != periods.len() {
        return Err(TrialError::Length {
            what: "the list of scores",
            found: scores.len(),
            reference: "the list of follow-ups",
            expected: periods.len(),
        });
    }
    let found = concordance_of(&periods, scores)?;
    if found.index().is_nan() {
        return Err(TrialError::NothingToCompare { groups: periods.len(), events: 0 });
    }
    Ok(found)
}

/// The concordance over pairs within strata that are at risk together. Weights do not enter.
pub(super) fn concordance_of(periods: &[Period], scores: &[f64]) -> Result<Concordance, TrialError> {
    let mut values = scores.to_vec();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let rank = |index: usize| scores.get(index).map_or(0, |score| values.partition_point(|value| value < score));
    let mut by_end: Vec<(usize, &Period)> = periods.iter().enumerate().collect();
    by_end.sort_by(|(_, a), (_, b)| a.stratum.cmp(&b.stratum).then(b.follow_up.time.total_cmp(&a.follow_up.time)));
    let mut by_start = by_end.clone();
    by_start.sort_by(|(_, a), (_, b)| a.stratum.cmp(&b.stratum).then(b.begin().total_cmp(&a.begin())));
    let mut left = by_start.iter().peekable();
    let mut counts = Counts { cells: vec![0; values.len() + 1], total: 0 };
    let mut found = Concordance { concordant: 0, discordant: 0, tied: 0 };
    let mut stratum = None;
    let same = |(_, a): &(usize, &Period), (_, b): &(usize, &Period)| {
        a.stratum == b.stratum && a.follow_up.time.total_cmp(&b.follow_up.time).is_eq()
    };
    for tied in by_end.chunk_by(same) {
        let Some((_, first)) = tied.first() else { continue };
        if stratum != Some(first.stratum) {
            (counts.cells, counts.total, stratum) = (vec![0; values.len() + 1], 0, Some(first.stratum));
            while left.next_if(|(_, period)| period.stratum < first.stratum).is_some() {}
        }
        let in_stratum =
            |(_, period): &&(usize, &Period)| period.stratum == first.stratum && period.begin() >= first.follow_up.time;
        while let Some((index, _)) = left.next_if(in_stratum) {
            counts.add(rank(*index), -1);
        }
        tied.iter().filter(|(_, period)| !period.follow_up.event).for_each(|(index, _)| counts.add(rank(*index), 1));
        for (index, _) in tied.iter().filter(|(_, period)| period.follow_up.event) {
            let (below, up_to) = (counts.below(rank(*index)), counts.below(rank(*index) + 1));
            found.concordant += below;
            found.tied += up_to - below;
            found.discordant += counts.total - up_to;
        }
        tied.iter().filter(|(_, period)| period.follow_up.event).for_each(|(index, _)| counts.add(rank(*index), 1));
    }
    Ok(found)
}

/// How many subjects of each rank are at risk: a Fenwick tree.
struct Counts {
    cells: Vec<i64>,
    total: u64,
}

impl Counts {
    fn add(&mut self, rank: usize, change: i64) {
        self.total = self.total.wrapping_add_signed(change);
        let mut place = rank + 1;
        while let Some(cell) = self.cells.get_mut(place) {
            *cell += change;
            place += place & place.wrapping_neg();
        }
    }

    /// How many have a rank below `rank`.
    fn below(&self, rank: usize) -> u64 {
        let (mut place, mut sum) = (rank, 0);
        while place > 0 {
            sum += self.cells.get(place).copied().unwrap_or(0);
            place &= place - 1;
        }
        u64::try_from(sum).unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    #[test]
    fn counts_are_those_of_all_pairs() {
        let mut random = Random::new(5);
        let draw = |_| (FollowUp { time: random.below(12) as f64, event: random.uniform() < 0.6 }, random.below(5) as f64);
        let (seen, scores): (Vec<FollowUp>, Vec<f64>) = (0..80).map(draw).unzip();
        let (mut concordant, mut discordant, mut tied) = (0, 0, 0);
        for (i, first) in seen.iter().enumerate().filter(|(_, first)| first.event) {
            for (j, other) in seen.iter().enumerate() {
                if other.time > first.time || (other.time == first.time && !other.event) {
                    match scores[i].total_cmp(&scores[j]) {
                        std::cmp::Ordering::Greater => concordant += 1,
                        std::cmp::Ordering::Less => discordant += 1,
                        std::cmp::Ordering::Equal => tied += 1,
                    }
                }
            }
        }
        assert_eq!(concordance(&seen, &scores).unwrap(), Concordance { concordant, discordant, tied });
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        assert!(concordance(&[FollowUp::censored(1.0), FollowUp::censored(2.0)], &[1.0, 2.0]).is_err());
        assert!(concordance(&[FollowUp::event(1.0)], &[1.0, 2.0]).is_err());
    }
}
