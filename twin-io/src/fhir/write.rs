//! From a patient to a bundle.

use super::Identity;
use super::codes::{self, LOINC, NAMES, UCUM};
use crate::{IoError, Missing};
use serde::Serialize;
use serde_json::{Value, json};
use twin_core::*;

/// A bundle as text. All of the patient is in it: what no resource of FHIR is made for stands in resources of type Basic, which
/// FHIR has for that purpose, in the words of a record of this project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The bundle, in JSON.
    pub text: String,
}

/// Writes a patient as a bundle, its dates counted from `identity.origin`. The subject is named by its id.
///
/// For a receiver who must not know dates, give an origin that is not the patient's own.
///
/// # Errors
/// [`IoError::Unwritable`] for times that lie outside the years 1800 to 2200.
pub fn to_text(patient: &Patient, identity: &Identity) -> Result<Written, IoError> {
    let mut writer = Writer { identity, subject: json!({ "reference": "urn:twin:subject" }), entries: Vec::new() };
    writer.person(patient)?;
    for recorded in &patient.diagnoses {
        writer.diagnosis(recorded, patient.diagnoses.len() == 1)?;
    }
    for recorded in &patient.genomics.alterations {
        writer.alteration(recorded)?;
    }
    for recorded in &patient.genomics.biomarkers {
        writer.record("biomarker", &recorded.value, Some(&recorded.provenance), None)?;
    }
    for recorded in &patient.genomics.expression {
        writer.record("expression", &recorded.value, Some(&recorded.provenance), None)?;
    }
    for name in patient.covariates.names() {
        for (time, recorded) in patient.covariates.values(name) {
            writer.covariate(name, *time, recorded)?;
        }
    }
    for entry in patient.timeline.entries() {
        writer.event(entry)?;
    }
    writer.consent(&patient.consent)?;
    let entries: Vec<Value> = writer.entries.into_iter().map(|resource| json!({ "resource": resource })).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let text = serde_json::to_string_pretty(&bundle).map_err(|_| unwritable("patient", "has no form in JSON"))? + "\n";
    Ok(Written { text })
}

fn unwritable(field: &str, rule: &str) -> IoError {
    IoError::Unwritable { field: Some(field.into()), rule: rule.to_owned() }
}

fn named(name: &str) -> Value {
    json!({ "system": NAMES, "code": name })
}

fn loinc(code: &str) -> Value {
    json!({ "coding": [{ "system": LOINC, "code": code }] })
}

fn quantity(quantity: &Quantity) -> Value {
    json!({ "value": quantity.value(), "system": UCUM, "code": quantity.unit().code() })
}

fn decimal(url: &str, value: f64) -> Value {
    json!({ "url": url, "valueDecimal": value })
}

/// Where a value comes from, as extensions.
fn origin(provenance: &Provenance) -> Vec<Value> {
    let mut extensions = vec![
        json!({ "url": codes::ORIGIN, "valueCode": provenance.origin }),
        json!({ "url": codes::SOURCE, "valueString": provenance.source }),
    ];
    if let Some(place) = &provenance.place {
        extensions.push(json!({ "url": codes::PLACE, "valueString": place }));
    }
    extensions
}

struct Writer<'a> {
    identity: &'a Identity,
    subject: Value,
    entries: Vec<Value>,
}

impl Writer<'_> {
    fn date(&self, time: Time) -> Result<String, IoError> {
        let date = self.identity.origin.plus_days(time.days().floor() as i64);
        date.map(crate::Date::to_text).ok_or_else(|| unwritable("timeline", "has a time outside the years 1800 to 2200"))
    }

    /// A resource with its subject, its provenance and, if it has one, its exact day.
    fn push(&mut self, mut resource: Value, provenance: &Provenance, time: Option<Time>, more: Vec<Value>) {
        let mut extensions = origin(provenance);
        extensions.extend(time.map(|time| decimal(codes::DAY, time.days())));
        extensions.extend(more);
        resource["extension"] = Value::Array(extensions);
        if resource["resourceType"] != "Patient" {
            resource["subject"] = self.subject.clone();
        }
        self.entries.push(resource);
    }

    /// What has no resource of its own: a record of this project in a resource of type Basic.
    fn record(
        &mut self,
        kind: &str,
        value: &impl Serialize,
        provenance: Option<&Provenance>,
        time: Option<Time>,
    ) -> Result<(), IoError> {
        let resource = json!({ "resourceType": "Basic", "code": { "coding": [named(kind)] } });
        let record = whole(value)?;
        match provenance {
            Some(provenance) => self.push(resource, provenance, time, vec![record]),
            None => {
                self.entries.push(resource);
                if let Some(last) = self.entries.last_mut() {
                    last["subject"] = self.subject.clone();
                    last["extension"] = json!([record]);
                }
            }
        }
        Ok(())
    }

    /// FHIR has one patient; an age whose source is not that of the sex stands apart.
    fn person(&mut self, patient: &Patient) -> Result<(), IoError> {
        let (sex, age) = (patient.covariates.sex(), patient.covariates.age_at_origin());
        let gender = sex.map(|sex| match sex.value {
            Sex::Female => "female",
            Sex::Male => "male",
            Sex::Other => "other",
            _ => "unknown",
        });
        let mut resource = json!({ "resourceType": "Patient" });
        if let Some(gender) = gender {
            resource["gender"] = json!(gender);
        }
        let apart = age.filter(|age| sex.is_some_and(|sex| sex.provenance != age.provenance));
        let with = age.filter(|_| apart.is_none());
        let ages = with.map(|age| json!({ "url": codes::AGE, "valueQuantity": quantity(&age.value) }));
        match sex.map(|sex| &sex.provenance).or(with.map(|age| &age.provenance)) {
            Some(provenance) => self.push(resource, provenance, None, ages.into_iter().collect()),
            None => self.entries.push(resource),
        }
        if let Some(age) = apart {
            self.record("age at origin", &age.value, Some(&age.provenance), None)?;
        }
        Ok(())
    }

    fn diagnosis(&mut self, recorded: &Recorded<Diagnosis>, is_only: bool) -> Result<(), IoError> {
        let diagnosis = &recorded.value;
        let coded = |code: &str| json!({ "coding": [{ "system": codes::ICD_O[0], "code": code }] });
        let histology = json!({ "url": codes::HISTOLOGY, "valueCodeableConcept": coded(diagnosis.histology.as_str()) });
        let resource = json!({ "resourceType": "Condition", "bodySite": [coded(diagnosis.topography.as_str())] });
        // What a Condition, and the stages of the one diagnosis, cannot say.
        let mut said = Diagnosis::new(diagnosis.histology.clone(), diagnosis.topography.clone());
        let is_plain = |stage: &&Stage| {
            stage.system == StagingSystem::Ajcc && stage.edition.is_none() && **stage != Stage::new(StagingSystem::Ajcc)
        };
        let stage = diagnosis.stage.as_ref().filter(|_| is_only).filter(is_plain);
        said.stage = stage.cloned();
        let mut more = vec![histology];
        if said != *diagnosis {
            more.push(whole(diagnosis)?);
        }
        self.push(resource, &recorded.provenance, None, more);
        let Some(stage) = stage else { return Ok(()) };
        let categories = [
            ("21905-5", stage.t.as_ref().map(TCategory::as_str)),
            ("21906-3", stage.n.as_ref().map(NCategory::as_str)),
            ("21907-1", stage.m.as_ref().map(MCategory::as_str)),
            ("21908-9", stage.group.as_ref().map(StageGroup::as_str)),
        ];
        for (code, category) in categories {
            if let Some(category) = category {
                let value = json!({ "coding": [{ "system": "http://cancerstaging.org", "code": category }] });
                let resource =
                    json!({ "resourceType": "Observation", "status": "final", "code": loinc(code), "valueCodeableConcept": value });
                self.push(resource, &recorded.provenance, None, Vec::new());
            }
        }
        Ok(())
    }

    fn alteration(&mut self, recorded: &Recorded<Alteration>) -> Result<(), IoError> {
        let alteration = &recorded.value;
        let AlterationKind::SmallVariant { coding, protein } = &alteration.kind else {
            return self.record("alteration", alteration, Some(&recorded.provenance), None);
        };
        let text =
            |code: &str, text: &str| json!({ "code": loinc(code), "valueCodeableConcept": { "coding": [{ "display": text }] } });
        let number = |code: &str, value: f64| json!({ "code": loinc(code), "valueQuantity": { "value": value, "system": UCUM, "code": "1" } });
        let mut components = vec![text(codes::GENE, alteration.gene.as_str())];
        components.extend(coding.as_ref().map(|change| text(codes::CODING, change.as_str())));
        components.extend(protein.as_ref().map(|change| text(codes::PROTEIN, change.as_str())));
        components.extend(alteration.allele_fraction.map(|share| number(codes::FRACTION, share.value())));
        components.extend(alteration.depth.map(|depth| number(codes::DEPTH, f64::from(depth))));
        let resource =
            json!({ "resourceType": "Observation", "status": "final", "code": loinc(codes::VARIANT), "component": components });
        let significance = json!({ "url": codes::SIGNIFICANCE, "valueCode": alteration.significance });
        self.push(resource, &recorded.provenance, None, vec![significance]);
        Ok(())
    }

    fn covariate(&mut self, name: &CovariateName, time: Time, recorded: &Recorded<CovariateValue>) -> Result<(), IoError> {
        let code = json!({ "coding": [named(&format!("covariate {name}"))] });
        let mut resource =
            json!({ "resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": self.date(time)? });
        match &recorded.value {
            CovariateValue::Quantity(value) => resource["valueQuantity"] = quantity(value),
            CovariateValue::Category(category) => resource["valueString"] = json!(category.as_str()),
            other => return self.record("covariate", &(name, other), Some(&recorded.provenance), Some(time)),
        }
        self.push(resource, &recorded.provenance, Some(time), Vec::new());
        Ok(())
    }

    fn event(&mut self, entry: &Entry) -> Result<(), IoError> {
        let date = self.date(entry.time)?;
        let resource = match &entry.event {
            Event::Observation(observation) => observed(observation, &date),
            Event::Treatment(treatment) => treated(treatment, &date),
            _ => None,
        };
        match resource {
            Some((resource, more)) => self.push(resource, &entry.provenance, Some(entry.time), more),
            None => self.record("event", &entry.event, Some(&entry.provenance), Some(entry.time))?,
        }
        Ok(())
    }

    /// Provisions of whole days become a Consent each. Withdrawals have no place in a Consent, and another reader must not see a
    /// permission without them: then all of it stands in one record.
    fn consent(&mut self, consent: &Consent) -> Result<(), IoError> {
        let whole_day = |time: Option<Time>| time.is_none_or(|time| time.days().fract() == 0.0);
        let is_plain = |provision: &Provision| whole_day(provision.from()) && whole_day(provision.until());
        if !(consent.withdrawals.is_empty() && consent.provisions.iter().all(is_plain)) {
            return self.record("consent", consent, None, None);
        }
        for provision in &consent.provisions {
            let mut period = json!({});
            if let Some(from) = provision.from() {
                period["start"] = json!(self.date(from)?);
            }
            if let Some(until) = provision.until() {
                period["end"] = json!(self.date(until - Span::DAY)?);
            }
            let kind = if provision.decision() == Ruling::Permit { "permit" } else { "deny" };
            let purpose = named(&provision.purpose().to_string());
            let provision = json!({ "type": kind, "purpose": [purpose], "period": period });
            self.entries
                .push(json!({ "resourceType": "Consent", "status": "active", "patient": self.subject, "provision": provision }));
        }
        Ok(())
    }
}

/// A value whole, in the words of a record of this project.
fn whole(value: &impl Serialize) -> Result<Value, IoError> {
    let text = serde_json::to_string(value).map_err(|_| unwritable("patient", "has no form in JSON"))?;
    Ok(json!({ "url": codes::RECORD, "valueString": text }))
}

/// A resource and its own extensions; `None` for what has none.
type Resource = Option<(Value, Vec<Value>)>;

fn observed(observation: &Observation, date: &str) -> Resource {
    let known = codes::OBSERVABLES.iter().find(|(_, observable)| *observable == observation.observable);
    let mut coding = vec![named(observation.observable.as_str())];
    coding.extend(known.map(|(code, _)| json!({ "system": LOINC, "code": code })));
    let mut resource =
        json!({ "resourceType": "Observation", "status": "final", "code": { "coding": coding }, "effectiveDateTime": date });
    let mut more = Vec::new();
    match &observation.finding {
        Finding::Measured { quantity: value, standard_error, .. } => {
            resource["valueQuantity"] = quantity(value);
            more.extend(standard_error.map(|error| decimal(codes::STANDARD_ERROR, error)));
        }
        Finding::Below(limit) => {
            resource["valueQuantity"] = quantity(limit);
            resource["valueQuantity"]["comparator"] = json!("<");
        }
        Finding::Above(limit) => {
            resource["valueQuantity"] = quantity(limit);
            resource["valueQuantity"]["comparator"] = json!(">");
        }
        Finding::Category(category) => resource["valueCodeableConcept"] = json!({ "coding": [named(category)] }),
        Finding::NotEvaluable(reason) => {
            let missing = Missing::of(&observation.finding);
            let code = codes::REASONS.iter().find(|(_, known)| Some(*known) == missing).map(|(code, _)| *code);
            let mut coding = vec![named(reason)];
            coding.extend(code.map(|code| json!({ "system": codes::ABSENT, "code": code })));
            resource["dataAbsentReason"] = json!({ "coding": coding });
        }
        _ => return None,
    }
    Some((resource, more))
}

fn treated(treatment: &Treatment, date: &str) -> Resource {
    let drug = |agent: &Agent, dosage: Option<Value>| {
        let concept = json!({ "coding": [named(agent.as_str())] });
        let mut resource = json!({ "resourceType": "MedicationAdministration", "status": "completed", "medicationCodeableConcept": concept, "effectiveDateTime": date });
        if let Some(dosage) = dosage {
            resource["dosage"] = dosage;
        }
        resource
    };
    let given = |dose: &Quantity, route: &str| json!({ "dose": quantity(dose), "route": { "coding": [named(route)] } });
    let procedure = |target: &Target| {
        let site = json!({ "coding": [named(target.as_str())] });
        json!({ "resourceType": "Procedure", "status": "completed", "performedDateTime": date, "bodySite": [site] })
    };
    match treatment {
        Treatment::Bolus { agent, dose, .. } => Some((drug(agent, Some(given(dose, "bolus"))), Vec::new())),
        Treatment::Oral { agent, dose, .. } => Some((drug(agent, Some(given(dose, "oral"))), Vec::new())),
        Treatment::Infusion { agent, dose, duration, .. } => {
            let mut dosage = given(dose, "infusion");
            dosage["rateQuantity"] = json!({ "value": duration.days(), "system": UCUM, "code": "d" });
            Some((drug(agent, Some(dosage)), Vec::new()))
        }
        Treatment::Continuous { agent, intensity } => Some((drug(agent, None), vec![decimal(codes::INTENSITY, intensity.value())])),
        Treatment::Fraction(Fraction { dose, target }) => Some((procedure(target), vec![decimal(codes::DOSE, dose.gray())])),
        Treatment::Surgery { target, extent } => Some((procedure(target), vec![decimal(codes::EXTENT, extent.value())])),
        _ => None,
    }
}
