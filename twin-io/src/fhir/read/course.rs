//! What is asked for, given in sum, or suffered: requests, courses of radiotherapy, adverse events.

use super::{Here, Reader, code, list};
use crate::IoError;
use crate::fhir::codes;
use crate::fhir::{RadiotherapyCourse, Request, VolumeDose};
use serde_json::Value;
use twin_core::*;

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const SNOMED: &str = "http://snomed.info/sct";

/// Whether a procedure is the summary of a course of radiotherapy.
pub(super) fn is_summary(resource: &Value) -> bool {
    code(&resource["code"], &[SNOMED]) == Some(codes::RADIOTHERAPY_COURSE)
}

/// The extension of mCODE of that name, whatever edition of the guide its address is of.
fn named<'a>(resource: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    list(&resource["extension"])
        .iter()
        .filter(move |extension| extension["url"].as_str().and_then(|url| url.rsplit('/').next()) == Some(name))
}

impl Reader<'_> {
    /// A drug by the name that RxNorm gives it; free text is not taken for a drug.
    pub(super) fn agent(&self, here: &Here<'_>) -> Result<Option<Agent>, IoError> {
        let concept = &here.resource["medicationCodeableConcept"];
        let rxnorm = list(&concept["coding"]).iter().find(|coding| coding["system"] == RXNORM);
        let named = rxnorm.and_then(|coding| coding["display"].as_str()).map(str::to_lowercase);
        let name = code(concept, &[codes::NAMES]).map(str::to_owned).or(named);
        name.map(|name| Agent::new(&name).map_err(|error| self.broken(here, "medicationCodeableConcept", &error))).transpose()
    }

    pub(super) fn request(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        const STATUSES: [&str; 8] =
            ["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"];
        let Some(agent) = self.agent(here)? else {
            self.leave_out(&here.path, here.of_type, "the drug has no name of RxNorm");
            return Ok(());
        };
        let status = STATUSES.iter().find(|status| here.resource["status"] == **status);
        let status = status.ok_or_else(|| self.wrong(here, "status", "must be a status of a MedicationRequest"))?;
        let authored = self.time(here, &["authoredOn"])?;
        let instructions = list(&here.resource["dosageInstruction"]);
        if instructions.len() > 1 {
            self.leave_out(
                &format!("{}.dosageInstruction", here.path),
                here.of_type,
                "several dosage instructions: the first is carried over",
            );
        }
        let instruction = instructions.first();
        let rates = instruction.map_or(&[][..], |instruction| list(&instruction["doseAndRate"]));
        let stated = rates.iter().find(|rate| rate["doseQuantity"].is_object());
        let dose = stated.map(|rate| self.quantity(here, "dosageInstruction.doseAndRate.doseQuantity", &rate["doseQuantity"]));
        let route = instruction.and_then(|instruction| code(&instruction["route"], &[SNOMED])).map(str::to_owned);
        self.bundle.requests.push(Request { agent, status: (*status).to_owned(), authored, dose: dose.transpose()?, route });
        Ok(())
    }

    pub(super) fn course(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let time = |field: &str| match here.resource["performedPeriod"][field].as_str() {
            Some(text) => self.date(here, "performedPeriod", text).map(Some),
            None => Ok(None),
        };
        let (start, end) = (self.time(here, &["performedDateTime", "performedPeriod.start"])?, time("end")?);
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err(self.wrong(here, "performedPeriod", "ends before it starts"));
        }
        let count = |value: &Value| match (value.is_null(), value.as_u64().and_then(|count| u32::try_from(count).ok())) {
            (true, _) => Ok(None),
            (false, Some(count)) => Ok(Some(count)),
            (false, None) => Err(self.wrong(here, "extension", "a number of sessions or fractions must be whole, from 0")),
        };
        let first = named(here.resource, "mcode-radiotherapy-sessions").next();
        let sessions = first.map_or(Ok(None), |extension| count(&extension["valueUnsignedInt"]))?;
        let part = |of: &Value, url: &str| list(&of["extension"]).iter().find(|part| part["url"] == url).cloned();
        let technique = named(here.resource, "mcode-radiotherapy-modality-and-technique").next();
        let coded = |url: &str| {
            technique
                .and_then(|technique| part(technique, url))
                .and_then(|part| code(&part["valueCodeableConcept"], &[SNOMED]).map(str::to_owned))
        };
        let (modality, technique) = (coded("modality"), coded("technique"));
        let (mut volumes, mut unresolved) = (Vec::new(), false);
        for delivered in named(here.resource, "mcode-radiotherapy-dose-delivered-to-volume") {
            let dose = part(delivered, "totalDoseDelivered");
            let dose = dose.map(|dose| -> Result<AbsorbedDose, IoError> {
                let quantity = self.quantity(here, "extension", &dose["valueQuantity"])?;
                let gray = quantity.value_in("Gy").map_err(|_| self.wrong(here, "extension", "a dose must be in cGy or Gy"))?;
                AbsorbedDose::from_gray(gray).map_err(|error| self.broken(here, "extension", &error))
            });
            let fractions = part(delivered, "fractionsDelivered").map_or(Ok(None), |part| count(&part["valueUnsignedInt"]))?;
            let reference =
                part(delivered, "volume").and_then(|part| part["valueReference"]["reference"].as_str().map(str::to_owned));
            let site = reference.as_deref().map(|reference| self.referred(reference));
            unresolved |= site.is_some_and(|site| site.is_none());
            let site = site.flatten().and_then(|volume| code(&volume["location"], &[SNOMED])).map(str::to_owned);
            volumes.push(VolumeDose { site, dose: dose.transpose()?, fractions });
        }
        if unresolved {
            let path = format!("{}.extension", here.path);
            self.leave_out(&path, here.of_type, "a volume is not in the bundle: its site is not known");
        }
        self.bundle.courses.push(RadiotherapyCourse { start, end, sessions, modality, technique, volumes });
        Ok(())
    }

    /// The resource of the bundle that a reference means.
    fn referred(&self, reference: &str) -> Option<&Value> {
        let means = |entry: &&Value| {
            let resource = &entry["resource"];
            let local = resource["resourceType"].as_str().zip(resource["id"].as_str());
            entry["fullUrl"] == reference || local.is_some_and(|(of_type, id)| reference == format!("{of_type}/{id}"))
        };
        self.entries.iter().find(means).map(|entry| &entry["resource"])
    }

    /// An adverse event by its code, with its grade if CTCAE gives one: an observation. The words of the event are not carried over.
    pub(super) fn adverse_event(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        if here.resource["actuality"] == "potential" {
            self.leave_out(&here.path, here.of_type, "a potential event did not happen");
            return Ok(());
        }
        let Some(time) = self.time(here, &["date"])? else {
            self.leave_out(&here.path, here.of_type, "an event without its time");
            return Ok(());
        };
        let coding = list(&here.resource["event"]["coding"]).iter().find_map(|coding| coding["code"].as_str());
        let Some(observable) = coding.and_then(|code| Observable::new(&format!("adverse_event {code}")).ok()) else {
            self.leave_out(&here.path, here.of_type, "an event without its code");
            return Ok(());
        };
        let grade = list(&here.resource["extension"])
            .iter()
            .filter(|extension| {
                extension["url"].as_str().is_some_and(|url| url.ends_with("adverse-event-grade") || url.ends_with("ctcae-grade"))
            })
            .find_map(|extension| {
                let coded = list(&extension["valueCodeableConcept"]["coding"]).iter().find_map(|coding| coding["code"].as_str());
                coded.or(extension["valueCode"].as_str())
            });
        let severity = list(&here.resource["severity"]["coding"]).iter().find_map(|coding| coding["code"].as_str());
        let finding = match (grade, severity) {
            (Some(grade), _) => {
                let grade = grade.parse::<u8>().ok().filter(|grade| (1..=5).contains(grade));
                let grade = grade.ok_or_else(|| self.wrong(here, "extension", "a grade must be 1 to 5"))?;
                Quantity::new(f64::from(grade), "1").map(Finding::measured)
            }
            (None, Some(severity @ ("mild" | "moderate" | "severe"))) => Finding::category(severity),
            (None, Some(_)) => return Err(self.wrong(here, "severity", "must be mild, moderate or severe")),
            (None, None) => Finding::category("present"),
        };
        let finding = finding.map_err(|error| self.broken(here, "extension", &error))?;
        let provenance = self.provenance(here, Origin::Reported);
        let event = Event::Observation(Observation::new(observable, finding));
        self.bundle.patient.timeline.record(time, event, provenance);
        Ok(())
    }
}
