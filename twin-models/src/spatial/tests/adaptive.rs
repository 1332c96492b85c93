//! Steps that adapt: the laws, and the bound on what their errors come to.
#![allow(clippy::unwrap_used)]

use super::super::*;
use crate::testing::{self, Settings as LawSettings};
use crate::{Model, Parameters, Scenario, Simulation, SimulationError};
use twin_core::{AbsorbedDose, Agent, Grid, Mask, Quantity, ScalarField, Span, Target, Time, Treatment, Unit};

fn day(days: f64) -> Time {
    Time::from_days(days).unwrap()
}

/// A ball of cells in a box, under a drug.
fn model<L: Law>(shape: [usize; 3], longest: f64, error_per_step: Option<f64>) -> ReactionDiffusion<L> {
    let grid = Grid::new(shape, [1.0; 3]).unwrap();
    let center = shape.map(|n| 0.5 * (n as f64 - 1.0));
    let cells = (0..grid.voxels()).map(|index| {
        let at = grid.voxel(index).unwrap();
        0.6 * (-(0..3).map(|axis| (at[axis] as f64 - center[axis]).powi(2)).sum::<f64>() / 8.0).exp()
    });
    let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells.collect()).unwrap();
    let longest_step = Span::from_days(longest).unwrap();
    let settings = Settings { longest_step, error_per_step, active_above: 0.0, ..Settings::default() };
    let anatomy = Anatomy::new(Mask::whole(grid), &cells).unwrap();
    ReactionDiffusion::new(anatomy).with_drug(Drug::bolus(Agent::new("temozolomide").unwrap(), "mg")).with_settings(settings)
}

#[test]
fn the_laws_hold() {
    let laws = LawSettings { cases: 2, horizon: Span::from_days(60.0).unwrap(), ..LawSettings::default() };
    let report = testing::check_with(&model::<LogisticGrowth>([4, 3, 3], 10.0, Some(1e-4)).with_voxel_states(), &laws);
    assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{report:?}");
}

/// The field after 40 days with a fraction and a dose, its estimated error, and the applications of the operator.
fn course<L: Law>(model: &ReactionDiffusion<L>, parameters: &Parameters) -> (Vec<f64>, Option<f64>, usize) {
    let mut course = model.start_static(parameters, Time::ORIGIN).unwrap();
    course.advance(day(10.3)).unwrap();
    course.treat(&Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap())).unwrap();
    course.advance(day(15.0)).unwrap();
    let dose = Quantity::new(30.0, "mg").unwrap();
    course.treat(&Treatment::bolus(Agent::new("temozolomide").unwrap(), dose).unwrap()).unwrap();
    course.advance(day(40.0)).unwrap();
    (course.cellularity(), course.estimated_error(), course.sweeps())
}

#[test]
fn the_estimated_error_bounds_the_true_one_and_falls_with_what_is_tolerated() {
    let values = |spec: &std::sync::Arc<crate::ModelSpec>| spec.defaults().unwrap().with("diffusivity", 0.6).unwrap();
    let exact = model::<LogisticGrowth>([25, 21, 1], 0.02, None);
    let (exact, none, _) = course(&exact, &values(exact.spec()));
    assert_eq!(none, None);
    let mut last = (f64::INFINITY, 0);
    for tolerated in [1e-3, 1e-4, 1e-5] {
        let model = model::<LogisticGrowth>([25, 21, 1], 20.0, Some(tolerated));
        let (field, estimated, sweeps) = course(&model, &values(model.spec()));
        let squares = |of: &dyn Fn(usize) -> f64| (0..exact.len()).map(|at| of(at).powi(2)).sum::<f64>().sqrt();
        let error = squares(&|at| field[at] - exact[at]) / squares(&|at| exact[at]);
        let estimated = estimated.unwrap();
        assert!(error <= estimated && estimated < 100.0 * error, "{tolerated}: {error} {estimated}");
        assert!(error < 0.5 * last.0 && sweeps > last.1, "{tolerated}: {error} in {sweeps}, {last:?} before");
        last = (error, sweeps);
    }
}

#[test]
fn what_cannot_adapt_is_refused_and_what_bounds_nothing_says_so() {
    let model_of = |tolerated| model::<LogisticGrowth>([3, 3, 1], 1.0, Some(tolerated));
    for tolerated in [0.0, -1.0, 1.0, f64::NAN] {
        let model = model_of(tolerated);
        let refused = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).map(|_| ());
        assert!(matches!(refused, Err(SimulationError::Specification { .. })), "{tolerated}: {refused:?}");
    }
    let sound = model_of(1e-3);
    let scenario = Scenario::starting(Time::ORIGIN).sampled([day(2.0)]);
    let observed = ScalarField::on(sound.anatomy().grid().clone(), Unit::dimensionless(), vec![0.0; 9]).unwrap();
    let refused = sound.misfit_gradient(&sound.spec().defaults().unwrap(), &scenario, &[observed], 0.1);
    assert!(matches!(refused, Err(SimulationError::Specification { .. })), "{refused:?}");
    let gompertz = model::<GompertzGrowth>([9, 9, 1], 5.0, Some(1e-3));
    assert_eq!(course(&gompertz, &gompertz.spec().defaults().unwrap()).1, Some(f64::INFINITY));
}
