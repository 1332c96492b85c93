//! An audit log in which every line seals the lines before it.

use super::pseudonym::hexadecimal;
use crate::{IoError, Place};
use sha2::{Digest, Sha256};
use twin_core::{ConsentState, Purpose, SubjectId};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, as the caller's clock has it: ISO 8601. This crate reads no clock.
    pub at: String,
    /// Whose record.
    pub subject: SubjectId,
    /// For what it was asked.
    pub purpose: Purpose,
    /// What consent said.
    pub consent: ConsentState,
    /// Whether it was released.
    pub released: bool,
    /// The SHA-256 of what was released, in hexadecimal digits; empty if nothing was.
    pub digest: String,
}

impl AuditEntry {
    fn text(&self) -> String {
        let Self { at, subject, purpose, consent, released, digest } = self;
        let outcome = if *released { "released" } else { "refused" };
        format!("{at}\t{}\t{purpose}\t{consent}\t{outcome}\t{digest}", subject.as_str())
    }
}

/// A log that only grows. Each line ends in the SHA-256 of the line and of the seal before it, so that a line that is altered,
/// removed or moved breaks every seal after it. Whoever holds the file can still cut its end or seal it anew: publish
/// [`Audit::head`] elsewhere, and compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    lines: Vec<String>,
    head: String,
}

/// The seal before the first line.
const START: &str = "twin-audit-1";

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}

fn seal(head: &str, line: &str) -> String {
    hexadecimal(&Sha256::new().chain_update(head).chain_update([0]).chain_update(line).finalize())
}

impl Audit {
    /// A log without lines.
    #[must_use]
    pub fn new() -> Self {
        Self { lines: Vec::new(), head: START.to_owned() }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`IoError::Unwritable`] for a time or a digest with a tab, a line feed, or nothing in it where something must be.
    pub fn record(&mut self, entry: &AuditEntry) -> Result<(), IoError> {
        let plain = |text: &str| !text.chars().any(char::is_control);
        if entry.at.is_empty() || !plain(&entry.at) || !plain(&entry.digest) {
            let rule = "must be a plain text without tabs and line feeds".to_owned();
            return Err(IoError::Unwritable { field: Some("at".into()), rule });
        }
        let text = entry.text();
        self.head = seal(&self.head, &text);
        self.lines.push(format!("{text}\t{}", self.head));
        Ok(())
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The last seal, to be published.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The lines as text, each with a line feed at its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Checks every seal of a log and gives the log back, to go on with.
    ///
    /// # Errors
    /// [`IoError::Invalid`] with the first line whose seal does not fit what stands there and before; [`IoError::Truncated`] if the
    /// last line has no end.
    pub fn verify(text: &str) -> Result<Self, IoError> {
        let mut audit = Self::new();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(Place::default().line(text.lines().count()).truncated("the last line"));
        }
        for (index, line) in text.split_terminator('\n').enumerate() {
            let broken = || {
                Place::default()
                    .line(index + 1)
                    .invalid("the seal does not fit: this line, or one before it, was altered, removed or moved")
            };
            let (content, stated) = line.rsplit_once('\t').ok_or_else(broken)?;
            let head = seal(&audit.head, content);
            if head != stated {
                return Err(broken());
            }
            audit.head = head;
            audit.lines.push(line.to_owned());
        }
        Ok(audit)
    }
}
