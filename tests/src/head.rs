//! A head to compute in, and a course of chemoradiation to give.

use twin_core::{AbsorbedDose, Agent, Grid, Mask, Quantity, ScalarField, Target, Time, TimedTreatment, Treatment, Unit};
use twin_models::spatial::Anatomy;
use twin_models::{Scenario, SimulationError};

/// A head: its grid, its region, and where the tumor starts.
#[derive(Debug)]
pub struct Head {
    /// What it is, in words.
    pub name: &'static str,
    /// Its grid.
    pub grid: Grid,
    /// Whether each voxel lies in its region.
    pub inside: Vec<bool>,
    center: [f64; 3],
}

/// An ellipsoid with two ventricles that fills nine tenths of the grid along each axis.
///
/// # Errors
/// For a grid that cannot be.
pub fn ellipsoids(name: &'static str, shape: [usize; 3], spacing: [f64; 3]) -> Result<Head, SimulationError> {
    let grid = Grid::new(shape, spacing)?;
    let extent = [0, 1, 2].map(|axis| shape[axis] as f64 * spacing[axis]);
    let within = |at: [f64; 3], center: [f64; 3], axes: [f64; 3]| {
        (0..3).map(|axis| ((at[axis] - center[axis] * extent[axis]) / (axes[axis] * extent[axis])).powi(2)).sum::<f64>() < 1.0
    };
    let inside = (0..grid.voxels()).map(|index| {
        let voxel = grid.voxel(index).unwrap_or_default();
        let at = [0, 1, 2].map(|axis| (voxel[axis] as f64 + 0.5) * spacing[axis]);
        let ventricle = |x: f64| within(at, [x, 0.5, 0.54], [0.05, 0.15, 0.08]);
        within(at, [0.5; 3], [0.45, 0.45, 0.45]) && !ventricle(0.4) && !ventricle(0.6)
    });
    Ok(Head { name, inside: inside.collect(), center: [0.68, 0.6, 0.5].map(|x: f64| x), grid })
}

impl Head {
    /// Cells at the start: half full within 12 mm of the tumor's center.
    #[must_use]
    pub fn initial(&self) -> Vec<f64> {
        let (shape, spacing) = (self.grid.shape(), self.grid.spacing_mm());
        let near = |index: usize| {
            let voxel = self.grid.voxel(index).unwrap_or_default();
            let offset = |axis: usize| (voxel[axis] as f64 - self.center[axis] * shape[axis] as f64) * spacing[axis];
            (0..3).map(|axis| offset(axis).powi(2)).sum::<f64>() < 144.0
        };
        (0..self.grid.voxels()).map(|index| if self.inside[index] && near(index) { 0.5 } else { 0.0 }).collect()
    }

    /// The region with these cells.
    ///
    /// # Errors
    /// Never, for a head of [`ellipsoids`].
    pub fn anatomy(&self) -> Result<Anatomy, SimulationError> {
        let cells = ScalarField::on(self.grid.clone(), Unit::dimensionless(), self.initial())?;
        Anatomy::new(Mask::new(self.grid.clone(), self.inside.clone())?, &cells)
    }
}

/// 30 fractions of 2 Gy on weekdays from day 14, 42 daily doses from day 14, and 5 in each of six months after; 72 more or less.
///
/// # Errors
/// For more days than a course can have.
pub fn chemoradiation(days: u32) -> Result<Scenario, SimulationError> {
    let drug = Agent::new("temozolomide")?;
    let mut treatments = Vec::new();
    let weekdays = (0..).map(|day| 14 + day).filter(|day| (day - 14) % 7 < 5).take(30);
    for day in weekdays {
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
        treatments.push(TimedTreatment::new(Time::from_days(f64::from(day))?, fraction));
    }
    let daily = (14..56).map(|day| (day, 0.5));
    let monthly = (0..7).flat_map(|month| (0..5).map(move |day| (84 + 28 * month + day, 1.0))).take(32);
    for (day, dose) in daily.chain(monthly) {
        treatments.push(TimedTreatment::new(
            Time::from_days(f64::from(day))?,
            Treatment::bolus(drug.clone(), Quantity::new(dose, "1")?)?,
        ));
    }
    let end = Time::from_days(f64::from(days))?;
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments.into_iter().filter(|given| given.time < end)).sampled([end]))
}
