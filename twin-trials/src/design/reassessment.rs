//! Dose escalation by a model of toxicity that is fitted again after every cohort.

use super::dose_finding::{DoseFinding, DoseStep, Treated, check};
use crate::TrialError;
use crate::statistics::open_unit;
use serde::{Deserialize, Serialize};

/// The continual reassessment method (O'Quigley, Pepe and Fisher 1990, doi:10.2307/2531628) with the power model: the toxicity of dose `i`
/// is `skeletonᵢ^exp(β)`, with `β` normal around 0. The next dose is the one whose toxicity, at the posterior mean of `β`, is
/// nearest to the target; an untried dose is never skipped.
///
/// The trial stops when the posterior probability that the lowest dose has more toxicity than the target exceeds `stop_above`.
///
/// ```
/// use twin_trials::design::{DoseFinding, DoseStep, ReassessmentMethod, Treated};
/// let rule = ReassessmentMethod::new(0.25, &[0.08, 0.16, 0.25, 0.35])?;
/// let mut seen = vec![Treated::default(); 4];
/// seen[0] = Treated { patients: 3, toxicities: 0 };
/// assert_eq!(rule.next(0, &seen)?, DoseStep::Give(1)); // one step up, whatever the model says of the third dose
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReassessmentMethod {
    target: f64,
    skeleton: Vec<f64>,
    /// The prior variance of `β`; 1.34 unless set (the usual choice).
    pub variance: f64,
    /// Patients in a cohort; 3 unless set.
    pub cohort: usize,
    /// The posterior probability of too much toxicity at the lowest dose beyond which the trial stops; 0.95 unless set.
    pub stop_above: f64,
}

/// Posterior weights of `β` on a grid, and its mean.
struct Belief {
    grid: Vec<(f64, f64)>,
    mean: f64,
}

impl ReassessmentMethod {
    /// The rule for a `target` toxicity, with the prior guess of the toxicity of each dose, ascending, as `skeleton`.
    ///
    /// # Errors
    /// [`TrialError::Empty`] for no dose; [`TrialError::OutOfRange`] for numbers outside 0 to 1 or a skeleton that does not ascend.
    pub fn new(target: f64, skeleton: &[f64]) -> Result<Self, TrialError> {
        open_unit("target toxicity", target)?;
        if skeleton.is_empty() {
            return Err(TrialError::Empty { what: "the skeleton" });
        }
        let mut before = 0.0;
        for (index, &value) in skeleton.iter().enumerate() {
            if !(value > before && value < 1.0) {
                return Err(TrialError::OutOfRange { what: "skeleton", index, value, valid: "above the one before and below 1" });
            }
            before = value;
        }
        Ok(Self { target, skeleton: skeleton.to_vec(), variance: 1.34, cohort: 3, stop_above: 0.95 })
    }

    /// The estimated toxicity of each dose, at the posterior mean of `β`.
    ///
    /// # Errors
    /// [`TrialError::Length`] if `seen` has another number of doses than the skeleton; [`TrialError::Count`] for more toxicities than
    /// patients or an empty cohort; [`TrialError::OutOfRange`] for a variance that is not above 0 or a `stop_above` outside 0 to 1.
    pub fn estimate(&self, seen: &[Treated]) -> Result<Vec<f64>, TrialError> {
        let slope = self.belief(seen)?.mean.exp();
        Ok(self.skeleton.iter().map(|guess| guess.powf(slope)).collect())
    }

    fn belief(&self, seen: &[Treated]) -> Result<Belief, TrialError> {
        check(0, seen)?;
        if seen.len() != self.skeleton.len() {
            let (what, reference) = ("the list of doses", "the skeleton");
            return Err(TrialError::Length { what, found: seen.len(), reference, expected: self.skeleton.len() });
        }
        if !(self.variance.is_finite() && self.variance > 0.0) {
            return Err(TrialError::OutOfRange { what: "variance", index: 0, value: self.variance, valid: "above 0 and finite" });
        }
        open_unit("probability to stop above", self.stop_above)?;
        if self.cohort == 0 {
            return Err(TrialError::Count { what: "number of patients in a cohort", count: 0, valid: "1 or more" });
        }
        // Equal steps over ten standard deviations: the trapezoid rule converges fast on a smooth peak.
        let spread = self.variance.sqrt();
        let ln_weight = |beta: f64| {
            let slope = beta.exp();
            let likelihood = |(dose, guess): (&Treated, &f64)| {
                let (ln_p, safe) = (slope * guess.ln(), (dose.patients - dose.toxicities) as f64);
                let escape = if safe > 0.0 { safe * (-ln_p.exp_m1()).ln() } else { 0.0 };
                dose.toxicities as f64 * ln_p + escape
            };
            seen.iter().zip(&self.skeleton).map(likelihood).sum::<f64>() - 0.5 * beta * beta / self.variance
        };
        let points: Vec<f64> = (-400..=400).map(|step| f64::from(step) / 40.0 * spread).collect();
        let logs: Vec<f64> = points.iter().map(|&beta| ln_weight(beta)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|log| (log - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let grid: Vec<(f64, f64)> = points.into_iter().zip(weights.into_iter().map(|weight| weight / total)).collect();
        let mean = grid.iter().map(|(beta, weight)| beta * weight).sum();
        Ok(Belief { grid, mean })
    }

    /// The dose whose estimate is nearest to the target.
    fn nearest(&self, estimates: &[f64]) -> usize {
        let distance = |p: &f64| (p - self.target).abs();
        estimates.iter().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b))).map_or(0, |(dose, _)| dose)
    }

    /// Whether the lowest dose is too likely too toxic.
    fn unsafe_at_all(&self, belief: &Belief) -> bool {
        let lowest = self.skeleton.first().copied().unwrap_or(1.0);
        let above =
            belief.grid.iter().filter(|(beta, _)| lowest.powf(beta.exp()) > self.target).map(|(_, weight)| weight).sum::<f64>();
        above > self.stop_above
    }
}

impl DoseFinding for ReassessmentMethod {
    fn cohort(&self) -> usize {
        self.cohort
    }

    fn next(&self, current: usize, seen: &[Treated]) -> Result<DoseStep, TrialError> {
        check(current, seen)?;
        if self.unsafe_at_all(&self.belief(seen)?) {
            return Ok(DoseStep::Stop);
        }
        let wanted = self.nearest(&self.estimate(seen)?);
        let untried = seen.iter().take(wanted).position(|dose| dose.patients == 0);
        Ok(DoseStep::Give(untried.map_or(wanted, |untried| untried.min(wanted))))
    }

    fn recommend(&self, seen: &[Treated]) -> Result<Option<usize>, TrialError> {
        if self.unsafe_at_all(&self.belief(seen)?) {
            return Ok(None);
        }
        let tried = seen.iter().rposition(|dose| dose.patients > 0);
        let wanted = self.nearest(&self.estimate(seen)?);
        Ok(tried.map(|highest| wanted.min(highest)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_posterior_is_that_of_adaptive_quadrature() {
        // Six doses, ten patients; mean of β and toxicities by adaptive quadrature (SciPy 1.17, relative tolerance 1e-12).
        let rule = ReassessmentMethod::new(0.2, &[0.05, 0.1, 0.2, 0.35, 0.5, 0.7]).unwrap();
        let seen = [(0, 0), (3, 0), (4, 2), (3, 1), (0, 0), (0, 0)].map(|(patients, toxicities)| Treated { patients, toxicities });
        let expected = [0.099560016, 0.169787717, 0.289552675, 0.445543035, 0.586379377, 0.759820439];
        let found = rule.estimate(&seen).unwrap();
        found.iter().zip(expected).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-7, "{found} {expected}"));
        assert_eq!(rule.recommend(&seen).unwrap(), Some(1));
    }

    #[test]
    fn no_untried_dose_is_skipped_and_a_toxic_start_stops() {
        let rule = ReassessmentMethod::new(0.25, &[0.05, 0.12, 0.25, 0.4]).unwrap();
        let mut seen = [Treated::default(); 4];
        seen[0] = Treated { patients: 3, toxicities: 0 };
        assert_eq!(rule.next(0, &seen).unwrap(), DoseStep::Give(1));
        seen[0] = Treated { patients: 9, toxicities: 8 };
        assert_eq!(rule.next(0, &seen).unwrap(), DoseStep::Stop);
        assert_eq!(rule.recommend(&seen).unwrap(), None);
    }

    #[test]
    fn a_skeleton_must_ascend() {
        assert!(ReassessmentMethod::new(0.25, &[0.1, 0.1]).is_err());
        assert!(ReassessmentMethod::new(0.25, &[]).is_err());
        assert!(ReassessmentMethod::new(0.25, &[0.1, 0.2]).unwrap().estimate(&[Treated::default()]).is_err());
    }
}
