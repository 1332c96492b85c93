//! The outcomes of the last run of each row, as they are kept beside the book, so that its pages say what was measured.

use super::{Claim, Outcome, Verdict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a row came out when it was last recorded.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recorded {
    /// The row.
    pub id: String,
    /// The number it was held to.
    pub expected: f64,
    /// By how much ours was allowed to differ.
    pub tolerance: f64,
    /// How it came out.
    pub outcome: Outcome,
    /// Ours, to 7 digits.
    pub ours: Option<f64>,
    /// How far ours lay from the number, as a share of the tolerance, to 2 digits; 0 where they are the same.
    pub distance: Option<f64>,
}

/// The recorded outcomes by row.
pub type Record = BTreeMap<String, Recorded>;

/// The folder of the book's sources.
#[must_use]
pub fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

fn path() -> PathBuf {
    book().join("validation/verdicts.jsonl")
}

/// Reads the record; empty where there is none.
///
/// # Errors
/// In words, if a line is not a recorded outcome.
pub fn read() -> Result<Record, String> {
    let Ok(text) = std::fs::read_to_string(path()) else { return Ok(Record::new()) };
    let read = |line: &str| serde_json::from_str::<Recorded>(line).map_err(|error| format!("{}: {error}", path().display()));
    text.lines().map(|line| read(line).map(|recorded| (recorded.id.clone(), recorded))).collect()
}

/// The record with `verdicts` in place of what it held of their rows, without rows that no claim bears any more. What could not run for
/// want of data does not take the place of what once ran.
#[must_use]
pub fn updated(mut record: Record, claims: &[Claim], verdicts: &[Verdict]) -> Record {
    for verdict in verdicts {
        if verdict.verdict == Outcome::Open && record.contains_key(&verdict.id) {
            continue;
        }
        let recorded = Recorded {
            id: verdict.id.clone(),
            expected: verdict.expected,
            tolerance: verdict.tolerance,
            outcome: verdict.verdict,
            ours: verdict.ours.map(|ours| rounded(ours, 7)),
            distance: verdict.ours.map(|ours| distance(ours - verdict.expected, verdict.tolerance)),
        };
        record.insert(verdict.id.clone(), recorded);
    }
    let known: BTreeMap<_, _> = claims.iter().map(|claim| (claim.id.as_str(), claim)).collect();
    record.retain(|id, _| known.contains_key(id.as_str()));
    record
}

/// What was recorded of `claim`, if it was held to the same number then.
#[must_use]
pub fn of<'a>(record: &'a Record, claim: &Claim) -> Option<&'a Recorded> {
    let same = |recorded: &&Recorded| {
        recorded.expected.to_bits() == claim.expected.to_bits() && recorded.tolerance.to_bits() == claim.tolerance.to_bits()
    };
    record.get(&claim.id).filter(same)
}

/// Writes the record and the pages of the book that are made from it.
///
/// # Errors
/// In words, if a file cannot be written.
pub fn write(record: &Record, claims: &[Claim]) -> Result<(), String> {
    let lines: Result<Vec<_>, _> = record.values().map(serde_json::to_string).collect();
    let text = lines.map_err(super::words)?.join("\n") + "\n";
    let folder = book().join("validation");
    std::fs::create_dir_all(folder).map_err(super::words)?;
    std::fs::write(path(), text).map_err(super::words)?;
    for (page, text) in super::table::pages(claims, record)? {
        std::fs::write(book().join(page), text).map_err(|error| format!("{page}: {error}"))?;
    }
    Ok(())
}

fn distance(difference: f64, tolerance: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { rounded(difference.abs() / tolerance, 2) }
}

fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}
