//! Patient-state data model for digital twins in oncology.
#![cfg_attr(test, allow(clippy::float_cmp))]

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

pub use consent::{Consent, ConsentState, Decision, Provision, Purpose, Withdrawal};
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
