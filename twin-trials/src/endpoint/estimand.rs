//! Estimands: an endpoint together with what is done about intercurrent events.

use super::{Endpoint, Outcome};
use crate::{Course, Trigger};
use std::sync::Arc;
use twin_core::Agent;

/// What may happen between the start and the outcome that changes what the outcome means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum IntercurrentEvent {
    /// The trigger of a [`Crossover`](crate::Crossover): rescue begins.
    Crossover(Trigger),
    /// The first dose of a drug, or the start of continuous therapy with it.
    Started(Agent),
    /// The policy ended the course before the horizon.
    Discontinued,
}

impl IntercurrentEvent {
    /// Days after the policy took over; `None` if it did not happen.
    #[must_use]
    pub fn day(&self, course: &Course) -> Option<f64> {
        let time = match self {
            Self::Crossover(trigger) => trigger.first(course.seen(&trigger.marker).into_iter()),
            Self::Started(agent) => {
                let starts = |given: &&twin_core::TimedTreatment| match &given.treatment {
                    twin_core::Treatment::Continuous { agent: other, intensity } => other == agent && intensity.value() > 0.0,
                    other => other.agent() == Some(agent),
                };
                course.treatments.iter().find(starts).map(|given| given.time)
            }
            Self::Discontinued => course.stopped.as_ref().map(|_| course.end),
        };
        time.map(|time| (time - course.since).days())
    }
}

/// What is done about an intercurrent event (ICH E9(R1) 2019).
///
/// The hypothetical strategy, "had it not happened", needs no assumption here: give the trial a further arm in which it cannot happen, and
/// compare with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// The outcome counts whatever happened.
    TreatmentPolicy,
    /// What happens afterwards does not count: a time to an event is censored there; a number is not evaluable.
    WhileOnTreatment,
    /// The intercurrent event counts as the event; a number is taken to be this endpoint's failure, and not evaluable.
    Composite,
}

/// An endpoint with a strategy for one kind of intercurrent event.
#[derive(Clone)]
pub struct Estimand {
    /// Its name.
    pub name: String,
    /// The endpoint.
    pub endpoint: Arc<dyn Endpoint>,
    /// The intercurrent event.
    pub event: IntercurrentEvent,
    /// What is done about it.
    pub strategy: Strategy,
}

impl std::fmt::Debug for Estimand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Estimand({}, {:?}, {:?})", self.name, self.event, self.strategy)
    }
}

impl Estimand {
    /// `endpoint` under `strategy` for `event`, called after the endpoint and the strategy.
    #[must_use]
    pub fn new(endpoint: impl Endpoint + 'static, event: IntercurrentEvent, strategy: Strategy) -> Self {
        let how = match strategy {
            Strategy::TreatmentPolicy => "treatment policy",
            Strategy::WhileOnTreatment => "while on treatment",
            Strategy::Composite => "composite",
        };
        Self { name: format!("{}, {how}", endpoint.name()), endpoint: Arc::new(endpoint), event, strategy }
    }
}

impl Endpoint for Estimand {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let outcome = self.endpoint.assess(course);
        let Some(day) = self.event.day(course) else { return outcome };
        match (self.strategy, outcome) {
            (Strategy::TreatmentPolicy, outcome) => outcome,
            // What happens on the day itself was seen before anything else was done.
            (_, Outcome::Event(time)) if time <= day => outcome,
            (_, Outcome::Censored(time)) if time < day => outcome,
            (Strategy::WhileOnTreatment, Outcome::Event(_) | Outcome::Censored(_)) => Outcome::Censored(day),
            (Strategy::Composite, Outcome::Event(_) | Outcome::Censored(_)) => Outcome::Event(day),
            (_, _) => Outcome::NotEvaluable,
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::{FromList, TimeToProgression, Trial, VirtualPatient, Withheld, course};
    use twin_core::{Observable, Span};
    use twin_models::{Model, clones};

    /// An untreated tumor, seen every week.
    fn untreated() -> Course {
        let drug = Agent::new("drug").unwrap();
        let model = Arc::new(clones::sensitive_resistant(drug.clone()));
        let defaults = model.spec().defaults().unwrap().with("initial_burden", 0.2).unwrap();
        let trial = Trial::new(model, FromList(vec![VirtualPatient::new(defaults)]), 1)
            .arm("none", Withheld { agent: drug })
            .measure(Observable::PSA)
            .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 2.0))
            .visits(Span::WEEK, Span::from_weeks(52.0).unwrap());
        course(&trial, "none", 0).unwrap()
    }

    #[test]
    fn each_strategy_does_what_it_says() {
        let (course, endpoint) = (untreated(), TimeToProgression::of(Observable::TUMOR_BURDEN, 2.0));
        let event = IntercurrentEvent::Crossover(Trigger::new(Observable::PSA, 1.3));
        let day = event.day(&course).unwrap();
        let Outcome::Event(progression) = endpoint.assess(&course) else { panic!("no progression") };
        assert!(day < progression);
        let of = |strategy| Estimand::new(endpoint.clone(), event.clone(), strategy).assess(&course);
        assert_eq!(of(Strategy::TreatmentPolicy), Outcome::Event(progression));
        assert_eq!(of(Strategy::WhileOnTreatment), Outcome::Censored(day));
        assert_eq!(of(Strategy::Composite), Outcome::Event(day));
        // An intercurrent event after the outcome changes nothing; one that never comes neither.
        let late = IntercurrentEvent::Crossover(Trigger::new(Observable::PSA, 3.0));
        assert_eq!(Estimand::new(endpoint.clone(), late, Strategy::Composite).assess(&course), Outcome::Event(progression));
        let never = IntercurrentEvent::Discontinued;
        assert_eq!(Estimand::new(endpoint, never, Strategy::WhileOnTreatment).assess(&course), Outcome::Event(progression));
    }
}
