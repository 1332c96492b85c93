//! Event tables of population pharmacokinetics, in the manner of NONMEM: one row for each dose or observation.
//!
//! ```
//! use twin_core::{Agent, Observable};
//! use twin_io::events::{Entry, Events, Seen};
//! use twin_io::Limits;
//! let events = Events {
//!     agent: Agent::new("theophylline")?,
//!     dose_unit: "mg".parse()?,
//!     time_unit: "h".parse()?,
//!     entries: vec![(1, Entry::Oral)],
//!     seen: vec![(2, Seen { observable: Observable::new("theophylline")?, unit: "mg/L".parse()? })],
//!     covariates: vec![("WT".to_owned(), twin_core::CovariateName::WEIGHT, "kg".parse()?)],
//!     left_out: Vec::new(),
//! };
//! let text = "ID,TIME,DV,AMT,EVID,CMT,WT\n1,0,.,320,1,1,79.6\n1,0.25,2.84,.,0,2,79.6\n";
//! let patients = events.parse(text, "theophylline.csv", &Limits::default())?;
//! assert_eq!(patients[0].timeline.entries().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Read are `ID`, `TIME`, `AMT`, `RATE`, `EVID`, `CMT`, `DV`, `MDV`, `II`, `ADDL` and `SS`, whatever their case. Where `EVID` is
//! absent, a row with an amount is a dose. A row with `MDV` of 1 is no observation. `ADDL` doses follow at intervals of `II`.
//! **Refused**: resets (`EVID` of 3 and 4), steady state (`SS`), rates that a model decides (`RATE` below 0), and the codes of other
//! programs, such as 101.

use crate::table::records::{Record, Records};
use crate::{IoError, Limits, Place, file};
use std::path::Path;
use twin_core::{
    Agent, CoreError, CovariateName, CovariateValue, Event, Observable, Observation, Patient, Provenance, Quantity, Recorded, Span,
    SubjectId, Time, Treatment, Unit,
};

/// How a dose into a compartment is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By mouth.
    Oral,
    /// Into the circulation: a bolus without `RATE`, an infusion with it.
    Intravenous,
}

/// What is observed in a compartment.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What it is.
    pub observable: Observable,
    /// In which unit `DV` stands.
    pub unit: Unit,
}

/// What the columns of a table mean, which the table itself does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// The drug.
    pub agent: Agent,
    /// The unit of `AMT`.
    pub dose_unit: Unit,
    /// The unit of `TIME` and `II`, and of the time in `RATE`.
    pub time_unit: Unit,
    /// The compartments that take doses. Without a column `CMT`, the first is meant.
    pub entries: Vec<(u32, Entry)>,
    /// The compartments that are observed. Without a column `CMT`, the first is meant.
    pub seen: Vec<(u32, Seen)>,
    /// Columns that are covariates, with their names and units. A value is recorded where it changes.
    pub covariates: Vec<(String, CovariateName, Unit)>,
    /// Columns that are not read.
    pub left_out: Vec<String>,
}

const COLUMNS: [&str; 11] = ["ID", "TIME", "AMT", "RATE", "EVID", "CMT", "DV", "MDV", "II", "ADDL", "SS"];

impl Events {
    /// Reads a file with commas.
    ///
    /// # Errors
    /// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`Events::parse`].
    pub fn read(&self, path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<Patient>, IoError> {
        let path = path.as_ref();
        self.parse(&file::read(path, limits)?, &path.to_string_lossy(), limits)
    }

    /// Reads the text of a file named `name`: one patient for each `ID`, in the order in which they first appear.
    ///
    /// # Errors
    /// [`IoError::MissingColumns`] without `ID`, `TIME` or `DV`, [`IoError::UnmappedColumns`], [`IoError::RepeatedColumn`],
    /// [`IoError::Syntax`], [`IoError::Limit`]; [`IoError::Invalid`] for a value out of range, times that go back, an amount on an
    /// observation, or a subject whose rows do not stand together; [`IoError::Unsupported`] for what is refused.
    pub fn parse(&self, text: &str, name: &str, limits: &Limits) -> Result<Vec<Patient>, IoError> {
        let path = Path::new(name);
        file::checked_size(text.len(), Some(path), limits)?;
        let mut records = Records::new(text, ',', Some(path), limits);
        let header = records.next_record()?.ok_or_else(|| IoError::Empty { place: Place::of(Some(path)), what: "is no header" })?;
        let columns = self.columns(&header, path)?;
        let source = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
        let mut patients: Vec<Patient> = Vec::new();
        let (mut rows, mut doses) = (0, 0_usize);
        while let Some(record) = records.next_record()? {
            rows += 1;
            let row = Row { record: &record, columns: &columns, path, source: &source };
            if record.fields.len() != header.fields.len() {
                return Err(row.place().syntax(format!(
                    "{} fields, but the header has {}",
                    record.fields.len(),
                    header.fields.len()
                )));
            }
            let id = SubjectId::new(row.text("ID")).map_err(|_| row.invalid("ID", "must be 1 to 128 characters"))?;
            match patients.last() {
                Some(last) if last.id == id => {}
                _ if patients.iter().any(|patient| patient.id == id) => {
                    return Err(row.invalid("ID", "the rows of a subject must stand together"));
                }
                _ => patients.push(Patient::new(id)),
            }
            let Some(patient) = patients.last_mut() else { continue };
            doses += self.row(&row, patient)?;
            if rows > limits.max_records || doses > limits.max_records {
                return Err(row.place().over("rows and doses", limits.max_records, "max_records"));
            }
        }
        Ok(patients)
    }

    /// For each of [`COLUMNS`], and then each covariate, its place in the header.
    fn columns(&self, header: &Record<'_>, path: &Path) -> Result<Vec<Option<usize>>, IoError> {
        let position = |name: &str| header.fields.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
        let covariates = self.covariates.iter().map(|(name, _, _)| name.as_str());
        let named: Vec<&str> = COLUMNS.into_iter().chain(covariates).collect();
        let present = || header.fields.iter().map(|field| field.trim().to_owned());
        let needed = ["ID", "TIME", "DV"].into_iter().chain(named.iter().skip(COLUMNS.len()).copied());
        let missing: Vec<String> = needed.filter(|name| position(name).is_none()).map(str::to_owned).collect();
        if !missing.is_empty() {
            let present = if position("ID").is_some() { present().collect() } else { Vec::new() };
            return Err(IoError::MissingColumns { place: Place::of(Some(path)).line(1), missing, present });
        }
        let known = |name: &String| named.iter().any(|known| known.eq_ignore_ascii_case(name)) || self.left_out.contains(name);
        let columns: Vec<String> = present().filter(|name| !known(name)).collect();
        if !columns.is_empty() {
            return Err(IoError::UnmappedColumns { place: Place::of(Some(path)).line(1), columns });
        }
        for (at, name) in present().enumerate() {
            if present().take(at).any(|other| other.eq_ignore_ascii_case(&name)) {
                return Err(IoError::RepeatedColumn { place: Place::of(Some(path)).line(1).field(&name) });
            }
        }
        Ok(named.into_iter().map(position).collect())
    }

    /// Records what a row says; gives the number of doses.
    fn row(&self, row: &Row<'_>, patient: &mut Patient) -> Result<usize, IoError> {
        let days =
            |field: &str, value: f64| self.time_unit.convert(value, &unit_of_days(row)?).map_err(|error| row.broken(field, &error));
        let time = row.number("TIME")?.ok_or_else(|| row.invalid("TIME", "must be a number"))?;
        let time = Time::from_days(days("TIME", time)?).map_err(|error| row.broken("TIME", &error))?;
        if row.number("SS")?.is_some_and(|steady| steady != 0.0) {
            return Err(row.place().field("SS").unsupported("a steady state", "doses one by one"));
        }
        self.covariates(row, patient, time)?;
        let amount = row.number("AMT")?.unwrap_or(0.0);
        let event = match row.count("EVID")? {
            Some(event) => event,
            None => u32::from(amount > 0.0),
        };
        let compartment = row.count("CMT")?;
        match event {
            0 if amount > 0.0 => Err(row.invalid("AMT", "an observation must not have an amount")),
            0 => {
                if row.count("MDV")?.unwrap_or(0) == 0 {
                    let seen = chosen(&self.seen, compartment)
                        .ok_or_else(|| row.invalid("CMT", "is not among the compartments that are observed"))?;
                    let value =
                        row.number("DV")?.ok_or_else(|| row.invalid("DV", "an observation needs a value, or an MDV of 1"))?;
                    let quantity = Quantity::new(value, seen.unit.clone()).map_err(|error| row.broken("DV", &error))?;
                    let finding = twin_core::Finding::measured(quantity);
                    let observation = Event::Observation(Observation::new(seen.observable.clone(), finding));
                    patient.timeline.record(time, observation, row.provenance(Provenance::measured, "DV"));
                }
                Ok(0)
            }
            1 => {
                let entry = *chosen(&self.entries, compartment)
                    .ok_or_else(|| row.invalid("CMT", "is not among the compartments that take doses"))?;
                let treatment = self.dose(row, entry, amount, &days)?;
                let more = row.count("ADDL")?.unwrap_or(0) as usize;
                let interval = days("II", row.number("II")?.unwrap_or(0.0))?;
                if more > 0 && interval <= 0.0 {
                    return Err(row.invalid("II", "additional doses need an interval above 0"));
                }
                if more > 100_000 {
                    return Err(row.invalid("ADDL", "must be at most 100,000"));
                }
                for index in 0..=more {
                    let at = Time::from_days(time.days() + interval * index as f64).map_err(|error| row.broken("ADDL", &error))?;
                    patient.timeline.record(at, Event::Treatment(treatment.clone()), row.provenance(Provenance::reported, "AMT"));
                }
                Ok(more + 1)
            }
            2 => Ok(0),
            _ => {
                Err(row.place().field("EVID").unsupported("this kind of event", "0 (observation), 1 (dose), 2 (covariates alone)"))
            }
        }
    }

    fn dose(
        &self,
        row: &Row<'_>,
        entry: Entry,
        amount: f64,
        days: &impl Fn(&str, f64) -> Result<f64, IoError>,
    ) -> Result<Treatment, IoError> {
        let rate = row.number("RATE")?.unwrap_or(0.0);
        if rate < 0.0 {
            return Err(row.place().field("RATE").unsupported("a rate that a model decides", "rates above 0"));
        }
        let broken = |error: CoreError| row.broken("AMT", &error);
        let dose = Quantity::new(amount, self.dose_unit.clone()).map_err(broken)?;
        let agent = self.agent.clone();
        match (entry, rate > 0.0) {
            (Entry::Oral, false) => Treatment::oral(agent, dose),
            (Entry::Oral, true) => return Err(row.invalid("RATE", "a dose by mouth has no rate")),
            (Entry::Intravenous, false) => Treatment::bolus(agent, dose),
            (Entry::Intravenous, true) => {
                Span::from_days(days("RATE", amount / rate)?).and_then(|span| Treatment::infusion(agent, dose, span))
            }
        }
        .map_err(broken)
    }

    fn covariates(&self, row: &Row<'_>, patient: &mut Patient, time: Time) -> Result<(), IoError> {
        for (at, (column, name, unit)) in self.covariates.iter().enumerate() {
            let Some(value) = row.number_at(COLUMNS.len() + at, column)? else { continue };
            let quantity = Quantity::new(value, unit.clone()).map_err(|error| row.broken(column, &error))?;
            if patient.covariates.values(name).last().is_some_and(|(last, _)| *last > time) {
                return Err(row.invalid("TIME", "the times of a subject must not go back"));
            }
            if patient.covariates.quantity_at(name, time) != Some(&quantity) {
                let recorded = Recorded::new(CovariateValue::Quantity(quantity), row.provenance(Provenance::measured, column));
                patient.covariates.record(name.clone(), time, recorded);
            }
        }
        Ok(())
    }
}

fn unit_of_days(row: &Row<'_>) -> Result<Unit, IoError> {
    Unit::parse("d").map_err(|error| row.broken("TIME", &error))
}

/// What a compartment means; without a number, the first.
fn chosen<T>(table: &[(u32, T)], compartment: Option<u32>) -> Option<&T> {
    match compartment {
        Some(compartment) => table.iter().find(|(number, _)| *number == compartment),
        None => table.first(),
    }
    .map(|(_, value)| value)
}

/// A row with the places of its columns.
struct Row<'a> {
    record: &'a Record<'a>,
    columns: &'a [Option<usize>],
    path: &'a Path,
    source: &'a str,
}

impl Row<'_> {
    fn place(&self) -> Place {
        Place::of(Some(self.path)).line(self.record.line)
    }

    fn invalid(&self, field: &str, rule: &str) -> IoError {
        self.place().field(field).invalid(rule)
    }

    fn broken(&self, field: &str, error: &CoreError) -> IoError {
        let rule = match error {
            CoreError::OutOfRange { valid, .. } => valid,
            CoreError::Incommensurable { .. } => "the unit of time is not one of time",
            _ => "must be finite",
        };
        self.invalid(field, rule)
    }

    fn provenance(&self, origin: fn(String) -> Provenance, column: &str) -> Provenance {
        origin(self.source.to_owned()).at(format!("line {}, column {column}", self.record.line))
    }

    fn at(&self, index: usize) -> &str {
        self.columns
            .get(index)
            .copied()
            .flatten()
            .and_then(|column| self.record.fields.get(column))
            .map_or("", |field| field.trim())
    }

    fn text(&self, column: &str) -> &str {
        COLUMNS.iter().position(|name| *name == column).map_or("", |index| self.at(index))
    }

    fn number_at(&self, index: usize, name: &str) -> Result<Option<f64>, IoError> {
        match self.at(index) {
            "" | "." => Ok(None),
            text => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Some)
                .ok_or_else(|| self.invalid(name, "must be a finite number, or `.`")),
        }
    }

    fn number(&self, column: &str) -> Result<Option<f64>, IoError> {
        COLUMNS.iter().position(|name| *name == column).map_or(Ok(None), |index| self.number_at(index, column))
    }

    fn count(&self, column: &str) -> Result<Option<u32>, IoError> {
        let Some(number) = self.number(column)? else { return Ok(None) };
        let is_count = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        if is_count { Ok(Some(number as u32)) } else { Err(self.invalid(column, "must be a whole number, 0 or more")) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn events(entry: Entry) -> Events {
        Events {
            agent: Agent::new("drug").unwrap(),
            dose_unit: "mg".parse().unwrap(),
            time_unit: "h".parse().unwrap(),
            entries: vec![(1, entry)],
            seen: vec![(2, Seen { observable: Observable::new("drug").unwrap(), unit: "mg/L".parse().unwrap() })],
            covariates: vec![("WT".to_owned(), CovariateName::WEIGHT, "kg".parse().unwrap())],
            left_out: vec!["X".to_owned()],
        }
    }

    fn parse(entry: Entry, rows: &str) -> Result<Vec<Patient>, IoError> {
        events(entry).parse(&format!("ID,TIME,AMT,RATE,II,ADDL,EVID,CMT,DV,MDV,SS,WT,X\n{rows}"), "d.csv", &Limits::default())
    }

    #[test]
    fn doses_infusions_and_additional_doses() {
        let rows = "1,0,240,20,24,2,1,1,.,1,0,70,a\n1,3,.,.,.,.,0,2,5.5,0,.,70,b\n2,0,.,.,.,.,0,2,.,1,.,60,c\n2,1,.,.,.,.,2,.,.,1,.,61,c\n";
        let patients = parse(Entry::Intravenous, rows).unwrap();
        let given: Vec<_> =
            patients[0].timeline.treatments().into_iter().map(|timed| (timed.time.days(), timed.treatment)).collect();
        let dose =
            Treatment::infusion(Agent::new("drug").unwrap(), Quantity::new(240.0, "mg").unwrap(), Span::from_hours(12.0).unwrap())
                .unwrap();
        assert_eq!(given, [(0.0, dose.clone()), (1.0, dose.clone()), (2.0, dose)]);
        let (time, seen) = patients[0].timeline.observations().next().unwrap();
        assert_eq!((time.days(), seen.finding.quantity().unwrap().value()), (0.125, 5.5));
        assert!(patients[1].timeline.is_empty());
        assert_eq!([0, 1].map(|index: usize| patients[index].covariates.values(&CovariateName::WEIGHT).len()), [1, 2]);
        let bolus = parse(Entry::Intravenous, "1,0,240,0,.,.,1,1,.,1,0,70,a\n").unwrap();
        assert!(matches!(bolus[0].timeline.treatments()[0].treatment, Treatment::Bolus { .. }));
    }

    #[test]
    fn what_is_not_read_is_refused_by_column() {
        for (row, field) in [
            ("1,0,5,.,.,.,3,1,.,1,0,70,a", "EVID"),
            ("1,0,5,.,.,.,101,1,.,1,0,70,a", "EVID"),
            ("1,0,5,-2,.,.,1,1,.,1,0,70,a", "RATE"),
            ("1,0,5,2,.,.,1,1,.,1,0,70,a", "RATE"), // by mouth
            ("1,0,5,.,12,.,1,1,.,1,1,70,a", "SS"),
            ("1,0,5,.,0,3,1,1,.,1,0,70,a", "II"),
            ("1,0,5,.,.,1e9,1,1,.,1,0,70,a", "II"),
            ("1,0,-5,.,.,.,1,1,.,1,0,70,a", "AMT"),
            ("1,0,5,.,.,.,0,2,3,0,0,70,a", "AMT"),
            ("1,0,.,.,.,.,0,2,.,0,0,70,a", "DV"),
            ("1,0,.,.,.,.,0,7,3,0,0,70,a", "CMT"),
            ("1,NaN,.,.,.,.,0,2,3,0,0,70,a", "TIME"),
            ("1,0,.,.,.,.,0.5,2,3,0,0,70,a", "EVID"),
            (",0,.,.,.,.,0,2,3,0,0,70,a", "ID"),
            ("1,5,.,.,.,.,2,.,.,1,0,70,a\n1,4,.,.,.,.,2,.,.,1,0,71,a", "TIME"),
            ("1,5,.,.,.,.,2,.,.,1,0,70,a\n2,4,.,.,.,.,2,.,.,1,0,71,a\n1,6,.,.,.,.,2,.,.,1,0,71,a", "ID"),
        ] {
            let message = parse(Entry::Oral, row).unwrap_err().to_string();
            assert!(message.contains(&format!("field `{field}`")), "{row}: {message}");
        }
        let unknown = events(Entry::Oral).parse("ID,TIME,DV,WT,NAME\n", "d", &Limits::default());
        assert!(matches!(unknown, Err(IoError::UnmappedColumns { .. })));
        assert!(matches!(events(Entry::Oral).parse("ID,TIME\n", "d", &Limits::default()), Err(IoError::MissingColumns { .. })));
        assert!(matches!(
            events(Entry::Oral).parse("ID,TIME,DV,WT,wt\n", "d", &Limits::default()),
            Err(IoError::RepeatedColumn { .. })
        ));
    }
}
