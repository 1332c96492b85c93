//! Advice on the record: from a recommendation to the patient's timeline, and back to how good past advice was.

use super::{Recommendation, Verdict};
use crate::TrialError;
use twin_core::{Advice, AdvisedPlan, Choice, ClinicalDecision, Event, Proportion, RealizedOutcome, Timeline};

impl Recommendation {
    /// The recommendation as advice for the patient's record: the plans within the limits. `unit` is the UCUM unit of the objective.
    ///
    /// # Errors
    /// [`TrialError::Core`] if a number of it is not finite.
    pub fn advice(&self, id: impl Into<String>, unit: impl Into<String>) -> Result<Advice, TrialError> {
        let plan = |ranked: &super::Ranked| {
            Ok(AdvisedPlan {
                plan: ranked.plan.clone(),
                probability_best: Proportion::new(ranked.probability_best.clamp(0.0, 1.0))?, // a sum of shares may round past 1
                expected: ranked.score.value,
                low: ranked.ninety.0,
                high: ranked.ninety.1,
            })
        };
        let recommended = match &self.verdict {
            Verdict::Recommended { plan } => Some(plan.clone()),
            Verdict::NotConfident { .. } => None,
        };
        let plans = self.ranked.iter().map(plan).collect::<Result<_, TrialError>>()?;
        let (objective, standard) = (self.objective.clone(), self.standard.clone());
        let advice = Advice { id: id.into(), objective, unit: unit.into(), standard, recommended, plans };
        advice.check()?;
        Ok(advice)
    }
}

/// How past advice fared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Audit {
    /// How often advice was given.
    pub advised: usize,
    /// How often without a confident recommendation.
    pub not_confident: usize,
    /// How often it was accepted.
    pub accepted: usize,
    /// How often something else was chosen.
    pub changed: usize,
    /// How often the decision was postponed.
    pub postponed: usize,
    /// How many outcomes of plans that had been advised are known well enough to be held against what was foreseen.
    pub judged: usize,
    /// How many of those lie between the bounds that had been foreseen with 90 %.
    pub within: usize,
    /// Outcomes that still run, or of plans that had not been advised.
    pub open: usize,
}

/// Holds the outcomes on `timelines` against the advice that they followed. The last decision on an advice, and its last outcome, count.
///
/// # Errors
/// [`TrialError::UnknownName`] for a decision or an outcome of advice that is not on the same timeline.
pub fn audit<'a>(timelines: impl IntoIterator<Item = &'a Timeline>) -> Result<Audit, TrialError> {
    let mut audit = Audit::default();
    for timeline in timelines {
        let (mut given, mut decided, mut came) =
            (Vec::<&Advice>::new(), Vec::<&ClinicalDecision>::new(), Vec::<&RealizedOutcome>::new());
        for entry in timeline.entries() {
            match &entry.event {
                Event::Advice(advice) => given.push(advice),
                Event::Decision(decision) => decided.push(decision),
                Event::Outcome(outcome) => came.push(outcome),
                _ => {}
            }
        }
        let referred = decided.iter().map(|decision| &decision.advice).chain(came.iter().map(|outcome| &outcome.advice));
        for name in referred {
            if !given.iter().any(|advice| advice.id == *name) {
                let known = given.iter().map(|advice| advice.id.clone()).collect();
                return Err(TrialError::UnknownName { name: name.clone(), known });
            }
        }
        for advice in given {
            let decision = decided.iter().rev().find(|decision| decision.advice == advice.id);
            let outcome = came.iter().rev().find(|outcome| outcome.advice == advice.id);
            audit.take(advice, decision.copied(), outcome.copied());
        }
    }
    Ok(audit)
}

impl Audit {
    fn take(&mut self, advice: &Advice, decision: Option<&ClinicalDecision>, outcome: Option<&RealizedOutcome>) {
        self.advised += 1;
        self.not_confident += usize::from(advice.recommended.is_none());
        let chosen = match decision.map(|decision| &decision.choice) {
            Some(Choice::Accepted) => {
                self.accepted += 1;
                advice.recommended.as_deref()
            }
            Some(Choice::Changed { plan }) => {
                self.changed += 1;
                Some(plan.as_str())
            }
            Some(Choice::Postponed) => {
                self.postponed += 1;
                None
            }
            _ => None,
        };
        let Some(outcome) = outcome else { return };
        match chosen.and_then(|name| advice.plan(name)) {
            // What still runs can already be too long, but not yet too short.
            Some(plan) if outcome.is_final || outcome.value > plan.high => {
                self.judged += 1;
                self.within += usize::from((plan.low..=plan.high).contains(&outcome.value));
            }
            _ => self.open += 1,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::{Provenance, Time};

    fn advice(id: &str, recommended: Option<&str>) -> Event {
        let plan = |name: &str, expected: f64| AdvisedPlan {
            plan: name.to_owned(),
            probability_best: Proportion::new(0.5).unwrap(),
            expected,
            low: expected - 10.0,
            high: expected + 10.0,
        };
        Event::Advice(Advice {
            id: id.to_owned(),
            objective: "time to progression".to_owned(),
            unit: "d".to_owned(),
            standard: "a".to_owned(),
            recommended: recommended.map(str::to_owned),
            plans: vec![plan("a", 100.0), plan("b", 200.0)],
        })
    }

    fn decision(advice: &str, choice: Choice) -> Event {
        Event::Decision(ClinicalDecision { advice: advice.to_owned(), choice, reason: "as discussed".to_owned() })
    }

    fn outcome(advice: &str, value: f64, is_final: bool) -> Event {
        Event::Outcome(RealizedOutcome { advice: advice.to_owned(), value, is_final })
    }

    fn timeline(events: impl IntoIterator<Item = Event>) -> Timeline {
        let mut timeline = Timeline::new();
        for (day, event) in events.into_iter().enumerate() {
            timeline.record(Time::from_days(day as f64).unwrap(), event, Provenance::reported("board"));
        }
        timeline
    }

    #[test]
    fn outcomes_are_held_against_the_plan_that_was_chosen() {
        let changed = || Choice::Changed { plan: "b".to_owned() };
        let records = [
            timeline([advice("1", Some("a")), decision("1", Choice::Accepted), outcome("1", 95.0, true)]),
            timeline([advice("1", Some("a")), decision("1", changed()), outcome("1", 95.0, true)]), // b was to last 190 to 210
            timeline([advice("1", Some("b")), decision("1", Choice::Accepted), outcome("1", 95.0, false)]), // still runs
            timeline([advice("1", Some("a")), decision("1", Choice::Accepted), outcome("1", 111.0, false)]), // already too long
            timeline([advice("1", None), decision("1", Choice::Postponed)]),
        ];
        let expected = Audit { advised: 5, not_confident: 1, accepted: 3, changed: 1, postponed: 1, judged: 3, within: 1, open: 1 };
        assert_eq!(audit(&records).unwrap(), expected);
        assert!(matches!(audit(&[timeline([outcome("2", 1.0, true)])]), Err(TrialError::UnknownName { .. })));
    }

    #[test]
    fn advice_stays_on_the_record() {
        let record = timeline([advice("1", Some("a")), decision("1", Choice::Accepted)]);
        assert_eq!(record.entries().len(), 2);
        let Event::Advice(given) = &record.entries()[0].event else { unreachable!() };
        assert!(given.check().is_ok());
        let mut foreign = given.clone();
        foreign.recommended = Some("c".to_owned());
        assert!(foreign.check().is_err());
    }
}
