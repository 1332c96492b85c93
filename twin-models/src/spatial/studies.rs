//! Ready studies of a glioma on its images: velocity and invasiveness from two scans, radiosensitivity from one after radiotherapy, days
//! gained against no treatment.
//!
//! All of them stand on proliferation and invasion, [`ReactionDiffusion`](super::ReactionDiffusion) of
//! [`LogisticGrowth`](super::LogisticGrowth), which under fractions is the model PIRT (Rockne et al. 2010,
//! doi:10.1088/0031-9155/55/12/001; unconfirmed).

use super::reaction_diffusion::Settings;
use crate::{Model, Parameters, Scenario, SimulationError, Source, simulate};
use twin_core::{Observable, Random, Span, Time};

fn fault(what: &'static str, detail: String) -> SimulationError {
    SimulationError::Anatomy { what, detail }
}

/// How large a tumor is on one date: the radius of a ball of the visible volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Radii {
    /// When.
    pub at: Time,
    /// Of what enhances on T1-weighted images with gadolinium, in mm.
    pub enhancing_mm: f64,
    /// Of what is seen on T2-weighted or FLAIR images, in mm.
    pub visible_mm: f64,
}

/// The radius, in mm, of a ball of `volume_mm3`.
#[must_use]
pub fn radius_of(volume_mm3: f64) -> f64 {
    (volume_mm3 * 3.0 / (4.0 * std::f64::consts::PI)).cbrt()
}

/// What two scans tell of an untreated tumor that has become a traveling wave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invasion {
    /// The speed of the radius, in mm/d.
    pub velocity_mm_per_day: f64,
    /// The diffusivity, in mm²/d.
    pub diffusivity: f64,
    /// The growth rate, per day.
    pub growth_rate: f64,
}

impl Invasion {
    /// Where the method comes from.
    pub const SOURCE: Source = Source::unconfirmed("Harpold et al. 2007, doi:10.1097/nen.0b013e31802d9000");

    /// Diffusivity and growth rate from the radii on two dates: the front moves at `v = 2 √(Dρ)`, and between the two thresholds of
    /// visibility it falls over a distance that is proportional to `√(D/ρ)`.
    ///
    /// The front is taken for the flat wave of least speed. A tumor that is small or young moves slower than that (Bramson), by 4 to 6 %
    /// after three years at the diffusivity of gray matter, and so the product `Dρ` comes out too small.
    ///
    /// ```
    /// use twin_core::Time;
    /// use twin_models::spatial::{Invasion, Radii, Settings};
    /// let scan = |day: f64, enhancing_mm: f64, visible_mm: f64| -> Result<Radii, twin_core::CoreError> {
    ///     Ok(Radii { at: Time::from_days(day)?, enhancing_mm, visible_mm })
    /// };
    /// let found = Invasion::from_two_scans(&scan(0.0, 15.0, 20.0)?, &scan(50.0, 18.0, 23.0)?, &Settings::default())?;
    /// assert!((found.velocity_mm_per_day - 0.06).abs() < 1e-12);
    /// assert!((2.0 * (found.diffusivity * found.growth_rate).sqrt() - 0.06).abs() < 1e-12);
    /// # Ok::<(), twin_models::SimulationError>(())
    /// ```
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for scans that are not in order, radii that are not positive and finite, a tumor that has not grown, an
    /// enhancing radius that is not below the visible one, and thresholds of visibility that do not fall between 1 and 0.
    pub fn from_two_scans(first: &Radii, second: &Radii, settings: &Settings) -> Result<Self, SimulationError> {
        let days = (second.at - first.at).days();
        if days <= 0.0 {
            return Err(fault("scans", format!("the second is {days} d after the first, but must come later")));
        }
        for radii in [first, second] {
            let (inner, outer) = (radii.enhancing_mm, radii.visible_mm);
            if !(inner > 0.0 && inner < outer && outer.is_finite()) {
                let detail = format!("they are {inner} mm (enhancing) and {outer} mm (visible), but must be positive and rise");
                return Err(fault("radii", detail));
            }
        }
        let velocity = 0.5 * (second.enhancing_mm - first.enhancing_mm + second.visible_mm - first.visible_mm) / days;
        if velocity <= 0.0 {
            return Err(fault("radii", format!("they grow by {velocity} mm/d, but must grow")));
        }
        let width = 0.5 * (first.visible_mm - first.enhancing_mm + second.visible_mm - second.enhancing_mm);
        let scale = width / fall_of_wave(settings.visible_on_t1_gd, settings.visible_on_flair)?;
        Ok(Self { velocity_mm_per_day: velocity, diffusivity: 0.5 * velocity * scale, growth_rate: 0.5 * velocity / scale })
    }
}

/// The distance over which the wave of least speed falls from `high` to `low`, in units of `√(D/ρ)`: `U″ + 2 U′ + U (1 − U) = 0`.
fn fall_of_wave(high: f64, low: f64) -> Result<f64, SimulationError> {
    if !(0.0 < low && low < high && high < 0.999) {
        return Err(fault(
            "thresholds of visibility",
            format!("they are {high} and {low}, but must fall and lie between 0.999 and 0"),
        ));
    }
    // Out of U = 1 along the only way that leads away from it.
    const STEP: f64 = 1e-3;
    let away = std::f64::consts::SQRT_2 - 1.0;
    let (mut u, mut slope) = (1.0 - 1e-4, -1e-4 * away);
    let change = |u: f64, slope: f64| (slope, -2.0 * slope - u * (1.0 - u));
    let (mut at, mut begin) = (0.0, 0.0);
    while u > low {
        let (before, k1) = (u, change(u, slope));
        let k2 = change(u + 0.5 * STEP * k1.0, slope + 0.5 * STEP * k1.1);
        let k3 = change(u + 0.5 * STEP * k2.0, slope + 0.5 * STEP * k2.1);
        let k4 = change(u + STEP * k3.0, slope + STEP * k3.1);
        u += STEP / 6.0 * (k1.0 + 2.0 * (k2.0 + k3.0) + k4.0);
        slope += STEP / 6.0 * (k1.1 + 2.0 * (k2.1 + k3.1) + k4.1);
        let crossing = |level: f64| at + STEP * (before - level) / (before - u);
        if before > high && u <= high {
            begin = crossing(high);
        }
        if u <= low {
            return Ok(crossing(low) - begin);
        }
        at += STEP;
    }
    Ok(at - begin)
}

/// By how many days a treatment has set a tumor back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaysGained {
    /// The days from when the untreated tumor would have had the size that was seen, to when it was seen.
    pub days: f64,
    /// Whether the untreated tumor was larger than that all along: then it is more than these days.
    pub at_least: bool,
}

impl DaysGained {
    /// Where the measure comes from. Its published cut points are 100 days or more for longer time to progression and 117 for longer survival, in 33
    /// patients.
    pub const SOURCE: Source = Source::published("Neal et al. 2013, doi:10.1158/0008-5472.CAN-12-3588");

    /// The days gained if `seen` of `observable` (in its unit in the model) was observed `at` a time after treatment: the untreated course of
    /// `model` from `start` is looked at daily, and its size is interpolated between.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] if the time is not after the start, or what was seen is not a size.
    /// [`SimulationError::UnknownObservable`]; whatever the untreated course runs into.
    pub fn of(
        model: &dyn Model,
        parameters: &Parameters,
        start: Time,
        observable: &Observable,
        (at, seen): (Time, f64),
    ) -> Result<Self, SimulationError> {
        let days = (at - start).days();
        if !(days > 0.0 && seen >= 0.0 && seen.is_finite()) {
            return Err(fault("size after treatment", format!("it is {seen}, {days} d after the start, but must be a size later")));
        }
        model.spec().index_of(observable)?;
        let mut looks: Vec<Time> = Vec::new();
        for day in 0..days.ceil() as usize {
            looks.push(start + Span::from_days(day as f64)?);
        }
        looks.push(at);
        let untreated = Scenario::starting(start).sampled(looks.iter().copied());
        let sizes = simulate(model, parameters, &untreated, &mut Random::new(0))?.column(observable).unwrap_or_default();
        // The last time at which it crosses the size from below.
        let crossing = sizes.windows(2).zip(looks.windows(2)).rev().find_map(|(sizes, looks)| match (sizes, looks) {
            ([low, high], [from, to]) if *low <= seen && seen < *high => {
                Some((*from - start).days() + (*to - *from).days() * (seen - low) / (high - low))
            }
            _ => None,
        });
        Ok(match crossing {
            Some(day) => Self { days: days - day, at_least: false },
            // Larger than that from the start on, or not larger to the end.
            None if sizes.first().is_some_and(|first| seen < *first) => Self { days, at_least: true },
            None => Self { days: 0.0, at_least: false },
        })
    }
}

/// The parameters with the `radiosensitivity` at which the course of `model` through `scenario` has the size `seen` of `observable` at its last
/// sampling time: one scan after radiotherapy, as in PIRT.
///
/// # Errors
/// [`SimulationError::Anatomy`] if no radiosensitivity in the range of the model gives that size; [`SimulationError::UnknownObservable`],
/// and an unknown parameter for a model without `radiosensitivity`; whatever the course runs into.
pub fn with_radiosensitivity_seen(
    model: &dyn Model,
    parameters: &Parameters,
    scenario: &Scenario,
    observable: &Observable,
    seen: f64,
) -> Result<Parameters, SimulationError> {
    const NAME: &str = "radiosensitivity";
    model.spec().index_of(observable)?;
    let range = model.spec().parameters.iter().find(|known| known.name == NAME).map(|known| (known.low, known.high));
    let (mut low, mut high) = match range {
        Some(range) => range,
        None => (0.0, parameters.get(NAME)?),
    };
    let size = |alpha: f64| -> Result<f64, SimulationError> {
        let course = simulate(model, &parameters.clone().with(NAME, alpha)?, scenario, &mut Random::new(0))?;
        Ok(course.column(observable).and_then(|sizes| sizes.last().copied()).unwrap_or(f64::NAN))
    };
    let (largest, least) = (size(low)?, size(high)?);
    if !(least <= seen && seen <= largest) {
        let detail = format!("{seen} was seen, but radiosensitivities from {low} to {high} leave {largest} to {least}");
        return Err(fault("size after radiotherapy", detail));
    }
    // Sizes of voxels are steps: thirty halvings go below any of them.
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if size(middle)? > seen { low = middle } else { high = middle }
    }
    parameters.clone().with(NAME, 0.5 * (low + high))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::spatial::{Anatomy, LogisticGrowth, ReactionDiffusion};
    use twin_core::{AbsorbedDose, Grid, Mask, ScalarField, Target, TimedTreatment, Treatment, Unit};

    fn day(days: f64) -> Time {
        Time::from_days(days).unwrap()
    }

    /// A tumor at the end of a rod, or in the middle of a cube.
    fn model(shape: [usize; 3], at: [usize; 3]) -> ReactionDiffusion<LogisticGrowth> {
        let grid = Grid::new(shape, [1.0; 3]).unwrap();
        let mut cells = vec![0.0; grid.voxels()];
        cells[grid.index(at).unwrap()] = 0.9;
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells).unwrap();
        ReactionDiffusion::new(Anatomy::new(Mask::whole(grid), &cells).unwrap())
    }

    #[test]
    fn two_scans_give_back_what_made_the_wave() {
        let model = model([400, 1, 1], [0, 0, 0]);
        let (d, rho) = (0.5, 0.05);
        let parameters = model.spec().defaults().unwrap().with("diffusivity", d).unwrap().with("growth_rate", rho).unwrap();
        let mut course = model.start_static(&parameters, Time::ORIGIN).unwrap();
        let mut scan = |days: f64| {
            use crate::Simulation;
            course.advance(day(days)).unwrap();
            let field = course.cellularity();
            // Where the front falls below a threshold, between voxels.
            let falls = |threshold: f64| {
                let i = field.iter().position(|c| *c < threshold).unwrap();
                i as f64 - 0.5 + (field[i - 1] - threshold) / (field[i - 1] - field[i]) - 0.5
            };
            Radii { at: day(days), enhancing_mm: falls(0.8), visible_mm: falls(0.16) }
        };
        let (first, second) = (scan(500.0), scan(700.0));
        let found = Invasion::from_two_scans(&first, &second, &Settings::default()).unwrap();
        assert!((found.velocity_mm_per_day / (2.0 * (d * rho).sqrt()) - 1.0).abs() < 0.04, "{found:?}");
        assert!((found.diffusivity / d - 1.0).abs() < 0.08 && (found.growth_rate / rho - 1.0).abs() < 0.08, "{found:?}");
        assert!(Invasion::from_two_scans(&second, &first, &Settings::default()).is_err());
        let upside = Radii { enhancing_mm: 30.0, visible_mm: 20.0, ..second };
        assert!(Invasion::from_two_scans(&first, &upside, &Settings::default()).is_err());
    }

    #[test]
    fn days_gained_are_those_by_which_the_course_was_shifted() {
        let model = model([21, 21, 21], [10, 10, 10]);
        let parameters = model.spec().defaults().unwrap().with("diffusivity", 0.3).unwrap();
        let cells = Observable::TUMOR_CELL_COUNT;
        let size = |days: f64| {
            let scenario = Scenario::starting(Time::ORIGIN).sampled([day(days)]);
            simulate(&model, &parameters, &scenario, &mut Random::new(0)).unwrap().column(&cells).unwrap()[0]
        };
        let gained = |at: f64, seen: f64| DaysGained::of(&model, &parameters, Time::ORIGIN, &cells, (day(at), seen)).unwrap();
        let found = gained(60.0, size(37.0));
        assert!((found.days - 23.0).abs() < 0.05 && !found.at_least, "{found:?}");
        assert!(gained(60.0, size(60.0)).days.abs() < 1e-9);
        assert_eq!(gained(60.0, 0.5 * size(0.0)), DaysGained { days: 60.0, at_least: true });
        assert!(DaysGained::of(&model, &parameters, day(60.0), &cells, (day(60.0), 1.0)).is_err());
    }

    #[test]
    fn a_scan_after_radiotherapy_gives_back_the_radiosensitivity() {
        let model = model([15, 15, 15], [7, 7, 7]);
        let truth = model.spec().defaults().unwrap().with("diffusivity", 0.2).unwrap().with("radiosensitivity", 0.083).unwrap();
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
        let fractions = (20..25).map(|at| TimedTreatment::new(day(f64::from(at)), fraction.clone()));
        let scenario = Scenario::starting(Time::ORIGIN).treated(fractions).sampled([day(30.0)]);
        let cells = Observable::TUMOR_CELL_COUNT;
        let seen = simulate(&model, &truth, &scenario, &mut Random::new(0)).unwrap().column(&cells).unwrap()[0];
        let known = model.spec().defaults().unwrap().with("diffusivity", 0.2).unwrap();
        let found = with_radiosensitivity_seen(&model, &known, &scenario, &cells, seen).unwrap();
        assert!((found.get("radiosensitivity").unwrap() - 0.083).abs() < 1e-6);
        assert!(with_radiosensitivity_seen(&model, &known, &scenario, &cells, 100.0 * seen).is_err());
    }
}
