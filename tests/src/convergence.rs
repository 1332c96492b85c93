//! The convergence of the spatial engine: courses by tensors whose field is known, the table of the book and its picture.

use crate::spatial::{self, DIFFUSIVITY, Errors, Place, Setting, everywhere, order};
use std::f64::consts::PI;
use twin_core::{Grid, Mask, ScalarField, Span, Time, Unit};
use twin_models::spatial::{Anatomy, LogisticGrowth, Method, NoGrowth, Oxygen, ReactionDiffusion, Settings, Tensor};
use twin_models::{Model, Simulation, SimulationError};
use twin_trials::TrialError;
use twin_trials::report::{Curve, CurveStyle, CurvesFigure, Figure, Plot, Quantity};

/// How far the map moves places, and over which length it turns.
const SHEAR: (f64, f64) = (1.5, 0.35);

/// By how much `y` is moved at `x`.
fn shift(x: f64) -> f64 {
    SHEAR.0 * (SHEAR.1 * x).sin()
}

/// What moves alike everywhere, seen through the map `(x, y) → (x, y − shift(x))`, which keeps areas: a tensor that turns from place to place, and
/// no flux through what the map makes of a wall.
fn sheared([x, ..]: Place) -> Tensor {
    let slope = SHEAR.0 * SHEAR.1 * (SHEAR.1 * x).cos();
    Tensor { yy: 1.0 + slope * slope, xy: slope, ..Tensor::isotropic(1.0) }
}

const WIDTH: f64 = 12.0;

/// Cells that spread by a tensor which turns from place to place, between two flat walls which it meets at an angle.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn tensor(refinements: u32) -> Errors {
    let exact = |[x, y, _]: Place, days: f64| {
        let (across, width) = (y - 24.0 - shift(x), 9.0 + 2.0 * DIFFUSIVITY * days);
        let along = (PI * x / WIDTH).cos() * (-DIFFUSIVITY * (PI / WIDTH).powi(2) * days).exp();
        (0.5 + 0.4 * along) * (9.0 / width).sqrt() * (-across * across / (2.0 * width)).exp()
    };
    let one_grid = |level: u32| {
        let n = 12 << level;
        let setting = Setting {
            shape: [n, 4 * n, 1],
            spacing: [WIDTH / n as f64, WIDTH / n as f64, 1.0],
            inside: &everywhere,
            initial: &|place| exact(place, 0.0),
            relative: &spatial::one,
            tensor: Some(&sheared),
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 1.0 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[8.0])?;
        Ok(setting.largest_error(&fields[0], |place| exact(place, 8.0)))
    };
    (0..refinements).map(one_grid).collect()
}

/// A mode of a region with two curved walls, which the voxels follow in steps, by a tensor which turns from place to place.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn tensor_curved(refinements: u32) -> Errors {
    let rate = DIFFUSIVITY * 5.0 * (PI / WIDTH).powi(2);
    let up = |[x, y, _]: Place| y - 2.0 - shift(x);
    let exact = |place: Place, days: f64| {
        0.5 + 0.4 * (PI * place[0] / WIDTH).cos() * (2.0 * PI * up(place) / WIDTH).cos() * (-rate * days).exp()
    };
    let one_grid = |level: u32| {
        let n = 12 << level;
        let setting = Setting {
            shape: [n, 16 << level, 1],
            spacing: [WIDTH / n as f64, WIDTH / n as f64, 1.0],
            inside: &|place| (0.0..WIDTH).contains(&up(place)),
            initial: &|place| exact(place, 0.0),
            relative: &spatial::one,
            tensor: Some(&sheared),
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 1.0 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[8.0])?;
        Ok(setting.mean_error(&fields[0], |place| exact(place, 8.0)))
    };
    (0..refinements).map(one_grid).collect()
}

/// The slowest mode of a ball, `sin(kr)/(kr)` with `tan(kR) = kR`, on shells.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn shells(refinements: u32) -> Errors {
    let (radius, root, days) = (10.0, 4.493_409_457_909_064, 20.0);
    let wave = root / radius;
    let exact = |r: f64, days: f64| 0.5 + 0.4 * (wave * r).sin() / (wave * r) * (-DIFFUSIVITY * wave * wave * days).exp();
    let one_grid = |level: u32| {
        let n = 12 << level;
        let width = radius / f64::from(n);
        let place = |shell: u32| (f64::from(shell) + 0.5) * width;
        let grid = Grid::new([n as usize, 1, 1], [width, 1.0, 1.0])?;
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), (0..n).map(|shell| exact(place(shell), 0.0)).collect())?;
        let settings = Settings { longest_step: Span::from_days(2.0 / f64::from(1 << level))?, ..Settings::default() };
        let anatomy = Anatomy::new(Mask::whole(grid), &cells)?.as_shells()?;
        let model = ReactionDiffusion::<NoGrowth>::new(anatomy).with_settings(settings);
        let mut course = model.start_static(&model.spec().defaults()?.with("diffusivity", DIFFUSIVITY)?, Time::ORIGIN)?;
        course.advance(Time::from_days(days)?)?;
        let errors = (0..n).zip(course.cellularity()).map(|(shell, found)| (found - exact(place(shell), days)).abs());
        Ok(errors.fold(0.0, f64::max))
    };
    (0..refinements).map(one_grid).collect()
}

/// The true error of a course whose steps adapt, over the error that it says it has: in two tissues with a sharp tumor, over 48 days.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn true_over_estimated(tolerated: f64) -> Result<f64, SimulationError> {
    let grid = Grid::new([40, 30, 1], [1.0; 3])?;
    let on = |of: &dyn Fn(f64, f64) -> f64| {
        let center = |index: usize| ((index % 40) as f64 + 0.5, (index / 40) as f64 + 0.5);
        let values = (0..grid.voxels()).map(center).map(|(x, y)| of(x, y)).collect();
        ScalarField::on(grid.clone(), Unit::dimensionless(), values)
    };
    let tumor = on(&|x, y| 0.7 * (-((x - 20.0).powi(2) + (y - 15.0).powi(2)) / 18.0).exp())?;
    let relative = on(&|x, _| if x < 22.0 { 1.0 } else { 0.2 })?;
    let anatomy = Anatomy::new(Mask::whole(grid.clone()), &tumor)?.with_relative_diffusivity(&relative)?;
    let live = |longest: f64, error_per_step: Option<f64>| {
        let settings = Settings { longest_step: Span::from_days(longest)?, error_per_step, ..Settings::default() };
        let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy.clone()).with_settings(settings);
        let mut course = model.start_static(&model.spec().defaults()?.with("diffusivity", 1.0)?, Time::ORIGIN)?;
        course.advance(Time::from_days(48.0)?)?;
        Ok::<_, SimulationError>((course.cellularity(), course.estimated_error()))
    };
    let ((exact, _), (found, estimated)) = (live(0.125, None)?, live(24.0, Some(tolerated))?);
    let size = |of: &dyn Fn(usize) -> f64| (0..exact.len()).map(|at| of(at).powi(2)).sum::<f64>().sqrt();
    Ok(size(&|at| found[at] - exact[at]) / size(&|at| exact[at]) / estimated.unwrap_or(f64::NAN))
}

/// The oxygen around a spheroid: plenty outside, and used up inside at a rate that hardly depends on how much there is.
const OXYGEN: Oxygen = Oxygen {
    diffusivity_mm2_per_s: 2e-3,
    supply_per_s: 1e6,
    vessels_mmhg: 40.0,
    consumption_mmhg_per_s: 20.0,
    half_consumption_mmhg: 1e-3,
};
/// The radius of the spheroid, in mm.
const SPHEROID: f64 = 0.5;

/// The radius without oxygen where cells use it at a constant rate: the root of `r_o² + 2 r³/r_o − 3 r² = 6 D p/a`.
#[must_use]
pub fn anoxic_radius() -> f64 {
    let limit = 6.0 * OXYGEN.diffusivity_mm2_per_s * OXYGEN.vessels_mmhg / OXYGEN.consumption_mmhg_per_s;
    let (mut low, mut high) = (0.0, SPHEROID);
    for _ in 0..100 {
        let r: f64 = 0.5 * (low + high);
        if SPHEROID * SPHEROID + 2.0 * r.powi(3) / SPHEROID - 3.0 * r * r > limit { low = r } else { high = r }
    }
    low
}

/// The radius of the spheroid's core below a hundredth of a mmHg, by the engine on shells of 2.5 µm.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn spheroid() -> Result<f64, SimulationError> {
    let (shells, width) = (240_u32, 0.0025);
    let grid = Grid::new([shells as usize, 1, 1], [width, 1.0, 1.0])?;
    let cells = (0..shells).map(|shell| if (f64::from(shell) + 0.5) * width < SPHEROID { 1.0 } else { 0.0 }).collect();
    let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells)?;
    let model = ReactionDiffusion::<NoGrowth>::new(Anatomy::new(Mask::whole(grid), &cells)?.as_shells()?).with_oxygen(OXYGEN);
    let found = model.start_static(&model.spec().defaults()?, Time::ORIGIN)?.oxygen()?;
    let core = found.and_then(|field| field.values().iter().position(|p| *p > 0.01));
    Ok(core.map_or(f64::NAN, |shells| shells as f64 * width))
}

/// The errors of every course with a known solution.
#[derive(Debug)]
pub struct Convergence(Vec<Row>);

#[derive(Debug)]
struct Row {
    course: &'static str,
    /// What the picture calls it, if it is drawn.
    drawn: Option<&'static str>,
    errors: Vec<f64>,
}

impl Convergence {
    /// Computes them all.
    ///
    /// # Errors
    /// Whatever the engine refuses, or runs into.
    pub fn computed() -> Result<Self, SimulationError> {
        let row = |course, drawn, errors: Errors| errors.map(|errors| Row { course, drawn, errors });
        let rows = [
            row("a cosine in a box", Some("scalar"), spatial::uniform(4, Method::RungeKuttaLegendre)),
            row("the same by the reference method", None, spatial::uniform(4, Method::RungeKutta)),
            row("two layers, D differs fivefold", Some("two tissues"), spatial::tissues(4)),
            row("a region with a notch, a cavity and inner corners", None, spatial::notched(3)),
            row("the exact wave of Fisher's equation", None, spatial::fisher(4).map(|found| found.0)),
            row("growth in two tissues, steps alone", None, spatial::in_time(4)),
            row("a tensor that turns, flat walls", Some("tensor"), tensor(4)),
            row("the slowest mode of a ball, on shells", Some("shells"), shells(4)),
            row("a disc whose border the voxels follow in steps", Some("scalar, curved region"), spatial::disc(4)),
            row("a tensor that turns, curved walls followed in steps", Some("tensor, curved region"), tensor_curved(4)),
        ];
        rows.into_iter().collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// The table of the book.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = "\n| course | error | halved | again | again | order |\n|---|---|---|---|---|---|\n".to_owned();
        for Row { course, errors, .. } in &self.0 {
            let error = |level: usize| errors.get(level).map_or_else(|| "-".to_owned(), |error| format!("{error:.1e}"));
            let cells: Vec<String> = (0..4).map(error).collect();
            table.push_str(&format!("| {course} | {} | {:.1} |\n", cells.join(" | "), order(errors)));
        }
        table.push('\n');
        table
    }

    /// The picture of the book: errors against spacing, with the slope of second order.
    ///
    /// # Errors
    /// Whatever the drawing refuses.
    pub fn picture(&self) -> Result<String, TrialError> {
        let at = |level: usize| 0.5_f64.powi(i32::try_from(level).unwrap_or(0));
        let curve = |row: &Row| {
            let points = row.errors.iter().enumerate().map(|(level, error)| (at(level), *error)).collect();
            row.drawn.map(|label| Curve { label: label.to_owned(), points, style: CurveStyle::MarkedLine })
        };
        let mut curves: Vec<Curve> = self.0.iter().filter_map(curve).collect();
        let slope = (0..4).map(|level| (at(level), 4e-2 * at(level).powi(2))).collect();
        curves.push(Curve { label: "second order".to_owned(), points: slope, style: CurveStyle::Line });
        let horizontal = Quantity::logarithmic("spacing and step, as shares of the first", "1");
        let vertical = Quantity::logarithmic("error of the cellularity", "1");
        Figure::new("Convergence of the spatial engine", Plot::Curves(CurvesFigure { horizontal, vertical, curves })).to_svg()
    }
}
