//! The gradient with respect to what differs from voxel to voxel, by the adjoint of every stage.
//!
//! A change of one face does not commute with the operator, so the shortcut of the scalar gradient is none here: the stages of a step and
//! those of its adjoint are needed side by side.

use super::adjoint::{Adjoint, Gradient};
use super::cells::Taken;
use super::diffusion::{Operator, Stage, first_factor};
use super::growth::Law;
use super::lattice::Lattice;
use super::plan::Flow;
use super::reaction_diffusion::ReactionDiffusion;
use crate::{Parameters, Scenario, SimulationError};
use twin_core::{ScalarField, Unit};

/// A misfit and its derivatives, those by voxel too.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldGradient {
    /// The misfit and its derivatives with respect to every parameter.
    pub gradient: Gradient,
    /// The derivative with respect to the relative diffusivity of each voxel, 0 outside the region.
    pub relative_diffusivity: ScalarField,
    /// The derivative with respect to the first parameter of the growth law in each voxel alone, 0 where there were never cells; per unit
    /// of that parameter. `None` for a law without parameters.
    pub growth: Option<ScalarField>,
}

impl<L: Law> ReactionDiffusion<L, f64> {
    /// As [`ReactionDiffusion::misfit_gradient`], with the derivatives by voxel too: the relative diffusivity, and the first parameter of the
    /// growth law. The cost does not depend on the number of voxels; it is that of some ten courses.
    ///
    /// # Errors
    /// As [`ReactionDiffusion::misfit_gradient`]; [`SimulationError::Anatomy`] where cells diffuse by tensors, which are no field of scalars.
    pub fn misfit_gradient_by_voxel(
        &self,
        parameters: &Parameters,
        scenario: &Scenario,
        observed: &[ScalarField],
        standard_error: f64,
    ) -> Result<FieldGradient, SimulationError> {
        if self.anatomy().relative_tensors().is_some() {
            let detail =
                "derivatives by voxel are those with respect to a scalar in each, but cells diffuse by tensors here".to_owned();
            return Err(SimulationError::Anatomy { what: "diffusion tensors", detail });
        }
        let (gradient, found) =
            self.gradient_with(parameters, scenario, observed, standard_error, |prepared| Some(ByVoxel::new(&prepared.lattice)))?;
        let anatomy = self.anatomy();
        let field = |of_box: &[f64], lattice: &Lattice<f64>| {
            let mut values = vec![0.0; anatomy.grid().voxels()];
            lattice.scatter(of_box, &mut values);
            ScalarField::on(anatomy.grid().clone(), Unit::dimensionless(), values)
        };
        let prepared = self.prepare()?;
        let lattice = &prepared.lattice;
        let (of_diffusivity, of_growth) = match found {
            Some(found) => {
                let relative = anatomy.relative_diffusivity().map(|relative| lattice.gather(relative));
                (found.of_voxels(lattice, anatomy.grid().spacing_mm(), relative.as_deref()), found.growth)
            }
            None => (vec![0.0; lattice.len()], vec![0.0; lattice.len()]),
        };
        let growth = (!L::specs().is_empty()).then(|| field(&of_growth, lattice)).transpose()?;
        Ok(FieldGradient { gradient, relative_diffusivity: field(&of_diffusivity, lattice)?, growth })
    }
}

/// What is gathered for every face and voxel of the box, and the room for it.
///
/// What no pass writes, outside the active voxels, stays 0.
#[derive(Debug)]
pub(super) struct ByVoxel {
    stages: Vec<Vec<f64>>,
    derivative: Vec<f64>,
    back: Vec<Vec<f64>>,
    image: Vec<f64>,
    scratch: Vec<f64>,
    /// The derivative with respect to each conductance.
    faces: [Vec<f64>; 3],
    growth: Vec<f64>,
}

impl ByVoxel {
    fn new(lattice: &Lattice<f64>) -> Self {
        let zero = vec![0.0; lattice.len()];
        Self {
            stages: vec![zero.clone(); 3],
            derivative: zero.clone(),
            back: vec![zero.clone(); 3],
            image: zero.clone(),
            scratch: zero.clone(),
            faces: [zero.clone(), zero.clone(), zero.clone()],
            growth: zero,
        }
    }

    fn make(&mut self, stages: usize) {
        while self.stages.len() < stages + 1 {
            self.stages.push(vec![0.0; self.image.len()]);
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

    /// Adds `−factor Δb Δy` over every face.
    fn add_faces(&mut self, lattice: &Lattice<f64>, number: usize, of_stage: usize, factor: f64) {
        let (Some(b), Some(y)) = (self.back.get(number), self.stages.get(of_stage)) else { return };
        for (faces, stride) in self.faces.iter_mut().zip(lattice.strides()) {
            for at in lattice.runs.iter().flat_map(|run| run.start..run.start + run.len) {
                faces[at] -= factor * (b[at] - b[at - stride]) * (y[at] - y[at - stride]);
            }
        }
    }

    /// The adjoint of one piece: `L` is symmetric, so each stage hands `L` of its adjoint on.
    fn reverse(&mut self, operator: &Operator<'_, f64>, tau: f64, count: usize, adjoint: &mut [f64]) -> f64 {
        let runs = &operator.active.runs;
        for back in self.back.iter_mut().take(count) {
            runs.iter().for_each(|run| back[run.start..run.start + run.len].fill(0.0));
        }
        if let Some(last) = self.back.get_mut(count) {
            copy_active(operator, adjoint, last);
        }
        let mut of_tau = 0.0;
        for j in (1..=count).rev() {
            let (older, rest) = self.back.split_at_mut(j);
            let [here, ..] = rest else { continue };
            operator.first_stage(here, 0.0, &mut self.image, &mut self.scratch);
            if j == 1 {
                let factor = first_factor(count);
                for at in runs.iter().flat_map(|run| run.start..run.start + run.len) {
                    of_tau += factor * self.image[at] * self.stages[0][at];
                    older[0][at] += here[at] + factor * tau * self.image[at];
                }
                self.add_faces(operator.lattice, 1, 0, factor * tau);
                continue;
            }
            // The coefficients of a step of 1: the step enters below.
            let stage = Stage::<f64>::new(j, count, 1.0);
            for at in runs.iter().flat_map(|run| run.start..run.start + run.len) {
                let (image, here) = (self.image[at], here[at]);
                of_tau += image * (stage.mu_tilde * self.stages[j - 1][at] + stage.gamma_tilde * self.stages[0][at]);
                older[j - 1][at] += stage.mu * here + tau * stage.mu_tilde * image;
                older[j - 2][at] += stage.nu * here;
                older[0][at] += stage.rest * here + tau * stage.gamma_tilde * image;
            }
            self.add_faces(operator.lattice, j, j - 1, tau * stage.mu_tilde);
            self.add_faces(operator.lattice, j, 0, tau * stage.gamma_tilde);
        }
        if let Some(first) = self.back.first() {
            copy_active(operator, first, adjoint);
        }
        of_tau
    }

    /// Replaces the adjoint of the field after a step of diffusion by that of the field `before` it, and gives the derivative with respect
    /// to the step times the diffusivity.
    fn diffuse_back(&mut self, operator: &Operator<'_, f64>, tau: f64, taken: Taken, before: &[f64], adjoint: &mut [f64]) -> f64 {
        let Taken { pieces, stages } = taken;
        if pieces == 0 {
            return 0.0;
        }
        self.make(stages);
        // What an earlier step left beyond these active voxels is 0 here.
        for field in self.stages.iter_mut().chain(&mut self.back) {
            field.fill(0.0);
        }
        let piece = tau / pieces as f64;
        let mut starts = vec![before.to_vec()];
        for number in 1..=pieces {
            if let (Some(start), Some(first)) = (starts.last(), self.stages.first_mut()) {
                copy_active(operator, start, first);
            }
            self.forward(operator, piece, stages);
            if let (true, Some(end)) = (number < pieces, self.stages.get(stages)) {
                starts.push(end.clone());
            }
        }
        let mut of_tau = 0.0;
        for start in starts.iter().rev() {
            if let Some(first) = self.stages.first_mut() {
                copy_active(operator, start, first);
            }
            self.forward(operator, piece, stages);
            of_tau += self.reverse(operator, piece, stages, adjoint) / pieces as f64;
        }
        of_tau
    }

    /// The adjoint of a flow and the diffusion after it, from the field `before`; the derivatives with respect to the step and to the
    /// coefficients of the flow.
    pub(super) fn step_back<L: Law>(
        &mut self,
        operator: &Operator<'_, f64>,
        (tau, taken): (f64, Taken),
        flow: &Flow,
        before: &[f64],
        adjoint: &mut [f64],
    ) -> (f64, [f64; 2]) {
        let mut moved = before.to_vec();
        operator.each(&mut moved, |value| L::apply(flow.flow, value));
        let of_tau = self.diffuse_back(operator, tau, taken, &moved, adjoint);
        let [da, db] = flow.derivatives.get(1).copied().unwrap_or([0.0; 2]);
        let mut slopes = [0.0; 2];
        for at in operator.active.runs.iter().flat_map(|run| run.start..run.start + run.len) {
            let (_, of_value, [a, b]) = L::derivatives(flow.flow, before[at]);
            slopes[0] += adjoint[at] * a;
            slopes[1] += adjoint[at] * b;
            self.growth[at] += adjoint[at] * (a * da + b * db);
            adjoint[at] *= of_value;
        }
        (of_tau, slopes)
    }

    /// The derivative with respect to the relative diffusivity of each voxel of the box.
    fn of_voxels(&self, lattice: &Lattice<f64>, spacing: [f64; 3], relative: Option<&[f64]>) -> Vec<f64> {
        let mut of_voxels = vec![0.0; lattice.len()];
        let value = |at: usize| relative.map_or(1.0, |relative| relative[at]);
        for ((slopes, faces), (stride, h)) in self.faces.iter().zip(&lattice.faces).zip(lattice.strides().into_iter().zip(spacing))
        {
            for at in lattice.runs.iter().flat_map(|run| run.start..run.start + run.len).filter(|at| faces[*at] > 0.0) {
                let (a, b) = (value(at - stride), value(at));
                // Of the harmonic mean 2 a b / (a + b).
                let of_mean = slopes[at] / (h * h) * 2.0 / ((a + b) * (a + b));
                of_voxels[at - stride] += of_mean * b * b;
                of_voxels[at] += of_mean * a * a;
            }
        }
        of_voxels
    }
}

fn copy_active(operator: &Operator<'_, f64>, from: &[f64], to: &mut [f64]) {
    for run in &operator.active.runs {
        to[run.start..run.start + run.len].copy_from_slice(&from[run.start..run.start + run.len]);
    }
}

impl<L> Adjoint<'_, L> {
    /// The same way, with derivatives by voxel.
    pub(super) fn by_voxel(mut self, by_voxel: Option<ByVoxel>) -> Self {
        self.by_voxel = by_voxel;
        self
    }
}
