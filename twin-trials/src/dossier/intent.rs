//! What only people know of the use of a model.

use std::collections::BTreeMap;

/// A grade of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

impl Level {
    /// The grade in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A grade with its reason, which a grade must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The grade.
    pub level: Level,
    /// Why.
    pub reason: String,
}

impl Graded {
    /// `level`, because of `reason`.
    #[must_use]
    pub fn new(level: Level, reason: impl Into<String>) -> Self {
        Self { level, reason: reason.into() }
    }
}

/// What people say of the use of a model. Everything that is `None` is shown as open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// The question, decision or concern that the model helps with.
    pub question: Option<String>,
    /// The role and scope of the model in answering it, and the other evidence.
    pub context_of_use: Option<String>,
    /// How much the model weighs in the decision beside the other evidence.
    pub influence: Option<Graded>,
    /// How bad a wrong decision would be.
    pub consequence: Option<Graded>,
    /// How the software was developed and is kept under control.
    pub software_quality: Option<String>,
    /// What keeps users from errors in inputs and readings of outputs.
    pub use_error: Option<String>,
    /// Why the form of the model fits the context of use.
    pub model_form: Option<String>,
    /// The data or experiment that the model was compared with, beyond the twin's own readings.
    pub comparator: Option<String>,
    /// How that comparison came out.
    pub comparison: Option<String>,
    /// Why the evidence carries over to the context of use.
    pub applicability: Option<String>,
    /// Who answers for the dossier.
    pub responsible: Option<String>,
    /// Answers to items of TRIPOD+AI by their numbers, for example `18a`; they go before what the run says.
    pub tripod: BTreeMap<String, String>,
}

impl Intent {
    /// Model risk from 1 to 5: the sum of influence and consequence, less one; `None` until both are graded.
    ///
    /// ASME V&V 40 leaves the grades to the user; this scale is a choice of this library.
    #[must_use]
    pub fn risk(&self) -> Option<u8> {
        let grade = |level| match level {
            Level::Low => 1,
            Level::Medium => 2,
            Level::High => 3,
        };
        let (influence, consequence) = (self.influence.as_ref()?, self.consequence.as_ref()?);
        Some(grade(influence.level) + grade(consequence.level) - 1)
    }
}

/// How the code was verified: the outcome of a table of numbers with known answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeVerification {
    /// The code that was verified: name and version.
    pub code: String,
    /// How many numbers were compared.
    pub rows: usize,
    /// How many agree within their tolerance.
    pub passed: usize,
    /// How many do not, and are known not to.
    pub not_reproduced: usize,
    /// How many do not.
    pub failed: usize,
    /// From how many sources they are.
    pub sources: usize,
    /// Where the table stands.
    pub place: String,
}
