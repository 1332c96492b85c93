//! The engine against the laws, against closed forms, and against malformed anatomy.

mod adaptive;
mod oxygen;
mod tensor;

use super::*;
use crate::testing::{self, Settings as LawSettings};
use crate::{Model, Simulation, SimulationError};
use twin_core::{AbsorbedDose, Agent, Grid, Mask, Proportion, Quantity, Random, ScalarField, Span, Target, Time, Treatment, Unit};

fn field(grid: &Grid, of: impl Fn([usize; 3]) -> f64) -> ScalarField {
    let values = (0..grid.voxels()).map(|index| of(grid.voxel(index).unwrap())).collect();
    ScalarField::on(grid.clone(), Unit::dimensionless(), values).unwrap()
}

/// A region full of holes, one-voxel bridges and islands, and a tumor as rough as can be in it.
fn rugged(shape: [usize; 3], seed: u64) -> Anatomy {
    let grid = Grid::new(shape, [1.0, 1.5, 2.0]).unwrap();
    let mut random = Random::new(seed);
    let inside: Vec<bool> = (0..grid.voxels()).map(|_| random.uniform() < 0.7).collect();
    let region = Mask::new(grid.clone(), inside).unwrap();
    let mut cells: Vec<f64> = (0..grid.voxels()).map(|_| if random.uniform() < 0.2 { random.uniform() } else { 0.0 }).collect();
    cells.iter_mut().zip(region.inside()).for_each(|(cells, inside)| *cells *= f64::from(u8::from(*inside)));
    let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells).unwrap();
    let relative = field(&grid, |[i, j, k]| if (i + j + k) % 3 == 0 { 0.2 } else { 1.0 });
    Anatomy::new(region, &cells).unwrap().with_relative_diffusivity(&relative).unwrap()
}

fn drug() -> Agent {
    Agent::new("temozolomide").unwrap()
}

fn day(days: f64) -> Time {
    Time::from_days(days).unwrap()
}

fn settings(days: f64, active_above: f64) -> Settings {
    Settings { longest_step: Span::from_days(days).unwrap(), active_above, ..Settings::default() }
}

#[test]
fn the_law_kit_holds_for_every_growth_law() {
    let laws = LawSettings { cases: 2, horizon: Span::from_days(60.0).unwrap(), ..LawSettings::default() };
    let anatomy = rugged([4, 3, 3], 3);
    let logistic = ReactionDiffusion::<LogisticGrowth>::new(anatomy.clone())
        .with_drug(Drug::bolus(drug(), "mg"))
        .with_drug(Drug::continuous(Agent::new("bevacizumab").unwrap()))
        .with_drug(Drug::infusion(Agent::new("carboplatin").unwrap(), "mg"))
        .with_settings(settings(3.0, 0.0))
        .with_voxel_states();
    let gompertz = ReactionDiffusion::<GompertzGrowth>::new(anatomy.clone()).with_settings(settings(3.0, 0.0)).with_voxel_states();
    let single = ReactionDiffusion::<ExponentialGrowth>::new(anatomy).with_settings(settings(3.0, 0.0)).in_single_precision();
    let models: [&dyn Model; 3] = [&logistic, &gompertz, &single];
    for model in models {
        let report = testing::check_with(model, &laws);
        assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{report:?}");
    }
}

#[test]
fn the_law_of_mass_balance_holds_for_diffusion() {
    let laws = LawSettings { cases: 4, horizon: Span::from_days(60.0).unwrap(), agreement: 1e-12, ..LawSettings::default() };
    let model = ReactionDiffusion::<NoGrowth>::new(rugged([4, 3, 3], 5)).with_settings(settings(3.0, 0.0)).with_voxel_states();
    let held = testing::mass_balance(&model, &laws, |cells| cells.iter().sum());
    assert!(held.is_ok(), "{held:?}");
}

/// Observables of a course: cells, visible volume, enhancing volume.
fn looked(course: &dyn Simulation) -> [f64; 3] {
    let mut y = [0.0; 3];
    course.observe(&mut y);
    y
}

#[test]
fn no_cell_is_made_or_lost_on_any_region() {
    for (shape, seed) in [([40, 1, 1], 1), ([1, 1, 40], 2), ([9, 12, 1], 3), ([1, 9, 12], 4), ([7, 8, 9], 5), ([2, 2, 2], 6)] {
        for (method, step) in [(Method::RungeKutta, 0.5), (Method::RungeKuttaLegendre, 0.5), (Method::RungeKuttaLegendre, 20.0)] {
            let model = ReactionDiffusion::<NoGrowth>::new(rugged(shape, seed));
            let model = model.with_settings(Settings { method, ..settings(step, 0.0) });
            let parameters = model.spec().defaults().unwrap().with("diffusivity", 0.7).unwrap();
            let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
            let before = looked(&course)[0];
            assert!(before > 0.0);
            for days in [1.0, 33.3, 200.0] {
                course.advance(day(days)).unwrap();
                let after = looked(&course)[0];
                assert!((after - before).abs() < 1e-12 * before, "{shape:?} {method:?} {step}: {before} to {after}");
                assert!(course.cellularity().iter().all(|c| *c >= 0.0));
            }
        }
    }
}

#[test]
fn cells_stay_in_their_part_of_the_region() {
    // Two chambers behind a wall, with one voxel in each corner touching: no face, no way through.
    let grid = Grid::new([4, 4, 1], [1.0; 3]).unwrap();
    let inside = (0..16).map(|index| (index % 4 < 2) == (index / 4 < 2)).collect();
    let region = Mask::new(grid.clone(), inside).unwrap();
    let model = ReactionDiffusion::<NoGrowth>::new(
        Anatomy::new(region, &field(&grid, |[i, j, _]| f64::from(u8::from(i + j == 0)))).unwrap(),
    );
    let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
    course.advance(day(500.0)).unwrap();
    let cells = course.cellularity();
    assert!((cells[0] - 0.25).abs() < 1e-9 && (cells[5] - 0.25).abs() < 1e-9);
    assert!(cells[10] == 0.0 && cells[15] == 0.0);
}

#[test]
fn nothing_moves_into_tissue_without_diffusivity() {
    let grid = Grid::new([6, 1, 1], [1.0; 3]).unwrap();
    let half = |left: bool| Mask::new(grid.clone(), (0..6).map(|i| (i < 3) == left).collect()).unwrap();
    let tissues =
        [Tissue { region: half(true), relative_diffusivity: 1.0 }, Tissue { region: half(false), relative_diffusivity: 0.0 }];
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &field(&grid, |[i, _, _]| if i == 1 { 0.9 } else { 0.0 })).unwrap();
    let model = ReactionDiffusion::<NoGrowth>::new(anatomy.with_tissues(&tissues).unwrap());
    let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
    course.advance(day(300.0)).unwrap();
    let cells = course.cellularity();
    assert!((cells[2] - 0.3).abs() < 1e-9 && cells[3] == 0.0);
}

#[test]
fn the_active_region_neglects_what_it_says() {
    let grid = Grid::new([60, 40, 30], [1.0; 3]).unwrap();
    let ball = |at: [usize; 3]| if at.iter().zip([20, 20, 15]).all(|(a, b)| a.abs_diff(b) < 4) { 0.5 } else { 0.0 };
    let model = |active_above: f64| {
        let anatomy = Anatomy::new(Mask::whole(grid.clone()), &field(&grid, ball)).unwrap();
        ReactionDiffusion::<LogisticGrowth>::new(anatomy).with_settings(settings(1.0, active_above))
    };
    let run = |active_above: f64| {
        let model = model(active_above);
        let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
        course.advance(day(60.0)).unwrap();
        let cells = looked(&course)[0];
        (course, cells)
    };
    let (whole, cells) = run(0.0);
    assert_eq!(whole.neglected(), 0.0);
    for active_above in [1e-4, 1e-8, 1e-12] {
        let (part, fewer) = run(active_above);
        assert!(part.active_voxels() < grid.voxels());
        let share = (cells - fewer).abs() / cells;
        assert!(share <= part.neglected(), "{active_above}: {share} against {}", part.neglected());
        assert!(part.neglected() < 2e4 * active_above, "{active_above}: {}", part.neglected());
    }
}

#[test]
fn a_fraction_is_given_once_at_its_time_whatever_the_step() {
    // Two fractions on one day, one at 14:00, steps that never end there: with no growth, what survives is known exactly.
    let fraction = |gray: f64| Treatment::fraction(AbsorbedDose::from_gray(gray).unwrap(), Target::new("tumor").unwrap());
    for step in [0.3, 1.0, 7.0] {
        let model = ReactionDiffusion::<NoGrowth>::new(rugged([6, 5, 4], 1)).with_settings(settings(step, 0.0));
        let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
        let before = looked(&course)[0];
        for (days, gray) in [(2.0, 2.0), (2.0 + 14.0 / 24.0, 3.0), (9.1, 1.0)] {
            course.advance(day(days)).unwrap();
            course.treat(&fraction(gray)).unwrap();
        }
        course.advance(day(10.0)).unwrap();
        let survives: f64 = [2.0, 3.0, 1.0].iter().map(|d| (-0.05 * d * (1.0 + d / 10.0_f64)).exp()).product();
        assert!((looked(&course)[0] / before - survives).abs() < 1e-12, "{step}");
    }
}

#[test]
fn a_drug_kills_by_its_kinetics_whatever_the_step() {
    for step in [0.1, 1.0, 30.0] {
        let model = ReactionDiffusion::<NoGrowth>::new(rugged([6, 5, 4], 1)).with_drug(Drug::bolus(drug(), "mg"));
        let model = model.with_settings(settings(step, 0.0));
        let parameters = model.spec().defaults().unwrap().with("elimination_rate_temozolomide", 9.242).unwrap();
        let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
        let before = looked(&course)[0];
        course.advance(day(3.25)).unwrap();
        course.treat(&Treatment::bolus(drug(), Quantity::new(0.075, "g").unwrap()).unwrap()).unwrap();
        course.advance(day(30.0)).unwrap();
        let survives = (-0.01 * 75.0 / 9.242_f64).exp();
        assert!((looked(&course)[0] / before - survives).abs() < 1e-12, "{step}");
    }
}

#[test]
fn an_infusion_kills_as_its_amount_says_and_ends_at_its_time() {
    let grid = Grid::new([2, 1, 1], [1.0; 3]).unwrap();
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &field(&grid, |_| 0.5)).unwrap();
    let agent = Agent::new("carboplatin").unwrap();
    for step in [0.3, 5.0] {
        let model = ReactionDiffusion::<NoGrowth>::new(anatomy.clone()).with_drug(Drug::infusion(agent.clone(), "mg"));
        let model = model.with_settings(settings(step, 0.0));
        let (kill, k) = (0.02, 0.7);
        let parameters = model.spec().defaults().unwrap().with("kill_rate_carboplatin", kill).unwrap();
        let parameters = parameters.with("elimination_rate_carboplatin", k).unwrap();
        let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
        let give = |dose: f64, days: f64| {
            Treatment::infusion(agent.clone(), Quantity::new(dose, "mg").unwrap(), Span::from_days(days).unwrap()).unwrap()
        };
        // Two that overlap, one of which ends while the other goes on.
        for (at, dose, days) in [(1.0, 30.0, 2.0), (2.0, 10.0, 4.5)] {
            course.advance(day(at)).unwrap();
            course.treat(&give(dose, days)).unwrap();
        }
        course.advance(day(9.0)).unwrap();
        // The integral of the amount to day 9 is what was brought less what is left, over the elimination rate.
        let left = |at: f64, dose: f64, days: f64| dose / days / k * (-(-k * days).exp_m1()) * (-k * (9.0 - at - days)).exp();
        let over = (40.0 - left(1.0, 30.0, 2.0) - left(2.0, 10.0, 4.5)) / k;
        let expected = 0.5 * (-kill * over).exp();
        assert!((course.cellularity()[0] / expected - 1.0).abs() < 1e-12, "{step}: {} {expected}", course.cellularity()[0]);
    }
}

#[test]
fn dose_maps_and_resections_act_where_they_lie() {
    let grid = Grid::new([4, 1, 1], [1.0; 3]).unwrap();
    let cells = field(&grid, |_| 0.5);
    let dose = ScalarField::on(grid.clone(), Unit::parse("Gy").unwrap(), vec![0.0, 30.0, 60.0, 66.0]).unwrap();
    let cavity = Mask::new(grid.clone(), vec![true, false, false, false]).unwrap();
    let anatomy = Anatomy::new(Mask::whole(grid), &cells).unwrap();
    let anatomy = anatomy.with_dose(&dose, AbsorbedDose::from_gray(60.0).unwrap()).unwrap().with_resection(cavity).unwrap();
    let model = ReactionDiffusion::<NoGrowth>::new(anatomy);
    let parameters = model.spec().defaults().unwrap().with("diffusivity", 0.0).unwrap();
    let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
    course.treat(&Treatment::surgery(Target::new("tumor").unwrap(), Proportion::ONE)).unwrap();
    course.treat(&Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("ptv").unwrap())).unwrap();
    course.advance(day(1.0)).unwrap();
    let left = |gray: f64| 0.5 * (-0.05 * gray * (1.0 + gray / 10.0)).exp();
    for (found, expected) in course.cellularity().iter().zip([0.0, left(1.0), left(2.0), left(2.2)]) {
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }
}

#[test]
fn threads_change_no_bit() {
    let grid = Grid::new([48, 44, 40], [1.0; 3]).unwrap();
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &field(&grid, |[i, j, k]| 0.5 / (1.0 + (i * j + k) as f64))).unwrap();
    let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
            course.advance(day(10.0)).unwrap();
            let bits: Vec<u64> = course.cellularity().iter().map(|c| c.to_bits()).collect();
            (bits, looked(&course).map(f64::to_bits))
        })
    };
    let one = run(1);
    for threads in [2, 3, 5] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn single_precision_agrees_to_its_rounding() {
    let model = ReactionDiffusion::<LogisticGrowth>::new(rugged([12, 10, 8], 9));
    let single = model.clone().in_single_precision();
    let parameters = model.spec().defaults().unwrap();
    let (mut one, mut other) =
        (model.start_static(&parameters, Time::ORIGIN).unwrap(), single.start_static(&parameters, Time::ORIGIN).unwrap());
    one.advance(day(60.0)).unwrap();
    other.advance(day(60.0)).unwrap();
    for (a, b) in one.cellularity().iter().zip(other.cellularity()) {
        assert!((a - b).abs() < 3e-6, "{a} {b}");
    }
}

#[test]
fn malformed_anatomy_is_refused() {
    let grid = Grid::new([4, 3, 2], [1.0; 3]).unwrap();
    let other = Grid::new([4, 3, 2], [1.0, 1.0, 2.0]).unwrap();
    let whole = Mask::whole(grid.clone());
    let zero = field(&grid, |_| 0.0);
    let refused = |result: Result<Anatomy, SimulationError>, what: &str| {
        let fits = matches!(&result, Err(SimulationError::Anatomy { what: found, detail }) if *found == what && !detail.is_empty());
        assert!(fits, "{what}: {result:?}");
    };
    refused(Anatomy::new(Mask::new(grid.clone(), vec![false; 24]).unwrap(), &zero), "region");
    refused(Anatomy::new(whole.clone(), &field(&other, |_| 0.0)), "cellularity");
    refused(Anatomy::new(whole.clone(), &field(&grid, |_| 1.5)), "cellularity");
    refused(Anatomy::new(whole.clone(), &field(&grid, |_| -0.1)), "cellularity");
    refused(
        Anatomy::new(whole.clone(), &ScalarField::on(grid.clone(), Unit::parse("mm2/s").unwrap(), vec![0.0; 24]).unwrap()),
        "cellularity",
    );
    let corner = Mask::new(grid.clone(), (0..24).map(|i| i == 0).collect()).unwrap();
    refused(Anatomy::new(corner.clone(), &field(&grid, |[i, ..]| if i == 3 { 0.5 } else { 0.0 })), "cellularity");
    let sound = Anatomy::new(whole.clone(), &zero).unwrap();
    let gray = |grid: &Grid, value: f64| ScalarField::on(grid.clone(), Unit::parse("Gy").unwrap(), vec![value; 24]).unwrap();
    let sixty = AbsorbedDose::from_gray(60.0).unwrap();
    refused(sound.clone().with_dose(&gray(&other, 60.0), sixty), "dose");
    refused(sound.clone().with_dose(&gray(&grid, -1.0), sixty), "dose");
    refused(sound.clone().with_dose(&gray(&grid, 60.0), AbsorbedDose::from_gray(0.0).unwrap()), "dose");
    assert!(sound.clone().with_dose(&zero, sixty).is_err());
    refused(sound.clone().with_relative_diffusivity(&field(&grid, |_| -1.0)), "relative diffusivity");
    let tissue = |region: &Mask, relative_diffusivity: f64| Tissue { region: region.clone(), relative_diffusivity };
    refused(sound.clone().with_tissues(&[tissue(&corner, 1.0)]), "tissue");
    refused(sound.clone().with_tissues(&[tissue(&whole, 1.0), tissue(&corner, 1.0)]), "tissue");
    refused(sound.clone().with_tissues(&[tissue(&whole, f64::NAN)]), "tissue");
    refused(sound.with_resection(Mask::new(grid, vec![false; 24]).unwrap()), "resection");
}

#[test]
fn the_gradient_is_that_of_the_steps() {
    use crate::{Scenario, run_with};
    use twin_core::{Observable, TimedTreatment};
    let grid = Grid::new([9, 8, 7], [1.0, 1.5, 2.0]).unwrap();
    let cells = field(&grid, |[i, j, k]| {
        0.6 * (-0.1 * ((i as f64 - 4.0).powi(2) + (j as f64 - 4.0).powi(2) + (k as f64 - 3.0).powi(2))).exp()
    });
    let dose =
        ScalarField::on(grid.clone(), Unit::parse("Gy").unwrap(), (0..504).map(|i| 50.0 + 0.02 * f64::from(i)).collect()).unwrap();
    let cavity = Mask::new(grid.clone(), (0..504).map(|i| i % 9 < 3).collect()).unwrap();
    let plain = Anatomy::new(Mask::whole(grid.clone()), &cells).unwrap();
    let mapped = plain.clone().with_dose(&dose, AbsorbedDose::from_gray(60.0).unwrap()).unwrap().with_resection(cavity).unwrap();
    let (bolus, steady) = (Drug::bolus(drug(), "mg"), Drug::continuous(Agent::new("bevacizumab").unwrap()));
    let fraction = |days: f64| {
        let given = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
        TimedTreatment::new(day(days), given)
    };
    let scenario = Scenario::starting(day(3.0))
        .treated([fraction(5.0), fraction(5.0), fraction(9.6), fraction(12.0)])
        .treated([TimedTreatment::new(day(7.3), Treatment::bolus(drug(), Quantity::new(30.0, "mg").unwrap()).unwrap())])
        .treated([TimedTreatment::new(day(8.0), Treatment::on(Agent::new("bevacizumab").unwrap()))])
        .treated([TimedTreatment::new(day(15.0), Treatment::surgery(Target::new("tumor").unwrap(), Proportion::new(0.5).unwrap()))])
        .sampled([5.0, 8.7, 12.0, 21.0, 30.3].map(day));
    let observed: Vec<_> = (1..=5).map(|n| field(&grid, |[i, ..]| 0.02 * f64::from(n) * i as f64 / 3.0)).collect();
    fn check<L: Law>(anatomy: Anatomy, drugs: [&Drug; 2], scenario: &Scenario, observed: &[ScalarField], d: f64) {
        let model = ReactionDiffusion::<L>::new(anatomy).with_drug(drugs[0].clone()).with_drug(drugs[1].clone());
        let model = model.with_settings(settings(2.5, 0.0));
        let start = model.spec().defaults().unwrap().with("diffusivity", d).unwrap();
        let misfit = |parameters: &crate::Parameters| {
            let mut course = model.start_static(parameters, scenario.start).unwrap();
            let mut sum = 0.0;
            run_with(&mut course, scenario, |number, course| {
                let seen = course.fields().unwrap().observe_field(&Observable::CELLULARITY).unwrap();
                let pairs = seen.values().iter().zip(observed[number].values());
                sum += pairs.map(|(a, b)| 0.5 * ((a - b) / 0.05).powi(2)).sum::<f64>();
            })
            .unwrap();
            sum
        };
        let gradient = model.misfit_gradient(&start, scenario, observed, 0.05).unwrap();
        assert!((gradient.misfit - misfit(&start)).abs() < 1e-10 * gradient.misfit);
        for (spec, derivative) in model.spec().parameters.iter().zip(&gradient.derivatives) {
            let value = start.get(&spec.name).unwrap();
            // Where the default is the largest valid value, only from below; third order.
            let (h, top) = (1e-3 * value.max(1e-3), value >= spec.high);
            let at = |by: f64| misfit(&start.clone().with(&spec.name, value + by * h).unwrap());
            let difference = if top {
                (11.0 * at(0.0) - 18.0 * at(-1.0) + 9.0 * at(-2.0) - 2.0 * at(-3.0)) / (6.0 * h)
            } else {
                (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
            };
            let allowed = if top { 1e-6 } else { 1e-8 };
            assert!(derivative.abs() > 0.0, "{}: no derivative", spec.name);
            assert!(
                (derivative - difference).abs() < allowed * difference.abs().max(1e-2),
                "{} {}: {derivative} {difference}",
                L::ID,
                spec.name
            );
        }
    }
    check::<LogisticGrowth>(plain.clone(), [&bolus, &steady], &scenario, &observed, 0.13);
    // Many stages.
    check::<LogisticGrowth>(mapped.clone(), [&bolus, &steady], &scenario, &observed, 1.2);
    check::<GompertzGrowth>(mapped, [&bolus, &steady], &scenario, &observed, 0.4);
    check::<ExponentialGrowth>(plain, [&bolus, &steady], &scenario, &observed, 0.13);
}

#[test]
fn the_gradient_by_voxel_is_that_of_the_steps() {
    use crate::{Scenario, run_with};
    use twin_core::{Observable, TimedTreatment};
    let grid = Grid::new([6, 5, 4], [1.0, 1.5, 2.0]).unwrap();
    let cells =
        field(&grid, |[i, j, k]| 0.5 * (-0.2 * ((i as f64 - 2.0).powi(2) + (j as f64 - 2.0).powi(2) + (k as f64).powi(2))).exp());
    let region = Mask::new(grid.clone(), (0..grid.voxels()).map(|index| index % 7 != 3).collect()).unwrap();
    let cells = cells.within(&region).unwrap();
    let relative = |changed: usize, by: f64| {
        let values = (0..grid.voxels()).map(|index| 0.5 + 0.1 * (index % 5) as f64 + if index == changed { by } else { 0.0 });
        ScalarField::on(grid.clone(), Unit::dimensionless(), values.collect()).unwrap()
    };
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
    let scenario =
        Scenario::starting(Time::ORIGIN).treated([TimedTreatment::new(day(4.0), fraction)]).sampled([3.5, 9.0, 14.2].map(day));
    let observed: Vec<_> =
        (1..=3).map(|n| field(&grid, |[i, ..]| 0.03 * f64::from(n) * i as f64 / 3.0).within(&region).unwrap()).collect();
    for d in [0.13, 1.0] {
        let model = |changed: usize, by: f64| {
            let anatomy = Anatomy::new(region.clone(), &cells).unwrap().with_relative_diffusivity(&relative(changed, by)).unwrap();
            ReactionDiffusion::<LogisticGrowth>::new(anatomy).with_settings(settings(2.0, 0.0))
        };
        let sound = model(0, 0.0);
        let parameters = sound.spec().defaults().unwrap().with("diffusivity", d).unwrap();
        let found = sound.misfit_gradient_by_voxel(&parameters, &scenario, &observed, 0.05).unwrap();
        let scalar = sound.misfit_gradient(&parameters, &scenario, &observed, 0.05).unwrap();
        assert!((found.gradient.misfit - scalar.misfit).abs() < 1e-12 * scalar.misfit);
        for (a, b) in found.gradient.derivatives.iter().zip(&scalar.derivatives) {
            assert!((a - b).abs() < 1e-10 * b.abs().max(1e-3), "{a} {b}");
        }
        // All voxels together are the parameter itself.
        let growth: f64 = found.growth.as_ref().unwrap().values().iter().sum();
        assert!((growth / scalar.derivatives[1] - 1.0).abs() < 1e-9, "{growth} {}", scalar.derivatives[1]);
        let all = found.relative_diffusivity.values().iter().zip(relative(0, 0.0).values()).map(|(a, b)| a * b).sum::<f64>();
        assert!((all / d / scalar.derivatives[0] - 1.0).abs() < 1e-9, "{all} {}", scalar.derivatives[0]);
        let misfit = |changed: usize, by: f64| {
            let mut course = model(changed, by).start_static(&parameters, Time::ORIGIN).unwrap();
            let mut sum = 0.0;
            run_with(&mut course, &scenario, |number, course| {
                let seen = course.fields().unwrap().observe_field(&Observable::CELLULARITY).unwrap();
                let pairs = seen.values().iter().zip(observed[number].values());
                sum += pairs.map(|(a, b)| 0.5 * ((a - b) / 0.05).powi(2)).sum::<f64>();
            })
            .unwrap();
            sum
        };
        for changed in [0, 13, 14, 37, 64, 119] {
            let at = |by: f64| misfit(changed, 2e-3 * by);
            let difference = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * 2e-3);
            let derivative = found.relative_diffusivity.values()[changed];
            assert!((derivative - difference).abs() < 1e-7 * difference.abs().max(1.0), "{d} {changed}: {derivative} {difference}");
        }
    }
    // Without movement every voxel is a course of its own, so its derivative is that of a model of one voxel.
    let still = ReactionDiffusion::<LogisticGrowth>::new(Anatomy::new(region.clone(), &cells).unwrap());
    let parameters = still.spec().defaults().unwrap().with("diffusivity", 0.0).unwrap();
    let found = still.misfit_gradient_by_voxel(&parameters, &scenario, &observed, 0.05).unwrap();
    let one = Grid::new([1, 1, 1], [1.0; 3]).unwrap();
    for index in [0, 14, 40] {
        let alone = |value: f64| ScalarField::on(one.clone(), Unit::dimensionless(), vec![value]).unwrap();
        let model = ReactionDiffusion::<LogisticGrowth>::new(
            Anatomy::new(Mask::whole(one.clone()), &alone(cells.values()[index])).unwrap(),
        );
        let seen: Vec<_> = observed.iter().map(|field| alone(field.values()[index])).collect();
        let expected = model.misfit_gradient(&model.spec().defaults().unwrap(), &scenario, &seen, 0.05).unwrap().derivatives[1];
        let derivative = found.growth.as_ref().unwrap().values()[index];
        assert!((derivative - expected).abs() < 1e-10 * expected.abs().max(1e-6), "{index}: {derivative} {expected}");
    }
}

#[test]
fn rounding_at_the_limit_of_euler_ends_no_course() {
    // One voxel of cells, default settings: at exactly Euler's limit what stays in a voxel is nothing but rounding.
    let grid = Grid::new([15, 15, 15], [1.0; 3]).unwrap();
    let seed = field(&grid, |at| if at == [7, 7, 7] { 0.8 } else { 0.0 });
    let model = ReactionDiffusion::<LogisticGrowth>::new(Anatomy::new(Mask::whole(grid), &seed).unwrap());
    for diffusivity in [0.5, 1.0] {
        let parameters = model.spec().defaults().unwrap().with("diffusivity", diffusivity).unwrap();
        model.start_static(&parameters, Time::ORIGIN).unwrap().advance(day(20.0)).unwrap();
        model.clone().in_single_precision().start_static(&parameters, Time::ORIGIN).unwrap().advance(day(20.0)).unwrap();
    }
}

#[test]
fn what_is_neglected_is_remembered_over_treatments_and_begins_with_every_cell() {
    let grid = Grid::new([40, 1, 1], [1.0; 3]).unwrap();
    let run = |active_above: f64, background: f64, treated: bool| {
        let seed = field(&grid, |[i, ..]| if i == 2 { 0.5 } else { background });
        let model = ReactionDiffusion::<LogisticGrowth>::new(Anatomy::new(Mask::whole(grid.clone()), &seed).unwrap());
        let model = model.with_settings(settings(2.0, active_above));
        let parameters = model.spec().defaults().unwrap().with("growth_rate", 0.4).unwrap();
        let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
        for days in 1..=20 {
            course.advance(day(f64::from(days))).unwrap();
            if treated {
                let given = AbsorbedDose::from_gray(0.01).unwrap();
                course.treat(&Treatment::fraction(given, Target::new("tumor").unwrap())).unwrap();
            }
        }
        (looked(&course)[0], course.neglected())
    };
    for treated in [false, true] {
        let ((whole, _), (part, neglected)) = (run(0.0, 0.0, treated), run(1e-3, 0.0, treated));
        assert!(neglected > 0.0 && (whole - part).abs() / part <= neglected, "{treated}: {whole} {part} {neglected}");
    }
    // A background below the threshold grows as everything does.
    let ((whole, _), (part, neglected)) = (run(0.0, 5e-4, false), run(1e-3, 5e-4, false));
    assert!((whole - part).abs() / whole < 1e-9 && neglected == 0.0, "{whole} {part} {neglected}");
}

#[test]
fn growth_beyond_all_numbers_is_an_error_without_movement_too() {
    let grid = Grid::new([3, 1, 1], [1.0; 3]).unwrap();
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &field(&grid, |_| 0.5)).unwrap();
    let model = ReactionDiffusion::<ExponentialGrowth>::new(anatomy).in_single_precision();
    for diffusivity in [0.0, 0.13] {
        let parameters = model.spec().defaults().unwrap().with("growth_rate", 0.1).unwrap();
        let parameters = parameters.with("diffusivity", diffusivity).unwrap();
        let ended = model.start_static(&parameters, Time::ORIGIN).unwrap().advance(day(1000.0));
        assert!(matches!(ended, Err(SimulationError::NotFinite { .. })), "{diffusivity}: {ended:?}");
    }
}

#[test]
fn steps_without_end_are_refused() {
    let course = |spacing: f64, step: f64, to: f64| {
        let grid = Grid::new([9, 1, 1], [spacing; 3]).unwrap();
        let seed = field(&grid, |[i, ..]| if i == 4 { 0.8 } else { 0.0 });
        let model = ReactionDiffusion::<NoGrowth>::new(Anatomy::new(Mask::whole(grid), &seed).unwrap());
        let model = model.with_settings(Settings { method: Method::RungeKutta, ..settings(step, 0.0) });
        model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap().advance(day(to))
    };
    for ended in [course(1.0, 1e-18, 1.0), course(1e-5, 1.0, 1.0), course(1e-150, 1.0, 1.0)] {
        assert!(matches!(ended, Err(SimulationError::TooManySteps { .. })), "{ended:?}");
    }
    assert_eq!(course(1.0, 1.0, 1.0), Ok(()));
}
