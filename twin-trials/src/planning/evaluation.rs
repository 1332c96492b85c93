//! Plans against draws: what comes of every plan in every virtual patient.

use super::objective::number;
use super::{Given, Limits, Plan};
use crate::run::Block;
use crate::{Course, Endpoint, Failure, Outcome, Trial, TrialError};
use std::ops::Range;
use std::sync::Arc;

/// What came of every plan in every virtual patient, on common random numbers: each plan meets the same patients and the same streams of
/// errors.
///
/// A patient in whom the course of any plan failed is left out of all plans, so that comparisons stay paired, and counted in `failures`.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The plans, by name.
    pub plans: Vec<String>,
    /// The endpoints, by name.
    pub endpoints: Vec<String>,
    /// The indices of the virtual patients that are compared.
    pub draws: Vec<usize>,
    /// The courses that failed, in the order of patients and plans.
    pub failures: Vec<Failure>,
    /// How many virtual patients were tried.
    pub tried: usize,
    /// (plans × endpoints) lists of one number for each of the draws.
    values: Vec<Vec<f64>>,
}

impl Evaluation {
    /// The numbers of the endpoint number `endpoint` under the plan number `plan`, one for each of [`draws`](Self::draws); empty if there
    /// is no such plan or endpoint.
    #[must_use]
    pub fn values(&self, plan: usize, endpoint: usize) -> &[f64] {
        let place = (endpoint < self.endpoints.len()).then(|| plan * self.endpoints.len() + endpoint);
        place.and_then(|place| self.values.get(place)).map_or(&[], |values| values)
    }
}

/// Evaluates `plans` by `endpoints` on the virtual patients of `setting`, in parallel; the same bits at any number of threads.
///
/// A time counts as the time of its event or, if that did not come, as the horizon. The arms and endpoints of `setting` itself must be
/// empty.
///
/// # Errors
/// [`TrialError::Design`] and its kin for a setting that cannot be run; [`TrialError::TooManyFailures`] if more courses of a plan fail than
/// the setting tolerates. A course whose endpoint cannot be evaluated, or that its policy ended before the horizon and the event, has
/// failed.
pub fn evaluate(setting: &Trial, plans: &[Plan], endpoints: &[Arc<dyn Endpoint>]) -> Result<Evaluation, TrialError> {
    let trial = arranged(setting, plans, endpoints)?;
    let mut evaluator = Evaluator::of(&trial)?;
    evaluator.extend(trial.size)?;
    Ok(evaluator.evaluation)
}

/// The trial of `plans` as arms, measured by `endpoints`.
pub(super) fn arranged(setting: &Trial, plans: &[Plan], endpoints: &[Arc<dyn Endpoint>]) -> Result<Trial, TrialError> {
    if !setting.arms.is_empty() || !setting.endpoints.is_empty() {
        let what = "the list of arms or of endpoints of the setting of a plan";
        return Err(TrialError::Design { what, valid: "empty: the plans are the arms" });
    }
    let mut trial = setting.clone();
    trial.arms = plans.iter().map(Plan::arm).collect();
    trial.endpoints = endpoints.to_vec();
    Ok(trial)
}

/// An evaluation in the making.
pub(super) struct Evaluator<'a> {
    trial: &'a Trial,
    block: Block<'a>,
    horizon: f64,
    first: Option<TrialError>,
    failed: Vec<usize>,
    pub(super) evaluation: Evaluation,
}

impl<'a> Evaluator<'a> {
    pub(super) fn of(trial: &'a Trial) -> Result<Self, TrialError> {
        let block = Block::of(trial)?;
        let interval = trial.visit_interval.days();
        let evaluation = Evaluation {
            plans: trial.arms.iter().map(|arm| arm.name.clone()).collect(),
            endpoints: trial.endpoints.iter().map(|endpoint| endpoint.name().to_owned()).collect(),
            draws: Vec::new(),
            failures: Vec::new(),
            tried: 0,
            values: vec![Vec::new(); trial.arms.len() * trial.endpoints.len()],
        };
        let horizon = (trial.horizon.days() / interval + 1e-9).floor() * interval;
        Ok(Self { trial, block, horizon, first: None, failed: vec![0; trial.arms.len()], evaluation })
    }

    /// Evaluates patients until `size` of them were tried.
    pub(super) fn extend(&mut self, size: usize) -> Result<(), TrialError> {
        let patients: Range<usize> = self.evaluation.tried..size.min(self.trial.size);
        for (patient, arms) in patients.clone().zip(self.block.assess(patients)) {
            self.take(patient, arms);
        }
        let most = self.failed.iter().copied().max().unwrap_or(0);
        let of = self.evaluation.tried;
        match self.first.take() {
            Some(source) if most as f64 > self.trial.tolerated_failures * of as f64 => {
                Err(TrialError::TooManyFailures { failed: most, of, source: Box::new(source) })
            }
            first => {
                self.first = first;
                if self.evaluation.draws.is_empty() { Err(TrialError::EmptyCohort) } else { Ok(()) }
            }
        }
    }

    fn take(&mut self, patient: usize, arms: crate::Assessed) {
        self.evaluation.tried += 1;
        let arms = match arms {
            Ok(arms) => arms,
            Err(error) => {
                self.failed.iter_mut().for_each(|failed| *failed += 1);
                return self.fail(patient, None, error);
            }
        };
        let mut row = Vec::with_capacity(self.evaluation.values.len());
        let mut whole = true;
        for (plan, outcomes) in arms.into_iter().enumerate() {
            match outcomes.and_then(|outcomes| self.numbers(&outcomes)) {
                Ok(numbers) => row.extend(numbers),
                Err(error) => {
                    whole = false;
                    if let Some(failed) = self.failed.get_mut(plan) {
                        *failed += 1;
                    }
                    let name = self.evaluation.plans.get(plan).cloned();
                    self.fail(patient, name, error);
                }
            }
        }
        if whole {
            self.evaluation.draws.push(patient);
            self.evaluation.values.iter_mut().zip(row).for_each(|(list, value)| list.push(value));
        }
    }

    fn numbers(&self, outcomes: &[Outcome]) -> Result<Vec<f64>, TrialError> {
        let named = outcomes.iter().zip(&self.evaluation.endpoints);
        let number = |(outcome, name): (&Outcome, &String)| {
            number(*outcome, self.horizon).ok_or_else(|| TrialError::NotEvaluable { endpoint: name.clone() })
        };
        named.map(number).collect()
    }

    fn fail(&mut self, patient: usize, arm: Option<String>, error: TrialError) {
        self.evaluation.failures.push(Failure { patient, arm, error: error.to_string() });
        self.first.get_or_insert(error);
    }
}

/// How many hard limits on treatment a course broke: nothing escapes that a policy decided.
pub(super) struct BrokenRules(pub(super) Arc<Limits>);

impl Endpoint for BrokenRules {
    fn name(&self) -> &'static str {
        "broken limits"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let given = Given { past: &course.past, plan: &course.treatments, since: course.since, until: course.end };
        // Bits tell which ones; a question has at most 50 limits.
        let bits = self.0.broken_bits(given);
        bits.map_or(Outcome::NotEvaluable, |bits| Outcome::Value(bits as f64))
    }
}
