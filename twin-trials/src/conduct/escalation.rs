//! Dose escalation in which the model decides who has a toxicity.

use crate::design::{DoseFinding, DoseStep, Treated};
use crate::{Outcome, TrialError, TrialReport};
use serde::{Deserialize, Serialize};

/// What an escalation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// The dose of each cohort, counted from 0, in order.
    pub doses: Vec<usize>,
    /// Patients and toxicities at each dose.
    pub seen: Vec<Treated>,
    /// The recommended dose; `None` if none is safe.
    pub recommended: Option<usize>,
    /// Patients passed over because their toxicity is not known.
    pub unknown: usize,
}

/// Escalates over the arms of `report`, which are the doses from low to high: each new cohort takes the next patients at the dose that `rule`
/// gives, and a patient has a dose-limiting toxicity if `toxicity`, an endpoint of the report, is an event or a value above 0 in that arm.
///
/// The other arms of the same patients are not looked at; they say what would have happened.
///
/// # Errors
/// [`TrialError::UnknownName`] for an endpoint that the report does not have; what the rule refuses.
pub fn escalate(rule: &dyn DoseFinding, report: &TrialReport, toxicity: &str, cohorts: usize) -> Result<Escalated, TrialError> {
    let unknown_name = || TrialError::UnknownName { name: toxicity.to_owned(), known: report.endpoints.clone() };
    let place = report.endpoints.iter().position(|name| name == toxicity).ok_or_else(unknown_name)?;
    let (mut seen, mut doses) = (vec![Treated::default(); report.arms.len()], Vec::new());
    let (mut current, mut unknown) = (0, 0);
    let mut patients = 0..report.size;
    for _ in 0..cohorts {
        let (Some(arm), Some(at_dose)) = (report.arms.get(current), seen.get_mut(current)) else {
            return Err(TrialError::Count { what: "dose of the rule", count: current, valid: "one of the arms, from 0" });
        };
        let of = |patient: usize| match arm.outcomes.get(patient)?.as_ref()?.get(place)? {
            Outcome::Event(_) => Some(true),
            Outcome::Value(value) => Some(*value > 0.0),
            Outcome::Censored(_) => Some(false),
            Outcome::NotEvaluable => None,
        };
        let mut cohort = 0;
        while cohort < rule.cohort()
            && let Some(patient) = patients.next()
        {
            match of(patient) {
                None => unknown += 1,
                Some(toxic) => {
                    cohort += 1;
                    at_dose.patients += 1;
                    at_dose.toxicities += usize::from(toxic);
                }
            }
        }
        if cohort < rule.cohort() {
            break; // no patients are left
        }
        doses.push(current);
        match rule.next(current, &seen)? {
            DoseStep::Give(dose) => current = dose,
            DoseStep::Stop => break,
        }
    }
    let recommended = rule.recommend(&seen)?;
    Ok(Escalated { doses, seen, recommended, unknown })
}
