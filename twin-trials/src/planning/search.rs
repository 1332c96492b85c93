//! Plans sought in a space of decisions.

use super::decide::{check, endpoints, infeasible, rules_broken};
use super::evaluation::{Evaluator, arranged};
use super::order::reasons;
use super::{Bayesian, Evolution, Front, Objective, Plan, Question, Score, Scored, Space};
use crate::TrialError;

/// A plan that no other plan found beats in all objectives.
#[derive(Debug, Clone)]
pub struct FrontPlan {
    /// The plan.
    pub plan: Plan,
    /// The values of the decision variables.
    pub decisions: Vec<f64>,
    /// What it comes to by each objective, on the draws of the search.
    pub objectives: Vec<f64>,
}

/// What a search of a space came to.
#[derive(Debug, Clone)]
pub struct PlanFront {
    /// The plans, best by the first objective first.
    pub plans: Vec<FrontPlan>,
    /// How many plans were looked at.
    pub evaluations: usize,
    /// How many of them could not be simulated.
    pub failures: usize,
    /// How many of them broke a limit.
    pub infeasible: usize,
}

/// A method that searches the unit cube for what makes a score small.
pub trait Optimizer: Sync {
    /// Searches the unit cube of `dimension` coordinates.
    ///
    /// # Errors
    /// For settings without meaning, and if more scores fail than it tolerates.
    fn minimize(&self, dimension: usize, score: &Score<'_>) -> Result<Front, TrialError>;
}

impl Optimizer for Evolution {
    fn minimize(&self, dimension: usize, score: &Score<'_>) -> Result<Front, TrialError> {
        Self::minimize(self, dimension, score)
    }
}

impl Optimizer for Bayesian {
    fn minimize(&self, dimension: usize, score: &Score<'_>) -> Result<Front, TrialError> {
        Self::minimize(self, dimension, score)
    }
}

/// Seeks the plans of `space` that serve `objectives` best within the limits of `question`; its own objective and plans are not used.
///
/// Every plan is simulated on all draws of the setting, the same for all. What a plan promises on the draws that chose it is too good; give
/// the plans of the front to [`recommend`](super::recommend) with another seed, or other draws, before you believe it. No plan of the front
/// breaks a limit.
///
/// # Errors
/// [`TrialError::Infeasible`] if no plan that was looked at keeps within all limits; [`TrialError::Empty`] without objectives; as
/// [`recommend`](super::recommend) and the method else.
pub fn search(
    question: &Question,
    space: &Space,
    objectives: &[Objective],
    method: &dyn Optimizer,
) -> Result<PlanFront, TrialError> {
    let (first, rest) = objectives.split_first().ok_or(TrialError::Empty { what: "the list of objectives" })?;
    let mut inner = question.clone();
    (inner.objective, inner.effects, inner.candidates, inner.plans) = (first.clone(), rest.to_vec(), Vec::new(), Vec::new());
    check(&inner)?;
    let front = method.minimize(space.variables().len(), &|shares| score(&inner, objectives, &space.plan(&space.at(shares))?))?;
    if front.points.is_empty() {
        return Err(infeasible(&inner, front.breaches));
    }
    let plan = |point: super::Point| {
        let decisions = space.at(&point.shares);
        let natural = objectives.iter().zip(&point.objectives).map(|(objective, loss)| -objective.sense.gain(*loss)).collect();
        Ok(FrontPlan { plan: space.plan(&decisions)?, decisions, objectives: natural })
    };
    let (evaluations, failures, infeasible) = (front.evaluations, front.failures, front.infeasible);
    let plans = front.points.into_iter().map(plan).collect::<Result<_, TrialError>>()?;
    Ok(PlanFront { plans, evaluations, failures, infeasible })
}

/// What a plan comes to. One that breaks a limit on its face is not simulated.
fn score(question: &Question, objectives: &[Objective], plan: &Plan) -> Result<Scored, TrialError> {
    let breaches = rules_broken(question, plan)?;
    if !breaches.is_empty() {
        return Ok(Scored { objectives: vec![0.0; objectives.len()], breaches });
    }
    let trial = arranged(&question.setting, std::slice::from_ref(plan), &endpoints(question))?;
    let mut evaluator = Evaluator::of(&trial)?;
    evaluator.extend(trial.size)?;
    let evaluation = evaluator.evaluation;
    let breaches = reasons(question, &evaluation, 0, &mut Vec::new());
    let loss = |(number, objective): (usize, &Objective)| {
        let endpoint = if number == 0 { 0 } else { question.chances.len() + number };
        Ok(-objective.sense.gain(objective.risk.of(evaluation.values(0, endpoint), objective.sense)?))
    };
    Ok(Scored { objectives: objectives.iter().enumerate().map(loss).collect::<Result<_, TrialError>>()?, breaches })
}
