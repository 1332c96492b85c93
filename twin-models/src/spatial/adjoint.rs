//! The gradient of a misfit to observed fields, by the adjoint of the very steps that a course takes.
//!
//! Diffusion is a polynomial of a symmetric operator, so its adjoint is run by the same passes; growth and kill are maps by voxel with
//! two coefficients, whose derivatives with respect to the parameters are scalars. States are kept on the way, as many as the room allows,
//! and those between them are lived through again.

use super::active::Active;
use super::backward::Slopes;
use super::by_voxel::ByVoxel;
use super::cells::{Taken, Trouble};
use super::diffusion::Found;
use super::growth::Law;
use super::plan::{Op, plan};
use super::reaction_diffusion::{Prepared, ReactionDiffusion};
use super::simulation::Course;
use super::stages::Stages;
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
    /// How many bytes were held at most, beyond the anatomy and the observed fields.
    pub held_bytes: usize,
}

impl<L: Law> ReactionDiffusion<L, f64> {
    /// The misfit of the course of `parameters` through `scenario` to the `observed` cellularity at its sampling times, each with the
    /// same `standard_error` in every voxel of the region, and its gradient with respect to every parameter.
    ///
    /// The cost does not depend on the number of parameters: that of two to four courses. What is held does not depend on the number of
    /// steps: three times what a course holds.
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
        self.gradient_with(parameters, scenario, observed, standard_error, |_| None).map(|(gradient, _)| gradient)
    }

    /// The gradient, with what `by_voxel` gathers for every voxel.
    pub(super) fn gradient_with(
        &self,
        parameters: &Parameters,
        scenario: &Scenario,
        observed: &[ScalarField],
        standard_error: f64,
        by_voxel: impl FnOnce(&Prepared<f64>) -> Option<ByVoxel>,
    ) -> Result<(Gradient, Option<ByVoxel>), SimulationError> {
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
        if self.anatomy().is_of_shells() {
            let detail = "a gradient needs voxels of equal volume, but these are shells".to_owned();
            return Err(SimulationError::Anatomy { what: "shells", detail });
        }
        if self.oxygen().is_some() {
            let detail = "a gradient needs fractions that act alike whatever the cells, but these act by oxygen".to_owned();
            return Err(SimulationError::Specification { model: crate::Model::spec(self).id.clone(), detail });
        }
        if self.settings().error_per_step.is_some() {
            let detail = "a gradient is that of steps whose lengths are given, but `error_per_step` lets them adapt".to_owned();
            return Err(SimulationError::Specification { model: crate::Model::spec(self).id.clone(), detail });
        }
        let course = self.start_static(parameters, scenario.start)?;
        let prepared = Arc::clone(course.prepared());
        let ops = plan(&course, parameters.values(), scenario)?;
        let radiation_at = 1 + L::specs().len();
        let radiation = [0, 1].map(|offset| parameters.values().get(radiation_at + offset).copied().unwrap_or(f64::NAN));
        drop(course);
        let done = Adjoint::<L>::new(&prepared, &ops, observed, 1.0 / (standard_error * standard_error), (radiation_at, radiation))
            .by_voxel(by_voxel(&prepared))
            .run(parameters.values().len());
        done.map_err(|trouble| Course::<L, f64>::trouble(&prepared, scenario.start, trouble))
    }
}

/// A state that is kept: the values in the active voxels before an operation.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) op: usize,
    pub(super) version: usize,
    pub(super) values: Vec<f64>,
}

/// How an operation was done: on which active voxels, and how its diffusion was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trail {
    pub(super) version: usize,
    pub(super) taken: Taken,
}

/// A way there and back.
pub(super) struct Adjoint<'a, L> {
    pub(super) prepared: &'a Prepared<f64>,
    pub(super) ops: &'a [Op],
    pub(super) observed: &'a [ScalarField],
    pub(super) inverse_variance: f64,
    /// Where the two parameters of radiation stand, and their values.
    pub(super) radiation_at: usize,
    pub(super) radiation: [f64; 2],
    /// The active voxels, as they grew.
    pub(super) versions: Vec<Active>,
    pub(super) trails: Vec<Trail>,
    /// The field, and on which version it may be other than 0.
    pub(super) state: (Stages<f64>, usize),
    /// Its adjoint.
    pub(super) back: (Stages<f64>, usize),
    pub(super) found: Vec<Found<f64>>,
    pub(super) slopes: Vec<Slopes>,
    pub(super) by_voxel: Option<ByVoxel>,
    pub(super) misfit: f64,
    pub(super) derivatives: Vec<f64>,
    pub(super) held: usize,
    pub(super) most_held: usize,
    pub(super) law: std::marker::PhantomData<L>,
}

pub(super) fn pack(active: &Active, field: &[f64]) -> Vec<f64> {
    let mut values = Vec::with_capacity(active.voxels);
    active.runs.iter().for_each(|run| values.extend_from_slice(&field[run.start..run.start + run.len]));
    values
}

pub(super) fn unpack(active: &Active, values: &[f64], field: &mut [f64]) {
    let mut from = 0;
    for run in &active.runs {
        field[run.start..run.start + run.len].copy_from_slice(&values[from..from + run.len]);
        from += run.len;
    }
}

impl<'a, L: Law> Adjoint<'a, L> {
    fn new(
        prepared: &'a Prepared<f64>,
        ops: &'a [Op],
        observed: &'a [ScalarField],
        inverse_variance: f64,
        (radiation_at, radiation): (usize, [f64; 2]),
    ) -> Self {
        let planes = prepared.lattice.size[2];
        Self {
            prepared,
            ops,
            observed,
            inverse_variance,
            radiation_at,
            radiation,
            versions: Vec::new(),
            trails: Vec::with_capacity(ops.len()),
            state: (Stages::new(Vec::new()), 0),
            back: (Stages::new(Vec::new()), 0),
            found: vec![Found::NOTHING; planes],
            slopes: vec![Slopes::default(); planes],
            by_voxel: None,
            misfit: 0.0,
            derivatives: Vec::new(),
            held: 0,
            most_held: 0,
            law: std::marker::PhantomData,
        }
    }

    fn run(mut self, parameters: usize) -> Result<(Gradient, Option<ByVoxel>), Trouble> {
        self.derivatives = vec![0.0; parameters];
        let mut kept = self.there()?;
        self.back = (Stages::new(vec![0.0; self.prepared.lattice.len()]), 0);
        let mut end = self.ops.len();
        while let Some(start) = kept.pop() {
            let from = start.op;
            self.back_over(start, end);
            end = from;
        }
        let boxes = 9 * self.prepared.lattice.len();
        let gradient = Gradient {
            misfit: self.misfit,
            derivatives: self.derivatives,
            held_bytes: (boxes + self.most_held) * std::mem::size_of::<f64>(),
        };
        Ok((gradient, self.by_voxel))
    }
}
