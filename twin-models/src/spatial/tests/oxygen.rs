//! Oxygen against closed forms, and what it makes of fractions.
#![allow(clippy::unwrap_used)]

use super::super::*;
use crate::testing::{self, Settings as LawSettings};
use crate::{Model, Scenario, Simulation, SimulationError};
use twin_core::{AbsorbedDose, Grid, Mask, ScalarField, Span, Target, Time, Treatment, Unit};

const OXYGEN: Oxygen = Oxygen {
    diffusivity_mm2_per_s: 2e-3,
    supply_per_s: 1.0,
    vessels_mmhg: 40.0,
    consumption_mmhg_per_s: 20.0,
    half_consumption_mmhg: 1.0,
};

fn anatomy(shape: [usize; 3], spacing: [f64; 3], cells: impl Fn([usize; 3]) -> f64) -> Anatomy {
    let grid = Grid::new(shape, spacing).unwrap();
    let cells = (0..grid.voxels()).map(|index| cells(grid.voxel(index).unwrap())).collect();
    let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells).unwrap();
    Anatomy::new(Mask::whole(grid), &cells).unwrap()
}

fn oxygen(anatomy: Anatomy, oxygen: Oxygen) -> Vec<f64> {
    let model = ReactionDiffusion::<NoGrowth>::new(anatomy).with_oxygen(oxygen);
    let course = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).unwrap();
    let field = course.oxygen().unwrap().unwrap();
    assert_eq!(field.unit().code(), "mm[Hg]");
    field.values().to_vec()
}

#[test]
fn cells_beside_vessels_have_the_oxygen_of_the_closed_form() {
    // Consumption in proportion to the pressure on the right, supply on the left: exponentials that meet with one value and one slope.
    let (d, s, used, vessels) = (2e-3, 0.5, 0.3, 40.0);
    let values = Oxygen {
        diffusivity_mm2_per_s: d,
        supply_per_s: s,
        vessels_mmhg: vessels,
        consumption_mmhg_per_s: used * 1e9,
        half_consumption_mmhg: 1e9,
    };
    let at_border = vessels * f64::sqrt(s) / (f64::sqrt(s) + f64::sqrt(used));
    let exact = |x: f64| {
        if x < 0.0 {
            vessels - (vessels - at_border) * (x * f64::sqrt(s / d)).exp()
        } else {
            at_border * (-x * f64::sqrt(used / d)).exp()
        }
    };
    let mut last = f64::INFINITY;
    for level in 0..3 {
        let n = 160 << level;
        let h = 3.2 / n as f64;
        let found = oxygen(anatomy([n, 1, 1], [h, 1.0, 1.0], |[i, ..]| if i >= n / 2 { 1.0 } else { 0.0 }), values);
        let place = |i: usize| (i as f64 + 0.5) * h - 1.6;
        let error = (0..n).map(|i| (found[i] - exact(place(i))).abs()).fold(0.0, f64::max);
        assert!(error < last / 3.5 && error < 0.5, "{n}: {error} after {last}");
        last = error;
    }
}

/// The radius without oxygen of a ball of `outer` that uses it at a constant rate: `r_l² = r_o² + 2 r_n³/r_o − 3 r_n²` with
/// `r_l² = 6 D p_0/a` (Grimes et al. 2014, doi:10.1098/rsif.2013.1124).
fn anoxic_radius(limit: f64, outer: f64) -> f64 {
    let (mut low, mut high) = (0.0, outer);
    for _ in 0..100 {
        let r: f64 = 0.5 * (low + high);
        if outer * outer + 2.0 * r.powi(3) / outer - 3.0 * r * r > limit * limit { low = r } else { high = r }
    }
    low
}

#[test]
fn the_core_of_a_spheroid_is_without_oxygen_as_far_as_the_closed_form_says() {
    let (outer, width) = (0.5, 0.0025);
    let values = Oxygen { supply_per_s: 1e6, half_consumption_mmhg: 1e-3, ..OXYGEN };
    let limit = f64::sqrt(6.0 * values.diffusivity_mm2_per_s * values.vessels_mmhg / values.consumption_mmhg_per_s);
    assert!(limit < outer);
    let ball = anatomy([240, 1, 1], [width, 1.0, 1.0], |[i, ..]| if (i as f64 + 0.5) * width < outer { 1.0 } else { 0.0 });
    let found = oxygen(ball.as_shells().unwrap(), values);
    let core = found.iter().position(|p| *p > 0.01).unwrap() as f64 * width;
    let expected = anoxic_radius(limit, outer);
    assert!((core - expected).abs() < 0.01, "{core} {expected} {limit}");
    assert!((found[239] - 40.0).abs() < 1e-3 && found.iter().all(|p| *p > -1e-6));
}

#[test]
fn a_fraction_spares_what_has_no_oxygen() {
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
    let wide = anatomy([60, 1, 1], [0.1, 1.0, 1.0], |[i, ..]| if i >= 20 { 1.0 } else { 0.001 });
    let model = ReactionDiffusion::<NoGrowth>::new(wide).with_oxygen(OXYGEN);
    let parameters = model.spec().defaults().unwrap().with("diffusivity", 0.0).unwrap();
    let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
    let (before, pressure) = (course.cellularity(), course.oxygen().unwrap().unwrap());
    course.treat(&fraction).unwrap();
    let after = course.cellularity();
    for (at, p) in [(0, pressure.values()[0]), (20, pressure.values()[20]), (59, pressure.values()[59])] {
        let dose = 2.0 * (3.0 * p + 3.0) / (3.0 * (p + 3.0));
        let expected = (-0.05 * dose * (1.0 + dose / 10.0)).exp();
        assert!((after[at] / before[at] - expected).abs() < 1e-9, "{at} {p}");
    }
    assert!(pressure.values()[59] < 1e-6 && pressure.values()[0] > 35.0, "{:?}", pressure.values());
}

#[test]
fn the_laws_hold_and_what_cannot_be_is_refused() {
    let laws = LawSettings { cases: 2, horizon: Span::from_days(40.0).unwrap(), ..LawSettings::default() };
    let settings = Settings { active_above: 0.0, longest_step: Span::from_days(3.0).unwrap(), ..Settings::default() };
    let small = || anatomy([4, 3, 2], [1.0; 3], |[i, ..]| 0.2 * i as f64);
    let model = ReactionDiffusion::<LogisticGrowth>::new(small()).with_oxygen(OXYGEN).with_settings(settings).with_voxel_states();
    let report = testing::check_with(&model, &laws);
    assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{report:?}");
    for wrong in [
        Oxygen { diffusivity_mm2_per_s: -1.0, ..OXYGEN },
        Oxygen { supply_per_s: 0.0, ..OXYGEN },
        Oxygen { consumption_mmhg_per_s: f64::NAN, ..OXYGEN },
        Oxygen { half_consumption_mmhg: 0.0, ..OXYGEN },
    ] {
        let model = ReactionDiffusion::<LogisticGrowth>::new(small()).with_oxygen(wrong);
        let refused = model.start_static(&model.spec().defaults().unwrap(), Time::ORIGIN).map(|_| ());
        assert!(matches!(refused, Err(SimulationError::Specification { .. })), "{wrong:?}: {refused:?}");
    }
    let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(1.0).unwrap()]);
    let observed = ScalarField::on(model.anatomy().grid().clone(), Unit::dimensionless(), vec![0.0; 24]).unwrap();
    let refused = model.misfit_gradient(&model.spec().defaults().unwrap(), &scenario, &[observed], 0.1);
    assert!(matches!(refused, Err(SimulationError::Specification { .. })), "{refused:?}");
}
