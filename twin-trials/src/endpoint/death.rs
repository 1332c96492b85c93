//! Death from the disease, as a hazard that follows the tumor.

use super::{Endpoint, Outcome};
use crate::{Course, TrialError};
use twin_core::{Observable, Random};

/// Death whose hazard a day is `rate · (value / reference)^power`, with the true value of an observable between visits taken along a straight
/// line: a joint model of the tumor's course and survival.
///
/// The chance is the patient's own and the same in every arm: who would have died under one treatment and lives under the other, does so
/// because of it. A course ends at its horizon whether or not the patient has died: an endpoint that must not see beyond death takes death
/// as its intercurrent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Death {
    /// Its name.
    pub name: String,
    /// What the hazard follows.
    pub observable: Observable,
    /// The hazard a day at the reference.
    pub rate: f64,
    /// The reference, in the unit of the model.
    pub reference: f64,
    /// How the hazard rises with the value.
    pub power: f64,
}

impl Death {
    /// Death at `rate` a day where `observable` is at `reference`, rising with `power`.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a rate or a reference that is not above 0, or a power that is negative or not finite.
    pub fn new(observable: Observable, rate: f64, reference: f64, power: f64) -> Result<Self, TrialError> {
        for (what, value, least) in
            [("rate of death", rate, f64::MIN_POSITIVE), ("reference", reference, f64::MIN_POSITIVE), ("power", power, 0.0)]
        {
            if !(value.is_finite() && value >= least) {
                let valid = "above 0 (a power also 0) and finite";
                return Err(TrialError::OutOfRange { what, index: 0, value, valid });
            }
        }
        Ok(Self { name: "overall survival".to_owned(), observable, rate, reference, power })
    }

    fn hazard(&self, value: f64) -> f64 {
        self.rate * (value.max(0.0) / self.reference).powf(self.power)
    }
}

impl Endpoint for Death {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let series = course.truth(&self.observable).unwrap_or_default();
        let mut left = Random::new(course.chance).exponential();
        for pair in series.windows(2) {
            let [(from, first), (until, second)] = pair else { continue };
            let (begin, end) = (self.hazard(*first), self.hazard(*second));
            let days = (*until - *from).days();
            let whole = 0.5 * (begin + end) * days;
            if whole >= left {
                // The hazard rises or falls evenly from visit to visit: a quadratic in the share of the interval.
                let slope = (end - begin) / days;
                let root = (begin * begin + 2.0 * slope * left).max(0.0).sqrt();
                let after = 2.0 * left / (begin + root);
                return Outcome::Event((*from - course.since).days() + after);
            }
            left -= whole;
        }
        if series.is_empty() { Outcome::NotEvaluable } else { Outcome::Censored((course.end - course.since).days()) }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::statistics::{FollowUp, KaplanMeier};
    use twin_core::Time;

    fn course(chance: u64, values: &[f64]) -> Course {
        let visits: Vec<Time> = (0..values.len()).map(|n| Time::from_days(10.0 * n as f64).unwrap()).collect();
        Course {
            since: Time::ORIGIN,
            end: *visits.last().unwrap(),
            stopped: None,
            visits,
            observables: vec![Observable::TUMOR_BURDEN],
            values: values.to_vec(),
            observed: vec![],
            treatments: vec![],
            inherited: vec![],
            past: std::sync::Arc::from([]),
            chance,
        }
    }

    #[test]
    fn survival_is_that_of_the_hazard() {
        // A hazard that rises evenly from 0: survival exp(-rate t² / 2).
        let death = Death::new(Observable::TUMOR_BURDEN, 1e-4, 1.0, 1.0).unwrap();
        let values: Vec<f64> = (0..=40).map(|n| 10.0 * f64::from(n)).collect();
        let outcome = |chance| match death.assess(&course(chance, &values)) {
            Outcome::Event(time) => FollowUp::event(time),
            Outcome::Censored(time) => FollowUp::censored(time),
            other => panic!("{other:?}"),
        };
        let seen: Vec<FollowUp> = (0..4000).map(outcome).collect();
        let curve = KaplanMeier::estimate(&seen).unwrap();
        for day in [50.0, 120.0, 250.0_f64] {
            let expected = (-1e-4 * day * day / 2.0).exp();
            assert!((curve.survival_at(day).unwrap().survival - expected).abs() < 0.03, "{day}");
        }
    }

    #[test]
    fn less_tumor_never_means_an_earlier_death() {
        let death = Death::new(Observable::TUMOR_BURDEN, 1e-3, 1.0, 2.0).unwrap();
        let day = |chance, scale: f64| match death.assess(&course(chance, &[scale, 2.0 * scale, scale, 3.0 * scale])) {
            Outcome::Event(day) | Outcome::Censored(day) => day,
            other => panic!("{other:?}"),
        };
        assert!((0..200).all(|chance| day(chance, 2.0) >= day(chance, 4.0)));
        assert!(Death::new(Observable::TUMOR_BURDEN, -1.0, 1.0, 1.0).is_err());
    }
}
