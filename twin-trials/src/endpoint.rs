//! Endpoints: what a course comes to.

pub mod ctcae;
mod death;
mod estimand;
pub mod psa;
mod quality;
pub mod rano;
pub mod recist;

pub use death::Death;
pub use estimand::{Estimand, IntercurrentEvent, Strategy};
pub use quality::QualityAdjustedTime;

use crate::Course;
use serde::{Deserialize, Serialize};
use twin_core::{Agent, Observable, Time, Treatment};

/// Something that is assessed on a whole course.
pub trait Endpoint: Send + Sync {
    /// Its name, as it stands in a report.
    fn name(&self) -> &str;

    /// What the course comes to.
    fn assess(&self, course: &Course) -> Outcome;
}

/// What a course came to under one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The event happened this many days after the policy took over.
    Event(f64),
    /// The event had not happened by this many days after the policy took over.
    Censored(f64),
    /// A number, in the endpoint's unit.
    Value(f64),
    /// The course does not show what the endpoint needs.
    NotEvaluable,
}

impl Outcome {
    /// The number of the outcome, if it is not finite.
    pub(crate) fn not_finite(self) -> Option<f64> {
        match self {
            Self::Event(value) | Self::Censored(value) | Self::Value(value) => (!value.is_finite()).then_some(value),
            Self::NotEvaluable => None,
        }
    }
}

/// Against what growth is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Reference {
    /// The value when the policy took over.
    Baseline,
    /// The least value since then.
    Nadir,
    /// A fixed value: in the unit of the model for true values, in that of [`History`](crate::History) for observed ones.
    Fixed(f64),
}

/// The first visit at which an observable exceeds a multiple of its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeToProgression {
    /// Its name.
    pub name: String,
    /// What is watched.
    pub observable: Observable,
    /// The reference.
    pub reference: Reference,
    /// The multiple of the reference that must be exceeded.
    pub factor: f64,
    /// How many visits in a row must exceed it; the first of them counts.
    pub confirmations: usize,
    /// Whether the true values are watched, rather than the observed ones.
    pub truth: bool,
}

impl TimeToProgression {
    /// The first visit at which the true burden exceeds `factor` times its value at the start.
    #[must_use]
    pub fn of(observable: Observable, factor: f64) -> Self {
        let name = "time to progression".to_owned();
        Self { name, observable, reference: Reference::Baseline, factor, confirmations: 1, truth: true }
    }
}

impl Endpoint for TimeToProgression {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let series = if self.truth { course.truth(&self.observable).unwrap_or_default() } else { course.seen(&self.observable) };
        let Some(&(_, first)) = series.first() else {
            return Outcome::NotEvaluable;
        };
        let (mut nadir, mut run, mut candidate) = (first, 0, None);
        for &(time, value) in &series {
            let reference = match self.reference {
                Reference::Baseline => first,
                Reference::Nadir => nadir,
                Reference::Fixed(value) => value,
            };
            if value > self.factor * reference {
                run += 1;
                let since = *candidate.get_or_insert(time);
                if run >= self.confirmations.max(1) {
                    return Outcome::Event((since - course.since).days());
                }
            } else {
                (run, candidate) = (0, None);
            }
            nadir = nadir.min(value);
        }
        Outcome::Censored((course.end - course.since).days())
    }
}

/// The share of the course off continuous therapy.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeOffDrug {
    /// The drug.
    pub agent: Agent,
}

impl Endpoint for TimeOffDrug {
    fn name(&self) -> &'static str {
        "share of time off drug"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let whole = (course.end - course.since).days();
        let on: f64 = course.periods(&self.agent).iter().map(|(from, until, _)| (*until - *from).days()).sum();
        if whole > 0.0 { Outcome::Value(1.0 - on / whole) } else { Outcome::NotEvaluable }
    }
}

/// The cumulative dose of a drug: days at full dose for continuous therapy, plus the doses given at once in the endpoint's unit.
#[derive(Debug, Clone, PartialEq)]
pub struct CumulativeDose {
    /// The drug.
    pub agent: Agent,
    /// The unit in which single doses are counted; one that does not convert makes the outcome not evaluable.
    pub unit: Option<twin_core::Unit>,
}

impl Endpoint for CumulativeDose {
    fn name(&self) -> &'static str {
        "cumulative dose"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let Some(unit) = &self.unit else {
            return Outcome::Value(course.exposure(&self.agent).days());
        };
        let mut sum = 0.0;
        for given in course.treatments.iter().filter(|given| given.treatment.agent() == Some(&self.agent)) {
            match &given.treatment {
                Treatment::Bolus { dose, .. } | Treatment::Oral { dose, .. } | Treatment::Infusion { dose, .. } => {
                    match dose.unit().convert(dose.value(), unit) {
                        Ok(amount) => sum += amount,
                        Err(_) => return Outcome::NotEvaluable,
                    }
                }
                _ => {}
            }
        }
        Outcome::Value(sum)
    }
}

/// The true value of an observable at the last visit at or before a day after the policy took over.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueAt {
    /// Its name.
    pub name: String,
    /// The observable.
    pub observable: Observable,
    /// The day.
    pub day: f64,
}

impl Endpoint for ValueAt {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        // Times of visits are sums; a day is reached within a tenth of a second.
        const SLACK: f64 = 1e-6;
        let reached = |time: &Time| (*time - course.since).days() <= self.day + SLACK;
        if (course.end - course.since).days() < self.day - SLACK {
            return Outcome::NotEvaluable;
        }
        let series = course.truth(&self.observable).unwrap_or_default();
        series.iter().rev().find(|(time, _)| reached(time)).map_or(Outcome::NotEvaluable, |(_, value)| Outcome::Value(*value))
    }
}
