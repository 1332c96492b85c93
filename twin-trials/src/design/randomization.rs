//! Who is allocated to which arm.

use crate::TrialError;
use std::collections::BTreeMap;
use twin_core::Random;

/// A rule that allocates one patient after the other to an arm, counted from 0.
pub trait Allocation: Send {
    /// The arm of the next patient, whose factors (sex, stage, center, …) have these `levels`.
    ///
    /// # Errors
    /// As each rule says.
    fn allocate(&mut self, levels: &[usize], random: &mut Random) -> Result<usize, TrialError>;

    /// Is told that a patient of `arm` was a success, or not. Most rules do not listen.
    fn learn(&mut self, _arm: usize, _success: bool) {}
}

/// Refuses fewer than two arms, and ratios that do not allow any patient.
fn total(ratio: &[usize]) -> Result<usize, TrialError> {
    if ratio.len() < 2 {
        return Err(TrialError::Count { what: "number of arms", count: ratio.len(), valid: "2 or more" });
    }
    match ratio.iter().position(|&part| part == 0) {
        Some(_) => Err(TrialError::Count { what: "part of the allocation ratio", count: 0, valid: "1 or more" }),
        None => Ok(ratio.iter().sum()),
    }
}

/// The arm at `place` when arms are laid out one after the other, each as long as its part.
fn arm_at(parts: &[usize], place: usize) -> usize {
    let mut end = 0;
    let passed = |part: &&usize| {
        end += **part;
        end <= place
    };
    parts.iter().take_while(passed).count()
}

/// Each patient by chance alone, in the ratio of the arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple {
    ratio: Vec<usize>,
    total: usize,
}

impl Simple {
    /// Allocation in the given `ratio`, one part for each arm: `[2, 1]` for two to one.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two arms or an empty part.
    pub fn new(ratio: &[usize]) -> Result<Self, TrialError> {
        Ok(Self { ratio: ratio.to_vec(), total: total(ratio)? })
    }
}

impl Allocation for Simple {
    /// Looks at no factor, and never fails.
    fn allocate(&mut self, _levels: &[usize], random: &mut Random) -> Result<usize, TrialError> {
        Ok(arm_at(&self.ratio, random.below(self.total)))
    }
}

/// Blocks in which each arm has its share exactly, in random order; the size of each block is drawn from a list.
///
/// ```
/// use twin_core::Random;
/// use twin_trials::design::{Allocation, PermutedBlocks};
/// let (mut rule, mut random) = (PermutedBlocks::new(&[1, 1], &[2])?, Random::new(1)); // blocks of twice the ratio: 4 patients
/// let arms: Vec<usize> = (0..4).map(|_| rule.allocate(&[], &mut random)).collect::<Result<_, _>>()?;
/// assert_eq!(arms.iter().sum::<usize>(), 2);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermutedBlocks {
    ratio: Vec<usize>,
    multiples: Vec<usize>,
    /// What is left of the current block, by arm.
    left: Vec<usize>,
}

impl PermutedBlocks {
    /// Blocks of the given `ratio`, each a multiple of it drawn from `multiples`.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two arms, an empty part or a multiple of 0; [`TrialError::Empty`] without multiples.
    pub fn new(ratio: &[usize], multiples: &[usize]) -> Result<Self, TrialError> {
        total(ratio)?;
        if multiples.is_empty() {
            return Err(TrialError::Empty { what: "the list of block sizes" });
        }
        if multiples.contains(&0) {
            return Err(TrialError::Count { what: "multiple of the ratio in a block", count: 0, valid: "1 or more" });
        }
        Ok(Self { ratio: ratio.to_vec(), multiples: multiples.to_vec(), left: vec![0; ratio.len()] })
    }
}

impl Allocation for PermutedBlocks {
    /// Looks at no factor, and never fails.
    fn allocate(&mut self, _levels: &[usize], random: &mut Random) -> Result<usize, TrialError> {
        if self.left.iter().sum::<usize>() == 0 {
            let multiple = self.multiples.get(random.below(self.multiples.len())).copied().unwrap_or(1);
            self.left = self.ratio.iter().map(|part| part * multiple).collect();
        }
        let arm = arm_at(&self.left, random.below(self.left.iter().sum()));
        if let Some(left) = self.left.get_mut(arm) {
            *left -= 1;
        }
        Ok(arm)
    }
}

/// Permuted blocks of its own for each combination of levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratified {
    fresh: PermutedBlocks,
    strata: BTreeMap<Vec<usize>, PermutedBlocks>,
}

impl Stratified {
    /// Each combination of levels starts with a copy of `blocks`.
    #[must_use]
    pub fn new(blocks: PermutedBlocks) -> Self {
        Self { fresh: blocks, strata: BTreeMap::new() }
    }
}

impl Allocation for Stratified {
    /// Never fails.
    fn allocate(&mut self, levels: &[usize], random: &mut Random) -> Result<usize, TrialError> {
        self.strata.entry(levels.to_vec()).or_insert_with(|| self.fresh.clone()).allocate(levels, random)
    }
}

/// Minimization (Pocock and Simon 1975, doi:10.2307/2529712): the arm that makes the arms most alike in every factor is taken with
/// a given probability, else one of the others.
///
/// The imbalance of a factor is the range, over the arms, of the number of patients with the new patient's level; the factors count by
/// their weights. Arms that tie for the least share the probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimization {
    arms: usize,
    weights: Vec<f64>,
    probability: f64,
    /// For each factor and level, the patients of each arm.
    counts: BTreeMap<(usize, usize), Vec<usize>>,
}

impl Minimization {
    /// Minimization over `arms` arms and one factor for each of the `weights`; the preferred arms are taken with `probability`.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two arms; [`TrialError::Empty`] without factors; [`TrialError::OutOfRange`] for weights that
    /// are not above 0, and for a probability that is not above `1 / arms` and at most 1.
    pub fn new(arms: usize, weights: &[f64], probability: f64) -> Result<Self, TrialError> {
        total(&vec![1; arms])?;
        if weights.is_empty() {
            return Err(TrialError::Empty { what: "the list of factors" });
        }
        if let Some((index, &value)) = weights.iter().enumerate().find(|(_, weight)| !(weight.is_finite() && **weight > 0.0)) {
            return Err(TrialError::OutOfRange { what: "weight of a factor", index, value, valid: "above 0 and finite" });
        }
        if !(probability > 1.0 / arms as f64 && probability <= 1.0) {
            let valid = "above one over the number of arms and at most 1";
            return Err(TrialError::OutOfRange { what: "probability of the preferred arm", index: 0, value: probability, valid });
        }
        Ok(Self { arms, weights: weights.to_vec(), probability, counts: BTreeMap::new() })
    }

    /// The weighted imbalance if the next patient went to `arm`.
    fn imbalance(&self, arm: usize, levels: &[usize]) -> f64 {
        let range = |(factor, level): (usize, &usize)| {
            let counts = self.counts.get(&(factor, *level));
            let after =
                (0..self.arms).map(|other| counts.and_then(|c| c.get(other)).copied().unwrap_or(0) + usize::from(other == arm));
            let (least, most) = after.fold((usize::MAX, 0), |(least, most), count| (least.min(count), most.max(count)));
            (most - least) as f64
        };
        levels.iter().enumerate().map(range).zip(&self.weights).map(|(range, weight)| range * weight).sum()
    }
}

impl Allocation for Minimization {
    /// Fails with [`TrialError::Length`] for another number of levels than there are factors.
    fn allocate(&mut self, levels: &[usize], random: &mut Random) -> Result<usize, TrialError> {
        if levels.len() != self.weights.len() {
            let (what, reference) = ("the list of levels", "the list of factors");
            return Err(TrialError::Length { what, found: levels.len(), reference, expected: self.weights.len() });
        }
        let imbalances: Vec<f64> = (0..self.arms).map(|arm| self.imbalance(arm, levels)).collect();
        let least = imbalances.iter().copied().fold(f64::INFINITY, f64::min);
        let (preferred, others): (Vec<usize>, Vec<usize>) =
            (0..self.arms).partition(|&arm| imbalances.get(arm).is_some_and(|i| *i <= least));
        let pool = if others.is_empty() || random.uniform() < self.probability { &preferred } else { &others };
        let arm = pool.get(random.below(pool.len())).copied().unwrap_or(0);
        for (factor, &level) in levels.iter().enumerate() {
            let counts = self.counts.entry((factor, level)).or_insert_with(|| vec![0; self.arms]);
            counts.iter_mut().skip(arm).take(1).for_each(|count| *count += 1);
        }
        Ok(arm)
    }
}

/// Randomized play-the-winner (Wei and Durham 1978, doi:10.2307/2286290): a ball is drawn from an urn that begins with the same number of
/// balls for each arm; a success adds balls of its arm, a failure balls of the others.
///
/// ```
/// use twin_core::Random;
/// use twin_trials::design::{Allocation, PlayTheWinner};
/// let (mut rule, mut random) = (PlayTheWinner::new(2, 1, 1)?, Random::new(1));
/// (0..50).for_each(|_| rule.learn(1, true)); // the second arm succeeds
/// let to_second = (0..100).filter(|_| rule.allocate(&[], &mut random).is_ok_and(|arm| arm == 1)).count();
/// assert!(to_second > 90);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayTheWinner {
    urn: Vec<usize>,
    added: usize,
}

impl PlayTheWinner {
    /// An urn with `balls` for each of `arms` arms, to which a success adds `added` balls of its arm and a failure as many of each other.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two arms, or for none of the balls.
    pub fn new(arms: usize, balls: usize, added: usize) -> Result<Self, TrialError> {
        let urn = vec![balls; arms];
        total(&urn)?;
        if added == 0 {
            return Err(TrialError::Count { what: "number of balls added", count: 0, valid: "1 or more" });
        }
        Ok(Self { urn, added })
    }
}

impl Allocation for PlayTheWinner {
    /// Looks at no factor, and never fails.
    fn allocate(&mut self, _levels: &[usize], random: &mut Random) -> Result<usize, TrialError> {
        Ok(arm_at(&self.urn, random.below(self.urn.iter().sum())))
    }

    fn learn(&mut self, arm: usize, success: bool) {
        for (other, balls) in self.urn.iter_mut().enumerate() {
            if (other == arm) == success {
                *balls += self.added;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn counts(rule: &mut dyn Allocation, arms: usize, patients: usize, seed: u64) -> Vec<usize> {
        let (mut random, mut counts) = (Random::new(seed), vec![0; arms]);
        for patient in 0..patients {
            counts[rule.allocate(&[patient % 2, patient % 3], &mut random).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn simple_allocation_has_the_ratio_on_average() {
        let found = counts(&mut Simple::new(&[2, 1]).unwrap(), 2, 30_000, 1);
        assert!((found[0] as f64 / 30_000.0 - 2.0 / 3.0).abs() < 0.011, "{found:?}");
    }

    #[test]
    fn blocks_have_the_ratio_exactly() {
        assert_eq!(counts(&mut PermutedBlocks::new(&[2, 1, 1], &[1]).unwrap(), 3, 400, 2), [200, 100, 100]);
        // Two levels and three levels: six strata of 200 patients, each in blocks of four.
        assert_eq!(counts(&mut Stratified::new(PermutedBlocks::new(&[1, 1], &[2]).unwrap()), 2, 1200, 3), [600, 600]);
    }

    #[test]
    fn minimization_keeps_every_factor_in_balance() {
        let mut rule = Minimization::new(2, &[1.0, 1.0], 0.8).unwrap();
        counts(&mut rule, 2, 601, 4);
        let worst = |rule: &Minimization| rule.counts.values().map(|arms| arms[0].abs_diff(arms[1])).max();
        assert!(worst(&rule) <= Some(12), "{:?}", rule.counts);
        // Without chance, no factor is ever further apart than a few patients.
        let mut strict = Minimization::new(2, &[1.0, 1.0], 1.0).unwrap();
        counts(&mut strict, 2, 601, 4);
        assert!(worst(&strict) <= Some(3), "{:?}", strict.counts);
    }

    #[test]
    fn the_same_seed_allocates_alike() {
        let arms = |seed| {
            let (mut rule, mut random) = (PermutedBlocks::new(&[1, 1], &[1, 2, 3]).unwrap(), Random::new(seed));
            (0..50).map(|_| rule.allocate(&[], &mut random).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(arms(5), arms(5));
        assert_ne!(arms(5), arms(6));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Simple::new(&[1]).is_err());
        assert!(Simple::new(&[1, 0]).is_err());
        assert!(PermutedBlocks::new(&[1, 1], &[]).is_err());
        assert!(PermutedBlocks::new(&[1, 1], &[0]).is_err());
        assert!(Minimization::new(2, &[1.0], 0.5).is_err());
        assert!(Minimization::new(2, &[f64::NAN], 0.8).is_err());
        assert!(Minimization::new(2, &[1.0], 0.8).unwrap().allocate(&[], &mut Random::new(1)).is_err());
    }
}
