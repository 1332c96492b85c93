//! From a bundle to a patient.

mod course;
mod events;
mod record;

use super::codes::{self, LOINC, NAMES, UCUM};
use super::{Bundle, Identity, LeftOut, invalid};
use crate::{Date, IoError, Limits, Place};
use serde_json::Value;
use std::path::Path;
use twin_core::*;

/// Reads a bundle; its resources stand at `places`, or where they stand in it.
pub(super) fn bundle(
    document: &Value,
    file: &Path,
    identity: &Identity,
    limits: &Limits,
    places: Option<&[String]>,
) -> Result<Bundle, IoError> {
    if document["resourceType"] != "Bundle" {
        return Err(IoError::Format { place: Place::of(Some(file)).field("resourceType"), expected: "FHIR Bundle" });
    }
    let patient = Patient::new(identity.subject.clone());
    let bundle = Bundle { patient, requests: Vec::new(), courses: Vec::new(), left_out: Vec::new() };
    let entries = list(&document["entry"]);
    let mut reader = Reader { file, identity, limits, entries, bundle, patients: 0, stages: Vec::new(), whole: false };
    for (index, entry) in entries.iter().enumerate() {
        let place = places.and_then(|places| places.get(index)).cloned();
        let path = place.unwrap_or_else(|| format!("entry[{index}].resource"));
        let resource = &entry["resource"];
        let of_type = resource["resourceType"].as_str().ok_or_else(|| invalid(file, &path, "must be a resource with its type"))?;
        // Entered by mistake: it says nothing of the patient.
        if resource["status"] == "entered-in-error" {
            reader.leave_out(&path, of_type, "entered in error");
            continue;
        }
        let here = Here { resource, path, of_type };
        match of_type {
            "Patient" => reader.person(&here)?,
            "Condition" => reader.condition(&here)?,
            "Observation" => reader.observation(&here)?,
            "MedicationAdministration" => reader.medication(&here)?,
            "MedicationRequest" => reader.request(&here)?,
            "AdverseEvent" => reader.adverse_event(&here)?,
            "Procedure" if course::is_summary(resource) => reader.course(&here)?,
            "Procedure" => reader.procedure(&here)?,
            "Basic" if extension(resource, codes::RECORD).is_some() => reader.record(&here)?,
            "Consent" => reader.consent(&here)?,
            _ => reader.leave_out(&here.path, of_type, "resources of this type are not carried over"),
        }
    }
    reader.stage()?;
    Ok(reader.bundle)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The code of a concept in one of several systems.
fn code<'a>(concept: &'a Value, systems: &[&str]) -> Option<&'a str> {
    let coding =
        list(&concept["coding"]).iter().find(|coding| coding["system"].as_str().is_some_and(|system| systems.contains(&system)));
    coding?["code"].as_str()
}

fn extension<'a>(resource: &'a Value, url: &str) -> Option<&'a Value> {
    list(&resource["extension"]).iter().find(|extension| extension["url"] == url)
}

/// A resource under way.
struct Here<'a> {
    resource: &'a Value,
    path: String,
    of_type: &'a str,
}

struct Reader<'a> {
    file: &'a Path,
    identity: &'a Identity,
    bundle: Bundle,
    patients: usize,
    limits: &'a Limits,
    /// The entries of the bundle, for references between them.
    entries: &'a [Value],
    /// Categories of TNM with the paths they stand at.
    stages: Vec<(char, String, String)>,
    /// Whether a diagnosis was written whole, its stage included.
    whole: bool,
}

impl Reader<'_> {
    fn leave_out(&mut self, path: &str, resource: &str, reason: &'static str) {
        // A type that FHIR could not have named may be anything.
        let is_name = resource.len() <= 40 && resource.bytes().all(|byte| byte.is_ascii_alphabetic());
        let resource = if is_name { resource } else { "unknown" }.to_owned();
        self.bundle.left_out.push(LeftOut { path: path.to_owned(), resource, reason });
    }

    fn wrong(&self, here: &Here<'_>, field: &str, rule: impl Into<String>) -> IoError {
        invalid(self.file, &format!("{}.{field}", here.path), rule)
    }

    /// A rule of the patient state that a field breaks; its value is not repeated.
    fn broken(&self, here: &Here<'_>, field: &str, error: &CoreError) -> IoError {
        let rule = match error {
            CoreError::Unit { .. } => "the unit is not UCUM",
            CoreError::NotFinite { .. } => "must be a finite number",
            CoreError::OutOfRange { valid, .. } | CoreError::Count { valid, .. } | CoreError::Text { valid, .. } => valid,
            _ => "does not fit the patient state",
        };
        self.wrong(here, field, rule)
    }

    fn date(&self, here: &Here<'_>, field: &str, text: &str) -> Result<Time, IoError> {
        let date = text.get(..10).map_or_else(|| Date::parse(text), Date::parse);
        let date = date.map_err(|_| self.wrong(here, field, "must be a date of the calendar with its day, as yyyy-mm-dd"))?;
        date.time_since(self.identity.origin).map_err(|_| self.wrong(here, field, "is too far from the origin"))
    }

    /// When a resource happened: the exact day of this project, else the first of `fields` that is there.
    fn time(&self, here: &Here<'_>, fields: &[&str]) -> Result<Option<Time>, IoError> {
        if let Some(day) = extension(here.resource, codes::DAY) {
            let days = day["valueDecimal"].as_f64().ok_or_else(|| self.wrong(here, "extension", "the day must be a number"))?;
            return Time::from_days(days).map(Some).map_err(|error| self.broken(here, "extension", &error));
        }
        for field in fields {
            let value = field.split('.').fold(here.resource, |value, part| &value[part]);
            if let Some(text) = value.as_str() {
                return self.date(here, field, text).map(Some);
            }
        }
        Ok(None)
    }

    fn provenance(&self, here: &Here<'_>, usual: Origin) -> Provenance {
        let text = |url| extension(here.resource, url).and_then(|extension| extension["valueString"].as_str());
        let Some(source) = text(codes::SOURCE) else {
            let name = self.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Provenance::new(usual, name).at(here.path.clone());
        };
        let origin =
            extension(here.resource, codes::ORIGIN).and_then(|origin| serde_json::from_value(origin["valueCode"].clone()).ok());
        let provenance = Provenance::new(origin.unwrap_or(usual), source);
        match text(codes::PLACE) {
            Some(place) => provenance.at(place),
            None => provenance,
        }
    }

    fn person(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        self.patients += 1;
        if self.patients > 1 {
            return Err(self.wrong(here, "resourceType", "the bundle is of several patients; read each alone"));
        }
        let sex = match here.resource["gender"].as_str() {
            Some("female") => Some(Sex::Female),
            Some("male") => Some(Sex::Male),
            Some("other") => Some(Sex::Other),
            Some("unknown") | None => None,
            Some(_) => return Err(self.wrong(here, "gender", "must be female, male, other or unknown")),
        };
        let provenance = self.provenance(here, Origin::Reported);
        if let Some(sex) = sex {
            self.bundle.patient.covariates.set_sex(Recorded::new(sex, provenance.clone()));
        }
        let age = match (extension(here.resource, codes::AGE), here.resource["birthDate"].as_str()) {
            (Some(age), _) => Some(self.quantity(here, "extension", &age["valueQuantity"])?),
            (None, Some(birth)) if birth.len() == 10 => {
                let days = -self.date(here, "birthDate", birth)?.days();
                Some(Quantity::new(days, "d").map_err(|error| self.broken(here, "birthDate", &error))?)
            }
            (None, Some(_)) => {
                self.leave_out(&format!("{}.birthDate", here.path), here.of_type, "a birth date without its day gives no age");
                None
            }
            (None, None) => None,
        };
        if let Some(age) = age {
            let set = self.bundle.patient.covariates.set_age_at_origin(Recorded::new(age, provenance));
            set.map_err(|_| {
                self.wrong(here, "birthDate", "the age at the origin must be 0 to 130 years: check birth date and origin")
            })?;
        }
        Ok(())
    }

    fn quantity(&self, here: &Here<'_>, field: &str, quantity: &Value) -> Result<Quantity, IoError> {
        let value = quantity["value"].as_f64().ok_or_else(|| self.wrong(here, field, "needs a number"))?;
        let unit = match (quantity["system"].as_str(), quantity["code"].as_str()) {
            (Some(UCUM), Some(code)) => code,
            _ => return Err(self.wrong(here, field, "needs a unit as a UCUM code, with its system")),
        };
        Quantity::new(value, unit).map_err(|error| self.broken(here, field, &error))
    }

    fn condition(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let histology = extension(here.resource, codes::HISTOLOGY)
            .and_then(|extension| code(&extension["valueCodeableConcept"], &codes::ICD_O));
        let site = list(&here.resource["bodySite"]).iter().find_map(|site| code(site, &codes::ICD_O));
        let site = site.or_else(|| code(&here.resource["code"], &codes::ICD_O));
        let (Some(histology), Some(site)) = (histology, site) else {
            self.leave_out(&here.path, here.of_type, "a diagnosis needs histology and site in ICD-O-3");
            return Ok(());
        };
        let histology = MorphologyCode::new(histology).map_err(|error| self.broken(here, "extension", &error))?;
        let site = TopographyCode::new(site).map_err(|error| self.broken(here, "bodySite", &error))?;
        let provenance = self.provenance(here, Origin::Reported);
        let whole: Option<Diagnosis> = self.whole(here)?;
        self.whole |= whole.is_some();
        let diagnosis = whole.unwrap_or_else(|| Diagnosis::new(histology, site));
        self.bundle.patient.diagnoses.push(Recorded::new(diagnosis, provenance));
        Ok(())
    }

    fn observation(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let (loinc, name) = (code(&here.resource["code"], &[LOINC]), code(&here.resource["code"], &[NAMES]));
        if let Some((_, letter)) = codes::TNM.iter().find(|(known, _)| Some(*known) == loinc) {
            let stated = list(&here.resource["valueCodeableConcept"]["coding"]).iter().find_map(|coding| coding["code"].as_str());
            let stated = stated.ok_or_else(|| self.wrong(here, "valueCodeableConcept", "needs a code"))?;
            self.stages.push((*letter, stated.to_owned(), here.path.clone()));
            return Ok(());
        }
        if loinc == Some(codes::VARIANT) {
            return self.variant(here);
        }
        let Some(time) = self.time(here, &["effectiveDateTime", "effectivePeriod.start", "effectiveInstant"])? else {
            self.leave_out(&here.path, here.of_type, "an observation without its time");
            return Ok(());
        };
        let known = codes::OBSERVABLES.iter().find(|(known, _)| Some(*known) == loinc).map(|(_, observable)| observable.clone());
        let covariate = match (name.and_then(|name| name.strip_prefix("covariate ")), loinc) {
            (Some(name), _) => Some(CovariateName::new(name).map_err(|error| self.broken(here, "code", &error))?),
            (None, Some(codes::HEIGHT)) if name.is_none() => Some(CovariateName::HEIGHT),
            (None, Some(codes::WEIGHT)) if name.is_none() => Some(CovariateName::WEIGHT),
            _ => None,
        };
        let observable = match name {
            Some(name) if covariate.is_none() => Some(Observable::new(name).map_err(|error| self.broken(here, "code", &error))?),
            _ if loinc == Some(codes::DISEASE_STATUS) => Observable::new("disease_status").ok(),
            _ => known,
        };
        let provenance = self.provenance(here, Origin::Measured);
        match (covariate, observable) {
            (Some(name), _) => {
                let value = match here.resource["valueString"].as_str() {
                    Some(text) => {
                        CovariateValue::Category(Category::new(text).map_err(|error| self.broken(here, "valueString", &error))?)
                    }
                    None => CovariateValue::Quantity(self.quantity(here, "valueQuantity", &here.resource["valueQuantity"])?),
                };
                self.bundle.patient.covariates.record(name, time, Recorded::new(value, provenance));
            }
            (None, Some(observable)) => {
                if let Some(finding) = self.finding(here)? {
                    self.bundle.patient.timeline.record(
                        time,
                        Event::Observation(Observation::new(observable, finding)),
                        provenance,
                    );
                }
            }
            (None, None) => self.leave_out(&here.path, here.of_type, "the code is not among those that are read"),
        }
        Ok(())
    }

    fn consent(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        if here.resource["status"] != "active" {
            self.leave_out(&here.path, here.of_type, "only an active consent is carried over");
            return Ok(());
        }
        let provision = &here.resource["provision"];
        let decision = match provision["type"].as_str() {
            Some("permit") => Ruling::Permit,
            Some("deny") => Ruling::Deny,
            _ => return Err(self.wrong(here, "provision.type", "must be permit or deny")),
        };
        if list(&provision["provision"]).iter().next().is_some() {
            // A nested provision is an exception to the outer: leaving it out would permit what it denies.
            return Err(self.wrong(
                here,
                "provision.provision",
                "nested provisions are not read: state each as a consent of its own",
            ));
        }
        let bound = |field: &str, late: f64| -> Result<Option<Time>, IoError> {
            let Some(text) = provision["period"][field].as_str() else { return Ok(None) };
            let time = self.date(here, "provision.period", text)?;
            Time::from_days(time.days() + late).map(Some).map_err(|error| self.broken(here, "provision.period", &error))
        };
        // The last day of a period is a day of it.
        let (from, until) = (bound("start", 0.0)?, bound("end", 1.0)?);
        let mut found = false;
        for purpose in list(&provision["purpose"]) {
            let purpose = match (purpose["system"].as_str(), purpose["code"].as_str()) {
                (Some(NAMES), Some("care")) => Purpose::Care,
                (Some(NAMES), Some("research")) => Purpose::Research,
                (Some(NAMES), Some("model training")) => Purpose::ModelTraining,
                (Some(NAMES), Some("sharing")) => Purpose::Sharing,
                (Some(NAMES), Some("commercial use")) => Purpose::CommercialUse,
                (_, Some("TREAT")) => Purpose::Care,
                (_, Some("HRESCH")) => Purpose::Research,
                _ => continue,
            };
            let provision =
                Provision::new(purpose, decision, from, until).map_err(|error| self.broken(here, "provision.period", &error))?;
            self.bundle.patient.consent.record(provision);
            found = true;
        }
        match (found, decision) {
            (true, _) => Ok(()),
            (false, Ruling::Deny) => {
                Err(self.wrong(here, "provision.purpose", "a denial without a purpose that is read must not be left out"))
            }
            (false, Ruling::Permit) => {
                self.leave_out(&here.path, here.of_type, "the purpose is not among those that are read");
                Ok(())
            }
        }
    }

    /// Gives the categories of TNM to the one diagnosis, if there is one.
    fn stage(&mut self) -> Result<(), IoError> {
        let stages = std::mem::take(&mut self.stages);
        if stages.is_empty() || self.whole {
            return Ok(());
        }
        if self.bundle.patient.diagnoses.len() != 1 {
            stages
                .iter()
                .for_each(|(_, _, path)| self.leave_out(path, "Observation", "a stage needs exactly one diagnosis in the bundle"));
            return Ok(());
        }
        let mut stage = Stage::new(StagingSystem::Ajcc);
        for (letter, text, path) in &stages {
            let is_first = match letter {
                'T' => stage.t.is_none(),
                'N' => stage.n.is_none(),
                'M' => stage.m.is_none(),
                _ => stage.group.is_none(),
            };
            if !is_first {
                self.leave_out(path, "Observation", "a second category of the same kind: the first stands");
                continue;
            }
            let wrong = |_| invalid(self.file, &format!("{path}.valueCodeableConcept"), "must be a category of TNM, such as cT3");
            match letter {
                'T' => stage.t = Some(TCategory::new(text).map_err(wrong)?),
                'N' => stage.n = Some(NCategory::new(text).map_err(wrong)?),
                'M' => stage.m = Some(MCategory::new(text).map_err(wrong)?),
                _ => stage.group = Some(StageGroup::new(text).map_err(wrong)?),
            }
        }
        if let Some(recorded) = self.bundle.patient.diagnoses.first_mut() {
            recorded.value.stage = Some(stage);
        }
        Ok(())
    }
}
