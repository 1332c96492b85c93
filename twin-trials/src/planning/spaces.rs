//! Ready spaces of plans for the common decisions.

use super::{Plan, Space, Strategy, Variable};
use crate::{Adaptive, TrialError};
use twin_core::{
    AbsorbedDose, Agent, Observable, Proportion, Quantity, Regimen, Span, Target, Time, TimedTreatment, Treatment, Weekday,
};

/// Radiotherapy: number of fractions, dose per fraction, fractions per week, and a boost.
#[derive(Debug, Clone, PartialEq)]
pub struct RadiotherapySpace {
    /// What is irradiated.
    pub target: Target,
    /// The weekday on which the plan takes over and the first fraction is given, one of Monday to Friday.
    pub first: Weekday,
    /// The least and the greatest number of fractions.
    pub fractions: (u32, u32),
    /// The least and the greatest dose of a fraction, in Gy.
    pub dose_gray: (f64, f64),
    /// Numbers of fractions per week to choose from, each 1 to 5: spread over the week from the first weekday on, none on weekends.
    pub per_week: Vec<u32>,
    /// The boost: its target, up to how many of the last fractions have it, and its greatest dose per fraction in Gy.
    pub boost: Option<(Target, u32, f64)>,
}

impl RadiotherapySpace {
    /// The space of these plans: `fractions`, `dose_gray`, `per_week`, and with a boost `boosted_fractions` and `boost_gray`.
    ///
    /// # Errors
    /// [`TrialError::Variable`] for ranges without a value or more than 5 fractions per week.
    pub fn space(&self) -> Result<Space, TrialError> {
        if let Some(wrong) = self.per_week.iter().find(|count| !(1..=5).contains(*count)) {
            return Err(TrialError::Variable { name: "per_week".to_owned(), detail: format!("{wrong} is not from 1 to 5") });
        }
        let mut variables = vec![
            Variable::whole("fractions", "1", self.fractions.0, self.fractions.1),
            Variable::real("dose_gray", "Gy", self.dose_gray.0, self.dose_gray.1),
            Variable::choice("per_week", "/wk", self.per_week.iter().map(|count| f64::from(*count))),
        ];
        if let Some((_, most, gray)) = &self.boost {
            variables.push(Variable::whole("boosted_fractions", "1", 0, *most));
            variables.push(Variable::real("boost_gray", "Gy", 0.0, *gray));
        }
        let own = self.clone();
        Space::new(variables, move |x| own.plan(x))
    }

    fn plan(&self, x: &[f64]) -> Result<Plan, TrialError> {
        let [fractions, gray, per_week, ref boost @ ..] = *x else {
            return Err(TrialError::Empty { what: "the list of values" });
        };
        let (fractions, per_week) = (fractions as u32, per_week as usize);
        let regimen = Regimen::fractions(fractions, AbsorbedDose::from_gray(gray)?, self.target.clone());
        let days = Self::WEEKS.get(per_week.saturating_sub(1)).copied().unwrap_or_default();
        let mut regimen = regimen.on_days_of_week(self.first, days.iter().map(|day| self.working(*day)));
        let mut name = format!("{fractions} x {gray:.3} Gy, {per_week} per week");
        if let (Some((target, ..)), [boosted, boost_gray]) = (&self.boost, boost) {
            let boosted = (*boosted as u32).min(fractions);
            if boosted > 0 && *boost_gray > 0.0 {
                let dose = AbsorbedDose::from_gray(*boost_gray)?;
                regimen = regimen.boosted_from(fractions - boosted + 1, Treatment::fraction(dose, target.clone()));
                name += &format!(", the last {boosted} with {boost_gray:.3} Gy more to {target}");
            }
        }
        Ok(Plan::regimen(name, &regimen)?)
    }

    /// Working days after the first one on which 1 to 5 fractions per week are given.
    const WEEKS: [&'static [i64]; 5] = [&[0], &[0, 3], &[0, 2, 4], &[0, 1, 2, 3], &[0, 1, 2, 3, 4]];

    /// The working day that comes `days` working days after the first one, in the circle of Monday to Friday.
    fn working(&self, days: i64) -> Weekday {
        let first = i64::from(Weekday::Monday.days_until(self.first));
        Weekday::Monday.plus_days((first + days) % 5)
    }
}

/// A drug in cycles: dose, interval, number of cycles.
#[derive(Debug, Clone, PartialEq)]
pub struct DrugSpace {
    /// The drug.
    pub agent: Agent,
    /// UCUM unit of the dose.
    pub unit: String,
    /// The least and the greatest dose.
    pub dose: (f64, f64),
    /// Intervals between doses to choose from, in days.
    pub interval_days: Vec<u32>,
    /// The least and the greatest number of doses.
    pub cycles: (u32, u32),
    /// How long each infusion lasts; `None` for a bolus.
    pub infusion: Option<Span>,
}

impl DrugSpace {
    /// The space of these plans: `dose`, `interval`, `cycles`.
    ///
    /// # Errors
    /// [`TrialError::Variable`] for ranges without a value.
    pub fn space(&self) -> Result<Space, TrialError> {
        let variables = [
            Variable::real("dose", &self.unit, self.dose.0, self.dose.1),
            Variable::choice("interval", "d", self.interval_days.iter().map(|days| f64::from(*days))),
            Variable::whole("cycles", "1", self.cycles.0, self.cycles.1),
        ];
        let own = self.clone();
        Space::new(variables, move |x| own.plan(x))
    }

    fn plan(&self, x: &[f64]) -> Result<Plan, TrialError> {
        let &[dose, interval, cycles] = x else {
            return Err(TrialError::Empty { what: "the list of values" });
        };
        let quantity = Quantity::new(dose, self.unit.as_str())?;
        let treatment = match self.infusion {
            Some(duration) => Treatment::infusion(self.agent.clone(), quantity, duration)?,
            None => Treatment::bolus(self.agent.clone(), quantity)?,
        };
        let regimen = Regimen::give(treatment).every_days(interval as u32).times(cycles as u32);
        let name = format!("{cycles} x {dose:.3} {} {} every {interval} days", self.unit, self.agent);
        Ok(Plan::regimen(name, &regimen)?)
    }
}

/// Thresholds of adaptive therapy: where the drug stops, and how much higher it resumes.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdSpace {
    /// The drug.
    pub agent: Agent,
    /// The marker.
    pub marker: Observable,
    /// The least and the greatest share of the reference at which the drug stops.
    pub stop_at: (f64, f64),
    /// By how much higher a share it resumes, at least and at most.
    pub above: (f64, f64),
}

impl ThresholdSpace {
    /// The space of these policies: `stop_at`, `above`.
    ///
    /// # Errors
    /// [`TrialError::Variable`] for ranges without a value.
    pub fn space(&self) -> Result<Space, TrialError> {
        let variables = [
            Variable::real("stop_at", "1", self.stop_at.0, self.stop_at.1),
            Variable::real("above", "1", self.above.0, self.above.1),
        ];
        let own = self.clone();
        Space::new(variables, move |x| {
            let &[stop_at, above] = x else {
                return Err(TrialError::Empty { what: "the list of values" });
            };
            let resume_at = stop_at + above;
            let policy = Adaptive { agent: own.agent.clone(), marker: own.marker.clone(), stop_at, resume_at, reference: None };
            Ok(Plan::adaptive(format!("{} off at {stop_at:.3}, on at {resume_at:.3}", own.agent), policy))
        })
    }
}

/// A dose rate over time, in pieces: for each piece an intensity of continuous therapy and how long it lasts; off afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct PiecewiseSpace {
    /// The drug.
    pub agent: Agent,
    /// How many pieces there are.
    pub pieces: u32,
    /// The longest time that a piece lasts.
    pub longest: Span,
}

impl PiecewiseSpace {
    /// The space of these plans: `intensity` and `duration` of each piece in turn.
    ///
    /// # Errors
    /// [`TrialError::Empty`] without pieces, [`TrialError::Variable`] for a longest time that is negative.
    pub fn space(&self) -> Result<Space, TrialError> {
        let piece = |number: u32| {
            let intensity = Variable::real(&format!("intensity_{number}"), "1", 0.0, 1.0);
            [intensity, Variable::real(&format!("duration_{number}"), "d", 0.0, self.longest.days())]
        };
        let own = self.clone();
        Space::new((1..=self.pieces).flat_map(piece), move |x| {
            let (mut at, mut treatments) = (Time::ORIGIN, Vec::new());
            let mut set = |at: Time, intensity: f64| -> Result<(), TrialError> {
                let treatment = Treatment::Continuous { agent: own.agent.clone(), intensity: Proportion::new(intensity)? };
                treatments.push(TimedTreatment::new(at, treatment));
                Ok(())
            };
            for piece in x.chunks_exact(2) {
                if let &[intensity, days] = piece {
                    set(at, intensity)?;
                    at = at + Span::from_days(days)?;
                }
            }
            set(at, 0.0)?;
            Ok(Plan::fixed(format!("{} in {} pieces", own.agent, own.pieces), treatments))
        })
    }
}

/// Two modalities together: every pair of plans, the second beginning a number of days after the first, or before it if negative.
///
/// The variables are those of the first, those of the second, and `delay`. Both must be fixed in advance. The first of the two that begins does
/// so when the plan takes over.
///
/// # Errors
/// [`TrialError::Variable`] for bounds of the delay the wrong way round; a pair of which one decides on the way cannot be built.
pub fn combined(first: &Space, second: &Space, delay_days: (f64, f64)) -> Result<Space, TrialError> {
    let delay = Variable::real("delay", "d", delay_days.0, delay_days.1);
    let variables = first.variables().iter().chain(second.variables()).cloned().chain([delay]);
    let (one, two) = (first.clone(), second.clone());
    Space::new(variables.collect::<Vec<_>>(), move |x| {
        let split = one.variables().len();
        let (Some(own), Some(rest)) = (x.get(..split), x.get(split..)) else {
            return Err(TrialError::Empty { what: "the list of values" });
        };
        let Some((delay, others)) = rest.split_last() else {
            return Err(TrialError::Empty { what: "the list of values" });
        };
        let (one, two) = (one.plan(own)?, two.plan(others)?);
        let name = format!("{}; {}, {delay:.1} days later", one.name, two.name);
        let (Strategy::Fixed(a), Strategy::Fixed(b)) = (&one.strategy, &two.strategy) else {
            return Err(TrialError::Design { what: "a combined plan", valid: "of two plans that are fixed in advance" });
        };
        let later = |list: &[TimedTreatment], days: f64| -> Result<Vec<TimedTreatment>, TrialError> {
            let by = Span::from_days(days)?;
            Ok(list.iter().map(|given| TimedTreatment::new(given.time + by, given.treatment.clone())).collect())
        };
        let mut treatments = later(a, (-delay).max(0.0))?;
        treatments.extend(later(b, delay.max(0.0))?);
        Ok(Plan::fixed(name, treatments))
    })
}
