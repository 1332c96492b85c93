//! Tables of the OMOP common data model (version 5.4, with its oncology extension), from CSV or Parquet, in and out.
//!
//! ```
//! use twin_core::{Observable, SubjectId};
//! use twin_io::omop::{Concepts, Tables};
//! use twin_io::{Date, Limits, dataframe::DataFrame, fhir::Identity};
//! let limits = Limits::default();
//! let table = |name, text| DataFrame::parse_csv(text, name, ',', &limits);
//! let concepts = Concepts::of(&table(
//!     "concept",
//!     "concept_id,concept_name,vocabulary_id,concept_code\n3013603,PSA,LOINC,2857-1\n8842,nanogram per milliliter,UCUM,ng/mL\n",
//! )?)?;
//! let measured = "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n\
//!     1,7,3013603,2024-03-15,4.2,8842\n";
//! let tables = Tables::new([("person", table("person", "person_id\n7\n")?), ("measurement", table("measurement", measured)?)])?;
//! let identity = Identity { subject: SubjectId::new("S1")?, origin: Date::parse("2024-03-01")? };
//! let record = tables.patient(7, &identity, &concepts, &limits)?;
//! let (time, _) = record.patient.timeline.observations_of(&Observable::PSA).next().ok_or("no PSA")?;
//! assert_eq!((time.days(), record.left_out.len()), (14.0, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A concept is a number; what it means is said by a table of [`Concepts`] that the caller gives, in the columns of OMOP's own CONCEPT
//! table, of which no part is shipped. What has no concept there, or one that is not read, is listed in [`Record::left_out`] with
//! the reason, and so is each column and each table that is not carried over; what is carried over but wrong is an error that
//! names table, row and column, and no value.
//!
//! | table | concept | becomes |
//! |---|---|---|
//! | person | `Gender` | sex; age at the origin where the day of birth is known |
//! | condition_occurrence | `ICDO3`, such as `8140/3-C61.9` | diagnosis |
//! | measurement that modifies a condition | `Cancer Modifier`, such as `c-8th_AJCC/UICC-T2a` | stage of that diagnosis |
//! | measurement | `LOINC` of [`OBSERVABLES`](crate::fhir::OBSERVABLES), height, weight; `twin` | observation; covariate |
//! | drug_exposure | any; the agent is the name of the concept | dose by mouth or into a vein; else continuous therapy over the union of the exposures |
//! | procedure_occurrence with a measurement of `twin` `fraction dose` or `surgery extent` | any; the target is the name of the modifier's concept | fraction of radiotherapy; surgery |
//! | observation_period, death | | [`Record::observed`], [`Record::died`] |
//! | episode, episode_event | any | [`Record::episodes`] |
//!
//! Concepts of a site's own are read too: rows of vocabulary `twin`, whose code is the name of an observable, or
//! `covariate NAME`, `fraction dose`, `surgery extent`. Units are UCUM, by `unit_concept_id` or else by `unit_source_value`.

mod columns;
mod concepts;
mod read;
mod row;
mod write;

pub use concepts::{Concept, Concepts};

use crate::dataframe::DataFrame;
use crate::fhir::{Identity, LeftOut};
use crate::{IoError, Limits, Place, parquet};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use twin_core::{Patient, Time};

/// The tables that are read.
const TABLES: [&str; 9] = [
    "person",
    "observation_period",
    "death",
    "condition_occurrence",
    "measurement",
    "drug_exposure",
    "procedure_occurrence",
    "episode",
    "episode_event",
];

/// The tables of a database, or of a part of it, by their names in lower case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    tables: BTreeMap<String, DataFrame>,
}

/// What the tables hold of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The patient.
    pub patient: Patient,
    /// The periods of observation: from the beginning of the first day to the end of the last.
    pub observed: Vec<(Time, Time)>,
    /// The day of death.
    pub died: Option<Time>,
    /// Episodes of the disease and of its treatment, in the order of the table.
    pub episodes: Vec<Episode>,
    /// What was not carried over: a row, as `measurement row 3`, a column, as `measurement.provider_id`, or a table.
    pub left_out: Vec<LeftOut>,
}

/// An episode: a phase of the disease, a regimen, a cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Its number in the table.
    pub id: i64,
    /// What it is, in the words of its concept: `Disease Recurrence`, `Treatment Regimen`.
    pub kind: String,
    /// What it is of: the concept of the condition, the regimen.
    pub object: Option<String>,
    /// Its beginning.
    pub start: Time,
    /// Its end.
    pub end: Option<Time>,
    /// The episode that it is a part of; never one of its own parts.
    pub parent: Option<i64>,
    /// Its place among its siblings.
    pub number: Option<i64>,
    /// What belongs to it: table and number of the row, the number being that of the table's own key.
    pub events: Vec<(String, i64)>,
}

/// Tables of one patient, and what they cannot hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The tables.
    pub tables: Tables,
    /// What is not in them: by its place in the patient, with the reason.
    pub left_out: Vec<LeftOut>,
}

impl Tables {
    /// Tables by their names, which may be in any case.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for a name that is there twice.
    pub fn new<N: AsRef<str>>(tables: impl IntoIterator<Item = (N, DataFrame)>) -> Result<Self, IoError> {
        let mut named = BTreeMap::new();
        for (name, frame) in tables {
            let name = name.as_ref().to_lowercase();
            if named.insert(name.clone(), frame).is_some() {
                return Err(Place::default().field(&name).invalid("the table is there twice"));
            }
        }
        Ok(Self { tables: named })
    }

    /// Reads the tables in a folder: `measurement.csv` or `measurement.parquet`, names in any case; files of other kinds are passed over.
    ///
    /// # Errors
    /// [`IoError::Read`], [`IoError::Limit`], [`IoError::Invalid`] for a table that is there twice, and as
    /// [`DataFrame::read_csv`] and [`parquet::read`].
    pub fn read(folder: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        let folder = folder.as_ref();
        let failed = |source| IoError::Read { file: folder.to_owned(), source };
        let mut paths = BTreeSet::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            paths.insert(entry.map_err(failed)?.path());
            if paths.len() > limits.max_frames {
                return Err(Place::of(Some(folder)).over("files", limits.max_frames, "max_frames"));
            }
        }
        let mut tables = Vec::new();
        for path in &paths {
            let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("csv") => tables.push((name, DataFrame::read_csv(path, ',', limits)?)),
                Some("parquet") => tables.push((name, parquet::read(path, limits)?)),
                _ => {}
            }
        }
        Self::new(tables)
    }

    /// The table of a name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&DataFrame> {
        self.tables.get(name)
    }

    /// The names of the tables, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// The numbers of the persons, in the order of the table.
    ///
    /// # Errors
    /// [`IoError::MissingColumns`] without the table or its key, [`IoError::Invalid`] for a key that is missing or no whole number.
    pub fn persons(&self) -> Result<Vec<i64>, IoError> {
        row::rows(self, "person")?.iter().map(|row| row.needed("person_id")).collect()
    }

    /// What the tables hold of `person`, as the subject and with the origin of `identity`.
    ///
    /// # Errors
    /// [`IoError::Empty`] if there is no such person; [`IoError::MissingColumns`]; [`IoError::Invalid`] with table, row and column for
    /// a number that is none, a date that the calendar does not have, a unit that is not UCUM or not of what is measured, an end
    /// before its start, a key that is there twice, or episodes that are parts of themselves; [`IoError::Limit`].
    pub fn patient(&self, person: i64, identity: &Identity, concepts: &Concepts, limits: &Limits) -> Result<Record, IoError> {
        read::record(self, person, identity, concepts, limits)
    }

    /// The tables of one patient, as `person`, its dates counted from `identity.origin`.
    ///
    /// Only what can be read back is written; the rest is listed. A diagnosis has no day of its own and is written at the origin.
    ///
    /// # Errors
    /// [`IoError::Unwritable`] for times outside the years 1800 to 2200.
    pub fn of_patient(patient: &Patient, person: i64, identity: &Identity, concepts: &Concepts) -> Result<Written, IoError> {
        write::tables(patient, person, identity, concepts)
    }
}

#[cfg(test)]
mod tests;
