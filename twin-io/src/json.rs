//! A patient record as versioned JSON.
//!
//! The file is an envelope, `{"format": "twin-patient", "version": 1, "patient": {…}}`, and [`patient_schema`] is its JSON Schema.
//! Reading is strict: another format, a version that is not known, a field that is not known, a key given twice and a value outside
//! the rules of [`twin_core`] are errors. A byte-order mark is refused, since JSON has none.
//!
//! ```
//! use twin_core::{Event, Observable, Observation, Patient, Provenance, SubjectId, Time};
//! use twin_io::json;
//! let psa = Observation::number(Observable::PSA, 4.2, "ng/mL")?;
//! let patient = Patient::new(SubjectId::new("P1")?).with(Time::ORIGIN, Event::Observation(psa), Provenance::measured("lab"));
//! let text = json::to_string(&patient)?;
//! assert_eq!(json::parse_patient(&text)?, patient);
//! assert!(json::parse_patient(&text.replace("\"version\": 1", "\"version\": 2")).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Versions.** Version 1 is the only one so far. A change to the nouns of `twin-core` that alters the schema makes version 2, and
//! the reader goes on reading version 1.

mod check;
mod explain;

use crate::{IoError, Limits, Place, file};
use serde::{Deserialize, Serialize};
use std::path::Path;
use twin_core::Patient;

/// The name of the format, in the field `format`.
pub const FORMAT: &str = "twin-patient";
/// The version that is written, in the field `version`.
pub const VERSION: u64 = 1;
/// The versions that are read.
const SUPPORTED: &str = "1";

/// The envelope as it is read. Format and version were checked before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u64,
    patient: Patient,
}

/// The envelope as it is written.
#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u64,
    patient: &'a Patient,
}

/// Reads a patient record within the default [`Limits`].
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], [`IoError::Empty`], [`IoError::Truncated`], [`IoError::Syntax`],
/// [`IoError::Format`], [`IoError::Version`], [`IoError::DuplicateKey`], [`IoError::Invalid`].
pub fn read_patient(path: impl AsRef<Path>) -> Result<Patient, IoError> {
    read_patient_within(path, &Limits::default())
}

/// Reads a patient record within `limits`.
///
/// # Errors
/// As [`read_patient`].
pub fn read_patient_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Patient, IoError> {
    let path = path.as_ref();
    parse(&file::read(path, limits)?, Some(path), limits)
}

/// A patient record from its text, within the default [`Limits`].
///
/// # Errors
/// As [`read_patient`], but for reading.
pub fn parse_patient(text: &str) -> Result<Patient, IoError> {
    parse(text, None, &Limits::default())
}

/// A patient record from its text, within `limits`.
///
/// # Errors
/// As [`read_patient`], but for reading.
pub fn parse_patient_within(text: &str, limits: &Limits) -> Result<Patient, IoError> {
    parse(text, None, limits)
}

/// The text of a patient record, indented, with a line feed at its end. Equal patients give equal texts.
///
/// # Errors
/// [`IoError::Unwritable`] for a patient that would not read back as it is: fields are public, so one can be set to a value that
/// its constructor refuses, such as a standard error of NaN.
pub fn to_string(patient: &Patient) -> Result<String, IoError> {
    let unwritable = |field, rule: &str| IoError::Unwritable { field, rule: rule.to_owned() };
    let envelope = Written { format: FORMAT, version: VERSION, patient };
    let text = serde_json::to_string_pretty(&envelope).map_err(|_| unwritable(None, "has no form in JSON"))? + "\n";
    let unlimited = Limits { max_bytes: usize::MAX, max_depth: usize::MAX, max_records: usize::MAX, ..Limits::default() };
    match parse(&text, None, &unlimited) {
        Ok(read) if read == *patient => Ok(text),
        Ok(_) => Err(unwritable(None, "has a value that JSON cannot carry, such as NaN")),
        Err(IoError::Invalid { place, rule }) => Err(unwritable(place.field, &rule)),
        Err(other) => Err(unwritable(None, &other.to_string())),
    }
}

/// Writes a patient record to a file that is not there yet, readable by its owner alone.
///
/// The text goes to a temporary file in the same folder, which then takes its name: the file is there whole or not at all. On a
/// file system without hard links, a file that another process makes in the very same moment may be replaced.
///
/// # Errors
/// [`IoError::Exists`] if there is such a file (see [`replace_patient`]); [`IoError::Write`] if it cannot be written;
/// [`IoError::Unwritable`] as [`to_string`].
pub fn write_patient(patient: &Patient, path: impl AsRef<Path>) -> Result<(), IoError> {
    file::create(path.as_ref(), to_string(patient)?.as_bytes())
}

/// As [`write_patient`], but takes the place of the file that may be there. A reader finds the old record or the new one, never a
/// part. A symbolic link is replaced, not followed.
///
/// # Errors
/// [`IoError::Write`] if it cannot be written, and then the old file is as it was; [`IoError::Unwritable`] as [`to_string`].
pub fn replace_patient(patient: &Patient, path: impl AsRef<Path>) -> Result<(), IoError> {
    file::replace(path.as_ref(), to_string(patient)?.as_bytes())
}

/// The JSON Schema (draft 2020-12) of the record, also in the file `schema/patient-1.schema.json` of this crate. It describes the
/// shape; rules that a schema cannot say, such as the units of UCUM, are checked on reading.
#[must_use]
pub const fn patient_schema() -> &'static str {
    include_str!("../schema/patient-1.schema.json")
}

fn parse(text: &str, file: Option<&Path>, limits: &Limits) -> Result<Patient, IoError> {
    file::checked_size(text.len(), file, limits)?;
    if text.trim().is_empty() {
        return Err(IoError::Empty { place: Place::of(file), what: "is no record in it" });
    }
    if text.starts_with('\u{feff}') {
        let rule = "begins with a byte-order mark, which JSON does not have".to_owned();
        return Err(IoError::Syntax { place: Place::of(file).line(1), rule });
    }
    let header = check::check(text, file, limits)?;
    checked_header(&header, file)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let envelope: Envelope =
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| explain::typed(&error, text, file))?;
    Ok(envelope.patient)
}

/// A text as JSON, if it is within the limits and gives no key twice.
#[cfg(feature = "fhir")]
pub(crate) fn value(text: &str, file: &Path, limits: &Limits) -> Result<serde_json::Value, IoError> {
    file::checked_size(text.len(), Some(file), limits)?;
    check::check(text, Some(file), limits)?;
    serde_json::from_str(text).map_err(|error| Place::of(Some(file)).line(error.line()).column(error.column()).syntax("not JSON"))
}

fn checked_header(header: &check::Header, file: Option<&Path>) -> Result<(), IoError> {
    if header.format.as_deref() != Some(FORMAT) {
        return Err(IoError::Format { place: Place::of(file).field("format"), expected: FORMAT });
    }
    let place = Place::of(file).field("version");
    match header.version {
        Some(VERSION) => Ok(()),
        Some(found) => Err(IoError::Version { place, format: FORMAT, found, supported: SUPPORTED }),
        None => Err(IoError::Invalid { place, rule: format!("must be a whole number; supported: {SUPPORTED}") }),
    }
}

#[cfg(test)]
mod tests;
