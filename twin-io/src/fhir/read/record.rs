//! Records of this project inside a bundle: what no resource of FHIR is made for.

use super::{Here, Reader, code, codes, extension};
use crate::fhir::codes::NAMES;
use crate::{IoError, json};
use serde::de::DeserializeOwned;
use twin_core::*;

impl Reader<'_> {
    /// The noun that a resource holds whole, if it does.
    pub(super) fn whole<T: DeserializeOwned>(&self, here: &Here<'_>) -> Result<Option<T>, IoError> {
        let Some(record) = extension(here.resource, codes::RECORD) else { return Ok(None) };
        let wrong = || self.wrong(here, "extension", "must be a record of this project");
        let text = record["valueString"].as_str().ok_or_else(wrong)?;
        let value = json::value(text, self.file, self.limits).map_err(|_| wrong())?;
        serde_json::from_value(value).map(Some).map_err(|_| wrong())
    }

    fn needed<T: DeserializeOwned>(&self, here: &Here<'_>) -> Result<T, IoError> {
        self.whole(here)?.ok_or_else(|| self.wrong(here, "extension", "must be a record of this project"))
    }

    pub(super) fn record(&mut self, here: &Here<'_>) -> Result<(), IoError> {
        let provenance = self.provenance(here, Origin::Reported);
        let time = || self.time(here, &[])?.ok_or_else(|| self.wrong(here, "extension", "needs its day"));
        match code(&here.resource["code"], &[NAMES]) {
            Some("biomarker") => {
                let value = self.needed(here)?;
                self.bundle.patient.genomics.biomarkers.push(Recorded::new(value, provenance));
            }
            Some("expression") => {
                let value = self.needed(here)?;
                self.bundle.patient.genomics.expression.push(Recorded::new(value, provenance));
            }
            Some("alteration") => {
                let value = self.needed(here)?;
                self.bundle.patient.genomics.alterations.push(Recorded::new(value, provenance));
            }
            Some("age at origin") => {
                let age = Recorded::new(self.needed(here)?, provenance);
                let set = self.bundle.patient.covariates.set_age_at_origin(age);
                set.map_err(|_| self.wrong(here, "extension", "the age at the origin must be 0 to 130 years"))?;
            }
            Some("covariate") => {
                let ((name, value), time): ((CovariateName, CovariateValue), _) = (self.needed(here)?, time()?);
                self.bundle.patient.covariates.record(name, time, Recorded::new(value, provenance));
            }
            Some("event") => {
                let (event, time) = (self.needed(here)?, time()?);
                self.bundle.patient.timeline.record(time, event, provenance);
            }
            Some("consent") => {
                let consent: Consent = self.needed(here)?;
                self.bundle.patient.consent.provisions.extend(consent.provisions);
                self.bundle.patient.consent.withdrawals.extend(consent.withdrawals);
            }
            _ => self.leave_out(&here.path, here.of_type, "the record is of a kind that is not known"),
        }
        Ok(())
    }
}
