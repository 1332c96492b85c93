//! Effects that plans are weighed by, beside the endpoints of trials.

use crate::{Course, Endpoint, Outcome};
use std::sync::Arc;
use twin_core::{Fraction, Observable, Target, Treatment};
use twin_models::toxicity::{Complication, DoseVolume};

/// Effects that hold other endpoints show their name.
macro_rules! shown_by_name {
    ($($effect:ident),*) => {
        $(impl std::fmt::Debug for $effect {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($effect), "({})"), self.name)
            }
        })*
    };
}
shown_by_name!(EventBy, Below, Weighted);

/// The least true value of an observable at any visit, in the unit of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastValue {
    /// Its name.
    pub name: String,
    /// The observable.
    pub observable: Observable,
}

impl Endpoint for LeastValue {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let least =
            course.truth(&self.observable).and_then(|series| series.into_iter().map(|(_, value)| value).min_by(f64::total_cmp));
        least.map_or(Outcome::NotEvaluable, Outcome::Value)
    }
}

/// 1 if another endpoint's event came by a day, else 0: its mean over draws is a probability.
///
/// The probability of resistance by a date is that of progression under treatment by then.
#[derive(Clone)]
pub struct EventBy {
    /// Its name.
    pub name: String,
    /// The endpoint in time.
    pub endpoint: Arc<dyn Endpoint>,
    /// The day, counted from when the plan takes over.
    pub day: f64,
}

impl Endpoint for EventBy {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        match self.endpoint.assess(course) {
            Outcome::Event(day) => Outcome::Value(if day <= self.day { 1.0 } else { 0.0 }),
            Outcome::Censored(day) if day >= self.day => Outcome::Value(0.0),
            _ => Outcome::NotEvaluable,
        }
    }
}

/// 1 if another endpoint's number is below a bound, else 0: its mean over draws is a probability.
///
/// The probability of a toxicity of grade 4 is that of a least count below the border of the grade.
#[derive(Clone)]
pub struct Below {
    /// Its name.
    pub name: String,
    /// The endpoint with a number.
    pub endpoint: Arc<dyn Endpoint>,
    /// The bound.
    pub bound: f64,
}

impl Endpoint for Below {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        match self.endpoint.assess(course) {
            Outcome::Value(value) => Outcome::Value(if value < self.bound { 1.0 } else { 0.0 }),
            _ => Outcome::NotEvaluable,
        }
    }
}

/// The absorbed dose of all fractions to a target since the plan took over, in Gy.
#[derive(Debug, Clone, PartialEq)]
pub struct TotalAbsorbedDose {
    /// The target.
    pub target: Target,
}

/// The fractions to `target` since the plan took over, in Gy.
fn grays<'a>(course: &'a Course, target: &'a Target) -> impl Iterator<Item = f64> + 'a {
    course.treatments.iter().filter_map(move |given| match &given.treatment {
        Treatment::Fraction(Fraction { dose, target: other }) if other == target => Some(dose.gray()),
        _ => None,
    })
}

impl Endpoint for TotalAbsorbedDose {
    fn name(&self) -> &'static str {
        "total absorbed dose"
    }

    fn assess(&self, course: &Course) -> Outcome {
        Outcome::Value(grays(course, &self.target).fold(0.0, |sum, gray| sum + gray))
    }
}

/// How many days have a treatment that is given in the clinic: fractions, boluses, infusions, operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysInClinic;

impl Endpoint for DaysInClinic {
    fn name(&self) -> &'static str {
        "days in clinic"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let mut days: Vec<i64> = course
            .treatments
            .iter()
            .filter(|given| !matches!(given.treatment, Treatment::Oral { .. } | Treatment::Continuous { .. }))
            .map(|given| (given.time - course.since).days().floor() as i64)
            .collect();
        days.sort_unstable();
        days.dedup();
        Outcome::Value(days.len() as f64)
    }
}

/// The probability of a complication of an organ that receives a share of the dose to a target (NTCP).
///
/// Every fraction counts with its equivalent in 2 Gy fractions by the linear-quadratic model, without repopulation, what was given before
/// included. The organ as a whole gets one dose: for a histogram of an irradiated organ give one share for each part of its volume.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplicationProbability {
    /// Its name.
    pub name: String,
    /// What is irradiated.
    pub target: Target,
    /// The organ's parts: share of the target's dose, and volume in any one unit.
    pub parts: Vec<(f64, f64)>,
    /// The organ's ratio of alpha to beta, in Gy.
    pub alpha_beta_gray: f64,
    /// The complication.
    pub complication: Complication,
}

impl Endpoint for ComplicationProbability {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let before = course.past.iter().filter_map(|given| match &given.treatment {
            Treatment::Fraction(Fraction { dose, target }) if *target == self.target => Some(dose.gray()),
            _ => None,
        });
        let doses: Vec<f64> = before.chain(grays(course, &self.target)).collect();
        let equivalent = |share: f64| {
            let one = |gray: &f64| share * gray * (share * gray + self.alpha_beta_gray) / (2.0 + self.alpha_beta_gray);
            doses.iter().map(one).fold(0.0, |sum, gray| sum + gray)
        };
        let organ = DoseVolume::differential(self.parts.iter().map(|(share, volume)| (equivalent(*share), *volume)));
        let probability = organ.and_then(|organ| self.complication.model.probability(&organ));
        probability.map_or(Outcome::NotEvaluable, Outcome::Value)
    }
}

/// The probability that no clonogen is left, by the Poisson law, when the least true value of an observable holds so many clonogens per unit.
#[derive(Debug, Clone, PartialEq)]
pub struct TumorControl {
    /// The observable: a volume or a number of cells.
    pub observable: Observable,
    /// Clonogens per unit of the observable.
    pub clonogens_per_unit: f64,
}

impl Endpoint for TumorControl {
    fn name(&self) -> &'static str {
        "probability of tumor control"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let least = LeastValue { name: String::new(), observable: self.observable.clone() }.assess(course);
        match least {
            Outcome::Value(value) => Outcome::Value((-self.clonogens_per_unit * value).exp()),
            other => other,
        }
    }
}

/// A sum of endpoints with weights, for benefit and harm on one scale: the weights say how many units of one are worth a unit of another.
///
/// Times count with their event or, without it, with how long was looked.
#[derive(Clone)]
pub struct Weighted {
    /// Its name.
    pub name: String,
    /// Weight and endpoint of each part.
    pub parts: Vec<(f64, Arc<dyn Endpoint>)>,
}

impl Endpoint for Weighted {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let mut sum = 0.0;
        for (weight, endpoint) in &self.parts {
            match endpoint.assess(course) {
                Outcome::Value(value) | Outcome::Event(value) => sum += weight * value,
                Outcome::Censored(value) if course.stopped.is_none() => sum += weight * value,
                _ => return Outcome::NotEvaluable,
            }
        }
        Outcome::Value(sum)
    }
}
