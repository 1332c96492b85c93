//! Adapters between files of the clinic and the patient state of [`twin_core`].
//!
//! ```
//! # #[cfg(feature = "table")] {
//! use twin_core::Observable;
//! use twin_io::{Limits, table};
//! let mapping = table::Mapping::abiraterone()?;
//! let text = "patient,arm,day,psa_ng_per_ml,on_abiraterone\nP1,adaptive,0,6.06,1\nP1,adaptive,27,0.03,0\n";
//! let patients = table::parse_table(text, "psa.csv", &mapping, &Limits::default())?;
//! let psa: Vec<f64> = patients[0]
//!     .timeline
//!     .observations_of(&Observable::PSA)
//!     .filter_map(|(_, observation)| observation.finding.quantity().map(|quantity| quantity.value()))
//!     .collect();
//! assert_eq!(psa, [6.06, 0.03]);
//! # }
//! # Ok::<(), twin_io::IoError>(())
//! ```
//!
//! Every reader makes [`twin_core::Patient`]s, the primary type, and remembers of each value which file and which place in it the
//! value comes from. What does not fit is refused with an [`IoError`]; nothing is guessed, filled, clamped or dropped.
//!
//! # What it does not do
//!
//! * Readers do not de-identify. A subject's id is taken as it stands in a table: make it opaque before. The name of a file enters
//!   the provenance, so a file should not be named after a person. `governance` is for the way out.
//! * Records know no calendar dates: what has dates is read with an origin that the caller gives.
//! * It reads whole files, up to [`Limits`]; it does not stream, lock files, or follow a file that grows.
//!
//! # Catalog
//!
#![cfg_attr(feature = "json", doc = "* [`json`] — a patient record as versioned JSON with a published JSON Schema.")]
#![cfg_attr(feature = "table", doc = "* [`table`] — patients from a CSV table through a column mapping, two of them ready.")]
#![cfg_attr(
    feature = "dicom",
    doc = "* [`dicom`] — image series, structures, doses with their histograms, plans and segmentations."
)]
#![cfg_attr(feature = "arrow", doc = "* [`arrow`] — data frames as Arrow IPC, out.")]
#![cfg_attr(feature = "omop", doc = "* [`omop`] — tables of the OMOP common data model, in and out.")]
#![cfg_attr(feature = "child", doc = "* [`child`] — reading of untrusted files in a process with a cap on its memory.")]
#![cfg_attr(feature = "parquet", doc = "* [`parquet`] — data frames as Parquet, in and out.")]
#![cfg_attr(feature = "events", doc = "* [`events`] — tables of doses and observations in the manner of NONMEM.")]
#![cfg_attr(feature = "fhir", doc = "* [`fhir`] — FHIR R4 bundles in the manner of mCODE, in and out.")]
#![cfg_attr(feature = "genomics", doc = "* [`genomics`] — MAF, VCF, expression and copy-number matrices, to alterations.")]
#![cfg_attr(feature = "governance", doc = "* [`governance`] — pseudonyms, releases by consent, an audit log, small groups.")]
#![cfg_attr(feature = "nifti", doc = "* [`nifti`] — NIfTI-1 and NIfTI-2 images, in and out, bit for bit.")]
#![cfg_attr(feature = "sbml", doc = "* [`sbml`] — SBML Level 3 core, as equations that make a model.")]
//! * [`dataframe`] — a table of typed columns with names, units and missing values: what goes out, and what tables come in as.
//! * [`lab`] — readings of a laboratory in another unit, by the molar mass of the analyte.
//! * [`volume`] — numbers and masks over a grid of voxels with its place in the patient, which the imaging rooms share.
//! * [`Limits`] — how much of an untrusted file is read, at most.
//! * [`Date`] — a day of the calendar, which becomes days from an origin at the door.
//! * [`Missing`] — why something is not known: not done, failed, withheld.
//! * [`IoError`], [`Place`] — what is wrong, in which file, line and field; never with a value from the file.
//!
//! # Features
//!
//! | feature | default | room | cost |
//! |---|---|---|---|
//! | `json` | yes | `json` | `serde_json`, `serde_path_to_error` |
//! | `table` | yes | `table` | `toml` |
//! | `arrow` | no | `arrow` | `arrow-array`, `arrow-ipc`, `arrow-schema`: some 30 crates |
//! | `child` | no | `child` | `rustix`, on Unix |
//! | `dicom` | no | `dicom` | `flate2` with `zlib-rs` |
//! | `events` | no | `events` | `table` |
//! | `fhir` | no | `fhir` | `governance`, `table` |
//! | `genomics` | no | `genomics` | `flate2` with `zlib-rs` |
//! | `governance` | no | `governance` | `json`, `sha2` |
//! | `omop` | no | `omop` | `fhir`, `parquet` |
//! | `parquet` | no | `parquet` | `snap`, `flate2` with `zlib-rs` |
//! | `sbml` | no | `sbml` | `twin-models`, `roxmltree` |
//! | `jpeg` | no | frames of `dicom` in JPEG, JPEG-LS, JPEG 2000 | `jpeg-decoder`, `hayro-jpeg2000` |
//! | `nifti` | no | `nifti` | `flate2` with `zlib-rs` |
//!
//! The table reader is its own, since it must refuse what common readers pass over (a quote that is never closed swallows the rest
//! of the file) and must name exact lines; its tests compare it with the `csv` crate.

mod date;
mod error;
#[cfg(any(
    feature = "json",
    feature = "table",
    feature = "nifti",
    feature = "dicom",
    feature = "genomics",
    feature = "sbml",
    feature = "parquet",
    feature = "arrow"
))]
mod file;
#[cfg(any(feature = "nifti", feature = "dicom", feature = "genomics", feature = "parquet"))]
mod inflate;
mod limits;
mod missing;

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "child")]
pub mod child;
pub mod dataframe;
#[cfg(feature = "dicom")]
pub mod dicom;
#[cfg(feature = "events")]
pub mod events;
#[cfg(feature = "fhir")]
pub mod fhir;
#[cfg(feature = "genomics")]
pub mod genomics;
#[cfg(feature = "governance")]
pub mod governance;
#[cfg(feature = "json")]
pub mod json;
pub mod lab;
#[cfg(feature = "nifti")]
pub mod nifti;
#[cfg(feature = "omop")]
pub mod omop;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "sbml")]
pub mod sbml;
#[cfg(feature = "table")]
pub mod table;
pub mod volume;

pub use date::Date;
pub use error::{IoError, Place};
pub use limits::Limits;
pub use missing::Missing;
