//! One virtual patient's course under one arm.

use std::sync::Arc;
use twin_core::{Agent, Observable, Observation, Span, Time, TimedTreatment, Treatment};

/// What happened to one virtual patient under one arm, from the moment the policy took over.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// When the policy took over.
    pub since: Time,
    /// When the course ended: its last visit.
    pub end: Time,
    /// Why it ended before the horizon, if it did.
    pub stopped: Option<String>,
    /// When the policy looked.
    pub visits: Vec<Time>,
    /// The observables of the model, in order.
    pub observables: Vec<Observable>,
    /// What was there at each visit (visits × observables), in the units of the model, before the visit's treatment.
    pub values: Vec<f64>,
    /// What was observed at the visits, errors included, in order, in the units of [`History`](crate::History). The first visit's
    /// include what the patient's past has of that time.
    pub observed: Vec<(Time, Observation)>,
    /// What was done before the policy took over, in order.
    pub past: Arc<[TimedTreatment]>,
    /// What was done since the policy took over, in order.
    pub treatments: Vec<TimedTreatment>,
    /// The intensity of each continuous therapy that was under way when the policy took over.
    pub inherited: Vec<(Agent, f64)>,
    /// A seed of the patient's own, the same in every arm, for endpoints that are chance.
    pub chance: u64,
}

impl Course {
    /// The true values of `observable` with their times; `None` if the model does not have it.
    #[must_use]
    pub fn truth(&self, observable: &Observable) -> Option<Vec<(Time, f64)>> {
        let width = self.observables.len();
        let place = self.observables.iter().position(|candidate| candidate == observable)?;
        Some(self.visits.iter().copied().zip(self.values.iter().skip(place).step_by(width.max(1)).copied()).collect())
    }

    /// The observed values of `observable` with their times; a censored one counts as its limit.
    #[must_use]
    pub fn seen(&self, observable: &Observable) -> Vec<(Time, f64)> {
        let seen = self.observed.iter().filter(|(_, observation)| observation.observable == *observable);
        seen.filter_map(|(time, observation)| Some((*time, observation.finding.quantity()?.value()))).collect()
    }

    /// The periods of continuous therapy with `agent`: from, until, and intensity (above 0).
    #[must_use]
    pub fn periods(&self, agent: &Agent) -> Vec<(Time, Time, f64)> {
        let mut level = self.inherited.iter().find(|(other, _)| other == agent).map_or(0.0, |(_, level)| *level);
        let (mut from, mut periods) = (self.since, Vec::new());
        let mut close = |from: Time, until: Time, level: f64| {
            if level > 0.0 && until > from {
                periods.push((from, until, level));
            }
        };
        for given in &self.treatments {
            if let Treatment::Continuous { agent: other, intensity } = &given.treatment
                && other == agent
            {
                close(from, given.time, level);
                (from, level) = (given.time, intensity.value());
            }
        }
        close(from, self.end, level);
        periods
    }

    /// The time on continuous therapy with `agent`, weighted by its intensity.
    #[must_use]
    pub fn exposure(&self, agent: &Agent) -> Span {
        self.periods(agent).into_iter().fold(Span::ZERO, |sum, (from, until, level)| {
            // A share of a span between two times is a span.
            sum + Span::from_days((until - from).days() * level).unwrap_or(Span::ZERO)
        })
    }
}
