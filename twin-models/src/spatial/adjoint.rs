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
    /// The cost does not depend on the number of parameters; it is that of some sixteen courses on a clinical head, in one thread but for
    /// the passes of diffusion.
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
        let mut room = Room::new(&prepared.initial);
        let mut states = vec![(prepared.initial.clone(), Taken::NOTHING); stretch];
        for (number, start) in kept.into_iter().enumerate().rev() {
            let part = ops.get(number * stretch..((number + 1) * stretch).min(ops.len())).unwrap_or_default();
            cells.values = start;
            for (op, (before, taken)) in part.iter().zip(&mut states) {
                copy_active(&cells.operator(), &cells.values, before);
                *taken = back.forward::<L>(&mut cells, op).map_err(failed)?;
            }
            for (op, (before, taken)) in part.iter().zip(&states).rev() {
                back.reverse::<L>(&mut cells, op, before, *taken, &mut room, &mut adjoint).map_err(failed)?;
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
        room: &mut Room,
        adjoint: &mut [f64],
    ) -> Result<(), super::cells::Trouble> {
        let runs = cells.active.runs.clone();
        let places = || runs.iter().flat_map(|run| run.start..run.start + run.len);
        match op {
            Op::Flow { flow, derivatives } => {
                let mut sums = [0.0; 2];
                for run in &runs {
                    let at = run.start..run.start + run.len;
                    for (adjoint, before) in adjoint[at.clone()].iter_mut().zip(&before[at]) {
                        let (of_value, of_flow) = L::derivatives(*flow, *before);
                        sums[0] += *adjoint * of_flow[0];
                        sums[1] += *adjoint * of_flow[1];
                        *adjoint *= of_value;
                    }
                }
                for (total, of_flow) in self.derivatives.iter_mut().zip(derivatives) {
                    *total += sums[0] * of_flow[0] + sums[1] * of_flow[1];
                }
            }
            Op::Diffuse { tau, days } => {
                let of_tau = room.step_back(&cells.operator(), *tau, taken, before, adjoint);
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
                        self.reverse::<L>(cells, op, before, *taken, room, &mut of_look)?;
                    }
                }
                places().for_each(|at| adjoint[at] += of_look[at]);
            }
        }
        Ok(())
    }
}

/// Room for the stages of a step and of its adjoint, made once. What no pass writes, outside the active region, stays as it was made: the
/// field at the start for the stages, 0 for their adjoint.
struct Room {
    stages: Vec<Vec<f64>>,
    derivative: Vec<f64>,
    back: Vec<Vec<f64>>,
    image: Vec<f64>,
    scratch: Vec<f64>,
}

impl Room {
    fn new(field: &[f64]) -> Self {
        let zero = vec![0.0; field.len()];
        Self {
            stages: vec![field.to_vec(); 3],
            derivative: zero.clone(),
            back: vec![zero.clone(); 3],
            image: zero.clone(),
            scratch: zero,
        }
    }

    fn make(&mut self, stages: usize) {
        while self.stages.len() < stages + 1 {
            self.stages.extend(self.stages.first().cloned());
            self.back.push(vec![0.0; self.image.len()]);
        }
    }

    /// All stages of one piece, from `Y_0` at the first place.
    fn forward(&mut self, operator: &Operator<'_, f64>, tau: f64, count: usize) {
        let [start, first, later @ ..] = self.stages.as_mut_slice() else { return };
        operator.first_stage(start, first_factor(count) * tau, &mut self.derivative, first);
        let (mut older, mut newer): (&[f64], &[f64]) = (start, first);
        for (j, next) in (2..=count).zip(later) {
            copy_active(operator, older, next);
            operator.middle_stage(Stage::new(j, count, tau), newer, start, &self.derivative, next);
            (older, newer) = (newer, next);
        }
    }

    /// The adjoint of one piece: `L` is symmetric, so each stage hands `L` of its adjoint on, and its product with the stages before is
    /// the derivative with respect to the step.
    fn reverse(&mut self, operator: &Operator<'_, f64>, tau: f64, count: usize, adjoint: &mut [f64]) -> f64 {
        let runs = &operator.active.runs;
        for back in self.back.iter_mut().take(count) {
            runs.iter().for_each(|run| back[run.start..run.start + run.len].fill(0.0));
        }
        copy_active(operator, adjoint, &mut self.back[count]);
        let mut of_tau = 0.0;
        let Some((start, _)) = self.stages.split_first() else { return of_tau };
        for j in (1..=count).rev() {
            let (older, rest) = self.back.split_at_mut(j);
            let here = &rest[0];
            operator.first_stage(here, 0.0, &mut self.image, &mut self.scratch);
            if j == 1 {
                let factor = first_factor(count);
                for run in runs {
                    let at = run.start..run.start + run.len;
                    let (image, start, here) = (&self.image[at.clone()], &start[at.clone()], &here[at.clone()]);
                    of_tau += factor * dot(image, start);
                    let to = &mut older[0][at];
                    (0..run.len).for_each(|q| to[q] += here[q] + factor * tau * image[q]);
                }
                continue;
            }
            // The coefficients of a step of 1: the step enters below.
            let stage = Stage::<f64>::new(j, count, 1.0);
            let before = &self.stages[j - 1];
            for run in runs {
                let at = run.start..run.start + run.len;
                let (image, here) = (&self.image[at.clone()], &here[at.clone()]);
                of_tau += stage.mu_tilde * dot(image, &before[at.clone()]) + stage.gamma_tilde * dot(image, &start[at.clone()]);
                let to = &mut older[j - 1][at.clone()];
                (0..run.len).for_each(|q| to[q] += stage.mu * here[q] + tau * stage.mu_tilde * image[q]);
                let to = &mut older[j - 2][at.clone()];
                (0..run.len).for_each(|q| to[q] += stage.nu * here[q]);
                let to = &mut older[0][at];
                (0..run.len).for_each(|q| to[q] += stage.rest * here[q] + tau * stage.gamma_tilde * image[q]);
            }
        }
        copy_active(operator, &self.back[0], adjoint);
        of_tau
    }

    /// Replaces `adjoint` by the adjoint before the step, and gives the derivative with respect to the step times the diffusivity.
    fn step_back(&mut self, operator: &Operator<'_, f64>, tau: f64, taken: Taken, before: &[f64], adjoint: &mut [f64]) -> f64 {
        if taken.pieces == 0 {
            return 0.0;
        }
        self.make(taken.stages);
        let piece = tau / taken.pieces as f64;
        copy_active(operator, before, &mut self.stages[0]);
        if taken.pieces == 1 {
            self.forward(operator, piece, taken.stages);
            return self.reverse(operator, piece, taken.stages, adjoint);
        }
        // The states between the pieces.
        let mut starts = vec![before.to_vec()];
        for _ in 1..taken.pieces {
            self.forward(operator, piece, taken.stages);
            let (start, later) = self.stages.split_at_mut(1);
            copy_active(operator, &later[taken.stages - 1], &mut start[0]);
            starts.push(start[0].clone());
        }
        let mut of_tau = 0.0;
        for start in starts.iter().rev() {
            copy_active(operator, start, &mut self.stages[0]);
            self.forward(operator, piece, taken.stages);
            of_tau += self.reverse(operator, piece, taken.stages, adjoint) / taken.pieces as f64;
        }
        of_tau
    }
}

fn copy_active(operator: &Operator<'_, f64>, from: &[f64], to: &mut [f64]) {
    for run in &operator.active.runs {
        to[run.start..run.start + run.len].copy_from_slice(&from[run.start..run.start + run.len]);
    }
}

/// Four sums side by side, so that they need not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    for (a, b) in a4.iter().zip(b4) {
        (0..4).for_each(|q| sums[q] += a[q] * b[q]);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}
