//! Time weighed by its quality.

use super::{Endpoint, Outcome};
use crate::{Course, TrialError};
use std::sync::Arc;
use twin_core::{Agent, Time};

/// Days weighed by their utility, 1 for full health, up to death or the end of the course: one utility before progression, another after, less a
/// part while a drug is taken.
///
/// Utilities are a judgment; the trial says whose.
#[derive(Clone)]
pub struct QualityAdjustedTime {
    /// When the disease progresses.
    pub progression: Arc<dyn Endpoint>,
    /// When the patient dies; `None` if nobody is followed to death.
    pub death: Option<Arc<dyn Endpoint>>,
    /// The utility before progression.
    pub before: f64,
    /// The utility after it.
    pub after: f64,
    /// What each continuous drug costs at full dose, as a part of utility.
    pub burdens: Vec<(Agent, f64)>,
}

impl std::fmt::Debug for QualityAdjustedTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QualityAdjustedTime({} before, {} after, {:?})", self.before, self.after, self.burdens)
    }
}

impl QualityAdjustedTime {
    /// Utilities `before` and `after` `progression`, for patients who are not followed to death.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for utilities outside 0 to 1.
    pub fn new(progression: impl Endpoint + 'static, before: f64, after: f64) -> Result<Self, TrialError> {
        for (index, value) in [before, after].into_iter().enumerate() {
            if !(0.0..=1.0).contains(&value) {
                return Err(TrialError::OutOfRange { what: "utility", index, value, valid: "from 0 to 1" });
            }
        }
        Ok(Self { progression: Arc::new(progression), death: None, before, after, burdens: Vec::new() })
    }

    /// Counts time up to death only.
    #[must_use]
    pub fn until(mut self, death: impl Endpoint + 'static) -> Self {
        self.death = Some(Arc::new(death));
        self
    }

    /// Takes `part` of utility off while `agent` is taken at full dose.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a part outside 0 to 1.
    pub fn less(mut self, agent: Agent, part: f64) -> Result<Self, TrialError> {
        if !(0.0..=1.0).contains(&part) {
            return Err(TrialError::OutOfRange { what: "burden of a drug", index: 0, value: part, valid: "from 0 to 1" });
        }
        self.burdens.push((agent, part));
        Ok(self)
    }
}

impl Endpoint for QualityAdjustedTime {
    fn name(&self) -> &'static str {
        "quality-adjusted days"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let days = |time: Time| (time - course.since).days();
        let end = match self.death.as_ref().map(|death| death.assess(course)) {
            None | Some(Outcome::Censored(_)) => days(course.end),
            Some(Outcome::Event(day)) => day.min(days(course.end)),
            Some(_) => return Outcome::NotEvaluable,
        };
        let progressed = match self.progression.assess(course) {
            Outcome::Event(day) => day.min(end),
            Outcome::Censored(_) => end,
            _ => return Outcome::NotEvaluable,
        };
        let mut weighed = self.before * progressed + self.after * (end - progressed);
        for (agent, part) in &self.burdens {
            let periods = course.periods(agent).into_iter();
            let taken: f64 = periods.map(|(from, until, level)| level * (days(until).min(end) - days(from)).max(0.0)).sum();
            weighed -= part * taken;
        }
        Outcome::Value(weighed)
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::{Continuous, FromList, TimeToProgression, Trial, VirtualPatient, course};
    use twin_core::{Observable, Span};
    use twin_models::{Model, clones};

    #[test]
    fn time_is_weighed_before_and_after_progression_and_on_the_drug() {
        let drug = Agent::new("drug").unwrap();
        let model = Arc::new(clones::sensitive_resistant(drug.clone()));
        let progression = TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2);
        let trial = Trial::new(model.clone(), FromList(vec![VirtualPatient::new(model.spec().defaults().unwrap())]), 1)
            .arm("continuous", Continuous { agent: drug.clone() })
            .endpoint(progression.clone())
            .visits(Span::DAY, Span::from_days(600.0).unwrap());
        let course = course(&trial, "continuous", 0).unwrap();
        assert_eq!(progression.assess(&course), Outcome::Event(452.0)); // Strobl 2021
        let plain = QualityAdjustedTime::new(progression, 0.8, 0.5).unwrap();
        assert_eq!(plain.assess(&course), Outcome::Value(0.8 * 452.0 + 0.5 * 148.0));
        let Outcome::Value(less) = plain.less(drug, 0.1).unwrap().assess(&course) else { panic!("no value") };
        assert!((less - (0.8 * 452.0 + 0.5 * 148.0 - 0.1 * 600.0)).abs() < 1e-9);
    }
}
