//! The plain data of a regimen.

use super::Weekday;
use super::check::not_negative;
use crate::{Agent, CoreError, Proportion, Span, Treatment};
use serde::{Deserialize, Serialize};

/// The most administrations that one regimen may have; beyond that a number was mistyped.
pub(super) const MOST_ADMINISTRATIONS: usize = 100_000;

/// A phase of continuous therapy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Phase {
    /// The share of the full dose.
    pub intensity: Proportion,
    /// How long it lasts, longer than nothing.
    pub duration: Span,
}

impl Phase {
    /// At full dose for `duration`.
    #[must_use]
    pub const fn on(duration: Span) -> Self {
        Self::at(Proportion::ONE, duration)
    }

    /// Without the drug for `duration`.
    #[must_use]
    pub const fn off(duration: Span) -> Self {
        Self::at(Proportion::ZERO, duration)
    }

    /// At the share `intensity` of the full dose for `duration`.
    #[must_use]
    pub const fn at(intensity: Proportion, duration: Span) -> Self {
        Self { intensity, duration }
    }
}

/// One course with what happens to it. Windows are offsets from the start of the regimen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Part {
    pub(super) plan: Plan,
    #[serde(default)]
    pub(super) delay: Span,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pauses: Vec<Window>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) skips: Vec<Window>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Plan {
    Doses(Doses),
    Continuous { agent: Agent, phases: Vec<Phase>, cycles: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Doses {
    pub(super) treatment: Treatment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<Pattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extent: Option<Extent>,
    #[serde(default = "Sessions::one")]
    pub(super) sessions: Sessions,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Pattern {
    /// Weekdays, the first dose on `first`.
    Weekdays { first: Weekday, on: Vec<Weekday> },
    /// Days of a cycle, from 1, with its length once stated.
    Days { days: Vec<u32>, cycle_days: Option<u32> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Extent {
    Cycles(u32),
    Administrations(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Sessions {
    pub(super) per_day: u32,
    pub(super) gap: Span,
}

impl Sessions {
    pub(super) const ONE: Self = Self { per_day: 1, gap: Span::ZERO };

    fn one() -> Self {
        Self::ONE
    }
}

/// From `from` on, for `length`; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Window {
    pub(super) from: Span,
    pub(super) length: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Change {
    /// Another share of the prescribed dose.
    Factor { from: Place, factor: f64 },
    /// Another treatment instead.
    Switch { from: u32, treatment: Treatment },
    /// Another treatment as well.
    Boost { from: u32, treatment: Treatment },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Place {
    Cycle(u32),
    Administration(u32),
}

/// Sets what may be stated but once.
fn once<T>(place: &mut Option<T>, value: T, what: &'static str) -> Result<(), CoreError> {
    if place.is_some() {
        return Err(CoreError::Conflict { what, detail: "must be stated only once".into() });
    }
    *place = Some(value);
    Ok(())
}

impl Doses {
    pub(super) fn set_pattern(&mut self, pattern: Pattern) -> Result<(), CoreError> {
        once(&mut self.pattern, pattern, "the days of a course")
    }

    pub(super) fn set_extent(&mut self, extent: Extent) -> Result<(), CoreError> {
        once(&mut self.extent, extent, "the number of cycles or administrations")
    }

    pub(super) fn set_cycle_days(&mut self, length: u32) -> Result<(), CoreError> {
        let what = "the length of a cycle";
        match &mut self.pattern {
            Some(Pattern::Days { cycle_days, .. }) => once(cycle_days, length, what),
            Some(Pattern::Weekdays { .. }) => {
                Err(CoreError::Conflict { what, detail: "is a week, for a course on weekdays".into() })
            }
            None => Err(CoreError::Conflict { what, detail: "comes after the days of the cycle".into() }),
        }
    }

    /// Days of a cycle, from 0, in order, with the length of the cycle in days.
    pub(super) fn days(&self) -> (Vec<u32>, u32) {
        let (mut days, length): (Vec<u32>, u32) = match &self.pattern {
            None => (vec![0], 1),
            Some(Pattern::Weekdays { first, on }) => (on.iter().map(|day| first.days_until(*day)).collect(), 7),
            Some(Pattern::Days { days, cycle_days }) => {
                (days.iter().map(|day| day.saturating_sub(1)).collect(), cycle_days.unwrap_or(1))
            }
        };
        days.sort_unstable();
        (days, length)
    }

    /// Administrations in one whole cycle.
    fn per_cycle(&self) -> u64 {
        let days = match &self.pattern {
            None => 1,
            Some(Pattern::Weekdays { on, .. }) => on.len(),
            Some(Pattern::Days { days, .. }) => days.len(),
        };
        (days as u64).saturating_mul(self.sessions.per_day.into())
    }

    pub(super) fn administrations(&self) -> u64 {
        match self.extent {
            None => self.per_cycle(),
            Some(Extent::Administrations(number)) => number.into(),
            Some(Extent::Cycles(cycles)) => self.per_cycle().saturating_mul(cycles.into()),
        }
    }
}

impl Part {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, delay: Span::ZERO, pauses: Vec::new(), skips: Vec::new(), changes: Vec::new() }
    }

    /// Administrations, or phases of continuous therapy, in one cycle.
    pub(super) fn per_cycle(&self) -> u64 {
        match &self.plan {
            Plan::Doses(doses) => doses.per_cycle(),
            Plan::Continuous { phases, .. } => phases.len() as u64,
        }
    }

    /// Administrations, or phases of continuous therapy, in all.
    pub(super) fn administrations(&self) -> u64 {
        match &self.plan {
            Plan::Doses(doses) => doses.administrations(),
            Plan::Continuous { cycles, .. } => self.per_cycle().saturating_mul((*cycles).into()),
        }
    }

    /// The number, from 1, of the first administration that a change concerns.
    pub(super) fn first_of(&self, place: Place) -> u64 {
        match place {
            Place::Administration(number) => number.into(),
            Place::Cycle(0) => 0,
            Place::Cycle(cycle) => u64::from(cycle - 1).saturating_mul(self.per_cycle()).saturating_add(1),
        }
    }

    /// The weekday of offset 0, if the course is on weekdays.
    pub(super) fn weekday_of_start(&self) -> Option<Weekday> {
        match &self.plan {
            Plan::Doses(Doses { pattern: Some(Pattern::Weekdays { first, .. }), .. }) => {
                Some(first.plus_days(-(self.delay.days().floor() as i64)))
            }
            _ => None,
        }
    }

    pub(super) fn delay(&mut self, by: Span) -> Result<(), CoreError> {
        not_negative("delay in days", by.days())?;
        self.delay = self.delay + by;
        for window in self.pauses.iter_mut().chain(&mut self.skips) {
            window.from = window.from + by;
        }
        Ok(())
    }

    pub(super) fn scale(&mut self, factor: f64) -> Result<(), CoreError> {
        not_negative("dose factor", factor)?;
        match &mut self.plan {
            Plan::Doses(doses) => doses.treatment = doses.treatment.scaled(factor)?,
            Plan::Continuous { phases, .. } => {
                for phase in phases {
                    phase.intensity = Proportion::new(phase.intensity.value() * factor)?;
                }
            }
        }
        for change in &mut self.changes {
            if let Change::Switch { treatment, .. } | Change::Boost { treatment, .. } = change {
                *treatment = treatment.scaled(factor)?;
            }
        }
        Ok(())
    }
}
