//! Findings, variants, drugs and procedures.

use super::{Here, Reader, code, codes, extension, list};
use crate::fhir::codes::{LOINC, NAMES};
use crate::{IoError, Missing};
use serde_json::Value;
use twin_core::*;

impl Reader<'_> {
    pub(super) fn finding(&mut self, here: &Here<'_>) -> Result<Option<Finding>, IoError> {
        let resource = here.resource;
        if resource["valueQuantity"].is_object() {
            let quantity = self.quantity(here, "valueQuantity", &resource["valueQuantity"])?;
            let error = extension(resource, codes::STANDARD_ERROR).and_then(|error| error["valueDecimal"].as_f64());
            return match (resource["valueQuantity"]["comparator"].as_str(), error) {
                (None, Some(error)) => {
                    Finding::measured_with_error(quantity, error).map(Some).map_err(|error| self.broken(here, "extension", &error))
                }
                (None, None) => Ok(Some(Finding::measured(quantity))),
                (Some("<" | "<="), _) => Ok(Some(Finding::Below(quantity))),
                (Some(">" | ">="), _) => Ok(Some(Finding::Above(quantity))),
                (Some(_), _) => Err(self.wrong(here, "valueQuantity.comparator", "must be <, <=, > or >=")),
            };
        }
        if let Some(number) = resource["valueInteger"].as_f64() {
            let quantity = Quantity::new(number, "1").map_err(|error| self.broken(here, "valueInteger", &error))?;
            return Ok(Some(Finding::measured(quantity)));
        }
        if resource["valueCodeableConcept"].is_object() {
            let concept = &resource["valueCodeableConcept"];
            let known = code(concept, &["http://snomed.info/sct"])
                .and_then(|code| codes::STATUSES.iter().find(|(known, _)| *known == code));
            let category = known.map(|(_, name)| *name).or_else(|| code(concept, &[NAMES]));
            if let Some(category) = category {
                return Finding::category(category).map(Some).map_err(|error| self.broken(here, "valueCodeableConcept", &error));
            }
            self.leave_out(
                &format!("{}.valueCodeableConcept", here.path),
                here.of_type,
                "the code of the value is not among those that are read",
            );
            return Ok(None);
        }
        let reason = &resource["dataAbsentReason"];
        if reason.is_object() {
            let own = code(reason, &[NAMES]).map(|reason| Finding::NotEvaluable(reason.to_owned()));
            let stated = code(reason, &[codes::ABSENT]);
            let known = codes::REASONS.iter().find(|(code, _)| Some(*code) == stated).map(|(_, missing)| *missing);
            let missing = match (known, stated) {
                (Some(missing), _) => missing,
                (None, Some(_)) => return Err(self.wrong(here, "dataAbsentReason", "must be a reason of FHIR")),
                (None, None) => Missing::Unknown,
            };
            return Ok(Some(own.unwrap_or_else(|| missing.finding())));
        }
        self.leave_out(&here.path, here.of_type, "the observation has no value that is read");
        Ok(None)
    }

    pub(super) fn variant(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let of = |loinc: &str| {
            list(&here.resource["component"]).iter().find(|component| code(&component["code"], &[LOINC]) == Some(loinc))
        };
        // A gene is coded by its HGNC id, whose display is the symbol.
        let display = |component: &Value| {
            let concept = &component["valueCodeableConcept"];
            let coding = list(&concept["coding"]).first()?;
            coding["display"].as_str().or_else(|| concept["text"].as_str()).or_else(|| coding["code"].as_str()).map(str::to_owned)
        };
        let Some(gene) = of(codes::GENE).and_then(display) else {
            self.leave_out(&here.path, here.of_type, "a variant without its gene");
            return Ok(());
        };
        let gene = GeneSymbol::new(&gene).map_err(|error| self.broken(here, "component", &error))?;
        let coding = of(codes::CODING)
            .and_then(display)
            .map(|text| CodingChange::new(text.rsplit(':').next().unwrap_or_default()))
            .transpose();
        let protein = of(codes::PROTEIN)
            .and_then(display)
            .map(|text| ProteinChange::new(text.rsplit(':').next().unwrap_or_default()))
            .transpose();
        let coding = coding.map_err(|error| self.broken(here, "component", &error))?;
        let protein = protein.map_err(|error| self.broken(here, "component", &error))?;
        let mut alteration = Alteration::new(gene, AlterationKind::SmallVariant { coding, protein });
        let number = |loinc| of(loinc).and_then(|component| component["valueQuantity"]["value"].as_f64());
        if let Some(share) = number(codes::FRACTION) {
            alteration.allele_fraction = Some(Proportion::new(share).map_err(|error| self.broken(here, "component", &error))?);
        }
        if let Some(depth) = number(codes::DEPTH) {
            let is_count = depth.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&depth);
            alteration.depth = Some(if is_count {
                depth as u32
            } else {
                return Err(self.wrong(here, "component", "a depth must be a whole number of reads"));
            });
        }
        if let Some(significance) = extension(here.resource, codes::SIGNIFICANCE) {
            let read = serde_json::from_value(significance["valueCode"].clone());
            alteration.significance = read.map_err(|_| self.wrong(here, "extension", "must be a significance"))?;
        }
        let provenance = self.provenance(here, Origin::Measured);
        self.bundle.patient.genomics.alterations.push(Recorded::new(alteration, provenance));
        Ok(())
    }

    pub(super) fn medication(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        if !matches!(here.resource["status"].as_str(), Some("completed" | "in-progress" | "stopped")) {
            self.leave_out(&here.path, here.of_type, "not given: the status is not completed, in progress or stopped");
            return Ok(());
        }
        let Some(agent) = self.agent(here)? else {
            self.leave_out(&here.path, here.of_type, "the drug has no name of RxNorm");
            return Ok(());
        };
        let Some(start) = self.time(here, &["effectiveDateTime", "effectivePeriod.start"])? else {
            self.leave_out(&here.path, here.of_type, "a dose without its time");
            return Ok(());
        };
        let provenance = self.provenance(here, Origin::Reported);
        let record = |reader: &mut Self, time, treatment| {
            reader.bundle.patient.timeline.record(time, Event::Treatment(treatment), provenance.clone())
        };
        let dosage = &here.resource["dosage"];
        if !dosage["dose"].is_object() {
            let intensity = extension(here.resource, codes::INTENSITY).map_or(Some(1.0), |share| share["valueDecimal"].as_f64());
            let intensity = intensity.ok_or_else(|| self.wrong(here, "extension", "the intensity must be a number"))?;
            let intensity = Proportion::new(intensity).map_err(|error| self.broken(here, "extension", &error))?;
            let end = here.resource["effectivePeriod"]["end"]
                .as_str()
                .map(|end| self.date(here, "effectivePeriod.end", end))
                .transpose()?;
            if end.is_some_and(|end| end < start) {
                return Err(self.wrong(here, "effectivePeriod", "ends before it starts"));
            }
            record(self, start, Treatment::Continuous { agent: agent.clone(), intensity });
            if let Some(end) = end {
                record(self, end, Treatment::off(agent));
            }
            return Ok(());
        }
        let dose = self.quantity(here, "dosage.dose", &dosage["dose"])?;
        let route = code(&dosage["route"], &["http://snomed.info/sct", NAMES]);
        let treatment = match (route, dosage["rateQuantity"].is_object()) {
            (Some("26643006" | "oral"), _) => Treatment::oral(agent, dose),
            (Some("infusion"), true) => {
                let hours = self.quantity(here, "dosage.rateQuantity", &dosage["rateQuantity"])?;
                let days = hours.value_in("d").map_err(|error| self.broken(here, "dosage.rateQuantity", &error))?;
                Span::from_days(days).and_then(|span| Treatment::infusion(agent, dose, span))
            }
            (Some("47625008" | "bolus"), _) => Treatment::bolus(agent, dose),
            _ => {
                self.leave_out(&here.path, here.of_type, "a dose needs an oral or intravenous route");
                return Ok(());
            }
        };
        record(self, start, treatment.map_err(|error| self.broken(here, "dosage", &error))?);
        Ok(())
    }

    pub(super) fn procedure(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let number = |url| extension(here.resource, url).and_then(|extension| extension["valueDecimal"].as_f64());
        let target = list(&here.resource["bodySite"]).iter().find_map(|site| code(site, &[NAMES]));
        let time = self.time(here, &["performedDateTime", "performedPeriod.start"])?;
        let (Some(time), Some(target)) = (time, target) else {
            self.leave_out(&here.path, here.of_type, "a procedure without the dose of each fraction, or the extent of surgery");
            return Ok(());
        };
        let target = Target::new(target).map_err(|error| self.broken(here, "bodySite", &error))?;
        let treatment = match (number(codes::DOSE), number(codes::EXTENT)) {
            (Some(gray), None) => AbsorbedDose::from_gray(gray).map(|dose| Treatment::fraction(dose, target)),
            (None, Some(extent)) => Proportion::new(extent).map(|extent| Treatment::surgery(target, extent)),
            _ => {
                self.leave_out(&here.path, here.of_type, "a procedure without the dose of each fraction, or the extent of surgery");
                return Ok(());
            }
        };
        let treatment = treatment.map_err(|error| self.broken(here, "extension", &error))?;
        let provenance = self.provenance(here, Origin::Reported);
        self.bundle.patient.timeline.record(time, Event::Treatment(treatment), provenance);
        Ok(())
    }
}
