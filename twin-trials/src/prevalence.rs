//! Prevalence: plausible patients chosen so that together they look like a population that was seen.

use crate::TrialError;
use crate::statistics::finite;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use serde::{Deserialize, Serialize};
use twin_core::Random;

/// What a population was seen to be like: means and covariance of its summaries (a summary that is log-normal enters as its logarithm).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetPopulation {
    /// The means.
    pub means: Vec<f64>,
    /// The covariance (summaries × summaries).
    pub covariance: Vec<Vec<f64>>,
}

/// How often each plausible patient stands for one of the target's.
///
/// Plausible patients are drawn widely, each with its summaries (from [`run`](crate::run) with endpoints, say). A plausible patient is included
/// with a probability proportional to the density of the target over that of the plausible ones where it lies (Allen, Rieger and Musante 2016,
/// doi:10.1002/psp4.12063). The density of the plausible ones comes from the distance to their fifth nearest neighbor; that of the target is
/// normal.
///
/// ```
/// use twin_core::Random;
/// use twin_trials::{Prevalence, TargetPopulation};
/// let mut random = Random::new(1);
/// let plausible: Vec<Vec<f64>> = (0..2000).map(|_| vec![20.0 * random.uniform()]).collect(); // anything from 0 to 20
/// let seen = TargetPopulation { means: vec![12.0], covariance: vec![vec![4.0]] };
/// let prevalence = Prevalence::of(&plausible, &seen)?;
/// let chosen = prevalence.draw(1000, &mut random);
/// let mean = chosen.iter().map(|&patient| plausible[patient][0]).sum::<f64>() / 1000.0;
/// assert!((mean - 12.0).abs() < 0.4);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prevalence {
    /// The weight of each plausible patient; they add up to 1.
    pub weights: Vec<f64>,
    cumulative: Vec<f64>,
}

/// Which neighbor's distance measures how dense the plausible patients lie: five, as in the publication.
const NEIGHBOR: usize = 5;

impl Prevalence {
    /// Weighs plausible patients by their `summaries` (patients × summaries).
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than 50 patients; [`TrialError::Length`] for lists that do not match; [`TrialError::NotFinite`];
    /// [`TrialError::NotIdentified`] for a covariance that is not positive definite, or a summary that does not vary;
    /// [`TrialError::NoDesign`] if no plausible patient is anywhere near the target.
    pub fn of(summaries: &[Vec<f64>], target: &TargetPopulation) -> Result<Self, TrialError> {
        let width = target.means.len();
        let (center, root) = checked(summaries, target)?;
        // Distances in the metric of the target, in which it is a standard normal.
        let white: Vec<DVector<f64>> = summaries
            .iter()
            .map(|row| {
                let distance = DVector::from_column_slice(row) - &center;
                root.l().solve_lower_triangular(&distance).unwrap_or(distance)
            })
            .collect();
        let radius = |own: usize| {
            let here = white.get(own)?;
            let mut squares: Vec<f64> = white.iter().map(|other| (other - here).norm_squared()).collect();
            let place = NEIGHBOR.min(squares.len().saturating_sub(1));
            squares.select_nth_unstable_by(place, f64::total_cmp);
            squares.get(place).map(|square| 0.5 * square.ln())
        };
        // The logarithm of target over plausible density: the volume around the patient grows with its radius to the power of the width.
        let mut logarithms = Vec::with_capacity(white.len());
        for (own, place) in white.iter().enumerate() {
            let ln_radius = radius(own).unwrap_or(f64::NAN);
            if !ln_radius.is_finite() {
                let name = format!("patient {own}, who has {NEIGHBOR} others in the very same place");
                return Err(TrialError::NotIdentified { what: "density of plausible patients", name });
            }
            logarithms.push(-0.5 * place.norm_squared() + width as f64 * ln_radius);
        }
        let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let near = white.iter().any(|place| place.norm_squared() < 9.0 * width as f64);
        if !near {
            let bound = "three standard deviations of the target".to_owned();
            return Err(TrialError::NoDesign { what: "plausible patient", bound });
        }
        let raw: Vec<f64> = logarithms.iter().map(|value| (value - most).exp()).collect();
        let sum: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|weight| weight / sum).collect();
        let cumulative = weights.iter().scan(0.0, |total, weight| {
            *total += weight;
            Some(*total)
        });
        Ok(Self { cumulative: cumulative.collect(), weights })
    }

    /// How many patients of equal weight the weights are worth: `1 / Σ w²` (Kish). Few, and the plausible patients do not cover the target.
    #[must_use]
    pub fn effective_size(&self) -> f64 {
        1.0 / self.weights.iter().map(|weight| weight * weight).sum::<f64>()
    }

    /// Draws `count` places among the plausible patients, each by its weight; one may come more than once.
    pub fn draw(&self, count: usize, random: &mut Random) -> Vec<usize> {
        let last = self.weights.len().saturating_sub(1);
        let one = |_| {
            let level = random.uniform() * self.cumulative.last().copied().unwrap_or(1.0);
            self.cumulative.partition_point(|total| *total <= level).min(last)
        };
        (0..count).map(one).collect()
    }
}

fn checked(summaries: &[Vec<f64>], target: &TargetPopulation) -> Result<(DVector<f64>, Cholesky<f64, Dyn>), TrialError> {
    const LEAST: usize = 50;
    finite("mean of the target", &target.means)?;
    let width = target.means.len();
    if summaries.len() < LEAST {
        return Err(TrialError::Count { what: "plausible patients", count: summaries.len(), valid: "50 or more" });
    }
    for row in summaries {
        finite("summary of a plausible patient", row)?;
        if row.len() != width {
            let (what, reference) = ("the list of summaries of a patient", "the list of means of the target");
            return Err(TrialError::Length { what, found: row.len(), reference, expected: width });
        }
    }
    if target.covariance.len() != width || target.covariance.iter().any(|row| row.len() != width) {
        let (what, reference) = ("the covariance of the target", "the list of its means");
        return Err(TrialError::Length { what, found: target.covariance.len(), reference, expected: width });
    }
    target.covariance.iter().try_for_each(|row| finite("covariance of the target", row))?;
    let covariance =
        DMatrix::from_fn(width, width, |i, j| target.covariance.get(i).and_then(|row| row.get(j)).copied().unwrap_or(f64::NAN));
    let unknown = || TrialError::NotIdentified { what: "covariance of the target", name: "positive definite".to_owned() };
    let symmetric = (&covariance - covariance.transpose()).amax() <= 1e-9 * covariance.amax();
    let root = Some(covariance).filter(|_| symmetric).and_then(Cholesky::new).ok_or_else(unknown)?;
    Ok((DVector::from_column_slice(&target.means), root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_correlated_summaries_get_the_moments_of_the_target() {
        let mut random = Random::new(7);
        let plausible: Vec<Vec<f64>> = (0..4000).map(|_| vec![10.0 * random.uniform(), 10.0 * random.uniform()]).collect();
        let target = TargetPopulation { means: vec![4.0, 6.0], covariance: vec![vec![1.0, 0.6], vec![0.6, 1.0]] };
        let prevalence = Prevalence::of(&plausible, &target).unwrap();
        let chosen = prevalence.draw(4000, &mut random);
        let mean = |f: &dyn Fn(&[f64]) -> f64| chosen.iter().map(|&place| f(&plausible[place])).sum::<f64>() / 4000.0;
        let (a, b) = (mean(&|x| x[0]), mean(&|x| x[1]));
        assert!((a - 4.0).abs() < 0.15 && (b - 6.0).abs() < 0.15, "{a} {b}");
        let covariance = mean(&|x| (x[0] - a) * (x[1] - b));
        assert!((covariance - 0.6).abs() < 0.15, "{covariance}");
        assert!(prevalence.effective_size() > 100.0);
        assert!((prevalence.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_target_out_of_reach_and_nonsense_are_refused() {
        let plausible: Vec<Vec<f64>> = (0..100).map(|n| vec![0.01 * f64::from(n)]).collect();
        let target = |mean: f64, variance: f64| TargetPopulation { means: vec![mean], covariance: vec![vec![variance]] };
        assert!(matches!(Prevalence::of(&plausible, &target(100.0, 1.0)), Err(TrialError::NoDesign { .. })));
        assert!(Prevalence::of(&plausible, &target(0.5, -1.0)).is_err());
        assert!(Prevalence::of(&plausible, &target(f64::NAN, 1.0)).is_err());
        assert!(Prevalence::of(&plausible[..10], &target(0.5, 1.0)).is_err());
        assert!(Prevalence::of(&vec![vec![1.0]; 100], &target(1.0, 1.0)).is_err(), "all in one place");
        assert!(Prevalence::of(&vec![vec![1.0, 2.0]; 100], &target(1.0, 1.0)).is_err());
    }
}
