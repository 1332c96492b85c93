//! Faults that were measured in a neighbor, each as a test that passes the other way round, on its own case where that matters.
#![allow(clippy::unwrap_used)]

use twin_core::{
    AbsorbedDose, Agent, Grid, Mask, Observable, Quantity, Random, ScalarField, Span, Target, Time, TimedTreatment, Treatment, Unit,
};
use twin_models::spatial::{AdcScale, Anatomy, Drug, LogisticGrowth, NoGrowth, ReactionDiffusion, Settings};
use twin_models::{Model, Parameters, Scenario, Simulation, run_with, simulate};
use twin_tests::tumortwin::{Kinetics, solve};
use twin_tests::tumortwin_cases::{Inputs, ours};

fn day(days: f64) -> Time {
    Time::from_days(days).unwrap()
}

fn field(grid: &Grid, of: impl Fn([usize; 3]) -> f64) -> ScalarField {
    let values = (0..grid.voxels()).map(|index| of(grid.voxel(index).unwrap())).collect();
    ScalarField::on(grid.clone(), Unit::dimensionless(), values).unwrap()
}

fn drug() -> Agent {
    Agent::new("temozolomide").unwrap()
}

/// A small tumor under a fast drug, by steps of at most `step` days.
fn small(step: f64) -> (ReactionDiffusion<LogisticGrowth>, Parameters) {
    let grid = Grid::new([14, 12, 10], [2.0, 2.0, 3.0]).unwrap();
    let cells = field(&grid, |[i, j, k]| if i.abs_diff(6) + j.abs_diff(6) + k.abs_diff(5) < 4 { 0.5 } else { 0.0 });
    let settings = Settings { longest_step: Span::from_days(step).unwrap(), ..Settings::default() };
    let model = ReactionDiffusion::new(Anatomy::new(Mask::whole(grid), &cells).unwrap());
    let model = model.with_drug(Drug::bolus(drug(), "1")).with_settings(settings);
    let parameters = model.spec().defaults().unwrap();
    let parameters = parameters.with("elimination_rate_temozolomide", 9.242).unwrap().with("kill_rate_temozolomide", 0.5).unwrap();
    (model, parameters)
}

fn bolus(days: f64, dose: f64) -> TimedTreatment {
    TimedTreatment::new(day(days), Treatment::bolus(drug(), Quantity::new(dose, "1").unwrap()).unwrap())
}

fn fraction(days: f64) -> TimedTreatment {
    TimedTreatment::new(day(days), Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap()))
}

fn cells(model: &dyn Model, parameters: &Parameters, scenario: &Scenario) -> f64 {
    let trajectory = simulate(model, parameters, scenario, &mut Random::new(0)).unwrap();
    *trajectory.column(&Observable::TUMOR_CELL_COUNT).unwrap().last().unwrap()
}

#[test]
fn the_kill_of_a_drug_does_not_depend_on_the_step() {
    let Some(folder) = twin_tests::data("the_kill_of_a_drug_does_not_depend_on_the_step", "reference/tumortwin") else { return };
    let case = Inputs::read(&folder).unwrap().case("C1");
    let sum = |fields: &[Vec<f64>]| fields[0].iter().sum::<f64>();
    let rules = [0.5, 0.1].map(|step| sum(&solve(&case, step, Kinetics::AtStages, &[30.0])));
    assert!((rules[0] / rules[1] - 1.0).abs() > 0.1, "{rules:?}");
    let mine = [1.0, 0.5, 0.1].map(|step| sum(&ours(&case, step, &[30.0]).unwrap()));
    assert!(mine.iter().all(|cells| (cells / mine[2] - 1.0).abs() < 1e-4), "{mine:?}");
}

#[test]
fn every_fraction_counts_at_any_hour_with_any_step() {
    let schedule = [fraction(2.0), fraction(2.0 + 14.0 / 24.0), fraction(2.0 + 14.0 / 24.0), fraction(7.1)];
    let scenario = |count: usize| Scenario::starting(Time::ORIGIN).treated(schedule[..count].to_vec()).sampled([day(12.0)]);
    let mut reference = Vec::new();
    for step in [0.1, 0.37, 1.0, 5.0] {
        let (model, parameters) = small(step);
        let left: Vec<f64> = (0..=4).map(|count| cells(&model, &parameters, &scenario(count))).collect();
        assert!(left.windows(2).all(|pair| pair[1] < 0.95 * pair[0]), "{step}: {left:?}");
        if reference.is_empty() {
            reference.clone_from(&left);
        }
        // The longest step is too long for a tumor with such a sharp edge, but loses no fraction either.
        for (a, b) in left.iter().zip(&reference).filter(|_| step <= 1.0) {
            assert!((a / b - 1.0).abs() < 2e-3, "{step}: {left:?} against {reference:?}");
        }
    }
}

#[test]
fn a_part_of_the_course_sees_the_treatments_in_it() {
    let (model, parameters) = small(1.0);
    let schedule: Vec<_> = (0..10).flat_map(|n| [fraction(3.5 * f64::from(n)), bolus(3.0 * f64::from(n) + 0.25, 1.0)]).collect();
    let whole = Scenario::starting(Time::ORIGIN).treated(schedule.clone()).sampled([day(40.0)]);
    let mut course = model.start(&parameters, Time::ORIGIN, &mut Random::new(0)).unwrap();
    for (from, to) in [(0.0, 9.0), (9.0, 10.5), (10.5, 40.0)] {
        let part = schedule.iter().filter(|given| (from..to).contains(&given.time.days())).cloned();
        let part = Scenario::starting(day(from)).treated(part).sampled([day(to)]);
        run_with(course.as_mut(), &part, |_, _| {}).unwrap();
    }
    let mut y = [0.0];
    course.observe(&mut y);
    assert_eq!(y[0].to_bits(), cells(&model, &parameters, &whole).to_bits());
}

#[test]
fn the_size_of_a_dose_matters() {
    let (model, parameters) = small(1.0);
    let left =
        |dose: f64| cells(&model, &parameters, &Scenario::starting(Time::ORIGIN).treated([bolus(1.0, dose)]).sampled([day(9.0)]));
    assert!(left(0.0) > 1.001 * left(0.1) && left(0.1) > 1.02 * left(1.0) && left(1.0) > 1.02 * left(2.0));
}

#[test]
fn a_step_beyond_stability_is_taken_in_stages() {
    let (model, parameters) = small(40.0);
    let parameters = parameters.with("diffusivity", 2.0).unwrap();
    let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
    course.advance(day(200.0)).unwrap();
    assert!(course.cellularity().iter().all(|c| (0.0..=1.0).contains(c)));
}

#[test]
fn a_head_cut_by_the_face_of_the_array_keeps_its_cells() {
    let grid = Grid::new([9, 12, 8], [2.0, 2.0, 3.0]).unwrap();
    let inside = |[i, j, k]: [usize; 3]| (i as f64 - 8.0).powi(2) + (j as f64 - 5.5).powi(2) + (k as f64 - 3.5).powi(2) < 20.0;
    let region = Mask::new(grid.clone(), (0..grid.voxels()).map(|index| inside(grid.voxel(index).unwrap())).collect()).unwrap();
    let start = field(&grid, |at| if inside(at) && at[0] > 6 { 0.5 } else { 0.0 });
    let model = ReactionDiffusion::<NoGrowth>::new(Anatomy::new(region, &start).unwrap());
    let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
    let before: f64 = course.cellularity().iter().sum();
    course.advance(day(300.0)).unwrap();
    let after: f64 = course.cellularity().iter().sum();
    assert!((after / before - 1.0).abs() < 1e-12);
}

#[test]
fn what_is_put_in_is_not_changed() {
    let (model, parameters) = small(1.0);
    let (anatomy, kept) = (model.anatomy().clone(), parameters.clone());
    let scenario = Scenario::starting(Time::ORIGIN).treated([fraction(1.0), bolus(2.0, 1.0)]).sampled([day(20.0)]);
    let (before, again) = (scenario.clone(), cells(&model, &parameters, &scenario));
    assert_eq!(again.to_bits(), cells(&model, &parameters, &scenario).to_bits());
    assert!(*model.anatomy() == anatomy && parameters == kept && scenario == before);
}

#[test]
fn the_unit_of_a_diffusion_coefficient_is_never_guessed() {
    let grid = Grid::new([2, 1, 1], [1.0; 3]).unwrap();
    let scale = AdcScale { water_mm2_per_s: 3e-3, densest_mm2_per_s: 0.0 };
    let read = |unit: &str, values: [f64; 2]| {
        let map = ScalarField::on(grid.clone(), Unit::parse(unit).unwrap(), values.to_vec()).unwrap();
        scale.cellularity(&map, &Mask::whole(grid.clone())).map(|field| field.values().to_vec())
    };
    // A map whose largest value is below the decade that a guess would expect.
    for (unit, values) in [("mm2/s", [3e-4, 9e-4]), ("um2/s", [300.0, 900.0]), ("um2/ms", [0.3, 0.9])] {
        let cellularity = read(unit, values).unwrap();
        assert!((cellularity[0] - 0.9).abs() < 1e-12 && (cellularity[1] - 0.7).abs() < 1e-12, "{unit}: {cellularity:?}");
    }
    assert!(read("1", [3e-4, 9e-4]).is_err() && read("mm2/s", [300.0, 900.0]).is_err());
}
