//! FHIR R4 bundles in the manner of mCODE, in and out.
//!
//! ```
//! use twin_core::{Observable, SubjectId};
//! use twin_io::{Date, Limits, fhir::{self, Identity}};
//! let identity = Identity { subject: SubjectId::new("S1")?, origin: Date::parse("2024-03-01")? };
//! let text = r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
//!     "resourceType": "Observation", "status": "final", "effectiveDateTime": "2024-03-15",
//!     "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
//!     "valueQuantity": {"value": 4.2, "system": "http://unitsofmeasure.org", "code": "ng/mL"}}}]}"#;
//! let bundle = fhir::parse(text, "bundle.json", &identity, &Limits::default())?;
//! let (time, _) = bundle.patient.timeline.observations_of(&Observable::PSA).next().ok_or("no PSA")?;
//! assert_eq!((time.days(), bundle.left_out.len()), (14.0, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names, addresses and numbers of a person are not looked at: the caller says who the subject is and which date is day 0. Whatever a
//! bundle holds that is not carried over is listed in [`Bundle::left_out`] by its place and the reason, never with its content;
//! what is carried over but wrong (a unit that is not UCUM, a date that the calendar does not have, two patients) is an error.
//!
//! | resource | becomes |
//! |---|---|
//! | Patient | sex, age at the origin |
//! | Condition with ICD-O-3 codes | diagnosis |
//! | Observation of TNM categories | the stage of the one diagnosis |
//! | Observation with a code of [`OBSERVABLES`] | observation: number, limit, category or why there is none |
//! | Observation of height or weight | covariate |
//! | Observation of a genomic variant | alteration |
//! | MedicationAdministration | dose, or continuous therapy from its start to its end |
//! | Procedure with a dose of radiation on one day; an operation with its extent | fraction; surgery |
//! | AdverseEvent | observation `adverse_event` with its code: grade of CTCAE, or severity |
//! | Consent | provisions of consent |
//! | MedicationRequest | [`Request`]: asked for, which does not say given |
//! | Procedure that sums up a course of radiotherapy | [`RadiotherapyCourse`]: without the days of its fractions it is no timeline |
//!
//! [`read_tables`] reads the same from the tables of the mCODE extraction framework.
//!
//! **Out.** [`to_text`] writes the same resources. What FHIR has no place for (the origin of a value, fractions of a day, names of
//! observables without a LOINC code) goes into extensions and a code system of this project, and what has no resource of its own
//! (fields, fusions, biomarkers, withdrawals of consent) into resources of type Basic: a patient comes back as it was.

mod codes;
mod read;
mod tables;
mod write;

pub use codes::OBSERVABLES;
pub use tables::read_tables;
pub use write::{Written, to_text};

use crate::{Date, IoError, Limits, Place, file, json};
use std::path::Path;
use twin_core::{AbsorbedDose, Agent, Patient, Quantity, SubjectId, Time};

/// Who the subject of a bundle is, and which date is day 0 of its twin.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The subject's name: a pseudonym, see [`Key`](crate::governance::Key).
    pub subject: SubjectId,
    /// The date of day 0.
    pub origin: Date,
}

/// A part of a bundle that was not carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands, such as `entry[3].resource.component[0]`.
    pub path: String,
    /// The type of the resource, if it is one of FHIR's names.
    pub resource: String,
    /// Why it was left out.
    pub reason: &'static str,
}

/// A bundle, as far as the patient state holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The patient.
    pub patient: Patient,
    /// Drugs that were asked for.
    pub requests: Vec<Request>,
    /// Courses of radiotherapy, in sum.
    pub courses: Vec<RadiotherapyCourse>,
    /// What was not carried over.
    pub left_out: Vec<LeftOut>,
}

/// A drug that was asked for. Whether it was given is another question.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The drug.
    pub agent: Agent,
    /// Its status, a code of FHIR: `active`, `on-hold`, `cancelled`, `completed`, `stopped`, `draft`, `unknown`.
    pub status: String,
    /// When it was written.
    pub authored: Option<Time>,
    /// The dose at a time.
    pub dose: Option<Quantity>,
    /// The route, a code of SNOMED CT.
    pub route: Option<String>,
}

/// A course of radiotherapy as mCODE sums it up.
#[derive(Debug, Clone, PartialEq)]
pub struct RadiotherapyCourse {
    /// Its first day.
    pub start: Option<Time>,
    /// Its last day.
    pub end: Option<Time>,
    /// How many sessions there were.
    pub sessions: Option<u32>,
    /// The modality, a code of SNOMED CT.
    pub modality: Option<String>,
    /// The technique, a code of SNOMED CT.
    pub technique: Option<String>,
    /// What was delivered to which volume.
    pub volumes: Vec<VolumeDose>,
}

/// What a volume received in a course.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeDose {
    /// Where the volume lies, a code of SNOMED CT.
    pub site: Option<String>,
    /// The dose of all fractions together.
    pub dose: Option<AbsorbedDose>,
    /// How many fractions there were.
    pub fractions: Option<u32>,
}

/// Reads a bundle from a file.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`parse`].
pub fn read(path: impl AsRef<Path>, identity: &Identity, limits: &Limits) -> Result<Bundle, IoError> {
    let path = path.as_ref();
    of(&file::read(path, limits)?, path, identity, limits)
}

/// Reads a bundle from the text of a file named `name`.
///
/// # Errors
/// [`IoError::Syntax`], [`IoError::DuplicateKey`], [`IoError::Limit`], [`IoError::Format`] if it is not a bundle, and
/// [`IoError::Invalid`] with the path of the field that is wrong.
pub fn parse(text: &str, name: &str, identity: &Identity, limits: &Limits) -> Result<Bundle, IoError> {
    of(text, Path::new(name), identity, limits)
}

fn of(text: &str, path: &Path, identity: &Identity, limits: &Limits) -> Result<Bundle, IoError> {
    let document = json::value(text, path, limits)?;
    read::bundle(&document, path, identity, limits, None)
}

/// An error at a path of the bundle.
fn invalid(file: &Path, path: &str, rule: impl Into<String>) -> IoError {
    Place::of(Some(file)).field(path).invalid(rule)
}

#[cfg(test)]
mod tests;
