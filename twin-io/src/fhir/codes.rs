//! Codes of other vocabularies, as far as they are read. mCODE 4.0.0 names them for the use made of them here, but for the LOINC codes
//! 48004-6, 48005-3, 81258-6 and 82121-5 and the SNOMED CT routes 26643006 and 47625008, which are unconfirmed.

use crate::Missing;
use twin_core::Observable;

/// The system of LOINC codes.
pub(super) const LOINC: &str = "http://loinc.org";
/// The system of UCUM units.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
/// The systems of ICD-O-3 codes.
pub(super) const ICD_O: [&str; 3] =
    ["http://terminology.hl7.org/CodeSystem/icd-o-3", "urn:oid:2.16.840.1.113883.6.43.1", "http://hl7.org/fhir/sid/icd-o-3"];
/// The system of the names of this project: observables, agents, targets and covariates, by name.
pub(super) const NAMES: &str = "urn:twin:name";
/// Extensions of this project.
pub(super) const DAY: &str = "urn:twin:day";
pub(super) const ORIGIN: &str = "urn:twin:origin";
pub(super) const SOURCE: &str = "urn:twin:source";
pub(super) const PLACE: &str = "urn:twin:place";
pub(super) const AGE: &str = "urn:twin:age-at-origin";
pub(super) const DOSE: &str = "urn:twin:fraction-dose";
pub(super) const EXTENT: &str = "urn:twin:surgery-extent";
pub(super) const INTENSITY: &str = "urn:twin:intensity";
/// A noun of the patient state, whole, in JSON.
pub(super) const RECORD: &str = "urn:twin:record";
pub(super) const STANDARD_ERROR: &str = "urn:twin:standard-error";
pub(super) const SIGNIFICANCE: &str = "urn:twin:significance";
/// The extension of mCODE that holds the histology of a condition.
pub(super) const HISTOLOGY: &str = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior";
/// A course of radiotherapy (SNOMED CT), as mCODE 4.0.0 codes its summary.
pub(super) const RADIOTHERAPY_COURSE: &str = "1217123003";
/// The extension of FHIR that says why there is no value.
pub(super) const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// The reasons of FHIR why there is no value, all of them; the first of several for one reason of ours is written.
pub(super) const REASONS: [(&str, Missing); 15] = [
    ("not-performed", Missing::NotDone),
    ("not-asked", Missing::NotDone),
    ("not-applicable", Missing::NotDone),
    ("error", Missing::Failed),
    ("not-a-number", Missing::Failed),
    ("negative-infinity", Missing::Failed),
    ("positive-infinity", Missing::Failed),
    ("unsupported", Missing::Failed),
    ("masked", Missing::Withheld),
    ("asked-declined", Missing::Withheld),
    ("not-permitted", Missing::Withheld),
    ("unknown", Missing::Unknown),
    ("asked-unknown", Missing::Unknown),
    ("temp-unknown", Missing::Unknown),
    ("as-text", Missing::Unknown),
];

/// LOINC codes of observations, each with its observable; the first of several for one observable is written.
pub const OBSERVABLES: [(&str, Observable); 15] = [
    ("2857-1", Observable::PSA),
    ("83112-3", Observable::PSA),
    ("35741-8", Observable::PSA),
    ("83082-8", Observable::CA_125),
    ("10334-1", Observable::CA_125),
    ("2039-6", Observable::CEA),
    ("83085-1", Observable::CEA),
    ("2532-0", Observable::LDH),
    ("14804-9", Observable::LDH),
    ("751-8", Observable::NEUTROPHILS),
    ("26499-4", Observable::NEUTROPHILS),
    ("718-7", Observable::HEMOGLOBIN),
    ("777-3", Observable::PLATELETS),
    ("33728-7", Observable::LESION_DIAMETER),
    ("89247-1", Observable::ECOG),
];

/// Disease status, whose values are categories.
pub(super) const DISEASE_STATUS: &str = "97509-4";
/// The values of the disease status (SNOMED CT).
pub(super) const STATUSES: [(&str, &str); 4] =
    [("268910001", "improved"), ("359746009", "stable"), ("271299001", "worse"), ("709137006", "undetermined")];
pub(super) const HEIGHT: &str = "8302-2";
pub(super) const WEIGHT: &str = "29463-7";
/// A genomic variant, and its components: gene, change of DNA, change of protein, allele fraction, depth.
pub(super) const VARIANT: &str = "69548-6";
pub(super) const GENE: &str = "48018-6";
pub(super) const CODING: &str = "48004-6";
pub(super) const PROTEIN: &str = "48005-3";
pub(super) const FRACTION: &str = "81258-6";
pub(super) const DEPTH: &str = "82121-5";
/// Clinical and pathological categories of T, N and M, and stage groups.
pub(super) const TNM: [(&str, char); 8] = [
    ("21905-5", 'T'),
    ("21899-0", 'T'),
    ("21906-3", 'N'),
    ("21900-6", 'N'),
    ("21907-1", 'M'),
    ("21901-4", 'M'),
    ("21908-9", 'G'),
    ("21902-2", 'G'),
];
