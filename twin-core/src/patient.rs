//! One patient: who, what is known, and what happened.

use crate::{Consent, CoreError, Covariates, Diagnosis, Event, GenomicProfile, Provenance, Recorded, Time, Timeline};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An opaque name of a subject, made by the caller; never a direct identifier.
///
/// `Debug` and `Display` show at most eight characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct SubjectId(String);

impl SubjectId {
    /// A subject's name.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless it has 1 to 128 characters, none of them a control character.
    pub fn new(id: impl Into<String>) -> Result<Self, CoreError> {
        let id = id.into();
        let count = id.chars().count();
        if count == 0 || count > 128 || id.chars().any(char::is_control) {
            // The name itself is not quoted: it may identify a person.
            return Err(CoreError::Count {
                what: "characters of a subject id",
                count,
                valid: "1 to 128, none a control character",
            });
        }
        Ok(Self(id))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.chars().count() <= 8 {
            return f.write_str(&self.0);
        }
        write!(f, "{}…", self.0.chars().take(7).collect::<String>())
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectId({self})")
    }
}

impl TryFrom<String> for SubjectId {
    type Error = CoreError;
    fn try_from(id: String) -> Result<Self, CoreError> {
        Self::new(id)
    }
}

impl From<SubjectId> for String {
    fn from(id: SubjectId) -> Self {
        id.0
    }
}

/// Everything known of one patient, each value with its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Patient {
    /// The subject's opaque name.
    pub id: SubjectId,
    /// What does not change, or changed only at known times: sex, age, body size, renal function.
    #[serde(default)]
    pub covariates: Covariates,
    /// The diagnoses of pathology, if known.
    #[serde(default)]
    pub diagnoses: Vec<Recorded<Diagnosis>>,
    /// What sequencing and molecular tests found.
    #[serde(default)]
    pub genomics: GenomicProfile,
    /// What the patient agreed to.
    #[serde(default)]
    pub consent: Consent,
    /// What happened, in order.
    #[serde(default)]
    pub timeline: Timeline,
}

impl Patient {
    /// A patient of whom nothing is known yet.
    #[must_use]
    pub fn new(id: SubjectId) -> Self {
        Self {
            id,
            covariates: Covariates::default(),
            diagnoses: Vec::new(),
            genomics: GenomicProfile::default(),
            consent: Consent::default(),
            timeline: Timeline::default(),
        }
    }

    /// Records an event and hands the patient on, for building one in a chain.
    #[must_use]
    pub fn with(mut self, time: Time, event: Event, provenance: Provenance) -> Self {
        self.timeline.record(time, event, provenance);
        self
    }

    /// The patient as known at `time`: the same person, with the later events and covariates left out.
    ///
    /// Diagnoses and genomics carry no time; they are kept as they are.
    #[must_use]
    pub fn until(&self, time: Time) -> Self {
        Self { timeline: self.timeline.until(time), covariates: self.covariates.until(time), ..self.clone() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shows_at_most_eight_characters_of_an_id() {
        let id = SubjectId::new("a-very-long-identifier").unwrap();
        assert_eq!(id.to_string().chars().count(), 8);
        assert!(!format!("{id:?}").contains("long-identifier"));
        assert_eq!(SubjectId::new("P1001").unwrap().to_string(), "P1001");
        assert!(SubjectId::new("").is_err());
        assert!(!SubjectId::new("x\u{7}secret").unwrap_err().to_string().contains("secret"));
    }
}
