//! Real tumors at two dates: what the engine forecasts from the first, beside the forecast that nothing changes.

use crate::data;
use twin_core::{Grid, Mask, ScalarField, Span, Time, Unit};
use twin_io::{Limits, nifti::Image};
use twin_models::spatial::{Anatomy, LogisticGrowth, ReactionDiffusion, Settings, dice, surface_distance_95};
use twin_models::{Model, Simulation};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The patients of the collection.
pub const PATIENTS: [&str; 4] = ["01", "02", "03", "04"];
/// The days that are tried, in units of the default growth: the real time between the scans is not told.
const DAYS: [f64; 9] = [0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0];
/// Cellularity in the first mask, and that above which tissue counts as tumor.
const START: f64 = 0.6;
const SEEN: f64 = 0.3;

/// How well a forecast agrees with the second mask.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Agreement {
    /// Overlap.
    pub dice: f64,
    /// HD95 in voxels of the plane: the copy of the collection has no millimeters.
    pub hd95: f64,
}

/// A patient's forecast, its days chosen by the other patients.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The patient.
    pub patient: &'static str,
    /// The days after which the other three agreed best.
    pub days: f64,
    /// Of the forecast.
    pub ours: Agreement,
    /// Of the first mask itself.
    pub persistence: Agreement,
}

fn mask(path: &std::path::Path) -> Result<(Vec<usize>, Vec<bool>), Failure> {
    let image = Image::read(path, &Limits::default())?;
    Ok((image.shape().to_vec(), image.values()?.into_iter().map(|value| value > 0.5).collect()))
}

/// The agreement after each of [`DAYS`].
fn courses(folder: &std::path::Path, patient: &str) -> Result<Vec<Agreement>, Failure> {
    let (shape, first) = mask(&folder.join(patient).join("Pre_Mask.nii.gz"))?;
    let (_, second) = mask(&folder.join(patient).join("Post_Mask.nii.gz"))?;
    let &[nx, ny, nz, ..] = shape.as_slice() else { return Err("a mask has fewer than three axes".into()) };
    let grid = Grid::new([nx, ny, nz], [1.0; 3])?;
    let (first, second) = (Mask::new(grid.clone(), first)?, Mask::new(grid.clone(), second)?);
    let either = Mask::new(grid, first.inside().iter().zip(second.inside()).map(|(a, b)| *a || *b).collect())?;
    let (from, size) = either.bounds(12).ok_or("a mask is empty")?;
    let (first, second) = (first.cropped(from, size)?, second.cropped(from, size)?);
    let cells = first.inside().iter().map(|inside| if *inside { START } else { 0.0 }).collect();
    let anatomy =
        Anatomy::new(Mask::whole(first.grid().clone()), &ScalarField::on(first.grid().clone(), Unit::dimensionless(), cells)?)?;
    let settings = Settings { longest_step: Span::from_days(1.0)?, ..Settings::default() };
    let model = ReactionDiffusion::<LogisticGrowth>::new(anatomy).with_settings(settings);
    let mut course = model.start_static(&model.spec().defaults()?, Time::ORIGIN)?;
    let mut found = Vec::new();
    for days in DAYS {
        course.advance(Time::from_days(days)?)?;
        let field = ScalarField::on(first.grid().clone(), Unit::dimensionless(), course.cellularity())?;
        let forecast = Mask::above(&field, SEEN);
        found.push(Agreement { dice: dice(&forecast, &second)?, hd95: surface_distance_95(&forecast, &second)? });
    }
    Ok(found)
}

/// The forecasts of all patients; `None` if the collection is absent.
///
/// # Errors
/// For files that cannot be read, and whatever the engine runs into.
pub fn forecasts() -> Result<Option<Vec<Forecast>>, Failure> {
    let Some(folder) = data("forecasts of real masks", "data/glioblastoma_masks") else { return Ok(None) };
    let all = PATIENTS.iter().map(|patient| courses(&folder, patient)).collect::<Result<Vec<_>, _>>()?;
    let forecast = |(number, patient): (usize, &&'static str)| {
        let of_others = |day: usize| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != number);
            others.filter_map(|(_, of)| of.get(day)).map(|agreement| agreement.dice).sum::<f64>()
        };
        let best = (0..DAYS.len()).max_by(|a, b| of_others(*a).total_cmp(&of_others(*b))).unwrap_or(0);
        let at = |day: usize| all.get(number).and_then(|of| of.get(day)).copied().unwrap_or_default();
        Forecast { patient, days: DAYS[best], ours: at(best), persistence: at(0) }
    };
    Ok(Some(PATIENTS.iter().enumerate().map(forecast).collect()))
}

/// The mean over all patients of what `of` a forecast says.
#[must_use]
pub fn mean(forecasts: &[Forecast], of: impl Fn(&Forecast) -> f64) -> f64 {
    forecasts.iter().map(of).sum::<f64>() / forecasts.len().max(1) as f64
}
