//! Rollout: a policy that looks ahead before every decision.

use super::{Objective, evaluate};
use crate::{Decision, FromList, History, Policy, Trial, TrialError, VirtualPatient};
use std::fmt;
use std::sync::Arc;
use twin_core::{Span, Time, TimedTreatment, Treatment};

/// Tries every choice on the virtual twins before it decides: each is made now, stands until the next decision, and is followed by a base policy, and the one that serves the
/// objective best is taken. One step of policy iteration: with a certain twin and a choice of what the base policy would do, it is hardly
/// ever worse than the base policy, and often much better (Bertsekas, Tsitsiklis and Wu 1997, doi:10.1023/A:1009635226865).
///
/// The twins keep their belief: what is observed on the way reaches the base policy, but does not update the draws. Between decisions
/// nothing is changed. If a course of the look-ahead cannot go on, the policy stops with the reason, and the course counts as failed.
#[derive(Clone)]
pub struct Rollout {
    /// How the future is looked at: model, measurements, visits, how far ahead, seed; the cohort is not used. Arms and endpoints are empty.
    pub setting: Trial,
    /// The virtual twins as they were when the policy took over: parameters and past.
    pub twins: Vec<VirtualPatient>,
    /// What can be done at a decision.
    pub choices: Vec<Vec<Treatment>>,
    /// What is done afterwards, in the look-ahead.
    pub base: Arc<dyn Policy>,
    /// What is sought, counted from the decision.
    pub objective: Objective,
    /// The least time between decisions.
    pub every: Span,
}

impl fmt::Debug for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rollout")
            .field("setting", &self.setting)
            .field("twins", &self.twins.len())
            .field("choices", &self.choices)
            .finish()
    }
}

/// The base policy, but the choice that is tried stands until the next decision.
struct Afterwards {
    base: Arc<dyn Policy>,
    from: Time,
}

impl Policy for Afterwards {
    fn decide(&self, history: &History<'_>) -> Decision {
        if history.now < self.from { Decision::none() } else { self.base.decide(history) }
    }
}

impl Rollout {
    /// What each choice comes to from now on.
    ///
    /// # Errors
    /// As [`evaluate`].
    fn values(&self, history: &History<'_>) -> Result<Vec<f64>, TrialError> {
        let afterwards = Afterwards { base: Arc::clone(&self.base), from: history.now + self.every };
        let plan = [super::Plan { name: "base".to_owned(), strategy: super::Strategy::Adaptive(Arc::new(afterwards)) }];
        let value = |choice: &Vec<Treatment>| {
            let twin = |twin: &VirtualPatient| {
                let chosen = choice.iter().map(|treatment| TimedTreatment::new(history.now, treatment.clone()));
                VirtualPatient {
                    since: history.now,
                    past_treatments: history.treatments.iter().cloned().chain(chosen).collect(),
                    past_observations: history.observations.into(),
                    ..twin.clone()
                }
            };
            let twins: Vec<VirtualPatient> = self.twins.iter().map(twin).collect();
            let setting = Trial { size: twins.len(), cohort: Arc::new(FromList(twins)), ..self.setting.clone() };
            let evaluation = evaluate(&setting, &plan, &[Arc::clone(&self.objective.endpoint)])?;
            Ok(self.objective.sense.gain(self.objective.risk.of(evaluation.values(0, 0), self.objective.sense)?))
        };
        self.choices.iter().map(value).collect()
    }

    /// When a choice was made last.
    fn last(&self, history: &History<'_>) -> Option<Time> {
        let chosen = |given: &&TimedTreatment| self.choices.iter().flatten().any(|treatment| *treatment == given.treatment);
        history.treatments.iter().rev().find(chosen).map(|given| given.time).filter(|time| *time >= history.since)
    }
}

impl Policy for Rollout {
    fn decide(&self, history: &History<'_>) -> Decision {
        if self.last(history).is_some_and(|last| history.now < last + self.every) {
            return Decision::none();
        }
        match self.values(history) {
            Err(error) => Decision::stop(format!("the look-ahead could not go on: {error}")),
            Ok(values) => {
                // Of equal choices the first.
                let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
                let choice = best.and_then(|(place, _)| self.choices.get(place)).cloned().unwrap_or_default();
                Decision { treatments: choice, ..Decision::none() }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Plan;
    use super::*;
    use crate::{Continuous, Endpoint, Reference, TimeToProgression};
    use twin_core::{Agent, Observable};
    use twin_models::{Model, clones};

    const STEP: f64 = 20.0;
    const STEPS: usize = 12;

    fn drug() -> Agent {
        Agent::new("abiraterone").unwrap()
    }

    /// Days until the burden exceeds 0.9, where the drug can be switched at every visit.
    fn progression() -> TimeToProgression {
        TimeToProgression { reference: Reference::Fixed(0.9), ..TimeToProgression::of(Observable::TUMOR_BURDEN, 1.0) }
    }

    fn setting() -> Trial {
        let model = Arc::new(clones::sensitive_resistant(drug()));
        let p = model.spec().defaults().unwrap().with("initial_burden", 0.75).unwrap().with("initial_resistance", 0.3).unwrap();
        let span = |days| Span::from_days(days).unwrap();
        Trial::new(model, FromList(vec![VirtualPatient::new(p)]), 1)
            .measure(Observable::TUMOR_BURDEN)
            .visits(span(STEP), span(STEP * STEPS as f64))
    }

    fn lasts(plan: Plan) -> f64 {
        evaluate(&setting(), &[plan], &[Arc::new(progression()) as Arc<dyn Endpoint>]).unwrap().values(0, 0)[0]
    }

    #[test]
    fn looking_ahead_does_as_well_as_the_best_of_all_courses() {
        // Every course of switching on and off, by exhaustion.
        let best = (0..1_u32 << STEPS)
            .map(|bits| {
                let at = |step: usize| {
                    let (now, on) = (Time::from_days(STEP * step as f64).unwrap(), bits >> step & 1 == 1);
                    TimedTreatment::new(now, if on { Treatment::on(drug()) } else { Treatment::off(drug()) })
                };
                lasts(Plan::fixed("course", (0..STEPS).map(at)))
            })
            .fold(0.0, f64::max);
        let base = Continuous { agent: drug() };
        let patient = setting().patient(0).unwrap();
        let rollout = Rollout {
            setting: setting(),
            twins: vec![patient],
            choices: vec![vec![Treatment::on(drug())], vec![Treatment::off(drug())]],
            base: Arc::new(base.clone()),
            objective: Objective::most(progression()),
            every: Span::from_days(STEP).unwrap(),
        };
        let (ahead, alone) = (lasts(Plan::adaptive("rollout", rollout)), lasts(Plan::adaptive("base", base)));
        assert!(best < STEP * STEPS as f64, "the horizon is too short to tell: {best}");
        assert!(ahead >= best && best > alone, "rollout {ahead}, best {best}, base {alone}");
    }
}
