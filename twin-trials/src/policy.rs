//! Policies: what to do next, given what has been seen.

use std::sync::Arc;
use twin_core::{Agent, Observable, Observation, Span, Time, TimedTreatment, Treatment};

/// Decides what is done at a visit. It sees only what a clinician sees, so it can be replayed on the same history.
pub trait Policy: Send + Sync {
    /// What to do now.
    fn decide(&self, history: &History<'_>) -> Decision;
}

impl<F: Fn(&History<'_>) -> Decision + Send + Sync> Policy for F {
    fn decide(&self, history: &History<'_>) -> Decision {
        self(history)
    }
}

/// What has been seen and done up to now. The observations of this visit are already in it.
///
/// All numbers of one observable share one unit: its customary one (PSA is in ng/mL, whatever the model or the chart used), or that
/// of the model for an observable that has none.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// When the policy took over.
    pub since: Time,
    /// This visit.
    pub now: Time,
    /// The visit before; `None` at the first.
    pub previous: Option<Time>,
    /// Everything observed up to now, in order.
    pub observations: &'a [(Time, Observation)],
    /// Everything done up to now, in order.
    pub treatments: &'a [TimedTreatment],
}

impl History<'_> {
    /// The numbers seen of `observable`, all in one unit; a censored one counts as its limit.
    pub fn numbers<'b>(&'b self, observable: &'b Observable) -> impl DoubleEndedIterator<Item = (Time, f64)> + 'b {
        let seen = move |(time, observation): &'b (Time, Observation)| {
            let quantity = (observation.observable == *observable).then(|| observation.finding.quantity()).flatten()?;
            Some((*time, quantity.value()))
        };
        self.observations.iter().filter_map(seen)
    }

    /// The last number seen of `observable`.
    #[must_use]
    pub fn last(&self, observable: &Observable) -> Option<f64> {
        self.numbers(observable).next_back().map(|(_, value)| value)
    }

    /// The number seen of `observable` when the policy took over: the last one at or before that, else the first one after.
    #[must_use]
    pub fn baseline(&self, observable: &Observable) -> Option<f64> {
        let before = self.numbers(observable).take_while(|(time, _)| *time <= self.since).last();
        before.or_else(|| self.numbers(observable).next()).map(|(_, value)| value)
    }

    /// Whether continuous therapy with `agent` is on.
    #[must_use]
    pub fn is_on(&self, agent: &Agent) -> bool {
        let set = self.treatments.iter().rev().find_map(|given| match &given.treatment {
            Treatment::Continuous { agent: other, intensity } if other == agent => Some(intensity.value() > 0.0),
            _ => None,
        });
        set.unwrap_or(false)
    }

    /// Whether this is the visit at which the policy took over.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.previous.is_none()
    }
}

/// What a policy decides at a visit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// What is done now, in order.
    pub treatments: Vec<Treatment>,
    /// What will be done later, each at its time, whether or not there is a visit then; nothing before now.
    pub scheduled: Vec<TimedTreatment>,
    /// Why the course ends here, if it does.
    pub stop: Option<String>,
}

impl Decision {
    /// Everything goes on as it is.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// `treatment` is given now.
    #[must_use]
    pub fn give(treatment: Treatment) -> Self {
        Self { treatments: vec![treatment], ..Self::default() }
    }

    /// The course ends here.
    #[must_use]
    pub fn stop(reason: impl Into<String>) -> Self {
        Self { stop: Some(reason.into()), ..Self::default() }
    }

    /// `treatments` are given, each at its time.
    #[must_use]
    pub fn schedule(treatments: impl IntoIterator<Item = TimedTreatment>) -> Self {
        Self { scheduled: treatments.into_iter().collect(), ..Self::default() }
    }
}

/// Full dose without a break, from the first visit on.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuous {
    /// The drug.
    pub agent: Agent,
}

impl Policy for Continuous {
    fn decide(&self, history: &History<'_>) -> Decision {
        if history.is_on(&self.agent) { Decision::none() } else { Decision::give(Treatment::on(self.agent.clone())) }
    }
}

/// No drug from the first visit on.
#[derive(Debug, Clone, PartialEq)]
pub struct Withheld {
    /// The drug.
    pub agent: Agent,
}

impl Policy for Withheld {
    fn decide(&self, history: &History<'_>) -> Decision {
        if history.is_on(&self.agent) { Decision::give(Treatment::off(self.agent.clone())) } else { Decision::none() }
    }
}

/// Adaptive therapy: the drug stops when the marker has fallen to a share of its reference, and resumes when it is back at another.
///
/// With shares 0.5 and 1 this is the protocol of Zhang et al. 2017, doi:10.1038/s41467-017-01968-5 (abiraterone stops at half the
/// starting PSA and resumes at the starting PSA); `stop_at` is the threshold varied by Strobl et al. 2021,
/// doi:10.1158/0008-5472.CAN-20-0806. At the first visit the drug is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptive {
    /// The drug.
    pub agent: Agent,
    /// The marker.
    pub marker: Observable,
    /// The share of the reference at or below which the drug stops.
    pub stop_at: f64,
    /// The share of the reference at or above which it resumes.
    pub resume_at: f64,
    /// The reference, in the unit of the [`History`]; by default the marker when the policy took over.
    pub reference: Option<f64>,
}

impl Adaptive {
    /// Stop at half the starting value, resume at the starting value.
    #[must_use]
    pub fn half(agent: Agent, marker: Observable) -> Self {
        Self { agent, marker, stop_at: 0.5, resume_at: 1.0, reference: None }
    }
}

impl Policy for Adaptive {
    fn decide(&self, history: &History<'_>) -> Decision {
        let on = history.is_on(&self.agent);
        let reference = self.reference.or_else(|| history.baseline(&self.marker));
        let (Some(reference), Some(value)) = (reference, history.last(&self.marker)) else {
            return Decision::none(); // nothing was seen yet: change nothing
        };
        if on && value <= self.stop_at * reference {
            Decision::give(Treatment::off(self.agent.clone()))
        } else if !on && (value >= self.resume_at * reference || (history.is_first() && value > self.stop_at * reference)) {
            Decision::give(Treatment::on(self.agent.clone()))
        } else {
            Decision::none()
        }
    }
}

/// Intermittent therapy by the protocol of Bruchovsky et al. 2006, doi:10.1002/cncr.21989: on for a fixed induction, then off if the
/// marker has fallen far enough, and on again when it has risen to a threshold.
///
/// It takes a patient as it finds one: who is off the drug stays off until the marker has risen to the threshold, and the induction of who
/// is on counts from when the drug was last switched on.
#[derive(Debug, Clone, PartialEq)]
pub struct Intermittent {
    /// The drug.
    pub agent: Agent,
    /// The marker.
    pub marker: Observable,
    /// How long the drug is on before it may stop.
    pub induction: Span,
    /// The marker at or below which it then stops, in the unit of the [`History`].
    pub stop_below: f64,
    /// The marker at or above which it resumes, in the unit of the [`History`].
    pub resume_above: f64,
}

impl Intermittent {
    /// The protocol of the trial: 36 weeks on, off if the PSA is 4 ng/mL or less, on again at 10 ng/mL.
    ///
    /// # Errors
    /// None: the fixed numbers are valid; the result is that of [`Span::from_weeks`].
    pub fn bruchovsky(agent: Agent) -> Result<Self, twin_core::CoreError> {
        let induction = Span::from_weeks(36.0)?;
        Ok(Self { agent, marker: Observable::PSA, induction, stop_below: 4.0, resume_above: 10.0 })
    }

    /// Since when the drug is on.
    fn on_since(&self, history: &History<'_>) -> Option<Time> {
        let mut since = None;
        for given in history.treatments {
            if let Treatment::Continuous { agent, intensity } = &given.treatment
                && *agent == self.agent
            {
                since = if intensity.value() > 0.0 { since.or(Some(given.time)) } else { None };
            }
        }
        since
    }
}

impl Policy for Intermittent {
    fn decide(&self, history: &History<'_>) -> Decision {
        let Some(value) = history.last(&self.marker) else {
            return Decision::none();
        };
        match self.on_since(history) {
            Some(since) if history.now >= since + self.induction && value <= self.stop_below => {
                Decision::give(Treatment::off(self.agent.clone()))
            }
            None if value >= self.resume_above => Decision::give(Treatment::on(self.agent.clone())),
            _ => Decision::none(),
        }
    }
}

/// Gives what was fixed in advance, each at its own time, which counts from when the policy took over.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan, in any order.
    pub treatments: Arc<[TimedTreatment]>,
}

impl Policy for Planned {
    fn decide(&self, history: &History<'_>) -> Decision {
        if !history.is_first() {
            return Decision::none();
        }
        let at = |planned: &TimedTreatment| history.since + (planned.time - Time::ORIGIN);
        Decision::schedule(self.treatments.iter().map(|planned| TimedTreatment::new(at(planned), planned.treatment.clone())))
    }
}
