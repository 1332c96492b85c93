//! From a patient to tables.

use super::columns::COLUMNS;
use super::{Concepts, Tables, Written};
use crate::dataframe::{Column, DataFrame, Values};
use crate::fhir::{Identity, LeftOut, OBSERVABLES};
use crate::{IoError, Missing};
use std::collections::BTreeMap;
use twin_core::*;

/// A value of a row.
enum Cell {
    Integer(i64),
    Number(f64),
    Text(String),
}

/// The tables that are written.
const WRITTEN: [&str; 5] = ["person", "condition_occurrence", "measurement", "drug_exposure", "procedure_occurrence"];

type Cells = Vec<(&'static str, Cell)>;

struct Writer<'a> {
    person: i64,
    identity: &'a Identity,
    concepts: &'a Concepts,
    rows: BTreeMap<&'static str, Vec<Cells>>,
    left_out: Vec<LeftOut>,
}

pub(super) fn tables(patient: &Patient, person: i64, identity: &Identity, concepts: &Concepts) -> Result<Written, IoError> {
    let mut writer = Writer { person, identity, concepts, rows: BTreeMap::new(), left_out: Vec::new() };
    writer.person(patient)?;
    for (index, recorded) in patient.diagnoses.iter().enumerate() {
        writer.diagnosis(index, &recorded.value)?;
    }
    for name in patient.covariates.names() {
        for (index, (time, recorded)) in patient.covariates.values(name).iter().enumerate() {
            writer.covariate(name, index, *time, &recorded.value)?;
        }
    }
    writer.events(&patient.timeline)?;
    for (is_empty, path) in
        [(patient.genomics == GenomicProfile::default(), "genomics"), (patient.consent == Consent::default(), "consent")]
    {
        if !is_empty {
            writer.leave_out(path, "the tables have no place for it");
        }
    }
    let mut frames = Vec::new();
    for (table, columns) in COLUMNS.iter().filter(|(table, _)| WRITTEN.contains(table)) {
        // The data model asks for a day that the patient state does not have; on the way in it is not carried over.
        let day: &[&str] = if *table == "condition_occurrence" { &["condition_start_date"] } else { &[] };
        let columns: Vec<&str> = columns.iter().chain(day).copied().collect();
        frames.push((*table, frame(&columns, writer.rows.remove(table).unwrap_or_default())?));
    }
    Ok(Written { tables: Tables::new(frames)?, left_out: writer.left_out })
}

fn frame(columns: &[&'static str], rows: Vec<Cells>) -> Result<DataFrame, IoError> {
    let column = |name: &&'static str| {
        let cells = rows.iter().map(|row| row.iter().find(|(column, _)| column == name).map(|(_, cell)| cell));
        let values = if name.ends_with("_id") || name.ends_with("_of_birth") {
            Values::Integer(cells.map(|cell| if let Some(Cell::Integer(value)) = cell { Some(*value) } else { None }).collect())
        } else if matches!(*name, "value_as_number" | "quantity") {
            Values::Number(cells.map(|cell| if let Some(Cell::Number(value)) = cell { Some(*value) } else { None }).collect())
        } else {
            Values::Text(cells.map(|cell| if let Some(Cell::Text(value)) = cell { Some(value.clone()) } else { None }).collect())
        };
        Column::new(*name, values)
    };
    // The names that columns had before version 5.4 are read only.
    DataFrame::new(columns.iter().filter(|name| !name.starts_with("modifier_of")).map(column).collect())
}

const NO_CONCEPT: &str = "its concept is not in the table of concepts";

impl Writer<'_> {
    fn leave_out(&mut self, path: impl Into<String>, reason: &'static str) {
        self.left_out.push(LeftOut { path: path.into(), resource: "patient".to_owned(), reason });
    }

    /// Adds a row with its key, and gives the key.
    fn push(&mut self, table: &'static str, mut cells: Cells) -> i64 {
        let rows = self.rows.entry(table).or_default();
        let key = rows.len() as i64 + 1;
        if let Some((_, columns)) = COLUMNS.iter().find(|(known, _)| *known == table)
            && let Some(name) = columns.first().filter(|name| **name != "person_id")
        {
            cells.push((name, Cell::Integer(key)));
        }
        cells.push(("person_id", Cell::Integer(self.person)));
        rows.push(cells);
        key
    }

    fn date(&self, days: i64) -> Result<String, IoError> {
        let unwritable =
            || IoError::Unwritable { field: Some("timeline".into()), rule: "has a time outside the years 1800 to 2200".to_owned() };
        self.identity.origin.plus_days(days).map(crate::Date::to_text).ok_or_else(unwritable)
    }

    /// The day of a time, and the time to the second where it is not the beginning of the day.
    fn stamp(&mut self, time: Time, path: &str, columns: [&'static str; 2], always: bool) -> Result<Cells, IoError> {
        let seconds = (time.days() * 86_400.0).round();
        if (time.days() - seconds / 86_400.0).abs() > f64::EPSILON * time.days().abs() {
            self.leave_out(path, "the fraction of a second of its time");
        }
        let day = (seconds / 86_400.0).floor();
        let date = self.date(day as i64)?;
        let second = (seconds - day * 86_400.0) as i64;
        let mut cells = vec![(columns[0], Cell::Text(date.clone()))];
        if second > 0 || always {
            let text = format!("{date}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            cells.push((columns[1], Cell::Text(text)));
        }
        Ok(cells)
    }

    fn person(&mut self, patient: &Patient) -> Result<(), IoError> {
        let mut cells = Vec::new();
        if let Some(sex) = patient.covariates.sex() {
            let code = match sex.value {
                Sex::Female => "F",
                Sex::Male => "M",
                _ => "",
            };
            match self.concepts.number("Gender", code) {
                Some(id) => cells.push(("gender_concept_id", Cell::Integer(id))),
                None => self.leave_out("covariates.sex", NO_CONCEPT),
            }
        }
        if let Some(age) = patient.covariates.age_at_origin() {
            let days = age.value.value_in("d").unwrap_or(f64::NAN);
            if days.fract().abs() < f64::MIN_POSITIVE {
                let date = self.date(-(days as i64))?;
                let parts = date.split('-').filter_map(|part| part.parse().ok());
                cells.extend(["year_of_birth", "month_of_birth", "day_of_birth"].into_iter().zip(parts.map(Cell::Integer)));
            } else {
                self.leave_out("covariates.age_at_origin", "an age that is not of whole days gives no day of birth");
            }
        }
        self.push("person", cells);
        Ok(())
    }

    fn diagnosis(&mut self, index: usize, diagnosis: &Diagnosis) -> Result<(), IoError> {
        let path = format!("diagnoses[{index}]");
        let code = format!("{}-{}", diagnosis.histology, diagnosis.topography);
        let Some(id) = self.concepts.number("ICDO3", &code) else {
            self.leave_out(path, NO_CONCEPT);
            return Ok(());
        };
        let start = ("condition_start_date", Cell::Text(self.date(0)?));
        let key = self.push("condition_occurrence", vec![("condition_concept_id", Cell::Integer(id)), start]);
        for (is_there, field) in [
            (diagnosis.grade.is_some(), "grade"),
            (!diagnosis.receptors.is_empty(), "receptors"),
            (diagnosis.ki67.is_some(), "ki67"),
        ] {
            if is_there {
                self.leave_out(format!("{path}.{field}"), "the tables have no place for it");
            }
        }
        let Some(stage) = &diagnosis.stage else { return Ok(()) };
        let field = self
            .concepts
            .find(|concept| concept.vocabulary == "CDM" && concept.name == "condition_occurrence.condition_occurrence_id");
        let system = match (stage.system, &stage.edition) {
            (StagingSystem::Ajcc, None) => Some("AJCC/UICC".to_owned()),
            (StagingSystem::Ajcc, Some(edition)) => Some(format!("{edition}th_AJCC/UICC")),
            _ => None,
        };
        let categories = [
            stage.t.as_ref().map(|t| split(t.as_str(), 'T')),
            stage.n.as_ref().map(|n| split(n.as_str(), 'N')),
            stage.m.as_ref().map(|m| split(m.as_str(), 'M')),
            stage.group.as_ref().map(|group| (String::new(), format!("Stage-{}", digits(group.as_str())))),
        ];
        for (prefix, category) in categories.into_iter().flatten() {
            let code = system.as_ref().map(|system| match prefix.as_str() {
                "" => format!("{system}-{category}"),
                prefix => format!("{prefix}-{system}-{category}"),
            });
            match (code.and_then(|code| self.concepts.number("Cancer Modifier", &code)), field) {
                (Some(id), Some(field)) => {
                    let cells = vec![
                        ("measurement_concept_id", Cell::Integer(id)),
                        ("measurement_date", Cell::Text(self.date(0)?)),
                        ("measurement_event_id", Cell::Integer(key)),
                        ("meas_event_field_concept_id", Cell::Integer(field)),
                    ];
                    self.push("measurement", cells);
                }
                _ => self.leave_out(format!("{path}.stage"), NO_CONCEPT),
            }
        }
        Ok(())
    }

    /// A number with its unit, by its concept where there is one.
    fn quantity(&self, quantity: &Quantity) -> Cells {
        let code = quantity.unit().code();
        let unit = match self.concepts.number("UCUM", code) {
            Some(id) => ("unit_concept_id", Cell::Integer(id)),
            None => ("unit_source_value", Cell::Text(code.to_owned())),
        };
        vec![("value_as_number", Cell::Number(quantity.value())), unit]
    }

    fn covariate(&mut self, name: &CovariateName, index: usize, time: Time, value: &CovariateValue) -> Result<(), IoError> {
        let path = format!("covariates.{name}[{index}]");
        let loinc = [(CovariateName::HEIGHT, "8302-2"), (CovariateName::WEIGHT, "29463-7")];
        let loinc = loinc.iter().find(|(known, _)| known == name).and_then(|(_, code)| self.concepts.number("LOINC", code));
        let id = loinc.or_else(|| self.concepts.number("twin", &format!("covariate {name}")));
        let value = match value {
            CovariateValue::Quantity(quantity) => Some(self.quantity(quantity)),
            CovariateValue::Category(category) => self.category(category.as_str()),
            _ => None,
        };
        self.measurement(id, value, time, &path)
    }

    fn category(&self, category: &str) -> Option<Cells> {
        self.concepts.find(|concept| concept.name == category).map(|id| vec![("value_as_concept_id", Cell::Integer(id))])
    }

    fn measurement(&mut self, id: Option<i64>, value: Option<Cells>, time: Time, path: &str) -> Result<(), IoError> {
        let (Some(id), Some(value)) = (id, value) else {
            self.leave_out(path, NO_CONCEPT);
            return Ok(());
        };
        let mut cells = self.stamp(time, path, ["measurement_date", "measurement_datetime"], false)?;
        cells.push(("measurement_concept_id", Cell::Integer(id)));
        cells.extend(value);
        self.push("measurement", cells);
        Ok(())
    }

    fn events(&mut self, timeline: &Timeline) -> Result<(), IoError> {
        // Continuous therapy that is on, by agent, with the row that says so.
        let mut on: BTreeMap<Agent, (Cells, String)> = BTreeMap::new();
        for (index, entry) in timeline.entries().iter().enumerate() {
            let path = format!("timeline[{index}]");
            match &entry.event {
                Event::Observation(observation) => self.observation(entry.time, observation, &path)?,
                Event::Treatment(Treatment::Continuous { agent, intensity }) => {
                    let is_on = *intensity == Proportion::ONE;
                    match (is_on, on.remove(agent)) {
                        (true, None) => {
                            let columns = ["drug_exposure_start_date", "drug_exposure_start_datetime"];
                            let cells = self.stamp(entry.time, &path, columns, false)?;
                            on.insert(agent.clone(), (cells, path));
                        }
                        (false, Some((mut cells, begun))) if *intensity == Proportion::ZERO => {
                            let columns = ["drug_exposure_end_date", "drug_exposure_end_datetime"];
                            cells.extend(self.stamp(entry.time, &path, columns, true)?);
                            self.drug(agent, cells, &begun);
                        }
                        (_, before) => {
                            self.leave_out(path, "only therapy that goes on at full dose and then off has a place");
                            on.extend(before.map(|before| (agent.clone(), before)));
                        }
                    }
                }
                Event::Treatment(treatment) => self.treatment(entry.time, treatment, &path)?,
                _ => self.leave_out(path, "the tables have no place for it"),
            }
        }
        for (agent, (cells, path)) in on {
            self.drug(&agent, cells, &path);
        }
        Ok(())
    }

    fn observation(&mut self, time: Time, observation: &Observation, path: &str) -> Result<(), IoError> {
        let name = observation.observable.as_str();
        let loinc = OBSERVABLES.iter().filter(|(_, known)| *known == observation.observable);
        let id = loinc.filter_map(|(code, _)| self.concepts.number("LOINC", code)).next();
        let id = id.or_else(|| self.concepts.number("twin", name));
        let limit = |operator: &str, limit: &Quantity| {
            let operator = self.concepts.find(|concept| concept.name == operator)?;
            let mut cells = self.quantity(limit);
            cells.push(("operator_concept_id", Cell::Integer(operator)));
            Some(cells)
        };
        let value = match &observation.finding {
            Finding::Measured { quantity, standard_error, .. } => {
                if standard_error.is_some() {
                    self.leave_out(format!("{path}.standard_error"), "the tables have no place for it");
                }
                Some(self.quantity(quantity))
            }
            Finding::Below(quantity) => limit("<", quantity),
            Finding::Above(quantity) => limit(">", quantity),
            Finding::Category(category) => self.category(category),
            finding => {
                let reason =
                    if Missing::of(finding).is_some() { "a finding that is missing" } else { "the tables have no place for it" };
                self.leave_out(path, reason);
                return Ok(());
            }
        };
        self.measurement(id, value, time, path)
    }

    fn drug(&mut self, agent: &Agent, mut cells: Cells, path: &str) {
        let of_drugs = ["RxNorm", "RxNorm Extension", "HemOnc", "ATC", "twin"];
        let is = |concept: &super::Concept| {
            of_drugs.contains(&concept.vocabulary.as_str()) && concept.name.to_lowercase() == agent.as_str()
        };
        match self.concepts.find(is) {
            Some(id) => {
                cells.push(("drug_concept_id", Cell::Integer(id)));
                self.push("drug_exposure", cells);
            }
            None => self.leave_out(path, NO_CONCEPT),
        }
    }

    fn treatment(&mut self, time: Time, treatment: &Treatment, path: &str) -> Result<(), IoError> {
        let (agent, dose, route, end) = match treatment {
            Treatment::Oral { agent, dose, .. } => (agent, dose, "26643006", time),
            Treatment::Bolus { agent, dose, .. } => (agent, dose, "47625008", time),
            Treatment::Infusion { agent, dose, duration, .. } => {
                let end = Time::from_days(time.days() + duration.days());
                let Ok(end) = end else {
                    self.leave_out(path, "an infusion that ends too far from the origin");
                    return Ok(());
                };
                if duration.days() > 1.0 || duration.days() * 86_400.0 < 1.0 {
                    self.leave_out(path, "an infusion of more than a day, or less than a second");
                    return Ok(());
                }
                (agent, dose, "47625008", end)
            }
            Treatment::Fraction(fraction) => {
                let dose = Quantity::new(fraction.dose.gray(), "Gy").ok();
                return self.procedure(time, &fraction.target, "fraction dose", dose, path);
            }
            Treatment::Surgery { target, extent } => {
                let extent = Quantity::new(extent.value(), "1").ok();
                return self.procedure(time, target, "surgery extent", extent, path);
            }
            _ => {
                self.leave_out(path, "the tables have no place for it");
                return Ok(());
            }
        };
        let Some(route) = self.concepts.number("SNOMED", route) else {
            self.leave_out(path, "the concept of its route is not in the table of concepts");
            return Ok(());
        };
        let mut cells = self.stamp(time, path, ["drug_exposure_start_date", "drug_exposure_start_datetime"], true)?;
        cells.extend(self.stamp(end, path, ["drug_exposure_end_date", "drug_exposure_end_datetime"], true)?);
        cells.push(("route_concept_id", Cell::Integer(route)));
        cells.push(("quantity", Cell::Number(dose.value())));
        cells.push(("dose_unit_source_value", Cell::Text(dose.unit().code().to_owned())));
        self.drug(agent, cells, path);
        Ok(())
    }

    fn procedure(&mut self, time: Time, target: &Target, name: &str, value: Option<Quantity>, path: &str) -> Result<(), IoError> {
        let site = self.concepts.find(|concept| concept.name.to_lowercase() == target.as_str());
        let field = self
            .concepts
            .find(|concept| concept.vocabulary == "CDM" && concept.name == "procedure_occurrence.procedure_occurrence_id");
        let (Some(site), Some(field), Some(id), Some(value)) = (site, field, self.concepts.number("twin", name), value) else {
            self.leave_out(path, NO_CONCEPT);
            return Ok(());
        };
        let mut cells = self.stamp(time, path, ["procedure_date", "procedure_datetime"], false)?;
        cells.push(("procedure_concept_id", Cell::Integer(0)));
        cells.push(("modifier_concept_id", Cell::Integer(site)));
        let key = self.push("procedure_occurrence", cells);
        let mut cells = self.stamp(time, path, ["measurement_date", "measurement_datetime"], false)?;
        cells.extend(self.quantity(&value));
        cells.push(("measurement_concept_id", Cell::Integer(id)));
        cells.push(("measurement_event_id", Cell::Integer(key)));
        cells.push(("meas_event_field_concept_id", Cell::Integer(field)));
        self.push("measurement", cells);
        Ok(())
    }
}

/// The prefix of a category and the category itself: `cT2a` is `c` and `T2a`.
fn split(category: &str, letter: char) -> (String, String) {
    let (prefix, rest) = category.split_at(category.find(letter).unwrap_or(0));
    (prefix.to_owned(), rest.to_owned())
}

/// A stage group with its number in Arabic digits: `IIB` is `2B`.
fn digits(group: &str) -> String {
    let numbers = [("IV", "4"), ("III", "3"), ("II", "2"), ("I", "1")];
    let found = numbers.iter().find_map(|(roman, digit)| Some(format!("{digit}{}", group.strip_prefix(roman)?)));
    found.unwrap_or_else(|| group.to_owned())
}
