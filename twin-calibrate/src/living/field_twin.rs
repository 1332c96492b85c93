//! The living twin of a spatial model: an ensemble of tumors that follows one scan after the other.

use super::LocalFilter;
use super::local_filter::Scene;
use crate::{CalibrationError, Prior};
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::sync::Arc;
use twin_core::{Grid, Observable, Random, ScalarField, Time, TimedTreatment};
use twin_models::{Model, Scenario, SimulationError, run_with};

const METHOD: &str = "field twin";

/// Makes the model of a patient whose field is known, the same patient each time; a closure will do.
pub trait FieldModel: Send + Sync {
    /// The model that begins with `field`.
    ///
    /// # Errors
    /// What is wrong with the field.
    fn begin(&self, field: &ScalarField) -> Result<Box<dyn Model>, SimulationError>;
}

impl<F: Fn(&ScalarField) -> Result<Box<dyn Model>, SimulationError> + Send + Sync> FieldModel for F {
    fn begin(&self, field: &ScalarField) -> Result<Box<dyn Model>, SimulationError> {
        self(field)
    }
}

/// One possible state of the patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The field, a share between 0 and 1 in every voxel.
    pub field: ScalarField,
    /// The parameters that the prior names, on the real line.
    pub point: Vec<f64>,
}

/// What one scan changed.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldVersion {
    /// When the scan was made.
    pub time: Time,
    /// The root mean square distance of the scan from the mean forecast, over the voxels that were learned from.
    pub foreseen_within: f64,
    /// The same from the mean of the new members.
    pub explained_within: f64,
    /// How many voxels were learned from.
    pub voxels: usize,
    /// By how many former standard deviations the mean of each parameter moved.
    pub shifts: Vec<f64>,
}

/// A spatial twin. A value: a forecast or an update hands back the next.
///
/// Each member is a field with parameters of its own. Between scans the members live on under the model; a scan recombines them by a [`LocalFilter`],
/// fields on the logit, so that every share stays between 0 and 1, and parameters on the real line of the prior. Where a member has no cell (a share
/// of 0) it stays without.
///
/// At each scan the members begin anew: what a treatment leaves behind but for its effect on the field (an amount of drug in the body) is lost then.
#[derive(Clone)]
pub struct FieldTwin {
    model: Arc<dyn FieldModel>,
    prior: Arc<dyn Prior>,
    observable: Observable,
    grid: Grid,
    members: Vec<Member>,
    now: Time,
    versions: Vec<FieldVersion>,
    /// A share below this in every member and in the scan is left alone.
    floor: f64,
}

impl std::fmt::Debug for FieldTwin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldTwin").field("now", &self.now).field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl FieldTwin {
    /// A twin whose members have the given `fields` at `now` and parameters drawn from `prior`, which names those of the model that are uncertain.
    ///
    /// `floor` is the least share that matters: voxels that lie below it in all members and in a scan are left alone.
    ///
    /// # Errors
    /// [`CalibrationError::Length`] for fewer than ten fields; [`CalibrationError::Setting`] for a floor that is no small share, or a field with a
    /// value that is no share; [`CalibrationError::Simulation`] for fields on different grids, or a model that cannot begin with one.
    pub fn new(
        model: Arc<dyn FieldModel>,
        prior: Arc<dyn Prior>,
        observable: Observable,
        fields: Vec<ScalarField>,
        (now, floor): (Time, f64),
        random: &mut Random,
    ) -> Result<Self, CalibrationError> {
        let setting = |setting, value, valid| CalibrationError::Setting { method: METHOD, setting, value, valid };
        let Some(first) = fields.first().filter(|_| fields.len() >= 10) else {
            return Err(CalibrationError::Length {
                method: METHOD,
                what: "the number of fields",
                expected: 10,
                actual: fields.len(),
            });
        };
        if !(floor > 0.0 && floor < 0.5) {
            return Err(setting("floor", floor, "above 0 and below 0.5"));
        }
        let grid = first.grid().clone();
        for field in &fields {
            same_grid(&grid, field)?;
            if let Some(value) = field.values().iter().find(|value| !(0.0..=1.0).contains(*value)) {
                return Err(setting("value of a field", *value, "0 to 1"));
            }
        }
        let mut member = |field| {
            let theta = prior.sample(random);
            let point = prior.transforms().iter().zip(theta).map(|(transform, x)| transform.to_real(x)).collect();
            Member { field, point }
        };
        let members = fields.into_iter().map(&mut member).collect();
        Ok(Self { model, prior, observable, grid, members, now, versions: Vec::new(), floor })
    }

    /// The same twin at `to`, after `treatments`; those before now, or at `to` itself, are not given: at equal times a scan comes first.
    ///
    /// # Errors
    /// [`CalibrationError::Simulation`] if a member cannot go on.
    pub fn forecast(&self, to: Time, treatments: &[TimedTreatment]) -> Result<Self, CalibrationError> {
        if to == self.now {
            return Ok(self.clone());
        }
        let due: Vec<TimedTreatment> = treatments.iter().filter(|t| t.time >= self.now && t.time < to).cloned().collect();
        let scenario = Scenario::starting(self.now).treated(due).sampled([to]);
        let moved: Vec<Result<Member, CalibrationError>> =
            self.members.par_iter().map(|member| self.live(member, &scenario)).collect();
        let members = moved.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self { members, now: to, ..self.clone_without_members() })
    }

    fn clone_without_members(&self) -> Self {
        Self {
            model: Arc::clone(&self.model),
            prior: Arc::clone(&self.prior),
            observable: self.observable.clone(),
            grid: self.grid.clone(),
            members: Vec::new(),
            now: self.now,
            versions: self.versions.clone(),
            floor: self.floor,
        }
    }

    fn live(&self, member: &Member, scenario: &Scenario) -> Result<Member, CalibrationError> {
        let model = self.model.begin(&member.field)?;
        let mut parameters = model.spec().defaults()?;
        for ((name, transform), z) in self.prior.names().iter().zip(self.prior.transforms()).zip(&member.point) {
            parameters = parameters.with(name, transform.from_real(*z))?;
        }
        let mut course = model.start(&parameters, scenario.start, &mut Random::new(0))?;
        let mut seen = None;
        run_with(course.as_mut(), scenario, |_, course| {
            seen = course.fields().and_then(|fields| fields.observe_field(&self.observable));
        })?;
        let field = seen.ok_or_else(|| SimulationError::UnknownObservable {
            model: model.spec().id.clone(),
            observable: format!("{} as a field", self.observable),
            known: model.spec().observables.iter().map(|known| known.observable.to_string()).collect(),
        })?;
        same_grid(&self.grid, &field)?;
        Ok(Member { field, point: member.point.clone() })
    }

    /// The next version: the members live on to `at` under `treatments`, then learn from `scan`, whose error has the standard deviation `error`.
    ///
    /// # Errors
    /// As [`FieldTwin::forecast`]; [`CalibrationError::Setting`] for an error that is not above 0 or a setting of the filter that makes no sense;
    /// [`CalibrationError::Simulation`] for a scan on another grid.
    pub fn update(
        &self,
        at: Time,
        scan: &ScalarField,
        error: f64,
        treatments: &[TimedTreatment],
        filter: &LocalFilter,
    ) -> Result<Self, CalibrationError> {
        filter.check()?;
        same_grid(&self.grid, scan)?;
        if !(error > 0.0 && error.is_finite()) {
            let (setting, valid) = ("the standard deviation of the error", "above 0 and finite");
            return Err(CalibrationError::Setting { method: METHOD, setting, value: error, valid });
        }
        let mut next = self.forecast(at, treatments)?;
        let version = next.learn(scan, error, filter)?;
        next.versions.push(FieldVersion { time: at, ..version });
        Ok(next)
    }

    fn learn(&mut self, scan: &ScalarField, error: f64, filter: &LocalFilter) -> Result<FieldVersion, CalibrationError> {
        let matters = |voxel: &usize| {
            let above = |field: &ScalarField| field.values().get(*voxel).is_some_and(|value| *value > self.floor);
            // A reading far from the tumor is no news where no member has a cell.
            self.members.iter().any(|member| above(&member.field))
        };
        let voxels: Vec<usize> = (0..self.grid.voxels()).into_par_iter().filter(matters).collect();
        let (n, rows) = (self.members.len(), voxels.len());
        let at = |field: &ScalarField, voxel: usize| field.values().get(voxel).copied().unwrap_or(0.0);
        let predicted = DMatrix::from_fn(rows, n, |i, k| at(&self.members[k].field, voxels[i]));
        let seen: Vec<Option<f64>> = voxels.iter().map(|&voxel| Some(at(scan, voxel))).collect();
        // The floor stands for all that is less; only its change is used.
        let logit = |share: f64| {
            let share = share.clamp(1e-3 * self.floor, 1.0 - 1e-9);
            (share / (1.0 - share)).ln()
        };
        let former = predicted.map(logit);
        let (mut states, dimension) = (former.clone(), self.prior.dimension());
        let mut globals = DMatrix::from_fn(dimension, n, |i, k| self.members[k].point.get(i).copied().unwrap_or(f64::NAN));
        let before = globals.clone();
        let scene = Scene { grid: &self.grid, voxels: &voxels, seen: &seen, error, predicted: &predicted };
        filter.assimilate(&scene, &mut states, &mut globals);
        let foreseen_within = distance(&predicted, &seen);
        let mut now = predicted;
        for k in 0..n {
            let mut values = self.members[k].field.values().to_vec();
            for (i, &voxel) in voxels.iter().enumerate() {
                let Some(share) = values.get_mut(voxel) else { continue };
                // On the logit a share between 0 and 1 stays there, and 0 and 1 stay what they are.
                let odds = (states[(i, k)] - former[(i, k)]).exp();
                *share = *share * odds / (1.0 - *share + *share * odds);
                now[(i, k)] = *share;
            }
            self.members[k].field =
                ScalarField::on(self.grid.clone(), scan.unit().clone(), values).map_err(SimulationError::from)?;
            self.members[k].point = globals.column(k).iter().copied().collect();
        }
        let shift = |j: usize| {
            let (old, new) = (before.row(j), globals.row(j));
            (new.mean() - old.mean()) / old.variance().sqrt()
        };
        let shifts = (0..dimension).map(shift).collect();
        let explained_within = distance(&now, &seen);
        Ok(FieldVersion { time: self.now, foreseen_within, explained_within, voxels: rows, shifts })
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where the twin stands.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// What each scan changed, in order.
    #[must_use]
    pub fn versions(&self) -> &[FieldVersion] {
        &self.versions
    }

    /// The mean of the members, voxel by voxel of the grid.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.grid.voxels()];
        for member in &self.members {
            mean.iter_mut().zip(member.field.values()).for_each(|(sum, value)| *sum += value / self.members.len() as f64);
        }
        mean
    }

    /// The values of one parameter, member by member, in its own unit; `None` if the prior does not name it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.prior.names().iter().position(|known| known == name)?;
        let transform = *self.prior.transforms().get(place)?;
        self.members.iter().map(|member| member.point.get(place).map(|z| transform.from_real(*z))).collect()
    }
}

/// The root mean square distance of what was seen from the mean of the members.
fn distance(members: &DMatrix<f64>, seen: &[Option<f64>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (row, seen) in members.row_iter().zip(seen) {
        if let Some(seen) = seen {
            sum += (row.mean() - seen).powi(2);
            count += 1.0;
        }
    }
    (sum / count).sqrt()
}

fn same_grid(grid: &Grid, field: &ScalarField) -> Result<(), CalibrationError> {
    if field.grid() == grid {
        return Ok(());
    }
    Err(SimulationError::UnknownObservable {
        model: METHOD.to_owned(),
        observable: format!("a field on a grid of {:?} voxels of {:?} mm", field.shape(), field.spacing_mm()),
        known: vec![format!("the grid of the twin: {:?} voxels of {:?} mm", grid.shape(), grid.spacing_mm())],
    }
    .into())
}
