//! The one error type of this crate.

/// What can be wrong with a noun of the clinic.
///
/// Every variant names what was being made, the offending value and what would be valid. Values that could identify a person are
/// never carried.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A number is NaN or infinite.
    #[error("{what} is {value}, but must be a finite number")]
    NotFinite {
        /// The noun or field that was being made.
        what: &'static str,
        /// The value that was offered.
        value: f64,
    },
    /// A number lies outside the range in which the noun has a meaning.
    #[error("{what} is {value}, but must be {valid}")]
    OutOfRange {
        /// The noun or field that was being made.
        what: &'static str,
        /// The value that was offered.
        value: f64,
        /// The valid range, in words.
        valid: &'static str,
    },
    /// A count lies outside the range in which the noun has a meaning.
    #[error("{what} is {count}, but must be {valid}")]
    Count {
        /// The noun or field that was being made.
        what: &'static str,
        /// The count that was offered.
        count: usize,
        /// The valid range, in words.
        valid: &'static str,
    },
    /// A text does not have the form that the noun requires.
    #[error("{what} `{text}` is not valid: it must be {valid}")]
    Text {
        /// The noun or field that was being made.
        what: &'static str,
        /// The text that was offered (a code or a name, never free text of a patient).
        text: String,
        /// The valid form, in words.
        valid: &'static str,
    },
    /// A unit code is not UCUM, or names a unit that is not known.
    #[error("unit `{code}` is not a known UCUM code: {reason} at byte {position}")]
    Unit {
        /// The code that was offered.
        code: String,
        /// Where in the code the fault lies, in bytes from its start.
        position: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Two units measure different things, so no factor converts one to the other.
    #[error("cannot convert `{from}` to `{to}`: they measure different things")]
    Incommensurable {
        /// The unit of the value at hand.
        from: String,
        /// The unit that was asked for.
        to: String,
    },
    /// Two things that must agree do not.
    #[error("{what}: {detail}")]
    Conflict {
        /// The noun that was being made.
        what: &'static str,
        /// What disagrees with what, and which would be valid.
        detail: String,
    },
    /// A consent does not permit what was asked.
    #[error("consent does not permit {purpose}: {reason}")]
    Consent {
        /// The purpose that was asked for.
        purpose: String,
        /// Why it is not permitted.
        reason: String,
    },
}
