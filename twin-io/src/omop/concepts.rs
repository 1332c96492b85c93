//! What the numbers of concepts mean, by a table of the caller's.

use crate::dataframe::DataFrame;
use crate::{IoError, Limits, Place};
use std::collections::HashMap;
use std::path::Path;

/// A concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// The vocabulary it is of: `LOINC`, `UCUM`, `ICDO3`.
    pub vocabulary: String,
    /// Its code there.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// Concepts by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Concepts {
    concepts: HashMap<i64, Concept>,
    /// The smallest number of each vocabulary and code.
    numbers: HashMap<(String, String), i64>,
}

impl Concepts {
    /// Concepts out of a table with the columns `concept_id`, `concept_name`, `vocabulary_id` and `concept_code`; others do not matter.
    ///
    /// # Errors
    /// [`IoError::MissingColumns`]; [`IoError::Invalid`] for a row without one of them, or a number that is none or is there twice.
    pub fn of(table: &DataFrame) -> Result<Self, IoError> {
        const COLUMNS: [&str; 4] = ["concept_id", "concept_name", "vocabulary_id", "concept_code"];
        let columns: Vec<_> = COLUMNS.iter().filter_map(|name| table.column(name)).collect();
        let [ids, names, vocabularies, codes] = columns[..] else {
            let missing = COLUMNS.iter().filter(|name| table.column(name).is_none()).map(|name| (*name).to_owned()).collect();
            let present = table.columns().iter().map(|column| column.name.clone()).collect();
            return Err(IoError::MissingColumns { place: Place::of(Some(Path::new("concept"))), missing, present });
        };
        let mut all = Self::default();
        for row in 0..table.rows() {
            let wrong = |field: &str, rule: &str| {
                Place::of(Some(Path::new("concept"))).field(&format!("row {}, {field}", row + 1)).invalid(rule)
            };
            let id = ids.values.text(row).and_then(|text| text.trim().parse::<i64>().ok());
            let id = id.ok_or_else(|| wrong("concept_id", "must be a whole number"))?;
            let text = |column: &crate::dataframe::Column| {
                column.values.text(row).filter(|text| !text.is_empty()).ok_or_else(|| wrong(&column.name, "must not be empty"))
            };
            let concept = Concept { vocabulary: text(vocabularies)?, code: text(codes)?, name: text(names)? };
            let number = all.numbers.entry((concept.vocabulary.clone(), concept.code.clone())).or_insert(id);
            *number = id.min(*number);
            if all.concepts.insert(id, concept).is_some() {
                return Err(wrong("concept_id", "the concept is there twice"));
            }
        }
        Ok(all)
    }

    /// Reads concepts from a file of a vocabulary download: fields parted by tabs.
    ///
    /// # Errors
    /// As [`DataFrame::read_csv`] and [`Concepts::of`].
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&DataFrame::read_csv(path, '\t', limits)?)
    }

    /// The concept of a number.
    #[must_use]
    pub fn concept(&self, id: i64) -> Option<&Concept> {
        self.concepts.get(&id)
    }

    /// The number of a code in a vocabulary; the smallest of several.
    #[must_use]
    pub fn number(&self, vocabulary: &str, code: &str) -> Option<i64> {
        self.numbers.get(&(vocabulary.to_owned(), code.to_owned())).copied()
    }

    /// The smallest number of the concepts for which `is` holds.
    pub(super) fn find(&self, is: impl Fn(&Concept) -> bool) -> Option<i64> {
        self.concepts.iter().filter(|(_, concept)| is(concept)).map(|(id, _)| *id).min()
    }
}
