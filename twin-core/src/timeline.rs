//! The ordered history of one patient.

use crate::{Advice, ClinicalDecision, Observable, Observation, Provenance, RealizedOutcome, Time, TimedTreatment, Treatment};
use serde::{Deserialize, Serialize};

/// Something that happened to a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Event {
    /// Something was observed.
    Observation(Observation),
    /// Something was done.
    Treatment(Treatment),
    /// A twin gave advice.
    Advice(Advice),
    /// A clinician decided on it.
    Decision(ClinicalDecision),
    /// The outcome of what was decided became known.
    Outcome(RealizedOutcome),
}

impl Event {
    /// At equal times what was observed comes first, then what was advised, what was decided, and what was done.
    fn rank(&self) -> u8 {
        match self {
            Self::Observation(_) => 0,
            Self::Outcome(_) => 1,
            Self::Advice(_) => 2,
            Self::Decision(_) => 3,
            Self::Treatment(_) => 4,
        }
    }
}

/// An event with its time and its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub event: Event,
    /// Where that is known from.
    pub provenance: Provenance,
}

/// Events in the order of time; at equal times observations before treatments, and within a kind in the order they were recorded.
///
/// ```
/// use twin_core::{Agent, Event, Observable, Observation, Provenance, Time, Timeline, Treatment};
/// let mut timeline = Timeline::new();
/// let day = Time::from_days(28.0)?;
/// timeline.record(day, Event::Treatment(Treatment::on(Agent::new("abiraterone")?)), Provenance::reported("chart"));
/// timeline.record(day, Event::Observation(Observation::number(Observable::PSA, 4.2, "ng/mL")?), Provenance::measured("lab"));
/// assert!(matches!(timeline.entries()[0].event, Event::Observation(_)));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Vec<Entry>"))]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl From<Vec<Entry>> for Timeline {
    fn from(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| (entry.time, entry.event.rank())); // a stable sort
        Self { entries }
    }
}

impl From<Timeline> for Vec<Entry> {
    fn from(timeline: Timeline) -> Self {
        timeline.entries
    }
}

impl FromIterator<Entry> for Timeline {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl Timeline {
    /// A timeline on which nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records `event` at `time`, after everything of its kind already recorded at that time.
    pub fn record(&mut self, time: Time, event: Event, provenance: Provenance) {
        let key = (time, event.rank());
        let place = self.entries.partition_point(|entry| (entry.time, entry.event.rank()) <= key);
        self.entries.insert(place, Entry { time, event, provenance });
    }

    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether nothing has happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The times of the first and the last entry.
    #[must_use]
    pub fn extent(&self) -> Option<(Time, Time)> {
        Some((self.entries.first()?.time, self.entries.last()?.time))
    }

    /// The observations with their times, in order.
    pub fn observations(&self) -> impl DoubleEndedIterator<Item = (Time, &Observation)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Observation(observation) => Some((entry.time, observation)),
            _ => None,
        })
    }

    /// The observations of one observable with their times, in order.
    pub fn observations_of<'a>(&'a self, observable: &'a Observable) -> impl DoubleEndedIterator<Item = (Time, &'a Observation)> {
        self.observations().filter(move |(_, observation)| observation.observable == *observable)
    }

    /// The treatments with their times, in order.
    #[must_use]
    pub fn treatments(&self) -> Vec<TimedTreatment> {
        let timed = |entry: &Entry| match &entry.event {
            Event::Treatment(treatment) => Some(TimedTreatment::new(entry.time, treatment.clone())),
            _ => None,
        };
        self.entries.iter().filter_map(timed).collect()
    }

    /// The history known at `time`: everything up to it, what happened at it included.
    #[must_use]
    pub fn until(&self, time: Time) -> Self {
        let known = self.entries.partition_point(|entry| entry.time <= time);
        Self { entries: self.entries.iter().take(known).cloned().collect() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Agent;
    use proptest::prelude::*;

    fn entry(day: u8, marker: usize, observed: bool) -> Entry {
        let event = if observed {
            Event::Observation(Observation::number(Observable::PSA, 1.0, "ng/mL").unwrap())
        } else {
            Event::Treatment(Treatment::on(Agent::new("drug").unwrap()))
        };
        Entry { time: Time::from_days(f64::from(day)).unwrap(), event, provenance: Provenance::measured(marker.to_string()) }
    }

    proptest! {
        #[test]
        fn order_is_by_time_then_kind_then_record(days in proptest::collection::vec((0_u8..5, any::<bool>()), 0..40)) {
            let entries: Vec<_> = days.iter().enumerate().map(|(i, (day, observed))| entry(*day, i, *observed)).collect();
            let whole: Timeline = entries.clone().into();
            let mut one_by_one = Timeline::new();
            for entry in entries {
                one_by_one.record(entry.time, entry.event, entry.provenance);
            }
            prop_assert_eq!(&whole, &one_by_one);
            let key = |e: &Entry| (e.time, e.event.rank(), e.provenance.source.parse::<usize>().unwrap());
            prop_assert!(whole.entries().windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
            prop_assert_eq!(whole.entries().len(), days.len());
        }

        #[test]
        fn until_keeps_the_past_and_only_the_past(days in proptest::collection::vec(0_u8..9, 0..30), cut in 0_u8..9) {
            let whole: Timeline = days.iter().map(|day| entry(*day, 0, true)).collect();
            let known = whole.until(Time::from_days(f64::from(cut)).unwrap());
            prop_assert_eq!(known.entries().len(), days.iter().filter(|day| **day <= cut).count());
        }
    }
}
