//! What can be seen of a course, beyond its observables.

use super::growth::Law;
use super::number::Real;
use super::simulation::Course;
use crate::Fields;
use twin_core::{Observable, ScalarField, Unit};

impl<L: Law, T: Real> Course<L, T> {
    /// How many times the diffusion operator has been applied to the active voxels.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.moment.cells.sweeps
    }

    /// How many voxels the applications of the diffusion operator have gone over, all together.
    #[must_use]
    pub fn voxels_swept(&self) -> usize {
        self.moment.cells.voxels_swept
    }

    /// How many voxels are active.
    #[must_use]
    pub fn active_voxels(&self) -> usize {
        self.moment.cells.active.voxels
    }

    /// A bound, to first order, on the share of the cells that was neglected outside the active region, grown to now.
    ///
    /// It is infinite under [`GompertzGrowth`](super::GompertzGrowth) as soon as anything is neglected: the fewer cells there are, the faster
    /// they grow, so nothing bounds what a neglected one would have become. Set [`Settings::active_above`](super::Settings) to 0 there to
    /// neglect nothing.
    #[must_use]
    pub fn neglected(&self) -> f64 {
        let moment = self.between.as_ref().unwrap_or(&self.moment);
        let cells = moment.cells.operator().sum(&moment.cells.field.values, |_, value| value.to_f64());
        let days = (self.now - self.start).days() - self.at;
        if cells > 0.0 { self.neglected_after(moment, days) / cells } else { 0.0 }
    }

    /// The cellularity in every voxel of the grid.
    #[must_use]
    pub fn cellularity(&self) -> Vec<f64> {
        let lattice = &self.prepared.lattice;
        let (moment, flow) = self.current();
        let mut field = vec![0.0; self.prepared.anatomy.grid().voxels()];
        // Elsewhere there is no cell.
        for run in &moment.cells.active.runs {
            let from = lattice.of_grid(run.start);
            let values = moment.cells.field.values.get(run.start..run.start + run.len).unwrap_or_default();
            let places = field.get_mut(from..from + run.len).unwrap_or_default();
            places.iter_mut().zip(values).for_each(|(place, value)| *place = L::apply(flow, *value).to_f64());
        }
        field
    }
}

impl<L: Law, T: Real> Fields for Course<L, T> {
    fn observe_field(&self, observable: &Observable) -> Option<ScalarField> {
        if *observable != Observable::CELLULARITY {
            return None;
        }
        ScalarField::on(self.prepared.anatomy.grid().clone(), Unit::dimensionless(), self.cellularity()).ok()
    }
}
