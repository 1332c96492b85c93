//! Calibration to noisy maps of the cellularity: made at a finer step, fitted at the usual one, and the later visits predicted.

use crate::head::{chemoradiation, ellipsoids};
use rayon::prelude::*;
use twin_calibrate::optimize::{Differences, LevenbergMarquardt};
use twin_calibrate::{CalibrationError, Calibrator, IndependentPrior, LeastSquares, Marginal, NormalError, PopulationPrior};
use twin_calibrate::{Problem, Target, Transform};
use twin_core::{Agent, Event, Finding, Observable, Observation, Patient, Provenance, Random, ScalarField, Span, SubjectId};
use twin_core::{CoreError, Mask, Time, Treatment, Unit};
use twin_models::spatial::{Anatomy, Drug, LogisticGrowth, ReactionDiffusion, Settings};
use twin_models::{Model, Parameters, Scenario, SimulationError, run_with};

/// The days of the five visits that are fitted.
pub const FITTED: [f64; 5] = [13.0, 34.0, 56.0, 84.0, 112.0];
/// The days of the visits that are predicted.
pub const PREDICTED: [f64; 3] = [140.0, 168.0, 196.0];
/// The inferred parameters, with their true values and the medians and widths of the prior.
pub const INFERRED: [(&str, f64, f64, f64); 4] = [
    ("diffusivity", 0.12, 0.08, 0.7),
    ("growth_rate", 0.045, 0.03, 0.5),
    ("radiosensitivity", 0.02, 0.03, 0.5),
    ("kill_rate_temozolomide", 0.6, 0.4, 0.5),
];
/// The standard deviation of the noise in a voxel.
pub const NOISE: f64 = 0.05;

type Engine<T = f64> = ReactionDiffusion<LogisticGrowth, T>;

/// How many voxels become one along the first and second axis for a first look.
const COARSER: usize = 2;

/// The head of 77 x 116 x 36 voxels with its course, and the true fields at every visit.
#[derive(Debug)]
pub struct Study {
    model: Engine,
    /// The same head in voxels of 3 mm and single precision, for where to start from.
    coarse: Engine<f32>,
    scenario: Scenario,
    fitted: Vec<Vec<f64>>,
    predicted: Vec<Vec<f64>>,
    prior: IndependentPrior,
    error: NormalError,
}

/// How one calibration came out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// (estimate − truth) ÷ standard error of each parameter, on the real line.
    pub scores: Vec<f64>,
    /// The standard errors on the real line: of the logarithm.
    pub errors: Vec<f64>,
    /// The covariance on the real line, row by row.
    pub covariance: Vec<f64>,
    /// The estimates.
    pub estimates: Vec<f64>,
    /// Whether the posterior calls itself sound.
    pub sound: bool,
    /// Evaluations of the model.
    pub evaluations: usize,
}

fn model(anatomy: Anatomy, step: f64) -> Result<Engine, SimulationError> {
    let settings = Settings { longest_step: Span::from_days(step)?, ..Settings::default() };
    Ok(Engine::new(anatomy).with_drug(Drug::bolus(Agent::new("temozolomide")?, "1")).with_settings(settings))
}

fn parameters(model: &Engine, values: &[f64]) -> Result<Parameters, SimulationError> {
    let known = model.spec().defaults()?.with("elimination_rate_temozolomide", 9.242)?;
    INFERRED.iter().zip(values).try_fold(known, |all, ((name, ..), value)| all.with(name, *value))
}

fn times(days: &[f64]) -> Result<Vec<Time>, CoreError> {
    days.iter().map(|day| Time::from_days(*day)).collect()
}

fn fields(model: &Engine, parameters: &Parameters, scenario: &Scenario) -> Result<Vec<Vec<f64>>, SimulationError> {
    let mut course = model.start_static(parameters, Time::ORIGIN)?;
    let mut seen = Vec::new();
    run_with(&mut course, scenario, |_, course| {
        let field = course.fields().and_then(|fields| fields.observe_field(&Observable::CELLULARITY));
        seen.push(field.map(|field| field.values().to_vec()).unwrap_or_default());
    })?;
    Ok(seen)
}

impl Study {
    /// The study, with the true course at steps of `finer` days.
    ///
    /// # Errors
    /// Whatever the engine refuses, or runs into.
    pub fn new(finer: f64) -> Result<Self, CalibrationError> {
        let head = ellipsoids("head of 77 x 116 x 36 at 1.5 x 1.5 x 3 mm", [77, 116, 36], [1.5, 1.5, 3.0])?;
        let truth = model(head.anatomy()?, finer)?;
        let visits = times(&FITTED).and_then(|mut all| {
            all.extend(times(&PREDICTED)?);
            Ok(all)
        });
        let scenario = chemoradiation(200)?;
        let seen = fields(
            &truth,
            &parameters(&truth, &INFERRED.map(|(_, value, ..)| value))?,
            &scenario.clone().sampled(visits.map_err(SimulationError::from)?),
        )?;
        let (fitted, predicted) = seen.split_at(FITTED.len().min(seen.len()));
        let prior = IndependentPrior::new(INFERRED.map(|(name, _, median, sd)| (name, Marginal::LogNormal { median, sd })))?;
        let larger = ellipsoids("head of 38 x 58 x 36 at 3 mm", [77 / COARSER, 116 / COARSER, 36], [3.0; 3])?;
        Ok(Self {
            model: model(head.anatomy()?, 1.0)?,
            coarse: model(larger.anatomy()?, 1.0)?.in_single_precision(),
            scenario,
            fitted: fitted.to_vec(),
            predicted: predicted.to_vec(),
            prior,
            error: NormalError::new(NOISE, 0.0),
        })
    }

    fn region(&self) -> &Mask {
        self.model.anatomy().region()
    }

    /// The true fields with noise in every voxel of the region.
    fn noisy(&self, truth: &[f64], random: &mut Random) -> Result<ScalarField, CoreError> {
        let inside = self.region().inside();
        let values = truth.iter().zip(inside).map(|(c, inside)| if *inside { c + NOISE * random.normal() } else { 0.0 });
        ScalarField::on(self.region().grid().clone(), Unit::dimensionless(), values.collect())
    }

    /// What is seen of a field in larger voxels: the mean.
    fn coarsened(&self, field: &ScalarField) -> Result<ScalarField, CoreError> {
        let (grid, region) = (self.coarse.anatomy().grid(), self.coarse.anatomy().region());
        let mean = |index: usize| {
            let [i, j, k] = grid.voxel(index).unwrap_or_default();
            let parts = (0..COARSER * COARSER).map(|part| [COARSER * i + part % COARSER, COARSER * j + part / COARSER, k]);
            let values = parts.filter_map(|at| field.grid().index(at).and_then(|index| field.values().get(index)));
            if region.contains(index) { values.sum::<f64>() / (COARSER * COARSER) as f64 } else { 0.0 }
        };
        ScalarField::on(grid.clone(), Unit::dimensionless(), (0..grid.voxels()).map(mean).collect())
    }

    /// The peak for what `patient` shows in larger voxels, to start from.
    fn first_look(&self, patient: &Patient) -> Result<Vec<f64>, CalibrationError> {
        let mut larger = Patient::new(patient.id.clone());
        for given in patient.timeline.treatments() {
            larger.timeline.record(given.time, Event::Treatment(given.treatment), Provenance::measured("study"));
        }
        for (time, seen) in patient.timeline.observations() {
            if let Finding::Field(field) = &seen.finding {
                let map = Finding::Field(self.coarsened(field).map_err(SimulationError::from)?);
                let seen = Event::Observation(Observation::new(Observable::CELLULARITY, map));
                larger.timeline.record(time, seen, Provenance::measured("study"));
            }
        }
        let error = NormalError::new(NOISE / COARSER as f64, 0.0);
        let base = self.coarse.spec().defaults()?.with("elimination_rate_temozolomide", 9.242)?;
        let problem = Problem {
            start: Time::ORIGIN,
            ..Problem::new(&self.coarse, &larger, &self.prior, Observable::CELLULARITY, &error)?.with_base(base)
        };
        let target = Target::new(&problem)?;
        // Derivatives over steps that stand out from single precision.
        let search = LevenbergMarquardt {
            differences: Differences::Forward { relative_step: 1e-3 },
            max_iterations: 12,
            ..LeastSquares::default().search
        };
        let fit = LeastSquares { search, ..LeastSquares::default() }.peak(&target, &Random::new(0), &())?;
        Ok(target.parameters_at(&fit.point))
    }

    /// A patient with the treatments, seen on `days` with the noise of the draw `seed`.
    fn patient(&self, days: &[f64], truth: &[Vec<f64>], seed: u64) -> Result<Patient, SimulationError> {
        let mut patient = Patient::new(SubjectId::new("head")?);
        let last = days.iter().copied().fold(0.0, f64::max);
        for given in self.scenario.treatments.iter().filter(|given| given.time.days() < last) {
            let treatment: Treatment = given.treatment.clone();
            patient.timeline.record(given.time, Event::Treatment(treatment), Provenance::measured("study"));
        }
        let random = Random::new(seed);
        for (number, (day, truth)) in days.iter().zip(truth).enumerate() {
            let map = Finding::Field(self.noisy(truth, &mut random.stream(number as u64))?);
            let seen = Event::Observation(Observation::new(Observable::CELLULARITY, map));
            patient.timeline.record(Time::from_days(*day)?, seen, Provenance::measured("study"));
        }
        Ok(patient)
    }

    /// Calibrates all four parameters to the five visits with the noise of the draw `seed`.
    ///
    /// # Errors
    /// Whatever the calibrator refuses, or runs into.
    pub fn calibrate(&self, seed: u64) -> Result<Outcome, CalibrationError> {
        let patient = self.patient(&FITTED, &self.fitted, seed)?;
        let base = parameters(&self.model, &[])?;
        let problem = Problem {
            start: Time::ORIGIN,
            ..Problem::new(&self.model, &patient, &self.prior, Observable::CELLULARITY, &self.error)?.with_base(base)
        };
        let start = Some(self.first_look(&patient)?);
        self.outcome(&problem, &INFERRED.map(|(_, value, ..)| value), start, seed)
    }

    fn outcome(
        &self,
        problem: &Problem<'_>,
        truth: &[f64],
        start: Option<Vec<f64>>,
        seed: u64,
    ) -> Result<Outcome, CalibrationError> {
        let posterior = LeastSquares { start, ..LeastSquares::default() }.calibrate(problem, &mut Random::new(seed))?;
        let transforms = problem.prior.transforms();
        let mut columns = Vec::new();
        for (name, transform) in problem.prior.names().iter().zip(transforms) {
            columns.push(posterior.column(name)?.into_iter().map(|x| transform.to_real(x)).collect::<Vec<f64>>());
        }
        let mean = |column: &Vec<f64>| column.iter().sum::<f64>() / column.len() as f64;
        let means: Vec<f64> = columns.iter().map(mean).collect();
        let moment = |i: usize, j: usize| {
            let products = columns[i].iter().zip(&columns[j]).map(|(a, b)| (a - means[i]) * (b - means[j]));
            products.sum::<f64>() / (columns[i].len() - 1) as f64
        };
        let count = columns.len();
        let covariance: Vec<f64> = (0..count).flat_map(|i| (0..count).map(move |j| (i, j))).map(|(i, j)| moment(i, j)).collect();
        let errors: Vec<f64> = (0..count).map(|i| moment(i, i).sqrt()).collect();
        let off = |i: usize| (means[i] - transforms[i].to_real(truth[i])) / errors[i];
        Ok(Outcome {
            scores: (0..count).map(off).collect(),
            estimates: transforms.iter().zip(&means).map(|(transform, z)| transform.from_real(*z)).collect(),
            errors,
            covariance,
            sound: posterior.record.is_sound(),
            evaluations: posterior.record.evaluations,
        })
    }

    /// Calibrates diffusivity and growth rate alone to the five visits: the other two parameters are known.
    ///
    /// # Errors
    /// Whatever the calibrator refuses, or runs into.
    pub fn calibrate_two(&self, seed: u64) -> Result<Outcome, CalibrationError> {
        let truth = INFERRED.map(|(_, value, ..)| value);
        let patient = self.patient(&FITTED, &self.fitted, seed)?;
        let two = INFERRED.iter().take(2).map(|(name, _, median, sd)| (*name, Marginal::LogNormal { median: *median, sd: *sd }));
        let prior = IndependentPrior::new(two)?;
        let problem = Problem {
            start: Time::ORIGIN,
            ..Problem::new(&self.model, &patient, &prior, Observable::CELLULARITY, &self.error)?
                .with_base(parameters(&self.model, &truth)?)
        };
        self.outcome(&problem, &truth, None, seed)
    }

    /// Updates what [`Study::calibrate_two`] found by one new scan on day 140.
    ///
    /// # Errors
    /// Whatever the calibrator refuses, or runs into.
    pub fn update(&self, before: &Outcome, seed: u64) -> Result<Outcome, CalibrationError> {
        let truth = INFERRED.map(|(_, value, ..)| value);
        let patient = self.patient(&PREDICTED[..1], &self.predicted[..1], seed)?;
        let names = INFERRED.iter().take(2).map(|(name, ..)| (*name).to_owned()).collect();
        let mean = before.estimates.iter().map(|x| x.ln()).collect();
        let prior = PopulationPrior::new(names, vec![Transform::Log; 2], mean, &before.covariance)?;
        let problem = Problem {
            start: Time::ORIGIN,
            ..Problem::new(&self.model, &patient, &prior, Observable::CELLULARITY, &self.error)?
                .with_base(parameters(&self.model, &truth)?)
        };
        self.outcome(&problem, &truth, None, seed)
    }

    /// The root of the mean square of what `estimates` predict for the later visits less the true fields, and of "nothing changes", the
    /// true field of the last visit fitted, over all voxels where either has cells above 1 %.
    ///
    /// # Errors
    /// Whatever the engine refuses, or runs into.
    pub fn forecasts(&self, estimates: &[f64]) -> Result<Vec<[f64; 2]>, CalibrationError> {
        let scenario = self.scenario.clone().sampled(times(&PREDICTED).map_err(SimulationError::from)?);
        let predicted = fields(&self.model, &parameters(&self.model, estimates)?, &scenario)?;
        let last = self.fitted.last().cloned().unwrap_or_default();
        let compared = |(predicted, truth): (&Vec<f64>, &Vec<f64>)| {
            let at: Vec<usize> = (0..truth.len()).filter(|&at| truth[at] > 0.01 || last[at] > 0.01).collect();
            let off =
                |field: &[f64]| (at.iter().map(|&at| (field[at] - truth[at]).powi(2)).sum::<f64>() / at.len().max(1) as f64).sqrt();
            [off(predicted), off(&last)]
        };
        Ok(predicted.iter().zip(&self.predicted).map(compared).collect())
    }

    /// The outcomes of many draws of the noise, in order.
    ///
    /// # Errors
    /// Whatever the calibrator refuses, or runs into.
    pub fn repeated(&self, draws: u64) -> Result<Vec<Outcome>, CalibrationError> {
        (0..draws).into_par_iter().map(|seed| self.calibrate(1000 + seed)).collect()
    }

    /// How many residuals a fit has.
    ///
    /// # Errors
    /// As [`Target::new`].
    pub fn residuals(&self) -> Result<usize, CalibrationError> {
        let patient = self.patient(&FITTED, &self.fitted, 1)?;
        let problem = Problem::new(&self.model, &patient, &self.prior, Observable::CELLULARITY, &self.error)?;
        Ok(Target::new(&problem)?.residual_count())
    }
}
