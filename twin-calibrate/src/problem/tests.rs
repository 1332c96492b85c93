use super::*;
use crate::{IndependentPrior, Marginal, NormalError};
use twin_core::{Event, Grid, Mask, Provenance, ScalarField, SubjectId, Unit};
use twin_models::spatial::{Anatomy, LogisticGrowth, ReactionDiffusion};

#[test]
fn a_field_on_another_grid_is_not_compared() {
    let grid = Grid::new([4; 3], [1.0; 3]).unwrap();
    let cells = |grid: &Grid| ScalarField::on(grid.clone(), Unit::dimensionless(), vec![0.1; 64]).unwrap();
    let model = ReactionDiffusion::<LogisticGrowth>::new(Anatomy::new(Mask::whole(grid.clone()), &cells(&grid)).unwrap());
    let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.05, sd: 0.3 })]).unwrap();
    let error = NormalError::new(0.05, 0.0);
    let judged = |grid: &Grid| {
        let mut patient = Patient::new(SubjectId::new("test").unwrap());
        let seen = Event::Observation(Observation::new(Observable::CELLULARITY, Finding::Field(cells(grid))));
        patient.timeline.record(Time::from_days(5.0).unwrap(), seen, Provenance::measured("scan"));
        let mut problem = Problem::new(&model, &patient, &prior, Observable::CELLULARITY, &error).unwrap();
        problem.start = Time::ORIGIN;
        let target = Target::new(&problem).unwrap();
        (target.ln_likelihood(&[0.05]).is_finite(), target.failure().map(|(_, failure)| failure))
    };
    assert_eq!(judged(&grid), (true, None));
    let wider = Grid::new([4; 3], [3.0, 1.0, 0.5]).unwrap();
    let moved = [[1.0, 0.0, 0.0, 50.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    for other in [wider, grid.clone().with_affine(moved).unwrap()] {
        let (finite, failure) = judged(&other);
        assert!(!finite && matches!(failure, Some(SimulationError::UnknownObservable { .. })), "{failure:?}");
    }
}
