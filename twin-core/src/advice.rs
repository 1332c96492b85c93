//! The loop of a twin: what was advised, what was decided, what came of it.

use crate::{CoreError, Proportion};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A plan as it was put before a clinician.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdvisedPlan {
    /// Its name.
    pub plan: String,
    /// The probability that it is the best of those advised.
    pub probability_best: Proportion,
    /// What was expected of it, in the unit of the advice.
    pub expected: f64,
    /// What was to be exceeded with a probability of 95 %.
    pub low: f64,
    /// What was to be exceeded with a probability of 5 %.
    pub high: f64,
}

/// What was advised at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Advice {
    /// Its id, unique on the patient's record.
    pub id: String,
    /// What was sought.
    pub objective: String,
    /// UCUM unit of what was sought.
    pub unit: String,
    /// The standard of care, by name.
    pub standard: String,
    /// The plan that was recommended; `None` for no confident recommendation.
    pub recommended: Option<String>,
    /// The plans, the most promising first.
    pub plans: Vec<AdvisedPlan>,
}

impl Advice {
    /// Refuses advice that contradicts itself.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if what is recommended is not among the plans, or two plans have one name; [`CoreError::NotFinite`] for a
    /// number that is not finite.
    pub fn check(&self) -> Result<(), CoreError> {
        let what = "advice";
        for (place, plan) in self.plans.iter().enumerate() {
            if let Some(value) = [plan.expected, plan.low, plan.high].into_iter().find(|value| !value.is_finite()) {
                return Err(CoreError::NotFinite { what, value });
            }
            if self.plans.iter().take(place).any(|earlier| earlier.plan == plan.plan) {
                return Err(CoreError::Conflict { what, detail: format!("two plans are called `{}`", plan.plan) });
            }
        }
        match &self.recommended {
            Some(name) if self.plan(name).is_none() => {
                Err(CoreError::Conflict { what, detail: format!("`{name}` is recommended, but is not among its plans") })
            }
            _ => Ok(()),
        }
    }

    /// The plan called `name`.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<&AdvisedPlan> {
        self.plans.iter().find(|plan| plan.plan == name)
    }
}

/// What a clinician decided on an [`Advice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClinicalDecision {
    /// The id of the advice.
    pub advice: String,
    /// The choice.
    pub choice: Choice,
    /// Why, in the clinician's words.
    pub reason: String,
}

/// A choice on an [`Advice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Choice {
    /// What was recommended.
    Accepted,
    /// Something else.
    Changed {
        /// The plan that was chosen: one of the advice, or another one in words.
        plan: String,
    },
    /// Nothing yet: something is to be measured first, or the patient wishes to wait.
    Postponed,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RealizedOutcome {
    /// The id of the advice.
    pub advice: String,
    /// What was sought, as it came, in the unit of the advice.
    pub value: f64,
    /// Whether that is final; if not, it is at least this (a time that still runs).
    pub is_final: bool,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.recommended {
            Some(plan) => write!(f, "advice {}: {plan}", self.id),
            None => write!(f, "advice {}: no confident recommendation", self.id),
        }
    }
}

impl fmt::Display for ClinicalDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.choice {
            Choice::Accepted => write!(f, "advice {} accepted: {}", self.advice, self.reason),
            Choice::Changed { plan } => write!(f, "advice {} changed to {plan}: {}", self.advice, self.reason),
            Choice::Postponed => write!(f, "advice {} postponed: {}", self.advice, self.reason),
        }
    }
}

impl fmt::Display for RealizedOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outcome of advice {}: {}{}", self.advice, if self.is_final { "" } else { "at least " }, self.value)
    }
}
