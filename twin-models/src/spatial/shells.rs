//! Spherical symmetry: voxels are shells around the center.

use super::anatomy::Anatomy;
use super::lattice::{Lattice, harmonic_mean};
use super::number::Real;
use std::f64::consts::PI;

impl<T: Real> Lattice<T> {
    /// Makes the faces spheres between shells, and the voxels shells.
    pub(super) fn stack_shells(&mut self, anatomy: &Anatomy) {
        let ([width, ..], inside) = (anatomy.grid().spacing_mm(), anatomy.region().inside());
        let relative = |index: usize| anatomy.relative_diffusivity().and_then(|all| all.get(index)).copied().unwrap_or(1.0);
        let conductance = |outer: usize| {
            let both = outer > 0 && inside.get(outer) == Some(&true) && inside.get(outer - 1) == Some(&true);
            let area = 4.0 * PI * (outer as f64 * width).powi(2);
            if both { area / width * harmonic_mean(relative(outer - 1), relative(outer)) } else { 0.0 }
        };
        let mut faces = vec![T::ZERO; self.len()];
        let mut inverse = vec![T::ZERO; self.len()];
        for place in self.runs.iter().flat_map(|run| run.start..run.start + run.len) {
            let index = self.of_grid(place);
            let (inner, outer, volume) = (conductance(index), conductance(index + 1), anatomy.volume_mm3(index));
            faces[place] = T::from_f64(inner);
            inverse[place] = T::from_f64(1.0 / volume);
            self.bound = self.bound.max((inner + outer) / volume);
        }
        self.faces = [faces, vec![T::ZERO; self.len()], vec![T::ZERO; self.len()]];
        self.inverse_volumes = Some(inverse);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::spatial::{Anatomy, LogisticGrowth, Method, NoGrowth, ReactionDiffusion, Settings, Tensor};
    use crate::testing::{self, Settings as LawSettings};
    use crate::{Model, Scenario, Simulation, SimulationError};
    use twin_core::{Grid, Mask, ScalarField, Span, Time, Unit};

    fn anatomy(shells: usize, width: f64, of: impl Fn(f64) -> f64) -> Anatomy {
        let grid = Grid::new([shells, 1, 1], [width, 1.0, 1.0]).unwrap();
        let cells = (0..shells).map(|n| of((n as f64 + 0.5) * width)).collect();
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells).unwrap();
        Anatomy::new(Mask::whole(grid), &cells).unwrap().as_shells().unwrap()
    }

    fn settings(days: f64) -> Settings {
        Settings { longest_step: Span::from_days(days).unwrap(), ..Settings::default() }
    }

    #[test]
    fn no_cell_is_made_or_lost_and_the_laws_hold() {
        for method in [Method::RungeKutta, Method::RungeKuttaLegendre] {
            let rough = anatomy(40, 0.7, |r| if (3.0..5.0).contains(&r) || r < 1.0 { 0.9 } else { 0.0 });
            let model = ReactionDiffusion::<NoGrowth>::new(rough).with_settings(Settings { method, ..settings(5.0) });
            let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
            let (mut before, mut after) = ([0.0; 3], [0.0; 3]);
            course.observe(&mut before);
            course.advance(Time::from_days(120.5).unwrap()).unwrap();
            course.observe(&mut after);
            assert!((after[0] - before[0]).abs() < 1e-12 * before[0], "{before:?} {after:?}");
            assert!(course.cellularity().iter().all(|c| *c >= 0.0) && course.neglected() == 0.0);
        }
        let laws = LawSettings { cases: 2, horizon: Span::from_days(60.0).unwrap(), ..LawSettings::default() };
        let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy(9, 1.0, |r| 0.5 * (-r).exp()));
        let report = testing::check_with(&model.with_settings(settings(3.0)).with_voxel_states(), &laws);
        assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{report:?}");
    }

    #[test]
    fn a_ball_grows_as_it_does_in_a_box() {
        // The same tumor by shells and by voxels, far from the walls.
        let tumor = |r: f64| 0.6 * (-r * r / 18.0).exp();
        let grid = Grid::new([41; 3], [1.0; 3]).unwrap();
        let cells = (0..grid.voxels()).map(|index| {
            let at = grid.voxel(index).unwrap();
            tumor(at.iter().map(|n| (*n as f64 - 20.0).powi(2)).sum::<f64>().sqrt())
        });
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells.collect()).unwrap();
        let by = |anatomy: Anatomy| {
            let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy);
            let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
            course.advance(Time::from_days(40.0).unwrap()).unwrap();
            let mut y = [0.0; 3];
            course.observe(&mut y);
            y
        };
        let (shells, voxels) = (by(anatomy(80, 0.25, tumor)), by(Anatomy::new(Mask::whole(grid), &cells).unwrap()));
        assert!((shells[0] / voxels[0] - 1.0).abs() < 5e-3, "{shells:?} {voxels:?}");
        assert!((shells[1] / voxels[1] - 1.0).abs() < 0.03 && shells[1] > 0.0, "{shells:?} {voxels:?}");
    }

    #[test]
    fn what_does_not_go_with_shells_is_refused() {
        let grid = Grid::new([4, 2, 1], [1.0; 3]).unwrap();
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), vec![0.0; 8]).unwrap();
        let plain = Anatomy::new(Mask::whole(grid), &cells).unwrap();
        let refused = |result: Result<Anatomy, SimulationError>| assert!(matches!(result, Err(SimulationError::Anatomy { .. })));
        refused(plain.clone().as_shells());
        let shells = anatomy(4, 1.0, |_| 0.5);
        refused(shells.clone().with_relative_tensors(vec![Tensor::isotropic(1.0); 4]));
        let model = ReactionDiffusion::<LogisticGrowth>::new(shells);
        let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(1.0).unwrap()]);
        let observed = ScalarField::on(model.anatomy().grid().clone(), Unit::dimensionless(), vec![0.5; 4]).unwrap();
        let gradient = model.misfit_gradient(&model.spec().defaults().unwrap(), &scenario, &[observed], 0.1);
        assert!(matches!(gradient, Err(SimulationError::Anatomy { what: "shells", .. })), "{gradient:?}");
    }
}
