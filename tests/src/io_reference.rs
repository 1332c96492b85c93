//! What `twin-io` reads, held against the values that pydicom, nibabel, highdicom and others computed from the same files.

pub mod dicom;
pub mod genomics;
pub mod nifti;

use serde_json::Value;
use std::path::Path;

/// How many reference values there are, and which of them ours do not reproduce, with the reason.
#[derive(Debug, Default)]
pub struct Tally {
    /// Values that were held against ours.
    pub expected: usize,
    /// Values that ours do not reproduce: which, and why.
    pub missed: Vec<String>,
    /// Files whose values cannot be held against ours, since they are not in the collection.
    pub absent: Vec<String>,
}

impl Tally {
    /// Values that ours reproduce.
    #[must_use]
    pub fn reproduced(&self) -> usize {
        self.expected - self.missed.len()
    }

    /// Counts one value: `ours` must be within `tolerance`, relative to the value or to 1, whichever is larger.
    pub fn near(&mut self, what: &str, ours: f64, expected: f64, tolerance: f64) {
        self.holds(what, (ours - expected).abs() <= tolerance * expected.abs().max(1.0), || format!("{ours}, not {expected}"));
    }

    /// Counts one value that must be equal.
    pub fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: &T, expected: &T) {
        self.holds(what, ours == expected, || format!("{ours:?}, not {expected:?}"));
    }

    /// Counts one value, and why it is missed unless it `holds`.
    pub fn holds(&mut self, what: &str, holds: bool, why: impl FnOnce() -> String) {
        self.expected += 1;
        if !holds {
            self.missed.push(format!("{what}: {}", why()));
        }
    }

    /// Prints the count, each miss and each absent file.
    pub fn print(&self, name: &str) {
        println!("{name}: {} of {} values reproduced", self.reproduced(), self.expected);
        for miss in &self.missed {
            println!("  not yet: {miss}");
        }
        for file in &self.absent {
            println!("  absent from the collection: {file}");
        }
    }
}

/// A table of reference values.
///
/// # Errors
/// In words, if the file is not JSON.
pub fn table(root: &Path, name: &str) -> Result<Value, String> {
    let path = root.join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The numbers of a nested array, one after the other; empty for anything else.
#[must_use]
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

/// The text of a field, empty if there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
