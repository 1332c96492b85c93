//! The way back of a gradient, operation by operation.

use super::adjoint::{Adjoint, Kept, Trail, pack, unpack};
use super::backward::{Slopes, factor, factor_of_start};
use super::cells::Taken;
use super::diffusion::{Found, Operator, Stage};
use super::growth::Law;
use super::plan::{Flow, Op};
use super::stages::Stages;

impl<L: Law> Adjoint<'_, L> {
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
    pub(super) fn back(&mut self, kept: &Kept) {
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
