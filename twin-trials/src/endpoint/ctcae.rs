//! Grades of adverse events by CTCAE, from values of the laboratory.

use super::{Endpoint, Outcome};
use crate::{Course, TrialError};
use serde::{Deserialize, Serialize};
use twin_core::Observable;

/// How a laboratory value is graded, as versioned data: the bounds below which grades 2, 3 and 4 begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grading {
    /// The adverse event.
    pub event: String,
    /// The version of the criteria.
    pub version: String,
    /// Where they are written down.
    pub source: String,
    /// Below the lower limit of normal grade 1 begins; laboratories differ, so the trial says it.
    pub lower_limit_of_normal: f64,
    /// The bounds below which grades 2, 3 and 4 begin, descending, in the unit of the limit.
    pub below: [f64; 3],
}

impl Grading {
    fn new(event: &str, lower_limit_of_normal: f64, below: [f64; 3]) -> Result<Self, TrialError> {
        let grading = Self {
            event: event.to_owned(),
            version: "5.0".to_owned(),
            source: "CTCAE 5.0, National Cancer Institute 2017".to_owned(),
            lower_limit_of_normal,
            below,
        };
        grading.check()?;
        Ok(grading)
    }

    /// Neutrophil count decreased, in 10⁹/L: grades 2, 3 and 4 below 1.5, 1.0 and 0.5.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a lower limit of normal that is not finite and at least 1.5.
    pub fn neutrophils(lower_limit_of_normal: f64) -> Result<Self, TrialError> {
        Self::new("neutrophil count decreased", lower_limit_of_normal, [1.5, 1.0, 0.5])
    }

    /// Platelet count decreased, in 10⁹/L: grades 2, 3 and 4 below 75, 50 and 25.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a lower limit of normal that is not finite and at least 75.
    pub fn platelets(lower_limit_of_normal: f64) -> Result<Self, TrialError> {
        Self::new("platelet count decreased", lower_limit_of_normal, [75.0, 50.0, 25.0])
    }

    /// Refuses bounds that are not finite or do not descend from the lower limit of normal.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`].
    pub fn check(&self) -> Result<(), TrialError> {
        let mut last = f64::INFINITY;
        for (index, value) in std::iter::once(self.lower_limit_of_normal).chain(self.below).enumerate() {
            if !(value.is_finite() && value > 0.0 && value <= last) {
                let valid = "above 0, finite and at most the bound before";
                return Err(TrialError::OutOfRange { what: "bound of a grade", index, value, valid });
            }
            last = value;
        }
        Ok(())
    }

    /// The grade of a value, 0 to 4.
    ///
    /// ```
    /// use twin_trials::endpoint::ctcae::Grading;
    /// let grading = Grading::neutrophils(2.0)?;
    /// assert_eq!([2.0, 1.9, 1.5, 1.49, 0.99, 0.49].map(|count| grading.grade(count)), [0, 1, 1, 2, 3, 4]);
    /// # Ok::<(), twin_trials::TrialError>(())
    /// ```
    #[must_use]
    pub fn grade(&self, value: f64) -> u8 {
        std::iter::once(self.lower_limit_of_normal).chain(self.below).map(|bound| u8::from(value < bound)).sum()
    }
}

/// The worst grade over the visits, as a number 0 to 4.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstGrade {
    /// Its name.
    pub name: String,
    /// What is graded.
    pub observable: Observable,
    /// How. Its bounds are in the unit of the model for true values, in that of [`History`](crate::History) for observed ones.
    pub grading: Grading,
    /// Whether the true values are graded, rather than the observed ones.
    pub truth: bool,
}

impl WorstGrade {
    /// The worst grade of `observable` as it was observed.
    #[must_use]
    pub fn of(observable: Observable, grading: Grading) -> Self {
        Self { name: format!("worst grade, {}", grading.event), observable, grading, truth: false }
    }

    fn worst(&self, course: &Course) -> Option<(u8, f64)> {
        let series = if self.truth { course.truth(&self.observable).unwrap_or_default() } else { course.seen(&self.observable) };
        let graded = series.iter().map(|(time, value)| (self.grading.grade(*value), (*time - course.since).days()));
        // The first of the worst.
        graded.reduce(|worst, one| if one.0 > worst.0 { one } else { worst })
    }
}

impl Endpoint for WorstGrade {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        self.worst(course).map_or(Outcome::NotEvaluable, |(grade, _)| Outcome::Value(f64::from(grade)))
    }
}

/// Days to the first visit with a grade at least as bad: a dose-limiting toxicity, for instance.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeToGrade {
    /// Its name.
    pub name: String,
    /// What is graded, and how.
    pub of: WorstGrade,
    /// The least grade that counts.
    pub grade: u8,
}

impl TimeToGrade {
    /// Days to the first visit at which `observable` is observed with at least `grade`.
    #[must_use]
    pub fn of(observable: Observable, grading: Grading, grade: u8) -> Self {
        let name = format!("time to grade {grade}, {}", grading.event);
        Self { name, of: WorstGrade::of(observable, grading), grade }
    }
}

impl Endpoint for TimeToGrade {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let of = &self.of;
        let series = if of.truth { course.truth(&of.observable).unwrap_or_default() } else { course.seen(&of.observable) };
        if series.is_empty() {
            return Outcome::NotEvaluable;
        }
        let first = series.iter().find(|(_, value)| of.grading.grade(*value) >= self.grade);
        let days = |time: twin_core::Time| (time - course.since).days();
        first.map_or(Outcome::Censored(days(course.end)), |(time, _)| Outcome::Event(days(*time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_criteria() {
        let platelets = Grading::platelets(150.0).unwrap();
        assert_eq!(
            [150.0, 149.0, 75.0, 74.9, 50.0, 49.9, 25.0, 24.9].map(|count| platelets.grade(count)),
            [0, 1, 1, 2, 2, 3, 3, 4]
        );
        assert!(Grading::neutrophils(1.0).is_err());
        assert!(Grading::neutrophils(f64::NAN).is_err());
    }
}
