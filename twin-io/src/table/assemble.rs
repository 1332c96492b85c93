//! From the rows of a subject to a patient.

use super::mapping::Route;
use super::{Subject, Table};
use crate::{IoError, Place};
use std::collections::HashMap;
use twin_core::{CoreError, Entry, Event, Observation, Patient, Provenance, Quantity, Time, Timeline, Treatment};

/// What a column said last, and where.
struct Last {
    time: Time,
    line: usize,
    on: bool,
}

/// Collects the entries of one subject, row by row in the order of time.
struct Assembly<'a> {
    table: &'a Table<'a>,
    entries: Vec<Entry>,
    last: HashMap<&'a str, Last>,
}

/// The patient that the rows of `subject` describe.
pub(super) fn patient<'a>(mut subject: Subject<'a>, table: &'a Table<'a>) -> Result<Patient, IoError> {
    let first = subject.rows.first().map_or(1, |row| row.line);
    subject.rows.sort_by_key(|row| row.time); // a stable sort
    let (rows, mut observed) = (subject.rows.len(), false);
    let mut assembly = Assembly { table, entries: Vec::new(), last: HashMap::new() };
    for row in subject.rows {
        for (column, finding) in row.findings {
            assembly.once(&column.column, row.time, row.line)?;
            let event = Event::Observation(Observation::new(column.observable.clone(), finding));
            assembly.record(row.time, event, Provenance::measured(table.source), row.line, &column.column);
            observed = true;
        }
        for (column, on) in row.statuses {
            if assembly.changes(&column.column, row.time, row.line, on)? {
                let agent = column.agent.clone();
                let event = Event::Treatment(if on { Treatment::on(agent) } else { Treatment::off(agent) });
                assembly.record(row.time, event, Provenance::reported(table.source), row.line, &column.column);
            }
        }
        for (column, dose) in row.doses {
            assembly.once(&column.column, row.time, row.line)?;
            let given = given(column.agent.clone(), dose, column.route).map_err(|error| IoError::Invalid {
                place: Place::of(table.file).line(row.line).field(&column.column),
                rule: error.to_string(),
            })?;
            assembly.record(row.time, Event::Treatment(given), Provenance::reported(table.source), row.line, &column.column);
        }
    }
    if !observed {
        return Err(IoError::NoObservation { place: Place::of(table.file).line(first), rows });
    }
    Ok(Patient { timeline: Timeline::from(assembly.entries), ..Patient::new(subject.id) })
}

impl<'a> Assembly<'a> {
    fn record(&mut self, time: Time, event: Event, provenance: Provenance, line: usize, column: &str) {
        let provenance = provenance.at(format!("line {line}, column {column}"));
        self.entries.push(Entry { time, event, provenance });
    }

    /// What the column said before, replaced by what it says now. Rows come in the order of time.
    fn said(&mut self, column: &'a str, now: Last) -> Option<Last> {
        self.last.insert(column, now)
    }

    /// Refuses a column that already said something at this time.
    fn once(&mut self, column: &'a str, time: Time, line: usize) -> Result<(), IoError> {
        match self.said(column, Last { time, line, on: true }) {
            Some(last) if last.time == time => {
                let place = Place::of(self.table.file).line(line).field(column);
                Err(IoError::DuplicateVisit { place, first: last.line })
            }
            _ => Ok(()),
        }
    }

    /// Whether a status differs from the one before it, or is the first.
    fn changes(&mut self, column: &'a str, time: Time, line: usize, on: bool) -> Result<bool, IoError> {
        match self.said(column, Last { time, line, on }) {
            Some(last) if last.time == time && last.on != on => {
                let place = Place::of(self.table.file).line(line).field(column);
                Err(IoError::ContradictoryStatus { place, first: last.line })
            }
            Some(last) => Ok(last.on != on),
            None => Ok(true),
        }
    }
}

fn given(agent: twin_core::Agent, dose: Quantity, route: Route) -> Result<Treatment, CoreError> {
    match route {
        Route::Bolus => Treatment::bolus(agent, dose),
        Route::Oral => Treatment::oral(agent, dose),
        Route::Infusion { duration } => Treatment::infusion(agent, dose, duration),
    }
}
