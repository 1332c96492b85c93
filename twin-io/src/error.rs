//! The one error type of this crate.

use std::fmt;
use std::path::{Path, PathBuf};
use twin_core::SubjectId;

/// A place in a file: as much of it as is known. It names fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, as the caller named it; `None` for a text that was handed over.
    pub file: Option<Box<Path>>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The byte in the line, from 1; at or shortly after the fault.
    pub column: Option<u32>,
    /// The byte in a binary file, from 0, once the file is inflated.
    pub byte: Option<usize>,
    /// The column of a table, the path in a JSON record, such as `patient.timeline[3].time`, or the tag or name of a binary field.
    pub field: Option<Box<str>>,
}

#[allow(dead_code)] // each room uses some of these, and no room all
impl Place {
    pub(crate) fn of(file: Option<&Path>) -> Self {
        Self { file: file.map(Box::from), ..Self::default() }
    }

    pub(crate) fn line(mut self, line: usize) -> Self {
        self.line = Some(count(line));
        self
    }

    pub(crate) fn column(mut self, column: usize) -> Self {
        self.column = Some(count(column));
        self
    }

    pub(crate) fn field(mut self, field: &str) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn byte(mut self, byte: usize) -> Self {
        self.byte = Some(byte);
        self
    }

    /// A rule of the patient state, or of a format's meaning, that is broken here.
    pub(crate) fn invalid(self, rule: impl Into<String>) -> IoError {
        IoError::Invalid { place: self, rule: rule.into() }
    }

    /// A rule of the format that is broken here.
    pub(crate) fn syntax(self, rule: impl Into<String>) -> IoError {
        IoError::Syntax { place: self, rule: rule.into() }
    }

    /// Something that ends too early here.
    pub(crate) fn truncated(self, rule: impl Into<String>) -> IoError {
        IoError::Truncated { place: self, rule: rule.into() }
    }

    /// Something of the format that this crate does not read.
    pub(crate) fn unsupported(self, what: impl Into<String>, supported: &'static str) -> IoError {
        IoError::Unsupported { place: self, what: what.into(), supported }
    }

    /// More of something than `limit`, here.
    pub(crate) fn over(self, what: &'static str, limit: usize, raise: &'static str) -> IoError {
        IoError::Limit { place: self, what, limit, raise }
    }
}

/// A count for a place; beyond four billion it stays there.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("the text")?,
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, " column {column}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        match &self.field {
            Some(field) => write!(f, ", field `{field}`"),
            None => Ok(()),
        }
    }
}

/// A list of names for a message: `a`, `b`.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if i == 0 { "" } else { ", " })?;
        }
        if self.0.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// Subjects for a message, each shortened as [`SubjectId`] shows itself.
struct Subjects<'a>(&'a [SubjectId]);

impl fmt::Display for Subjects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What can be wrong with a file.
///
/// An error says where (file, line, field) and which rule is broken. It never carries a value out of the file, neither in
/// `Display` nor in `Debug`, for any value may identify a person; the exceptions are the number
/// of a [`Version`](Self::Version) and the ids of [`UnknownSubject`](Self::UnknownSubject), which show eight characters at most.
/// Names of columns and fields are shown, and so is the path of the file as the caller gave it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written. What stood there before is as it was.
    #[error("cannot write {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is a file of that name already.
    #[error("will not overwrite {}: write to another name, or ask to replace it", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A file is larger than the caller allows.
    #[error("{place}: more than {limit} {what}; for a file you trust, raise `Limits::{raise}`")]
    Limit {
        /// Where the limit was passed.
        place: Place,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// The field of [`Limits`](crate::Limits) to raise.
        raise: &'static str,
    },
    /// A process that was to read a file gave no answer.
    #[error(
        "the process that read the file is lost: {how}; its memory was capped at {max_memory} bytes: raise the cap for a file you trust"
    )]
    Child {
        /// What happened to it.
        how: String,
        /// The cap on its memory, in bytes.
        max_memory: u64,
    },
    /// What a reader in another process found.
    #[error("{message}")]
    Reported {
        /// The message of its error.
        message: String,
    },
    /// A file is not UTF-8.
    #[error("{place}: not UTF-8 text")]
    Encoding {
        /// The first line that is not.
        place: Place,
    },
    /// A file holds nothing.
    #[error("{place}: there {what}")]
    Empty {
        /// Which file.
        place: Place,
        /// What is missing, in words.
        what: &'static str,
    },
    /// A file ends before it is complete.
    #[error("{place}: ends before it is complete ({rule})")]
    Truncated {
        /// Where it ends.
        place: Place,
        /// What was under way there.
        rule: String,
    },
    /// A file breaks the rules of its format.
    #[error("{place}: {rule}")]
    Syntax {
        /// Where.
        place: Place,
        /// The rule.
        rule: String,
    },
    /// A file is of another kind than the reader's.
    #[error("{place}: not a file of format `{expected}`, which this reader needs")]
    Format {
        /// Where the format should stand.
        place: Place,
        /// The format that the reader understands.
        expected: &'static str,
    },
    /// A file has a version that this crate does not know.
    #[error("{place}: version {found} of `{format}` is not supported; supported: {supported}")]
    Version {
        /// Where the version stands.
        place: Place,
        /// The format.
        format: &'static str,
        /// The version of the file.
        found: u64,
        /// The versions that can be read.
        supported: &'static str,
    },
    /// A record is not released, since consent does not permit it.
    #[error("the record is not released")]
    Refused {
        /// What consent says.
        source: twin_core::CoreError,
    },
    /// A part of a format that is valid, but that this crate does not read.
    #[error("{place}: {what} is not read; read are: {supported}")]
    Unsupported {
        /// Where.
        place: Place,
        /// What it is: a code or a name out of the format's own tables, never a value of the patient.
        what: String,
        /// What is read instead.
        supported: &'static str,
    },
    /// An object of a record has a key twice.
    #[error("{place}: the key is given twice")]
    DuplicateKey {
        /// The second place.
        place: Place,
    },
    /// A value, a row or a field breaks a rule of the patient state.
    #[error("{place}: {rule}")]
    Invalid {
        /// Where.
        place: Place,
        /// The rule; values out of the file are replaced by `…`.
        rule: String,
    },
    /// A patient cannot be written so that it would be read back unchanged.
    #[error("this patient cannot be written: field `{}` {rule}", field.as_deref().unwrap_or("patient"))]
    Unwritable {
        /// The field that breaks the rule, if it is one.
        field: Option<Box<str>>,
        /// The rule; values are replaced by `…`.
        rule: String,
    },
    /// A mapping contradicts itself, or cannot be used.
    #[error("{place}: the mapping is not usable: {rule}")]
    Mapping {
        /// The mapping's place, as far as it has one.
        place: Place,
        /// The rule it breaks. A mapping is the caller's own, so its names are quoted.
        rule: String,
    },
    /// A table lacks columns that the mapping names.
    #[error("{place}: no column {}, which the mapping names; columns there are: {}", Names(missing), Names(present))]
    MissingColumns {
        /// Which file.
        place: Place,
        /// The columns that are missing.
        missing: Vec<String>,
        /// The columns that are there. Empty when the first line has not one column of the mapping: then it may be data.
        present: Vec<String>,
    },
    /// A table has columns that the mapping neither maps nor leaves out.
    #[error("{place}: the mapping says nothing of column {}; map it, or list it in `left_out`", Names(columns))]
    UnmappedColumns {
        /// Which file.
        place: Place,
        /// The columns.
        columns: Vec<String>,
    },
    /// A table has a column twice.
    #[error("{place}: the column is there twice")]
    RepeatedColumn {
        /// Which file and column.
        place: Place,
    },
    /// Two rows state the same thing of the same subject at the same time.
    #[error("{place}: stated twice for the same subject and time, first in line {first}")]
    DuplicateVisit {
        /// The later line and the column.
        place: Place,
        /// The earlier line.
        first: usize,
    },
    /// Two rows of the same subject and time contradict each other on whether a therapy is on.
    #[error("{place}: on and off at the same time, contradicting line {first}")]
    ContradictoryStatus {
        /// The later line and the column.
        place: Place,
        /// The earlier line.
        first: usize,
    },
    /// A subject has not one observation.
    #[error("{place}: the subject that begins here has {rows} row(s), but not one observation")]
    NoObservation {
        /// The first line of the subject.
        place: Place,
        /// How many rows the subject has.
        rows: usize,
    },
    /// The subject asked for is not in the file.
    #[error("{place}: the subject asked for is not among the {subjects} there; nearest: {}", Subjects(nearest))]
    UnknownSubject {
        /// Which file.
        place: Place,
        /// How many subjects there are.
        subjects: usize,
        /// At most five ids that resemble the one asked for.
        nearest: Vec<SubjectId>,
    },
}
