//! What a trial found in parts of its patients.

use super::{Conducted, Factor};
use crate::statistics::{Coefficient, CoxRegression, Period};
use crate::{Trial, TrialError};
use twin_core::Random;

/// What a trial found in one level of a factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroup {
    /// The level: how many cuts of the factor lie at or below the patient's value.
    pub level: usize,
    /// Patients by arm.
    pub patients: Vec<usize>,
    /// Events by arm.
    pub events: Vec<usize>,
    /// The logarithm of the hazard ratio of the second arm to the first; `None` where the events do not tell.
    pub hazard_ratio: Option<Coefficient>,
}

impl Conducted {
    /// What was found at each level of `factor`, by the parameters of the patients of `trial`: a table of subgroups, which shows who benefits, and
    /// who was not there. Small subgroups mislead; a virtual trial can hold them against the paired truth.
    ///
    /// # Errors
    /// [`TrialError::Simulation`] for a factor that is no parameter; [`TrialError::Count`] for other than two arms.
    pub fn subgroups(&self, trial: &Trial, factor: &Factor) -> Result<Vec<Subgroup>, TrialError> {
        if self.arms.len() != 2 {
            return Err(TrialError::Count { what: "number of arms", count: self.arms.len(), valid: "2" });
        }
        let end = self.looks.last().map_or(f64::NAN, |look| look.day);
        let mut levels: Vec<Vec<Period>> = vec![Vec::new(); factor.cuts.len() + 1];
        for one in &self.enrolled {
            let stream = Random::new(trial.seed).stream(one.patient as u64);
            let patient = trial.cohort.draw(one.patient, &mut stream.stream(0))?;
            let (Some(seen), level) = (one.seen_at(end), factor.level(&patient)?) else { continue };
            if let Some(level) = levels.get_mut(level) {
                level.push(Period::new(seen, [one.arm as f64]));
            }
        }
        let subgroup = |(level, periods): (usize, Vec<Period>)| {
            let of =
                |arm: usize| periods.iter().filter(move |period| period.covariates.first().is_some_and(|own| *own as usize == arm));
            let fit = CoxRegression::default().fit(&["arm"], &periods).ok();
            Subgroup {
                level,
                patients: (0..2).map(|arm| of(arm).count()).collect(),
                events: (0..2).map(|arm| of(arm).filter(|period| period.follow_up.event).count()).collect(),
                hazard_ratio: fit.and_then(|fit| fit.coefficient("arm").ok().cloned()),
            }
        };
        Ok(levels.into_iter().enumerate().map(subgroup).collect())
    }
}
