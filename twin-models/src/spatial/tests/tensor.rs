//! Diffusion by tensors, against closed forms, the scalar engine and the laws.
#![allow(clippy::unwrap_used)]

use super::super::*;
use crate::testing::{self, Settings as LawSettings};
use crate::{Model, Scenario, Simulation, SimulationError, run_with};
use twin_core::{Grid, Mask, Observable, Random, ScalarField, Span, Time, Unit};

fn on(grid: &Grid, values: Vec<f64>) -> ScalarField {
    ScalarField::on(grid.clone(), Unit::dimensionless(), values).unwrap()
}

fn settings(days: f64) -> Settings {
    Settings { longest_step: Span::from_days(days).unwrap(), active_above: 0.0, ..Settings::default() }
}

/// A region full of holes and bridges, rough cells, and fibers in every direction, five times as fast along as across.
fn rugged(shape: [usize; 3], seed: u64) -> Anatomy {
    let grid = Grid::new(shape, [1.0, 1.2, 1.5]).unwrap();
    let mut random = Random::new(seed);
    let inside: Vec<bool> = (0..grid.voxels()).map(|_| random.uniform() < 0.8).collect();
    let cells = inside.iter().map(|inside| if *inside && random.uniform() < 0.3 { random.uniform() } else { 0.0 }).collect();
    let fibers = |_| Tensor::of_fibers([random.normal(), random.normal(), random.normal()], 1.0, 0.2);
    let tensors = (0..grid.voxels()).map(fibers).collect();
    let region = Mask::new(grid.clone(), inside).unwrap();
    Anatomy::new(region, &on(&grid, cells)).unwrap().with_relative_tensors(tensors).unwrap()
}

#[test]
fn no_cell_is_made_or_lost_and_none_is_less_than_none() {
    for (shape, seed) in [([9, 12, 1], 1), ([1, 9, 12], 2), ([7, 8, 9], 3), ([2, 2, 2], 4), ([30, 1, 1], 5)] {
        for (method, step) in [(Method::RungeKutta, 0.5), (Method::RungeKuttaLegendre, 0.5), (Method::RungeKuttaLegendre, 20.0)] {
            let model = ReactionDiffusion::<NoGrowth>::new(rugged(shape, seed));
            let model = model.with_settings(Settings { method, ..settings(step) });
            let parameters = model.spec().defaults().unwrap().with("diffusivity", 0.7).unwrap();
            let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
            let before: f64 = course.cellularity().iter().sum();
            course.advance(Time::from_days(90.3).unwrap()).unwrap();
            let after = course.cellularity();
            assert!((after.iter().sum::<f64>() - before).abs() < 1e-12 * before, "{shape:?} {method:?} {step}");
            assert!(before > 0.0 && after.iter().all(|c| *c >= 0.0));
        }
    }
}

#[test]
fn the_laws_hold_and_mass_is_balanced() {
    let laws = LawSettings { cases: 2, horizon: Span::from_days(60.0).unwrap(), ..LawSettings::default() };
    let model = ReactionDiffusion::<LogisticGrowth>::new(rugged([4, 3, 3], 7)).with_settings(settings(3.0)).with_voxel_states();
    let report = testing::check_with(&model, &laws);
    assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{report:?}");
    let still = ReactionDiffusion::<NoGrowth>::new(rugged([4, 3, 3], 7)).with_settings(settings(3.0)).with_voxel_states();
    let laws = LawSettings { agreement: 1e-12, ..laws };
    let held = testing::mass_balance(&still, &laws, |cells| cells.iter().sum());
    assert!(held.is_ok(), "{held:?}");
}

#[test]
fn isotropic_tensors_are_scalars() {
    let grid = Grid::new([8, 7, 6], [1.0, 1.5, 2.0]).unwrap();
    let mut random = Random::new(3);
    let relative: Vec<f64> = (0..grid.voxels()).map(|index| [0.0, 0.2, 1.0, 1.0][index % 4]).collect();
    let cells: Vec<f64> = (0..grid.voxels()).map(|_| random.uniform()).collect();
    let region = Mask::new(grid.clone(), vec![true; grid.voxels()]).unwrap();
    let plain = Anatomy::new(region, &on(&grid, cells)).unwrap();
    let tensors = relative.iter().map(|value| Tensor::isotropic(*value)).collect();
    let by = |anatomy: Anatomy| {
        let model = ReactionDiffusion::<NoGrowth>::new(anatomy).with_settings(settings(2.0));
        let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
        course.advance(Time::from_days(20.0).unwrap()).unwrap();
        course.cellularity()
    };
    let scalar = by(plain.clone().with_relative_diffusivity(&on(&grid, relative)).unwrap());
    for (a, b) in by(plain.with_relative_tensors(tensors).unwrap()).iter().zip(&scalar) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
}

#[test]
fn cells_spread_along_the_eigenvectors() {
    // Far from walls the covariance of places grows by exactly 2 D t.
    let (n, spacing, d, days) = (31_usize, [1.0, 1.25, 0.8], 0.13, 6.0);
    let grid = Grid::new([n; 3], spacing).unwrap();
    let tensor = Tensor::of_fibers([1.0, -0.7, 0.4], 1.0, 0.15);
    let seed = (0..grid.voxels()).map(|index| if grid.voxel(index) == Some([n / 2; 3]) { 1.0 } else { 0.0 }).collect();
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &on(&grid, seed)).unwrap();
    let anatomy = anatomy.with_relative_tensors(vec![tensor; grid.voxels()]).unwrap();
    let model = ReactionDiffusion::<NoGrowth>::new(anatomy).with_settings(settings(1.0));
    let mut course = model.start_static(&model.spec().defaults().unwrap().with("diffusivity", d).unwrap(), Time::ORIGIN).unwrap();
    course.advance(Time::from_days(days).unwrap()).unwrap();
    let mut found = [[0.0; 3]; 3];
    for (index, cells) in course.cellularity().iter().enumerate() {
        let at = grid.voxel(index).unwrap();
        let place = [0, 1, 2].map(|axis| (at[axis] as f64 - (n / 2) as f64) * spacing[axis]);
        (0..3).for_each(|i| (0..3).for_each(|j| found[i][j] += cells * place[i] * place[j]));
    }
    let whole = [[tensor.xx, tensor.xy, tensor.xz], [tensor.xy, tensor.yy, tensor.yz], [tensor.xz, tensor.yz, tensor.zz]];
    for (found, of_tensor) in found.iter().flatten().zip(whole.iter().flatten()) {
        assert!((found - 2.0 * d * days * of_tensor).abs() < 1e-6, "{found} {}", 2.0 * d * days * of_tensor);
    }
}

#[test]
fn the_gradient_is_that_of_the_steps() {
    let anatomy = rugged([6, 5, 4], 9);
    let grid = anatomy.grid().clone();
    let scenario = Scenario::starting(Time::ORIGIN).sampled([4.0, 11.3].map(|days| Time::from_days(days).unwrap()));
    let observed: Vec<_> = (1..=2).map(|n| on(&grid, vec![0.1 * f64::from(n); grid.voxels()])).collect();
    let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy).with_settings(settings(2.0));
    for d in [0.1, 1.0] {
        let start = model.spec().defaults().unwrap().with("diffusivity", d).unwrap();
        let misfit = |parameters: &crate::Parameters| {
            let mut course = model.start_static(parameters, Time::ORIGIN).unwrap();
            let mut sum = 0.0;
            run_with(&mut course, &scenario, |number, course| {
                let seen = course.fields().unwrap().observe_field(&Observable::CELLULARITY).unwrap();
                let inside = model.anatomy().region().inside().iter();
                let off = seen.values().iter().zip(observed[number].values()).zip(inside).filter(|(_, inside)| **inside);
                sum += off.map(|((a, b), _)| 0.5 * ((a - b) / 0.05).powi(2)).sum::<f64>();
            })
            .unwrap();
            sum
        };
        let gradient = model.misfit_gradient(&start, &scenario, &observed, 0.05).unwrap();
        assert!((gradient.misfit - misfit(&start)).abs() < 1e-10 * gradient.misfit);
        for (name, place) in [("diffusivity", 0), ("growth_rate", 1)] {
            let (value, h) = (start.get(name).unwrap(), 1e-3 * start.get(name).unwrap());
            let at = |by: f64| misfit(&start.clone().with(name, value + by * h).unwrap());
            let difference = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
            let derivative = gradient.derivatives[place];
            assert!((derivative - difference).abs() < 1e-7 * difference.abs(), "{d} {name}: {derivative} {difference}");
        }
    }
    let refused = model.misfit_gradient_by_voxel(&model.spec().defaults().unwrap(), &scenario, &observed, 0.05);
    assert!(matches!(refused, Err(SimulationError::Anatomy { what: "diffusion tensors", .. })), "{refused:?}");
}

#[test]
fn tensors_that_cannot_be_are_refused() {
    let grid = Grid::new([3, 3, 3], [1.0; 3]).unwrap();
    let region = Mask::new(grid.clone(), (0..27).map(|index| index != 0).collect()).unwrap();
    let anatomy = Anatomy::new(region, &on(&grid, vec![0.0; 27])).unwrap();
    let with = |at: usize, tensor: Tensor| {
        let mut tensors = vec![Tensor::isotropic(1.0); 27];
        tensors[at] = tensor;
        anatomy.clone().with_relative_tensors(tensors)
    };
    let wrong = [
        Tensor { xx: f64::NAN, ..Tensor::isotropic(1.0) },
        Tensor { yz: -1.2, ..Tensor::isotropic(1.0) },
        Tensor::isotropic(-0.1),
        Tensor::of_fibers([1.0, 0.61, 0.37], 1000.0, 1.0),
    ];
    for tensor in wrong {
        let refused = with(5, tensor);
        assert!(matches!(refused, Err(SimulationError::Anatomy { what: "diffusion tensors", .. })), "{tensor:?}");
        assert!(with(0, tensor).is_ok(), "what lies outside the region is not looked at");
    }
    assert!(anatomy.clone().with_relative_tensors(vec![Tensor::isotropic(1.0); 26]).is_err());
    // The last that is said of the diffusivity holds.
    let scalar = with(5, Tensor::isotropic(2.0)).unwrap().with_relative_diffusivity(&on(&grid, vec![1.0; 27])).unwrap();
    assert!(scalar.relative_tensors().is_none() && scalar.relative_diffusivity().is_some());
}
