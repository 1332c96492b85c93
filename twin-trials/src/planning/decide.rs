//! From a question to its answer.

use super::evaluation::{BrokenRules, Evaluator, arranged};
use super::order::Order;
use super::recommendation::{Effort, Excluded, Recommendation};
use super::{Breach, Given, LeastValue, Plan, Question, conflicting_limits};
use crate::{Endpoint, TrialError, ValueAt};
use std::sync::Arc;
use twin_core::{Random, Time, TimedTreatment};

/// Answers a question: simulates every plan within the limits on the same virtual twins, and ranks them.
///
/// Draws are simulated in stages, and no more of them once the decision is settled: once what is left to chance could change neither the
/// plan that stands first, by more than the tolerated regret, nor whether the answer is confident. The same question has the same
/// answer, bit for bit, at any number of threads.
///
/// # Errors
/// [`TrialError::Infeasible`] if no plan, the standard included, keeps within all limits; [`TrialError::Design`] and its kin for a question
/// that cannot be asked; [`TrialError::TooManyFailures`] if more courses of a plan fail than the setting tolerates.
pub fn recommend(question: &Question) -> Result<Recommendation, TrialError> {
    check(question)?;
    let (plans, mut excluded) = admitted(question)?;
    let trial = arranged(&question.setting, &plans, &endpoints(question))?;
    let mut evaluator = Evaluator::of(&trial)?;
    let looks = looks(trial.size);
    // Bonferroni over the looks: the chance of stopping on noise stays below one in twenty for each comparison.
    let deviate = crate::statistics::normal_deviate(1.0 - 0.05 / looks.len() as f64);
    for size in looks {
        evaluator.extend(size)?;
        let order = Order::of(question, &evaluator.evaluation)?;
        if order.ranked.is_empty() && size == trial.size {
            let broken = excluded.into_iter().chain(order.excluded).map(|plan| plan.reasons).collect();
            return Err(infeasible(question, broken));
        }
        let settled = size == trial.size || order.is_settled(question, &evaluator.evaluation, deviate)?;
        if settled {
            let evaluation = evaluator.evaluation;
            let verdict = order.verdict(question, &evaluation)?;
            let (draws, planned, courses) = (evaluation.tried, trial.size, trial.size * plans.len());
            let done = draws * plans.len();
            excluded.extend(order.excluded);
            return Ok(Recommendation {
                verdict,
                standard: question.standard.name.clone(),
                objective: question.objective.endpoint.name().to_owned(),
                sense: question.objective.sense,
                risk: question.objective.risk,
                ranked: order.ranked,
                excluded,
                effort: Effort { draws, planned, courses: done, saved: courses - done, settled: draws < planned },
                evaluation,
            });
        }
    }
    Err(TrialError::EmptyCohort)
}

/// Sizes at which one looks: 64, and twice as many each time.
fn looks(size: usize) -> Vec<usize> {
    let mut looks: Vec<usize> =
        std::iter::successors(Some(64_usize), |look| look.checked_mul(2)).take_while(|look| *look < size).collect();
    looks.push(size);
    looks
}

pub(super) fn check(question: &Question) -> Result<(), TrialError> {
    let confidence = question.confidence;
    if !(0.5..=1.0).contains(&confidence.better) {
        let (what, value, valid) = ("probability of a confident answer", confidence.better, "from 0.5 to 1");
        return Err(TrialError::OutOfRange { what, index: 0, value, valid });
    }
    if !(confidence.tolerated_regret >= 0.0 && confidence.tolerated_regret.is_finite()) {
        let (what, value, valid) = ("tolerated regret", confidence.tolerated_regret, "0 or more, and finite");
        return Err(TrialError::OutOfRange { what, index: 0, value, valid });
    }
    for (index, chance) in question.chances.iter().enumerate() {
        if !(0.0..=1.0).contains(&chance.share) || !chance.bound.is_finite() {
            let (what, value, valid) = ("share of a chance constraint", chance.share, "from 0 to 1, with a finite bound");
            return Err(TrialError::OutOfRange { what, index, value, valid });
        }
    }
    for (index, floor) in question.limits.floors.iter().enumerate() {
        question.setting.model.spec().index_of(&floor.observable)?;
        if !(0.0..1.0).contains(&floor.tolerated) || !floor.at_least.is_finite() {
            let (what, value, valid) = ("tolerated share of a floor", floor.tolerated, "from 0 up to 1, with a finite value");
            return Err(TrialError::OutOfRange { what, index, value, valid });
        }
    }
    for candidate in &question.candidates {
        question.setting.model.spec().index_of(&candidate.measurement.observable)?;
    }
    let names = question.limits.names();
    if question.limits.rules.len() > 50 {
        return Err(TrialError::Count {
            what: "number of limits on treatment",
            count: question.limits.rules.len(),
            valid: "at most 50",
        });
    }
    let names = names.iter().chain(question.chances.iter().map(|chance| &chance.name)).collect::<Vec<_>>();
    match names.iter().enumerate().find(|(place, name)| names.iter().take(*place).any(|earlier| earlier == *name)) {
        Some((_, name)) => Err(TrialError::DuplicateLimit { name: (*name).clone() }),
        None => Ok(()),
    }
}

/// The limits that the fixed treatments of a plan break; none for a plan that decides on the way.
pub(super) fn rules_broken(question: &Question, plan: &Plan) -> Result<Vec<Breach>, TrialError> {
    let Some(treatments) = plan.treatments() else {
        return Ok(Vec::new());
    };
    let patient = question.setting.cohort.draw(0, &mut Random::new(question.setting.seed).stream(0).stream(0))?;
    let (since, until) = (patient.since, patient.since + question.setting.horizon);
    let shifted = |given: &TimedTreatment| TimedTreatment::new(since + (given.time - Time::ORIGIN), given.treatment.clone());
    let shifted: Vec<TimedTreatment> = treatments.iter().map(shifted).collect();
    if shifted.iter().any(|given| given.time < since || given.time > until) {
        return Err(TrialError::PlanBeyondHorizon { plan: plan.name.clone(), horizon: question.setting.horizon });
    }
    Ok(question.limits.breaches(Given { past: &patient.past_treatments, plan: &shifted, since, until })?)
}

/// The plans that are simulated, the standard first; those whose fixed treatments break a limit are told apart, but a standard that does is
/// simulated all the same, to compare with.
fn admitted(question: &Question) -> Result<(Vec<Plan>, Vec<Excluded>), TrialError> {
    let (mut plans, mut excluded) = (vec![question.standard.clone()], Vec::new());
    rules_broken(question, &question.standard)?; // it may break limits, but not reach beyond the horizon
    for plan in &question.plans {
        match rules_broken(question, plan)? {
            reasons if reasons.is_empty() => plans.push(plan.clone()),
            reasons => excluded.push(Excluded { plan: plan.name.clone(), reasons }),
        }
    }
    Ok((plans, excluded))
}

/// The error that tells which limits rule out every one of the plans that broke these.
pub(super) fn infeasible(question: &Question, broken: Vec<Vec<Breach>>) -> TrialError {
    let names: Vec<String> =
        question.limits.names().into_iter().chain(question.chances.iter().map(|chance| chance.name.clone())).collect();
    let conflict = conflicting_limits(&names, &broken).unwrap_or_default();
    let limits = conflict.into_iter().filter_map(|place| names.get(place).cloned()).collect();
    TrialError::Infeasible { plans: broken.len(), limits }
}

/// The endpoints of a question: objective, chance constraints, effects, broken limits, floors, candidates.
pub(super) fn endpoints(question: &Question) -> Vec<Arc<dyn Endpoint>> {
    let mut endpoints: Vec<Arc<dyn Endpoint>> = vec![Arc::clone(&question.objective.endpoint)];
    endpoints.extend(question.chances.iter().map(|chance| Arc::clone(&chance.endpoint)));
    endpoints.extend(question.effects.iter().map(|effect| Arc::clone(&effect.endpoint)));
    endpoints.push(Arc::new(BrokenRules(Arc::new(question.limits.clone()))));
    for floor in &question.limits.floors {
        endpoints.push(Arc::new(LeastValue { name: floor.name.clone(), observable: floor.observable.clone() }));
    }
    for candidate in &question.candidates {
        let observable = candidate.measurement.observable.clone();
        endpoints.push(Arc::new(ValueAt { name: candidate.name.clone(), observable, day: candidate.day }));
    }
    endpoints
}
