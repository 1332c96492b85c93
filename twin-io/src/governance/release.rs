//! Releasing a record for a purpose.

use super::audit::{Audit, AuditEntry};
use super::pseudonym::hexadecimal;
use crate::{IoError, Missing, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use twin_core::{
    Agent, Alteration, Biomarker, BiomarkerStatus, CoreError, CovariateName, CovariateValue, Covariates, Diagnosis, Event, Finding,
    Fraction, Observable, Observation, Patient, Provenance, Purpose, Quantity, Receptor, Recorded, SampleLabel, Target, Time,
    Treatment,
};

/// Releases a record for `purpose` at `at`, if consent permits it then, without what could identify the person, and audits it at the
/// time `clock`.
///
/// The id must be a pseudonym as [`Key::pseudonym`](super::Key::pseudonym) makes them. Times stay as they are: days from an origin
/// that the record does not know. Of texts there remain: names of the catalogs of `twin_core`, gene symbols and codes of fixed form
/// (HGVS, ICD-O, TNM), units, the reasons of [`Missing`], and what stands in `keep`, such as the names of drugs. Any other name of an
/// observable, an agent, a target and so on becomes `unlisted 1` and so on, the same for the same name; any other category or reason
/// becomes [`Missing::Withheld`]; categories of covariates that are not kept are left out. Sources become `source 1` and so on,
/// without the place inside. Ages of 90 years and more become 90.
///
/// # Errors
/// [`IoError::Refused`] if consent does not permit it, which is audited as well; [`IoError::Unwritable`] for an id that is not a
/// pseudonym, a record that cannot be written, or a `clock` that is not plain text.
pub fn release(
    patient: &Patient,
    keep: &[&str],
    purpose: Purpose,
    at: Time,
    audit: &mut Audit,
    clock: &str,
) -> Result<Patient, IoError> {
    let unwritable = |field: &str, rule: String| IoError::Unwritable { field: Some(field.into()), rule };
    let is_pseudonym =
        patient.id.as_str().len() == 32 && patient.id.as_str().bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_pseudonym {
        return Err(unwritable("id", "must be a pseudonym, made with a key".to_owned()));
    }
    let entry = |released: bool, digest: String| AuditEntry {
        at: clock.to_owned(),
        subject: patient.id.clone(),
        purpose,
        consent: patient.consent.state(purpose, at),
        released,
        digest,
    };
    if let Err(source) = patient.consent.require(purpose, at) {
        audit.record(&entry(false, String::new()))?;
        return Err(IoError::Refused { source });
    }
    let mut screen = Screen { keep, names: BTreeMap::new(), sources: BTreeMap::new() };
    let released = screen.patient(patient).map_err(|error| unwritable("patient", error.to_string()))?;
    audit.record(&entry(true, hexadecimal(&Sha256::digest(json::to_string(&released)?))))?;
    Ok(released)
}

/// What lets names through, and what it calls those that it does not.
struct Screen<'a> {
    keep: &'a [&'a str],
    names: BTreeMap<String, String>,
    sources: BTreeMap<String, String>,
}

impl Screen<'_> {
    fn patient(&mut self, patient: &Patient) -> Result<Patient, CoreError> {
        let mut released = Patient::new(patient.id.clone());
        released.consent = patient.consent.clone();
        released.covariates = self.covariates(&patient.covariates)?;
        for recorded in &patient.diagnoses {
            let value = self.diagnosis(&recorded.value)?;
            released.diagnoses.push(Recorded::new(value, self.provenance(&recorded.provenance)));
        }
        for recorded in &patient.genomics.alterations {
            let value: Alteration = recorded.value.clone();
            released.genomics.alterations.push(Recorded::new(value, self.provenance(&recorded.provenance)));
        }
        for recorded in &patient.genomics.biomarkers {
            let name = Biomarker::new(&self.name(recorded.value.name.as_str()))?;
            let value = BiomarkerStatus::new(name, recorded.value.status.clone());
            released.genomics.biomarkers.push(Recorded::new(value, self.provenance(&recorded.provenance)));
        }
        for recorded in &patient.genomics.expression {
            let profile = &recorded.value;
            let label = SampleLabel::new(&self.name(profile.sample().as_str()))?;
            let value = twin_core::ExpressionProfile::new(label, profile.measure(), profile.values().clone())?;
            released.genomics.expression.push(Recorded::new(value, self.provenance(&recorded.provenance)));
        }
        for entry in patient.timeline.entries() {
            let event = match &entry.event {
                Event::Observation(observation) => Event::Observation(self.observation(observation)?),
                Event::Treatment(treatment) => Event::Treatment(self.treatment(treatment)?),
                // A kind of event that this version does not know cannot be screened.
                _ => {
                    return Err(CoreError::Conflict {
                        what: "a release",
                        detail: "the record has an event of an unknown kind".to_owned(),
                    });
                }
            };
            let provenance = self.provenance(&entry.provenance);
            released.timeline.record(entry.time, event, provenance);
        }
        Ok(released)
    }

    /// A name that is kept, or what it is called instead.
    fn name(&mut self, name: &str) -> String {
        if self.keep.contains(&name) {
            return name.to_owned();
        }
        let next = format!("unlisted {}", self.names.len() + 1);
        self.names.entry(name.to_owned()).or_insert(next).clone()
    }

    fn provenance(&mut self, provenance: &Provenance) -> Provenance {
        let next = format!("source {}", self.sources.len() + 1);
        let source = self.sources.entry(provenance.source.clone()).or_insert(next);
        Provenance::new(provenance.origin, source.clone())
    }

    fn observation(&mut self, observation: &Observation) -> Result<Observation, CoreError> {
        let observable = match observation.observable.customary_unit() {
            Some(_) => observation.observable.clone(),
            None => Observable::new(&self.name(observation.observable.as_str()))?,
        };
        let finding = match &observation.finding {
            Finding::Category(category) if !self.keep.contains(&category.as_str()) => Missing::Withheld.finding(),
            Finding::NotEvaluable(_) if Missing::of(&observation.finding).is_none() => Missing::Withheld.finding(),
            kept => kept.clone(),
        };
        Ok(Observation::new(observable, finding))
    }

    fn treatment(&mut self, treatment: &Treatment) -> Result<Treatment, CoreError> {
        let mut agent = |agent: &Agent| Agent::new(&self.name(agent.as_str()));
        match treatment {
            Treatment::Bolus { agent: name, dose, .. } => Treatment::bolus(agent(name)?, dose.clone()),
            Treatment::Infusion { agent: name, dose, duration, .. } => Treatment::infusion(agent(name)?, dose.clone(), *duration),
            Treatment::Oral { agent: name, dose, .. } => Treatment::oral(agent(name)?, dose.clone()),
            Treatment::Continuous { agent: name, intensity } => {
                Ok(Treatment::Continuous { agent: agent(name)?, intensity: *intensity })
            }
            Treatment::Fraction(Fraction { dose, target }) => {
                Ok(Treatment::fraction(*dose, Target::new(&self.name(target.as_str()))?))
            }
            Treatment::Surgery { target, extent } => Ok(Treatment::surgery(Target::new(&self.name(target.as_str()))?, *extent)),
            _ => Err(CoreError::Conflict { what: "a release", detail: "the record has a treatment of an unknown kind".to_owned() }),
        }
    }

    fn diagnosis(&mut self, diagnosis: &Diagnosis) -> Result<Diagnosis, CoreError> {
        const KNOWN: [Receptor; 6] = [Receptor::ER, Receptor::PR, Receptor::HER2, Receptor::AR, Receptor::EGFR, Receptor::PD_L1];
        let mut released = diagnosis.clone();
        released.receptors.clear();
        for (receptor, result) in &diagnosis.receptors {
            let name = if KNOWN.contains(receptor) { receptor.clone() } else { Receptor::new(&self.name(receptor.as_str()))? };
            released.receptors.insert(name, *result);
        }
        Ok(released)
    }

    fn covariates(&mut self, covariates: &Covariates) -> Result<Covariates, CoreError> {
        const KNOWN: [CovariateName; 4] =
            [CovariateName::HEIGHT, CovariateName::WEIGHT, CovariateName::CREATININE, CovariateName::ECOG];
        let mut released = Covariates::default();
        if let Some(sex) = covariates.sex() {
            released.set_sex(Recorded::new(sex.value, self.provenance(&sex.provenance)));
        }
        if let Some(age) = covariates.age_at_origin() {
            let is_old = age.value.value_in("a")? >= 90.0;
            let pooled = if is_old { Quantity::new(90.0, "a")? } else { age.value.clone() };
            released.set_age_at_origin(Recorded::new(pooled, self.provenance(&age.provenance)))?;
        }
        for name in covariates.names() {
            for (time, recorded) in covariates.values(name) {
                let keep = match &recorded.value {
                    CovariateValue::Quantity(_) => true,
                    CovariateValue::Category(category) => self.keep.contains(&category.as_str()),
                    _ => false,
                };
                if keep {
                    let name = if KNOWN.contains(name) { name.clone() } else { CovariateName::new(&self.name(name.as_str()))? };
                    let provenance = self.provenance(&recorded.provenance);
                    released.record(name, *time, Recorded::new(recorded.value.clone(), provenance));
                }
            }
        }
        Ok(released)
    }
}
