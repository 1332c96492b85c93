//! Why something that should be known is not.

use twin_core::Finding;

/// Why a finding is missing. A patient without any entry of an observable is another case: absent, of
/// which nothing is said.
///
/// ```
/// use twin_io::Missing;
/// let finding = Missing::NotDone.finding();
/// assert_eq!(Missing::of(&finding), Some(Missing::NotDone));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// It was not done.
    NotDone,
    /// It was done, and failed.
    Failed,
    /// It is known, but not handed on.
    Withheld,
    /// It is not there, and nobody says why.
    Unknown,
}

impl Missing {
    const WORDS: [(Self, &'static str); 4] =
        [(Self::NotDone, "not done"), (Self::Failed, "failed"), (Self::Withheld, "withheld"), (Self::Unknown, "unknown")];

    /// The finding that says so.
    #[must_use]
    pub fn finding(self) -> Finding {
        Finding::NotEvaluable(Self::WORDS.iter().find(|(missing, _)| *missing == self).map_or("", |(_, word)| word).to_owned())
    }

    /// What a finding says; `None` for one that has a value, or gives its reason in other words.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Self> {
        let Finding::NotEvaluable(reason) = finding else { return None };
        Self::WORDS.iter().find(|(_, word)| word == reason).map(|(missing, _)| *missing)
    }
}
