//! The gradient of a misfit to observed fields, by the adjoint of the very steps that a course takes.
//!
//! Diffusion is a polynomial of a symmetric operator, so its adjoint is run by the same passes; growth and kill are maps by voxel with
//! two coefficients, whose derivatives with respect to the parameters are scalars. The course is kept at checkpoints, about the square
//! root of its steps in number, and lived through again between them.

use super::cells::{Cells, Taken};
use super::diffusion::{Operator, Stage, first_factor};
use super::growth::Law;
use super::plan::{Op, plan};
use super::reaction_diffusion::ReactionDiffusion;
use crate::{Parameters, Scenario, SimulationError};
use std::sync::Arc;
use twin_core::ScalarField;

/// A misfit and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Half the sum, over all fields and voxels of the region, of the squares of (cellularity − observed) ÷ standard error.
    pub misfit: f64,
    /// Its derivative with respect to each parameter, in the order of the specification.
    pub derivatives: Vec<f64>,
}

/// What is gathered on the way back.
struct Back<'a> {
    observed: &'a [Vec<f64>],
    inverse_variance: f64,
    /// The relative dose, and the cavity, in the box.
    dose: Option<&'a [f64]>,
    cavity: Option<&'a [f64]>,
    radiation: [f64; 2],
    /// Where the two parameters of radiation stand.
    radiation_at: usize,
    misfit: f64,
    derivatives: Vec<f64>,
}

impl<L: Law> ReactionDiffusion<L, f64> {
    /// The misfit of the course of `parameters` through `scenario` to the `observed` cellularity at its sampling times, each with the
    /// same `standard_error` in every voxel of the region, and its gradient with respect to every parameter.
    ///
    /// The cost is that of about four courses, whatever the number of parameters.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] unless there is one field for each sampling time, on the grid of the anatomy; for a standard error
    /// that is not positive. Whatever the course refuses, or runs into.
    pub fn misfit_gradient(
        &self,
        parameters: &Parameters,
        scenario: &Scenario,
        observed: &[ScalarField],
        standard_error: f64,
    ) -> Result<Gradient, SimulationError> {
        let fault = |detail: String| SimulationError::Anatomy { what: "observed fields", detail };
        if observed.len() != scenario.sampling.len() {
            return Err(fault(format!("there are {}, but {} sampling times", observed.len(), scenario.sampling.len())));
        }
        if observed.iter().any(|field| field.grid() != self.anatomy().grid()) {
            return Err(fault("one lies on another grid than the anatomy".to_owned()));
        }
        if !(standard_error > 0.0 && standard_error.is_finite()) {
            return Err(fault(format!("their standard error is {standard_error}, but must be above 0")));
        }
        let course = self.start_static(parameters, scenario.start)?;
        let prepared = Arc::clone(course.prepared());
        let ops = plan(&course, parameters.values(), scenario)?;
        let radiation_at = 1 + L::specs().len();
        let radiation = [0, 1].map(|offset| parameters.values().get(radiation_at + offset).copied().unwrap_or(f64::NAN));
        let observed: Vec<Vec<f64>> = observed.iter().map(|field| prepared.lattice.gather(field.values())).collect();
        let mut back = Back {
            observed: &observed,
            inverse_variance: 1.0 / (standard_error * standard_error),
            dose: prepared.dose.as_deref(),
            cavity: prepared.cavity.as_deref(),
            radiation,
            radiation_at,
            misfit: 0.0,
            derivatives: vec![0.0; parameters.values().len()],
        };
        let settings = &prepared.settings;
        let mut cells = Cells::new(Arc::clone(&prepared.lattice), prepared.initial.clone(), settings.active_above, settings.method);
        let failed = |trouble| course.failure(trouble);
        // Forward, keeping every `stretch`-th state.
        let stretch = (ops.len() as f64).sqrt().ceil().max(1.0) as usize;
        let mut kept = Vec::with_capacity(ops.len() / stretch + 1);
        for (index, op) in ops.iter().enumerate() {
            if index % stretch == 0 {
                kept.push(cells.values.clone());
            }
            back.forward::<L>(&mut cells, op).map_err(failed)?;
        }
        // Backward, stretch by stretch. The active region is now the largest of all.
        let mut adjoint = vec![0.0; cells.values.len()];
        for (number, start) in kept.into_iter().enumerate().rev() {
            let part = ops.get(number * stretch..((number + 1) * stretch).min(ops.len())).unwrap_or_default();
            cells.values = start;
            let mut states = Vec::with_capacity(part.len());
            for op in part {
                let before = cells.values.clone();
                let taken = back.forward::<L>(&mut cells, op).map_err(failed)?;
                states.push((before, taken));
            }
            for (op, (before, taken)) in part.iter().zip(states).rev() {
                back.reverse::<L>(&mut cells, op, &before, taken, &mut adjoint).map_err(failed)?;
            }
        }
        Ok(Gradient { misfit: back.misfit, derivatives: back.derivatives })
    }
}

impl Back<'_> {
    fn survival(&self, gray: f64) -> f64 {
        let [alpha, ratio] = self.radiation;
        (-alpha * gray * (1.0 + gray / ratio)).exp()
    }

    /// Applies one operation; looks change nothing.
    fn forward<L: Law>(&self, cells: &mut Cells<f64>, op: &Op) -> Result<Taken, super::cells::Trouble> {
        match op {
            Op::Flow { flow, .. } => cells.each(|value| L::apply(*flow, value)),
            Op::Diffuse { tau, .. } => return cells.diffuse(*tau),
            Op::Dose(gray) => {
                if let Some(dose) = self.dose {
                    cells.each_with(dose, |value, relative| value * self.survival(relative * gray));
                }
            }
            Op::Cavity(extent) => {
                if let Some(cavity) = self.cavity {
                    cells.each_with(cavity, |value, inside| value * (1.0 - extent * inside));
                }
            }
            Op::Look { .. } => {}
        }
        Ok(Taken::NOTHING)
    }

    /// Carries the adjoint of the state after `op` back to that before it.
    fn reverse<L: Law>(
        &mut self,
        cells: &mut Cells<f64>,
        op: &Op,
        before: &[f64],
        taken: Taken,
        adjoint: &mut Vec<f64>,
    ) -> Result<(), super::cells::Trouble> {
        let runs = cells.active.runs.clone();
        let places = || runs.iter().flat_map(|run| run.start..run.start + run.len);
        match op {
            Op::Flow { flow, derivatives } => {
                let mut sums = [0.0; 2];
                for at in places() {
                    let (of_value, of_flow) = L::derivatives(*flow, before[at]);
                    sums[0] += adjoint[at] * of_flow[0];
                    sums[1] += adjoint[at] * of_flow[1];
                    adjoint[at] *= of_value;
                }
                for (total, of_flow) in self.derivatives.iter_mut().zip(derivatives) {
                    *total += sums[0] * of_flow[0] + sums[1] * of_flow[1];
                }
            }
            Op::Diffuse { tau, days } => {
                let of_tau = diffuse_back(&cells.operator(), *tau, taken, before, adjoint);
                self.derivatives[0] += of_tau * days;
            }
            Op::Dose(gray) => {
                let [alpha, ratio] = self.radiation;
                let Some(dose) = self.dose else { return Ok(()) };
                for at in places() {
                    let d = dose[at] * gray;
                    let survival = self.survival(d);
                    let of_survival = adjoint[at] * before[at] * survival;
                    self.derivatives[self.radiation_at] -= of_survival * d * (1.0 + d / ratio);
                    self.derivatives[self.radiation_at + 1] += of_survival * alpha * d * d / (ratio * ratio);
                    adjoint[at] *= survival;
                }
            }
            Op::Cavity(extent) => {
                let Some(cavity) = self.cavity else { return Ok(()) };
                places().for_each(|at| adjoint[at] *= 1.0 - extent * cavity[at]);
            }
            Op::Look { number, on_the_way } => {
                let mut states = vec![(before.to_vec(), Taken::NOTHING)];
                for op in on_the_way {
                    cells.values.clone_from(&states[states.len() - 1].0);
                    let taken = self.forward::<L>(cells, op)?;
                    states.push((cells.values.clone(), taken));
                }
                let mut of_look = vec![0.0; adjoint.len()];
                if let (Some((seen, _)), Some(observed)) = (states.last(), self.observed.get(*number)) {
                    let region = Arc::clone(&cells.lattice);
                    for at in region.runs.iter().flat_map(|run| run.start..run.start + run.len) {
                        let residual = seen[at] - observed[at];
                        self.misfit += 0.5 * residual * residual * self.inverse_variance;
                        of_look[at] = residual * self.inverse_variance;
                    }
                }
                for (op, pair) in on_the_way.iter().zip(states.windows(2)).rev() {
                    if let [(before, _), (_, taken)] = pair {
                        self.reverse::<L>(cells, op, before, *taken, &mut of_look)?;
                    }
                }
                places().for_each(|at| adjoint[at] += of_look[at]);
            }
        }
        Ok(())
    }
}

/// Replaces `adjoint` by the adjoint before the step, and gives the derivative with respect to the step times the diffusivity.
fn diffuse_back(operator: &Operator<'_, f64>, tau: f64, taken: Taken, before: &[f64], adjoint: &mut Vec<f64>) -> f64 {
    let piece = tau / taken.pieces as f64;
    // The states between the pieces.
    let mut starts = vec![before.to_vec()];
    for number in 1..taken.pieces {
        let next = stages(operator, piece, taken.stages, &starts[number - 1]).pop();
        starts.extend(next);
    }
    let mut of_tau = 0.0;
    for start in starts.iter().rev() {
        of_tau += stages_back(operator, piece, taken.stages, start, adjoint) / taken.pieces as f64;
    }
    of_tau
}

/// All stages of one piece, from `Y_0`.
fn stages(operator: &Operator<'_, f64>, tau: f64, count: usize, start: &[f64]) -> Vec<Vec<f64>> {
    let mut derivative = vec![0.0; start.len()];
    let mut first = start.to_vec();
    operator.first_stage(start, first_factor(count) * tau, &mut derivative, &mut first);
    let mut all = vec![start.to_vec(), first];
    for j in 2..=count {
        let stage = Stage::new(j, count, tau);
        let mut next = all[j - 2].clone();
        operator.middle_stage(stage, &all[j - 1], start, &derivative, &mut next);
        all.push(next);
    }
    all
}

/// The adjoint of one piece: `L` is symmetric, so each stage hands `L` of its adjoint on, and its product with the stages before is the
/// derivative with respect to the step.
fn stages_back(operator: &Operator<'_, f64>, tau: f64, count: usize, start: &[f64], adjoint: &mut Vec<f64>) -> f64 {
    let forward = stages(operator, tau, count, start);
    let zero = vec![0.0; start.len()];
    let mut back: Vec<Vec<f64>> = vec![zero.clone(); count];
    back.push(std::mem::take(adjoint));
    let (mut image, mut scratch, mut of_tau) = (zero.clone(), zero, 0.0);
    let runs = &operator.active.runs;
    let places = || runs.iter().flat_map(|run| run.start..run.start + run.len);
    for j in (1..=count).rev() {
        let here = std::mem::take(&mut back[j]);
        operator.first_stage(&here, 0.0, &mut image, &mut scratch);
        if j == 1 {
            let factor = first_factor(count);
            for at in places() {
                of_tau += factor * image[at] * start[at];
                back[0][at] += here[at] + factor * tau * image[at];
            }
            continue;
        }
        // The coefficients of a step of 1: the step enters once more below.
        let stage = Stage::<f64>::new(j, count, 1.0);
        let (older, newer) = back.split_at_mut(j - 1);
        for at in places() {
            let (value, image) = (here[at], image[at]);
            of_tau += image * (stage.mu_tilde * forward[j - 1][at] + stage.gamma_tilde * start[at]);
            newer[0][at] += stage.mu * value + tau * stage.mu_tilde * image;
            older[j - 2][at] += stage.nu * value;
            older[0][at] += stage.rest * value + tau * stage.gamma_tilde * image;
        }
    }
    *adjoint = back.swap_remove(0);
    of_tau
}
