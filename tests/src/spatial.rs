//! Courses of the spatial engine whose field is known exactly, for the tables of convergence.

use std::f64::consts::PI;
use twin_core::{Grid, Mask, ScalarField, Span, Time, Unit};
use twin_models::spatial::{Anatomy, Law, LogisticGrowth, Method, NoGrowth, ReactionDiffusion, Settings, Tensor};
use twin_models::{Model, Simulation, SimulationError};

/// A place in mm, from the corner of the grid.
pub type Place = [f64; 3];

/// A course on a grid: where, what at the start, how fast it moves.
pub struct Setting<'a> {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// Their spacing in mm.
    pub spacing: [f64; 3],
    /// Whether a place lies in the region.
    pub inside: &'a dyn Fn(Place) -> bool,
    /// Cellularity at the start.
    pub initial: &'a dyn Fn(Place) -> f64,
    /// Relative diffusivity.
    pub relative: &'a dyn Fn(Place) -> f64,
    /// Tensors of relative diffusivity in its place.
    pub tensor: Option<&'a dyn Fn(Place) -> Tensor>,
    /// Values of parameters by name.
    pub parameters: &'a [(&'a str, f64)],
    /// The longest step in days.
    pub step: f64,
    /// How diffusion is solved.
    pub method: Method,
    /// Below which cellularity no work is done.
    pub active_above: f64,
}

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("shape", &self.shape).field("step", &self.step).finish_non_exhaustive()
    }
}

impl Setting<'_> {
    /// The center of the voxel number `index`.
    #[must_use]
    pub fn place(&self, index: usize) -> Place {
        let [nx, ny, _] = self.shape;
        let at = [index % nx, index / nx % ny, index / (nx * ny)];
        [0, 1, 2].map(|axis| (at[axis] as f64 + 0.5) * self.spacing[axis])
    }

    /// The fields on `days`, by the growth law `L`.
    ///
    /// # Errors
    /// Whatever the engine refuses, or runs into.
    pub fn fields<L: Law>(&self, days: &[f64]) -> Result<Vec<Vec<f64>>, SimulationError> {
        let grid = Grid::new(self.shape, self.spacing)?;
        let all = |of: &dyn Fn(Place) -> f64| -> Vec<f64> { (0..grid.voxels()).map(|index| of(self.place(index))).collect() };
        let field = |values: Vec<f64>| ScalarField::on(grid.clone(), Unit::dimensionless(), values);
        let inside: Vec<bool> = (0..grid.voxels()).map(|index| (self.inside)(self.place(index))).collect();
        let initial = all(self.initial).into_iter().zip(&inside).map(|(c, inside)| if *inside { c } else { 0.0 }).collect();
        let anatomy = Anatomy::new(Mask::new(grid.clone(), inside)?, &field(initial)?)?;
        let anatomy = match self.tensor {
            Some(tensor) => anatomy.with_relative_tensors((0..grid.voxels()).map(|index| tensor(self.place(index))).collect())?,
            None => anatomy.with_relative_diffusivity(&field(all(self.relative))?)?,
        };
        let longest_step = Span::from_days(self.step)?;
        let settings = Settings { longest_step, method: self.method, active_above: self.active_above, ..Settings::default() };
        let model = ReactionDiffusion::<L>::new(anatomy).with_settings(settings);
        let named = |all: twin_models::Parameters, (name, value): &(&str, f64)| all.with(name, *value);
        let parameters = self.parameters.iter().try_fold(model.spec().defaults()?, named)?;
        let mut course = model.start_static(&parameters, Time::ORIGIN)?;
        let mut fields = Vec::with_capacity(days.len());
        for &day in days {
            course.advance(Time::from_days(day)?)?;
            fields.push(course.cellularity());
        }
        Ok(fields)
    }

    /// The root of the mean square of the difference of `field` from `exact` in the region.
    #[must_use]
    pub fn mean_error(&self, field: &[f64], exact: impl Fn(Place) -> f64) -> f64 {
        let places = field.iter().enumerate().map(|(index, value)| (self.place(index), value));
        let of_region = places.filter(|(place, _)| (self.inside)(*place));
        let (count, sum) =
            of_region.fold((0, 0.0), |(count, sum), (place, value)| (count + 1, sum + (value - exact(place)).powi(2)));
        (sum / f64::from(count)).sqrt()
    }

    /// The largest difference of `field` from `exact` in the region.
    #[must_use]
    pub fn largest_error(&self, field: &[f64], exact: impl Fn(Place) -> f64) -> f64 {
        let error = |(index, value): (usize, &f64)| {
            let place = self.place(index);
            if (self.inside)(place) { (value - exact(place)).abs() } else { 0.0 }
        };
        field.iter().enumerate().map(error).fold(0.0, f64::max)
    }
}

pub(crate) fn everywhere(_: Place) -> bool {
    true
}

pub(crate) fn one(_: Place) -> f64 {
    1.0
}

/// Errors of a course at refinements that each halve the spacing and the step.
pub type Errors = Result<Vec<f64>, SimulationError>;

/// The order between the last two refinements.
#[must_use]
pub fn order(errors: &[f64]) -> f64 {
    match errors {
        [.., coarse, fine] => (coarse / fine).log2(),
        _ => f64::NAN,
    }
}

pub(crate) const DIFFUSIVITY: f64 = 0.5;
const DAYS: f64 = 20.0;

/// A cosine that decays in a box, the same diffusivity everywhere.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn uniform(refinements: u32, method: Method) -> Errors {
    let (a, b) = (16.0, 12.0);
    let shape_of = |[x, y, _]: Place| (PI * x / a).cos() * (2.0 * PI * y / b).cos();
    let rate = DIFFUSIVITY * PI * PI * (1.0 / (a * a) + 4.0 / (b * b));
    let one_grid = |level: u32| {
        let n = 12 << level;
        let setting = Setting {
            shape: [n, n, 1],
            spacing: [a / n as f64, b / n as f64, 1.0],
            inside: &everywhere,
            initial: &|place| 0.5 + 0.4 * shape_of(place),
            relative: &one,
            tensor: None,
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 2.0 / f64::from(1 << level),
            method,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[DAYS])?;
        Ok(setting.largest_error(&fields[0], |place| 0.5 + 0.4 * shape_of(place) * (-rate * DAYS).exp()))
    };
    (0..refinements).map(one_grid).collect()
}

/// The first root of `√5 tan a + tan(√5 a)` above 0: the slowest mode of two layers whose diffusivities differ fivefold.
fn two_layer_root() -> f64 {
    let root5 = 5.0_f64.sqrt();
    let (mut low, mut high) = (0.5 * PI / root5 + 1e-9, PI / root5);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if root5 * middle.tan() + (root5 * middle).tan() < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The slowest mode of two layers along the third axis, the second with a fifth of the diffusivity.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn tissues(refinements: u32) -> Errors {
    let (layer, a) = (10.0, two_layer_root());
    let b = a * 5.0_f64.sqrt();
    let rate = DIFFUSIVITY * (a / layer).powi(2);
    let mode = |[_, _, z]: Place| {
        if z < layer { (a * z / layer).cos() } else { a.cos() / b.cos() * (b * (2.0 * layer - z) / layer).cos() }
    };
    let largest = (a.cos() / b.cos()).abs().max(1.0);
    let one_grid = |level: u32| {
        let n = 16 << level;
        let setting = Setting {
            shape: [1, 2, n],
            spacing: [1.0, 1.0, 2.0 * layer / n as f64],
            inside: &everywhere,
            initial: &|place| 0.5 + 0.4 * mode(place) / largest,
            relative: &|[_, _, z]| if z < layer { 1.0 } else { 0.2 },
            tensor: None,
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 2.0 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[DAYS])?;
        Ok(setting.largest_error(&fields[0], |place| 0.5 + 0.4 * mode(place) / largest * (-rate * DAYS).exp()))
    };
    (0..refinements).map(one_grid).collect()
}

/// A mode of a region made of cubes, with a notch, a cavity and two corners that reach into it; no flux through any of its faces.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn notched(refinements: u32) -> Errors {
    let cube = 6.0;
    let rate = 3.0 * DIFFUSIVITY * (PI / cube).powi(2);
    let inside = |place: Place| {
        let [i, j, k] = place.map(|x| (x / cube) as usize);
        !(i == 2 && j == 0 || i == 1 && j == 1 && k == 1 || i == 0 && k == 2)
    };
    let mode = |place: Place| place.iter().map(|x| (PI * x / cube).cos()).product::<f64>();
    let one_grid = |level: u32| {
        let n = 4 << level;
        let setting = Setting {
            shape: [3 * n; 3],
            spacing: [cube / n as f64; 3],
            inside: &inside,
            initial: &|place| 0.5 + 0.4 * mode(place),
            relative: &one,
            tensor: None,
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 0.5 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[2.0])?;
        Ok(setting.largest_error(&fields[0], |place| 0.5 + 0.4 * mode(place) * (-rate * 2.0).exp()))
    };
    (0..refinements).map(one_grid).collect()
}

/// The slowest radial mode of a disc, whose border the voxels follow in steps only.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn disc(refinements: u32) -> Errors {
    let (radius, zero) = (10.0_f64, 3.831_705_970_207_512_f64);
    // The Bessel function of order 0, by its series.
    let j0 = |x: f64| {
        (1..30)
            .fold((1.0, 1.0), |(sum, term), k| {
                let term = -term * x * x / (4.0 * f64::from(k * k));
                (sum + term, term)
            })
            .0
    };
    let from_center = |[x, y, _]: Place| ((x - 11.0).powi(2) + (y - 11.0).powi(2)).sqrt();
    let rate = DIFFUSIVITY * (zero / radius).powi(2);
    let mode = |place: Place| j0(zero * from_center(place) / radius);
    let one_grid = |level: u32| {
        let n = 22 << level;
        let setting = Setting {
            shape: [n, n, 1],
            spacing: [22.0 / n as f64, 22.0 / n as f64, 1.0],
            inside: &|place| from_center(place) < radius,
            initial: &|place| 0.5 + 0.4 * mode(place),
            relative: &one,
            tensor: None,
            parameters: &[("diffusivity", DIFFUSIVITY)],
            step: 1.0 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<NoGrowth>(&[10.0])?;
        let exact = |place: Place| 0.5 + 0.4 * mode(place) * (-rate * 10.0).exp();
        // In the mean: cells that the steps of the border displace spread over the disc.
        Ok(setting.mean_error(&fields[0], exact))
    };
    (0..refinements).map(one_grid).collect()
}

/// The exact wave of Ablowitz and Zeppetella, `(1 + exp((x − 5t/√6)/√6))⁻²` in units of `√(D/ρ)` and `1/ρ`.
#[must_use]
pub fn fisher_wave(x: f64, t: f64) -> f64 {
    let root6 = 6.0_f64.sqrt();
    (1.0 + ((x - 5.0 * t / root6) / root6).exp()).powi(-2)
}

/// Largest errors of the exact wave after 20 days, and its speed in units of `√(Dρ)` on the finest grid.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn fisher(refinements: u32) -> Result<(Vec<f64>, f64), SimulationError> {
    let (d, rho) = (0.5_f64, 0.5_f64);
    let wave = |x: f64, days: f64| fisher_wave((x - 30.0) / (d / rho).sqrt(), days * rho);
    let (mut errors, mut speed) = (Vec::new(), f64::NAN);
    for level in 0..refinements {
        let n = 100 << level;
        let setting = Setting {
            shape: [n, 1, 1],
            spacing: [100.0 / n as f64, 1.0, 1.0],
            inside: &everywhere,
            initial: &|[x, _, _]| wave(x, 0.0),
            relative: &one,
            tensor: None,
            parameters: &[("diffusivity", d), ("growth_rate", rho)],
            step: 0.8 / f64::from(1 << level),
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        let fields = setting.fields::<LogisticGrowth>(&[20.0, 40.0])?;
        errors.push(setting.largest_error(&fields[0], |[x, _, _]| wave(x, 20.0)));
        let fronts: Vec<f64> = fields.iter().map(|field| front(&setting, field)).collect();
        speed = (fronts[1] - fronts[0]) / 20.0 / (d * rho).sqrt();
    }
    Ok((errors, speed))
}

/// Where the cellularity falls through one half along the first axis, between voxels linearly.
fn front(setting: &Setting<'_>, field: &[f64]) -> f64 {
    let last = field.iter().rposition(|c| *c >= 0.5).unwrap_or(0);
    let (here, next) = (field[last], field.get(last + 1).copied().unwrap_or(0.0));
    (last as f64 + 0.5 + (here - 0.5) / (here - next)) * setting.spacing[0]
}

/// Mean speeds of a front that starts as a step, in mm per day, between the days.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn front_speeds(days: &[f64]) -> Result<Vec<f64>, SimulationError> {
    let setting = Setting {
        shape: [500, 1, 1],
        spacing: [0.5, 1.0, 1.0],
        inside: &everywhere,
        initial: &|[x, _, _]| if x < 5.0 { 1.0 } else { 0.0 },
        relative: &one,
        tensor: None,
        parameters: &[("diffusivity", 0.13), ("growth_rate", 0.012)],
        step: 2.0,
        method: Method::RungeKuttaLegendre,
        active_above: 1e-200,
    };
    let fields = setting.fields::<LogisticGrowth>(days)?;
    let fronts: Vec<f64> = fields.iter().map(|field| front(&setting, field)).collect();
    Ok(days.windows(2).zip(fronts.windows(2)).map(|(days, at)| (at[1] - at[0]) / (days[1] - days[0])).collect())
}

/// Errors in time alone: steps that halve, against a 64th of the first, on one grid of two tissues with a sharp tumor, the operator
/// stiff enough for many stages.
///
/// # Errors
/// Whatever the engine refuses, or runs into.
pub fn in_time(refinements: u32) -> Errors {
    let at_step = |step: f64| {
        let setting = Setting {
            shape: [40, 30, 1],
            spacing: [1.0; 3],
            inside: &|[x, y, _]| !(10.0..14.0).contains(&x) || y > 8.0,
            initial: &|[x, y, _]| 0.7 * (-((x - 20.0).powi(2) + (y - 15.0).powi(2)) / 18.0).exp(),
            relative: &|[x, ..]| if x < 22.0 { 1.0 } else { 0.2 },
            tensor: None,
            parameters: &[("diffusivity", 1.0), ("growth_rate", 0.05)],
            step,
            method: Method::RungeKuttaLegendre,
            active_above: 0.0,
        };
        setting.fields::<LogisticGrowth>(&[48.0])
    };
    let exact = at_step(8.0 / 64.0)?;
    let error = |step: f64| {
        let field = at_step(step)?;
        Ok(field[0].iter().zip(&exact[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
    };
    (0..refinements).map(|level| error(8.0 / f64::from(1 << level))).collect()
}
