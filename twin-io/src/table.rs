//! Patients from a CSV table through a column [`Mapping`].
//!
//! One row is what was seen and done at one visit of one subject. The mapping says which column is the subject, which the time,
//! which columns are observables, statuses of a therapy and doses, and which are left out; a column that it does not mention is an
//! error, and so is one that it mentions and the table does not have.
//!
//! ```
//! use twin_io::{Limits, table::{self, Mapping}};
//! let mapping = Mapping::from_toml(r#"
//!     subject = "id"
//!     time = { column = "week", unit = "wk" }
//!     observables = [{ column = "PSA", observable = "psa", unit = "ug/L", censored = true }]
//!     therapies = [{ column = "drug", agent = "enzalutamide", on = ["on"], off = ["off"] }]
//!     left_out = ["comment"]
//! "#)?;
//! let text = "id,week,PSA,drug,comment\nA,0,12.5,off,\nA,4,3.1,on,\nA,8,<0.1,on,\n";
//! let patients = table::parse_table(text, "clinic.csv", &mapping, &Limits::default())?;
//! assert_eq!(patients[0].timeline.observations().count(), 3);
//! assert_eq!(patients[0].timeline.treatments().len(), 2); // off at week 0, on at week 4
//! assert_eq!(patients[0].timeline.entries()[0].provenance.place.as_deref(), Some("line 2, column PSA"));
//! # Ok::<(), twin_io::IoError>(())
//! ```
//!
//! # How a table is read
//!
//! * CSV as in RFC 4180: a header line; fields in double quotes may hold the delimiter, line ends and doubled quotes. Lines end in LF
//!   or CRLF. A UTF-8 byte-order mark at the start, as spreadsheets write it, is passed over, and so are blank lines. A quote that
//!   is not closed, text after a closing quote and a row with more or fewer fields than the header are errors.
//! * Rows may stand in any order; those of one subject are sorted by time, rows of the same time staying in order. Patients come in
//!   the order of their first rows. A subject's id is text: `001` is not `1`.
//! * Spaces around a number or a status do not count. Numbers have a decimal point; NaN and infinity are refused, and so is a number
//!   below zero unless the column is `signed`. A field that is one of the `missing` texts (by default the empty one) states nothing;
//!   the row's other fields still count.
//! * A status holds from its row until the next. The first status of a subject makes an entry, whether on or off, and after it each
//!   change makes one; a missing status leaves things as they are. Rows of the same time must agree.
//! * One observable or dose column stated twice for the same subject and time is an error, for a reader cannot tell a second
//!   measurement from a row that was copied.

mod assemble;
mod columns;
mod mapping;
pub(crate) mod records;

pub use mapping::{DoseColumn, Mapping, ObservableColumn, Route, TherapyColumn, TimeColumn};

use crate::{IoError, Limits, Place, file};
use columns::{Columns, Row};
use records::Records;
use std::collections::HashMap;
use std::path::Path;
use twin_core::{Patient, SubjectId};

/// Reads the patients of a table, in the order of their first rows.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`]; [`IoError::Mapping`] for a mapping that contradicts itself;
/// [`IoError::Empty`] for a table without rows; [`IoError::Syntax`] for one that is not CSV; [`IoError::MissingColumns`],
/// [`IoError::UnmappedColumns`] and [`IoError::RepeatedColumn`] for one that the mapping does not fit; [`IoError::Invalid`] for a
/// field that breaks a rule; [`IoError::DuplicateVisit`], [`IoError::ContradictoryStatus`], [`IoError::NoObservation`].
pub fn read_table(path: impl AsRef<Path>, mapping: &Mapping, limits: &Limits) -> Result<Vec<Patient>, IoError> {
    let path = path.as_ref();
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    patients(&Table { text: &file::read(path, limits)?, file: Some(path), source: &name, mapping, limits })
}

/// The patients of a table that is at hand as text; `source` is what the provenance names.
///
/// # Errors
/// As [`read_table`], but for reading.
pub fn parse_table(text: &str, source: &str, mapping: &Mapping, limits: &Limits) -> Result<Vec<Patient>, IoError> {
    let file = Some(Path::new(source));
    file::checked_size(text.len(), file, limits)?;
    patients(&Table { text, file, source, mapping, limits })
}

/// Reads one patient of a table. The whole table must be valid.
///
/// # Errors
/// As [`read_table`], and [`IoError::UnknownSubject`] if there is no such patient.
pub fn read_patient_from_table(path: impl AsRef<Path>, mapping: &Mapping, id: &str, limits: &Limits) -> Result<Patient, IoError> {
    let path = path.as_ref();
    let mut patients = read_table(path, mapping, limits)?;
    match patients.iter().position(|patient| patient.id.as_str() == id) {
        Some(index) => Ok(patients.swap_remove(index)),
        None => {
            let nearest = nearest(patients.iter().map(|patient| &patient.id), id);
            Err(IoError::UnknownSubject { place: Place::of(Some(path)), subjects: patients.len(), nearest })
        }
    }
}

/// Reads the names of a table's columns, for [`Mapping::detect`].
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], [`IoError::Syntax`], and [`IoError::Empty`] for an empty file.
pub fn read_header(path: impl AsRef<Path>, delimiter: char, limits: &Limits) -> Result<Vec<String>, IoError> {
    let path = path.as_ref();
    let text = file::read(path, limits)?;
    let header = Records::new(&text, delimiter, Some(path), limits).next_record()?;
    let header = header.ok_or_else(|| empty(Some(path)))?;
    Ok(header.fields.into_iter().map(String::from).collect())
}

/// A table to read, and how.
struct Table<'a> {
    text: &'a str,
    file: Option<&'a Path>,
    source: &'a str,
    mapping: &'a Mapping,
    limits: &'a Limits,
}

/// The rows of one subject.
struct Subject<'a> {
    id: SubjectId,
    rows: Vec<Row<'a>>,
}

fn empty(file: Option<&Path>) -> IoError {
    IoError::Empty { place: Place::of(file), what: "are no rows in it" }
}

fn patients(table: &Table<'_>) -> Result<Vec<Patient>, IoError> {
    table.mapping.check().map_err(|rule| IoError::Mapping { place: Place::default(), rule })?;
    let subjects = subjects(table)?;
    if subjects.is_empty() {
        return Err(empty(table.file));
    }
    subjects.into_iter().map(|subject| assemble::patient(subject, table)).collect()
}

fn subjects<'a>(table: &'a Table<'a>) -> Result<Vec<Subject<'a>>, IoError> {
    let mut records = Records::new(table.text, table.mapping.delimiter, table.file, table.limits);
    let header = records.next_record()?.ok_or_else(|| empty(table.file))?;
    let columns = Columns::resolve(table, &header)?;
    let mut subjects: Vec<Subject<'a>> = Vec::new();
    let mut places = HashMap::new();
    let mut count = 0;
    while let Some(record) = records.next_record()? {
        count += 1;
        if count > table.limits.max_records {
            let place = Place::of(table.file).line(record.line);
            return Err(IoError::Limit { place, what: "rows", limit: table.limits.max_records, raise: "max_records" });
        }
        let (id, row) = columns.row(&record)?;
        let place = *places.entry(id.clone()).or_insert(subjects.len());
        match subjects.get_mut(place) {
            Some(subject) => subject.rows.push(row),
            None => subjects.push(Subject { id, rows: vec![row] }),
        }
    }
    Ok(subjects)
}

/// The five ids that are the fewest edits away from `id`.
fn nearest<'a>(ids: impl Iterator<Item = &'a SubjectId>, id: &str) -> Vec<SubjectId> {
    let asked: Vec<char> = id.chars().take(128).collect(); // as long as an id may be
    let mut ranked: Vec<_> = ids.map(|id| (edits(&asked, id.as_str()), id)).collect();
    ranked.sort();
    ranked.into_iter().take(5).map(|(_, id)| id.clone()).collect()
}

/// The number of characters to insert, delete or replace to get from one to the other (Levenshtein).
fn edits(from: &[char], to: &str) -> usize {
    let mut costs: Vec<usize> = (0..=from.len()).collect();
    for (row, target) in to.chars().enumerate() {
        let (mut diagonal, mut left) = (row, row + 1);
        let mut next = vec![left];
        for (character, above) in from.iter().zip(costs.iter().skip(1)) {
            left = (diagonal + usize::from(*character != target)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        costs = next;
    }
    costs.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
