//! The way there of a gradient: the course, the states that are kept of it, and what lies between them again.

use super::active::Active;
use super::adjoint::{Adjoint, Kept, Trail, pack, unpack};
use super::cells::{Cells, Taken, Trouble};
use super::diffusion::Operator;
use super::growth::Law;
use super::lattice::Lattice;
use super::plan::{Flow, Op};
use std::sync::Arc;

/// Boxes full of states that are kept: with those in which the steps are computed not more than thrice what a course holds.
const ROOM: usize = 8;

impl<L: Law> Adjoint<'_, L> {
    /// Goes through all operations and keeps states at even distances, as many as there is room for.
    pub(super) fn there(&mut self) -> Result<Vec<Kept>, Trouble> {
        let (lattice, settings) = (&self.prepared.lattice, &self.prepared.settings);
        let mut cells = Cells::new(Arc::clone(lattice), self.prepared.initial.spread(), settings.active_above, settings.method);
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
    pub(super) fn room(&self) -> usize {
        ROOM / 2 * self.prepared.lattice.len()
    }

    pub(super) fn hold(&mut self, values: usize) {
        self.held += values;
        self.most_held = self.most_held.max(self.held);
    }

    /// Notes the active voxels if they are others than those of the last version.
    pub(super) fn renew(&mut self, active: &Active) -> usize {
        if self.versions.last().is_none_or(|last| last.voxels != active.voxels) {
            self.versions.push(active.clone());
        }
        self.versions.len() - 1
    }

    /// One operation on the way there.
    pub(super) fn live(&mut self, cells: &mut Cells<f64>, op: &Op) -> Result<Trail, Trouble> {
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
    pub(super) fn treat(&self, op: &Op, active: &Active, lattice: &Lattice<f64>, values: &mut [f64]) {
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

    pub(super) fn survival(&self, gray: f64) -> f64 {
        let [alpha, ratio] = self.radiation;
        (-alpha * gray * (1.0 + gray / ratio)).exp()
    }

    /// Goes back over the operations from that of `start` up to `end`.
    pub(super) fn back_over(&mut self, start: Kept, end: usize) {
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
    pub(super) fn load(&mut self, kept: &Kept) {
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
    pub(super) fn repeat(&mut self, op: usize) {
        let (Some(what), Some(trail)) = (self.ops.get(op), self.trails.get(op).copied()) else { return };
        if !matches!(what, Op::Look { .. }) {
            self.repeat_as(what, trail);
        }
    }

    pub(super) fn repeat_as(&mut self, op: &Op, trail: Trail) {
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
}
