//! From tables to a patient.

mod episode;
mod stage;
mod therapy;

use super::columns::COLUMNS;
use super::row::{Row, rows};
use super::{Concept, Concepts, Record, TABLES, Tables};
use crate::fhir::{Identity, LeftOut, OBSERVABLES};
use crate::{IoError, Limits, Place, lab};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use therapy::Modifier;
use twin_core::*;

pub(super) fn record(
    tables: &Tables,
    person: i64,
    identity: &Identity,
    concepts: &Concepts,
    limits: &Limits,
) -> Result<Record, IoError> {
    let patient = Patient::new(identity.subject.clone());
    let record = Record { patient, observed: Vec::new(), died: None, episodes: Vec::new(), left_out: Vec::new() };
    let mut reader = Reader { identity, concepts, record, columns: BTreeSet::new(), diagnoses: HashMap::new() };
    for name in tables.names().filter(|name| !TABLES.contains(name)) {
        reader.leave_out(name.to_owned(), "table", "tables of this kind are not carried over");
    }
    let own = own(tables, person, limits)?;
    let of = |table: &str| own.get(table).map_or(&[][..], Vec::as_slice);
    match of("person") {
        [] => return Err(IoError::Empty { place: Place::of(Some(Path::new("person"))), what: "is no row of this person" }),
        [row] => reader.person(row)?,
        [_, second, ..] => return Err(second.place("person_id").invalid("the person is there twice")),
    }
    for row in of("observation_period") {
        reader.period(row)?;
    }
    for row in of("death") {
        reader.death(row)?;
    }
    for row in of("condition_occurrence") {
        reader.condition(row)?;
    }
    let mut modifiers: HashMap<i64, Vec<Modifier>> = HashMap::new();
    for row in of("measurement") {
        reader.measurement(row, &mut modifiers)?;
    }
    reader.drugs(of("drug_exposure"))?;
    for row in of("procedure_occurrence") {
        reader.procedure(row, &mut modifiers)?;
    }
    let mut unused: Vec<String> = modifiers.into_values().flatten().map(|modifier| modifier.path).collect();
    unused.sort();
    unused.into_iter().for_each(|path| reader.leave_out(path, "measurement", "it modifies a procedure that is not there"));
    reader.episodes(of("episode"), &rows(tables, "episode_event")?)?;
    let columns = std::mem::take(&mut reader.columns);
    for (table, column) in columns {
        reader.leave_out(format!("{table}.{column}"), table, "the column is not carried over");
    }
    Ok(reader.record)
}

/// The rows of a person, by table.
fn own<'a>(tables: &'a Tables, person: i64, limits: &Limits) -> Result<BTreeMap<&'static str, Vec<Row<'a>>>, IoError> {
    let mut own = BTreeMap::new();
    let mut count = 0;
    for table in TABLES.into_iter().filter(|table| *table != "episode_event") {
        let mut of_person = Vec::new();
        for row in rows(tables, table)? {
            if row.needed("person_id")? == person {
                of_person.push(row);
            }
        }
        count += of_person.len();
        if count > limits.max_records {
            return Err(Place::of(Some(Path::new(table))).over("rows of one person", limits.max_records, "max_records"));
        }
        own.insert(table, of_person);
    }
    Ok(own)
}

/// A record under way.
struct Reader<'a> {
    identity: &'a Identity,
    concepts: &'a Concepts,
    record: Record,
    /// Columns with something in them that is not carried over.
    columns: BTreeSet<(&'static str, String)>,
    /// The places of diagnoses among those of the patient, by the key of the condition.
    diagnoses: HashMap<i64, usize>,
}

impl Reader<'_> {
    fn leave_out(&mut self, path: String, table: &str, reason: &'static str) {
        self.record.left_out.push(LeftOut { path, resource: table.to_owned(), reason });
    }

    fn leave_out_row(&mut self, row: &Row<'_>, reason: &'static str) {
        self.leave_out(row.path(), row.table, reason);
    }

    /// Takes down the columns of a row that are not read.
    fn others(&mut self, row: &Row<'_>) {
        let known = COLUMNS.iter().find(|(table, _)| *table == row.table).map_or(&[][..], |(_, columns)| columns);
        let others = row.filled().filter(|column| !known.contains(column)).map(|column| (row.table, column.to_owned()));
        self.columns.extend(others);
    }

    /// The concept of a column; what is 0 or not in the table of concepts is `None`.
    fn concept(&self, row: &Row<'_>, column: &str) -> Result<Option<Concept>, IoError> {
        Ok(row.concept(column)?.and_then(|id| self.concepts.concept(id)).cloned())
    }

    fn provenance(row: &Row<'_>, origin: Origin) -> Provenance {
        Provenance::new(origin, row.table).at(row.path())
    }

    fn person(&mut self, row: &Row<'_>) -> Result<(), IoError> {
        self.others(row);
        let provenance = Self::provenance(row, Origin::Reported);
        let gender = self.concept(row, "gender_concept_id")?;
        let sex = match gender.as_ref().map(|gender| (gender.vocabulary.as_str(), gender.code.as_str())) {
            Some(("Gender", "F")) => Some(Sex::Female),
            Some(("Gender", "M")) => Some(Sex::Male),
            _ => None,
        };
        match sex {
            Some(sex) => self.record.patient.covariates.set_sex(Recorded::new(sex, provenance.clone())),
            None if row.text("gender_concept_id").is_some() => {
                self.leave_out(format!("{} gender_concept_id", row.path()), row.table, "the concept is not one of sex");
            }
            None => {}
        }
        let (year, month, day) = (row.integer("year_of_birth")?, row.integer("month_of_birth")?, row.integer("day_of_birth")?);
        let birth = match (row.day("birth_datetime", self.identity.origin)?, year, month, day) {
            (Some(birth), ..) => Some(birth),
            (None, Some(year), Some(month), Some(day)) => {
                let date = crate::Date::parse(&format!("{year:04}-{month:02}-{day:02}"));
                let date =
                    date.map_err(|_| row.place("day_of_birth").invalid("must be a day of the calendar with its month and year"))?;
                Some(date.time_since(self.identity.origin)?)
            }
            (None, Some(_), ..) => {
                self.leave_out(format!("{} year_of_birth", row.path()), row.table, "a year of birth without the day gives no age");
                None
            }
            _ => None,
        };
        if let Some(birth) = birth {
            let rule = "the age at the origin must be 0 to 130 years: check birth and origin";
            let wrong = |_| row.place("year_of_birth").invalid(rule);
            let age = Quantity::new(-birth.days(), "d").map_err(wrong)?;
            self.record.patient.covariates.set_age_at_origin(Recorded::new(age, provenance)).map_err(wrong)?;
        }
        Ok(())
    }

    fn period(&mut self, row: &Row<'_>) -> Result<(), IoError> {
        self.others(row);
        let empty = |column: &str| row.place(column).invalid("must not be empty");
        let (from, to) = ("observation_period_start_date", "observation_period_end_date");
        let start = row.day(from, self.identity.origin)?.ok_or_else(|| empty(from))?;
        let end = row.day(to, self.identity.origin)?.ok_or_else(|| empty(to))?;
        let end = later(end, 1.0, row, to)?;
        if end <= start {
            return Err(row.place(to).invalid("must not lie before the start"));
        }
        self.record.observed.push((start, end));
        Ok(())
    }

    fn death(&mut self, row: &Row<'_>) -> Result<(), IoError> {
        self.others(row);
        if self.record.died.is_some() {
            return Err(row.place("person_id").invalid("the death is there twice"));
        }
        let died = row.time("death_date", "death_datetime", self.identity.origin)?;
        self.record.died = Some(died.ok_or_else(|| row.place("death_date").invalid("must not be empty"))?);
        Ok(())
    }

    fn condition(&mut self, row: &Row<'_>) -> Result<(), IoError> {
        self.others(row);
        let concept = self.concept(row, "condition_concept_id")?;
        let coded = concept.filter(|concept| concept.vocabulary == "ICDO3");
        let parts = coded.as_ref().and_then(|concept| concept.code.split_once('-'));
        let nouns =
            parts.and_then(|(morphology, site)| Some((MorphologyCode::new(morphology).ok()?, TopographyCode::new(site).ok()?)));
        let Some((histology, site)) = nouns else {
            self.leave_out_row(row, "a diagnosis needs a concept of ICDO3 with histology and site, as 8140/3-C61.9");
            return Ok(());
        };
        let place = self.record.patient.diagnoses.len();
        if let Some(key) = row.integer("condition_occurrence_id")?
            && self.diagnoses.insert(key, place).is_some()
        {
            return Err(row.place("condition_occurrence_id").invalid("the key is there twice"));
        }
        let recorded = Recorded::new(Diagnosis::new(histology, site), Self::provenance(row, Origin::Reported));
        self.record.patient.diagnoses.push(recorded);
        Ok(())
    }

    fn measurement(&mut self, row: &Row<'_>, modifiers: &mut HashMap<i64, Vec<Modifier>>) -> Result<(), IoError> {
        self.others(row);
        let Some(concept) = self.concept(row, "measurement_concept_id")? else {
            self.leave_out_row(row, "the concept is 0 or not in the table of concepts");
            return Ok(());
        };
        // The columns of version 5.4, and those that the oncology extension had before.
        let event = match row.integer("measurement_event_id")? {
            Some(event) => Some((event, self.concept(row, "meas_event_field_concept_id")?)),
            None => row.integer("modifier_of_event_id")?.zip(Some(self.concept(row, "modifier_of_field_concept_id")?)),
        };
        match event {
            None => self.observation(row, &concept),
            Some((key, Some(field))) if field.name == "condition_occurrence.condition_occurrence_id" => {
                self.stage(row, key, &concept)
            }
            Some((key, Some(field))) if field.name == "procedure_occurrence.procedure_occurrence_id" => {
                match self.quantity(row)? {
                    Some(quantity) if concept.vocabulary == "twin" => {
                        modifiers.entry(key).or_default().push(Modifier { name: concept.code, quantity, path: row.path() });
                    }
                    _ => self.leave_out_row(
                        row,
                        "of a procedure the dose of a fraction and the extent of surgery are read, as numbers with their units",
                    ),
                }
                Ok(())
            }
            Some(_) => {
                self.leave_out_row(row, "modifiers of conditions and procedures are read, of other tables not");
                Ok(())
            }
        }
    }

    /// The number of a measurement with its unit; `None` if one of them is missing.
    fn quantity(&self, row: &Row<'_>) -> Result<Option<Quantity>, IoError> {
        let Some(number) = row.number("value_as_number")? else { return Ok(None) };
        let by_concept = self.concept(row, "unit_concept_id")?.filter(|unit| unit.vocabulary == "UCUM").map(|unit| unit.code);
        let column = if by_concept.is_some() { "unit_concept_id" } else { "unit_source_value" };
        let Some(code) = by_concept.or_else(|| row.text("unit_source_value")) else { return Ok(None) };
        Quantity::new(number, code.as_str()).map(Some).map_err(|_| row.place(column).invalid("the unit is not UCUM"))
    }

    /// The observable or the covariate that a concept stands for.
    fn meaning(row: &Row<'_>, concept: &Concept) -> Result<(Option<Observable>, Option<CovariateName>), IoError> {
        let known = |code: &str| OBSERVABLES.iter().find(|(known, _)| *known == code).map(|(_, observable)| observable.clone());
        let named =
            |name: &str, rule: &str| row.place("measurement_concept_id").invalid(format!("the name of {name} must be {rule}"));
        const NAME: &str = "1 to 64 letters, digits, `_`, `-`, `.` or single spaces";
        Ok(match (concept.vocabulary.as_str(), concept.code.as_str()) {
            ("LOINC", "8302-2") => (None, Some(CovariateName::HEIGHT)),
            ("LOINC", "29463-7") => (None, Some(CovariateName::WEIGHT)),
            ("LOINC", code) => (known(code), None),
            ("twin", code) => match code.strip_prefix("covariate ") {
                Some(name) => (None, Some(CovariateName::new(name).map_err(|_| named("a covariate", NAME))?)),
                None => (Some(Observable::new(code).map_err(|_| named("an observable", NAME))?), None),
            },
            _ => (None, None),
        })
    }

    fn observation(&mut self, row: &Row<'_>, concept: &Concept) -> Result<(), IoError> {
        let (observable, covariate) = Self::meaning(row, concept)?;
        if observable.is_none() && covariate.is_none() {
            self.leave_out_row(row, "the concept is not among those that are read");
            return Ok(());
        }
        let Some(time) = row.time("measurement_date", "measurement_datetime", self.identity.origin)? else {
            return Err(row.place("measurement_date").invalid("must not be empty"));
        };
        let category = self.concept(row, "value_as_concept_id")?.map(|concept| concept.name);
        let quantity = match (self.quantity(row)?, row.number("value_as_number")?) {
            // A number of what has no dimension needs no unit.
            (None, Some(number)) if observable.as_ref().is_some_and(|o| o.customary_unit() == Some("1")) => {
                Quantity::new(number, "1").ok()
            }
            (quantity, _) => quantity,
        };
        let provenance = Self::provenance(row, Origin::Measured);
        if let Some(quantity) = &quantity
            && let Some(unit) = observable.as_ref().and_then(Observable::customary_unit)
        {
            self.check_unit(row, observable.as_ref(), quantity, unit)?;
        }
        let finding = match (quantity, category, self.concept(row, "operator_concept_id")?.map(|operator| operator.name)) {
            (Some(quantity), None, None) => Ok(Finding::measured(quantity)),
            (Some(quantity), None, Some(operator)) => match operator.as_str() {
                "=" => Ok(Finding::measured(quantity)),
                "<" => Ok(Finding::Below(quantity)),
                ">" => Ok(Finding::Above(quantity)),
                _ => Err("of the operators <, > and = are read"),
            },
            (None, Some(category), None) => Finding::category(category).map_err(|_| "an empty category"),
            (None, None, _) => Err("there is no number with its unit and no category"),
            _ => Err("a category together with a number or an operator"),
        };
        match (finding, observable, covariate) {
            (Ok(finding), Some(observable), _) => {
                let event = Event::Observation(Observation::new(observable, finding));
                self.record.patient.timeline.record(time, event, provenance);
            }
            (Ok(finding), None, Some(name)) => {
                let value = match finding {
                    Finding::Measured { quantity, .. } => Some(CovariateValue::Quantity(quantity)),
                    Finding::Category(text) => Category::new(&text).ok().map(CovariateValue::Category),
                    _ => None,
                };
                match value {
                    Some(value) => self.record.patient.covariates.record(name, time, Recorded::new(value, provenance)),
                    None => self.leave_out_row(row, "a covariate is a number or a category of 1 to 64 characters"),
                }
            }
            (Err(reason), ..) => self.leave_out_row(row, reason),
            (Ok(_), None, None) => {}
        }
        Ok(())
    }

    /// Refuses a unit of something else than what is measured.
    fn check_unit(&self, row: &Row<'_>, observable: Option<&Observable>, quantity: &Quantity, unit: &str) -> Result<(), IoError> {
        let wrong = || row.place("unit_concept_id").invalid(format!("must be a unit such as {unit}"));
        let unit: Unit = unit.parse().map_err(|_| wrong())?;
        match observable {
            Some(observable) if lab::convert(observable, quantity, &unit).is_err() => Err(wrong()),
            _ => Ok(()),
        }
    }
}

/// A time `days` later.
fn later(time: Time, days: f64, row: &Row<'_>, column: &str) -> Result<Time, IoError> {
    Time::from_days(time.days() + days).map_err(|_| row.place(column).invalid("is too far from the origin"))
}
