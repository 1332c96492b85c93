//! Spatial twins on made-up heads: the design of Kostelich et al. 2011, and the time that one scan takes.

use std::sync::Arc;
use std::time::Instant;
use twin_calibrate::living::{FieldModel, FieldTwin, LocalFilter};
use twin_calibrate::{IndependentPrior, Marginal, Prior};
use twin_core::{Grid, Mask, Observable, Random, ScalarField, Time, Unit};
use twin_models::spatial::{Anatomy, LogisticGrowth, ReactionDiffusion, dice};
use twin_models::{Model, Scenario, SimulationError, run_with};

/// Days from one scan to the next.
const CYCLE: f64 = 60.0;
/// How many scans there are.
const CYCLES: u32 = 6;
/// The standard deviation of the error of a scan.
const ERROR: f64 = 0.05;
/// The cellularity that shows on FLAIR images (the default of the spatial models).
const VISIBLE: f64 = 0.16;

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A head: an ellipsoid in which cells spread five times as fast in the inner half (white matter) as in the outer.
#[derive(Debug, Clone)]
struct Head {
    grid: Grid,
    region: Mask,
    relative: ScalarField,
}

impl Head {
    fn new(shape: [usize; 3], spacing: f64) -> Result<Self, String> {
        let grid = Grid::new(shape, [spacing; 3]).map_err(words)?;
        let radius = |voxel: usize| {
            let at = grid.voxel(voxel).unwrap_or_default();
            (0..3).map(|axis| ((at[axis] as f64 + 0.5) / shape[axis] as f64 * 2.0 - 1.0).powi(2)).sum::<f64>().sqrt()
        };
        let region = Mask::new(grid.clone(), (0..grid.voxels()).map(|voxel| radius(voxel) < 0.98).collect()).map_err(words)?;
        let relative = (0..grid.voxels()).map(|voxel| if radius(voxel) < 0.6 { 1.0 } else { 0.2 }).collect();
        let relative = ScalarField::on(grid.clone(), Unit::dimensionless(), relative).map_err(words)?;
        Ok(Self { grid, region, relative })
    }

    /// A bell of cells around a place, given in mm from the middle.
    fn seed(&self, from_middle: [f64; 3], radius: f64, height: f64) -> Result<ScalarField, String> {
        let (shape, spacing) = (self.grid.shape(), self.grid.spacing_mm());
        let value = |voxel: usize| {
            let at = self.grid.voxel(voxel).unwrap_or_default();
            let off = |axis: usize| (at[axis] as f64 + 0.5 - 0.5 * shape[axis] as f64) * spacing[axis] - from_middle[axis];
            let square = (0..3).map(|axis| off(axis).powi(2)).sum::<f64>() / (radius * radius);
            if self.region.contains(voxel) && square < 16.0 { height * (-0.5 * square).exp() } else { 0.0 }
        };
        ScalarField::on(self.grid.clone(), Unit::dimensionless(), (0..self.grid.voxels()).map(value).collect()).map_err(words)
    }

    fn model(&self, field: &ScalarField) -> Result<ReactionDiffusion<LogisticGrowth, f32>, SimulationError> {
        let anatomy = Anatomy::new(self.region.clone(), field)?.with_relative_diffusivity(&self.relative)?;
        Ok(ReactionDiffusion::<LogisticGrowth>::new(anatomy).in_single_precision())
    }

    /// The field after `days` under the given parameters.
    fn grown(&self, field: &ScalarField, parameters: &[(&str, f64)], days: f64) -> Result<ScalarField, String> {
        let model = self.model(field).map_err(words)?;
        let mut values = model.spec().defaults().map_err(words)?;
        for (name, value) in parameters {
            values = values.with(name, *value).map_err(words)?;
        }
        let mut course = model.start(&values, Time::ORIGIN, &mut Random::new(0)).map_err(words)?;
        let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(days).map_err(words)?]);
        let mut seen = None;
        run_with(course.as_mut(), &scenario, |_, course| {
            seen = course.fields().and_then(|fields| fields.observe_field(&Observable::CELLULARITY));
        })
        .map_err(words)?;
        seen.ok_or_else(|| "no cellularity".to_owned())
    }

    fn begin(&self, members: usize, random: &mut Random) -> Result<FieldTwin, String> {
        let head = self.clone();
        let make = move |field: &ScalarField| head.model(field).map(|model| Box::new(model) as Box<dyn Model>);
        let model: Arc<dyn FieldModel> = Arc::new(make);
        let log_normal = |median, sd| Marginal::LogNormal { median, sd };
        let prior = IndependentPrior::new([("growth_rate", log_normal(0.02, 0.25)), ("diffusivity", log_normal(0.12, 0.25))]);
        let prior: Arc<dyn Prior> = Arc::new(prior.map_err(words)?);
        let fields = (0..members).map(|_| {
            let mut off = || 2.0 * random.normal();
            let place = [off(), off(), off()];
            self.seed(place, 4.5 * (0.15 * random.normal()).exp(), 0.6 + 0.3 * random.uniform())
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        FieldTwin::new(model, prior, Observable::CELLULARITY, fields, (Time::ORIGIN, 1e-3), random).map_err(words)
    }
}

fn overlap(head: &Head, ours: &[f64], truth: &ScalarField) -> Result<f64, String> {
    let ours = ScalarField::on(head.grid.clone(), Unit::dimensionless(), ours.to_vec()).map_err(words)?;
    dice(&Mask::above(&ours, VISIBLE), &Mask::above(truth, VISIBLE)).map_err(words)
}

/// How well a twin shadowed a tumor.
#[derive(Debug, Clone)]
pub struct Shadowing {
    /// The overlap (Dice) of what is visible of the mean with that of the truth after each scan.
    pub analyses: Vec<f64>,
    /// The same of the forecasts just before.
    pub forecasts: Vec<f64>,
    /// The same of members that never learn from a scan.
    pub free: Vec<f64>,
    /// By scan the root mean square error of the mean, over all voxels with a cell in the truth.
    pub errors: Vec<f64>,
    /// By scan that of the members that never learn.
    pub free_errors: Vec<f64>,
}

/// Six cycles of 60 days as in Kostelich et al. 2011: a synthetic tumor whose growth is 30 % faster, whose diffusivity is 25 % lower and whose densest packing is 15 %
/// less than the members believe on average, seen with noise. Head, laws and numbers are ours.
///
/// # Errors
/// In words.
pub fn shadow(members: usize) -> Result<Shadowing, String> {
    let head = Head::new([40, 40, 32], 2.5)?;
    let mut random = Random::new(2011);
    let mut twin = head.begin(members, &mut random)?;
    let mut free = twin.clone();
    let mut truth = head.seed([1.5, -2.0, 1.0], 5.0, 0.7)?;
    let parameters = [("growth_rate", 0.026), ("diffusivity", 0.09), ("carrying_capacity", 0.85)];
    let filter = LocalFilter { radius_mm: 15.0, anchors_mm: 10.0, weight: 0.3, ..LocalFilter::default() };
    let mut found =
        Shadowing { analyses: Vec::new(), forecasts: Vec::new(), free: Vec::new(), errors: Vec::new(), free_errors: Vec::new() };
    for cycle in 1..=CYCLES {
        truth = head.grown(&truth, &parameters, CYCLE)?;
        let noisy = truth.values().iter().map(|value| value + ERROR * random.normal()).collect();
        let scan = ScalarField::on(head.grid.clone(), Unit::dimensionless(), noisy).map_err(words)?;
        let at = Time::from_days(CYCLE * f64::from(cycle)).map_err(words)?;
        let forecast = twin.forecast(at, &[]).map_err(words)?;
        found.forecasts.push(overlap(&head, &forecast.mean(), &truth)?);
        // The forecast stands at the scan already, so the update begins with it.
        twin = forecast.update(at, &scan, ERROR, &[], &filter).map_err(words)?;
        free = free.forecast(at, &[]).map_err(words)?;
        let error = |mean: &[f64]| {
            let pairs = mean.iter().zip(truth.values()).filter(|(_, truth)| **truth > 1e-3);
            let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (a, b)| (sum + (a - b) * (a - b), count + 1.0));
            (sum / count as f64).sqrt()
        };
        found.analyses.push(overlap(&head, &twin.mean(), &truth)?);
        found.free.push(overlap(&head, &free.mean(), &truth)?);
        found.errors.push(error(&twin.mean()));
        found.free_errors.push(error(&free.mean()));
    }
    Ok(found)
}

/// The seconds that one new scan, a month after the last, takes a twin of `members` tumors of 3 cm at 1 mm, and how many voxels were learned from.
///
/// # Errors
/// In words.
pub fn scan_seconds(members: usize) -> Result<(f64, usize), String> {
    let head = Head::new([80, 80, 72], 1.0)?;
    let mut random = Random::new(3);
    let twin = head.begin(members, &mut random)?.forecast(Time::from_days(90.0).map_err(words)?, &[]).map_err(words)?;
    let parameters = [("growth_rate", 0.024), ("diffusivity", 0.1)];
    let truth = head.grown(&head.seed([1.5, -2.0, 1.0], 5.0, 0.7)?, &parameters, 120.0)?;
    let noisy = truth.values().iter().map(|value| value + ERROR * random.normal()).collect();
    let scan = ScalarField::on(head.grid.clone(), Unit::dimensionless(), noisy).map_err(words)?;
    let start = Instant::now();
    let next = twin.update(Time::from_days(120.0).map_err(words)?, &scan, ERROR, &[], &LocalFilter::default()).map_err(words)?;
    let seconds = start.elapsed().as_secs_f64();
    let version = next.versions().last().ok_or("no version")?;
    if version.explained_within >= version.foreseen_within {
        return Err(format!("the scan taught nothing: {version:?}"));
    }
    Ok((seconds, version.voxels))
}
