//! The cases of `reference/tumortwin`, for the plain reference and for ours.

use crate::npz;
use crate::tumortwin::{Case, Doses};
use std::path::Path;
use twin_core::{AbsorbedDose, Agent, Grid, Mask, Quantity, ScalarField, Span, Target, Time, TimedTreatment, Treatment, Unit};
use twin_models::spatial::{Anatomy, Drug, LogisticGrowth, ReactionDiffusion, Settings};
use twin_models::{Model, Scenario, SimulationError, run_with};

/// The inputs, read once.
#[derive(Debug)]
pub struct Inputs {
    untreated: Case,
    heterogeneous: Vec<f64>,
    fractions: Vec<f64>,
    fast: Doses,
    slow: Doses,
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().map(|values| values.iter().filter_map(serde_json::Value::as_f64).collect()).unwrap_or_default()
}

impl Inputs {
    /// Reads the inputs in the folder of the reference.
    ///
    /// # Errors
    /// In words, if they are not what is expected.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let arrays = npz::read(&folder.join("inputs.npz"))?;
        let text = std::fs::read_to_string(folder.join("inputs.json")).map_err(|error| error.to_string())?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let array = |name: &str| arrays.get(name).map(npz::Array::first_axis_fastest).ok_or(format!("no array {name}"));
        let drug = |name: &str, sensitivity: f64| {
            let (days, doses) = (numbers(&json[name]["days"]), numbers(&json[name]["doses"]));
            let largest = doses.iter().copied().fold(0.0, f64::max);
            let decay = json[name]["decay_per_day"].as_f64().unwrap_or(f64::NAN);
            Doses { days, doses: doses.iter().map(|dose| dose / largest).collect(), decay, sensitivity }
        };
        let mask: Vec<bool> = array("mask")?.iter().map(|inside| *inside > 0.0).collect();
        if mask.iter().filter(|inside| **inside).count() != 24_364 {
            return Err("the mask is not the one described".to_owned());
        }
        let (diffusivity, initial) = (vec![0.1; mask.len()], array("initial_cellularity")?);
        let untreated = Case {
            shape: [48, 48, 32],
            spacing: [2.0, 2.0, 3.0],
            mask,
            initial,
            diffusivity,
            growth: 0.05,
            capacity: 1.0,
            survival: (-(0.05 * 2.0 + 0.005 * 4.0_f64)).exp(),
            fractions: Vec::new(),
            drugs: Vec::new(),
        };
        let heterogeneous = array("diffusivity_hetero_mm2_per_day")?;
        Ok(Self {
            untreated,
            heterogeneous,
            fractions: numbers(&json["rt_days"]),
            fast: drug("fast_drug", 0.5),
            slow: drug("slow_drug", 0.2),
        })
    }

    /// The case by its letters.
    #[must_use]
    pub fn case(&self, name: &str) -> Case {
        let mut case = self.untreated.clone();
        match name {
            "B" => case.fractions.clone_from(&self.fractions),
            "C1" => case.drugs = vec![self.fast.clone()],
            "C2" => case.drugs = vec![self.slow.clone()],
            "D" => {
                case.fractions.clone_from(&self.fractions);
                case.drugs = vec![self.fast.clone()];
            }
            "E" => case.diffusivity.clone_from(&self.heterogeneous),
            "F" => {
                case.growth = 0.0;
                case.diffusivity = vec![0.2; case.mask.len()];
            }
            _ => {}
        }
        case
    }
}

/// The same case in a head so large that the tumor never reaches its border: a box around the tumor of the reference.
#[must_use]
pub fn far_from_walls(case: &Case) -> Case {
    let shape = [72, 72, 48];
    let (voxels, center) = (shape.iter().product(), [71.0, 71.0, 70.5]);
    let distance = |index: usize| {
        let at = [index % 72, index / 72 % 72, index / (72 * 72)];
        at.iter()
            .zip(case.spacing)
            .zip(center)
            .map(|((i, h), c): ((&usize, f64), f64)| (*i as f64 * h - c).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    Case {
        shape,
        mask: vec![true; voxels],
        initial: (0..voxels).map(|index| if distance(index) <= 12.0 { 0.5 } else { 0.0 }).collect(),
        diffusivity: vec![case.diffusivity[0]; voxels],
        ..case.clone()
    }
}

/// Our fields of `case` on the `outputs` days, by steps of at most `step` days.
///
/// # Errors
/// Whatever ours refuses, or runs into.
pub fn ours(case: &Case, step: f64, outputs: &[f64]) -> Result<Vec<Vec<f64>>, SimulationError> {
    let grid = Grid::new(case.shape, case.spacing)?;
    let initial = ScalarField::on(grid.clone(), Unit::dimensionless(), case.initial.clone())?;
    let largest = case.diffusivity.iter().copied().fold(0.0, f64::max);
    let relative = case.diffusivity.iter().map(|d| d / largest).collect();
    let anatomy = Anatomy::new(Mask::new(grid.clone(), case.mask.clone())?, &initial)?
        .with_relative_diffusivity(&ScalarField::on(grid, Unit::dimensionless(), relative)?)?;
    let mut model = ReactionDiffusion::<LogisticGrowth>::new(anatomy)
        .with_settings(Settings { longest_step: Span::from_days(step)?, ..Settings::default() });
    let mut treatments = Vec::new();
    for &day in &case.fractions {
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
        treatments.push(TimedTreatment::new(Time::from_days(day)?, fraction));
    }
    let mut values = vec![
        ("diffusivity".to_owned(), largest),
        ("growth_rate".to_owned(), case.growth),
        ("carrying_capacity".to_owned(), case.capacity),
    ];
    for (number, drug) in case.drugs.iter().enumerate() {
        let agent = Agent::new(&format!("drug_{number}"))?;
        model = model.with_drug(Drug::bolus(agent.clone(), "1"));
        values.push((format!("kill_rate_drug_{number}"), drug.sensitivity));
        values.push((format!("elimination_rate_drug_{number}"), drug.decay));
        for (&day, &dose) in drug.days.iter().zip(&drug.doses) {
            treatments
                .push(TimedTreatment::new(Time::from_days(day)?, Treatment::bolus(agent.clone(), Quantity::new(dose, "1")?)?));
        }
    }
    let parameters = values.into_iter().try_fold(model.spec().defaults()?, |all, (name, value)| all.with(&name, value))?;
    let sampling = outputs.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled(sampling);
    let mut course = model.start_static(&parameters, Time::ORIGIN)?;
    let mut fields = Vec::new();
    run_with(&mut course, &scenario, |_, course| {
        let field = course.fields().and_then(|fields| fields.observe_field(&twin_core::Observable::CELLULARITY));
        fields.extend(field.map(|field| field.values().to_vec()));
    })?;
    Ok(fields)
}

/// The column `name` of a table of the reference.
///
/// # Errors
/// In words, if the file or the column is not there.
pub fn column(path: &Path, name: &str) -> Result<Vec<f64>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut lines = text.lines();
    let place =
        lines.next().and_then(|header| header.split(',').position(|column| column == name)).ok_or(format!("no column {name}"))?;
    lines.map(|line| line.split(',').nth(place).and_then(|v| v.parse().ok()).ok_or(format!("a line without {name}"))).collect()
}
