//! Plans in order.

use super::recommendation::{Doubt, Effect, Estimate, Excluded, Gain, Ranked, Verdict};
use super::sums::{mean, mean_and_error, minus, wilson};
use super::worth::{Knowledge, Worth, worth_of_knowing, worth_of_knowing_all};
use super::{Breach, Evaluation, Objective, Question};
use crate::statistics::quantiles;
use crate::{TrialError, VirtualPatient};
use twin_core::Random;

/// The plans in order, on the draws so far.
pub(super) struct Order {
    pub(super) ranked: Vec<Ranked>,
    pub(super) excluded: Vec<Excluded>,
    /// What a share of draws decides, not a rule.
    shares: Vec<Share>,
    /// The places of the plans that are ranked.
    allowed: Vec<usize>,
}

/// In how many draws a plan keeps within a floor or chance constraint, and in which share of them it must.
pub(super) struct Share {
    plan: usize,
    hits: f64,
    needed: f64,
}

/// The standard stands first among the plans that are simulated.
const STANDARD: usize = 0;
/// The objective is the first endpoint.
const OBJECTIVE: usize = 0;

impl Order {
    pub(super) fn of(question: &Question, evaluation: &Evaluation) -> Result<Self, TrialError> {
        let mut order = Self { ranked: Vec::new(), excluded: Vec::new(), shares: Vec::new(), allowed: Vec::new() };
        for place in 0..evaluation.plans.len() {
            let reasons = reasons(question, evaluation, place, &mut order.shares);
            if reasons.is_empty() {
                order.allowed.push(place);
            } else {
                let plan = evaluation.plans.get(place).cloned().unwrap_or_default();
                order.excluded.push(Excluded { plan, reasons });
            }
        }
        let objective = &question.objective;
        let gains: Vec<Vec<f64>> = order.allowed.iter().map(|place| gains(objective, evaluation, *place)).collect();
        let best: Vec<f64> = (0..evaluation.draws.len())
            .map(|draw| gains.iter().filter_map(|plan| plan.get(draw)).fold(f64::NEG_INFINITY, |best, gain| best.max(*gain)))
            .collect();
        let tied: Vec<f64> = (0..evaluation.draws.len())
            .map(|draw| gains.iter().filter(|plan| plan.get(draw) == best.get(draw)).count() as f64)
            .collect();
        for (&place, gain) in order.allowed.iter().zip(&gains) {
            let share =
                gain.iter().zip(best.iter().zip(&tied)).map(|(gain, (best, tied))| if gain >= best { 1.0 / tied } else { 0.0 });
            let probability_best = mean(&share.collect::<Vec<_>>());
            let (regret, regret_error) = mean_and_error(&minus(&best, gain));
            order.ranked.push(Ranked {
                plan: evaluation.plans.get(place).cloned().unwrap_or_default(),
                place,
                score: score(objective, evaluation.values(place, OBJECTIVE))?,
                ninety: ninety(evaluation.values(place, OBJECTIVE))?,
                probability_best,
                regret: Estimate { value: regret, standard_error: regret_error },
                gain: against(objective, evaluation, place, OBJECTIVE)?,
                chances: chances(question, evaluation, place),
                effects: effects(question, evaluation, place)?,
            });
        }
        // The places break ties, so of two equal plans the standard stands first, and then the one named first.
        let value = |ranked: &Ranked| objective.sense.gain(ranked.score.value);
        order.ranked.sort_by(|a, b| value(b).total_cmp(&value(a)).then(a.place.cmp(&b.place)));
        Ok(order)
    }

    /// Whether more draws could change neither who stands first, by more than the tolerated regret, nor whether the answer is confident.
    pub(super) fn is_settled(&self, question: &Question, evaluation: &Evaluation, deviate: f64) -> Result<bool, TrialError> {
        let Some(first) = self.ranked.first() else {
            return Ok(false);
        };
        let count = evaluation.draws.len();
        let clear = |hits: f64, needed: f64| {
            let (low, high) = wilson(hits, count, deviate);
            low > needed || high < needed
        };
        // A plan that a share excludes matters only if it would otherwise stand first, but that is not known before; so all must be clear.
        if !self.shares.iter().all(|share| clear(share.hits, share.needed) || self.is_idle(share, first, question, evaluation)) {
            return Ok(false);
        }
        let objective = &question.objective;
        let parts = |place: usize| objective.risk.contributions(evaluation.values(place, OBJECTIVE), objective.sense);
        let mine = parts(first.place)?;
        for other in self.ranked.iter().skip(1) {
            let (ahead, error) = mean_and_error(&minus(&mine, &parts(other.place)?));
            if objective.sense.gain(ahead) - deviate * error < -question.confidence.tolerated_regret {
                return Ok(false);
            }
        }
        let confidence = question.confidence;
        let surely_better = first.place == STANDARD || clear((1.0 - first.gain.worse) * count as f64, confidence.better);
        let far = (first.regret.value - confidence.tolerated_regret).abs() > deviate * first.regret.standard_error;
        Ok(surely_better && far)
    }

    /// Whether a plan is so far behind that it does not matter on which side of its share it lies.
    fn is_idle(&self, share: &Share, first: &Ranked, question: &Question, evaluation: &Evaluation) -> bool {
        let ahead =
            minus(&gains(&question.objective, evaluation, first.place), &gains(&question.objective, evaluation, share.plan));
        let (ahead, error) = mean_and_error(&ahead);
        share.plan != first.place && ahead > 4.0 * error
    }

    pub(super) fn verdict(&self, question: &Question, evaluation: &Evaluation) -> Result<Verdict, TrialError> {
        let Some(first) = self.ranked.first() else {
            return Err(TrialError::EmptyCohort);
        };
        let confidence = question.confidence;
        let mut doubts: Vec<Doubt> = question.reservations.iter().cloned().map(Doubt::Reservation).collect();
        let not_worse = 1.0 - first.gain.worse;
        if first.place != STANDARD && not_worse < confidence.better {
            doubts.push(Doubt::MayBeWorse { probability: not_worse, needed: confidence.better });
        }
        if first.regret.value > confidence.tolerated_regret && first.probability_best < confidence.better {
            doubts.push(Doubt::Regret { expected: first.regret.value, tolerated: confidence.tolerated_regret });
        }
        doubts.extend(self.rival(question, evaluation, first)?.map(|rival| Doubt::TooFewDraws { rival }));
        if doubts.is_empty() {
            return Ok(Verdict::Recommended { plan: first.plan.clone() });
        }
        let contends = |ranked: &&Ranked| ranked.place == first.place || ranked.probability_best >= 0.05;
        let contenders = self.ranked.iter().filter(contends).map(|ranked| ranked.plan.clone()).collect();
        Ok(Verdict::NotConfident { contenders, doubts, would_settle: self.worths(question, evaluation)? })
    }

    /// A plan that could be better than the first by more than the tolerated regret, for all that the draws tell.
    fn rival(&self, question: &Question, evaluation: &Evaluation, first: &Ranked) -> Result<Option<String>, TrialError> {
        let objective = &question.objective;
        let parts = |place: usize| objective.risk.contributions(evaluation.values(place, OBJECTIVE), objective.sense);
        let mine = parts(first.place)?;
        for other in self.ranked.iter().skip(1) {
            let (ahead, error) = mean_and_error(&minus(&mine, &parts(other.place)?));
            if objective.sense.gain(ahead) - 1.96 * error < -question.confidence.tolerated_regret {
                return Ok(Some(other.plan.clone()));
            }
        }
        Ok(None)
    }

    /// What it would be worth to know each parameter, and each candidate reading, before deciding.
    fn worths(&self, question: &Question, evaluation: &Evaluation) -> Result<Vec<Worth>, TrialError> {
        let gains: Vec<Vec<f64>> = self.allowed.iter().map(|place| gains(&question.objective, evaluation, *place)).collect();
        let gains: Vec<&[f64]> = gains.iter().map(Vec::as_slice).collect();
        let whole = worth_of_knowing_all(&gains);
        let worth = |what: Knowledge, known: &[f64]| {
            let gain = worth_of_knowing(&gains, known);
            Worth { what, gain, share: if whole > 0.0 { gain / whole } else { 0.0 } }
        };
        let root = Random::new(question.setting.seed);
        let drawn: Vec<_> = evaluation.draws.iter().map(|draw| question.setting.patient(*draw)).collect::<Result<_, _>>()?;
        let mut worths = Vec::new();
        for (place, parameter) in question.setting.model.spec().parameters.iter().enumerate() {
            let known: Vec<f64> = drawn.iter().filter_map(|patient| patient.parameters.values().get(place).copied()).collect();
            if known.windows(2).any(|pair| matches!(pair, [a, b] if a.total_cmp(b).is_ne())) {
                worths.push(worth(Knowledge::Parameter(parameter.name.to_string()), &known));
            }
        }
        let offset = 2 + question.chances.len() + question.effects.len() + question.limits.floors.len();
        for (number, candidate) in question.candidates.iter().enumerate() {
            let truth = evaluation.values(STANDARD, offset + number);
            let known: Vec<f64> = match &candidate.measurement.error {
                None => truth.to_vec(),
                Some(error) => {
                    let own = |patient: &VirtualPatient, name: &str| {
                        patient.error_values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
                    };
                    let read = |((truth, draw), patient): ((&f64, &usize), &VirtualPatient)| {
                        let values: Vec<f64> =
                            error.parameters().iter().map(|p| own(patient, &p.name).unwrap_or(p.default)).collect();
                        // A stream of its own: those of the course and of its visits have the numbers 0 to 2.
                        error.draw(*truth, &values, &mut root.stream(*draw as u64).stream(16 + number as u64))
                    };
                    truth.iter().zip(&evaluation.draws).zip(&drawn).map(read).collect()
                }
            };
            let name = format!("{} on day {}", candidate.name, candidate.day);
            worths.push(worth(Knowledge::Reading(name), &known));
        }
        worths.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        Ok(worths)
    }
}

/// Why a plan must not be chosen; what shares of draws decide is added to `shares`.
pub(super) fn reasons(question: &Question, evaluation: &Evaluation, plan: usize, shares: &mut Vec<Share>) -> Vec<Breach> {
    let count = evaluation.draws.len();
    let mut reasons = Vec::new();
    let after = 1 + question.chances.len() + question.effects.len();
    let broken = |place: usize| evaluation.values(plan, after).iter().filter(|bits| **bits as u64 >> place & 1 == 1).count();
    for (place, (name, _)) in question.limits.rules.iter().enumerate() {
        let hits = broken(place);
        if hits > 0 {
            let detail = format!("broken in {hits} of {count} courses");
            reasons.push(Breach { limit: name.clone(), detail, excess: hits as f64 / count as f64 });
        }
    }
    let mut needs = |name: &str, hits: usize, needed: f64| {
        shares.push(Share { plan, hits: hits as f64, needed });
        let kept = hits as f64 / count as f64;
        if kept < needed - 1e-12 {
            let detail = format!("kept in {hits} of {count} draws, but needed in a share of {needed}");
            reasons.push(Breach { limit: name.to_owned(), detail, excess: needed - kept });
        }
    };
    for (number, floor) in question.limits.floors.iter().enumerate() {
        let values = evaluation.values(plan, after + 1 + number);
        needs(&floor.name, values.iter().filter(|value| **value >= floor.at_least).count(), 1.0 - floor.tolerated);
    }
    for (number, chance) in question.chances.iter().enumerate() {
        let kept = chance.kept(evaluation.values(plan, 1 + number));
        needs(&chance.name, (kept * count as f64).round() as usize, chance.share);
    }
    reasons
}

/// The objective of a plan in each draw, such that more is better.
fn gains(objective: &Objective, evaluation: &Evaluation, plan: usize) -> Vec<f64> {
    evaluation.values(plan, OBJECTIVE).iter().map(|value| objective.sense.gain(*value)).collect()
}

fn score(objective: &Objective, values: &[f64]) -> Result<Estimate, TrialError> {
    let value = objective.risk.of(values, objective.sense)?;
    let (_, standard_error) = mean_and_error(&objective.risk.contributions(values, objective.sense)?);
    Ok(Estimate { value, standard_error })
}

fn ninety(values: &[f64]) -> Result<(f64, f64), TrialError> {
    match quantiles(values, &[0.05, 0.95])?.as_slice() {
        [low, high] => Ok((*low, *high)),
        _ => Err(TrialError::Empty { what: "the list of draws" }),
    }
}

/// A plan against the standard, draw by draw, by one endpoint.
fn against(objective: &Objective, evaluation: &Evaluation, plan: usize, endpoint: usize) -> Result<Gain, TrialError> {
    let difference = minus(evaluation.values(plan, endpoint), evaluation.values(STANDARD, endpoint));
    let gained: Vec<f64> = difference.into_iter().map(|value| objective.sense.gain(value)).collect();
    let (value, standard_error) = mean_and_error(&gained);
    let share = |holds: &dyn Fn(f64) -> bool| gained.iter().filter(|gain| holds(**gain)).count() as f64 / gained.len() as f64;
    Ok(Gain {
        mean: Estimate { value, standard_error },
        ninety: ninety(&gained)?,
        better: share(&|gain| gain > 0.0),
        worse: share(&|gain| gain < 0.0),
    })
}

fn chances(question: &Question, evaluation: &Evaluation, plan: usize) -> Vec<(String, f64)> {
    let kept = |(number, chance): (usize, &super::Chance)| (chance.name.clone(), chance.kept(evaluation.values(plan, 1 + number)));
    question.chances.iter().enumerate().map(kept).collect()
}

fn effects(question: &Question, evaluation: &Evaluation, plan: usize) -> Result<Vec<Effect>, TrialError> {
    let effect = |(number, effect): (usize, &Objective)| {
        let endpoint = 1 + question.chances.len() + number;
        let values = evaluation.values(plan, endpoint);
        Ok(Effect {
            name: effect.endpoint.name().to_owned(),
            sense: effect.sense,
            score: score(effect, values)?,
            ninety: ninety(values)?,
            gain: against(effect, evaluation, plan, endpoint)?,
        })
    };
    question.effects.iter().enumerate().map(effect).collect()
}
