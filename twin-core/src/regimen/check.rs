//! What makes the data of a regimen a prescription that can be carried out.

use super::plan::{Change, Doses, MOST_ADMINISTRATIONS, Part, Pattern, Plan, Sessions};
use crate::{CoreError, Span};
use std::collections::BTreeSet;

/// A count as the errors carry it.
fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn check_administrations(administrations: u64) -> Result<(), CoreError> {
    if administrations == 0 || administrations > MOST_ADMINISTRATIONS as u64 {
        let what = "administrations of a regimen";
        return Err(CoreError::Count { what, count: count(administrations), valid: "1 to 100000" });
    }
    Ok(())
}

fn longer_than_nothing(what: &'static str, span: Span) -> Result<(), CoreError> {
    if !span.is_positive() {
        return Err(CoreError::OutOfRange { what, value: span.days(), valid: "longer than nothing" });
    }
    Ok(())
}

pub(super) fn not_negative(what: &'static str, value: f64) -> Result<(), CoreError> {
    if !value.is_finite() {
        return Err(CoreError::NotFinite { what, value });
    }
    if value < 0.0 {
        return Err(CoreError::OutOfRange { what, value, valid: "0 or more" });
    }
    Ok(())
}

impl Doses {
    fn check(&self) -> Result<(), CoreError> {
        let what = "the days of a course";
        match (&self.pattern, self.extent) {
            (Some(_), None) => {
                let detail = "say for how many cycles, or how many times".into();
                return Err(CoreError::Conflict { what: "the length of a course", detail });
            }
            (None, Some(_)) => return Err(CoreError::Conflict { what, detail: "say on which days, or every how many".into() }),
            (Some(pattern), Some(_)) => pattern.check()?,
            (None, None) => {}
        }
        let Sessions { per_day, gap } = self.sessions;
        if per_day == 0 {
            return Err(CoreError::Count { what: "sessions on a day", count: 0, valid: "1 or more" });
        }
        if per_day > 1 {
            longer_than_nothing("days between sessions on a day", gap)?;
            let value = f64::from(per_day - 1) * gap.days();
            if value >= 1.0 {
                return Err(CoreError::OutOfRange {
                    what: "days from the first to the last session on a day",
                    value,
                    valid: "below 1",
                });
            }
        }
        Ok(())
    }
}

impl Pattern {
    fn check(&self) -> Result<(), CoreError> {
        let (listed, distinct) = match self {
            Self::Weekdays { on, .. } => (on.len(), on.iter().collect::<BTreeSet<_>>().len()),
            Self::Days { days, .. } => (days.len(), days.iter().collect::<BTreeSet<_>>().len()),
        };
        if listed == 0 || distinct < listed {
            return Err(CoreError::Count { what: "days listed for a course", count: listed, valid: "1 or more, none twice" });
        }
        match self {
            Self::Weekdays { first, on } if !on.contains(first) => {
                let detail = format!("the first dose is on a {first}, which is not one of its weekdays");
                Err(CoreError::Conflict { what: "the weekdays of a course", detail })
            }
            Self::Days { cycle_days: None, .. } => {
                let detail = "say of how many days it is".into();
                Err(CoreError::Conflict { what: "the length of a cycle", detail })
            }
            Self::Days { days, cycle_days: Some(length) } => match days.iter().find(|day| !(1..=*length).contains(*day)) {
                Some(day) => {
                    let what = "day of a cycle";
                    Err(CoreError::Count { what, count: count((*day).into()), valid: "from 1 to the number of days in the cycle" })
                }
                None => Ok(()),
            },
            Self::Weekdays { .. } => Ok(()),
        }
    }
}

impl Part {
    /// Checks the course; the number of its administrations.
    pub(super) fn check(&self) -> Result<u64, CoreError> {
        match &self.plan {
            Plan::Doses(doses) => doses.check()?,
            Plan::Continuous { phases, .. } => {
                for phase in phases {
                    longer_than_nothing("duration of a phase in days", phase.duration)?;
                }
            }
        }
        let administrations = self.administrations();
        check_administrations(administrations)?;
        not_negative("delay in days", self.delay.days())?;
        for window in self.pauses.iter().chain(&self.skips) {
            not_negative("offset of a pause in days", window.from.days())?;
            longer_than_nothing("length of a pause in days", window.length)?;
        }
        for change in &self.changes {
            self.check_change(change, administrations)?;
        }
        Ok(administrations)
    }

    fn check_change(&self, change: &Change, administrations: u64) -> Result<(), CoreError> {
        let first = match change {
            Change::Factor { from, factor } => {
                not_negative("dose factor", *factor)?;
                self.first_of(*from)
            }
            Change::Switch { from, .. } | Change::Boost { from, .. } => {
                if matches!(self.plan, Plan::Continuous { .. }) {
                    let detail = "continuous therapy takes factors only".into();
                    return Err(CoreError::Conflict { what: "a change of dose", detail });
                }
                u64::from(*from)
            }
        };
        if !(1..=administrations).contains(&first) {
            let what = "first administration of a change of dose";
            return Err(CoreError::Count { what, count: count(first), valid: "from 1 to the number of administrations" });
        }
        Ok(())
    }
}
