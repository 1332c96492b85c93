//! From the fields of a row to findings, statuses and doses.

use super::records::Record;
use super::{DoseColumn, ObservableColumn, Table, TherapyColumn};
use crate::{IoError, Place};
use std::collections::HashSet;
use twin_core::{Finding, Quantity, SubjectId, Time, Unit};

/// What one row states, by column of the mapping.
pub(super) struct Row<'a> {
    pub(super) line: usize,
    pub(super) time: Time,
    pub(super) findings: Vec<(&'a ObservableColumn, Finding)>,
    pub(super) statuses: Vec<(&'a TherapyColumn, bool)>,
    pub(super) doses: Vec<(&'a DoseColumn, Quantity)>,
}

/// Where in a row the columns of the mapping stand.
pub(super) struct Columns<'a> {
    table: &'a Table<'a>,
    day: Unit,
    width: usize,
    subject: usize,
    time: usize,
    observables: Vec<(usize, &'a ObservableColumn)>,
    therapies: Vec<(usize, &'a TherapyColumn)>,
    doses: Vec<(usize, &'a DoseColumn)>,
}

impl<'a> Columns<'a> {
    /// Finds the columns of the mapping in the header, and nothing else there.
    pub(super) fn resolve(table: &'a Table<'a>, header: &Record<'_>) -> Result<Self, IoError> {
        let mapping = table.mapping;
        let at = |name: &str| header.position(name).ok_or_else(|| missing(table, header));
        let columns = Self {
            table,
            day: Unit::parse("d").map_err(|error| IoError::Mapping { place: Place::default(), rule: error.to_string() })?,
            width: header.fields.len(),
            subject: at(&mapping.subject)?,
            time: at(&mapping.time.column)?,
            observables: mapping.observables.iter().map(|c| Ok((at(&c.column)?, c))).collect::<Result<_, IoError>>()?,
            therapies: mapping.therapies.iter().map(|c| Ok((at(&c.column)?, c))).collect::<Result<_, IoError>>()?,
            doses: mapping.doses.iter().map(|c| Ok((at(&c.column)?, c))).collect::<Result<_, IoError>>()?,
        };
        no_others(table, header)?;
        Ok(columns)
    }

    /// What a row states, and of whom.
    pub(super) fn row(&self, record: &Record<'_>) -> Result<(SubjectId, Row<'a>), IoError> {
        let mapping = self.table.mapping;
        let place = || Place::of(self.table.file).line(record.line);
        if record.fields.len() != self.width {
            let rule = format!("{} fields, but the header has {}", record.fields.len(), self.width);
            return Err(IoError::Syntax { place: place(), rule });
        }
        let at = |column: &str| {
            let place = place().field(column);
            |rule| IoError::Invalid { place, rule }
        };
        let stated = |index: usize| {
            let field = record.fields.get(index)?;
            if mapping.missing.iter().any(|missing| missing == field.trim()) { None } else { Some(field.as_ref()) }
        };
        let subject = subject(stated(self.subject)).map_err(at(&mapping.subject))?;
        let time = self.time(stated(self.time)).map_err(at(&mapping.time.column))?;
        let mut row = Row { line: record.line, time, findings: Vec::new(), statuses: Vec::new(), doses: Vec::new() };
        for (index, column) in &self.observables {
            if let Some(field) = stated(*index) {
                row.findings.push((*column, finding(field.trim(), column).map_err(at(&column.column))?));
            }
        }
        for (index, column) in &self.therapies {
            if let Some(field) = stated(*index) {
                row.statuses.push((*column, status(field.trim(), column).map_err(at(&column.column))?));
            }
        }
        for (index, column) in &self.doses {
            if let Some(field) = stated(*index) {
                row.doses.push((*column, dose(field.trim(), column).map_err(at(&column.column))?));
            }
        }
        Ok((subject, row))
    }

    fn time(&self, field: Option<&str>) -> Result<Time, String> {
        let number = number(field.ok_or("a row without a time")?.trim(), true)?;
        let days = self.table.mapping.time.unit.convert(number, &self.day);
        days.and_then(Time::from_days).map_err(|_| "must lie within 1e9 days of the origin".to_owned())
    }
}

/// Refuses a column twice, and one that the mapping says nothing of.
fn no_others(table: &Table<'_>, header: &Record<'_>) -> Result<(), IoError> {
    let place = Place::of(table.file).line(header.line);
    let mut seen = HashSet::new();
    if let Some(twice) = header.fields.iter().map(AsRef::as_ref).find(|field: &&str| !seen.insert(*field)) {
        return Err(IoError::RepeatedColumn { place: place.field(twice) });
    }
    let named: HashSet<&str> = table.mapping.named().collect();
    let others = header.fields.iter().filter(|field| !named.contains(field.as_ref()));
    let columns: Vec<String> = others.map(|field| field.to_string()).collect();
    if columns.is_empty() { Ok(()) } else { Err(IoError::UnmappedColumns { place, columns }) }
}

/// The error for a header that lacks columns of the mapping.
fn missing(table: &Table<'_>, header: &Record<'_>) -> IoError {
    let missing = table.mapping.columns().filter(|name| header.position(name).is_none()).map(str::to_owned).collect();
    // Without one known column the first line may be data, which is not to be quoted.
    let known = table.mapping.named().any(|name| header.position(name).is_some());
    let present = header.fields.iter().filter(|_| known).map(|field| field.to_string()).collect();
    IoError::MissingColumns { place: Place::of(table.file).line(header.line), missing, present }
}

fn subject(field: Option<&str>) -> Result<SubjectId, String> {
    let field = field.ok_or("a row without a subject")?;
    if field.trim() != field {
        return Err("a subject's id with space around it".to_owned());
    }
    SubjectId::new(field).map_err(|_| "a subject's id must have 1 to 128 characters, none a control character".to_owned())
}

/// A finite number, not negative unless `signed`. What is refused is not quoted: it may be a name in the wrong column.
fn number(field: &str, signed: bool) -> Result<f64, String> {
    let number: f64 = field.parse().map_err(|_| "must be a number, with a decimal point if any")?;
    if !number.is_finite() {
        return Err("must be a finite number".to_owned());
    }
    if number < 0.0 && !signed {
        return Err("must not be negative (unless the mapping says `signed = true`)".to_owned());
    }
    Ok(number + 0.0) // turns -0.0 into 0.0
}

fn finding(field: &str, column: &ObservableColumn) -> Result<Finding, String> {
    let quantity = |field: &str| quantity(number(field.trim(), column.signed)?, &column.unit);
    let (censored, limit): (fn(Quantity) -> Finding, _) = match (field.strip_prefix('<'), field.strip_prefix('>')) {
        (Some(limit), _) => (Finding::Below, limit),
        (_, Some(limit)) => (Finding::Above, limit),
        (None, None) => {
            let measured = quantity(field)?;
            return Ok(match column.lower_limit {
                Some(limit) if measured.value() < limit => Finding::Below(self::quantity(limit, &column.unit)?),
                _ => Finding::measured(measured),
            });
        }
    };
    if !column.censored {
        return Err("`<` or `>` before a number (which the mapping allows by `censored = true`)".to_owned());
    }
    Ok(censored(quantity(limit)?))
}

fn status(field: &str, column: &TherapyColumn) -> Result<bool, String> {
    let among = |texts: &[String]| texts.iter().any(|text| text == field);
    match (among(&column.on), among(&column.off)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(format!("must be one of {:?} (on) or {:?} (off)", column.on, column.off)),
    }
}

fn dose(field: &str, column: &DoseColumn) -> Result<Quantity, String> {
    quantity(number(field, false)?, &column.unit)
}

fn quantity(value: f64, unit: &Unit) -> Result<Quantity, String> {
    Quantity::new(value, unit.clone()).map_err(|_| "must be a finite number".to_owned())
}
