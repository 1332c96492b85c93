//! Regimens: prescriptions that expand to timed treatments.

mod check;
mod expand;
mod plan;
mod total;
mod weekday;

pub use plan::Phase;
pub use total::{total_absorbed_dose, total_drug_dose};
pub use weekday::Weekday;

use crate::{AbsorbedDose, Agent, CoreError, Span, Target, Time, TimedTreatment, Treatment};
use plan::{Change, Doses, Extent, Part, Pattern, Place, Plan, Sessions, Window};
use serde::{Deserialize, Serialize, Serializer};

/// A prescription: one or more courses of treatment, with their pauses and changes of dose.
///
/// Say what is given, on which days, and how often; then join courses, and expand the whole from a start. Nothing is guessed: what
/// the prescription leaves open, or contradicts, is an error of [`starting`](Self::starting).
///
/// ```
/// use twin_core::{AbsorbedDose, Agent, Quantity, Regimen, Span, Target, Time, Treatment, Weekday};
/// // 30 x 2 Gy on weekdays, with 40 mg/m2 of cisplatin once a week; the linear accelerator is closed on day 11.
/// let radiotherapy =
///     Regimen::fractions(30, AbsorbedDose::from_gray(2.0)?, Target::new("ptv")?).on_weekdays(Weekday::Monday);
/// let dose = Quantity::new(40.0, "mg/m2")?;
/// let cisplatin = Regimen::give(Treatment::bolus(Agent::new("cisplatin")?, dose)?).every_days(7).times(6);
/// let plan = radiotherapy.paused(Span::from_days(11.0)?, Span::DAY).and(cisplatin);
///
/// let treatments = plan.starting(Time::from_days(100.0)?)?;
/// assert_eq!(treatments.len(), 36);
/// assert_eq!(treatments.last().map(|last| last.time.days()), Some(142.0)); // a Monday: one fraction was made up after the weekend
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Days
/// Days of a cycle count from 1. Offsets (of delays, pauses and skips) count from the start of the regimen as it stands, so the
/// first day is at offset 0. Weekdays count from the first dose of their course, in whole days from the start.
///
/// # Pauses
/// Whatever the order in which they are stated, pauses are times of the final schedule in which no dose begins. What would fall
/// at or after the `from` of a pause comes later by its length. A course on weekdays resumes on its next allowed weekday instead,
/// so a pause over a free weekend changes nothing. Continuous therapy is off in a pause and resumes with what was left of its phase.
///
/// # Changes of dose
/// Cycles and administrations are numbered as prescribed, from 1, whatever is paused or skipped. A week of a course on weekdays
/// is a cycle. Factors are of the prescribed dose, and the last one reached holds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Regimen {
    courses: Vec<Part>,
    /// The first misuse of a method, kept until the regimen is expanded.
    #[serde(skip)]
    fault: Option<CoreError>,
}

/// The wire form of [`Regimen`], before it is checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Unchecked {
    courses: Vec<Part>,
}

impl TryFrom<Unchecked> for Regimen {
    type Error = CoreError;
    fn try_from(unchecked: Unchecked) -> Result<Self, CoreError> {
        let regimen = Self { courses: unchecked.courses, fault: None };
        regimen.check()?;
        Ok(regimen)
    }
}

impl Serialize for Regimen {
    /// Writes the courses; refuses a regimen that could not be expanded, for it could not be read again.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.check().map_err(serde::ser::Error::custom)?;
        Unchecked { courses: self.courses.clone() }.serialize(serializer)
    }
}

/// What is given.
impl Regimen {
    fn of_plan(plan: Plan) -> Self {
        Self { courses: vec![Part::new(plan)], fault: None }
    }

    /// `treatment`, once, unless a method says how often.
    #[must_use]
    pub fn give(treatment: Treatment) -> Self {
        Self::of_plan(Plan::Doses(Doses { treatment, pattern: None, extent: None, sessions: Sessions::ONE }))
    }

    /// `count` fractions of `dose` to `target`, on days that a method must say.
    #[must_use]
    pub fn fractions(count: u32, dose: AbsorbedDose, target: Target) -> Self {
        Self::give(Treatment::fraction(dose, target)).times(count)
    }

    /// Continuous therapy with `agent` in `phases`, one after the other, then off. [`cycles`](Self::cycles) repeats the phases.
    ///
    /// ```
    /// use twin_core::{Agent, Phase, Regimen, Span, Time};
    /// // intermittent androgen deprivation: three times 8 months on, 4 months off
    /// let phases = [Phase::on(Span::from_months(8.0)?), Phase::off(Span::from_months(4.0)?)];
    /// let plan = Regimen::continuous(Agent::new("leuprolide")?, phases).cycles(3);
    /// assert_eq!(plan.starting(Time::ORIGIN)?.len(), 6);
    /// # Ok::<(), twin_core::CoreError>(())
    /// ```
    #[must_use]
    pub fn continuous(agent: Agent, phases: impl IntoIterator<Item = Phase>) -> Self {
        let phases = phases.into_iter().take(plan::MOST_ADMINISTRATIONS + 1).collect();
        Self::of_plan(Plan::Continuous { agent, phases, cycles: 1 })
    }
}

/// When and how often it is given. These methods describe one course, so they come before [`and`](Self::and).
impl Regimen {
    /// On Mondays to Fridays, the first dose on the weekday `first`.
    #[must_use]
    pub fn on_weekdays(self, first: Weekday) -> Self {
        self.on_days_of_week(first, Weekday::WORKING)
    }

    /// On the weekdays `on`, the first dose on the weekday `first`, which must be one of them.
    #[must_use]
    pub fn on_days_of_week(self, first: Weekday, on: impl IntoIterator<Item = Weekday>) -> Self {
        let on = on.into_iter().take(8).collect();
        self.with_doses("days of the week", |doses| doses.set_pattern(Pattern::Weekdays { first, on }))
    }

    /// Every day.
    #[must_use]
    pub fn daily(self) -> Self {
        self.every_days(1)
    }

    /// Every `days` days: the first day of cycles of that length.
    #[must_use]
    pub fn every_days(self, days: u32) -> Self {
        self.on_days([1]).of(days)
    }

    /// On `days` of each cycle, counted from 1; [`of`](Self::of) says how long a cycle is. "Days 1 to 5 of 28, six cycles" is
    /// `on_days(1..=5).of(28).cycles(6)`.
    #[must_use]
    pub fn on_days(self, days: impl IntoIterator<Item = u32>) -> Self {
        let days = days.into_iter().take(plan::MOST_ADMINISTRATIONS + 1).collect();
        self.with_doses("days of a cycle", |doses| doses.set_pattern(Pattern::Days { days, cycle_days: None }))
    }

    /// In cycles of `days` days; comes after [`on_days`](Self::on_days).
    #[must_use]
    pub fn of(self, days: u32) -> Self {
        self.with_doses("the length of a cycle", |doses| doses.set_cycle_days(days))
    }

    /// For `count` cycles; of continuous therapy, all phases `count` times.
    #[must_use]
    pub fn cycles(self, count: u32) -> Self {
        self.with_course("a number of cycles", |course| match &mut course.plan {
            Plan::Doses(doses) => doses.set_extent(Extent::Cycles(count)),
            Plan::Continuous { cycles, .. } => {
                *cycles = count;
                Ok(())
            }
        })
    }

    /// For `count` administrations in all, however many cycles that takes.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        self.with_doses("a number of administrations", |doses| doses.set_extent(Extent::Administrations(count)))
    }

    /// Twice on each day, `gap` apart.
    #[must_use]
    pub fn twice_daily(self, gap: Span) -> Self {
        self.times_daily(2, gap)
    }

    /// `per_day` times on each day, `gap` apart, the last less than 24 hours after the first. Each counts as an administration.
    #[must_use]
    pub fn times_daily(self, per_day: u32, gap: Span) -> Self {
        self.with_doses("a number of sessions on a day", |doses| {
            doses.sessions = Sessions { per_day, gap };
            Ok(())
        })
    }
}

/// How the dose changes on the way. These methods describe one course, so they come before [`and`](Self::and).
impl Regimen {
    /// From cycle `cycle` on, at `factor` times the prescribed dose.
    #[must_use]
    pub fn from_cycle(self, cycle: u32, factor: f64) -> Self {
        self.with_change(Change::Factor { from: Place::Cycle(cycle), factor })
    }

    /// From administration `number` on, at `factor` times the prescribed dose.
    #[must_use]
    pub fn from_administration(self, number: u32, factor: f64) -> Self {
        self.with_change(Change::Factor { from: Place::Administration(number), factor })
    }

    /// From administration `number` on, `treatment` instead: a smaller volume for the last fractions.
    #[must_use]
    pub fn switched_from(self, number: u32, treatment: Treatment) -> Self {
        self.with_change(Change::Switch { from: number, treatment })
    }

    /// From administration `number` on, `treatment` as well, in the same session: a simultaneous boost.
    #[must_use]
    pub fn boosted_from(self, number: u32, treatment: Treatment) -> Self {
        self.with_change(Change::Boost { from: number, treatment })
    }

    fn with_change(self, change: Change) -> Self {
        self.with_course("a change of dose", |course| {
            course.changes.push(change);
            Ok(())
        })
    }
}

/// The whole: every method acts on all courses joined so far.
impl Regimen {
    /// At `factor` times the dose throughout, as [`Treatment::scaled`].
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        self.with_all(|course| course.scale(factor))
    }

    /// Later by `by`, pauses and skips included.
    #[must_use]
    pub fn delayed(self, by: Span) -> Self {
        self.with_all(|course| course.delay(by))
    }

    /// With a pause of `length` at offset `from`: what would come then or later is given later, nothing is lost.
    #[must_use]
    pub fn paused(self, from: Span, length: Span) -> Self {
        let window = Window { from, length };
        self.with_all(|course| {
            course.pauses.push(window);
            Ok(())
        })
    }

    /// Without what falls into `length` from offset `from` on, after all pauses: it is not made up for, and nothing moves.
    #[must_use]
    pub fn skipped(self, from: Span, length: Span) -> Self {
        let window = Window { from, length };
        self.with_all(|course| {
            course.skips.push(window);
            Ok(())
        })
    }

    /// Together with `other`, from the same start.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.courses.extend(other.courses);
        self.fault = self.fault.or(other.fault);
        self
    }

    /// Expands the regimen from its start, in the order of time; at one time in the order of the courses.
    ///
    /// # Errors
    /// * [`CoreError::Count`] for no days, no cycles, no administrations, a day 0 or beyond its cycle, a change that begins beyond
    ///   the prescription, or more than 100 000 administrations.
    /// * [`CoreError::OutOfRange`] or [`CoreError::NotFinite`] for a factor or a delay that is negative or not finite, a pause or
    ///   phase that is not longer than nothing, or an intensity above full dose.
    /// * [`CoreError::Conflict`] for a first weekday that is not one of the weekdays, for courses whose weekdays disagree, for days
    ///   or a length that were not stated, or stated twice, and for a method that does not fit the course it was called on.
    pub fn starting(&self, at: Time) -> Result<Vec<TimedTreatment>, CoreError> {
        self.check()?;
        let mut treatments = Vec::new();
        for course in &self.courses {
            for (offset_days, treatment) in expand::course(course)? {
                treatments.push(TimedTreatment::new(Time::from_days(at.days() + offset_days)?, treatment));
            }
        }
        treatments.sort_by_key(|timed| timed.time); // a stable sort
        Ok(treatments)
    }
}

/// Faults are kept, not returned, so that a prescription reads in one piece.
impl Regimen {
    fn with_all(mut self, change: impl Fn(&mut Part) -> Result<(), CoreError>) -> Self {
        if self.fault.is_none() {
            self.fault = self.courses.iter_mut().find_map(|course| change(course).err());
        }
        self
    }

    fn with_course(mut self, what: &'static str, change: impl FnOnce(&mut Part) -> Result<(), CoreError>) -> Self {
        if self.fault.is_none() {
            self.fault = match self.courses.as_mut_slice() {
                [course] => change(course).err(),
                _ => {
                    Some(CoreError::Conflict { what, detail: "must be said of one course, before it is joined to another".into() })
                }
            };
        }
        self
    }

    fn with_doses(self, what: &'static str, change: impl FnOnce(&mut Doses) -> Result<(), CoreError>) -> Self {
        self.with_course(what, |course| match &mut course.plan {
            Plan::Doses(doses) => change(doses),
            Plan::Continuous { .. } => Err(CoreError::Conflict {
                what,
                detail: "does not fit continuous therapy, which has phases and cycles only".into(),
            }),
        })
    }

    fn check(&self) -> Result<(), CoreError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if self.courses.is_empty() {
            return Err(CoreError::Count { what: "courses of a regimen", count: 0, valid: "1 or more" });
        }
        let mut administrations = 0;
        for course in &self.courses {
            administrations += course.check()?;
            check::check_administrations(administrations)?;
        }
        let mut starts = self.courses.iter().filter_map(Part::weekday_of_start);
        if let Some(first) = starts.next()
            && let Some(other) = starts.find(|other| *other != first)
        {
            let detail = format!("one course has the regimen start on a {first}, another on a {other}");
            return Err(CoreError::Conflict { what: "weekdays of a regimen", detail });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
