//! Handing a record on without handing on the person: pseudonyms, dates as days, consent at the door, an audit that shows tampering.
//!
//! ```
//! use twin_core::{Patient, Purpose, Time};
//! use twin_io::Date;
//! use twin_io::governance::{Audit, Key, release};
//! let key = Key::new(*b"an example key of thirty-two byte")?;
//! let origin = Date::parse("2024-03-01")?;
//! assert_eq!(Date::parse("2024-03-15")?.time_since(origin)?.days(), 14.0);
//!
//! let patient = Patient::new(key.pseudonym("MRN 4711")?);
//! let mut audit = Audit::new();
//! let released = release(&patient, &[], Purpose::Research, Time::ORIGIN, &mut audit, "2026-11-23T12:00:00Z")?;
//! assert_eq!((released.id.as_str().len(), audit.len()), (32, 1));
//! Audit::verify(&audit.to_text())?;
//! # Ok::<(), twin_io::IoError>(())
//! ```
//!
//! [`release`] asks consent first, and audits the answer either way. What it lets out has no text but names of the catalogs and those
//! on the caller's list. Whether a combination of facts singles out a person is asked of the cohort: [`smallest_group`],
//! [`suppressed`].
//!
//! **What it does not do.** It does not search images for faces or burnt-in names, and writes no DICOM: pixels leave as NIfTI, which
//! has no field for a person, but a head in a volume can still be recognized.

mod audit;
mod cohort;
mod pseudonym;
mod release;

pub use audit::{Audit, AuditEntry};
pub use cohort::{smallest_group, suppressed};
pub use pseudonym::Key;
pub use release::release;

#[cfg(test)]
mod tests;
