//! Hard limits: what no plan may do, whatever it promises.

use std::fmt;
use twin_core::{
    AbsorbedDose, Agent, CoreError, Fraction, Observable, Quantity, Span, Target, Time, TimedTreatment, Treatment, Weekday,
};

/// Hard limits on treatment and on what it does to the body. A plan that breaks one is never recommended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// Limits on what is given, each with a name that is told where it is broken.
    pub rules: Vec<(String, Rule)>,
    /// Limits on what is there at the visits of a simulated course.
    pub floors: Vec<Floor>,
}

/// A limit on what is given. What the patient was given before counts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// Each fraction to `target` has at most this dose.
    DosePerFraction {
        /// What is irradiated.
        target: Target,
        /// The highest dose of one fraction.
        at_most: AbsorbedDose,
    },
    /// All fractions to `target` together have at most this dose.
    TotalDose {
        /// What is irradiated.
        target: Target,
        /// The highest dose in all.
        at_most: AbsorbedDose,
    },
    /// All fractions to `target` together have at least this dose.
    LeastTotalDose {
        /// What is irradiated.
        target: Target,
        /// The least dose in all.
        at_least: AbsorbedDose,
    },
    /// An organ that receives a share of the dose to `target` is spared: its dose, as equivalent in fractions of 2 Gy by the
    /// linear-quadratic model without repopulation, stays low enough.
    OrganDose {
        /// What is irradiated.
        target: Target,
        /// The share of the target's dose that the organ receives, not negative.
        share: f64,
        /// The organ's ratio of alpha to beta, in Gy, above 0.
        alpha_beta_gray: f64,
        /// The highest equivalent dose in 2 Gy fractions, in Gy.
        at_most_gray: f64,
    },
    /// Each dose of `agent` is at most this.
    SingleDose {
        /// The drug.
        agent: Agent,
        /// The highest dose, in a unit that the doses convert to.
        at_most: Quantity,
    },
    /// All doses of a class of drugs together are at most this over a lifetime.
    CumulativeDose {
        /// The drugs, each with the factor that turns its dose into that of the reference drug.
        agents: Vec<(Agent, f64)>,
        /// What was given before that is not on the patient's record, as dose of the reference drug.
        before: Quantity,
        /// The highest dose of the reference drug.
        at_most: Quantity,
    },
    /// Continuous therapy with `agent` lasts at most this long, counted in days at full dose, from when the plan takes over.
    TimeOn {
        /// The drug.
        agent: Agent,
        /// The longest time, at full dose.
        at_most: Span,
    },
    /// Between two of what is selected lies at least this span. What begins at the same time counts as one.
    Gap {
        /// What is looked at.
        of: Selection,
        /// The least span.
        at_least: Span,
    },
    /// What is selected begins on allowed weekdays alone.
    Weekdays {
        /// What is looked at.
        of: Selection,
        /// The weekday of the day on which the plan takes over.
        first: Weekday,
        /// The weekdays on which it may be given.
        allowed: Vec<Weekday>,
    },
    /// What is selected is over within this span from when the plan takes over.
    Within {
        /// What is looked at.
        of: Selection,
        /// The longest span, up to the start of the last treatment.
        at_most: Span,
    },
}

/// Treatments that a [`Rule`] looks at.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Selection {
    /// Everything.
    All,
    /// Fractions to a target.
    Fractions(Target),
    /// A drug, by whichever route.
    Drug(Agent),
}

impl Selection {
    fn takes(&self, treatment: &Treatment) -> bool {
        match (self, treatment) {
            (Self::All, _) => true,
            (Self::Fractions(target), Treatment::Fraction(fraction)) => fraction.target == *target,
            (Self::Drug(agent), other) => other.agent() == Some(agent),
            _ => false,
        }
    }
}

/// A limit on what is there: the observable stays at or above a value at every visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Its name.
    pub name: String,
    /// What is watched, as it is (not as it is measured).
    pub observable: Observable,
    /// The least value, in the unit of the model.
    pub at_least: f64,
    /// The share of virtual patients in whom the value may be lower, from 0 up to 1.
    pub tolerated: f64,
}

/// A limit that was broken, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// The limit's name.
    pub limit: String,
    /// What was found and what is allowed, in words.
    pub detail: String,
    /// By how much it is broken, as a share of what is allowed; above 0. A search goes where it shrinks.
    pub excess: f64,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.limit, self.detail)
    }
}

/// What was given before and what a plan gives, with absolute times in order.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What was done before the plan took over.
    pub past: &'a [TimedTreatment],
    /// What the plan does.
    pub plan: &'a [TimedTreatment],
    /// When the plan takes over.
    pub since: Time,
    /// When one stops to look; continuous therapy that is still on counts up to here.
    pub until: Time,
}

/// Rounding of sums of doses and of times, relative to the limit: less than anyone can give or tell.
const SLACK: f64 = 1e-9;

impl Limits {
    /// No limits.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a limit on what is given.
    #[must_use]
    pub fn rule(mut self, name: impl Into<String>, rule: Rule) -> Self {
        self.rules.push((name.into(), rule));
        self
    }

    /// Adds a limit on what is there.
    #[must_use]
    pub fn floor(mut self, floor: Floor) -> Self {
        self.floors.push(floor);
        self
    }

    /// The limits on treatment that are broken, in order; empty if `given` keeps within all of them.
    ///
    /// # Errors
    /// [`CoreError`] for limits that have no meaning (a share or ratio that is not positive, a factor that is negative) and for doses that
    /// cannot be compared with a limit (mg/m2 is not mg; continuous therapy has no dose).
    pub fn breaches(&self, given: Given<'_>) -> Result<Vec<Breach>, CoreError> {
        let mut broken = Vec::new();
        for (name, rule) in &self.rules {
            if let Some((excess, detail)) = rule.broken(given)? {
                broken.push(Breach { limit: name.clone(), detail, excess });
            }
        }
        Ok(broken)
    }

    /// Which limits on treatment are broken, the first as the lowest bit; `None` if that cannot be told.
    pub(super) fn broken_bits(&self, given: Given<'_>) -> Option<u64> {
        let mut bits = 0;
        for (place, (_, rule)) in self.rules.iter().enumerate() {
            if rule.broken(given).ok()?.is_some() {
                bits |= 1_u64.checked_shl(place as u32)?;
            }
        }
        Some(bits)
    }

    /// The names of all limits, those on treatment first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.rules.iter().map(|(name, _)| name.clone()).chain(self.floors.iter().map(|floor| floor.name.clone())).collect()
    }
}

impl<'a> Given<'a> {
    fn all(self) -> impl Iterator<Item = &'a TimedTreatment> {
        self.past.iter().chain(self.plan)
    }

    fn grays(self, target: &Target) -> impl Iterator<Item = f64> {
        self.all().filter_map(move |given| match &given.treatment {
            Treatment::Fraction(Fraction { dose, target: other }) if other == target => Some(dose.gray()),
            _ => None,
        })
    }
}

/// The dose of a drug in `unit`; an error for what has no dose in it.
fn dose(treatment: &Treatment, unit: &twin_core::Unit) -> Result<f64, CoreError> {
    match treatment {
        Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => {
            Ok(dose.to(unit)?.value())
        }
        other => Err(CoreError::Conflict {
            what: "limit on the dose of a drug",
            detail: format!("`{other}` is not a dose that could be held against a limit in {unit}"),
        }),
    }
}

fn sensible(what: &'static str, value: f64, fits: bool, valid: &'static str) -> Result<(), CoreError> {
    if fits && value.is_finite() { Ok(()) } else { Err(CoreError::OutOfRange { what, value, valid }) }
}

/// By how much a rule is broken, as a share of what is allowed, and how, in words.
type Excess = Option<(f64, String)>;

fn above(found: f64, allowed: f64, unit: &str) -> Excess {
    let share = (found - allowed) / allowed.abs().max(1.0);
    (share > SLACK).then(|| (share, format!("{found} {unit}, but at most {allowed} {unit}")))
}

fn below(found: f64, allowed: f64, unit: &str) -> Excess {
    let share = (allowed - found) / allowed.abs().max(1.0);
    (share > SLACK).then(|| (share, format!("{found} {unit}, but at least {allowed} {unit}")))
}

impl Rule {
    /// How the rule is broken, if it is.
    fn broken(&self, given: Given<'_>) -> Result<Excess, CoreError> {
        Ok(match self {
            Self::DosePerFraction { target, at_most } => {
                let of_plan = Given { past: &[], ..given };
                above(of_plan.grays(target).fold(0.0, f64::max), at_most.gray(), "Gy")
            }
            Self::TotalDose { target, at_most } => {
                above(given.grays(target).fold(0.0, |sum, gray| sum + gray), at_most.gray(), "Gy")
            }
            Self::LeastTotalDose { target, at_least } => {
                below(given.grays(target).fold(0.0, |sum, gray| sum + gray), at_least.gray(), "Gy")
            }
            Self::OrganDose { target, share, alpha_beta_gray, at_most_gray } => {
                sensible("share of the target's dose", *share, *share >= 0.0, "0 or more")?;
                sensible("ratio of alpha to beta in Gy", *alpha_beta_gray, *alpha_beta_gray > 0.0, "above 0")?;
                let equivalent = |gray: f64| share * gray * (share * gray + alpha_beta_gray) / (2.0 + alpha_beta_gray);
                above(given.grays(target).fold(0.0, |sum, gray| sum + equivalent(gray)), *at_most_gray, "Gy")
            }
            Self::SingleDose { agent, at_most } => {
                let mut highest = 0.0_f64;
                for treatment in given.plan.iter().filter(|given| given.treatment.agent() == Some(agent)) {
                    highest = highest.max(dose(&treatment.treatment, at_most.unit())?);
                }
                above(highest, at_most.value(), at_most.unit().code())
            }
            Self::CumulativeDose { agents, before, at_most } => {
                let mut sum = before.to(at_most.unit())?.value();
                for treatment in given.all() {
                    if let Some((_, factor)) = agents.iter().find(|(agent, _)| treatment.treatment.agent() == Some(agent)) {
                        sensible("factor to the dose of the reference drug", *factor, *factor >= 0.0, "0 or more")?;
                        sum += factor * dose(&treatment.treatment, at_most.unit())?;
                    }
                }
                above(sum, at_most.value(), at_most.unit().code())
            }
            Self::TimeOn { agent, at_most } => above(days_on(agent, given), at_most.days(), "d"),
            Self::Gap { of, at_least } => shortest_gap(of, given).and_then(|gap| below(gap, at_least.days(), "d")),
            Self::Weekdays { of, first, allowed } => forbidden_days(of, *first, allowed, given),
            Self::Within { of, at_most } => {
                let last = selected(of, given.plan).pop();
                last.and_then(|last| above((last - given.since).days(), at_most.days(), "d"))
            }
        })
    }
}

/// Days at full dose from when the plan takes over, therapy that was on already included.
fn days_on(agent: &Agent, given: Given<'_>) -> f64 {
    let (mut level, mut from, mut days) = (0.0, given.since, 0.0);
    for treatment in given.all() {
        if let Treatment::Continuous { agent: other, intensity } = &treatment.treatment
            && other == agent
        {
            let at = treatment.time.max(given.since).min(given.until);
            days += level * (at - from).days();
            (level, from) = (intensity.value(), at);
        }
    }
    days + level * (given.until.max(from) - from).days()
}

/// The times of what is selected, in order.
fn selected(of: &Selection, list: &[TimedTreatment]) -> Vec<Time> {
    let mut times: Vec<Time> = list.iter().filter(|given| of.takes(&given.treatment)).map(|given| given.time).collect();
    times.sort();
    times
}

/// The shortest span between two of what is selected, in days, where at least the later one is of the plan.
fn shortest_gap(of: &Selection, given: Given<'_>) -> Option<f64> {
    let last = selected(of, given.past).pop();
    let times: Vec<Time> = last.into_iter().chain(selected(of, given.plan)).collect();
    let gaps = times.windows(2).filter_map(|pair| match pair {
        [one, next] if one < next => Some((*next - *one).days()),
        _ => None,
    });
    gaps.min_by(f64::total_cmp)
}

/// The share of what is selected that falls on weekdays on which it must not be given.
fn forbidden_days(of: &Selection, first: Weekday, allowed: &[Weekday], given: Given<'_>) -> Excess {
    let times = selected(of, given.plan);
    let weekday = |time: &Time| first.plus_days((*time - given.since).days().floor() as i64);
    let forbidden: Vec<Weekday> = times.iter().map(weekday).filter(|day| !allowed.contains(day)).collect();
    let day = forbidden.first()?;
    Some((
        forbidden.len() as f64 / times.len() as f64,
        format!("{} of {} on another weekday, {day:?} first", forbidden.len(), times.len()),
    ))
}
