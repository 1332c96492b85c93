//! A calibrator of one's own.

use twin_calibrate::{CalibrationError, Calibrator, Flow, Observer, Posterior, Problem, Progress, Record, Target};
use twin_core::Random;

/// Sampling importance resampling: draws from the prior, kept in proportion to their likelihood. For few parameters and wide
/// posteriors only.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Draws from the prior.
    pub proposals: usize,
    /// Draws that are kept.
    pub kept: usize,
}

impl Calibrator for Importance {
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        let target = Target::new(problem)?;
        let (mut proposals, mut weights, mut stopped) = (Vec::new(), Vec::new(), "all proposals were made");
        for done in 0..self.proposals {
            let theta = problem.prior.sample(random);
            weights.push(problem.weight * target.ln_likelihood(&theta));
            proposals.push(theta);
            let best = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let progress = Progress { stage: "importance", done: done + 1, total: self.proposals, best };
            if observer.progress(&progress) == Flow::Stop {
                stopped = "stopped as asked";
                break;
            }
        }
        let best = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if best == f64::NEG_INFINITY {
            return Err(CalibrationError::NoStart { attempts: proposals.len(), source: None });
        }
        let mut sum = 0.0;
        let cumulative: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += (weight - best).exp();
                sum
            })
            .collect();
        // Systematic resampling: one random offset, equal strides.
        let offset = random.uniform();
        let (mut draws, mut ln_densities) = (Vec::new(), Vec::new());
        for number in 0..self.kept {
            let place = sum * (number as f64 + offset) / self.kept as f64;
            let chosen = cumulative.partition_point(|upper| *upper < place);
            if let Some(theta) = proposals.get(chosen) {
                ln_densities.push(target.ln_posterior(&target.point_of(theta)));
                draws.extend_from_slice(theta);
            }
        }
        let record = Record::of(&target, "sampling importance resampling", stopped, None);
        Posterior::new(problem.prior.names().to_vec(), draws, ln_densities, problem.base.clone(), record)
    }
}
