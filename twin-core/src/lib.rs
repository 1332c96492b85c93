//! Patient-state data model for digital twins in oncology: what the clinic knows of one patient, with units, times and provenance.
//!
//! ```
//! use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, SubjectId, Time, Treatment};
//!
//! let psa = |value| Observation::number(Observable::PSA, value, "ng/mL");
//! let chart = || Provenance::measured("chart");
//! let patient = Patient::new(SubjectId::new("P1")?)
//!     .with(Time::ORIGIN, Event::Observation(psa(20.1)?), chart())
//!     .with(Time::ORIGIN, Event::Treatment(Treatment::on(Agent::new("abiraterone")?)), chart())
//!     .with(Time::from_days(28.0)?, Event::Observation(psa(14.2)?), chart());
//! let known_before = patient.until(Time::from_days(27.0)?);
//! assert_eq!(known_before.timeline.observations_of(&Observable::PSA).count(), 1);
//! assert!(psa(f64::NAN).is_err());
//! # Ok::<(), twin_core::CoreError>(())
//! ```
//!
//! The primary type is [`Patient`]. What this crate does not do: it reads no files (that is `twin-io`), knows no calendar, and holds no
//! model.
//!
//! # Catalogue
//! - [`Patient`], [`SubjectId`], [`Timeline`], [`Event`]: one patient in the order of time
//! - [`Time`], [`Span`]: days from the twin's origin
//! - [`Quantity`], [`Unit`], [`AbsorbedDose`], [`Proportion`]: validated numbers, UCUM units, exact conversion
//! - [`Observation`], [`Observable`], [`Finding`], [`ScalarField`]: what is seen, censored and not evaluable included
//! - [`Treatment`], [`TimedTreatment`], [`Regimen`]: what is done, and prescriptions that expand to it
//! - [`Advice`], [`ClinicalDecision`], [`RealizedOutcome`]: what a twin advised, what was decided, what came of it
//! - [`Diagnosis`], [`Stage`], [`Grade`], [`ReceptorResult`]: pathology
//! - [`GenomicProfile`], [`Alteration`], [`BiomarkerStatus`], [`ExpressionProfile`]: genomics
//! - [`Covariates`]: age, sex, body size, renal function
//! - [`Consent`], [`Provenance`]: what may be done with it, and where it comes from
//! - [`Random`]: counter-based random streams, the same bits everywhere
#![cfg_attr(test, allow(clippy::float_cmp))]

mod advice;
mod consent;
mod covariate;
mod error;
mod genomics;
mod imaging;
mod observation;
mod pathology;
mod patient;
mod provenance;
mod quantity;
mod random;
mod regimen;
mod time;
mod timeline;
mod treatment;
mod unique_map;
mod unit;

pub use advice::{Advice, AdvisedPlan, Choice, ClinicalDecision, RealizedOutcome};
pub use consent::{Consent, ConsentState, Provision, Purpose, Ruling, Withdrawal};
pub use covariate::{
    Category, CovariateName, CovariateValue, Covariates, Sex, body_surface_area_du_bois, body_surface_area_mosteller,
    creatinine_clearance_cockcroft_gault,
};
pub use error::CoreError;
pub use genomics::{
    Alteration, AlterationKind, Biomarker, BiomarkerResult, BiomarkerStatus, CodingChange, CopyCount, CopyNumber,
    ExpressionMeasure, ExpressionProfile, GeneSymbol, GenomicProfile, ProteinChange, SampleLabel, Significance,
};
pub use imaging::{Grid, Mask, ScalarField};
pub use observation::{Finding, Observable, Observation};
pub use pathology::{
    Behavior, Diagnosis, Differentiation, Edition, GleasonScore, Grade, GradeGroup, MCategory, MorphologyCode, NCategory, Receptor,
    ReceptorResult, ReceptorStatus, Stage, StageGroup, StagingSystem, StainingScore, TCategory, TopographyCode, WhoGrade,
};
pub use patient::{Patient, SubjectId};
pub use provenance::{Origin, Provenance, Recorded};
pub use quantity::{AbsorbedDose, Proportion, Quantity};
pub use random::Random;
pub use regimen::{Phase, Regimen, Weekday, total_absorbed_dose, total_drug_dose};
pub use time::{Span, Time};
pub use timeline::{Entry, Event, Timeline};
pub use treatment::{Agent, Fraction, Target, TimedTreatment, Treatment};
pub use unit::Unit;
