//! The gradient of a misfit to observed fields, by the adjoint of the very steps that a course takes.
//!
//! Diffusion is a polynomial of a symmetric operator, so its adjoint is run by the same passes; growth and kill are maps by voxel with
//! two coefficients, whose derivatives with respect to the parameters are scalars. States are kept on the way, as many as the room allows,
//! and those between them are lived through again.

use super::active::Active;
use super::backward::{Slopes, factor, factor_of_start};
use super::by_voxel::ByVoxel;
use super::cells::{Cells, Taken, Trouble};
use super::diffusion::{Found, Operator, Stage};
use super::growth::Law;
use super::plan::{Flow, Op, plan};
use super::reaction_diffusion::{Prepared, ReactionDiffusion};
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

/// Boxes full of states that are kept: with those in which the steps are computed not more than thrice what a course holds.
const ROOM: usize = 8;

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

use super::simulation::Course;

/// A state that is kept: the values in the active voxels before an operation.
#[derive(Debug)]
struct Kept {
    op: usize,
    version: usize,
    values: Vec<f64>,
}

/// How an operation was done: on which active voxels, and how its diffusion was taken.
#[derive(Debug, Clone, Copy)]
struct Trail {
    version: usize,
    taken: Taken,
}

/// A way there and back.
pub(super) struct Adjoint<'a, L> {
    prepared: &'a Prepared<f64>,
    ops: &'a [Op],
    observed: &'a [ScalarField],
    inverse_variance: f64,
    /// Where the two parameters of radiation stand, and their values.
    radiation_at: usize,
    radiation: [f64; 2],
    /// The active voxels, as they grew.
    versions: Vec<Active>,
    trails: Vec<Trail>,
    /// The field, and on which version it may be other than 0.
    state: (Stages<f64>, usize),
    /// Its adjoint.
    back: (Stages<f64>, usize),
    found: Vec<Found<f64>>,
    slopes: Vec<Slopes>,
    pub(super) by_voxel: Option<ByVoxel>,
    misfit: f64,
    derivatives: Vec<f64>,
    held: usize,
    most_held: usize,
    law: std::marker::PhantomData<L>,
}

fn pack(active: &Active, field: &[f64]) -> Vec<f64> {
    let mut values = Vec::with_capacity(active.voxels);
    active.runs.iter().for_each(|run| values.extend_from_slice(&field[run.start..run.start + run.len]));
    values
}

fn unpack(active: &Active, values: &[f64], field: &mut [f64]) {
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

    /// Goes through all operations and keeps states at even distances, as many as there is room for.
    fn there(&mut self) -> Result<Vec<Kept>, Trouble> {
        let (lattice, settings) = (&self.prepared.lattice, &self.prepared.settings);
        let mut cells = Cells::new(Arc::clone(lattice), self.prepared.initial.clone(), settings.active_above, settings.method);
        self.versions.push(cells.active.clone());
        let (mut kept, mut distance): (Vec<Kept>, usize) = (Vec::new(), 1);
        for (op, what) in self.ops.iter().enumerate() {
            if op % distance == 0 {
                let version = self.versions.len() - 1;
                kept.push(Kept { op, version, values: pack(&cells.active, &cells.field.values) });
                self.hold(cells.active.voxels);
                if self.held > self.room() && kept.len() > 2 {
                    distance *= 2;
                    kept.retain(|kept| kept.op % distance == 0);
                    self.held = kept.iter().map(|kept| kept.values.len()).sum();
                }
            }
            let trail = match what {
                Op::Look { on_the_way, .. } => {
                    // A look has steps of its own, on a copy.
                    let step = on_the_way.iter().find(|op| matches!(op, Op::Step { .. }));
                    step.map(|step| self.live(&mut cells.clone(), step)).transpose()?
                }
                _ => Some(self.live(&mut cells, what)?),
            };
            self.trails.push(trail.unwrap_or(Trail { version: self.versions.len() - 1, taken: Taken::NOTHING }));
            if let Op::Look { .. } = what {
                // The course itself goes on where it was.
                self.renew(&cells.active);
            }
        }
        self.state = (cells.field, self.versions.len() - 1);
        Ok(kept)
    }

    /// Half of the room for what is kept on the way there; the other half is for what is kept within a stretch on the way back.
    fn room(&self) -> usize {
        ROOM / 2 * self.prepared.lattice.len()
    }

    fn hold(&mut self, values: usize) {
        self.held += values;
        self.most_held = self.most_held.max(self.held);
    }

    /// Notes the active voxels if they are others than those of the last version.
    fn renew(&mut self, active: &Active) -> usize {
        if self.versions.last().is_none_or(|last| last.voxels != active.voxels) {
            self.versions.push(active.clone());
        }
        self.versions.len() - 1
    }

    /// One operation on the way there.
    fn live(&mut self, cells: &mut Cells<f64>, op: &Op) -> Result<Trail, Trouble> {
        let mut taken = Taken::NOTHING;
        match op {
            Op::Flow(Flow { flow, .. }) => cells.each(|value| L::apply(*flow, value)),
            Op::Step { flow: Flow { flow, .. }, tau, .. } => {
                cells.each(|value| L::apply(*flow, value));
                taken = cells.diffuse(*tau)?;
            }
            _ => self.treat(op, &cells.active, &cells.lattice, &mut cells.field.values),
        }
        Ok(Trail { version: self.renew(&cells.active), taken })
    }

    /// A treatment by voxel, on the field.
    fn treat(&self, op: &Op, active: &Active, lattice: &super::lattice::Lattice<f64>, values: &mut [f64]) {
        let operator = Operator { lattice, active };
        match op {
            Op::Dose(gray) => {
                if let Some(dose) = &self.prepared.dose {
                    operator.each_with(values, dose, |value, relative| value * self.survival(relative * gray));
                }
            }
            Op::Cavity(extent) => {
                if let Some(cavity) = &self.prepared.cavity {
                    operator.each_with(values, cavity, |value, inside| value * (1.0 - extent * inside));
                }
            }
            _ => {}
        }
    }

    fn survival(&self, gray: f64) -> f64 {
        let [alpha, ratio] = self.radiation;
        (-alpha * gray * (1.0 + gray / ratio)).exp()
    }

    /// Goes back over the operations from that of `start` up to `end`.
    fn back_over(&mut self, start: Kept, end: usize) {
        let count = end.saturating_sub(start.op);
        if count <= 1 {
            self.load(&start);
            self.back(&start);
            self.held = self.held.saturating_sub(start.values.len());
            return;
        }
        let active = self.trails.get(end - 1).and_then(|trail| self.versions.get(trail.version)).map_or(1, |active| active.voxels);
        let fit = (self.room() / active.max(1)).max(2);
        let distance = if count <= fit { 1 } else { count.div_ceil(fit) };
        self.load(&start);
        let first = start.op;
        let mut starts = vec![start];
        for op in first..end - 1 {
            self.repeat(op);
            if (op + 1 - first).is_multiple_of(distance) {
                let version = self.state.1;
                let values = self.versions.get(version).map(|active| pack(active, &self.state.0.values)).unwrap_or_default();
                self.hold(values.len());
                starts.push(Kept { op: op + 1, version, values });
            }
        }
        let mut end = end;
        while let Some(start) = starts.pop() {
            let from = start.op;
            self.back_over(start, end);
            end = from;
        }
    }

    /// Makes a kept state the field.
    fn load(&mut self, kept: &Kept) {
        let (state, version) = &mut self.state;
        if *version != kept.version
            && let Some(active) = self.versions.get(*version)
        {
            state.clear(active);
        }
        if let Some(active) = self.versions.get(kept.version) {
            unpack(active, &kept.values, &mut state.values);
        }
        *version = kept.version;
    }

    /// One operation again, on the field.
    fn repeat(&mut self, op: usize) {
        let (Some(what), Some(trail)) = (self.ops.get(op), self.trails.get(op).copied()) else { return };
        if !matches!(what, Op::Look { .. }) {
            self.repeat_as(what, trail);
        }
    }

    fn repeat_as(&mut self, op: &Op, trail: Trail) {
        let Some(active) = self.versions.get(trail.version) else { return };
        let operator = Operator { lattice: &self.prepared.lattice, active };
        self.state.1 = trail.version;
        match op {
            Op::Flow(Flow { flow, .. }) => operator.each(&mut self.state.0.values, |value| L::apply(*flow, value)),
            Op::Step { flow: Flow { flow, .. }, tau, .. } => {
                operator.each(&mut self.state.0.values, |value| L::apply(*flow, value));
                self.state.0.repeat(&operator, *tau, trail.taken, &mut self.found);
            }
            _ => {
                let mut values = std::mem::take(&mut self.state.0.values);
                self.treat(op, active, &self.prepared.lattice, &mut values);
                self.state.0.values = values;
            }
        }
    }

    /// Leaves of the adjoint what lies in the active voxels of `version`.
    fn shrink_to(&mut self, version: usize) {
        if self.back.1 == version {
            return;
        }
        if let (Some(old), Some(new)) = (self.versions.get(self.back.1), self.versions.get(version)) {
            let values = pack(new, &self.back.0.values);
            self.back.0.clear(old);
            unpack(new, &values, &mut self.back.0.values);
        }
        self.back.1 = version;
    }

    /// Carries the adjoint back over the operation before which the field is that of `kept`, and as which it is loaded.
    fn back(&mut self, kept: &Kept) {
        let (Some(op), Some(trail)) = (self.ops.get(kept.op), self.trails.get(kept.op).copied()) else { return };
        match op {
            Op::Look { number, on_the_way } => self.back_from_look(*number, on_the_way, kept, trail),
            _ => {
                self.shrink_to(trail.version);
                self.back_as(op, trail);
            }
        }
    }

    fn back_as(&mut self, op: &Op, trail: Trail) {
        let Some(active) = self.versions.get(trail.version) else { return };
        let operator = Operator { lattice: &self.prepared.lattice, active };
        let before = &self.state.0.values;
        match op {
            Op::Flow(Flow { flow, derivatives }) => {
                if let Some(by_voxel) = &mut self.by_voxel {
                    let (flow, adjoint) = (Flow { flow: *flow, derivatives: derivatives.clone() }, &mut self.back.0.values);
                    let (_, slopes) = by_voxel.step_back::<L>(&operator, (0.0, Taken::NOTHING), &flow, before, adjoint);
                    return add(&mut self.derivatives, derivatives, slopes);
                }
                let slopes = operator.flow_back::<L>(*flow, before, &mut self.back.0.values, &mut self.slopes);
                add(&mut self.derivatives, derivatives, slopes);
            }
            Op::Step { flow, tau, days } if self.by_voxel.is_some() => {
                let Some(by_voxel) = &mut self.by_voxel else { return };
                let adjoint = &mut self.back.0.values;
                let (of_tau, slopes) = by_voxel.step_back::<L>(&operator, (*tau, trail.taken), flow, before, adjoint);
                add(&mut self.derivatives, &flow.derivatives, slopes);
                if let Some(of_diffusivity) = self.derivatives.first_mut() {
                    *of_diffusivity += of_tau * days;
                }
            }
            Op::Step { flow: Flow { flow, derivatives }, tau, days } => {
                let slopes = step_back::<L>(&mut self.back.0, &operator, (*tau, trail.taken), *flow, before, &mut self.slopes);
                add(&mut self.derivatives, derivatives, slopes.flow);
                if let Some(of_diffusivity) = self.derivatives.first_mut() {
                    *of_diffusivity += slopes.tau * days;
                }
            }
            Op::Dose(gray) => {
                let ([alpha, ratio], Some(dose)) = (self.radiation, &self.prepared.dose) else { return };
                let (mut of_alpha, mut of_ratio) = (0.0, 0.0);
                for at in active.runs.iter().flat_map(|run| run.start..run.start + run.len) {
                    let d = dose[at] * gray;
                    let survival = (-alpha * d * (1.0 + d / ratio)).exp();
                    let of_survival = self.back.0.values[at] * before[at] * survival;
                    of_alpha -= of_survival * d * (1.0 + d / ratio);
                    of_ratio += of_survival * alpha * d * d / (ratio * ratio);
                    self.back.0.values[at] *= survival;
                }
                for (offset, of) in [of_alpha, of_ratio].into_iter().enumerate() {
                    if let Some(place) = self.derivatives.get_mut(self.radiation_at + offset) {
                        *place += of;
                    }
                }
            }
            Op::Cavity(extent) => {
                if let Some(cavity) = &self.prepared.cavity {
                    operator.each_with(&mut self.back.0.values, cavity, |value, inside| value * (1.0 - extent * inside));
                }
            }
            Op::Look { .. } => {}
        }
    }

    /// The misfit of a look, and what it adds to the adjoint.
    fn back_from_look(&mut self, number: usize, on_the_way: &[Op], kept: &Kept, trail: Trail) {
        // What comes from later waits.
        self.shrink_to(kept.version);
        let later = self.versions.get(kept.version).map(|active| pack(active, &self.back.0.values)).unwrap_or_default();
        if let Some(active) = self.versions.get(kept.version) {
            self.back.0.clear(active);
        }
        self.back.1 = trail.version;
        if let [step, _] = on_the_way {
            self.repeat_as(step, trail);
        }
        let Some(last @ Op::Flow(Flow { flow, .. })) = on_the_way.last() else { return };
        if let (Some(observed), Some(active)) = (self.observed.get(number), self.versions.get(trail.version)) {
            let lattice = &self.prepared.lattice;
            let observed: Vec<f64> = lattice.gather(observed.values());
            let seen = &self.state.0.values;
            for at in lattice.runs.iter().flat_map(|run| run.start..run.start + run.len) {
                let residual = L::apply(*flow, seen[at]) - observed[at];
                self.misfit += 0.5 * residual * residual * self.inverse_variance;
            }
            for at in active.runs.iter().flat_map(|run| run.start..run.start + run.len) {
                self.back.0.values[at] = (L::apply(*flow, seen[at]) - observed[at]) * self.inverse_variance;
            }
        }
        self.back_as(last, trail);
        if let [step, _] = on_the_way {
            self.load(kept);
            self.back_as(step, trail);
        }
        self.shrink_to(kept.version);
        if let Some(active) = self.versions.get(kept.version) {
            let mut from = 0;
            for run in &active.runs {
                let places = &mut self.back.0.values[run.start..run.start + run.len];
                places.iter_mut().zip(&later[from..from + run.len]).for_each(|(place, later)| *place += later);
                from += run.len;
            }
        }
    }
}

/// Adds what the coefficients of a flow give to every parameter.
fn add(derivatives: &mut [f64], of_flow: &[[f64; 2]], slopes: [f64; 2]) {
    for (total, [a, b]) in derivatives.iter_mut().zip(of_flow) {
        *total += slopes[0] * a + slopes[1] * b;
    }
}

/// Replaces the adjoint of the field after a step by that of the field `before` it.
fn step_back<L: Law>(
    back: &mut Stages<f64>,
    operator: &Operator<'_, f64>,
    (tau, taken): (f64, Taken),
    flow: [f64; 2],
    before: &[f64],
    slopes: &mut [Slopes],
) -> Slopes {
    let Taken { pieces, stages } = taken;
    if pieces == 0 {
        return Slopes { tau: 0.0, flow: operator.flow_back::<L>(flow, before, &mut back.values, slopes) };
    }
    let piece = tau / pieces as f64;
    let mut found = vec![Found::NOTHING; slopes.len()];
    // All pieces are the same polynomial: the derivative of their product is that of the last, on what the others came to.
    back.repeat(operator, piece * (pieces - 1) as f64, Taken { pieces: pieces - 1, stages }, &mut found);
    let mut of_tau = 0.0;
    back.begin(operator, piece, stages, |j, y| {
        // Later stages have even numbers where these are odd.
        if (stages - j).is_multiple_of(2) {
            of_tau += factor(j - 1, stages) * operator.product::<L>(y, flow, before, slopes);
        }
    });
    let (start, newest, older, result) = back.newest(stages);
    let factors = [factor(stages - 1, stages), factor_of_start(stages)];
    let stage = Stage::new(stages, stages, piece);
    let found = operator.last_stage_back::<L>(stage, factors, flow, (newest, start, older), before, result, slopes);
    back.accept();
    Slopes { tau: of_tau + found.tau, ..found }
}
