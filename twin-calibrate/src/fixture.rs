//! A problem whose posterior and evidence are known in closed form, for the tests.

use crate::{IndependentPrior, LogError, Marginal, Problem};
use nalgebra::{DMatrix, DVector};
use twin_core::{Event, Observable, Observation, Patient, Provenance, SubjectId, Time};
use twin_models::{Model, growth};

/// Exponential growth under a log-normal error: `ln V` is linear in the growth rate and in `ln V0`, so under a normal prior on these
/// two the posterior is normal.
pub(crate) struct Growing {
    pub model: Box<dyn Model>,
    pub patient: Patient,
    pub prior: IndependentPrior,
    pub error: LogError,
    readings: Vec<(f64, f64)>,
}

pub(crate) const SCATTER: f64 = 0.2;
const RATE: (f64, f64) = (0.03, 0.004);
const VOLUME: (f64, f64) = (100.0, 0.5);

pub(crate) fn observe(patient: &mut Patient, day: f64, volume: f64) {
    let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3").unwrap());
    patient.timeline.record(Time::from_days(day).unwrap(), seen, Provenance::measured("test"));
}

impl Growing {
    pub(crate) fn new(readings: &[(f64, f64)]) -> Self {
        let mut patient = Patient::new(SubjectId::new("test").unwrap());
        readings.iter().for_each(|(day, volume)| observe(&mut patient, *day, *volume));
        let prior = IndependentPrior::new([
            ("growth_rate", Marginal::Normal { mean: RATE.0, sd: RATE.1 }),
            ("initial_volume", Marginal::LogNormal { median: VOLUME.0, sd: VOLUME.1 }),
        ])
        .unwrap();
        let error = LogError::new(SCATTER, 0.0);
        Self { model: Box::new(growth::exponential()), patient, prior, error, readings: readings.to_vec() }
    }

    pub(crate) fn problem(&self) -> Problem<'_> {
        Problem::new(self.model.as_ref(), &self.patient, &self.prior, Observable::TUMOR_VOLUME, &self.error).unwrap()
    }

    /// Mean and covariance of the growth rate and `ln V0`, and the logarithm of the evidence.
    pub(crate) fn exact(&self) -> (DVector<f64>, DMatrix<f64>, f64) {
        let n = self.readings.len();
        let design = DMatrix::from_fn(n, 2, |i, j| if j == 0 { self.readings[i].0 } else { 1.0 });
        let seen = DVector::from_fn(n, |i, _| self.readings[i].1.ln());
        let prior = DMatrix::from_diagonal(&DVector::from_row_slice(&[RATE.1.powi(2), VOLUME.1.powi(2)]));
        let center = DVector::from_row_slice(&[RATE.0, VOLUME.0.ln()]);
        let noise = DMatrix::identity(n, n) * SCATTER.powi(2);
        let total = &design * &prior * design.transpose() + noise;
        let off = &seen - &design * &center;
        let inverse = total.clone().try_inverse().unwrap();
        let mean = &center + &prior * design.transpose() * &inverse * &off;
        let covariance = &prior - &prior * design.transpose() * &inverse * &design * &prior;
        let ln_evidence = -0.5
            * (off.dot(&(&inverse * &off)) + total.determinant().ln() + n as f64 * (2.0 * std::f64::consts::PI).ln())
            - seen.sum();
        (mean, covariance, ln_evidence)
    }
}

pub(crate) const READINGS: [(f64, f64); 5] = [(0.0, 95.0), (7.0, 130.0), (14.0, 150.0), (21.0, 210.0), (28.0, 290.0)];

/// Holds the draws of the growth rate and of `ln V0` to the exact posterior, in standard deviations and their ratios.
pub(crate) fn agrees(posterior: &crate::Posterior, exact: &(DVector<f64>, DMatrix<f64>, f64), within: (f64, f64)) {
    let columns =
        [posterior.column("growth_rate").unwrap(), posterior.column("initial_volume").unwrap().iter().map(|v| v.ln()).collect()];
    for (j, column) in columns.iter().enumerate() {
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let sd = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt();
        let truth = exact.1[(j, j)].sqrt();
        let (shift, ratio) = ((mean - exact.0[j]) / truth, sd / truth);
        assert!(shift.abs() < within.0 && (ratio - 1.0).abs() < within.1, "coordinate {j}: off by {shift} sd, sd ratio {ratio}");
    }
}
